//! One recording: samples in, segments out, in memory that does not grow with its length.
//!
//! Only utterances that the segmenter found are heard at all, and each is heard once, when it has ended. So a segment depends on its
//! utterance's samples alone, and a file, a replay and a live stream give the same transcript whatever the chunks.

use std::sync::Arc;

use super::endpoint::{EndpointSettings, Utterance};
use super::model::{HeardWord, Hypothesis, Language};
use super::segmenter::{HeardUtterance, Segmenter};
use super::vad::VoiceDetector;
use super::{Segment, SpeechError, Word, Writing};
use crate::audio::{AudioError, AudioFile, SampleIndex};

/// Hears one utterance of 16 kHz samples; its text is empty when nothing was said or the guards trust nothing.
pub type Hear<E = SpeechError> = Box<dyn Fn(&[f32]) -> Result<Hypothesis, E> + Send>;

/// A segment, and what is known of the reading that it was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct HeardSegment {
    /// As in the transcript document.
    pub segment: Segment,
    /// How it was read.
    pub reading: Reading,
}

/// What the model and the guards know of a hypothesis, less its words.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Ids without end-of-text and what was forced: of the model's own characters, before they were made Hong Kong's.
    pub tokens: Vec<u32>,
    /// Natural logarithm; mean over the tokens and end-of-text.
    pub average_log_probability: f32,
    /// That there is no speech, 0 to 1.
    pub no_speech_probability: f32,
    /// What the tokens were sampled at; 0 when the likeliest were taken.
    pub temperature: f32,
    /// Asked for or found.
    pub language: Language,
}

/// The state of one recording. `E` is how hearing an utterance fails: what hears may be no model of this process's own thread.
pub struct Session<E = SpeechError> {
    segmenter: Segmenter,
    hear: Hear<E>,
    writing: Arc<Writing>,
    next_id: u64,
}

impl<E: From<SpeechError>> Session<E> {
    /// A recording of which nothing has been heard; `detector` must be new too.
    ///
    /// # Errors
    /// [`SpeechError::Option`] for settings that contradict themselves.
    pub fn new(
        detector: Box<dyn VoiceDetector>,
        hear: Hear<E>,
        writing: Arc<Writing>,
        settings: EndpointSettings,
    ) -> Result<Self, SpeechError> {
        Ok(Self { segmenter: Segmenter::new(detector, settings)?, hear, writing, next_id: 0 })
    }

    /// Takes the next samples of 16 kHz mono, any number of them, and returns the segments that they completed.
    ///
    /// # Errors
    /// Samples that are not finite, or a failing model. The session is then of no more use.
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<HeardSegment>, E> {
        let heard = self.segmenter.push(samples)?;
        self.hear(heard)
    }

    /// The recording is over: the segments that were still open. The session then begins a new recording.
    ///
    /// # Errors
    /// A failing model.
    pub fn finish(&mut self) -> Result<Vec<HeardSegment>, E> {
        let heard = self.segmenter.finish()?;
        let segments = self.hear(heard)?;
        self.segmenter.begin_recording();
        self.next_id = 0;
        Ok(segments)
    }

    /// Samples held now: at most the longest utterance, the pause that may follow it, and a second.
    #[must_use]
    pub fn buffered_samples(&self) -> usize {
        self.segmenter.buffered_samples()
    }

    fn hear(&mut self, utterances: Vec<HeardUtterance>) -> Result<Vec<HeardSegment>, E> {
        let mut segments = Vec::new();
        for HeardUtterance { utterance, samples } in utterances {
            let heard = (self.hear)(&samples)?;
            if !heard.text.is_blank() {
                let mut heard = self.writing.finished(heard);
                let reading = Reading {
                    tokens: std::mem::take(&mut heard.tokens),
                    average_log_probability: heard.average_log_probability,
                    no_speech_probability: heard.no_speech_probability,
                    temperature: heard.temperature,
                    language: heard.language,
                };
                segments.push(HeardSegment { segment: segment(self.next_id, None, utterance, heard), reading });
                self.next_id += 1;
            }
        }
        Ok(segments)
    }
}

impl<E: From<SpeechError> + From<AudioError>> Session<E> {
    /// Hears a file from its start to its end. After each second of it `told` is given how far that is, and the segments that
    /// were completed; its error ends the hearing.
    ///
    /// # Errors
    /// A file that is damaged, a failing model, what `told` gives. What was told before is then no transcript.
    pub fn hear_file(
        &mut self,
        file: &mut AudioFile,
        mut told: impl FnMut(SampleIndex, Vec<HeardSegment>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut heard_to = SampleIndex(0);
        let mut samples = Vec::new();
        while file.read(&mut samples)? {
            heard_to.0 += samples.len() as u64;
            told(heard_to, self.push(&samples)?)?;
            samples.clear();
        }
        told(heard_to, self.finish()?)
    }
}

/// What was heard of an utterance, already as it is [written](Writing), as a segment of the transcript.
#[must_use]
pub fn segment(id: u64, speaker: Option<&str>, utterance: Utterance, heard: Hypothesis) -> Segment {
    let words: Vec<Word> = heard.words.into_iter().map(|word| shift(word, utterance)).collect();
    Segment {
        id,
        start_ms: Some(utterance.start.milliseconds()),
        end_ms: Some(utterance.end.milliseconds()),
        speaker: speaker.map(str::to_owned),
        text: heard.text,
        confidence: Some(f64::from(heard.average_log_probability).exp().clamp(0.0, 1.0)),
        words: (!words.is_empty()).then_some(words),
        tokens: None,
    }
}

/// A word's times, from the utterance's to the recording's.
fn shift(word: HeardWord, utterance: Utterance) -> Word {
    let place = |samples: usize| SampleIndex((utterance.start.0 + samples as u64).min(utterance.end.0)).milliseconds();
    Word {
        text: word.text,
        start_ms: place(word.samples.start),
        end_ms: place(word.samples.end),
        confidence: Some(f64::from(word.probability)),
    }
}
