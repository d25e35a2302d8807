//! What the ids of a speech model mean: the prompt that it is asked with, and the header of its answer.

use std::path::Path;

use super::config::Config;
use crate::speech::SpeechError;
use crate::speech::model::Language;
use crate::speech::model::qwen3::Tokens;
use crate::text::PatientText;

/// The tokens of one checkpoint. Ids are looked up, never assumed.
pub struct Vocabulary {
    tokens: Tokens,
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
    /// As [`Tokens::load`]; a tokenizer that lacks a control token.
    pub fn load(folder: &Path, config: &Config) -> Result<Self, SpeechError> {
        let tokens = tokens(folder, config)?;
        let mut end = config.end.clone();
        end.extend([tokens.find("<|im_end|>")?, tokens.find("<|endoftext|>")?]);
        Ok(Self {
            end,
            text: tokens.find("<asr_text>")?,
            start_of_turn: tokens.find("<|im_start|>")?,
            end_of_turn: tokens.find("<|im_end|>")?,
            audio: [tokens.find("<|audio_start|>")?, tokens.find("<|audio_end|>")?],
            tokens,
        })
    }

    /// As [`Tokens::piece`].
    #[must_use]
    pub fn piece(&self, id: u32) -> Option<&[u8]> {
        self.tokens.piece(id)
    }

    /// As [`Tokens::decode`].
    #[must_use]
    pub fn decode(&self, ids: &[u32]) -> PatientText {
        self.tokens.decode(ids)
    }

    /// As [`Tokens::encode`].
    ///
    /// # Errors
    /// As [`Tokens::encode`].
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, SpeechError> {
        self.tokens.encode(text)
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

/// The tokenizer below `folder`, in which the audio goes where the configuration says.
///
/// # Errors
/// As [`Tokens::load`]; another token in the place of the audio.
pub fn tokens(folder: &Path, config: &Config) -> Result<Tokens, SpeechError> {
    let tokens = Tokens::load(folder, config.text.vocab_size)?;
    tokens.find_as("<|audio_pad|>", ("audio_token_id", config.audio_token_id))?;
    Ok(tokens)
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
