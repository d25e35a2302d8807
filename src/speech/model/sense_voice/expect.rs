//! Words to expect: a listed word that a biased beam finds takes the place of what was read at the same moments, if these moments
//! support it. The rest of the reading stays as it is.

use std::ops::Range;

use super::ctc::{Emissions, Place};
use crate::speech::bias::Bias;

/// Texts at once, where no wider beam is asked for.
const WIDTH: usize = 8;

impl Emissions {
    /// `reading`, ids of these moments, with words of the list where the moments support them; and the log-probability that these cost.
    #[must_use]
    pub fn expecting(&self, moments: Range<usize>, reading: Vec<u32>, width: usize, bias: &Bias) -> (Vec<u32>, f32) {
        let biased = self.beam(moments.clone(), width.max(WIDTH), Some(bias));
        let Some(places) = self.align(moments.clone(), &biased) else { return (reading, 0.0) };
        let (mut best, mut cost) = (reading, 0.0);
        for word in bias.words(&biased) {
            let (Some(tokens), Some(heard)) = (biased.get(word.clone()), places.get(word.clone())) else { continue };
            let mean = heard.iter().map(|place| place.log_probability).sum::<f32>() / heard.len().max(1) as f32;
            if mean < bias.weights().floor {
                continue;
            }
            let Some(spliced) = self.spliced(moments.clone(), &best, tokens, heard) else { continue };
            let lost = self.log_likelihood(moments.clone(), &best) - self.log_likelihood(moments.clone(), &spliced);
            if bias.earned(&spliced) - bias.earned(&best) > lost {
                (best, cost) = (spliced, cost + lost.max(0.0));
            }
        }
        (best, cost)
    }

    /// A text with `tokens` in the place of those that it has at the same moments; nothing when it has them already.
    fn spliced(&self, moments: Range<usize>, text: &[u32], tokens: &[u32], heard: &[Place]) -> Option<Vec<u32>> {
        let (begin, end) = (heard.first()?.moments.start, heard.last()?.moments.end);
        let places = self.align(moments, text)?;
        let before = places.iter().take_while(|place| place.moments.end <= begin).count();
        let after = places.iter().rev().take_while(|place| place.moments.start >= end).count();
        let after = text.len().saturating_sub(after).max(before);
        let replaced = text.get(before..after)?;
        (replaced != tokens)
            .then(|| [text.get(..before).unwrap_or_default(), tokens, text.get(after..).unwrap_or_default()].concat())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;
    use crate::speech::bias::{Weights, WordList};
    use crate::speech::script::HongKongScript;

    const WEIGHTS: Weights = Weights { bonus: 1.0, cap: 2.0, spread: 6.0, floor: -3.0 };

    /// Of words of digits, each of them a token; 0 is the blank.
    fn bias(words: &str) -> Bias {
        let list = WordList::parse(words.as_bytes(), &HongKongScript::load().unwrap()).unwrap();
        let digits = |text: &str| text.chars().filter_map(|digit| digit.to_digit(10)).collect::<Vec<u32>>();
        Bias::new(&list, WEIGHTS, |text| Ok(vec![digits(text.reveal())])).unwrap()
    }

    /// Rows in which each token named has its log-probability, up to what the rest shares.
    fn emissions(rows: &[&[(usize, f32)]]) -> Emissions {
        let row = |named: &&[(usize, f32)]| {
            let mut logits = vec![-20.0_f32; 10];
            for (token, logit) in *named {
                logits[*token] = *logit;
            }
            logits
        };
        let logits: Vec<f32> = rows.iter().flat_map(row).collect();
        Emissions::new(&Tensor::from_vec(logits, (rows.len(), 10), &Device::Cpu).unwrap(), 0).unwrap()
    }

    fn heard(emissions: &Emissions, words: &str) -> Vec<u32> {
        let moments = 0..emissions.moments();
        emissions.expecting(moments.clone(), emissions.greedy(moments), 1, &bias(words)).0
    }

    #[test]
    fn a_listed_word_takes_the_place_of_what_sounds_alike_and_nothing_else_changes() {
        // Read as 5 1 3 7; 2 is nearly as likely as 3, and 8 as 7.
        let close = emissions(&[&[(5, 0.0)], &[(1, 0.0)], &[(3, 0.0), (2, -1.5)], &[(0, 0.0)], &[(7, 0.0), (8, -0.1)]]);
        assert_eq!(close.greedy(0..5), [5, 1, 3, 7]);
        assert_eq!(heard(&close, "12"), [5, 1, 2, 7]);
        // Nothing of the list is there, or only its beginning.
        assert_eq!(heard(&close, "46\n129"), [5, 1, 3, 7]);
    }

    #[test]
    fn what_the_sound_does_not_support_is_not_written() {
        let far = emissions(&[&[(5, 0.0)], &[(1, 0.0)], &[(3, 0.0), (2, -2.5)], &[(7, 0.0)]]);
        assert_eq!(heard(&far, "12"), [5, 1, 3, 7]);
        // Two words do not help each other: each has its own cap.
        let further = emissions(&[&[(1, 0.0)], &[(3, 0.0), (2, -3.5)], &[(4, 0.0)], &[(6, 0.0)]]);
        assert_eq!(heard(&further, "12\n46"), [1, 3, 4, 6]);
    }
}
