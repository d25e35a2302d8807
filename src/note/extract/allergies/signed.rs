//! What a word for allergy says of the substances around it.

use std::ops::Range;

use super::super::utterance::{Speaker, Utterance};
use super::reaction::{reacts, takes_breath_away};
use super::{NEAR, Substance, Told, evidence_of, put, substance};
use crate::note::{AllergyStatus, Evidence};
use crate::terminology::{Found, Lexicon, TermKind};

/// A sign of allergy and what stands around it.
pub(super) struct Signed<'a> {
    pub sign: &'a Found,
    pub clause: &'a Range<usize>,
    pub named: &'a [(Substance, &'a Found)],
    pub list: &'a [Range<usize>],
    pub question: bool,
}

/// 敏感 with no substance: that of 冇敏感 is any drug, of 後來話冇敏感 the one spoken of.
fn implied(
    utterance: &Utterance,
    lexicon: &Lexicon,
    sign: &Found,
    all: &[Told],
    question: bool,
) -> Vec<(Substance, usize, usize)> {
    let clause = utterance.clause(sign.start).range;
    // 唔算敏感, 唔係敏感 speaks of what was just told, and says nothing of drugs at large.
    if !question && utterance.has(lexicon, clause.start..sign.start, &[TermKind::NotSo]) {
        return Vec::new();
    }
    // A doctor who repeats 冇敏感 repeats what was answered a moment ago.
    let reach = if utterance.speaker == Speaker::Doctor { 1 } else { 0 };
    let chosen = all.last().filter(|_| !question).and_then(|told| {
        let near = |segment: u64| segment <= utterance.id && utterance.id - segment <= reach;
        told.evidence.spans().iter().any(|span| near(span.segment())).then(|| told.substance.clone())
    });
    // 對奶敏感 names something we do not know: it is no word on drugs.
    let lead = utterance.folded(utterance.clause(sign.start).range.start.max(sign.start.saturating_sub(8))..sign.start);
    let open = lead.iter().any(|c| matches!(c, '咩' | '什' | '边' | '药'));
    let something_else = !open && lead.iter().position(|c| *c == '对').is_some_and(|at| lead.len() - at > 1);
    let full = sign.end - sign.start >= 2 && !something_else;
    chosen.or_else(|| full.then(Substance::any_drug)).map(|name| (name, sign.start, sign.end)).into_iter().collect()
}

pub(super) fn denied(utterance: &Utterance, lexicon: &Lexicon, sign: &Found, clause: &Range<usize>) -> bool {
    let kinds = [TermKind::Negation, TermKind::NotSo];
    let before = clause.start.max(utterance.back(sign.start, NEAR))..sign.start;
    let positive = utterance.terms(lexicon, before.clone(), TermKind::Affirmation).last().map_or(0, |hit| hit.end);
    let negative =
        kinds.iter().filter_map(|kind| utterance.terms(lexicon, before.clone(), *kind).last()).map(|hit| hit.end).max();
    // 我對 X 敏感嘅病歷冇寫: what is not written down is there.
    let near = sign.end..clause.end.min(sign.end + 5);
    let of_it = |no: &Found| {
        let between = utterance.folded(sign.end..no.start);
        !(between.len() > 2 && between.first() == Some(&'嘅'))
    };
    let behind = kinds.iter().any(|kind| utterance.terms(lexicon, near.clone(), *kind).any(of_it));
    // 藥就未試過有敏感.
    let lead: String = utterance.folded(sign.start.saturating_sub(4)..sign.start).iter().collect();
    let never = ["未试过有", "冇试过有", "从嚟未有"].contains(&lead.as_str());
    // 對盤尼西林唔敏感: 唔 denies what it touches, or what 會 or 係 alone stands before.
    let touching = utterance.terms(lexicon, before, TermKind::NegationNear).last();
    // 都不過敏 is no 不過.
    let directly = sign.start.checked_sub(1).and_then(|at| utterance.chars.get(at)) == Some(&'唔');
    let touching = directly
        || touching.is_some_and(|no| utterance.folded(no.end..sign.start).iter().all(|c| matches!(c, '会' | '系' | '是')));
    never || negative.is_some_and(|negative| negative > positive) || behind || touching
}

/// 打顯影劑出成身疹海鲜就冇敏感: whether what a substance did is told before the next is named.
fn reacted(utterance: &Utterance, lexicon: &Lexicon, named: &[(Substance, &Found)], name: &Substance, sign: &Found) -> bool {
    let place = named.iter().position(|(other, hit)| other.name == name.name && hit.end <= sign.start);
    place.and_then(|place| Some((named.get(place)?, named.get(place + 1)))).is_some_and(|((_, hit), next)| {
        let until = next.map_or(sign.start, |(_, next)| next.start.min(sign.start));
        let did = hit.end..until;
        let hits = utterance.within(did.clone()).iter().filter(|did| did.end <= until);
        let breathless = utterance.folded(did).contains(&'会');
        hits.into_iter().any(|did| {
            let no = super::statements::denied_near(utterance, lexicon, did);
            !no && (reacts(did, lexicon) || breathless && takes_breath_away(did, lexicon))
        })
    })
}

/// NKDA; Allergies: nil.
fn none_headed(utterance: &Utterance, lexicon: &Lexicon, sign: &Found, clause: &Range<usize>) -> bool {
    let said: String = utterance.folded(sign.start..sign.end).iter().collect();
    let heads = utterance.chars.get(clause.end) == Some(&':') && clause.end.saturating_sub(sign.end) <= 2;
    let behind = utterance.clause(clause.end + 1).range;
    let nil = utterance.terms(lexicon, behind.clone(), TermKind::Negation).next();
    said == "nkda" || heads && nil.is_some_and(|nil| nil.start <= behind.start + 1 && behind.end.saturating_sub(nil.end) <= 2)
}

/// Where 對 or 有冇 leads to the name that a sign is of, and other names stand before that.
fn of_alone(
    utterance: &Utterance,
    lexicon: &Lexicon,
    clause: &Range<usize>,
    sign: &Found,
    named: &[(Substance, &Found)],
) -> Option<usize> {
    let before = clause.start..sign.start;
    let towards = utterance.folded(before.clone()).iter().rposition(|c| *c == '对').map(|at| before.start + at + 1);
    let asked = utterance.terms(lexicon, before, TermKind::Question).last().map(|hit| hit.end);
    let lead = towards.max(asked)?;
    let led = named
        .iter()
        .any(|(name, hit)| !name.is_any_drug() && hit.start >= lead && hit.start <= lead + 2 && hit.end <= sign.start);
    let others = named.iter().any(|(_, hit)| hit.end <= lead);
    (led && others).then_some(lead)
}

/// 對 X 敏感, 冇藥物敏感, 有冇 X 敏感: what a sign says of the substances near it; gives back what it asks.
pub(super) fn signed(
    utterance: &Utterance,
    lexicon: &Lexicon,
    of: &Signed<'_>,
    all: &mut Vec<Told>,
) -> Vec<(Substance, Evidence)> {
    let Signed { sign, clause, named, list, question } = *of;
    let mut asked = Vec::new();
    // Diamox 我對 sulfa 過敏, 加 X 有冇 Y 敏感: what stands right before the sign is what it is of.
    let to = of_alone(utterance, lexicon, clause, sign, named);
    let near: Vec<(Substance, usize, usize)> = named
        .iter()
        .filter(|(_, hit)| to.is_none_or(|to| hit.start >= to))
        .filter(|(_, hit)| {
            let (before, after) = (utterance.between(hit.end, sign.start), utterance.between(sign.end, hit.start));
            hit.start < sign.end && before <= NEAR + 8 || hit.start >= sign.end && after <= NEAR
        })
        .map(|(name, hit)| (name.clone(), hit.start.min(sign.start), hit.end.max(sign.end)))
        .collect();
    // In another clause the words between are not of it.
    let own = |start: usize, end: usize| {
        let mut evidence = evidence_of(utterance, start..end)?;
        if start >= clause.end || end <= clause.start {
            evidence.merge(&evidence_of(utterance, sign.start..sign.end)?);
        }
        Some(evidence)
    };
    let listed = list.iter().flat_map(|range| utterance.within(range.clone())).filter_map(|hit| {
        let name = substance(utterance, hit, lexicon).filter(|name| !name.is_any_drug())?;
        Some((name, hit.start, hit.end))
    });
    let listed: Vec<(Substance, usize, usize)> = listed.collect();
    // 薄血藥、糖尿、藥物敏感? asks for each, and for an allergy only of drugs.
    let touching = named.iter().find(|(name, hit)| name.is_any_drug() && hit.end == sign.start).filter(|_| question);
    let in_list = touching.is_some_and(|(_, hit)| {
        hit.start.checked_sub(1).and_then(|at| utterance.chars.get(at)).is_some_and(|c| matches!(c, '、' | ','))
    });
    let mut near = near;
    near.retain(|(name, ..)| !in_list || name.is_any_drug());
    // Drug allergy: A, B. The drug of the heading is not the one.
    near.retain(|(name, ..)| listed.is_empty() || !name.is_any_drug());
    near.extend(listed);
    let denied = denied(utterance, lexicon, sign, clause) || none_headed(utterance, lexicon, sign, clause);
    let near = if near.is_empty() { implied(utterance, lexicon, sign, all, question) } else { near };
    // 藥冇敏感,花生就有.
    let but = |name: &Substance| {
        named.iter().any(|(other, hit)| other.name == name.name && utterance.folded(hit.end..hit.end + 2) == ['就', '有'])
    };
    for (name, start, end) in near {
        let Some(evidence) = own(start, end) else { continue };
        match (question, denied && !but(&name)) {
            (true, _) => asked.push((name, evidence)),
            // 唔係食物敏感 says what the rash is not.
            (false, true) if name.is_food() && utterance.has(lexicon, clause.start..sign.start, &[TermKind::NotSo]) => {}
            (false, true) if !name.is_general() && reacted(utterance, lexicon, named, &name, sign) => {
                put(all, name, AllergyStatus::Present, evidence);
            }
            (false, true) => put(all, name, AllergyStatus::None, evidence),
            (false, false) if !name.is_general() => put(all, name, AllergyStatus::Present, evidence),
            (false, false) => {}
        }
    }
    asked
}
