//! The tokens of a checkpoint, from `vocab.json`, `merges.txt` and `tokenizer_config.json`, or from `tokenizer.json`.

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
pub struct Tokens {
    path: PathBuf,
    /// Bytes of each id's piece; nothing for a control token.
    pieces: Vec<Option<Box<[u8]>>>,
    tokenizer: Tokenizer,
    /// Ids of the control tokens, by what they are spelt.
    control: HashMap<String, u32>,
}

impl Tokens {
    /// Reads the tokenizer below `folder`.
    ///
    /// # Errors
    /// A file that is missing or malformed, that has more ids than the model, or where the audio goes in the place of another token.
    pub fn load(folder: &Path, config: &Config) -> Result<Self, SpeechError> {
        let (vocab, whole) = (folder.join("vocab.json"), folder.join("tokenizer.json"));
        let (path, (tokenizer, control)) = if whole.exists() {
            let read = from_whole(&whole)?;
            (whole, read)
        } else {
            let read = from_parts(folder, &vocab)?;
            (vocab, read)
        };
        let pieces = pieces(&tokenizer, &control, config.text.vocab_size);
        let pieces = pieces.map_err(|problem| SpeechError::Format { path: path.clone(), problem })?;
        let tokens = Self { path, pieces, tokenizer, control };
        tokens.find_as("<|audio_pad|>", ("audio_token_id", config.audio_token_id))?;
        Ok(tokens)
    }

    /// The id of a control token.
    ///
    /// # Errors
    /// A tokenizer without it.
    pub fn find(&self, name: &str) -> Result<u32, SpeechError> {
        self.control.get(name).copied().ok_or_else(|| self.wrong(format!("there is no token `{name}`")))
    }

    /// The id of a control token, which the configuration has under a key.
    ///
    /// # Errors
    /// A tokenizer without it, or with another id.
    pub fn find_as(&self, name: &str, (key, expected): (&str, u32)) -> Result<u32, SpeechError> {
        match self.find(name)? {
            id if id == expected => Ok(id),
            id => Err(self.wrong(format!("`{name}` has the id {id}, where `{key}` is {expected}"))),
        }
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
        let encoding = self.tokenizer.encode(text, false).map_err(|_| self.wrong("a prompt cannot be encoded".to_owned()))?;
        Ok(encoding.get_ids().iter().copied().filter(|id| self.piece(*id).is_some()).collect())
    }

    fn wrong(&self, problem: String) -> SpeechError {
        SpeechError::Format { path: self.path.clone(), problem }
    }
}

/// The bytes of each id's piece, of `size` ids, or what is wrong.
fn pieces(tokenizer: &Tokenizer, control: &HashMap<String, u32>, size: usize) -> Result<Vec<Option<Box<[u8]>>>, String> {
    let inside = |id: u32| {
        let place = usize::try_from(id).ok().filter(|place| *place < size);
        place.ok_or_else(|| format!("id {id} is beyond `vocab_size` = {size}"))
    };
    let bytes = byte_of_character();
    let mut pieces = vec![None; size];
    for (piece, id) in tokenizer.get_vocab(false) {
        let decoded: Option<Box<[u8]>> = piece.chars().map(|character| bytes.get(&character).copied()).collect();
        let decoded = decoded.ok_or_else(|| format!("the piece of id {id} is not byte-level"))?;
        if let Some(place) = pieces.get_mut(inside(id)?) {
            *place = Some(decoded);
        }
    }
    for id in control.values() {
        if let Some(place) = pieces.get_mut(inside(*id)?) {
            *place = None;
        }
    }
    Ok(pieces)
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
