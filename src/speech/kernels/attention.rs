//! Attention over keys and values that are packed once: an encoder layer's over all its positions, or a decoder layer's over an
//! utterance. A task takes some rows of one head, so that no more of the score matrix exists than stays in a core's cache.
#![allow(unsafe_code, reason = "tasks write disjoint parts of rows")]

use super::Kernels;
use super::block::{Block, with_scratch};
use super::halves::{panel_size, put_output, put_row};
use super::level::{Level, for_each_level};
use super::numbers::{exponentials, to_half};
use super::team::Rectangle;
use super::tiles::{self, PANEL, TILE};

/// Rows that a task takes.
const ROWS_PER_TASK: usize = 4 * TILE;

/// Keys and values of every head, as bf16 panels.
pub struct KeysAndValues {
    heads: usize,
    /// Of a head.
    width: usize,
    positions: usize,
    /// A head after the other, `[positions / 64][width / 2][64][2]`.
    keys: Block,
    /// A head after the other, `[width / 64][positions / 2][64][2]`, positions rounded up to whole panels of keys.
    values: Block,
}

impl KeysAndValues {
    /// Packs keys and values, rows (positions) of `heads * width` numbers that begin `stride` apart.
    #[must_use]
    pub fn pack(
        kernels: &Kernels,
        (keys, values): (&[f32], &[f32]),
        stride: usize,
        (positions, heads, width): (usize, usize, usize),
    ) -> Self {
        let padded = positions.next_multiple_of(PANEL);
        let key_size = padded / PANEL * panel_size(width);
        let value_size = width.div_ceil(PANEL) * panel_size(padded);
        let (mut packed_keys, mut packed_values) = (Block::new(2 * heads * key_size), Block::new(2 * heads * value_size));
        let range = |head: usize, row: usize| row * stride + head * width..row * stride + (head + 1) * width;
        let level = kernels.level;
        kernels.team.for_chunks(head_parts(&mut packed_keys, heads, key_size), key_size, |head, packed| {
            for (panel, packed) in packed.chunks_exact_mut(panel_size(width).max(1)).enumerate() {
                for output in 0..PANEL.min(positions.saturating_sub(panel * PANEL)) {
                    put_output(level, keys.get(range(head, panel * PANEL + output)).unwrap_or_default(), output, packed);
                }
            }
        });
        kernels.team.for_chunks(head_parts(&mut packed_values, heads, value_size), value_size, |head, packed| {
            for first in (0..positions).step_by(2) {
                let row =
                    |position: usize| values.get(range(head, position)).filter(|_| position < positions).unwrap_or_default();
                for (panel, part) in packed.chunks_exact_mut(panel_size(padded).max(1)).zip(0..) {
                    let part = |row: &'_ [f32]| part * PANEL..((part + 1) * PANEL).min(row.len());
                    let (one, other) = (row(first), row(first + 1));
                    let (one, other) = (one.get(part(one)).unwrap_or_default(), other.get(part(other)).unwrap_or_default());
                    put_inputs(level, one, other, panel.get_mut(first * PANEL..).unwrap_or_default());
                }
            }
        });
        Self { heads, width, positions, keys: packed_keys, values: packed_values }
    }

    /// Positions that can be attended to.
    #[must_use]
    pub fn positions(&self) -> usize {
        self.positions
    }

    /// `softmax(q k) v` for rows of scaled queries that begin `stride` apart: (rows, heads x width).
    #[must_use]
    pub fn attend(&self, kernels: &Kernels, queries: &[f32], stride: usize, rows: usize) -> Vec<f32> {
        let all = self.heads * self.width;
        let mut out = vec![0.0; rows * all];
        let blocks = rows.div_ceil(ROWS_PER_TASK);
        let rectangle = Rectangle::new(&mut out, all);
        kernels.team.run(self.heads * blocks, |task| {
            let (head, block) = (task / blocks.max(1), task % blocks.max(1));
            let begin = block * ROWS_PER_TASK;
            let count = ROWS_PER_TASK.min(rows - begin);
            let columns = head * self.width..(head + 1) * self.width;
            let query = |row: usize| {
                let start = (begin + row) * stride + columns.start;
                queries.get(start..start + self.width).unwrap_or_default()
            };
            self.attend_block(kernels.level, head, count, query, |row, values| {
                // SAFETY: no other task has these columns of these rows, and no other part of this row is held meanwhile.
                let out = unsafe { rectangle.row_part(begin + row, columns.clone()) };
                out.copy_from_slice(values.get(..self.width).unwrap_or_default());
            });
        });
        out
    }

    /// Scores before the softmax of one head: (rows, positions).
    #[must_use]
    pub fn scores(&self, kernels: &Kernels, queries: &[f32], stride: usize, rows: usize, head: usize) -> Vec<f32> {
        let mut out = vec![0.0; rows * self.positions];
        let padded = self.positions.next_multiple_of(PANEL);
        kernels.team.for_chunks(&mut out, TILE * self.positions, |tile, out| {
            let count = out.len() / self.positions.max(1);
            let mut packed = Block::default();
            let mut scores = vec![0.0; TILE * padded];
            let query = |row: usize| {
                let start = (tile * TILE + row) * stride + head * self.width;
                queries.get(start..start + self.width).unwrap_or_default()
            };
            self.score(kernels.level, head, count, query, &mut packed, &mut scores);
            for (out, scores) in out.chunks_exact_mut(self.positions.max(1)).zip(scores.chunks_exact(padded.max(1))) {
                out.copy_from_slice(scores.get(..self.positions).unwrap_or_default());
            }
        });
        out
    }

    /// Scores of some rows into the first `count * padded positions` of `scores`.
    fn score<'q>(
        &self,
        level: Level,
        head: usize,
        count: usize,
        query: impl Fn(usize) -> &'q [f32],
        packed: &mut Block,
        scores: &mut [f32],
    ) {
        let stride = self.width.next_multiple_of(2);
        let padded = self.positions.next_multiple_of(PANEL);
        packed.reserve(tiles::half_size(level) * count * stride);
        for row in 0..count {
            put_row(level, query(row), packed, row * stride..(row + 1) * stride);
        }
        let panels = self.keys.values::<u16>().chunks_exact(panel_size(self.width).max(1));
        let per_head = padded / PANEL;
        let mut sums = [[0.0_f32; PANEL]; TILE];
        for (panel, weights) in panels.skip(head * per_head).take(per_head).enumerate() {
            for first in (0..count).step_by(TILE) {
                let tile = TILE.min(count - first);
                tiles::halves(level, (packed, first, tile), stride, weights, &mut sums);
                for (row, sums) in sums.iter().take(tile).enumerate() {
                    let begin = (first + row) * padded + panel * PANEL;
                    if let Some(scores) = scores.get_mut(begin..begin + PANEL) {
                        scores.copy_from_slice(sums);
                    }
                }
            }
        }
    }

    fn attend_block<'q>(
        &self,
        level: Level,
        head: usize,
        count: usize,
        query: impl Fn(usize) -> &'q [f32],
        store: impl Fn(usize, &[f32]),
    ) {
        let padded = self.positions.next_multiple_of(PANEL);
        with_scratch(|scratch| {
            scratch.floats.reserve(size_of::<f32>() * count * padded);
            let scores = scratch.floats.values_mut::<f32>().get_mut(..count * padded).unwrap_or_default();
            self.score(level, head, count, query, &mut scratch.packed, scores);
            scratch.packed.reserve(tiles::half_size(level) * count * padded);
            let mut factors = [0.0; ROWS_PER_TASK];
            let rows = scores.chunks_exact_mut(padded.max(1)).zip(&mut factors);
            for (row, (scores, factor)) in rows.enumerate() {
                let (scores, _) = scores.split_at_mut(self.positions);
                let (sum, _) = exponentials(level, scores);
                *factor = 1.0 / sum;
                put_row(level, scores, &mut scratch.packed, row * padded..(row + 1) * padded);
            }
            let values = self.values.values::<u16>().chunks_exact(panel_size(padded).max(1));
            let per_head = self.width.div_ceil(PANEL);
            let mut sums = [[0.0_f32; PANEL]; TILE];
            // Heads wider than a panel gather here; the usual 64 fill one.
            let mut row_values = vec![0.0; count * per_head * PANEL];
            for (panel, values) in values.skip(head * per_head).take(per_head).enumerate() {
                for first in (0..count).step_by(TILE) {
                    let tile = TILE.min(count - first);
                    tiles::halves(level, (&scratch.packed, first, tile), padded, values, &mut sums);
                    for (row, (sums, factor)) in sums.iter().zip(factors.iter().skip(first)).take(tile).enumerate() {
                        let begin = ((first + row) * per_head + panel) * PANEL;
                        let out = row_values.get_mut(begin..begin + PANEL).unwrap_or_default();
                        out.iter_mut().zip(sums).for_each(|(out, sum)| *out = sum * factor);
                    }
                }
            }
            for (row, values) in row_values.chunks_exact((per_head * PANEL).max(1)).enumerate() {
                store(row, values);
            }
        });
    }
}

for_each_level! {
    /// Puts the weights of two inputs, one after the other, of a panel's outputs, as bf16, into their places.
    fn put_inputs(first: &[f32], second: &[f32], panel: &mut [u16]) = put_inputs_body;
}

#[inline(always)]
fn put_inputs_body(first: &[f32], second: &[f32], panel: &mut [u16]) {
    let (slots, _) = panel.as_chunks_mut::<2>();
    match (first.first_chunk::<PANEL>(), second.first_chunk::<PANEL>(), slots.first_chunk_mut::<PANEL>()) {
        (Some(first), Some(second), Some(slots)) => {
            for ((slot, first), second) in slots.iter_mut().zip(first).zip(second) {
                *slot = [to_half(*first), to_half(*second)];
            }
        }
        _ => {
            let second = second.iter().copied().chain(std::iter::repeat(0.0));
            let both = first.iter().zip(second);
            slots.iter_mut().zip(both).for_each(|(slot, (first, second))| *slot = [to_half(*first), to_half(second)]);
        }
    }
}

/// The values of a block as one slice, exactly as long as all heads' parts.
fn head_parts(block: &mut Block, heads: usize, size: usize) -> &mut [u16] {
    block.values_mut::<u16>().get_mut(..heads * size).unwrap_or_default()
}
