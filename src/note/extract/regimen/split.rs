//! A drug that is not taken alike each time: 朝早十六度夜晚八度, 三 mg 同四 mg 隔日食. The note has one dose and one frequency, so what
//! they do not say stands in the words that were said.

use std::ops::Range;

use super::super::quantity::Quantity;
use super::super::utterance::Utterance;
use super::dose::{Amount, amount};
use crate::note::Quantity as Dose;
use crate::terminology::{Drug, Lexicon, UnitKind};
use crate::text::numerals::Number;

/// Words for a time of the day or days of the week, by which (folded).
const WHEN: [(&str, u8); 33] = [
    ("朝早", 0),
    ("早上", 0),
    ("早晨", 0),
    ("早餐", 0),
    ("朝", 0),
    ("mane", 0),
    ("morning", 0),
    ("breakfast", 0),
    ("晏昼", 1),
    ("中午", 1),
    ("下昼", 1),
    ("午餐", 1),
    ("midday", 1),
    ("noon", 1),
    ("lunch", 1),
    ("夜晚", 2),
    ("晚上", 2),
    ("晚餐", 2),
    ("晚", 2),
    ("nocte", 2),
    ("night", 2),
    ("evening", 2),
    ("临瞓", 3),
    ("瞓前", 3),
    ("bedtime", 3),
    ("一三五", 4),
    ("二四六", 5),
    ("weekday", 4),
    ("平日", 4),
    ("weekend", 5),
    ("周末", 5),
    ("其佢日", 5),
    ("其余", 5),
];
/// Times of the day; the rest are days.
const DAYTIMES: u8 = 4;
/// The most doses and times that are looked at.
const MOST: usize = 8;
/// How far a dose may stand from its time.
const BESIDE: usize = 8;

/// How such a drug is taken.
pub(super) struct Split {
    /// The dose, where it is the same each time.
    pub dose: Option<Dose>,
    /// How many times of the day were told.
    pub times_per_day: Option<f64>,
    /// The words, where the doses differ.
    pub instruction: Option<Range<usize>>,
    /// All the words.
    pub range: Range<usize>,
}

/// Doses told apart by when they are taken, or taken by turns.
pub(super) fn split(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>, drug: Option<&Drug>) -> Option<Split> {
    let degrees = drug.is_some_and(Drug::is_insulin);
    let quantities = utterance.quantities_in(range.clone());
    let mut all: Vec<Amount> = quantities.iter().filter_map(|quantity| amount(quantity, lexicon, degrees)).take(MOST).collect();
    if all.is_empty() {
        all = without_units(utterance, lexicon, &range, drug?);
    }
    if all.len() < 2 {
        return None;
    }
    by_time(utterance, &range, &all).or_else(|| by_turns(utterance, &range, &all))
}

/// Insulin 朝早十六夜晚八: numbers that are usual doses of the drug.
fn without_units(utterance: &Utterance, lexicon: &Lexicon, range: &Range<usize>, drug: &Drug) -> Vec<Amount> {
    let counted = |number: &Number| {
        let from = number.start.saturating_sub(1);
        utterance.quantities_in(from..number.end).iter().any(|quantity| quantity.end > number.start)
    };
    let amount = |number: &Number| {
        let value = number.exact().filter(|_| !number.ordinal && !counted(number))?;
        let unit = lexicon.doses.implied_unit(&drug.name, value)?.to_owned();
        Some(Amount { value, unit, span: number.start..number.end })
    };
    utterance.numbers_in(range.clone()).iter().take(MOST).filter_map(amount).collect()
}

/// 三十 mg 三日,二十 mg 三日: each dose for a time of its own. The words of all of them; the dose of the document is one of them.
pub(super) fn steps(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>) -> Option<Range<usize>> {
    let quantities = utterance.quantities_in(range.clone());
    let all: Vec<Amount> = quantities.iter().filter_map(|quantity| amount(quantity, lexicon, false)).take(MOST).collect();
    let lasts = |amount: &Amount, until: usize| {
        let behind = amount.span.end..until.min(amount.span.end + 2 * BESIDE);
        let lasting = |quantity: &&Quantity| quantity.kind == UnitKind::Time && quantity.value >= 1.0;
        let time = utterance.quantities_in(behind).iter().find(|quantity| {
            // 一日一次 tells how often.
            let often = utterance.quantities_in(quantity.end..quantity.end + 3).iter().any(|next| next.kind == UnitKind::Times);
            lasting(quantity) && !often
        })?;
        let ahead = matches!(utterance.chars.get(time.end), Some('后' | '前' | '内' | '次'));
        (!ahead).then_some(time.end)
    };
    let mut steps = all.iter().enumerate().map_while(|(index, amount)| {
        let until = all.get(index + 1).map_or(range.end, |next| next.span.start);
        Some((amount, lasts(amount, until)?))
    });
    let (first, _) = steps.next()?;
    let (_, end) = steps.filter(|(step, _)| step.unit == first.unit && (step.value - first.value).abs() > 1e-9).last()?;
    Some(first.span.start..end)
}

fn by_time(utterance: &Utterance, range: &Range<usize>, all: &[Amount]) -> Option<Split> {
    let times = times(utterance, range);
    let first = times.first()?;
    let before = |amount: &&Amount| amount.span.start >= first.1.end && amount.span.start <= first.1.end + BESIDE;
    // 朝早十六度夜晚八度, or 16 units in the morning and 8 at night.
    let leads = all.first().filter(before).is_some();
    let mut told: Vec<(u8, &Amount, Range<usize>)> = times
        .iter()
        .filter_map(|(when, words)| {
            let near = |amount: &&&Amount| {
                if leads {
                    amount.span.start >= words.end && amount.span.start <= words.end + BESIDE
                } else {
                    amount.span.end <= words.start && words.start <= amount.span.end + 2 * BESIDE
                }
            };
            let mut all = all.iter().collect::<Vec<_>>().into_iter();
            let own = if leads { all.find(|one| near(&one)) } else { all.rfind(|one| near(&one)) }?;
            Some((*when, own, words.clone()))
        })
        .collect();
    // 夜晚臨瞓前十度 names one time by two words.
    told.dedup_by_key(|(_, amount, _)| amount.span.start);
    let own = |index: usize| told.get(index).map(|(_, amount, _)| amount.span.start);
    let apart = told.len() >= 2 && (1..told.len()).all(|index| own(index) > own(index - 1));
    let same_unit = told.windows(2).all(|pair| matches!(pair, [one, other] if one.1.unit == other.1.unit && one.0 != other.0));
    if !apart || !same_unit {
        return None;
    }
    let start = told.first().map(|(_, amount, words)| words.start.min(amount.span.start))?;
    let end = told.last().map(|(_, amount, words)| words.end.max(amount.span.end))?;
    let daily = told.iter().all(|(when, ..)| *when < DAYTIMES);
    let times_per_day = u32::try_from(told.len()).ok().filter(|_| daily).map(f64::from);
    let equal = told.windows(2).all(|pair| matches!(pair, [one, other] if (one.1.value - other.1.value).abs() < 1e-9));
    let dose = told.first().filter(|_| equal).map(|(_, amount, _)| Dose { value: amount.value, unit: amount.unit.clone() });
    finished(dose, times_per_day, start..end)
}

/// 三 mg 同四 mg 隔日食, alternate 3 mg and 4 mg.
fn by_turns(utterance: &Utterance, range: &Range<usize>, all: &[Amount]) -> Option<Split> {
    let [one, other] = all.get(..2)? else { return None };
    let between: String = utterance.folded(one.span.end..other.span.start).iter().collect();
    let joined = matches!(between.trim(), "" | "同" | "同埋" | "和" | "与" | "、" | "/" | "and" | "or" | "or else" | ",");
    let differ = one.unit == other.unit && (one.value - other.value).abs() > 1e-9;
    let behind: String = utterance.folded(other.span.end..range.end.min(other.span.end + 2 * BESIDE)).iter().collect();
    let ahead: String = utterance.folded(range.start..one.span.start).iter().collect();
    let turns = ["隔日", "隔晚", "隔天", "轮", "梗", "alternat", "every other"];
    let word = |words: &str| {
        turns
            .iter()
            .filter_map(|turn| words.find(turn).map(|at| words.split_at(at).0.chars().count() + turn.chars().count()))
            .min()
    };
    if !joined || !differ {
        return None;
    }
    let end = word(&behind).map(|length| other.span.end + length);
    let start = word(&ahead).map(|_| range.start + ahead.chars().take_while(|c| *c == ' ').count());
    match (end, start) {
        (Some(end), _) => finished(None, None, one.span.start..end),
        (None, Some(start)) => finished(None, None, start..other.span.end),
        _ => None,
    }
}

fn finished(dose: Option<Dose>, times_per_day: Option<f64>, range: Range<usize>) -> Option<Split> {
    let instruction = dose.is_none().then(|| range.clone());
    Some(Split { dose, times_per_day, instruction, range })
}

/// The times told in a range, in order, the longest word where several begin.
fn times(utterance: &Utterance, range: &Range<usize>) -> Vec<(u8, Range<usize>)> {
    let mut all: Vec<(u8, Range<usize>)> = Vec::new();
    let mut at = range.start;
    while at < range.end && all.len() < MOST {
        let word = WHEN.iter().find(|(word, _)| {
            let length = word.chars().count();
            utterance.folded(at..at + length).iter().copied().eq(word.chars())
        });
        match word {
            Some((word, when)) => {
                let end = at + word.chars().count();
                all.push((*when, at..end));
                at = end;
            }
            None => at += 1,
        }
    }
    all
}
