//! What a person decides of a single finding: it is so, it is not, it is something else.
//!
//! The machine's lines are rendered anew from what is left; a line that a person wrote keeps its words.

use super::{Edit, Note, NoteError, Provenance};
use crate::note::compose::{self, Language};
use crate::note::{Allergy, Code, Condition, Display, FindingKind, FindingRef, Medication};
use crate::terminology::{Concept, Lexicon};
use crate::text::PatientText;

/// Who decides, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Author<'a> {
    pub(super) by: &'a str,
    pub(super) at: &'a str,
}

/// Confidence of what a person has confirmed.
const CONFIRMED: f64 = 1.0;

/// The note in which a doubtful finding is confirmed.
pub(super) fn accept(note: &Note, finding: FindingRef, author: Author<'_>) -> Result<Note, NoteError> {
    let mut changed = note.clone();
    let by_a_person = note.is_said_by_a_person(finding);
    let missing = || NoteError::NoFinding { finding };
    match finding.kind {
        FindingKind::Condition => {
            let found = changed.conditions.get_mut(finding.index).ok_or_else(missing)?;
            let was = name_of_condition(found);
            (found.confidence, found.sounds_like) = (CONFIRMED, None);
            mark(&mut found.provenance, was, author, by_a_person);
        }
        FindingKind::Medication => {
            let found = changed.medications.get_mut(finding.index).ok_or_else(missing)?;
            let was = name_of_drug(found);
            (found.confidence, found.sounds_like) = (CONFIRMED, None);
            mark(&mut found.provenance, was, author, by_a_person);
        }
        FindingKind::Allergy => {
            let found = changed.allergies.get_mut(finding.index).ok_or_else(missing)?;
            let was = name_of_allergy(found);
            found.heard_as = None;
            mark(&mut found.provenance, was, author, by_a_person);
        }
        _ => return Err(NoteError::NotOfThisKind { finding, what: "be confirmed: it is in no doubt" }),
    }
    Ok(rendered(changed))
}

/// The note without a finding.
pub(super) fn without(note: &Note, finding: FindingRef) -> Result<Note, NoteError> {
    let mut changed = note.clone();
    let FindingRef { kind, index } = finding;
    let removed = match kind {
        FindingKind::Condition => taken(&mut changed.conditions, index),
        FindingKind::Medication => taken(&mut changed.medications, index),
        FindingKind::Allergy => taken(&mut changed.allergies, index),
        FindingKind::Observation => taken(&mut changed.observations, index),
        FindingKind::Plan => taken(&mut changed.plan, index),
        FindingKind::Social => taken(&mut changed.social, index),
    };
    if removed { Ok(rendered(changed)) } else { Err(NoteError::NoFinding { finding }) }
}

/// The note in which a finding is another concept: its words, its claim, its evidence and how a drug is taken stay.
pub(super) fn recode(
    note: &Note,
    finding: FindingRef,
    concept: &Concept,
    author: Author<'_>,
    lexicon: &Lexicon,
) -> Result<Note, NoteError> {
    let mut changed = note.clone();
    let by_a_person = note.is_said_by_a_person(finding);
    let missing = || NoteError::NoFinding { finding };
    match (finding.kind, concept) {
        (FindingKind::Condition, Concept::Condition { .. }) => {
            let meant = lexicon.condition(concept).ok_or(NoteError::NoConcept)?;
            let found = changed.conditions.get_mut(finding.index).ok_or_else(missing)?;
            let was = name_of_condition(found);
            found.codes = meant.codes().into_iter().map(|(system, code)| Code { system, code }).collect();
            found.display = Display { en: meant.en.clone(), zh: meant.zh.clone() };
            (found.confidence, found.sounds_like) = (CONFIRMED, None);
            mark(&mut found.provenance, was, author, by_a_person);
        }
        (FindingKind::Medication, Concept::Drug { .. }) => {
            let meant = lexicon.drug(concept).ok_or(NoteError::NoConcept)?;
            let found = changed.medications.get_mut(finding.index).ok_or_else(missing)?;
            let was = name_of_drug(found);
            (found.name, found.atc) = (meant.name.clone(), meant.atc.clone());
            (found.confidence, found.sounds_like) = (CONFIRMED, None);
            mark(&mut found.provenance, was, author, by_a_person);
        }
        (FindingKind::Allergy, Concept::Drug { .. }) => {
            let meant = lexicon.drug(concept).ok_or(NoteError::NoConcept)?;
            let found: &mut Allergy = changed.allergies.get_mut(finding.index).ok_or_else(missing)?;
            let was = name_of_allergy(found);
            (found.substance, found.heard_as) = (meant.name.clone(), None);
            mark(&mut found.provenance, was, author, by_a_person);
        }
        _ => return Err(NoteError::NotOfThisKind { finding, what: "be coded as this" }),
    }
    Ok(rendered(changed))
}

fn taken<T>(list: &mut Vec<T>, index: usize) -> bool {
    let there = index < list.len();
    if there {
        list.remove(index);
    }
    there
}

/// The machine's lines say what the findings are now.
fn rendered(mut note: Note) -> Note {
    note.sections = compose::sections(&note, Language::English);
    note
}

/// A finding of a person's line stays bound to that line by where it came from; the record's history says who decided what.
fn mark(provenance: &mut Provenance, was: String, author: Author<'_>, by_a_person: bool) {
    if by_a_person {
        return;
    }
    if let Provenance::Heard { edited, .. } = provenance {
        let first = edited.take().map_or_else(|| PatientText::from(was), |before| before.was);
        *edited = Some(Edit { by: author.by.to_owned(), at: author.at.to_owned(), was: first });
    }
}

fn name_of_condition(condition: &Condition) -> String {
    let codes: Vec<&str> = condition.codes.iter().map(|code| code.code.as_str()).collect();
    let doubt = compose::doubt(condition.heard_as(), Language::English);
    format!("{} {}{doubt}", condition.display.en, codes.join(" "))
}

fn name_of_drug(drug: &Medication) -> String {
    let heard = drug.sounds_like.as_ref().map(|_| compose::misheard(drug));
    format!("{}{}", drug.name, compose::doubt(heard, Language::English))
}

fn name_of_allergy(allergy: &Allergy) -> String {
    format!("{}{}", allergy.substance, compose::doubt(allergy.heard_as.as_ref().map(PatientText::reveal), Language::English))
}
