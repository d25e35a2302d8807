//! Passkeys: what somebody signs in with.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::FromRow;

use super::act::Act;
use super::people::random;
use super::stopped::LetIn;
use super::{By, Place, Store, StoreError};
use crate::audit::{Action, OrganisationId, PersonId, RecordId};

/// A passkey as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPasskey {
    /// Random; it opens nothing.
    pub id: String,
    /// Whose it is.
    pub person: PersonId,
    /// The one organisation that it is good for; nothing where it is good for all of the person's.
    pub reach: Option<OrganisationId>,
    /// When it was registered, in seconds since 1970.
    pub created_at: i64,
    /// Organisations in which it is good no more.
    pub stopped: Vec<OrganisationId>,
    /// What its owner calls it.
    pub label: String,
    /// Public key and counter, as the ceremonies write them.
    pub key: String,
}

/// A passkey that was just registered.
#[derive(Debug, Clone)]
pub struct NewPasskey {
    /// The id that the authenticator gave it.
    pub credential: Vec<u8>,
    /// What its owner calls it.
    pub label: String,
    /// Public key and counter, as the ceremonies write them.
    pub key: String,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    label: String,
    key: String,
}

#[derive(FromRow)]
struct PasskeyRow {
    id: String,
    person: String,
    reach: Option<String>,
    created_at: i64,
    document: Vec<u8>,
}

fn passkey_place(id: &str) -> Place<'_> {
    Place::row("passkeys.document", "", id.to_owned())
}

fn hash(credential: &[u8]) -> [u8; 32] {
    Sha256::digest(credential).into()
}

impl Act {
    /// The passkey's id; nothing where it was stopped, and nobody who may lets it in again.
    pub(super) async fn enter_passkey(
        &mut self,
        store: &Store,
        (person, reach, let_in): (PersonId, Option<OrganisationId>, LetIn),
        new: &NewPasskey,
        by: &By,
    ) -> Result<Option<RecordId>, StoreError> {
        let (subject, record) = (hash(&new.credential), RecordId::from_bytes(random()?));
        if !self.may_enter(&subject, (reach, let_in), by).await? {
            return Ok(None);
        }
        let id = record.to_string();
        let kept = Kept { label: new.label.clone(), key: new.key.clone() };
        let sealed = passkey_place(&id).seal_json(store.root(), &kept)?;
        let insert = "INSERT INTO passkeys (credential, id, person, reach, created_at, document) VALUES ($1, $2, $3, $4, $5, $6)";
        let insert = sqlx::query(insert).bind(subject.to_vec()).bind(&id).bind(person.to_string());
        self.execute(insert.bind(reach.map(|reach| reach.to_string())).bind(by.seconds()).bind(sealed)).await?;
        self.stop_again(&subject, &id).await.map(|()| Some(record))
    }
}

impl Store {
    /// Registers another passkey of a person; false where the session in which they do it is no more what it was, or it was stopped.
    ///
    /// # Errors
    /// When it cannot be written, or somebody has it already.
    pub async fn add_passkey(
        &self,
        person: PersonId,
        (reach, session): (Option<OrganisationId>, Option<&str>),
        passkey: &NewPasskey,
        by: &By,
    ) -> Result<bool, StoreError> {
        let mut act = self.begin("register a passkey").await?;
        act.hold_person(person).await?;
        if !act.may_add((reach, session), by).await? {
            return act.abandon().await.map(|()| false);
        }
        let Some(id) = act.enter_passkey(self, (person, reach, LetIn::Themselves), passkey, by).await? else {
            return act.abandon().await.map(|()| false);
        };
        act.commit(&by.did_to(Action::CredentialAdd { person }, *id.bytes())).await.map(|_| true)
    }

    /// The passkeys of a person, the oldest first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], and when they cannot be read.
    pub async fn passkeys_of(&self, person: PersonId) -> Result<Vec<StoredPasskey>, StoreError> {
        let query = "SELECT id, person, reach, created_at, document FROM passkeys WHERE person = $1 ORDER BY created_at, id";
        let rows = self.reader().all::<PasskeyRow>(sqlx::query_as(query).bind(person.to_string())).await;
        let rows = rows.map_err(StoreError::database("read passkeys"))?;
        let mut stopped = self.stopped_credentials(person).await?;
        let passkeys = rows.into_iter().map(|row| {
            let stopped = stopped.remove(&row.id).unwrap_or_default();
            self.passkey(row, stopped)
        });
        passkeys.collect()
    }

    /// The passkey of this credential.
    ///
    /// # Errors
    /// As [`Self::passkeys_of`].
    pub async fn passkey_with(&self, credential: &[u8]) -> Result<Option<StoredPasskey>, StoreError> {
        let query = sqlx::query_as("SELECT person, id FROM passkeys WHERE credential = $1");
        let row = self.reader().one::<(String, String)>(query.bind(hash(credential).to_vec())).await;
        let Some((person, id)) = row.map_err(StoreError::database("read a passkey"))? else { return Ok(None) };
        let person = PersonId::try_from(person).map_err(|_| passkey_place(&id).damaged())?;
        Ok(self.passkeys_of(person).await?.into_iter().find(|passkey| passkey.id == id))
    }

    fn passkey(&self, row: PasskeyRow, stopped: Vec<OrganisationId>) -> Result<StoredPasskey, StoreError> {
        let PasskeyRow { id, person, reach, created_at, document } = row;
        let place = passkey_place(&id);
        let Kept { label, key } = place.unseal_json(self.root(), &document)?;
        let person = PersonId::try_from(person).map_err(|_| place.damaged())?;
        let reach = reach.map(OrganisationId::try_from).transpose().map_err(|_| place.damaged())?;
        Ok(StoredPasskey { id, person, reach, created_at, stopped, label, key })
    }

    /// Keeps a passkey's counter.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn count_passkey(&self, passkey: &StoredPasskey, key: &str) -> Result<(), StoreError> {
        let kept = Kept { label: passkey.label.clone(), key: key.to_owned() };
        let sealed = passkey_place(&passkey.id).seal_json(self.root(), &kept)?;
        let update = sqlx::query("UPDATE passkeys SET document = $1 WHERE id = $2").bind(sealed).bind(&passkey.id);
        let done = self.database().keep_up(super::database::Upkeep::Seen, update).await;
        done.map(drop).map_err(StoreError::database("keep a passkey's counter"))
    }
}
