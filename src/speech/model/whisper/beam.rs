//! Beam search: the likeliest texts by their whole, not by each step; OpenAI's rules (patience 1, no length penalty but the mean).

use super::Whisper;
use super::decode::{Begun, Limits};
use super::decoder::Audio;
use crate::speech::SpeechError;
use crate::speech::model::logits::{likeliest, log_normaliser};
use crate::speech::model::sequence::Sequence;

/// A sequence of the beam with one more token.
struct Continuation {
    row: u32,
    token: u32,
    log_probability: f32,
    total: f32,
}

impl Whisper {
    /// The best text that a beam of `width` prefixes finds, all in one batch.
    pub(super) fn beam(&self, audio: &Audio, begun: Begun, width: usize, limits: &Limits) -> Result<Sequence, SpeechError> {
        let Begun { mut cache, logits, .. } = begun;
        let mut beam = vec![Sequence::default()];
        let mut finished: Vec<Sequence> = Vec::new();
        let mut logits = vec![logits];
        for step in 0..limits.tokens {
            let continuations = self.continuations(&beam, &mut logits, width, step == 0);
            let (mut next, mut rows, mut fed) = (Vec::new(), Vec::new(), Vec::new());
            for continuation in continuations {
                let parent = usize::try_from(continuation.row).ok().and_then(|row| beam.get(row));
                let Some(mut sequence) = parent.cloned() else { continue };
                if !sequence.push(continuation.token, continuation.log_probability, &[self.vocabulary.end]) {
                    finished.push(sequence);
                } else if !(limits.give_up)(&sequence.tokens) {
                    rows.push(continuation.row);
                    fed.push(continuation.token);
                    next.push(sequence);
                }
                if next.len() == width {
                    break;
                }
            }
            beam = next;
            if finished.len() >= width || beam.is_empty() || cache.tokens() >= self.config.max_target_positions {
                break;
            }
            cache.select(&rows)?;
            logits = self.decoder.step(&fed, beam.len(), audio, &mut cache)?.to_vec2()?;
        }
        // What the limit cut off counts only where too little came to an end.
        let missing = width.saturating_sub(finished.len());
        finished.extend(beam.into_iter().take(missing));
        let score = |sequence: &Sequence| sequence.total() / sequence.tokens.len().max(1) as f32;
        let better = |a: Sequence, b: Sequence| if score(&b) > score(&a) { b } else { a };
        Ok(finished.into_iter().reduce(better).unwrap_or_default())
    }

    /// Each sequence with each of its likeliest next tokens, the likeliest whole first.
    fn continuations(&self, beam: &[Sequence], logits: &mut [Vec<f32>], width: usize, first: bool) -> Vec<Continuation> {
        let mut all = Vec::new();
        for ((sequence, logits), row) in beam.iter().zip(logits).zip(0_u32..) {
            self.rules.apply(logits, first);
            let normaliser = log_normaliser(logits);
            // One more than the beam is wide: one of them may be end-of-text.
            for (token, logit) in likeliest(logits, width + 1) {
                let log_probability = logit - normaliser;
                all.push(Continuation { row, token, log_probability, total: sequence.total() + log_probability });
            }
        }
        // Stable, so that equals keep the order of rows and ids.
        all.sort_by(|a, b| b.total.total_cmp(&a.total));
        all
    }
}
