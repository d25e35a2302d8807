//! A visit of a patient, and the moving of a recording from one to another.

use serde::{Deserialize, Serialize};

use super::VisitError;
use super::line::line;
use crate::consent::RecordingGrounds;
use crate::text::PatientText;

/// The longest name of a clinician.
const LONGEST_NAME: usize = 100;

/// One visit of one patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encounter {
    /// Whom the patient sees.
    pub clinician: PatientText,
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
        Ok(Self { clinician: line("clinician", clinician, LONGEST_NAME)?, refused: false, recorded_on: None })
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
