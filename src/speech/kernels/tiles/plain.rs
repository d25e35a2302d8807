//! Any processor; what the others are tested against.

use super::super::numbers::from_half;
use super::{PANEL, TILE};

/// Sums of products of bytes.
pub fn bytes(rows: &[i16], stride: usize, weights: &[i8], sums: &mut [[i32; PANEL]; TILE]) {
    for (row, sums) in rows.chunks_exact(stride.max(1)).zip(sums.iter_mut()) {
        *sums = [0; PANEL];
        for (four, panel) in row.as_chunks::<4>().0.iter().zip(weights.as_chunks::<{ 4 * PANEL }>().0) {
            for (sum, weights) in sums.iter_mut().zip(panel.as_chunks::<4>().0) {
                let products = four.iter().zip(weights).map(|(input, weight)| i32::from(*input) * i32::from(*weight));
                *sum += products.sum::<i32>();
            }
        }
    }
}

/// Sums of products of bf16 numbers.
pub fn halves(rows: &[f32], stride: usize, weights: &[u16], sums: &mut [[f32; PANEL]; TILE]) {
    for (row, sums) in rows.chunks_exact(stride.max(1)).zip(sums.iter_mut()) {
        *sums = [0.0; PANEL];
        for (two, panel) in row.as_chunks::<2>().0.iter().zip(weights.as_chunks::<{ 2 * PANEL }>().0) {
            let [low, high] = *two;
            for (sum, weights) in sums.iter_mut().zip(panel.as_chunks::<2>().0) {
                *sum += low * from_half(weights[0]);
                *sum += high * from_half(weights[1]);
            }
        }
    }
}

/// Sums of products of f32 numbers.
pub fn floats(rows: &[f32], inputs: usize, weights: &[f32], sums: &mut [[f32; PANEL]; TILE]) {
    for (row, sums) in rows.chunks_exact(inputs.max(1)).zip(sums.iter_mut()) {
        *sums = [0.0; PANEL];
        for (input, panel) in row.iter().zip(weights.as_chunks::<PANEL>().0) {
            sums.iter_mut().zip(panel).for_each(|(sum, weight)| *sum += input * weight);
        }
    }
}
