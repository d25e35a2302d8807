//! Beam search: the likeliest texts by their whole, not by each step; OpenAI's rules (patience 1, no length penalty but the mean).

use super::logits::{likeliest, log_normaliser};
use super::sequence::Sequence;
use crate::speech::SpeechError;

/// How a text is looked for.
pub struct Beam<'a> {
    /// Prefixes at once.
    pub width: usize,
    /// The most tokens of a text.
    pub tokens: usize,
    /// Any of them ends a text.
    pub ends: &'a [u32],
    /// Whether to go on with a text would be a waste.
    pub give_up: &'a (dyn Fn(&[u32]) -> bool + Sync),
}

/// Makes forbidden tokens impossible in a row of logits, knowing whether it is the first.
pub type Forbid<'a> = &'a dyn Fn(&mut [f32], bool);

/// Keeps the rows of a batch that are named, in that order, feeds each a token, and gives the logits after it; nothing where there is
/// no more room.
pub type Step<'a> = &'a mut dyn FnMut(&[u32], &[u32]) -> Result<Option<Vec<Vec<f32>>>, SpeechError>;

/// A sequence of the beam with one more token.
struct Continuation {
    row: u32,
    token: u32,
    log_probability: f32,
    total: f32,
}

impl Beam<'_> {
    /// The best text that is found from `logits` on, all prefixes in one batch.
    ///
    /// # Errors
    /// As `step`.
    pub fn search(&self, logits: Vec<f32>, forbid: Forbid<'_>, step: Step<'_>) -> Result<Sequence, SpeechError> {
        let mut beam = vec![Sequence::default()];
        let mut finished: Vec<Sequence> = Vec::new();
        let mut logits = vec![logits];
        for number in 0..self.tokens {
            logits.iter_mut().for_each(|logits| forbid(logits, number == 0));
            let (mut next, mut rows, mut fed) = (Vec::new(), Vec::new(), Vec::new());
            for continuation in self.continuations(&beam, &logits) {
                let parent = usize::try_from(continuation.row).ok().and_then(|row| beam.get(row));
                let Some(mut sequence) = parent.cloned() else { continue };
                if !sequence.push(continuation.token, continuation.log_probability, self.ends) {
                    finished.push(sequence);
                } else if !(self.give_up)(&sequence.tokens) {
                    rows.push(continuation.row);
                    fed.push(continuation.token);
                    next.push(sequence);
                }
                if next.len() == self.width {
                    break;
                }
            }
            beam = next;
            if finished.len() >= self.width || beam.is_empty() {
                break;
            }
            let Some(after) = step(&rows, &fed)? else { break };
            logits = after;
        }
        // What the limit cut off counts only where too little came to an end.
        let missing = self.width.saturating_sub(finished.len());
        finished.extend(beam.into_iter().take(missing));
        let score = |sequence: &Sequence| sequence.total() / sequence.tokens.len().max(1) as f32;
        let better = |a: Sequence, b: Sequence| if score(&b) > score(&a) { b } else { a };
        Ok(finished.into_iter().reduce(better).unwrap_or_default())
    }

    /// Each sequence with each of its likeliest next tokens, the likeliest whole first.
    fn continuations(&self, beam: &[Sequence], logits: &[Vec<f32>]) -> Vec<Continuation> {
        let mut all = Vec::new();
        for ((sequence, logits), row) in beam.iter().zip(logits).zip(0_u32..) {
            let normaliser = log_normaliser(logits);
            // One more than the beam is wide: one of them may be end-of-text.
            for (token, logit) in likeliest(logits, self.width + 1) {
                let log_probability = logit - normaliser;
                all.push(Continuation { row, token, log_probability, total: sequence.total() + log_probability });
            }
        }
        // Stable, so that equals keep the order of rows and ids.
        all.sort_by(|a, b| b.total.total_cmp(&a.total));
        all
    }
}
