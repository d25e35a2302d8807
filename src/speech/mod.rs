//! From samples to a transcript.
//!
//! Invariant: a segment is a function of its utterance's audio, the model and the settings alone.

mod error;

pub mod agreement;
pub mod bias;
pub mod endpoint;
pub mod guard;
pub mod kernels;
pub mod looks;
pub mod model;
pub mod normalise;
pub mod script;
pub mod segmenter;
pub mod session;
pub mod transcript;
pub mod vad;
pub mod writing;

pub use agreement::{Agreement, AgreementSettings};
pub use error::SpeechError;
pub use normalise::Numbers;
pub use segmenter::{Growing, HeardUtterance, Segmenter};
pub use session::{HeardSegment, Reading, Session, segment};
pub use transcript::{AudioIdentity, ModelIdentity, Segment, TRANSCRIPT_SCHEMA, Transcript, TranscriptError, Word};
pub use writing::Writing;
