//! Where a message goes.

use std::fmt;

use super::GatewayError;

/// Digits of the shortest and the longest number, the country's included (ITU-T E.164).
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// What a number of eight digits without a country is taken to be of.
const HONG_KONG: &str = "852";
/// The longest mail address (RFC 5321, 4.5.3.1.3).
const LONGEST_MAIL: usize = 254;

/// A telephone or a mailbox. Its `Debug` does not show which.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// A telephone number in E.164's form: `+`, the country and the number.
    Phone(String),
    /// A mailbox.
    Mail(String),
}

impl Address {
    /// A telephone number as people write it. Eight digits alone are a number in Hong Kong.
    ///
    /// # Errors
    /// [`GatewayError::Address`] for what is no number.
    pub fn phone(text: &str) -> Result<Self, GatewayError> {
        let wrong = GatewayError::Address { expected: "a telephone number" };
        let text = text.trim();
        let (abroad, rest) = match text.strip_prefix('+').or_else(|| text.strip_prefix("00")) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if !rest.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '(' | ')')) {
            return Err(wrong);
        }
        let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
        if abroad && DIGITS.contains(&digits.len()) && !digits.starts_with('0') {
            Ok(Self::Phone(format!("+{digits}")))
        } else if !abroad && digits.len() == 8 && !digits.starts_with(['0', '1']) {
            Ok(Self::Phone(format!("+{HONG_KONG}{digits}")))
        } else {
            Err(wrong)
        }
    }

    /// A mailbox, as `name@domain` and nothing else.
    ///
    /// # Errors
    /// [`GatewayError::Address`] for what is none.
    pub fn mail(text: &str) -> Result<Self, GatewayError> {
        let wrong = GatewayError::Address { expected: "a mail address" };
        let text = text.trim();
        if text.len() > LONGEST_MAIL || text.parse::<lettre::Address>().is_err() {
            return Err(wrong);
        }
        Ok(Self::Mail(text.to_owned()))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Phone(_) => "Phone(..)",
            Self::Mail(_) => "Mail(..)",
        })
    }
}
