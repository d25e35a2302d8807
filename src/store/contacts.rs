//! How a patient is reached, and whether they decide for themselves: what the clinic that treats them knows, and nobody else may say.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::keys::Whose;
use super::place::Place;
use super::{By, Outgoing, Store, StoreError};
use crate::audit::{Action, Actor, OrganisationId, PersonId, UnixMillis};
use crate::text::PatientText;

/// Where a patient's messages go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// A telephone number, as [`crate::gateway::Address::phone`] takes it.
    pub phone: Option<PatientText>,
    /// A mailbox, for a patient without a telephone.
    pub mail: Option<PatientText>,
    /// The patient cannot decide: somebody else does.
    #[serde(default)]
    pub incapable: bool,
}

fn place(patient: &str) -> Place<'_> {
    Place::new("patient_contacts.document", patient)
}

impl Store {
    /// How a patient is reached, if anybody entered it.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such patient, [`StoreError::Damaged`], and when it cannot be read.
    pub async fn contact(&self, patient: &str) -> Result<Option<Contact>, StoreError> {
        let key = self.patient_key(patient).await?;
        let query = sqlx::query_as("SELECT document FROM patient_contacts WHERE patient = $1").bind(patient);
        let row = self.reader().one::<(Vec<u8>,)>(query).await.map_err(StoreError::database("read how a patient is reached"))?;
        row.map(|(sealed,)| place(patient).unseal_json(&key, &sealed)).transpose()
    }

    /// The telephone numbers of an organisation's patients. One that is damaged is left out and named in the log.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) async fn phones(&self, of: OrganisationId) -> Result<HashMap<String, PatientText>, StoreError> {
        let query = "SELECT patient, patient_contacts.document FROM patient_contacts \
            JOIN patients ON patients.id = patient_contacts.patient WHERE patients.organisation = $1";
        let rows = self.reader().all::<(String, Vec<u8>)>(sqlx::query_as(query).bind(of.to_string())).await;
        let rows = rows.map_err(StoreError::database("read how patients are reached"))?;
        let open = |patient: &str, sealed: &[u8]| {
            let key = self.shared.keys.key(Whose::Patient, patient)?;
            place(patient).unseal_json::<Contact>(&key, sealed)
        };
        let opened = rows.into_iter().filter_map(|(patient, sealed)| {
            let contact = open(&patient, &sealed).inspect_err(|error| tracing::error!(%error)).ok()?;
            Some((patient, contact.phone?))
        });
        Ok(opened.collect())
    }

    /// Keeps how a patient is reached, and who said so. Where that is another number or mailbox than was known, `told` makes the messages
    /// to what was known before.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such patient, and when it cannot be written.
    pub async fn set_contact(
        &self,
        patient: &str,
        contact: &Contact,
        told: impl FnOnce(&Contact) -> Vec<Outgoing> + Send,
        by: &By,
    ) -> Result<u64, StoreError> {
        let key = self.patient_key(patient).await?;
        let sealed = place(patient).seal_json(&key, contact)?;
        let event = by.did_for(Action::ContactChange, self.pseudonym(patient)?);
        let mut act = self.begin("keep how a patient is reached").await?;
        act.hold_patient(patient).await?;
        let known = sqlx::query_as("SELECT document FROM patient_contacts WHERE patient = $1").bind(patient);
        // One that is damaged can be told nothing, and is mended by this.
        let known = act.one::<(Vec<u8>,)>(known).await?;
        let known = known.and_then(|(known,)| place(patient).unseal_json::<Contact>(&key, &known).ok());
        let insert = "INSERT INTO patient_contacts (patient, document) SELECT id, $1 FROM patients WHERE id = $2 \
            ON CONFLICT (patient) DO UPDATE SET document = excluded.document";
        if act.execute(sqlx::query(insert).bind(sealed).bind(patient)).await? == 0 {
            act.abandon().await?;
            return Err(StoreError::Unknown { what: "patient", id: patient.to_owned() });
        }
        let numbers: Vec<&str> = [&contact.phone, &contact.mail].into_iter().flatten().map(PatientText::reveal).collect();
        self.enter_contact_numbers(&mut act, patient, &numbers).await?;
        if let Actor::Staff { person, .. } = by.actor
            && known.as_ref() != Some(contact)
        {
            let insert = "INSERT INTO contact_changes (patient, person, changed_at) VALUES ($1, $2, $3)";
            let insert = sqlx::query(insert).bind(patient).bind(person.to_string());
            act.execute(insert.bind(by.at.0.cast_signed())).await?;
        }
        if let Some(known) = known.filter(|known| (&known.phone, &known.mail) != (&contact.phone, &contact.mail)) {
            for message in told(&known) {
                act.post(&key, patient, None, message, by.at).await?;
            }
        }
        let entry = act.commit(&event).await?;
        self.messages_wait();
        Ok(entry)
    }

    /// Whether a person, in whatever role, has set how this patient, or one who is the same person, is reached since a time.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn has_set_contact(&self, person: PersonId, patient: &str, since: UnixMillis) -> Result<bool, StoreError> {
        for id in std::iter::once(patient.to_owned()).chain(self.same_person(patient).await?) {
            let query = "SELECT count(*) FROM contact_changes WHERE patient = $1 AND person = $2 AND changed_at >= $3";
            let query = sqlx::query_as(query).bind(id).bind(person.to_string()).bind(since.0.cast_signed());
            let found = self.reader().one::<(i64,)>(query).await;
            if found.map_err(StoreError::database("read who set how a patient is reached"))?.is_some_and(|(count,)| count > 0) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
