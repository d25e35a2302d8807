//! Log-mel as OpenAI's Whisper makes it.

use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};

const WINDOW: usize = 400;
const HOP: usize = 160;
const SPECTRUM: usize = WINDOW / 2 + 1;

/// Log-mel frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Mel {
    /// Mel bins.
    pub bins: usize,
    /// Frames of 10 ms.
    pub frames: usize,
    /// Row-major (bins, frames).
    pub data: Vec<f32>,
}

/// The transform for a number of bins.
pub struct LogMel {
    bins: usize,
    /// (bins, SPECTRUM)
    filters: Vec<f32>,
    window: Vec<f32>,
    transform: Arc<dyn RealToComplex<f32>>,
}

fn hz_to_mel(hz: f64) -> f64 {
    if hz < 1000.0 { 3.0 * hz / 200.0 } else { 15.0 + (hz / 1000.0).ln() * 27.0 / 6.4_f64.ln() }
}

fn mel_to_hz(mel: f64) -> f64 {
    if mel < 15.0 { 200.0 * mel / 3.0 } else { 1000.0 * ((mel - 15.0) * 6.4_f64.ln() / 27.0).exp() }
}

impl LogMel {
    /// Slaney filters between 0 and 8000 Hz.
    #[must_use]
    pub fn new(bins: usize) -> Self {
        let top = hz_to_mel(8000.0);
        let edge = |i: usize| mel_to_hz(top * i as f64 / (bins + 1) as f64);
        let filters = (0..bins)
            .flat_map(|m| {
                let (low, middle, high) = (edge(m), edge(m + 1), edge(m + 2));
                (0..SPECTRUM).map(move |k| {
                    let hz = k as f64 * 8000.0 / (SPECTRUM - 1) as f64;
                    let triangle = ((hz - low) / (middle - low)).min((high - hz) / (high - middle)).max(0.0);
                    (triangle * 2.0 / (high - low)) as f32
                })
            })
            .collect();
        let window = (0..WINDOW).map(|i| (0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / WINDOW as f64).cos()) as f32).collect();
        Self { bins, filters, window, transform: RealFftPlanner::new().plan_fft_forward(WINDOW) }
    }

    /// Samples of 16 kHz, with silence added up to `padded_samples`, to log-mel.
    #[must_use]
    pub fn compute(&self, samples: &[f32], padded_samples: Option<usize>) -> Mel {
        let length = padded_samples.unwrap_or(samples.len()).max(WINDOW);
        let at = |i: isize| {
            let last = length as isize - 1;
            let i = i.abs();
            let i = if i > last { 2 * last - i } else { i };
            samples.get(i as usize).copied().unwrap_or(0.0)
        };
        let frames = length / HOP;
        let mut data = vec![0.0_f32; self.bins * frames];
        let mut input = self.transform.make_input_vec();
        let mut output = self.transform.make_output_vec();
        for frame in 0..frames {
            for (j, (value, window)) in input.iter_mut().zip(&self.window).enumerate() {
                *value = at((frame * HOP + j) as isize - (WINDOW / 2) as isize) * window;
            }
            if self.transform.process(&mut input, &mut output).is_err() {
                continue;
            }
            for (m, filter) in self.filters.chunks(SPECTRUM).enumerate() {
                let energy: f32 = filter.iter().zip(&output).map(|(f, c)| f * c.norm_sqr()).sum();
                if let Some(value) = data.get_mut(m * frames + frame) {
                    *value = energy.max(1e-10).log10();
                }
            }
        }
        let floor = data.iter().copied().fold(f32::MIN, f32::max) - 8.0;
        data.iter_mut().for_each(|value| *value = (value.max(floor) + 4.0) / 4.0);
        Mel { bins: self.bins, frames, data }
    }
}
