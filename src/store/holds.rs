//! Legal holds: what may not be erased, by whose order and why. No rule of how long things are kept goes before one.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::act::Act;
use super::patients::new_id;
use super::place::Place;
use super::{By, Store, StoreError};
use crate::audit::{Action, OrganisationId};
use crate::spool::Key;
use crate::text::PatientText;

/// What is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// A patient with everything that belongs to them.
    Patient(String),
    /// One recording.
    Recording(String),
}

/// Which legal holds keep a recording from being erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heeded {
    /// Those on it, and those on its patient.
    All,
    /// Those on it alone: its patient has it stopped while it is recorded.
    OnItself,
}

impl Heeded {
    const fn query(self) -> &'static str {
        match self {
            Self::All => RECORDING_HELD,
            Self::OnItself => ITSELF_HELD,
        }
    }
}

/// A hold as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalHold {
    /// Random.
    pub id: String,
    /// What it holds.
    pub held: Held,
    /// When it was placed, in seconds since 1970.
    pub placed_at: i64,
    /// When it was lifted, if it was.
    pub lifted_at: Option<i64>,
    /// Why.
    pub reason: PatientText,
    /// Who placed it, by name.
    pub placed_by: PatientText,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    reason: PatientText,
    placed_by: PatientText,
}

#[derive(FromRow)]
struct Row {
    id: String,
    patient: String,
    recording: String,
    placed_at: i64,
    lifted_at: i64,
    document: Vec<u8>,
}

const SELECT: &str = "SELECT id, coalesce(patient, '') AS patient, coalesce(recording, '') AS recording, placed_at, \
    coalesce(lifted_at, 0) AS lifted_at, document FROM legal_holds";

/// Whether a recording ($1) is on hold, itself or by its patient, under whomever they stand.
const RECORDING_HELD: &str = "SELECT count(*) FROM legal_holds WHERE lifted_at IS NULL AND (recording = $1 OR patient IN \
    (SELECT same.id FROM encounter_recordings JOIN encounters ON encounters.id = encounter_recordings.encounter \
    JOIN patients ON patients.id = encounters.patient JOIN patients AS same \
    ON coalesce(same.stands_under, same.id) = coalesce(patients.stands_under, patients.id) \
    WHERE encounter_recordings.recording = $1))";

/// Whether a recording ($1) itself is on hold.
const ITSELF_HELD: &str = "SELECT count(*) FROM legal_holds WHERE lifted_at IS NULL AND recording = $1";

/// Whether a patient ($1) is on hold, or one who is the same person, or a recording of theirs.
const PATIENT_HELD: &str = "SELECT count(*) FROM legal_holds JOIN patients AS asked ON asked.id = $1 \
    JOIN patients AS same ON coalesce(same.stands_under, same.id) = coalesce(asked.stands_under, asked.id) \
    WHERE lifted_at IS NULL AND (legal_holds.patient = same.id OR recording IN \
    (SELECT encounter_recordings.recording FROM encounter_recordings JOIN encounters ON encounters.id = encounter_recordings.encounter \
    WHERE encounters.patient = same.id))";

/// Takes hold of all who are the same person as $1.
const HOLD_PERSON: &str = "UPDATE patients SET version = version WHERE coalesce(stands_under, id) IN \
    (SELECT coalesce(asked.stands_under, asked.id) FROM patients AS asked WHERE asked.id = $1)";

fn place(id: &str) -> Place<'_> {
    Place::new("legal_holds.document", id)
}

impl Act {
    /// Takes hold of the patient of a recording, so that no legal hold is placed meanwhile, and says whether there is one that is heeded. The
    /// recording itself is held already.
    pub(super) async fn recording_on_hold(&mut self, recording: &str, heeded: Heeded) -> Result<bool, StoreError> {
        let touch = "UPDATE patients SET version = version WHERE coalesce(stands_under, id) IN \
            (SELECT coalesce(asked.stands_under, asked.id) FROM encounter_recordings \
            JOIN encounters ON encounters.id = encounter_recordings.encounter JOIN patients AS asked ON asked.id = encounters.patient \
            WHERE encounter_recordings.recording = $1)";
        self.execute(sqlx::query(touch).bind(recording)).await?;
        let held = self.one::<(i64,)>(sqlx::query_as(heeded.query()).bind(recording)).await?;
        Ok(held.is_none_or(|(count,)| count > 0))
    }

    /// The same of a patient.
    pub(super) async fn patient_on_hold(&mut self, patient: &str) -> Result<bool, StoreError> {
        self.execute(sqlx::query(HOLD_PERSON).bind(patient)).await?;
        let held = self.one::<(i64,)>(sqlx::query_as(PATIENT_HELD).bind(patient)).await?;
        Ok(held.is_none_or(|(count,)| count > 0))
    }

    /// Whether a hold was placed after this time, in seconds since 1970, on anybody who is one person with this patient, and stands.
    pub(super) async fn patient_held_since(&mut self, patient: &str, since: i64) -> Result<bool, StoreError> {
        self.execute(sqlx::query(HOLD_PERSON).bind(patient)).await?;
        let query = format!("{PATIENT_HELD} AND placed_at > $2");
        let held = self.one::<(i64,)>(sqlx::query_as(&query).bind(patient).bind(since)).await?;
        Ok(held.is_none_or(|(count,)| count > 0))
    }
}

impl Store {
    async fn hold_key(&self, held: &Held) -> Result<Key, StoreError> {
        match held {
            Held::Patient(id) => self.patient_key(id).await,
            Held::Recording(id) => self.data_key(id).await,
        }
    }

    /// Places a hold.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] and [`StoreError::Missing`] where there is nothing to hold, and when it cannot be written.
    pub async fn place_hold(&self, held: Held, reason: &str, placed_by: &str, by: &By) -> Result<LegalHold, StoreError> {
        let key = self.hold_key(&held).await?;
        let id = new_id()?;
        let (reason, placed_by) = (PatientText::from(reason), PatientText::from(placed_by));
        let sealed = place(&id).seal_json(&key, &Kept { reason: reason.clone(), placed_by: placed_by.clone() })?;
        let (mut act, event, column, of) = match &held {
            Held::Patient(patient) => {
                let mut act = self.begin("place a hold").await?;
                act.patient_on_hold(patient).await?;
                (act, by.did_for(Action::HoldPlace, self.pseudonym(patient)?), "patient", patient)
            }
            Held::Recording(recording) => {
                let mut act = self.hold_recording(recording, "place a hold").await?;
                let event = act.event_about(by, Action::HoldPlace, recording).await?;
                (act, event, "recording", recording)
            }
        };
        let insert =
            format!("INSERT INTO legal_holds (id, organisation, {column}, placed_at, document) VALUES ($1, $2, $3, $4, $5)");
        let insert = sqlx::query(&insert).bind(&id).bind(by.organisation().to_string()).bind(of).bind(by.seconds()).bind(sealed);
        act.execute(insert).await?;
        act.commit(&event).await?;
        Ok(LegalHold { id, held, placed_at: by.seconds(), lifted_at: None, reason, placed_by })
    }

    /// Lifts a hold of this organisation; false where it has none of this id that is not lifted.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn lift_hold(&self, id: &str, organisation: OrganisationId, by: &By) -> Result<bool, StoreError> {
        let query = format!("{SELECT} WHERE id = $1");
        let row = self.reader().one::<Row>(sqlx::query_as(&query).bind(id)).await.map_err(StoreError::database("read a hold"))?;
        let Some(row) = row else { return Ok(false) };
        let event = match row.held() {
            Held::Patient(patient) => by.did_for(Action::HoldLift, self.pseudonym(&patient)?),
            Held::Recording(recording) => self.event_about(by, Action::HoldLift, &recording).await?,
        };
        let update = "UPDATE legal_holds SET lifted_at = $1 WHERE id = $2 AND organisation = $3 AND lifted_at IS NULL";
        let update = sqlx::query(update).bind(by.seconds()).bind(id).bind(organisation.to_string());
        let mut act = self.begin("lift a hold").await?;
        if act.execute(update).await? == 0 {
            return act.abandon().await.map(|()| false);
        }
        act.commit(&event).await.map(|_| true)
    }

    /// The holds of an organisation, lifted ones too, the newest first. One that is damaged is left out and named in the log.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn holds(&self, organisation: OrganisationId) -> Result<Vec<LegalHold>, StoreError> {
        let query = format!("{SELECT} WHERE organisation = $1 ORDER BY placed_at DESC, id");
        let rows = self.reader().all::<Row>(sqlx::query_as(&query).bind(organisation.to_string())).await;
        let mut found = Vec::new();
        for row in rows.map_err(StoreError::database("list the holds"))? {
            let opened = match self.hold_key(&row.held()).await {
                Ok(key) => row.open(&key),
                Err(error) => Err(error),
            };
            match opened {
                Ok(hold) => found.push(hold),
                Err(error) => tracing::error!(%error, "a list leaves a hold out"),
            }
        }
        Ok(found)
    }

    /// Whether a recording is on a hold that is heeded.
    pub(super) async fn is_recording_held(&self, recording: &str, heeded: Heeded) -> Result<bool, StoreError> {
        let row = self.reader().one::<(i64,)>(sqlx::query_as(heeded.query()).bind(recording)).await;
        Ok(row.map_err(StoreError::database("look for holds"))?.is_none_or(|(count,)| count > 0))
    }

    /// Whether a patient, or a recording of theirs, is on hold.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn is_patient_held(&self, patient: &str) -> Result<bool, StoreError> {
        let row = self.reader().one::<(i64,)>(sqlx::query_as(PATIENT_HELD).bind(patient)).await;
        Ok(row.map_err(StoreError::database("look for holds"))?.is_none_or(|(count,)| count > 0))
    }
}

impl Row {
    fn held(&self) -> Held {
        if self.recording.is_empty() { Held::Patient(self.patient.clone()) } else { Held::Recording(self.recording.clone()) }
    }

    fn open(self, key: &Key) -> Result<LegalHold, StoreError> {
        let held = self.held();
        let Kept { reason, placed_by } = place(&self.id).unseal_json(key, &self.document)?;
        let lifted_at = (self.lifted_at > 0).then_some(self.lifted_at);
        Ok(LegalHold { id: self.id, held, placed_at: self.placed_at, lifted_at, reason, placed_by })
    }
}
