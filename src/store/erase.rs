//! Erasing a recording, so that no byte of it is left in the folder, sealed or not.
//!
//! First its key goes and it is marked, then its sound, then its rows, then what the database keeps of them: SQLite
//! in its file and its log, PostgreSQL in its tables. PostgreSQL has a log and copies that are not ours to empty: what is in them is
//! sealed. What a machine that stopped leaves half done is ended when the folder is opened again.

use std::io;

use super::database::Kind;
use super::{Store, StoreError, folder};

impl Store {
    /// Erases a recording: documents, finals, key and sound. Whoever still writes its spool must have stopped.
    ///
    /// It goes on when whoever asked for it does not wait.
    ///
    /// # Errors
    /// [`StoreError::Missing`], and when a part could not be erased: then the rest is at the next start.
    pub async fn erase(&self, id: &str) -> Result<(), StoreError> {
        let (store, id) = (self.clone(), id.to_owned());
        let erased = tokio::spawn(async move {
            let _alone = store.shared.erasing.lock().await;
            if store.forget(&id).await? { store.end_erasures().await } else { Err(StoreError::missing(&id)) }
        });
        erased.await.unwrap_or(Err(StoreError::Interrupted))
    }

    /// Ends every erasing that was begun. Whoever calls it holds `erasing`, or is alone.
    pub(super) async fn end_erasures(&self) -> Result<(), StoreError> {
        let failed = || StoreError::database("erase a recording");
        let query = sqlx::query_scalar::<_, String>("SELECT id FROM recordings WHERE state = 'erasing'");
        for id in query.fetch_all(self.pool()).await.map_err(failed())? {
            self.remove_sound(&id)?;
            let delete = sqlx::query("DELETE FROM recordings WHERE id = $1").bind(id);
            delete.execute(self.pool()).await.map_err(failed())?;
        }
        let wipe = sqlx::query_scalar::<_, i64>("SELECT wipe FROM upkeep");
        if wipe.fetch_one(self.pool()).await.map_err(failed())? == 1 { self.wipe().await } else { Ok(()) }
    }

    /// Marks a recording and destroys its key: from here on nothing can read it. False where there is none.
    async fn forget(&self, id: &str) -> Result<bool, StoreError> {
        let marked = self.mark(id).await;
        if matches!(marked, Err(StoreError::DiskFull { .. })) {
            // Its sound is the largest part of it, and makes the room that the mark needs.
            self.remove_sound(id)?;
            return self.mark(id).await;
        }
        marked
    }

    pub(super) async fn mark(&self, id: &str) -> Result<bool, StoreError> {
        let failed = || StoreError::database("erase a recording");
        let mut transaction = self.pool().begin().await.map_err(failed())?;
        let update =
            sqlx::query("UPDATE recordings SET state = 'erasing', data_key = $1 WHERE id = $2").bind(Vec::<u8>::new()).bind(id);
        let done = update.execute(&mut *transaction).await.map_err(failed())?;
        sqlx::query("UPDATE upkeep SET wipe = 1").execute(&mut *transaction).await.map_err(failed())?;
        if done.rows_affected() == 0 {
            return transaction.rollback().await.map(|()| false).map_err(failed());
        }
        transaction.commit().await.map(|()| true).map_err(failed())
    }

    fn remove_sound(&self, id: &str) -> Result<(), StoreError> {
        let path = self.spool_path(id);
        match std::fs::remove_file(&path) {
            Ok(()) => folder::sync(&self.shared.folder.audio()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(StoreError::io("remove", &path)(error)),
        }
    }

    /// SQLite overwrites deleted rows as they go (`secure_delete`), but leaves copies of rows that it once moved from page to page:
    /// so the file is written anew, and then the log emptied. PostgreSQL's tables are written anew.
    async fn wipe(&self) -> Result<(), StoreError> {
        let rewrite = match self.shared.database.kind {
            Kind::Sqlite => "VACUUM",
            Kind::Postgres => concat!(
                "VACUUM (FULL) recordings, finals, transcripts, notes, note_changes, note_signatures, note_outcomes, ",
                "recording_moves, encounter_recordings, encounters, patient_numbers, patients"
            ),
        };
        for statement in [rewrite, "UPDATE upkeep SET wipe = 0"] {
            sqlx::raw_sql(statement).execute(self.pool()).await.map_err(StoreError::database("wipe what was erased"))?;
            if self.shared.database.kind == Kind::Sqlite {
                self.empty_log().await?;
            }
        }
        Ok(())
    }

    async fn empty_log(&self) -> Result<(), StoreError> {
        let query = sqlx::query_as::<_, (i64, i64, i64)>("PRAGMA wal_checkpoint(TRUNCATE)");
        let failed = StoreError::database("empty its log");
        let (busy, ..) = query.fetch_one(self.pool()).await.map_err(failed)?;
        if busy == 0 { Ok(()) } else { Err(StoreError::Interrupted) }
    }
}
