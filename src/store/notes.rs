//! The documents of a finished recording: its transcript, and every version of its note.

use super::act::Act;
use super::place::Place;
use super::{By, Store, StoreError};
use crate::audit::{Action, Actor};
use crate::note::Note;
use crate::speech::transcript::Transcript;
use crate::spool::Key;

/// What a finished recording became.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// What was said.
    pub transcript: Transcript,
    /// The current version of the note.
    pub note: Note,
    /// Its number, from 1.
    pub version: u64,
}

pub(super) fn note_place(id: &str, version: i64) -> Place<'_> {
    Place::row("notes.document", id, format!("version {version}"))
}

impl Act {
    /// Gives a recording its documents and makes it finished; false where it is not there or is finished.
    pub(super) async fn keep_documents(
        &mut self,
        id: &str,
        key: &Key,
        transcript: &Transcript,
        note: &Note,
    ) -> Result<bool, StoreError> {
        let said = Place::new("transcripts.document", id).seal_json(key, transcript)?;
        let written = note_place(id, 1).seal_json(key, note)?;
        let duration = transcript.audio.as_ref().map(|audio| audio.duration_ms.cast_signed());
        let update =
            "UPDATE recordings SET state = 'finished', duration_ms = $1 WHERE id = $2 AND state IN ('open', 'finishing')";
        if self.execute(sqlx::query(update).bind(duration).bind(id)).await? == 0 {
            return Ok(false);
        }
        let insert = sqlx::query("INSERT INTO transcripts (recording, document) VALUES ($1, $2)").bind(id).bind(said);
        self.execute(insert).await?;
        let insert = sqlx::query("INSERT INTO notes (recording, version, document) VALUES ($1, 1, $2)").bind(id).bind(written);
        self.execute(insert).await?;
        Ok(true)
    }
}

impl Store {
    /// Gives a recording its documents and makes it finished, all or nothing.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::State`] when it is finished already, and when it cannot be written.
    pub async fn finish(&self, id: &str, transcript: &Transcript, note: &Note) -> Result<(), StoreError> {
        let key = self.data_key(id).await?;
        let mut act = self.begin("keep the documents").await?;
        if !act.keep_documents(id, &key, transcript, note).await? {
            act.abandon().await?;
            return Err(self.refusal(id, "be finished").await?);
        }
        act.forget_expected(id).await?;
        let event = act.event_about(&By::now(Actor::System), Action::Finish, id).await?;
        act.commit(&event).await.map(drop)
    }

    /// The documents of a recording, or nothing before it is finished.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Damaged`], and when they cannot be read.
    pub async fn document(&self, id: &str) -> Result<Option<Document>, StoreError> {
        let key = self.data_key(id).await?;
        let query = "SELECT transcripts.document, notes.document, version FROM transcripts JOIN notes USING (recording) \
            WHERE recording = $1 ORDER BY version DESC LIMIT 1";
        let row = self.reader().one::<(Vec<u8>, Vec<u8>, i64)>(sqlx::query_as(query).bind(id)).await;
        let Some((said, written, version)) = row.map_err(StoreError::database("read the documents"))? else { return Ok(None) };
        let transcript = Place::new("transcripts.document", id).unseal_json(&key, &said)?;
        let note = note_place(id, version).unseal_json(&key, &written)?;
        Ok(Some(Document { transcript, note, version: version.unsigned_abs() }))
    }

    /// A version of the note, if there is one of this number.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Damaged`], and when it cannot be read.
    pub async fn note_version(&self, id: &str, version: u64) -> Result<Option<Note>, StoreError> {
        let key = self.data_key(id).await?;
        let query = sqlx::query_as("SELECT document FROM notes WHERE recording = $1 AND version = $2").bind(id);
        let row = self.reader().one::<(Vec<u8>,)>(query.bind(version.cast_signed())).await;
        let row = row.map_err(StoreError::database("read a version of a note"))?;
        row.map(|(sealed,)| note_place(id, version.cast_signed()).unseal_json(&key, &sealed)).transpose()
    }
}
