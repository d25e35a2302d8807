//! A patient as the desk knows them.

use serde::{Deserialize, Serialize};

use super::line::{line, present};
use super::{GivenNumber, Identifier, IdentifierKind, Sought, VisitError};
use crate::identity::{Date, Hkid, Person, Sex};
use crate::text::PatientText;

/// The longest name.
const LONGEST_NAME: usize = 100;
/// The longest name of what somebody is allergic to.
const LONGEST_ALLERGY: usize = 100;
/// Most numbers of one patient.
const MOST_IDENTIFIERS: usize = 8;
/// Most allergies of one patient.
const MOST_ALLERGIES: usize = 30;
/// Nobody living is older.
const OLDEST_YEARS: u16 = 130;

/// What somebody typed of a patient.
#[derive(Clone, Copy, Default)]
pub struct Given<'a> {
    /// A name in Latin letters, or what the patient goes by.
    pub name: &'a str,
    /// A Chinese name.
    pub chinese_name: Option<&'a str>,
    /// The numbers that the patient is known by.
    pub identifiers: &'a [GivenNumber<'a>],
    /// `female`, `male`, or nothing where it is not known.
    pub sex: Option<&'a str>,
    /// A day, `1961-03-02`.
    pub born: Option<&'a str>,
    /// Nothing where nobody asked; an empty list where there are none.
    pub allergies: Option<&'a [String]>,
}

/// A patient. Its `Debug` shows what is there and nothing of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Patient {
    /// A name in Latin letters, or what the patient goes by.
    pub name: PatientText,
    /// A Chinese name.
    pub chinese_name: Option<PatientText>,
    /// The numbers that the patient is known by.
    pub identifiers: Vec<Identifier>,
    /// As on the identity card; nothing where it is not known.
    pub sex: Option<Sex>,
    /// Date of birth.
    pub born: Option<Date>,
    /// What the patient is known to be allergic to. Nothing: nobody asked. Empty: none is known.
    pub allergies: Option<Vec<PatientText>>,
}

impl Patient {
    /// A patient as given on the day `today`.
    ///
    /// # Errors
    /// What is wrong, with its field, and without quoting it.
    pub fn new(given: &Given<'_>, today: Date) -> Result<Self, VisitError> {
        count("identifiers", given.identifiers.len(), MOST_IDENTIFIERS)?;
        let mut identifiers: Vec<Identifier> = Vec::new();
        for number in given.identifiers {
            let identifier = Identifier::new(number)?;
            if identifiers.iter().any(|other| other.is_same(&identifier)) {
                return Err(VisitError::Twice { field: "identifiers" });
            }
            identifiers.push(identifier);
        }
        let allergies = given.allergies.map(|allergies| {
            count("allergies", allergies.len(), MOST_ALLERGIES)?;
            allergies.iter().map(|allergy| line("allergies", allergy, LONGEST_ALLERGY)).collect()
        });
        Ok(Self {
            name: line("name", given.name, LONGEST_NAME)?,
            chinese_name: present(given.chinese_name).map(|name| line("chinese_name", name, LONGEST_NAME)).transpose()?,
            identifiers,
            sex: present(given.sex).map(sex).transpose()?,
            born: present(given.born).map(|born| birth(born, today)).transpose()?,
            allergies: allergies.transpose()?,
        })
    }

    /// What tells who the patient is, as far as it is known here; their telephone number is kept elsewhere.
    #[must_use]
    pub fn person(&self) -> Person {
        // What a patient goes by may be in Chinese.
        let is_latin = self.name.reveal().chars().any(|c| c.is_ascii_alphabetic());
        let chinese = self.chinese_name.clone().or_else(|| (!is_latin).then(|| self.name.clone()));
        let card = self.identifiers.iter().find(|identifier| identifier.kind == IdentifierKind::Hkid);
        let hkid = card.and_then(|card| Hkid::parse(card.value.reveal()).ok());
        let romanised = is_latin.then(|| self.name.clone());
        Person { chinese, romanised, born: self.born, sex: self.sex, phone: None, hkid }
    }

    /// Whether the patient is who somebody is looking for: a part of a name, in any case, or so much of a number.
    #[must_use]
    pub fn answers_to(&self, typed: &str, sought: Sought) -> bool {
        let wanted = typed.trim().to_lowercase();
        let mut names = [Some(&self.name), self.chinese_name.as_ref()].into_iter().flatten();
        !wanted.is_empty()
            && (names.any(|name| name.reveal().to_lowercase().contains(&wanted))
                || self.identifiers.iter().any(|identifier| identifier.answers_to(typed, sought)))
    }
}

fn count(field: &'static str, count: usize, most: usize) -> Result<(), VisitError> {
    if count > most { Err(VisitError::TooMany { field, count, most }) } else { Ok(()) }
}

fn sex(given: &str) -> Result<Sex, VisitError> {
    match given {
        "female" => Ok(Sex::Female),
        "male" => Ok(Sex::Male),
        _ => Err(VisitError::NoSuch { field: "sex", words: "`female` and `male`; leave it out where it is not known" }),
    }
}

fn birth(given: &str, today: Date) -> Result<Date, VisitError> {
    let field = "born";
    let born = Date::parse(given.trim()).map_err(|reason| VisitError::Identity { field, reason })?;
    let (year, ..) = today.parts();
    let (birth_year, ..) = born.parts();
    if born > today || birth_year.saturating_add(OLDEST_YEARS) < year { Err(VisitError::NotBorn { field }) } else { Ok(born) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> Date {
        Date::parse("2026-11-26").unwrap()
    }

    const NUMBERS: [GivenNumber<'_>; 2] = [GivenNumber::own("hkid", "A123456(3)"), GivenNumber::own("clinic", "K-17")];

    fn given<'a>() -> Given<'a> {
        Given {
            name: "CHAN Tai Man",
            chinese_name: Some("陳大文"),
            identifiers: &NUMBERS,
            sex: Some("male"),
            born: Some("1961-03-02"),
            allergies: None,
        }
    }

    #[test]
    fn a_label_is_a_patient_and_an_empty_field_is_left_out() {
        let label =
            Given { name: " Room 3, second ", chinese_name: Some(" "), sex: Some(""), born: Some(""), ..Given::default() };
        let label = Patient::new(&label, today()).unwrap();
        assert_eq!(label.name.reveal(), "Room 3, second");
        assert!(label.chinese_name.is_none() && label.sex.is_none() && label.born.is_none() && label.allergies.is_none());
    }

    #[test]
    fn a_patient_is_kept_as_json_and_shows_nothing() {
        let allergies = ["penicillin".to_owned()];
        let patient = Patient::new(&Given { allergies: Some(&allergies), ..given() }, today()).unwrap();
        let json = serde_json::to_string(&patient).unwrap();
        assert_eq!(serde_json::from_str::<Patient>(&json).unwrap(), patient);
        assert!(json.contains("\"born\":\"1961-03-02\"") && json.contains("\"sex\":\"male\""), "{json}");
        let shown = format!("{patient:?}");
        for hidden in ["CHAN", "陳", "123456", "1961", "penicillin"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_not_quoted() {
        let many = vec!["x".to_owned(); 31];
        let own = GivenNumber::own;
        let issued = |issuer| GivenNumber { issuer: Some(issuer), ..own("clinic", "K-17") };
        let several = Given { identifiers: &[own("clinic", "K-17"), issued("PMH"), issued("QMH")], ..given() };
        assert_eq!(Patient::new(&several, today()).unwrap().identifiers.len(), 3, "one number of three institutions");
        let nine = ["1", "2", "3", "4", "5", "6", "7", "8", "9"].map(|value| own("other", value));
        for (wrong, field) in [
            (Given { name: "", ..given() }, "name"),
            (Given { name: "a\u{202e}b", ..given() }, "name"),
            (Given { chinese_name: Some("\u{1}"), ..given() }, "chinese_name"),
            (Given { identifiers: &[own("hkid", "A123456(4)")], ..given() }, "identifiers"),
            (Given { identifiers: &[own("clinic", "K-17"), own("clinic", "k17")], ..given() }, "identifiers"),
            (Given { identifiers: &[issued("PMH"), issued("ｐｍｈ")], ..given() }, "identifiers"),
            (Given { identifiers: &[issued("P\u{202e}MH")], ..given() }, "identifiers.issuer"),
            (Given { identifiers: &nine, ..given() }, "identifiers"),
            (Given { sex: Some("M"), ..given() }, "sex"),
            (Given { born: Some("1961-02-30"), ..given() }, "born"),
            (Given { born: Some("02/03/1961"), ..given() }, "born"),
            (Given { born: Some("2026-11-27"), ..given() }, "born"),
            (Given { born: Some("1861-03-02"), ..given() }, "born"),
            (Given { allergies: Some(&many), ..given() }, "allergies"),
        ] {
            let error = Patient::new(&wrong, today()).unwrap_err().to_string();
            assert!(error.contains(&format!("`{field}`")), "{error}");
            assert!(!error.contains("A123456") && !error.contains("1961") && !error.contains("K-17"), "{error}");
        }
    }

    #[test]
    fn a_patient_is_found_by_a_part_of_a_name_or_number() {
        let patient = Patient::new(&given(), today()).unwrap();
        for typed in ["chan", " Tai M", "大文", "a123456", "4563", "k17"] {
            assert!(patient.answers_to(typed, Sought::Part), "{typed}");
        }
        for typed in ["", " ", "wong", "黃", "456"] {
            assert!(!patient.answers_to(typed, Sought::Part), "{typed}");
        }
        for typed in ["chan", "大文", "a123456(3)", "K-17"] {
            assert!(patient.answers_to(typed, Sought::Whole), "{typed}");
        }
        for typed in ["", "a123456", "4563", "k1"] {
            assert!(!patient.answers_to(typed, Sought::Whole), "{typed}");
        }
    }
}
