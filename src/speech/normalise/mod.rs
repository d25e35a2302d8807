//! Inverse text normalisation: numbers that were said, written as a record has them.
//!
//! 一百四十五 over 九十 becomes 145/90, 七點二 7.2, 五百毫克 500 mg, 廿三號 23號. A number is written in digits only where saying these
//! digits gives the words that were said ([`is_said_in_cantonese`]), so that nothing rough, clipped or proverbial is made exact; in
//! doubt the words stay. What reads as well in words stays too: 一日三次, 半粒, 第三, `one tablet`.
//!
//! Pure; the words of a hypothesis, with their times, keep what was said.
//!
//! [`is_said_in_cantonese`]: crate::text::numerals::is_said_in_cantonese

mod identity_card;
mod pair;
mod reading;
mod tables;

use std::ops::Range;

use crate::text::numerals::{Number, numbers};

use identity_card::identity_cards;
use pair::pressures;
use reading::{Reading, Script, Size};
use tables::{COUNTERS, IDIOMS, JOINING, LEAD, PERCENT, units};

/// How numbers are written down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Numbers {
    /// As they were said.
    #[default]
    Said,
    /// In digits, with the signs of their units.
    Written,
}

/// A stretch of the text, in characters, and what is written for it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    said: Range<usize>,
    written: String,
}

/// The text with its numbers in digits.
#[must_use]
pub fn write_numbers(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let readings = readings(&chars);
    let mut changes = identity_cards(&chars, &readings);
    changes.extend(pressures(&chars, &readings));
    let taken: Vec<Range<usize>> = changes.iter().map(|change| change.said.clone()).collect();
    let free = |range: &Range<usize>| !taken.iter().any(|taken| taken.start < range.end && range.start < taken.end);
    changes.extend(alone(&chars, &readings).into_iter().filter(|change| free(&change.said)));
    changes.sort_by_key(|change| change.said.start);
    apply(&chars, &changes)
}

/// The numbers that stand in no idiom, and how each can be written.
fn readings(chars: &[char]) -> Vec<Reading> {
    let idioms: Vec<Range<usize>> = IDIOMS.iter().flat_map(|idiom| occurrences(chars, idiom)).collect();
    // 萬一 is an idiom, and 一萬一千 a number.
    let apart = |number: &&Number| !idioms.iter().any(|idiom| idiom.start <= number.start && number.end <= idiom.end);
    let mut readings: Vec<Reading> = numbers(chars).iter().filter(apart).map(|number| Reading::new(chars, number)).collect();
    // Of `twenty twenty five` nobody can say where one number ends.
    for index in 1..readings.len() {
        let Some([before, after]) = readings.get_mut(index - 1..=index) else { continue };
        let between = chars.get(before.range.end..after.range.start).unwrap_or_default();
        if before.script == Script::English && after.script == Script::English && matches!(between, [' ' | '-']) {
            (before.digits, after.digits) = (None, None);
        }
    }
    readings
}

fn occurrences(chars: &[char], phrase: &str) -> Vec<Range<usize>> {
    let phrase: Vec<char> = phrase.chars().collect();
    let windows = chars.windows(phrase.len().max(1)).enumerate();
    windows.filter(|(_, window)| *window == phrase).map(|(at, _)| at..at + phrase.len()).collect()
}

/// Numbers one by one, with their units.
fn alone(chars: &[char], readings: &[Reading]) -> Vec<Change> {
    let mut changes: Vec<Option<Change>> = readings.iter().map(|reading| change(chars, reading)).collect();
    // 三月廿三號, 五至十日: one in digits and one in words would be hard to read.
    let joined = |index: usize| {
        let (before, after) = (readings.get(index)?, readings.get(index + 1)?);
        let between: String = chars.get(before.range.end..after.range.start)?.iter().collect();
        JOINING.contains(&between.as_str()).then_some((before, after))
    };
    let pairs = 0..readings.len().saturating_sub(1);
    for index in pairs.clone().chain(pairs.rev()) {
        let (Some((before, after)), Some([first, second])) = (joined(index), changes.get_mut(index..index + 2)) else { continue };
        match (&first, &second) {
            (Some(_), None) => *second = after.plain(),
            (None, Some(_)) => *first = before.plain(),
            _ => {}
        }
    }
    changes.into_iter().flatten().collect()
}

/// What is written for a number that stands alone; nothing where it stays as it was said.
fn change(chars: &[char], reading: &Reading) -> Option<Change> {
    let digits = reading.digits.as_ref()?;
    let Range { start, end } = reading.range.clone();
    // 百分之五, 五 percent, 五個巴仙.
    if let Some(start) = start.checked_sub(LEAD.chars().count()).filter(|lead| starts_with(chars, *lead, LEAD)) {
        return Some(Change { said: start..end, written: format!("{digits}%") });
    }
    if reading.size == Size::Power {
        return None;
    }
    let gap = usize::from(chars.get(end) == Some(&' '));
    if let Some(word) = PERCENT.iter().find(|word| stands(chars, end + gap, word)) {
        return Some(Change { said: start..end + gap + word.chars().count(), written: format!("{digits}%") });
    }
    if let Some((unit_end, sign)) = unit_at(chars, end + gap) {
        let after = chars.get(unit_end).is_some_and(|c| c.is_alphanumeric());
        return Some(Change { said: start..unit_end, written: format!("{digits} {sign}{}", if after { " " } else { "" }) });
    }
    let written = match reading.size {
        Size::Number => reading.script != Script::Digits,
        Size::Ten => COUNTERS.iter().any(|counter| starts_with(chars, end, counter)),
        Size::One | Size::Power => false,
    };
    written.then(|| Change { said: start..end, written: digits.clone() })
}

/// The sign of the unit at a place, and where the unit ends.
fn unit_at(chars: &[char], at: usize) -> Option<(usize, String)> {
    units().filter(|(said, _)| stands(chars, at, said)).max_by_key(|(said, _)| said.chars().count()).map(|(said, sign)| {
        let end = at + said.chars().count();
        let as_said: String = chars.get(at..end).unwrap_or_default().iter().collect();
        (end, sign.map_or(as_said, str::to_owned))
    })
}

fn starts_with(chars: &[char], at: usize, phrase: &str) -> bool {
    phrase.chars().enumerate().all(|(offset, c)| chars.get(at + offset).is_some_and(|other| other.eq_ignore_ascii_case(&c)))
}

/// Whether a phrase stands at a place and ends there: no letter of another word follows.
fn stands(chars: &[char], at: usize, phrase: &str) -> bool {
    let end = at + phrase.chars().count();
    let cut = |a: Option<&char>, b: Option<&char>| {
        a.is_some_and(|c| c.is_ascii_alphabetic()) && b.is_some_and(|c| c.is_ascii_alphanumeric() || *c == '/')
    };
    starts_with(chars, at, phrase) && !cut(end.checked_sub(1).and_then(|last| chars.get(last)), chars.get(end))
}

fn apply(chars: &[char], changes: &[Change]) -> String {
    let (mut out, mut at) = (String::with_capacity(chars.len()), 0);
    for change in changes {
        out.extend(chars.get(at..change.said.start).unwrap_or_default());
        out.push_str(&change.written);
        at = change.said.end;
    }
    out.extend(chars.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests;
