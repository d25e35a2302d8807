//! Prefix beam search: the likeliest texts by all the ways to say them (Hannun et al. 2014, <https://arxiv.org/abs/1408.2873>,
//! without a language model). Greedy takes the likeliest way, which need not be of the likeliest text.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;

use super::ctc::Emissions;
use crate::speech::bias::{Bias, Matching};
use crate::speech::model::logits::likeliest;

/// Natural logarithms of the probability of a text so far, over the ways that end in a blank and over those that do not.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Score {
    blank: f32,
    token: f32,
}

impl Score {
    const NOTHING: Self = Self { blank: f32::NEG_INFINITY, token: f32::NEG_INFINITY };

    fn total(self) -> f32 {
        add(self.blank, self.token)
    }
}

/// A text so far.
struct Prefix {
    text: Vec<u32>,
    score: Score,
    matching: Matching,
    /// What it is kept by: its log-probability, and what its listed words are worth.
    rank: f32,
}

/// The logarithm of the sum of two numbers that are given by their logarithms.
pub(super) fn add(a: f32, b: f32) -> f32 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if low == f32::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

impl Emissions {
    /// The best text of these moments that a beam of `width` texts finds; listed words are raised.
    #[must_use]
    pub fn beam(&self, moments: Range<usize>, width: usize, bias: Option<&Bias>) -> Vec<u32> {
        let matching = Matching::default();
        let mut beam = vec![Prefix { text: Vec::new(), score: Score { blank: 0.0, ..Score::NOTHING }, matching, rank: 0.0 }];
        for moment in moments {
            // One more than the beam is wide: one of them may be the blank.
            let likely = likeliest(self.logits(moment), width + 1);
            let mut next: HashMap<Vec<u32>, (Score, Matching)> = HashMap::new();
            for prefix in &beam {
                let Prefix { text, score, matching, .. } = prefix;
                let mut tokens: Vec<u32> = likely.iter().map(|(token, _)| *token).collect();
                tokens.extend(bias.map(|bias| self.listed(moment, bias, matching)).unwrap_or_default());
                tokens.sort_unstable();
                tokens.dedup();
                for token in tokens {
                    let log_probability = self.log_probability(moment, token);
                    let kept = || (Score::NOTHING, matching.clone());
                    if token == self.blank() {
                        let (same, _) = next.entry(text.clone()).or_insert_with(kept);
                        same.blank = add(same.blank, score.total() + log_probability);
                        continue;
                    }
                    let repeated = text.last() == Some(&token);
                    if repeated {
                        // It goes on; only after a blank is it said again.
                        let (same, _) = next.entry(text.clone()).or_insert_with(kept);
                        same.token = add(same.token, score.token + log_probability);
                    }
                    let before = if repeated { score.blank } else { score.total() };
                    let grown = || (Score::NOTHING, bias.map(|bias| bias.advance(matching, token)).unwrap_or_default());
                    let (longer, _) = next.entry([text.as_slice(), &[token]].concat()).or_insert_with(grown);
                    longer.token = add(longer.token, before + log_probability);
                }
            }
            let ranked = next.into_iter().map(|(text, (score, matching))| {
                let rank = score.total() + bias.map_or(0.0, |bias| bias.promise(&matching));
                Prefix { text, score, matching, rank }
            });
            beam = ranked.collect();
            beam.sort_unstable_by(better);
            beam.truncate(width);
        }
        // A word that was not completed gives back what it was promised.
        for prefix in &mut beam {
            prefix.rank = prefix.score.total() + prefix.matching.earned();
        }
        beam.into_iter().min_by(better).map(|prefix| prefix.text).unwrap_or_default()
    }

    /// Tokens of listed words that a moment does not rule out.
    fn listed(&self, moment: usize, bias: &Bias, matching: &Matching) -> Vec<u32> {
        let lowest = self.log_probability(moment, self.best(moment)) - bias.weights().spread;
        bias.continuations(matching, None).filter(|token| self.log_probability(moment, *token) >= lowest).collect()
    }
}

/// The higher rank first; equals by their ids, for a map has no order of its own.
fn better(a: &Prefix, b: &Prefix) -> Ordering {
    b.rank.total_cmp(&a.rank).then_with(|| a.text.cmp(&b.text))
}
