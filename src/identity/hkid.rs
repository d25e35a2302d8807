//! Hong Kong identity card numbers.

use std::fmt;

use super::IdentityError;
use super::index::{IndexKey, KeyedHash};

/// A number whose check digit is right, without spaces and brackets: one or two letters, six digits, the check digit.
///
/// A right digit says that the number was typed as it stands on a card, and nothing about whose card it is. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Hkid(String);

impl Hkid {
    /// Reads a number with or without brackets, spaces and small letters: `A123456(3)`, `ab 987654 3`.
    ///
    /// # Errors
    /// [`IdentityError::HkidShape`] where it has another form, [`IdentityError::HkidDigit`] where the check digit is another.
    pub fn parse(given: &str) -> Result<Self, IdentityError> {
        let left_out = |c: &char| !c.is_whitespace() && !matches!(c, '(' | ')' | '（' | '）' | '-');
        // Nothing longer can be right.
        let plain: String = given.chars().filter(left_out).take(10).map(|c| c.to_ascii_uppercase()).collect();
        let (body, check) = plain.split_at_checked(plain.len().saturating_sub(1)).ok_or(IdentityError::HkidShape)?;
        let letters = body.len().saturating_sub(6);
        let (prefix, digits) = body.split_at_checked(letters).ok_or(IdentityError::HkidShape)?;
        let shaped = (1..=2).contains(&letters)
            && prefix.bytes().all(|byte| byte.is_ascii_uppercase())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && check.bytes().all(|byte| byte.is_ascii_digit() || byte == b'A');
        if !shaped {
            return Err(IdentityError::HkidShape);
        }
        if check_digit(body) == check.chars().next() { Ok(Self(plain)) } else { Err(IdentityError::HkidDigit) }
    }

    /// The number itself. Call this only to seal it, or for whoever may see it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What it is found by: without the key nothing can be learnt from it, though there are few enough numbers to try them all.
    ///
    /// # Errors
    /// [`IdentityError::Hash`], which no number gives.
    pub fn hash(&self, key: &IndexKey) -> Result<KeyedHash, IdentityError> {
        key.hash("hkid", &self.0)
    }
}

impl fmt::Debug for Hkid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hkid(..)")
    }
}

/// The check digit of one or two letters and six digits.
///
/// Letters count from A = 10, a missing first letter as 36; the weights are 9 down to 2, and with the check digit, whose ten is written A,
/// the sum is a multiple of 11.
fn check_digit(body: &str) -> Option<char> {
    let value = |c: char| c.to_digit(36);
    let padding = (body.len() == 7).then_some(36);
    let values = padding.into_iter().chain(body.chars().filter_map(value));
    let sum: u32 = values.zip((2..=9).rev()).map(|(value, weight)| value * weight).sum();
    match (11 - sum % 11) % 11 {
        10 => Some('A'),
        digit => char::from_digit(digit, 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_however_they_are_written() {
        for (given, plain) in [
            ("A123456(3)", "A1234563"),
            ("e364912(5)", "E3649125"),
            ("AB987654(3)", "AB9876543"),
            (" ab 987654 （3） ", "AB9876543"),
        ] {
            assert_eq!(Hkid::parse(given).unwrap().reveal(), plain);
        }
        for shape in ["", "3", "A12345(3)", "1234567(3)", "ABC123456(3)", "A123456(B)", "Ａ123456(3)", "A1234567(3)", "陳大文"]
        {
            assert_eq!(Hkid::parse(shape), Err(IdentityError::HkidShape), "{shape}");
        }
        assert_eq!(Hkid::parse("A123456(4)"), Err(IdentityError::HkidDigit));
        assert_eq!(format!("{:?}", Hkid::parse("A123456(3)").unwrap()), "Hkid(..)");
    }

    /// What the digit is for: any one wrong character, and any two neighbours in the wrong order.
    #[test]
    fn one_wrong_digit_and_two_swapped_ones_are_found() {
        for number in ["A123456", "Z683365", "AB987654", "XY000001"] {
            let right = format!("{number}{}", check_digit(number).unwrap());
            assert!(Hkid::parse(&right).is_ok());
            let characters: Vec<char> = right.chars().collect();
            for at in number.len() - 6..right.len() {
                for digit in '0'..='9' {
                    let mut wrong = characters.clone();
                    wrong[at] = digit;
                    assert_eq!(Hkid::parse(&wrong.iter().collect::<String>()).is_ok(), wrong == characters);
                }
                if at + 1 < right.len() - 1 {
                    let mut wrong = characters.clone();
                    wrong.swap(at, at + 1);
                    assert_eq!(Hkid::parse(&wrong.iter().collect::<String>()).is_ok(), wrong == characters);
                }
            }
        }
    }

    #[test]
    fn a_hash_needs_its_key() {
        let (one, other) = (Hkid::parse("A123456(3)").unwrap(), Hkid::parse("a1234563").unwrap());
        let key = IndexKey::from_bytes([1; 32]);
        assert_eq!(one.hash(&key), other.hash(&key));
        assert_ne!(one.hash(&key), one.hash(&IndexKey::from_bytes([2; 32])));
        assert_ne!(one.hash(&key), key.hash("phone", one.reveal()));
    }
}
