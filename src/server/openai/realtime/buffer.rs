//! The input audio buffer of a session: samples in, and what the voice activity detector makes of them.

use super::settings::RATE;
use crate::audio::{Mixing, SAMPLE_RATE, SampleIndex, StreamDecoder, StreamEncoding, StreamFormat};
use crate::engine::EngineError;
use crate::speech::endpoint::EndpointSettings;
use crate::speech::vad::VoiceDetector;
use crate::speech::{Growing, HeardUtterance, Segmenter};

/// Bytes looked at together: 50 ms, so that speech is noticed as soon in a long message as in short ones.
const STEP: usize = RATE as usize / 20 * 2;
/// Samples of speech that may wait for a commit: five minutes.
const MOST_WAITING: usize = 300 * SAMPLE_RATE as usize;

/// What happened to the buffer.
#[derive(Debug, PartialEq)]
pub(super) enum Turn {
    /// Somebody began to speak; what is said will be this item.
    Started { item: u64, at: SampleIndex },
    /// And has stopped.
    Stopped { item: u64, at: SampleIndex },
    /// What is in the buffer became an item, to be heard.
    Committed { item: u64, utterances: Vec<HeardUtterance> },
}

/// Why the buffer does not do what it was asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Nothing was appended since the last commit.
    Empty,
    /// Too much speech waits for a commit.
    TooLong,
}

/// Audio that is not yet an item.
pub(super) struct Buffer {
    decoder: StreamDecoder,
    segmenter: Segmenter,
    /// Where in the session the segmenter began.
    begin: u64,
    manual: bool,
    /// The next item's number.
    item: u64,
    /// Somebody speaks, and this was told.
    speaking: bool,
    /// Utterances that wait for a commit, and how many samples they have.
    waiting: Vec<HeardUtterance>,
    waiting_samples: usize,
    /// Bytes appended since the last item.
    appended: u64,
}

impl Buffer {
    /// An empty buffer. `manual`: nothing is committed unless the client says so.
    ///
    /// # Errors
    /// Settings that contradict themselves.
    pub fn new(detector: Box<dyn VoiceDetector>, endpoint: EndpointSettings, manual: bool) -> Result<Self, EngineError> {
        let format = StreamFormat::new(StreamEncoding::PcmS16le, RATE, 1)?;
        Ok(Self {
            decoder: StreamDecoder::new(format, Mixing::Mono)?,
            segmenter: Segmenter::new(detector, endpoint)?,
            begin: 0,
            manual,
            item: 0,
            speaking: false,
            waiting: Vec::new(),
            waiting_samples: 0,
            appended: 0,
        })
    }

    /// Whether speech is in it that is not an item.
    pub fn holds_speech(&self) -> bool {
        !self.waiting.is_empty() || self.segmenter.growing().is_some()
    }

    /// What is being said of the item that has started, and how far the audio has come.
    pub fn growing(&self) -> Option<(Growing<'_>, SampleIndex)> {
        let growing = self.segmenter.growing().filter(|_| self.speaking)?;
        Some((growing, self.segmenter.position()))
    }

    /// Divides the audio otherwise from now on. The speech in the buffer must have become an item or been cleared.
    ///
    /// # Errors
    /// Settings that contradict themselves.
    pub fn divide(
        &mut self,
        detector: Box<dyn VoiceDetector>,
        endpoint: EndpointSettings,
        manual: bool,
    ) -> Result<(), EngineError> {
        self.begin += self.segmenter.position().0;
        self.segmenter = Segmenter::new(detector, endpoint)?;
        self.manual = manual;
        Ok(())
    }

    /// Takes 16-bit little-endian samples.
    ///
    /// # Errors
    /// A failing detector. `Full::TooLong` where a commit is overdue: these samples are then not taken.
    pub fn append(&mut self, pcm: &[u8]) -> Result<Result<Vec<Turn>, Full>, EngineError> {
        if self.waiting_samples > MOST_WAITING {
            return Ok(Err(Full::TooLong));
        }
        self.appended += pcm.len() as u64;
        let mut turns = Vec::new();
        for step in pcm.chunks(STEP) {
            for samples in self.decoder.push(step)? {
                let ended = self.segmenter.push(&samples)?;
                self.take(ended, &mut turns);
            }
        }
        Ok(Ok(turns))
    }

    /// Makes an item of all that was appended.
    ///
    /// # Errors
    /// A failing detector. `Full::Empty` where there is nothing.
    pub fn commit(&mut self) -> Result<Result<Vec<Turn>, Full>, EngineError> {
        if self.appended == 0 {
            return Ok(Err(Full::Empty));
        }
        let mut ended = self.end_take()?;
        let mut turns = Vec::new();
        if self.speaking {
            let at = ended.last().map_or(self.position(), |last| self.in_session(last.utterance.end));
            turns.push(Turn::Stopped { item: self.item, at });
        }
        let mut utterances = std::mem::take(&mut self.waiting);
        utterances.append(&mut ended);
        self.become_item(utterances, &mut turns);
        Ok(Ok(turns))
    }

    /// Forgets what was appended.
    ///
    /// # Errors
    /// A failing detector.
    pub fn clear(&mut self) -> Result<(), EngineError> {
        self.end_take()?;
        self.waiting.clear();
        self.become_item(Vec::new(), &mut Vec::new());
        Ok(())
    }

    fn take(&mut self, ended: Vec<HeardUtterance>, turns: &mut Vec<Turn>) {
        for heard in ended {
            if self.manual {
                self.waiting_samples += heard.samples.len();
                self.waiting.push(heard);
                continue;
            }
            if !self.speaking {
                turns.push(Turn::Started { item: self.item, at: self.in_session(heard.utterance.start) });
            }
            turns.push(Turn::Stopped { item: self.item, at: self.in_session(heard.utterance.end) });
            self.become_item(vec![heard], turns);
        }
        if let Some(growing) = self.segmenter.growing().filter(|_| !self.manual && !self.speaking) {
            turns.push(Turn::Started { item: self.item, at: self.in_session(growing.start) });
            self.speaking = true;
        }
    }

    fn become_item(&mut self, utterances: Vec<HeardUtterance>, turns: &mut Vec<Turn>) {
        turns.push(Turn::Committed { item: self.item, utterances });
        self.item += 1;
        (self.speaking, self.waiting_samples, self.appended) = (false, 0, 0);
    }

    /// What is still on its way through the resampler and the detector.
    fn end_take(&mut self) -> Result<Vec<HeardUtterance>, EngineError> {
        let mut ended = Vec::new();
        for samples in self.decoder.finish()? {
            ended.extend(self.segmenter.push(&samples)?);
        }
        ended.extend(self.segmenter.finish()?);
        Ok(ended)
    }

    fn position(&self) -> SampleIndex {
        self.in_session(self.segmenter.position())
    }

    fn in_session(&self, place: SampleIndex) -> SampleIndex {
        SampleIndex(self.begin + place.0)
    }
}

#[cfg(test)]
mod tests;
