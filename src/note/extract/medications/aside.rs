//! Drugs that are named and not the patient's: a relative's, asked about, thought of for later, told of an allergy.

use std::ops::Range;

use super::super::utterance::{Speaker, Utterance};
use super::BEFORE;
use super::whose::someone_elses;
use crate::terminology::{DrugKind, Found, Lexicon, Meaning, TermKind};

/// What asks whether a drug is needed (folded).
const NEEDS: [&str; 13] = [
    "要不要",
    "需不需要",
    "用不用",
    "可不可以",
    "使唔使",
    "驶唔驶",
    "洗唔洗",
    "要唔要",
    "需唔需要",
    "系咪要",
    "用唔用",
    "可唔可以",
    "系唔系要",
];
/// What makes a drug wait for what was told before it (folded).
const LATER: [&str; 9] = ["先开", "先俾", "先加", "先转", "再开", "再加", "再转", "就加", "就要加"];
/// Who says of a drug what the patient repeats (folded).
const HEARSAY: [&str; 10] = ["网上话", "网上说", "人哋话", "听讲", "听人讲", "朋友话", "街坊话", "新闻话", "同事话", "隔离话"];
/// How one is told to leave something (folded).
const DONT: [&str; 5] = ["唔好自己", "唔好乱", "唔好去", "千祈唔好", "唔好买"];

/// A drug that the patient asks about and says no dose of.
pub(super) fn asked_about(utterance: &Utterance, hit: &Found) -> bool {
    let clause = utterance.clause(hit.start);
    clause.asked && utterance.speaker == Speaker::Patient && utterance.quantities_in(clause.range).is_empty()
}

/// A relative's drug, an allergy, or a drug asked about.
pub(super) fn beside_the_point(utterance: &Utterance, lexicon: &Lexicon, hit: &Found) -> bool {
    let clause = utterance.clause(hit.start);
    let range = clause.range.clone();
    let kinds = [TermKind::Allergy, TermKind::Reaction, TermKind::Hypothetical, TermKind::Deferred];
    // Augmentin 都食過,冇事: told of what is tolerated, also right behind the comma.
    let taken = utterance.has(lexicon, range.clone(), &[TermKind::DrugStopped]);
    let until = if taken { range.end + 3 } else { range.end };
    // 食到唔痛 is how long, 冇事 and "no problem" are how it went.
    let tolerated = utterance.terms(lexicon, range.start..until, TermKind::Tolerated).any(|sign| {
        let words = utterance.folded(sign.start..sign.end);
        words.contains(&'事') || words.iter().all(char::is_ascii)
    });
    let relative = someone_elses(utterance, lexicon, hit);
    let asked = asked_about(utterance, hit);
    // 抽 X 濃度 is a test; 吞咗四十粒 X is no treatment; 食 X 會胃痛 is what it does to somebody.
    let behind: String = utterance.folded(hit.end..hit.end + 6).iter().filter(|c| **c != ' ').collect();
    // The fold reads 濃 as 膿.
    let measured = ["脓度", "水平", "level"].iter().any(|word| behind.starts_with(word));
    let swallowed = utterance.folded(utterance.back(hit.start, BEFORE)..hit.start).contains(&'吞');
    let does = does_something(utterance, lexicon, hit, &range);
    relative
        || asked
        || class_asked_about(utterance, lexicon, hit)
        || only_thought_of(utterance, lexicon, hit)
        || measured
        || swallowed
        || does
        || tolerated
        || utterance.has(lexicon, range, &kinds)
}

/// Whether a drug is asked for and not given (使唔使食 X?), hangs on something (痛嘅話返嚟我先開 X), is one of two to choose from, or
/// one is told to leave it (唔好自己買 X).
pub(super) fn only_thought_of(utterance: &Utterance, lexicon: &Lexicon, hit: &Found) -> bool {
    let clause = utterance.clause(hit.start);
    let words = |range: Range<usize>| utterance.folded(range).iter().filter(|c| **c != ' ').collect::<String>();
    let whole = words(clause.range.clone());
    let before = words(clause.range.start..hit.start);
    let untold = utterance.quantities_in(hit.end..clause.range.end).is_empty();
    let needed = untold && NEEDS.iter().any(|need| whole.contains(need));
    let sentence = utterance.sentence(hit.start).start.max(utterance.back(clause.range.start, 2 * BEFORE));
    let condition = utterance.has(lexicon, sentence..clause.range.start, &[TermKind::Hypothetical]);
    let hangs =
        condition && LATER.iter().any(|then| before.contains(then)) || lead(utterance, sentence..hit.start).contains("下次");
    let choice = utterance.speaker == Speaker::Doctor && untold && before.contains("可以") && whole.contains("或者");
    let left = DONT.iter().any(|dont| before.starts_with(dont));
    // 網上話要食 X: what others say.
    let rest = hit.end..utterance.sentence(hit.start).end.min(utterance.ahead(hit.end, 2 * BEFORE));
    let told = utterance.speaker != Speaker::Doctor
        && HEARSAY.iter().any(|say| before.starts_with(say))
        && !utterance.has(lexicon, rest, &[TermKind::DrugActive]);
    told || needed || hangs || choice || left
}

/// The words before a place, from the last comma on: a number may cut them into clauses too.
fn lead(utterance: &Utterance, range: Range<usize>) -> String {
    let words: String = utterance.folded(range).iter().collect();
    words.rsplit([',', '，']).next().unwrap_or_default().to_owned()
}

/// 有冇食安眠藥? asks for a class; the answer says whether it is taken.
fn class_asked_about(utterance: &Utterance, lexicon: &Lexicon, hit: &Found) -> bool {
    let class = match hit.meaning {
        Meaning::Drug(drug) => lexicon.drugs.get(drug).is_some_and(|drug| drug.kind == DrugKind::Class),
        _ => false,
    };
    let clause = utterance.clause(hit.start);
    let kinds = [TermKind::Question, TermKind::QuestionEnd, TermKind::OpenQuestion];
    let words: String = utterance.folded(hit.end..clause.range.end).iter().collect();
    let which = ["什么", "咩", "乜"].iter().any(|which| words.trim_end_matches(['呀', '啊', ' ']).ends_with(which));
    class
        && utterance.quantities_in(clause.range.clone()).is_empty()
        && (clause.asked || which || utterance.has(lexicon, clause.range, &kinds))
}

/// 我食 X 會胃痛: the effect right behind the name, told by whom it befell.
fn does_something(utterance: &Utterance, lexicon: &Lexicon, hit: &Found, clause: &Range<usize>) -> bool {
    let felt = |next: &&Found| match next.meaning {
        Meaning::Condition(condition) => lexicon.conditions.get(condition).is_some_and(|concept| concept.symptom),
        Meaning::Class(_) => true,
        _ => false,
    };
    let Some(next) = utterance.within(hit.end..clause.end).iter().find(felt) else { return false };
    let between = utterance.folded(hit.end..next.start);
    utterance.speaker != Speaker::Doctor && between.len() <= 3 && between.contains(&'会')
}

/// Whether a question with a drug asks whether it is taken: 有冇食 X?, X 呢?, X 點食?, and not what came of it.
pub(super) fn about_taking(utterance: &Utterance, lexicon: &Lexicon, hit: &Found) -> bool {
    let clause = utterance.clause(hit.start).range;
    let sentence = clause.start..utterance.sentence(hit.start).end;
    let other = |found: &Found| match found.meaning {
        Meaning::Condition(condition) => lexicon.conditions.get(condition).is_some_and(|concept| concept.symptom),
        Meaning::Observation(_) => true,
        _ => false,
    };
    let words: String = utterance.folded(sentence.clone()).iter().collect();
    let missed = ["漏", "停过", "唔记得", "忘记", "问题", "准时"].iter().any(|word| words.contains(word));
    let stops = utterance.has(lexicon, sentence.clone(), &[TermKind::SideEffect, TermKind::Allergy, TermKind::Tolerated]);
    !missed && !stops && !utterance.within(sentence).iter().any(other)
}
