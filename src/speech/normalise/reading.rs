//! One number of a text, and its digits where they are sure.

use std::ops::Range;

use super::tables::{CLOCK, DAYTIME, LEAD, PRESSURE, SEVERAL};
use super::{Change, starts_with};
use crate::text::numerals::{Number, in_english, is_said_in_cantonese};

/// The fewest digits that are a number said digit by digit: 三五 is a few, 一三六 a number.
const DIGIT_STRING: usize = 3;
/// The most digits that a measurement has: 一三六八八 after 血壓 is two of them.
const MEASURED: usize = 3;
/// How far before a number the words are that tell how it is meant.
const NEAR: usize = 8;

const DIGITS: &str = "零一二三四五六七八九";

/// How much a number is, as far as writing it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// One digit: it reads as well in words.
    One,
    /// 十, 廿 or 卅 alone: a number where something is counted.
    Ten,
    /// 百 alone: a number after 百分之 only.
    Power,
    /// Anything larger, or with a point.
    Number,
}

/// A number of the text.
#[derive(Debug)]
pub(super) struct Reading {
    /// Its characters.
    pub range: Range<usize>,
    /// As it was read: for a place that says how it is meant (145 over 90).
    pub value: Option<f64>,
    /// How it is written; nothing when that is not sure from itself.
    pub digits: Option<String>,
    /// In what it stands.
    pub script: Script,
    /// How much it is.
    pub size: Size,
}

/// What a number is said in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    Digits,
    Chinese,
    English,
}

impl Reading {
    pub fn new(chars: &[char], number: &Number) -> Self {
        let range = number.start..number.end;
        let said = chars.get(range.clone()).unwrap_or_default();
        let script = match said.first() {
            Some(c) if c.is_ascii_digit() => Script::Digits,
            Some(c) if c.is_ascii_alphabetic() => Script::English,
            _ => Script::Chinese,
        };
        let whole = !broken_off(chars, &range, script);
        let digits = if whole && !number.vague { digits(chars, said, number, script) } else { None };
        Self { range, value: number.exact().filter(|_| whole), digits, script, size: size(said, number) }
    }

    /// Its digits and nothing more.
    pub fn plain(&self) -> Option<Change> {
        let written = self.digits.clone().filter(|_| self.script != Script::Digits && self.size != Size::Power)?;
        Some(Change { said: self.range.clone(), written })
    }
}

fn size(said: &[char], number: &Number) -> Size {
    match said {
        ['十' | '廿' | '卅'] => Size::Ten,
        ['百' | '千' | '萬' | '億'] => Size::Power,
        _ if number.places == 0 && number.value < 10.0 && said.first() != Some(&'零') => Size::One,
        ['零'] => Size::One,
        _ => Size::Number,
    }
}

/// The characters before a place that can tell how it is meant.
fn lead(chars: &[char], at: usize) -> String {
    let lead: String = chars.get(at.saturating_sub(NEAR)..at).unwrap_or_default().iter().collect();
    lead.to_ascii_lowercase()
}

/// Whether more of the number stands beside it than was read: 點五, 9十, 幾百二, 數十萬.
fn broken_off(chars: &[char], range: &Range<usize>, script: Script) -> bool {
    let lead = lead(chars, range.start);
    let numeral = |c: char| c.is_ascii_digit() || is_numeral(c);
    let mut back = lead.chars().rev();
    let before = back.next().is_some_and(|c| match c {
        // 三點十五分 is a time.
        '點' | '.' => !back.next().is_some_and(numeral),
        _ => SEVERAL.contains(c) || numeral(c),
    });
    let after = chars.get(range.end).is_some_and(|c| SEVERAL.contains(*c) || numeral(*c));
    let pointed = script == Script::English && lead.ends_with("point ");
    before || after || pointed
}

fn is_numeral(c: char) -> bool {
    DIGITS.contains(c) || "〇兩十百千萬億廿卅".contains(c)
}

/// The digits, if to say them again gives what was said.
fn digits(chars: &[char], said: &[char], number: &Number, script: Script) -> Option<String> {
    let written = format!("{:.*}", number.places, number.value);
    match script {
        Script::Digits if said.contains(&'度') => Some(written + "度"),
        Script::Digits => said.iter().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',')).then(|| said.iter().collect()),
        Script::English => in_words(said, written),
        Script::Chinese => in_characters(chars, said, number, written),
    }
}

fn in_words(said: &[char], written: String) -> Option<String> {
    let said: String = said.iter().collect::<String>().to_ascii_lowercase().replace('-', " ");
    let words = |text: &str| {
        let words = text.split(' ').filter(|word| *word != "and").map(|word| if word == "oh" { "zero" } else { word });
        words.map(|word| if word == "a" { "one" } else { word }).collect::<Vec<_>>().join(" ")
    };
    let one_by_one = |digits: &str| {
        let digits = digits.chars().filter_map(|c| c.to_digit(10)).map(|digit| in_english(u64::from(digit)));
        digits.collect::<Vec<_>>().join(" ")
    };
    let (whole, decimals) = written.split_once('.').unwrap_or((&written, ""));
    let tail = if decimals.is_empty() { String::new() } else { format!(" point {}", one_by_one(decimals)) };
    let full = in_english(whole.parse().ok()?) + &tail;
    if words(&said) == words(&full) {
        return Some(written);
    }
    let said_digits: Option<String> = words(&said).split(' ').map(digit_word).collect();
    said_digits.filter(|digits| is_digit_string(digits, 0))
}

fn digit_word(word: &str) -> Option<char> {
    ('0'..='9').find(|c| c.to_digit(10).is_some_and(|digit| in_english(u64::from(digit)) == word))
}

fn in_characters(chars: &[char], said: &[char], number: &Number, written: String) -> Option<String> {
    if said == ['百'] && lead(chars, number.start).ends_with(LEAD) {
        return Some("100".to_owned());
    }
    let point = said.iter().position(|c| matches!(c, '點' | '点' | '.' | '度'));
    let degrees = point.and_then(|at| said.get(at)) == Some(&'度');
    let (whole, decimals) =
        (said.get(..point.unwrap_or(said.len()))?, point.and_then(|at| said.get(at + 1..)).unwrap_or_default());
    if decimals.len() != number.places || point.is_some() && !degrees && is_time(chars, number) {
        return None;
    }
    let unit = if degrees { "度" } else { "" };
    let value: u64 = written.split_once('.').map_or(written.as_str(), |(whole, _)| whole).parse().ok()?;
    if is_said_in_cantonese(whole, value) {
        return Some(written + unit);
    }
    let digits: Option<String> = whole.iter().map(|c| digit(*c)).collect();
    let digits = digits.filter(|digits| is_digit_string(digits, number.places))?;
    let measured = lead(chars, number.start);
    if digits.len() > MEASURED && PRESSURE.iter().any(|word| measured.contains(word)) {
        return None;
    }
    let decimals = written.split_once('.').map(|(_, decimals)| format!(".{decimals}")).unwrap_or_default();
    Some(digits + &decimals + unit)
}

/// 兩 is never said digit by digit.
fn digit(c: char) -> Option<char> {
    let place = DIGITS.chars().position(|digit| digit == if c == '〇' { '零' } else { c })?;
    char::from_digit(u32::try_from(place).ok()?, 10)
}

/// 七八日 and 三四五日 are some days, 一二三 is counting, and 七七八八 a way of speaking.
fn is_digit_string(digits: &str, places: usize) -> bool {
    let values: Vec<u32> = digits.chars().filter_map(|c| c.to_digit(10)).collect();
    let counting = values.len() <= DIGIT_STRING && values.windows(2).all(|pair| matches!(pair, [a, b] if a + 1 == *b));
    let doubled = matches!(values.as_slice(), [a, b, c, d] if a == b && c == d && a != c);
    values.len() >= DIGIT_STRING && !counting && !doubled || places > 0
}

/// 下晝三點二 and 八點九分 are no decimals.
fn is_time(chars: &[char], number: &Number) -> bool {
    let lead = lead(chars, number.start);
    DAYTIME.iter().any(|word| lead.contains(word)) || CLOCK.iter().any(|word| starts_with(chars, number.end, word))
}
