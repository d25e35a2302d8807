//! From samples to a transcript.

mod error;

pub mod guard;
pub mod model;
pub mod transcript;

pub use error::SpeechError;
pub use transcript::{AudioIdentity, ModelIdentity, Segment, TRANSCRIPT_SCHEMA, Transcript, TranscriptError, Word};
