//! The tokens that are used once to come in: the first administrator's, invitations and recoveries.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::act::Act;
use super::people::random;
use super::stopped::LetIn;
use super::{By, Card, NewPasskey, NewRole, Place, Store, StoreError, StoredOrganisation, StoredPerson};
use crate::audit::{Action, Actor, Event, OrganisationId, PersonId, RecordId, RoleId};
use crate::identity::RoleKind;
use crate::openid::Subject;

/// What somebody who comes with a token will come in with from now on.
#[derive(Debug, Clone)]
pub enum NewCredential {
    /// A passkey.
    Passkey(NewPasskey),
    /// A sign-in at an issuer of OpenID Connect.
    Subject(Subject),
}

/// What a token that is used once lets somebody do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case", deny_unknown_fields)]
pub enum Enrolment {
    /// Found an organisation and administer it.
    SetUp,
    /// Take a role in the organisation that invites.
    Invitation {
        /// Who is invited.
        card: Card,
        /// As what: one of [`RoleKind`]'s names.
        kind: String,
        /// When the role begins, in seconds since 1970; when the invitation is taken where nothing is said.
        #[serde(default)]
        starts_at: Option<i64>,
        /// Until when the role lasts, in seconds since 1970.
        ends_at: Option<i64>,
        /// Where in the organisation, in its own words.
        #[serde(default)]
        department: Option<String>,
    },
    /// Register another passkey, which is good for the organisation that gave the token; for all where the console did.
    Recovery {
        /// Whose.
        person: PersonId,
        /// The administrator who gave the token; nobody where the console did.
        #[serde(default)]
        offered_by: Option<PersonId>,
    },
}

/// An enrolment that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEnrolment {
    /// Random; it opens nothing.
    pub id: String,
    /// The organisation that gave it.
    pub organisation: Option<OrganisationId>,
    /// What it is for.
    pub enrolment: Enrolment,
    /// Until when it can be used, in seconds since 1970.
    pub ends_at: i64,
}

/// Who comes of an enrolment.
#[derive(Debug, Clone)]
pub enum Entrant {
    /// The first of an organisation.
    Founder {
        /// The new organisation.
        organisation: StoredOrganisation,
        /// Who administers it.
        person: StoredPerson,
    },
    /// Somebody new.
    New {
        /// Who.
        person: StoredPerson,
    },
    /// Somebody who is known already.
    Known {
        /// Who.
        person: PersonId,
    },
}

#[derive(FromRow)]
struct EnrolmentRow {
    id: String,
    organisation: Option<String>,
    document: Vec<u8>,
    ends_at: i64,
}

/// Forgets tokens for a set-up that nobody used.
const SET_UP_AGAIN: &str =
    "DELETE FROM enrolments WHERE organisation IS NULL AND NOT EXISTS (SELECT 1 FROM roles WHERE kind = 'administrator')";

fn enrolment_place(id: &str) -> Place<'_> {
    Place::row("enrolments.document", "", id.to_owned())
}

impl Act {
    /// Other tokens that would let the same person in again, given by the same organisation, or any where the console let them in.
    async fn void_recoveries(
        &mut self,
        store: &Store,
        (person, of): (PersonId, Option<OrganisationId>),
    ) -> Result<(), StoreError> {
        let query = "SELECT id, organisation, document, ends_at FROM enrolments WHERE $1 = '' OR organisation = $1";
        let query = sqlx::query_as(query).bind(of.map(|of| of.to_string()).unwrap_or_default());
        for row in self.all::<EnrolmentRow>(query).await? {
            // One that is damaged opens nothing.
            let Ok(waiting) = store.enrolment(row).inspect_err(|error| tracing::error!(%error)) else { continue };
            if matches!(waiting.enrolment, Enrolment::Recovery { person: whose, .. } if whose == person) {
                self.execute(sqlx::query("DELETE FROM enrolments WHERE id = $1").bind(waiting.id)).await?;
            }
        }
        Ok(())
    }

    /// False where somebody else has used it meanwhile.
    async fn use_up(&mut self, enrolment: &StoredEnrolment, at: i64) -> Result<bool, StoreError> {
        let delete = sqlx::query("DELETE FROM enrolments WHERE id = $1 AND ends_at > $2").bind(&enrolment.id).bind(at);
        Ok(self.execute(delete).await? > 0)
    }
}

impl Store {
    /// Whether anybody administers anything here, the trial's clinician left out.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn has_administrator(&self) -> Result<bool, StoreError> {
        let query = sqlx::query_as("SELECT count(*) FROM roles WHERE kind = $1").bind(RoleKind::Administrator.as_str());
        let row = self.reader().one::<(i64,)>(query).await.map_err(StoreError::database("look for an administrator"))?;
        Ok(row.is_some_and(|(count,)| count > 0))
    }

    /// Gives out a token that is used once. While nobody administers anything, one for the set-up takes the place of those before it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn offer(
        &self,
        (token_hash, ends_at): ([u8; 32], i64),
        organisation: Option<OrganisationId>,
        enrolment: &Enrolment,
        by: &By,
    ) -> Result<String, StoreError> {
        let id = RecordId::from_bytes(random()?);
        let name = id.to_string();
        let sealed = enrolment_place(&name).seal_json(self.root(), enrolment)?;
        let mut act = self.begin("give out a token").await?;
        if *enrolment == Enrolment::SetUp {
            act.execute(sqlx::query(SET_UP_AGAIN)).await?;
        }
        let insert = "INSERT INTO enrolments (id, token_hash, organisation, document, ends_at) VALUES ($1, $2, $3, $4, $5)";
        let insert = sqlx::query(insert).bind(&name).bind(token_hash.as_slice());
        act.execute(insert.bind(organisation.map(|of| of.to_string())).bind(sealed).bind(ends_at)).await?;
        let action = match enrolment {
            Enrolment::SetUp => Action::Administer,
            Enrolment::Invitation { .. } => Action::Invite,
            Enrolment::Recovery { person, .. } => Action::RecoveryOffer { person: *person },
        };
        act.commit(&by.did_to(action, *id.bytes())).await?;
        Ok(name)
    }

    /// The enrolment with this token, if it can still be used at `at`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], and when it cannot be read.
    pub async fn enrolment_with(&self, token_hash: &[u8; 32], at: i64) -> Result<Option<StoredEnrolment>, StoreError> {
        let query = "SELECT id, organisation, document, ends_at FROM enrolments WHERE token_hash = $1 AND ends_at > $2";
        let row = self.reader().one::<EnrolmentRow>(sqlx::query_as(query).bind(token_hash.as_slice()).bind(at)).await;
        row.map_err(StoreError::database("read an enrolment"))?.map(|row| self.enrolment(row)).transpose()
    }

    /// The enrolments of an organisation that wait, those that ran out too.
    ///
    /// # Errors
    /// As [`Self::enrolment_with`].
    pub async fn enrolments_of(&self, organisation: OrganisationId) -> Result<Vec<StoredEnrolment>, StoreError> {
        let query = "SELECT id, organisation, document, ends_at FROM enrolments WHERE organisation = $1 ORDER BY ends_at DESC";
        let rows = self.reader().all::<EnrolmentRow>(sqlx::query_as(query).bind(organisation.to_string())).await;
        let rows = rows.map_err(StoreError::database("list the enrolments"))?;
        rows.into_iter().map(|row| self.enrolment(row)).collect()
    }

    fn enrolment(&self, row: EnrolmentRow) -> Result<StoredEnrolment, StoreError> {
        let EnrolmentRow { id, organisation, document, ends_at } = row;
        let place = enrolment_place(&id);
        let enrolment = place.unseal_json(self.root(), &document)?;
        let organisation = organisation.map(OrganisationId::try_from).transpose().map_err(|_| place.damaged())?;
        Ok(StoredEnrolment { id, organisation, enrolment, ends_at })
    }

    /// Takes an enrolment of an organisation back; false where there is none.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn withdraw_offer(&self, id: &str, organisation: OrganisationId, by: &By) -> Result<bool, StoreError> {
        let delete = sqlx::query("DELETE FROM enrolments WHERE id = $1 AND organisation = $2").bind(id);
        let mut act = self.begin("take a token back").await?;
        if act.execute(delete.bind(organisation.to_string())).await? == 0 {
            return act.abandon().await.map(|()| false);
        }
        let event = by.did_in_general(Action::Administer);
        act.commit(&Event { record: RecordId::try_from(id.to_owned()).ok(), ..event }).await.map(|_| true)
    }

    /// Uses an enrolment up: person, role and credential come of it, all or nothing. Nothing where it was used or ran out meanwhile, or
    /// somebody has the credential's subject.
    ///
    /// Who is known already and signed in brings no credential.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn enrol(
        &self,
        enrolment: &StoredEnrolment,
        entrant: &Entrant,
        credential: Option<&NewCredential>,
        by: &By,
    ) -> Result<Option<PersonId>, StoreError> {
        let at = by.seconds();
        let role = RoleId::from_bytes(random()?);
        let mut act = self.begin("take somebody in").await?;
        if !act.use_up(enrolment, at).await? {
            act.abandon().await?;
            return Ok(None);
        }
        let master = self.root();
        let person = match entrant {
            Entrant::Founder { organisation, person } => {
                act.enter_organisation(organisation).await?;
                act.enter_person(person, master).await?;
                person.id
            }
            Entrant::New { person } => {
                act.enter_person(person, master).await?;
                person.id
            }
            Entrant::Known { person } => *person,
        };
        let given = match (&enrolment.enrolment, entrant) {
            (Enrolment::SetUp, Entrant::Founder { organisation, .. }) => {
                Some((organisation.id, RoleKind::Administrator, at, None, None))
            }
            (Enrolment::Invitation { kind, starts_at, ends_at, department, .. }, _) => {
                let kind = RoleKind::ALL.iter().find(|known| known.as_str() == kind);
                let damaged = || enrolment_place(&enrolment.id).damaged();
                let (organisation, kind) = (enrolment.organisation.ok_or_else(damaged)?, *kind.ok_or_else(damaged)?);
                Some((organisation, kind, starts_at.map_or(at, |starts| starts.max(at)), *ends_at, department.clone()))
            }
            _ => None,
        };
        let reach = match enrolment.enrolment {
            Enrolment::Recovery { .. } => enrolment.organisation,
            _ => None,
        };
        if let Some((organisation, kind, starts_at, ends_at, department)) = given.clone() {
            act.enter_role(role, &NewRole { person, organisation, kind, starts_at, ends_at, department }).await?;
        }
        let actor = match given {
            Some((organisation, ..)) => Some(Actor::Staff { person, role, organisation }),
            None => act.recovered_role(person, enrolment.organisation, at).await?,
        };
        // Their role ended meanwhile.
        let Some(actor) = actor else { return act.abandon().await.map(|()| None) };
        let by = By { actor, ..*by };
        if let Enrolment::Recovery { person, .. } = enrolment.enrolment {
            act.hold_person(person).await?;
            let stopped = (person, enrolment.organisation);
            for event in act.stop_credentials(stopped, None, &by).await? {
                act.enter(&event).await?;
            }
            act.cut_sessions(stopped, None).await?;
            act.void_recoveries(self, stopped).await?;
        }
        let let_in = enrolment.organisation.map_or(LetIn::Console, LetIn::Administrator);
        let entered = match credential {
            Some(NewCredential::Passkey(passkey)) => Some(act.enter_passkey(self, (person, reach, let_in), passkey, &by).await?),
            Some(NewCredential::Subject(subject)) => Some(act.enter_binding(self, (person, reach, let_in), subject, &by).await?),
            None => None,
        };
        let entered = match entered {
            Some(None) => return act.abandon().await.map(|()| None),
            entered => entered.flatten(),
        };
        if let Some(id) = entered {
            act.enter(&by.did_to(Action::CredentialAdd { person }, *id.bytes())).await?;
        }
        let action = match enrolment.enrolment {
            Enrolment::Recovery { person, offered_by } => {
                act.enter_recovery(enrolment, (person, offered_by), at).await?;
                Action::RecoveryUse { person, offered_by }
            }
            _ => Action::RoleGive { person },
        };
        // The token's own id: the event of its offer has the same.
        let event = by.did_in_general(action);
        act.commit(&Event { record: RecordId::try_from(enrolment.id.clone()).ok(), ..event }).await?;
        Ok(Some(person))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Remover;
    use super::super::tests::{Site, by, on_both};
    use super::*;

    fn card(name: &str) -> Card {
        Card { name: name.into(), phone: None, email: None }
    }

    fn passkey(credential: u8) -> NewPasskey {
        NewPasskey { credential: vec![credential; 20], label: "phone".into(), key: "{}".into() }
    }

    fn credential(credential: u8) -> NewCredential {
        NewCredential::Passkey(passkey(credential))
    }

    async fn a_token_makes_one_person_once_and_an_invitation_gives_a_known_one_a_role(site: Site) {
        let store = site.open().await;
        assert!(!store.has_administrator().await.unwrap());
        let now = by().seconds();
        store.offer(([1; 32], now + 100), None, &Enrolment::SetUp, &by()).await.unwrap();
        store.offer(([2; 32], now + 100), None, &Enrolment::SetUp, &by()).await.unwrap();
        assert!(store.enrolment_with(&[1; 32], now).await.unwrap().is_none(), "the second took its place");
        assert!(store.enrolment_with(&[2; 32], now + 100).await.unwrap().is_none(), "it ran out");
        let found = store.enrolment_with(&[2; 32], now).await.unwrap().unwrap();
        let organisation =
            StoredOrganisation { id: OrganisationId::from_bytes([1; 16]), name: "Clinic".into(), chinese_name: None };
        let person = StoredPerson { id: PersonId::from_bytes([2; 16]), card: card("Dr Chan") };
        let founder = Entrant::Founder { organisation: organisation.clone(), person: person.clone() };
        assert_eq!(store.enrol(&found, &founder, Some(&credential(1)), &by()).await.unwrap(), Some(person.id));
        assert_eq!(store.enrol(&found, &founder, Some(&credential(2)), &by()).await.unwrap(), None, "it is used up");
        assert!(store.has_administrator().await.unwrap());
        assert_eq!(store.roles_of(person.id).await.unwrap()[0].kind, RoleKind::Administrator);

        let (starts_at, ends_at) = (Some(now + 500), Some(now + 1_000));
        let invitation =
            Enrolment::Invitation { card: card("Dr C."), kind: "doctor".into(), starts_at, ends_at, department: None };
        store.offer(([3; 32], now + 100), Some(organisation.id), &invitation, &by()).await.unwrap();
        let found = store.enrolments_of(organisation.id).await.unwrap().remove(0);
        store.enrol(&found, &Entrant::Known { person: person.id }, None, &by()).await.unwrap().unwrap();
        let roles = store.roles_of(person.id).await.unwrap();
        let invited = roles.iter().find(|role| role.ends_at == ends_at).unwrap();
        assert_eq!((roles.len(), Some(invited.starts_at)), (2, starts_at));
        assert!(!invited.is_held(now) && invited.is_held(now + 500));
        let offer = store.offer(([4; 32], now + 100), Some(organisation.id), &invitation, &by()).await.unwrap();
        assert!(!store.withdraw_offer(&offer, OrganisationId::from_bytes([9; 16]), &by()).await.unwrap());
        assert!(store.withdraw_offer(&offer, organisation.id, &by()).await.unwrap());
        assert!(store.enrolments_of(organisation.id).await.unwrap().is_empty());
    }

    async fn the_last_passkey_stays_and_a_recovered_one_is_good_for_its_organisation_alone(site: Site) {
        let store = site.open().await;
        let now = by().seconds();
        let organisation = store.create_organisation("Clinic", None, &by()).await.unwrap().id;
        let person = store.create_person(&card("Dr Chan"), &by()).await.unwrap().id;
        store.add_passkey(person, (None, None), &passkey(1), &by()).await.unwrap();
        assert!(store.add_passkey(person, (None, None), &passkey(1), &by()).await.is_err(), "it is registered");
        let role = NewRole { person, organisation, kind: RoleKind::Doctor, starts_at: 0, ends_at: None, department: None };
        let recovery = Enrolment::Recovery { person, offered_by: Some(PersonId::from_bytes([8; 16])) };
        store.offer(([3; 32], now + 100), Some(organisation), &recovery, &by()).await.unwrap();
        let found = store.enrolment_with(&[3; 32], now).await.unwrap().unwrap();
        let enter = async || store.enrol(&found, &Entrant::Known { person }, Some(&credential(2)), &by()).await.unwrap();
        assert_eq!(enter().await, None, "who has no role there is not let in");
        let role = store.give_role(&role, &by()).await.unwrap();
        assert_eq!(enter().await, Some(person));
        let told = store.recoveries_of(person, now).await.unwrap().remove(0);
        assert_eq!((told.organisation, told.offered_by), (Some(organisation), Some(PersonId::from_bytes([8; 16]))));
        let log = store.events(0, 100).await.unwrap();
        let log: Vec<_> = log.iter().map(|bytes| Event::decode(bytes).unwrap()).collect();
        let of = |wanted: Action| log.iter().find(|event| event.action == wanted).unwrap();
        let (offered, used) =
            (of(Action::RecoveryOffer { person }), of(Action::RecoveryUse { person, offered_by: told.offered_by }));
        assert_eq!((offered.record, used.actor), (used.record, Actor::Staff { person, role, organisation }));
        assert!(offered.record.is_some() && log.iter().any(|event| event.action == Action::CredentialAdd { person }));
        let second = store.passkey_with(&[2; 20]).await.unwrap().unwrap();
        assert_eq!((second.reach, second.label.as_str(), second.person), (Some(organisation), "phone", person));
        store.count_passkey(&second, "{\"counter\":1}").await.unwrap();
        assert_eq!(store.passkey_with(&[2; 20]).await.unwrap().unwrap().key, "{\"counter\":1}");
        assert!(store.passkey_with(&[1; 20]).await.unwrap().is_none(), "the lost one is good nowhere any more");
        let who = Remover { person, organisation, reach: Some(organisation), session: None };
        assert!(!store.remove_passkey(&second.id, who, &by()).await.unwrap(), "it is the last");
        store.add_passkey(person, (Some(organisation), None), &passkey(3), &by()).await.unwrap();
        let other = Remover { person: PersonId::from_bytes([9; 16]), ..who };
        assert!(!store.remove_passkey(&second.id, other, &by()).await.unwrap(), "somebody else's");
        let elsewhere = Remover { reach: Some(OrganisationId::from_bytes([9; 16])), ..who };
        assert!(!store.remove_passkey(&second.id, elsewhere, &by()).await.unwrap(), "not with one of another organisation");
        assert!(store.remove_passkey(&second.id, who, &by()).await.unwrap());
    }

    on_both! {
        a_token_makes_one_person_once_and_an_invitation_gives_a_known_one_a_role,
        the_last_passkey_stays_and_a_recovered_one_is_good_for_its_organisation_alone,
    }
}
