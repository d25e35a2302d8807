//! Hong Kong identity card numbers: A 一二三四五六 括號 三.

use super::Change;
use super::reading::{Reading, Size};
use super::starts_with;

/// Digits between the letters and the check digit.
const DIGITS: usize = 6;
/// What is said before and after a check digit.
const BRACKETS: [&str; 7] = ["括號", "括弧", "bracket", "(", "（", ")", "）"];

/// The numbers whose check digit is right, as the card shows them; of others only the digits that were said are written, as of any
/// number said digit by digit.
pub(super) fn identity_cards(chars: &[char], readings: &[Reading]) -> Vec<Change> {
    readings.iter().enumerate().filter_map(|(index, reading)| card(chars, reading, readings.get(index + 1))).collect()
}

fn card(chars: &[char], reading: &Reading, next: Option<&Reading>) -> Option<Change> {
    let said = reading.digits.as_ref().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let (start, letters) = letters(chars, reading.range.start)?;
    let (digits, check, end) = match said.len() - said.len().min(DIGITS) {
        0 if said.len() == DIGITS => {
            let at = skip(chars, reading.range.end);
            let (check, end) = check_after(chars, at, next)?;
            (said.as_str(), check, end)
        }
        1 => (said.get(..DIGITS)?, said.chars().next_back()?, reading.range.end),
        _ => return None,
    };
    let closed = skip(chars, end);
    let end = if closed > end && bracketed(chars, reading.range.end, end) { closed } else { end };
    (check_digit(&letters, digits)? == check).then(|| Change { said: start..end, written: format!("{letters}{digits}({check})") })
}

/// One or two letters before a place, and where they begin.
fn letters(chars: &[char], at: usize) -> Option<(usize, String)> {
    let end = if at.checked_sub(1).and_then(|before| chars.get(before)) == Some(&' ') { at - 1 } else { at };
    let count = chars.get(..end)?.iter().rev().take_while(|c| c.is_ascii_alphabetic()).count();
    let start = end - count;
    let letters: String = chars.get(start..end)?.iter().collect();
    ((1..=2).contains(&count)).then(|| (start, letters.to_ascii_uppercase()))
}

/// Past spaces and one bracket.
fn skip(chars: &[char], at: usize) -> usize {
    let spaces = |at: usize| at + chars.iter().skip(at).take_while(|c| **c == ' ').count();
    let from = spaces(at);
    BRACKETS.iter().find(|bracket| starts_with(chars, from, bracket)).map_or(at, |bracket| spaces(from + bracket.chars().count()))
}

/// Whether a bracket was opened before the check digit.
fn bracketed(chars: &[char], digits_end: usize, end: usize) -> bool {
    skip(chars, digits_end) > digits_end && digits_end < end
}

/// The check digit at a place, and where it ends: a digit, or the letter A.
fn check_after(chars: &[char], at: usize, next: Option<&Reading>) -> Option<(char, usize)> {
    if chars.get(at).is_some_and(|c| c.eq_ignore_ascii_case(&'a')) && !chars.get(at + 1).is_some_and(char::is_ascii_alphanumeric)
    {
        return Some(('A', at + 1));
    }
    let next = next.filter(|next| next.range.start == at && next.size == Size::One)?;
    Some((next.digits.as_ref()?.chars().next()?, next.range.end))
}

/// The check digit of letters and six digits: weights 9 to 2, a space (36) before a single letter, A for 10.
fn check_digit(letters: &str, digits: &str) -> Option<char> {
    let padding = std::iter::repeat_n(36, 2_usize.checked_sub(letters.len())?);
    let values = letters.chars().chain(digits.chars()).map(|c| c.to_digit(36).unwrap_or_default());
    let sum: u32 = padding.chain(values).zip((2..=9).rev()).map(|(value, weight)| value * weight).sum();
    match (11 - sum % 11) % 11 {
        10 => Some('A'),
        digit => char::from_digit(digit, 10),
    }
}
