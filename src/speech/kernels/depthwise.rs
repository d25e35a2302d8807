//! A convolution over time of each channel on its own.

use super::Kernels;
use super::level::for_each_level;

/// Rows that one task takes.
const ROWS_PER_TASK: usize = 16;

/// Weights of a depthwise convolution, without bias.
pub struct Depthwise {
    /// (taps, channels)
    weights: Vec<f32>,
    channels: usize,
    /// Moments before its own that an output sees.
    before: usize,
}

/// Rows (moments) of channels that begin `stride` values apart, and what is added to each output (rows, channels).
#[derive(Clone, Copy)]
struct Input<'a> {
    values: &'a [f32],
    stride: usize,
    rows: usize,
    residual: Option<&'a [f32]>,
}

impl Depthwise {
    /// Of weights (taps, channels), the first of which belongs to the moment `before` an output's own.
    #[must_use]
    pub fn new(weights: Vec<f32>, channels: usize, before: usize) -> Self {
        Self { weights, channels, before }
    }

    /// Channels there are.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// (rows, channels) that begin `stride` values apart to the same, with zeros over either end, plus `residual`.
    #[must_use]
    pub fn convolve(
        &self,
        kernels: &Kernels,
        (values, stride): (&[f32], usize),
        rows: usize,
        residual: Option<&[f32]>,
    ) -> Vec<f32> {
        let mut out = vec![0.0; rows * self.channels];
        let input = Input { values, stride, rows, residual };
        kernels.team.for_chunks(&mut out, ROWS_PER_TASK * self.channels, |number, out| {
            convolve_rows(kernels.level, self, input, number * ROWS_PER_TASK, out);
        });
        out
    }
}

for_each_level! {
    fn convolve_rows(weights: &Depthwise, input: Input<'_>, first: usize, out: &mut [f32]) = convolve_rows_body;
}

#[inline(always)]
fn convolve_rows_body(weights: &Depthwise, input: Input<'_>, first: usize, out: &mut [f32]) {
    let channels = weights.channels.max(1);
    for (row, out) in (first..).zip(out.chunks_exact_mut(channels)) {
        if let Some(residual) = input.residual.and_then(|residual| residual.get(row * channels..(row + 1) * channels)) {
            out.copy_from_slice(residual);
        }
        for (tap, of_tap) in weights.weights.chunks_exact(channels).enumerate() {
            let Some(moment) = (row + tap).checked_sub(weights.before) else { continue };
            if moment >= input.rows {
                break;
            }
            let begin = moment * input.stride;
            let values = input.values.get(begin..begin + channels).unwrap_or_default();
            out.iter_mut().zip(values).zip(of_tap).for_each(|((out, value), weight)| *out += value * weight);
        }
    }
}
