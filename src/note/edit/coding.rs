//! A concept that a person gives to words of their own line that the lexicon does not know.
//!
//! Those words are the line's *term*. With the concept's name in their place the line is read like any other, so that `No ...`, `FH ...`
//! and `5 mg BD` mean what they mean elsewhere; what cannot be read so is there, or taken.

use super::reading::{DENIALS, Reader};
use super::shorthand::{self, Lead};
use crate::note::{
    Assertion, Code, Condition, Display, FindingKind, FindingRef, Medication, MedicationStatus, Note, NoteError, Provenance,
    SectionCode, Sentence,
};
use crate::terminology::{Concept, Lexicon};
use crate::text::PatientText;

/// Confidence of what a person has said.
const SURE: f64 = 1.0;
/// What stands in the term's place where the concept's own name is none of the lexicon's forms.
const KNOWN_CONDITION: &str = "headache";
const KNOWN_DRUG: &str = "paracetamol";

/// The first words of a person's line of which nothing is known and that could be a term; nothing in a line of the machine.
#[must_use]
pub fn term(note: &Note, section: SectionCode, line: &Sentence, lexicon: &Lexicon) -> Option<PatientText> {
    if !line.provenance.is_by_a_person() {
        return None;
    }
    let (lead, rest) = shorthand::lead(section, line.text.reveal());
    if matches!(lead, Lead::Allergy | Lead::NoAllergy | Lead::NoDrugAllergy | Lead::Social(_) | Lead::Plan(_)) {
        return None;
    }
    let reader = Reader { lexicon, provenance: &line.provenance, section };
    let coded = |item: &str| {
        let conditions = note.conditions.iter().map(|found| (&found.text, &found.provenance));
        let drugs = note.medications.iter().map(|found| (&found.text, &found.provenance));
        conditions
            .chain(drugs)
            .any(|(text, provenance)| *provenance == line.provenance && !text.is_blank() && item.starts_with(text.reveal()))
    };
    let unknown = |item: &&str| item.chars().any(char::is_alphabetic) && !coded(item) && !reader.knows(item);
    shorthand::items(rest).map(bare).find(unknown).map(PatientText::from)
}

/// An item without what it is denied or doubted with, and for how long it has lasted.
fn bare(item: &str) -> &str {
    let (item, _) = shorthand::lasting(shorthand::doubt(item.trim()).0);
    let denial = DENIALS.iter().find(|denial| {
        item.get(..denial.len()).is_some_and(|first| first.eq_ignore_ascii_case(denial)) && item.len() > denial.len()
    });
    denial.and_then(|denial| item.get(denial.len()..)).unwrap_or(item).trim()
}

/// How many characters at the end of what was said deny what comes next.
#[must_use]
pub fn denied_before(said: &str) -> usize {
    let words = said.trim_end();
    let spaces = said.chars().count() - words.chars().count();
    let lower = words.to_lowercase();
    let denial = DENIALS.iter().map(|denial| denial.trim_end()).find(|denial| {
        // `piano` denies nothing.
        lower.strip_suffix(denial).is_some_and(|rest| !(denial.is_ascii() && rest.ends_with(char::is_alphanumeric)))
    });
    denial.map_or(0, |denial| denial.chars().count() + spaces)
}

/// A drug's name without how it is taken: what stands before the first amount.
fn name_of_drug(term: &str) -> &str {
    let amount = term.char_indices().find(|(at, c)| *at > 0 && c.is_numeric()).map_or(term.len(), |(at, _)| at);
    let name = term.get(..amount).unwrap_or(term).trim_end();
    if name.chars().any(char::is_alphabetic) { name } else { term }
}

/// Whether words are this term: what a drug is learned by is its name alone.
#[must_use]
pub fn is_term(term: &PatientText, words: &PatientText, concept: &Concept) -> bool {
    let term = term.reveal();
    let term = if matches!(concept, Concept::Drug { .. }) { name_of_drug(term) } else { term };
    term.to_lowercase() == words.reveal().to_lowercase()
}

/// The note in which the term of a line is this concept.
pub(super) fn code(
    note: &Note,
    (section, index): (SectionCode, usize),
    concept: &Concept,
    lexicon: &Lexicon,
) -> Result<Note, NoteError> {
    let line = super::line(note, section, index)?;
    let term = term(note, section, line, lexicon).ok_or(NoteError::NoTerm { section, index })?;
    let reader = Reader { lexicon, provenance: &line.provenance, section };
    let mut changed = note.clone();
    match concept {
        Concept::Condition { .. } => {
            let meant = lexicon.condition(concept).ok_or(NoteError::NoConcept)?;
            let like = [meant.en.as_str(), KNOWN_CONDITION].into_iter().find_map(|name| {
                let read = reader.meant(&line.text.reveal().replacen(term.reveal(), name, 1)).conditions;
                read.into_iter().find(|found| found.text.reveal().eq_ignore_ascii_case(name))
            });
            changed.conditions.push(Condition {
                text: term,
                display: Display { en: meant.en.clone(), zh: meant.zh.clone() },
                codes: meant.codes().into_iter().map(|(system, code)| Code { system, code }).collect(),
                assertion: like.as_ref().map_or(Assertion::Present, |like| like.assertion),
                duration_days: like.as_ref().and_then(|like| like.duration_days),
                duration_about: like.as_ref().is_some_and(|like| like.duration_about),
                laterality: like.and_then(|like| like.laterality),
                confidence: SURE,
                sounds_like: None,
                provenance: line.provenance.clone(),
            });
        }
        Concept::Drug { .. } => {
            let meant = lexicon.drug(concept).ok_or(NoteError::NoConcept)?;
            let name = name_of_drug(term.reveal());
            let like = [meant.name.as_str(), KNOWN_DRUG].into_iter().find_map(|like| {
                let read = reader.meant(&line.text.reveal().replacen(name, like, 1)).medications;
                read.into_iter().find(|found| found.name == like)
            });
            let taken = if section == SectionCode::P { MedicationStatus::Planned } else { MedicationStatus::Active };
            changed.medications.push(Medication {
                text: name.into(),
                name: meant.name.clone(),
                atc: meant.atc.clone(),
                dose: like.as_ref().and_then(|like| like.dose.clone()),
                times_per_day: like.as_ref().and_then(|like| like.times_per_day),
                prn: like.as_ref().is_some_and(|like| like.prn),
                duration_days: like.as_ref().and_then(|like| like.duration_days),
                unit_implied: like.as_ref().is_some_and(|like| like.unit_implied),
                changed_from: None,
                instruction: like.as_ref().and_then(|like| like.instruction.clone()),
                status: like.map_or(taken, |like| like.status),
                confidence: SURE,
                sounds_like: None,
                provenance: line.provenance.clone(),
            });
        }
    }
    Ok(changed)
}

/// What a person made of words of their own line that says itself nothing of the sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The finding.
    pub finding: FindingRef,
    /// Its words.
    pub words: PatientText,
    /// What the line would have said with these words; nothing where they say nothing.
    pub was: Option<String>,
}

/// The conditions and drugs of people's lines that were given their concept by hand.
#[must_use]
pub fn mapped(note: &Note, lexicon: &Lexicon) -> Vec<Mapped> {
    let lines: Vec<(&Provenance, Note)> = note
        .sections
        .iter()
        .flat_map(|section| section.sentences.iter().map(move |line| (section.code, line)))
        .filter(|(_, line)| line.provenance.is_by_a_person())
        .map(|(section, line)| {
            let reader = Reader { lexicon, provenance: &line.provenance, section };
            (&line.provenance, reader.meant(line.text.reveal()))
        })
        .collect();
    let of = |provenance: &Provenance| -> Vec<&Note> {
        lines.iter().filter(|(own, _)| *own == provenance).map(|(_, read)| read).collect()
    };
    let mut all = Vec::new();
    for (index, found) in note.conditions.iter().enumerate() {
        let read = of(&found.provenance);
        let said = || read.iter().flat_map(|read| &read.conditions);
        if !read.is_empty() && !said().any(|said| said.display == found.display) {
            let was = said().find(|said| said.text == found.text).map(|said| said.display.en.clone());
            let finding = FindingRef { kind: FindingKind::Condition, index };
            all.push(Mapped { finding, words: found.text.clone(), was });
        }
    }
    for (index, found) in note.medications.iter().enumerate() {
        let read = of(&found.provenance);
        let said = || read.iter().flat_map(|read| &read.medications);
        if !read.is_empty() && !said().any(|said| said.name == found.name) {
            let was = said().find(|said| said.text == found.text).map(|said| said.name.clone());
            let finding = FindingRef { kind: FindingKind::Medication, index };
            all.push(Mapped { finding, words: found.text.clone(), was });
        }
    }
    all
}
