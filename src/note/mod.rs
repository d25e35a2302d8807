//! From what was said to what a doctor would have written.
//!
//! Invariant: nothing heard is in a note without the span of words it came from.
//! Pure: no clock, no randomness, no I/O.

mod document;
mod evidence;
pub mod explain;
mod finding;
mod quote;

pub mod compose;

pub mod edit;

pub mod evaluate;

pub mod extract;

pub mod reword;

pub mod speakers;
mod template;

pub use document::{
    Allergy, AllergyStatus, Assertion, Code, Condition, Display, FormerRegimen, Laterality, MadeBy, Medication, MedicationStatus,
    NOTE_SCHEMA, Note, Observation, PlanItem, PlanKind, Quantity, Section, SectionCode, Sentence, SocialItem, Uncovered,
};
pub use evidence::{Edit, Evidence, Provenance, Span};
pub use finding::{FindingKind, FindingRef, SaidBy};
pub use quote::{Quote, Quotes};
pub use speakers::{Side, SpeakerGuess};
pub use template::{LONGEST_TEMPLATE, Template};

/// What can be wrong with a note.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    /// A span must hold at least one character.
    #[error("span {start}..{end} of segment {segment} is empty")]
    EmptySpan {
        /// The segment's id.
        segment: u64,
        /// First character.
        start: usize,
        /// One past the last.
        end: usize,
    },
    /// A heard entry must name the words it came from.
    #[error("a heard entry has no evidence")]
    NoEvidence,
    /// A typed entry must name who typed it and when.
    #[error("a typed entry has no author or no time")]
    NoAuthor,
    /// `origin` is neither `heard` nor `typed`.
    #[error("`origin` is neither `heard` nor `typed`")]
    UnknownOrigin,
    /// The note has no such line.
    #[error("section {section:?} has no line {index}")]
    NoLine {
        /// The section.
        section: SectionCode,
        /// Counted from 0.
        index: usize,
    },
    /// The note has no such finding.
    #[error("the note has no {:?} {}", finding.kind, finding.index)]
    NoFinding {
        /// Which was meant.
        finding: FindingRef,
    },
    /// A finding of this kind has nothing of the sort.
    #[error("{:?} {} cannot {what}", finding.kind, finding.index)]
    NotOfThisKind {
        /// The finding.
        finding: FindingRef,
        /// A verb in its plain form, and why.
        what: &'static str,
    },
    /// The lexicon has no such concept.
    #[error("the terminology has no such concept")]
    NoConcept,
    /// The line has no words of a person's that are unknown and could be coded.
    #[error("line {index} of section {section:?} has no words to give a code to")]
    NoTerm {
        /// The section.
        section: SectionCode,
        /// Counted from 0.
        index: usize,
    },
    /// The words are not among those that led to nothing.
    #[error("the note lists no such words as uncovered")]
    NotUncovered,
    /// The words of a line cannot be taken.
    #[error("this is no line of a note: {why}")]
    BadLine {
        /// What is wrong with it.
        why: &'static str,
    },
    /// A template cannot be read.
    #[error("line {line} of the template{field}: {why}")]
    Template {
        /// Counted from 1.
        line: usize,
        /// `, field `x``, or nothing where it is the line.
        field: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// No language that sections can be written in.
    #[error("`{tag}` is no language of the note: `en` and `zh-Hant` are")]
    UnknownLanguage {
        /// The tag given.
        tag: String,
    },
}
