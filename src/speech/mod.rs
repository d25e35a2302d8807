//! From samples to a transcript.

mod transcript;

pub mod model;

pub use transcript::{AudioIdentity, ModelIdentity, Segment, TRANSCRIPT_SCHEMA, Transcript, Word};
