//! What can be wrong with a transcript document, said without a word of what is in it.

use super::{MAX_DOCUMENT_BYTES, TRANSCRIPT_SCHEMA};

/// What can be wrong with a transcript document. No message quotes the document's text.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TranscriptError {
    /// There is nothing but white space.
    #[error("there is no text in it")]
    Empty,
    /// Longer than [`MAX_DOCUMENT_BYTES`].
    #[error("it has {size} bytes; a transcript has at most {MAX_DOCUMENT_BYTES}")]
    TooLarge {
        /// Its length in bytes.
        size: usize,
    },
    /// Bytes that are no UTF-8.
    #[error("it is not UTF-8 text: no character starts at byte {at}{hint}")]
    NotUtf8 {
        /// Index of the first byte that is wrong, from 0.
        at: usize,
        /// What it looks like instead, or nothing.
        hint: &'static str,
    },
    /// A control character that no text has.
    #[error("it is not text: line {line} has a control character")]
    NotText {
        /// From 1.
        line: usize,
    },
    /// Not JSON.
    #[error("it is not JSON: {problem} at line {line} column {column}, in `{path}`")]
    Syntax {
        /// Where in the document.
        path: String,
        /// The parser's words, which quote nothing.
        problem: String,
        /// From 1.
        line: usize,
        /// In bytes, from 1.
        column: usize,
    },
    /// It ends before it is complete.
    #[error("it breaks off at line {line} column {column}, in `{path}`")]
    Truncated {
        /// Where in the document.
        path: String,
        /// From 1.
        line: usize,
        /// In bytes, from 1.
        column: usize,
    },
    /// `schema` names another document.
    #[error("`schema` is {found}, expected `{TRANSCRIPT_SCHEMA}`")]
    Schema {
        /// The schema found if it is one of cantoscribe's, or else a word for it.
        found: String,
    },
    /// A required field is not there.
    #[error("`{path}` is missing (line {line} column {column})")]
    Missing {
        /// Where in the document.
        path: String,
        /// From 1.
        line: usize,
        /// In bytes, from 1.
        column: usize,
    },
    /// A field is there twice.
    #[error("`{path}` is there twice (line {line} column {column})")]
    Repeated {
        /// Where in the document.
        path: String,
        /// From 1.
        line: usize,
        /// In bytes, from 1.
        column: usize,
    },
    /// A value of the wrong type.
    #[error("`{path}` is {found}, expected {expected} (line {line} column {column})")]
    WrongType {
        /// Where in the document.
        path: String,
        /// The type found.
        found: &'static str,
        /// The type wanted.
        expected: &'static str,
        /// From 1.
        line: usize,
        /// In bytes, from 1.
        column: usize,
    },
    /// Two segments have one id, so that evidence would be ambiguous.
    #[error("`segments[{index}].id` is {id}, which `segments[{first}].id` already is")]
    DuplicateId {
        /// The id.
        id: u64,
        /// Index of the second segment that has it.
        index: usize,
        /// Index of the first.
        first: usize,
    },
    /// Something ends before it starts.
    #[error("`{path}` is {end_ms}, before `start_ms`, which is {start_ms}")]
    EndBeforeStart {
        /// Where in the document.
        path: String,
        /// Start in milliseconds.
        start_ms: u64,
        /// End in milliseconds.
        end_ms: u64,
    },
    /// A confidence that is no probability.
    #[error("`{path}` is {value}, expected a number from 0 to 1")]
    Confidence {
        /// Where in the document.
        path: String,
        /// What it is.
        value: f64,
    },
    /// Subtitles need times that this segment does not have.
    #[error("segment {id} has no start and end time, which subtitles need; `text` and `json` need none")]
    NoTimes {
        /// The segment's id.
        id: u64,
    },
}
