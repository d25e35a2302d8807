//! How a drug is taken: what at one time, how often, for how long, when needed.

use std::ops::Range;

use super::quantity::Quantity;
use super::utterance::Utterance;
use crate::note::Quantity as Dose;
use crate::terminology::{Found, Lexicon, Meaning, TermKind, UnitKind};

/// A regimen said in a stretch of words.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Regimen {
    /// What is taken at one time.
    pub dose: Option<Dose>,
    /// Times a day; weekly is 0.14.
    pub times_per_day: Option<f64>,
    /// Taken when needed.
    pub prn: bool,
    /// For how many days.
    pub duration_days: Option<f64>,
    /// The words of the dose and the frequency.
    pub spans: Vec<Range<usize>>,
}

/// Units that count things rather than measure a substance.
const COUNTS: [&str; 3] = ["{tbl}", "{puff}", "[drp]"];

/// Reads the regimen in a range.
#[must_use]
pub fn regimen(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>) -> Regimen {
    let mut spans = Vec::new();
    let dose = dose(utterance, lexicon, range.clone(), &mut spans);
    let times_per_day = frequency(utterance, lexicon, range.clone(), &mut spans);
    // 食十日,痛就食 Y: said of the next drug.
    let prn = utterance.terms(lexicon, range.clone(), TermKind::Prn).find(|hit| !leads_to_a_drug(utterance, hit));
    spans.extend(prn.map(|hit| hit.start..hit.end));
    let duration_days = duration(utterance, lexicon, range);
    Regimen { dose, times_per_day, prn: prn.is_some(), duration_days, spans }
}

fn ucum<'a>(quantity: &Quantity, lexicon: &'a Lexicon) -> &'a str {
    lexicon.units.get(quantity.unit).map(|unit| unit.ucum.as_str()).unwrap_or_default()
}

fn dose(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>, spans: &mut Vec<Range<usize>>) -> Option<Dose> {
    let amounts: Vec<&Quantity> = utterance
        .quantities_in(range.clone())
        .iter()
        .filter(|quantity| quantity.kind == UnitKind::Dose)
        .filter(|quantity| !utterance.has(lexicon, quantity.end..quantity.end + 3, &[TermKind::PerWeight]))
        .collect();
    let strength = amounts.iter().find(|quantity| !COUNTS.contains(&ucum(quantity, lexicon))).copied();
    let changed = strength.and_then(|first| raised_to(utterance, lexicon, first, &amounts));
    let strength = changed.or(strength);
    let count =
        amounts.iter().find(|quantity| COUNTS.contains(&ucum(quantity, lexicon)) && !daily_count(utterance, quantity)).copied();
    let value = |value: f64| (value * 10_000.0).round() / 10_000.0;
    match (strength, count) {
        (Some(strength), count) => {
            spans.push(strength.start..strength.end);
            let unit = ucum(strength, lexicon);
            // 五百 mg 兩粒 is a gram; two puffs of a strength stay what the label says.
            let tablets =
                count.filter(|count| ucum(count, lexicon) == "{tbl}" && unit != "%" && count.start.abs_diff(strength.end) <= 8);
            spans.extend(tablets.map(|count| count.start..count.end));
            let times = tablets.map_or(1.0, |count| count.value);
            Some(Dose { value: value(strength.value * times), unit: unit.to_owned() })
        }
        (None, Some(count)) => {
            spans.push(count.start..count.end);
            Some(Dose { value: value(count.value), unit: ucum(count, lexicon).to_owned() })
        }
        (None, None) => None,
    }
}

/// 一日三粒 counts tablets a day, not at one time.
fn daily_count(utterance: &Utterance, count: &Quantity) -> bool {
    count.value > 1.0
        && utterance
            .quantities_in(count.start.saturating_sub(4)..count.start)
            .iter()
            .any(|quantity| quantity.kind == UnitKind::Time && quantity.end + 1 >= count.start && quantity.value <= 1.0)
}

/// 由五 mg 加到十 mg: the dose from now on.
fn raised_to<'a>(utterance: &Utterance, lexicon: &Lexicon, first: &Quantity, amounts: &[&'a Quantity]) -> Option<&'a Quantity> {
    amounts
        .iter()
        .find(|quantity| quantity.start > first.end && !COUNTS.contains(&ucum(quantity, lexicon)))
        .filter(|quantity| utterance.between(first.end, quantity.start) <= 10)
        .filter(|quantity| {
            let between = utterance.folded(first.end..quantity.start);
            let words: String = between.iter().filter(|c| **c != ' ').collect();
            ["到", "做", "至", "to", "->", "→", "=>"].iter().any(|sign| words.ends_with(sign))
        })
        .copied()
}

/// Times a day, the first that was said.
fn frequency(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>, spans: &mut Vec<Range<usize>>) -> Option<f64> {
    let composite = composite(utterance, range.clone());
    let word = utterance.terms(lexicon, range, TermKind::Frequency).find(|hit| !before_a_drug(utterance, hit));
    let value = |hit: &Found| match hit.meaning {
        Meaning::Term(term) => lexicon.terms.get(term).and_then(|term| term.value.parse::<f64>().ok()),
        _ => None,
    };
    let (times, span) = match (composite, word) {
        (Some((times, span)), Some(hit)) if hit.start + 4 >= span.start || value(hit).is_none() => (times, span),
        (_, Some(hit)) => (value(hit)?, hit.start..hit.end),
        (Some((times, span)), None) => (times, span),
        (None, None) => return None,
    };
    spans.push(span);
    // Weekly is written 0.14, as the contract has it.
    Some((times * 100.0).round() / 100.0)
}

/// 痛就食 X.
pub fn leads_to_a_drug(utterance: &Utterance, word: &Found) -> bool {
    utterance.within(word.end..word.end + 2).iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)))
}

/// On aspirin: the word leads to what is taken and is no `o.n.`.
fn before_a_drug(utterance: &Utterance, word: &Found) -> bool {
    let next = utterance.within(word.end..word.end + 2);
    utterance.folded(word.start..word.end) == ['o', 'n'] && next.iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)))
}

/// 一日三次, 六個鐘一次, 一星期兩次, 一日一粒: a stretch of time, then how often in it.
fn composite(utterance: &Utterance, range: Range<usize>) -> Option<(f64, Range<usize>)> {
    let quantities = utterance.quantities_in(range);
    quantities.iter().zip(quantities.iter().skip(1)).find_map(|(time, often)| {
        let near = often.start.checked_sub(time.end).is_some_and(|gap| gap <= 2);
        let period = time.kind == UnitKind::Time && time.value > 0.0 && !time.vague;
        let later = matches!(utterance.chars.get(time.end), Some('后' | '前' | '内'));
        let count = often.kind == UnitKind::Times || often.kind == UnitKind::Dose && often.value <= 1.0;
        let times = if often.kind == UnitKind::Times { often.value } else { 1.0 };
        // X 五十一日一次: the dose and the day read as one number.
        let run_on = time.value > 31.0 && utterance.folded(time.start..time.end).ends_with(&['一', '日']);
        let days = if run_on { 1.0 } else { time.value };
        (near && period && !later && count).then(|| (times / days, time.start..often.end))
    })
}

/// 食十日, 兩個禮拜: time that is neither a frequency's nor a time to come.
fn duration(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>) -> Option<f64> {
    let often = composite(utterance, range.clone()).map(|(_, span)| span);
    utterance
        .quantities_in(range)
        .iter()
        .filter(|quantity| quantity.kind == UnitKind::Time && quantity.value >= 1.0)
        .filter(|quantity| often.as_ref().is_none_or(|span| !span.contains(&quantity.start)))
        .filter(|quantity| !matches!(utterance.chars.get(quantity.end), Some('后' | '前' | '内')))
        .filter(|quantity| utterance.chars.get(quantity.start) != Some(&'每'))
        .find(|quantity| {
            let lead = quantity.start.saturating_sub(3)..quantity.start;
            utterance.has(lexicon, lead, &[TermKind::DrugActive, TermKind::DrugPlanned])
                || taken_before(utterance, quantity.start)
        })
        .map(|quantity| quantity.value)
}

fn taken_before(utterance: &Utterance, at: usize) -> bool {
    let before = utterance.folded(at.saturating_sub(2)..at);
    before.iter().any(|c| matches!(c, '食' | '用' | '搽' | '滴' | '服' | 'x'))
}
