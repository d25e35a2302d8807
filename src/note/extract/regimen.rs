//! How a drug is taken: what at one time, how often, for how long, when needed.

mod corrected;
mod dose;

use std::ops::Range;

pub use self::corrected::end_with_corrections;
pub use self::dose::Amounts;
use super::quantity::Quantity;
use super::utterance::Utterance;
use crate::note::Quantity as Dose;
use crate::terminology::{Found, Lexicon, Meaning, TermKind, UnitKind};

/// A regimen said in a stretch of words.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Regimen {
    /// What is taken at one time.
    pub dose: Option<Dose>,
    /// The strength and the count it was made of.
    pub amounts: Amounts,
    /// Times a day; weekly is 0.14.
    pub times_per_day: Option<f64>,
    /// Taken when needed.
    pub prn: bool,
    /// For how many days.
    pub duration_days: Option<f64>,
    /// The words of the dose and the frequency.
    pub spans: Vec<Range<usize>>,
}

/// Reads the regimen in a range: what stands behind a correction or a change takes the place of what stood before it. `degrees`:
/// the drug is an insulin, of which 十六度 are units.
#[must_use]
pub fn regimen(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>, degrees: bool) -> Regimen {
    let mut spans = Vec::new();
    let mut dose = Amounts::default();
    let mut times_per_day = None;
    for part in corrected::parts(utterance, lexicon, range.clone()) {
        dose = dose.followed_by(dose::amounts(utterance, lexicon, part.clone(), degrees));
        times_per_day = frequency(utterance, lexicon, part, &mut spans).or(times_per_day);
    }
    spans.extend(dose.spans());
    // 食十日,痛就食 Y: said of the next drug.
    let prn = utterance.terms(lexicon, range.clone(), TermKind::Prn).find(|hit| !leads_to_a_drug(utterance, hit));
    spans.extend(prn.map(|hit| hit.start..hit.end));
    let duration_days = duration(utterance, lexicon, range);
    Regimen { dose: dose.dose(), amounts: dose, times_per_day, prn: prn.is_some(), duration_days, spans }
}

/// Times a day, the first that was said.
fn frequency(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>, spans: &mut Vec<Range<usize>>) -> Option<f64> {
    let composite = composite(utterance, range.clone()).or_else(|| hourly(utterance, range.clone()));
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
        // 早餐前半個鐘食一次 tells when, not how often.
        let before = time.start.checked_sub(1).and_then(|before| utterance.chars.get(before));
        let when = matches!(before, Some('前' | '后')) && time.value < 1.0;
        let period = time.kind == UnitKind::Time && time.value > 0.0 && !time.vague && !when;
        let later = matches!(utterance.chars.get(time.end), Some('后' | '前' | '内'));
        let count = often.kind == UnitKind::Times || often.kind == UnitKind::Dose && often.value <= 1.0;
        let times = if often.kind == UnitKind::Times { often.value } else { 1.0 };
        // X 五十一日一次: the dose and the day read as one number.
        let run_on = time.value > 31.0 && utterance.folded(time.start..time.end).ends_with(&['一', '日']);
        let days = if run_on { 1.0 } else { time.value };
        (near && period && !later && count).then(|| (times / days, time.start..often.end))
    })
}

/// 每六個鐘, with no 一次 behind it.
fn hourly(utterance: &Utterance, range: Range<usize>) -> Option<(f64, Range<usize>)> {
    let hours = |quantity: &&Quantity| quantity.kind == UnitKind::Time && quantity.value > 0.1 && quantity.value < 1.0;
    let each = |at: usize| at.checked_sub(1).and_then(|before| utterance.chars.get(before)) == Some(&'每');
    let every = utterance.quantities_in(range).iter().filter(hours).find(|quantity| each(quantity.start))?;
    Some((1.0 / every.value, every.start..every.end))
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
