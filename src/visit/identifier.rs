//! The numbers that a patient is known by.

use serde::{Deserialize, Serialize};

use super::VisitError;
use super::issuer::{FIELD as ISSUER_FIELD, Issuer};
use super::line::{line, present};
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
    /// A clinic's.
    Clinic,
    /// Another institution's.
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

    /// Whether an institution issues such numbers, so that two may issue the same one.
    fn is_an_institutions(self) -> bool {
        match self {
            Self::Hkid | Self::Passport => false,
            Self::Hospital | Self::Clinic | Self::Other => true,
        }
    }
}

/// A number as somebody typed it.
#[derive(Clone, Copy)]
pub struct GivenNumber<'a> {
    /// `hkid`, `passport`, `hospital`, `clinic` or `other`.
    pub kind: &'a str,
    /// The number.
    pub value: &'a str,
    /// The institution that issued it; nothing, or an empty text, where it is the own number of the organisation that enters it or is asked.
    pub issuer: Option<&'a str>,
}

impl<'a> GivenNumber<'a> {
    /// A state's number, or the own number of the organisation that enters it or is asked.
    #[must_use]
    pub const fn own(kind: &'a str, value: &'a str) -> Self {
        Self { kind, value, issuer: None }
    }
}

/// A number of a kind. Its `Debug` shows the kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// Whose number it is.
    pub kind: IdentifierKind,
    /// As it is written: an identity card's with its check digit in brackets.
    pub value: PatientText,
    /// The institution that issued it; nothing where it is the own number of the organisation that keeps it, and for a state's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Issuer>,
}

impl Identifier {
    /// The number that somebody typed.
    ///
    /// # Errors
    /// No such kind; a card's number whose form or check digit is wrong; a passport's with other than letters and digits; a number or an
    /// issuer that is empty, too long, or holds what cannot be seen; an issuer of a state's number.
    pub fn new(given: &GivenNumber<'_>) -> Result<Self, VisitError> {
        let kind = IdentifierKind::of_name(given.kind)?;
        let issuer = present(given.issuer).map(Issuer::new).transpose()?;
        if issuer.is_some() && !kind.is_an_institutions() {
            return Err(VisitError::NotIssued { field: ISSUER_FIELD });
        }
        let value = line(FIELD, given.value, LONGEST)?;
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
        Ok(Self { kind, value, issuer })
    }

    /// What it is found by. Spaces, hyphens, brackets and small letters make no difference. One without an issuer has the hash that it had
    /// before there were issuers.
    ///
    /// # Errors
    /// [`IdentityError::Hash`], which no number gives.
    pub fn hash(&self, key: &IndexKey) -> Result<KeyedHash, IdentityError> {
        let (kind, number) = (self.kind.name(), plain(self.value.reveal()));
        match &self.issuer {
            None => key.hash(kind, &number),
            Some(issuer) => key.hash_issued(kind, &issuer.folded(), &number),
        }
    }

    /// Whether it is the same number: of the same kind and issuer, however both are written.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let issuer = |one: &Self| one.issuer.as_ref().map(Issuer::folded);
        self.kind == other.kind && issuer(self) == issuer(other) && plain(self.value.reveal()) == plain(other.value.reveal())
    }

    /// The number with who issued it, where somebody is named: `12345 (QMH)`.
    #[must_use]
    pub fn written(&self) -> PatientText {
        match &self.issuer {
            None => self.value.clone(),
            Some(issuer) => PatientText::from(format!("{} ({})", self.value.reveal(), issuer.reveal())),
        }
    }

    /// Whether somebody typed the number, whoever issued it: the whole of it, or where that is enough at least four characters.
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
        let read = |kind, value| Identifier::new(&GivenNumber::own(kind, value)).map(|found| found.value.reveal().to_owned());
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
            format!("{:?}", Identifier::new(&GivenNumber::own("hkid", "A123456(3)")).unwrap()),
            "Identifier { kind: Hkid, value: PatientText(10 chars), issuer: None }"
        );
    }

    #[test]
    fn a_number_is_found_however_it_is_typed() {
        let key = IndexKey::from_bytes([1; 32]);
        let number = |kind, value| Identifier::new(&GivenNumber::own(kind, value)).unwrap();
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

    fn issued<'a>(kind: &'a str, value: &'a str, issuer: &'a str) -> Identifier {
        Identifier::new(&GivenNumber { kind, value, issuer: Some(issuer) }).unwrap()
    }

    #[test]
    fn numbers_are_the_same_only_of_one_kind_and_issuer() {
        let key = IndexKey::from_bytes([1; 32]);
        let hash = |number: &Identifier| number.hash(&key).unwrap();
        let queen = issued("hospital", "HN-1234", "QMH");
        assert_eq!((queen.value.reveal(), queen.written().reveal()), ("HN-1234", "HN-1234 (QMH)"));
        for same in [issued("hospital", "hn 1234", "ｑｍｈ"), issued("hospital", "HN1234", " qmh ")] {
            assert!(same.is_same(&queen) && hash(&same) == hash(&queen));
        }
        let own = issued("hospital", "HN-1234", "  ");
        assert!(own.issuer.is_none() && own.written().reveal() == "HN-1234");
        let others = [
            own,
            issued("hospital", "HN-1234", "PMH"),
            issued("clinic", "HN-1234", "QMH"),
            issued("hospital", "HN-1235", "QMH"),
            // What would be one text if nothing told where each part ends.
            issued("hospital", "1234", "QMH HN"),
            issued("hospital", "H1234", "QMHN"),
        ];
        let hashes: std::collections::HashSet<_> = others.iter().chain([&queen]).map(hash).collect();
        assert!(others.iter().all(|other| !other.is_same(&queen)) && hashes.len() == others.len() + 1);
        assert!(queen.answers_to("hn1234", Sought::Whole) && queen.answers_to("1234", Sought::Part), "whoever issued it");
        assert!(!queen.answers_to("QMH", Sought::Part) && !queen.answers_to("1234", Sought::Whole));
    }

    #[test]
    fn a_states_number_names_no_issuer() {
        for (kind, value) in [("hkid", "A123456(3)"), ("passport", "K1234567")] {
            let error = Identifier::new(&GivenNumber { kind, value, issuer: Some("Immigration") }).unwrap_err();
            assert_eq!(error, VisitError::NotIssued { field: "identifiers.issuer" });
            assert!(!error.to_string().contains("Immigration") && !error.to_string().contains(value));
            assert!(issued(kind, value, " ").issuer.is_none(), "an empty field of a form is one that was left out");
        }
    }

    #[test]
    fn what_was_kept_before_there_were_issuers_is_read_written_and_found_as_it_was() {
        // Written by the version before: the document's part, and the hashes of its numbers under this key.
        let kept = r#"{"kind":"hospital","value":"HN 12345-6"}"#;
        let old: Identifier = serde_json::from_str(kept).unwrap();
        assert_eq!((old.issuer.is_none(), serde_json::to_string(&old).unwrap().as_str()), (true, kept));
        let key = IndexKey::from_bytes([7; 32]);
        for (kind, value, hash) in [
            ("hospital", "HN 12345-6", "94ea1927cd49abc833a69f48a65cd0041029a40e089eaba1904c81a404b5bcb7"),
            ("clinic", "2026/00017", "03db5c942bf2869968c96ae8da694af7933072666a5b509c1e1d9a014fe35e13"),
            ("hkid", "A123456(3)", "09c78c97a0ce1bfa0bc7b83eb57468e42629e6dbb3b409f2a5e09e8eb3b6015d"),
        ] {
            let number = Identifier::new(&GivenNumber::own(kind, value)).unwrap();
            let found: String = number.hash(&key).unwrap().bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, hash, "{kind}");
        }
        let issued = issued("other", "7", "Elderly Health Centre");
        let json = serde_json::to_string(&issued).unwrap();
        assert_eq!(json, r#"{"kind":"other","value":"7","issuer":"Elderly Health Centre"}"#);
        assert_eq!(serde_json::from_str::<Identifier>(&json).unwrap(), issued);
    }
}
