//! Plain text to a transcript: a turn a line, the speaker's label before it if there is one.

use super::error::TranscriptError;
use super::{Segment, TRANSCRIPT_SCHEMA, Transcript};
use crate::text::PatientText;

/// Labels before a colon and the speaker they name. Nothing else is a label: `BP: 140/90` is something said.
const LABELS: [(&str, &str); 18] = [
    ("doctor", "doctor"),
    ("dr", "doctor"),
    ("dr.", "doctor"),
    ("醫生", "doctor"),
    ("醫師", "doctor"),
    ("医生", "doctor"),
    ("patient", "patient"),
    ("pt", "patient"),
    ("病人", "patient"),
    ("患者", "patient"),
    ("relative", "relative"),
    ("family", "relative"),
    ("家屬", "relative"),
    ("家人", "relative"),
    ("親屬", "relative"),
    ("nurse", "nurse"),
    ("護士", "nurse"),
    ("姑娘", "nurse"),
];

/// A transcript without audio: each line that is not blank is a segment, numbered from 0.
///
/// A label alone on its line names the speaker of the next one.
pub(super) fn turns(text: &str) -> Result<Transcript, TranscriptError> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut waiting: Option<&'static str> = None;
    for (index, line) in text.split('\n').enumerate() {
        for line in line.split('\r').map(str::trim).filter(|line| !line.is_empty()) {
            if line.chars().any(|c| c.is_control() && c != '\t') {
                return Err(TranscriptError::NotText { line: index + 1 });
            }
            let (speaker, said) = split_label(line);
            let speaker = speaker.or(waiting.take());
            if said.is_empty() {
                waiting = speaker;
            } else {
                segments.push(segment(segments.len() as u64, speaker, said));
            }
        }
    }
    if segments.is_empty() {
        return Err(TranscriptError::Empty);
    }
    let language = if text.chars().any(is_han) { "yue" } else { "en" };
    Ok(Transcript { schema: TRANSCRIPT_SCHEMA.to_owned(), language: language.to_owned(), model: None, audio: None, segments })
}

fn split_label(line: &str) -> (Option<&'static str>, &str) {
    let Some((label, said)) = line.split_once([':', '：']) else { return (None, line) };
    let label = label.trim().to_lowercase();
    match LABELS.iter().find(|(known, _)| *known == label) {
        Some((_, speaker)) => (Some(speaker), said.trim()),
        None => (None, line),
    }
}

fn segment(id: u64, speaker: Option<&str>, said: &str) -> Segment {
    Segment {
        id,
        start_ms: None,
        end_ms: None,
        speaker: speaker.map(str::to_owned),
        text: PatientText::from(said),
        confidence: None,
        words: None,
        tokens: None,
    }
}

/// CJK Unified Ideographs, extension A and the planes beyond: the Unicode block ranges.
fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{20000}'..='\u{323AF}')
}
