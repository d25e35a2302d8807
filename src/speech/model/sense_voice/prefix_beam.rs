//! Prefix beam search: the likeliest texts by all the ways to say them (Hannun et al. 2014, <https://arxiv.org/abs/1408.2873>,
//! without a language model). Greedy takes the likeliest way, which need not be of the likeliest text.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;

use super::ctc::Emissions;
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

/// The logarithm of the sum of two numbers that are given by their logarithms.
fn add(a: f32, b: f32) -> f32 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if low == f32::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

impl Emissions {
    /// The best text of these moments that a beam of `width` texts finds.
    #[must_use]
    pub fn beam(&self, moments: Range<usize>, width: usize) -> Vec<u32> {
        let mut beam: Vec<(Vec<u32>, Score)> = vec![(Vec::new(), Score { blank: 0.0, ..Score::NOTHING })];
        for moment in moments {
            // One more than the beam is wide: one of them may be the blank.
            let tokens = likeliest(self.logits(moment), width + 1);
            let mut next: HashMap<Vec<u32>, Score> = HashMap::new();
            for (text, score) in &beam {
                for (token, _) in &tokens {
                    let log_probability = self.log_probability(moment, *token);
                    if *token == self.blank() {
                        let same = next.entry(text.clone()).or_insert(Score::NOTHING);
                        same.blank = add(same.blank, score.total() + log_probability);
                        continue;
                    }
                    let repeated = text.last() == Some(token);
                    if repeated {
                        // It goes on; only after a blank is it said again.
                        let same = next.entry(text.clone()).or_insert(Score::NOTHING);
                        same.token = add(same.token, score.token + log_probability);
                    }
                    let before = if repeated { score.blank } else { score.total() };
                    let longer = next.entry([text.as_slice(), &[*token]].concat()).or_insert(Score::NOTHING);
                    longer.token = add(longer.token, before + log_probability);
                }
            }
            beam = next.into_iter().collect();
            // Equals by their ids: a map has no order of its own.
            let better = |a: &(Vec<u32>, Score), b: &(Vec<u32>, Score)| match b.1.total().total_cmp(&a.1.total()) {
                Ordering::Equal => a.0.cmp(&b.0),
                other => other,
            };
            beam.sort_unstable_by(better);
            beam.truncate(width);
        }
        beam.into_iter().next().map(|(text, _)| text).unwrap_or_default()
    }
}
