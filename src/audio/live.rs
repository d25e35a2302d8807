//! From the frames of a live stream to 16 kHz samples, the same whatever the frames' borders.
//!
//! A frame is checked before it is accepted ([`StreamFormat::samples`]), and what was accepted can be decoded: so a recording that
//! was spooled can always be finished.

mod decoder;
mod opus;
mod wav;

use std::fmt;
use std::str::FromStr;

use super::stream::LARGEST_SAMPLE;
use super::{AudioError, SAMPLE_RATES};

pub use decoder::{Mixing, Playback, StreamDecoder};
pub use wav::{WAV_HEADER_BYTES, to_wav, wav_header};

/// The most channels that a stream may have.
pub const MAX_STREAM_CHANNELS: u16 = 8;

/// The only rate in Hz of a stream of Opus packets: what its decoder gives, whatever went in.
pub const OPUS_RATE: u32 = 48_000;

/// How the samples of a stream are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamEncoding {
    /// `pcm_s16le`: interleaved 16-bit integers, little-endian.
    PcmS16le,
    /// `pcm_f32le`: interleaved 32-bit floats, little-endian; full scale is 1.
    PcmF32le,
    /// `opus`: one packet a frame.
    Opus,
}

impl StreamEncoding {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PcmS16le, Self::PcmF32le, Self::Opus];

    /// As the socket's address has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PcmS16le => "pcm_s16le",
            Self::PcmF32le => "pcm_f32le",
            Self::Opus => "opus",
        }
    }
}

impl fmt::Display for StreamEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for StreamEncoding {
    type Err = AudioError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|encoding| encoding.name() == name).ok_or(AudioError::StreamFormat {
            option: "format",
            value: None,
            expected: "pcm_s16le, pcm_f32le or opus",
        })
    }
}

/// What a stream states about its frames, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StreamFormat {
    encoding: StreamEncoding,
    rate: u32,
    channels: u16,
}

impl StreamFormat {
    /// A format that can be heard.
    ///
    /// # Errors
    /// [`AudioError::StreamFormat`] for a rate that is not one of [`SAMPLE_RATES`], or with Opus not [`OPUS_RATE`]; for no channels
    /// or more than [`MAX_STREAM_CHANNELS`], with Opus more than 2.
    pub fn new(encoding: StreamEncoding, rate: u32, channels: u16) -> Result<Self, AudioError> {
        let wrong = |option, value, expected| Err(AudioError::StreamFormat { option, value: Some(value), expected });
        let opus = encoding == StreamEncoding::Opus;
        if opus && rate != OPUS_RATE {
            return wrong("rate", rate, "48000 for opus");
        }
        if !SAMPLE_RATES.contains(&rate) {
            return wrong("rate", rate, "8000 to 192000");
        }
        if opus && !(1..=2).contains(&channels) {
            return wrong("channels", channels.into(), "1 or 2 for opus");
        }
        if !(1..=MAX_STREAM_CHANNELS).contains(&channels) {
            return wrong("channels", channels.into(), "1 to 8");
        }
        Ok(Self { encoding, rate, channels })
    }

    /// How samples are written.
    #[must_use]
    pub const fn encoding(self) -> StreamEncoding {
        self.encoding
    }

    /// Samples a second of each channel.
    #[must_use]
    pub const fn rate(self) -> u32 {
        self.rate
    }

    /// How many channels are interleaved.
    #[must_use]
    pub const fn channels(self) -> u16 {
        self.channels
    }

    /// Checks a frame of the stream and counts its samples, of each channel. An empty frame has none.
    ///
    /// # Errors
    /// [`AudioError::Frame`] when it does not hold whole samples of all channels, when a sample is no sound, or when it is no
    /// Opus packet.
    pub fn samples(&self, frame: &[u8]) -> Result<u64, AudioError> {
        if self.encoding == StreamEncoding::Opus {
            return if frame.is_empty() { Ok(0) } else { opus::samples(frame).map_err(|what| AudioError::Frame { what }) };
        }
        let block = self.bytes_a_sample() * usize::from(self.channels);
        if !frame.len().is_multiple_of(block) {
            return Err(AudioError::Frame { what: "it does not hold whole samples of all channels" });
        }
        if self.encoding == StreamEncoding::PcmF32le && !floats(frame).all(|sample| sample.abs() <= LARGEST_SAMPLE) {
            return Err(AudioError::Frame { what: "it holds a sample that is not a finite number in range" });
        }
        Ok((frame.len() / block) as u64)
    }

    /// Of one channel.
    const fn bytes_a_sample(self) -> usize {
        match self.encoding {
            StreamEncoding::PcmS16le => 2,
            StreamEncoding::PcmF32le | StreamEncoding::Opus => 4,
        }
    }
}

fn floats(frame: &[u8]) -> impl Iterator<Item = f32> + '_ {
    frame.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes))
}

fn integers(frame: &[u8]) -> impl Iterator<Item = i16> + '_ {
    frame.as_chunks::<2>().0.iter().map(|bytes| i16::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests;
