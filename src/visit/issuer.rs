//! Who issued a number: the institution whose own number it is.

use serde::{Deserialize, Serialize};

use super::VisitError;
use super::line::line;
use crate::text::PatientText;

/// The field in errors.
pub(super) const FIELD: &str = "identifiers.issuer";
/// The longest name of an institution.
const LONGEST: usize = 80;

/// An institution's short name or code, as it was written. That somebody is known there is the patient's, so `Debug` hides it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Issuer(PatientText);

impl Issuer {
    /// The institution that somebody typed.
    ///
    /// # Errors
    /// It is empty or has neither letter nor digit, is too long, or holds what cannot be seen.
    pub fn new(given: &str) -> Result<Self, VisitError> {
        let name = line(FIELD, given, LONGEST)?;
        if name.reveal().chars().any(char::is_alphanumeric) { Ok(Self(name)) } else { Err(VisitError::Blank { field: FIELD }) }
    }

    /// As it was written. Call this only to compute on it or to write a document that is meant to hold it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// What it is compared by: case, full width and runs of spaces make no difference.
    #[must_use]
    pub fn folded(&self) -> String {
        let narrow: String = self.0.reveal().chars().map(narrow).collect();
        // Through capitals, for some letters have two small ones.
        let lower = narrow.to_uppercase().to_lowercase();
        lower.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Chinese keyboards give full-width letters, which lie at a fixed distance from those of ASCII.
fn narrow(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => u32::from(c).checked_sub(0xFEE0).and_then(char::from_u32).unwrap_or(c),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_width_and_spaces_make_no_difference_and_the_name_stays_as_written() {
        let queen = Issuer::new(" Queen  Mary\u{3000}Hospital ").unwrap();
        assert_eq!(queen.reveal(), "Queen  Mary\u{3000}Hospital");
        for same in
            ["queen mary hospital", "QUEEN MARY HOSPITAL", "Ｑｕｅｅｎ Ｍａｒｙ　Ｈｏｓｐｉｔａｌ", "Queen\u{a0}Mary Hospital"]
        {
            assert_eq!(Issuer::new(same).unwrap().folded(), queen.folded(), "{same}");
        }
        for other in ["Queen Maryhospital", "Queen Mary", "瑪麗醫院"] {
            assert_ne!(Issuer::new(other).unwrap().folded(), queen.folded(), "{other}");
        }
        let sigmas = ["ΟΔΟΣ", "οδος", "οδοσ"].map(|word| Issuer::new(word).unwrap().folded());
        assert!(sigmas.iter().all(|folded| *folded == sigmas[0]));
        assert_eq!(format!("{queen:?}"), "Issuer(PatientText(20 chars))");
    }

    #[test]
    fn what_is_no_name_is_refused_without_being_quoted() {
        assert_eq!(Issuer::new(" \u{3000} "), Err(VisitError::Blank { field: FIELD }));
        assert_eq!(Issuer::new("--- / ---"), Err(VisitError::Blank { field: FIELD }));
        let long = "院".repeat(LONGEST + 1);
        assert_eq!(Issuer::new(&long), Err(VisitError::TooLong { field: FIELD, characters: 81, most: LONGEST }));
        assert!(Issuer::new(&"院".repeat(LONGEST)).is_ok());
        for unseen in ['\0', '\t', '\n', '\u{7f}', '\u{85}', '\u{200b}', '\u{200f}', '\u{202e}', '\u{2067}', '\u{feff}'] {
            let error = Issuer::new(&format!("Peak{unseen}Hospital")).unwrap_err();
            assert_eq!(error, VisitError::Unseen { field: FIELD, at: 5 });
            assert!(!error.to_string().contains("Peak"));
        }
    }
}
