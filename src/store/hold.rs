//! Transactions that begin by taking hold of the row they are about: who would change it too waits until they end, and what they read
//! after it is so until then. On PostgreSQL statements of two transactions otherwise run side by side, each without what the other
//! has written.

use super::{Store, StoreError};

/// A transaction of either database.
pub(super) type Transaction = sqlx::Transaction<'static, sqlx::Any>;

impl Store {
    /// A transaction that holds a recording.
    ///
    /// SQLite has one connection, and this has it: until it ends nothing is asked of the pool.
    pub(super) async fn hold_recording(&self, id: &str, action: &'static str) -> Result<Transaction, StoreError> {
        let mut transaction = self.pool().begin().await.map_err(StoreError::database(action))?;
        let hold = sqlx::query("UPDATE recordings SET state = state WHERE id = $1 AND state <> 'erasing'").bind(id);
        let held = hold.execute(&mut *transaction).await.map_err(StoreError::database(action))?;
        if held.rows_affected() == 0 { Err(StoreError::missing(id)) } else { Ok(transaction) }
    }
}

/// Takes hold of a visit; of none where there is none of this id.
pub(super) async fn hold_encounter(transaction: &mut Transaction, id: &str, action: &'static str) -> Result<(), StoreError> {
    let hold = sqlx::query("UPDATE encounters SET number = number WHERE id = $1").bind(id);
    hold.execute(&mut **transaction).await.map(drop).map_err(StoreError::database(action))
}
