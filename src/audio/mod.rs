//! From a file to bounded chunks of 16 kHz mono samples, and from samples to what models hear: log-mel, or Kaldi's filter bank.
//!
//! Invariant: a recording is heard whole or refused. What a file's headers state is held against what it holds, so that no damaged
//! or cut file passes for a shorter consultation.

use std::ops::RangeInclusive;

mod container;
mod decode;
mod error;
mod filter_bank;
mod live;
mod mel;
mod resample;
mod source;
mod stream;

pub use decode::{AudioFile, Channel, FileIdentity};
pub use error::{AudioError, Place};
pub use filter_bank::{Features, FilterBank};
pub use live::{
    MAX_STREAM_CHANNELS, Mixing, OPUS_RATE, Playback, StreamDecoder, StreamEncoding, StreamFormat, WAV_HEADER_BYTES, to_wav,
    wav_header,
};
pub use mel::{LogMel, Mel};
pub use resample::Resampler;
pub use source::ReadSeek;

/// The one sample rate behind the decoder: every model hears 16 kHz.
pub const SAMPLE_RATE: u32 = 16_000;

/// The sample rates in Hz that a recording may have.
pub const SAMPLE_RATES: RangeInclusive<u32> = 8_000..=192_000;

/// The most channels that a recording may have: more than any recorder has, few enough that no header makes us reserve much memory.
pub const MAX_CHANNELS: u32 = 64;

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
