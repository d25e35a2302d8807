//! Functions of one number that vectorise, and of a row of numbers. Without a branch, a table or a fused multiply-add, so that every
//! instruction set gives the same bits.

use super::level::for_each_level;

/// Independent partial results, so that sums and maxima need not wait for each other: one vector of AVX-512.
pub(super) const LANES: usize = 16;

/// 1.5 x 2^23: adding it rounds to an integer, ties to even, that then stands in the low bits.
pub(super) const ROUND: f32 = 12_582_912.0;

/// `e^x` for `x <= 0`, relative error below 3e-7; 0 below -87, where f32 would end.
///
/// `x = n ln 2 + r` with `|r| <= ln 2 / 2`, a polynomial in `r`, and `n` written into the exponent's bits.
#[inline(always)]
pub(super) fn exp_of_non_positive(x: f32) -> f32 {
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

/// `x` times the normal distribution's integral up to `x`, which is what Whisper calls GELU.
///
/// The error function after Abramowitz and Stegun, *Handbook of Mathematical Functions*, 7.1.26: absolute error below 1.5e-7.
#[inline(always)]
pub(super) fn gelu(x: f32) -> f32 {
    let z = (x * std::f32::consts::FRAC_1_SQRT_2).abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let mut p = 1.061_405_4;
    p = p * t - 1.453_152;
    p = p * t + 1.421_413_7;
    p = p * t - 0.284_496_74;
    p = p * t + 0.254_829_6;
    let erf = 1.0 - p * t * exp_of_non_positive(-z * z);
    let erf = if x < 0.0 { -erf } else { erf };
    0.5 * x * (1.0 + erf)
}

/// The nearest bf16, ties to even; NaN stays NaN.
#[inline(always)]
pub(super) fn to_half(x: f32) -> u16 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7fff).wrapping_add((bits >> 16) & 1);
    let bits = if x.is_nan() { 0x7fc0_0000 } else { rounded };
    (bits >> 16) as u16
}

/// The f32 of a bf16.
#[inline(always)]
pub(super) fn from_half(x: u16) -> f32 {
    f32::from_bits(u32::from(x) << 16)
}

/// The largest of a row; minus infinity for none, and NaN is passed over.
#[inline(always)]
pub(super) fn maximum(row: &[f32]) -> f32 {
    let mut maxima = [f32::NEG_INFINITY; LANES];
    let (lanes, rest) = row.as_chunks::<LANES>();
    for chunk in lanes {
        for (max, value) in maxima.iter_mut().zip(chunk) {
            *max = if *value > *max { *value } else { *max };
        }
    }
    maxima.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max)
}

/// The sum of a term of each value, in an order that depends on the row's length alone.
#[inline(always)]
pub(super) fn sum_of(row: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (lanes, rest) = row.as_chunks::<LANES>();
    for chunk in lanes {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += term(*value);
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|value| term(*value)).sum::<f32>()
}

/// Replaces each value by its exponential after subtracting the row's maximum, and returns their sum and the maximum.
#[inline(always)]
pub(super) fn exponentials_of_row(row: &mut [f32]) -> (f32, f32) {
    let max = maximum(row);
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
    (sum, max)
}

#[inline(always)]
fn softmax_body(values: &mut [f32], width: usize) {
    for row in values.chunks_exact_mut(width.max(1)) {
        let (sum, _) = exponentials_of_row(row);
        let scale = 1.0 / sum;
        row.iter_mut().for_each(|value| *value *= scale);
    }
}

for_each_level! {
    /// Replaces each row of `width` values by its softmax.
    pub fn softmax_rows(values: &mut [f32], width: usize) = softmax_body;
}

for_each_level! {
    /// Replaces each value by its exponential after subtracting the maximum; returns the sum of the results, and the maximum.
    pub fn exponentials(values: &mut [f32]) -> (f32, f32) = exponentials_of_row;
}

#[cfg(test)]
mod tests {
    use super::super::Level;
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
    fn gelu_is_close_to_candles() {
        let x: Vec<f32> = (-6000..6000_i16).map(|step| f32::from(step) / 1000.0).collect();
        let tensor = candle_core::Tensor::new(x.as_slice(), &candle_core::Device::Cpu).unwrap();
        let expected = tensor.gelu_erf().unwrap().to_vec1::<f32>().unwrap();
        for (x, expected) in x.iter().zip(expected) {
            assert!((gelu(*x) - expected).abs() < 1e-6, "{x}: {} and {expected}", gelu(*x));
        }
        assert_eq!(gelu(f32::MAX), f32::MAX);
        assert_eq!(gelu(f32::MIN), 0.0);
        assert!(gelu(f32::NAN).is_nan());
    }

    #[test]
    fn halves_round_to_the_nearest() {
        let mut state = 1_u32;
        for _ in 0..10_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let x = f32::from_bits(state);
            let (ours, theirs) = (from_half(to_half(x)), half::bf16::from_f32(x).to_f32());
            assert!(ours == theirs || ours.is_nan() && theirs.is_nan(), "{x}: {ours} and {theirs}");
        }
        assert!(from_half(to_half(f32::from_bits(0x7f80_0001))).is_nan());
        assert_eq!(from_half(to_half(f32::INFINITY)), f32::INFINITY);
    }

    #[test]
    fn rows_sum_to_one_and_masked_values_vanish() {
        for level in Level::available() {
            let values: Vec<f32> =
                (0..3 * 37).map(|i| if i % 5 == 4 { f32::NEG_INFINITY } else { (i % 11) as f32 - 4.0 }).collect();
            let scores = candle_core::Tensor::from_vec(values.clone(), (3, 37), &candle_core::Device::Cpu).unwrap();
            let expected = candle_nn::ops::softmax_last_dim(&scores).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let mut rows = values;
            softmax_rows(level, &mut rows, 37);
            assert!(rows.chunks(37).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6));
            assert!(rows.iter().zip(&expected).all(|(ours, theirs)| (ours - theirs).abs() < 1e-6));
            assert!(rows.iter().zip(&expected).all(|(ours, theirs)| (*ours == 0.0) == (*theirs == 0.0)));
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let row: Vec<f32> = (0..1003_u16).map(|i| (f32::from(i) * 0.37).sin() * 20.0).collect();
        let mut plain = row.clone();
        let expected = exponentials(Level::available()[0], &mut plain);
        for level in Level::available() {
            let mut ours = row.clone();
            assert_eq!(exponentials(level, &mut ours), expected, "{level:?}");
            assert_eq!(ours, plain, "{level:?}");
        }
    }
}
