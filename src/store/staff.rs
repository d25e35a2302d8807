//! Changes of who works where: a role's department and end, and what is known of a person.

use super::people::card_place;
use super::{By, Card, RoleEnd, Store, StoreError};
use crate::audit::{Action, OrganisationId, PersonId, RoleId};

impl Store {
    /// Changes department and end, both as given, of a role that is still held at the time of `by`; an end that is over is now. An
    /// organisation always has an administrator whose role has no end.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn change_role(
        &self,
        id: RoleId,
        of: OrganisationId,
        (department, ends_at): (Option<&str>, Option<i64>),
        by: &By,
    ) -> Result<RoleEnd, StoreError> {
        // Nothing ends before now: what the role did until then it did.
        let ends_at = ends_at.map(|end| end.max(by.seconds()));
        let update = "UPDATE roles SET department = $1, ends_at = $2 WHERE id = $3 AND organisation = $4 \
            AND (ends_at IS NULL OR ends_at > $5)";
        let update = sqlx::query(update).bind(department).bind(ends_at).bind(id.to_string()).bind(of.to_string());
        let mut act = self.begin("change a role").await?;
        act.hold_organisation(of).await?;
        if act.execute(update.bind(by.seconds())).await? == 0 {
            return act.abandon().await.map(|()| RoleEnd::NotHeld);
        }
        if !act.is_administered_for_good(of, id).await? {
            return act.abandon().await.map(|()| RoleEnd::LastAdministrator);
        }
        if ends_at.is_some_and(|end| end <= by.seconds()) {
            act.end_sessions_of(id).await?;
        }
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
    use super::super::{Card, NewRole, RoleEnd};
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
        let changed = store.change_role(role, other, (Some("A&E"), None), &by()).await.unwrap();
        assert_eq!(changed, RoleEnd::NotHeld, "it is another organisation's");
        assert_eq!(store.change_role(role, one, (Some("A&E"), Some(end)), &by()).await.unwrap(), RoleEnd::Ended);
        assert!(!store.change_card(person, other, &card("Dr X"), &by()).await.unwrap());
        assert!(store.change_card(person, one, &card("Dr Chan Siu Ming"), &by()).await.unwrap());
        let found = store.role(role).await.unwrap().unwrap();
        assert_eq!((found.department.as_deref(), found.ends_at), (Some("A&E"), Some(end)));
        assert_eq!(found.person.card.name, "Dr Chan Siu Ming");
        store.give_role(&new(other), &by()).await.unwrap();
        assert!(!store.change_card(person, one, &card("Dr X"), &by()).await.unwrap(), "somebody else's colleague too");
        assert_eq!(store.end_role(role, one, by().seconds(), &by()).await.unwrap(), RoleEnd::Ended);
        let changed = store.change_role(role, one, (None, None), &by()).await.unwrap();
        assert_eq!(changed, RoleEnd::NotHeld, "what has ended is not begun again");
        let sole = NewRole { kind: RoleKind::Administrator, ..new(one) };
        let sole = store.give_role(&sole, &by()).await.unwrap();
        let changed = store.change_role(sole, one, (None, Some(end)), &by()).await.unwrap();
        assert_eq!(changed, RoleEnd::LastAdministrator, "nobody would administer it");
        assert_eq!(store.change_role(sole, one, (Some("Office"), None), &by()).await.unwrap(), RoleEnd::Ended);
    }

    on_both! {
        an_organisation_changes_its_own_people_alone,
    }
}
