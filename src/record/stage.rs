//! The states of a note: one type each, made from the one before.

use serde::{Deserialize, Serialize};

use super::{Doubt, RecordError, open_doubts};
use crate::note::edit::{NoteEdit, apply};
use crate::note::{Note, NoteError, SectionCode};
use crate::terminology::Lexicon;
use crate::text::PatientText;

/// Who vouches, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The person.
    pub by: String,
    /// RFC 3339 time.
    pub at: String,
}

impl Signature {
    /// A signature of `by` at `at`.
    ///
    /// # Errors
    /// [`NoteError::NoAuthor`] where either is blank.
    pub fn new(by: &str, at: &str) -> Result<Self, NoteError> {
        let blank = by.trim().is_empty() || at.trim().is_empty();
        if blank { Err(NoteError::NoAuthor) } else { Ok(Self { by: by.to_owned(), at: at.to_owned() }) }
    }
}

/// How far a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It may change.
    Draft,
    /// A person has read it, and nothing doubtful is open.
    Reviewed,
    /// It is frozen.
    Signed,
}

impl Stage {
    /// `draft`, `reviewed` or `signed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Reviewed => "reviewed",
            Self::Signed => "signed",
        }
    }
}

/// A note that is being written.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    version: u64,
    note: Note,
}

/// A note that a person has read through.
#[derive(Debug, Clone, PartialEq)]
pub struct Reviewed {
    version: u64,
    note: Note,
    review: Signature,
}

/// A note that a person has signed. It has no way to change.
#[derive(Debug, Clone, PartialEq)]
pub struct Signed {
    version: u64,
    note: Note,
    signature: Signature,
}

/// A review that was refused: the draft as it was, and what is open in it.
#[derive(Debug, Clone, PartialEq)]
pub struct NotYet {
    /// The draft.
    pub draft: Draft,
    /// What has to be decided first, never empty.
    pub open: Vec<Doubt>,
}

impl Draft {
    /// A version of a note, from 1.
    #[must_use]
    pub fn new(version: u64, note: Note) -> Self {
        Self { version, note }
    }

    /// The note.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Read through by `by`.
    ///
    /// # Errors
    /// [`NotYet`] while something doubtful is open.
    pub fn review(self, review: Signature) -> Result<Reviewed, Box<NotYet>> {
        let open = open_doubts(&self.note);
        if open.is_empty() {
            Ok(Reviewed { version: self.version, note: self.note, review })
        } else {
            Err(Box::new(NotYet { draft: self, open }))
        }
    }
}

impl Reviewed {
    /// The note.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Who read it through.
    #[must_use]
    pub fn review(&self) -> &Signature {
        &self.review
    }

    /// Frozen under this signature.
    #[must_use]
    pub fn sign(self, signature: Signature) -> Signed {
        Signed { version: self.version, note: self.note, signature }
    }
}

impl Signed {
    /// The note.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whose it is.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The next version, signed too: this note and lines behind it, each typed by who signs.
    ///
    /// # Errors
    /// [`RecordError::NothingAdded`] without a line; [`RecordError::Note`] for words that are no line; [`RecordError::Open`] where a
    /// line says something doubtful: nobody signs that, and a signed note has no way to decide it.
    pub fn addendum(
        &self,
        lines: &[(SectionCode, PatientText)],
        signature: Signature,
        lexicon: &Lexicon,
    ) -> Result<Self, RecordError> {
        if lines.is_empty() {
            return Err(RecordError::NothingAdded);
        }
        let mut note = self.note.clone();
        for (section, text) in lines {
            let add = NoteEdit::Add { section: *section, text: text.clone() };
            note = apply(&note, add, &signature.by, &signature.at, lexicon)?;
        }
        let before = open_doubts(&self.note);
        let open: Vec<Doubt> = open_doubts(&note).into_iter().filter(|doubt| !before.contains(doubt)).collect();
        if open.is_empty() { Ok(Self { version: self.version + 1, note, signature }) } else { Err(RecordError::Open { open }) }
    }
}

/// A note in whichever state it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// It may change.
    Draft(Draft),
    /// It was read through.
    Reviewed(Reviewed),
    /// It is frozen.
    Signed(Signed),
}

impl Record {
    /// A version of a note as it was kept, with the review and the signature that stand under it.
    ///
    /// # Errors
    /// [`RecordError::NotReviewed`] for a signature without a review.
    pub fn restored(
        version: u64,
        note: Note,
        review: Option<Signature>,
        signature: Option<Signature>,
    ) -> Result<Self, RecordError> {
        match (review, signature) {
            (None, None) => Ok(Self::Draft(Draft { version, note })),
            (Some(review), None) => Ok(Self::Reviewed(Reviewed { version, note, review })),
            (Some(_), Some(signature)) => Ok(Self::Signed(Signed { version, note, signature })),
            (None, Some(_)) => Err(RecordError::NotReviewed { version }),
        }
    }

    /// Its state.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::Draft(_) => Stage::Draft,
            Self::Reviewed(_) => Stage::Reviewed,
            Self::Signed(_) => Stage::Signed,
        }
    }

    /// The note.
    #[must_use]
    pub fn note(&self) -> &Note {
        match self {
            Self::Draft(Draft { note, .. }) | Self::Reviewed(Reviewed { note, .. }) | Self::Signed(Signed { note, .. }) => note,
        }
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> u64 {
        match self {
            Self::Draft(Draft { version, .. })
            | Self::Reviewed(Reviewed { version, .. })
            | Self::Signed(Signed { version, .. }) => *version,
        }
    }

    /// The draft to change: a note that was read through is one again by being changed.
    ///
    /// # Errors
    /// [`RecordError::Frozen`] when it is signed.
    pub fn editable(self) -> Result<Draft, RecordError> {
        match self {
            Self::Draft(draft) => Ok(draft),
            Self::Reviewed(Reviewed { version, note, .. }) => Ok(Draft { version, note }),
            Self::Signed(Signed { version, .. }) => Err(RecordError::Frozen { version }),
        }
    }

    /// The signed note.
    ///
    /// # Errors
    /// [`RecordError::NotSigned`] when it is not.
    pub fn signed(self) -> Result<Signed, RecordError> {
        match self {
            Self::Signed(signed) => Ok(signed),
            other => Err(RecordError::NotSigned { version: other.version() }),
        }
    }
}
