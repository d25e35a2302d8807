//! Ways back of patients to their own pages, a row each, sealed with the patient's key, and by which number a patient is found.

use serde::{Deserialize, Serialize};
use sqlx::Any;
use sqlx::any::AnyArguments;
use sqlx::query::Query;

use super::act::Act;
use super::database::Upkeep;
use super::delivery::WEEK;
use super::pages::PatientPage;
use super::place::Place;
use super::{By, Outgoing, Store, StoreError};
use crate::audit::{ConsentId, Event, Refusal, UnixMillis};
use crate::consent::{Decider, Secret, WayBack};
use crate::spool::Key;

/// A change of a way back, with what is done in the same transaction.
#[derive(Debug)]
pub struct WayChange<T> {
    /// What it gives, or why it was not done.
    pub outcome: Result<T, Refusal>,
    /// What is kept in the log.
    pub event: Event,
    /// A message to the patient.
    pub message: Option<Outgoing>,
    /// The page that is the patient's from now on, who sits before it, and until when.
    pub page: Option<(Secret, Decider, UnixMillis)>,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    way: WayBack,
    /// The name of the clinic, for messages.
    clinic: String,
}

fn place(id: &str) -> Place<'_> {
    Place::new("ways_back.document", id)
}

impl Store {
    fn contact_hash(&self, number: &str) -> Result<Vec<u8>, StoreError> {
        Ok(self.keyed(b"cantoscribe index of contacts 1\n", number.as_bytes())?.to_vec())
    }

    /// The patients who are reached by this number or mailbox, in the form in which contacts are kept.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn patients_reached_by(&self, number: &str) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query_as("SELECT patient FROM contact_numbers WHERE hash = $1 ORDER BY patient");
        let rows = self.reader().all::<(String,)>(query.bind(self.contact_hash(number)?)).await;
        Ok(rows.map_err(StoreError::database("look for a patient"))?.into_iter().map(|(patient,)| patient).collect())
    }

    /// Enters contacts of a folder that was made before there was an index of them.
    ///
    /// # Errors
    /// When they cannot be read or written.
    pub async fn index_contacts(&self) -> Result<(), StoreError> {
        let failed = || StoreError::database("index how patients are reached");
        let query = "SELECT patient FROM patient_contacts WHERE NOT EXISTS \
            (SELECT 1 FROM contact_numbers WHERE contact_numbers.patient = patient_contacts.patient)";
        for (patient,) in self.reader().all::<(String,)>(sqlx::query_as(query)).await.map_err(failed())? {
            let contact = match self.contact(&patient).await {
                Ok(Some(contact)) => contact,
                Ok(None) => continue,
                // One that is damaged is left out, as lists do.
                Err(error) => {
                    tracing::error!(%error, "a patient has no way back");
                    continue;
                }
            };
            for number in [&contact.phone, &contact.mail].into_iter().flatten() {
                let insert = "INSERT INTO contact_numbers (hash, patient) VALUES ($1, $2) ON CONFLICT DO NOTHING";
                let insert = sqlx::query(insert).bind(self.contact_hash(number.reveal())?).bind(&patient);
                self.database().keep_up(Upkeep::Figures, insert).await.map_err(failed())?;
            }
        }
        Ok(())
    }

    /// Enters by which numbers a patient is reached, in the change that keeps the contact.
    pub(super) async fn enter_contact_numbers(&self, act: &mut Act, patient: &str, numbers: &[&str]) -> Result<(), StoreError> {
        act.execute(sqlx::query("DELETE FROM contact_numbers WHERE patient = $1").bind(patient)).await?;
        for number in numbers {
            let insert = "INSERT INTO contact_numbers (hash, patient) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            act.execute(sqlx::query(insert).bind(self.contact_hash(number)?).bind(patient)).await?;
        }
        Ok(())
    }

    /// Keeps a way back that was asked for, with the patient's message. Those that have run out go.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such patient, and when it cannot be written.
    pub async fn keep_way_back(
        &self,
        (id, patient): (ConsentId, &str),
        (way, event): (WayBack, Event),
        clinic: &str,
        message: Outgoing,
        by: &By,
    ) -> Result<(), StoreError> {
        let (key, id) = (self.patient_key(patient).await?, id.to_string());
        let ends = way.runs_out().0.cast_signed();
        let sealed = place(&id).seal_json(&key, &Kept { way, clinic: clinic.to_owned() })?;
        let mut act = self.begin("keep a way back").await?;
        let over = by.at.0.cast_signed();
        act.execute(sqlx::query("DELETE FROM ways_back WHERE ends <= $1").bind(over)).await?;
        // The number that they went to is kept no longer than they, or than it is told that they failed.
        let delete = "DELETE FROM outbox WHERE consent IS NULL AND (state = 'handed_over' AND until_at <= $1 OR state = 'failed' AND until_at <= $2)";
        let told = by.at.0.saturating_sub(WEEK).cast_signed();
        act.execute(sqlx::query(delete).bind(over).bind(told)).await?;
        let insert = "INSERT INTO ways_back (id, patient, message, ends, document) VALUES ($1, $2, '', $3, $4)";
        act.execute(sqlx::query(insert).bind(&id).bind(patient).bind(ends).bind(sealed)).await?;
        act.post(&key, patient, None, message, by.at).await?;
        act.commit(&event.from(by.address, by.device)).await?;
        self.messages_wait();
        Ok(())
    }

    /// A way back, the name of its clinic and its patient, if there is one of this id.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] and when it cannot be read.
    pub async fn way_back(&self, id: ConsentId) -> Result<Option<(WayBack, String, String)>, StoreError> {
        let id = id.to_string();
        let query = sqlx::query_as("SELECT patient, document FROM ways_back WHERE id = $1").bind(&id);
        let row = self.reader().one::<(String, Vec<u8>)>(query).await.map_err(StoreError::database("read a way back"))?;
        let Some((patient, sealed)) = row else { return Ok(None) };
        let Kept { way, clinic } = place(&id).unseal_json(&self.patient_key(&patient).await?, &sealed)?;
        Ok(Some((way, clinic, patient)))
    }

    /// Changes a way back by what `change` makes of it and of the clinic's name; nothing where there is no such one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], and when it cannot be written: then nothing has changed.
    pub async fn change_way_back<T>(
        &self,
        id: ConsentId,
        by: &By,
        change: impl FnOnce(&mut WayBack, &str) -> WayChange<T>,
    ) -> Result<Option<Result<T, Refusal>>, StoreError> {
        let Some((.., patient)) = self.way_back(id).await? else { return Ok(None) };
        let (key, id) = (self.patient_key(&patient).await?, id.to_string());
        let mut act = self.begin("change a way back").await?;
        let Some(Kept { mut way, clinic }) = act.hold_way_back(&id, &key).await? else {
            return act.abandon().await.map(|()| None);
        };
        let WayChange { outcome, event, message, page } = change(&mut way, &clinic);
        act.keep_way(&key, &id, Kept { way, clinic }).await?;
        if let Some(message) = message {
            let void =
                "DELETE FROM outbox WHERE state = 'waiting' AND id IN (SELECT message FROM ways_back WHERE ways_back.id = $1)";
            act.execute(sqlx::query(void).bind(&id)).await?;
            let posted = act.post(&key, &patient, None, message, by.at).await?;
            act.execute(sqlx::query("UPDATE ways_back SET message = $1 WHERE id = $2").bind(posted).bind(&id)).await?;
        }
        if let Some((secret, decider, ends)) = page {
            act.open_page(&secret, &PatientPage { patient, decider }, ends, by.at).await?;
        }
        act.commit(&event.from(by.address, by.device)).await?;
        self.messages_wait();
        Ok(Some(outcome))
    }

    /// A gateway took the message with a code: `update` keeps that, and the code's time begins. False where it was not waiting any more,
    /// or belongs to no way back.
    pub(super) async fn page_code_handed_over<'q>(
        &self,
        (message, key): (&str, &Key),
        update: Query<'q, Any, AnyArguments<'q>>,
        at: UnixMillis,
    ) -> Result<bool, StoreError> {
        let mut act = self.begin("keep that a code was sent").await?;
        let query = sqlx::query_as("SELECT id FROM ways_back WHERE message = $1").bind(message);
        let kept = match act.one::<(String,)>(query).await? {
            Some((id,)) => act.hold_way_back(&id, key).await?.map(|kept| (id, kept)),
            None => None,
        };
        let Some((id, Kept { mut way, clinic })) = kept else {
            act.abandon().await?;
            // It was taken all the same: left waiting, it would be sent again and again.
            let done = self.database().keep_up(Upkeep::Delivery, update).await;
            return done.map(|_| false).map_err(StoreError::database("keep that a message was sent"));
        };
        if act.execute(update).await? == 0 {
            return act.abandon().await.map(|()| false);
        }
        let event = way.code_handed_over(at);
        act.keep_way(key, &id, Kept { way, clinic }).await?;
        act.commit(&event).await.map(|_| true)
    }
}

impl Act {
    async fn hold_way_back(&mut self, id: &str, key: &Key) -> Result<Option<Kept>, StoreError> {
        if self.execute(sqlx::query("UPDATE ways_back SET ends = ends WHERE id = $1").bind(id)).await? == 0 {
            return Ok(None);
        }
        let query = sqlx::query_as("SELECT document FROM ways_back WHERE id = $1").bind(id);
        let row = self.one::<(Vec<u8>,)>(query).await?;
        row.map(|(sealed,)| place(id).unseal_json(key, &sealed)).transpose()
    }

    async fn keep_way(&mut self, key: &Key, id: &str, kept: Kept) -> Result<(), StoreError> {
        let sealed = place(id).seal_json(key, &kept)?;
        self.execute(sqlx::query("UPDATE ways_back SET document = $1 WHERE id = $2").bind(sealed).bind(id)).await.map(drop)
    }
}
