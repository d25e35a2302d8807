//! A dose without its unit: amoxicillin 500 TDS, metformin 五百 BD.

use std::ops::Range;

use super::super::utterance::Utterance;
use super::{Amounts, Regimen};
use crate::note::Quantity as Dose;
use crate::terminology::{Drug, Lexicon};
use crate::text::numerals::{Number, numbers};

/// Characters that may stand between a drug's name and its dose (folded).
const LEADS: &str = " 食打开服用要系係嘅:";
/// How far behind the name a dose may stand.
const REACH: usize = 3;

/// Takes the number between a drug and its frequency for its dose in the unit that the drug is told in; where it is no usual dose in
/// that unit, it is only noted.
pub(super) fn dose(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>, drug: &Drug, how: &mut Regimen) {
    let Some((value, span)) = number(utterance, &range, &how.spans) else { return };
    match lexicon.doses.implied_unit(&drug.name, value) {
        Some(unit) => {
            let dose = Dose { value, unit: unit.to_owned() };
            how.amounts = Amounts::of(&dose, span.clone());
            how.dose = Some(dose);
            how.unit_implied = true;
            how.spans.push(span);
        }
        None => how.without_unit = Some(span),
    }
}

/// The exact number right behind the name, with a frequency right behind it and no unit of its own.
fn number(utterance: &Utterance, range: &Range<usize>, spans: &[Range<usize>]) -> Option<(f64, Range<usize>)> {
    let number = utterance.numbers_in(range.start..range.end.min(range.start + REACH + 1)).first()?;
    let led = utterance.folded(range.start..number.start).iter().all(|c| LEADS.contains(*c));
    if !led || number.ordinal {
        return None;
    }
    // 五百一日兩次 reads as 510 days and then two times.
    if utterance.folded(number.end - 1..number.end + 1) == ['一', '日'] && number.end - number.start > 1 {
        let before = number.start..number.end - 1;
        let said = numbers(utterance.folded(before.clone()));
        let [Number { value, vague: false, .. }] = said.as_slice() else { return None };
        return spans.iter().any(|span| span.start == number.start).then_some((*value, before));
    }
    let counted = utterance.quantities_in(number.start..number.end).iter().any(|quantity| quantity.start <= number.start);
    let often = spans
        .iter()
        .any(|span| span.start >= number.end && utterance.folded(number.end..span.start).iter().all(|c| LEADS.contains(*c)));
    (!counted && often).then(|| number.exact().map(|value| (value, number.start..number.end))).flatten()
}
