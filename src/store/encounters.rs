//! The visits of patients, and which recording belongs to which.

use std::collections::HashMap;

use sqlx::FromRow;

use super::act::Act;
use super::error::there;
use super::keys::{KeyStore, Whose};
use super::merges::OF_PERSON;
use super::owners::{PATIENTS_IN_REACH, Reach};
use super::patients::new_id;
use super::place::Place;
use super::{By, DeskError, Store, StoreError};
use crate::audit::{Action, Event, HowSaid, Outcome, Refusal};
use crate::spool::Key;
use crate::visit::Encounter;

/// A visit as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEncounter {
    /// Random, and tells nothing.
    pub id: String,
    /// Whose visit it is.
    pub patient: String,
    /// When it is, in seconds since 1970.
    pub at: i64,
    /// What else is known of it.
    pub encounter: Encounter,
}

const SELECT: &str = "SELECT encounters.id, patient, starts_at, encounters.document FROM encounters \
    JOIN patients ON patients.id = encounters.patient";

#[derive(FromRow)]
struct Row {
    id: String,
    patient: String,
    starts_at: i64,
    document: Vec<u8>,
}

impl Row {
    fn read(self, keys: &KeyStore) -> Result<StoredEncounter, StoreError> {
        self.open(keys).map(|(found, _)| found)
    }

    /// The visit, and the key that it is sealed with.
    fn open(self, keys: &KeyStore) -> Result<(StoredEncounter, Key), StoreError> {
        let key = keys.key(Whose::Patient, &self.patient)?;
        let encounter = Place::new("encounters.document", &self.id).unseal_json(&key, &self.document)?;
        Ok((StoredEncounter { encounter, id: self.id, patient: self.patient, at: self.starts_at }, key))
    }
}

impl Act {
    /// Takes hold of a visit and reads it with its key: what is read is so until the act ends.
    pub(super) async fn held_encounter(
        &mut self,
        keys: &KeyStore,
        id: &str,
    ) -> Result<Option<(StoredEncounter, Key)>, StoreError> {
        self.hold_encounter(id).await?;
        let query = format!("{SELECT} WHERE encounters.id = $1");
        self.one::<Row>(sqlx::query_as(&query).bind(id)).await?.map_or(Ok(None), |row| there(row.open(keys)))
    }
}

impl Store {
    /// Enters a visit of a patient at `at`, seconds since 1970.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such patient, and when it cannot be written.
    pub async fn create_encounter(
        &self,
        patient: &str,
        at: i64,
        encounter: &Encounter,
        by: &By,
    ) -> Result<StoredEncounter, StoreError> {
        let key = self.patient_key(patient).await?;
        let id = new_id()?;
        let sealed = Place::new("encounters.document", &id).seal_json(&key, encounter)?;
        // Not for a patient who was erased since the key was read.
        let insert = "INSERT INTO encounters (id, number, patient, starts_at, document) \
            SELECT $1, (SELECT coalesce(max(number), 0) + 1 FROM encounters), id, $2, $3 FROM patients WHERE id = $4";
        let insert = sqlx::query(insert).bind(&id).bind(at).bind(sealed).bind(patient);
        let mut act = self.begin("enter a visit").await?;
        if act.execute(insert).await? == 0 {
            act.abandon().await?;
            return Err(StoreError::Unknown { what: "patient", id: patient.to_owned() });
        }
        act.commit(&by.did_for(Action::Register, self.pseudonym(patient)?)).await?;
        Ok(StoredEncounter { id, patient: patient.to_owned(), at, encounter: encounter.clone() })
    }

    /// The visit of this id, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] and when it cannot be read.
    pub async fn encounter(&self, id: &str) -> Result<Option<StoredEncounter>, StoreError> {
        let query = format!("{SELECT} WHERE encounters.id = $1");
        let row = self.reader().one::<Row>(sqlx::query_as(&query).bind(id)).await;
        let row = row.map_err(StoreError::database("read a visit"))?;
        row.map_or(Ok(None), |row| there(row.read(&self.shared.keys)))
    }

    /// The visits of a patient, and of those who are the same person, the newest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn encounters_of(&self, patient: &str) -> Result<Vec<StoredEncounter>, StoreError> {
        let query = format!("{SELECT} WHERE patient IN ({OF_PERSON}) ORDER BY starts_at DESC, number DESC");
        let rows = self.reader().all::<Row>(sqlx::query_as(&query).bind(patient)).await;
        self.readable(rows.map_err(StoreError::database("list the visits of a patient"))?)
    }

    /// The visits within a reach from one time to before another, in seconds since 1970, the latest first, at most so many.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn encounters_between(
        &self,
        reach: Reach,
        (from, until): (i64, i64),
        most: u32,
    ) -> Result<Vec<StoredEncounter>, StoreError> {
        let query = format!(
            "{SELECT} WHERE {PATIENTS_IN_REACH} AND starts_at >= $3 AND starts_at < $4 \
            ORDER BY starts_at DESC, encounters.number DESC LIMIT $5"
        );
        let (organisation, role) = reach.values();
        let query = sqlx::query_as(&query).bind(organisation).bind(role).bind(from).bind(until).bind(i64::from(most));
        let rows = self.reader().all::<Row>(query).await;
        self.readable(rows.map_err(StoreError::database("list the visits"))?)
    }

    /// One that is damaged is left out and named in the log.
    fn readable(&self, rows: Vec<Row>) -> Result<Vec<StoredEncounter>, StoreError> {
        let read = |row: Row| row.read(&self.shared.keys).inspect_err(|error| tracing::error!(%error)).ok();
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// Notes that the patient does not want to be recorded at this visit, or takes that back: then they have to be asked.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], and when it cannot be written.
    pub async fn set_refused(&self, id: &str, refused: bool, by: &By) -> Result<StoredEncounter, StoreError> {
        let unknown = || StoreError::Unknown { what: "visit", id: id.to_owned() };
        let mut act = self.begin("change a visit").await?;
        let (mut found, key) = act.held_encounter(&self.shared.keys, id).await?.ok_or_else(unknown)?;
        // To say no more that they refuse takes no yes away.
        if refused || found.encounter.refused {
            found.encounter.recorded_on = None;
        }
        found.encounter.refused = refused;
        let sealed = Place::new("encounters.document", id).seal_json(&key, &found.encounter)?;
        let update = sqlx::query("UPDATE encounters SET document = $1 WHERE id = $2").bind(sealed).bind(id);
        act.execute(update).await?;
        let patient = self.pseudonym(&found.patient)?;
        let event = if refused {
            let outcome = Outcome::Refused { reason: Refusal::SaidNo };
            Event { outcome, ..by.did_for(Action::RecordingConsent { how: HowSaid::Spoken }, patient) }
        } else {
            by.did_for(Action::Register, patient)
        };
        act.commit(&event).await?;
        Ok(found)
    }

    /// Takes away a visit to which no recording belongs.
    ///
    /// # Errors
    /// [`DeskError::InUse`] where one does, [`StoreError::Unknown`], and when it cannot be done.
    pub async fn erase_encounter(&self, id: &str, by: &By) -> Result<(), DeskError> {
        let unknown = || StoreError::Unknown { what: "visit", id: id.to_owned() };
        let found = self.encounter(id).await?.ok_or_else(unknown)?;
        let event = by.did_for(Action::Erase, self.pseudonym(&found.patient)?);
        let delete = "DELETE FROM encounters WHERE id = $1 AND NOT EXISTS \
            (SELECT 1 FROM encounter_recordings WHERE encounter_recordings.encounter = encounters.id)";
        if self.delete_and_wipe(delete, id, &event, None).await?.is_some() {
            return Ok(());
        }
        let there = self.encounter(id).await?.is_some();
        Err(if there { DeskError::InUse } else { unknown().into() })
    }

    /// Makes a recording that belongs to no visit part of this one, and says the event of it. A typed one has no sound; any other is
    /// refused where the patient does not want to be recorded.
    ///
    /// # Errors
    /// [`DeskError::Refused`], [`StoreError::Unknown`] when there is no such visit, and when it cannot be written.
    pub(super) async fn enter_into(
        &self,
        act: &mut Act,
        recording: &str,
        (encounter, typed): (&str, bool),
        by: &By,
    ) -> Result<Event, DeskError> {
        let unknown = || StoreError::Unknown { what: "visit", id: encounter.to_owned() };
        let (found, _) = act.held_encounter(&self.shared.keys, encounter).await?.ok_or_else(unknown)?;
        if found.encounter.refused && !typed {
            return Err(DeskError::Refused);
        }
        let insert = "INSERT INTO encounter_recordings (recording, encounter, typed, moves) VALUES ($1, $2, $3, 0)";
        act.execute(sqlx::query(insert).bind(recording).bind(encounter).bind(i64::from(typed))).await?;
        Ok(Event { patient: Some(self.pseudonym(&found.patient)?), ..by.did(Action::Register, recording) })
    }

    /// For tests, which make the two one after the other.
    #[cfg(test)]
    pub(crate) async fn assign(&self, recording: &str, encounter: &str, typed: bool, by: &By) -> Result<(), DeskError> {
        let mut act = self.begin("enter a recording").await?;
        let event = self.enter_into(&mut act, recording, (encounter, typed), by).await?;
        act.commit(&event).await?;
        Ok(())
    }

    /// The visit that a recording belongs to, and whether the recording was typed and has no sound.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn assigned(&self, recording: &str) -> Result<Option<(String, bool)>, StoreError> {
        let query = sqlx::query_as("SELECT encounter, typed FROM encounter_recordings WHERE recording = $1").bind(recording);
        let row = self.reader().one::<(String, i64)>(query).await;
        Ok(row.map_err(StoreError::database("read whose a recording is"))?.map(|(encounter, typed)| (encounter, typed == 1)))
    }

    /// The visits of all recordings that have one, and whether each was typed.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn assignments(&self) -> Result<HashMap<String, (String, bool)>, StoreError> {
        let query = sqlx::query_as("SELECT recording, encounter, typed FROM encounter_recordings");
        let rows = self.reader().all::<(String, String, i64)>(query).await;
        let rows = rows.map_err(StoreError::database("read whose the recordings are"))?;
        Ok(rows.into_iter().map(|(recording, encounter, typed)| (recording, (encounter, typed == 1))).collect())
    }

    /// The recordings of a visit.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn recordings_of(&self, encounter: &str) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query_as("SELECT recording FROM encounter_recordings WHERE encounter = $1 ORDER BY recording");
        let rows = self.reader().all::<(String,)>(query.bind(encounter)).await;
        let rows = rows.map_err(StoreError::database("list the recordings of a visit"))?;
        Ok(rows.into_iter().map(|(recording,)| recording).collect())
    }
}
