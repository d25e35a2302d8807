//! Sign-ins at issuers of OpenID Connect that people bound to themselves. Whom an issuer means is kept as a keyed hash: it may be a number of
//! the person's.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::act::Act;
use super::people::random;
use super::stopped::LetIn;
use super::{By, Place, Store, StoreError};
use crate::audit::{Action, OrganisationId, PersonId, RecordId};
use crate::openid::Subject;

/// A binding as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBinding {
    /// Random; it opens nothing.
    pub id: String,
    /// Whose it is.
    pub person: PersonId,
    /// The one organisation that it is good for; nothing where it is good for all of the person's.
    pub reach: Option<OrganisationId>,
    /// When it was made, in seconds since 1970.
    pub created_at: i64,
    /// Organisations in which it is good no more.
    pub stopped: Vec<OrganisationId>,
    /// At which issuer.
    pub issuer: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    issuer: String,
}

#[derive(FromRow)]
struct Row {
    id: String,
    person: String,
    reach: Option<String>,
    created_at: i64,
    document: Vec<u8>,
}

fn place(id: &str) -> Place<'_> {
    Place::row("openid_bindings.document", "", id.to_owned())
}

impl Act {
    /// Binds a subject: the binding's id, or nothing where somebody has it already, or it was stopped and nobody who may lets it in again. Their
    /// own that was stopped where an administrator lets them in now is good there again.
    pub(super) async fn enter_binding(
        &mut self,
        store: &Store,
        (person, reach, let_in): (PersonId, Option<OrganisationId>, LetIn),
        subject: &Subject,
        by: &By,
    ) -> Result<Option<RecordId>, StoreError> {
        let (hash, record) = (store.subject_hash(subject)?, RecordId::from_bytes(random()?));
        let theirs = "SELECT openid_bindings.id, (SELECT count(*) FROM stopped_credentials WHERE credential = openid_bindings.id) \
            FROM openid_bindings WHERE subject = $1 AND person = $2";
        let theirs = sqlx::query_as(theirs).bind(hash.clone()).bind(person.to_string());
        let theirs = self.one::<(String, i64)>(theirs).await?;
        if !self.may_enter(&hash, (reach, let_in), by).await? {
            return Ok(None);
        }
        if let (Some((id, stopped)), true) = (theirs, let_in != LetIn::Themselves) {
            let again = RecordId::try_from(id.clone()).map_err(|_| place(&id).damaged())?;
            return Ok((stopped > 0).then_some(again));
        }
        let id = record.to_string();
        let sealed = place(&id).seal_json(store.root(), &Kept { issuer: subject.issuer().to_owned() })?;
        let insert = "INSERT INTO openid_bindings (subject, id, person, reach, created_at, document) VALUES ($1, $2, $3, $4, $5, $6) \
            ON CONFLICT DO NOTHING";
        let insert = sqlx::query(insert).bind(hash.clone()).bind(&id).bind(person.to_string());
        let insert = insert.bind(reach.map(|reach| reach.to_string())).bind(by.seconds()).bind(sealed);
        if self.execute(insert).await? == 0 {
            return Ok(None);
        }
        self.stop_again(&hash, &id).await.map(|()| Some(record))
    }
}

impl Store {
    fn subject_hash(&self, subject: &Subject) -> Result<Vec<u8>, StoreError> {
        // An issuer is an address, which holds no line break: no two pairs have the same bytes.
        let both = format!("{}\n{}", subject.issuer(), subject.reveal());
        Ok(self.keyed(b"cantoscribe index of subjects 1\n", both.as_bytes())?.to_vec())
    }

    /// Binds a subject to a person; false where somebody has it already, or the session in which they do it is no more what it was.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn add_binding(
        &self,
        person: PersonId,
        (reach, session): (Option<OrganisationId>, Option<&str>),
        subject: &Subject,
        by: &By,
    ) -> Result<bool, StoreError> {
        let mut act = self.begin("bind a sign-in").await?;
        act.hold_person(person).await?;
        if !act.may_add((reach, session), by).await? {
            return act.abandon().await.map(|()| false);
        }
        let Some(id) = act.enter_binding(self, (person, reach, LetIn::Themselves), subject, by).await? else {
            return act.abandon().await.map(|()| false);
        };
        act.commit(&by.did_to(Action::CredentialAdd { person }, *id.bytes())).await.map(|_| true)
    }

    /// The bindings of a person, the oldest first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], and when they cannot be read.
    pub async fn bindings_of(&self, person: PersonId) -> Result<Vec<StoredBinding>, StoreError> {
        let query =
            "SELECT id, person, reach, created_at, document FROM openid_bindings WHERE person = $1 ORDER BY created_at, id";
        let rows = self.reader().all::<Row>(sqlx::query_as(query).bind(person.to_string())).await;
        let rows = rows.map_err(StoreError::database("read bindings"))?;
        let mut stopped = self.stopped_credentials(person).await?;
        let bindings = rows.into_iter().map(|row| {
            let stopped = stopped.remove(&row.id).unwrap_or_default();
            self.binding(row, stopped)
        });
        bindings.collect()
    }

    /// The binding of this subject.
    ///
    /// # Errors
    /// As [`Self::bindings_of`].
    pub async fn binding_with(&self, subject: &Subject) -> Result<Option<StoredBinding>, StoreError> {
        let query = sqlx::query_as("SELECT person, id FROM openid_bindings WHERE subject = $1");
        let row = self.reader().one::<(String, String)>(query.bind(self.subject_hash(subject)?)).await;
        let Some((person, id)) = row.map_err(StoreError::database("read a binding"))? else { return Ok(None) };
        let person = PersonId::try_from(person).map_err(|_| place(&id).damaged())?;
        Ok(self.bindings_of(person).await?.into_iter().find(|binding| binding.id == id))
    }

    fn binding(&self, row: Row, stopped: Vec<OrganisationId>) -> Result<StoredBinding, StoreError> {
        let Row { id, person, reach, created_at, document } = row;
        let place = place(&id);
        let Kept { issuer } = place.unseal_json(self.root(), &document)?;
        let person = PersonId::try_from(person).map_err(|_| place.damaged())?;
        let reach = reach.map(OrganisationId::try_from).transpose().map_err(|_| place.damaged())?;
        Ok(StoredBinding { id, person, reach, created_at, stopped, issuer })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Site, by, on_both};
    use super::super::{Card, Enrolment, Entrant, NewCredential, NewPasskey, NewRole, NewSession, Remover, StoredPerson};
    use super::*;
    use crate::audit::{Actor, Event};
    use crate::identity::RoleKind;

    const ISSUER: &str = "https://login.example";

    fn card() -> Card {
        Card { name: "Dr Chan".into(), phone: None, email: None }
    }

    fn subject(name: &str) -> Subject {
        Subject::for_tests(ISSUER, name)
    }

    async fn a_subject_of_one_issuer_is_one_persons_and_shows_nowhere(site: Site) {
        let store = site.open().await;
        let one = store.create_person(&card(), &by()).await.unwrap().id;
        let other = store.create_person(&card(), &by()).await.unwrap().id;
        assert!(store.add_binding(one, (None, None), &subject("A123456(3)"), &by()).await.unwrap());
        assert!(!store.add_binding(other, (None, None), &subject("A123456(3)"), &by()).await.unwrap(), "somebody has it");
        assert!(!store.add_binding(one, (None, None), &subject("A123456(3)"), &by()).await.unwrap(), "they have it");
        let found = store.binding_with(&subject("A123456(3)")).await.unwrap().unwrap();
        assert_eq!((found.person, found.reach, found.issuer.as_str()), (one, None, ISSUER));
        for stranger in [subject("a123456(3)"), subject(""), Subject::for_tests("https://other.example", "A123456(3)")] {
            assert_eq!(store.binding_with(&stranger).await.unwrap(), None, "{}", stranger.reveal());
        }
        let rows = sqlx::query_as::<_, (Vec<u8>, Vec<u8>)>("SELECT subject, document FROM openid_bindings");
        let (hash, document) = rows.fetch_one(store.database().pool()).await.unwrap();
        assert_eq!(hash.len(), 32);
        assert!(!String::from_utf8_lossy(&document).contains("login.example"));
        assert!(store.bindings_of(other).await.unwrap().is_empty());
        assert!(store.add_binding(other, (None, None), &subject("B"), &by()).await.unwrap(), "another subject");
    }

    fn passkey(credential: u8) -> NewPasskey {
        NewPasskey { credential: vec![credential; 20], label: "phone".into(), key: "{}".into() }
    }

    async fn the_last_way_in_stays_whichever_it_is(site: Site) {
        let store = site.open().await;
        let organisation = store.create_organisation("Clinic", None, &by()).await.unwrap().id;
        let person = store.create_person(&card(), &by()).await.unwrap().id;
        let who = Remover { person, organisation, reach: None, session: None };
        store.add_binding(person, (None, None), &subject("one"), &by()).await.unwrap();
        let one = store.bindings_of(person).await.unwrap().remove(0).id;
        assert!(!store.remove_binding(&one, who, &by()).await.unwrap(), "it is the last");
        store.add_passkey(person, (Some(organisation), None), &passkey(1), &by()).await.unwrap();
        let key = store.passkeys_of(person).await.unwrap().remove(0).id;
        let limited = Remover { reach: Some(organisation), ..who };
        assert!(!store.remove_binding(&one, limited, &by()).await.unwrap(), "not with what is limited");
        let other = Remover { person: PersonId::from_bytes([9; 16]), ..who };
        assert!(!store.remove_binding(&one, other, &by()).await.unwrap(), "somebody else's");
        assert!(!store.remove_binding(&key, who, &by()).await.unwrap(), "a passkey is no binding");
        assert!(store.remove_passkey(&key, who, &by()).await.unwrap(), "the binding is left");
        store.add_passkey(person, (None, None), &passkey(1), &by()).await.unwrap();
        assert!(store.remove_binding(&one, who, &by()).await.unwrap());
        assert_eq!(store.binding_with(&subject("one")).await.unwrap(), None);
        let key = store.passkeys_of(person).await.unwrap().remove(0).id;
        assert!(!store.remove_passkey(&key, who, &by()).await.unwrap(), "it is the last");
        let log = store.events(0, 1_000).await.unwrap();
        let log: Vec<_> = log.iter().map(|bytes| Event::decode(bytes).unwrap()).collect();
        let of = |action: Action| log.iter().filter(|event| event.action == action && event.record.is_some()).count();
        assert_eq!((of(Action::CredentialAdd { person }), of(Action::CredentialRemove { person })), (3, 2));
    }

    async fn a_recovery_cuts_a_binding_in_its_own_organisation_alone(site: Site) {
        let store = site.open().await;
        let now = by().seconds();
        let person = store.create_person(&card(), &by()).await.unwrap().id;
        let (mut clinics, mut roles) = (Vec::new(), Vec::new());
        for name in ["Clinic A", "Clinic B"] {
            let organisation = store.create_organisation(name, None, &by()).await.unwrap().id;
            let kind = RoleKind::Doctor;
            let role = NewRole { person, organisation, kind, starts_at: 0, ends_at: None, department: None };
            roles.push(store.give_role(&role, &by()).await.unwrap());
            clinics.push(organisation);
        }
        let (a, b) = (clinics[0], clinics[1]);
        let lost = subject("lost");
        assert!(store.add_binding(person, (None, None), &lost, &by()).await.unwrap());
        let id = store.bindings_of(person).await.unwrap().remove(0).id;
        let enter = async |credential: &str, role: usize, token: u8| {
            let new =
                NewSession { token_hash: [token; 32], role: roles[role], credential: credential.into(), ends_at: now + 100 };
            store.begin_session(&new, now, &by()).await.unwrap().is_some()
        };
        let reach = async |token: u8| store.session_with(&[token; 32]).await.unwrap().map(|session| session.reach);
        let session = async |token: u8| store.session_with(&[token; 32]).await.unwrap().unwrap().id;
        let opened = async |credential: &str| -> Vec<_> {
            store.roles_opened_by(credential, person).await.unwrap().iter().map(|role| role.organisation).collect()
        };
        assert!(enter(&id, 0, 1).await && enter(&id, 1, 2).await && reach(1).await == Some(None));
        let recovery = Enrolment::Recovery { person, offered_by: None };
        store.offer(([9; 32], now + 100), Some(a), &recovery, &by()).await.unwrap();
        let found = store.enrolment_with(&[9; 32], now).await.unwrap().unwrap();
        let new = NewCredential::Passkey(passkey(2));
        store.enrol(&found, &Entrant::Known { person }, Some(&new), &by()).await.unwrap().unwrap();
        assert_eq!((reach(1).await, reach(2).await), (None, Some(Some(b))), "over there, and limited to the other clinic here");
        assert_eq!(store.bindings_of(person).await.unwrap()[0].stopped, [a]);
        assert!(!enter(&id, 0, 3).await && enter(&id, 1, 4).await && reach(4).await == Some(Some(b)));
        assert_eq!(opened(&id).await, [b]);
        let by_b = By { actor: Actor::Staff { person, role: roles[1], organisation: b }, ..by() };
        let there = session(4).await;
        let other = subject("other");
        assert!(
            !store.add_binding(person, (None, Some(&there)), &other, &by_b).await.unwrap(),
            "begun before, when it was good for all"
        );
        assert!(!store.add_binding(person, (Some(b), Some(&there)), &lost, &by_b).await.unwrap(), "it is not stopped there");
        assert_eq!(opened(&id).await, [b], "nothing that it does there comes back");
        // Who came in with something else does not have it back by themselves, also not by removing it first.
        let by_a = By { actor: Actor::Staff { person, role: roles[0], organisation: a }, ..by() };
        assert!(enter(&store.passkeys_of(person).await.unwrap()[0].id, 0, 5).await);
        let here = session(5).await;
        assert!(!store.add_binding(person, (Some(a), Some(&here)), &lost, &by_a).await.unwrap());
        let who = Remover { person, organisation: b, reach: None, session: None };
        assert!(store.add_passkey(person, (Some(b), Some(&there)), &passkey(3), &by_b).await.unwrap());
        assert!(store.remove_binding(&id, who, &by_b).await.unwrap());
        assert!(!store.add_binding(person, (Some(a), Some(&here)), &lost, &by_a).await.unwrap(), "it was stopped there");
        assert!(
            !store.add_binding(person, (Some(b), Some(&there)), &other, &by_b).await.unwrap(),
            "what it opened there is over"
        );
        assert!(enter(&store.passkey_with(&[3; 20]).await.unwrap().unwrap().id, 1, 6).await);
        let there = session(6).await;
        assert!(store.add_binding(person, (Some(b), Some(&there)), &lost, &by_b).await.unwrap(), "and not there");
        let id = store.binding_with(&lost).await.unwrap().unwrap().id;
        assert!(store.remove_binding(&id, who, &by_b).await.unwrap());
        // Where one of the other clinic is good for all that the person is, it goes on being stopped here.
        assert!(store.add_binding(person, (None, None), &lost, &by()).await.unwrap());
        let id = store.binding_with(&lost).await.unwrap().unwrap().id;
        assert_eq!(opened(&id).await, [b]);
        // The other clinic's administrator brings it back there alone, this one's here too.
        let recover = async |of, token: u8| {
            store.offer(([token; 32], now + 100), Some(of), &recovery, &by()).await.unwrap();
            let found = store.enrolment_with(&[token; 32], now).await.unwrap().unwrap();
            let new = NewCredential::Subject(lost.clone());
            store.enrol(&found, &Entrant::Known { person }, Some(&new), &by()).await.unwrap()
        };
        assert_eq!(recover(b, 10).await, Some(person));
        let id = store.binding_with(&lost).await.unwrap().unwrap().id;
        assert_eq!(opened(&id).await, [b]);
        store.stop_credential(&id, person, b, &by()).await.unwrap();
        assert_eq!(recover(a, 11).await, Some(person));
        let id = store.binding_with(&lost).await.unwrap().unwrap().id;
        assert_eq!((opened(&id).await, store.bindings_of(person).await.unwrap()[0].reach), (vec![a], Some(a)));
        assert!(!store.add_binding(person, (None, None), &lost, &by()).await.unwrap(), "they have it");
        assert!(store.stop_credential(&id, person, a, &by()).await.unwrap());
        assert!(!store.add_passkey(person, (Some(a), None), &passkey(2), &by()).await.unwrap(), "a passkey that was stopped");
        let new = NewCredential::Subject(lost.clone());
        store.offer(([12; 32], now + 100), None, &recovery, &by()).await.unwrap();
        let found = store.enrolment_with(&[12; 32], now).await.unwrap().unwrap();
        store.enrol(&found, &Entrant::Known { person }, Some(&new), &by()).await.unwrap().unwrap();
        let id = store.binding_with(&lost).await.unwrap().unwrap().id;
        assert_eq!(opened(&id).await.len(), 2, "the console lets in everywhere");
        // An administrator stops it by its name; where nothing is left for it, it is gone.
        assert!(store.stop_credential(&id, person, a, &by()).await.unwrap() && opened(&id).await == [b]);
        assert!(store.stop_credential(&id, person, b, &by()).await.unwrap());
        assert_eq!((store.binding_with(&lost).await.unwrap(), reach(4).await), (None, None));
    }

    async fn an_invitation_and_a_recovery_bind_once_and_a_taken_subject_uses_none_up(site: Site) {
        let store = site.open().await;
        let now = by().seconds();
        let organisation = store.create_organisation("Clinic", None, &by()).await.unwrap().id;
        let invitation =
            Enrolment::Invitation { card: card(), kind: "doctor".into(), starts_at: None, ends_at: None, department: None };
        store.offer(([1; 32], now + 100), Some(organisation), &invitation, &by()).await.unwrap();
        let offered = store.enrolment_with(&[1; 32], now).await.unwrap().unwrap();
        let person = StoredPerson { id: PersonId::from_bytes([2; 16]), card: card() };
        let (taken, mine) = (subject("taken"), subject("mine"));
        let other = store.create_person(&card(), &by()).await.unwrap().id;
        store.add_binding(other, (None, None), &taken, &by()).await.unwrap();
        let new = Entrant::New { person: person.clone() };
        let come = async |subject: &Subject, entrant: &Entrant, offered| {
            store.enrol(offered, entrant, Some(&NewCredential::Subject(subject.clone())), &by()).await.unwrap()
        };
        assert_eq!(come(&taken, &new, &offered).await, None);
        assert!(store.roles_of(person.id).await.unwrap().is_empty(), "nothing of it was kept");
        assert_eq!(come(&mine, &new, &offered).await, Some(person.id), "it was not used up");
        assert_eq!(come(&subject("third"), &new, &offered).await, None, "now it is");
        let found = store.binding_with(&mine).await.unwrap().unwrap();
        assert_eq!((found.person, found.reach), (person.id, None));
        let recovery = Enrolment::Recovery { person: person.id, offered_by: None };
        store.offer(([3; 32], now + 100), Some(organisation), &recovery, &by()).await.unwrap();
        let offered = store.enrolment_with(&[3; 32], now).await.unwrap().unwrap();
        let known = Entrant::Known { person: person.id };
        assert_eq!(come(&subject("new"), &known, &offered).await, Some(person.id));
        let found = store.binding_with(&subject("new")).await.unwrap().unwrap();
        assert_eq!((found.person, found.reach), (person.id, Some(organisation)), "good for its organisation alone");
    }

    on_both! {
        a_subject_of_one_issuer_is_one_persons_and_shows_nowhere,
        the_last_way_in_stays_whichever_it_is,
        a_recovery_cuts_a_binding_in_its_own_organisation_alone,
        an_invitation_and_a_recovery_bind_once_and_a_taken_subject_uses_none_up,
    }
}
