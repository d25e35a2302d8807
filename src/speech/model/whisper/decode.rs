//! Looking for the tokens of an utterance: the likeliest at each step, drawn at a temperature, or by a beam.

use candle_core::{IndexOp, Tensor};

use super::Whisper;
use super::decoder::{Audio, Cache};
use super::random::Random;
use super::rules::{Rules, draw};
use crate::speech::SpeechError;
use crate::speech::bias::Bias;
use crate::speech::model::Language;
use crate::speech::model::beam::Beam;
use crate::speech::model::expect::{Expect, Reading};
use crate::speech::model::logits::{argmax, likeliest_language, log_normaliser};
use crate::speech::model::sequence::Sequence;
use crate::text::PatientText;

/// When a search ends that finds no end-of-text.
pub(super) struct Limits<'a> {
    /// Tokens of text.
    pub tokens: usize,
    /// What may be said.
    pub rules: &'a Rules,
    /// Whether to go on would be a waste.
    pub give_up: &'a (dyn Fn(&[u32]) -> bool + Sync),
}

/// A decoder that was fed what comes before the text.
pub(super) struct Begun {
    pub cache: Cache,
    /// After the last token that was fed; forbidden tokens are not yet excluded.
    pub logits: Vec<f32>,
    pub no_speech_probability: f32,
}

impl Whisper {
    /// What comes before the first token of text, and where in it the text's own beginning stands.
    pub(super) fn prefix(&self, language: Language, prompt: Option<&PatientText>) -> Result<(Vec<u32>, usize), SpeechError> {
        let vocabulary = &self.vocabulary;
        let mut prefix = Vec::new();
        if let (Some(prompt), Some(previous)) = (prompt.filter(|prompt| !prompt.is_blank()), vocabulary.previous) {
            // A space in front, as text in the middle of a transcript has it; the last tokens count, up to half the positions.
            let ids = vocabulary.encode(&PatientText::from(format!(" {}", prompt.reveal().trim())))?;
            let room = (self.config.max_target_positions / 2).saturating_sub(1);
            prefix.push(previous);
            prefix.extend(ids.iter().skip(ids.len().saturating_sub(room)));
        }
        let token = vocabulary.language(language).ok_or_else(|| SpeechError::Language(language.code().to_owned()))?;
        let start = prefix.len();
        prefix.extend([vocabulary.start, token, vocabulary.transcribe, vocabulary.no_timestamps]);
        Ok((prefix, start))
    }

    /// The likeliest of the languages that this crate knows, by the model's first step.
    pub(super) fn find_language(&self, audio: &Audio) -> Result<Language, SpeechError> {
        let logits = self.decoder.step(&[self.vocabulary.start], 1, audio, &mut self.decoder.cache())?;
        let token = |language: &Language| Some((*language, self.vocabulary.language(*language)?));
        // Where Cantonese has no token of its own it cannot be told from Mandarin: it comes first and wins the tie.
        let candidates: Vec<(Language, u32)> = self.capabilities.languages.iter().filter_map(token).collect();
        likeliest_language(&row(&logits, 0)?, &candidates).ok_or_else(|| SpeechError::Language("auto".to_owned()))
    }

    /// Feeds what comes before the text.
    pub(super) fn begin(&self, audio: &Audio, (prefix, start): (&[u32], usize)) -> Result<Begun, SpeechError> {
        let mut cache = self.decoder.cache();
        let states = self.decoder.forward(prefix, 1, audio, &mut cache, None)?;
        let both = Tensor::stack(&[states.i(start)?, states.i(prefix.len().saturating_sub(1))?], 0)?;
        let logits = self.decoder.logits(&both)?;
        let at_start = row(&logits, 0)?;
        let no_speech = usize::try_from(self.vocabulary.no_speech).ok().and_then(|id| at_start.get(id)).copied();
        let no_speech_probability = no_speech.map_or(0.0, |logit| (logit - log_normaliser(&at_start)).exp());
        Ok(Begun { cache, logits: row(&logits, 1)?, no_speech_probability })
    }

    /// The likeliest token at each step.
    pub(super) fn greedy(&self, audio: &Audio, begun: Begun, limits: &Limits) -> Result<Sequence, SpeechError> {
        let sequences = self.independently(audio, begun, 1, limits, |_, logits| argmax(logits))?;
        Ok(sequences.into_iter().next().unwrap_or_default())
    }

    /// The best text that a beam of `width` prefixes finds, all in one batch.
    pub(super) fn beam(&self, audio: &Audio, begun: Begun, width: usize, limits: &Limits) -> Result<Sequence, SpeechError> {
        let Begun { mut cache, logits, .. } = begun;
        let ends = [self.vocabulary.end];
        let beam = Beam { width, tokens: limits.tokens, ends: &ends, give_up: limits.give_up };
        let forbid = |logits: &mut [f32], first| self.rules.apply(logits, first);
        beam.search(logits, &forbid, &mut |rows, fed| self.step(audio, &mut cache, (rows, fed)))
    }

    /// What was read, with words of a list where the audio supports them.
    pub(super) fn expecting(
        &self,
        audio: &Audio,
        begun: Begun,
        (bias, reading): (&Bias, Reading),
        limits: &Limits,
    ) -> Result<Sequence, SpeechError> {
        let Begun { mut cache, logits, .. } = begun;
        let ends = [self.vocabulary.end];
        let expect = Expect { bias, tokens: limits.tokens, ends: &ends, give_up: limits.give_up };
        let forbid = |logits: &mut [f32], first| limits.rules.apply(logits, first);
        expect.search((logits, reading), &forbid, &mut |rows, fed| self.step(audio, &mut cache, (rows, fed)))
    }

    /// Keeps these rows of a batch, feeds each a token, and gives the logits after it; nothing where there is no more room.
    fn step(
        &self,
        audio: &Audio,
        cache: &mut Cache,
        (rows, fed): (&[u32], &[u32]),
    ) -> Result<Option<Vec<Vec<f32>>>, SpeechError> {
        if cache.tokens() >= self.config.max_target_positions {
            return Ok(None);
        }
        cache.select(rows)?;
        Ok(Some(self.decoder.step(fed, fed.len(), audio, cache)?.to_vec2()?))
    }

    /// The likeliest of `rows` texts drawn at a temperature.
    pub(super) fn sampled(
        &self,
        audio: &Audio,
        begun: Begun,
        (rows, temperature, seed): (usize, f32, u64),
        limits: &Limits,
    ) -> Result<Sequence, SpeechError> {
        let seed = seed ^ u64::from(temperature.to_bits());
        let mut random: Vec<Random> = (0_u64..).take(rows).map(|row| Random::new(seed.wrapping_add(row))).collect();
        let sequences = self.independently(audio, begun, rows, limits, |row, logits| {
            draw(logits, temperature, random.get_mut(row)?.next_unit())
        })?;
        let better = |a: Sequence, b: Sequence| {
            if b.average_log_probability() > a.average_log_probability() { b } else { a }
        };
        Ok(sequences.into_iter().reduce(better).unwrap_or_default())
    }

    /// Texts that do not compete, all in one batch; `choose` picks a token for a row.
    fn independently(
        &self,
        audio: &Audio,
        begun: Begun,
        rows: usize,
        limits: &Limits,
        mut choose: impl FnMut(usize, &[f32]) -> Option<u32>,
    ) -> Result<Vec<Sequence>, SpeechError> {
        let Begun { mut cache, logits, .. } = begun;
        let mut sequences = vec![Sequence::default(); rows];
        cache.select(&vec![0; rows])?;
        // The sequences that go on, in the order of the batch, and the logits of each.
        let mut live: Vec<usize> = (0..rows).collect();
        let mut logits = vec![logits; rows];
        for step in 0..limits.tokens {
            let (mut fed, mut kept, mut kept_rows) = (Vec::new(), Vec::new(), Vec::new());
            for ((index, batch_row), logits) in live.iter().zip(0_u32..).zip(&mut logits) {
                limits.rules.apply(logits, step == 0);
                let Some(sequence) = sequences.get_mut(*index) else { continue };
                let Some(token) = choose(*index, logits) else { continue };
                let logit = usize::try_from(token).ok().and_then(|token| logits.get(token)).copied();
                let log_probability = logit.unwrap_or(f32::NEG_INFINITY) - log_normaliser(logits);
                if sequence.push(token, log_probability, &[self.vocabulary.end]) && !(limits.give_up)(&sequence.tokens) {
                    fed.push(token);
                    kept.push(*index);
                    kept_rows.push(batch_row);
                }
            }
            if kept.is_empty() || cache.tokens() >= self.config.max_target_positions {
                break;
            }
            if kept.len() < live.len() {
                cache.select(&kept_rows)?;
            }
            live = kept;
            let batch = self.decoder.step(&fed, live.len(), audio, &mut cache)?;
            logits = batch.to_vec2()?;
        }
        Ok(sequences)
    }
}

/// One row of logits as a vector.
fn row(logits: &Tensor, index: usize) -> Result<Vec<f32>, SpeechError> {
    Ok(logits.get(index)?.to_vec1()?)
}
