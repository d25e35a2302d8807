//! The words that evidence points at, and when they were said.

use std::collections::HashMap;

use super::Span;
use crate::speech::{Segment, Transcript};
use crate::text::PatientText;

/// What a span points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The words, as spoken.
    pub text: PatientText,
    /// Who said them.
    pub speaker: Option<String>,
    /// When they start, in milliseconds: of the word where the transcript has words, or else of the segment.
    pub start_ms: Option<u64>,
    /// When they end, likewise.
    pub end_ms: Option<u64>,
}

/// Finds quotes in a transcript by segment id.
#[derive(Debug, Clone)]
pub struct Quotes<'a>(HashMap<u64, &'a Segment>);

impl<'a> Quotes<'a> {
    /// The quotes of this transcript.
    #[must_use]
    pub fn new(transcript: &'a Transcript) -> Self {
        Self(transcript.segments.iter().map(|segment| (segment.id, segment)).collect())
    }

    /// What the span points at; nothing where the transcript has no such segment or not so many characters.
    #[must_use]
    pub fn get(&self, span: Span) -> Option<Quote> {
        let segment = *self.0.get(&span.segment())?;
        let length = span.end().checked_sub(span.start())?;
        let words: String = segment.text.reveal().chars().skip(span.start()).take(length).collect();
        if words.chars().count() < length {
            return None;
        }
        let (start_ms, end_ms) = word_times(segment, span).unwrap_or((segment.start_ms, segment.end_ms));
        Some(Quote { text: PatientText::from(words), speaker: segment.speaker.clone(), start_ms, end_ms })
    }
}

/// Start of the first word that overlaps the span and end of the last one.
fn word_times(segment: &Segment, span: Span) -> Option<(Option<u64>, Option<u64>)> {
    let text = segment.text.reveal();
    let (mut from_byte, mut from_char) = (0_usize, 0_usize);
    let (mut first, mut last) = (None, None);
    for word in segment.words.as_ref()? {
        let rest = text.get(from_byte..)?;
        let said = word.text.reveal().trim();
        let skipped = rest.find(said)?;
        let start = from_char + rest.get(..skipped)?.chars().count();
        let end = start + said.chars().count();
        (from_byte, from_char) = (from_byte + skipped + said.len(), end);
        if start < span.end() && span.start() < end {
            first = first.or(Some(word.start_ms));
            last = Some(word.end_ms);
        }
    }
    first.map(|start| (Some(start), last))
}
