//! Erasing a recording, so that no byte of it is left in the folder, sealed or not.
//!
//! First it is marked and nobody sees it, then its sound goes, its key, then its rows, then what the database keeps of them: SQLite
//! in its file and its log, PostgreSQL in its tables. PostgreSQL has a log and copies that are not ours to empty: what is in them is
//! sealed. What a machine that stopped leaves half done is ended when the folder is opened again.

use std::io;

use super::database::{Kind, Upkeep};
use super::holds::Heeded;
use super::keys::Whose;
use super::{By, Store, StoreError, folder};
use crate::audit::{Action, Event, Outcome, Refusal};

/// How often a recording's note was signed.
pub(super) const SIGNATURES: &str = "SELECT count(*) FROM note_signatures WHERE recording = $1 AND stage = 'signed'";
/// Whether the patient of a recording is merged with another.
const OF_MERGED: &str = "SELECT count(*) FROM encounter_recordings \
    JOIN encounters ON encounters.id = encounter_recordings.encounter \
    JOIN patients ON patients.id = encounters.patient \
    WHERE encounter_recordings.recording = $1 \
    AND (patients.stands_under IS NOT NULL OR EXISTS (SELECT 1 FROM patients AS same WHERE same.stands_under = patients.id))";

/// What may be erased of recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasable {
    /// Those whose note was never signed.
    Unsigned,
    /// Signed ones too.
    Signed,
}

impl Store {
    /// Erases a recording: documents, finals, key and sound. Whoever still writes its spool must have stopped.
    ///
    /// It goes on when whoever asked for it does not wait. Says the number of its event in the log.
    ///
    /// # Errors
    /// [`StoreError::OnHold`] and, of what may be signed, [`StoreError::Merged`], with their event; [`StoreError::Signed`], [`StoreError::Missing`], and when a part could not be erased: then the
    /// rest is at the next start.
    pub async fn erase(&self, id: &str, what: Erasable, by: &By) -> Result<u64, StoreError> {
        self.erase_heeding(Heeded::All, id, what, by).await
    }

    /// The same in the midst of its recording, which its patient has stopped: no legal hold on the patient keeps it, one on itself does.
    ///
    /// # Errors
    /// As [`Self::erase`].
    pub async fn stop_and_erase(&self, id: &str, what: Erasable, by: &By) -> Result<u64, StoreError> {
        self.erase_heeding(Heeded::OnItself, id, what, by).await
    }

    async fn erase_heeding(&self, heeded: Heeded, id: &str, what: Erasable, by: &By) -> Result<u64, StoreError> {
        let (store, id, by) = (self.clone(), id.to_owned(), *by);
        let erased = tokio::spawn(async move {
            let _alone = store.shared.erasing.lock().await;
            match store.forget(&id, what, heeded, &by).await {
                Ok(Some(entry)) => store.end_erasures().await.map(|()| entry),
                Ok(None) => Err(StoreError::missing(&id)),
                Err(StoreError::OnHold) => Err(store.refuse_erasing(&id, Refusal::OnHold, &by).await),
                Err(StoreError::Merged) => Err(store.refuse_erasing(&id, Refusal::Merged, &by).await),
                Err(error) => Err(error),
            }
        });
        erased.await.unwrap_or(Err(StoreError::Interrupted))
    }

    /// Whether [`Self::erase`] finds no legal hold now, or [`Self::stop_and_erase`] where it is `stopped`: for who closes something before.
    ///
    /// # Errors
    /// [`StoreError::OnHold`], with its event, and when it cannot be read.
    pub async fn may_be_erased(&self, id: &str, stopped: bool, by: &By) -> Result<(), StoreError> {
        let heeded = if stopped { Heeded::OnItself } else { Heeded::All };
        if self.is_recording_held(id, heeded).await? { Err(self.refuse_erasing(id, Refusal::OnHold, by).await) } else { Ok(()) }
    }

    /// Keeps the event of what a hold or a merge forbids; what is told then.
    async fn refuse_erasing(&self, id: &str, reason: Refusal, by: &By) -> StoreError {
        let kept = async {
            let event = self.event_about(by, Action::Erase, id).await?;
            self.keep_event(&Event { outcome: Outcome::Refused { reason }, ..event }).await
        };
        let told = if reason == Refusal::Merged { StoreError::Merged } else { StoreError::OnHold };
        kept.await.err().unwrap_or(told)
    }

    /// What has to be allowed for this recording to be erased.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn erasable(&self, id: &str) -> Result<Erasable, StoreError> {
        let row = self.reader().one::<(i64,)>(sqlx::query_as(SIGNATURES).bind(id)).await;
        let row = row.map_err(StoreError::database("read whether a note is signed"))?;
        Ok(if row.is_none_or(|(count,)| count > 0) { Erasable::Signed } else { Erasable::Unsigned })
    }

    /// Ends every erasing that was begun. Whoever calls it holds `erasing`, or is alone.
    pub(super) async fn end_erasures(&self) -> Result<(), StoreError> {
        let failed = || StoreError::database("erase a recording");
        let query = sqlx::query_as("SELECT id FROM recordings WHERE state = 'erasing'");
        for (id,) in self.reader().all::<(String,)>(query).await.map_err(failed())? {
            // The sound first: it makes the room that the rest needs where the disk is full.
            self.remove_sound(&id)?;
            self.shared.keys.destroy(Whose::Recording, &id).await?;
            let delete = sqlx::query("DELETE FROM recordings WHERE id = $1").bind(id);
            self.database().keep_up(Upkeep::Wipe, delete).await.map_err(failed())?;
        }
        let query = sqlx::query_as("SELECT id FROM erased_patients");
        for (id,) in self.reader().all::<(String,)>(query).await.map_err(failed())? {
            self.shared.keys.destroy(Whose::Patient, &id).await?;
            let delete = sqlx::query("DELETE FROM erased_patients WHERE id = $1").bind(id);
            self.database().keep_up(Upkeep::Wipe, delete).await.map_err(failed())?;
        }
        let wipe = self.reader().one::<(i64,)>(sqlx::query_as("SELECT wipe FROM upkeep")).await.map_err(failed())?;
        if wipe != Some((1,)) {
            return Ok(());
        }
        self.shared.folder.forget_copies_with_keys()?;
        self.wipe().await
    }

    /// Marks a recording: from here on nothing reads it, and its key is destroyed, now or at the next start. Nothing where there is none.
    async fn forget(&self, id: &str, what: Erasable, heeded: Heeded, by: &By) -> Result<Option<u64>, StoreError> {
        let marked = self.mark(id, what, by, Some(heeded)).await;
        if matches!(marked, Err(StoreError::DiskFull { .. })) && !self.is_recording_held(id, heeded).await? {
            // Its sound is the largest part of it, and makes the room that the mark needs.
            self.remove_sound(id)?;
            return self.mark(id, what, by, Some(heeded)).await;
        }
        marked
    }

    /// Marks it. Signatures, merges of the patient and holds that are heeded are looked for here, in the change that erases it, with the recording's row held, so
    /// that none is placed meanwhile; none is for one that was erased before and is there again after a restore.
    pub(super) async fn mark(
        &self,
        id: &str,
        what: Erasable,
        by: &By,
        heeded: Option<Heeded>,
    ) -> Result<Option<u64>, StoreError> {
        let mut act = self.begin("erase a recording").await?;
        let update = sqlx::query("UPDATE recordings SET state = 'erasing' WHERE id = $1");
        if act.execute(update.bind(id)).await? == 0 {
            return act.abandon().await.map(|()| None);
        }
        if what == Erasable::Unsigned
            && act.one::<(i64,)>(sqlx::query_as(SIGNATURES).bind(id)).await?.is_none_or(|(count,)| count > 0)
        {
            act.abandon().await?;
            return Err(StoreError::Signed);
        }
        if let Some(heeded) = heeded
            && act.recording_on_hold(id, heeded).await?
        {
            act.abandon().await?;
            return Err(StoreError::OnHold);
        }
        // What is merged by mistake is not destroyed by mistake. A draft may be stopped in the middle of a visit all the same.
        let heeds_merges = heeded.is_some() && what == Erasable::Signed;
        if heeds_merges && act.one::<(i64,)>(sqlx::query_as(OF_MERGED).bind(id)).await?.is_none_or(|(count,)| count > 0) {
            act.abandon().await?;
            return Err(StoreError::Merged);
        }
        act.execute(sqlx::query("UPDATE upkeep SET wipe = 1")).await?;
        let event = act.event_about(by, Action::KeyDestroy, id).await?;
        act.enter(&event).await?;
        act.commit(&Event { action: Action::Erase, ..event }).await.map(Some)
    }

    pub(super) fn remove_sound(&self, id: &str) -> Result<(), StoreError> {
        let path = self.spool_path(id);
        match std::fs::remove_file(&path) {
            Ok(()) => folder::sync(&self.shared.folder.audio()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(StoreError::io("remove", &path)(error)),
        }
    }

    /// SQLite overwrites deleted rows as they go (`secure_delete`), but leaves copies of rows that it once moved from page to page:
    /// so the file is written anew, and then the log emptied. PostgreSQL's tables are written anew.
    pub(super) async fn wipe(&self) -> Result<(), StoreError> {
        self.shared.keys.wipe().await?;
        let failed = || StoreError::database("wipe what was erased");
        self.database().rewrite().await.map_err(failed())?;
        self.empty_log().await?;
        self.database().keep_up(Upkeep::Wipe, sqlx::query("UPDATE upkeep SET wipe = 0")).await.map_err(failed())?;
        self.empty_log().await
    }

    async fn empty_log(&self) -> Result<(), StoreError> {
        if self.database().kind != Kind::Sqlite {
            return Ok(());
        }
        let query = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)");
        let row = self.reader().one::<(i64, i64, i64)>(query).await.map_err(StoreError::database("empty its log"))?;
        if row.is_some_and(|(busy, ..)| busy == 0) { Ok(()) } else { Err(StoreError::Interrupted) }
    }
}
