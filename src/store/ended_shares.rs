//! What a share kept of its own, once it has ended and its cooling-off is over: messages with a telephone number, the number that the
//! patient was named by, and the patient's open pages. It is archived, sealed, or destroyed; the consent and the log stay.

use serde::{Deserialize, Serialize};

use super::act::Act;
use super::place::Place;
use super::{By, Store, StoreError};
use crate::audit::{Action, ConsentId, Event};
use crate::text::PatientText;

/// What becomes of what an ended share kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedShares {
    /// It is sealed with the patient's key, beside the consent, and shown nowhere.
    Archive,
    /// Nothing of it is left.
    Destroy,
}

/// What is archived.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Archived {
    /// The number that who asked named the patient by.
    named: PatientText,
    /// Each message as it was sealed in the outbox, opened: telephone number or mailbox, subject, words where they were kept.
    messages: Vec<serde_json::Value>,
}

/// Ended consents that were not closed yet.
const ENDED: &str = "SELECT id, coalesce(patient, '') FROM consents WHERE live = 0 \
    AND NOT EXISTS (SELECT 1 FROM ended_shares WHERE ended_shares.consent = consents.id)";

fn place(id: &str) -> Place<'_> {
    Place::new("ended_shares.document", id)
}

impl Store {
    /// Closes all shares that ended at least `cooling` milliseconds before `by`'s time, but for those of a patient on hold. Says how many.
    ///
    /// # Errors
    /// When they cannot be listed; one that cannot be closed is named in the log, and tried again.
    pub async fn close_ended_shares(&self, cooling: u64, policy: EndedShares, by: &By) -> Result<usize, StoreError> {
        let rows = self.reader().all::<(String, String)>(sqlx::query_as(ENDED)).await;
        let mut closed = 0;
        for (id, patient) in rows.map_err(StoreError::database("list the ended shares"))? {
            let Ok(id) = ConsentId::try_from(id) else { continue };
            let patient = Some(patient).filter(|patient| !patient.is_empty());
            match self.close_share(id, patient.as_deref(), (cooling, policy), by).await {
                Ok(done) => closed += usize::from(done),
                Err(error) => tracing::error!(%error, "an ended share is not closed yet"),
            }
        }
        if closed > 0 {
            let _alone = self.shared.erasing.lock().await;
            self.end_erasures().await?;
        }
        Ok(closed)
    }

    async fn close_share(
        &self,
        id: ConsentId,
        patient: Option<&str>,
        (cooling, policy): (u64, EndedShares),
        by: &By,
    ) -> Result<bool, StoreError> {
        let (key, name) = (self.consent_key(patient).await?, id.to_string());
        let mut act = self.begin("close an ended share").await?;
        let held = act.hold_consent(id, &key).await?;
        let due = held.filter(|(consent, _)| consent.is_over() && consent.changed().after(cooling) <= by.at);
        let Some((consent, mut about)) = due else { return act.abandon().await.map(|()| false) };
        if let Some(patient) = patient
            && act.patient_on_hold(patient).await?
        {
            return act.abandon().await.map(|()| false);
        }
        let named = std::mem::replace(&mut about.named, PatientText::from(""));
        let document = match policy {
            EndedShares::Archive => {
                place(&name).seal_json(&key, &Archived { named, messages: act.messages_of(&name, &key).await? })?
            }
            EndedShares::Destroy => Vec::new(),
        };
        act.execute(sqlx::query("DELETE FROM outbox WHERE consent = $1").bind(&name)).await?;
        if let Some(patient) = patient {
            // A page shows all of a patient's shares: it goes with the last one.
            let pages = "DELETE FROM patient_pages WHERE patient = $1 AND NOT EXISTS \
                (SELECT 1 FROM consents WHERE consents.patient = $1 AND live = 1)";
            act.execute(sqlx::query(pages).bind(patient)).await?;
        }
        act.keep_consent(&key, &consent, &about).await?;
        let insert = "INSERT INTO ended_shares (consent, closed_at, document) VALUES ($1, $2, $3)";
        act.execute(sqlx::query(insert).bind(&name).bind(by.seconds()).bind(document)).await?;
        act.execute(sqlx::query("UPDATE upkeep SET wipe = 1")).await?;
        let action = if policy == EndedShares::Archive { Action::ShareArchive } else { Action::ShareDestroy };
        let pseudonym = consent.scope().patient;
        let event = Event { patient: Some(pseudonym), consent: Some(id), ..by.did_in_general(action) };
        act.commit(&event).await.map(|_| true)
    }
}

impl Act {
    async fn messages_of(&mut self, consent: &str, key: &crate::spool::Key) -> Result<Vec<serde_json::Value>, StoreError> {
        let mut found = Vec::new();
        let mut after = 0;
        let query = "SELECT number, id, document FROM outbox WHERE consent = $1 AND number > $2 ORDER BY number LIMIT 1";
        while let Some((number, id, sealed)) =
            self.one::<(i64, String, Vec<u8>)>(sqlx::query_as(query).bind(consent).bind(after)).await?
        {
            found.push(Place::new("outbox.document", &id).unseal_json(key, &sealed)?);
            after = number;
        }
        Ok(found)
    }
}
