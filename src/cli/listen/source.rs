//! Where the sound comes from: a microphone, or a recording played as if it were spoken.

use std::path::Path;
use std::time::Instant;

use crate::audio::{AudioFile, SAMPLE_RATE};
use crate::capture::{self, CaptureError, Losses, Recorder};

/// Interleaved 16-bit samples.
pub enum Source {
    /// A device of this machine.
    Microphone(Box<Recorder>),
    /// A file.
    Recording(Box<Player>),
}

/// What a read came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// So many samples a channel; none if there are none yet.
    Samples,
    /// There will be no more.
    End,
}

impl Source {
    /// Starts to record from the device of that name, or the default one.
    pub fn record(device: Option<&str>) -> Result<Self, CaptureError> {
        Ok(Self::Microphone(Box::new(Recorder::start(&capture::choose(device)?)?)))
    }

    /// Starts to play a recording, so many times faster than it was spoken; 0 is as fast as possible.
    pub fn play(file: &Path, pace: f64) -> anyhow::Result<Self> {
        let name = file.display().to_string();
        let file = AudioFile::open(file)?;
        let player = Player { name, file, pace, started: Instant::now(), decoded: Vec::new(), given: 0, ended: false };
        Ok(Self::Recording(Box::new(player)))
    }

    /// Samples a second.
    pub fn rate(&self) -> u32 {
        match self {
            Self::Microphone(recorder) => recorder.rate(),
            Self::Recording(_) => SAMPLE_RATE,
        }
    }

    /// Samples in a frame.
    pub fn channels(&self) -> u16 {
        match self {
            Self::Microphone(recorder) => recorder.channels(),
            Self::Recording(_) => 1,
        }
    }

    /// For a line that says what is heard.
    pub fn described(&self) -> String {
        let name = match self {
            Self::Microphone(recorder) => recorder.device.as_str(),
            Self::Recording(player) => player.name.as_str(),
        };
        let channels = if self.channels() == 1 { "1 channel".to_owned() } else { format!("{} channels", self.channels()) };
        format!("`{name}`: {} Hz, {channels}", self.rate())
    }

    /// Appends what there is; never waits.
    pub fn read(&mut self, samples: &mut Vec<i16>) -> anyhow::Result<Read> {
        match self {
            Self::Microphone(recorder) => Ok(recorder.read(samples).map(|_| Read::Samples)?),
            Self::Recording(player) => player.read(samples),
        }
    }

    /// Whether it is a device, which gives sound when it likes.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Microphone(_))
    }

    /// Stops it. What came before can still be read.
    pub fn stop(&mut self) {
        match self {
            Self::Microphone(recorder) => recorder.stop(),
            Self::Recording(player) => player.ended = true,
        }
    }

    /// What was lost so far.
    pub fn losses(&self) -> Losses {
        match self {
            Self::Microphone(recorder) => recorder.losses(),
            Self::Recording(_) => Losses::default(),
        }
    }
}

/// A recording that is played.
pub struct Player {
    name: String,
    file: AudioFile,
    pace: f64,
    started: Instant,
    /// Decoded and not given yet.
    decoded: Vec<f32>,
    given: u64,
    ended: bool,
}

impl Player {
    fn read(&mut self, samples: &mut Vec<i16>) -> anyhow::Result<Read> {
        if self.ended {
            return Ok(Read::End);
        }
        if self.decoded.is_empty() && !self.file.read(&mut self.decoded)? {
            self.ended = true;
            return Ok(Read::End);
        }
        let spoken = self.started.elapsed().as_secs_f64() * self.pace * f64::from(SAMPLE_RATE);
        let due = if self.pace > 0.0 { (spoken as u64).saturating_sub(self.given) } else { u64::MAX };
        let given = usize::try_from(due).unwrap_or(usize::MAX).min(self.decoded.len());
        samples.extend(self.decoded.drain(..given).map(capture::to_pcm));
        self.given += given as u64;
        Ok(Read::Samples)
    }
}
