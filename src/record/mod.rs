//! A note from the machine's draft to a person's signature.
//!
//! ```text
//! Draft --review (nothing doubtful is open)--> Reviewed --sign--> Signed --addendum--> Signed, a version on
//!   ^------------------ any edit ----------------'
//! ```
//!
//! Invariant: a [`Signed`] note cannot be built without a signature, and nothing changes it. An addendum is a new version; the
//! signed one is kept. Every change is kept with who made it and when. Pure: `by` and `at` are arguments.

mod doubt;
mod history;
mod learned;
mod merge;
mod outcome;
mod stage;

pub use doubt::{Doubt, LOW_CONFIDENCE, Mark, MarkedLine, UNSURE_WORD, Why, marked_lines, open_doubts};
pub use history::{Act, Change, Difference, EditId, Place, Steps, differences, made_before, steps};
pub use learned::{Learned, Offer, learned};
pub use merge::{Rebased, rebase};
pub use outcome::{Correction, Figures, Outcome, TermCount, figures};
pub use stage::{Draft, NotYet, Record, Reviewed, Signature, Signed, Stage};

use crate::note::NoteError;

/// What can be wrong with a record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A signed note does not change.
    #[error("version {version} is signed: only an addendum can follow it")]
    Frozen {
        /// The signed version.
        version: u64,
    },
    /// An addendum needs a signed note.
    #[error("version {version} is not signed: it is edited, not added to")]
    NotSigned {
        /// The version.
        version: u64,
    },
    /// A signature stands before its review, or without one.
    #[error("version {version} is signed and was not reviewed")]
    NotReviewed {
        /// The version.
        version: u64,
    },
    /// A change is called by something that is no id.
    #[error("the id of an edit has 16 to 64 letters, digits, `-` and `_`")]
    NoEditId,
    /// An addendum without a line.
    #[error("an addendum has at least one line")]
    NothingAdded,
    /// A line of an addendum says something doubtful.
    #[error("the addendum says something doubtful: write it as the term is spelt")]
    Open {
        /// What, never empty.
        open: Vec<Doubt>,
    },
    /// A line is none, or its author is missing.
    #[error(transparent)]
    Note(#[from] NoteError),
}

#[cfg(test)]
mod tests;
