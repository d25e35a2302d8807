//! Attention of new tokens to those before them, whose keys and values are kept as they were made.

use super::Kernels;
use super::level::for_each_level;
use super::numbers::{LANES, exponentials_of_row};

/// Keys and values of one sequence's tokens, a row of all their heads a token.
#[derive(Clone, Default)]
pub struct Past {
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// What a step computed of its new tokens: rows of queries (scaled), keys and values beside each other, a sequence's tokens together.
#[derive(Clone, Copy)]
pub struct Queries<'a> {
    /// (sequences x new tokens, (heads + 2 x key heads) x width)
    pub rows: &'a [f32],
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys, and of values: as many as of queries, or fewer, each shared by as many neighbours.
    pub key_heads: usize,
    /// Of a head.
    pub width: usize,
    /// Tokens a sequence.
    pub new: usize,
}

/// Adds the new tokens to each sequence's past and attends to it, a token to itself and those before: (sequences x new tokens, heads x
/// width).
#[must_use]
pub fn look_back(kernels: &Kernels, queries: Queries<'_>, past: &mut [Past]) -> Vec<f32> {
    let (all, kept) = (queries.heads * queries.width, queries.key_heads * queries.width);
    let columns = all + 2 * kept;
    for (rows, past) in queries.rows.chunks_exact((columns * queries.new).max(1)).zip(past.iter_mut()) {
        for row in rows.chunks_exact(columns.max(1)) {
            past.keys.extend_from_slice(row.get(all..all + kept).unwrap_or_default());
            past.values.extend_from_slice(row.get(all + kept..).unwrap_or_default());
        }
    }
    let sharers = (queries.heads / queries.key_heads.max(1)).max(1);
    let mut out = vec![0.0; past.len() * queries.new * all];
    let past: &[Past] = past;
    kernels.team.for_chunks(&mut out, queries.width, |task, out| {
        let (row, head) = (task / queries.heads.max(1), task % queries.heads.max(1));
        let (sequence, token) = (row / queries.new.max(1), row % queries.new.max(1));
        let Some(past) = past.get(sequence) else { return };
        let seen = past.keys.len() / kept.max(1) - (queries.new - 1 - token);
        let begin = row * columns + head * queries.width;
        let query = queries.rows.get(begin..begin + queries.width).unwrap_or_default();
        attend(kernels.level, query, past, (kept, head / sharers * queries.width, seen), out);
    });
    out
}

for_each_level! {
    fn attend(query: &[f32], past: &Past, place: (usize, usize, usize), out: &mut [f32]) = attend_body;
}

#[inline(always)]
fn attend_body(query: &[f32], past: &Past, (kept, offset, seen): (usize, usize, usize), out: &mut [f32]) {
    let width = query.len();
    let head = |row: &'_ [f32]| -> std::ops::Range<usize> { offset..(offset + width).min(row.len()) };
    let mut scores: Vec<f32> = Vec::with_capacity(seen);
    for key in past.keys.chunks_exact(kept.max(1)).take(seen) {
        let key = key.get(head(key)).unwrap_or_default();
        scores.push(dot(query, key));
    }
    let (sum, _) = exponentials_of_row(&mut scores);
    out.fill(0.0);
    for (score, value) in scores.iter().zip(past.values.chunks_exact(kept.max(1))) {
        let value = value.get(head(value)).unwrap_or_default();
        out.iter_mut().zip(value).for_each(|(out, value)| *out += score * value);
    }
    let factor = 1.0 / sum;
    out.iter_mut().for_each(|out| *out *= factor);
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<{ LANES }>(), b.as_chunks::<{ LANES }>());
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}
