//! Rows of logits: the likeliest of them, and probabilities.

use super::Language;
use crate::speech::kernels::{self, Level};

/// The highest logit's place, the first of equals; nothing in an empty row.
#[must_use]
pub fn argmax(logits: &[f32]) -> Option<u32> {
    let best = kernels::largest(Level::best(), logits);
    u32::try_from(logits.iter().position(|logit| *logit == best)?).ok()
}

/// Natural logarithm of the sum of the exponentials, what a logit minus is a log-probability.
#[must_use]
pub fn log_normaliser(logits: &[f32]) -> f32 {
    kernels::log_sum_exp(Level::best(), logits)
}

/// The `count` highest logits with their ids, the highest first, of equals the lower id first.
#[must_use]
pub fn likeliest(logits: &[f32], count: usize) -> Vec<(u32, f32)> {
    let mut best: Vec<(u32, f32)> = Vec::with_capacity(count + 1);
    for (id, logit) in (0_u32..).zip(logits.iter().copied()) {
        let enters = best.len() < count || best.last().is_some_and(|last| logit > last.1);
        if logit > f32::NEG_INFINITY && enters {
            let place = best.partition_point(|held| held.1 >= logit);
            best.insert(place, (id, logit));
            best.truncate(count);
        }
    }
    best
}

/// The likeliest of the languages, each with the logit of its token.
#[must_use]
pub fn likeliest_language(logits: &[f32], candidates: &[(Language, u32)]) -> Option<Language> {
    let logit = |id: &u32| usize::try_from(*id).ok().and_then(|id| logits.get(id)).copied();
    let scored = candidates.iter().filter_map(|(language, id)| Some((*language, logit(id)?)));
    scored.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|best| best.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMPOSSIBLE: f32 = f32::NEG_INFINITY;

    #[test]
    fn the_first_of_equals_wins() {
        assert_eq!(argmax(&[1.0, 3.0, 3.0, IMPOSSIBLE]), Some(1));
        assert_eq!(argmax(&[]), None);
        assert_eq!(likeliest(&[1.0, 3.0, IMPOSSIBLE, 3.0, 2.0], 3), [(1, 3.0), (3, 3.0), (4, 2.0)]);
        assert_eq!(likeliest(&[IMPOSSIBLE, 0.5], 3), [(1, 0.5)]);
    }

    #[test]
    fn a_logit_minus_the_normaliser_is_a_log_probability() {
        let logits = [1.0_f32, IMPOSSIBLE, 2.0, -1.0];
        let sum: f32 = logits.iter().map(|logit| (logit - log_normaliser(&logits)).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_tie_between_languages_goes_to_the_first() {
        let candidates = [(Language::Cantonese, 1), (Language::Mandarin, 1), (Language::English, 0)];
        assert_eq!(likeliest_language(&[0.0, 1.0], &candidates), Some(Language::Cantonese));
        assert_eq!(likeliest_language(&[2.0, 1.0], &candidates), Some(Language::English));
        assert_eq!(likeliest_language(&[], &candidates), None);
    }
}
