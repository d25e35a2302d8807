//! Two people at one note: a change that was meant for an older version, put on the newest.

use crate::note::edit::NoteEdit;
use crate::note::{FindingKind, FindingRef, Note, Provenance, SectionCode, Sentence};

/// What a change for an older version is for the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebased {
    /// What it meant is untouched: it is this change now.
    Clean(NoteEdit),
    /// What it meant was changed or is gone: the person has to look.
    Asks,
}

/// A change that was meant for `base`, for `current`.
///
/// A line or finding counts as the same while all of it is: its words and where they came from, and of a line that a person wrote what
/// it says too. What is added is in nobody's way.
#[must_use]
pub fn rebase(edit: NoteEdit, base: &Note, current: &Note) -> Rebased {
    let moved = match edit {
        NoteEdit::Add { .. } | NoteEdit::Phrase { .. } => Some(edit),
        NoteEdit::Replace { section, index, text } => {
            line(base, current, section, index).map(|index| NoteEdit::Replace { section, index, text })
        }
        NoteEdit::Remove { section, index } => {
            line(base, current, section, index).map(|index| NoteEdit::Remove { section, index })
        }
        NoteEdit::Code { section, index, concept } => {
            line(base, current, section, index).map(|index| NoteEdit::Code { section, index, concept })
        }
        NoteEdit::Accept { finding: of } => finding(base, current, of).map(|finding| NoteEdit::Accept { finding }),
        NoteEdit::Drop { finding: of } => finding(base, current, of).map(|finding| NoteEdit::Drop { finding }),
        NoteEdit::Recode { finding: of, concept } => {
            finding(base, current, of).map(|finding| NoteEdit::Recode { finding, concept })
        }
        NoteEdit::Dismiss { span } => {
            current.uncovered.iter().any(|uncovered| uncovered.span == span).then_some(NoteEdit::Dismiss { span })
        }
    };
    moved.map_or(Rebased::Asks, Rebased::Clean)
}

fn lines(note: &Note, code: SectionCode) -> Vec<&Sentence> {
    note.sections.iter().filter(|section| section.code == code).flat_map(|section| &section.sentences).collect()
}

/// Where the line of `base` stands in `current`: of several that are equal the one with as many equals before it.
fn line(base: &Note, current: &Note, code: SectionCode, index: usize) -> Option<usize> {
    let place = nth_equal(&lines(base, code), &lines(current, code), index)?;
    let lines = lines(base, code);
    let provenance = &lines.get(index)?.provenance;
    // A person's line keeps its words where a finding of it was accepted, dropped or coded anew. To read it again would undo that.
    let untouched = !provenance.is_by_a_person() || said(base, provenance) == said(current, provenance);
    untouched.then_some(place)
}

/// The findings with this provenance, as a note of nothing else.
fn said(note: &Note, provenance: &Provenance) -> Note {
    let mut said = Note { sections: Vec::new(), uncovered: Vec::new(), ..note.clone() };
    said.retain(|own| own == provenance);
    said
}

fn finding(base: &Note, current: &Note, FindingRef { kind, index }: FindingRef) -> Option<FindingRef> {
    let place = match kind {
        FindingKind::Condition => nth_equal(&base.conditions, &current.conditions, index),
        FindingKind::Medication => nth_equal(&base.medications, &current.medications, index),
        FindingKind::Allergy => nth_equal(&base.allergies, &current.allergies, index),
        FindingKind::Observation => nth_equal(&base.observations, &current.observations, index),
        FindingKind::Plan => nth_equal(&base.plan, &current.plan, index),
        FindingKind::Social => nth_equal(&base.social, &current.social, index),
    };
    place.map(|index| FindingRef { kind, index })
}

fn nth_equal<T: PartialEq>(base: &[T], current: &[T], index: usize) -> Option<usize> {
    let meant = base.get(index)?;
    let rank = base.iter().take(index).filter(|other| *other == meant).count();
    current.iter().enumerate().filter(|(_, other)| *other == meant).nth(rank).map(|(place, _)| place)
}
