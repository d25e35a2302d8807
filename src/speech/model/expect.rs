//! Words to expect, of a model that says its text a token at a time: what was read, and the same with words of a list in it, side by
//! side in one batch.
//!
//! The first row is the reading as it would be without the list. At each step a row may leave it for a listed word ([`Bias`]): a row
//! of its own, which must complete that word and then goes on as the model likes best. Where the two say the same again, or at their
//! ends, the row with the word stays only if its log-probability and the word's bonus together are the higher ones.

use super::beam::{Forbid, Step};
use super::logits::{argmax, log_normaliser};
use super::sequence::Sequence;
use crate::speech::SpeechError;
use crate::speech::bias::{Bias, Matching};

/// Rows at once, the reading among them.
const ROWS: usize = 6;
/// Tokens that two rows must have in common to say the same again.
const TAIL: usize = 3;
/// Tokens that one row may be ahead of another then: characters are of one token to three.
const AHEAD: usize = 6;
/// Tokens that a row may go on after the reading has ended.
const LATE: usize = 8;

/// A text in the making and what of it is listed.
#[derive(Clone, Default)]
struct Row {
    sequence: Sequence,
    matching: Matching,
    /// The token with which it left the likeliest way, while the word for which it did has not ended.
    left: Option<usize>,
    /// Log-probability that this word has cost so far, against the likeliest tokens.
    lost: f32,
}

/// A row with one more token.
struct Way {
    parent: usize,
    token: u32,
    log_probability: f32,
    matching: Matching,
    left: Option<usize>,
    lost: f32,
    forgiven: f32,
    promise: f32,
}

impl Row {
    fn score(&self) -> f32 {
        self.sequence.total() + self.matching.earned()
    }

    /// Of its first tokens, with what all its words are worth.
    fn score_of(&self, tokens: usize) -> f32 {
        self.sequence.log_probabilities.iter().take(tokens).sum::<f32>() + self.matching.earned()
    }
}

/// How words of a list are looked for.
pub struct Expect<'a> {
    /// The list's words as the model's tokens.
    pub bias: &'a Bias,
    /// The most tokens of a text.
    pub tokens: usize,
    /// Any of them ends a text.
    pub ends: &'a [u32],
    /// Whether to go on with a text would be a waste.
    pub give_up: &'a (dyn Fn(&[u32]) -> bool + Sync),
}

/// What is read without the list.
pub enum Reading {
    /// A text that another search found.
    Found(Sequence),
    /// The likeliest token at each step, from what was fed already on.
    Greedy(Sequence),
}

impl Expect<'_> {
    /// What was read, with words of the list where the audio supports them, all rows in one batch; `logits` are those of the first
    /// step.
    ///
    /// # Errors
    /// As `step`.
    pub fn search(
        &self,
        (logits, reading): (Vec<f32>, Reading),
        forbid: Forbid<'_>,
        step: Step<'_>,
    ) -> Result<Sequence, SpeechError> {
        let (begun, mut forced) = match reading {
            Reading::Found(given_up) if given_up.end.is_none() => return Ok(given_up),
            Reading::Found(reading) => (Sequence::default(), Some(reading)),
            Reading::Greedy(begun) => (begun, None),
        };
        let fed_before = begun.tokens.len();
        let matching = begun.tokens.iter().fold(Matching::default(), |matching, token| self.bias.advance(&matching, *token));
        let mut rows = vec![Row { sequence: begun, matching, ..Row::default() }];
        let mut logits = vec![logits];
        // The reading, once it has ended, and the others that have.
        let (mut read, mut finished): (Option<Row>, Vec<Row>) = (None, Vec::new());
        for length in fed_before..self.tokens.max(fed_before) {
            let mut ways = Vec::new();
            for ((parent, row), logits) in rows.iter().enumerate().zip(&mut logits) {
                forbid(logits, length == 0);
                let first = read.is_none() && parent == 0;
                let own = match forced.as_ref().filter(|_| first) {
                    Some(reading) => reading.tokens.get(length).copied().or_else(|| self.likeliest_end(logits)),
                    None => argmax(logits),
                };
                extend(self.bias, (parent, row), logits, own, &mut ways);
            }
            let kept = usize::from(read.is_none()).min(ways.len());
            if let Some(others) = ways.get_mut(kept..) {
                others.sort_by(|a, b| b.promise.total_cmp(&a.promise));
            }
            ways.truncate(ROWS);
            let mut next: Vec<(usize, Row)> = Vec::new();
            for (place, way) in ways.into_iter().enumerate() {
                let first = read.is_none() && place == 0;
                let Some(parent) = rows.get(way.parent) else { continue };
                let mut sequence = parent.sequence.clone();
                let goes_on = sequence.push(way.token, way.log_probability, self.ends);
                sequence.forgiven = way.forgiven;
                let row = Row { sequence, matching: way.matching, left: way.left, lost: way.lost };
                if goes_on && !(self.give_up)(&row.sequence.tokens) {
                    next.push((way.parent, row));
                } else if first {
                    read = Some(row);
                } else if !goes_on {
                    finished.push(row);
                }
            }
            if read.is_none() && !next.is_empty() && settle(&mut next) {
                forced = None;
            }
            let late = read.as_ref().is_some_and(|read| length >= read.sequence.tokens.len() + LATE);
            let (parents, live): (Vec<usize>, Vec<Row>) = next.into_iter().unzip();
            rows = live;
            if rows.is_empty() || late {
                break;
            }
            let fed: Vec<u32> = rows.iter().filter_map(|row| row.sequence.tokens.last()).copied().collect();
            let parents: Vec<u32> = parents.into_iter().filter_map(|parent| u32::try_from(parent).ok()).collect();
            let Some(after) = step(&parents, &fed)? else { break };
            logits = after;
        }
        let read = read.or_else(|| rows.into_iter().next()).unwrap_or_default();
        if read.sequence.end.is_none() {
            // A reading that was given up has no score to compare with.
            return Ok(read.sequence);
        }
        let better = |a: Row, b: Row| if b.score() > a.score() { b } else { a };
        Ok(finished.into_iter().fold(read, better).sequence)
    }

    fn likeliest_end(&self, logits: &[f32]) -> Option<u32> {
        let logit = |token: &u32| usize::try_from(*token).ok().and_then(|token| logits.get(token)).copied();
        let ends = self.ends.iter().filter_map(|token| Some((*token, logit(token)?)));
        ends.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(token, _)| token)
    }
}

/// The ways in which a row goes on: as it would by itself, unless it must complete a word, and with tokens of listed words.
fn extend(bias: &Bias, (parent, row): (usize, &Row), logits: &[f32], own: Option<u32>, ways: &mut Vec<Way>) {
    let weights = bias.weights();
    let normaliser = log_normaliser(logits);
    let log_probability = |token: u32| {
        let logit = usize::try_from(token).ok().and_then(|token| logits.get(token)).copied();
        logit.unwrap_or(f32::NEG_INFINITY) - normaliser
    };
    let Some(likeliest) = argmax(logits).map(log_probability) else { return };
    let mut add = |token: u32, left: Option<usize>, lost: f32, forgiven: f32| {
        let log_probability = log_probability(token);
        let matching = bias.advance(&row.matching, token);
        let promise = row.sequence.total() + log_probability + bias.promise(&matching);
        ways.push(Way { parent, token, log_probability, matching, left, lost, forgiven, promise });
    };
    if row.left.is_none()
        && let Some(own) = own
    {
        add(own, None, 0.0, row.sequence.forgiven);
    }
    let mut tried: Vec<u32> = Vec::new();
    for token in bias.continuations(&row.matching, row.left) {
        let behind = likeliest - log_probability(token);
        let lost = row.lost + behind;
        if behind > weights.spread || lost > weights.cap || (row.left.is_none() && Some(token) == own) || tried.contains(&token) {
            continue;
        }
        tried.push(token);
        let left = row.left.unwrap_or(row.sequence.tokens.len());
        let matching = bias.advance(&row.matching, token);
        if matching.ended(left) {
            let word = matching.word();
            let before = row.sequence.log_probabilities.get(word.start..).unwrap_or_default();
            let mean = (before.iter().sum::<f32>() + log_probability(token)) / word.len().max(1) as f32;
            if mean >= weights.floor {
                add(token, None, 0.0, row.sequence.forgiven + lost);
            }
        } else {
            add(token, Some(left), lost, row.sequence.forgiven);
        }
    }
}

/// Where two rows say the same again, keeps the better one; tells whether it took the place of the first.
fn settle(rows: &mut Vec<(usize, Row)>) -> bool {
    let mut replaced = false;
    let mut at = 1;
    while at < rows.len() {
        let outcome = (0..at).find_map(|before| {
            let (a, b) = (&rows.get(before)?.1, &rows.get(at)?.1);
            let (of_a, of_b) = rejoined(a, b)?;
            Some((before, b.score_of(of_b) > a.score_of(of_a)))
        });
        match outcome {
            Some((before, true)) => {
                rows.swap(before, at);
                rows.remove(at);
                replaced |= before == 0;
            }
            Some((_, false)) => {
                rows.remove(at);
            }
            None => at += 1,
        }
    }
    replaced
}

/// The lengths up to which two rows, neither of them in the midst of a word, have come to say the same again.
fn rejoined(a: &Row, b: &Row) -> Option<(usize, usize)> {
    if a.left.is_some() || b.left.is_some() {
        return None;
    }
    let (of_a, of_b) = (&a.sequence.tokens, &b.sequence.tokens);
    let common = of_a.iter().zip(of_b).take_while(|(a, b)| a == b).count();
    let tail = |tokens: &[u32], row: &Row, length: usize| -> Option<Vec<u32>> {
        let begin = length.checked_sub(TAIL)?;
        if begin < common.max(row.matching.word().end) { None } else { tokens.get(begin..length).map(<[u32]>::to_vec) }
    };
    let shifts = (0..=AHEAD).flat_map(|ahead| [(0, ahead), (ahead, 0)]);
    let lengths = shifts.filter_map(|(a, b)| Some((of_a.len().checked_sub(a)?, of_b.len().checked_sub(b)?)));
    lengths.into_iter().find(|(a_length, b_length)| {
        let tails = tail(of_a, a, *a_length).zip(tail(of_b, b, *b_length));
        tails.is_some_and(|(a, b)| a == b)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::bias::{Weights, WordList};
    use crate::speech::script::HongKongScript;

    /// A row that said these tokens, each at the same log-probability.
    fn row(tokens: &[u32], each: f32, bias: &Bias) -> Row {
        let mut row = Row::default();
        for token in tokens {
            row.sequence.push(*token, each, &[0]);
            row.matching = bias.advance(&row.matching, *token);
        }
        row
    }

    fn bias() -> Bias {
        let list = WordList::parse(b"78", &HongKongScript::load().unwrap()).unwrap();
        let weights = Weights { bonus: 1.0, cap: 2.0, spread: 5.0, floor: -3.0 };
        Bias::new(&list, weights, |_| Ok(vec![vec![7, 8]])).unwrap()
    }

    #[test]
    fn rows_say_the_same_again_after_what_tells_them_apart() {
        let bias = bias();
        let read = row(&[1, 2, 3, 4, 5, 6], -1.0, &bias);
        assert_eq!(rejoined(&read, &row(&[1, 7, 8, 3, 4, 5], -1.0, &bias)), Some((5, 6)));
        assert_eq!(rejoined(&read, &row(&[1, 7, 8, 4, 5, 6], -1.0, &bias)), Some((6, 6)));
        assert_eq!(rejoined(&read, &row(&[1, 7, 8, 5, 6, 9], -1.0, &bias)), None);
        // Before the word it is the same text in any case.
        assert_eq!(rejoined(&read, &row(&[1, 2, 3, 4, 7, 8], -1.0, &bias)), None);
        let underway = Row { left: Some(1), ..row(&[1, 7, 2, 4, 5, 6], -1.0, &bias) };
        assert_eq!(rejoined(&read, &underway), None);
    }

    #[test]
    fn the_row_with_the_word_stays_only_if_its_loss_is_within_the_bonus() {
        let bias = bias();
        for (each, stays) in [(-1.2, true), (-1.5, false)] {
            let read = row(&[1, 2, 3, 4, 5, 6], -1.0, &bias);
            let raised = row(&[1, 7, 8, 4, 5, 6], each, &bias);
            let mut rows = vec![(0, read), (1, raised)];
            assert_eq!(settle(&mut rows), stays);
            let parents: Vec<usize> = rows.iter().map(|(parent, _)| *parent).collect();
            assert_eq!(parents, [usize::from(stays)]);
        }
        let apart = || row(&[1, 7, 8, 9, 9, 9], -1.0, &bias);
        let mut rows = vec![(0, row(&[1, 2, 3, 4, 5, 6], -1.0, &bias)), (1, apart()), (2, apart())];
        assert!(!settle(&mut rows));
        assert_eq!(rows.len(), 3);
    }

    #[test]
    fn a_row_leaves_for_a_word_that_is_near_and_must_complete_it() {
        let bias = bias();
        let ways = |row: &Row, logits: &[f32]| {
            let mut ways = Vec::new();
            extend(&bias, (0, row), logits, argmax(logits), &mut ways);
            ways.into_iter().map(|way| (way.token, way.left)).collect::<Vec<_>>()
        };
        let logits = |named: &[(usize, f32)]| {
            let mut logits = vec![-30.0; 10];
            named.iter().for_each(|(token, logit)| logits[*token] = *logit);
            logits
        };
        let read = row(&[1], -0.1, &bias);
        assert_eq!(ways(&read, &logits(&[(2, 0.0), (7, -1.0)])), [(2, None), (7, Some(1))]);
        assert_eq!(ways(&read, &logits(&[(2, 0.0), (7, -9.0)])), [(2, None)]);
        // By itself too a text may come to a word: it has then left nothing.
        assert_eq!(ways(&read, &logits(&[(7, 0.0)])), [(7, None)]);
        let underway = Row { left: Some(1), lost: 1.0, ..row(&[1, 7], -0.1, &bias) };
        assert_eq!(ways(&underway, &logits(&[(2, 0.0), (8, -0.5)])), [(8, None)]);
        assert_eq!(ways(&underway, &logits(&[(2, 0.0), (8, -1.5)])), []);
    }
}
