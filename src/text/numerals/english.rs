//! English numbers: `one hundred and forty six`, `one forty six`, `ninety two`, `nine one two three`.

use super::{Number, char_at, exact};

/// So many digits in a row are a number said digit by digit; `two one` more often is two numbers.
const DIGIT_STRING: usize = 3;

fn value_of(word: &str) -> Option<u32> {
    Some(match word {
        "zero" => 0,
        "one" => 1,
        "two" => 2,
        "three" => 3,
        "four" => 4,
        "five" => 5,
        "six" => 6,
        "seven" => 7,
        "eight" => 8,
        "nine" => 9,
        "ten" => 10,
        "eleven" => 11,
        "twelve" => 12,
        "thirteen" => 13,
        "fourteen" => 14,
        "fifteen" => 15,
        "sixteen" => 16,
        "seventeen" => 17,
        "eighteen" => 18,
        "nineteen" => 19,
        "twenty" => 20,
        "thirty" => 30,
        "forty" => 40,
        "fifty" => 50,
        "sixty" => 60,
        "seventy" => 70,
        "eighty" => 80,
        "ninety" => 90,
        "hundred" => 100,
        "thousand" => 1000,
        "million" => 1_000_000,
        _ => return None,
    })
}

/// The word at a place, and where it ends.
fn word(chars: &[char], at: usize) -> (String, usize) {
    let word: String = chars.iter().skip(at).take_while(|c| c.is_ascii_alphabetic()).collect();
    let end = at + word.len();
    (word, end)
}

/// Where the word after this one begins, if only a space or a hyphen parts them.
fn next(chars: &[char], end: usize) -> Option<usize> {
    matches!(char_at(chars, end), ' ' | '-').then_some(end + 1)
}

/// Where the digits begin after ` point `, if that is what stands here.
pub(super) fn point(chars: &[char], at: usize) -> Option<usize> {
    " point ".chars().enumerate().all(|(offset, c)| char_at(chars, at + offset) == c).then_some(at + " point ".len())
}

/// Digits said one by one, and where they end: `nine one oh`.
pub(super) fn digits(chars: &[char], from: usize) -> (Vec<u32>, usize) {
    let (mut all, mut end, mut cursor) = (Vec::new(), from, Some(from));
    while let Some(at) = cursor {
        let (said, after) = word(chars, at);
        let digit = if said == "oh" && !all.is_empty() { Some(0) } else { value_of(&said).filter(|value| *value < 10) };
        let Some(digit) = digit else { break };
        all.push(digit);
        end = after;
        cursor = next(chars, after);
    }
    (all, end)
}

/// The number at a place.
pub(super) fn number(chars: &[char], at: usize) -> Option<Number> {
    if at.checked_sub(1).is_some_and(|before| char_at(chars, before).is_ascii_alphanumeric()) {
        return None;
    }
    let (string, end) = digits(chars, at);
    if string.len() >= DIGIT_STRING {
        let value = string.iter().fold(0.0, |sum, digit| sum * 10.0 + f64::from(*digit));
        return Some(exact(at, end, value));
    }
    by_place(chars, at)
}

/// What may follow depends on what was said last.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    Nothing,
    Unit,
    Teen,
    Tens,
    /// Hundred, thousand, million.
    Scale,
}

fn by_place(chars: &[char], at: usize) -> Option<Number> {
    let (mut total, mut section, mut last, mut scale) = (0_u32, 0_u32, Last::Nothing, u32::MAX);
    let (mut cursor, mut end) = (Some(at), at);
    while let Some(here) = cursor {
        let (said, after) = word(chars, here);
        if said == "and" && last == Last::Scale {
            cursor = next(chars, after);
            continue;
        }
        let one_of = said == "a" && last == Last::Nothing && next(chars, after).is_some_and(|at| is_scale(&word(chars, at).0));
        let Some(value) = (if one_of { Some(1) } else { value_of(&said) }) else { break };
        let clipped = last == Last::Unit && total == 0 && section < 10;
        (section, last) = match (value, last) {
            (0..=9, Last::Nothing | Last::Tens | Last::Scale) => (section + value, Last::Unit),
            (10..=19, Last::Nothing | Last::Scale) => (section + value, Last::Teen),
            (20..=90, Last::Nothing | Last::Scale) => (section + value, Last::Tens),
            // "one forty": the one stands for a hundred.
            (10..=19, Last::Unit) if clipped => (section * 100 + value, Last::Teen),
            (20..=90, Last::Unit) if clipped => (section * 100 + value, Last::Tens),
            (100, Last::Nothing) => (100, Last::Scale),
            (100, _) if (1..100).contains(&section) => (section * 100, Last::Scale),
            (1000.., _) if value < scale && section < 1000 && (section > 0 || last == Last::Nothing) => {
                total += section.max(1) * value;
                scale = value;
                (0, Last::Scale)
            }
            _ => break,
        };
        end = after;
        cursor = next(chars, after);
    }
    (end > at).then(|| exact(at, end, f64::from(total + section)))
}

fn is_scale(word: &str) -> bool {
    value_of(word).is_some_and(|value| value >= 100)
}
