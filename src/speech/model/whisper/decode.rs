//! Looking for the tokens of an utterance.

use super::decoder::Audio;
use super::rules::{argmax, likeliest_language};
use super::{Whisper, row};
use crate::speech::SpeechError;
use crate::speech::model::Language;

impl Whisper {
    /// What comes before the first token of text.
    fn forced(&self, language: Language) -> Result<[u32; 4], SpeechError> {
        let vocabulary = &self.vocabulary;
        let token = vocabulary.language(language).ok_or_else(|| SpeechError::Language(language.code().to_owned()))?;
        Ok([vocabulary.start, token, vocabulary.transcribe, vocabulary.no_timestamps])
    }

    /// The likeliest of the languages that this crate knows, by the model's first step.
    pub(super) fn find_language(&self, audio: &Audio) -> Result<Language, SpeechError> {
        let logits = self.decoder.step(&[self.vocabulary.start], 1, audio, &mut self.decoder.cache())?;
        let token = |language: &Language| Some((*language, self.vocabulary.language(*language)?));
        // Where Cantonese has no token of its own it cannot be told from Mandarin: it comes first and wins the tie.
        let candidates: Vec<(Language, u32)> = self.capabilities.languages.iter().filter_map(token).collect();
        likeliest_language(&row(&logits, 0)?, &candidates).ok_or_else(|| SpeechError::Language("auto".to_owned()))
    }

    /// The likeliest token at each step, until the text or the positions end.
    pub(super) fn greedy(&self, audio: &Audio, language: Language) -> Result<Vec<u32>, SpeechError> {
        let mut cache = self.decoder.cache();
        let mut feed = self.forced(language)?.to_vec();
        let mut tokens = Vec::new();
        while cache.tokens() + feed.len() <= self.config.max_target_positions {
            let mut logits = row(&self.decoder.step(&feed, 1, audio, &mut cache)?, 0)?;
            self.rules.apply(&mut logits, tokens.is_empty());
            match argmax(&logits) {
                Some(token) if token != self.vocabulary.end => {
                    tokens.push(token);
                    feed = vec![token];
                }
                _ => break,
            }
        }
        Ok(tokens)
    }
}
