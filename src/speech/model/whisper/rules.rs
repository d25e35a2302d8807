//! Which tokens may be produced, and probabilities over them.

use super::config::{Config, GenerationConfig};
use super::vocabulary::Vocabulary;
use crate::speech::model::Language;

/// What is never produced, and what never first.
pub struct Rules {
    always: Vec<u32>,
    first: Vec<u32>,
}

impl Rules {
    /// The checkpoint's lists; and every control token but end-of-text, since timestamps are never asked for.
    #[must_use]
    pub fn new(config: &Config, generation: &GenerationConfig, vocabulary: &Vocabulary) -> Self {
        let mut always = generation.suppressed(config);
        let ids = (0..config.vocab_size).filter_map(|id| u32::try_from(id).ok());
        always.extend(ids.filter(|id| !vocabulary.is_text(*id) && *id != vocabulary.end));
        always.sort_unstable();
        always.dedup();
        Self { always, first: generation.suppressed_at_begin(config) }
    }

    /// Makes forbidden tokens impossible in a row of logits.
    pub fn apply(&self, logits: &mut [f32], first: bool) {
        let more: &[u32] = if first { &self.first } else { &[] };
        for id in self.always.iter().chain(more) {
            if let Some(logit) = usize::try_from(*id).ok().and_then(|id| logits.get_mut(id)) {
                *logit = f32::NEG_INFINITY;
            }
        }
    }
}

/// The highest logit's place, the first of equals; nothing in an empty row.
#[must_use]
pub fn argmax(logits: &[f32]) -> Option<u32> {
    let best = logits.iter().enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    u32::try_from(best.0).ok()
}

/// Natural logarithm of the sum of the exponentials, what a logit minus is a log-probability.
#[must_use]
pub fn log_normaliser(logits: &[f32]) -> f32 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|logit| f64::from((logit - max).exp())).sum();
    max + sum.ln() as f32
}

/// The likeliest of the languages, each with the logit of its token.
#[must_use]
pub fn likeliest_language(logits: &[f32], candidates: &[(Language, u32)]) -> Option<Language> {
    let logit = |id: &u32| usize::try_from(*id).ok().and_then(|id| logits.get(id)).copied();
    let scored = candidates.iter().filter_map(|(language, id)| Some((*language, logit(id)?)));
    scored.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|best| best.0)
}
