//! What is known of text before any stage: the type that carries what a person said, and how numbers are said.
//!
//! [`PatientText`] can be logged, formatted and put into an error without telling anything but how long it is. Reading it is a
//! named call, [`PatientText::reveal`], that a search over the source finds. It implements no `Display`, so it cannot slip into a
//! message by `{}` either.

pub mod numerals;

use std::fmt;

use serde::{Deserialize, Serialize};

/// Words that a patient, a relative or a clinician said, or that were derived from them.
///
/// ```
/// use cantoscribe::text::PatientText;
/// let said = PatientText::from("血壓高");
/// assert_eq!(format!("{said:?}"), "PatientText(3 chars)");
/// assert_eq!(said.reveal(), "血壓高");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PatientText(String);

impl PatientText {
    /// The text itself. Call this only to compute on it or to write a document that is meant to hold it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Length in Unicode scalar values, the unit of every evidence span.
    #[must_use]
    pub fn chars(&self) -> usize {
        self.0.chars().count()
    }

    /// Whether nothing but white space is left of it.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl From<String> for PatientText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for PatientText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for PatientText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PatientText({} chars)", self.chars())
    }
}
