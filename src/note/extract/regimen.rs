//! How a drug is taken: what at one time, how often, for how long, when needed.

mod bare;
mod corrected;
mod dose;
mod split;

use std::ops::Range;

use self::corrected::Part;
pub use self::corrected::end_with_corrections;
pub use self::dose::Amounts;
use super::LONGEST_SPAN;
use super::quantity::Quantity;
use super::utterance::Utterance;
use crate::note::{FormerRegimen, Quantity as Dose};
use crate::terminology::{Drug, Found, Lexicon, Meaning, TermKind, UnitKind};

/// Told in units as insulin is, from so many on: 38 度 behind it is a fever.
const VITAMIN_D: &str = "colecalciferol";
const LEAST_OF_VITAMIN_D: f64 = 100.0;
/// The most frequencies that are looked at in one stretch.
const MOST_OFTEN: usize = 8;

/// A regimen said in a stretch of words.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Regimen {
    /// What is taken at one time.
    pub dose: Option<Dose>,
    /// The strength and the count it was made of.
    pub amounts: Amounts,
    /// Whether the dose's unit was not said.
    pub unit_implied: bool,
    /// Times a day; weekly is 0.14.
    pub times_per_day: Option<f64>,
    /// Taken when needed.
    pub prn: bool,
    /// For how many days.
    pub duration_days: Option<f64>,
    /// How it was taken before a change that was told in the same words.
    pub before: Option<FormerRegimen>,
    /// The words that say how it is taken, where one dose and one frequency do not.
    pub instruction: Option<Range<usize>>,
    /// The words of the dose and the frequency.
    pub spans: Vec<Range<usize>>,
    /// Those of them that cannot be true and are not written.
    pub implausible: Vec<Range<usize>>,
    /// Whether a dose is among those.
    pub dose_struck: bool,
    /// A number that may be the dose, of which the unit is not known.
    pub without_unit: Option<Range<usize>>,
}

/// Reads the regimen of a drug in a range: what stands behind a correction or a change takes the place of what stood before it.
#[must_use]
pub fn regimen(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>, drug: Option<&Drug>) -> Regimen {
    // 十六度 of insulin and 一千度 of vitamin D are units.
    let thousands = || utterance.quantities_in(range.clone()).iter().any(|one| one.value >= LEAST_OF_VITAMIN_D);
    let degrees = drug.is_some_and(|drug| drug.is_insulin() || drug.name == VITAMIN_D && thousands());
    let mut how = Regimen::default();
    for part in parts(utterance, lexicon, range.clone(), degrees) {
        let dose = dose::amounts(utterance, lexicon, part.range.clone(), degrees);
        let times_per_day = frequency(utterance, lexicon, part.range, &mut how.spans);
        let former = how.amounts.dose().map(|dose| FormerRegimen { dose: Some(dose), times_per_day: how.times_per_day });
        if part.changed && (dose.dose().is_some() || times_per_day.is_some()) && former.is_some() {
            how.before = former;
            how.spans.extend(how.amounts.spans());
        }
        how.amounts = how.amounts.followed_by(dose);
        how.times_per_day = times_per_day.or(how.times_per_day);
    }
    how.dose = how.amounts.dose();
    how.spans.extend(how.amounts.spans());
    // 食十日,痛就食 Y: said of the next drug.
    let prn = utterance.terms(lexicon, range.clone(), TermKind::Prn).find(|hit| !leads_to_a_drug(utterance, hit));
    how.spans.extend(prn.map(|hit| hit.start..hit.end));
    how.prn = prn.is_some();
    if let Some(split) = split::split(utterance, lexicon, range.clone(), drug) {
        (how.dose, how.times_per_day, how.instruction) = (split.dose, split.times_per_day, split.instruction);
        (how.amounts, how.before) = (Amounts::default(), None);
        how.spans.extend(pieces(split.range));
    } else if let Some(steps) = split::steps(utterance, lexicon, range.clone()) {
        how.before = None;
        how.spans.extend(pieces(steps.clone()));
        how.instruction = Some(steps);
    }
    how.duration_days = duration(utterance, lexicon, range, &mut how.spans);
    if let Some(drug) = drug {
        let told = how.instruction.as_ref().map(|told| dose::doses(utterance, lexicon, told.clone(), degrees));
        if told.unwrap_or_default().iter().any(|dose| !lexicon.doses.can_be(&drug.name, dose.value, &dose.unit)) {
            how.implausible.extend(how.instruction.take());
            (how.dose, how.dose_struck) = (None, true);
        }
        without_the_implausible(&mut how, lexicon, drug);
    }
    how
}

/// Reads what stands right behind a drug's name: as [`regimen`], and a dose whose unit was not said.
#[must_use]
pub fn regimen_behind(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>, drug: &Drug) -> Regimen {
    let mut how = regimen(utterance, lexicon, range.clone(), Some(drug));
    if how.instruction.is_none() && how.implausible.is_empty() {
        let tablets = how.amounts.counted() && how.dose.as_ref().is_some_and(|dose| dose.unit == "{tbl}");
        if how.dose.is_none() || tablets {
            bare::dose(utterance, lexicon, range.clone(), drug, &mut how);
        }
        bare::change(utterance, lexicon, range, drug, &mut how);
    }
    how
}

/// A range as spans of evidence, which are short.
fn pieces(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(LONGEST_SPAN).map(move |at| at..end.min(at + LONGEST_SPAN))
}

/// A range cut at its corrections, its changes, and where a dose is raised or lowered to another.
fn parts(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>, degrees: bool) -> Vec<Part> {
    let cut = |part: Part| {
        let raised = dose::raised_at(utterance, lexicon, part.range.clone(), degrees);
        let Some(at) = raised else { return vec![part] };
        let (start, end) = (part.range.start, part.range.end);
        vec![Part { range: start..at, changed: part.changed }, Part { range: at..end, changed: true }]
    };
    corrected::parts(utterance, lexicon, range).into_iter().flat_map(cut).collect()
}

/// What no one takes is a slip of speech or of the recogniser: it is kept apart and not written.
fn without_the_implausible(how: &mut Regimen, lexicon: &Lexicon, drug: &Drug) {
    let unit = how.dose.as_ref().map(|dose| dose.unit.clone());
    if how.dose.as_ref().is_some_and(|dose| !lexicon.doses.can_be(&drug.name, dose.value, &dose.unit)) {
        let words: Vec<_> = how.amounts.spans().collect();
        how.implausible.extend(if words.is_empty() { how.spans.clone() } else { words });
        (how.dose, how.before, how.dose_struck) = (None, None, true);
        how.amounts = Amounts::default();
    }
    if how.times_per_day.is_some_and(|times| !lexicon.doses.so_often(&drug.name, times, unit.as_deref())) {
        how.implausible.extend(how.spans.first().cloned());
        how.times_per_day = None;
    }
}

/// Times a day, the first that was said.
fn frequency(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>, spans: &mut Vec<Range<usize>>) -> Option<f64> {
    let composite = composite(utterance, range.clone()).or_else(|| hourly(utterance, range.clone()));
    let composite = composite.or_else(|| times_in(utterance, range.clone()));
    let word = utterance.terms(lexicon, range, TermKind::Frequency).find(|hit| !before_a_drug(utterance, hit));
    let value = |hit: &Found| match hit.meaning {
        Meaning::Term(term) => lexicon.terms.get(term).and_then(|term| term.value.parse::<f64>().ok()),
        _ => None,
    };
    // 每日三次: how often in what the word names.
    let each = word.and_then(|hit| {
        let times = utterance.quantities_in(hit.end..hit.end + 2).iter().find(|quantity| quantity.kind == UnitKind::Times)?;
        let value = value(hit).filter(|value| *value <= 1.0 && times.value > 1.0 && !times.vague)?;
        Some((value * times.value, hit.start..times.end))
    });
    let (times, span) = match (composite.or(each), word) {
        (Some((times, span)), Some(hit)) if hit.start + 4 >= span.start || value(hit).is_none() => (times, span),
        (_, Some(hit)) => (value(hit)?, hit.start..hit.end),
        (Some((times, span)), None) => (times, span),
        (None, None) => return None,
    };
    spans.push(span);
    // Weekly is written 0.14, as the contract has it.
    Some((times * 100.0).round() / 100.0)
}

/// 痛就食 X. Behind a comma another drug begins (X 兩粒 PRN,Y), and so it does behind `prn` that a drug or its dose leads.
pub fn leads_to_a_drug(utterance: &Utterance, word: &Found) -> bool {
    let next = utterance.within(word.end..word.end + 2).iter().find(|hit| matches!(hit.meaning, Meaning::Drug(_)));
    let Some(next) = next else { return false };
    let apart = utterance.folded(word.end..next.start).iter().any(|c| matches!(c, ',' | '、' | '。' | ';' | '.'));
    let written = utterance.folded(word.start..word.end).iter().all(char::is_ascii);
    let told = utterance.folded(utterance.clause(word.start).range.start..word.start).iter().any(|c| c.is_alphanumeric());
    !(apart || written && told)
}

/// On aspirin: the word leads to what is taken and is no `o.n.`.
fn before_a_drug(utterance: &Utterance, word: &Found) -> bool {
    let next = utterance.within(word.end..word.end + 2);
    utterance.folded(word.start..word.end) == ['o', 'n'] && next.iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)))
}

/// 一日三次, 六個鐘一次, 一星期兩次, 一日一粒: a stretch of time, then how often in it.
fn composite(utterance: &Utterance, range: Range<usize>) -> Option<(f64, Range<usize>)> {
    composites(utterance, range).next()
}

fn composites(utterance: &Utterance, range: Range<usize>) -> impl Iterator<Item = (f64, Range<usize>)> {
    let quantities = utterance.quantities_in(range);
    quantities.iter().zip(quantities.iter().skip(1)).filter_map(|(time, often)| {
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

/// 4 times a day, three times per week, 50 times daily.
fn times_in(utterance: &Utterance, range: Range<usize>) -> Option<(f64, Range<usize>)> {
    let often = utterance.quantities_in(range).iter().find(|quantity| quantity.kind == UnitKind::Times && !quantity.vague)?;
    let behind: String = utterance.folded(often.end..utterance.chars.len().min(often.end + 11)).iter().collect();
    let periods = [(" a day", 1.0), (" per day", 1.0), (" daily", 1.0), (" a week", 7.0), (" per week", 7.0), (" weekly", 7.0)];
    let (words, days) = periods.into_iter().find(|(words, _)| behind.starts_with(words))?;
    (often.value > 0.0).then(|| (often.value / days, often.start..often.end + words.len()))
}

/// 每六個鐘, with no 一次 behind it.
fn hourly(utterance: &Utterance, range: Range<usize>) -> Option<(f64, Range<usize>)> {
    let hours = |quantity: &&Quantity| quantity.kind == UnitKind::Time && quantity.value > 0.1 && quantity.value < 1.0;
    let each = |at: usize| at.checked_sub(1).and_then(|before| utterance.chars.get(before)) == Some(&'每');
    let every = utterance.quantities_in(range).iter().filter(hours).find(|quantity| each(quantity.start))?;
    Some((1.0 / every.value, every.start..every.end))
}

/// 食十日, 兩個禮拜, BD 七日: time that is neither a frequency's nor a time to come.
fn duration(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>, spans: &mut Vec<Range<usize>>) -> Option<f64> {
    // 由五百 mg 一日兩次加到一克一日兩次: each of them says how often, and none how long.
    let often: Vec<Range<usize>> = composites(utterance, range.clone()).map(|(_, span)| span).take(MOST_OFTEN).collect();
    let quantities = utterance.quantities_in(range);
    let mut times = quantities
        .iter()
        .filter(|quantity| quantity.kind == UnitKind::Time && quantity.value >= 1.0)
        .filter(|quantity| !often.iter().any(|span| span.contains(&quantity.start)))
        .filter(|quantity| !matches!(utterance.chars.get(quantity.end), Some('后' | '前' | '内')))
        .filter(|quantity| utterance.chars.get(quantity.start) != Some(&'每'));
    let led = |quantity: &&Quantity| {
        let lead = quantity.start.saturating_sub(3)..quantity.start;
        utterance.has(lexicon, lead, &[TermKind::DrugActive, TermKind::DrugPlanned]) || taken_before(utterance, quantity.start)
    };
    if let Some(led) = times.clone().find(led) {
        return Some(led.value);
    }
    let time = times.find(|quantity| behind_the_rest(utterance, quantity, spans) && no_appointment(utterance, quantity.end))?;
    spans.push(time.start..time.end);
    Some(time.value)
}

/// 一克 BD 七日, 500 mg TDS for 7 days: right behind how much and how often.
fn behind_the_rest(utterance: &Utterance, time: &Quantity, spans: &[Range<usize>]) -> bool {
    let told = spans.iter().map(|span| span.end).filter(|end| *end <= time.start).max();
    told.is_some_and(|told| {
        let between: String = utterance.folded(told..time.start).iter().collect();
        matches!(between.trim(), "" | "for" | "x" | "食" | "食足" | "连食" | "共" | "足" | "用" | "打" | "开")
    })
}

/// 兩個禮拜覆診 and 三日再睇 are times to come back; 七日一次 is a frequency.
fn no_appointment(utterance: &Utterance, at: usize) -> bool {
    let behind: String = utterance.folded(at..utterance.chars.len().min(at + 4)).iter().filter(|c| **c != ' ').collect();
    !["复", "覆", "再", "返", "见", "睇", "一次", "fu", "f/u", "later", "ago"].iter().any(|word| behind.starts_with(word))
}

fn taken_before(utterance: &Utterance, at: usize) -> bool {
    let before = utterance.folded(at.saturating_sub(2)..at);
    before.iter().any(|c| matches!(c, '食' | '用' | '搽' | '滴' | '服' | 'x'))
}
