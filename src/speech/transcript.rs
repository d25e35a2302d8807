//! The transcript document, `cantoscribe/transcript/1`.

mod error;
mod plain;
mod read;
mod write;

use serde::{Deserialize, Serialize};

use super::model::Language;
use crate::audio::FileIdentity;
use crate::text::PatientText;

pub use error::TranscriptError;
pub use read::{read, read_document};
pub use write::{line, to_json, to_srt, to_text, to_vtt};

/// The longest document that is read: an hour of talk with the time of every word has about 2 MB.
pub const MAX_DOCUMENT_BYTES: usize = 64 << 20;

/// The `schema` of the only transcript version there is.
pub const TRANSCRIPT_SCHEMA: &str = "cantoscribe/transcript/1";

/// What was said, segment by segment, and what it was heard with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// Always [`TRANSCRIPT_SCHEMA`].
    pub schema: String,
    /// Language asked for or found: `yue`, `zh`, `en`.
    pub language: String,
    /// The model that heard it; absent for typed or imported text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelIdentity>,
    /// The recording it was heard from; absent for typed or imported text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<AudioIdentity>,
    /// In the order spoken.
    pub segments: Vec<Segment>,
}

impl Transcript {
    /// What was heard of a recording that was read to its end; no language: it was found for each utterance.
    #[must_use]
    pub fn of_recording(
        recording: FileIdentity,
        model: ModelIdentity,
        language: Option<Language>,
        segments: Vec<Segment>,
    ) -> Self {
        let FileIdentity { length, sha256 } = recording;
        Self {
            schema: TRANSCRIPT_SCHEMA.to_owned(),
            language: language.map_or("auto", Language::code).to_owned(),
            model: Some(model),
            audio: Some(AudioIdentity { duration_ms: length.milliseconds(), sha256 }),
            segments,
        }
    }
}

/// Which weights made a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// Name in the registry, or the folder's name.
    pub name: String,
    /// Lower-case hexadecimal SHA-256 of the weights file.
    pub sha256: String,
    /// What it ran on: `cpu` or `cuda`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// Which recording a transcript was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioIdentity {
    /// Length in milliseconds.
    pub duration_ms: u64,
    /// Lower-case hexadecimal SHA-256 of the file's bytes.
    pub sha256: String,
}

/// One utterance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// What evidence spans name; unique in its transcript.
    pub id: u64,
    /// Start in milliseconds from the start of the recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<u64>,
    /// End in milliseconds from the start of the recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<u64>,
    /// `doctor`, `patient`, `relative`, another label, or nothing.
    #[serde(default)]
    pub speaker: Option<String>,
    /// What was said: Traditional Chinese (Hong Kong forms), English as it is.
    pub text: PatientText,
    /// Exponential of the mean log-probability of the tokens, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Words with their times, where the model gives them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Vec<Word>>,
    /// With `--raw` only: the ids that the model gave, without end-of-text and what was forced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Vec<u32>>,
}

/// One word (in Chinese: a character or a few) and its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// The word as it stands in the segment's text.
    pub text: PatientText,
    /// Start in milliseconds from the start of the recording.
    pub start_ms: u64,
    /// End in milliseconds from the start of the recording.
    pub end_ms: u64,
    /// Mean probability of its tokens, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
}
