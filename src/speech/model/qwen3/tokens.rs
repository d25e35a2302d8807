//! The tokens of a checkpoint, from `vocab.json`, `merges.txt` and `tokenizer_config.json`, from `tokenizer.json`, or from a GGUF file.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::NFC;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{SplitDelimiterBehavior, Tokenizer};

use crate::speech::SpeechError;
use crate::speech::model::byte_level::byte_of_character;
use crate::speech::model::gguf::Gguf;
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
    /// Reads the tokenizer below `folder`, of a model with so many ids.
    ///
    /// # Errors
    /// A file that is missing or malformed, or has more ids than the model.
    pub fn load(folder: &Path, ids: usize) -> Result<Self, SpeechError> {
        let (vocab, whole) = (folder.join("vocab.json"), folder.join("tokenizer.json"));
        if whole.exists() {
            let read = from_whole(&whole)?;
            Self::new(whole, read, ids)
        } else {
            let read = from_parts(folder, &vocab)?;
            Self::new(vocab, read, ids)
        }
    }

    /// Reads the tokenizer in a GGUF file, of a model with so many ids.
    ///
    /// # Errors
    /// A field that is missing or malformed, another kind of tokenizer, more ids than the model has.
    pub fn from_gguf(file: &Gguf, ids: usize) -> Result<Self, SpeechError> {
        Self::new(file.path().to_owned(), gguf_parts(file)?, ids)
    }

    fn new(path: PathBuf, (tokenizer, control): Read, ids: usize) -> Result<Self, SpeechError> {
        match pieces(&tokenizer, &control, ids) {
            Ok(pieces) => Ok(Self { path, pieces, tokenizer, control }),
            Err(problem) => Err(SpeechError::Format { path, problem }),
        }
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
    let tokenizer = byte_level(model).map_err(wrong)?;
    let TokenizerConfig { added_tokens_decoder } = read_json(&folder.join("tokenizer_config.json"))?;
    Ok((tokenizer, added_tokens_decoder.into_iter().map(|(id, token)| (token.content, id)).collect()))
}

/// Pieces of bytes, words as Qwen2 has them.
fn byte_level(model: BPE) -> Result<Tokenizer, tokenizers::Error> {
    let split = Split::new(SplitPattern::Regex(WORDS.to_owned()), SplitDelimiterBehavior::Isolated, false)?;
    let bytes = ByteLevel::new(false, false, false);
    let words = Sequence::new(vec![PreTokenizerWrapper::Split(split), PreTokenizerWrapper::ByteLevel(bytes)]);
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_normalizer(Some(NFC))?.with_pre_tokenizer(Some(words));
    Ok(tokenizer)
}

/// Of a token that is text.
const NORMAL: i64 = 1;
/// Of a token that only stands for itself: a control token, and one that a user defined (`<think>`). Others stand for nothing.
const ITSELF: [i64; 2] = [3, 4];

fn gguf_parts(file: &Gguf) -> Result<Read, SpeechError> {
    let wrong = |problem: String| SpeechError::Format { path: file.path().to_owned(), problem };
    for (option, supported) in [("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.pre", "qwen2")] {
        let found = file.text(option).unwrap_or_default();
        if found != supported {
            return Err(SpeechError::Unsupported { path: file.path().to_owned(), option, value: found.to_owned() });
        }
    }
    let missing = |key: &str| wrong(format!("`{key}` is missing, or no list of its kind"));
    let [tokens, merges, types] = ["tokenizer.ggml.tokens", "tokenizer.ggml.merges", "tokenizer.ggml.token_type"];
    let spelt = file.texts(tokens).ok_or_else(|| missing(tokens))?;
    let kinds = file.whole_numbers(types).ok_or_else(|| missing(types))?;
    if kinds.len() != spelt.len() {
        return Err(wrong(format!("`{types}` has {} entries, where `{tokens}` has {}", kinds.len(), spelt.len())));
    }
    let pairs = file.texts(merges).ok_or_else(|| missing(merges))?;
    let pair = |(place, merge): (usize, &str)| {
        let parts = merge.split_once(' ').map(|(left, right)| (left.to_owned(), right.to_owned()));
        parts.ok_or_else(|| wrong(format!("entry {place} of `{merges}` is no pair")))
    };
    let pairs = pairs.into_iter().enumerate().map(pair).collect::<Result<Vec<_>, _>>()?;
    let (mut vocabulary, mut control) = (Vec::new(), HashMap::new());
    for ((id, spelt), kind) in (0_u32..).zip(spelt).zip(kinds) {
        if kind == NORMAL {
            vocabulary.push((spelt.to_owned(), id));
        } else if ITSELF.contains(&kind) {
            control.insert(spelt.to_owned(), id);
        }
    }
    let made = |error: tokenizers::Error| wrong(format!("`{tokens}` and `{merges}` make no tokenizer: {error}"));
    let model = BPE::builder().vocab_and_merges(vocabulary.into_iter().collect::<Vocab>(), pairs).build().map_err(made)?;
    Ok((byte_level(model).map_err(made)?, control))
}

fn from_whole(path: &Path) -> Result<Read, SpeechError> {
    let wrong = |error: tokenizers::Error| SpeechError::Format { path: path.to_owned(), problem: error.to_string() };
    let mut tokenizer = Tokenizer::from_file(path).map_err(wrong)?;
    tokenizer.set_encode_special_tokens(true);
    let control = tokenizer.get_added_tokens_decoder().into_iter().map(|(id, token)| (token.content, id)).collect();
    Ok((tokenizer, control))
}
