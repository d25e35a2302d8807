//! Changes of who works where: a role's department and end, and what is known of a person.

use super::keys::Change;
use super::people::card_place;
use super::{By, Card, RoleEnd, Store, StoreError};
use crate::audit::{Action, OrganisationId, PersonId, RoleId};

impl Store {
    /// Changes department and end, both as given, of a role that is not over at the time of `by`, and its start, where one is said; an end or
    /// a start that is over is now, and a role that has begun keeps its start unless it begins anew later. An organisation always has an
    /// administrator whose role has begun and has no end.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn change_role(
        &self,
        id: RoleId,
        of: OrganisationId,
        (department, starts_at, ends_at): (Option<&str>, Option<i64>, Option<i64>),
        by: &By,
    ) -> Result<RoleEnd, StoreError> {
        let now = by.seconds();
        // Nothing ends before now: what the role did until then it did.
        let ends_at = ends_at.map(|end| end.max(now));
        let mut act = self.begin("change a role").await?;
        act.hold_organisation(of).await?;
        let known = "SELECT starts_at FROM roles WHERE id = $1 AND organisation = $2 AND (ends_at IS NULL OR ends_at > $3)";
        let known = sqlx::query_as(known).bind(id.to_string()).bind(of.to_string()).bind(now);
        let Some((known,)) = act.one::<(i64,)>(known).await? else {
            return act.abandon().await.map(|()| RoleEnd::NotHeld);
        };
        let starts_at = match starts_at {
            None => known,
            Some(starts) if starts > now => starts,
            Some(_) => known.min(now),
        };
        let update = "UPDATE roles SET department = $1, starts_at = $2, ends_at = $3 WHERE id = $4";
        act.execute(sqlx::query(update).bind(department).bind(starts_at).bind(ends_at).bind(id.to_string())).await?;
        if !act.is_administered_for_good((of, id), now).await? {
            return act.abandon().await.map(|()| RoleEnd::LastAdministrator);
        }
        if starts_at > now || ends_at.is_some_and(|end| end <= now) {
            act.end_sessions_of(id).await?;
        }
        act.ends(match ends_at {
            Some(at) => Change::Ends { id: id.to_string(), at },
            None => Change::GoesOn { id: id.to_string() },
        });
        let person = act.person_of(id).await?;
        act.commit(&by.did_to(Action::RoleChange { person }, *id.bytes())).await.map(|_| RoleEnd::Ended)
    }

    /// Changes what is known of a person who has roles in this organisation alone; false where they have none here, or others elsewhere.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn change_card(&self, person: PersonId, of: OrganisationId, card: &Card, by: &By) -> Result<bool, StoreError> {
        let id = person.to_string();
        let sealed = card_place(&id).seal_json(self.root(), card)?;
        let update = "UPDATE people SET document = $1 WHERE id = $2 AND EXISTS (SELECT 1 FROM roles WHERE person = $2) \
            AND NOT EXISTS (SELECT 1 FROM roles WHERE person = $2 AND organisation <> $3)";
        let update = sqlx::query(update).bind(sealed).bind(&id).bind(of.to_string());
        let mut act = self.begin("change what is known of a person").await?;
        if act.execute(update).await? == 0 {
            return act.abandon().await.map(|()| false);
        }
        act.commit(&by.administered(*person.bytes())).await.map(|_| true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Site, by, on_both};
    use super::super::{Card, NewPasskey, NewRole, NewSession, RoleEnd};
    use crate::identity::RoleKind;

    async fn an_organisation_changes_its_own_people_alone(site: Site) {
        let store = site.open().await;
        let one = store.create_organisation("Peak Clinic", None, &by()).await.unwrap().id;
        let other = store.create_organisation("Harbour Hospital", None, &by()).await.unwrap().id;
        let card = |name: &str| Card { name: name.into(), phone: None, email: None };
        let person = store.create_person(&card("Dr Chan"), &by()).await.unwrap().id;
        let new = |organisation| NewRole {
            person,
            organisation,
            kind: RoleKind::Doctor,
            starts_at: 0,
            ends_at: None,
            department: None,
        };
        let role = store.give_role(&new(one), &by()).await.unwrap();
        let end = by().seconds() + 100;
        let changed = store.change_role(role, other, (Some("A&E"), None, None), &by()).await.unwrap();
        assert_eq!(changed, RoleEnd::NotHeld, "it is another organisation's");
        assert_eq!(store.change_role(role, one, (Some("A&E"), None, Some(end)), &by()).await.unwrap(), RoleEnd::Ended);
        assert!(!store.change_card(person, other, &card("Dr X"), &by()).await.unwrap());
        assert!(store.change_card(person, one, &card("Dr Chan Siu Ming"), &by()).await.unwrap());
        let found = store.role(role).await.unwrap().unwrap();
        assert_eq!((found.department.as_deref(), found.ends_at), (Some("A&E"), Some(end)));
        assert_eq!(found.person.card.name, "Dr Chan Siu Ming");
        store.give_role(&new(other), &by()).await.unwrap();
        assert!(!store.change_card(person, one, &card("Dr X"), &by()).await.unwrap(), "somebody else's colleague too");
        assert_eq!(store.end_role(role, one, by().seconds(), &by()).await.unwrap(), RoleEnd::Ended);
        let changed = store.change_role(role, one, (None, None, None), &by()).await.unwrap();
        assert_eq!(changed, RoleEnd::NotHeld, "what has ended is not begun again");
        let sole = NewRole { kind: RoleKind::Administrator, ..new(one) };
        let sole = store.give_role(&sole, &by()).await.unwrap();
        let changed = store.change_role(sole, one, (None, None, Some(end)), &by()).await.unwrap();
        assert_eq!(changed, RoleEnd::LastAdministrator, "nobody would administer it");
        let changed = store.change_role(sole, one, (None, Some(end), None), &by()).await.unwrap();
        assert_eq!(changed, RoleEnd::LastAdministrator, "nobody would until then");
        assert_eq!(store.change_role(sole, one, (Some("Office"), None, None), &by()).await.unwrap(), RoleEnd::Ended);

        // A role that begins later holds nothing and has no session; one that has begun keeps its start.
        let later = NewRole { starts_at: end, ..new(one) };
        let later = store.give_role(&later, &by()).await.unwrap();
        let held = async |role| store.role(role).await.unwrap().unwrap().is_held(by().seconds());
        assert!(!held(later).await);
        assert_eq!(store.change_role(later, one, (None, Some(1), None), &by()).await.unwrap(), RoleEnd::Ended);
        let starts = store.role(later).await.unwrap().unwrap().starts_at;
        assert!(held(later).await && starts > 1, "it begins now, and not before");
        assert_eq!(store.change_role(later, one, (None, Some(1), None), &by()).await.unwrap(), RoleEnd::Ended);
        assert_eq!(store.role(later).await.unwrap().unwrap().starts_at, starts);
        let passkey = NewPasskey { credential: vec![1; 20], label: "phone".into(), key: "{}".into() };
        store.add_passkey(person, (None, None), &passkey, &by()).await.unwrap();
        let credential = store.passkeys_of(person).await.unwrap().remove(0).id;
        let ends_at = by().seconds() + 100;
        let new = NewSession { token_hash: [1; 32], role: later, credential, ends_at };
        store.begin_session(&new, by().seconds(), &by()).await.unwrap().unwrap();
        assert_eq!(store.change_role(later, one, (None, Some(end), None), &by()).await.unwrap(), RoleEnd::Ended);
        assert!(!held(later).await && store.session_with(&[1; 32]).await.unwrap().is_none(), "its session goes on");
    }

    on_both! {
        an_organisation_changes_its_own_people_alone,
    }
}
