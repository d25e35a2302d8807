//! When each word was said, from where the decoder's cross attention looked: OpenAI's method (`whisper/timing.py`). The scores of the
//! alignment heads become probabilities over time, are normalised, smoothed and averaged, and the cheapest monotonic path through
//! tokens and time (dynamic time warping) gives each token its place.

use super::Whisper;
use super::config::{FRAMES_PER_POSITION, HOP};
use super::decoder::{Audio, Watch};
use crate::speech::SpeechError;
use crate::speech::model::{HeardWord, Hypothesis, words};

/// Samples that an encoder position covers: 20 ms.
const POSITION: usize = FRAMES_PER_POSITION * HOP;
/// Positions whose median replaces the middle one.
const MEDIAN_WIDTH: usize = 7;

impl Whisper {
    /// The words of a hypothesis about so many samples, with their times.
    pub(super) fn timed_words(
        &self,
        audio: &Audio,
        hypothesis: &Hypothesis,
        samples: usize,
    ) -> Result<Vec<HeardWord>, SpeechError> {
        let (mut tokens, _) = self.prefix(hypothesis.language, None)?;
        // The row of a token says where the next one is heard: the last forced token stands for the first of the text.
        let first = tokens.len().saturating_sub(1);
        let room = self.config.max_target_positions.saturating_sub(tokens.len());
        tokens.extend(hypothesis.tokens.iter().take(room));
        let rows = tokens.len().saturating_sub(first);
        let mut watch = Watch { heads: &self.alignment_heads, scores: Vec::new() };
        self.decoder.forward(&tokens, 1, audio, &mut self.decoder.cache(), Some(&mut watch))?;
        let mut attention = Attention::new(rows, samples.div_ceil(POSITION).clamp(1, audio.positions()?));
        for scores in &watch.scores {
            attention.add_head(scores.narrow(1, 0, attention.columns)?.to_vec2()?, first);
        }
        let starts = attention.starts();
        let sample = |row: usize| starts.get(row).map_or(samples, |position| (position * POSITION).min(samples));
        let pieces = hypothesis.tokens.iter().map(|token| self.vocabulary.piece(*token).unwrap_or_default());
        Ok(words::heard(words::words(pieces), &hypothesis.probabilities, |tokens| sample(tokens.start)..sample(tokens.end)))
    }
}

/// How much each token attends to each position, summed over heads.
struct Attention {
    rows: usize,
    columns: usize,
    /// Row-major (rows, columns).
    sum: Vec<f32>,
}

impl Attention {
    fn new(rows: usize, columns: usize) -> Self {
        Self { rows, columns, sum: vec![0.0; rows * columns] }
    }

    /// Adds a head's scores, a vector a token; the first `skipped` tokens are normalised with, but not aligned.
    fn add_head(&mut self, mut scores: Vec<Vec<f32>>, skipped: usize) {
        scores.iter_mut().for_each(|row| softmax(row));
        standardise_columns(&mut scores, self.columns);
        for (sum, row) in self.sum.chunks_mut(self.columns.max(1)).zip(scores.iter().skip(skipped)) {
            for (sum, value) in sum.iter_mut().zip(median_filtered(row)) {
                *sum += value;
            }
        }
    }

    /// The position at which each row's token begins.
    fn starts(&self) -> Vec<usize> {
        let path = cheapest_path(&self.sum, self.rows, self.columns);
        let mut starts: Vec<usize> = Vec::with_capacity(self.rows);
        for (row, column) in path {
            if row == starts.len() {
                starts.push(column);
            }
        }
        starts
    }
}

fn softmax(row: &mut [f32]) {
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|value| *value = (*value - max).exp());
    let sum: f32 = row.iter().sum();
    row.iter_mut().for_each(|value| *value /= sum);
}

/// Each column to mean 0 and standard deviation 1 over the tokens.
fn standardise_columns(rows: &mut [Vec<f32>], columns: usize) {
    let count = rows.len().max(1) as f32;
    for column in 0..columns {
        let values = || rows.iter().filter_map(|row| row.get(column)).copied();
        let mean = values().sum::<f32>() / count;
        let variance = values().map(|value| (value - mean).powi(2)).sum::<f32>() / count;
        let scale = if variance > 0.0 { variance.sqrt().recip() } else { 0.0 };
        for value in rows.iter_mut().filter_map(|row| row.get_mut(column)) {
            *value = (*value - mean) * scale;
        }
    }
}

/// Each value replaced by the median of those around it; the ends are mirrored.
fn median_filtered(row: &[f32]) -> Vec<f32> {
    let half = MEDIAN_WIDTH / 2;
    if row.len() <= half {
        return row.to_vec();
    }
    let front = row.iter().skip(1).take(half).rev();
    let back = row.iter().rev().skip(1).take(half);
    let padded: Vec<f32> = front.chain(row).chain(back).copied().collect();
    let median = |window: &[f32]| {
        let mut sorted = window.to_vec();
        sorted.sort_by(f32::total_cmp);
        sorted.get(half).copied().unwrap_or_default()
    };
    padded.windows(MEDIAN_WIDTH).map(median).collect()
}

/// Where a step of the path came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Both,
    Row,
    Column,
}

/// The path from the first row and column to the last that never goes back and gathers the most, as pairs of row and column.
fn cheapest_path(gain: &[f32], rows: usize, columns: usize) -> Vec<(usize, usize)> {
    let mut trace: Vec<From> = Vec::with_capacity(rows * columns);
    // Costs of the row above, with one more in front: the border, which only the first row may enter by.
    let mut above = vec![f32::INFINITY; columns + 1];
    if let Some(origin) = above.first_mut() {
        *origin = 0.0;
    }
    for row in gain.chunks(columns.max(1)).take(rows) {
        let mut left = f32::INFINITY;
        let mut current = Vec::with_capacity(columns + 1);
        current.push(left);
        for (value, pair) in row.iter().zip(above.windows(2)) {
            let [diagonal, up] = *pair else { continue };
            let (cost, from) = if diagonal < up && diagonal < left {
                (diagonal, From::Both)
            } else if up < diagonal && up < left {
                (up, From::Row)
            } else {
                (left, From::Column)
            };
            left = cost - value;
            current.push(left);
            trace.push(from);
        }
        above = current;
    }
    walk_back(&trace, rows, columns)
}

fn walk_back(trace: &[From], rows: usize, columns: usize) -> Vec<(usize, usize)> {
    let mut path = Vec::new();
    let (mut row, mut column) = (rows, columns);
    while row > 0 && column > 0 {
        path.push((row - 1, column - 1));
        let from = trace.get((row - 1) * columns + column - 1).copied().unwrap_or(From::Both);
        // On the border there is one way left to go.
        let (up, back) = if row == 1 { (false, true) } else { (from != From::Column, from != From::Row) };
        let (up, back) = if column == 1 && row > 1 { (true, false) } else { (up, back) };
        row -= usize::from(up);
        column -= usize::from(back);
        if row == 1 && column == 0 {
            break;
        }
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_follows_the_ridge() {
        // Three tokens over six positions: two positions each.
        let mut gain = vec![0.0_f32; 18];
        for (place, value) in gain.iter_mut().enumerate() {
            let (row, column) = (place / 6, place % 6);
            *value = if column / 2 == row { 1.0 } else { -1.0 };
        }
        let path = cheapest_path(&gain, 3, 6);
        assert_eq!(path, [(0, 0), (0, 1), (1, 2), (1, 3), (2, 4), (2, 5)]);
        let attention = Attention { rows: 3, columns: 6, sum: gain };
        assert_eq!(attention.starts(), [0, 2, 4]);
    }

    #[test]
    fn more_tokens_than_positions_still_get_a_place_each() {
        let attention = Attention { rows: 4, columns: 2, sum: vec![0.0; 8] };
        let starts = attention.starts();
        assert_eq!(starts.len(), 4);
        assert!(starts.windows(2).all(|pair| pair[0] <= pair[1]), "{starts:?}");
    }

    #[test]
    fn the_median_removes_a_spike_and_keeps_the_length() {
        let mut row = vec![0.0_f32; 20];
        row[10] = 5.0;
        assert_eq!(median_filtered(&row), vec![0.0; 20]);
        assert_eq!(median_filtered(&[1.0, 2.0]), [1.0, 2.0]);
    }

    #[test]
    fn columns_are_standardised_over_tokens() {
        let mut rows = vec![vec![1.0, 5.0], vec![3.0, 5.0]];
        standardise_columns(&mut rows, 2);
        assert_eq!(rows, [[-1.0, 0.0], [1.0, 0.0]]);
    }
}
