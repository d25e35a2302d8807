//! The patients: a key each, a sealed document, and keyed hashes of their numbers.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sqlx::FromRow;

use super::act::Act;
use super::error::there;
use super::keys::{KeyStore, Whose};
use super::owners::{PATIENTS_IN_REACH, Reach, treats};
use super::place::Place;
use super::{By, DeskError, Store, StoreError};
use crate::audit::{Action, Event, OrganisationId, Outcome, Pseudonym, Refusal};
use crate::identity::IndexKey;
use crate::spool::{Key, SpoolError};
use crate::visit::{Identifier, Patient};

/// A patient as kept. Its `Debug` shows the id.
#[derive(Clone, PartialEq)]
pub struct StoredPatient {
    /// Random, and tells nothing.
    pub id: String,
    /// Counts the changes, from 1.
    pub version: u64,
    /// Who it is.
    pub patient: Patient,
    /// The patient under whom this one stands while both are merged.
    pub under: Option<String>,
}

impl StoredPatient {
    /// The patient under whom this one stands: itself where it stands alone or leads.
    #[must_use]
    pub fn leading(&self) -> &str {
        self.under.as_deref().unwrap_or(&self.id)
    }
}

impl fmt::Debug for StoredPatient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredPatient({}, version {})", self.id, self.version)
    }
}

#[derive(FromRow)]
struct Row {
    id: String,
    version: i64,
    document: Vec<u8>,
    under: String,
}

const SELECT: &str = "SELECT id, version, document, coalesce(stands_under, '') AS under FROM patients";

impl Row {
    fn read(self, keys: &KeyStore) -> Result<StoredPatient, StoreError> {
        let key = keys.key(Whose::Patient, &self.id)?;
        let patient = Place::new("patients.document", &self.id).unseal_json(&key, &self.document)?;
        let under = Some(self.under).filter(|under| !under.is_empty());
        Ok(StoredPatient { patient, version: self.version.unsigned_abs(), id: self.id, under })
    }
}

/// An id: 128 random bits, so that it cannot be guessed and tells nothing.
pub(super) fn new_id() -> Result<String, StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| StoreError::Seal(SpoolError::Random))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

impl Store {
    /// Takes in a patient of the organisation of who does it, at `at`, seconds since 1970, and makes a key for them.
    ///
    /// # Errors
    /// [`DeskError::Taken`] when a number of theirs is another patient's, and when it cannot be written.
    pub async fn create_patient(&self, patient: &Patient, at: i64, by: &By) -> Result<StoredPatient, DeskError> {
        let (id, key) = (new_id()?, Key::generate().map_err(StoreError::from)?);
        let sealed = Place::new("patients.document", &id).seal_json(&key, patient)?;
        let event = by.did_for(Action::Register, self.pseudonym(&id)?);
        let mut act = self.begin("take in a patient").await?;
        let insert =
            "INSERT INTO patients (id, created_at, version, data_key, document, organisation) VALUES ($1, $2, 1, $3, $4, $5)";
        let insert = sqlx::query(insert).bind(&id).bind(at).bind(Vec::<u8>::new()).bind(sealed);
        act.execute(insert.bind(by.organisation().to_string())).await?;
        if let Some(role) = treats(by.actor) {
            let insert = sqlx::query("INSERT INTO patient_roles (patient, role) VALUES ($1, $2)");
            act.execute(insert.bind(&id).bind(role.to_string())).await?;
        }
        self.enter_numbers(&mut act, patient, (&id, by.organisation())).await?;
        self.shared.keys.add(Whose::Patient, &id, &key).await?;
        act.commit(&event).await?;
        Ok(StoredPatient { id, version: 1, patient: patient.clone(), under: None })
    }

    /// The patient of this id, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] and when it cannot be read.
    pub async fn patient(&self, id: &str) -> Result<Option<StoredPatient>, StoreError> {
        let query = format!("{SELECT} WHERE id = $1");
        let row =
            self.reader().one::<Row>(sqlx::query_as(&query).bind(id)).await.map_err(StoreError::database("read a patient"))?;
        row.map_or(Ok(None), |row| there(row.read(&self.shared.keys)))
    }

    /// At most so many patients within a reach, the newest first. One that is damaged is left out and named in the log.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn patients(&self, reach: Reach, most: u32) -> Result<Vec<StoredPatient>, StoreError> {
        self.patients_where("1 = 1", reach, most).await
    }

    /// The same without those who stand under another.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn leading_patients(&self, reach: Reach, most: u32) -> Result<Vec<StoredPatient>, StoreError> {
        self.patients_where("stands_under IS NULL", reach, most).await
    }

    /// Those alone who stand under another.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn merged_patients(&self, reach: Reach) -> Result<Vec<StoredPatient>, StoreError> {
        self.patients_where("stands_under IS NOT NULL", reach, u32::MAX).await
    }

    async fn patients_where(&self, which: &'static str, reach: Reach, most: u32) -> Result<Vec<StoredPatient>, StoreError> {
        let query = format!("{SELECT} WHERE {which} AND {PATIENTS_IN_REACH} ORDER BY created_at DESC, id LIMIT $3");
        let (organisation, role) = reach.values();
        let query = sqlx::query_as(&query).bind(organisation).bind(role).bind(i64::from(most));
        let rows = self.reader().all::<Row>(query).await;
        let rows = rows.map_err(StoreError::database("list the patients"))?;
        let readable = |row: Row| row.read(&self.shared.keys).inspect_err(|error| tracing::error!(%error)).ok();
        Ok(rows.into_iter().filter_map(readable).collect())
    }

    /// Keeps what is known of a patient now, if nobody changed it since the version that was seen; says the new version.
    ///
    /// # Errors
    /// [`DeskError::Conflict`], [`DeskError::Taken`], [`StoreError::Unknown`], and when it cannot be written.
    pub async fn change_patient(&self, id: &str, seen: u64, patient: &Patient, by: &By) -> Result<u64, DeskError> {
        let key = self.patient_key(id).await?;
        let sealed = Place::new("patients.document", id).seal_json(&key, patient)?;
        let version = seen.saturating_add(1);
        let event = by.did_for(Action::Register, self.pseudonym(id)?);
        let mut act = self.begin("change a patient").await?;
        let update = "UPDATE patients SET version = $1, document = $2 WHERE id = $3 AND version = $4";
        let update = sqlx::query(update).bind(version.cast_signed()).bind(sealed).bind(id).bind(seen.cast_signed());
        if act.execute(update).await? == 0 {
            act.abandon().await?;
            return Err(DeskError::Conflict);
        }
        act.execute(sqlx::query("DELETE FROM patient_numbers WHERE patient = $1").bind(id)).await?;
        self.enter_numbers(&mut act, patient, (id, by.organisation())).await?;
        act.commit(&event).await?;
        Ok(version)
    }

    /// Erases a patient with all visits: key, documents and hashes. Their recordings must have been erased before. Says the number of its
    /// event in the log.
    ///
    /// # Errors
    /// [`DeskError::Merged`] while they are merged and [`StoreError::OnHold`], with their event; [`DeskError::InUse`] while a recording belongs to a visit, [`StoreError::Unknown`], and
    /// when it cannot be done.
    pub async fn erase_patient(&self, id: &str, by: &By) -> Result<u64, DeskError> {
        let event = by.did_for(Action::Erase, self.pseudonym(id)?);
        let delete = "DELETE FROM patients WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM encounter_recordings \
            JOIN encounters ON encounters.id = encounter_recordings.encounter WHERE encounters.patient = $1) \
            AND stands_under IS NULL AND NOT EXISTS (SELECT 1 FROM patients AS same WHERE same.stands_under = $1)";
        let refused = |reason| Event { outcome: Outcome::Refused { reason }, ..event.clone() };
        match self.delete_and_wipe(delete, id, &event, Some(Whose::Patient)).await {
            Ok(Some(entry)) => return Ok(entry),
            Err(StoreError::OnHold) => {
                self.keep_event(&refused(Refusal::OnHold)).await?;
                return Err(StoreError::OnHold.into());
            }
            Err(error) => return Err(error.into()),
            Ok(None) => {}
        }
        match self.same_person(id).await?.len() {
            0 => Err(StoreError::Unknown { what: "patient", id: id.to_owned() }.into()),
            1 => Err(DeskError::InUse),
            _ => {
                self.keep_event(&refused(Refusal::Merged)).await?;
                Err(DeskError::Merged)
            }
        }
    }

    /// Runs a statement that deletes what has this id, and wipes the file where it did; a patient's key is destroyed then. It goes on
    /// when whoever asked does not wait. Says the number of the event; nothing where nothing was deleted.
    pub(super) async fn delete_and_wipe(
        &self,
        delete: &'static str,
        id: &str,
        event: &Event,
        key: Option<Whose>,
    ) -> Result<Option<u64>, StoreError> {
        let (store, id, event) = (self.clone(), id.to_owned(), event.clone());
        let done = tokio::spawn(async move {
            let _alone = store.shared.erasing.lock().await;
            let entry = store.delete(delete, &id, &event, key).await?;
            if entry.is_some() {
                store.end_erasures().await?;
            }
            Ok(entry)
        });
        done.await.unwrap_or(Err(StoreError::Interrupted))
    }

    /// Runs the statement, and marks that the file is to be wiped where it deleted something, and that the key is to be destroyed.
    async fn delete(&self, delete: &'static str, id: &str, event: &Event, key: Option<Whose>) -> Result<Option<u64>, StoreError> {
        let mut act = self.begin("erase what belongs to a patient").await?;
        if key == Some(Whose::Patient) && act.patient_on_hold(id).await? {
            act.abandon().await?;
            return Err(StoreError::OnHold);
        }
        if key == Some(Whose::Patient) {
            act.give_up_notices(self, id, event.at).await?;
        }
        if act.execute(sqlx::query(delete).bind(id)).await? == 0 {
            return act.abandon().await.map(|()| None);
        }
        act.execute(sqlx::query("UPDATE upkeep SET wipe = 1")).await?;
        if key.is_some() {
            act.execute(sqlx::query("INSERT INTO erased_patients (id) VALUES ($1)").bind(id)).await?;
            act.enter(&Event { action: Action::KeyDestroy, ..event.clone() }).await?;
        }
        act.commit(event).await.map(Some)
    }

    /// The key of a patient.
    pub(super) async fn patient_key(&self, id: &str) -> Result<Key, StoreError> {
        let query = sqlx::query_as("SELECT id FROM patients WHERE id = $1").bind(id);
        let found = self.reader().one::<(String,)>(query).await.map_err(StoreError::database("look for a patient"))?;
        found.ok_or_else(|| StoreError::Unknown { what: "patient", id: id.to_owned() })?;
        self.shared.keys.key(Whose::Patient, id)
    }

    /// Enters what a patient is known by in an organisation.
    async fn enter_numbers(&self, act: &mut Act, patient: &Patient, (id, of): (&str, OrganisationId)) -> Result<(), DeskError> {
        let of = of.to_string();
        for hash in self.hashes(patient)? {
            let held = sqlx::query_as("SELECT patient FROM patient_numbers WHERE organisation = $1 AND hash = $2");
            let held = held.bind(&of).bind(hash.as_slice());
            if let Some((other,)) = act.one::<(String,)>(held).await? {
                return Err(DeskError::Taken { patient: other });
            }
            let insert = sqlx::query("INSERT INTO patient_numbers (organisation, hash, patient) VALUES ($1, $2, $3)");
            act.execute(insert.bind(&of).bind(hash.as_slice()).bind(id)).await?;
        }
        Ok(())
    }

    /// What a patient's numbers are found by.
    fn hashes(&self, patient: &Patient) -> Result<Vec<[u8; 32]>, StoreError> {
        let key = self.index_key()?;
        let hashes = patient.identifiers.iter().map(|identifier| identifier.hash(&key).map(|hash| *hash.bytes()));
        hashes.collect::<Result<_, _>>().map_err(|_| StoreError::Seal(SpoolError::Seal))
    }

    /// The patient whom an organisation knows by this number.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn patient_by_number(&self, of: OrganisationId, number: &Identifier) -> Result<Option<String>, StoreError> {
        let hash = number.hash(&self.index_key()?).map_err(|_| StoreError::Seal(SpoolError::Seal))?;
        let query = sqlx::query_as("SELECT patient FROM patient_numbers WHERE organisation = $1 AND hash = $2");
        let query = query.bind(of.to_string()).bind(hash.bytes().as_slice());
        let row = self.reader().one::<(String,)>(query).await.map_err(StoreError::database("look for a patient"))?;
        Ok(row.map(|(patient,)| patient))
    }

    pub(super) fn index_key(&self) -> Result<IndexKey, StoreError> {
        Ok(IndexKey::from_bytes(self.keyed(b"cantoscribe index of patients 1", b"")?))
    }

    /// What the audit log calls a patient: it tells nothing to who has not the master key.
    ///
    /// # Errors
    /// When it cannot be computed.
    pub fn pseudonym(&self, patient: &str) -> Result<Pseudonym, StoreError> {
        Ok(Pseudonym::from_bytes(self.keyed(b"cantoscribe pseudonym of patient 1\n", patient.as_bytes())?))
    }

    /// What the audit log calls these patients.
    ///
    /// # Errors
    /// As [`Self::pseudonym`].
    pub fn pseudonyms<'a>(&self, patients: impl IntoIterator<Item = &'a str>) -> Result<Vec<Pseudonym>, StoreError> {
        patients.into_iter().map(|patient| self.pseudonym(patient)).collect()
    }

    pub(super) fn keyed(&self, purpose: &[u8], value: &[u8]) -> Result<[u8; 32], StoreError> {
        keyed(self.root(), purpose, value)
    }
}

/// A hash under the root key, of a value for a purpose.
pub(super) fn keyed(root: &Key, purpose: &[u8], value: &[u8]) -> Result<[u8; 32], StoreError> {
    let mac = Hmac::<Sha256>::new_from_slice(root.reveal()).map_err(|_| StoreError::Seal(SpoolError::Seal))?;
    Ok(mac.chain_update(purpose).chain_update(value).finalize().into_bytes().into())
}
