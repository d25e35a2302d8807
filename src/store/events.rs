//! The audit log's files, made of the events in the database.
//!
//! The database has an event first; tiles follow, some milliseconds later, by a task that is woken by each commit, and at every start
//! before anything else is done. So a kill between the two loses nothing.

use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::act::mac_of;
use super::{Shared, Store, StoreError};
use crate::audit::{CHECKPOINT, Checkpoint, WIDTH};
use crate::ledger::{Ledger, LedgerError};

/// The task that writes the log.
#[derive(Debug, Default)]
pub(super) struct LogTask {
    running: Option<JoinHandle<()>>,
    closing: bool,
}

/// Events that come within this time have one signed head.
const GROUP: Duration = Duration::from_millis(100);
/// How long after a failure the log is tried again.
const PAUSE: Duration = Duration::from_secs(2);
/// The form from which on each row has a keyed hash.
const MACS: i64 = 130;
/// Rows that are read at once.
const BATCH: usize = 4 * WIDTH;

/// A row: its number, its event and the MAC over them.
type Row = (i64, Vec<u8>, Option<Vec<u8>>);

impl Store {
    /// The events in the database from this number on, as their bytes; at most so many.
    ///
    /// # Errors
    /// [`StoreError::EventsLost`] where one is missing; when they cannot be read.
    pub async fn events(&self, first: u64, most: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let query = "SELECT number, entry FROM events WHERE number >= $1 ORDER BY number LIMIT $2";
        let query = sqlx::query_as::<_, (i64, Vec<u8>)>(query).bind(first.cast_signed());
        let rows = self.reader().all(query.bind(i64::try_from(most).unwrap_or(i64::MAX))).await;
        let rows = rows.map_err(StoreError::database("read the events"))?;
        let numbered = (first..).zip(rows);
        let expected = |(entry, (number, row)): (u64, (i64, Vec<u8>))| {
            if number.cast_unsigned() == entry { Ok(row) } else { Err(StoreError::EventsLost { entry }) }
        };
        numbered.map(expected).collect()
    }

    /// The next rows that the log has not, each of which this program wrote.
    ///
    /// A version before rows had a keyed hash may have ended before its last ones were in the log: they are taken in at the start that brings
    /// the database to this version's form.
    async fn own_events(&self, first: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let query = "SELECT number, entry, mac FROM events WHERE number >= $1 ORDER BY number LIMIT $2";
        let query = sqlx::query_as::<_, (i64, Vec<u8>, Option<Vec<u8>>)>(query).bind(first.cast_signed());
        let rows = self.reader().all(query.bind(i64::try_from(BATCH).unwrap_or(i64::MAX))).await;
        let rows = rows.map_err(StoreError::database("read the events"))?;
        let older = self.database().brought_from.is_some_and(|form| form < MACS);
        let own = |(entry, (number, row, mac)): (u64, Row)| {
            if number.cast_unsigned() != entry {
                return Err(StoreError::EventsLost { entry });
            }
            let is_own = match mac {
                Some(mac) => mac == mac_of(self.root(), entry, &row)?,
                None => older,
            };
            if is_own { Ok(row) } else { Err(StoreError::ForeignEvent { entry }) }
        };
        (first..).zip(rows).map(own).collect()
    }

    /// The signed head of the log's files.
    #[must_use]
    pub fn log_head(&self) -> Checkpoint {
        self.ledger().head().clone()
    }

    /// The signed head of the log's files, and the note that says so.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn signed_head(&self) -> Result<(Checkpoint, String), StoreError> {
        // Nobody writes another one meanwhile.
        let ledger = self.ledger();
        let path = self.shared.folder.path().join("audit").join(CHECKPOINT);
        let note = std::fs::read_to_string(&path).map_err(StoreError::io("read", &path))?;
        Ok((ledger.head().clone(), note))
    }

    /// Writes to the log's files what the database has more than they.
    ///
    /// # Errors
    /// When the two differ, or something cannot be read or written.
    pub async fn write_log(&self) -> Result<(), StoreError> {
        loop {
            let first = self.ledger().size();
            let rows = self.own_events(first).await?;
            if rows.is_empty() {
                return Ok(());
            }
            self.with_ledger(move |ledger| ledger.catch_up(first, rows).map(drop)).await?;
        }
    }

    /// Looks whether the log's last tile is what the database has, and writes what it lacks.
    ///
    /// The rest is compared by `audit verify --database`, which takes longer than a start may.
    pub(super) async fn begin_log(&self) -> Result<(), StoreError> {
        let size = self.ledger().size();
        let first = size.saturating_sub(1) / WIDTH as u64 * WIDTH as u64;
        let rows = self.events(first, usize::try_from(size - first).unwrap_or(WIDTH)).await?;
        let last = first + rows.len() as u64;
        if last < size {
            return Err(StoreError::EventsLost { entry: last });
        }
        self.ledger().catch_up(first, rows)?;
        self.write_log().await?;
        let task = tokio::spawn(keep_log(Arc::downgrade(&self.shared), Arc::clone(&self.shared.more_events)));
        self.log_task().running = Some(task);
        Ok(())
    }

    /// Ends the task that writes the log, and waits for it.
    pub(super) async fn end_log_task(&self) {
        let task = {
            let mut task = self.log_task();
            task.closing = true;
            task.running.take()
        };
        self.log_has_more();
        if let Some(task) = task {
            // Only a panic could fail it.
            let _ = task.await;
        }
    }

    /// Does something with the log's files, which waits for the disk.
    pub(super) async fn with_ledger<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Ledger) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&mut store.ledger())).await;
        // Only a panic, or the end of the program, could keep it from it.
        Ok(done.unwrap_or_else(|_| Err(LedgerError::Interrupted))?)
    }

    fn log_task(&self) -> std::sync::MutexGuard<'_, LogTask> {
        self.shared.log_task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the task that writes the log.
    pub(super) fn log_has_more(&self) {
        self.shared.more_events.notify_one();
    }

    pub(super) fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the log whenever there is more, while the store is there.
async fn keep_log(shared: Weak<Shared>, more: Arc<tokio::sync::Notify>) {
    loop {
        more.notified().await;
        let Some(store) = shared.upgrade().map(|shared| Store { shared }) else { return };
        let closing = store.log_task().closing;
        if closing {
            return;
        }
        let written = store.write_log().await;
        drop(store);
        if let Err(error) = written {
            tracing::error!(%error, "the audit log cannot be written; its events are safe in the database");
            tokio::time::sleep(PAUSE).await;
            more.notify_one();
        } else {
            tokio::time::sleep(GROUP).await;
        }
    }
}
