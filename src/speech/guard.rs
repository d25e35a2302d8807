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
use super::model::{Context, DecodeOptions, Hypothesis, Recognizer, Utterance};
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
    if options.context == Context::Speech && model.capabilities().short_context {
        let mut utterance = model.open(samples, Context::Speech)?;
        let first = options.temperatures.get(..1).unwrap_or_default();
        // A short context that hears nothing is not believed either: the whole window has the last word on silence.
        if let Ok(heard) = attempts(utterance.as_mut(), samples.len(), options, first, guard)?
            && !heard.text.is_blank()
        {
            return Ok(heard);
        }
    }
    let mut utterance = model.open(samples, Context::Full)?;
    Ok(match attempts(utterance.as_mut(), samples.len(), options, &options.temperatures, guard)? {
        Ok(heard) => heard,
        Err(rejected) => rejected.map(Hypothesis::emptied).unwrap_or_default(),
    })
}

/// The first hypothesis that is accepted, aligned, or silence; else the last that was rejected, if any was made.
fn attempts(
    utterance: &mut dyn Utterance,
    samples: usize,
    options: &DecodeOptions,
    temperatures: &[f32],
    guard: &Guard,
) -> Result<Result<Hypothesis, Option<Hypothesis>>, SpeechError> {
    let mut last = None;
    for temperature in temperatures {
        let mut hypothesis = utterance.attempt(options, *temperature, &loops)?;
        match guard.judge(&hypothesis, samples) {
            Verdict::Accepted => {
                if options.word_times && !hypothesis.text.is_blank() {
                    utterance.align(&mut hypothesis)?;
                }
                return Ok(Ok(hypothesis));
            }
            Verdict::Silent => return Ok(Ok(hypothesis.emptied())),
            Verdict::Rejected(objection) => {
                tracing::debug!(%objection, temperature, samples, "hypothesis rejected");
                last = Some(hypothesis);
            }
        }
    }
    Ok(Err(last))
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
mod tests {
    use super::*;
    use crate::speech::model::{Capabilities, Language, RawHypothesis, Search};
    use crate::text::PatientText;

    fn hypothesis(text: &str, average_log_probability: f32, no_speech_probability: f32) -> Hypothesis {
        Hypothesis {
            text: PatientText::from(text),
            tokens: text.chars().map(u32::from).collect(),
            average_log_probability,
            no_speech_probability,
            ..Hypothesis::default()
        }
    }

    #[test]
    fn each_guard_objects_to_what_it_is_for() {
        let guard = Guard::default();
        let judge = |text: &str, log_probability, no_speech, seconds: usize| {
            guard.judge(&hypothesis(text, log_probability, no_speech), seconds * 16_000)
        };
        assert_eq!(judge("血壓高", -0.3, 0.1, 2), Verdict::Accepted);
        assert_eq!(judge("", -0.3, 0.9, 2), Verdict::Accepted);
        assert_eq!(judge("多謝觀看", -1.2, 0.9, 2), Verdict::Silent);
        assert_eq!(judge("多謝觀看", -0.3, 0.9, 2), Verdict::Accepted);
        assert_eq!(judge("血壓高", -1.2, 0.1, 2), Verdict::Rejected(Objection::Improbable));
        assert_eq!(judge(&"好痛".repeat(9), -0.1, 0.1, 9), Verdict::Rejected(Objection::Loop));
        let refrain = format!("{}啦", "thank you very much indeed for it ".repeat(4));
        assert_eq!(judge(&refrain, -0.1, 0.1, 20), Verdict::Rejected(Objection::Repetitive));
        assert_eq!(judge("I have had a headache since Monday", -0.1, 0.1, 1), Verdict::Rejected(Objection::TooFast));
    }

    #[test]
    fn a_loop_is_long_and_at_the_end() {
        assert!(!loops(&[]));
        assert!(!loops(&[7; 17]));
        assert!(loops(&[7; 18]));
        assert!(loops(&[1, 2, 3].repeat(6)));
        assert!(!loops(&[1, 2, 3].repeat(5)));
        let mut ended: Vec<u32> = [1, 2, 3].repeat(6);
        ended.push(9);
        assert!(!loops(&ended));
        let verse: Vec<u32> = (0..10).collect();
        assert!(!loops(&verse.repeat(3)));
        assert!(loops(&verse.repeat(4)));
    }

    /// Gives the same hypotheses again and again, and notes what it was asked.
    struct Scripted {
        capabilities: Capabilities,
        full: Vec<Hypothesis>,
        speech: Vec<Hypothesis>,
    }

    struct Reading(std::vec::IntoIter<Hypothesis>);

    impl Recognizer for Scripted {
        fn capabilities(&self) -> &Capabilities {
            &self.capabilities
        }
        fn raw(&self, _: &[f32], _: Option<Language>) -> Result<RawHypothesis, SpeechError> {
            unreachable!()
        }
        fn open<'a>(&'a self, _: &'a [f32], context: Context) -> Result<Box<dyn Utterance + 'a>, SpeechError> {
            let script = if context == Context::Full { &self.full } else { &self.speech };
            Ok(Box::new(Reading(script.clone().into_iter())))
        }
    }

    impl Utterance for Reading {
        fn attempt(
            &mut self,
            _: &DecodeOptions,
            temperature: f32,
            _: &(dyn Fn(&[u32]) -> bool + Sync),
        ) -> Result<Hypothesis, SpeechError> {
            Ok(Hypothesis { temperature, ..self.0.next().unwrap() })
        }
        fn align(&mut self, _: &mut Hypothesis) -> Result<(), SpeechError> {
            Ok(())
        }
    }

    fn heard(full: &[Hypothesis], speech: &[Hypothesis], context: Context) -> Hypothesis {
        let capabilities = Capabilities {
            family: "scripted",
            languages: vec![Language::Cantonese],
            longest: 480_000,
            prompt: false,
            word_times: false,
            short_context: true,
        };
        let model = Scripted { capabilities, full: full.to_vec(), speech: speech.to_vec() };
        let options = DecodeOptions { context, search: Search::Greedy, temperatures: vec![0.0, 0.5], ..DecodeOptions::default() };
        recognise(&model, &[0.0; 32_000], &options, &Guard::default()).unwrap()
    }

    #[test]
    fn falls_back_until_one_is_accepted_and_is_silent_when_none_is() {
        let (good, bad) = (hypothesis("血壓高", -0.3, 0.1), hypothesis("血壓高", -2.0, 0.1));
        let silent = hypothesis("多謝觀看", -2.0, 0.9);
        let first = heard(&[good.clone(), bad.clone()], &[], Context::Full);
        assert_eq!((first.text.reveal(), first.temperature), ("血壓高", 0.0));
        let second = heard(&[bad.clone(), good.clone()], &[], Context::Full);
        assert_eq!((second.text.reveal(), second.temperature), ("血壓高", 0.5));
        assert!(heard(&[bad.clone(), bad.clone()], &[], Context::Full).text.is_blank());
        assert!(heard(&[silent], &[], Context::Full).text.is_blank());
        assert_eq!(heard(&[], std::slice::from_ref(&good), Context::Speech).text.reveal(), "血壓高");
        let whole = heard(std::slice::from_ref(&good), &[hypothesis("多謝觀看", -2.0, 0.9)], Context::Speech);
        assert_eq!(whole.text.reveal(), "血壓高");
        let whole = heard(&[bad.clone(), good], &[bad], Context::Speech);
        assert_eq!((whole.text.reveal(), whole.temperature), ("血壓高", 0.5));
    }
}
