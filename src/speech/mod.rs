//! From samples to a transcript.

mod error;
mod transcript;

pub mod endpoint;
pub mod model;
pub mod script;
pub mod session;

pub mod vad;

pub use error::SpeechError;
pub use transcript::{AudioIdentity, ModelIdentity, Segment, TRANSCRIPT_SCHEMA, Transcript, Word};
