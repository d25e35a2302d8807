//! The pressures of two eyes: the second told without its name, and both put right.

use std::ops::Range;

use super::{NEAR, Place, Read, Value, kind, observation};
use crate::terminology::{ObservationKind, UnitKind};
use crate::text::numerals::Number;

const RIGHT_EYE: &str = "79892-6";
const LEFT_EYE: &str = "79893-4";
/// How far behind the pressure of one eye that of the other may end.
const OTHER_EYE: usize = 10;
/// How far behind a slip what it puts right is told.
const PUT_RIGHT: usize = 24;
/// What takes back the pressures of two eyes (folded): 睇錯行.
const SLIPS: [&str; 5] = ["睇错", "读错", "讲错", "调转", "掉转"];

/// 眼壓右邊二十二,左邊十八: the pressure of the other eye stands right behind that of the first.
pub(super) fn other_eye(place: &Place<'_>, first: &ObservationKind, at: usize) -> Option<Read> {
    let (utterance, lexicon) = (place.utterance, place.lexicon);
    let (name, loinc) = match first.loinc.as_str() {
        RIGHT_EYE => ('左', LEFT_EYE),
        LEFT_EYE => ('右', RIGHT_EYE),
        _ => return None,
    };
    let number = utterance.numbers_in(at..at + OTHER_EYE).first()?;
    let between: String =
        utterance.folded(at..number.start).iter().filter(|c| !matches!(c, ' ' | ',' | '、' | '同' | '系')).collect();
    let side = between.strip_prefix(name)?;
    let (value, kind) = (number.exact()?, kind(lexicon, loinc)?);
    // 左眼三日前紅.
    if utterance.quantities_in(number.start..number.end).iter().any(|one| one.kind == UnitKind::Time) {
        return None;
    }
    ["", "眼", "边", "就"].contains(&side).then(|| observation(kind, value, place, at + 1..number.end))?
}

/// 眼壓右眼廿二,左眼十八……睇錯行,右眼十八、左眼廿二: the pressures behind the slip, each with its side and no name.
pub(super) fn corrected(place: &Place<'_>, read: &[Read]) -> Vec<Read> {
    let (utterance, lexicon) = (place.utterance, place.lexicon);
    let told = |loinc: &str| read.iter().any(|(_, value)| matches!(value, Value::Now(one) if one.loinc == loinc));
    if !told(RIGHT_EYE) || !told(LEFT_EYE) {
        return Vec::new();
    }
    let clauses = utterance.clauses().iter().map(|clause| clause.range.clone());
    let slip = |range: &Range<usize>| {
        let words: String = utterance.folded(range.clone()).iter().collect();
        range.len() <= NEAR && SLIPS.iter().any(|slip| words.contains(slip))
    };
    let Some(slip) = clauses.into_iter().find(slip) else { return Vec::new() };
    let value = |number: &Number| {
        let lead = utterance.folded(number.start.saturating_sub(3)..number.start);
        let loinc = match lead.strip_suffix(&['系']).unwrap_or(lead) {
            [.., '右', '眼' | '边'] => RIGHT_EYE,
            [.., '左', '眼' | '边'] => LEFT_EYE,
            _ => return None,
        };
        observation(kind(lexicon, loinc)?, number.exact()?, place, number.start.saturating_sub(2)..number.end)
    };
    let behind = slip.end..utterance.ahead(slip.end, PUT_RIGHT);
    utterance.numbers_in(behind).iter().filter_map(value).collect()
}
