//! Products with f32 weights for a network that is too small to share out: on the caller's thread, without allocating.

use super::block::{Block, padded_with_zeros};
use super::level::{Level, for_each_level};
use super::rows::Rows;

/// Outputs whose sums are held at once: one vector of AVX-512, two of AVX2.
const GROUP: usize = 16;
/// Rows that share the weights as they pass by.
const TILE: usize = 4;

/// Weights (outputs, inputs) in groups of 16 outputs: `[group][inputs][16]`.
pub struct FloatMatrix {
    outputs: usize,
    inputs: usize,
    groups: Block,
    bias: Vec<f32>,
}

impl FloatMatrix {
    /// Packs `weights`, row-major (outputs, inputs), and a bias for each output; none is zeros.
    #[must_use]
    pub fn pack(weights: &[f32], inputs: usize, bias: Option<&[f32]>) -> Self {
        let outputs = weights.len() / inputs.max(1);
        let padded = outputs.next_multiple_of(GROUP);
        let mut groups = Block::new(size_of::<f32>() * padded * inputs);
        for (output, row) in weights.chunks_exact(inputs.max(1)).enumerate() {
            let group = groups.values_mut::<f32>().get_mut(output / GROUP * inputs * GROUP..).unwrap_or_default();
            for (slot, weight) in group.iter_mut().skip(output % GROUP).step_by(GROUP).zip(row) {
                *slot = *weight;
            }
        }
        Self { outputs, inputs, groups, bias: padded_with_zeros(bias, padded) }
    }

    /// Rows times the weights and plus the bias into the first (rows, outputs) of `out`.
    pub fn multiply(&self, level: Level, rows: Rows<'_>, out: &mut [f32]) {
        let whole: Vec<_> = (0..rows.count()).map(|row| rows.row(row, self.inputs)).collect();
        for (first, tile) in whole.chunks(TILE).enumerate() {
            // A short tile repeats its last row, whose sums are then not stored.
            let row = |index: usize| tile.get(index).or(tile.last()).map(|row| &**row).unwrap_or_default();
            let out = out.get_mut(first * TILE * self.outputs..).unwrap_or_default();
            let rows = [row(0), row(1), row(2), row(3)];
            multiply_tile(level, self, rows, (tile.len(), out));
        }
    }
}

for_each_level! {
    fn multiply_tile(matrix: &FloatMatrix, rows: [&[f32]; TILE], out: (usize, &mut [f32])) = multiply_tile_body;
}

#[inline(always)]
fn multiply_tile_body(matrix: &FloatMatrix, rows: [&[f32]; TILE], (count, out): (usize, &mut [f32])) {
    let groups = matrix.groups.values::<f32>().chunks_exact((matrix.inputs * GROUP).max(1));
    for ((group, weights), bias) in groups.enumerate().zip(matrix.bias.as_chunks::<GROUP>().0) {
        let mut sums = [*bias; TILE];
        let [a, b, c, d] = rows;
        let inputs = a.iter().zip(b).zip(c.iter().zip(d));
        for (((a, b), (c, d)), weights) in inputs.zip(weights.as_chunks::<GROUP>().0) {
            let [sums_a, sums_b, sums_c, sums_d] = &mut sums;
            add(sums_a, *a, weights);
            add(sums_b, *b, weights);
            add(sums_c, *c, weights);
            add(sums_d, *d, weights);
        }
        for (sums, out) in sums.iter().zip(out.chunks_mut(matrix.outputs.max(1))).take(count) {
            let fits = out.iter_mut().skip(group * GROUP).zip(sums);
            fits.for_each(|(out, sum)| *out = *sum);
        }
    }
}

#[inline(always)]
fn add(sums: &mut [f32; GROUP], input: f32, weights: &[f32; GROUP]) {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum += input * weight;
    }
}
