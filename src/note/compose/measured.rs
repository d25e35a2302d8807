//! Observations as they are read out: the two blood pressures together.

use super::super::{Condition, Note, Observation, Span};
use super::place::ICD10;

const SYSTOLIC: &str = "8480-6";
const DIASTOLIC: &str = "8462-4";
const MILLIMETRES_OF_MERCURY: &str = "mm[Hg]";

const TEMPERATURE: &str = "8310-5";

/// Whether a fever is nothing but a temperature of this visit, whose line says it.
pub(super) fn is_measured(note: &Note, condition: &Condition) -> bool {
    note.observations.iter().any(|reading| is_fever_of(reading, condition))
}

/// The fever that a reading is, where that was told in no other words.
pub(super) fn fever_of<'a>(note: &'a Note, reading: &Observation) -> Option<&'a Condition> {
    note.conditions.iter().find(|condition| is_fever_of(reading, condition))
}

fn is_fever_of(reading: &Observation, condition: &Condition) -> bool {
    let fever = condition.codes.iter().any(|one| one.system == ICD10 && one.code.starts_with("R50"));
    let within = |span: &Span| {
        reading
            .provenance
            .spans()
            .iter()
            .any(|other| other.segment() == span.segment() && other.start() <= span.start() && span.end() <= other.end())
    };
    let spans = condition.provenance.spans();
    fever && reading.loinc == TEMPERATURE && !spans.is_empty() && spans.iter().all(within)
}

/// One reading of the note.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading<'a> {
    /// Systolic and diastolic pressure said together, both in `mm[Hg]`.
    BloodPressure {
        /// LOINC 8480-6.
        systolic: &'a Observation,
        /// LOINC 8462-4.
        diastolic: &'a Observation,
    },
    /// Anything else, a pressure said alone too.
    Single(&'a Observation),
}

/// The note's observations in their order, each in one reading.
///
/// A systolic pressure is read with the nearest diastolic one of a segment that both were said in; where neither has evidence (both
/// were typed), with the one that comes next.
#[must_use]
pub fn readings(observations: &[Observation]) -> Vec<Reading<'_>> {
    let mut partner_of: Vec<Option<usize>> = vec![None; observations.len()];
    let mut taken = vec![false; observations.len()];
    let systolic = observations.iter().enumerate().filter(|(_, o)| is_pressure(o, SYSTOLIC)).map(|(index, _)| index);
    for index in systolic {
        let partner = partner(observations, &taken, index);
        if let Some(taken) = partner.and_then(|at| taken.get_mut(at)) {
            *taken = true;
        }
        if let Some(slot) = partner_of.get_mut(index) {
            *slot = partner;
        }
    }
    let free = observations.iter().zip(partner_of).zip(taken).filter(|(_, taken)| !taken);
    free.map(|((observation, partner), _)| match partner.and_then(|at| observations.get(at)) {
        Some(diastolic) => Reading::BloodPressure { systolic: observation, diastolic },
        None => Reading::Single(observation),
    })
    .collect()
}

/// A pressure in another unit than both are given in is a reading of its own.
fn is_pressure(observation: &Observation, loinc: &str) -> bool {
    observation.loinc == loinc && observation.unit == MILLIMETRES_OF_MERCURY
}

fn partner(observations: &[Observation], taken: &[bool], systolic: usize) -> Option<usize> {
    let spans = observations.get(systolic)?.provenance.spans();
    let free = |at: &usize| taken.get(*at) == Some(&false) && observations.get(*at).is_some_and(|o| is_pressure(o, DIASTOLIC));
    let evidence = |at: usize| observations.get(at).map(|o| o.provenance.spans()).unwrap_or_default();
    if spans.is_empty() {
        return (systolic + 1..observations.len()).filter(free).find(|at| evidence(*at).is_empty());
    }
    (0..observations.len()).filter(free).filter_map(|at| Some((distance(spans, evidence(at))?, at))).min().map(|(_, at)| at)
}

/// Characters between the starts of the nearest two spans of one segment.
fn distance(a: &[Span], b: &[Span]) -> Option<usize> {
    let apart = |x: &Span, y: &Span| (x.segment() == y.segment()).then(|| x.start().abs_diff(y.start()));
    a.iter().flat_map(|x| b.iter().filter_map(move |y| apart(x, y))).min()
}
