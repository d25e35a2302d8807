//! Vital signs and laboratory values of this visit.

use std::collections::BTreeMap;
use std::ops::Range;

use super::utterance::Utterance;
use super::{IMPLAUSIBLE, LONGEST_SPAN, evidence_of};
use crate::note::{Observation, Span, Uncovered};
use crate::terminology::{Lexicon, Meaning, ObservationKind, TermKind, UnitKind};
use crate::text::numerals::Number;

/// The most characters between a measurement's name and its value.
const NEAR: usize = 9;
const SYSTOLIC: &str = "8480-6";
const DIASTOLIC: &str = "8462-4";
const CAPILLARY: &str = "14743-9";
const RANDOM: &str = "14749-6";
const WEIGHT: &str = "29463-7";
const TEMPERATURE: &str = "8310-5";
/// Words that open what is measured now (folded).
const NOW: [&str; 7] = ["今次", "今日", "而家", "依家", "今朝", "呢次", "now "];
const PER_MINUTE: &str = "/min";

/// Why a second blood pressure is not written.
const STANDING: &str = "standing blood pressure, not written beside the one at rest";

/// The observations, one of each kind: a repeated reading replaces the one before. What cannot be true is not among them but
/// listed for the clinician to look at.
#[must_use]
pub fn observations(utterances: &[Utterance], lexicon: &Lexicon) -> (Vec<Observation>, Vec<Uncovered>) {
    let mut implausible = Vec::new();
    let mut latest: BTreeMap<String, (usize, Observation)> = BTreeMap::new();
    let mut order = 0;
    for utterance in utterances {
        let mut read = pressures(utterance, lexicon);
        read.extend(named(utterance, lexicon));
        read.extend(by_unit(utterance, lexicon));
        read.sort_by_key(|(range, _)| range.start);
        for (range, observation) in read {
            let Some(observation) = observation else {
                let span = Span::new(utterance.id, range.start, range.end.min(range.start + LONGEST_SPAN));
                implausible.extend(span.ok().map(|span| Uncovered { span, reason: IMPLAUSIBLE.to_owned() }));
                continue;
            };
            // 瞓低一三八/七六,企起身一一零/六零: the pressure at rest is the visit's, the other is listed.
            if stands(utterance, range.start) && latest.get(&observation.loinc).is_some_and(|(_, first)| of(first, utterance)) {
                let span = Span::new(utterance.id, range.start, range.end.min(range.start + LONGEST_SPAN));
                implausible.extend(span.ok().map(|span| Uncovered { span, reason: STANDING.to_owned() }));
                continue;
            }
            order += 1;
            latest.insert(observation.loinc.clone(), (order, observation));
        }
    }
    implausible.dedup();
    let mut all: Vec<(usize, Observation)> = latest.into_values().collect();
    all.sort_by_key(|(order, _)| *order);
    (all.into_iter().map(|(_, observation)| observation).collect(), implausible)
}

/// Whether an observation was told in an utterance.
fn of(observation: &Observation, utterance: &Utterance) -> bool {
    observation.provenance.spans().iter().any(|span| span.segment() == utterance.id)
}

/// 企起身, 企返起身, standing: in the clause of a reading, before it.
fn stands(utterance: &Utterance, at: usize) -> bool {
    let said: String = utterance.folded(utterance.clause(at).range.start..at).iter().collect();
    ["企起", "企返", "企身", "站起", "站立", "standing"].iter().any(|word| said.contains(word))
}

/// Where a value was said, and the observation, if it can be true.
type Read = (Range<usize>, Option<Observation>);

fn kind<'a>(lexicon: &'a Lexicon, loinc: &str) -> Option<&'a ObservationKind> {
    lexicon.observations.iter().find(|kind| kind.loinc == loinc)
}

fn observation(kind: &ObservationKind, value: f64, utterance: &Utterance, range: Range<usize>) -> Option<Read> {
    // Out of the plausible range it is a slip of speech or of the recogniser: not written.
    if !(kind.low..=kind.high).contains(&value) {
        return Some((range, None));
    }
    let observation = Observation {
        loinc: kind.loinc.clone(),
        display: kind.en.clone(),
        value: (value * 1000.0).round() / 1000.0,
        unit: kind.unit.clone(),
        provenance: evidence_of(utterance, range.clone())?.into(),
    };
    Some((range, Some(observation)))
}

/// Whether the words around a value put it at home or in the past.
fn not_today(utterance: &Utterance, lexicon: &Lexicon, at: usize) -> bool {
    utterance.has(lexicon, utterance.clause(at).range, &[TermKind::Elsewhere, TermKind::Before])
}

/// 一三六/八十八, 146 over 92.
fn pressures(utterance: &Utterance, lexicon: &Lexicon) -> Vec<Read> {
    let (Some(systolic), Some(diastolic)) = (kind(lexicon, SYSTOLIC), kind(lexicon, DIASTOLIC)) else { return Vec::new() };
    let pairs = utterance.numbers.iter().zip(utterance.numbers.iter().skip(1));
    let run_together = utterance.numbers.iter().filter_map(|number| {
        let (high, low) = two_in_one(utterance, lexicon, number)?;
        let range = number.start..number.end;
        both(observation(systolic, high, utterance, range.clone())?, observation(diastolic, low, utterance, range)?)
    });
    pairs
        .filter_map(|(upper, lower)| {
            let (high, low) = (upper.exact()?, lower.exact()?);
            let between = utterance.folded(upper.end..lower.start);
            let slash = matches!(between, ['/'] | [' ', '/', ' '] | ['/', ' ']);
            let over = utterance.terms(lexicon, upper.end..lower.start, TermKind::Over).next().is_some() && between.len() <= 6;
            let start = utterance.clause(upper.start).range.start.max(utterance.back(upper.start, 14));
            let said = utterance.has(lexicon, start..upper.start, &[TermKind::Pressure]);
            let plain =
                said && between.len() <= 1 && utterance.clause_index(lower.start) <= utterance.clause_index(upper.start) + 1;
            if !(slash || over || plain) || high <= low || not_today(utterance, lexicon, upper.start) {
                return None;
            }
            let range = upper.start..lower.end;
            let first = observation(systolic, high, utterance, range.clone())?;
            let second = observation(diastolic, low, utterance, range)?;
            both(first, second)
        })
        .chain(run_together)
        .flatten()
        .collect()
}

/// Two pressures, or neither: with one that cannot be true the other is not to be trusted.
fn both(first: Read, second: Read) -> Option<[Read; 2]> {
    let whole = first.1.is_some() && second.1.is_some();
    Some(if whole { [first, second] } else { [(first.0, None), (second.0, None)] })
}

/// 血壓一三六八八: both pressures read digit by digit without a pause.
fn two_in_one(utterance: &Utterance, lexicon: &Lexicon, number: &Number) -> Option<(f64, f64)> {
    let start = utterance.clause(number.start).range.start.max(utterance.back(number.start, 6));
    let said = utterance.has(lexicon, start..number.start, &[TermKind::Pressure]);
    let value = number.exact().filter(|value| value.fract() == 0.0)?;
    let (high, low) = match number.end - number.start {
        5 => ((value / 100.0).floor(), value % 100.0),
        6 => ((value / 1000.0).floor(), value % 1000.0),
        _ => return None,
    };
    (said && high > low && !not_today(utterance, lexicon, number.start)).then_some((high, low))
}

/// A name, then a number: 心跳七十二, LDL 三點八.
fn named(utterance: &Utterance, lexicon: &Lexicon) -> Vec<Read> {
    utterance
        .found
        .iter()
        .filter_map(|hit| {
            let Meaning::Observation(index) = hit.meaning else { return None };
            let kind = lexicon.observations.get(index)?;
            // 心跳八十次: what is counted a minute may be said in times.
            let beats = (kind.unit == PER_MINUTE).then_some(kind.low);
            let number = if not_today(utterance, lexicon, hit.start) {
                this_time(utterance, lexicon, hit.end)?
            } else {
                value_after(utterance, lexicon, hit.end, beats)?
            };
            let (value, end) = in_unit(utterance, lexicon, number, kind)?;
            let kind = laboratory(utterance, lexicon, hit.start..hit.end, kind);
            observation(kind, value, utterance, hit.start..end)
        })
        .collect()
}

/// 上次糖化八點一,今次七點二: the value of today in the clause behind an old one.
fn this_time<'a>(utterance: &'a Utterance, lexicon: &Lexicon, from: usize) -> Option<&'a Number> {
    let index = utterance.clause_index(from.saturating_sub(1));
    let (old, new) = (utterance.clauses().get(index)?, utterance.clauses().get(index + 1)?);
    let words: String = utterance.folded(new.range.clone()).iter().collect();
    let named = utterance.within(new.range.clone()).iter().any(|hit| matches!(hit.meaning, Meaning::Observation(_)));
    if old.sentence != new.sentence || named || !NOW.iter().any(|now| words.starts_with(now)) {
        return None;
    }
    value_after(utterance, lexicon, new.range.start + 1, None)
}

/// 血糖 is the meter's unless 隨機 stands beside it without a finger prick.
fn laboratory<'a>(
    utterance: &Utterance,
    lexicon: &'a Lexicon,
    name: Range<usize>,
    kind: &'a ObservationKind,
) -> &'a ObservationKind {
    let near = utterance.folded(name.start..(name.end + 10).min(utterance.chars.len()));
    let random = near.windows(2).any(|pair| matches!(pair, ['随', '机']));
    let pricked = utterance.folded(name).contains(&'笃');
    if kind.loinc == CAPILLARY && random && !pricked { self::kind(lexicon, RANDOM).unwrap_or(kind) } else { kind }
}

/// The first exact number behind a name, before the next name; after 到 where a change is told (由三點八降到二點六).
/// `beats` is the least number of times that can be one; nothing where a number of times is none.
fn value_after<'a>(utterance: &'a Utterance, lexicon: &Lexicon, from: usize, beats: Option<f64>) -> Option<&'a Number> {
    let sentence = utterance.sentence(from.saturating_sub(1));
    let next = utterance
        .within(from..sentence.end)
        .iter()
        .find(|hit| matches!(hit.meaning, Meaning::Observation(_) | Meaning::Drug(_)))
        .map_or(sentence.end, |hit| hit.start);
    let clause = utterance.clause(from.saturating_sub(1)).range;
    // INR 幾多?六點八: who asks answers.
    let asked = utterance.has(lexicon, from..clause.end, &[TermKind::OpenQuestion]) && clause.end.saturating_sub(from) <= 4;
    let until = if asked { clause.end + 3 } else { clause.end };
    let until = until.min(if asked { until } else { next }).min(utterance.ahead(from, NEAR));
    let mut candidates = utterance.numbers_in(from..until).iter().filter(|number| {
        let counted = utterance.quantities_in(number.start..number.end).iter().any(|quantity| match quantity.kind {
            UnitKind::Time => true,
            UnitKind::Times => beats.is_none_or(|least| quantity.value < least),
            _ => false,
        });
        // INR 跌到二以下就轉藥: a bound is no reading.
        let bound = matches!(utterance.folded(number.end..number.end + 2), ['以', '下' | '上' | '内']);
        !counted && !number.ordinal && !bound
    });
    let first = candidates.next()?;
    let changes = matches!(first.start.checked_sub(1).and_then(|at| utterance.chars.get(at)), Some('由' | '从'));
    if !changes {
        return first.exact().map(|_| first);
    }
    utterance
        .numbers_in(first.end..next.min(first.end + NEAR))
        .iter()
        .find(|number| matches!(number.start.checked_sub(1).and_then(|at| utterance.chars.get(at)), Some('到' | '至')))
        .filter(|number| number.exact().is_some())
        .filter(|_| !utterance.has(lexicon, from..next, &[TermKind::Hypothetical]))
}

/// The value in the kind's unit, and where it ends; nothing when another unit was said.
fn in_unit(utterance: &Utterance, lexicon: &Lexicon, number: &Number, kind: &ObservationKind) -> Option<(f64, usize)> {
    let value = number.exact()?;
    let quantity = utterance.quantities_in(number.start..number.start + 1).first().copied();
    let Some(quantity) = quantity else { return Some((value, number.end)) };
    let unit = lexicon.units.get(quantity.unit)?;
    // 三十八度幾 is no reading.
    if matches!(utterance.chars.get(quantity.end), Some('几')) {
        return None;
    }
    if unit.ucum == kind.unit { Some((value * unit.factor, quantity.end)) } else { Some((value, number.end)) }
}

/// A weight or a temperature told by its unit alone: 十三公斤, 三十七度九.
fn by_unit(utterance: &Utterance, lexicon: &Lexicon) -> Vec<Read> {
    let (Some(weight), Some(temperature)) = (kind(lexicon, WEIGHT), kind(lexicon, TEMPERATURE)) else { return Vec::new() };
    let mut read = Vec::new();
    for quantity in &utterance.quantities {
        let ucum = lexicon.units.get(quantity.unit).map(|unit| unit.ucum.as_str()).unwrap_or_default();
        let clause = utterance.clause(quantity.start).range;
        let changed = utterance.has(lexicon, clause.clone(), &[TermKind::Change, TermKind::PerWeight, TermKind::Lifestyle]);
        // 三十八度幾 is no reading.
        let rough = matches!(utterance.chars.get(quantity.end), Some('几' | '多'));
        // 抬高四十度: an angle.
        let raised = utterance
            .folded(clause.start..quantity.start)
            .windows(2)
            .any(|pair| matches!(pair, ['抬', '高'] | ['屈', '到' | '曲']));
        // 減五公斤 is what to lose.
        let lost = utterance.folded(clause.start..quantity.start).ends_with(&['减']);
        if not_today(utterance, lexicon, quantity.start) || changed || rough || raised || lost {
            continue;
        }
        match ucum {
            "kg" => read.extend(observation(weight, quantity.value, utterance, quantity.start..quantity.end)),
            "Cel" => read.extend(observation(temperature, quantity.value, utterance, quantity.start..quantity.end)),
            _ => {}
        }
    }
    // 三十七度九 is one number: its 度 lies inside.
    for number in &utterance.numbers {
        let degrees = utterance.folded(number.start..number.end).contains(&'度');
        if let Some(value) = number.exact().filter(|_| degrees && !not_today(utterance, lexicon, number.start)) {
            read.extend(observation(temperature, value, utterance, number.start..number.end));
        }
    }
    // A number of degrees may be of anything: only what can be a patient's is read.
    read.retain(|(_, observation)| observation.is_some());
    read
}
