//! The numbers that a patient is known by.

use serde::{Deserialize, Serialize};

use super::VisitError;
use super::line::line;
use crate::identity::{Hkid, IdentityError, IndexKey, KeyedHash};
use crate::text::PatientText;

/// The field in errors.
const FIELD: &str = "identifiers";
/// The longest number of a hospital or a clinic.
const LONGEST: usize = 32;

/// Whose number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentifierKind {
    /// A Hong Kong identity card's.
    Hkid,
    /// A passport's or another travel document's.
    Passport,
    /// A hospital's.
    Hospital,
    /// This clinic's own.
    Clinic,
    /// Somebody else's.
    Other,
}

impl IdentifierKind {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Hkid, "hkid"),
        (Self::Passport, "passport"),
        (Self::Hospital, "hospital"),
        (Self::Clinic, "clinic"),
        (Self::Other, "other"),
    ];

    /// `hkid`, `passport`, `hospital`, `clinic` or `other`.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("other", |(_, name)| name)
    }

    fn of_name(name: &str) -> Result<Self, VisitError> {
        let found = Self::ALL.iter().find(|(_, known)| *known == name);
        let words = "`hkid`, `passport`, `hospital`, `clinic` and `other`";
        found.map(|(kind, _)| *kind).ok_or(VisitError::NoSuch { field: "identifiers.kind", words })
    }
}

/// A number of a kind. Its `Debug` shows the kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// Whose number it is.
    pub kind: IdentifierKind,
    /// As it is written: an identity card's with its check digit in brackets.
    pub value: PatientText,
}

impl Identifier {
    /// A number of the kind that `kind` names.
    ///
    /// # Errors
    /// No such kind; a card's number whose form or check digit is wrong; a passport's with other than letters and digits; a number that is
    /// empty, too long, or holds what cannot be seen.
    pub fn new(kind: &str, value: &str) -> Result<Self, VisitError> {
        let kind = IdentifierKind::of_name(kind)?;
        let value = line(FIELD, value, LONGEST)?;
        let value = match kind {
            IdentifierKind::Hkid => {
                let hkid = Hkid::parse(value.reveal()).map_err(|reason| VisitError::Identity { field: FIELD, reason })?;
                let (body, check) = hkid.reveal().split_at(hkid.reveal().len().saturating_sub(1));
                PatientText::from(format!("{body}({check})"))
            }
            IdentifierKind::Passport => {
                let plain: String = value.reveal().chars().filter(|c| *c != ' ' && *c != '-').collect();
                if !(5..=20).contains(&plain.len()) || !plain.chars().all(|c| c.is_ascii_alphanumeric()) {
                    return Err(VisitError::Passport { field: FIELD });
                }
                PatientText::from(plain.to_ascii_uppercase())
            }
            _ => value,
        };
        Ok(Self { kind, value })
    }

    /// What it is found by. Spaces, hyphens, brackets and small letters make no difference.
    ///
    /// # Errors
    /// [`IdentityError::Hash`], which no number gives.
    pub fn hash(&self, key: &IndexKey) -> Result<KeyedHash, IdentityError> {
        key.hash(self.kind.name(), &plain(self.value.reveal()))
    }

    /// Whether somebody typed the number: the whole of it, or where that is enough at least four characters.
    #[must_use]
    pub fn answers_to(&self, typed: &str, sought: Sought) -> bool {
        let (typed, number) = (plain(typed), plain(self.value.reveal()));
        let is_part = sought == Sought::Part && typed.chars().count() >= 4 && number.contains(&typed);
        !typed.is_empty() && (number == typed || is_part)
    }
}

/// How much of a number finds a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought {
    /// Four characters of it.
    Part,
    /// All of it. Who is told numbers masked looks for them so: part by part they could find out what is hidden.
    Whole,
}

/// Letters and digits alone, in capitals.
fn plain(number: &str) -> String {
    number.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_one_way_and_a_slip_is_told() {
        let read = |kind, value| Identifier::new(kind, value).map(|found| found.value.reveal().to_owned());
        assert_eq!(read("hkid", " a123456 (3) ").unwrap(), "A123456(3)");
        assert_eq!(read("hkid", "AB9876543").unwrap(), "AB987654(3)");
        assert_eq!(read("passport", "k 1234567").unwrap(), "K1234567");
        assert_eq!(read("clinic", "2026/00017").unwrap(), "2026/00017");
        let reason = IdentityError::HkidDigit;
        assert_eq!(read("hkid", "A123456(4)"), Err(VisitError::Identity { field: "identifiers", reason }));
        for (kind, value) in
            [("hkid", "987"), ("passport", "A/1"), ("clinic", ""), ("hospital", "1\u{0}2"), ("nhs", "1"), ("HKID", "A123456(3)")]
        {
            let error = read(kind, value).unwrap_err().to_string();
            assert!(value.is_empty() || !error.contains(value), "{error}");
        }
        assert!(read("other", &"9".repeat(33)).is_err());
        assert_eq!(
            format!("{:?}", Identifier::new("hkid", "A123456(3)").unwrap()),
            "Identifier { kind: Hkid, value: PatientText(10 chars) }"
        );
    }

    #[test]
    fn a_number_is_found_however_it_is_typed() {
        let key = IndexKey::from_bytes([1; 32]);
        let number = |kind, value| Identifier::new(kind, value).unwrap();
        assert_eq!(number("hkid", "A1234563").hash(&key), number("hkid", "a123456(3)").hash(&key));
        assert_ne!(number("clinic", "12345678").hash(&key), number("hospital", "12345678").hash(&key));
        let answers = |typed, sought| number("hkid", "A123456(3)").answers_to(typed, sought);
        assert!(answers("4563", Sought::Part) && answers("a123", Sought::Part));
        assert!(!answers("456", Sought::Part) && !answers("()", Sought::Part) && !answers("", Sought::Part));
        assert!(answers("a1234563", Sought::Whole) && answers("A123456 (3)", Sought::Whole));
        for typed in ["A123", "4563", "A123456", "1234563", "A12345634", "", "()"] {
            assert!(!answers(typed, Sought::Whole), "{typed}");
        }
    }
}
