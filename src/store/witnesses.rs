//! What a witness of the audit log is shown, and what it said.

use super::{Store, StoreError};
use crate::audit::{Checkpoint, Cosigned, Cosigner, Submission, UnixMillis};

impl Store {
    /// What a witness is asked with that saw the log when it had `old` entries; so many as there are where that is more.
    ///
    /// # Errors
    /// When a file of the log cannot be read.
    pub async fn submission(&self, old: u64) -> Result<Submission, StoreError> {
        self.with_ledger(move |ledger| ledger.submission(old.min(ledger.size()))).await
    }

    /// Whether this is a head that the log once had.
    ///
    /// # Errors
    /// When a file of the log cannot be read.
    pub async fn had(&self, head: &Checkpoint) -> Result<bool, StoreError> {
        let head = head.clone();
        self.with_ledger(move |ledger| ledger.had(&head)).await
    }

    /// The newest checkpoint that this witness cosigned; nothing where there is none.
    ///
    /// # Errors
    /// When its file cannot be read, or is not what it should be.
    pub async fn cosigned(&self, witness: &Cosigner, now: UnixMillis) -> Result<Option<Cosigned>, StoreError> {
        let witness = witness.clone();
        self.with_ledger(move |ledger| ledger.cosigned(&witness, now)).await
    }

    /// Keeps it, in the place of an older one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn keep_cosigned(&self, witness: &Cosigner, cosigned: &Cosigned) -> Result<(), StoreError> {
        let (witness, cosigned) = (witness.clone(), cosigned.clone());
        self.with_ledger(move |ledger| ledger.keep_cosigned(&witness, &cosigned)).await
    }
}
