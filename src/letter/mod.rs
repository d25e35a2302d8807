//! Letters from a note: referral, sick leave, and a summary for the patient.
//!
//! Invariant: a letter states what the note says and what its arguments say, and nothing else. What is missing is left blank, and the
//! blank says so. Pure: no clock, no file, no HTTP; fonts come as arguments.

mod document;
mod html;
mod pdf;
mod picture;
mod referral;
mod sheet;
mod sick_leave;
mod summary;
mod typeface;
mod wrap;

use std::str::FromStr;

use crate::identity::{Date, Sex};
use crate::note::Note;
use crate::note::compose::Language;
use crate::text::PatientText;

pub use document::{Block, Letter, Value};
pub use html::to_html;
pub use pdf::to_pdf;
pub use picture::{PAGE, Picture, Piece, PlacedLine, to_pictures};
pub use typeface::{Typeface, Typefaces};

/// Which letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterKind {
    /// To another service, one for each referral of the note.
    Referral,
    /// For an employer.
    SickLeave,
    /// For the patient to keep.
    Summary,
}

impl LetterKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Referral, Self::SickLeave, Self::Summary];

    /// `referral`, `sick-leave` or `summary`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Referral => "referral",
            Self::SickLeave => "sick-leave",
            Self::Summary => "summary",
        }
    }

    /// The language that it is written in where nobody names one.
    #[must_use]
    pub const fn usual_language(self) -> Language {
        match self {
            Self::Referral | Self::SickLeave => Language::English,
            Self::Summary => Language::TraditionalChinese,
        }
    }
}

impl FromStr for LetterKind {
    type Err = LetterError;
    fn from_str(name: &str) -> Result<Self, LetterError> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or(LetterError::UnknownKind)
    }
}

/// Who a letter is about. What is not known is left blank in the letter.
#[derive(Debug, Clone, Default)]
pub struct Patient {
    /// As it is to be written.
    pub name: Option<PatientText>,
    /// What each number is, and the number.
    pub identifiers: Vec<(String, PatientText)>,
    /// As on the identity card.
    pub sex: Option<Sex>,
    /// As on the identity card.
    pub born: Option<Date>,
    /// In whole years on the day of the visit.
    pub age: Option<u16>,
    /// What the clinic knows the patient to be allergic to. Nothing: nobody asked. Empty: none is known.
    pub allergies: Option<Vec<PatientText>>,
}

/// What a letter is made of.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The signed note.
    pub note: &'a Note,
    /// Who it is about.
    pub patient: &'a Patient,
    /// Who signed the note, or would.
    pub clinician: &'a str,
    /// When it was signed, as it is to be written. A letter of a note that nobody signed says that it is a draft.
    pub signed_at: Option<&'a str>,
    /// The clinic's name and address, a line each; may be none.
    pub institution: &'a [String],
    /// When the patient was seen.
    pub seen: Date,
    /// The first day of sick leave, as the clinician says it: a note has only its length.
    pub leave_from: Option<Date>,
    /// What the letter is written in. What people said or wrote stays as it is.
    pub language: Language,
}

/// Writes the letters of a kind: several where the note refers the patient to several services.
///
/// # Errors
/// [`LetterError::NotInNote`] where the note has no referral or no sick leave; [`LetterError::Date`] where leave ends after all
/// calendars.
pub fn letters(kind: LetterKind, request: &Request<'_>) -> Result<Vec<Letter>, LetterError> {
    match kind {
        LetterKind::Referral => referral::letters(request),
        LetterKind::SickLeave => sick_leave::letter(request).map(|letter| vec![letter]),
        LetterKind::Summary => Ok(vec![summary::letter(request)]),
    }
}

/// Why there is no letter. No message holds a patient's words.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// No such letter.
    #[error("there is no such letter: `referral`, `sick-leave` and `summary` are")]
    UnknownKind,
    /// A letter says only what the note says.
    #[error("the note has no {what}: there is nothing to write such a letter of")]
    NotInNote {
        /// What is missing.
        what: &'static str,
    },
    /// The leave ends on no day.
    #[error("the sick leave ends after the last day of the calendar")]
    Date,
    /// No font was found.
    #[error(
        "no font with Chinese characters is installed, so that no PDF can be written and no shared note be shown: install one (on \
         Debian and Ubuntu `apt install fonts-noto-cjk`), or take a letter as HTML"
    )]
    NoFont,
    /// A font cannot be used.
    #[error("a font cannot be read: {reason}")]
    Font {
        /// What is wrong with it.
        reason: String,
    },
    /// A character that none of the fonts has. It is named by its number, for it may be of a name.
    #[error(
        "no installed font has the character U+{code:04X}, so that the PDF would lack it: install a font that has it, or take the letter as HTML"
    )]
    NoGlyph {
        /// Its number in Unicode.
        code: u32,
    },
    /// A picture of a page cannot be made.
    #[error("a picture of a page cannot be made")]
    Picture,
    /// The PDF cannot be written.
    #[error("the PDF cannot be written: {reason}")]
    Pdf {
        /// What stands in its way.
        reason: &'static str,
    },
}

#[cfg(test)]
mod tests;
