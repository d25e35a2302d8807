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
/// What takes back a value that was just read (folded).
const SLIPS: [&str; 6] = ["睇错", "讲错", "读错", "唔系", "sorry", "错咗"];
/// Doses that are no measurement.
const COUNTED: [&str; 5] = ["{tbl}", "{puff}", "[drp]", "mL", "[IU]"];

/// Why a value measured at home is not written.
const HOME: &str = "home reading, not written beside this visit's";

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
        let spoken_of = before.is_some_and(|before| of_pressure(before, lexicon, 0..before.chars.len()));
        let mut read = pressures(utterance, lexicon, spoken_of);
        read.extend(named(utterance, lexicon));
        read.extend(by_unit(utterance, lexicon));
        read.sort_by_key(|(range, _)| range.start);
        for (range, observation) in read {
            let observation = match observation {
                Value::Now(observation) => observation,
                Value::Implausible => {
                    not_written.extend(listed(utterance, range, IMPLAUSIBLE));
                    continue;
                }
                Value::Home => {
                    not_written.extend(listed(utterance, range, HOME));
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
    /// No value that can be true.
    Implausible,
    /// Measured at home.
    Home,
}

fn kind<'a>(lexicon: &'a Lexicon, loinc: &str) -> Option<&'a ObservationKind> {
    lexicon.observations.iter().find(|kind| kind.loinc == loinc)
}

fn observation(
    kind: &ObservationKind,
    value: f64,
    (utterance, lexicon): (&Utterance, &Lexicon),
    range: Range<usize>,
) -> Option<Read> {
    // Out of the plausible range it is a slip of speech or of the recogniser: not written.
    if !(kind.low..=kind.high).contains(&value) {
        return Some((range, Value::Implausible));
    }
    // A name may stand in the clause of an old value: where the new one ends tells.
    let place = range.end.saturating_sub(1);
    if not_today(utterance, lexicon, place) {
        return home(utterance, lexicon, place).then_some((range, Value::Home));
    }
    let observation = Observation {
        loinc: kind.loinc.clone(),
        display: kind.en.clone(),
        value: (value * 1000.0).round() / 1000.0,
        unit: kind.unit.clone(),
        provenance: evidence_of(utterance, range.clone())?.into(),
    };
    Some((range, Value::Now(observation)))
}

/// Whether the words around a value put it at home or in the past.
fn not_today(utterance: &Utterance, lexicon: &Lexicon, at: usize) -> bool {
    utterance.has(lexicon, utterance.clause(at).range, &[TermKind::Elsewhere, TermKind::Before])
}

/// Whether they say that it was measured at home: 屋企量.
fn home(utterance: &Utterance, lexicon: &Lexicon, at: usize) -> bool {
    utterance.has(lexicon, utterance.clause(at).range, &[TermKind::Elsewhere])
}

/// 血壓, bp; 屋企血壓 is one word of its own, and 屋企量 is of the pressure where two numbers follow.
fn of_pressure(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>) -> bool {
    let measured = utterance.folded(range.clone()).contains(&'量');
    utterance.has(lexicon, range.clone(), &[TermKind::Pressure])
        || measured && utterance.has(lexicon, range.clone(), &[TermKind::Elsewhere])
        || utterance.folded(range).windows(2).any(|pair| matches!(pair, ['血', '压']))
}

/// 屋企量血壓一五零九十,今日一三零八十: the clause goes on with the pressures of the one before it.
fn goes_on(utterance: &Utterance, lexicon: &Lexicon, at: usize) -> bool {
    let index = utterance.clause_index(at);
    let clauses = utterance.clauses();
    let before = index.checked_sub(1).and_then(|before| clauses.get(before));
    let (Some(before), Some(clause)) = (before, clauses.get(index)) else { return false };
    let lead: String = utterance.folded(clause.range.start..at).iter().collect();
    let now =
        NOW.iter().any(|now| lead.starts_with(now)) || utterance.has(lexicon, clause.range.start..at, &[TermKind::Elsewhere]);
    now && lead.chars().count() <= NEAR
        && before.sentence == clause.sentence
        && of_pressure(utterance, lexicon, before.range.clone())
        && !utterance.numbers_in(before.range.clone()).is_empty()
}

/// Whether a clause begins with a value, or with 今日 and a value.
fn opens(utterance: &Utterance, at: usize) -> bool {
    let lead: String = utterance.folded(utterance.clause(at).range.start..at).iter().collect();
    lead.is_empty() || NOW.iter().any(|now| lead.trim_end() == now.trim_end())
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

/// 一三六/八十八, 146 over 92.
fn pressures(utterance: &Utterance, lexicon: &Lexicon, spoken_of: bool) -> Vec<Read> {
    let (Some(systolic), Some(diastolic)) = (kind(lexicon, SYSTOLIC), kind(lexicon, DIASTOLIC)) else { return Vec::new() };
    let pairs = utterance.numbers.iter().zip(utterance.numbers.iter().skip(1));
    let run_together = utterance.numbers.iter().filter_map(|number| {
        let (high, low) = two_in_one(utterance, lexicon, number)?;
        let range = number.start..number.end;
        both(
            observation(systolic, high, (utterance, lexicon), range.clone())?,
            observation(diastolic, low, (utterance, lexicon), range)?,
        )
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
            let over = utterance.terms(lexicon, upper.end..lower.start, TermKind::Over).next().is_some() && between.len() <= 6;
            let start = utterance.clause(upper.start).range.start.max(utterance.back(upper.start, 14));
            let said = of_pressure(utterance, lexicon, start..upper.start)
                || goes_on(utterance, lexicon, upper.start)
                || corrects(utterance, lexicon, upper.start)
                || spoken_of && opens(utterance, upper.start);
            let plain =
                said && between.len() <= 1 && utterance.clause_index(lower.start) <= utterance.clause_index(upper.start) + 1;
            if !(slash || over || plain) || high <= low || low.fract() != 0.0 {
                return None;
            }
            taken = lower.end;
            let range = upper.start..lower.end;
            let first = observation(systolic, high, (utterance, lexicon), range.clone())?;
            let second = observation(diastolic, low, (utterance, lexicon), range)?;
            both(first, second)
        })
        .chain(run_together)
        .flatten()
        .collect()
}

/// Two pressures, or neither: with one that cannot be true the other is not to be trusted.
fn both(first: Read, second: Read) -> Option<[Read; 2]> {
    let struck = matches!(first.1, Value::Implausible) || matches!(second.1, Value::Implausible);
    Some(if struck { [(first.0, Value::Implausible), (second.0, Value::Implausible)] } else { [first, second] })
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
            let old = not_today(utterance, lexicon, hit.start);
            let after = || value_after(utterance, lexicon, hit.end, beats);
            let number = if old { this_time(utterance, lexicon, hit.end) } else { after() };
            // 屋企篤手指七點二,今日八點一: what was measured at home is listed beside it.
            let at_home = after().filter(|_| old && home(utterance, lexicon, hit.start));
            let at_home = at_home.map(|number| (hit.start..number.end, Value::Home));
            let now = number.and_then(|number| {
                let (value, end) = in_unit(utterance, lexicon, number, kind)?;
                let kind = laboratory(utterance, lexicon, hit.start..hit.end, kind);
                observation(kind, value, (utterance, lexicon), hit.start..end)
            });
            Some(at_home.into_iter().chain(now))
        })
        .flatten()
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
            // 血氧九十三 噴完藥: what stands apart counts nothing.
            UnitKind::Dose if utterance.folded(number.end..quantity.end).contains(&' ') => false,
            UnitKind::Dose => lexicon.units.get(quantity.unit).is_some_and(|unit| COUNTED.contains(&unit.ucum.as_str())),
            UnitKind::Measure => false,
        });
        // 驗 B12 names what is measured; 白血球三個加 is a strip's colour.
        let lead = number.start.checked_sub(1).and_then(|at| utterance.chars.get(at));
        let named = number.start > from && lead.is_some_and(char::is_ascii_alphabetic);
        let strip = matches!(utterance.folded(number.end..number.end + 2), ['个', '加'] | ['+', _] | ['粒', '加']);
        // INR 跌到二以下就轉藥: a bound is no reading.
        let bound = matches!(utterance.folded(number.end..number.end + 2), ['以', '下' | '上' | '内']);
        !counted && !number.ordinal && !bound && !named && !strip
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
    // 六十一公斤半.
    let half = if utterance.chars.get(quantity.end) == Some(&'半') { 0.5 } else { 0.0 };
    if unit.ucum == kind.unit { Some(((value + half) * unit.factor, quantity.end)) } else { Some((value, number.end)) }
}

/// 腳抬四十度就痛: a limb is turned so far.
fn turned(utterance: &Utterance, degrees: Range<usize>) -> bool {
    let lead: String = utterance.folded(utterance.back(degrees.start, NEAR)..degrees.start).iter().collect();
    let behind: String = utterance.folded(degrees.end..degrees.end + 2).iter().collect();
    lead.contains(['抬', '举', '屈', '弯', '拗', '转']) || matches!(behind.as_str(), "就痛" | "就扯" | "角 " | "就唔")
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
            .any(|pair| matches!(pair, ['抬', '高'] | ['屈', '到' | '曲']))
            || turned(utterance, quantity.start..quantity.end);
        // 減五公斤 is what to lose.
        let lost = utterance.folded(clause.start..quantity.start).ends_with(&['减']);
        if changed || rough || raised || lost {
            continue;
        }
        match ucum {
            "kg" => {
                let factor = lexicon.units.get(quantity.unit).map_or(1.0, |unit| unit.factor);
                let half = if utterance.chars.get(quantity.end) == Some(&'半') { factor / 2.0 } else { 0.0 };
                read.extend(observation(weight, quantity.value + half, (utterance, lexicon), quantity.start..quantity.end));
            }
            "Cel" => read.extend(observation(temperature, quantity.value, (utterance, lexicon), quantity.start..quantity.end)),
            _ => {}
        }
    }
    // 三十七度九 is one number: its 度 lies inside.
    for number in &utterance.numbers {
        let degrees = utterance.folded(number.start..number.end).contains(&'度');
        if let Some(value) = number.exact().filter(|_| degrees) {
            read.extend(observation(temperature, value, (utterance, lexicon), number.start..number.end));
        }
    }
    // A number of degrees may be of anything: only what can be a patient's is read.
    read.retain(|(_, value)| !matches!(value, Value::Implausible));
    read
}
