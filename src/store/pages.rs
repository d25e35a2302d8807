//! Pages of patients: whoever had the link and typed the code has a secret, of which a hash is kept.

use sha2::{Digest as _, Sha256};

use super::act::Act;
use super::{Store, StoreError};
use crate::audit::UnixMillis;
use crate::consent::{Decider, Secret};

/// Whose page it is, and who sits before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientPage {
    /// The patient.
    pub patient: String,
    /// The patient, or who decides for them.
    pub decider: Decider,
}

impl Store {
    /// The page of this secret, if it is one and has not run out.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn patient_page(&self, secret: &Secret, at: UnixMillis) -> Result<Option<PatientPage>, StoreError> {
        let query = sqlx::query_as("SELECT patient, decider FROM patient_pages WHERE hash = $1 AND ends > $2");
        let query = query.bind(hash(secret)).bind(at.0.cast_signed());
        let row = self.reader().one::<(String, String)>(query).await.map_err(StoreError::database("read a patient's page"))?;
        let decider = |name: &str| serde_json::from_value(serde_json::Value::from(name)).map_err(|_| StoreError::Json);
        row.map(|(patient, name)| Ok(PatientPage { decider: decider(&name)?, patient })).transpose()
    }
}

impl Act {
    /// Opens a page for a patient, and drops those that have run out.
    pub(super) async fn open_page(
        &mut self,
        secret: &Secret,
        page: &PatientPage,
        ends: UnixMillis,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        self.execute(sqlx::query("DELETE FROM patient_pages WHERE ends <= $1").bind(at.0.cast_signed())).await?;
        let decider = serde_json::to_value(page.decider).ok();
        let decider = decider.as_ref().and_then(serde_json::Value::as_str).ok_or(StoreError::Json)?.to_owned();
        // A page that was the patient's already stays it: they answered one more question on it.
        let insert = "INSERT INTO patient_pages (hash, patient, decider, ends) VALUES ($1, $2, $3, $4) \
                      ON CONFLICT (hash) DO UPDATE SET decider = excluded.decider, ends = excluded.ends \
                      WHERE patient_pages.patient = excluded.patient";
        let insert = sqlx::query(insert).bind(hash(secret)).bind(&page.patient).bind(decider).bind(ends.0.cast_signed());
        self.execute(insert).await.map(drop)
    }
}

fn hash(secret: &Secret) -> Vec<u8> {
    Sha256::new_with_prefix("cantoscribe page\n").chain_update(secret.reveal()).finalize().to_vec()
}
