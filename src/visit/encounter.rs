//! A visit of a patient, and the moving of a recording from one to another.

use serde::{Deserialize, Serialize};

use super::VisitError;
use super::line::line;
use crate::consent::RecordingGrounds;
use crate::text::PatientText;

/// The longest name of a clinician, or of a room.
const LONGEST_NAME: usize = 100;

/// One visit of one patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encounter {
    /// Whom the patient sees.
    pub clinician: PatientText,
    /// Where it is, where that was said: then no microphone that stands elsewhere hears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<PatientText>,
    /// The patient does not want to be recorded: no microphone is opened for this visit, and its note is typed.
    pub refused: bool,
    /// Who said that it may be recorded, and how. Never beside a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_on: Option<RecordingGrounds>,
}

impl Encounter {
    /// A visit with this clinician; nothing is refused yet.
    ///
    /// # Errors
    /// A name that is empty, too long, or holds what cannot be seen.
    pub fn new(clinician: &str) -> Result<Self, VisitError> {
        Ok(Self { clinician: line("clinician", clinician, LONGEST_NAME)?, room: None, refused: false, recorded_on: None })
    }

    /// The same in this room.
    ///
    /// # Errors
    /// A name that is empty, too long, or holds what cannot be seen.
    pub fn in_room(self, room: &str) -> Result<Self, VisitError> {
        Ok(Self { room: Some(line("room", room, LONGEST_NAME)?), ..self })
    }

    /// Whether the microphone of a room may hear it: it says no room, or the same one. Capitals make no difference.
    #[must_use]
    pub fn is_heard_in(&self, room: &str) -> bool {
        let own = |own: &PatientText| own.reveal().to_lowercase() == room.trim().to_lowercase();
        self.room.as_ref().is_none_or(own)
    }
}

/// A recording was moved from one visit to another, before its note was signed. No name is in it: patients are looked up by their visits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// Who moved it.
    pub by: PatientText,
    /// RFC 3339 time.
    pub at: String,
    /// The visit that it belonged to, or none.
    pub from: Option<String>,
    /// The patient that it belonged to, or none.
    pub from_patient: Option<String>,
    /// The visit that it belongs to now.
    pub to: String,
    /// The patient that it belongs to now.
    pub to_patient: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_is_heard_in_its_room_and_in_any_where_it_names_none() {
        let visit = Encounter::new("Dr Lee").unwrap();
        assert!(visit.is_heard_in("Room 3") && visit.is_heard_in(""));
        let visit = visit.in_room(" Room 3 ").unwrap();
        assert!(visit.is_heard_in("Room 3") && visit.is_heard_in("room 3"));
        for other in ["", " ", "Room 4", "Room 33", "Room", "3", "Room\u{200b} 3"] {
            assert!(!visit.is_heard_in(other), "{other}");
        }
        for bad in ["", "  ", "Room\u{200b} 3"] {
            assert!(Encounter::new("Dr Lee").unwrap().in_room(bad).is_err());
        }
    }

    #[test]
    fn a_visit_of_before_has_no_room() {
        let visit: Encounter = serde_json::from_str(r#"{"clinician":"Dr Lee","refused":false}"#).unwrap();
        assert_eq!(visit, Encounter::new("Dr Lee").unwrap());
        assert!(!serde_json::to_string(&visit).unwrap().contains("room"));
    }
}
