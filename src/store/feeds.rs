//! How far each receiver of the audit log is.

use super::database::Upkeep;
use super::{Store, StoreError};

impl Store {
    /// The entry of the log that this receiver gets next; `first` for one that never got any, which is kept.
    ///
    /// # Errors
    /// When it cannot be read or kept.
    pub async fn feed_next(&self, feed: &str, first: u64) -> Result<u64, StoreError> {
        let failed = || StoreError::database("keep how far a receiver of the log is");
        let insert = "INSERT INTO feeds (name, next) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        let insert = sqlx::query(insert).bind(feed).bind(first.cast_signed());
        self.database().keep_up(Upkeep::Delivery, insert).await.map_err(failed())?;
        let query = sqlx::query_as::<_, (i64,)>("SELECT next FROM feeds WHERE name = $1").bind(feed);
        let row = self.reader().one(query).await.map_err(failed())?;
        Ok(row.map_or(first, |(next,)| next.cast_unsigned()))
    }

    /// Keeps that this receiver has all entries before this one.
    ///
    /// # Errors
    /// When it cannot be kept: then it gets some of them again.
    pub async fn feed_has(&self, feed: &str, next: u64) -> Result<(), StoreError> {
        let update = sqlx::query("UPDATE feeds SET next = $1 WHERE name = $2").bind(next.cast_signed()).bind(feed);
        let done = self.database().keep_up(Upkeep::Delivery, update).await;
        done.map(drop).map_err(StoreError::database("keep how far a receiver of the log is"))
    }
}
