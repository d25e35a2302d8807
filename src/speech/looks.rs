//! When an utterance that is still being spoken is worth another look, and what that look may go on from.

use super::model::Hypothesis;
use super::segmenter::Growing;
use crate::audio::SampleIndex;

/// Speech before the first look at an utterance: less is seldom a word.
const FIRST_LOOK: u64 = 9_600;
/// Further samples before the next look: a look sooner would show the same words.
const NEXT_LOOK: u64 = 4_000;
/// Speech that an earlier look must have heard before a later one goes on from it, and the tokens at its end that are heard anew: two
/// chunks, and what is rolled back, in the streaming of `qwen-asr`, of which a chunk is longer than what lies between two looks here.
const RESUMED_AFTER: usize = 64_000;
const ROLLED_BACK: usize = 5;
/// Silence after which no further look at growing speech is begun: its end is near.
const PAUSE_BEGINS: u64 = 1_600;

/// Whether another look would show something new, where the last one heard `seen` samples, and the audio has come to `position`.
#[must_use]
pub fn is_due(growing: &Growing<'_>, position: SampleIndex, seen: u64) -> bool {
    let silence = position.0.saturating_sub(growing.speech_end.0);
    let length = growing.end.0.saturating_sub(growing.start.0);
    length >= FIRST_LOOK && length >= seen.saturating_add(NEXT_LOOK) && silence < PAUSE_BEGINS
}

/// What the next look may go on from, after one that heard so many samples: [`crate::speech::model::DecodeOptions::begun`].
#[must_use]
pub fn begun(heard: Hypothesis, samples: usize) -> Vec<(u32, f32)> {
    let kept = if samples >= RESUMED_AFTER { heard.tokens.len().saturating_sub(ROLLED_BACK) } else { 0 };
    heard.tokens.into_iter().zip(heard.probabilities).take(kept).collect()
}
