//! Guards against invented text, the same for every family.
//!
//! A recogniser that hears nothing, or nothing it knows, tends to write something all the same: it repeats itself, or falls into a
//! phrase of its training data. What a hypothesis looks like gives that away. Thresholds of the first three guards are those of
//! OpenAI's Whisper (`whisper/transcribe.py`).

use std::fmt;
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::SpeechError;
use super::model::{Context, DecodeOptions, Hypothesis, Recognizer, Search, Utterance};
use crate::audio::SAMPLE_RATE;

/// Longest stretch of tokens whose repetition is looked for.
const LONGEST_PERIOD: usize = 16;
/// Tokens that a repetition must span: nobody says one thing for so long, but "no, no, no, no" passes.
const LOOP_TOKENS: usize = 18;
/// Times that a stretch must stand in a row, however long it is.
const LOOP_TIMES: usize = 4;

/// Thresholds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guard {
    /// Text that zlib makes smaller than this many times repeats itself.
    pub compression_ratio: f32,
    /// A mean log-probability under this is a guess.
    pub log_probability: f32,
    /// Above this, and with a mean log-probability under [`Guard::log_probability`], nothing was said.
    pub no_speech: f32,
    /// Nobody speaks faster (Unicode scalar values a second; fast English has about 20, fast Cantonese 8).
    pub characters_per_second: f32,
}

impl Default for Guard {
    fn default() -> Self {
        Self { compression_ratio: 2.4, log_probability: -1.0, no_speech: 0.6, characters_per_second: 30.0 }
    }
}

/// Why a hypothesis is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objection {
    /// Its tokens end in a loop.
    Loop,
    /// It compresses too well.
    Repetitive,
    /// The model did not believe it itself.
    Improbable,
    /// Too many characters for so short an utterance.
    TooFast,
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loop => "loop",
            Self::Repetitive => "repetitive",
            Self::Improbable => "improbable",
            Self::TooFast => "too fast",
        })
    }
}

/// What the guards make of a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It can be written down.
    Accepted,
    /// Nothing was said.
    Silent,
    /// Another attempt is needed.
    Rejected(Objection),
}

impl Guard {
    /// Judges a hypothesis about so many samples of 16 kHz audio.
    #[must_use]
    pub fn judge(&self, hypothesis: &Hypothesis, samples: usize) -> Verdict {
        let improbable = hypothesis.average_log_probability < self.log_probability;
        // At least a second: a short "yes, doctor" is cut tightly.
        let seconds = (samples as f32 / SAMPLE_RATE as f32).max(1.0);
        if improbable && hypothesis.no_speech_probability > self.no_speech {
            Verdict::Silent
        } else if loops(&hypothesis.tokens) {
            Verdict::Rejected(Objection::Loop)
        } else if compression_ratio(hypothesis.text.reveal()) > self.compression_ratio {
            Verdict::Rejected(Objection::Repetitive)
        } else if hypothesis.text.chars() as f32 > self.characters_per_second * seconds {
            Verdict::Rejected(Objection::TooFast)
        } else if improbable {
            Verdict::Rejected(Objection::Improbable)
        } else {
            Verdict::Accepted
        }
    }
}

/// Asked now and then, after each token at least, whether the answer is still wanted. Once it says that it is not, it must go on
/// saying so.
pub type Cancelled<'a> = &'a (dyn Fn() -> bool + Sync);

/// Hears one utterance: attempts at rising temperatures until the guards accept one. When they accept none, or find that nothing
/// was said, the hypothesis has no text.
///
/// With [`Context::Speech`] the short context gets one attempt, and the whole window the full schedule if that one is rejected or has no text.
///
/// # Errors
/// As [`Recognizer::open`] and [`Utterance::attempt`].
pub fn recognise(
    model: &dyn Recognizer,
    samples: &[f32],
    options: &DecodeOptions,
    guard: &Guard,
) -> Result<Hypothesis, SpeechError> {
    Ok(recognise_unless(model, samples, options, guard, &|| false)?.unwrap_or_default())
}

/// As [`recognise`], and the same answer, unless it is no longer wanted: then nothing, soon.
///
/// # Errors
/// As [`recognise`].
pub fn recognise_unless(
    model: &dyn Recognizer,
    samples: &[f32],
    options: &DecodeOptions,
    guard: &Guard,
    cancelled: Cancelled<'_>,
) -> Result<Option<Hypothesis>, SpeechError> {
    if cancelled() {
        return Ok(None);
    }
    if options.context == Context::Speech && model.capabilities().short_context {
        let mut utterance = model.open(samples, Context::Speech)?;
        let first = options.temperatures.get(..1).unwrap_or_default();
        match attempts(utterance.as_mut(), samples.len(), options, first, guard, cancelled)? {
            Outcome::Cancelled => return Ok(None),
            // A short context that hears nothing is not believed either: the whole window has the last word on silence.
            Outcome::Heard(heard) if !heard.text.is_blank() => return Ok(Some(heard)),
            Outcome::Heard(_) | Outcome::Refused(_) => {}
        }
    }
    let mut utterance = model.open(samples, Context::Full)?;
    // Where nothing is sampled a second attempt would be the first one again.
    let count = if model.capabilities().sampling { options.temperatures.len() } else { 1 };
    let temperatures = options.temperatures.get(..count).unwrap_or_default();
    Ok(match attempts(utterance.as_mut(), samples.len(), options, temperatures, guard, cancelled)? {
        Outcome::Cancelled => None,
        Outcome::Heard(heard) => Some(heard),
        Outcome::Refused(rejected) => Some(rejected.map(Hypothesis::emptied).unwrap_or_default()),
    })
}

/// Hears what there is of an utterance that is still being spoken: one greedy attempt, on the short context where the model has one,
/// without times of words where those come from a model of their own.
/// Nothing when the guards do not believe it, when no word was heard, or when it is no longer wanted.
///
/// # Errors
/// As [`recognise`].
pub fn glimpse(
    model: &dyn Recognizer,
    samples: &[f32],
    options: &DecodeOptions,
    guard: &Guard,
    cancelled: Cancelled<'_>,
) -> Result<Option<Hypothesis>, SpeechError> {
    if cancelled() {
        return Ok(None);
    }
    let context = if model.capabilities().short_context { Context::Speech } else { Context::Full };
    let word_times = options.word_times && !model.capabilities().aligner;
    let options = DecodeOptions { search: Search::Greedy, word_times, ..options.clone() };
    let mut utterance = model.open(samples, context)?;
    Ok(match attempts(utterance.as_mut(), samples.len(), &options, &[0.0], guard, cancelled)? {
        Outcome::Heard(heard) if !heard.text.is_blank() => Some(heard),
        Outcome::Heard(_) | Outcome::Refused(_) | Outcome::Cancelled => None,
    })
}

/// What came of some attempts.
enum Outcome {
    /// Accepted and aligned; or silence, which has no text.
    Heard(Hypothesis),
    /// The last that was rejected, if any was made.
    Refused(Option<Hypothesis>),
    /// It was no longer wanted.
    Cancelled,
}

/// The first hypothesis that is accepted, or silence.
fn attempts(
    utterance: &mut dyn Utterance,
    samples: usize,
    options: &DecodeOptions,
    temperatures: &[f32],
    guard: &Guard,
    cancelled: Cancelled<'_>,
) -> Result<Outcome, SpeechError> {
    let mut last = None;
    for temperature in temperatures {
        if cancelled() {
            return Ok(Outcome::Cancelled);
        }
        let mut hypothesis = utterance.attempt(options, *temperature, &|tokens| cancelled() || loops(tokens))?;
        if cancelled() {
            return Ok(Outcome::Cancelled);
        }
        match guard.judge(&hypothesis, samples) {
            Verdict::Accepted => {
                if options.word_times && !hypothesis.text.is_blank() {
                    utterance.align(&mut hypothesis)?;
                }
                return Ok(Outcome::Heard(hypothesis));
            }
            Verdict::Silent => return Ok(Outcome::Heard(hypothesis.emptied())),
            Verdict::Rejected(objection) => {
                tracing::debug!(%objection, temperature, samples, "hypothesis rejected");
                last = Some(hypothesis);
            }
        }
    }
    Ok(Outcome::Refused(last))
}

/// Whether the tokens end in a stretch that is repeated over and over.
#[must_use]
pub fn loops(tokens: &[u32]) -> bool {
    (1..=LONGEST_PERIOD).any(|period| {
        // Tokens at the end that equal the one a period before them.
        let later = tokens.iter().rev();
        let earlier = tokens.iter().rev().skip(period);
        let equal = later.zip(earlier).take_while(|(a, b)| a == b).count();
        let spanned = equal + period;
        spanned >= LOOP_TOKENS && spanned >= LOOP_TIMES * period
    })
}

/// Bytes of the text over its bytes when zlib has compressed it; 0 for no text.
#[must_use]
pub fn compression_ratio(text: &str) -> f32 {
    if text.is_empty() {
        return 0.0;
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory cannot fail; were it to, the ratio would be that of text that does not compress.
    let compressed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    let length = compressed.map_or(text.len(), |bytes| bytes.len());
    text.len() as f32 / length.max(1) as f32
}

#[cfg(test)]
mod tests;
