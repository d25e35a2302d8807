//! No event, no act: what changes the database commits together with the event that tells of it, or not at all.
//!
//! The database's handle is private to its module. A method of the store can read ([`super::database::Reader`]), do what the program
//! keeps up by itself ([`super::database::Upkeep`], a closed list), or begin an [`Act`], whose only end that keeps anything takes an
//! event.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::{Query, QueryAs};
use sqlx::{Any, AnyConnection, FromRow, Transaction};

use super::patients::keyed;
use super::{Store, StoreError, keys};
use crate::audit::{Action, Actor, DeviceId, Event, Outcome, Pseudonym, Purpose, RecordId, UnixMillis};
use crate::spool::Key;

/// Who does something, when, and from where: what an event says beside the act itself.
#[derive(Debug, Clone, Copy)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// When.
    pub at: UnixMillis,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// The enrolled device that it came from.
    pub device: Option<DeviceId>,
    /// What for, as the role of who acts has it: events that concern a patient or a record say so.
    pub purpose: Option<Purpose>,
}

impl By {
    /// This actor, now, on this machine.
    #[must_use]
    pub fn now(actor: Actor) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let at = since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        Self { actor, at: UnixMillis(at), address: None, device: None, purpose: None }
    }

    /// When, in seconds since 1970.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        i64::try_from(self.at.0 / 1000).unwrap_or(i64::MAX)
    }

    /// The same actor from the same place, now.
    #[must_use]
    pub fn later(self) -> Self {
        Self { at: Self::now(self.actor).at, ..self }
    }

    /// The event of something that was done to a recording of nobody's. [`Store::event_about`] says whose one is.
    #[must_use]
    pub(super) fn did(&self, action: Action, recording: &str) -> Event {
        Event { record: Some(record_id(recording)), purpose: self.purpose, ..self.did_in_general(action) }
    }

    /// The event of something that was done to a patient's particulars or visits.
    #[must_use]
    pub fn did_for(&self, action: Action, patient: Pseudonym) -> Event {
        Event { patient: Some(patient), purpose: self.purpose, ..self.did_in_general(action) }
    }

    /// The event of something that was done to no recording in particular.
    #[must_use]
    pub fn did_in_general(&self, action: Action) -> Event {
        Event::new(self.at, self.actor, action, Outcome::Done).from(self.address, self.device)
    }
}

/// What the audit log calls a recording. A recording's id is random, so only who has the id can tell; an erased one's is nowhere.
#[must_use]
pub fn record_id(recording: &str) -> RecordId {
    let hash: [u8; 32] = Sha256::new_with_prefix("cantoscribe recording\n").chain_update(recording).finalize().into();
    let (half, _) = hash.split_at(16);
    RecordId::from_bytes(std::array::from_fn(|index| half.get(index).copied().unwrap_or_default()))
}

/// Whose a recording is.
const PATIENT: &str = "SELECT encounters.patient FROM encounter_recordings JOIN encounters ON encounters.id = encounter_recordings.encounter \
    WHERE encounter_recordings.recording = $1";
/// Whose a visit is.
const PATIENT_OF_VISIT: &str = "SELECT patient FROM encounters WHERE id = $1";

/// A change that is not committed yet. Dropped, it never happened.
pub(super) struct Act {
    store: Store,
    transaction: Transaction<'static, Any>,
    /// What it is for, a verb in its plain form.
    action: &'static str,
    /// What it makes good no more, or again.
    ends: Vec<keys::Change>,
}

impl Store {
    /// Begins a change. SQLite has one connection: until the act ends, nothing else may be asked of the store in the same task.
    pub(super) async fn begin(&self, action: &'static str) -> Result<Act, StoreError> {
        let transaction = self.database().begin().await.map_err(StoreError::database(action))?;
        Ok(Act { store: self.clone(), transaction, action, ends: Vec::new() })
    }

    /// The event of something that is done to a recording, with the patient whose it is.
    ///
    /// # Errors
    /// When that cannot be read.
    pub async fn event_about(&self, by: &By, action: Action, recording: &str) -> Result<Event, StoreError> {
        self.event_whose(by, action, recording, PATIENT).await
    }

    /// The event of something that is done to a visit, with the patient whose it is.
    ///
    /// # Errors
    /// When that cannot be read.
    pub async fn event_about_visit(&self, by: &By, action: Action, visit: &str) -> Result<Event, StoreError> {
        self.event_whose(by, action, visit, PATIENT_OF_VISIT).await
    }

    async fn event_whose(&self, by: &By, action: Action, id: &str, whose: &'static str) -> Result<Event, StoreError> {
        let row = self.reader().one::<(String,)>(sqlx::query_as(whose).bind(id)).await;
        let row = row.map_err(StoreError::database("read whose something is"))?;
        let patient = row.map(|(patient,)| self.pseudonym(&patient)).transpose()?;
        Ok(Event { patient, ..by.did(action, id) })
    }

    /// Keeps these events and then `last`, all or none. The number of the last one in the log.
    ///
    /// # Errors
    /// When they cannot be written; then what they tell of must not be done.
    pub async fn keep_events(&self, events: &[Event], last: &Event) -> Result<u64, StoreError> {
        let mut act = self.begin("keep events").await?;
        for event in events {
            act.enter(event).await?;
        }
        act.commit(last).await
    }
}

impl Act {
    /// Runs a statement; says how many rows it changed.
    pub(super) async fn execute<'q>(&mut self, query: Query<'q, Any, AnyArguments<'q>>) -> Result<u64, StoreError> {
        let done = query.execute(&mut *self.transaction).await;
        Ok(done.map_err(StoreError::database(self.action))?.rows_affected())
    }

    /// The first row of a query, if there is one, as it is within this change.
    pub(super) async fn one<'q, T: for<'r> FromRow<'r, AnyRow> + Send + Unpin>(
        &mut self,
        query: QueryAs<'q, Any, T, AnyArguments<'q>>,
    ) -> Result<Option<T>, StoreError> {
        query.fetch_optional(&mut *self.transaction).await.map_err(StoreError::database(self.action))
    }

    /// All rows of a query, as they are within this change.
    pub(super) async fn all<'q, T: for<'r> FromRow<'r, AnyRow> + Send + Unpin>(
        &mut self,
        query: QueryAs<'q, Any, T, AnyArguments<'q>>,
    ) -> Result<Vec<T>, StoreError> {
        query.fetch_all(&mut *self.transaction).await.map_err(StoreError::database(self.action))
    }

    /// Makes it happen, and the event with it. Says the event's number in the log.
    pub(super) async fn commit(mut self, event: &Event) -> Result<u64, StoreError> {
        let number = self.enter(event).await?;
        self.store.shared.keys.note(&self.ends).await?;
        self.transaction.commit().await.map_err(StoreError::database(self.action))?;
        self.store.log_has_more();
        Ok(number)
    }

    /// Enters an event that belongs to this change beside the one that it is committed with.
    pub(super) async fn enter(&mut self, event: &Event) -> Result<u64, StoreError> {
        enter(&mut self.transaction, self.store.root(), event, self.action).await
    }

    /// What it makes good no more, or again, the key store has before it is committed.
    pub(super) fn ends(&mut self, change: keys::Change) {
        self.ends.push(change);
    }

    /// The event of what is done here to a recording, with the patient whose it is.
    pub(super) async fn event_about(&mut self, by: &By, action: Action, recording: &str) -> Result<Event, StoreError> {
        let row = self.one::<(String,)>(sqlx::query_as(PATIENT).bind(recording)).await?;
        let patient = row.map(|(patient,)| self.store.pseudonym(&patient)).transpose()?;
        Ok(Event { patient, ..by.did(action, recording) })
    }

    /// Gives it up, and waits until the connection is free again.
    pub(super) async fn abandon(self) -> Result<(), StoreError> {
        self.transaction.rollback().await.map_err(StoreError::database(self.action))
    }
}

/// What vouches for a row of the events until the log has it: who has the database alone cannot make it.
pub(super) fn mac_of(root: &Key, number: u64, entry: &[u8]) -> Result<[u8; 32], StoreError> {
    keyed(root, b"cantoscribe row of the events 1\n", &[&number.to_be_bytes(), entry].concat())
}

/// Enters an event in a transaction.
pub(super) async fn enter(
    transaction: &mut AnyConnection,
    root: &Key,
    event: &Event,
    action: &'static str,
) -> Result<u64, StoreError> {
    let entry = event.encode()?;
    // The row is locked until the commit: the next act waits here, and so numbers follow the commits.
    let count = sqlx::query_scalar::<_, i64>("UPDATE event_count SET size = size + 1 WHERE id = 1 RETURNING size");
    let size = count.fetch_one(&mut *transaction).await.map_err(StoreError::database(action))?;
    let number = size - 1;
    let mac = mac_of(root, number.cast_unsigned(), &entry)?.to_vec();
    let insert = sqlx::query("INSERT INTO events (number, entry, mac) VALUES ($1, $2, $3)").bind(number).bind(entry).bind(mac);
    insert.execute(transaction).await.map_err(StoreError::database(action))?;
    Ok(number.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_a_patient_or_a_record_says_what_it_is_for() {
        let by = By { purpose: Some(Purpose::Treatment), ..By::now(Actor::System) };
        let patient = Pseudonym::from_bytes([1; 32]);
        assert_eq!(by.did_for(Action::View { count: 1 }, patient).purpose, Some(Purpose::Treatment));
        assert_eq!(by.did(Action::Edit, "one").purpose, Some(Purpose::Treatment));
        assert_eq!(by.did_in_general(Action::SignOut).purpose, None);
        assert_eq!(By::now(Actor::System).did_for(Action::Erase, patient).purpose, None);
    }
}
