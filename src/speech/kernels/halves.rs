//! Products with bf16 weights and inputs, summed in f32.

use rayon::prelude::*;

use super::Kernels;
use super::block::{Block, Scratch, padded_with_zeros, with_scratch};
use super::finish::Finish;
use super::level::{Level, for_each_level};
use super::numbers::{from_half, to_half};
use super::panels::Panels;
use super::rows::Rows;
use super::tiles::{self, PANEL, TILE};

/// Rows whose packed inputs stay in a core's second-level cache while the weights pass by.
const ROWS_PER_TASK: usize = 8 * TILE;

/// Weights (outputs, inputs) as bf16 numbers, packed in panels of 64 outputs: `[panel][inputs / 2][64][2]`.
pub struct HalfMatrix {
    outputs: usize,
    inputs: usize,
    panels: Panels,
    bias: Vec<f32>,
}

impl HalfMatrix {
    /// Packs `weights`, row-major (outputs, inputs), and a bias for each output; none is zeros.
    #[must_use]
    pub fn pack(weights: &[f32], inputs: usize, bias: Option<&[f32]>) -> Self {
        let outputs = weights.len() / inputs.max(1);
        let padded = outputs.next_multiple_of(PANEL);
        let panel_size = panel_size(inputs);
        let mut panels = Block::new(size_of::<u16>() * padded / PANEL * panel_size);
        let packed = panels.values_mut::<u16>().par_chunks_exact_mut(panel_size.max(1));
        packed.zip(weights.par_chunks((inputs * PANEL).max(1))).for_each(|(panel, rows)| {
            for (output, row) in rows.chunks_exact(inputs.max(1)).enumerate() {
                put_output_body(row, output, panel);
            }
        });
        Self { outputs, inputs, panels: panels.into(), bias: padded_with_zeros(bias, padded) }
    }

    /// Puts together what [`HalfMatrix::parts`] gave of a matrix of this size; nothing when it was another one's.
    #[must_use]
    pub fn unite(outputs: usize, inputs: usize, panels: Panels, bias: Vec<f32>) -> Option<Self> {
        let padded = outputs.next_multiple_of(PANEL);
        let fits = panels.bytes().len() == size_of::<u16>() * padded / PANEL * panel_size(inputs) && bias.len() == padded;
        fits.then_some(Self { outputs, inputs, panels, bias })
    }

    /// What it consists of, to be kept in a file: the packed weights and the biases, rounded up to whole panels.
    #[must_use]
    pub fn parts(&self) -> (&Panels, &[f32]) {
        (&self.panels, &self.bias)
    }

    /// Outputs a row.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Inputs a row.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// One output's weights as f32.
    #[must_use]
    pub fn weights_of(&self, output: usize) -> Vec<f32> {
        let panel = output / PANEL * panel_size(self.inputs);
        let packed = self.panels.values::<u16>();
        let at = |place: usize| panel + (place / 2 * PANEL + output % PANEL) * 2 + place % 2;
        (0..self.inputs).map(|place| from_half(packed.get(at(place)).copied().unwrap_or_default())).collect()
    }

    /// Rows times the weights, with what follows: (rows, outputs).
    #[must_use]
    pub fn multiply(&self, kernels: &Kernels, rows: Rows<'_>, finish: Finish<'_>) -> Vec<f32> {
        let mut out = vec![0.0; rows.count() * self.outputs];
        let panels = self.outputs.div_ceil(PANEL);
        if rows.count() == 1 {
            // Bound by reading the weights: the outputs are shared out.
            let group = kernels.team.share_of(panels).max(1);
            with_scratch(|scratch| {
                self.convert(kernels.level, rows, 0..1, scratch);
                kernels.team.for_chunks(&mut out, group * PANEL, |number, out| {
                    let panels = number * group..((number + 1) * group).min(panels);
                    self.block(kernels.level, &scratch.packed, (0, 1), panels, finish, out);
                });
            });
            return out;
        }
        let block = kernels.team.share_of(rows.count()).next_multiple_of(TILE).min(ROWS_PER_TASK);
        kernels.team.for_chunks(&mut out, block * self.outputs, |number, out| {
            let count = out.len() / self.outputs.max(1);
            with_scratch(|scratch| {
                self.convert(kernels.level, rows, number * block..number * block + count, scratch);
                self.block(kernels.level, &scratch.packed, (number * block, count), 0..panels, finish, out);
            });
        });
        out
    }

    fn convert(&self, level: Level, rows: Rows<'_>, range: std::ops::Range<usize>, scratch: &mut Scratch) {
        let stride = self.inputs.next_multiple_of(2);
        scratch.packed.reserve(tiles::half_size(level) * range.len() * stride);
        for (place, index) in range.enumerate() {
            put_row(level, &rows.row(index, self.inputs), &mut scratch.packed, place * stride..(place + 1) * stride);
        }
    }

    /// One task's part of a product: `count` packed rows, the first of which is `first_row` of the output, with some panels. Where those
    /// are not all, it is of one row.
    fn block(
        &self,
        level: Level,
        rows: &Block,
        (first_row, count): (usize, usize),
        panels: std::ops::Range<usize>,
        finish: Finish<'_>,
        out: &mut [f32],
    ) {
        let first_column = panels.start * PANEL;
        let stride = self.inputs.next_multiple_of(2);
        let mut sums = [[0.0_f32; PANEL]; TILE];
        let weights = self.panels.values::<u16>().chunks_exact(panel_size(self.inputs).max(1));
        let all = weights.enumerate().zip(self.bias.as_chunks::<PANEL>().0);
        for ((panel, weights), bias) in all.skip(panels.start).take(panels.len()) {
            let column = panel * PANEL;
            for first in (0..count).step_by(TILE) {
                let tile = TILE.min(count - first);
                tiles::halves(level, (rows, first, tile), stride, weights, &mut sums);
                let out = out.get_mut(first * self.outputs + column - first_column..).unwrap_or_default();
                finish_tile(level, &mut sums, bias, finish, (first_row + first, column, self.outputs), (out, tile));
            }
        }
    }
}

/// Values of a panel.
pub(super) fn panel_size(inputs: usize) -> usize {
    inputs.next_multiple_of(2) * PANEL
}

for_each_level! {
    /// Puts the weights of one output of a panel, as bf16, into their places.
    pub(super) fn put_output(weights: &[f32], output: usize, panel: &mut [u16]) = put_output_body;
}

#[inline(always)]
fn put_output_body(weights: &[f32], output: usize, panel: &mut [u16]) {
    /// Converted at once: a vector of AVX-512.
    const AT_ONCE: usize = 16;
    for (weights, panel) in weights.chunks(AT_ONCE).zip(panel.chunks_mut(AT_ONCE * PANEL)) {
        let mut halves = [0_u16; AT_ONCE];
        match weights.first_chunk::<AT_ONCE>() {
            Some(weights) => halves.iter_mut().zip(weights).for_each(|(half, weight)| *half = to_half(*weight)),
            None => halves.iter_mut().zip(weights).for_each(|(half, weight)| *half = to_half(*weight)),
        }
        let pairs = panel.as_chunks_mut::<2>().0.iter_mut().skip(output).step_by(PANEL);
        pairs.zip(halves.as_chunks::<2>().0).for_each(|(slot, pair)| *slot = *pair);
    }
}

/// Puts a row into `part` of a block as the level's tiles take it; what is left of the part is zero.
pub(super) fn put_row(level: Level, row: &[f32], block: &mut Block, part: std::ops::Range<usize>) {
    if tiles::is_narrow(level) {
        to_halves(level, row, block.values_mut().get_mut(part).unwrap_or_default());
    } else {
        let part = block.values_mut::<f32>().get_mut(part).unwrap_or_default();
        let (whole, rest) = part.split_at_mut(row.len().min(part.len()));
        whole.copy_from_slice(row.get(..whole.len()).unwrap_or_default());
        rest.fill(0.0);
    }
}

for_each_level! {
    /// Each value's nearest bf16; what is left of `halves` is zero.
    fn to_halves(row: &[f32], halves: &mut [u16]) = to_halves_body;
}

#[inline(always)]
fn to_halves_body(row: &[f32], halves: &mut [u16]) {
    for (half, value) in halves.iter_mut().zip(row) {
        *half = to_half(*value);
    }
    for half in halves.iter_mut().skip(row.len()) {
        *half = 0;
    }
}

for_each_level! {
    fn finish_tile(
        sums: &mut [[f32; PANEL]; TILE],
        bias: &[f32; PANEL],
        finish: Finish<'_>,
        place: (usize, usize, usize),
        out: (&mut [f32], usize),
    ) = finish_tile_body;
}

#[inline(always)]
fn finish_tile_body(
    sums: &mut [[f32; PANEL]; TILE],
    bias: &[f32; PANEL],
    finish: Finish<'_>,
    (row, column, columns): (usize, usize, usize),
    (out, rows): (&mut [f32], usize),
) {
    for (index, (sums, out)) in sums.iter_mut().zip(out.chunks_mut(columns.max(1))).take(rows).enumerate() {
        sums.iter_mut().zip(bias).for_each(|(sum, bias)| *sum += bias);
        let fits = PANEL.min(columns - column).min(out.len());
        let (out, _) = out.split_at_mut(fits);
        finish.store(sums, out, (row + index, column, columns));
    }
}
