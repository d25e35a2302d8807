//! Whose allergy it is: the patient's, or a relative's that the patient has not.

use std::ops::Range;

use super::super::utterance::{Speaker, Utterance};
use super::reaction::shows;
use super::{NEAR, Told, evidence_of, put, substance, substance_named};
use crate::note::AllergyStatus;
use crate::terminology::{Found, Lexicon, Meaning, TermKind};

/// 使唔使食抗生素我對盤尼西林敏感: where, behind a question of something else, the patient goes on to tell of themselves.
pub(super) fn told_from(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> usize {
    let question = utterance.terms(lexicon, clause.clone(), TermKind::Question).last();
    let myself = |hit: &&Found| {
        let next = utterance.chars.get(hit.end);
        matches!(next, Some('对' | '细' | '小' | '以' | '食' | '打' | '试')) && utterance.folded(hit.start..hit.end) == ['我']
    };
    let after = |question: &Found| utterance.terms(lexicon, question.end + 2..clause.end, TermKind::Oneself).find(myself);
    let told = question.and_then(after).map_or(clause.start, |hit| hit.start);
    if utterance.has(lexicon, clause.start..told, &[TermKind::Allergy]) { clause.start } else { told }
}

/// 佢食盤尼西林面腫佢個女就對海鮮敏感: without a mark between, what stands before the relative is the patient's.
pub(super) fn patients_own(utterance: &Utterance, lexicon: &Lexicon, clause: Range<usize>) -> Range<usize> {
    let relative = [TermKind::Family, TermKind::Other]
        .iter()
        .filter_map(|kind| utterance.terms(lexicon, clause.clone(), *kind).next())
        .min_by_key(|hit| hit.start);
    let Some(relative) = relative else { return clause };
    // 對磺胺敏感嗰個係二叔: whose it is stands behind it.
    if utterance.folded(relative.start.saturating_sub(2).max(clause.start)..relative.start).contains(&'系') {
        return clause;
    }
    let own = clause.start..relative.start;
    let sign = utterance.has(lexicon, own.clone(), &[TermKind::Allergy]);
    let told = sign || utterance.has(lexicon, own.clone(), &[TermKind::Reaction]) || shows(utterance, lexicon, &own).is_some();
    let named = utterance.within(own.clone()).iter().any(|hit| substance_named(utterance, lexicon, hit));
    // 药也没有敏感我太太就对盘尼西林敏感: theirs is denied, and then comes hers.
    let denied = sign && utterance.has(lexicon, own.clone(), &[TermKind::Negation]);
    if told && named || denied { own } else { clause }
}

/// 我老婆對盤尼西林敏感,我冇: the relative's substance, and that the patient has no such allergy.
pub(super) fn but_not_me(
    utterance: &Utterance,
    lexicon: &Lexicon,
    told: Range<usize>,
    clause: &Range<usize>,
    all: &mut Vec<Told>,
) {
    let me = utterance.terms(lexicon, clause.clone(), TermKind::Oneself).next();
    // 敏感嗰個係我,佢冇, says who comes with the patient.
    let him =
        || utterance.terms(lexicon, clause.clone(), TermKind::Third).next().filter(|_| utterance.speaker == Speaker::Relative);
    let me = me.or_else(him);
    // 我食過冇事, 我唔會, 佢自己沒有 deny as 我冇 does.
    let denials = [TermKind::Negation, TermKind::NotSo, TermKind::Tolerated];
    let denial =
        denials.iter().filter_map(|kind| utterance.terms(lexicon, clause.clone(), *kind).last()).max_by_key(|hit| hit.end);
    let (Some(me), Some(denial)) = (me, denial) else { return };
    // 我食過頭孢冇事 is a word on another substance.
    let other = utterance.within(clause.clone()).iter().any(|hit| substance_named(utterance, lexicon, hit));
    if other || me.start > denial.start || clause.end.saturating_sub(denial.end) > 3 {
        return;
    }
    let hits = utterance.within(told).iter();
    for (name, hit) in hits.filter_map(|hit| substance(utterance, hit, lexicon).map(|name| (name, hit))) {
        if !name.is_any_drug()
            && let Some(mut evidence) = evidence_of(utterance, hit.start..hit.end)
        {
            if let Some(more) = evidence_of(utterance, denial.start..denial.end) {
                evidence.merge(&more);
            }
            put(all, name, AllergyStatus::None, evidence);
        }
    }
}

/// 我老公先有, 阿妹就有: a relative, and no more than that it is theirs; what the next clause tells is of them too.
pub(super) fn left_to_a_relative(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> bool {
    let said: String = utterance.folded(clause.clone()).iter().filter(|c| !" 呀啊喎㗎啦喇囉啰嘅".contains(**c)).collect();
    let named = utterance.within(clause.clone()).iter().any(|hit| substance_named(utterance, lexicon, hit));
    // 我阿媽話我有 repeats; who brings 阿仔 calls the patient so.
    let theirs = utterance.speaker != Speaker::Relative && !said.contains(['话', '讲', '说']);
    theirs && !named && (said.ends_with('有') && !said.ends_with("冇有") || said.ends_with("先系"))
}

/// Whether a relative or another is the subject of a clause.
pub(super) fn relatives(utterance: &Utterance, lexicon: &Lexicon, start: usize, end: usize) -> bool {
    let patient = seen_today(utterance, lexicon, utterance.back(start, 3 * NEAR)..utterance.ahead(end, 3 * NEAR));
    let not_the_patient = |hit: &Found| {
        patient.is_some_and(|patient| utterance.folded(patient.start..patient.end) != utterance.folded(hit.start..hit.end))
    };
    let family = utterance
        .terms(lexicon, start..end, TermKind::Family)
        .next()
        .is_some_and(|hit| utterance.owned(hit.start) || utterance.speaker != Speaker::Relative || not_the_patient(hit));
    // 我就對 aspirin 敏感, says the mother: hers.
    let hers = utterance.speaker == Speaker::Relative
        && utterance.terms(lexicon, start..end, TermKind::Oneself).any(|hit| {
            let next = utterance.chars.get(hit.end);
            matches!(next, Some('对' | '就' | '食' | '都' | '有')) && utterance.folded(hit.start..hit.end).starts_with(&['我'])
        });
    // 盤尼西林敏感嗰個係我.
    let is_me = utterance.speaker == Speaker::Relative && utterance.folded(start..end).ends_with(&['系', '我']);
    family
        || hers
        || is_me
        || not_the_one_asked_of(utterance, start..end)
        || of_the_one_before(utterance, lexicon, start)
        || utterance.has(lexicon, start..end, &[TermKind::Other])
}

/// 個仔上個禮拜甲流。佢對 X 敏感: he of whom the patient spoke.
fn of_the_one_before(utterance: &Utterance, lexicon: &Lexicon, start: usize) -> bool {
    let told = matches!(utterance.folded(start..start + 2), ['佢', '对' | '就' | '食' | '都' | '有']);
    let before = utterance.back(start, 3 * NEAR)..start;
    let last = utterance.within(before).iter().rev().find_map(|hit| {
        let Meaning::Term(term) = hit.meaning else { return None };
        lexicon.term_kind(term).filter(|kind| matches!(kind, TermKind::Family | TermKind::Oneself | TermKind::Other))
    });
    // 佢話我對 X 敏感.
    let of_me = utterance.folded(start..start + OPENING).iter().any(|c| matches!(c, '我' | '话'));
    utterance.speaker == Speaker::Patient && told && !of_me && matches!(last, Some(TermKind::Family | TermKind::Other))
}

/// The characters in which a clause says of whom it is.
const OPENING: usize = 6;

/// 佢冇喎。我自己就食 Augmentin 塊面腫晒: who answers for another tells of themselves.
fn not_the_one_asked_of(utterance: &Utterance, clause: Range<usize>) -> bool {
    let opening = |range: Range<usize>| utterance.folded(range).iter().take(OPENING).collect::<String>();
    let answer = opening(0..utterance.sentence(0).end.min(clause.start));
    let own = opening(clause);
    utterance.speaker != Speaker::Doctor
        && ["佢冇", "佢未试过", "佢就冇"].iter().any(|none| answer.starts_with(none))
        && ["我自己", "我就"].iter().any(|me| own.trim_start().starts_with(me))
}

/// 阿爺以前對磺胺敏感,不過今日睇嘅係阿嫲: who of the family is the patient.
fn seen_today<'a>(utterance: &'a Utterance, lexicon: &'a Lexicon, near: Range<usize>) -> Option<&'a Found> {
    let mut family = utterance.terms(lexicon, near, TermKind::Family);
    family.find(|hit| {
        let lead: String = utterance.folded(hit.start.saturating_sub(4)..hit.start).iter().collect();
        lead.ends_with("睇嘅系") || lead.ends_with("睇嘅就系") || lead.ends_with("病人系")
    })
}

/// 佢媽媽對盤尼西林敏感佢自己冇: where, without a mark between, the patient is set against the relative.
pub(super) fn set_against(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<usize> {
    let sign = utterance.terms(lexicon, clause.clone(), TermKind::Allergy).next()?;
    let me = utterance.terms(lexicon, sign.end..clause.end, TermKind::Oneself).next()?;
    Some(me.start)
}
