//! Where a passkey or a binding is good no more. Either is a person's, whose roles may be in several organisations; an administrator stops it
//! in their own. In the others it goes on, but for that one organisation at a time: nothing that it does there comes back here. One that is good
//! nowhere any more is removed.

use std::collections::HashMap;

use super::act::Act;
use super::keys::Change;
use super::{By, Place, Store, StoreError, StoredBinding, StoredPasskey, StoredRole};
use crate::audit::{Action, Actor, Event, OrganisationId, PersonId, RecordId, RoleId};

/// Passkeys and bindings alike, as a table of a query. `subject` is a hash of what is shown at a sign-in.
pub(super) const CREDENTIALS: &str = "(SELECT id, person, reach, credential AS subject FROM passkeys \
    UNION ALL SELECT id, person, reach, subject FROM openid_bindings)";

/// By whose act a passkey or a binding is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LetIn {
    /// Its person's own, who is signed in.
    Themselves,
    /// An administrator's of this organisation.
    Administrator(OrganisationId),
    /// That of who has the whole machine.
    Console,
}

/// Whether what reaches so far, and was stopped there, opens sessions of roles in this organisation.
fn is_good_for(reach: Option<OrganisationId>, stopped: &[OrganisationId], organisation: OrganisationId) -> bool {
    reach.is_none_or(|reach| reach == organisation) && !stopped.contains(&organisation)
}

impl StoredPasskey {
    /// Whether it opens sessions of roles in this organisation.
    #[must_use]
    pub fn is_good_for(&self, organisation: OrganisationId) -> bool {
        is_good_for(self.reach, &self.stopped, organisation)
    }
}

impl StoredBinding {
    /// Whether it opens sessions of roles in this organisation.
    #[must_use]
    pub fn is_good_for(&self, organisation: OrganisationId) -> bool {
        is_good_for(self.reach, &self.stopped, organisation)
    }
}

/// Who removes a passkey or a binding of their own.
#[derive(Debug, Clone, Copy)]
pub struct Remover<'a> {
    /// Whose it is.
    pub person: PersonId,
    /// Where they are signed in.
    pub organisation: OrganisationId,
    /// The one organisation that they came in for, where it is not all of theirs.
    pub reach: Option<OrganisationId>,
    /// Their session, which goes on.
    pub session: Option<&'a str>,
}

impl Act {
    /// Lets whoever else changes credentials or sessions of this person wait until this act is over.
    pub(super) async fn hold_person(&mut self, person: PersonId) -> Result<(), StoreError> {
        let hold = sqlx::query("UPDATE people SET document = document WHERE id = $1").bind(person.to_string());
        self.execute(hold).await.map(drop)
    }

    /// Whether somebody who adds a credential that reaches so far is still signed in so far in that session: it may have been limited, or
    /// ended, since they were asked. The person is held.
    pub(super) async fn may_add(
        &mut self,
        (reach, session): (Option<OrganisationId>, Option<&str>),
        by: &By,
    ) -> Result<bool, StoreError> {
        let Actor::Staff { role, .. } = by.actor else { return Ok(true) };
        let reach = reach.map(|reach| reach.to_string()).unwrap_or_default();
        let open = "SELECT count(*) FROM sessions WHERE id = $1 AND role = $2 AND (reach IS NULL OR reach = $3)";
        let open = sqlx::query_as(open).bind(session.unwrap_or_default()).bind(role.to_string()).bind(reach);
        Ok(self.one::<(i64,)>(open).await? != Some((0,)))
    }

    /// For which one organisation, if not for all, a credential opens a session of this role now; nothing where it opens none.
    pub(super) async fn opens(&mut self, credential: &str, role: RoleId) -> Result<Option<Option<String>>, StoreError> {
        let person = self.person_of(role).await?;
        self.hold_person(person).await?;
        let query = format!(
            "SELECT credentials.reach, roles.organisation, \
            (SELECT count(*) FROM stopped_credentials WHERE credential = credentials.id), \
            (SELECT count(*) FROM stopped_credentials WHERE credential = credentials.id AND organisation = roles.organisation) \
            FROM {CREDENTIALS} AS credentials JOIN roles ON roles.person = credentials.person \
            WHERE credentials.id = $1 AND roles.id = $2 AND (credentials.reach IS NULL OR credentials.reach = roles.organisation)"
        );
        let query = sqlx::query_as(&query).bind(credential).bind(role.to_string());
        let found = self.one::<(Option<String>, String, i64, i64)>(query).await?;
        let good = found.filter(|(_, _, _, here)| *here == 0);
        Ok(good.map(|(reach, organisation, stopped, _)| if stopped > 0 { Some(organisation) } else { reach }))
    }

    /// Whether what has this subject may be entered for so far: not where it was stopped, nor by who is signed in there, unless an administrator
    /// of that organisation lets it in again.
    pub(super) async fn may_enter(
        &mut self,
        subject: &[u8],
        (reach, let_in): (Option<OrganisationId>, LetIn),
        by: &By,
    ) -> Result<bool, StoreError> {
        let here = match (let_in, by.actor) {
            (LetIn::Administrator(organisation), _) => Some(organisation),
            (LetIn::Themselves, Actor::Staff { organisation, .. }) => Some(organisation),
            _ => None,
        };
        let organisation = here.map(|here| here.to_string());
        let here = organisation.clone().unwrap_or_default();
        if let_in == LetIn::Themselves {
            let reach = reach.map(|reach| reach.to_string()).unwrap_or_default();
            let query = "SELECT count(*) FROM stopped_subjects WHERE subject = $1 AND organisation IN ($2, $3)";
            let query = sqlx::query_as(query).bind(subject.to_vec()).bind(here).bind(reach);
            return Ok(self.one::<(i64,)>(query).await? == Some((0,)));
        }
        self.ends(Change::LetIn { subject: subject.to_vec(), organisation });
        let again = "DELETE FROM stopped_subjects WHERE subject = $1 AND ($2 = '' OR organisation = $2)";
        self.execute(sqlx::query(again).bind(subject.to_vec()).bind(&here)).await?;
        let again = format!(
            "DELETE FROM stopped_credentials WHERE ($2 = '' OR organisation = $2) \
            AND credential IN (SELECT id FROM {CREDENTIALS} AS credentials WHERE subject = $1)"
        );
        self.execute(sqlx::query(&again).bind(subject.to_vec()).bind(here)).await.map(|_| true)
    }

    /// Stops what was entered with this subject where that was stopped before.
    pub(super) async fn stop_again(&mut self, subject: &[u8], id: &str) -> Result<(), StoreError> {
        let stop = "INSERT INTO stopped_credentials (credential, organisation) \
            SELECT $1, organisation FROM stopped_subjects WHERE subject = $2 ON CONFLICT DO NOTHING";
        self.execute(sqlx::query(stop).bind(id).bind(subject.to_vec())).await.map(drop)
    }

    /// Stops credentials of a person in an organisation, all or the named one, and removes those that are good nowhere any more; without an
    /// organisation all are removed. The events of it.
    pub(super) async fn stop_credentials(
        &mut self,
        (person, of): (PersonId, Option<OrganisationId>),
        only: Option<&str>,
        by: &By,
    ) -> Result<Vec<Event>, StoreError> {
        let (whose, here) = (person.to_string(), of.map(|of| of.to_string()));
        let query =
            format!("SELECT id, reach, subject FROM {CREDENTIALS} AS credentials WHERE person = $1 AND ($2 = '' OR id = $2)");
        let query = sqlx::query_as(&query).bind(&whose).bind(only.unwrap_or_default());
        let mut events = Vec::new();
        for (id, reach, subject) in self.all::<(String, Option<String>, Vec<u8>)>(query).await? {
            let changed = match (&here, reach) {
                (Some(here), Some(reach)) if *here != reach => false,
                (Some(here), None) if self.is_good_elsewhere((&id, &whose), here, by.seconds()).await? => {
                    let insert =
                        "INSERT INTO stopped_credentials (credential, organisation) VALUES ($1, $2) ON CONFLICT DO NOTHING";
                    self.execute(sqlx::query(insert).bind(&id).bind(here)).await? > 0
                }
                _ => self.delete_credential(&id, by.seconds()).await?,
            };
            if changed {
                // It stays stopped when it is removed and comes again.
                let places = "SELECT DISTINCT organisation FROM roles WHERE person = $1 AND ($2 = '' OR organisation = $2)";
                let places = sqlx::query_as(places).bind(&whose).bind(here.clone().unwrap_or_default());
                for (organisation,) in self.all::<(String,)>(places).await? {
                    self.stop_subject(subject.clone(), organisation).await?;
                }
                let event = by.did_in_general(Action::CredentialRemove { person });
                events.push(Event { record: RecordId::try_from(id).ok(), ..event });
            }
        }
        Ok(events)
    }

    /// Stops what has this subject in an organisation, whether it is there or not.
    pub(super) async fn stop_subject(&mut self, subject: Vec<u8>, organisation: String) -> Result<(), StoreError> {
        let stop = "INSERT INTO stopped_subjects (subject, organisation) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        self.execute(sqlx::query(stop).bind(subject.clone()).bind(&organisation)).await?;
        self.ends(Change::Stopped { subject, organisation });
        Ok(())
    }

    /// Deletes a passkey or a binding; false where there is none.
    pub(super) async fn delete_credential(&mut self, id: &str, at: i64) -> Result<bool, StoreError> {
        self.execute(sqlx::query("DELETE FROM stopped_credentials WHERE credential = $1").bind(id)).await?;
        let passkeys = self.execute(sqlx::query("DELETE FROM passkeys WHERE id = $1").bind(id)).await?;
        let bindings = self.execute(sqlx::query("DELETE FROM openid_bindings WHERE id = $1").bind(id)).await?;
        if passkeys + bindings > 0 {
            self.ends(Change::Ends { id: id.to_owned(), at });
        }
        Ok(passkeys + bindings > 0)
    }

    /// Whether a credential that is good for all is good for a role of its person in another organisation, now or later.
    async fn is_good_elsewhere(&mut self, (id, person): (&str, &str), here: &str, at: i64) -> Result<bool, StoreError> {
        let query = "SELECT count(*) FROM roles WHERE person = $1 AND organisation <> $2 AND (ends_at IS NULL OR ends_at > $3) \
            AND organisation NOT IN (SELECT organisation FROM stopped_credentials WHERE credential = $4)";
        let query = sqlx::query_as(query).bind(person).bind(here).bind(at).bind(id);
        Ok(self.one::<(i64,)>(query).await?.is_some_and(|(count,)| count > 0))
    }

    /// Ends the sessions of a person in an organisation, all or those that were begun with one credential or it is not known with which.
    /// Those in other organisations go on, for those alone. Without an organisation all end.
    pub(super) async fn cut_sessions(
        &mut self,
        (person, of): (PersonId, Option<OrganisationId>),
        credential: Option<&str>,
    ) -> Result<(), StoreError> {
        let (person, of) = (person.to_string(), of.map(|of| of.to_string()).unwrap_or_default());
        let end = "DELETE FROM sessions WHERE role IN (SELECT id FROM roles WHERE person = $1 AND ($2 = '' OR organisation = $2)) \
            AND ($3 = '' OR credential = $3 OR credential IS NULL)";
        self.execute(sqlx::query(end).bind(&person).bind(&of).bind(credential.unwrap_or_default())).await?;
        // One that was removed and not only stopped opened nothing that is left.
        let end = format!(
            "DELETE FROM sessions WHERE role IN (SELECT id FROM roles WHERE person = $1) AND credential IS NOT NULL \
            AND credential NOT IN (SELECT id FROM {CREDENTIALS} AS credentials)"
        );
        self.execute(sqlx::query(&end).bind(&person)).await?;
        let limit = "UPDATE sessions SET reach = (SELECT organisation FROM roles WHERE roles.id = sessions.role) \
            WHERE role IN (SELECT id FROM roles WHERE person = $1)";
        self.execute(sqlx::query(limit).bind(&person)).await.map(drop)
    }
}

impl Store {
    /// Where each credential of a person was stopped.
    pub(super) async fn stopped_credentials(&self, person: PersonId) -> Result<HashMap<String, Vec<OrganisationId>>, StoreError> {
        let query = format!(
            "SELECT stopped_credentials.credential, stopped_credentials.organisation FROM stopped_credentials \
            JOIN {CREDENTIALS} AS credentials ON credentials.id = stopped_credentials.credential WHERE credentials.person = $1"
        );
        let rows = self.reader().all::<(String, String)>(sqlx::query_as(&query).bind(person.to_string())).await;
        let mut stopped: HashMap<String, Vec<OrganisationId>> = HashMap::new();
        for (credential, organisation) in rows.map_err(StoreError::database("read where credentials were stopped"))? {
            let damaged = |_| Place::row("stopped_credentials", "", credential.clone()).damaged();
            let organisation = OrganisationId::try_from(organisation).map_err(damaged)?;
            stopped.entry(credential).or_default().push(organisation);
        }
        Ok(stopped)
    }

    /// The roles of a person that a credential of theirs opens as it is now, those that are over or have not begun too.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], and when they cannot be read.
    pub async fn roles_opened_by(&self, credential: &str, person: PersonId) -> Result<Vec<StoredRole>, StoreError> {
        let query = format!(
            "SELECT roles.id FROM {CREDENTIALS} AS credentials JOIN roles ON roles.person = credentials.person \
            WHERE credentials.id = $1 AND roles.person = $2 AND (credentials.reach IS NULL OR credentials.reach = roles.organisation) \
            AND roles.organisation NOT IN (SELECT organisation FROM stopped_credentials WHERE credential = $1)"
        );
        let rows = self.reader().all::<(String,)>(sqlx::query_as(&query).bind(credential).bind(person.to_string())).await;
        let opened = rows.map_err(StoreError::database("read what a credential opens"))?;
        let mut roles = self.roles_of(person).await?;
        roles.retain(|role| opened.iter().any(|(id,)| *id == role.id.to_string()));
        Ok(roles)
    }

    /// Stops a lost passkey or binding of a person in this organisation, and ends the sessions that it opened there; false where there is none.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn stop_credential(&self, id: &str, person: PersonId, of: OrganisationId, by: &By) -> Result<bool, StoreError> {
        let mut act = self.begin("stop a credential").await?;
        act.hold_person(person).await?;
        let events = if id.is_empty() { Vec::new() } else { act.stop_credentials((person, Some(of)), Some(id), by).await? };
        if events.is_empty() {
            return act.abandon().await.map(|()| false);
        }
        act.cut_sessions((person, Some(of)), Some(id)).await?;
        act.commit_all(events, by).await.map(|_| true)
    }

    /// Removes a passkey of a person and ends the sessions that it opened, unless nothing else is left that is good where they are signed in;
    /// false where it is not, or there is none. Who came in for one organisation removes none that is good for others.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn remove_passkey(&self, id: &str, who: Remover<'_>, by: &By) -> Result<bool, StoreError> {
        self.remove_credential("passkeys", id, who, by).await
    }

    /// Removes a binding of a person, as [`Self::remove_passkey`] does a passkey.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn remove_binding(&self, id: &str, who: Remover<'_>, by: &By) -> Result<bool, StoreError> {
        self.remove_credential("openid_bindings", id, who, by).await
    }

    async fn remove_credential(&self, table: &str, id: &str, who: Remover<'_>, by: &By) -> Result<bool, StoreError> {
        let Remover { person, organisation, reach, session } = who;
        let query = format!(
            "SELECT count(*) FROM {table} WHERE id = $1 AND person = $2 AND ($3 = '' OR reach = $3) AND EXISTS \
            (SELECT 1 FROM {CREDENTIALS} AS others WHERE others.person = $2 AND others.id <> $1 \
                AND (others.reach IS NULL OR others.reach = $4) \
                AND NOT EXISTS (SELECT 1 FROM stopped_credentials WHERE credential = others.id AND organisation = $4))"
        );
        let query = sqlx::query_as(&query).bind(id).bind(person.to_string());
        let query = query.bind(reach.map(|reach| reach.to_string()).unwrap_or_default()).bind(organisation.to_string());
        let mut act = self.begin("remove what lets somebody in").await?;
        // Of two that are removed at once one stays.
        act.hold_person(person).await?;
        if act.one::<(i64,)>(query).await? != Some((1,)) {
            return act.abandon().await.map(|()| false);
        }
        act.delete_credential(id, by.seconds()).await?;
        let end =
            sqlx::query("DELETE FROM sessions WHERE credential = $1 AND id <> $2").bind(id).bind(session.unwrap_or_default());
        act.execute(end).await?;
        let event = by.did_in_general(Action::CredentialRemove { person });
        act.commit(&Event { record: RecordId::try_from(id.to_owned()).ok(), ..event }).await.map(|_| true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Site, by, on_both};
    use super::super::{Card, Enrolment, Entrant, NewCredential, NewPasskey, NewRole, NewSession};
    use super::*;
    use crate::identity::RoleKind;

    fn passkey(credential: u8) -> NewPasskey {
        NewPasskey { credential: vec![credential; 20], label: "phone".into(), key: "{}".into() }
    }

    /// A doctor with a role in each of two clinics and one passkey for both.
    struct Doctor {
        store: Store,
        person: PersonId,
        clinics: [OrganisationId; 2],
        roles: [RoleId; 2],
    }

    impl Doctor {
        async fn new(site: &Site) -> Self {
            let store = site.open().await;
            let card = Card { name: "Dr Chan".into(), phone: None, email: None };
            let person = store.create_person(&card, &by()).await.unwrap().id;
            let (mut clinics, mut roles) = (Vec::new(), Vec::new());
            for name in ["Clinic A", "Clinic B"] {
                let organisation = store.create_organisation(name, None, &by()).await.unwrap().id;
                let kind = RoleKind::Doctor;
                let new = NewRole { person, organisation, kind, starts_at: 0, ends_at: None, department: None };
                roles.push(store.give_role(&new, &by()).await.unwrap());
                clinics.push(organisation);
            }
            assert!(store.add_passkey(person, (None, None), &passkey(1), &by()).await.unwrap());
            Self { store, person, clinics: clinics.try_into().unwrap(), roles: roles.try_into().unwrap() }
        }

        /// The passkey's id.
        async fn id(&self, credential: u8) -> String {
            self.store.passkey_with(&[credential; 20]).await.unwrap().unwrap().id
        }

        /// A session of a role with a credential of this id: its token, if it begins.
        async fn enter(&self, role: usize, credential: &str, token: u8) -> bool {
            let at = by().seconds();
            let new = NewSession {
                token_hash: [token; 32],
                role: self.roles[role],
                credential: credential.to_owned(),
                ends_at: at + 100,
            };
            self.store.begin_session(&new, at, &by()).await.unwrap().is_some()
        }

        /// How far an open session reaches.
        async fn reach(&self, token: u8) -> Option<Option<OrganisationId>> {
            self.store.session_with(&[token; 32]).await.unwrap().map(|session| session.reach)
        }

        /// Lets the doctor in again with another passkey, by the clinic's administrator or the console.
        async fn recover(&self, of: Option<OrganisationId>, credential: u8) {
            let recovery = Enrolment::Recovery { person: self.person, offered_by: None };
            let now = by().seconds();
            for token in [credential, credential + 100] {
                self.store.offer(([token; 32], now + 100), of, &recovery, &by()).await.unwrap();
            }
            let found = self.store.enrolment_with(&[credential; 32], now).await.unwrap().unwrap();
            let known = Entrant::Known { person: self.person };
            self.store.enrol(&found, &known, Some(&NewCredential::Passkey(passkey(credential))), &by()).await.unwrap().unwrap();
            assert!(
                self.store.enrolment_with(&[credential + 100; 32], now).await.unwrap().is_none(),
                "another token for the same"
            );
        }
    }

    async fn a_recovery_cuts_the_lost_passkey_in_its_own_organisation_alone(site: Site) {
        let doctor = Doctor::new(&site).await;
        let ([a, b], lost) = (doctor.clinics, doctor.id(1).await);
        assert!(doctor.enter(0, &lost, 1).await && doctor.enter(1, &lost, 2).await);
        assert_eq!((doctor.reach(1).await, doctor.reach(2).await), (Some(None), Some(None)));
        doctor.recover(Some(a), 5).await;
        assert_eq!(doctor.reach(1).await, None, "what it opened there is over");
        assert_eq!(doctor.reach(2).await, Some(Some(b)), "the other clinic's session goes on, for that clinic alone");
        let removed = Action::CredentialRemove { person: doctor.person };
        let log = doctor.store.events(0, 1_000).await.unwrap();
        let log: Vec<_> = log.iter().map(|bytes| Event::decode(bytes).unwrap()).filter(|event| event.action == removed).collect();
        assert_eq!(log.iter().map(|event| event.record.unwrap().to_string()).collect::<Vec<_>>(), std::slice::from_ref(&lost));
        assert!(!doctor.enter(0, &lost, 3).await, "it opens nothing there any more");
        assert!(doctor.enter(1, &lost, 4).await, "nobody is locked out of the other clinic");
        assert_eq!(doctor.reach(4).await, Some(Some(b)), "and comes back from there with nothing");
        // A passkey that was begun to be registered before, in a session that was good for all.
        let by_b = By { actor: Actor::Staff { person: doctor.person, role: doctor.roles[1], organisation: b }, ..by() };
        let session = doctor.store.session_with(&[2; 32]).await.unwrap().unwrap().id;
        let (whole, limited) = ((None, Some(session.as_str())), (Some(b), Some(session.as_str())));
        assert!(!doctor.store.add_passkey(doctor.person, whole, &passkey(7), &by_b).await.unwrap());
        assert!(doctor.store.add_passkey(doctor.person, limited, &passkey(8), &by_b).await.unwrap());
        doctor.store.end_session(&session, &by()).await.unwrap();
        assert!(!doctor.store.add_passkey(doctor.person, limited, &passkey(9), &by_b).await.unwrap(), "it was ended meanwhile");
        let new = doctor.id(5).await;
        assert!(doctor.enter(0, &new, 5).await && !doctor.enter(1, &new, 6).await, "the administrator got into the other clinic");
        // When the other clinic stops it too, it is gone.
        assert!(!doctor.store.stop_credential(&new, doctor.person, b, &by()).await.unwrap(), "it is none of theirs");
        assert!(doctor.store.stop_credential(&lost, doctor.person, b, &by()).await.unwrap());
        assert!(doctor.store.passkey_with(&[1; 20]).await.unwrap().is_none());
        assert_eq!((doctor.reach(2).await, doctor.reach(4).await, doctor.reach(5).await), (None, None, Some(Some(a))));
    }

    async fn the_console_cuts_everything_and_a_named_passkey_is_stopped_alone(site: Site) {
        let doctor = Doctor::new(&site).await;
        let [a, _] = doctor.clinics;
        doctor.store.add_passkey(doctor.person, (None, None), &passkey(2), &by()).await.unwrap();
        let (lost, kept) = (doctor.id(1).await, doctor.id(2).await);
        assert!(doctor.enter(0, &lost, 1).await && doctor.enter(0, &kept, 2).await);
        for id in ["", "nothing"] {
            assert!(!doctor.store.stop_credential(id, doctor.person, a, &by()).await.unwrap(), "{id}");
        }
        let other = PersonId::from_bytes([9; 16]);
        assert!(!doctor.store.stop_credential(&lost, other, a, &by()).await.unwrap(), "of somebody else");
        assert!(doctor.store.stop_credential(&lost, doctor.person, a, &by()).await.unwrap());
        assert!(!doctor.store.stop_credential(&lost, doctor.person, a, &by()).await.unwrap(), "once");
        assert_eq!((doctor.reach(1).await, doctor.reach(2).await), (None, Some(Some(a))));
        assert!(!doctor.enter(0, &lost, 3).await && doctor.enter(0, &kept, 4).await && doctor.enter(1, &lost, 5).await);
        doctor.recover(None, 6).await;
        let left: Vec<_> = doctor.store.passkeys_of(doctor.person).await.unwrap().into_iter().map(|one| one.id).collect();
        assert_eq!(left, [doctor.id(6).await]);
        for token in [2, 4, 5] {
            assert_eq!(doctor.reach(token).await, None, "{token}");
        }
        assert!(doctor.enter(0, &left[0], 7).await && doctor.enter(1, &left[0], 8).await);
        assert_eq!(doctor.reach(8).await, Some(None));
    }

    on_both! {
        a_recovery_cuts_the_lost_passkey_in_its_own_organisation_alone,
        the_console_cuts_everything_and_a_named_passkey_is_stopped_alone,
    }
}
