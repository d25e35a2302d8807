//! Roles: what each person is where. One role of one person in one organisation is what signs in.

use sqlx::FromRow;

use super::act::Act;
use super::keys::Change;
use super::people::{card_place, random};
use super::{By, Place, Store, StoreError, StoredPerson};
use crate::audit::{Action, Actor, OrganisationId, PersonId, RoleId};
use crate::identity::RoleKind;
use crate::spool::Key;

/// What one person is in one organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRole {
    /// Random, and tells nothing.
    pub id: RoleId,
    /// Whose it is.
    pub person: StoredPerson,
    /// Where.
    pub organisation: OrganisationId,
    /// What the person is there.
    pub kind: RoleKind,
    /// From when on, in seconds since 1970.
    pub starts_at: i64,
    /// From when on no more, where that is known.
    pub ends_at: Option<i64>,
    /// Where in the organisation, in its own words.
    pub department: Option<String>,
}

impl StoredRole {
    /// Whether it is held at this time, in seconds since 1970.
    #[must_use]
    pub fn is_held(&self, at: i64) -> bool {
        self.starts_at <= at && self.ends_at.is_none_or(|end| at < end)
    }

    /// Who acts when this role does.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Staff { person: self.person.id, role: self.id, organisation: self.organisation }
    }
}

/// What came of ending a role, or of changing its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleEnd {
    /// It is done.
    Ended,
    /// There is none that would last longer.
    NotHeld,
    /// It is the last administrator's of the organisation, and did not end.
    LastAdministrator,
}

/// A role to give to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRole {
    /// Whose it will be.
    pub person: PersonId,
    /// Where.
    pub organisation: OrganisationId,
    /// What the person will be there.
    pub kind: RoleKind,
    /// From when on, in seconds since 1970.
    pub starts_at: i64,
    /// From when on no more, where that is known.
    pub ends_at: Option<i64>,
    /// Where in the organisation, in its own words.
    pub department: Option<String>,
}

const SELECT: &str = "SELECT roles.id, person, organisation, kind, starts_at, ends_at, department, people.document FROM roles \
    JOIN people ON people.id = roles.person";

#[derive(FromRow)]
struct Row {
    id: String,
    person: String,
    organisation: String,
    kind: String,
    starts_at: i64,
    ends_at: Option<i64>,
    department: Option<String>,
    document: Vec<u8>,
}

impl Row {
    fn read(self, master: &Key) -> Result<StoredRole, StoreError> {
        let damaged = || Place::row("roles", "", self.id.clone()).damaged();
        let kind = RoleKind::ALL.iter().find(|kind| kind.as_str() == self.kind);
        let card = card_place(&self.person).unseal_json(master, &self.document)?;
        let person = PersonId::try_from(self.person.clone()).map_err(|_| damaged())?;
        Ok(StoredRole {
            id: RoleId::try_from(self.id.clone()).map_err(|_| damaged())?,
            person: StoredPerson { id: person, card },
            organisation: OrganisationId::try_from(self.organisation.clone()).map_err(|_| damaged())?,
            kind: *kind.ok_or_else(damaged)?,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            department: self.department,
        })
    }
}

impl Act {
    pub(super) async fn enter_role(&mut self, id: RoleId, role: &NewRole) -> Result<(), StoreError> {
        let insert = "INSERT INTO roles (id, person, organisation, kind, starts_at, ends_at, department) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let insert = sqlx::query(insert).bind(id.to_string()).bind(role.person.to_string()).bind(role.organisation.to_string());
        let insert = insert.bind(role.kind.as_str()).bind(role.starts_at).bind(role.ends_at).bind(&role.department);
        self.execute(insert).await.map(drop)
    }

    /// Lets whoever else changes a role of this organisation wait until this act is over.
    pub(super) async fn hold_organisation(&mut self, of: OrganisationId) -> Result<(), StoreError> {
        self.execute(sqlx::query("UPDATE organisations SET name = name WHERE id = $1").bind(of.to_string())).await.map(drop)
    }

    /// Whose a role is.
    pub(super) async fn person_of(&mut self, role: RoleId) -> Result<PersonId, StoreError> {
        let query = sqlx::query_as("SELECT person FROM roles WHERE id = $1").bind(role.to_string());
        let damaged = || Place::row("roles", "", role.to_string()).damaged();
        let (person,) = self.one::<(String,)>(query).await?.ok_or_else(damaged)?;
        PersonId::try_from(person).map_err(|_| damaged())
    }

    /// Whether somebody without an end, who has begun, administers the organisation, or the role that was changed is no administrator's.
    pub(super) async fn is_administered_for_good(
        &mut self,
        (of, changed): (OrganisationId, RoleId),
        at: i64,
    ) -> Result<bool, StoreError> {
        let left = "SELECT count(*) FROM roles WHERE organisation = $1 AND kind = $2 AND ends_at IS NULL AND starts_at <= $3";
        let left = sqlx::query_as(left).bind(of.to_string()).bind(RoleKind::Administrator.as_str()).bind(at);
        let kind = sqlx::query_as("SELECT kind FROM roles WHERE id = $1").bind(changed.to_string());
        let administers = self.one::<(String,)>(kind).await?.is_some_and(|(kind,)| kind == RoleKind::Administrator.as_str());
        Ok(!administers || self.one::<(i64,)>(left).await?.is_some_and(|(left,)| left > 0))
    }
}

impl Store {
    /// Gives somebody a role.
    ///
    /// # Errors
    /// When there is no such person or organisation, and when it cannot be written.
    pub async fn give_role(&self, role: &NewRole, by: &By) -> Result<RoleId, StoreError> {
        let id = RoleId::from_bytes(random()?);
        let mut act = self.begin("give a role").await?;
        act.enter_role(id, role).await?;
        act.commit(&by.did_to(Action::RoleGive { person: role.person }, *id.bytes())).await?;
        Ok(id)
    }

    /// Ends a role of this organisation and its sessions at a time, in seconds since 1970, unless it is the organisation's last
    /// administrator's: of two that end each other at once one stays.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn end_role(&self, id: RoleId, of: OrganisationId, at: i64, by: &By) -> Result<RoleEnd, StoreError> {
        let update = "UPDATE roles SET ends_at = $1 WHERE id = $2 AND organisation = $3 AND (ends_at IS NULL OR ends_at > $4)";
        let mut act = self.begin("end a role").await?;
        act.hold_organisation(of).await?;
        let update = sqlx::query(update).bind(at).bind(id.to_string()).bind(of.to_string()).bind(at);
        if act.execute(update).await? == 0 {
            return act.abandon().await.map(|()| RoleEnd::NotHeld);
        }
        if !act.is_administered_for_good((of, id), at).await? {
            return act.abandon().await.map(|()| RoleEnd::LastAdministrator);
        }
        act.ends(Change::Ends { id: id.to_string(), at });
        act.end_sessions_of(id).await?;
        let person = act.person_of(id).await?;
        act.commit(&by.did_to(Action::RoleChange { person }, *id.bytes())).await.map(|_| RoleEnd::Ended)
    }

    /// The role of this id, if there is one, ended ones too.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], and when it cannot be read.
    pub async fn role(&self, id: RoleId) -> Result<Option<StoredRole>, StoreError> {
        Ok(self.some_roles("roles.id", id.to_string()).await?.pop())
    }

    /// All roles of a person, ended ones too, the oldest first.
    ///
    /// # Errors
    /// As [`Self::role`].
    pub async fn roles_of(&self, person: PersonId) -> Result<Vec<StoredRole>, StoreError> {
        self.some_roles("person", person.to_string()).await
    }

    /// All roles in an organisation, ended ones too, the oldest first.
    ///
    /// # Errors
    /// As [`Self::role`].
    pub async fn roles_in(&self, organisation: OrganisationId) -> Result<Vec<StoredRole>, StoreError> {
        self.some_roles("organisation", organisation.to_string()).await
    }

    async fn some_roles(&self, column: &'static str, value: String) -> Result<Vec<StoredRole>, StoreError> {
        let query = format!("{SELECT} WHERE {column} = $1 ORDER BY starts_at, roles.id");
        let rows = self.reader().all::<Row>(sqlx::query_as(&query).bind(value)).await;
        let rows = rows.map_err(StoreError::database("read roles"))?;
        rows.into_iter().map(|row| row.read(self.root())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Site, by, on_both, tamper};
    use super::super::{Card, TRIAL, TRIAL_ROLE};
    use super::*;

    fn card(name: &str) -> Card {
        Card { name: name.into(), phone: Some("91234567".into()), email: None }
    }

    async fn a_person_has_a_role_in_each_organisation_and_each_has_its_end(site: Site) {
        let store = site.open().await;
        let one = store.create_organisation("Peak Clinic", Some("山頂診所"), &by()).await.unwrap();
        let other = store.create_organisation("Harbour Hospital", None, &by()).await.unwrap();
        let person = store.create_person(&card("Dr Chan"), &by()).await.unwrap();
        let new = |organisation, kind| NewRole {
            person: person.id,
            organisation,
            kind,
            starts_at: 100,
            ends_at: None,
            department: None,
        };
        let first = store.give_role(&new(one.id, RoleKind::Doctor), &by()).await.unwrap();
        let second = store.give_role(&new(other.id, RoleKind::Administrator), &by()).await.unwrap();
        store.close().await;
        let store = site.open().await;
        assert_eq!(store.organisations().await.unwrap(), [other.clone(), one.clone()]);
        assert_eq!(store.organisation(one.id).await.unwrap(), Some(one.clone()));
        assert_eq!(store.roles_of(person.id).await.unwrap().len(), 2);
        let role = store.role(first).await.unwrap().unwrap();
        assert_eq!((&role.person, role.kind, role.organisation), (&person, RoleKind::Doctor, one.id));
        assert!(!role.is_held(99) && role.is_held(100) && role.is_held(i64::MAX));
        assert_eq!(store.end_role(first, other.id, 200, &by()).await.unwrap(), RoleEnd::NotHeld, "it is another organisation's");
        assert_eq!(store.end_role(first, one.id, 200, &by()).await.unwrap(), RoleEnd::Ended);
        assert_eq!(store.end_role(first, one.id, 300, &by()).await.unwrap(), RoleEnd::NotHeld, "an end is not put off");
        let ended = store.roles_in(one.id).await.unwrap().remove(0);
        assert!(ended.is_held(199) && !ended.is_held(200));
        assert!(store.role(second).await.unwrap().unwrap().is_held(500));
        assert!(!format!("{ended:?}").contains("Chan"));
    }

    async fn of_two_administrators_who_end_each_other_one_stays(site: Site) {
        let store = site.open().await;
        let clinic = store.create_organisation("Peak Clinic", None, &by()).await.unwrap().id;
        let person = store.create_person(&card("Ms Ho"), &by()).await.unwrap().id;
        let new = NewRole {
            person,
            organisation: clinic,
            kind: RoleKind::Administrator,
            starts_at: 100,
            ends_at: None,
            department: None,
        };
        for _ in 0..5 {
            let other = store.give_role(&new, &by()).await.unwrap();
            let held = store.roles_in(clinic).await.unwrap().into_iter().filter(|role| role.is_held(200)).map(|role| role.id);
            let roles: Vec<RoleId> = held.filter(|role| *role != other).chain([other]).collect();
            let ends = roles.iter().map(|role| {
                let (store, role) = (store.clone(), *role);
                tokio::spawn(async move { store.end_role(role, clinic, 200, &by()).await.unwrap() })
            });
            let ends: Vec<RoleEnd> = futures_util::future::join_all(ends).await.into_iter().map(Result::unwrap).collect();
            let count = |end: RoleEnd| ends.iter().filter(|found| **found == end).count();
            assert_eq!((count(RoleEnd::LastAdministrator), count(RoleEnd::Ended)), (1, roles.len() - 1), "{ends:?}");
        }
    }

    async fn a_card_in_another_persons_place_is_damaged(site: Site) {
        let store = site.open().await;
        store.enter_trial("Trial clinician", &by()).await.unwrap();
        store.enter_trial("Trial clinician", &by()).await.unwrap();
        assert_eq!(store.role(TRIAL_ROLE).await.unwrap().unwrap().actor(), TRIAL);
        let other = store.create_person(&card("Dr Chan"), &by()).await.unwrap();
        let swap = format!("UPDATE people SET document = (SELECT document FROM people WHERE id = '{}')", other.id);
        tamper(&store, &swap).await;
        assert!(matches!(store.role(TRIAL_ROLE).await, Err(StoreError::Damaged { .. })));
    }

    on_both! {
        a_person_has_a_role_in_each_organisation_and_each_has_its_end,
        a_card_in_another_persons_place_is_damaged,
        of_two_administrators_who_end_each_other_one_stays,
    }
}
