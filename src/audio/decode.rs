//! A recording on disk to bounded chunks of 16 kHz mono samples.

use std::fs::File;
use std::path::Path;

use super::source::{ReadSeek, Source};
use super::stream::Stream;
use super::{AudioError, Resampler, SAMPLE_RATE, SampleIndex};

/// The most samples that one [`AudioFile::read`] appends: a second.
const CHUNK: usize = SAMPLE_RATE as usize;

/// Which recording it was, known once it has been heard to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileIdentity {
    /// Length in samples at [`SAMPLE_RATE`].
    pub length: SampleIndex,
    /// Lower-case hexadecimal SHA-256 of the file's bytes.
    pub sha256: String,
}

/// One of a recording's channels, where each is a speaker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channel {
    /// From 0.
    pub index: usize,
    /// How many there must be.
    pub of: usize,
}

/// How far a recording has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Reading,
    /// Decoded whole; what is left waits in `ready`.
    Decoded,
    Failed,
}

/// A recording being read, in memory that does not grow with its length.
///
/// WAV (RF64 and unfinished ones too), FLAC, MP3, AAC (ADTS, MP4), Ogg Vorbis and Opus, WebM, AIFF, CAF and ALAC, told by content,
/// with 8 to 192 kHz and 1 to 64 channels, which are mixed to their mean. Encoder delay and padding are cut off where the container
/// states them.
///
/// ```no_run
/// use cantoscribe::audio::AudioFile;
/// let mut file = AudioFile::open("visit.m4a".as_ref())?;
/// let mut samples = Vec::new();
/// while file.read(&mut samples)? {
///     samples.clear();
/// }
/// println!("{:?}", file.identity());
/// # Ok::<(), cantoscribe::audio::AudioError>(())
/// ```
pub struct AudioFile {
    stream: Stream,
    sha256: String,
    resampler: Option<Resampler>,
    /// One packet at the file's own rate.
    packet: Vec<f32>,
    /// Samples at [`SAMPLE_RATE`] not yet handed out, the first `taken` of them aside.
    ready: Vec<f32>,
    taken: usize,
    handed_out: u64,
    progress: Progress,
}

impl AudioFile {
    /// Opens a recording: hashes its bytes and checks its headers against them.
    ///
    /// # Errors
    /// When it cannot be read, is of no known format, or is damaged or cut off in a way that shows without decoding.
    pub fn open(path: &Path) -> Result<Self, AudioError> {
        Self::new(path, open(path)?, None)
    }

    /// Opens one channel of a recording, to be heard without the others.
    ///
    /// # Errors
    /// As [`AudioFile::open`]; [`AudioFile::read`] then gives [`AudioError::ChannelNames`] where there are not so many channels.
    pub fn open_channel(path: &Path, channel: Channel) -> Result<Self, AudioError> {
        Self::new(path, open(path)?, Some(channel))
    }

    /// Opens a recording that is not, or not only, a file; `name` stands for it in errors.
    ///
    /// # Errors
    /// As [`AudioFile::open`].
    pub fn from_reader(name: &Path, reader: Box<dyn ReadSeek>) -> Result<Self, AudioError> {
        Self::new(name, reader, None)
    }

    fn new(name: &Path, reader: Box<dyn ReadSeek>, channel: Option<Channel>) -> Result<Self, AudioError> {
        let mut source = Source::new(name, reader)?;
        let sha256 = source.sha256()?;
        let stream = Stream::open(source, channel)?;
        Ok(Self {
            stream,
            sha256,
            resampler: None,
            packet: Vec::new(),
            ready: Vec::new(),
            taken: 0,
            handed_out: 0,
            progress: Progress::Reading,
        })
    }

    /// Appends up to a second of samples to `out`; false, with nothing appended, once the whole recording has been handed out.
    ///
    /// # Errors
    /// At the first damage. What was appended before is then no recording: there is no [`AudioFile::identity`], and each further call
    /// is an error too.
    pub fn read(&mut self, out: &mut Vec<f32>) -> Result<bool, AudioError> {
        while self.progress == Progress::Reading && self.waiting().is_empty() {
            self.ready.clear();
            self.taken = 0;
            self.decode().inspect_err(|_| self.progress = Progress::Failed)?;
        }
        if self.progress == Progress::Failed {
            return Err(self.stream.stopped());
        }
        let chunk = self.waiting().len().min(CHUNK);
        out.extend(self.waiting().iter().take(chunk));
        self.taken += chunk;
        self.handed_out += chunk as u64;
        Ok(chunk > 0)
    }

    /// Which recording it was; nothing before [`AudioFile::read`] has handed out all of it.
    #[must_use]
    pub fn identity(&self) -> Option<FileIdentity> {
        (self.progress == Progress::Decoded && self.waiting().is_empty())
            .then(|| FileIdentity { length: SampleIndex(self.handed_out), sha256: self.sha256.clone() })
    }

    fn waiting(&self) -> &[f32] {
        self.ready.get(self.taken..).unwrap_or_default()
    }

    /// Decodes and resamples one packet, or flushes the resampler at the end.
    fn decode(&mut self) -> Result<(), AudioError> {
        self.packet.clear();
        let more = self.stream.next(&mut self.packet)?;
        if self.resampler.is_none() {
            self.resampler = self.stream.rate().map(Resampler::new).transpose()?;
        }
        if let Some(resampler) = &mut self.resampler {
            resampler.push(&self.packet, &mut self.ready)?;
        }
        if !more {
            if let Some(resampler) = self.resampler.take() {
                resampler.finish(&mut self.ready)?;
            }
            self.progress = Progress::Decoded;
        }
        Ok(())
    }
}

fn open(path: &Path) -> Result<Box<dyn ReadSeek>, AudioError> {
    let cannot = |source| AudioError::Open { path: path.to_owned(), source };
    // Asked before opening: to open a pipe that nothing writes to would wait for ever.
    if !std::fs::metadata(path).map_err(cannot)?.is_file() {
        return Err(AudioError::NotAFile { path: path.to_owned() });
    }
    Ok(Box::new(File::open(path).map_err(cannot)?))
}
