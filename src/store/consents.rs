//! Consents: a row each, sealed with the patient's key, that changes only together with the events of its change.
//!
//! Whoever changes one takes hold of its row first and reads it then: of two answers at once, the second one finds what the first one
//! made of it.

use serde::{Deserialize, Serialize};

use super::act::Act;
use super::merges::OF_PERSON;
use super::pages::PatientPage;
use super::place::Place;
use super::{By, Outgoing, Store, StoreError};
use crate::audit::{Actor, ConsentId, Event, OrganisationId, Refusal, RoleId, UnixMillis};
use crate::consent::{CodeKey, Consent, Secret, Taken};
use crate::spool::Key;
use crate::text::PatientText;

/// What belongs to a consent beside its state: what its page says in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The clinic that has the notes.
    pub owner: OrganisationId,
    /// Its name.
    pub owner_name: String,
    /// The name of the doctor who asks.
    pub doctor: String,
    /// Where they ask from.
    pub organisation: String,
    /// The number that who asks named the patient by.
    pub named: PatientText,
    /// The recordings whose notes it is about.
    pub notes: Vec<String>,
    /// When it was asked for.
    pub asked_at: UnixMillis,
}

/// A consent as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredConsent {
    /// In its state.
    pub consent: Consent,
    /// Whose data it is about; nothing where the clinic does not know whom it was asked about.
    pub patient: Option<String>,
    /// What its page says.
    pub about: About,
}

/// A request to keep.
#[derive(Debug)]
pub struct NewConsent {
    /// The request and its event.
    pub made: (Consent, Event),
    /// Whose data, if the clinic knows the patient.
    pub patient: Option<String>,
    /// What its page says.
    pub about: About,
    /// The patient's message.
    pub message: Option<Outgoing>,
}

/// A change of a consent, with what is done in the same transaction.
#[derive(Debug)]
pub struct ConsentStep<T> {
    /// What became of it.
    pub taken: Taken<T>,
    /// A message to the patient.
    pub message: Option<Outgoing>,
    /// The page that is the patient's from now on, who sits before it, and until when.
    pub page: Option<(Secret, crate::consent::Decider, UnixMillis)>,
}

impl<T> From<Taken<T>> for ConsentStep<T> {
    fn from(taken: Taken<T>) -> Self {
        Self { taken, message: None, page: None }
    }
}

/// What a change gave.
#[derive(Debug)]
pub struct Changed<T> {
    /// What was done gives, or why it was not done.
    pub outcome: Result<T, Refusal>,
    /// The consent as it is now.
    pub stored: StoredConsent,
    /// The number of its last event in the log.
    pub entry: u64,
}

/// From which side consents are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side<'a> {
    /// Those of a patient, and of those who are the same person.
    Patient(&'a str),
    /// Those that a role asked for.
    Requester(RoleId),
    /// Those by which an organisation, or one who works there, sees something.
    Recipient(OrganisationId),
    /// Those about notes of an organisation.
    Owner(OrganisationId),
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept<C, A> {
    consent: C,
    about: A,
}

fn place(id: &str) -> Place<'_> {
    Place::new("consents.document", id)
}

impl Store {
    /// The key under which codes are kept.
    ///
    /// # Errors
    /// When it cannot be computed.
    pub fn code_key(&self) -> Result<CodeKey, StoreError> {
        Ok(CodeKey::from_bytes(self.keyed(b"cantoscribe codes of consents 1", b"")?))
    }

    /// Keeps a request, with the patient's message. The number of its event in the log.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such patient, and when it cannot be written.
    pub async fn request_consent(&self, new: NewConsent, by: &By) -> Result<u64, StoreError> {
        let NewConsent { made: (consent, event), patient, about, message } = new;
        let key = self.consent_key(patient.as_deref()).await?;
        let id = consent.id().to_string();
        let sealed = place(&id).seal_json(&key, &Kept { consent: &consent, about: &about })?;
        let (requester, organisation) = match consent.requester() {
            Actor::Staff { role, organisation, .. } => (role.to_string(), organisation.to_string()),
            _ => (String::new(), String::new()),
        };
        let mut act = self.begin("keep a request").await?;
        let numbered = "(SELECT coalesce(max(number), 0) + 1 FROM consents)";
        let insert = match &patient {
            Some(_) => format!(
                "INSERT INTO consents (id, number, owner, requester, organisation, live, ends, document, patient) \
                 SELECT $1, {numbered}, $2, $3, $4, 1, $5, $6, id FROM patients WHERE id = $7"
            ),
            None => format!(
                "INSERT INTO consents (id, number, owner, requester, organisation, live, ends, document) \
                 VALUES ($1, {numbered}, $2, $3, $4, 1, $5, $6)"
            ),
        };
        let insert = sqlx::query(&insert).bind(&id).bind(about.owner.to_string()).bind(requester).bind(organisation);
        let insert = insert.bind(consent.runs_out().0.cast_signed()).bind(sealed);
        let insert = if let Some(patient) = &patient { insert.bind(patient) } else { insert };
        if act.execute(insert).await? == 0 {
            act.abandon().await?;
            return Err(StoreError::Unknown { what: "patient", id: patient.unwrap_or_default() });
        }
        if let (Some(message), Some(patient)) = (message, &patient) {
            act.post(&key, patient, Some(consent.id()), message, by.at).await?;
        }
        let entry = act.commit(&event.from(by.address, by.device)).await?;
        self.messages_wait();
        Ok(entry)
    }

    /// The consent of this id, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] and when it cannot be read.
    pub async fn consent(&self, id: ConsentId) -> Result<Option<StoredConsent>, StoreError> {
        let query = "SELECT id, coalesce(patient, '') AS patient, document FROM consents WHERE id = $1";
        let row = self.reader().one::<(String, String, Vec<u8>)>(sqlx::query_as(query).bind(id.to_string())).await;
        match row.map_err(StoreError::database("read a consent"))? {
            Some(row) => self.open_consent(row).await.map(Some),
            None => Ok(None),
        }
    }

    /// The consents of one side, the newest first. One that is damaged is left out and named in the log.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn consents(&self, side: Side<'_>) -> Result<Vec<StoredConsent>, StoreError> {
        let (column, value) = match side {
            Side::Patient(id) => ("patient", id.to_owned()),
            Side::Requester(role) => ("requester", role.to_string()),
            Side::Recipient(organisation) => ("organisation", organisation.to_string()),
            Side::Owner(organisation) => ("owner", organisation.to_string()),
        };
        let those = if column == "patient" { OF_PERSON } else { "$1" };
        let query = format!(
            "SELECT id, coalesce(patient, '') AS patient, document FROM consents WHERE {column} IN ({those}) ORDER BY number DESC"
        );
        let rows = self.reader().all::<(String, String, Vec<u8>)>(sqlx::query_as(&query).bind(value)).await;
        let mut found = Vec::new();
        for row in rows.map_err(StoreError::database("list consents"))? {
            match self.open_consent(row).await {
                Ok(stored) => found.push(stored),
                Err(error) => tracing::error!(%error, "a list leaves a consent out"),
            }
        }
        Ok(found)
    }

    /// At most so many consents whose time is over and that have not ended yet.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn consents_run_out(&self, at: UnixMillis, most: u32) -> Result<Vec<ConsentId>, StoreError> {
        let query = "SELECT id FROM consents WHERE live = 1 AND ends <= $1 ORDER BY ends LIMIT $2";
        let query = sqlx::query_as::<_, (String,)>(query).bind(at.0.cast_signed()).bind(i64::from(most));
        let rows = self.reader().all(query).await.map_err(StoreError::database("list what has run out"))?;
        Ok(rows.into_iter().filter_map(|(id,)| ConsentId::try_from(id).ok()).collect())
    }

    /// Changes a consent by what `change` makes of it, with all its events, its message and the patient's page; nothing where there is
    /// no such consent.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], and when it cannot be written: then nothing has changed.
    pub async fn change_consent<T>(
        &self,
        id: ConsentId,
        by: &By,
        change: impl FnOnce(Consent, &About) -> ConsentStep<T>,
    ) -> Result<Option<Changed<T>>, StoreError> {
        let query = sqlx::query_as("SELECT coalesce(patient, '') AS patient FROM consents WHERE id = $1").bind(id.to_string());
        let row = self.reader().one::<(String,)>(query).await.map_err(StoreError::database("read a consent"))?;
        let Some((patient,)) = row else { return Ok(None) };
        let patient = Some(patient).filter(|patient| !patient.is_empty());
        let key = self.consent_key(patient.as_deref()).await?;
        let mut act = self.begin("change a consent").await?;
        let Some((consent, about)) = act.hold_consent(id, &key).await? else { return act.abandon().await.map(|()| None) };
        let ConsentStep { taken, message, page } = change(consent, &about);
        act.keep_consent(&key, &taken.consent, &about).await?;
        if let (Some(message), Some(patient)) = (message, &patient) {
            act.post(&key, patient, Some(id), message, by.at).await?;
        }
        if let (Some((secret, decider, ends)), Some(patient)) = (page, &patient) {
            act.open_page(&secret, &PatientPage { patient: patient.clone(), decider }, ends, by.at).await?;
        }
        let entry = act.commit_all(taken.events, by).await?;
        self.consent_changed(id);
        self.messages_wait();
        Ok(Some(Changed { outcome: taken.outcome, stored: StoredConsent { consent: taken.consent, patient, about }, entry }))
    }

    /// Tells of each consent that changes from now on.
    #[must_use]
    pub fn consent_changes(&self) -> tokio::sync::broadcast::Receiver<ConsentId> {
        self.shared.consent_changes.subscribe()
    }

    pub(super) fn consent_changed(&self, id: ConsentId) {
        // Nobody may be watching.
        let _ = self.shared.consent_changes.send(id);
    }

    async fn open_consent(&self, (id, patient, sealed): (String, String, Vec<u8>)) -> Result<StoredConsent, StoreError> {
        let patient = Some(patient).filter(|patient| !patient.is_empty());
        let key = self.consent_key(patient.as_deref()).await?;
        let Kept { consent, about } = place(&id).unseal_json(&key, &sealed)?;
        Ok(StoredConsent { consent, patient, about })
    }

    /// The patient's key; the master key for a request about nobody.
    pub(super) async fn consent_key(&self, patient: Option<&str>) -> Result<Key, StoreError> {
        match patient {
            Some(patient) => self.patient_key(patient).await,
            None => Ok(self.root().clone()),
        }
    }
}

impl Act {
    /// Takes hold of a consent and reads it.
    pub(super) async fn hold_consent(&mut self, id: ConsentId, key: &Key) -> Result<Option<(Consent, About)>, StoreError> {
        let id = id.to_string();
        if self.execute(sqlx::query("UPDATE consents SET live = live WHERE id = $1").bind(&id)).await? == 0 {
            return Ok(None);
        }
        let query = sqlx::query_as("SELECT document FROM consents WHERE id = $1").bind(&id);
        let Some((sealed,)) = self.one::<(Vec<u8>,)>(query).await? else { return Ok(None) };
        let Kept { consent, about } = place(&id).unseal_json(key, &sealed)?;
        Ok(Some((consent, about)))
    }

    /// Writes a consent that is held.
    pub(super) async fn keep_consent(&mut self, key: &Key, consent: &Consent, about: &About) -> Result<(), StoreError> {
        let id = consent.id().to_string();
        let sealed = place(&id).seal_json(key, &Kept { consent, about })?;
        let update = sqlx::query("UPDATE consents SET live = $1, ends = $2, document = $3 WHERE id = $4");
        let update = update.bind(i64::from(!consent.is_over())).bind(consent.runs_out().0.cast_signed());
        self.execute(update.bind(sealed).bind(&id)).await.map(drop)
    }

    /// Commits with all events of a change, and where they came from. The number of the last one.
    pub(super) async fn commit_all(mut self, events: Vec<Event>, by: &By) -> Result<u64, StoreError> {
        let mut events = events.into_iter().map(|event| event.from(by.address, by.device)).collect::<Vec<_>>();
        let Some(last) = events.pop() else { return Err(StoreError::NoEvent) };
        for event in &events {
            self.enter(event).await?;
        }
        self.commit(&last).await
    }
}
