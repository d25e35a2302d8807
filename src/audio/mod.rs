//! From a file to bounded chunks of 16 kHz mono samples, and from samples to log-mel.

pub mod mel;

/// The one sample rate behind the decoder: every model hears 16 kHz.
pub const SAMPLE_RATE: u32 = 16_000;

/// A point in a recording: samples a channel since its start, at [`SAMPLE_RATE`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleIndex(pub u64);

impl SampleIndex {
    /// Milliseconds since the start, rounded down; made only where a document is written.
    #[must_use]
    pub fn milliseconds(self) -> u64 {
        self.0.saturating_mul(1000) / u64::from(SAMPLE_RATE)
    }
}
