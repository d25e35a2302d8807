//! What was stopped, removed, revoked or ended stays so, whatever backup of the rows comes back.

use super::backup_tests::Parts;
use super::keys::Change;
use super::tests::{Site, by, events, on_both};
use super::*;
use crate::audit::{Action, Event, OrganisationId, Outcome, PersonId, Refusal, RoleId};
use crate::identity::RoleKind;
use crate::openid::Subject;

/// A clinic with an administrator.
struct Clinic {
    store: Store,
    id: OrganisationId,
    administrator: (PersonId, RoleId),
}

async fn person(store: &Store) -> PersonId {
    store.create_person(&Card { name: "Dr Chan".into(), phone: None, email: None }, &by()).await.unwrap().id
}

async fn role(store: &Store, person: PersonId, organisation: OrganisationId, kind: RoleKind) -> RoleId {
    let new = NewRole { person, organisation, kind, starts_at: 0, ends_at: None, department: None };
    store.give_role(&new, &by()).await.unwrap()
}

impl Clinic {
    async fn new(store: &Store, name: &str) -> Self {
        let id = store.create_organisation(name, None, &by()).await.unwrap().id;
        let administrator = person(store).await;
        let role = role(store, administrator, id, RoleKind::Administrator).await;
        Self { store: store.clone(), id, administrator: (administrator, role) }
    }

    async fn doctor(&self) -> (PersonId, RoleId) {
        let person = person(&self.store).await;
        (person, role(&self.store, person, self.id, RoleKind::Doctor).await)
    }
}

async fn passkey(store: &Store, person: PersonId, number: u8) -> String {
    let new = NewPasskey { credential: vec![number; 20], label: "phone".into(), key: "{}".into() };
    assert!(store.add_passkey(person, (None, None), &new, &by()).await.unwrap());
    store.passkey_with(&[number; 20]).await.unwrap().unwrap().id
}

fn subject() -> Subject {
    Subject::for_tests("https://login.example", "lost")
}

async fn device(store: &Store, token: u8) -> StoredDevice {
    let what = (DeviceScope::Record, "Room 1 microphone", "1");
    store.enrol_device([token; 32], what, by().seconds() + 1_000, &by()).await.unwrap()
}

/// Lets a person in again, by an administrator or the console.
async fn recover(store: &Store, person: PersonId, of: Option<OrganisationId>, with: NewCredential) {
    let now = by().seconds();
    store.offer(([77; 32], now + 100), of, &Enrolment::Recovery { person, offered_by: None }, &by()).await.unwrap();
    let found = store.enrolment_with(&[77; 32], now).await.unwrap().unwrap();
    store.enrol(&found, &Entrant::Known { person }, Some(&with), &by()).await.unwrap().unwrap();
}

/// What the program itself did, of this kind.
async fn did(store: &Store, wanted: impl Fn(&Event) -> bool) -> usize {
    events(store)
        .await
        .iter()
        .filter(|event| event.actor == Actor::System && event.outcome == Outcome::Done && wanted(event))
        .count()
}

async fn what_ended_since_an_old_backup_is_over_after_a_restore(site: Site) {
    let (parts, store) = (Parts::new(), site.open().await);
    store.enter_trial("Trial clinician", &by()).await.unwrap();
    let (a, b) = (Clinic::new(&store, "Clinic A").await, Clinic::new(&store, "Clinic B").await);
    let (doctor, _) = a.doctor().await;
    role(&store, doctor, b.id, RoleKind::Doctor).await;
    let (lost, removed, kept) =
        (passkey(&store, doctor, 1).await, passkey(&store, doctor, 2).await, passkey(&store, doctor, 3).await);
    assert!(store.add_binding(doctor, (None, None), &subject(), &by()).await.unwrap());
    let bound = store.binding_with(&subject()).await.unwrap().unwrap().id;
    let (nurse, gone) = a.doctor().await;
    let cut = passkey(&store, nurse, 4).await;
    let (_, later) = a.doctor().await;
    let (revoked, used) = (device(&store, 1).await, device(&store, 2).await);
    parts.save(&site, "old").await;

    let before = events(&store).await.len();
    for id in [&lost, &bound] {
        assert!(store.stop_credential(id, doctor, a.id, &by()).await.unwrap());
    }
    let who = Remover { person: doctor, organisation: a.id, reach: None, session: None };
    assert!(store.remove_passkey(&removed, who, &by()).await.unwrap());
    let new = NewPasskey { credential: vec![9; 20], label: "phone".into(), key: "{}".into() };
    recover(&store, nurse, None, NewCredential::Passkey(new)).await;
    assert!(store.revoke_device(revoked.id, revoked.organisation, &by()).await.unwrap());
    let now = by().seconds();
    assert_eq!(store.end_role(gone, a.id, now, &by()).await.unwrap(), RoleEnd::Ended);
    assert_eq!(store.change_role(later, a.id, (None, None, Some(now + 500)), &by()).await.unwrap(), RoleEnd::Ended);
    assert!(events(&store).await.len() > before);
    parts.save(&site, "new").await;

    let (restored, there) = parts.restore(&site, "old").await;
    let restored = restored.unwrap();
    assert_eq!(restored.ended_again, 7, "{restored:?}");
    let again = there.open().await;
    let lost = again.passkey_with(&[1; 20]).await.unwrap().unwrap();
    assert_eq!(lost.stopped, [a.id], "the other clinic did not stop it");
    assert!(!lost.is_good_for(a.id) && lost.is_good_for(b.id));
    assert_eq!(again.binding_with(&subject()).await.unwrap().unwrap().stopped, [a.id]);
    assert!(again.passkey_with(&[2; 20]).await.unwrap().is_none(), "what its owner removed");
    assert!(again.passkey_with(&[4; 20]).await.unwrap().is_none(), "what a recovery cut");
    assert_eq!(again.passkeys_of(doctor).await.unwrap().iter().filter(|one| one.id == kept).count(), 1);
    let limited = NewSession { token_hash: [5; 32], role: gone, credential: cut, ends_at: now + 100 };
    assert!(again.begin_session(&limited, now, &by()).await.unwrap().is_none());
    assert!(again.device_with(&[1; 32], now).await.unwrap().is_none() && again.device(revoked.id, now).await.unwrap().is_none());
    assert!(again.device_with(&[2; 32], now).await.unwrap().is_some() && again.device(used.id, now).await.unwrap().is_some());
    assert_eq!(again.role(gone).await.unwrap().unwrap().ends_at, Some(now));
    assert_eq!(again.role(later).await.unwrap().unwrap().ends_at, Some(now + 500));
    assert!(again.role(a.administrator.1).await.unwrap().unwrap().is_held(now));
    // What was stopped is not entered again by its person, though the records did not know of it.
    let theirs = NewPasskey { credential: vec![4; 20], label: "phone".into(), key: "{}".into() };
    assert!(!again.add_passkey(nurse, (Some(a.id), None), &theirs, &by()).await.unwrap());
    let of = |person| did(&again, move |event| event.action == Action::CredentialRemove { person });
    assert_eq!((of(doctor).await, of(nurse).await), (3, 1), "each with its event");
    assert_eq!(did(&again, |event| matches!(event.action, Action::RoleChange { .. })).await, 2);
    assert_eq!(did(&again, |event| event.device == Some(revoked.id)).await, 1);
    let told = events(&again).await.len();
    again.close().await;
    let again = there.open().await;
    assert_eq!((again.ended_again(), events(&again).await.len()), (0, told), "once");
}

async fn what_is_not_among_the_records_ends_when_records_come_that_have_it(site: Site) {
    let (parts, store) = (Parts::new(), site.open().await);
    let clinic = Clinic::new(&store, "Clinic").await;
    let (doctor, held) = clinic.doctor().await;
    passkey(&store, doctor, 1).await;
    parts.save(&site, "first").await;
    let stopped = passkey(&store, doctor, 2).await;
    let (_, other) = clinic.doctor().await;
    parts.save(&site, "second").await;
    assert!(store.stop_credential(&stopped, doctor, clinic.id, &by()).await.unwrap());
    assert_eq!(store.end_role(other, clinic.id, by().seconds(), &by()).await.unwrap(), RoleEnd::Ended);
    parts.save(&site, "third").await;
    let (restored, there) = parts.restore(&site, "first").await;
    assert_eq!(restored.unwrap().ended_again, 0);
    let again = there.open().await;
    assert!(again.role(other).await.unwrap().is_none() && again.role(held).await.unwrap().unwrap().ends_at.is_none());
    parts.save(&there, "fourth").await;
    let (restored, there) = parts.restore(&there, "second").await;
    assert_eq!(restored.unwrap().ended_again, 2);
    let again = there.open().await;
    assert!(again.passkey_with(&[2; 20]).await.unwrap().is_none() && again.passkey_with(&[1; 20]).await.unwrap().is_some());
    assert!(again.role(other).await.unwrap().unwrap().ends_at.is_some());
}

async fn what_was_let_in_again_or_goes_on_stays_good(site: Site) {
    let (parts, store) = (Parts::new(), site.open().await);
    let clinic = Clinic::new(&store, "Clinic").await;
    let other = Clinic::new(&store, "Other clinic").await;
    let (doctor, held) = clinic.doctor().await;
    role(&store, doctor, other.id, RoleKind::Doctor).await;
    assert!(store.add_binding(doctor, (None, None), &subject(), &by()).await.unwrap());
    let bound = store.binding_with(&subject()).await.unwrap().unwrap().id;
    parts.save(&site, "old").await;
    assert!(store.stop_credential(&bound, doctor, clinic.id, &by()).await.unwrap());
    let now = by().seconds();
    assert_eq!(store.change_role(held, clinic.id, (None, None, Some(now + 500)), &by()).await.unwrap(), RoleEnd::Ended);
    recover(&store, doctor, Some(clinic.id), NewCredential::Subject(subject())).await;
    assert!(store.binding_with(&subject()).await.unwrap().unwrap().is_good_for(clinic.id));
    assert_eq!(store.change_role(held, clinic.id, (None, None, None), &by()).await.unwrap(), RoleEnd::Ended);
    parts.save(&site, "new").await;
    let (restored, there) = parts.restore(&site, "old").await;
    assert_eq!(restored.unwrap().ended_again, 0);
    let again = there.open().await;
    assert!(again.binding_with(&subject()).await.unwrap().unwrap().is_good_for(clinic.id));
    assert_eq!(again.role(held).await.unwrap().unwrap().ends_at, None);
}

async fn nobody_is_left_without_an_administrator_by_a_restore(site: Site) {
    let (parts, store) = (Parts::new(), site.open().await);
    let clinic = Clinic::new(&store, "Clinic").await;
    let (first, held) = clinic.administrator;
    parts.save(&site, "old").await;
    let second = person(&store).await;
    role(&store, second, clinic.id, RoleKind::Administrator).await;
    assert_eq!(store.end_role(held, clinic.id, by().seconds(), &by()).await.unwrap(), RoleEnd::Ended);
    parts.save(&site, "new").await;
    let (restored, there) = parts.restore(&site, "old").await;
    assert_eq!(restored.unwrap().ended_again, 0);
    let refused = Outcome::Refused { reason: Refusal::NotAllowed };
    for _ in 0..2 {
        let again = there.open().await;
        assert_eq!(again.role(held).await.unwrap().unwrap().ends_at, None);
        let kept = |event: &&Event| (event.action, event.outcome) == (Action::RoleChange { person: first }, refused);
        assert_eq!(events(&again).await.iter().filter(kept).count(), 1, "once, and it is told");
        again.close().await;
    }
}

async fn what_a_kill_left_half_noted_is_the_same_on_both_sides_after_a_start(site: Site) {
    let store = site.open().await;
    let clinic = Clinic::new(&store, "Clinic").await;
    let (doctor, held) = clinic.doctor().await;
    let (one, other) = (passkey(&store, doctor, 1).await, passkey(&store, doctor, 2).await);
    let now = by().seconds();
    // The key store has it, and the rows were not committed.
    store.shared.keys.note(&[Change::Ends { id: one, at: now }]).await.unwrap();
    // The rows have it, and the key store not, as after a program that did not note it.
    assert!(store.stop_credential(&other, doctor, clinic.id, &by()).await.unwrap());
    assert_eq!(store.end_role(held, clinic.id, now, &by()).await.unwrap(), RoleEnd::Ended);
    let noted = store.shared.keys.ended().await.unwrap();
    assert_eq!((noted.stopped.len(), noted.ids.len()), (1, 3));
    let forgotten = noted.stopped.iter().map(|(subject, _)| Change::LetIn { subject: subject.clone(), organisation: None });
    let forgotten = forgotten.chain([Change::GoesOn { id: held.to_string() }]).collect::<Vec<_>>();
    store.shared.keys.note(&forgotten).await.unwrap();
    store.close().await;
    drop(clinic);
    let store = site.open().await;
    assert_eq!(store.ended_again(), 1);
    assert!(store.passkeys_of(doctor).await.unwrap().is_empty());
    let after = store.shared.keys.ended().await.unwrap();
    assert_eq!((&after.stopped, after.ids.keys().collect::<Vec<_>>()), (&noted.stopped, noted.ids.keys().collect()));
    assert_eq!(after.ids.get(&held.to_string()), Some(&now));
}

on_both! {
    what_ended_since_an_old_backup_is_over_after_a_restore,
    what_is_not_among_the_records_ends_when_records_come_that_have_it,
    what_was_let_in_again_or_goes_on_stays_good,
    nobody_is_left_without_an_administrator_by_a_restore,
    what_a_kill_left_half_noted_is_the_same_on_both_sides_after_a_start,
}
