//! One recording or one room: samples in, segments out, in memory that does not grow with its length.
//!
//! Only utterances that the endpointer found are heard at all, and each is heard once, when it has ended. So a segment depends on its
//! utterance's samples alone, and a file, a replay and a live stream give the same transcript whatever the chunks.

use std::sync::Arc;

use super::endpoint::{EndpointSettings, Endpointer, Utterance};
use super::model::{HeardWord, Hypothesis};
use super::script::HongKongScript;
use super::vad::VoiceDetector;
use super::{Segment, SpeechError, Word};
use crate::audio::SampleIndex;

/// Samples handled at a time, however many are pushed: one second.
const CHUNK: usize = 16_000;

/// Hears one utterance of 16 kHz samples; its text is empty when nothing was said or the guards trust nothing.
pub type Hear = Box<dyn Fn(&[f32]) -> Result<Hypothesis, SpeechError> + Send>;

/// The state of one recording.
pub struct Session {
    detector: Box<dyn VoiceDetector>,
    hear: Hear,
    script: Arc<HongKongScript>,
    endpointer: Endpointer,
    /// The samples that an utterance to come may hold.
    buffer: Vec<f32>,
    /// Where `buffer` begins.
    buffer_start: u64,
    next_id: u64,
}

impl Session {
    /// A recording of which nothing has been heard; `detector` must be new too.
    ///
    /// # Errors
    /// [`SpeechError::Option`] for settings that contradict themselves.
    pub fn new(
        detector: Box<dyn VoiceDetector>,
        hear: Hear,
        script: Arc<HongKongScript>,
        settings: EndpointSettings,
    ) -> Result<Self, SpeechError> {
        let endpointer = Endpointer::new(settings)?;
        Ok(Self { detector, hear, script, endpointer, buffer: Vec::new(), buffer_start: 0, next_id: 0 })
    }

    /// Takes the next samples of 16 kHz mono, any number of them, and returns the segments that they completed.
    ///
    /// # Errors
    /// Samples that are not finite, or a failing model. The session is then of no more use.
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<Segment>, SpeechError> {
        let mut segments = Vec::new();
        for chunk in samples.chunks(CHUNK) {
            self.buffer.extend_from_slice(chunk);
            for frame in self.detector.push(chunk)? {
                for utterance in self.endpointer.push(frame) {
                    segments.extend(self.hear(utterance)?);
                }
            }
            self.forget();
        }
        Ok(segments)
    }

    /// The recording is over: the segments that were still open. The session then begins a new recording.
    ///
    /// # Errors
    /// A failing model.
    pub fn finish(&mut self) -> Result<Vec<Segment>, SpeechError> {
        let total = SampleIndex(self.buffer_start + self.buffer.len() as u64);
        let mut utterances = match self.detector.flush()? {
            Some(frame) => self.endpointer.push(frame),
            None => Vec::new(),
        };
        utterances.extend(self.endpointer.flush(total));
        let mut segments = Vec::new();
        for utterance in utterances {
            segments.extend(self.hear(Utterance { end: utterance.end.min(total), ..utterance })?);
        }
        self.buffer.clear();
        self.buffer_start = 0;
        self.next_id = 0;
        Ok(segments)
    }

    /// Samples held now: at most the longest utterance, the pause that may follow it, and a second.
    #[must_use]
    pub fn buffered_samples(&self) -> usize {
        self.buffer.len()
    }

    fn hear(&mut self, utterance: Utterance) -> Result<Option<Segment>, SpeechError> {
        let samples = self.buffer.get(self.offset(utterance.start)..self.offset(utterance.end)).unwrap_or_default();
        let heard = (self.hear)(samples)?;
        if heard.text.is_blank() {
            return Ok(None);
        }
        let heard = self.script.convert_hypothesis(heard);
        let id = self.next_id;
        self.next_id += 1;
        Ok(Some(segment(id, utterance, heard)))
    }

    fn offset(&self, place: SampleIndex) -> usize {
        usize::try_from(place.0.saturating_sub(self.buffer_start)).unwrap_or(usize::MAX).min(self.buffer.len())
    }

    fn forget(&mut self) {
        let unneeded = self.offset(self.endpointer.needed_from());
        self.buffer.drain(..unneeded);
        self.buffer_start += unneeded as u64;
    }
}

fn segment(id: u64, utterance: Utterance, heard: Hypothesis) -> Segment {
    let words: Vec<Word> = heard.words.into_iter().map(|word| shift(word, utterance)).collect();
    Segment {
        id,
        start_ms: Some(utterance.start.milliseconds()),
        end_ms: Some(utterance.end.milliseconds()),
        speaker: None,
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
