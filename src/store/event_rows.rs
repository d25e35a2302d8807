//! The events of a database, read beside the process that has it.

use sqlx::AnyConnection;

use super::{DatabaseUrl, StoreError};

/// Rows that are read at once.
const BATCH: i64 = 4096;

/// The rows of a database's events, in order, whatever was done to them. It takes no lock and changes nothing.
pub struct EventRows {
    connection: AnyConnection,
    /// The number of the last one that was read.
    last: i64,
}

impl EventRows {
    /// Opens a PostgreSQL, or a SQLite file as `sqlite:FILE`.
    ///
    /// # Errors
    /// When there is none, or it cannot be reached.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        Ok(Self { connection: url.connect_to_read().await?, last: -1 })
    }

    /// The next rows with their numbers; none at the end.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn next_batch(&mut self) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let query = "SELECT number, entry FROM events WHERE number > $1 ORDER BY number LIMIT $2";
        let query = sqlx::query_as::<_, (i64, Vec<u8>)>(query).bind(self.last).bind(BATCH);
        let rows = query.fetch_all(&mut self.connection).await.map_err(StoreError::database("read the events"))?;
        if let Some((number, _)) = rows.last() {
            self.last = *number;
        }
        Ok(rows.into_iter().map(|(number, row)| (number.cast_unsigned(), row)).collect())
    }
}
