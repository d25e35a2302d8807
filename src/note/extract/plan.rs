//! What will be done: appointments, referrals, tests, leave, advice, procedures, prescriptions.

use std::ops::Range;

use super::evidence_of;
use super::medications::Course;
use super::utterance::{Clause, Speaker, Utterance};
use crate::note::{Evidence, PlanItem, PlanKind, Provenance};
use crate::terminology::{DrugKind, Found, Lexicon, Meaning, TermKind, UnitKind};
use crate::text::PatientText;

/// All plan items in the order said; advice and prescriptions are one item each.
#[must_use]
pub fn plan(utterances: &[Utterance], lexicon: &Lexicon, courses: &[Course]) -> Vec<PlanItem> {
    let mut items: Vec<PlanItem> = Vec::new();
    let mut advice: Option<PlanItem> = None;
    for utterance in utterances.iter().filter(|utterance| matches!(utterance.speaker, Speaker::Doctor | Speaker::Unknown)) {
        let mut tests: Option<PlanItem> = None;
        let mut procedures: Option<PlanItem> = None;
        for clause in utterance.clauses().iter().filter(|clause| !question(utterance, lexicon, clause)) {
            items.extend(follow_up(utterance, lexicon, &clause.range));
            items.extend(sick_leave(utterance, lexicon, &clause.range));
            items.extend(referral(utterance, lexicon, &clause.range));
            join(&mut tests, investigation(utterance, lexicon, &clause.range));
            join(&mut procedures, procedure(utterance, lexicon, &clause.range));
            join(&mut advice, lifestyle(utterance, lexicon, &clause.range));
        }
        items.extend(tests);
        items.extend(procedures);
    }
    items.extend(advice);
    items.extend(prescription(courses));
    without_repeats(items)
}

fn question(utterance: &Utterance, lexicon: &Lexicon, clause: &Clause) -> bool {
    clause.asked || utterance.has(lexicon, clause.range.clone(), &[TermKind::Question, TermKind::QuestionEnd])
}

fn item(utterance: &Utterance, kind: PlanKind, range: Range<usize>, days: Option<f64>) -> Option<PlanItem> {
    let provenance = evidence_of(utterance, range.clone())?.into();
    Some(PlanItem { kind, text: PatientText::from(utterance.said(range)), days, provenance })
}

fn join(all: &mut Option<PlanItem>, more: Option<PlanItem>) {
    match (all.as_mut(), more) {
        (Some(all), Some(more)) => {
            all.text = PatientText::from(format!("{};{}", all.text.reveal(), more.text.reveal()));
            if let (Provenance::Heard { evidence, .. }, Provenance::Heard { evidence: added, .. }) =
                (&mut all.provenance, &more.provenance)
            {
                evidence.merge(added);
            }
        }
        (None, more) => *all = more,
        _ => {}
    }
}

/// The same appointment said twice is one.
fn without_repeats(items: Vec<PlanItem>) -> Vec<PlanItem> {
    let mut kept: Vec<PlanItem> = Vec::new();
    for item in items {
        let timed = matches!(item.kind, PlanKind::FollowUp | PlanKind::SickLeave);
        if !(timed && kept.iter().any(|other| other.kind == item.kind && other.days == item.days)) {
            kept.push(item);
        }
    }
    kept
}

/// Days of the time said in a range: 四個禮拜, 下個月.
fn days(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>) -> Option<(f64, Range<usize>)> {
    let quantity = utterance
        .quantities_in(range.clone())
        .iter()
        .filter(|quantity| {
            quantity.kind == UnitKind::Time && quantity.value >= 1.0 && utterance.chars.get(quantity.end) != Some(&'前')
        })
        .rfind(|quantity| utterance.chars.get(quantity.start) != Some(&'每'))
        .map(|quantity| (quantity.value, quantity.start..quantity.end));
    quantity.or_else(|| {
        utterance.terms(lexicon, range, TermKind::After).find_map(|hit| match hit.meaning {
            Meaning::Term(term) => {
                let days = lexicon.terms.get(term).and_then(|term| term.value.parse().ok())?;
                Some((days, hit.start..hit.end))
            }
            _ => None,
        })
    })
}

/// 四個禮拜後覆診: only with a time, else it is advice or talk of this visit.
fn follow_up(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<PlanItem> {
    let back = utterance.terms(lexicon, clause.clone(), TermKind::FollowUp).next()?;
    if utterance.has(lexicon, clause.start..back.start, &[TermKind::Negation, TermKind::NoNeed]) {
        return None;
    }
    let earlier = clause.start..back.start;
    let later = back.end..clause.end.min(back.end + 10);
    let index = utterance.clause_index(back.start);
    let previous = index.checked_sub(1).and_then(|index| utterance.clauses().get(index)).map(|clause| clause.range.clone());
    let (days, when) = days(utterance, lexicon, earlier).or_else(|| days(utterance, lexicon, later)).or_else(|| {
        // 兩個禮拜後,返嚟睇報告; 三個月後抽血,覆診.
        let previous = previous.filter(|range| range.end + 1 >= clause.start)?;
        days(utterance, lexicon, previous).filter(|(_, when)| matches!(utterance.chars.get(when.end), Some('后')))
    })?;
    // 中風三個月後覆診 names this visit: what follows 覆診 in its sentence is what is asked today.
    item(utterance, PlanKind::FollowUp, when.start.min(back.start)..back.end.max(when.end), Some(days))
}

fn sick_leave(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<PlanItem> {
    let leave = utterance.terms(lexicon, clause.clone(), TermKind::SickLeave).next()?;
    if utterance.has(lexicon, clause.start..leave.start, &[TermKind::NoNeed, TermKind::Negation]) {
        return None;
    }
    let near = leave.start.saturating_sub(8).max(clause.start)..clause.end.min(leave.end + 8);
    let (days, when) = days(utterance, lexicon, near)?;
    item(utterance, PlanKind::SickLeave, leave.start.min(when.start)..leave.end.max(when.end), Some(days))
}

fn referral(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Vec<PlanItem> {
    let Some(verb) = utterance.terms(lexicon, clause.clone(), TermKind::Refer).next() else { return Vec::new() };
    if utterance.has(lexicon, clause.start..verb.start, &[TermKind::NoNeed, TermKind::Negation]) {
        return Vec::new();
    }
    let services: Vec<&Found> = utterance.terms(lexicon, verb.end..clause.end, TermKind::Service).collect();
    if services.len() < 2 {
        return item(utterance, PlanKind::Referral, verb.start..clause.end, None).into_iter().collect();
    }
    services.iter().filter_map(|service| item(utterance, PlanKind::Referral, service.start..service.end, None)).collect()
}

const DONE: [TermKind; 4] = [TermKind::Past, TermKind::NegativeResult, TermKind::NoNeed, TermKind::Before];

fn investigation(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<PlanItem> {
    let aside = DONE.iter().chain(&[TermKind::Negation, TermKind::FollowUp, TermKind::HistoryAfter]);
    let reported =
        aside.clone().filter(|kind| **kind != TermKind::FollowUp).any(|kind| utterance.has(lexicon, clause.clone(), &[*kind]));
    let test = utterance.terms(lexicon, clause.clone(), TermKind::Test).next();
    let verb = utterance.terms(lexicon, clause.clone(), TermKind::TestVerb).next();
    let future = utterance.has(lexicon, clause.clone(), &[TermKind::Future, TermKind::RuleOut, TermKind::Refer]);
    let later = days(utterance, lexicon, clause.clone()).is_some();
    let observed = utterance.within(clause.clone()).iter().any(|hit| matches!(hit.meaning, Meaning::Observation(_)))
        && !utterance.numbers_in(clause.clone()).is_empty()
        && verb.is_none();
    let start = verb.or(test)?.start;
    let treats = test.is_none() && utterance.has(lexicon, clause.clone(), &[TermKind::Procedure]);
    let object = test.is_some()
        || utterance
            .within(clause.clone())
            .iter()
            .any(|hit| matches!(hit.meaning, Meaning::Observation(_) | Meaning::Condition(_) | Meaning::Class(_)));
    if reported || observed || treats || !object || (verb.is_none() && !future && !later) {
        return None;
    }
    item(utterance, PlanKind::Investigation, start..clause.end, None)
}

fn procedure(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<PlanItem> {
    let done = [TermKind::NoNeed, TermKind::Negation, TermKind::Before, TermKind::History, TermKind::HistoryAfter];
    if utterance.has(lexicon, clause.clone(), &done) {
        return None;
    }
    let vaccine = utterance.within(clause.clone()).iter().find(|hit| match hit.meaning {
        Meaning::Drug(drug) => {
            lexicon.drugs.get(drug).is_some_and(|drug| drug.kind == DrugKind::Vaccine)
                && utterance.has(lexicon, hit.start.saturating_sub(2)..hit.end + 2, &[TermKind::DrugPlanned])
        }
        _ => false,
    });
    let hit = utterance.terms(lexicon, clause.clone(), TermKind::Procedure).next().or(vaccine)?;
    let near = utterance.has(lexicon, hit.start.saturating_sub(3)..hit.start, &[TermKind::NegationNear]);
    let past = utterance.has(lexicon, hit.end..hit.end + 2, &[TermKind::Past]);
    if near || past {
        return None;
    }
    item(utterance, PlanKind::Procedure, hit.start..clause.end.max(hit.end), None)
}

fn lifestyle(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<PlanItem> {
    let hit = utterance.terms(lexicon, clause.clone(), TermKind::Lifestyle).next()?;
    item(utterance, PlanKind::Lifestyle, hit.start..clause.end.max(hit.end), None)
}

/// One item for all that was prescribed, changed or stopped.
fn prescription(courses: &[Course]) -> Option<PlanItem> {
    let mut decided = courses.iter().filter(|course| course.decided).map(|course| &course.medication);
    let first = decided.next()?;
    let mut names = vec![first.name.as_str()];
    let mut evidence = Evidence::new(first.provenance.spans().to_vec()).ok()?;
    for medication in decided {
        names.push(&medication.name);
        if let Ok(more) = Evidence::new(medication.provenance.spans().to_vec()) {
            evidence.merge(&more);
        }
    }
    let text = PatientText::from(names.join(", "));
    Some(PlanItem { kind: PlanKind::Prescription, text, days: None, provenance: evidence.into() })
}
