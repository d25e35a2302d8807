//! What every model family gives.

mod onnx;
pub mod silero_vad;

use std::ops::Range;

use crate::text::PatientText;

/// A word and where it was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct HeardWord {
    /// As it stands in the hypothesis' text, without white space around it.
    pub text: PatientText,
    /// Samples of 16 kHz audio from the utterance's start.
    pub samples: Range<usize>,
    /// Mean probability of its tokens, 0 to 1.
    pub probability: f32,
}

/// One reading of one utterance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hypothesis {
    /// The words, without white space around them; empty when nothing was said or nothing could be trusted.
    pub text: PatientText,
    /// Ids without end-of-text and what was forced.
    pub tokens: Vec<u32>,
    /// In the order spoken; empty until aligned.
    pub words: Vec<HeardWord>,
    /// Natural logarithm; mean over the tokens and end-of-text.
    pub average_log_probability: f32,
}
