//! Softmax with a vector exponential: candle's calls the scalar one for each value, which was the largest single cost of an encoder.

use candle_core::{CpuStorage, InplaceOp1, Layout, Tensor};
use rayon::prelude::*;

/// Rows that one task takes: enough work to be worth handing over.
const ROWS_PER_TASK: usize = 16;
/// Independent partial results, so that sums and maxima need not wait for each other.
const LANES: usize = 16;

/// Replaces each row of the last dimension by its softmax, in place.
///
/// A row's result depends on that row alone: not on the number of threads.
///
/// # Errors
/// When the tensor is not contiguous f32.
pub fn over_last_dimension(scores: &Tensor) -> candle_core::Result<()> {
    if scores.device().is_cpu() {
        return scores.inplace_op1(&Softmax);
    }
    let result = candle_nn::ops::softmax_last_dim(scores)?;
    scores.slice_set(&result, 0, 0)
}

struct Softmax;

impl InplaceOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax-in-place"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let (CpuStorage::F32(values), Some((start, end))) = (storage, layout.contiguous_offsets()) else {
            candle_core::bail!("softmax in place needs a contiguous f32 tensor")
        };
        let width = layout.dims().last().copied().unwrap_or(1).max(1);
        let Some(values) = values.get_mut(start..end) else { candle_core::bail!("softmax in place: layout beyond its storage") };
        let arch = pulp::Arch::new();
        values.par_chunks_mut(width * ROWS_PER_TASK).for_each(|rows| {
            arch.dispatch(|| rows.chunks_exact_mut(width).for_each(softmax_row));
        });
        Ok(())
    }
}

#[inline(always)]
fn softmax_row(row: &mut [f32]) {
    let mut maxima = [f32::NEG_INFINITY; LANES];
    let (lanes, rest) = row.as_chunks::<LANES>();
    for chunk in lanes {
        for (max, value) in maxima.iter_mut().zip(chunk) {
            *max = if *value > *max { *value } else { *max };
        }
    }
    let max = maxima.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sums = [0.0_f32; LANES];
    let (lanes, rest) = row.as_chunks_mut::<LANES>();
    for chunk in lanes {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *value = exp_of_non_positive(*value - max);
            *sum += *value;
        }
    }
    let mut sum: f32 = sums.iter().sum();
    for value in rest {
        *value = exp_of_non_positive(*value - max);
        sum += *value;
    }
    let scale = 1.0 / sum;
    for value in row {
        *value *= scale;
    }
}

/// `e^x` for `x <= 0`, relative error below 3e-7, without a branch so that it vectorises; 0 below -87, where f32 would end.
///
/// `x = n ln 2 + r` with `|r| <= ln 2 / 2`, a polynomial in `r`, and `n` written into the exponent's bits.
#[inline(always)]
fn exp_of_non_positive(x: f32) -> f32 {
    /// 1.5 x 2^23: adding it rounds to an integer that then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts; the first has zero low bits, so that `n` times it is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let clamped = if x > -87.0 { x } else { -87.0 };
    let rounded = clamped * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (clamped - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut p = 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    let power = f32::from_bits(rounded.to_bits().wrapping_add(127) << 23);
    if x > -87.0 { p * power } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;

    #[test]
    fn exponential_is_close_to_the_standard_one() {
        for step in 0..86_999_u32 {
            let x = -(step as f32) / 1000.0;
            let expected = f64::from(x).exp();
            let error = (f64::from(exp_of_non_positive(x)) - expected).abs() / expected;
            assert!(error < 3e-7, "{x}: {error}");
        }
        assert_eq!(exp_of_non_positive(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp_of_non_positive(0.0), 1.0);
    }

    #[test]
    fn rows_sum_to_one_and_masked_values_vanish() {
        let values: Vec<f32> = (0..3 * 37).map(|i| if i % 5 == 4 { f32::NEG_INFINITY } else { (i % 11) as f32 - 4.0 }).collect();
        let scores = Tensor::from_vec(values, (3, 37), &Device::Cpu).unwrap();
        let expected = candle_nn::ops::softmax_last_dim(&scores).unwrap().to_vec2::<f32>().unwrap();
        over_last_dimension(&scores).unwrap();
        for (row, expected) in scores.to_vec2::<f32>().unwrap().iter().zip(&expected) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            for (value, expected) in row.iter().zip(expected) {
                assert!((value - expected).abs() < 1e-6);
            }
            assert!(row.iter().zip(expected).all(|(value, expected)| (*expected == 0.0) == (*value == 0.0)));
        }
    }
}
