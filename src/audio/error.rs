//! What can be wrong with a recording.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a recording cannot be heard. A variant about a file names it, what is wrong and where; none holds a
/// sample.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// The operating system would not open the file.
    #[error("cannot open `{}`: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system would not go on reading the file.
    #[error("cannot read `{}` at byte {byte}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// How far from the start of the file.
        byte: u64,
        /// What the operating system said.
        source: io::Error,
    },
    /// A folder, a device or a pipe.
    #[error("`{}` is not a file", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// No bytes at all.
    #[error("`{}` is empty (0 bytes)", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The content is of no audio format that we know, whatever the name says.
    #[error("`{}` is not audio: its content is none of WAV, FLAC, MP3, AAC, M4A, Ogg, WebM, AIFF, CAF", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// A known container without a track of sound.
    #[error("`{}` has no audio track", path.display())]
    NoAudioTrack {
        /// The file.
        path: PathBuf,
    },
    /// A format that is known and cannot be decoded.
    #[error("cannot decode `{}`: {what}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What is not supported.
        what: &'static str,
    },
    /// The sample rate is zero, or one that no recorder of speech has.
    #[error("`{}` has a sample rate of {rate} Hz, not one from 8000 to 192000 Hz", path.display())]
    SampleRate {
        /// The file.
        path: PathBuf,
        /// The stated rate in Hz.
        rate: u32,
    },
    /// No channels, or more than any recorder has.
    #[error("`{}` has {channels} channels, not 1 to {}", path.display(), crate::audio::MAX_CHANNELS)]
    Channels {
        /// The file.
        path: PathBuf,
        /// The stated number.
        channels: u32,
    },
    /// Not as many channels as speakers were named for.
    #[error("`{}` has {channels} channel(s), and {named} speaker(s) are named: it takes one for each channel", path.display())]
    ChannelNames {
        /// The file.
        path: PathBuf,
        /// How many it has.
        channels: usize,
        /// How many were named.
        named: usize,
    },
    /// The file holds less than its own headers say.
    #[error("`{}` ends early: it states {stated} {unit} and holds {found}", path.display())]
    EndsEarly {
        /// The file.
        path: PathBuf,
        /// How many its header states.
        stated: u64,
        /// How many there are.
        found: u64,
        /// Of what: `bytes`, `samples` a channel, `frames`.
        unit: &'static str,
    },
    /// The file stops before what marks its end, or before the part that says what it holds.
    #[error("`{}` ends early: {missing} is missing", path.display())]
    NoEnd {
        /// The file.
        path: PathBuf,
        /// The part that is not there.
        missing: &'static str,
    },
    /// The content contradicts the format.
    #[error("`{}` is damaged at {at}: {what}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where.
        at: Place,
        /// What is wrong there.
        what: &'static str,
    },
    /// A recording of nothing.
    #[error("`{}` holds no sound (0 samples)", path.display())]
    NoSamples {
        /// The file.
        path: PathBuf,
    },
    /// A sample is not a number, infinite, or so large that it cannot be sound.
    #[error("`{}` has a sample that is not a finite number in range: sample {sample} of channel {channel} ({seconds:.3} s)", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// Index of the first such sample in its channel, at the file's own rate.
        sample: u64,
        /// Index of the channel, from 0.
        channel: usize,
        /// Time of the sample since the start in seconds.
        seconds: f64,
    },
    /// The decoder itself failed on this file, which is a defect of the decoder whatever the file holds.
    #[error("the decoder failed on `{}` after {seconds:.3} s", path.display())]
    DecoderFailed {
        /// The file.
        path: PathBuf,
        /// How far it came, in seconds.
        seconds: f64,
    },
    /// A live stream states a format that cannot be heard.
    #[error("`{option}` cannot be {}: expected {expected}", value.map_or("that".to_owned(), |value| value.to_string()))]
    StreamFormat {
        /// Which part of the format.
        option: &'static str,
        /// What was stated, where it is a number.
        value: Option<u32>,
        /// What it can be.
        expected: &'static str,
    },
    /// A frame of a live stream is not what the stream's format says.
    #[error("a frame of the stream is not sound: {what}")]
    Frame {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The resampler cannot be made for this rate.
    #[error("cannot resample {rate} Hz to 16000 Hz: {what}")]
    Resampler {
        /// The input rate in Hz.
        rate: u32,
        /// What the resampler said.
        what: String,
    },
}

/// Where in a file something is wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// Bytes from the start of the file.
    Byte(u64),
    /// Seconds of sound from the start.
    Second(f64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte(byte) => write!(f, "byte {byte}"),
            Self::Second(second) => write!(f, "{second:.3} s"),
        }
    }
}
