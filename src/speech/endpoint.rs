//! Where an utterance begins and ends: from speech probabilities to ranges of samples.
//!
//! An *island* is a run of frames that starts at one with at least `speech_probability` and ends before the first below
//! `silence_probability`. It counts as speech once enough of its frames reach `speech_probability`: a click or a breath does
//! not, neither as an utterance nor at the edge of one. Islands less than a pause apart are one utterance.

use std::collections::VecDeque;

use super::SpeechError;
use super::model::silero_vad::FRAME;
use super::vad::{BLOCK, Frame};
use crate::audio::{SAMPLE_RATE, SampleIndex};

/// Blocks over which loudness is averaged where a long utterance is cut: 40 ms, less than a syllable.
const SMOOTHING: usize = 5;

/// When speech is an utterance. Milliseconds are rounded up to whole frames of 32 ms.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointSettings {
    /// A frame at least this probable is speech.
    pub speech_probability: f32,
    /// Speech lasts until a frame is less probable than this.
    pub silence_probability: f32,
    /// Frames of speech that a sound needs to count, in milliseconds. Shorter words are still longer to the model, which
    /// hears 30 to 100 ms beyond them.
    pub minimum_speech_ms: u32,
    /// A pause this long ends an utterance; it delays its final by as much. At least `padding_after_ms`: what is longer is time in
    /// which a live room can hear the whole utterance before it has ended. But speakers less than a pause apart are one utterance,
    /// and Whisper base loses words of it: of 8 English clips end to end 8 words of 83 differ with 640 ms, 25 with 960, 34 with 1280.
    pub pause_ms: u32,
    /// Audio kept before the first frame of speech: quiet first consonants.
    pub padding_before_ms: u32,
    /// Audio kept after the last frame of speech.
    pub padding_after_ms: u32,
    /// No utterance is longer, with its padding; below the 30 s that Whisper's window holds.
    pub longest_utterance_ms: u32,
    /// Where a longer one is cut: at the likeliest pause in this much at its end.
    pub cut_window_ms: u32,
}

impl Default for EndpointSettings {
    /// Chosen on the Cantonese clips of Common Voice in quiet and in noise, and on sounds that are no speech.
    fn default() -> Self {
        Self {
            speech_probability: 0.4,
            silence_probability: 0.15,
            minimum_speech_ms: 128,
            pause_ms: 640,
            padding_before_ms: 320,
            padding_after_ms: 320,
            longest_utterance_ms: 28_000,
            cut_window_ms: 8_000,
        }
    }
}

impl EndpointSettings {
    fn check(&self) -> Result<(), SpeechError> {
        let wrong = |option, value: String, expected| Err(SpeechError::Option { option, value, expected });
        if !(self.speech_probability > 0.0 && self.speech_probability <= 1.0) {
            return wrong("speech_probability", self.speech_probability.to_string(), "more than 0, at most 1");
        }
        if !(self.silence_probability >= 0.0 && self.silence_probability <= self.speech_probability) {
            return wrong("silence_probability", self.silence_probability.to_string(), "0 to `speech_probability`");
        }
        if self.pause_ms == 0 || self.pause_ms < self.padding_after_ms {
            return wrong("pause_ms", self.pause_ms.to_string(), "more than 0, at least `padding_after_ms`");
        }
        if self.cut_window_ms == 0 || self.cut_window_ms > self.longest_utterance_ms / 2 {
            return wrong("cut_window_ms", self.cut_window_ms.to_string(), "more than 0, at most half of `longest_utterance_ms`");
        }
        let least = self.cut_window_ms.saturating_add(self.padding_before_ms).saturating_add(self.padding_after_ms);
        if self.longest_utterance_ms < least.saturating_add(1000) {
            let expected = "at least 1000 more than `cut_window_ms` and both paddings";
            return wrong("longest_utterance_ms", self.longest_utterance_ms.to_string(), expected);
        }
        Ok(())
    }
}

/// A stretch of the recording to be heard in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utterance {
    /// Its first sample.
    pub start: SampleIndex,
    /// One past its last sample.
    pub end: SampleIndex,
    /// Speech goes on: it was cut because it was too long, and the next one begins at `end`.
    pub cut: bool,
}

/// An utterance that has begun and not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Underway {
    /// Its first sample.
    pub start: SampleIndex,
    /// One past the last sample of its speech so far.
    pub speech_end: SampleIndex,
    /// One past its last sample, if nobody speaks on.
    pub end: SampleIndex,
    /// Its speech has ended for now, and all up to `end` was heard.
    pub complete: bool,
}

/// An utterance that has not ended, in samples.
#[derive(Clone, Copy)]
struct Open {
    start: u64,
    /// End of the speech that counts.
    speech_end: u64,
}

#[derive(Clone, Copy)]
struct Island {
    start: u64,
    frames_of_speech: u32,
}

/// Turns one stream of frames into utterances, each as soon as it is sure.
pub struct Endpointer {
    settings: EndpointSettings,
    minimum_frames: u32,
    pause: u64,
    before: u64,
    after: u64,
    longest: u64,
    window: u64,
    /// Where the next frame begins.
    now: u64,
    /// End of the last utterance: none may begin before it.
    previous_end: u64,
    open: Option<Open>,
    island: Option<Island>,
    /// The frames of the open utterance, for finding where to cut it.
    history: VecDeque<Frame>,
}

impl Endpointer {
    /// Nothing heard yet.
    ///
    /// # Errors
    /// [`SpeechError::Option`] for settings that contradict themselves.
    pub fn new(settings: EndpointSettings) -> Result<Self, SpeechError> {
        settings.check()?;
        Ok(Self {
            minimum_frames: u32::try_from(whole_frames(settings.minimum_speech_ms) / FRAME as u64).unwrap_or(u32::MAX).max(1),
            pause: whole_frames(settings.pause_ms),
            before: whole_frames(settings.padding_before_ms),
            after: whole_frames(settings.padding_after_ms),
            longest: samples(settings.longest_utterance_ms),
            window: samples(settings.cut_window_ms),
            settings,
            now: 0,
            previous_end: 0,
            open: None,
            island: None,
            history: VecDeque::new(),
        })
    }

    /// Takes the next frame, which must begin where the last one ended, and returns the utterances that are now sure.
    pub fn push(&mut self, frame: Frame) -> Vec<Utterance> {
        let mut found = Vec::new();
        self.now = frame.start.0 + FRAME as u64;
        self.history.push_back(frame);
        self.follow_island(&frame);
        while let Some(cut) = self.cut_if_too_long() {
            found.push(cut);
        }
        if let Some(open) = self.open.filter(|open| self.island.is_none() && self.now - open.speech_end >= self.pause) {
            found.push(self.close(open, self.now));
        }
        let needed = self.needed_from();
        while self.history.front().is_some_and(|frame| frame.start.0 + FRAME as u64 <= needed.0) {
            self.history.pop_front();
        }
        found
    }

    /// The stream ended after `total` samples: the utterance that was still open, if any. Then starts anew.
    pub fn flush(&mut self, total: SampleIndex) -> Option<Utterance> {
        let last = self.open.map(|open| self.close(open, total.0)).filter(|last| last.start < last.end);
        self.now = 0;
        self.previous_end = 0;
        self.island = None;
        self.history.clear();
        last
    }

    /// The utterance that has begun and not ended, if there is one.
    #[must_use]
    pub fn underway(&self) -> Option<Underway> {
        let Open { start, speech_end } = self.open?;
        let end = speech_end + self.after;
        let complete = self.now > speech_end && self.now >= end;
        Some(Underway { start: SampleIndex(start), speech_end: SampleIndex(speech_end), end: SampleIndex(end), complete })
    }

    /// No utterance to come holds a sample before this one: what the caller may forget.
    #[must_use]
    pub fn needed_from(&self) -> SampleIndex {
        let start = match (self.open, self.island) {
            (Some(open), _) => open.start,
            (None, Some(island)) => island.start.saturating_sub(self.before),
            (None, None) => self.now.saturating_sub(self.before),
        };
        SampleIndex(start.max(self.previous_end))
    }

    fn follow_island(&mut self, frame: &Frame) {
        let speech = u32::from(frame.probability >= self.settings.speech_probability);
        if frame.probability < self.settings.silence_probability || (self.island.is_none() && speech == 0) {
            self.island = None;
            return;
        }
        let mut island = self.island.unwrap_or(Island { start: frame.start.0, frames_of_speech: 0 });
        island.frames_of_speech = island.frames_of_speech.saturating_add(speech);
        if island.frames_of_speech >= self.minimum_frames {
            let start = island.start.saturating_sub(self.before).max(self.previous_end);
            self.open = Some(Open { start: self.open.map_or(start, |open| open.start), speech_end: self.now });
        } else if self.now - island.start >= self.pause {
            // It has hummed at the threshold for a whole pause: it must not hold up the utterance before it.
            self.island = None;
            return;
        }
        self.island = Some(island);
    }

    fn close(&mut self, open: Open, limit: u64) -> Utterance {
        let end = (open.speech_end + self.after).min(limit);
        self.open = None;
        self.previous_end = end;
        Utterance { start: SampleIndex(open.start), end: SampleIndex(end), cut: false }
    }

    /// Cuts the first part off an utterance that with its padding would be too long.
    fn cut_if_too_long(&mut self) -> Option<Utterance> {
        let open = self.open.filter(|open| open.speech_end + self.after - open.start > self.longest)?;
        let latest = open.start + self.longest;
        let end = self.quietest(latest - self.window, latest);
        self.open = Some(Open { start: end, ..open });
        self.previous_end = end;
        Some(Utterance { start: SampleIndex(open.start), end: SampleIndex(end), cut: true })
    }

    /// The best place to cut in `from..to`: the middle of the block in the least probable frame that is no speech, and where
    /// all is speech, of the quietest block.
    fn quietest(&self, from: u64, to: u64) -> u64 {
        let blocks: Vec<(u64, f32, f32)> = self
            .history
            .iter()
            .flat_map(|frame| {
                (frame.start.0..).step_by(BLOCK).zip(frame.energies).map(|(start, energy)| (start, frame.probability, energy))
            })
            .collect();
        blocks
            .windows(SMOOTHING)
            .filter_map(|around| {
                let (start, probability, _) = *around.get(SMOOTHING / 2)?;
                let loudness: f32 = around.iter().map(|(_, _, energy)| energy).sum();
                let probability = if probability < self.settings.speech_probability { probability } else { 1.0 };
                Some((start + BLOCK as u64 / 2, probability, loudness))
            })
            .filter(|(place, _, _)| (from..=to).contains(place))
            .min_by(|(_, p, e), (_, q, f)| p.total_cmp(q).then(e.total_cmp(f)))
            .map_or(to, |(place, _, _)| place)
    }
}

fn samples(milliseconds: u32) -> u64 {
    u64::from(milliseconds) * u64::from(SAMPLE_RATE) / 1000
}

fn whole_frames(milliseconds: u32) -> u64 {
    samples(milliseconds).next_multiple_of(FRAME as u64)
}

#[cfg(test)]
mod tests;
