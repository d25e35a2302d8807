//! How the voice activity detector is told to divide the audio, in OpenAI's words and in ours.

use serde::{Deserialize, Serialize};

use crate::speech::endpoint::EndpointSettings;

/// Thresholds that the detector can be told.
const THRESHOLD: std::ops::RangeInclusive<f32> = 0.05..=0.95;
/// Milliseconds that may be kept before speech.
const PADDING_MS: std::ops::RangeInclusive<u32> = 0..=1000;
/// Milliseconds of silence that may end an utterance.
const SILENCE_MS: std::ops::RangeInclusive<u32> = 100..=5000;

/// `server_vad`: where an utterance begins and ends. What is not said is as the server was started with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerVad {
    /// Probability from which a frame is speech.
    pub threshold: Option<f32>,
    /// Milliseconds kept before the speech.
    pub prefix_padding_ms: Option<u32>,
    /// Milliseconds of silence that end it.
    pub silence_duration_ms: Option<u32>,
}

/// A setting that is out of its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutOfRange {
    /// Which.
    pub name: &'static str,
    /// What it can be, after the name.
    pub expected: &'static str,
}

impl ServerVad {
    /// The server's own settings with these in their places.
    pub fn apply(self, own: &EndpointSettings) -> Result<EndpointSettings, OutOfRange> {
        let mut settings = own.clone();
        if let Some(threshold) = self.threshold {
            if !THRESHOLD.contains(&threshold) {
                return Err(OutOfRange { name: "threshold", expected: "is not from 0.05 to 0.95" });
            }
            settings.speech_probability = threshold;
            settings.silence_probability = own.silence_probability.min(threshold);
        }
        if let Some(padding) = self.prefix_padding_ms {
            if !PADDING_MS.contains(&padding) {
                return Err(OutOfRange { name: "prefix_padding_ms", expected: "is not from 0 to 1000" });
            }
            settings.padding_before_ms = padding;
        }
        if let Some(silence) = self.silence_duration_ms {
            if !SILENCE_MS.contains(&silence) {
                return Err(OutOfRange { name: "silence_duration_ms", expected: "is not from 100 to 5000" });
            }
            settings.pause_ms = silence;
            // No more silence can be kept than was waited for.
            settings.padding_after_ms = own.padding_after_ms.min(silence);
        }
        Ok(settings)
    }
}
