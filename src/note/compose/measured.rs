//! Observations as they are read out: the two blood pressures together.

use super::super::{Observation, Span};

const SYSTOLIC: &str = "8480-6";
const DIASTOLIC: &str = "8462-4";
const MILLIMETRES_OF_MERCURY: &str = "mm[Hg]";

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
