//! Speech probability, frame by frame, from a stream of samples in chunks of any size.

use std::sync::Arc;

use super::SpeechError;
use super::model::silero_vad::{CONTEXT, FRAME, INPUT, SileroState, SileroVad};
use crate::audio::SampleIndex;

/// Samples a block, the finest place where a long utterance can be cut: 8 ms.
pub const BLOCK: usize = 128;
/// Blocks a frame.
pub const BLOCKS: usize = FRAME / BLOCK;

/// What is known of one frame of [`FRAME`] samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Where it begins.
    pub start: SampleIndex,
    /// That it holds speech, 0 to 1.
    pub probability: f32,
    /// Mean square of the samples of each [`BLOCK`] of it.
    pub energies: [f32; BLOCKS],
}

/// Anything that tells frames of speech from others in a stream.
pub trait VoiceDetector: Send {
    /// Takes the next samples of 16 kHz mono, any number of them, and returns the frames that are now whole.
    ///
    /// The frames do not depend on how the stream is divided into calls.
    ///
    /// # Errors
    /// [`SpeechError::NotFinite`] for NaN or infinite samples; a failure of the model.
    fn push(&mut self, samples: &[f32]) -> Result<Vec<Frame>, SpeechError>;

    /// The last frame, filled up with silence, where the stream did not end with a frame; then starts anew.
    ///
    /// # Errors
    /// A failure of the model.
    fn flush(&mut self) -> Result<Option<Frame>, SpeechError>;

    /// Forgets the stream: the next sample is the first of another.
    ///
    /// # Errors
    /// A failure of the model.
    fn reset(&mut self) -> Result<(), SpeechError>;
}

/// One stream through [`SileroVad`].
pub struct VoiceActivity {
    model: Arc<SileroVad>,
    state: SileroState,
    /// The context of the next frame, and what there is of it.
    pending: Vec<f32>,
    /// Where the next frame begins.
    next: u64,
}

impl VoiceActivity {
    /// A stream that nothing has been heard of yet.
    #[must_use]
    pub fn new(model: Arc<SileroVad>) -> Self {
        let state = model.start();
        Self { model, state, pending: vec![0.0; CONTEXT], next: 0 }
    }

    /// Runs the frame that `pending` now holds, and keeps its end as the next one's context.
    fn step(&mut self) -> Result<Frame, SpeechError> {
        let probability = self.model.step(&self.pending, &mut self.state)?;
        let mut energies = [0.0; BLOCKS];
        for (energy, block) in energies.iter_mut().zip(self.pending.get(CONTEXT..).unwrap_or_default().chunks(BLOCK)) {
            *energy = mean_square(block);
        }
        let frame = Frame { start: SampleIndex(self.next), probability, energies };
        self.pending.drain(..FRAME);
        self.next += FRAME as u64;
        Ok(frame)
    }
}

impl VoiceDetector for VoiceActivity {
    fn push(&mut self, samples: &[f32]) -> Result<Vec<Frame>, SpeechError> {
        if let Some(index) = samples.iter().position(|sample| !sample.is_finite()) {
            return Err(SpeechError::NotFinite { index });
        }
        let mut frames = Vec::new();
        let mut rest = samples.iter();
        loop {
            let missing = INPUT - self.pending.len();
            // A float file can hold anything; far outside full scale the network's state would never recover.
            self.pending.extend(rest.by_ref().take(missing).map(|sample| sample.clamp(-1.0, 1.0)));
            if self.pending.len() < INPUT {
                return Ok(frames);
            }
            frames.push(self.step()?);
        }
    }

    fn flush(&mut self) -> Result<Option<Frame>, SpeechError> {
        let last = if self.pending.len() > CONTEXT {
            self.pending.resize(INPUT, 0.0);
            Some(self.step()?)
        } else {
            None
        };
        self.reset()?;
        Ok(last)
    }

    fn reset(&mut self) -> Result<(), SpeechError> {
        self.state = self.model.start();
        self.pending = vec![0.0; CONTEXT];
        self.next = 0;
        Ok(())
    }
}

fn mean_square(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32
}
