//! What is wrong with a patient's particulars. No message quotes them.

use thiserror::Error;

use crate::identity::IdentityError;

/// Why something is no patient, or no visit. `field` is the name of what was given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VisitError {
    /// Nothing stands in it.
    #[error("`{field}` is empty")]
    Blank {
        /// Which.
        field: &'static str,
    },
    /// It is longer than anything real.
    #[error("`{field}` has {characters} characters, more than {most}")]
    TooLong {
        /// Which.
        field: &'static str,
        /// How many it has.
        characters: usize,
        /// How many it may have.
        most: usize,
    },
    /// It holds what cannot be seen, and may make a line look like another.
    #[error("`{field}` holds a control character or a mark that cannot be seen, at character {at}")]
    Unseen {
        /// Which.
        field: &'static str,
        /// Counted from 1.
        at: usize,
    },
    /// There are more than anybody has.
    #[error("`{field}` has {count} entries, more than {most}")]
    TooMany {
        /// Which.
        field: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// The same number twice.
    #[error("`{field}` has the same number twice")]
    Twice {
        /// Which.
        field: &'static str,
    },
    /// It is none of a few words.
    #[error("`{field}` is none of {words}")]
    NoSuch {
        /// Which.
        field: &'static str,
        /// What it may be.
        words: &'static str,
    },
    /// A number or a date that is none.
    #[error("`{field}`: {reason}")]
    Identity {
        /// Which.
        field: &'static str,
        /// Why not.
        reason: IdentityError,
    },
    /// A passport's number has letters and digits alone.
    #[error("`{field}` is no number of a travel document: those have 5 to 20 letters and digits")]
    Passport {
        /// Which.
        field: &'static str,
    },
    /// A state's number names no institution that issued it.
    #[error(
        "`{field}` is for the number of a hospital, a clinic or another institution: an identity card's and a travel document's have none"
    )]
    NotIssued {
        /// Which.
        field: &'static str,
    },
    /// Nobody living was born then.
    #[error("`{field}` lies in the future or more than 130 years back")]
    NotBorn {
        /// Which.
        field: &'static str,
    },
}

impl VisitError {
    /// The field that it is about, and a word for it that a page looks its own words up by.
    #[must_use]
    pub fn place(&self) -> (&'static str, &'static str) {
        match self {
            Self::Blank { field } => (field, "blank"),
            Self::TooLong { field, .. } => (field, "too_long"),
            Self::Unseen { field, .. } => (field, "unseen"),
            Self::TooMany { field, .. } => (field, "too_many"),
            Self::Twice { field } => (field, "twice"),
            Self::NoSuch { field, .. } => (field, "no_such"),
            Self::Identity { field, reason: IdentityError::HkidShape } => (field, "hkid_shape"),
            Self::Identity { field, reason: IdentityError::HkidDigit } => (field, "hkid_digit"),
            Self::Identity { field, .. } => (field, "date"),
            Self::Passport { field } => (field, "passport"),
            Self::NotIssued { field } => (field, "not_issued"),
            Self::NotBorn { field } => (field, "not_born"),
        }
    }
}
