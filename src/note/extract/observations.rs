//! Vital signs and laboratory values of this visit.

mod bound;
mod eyes;
mod pressure;
mod unnamed;

use std::collections::BTreeMap;
use std::ops::Range;

use self::bound::{NOW, aimed, at_home, bounded, home_until, now_behind, only_a_state, rough, tenths, unread_pressures};
use self::eyes::{corrected, other_eye};
use self::pressure::{of_pressure, pressures};
use self::unnamed::{by_unit, taken_now};
use super::utterance::Utterance;
use super::{IMPLAUSIBLE, LONGEST_SPAN, evidence_of};
use crate::note::{Observation, Span, Uncovered};
use crate::terminology::{Found, Lexicon, Meaning, ObservationKind, TermKind, UnitKind};
use crate::text::numerals::Number;

/// The most characters between a measurement's name and its value.
const NEAR: usize = 9;
const CAPILLARY: &str = "14743-9";
const RANDOM: &str = "14749-6";
const WEIGHT: &str = "29463-7";
const TEMPERATURE: &str = "8310-5";
const PER_MINUTE: &str = "/min";
/// When a value was measured before this visit (folded), and how far before it that stands.
const YESTERDAY: [&str; 8] = ["寻晚", "琴晚", "昨晚", "寻日", "琴日", "昨天", "昨日", "前晚"];
const LAST_NIGHT: usize = 16;
/// Doses that are no measurement.
const COUNTED: [&str; 5] = ["{tbl}", "{puff}", "[drp]", "mL", "[IU]"];

/// Why a value measured at home is not written.
const HOME: &str = "home reading, not written beside this visit's";

/// Why a value that should be reached is not written.
const TARGET: &str = "a target or a bound, not written as measured";

/// Why numbers beside the blood pressure are not written.
const UNREAD: &str = "not understood as a blood pressure, not written";

/// Why a second blood pressure is not written.
const STANDING: &str = "standing blood pressure, not written beside the one at rest";

/// The observations, one of each kind: a repeated reading replaces the one before. What cannot be true is not among them but
/// listed for the clinician to look at.
#[must_use]
pub fn observations(utterances: &[Utterance], lexicon: &Lexicon) -> (Vec<Observation>, Vec<Uncovered>) {
    let mut not_written = Vec::new();
    let mut latest: BTreeMap<String, (usize, Observation)> = BTreeMap::new();
    let mut order = 0;
    for (index, utterance) in utterances.iter().enumerate() {
        // 血壓高唔高呀? 一百一十二、七十: of what the turn before spoke of.
        let before = index.checked_sub(1).and_then(|before| utterances.get(before));
        let of_pressure = before.is_some_and(|before| of_pressure(before, lexicon, 0..before.chars.len()));
        let of_fever =
            utterances.get(index.saturating_sub(2)..index).unwrap_or_default().iter().any(|before| before.chars.contains(&'烧'));
        let place = Place { utterance, lexicon, of_pressure, of_fever, home_until: home_until(utterances, index, lexicon) };
        let mut read = pressures(&place);
        // 一百三十八上壓八十六下壓: the names stand behind their numbers.
        let pairs: Vec<Range<usize>> = read.iter().map(|(range, _)| range.clone()).collect();
        let mut next = 0;
        read.extend(named(&place).into_iter().filter(|(range, _)| {
            next += pairs.get(next..).unwrap_or_default().iter().take_while(|pair| pair.end <= range.start).count();
            pairs.get(next).is_none_or(|pair| !(pair.start < range.start && range.start < pair.end))
        }));
        // A weight with a name of its own is no body weight: birth weight 3.2 kg.
        let names: Vec<(Range<usize>, String)> = read
            .iter()
            .filter_map(|(range, value)| match value {
                Value::Now(observation) => Some((range.clone(), observation.loinc.clone())),
                Value::Kept(_) => None,
            })
            .collect();
        let mut next = 0;
        read.extend(by_unit(&place).into_iter().filter(|(range, value)| {
            next += names.get(next..).unwrap_or_default().iter().take_while(|(name, _)| name.end <= range.start).count();
            let inside = names.get(next).filter(|(name, _)| name.start <= range.start);
            let loinc = match value {
                Value::Now(observation) => Some(&observation.loinc),
                Value::Kept(_) => None,
            };
            inside.is_none_or(|(_, own)| loinc.is_none_or(|loinc| loinc == own))
        }));
        let spans: Vec<Range<usize>> = read.iter().map(|(range, _)| range.clone()).collect();
        read.extend(unread_pressures(utterance, lexicon, &spans).into_iter().map(|range| (range, Value::Kept(UNREAD))));
        if !read.iter().any(|(_, value)| matches!(value, Value::Now(observation) if observation.loinc == TEMPERATURE)) {
            read.extend(taken_now(&place));
        }
        read.extend(corrected(&place, &read));
        read.sort_by_key(|(range, _)| range.start);
        for (range, observation) in read {
            let observation = match observation {
                Value::Now(observation) => observation,
                Value::Kept(reason) => {
                    not_written.extend(listed(utterance, range, reason));
                    continue;
                }
            };
            // 瞓低一三八/七六,企起身一一零/六零: the pressure at rest is the visit's, the other is listed.
            if stands(utterance, range.start) && latest.get(&observation.loinc).is_some_and(|(_, first)| of(first, utterance)) {
                not_written.extend(listed(utterance, range, STANDING));
                continue;
            }
            order += 1;
            latest.insert(observation.loinc.clone(), (order, observation));
        }
    }
    // A name with its number and the number alone are one.
    not_written.dedup_by(|later, earlier| {
        let (one, other) = (earlier.span, later.span);
        later.reason == earlier.reason && one.segment() == other.segment() && other.start() < one.end()
    });
    let mut all: Vec<(usize, Observation)> = latest.into_values().collect();
    all.sort_by_key(|(order, _)| *order);
    (all.into_iter().map(|(_, observation)| observation).collect(), not_written)
}

fn listed(utterance: &Utterance, range: Range<usize>, reason: &str) -> Option<Uncovered> {
    let span = Span::new(utterance.id, range.start, range.end.min(range.start + LONGEST_SPAN)).ok()?;
    Some(Uncovered { span, reason: reason.to_owned() })
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

/// Where a value was said, and what it is.
type Read = (Range<usize>, Value);

/// What a value that was said is.
enum Value {
    /// Measured now.
    Now(Observation),
    /// Not written, and why.
    Kept(&'static str),
}

/// An utterance and what the turns before it say of its values.
struct Place<'a> {
    utterance: &'a Utterance,
    lexicon: &'a Lexicon,
    /// The turn before spoke of the blood pressure.
    of_pressure: bool,
    /// One of the two turns before spoke of fever.
    of_fever: bool,
    /// Values before this answer a question about readings at home.
    home_until: usize,
}

impl Place<'_> {
    /// Whether a value was measured at home.
    fn home(&self, at: usize) -> bool {
        at < self.home_until || at_home(self.utterance, self.lexicon, at)
    }

    /// Whether the words around a value put it at home or in the past.
    fn not_today(&self, at: usize) -> bool {
        let clause = self.utterance.clause(at).range;
        let lead: String = self.utterance.folded(clause.start.max(self.utterance.back(at, LAST_NIGHT))..at).iter().collect();
        let yesterday = YESTERDAY.iter().any(|day| lead.contains(day)) && !NOW.iter().any(|now| lead.contains(now.trim_end()));
        // 磅五十五公斤,之前得五十二: what was before stands behind its word.
        let old = |hit: &Found| hit.start < at || self.utterance.numbers_in(hit.end..hit.end + 3).is_empty();
        self.home(at) || yesterday || self.utterance.terms(self.lexicon, clause, TermKind::Before).any(old)
    }
}

fn kind<'a>(lexicon: &'a Lexicon, loinc: &str) -> Option<&'a ObservationKind> {
    lexicon.observations.iter().find(|kind| kind.loinc == loinc)
}

fn observation(kind: &ObservationKind, value: f64, place: &Place<'_>, range: Range<usize>) -> Option<Read> {
    // Out of the plausible range it is a slip of speech or of the recogniser: not written.
    if !(kind.low..=kind.high).contains(&value) {
        return Some((range, Value::Kept(IMPLAUSIBLE)));
    }
    // A name may stand in the clause of an old value: where the new one ends tells.
    let at = range.end.saturating_sub(1);
    if place.not_today(at) {
        return place.home(at).then_some((range, Value::Kept(HOME)));
    }
    let observation = Observation {
        loinc: kind.loinc.clone(),
        display: kind.en.clone(),
        value: (value * 1000.0).round() / 1000.0,
        unit: kind.unit.clone(),
        provenance: evidence_of(place.utterance, range.clone())?.into(),
    };
    Some((range, Value::Now(observation)))
}

/// A name, then a number: 心跳七十二, LDL 三點八.
fn named(place: &Place<'_>) -> Vec<Read> {
    let (utterance, lexicon) = (place.utterance, place.lexicon);
    let mut read = Vec::new();
    for hit in &utterance.found {
        let Meaning::Observation(index) = hit.meaning else { continue };
        let Some(kind) = lexicon.observations.get(index) else { continue };
        // 心跳八十次: what is counted a minute may be said in times.
        let beats = (kind.unit == PER_MINUTE).then_some(kind.low);
        let behind = value_after(utterance, lexicon, hit.end, beats).or_else(|| behind_state(utterance, hit.end, kind));
        let weight = kind.loinc == WEIGHT;
        let behind = behind.filter(|number| !weight || !more_or_less(utterance, hit.start..number.start));
        let old = place.not_today(hit.start);
        let target = behind.filter(|number| aimed(utterance, number.start..number.end));
        if let Some(number) = target {
            read.push((hit.start..number.end, Value::Kept(TARGET)));
        } else if let Some(number) = behind.filter(|number| old && place.home(hit.start) && !bounded(utterance, number.end)) {
            // 屋企篤手指七點二,今日八點一: what was measured at home is listed beside it.
            read.push((hit.start..number.end, Value::Kept(HOME)));
        }
        let none = old || target.is_some() || behind.is_some_and(|number| bounded(utterance, number.end));
        let number = if none { this_time(utterance, lexicon, hit.end) } else { behind };
        read.extend(
            number
                .and_then(|number| {
                    let (value, end) = in_unit(utterance, lexicon, number, kind)?;
                    let kind = laboratory(utterance, lexicon, hit.start..hit.end, kind);
                    let other = other_eye(place, kind, end);
                    let own = observation(kind, value, place, hit.start..end);
                    Some(own.into_iter().chain(other).collect::<Vec<_>>())
                })
                .into_iter()
                .flatten(),
        );
    }
    read
}

/// LDL 高咗,三點八: the number that opens the next clause, where it can be one and counts nothing.
fn behind_state<'a>(utterance: &'a Utterance, from: usize, kind: &ObservationKind) -> Option<&'a Number> {
    let clause = utterance.clause(from.saturating_sub(1)).range;
    let next = clause.end + 1;
    let number = utterance.numbers_in(next..next + 1).first()?;
    let told = clause.end > from && only_a_state(utterance, from..clause.end) && utterance.sentence(from).contains(&number.start);
    let counted = utterance.quantities_in(number.start..number.end).iter().any(|one| one.kind != UnitKind::Measure);
    let other = utterance.chars.get(number.end).is_some_and(|c| "岁年月日号点个粒次成/".contains(*c));
    let value = number.exact().filter(|value| (kind.low..=kind.high).contains(value));
    (told && !counted && !other && value.is_some()).then_some(number)
}

/// 上次糖化八點一,今次七點二: the value of today in a clause behind an old one or a target.
fn this_time<'a>(utterance: &'a Utterance, lexicon: &Lexicon, from: usize) -> Option<&'a Number> {
    let now = now_behind(utterance, lexicon, from.saturating_sub(1))?;
    let number = value_after(utterance, lexicon, now.start + 1, None)?;
    (!aimed(utterance, number.start..number.end) && !bounded(utterance, number.end)).then_some(number)
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
    // 鉀 五點八: the pause is no end.
    let asked = asked || clause.end == from && utterance.chars.get(from) == Some(&' ');
    let until = if asked { clause.end + 3 } else { clause.end };
    let until = until.min(if asked { until } else { next }).min(utterance.ahead(from, NEAR));
    let mut candidates = utterance.numbers_in(from..until).iter().filter(|number| {
        let counted = utterance.quantities_in(number.start..number.end).iter().any(|quantity| match quantity.kind {
            UnitKind::Time => true,
            UnitKind::Times => beats.is_none_or(|least| quantity.value < least),
            // 血氧九十三 噴完藥: what stands apart counts nothing.
            UnitKind::Dose if utterance.folded(number.end..quantity.end).contains(&' ') => false,
            UnitKind::Dose => lexicon.units.get(quantity.unit).is_some_and(|unit| COUNTED.contains(&unit.ucum.as_str())),
            UnitKind::Measure => false,
        });
        // 驗 B12 names what is measured; 白血球三個加 is a strip's colour.
        let lead = number.start.checked_sub(1).and_then(|at| utterance.chars.get(at));
        let named = number.start > from && lead.is_some_and(char::is_ascii_alphabetic);
        let strip = matches!(utterance.folded(number.end..number.end + 2), ['个', '加'] | ['+', _] | ['粒', '加']);
        !counted && !number.ordinal && !named && !strip
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
    // 七點幾, 三十八度幾: no reading.
    if rough(utterance, number.end) {
        return None;
    }
    if let Some((tenth, end)) = tenths(utterance, number.start..degrees_end(utterance, number.end)) {
        return Some((value + tenth, end));
    }
    let quantity = utterance.quantities_in(number.start..number.start + 1).first().copied();
    let Some(quantity) = quantity else { return Some((value, number.end)) };
    let unit = lexicon.units.get(quantity.unit)?;
    // HCT 二十五 mg is a dose of what those letters name too.
    let dose = quantity.kind == UnitKind::Dose && utterance.folded(number.end..quantity.end).iter().any(|c| *c != ' ');
    if dose && !kind.unit.starts_with(&unit.ucum) && !COUNTED.contains(&unit.ucum.as_str()) {
        return None;
    }
    // 六十一公斤半.
    let half = if utterance.chars.get(quantity.end) == Some(&'半') { 0.5 } else { 0.0 };
    if unit.ucum == kind.unit { Some(((value + half) * unit.factor, quantity.end)) } else { Some((value, number.end)) }
}

/// Where the 度 behind a number ends, or the number.
fn degrees_end(utterance: &Utterance, end: usize) -> usize {
    match utterance.folded(end..utterance.chars.len().min(end + 2)) {
        ['度', ..] => end + 1,
        [' ', '度'] => end + 2,
        _ => end,
    }
}

/// 體重輕咗十磅, 又重返兩公斤: by how much, whatever term the words are part of.
fn more_or_less(utterance: &Utterance, lead: Range<usize>) -> bool {
    let turns = |pair: &[char]| {
        matches!(pair, ['轻' | '重' | '肥' | '瘦' | '减' | '跌' | '升' | '加' | '增', '咗' | '左' | '了' | '返' | '多' | '少'])
    };
    utterance.folded(lead).windows(2).any(turns)
}
