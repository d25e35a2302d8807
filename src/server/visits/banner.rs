//! Who is before the clinician: what stands above a recording, a note, a signature and a letter.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::agreement::AgreementFace;
use crate::identity::{Date, Sex};
use crate::interop::fhir::Instant;
use crate::server::App;
use crate::server::clock::today;
use crate::server::error::ApiError;
use crate::store::{Store, StoreError, StoredEncounter, StoredPatient};
use crate::visit::Age;

/// Characters of a masked number that are told.
const TOLD: usize = 4;

/// Whose a recording is: patient and visit.
#[derive(Clone, Serialize, ToSchema)]
pub(in crate::server) struct Banner {
    pub patient: PatientFace,
    pub encounter: EncounterFace,
}

/// A patient.
#[derive(Clone, Serialize, ToSchema)]
pub(in crate::server) struct PatientFace {
    pub id: String,
    /// Counts the changes, from 1.
    pub version: u64,
    /// A name in Latin letters, or what the patient goes by.
    pub name: String,
    pub chinese_name: Option<String>,
    pub identifiers: Vec<Number>,
    /// `female` or `male`; null where it is not known.
    pub sex: Option<&'static str>,
    /// Date of birth, `1961-03-02`.
    pub born: Option<String>,
    /// On today's date in Hong Kong.
    pub age: Option<Years>,
    /// Null: nobody asked. Empty: none is known.
    pub allergies: Option<Vec<String>>,
    /// Who is the same person, as the registry said: what they are known by and allergic to besides.
    pub merged: Vec<MergedFace>,
    /// Only what finding and merging needs is told: numbers are masked and allergies left out.
    pub masked: bool,
}

/// A patient who is merged with another, beside that one.
#[derive(Clone, Serialize, ToSchema)]
pub(in crate::server) struct MergedFace {
    pub id: String,
    pub name: String,
    pub chinese_name: Option<String>,
    pub identifiers: Vec<Number>,
    pub allergies: Option<Vec<String>>,
}

impl From<PatientFace> for MergedFace {
    fn from(PatientFace { id, name, chinese_name, identifiers, allergies, .. }: PatientFace) -> Self {
        Self { id, name, chinese_name, identifiers, allergies }
    }
}

/// Whole years, and the months after them.
#[derive(Clone, Serialize, ToSchema)]
pub(in crate::server) struct Years {
    pub years: u16,
    pub months: u8,
}

/// A number that a patient is known by.
#[derive(Clone, Serialize, ToSchema)]
pub(in crate::server) struct Number {
    /// `hkid`, `passport`, `hospital`, `clinic` or `other`.
    pub kind: &'static str,
    pub value: String,
    /// The institution that issued it; null where it is the own number of this organisation, and for a state's. A dot where it is hidden.
    pub issuer: Option<String>,
}

impl Number {
    /// Leaves the first characters, of which there are never more than of those that are hidden. Where else somebody is a patient is hidden
    /// too: it can tell what for.
    fn mask(&mut self) {
        self.issuer = self.issuer.take().map(|_| "•".to_owned());
        let told = (self.value.chars().count() / 2).min(TOLD);
        self.value = self.value.chars().enumerate().map(|(at, character)| if at < told { character } else { '•' }).collect();
    }
}

/// A visit.
#[derive(Clone, Serialize, ToSchema)]
pub(in crate::server) struct EncounterFace {
    pub id: String,
    /// Whose it is.
    pub patient: String,
    /// RFC 3339 time, in UTC.
    pub at: String,
    pub clinician: String,
    /// Where it is; null where nobody said.
    pub room: Option<String>,
    /// The patient does not want to be recorded.
    pub refused: bool,
    /// Who said that it may be recorded; null where nobody was asked yet.
    pub recording_consent: Option<AgreementFace>,
}

impl PatientFace {
    /// What is shown of a patient on a day.
    pub fn of(stored: StoredPatient, today: Date) -> Self {
        let StoredPatient { id, version, patient, .. } = stored;
        let number = |identifier: &crate::visit::Identifier| Number {
            kind: identifier.kind.name(),
            value: identifier.value.reveal().to_owned(),
            issuer: identifier.issuer.as_ref().map(|issuer| issuer.reveal().to_owned()),
        };
        let age = patient.born.and_then(|born| Age::on(born, today));
        Self {
            id,
            version,
            name: patient.name.reveal().to_owned(),
            chinese_name: patient.chinese_name.as_ref().map(|name| name.reveal().to_owned()),
            identifiers: patient.identifiers.iter().map(number).collect(),
            sex: patient.sex.map(|sex| if sex == Sex::Female { "female" } else { "male" }),
            born: patient.born.map(Date::reveal),
            age: age.map(|Age { years, months }| Years { years, months }),
            allergies: patient.allergies.map(|known| known.iter().map(|allergy| allergy.reveal().to_owned()).collect()),
            merged: Vec::new(),
            masked: false,
        }
    }

    /// The ids of the patient and of who is the same person.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.merged.iter().map(|merged| merged.id.as_str()))
    }

    /// What is told of a patient to who finds and merges and sees no record.
    pub fn masked(mut self) -> Self {
        self.identifiers.iter_mut().for_each(Number::mask);
        for merged in &mut self.merged {
            merged.identifiers.iter_mut().for_each(Number::mask);
            merged.allergies = None;
        }
        Self { allergies: None, masked: true, ..self }
    }

    /// The same with those who are the same person.
    pub async fn whole(self, store: &Store, today: Date) -> Result<Self, StoreError> {
        let mut merged = Vec::new();
        for id in store.same_person(&self.id).await?.into_iter().filter(|id| *id != self.id) {
            merged.extend(store.patient(&id).await?.map(|stored| Self::of(stored, today).into()));
        }
        Ok(Self { merged, ..self })
    }
}

impl From<StoredEncounter> for EncounterFace {
    fn from(stored: StoredEncounter) -> Self {
        Self {
            at: Instant::from_unix_seconds(stored.at).as_str().to_owned(),
            clinician: stored.encounter.clinician.reveal().to_owned(),
            room: stored.encounter.room.as_ref().map(|room| room.reveal().to_owned()),
            refused: stored.encounter.refused,
            recording_consent: stored.encounter.recorded_on.map(AgreementFace::from),
            id: stored.id,
            patient: stored.patient,
        }
    }
}

impl Banner {
    /// The banner of a recording; none where it was made in a trial for nobody.
    pub async fn of_recording(app: &App, recording: &str) -> Result<Option<Self>, ApiError> {
        let store = app.rooms.store();
        match store.assigned(recording).await? {
            Some((encounter, _)) => Ok(Faces::new()?.of_encounter(store, &encounter).await?),
            None => Ok(None),
        }
    }
}

/// The banners of many recordings: each patient and visit is read once.
pub(in crate::server) struct Faces {
    today: Date,
    patients: HashMap<String, Option<PatientFace>>,
    encounters: HashMap<String, Option<StoredEncounter>>,
}

impl Faces {
    /// On today's date.
    pub fn new() -> Result<Self, ApiError> {
        let today = today().map_err(|error| ApiError::internal(&error))?;
        Ok(Self { today, patients: HashMap::new(), encounters: HashMap::new() })
    }

    /// The banner of a visit, if there is such a visit.
    pub async fn of_encounter(&mut self, store: &Store, id: &str) -> Result<Option<Banner>, StoreError> {
        let encounter = match self.encounters.get(id) {
            Some(known) => known.clone(),
            None => {
                let found = store.encounter(id).await?;
                self.encounters.insert(id.to_owned(), found.clone());
                found
            }
        };
        let Some(encounter) = encounter else { return Ok(None) };
        let patient = self.patient(store, &encounter.patient).await?;
        Ok(patient.map(|patient| Banner { patient, encounter: encounter.into() }))
    }

    /// A patient, if there is such a one.
    pub async fn patient(&mut self, store: &Store, id: &str) -> Result<Option<PatientFace>, StoreError> {
        if let Some(known) = self.patients.get(id) {
            return Ok(known.clone());
        }
        let found = match store.patient(id).await? {
            Some(stored) => Some(PatientFace::of(stored, self.today).whole(store, self.today).await?),
            None => None,
        };
        self.patients.insert(id.to_owned(), found.clone());
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visit::{Given, GivenNumber, Patient};

    #[test]
    fn who_only_finds_is_told_no_whole_number_and_no_allergy() {
        let today = Date::parse("2026-11-27").unwrap();
        let given = Given {
            name: "CHAN Tai Man",
            identifiers: &[
                GivenNumber::own("hkid", "A123456(3)"),
                GivenNumber::own("clinic", "77"),
                GivenNumber { kind: "other", value: "8", issuer: Some("Castle Peak Hospital") },
            ],
            allergies: Some(&["penicillin".to_owned()]),
            born: Some("1961-03-02"),
            ..Given::default()
        };
        let stored = StoredPatient { id: "one".into(), version: 1, patient: Patient::new(&given, today).unwrap(), under: None };
        let whole = PatientFace::of(stored, today);
        let face = PatientFace { merged: vec![whole.clone().into()], ..whole.clone() }.masked();
        let told = serde_json::to_string(&face).unwrap();
        for hidden in ["A123456", "23456", "penicillin", "77", "Castle"] {
            assert!(!told.contains(hidden), "{hidden} is in {told}");
        }
        for shown in ["CHAN Tai Man", "A123", "1961-03-02", r#""masked":true"#, r#""issuer":"•""#, r#""issuer":null"#] {
            assert!(told.contains(shown), "{shown} is not in {told}");
        }
        assert!(!whole.masked && whole.allergies.is_some());
    }
}
