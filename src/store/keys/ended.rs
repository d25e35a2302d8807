//! What is good no more: what was stopped, revoked or ended. It travels with the keys, of which only the newest are kept, so that no older
//! backup of the rows makes it good again.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use super::super::StoreError;
use super::KeyStore;
use super::file::failed;

/// Added to files of the first form: a program that does not know these tables leaves them alone.
pub(super) const TABLES: &str = "CREATE TABLE IF NOT EXISTS stopped (subject BLOB NOT NULL, organisation TEXT NOT NULL, \
    PRIMARY KEY (subject, organisation)); \
    CREATE TABLE IF NOT EXISTS ended (id TEXT PRIMARY KEY, at INTEGER NOT NULL)";

/// What is good no more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct Ended {
    /// Hashes of what is shown at a sign-in, each with an organisation in which it was stopped.
    pub(in crate::store) stopped: BTreeSet<(Vec<u8>, String)>,
    /// Ids of passkeys, bindings and devices that were removed, and of roles that end, with when, in seconds since 1970. They are random.
    pub(in crate::store) ids: BTreeMap<String, i64>,
}

/// A change of what is good no more.
#[derive(Debug, Clone)]
pub(in crate::store) enum Change {
    /// What has this subject is stopped in an organisation.
    Stopped { subject: Vec<u8>, organisation: String },
    /// It is let in there again; everywhere where no organisation is named.
    LetIn { subject: Vec<u8>, organisation: Option<String> },
    /// What has this id ends at this time, whenever else it was to.
    Ends { id: String, at: i64 },
    /// It does not end.
    GoesOn { id: String },
}

/// All that a file has.
pub(super) async fn read(file: &mut SqliteConnection) -> Result<Ended, StoreError> {
    let stopped = sqlx::query_as("SELECT subject, organisation FROM stopped").fetch_all(&mut *file).await;
    let ids = sqlx::query_as("SELECT id, at FROM ended").fetch_all(file).await;
    let (stopped, ids): (Vec<_>, Vec<_>) = (stopped.map_err(failed("be read"))?, ids.map_err(failed("be read"))?);
    Ok(Ended { stopped: stopped.into_iter().collect(), ids: ids.into_iter().collect() })
}

/// Makes changes in a transaction, one after another.
pub(super) async fn write(file: &mut SqliteConnection, changes: &[Change]) -> Result<(), StoreError> {
    for change in changes {
        let query = match change {
            Change::Stopped { subject, organisation } => {
                let insert = "INSERT INTO stopped (subject, organisation) VALUES ($1, $2) ON CONFLICT DO NOTHING";
                sqlx::query(insert).bind(subject).bind(organisation)
            }
            Change::LetIn { subject, organisation } => {
                let delete = "DELETE FROM stopped WHERE subject = $1 AND ($2 IS NULL OR organisation = $2)";
                sqlx::query(delete).bind(subject).bind(organisation)
            }
            Change::Ends { id, at } => {
                let insert = "INSERT INTO ended (id, at) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET at = excluded.at";
                sqlx::query(insert).bind(id).bind(at)
            }
            Change::GoesOn { id } => sqlx::query("DELETE FROM ended WHERE id = $1").bind(id),
        };
        query.execute(&mut *file).await.map_err(failed("note what is good no more"))?;
    }
    Ok(())
}

impl Ended {
    /// The changes that make it of nothing.
    pub(super) fn changes(self) -> Vec<Change> {
        let stopped = self.stopped.into_iter().map(|(subject, organisation)| Change::Stopped { subject, organisation });
        stopped.chain(self.ids.into_iter().map(|(id, at)| Change::Ends { id, at })).collect()
    }
}

impl KeyStore {
    /// What is good no more.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(in crate::store) async fn ended(&self) -> Result<Ended, StoreError> {
        read(&mut *self.file().await?).await
    }

    /// Notes what is good no more, or is again. It is on the disk when this returns; only then may the rows that say so be committed.
    ///
    /// # Errors
    /// When it cannot be written; then it is as before.
    pub(in crate::store) async fn note(&self, changes: &[Change]) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut file = self.file().await?;
        let mut all = file.begin().await.map_err(failed("note what is good no more"))?;
        write(&mut all, changes).await?;
        all.commit().await.map_err(failed("note what is good no more"))
    }
}
