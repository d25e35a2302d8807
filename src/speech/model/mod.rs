//! One file a model family, all of the same shape.

mod onnx;
pub mod silero_vad;

use crate::speech::SpeechError;
use crate::text::PatientText;

/// How an utterance is to be heard.
#[derive(Debug, Clone, Default)]
pub struct RecogniseOptions {
    /// `yue`, `zh`, `en`, or nothing to let the model decide.
    pub language: Option<String>,
}

/// One word of a hypothesis.
#[derive(Debug, Clone)]
pub struct HypothesisWord {
    /// As it stands in the hypothesis' text.
    pub text: PatientText,
    /// Samples from the start of the utterance.
    pub start: usize,
    /// Samples from the start of the utterance.
    pub end: usize,
    /// Mean probability of its tokens, 0 to 1.
    pub probability: f64,
}

/// What a model makes of one utterance.
#[derive(Debug, Clone)]
pub struct Hypothesis {
    /// What was said; empty when the guards refused it.
    pub text: PatientText,
    /// In the order spoken; empty where the family gives no times.
    pub words: Vec<HypothesisWord>,
    /// Mean natural logarithm of the tokens' probabilities.
    pub average_log_probability: f64,
    /// Language asked for or found.
    pub language: String,
}

/// A family of speech recognition models.
pub trait Recognizer: Send + Sync {
    /// Hears one utterance of 16 kHz mono samples.
    ///
    /// # Errors
    /// What the family cannot do with it.
    fn recognise(&self, samples: &[f32], options: &RecogniseOptions) -> Result<Hypothesis, SpeechError>;
}
