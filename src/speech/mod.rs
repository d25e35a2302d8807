//! From samples to a transcript.

pub mod transcript;

pub mod model;

pub use transcript::{AudioIdentity, ModelIdentity, Segment, TRANSCRIPT_SCHEMA, Transcript, TranscriptError, Word};
