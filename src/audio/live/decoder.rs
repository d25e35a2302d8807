//! Frames to samples: at 16 kHz to be recognised, at their own rate to be played.

use symphonia::core::audio::layouts::{CHANNEL_LAYOUT_MONO, CHANNEL_LAYOUT_STEREO};
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use super::{OPUS_RATE, StreamEncoding, StreamFormat, floats, integers};
use crate::audio::stream::{CODECS, LARGEST_SAMPLE, shielded};
use crate::audio::{AudioError, Resampler};

/// What becomes of a stream's channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mixing {
    /// One output: their mean.
    Mono,
    /// One output for each: every speaker has a microphone.
    Separate,
}

/// The frames of one stream to 16 kHz, as [`crate::audio::AudioFile`] makes it of a file with the same samples.
pub struct StreamDecoder {
    mixing: Mixing,
    frames: Frames,
    resamplers: Vec<Resampler>,
    /// One channel's samples, or the mean's, at the stream's own rate.
    single: Vec<f32>,
}

impl StreamDecoder {
    /// A stream of which nothing has been decoded.
    ///
    /// # Errors
    /// When the resampler or the Opus decoder cannot be made.
    pub fn new(format: StreamFormat, mixing: Mixing) -> Result<Self, AudioError> {
        let outputs = match mixing {
            Mixing::Mono => 1,
            Mixing::Separate => usize::from(format.channels),
        };
        let resamplers = resamplers(format, outputs)?;
        Ok(Self { mixing, frames: Frames::new(format)?, resamplers, single: Vec::new() })
    }

    /// Takes the next frame and returns the samples that are ready: of each output as many.
    ///
    /// # Errors
    /// As [`StreamFormat::samples`]: such a frame leaves no trace. A decoder that fails on what is a packet, which is a defect.
    pub fn push(&mut self, frame: &[u8]) -> Result<Vec<Vec<f32>>, AudioError> {
        let Self { mixing, frames, resamplers, single } = self;
        let channels = usize::from(frames.format.channels);
        let interleaved = frames.decode(frame)?;
        let mut ready = vec![Vec::new(); resamplers.len()];
        for (channel, (resampler, out)) in resamplers.iter_mut().zip(&mut ready).enumerate() {
            single.clear();
            let each = interleaved.chunks_exact(channels);
            match mixing {
                Mixing::Mono => single.extend(each.map(mean)),
                Mixing::Separate => single.extend(each.filter_map(|samples| samples.get(channel))),
            }
            resampler.push(single, out)?;
        }
        Ok(ready)
    }

    /// The take is over: the samples that were still on their way. The next frame begins another.
    ///
    /// # Errors
    /// When the resampler or the Opus decoder cannot be made again.
    pub fn finish(&mut self) -> Result<Vec<Vec<f32>>, AudioError> {
        let anew = resamplers(self.frames.format, self.resamplers.len())?;
        let mut rest = Vec::new();
        for resampler in std::mem::replace(&mut self.resamplers, anew) {
            let mut out = Vec::new();
            resampler.finish(&mut out)?;
            rest.push(out);
        }
        self.frames.begin_take();
        Ok(rest)
    }
}

fn resamplers(format: StreamFormat, outputs: usize) -> Result<Vec<Resampler>, AudioError> {
    (0..outputs).map(|_| Resampler::new(format.rate)).collect()
}

fn mean(samples: &[f32]) -> f32 {
    samples.iter().sum::<f32>() / samples.len() as f32
}

/// The frames of one stream to what is played: the mean of the channels at the stream's own rate.
///
/// Opus remembers: to play from the middle, push the packets of half a second before it and drop what
/// they give.
pub struct Playback {
    frames: Frames,
}

impl Playback {
    /// A stream of which nothing has been played.
    ///
    /// # Errors
    /// When the Opus decoder cannot be made.
    pub fn new(format: StreamFormat) -> Result<Self, AudioError> {
        Ok(Self { frames: Frames::new(format)? })
    }

    /// Appends a frame's samples: as many as [`StreamFormat::samples`] counts.
    ///
    /// # Errors
    /// As [`StreamDecoder::push`].
    pub fn push(&mut self, frame: &[u8], out: &mut Vec<i16>) -> Result<(), AudioError> {
        let channels = usize::from(self.frames.format.channels);
        let interleaved = self.frames.decode(frame)?;
        // The cast rounds towards zero and keeps within the type's limits.
        out.extend(interleaved.chunks_exact(channels).map(|samples| (mean(samples) * 32_768.0).round() as i16));
        Ok(())
    }
}

/// Frames to interleaved samples at the stream's own rate.
struct Frames {
    format: StreamFormat,
    opus: Option<Box<dyn AudioDecoder>>,
    interleaved: Vec<f32>,
}

impl Frames {
    fn new(format: StreamFormat) -> Result<Self, AudioError> {
        let opus = if format.encoding == StreamEncoding::Opus { Some(opus_decoder(format.channels)?) } else { None };
        Ok(Self { format, opus, interleaved: Vec::new() })
    }

    fn decode(&mut self, frame: &[u8]) -> Result<&[f32], AudioError> {
        let samples = self.format.samples(frame)?;
        self.interleaved.clear();
        match (&mut self.opus, self.format.encoding) {
            _ if samples == 0 => {}
            (None, StreamEncoding::PcmS16le) => {
                self.interleaved.extend(integers(frame).map(|sample| f32::from(sample) / 32_768.0));
            }
            (None, _) => self.interleaved.extend(floats(frame)),
            (Some(decoder), _) => {
                let packet = Packet::new(0, Timestamp::new(0), Duration::new(samples), frame);
                let interleaved = &mut self.interleaved;
                let found = shielded(|| {
                    let buffer = decoder.decode(&packet)?;
                    buffer.copy_to_vec_interleaved(interleaved);
                    Ok(buffer.frames() as u64)
                });
                if found.ok() != Some(samples) {
                    return Err(AudioError::Frame { what: "the Opus decoder failed on it" });
                }
                // It was accepted, so it must be heard: a hostile packet can decode to anything, but not to what is no number.
                for sample in interleaved {
                    *sample = if sample.is_nan() { 0.0 } else { sample.clamp(-LARGEST_SAMPLE, LARGEST_SAMPLE) };
                }
            }
        }
        Ok(&self.interleaved)
    }

    fn begin_take(&mut self) {
        if let Some(decoder) = &mut self.opus {
            decoder.reset();
        }
    }
}

fn opus_decoder(channels: u16) -> Result<Box<dyn AudioDecoder>, AudioError> {
    let mut parameters = AudioCodecParameters::new();
    let layout = if channels == 1 { CHANNEL_LAYOUT_MONO } else { CHANNEL_LAYOUT_STEREO };
    parameters.for_codec(CODEC_ID_OPUS).with_sample_rate(OPUS_RATE).with_channels(layout);
    shielded(|| CODECS.make_audio_decoder(&parameters, &AudioDecoderOptions::default()))
        .map_err(|_| AudioError::Frame { what: "no Opus decoder could be made for it" })
}
