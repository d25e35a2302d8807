//! What a decoder does to queries and keys before they meet: each head normalised, then turned by its token's position.

use super::Kernels;
use super::level::for_each_level;
use super::norm::rms_rows_body;

/// How rows of queries, keys and values are made up, and what each head is multiplied by once it is normalised.
#[derive(Clone, Copy)]
pub struct Heads<'a> {
    /// Heads of queries, then of keys; there are as many of values, which stay as they are.
    pub heads: (usize, usize),
    /// For queries and for keys, as wide as a head.
    pub scales: (&'a [f32], &'a [f32]),
    /// Added to the mean square.
    pub epsilon: f32,
}

/// The cosines and sines of a token's angles, half as many as a head is wide.
pub type Angles<'a> = (&'a [f32], &'a [f32]);

/// Normalises and turns the heads of `rows` (tokens, heads x width) in place; `angles` has a token's after another's.
pub fn turn(kernels: &Kernels, rows: &mut [f32], heads: Heads<'_>, angles: Angles<'_>) {
    let width = heads.scales.0.len();
    let columns = (heads.heads.0 + 2 * heads.heads.1) * width;
    kernels.team.for_chunks(rows, columns, |token, row| {
        let half = token * (width / 2)..(token + 1) * (width / 2);
        let angles = (angles.0.get(half.clone()).unwrap_or_default(), angles.1.get(half).unwrap_or_default());
        turn_row(kernels.level, row, heads, angles);
    });
}

for_each_level! {
    fn turn_row(row: &mut [f32], heads: Heads<'_>, angles: Angles<'_>) = turn_row_body;
}

#[inline(always)]
fn turn_row_body(row: &mut [f32], Heads { heads, scales, epsilon }: Heads<'_>, (cosines, sines): Angles<'_>) {
    let width = scales.0.len().max(1);
    for (index, head) in row.chunks_exact_mut(width).take(heads.0 + heads.1).enumerate() {
        rms_rows_body(head, if index < heads.0 { scales.0 } else { scales.1 }, epsilon);
        let (first, second) = head.split_at_mut(width / 2);
        for ((a, b), (cosine, sine)) in first.iter_mut().zip(second).zip(cosines.iter().zip(sines)) {
            (*a, *b) = (*a * cosine - *b * sine, *b * cosine + *a * sine);
        }
    }
}
