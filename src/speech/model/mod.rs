//! What every model family gives, in terms that name none of them.
//!
//! A family opens an utterance (its front end and encoder), makes hypotheses of it, and aligns one in time. What to do with a bad
//! hypothesis is decided above, once, in [`crate::speech::guard`].

mod beam;
mod byte_level;
mod device;
mod expect;
mod family;
mod gguf;
pub mod layers;
mod logits;
mod onnx;
mod options;
mod packed;
mod pickle;
mod qwen3;
pub mod qwen3_asr;
#[cfg(test)]
mod reference;
pub mod sense_voice;
mod sequence;
pub mod silero_vad;
mod softmax;
mod weights;
pub mod whisper;
mod words;

use std::io::Write;
use std::ops::Range;
use std::path::Path;

use rayon::{ThreadPool, ThreadPoolBuilder};

pub use device::{DeviceChoice, device_name};
pub use family::{SpeechFamily, family_of};
pub use gguf::decoder_file;
pub use options::{AlignerFiles, Context, DecodeOptions, Language, LoadOptions, PackedWeights, Precision, Search};
pub use qwen3::{Conversation, Qwen3Text};
pub use weights::{INDEX, weight_files};

use crate::speech::SpeechError;
use crate::speech::bias::{Bias, Weights, WordList};
use crate::text::PatientText;

/// What a model can do, as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// As [`SpeechFamily::name`] has it.
    pub family: &'static str,
    /// Languages it can be told to hear.
    pub languages: Vec<Language>,
    /// Samples of 16 kHz audio that fit into one utterance.
    pub longest: usize,
    /// Whether it takes words that came before.
    pub prompt: bool,
    /// Whether words of a list can be raised in it ([`DecodeOptions::bias`]).
    pub word_list: bool,
    /// Whether it gives words their times.
    pub word_times: bool,
    /// Whether they come from a model of their own, which hears the utterance once more: looks at speech that grows do without.
    pub aligner: bool,
    /// Whether a shorter context than the whole window can be encoded.
    pub short_context: bool,
    /// Whether hypotheses are drawn at a temperature; if not, every attempt gives the same.
    pub sampling: bool,
}

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
    /// Probability of each token when it was chosen, 0 to 1.
    pub probabilities: Vec<f32>,
    /// In the order spoken; empty until aligned.
    pub words: Vec<HeardWord>,
    /// What the model says of the utterance besides its words, such as a mood or music, in the model's terms.
    pub tags: Vec<String>,
    /// Natural logarithm; mean over the tokens and end-of-text.
    pub average_log_probability: f32,
    /// That there is no speech, 0 to 1.
    pub no_speech_probability: f32,
    /// What the tokens were sampled at; 0 when the likeliest were taken.
    pub temperature: f32,
    /// Asked for or found.
    pub language: Language,
}

impl Hypothesis {
    /// This hypothesis with its words withdrawn: nothing was said that can be written down.
    #[must_use]
    pub fn emptied(self) -> Self {
        Self { text: PatientText::default(), tokens: Vec::new(), probabilities: Vec::new(), words: Vec::new(), ..self }
    }
}

/// What a model gives when nothing is done to help it: for comparing with a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawHypothesis {
    /// The decoded tokens as they are, white space included, without tags.
    pub text: PatientText,
    /// As the family's reference gives them: ids without end-of-text and what was forced, tags that the model chose included.
    pub tokens: Vec<u32>,
    /// Asked for or found.
    pub language: Language,
}

/// A loaded model. Results depend on samples and options alone: not on threads, nor on what was heard before.
pub trait Recognizer: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> &Capabilities;

    /// The ways in which it may write a text, as ids: none where it has no tokens for it.
    ///
    /// # Errors
    /// A tokenizer that cannot be read.
    fn spell(&self, text: &PatientText) -> Result<Vec<Vec<u32>>, SpeechError>;

    /// One greedy pass over the whole of `samples` (16 kHz), with no guard and no fall-back.
    ///
    /// # Errors
    /// Samples that are not finite, a language that the model has not, or a failing computation.
    fn raw(&self, samples: &[f32], language: Option<Language>) -> Result<RawHypothesis, SpeechError>;

    /// Runs front end and encoder over one utterance of 16 kHz samples, to make hypotheses of.
    ///
    /// # Errors
    /// As [`Recognizer::raw`]; an utterance longer than [`Capabilities::longest`].
    fn open<'a>(&'a self, samples: &'a [f32], context: Context) -> Result<Box<dyn Utterance + 'a>, SpeechError>;
}

/// An utterance that was encoded.
pub trait Utterance {
    /// One hypothesis, its words not yet aligned. The same call gives the same answer: sampling is seeded from the audio.
    /// `give_up` is asked after each token whether to go on would be a waste; if so the hypothesis ends there.
    ///
    /// # Errors
    /// A language that the model has not, or a failing computation.
    fn attempt(
        &mut self,
        options: &DecodeOptions,
        temperature: f32,
        give_up: &(dyn Fn(&[u32]) -> bool + Sync),
    ) -> Result<Hypothesis, SpeechError>;

    /// Fills in the words' times, where the model can tell them.
    ///
    /// # Errors
    /// A failing computation.
    fn align(&mut self, hypothesis: &mut Hypothesis) -> Result<(), SpeechError>;
}

/// Loads the checkpoint in `folder`, whichever family it is of.
///
/// # Errors
/// A missing, damaged or unsupported file is named.
pub fn load(folder: &Path, options: &LoadOptions) -> Result<Box<dyn Recognizer>, SpeechError> {
    match family_of(folder)? {
        SpeechFamily::Qwen3Asr => Ok(Box::new(qwen3_asr::Qwen3Asr::load(folder, options)?)),
        SpeechFamily::SenseVoice => Ok(Box::new(sense_voice::SenseVoice::load(folder, options)?)),
        SpeechFamily::Whisper => Ok(Box::new(whisper::Whisper::load(folder, options)?)),
    }
}

/// A list of words to expect as tokens of a model, for [`DecodeOptions::bias`].
///
/// # Errors
/// As [`Recognizer::spell`].
pub fn bias(model: &dyn Recognizer, list: &WordList) -> Result<Bias, SpeechError> {
    Bias::new(list, Weights::default(), |text| model.spell(text))
}

/// Packs the weights of the checkpoint in `folder`, whose SHA-256 is `source`, for the fused operators of a precision: see
/// [`LoadOptions::packed`].
///
/// # Errors
/// As [`load`]; a failure to write to `out`, which is `to`.
pub fn pack(folder: &Path, precision: Precision, source: &str, (out, to): (&mut dyn Write, &Path)) -> Result<(), SpeechError> {
    let options = LoadOptions { precision, ..LoadOptions::default() };
    let packer = match family_of(folder)? {
        SpeechFamily::Qwen3Asr => qwen3_asr::Qwen3Asr::pack(folder, &options)?,
        SpeechFamily::SenseVoice => sense_voice::SenseVoice::pack(folder, &options)?,
        SpeechFamily::Whisper => whisper::Whisper::pack(folder, &options)?,
    };
    let written = packer.write(&packed::identity(precision, source), out);
    written.map_err(|source| SpeechError::Write { path: to.to_owned(), source })
}

/// Whether a file holds weights that [`pack`] made, in the way that this version does, of weights with the SHA-256 `source`.
#[must_use]
pub fn is_packed(path: &Path, precision: Precision, source: &str) -> bool {
    packed::Packed::open(path).is_ok_and(|file| file.identity() == packed::identity(precision, source))
}

/// The threads that a model runs on.
fn pool(options: &LoadOptions) -> Result<ThreadPool, SpeechError> {
    let threads = options.threads.unwrap_or(0);
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| SpeechError::Threads { threads, problem: error.to_string() })
}

fn check_length(samples: &[f32], longest: usize) -> Result<(), SpeechError> {
    if samples.len() > longest { Err(SpeechError::TooLong { samples: samples.len(), longest }) } else { Ok(()) }
}

fn check_finite(samples: &[f32]) -> Result<(), SpeechError> {
    match samples.iter().position(|sample| !sample.is_finite()) {
        Some(index) => Err(SpeechError::NotFinite { index }),
        None => Ok(()),
    }
}
