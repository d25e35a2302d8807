//! Packets of a recording to mono samples at its own rate, every one accounted for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::{Hint, Probe};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::units::Duration;
use symphonia::default::formats::{
    AdtsReader, AiffReader, CafReader, FlacReader, IsoMp4Reader, MkvReader, MpaReader, OggReader, WavReader,
};

use super::container::{self, Delay, Length};
use super::decode::Channel;
use super::source::Source;
use super::{AudioError, MAX_CHANNELS, Place, SAMPLE_RATES};

/// Samples written as floats without scaling 16-bit integers reach 32768. What is beyond is no sound, and would overflow on the way.
pub(super) const LARGEST_SAMPLE: f32 = 65_536.0;

pub(super) static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut codecs);
    codecs.register_audio_decoder::<symphonia_adapter_libopus::OpusDecoder>();
    codecs
});

/// Containers only: tags before and after the sound are cut off by [`container::inspect`], so no tag reader ever sees a file.
static CONTAINERS: LazyLock<Probe> = LazyLock::new(|| {
    let mut probe = Probe::new();
    probe.register_format::<WavReader<'_>>();
    probe.register_format::<FlacReader<'_>>();
    probe.register_format::<OggReader<'_>>();
    probe.register_format::<IsoMp4Reader<'_>>();
    probe.register_format::<MkvReader<'_>>();
    probe.register_format::<MpaReader<'_>>();
    probe.register_format::<AdtsReader<'_>>();
    probe.register_format::<AiffReader<'_>>();
    probe.register_format::<CafReader<'_>>();
    probe
});

/// What the headers say, in samples a channel of the decoder's output.
#[derive(Debug, Clone, Copy)]
struct Extent {
    skip: u64,
    keep: Option<u64>,
}

/// The first audio track of a recording.
pub(super) struct Stream {
    path: PathBuf,
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    /// The only one that is heard; nothing: the mean of all.
    channel: Option<Channel>,
    track: Track,
    delay: Delay,
    length: Length,
    /// Rate in Hz, channels and extent; known with the first packet, and the same in all.
    form: Option<(u32, usize, Extent)>,
    /// Samples a channel decoded, delay included.
    decoded: u64,
    /// Samples a channel handed on.
    kept: u64,
    interleaved: Vec<f32>,
}

impl Stream {
    pub(super) fn open(mut source: Source, channel: Option<Channel>) -> Result<Self, AudioError> {
        let facts = container::inspect(&mut source)?;
        let path = source.path.clone();
        let start = |error| failure(&path, 0.0, error);
        let view = source.into_view(facts.view)?;
        let bytes = MediaSourceStream::new(Box::new(view), MediaSourceStreamOptions::default());
        let reader = shielded(|| CONTAINERS.probe(&Hint::new(), bytes, FormatOptions::default(), MetadataOptions::default()));
        let reader = reader.map_err(start)?;
        let Some(track) = reader.first_track(TrackType::Audio).cloned() else {
            return Err(AudioError::NoAudioTrack { path });
        };
        let Some(mut parameters) = track.codec_params.as_ref().and_then(|parameters| parameters.audio()).cloned() else {
            return Err(AudioError::NoAudioTrack { path });
        };
        check_parameters(&path, &parameters)?;
        if parameters.codec == CODEC_ID_OPUS {
            // The decoder would cut the pre-skip off the first packet only, however much it is; we cut it ourselves.
            parameters.extra_data = None;
        }
        let options = AudioDecoderOptions::default().verify(true);
        let decoder = shielded(|| CODECS.make_audio_decoder(&parameters, &options)).map_err(start)?;
        let (delay, length) = (facts.delay, facts.length);
        Ok(Self {
            path,
            reader,
            decoder,
            channel,
            track,
            delay,
            length,
            form: None,
            decoded: 0,
            kept: 0,
            interleaved: Vec::new(),
        })
    }

    /// Rate in Hz, once a packet was decoded.
    pub(super) fn rate(&self) -> Option<u32> {
        self.form.map(|(rate, ..)| rate)
    }

    /// Appends the next packet's samples, of one channel or the mean of all; false at the end of a whole recording.
    pub(super) fn next(&mut self, mono: &mut Vec<f32>) -> Result<bool, AudioError> {
        if let Some((_, _, Extent { keep: Some(keep), .. })) = self.form
            && self.kept >= keep
        {
            return Ok(false);
        }
        let mut packet = match shielded(|| self.reader.next_packet()) {
            Ok(Some(packet)) => packet,
            Ok(None) => return self.end(),
            Err(Error::IoError(error)) if is_cut(&error) && matches!(self.length, Length::OpenEnd) => return self.end(),
            Err(error) => return Err(self.failure(error)),
        };
        if packet.track_id != self.track.id {
            return Ok(true);
        }
        (packet.trim_start, packet.trim_end) = (Duration::ZERO, Duration::ZERO);
        let interleaved = &mut self.interleaved;
        let decoder = &mut self.decoder;
        let spec = shielded(|| {
            let buffer = decoder.decode(&packet)?;
            if buffer.frames() == 0 {
                return Ok(None);
            }
            buffer.copy_to_vec_interleaved(interleaved);
            Ok(Some((buffer.spec().rate(), buffer.spec().channels().count())))
        });
        match spec {
            Ok(Some((rate, channels))) => self.take(rate, channels, mono)?,
            Ok(None) => {}
            Err(Error::IoError(_)) => return Err(self.corrupt("a packet is cut off")),
            Err(error) => return Err(self.failure(error)),
        }
        Ok(true)
    }

    /// Appends what was decoded, checked, mixed and within the extent.
    fn take(&mut self, rate: u32, channels: usize, mono: &mut Vec<f32>) -> Result<(), AudioError> {
        let extent = match self.form {
            Some((known_rate, known_channels, extent)) if (known_rate, known_channels) == (rate, channels) => extent,
            Some(_) => return Err(self.corrupt("its rate or number of channels changes")),
            None => self.settle(rate, channels)?,
        };
        let end = extent.keep.map_or(u64::MAX, |keep| extent.skip.saturating_add(keep));
        for frame in self.interleaved.chunks_exact(channels) {
            if (extent.skip..end).contains(&self.decoded) {
                if let Some(channel) = frame.iter().position(|sample| sample.is_nan() || sample.abs() > LARGEST_SAMPLE) {
                    let seconds = self.kept as f64 / f64::from(rate);
                    return Err(AudioError::NotFinite { path: self.path.clone(), sample: self.kept, channel, seconds });
                }
                let only = self.channel.and_then(|channel| frame.get(channel.index));
                mono.push(only.copied().unwrap_or_else(|| frame.iter().sum::<f32>() / channels as f32));
                self.kept += 1;
            }
            self.decoded += 1;
        }
        Ok(())
    }

    /// Fixes rate, channels and extent from the first decoded packet.
    fn settle(&mut self, rate: u32, channels: usize) -> Result<Extent, AudioError> {
        if !SAMPLE_RATES.contains(&rate) {
            return Err(AudioError::SampleRate { path: self.path.clone(), rate });
        }
        let count = u32::try_from(channels).unwrap_or(u32::MAX);
        if count == 0 || count > MAX_CHANNELS {
            return Err(AudioError::Channels { path: self.path.clone(), channels: count });
        }
        if let Some(Channel { of, .. }) = self.channel.filter(|channel| channel.of != channels) {
            return Err(AudioError::ChannelNames { path: self.path.clone(), channels, named: of });
        }
        let extent = extent(&self.track, self.delay, self.length, rate);
        self.form = Some((rate, channels, extent));
        Ok(extent)
    }

    /// Whether all is there that was stated.
    fn end(&mut self) -> Result<bool, AudioError> {
        let path = || self.path.clone();
        let Some((_, _, extent)) = self.form else { return Err(AudioError::NoSamples { path: path() }) };
        match extent.keep {
            Some(keep) if self.kept < keep => {
                return Err(AudioError::EndsEarly { path: path(), stated: keep, found: self.kept, unit: "samples" });
            }
            _ if self.kept == 0 => return Err(AudioError::NoSamples { path: path() }),
            _ => {}
        }
        match shielded(|| Ok(self.decoder.finalize())) {
            Ok(result) if result.verify_ok == Some(false) => Err(self.corrupt("the sound does not match its checksum")),
            Ok(_) => Ok(false),
            Err(error) => Err(self.failure(error)),
        }
    }

    /// The error of reading on after an error.
    pub(super) fn stopped(&self) -> AudioError {
        self.corrupt("it was found damaged before")
    }

    fn seconds(&self) -> f64 {
        self.form.map_or(0.0, |(rate, ..)| self.decoded as f64 / f64::from(rate))
    }

    fn corrupt(&self, what: &'static str) -> AudioError {
        AudioError::Corrupt { path: self.path.clone(), at: Place::Second(self.seconds()), what }
    }

    fn failure(&self, error: Error) -> AudioError {
        failure(&self.path, self.seconds(), error)
    }
}

/// Refuses what the headers already rule out.
fn check_parameters(path: &Path, parameters: &AudioCodecParameters) -> Result<(), AudioError> {
    match parameters.sample_rate {
        Some(rate) if !SAMPLE_RATES.contains(&rate) => return Err(AudioError::SampleRate { path: path.to_owned(), rate }),
        _ => {}
    }
    match parameters.channels.as_ref().map(|channels| u32::try_from(channels.count()).unwrap_or(u32::MAX)) {
        Some(channels) if channels == 0 || channels > MAX_CHANNELS => {
            Err(AudioError::Channels { path: path.to_owned(), channels })
        }
        _ => Ok(()),
    }
}

/// What to drop and what to keep, in samples of `rate`.
fn extent(track: &Track, delay: Delay, length: Length, rate: u32) -> Extent {
    let samples = |ticks: u64, ticks_a_second: u32| {
        let ticks_a_second = u128::from(ticks_a_second.max(1));
        let samples = (u128::from(ticks) * u128::from(rate) + ticks_a_second / 2) / ticks_a_second;
        u64::try_from(samples).unwrap_or(u64::MAX)
    };
    let skip = match delay {
        Delay::None => 0,
        Delay::Samples(samples) => samples,
        Delay::OpusHeader => opus_pre_skip(track).unwrap_or(0),
        Delay::Track => u64::from(track.delay.unwrap_or(0)),
        Delay::Ticks(ticks, ticks_a_second) => samples(ticks, ticks_a_second),
    };
    let keep = match length {
        Length::Unstated | Length::OpenEnd => None,
        Length::Samples(samples) => Some(samples),
        Length::Track => track.num_frames,
        Length::LastGranule(granule) => {
            let start = u64::try_from(track.start_ts.get()).unwrap_or(0);
            Some(granule.saturating_sub(start).saturating_sub(skip))
        }
        Length::Edited(duration, ticks_a_second) => {
            let track = track.num_frames.map(|frames| frames.saturating_sub(skip));
            let edit = Some(samples(duration, ticks_a_second)).filter(|_| duration > 0 && ticks_a_second > 0);
            // The movie's clock is coarser than the samples: within a tick of it the track's own count is the exact one.
            let tick = samples(1, ticks_a_second).max(1);
            match (track, edit) {
                (Some(track), Some(edit)) if edit.abs_diff(track) <= tick => Some(track),
                (Some(track), Some(edit)) => Some(track.min(edit)),
                (track, edit) => track.or(edit),
            }
        }
    };
    Extent { skip, keep }
}

/// The pre-skip of an Opus track in samples at 48 kHz: bytes 10 and 11 of its header (RFC 7845, 5.1).
fn opus_pre_skip(track: &Track) -> Option<u64> {
    let parameters = track.codec_params.as_ref()?.audio().filter(|parameters| parameters.codec == CODEC_ID_OPUS)?;
    match parameters.extra_data.as_deref()?.get(10..12)? {
        [low, high] => Some(u64::from(u16::from_le_bytes([*low, *high]))),
        _ => None,
    }
}

/// What stands for a panic of the decoder among its errors.
const PANICKED: &str = "the decoder panicked";

/// Runs a call into the decoder's crates. They parse hostile bytes, and a panic of theirs must not take a room down.
pub(super) fn shielded<T>(call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(Error::DecodeError(PANICKED)))
}

fn is_cut(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::UnexpectedEof
}

fn failure(path: &Path, seconds: f64, error: Error) -> AudioError {
    let path = path.to_owned();
    let corrupt = |path, what| AudioError::Corrupt { path, at: Place::Second(seconds), what };
    match error {
        Error::DecodeError(PANICKED) => AudioError::DecoderFailed { path, seconds },
        Error::IoError(error) if is_cut(&error) => AudioError::NoEnd { path, missing: "the rest of its data" },
        Error::IoError(_) => corrupt(path, "it cannot be read on"),
        Error::DecodeError(what) | Error::LimitError(what) => corrupt(path, what),
        Error::Unsupported(what) => AudioError::Unsupported { path, what },
        Error::ResetRequired => AudioError::Unsupported { path, what: "more than one stream, one after the other" },
        Error::SeekError(_) => corrupt(path, "it points outside itself"),
        _ => corrupt(path, "the decoder gives no reason"),
    }
}
