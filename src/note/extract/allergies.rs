//! Allergies of the patient, and that there are none.

use super::evidence_of;
use super::utterance::{Speaker, Utterance};
use crate::note::{Allergy, AllergyStatus, Evidence};
use crate::terminology::{Found, Lexicon, Meaning, TermKind};

/// How far a substance stands from the word for allergy.
const NEAR: usize = 14;

/// The allergies, one for each substance: later corrects earlier.
#[must_use]
pub fn allergies(utterances: &[Utterance], lexicon: &Lexicon) -> Vec<Allergy> {
    let mut all: Vec<Allergy> = Vec::new();
    let mut asked: Option<(usize, Vec<(String, Evidence)>)> = None;
    for (index, utterance) in utterances.iter().enumerate() {
        if let Some((when, substances)) = asked.take()
            && when + 1 == index
        {
            answer(utterance, lexicon, substances, &mut all);
        }
        let open = statements(utterance, lexicon, &mut all);
        if !open.is_empty() {
            asked = Some((index, open));
        }
    }
    all
}

fn put(all: &mut Vec<Allergy>, substance: String, status: AllergyStatus, evidence: Evidence) {
    all.retain(|allergy| allergy.substance != substance);
    // Somebody allergic to a drug does not have no drug allergy.
    all.push(Allergy { substance, status, provenance: evidence.into() });
}

/// 冇, 有 or 食得 in the turn after the question.
fn answer(utterance: &Utterance, lexicon: &Lexicon, substances: Vec<(String, Evidence)>, all: &mut Vec<Allergy>) {
    let Some(first) = utterance.found.iter().find_map(|hit| match hit.meaning {
        Meaning::Term(term) if hit.start <= 3 => lexicon.term_kind(term).map(|kind| (hit, kind)),
        _ => None,
    }) else {
        return tolerated(utterance, lexicon, substances, all);
    };
    let (hit, kind) = first;
    let clause = utterance.clause(hit.start).range;
    let names = utterance.within(hit.end..clause.end).iter().any(|hit| substance(hit, lexicon).is_some());
    let denied = matches!(kind, TermKind::Negation | TermKind::NotSo) && clause.end - hit.end <= 6 && !names;
    if !denied {
        return tolerated(utterance, lexicon, substances, all);
    }
    for (substance, mut evidence) in substances {
        if let Some(more) = evidence_of(utterance, hit.start..hit.end) {
            evidence.merge(&more);
        }
        put(all, substance, AllergyStatus::None, evidence);
    }
}

/// 細個食過都冇事.
fn tolerated(utterance: &Utterance, lexicon: &Lexicon, substances: Vec<(String, Evidence)>, all: &mut Vec<Allergy>) {
    let Some(sign) = utterance.terms(lexicon, 0..utterance.chars.len(), TermKind::Tolerated).next() else { return };
    let named = utterance.within(0..sign.start).iter().any(|hit| substance(hit, lexicon).is_some());
    let family = utterance.has(lexicon, 0..sign.start, &[TermKind::Family]);
    if named || family || substances.len() != 1 {
        return;
    }
    for (substance, mut evidence) in substances.into_iter().filter(|(substance, _)| substance != "drug") {
        if let Some(more) = evidence_of(utterance, sign.start..sign.end) {
            evidence.merge(&more);
        }
        put(all, substance, AllergyStatus::None, evidence);
    }
}

/// The substance that a form names.
fn substance(hit: &Found, lexicon: &Lexicon) -> Option<String> {
    match hit.meaning {
        Meaning::Drug(drug) => lexicon.drugs.get(drug).map(|drug| drug.name.clone()),
        Meaning::Allergen(allergen) => lexicon.allergens.get(allergen).cloned(),
        Meaning::Term(term) if lexicon.term_kind(term) == Some(TermKind::AnyDrug) => Some("drug".to_owned()),
        _ => None,
    }
}

/// What an utterance says of allergies; gives back what it asks.
fn statements(utterance: &Utterance, lexicon: &Lexicon, all: &mut Vec<Allergy>) -> Vec<(String, Evidence)> {
    let mut asked = Vec::new();
    for clause in utterance.clauses() {
        let range = clause.range.clone();
        if relatives(utterance, lexicon, range.start, range.end) {
            continue;
        }
        let named: Vec<(String, &Found)> =
            utterance.within(range.clone()).iter().filter_map(|hit| substance(hit, lexicon).map(|name| (name, hit))).collect();
        let sign = utterance.terms(lexicon, range.clone(), TermKind::Allergy).next();
        let reaction = utterance.terms(lexicon, range.clone(), TermKind::Reaction).last();
        let tolerated = utterance.terms(lexicon, range.clone(), TermKind::Tolerated).next();
        let question = clause.asked || utterance.has(lexicon, range.clone(), &[TermKind::Question, TermKind::QuestionEnd]);
        let signs = utterance.terms(lexicon, range.clone(), TermKind::Allergy).count();
        if signs > 1 && utterance.has(lexicon, range.clone(), &[TermKind::NotSo]) {
            // 海鮮敏感唔係顯影劑敏感 compares two allergies and claims neither.
            continue;
        }
        match (sign, reaction, tolerated) {
            (None, None, None) if !question && utterance.has(lexicon, range.clone(), &[TermKind::Negation]) => {
                // 對鰻魚敏感,藥物冇.
                let sentence = utterance.sentence(range.start);
                let spoken_of = utterance.has(lexicon, sentence.start..range.start, &[TermKind::Allergy]);
                for (name, hit) in named.iter().filter(|_| spoken_of) {
                    if let Some(evidence) = evidence_of(utterance, hit.start..range.end) {
                        put(all, name.clone(), AllergyStatus::None, evidence);
                    }
                }
            }
            (Some(sign), _, _) => {
                let near: Vec<(String, usize, usize)> = named
                    .iter()
                    .filter(|(_, hit)| {
                        hit.start.abs_diff(sign.end) <= NEAR + 8 && (hit.start < sign.end || hit.start <= sign.end + NEAR)
                    })
                    .map(|(name, hit)| (name.clone(), hit.start.min(sign.start), hit.end.max(sign.end)))
                    .collect();
                let near = if near.is_empty() { implied(utterance, sign, all, question) } else { near };
                let denied = denied(utterance, lexicon, sign, &range);
                for (name, start, end) in near {
                    let Some(evidence) = evidence_of(utterance, start..end) else { continue };
                    match (question, denied) {
                        (true, _) => asked.push((name, evidence)),
                        (false, true) => put(all, name, AllergyStatus::None, evidence),
                        (false, false) if name != "drug" => put(all, name, AllergyStatus::Present, evidence),
                        (false, false) => {}
                    }
                }
            }
            (None, Some(reaction), _) if !question => {
                let cause = named.iter().rfind(|(name, hit)| name != "drug" && hit.end <= reaction.start);
                if let Some((name, hit)) = cause
                    && reaction.start - hit.end <= NEAR
                    && !denied_near(utterance, lexicon, reaction)
                    && let Some(evidence) = evidence_of(utterance, hit.start..reaction.end)
                {
                    put(all, name.clone(), AllergyStatus::Present, evidence);
                }
            }
            (None, None, Some(sign)) if !question => {
                for (name, hit) in named.iter().filter(|(_, hit)| hit.end <= sign.start || hit.start < sign.end + NEAR) {
                    // 頭孢冇事 speaks of an allergy only where one was feared; for food it always does.
                    if let Some(evidence) = evidence_of(utterance, hit.start.min(sign.start)..hit.end.max(sign.end)) {
                        put(all, name.clone(), AllergyStatus::None, evidence);
                    }
                }
            }
            _ => {}
        }
    }
    if asked.is_empty() { asked_plainly(utterance, lexicon) } else { asked }
}

/// 藥敏? 對盤尼西林點?: a substance and a question without more.
fn asked_plainly(utterance: &Utterance, lexicon: &Lexicon) -> Vec<(String, Evidence)> {
    let to = |hit: &Found| hit.start.checked_sub(1).and_then(|at| utterance.chars.get(at)) == Some(&'对');
    utterance
        .found
        .iter()
        .filter(|hit| utterance.clause(hit.start).asked && to(hit))
        .filter_map(|hit| Some((substance(hit, lexicon)?, evidence_of(utterance, hit.start..hit.end)?)))
        .collect()
}

/// 敏感 with no substance: that of 冇敏感 is any drug, of 後來話冇敏感 the one spoken of.
fn implied(utterance: &Utterance, sign: &Found, all: &[Allergy], question: bool) -> Vec<(String, usize, usize)> {
    let chosen = match all.last() {
        Some(allergy) if !question && utterance.speaker != Speaker::Doctor => {
            let here = allergy.provenance.spans().iter().any(|span| span.segment() == utterance.id);
            here.then(|| allergy.substance.clone())
        }
        _ => None,
    };
    let full = sign.end - sign.start >= 2;
    chosen.or_else(|| full.then(|| "drug".to_owned())).map(|name| (name, sign.start, sign.end)).into_iter().collect()
}

fn denied(utterance: &Utterance, lexicon: &Lexicon, sign: &Found, clause: &std::ops::Range<usize>) -> bool {
    let kinds = [TermKind::Negation, TermKind::NotSo];
    let before = clause.start.max(sign.start.saturating_sub(NEAR))..sign.start;
    let positive = utterance.terms(lexicon, before.clone(), TermKind::Affirmation).last().map_or(0, |hit| hit.end);
    let negative =
        kinds.iter().filter_map(|kind| utterance.terms(lexicon, before.clone(), *kind).last()).map(|hit| hit.end).max();
    let behind = utterance.has(lexicon, sign.end..clause.end.min(sign.end + 5), &kinds);
    negative.is_some_and(|negative| negative > positive) || behind
}

fn denied_near(utterance: &Utterance, lexicon: &Lexicon, hit: &Found) -> bool {
    utterance.has(lexicon, hit.start.saturating_sub(3)..hit.start, &[TermKind::Negation, TermKind::NegationNear])
}

/// Whether a relative or another is the subject of a clause.
fn relatives(utterance: &Utterance, lexicon: &Lexicon, start: usize, end: usize) -> bool {
    let family = utterance.terms(lexicon, start..end, TermKind::Family).next().is_some_and(|hit| {
        let owned =
            hit.start.checked_sub(1).and_then(|at| utterance.chars.get(at)).is_some_and(|c| matches!(c, '我' | '佢' | '你'));
        owned || utterance.speaker != Speaker::Relative
    });
    family || utterance.has(lexicon, start..end, &[TermKind::Other])
}
