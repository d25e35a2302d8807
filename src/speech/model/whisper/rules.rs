//! Which tokens may be produced, and drawing one of them.

use super::config::{Config, GenerationConfig};
use super::vocabulary::Vocabulary;
use crate::speech::kernels::{self, Level};

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

    /// The checkpoint's lists, and the timestamps, which are never asked for: what a reference without any help is held to.
    #[must_use]
    pub fn of_checkpoint(config: &Config, generation: &GenerationConfig, vocabulary: &Vocabulary) -> Self {
        let mut always = generation.suppressed(config);
        always.extend((0..config.vocab_size).filter_map(|id| u32::try_from(id).ok()).filter(|id| *id > vocabulary.no_timestamps));
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

/// The token at `unit`, from 0 to 1, of the distribution at a temperature: drawn at random where `unit` is. Nothing where no token
/// is possible.
#[must_use]
pub fn draw(logits: &[f32], temperature: f32, unit: f64) -> Option<u32> {
    let mut weights: Vec<f32> = logits.iter().map(|logit| logit / temperature).collect();
    let (sum, _) = kernels::exponentials(Level::best(), &mut weights);
    let mut left = unit * f64::from(sum);
    let mut drawn = None;
    for (weight, id) in weights.into_iter().map(f64::from).zip(0_u32..) {
        if weight > 0.0 {
            drawn = Some(id);
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMPOSSIBLE: f32 = f32::NEG_INFINITY;

    #[test]
    fn drawing_follows_the_distribution_and_avoids_the_impossible() {
        let logits = [0.0, IMPOSSIBLE, 3.0_f32.ln()];
        assert_eq!(draw(&logits, 1.0, 0.24), Some(0));
        assert_eq!(draw(&logits, 1.0, 0.26), Some(2));
        assert_eq!(draw(&logits, 1.0, 0.999_999_999), Some(2));
        // At half the temperature the odds are squared: 1 to 9.
        assert_eq!(draw(&logits, 0.5, 0.11), Some(2));
        assert_eq!(draw(&[IMPOSSIBLE; 3], 1.0, 0.5), None);
    }
}
