//! Any rate to 16 kHz, the same samples however the input is cut into pieces.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};

use super::{AudioError, SAMPLE_RATE, SAMPLE_RATES};

/// Input samples of one transform, at least: long enough that the pass band reaches 97% of the lower rate's half.
const TRANSFORM: u32 = 2048;

/// Resamples one channel to [`SAMPLE_RATE`], without delay: output sample `i` is at time `i / 16000` of the input.
pub struct Resampler {
    rate: u32,
    /// Nothing when the rate is right already.
    filter: Option<Filter>,
    /// Samples taken in and given out.
    taken: u64,
    given: u64,
}

/// The transform, which takes blocks of one size only.
struct Filter {
    fft: Fft<f32>,
    /// Input not yet a block.
    pending: Vec<f32>,
    block_in: usize,
    block_out: Vec<f32>,
    /// Output samples still to drop, the filter's delay.
    delay: usize,
}

impl Resampler {
    /// A resampler from `rate` Hz.
    ///
    /// # Errors
    /// When `rate` is not one of [`SAMPLE_RATES`].
    pub fn new(rate: u32) -> Result<Self, AudioError> {
        if !SAMPLE_RATES.contains(&rate) {
            return Err(AudioError::Resampler { rate, what: "the rate is not one from 8000 to 192000 Hz".to_owned() });
        }
        let filter = if rate == SAMPLE_RATE { None } else { Some(Filter::new(rate)?) };
        Ok(Self { rate, filter, taken: 0, given: 0 })
    }

    /// Takes samples at the input rate and appends those at 16 kHz that are ready.
    ///
    /// # Errors
    /// When the transform refuses a block, which is a defect.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<(), AudioError> {
        let before = out.len();
        match &mut self.filter {
            None => out.extend_from_slice(samples),
            Some(filter) => filter.push(samples, out).map_err(|what| AudioError::Resampler { rate: self.rate, what })?,
        }
        self.taken += samples.len() as u64;
        self.given += (out.len() - before) as u64;
        Ok(())
    }

    /// Appends the rest: in all `n` input samples give `round(n * 16000 / rate)`.
    ///
    /// # Errors
    /// When the transform refuses a block, which is a defect.
    pub fn finish(mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        let rate = u128::from(self.rate);
        let total = (u128::from(self.taken) * u128::from(SAMPLE_RATE) + rate / 2) / rate;
        let Some(filter) = &mut self.filter else { return Ok(()) };
        let left = usize::try_from(total.saturating_sub(u128::from(self.given))).unwrap_or(usize::MAX);
        let end = out.len() + left;
        let silence = vec![0.0; filter.block_in];
        while out.len() < end {
            filter.push(&silence, out).map_err(|what| AudioError::Resampler { rate: self.rate, what })?;
        }
        out.truncate(end);
        Ok(())
    }
}

impl Filter {
    fn new(rate: u32) -> Result<Self, AudioError> {
        let divisor = gcd(rate, SAMPLE_RATE);
        let step = rate / divisor;
        // An even number of steps: the delay, half a block of output, is then a whole number of samples.
        let blocks = TRANSFORM.div_ceil(step).next_multiple_of(2);
        let block_in = (step * blocks) as usize;
        let fft = Fft::new_custom(
            rate as usize,
            SAMPLE_RATE as usize,
            block_in,
            1,
            1,
            WindowFunction::BlackmanHarris2,
            FixedSync::Both,
        )
        .map_err(|error| AudioError::Resampler { rate, what: error.to_string() })?;
        let block_out = vec![0.0; fft.output_frames_next()];
        let delay = fft.output_delay();
        Ok(Self { block_in: fft.input_frames_next(), fft, pending: Vec::new(), block_out, delay })
    }

    fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<(), String> {
        self.pending.extend_from_slice(samples);
        let mut pending = std::mem::take(&mut self.pending);
        let mut blocks = pending.chunks_exact(self.block_in);
        for block in &mut blocks {
            self.transform(block, out)?;
        }
        let rest = blocks.remainder().len();
        pending.drain(..pending.len() - rest);
        self.pending = pending;
        Ok(())
    }

    fn transform(&mut self, block: &[f32], out: &mut Vec<f32>) -> Result<(), String> {
        let length = self.block_out.len();
        let input = SequentialSlice::new(block, 1, block.len()).map_err(|error| error.to_string())?;
        let mut output = SequentialSlice::new_mut(&mut self.block_out, 1, length).map_err(|error| error.to_string())?;
        self.fft.process_into_buffer(&input, &mut output, None).map_err(|error| error.to_string())?;
        let dropped = self.delay.min(length);
        out.extend(self.block_out.iter().skip(dropped));
        self.delay -= dropped;
        Ok(())
    }
}

/// Greatest common divisor.
fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use proptest::prelude::*;

    use super::*;

    fn resample(rate: u32, samples: &[f32], cuts: &[usize]) -> Vec<f32> {
        let mut resampler = Resampler::new(rate).unwrap();
        let mut out = Vec::new();
        let mut rest = samples;
        for cut in cuts.iter().cycle().take(if cuts.is_empty() { 0 } else { 10_000 }) {
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            resampler.push(piece, &mut out).unwrap();
            rest = after;
        }
        resampler.push(rest, &mut out).unwrap();
        resampler.finish(&mut out).unwrap();
        out
    }

    fn tone(rate: u32, hertz: f64, seconds: f64) -> Vec<f32> {
        let samples = (f64::from(rate) * seconds) as u32;
        (0..samples).map(|n| (2.0 * PI * hertz * f64::from(n) / f64::from(rate)).sin() as f32).collect()
    }

    fn decibels(samples: &[f32]) -> f64 {
        let power: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64;
        10.0 * (2.0 * power).log10()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn same_output_for_any_pieces(
            rate in prop::sample::select(vec![8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 44_101]),
            samples in prop::collection::vec(-1.0_f32..1.0, 0..12_000),
            cuts in prop::collection::vec(0_usize..5_000, 1..6),
        ) {
            let whole = resample(rate, &samples, &[]);
            let bits = |samples: &[f32]| samples.iter().map(|sample| sample.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&whole), bits(&resample(rate, &samples, &cuts)));
            let expected = (samples.len() as f64 * 16_000.0 / f64::from(rate)).round();
            prop_assert_eq!(whole.len() as f64, expected);
        }
    }

    #[test]
    fn sixteen_kilohertz_passes_through() {
        let samples = tone(16_000, 3_333.0, 0.1);
        assert_eq!(resample(16_000, &samples, &[7]), samples);
    }

    #[test]
    fn tones_keep_level_and_place() {
        for rate in [8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000, 191_999] {
            for hertz in [200.0, 1_000.0, 3_000.0] {
                let out = resample(rate, &tone(rate, hertz, 1.0), &[1_000]);
                let expected = tone(16_000, hertz, 1.0);
                let middle = 4_000..12_000;
                let level = decibels(&out[middle.clone()]);
                assert!(level.abs() < 0.1, "{hertz} Hz at {rate} Hz: {level} dB");
                let worst = middle.map(|n| (out[n] - expected[n]).abs()).fold(0.0, f32::max);
                assert!(worst < 1e-3, "{hertz} Hz at {rate} Hz is off by {worst}");
            }
        }
    }

    #[test]
    fn what_16_khz_cannot_hold_is_suppressed() {
        for (rate, hertz) in [(48_000, 9_000.0), (44_100, 9_000.0), (44_100, 15_000.0), (192_000, 60_000.0), (96_000, 8_500.0)] {
            let out = resample(rate, &tone(rate, hertz, 1.0), &[]);
            let level = decibels(&out[4_000..12_000]);
            assert!(level < -60.0, "{hertz} Hz at {rate} Hz: {level} dB");
        }
    }

    #[test]
    fn a_click_stays_where_it_was() {
        let mut samples = vec![0.0; 48_000];
        samples[24_000] = 1.0;
        let out = resample(48_000, &samples, &[480]);
        let loudest = (0..out.len()).max_by(|a, b| out[*a].total_cmp(&out[*b])).unwrap();
        assert_eq!(loudest, 8_000);
    }

    #[test]
    fn rates_no_recorder_has_are_refused() {
        for rate in [0, 7_999, 192_001, u32::MAX] {
            assert!(matches!(Resampler::new(rate), Err(AudioError::Resampler { rate: refused, .. }) if refused == rate));
        }
    }
}
