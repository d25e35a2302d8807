//! Attention over keys and values that are packed once: an encoder layer's over all its positions, or a decoder layer's over an
//! utterance. A task takes some rows of one head, so that no more of the score matrix exists than stays in a core's cache.
#![allow(unsafe_code, reason = "tasks write disjoint parts of rows")]

use super::Kernels;
use super::block::{Block, with_scratch};
use super::halves::{panel_size, put_output, put_row};
use super::level::{Level, for_each_level};
use super::numbers::{LANES, exp_of_non_positive, to_half};
use super::team::Rectangle;
use super::tiles::{self, PANEL, TILE};

/// Rows that a task takes.
const ROWS_PER_TASK: usize = 4 * TILE;

/// Scores of up to six rows with a panel of positions.
type Scores = [[f32; PANEL]; TILE];

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
        kernels.team.for_chunks(&mut out, TILE * self.positions, |tile, out| {
            let count = out.len() / self.positions.max(1);
            let mut packed = Block::default();
            let mut scores = vec![[[0.0; PANEL]; TILE]; self.positions.div_ceil(PANEL)];
            let query = |row: usize| {
                let start = (tile * TILE + row) * stride + head * self.width;
                queries.get(start..start + self.width).unwrap_or_default()
            };
            self.score(kernels.level, head, count, query, &mut packed, &mut scores);
            for (row, out) in out.chunks_exact_mut(self.positions.max(1)).enumerate() {
                for (out, panel) in out.chunks_mut(PANEL).zip(&scores) {
                    out.iter_mut().zip(panel.get(row).into_iter().flatten()).for_each(|(out, score)| *out = *score);
                }
            }
        });
        out
    }

    /// Scores of some rows: those of six rows with all panels after each other, `[rows / 6][positions / 64][6][64]`.
    fn score<'q>(
        &self,
        level: Level,
        head: usize,
        count: usize,
        query: impl Fn(usize) -> &'q [f32],
        packed: &mut Block,
        scores: &mut [Scores],
    ) {
        let stride = self.width.next_multiple_of(2);
        packed.reserve(tiles::half_size(level) * count * stride);
        for row in 0..count {
            put_row(level, query(row), packed, row * stride..(row + 1) * stride);
        }
        let panels = self.keys.values::<u16>().chunks_exact(panel_size(self.width).max(1));
        let per_head = self.positions.div_ceil(PANEL);
        for (panel, weights) in panels.skip(head * per_head).take(per_head).enumerate() {
            let places = scores.iter_mut().skip(panel).step_by(per_head);
            for (first, scores) in (0..count).step_by(TILE).zip(places) {
                tiles::halves(level, (packed, first, TILE.min(count - first)), stride, weights, scores);
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
            let panels = padded / PANEL;
            let size = count.div_ceil(TILE) * panels;
            scratch.floats.reserve(size_of::<Scores>() * size);
            let scores = scratch.floats.values_mut::<f32>().get_mut(..size * TILE * PANEL).unwrap_or_default();
            let scores: &mut [Scores] = bytemuck::cast_slice_mut(scores);
            self.score(level, head, count, query, &mut scratch.packed, scores);
            scratch.packed.reserve(tiles::half_size(level) * count * padded);
            let mut factors = [0.0; ROWS_PER_TASK];
            for (row, factor) in factors.iter_mut().enumerate().take(count) {
                let tile = scores.get(row / TILE * panels..(row / TILE + 1) * panels).unwrap_or_default();
                let part = row * padded..(row + 1) * padded;
                *factor = 1.0 / put_exponentials(level, (tile, row % TILE), self.positions, &mut scratch.packed, part);
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

/// Puts the exponentials of a row of scores, less their maximum, into `part` of a block as the level's tiles take them; returns their sum.
fn put_exponentials(
    level: Level,
    row: (&[Scores], usize),
    positions: usize,
    block: &mut Block,
    part: std::ops::Range<usize>,
) -> f32 {
    if tiles::is_narrow(level) {
        exponentials_as_halves(level, row, positions, block.values_mut().get_mut(part).unwrap_or_default())
    } else {
        exponentials_as_floats(level, row, positions, block.values_mut().get_mut(part).unwrap_or_default())
    }
}

for_each_level! {
    fn exponentials_as_halves(row: (&[Scores], usize), positions: usize, out: &mut [u16]) -> f32 = exponentials_body;
}

for_each_level! {
    fn exponentials_as_floats(row: (&[Scores], usize), positions: usize, out: &mut [f32]) -> f32 = exponentials_body;
}

/// A type that an input to a product with bf16 weights is held in.
trait HoldsHalf: Copy {
    fn hold(value: f32) -> Self;
}

impl HoldsHalf for u16 {
    #[inline(always)]
    fn hold(value: f32) -> Self {
        to_half(value)
    }
}

impl HoldsHalf for f32 {
    #[inline(always)]
    fn hold(value: f32) -> Self {
        value
    }
}

#[inline(always)]
fn exponentials_body<T: HoldsHalf>((tile, row): (&[Scores], usize), positions: usize, out: &mut [T]) -> f32 {
    let panel = |panel: usize| -> [f32; PANEL] {
        let mut values = tile.get(panel).and_then(|rows| rows.get(row)).copied().unwrap_or([0.0; PANEL]);
        // Beyond the last position there is nothing to attend to.
        let whole = positions.saturating_sub(panel * PANEL);
        if whole < PANEL {
            values.iter_mut().skip(whole).for_each(|value| *value = f32::NEG_INFINITY);
        }
        values
    };
    let mut maxima = [f32::NEG_INFINITY; LANES];
    for index in 0..tile.len() {
        for chunk in panel(index).as_chunks::<LANES>().0 {
            maxima.iter_mut().zip(chunk).for_each(|(max, value)| *max = if *value > *max { *value } else { *max });
        }
    }
    let max = maxima.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sums = [0.0_f32; LANES];
    for (index, out) in out.as_chunks_mut::<PANEL>().0.iter_mut().enumerate().take(tile.len()) {
        let values = panel(index);
        for (chunk, out) in values.as_chunks::<LANES>().0.iter().zip(out.as_chunks_mut::<LANES>().0) {
            for ((sum, value), out) in sums.iter_mut().zip(chunk).zip(out) {
                let exponential = exp_of_non_positive(*value - max);
                *sum += exponential;
                *out = T::hold(exponential);
            }
        }
    }
    sums.iter().sum()
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
