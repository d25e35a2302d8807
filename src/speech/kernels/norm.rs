//! Normalisation of rows: by mean and variance, or by the root of the mean square.

use super::Kernels;
use super::level::for_each_level;
use super::numbers::sum_of;

/// Rows that one task takes.
const ROWS_PER_TASK: usize = 32;

/// Each row of `values` (rows, width of `scale`) to mean 0 and variance 1, times `scale`, plus `shift`.
#[must_use]
pub fn layer_norm(kernels: &Kernels, values: &[f32], scale: &[f32], shift: &[f32], epsilon: f32) -> Vec<f32> {
    let width = scale.len().max(1);
    let mut out = vec![0.0; values.len()];
    let rows = if values.len() / width <= 4 { values.len() / width } else { ROWS_PER_TASK };
    kernels.team.for_chunks(&mut out, rows * width, |number, out| {
        let begin = number * rows * width;
        let values = values.get(begin..begin + out.len()).unwrap_or_default();
        norm_rows(kernels.level, values, (scale, shift), epsilon, out);
    });
    out
}

for_each_level! {
    fn norm_rows(values: &[f32], parameters: (&[f32], &[f32]), epsilon: f32, out: &mut [f32]) = norm_rows_body;
}

#[inline(always)]
fn norm_rows_body(values: &[f32], (scale, shift): (&[f32], &[f32]), epsilon: f32, out: &mut [f32]) {
    let width = scale.len().max(1);
    for (row, out) in values.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        let mean = sum_of(row, |value| value) / width as f32;
        let variance = sum_of(row, |value| (value - mean) * (value - mean)) / width as f32;
        let factor = 1.0 / (variance + epsilon).sqrt();
        for ((out, value), (scale, shift)) in out.iter_mut().zip(row).zip(scale.iter().zip(shift)) {
            *out = (value - mean) * factor * scale + shift;
        }
    }
}

/// Each row of `values` (rows, width of `scale`) over the root of its mean square, times `scale`
/// (RMSNorm, <https://arxiv.org/abs/1910.07467>).
#[must_use]
pub fn rms_norm(kernels: &Kernels, values: &[f32], scale: &[f32], epsilon: f32) -> Vec<f32> {
    let width = scale.len().max(1);
    let mut out = values.to_vec();
    let rows = if values.len() / width <= 4 { values.len() / width } else { ROWS_PER_TASK };
    kernels.team.for_chunks(&mut out, rows * width, |_, out| rms_rows(kernels.level, out, scale, epsilon));
    out
}

for_each_level! {
    fn rms_rows(values: &mut [f32], scale: &[f32], epsilon: f32) = rms_rows_body;
}

/// In place.
#[inline(always)]
pub(super) fn rms_rows_body(values: &mut [f32], scale: &[f32], epsilon: f32) {
    let width = scale.len().max(1);
    for row in values.chunks_exact_mut(width) {
        let square = sum_of(row, |value| value * value) / width as f32;
        let factor = 1.0 / (square + epsilon).sqrt();
        row.iter_mut().zip(scale).for_each(|(value, scale)| *value = *value * factor * scale);
    }
}
