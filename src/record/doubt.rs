//! What a clinician should look at: what is in doubt, and what is easily misheard.

use serde::Serialize;

use crate::note::{AllergyStatus, Assertion, FindingKind, FindingRef, Note, SectionCode, Span};
use crate::speech::Transcript;
use crate::text::PatientText;

/// A finding below this confidence is only a suggestion. What merely sounds like a term has 0.6, what was spelt has 0.8 and more.
pub const LOW_CONFIDENCE: f64 = 0.7;

/// A word that the recogniser was less sure of than this marks the line that rests on it.
pub const UNSURE_WORD: f64 = 0.5;

/// Why a finding is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// Its words are not spelt as the term and only sound so.
    Sound,
    /// Its confidence is below [`LOW_CONFIDENCE`].
    Confidence,
}

/// A finding that has to be accepted, dropped or coded anew before the note can be signed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Doubt {
    /// Which.
    pub finding: FindingRef,
    /// Why.
    pub why: Why,
    /// What it would be, in English.
    pub en: String,
    /// What it would be, in Chinese where it has a Chinese name.
    pub zh: Option<String>,
    /// What was heard.
    pub heard: PatientText,
    /// Where.
    pub evidence: Vec<Span>,
    /// 0 to 1.
    pub confidence: f64,
}

/// What in a line is easily misheard and does harm then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// A finding that is in doubt.
    Doubt,
    /// Words that the recogniser was unsure of.
    Unsure,
    /// Something is denied.
    Negation,
    /// A dose.
    Dose,
    /// A side of the body.
    Side,
}

/// A line with its findings and its marks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MarkedLine {
    /// The line's section.
    pub section: SectionCode,
    /// Its place there, from 0.
    pub index: usize,
    /// What it says.
    pub findings: Vec<FindingRef>,
    /// In a fixed order, each once.
    pub marks: Vec<Mark>,
}

/// What is open, in the order of the note.
#[must_use]
pub fn open_doubts(note: &Note) -> Vec<Doubt> {
    note.findings().into_iter().filter_map(|finding| doubt(note, finding)).collect()
}

/// Every line of the note, with the marks of its findings and of the words that it rests on.
#[must_use]
pub fn marked_lines(note: &Note, transcript: &Transcript) -> Vec<MarkedLine> {
    let lines = note.lines_with_findings().into_iter().map(|line| {
        let mut marks: Vec<Mark> = line.findings.iter().flat_map(|finding| marks(note, *finding)).collect();
        // What a person wrote or changed does not rest on how sure the recogniser was.
        let sentence = note.sections.iter().find(|section| section.code == line.section);
        let sentence = sentence.and_then(|section| section.sentences.get(line.index));
        let heard = sentence.filter(|sentence| !sentence.provenance.is_by_a_person());
        if heard.is_some_and(|heard| heard.provenance.spans().iter().any(|span| is_unsure(transcript, *span))) {
            marks.push(Mark::Unsure);
        }
        marks.sort_unstable();
        marks.dedup();
        MarkedLine { section: line.section, index: line.index, findings: line.findings, marks }
    });
    lines.collect()
}

fn doubt(note: &Note, finding: FindingRef) -> Option<Doubt> {
    let evidence = note.provenance(finding)?.spans().to_vec();
    let (en, zh, heard, sounds_like, confidence) = match finding.kind {
        FindingKind::Condition => {
            let found = note.conditions.get(finding.index)?;
            (found.display.en.clone(), Some(found.display.zh.clone()), &found.text, &found.sounds_like, found.confidence)
        }
        FindingKind::Medication => {
            let found = note.medications.get(finding.index)?;
            (found.name.clone(), None, &found.text, &found.sounds_like, found.confidence)
        }
        _ => return None,
    };
    let why = match sounds_like {
        Some(_) => Why::Sound,
        None if confidence < LOW_CONFIDENCE => Why::Confidence,
        None => return None,
    };
    Some(Doubt { finding, why, en, zh, heard: heard.clone(), evidence, confidence })
}

fn marks(note: &Note, finding: FindingRef) -> Vec<Mark> {
    let mut marks: Vec<Mark> = doubt(note, finding).map(|_| Mark::Doubt).into_iter().collect();
    let FindingRef { kind, index } = finding;
    match kind {
        FindingKind::Condition => {
            let found = note.conditions.get(index);
            marks.extend(found.filter(|found| found.assertion == Assertion::Absent).map(|_| Mark::Negation));
            marks.extend(found.and_then(|found| found.laterality).map(|_| Mark::Side));
        }
        FindingKind::Medication => {
            marks.extend(note.medications.get(index).and_then(|drug| drug.dose.as_ref()).map(|_| Mark::Dose))
        }
        FindingKind::Allergy => {
            let none = note.allergies.get(index).filter(|allergy| allergy.status == AllergyStatus::None);
            marks.extend(none.map(|_| Mark::Negation));
        }
        FindingKind::Observation | FindingKind::Plan | FindingKind::Social => {}
    }
    marks
}

/// Whether the recogniser was unsure of a word of the span.
fn is_unsure(transcript: &Transcript, span: Span) -> bool {
    let Some(segment) = transcript.segments.iter().find(|segment| segment.id == span.segment()) else { return false };
    let (text, mut from_byte, mut from) = (segment.text.reveal(), 0, 0);
    for word in segment.words.iter().flatten() {
        let said = word.text.reveal().trim();
        let Some(rest) = text.get(from_byte..) else { return false };
        // Numbers may be written otherwise than they were said: such a word has no place of its own.
        let Some(skipped) = rest.find(said) else { continue };
        let start = from + rest.get(..skipped).unwrap_or_default().chars().count();
        let end = start + said.chars().count();
        (from_byte, from) = (from_byte + skipped + said.len(), end);
        let within = start < span.end() && span.start() < end;
        if within && word.confidence.is_some_and(|confidence| confidence < UNSURE_WORD) {
            return true;
        }
    }
    false
}
