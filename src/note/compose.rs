//! Findings to sections: what a note says, in the order and the words of a Hong Kong record.
//!
//! A sentence is rendered from findings and carries their evidence; each finding is said once. Words without a name of their own
//! (what is planned, how the patient lives) are quoted as spoken, in either language.

mod assessment;
mod measured;
mod names;
mod objective;
mod part;
mod place;
mod plan;
mod plan_names;
mod sentence;
mod subjective;
mod text;
mod wording;

use std::str::FromStr;

use super::{Note, NoteError, Section, SectionCode, Sentence};

pub(super) use names::{ABBREVIATIONS, english as condition_name};
pub(super) use objective::SHORT;
pub(super) use plan::KINDS;
pub(super) use sentence::{Line, Phrase};
pub(super) use subjective::SOCIAL;

pub use measured::{Reading, readings};
pub use part::Part;
pub use place::{condition_section, medication_section, section_of};
pub(crate) use plan::{drug, regimen};
pub use text::{text_of, to_text};
pub(super) use wording::{AND_MORE, unit};
pub(crate) use wording::{days_between, doubt, duration, misheard};

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
///
/// Rendered anew from the findings, save for the lines of a person: these stay as they were written, where they were written,
/// and the findings that they say are said by them alone.
#[must_use]
pub fn sections(note: &Note, language: Language) -> Vec<Section> {
    let machine = note.without_what_people_say();
    let sections = lines(&machine, language).into_iter().map(|(code, lines)| {
        let rendered = lines.iter().filter_map(Line::sentence);
        Section { code, sentences: with_lines_of_people(rendered, note, code) }
    });
    sections.filter(|section| !section.sentences.is_empty()).collect()
}

/// The words of one part alone, without what a note puts before them and without full stop: each finding's, said once.
#[must_use]
pub fn words(note: &Note, part: Part, language: Language) -> Vec<Sentence> {
    sentence::said_once(part.phrases(note, language)).into_iter().filter_map(|phrase| phrase.sentence()).collect()
}

/// The lines of a section less those of some parts. Lines that a person wrote all stay.
#[must_use]
pub fn section_without(note: &Note, code: SectionCode, left_out: &[Part], language: Language) -> Vec<Sentence> {
    let machine = note.without_what_people_say();
    let parts: Vec<Part> = Part::of(code).filter(|part| !left_out.contains(part)).collect();
    let lines = lines_of(&machine, &parts, language);
    with_lines_of_people(lines.iter().filter_map(Line::sentence), note, code)
}

/// What the machine says, each line with its findings.
pub(super) fn lines(note: &Note, language: Language) -> [(SectionCode, Vec<Line<'_>>); 4] {
    let section = |code| (code, lines_of(note, &Part::of(code).collect::<Vec<_>>(), language));
    [section(SectionCode::S), section(SectionCode::O), section(SectionCode::A), section(SectionCode::P)]
}

/// What the machine says in these parts.
pub(super) fn lines_of<'a>(note: &'a Note, parts: &[Part], language: Language) -> Vec<Line<'a>> {
    parts.iter().flat_map(|part| part.lines(note, language)).collect()
}

/// The rendered lines, and each line of a person after as many of them as it has before it in the note.
fn with_lines_of_people(mut rendered: impl Iterator<Item = Sentence>, note: &Note, code: SectionCode) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    for written in note.sections.iter().filter(|section| section.code == code).flat_map(|section| &section.sentences) {
        if written.provenance.is_by_a_person() {
            sentences.push(written.clone());
        } else {
            sentences.extend(rendered.next());
        }
    }
    sentences.extend(rendered);
    sentences
}
