//! Where a finding came from. No evidence, no heard finding: the constructors hold it.

use serde::{Deserialize, Serialize};

use super::NoteError;
use crate::text::PatientText;

/// A run of characters in one segment's text, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawSpan")]
pub struct Span {
    segment: u64,
    start: usize,
    end: usize,
}

#[derive(Deserialize)]
struct RawSpan {
    segment: u64,
    start: usize,
    end: usize,
}

impl TryFrom<RawSpan> for Span {
    type Error = NoteError;
    fn try_from(raw: RawSpan) -> Result<Self, NoteError> {
        Self::new(raw.segment, raw.start, raw.end)
    }
}

impl Span {
    /// A span of the segment with this id; `start` and `end` count Unicode scalar values, end exclusive.
    ///
    /// # Errors
    /// [`NoteError::EmptySpan`] unless `start < end`.
    pub fn new(segment: u64, start: usize, end: usize) -> Result<Self, NoteError> {
        if start < end { Ok(Self { segment, start, end }) } else { Err(NoteError::EmptySpan { segment, start, end }) }
    }

    /// Id of the segment.
    #[must_use]
    pub fn segment(&self) -> u64 {
        self.segment
    }

    /// First character.
    #[must_use]
    pub fn start(&self) -> usize {
        self.start
    }

    /// One past the last character.
    #[must_use]
    pub fn end(&self) -> usize {
        self.end
    }
}

/// The number of spans after which evidence takes no more.
const MOST_SPANS: usize = 24;

/// One or more spans: what a heard finding rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Span>", into = "Vec<Span>")]
pub struct Evidence(Vec<Span>);

impl Evidence {
    /// Evidence of these spans, in order and without repeats.
    ///
    /// # Errors
    /// [`NoteError::NoEvidence`] when there is none.
    pub fn new(mut spans: Vec<Span>) -> Result<Self, NoteError> {
        spans.sort_unstable();
        spans.dedup();
        if spans.is_empty() { Err(NoteError::NoEvidence) } else { Ok(Self(spans)) }
    }

    /// The spans in order.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    /// Adds the spans of another, up to a couple of dozen: who reads a finding wants its first words, not all of an hour's.
    pub fn merge(&mut self, other: &Self) {
        if self.0.len() >= MOST_SPANS {
            return;
        }
        self.0.extend_from_slice(&other.0);
        self.0.sort_unstable();
        self.0.dedup();
    }
}

impl From<Span> for Evidence {
    fn from(span: Span) -> Self {
        Self(vec![span])
    }
}

impl TryFrom<Vec<Span>> for Evidence {
    type Error = NoteError;
    fn try_from(spans: Vec<Span>) -> Result<Self, NoteError> {
        Self::new(spans)
    }
}

impl From<Evidence> for Vec<Span> {
    fn from(evidence: Evidence) -> Self {
        evidence.0
    }
}

/// Who changed a heard entry, when, and what it was before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// The person.
    pub by: String,
    /// RFC 3339 time.
    pub at: String,
    /// The text before.
    pub was: PatientText,
}

/// Where an entry of the note came from. The machine makes only `Heard`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawProvenance", into = "RawProvenance")]
pub enum Provenance {
    /// Heard in the recording; cannot be built without evidence.
    Heard {
        /// What was said.
        evidence: Evidence,
        /// Set when a person changed it afterwards.
        edited: Option<Edit>,
    },
    /// Typed by a person; cannot be built without the author.
    Typed {
        /// The person.
        by: String,
        /// RFC 3339 time.
        at: String,
        /// May be empty.
        evidence: Vec<Span>,
    },
}

#[derive(Serialize, Deserialize)]
struct RawProvenance {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edited: Option<Edit>,
    #[serde(default)]
    evidence: Vec<Span>,
}

impl TryFrom<RawProvenance> for Provenance {
    type Error = NoteError;
    fn try_from(raw: RawProvenance) -> Result<Self, NoteError> {
        match raw.origin.as_deref() {
            None | Some("heard") => Ok(Self::Heard { evidence: Evidence::new(raw.evidence)?, edited: raw.edited }),
            Some("typed") => match (raw.by, raw.at) {
                (Some(by), Some(at)) => Ok(Self::Typed { by, at, evidence: raw.evidence }),
                _ => Err(NoteError::NoAuthor),
            },
            Some(_) => Err(NoteError::UnknownOrigin),
        }
    }
}

impl From<Provenance> for RawProvenance {
    fn from(provenance: Provenance) -> Self {
        match provenance {
            Provenance::Heard { evidence, edited } => {
                Self { origin: Some("heard".into()), by: None, at: None, edited, evidence: evidence.into() }
            }
            Provenance::Typed { by, at, evidence } => {
                Self { origin: Some("typed".into()), by: Some(by), at: Some(at), edited: None, evidence }
            }
        }
    }
}

impl From<Evidence> for Provenance {
    fn from(evidence: Evidence) -> Self {
        Self::Heard { evidence, edited: None }
    }
}

impl Provenance {
    /// The spans, none for what was typed without any.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        match self {
            Self::Heard { evidence, .. } => evidence.spans(),
            Self::Typed { evidence, .. } => evidence,
        }
    }

    /// Whether a person typed the entry or changed it.
    #[must_use]
    pub fn is_by_a_person(&self) -> bool {
        !matches!(self, Self::Heard { edited: None, .. })
    }
}
