//! Whose patients, visits and recordings are, and who treats them: what a decision about them is made from.

use super::people::TRIAL_ORGANISATION;
use super::{By, Store, StoreError};
use crate::audit::{Action, Actor, OrganisationId, RoleId};

/// Whose something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The roles that treat the patient, or, where there is none, the one that began the recording.
    pub treating: Vec<RoleId>,
}

/// How far a list reaches: never beyond one organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// The organisation.
    pub organisation: OrganisationId,
    /// Only whom this role treats, and what it began.
    pub role: Option<RoleId>,
}

impl Reach {
    /// All that the trial, or this machine without a server, has.
    pub const TRIAL: Self = Self { organisation: TRIAL_ORGANISATION, role: None };

    /// The two values of a query: the organisation, and a role or nothing.
    pub(super) fn values(&self) -> (String, String) {
        (self.organisation.to_string(), self.role.map(|role| role.to_string()).unwrap_or_default())
    }
}

/// What of `patients` is within a reach whose values are $1 and $2.
pub(super) const PATIENTS_IN_REACH: &str = "patients.organisation = $1 AND ($2 = '' OR EXISTS (SELECT 1 FROM patient_roles \
    JOIN patients AS same ON same.id = patient_roles.patient \
    WHERE patient_roles.role = $2 AND coalesce(same.stands_under, same.id) = coalesce(patients.stands_under, patients.id)))";

/// What of `recordings` is: those of its patients, and those of nobody that the role began.
pub(super) const RECORDINGS_IN_REACH: &str = "recordings.organisation = $1 AND ($2 = '' \
    OR (recordings.made_by = $2 AND NOT EXISTS (SELECT 1 FROM encounter_recordings WHERE encounter_recordings.recording = recordings.id)) \
    OR EXISTS (SELECT 1 FROM encounter_recordings JOIN encounters ON encounters.id = encounter_recordings.encounter \
        JOIN patients ON patients.id = encounters.patient \
        JOIN patients AS same ON coalesce(same.stands_under, same.id) = coalesce(patients.stands_under, patients.id) \
        JOIN patient_roles ON patient_roles.patient = same.id \
        WHERE encounter_recordings.recording = recordings.id AND patient_roles.role = $2))";

impl Store {
    /// Whose a patient is, if there is one of this id.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn owner_of_patient(&self, id: &str) -> Result<Option<Owner>, StoreError> {
        let treating = "SELECT DISTINCT role FROM patients JOIN patients AS same \
            ON coalesce(same.stands_under, same.id) = coalesce(patients.stands_under, patients.id) \
            JOIN patient_roles ON patient_roles.patient = same.id WHERE patients.id = $1";
        self.owner("SELECT organisation, '' FROM patients WHERE id = $1", treating, id).await
    }

    /// Whose a visit is: its patient's.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn owner_of_encounter(&self, id: &str) -> Result<Option<Owner>, StoreError> {
        let whose =
            "SELECT organisation, '' FROM encounters JOIN patients ON patients.id = encounters.patient WHERE encounters.id = $1";
        let treating = "SELECT DISTINCT role FROM encounters JOIN patients ON patients.id = encounters.patient JOIN patients AS same \
            ON coalesce(same.stands_under, same.id) = coalesce(patients.stands_under, patients.id) \
            JOIN patient_roles ON patient_roles.patient = same.id WHERE encounters.id = $1";
        self.owner(whose, treating, id).await
    }

    /// Whose a recording is: that of the patient whom it belongs to, or of the role that began it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn owner_of_recording(&self, id: &str) -> Result<Option<Owner>, StoreError> {
        let whose = "SELECT organisation, CASE WHEN EXISTS (SELECT 1 FROM encounter_recordings WHERE recording = recordings.id) \
            THEN '' ELSE made_by END FROM recordings WHERE id = $1 AND state <> 'erasing'";
        let treating = "SELECT DISTINCT role FROM encounter_recordings JOIN encounters \
            ON encounters.id = encounter_recordings.encounter JOIN patients ON patients.id = encounters.patient JOIN patients AS same \
            ON coalesce(same.stands_under, same.id) = coalesce(patients.stands_under, patients.id) \
            JOIN patient_roles ON patient_roles.patient = same.id WHERE encounter_recordings.recording = $1";
        self.owner(whose, treating, id).await
    }

    /// Two queries however it ends: what is not there takes as long as what is another's.
    async fn owner(&self, whose: &'static str, treating: &'static str, id: &str) -> Result<Option<Owner>, StoreError> {
        let failed = || StoreError::database("read whose something is");
        let found = self.reader().one::<(String, String)>(sqlx::query_as(whose).bind(id)).await.map_err(failed())?;
        let roles = self.reader().all::<(String,)>(sqlx::query_as(treating).bind(id)).await.map_err(failed())?;
        let Some((organisation, maker)) = found else { return Ok(None) };
        let damaged = |_| super::Place::row("owner", "", id.to_owned()).damaged();
        let organisation = OrganisationId::try_from(organisation).map_err(damaged)?;
        let named = roles.into_iter().map(|(role,)| role).chain(Some(maker).filter(|maker| !maker.is_empty()));
        let treating = named.map(|role| RoleId::try_from(role).map_err(damaged)).collect::<Result<_, _>>()?;
        Ok(Some(Owner { organisation, treating }))
    }

    /// Lets a role of the patient's organisation treat a patient; false where it does already, or is of another organisation.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn let_treat(&self, patient: &str, role: RoleId, by: &By) -> Result<bool, StoreError> {
        let insert = "INSERT INTO patient_roles (patient, role) SELECT patients.id, roles.id FROM patients \
            JOIN roles ON roles.organisation = patients.organisation WHERE patients.id = $1 AND roles.id = $2 \
            AND (roles.ends_at IS NULL OR roles.ends_at > $3) AND roles.kind IN ('doctor', 'nurse') ON CONFLICT DO NOTHING";
        let event = by.did_for(Action::Register, self.pseudonym(patient)?);
        let mut act = self.begin("let a role treat a patient").await?;
        if act.execute(sqlx::query(insert).bind(patient).bind(role.to_string()).bind(by.seconds())).await? == 0 {
            return act.abandon().await.map(|()| false);
        }
        act.commit(&event).await.map(|_| true)
    }
}

/// The role that treats a patient whom it takes in.
pub(super) fn treats(actor: Actor) -> Option<RoleId> {
    match actor {
        Actor::Staff { role, .. } => Some(role),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Site, by, new_recording, on_both};
    use super::super::{Card, DeskError, Erasable, NewRole, StoredRole};
    use super::*;
    use crate::identity::{Date, RoleKind};
    use crate::visit::{Encounter, Given, GivenNumber, Patient};

    fn patient(name: &str) -> Patient {
        let given = Given { name, identifiers: &[GivenNumber::own("hkid", "A123456(3)")], ..Given::default() };
        Patient::new(&given, Date::parse("2026-11-26").unwrap()).unwrap()
    }

    /// A doctor in a new organisation.
    async fn doctor(store: &Store) -> StoredRole {
        let organisation = store.create_organisation("Clinic", None, &by()).await.unwrap().id;
        colleague(store, organisation).await
    }

    async fn colleague(store: &Store, organisation: OrganisationId) -> StoredRole {
        let card = Card { name: "Dr Chan".into(), phone: None, email: None };
        let person = store.create_person(&card, &by()).await.unwrap().id;
        let new = NewRole { person, organisation, kind: RoleKind::Doctor, starts_at: 0, ends_at: None, department: None };
        let id = store.give_role(&new, &by()).await.unwrap();
        store.role(id).await.unwrap().unwrap()
    }

    fn reach(role: &StoredRole) -> Reach {
        Reach { organisation: role.organisation, role: Some(role.id) }
    }

    async fn lists_reach_no_other_organisation_and_no_colleagues_patient(site: Site) {
        let store = site.open().await;
        let (one, other) = (doctor(&store).await, doctor(&store).await);
        let third = colleague(&store, one.organisation).await;
        let as_one = By { actor: one.actor(), ..by() };
        let known = store.create_patient(&patient("CHAN"), 1, &as_one).await.unwrap();
        // Another organisation has the same card number, and is not told so.
        let theirs = store.create_patient(&patient("WONG"), 2, &By { actor: other.actor(), ..by() }).await.unwrap();
        let taken = store.create_patient(&patient("HO"), 3, &By { actor: third.actor(), ..by() }).await.unwrap_err();
        assert!(matches!(taken, DeskError::Taken { .. }));
        let visit = store.create_encounter(&known.id, 5, &Encounter::new("Dr Chan").unwrap(), &as_one).await.unwrap();
        let (of_visit, of_nobody) = (new_recording(), new_recording());
        let (of_visit, of_nobody) =
            (store.create(of_visit, &as_one).await.unwrap().id, store.create(of_nobody, &as_one).await.unwrap().id);
        store.assign(&of_visit, &visit.id, false, &as_one).await.unwrap();
        let owner = Owner { organisation: one.organisation, treating: vec![one.id] };
        assert_eq!(store.owner_of_patient(&known.id).await.unwrap().as_ref(), Some(&owner));
        assert_eq!(store.owner_of_encounter(&visit.id).await.unwrap().as_ref(), Some(&owner));
        assert_eq!(store.owner_of_recording(&of_visit).await.unwrap().as_ref(), Some(&owner));
        assert_eq!(store.owner_of_recording(&of_nobody).await.unwrap(), Some(owner));
        assert_eq!(store.owner_of_patient("no").await.unwrap(), None);

        let seen = async |reach: Reach| {
            let visits = store.encounters_between(reach, (0, 10), 10).await.unwrap().len();
            (store.patients(reach, 10).await.unwrap().len(), visits, store.recordings_within(reach).await.unwrap().len())
        };
        assert_eq!(seen(reach(&one)).await, (1, 1, 2));
        assert_eq!(seen(reach(&third)).await, (0, 0, 0), "a colleague");
        assert_eq!(seen(Reach { role: None, ..reach(&one) }).await, (1, 1, 2), "the registry");
        assert_eq!(seen(reach(&other)).await, (1, 0, 0));
        assert_eq!(seen(Reach { organisation: other.organisation, ..reach(&one) }).await, (0, 0, 0));
        assert_eq!(seen(Reach::TRIAL).await, (0, 0, 0));

        assert!(!store.let_treat(&known.id, other.id, &as_one).await.unwrap(), "a role of another organisation");
        assert!(store.let_treat(&known.id, third.id, &as_one).await.unwrap());
        assert!(!store.let_treat(&known.id, third.id, &as_one).await.unwrap(), "it does already");
        assert_eq!(seen(reach(&third)).await, (1, 1, 1), "what the other began for nobody stays its own");
        store.erase(&of_visit, Erasable::Signed, &as_one).await.unwrap();
        store.erase_patient(&known.id, &as_one).await.unwrap();
        assert_eq!(seen(reach(&other)).await, (1, 0, 0));
        assert_eq!(store.patient(&theirs.id).await.unwrap(), Some(theirs));
    }

    on_both! {
        lists_reach_no_other_organisation_and_no_colleagues_patient,
    }
}
