//! The recordings: what each is, and how far it is.

use std::fmt;

use sqlx::FromRow;

use super::act::Act;
use super::database::Upkeep;
use super::error::there;
use super::keys::{KeyStore, Whose};
use super::owners::{RECORDINGS_IN_REACH, Reach};
use super::place::Place;
use super::{By, DeskError, Store, StoreError};
use crate::audio::{StreamEncoding, StreamFormat};
use crate::audit::{Action, Actor, Event};
use crate::note::Note;
use crate::speech::Transcript;
use crate::spool::Key;

/// How far a recording is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Sound may still come.
    Open,
    /// All sound is there, and its documents are being made.
    Finishing,
    /// It has its documents.
    Finished,
}

impl State {
    /// `open`, `finishing` or `finished`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Finishing => "finishing",
            Self::Finished => "finished",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        [Self::Open, Self::Finishing, Self::Finished].into_iter().find(|state| state.name() == name)
    }
}

/// What is stated of a recording when it begins.
#[derive(Clone)]
pub struct NewRecording {
    /// Letters, digits, `-` and `_`; never used before.
    pub id: String,
    /// RFC 3339 time.
    pub created_at: String,
    /// How its sound is written.
    pub format: StreamFormat,
    /// `yue`, `zh`, `en` or `auto`.
    pub language: String,
    /// Names of its channels, or none.
    pub speakers: Vec<String>,
    /// SHA-256 of the token that resumes it.
    pub token_hash: [u8; 32],
}

/// A recording.
#[derive(Clone)]
pub struct Recording {
    /// What it is asked for by.
    pub id: String,
    /// How far it is.
    pub state: State,
    /// RFC 3339 time.
    pub created_at: String,
    /// How its sound is written.
    pub format: StreamFormat,
    /// `yue`, `zh`, `en` or `auto`.
    pub language: String,
    /// Names of its channels, or none.
    pub speakers: Vec<String>,
    /// SHA-256 of the token that resumes it.
    pub token_hash: [u8; 32],
    /// Seals its spool and its content.
    pub key: Key,
    /// How long the transcript says that it is, once it is finished.
    pub duration_ms: Option<u64>,
    /// Version of its note: 0 before it is finished, 1 as the machine made it.
    pub version: u64,
}

impl Recording {
    /// Whether a person changed its note.
    #[must_use]
    pub fn edited(&self) -> bool {
        self.version > 1
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, state, version, .. } = self;
        write!(f, "Recording({id} {}, note {version})", state.name())
    }
}

impl fmt::Debug for NewRecording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewRecording({:?})", self.format)
    }
}

const SELECT: &str = "SELECT id, state, created_at, encoding, rate, channels, language, duration_ms, token_hash, speakers, \
    coalesce((SELECT max(version) FROM notes WHERE notes.recording = recordings.id), 0) AS version \
    FROM recordings WHERE state <> 'erasing'";

#[derive(FromRow)]
struct Row {
    id: String,
    state: String,
    created_at: String,
    encoding: String,
    rate: i64,
    channels: i64,
    language: String,
    duration_ms: Option<i64>,
    token_hash: Vec<u8>,
    speakers: Vec<u8>,
    version: i64,
}

impl Row {
    fn recording(self, keys: &KeyStore) -> Result<Recording, StoreError> {
        let id = self.id.as_str();
        let damaged = |column| Place::new(column, id).damaged();
        let key = keys.key(Whose::Recording, id)?;
        let format =
            self.encoding.parse::<StreamEncoding>().ok().and_then(|encoding| {
                StreamFormat::new(encoding, self.rate.try_into().ok()?, self.channels.try_into().ok()?).ok()
            });
        Ok(Recording {
            state: State::of_name(&self.state).ok_or_else(|| damaged("recordings.state"))?,
            format: format.ok_or_else(|| damaged("recordings.encoding"))?,
            speakers: Place::new("recordings.speakers", id).unseal_json(&key, &self.speakers)?,
            token_hash: self.token_hash.try_into().map_err(|_| damaged("recordings.token_hash"))?,
            duration_ms: self.duration_ms.and_then(|ms| ms.try_into().ok()),
            version: self.version.unsigned_abs(),
            created_at: self.created_at,
            language: self.language,
            key,
            id: self.id,
        })
    }
}

impl Store {
    /// Takes in a new recording that is nobody's, and makes it a key of its own.
    ///
    /// # Errors
    /// [`StoreError::BadId`], and when it cannot be written or another has its id.
    pub async fn create(&self, new: NewRecording, by: &By) -> Result<Recording, StoreError> {
        let mut act = self.begin("take in a recording").await?;
        let recording = self.take_in(&mut act, new, by).await?;
        act.commit(&by.did(Action::Record, &recording.id)).await?;
        Ok(recording)
    }

    /// [`Self::create`] as part of a change, which writes the event.
    pub(super) async fn take_in(&self, act: &mut Act, new: NewRecording, by: &By) -> Result<Recording, StoreError> {
        let NewRecording { id, created_at, format, language, speakers, token_hash } = new;
        if id.is_empty() || id.len() > 64 || !id.chars().all(is_of_id) {
            return Err(StoreError::BadId);
        }
        let key = Key::generate()?;
        let sealed = Place::new("recordings.speakers", &id).seal_json(&key, &speakers)?;
        let insert = "INSERT INTO recordings (id, state, created_at, encoding, rate, channels, language, token_hash, data_key, speakers, \
            organisation, made_by) VALUES ($1, 'open', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let insert =
            sqlx::query(insert).bind(&id).bind(&created_at).bind(format.encoding().name()).bind(i64::from(format.rate()));
        let insert = insert
            .bind(i64::from(format.channels()))
            .bind(&language)
            .bind(token_hash.as_slice())
            .bind(Vec::<u8>::new())
            .bind(sealed);
        act.execute(insert.bind(by.organisation().to_string()).bind(by.maker())).await?;
        // On the disk before the row is: a row without its key would be lost.
        self.shared.keys.add(Whose::Recording, &id, &key).await?;
        let (state, duration_ms, version) = (State::Open, None, 0);
        Ok(Recording { id, state, created_at, format, language, speakers, token_hash, key, duration_ms, version })
    }

    /// Takes in a note that is typed, finished as it begins; says its id. It is there whole, or not at all.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such visit; and as [`Self::create`].
    pub async fn create_typed(
        &self,
        new: NewRecording,
        encounter: &str,
        (transcript, note): (&Transcript, &Note),
        by: &By,
    ) -> Result<String, DeskError> {
        let mut act = self.begin("take in a typed note").await?;
        // Before the key is made, which would be left where there is no such visit.
        if act.held_encounter(&self.shared.keys, encounter).await?.is_none() {
            act.abandon().await?;
            return Err(StoreError::Unknown { what: "visit", id: encounter.to_owned() }.into());
        }
        let Recording { id, key, .. } = self.take_in(&mut act, new, by).await?;
        let entered = self.enter_into(&mut act, &id, (encounter, true), by).await?;
        act.keep_documents(&id, &key, transcript, note).await?;
        let patient = entered.patient;
        act.enter(&Event { patient, ..by.did(Action::Record, &id) }).await?;
        act.enter(&entered).await?;
        act.commit(&Event { patient, ..By::now(Actor::System).did(Action::Finish, &id) }).await?;
        Ok(id)
    }

    /// The recording of this id, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] and when it cannot be read.
    pub async fn recording(&self, id: &str) -> Result<Option<Recording>, StoreError> {
        let query = format!("{SELECT} AND id = $1");
        let row = self.reader().one::<Row>(sqlx::query_as(&query).bind(id)).await;
        let row = row.map_err(StoreError::database("read a recording"))?;
        row.map_or(Ok(None), |row| there(row.recording(&self.shared.keys)))
    }

    /// All recordings, the newest first. One that is damaged is left out and named in the log.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn recordings(&self) -> Result<Vec<Recording>, StoreError> {
        let query = format!("{SELECT} ORDER BY number DESC");
        let rows = self.reader().all::<Row>(sqlx::query_as(&query)).await;
        Ok(self.readable_recordings(rows.map_err(StoreError::database("list the recordings"))?))
    }

    /// The recordings within a reach, as [`Self::recordings`] lists all.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn recordings_within(&self, reach: Reach) -> Result<Vec<Recording>, StoreError> {
        let query = format!("{SELECT} AND {RECORDINGS_IN_REACH} ORDER BY number DESC");
        let (organisation, role) = reach.values();
        let rows = self.reader().all::<Row>(sqlx::query_as(&query).bind(organisation).bind(role)).await;
        Ok(self.readable_recordings(rows.map_err(StoreError::database("list the recordings"))?))
    }

    fn readable_recordings(&self, rows: Vec<Row>) -> Vec<Recording> {
        let readable = |row: Row| row.recording(&self.shared.keys).inspect_err(|error| tracing::error!(%error)).ok();
        rows.into_iter().filter_map(readable).collect()
    }

    /// Lets another token resume it, and no longer the former one.
    ///
    /// # Errors
    /// [`StoreError::Missing`] and when it cannot be written.
    pub async fn set_token_hash(&self, id: &str, hash: [u8; 32], by: &By) -> Result<(), StoreError> {
        let update = sqlx::query("UPDATE recordings SET token_hash = $1 WHERE id = $2 AND state <> 'erasing'");
        let mut act = self.begin("change a token").await?;
        if act.execute(update.bind(hash.as_slice()).bind(id)).await? == 0 {
            act.abandon().await?;
            return Err(StoreError::missing(id));
        }
        let event = act.event_about(by, Action::Administer, id).await?;
        act.commit(&event).await.map(drop)
    }

    /// Notes how far a recording is. Only [`Store::finish`] makes it finished, and nothing opens it again.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::State`], and when it cannot be written.
    pub async fn set_state(&self, id: &str, state: State) -> Result<(), StoreError> {
        let update = "UPDATE recordings SET state = $1 WHERE id = $2 AND state IN ('open', 'finishing') AND $1 <> 'finished'";
        let update = sqlx::query(update).bind(state.name()).bind(id);
        let done = self.database().keep_up(Upkeep::Progress, update).await;
        if done.map_err(StoreError::database("change a recording's state"))? == 0 {
            Err(self.refusal(id, "change its state so").await?)
        } else {
            Ok(())
        }
    }

    /// Why a recording did not take a change: it is gone, or in a state that does not.
    pub(super) async fn refusal(&self, id: &str, action: &'static str) -> Result<StoreError, StoreError> {
        let recording = self.recording(id).await?;
        Ok(recording.map_or_else(
            || StoreError::missing(id),
            |found| StoreError::State { id: id.to_owned(), state: found.state.name(), action },
        ))
    }

    /// The key of a recording.
    pub(super) async fn data_key(&self, id: &str) -> Result<Key, StoreError> {
        let query = sqlx::query_as("SELECT id FROM recordings WHERE id = $1 AND state <> 'erasing'").bind(id);
        let found = self.reader().one::<(String,)>(query).await.map_err(StoreError::database("look for a recording"))?;
        found.ok_or_else(|| StoreError::missing(id))?;
        self.shared.keys.key(Whose::Recording, id)
    }
}

/// An id is a file's name and part of what values are bound to.
pub(super) fn is_of_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}
