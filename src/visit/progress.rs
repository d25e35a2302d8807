//! How far the note of a visit is, and what in it a clinician has to look at.

use serde::Serialize;

use crate::note::Note;
use crate::record::{Stage, open_doubts};

/// How far a recording, or a visit, is. In the order in which it is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    /// The visit has nothing yet.
    Waiting,
    /// Sound may still come.
    Unfinished,
    /// The last words are being written.
    Writing,
    /// There is a note, which nobody has signed.
    Draft,
    /// Somebody has gone through the note.
    Reviewed,
    /// The note is signed.
    Signed,
}

impl Progress {
    /// A visit is as far as the least of its recordings.
    #[must_use]
    pub fn of_visit(recordings: impl IntoIterator<Item = Self>) -> Self {
        recordings.into_iter().min().unwrap_or(Self::Waiting)
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_done(self) -> bool {
        self == Self::Signed
    }
}

impl From<Stage> for Progress {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Draft => Self::Draft,
            Stage::Reviewed => Self::Reviewed,
            Stage::Signed => Self::Signed,
        }
    }
}

/// How many things of a note want a look before it is signed: doubtful findings that are open, and clinical words that led to nothing.
#[must_use]
pub fn doubts(note: &Note) -> usize {
    open_doubts(note).len() + note.uncovered.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_is_as_far_as_its_least_recording() {
        assert_eq!(Progress::of_visit([]), Progress::Waiting);
        assert_eq!(Progress::of_visit([Progress::Signed, Progress::Draft]), Progress::Draft);
        assert_eq!(Progress::of_visit([Progress::Draft, Progress::Unfinished]), Progress::Unfinished);
        assert!(Progress::Signed.is_done() && !Progress::Reviewed.is_done());
        assert_eq!(serde_json::to_string(&Progress::Unfinished).unwrap(), "\"unfinished\"");
    }
}
