//! Products with 8-bit weights: a scale for each output, and for each row of inputs a scale and an integer zero point, found as the
//! row comes. Sums of products are integers, so they are exact.

use rayon::prelude::*;

use super::Kernels;
use super::block::{Block, Scratch, padded_with_zeros, with_scratch};
use super::finish::Finish;
use super::level::{Level, for_each_level};
use super::numbers::{LANES, ROUND, maximum, sum_of};
use super::panels::Panels;
use super::rows::Rows;
use super::tiles::{self, PANEL, TILE};

/// Inputs are taken four at a time.
const QUAD: usize = 4;
/// Rows whose packed inputs stay in a core's second-level cache while the weights pass by.
const ROWS_PER_TASK: usize = 16 * TILE;
/// Up to so many rows, tasks share out the outputs instead of the rows.
const FEW_ROWS: usize = 8;
/// Where a row of zeros would have no scale.
const LEAST_SCALE: f32 = 1e-30;

/// Weights (outputs, inputs) as 8-bit numbers, packed in panels of 64 outputs: `[panel][inputs / 4][64][4]`.
pub struct ByteMatrix {
    outputs: usize,
    inputs: usize,
    panels: Panels,
    /// For each output: the f32 of a weight of 1, and the sum of the weights.
    scales: Vec<f32>,
    sums: Vec<f32>,
    bias: Vec<f32>,
}

/// What the integers of a row stand for: `value = scale * (byte - zero)`.
#[derive(Clone, Copy, Default)]
struct RowScale {
    scale: f32,
    /// `-scale * zero`, the value of a byte of 0.
    least: f32,
}

impl ByteMatrix {
    /// Packs `weights`, row-major (outputs, inputs), and a bias for each output; none is zeros.
    #[must_use]
    pub fn pack(weights: &[f32], inputs: usize, bias: Option<&[f32]>) -> Self {
        let outputs = weights.len() / inputs.max(1);
        let (quads, padded) = (inputs.div_ceil(QUAD), outputs.next_multiple_of(PANEL));
        let size = quads * QUAD * PANEL;
        let mut panels = Block::new(padded / PANEL * size);
        let (mut scales, mut sums) = (vec![0.0; padded], vec![0.0; padded]);
        let parameters = scales.par_chunks_mut(PANEL).zip(sums.par_chunks_mut(PANEL));
        let packed = panels.values_mut::<i8>().par_chunks_exact_mut(size.max(1)).zip(parameters);
        packed.zip(weights.par_chunks((inputs * PANEL).max(1))).for_each(|((panel, (scales, sums)), rows)| {
            for ((output, row), (scale, sum)) in rows.chunks_exact(inputs.max(1)).enumerate().zip(scales.iter_mut().zip(sums)) {
                (*scale, *sum) = pack_output(row, panel.get_mut(output * QUAD..).unwrap_or_default());
            }
        });
        Self { outputs, inputs, panels: panels.into(), scales, sums, bias: padded_with_zeros(bias, padded) }
    }

    /// Puts together what [`ByteMatrix::parts`] gave of a matrix of this size; nothing when it was another one's.
    #[must_use]
    pub fn unite(outputs: usize, inputs: usize, panels: Panels, [scales, sums, bias]: [Vec<f32>; 3]) -> Option<Self> {
        let padded = outputs.next_multiple_of(PANEL);
        let fits = panels.bytes().len() == padded * inputs.next_multiple_of(QUAD)
            && [&scales, &sums, &bias].into_iter().all(|values| values.len() == padded);
        fits.then_some(Self { outputs, inputs, panels, scales, sums, bias })
    }

    /// What it consists of, to be kept in a file: the packed weights, and of each output, rounded up to whole panels, the f32 of a
    /// weight of 1, the sum of the weights and the bias.
    #[must_use]
    pub fn parts(&self) -> (&Panels, [&[f32]; 3]) {
        (&self.panels, [&self.scales, &self.sums, &self.bias])
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
        let quads = self.inputs.div_ceil(QUAD);
        let panel = output / PANEL * quads * PANEL * QUAD;
        let scale = self.scales.get(output).copied().unwrap_or_default();
        let packed = self.panels.values::<i8>();
        let at = |place: usize| panel + (place / QUAD * PANEL + output % PANEL) * QUAD + place % QUAD;
        (0..self.inputs).map(|place| scale * f32::from(packed.get(at(place)).copied().unwrap_or_default())).collect()
    }

    /// Rows times the weights, with what follows: (rows, outputs).
    #[must_use]
    pub fn multiply(&self, kernels: &Kernels, rows: Rows<'_>, finish: Finish<'_>) -> Vec<f32> {
        let mut out = vec![0.0; rows.count() * self.outputs];
        if out.is_empty() {
            return out;
        }
        if rows.count() <= FEW_ROWS {
            self.share_outputs(kernels, rows, finish, &mut out);
        } else {
            self.share_rows(kernels, rows, finish, &mut out);
        }
        out
    }

    fn share_rows(&self, kernels: &Kernels, rows: Rows<'_>, finish: Finish<'_>, out: &mut [f32]) {
        let block = kernels.team.share_of(rows.count()).next_multiple_of(TILE).min(ROWS_PER_TASK);
        kernels.team.for_chunks(out, block * self.outputs, |number, out| {
            let count = out.len() / self.outputs.max(1);
            with_scratch(|scratch| {
                let mut scales = [RowScale::default(); ROWS_PER_TASK];
                self.quantise(kernels.level, rows, number * block..number * block + count, scratch, &mut scales);
                let rows = (&scratch.packed, scales.get(..count).unwrap_or_default());
                let columns = Columns { panels: 0..self.outputs.div_ceil(PANEL), width: self.outputs };
                self.block(kernels.level, rows, number * block, columns, finish, out);
            });
        });
    }

    fn share_outputs(&self, kernels: &Kernels, rows: Rows<'_>, finish: Finish<'_>, out: &mut [f32]) {
        let count = rows.count();
        let panels = self.outputs.div_ceil(PANEL);
        let group = kernels.team.share_of(panels).max(1);
        let width = group * PANEL;
        with_scratch(|scratch| {
            let mut scales = [RowScale::default(); ROWS_PER_TASK];
            self.quantise(kernels.level, rows, 0..count, scratch, &mut scales);
            let rows = (&scratch.packed, scales.get(..count).unwrap_or_default());
            let task = |number: usize, out: &mut [f32], width: usize| {
                let columns = Columns { panels: number * group..((number + 1) * group).min(panels), width };
                self.block(kernels.level, rows, 0, columns, finish, out);
            };
            if count == 1 {
                kernels.team.for_chunks(out, width, |number, out| task(number, out, out.len()));
                return;
            }
            // A task's outputs side by side, then back into rows.
            scratch.floats.reserve(size_of::<f32>() * panels.div_ceil(group) * width * count);
            let apart = scratch.floats.values_mut::<f32>();
            let Some(apart) = apart.get_mut(..panels.div_ceil(group) * width * count) else { return };
            kernels.team.for_chunks(apart, width * count, |number, out| task(number, out, width));
            for (number, part) in apart.chunks_exact(width * count).enumerate() {
                let begin = number * width;
                let fits = width.min(self.outputs.saturating_sub(begin));
                for (row, values) in out.chunks_exact_mut(self.outputs).zip(part.chunks_exact(width)) {
                    if let (Some(to), Some(from)) = (row.get_mut(begin..begin + fits), values.get(..fits)) {
                        to.copy_from_slice(from);
                    }
                }
            }
        });
    }

    /// Packs rows as the tiles take them, `quads * 4` inputs a row, and their scales.
    fn quantise(
        &self,
        level: Level,
        rows: Rows<'_>,
        range: std::ops::Range<usize>,
        scratch: &mut Scratch,
        scales: &mut [RowScale; ROWS_PER_TASK],
    ) {
        let stride = self.inputs.div_ceil(QUAD) * QUAD;
        scratch.packed.reserve(range.len() * stride * tiles::byte_size(level));
        for ((place, index), scale) in range.enumerate().zip(scales) {
            let (row, part) = (rows.row(index, self.inputs), place * stride..(place + 1) * stride);
            *scale = if tiles::is_narrow(level) {
                quantise_row(level, &row, scratch.packed.values_mut().get_mut(part).unwrap_or_default())
            } else {
                quantise_row_wide(level, &row, scratch.packed.values_mut().get_mut(part).unwrap_or_default())
            };
        }
    }

    /// One task's part of a product: packed rows, the first of which is `first_row` of the output, with some panels.
    fn block(
        &self,
        level: Level,
        (rows, scales): (&Block, &[RowScale]),
        first_row: usize,
        columns: Columns,
        finish: Finish<'_>,
        out: &mut [f32],
    ) {
        let quads = self.inputs.div_ceil(QUAD);
        let stride = quads * QUAD;
        let first_column = columns.panels.start * PANEL;
        let mut sums = [[0_i32; PANEL]; TILE];
        for panel in columns.panels {
            let weights =
                self.panels.values::<i8>().get(panel * stride * PANEL..(panel + 1) * stride * PANEL).unwrap_or_default();
            let column = panel * PANEL;
            let of = |values: &[f32]| values.get(column..).and_then(|values| values.first_chunk::<PANEL>().copied());
            let (Some(weight_scales), Some(weight_sums), Some(bias)) = (of(&self.scales), of(&self.sums), of(&self.bias)) else {
                continue;
            };
            for (tile, scales) in scales.chunks(TILE).enumerate() {
                tiles::bytes(level, (rows, tile * TILE, scales.len()), stride, weights, &mut sums);
                let place = (first_row + tile * TILE, column, self.outputs);
                let parameters = (&weight_scales, &weight_sums, &bias);
                let begin = tile * TILE * columns.width + column - first_column;
                let out = out.get_mut(begin..).unwrap_or_default();
                finish_tile(level, &sums, scales, parameters, finish, place, (out, columns.width));
            }
        }
    }
}

/// Packs an output's weights into its place in each quad of a panel; returns the f32 of a weight of 1, and the sum of the weights.
fn pack_output(row: &[f32], panel: &mut [i8]) -> (f32, f32) {
    let largest = row.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs())).max(LEAST_SCALE);
    let mut sum = 0.0;
    for (quad, weights) in panel.chunks_mut(PANEL * QUAD).zip(row.chunks(QUAD)) {
        for (slot, weight) in quad.iter_mut().zip(weights) {
            let rounded = (weight * (127.0 / largest) + ROUND) - ROUND;
            sum += rounded;
            *slot = rounded as i8;
        }
    }
    (largest / 127.0, sum)
}

/// Panels of a task, and how wide a row of what it writes to is.
struct Columns {
    panels: std::ops::Range<usize>,
    width: usize,
}

/// Scales, sums and biases of a panel's weights.
type Parameters<'a> = (&'a [f32; PANEL], &'a [f32; PANEL], &'a [f32; PANEL]);

for_each_level! {
    fn finish_tile(
        sums: &[[i32; PANEL]; TILE],
        scales: &[RowScale],
        parameters: Parameters<'_>,
        finish: Finish<'_>,
        place: (usize, usize, usize),
        out: (&mut [f32], usize),
    ) = finish_tile_body;
}

#[inline(always)]
fn finish_tile_body(
    sums: &[[i32; PANEL]; TILE],
    scales: &[RowScale],
    (weight_scales, weight_sums, bias): Parameters<'_>,
    finish: Finish<'_>,
    (row, column, columns): (usize, usize, usize),
    (out, width): (&mut [f32], usize),
) {
    for (index, ((sums, row_scale), out)) in sums.iter().zip(scales).zip(out.chunks_mut(width.max(1))).enumerate() {
        let mut values = [0.0_f32; PANEL];
        let weights = weight_scales.iter().zip(weight_sums).zip(bias);
        for ((value, sum), ((weight_scale, weight_sum), bias)) in values.iter_mut().zip(sums).zip(weights) {
            let product = *sum as f32 * row_scale.scale + weight_sum * row_scale.least;
            *value = product * weight_scale + bias;
        }
        let fits = PANEL.min(columns - column).min(out.len());
        let (out, _) = out.split_at_mut(fits);
        finish.store(&mut values, out, (row + index, column, columns));
    }
}

for_each_level! {
    /// A row as bytes, and what they stand for. A row with a value that is not finite stands for NaN.
    fn quantise_row(row: &[f32], bytes: &mut [u8]) -> RowScale = quantise_row_body;
}

for_each_level! {
    /// The same in 16 bits each.
    fn quantise_row_wide(row: &[f32], bytes: &mut [i16]) -> RowScale = quantise_row_body;
}

/// A type that holds an unsigned byte.
trait HoldsByte: Copy {
    /// The lowest eight bits.
    fn low_byte(bits: u32) -> Self;
}

impl HoldsByte for u8 {
    #[inline(always)]
    fn low_byte(bits: u32) -> Self {
        bits as Self
    }
}

impl HoldsByte for i16 {
    #[inline(always)]
    fn low_byte(bits: u32) -> Self {
        (bits & 0xff) as Self
    }
}

#[inline(always)]
fn quantise_row_body<T: HoldsByte>(row: &[f32], bytes: &mut [T]) -> RowScale {
    let high = maximum(row).max(0.0);
    let low = least(row).min(0.0);
    // Before subtracting, so that it cannot overflow.
    let scale = (high / 255.0 - low / 255.0).max(LEAST_SCALE);
    let zero = ((-low / scale) + ROUND) - ROUND;
    let inverse = 1.0 / scale;
    let (bytes, rest) = bytes.split_at_mut(row.len().min(bytes.len()));
    for (byte, value) in bytes.iter_mut().zip(row) {
        let rounded = ((value * inverse + ROUND) - ROUND + zero).clamp(0.0, 255.0);
        *byte = T::low_byte((rounded + ROUND).to_bits());
    }
    rest.fill(T::low_byte(0));
    // 0 for finite values, NaN with one that is not.
    let poison = sum_of(row, |value| value * 0.0);
    RowScale { scale: scale + poison, least: -zero * scale }
}

/// The least of a row, NaN passed over.
#[inline(always)]
fn least(row: &[f32]) -> f32 {
    let mut minima = [f32::INFINITY; LANES];
    let (lanes, rest) = row.as_chunks::<LANES>();
    for chunk in lanes {
        for (min, value) in minima.iter_mut().zip(chunk) {
            *min = if *value < *min { *value } else { *min };
        }
    }
    minima.iter().chain(rest).copied().fold(f32::INFINITY, f32::min)
}
