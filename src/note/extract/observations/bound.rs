//! Numbers that are no reading of today: what a value should be, a bound, a rough one, one measured at home.

use std::ops::Range;

use super::super::utterance::Utterance;
use super::pressure::of_pressure;
use crate::terminology::{Lexicon, Meaning, TermKind, UnitKind};
use crate::text::numerals::Number;

/// Words that open what is measured now and here (folded).
pub(super) const NOW: [&str; 16] = [
    "今次", "今日", "而家", "依家", "家阵", "今朝", "呢次", "头先", "啱啱", "呢度", "诊所", "刚才", "刚刚", "now ", "today",
    "just now",
];
/// Words before a value that should be reached and is not measured (folded, without spaces).
const TARGETS: [&str; 33] = [
    "目标",
    "指标系",
    "希望",
    "应该系",
    "应该要",
    "应该喺",
    "应该低",
    "应该少",
    "理想系",
    "理想嘅",
    "标准系",
    "达标系",
    "要低过",
    "低过",
    "要少过",
    "要细过",
    "小于",
    "唔好高过",
    "唔好超过",
    "唔超过",
    "不超过",
    "control到",
    "controlto",
    "control喺",
    "控制到",
    "控制喺",
    "控制在",
    "要落到",
    "要降到",
    "要减到",
    "target",
    "aimfor",
    "goal",
];
/// What makes a norm of 正常 before it: 正常血糖係四至六, 正常值係.
const NORMS: [&str; 5] = ["系", "应该", "范围", "值", "上限"];
/// What may stand right behind a value that is no more than a bound or a target (folded, without spaces).
const BOUNDS: [&str; 17] = [
    "以下",
    "以内",
    "以上",
    "之下",
    "之内",
    "或以下",
    "下就",
    "就达标",
    "先达标",
    "就理想",
    "先理想",
    "为目标",
    "做目标",
    "系目标",
    "orbelow",
    "orless",
    "orunder",
];
/// How far before a value a word may make a target of it.
const REACH: usize = 16;
/// How many clauses behind its name the value of today may stand.
const CLAUSES: usize = 3;
/// How many turns behind a question about readings at home its answer may stand.
const TURNS: usize = 4;
/// The longest turn between a question and its answer, in characters: 有呀。
const SHORT: usize = 6;

/// Whether a value is one that should be reached: 目標係一三零八十, LDL 要低過 1.8, 正常血糖係四至六.
pub(super) fn aimed(utterance: &Utterance, value: Range<usize>) -> bool {
    let from = utterance.back(value.start, REACH);
    let before = utterance.folded(from..value.start);
    let cut = before.iter().rposition(|c| matches!(c, ',' | '。' | ';' | '?' | '!')).map_or(from, |at| from + at + 1);
    // 目標一三零八十今日一四二八八: each number has its own words.
    let cut = utterance.numbers_in(cut..value.start).iter().map(|number| number.end).max().unwrap_or(cut);
    let words: String = utterance.folded(cut..value.start).iter().filter(|c| **c != ' ').collect();
    let words = NOW
        .iter()
        .filter_map(|now| words.rsplit_once(now.trim()))
        .map(|(_, rest)| rest)
        .min_by_key(|rest| rest.len())
        .unwrap_or(&words);
    let norm = words.split_once("正常").is_some_and(|(_, rest)| NORMS.iter().any(|norm| rest.ends_with(norm)));
    let aim = words.split(|c: char| !c.is_ascii_alphabetic()).any(|word| matches!(word, "aim" | "aiming"));
    norm || aim || TARGETS.iter().any(|target| words.contains(target))
}

/// Whether a bound stands right behind a value: 八十以下, 七或以下.
pub(super) fn bounded(utterance: &Utterance, end: usize) -> bool {
    let behind: String = utterance.folded(end..utterance.chars.len().min(end + 8)).iter().filter(|c| **c != ' ').collect();
    let behind = ["度", "%", "mmol", "mmhg"].iter().find_map(|unit| behind.strip_prefix(unit)).unwrap_or(&behind);
    BOUNDS.iter().any(|bound| behind.starts_with(bound))
}

/// 七點幾, 三十八度幾: no reading.
pub(super) fn rough(utterance: &Utterance, end: usize) -> bool {
    let behind = utterance.folded(end..utterance.chars.len().min(end + 2));
    matches!(behind, ['几', ..] | ['点' | '度', '几']) && !matches!(utterance.chars.get(end + 1), Some('多'))
}

/// 37 度 2, 38度 5: the tenth of a degree behind the unit, and where it ends.
pub(super) fn tenths(utterance: &Utterance, degrees: Range<usize>) -> Option<(f64, usize)> {
    let said = utterance.folded(degrees.clone());
    let space = usize::from(utterance.chars.get(degrees.end) == Some(&' '));
    let next = degrees.end + space;
    let digit = utterance.numbers_in(next..next + 1).first().filter(|number| number.end == number.start + 1)?;
    // 38 度 2 日 is a time, and 38.5 度 5 has its tenth.
    let whole = said.last() == Some(&'度') && !said.contains(&'点') && !said.contains(&'.');
    let counts = !utterance.quantities_in(digit.start..digit.end).is_empty()
        || matches!(utterance.chars.get(digit.end), Some('个' | '次' | '点' | '/' | '.' | '至' | '到'));
    let value = digit.exact().filter(|value| whole && !counts && *value < 10.0)?;
    Some((value / 10.0, digit.end))
}

/// The clause behind a measurement's name that tells today's value without naming it again: LDL 要低過 1.8。今次 2.6.
pub(super) fn now_behind(utterance: &Utterance, lexicon: &Lexicon, name: usize) -> Option<Range<usize>> {
    let index = utterance.clause_index(name);
    let behind = utterance.clauses().iter().skip(index + 1).take(CLAUSES).map(|clause| clause.range.clone());
    let another = |range: &Range<usize>| {
        of_pressure(utterance, lexicon, range.clone())
            || utterance.within(range.clone()).iter().any(|hit| matches!(hit.meaning, Meaning::Observation(_) | Meaning::Drug(_)))
    };
    behind.take_while(|range| !another(range)).find(|range| opens_now(utterance, range.clone()))
}

/// What may be said of a measurement between its name and the value in the next clause (folded): 血鉀低咗,三點三.
const STATES: &str = "高低升跌偏咗返过少啲有太好几都仲系正常得,: ";

/// Whether nothing but how it is stands between a name and a place in the next clause.
pub(super) fn only_a_state(utterance: &Utterance, between: Range<usize>) -> bool {
    let words = utterance.folded(between);
    words.len() <= SHORT + 2 && words.iter().all(|c| STATES.contains(*c)) && words.iter().any(|c| !matches!(c, ',' | ' ' | ':'))
}

/// 今日, 你而家: what opens a range.
pub(super) fn opens_now(utterance: &Utterance, range: Range<usize>) -> bool {
    let words: String = utterance.folded(range).iter().collect();
    let words = words.trim_start_matches(['你', '我', '佢', '但', '系', '不', '过', '而', ' ']);
    // 而家 lost its first character with 而.
    NOW.iter().any(|now| words.starts_with(now)) || words.starts_with('家')
}

/// Up to where the values of an utterance answer a question about readings at home: 屋企量血壓點? 一百五十九十.
pub(super) fn home_until(utterances: &[Utterance], index: usize, lexicon: &Lexicon) -> usize {
    let Some(utterance) = utterances.get(index) else { return 0 };
    let from = index.saturating_sub(TURNS);
    let earlier = utterances.get(from..index).unwrap_or_default();
    for (back, before) in earlier.iter().rev().enumerate() {
        let all = 0..before.chars.len();
        if asks_of_home(before, lexicon) {
            let words: String = utterance.folded(0..utterance.chars.len()).iter().collect();
            let now = NOW.iter().filter_map(|now| words.find(now)).min();
            return now.map_or(utterance.chars.len(), |byte| words.get(..byte).map_or(0, |before| before.chars().count()));
        }
        let asks_on = utterance.speaker == before.speaker || utterance_asks(before, lexicon);
        let passes = before.chars.len() <= SHORT || back > 0 && asks_on;
        let passes = passes || before.chars.len() <= 2 * SHORT && utterance_asks(before, lexicon);
        if !passes || NOW.iter().any(|now| before.folded(all.clone()).iter().collect::<String>().contains(now)) {
            return 0;
        }
    }
    0
}

fn utterance_asks(utterance: &Utterance, lexicon: &Lexicon) -> bool {
    let all = 0..utterance.chars.len();
    let mark = utterance.chars.last().is_some_and(|c| matches!(c, '?' | '呢'));
    mark || utterance.has(lexicon, all, &[TermKind::Question, TermKind::QuestionEnd, TermKind::OpenQuestion])
}

/// 屋企血糖幾多?, 屋企有冇量血壓?: the last sentence is of readings at home.
fn asks_of_home(utterance: &Utterance, lexicon: &Lexicon) -> bool {
    let Some(last) = utterance.clauses().iter().rev().find(|clause| !clause.range.is_empty()) else { return false };
    let sentence = utterance.sentence(last.range.start);
    utterance.has(lexicon, sentence.clone(), &[TermKind::Elsewhere])
        && measures(utterance, lexicon, sentence.clone())
        && utterance.numbers_in(sentence).is_empty()
        && utterance_asks(utterance, lexicon)
}

/// Whether a range is of measuring.
fn measures(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>) -> bool {
    let names = |at: Range<usize>| utterance.within(at).iter().any(|hit| matches!(hit.meaning, Meaning::Observation(_)));
    of_pressure(utterance, lexicon, range.clone())
        || names(range.clone())
        || utterance.folded(range).iter().any(|c| matches!(c, '量' | '探' | '笃' | '磅' | '测'))
}

/// Whether a value was told as measured at home: in its clause, or where an earlier clause of its sentence, or the question
/// before it, says so and nothing puts it here and now.
pub(super) fn at_home(utterance: &Utterance, lexicon: &Lexicon, at: usize) -> bool {
    let clause = utterance.clause(at).range;
    if utterance.has(lexicon, clause.clone(), &[TermKind::Elsewhere]) {
        return true;
    }
    let words: String = utterance.folded(clause.clone()).iter().collect();
    if NOW.iter().any(|now| words.contains(now)) {
        return false;
    }
    let index = utterance.clause_index(at);
    let Some(own) = utterance.clauses().get(index) else { return false };
    let earlier = utterance.clauses().iter().take(index).rev().take(CLAUSES);
    // 屋企量血壓點?一百五十九十, 屋企量,上壓一百五,下壓九十.
    let carried = |before: &&super::super::clauses::Clause| {
        before.sentence == own.sentence || before.asked && before.sentence + 1 == own.sentence
    };
    for before in earlier.take_while(carried) {
        let words: String = utterance.folded(before.range.clone()).iter().collect();
        if NOW.iter().any(|now| words.contains(now)) {
            return false;
        }
        if utterance.has(lexicon, before.range.clone(), &[TermKind::Elsewhere]) {
            // 屋企量到 135/85,120/75: a list goes on.
            let alone = utterance.numbers_in(before.range.clone()).is_empty();
            let goes_on = !utterance.numbers_in(clause.start..clause.start + 1).is_empty();
            return measures(utterance, lexicon, before.range.clone()) && (alone || goes_on);
        }
    }
    false
}

/// Numbers that look like a pressure behind its name and were not read: 血壓 90/146, 血壓一百四十二.
pub(super) fn unread_pressures(utterance: &Utterance, lexicon: &Lexicon, read: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    for name in utterance.terms(lexicon, 0..utterance.chars.len(), TermKind::Pressure) {
        let clause = utterance.clause(name.start).range;
        if utterance.has(lexicon, clause.clone(), &[TermKind::Before]) {
            continue;
        }
        let until = clause.end.min(utterance.ahead(name.end, SHORT));
        let looks = |number: &&Number| {
            let counted = utterance.quantities_in(number.start..number.end);
            let counted = counted.iter().any(|quantity| quantity.kind != UnitKind::Measure);
            number.exact().is_some_and(|value| (30.0..=300.0).contains(&value)) && !number.ordinal && !counted
        };
        let mut behind = utterance.numbers_in(name.end..until).iter().filter(looks);
        let Some(first) = behind.next() else { continue };
        let last = behind.next_back().unwrap_or(first);
        let range = first.start..last.end;
        let was_read = read.iter().chain(&all).any(|other| other.start < range.end && range.start < other.end);
        if !was_read {
            all.push(range);
        }
    }
    all
}
