//! What there is of a patient, from what stands in plain: what cannot be unsealed any more is counted too, for it can be erased.

use super::erase::SIGNATURES;
use super::holds::Heeded;
use super::{Store, StoreError};
use crate::audit::{OrganisationId, Pseudonym};

/// What there is of a patient, without a word of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// When the visits began, in seconds since 1970; the latest first.
    pub visits: Vec<i64>,
    /// By visit, the latest first.
    pub recordings: Vec<Inventoried>,
}

/// A recording or typed note, without a word of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventoried {
    /// Its id.
    pub id: String,
    /// When it was begun, after RFC 3339.
    pub created_at: String,
    /// How often its note was signed, addenda counted, be it legible or not.
    pub signatures: usize,
    /// When it was signed last, in seconds since 1970, where that can be read.
    pub signed_at: Option<i64>,
    /// Whether its sound is there.
    pub sound: bool,
    /// It, or its patient, is on legal hold.
    pub on_hold: bool,
}

impl Store {
    /// What there is of a patient alone, and not of who is the same person.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn inventory(&self, patient: &str) -> Result<Inventory, StoreError> {
        let failed = || StoreError::database("look what there is of a patient");
        let query = sqlx::query_as("SELECT starts_at FROM encounters WHERE patient = $1 ORDER BY starts_at DESC, number DESC");
        let visits = self.reader().all::<(i64,)>(query.bind(patient)).await.map_err(failed())?;
        let query = sqlx::query_as(
            "SELECT recordings.id, recordings.created_at FROM encounters \
            JOIN encounter_recordings ON encounter_recordings.encounter = encounters.id \
            JOIN recordings ON recordings.id = encounter_recordings.recording \
            WHERE encounters.patient = $1 AND recordings.state <> 'erasing' \
            ORDER BY encounters.starts_at DESC, encounters.number DESC, recordings.id",
        );
        let mut recordings = Vec::new();
        for (id, created_at) in self.reader().all::<(String, String)>(query.bind(patient)).await.map_err(failed())? {
            let signatures = self.reader().one::<(i64,)>(sqlx::query_as(SIGNATURES).bind(&id)).await.map_err(failed())?;
            let signed_at = match self.sound(&id).await {
                Ok(state) => state.signed_at,
                // One that is damaged keeps nobody from seeing that it is there.
                Err(error @ (StoreError::Damaged { .. } | StoreError::LostDataKey { .. })) => {
                    tracing::error!(%error);
                    None
                }
                // Erased meanwhile.
                Err(StoreError::Missing { .. }) => continue,
                Err(error) => return Err(error),
            };
            recordings.push(Inventoried {
                signatures: signatures.map_or(0, |(count,)| usize::try_from(count).unwrap_or(usize::MAX)),
                signed_at,
                sound: self.spool_path(&id).exists(),
                on_hold: self.is_recording_held(&id, Heeded::All).await?,
                created_at,
                id,
            });
        }
        Ok(Inventory { visits: visits.into_iter().map(|(at,)| at).collect(), recordings })
    }

    /// The patient of an organisation whom the log calls this.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn patient_by_pseudonym(&self, of: OrganisationId, pseudonym: Pseudonym) -> Result<Option<String>, StoreError> {
        let query = sqlx::query_as("SELECT id FROM patients WHERE organisation = $1").bind(of.to_string());
        let rows = self.reader().all::<(String,)>(query).await.map_err(StoreError::database("look for a patient"))?;
        for (id,) in rows {
            if self.pseudonym(&id)? == pseudonym {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}
