//! Organisations, and the people who work in them; `roles` has what each is where.

use serde::{Deserialize, Serialize};

use super::act::Act;
use super::place::Place;
use super::{By, NewRole, Store, StoreError};
use crate::audit::{Action, Actor, Event, OrganisationId, PersonId, RecordId, RoleId};
use crate::identity::RoleKind;
use crate::spool::{Key, SpoolError};

/// The trial's clinician: an identity like any other, in an organisation of its own. These ids are its for ever.
pub const TRIAL: Actor = Actor::Staff { person: TRIAL_PERSON, role: TRIAL_ROLE, organisation: TRIAL_ORGANISATION };
/// The trial's person.
pub const TRIAL_PERSON: PersonId = PersonId::from_bytes(*b"trial clinician.");
/// The trial's one role.
pub const TRIAL_ROLE: RoleId = RoleId::from_bytes(*b"trial role......");
/// The trial's organisation, to which also belongs what is recorded without a server.
pub const TRIAL_ORGANISATION: OrganisationId = OrganisationId::from_bytes(*b"trial clinic....");

/// A hospital, a clinic or a practice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOrganisation {
    /// Random, and tells nothing.
    pub id: OrganisationId,
    /// What it is called.
    pub name: String,
    /// What it is called in Chinese, where it is.
    pub chinese_name: Option<String>,
}

/// What is known of somebody who works somewhere. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The name that notes are signed with.
    pub name: String,
    /// Telephone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
}

impl std::fmt::Debug for Card {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Card(..)")
    }
}

/// A person who works somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPerson {
    /// Random, and tells nothing.
    pub id: PersonId,
    /// Who it is.
    pub card: Card,
}

pub(super) fn card_place(person: &str) -> Place<'_> {
    Place::row("people.document", "", person.to_owned())
}

/// The bytes of an id that nobody can guess.
pub(super) fn random<const BYTES: usize>() -> Result<[u8; BYTES], StoreError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|_| StoreError::Seal(SpoolError::Random))?;
    Ok(bytes)
}

impl By {
    /// Administering an account.
    #[must_use]
    pub fn administered(&self, account: [u8; 16]) -> Event {
        self.did_to(Action::Administer, account)
    }

    /// Something that is done to an account: a role, a token, a passkey.
    #[must_use]
    pub fn did_to(&self, action: Action, what: [u8; 16]) -> Event {
        Event { record: Some(RecordId::from_bytes(what)), ..self.did_in_general(action) }
    }

    /// Whose what is made now will be. What is made without a server and without anybody signed in is the trial's.
    pub(super) fn organisation(&self) -> OrganisationId {
        match self.actor {
            Actor::Staff { organisation, .. } | Actor::Device { organisation, .. } => organisation,
            _ => TRIAL_ORGANISATION,
        }
    }

    /// The role or device that makes something now.
    pub(super) fn maker(&self) -> String {
        match self.actor {
            Actor::Staff { role, .. } => role.to_string(),
            Actor::Device { device, .. } => device.to_string(),
            _ => TRIAL_ROLE.to_string(),
        }
    }
}

impl Act {
    pub(super) async fn enter_organisation(&mut self, organisation: &StoredOrganisation) -> Result<(), StoreError> {
        let insert = "INSERT INTO organisations (id, name, chinese_name) VALUES ($1, $2, $3)";
        let insert = sqlx::query(insert).bind(organisation.id.to_string()).bind(&organisation.name);
        self.execute(insert.bind(&organisation.chinese_name)).await.map(drop)
    }

    pub(super) async fn enter_person(&mut self, person: &StoredPerson, master: &Key) -> Result<(), StoreError> {
        let id = person.id.to_string();
        let sealed = card_place(&id).seal_json(master, &person.card)?;
        self.execute(sqlx::query("INSERT INTO people (id, document) VALUES ($1, $2)").bind(&id).bind(sealed)).await.map(drop)
    }
}

impl Store {
    /// Takes in an organisation.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn create_organisation(
        &self,
        name: &str,
        chinese_name: Option<&str>,
        by: &By,
    ) -> Result<StoredOrganisation, StoreError> {
        let id = OrganisationId::from_bytes(random()?);
        let organisation = StoredOrganisation { id, name: name.to_owned(), chinese_name: chinese_name.map(str::to_owned) };
        let mut act = self.begin("take in an organisation").await?;
        act.enter_organisation(&organisation).await?;
        act.commit(&by.administered(*id.bytes())).await?;
        Ok(organisation)
    }

    /// Takes in a person, who can do nothing yet.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn create_person(&self, card: &Card, by: &By) -> Result<StoredPerson, StoreError> {
        let person = StoredPerson { id: PersonId::from_bytes(random()?), card: card.clone() };
        let mut act = self.begin("take in a person").await?;
        act.enter_person(&person, self.root()).await?;
        act.commit(&by.administered(*person.id.bytes())).await?;
        Ok(person)
    }

    /// The trial's organisation, person and role, from this time on where they are not there yet.
    ///
    /// # Errors
    /// When they cannot be written.
    pub async fn enter_trial(&self, name: &str, by: &By) -> Result<(), StoreError> {
        if self.role(TRIAL_ROLE).await?.is_some() {
            return Ok(());
        }
        let organisation = StoredOrganisation {
            id: TRIAL_ORGANISATION,
            name: "Trial clinic".to_owned(),
            chinese_name: Some("試用診所".to_owned()),
        };
        let card = Card { name: name.to_owned(), phone: None, email: None };
        let (person, kind, starts_at, ends_at) = (TRIAL_PERSON, RoleKind::Doctor, 0, None);
        let mut act = self.begin("begin a trial").await?;
        act.enter_organisation(&organisation).await?;
        act.enter_person(&StoredPerson { id: person, card }, self.root()).await?;
        let (organisation, department) = (TRIAL_ORGANISATION, None);
        act.enter_role(TRIAL_ROLE, &NewRole { person, organisation, kind, starts_at, ends_at, department }).await?;
        act.commit(&by.administered(*TRIAL_ROLE.bytes())).await.map(drop)
    }

    /// The organisation of this id, if there is one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn organisation(&self, id: OrganisationId) -> Result<Option<StoredOrganisation>, StoreError> {
        let query = sqlx::query_as("SELECT id, name, chinese_name FROM organisations WHERE id = $1").bind(id.to_string());
        let row = self.reader().one(query).await.map_err(StoreError::database("read an organisation"))?;
        row.map(organisation).transpose()
    }

    /// All organisations, by name.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn organisations(&self) -> Result<Vec<StoredOrganisation>, StoreError> {
        let query = sqlx::query_as("SELECT id, name, chinese_name FROM organisations ORDER BY name, id");
        let rows = self.reader().all(query).await.map_err(StoreError::database("list the organisations"))?;
        rows.into_iter().map(organisation).collect()
    }
}

fn organisation((id, name, chinese_name): (String, String, Option<String>)) -> Result<StoredOrganisation, StoreError> {
    let damaged = || Place::row("organisations", "", id.clone()).damaged();
    Ok(StoredOrganisation { id: OrganisationId::try_from(id.clone()).map_err(|_| damaged())?, name, chinese_name })
}
