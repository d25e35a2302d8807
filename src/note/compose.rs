//! Findings to sections: what a note says, in the order and the words of a Hong Kong record.
//!
//! A sentence is rendered from findings and carries their evidence; each finding is said once. Words without a name of their own
//! (what is planned, how the patient lives) are quoted as spoken, in either language.

mod assessment;
mod measured;
mod names;
mod objective;
mod place;
mod plan;
mod sentence;
mod subjective;
mod text;
mod wording;

use std::str::FromStr;

use super::{Note, NoteError, Section, SectionCode};

pub use measured::{Reading, readings};
pub use place::{condition_section, medication_section};
pub(crate) use plan::regimen;
pub use text::to_text;
pub(crate) use wording::days_between;

/// Language of a record's sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// The language of Hong Kong records.
    #[default]
    English,
    /// Chinese in Traditional characters.
    TraditionalChinese,
}

impl Language {
    /// Its BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::TraditionalChinese => "zh-Hant",
        }
    }

    /// The one of two that is in this language.
    pub(crate) fn pick<T>(self, english: T, chinese: T) -> T {
        match self {
            Self::English => english,
            Self::TraditionalChinese => chinese,
        }
    }
}

impl FromStr for Language {
    type Err = NoteError;
    fn from_str(tag: &str) -> Result<Self, NoteError> {
        match tag {
            "en" => Ok(Self::English),
            "zh-Hant" => Ok(Self::TraditionalChinese),
            _ => Err(NoteError::UnknownLanguage { tag: tag.to_owned() }),
        }
    }
}

/// The sections of a note, S O A P in order, those with nothing to say left out.
#[must_use]
pub fn sections(note: &Note, language: Language) -> Vec<Section> {
    let parts = [
        (SectionCode::S, subjective::sentences(note, language)),
        (SectionCode::O, objective::sentences(note, language)),
        (SectionCode::A, assessment::sentences(note, language)),
        (SectionCode::P, plan::sentences(note, language)),
    ];
    parts
        .into_iter()
        .filter(|(_, sentences)| !sentences.is_empty())
        .map(|(code, sentences)| Section { code, sentences })
        .collect()
}
