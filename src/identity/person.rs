//! What is known of a patient, as far as it tells who they are.

use serde::{Deserialize, Serialize};

use super::hkid::Hkid;
use super::index::{IndexKey, KeyedHash};
use super::{IdentityError, name};
use crate::text::PatientText;

/// A day of the calendar.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    pub(super) year: u16,
    pub(super) month: u8,
    pub(super) day: u8,
}

impl Date {
    /// The day, if there is one.
    ///
    /// # Errors
    /// [`IdentityError::Date`].
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, IdentityError> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let last = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => 0,
        };
        if (1..=last).contains(&day) { Ok(Self { year, month, day }) } else { Err(IdentityError::Date) }
    }

    /// Reads `1961-03-02`.
    ///
    /// # Errors
    /// [`IdentityError::Date`].
    pub fn parse(given: &str) -> Result<Self, IdentityError> {
        let wrong = IdentityError::Date;
        let [year, month, day] = given.split('-').collect::<Vec<_>>().try_into().map_err(|_| wrong)?;
        let digits = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        if !(digits(year, 4) && digits(month, 2) && digits(day, 2)) {
            return Err(wrong);
        }
        Self::new(year.parse().map_err(|_| wrong)?, month.parse().map_err(|_| wrong)?, day.parse().map_err(|_| wrong)?)
    }

    /// Year, month and day. Call this only to compute on them.
    #[must_use]
    pub fn parts(self) -> (u16, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// As [`Self::parse`] reads it. Call this only to write a document that is meant to hold it.
    #[must_use]
    pub fn reveal(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// Day and month in each other's place.
    pub(super) fn swapped(self) -> Self {
        Self { month: self.day, day: self.month, ..self }
    }
}

impl TryFrom<String> for Date {
    type Error = IdentityError;

    fn try_from(given: String) -> Result<Self, IdentityError> {
        Self::parse(&given)
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.reveal()
    }
}

/// A date of birth is hidden too.
impl std::fmt::Debug for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Date(..)")
    }
}

/// As it stands on the identity card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
}

/// What one institution knows of a patient. Whatever it does not know is left out.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// The Chinese name, as on the identity card.
    pub chinese: Option<PatientText>,
    /// The name in Latin letters, surname first or last.
    pub romanised: Option<PatientText>,
    /// Date of birth.
    pub born: Option<Date>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Telephone number.
    pub phone: Option<PatientText>,
    /// Identity card number, its check digit right.
    pub hkid: Option<Hkid>,
}

impl Person {
    /// The keys under which a person is entered and looked up: two people who share none are never compared. All are keyed hashes.
    ///
    /// # Errors
    /// [`IdentityError::Hash`], which nothing gives.
    pub fn keys(&self, key: &IndexKey) -> Result<Vec<KeyedHash>, IdentityError> {
        let mut keys = Vec::new();
        if let Some(hkid) = &self.hkid {
            keys.push(hkid.hash(key)?);
        }
        if let Some(date) = self.born {
            // One key for a day and for its swapped one.
            let (low, high) = (date.month.min(date.day), date.month.max(date.day));
            keys.push(key.hash("born", &format!("{} {low} {high}", date.year))?);
        }
        if let Some(phone) = self.phone.as_ref().map(phone_digits).filter(|digits| !digits.is_empty()) {
            keys.push(key.hash("phone", &phone)?);
        }
        if let Some(chinese) = self.chinese.as_ref().map(name::chinese).filter(|name| !name.is_empty()) {
            keys.push(key.hash("chinese", &chinese.into_iter().collect::<String>())?);
        }
        if let Some(romanised) = self.romanised.as_ref().map(name::tokens).filter(|tokens| !tokens.is_empty()) {
            let mut letters: Vec<char> = romanised.concat().chars().collect();
            letters.sort_unstable();
            keys.push(key.hash("romanised", &letters.into_iter().collect::<String>())?);
        }
        Ok(keys)
    }
}

/// The last eight digits, which is a number of Hong Kong without its area code.
pub(super) fn phone_digits(phone: &PatientText) -> String {
    let digits: Vec<char> = phone.reveal().chars().filter(char::is_ascii_digit).collect();
    digits.iter().skip(digits.len().saturating_sub(8)).collect()
}
