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
