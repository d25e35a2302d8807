//! Drugs taken, started and stopped.

use std::ops::Range;

use super::evidence_of;
use super::regimen::{Regimen, regimen};
use super::utterance::{Speaker, Utterance};
use crate::note::{Allergy, AllergyStatus, Evidence, Medication, MedicationStatus};
use crate::terminology::{Drug, DrugKind, Found, Lexicon, Meaning, TermKind};
use crate::text::PatientText;

/// How far before a drug a word tells what is done with it.
const BEFORE: usize = 10;

/// A medication and what the plan needs to know of it.
#[derive(Debug, Clone)]
pub struct Course {
    /// The note's entry.
    pub medication: Medication,
    /// Whether the doctor started, changed or stopped it in this talk.
    pub decided: bool,
}

/// What one mention of a drug says.
struct Said {
    drug: usize,
    status: Option<MedicationStatus>,
    withheld: bool,
    regimen: Regimen,
    doctor: bool,
    evidence: Evidence,
    text: String,
}

/// All drugs of the talk, each once: a later dose replaces an earlier one, a drug withheld goes.
#[must_use]
pub fn medications(utterances: &[Utterance], lexicon: &Lexicon, allergies: &[Allergy]) -> Vec<Course> {
    let mut courses: Vec<(usize, Course)> = Vec::new();
    for (index, utterance) in utterances.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|before| utterances.get(before));
        stop_named_before(utterance, previous, lexicon, &mut courses);
        for said in mentions(utterance, lexicon) {
            take(said, lexicon, &mut courses);
        }
    }
    let allergic = |course: &Course| {
        allergies.iter().any(|allergy| allergy.status == AllergyStatus::Present && allergy.substance == course.medication.name)
    };
    courses
        .into_iter()
        .map(|(_, course)| course)
        .filter(|course| course.medication.status == MedicationStatus::Stopped || !allergic(course))
        .collect()
}

fn take(said: Said, lexicon: &Lexicon, courses: &mut Vec<(usize, Course)>) {
    let Some(drug) = lexicon.drugs.get(said.drug) else { return };
    let place = courses.iter().position(|(_, course)| course.medication.name == drug.name);
    if said.withheld {
        if let Some(place) = place
            && courses.get(place).is_some_and(|(_, course)| course.medication.status != MedicationStatus::Stopped)
        {
            courses.remove(place);
        }
        return;
    }
    match place.and_then(|place| courses.get_mut(place)) {
        Some((_, course)) => update(course, said),
        None => courses.extend(start(said, drug)),
    }
}

/// A new entry, if more was said than the drug's name.
fn start(said: Said, drug: &Drug) -> Option<(usize, Course)> {
    let told = said.regimen.dose.is_some() || said.regimen.times_per_day.is_some() || said.regimen.prn;
    let class_alone = drug.kind == DrugKind::Class && said.status.is_none();
    if !(told || said.status.is_some()) || class_alone {
        return None;
    }
    let assumed = if said.doctor { MedicationStatus::Planned } else { MedicationStatus::Active };
    let status = said.status.unwrap_or(assumed);
    let course = Course {
        decided: said.doctor && status != MedicationStatus::Active,
        medication: Medication {
            text: PatientText::from(said.text),
            name: drug.name.clone(),
            atc: drug.atc.clone(),
            dose: said.regimen.dose,
            times_per_day: said.regimen.times_per_day,
            prn: said.regimen.prn,
            duration_days: said.regimen.duration_days,
            status,
            confidence: if said.status.is_some() { 0.9 } else { 0.8 },
            provenance: said.evidence.into(),
        },
    };
    Some((said.drug, course))
}

fn update(course: &mut Course, said: Said) {
    let entry = &mut course.medication;
    let news = said.regimen.dose.is_some() || said.regimen.times_per_day.is_some() || said.status.is_some();
    if !news {
        return;
    }
    // A course told in the past does not undo what was decided now.
    let undone = said.status == Some(MedicationStatus::Stopped) && entry.status == MedicationStatus::Planned && !said.doctor;
    if let Some(status) = said.status.filter(|_| !undone) {
        entry.status = status;
        course.decided |= said.doctor && status != MedicationStatus::Active;
    }
    entry.dose = said.regimen.dose.or_else(|| entry.dose.take());
    entry.times_per_day = said.regimen.times_per_day.or(entry.times_per_day);
    entry.duration_days = said.regimen.duration_days.or(entry.duration_days);
    entry.prn |= said.regimen.prn;
    if let crate::note::Provenance::Heard { evidence, .. } = &mut entry.provenance {
        evidence.merge(&said.evidence);
    }
}

/// 停咗佢: the drug named last, in this utterance or the one before.
fn stop_named_before(utterance: &Utterance, previous: Option<&Utterance>, lexicon: &Lexicon, courses: &mut Vec<(usize, Course)>) {
    let is_drug = |hit: &&Found| matches!(hit.meaning, Meaning::Drug(_));
    for stop in utterance.terms(lexicon, 0..utterance.chars.len(), TermKind::DrugStopped) {
        let clause = utterance.clause(stop.start).range;
        let leads = stop.start <= clause.start + 2 && clause.end.saturating_sub(stop.end) <= 3;
        if !leads || utterance.within(clause.clone()).iter().any(|hit| is_drug(&hit)) {
            continue;
        }
        let here = utterance.within(0..clause.start).iter().rev().find(is_drug).map(|hit| (utterance, hit));
        let target =
            here.or_else(|| previous.and_then(|before| before.found.iter().rev().find(is_drug).map(|hit| (before, hit))));
        let Some((place, hit)) = target else { continue };
        let Meaning::Drug(drug) = hit.meaning else { continue };
        let Some(evidence) = evidence_of(place, hit.start..hit.end) else { continue };
        let said = Said {
            drug,
            status: Some(MedicationStatus::Stopped),
            withheld: false,
            regimen: Regimen::default(),
            doctor: utterance.speaker != Speaker::Patient,
            evidence,
            text: place.said(hit.start..hit.end),
        };
        take(said, lexicon, courses);
    }
}

/// What each mention of a drug in an utterance says.
fn mentions(utterance: &Utterance, lexicon: &Lexicon) -> Vec<Said> {
    let drugs: Vec<Found> = utterance.found.iter().filter(|hit| matches!(hit.meaning, Meaning::Drug(_))).copied().collect();
    let mut said = Vec::new();
    for (index, hit) in drugs.iter().enumerate() {
        let Meaning::Drug(drug) = hit.meaning else { continue };
        let Some(known) = lexicon.drugs.get(drug) else { continue };
        let before = index.checked_sub(1).and_then(|previous| drugs.get(previous)).map_or(0, |previous| previous.end);
        let after = drugs.get(index + 1).map_or(utterance.chars.len(), |next| next.start);
        if beside_the_point(utterance, lexicon, hit) {
            continue;
        }
        said.extend(read(utterance, lexicon, hit, drug, known, before.min(hit.start)..after.max(hit.end)));
    }
    said
}

/// A relative's drug, an allergy, or a drug asked about.
fn beside_the_point(utterance: &Utterance, lexicon: &Lexicon, hit: &Found) -> bool {
    let clause = utterance.clause(hit.start);
    let range = clause.range.clone();
    let kinds = [TermKind::Allergy, TermKind::Reaction, TermKind::Other, TermKind::Hypothetical];
    let relative = utterance.terms(lexicon, range.start..hit.start, TermKind::Family).next().is_some()
        && utterance.speaker != Speaker::Relative;
    let asked = clause.asked && utterance.speaker == Speaker::Patient && utterance.quantities_in(range.clone()).is_empty();
    relative || asked || utterance.has(lexicon, range, &kinds)
}

fn read(utterance: &Utterance, lexicon: &Lexicon, hit: &Found, drug: usize, known: &Drug, around: Range<usize>) -> Option<Said> {
    let sentence = utterance.sentence(hit.start);
    let clause = utterance.clause(hit.start).range;
    let behind = hit.end..around.end.min(sentence.end.max(hit.end));
    // A dose may stand before the drug: 兩粒 Panadol.
    let ahead = clause.start.max(around.start).max(hit.start.saturating_sub(BEFORE))..hit.start;
    let mut how = regimen(utterance, lexicon, behind.clone());
    if how.dose.is_none() && how.times_per_day.is_none() {
        let other = regimen(utterance, lexicon, ahead.clone());
        if other.dose.is_some() || other.times_per_day.is_some() {
            how = other;
        }
    }
    let (status, withheld) = status(utterance, lexicon, ahead, behind, clause);
    let given = utterance.has(lexicon, hit.start.saturating_sub(2)..hit.start, &[TermKind::DrugPlanned]);
    if known.kind == DrugKind::Vaccine && !given {
        return None;
    }
    let mut evidence = evidence_of(utterance, hit.start..hit.end)?;
    let mut end = hit.end;
    for span in &how.spans {
        if let Some(more) = evidence_of(utterance, span.clone()) {
            evidence.merge(&more);
        }
        end = end.max(span.end);
    }
    let text = utterance.said(hit.start..end.min(hit.start + 40));
    Some(Said { drug, status, withheld, regimen: how, doctor: utterance.speaker != Speaker::Patient, evidence, text })
}

/// What is done with the drug: the nearest word before it, else the first behind it.
fn status(
    utterance: &Utterance,
    lexicon: &Lexicon,
    ahead: Range<usize>,
    behind: Range<usize>,
    clause: Range<usize>,
) -> (Option<MedicationStatus>, bool) {
    let kind_of = |hit: &Found| match hit.meaning {
        Meaning::Term(term) => lexicon.term_kind(term),
        _ => None,
    };
    let meaning = |kind| match kind {
        TermKind::DrugActive => Some((Some(MedicationStatus::Active), false)),
        TermKind::DrugPlanned => Some((Some(MedicationStatus::Planned), false)),
        TermKind::DrugStopped => Some((Some(MedicationStatus::Stopped), false)),
        TermKind::DrugWithheld => Some((None, true)),
        _ => None,
    };
    let read = |hit: &Found| kind_of(hit).and_then(meaning);
    let first = utterance.within(ahead).iter().rev().find_map(read);
    let clause_behind = behind.start..behind.end.min(clause.end);
    let second = utterance.within(clause_behind).iter().find_map(read);
    let later = || {
        utterance
            .terms(lexicon, behind.clone(), TermKind::DrugStopped)
            .next()
            .map(|_| (Some(MedicationStatus::Stopped), false))
            .or_else(|| utterance.within(behind.clone()).iter().find_map(read))
    };
    match (first, second) {
        // 用過 X ... 停咗; 我食 gabapentin 上次頭暈停咗: a stop behind it in the clause is the last word.
        (_, Some((Some(MedicationStatus::Stopped), _))) => (Some(MedicationStatus::Stopped), false),
        (_, Some((_, true))) => (None, true),
        (Some(first), _) => first,
        // 食咗成個月, 停咗五日: told as a course that ended.
        (None, Some((Some(MedicationStatus::Active), _))) => later()
            .filter(|(status, _)| *status == Some(MedicationStatus::Stopped))
            .unwrap_or((Some(MedicationStatus::Active), false)),
        (None, Some(second)) => second,
        (None, None) => later().unwrap_or((None, false)),
    }
}
