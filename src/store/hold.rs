//! Changes that begin by taking hold of the row they are about: who would change it too waits until they end, and what they read after
//! it is so until then. On PostgreSQL statements of two transactions otherwise run side by side, each without what the other has
//! written.

use super::act::Act;
use super::{Store, StoreError};

impl Store {
    /// A change that holds a recording.
    pub(super) async fn hold_recording(&self, id: &str, action: &'static str) -> Result<Act, StoreError> {
        let mut act = self.begin(action).await?;
        let hold = sqlx::query("UPDATE recordings SET state = state WHERE id = $1 AND state <> 'erasing'").bind(id);
        if act.execute(hold).await? > 0 {
            return Ok(act);
        }
        act.abandon().await?;
        Err(StoreError::missing(id))
    }
}

impl Act {
    /// Takes hold of a visit; of none where there is none of this id.
    pub(super) async fn hold_encounter(&mut self, id: &str) -> Result<(), StoreError> {
        self.execute(sqlx::query("UPDATE encounters SET number = number WHERE id = $1").bind(id)).await.map(drop)
    }

    /// Takes hold of a patient; of none where there is none of this id.
    pub(super) async fn hold_patient(&mut self, id: &str) -> Result<(), StoreError> {
        self.execute(sqlx::query("UPDATE patients SET version = version WHERE id = $1").bind(id)).await.map(drop)
    }
}
