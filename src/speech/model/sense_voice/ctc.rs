//! Connectionist temporal classification (Graves et al. 2006, <https://doi.org/10.1145/1143844.1143891>): what a row of logits for each
//! moment says, where a token may last for several moments and a blank stands between two of the same.

use std::ops::Range;

use candle_core::Tensor;

use super::prefix_beam::add;
use crate::speech::model::logits::{argmax, log_normaliser};

/// Log-probabilities of every token at every moment.
pub struct Emissions {
    /// (moments, tokens), row-major.
    logits: Vec<f32>,
    tokens: usize,
    /// What a moment's logits minus are log-probabilities.
    normalisers: Vec<f32>,
    blank: u32,
}

/// A token and when it was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Its moments; at least one.
    pub moments: Range<usize>,
    /// Natural logarithm of its probability at the moment where that is highest.
    pub log_probability: f32,
}

/// What a way through the moments, a token each, says: without repetitions, and then without blanks.
#[must_use]
pub fn collapsed(mut path: Vec<u32>, blank: u32) -> Vec<u32> {
    path.dedup();
    path.retain(|token| *token != blank);
    path
}

impl Emissions {
    /// Of logits (moments, tokens).
    ///
    /// # Errors
    /// When they cannot be brought to the processor.
    pub fn new(logits: &Tensor, blank: u32) -> candle_core::Result<Self> {
        let (_, tokens) = logits.dims2()?;
        let logits: Vec<f32> = logits.flatten_all()?.to_vec1()?;
        let normalisers = logits.chunks_exact(tokens.max(1)).map(log_normaliser).collect();
        Ok(Self { logits, tokens, normalisers, blank })
    }

    /// How many moments.
    #[must_use]
    pub fn moments(&self) -> usize {
        self.normalisers.len()
    }

    /// The token that stands for nothing.
    #[must_use]
    pub fn blank(&self) -> u32 {
        self.blank
    }

    /// The logits of a moment; none beyond the last.
    #[must_use]
    pub fn logits(&self, moment: usize) -> &[f32] {
        self.logits.get(moment * self.tokens..(moment + 1) * self.tokens).unwrap_or_default()
    }

    /// Natural logarithm of a token's probability at a moment.
    #[must_use]
    pub fn log_probability(&self, moment: usize, token: u32) -> f32 {
        let logit = usize::try_from(token).ok().and_then(|token| self.logits(moment).get(token));
        let normaliser = self.normalisers.get(moment);
        logit.zip(normaliser).map_or(f32::NEG_INFINITY, |(logit, normaliser)| logit - normaliser)
    }

    /// The likeliest token of a moment, the first of equals.
    #[must_use]
    pub fn best(&self, moment: usize) -> u32 {
        argmax(self.logits(moment)).unwrap_or(self.blank)
    }

    /// The likeliest token of each of these moments, without repetitions and then without blanks.
    #[must_use]
    pub fn greedy(&self, moments: Range<usize>) -> Vec<u32> {
        collapsed(moments.map(|moment| self.best(moment)).collect(), self.blank)
    }

    /// Natural logarithm of the probability of a text, over all the ways to say it in these moments.
    #[must_use]
    pub fn log_likelihood(&self, moments: Range<usize>, tokens: &[u32]) -> f32 {
        // The states of [`Emissions::align`], of which all ways count here.
        let states = 2 * tokens.len() + 1;
        let token = |state: usize| if state % 2 == 1 { tokens.get(state / 2).copied() } else { None }.unwrap_or(self.blank);
        let mut scores = vec![f32::NEG_INFINITY; states];
        for (count, moment) in moments.enumerate() {
            let before = |state: Option<usize>| state.and_then(|state| scores.get(state)).copied().unwrap_or(f32::NEG_INFINITY);
            let next = (0..states).map(|state| {
                let from = if count == 0 {
                    if state < 2 { 0.0 } else { f32::NEG_INFINITY }
                } else {
                    let skips = state % 2 == 1 && state >= 3 && token(state) != token(state - 2);
                    let skipped = before(state.checked_sub(2).filter(|_| skips));
                    add(add(before(Some(state)), before(state.checked_sub(1))), skipped)
                };
                from + self.log_probability(moment, token(state))
            });
            scores = next.collect();
        }
        let score = |back: usize| states.checked_sub(back).and_then(|state| scores.get(state)).copied();
        add(score(1).unwrap_or(f32::NEG_INFINITY), score(2).unwrap_or(f32::NEG_INFINITY))
    }

    /// Where in these moments each of the tokens is, on the likeliest way through them all; nothing when they do not fit.
    #[must_use]
    pub fn align(&self, moments: Range<usize>, tokens: &[u32]) -> Option<Vec<Place>> {
        // States: a blank before each token and after the last, and the tokens between them.
        let states = 2 * tokens.len() + 1;
        let token = |state: usize| if state % 2 == 1 { tokens.get(state / 2).copied() } else { Some(self.blank) };
        let token = |state: usize| token(state).unwrap_or(self.blank);
        // Two different tokens may follow each other without a blank.
        let skips = |state: usize| state % 2 == 1 && state >= 3 && token(state) != token(state - 2);
        let mut scores = vec![f32::NEG_INFINITY; states];
        // How many states back the best way to each state came from, a row a moment.
        let mut back: Vec<u8> = Vec::with_capacity(moments.len() * states);
        for (count, moment) in moments.clone().enumerate() {
            let before = |state: usize, back: usize| -> f32 {
                let begins = count == 0 && state < 2 && back == 0;
                let score = state.checked_sub(back).and_then(|state| scores.get(state)).copied();
                if begins { 0.0 } else { score.filter(|_| count > 0).unwrap_or(f32::NEG_INFINITY) }
            };
            let mut next = Vec::with_capacity(states);
            for state in 0..states {
                let mut best = (before(state, 0), 0);
                for step in 1..=if skips(state) { 2 } else { 1 } {
                    let score = before(state, usize::from(step));
                    if score > best.0 {
                        best = (score, step);
                    }
                }
                back.push(best.1);
                next.push(best.0 + self.log_probability(moment, token(state)));
            }
            scores = next;
        }
        let score = |state: usize| scores.get(state).copied().unwrap_or(f32::NEG_INFINITY);
        let mut state = if states > 1 && score(states - 2) > score(states - 1) { states - 2 } else { states - 1 };
        if !moments.is_empty() && score(state) == f32::NEG_INFINITY {
            return None;
        }
        let mut places: Vec<Option<Place>> = vec![None; tokens.len()];
        for (count, moment) in moments.enumerate().rev() {
            if state % 2 == 1
                && let Some(place) = places.get_mut(state / 2)
            {
                let log_probability = self.log_probability(moment, token(state));
                let end = place.as_ref().map_or(moment + 1, |place| place.moments.end);
                let highest = place.as_ref().map_or(log_probability, |place| place.log_probability.max(log_probability));
                *place = Some(Place { moments: moment..end, log_probability: highest });
            }
            state = state.saturating_sub(usize::from(back.get(count * states + state).copied().unwrap_or(0)));
        }
        places.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use proptest::prelude::*;

    use super::*;

    const BLANK: u32 = 0;

    fn emissions(moments: usize, tokens: usize, seed: u64) -> Emissions {
        let mut state = seed | 1;
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 22) as f32
        };
        let logits: Vec<f32> = std::iter::repeat_with(next).take(moments * tokens).collect();
        Emissions::new(&Tensor::from_vec(logits, (moments, tokens), &Device::Cpu).unwrap(), BLANK).unwrap()
    }

    fn text(path: &[u32]) -> Vec<u32> {
        collapsed(path.to_vec(), BLANK)
    }

    /// Every way through the moments, with its log-probability.
    fn paths(emissions: &Emissions) -> Vec<(Vec<u32>, f64)> {
        let mut paths = vec![(Vec::new(), 0.0)];
        for moment in 0..emissions.moments() {
            let longer = |(path, score): (Vec<u32>, f64)| {
                (0..emissions.tokens as u32).map(move |token| {
                    let score = score + f64::from(emissions.log_probability(moment, token));
                    ([path.as_slice(), &[token]].concat(), score)
                })
            };
            paths = paths.into_iter().flat_map(longer).collect();
        }
        paths
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn greedy_takes_the_likeliest_way_and_alignment_the_likeliest_of_a_text(
            moments in 1..6_usize, tokens in 2..4_usize, seed: u64,
        ) {
            let emissions = emissions(moments, tokens, seed);
            let paths = paths(&emissions);
            let better = |a: &&(Vec<u32>, f64), b: &&(Vec<u32>, f64)| a.1.total_cmp(&b.1);
            let best = paths.iter().max_by(better).unwrap();
            prop_assert_eq!(emissions.greedy(0..moments), text(&best.0));
            for wanted in [text(&best.0), vec![1], vec![1, 1], vec![1, 1, 1]] {
                let expected = paths.iter().filter(|(path, _)| text(path) == wanted).max_by(better);
                let places = emissions.align(0..moments, &wanted);
                let Some((path, _)) = expected else {
                    prop_assert!(places.is_none());
                    continue;
                };
                let places = places.unwrap();
                prop_assert_eq!(places.len(), wanted.len());
                for (place, token) in places.iter().zip(&wanted) {
                    prop_assert!(place.moments.clone().all(|moment| path[moment] == *token));
                    let highest = place.moments.clone().map(|moment| emissions.log_probability(moment, *token)).reduce(f32::max);
                    prop_assert_eq!(Some(place.log_probability), highest);
                }
                let said: usize = places.iter().map(|place| place.moments.len()).sum();
                prop_assert_eq!(said, path.iter().filter(|token| **token != BLANK).count());
            }
        }

        #[test]
        fn a_wide_beam_finds_the_likeliest_text(moments in 1..6_usize, tokens in 2..4_usize, seed: u64) {
            let emissions = emissions(moments, tokens, seed);
            let mut texts = std::collections::BTreeMap::<Vec<u32>, f64>::new();
            for (path, score) in paths(&emissions) {
                *texts.entry(text(&path)).or_default() += score.exp();
            }
            for (text, probability) in &texts {
                let computed = f64::from(emissions.log_likelihood(0..moments, text)).exp();
                prop_assert!((computed - probability).abs() < 1e-4, "{computed} {probability}");
            }
            let best = texts.values().copied().fold(0.0, f64::max);
            prop_assert!(texts[&emissions.beam(0..moments, 500, None)] > best * (1.0 - 1e-4));
        }
    }

    #[test]
    fn no_moments_have_no_text() {
        let emissions = emissions(2, 3, 1);
        assert!(emissions.greedy(2..2).is_empty() && emissions.beam(2..2, 4, None).is_empty());
        assert_eq!(emissions.align(2..2, &[]), Some(Vec::new()));
        assert_eq!(emissions.align(2..2, &[1]), None);
    }
}
