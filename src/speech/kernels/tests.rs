//! Every operator against candle's, every instruction set against the plain one, any number of threads against one.

use candle_core::{Device, Tensor};
use proptest::prelude::*;

use super::*;

/// Numbers that look random, from -1 to 1, a zero among them here and there.
fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if state.is_multiple_of(31) { 0.0 } else { (state >> 40) as f32 / (1 << 23) as f32 - 1.0 }
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn kernels(level: Level, threads: usize) -> Kernels {
    Kernels { level, team: Team::new(threads).unwrap() }
}

/// All the sets of this processor, with one thread and with three.
fn all() -> Vec<Kernels> {
    Level::available().into_iter().flat_map(|level| [1, 3].map(|threads| kernels(level, threads))).collect()
}

fn plain() -> Kernels {
    kernels(Level::available()[0], 1)
}

/// `x W^T + b` in f64.
fn product(x: &[f32], weights: &[f32], bias: &[f32], inputs: usize) -> Vec<f64> {
    let row = |row: &[f32]| -> Vec<f64> {
        let output = |(weights, bias): (&[f32], &f32)| {
            row.iter().zip(weights).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum::<f64>() + f64::from(*bias)
        };
        weights.chunks(inputs).zip(bias).map(output).collect()
    };
    x.chunks(inputs).flat_map(row).collect()
}

/// The error of a product against the size of the terms that were summed: the sum itself may be next to nothing where they cancel.
fn relative_error(ours: &[f32], expected: &[f64], (x, weights, bias): (&[f32], &[f32], &[f32]), inputs: usize) -> f64 {
    let difference: f64 = ours.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).powi(2)).sum();
    let squares = |values: &[f32]| -> Vec<f32> { values.iter().map(|value| value * value).collect() };
    let terms: f64 = product(&squares(x), &squares(weights), &squares(bias), inputs).iter().sum();
    (difference / terms.max(1e-30)).sqrt()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn byte_products_are_close_and_the_same_everywhere(
        (rows, inputs, outputs) in (1..30_usize, 1..150_usize, 1..200_usize), activation in 0..3_usize, residual: bool, seed: u64,
    ) {
        let activation = [Activation::Identity, Activation::Gelu, Activation::Relu][activation];
        let (x, weights, bias) = (noise(seed, rows * inputs), noise(seed ^ 1, inputs * outputs), noise(seed ^ 2, outputs));
        let before = noise(seed ^ 3, rows * outputs);
        let matrix = ByteMatrix::pack(&weights, inputs, Some(&bias));
        let finish = Finish { activation, residual: residual.then_some(before.as_slice()) };
        let expected = matrix.multiply(&plain(), Rows::new(&x, inputs, rows), finish);
        for kernels in all() {
            prop_assert_eq!(&matrix.multiply(&kernels, Rows::new(&x, inputs, rows), finish), &expected);
        }
        // A row alone gives the same as among others.
        let alone = matrix.multiply(&plain(), Rows::new(&x, inputs, 1), Finish { activation, residual: None });
        if !residual {
            prop_assert_eq!(&alone, &expected[..outputs]);
        }
        if activation != Activation::Gelu && !residual && inputs >= 16 {
            let mut exact = product(&x, &weights, &bias, inputs);
            if activation == Activation::Relu {
                exact.iter_mut().for_each(|value| *value = value.max(0.0));
            }
            let error = relative_error(&expected, &exact, (&x, &weights, &bias), inputs);
            prop_assert!(error < 0.03, "{}", error);
        }
    }

    #[test]
    fn half_products_are_close_everywhere(
        (rows, inputs, outputs) in (1..30_usize, 1..150_usize, 1..200_usize), residual: bool, seed: u64,
    ) {
        let (x, weights, bias) = (noise(seed, rows * inputs), noise(seed ^ 1, inputs * outputs), noise(seed ^ 2, outputs));
        let before = vec![1.0; rows * outputs];
        let matrix = HalfMatrix::pack(&weights, inputs, Some(&bias));
        let finish = Finish { residual: residual.then_some(before.as_slice()), ..Finish::default() };
        let mut expected = product(&x, &weights, &bias, inputs);
        expected.iter_mut().for_each(|value| *value += f64::from(residual));
        for level in Level::available() {
            let ours = matrix.multiply(&kernels(level, 1), Rows::new(&x, inputs, rows), finish);
            let error = relative_error(&ours, &expected, (&x, &weights, &bias), inputs);
            prop_assert!(error < 0.02, "{:?}: {}", level, error);
            prop_assert_eq!(matrix.multiply(&kernels(level, 3), Rows::new(&x, inputs, rows), finish), ours);
        }
    }

    #[test]
    fn depthwise_convolutions_are_exact_and_the_same_everywhere(
        (rows, channels, taps) in (1..40_usize, 1..70_usize, 1..12_usize), before in 0..11_usize, residual: bool, seed: u64,
    ) {
        let (before, stride) = (before.min(taps - 1), channels + 3);
        let (values, weights) = (noise(seed, rows * stride), noise(seed ^ 1, taps * channels));
        let added = residual.then(|| noise(seed ^ 2, rows * channels));
        let depthwise = Depthwise::new(weights.clone(), channels, before);
        let expected: Vec<f64> = (0..rows * channels)
            .map(|place| {
                let (row, channel) = (place / channels, place % channels);
                let seen = (0..taps).filter(|tap| row + tap >= before && row + tap - before < rows);
                let term = |tap: usize| values[(row + tap - before) * stride + channel] * weights[tap * channels + channel];
                seen.map(|tap| f64::from(term(tap))).sum::<f64>() + f64::from(added.as_ref().map_or(0.0, |added| added[place]))
            })
            .collect();
        let plain = depthwise.convolve(&plain(), (&values, stride), rows, added.as_deref());
        for (ours, expected) in plain.iter().zip(&expected) {
            prop_assert!((f64::from(*ours) - expected).abs() < 1e-5);
        }
        for kernels in all() {
            prop_assert_eq!(&depthwise.convolve(&kernels, (&values, stride), rows, added.as_deref()), &plain);
        }
    }

    #[test]
    fn float_products_are_exact_up_to_rounding(
        (rows, inputs, outputs) in (1..10_usize, 1..150_usize, 1..70_usize), seed: u64,
    ) {
        let (x, weights, bias) = (noise(seed, rows * inputs), noise(seed ^ 1, inputs * outputs), noise(seed ^ 2, outputs));
        let matrix = FloatMatrix::pack(&weights, inputs, Some(&bias));
        let expected = product(&x, &weights, &bias, inputs);
        let mut first = None;
        for level in Level::available() {
            let mut ours = vec![f32::NAN; rows * outputs];
            matrix.multiply(level, Rows::new(&x, inputs, rows), &mut ours);
            let error = relative_error(&ours, &expected, (&x, &weights, &bias), inputs);
            prop_assert!(error < 1e-5, "{:?}: {}", level, error);
            prop_assert_eq!(first.get_or_insert_with(|| ours.clone()), &ours);
        }
    }

    #[test]
    fn attention_is_close_to_candles(
        (rows, positions, heads, width) in (1..40_usize, 1..200_usize, 1..4_usize, prop::sample::select(vec![2_usize, 20, 64, 80])),
        seed: u64,
    ) {
        let all_heads = heads * width;
        let (q, k, v) = (noise(seed, rows * all_heads), noise(seed ^ 1, positions * all_heads), noise(seed ^ 2, positions * all_heads));
        let tensor = |values: &[f32], rows: usize| {
            let tensor = Tensor::from_slice(values, (rows, heads, width), &Device::Cpu).unwrap();
            tensor.transpose(0, 1).unwrap().contiguous().unwrap()
        };
        let (tq, tk, tv) = (tensor(&q, rows), tensor(&k, positions), tensor(&v, positions));
        let scores = tq.matmul(&tk.transpose(1, 2).unwrap()).unwrap();
        let attended = candle_nn::ops::softmax_last_dim(&scores).unwrap().matmul(&tv).unwrap();
        let expected = attended.transpose(0, 1).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for level in Level::available() {
            let one = kernels(level, 1);
            let packed = KeysAndValues::pack(&one, (&k, &v), all_heads, (positions, heads, width));
            let ours = packed.attend(&one, &q, all_heads, rows);
            for (ours, expected) in ours.iter().zip(&expected) {
                prop_assert!((ours - expected).abs() < 0.02, "{:?}: {} and {}", level, ours, expected);
            }
            let three = kernels(level, 3);
            let again = KeysAndValues::pack(&three, (&k, &v), all_heads, (positions, heads, width));
            prop_assert_eq!(&again.attend(&three, &q, all_heads, rows), &ours);
            // A row alone gives the same as among others.
            prop_assert_eq!(&packed.attend(&one, &q, all_heads, 1), &ours[..all_heads]);
            let head = heads - 1;
            let expected = scores.get(head).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            for (ours, expected) in packed.scores(&three, &q, all_heads, rows, head).iter().zip(&expected) {
                prop_assert!((ours - expected).abs() < 0.02 * (width as f32).sqrt(), "{:?}: {} and {}", level, ours, expected);
            }
        }
    }

    #[test]
    fn layer_norm_is_exact_up_to_rounding((rows, width) in (1..80_usize, 1..130_usize), seed: u64) {
        let (x, scale, shift) = (noise(seed, rows * width), noise(seed ^ 1, width), noise(seed ^ 2, width));
        let row = |row: &[f32]| -> Vec<f64> {
            let mean = row.iter().map(|value| f64::from(*value)).sum::<f64>() / width as f64;
            let variance = row.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / width as f64;
            let norm = |((value, scale), shift): ((&f32, &f32), &f32)| {
                (f64::from(*value) - mean) / (variance + 1e-5).sqrt() * f64::from(*scale) + f64::from(*shift)
            };
            row.iter().zip(&scale).zip(&shift).map(norm).collect()
        };
        let expected: Vec<f64> = x.chunks(width).flat_map(row).collect();
        let first = layer_norm(&plain(), &x, &scale, &shift, 1e-5);
        for (ours, expected) in first.iter().zip(&expected) {
            prop_assert!((f64::from(*ours) - expected).abs() < 1e-4, "{} and {}", ours, expected);
        }
        for kernels in all() {
            prop_assert_eq!(&layer_norm(&kernels, &x, &scale, &shift, 1e-5), &first);
        }
    }

    #[test]
    fn looking_back_step_by_step_is_looking_back_at_once(
        (sequences, tokens, heads, width) in (1..4_usize, 1..12_usize, 1..3_usize, prop::sample::select(vec![3_usize, 16, 64])),
        seed: u64,
    ) {
        let row = 3 * heads * width;
        let rows = noise(seed, sequences * tokens * row);
        let at_once = look_back(&plain(), Queries { rows: &rows, heads, key_heads: heads, width, new: tokens }, &mut vec![Past::default(); sequences]);
        for kernels in all() {
            let mut past = vec![Past::default(); sequences];
            for token in 0..tokens {
                let of_token = |sequence: usize| &rows[(sequence * tokens + token) * row..(sequence * tokens + token + 1) * row];
                let new: Vec<f32> = (0..sequences).flat_map(of_token).copied().collect();
                let out = look_back(&kernels, Queries { rows: &new, heads, key_heads: heads, width, new: 1 }, &mut past);
                for (sequence, out) in out.chunks(heads * width).enumerate() {
                    let begin = (sequence * tokens + token) * heads * width;
                    prop_assert_eq!(out, &at_once[begin..begin + heads * width]);
                }
            }
        }
    }
}

#[test]
fn a_convolution_is_a_product_of_overlapping_rows() {
    let (time, channels, outputs) = (41, 5, 70);
    let (x, weight, bias) = (noise(1, time * channels), noise(2, outputs * channels * 3), noise(3, outputs));
    for stride in [1, 2] {
        let input = Tensor::from_slice(&x, (1, time, channels), &Device::Cpu).unwrap().transpose(1, 2).unwrap();
        let kernel = Tensor::from_slice(&weight, (outputs, channels, 3), &Device::Cpu).unwrap();
        let convolved = input.conv1d(&kernel, 1, stride, 1, 1).unwrap().squeeze(0).unwrap().t().unwrap();
        let by_time = kernel.transpose(1, 2).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let matrix = HalfMatrix::pack(&by_time, 3 * channels, Some(&bias));
        let count = time.div_ceil(stride);
        let rows = Rows::new(&x, stride * channels, count).after_zeros(channels);
        let expected = convolved.contiguous().unwrap().to_vec2::<f32>().unwrap();
        for kernels in all() {
            let ours = matrix.multiply(&kernels, rows, Finish::default());
            for (ours, expected) in ours.chunks(outputs).zip(&expected) {
                for ((ours, expected), bias) in ours.iter().zip(expected).zip(&bias) {
                    assert!((ours - expected - bias).abs() < 0.05, "{ours} and {}", expected + bias);
                }
            }
        }
    }
}

#[test]
fn zero_extreme_and_impossible_rows() {
    let inputs = 70;
    let weights = noise(4, 65 * inputs);
    let matrix = ByteMatrix::pack(&weights, inputs, None);
    let mut x = vec![0.0; inputs];
    x.extend([1e34, -1e34].iter().cycle().take(inputs));
    x.extend(vec![1e-38; inputs]);
    let mut poisoned = noise(5, inputs);
    poisoned[17] = f32::NAN;
    x.extend(&poisoned);
    poisoned[17] = f32::INFINITY;
    x.extend(&poisoned);
    for kernels in all() {
        let out = matrix.multiply(&kernels, Rows::new(&x, inputs, 5), Finish::default());
        let row = |index: usize| &out[index * 65..(index + 1) * 65];
        assert!(row(0).iter().all(|value| *value == 0.0), "zeros give zeros");
        assert!(row(1).iter().all(|value| value.is_finite()), "large numbers do not overflow on the way");
        assert!(row(2).iter().all(|value| value.abs() < 1e-30));
        assert!(row(3).iter().chain(row(4)).all(|value| value.is_nan()), "what is not finite is not hidden");
    }
    // A weight row of zeros, and no rows at all.
    let zeros = ByteMatrix::pack(&vec![0.0; 2 * inputs], inputs, Some(&[3.0, -1.0]));
    assert_eq!(zeros.multiply(&plain(), Rows::new(&x, inputs, 1), Finish::default()), [3.0, -1.0]);
    assert!(zeros.multiply(&plain(), Rows::new(&[], inputs, 0), Finish::default()).is_empty());
}

#[test]
fn every_level_of_this_processor_agrees_with_the_plain_one() {
    for level in Level::available() {
        assert!(tiles::agree_with_plain(level), "{level:?}");
    }
}

#[test]
fn packed_weights_can_be_read_back() {
    let weights = noise(6, 130 * 10);
    let (bytes, halves) = (ByteMatrix::pack(&weights, 10, None), HalfMatrix::pack(&weights, 10, None));
    for (output, expected) in weights.chunks(10).enumerate() {
        for ours in [bytes.weights_of(output), halves.weights_of(output)] {
            assert_eq!(ours.len(), expected.len());
            for (ours, expected) in ours.iter().zip(expected) {
                assert!((ours - expected).abs() < 0.005, "{ours} and {expected}");
            }
        }
    }
}
