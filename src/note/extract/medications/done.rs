//! What the words around a drug do with it.

use std::ops::Range;

use super::super::utterance::{Speaker, Utterance};
use super::takes_another;
use crate::note::MedicationStatus;
use crate::terminology::{Found, Lexicon, Meaning, TermKind, UnitKind};

/// What is done with a drug.
#[derive(Clone, Copy, Default)]
pub(super) struct Done {
    pub status: Option<MedicationStatus>,
    pub withheld: bool,
    /// Told by a verb that only says how it is taken.
    pub weak: bool,
    /// Told in a later clause.
    pub late: bool,
}

/// What is done with the drug: the nearest word before it, else the first behind it; a stop behind it is the last word.
pub(super) fn done(
    utterance: &Utterance,
    lexicon: &Lexicon,
    ahead: Range<usize>,
    behind: Range<usize>,
    clause: Range<usize>,
) -> Done {
    let drug = ahead.end;
    let of = |status| Done { status: Some(status), ..Done::default() };
    let read = |hit: &Found| {
        // 食緊血壓藥, a form of the condition, holds the verb.
        if matches!(hit.meaning, Meaning::Condition(_))
            && matches!(utterance.folded(hit.start..hit.start + 2), ['食', '紧' | '开'])
        {
            return Some(of(MedicationStatus::Active));
        }
        let Meaning::Term(term) = hit.meaning else { return None };
        let done = match lexicon.term_kind(term)? {
            TermKind::DrugActive | TermKind::Unchanged => of(MedicationStatus::Active),
            TermKind::DrugPlanned => Done { weak: weak(utterance, hit), ..of(MedicationStatus::Planned) },
            TermKind::DrugStopped if conditional(utterance, hit) => return None,
            TermKind::DrugStopped => of(MedicationStatus::Stopped),
            TermKind::DrugWithheld => Done { withheld: true, ..Done::default() },
            _ => return None,
        };
        (!takes_another(utterance, lexicon, hit, drug)).then_some(done)
    };
    let stopped = |done: &Done| done.status == Some(MedicationStatus::Stopped);
    // X, 轉打 Y; on X, stopped Y: in a later clause the word right before the next drug is said of that one.
    let others = |hit: &Found| {
        let next = utterance.within(behind.end..behind.end + 1).iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)));
        next && hit.start > clause.end && utterance.between(hit.end, behind.end) <= 1
    };
    let first = utterance.within(ahead).iter().rev().find_map(read);
    let own = behind.start..behind.end.min(clause.end);
    let second = utterance.within(own.clone()).iter().find_map(read);
    // X 轉咗 Y: X is given no more. X 唔好, 轉 Y: it was only thought of.
    if replaced(utterance, lexicon, own.clone()) {
        return of(MedicationStatus::Stopped);
    }
    if utterance.folded(own.start..clause.end.max(own.start)).iter().filter(|c| **c != ' ').eq(&['唔', '好']) {
        return Done { withheld: true, ..Done::default() };
    }
    // 醫生叫我停 X, 但我仲食緊: what one does is the last word, not what one was told.
    let stays = || {
        let stopped = first.or(second).is_some_and(|done| done.status == Some(MedicationStatus::Stopped));
        let still = utterance.terms(lexicon, own.end..behind.end, TermKind::DrugActive).find(|hit| !others(hit));
        let contrast = |hit: &Found| {
            let clause = utterance.clause(hit.start).range;
            utterance.has(lexicon, clause.start..hit.start, &[TermKind::Contrast])
                && !utterance.has(lexicon, clause.start..hit.start, &[TermKind::Negation, TermKind::NegationNear])
        };
        // X 停三日,跟住照食.
        let pauses = utterance.terms(lexicon, own.clone(), TermKind::DrugStopped).any(|stop| {
            let times = utterance.quantities_in(stop.end..stop.end + 2);
            times.iter().any(|quantity| quantity.kind == UnitKind::Time && quantity.value < 30.0)
        });
        let told = utterance.speaker != Speaker::Doctor && still.is_some_and(contrast);
        stopped && (told || pauses && still.is_some())
    };
    if stays() {
        return of(MedicationStatus::Active);
    }
    // 我食 X 之前肝酵素高,停咗: a stop that leads a later clause of the sentence.
    let later_stop = utterance
        .terms(lexicon, behind.clone(), TermKind::DrugStopped)
        .find(|stop| stop.start <= utterance.clause(stop.start).range.start + 2 && !others(stop) && !conditional(utterance, stop))
        .map(|_| of(MedicationStatus::Stopped));
    let planned = first.is_some_and(|done| done.status == Some(MedicationStatus::Planned) && !done.weak);
    let later = || {
        let stop = utterance
            .terms(lexicon, behind.clone(), TermKind::DrugStopped)
            .find(|stop| !others(stop) && !conditional(utterance, stop));
        let stop = stop.map(|_| of(MedicationStatus::Stopped));
        stop.or_else(|| utterance.within(behind.clone()).iter().filter(|hit| !others(hit)).find_map(read))
    };
    match (first, second) {
        // 用過 X ... 停咗; 我食 gabapentin 上次頭暈停咗: a stop behind it in the clause is the last word.
        (_, Some(second)) if stopped(&second) || second.withheld => second,
        (Some(first), _) => later_stop.filter(|_| !planned && !first.withheld).unwrap_or(first),
        // 食咗成個月, 停咗五日: told as a course that ended.
        (None, Some(second)) if second.status == Some(MedicationStatus::Active) => later().filter(stopped).unwrap_or(second),
        (None, Some(second)) => later_stop.filter(|_| second.weak).unwrap_or(second),
        (None, None) => later().map(|done| Done { late: true, ..done }).unwrap_or_default(),
    }
}

/// 屙肚就停: when to stop, not that one stopped, which 就停咗 tells.
fn conditional(utterance: &Utterance, stop: &Found) -> bool {
    let before = stop.start.checked_sub(1).and_then(|at| utterance.chars.get(at));
    before == Some(&'就') && utterance.folded(stop.start..stop.end + 1).iter().all(|c| *c != '咗')
}

/// Whether a range ends with 轉, 換 or 改 right before the next drug, and nothing says that it comes only later.
fn replaced(utterance: &Utterance, lexicon: &Lexicon, behind: Range<usize>) -> bool {
    let next = utterance.within(behind.end..behind.end + 1).iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)));
    let Some(verb) = utterance.terms(lexicon, behind.clone(), TermKind::DrugPlanned).last().filter(|_| next) else {
        return false;
    };
    let words = utterance.folded(verb.start..behind.end);
    let turns = matches!(words.first(), Some('转' | '换' | '改')) && utterance.between(verb.end, behind.end) <= 2;
    let later = utterance.folded(behind.start..verb.start).iter().any(|c| matches!(c, '后' | '再' | '加' | ',' | '，'));
    turns && !later && !utterance.has(lexicon, behind.start..verb.start, &[TermKind::Negation, TermKind::NegationNear])
}

/// 食, 搽, 滴: how it is taken, by which nothing is started.
fn weak(utterance: &Utterance, verb: &Found) -> bool {
    matches!(utterance.folded(verb.start..verb.end), ['食' | '搽' | '滴' | '打' | '喷' | '用' | '飲' | '饮'])
}
