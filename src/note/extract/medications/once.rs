//! What was taken once and is over, was meant to be given, or never was taken.

use std::ops::Range;

use super::super::utterance::{Speaker, Utterance};
use super::done::{Done, INTENDED, PARTICLES, conditional};
use crate::note::MedicationStatus;
use crate::terminology::{Found, Lexicon, Meaning, TermKind, UnitKind};

/// What was meant once (folded), and the verbs behind it.
const ONCE: [&str; 4] = ["本嚟", "原本", "原先", "本身"];
const INTENDS: [&str; 9] = ["谂住", "想", "打算", "谂", "计划", "预", "要", "会", "谂过"];
/// What leads to a drug that was taken once (folded).
const BEFORE: [&str; 6] = ["以前", "从前", "旧时", "以前有", "后生嗰阵", "旧年"];
/// How far from a drug it is told when it was taken and what came of it.
const TOLD: usize = 30;
/// When a drug was tried once (folded).
const LAST_TIME: [&str; 8] = ["上次", "上一次", "上年", "嗰次", "细个", "有次", "有一次", "旧年"];
/// How far behind a drug it is told that one meant to give it.
const ONCE_REACH: usize = 6;

/// What a later clause says last: X 俾我,我冇食 was never taken; X 食咗三日,之後冇食 is taken no more; 想開 X,不過唔開喇 is not given.
pub(super) fn not_taken(utterance: &Utterance, lexicon: &Lexicon, ahead: Range<usize>, behind: Range<usize>) -> Option<Done> {
    let no = utterance.within(behind.clone()).iter().rev().find(|hit| {
        let Meaning::Term(term) = hit.meaning else { return false };
        let kind = lexicon.term_kind(term);
        // 打完十日就冇再打: only who takes it tells that it is over.
        let over = kind == Some(TermKind::DrugStopped) && utterance.speaker != Speaker::Doctor;
        hit.end <= behind.end
            && (kind == Some(TermKind::DrugWithheld) && !asks_or_tells_how(utterance, hit)
                || kind == Some(TermKind::DrugStopped) && never(utterance, hit)
                || over && !conditional(utterance, hit) && !to_finish(utterance, hit) && over_at_the_end(utterance, hit))
    })?;
    let clause = utterance.clause(no.start).range;
    // 冇食其他藥 denies another; 唔食得 X: the drug behind it.
    let rest = utterance.folded(no.end..clause.end.min(behind.end));
    let ends = clause.end <= behind.end && rest.iter().all(|c| PARTICLES.contains(*c));
    // 早就冇食: one took it.
    let lead: String = utterance.folded(no.start.saturating_sub(4)..no.start).iter().collect();
    let long_since = ["早就", "一早", "一早就", "已经", "后尾"].iter().any(|since| lead.ends_with(since));
    let later = long_since || clause.start > behind.start || utterance.folded(no.start..no.end).contains(&'过');
    if !ends || !later || utterance.has(lexicon, clause.start..no.start, &[TermKind::Hypothetical, TermKind::Question]) {
        return None;
    }
    let started = |range: Range<usize>| {
        let verbs = utterance
            .folded(range.clone())
            .windows(2)
            .any(|pair| matches!(pair, ['食' | '打' | '用' | '搽' | '滴' | '喷', '咗' | '到' | '开' | '紧' | '完']));
        verbs || utterance.has(lexicon, range, &[TermKind::DrugActive])
    };
    let over = long_since || over_at_the_end(utterance, no);
    let taken = over || started(ahead) || started(behind.start..no.start);
    Some(if taken {
        Done { status: Some(MedicationStatus::Stopped), ..Done::default() }
    } else {
        Done { withheld: true, ..Done::default() }
    })
}

/// 本來諗住俾 X: what one meant to give, and something came between.
pub(super) fn once_intended(utterance: &Utterance, drug: usize, end: usize) -> bool {
    let from = utterance.sentence(drug).start.max(utterance.back(drug, INTENDED));
    let words: String = utterance.folded(from..drug).iter().collect();
    // 本身要食 X tells what is taken.
    let intends = |once: &str, verb: &str| once != "本身" || !matches!(verb, "要" | "会" | "预");
    let meant = |once: &str| {
        words
            .split(once)
            .skip(1)
            .any(|rest| INTENDS.iter().any(|verb| intends(once, verb) && rest.trim_start().starts_with(verb)))
    };
    // X 本來想開,都係唔好喇.
    let behind: String = utterance.folded(end..utterance.chars.len().min(end + ONCE_REACH)).iter().collect();
    let behind = behind.trim_start();
    let led =
        ONCE.iter().filter_map(|once| behind.strip_prefix(once)).any(|rest| INTENDS.iter().any(|verb| rest.starts_with(verb)));
    utterance.speaker != Speaker::Patient && (led || ONCE.iter().any(|once| meant(once)) || words.contains("was going to "))
}

/// 以前食 X: who took it tells so, and not that it goes on.
pub(super) fn taken_once(utterance: &Utterance, lexicon: &Lexicon, ahead: Range<usize>, behind: &Range<usize>) -> bool {
    let words: String = utterance.folded(ahead.start.max(utterance.back(ahead.end, TOLD))..ahead.end).iter().collect();
    let lead = words.trim_end().trim_end_matches(['过', '开', '住', '紧', '嗰', '只', '有', '啲']);
    let once = lead.strip_suffix(['食', '打', '用', '搽']).is_some_and(|lead| BEFORE.iter().any(|once| lead.ends_with(once)));
    let rest = behind.start..utterance.sentence(ahead.end).end.min(utterance.ahead(behind.start, TOLD)).max(behind.start);
    let goes_on = utterance.has(lexicon, rest, &[TermKind::Ongoing, TermKind::Now]);
    once && utterance.speaker != Speaker::Doctor && !goes_on
}

/// 十年前…食咗半年 X: a course of then, told by who took it.
pub(super) fn finished(utterance: &Utterance, lexicon: &Lexicon, drug: usize) -> bool {
    let from = utterance.sentence(drug).start.max(utterance.back(drug, TOLD));
    let times = || utterance.quantities_in(from..drug).iter().filter(|one| one.kind == UnitKind::Time);
    let ago = times().find(|one| utterance.chars.get(one.end) == Some(&'前'));
    let lasted = times().next_back().filter(|time| {
        let took = utterance.folded(time.start.saturating_sub(2)..time.start);
        time.end == drug && matches!(took, ['食' | '打' | '用', '咗' | '过' | '了'])
    });
    // 三年前通波仔,食咗三年 goes on.
    let over = ago.zip(lasted).is_some_and(|(ago, lasted)| lasted.value * 2.0 < ago.value);
    let near = from..utterance.sentence(drug).end.min(utterance.ahead(drug, TOLD));
    let goes_on = || utterance.has(lexicon, near, &[TermKind::Ongoing, TermKind::Now]);
    utterance.speaker != Speaker::Doctor && over && !goes_on()
}

/// 上次食 X 屙咗兩日, 細個食 X 嘔: what came of it once is told, and no course.
pub(super) fn tried_once(utterance: &Utterance, lexicon: &Lexicon, ahead: Range<usize>) -> bool {
    let words: String = utterance.folded(ahead.start.max(utterance.back(ahead.end, TOLD))..ahead.end).iter().collect();
    let lead = words.trim_end().trim_end_matches(['过', '嗰', '个', '只', '啲', '粒', '支', '完']);
    let Some(lead) = lead.strip_suffix(['食', '打', '用', '搽', '开', '俾']) else { return false };
    let mut sentence = utterance.sentence(ahead.end);
    sentence.end = sentence.end.min(utterance.ahead(ahead.end, TOLD));
    let done = [TermKind::DrugActive, TermKind::DrugStopped, TermKind::Ongoing];
    let felt = utterance.within(ahead.end..sentence.end).iter().any(|hit| match hit.meaning {
        Meaning::Condition(condition) => lexicon.conditions.get(condition).is_some_and(|concept| concept.symptom),
        Meaning::Class(_) => true,
        Meaning::Term(term) => lexicon.term_kind(term) == Some(TermKind::Reaction),
        _ => false,
    });
    let times = LAST_TIME.iter().any(|time| lead.contains(time)) || felt && BEFORE.iter().any(|once| lead.ends_with(once));
    utterance.speaker != Speaker::Doctor && felt && times && !utterance.has(lexicon, ahead.end..sentence.end, &done)
}

/// 冇食過, 未用過.
pub(super) fn never(utterance: &Utterance, hit: &Found) -> bool {
    let before = hit.start.checked_sub(1).and_then(|at| utterance.chars.get(at));
    matches!(before, Some('冇' | '未')) && utterance.folded(hit.start..hit.end).ends_with(&['过'])
}

/// 冇再打, 可以停, 叫停咗.
fn over_at_the_end(utterance: &Utterance, stop: &Found) -> bool {
    let words: String = utterance.folded(stop.start..stop.end).iter().collect();
    ["冇再", "可以停", "叫停", "叫我停", "年食完", "年打完"].iter().any(|start| words.starts_with(start))
}

/// 記得食完晒: what is to be done, and not that it is over; so is what the doctor says of it.
pub(super) fn to_finish(utterance: &Utterance, stop: &Found) -> bool {
    let words = utterance.folded(stop.start..stop.end);
    let before = utterance.folded(stop.start.saturating_sub(4)..stop.start);
    let bid = before.iter().any(|c| matches!(c, '要' | '得' | '紧' | '到' | '等'));
    words.contains(&'完') && (utterance.speaker == Speaker::Doctor || bid)
}

/// 仲食唔食 asks, and 冇用 as a whole clause tells that it did not help.
pub(super) fn asks_or_tells_how(utterance: &Utterance, hit: &Found) -> bool {
    let before = hit.start.checked_sub(1).and_then(|at| utterance.chars.get(at));
    let last = hit.end.checked_sub(1).and_then(|at| utterance.chars.get(at));
    let words = utterance.folded(hit.start..hit.end);
    let asks = words.first() == Some(&'唔') && words.len() == 2 && before.is_some() && before == last;
    let useless = words == ['冇', '用'] && utterance.clause(hit.start).range == (hit.start..hit.end);
    asks || useless
}
