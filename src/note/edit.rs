//! What a person changes in a note: a line replaced, removed or added, and the findings that follow.
//!
//! The lines are what the person sees, so the findings follow the lines. A finding that the machine made goes with the line that
//! says it; the findings of a line that a person wrote are read from its words, each time anew. So no export states what was
//! removed. What cannot be read stays as the line alone. A single finding can be confirmed, dropped or coded anew; the machine's
//! lines follow it then.

mod coding;
mod finding;
mod reading;
mod shorthand;
#[cfg(test)]
mod tests;

use super::compose::{self, Language, Line};
use super::{Edit, FindingRef, Note, NoteError, Provenance, Section, SectionCode, Sentence, Span};
use crate::terminology::{Concept, Lexicon};
use crate::text::PatientText;
use finding::Author;

pub use coding::{Mapped, denied_before, is_term, mapped, term};
pub(super) use reading::claimed;

/// The most characters of a line that a person writes.
pub const LONGEST_LINE: usize = 2_000;

/// One change. `index` counts the lines of the section from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteEdit {
    /// Other words for a line.
    Replace {
        /// Its section.
        section: SectionCode,
        /// Which line.
        index: usize,
        /// The new words.
        text: PatientText,
    },
    /// No such line any more.
    Remove {
        /// Its section.
        section: SectionCode,
        /// Which line.
        index: usize,
    },
    /// A line behind those of the section.
    Add {
        /// The section.
        section: SectionCode,
        /// The words.
        text: PatientText,
    },
    /// Words of the transcript as a line of the section: in the record's wording where all of them are understood, or else as spoken.
    Phrase {
        /// The section.
        section: SectionCode,
        /// Where the words are.
        span: Span,
        /// The words.
        text: PatientText,
        /// What they are, where the lexicon does not know them: the line then stands as spoken.
        concept: Option<Concept>,
    },
    /// What the lexicon does not know in a person's line is this.
    Code {
        /// The line's section.
        section: SectionCode,
        /// Which line.
        index: usize,
        /// What it is.
        concept: Concept,
    },
    /// A doubtful finding is so.
    Accept {
        /// Which.
        finding: FindingRef,
    },
    /// No such finding any more.
    Drop {
        /// Which.
        finding: FindingRef,
    },
    /// A finding is something else.
    Recode {
        /// Which.
        finding: FindingRef,
        /// What it is.
        concept: Concept,
    },
    /// Of what led to nothing, this needs no line.
    Dismiss {
        /// Where it is.
        span: Span,
    },
}

/// The note with a change that `author` made at `at`, an RFC 3339 time.
///
/// # Errors
/// [`NoteError::NoLine`], [`NoteError::NoFinding`] and [`NoteError::NotUncovered`] where the note has no such thing;
/// [`NoteError::NoConcept`], [`NoteError::NotOfThisKind`] and [`NoteError::NoTerm`] for what a finding or a line cannot become; [`NoteError::BadLine`] for words that
/// are none, too many or hold control characters; [`NoteError::NoAuthor`] for a blank author or time.
pub fn apply(note: &Note, edit: NoteEdit, author: &str, at: &str, lexicon: &Lexicon) -> Result<Note, NoteError> {
    if author.trim().is_empty() || at.trim().is_empty() {
        return Err(NoteError::NoAuthor);
    }
    let decides = Author { by: author, at };
    match edit {
        NoteEdit::Replace { section, index, text } => replace(note, (section, index), text, decides, lexicon),
        NoteEdit::Remove { section, index } => remove(note, (section, index), lexicon),
        NoteEdit::Add { section, text } => add(note, section, typed(checked(text)?, decides, Vec::new()), lexicon),
        NoteEdit::Phrase { section, span, text, concept } => {
            let line = typed(checked(text)?, decides, vec![span]);
            let line = if concept.is_some() { line } else { reading::worded(section, line, lexicon) };
            let mut changed = add(note, section, line, lexicon)?;
            if let Some(concept) = concept {
                let last = lines_of(&mut changed, section).map_or(0, |lines| lines.len().saturating_sub(1));
                changed = coding::code(&changed, (section, last), &concept, lexicon)?;
            }
            // What reaches beyond the phrase is not all in the line.
            changed.uncovered.retain(|uncovered| !within(uncovered.span, span));
            Ok(changed)
        }
        NoteEdit::Code { section, index, concept } => coding::code(note, (section, index), &concept, lexicon),
        NoteEdit::Accept { finding } => finding::accept(note, finding, decides),
        NoteEdit::Drop { finding } => finding::without(note, finding),
        NoteEdit::Recode { finding, concept } => finding::recode(note, finding, &concept, decides, lexicon),
        NoteEdit::Dismiss { span } => {
            let mut changed = note.clone();
            changed.uncovered.retain(|uncovered| uncovered.span != span);
            if changed.uncovered.len() < note.uncovered.len() { Ok(changed) } else { Err(NoteError::NotUncovered) }
        }
    }
}

fn replace(
    note: &Note,
    (section, index): (SectionCode, usize),
    text: PatientText,
    author: Author<'_>,
    lexicon: &Lexicon,
) -> Result<Note, NoteError> {
    let text = checked(text)?;
    let was = line(note, section, index)?;
    if was.text == text {
        return Ok(note.clone());
    }
    let provenance = replaced(was, author.by, author.at);
    let mut changed = note.clone();
    forget(&mut changed, note, section, index);
    if let Some(line) = lines_of(&mut changed, section).and_then(|lines| lines.get_mut(index)) {
        *line = Sentence { text, reworded_from: None, provenance: provenance.clone() };
    }
    reading::read_anew(&mut changed, &[&was.provenance, &provenance], lexicon);
    Ok(changed)
}

fn remove(note: &Note, (section, index): (SectionCode, usize), lexicon: &Lexicon) -> Result<Note, NoteError> {
    let was = line(note, section, index)?;
    let mut changed = note.clone();
    forget(&mut changed, note, section, index);
    if let Some(lines) = lines_of(&mut changed, section) {
        lines.remove(index);
    }
    changed.sections.retain(|section| !section.sentences.is_empty());
    reading::read_anew(&mut changed, &[&was.provenance], lexicon);
    Ok(changed)
}

fn add(note: &Note, section: SectionCode, line: Sentence, lexicon: &Lexicon) -> Result<Note, NoteError> {
    let (mut changed, provenance) = (note.clone(), line.provenance.clone());
    begin(&mut changed, section);
    if let Some(lines) = lines_of(&mut changed, section) {
        lines.push(line);
    }
    reading::read_anew(&mut changed, &[&provenance], lexicon);
    Ok(changed)
}

fn typed(text: PatientText, author: Author<'_>, evidence: Vec<Span>) -> Sentence {
    Sentence {
        text,
        reworded_from: None,
        provenance: Provenance::Typed { by: author.by.to_owned(), at: author.at.to_owned(), evidence },
    }
}

fn within(inner: Span, outer: Span) -> bool {
    inner.segment() == outer.segment() && outer.start() <= inner.start() && inner.end() <= outer.end()
}

/// Whether a person wrote or changed a line of it.
#[must_use]
pub fn is_edited(note: &Note) -> bool {
    note.sections.iter().flat_map(|section| &section.sentences).any(|line| line.provenance.is_by_a_person())
}

fn checked(text: PatientText) -> Result<PatientText, NoteError> {
    let trimmed = text.reveal().trim();
    let why = if trimmed.is_empty() {
        "it is empty"
    } else if trimmed.chars().any(char::is_control) {
        "it holds control characters"
    } else if trimmed.chars().count() > LONGEST_LINE {
        "it has more than 2000 characters"
    } else {
        return Ok(PatientText::from(trimmed));
    };
    Err(NoteError::BadLine { why })
}

fn line(note: &Note, code: SectionCode, index: usize) -> Result<&Sentence, NoteError> {
    let section = note.sections.iter().find(|section| section.code == code);
    section.and_then(|section| section.sentences.get(index)).ok_or(NoteError::NoLine { section: code, index })
}

fn lines_of(note: &mut Note, code: SectionCode) -> Option<&mut Vec<Sentence>> {
    note.sections.iter_mut().find(|section| section.code == code).map(|section| &mut section.sentences)
}

/// Puts a section where it belongs, if there is none.
fn begin(note: &mut Note, code: SectionCode) {
    let at = note.sections.iter().position(|section| section.code >= code).unwrap_or(note.sections.len());
    if note.sections.get(at).is_none_or(|section| section.code != code) {
        note.sections.insert(at, Section { code, sentences: Vec::new() });
    }
}

/// What was heard keeps its evidence and the words that the machine wrote first; what was typed is the last author's.
fn replaced(was: &Sentence, by: &str, at: &str) -> Provenance {
    let (by, at) = (by.to_owned(), at.to_owned());
    match &was.provenance {
        Provenance::Heard { evidence, edited } => {
            let first = edited.as_ref().map_or(&was.text, |edit| &edit.was).clone();
            Provenance::Heard { evidence: evidence.clone(), edited: Some(Edit { by, at, was: first }) }
        }
        Provenance::Typed { evidence, .. } => Provenance::Typed { by, at, evidence: evidence.clone() },
    }
}

/// Takes out what a line of the machine says and no other line does. `note` is the note before the change.
fn forget(changed: &mut Note, note: &Note, code: SectionCode, index: usize) {
    let Ok(line) = line(note, code, index) else { return };
    if line.provenance.is_by_a_person() {
        return;
    }
    let before = note.sections.iter().filter(|section| section.code == code).flat_map(|section| &section.sentences).take(index);
    let rank = before.filter(|line| !line.provenance.is_by_a_person()).count();
    let mut gone = said_by(&note.without_what_people_say(), line, code, rank).into_iter();
    let mut findings = note.findings().into_iter();
    changed.retain(|_| {
        let of_a_person = findings.next().is_none_or(|finding| note.is_said_by_a_person(finding));
        of_a_person || !gone.next().unwrap_or(false)
    });
}

/// For each finding, whether this line says it and no other one does.
///
/// The line is found among those that the findings give, in the language that it is written in. Where there is none, because another
/// version wrote it, it is taken to say what rests on nothing but its spans.
fn said_by(note: &Note, line: &Sentence, code: SectionCode, rank: usize) -> Vec<bool> {
    let says = |line: &Line<'_>, finding: &Provenance| line.says.iter().any(|said| std::ptr::eq(*said, finding));
    for language in [Language::English, Language::TraditionalChinese] {
        let sections = compose::lines(note, language);
        let lines: Vec<(SectionCode, usize, &Line<'_>)> =
            sections.iter().flat_map(|(of, lines)| lines.iter().enumerate().map(|(rank, line)| (*of, rank, line))).collect();
        let same = lines.iter().filter(|(of, _, one)| *of == code && one.sentence().as_ref() == Some(line));
        if let Some((.., found)) = same.min_by_key(|(_, own, _)| own.abs_diff(rank)) {
            let others: Vec<&Line<'_>> = lines.iter().map(|(.., one)| *one).filter(|one| !std::ptr::eq(*one, *found)).collect();
            let only_here = |finding| says(found, finding) && !others.iter().any(|one| says(one, finding));
            return note.provenances().map(only_here).collect();
        }
    }
    let within = |spans: &[Span]| !spans.is_empty() && spans.iter().all(|span| line.provenance.spans().contains(span));
    note.provenances().map(|finding| within(finding.spans())).collect()
}
