//! What a model is loaded and asked with.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use candle_core::Device;

use crate::speech::SpeechError;
use crate::speech::bias::Bias;
use crate::text::PatientText;

/// A language that consultations in Hong Kong are held in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// `yue`
    #[default]
    Cantonese,
    /// `zh`
    Mandarin,
    /// `en`
    English,
}

impl Language {
    /// All of them, the likeliest here first.
    pub const ALL: [Self; 3] = [Self::Cantonese, Self::Mandarin, Self::English];

    /// ISO 639 code, as documents and the command line have it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Cantonese => "yue",
            Self::Mandarin => "zh",
            Self::English => "en",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Language {
    type Err = SpeechError;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|language| language.code() == code);
        known.ok_or_else(|| SpeechError::Option { option: "language", value: code.to_owned(), expected: "yue, zh or en" })
    }
}

/// How exactly the arithmetic follows the checkpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// f32 everywhere.
    Exact,
    /// The fastest arithmetic that keeps the accuracy.
    #[default]
    Balanced,
    /// The fastest arithmetic.
    Fast,
}

impl Precision {
    /// All of them, the most exact first.
    pub const ALL: [Self; 3] = [Self::Exact, Self::Balanced, Self::Fast];

    /// As the command line has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Balanced => "balanced",
            Self::Fast => "fast",
        }
    }
}

impl FromStr for Precision {
    type Err = SpeechError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|precision| precision.name() == name);
        let expected = "exact, balanced or fast";
        known.ok_or_else(|| SpeechError::Option { option: "precision", value: name.to_owned(), expected })
    }
}

/// How much the encoder sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Context {
    /// The model's whole window, silence after the utterance included: what it was trained on.
    Full,
    /// What was said and two seconds more; the whole window when a guard objects to the outcome. On the 62 Cantonese clips of
    /// `audio/` Whisper base makes no more errors so than with the whole window, in half of the time.
    #[default]
    Speech,
}

impl FromStr for Context {
    type Err = SpeechError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "full" => Ok(Self::Full),
            "speech" => Ok(Self::Speech),
            _ => Err(SpeechError::Option { option: "context", value: name.to_owned(), expected: "full or speech" }),
        }
    }
}

/// A file of packed weights ([`super::pack`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedWeights {
    /// The file. It is mapped: it must be replaced, never be written to.
    pub path: PathBuf,
    /// SHA-256 of the weights that it must have been made of.
    pub source: String,
}

/// A forced aligner, which gives words their times where a model cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlignerFiles {
    /// Its checkpoint.
    pub folder: PathBuf,
    /// As [`LoadOptions::packed`].
    pub packed: Option<PackedWeights>,
}

/// How a model is loaded.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Chooses each layer's operator.
    pub precision: Precision,
    /// Threads that one utterance uses; nothing: as many as the machine has cores.
    pub threads: Option<usize>,
    /// Where tensors live.
    pub device: Device,
    /// The checkpoint's weights, packed for this precision; nothing: they are read from the checkpoint.
    pub packed: Option<PackedWeights>,
    /// For a family that takes one ([`super::SpeechFamily::takes_aligner`]); the others do not look at it.
    pub aligner: Option<AlignerFiles>,
    /// A GGUF file that the decoder's weights are taken from, for a family that reads one ([`super::SpeechFamily::reads_gguf`]); the others
    /// do not look at it. Its own precision is that of the decoder's products, whatever [`LoadOptions::precision`] is.
    pub decoder: Option<PathBuf>,
}

impl LoadOptions {
    /// Whether the fused operators run, for which weights can be packed.
    #[must_use]
    pub fn is_fused(&self) -> bool {
        self.device.is_cpu() && self.precision != Precision::Exact
    }
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { precision: Precision::default(), threads: None, device: Device::Cpu, packed: None, aligner: None, decoder: None }
    }
}

/// How tokens are looked for at temperature 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// The likeliest token at each step.
    Greedy,
    /// This many prefixes at once, in one batch.
    Beam(usize),
}

/// How one utterance is decoded.
#[derive(Debug, Clone)]
pub struct DecodeOptions {
    /// Nothing: found, among [`Language::ALL`].
    pub language: Option<Language>,
    /// What the encoder sees first.
    pub context: Context,
    /// At temperature 0.
    pub search: Search,
    /// Hypotheses drawn at a temperature above 0, of which the likeliest counts.
    pub best_of: usize,
    /// Tried in order until the guards have no objection.
    pub temperatures: Vec<f32>,
    /// Words that came before, or terms to expect.
    pub prompt: Option<PatientText>,
    /// Tokens that an earlier hypothesis about the beginning of the same audio had, less its last, with their probabilities: with
    /// [`Search::Greedy`], a model that answers as a language model does goes on from there. For looks at speech that still grows: a final
    /// must not depend on what was shown before it.
    pub begun: Vec<(u32, f32)>,
    /// Words to raise, as tokens of the model that is asked ([`super::bias`]).
    pub bias: Option<Arc<Bias>>,
    /// Whether words get times.
    pub word_times: bool,
}

impl Default for DecodeOptions {
    /// Cantonese; the temperatures are those of OpenAI's Whisper.
    fn default() -> Self {
        Self {
            language: Some(Language::Cantonese),
            context: Context::default(),
            search: Search::Greedy,
            best_of: 5,
            temperatures: vec![0.0, 0.2, 0.4, 0.6, 0.8, 1.0],
            prompt: None,
            begun: Vec::new(),
            bias: None,
            word_times: true,
        }
    }
}
