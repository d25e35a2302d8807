//! Sign-ins at issuers of OpenID Connect that people bound to themselves. Whom an issuer means is kept as a keyed hash: it may be a number of
//! the person's.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::act::Act;
use super::people::random;
use super::{By, Place, Store, StoreError};
use crate::audit::{OrganisationId, PersonId, RecordId};
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
    /// Binds a subject; false where somebody has it already.
    pub(super) async fn enter_binding(
        &mut self,
        store: &Store,
        (person, reach): (PersonId, Option<OrganisationId>),
        subject: &Subject,
        at: i64,
    ) -> Result<bool, StoreError> {
        let id = RecordId::from_bytes(random()?).to_string();
        let sealed = place(&id).seal_json(store.root(), &Kept { issuer: subject.issuer().to_owned() })?;
        let insert = "INSERT INTO openid_bindings (subject, id, person, reach, created_at, document) VALUES ($1, $2, $3, $4, $5, $6) \
            ON CONFLICT DO NOTHING";
        let insert = sqlx::query(insert).bind(store.subject_hash(subject)?).bind(id).bind(person.to_string());
        let insert = insert.bind(reach.map(|reach| reach.to_string())).bind(at).bind(sealed);
        Ok(self.execute(insert).await? > 0)
    }
}

impl Store {
    fn subject_hash(&self, subject: &Subject) -> Result<Vec<u8>, StoreError> {
        // An issuer is an address, which holds no line break: no two pairs have the same bytes.
        let both = format!("{}\n{}", subject.issuer(), subject.reveal());
        Ok(self.keyed(b"cantoscribe index of subjects 1\n", both.as_bytes())?.to_vec())
    }

    /// Binds a subject to a person; false where somebody has it already.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn add_binding(
        &self,
        person: PersonId,
        reach: Option<OrganisationId>,
        subject: &Subject,
        by: &By,
    ) -> Result<bool, StoreError> {
        let mut act = self.begin("bind a sign-in").await?;
        if !act.enter_binding(self, (person, reach), subject, by.seconds()).await? {
            return act.abandon().await.map(|()| false);
        }
        act.commit(&by.administered(*person.bytes())).await.map(|_| true)
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
        rows.into_iter().map(|row| self.binding(row)).collect()
    }

    /// The binding of this subject.
    ///
    /// # Errors
    /// As [`Self::bindings_of`].
    pub async fn binding_with(&self, subject: &Subject) -> Result<Option<StoredBinding>, StoreError> {
        let query = sqlx::query_as("SELECT id, person, reach, created_at, document FROM openid_bindings WHERE subject = $1");
        let row = self.reader().one::<Row>(query.bind(self.subject_hash(subject)?)).await;
        row.map_err(StoreError::database("read a binding"))?.map(|row| self.binding(row)).transpose()
    }

    fn binding(&self, row: Row) -> Result<StoredBinding, StoreError> {
        let Row { id, person, reach, created_at, document } = row;
        let place = place(&id);
        let Kept { issuer } = place.unseal_json(self.root(), &document)?;
        let person = PersonId::try_from(person).map_err(|_| place.damaged())?;
        let reach = reach.map(OrganisationId::try_from).transpose().map_err(|_| place.damaged())?;
        Ok(StoredBinding { id, person, reach, created_at, issuer })
    }

    /// Removes a binding of a person, unless nothing else of theirs lets them in; false where nothing does, or there is none. Who came in
    /// with what is good for one organisation removes nothing else.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn remove_binding(
        &self,
        id: &str,
        (person, reach): (PersonId, Option<OrganisationId>),
        by: &By,
    ) -> Result<bool, StoreError> {
        self.remove_way_in("openid_bindings", id, (person, reach), by).await
    }

    /// Removes a passkey or a binding, whose table this is.
    pub(super) async fn remove_way_in(
        &self,
        table: &'static str,
        id: &str,
        (person, reach): (PersonId, Option<OrganisationId>),
        by: &By,
    ) -> Result<bool, StoreError> {
        let delete = format!(
            "DELETE FROM {table} WHERE id = $1 AND person = $2 AND ($3 = '' OR reach = $3) \
            AND (SELECT count(*) FROM passkeys AS others WHERE others.person = $2) \
            + (SELECT count(*) FROM openid_bindings AS others WHERE others.person = $2) > 1"
        );
        let reach = reach.map(|reach| reach.to_string()).unwrap_or_default();
        let mut act = self.begin("remove what lets somebody in").await?;
        if act.execute(sqlx::query(&delete).bind(id).bind(person.to_string()).bind(reach)).await? == 0 {
            return act.abandon().await.map(|()| false);
        }
        act.commit(&by.administered(*person.bytes())).await.map(|_| true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Site, by, on_both};
    use super::super::{Card, Enrolment, Entrant, NewCredential, NewPasskey, StoredPerson};
    use super::*;

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
        assert!(store.add_binding(one, None, &subject("A123456(3)"), &by()).await.unwrap());
        assert!(!store.add_binding(other, None, &subject("A123456(3)"), &by()).await.unwrap(), "somebody has it");
        assert!(!store.add_binding(one, None, &subject("A123456(3)"), &by()).await.unwrap(), "they have it");
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
        assert!(store.add_binding(other, None, &subject("B"), &by()).await.unwrap(), "another subject");
    }

    async fn the_last_way_in_stays_whichever_it_is(site: Site) {
        let store = site.open().await;
        let organisation = store.create_organisation("Clinic", None, &by()).await.unwrap().id;
        let person = store.create_person(&card(), &by()).await.unwrap().id;
        store.add_binding(person, None, &subject("one"), &by()).await.unwrap();
        let one = store.bindings_of(person).await.unwrap().remove(0).id;
        assert!(!store.remove_binding(&one, (person, None), &by()).await.unwrap(), "it is the last");
        let passkey = NewPasskey { credential: vec![1; 20], label: "phone".into(), key: "{}".into() };
        store.add_passkey(person, Some(organisation), &passkey, &by()).await.unwrap();
        let key = store.passkeys_of(person).await.unwrap().remove(0).id;
        assert!(!store.remove_binding(&one, (person, Some(organisation)), &by()).await.unwrap(), "not with what is limited");
        assert!(!store.remove_binding(&one, (PersonId::from_bytes([9; 16]), None), &by()).await.unwrap(), "somebody else's");
        assert!(!store.remove_binding(&key, (person, None), &by()).await.unwrap(), "a passkey is no binding");
        assert!(store.remove_passkey(&key, (person, None), &by()).await.unwrap(), "the binding is left");
        store.add_passkey(person, None, &passkey, &by()).await.unwrap();
        assert!(store.remove_binding(&one, (person, None), &by()).await.unwrap());
        assert_eq!(store.binding_with(&subject("one")).await.unwrap(), None);
        let key = store.passkeys_of(person).await.unwrap().remove(0).id;
        assert!(!store.remove_passkey(&key, (person, None), &by()).await.unwrap(), "it is the last");
    }

    async fn an_invitation_and_a_recovery_bind_once_and_a_taken_subject_uses_none_up(site: Site) {
        let store = site.open().await;
        let now = by().seconds();
        let organisation = store.create_organisation("Clinic", None, &by()).await.unwrap().id;
        let invitation = Enrolment::Invitation { card: card(), kind: "doctor".into(), ends_at: None, department: None };
        store.offer(([1; 32], now + 100), Some(organisation), &invitation, &by()).await.unwrap();
        let offered = store.enrolment_with(&[1; 32], now).await.unwrap().unwrap();
        let person = StoredPerson { id: PersonId::from_bytes([2; 16]), card: card() };
        let (taken, mine) = (subject("taken"), subject("mine"));
        let other = store.create_person(&card(), &by()).await.unwrap().id;
        store.add_binding(other, None, &taken, &by()).await.unwrap();
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
        let recovery = Enrolment::Recovery { person: person.id };
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
        an_invitation_and_a_recovery_bind_once_and_a_taken_subject_uses_none_up,
    }
}
