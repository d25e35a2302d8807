//! A talk without end, made of what was said in the recordings, and when each utterance of it is over.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::BenchError;
use super::recordings::Loaded;
use crate::audio::{Mixing, SAMPLE_RATE, StreamDecoder, StreamEncoding, StreamFormat};
use crate::capture::to_pcm;
use crate::speech::Segmenter;
use crate::speech::endpoint::{EndpointSettings, Utterance};
use crate::speech::model::silero_vad::SileroVad;
use crate::speech::vad::VoiceActivity;

/// Share of the time in which somebody speaks; doctors type and examine in the rest.
const SPEECH_SHARE: f64 = 0.7;
/// Seconds of talk before it begins again.
const LONGEST_SECONDS: usize = 600;
/// Least silence between two utterances, in seconds, beyond what belongs to them.
const LEAST_PAUSE: f64 = 0.3;
/// Silence at the end of a part, in seconds: longer than the pause that ends an utterance.
const SILENCE_AFTER: f64 = 1.0;
/// Samples that a room hears at a time, so that an utterance ends here where it ends there.
const BLOCK: usize = 512;

/// The talk, and the parts of it that rooms were given.
pub(super) struct Talk {
    detector: Arc<SileroVad>,
    endpoint: EndpointSettings,
    samples: Arc<Vec<i16>>,
    parts: HashMap<(usize, usize), Part>,
}

/// What one room hears: some of the talk, then silence.
#[derive(Clone)]
pub(super) struct Part {
    talk: Arc<Vec<i16>>,
    offset: usize,
    spoken: usize,
    /// Samples in all.
    pub length: usize,
    /// Every utterance in it, in order.
    pub utterances: Arc<Vec<Timed>>,
}

/// When an utterance was said, in samples from the part's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timed {
    /// Where its speech begins.
    pub speech_start: u64,
    /// Where its speech ends.
    pub speech_end: u64,
    /// How much must have been heard to know that it is over.
    pub endpoint: u64,
}

impl Talk {
    /// Takes the utterances out of the recordings and leaves pauses between them, so that somebody speaks 70% of the time.
    ///
    /// # Errors
    /// [`BenchError::NoSpeech`]; a failing detector.
    pub fn new(recordings: &[Loaded], detector: Arc<SileroVad>) -> Result<Self, BenchError> {
        let endpoint = EndpointSettings::default();
        let (mut samples, mut speech) = (Vec::new(), 0);
        for recording in recordings {
            let mut segmenter = segmenter(&detector, &endpoint)?;
            let mut heard = segmenter.push(&recording.samples)?;
            heard.extend(segmenter.finish()?);
            for found in heard {
                let padding = if found.utterance.cut { 0 } else { padding(&endpoint) };
                speech += found.samples.len().saturating_sub(padding);
                samples.extend(found.samples.into_iter().map(to_pcm));
                let wanted = (speech as f64 / SPEECH_SHARE) as usize;
                let pause = wanted.saturating_sub(samples.len()).max(seconds(LEAST_PAUSE));
                samples.resize(samples.len() + pause, 0);
            }
            if samples.len() > LONGEST_SECONDS * SAMPLE_RATE as usize {
                break;
            }
        }
        if samples.is_empty() {
            return Err(BenchError::NoSpeech { count: recordings.len() });
        }
        Ok(Self { detector, endpoint, samples: Arc::new(samples), parts: HashMap::new() })
    }

    /// What the `room`th room (from 0) hears for so long. Each begins at another place; the same room hears the same each time.
    ///
    /// # Errors
    /// A failing detector.
    pub fn part(&mut self, room: usize, length: Duration) -> Result<Part, BenchError> {
        let spoken = seconds(length.as_secs_f64());
        if let Some(part) = self.parts.get(&(room, spoken)) {
            return Ok(part.clone());
        }
        // Multiples of the golden section: no two rooms are ever close together.
        let offset = ((room as f64 * 0.618_033_988_749_895).fract() * self.samples.len() as f64) as usize;
        let length = spoken + seconds(SILENCE_AFTER);
        let mut part = Part { talk: Arc::clone(&self.samples), offset, spoken, length, utterances: Arc::default() };
        part.utterances = Arc::new(self.listen(&part)?);
        self.parts.insert((room, spoken), part.clone());
        Ok(part)
    }

    /// Finds the utterances as a room does: the same bytes, decoded the same way, in the same blocks.
    fn listen(&self, part: &Part) -> Result<Vec<Timed>, BenchError> {
        let mut decoder = StreamDecoder::new(format()?, Mixing::Mono)?;
        let mut segmenter = segmenter(&self.detector, &self.endpoint)?;
        let (mut found, mut heard, mut speech_end) = (Vec::new(), 0, 0);
        let before = u64::from(self.endpoint.padding_before_ms) * u64::from(SAMPLE_RATE) / 1000;
        let mut timed = |utterance: Utterance, speech_end: u64, endpoint: u64| {
            let speech_end = if utterance.cut { utterance.end.0 } else { speech_end.min(utterance.end.0) };
            let speech_start = (utterance.start.0 + before).min(speech_end);
            found.push(Timed { speech_start, speech_end, endpoint });
        };
        while heard < part.length {
            let upto = (heard + BLOCK).min(part.length);
            for block in decoder.push(&part.bytes(heard, upto))? {
                for ended in segmenter.push(&block)? {
                    timed(ended.utterance, speech_end, upto as u64);
                }
                speech_end = segmenter.growing().map_or(speech_end, |growing| growing.speech_end.0);
            }
            heard = upto;
        }
        for block in decoder.finish()? {
            for ended in segmenter.push(&block)? {
                timed(ended.utterance, speech_end, part.length as u64);
            }
        }
        for ended in segmenter.finish()? {
            timed(ended.utterance, ended.utterance.end.0, part.length as u64);
        }
        Ok(found)
    }
}

impl Part {
    /// Its samples from one to before another, as a client sends them.
    pub fn bytes(&self, from: usize, to: usize) -> Vec<u8> {
        let sample = |at: usize| {
            let place = (self.offset + at) % self.talk.len().max(1);
            if at < self.spoken { self.talk.get(place).copied().unwrap_or_default() } else { 0 }
        };
        (from..to).flat_map(|at| sample(at).to_le_bytes()).collect()
    }

    /// Share of the time, without the silence at the end, in which somebody speaks.
    pub fn speech_share(&self) -> f64 {
        let speech: u64 = self.utterances.iter().map(|timed| timed.speech_end.saturating_sub(timed.speech_start)).sum();
        speech as f64 / self.spoken.max(1) as f64
    }
}

/// How rooms are sent the talk.
pub(super) fn format() -> Result<StreamFormat, BenchError> {
    Ok(StreamFormat::new(StreamEncoding::PcmS16le, SAMPLE_RATE, 1)?)
}

fn segmenter(detector: &Arc<SileroVad>, endpoint: &EndpointSettings) -> Result<Segmenter, BenchError> {
    Ok(Segmenter::new(Box::new(VoiceActivity::new(Arc::clone(detector))), endpoint.clone())?)
}

/// Samples of an utterance that are no speech.
fn padding(endpoint: &EndpointSettings) -> usize {
    seconds(f64::from(endpoint.padding_before_ms + endpoint.padding_after_ms) / 1000.0)
}

fn seconds(seconds: f64) -> usize {
    (seconds * f64::from(SAMPLE_RATE)) as usize
}
