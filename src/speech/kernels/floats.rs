//! Products with f32 weights for a network that is too small to share out: on the caller's thread.

use super::block::{Block, padded_with_zeros, with_scratch};
use super::level::Level;
use super::rows::Rows;
use super::tiles::{self, PANEL, TILE};

/// Weights (outputs, inputs) in panels of 64 outputs: `[panel][inputs][64]`.
pub struct FloatMatrix {
    outputs: usize,
    inputs: usize,
    panels: Block,
    bias: Vec<f32>,
}

impl FloatMatrix {
    /// Packs `weights`, row-major (outputs, inputs), and a bias for each output; none is zeros.
    #[must_use]
    pub fn pack(weights: &[f32], inputs: usize, bias: Option<&[f32]>) -> Self {
        let outputs = weights.len() / inputs.max(1);
        let padded = outputs.next_multiple_of(PANEL);
        let mut panels = Block::new(size_of::<f32>() * padded * inputs);
        for (output, row) in weights.chunks_exact(inputs.max(1)).enumerate() {
            let panel = panels.values_mut::<f32>().get_mut(output / PANEL * inputs * PANEL..).unwrap_or_default();
            for (slot, weight) in panel.iter_mut().skip(output % PANEL).step_by(PANEL).zip(row) {
                *slot = *weight;
            }
        }
        Self { outputs, inputs, panels, bias: padded_with_zeros(bias, padded) }
    }

    /// Rows times the weights and plus the bias into the first (rows, outputs) of `out`.
    pub fn multiply(&self, level: Level, rows: Rows<'_>, out: &mut [f32]) {
        with_scratch(|scratch| {
            let packed = &mut scratch.packed;
            packed.reserve(size_of::<f32>() * rows.count() * self.inputs);
            let places = packed.values_mut::<f32>().chunks_exact_mut(self.inputs.max(1));
            places.zip(0..rows.count()).for_each(|(place, row)| place.copy_from_slice(&rows.row(row, self.inputs)));
            let panels = self.panels.values::<f32>().chunks_exact((self.inputs * PANEL).max(1));
            let mut sums = [[0.0; PANEL]; TILE];
            for ((panel, weights), bias) in panels.enumerate().zip(self.bias.as_chunks::<PANEL>().0) {
                for first in (0..rows.count()).step_by(TILE) {
                    let tile = TILE.min(rows.count() - first);
                    tiles::floats(level, (packed, first, tile), self.inputs, weights, &mut sums);
                    let out = out.get_mut(first * self.outputs..).unwrap_or_default();
                    for (sums, out) in sums.iter().zip(out.chunks_mut(self.outputs.max(1))).take(tile) {
                        let out = out.iter_mut().skip(panel * PANEL);
                        out.zip(sums.iter().zip(bias)).for_each(|(out, (sum, bias))| *out = sum + bias);
                    }
                }
            }
        });
    }
}
