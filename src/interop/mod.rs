//! Exchange formats, made from a note, an audited event or a consent.
//!
//! Pure: the time, the patient and the author are arguments, and the same note gives the same bytes.

pub mod fhir;

/// What can keep a note from being exchanged.
#[derive(Debug, thiserror::Error)]
pub enum InteropError {
    /// A FHIR instant has a date, a time and an offset.
    #[error("`{given}` is no time with an offset, such as 2026-03-01T09:30:00+08:00")]
    BadTime {
        /// What was given.
        given: String,
    },
    /// A patient or an author without a name or number.
    #[error("the {role} is blank")]
    Blank {
        /// `patient` or `author`.
        role: &'static str,
    },
    /// The note cannot be put into JSON.
    #[error("the note cannot be written as JSON")]
    NotJson,
}
