//! Values without their name: told by their unit alone, or behind what has just been done.

use std::ops::Range;

use super::super::IMPLAUSIBLE;
use super::super::utterance::Utterance;
use super::bound::{aimed, bounded, tenths};
use super::{LAST_NIGHT, NEAR, Place, Read, TEMPERATURE, Value, WEIGHT, kind, more_or_less, observation};
use crate::terminology::{Found, Meaning, TermKind};
use crate::text::numerals::Number;

const HEIGHT: &str = "8302-2";
/// What ends right before a temperature without its unit (folded): 而家探下……三十七點四.
const TAKEN_NOW: [&str; 10] = ["而家", "依家", "现在", "探下", "耳探", "探到", "探热", "探返", "再探", "探得"];
/// What a temperature told so can be, in degrees.
const BODILY: [f64; 2] = [34.0, 42.0];

/// 而家探下……三十七點四, 現在耳探三十七點一: with its tenth, where nothing else was named or counted.
pub(super) fn taken_now(place: &Place<'_>) -> Vec<Read> {
    let utterance = place.utterance;
    let Some(temperature) = kind(place.lexicon, TEMPERATURE) else { return Vec::new() };
    let told = |number: &&Number| {
        let lead = utterance.back(number.start, NEAR)..number.start;
        let words: String = utterance.folded(lead).iter().filter(|c| !matches!(c, '…' | ' ' | ',' | '.' | '系')).collect();
        let tenth = utterance.folded(number.start..number.end).iter().any(|c| matches!(c, '点' | '.'));
        let counted = !utterance.quantities_in(number.start..number.end).is_empty();
        !of_something_else(place, number)
            && tenth
            && !counted
            && TAKEN_NOW.iter().any(|taken| words.ends_with(taken))
            && (place.of_fever || words.contains('探'))
    };
    let numbers = utterance.numbers.iter().filter(told);
    let value = |number: &Number| number.exact().filter(|value| (BODILY[0]..=BODILY[1]).contains(value));
    numbers.filter_map(|number| observation(temperature, value(number)?, place, number.start..number.end)).collect()
}

/// 探到三十八點五先俾 X, BMI 而家三十七點二, 我個仔探到…: a bound, another measurement, somebody else's.
fn of_something_else(place: &Place<'_>, number: &Number) -> bool {
    let utterance = place.utterance;
    let sentence = utterance.sentence(number.start).start.max(utterance.back(number.start, LAST_NIGHT))
        ..utterance.clause(number.start).range.end;
    let aside = [TermKind::Family, TermKind::Other, TermKind::Hypothetical];
    let behind: String = utterance.folded(number.end..utterance.ahead(number.end, 4)).iter().collect();
    let bound = ["以上", "以下", "先", "就", "度以", "度先", "度就"].iter().any(|word| behind.starts_with(word));
    let said: String = utterance.folded(sentence.clone()).iter().collect();
    let another = |hit: &Found| match hit.meaning {
        Meaning::Observation(index) => place.lexicon.observations.get(index).is_none_or(|kind| kind.loinc != TEMPERATURE),
        _ => false,
    };
    bound
        || utterance.has(place.lexicon, sentence.clone(), &aside)
        || utterance.within(number.start.saturating_sub(5)..number.start).iter().any(another)
        || ["bmi", "头围", "血糖", "腰围"].iter().any(|word| said.contains(word))
}

/// 腳抬四十度就痛: a limb is turned so far.
fn turned(utterance: &Utterance, degrees: Range<usize>) -> bool {
    let lead: String = utterance.folded(utterance.back(degrees.start, NEAR)..degrees.start).iter().collect();
    let behind: String = utterance.folded(degrees.end..degrees.end + 2).iter().collect();
    lead.contains(['抬', '举', '屈', '弯', '拗', '转']) || matches!(behind.as_str(), "就痛" | "就扯" | "角 " | "就唔")
}

/// Whether somebody is weighed or measured; a bed is neither.
fn of_a_body(utterance: &Utterance, at: usize) -> bool {
    let words = utterance.folded(utterance.back(at, 2 * LAST_NIGHT)..utterance.ahead(at, LAST_NIGHT));
    words.iter().any(|c| matches!(c, '磅' | '重' | '身' | '称')) && !words.iter().any(|c| matches!(c, '床' | '跌' | '碌'))
}

/// Whether 高 or 身高 stands right before a number, and is no part of another word.
fn height_named(utterance: &Utterance, at: usize) -> bool {
    let lead: Vec<char> =
        utterance.folded(at.saturating_sub(3)..at).iter().copied().filter(|c| !matches!(c, ' ' | '系')).collect();
    match lead.as_slice() {
        ['高'] => true,
        [.., before, '高'] => matches!(before, ',' | '，' | '、' | '。' | '身' | '有'),
        _ => false,
    }
}

/// A weight or a temperature told by its unit alone: 十三公斤, 三十七度九.
pub(super) fn by_unit(place: &Place<'_>) -> Vec<Read> {
    let (utterance, lexicon) = (place.utterance, place.lexicon);
    let (Some(weight), Some(temperature)) = (kind(lexicon, WEIGHT), kind(lexicon, TEMPERATURE)) else { return Vec::new() };
    let mut read = Vec::new();
    for quantity in &utterance.quantities {
        let ucum = lexicon.units.get(quantity.unit).map(|unit| unit.ucum.as_str()).unwrap_or_default();
        let clause = utterance.clause(quantity.start).range;
        let changed = utterance.has(lexicon, clause.clone(), &[TermKind::Change, TermKind::PerWeight, TermKind::Lifestyle]);
        let changed = changed || ucum == "kg" && more_or_less(utterance, clause.start..quantity.start);
        // 三十八度幾 is no reading.
        let rough = matches!(utterance.chars.get(quantity.end), Some('几' | '多'));
        // 抬高四十度: an angle.
        // 拉到一百二 kg, 搬五十公斤: what is lifted.
        let lead = utterance.folded(utterance.back(quantity.start, NEAR)..quantity.start);
        let lifted = ucum == "kg" && lead.iter().any(|c| matches!(c, '拉' | '举' | '搬' | '抬' | '拎' | '推' | '孭'));
        let raised = utterance
            .folded(clause.start..quantity.start)
            .windows(2)
            .any(|pair| matches!(pair, ['抬', '高'] | ['屈', '到' | '曲']))
            || turned(utterance, quantity.start..quantity.end);
        // kg/m2 is no weight.
        let squared = utterance.chars.get(quantity.end) == Some(&'/');
        // 減五公斤 is what to lose.
        let lost = utterance.folded(clause.start..quantity.start).ends_with(&['减']);
        let bound = bounded(utterance, quantity.end) || aimed(utterance, quantity.start..quantity.end);
        if changed || rough || raised || lost || bound || squared || lifted {
            continue;
        }
        match ucum {
            "kg" => {
                let factor = lexicon.units.get(quantity.unit).map_or(1.0, |unit| unit.factor);
                let half = if utterance.chars.get(quantity.end) == Some(&'半') { factor / 2.0 } else { 0.0 };
                read.extend(observation(weight, quantity.value + half, place, quantity.start..quantity.end));
            }
            // 高一百五十二 cm; 血壓高 and 抬高 are no heights.
            "cm" if height_named(utterance, quantity.start) && of_a_body(utterance, quantity.start) => {
                read.extend(
                    kind(lexicon, HEIGHT)
                        .and_then(|height| observation(height, quantity.value, place, quantity.start..quantity.end)),
                );
            }
            "Cel" => {
                let tenth = tenths(utterance, quantity.start..quantity.end);
                let (tenth, end) = tenth.unwrap_or((0.0, quantity.end));
                read.extend(observation(temperature, quantity.value + tenth, place, quantity.start..end));
            }
            _ => {}
        }
    }
    // 三十七度九 is one number: its 度 lies inside.
    for number in &utterance.numbers {
        let degrees = utterance.folded(number.start..number.end).contains(&'度');
        if let Some(value) = number.exact().filter(|_| degrees) {
            read.extend(observation(temperature, value, place, number.start..number.end));
        }
    }
    // A number of degrees may be of anything: only what can be a patient's is read.
    read.retain(|(_, value)| !matches!(value, Value::Kept(IMPLAUSIBLE)));
    read
}
