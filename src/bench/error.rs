//! What can go wrong while measuring.

use std::path::PathBuf;

use crate::audio::AudioError;
use crate::engine::EngineError;
use crate::models::ModelError;
use crate::room::RoomError;
use crate::speech::SpeechError;
use crate::store::StoreError;
use crate::terminology::TerminologyError;

/// Why nothing, or nothing more, could be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Reading or writing failed.
    #[error("could not {action} `{}`: {reason}", path.display())]
    Io {
        /// A verb in its plain form.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        reason: std::io::Error,
    },
    /// The folder holds no recording.
    #[error("there is no recording in `{}`: expected files that end in {expected}, or a `manifest.tsv`", path.display())]
    NoRecordings {
        /// The folder.
        path: PathBuf,
        /// Endings of file names.
        expected: String,
    },
    /// The manifest cannot be used.
    #[error("`{}`, line {line}: {problem}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// From 1; 1 is the header.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// A recording has no transcript to compare with.
    #[error("`{}` has no transcript: expected what is said in it in `{}`; --speed-only needs none", recording.display(), transcript.display())]
    NoTranscript {
        /// The recording.
        recording: PathBuf,
        /// Where its transcript would be.
        transcript: PathBuf,
    },
    /// A transcript says nothing.
    #[error("the transcript of `{}` in `{}` is empty; --speed-only needs none", recording.display(), transcript.display())]
    EmptyTranscript {
        /// The recording.
        recording: PathBuf,
        /// The transcript or the manifest.
        transcript: PathBuf,
    },
    /// Nobody speaks in any recording.
    #[error("no speech was found in the {count} recordings: nothing can be measured with them")]
    NoSpeech {
        /// How many recordings there are.
        count: usize,
    },
    /// No speech model is installed.
    #[error("no speech model is installed in `{}`: `cantoscribe models pull whisper-base` fetches one", folder.display())]
    NoModel {
        /// The folder of the models.
        folder: PathBuf,
    },
    /// A recording cannot be heard.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// A model cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A model fails.
    #[error(transparent)]
    Speech(#[from] SpeechError),
    /// The engine fails.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A room fails.
    #[error(transparent)]
    Room(#[from] RoomError),
    /// The scratch data folder fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The built-in terms are broken.
    #[error(transparent)]
    Terms(#[from] TerminologyError),
    /// A room ended before its recording did, for a reason that the log names.
    #[error("a room ended by an error; the log at level `error` says why")]
    RoomEnded,
    /// The built-in tables of characters could not be read.
    #[error("cannot read the built-in script tables: {0}")]
    Script(String),
    /// A process of ourselves ended with an error.
    #[error("`cantoscribe transcribe` on one of the recordings ended with {status}")]
    Child {
        /// Its exit code or signal.
        status: String,
    },
    /// The report could not be written as JSON.
    #[error("cannot write the report: {0}")]
    Json(serde_json::Error),
}

impl BenchError {
    /// Turns an I/O error into one that names what was done to which file.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |reason| Self::Io { action, path, reason }
    }
}
