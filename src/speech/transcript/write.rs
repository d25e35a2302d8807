//! A transcript as text, JSON and subtitles.

use std::fmt::Write as _;

use super::error::TranscriptError;
use super::{Segment, Transcript};

/// What was said on one line, segments parted by a space.
#[must_use]
pub fn to_text(transcript: &Transcript) -> String {
    let said: Vec<String> = transcript.segments.iter().map(line).filter(|said| !said.is_empty()).collect();
    said.join(" ")
}

/// The document on one line.
///
/// # Errors
/// Only what serde_json gives for a type that is no JSON; a transcript's are.
pub fn to_json(transcript: &Transcript) -> serde_json::Result<String> {
    serde_json::to_string(transcript)
}

/// SubRip subtitles, numbered from 1 in the order of their start.
///
/// SubRip knows no escapes: `-->` is parted by a space so that no line is taken for a timing.
///
/// # Errors
/// [`TranscriptError::NoTimes`] for a segment without start or end.
pub fn to_srt(transcript: &Transcript) -> Result<String, TranscriptError> {
    let mut srt = String::new();
    for (index, cue) in cues(transcript)?.iter().enumerate() {
        let speaker = cue.speaker.as_deref().map(|name| format!("{name}: ")).unwrap_or_default();
        let said = format!("{speaker}{}", cue.text).replace("-->", "-- >");
        let (start, end) = (clock(cue.start_ms, ','), clock(cue.end_ms, ','));
        // Writing into a String cannot fail.
        let _ = write!(srt, "{}\n{start} --> {end}\n{said}\n\n", index + 1);
    }
    Ok(srt)
}

/// WebVTT subtitles in the order of their start, the speaker as a voice span.
///
/// # Errors
/// [`TranscriptError::NoTimes`] for a segment without start or end.
pub fn to_vtt(transcript: &Transcript) -> Result<String, TranscriptError> {
    let mut vtt = String::from("WEBVTT\n\n");
    for cue in cues(transcript)? {
        let voice = cue.speaker.as_deref().map(|name| format!("<v {}>", escape(name))).unwrap_or_default();
        let (start, end) = (clock(cue.start_ms, '.'), clock(cue.end_ms, '.'));
        let _ = write!(vtt, "{start} --> {end}\n{voice}{}\n\n", escape(&cue.text));
    }
    Ok(vtt)
}

struct Cue {
    start_ms: u64,
    end_ms: u64,
    speaker: Option<String>,
    text: String,
}

/// WebVTT wants each cue to end after it starts and none to start before the one above it
/// (https://www.w3.org/TR/webvtt1/#webvtt-cue-timings).
fn cues(transcript: &Transcript) -> Result<Vec<Cue>, TranscriptError> {
    let mut cues = Vec::with_capacity(transcript.segments.len());
    for segment in &transcript.segments {
        let text = line(segment);
        if text.is_empty() {
            continue;
        }
        let (Some(start_ms), Some(end_ms)) = (segment.start_ms, segment.end_ms) else {
            return Err(TranscriptError::NoTimes { id: segment.id });
        };
        let speaker = segment.speaker.as_deref().map(without_breaks).filter(|name| !name.is_empty());
        cues.push(Cue { start_ms, end_ms: end_ms.max(start_ms.saturating_add(1)), speaker, text });
    }
    cues.sort_by_key(|cue| cue.start_ms);
    Ok(cues)
}

/// What was said in a segment, on one line.
#[must_use]
pub fn line(segment: &Segment) -> String {
    without_breaks(segment.text.reveal())
}

/// A line break ends a line, a blank line a cue: control characters become spaces, runs of space one.
fn without_breaks(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `hours:minutes:seconds`, then the mark, then milliseconds.
fn clock(ms: u64, mark: char) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{mark}{:03}", ms % 1000)
}
