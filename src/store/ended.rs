//! What a start does where rows came back from an older backup: passkeys, sign-ins at issuers, devices and roles that were stopped, removed,
//! revoked or ended since are so again. The key store knows of them (`keys/ended.rs`).

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use super::act::Act;
use super::keys::{Change, Ended};
use super::stopped::CREDENTIALS;
use super::{By, Place, Store, StoreError};
use crate::audit::{Action, Actor, DeviceId, Event, OrganisationId, Outcome, PersonId, RecordId, Refusal, RoleId};

/// A role: id, person, organisation, and when it ends.
type Role = (String, String, String, Option<i64>);

/// What the rows have that may have ended.
struct Rows {
    roles: Vec<Role>,
    /// Ids of passkeys and bindings, each with its person and what is shown at a sign-in.
    credentials: Vec<(String, String, Vec<u8>)>,
    /// Ids of devices.
    devices: Vec<(String,)>,
    /// What was stopped, and where.
    stopped: HashSet<(Vec<u8>, String)>,
}

fn damaged(table: &'static str, id: &str) -> StoreError {
    Place::row(table, "", id.to_owned()).damaged()
}

fn person(table: &'static str, id: &str, person: &str) -> Result<PersonId, StoreError> {
    PersonId::try_from(person.to_owned()).map_err(|_| damaged(table, id))
}

impl Rows {
    /// What the key store does not know yet: it was written by a program that did not note it, or the machine stopped.
    fn unknown_to(&self, ended: &Ended) -> Vec<Change> {
        let stopped = self.stopped.iter().filter(|one| !ended.stopped.contains(*one));
        let stopped = stopped
            .map(|(subject, organisation)| Change::Stopped { subject: subject.clone(), organisation: organisation.clone() });
        let roles = self.roles.iter().filter_map(|(id, _, _, ends_at)| ends_at.map(|at| (id, at)));
        let roles = roles.filter(|(id, at)| ended.ids.get(*id).is_none_or(|known| known > at));
        stopped.chain(roles.map(|(id, at)| Change::Ends { id: id.clone(), at })).collect()
    }
}

impl Store {
    /// How many passkeys, sign-ins at issuers, devices and roles were stopped, removed, revoked or ended again when this was opened: they had
    /// come back from an older backup.
    #[must_use]
    pub fn ended_again(&self) -> usize {
        self.shared.ended_again.load(Ordering::Relaxed)
    }

    async fn what_may_have_ended(&self) -> Result<Rows, StoreError> {
        let failed = || StoreError::database("look for what has ended");
        let roles = sqlx::query_as("SELECT id, person, organisation, ends_at FROM roles");
        let credentials = format!("SELECT id, person, subject FROM {CREDENTIALS} AS credentials");
        let stopped = sqlx::query_as("SELECT subject, organisation FROM stopped_subjects");
        Ok(Rows {
            roles: self.reader().all(roles).await.map_err(failed())?,
            credentials: self.reader().all(sqlx::query_as(&credentials)).await.map_err(failed())?,
            devices: self.reader().all(sqlx::query_as("SELECT id FROM devices")).await.map_err(failed())?,
            stopped: self.reader().all(stopped).await.map_err(failed())?.into_iter().collect(),
        })
    }

    /// Ends again what has ended, and is here again, with an event each. Says how much that was.
    pub(super) async fn end_again(&self) -> Result<usize, StoreError> {
        let (rows, ended) = (self.what_may_have_ended().await?, self.shared.keys.ended().await?);
        self.shared.keys.note(&rows.unknown_to(&ended)).await?;
        let by = By::now(Actor::System);
        let mut act = self.begin("end again what has ended").await?;
        let mut events = act.end_roles_again(&rows, &ended, &by).await?;
        events.extend(act.remove_again(&rows, &ended, &by).await?);
        let missing: Vec<_> = ended.stopped.into_iter().filter(|one| !rows.stopped.contains(one)).collect();
        let nothing = events.is_empty() && missing.is_empty();
        for (subject, organisation) in missing {
            events.extend(act.stop_subject_again(&rows, subject, organisation, &by).await?);
        }
        if nothing {
            return act.abandon().await.map(|()| 0);
        }
        let count = events.iter().filter(|event| event.outcome == Outcome::Done).count();
        if events.is_empty() {
            // Of nothing that is here, but it stays stopped when it comes.
            events.push(by.did_in_general(Action::Administer));
        } else if count > 0 {
            tracing::warn!(
                count,
                "passkeys, sign-ins, devices or roles that had ended were here again, as in an older backup; they ended again"
            );
        }
        act.commit_all(events, &by).await?;
        Ok(count)
    }
}

impl Act {
    /// Who would be an organisation's last administrator stays one: whoever followed them is not here any more. That is an event too.
    async fn end_roles_again(&mut self, rows: &Rows, ended: &Ended, by: &By) -> Result<Vec<Event>, StoreError> {
        let mut events = Vec::new();
        for (id, whose, of, ends_at) in &rows.roles {
            let Some(at) = ended.ids.get(id).filter(|at| ends_at.is_none_or(|ends| ends > **at)) else { continue };
            let role = RoleId::try_from(id.clone()).map_err(|_| damaged("roles", id))?;
            let organisation = OrganisationId::try_from(of.clone()).map_err(|_| damaged("roles", id))?;
            let end = "UPDATE roles SET ends_at = $1 WHERE id = $2";
            self.execute(sqlx::query(end).bind(*at).bind(id)).await?;
            if !self.is_administered_for_good((organisation, role), by.seconds()).await? {
                self.execute(sqlx::query(end).bind(*ends_at).bind(id)).await?;
                self.ends(Change::GoesOn { id: id.clone() });
                let event = by.did_to(Action::RoleChange { person: person("roles", id, whose)? }, *role.bytes());
                events.push(Event { outcome: Outcome::Refused { reason: Refusal::NotAllowed }, ..event });
                tracing::warn!("an administrator's role that had ended goes on, since nobody else administers the organisation");
                continue;
            }
            if *at <= by.seconds() {
                self.end_sessions_of(role).await?;
            }
            events.push(by.did_to(Action::RoleChange { person: person("roles", id, whose)? }, *role.bytes()));
        }
        Ok(events)
    }

    async fn remove_again(&mut self, rows: &Rows, ended: &Ended, by: &By) -> Result<Vec<Event>, StoreError> {
        let mut events = Vec::new();
        for (id, whose, _) in rows.credentials.iter().filter(|(id, ..)| ended.ids.contains_key(id)) {
            let at = by.seconds();
            self.delete_credential(id, at).await?;
            self.execute(sqlx::query("DELETE FROM sessions WHERE credential = $1").bind(id)).await?;
            let event = by.did_in_general(Action::CredentialRemove { person: person("credentials", id, whose)? });
            events.push(Event { record: RecordId::try_from(id.clone()).ok(), ..event });
        }
        for (id,) in rows.devices.iter().filter(|(id,)| ended.ids.contains_key(id)) {
            let device = DeviceId::try_from(id.clone()).map_err(|_| damaged("devices", id))?;
            self.execute(sqlx::query("DELETE FROM devices WHERE id = $1").bind(id)).await?;
            events.push(Event { device: Some(device), ..by.administered(*device.bytes()) });
        }
        Ok(events)
    }

    async fn stop_subject_again(
        &mut self,
        rows: &Rows,
        subject: Vec<u8>,
        organisation: String,
        by: &By,
    ) -> Result<Vec<Event>, StoreError> {
        let of = OrganisationId::try_from(organisation.clone()).map_err(|_| damaged("organisations", &organisation))?;
        let mut events = Vec::new();
        for (id, whose, _) in rows.credentials.iter().filter(|(_, _, theirs)| *theirs == subject) {
            let whose = (person("credentials", id, whose)?, Some(of));
            events.extend(self.stop_credentials(whose, Some(id), by).await?);
            self.cut_sessions(whose, Some(id)).await?;
        }
        self.stop_subject(subject, organisation).await?;
        Ok(events)
    }
}
