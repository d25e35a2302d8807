//! From a stream of samples to the utterances in it, each with its own samples, in memory that does not grow with the stream.
//!
//! A file, a replay and a live room all go through here, so they hear the same utterances whatever the chunks. While an utterance
//! grows it can be looked at, which changes nothing.

use super::SpeechError;
use super::endpoint::{EndpointSettings, Endpointer, Utterance};
use super::vad::VoiceDetector;
use crate::audio::SampleIndex;

/// Samples handled at a time, however many are pushed: one second.
const CHUNK: usize = 16_000;

/// An utterance that has ended, and its sound.
#[derive(Debug, Clone, PartialEq)]
pub struct HeardUtterance {
    /// Where it stands in the recording.
    pub utterance: Utterance,
    /// Its samples and no others: what its text is made of.
    pub samples: Vec<f32>,
}

/// The utterance that is being spoken, as far as it was heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growing<'a> {
    /// Its first sample; another one tells that another utterance is being spoken.
    pub start: SampleIndex,
    /// One past the last of `samples`.
    pub end: SampleIndex,
    /// What was heard of it, without the silence after its padding.
    pub samples: &'a [f32],
    /// These samples are the whole utterance, if nobody speaks on before the pause is over or the take ends.
    pub complete: bool,
    /// Where its speech ended, or has come to.
    pub speech_end: SampleIndex,
}

/// Finds the utterances of one stream of 16 kHz mono.
pub struct Segmenter {
    detector: Box<dyn VoiceDetector>,
    endpointer: Endpointer,
    /// Where in the recording the take began: the detector and the endpointer count from there.
    take: u64,
    /// The samples that an utterance to come may hold.
    buffer: Vec<f32>,
    /// Where in the take `buffer` begins.
    buffer_start: u64,
}

impl Segmenter {
    /// A stream of which nothing has been heard; `detector` must be new too.
    ///
    /// # Errors
    /// [`SpeechError::Option`] for settings that contradict themselves.
    pub fn new(detector: Box<dyn VoiceDetector>, settings: EndpointSettings) -> Result<Self, SpeechError> {
        Ok(Self { detector, endpointer: Endpointer::new(settings)?, take: 0, buffer: Vec::new(), buffer_start: 0 })
    }

    /// Takes the next samples, any number of them, and returns the utterances that ended in them.
    ///
    /// # Errors
    /// Samples that are not finite, or a failing detector. The segmenter is then of no more use.
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<HeardUtterance>, SpeechError> {
        let mut heard = Vec::new();
        for chunk in samples.chunks(CHUNK) {
            self.buffer.extend_from_slice(chunk);
            for frame in self.detector.push(chunk)? {
                let ended = self.endpointer.push(frame);
                heard.extend(ended.into_iter().map(|utterance| self.cut_out(utterance)));
            }
            self.forget();
        }
        Ok(heard)
    }

    /// The take is over: the utterances that were still open. The next sample begins another take, at the place that this one came
    /// to: what is said after a break is not heard as one with what was said before it.
    ///
    /// # Errors
    /// A failing detector.
    pub fn finish(&mut self) -> Result<Vec<HeardUtterance>, SpeechError> {
        let total = SampleIndex(self.buffer_start + self.buffer.len() as u64);
        let mut ended = match self.detector.flush()? {
            Some(frame) => self.endpointer.push(frame),
            None => Vec::new(),
        };
        ended.extend(self.endpointer.flush(total));
        let within = |utterance: Utterance| Utterance { end: utterance.end.min(total), ..utterance };
        let heard = ended.into_iter().map(|utterance| self.cut_out(within(utterance))).collect();
        self.take += total.0;
        self.buffer.clear();
        self.buffer_start = 0;
        Ok(heard)
    }

    /// After [`Segmenter::finish`]: the next sample is the first of another recording.
    pub(super) fn begin_recording(&mut self) {
        self.take = 0;
    }

    /// The utterance that is being spoken, if anybody speaks.
    #[must_use]
    pub fn growing(&self) -> Option<Growing<'_>> {
        let open = self.endpointer.underway()?;
        let heard_to = self.buffer_start + self.buffer.len() as u64;
        let end = SampleIndex(open.end.0.min(heard_to));
        let samples = self.buffer.get(self.offset(open.start)..self.offset(end)).unwrap_or_default();
        Some(Growing {
            start: self.in_recording(open.start),
            end: self.in_recording(end),
            samples,
            complete: open.complete,
            speech_end: self.in_recording(open.speech_end),
        })
    }

    /// How many samples of the recording were taken.
    #[must_use]
    pub fn position(&self) -> SampleIndex {
        SampleIndex(self.take + self.buffer_start + self.buffer.len() as u64)
    }

    /// Samples held now: at most the longest utterance, the pause that may follow it, and a second.
    #[must_use]
    pub fn buffered_samples(&self) -> usize {
        self.buffer.len()
    }

    fn cut_out(&self, utterance: Utterance) -> HeardUtterance {
        let samples = self.buffer.get(self.offset(utterance.start)..self.offset(utterance.end)).unwrap_or_default().to_vec();
        let (start, end) = (self.in_recording(utterance.start), self.in_recording(utterance.end));
        HeardUtterance { utterance: Utterance { start, end, ..utterance }, samples }
    }

    /// From the take's count to the recording's.
    fn in_recording(&self, place: SampleIndex) -> SampleIndex {
        SampleIndex(self.take + place.0)
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
