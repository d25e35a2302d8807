//! One recording: samples in, segments out, in memory that does not grow with its length.
//!
//! Only utterances that the segmenter found are heard at all, and each is heard once, when it has ended. So a segment depends on its
//! utterance's samples alone, and a file, a replay and a live stream give the same transcript whatever the chunks.

use std::sync::Arc;

use super::endpoint::{EndpointSettings, Utterance};
use super::model::{HeardWord, Hypothesis};
use super::script::HongKongScript;
use super::segmenter::{HeardUtterance, Segmenter};
use super::vad::VoiceDetector;
use super::{Segment, SpeechError, Word};
use crate::audio::SampleIndex;

/// Hears one utterance of 16 kHz samples; its text is empty when nothing was said or the guards trust nothing.
pub type Hear = Box<dyn Fn(&[f32]) -> Result<Hypothesis, SpeechError> + Send>;

/// The state of one recording.
pub struct Session {
    segmenter: Segmenter,
    hear: Hear,
    script: Arc<HongKongScript>,
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
        Ok(Self { segmenter: Segmenter::new(detector, settings)?, hear, script, next_id: 0 })
    }

    /// Takes the next samples of 16 kHz mono, any number of them, and returns the segments that they completed.
    ///
    /// # Errors
    /// Samples that are not finite, or a failing model. The session is then of no more use.
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<Segment>, SpeechError> {
        let heard = self.segmenter.push(samples)?;
        self.hear(heard)
    }

    /// The recording is over: the segments that were still open. The session then begins a new recording.
    ///
    /// # Errors
    /// A failing model.
    pub fn finish(&mut self) -> Result<Vec<Segment>, SpeechError> {
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

    fn hear(&mut self, utterances: Vec<HeardUtterance>) -> Result<Vec<Segment>, SpeechError> {
        let mut segments = Vec::new();
        for HeardUtterance { utterance, samples } in utterances {
            let heard = (self.hear)(&samples)?;
            if !heard.text.is_blank() {
                let heard = self.script.convert_hypothesis(heard);
                segments.push(segment(self.next_id, None, utterance, heard));
                self.next_id += 1;
            }
        }
        Ok(segments)
    }
}

/// What was heard of an utterance, already in Hong Kong's characters, as a segment of the transcript.
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
