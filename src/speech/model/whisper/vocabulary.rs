//! What the ids of a checkpoint mean, from its `tokenizer.json`.
//!
//! Decoding reads the table of pieces alone, which loads several times faster than the whole tokenizer; that is built only when a
//! prompt has to be encoded.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;
use tokenizers::Tokenizer;

use super::config::Config;
use crate::speech::SpeechError;
use crate::speech::model::Language;
use crate::speech::model::byte_level::byte_of_character;
use crate::speech::model::weights::read_json;
use crate::text::PatientText;

#[derive(Deserialize)]
struct TokenizerFile {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    model: PieceModel,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
}

#[derive(Deserialize)]
struct PieceModel {
    vocab: HashMap<String, u32>,
}

/// The tokens of one checkpoint. Ids are looked up, never assumed: they differ between sizes.
pub struct Vocabulary {
    path: PathBuf,
    /// Bytes of each id's piece; nothing for a control token.
    pieces: Vec<Option<Box<[u8]>>>,
    control: HashMap<String, u32>,
    /// Ends a text, and what follows only controls.
    pub end: u32,
    /// Begins what is decoded.
    pub start: u32,
    /// Asks for the words in the language spoken.
    pub transcribe: u32,
    /// Asks for text without timestamps.
    pub no_timestamps: u32,
    /// Its probability after `start` says that nothing was said.
    pub no_speech: u32,
    /// Begins a prompt; without it the model takes none.
    pub previous: Option<u32>,
    tokenizer: OnceLock<Result<Tokenizer, String>>,
}

impl Vocabulary {
    /// Reads `tokenizer.json` below `folder`.
    ///
    /// # Errors
    /// A file that is missing or malformed, that lacks a control token, or has more ids than the model.
    pub fn load(folder: &Path, config: &Config) -> Result<Self, SpeechError> {
        let path = folder.join("tokenizer.json");
        let file: TokenizerFile = read_json(&path)?;
        let bytes = byte_of_character();
        let mut pieces = vec![None; config.vocab_size];
        let wrong = |problem: String| SpeechError::Format { path: path.clone(), problem };
        let control: HashMap<String, u32> = file.added_tokens.into_iter().map(|token| (token.content, token.id)).collect();
        for (piece, id) in file.model.vocab {
            if control.contains_key(&piece) {
                continue;
            }
            let place = usize::try_from(id).ok().and_then(|id| pieces.get_mut(id));
            let Some(place) = place else {
                return Err(wrong(format!("id {id} is beyond `vocab_size` = {}", config.vocab_size)));
            };
            let decoded: Option<Box<[u8]>> = piece.chars().map(|character| bytes.get(&character).copied()).collect();
            *place = Some(decoded.ok_or_else(|| wrong(format!("the piece of id {id} is not byte-level")))?);
        }
        let find = |names: &[&str]| names.iter().find_map(|name| control.get(*name)).copied();
        let need = |names: &[&str]| {
            let id = find(names).ok_or_else(|| wrong(format!("there is no token `{}`", names.join("` or `"))))?;
            let inside = usize::try_from(id).is_ok_and(|id| id < config.vocab_size);
            if inside { Ok(id) } else { Err(wrong(format!("id {id} is beyond `vocab_size` = {}", config.vocab_size))) }
        };
        Ok(Self {
            end: need(&["<|endoftext|>"])?,
            start: need(&["<|startoftranscript|>"])?,
            transcribe: need(&["<|transcribe|>"])?,
            no_timestamps: need(&["<|notimestamps|>"])?,
            no_speech: need(&["<|nospeech|>", "<|nocaptions|>"])?,
            previous: find(&["<|startofprev|>"]),
            path,
            pieces,
            control,
            tokenizer: OnceLock::new(),
        })
    }

    /// The token of a language; Cantonese is heard as Chinese where the vocabulary has no `<|yue|>`.
    #[must_use]
    pub fn language(&self, language: Language) -> Option<u32> {
        let token = |code: &str| self.control.get(&format!("<|{code}|>")).copied();
        match language {
            Language::Cantonese => token("yue").or_else(|| token("zh")),
            other => token(other.code()),
        }
    }

    /// Whether the id stands for bytes of text.
    #[must_use]
    pub fn is_text(&self, id: u32) -> bool {
        self.piece(id).is_some()
    }

    /// The bytes that the id stands for: not always whole characters; nothing for a control token.
    #[must_use]
    pub fn piece(&self, id: u32) -> Option<&[u8]> {
        self.pieces.get(usize::try_from(id).ok()?)?.as_deref()
    }

    /// The text of the ids; control tokens are left out, broken characters replaced.
    #[must_use]
    pub fn decode(&self, ids: &[u32]) -> PatientText {
        let bytes: Vec<u8> = ids.iter().filter_map(|id| self.piece(*id)).flatten().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned().into()
    }

    /// The ids of a text, without control tokens.
    ///
    /// # Errors
    /// A `tokenizer.json` that the tokenizers library does not take.
    pub fn encode(&self, text: &PatientText) -> Result<Vec<u32>, SpeechError> {
        let wrong = |problem: String| SpeechError::Format { path: self.path.clone(), problem };
        let tokenizer = self
            .tokenizer
            .get_or_init(|| Tokenizer::from_file(&self.path).map_err(|error| error.to_string()))
            .as_ref()
            .map_err(|error| wrong(error.clone()))?;
        // The library's error could quote the text: it is left out.
        let encoding = tokenizer.encode(text.reveal(), false).map_err(|_| wrong("a prompt cannot be encoded".to_owned()))?;
        Ok(encoding.get_ids().iter().copied().filter(|id| self.is_text(*id)).collect())
    }
}
