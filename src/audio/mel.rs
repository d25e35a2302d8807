//! Samples to the log-mel spectrogram that Whisper hears.
//!
//! As in OpenAI's `whisper/audio.py` (`log_mel_spectrogram`): 25 ms windows every 10 ms, centred with reflected edges, power, slaney
//! filters, base-10 logarithm clamped to 8 below the loudest. In 64 bits inside: the quiet bins of a loud frame lose their digits in 32.

use std::f64::consts::PI;
use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};

use super::SAMPLE_RATE;

/// Samples of a window, 25 ms.
const WINDOW: usize = 400;
/// Samples between two windows, 10 ms.
const HOP: usize = 160;
/// The least power that has a logarithm.
const FLOOR: f64 = 1e-10;
/// How far below the loudest bin the quietest is taken to be, in powers of ten.
const RANGE: f64 = 8.0;

/// A log-mel spectrogram, `(bins, frames)` in row-major order.
#[derive(Clone, PartialEq)]
pub struct Mel {
    /// Mel bins, the rows.
    pub bins: usize,
    /// Frames of 10 ms, the columns.
    pub frames: usize,
    /// `bins * frames` values.
    pub data: Vec<f32>,
}

impl std::fmt::Debug for Mel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mel").field("bins", &self.bins).field("frames", &self.frames).finish_non_exhaustive()
    }
}

/// The planned transform, window and filters of one number of bins.
pub struct LogMel {
    fft: Arc<dyn RealToComplex<f64>>,
    window: Vec<f64>,
    filters: Vec<Filter>,
}

/// One triangular filter: weights of consecutive frequencies from `first` on.
struct Filter {
    first: usize,
    weights: Vec<f64>,
}

impl LogMel {
    /// Plans for `bins` mel bins: 80, or 128 for the large-v3 models.
    #[must_use]
    pub fn new(bins: usize) -> Self {
        // Periodic Hann.
        let window = (0..WINDOW).map(|n| 0.5 - 0.5 * (2.0 * PI * n as f64 / WINDOW as f64).cos()).collect();
        Self { fft: RealFftPlanner::new().plan_fft_forward(WINDOW), window, filters: slaney_filters(bins) }
    }

    /// The spectrogram of samples at 16 kHz, one frame for each whole 10 ms.
    ///
    /// With `padded_samples`, silence follows the samples up to that many; Whisper's own front end pads to 480000 (30 s). More samples
    /// than that are kept.
    #[must_use]
    pub fn compute(&self, samples: &[f32], padded_samples: Option<usize>) -> Mel {
        let length = samples.len().max(padded_samples.unwrap_or(0));
        let (bins, frames) = (self.filters.len(), length / HOP);
        let mut logs = vec![FLOOR.log10(); bins * frames];
        let mut loudest = FLOOR.log10();
        let mut input = self.fft.make_input_vec();
        let mut spectrum = self.fft.make_output_vec();
        let mut scratch = self.fft.make_scratch_vec();
        for (frame, column) in logs.chunks_exact_mut(bins.max(1)).enumerate() {
            let start = frame * HOP;
            if start >= samples.len() + WINDOW / 2 && start + WINDOW / 2 < length {
                continue;
            }
            self.fill(samples, length, start, &mut input);
            if self.fft.process_with_scratch(&mut input, &mut spectrum, &mut scratch).is_err() {
                // Only buffers of the wrong length fail, and these come from the plan itself.
                continue;
            }
            for (filter, log) in self.filters.iter().zip(column) {
                let powers = spectrum.iter().skip(filter.first).map(|bin| bin.norm_sqr());
                let power: f64 = powers.zip(&filter.weights).map(|(power, weight)| power * weight).sum();
                *log = power.max(FLOOR).log10();
                loudest = loudest.max(*log);
            }
        }
        let scaled = |log: f64| ((log.max(loudest - RANGE) + 4.0) / 4.0) as f32;
        let data = (0..bins).flat_map(|bin| logs.iter().skip(bin).step_by(bins.max(1)).map(|log| scaled(*log))).collect();
        Mel { bins, frames, data }
    }

    /// The windowed samples around `centre`, reflected at both ends of `length` samples.
    fn fill(&self, samples: &[f32], length: usize, centre: usize, input: &mut [f64]) {
        for (offset, (slot, weight)) in input.iter_mut().zip(&self.window).enumerate() {
            let place = (centre + offset).abs_diff(WINDOW / 2);
            let place = if place < length { place } else { (2 * length).saturating_sub(2 + place) };
            *slot = samples.get(place).map_or(0.0, |sample| f64::from(*sample)) * weight;
        }
    }
}

/// Slaney's filters as librosa makes them (`librosa.filters.mel(sr=16000, n_fft=400)`): equally spaced on his mel scale from 0 to
/// 8000 Hz, each of area 1.
fn slaney_filters(bins: usize) -> Vec<Filter> {
    let top = hertz_to_mel(f64::from(SAMPLE_RATE) / 2.0);
    let edge = |index: usize| mel_to_hertz(top * index as f64 / (bins + 1) as f64);
    let frequency = |index: usize| index as f64 * f64::from(SAMPLE_RATE) / WINDOW as f64;
    (0..bins)
        .map(|bin| {
            let (low, middle, high) = (edge(bin), edge(bin + 1), edge(bin + 2));
            let weight = |frequency: f64| {
                let rise = (frequency - low) / (middle - low);
                let fall = (high - frequency) / (high - middle);
                rise.min(fall).max(0.0) * 2.0 / (high - low)
            };
            let weights: Vec<f64> = (0..=WINDOW / 2).map(|index| weight(frequency(index))).collect();
            let first = weights.iter().position(|weight| *weight > 0.0).unwrap_or(0);
            let weights = weights.into_iter().skip(first).take_while(|weight| *weight > 0.0).collect();
            Filter { first, weights }
        })
        .collect()
}

/// Slaney's mel scale: linear to 1000 Hz (15 mel), then logarithmic, 27 mel for each factor of 6.4.
fn hertz_to_mel(hertz: f64) -> f64 {
    if hertz < 1000.0 { hertz * 3.0 / 200.0 } else { 15.0 + (hertz / 1000.0).ln() * 27.0 / 6.4_f64.ln() }
}

fn mel_to_hertz(mel: f64) -> f64 {
    if mel < 15.0 { mel * 200.0 / 3.0 } else { 1000.0 * ((mel - 15.0) * 6.4_f64.ln() / 27.0).exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_the_floor() {
        let mel = LogMel::new(80).compute(&[], Some(480_000));
        assert_eq!((mel.bins, mel.frames, mel.data.len()), (80, 3000, 240_000));
        assert!(mel.data.iter().all(|value| *value == -1.5));
    }

    #[test]
    fn no_samples_are_no_frames() {
        assert_eq!(LogMel::new(80).compute(&[], None).data, []);
        assert_eq!(LogMel::new(80).compute(&[0.5; 159], None).frames, 0);
    }

    #[test]
    fn a_tone_is_loudest_in_its_bin_and_in_its_frames() {
        let tone: Vec<f32> = (0..16_000).map(|n| (2.0 * PI * 1000.0 * f64::from(n) / 16_000.0).sin() as f32).collect();
        for bins in [80, 128] {
            let mel = LogMel::new(bins).compute(&tone, Some(32_000));
            assert_eq!(mel.frames, 200);
            let row = |bin: usize| &mel.data[bin * mel.frames..(bin + 1) * mel.frames];
            let loudest = (0..bins).max_by(|a, b| row(*a)[50].total_cmp(&row(*b)[50])).unwrap();
            let edge = |index: usize| mel_to_hertz(hertz_to_mel(8000.0) * index as f64 / (bins + 1) as f64);
            assert!(edge(loudest) < 1000.0 && 1000.0 < edge(loudest + 2), "bin {loudest} of {bins}");
            assert!(row(loudest)[99] - row(loudest)[150] > 1.9);
            assert_eq!(row(loudest)[150], row(loudest)[199]);
        }
    }

    #[test]
    fn mel_scale_is_its_own_inverse() {
        for hertz in [0.0, 440.0, 999.0, 1000.0, 4000.0, 8000.0] {
            assert!((mel_to_hertz(hertz_to_mel(hertz)) - hertz).abs() < 1e-9);
        }
    }

    #[test]
    fn filters_have_unit_area() {
        for filter in slaney_filters(80).iter().skip(40) {
            let area = filter.weights.iter().sum::<f64>() * f64::from(SAMPLE_RATE) / WINDOW as f64;
            assert!((area - 1.0).abs() < 0.1, "{area}");
        }
    }
}
