//! A dose without its unit: amoxicillin 500 TDS, metformin 五百 BD.

use std::ops::Range;

use super::super::utterance::Utterance;
use super::{Amounts, Regimen};
use crate::note::{FormerRegimen, Quantity as Dose};
use crate::terminology::{Drug, Lexicon};
use crate::text::numerals::{Number, numbers};

/// Characters that may stand between a drug's name and its dose (folded).
const LEADS: &str = " 食打开服用要系系嘅:";
/// What may stand behind a dose that no frequency follows (folded).
const ENDS: &str = " ,.;。、同和及)";
/// Signs of a change (folded), the longest first.
const SIGNS: [&str; 15] =
    ["increase to", "加返到", "减返到", "加到", "减到", "转做", "改做", "加至", "减至", "->", "=>", "→", "to", "转", "改"];
/// How long a sign with its spaces may be.
const SIGN: usize = 14;
/// How far behind a dose the one that replaces it may stand.
const CHANGE: usize = 20;
/// How far behind the name a dose may stand.
const REACH: usize = 3;

/// Takes the number between a drug and its frequency, or its count of tablets (losartan 五十,一日一粒), for its dose in the unit that the drug
/// is told in; where it is no usual dose in that unit, it is only noted.
pub(super) fn dose(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>, drug: &Drug, how: &mut Regimen) {
    let Some((value, span)) = number(utterance, &range, &how.spans) else { return };
    match lexicon.doses.implied_unit(&drug.name, value) {
        Some(unit) => {
            let strength = Amounts::of(&Dose { value, unit: unit.to_owned() }, span.clone());
            how.amounts = strength.followed_by(std::mem::take(&mut how.amounts));
            how.dose = how.amounts.dose();
            how.unit_implied = true;
            how.spans.push(span);
        }
        None if how.dose.is_none() => how.without_unit = Some(span),
        None => {}
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
    // Aspirin 80 alone: the clause, or the drug's item of a list, ends with it.
    let ends = utterance.chars.get(number.end).is_none_or(|c| ENDS.contains(*c)) && !counts_on(utterance, number.end);
    let changes = change_sign(utterance, number.end).is_some();
    (!counted && (often || ends || changes)).then(|| number.exact().map(|value| (value, number.start..number.end))).flatten()
}

/// 五加到十, 80 mg BD -> 160 BD: a new dose without its unit, which is that of the dose so far.
pub(super) fn change(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>, drug: &Drug, how: &mut Regimen) {
    let Some(old) = how.dose.clone() else { return };
    let told = how.amounts.spans().map(|span| span.end).max().unwrap_or(range.start);
    let near = utterance.numbers_in(told..range.end.min(told + CHANGE));
    let Some((value, span)) = near.iter().find_map(|number| {
        let counted = !utterance.quantities_in(number.start..number.end).is_empty();
        let led = (told..number.start).any(|at| change_sign(utterance, at) == Some(number.start));
        number.exact().filter(|_| led && !counted && !number.ordinal).map(|value| (value, number.start..number.end))
    }) else {
        return;
    };
    if !lexicon.doses.can_be(&drug.name, value, &old.unit) {
        how.without_unit = Some(span);
        return;
    }
    let dose = Dose { value, unit: old.unit.clone() };
    let times = super::frequency(utterance, lexicon, span.end..range.end, &mut how.spans);
    let before = super::frequency(utterance, lexicon, range.start..span.start, &mut Vec::new());
    how.before = Some(FormerRegimen { dose: Some(old), times_per_day: before });
    how.times_per_day = times.or(how.times_per_day);
    how.spans.extend(how.amounts.spans());
    how.amounts = Amounts::of(&dose, span.clone());
    (how.dose, how.unit_implied) = (Some(dose), true);
    how.spans.push(span);
}

/// Where a number begins that a sign of change at this place leads to.
fn change_sign(utterance: &Utterance, at: usize) -> Option<usize> {
    let words: String = utterance.folded(at..utterance.chars.len().min(at + SIGN)).iter().collect();
    let spaces = words.chars().take_while(|c| *c == ' ').count();
    let sign = SIGNS.iter().find(|sign| words.trim_start().starts_with(**sign))?;
    let behind = at + spaces + sign.chars().count();
    let start = behind + usize::from(utterance.chars.get(behind) == Some(&' '));
    utterance.numbers_in(start..start + 1).first().map(|number| number.start)
}

/// Whether more is said of the number: 80 kg, 3 年, 五號.
fn counts_on(utterance: &Utterance, at: usize) -> bool {
    let behind = utterance.folded(at..utterance.chars.len().min(at + 2));
    matches!(behind, [' ', next] if next.is_ascii_alphanumeric() || "次日粒年月号岁".contains(*next))
}
