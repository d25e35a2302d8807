//! Samples to the log filter-bank features that Kaldi's recipes, and the models that FunASR trains, hear.
//!
//! As Kaldi's `compute-fbank-feats` (<https://kaldi-asr.org/doc/feat.html>) without dither: frames that lie within the signal, each
//! freed of its mean, pre-emphasised and windowed; power, triangles on the mel scale, natural logarithm. In 64 bits inside.

use std::f64::consts::PI;
use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};

use super::SAMPLE_RATE;

/// What a sample of full scale is to Kaldi, which reads 16-bit integers.
const FULL_SCALE: f64 = 32_768.0;
/// How much of the sample before is taken away from each.
const PRE_EMPHASIS: f64 = 0.97;
/// Where the lowest triangle begins, in Hz; the highest ends at half the sample rate.
const LOWEST: f64 = 20.0;
/// The least power that has a logarithm: the distance from 1 to the next f32.
const FLOOR: f64 = f32::EPSILON as f64;

/// Rows of equal width in row-major order: frames of a filter bank, or several of them beside each other.
#[derive(Clone, PartialEq)]
pub struct Features {
    /// Values of a row.
    pub width: usize,
    /// A whole number of rows.
    pub data: Vec<f32>,
}

impl Features {
    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.data.len() / self.width.max(1)
    }

    /// Low frame rate: each row is `count` frames beside each other, a row every `step` frames, ceil(frames / step) rows.
    ///
    /// The first row's frames are centred on the first frame, which is repeated before the beginning as the last one is after the end.
    #[must_use]
    pub fn stacked(&self, count: usize, step: usize) -> Self {
        let (frames, step) = (self.rows(), step.max(1));
        let before = count.saturating_sub(1) / 2;
        let mut data = Vec::with_capacity(frames.div_ceil(step) * count * self.width);
        for row in 0..frames.div_ceil(step) {
            for place in row * step..row * step + count {
                let frame = place.saturating_sub(before).min(frames.saturating_sub(1));
                data.extend_from_slice(self.data.get(frame * self.width..(frame + 1) * self.width).unwrap_or_default());
            }
        }
        Self { width: count * self.width, data }
    }
}

impl std::fmt::Debug for Features {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Features").field("width", &self.width).field("rows", &self.rows()).finish_non_exhaustive()
    }
}

/// The planned transform, window and filters.
pub struct FilterBank {
    fft: Arc<dyn RealToComplex<f64>>,
    window: Vec<f64>,
    /// Samples from one frame's beginning to the next one's.
    hop: usize,
    filters: Vec<Filter>,
}

/// One triangular filter: weights of consecutive frequencies from `first` on.
struct Filter {
    first: usize,
    weights: Vec<f64>,
}

impl FilterBank {
    /// Plans for so many bins, and frames of `window` samples that begin `hop` samples apart (400 and 160 in every published model).
    #[must_use]
    pub fn new(bins: usize, window: usize, hop: usize) -> Self {
        let size = window.next_power_of_two();
        // Symmetric Hamming.
        let last = window.saturating_sub(1).max(1) as f64;
        let hamming = |n: usize| 0.54 - 0.46 * (2.0 * PI * n as f64 / last).cos();
        Self {
            fft: RealFftPlanner::new().plan_fft_forward(size),
            window: (0..window).map(hamming).collect(),
            hop: hop.max(1),
            filters: mel_filters(bins, size),
        }
    }

    /// The features of samples at 16 kHz, a row for each frame that fits: none for fewer samples than a frame has.
    #[must_use]
    pub fn compute(&self, samples: &[f32]) -> Features {
        let width = self.filters.len();
        let frames = samples.len().checked_sub(self.window.len()).map_or(0, |rest| rest / self.hop + 1);
        let mut data = Vec::with_capacity(frames * width);
        let mut input = self.fft.make_input_vec();
        let mut spectrum = self.fft.make_output_vec();
        let mut scratch = self.fft.make_scratch_vec();
        for frame in samples.windows(self.window.len().max(1)).step_by(self.hop).take(frames) {
            self.fill(frame, &mut input);
            // Only buffers of the wrong length fail, and these come from the plan itself.
            let transformed = self.fft.process_with_scratch(&mut input, &mut spectrum, &mut scratch).is_ok();
            data.extend(self.filters.iter().map(|filter| {
                let powers = spectrum.iter().skip(filter.first).map(|bin| bin.norm_sqr());
                let power: f64 = powers.zip(&filter.weights).map(|(power, weight)| power * weight).sum();
                (if transformed { power.max(FLOOR) } else { FLOOR }).ln() as f32
            }));
        }
        Features { width, data }
    }

    /// A frame without its mean, pre-emphasised (the first sample against itself), windowed, and then zeros.
    fn fill(&self, frame: &[f32], input: &mut [f64]) {
        let mean = frame.iter().map(|sample| f64::from(*sample)).sum::<f64>() / frame.len().max(1) as f64;
        let centred = |sample: &f32| (f64::from(*sample) - mean) * FULL_SCALE;
        let mut before = frame.first().map_or(0.0, centred);
        input.fill(0.0);
        for ((slot, sample), weight) in input.iter_mut().zip(frame).zip(&self.window) {
            let value = centred(sample);
            *slot = (value - PRE_EMPHASIS * before) * weight;
            before = value;
        }
    }
}

/// Triangles of height 1, equally spaced on the mel scale from [`LOWEST`] to half the sample rate; rise and fall are straight on the
/// mel scale, not in Hz.
fn mel_filters(bins: usize, size: usize) -> Vec<Filter> {
    let (low, high) = (mel(LOWEST), mel(f64::from(SAMPLE_RATE) / 2.0));
    let step = (high - low) / (bins + 1) as f64;
    (0..bins)
        .map(|bin| {
            let left = low + bin as f64 * step;
            let weight = |index: usize| {
                let place = (mel(index as f64 * f64::from(SAMPLE_RATE) / size as f64) - left) / step;
                place.min(2.0 - place).max(0.0)
            };
            // Half the sample rate itself belongs to no triangle.
            let weights: Vec<f64> = (0..size / 2).map(weight).collect();
            let first = weights.iter().position(|weight| *weight > 0.0).unwrap_or(0);
            let weights = weights.into_iter().skip(first).take_while(|weight| *weight > 0.0).collect();
            Filter { first, weights }
        })
        .collect()
}

/// Kaldi's mel scale.
fn mel(hertz: f64) -> f64 {
    1127.0 * (1.0 + hertz / 700.0).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bank() -> FilterBank {
        FilterBank::new(80, 400, 160)
    }

    #[test]
    fn frames_lie_within_the_signal() {
        for (samples, frames) in [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2), (16_000, 98)] {
            let features = bank().compute(&vec![0.1; samples]);
            assert_eq!((features.rows(), features.data.len()), (frames, frames * 80), "{samples} samples");
        }
    }

    #[test]
    fn silence_and_a_constant_are_the_floor() {
        for level in [0.0, 0.25] {
            assert!(bank().compute(&[level; 800]).data.iter().all(|value| *value == -15.942_385));
        }
    }

    #[test]
    fn a_tone_is_loudest_in_its_bin() {
        let tone: Vec<f32> = (0..800).map(|n| (2.0 * PI * 1000.0 * f64::from(n) / 16_000.0).sin() as f32).collect();
        let features = bank().compute(&tone);
        let loudest = (0..80).max_by(|a, b| features.data[*a].total_cmp(&features.data[*b])).unwrap();
        let edge = |bin: usize| mel(LOWEST) + bin as f64 * (mel(8000.0) - mel(LOWEST)) / 81.0;
        assert!(edge(loudest) < mel(1000.0) && mel(1000.0) < edge(loudest + 2), "bin {loudest}");
    }

    #[test]
    fn stacking_repeats_the_ends() {
        let frames = |count: usize| Features { width: 1, data: (0..count).map(|frame| frame as f32).collect() };
        let rows = |count: usize| {
            let stacked = frames(count).stacked(7, 6);
            assert_eq!(stacked.width, 7);
            stacked.data.chunks(7).map(<[f32]>::to_vec).collect::<Vec<_>>()
        };
        assert!(rows(0).is_empty());
        assert_eq!(rows(1), [[0.0; 7]]);
        assert_eq!(rows(7), [[0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0], [3.0, 4.0, 5.0, 6.0, 6.0, 6.0, 6.0]]);
        assert_eq!(rows(6).len(), 1);
    }
}
