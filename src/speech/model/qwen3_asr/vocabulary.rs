//! What the ids of a checkpoint mean, from `vocab.json`, `merges.txt` and `tokenizer_config.json`, or from `tokenizer.json`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::NFC;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{SplitDelimiterBehavior, Tokenizer};

use super::config::Config;
use crate::speech::SpeechError;
use crate::speech::model::Language;
use crate::speech::model::byte_level::byte_of_character;
use crate::speech::model::weights::read_json;
use crate::text::PatientText;

/// How text falls into words before they are made of pieces, where a checkpoint has no `tokenizer.json` that says so: Qwen2's, which all
/// of Qwen3 has (`transformers/models/qwen2/tokenization_qwen2.py`).
const WORDS: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// `tokenizer_config.json`, as far as it is used.
#[derive(Deserialize)]
struct TokenizerConfig {
    added_tokens_decoder: BTreeMap<u32, AddedToken>,
}

#[derive(Deserialize)]
struct AddedToken {
    content: String,
}

/// The tokens of one checkpoint. Ids are looked up, never assumed.
pub struct Vocabulary {
    path: PathBuf,
    /// Bytes of each id's piece; nothing for a control token.
    pieces: Vec<Option<Box<[u8]>>>,
    tokenizer: Tokenizer,
    /// Any of them ends an answer.
    pub end: Vec<u32>,
    /// Stands between an answer's language and its text.
    pub text: u32,
    start_of_turn: u32,
    end_of_turn: u32,
    /// Stand around the audio.
    audio: [u32; 2],
}

/// What the model is asked with: what comes before the audio, and after.
pub struct Prompt {
    /// Up to the audio.
    pub before: Vec<u32>,
    /// From the audio on, up to where the answer begins.
    pub after: Vec<u32>,
}

impl Vocabulary {
    /// Reads the tokenizer below `folder`.
    ///
    /// # Errors
    /// A file that is missing or malformed, that lacks a control token, or has more ids than the model.
    pub fn load(folder: &Path, config: &Config) -> Result<Self, SpeechError> {
        let (vocab, whole) = (folder.join("vocab.json"), folder.join("tokenizer.json"));
        let (path, (tokenizer, control)) = if whole.exists() {
            let read = from_whole(&whole)?;
            (whole, read)
        } else {
            let read = from_parts(folder, &vocab)?;
            (vocab, read)
        };
        let wrong = |problem: String| SpeechError::Format { path: path.clone(), problem };
        let size = config.text.vocab_size;
        let inside = |id: u32| {
            let place = usize::try_from(id).ok().filter(|place| *place < size);
            place.ok_or_else(|| wrong(format!("id {id} is beyond `vocab_size` = {size}")))
        };
        let bytes = byte_of_character();
        let mut pieces = vec![None; size];
        for (piece, id) in tokenizer.get_vocab(false) {
            let decoded: Option<Box<[u8]>> = piece.chars().map(|character| bytes.get(&character).copied()).collect();
            let decoded = decoded.ok_or_else(|| wrong(format!("the piece of id {id} is not byte-level")))?;
            if let Some(place) = pieces.get_mut(inside(id)?) {
                *place = Some(decoded);
            }
        }
        for id in control.values() {
            if let Some(place) = pieces.get_mut(inside(*id)?) {
                *place = None;
            }
        }
        let find = |name: &str| control.get(name).copied().ok_or_else(|| wrong(format!("there is no token `{name}`")));
        let pad = find("<|audio_pad|>")?;
        if pad != config.audio_token_id {
            return Err(wrong(format!("`<|audio_pad|>` has the id {pad}, where `audio_token_id` is {}", config.audio_token_id)));
        }
        let mut end = config.end.clone();
        end.extend([find("<|im_end|>")?, find("<|endoftext|>")?]);
        Ok(Self {
            end,
            text: find("<asr_text>")?,
            start_of_turn: find("<|im_start|>")?,
            end_of_turn: find("<|im_end|>")?,
            audio: [find("<|audio_start|>")?, find("<|audio_end|>")?],
            path,
            pieces,
            tokenizer,
        })
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

    /// The ids of a text. What is spelt like a control token is text.
    ///
    /// # Errors
    /// A tokenizer that does not take the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, SpeechError> {
        // The library's error could quote the text: it is left out.
        let encoding = self
            .tokenizer
            .encode(text, false)
            .map_err(|_| SpeechError::Format { path: self.path.clone(), problem: "a prompt cannot be encoded".to_owned() })?;
        Ok(encoding.get_ids().iter().copied().filter(|id| self.piece(*id).is_some()).collect())
    }

    /// The prompt of the published chat template; `context` is what may be expected to be heard.
    ///
    /// # Errors
    /// As [`Vocabulary::encode`].
    pub fn prompt(&self, context: Option<&PatientText>) -> Result<Prompt, SpeechError> {
        let context = context.filter(|context| !context.is_blank()).map_or("", PatientText::reveal);
        let [audio_start, audio_end] = self.audio;
        let line = self.encode("\n")?;
        let mut before = vec![self.start_of_turn];
        before.extend(self.encode(&format!("system\n{context}"))?);
        before.push(self.end_of_turn);
        before.extend(&line);
        before.push(self.start_of_turn);
        before.extend(self.encode("user\n")?);
        before.push(audio_start);
        let mut after = vec![audio_end, self.end_of_turn];
        after.extend(&line);
        after.push(self.start_of_turn);
        after.extend(self.encode("assistant\n")?);
        Ok(Prompt { before, after })
    }

    /// What an answer in a language begins with, [`Vocabulary::text`] included; without a language, when nothing was said.
    ///
    /// # Errors
    /// As [`Vocabulary::encode`].
    pub fn header(&self, language: Option<Language>) -> Result<Vec<u32>, SpeechError> {
        let mut ids = self.encode(&format!("{HEADER}{}", language.map_or(NOTHING, name)))?;
        ids.push(self.text);
        Ok(ids)
    }
}

/// What every answer begins with, before the name of its language.
pub const HEADER: &str = "language ";
/// The language of silence.
pub const NOTHING: &str = "None";

/// What the model calls a language.
#[must_use]
pub fn name(language: Language) -> &'static str {
    match language {
        Language::Cantonese => "Cantonese",
        Language::Mandarin => "Chinese",
        Language::English => "English",
    }
}

/// A tokenizer, and the ids of its control tokens by what they are spelt.
type Read = (Tokenizer, HashMap<String, u32>);

fn from_parts(folder: &Path, vocab: &Path) -> Result<Read, SpeechError> {
    let merges = folder.join("merges.txt");
    for path in [vocab, &merges] {
        std::fs::metadata(path).map_err(|source| SpeechError::Read { path: path.to_owned(), source })?;
    }
    let wrong = |error: tokenizers::Error| SpeechError::Format {
        path: vocab.to_owned(),
        problem: format!("it makes no tokenizer with `merges.txt`: {error}"),
    };
    let model = BPE::from_file(&vocab.to_string_lossy(), &merges.to_string_lossy()).build().map_err(wrong)?;
    let split = Split::new(SplitPattern::Regex(WORDS.to_owned()), SplitDelimiterBehavior::Isolated, false).map_err(wrong)?;
    let bytes = ByteLevel::new(false, false, false);
    let words = Sequence::new(vec![PreTokenizerWrapper::Split(split), PreTokenizerWrapper::ByteLevel(bytes)]);
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_normalizer(Some(NFC)).map_err(wrong)?.with_pre_tokenizer(Some(words));
    let TokenizerConfig { added_tokens_decoder } = read_json(&folder.join("tokenizer_config.json"))?;
    Ok((tokenizer, added_tokens_decoder.into_iter().map(|(id, token)| (token.content, id)).collect()))
}

fn from_whole(path: &Path) -> Result<Read, SpeechError> {
    let wrong = |error: tokenizers::Error| SpeechError::Format { path: path.to_owned(), problem: error.to_string() };
    let mut tokenizer = Tokenizer::from_file(path).map_err(wrong)?;
    tokenizer.set_encode_special_tokens(true);
    let control = tokenizer.get_added_tokens_decoder().into_iter().map(|(id, token)| (token.content, id)).collect();
    Ok((tokenizer, control))
}
