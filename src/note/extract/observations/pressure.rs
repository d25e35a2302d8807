//! Blood pressures: two numbers told together.

use std::ops::Range;

use super::super::IMPLAUSIBLE;
use super::super::clauses::Clause;
use super::super::utterance::Utterance;
use super::bound::{NOW, aimed, bounded, only_a_state, opens_now};
use super::{NEAR, Place, Read, TARGET, Value, kind, observation};
use crate::terminology::{Found, Lexicon, Meaning, TermKind};
use crate::text::numerals::Number;

const SYSTOLIC: &str = "8480-6";
const DIASTOLIC: &str = "8462-4";
/// What may lead an answer (folded): 大概一三五八十五.
const ROUGHLY: [&str; 7] = ["左右", "有", "都系", "系", "大约", "大概", "差唔多"];
/// What tells that a pressure was taken, between its name and the comma before it (folded): 血壓姑娘度咗,一零八、六十六.
const TAKEN: [&str; 6] = ["度咗", "度过", "量咗", "量过", "姑娘度", "护士度"];
/// How the second of two pressures is named (folded).
const LOWER: [&str; 4] = ["下压", "下", "低压", "舒张压"];
/// How the first is named behind it: 一百三十八上壓,八十六下壓.
const UPPER: [&str; 3] = ["上压", "高压", "收缩压"];
/// What ends right before two pressures that a machine has just shown (folded): 護士度到一四二、八十四.
const SHOWN: [&str; 10] = ["度到", "度得", "度出", "度返", "再度", "次度", "量到", "量得", "再量", "次量"];
/// The least and the most that such numbers can be.
const LIKELY: [f64; 2] = [80.0, 240.0];
/// What takes back a value that was just read (folded).
const SLIPS: [&str; 6] = ["睇错", "讲错", "读错", "唔系", "sorry", "错咗"];

/// 血壓, bp; 屋企血壓 is one word of its own, and 屋企量 is of the pressure where two numbers follow.
pub(super) fn of_pressure(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>) -> bool {
    let measured = utterance.folded(range.clone()).contains(&'量');
    utterance.has(lexicon, range.clone(), &[TermKind::Pressure])
        || measured && utterance.has(lexicon, range.clone(), &[TermKind::Elsewhere])
        || utterance.folded(range).windows(2).any(|pair| matches!(pair, ['血', '压' | '鸭' | '押']))
}

/// 屋企量血壓一五零九十,今日一三零八十, 目標一三零八十以下。今日一四二八八: the clause goes on with the pressures of one before it.
fn goes_on(utterance: &Utterance, lexicon: &Lexicon, at: usize) -> bool {
    let index = utterance.clause_index(at);
    let clauses = utterance.clauses();
    let Some(clause) = clauses.get(index) else { return false };
    let lead = clause.range.start..at;
    let now = opens_now(utterance, lead.clone());
    if !(now || utterance.has(lexicon, lead.clone(), &[TermKind::Elsewhere])) || lead.len() > NEAR {
        return false;
    }
    let told = |before: &Clause| {
        of_pressure(utterance, lexicon, before.range.clone()) && !utterance.numbers_in(before.range.clone()).is_empty()
    };
    let mut before = clauses.iter().take(index).rev();
    let beside = |before: &&Clause| before.sentence == clause.sentence && told(before);
    let first = before.next().filter(|before| !before.range.is_empty()).or_else(|| before.next());
    first.is_some_and(|first| beside(&first) || now && told(first))
}

/// Whether a clause begins with a value, or with 今日 and a value.
fn opens(utterance: &Utterance, at: usize) -> bool {
    let lead: String = utterance.folded(utterance.clause(at).range.start..at).iter().collect();
    let lead = ROUGHLY.iter().fold(lead.trim(), |lead, word| lead.trim_end_matches(word)).trim_end();
    lead.is_empty() || NOW.iter().any(|now| lead == now.trim_end())
}

/// 血壓高咗,一五八九十二: the clause before names the pressure and how it is.
fn state_told(utterance: &Utterance, lexicon: &Lexicon, at: usize) -> bool {
    let clause = utterance.clause(at).range.start;
    let before = utterance.sentence(at).start.max(utterance.back(clause, NEAR))..clause;
    let words = utterance.folded(before.clone());
    let name = words.windows(2).rposition(|pair| matches!(pair, ['血', '压' | '鸭' | '押'] | ['b', 'p']));
    let told = |name: usize| {
        let rest = before.start + name + 2..clause;
        let said: String = utterance.folded(rest.clone()).iter().collect();
        rest.is_empty()
            || only_a_state(utterance, rest)
            || TAKEN.iter().any(|taken| said.trim_end_matches([',', ' ']).ends_with(taken))
    };
    name.is_some_and(told) && of_pressure(utterance, lexicon, before)
}

/// 一七零、六十五,你要減磅: height and weight.
fn weighs(utterance: &Utterance, from: usize) -> bool {
    let behind: String = utterance.folded(from..utterance.ahead(from, NEAR)).iter().collect();
    ["磅", "公斤", "kg", "cm", "厘米"].iter().any(|unit| behind.contains(unit))
}

/// 度到一四二、八十四: a pair that can be nothing else, right behind the measuring.
fn shown(utterance: &Utterance, lexicon: &Lexicon, at: usize, high: f64, low: f64) -> bool {
    let lead: String = utterance.folded(at.saturating_sub(3)..at).iter().filter(|c| **c != ' ').collect();
    let sentence = utterance.sentence(at).start.max(utterance.back(at, NEAR))..utterance.clause(at).range.end;
    let aside = [TermKind::Family, TermKind::Other, TermKind::Hypothetical, TermKind::Before, TermKind::Elsewhere];
    let before: String = utterance.folded(sentence.clone()).iter().collect();
    let of_else = utterance.has(lexicon, sentence.clone(), &aside)
        || ["寻晚", "琴晚", "琴日", "寻日", "昨", "磅", "高", "肺", "糖", "跳"].iter().any(|word| before.contains(word));
    let measured = |hit: &Found| matches!(hit.meaning, Meaning::Observation(_));
    if of_else || utterance.within(sentence).iter().any(measured) {
        return false;
    }
    let pair = (LIKELY[0]..=LIKELY[1]).contains(&high) && low >= LIKELY[0] / 2.0 && high - low >= 20.0;
    pair && SHOWN.iter().any(|word| lead.ends_with(word))
}

/// 血壓一四八,睇錯,一三八、七十六: the pressures of the clause before are put right.
fn corrects(utterance: &Utterance, lexicon: &Lexicon, at: usize) -> bool {
    let index = utterance.clause_index(at);
    let clauses = utterance.clauses();
    let clause = |back: usize| index.checked_sub(back).and_then(|before| clauses.get(before)).map(|one| one.range.clone());
    let (Some(slip), Some(before)) = (clause(1), clause(2)) else { return false };
    let words: String = utterance.folded(slip.clone()).iter().collect();
    opens(utterance, at)
        && slip.len() <= NEAR
        && SLIPS.iter().any(|slip| words.contains(slip))
        && of_pressure(utterance, lexicon, before.start.max(utterance.back(before.end, 14))..before.end)
}

/// 一三六/八十八, 146 over 92, 一百六十上一百.
pub(super) fn pressures(place: &Place<'_>) -> Vec<Read> {
    let (utterance, lexicon) = (place.utterance, place.lexicon);
    let (Some(systolic), Some(diastolic)) = (kind(lexicon, SYSTOLIC), kind(lexicon, DIASTOLIC)) else { return Vec::new() };
    let pairs = utterance.numbers.iter().zip(utterance.numbers.iter().skip(1));
    let run_together = utterance.numbers.iter().filter_map(|number| {
        let (high, low) = two_in_one(utterance, lexicon, number)?;
        let range = number.start..number.end;
        if aimed(utterance, range.clone()) || bounded(utterance, range.end) {
            return Some([(range.clone(), Value::Kept(TARGET)), (range, Value::Kept(TARGET))]);
        }
        both(observation(systolic, high, place, range.clone())?, observation(diastolic, low, place, range)?)
    });
    let mut taken = 0;
    pairs
        .filter_map(|(upper, lower)| {
            // 一一八/七二,五十三點五 kg: a number is of one pair.
            if upper.start < taken {
                return None;
            }
            let (high, low) = (upper.exact()?, lower.exact()?);
            let between = utterance.folded(upper.end..lower.start);
            let slash = matches!(between, ['/'] | [' ', '/', ' '] | ['/', ' ']);
            let over = between == ['上'] && high >= 80.0
                || utterance.terms(lexicon, upper.end..lower.start, TermKind::Over).next().is_some() && between.len() <= 6;
            let start = utterance.clause(upper.start).range.start.max(utterance.back(upper.start, 14));
            let said = of_pressure(utterance, lexicon, start..upper.start)
                || goes_on(utterance, lexicon, upper.start)
                || corrects(utterance, lexicon, upper.start)
                || opens(utterance, upper.start) && state_told(utterance, lexicon, upper.start)
                || place.of_pressure && opens(utterance, upper.start)
                || utterance.quantities_in(lower.start..lower.end).is_empty()
                    && !weighs(utterance, lower.end)
                    && shown(utterance, lexicon, upper.start, high, low);
            let plain =
                said && between.len() <= 1 && utterance.clause_index(lower.start) <= utterance.clause_index(upper.start) + 1;
            // 血壓一百四十一,下壓七十八.
            let words: String = between.iter().filter(|c| !matches!(c, ',' | ' ' | '、')).collect();
            let named = said && (LOWER.contains(&words.as_str()) || UPPER.contains(&words.as_str()));
            if !(slash || over || plain || named) || high <= low || low.fract() != 0.0 {
                return None;
            }
            taken = lower.end;
            let range = upper.start..lower.end;
            if aimed(utterance, range.clone()) || bounded(utterance, range.end) {
                return Some([(range.clone(), Value::Kept(TARGET)), (range, Value::Kept(TARGET))]);
            }
            let first = observation(systolic, high, place, range.clone())?;
            let second = observation(diastolic, low, place, range)?;
            both(first, second)
        })
        .chain(run_together)
        .flatten()
        .collect()
}

/// Two pressures, or neither: with one that cannot be true the other is not to be trusted.
fn both(first: Read, second: Read) -> Option<[Read; 2]> {
    let struck = [&first.1, &second.1].iter().any(|value| matches!(value, Value::Kept(IMPLAUSIBLE)));
    Some(if struck { [(first.0, Value::Kept(IMPLAUSIBLE)), (second.0, Value::Kept(IMPLAUSIBLE))] } else { [first, second] })
}

/// 血壓一三六八八: both pressures read digit by digit without a pause.
fn two_in_one(utterance: &Utterance, lexicon: &Lexicon, number: &Number) -> Option<(f64, f64)> {
    let start = utterance.clause(number.start).range.start.max(utterance.back(number.start, 6));
    let said = of_pressure(utterance, lexicon, start..number.start) || goes_on(utterance, lexicon, number.start);
    let value = number.exact().filter(|value| value.fract() == 0.0)?;
    let (high, low) = match number.end - number.start {
        5 => ((value / 100.0).floor(), value % 100.0),
        6 => ((value / 1000.0).floor(), value % 1000.0),
        _ => return None,
    };
    (said && high > low).then_some((high, low))
}
