//! Merging patients on both databases: what stands together while it lasts, and that nothing is left of it afterwards.

use super::consent_tests::request;
use super::tests::{Site, by, events, new_recording, on_both};
use super::*;
use crate::audit::{Action, Actor, OrganisationId};
use crate::identity::{Agreement, Certainty, Date, Field, RoleKind};
use crate::visit::{Encounter, Given, Patient};

fn patient(name: &str, born: &str) -> Patient {
    let given = Given { name, born: Some(born), sex: Some("female"), ..Given::default() };
    Patient::new(&given, Date::parse("2026-11-26").unwrap()).unwrap()
}

async fn role(store: &Store, organisation: OrganisationId, kind: RoleKind) -> StoredRole {
    let person = store.create_person(&Card { name: "Dr Chan".into(), phone: None, email: None }, &by()).await.unwrap().id;
    let new = NewRole { person, organisation, kind, starts_at: 0, ends_at: None, department: None };
    let id = store.give_role(&new, &by()).await.unwrap();
    store.role(id).await.unwrap().unwrap()
}

fn as_role(role: &StoredRole) -> By {
    By { actor: role.actor(), ..by() }
}

fn reach(role: &StoredRole) -> Reach {
    Reach { organisation: role.organisation, role: Some(role.id) }
}

/// A patient of this doctor with a visit and a recording of it.
async fn known(store: &Store, doctor: &StoredRole, name: &str, at: i64) -> (StoredPatient, StoredEncounter, String) {
    let by = as_role(doctor);
    let patient = store.create_patient(&patient(name, "1961-03-02"), at, &by).await.unwrap();
    let visit = store.create_encounter(&patient.id, at, &Encounter::new("Dr Chan").unwrap(), &by).await.unwrap();
    let recording = store.create(new_recording(), &by).await.unwrap().id;
    store.assign(&recording, &visit.id, false, &by).await.unwrap();
    (patient, visit, recording)
}

/// All that a merge could have changed.
async fn all(store: &Store, organisation: OrganisationId, patients: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for id in patients {
        let (owner, visits) = (store.owner_of_patient(id).await.unwrap(), store.encounters_of(id).await.unwrap());
        let consents = store.consents(Side::Patient(id)).await.unwrap();
        let held = store.is_patient_held(id).await.unwrap();
        found.push(format!("{:?} {owner:?} {visits:?} {consents:?} {held}", store.patient(id).await.unwrap()));
    }
    found.push(format!("{:?}", store.leading_patients(Reach { organisation, role: None }, 10).await.unwrap()));
    found
}

async fn what_is_merged_stands_together_and_comes_back_apart(site: Site) {
    let store = site.open().await;
    let clinic = store.create_organisation("Clinic", None, &by()).await.unwrap().id;
    let (one, other) = (role(&store, clinic, RoleKind::Doctor).await, role(&store, clinic, RoleKind::Doctor).await);
    let registrar = as_role(&role(&store, clinic, RoleKind::Registrar).await);
    let (first, first_visit, _) = known(&store, &one, "CHAN Siu Ming", 10).await;
    let (second, second_visit, recording) = known(&store, &other, "CHAN Siu Ming", 20).await;
    let consent = request(&store, Some(&second.id), by().at).await;
    store.place_hold(Held::Patient(second.id.clone()), "A claim", "Ms Ho", &registrar).await.unwrap();
    let ids = [first.id.as_str(), second.id.as_str()];
    let before = all(&store, clinic, &ids).await;
    assert_eq!(store.owner_of_recording(&recording).await.unwrap().unwrap().treating, [other.id]);
    assert!(!store.stands_with(&recording, &first.id).await.unwrap());

    let merge = store.merge((&second.id, &first.id), true, &registrar).await.unwrap();
    for id in ids {
        let mut treating = store.owner_of_patient(id).await.unwrap().unwrap().treating;
        treating.sort();
        let mut both = [one.id, other.id];
        both.sort();
        assert_eq!(treating, both);
        assert_eq!(store.encounters_of(id).await.unwrap(), [second_visit.clone(), first_visit.clone()]);
        let consents = store.consents(Side::Patient(id)).await.unwrap();
        assert_eq!(consents.iter().map(|stored| stored.consent.id()).collect::<Vec<_>>(), [consent]);
        assert!(store.is_patient_held(id).await.unwrap());
        assert_eq!(store.patient(id).await.unwrap().unwrap().leading().to_owned(), first.id);
        assert!(store.stands_with(&recording, id).await.unwrap());
        let refused = store.erase_patient(id, &registrar).await.unwrap_err();
        assert!(matches!(refused, DeskError::Store(StoreError::OnHold)), "{refused}");
    }
    assert_eq!(store.owner_of_recording(&recording).await.unwrap().unwrap().treating.len(), 2);
    assert_eq!(store.owner_of_encounter(&second_visit.id).await.unwrap().unwrap().treating.len(), 2);
    for doctor in [&one, &other] {
        assert_eq!(store.leading_patients(reach(doctor), 10).await.unwrap(), std::slice::from_ref(&first));
        assert_eq!(store.merged_patients(reach(doctor)).await.unwrap()[0].id, second.id);
        assert_eq!(store.recordings_within(reach(doctor)).await.unwrap().len(), 2);
        assert_eq!(store.encounters_between(reach(doctor), (0, 100), 10).await.unwrap().len(), 2);
    }
    let again = store.merge((&first.id, &second.id), true, &registrar).await.unwrap_err();
    assert!(matches!(again, DeskError::Conflict), "{again}");

    assert!(store.unmerge(&merge.id, &registrar).await.unwrap());
    assert!(!store.unmerge(&merge.id, &registrar).await.unwrap());
    assert_eq!(all(&store, clinic, &ids).await, before, "not as it was");
    let told = events(&store).await.into_iter().filter(|event| event.actor == registrar.actor);
    let told: Vec<_> = told.map(|event| (event.action, event.patient)).collect();
    let named = |id: &str| Some(store.pseudonym(id).unwrap());
    for (action, id) in ids.iter().flat_map(|id| [(Action::PatientMerge, id), (Action::PatientUnmerge, id)]) {
        assert_eq!(told.iter().filter(|each| **each == (action, named(id))).count(), 1);
    }
}

async fn a_hold_on_who_was_merged_keeps_the_merge(site: Site) {
    let store = site.open().await;
    let clinic = store.create_organisation("Clinic", None, &by()).await.unwrap().id;
    let registrar = as_role(&role(&store, clinic, RoleKind::Registrar).await);
    let one = store.create_patient(&patient("WONG", "1961-03-02"), 0, &registrar).await.unwrap().id;
    let other = store.create_patient(&patient("WONG", "1961-03-02"), 1, &registrar).await.unwrap().id;
    let merge = store.merge((&one, &other), true, &registrar).await.unwrap();
    let later = By { at: registrar.at.after(2_000), ..registrar };
    let hold = store.place_hold(Held::Patient(one), "A claim", "Ms Ho", &later).await.unwrap();
    let refused = store.unmerge(&merge.id, &later).await.unwrap_err();
    assert!(matches!(refused, StoreError::OnHold), "{refused}");
    assert!(store.lift_hold(&hold.id, clinic, &later).await.unwrap());
    assert!(store.unmerge(&merge.id, &later).await.unwrap());
}

async fn nobody_is_merged_with_somebody_elses_patient_nor_erased_while_merged(site: Site) {
    let store = site.open().await;
    let clinic = store.create_organisation("Clinic", None, &by()).await.unwrap().id;
    let elsewhere = store.create_organisation("Hospital", None, &by()).await.unwrap().id;
    let registrar = as_role(&role(&store, clinic, RoleKind::Registrar).await);
    let foreign = as_role(&role(&store, elsewhere, RoleKind::Registrar).await);
    let mut ids = Vec::new();
    for (at, who) in [&registrar, &registrar, &registrar, &foreign].into_iter().enumerate() {
        ids.push(store.create_patient(&patient("WONG", "1961-03-02"), at as i64, who).await.unwrap().id);
    }
    let [a, b, c, theirs] = ids.as_slice() else { panic!() };
    for who in [&registrar, &foreign] {
        let refused = store.merge((a, theirs), true, who).await.unwrap_err();
        assert!(matches!(refused, DeskError::Store(StoreError::Unknown { .. })), "{refused}");
    }
    assert!(matches!(store.merge((a, a), true, &registrar).await.unwrap_err(), DeskError::Conflict));
    let (nobody, system) = ("A".repeat(22), Action::PatientMerge);
    assert!(store.merge((a, &nobody), true, &registrar).await.is_err());
    assert!(events(&store).await.iter().all(|event| event.action != system), "what was refused was done");

    let first = store.merge((b, c), true, &registrar).await.unwrap();
    let second = store.merge((a, c), true, &registrar).await.unwrap();
    assert_eq!(store.same_person(b).await.unwrap().len(), 3);
    assert_eq!(store.patient(c).await.unwrap().unwrap().leading().to_owned(), *a);
    for id in [a, b, c] {
        let refused = store.erase_patient(id, &registrar).await.unwrap_err();
        assert!(matches!(refused, DeskError::Merged), "{refused}");
    }
    assert!(!store.unmerge(&first.id, &foreign).await.unwrap(), "another organisation takes it back");
    // The middle of three: the other two are two again.
    assert!(store.unmerge(&second.id, &registrar).await.unwrap());
    assert_eq!(
        (
            store.patient(c).await.unwrap().unwrap().leading().to_owned(),
            store.patient(a).await.unwrap().unwrap().leading().to_owned()
        ),
        (b.clone(), a.clone())
    );
    store.erase_patient(a, &registrar).await.unwrap();
    assert!(store.unmerge(&first.id, &registrar).await.unwrap());
    store.erase_patient(c, &registrar).await.unwrap();
    assert_eq!(store.same_person(b).await.unwrap(), std::slice::from_ref(b));
    assert!(store.merges(clinic).await.unwrap().is_empty());
}

async fn likely_doubles_are_proposed_with_why_until_somebody_said(site: Site) {
    let store = site.open().await;
    let clinic = store.create_organisation("Clinic", None, &by()).await.unwrap().id;
    let doctor = role(&store, clinic, RoleKind::Doctor).await;
    let registrar = as_role(&role(&store, clinic, RoleKind::Registrar).await);
    let all = Reach { organisation: clinic, role: None };
    let (first, ..) = known(&store, &doctor, "CHAN Siu Ming", 10).await;
    let second = store.create_patient(&patient("Chan Siu-ming", "1961-03-02"), 20, &registrar).await.unwrap();
    store.create_patient(&patient("HO Ka Yan", "1988-07-19"), 30, &registrar).await.unwrap();
    for id in [&first.id, &second.id] {
        let contact = Contact { phone: Some("+85291234567".into()), mail: None, incapable: false };
        store.set_contact(id, &contact, |_| Vec::new(), &registrar).await.unwrap();
    }
    let found = store.likenesses(all, None, 10).await.unwrap();
    let [likeness] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(likeness.proposal.certainty, Certainty::Likely);
    let reasons: Vec<_> = likeness.proposal.reasons.iter().map(|(field, agreement, _)| (*field, *agreement)).collect();
    let same = [Field::Name, Field::Born, Field::Sex, Field::Phone].map(|field| (field, Agreement::Same));
    assert_eq!(reasons, same);
    assert_eq!(store.likenesses(all, Some(&second.id), 10).await.unwrap().len(), 1);
    assert!(store.likenesses(reach(&doctor), None, 10).await.unwrap().is_empty(), "a doctor is told of somebody else's patient");
    assert!(!format!("{found:?}").contains("CHAN"));

    let apart = store.merge((&first.id, &second.id), false, &registrar).await.unwrap();
    assert!(!apart.same && store.likenesses(all, None, 10).await.unwrap().is_empty());
    assert_eq!(store.same_person(&first.id).await.unwrap().len(), 1);
    // Somebody thinks again.
    let merge = store.merge((&first.id, &second.id), true, &registrar).await.unwrap();
    assert_eq!(store.merges(clinic).await.unwrap(), std::slice::from_ref(&merge));
    assert!(store.likenesses(all, None, 10).await.unwrap().is_empty());
    assert!(store.unmerge(&merge.id, &registrar).await.unwrap());
    assert_eq!(store.likenesses(all, None, 10).await.unwrap().len(), 1);
    assert!(matches!(registrar.actor, Actor::Staff { .. }));
}

on_both! {
    a_hold_on_who_was_merged_keeps_the_merge,
    what_is_merged_stands_together_and_comes_back_apart,
    nobody_is_merged_with_somebody_elses_patient_nor_erased_while_merged,
    likely_doubles_are_proposed_with_why_until_somebody_said,
}
