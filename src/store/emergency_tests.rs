//! Emergencies on both databases: all or nothing, sealed, over in time, and gone with the patient.

use super::consent_tests::patient;
use super::tests::{Site, by, events, on_both};
use super::*;
use crate::audit::{
    Action, Actor, Addressee, EmergencyReason, Event, OrganisationId, Outcome, PersonId, Pseudonym, Purpose, RecordId, RoleId,
    UnixMillis,
};

fn about() -> EmergencyAbout {
    EmergencyAbout {
        doctor: "Dr Bo".into(),
        organisation: "Clinic B".into(),
        reason: EmergencyReason::LifeInDanger,
        words: "after a fall".into(),
        notes: vec!["R1".into()],
        told: Some(EmergencyTold::default()),
        queued: Some(EmergencyTold { patient: true, officers: 1, administrators: 1 }),
    }
}

async fn an_emergency_is_kept_with_its_events_and_message_and_goes_with_the_patient(site: Site) {
    let store = site.open().await;
    let (patient, owner, role) = (patient(&store).await, OrganisationId::from_bytes([9; 16]), RoleId::from_bytes([2; 16]));
    let (opened_at, ends_at) = (UnixMillis(1_000), UnixMillis(5_000));
    let about = about();
    let new = StoredEmergency { id: String::new(), patient: patient.clone(), owner, role, opened_at, ends_at, about };
    let event = by().did_for(Action::BreakGlassAnnounce, store.pseudonym(&patient).unwrap());
    let message = Outgoing {
        kind: MessageKind::Notice,
        told: None,
        phone: Some("+85291234567".into()),
        mail: None,
        subject: String::new(),
        text: "Clinic A".into(),
        until: UnixMillis(u64::MAX >> 1),
    };
    let before = events(&store).await.len();
    assert!(store.open_emergency(new.clone(), Vec::new(), vec![message.clone()], &by()).await.is_err(), "without an event");
    let nobody = StoredEmergency { patient: "nobody".into(), ..new.clone() };
    assert!(store.open_emergency(nobody, vec![event.clone()], Vec::new(), &by()).await.is_err());
    assert!(store.emergencies_at(owner).await.unwrap().is_empty() && store.messages(10).await.unwrap().is_empty());
    assert_eq!(events(&store).await.len(), before);

    let (id, entry) = store.open_emergency(new.clone(), vec![event], vec![message], &by()).await.unwrap();
    assert_eq!(entry as usize, before);
    let kept = StoredEmergency { id: id.clone(), ..new };
    assert_eq!(store.emergency(&id, role, UnixMillis(4_999)).await.unwrap().as_ref(), Some(&kept));
    assert_eq!(store.emergency(&id, role, ends_at).await.unwrap(), None, "it is over");
    assert_eq!(store.emergency(&id, RoleId::from_bytes([3; 16]), opened_at).await.unwrap(), None, "another role");
    assert_eq!(store.emergencies_of(role, opened_at).await.unwrap(), std::slice::from_ref(&kept));
    assert_eq!(store.emergencies_at(owner).await.unwrap(), [(kept, store.pseudonym(&patient).unwrap())]);
    let sent = store.messages(10).await.unwrap();
    assert_eq!(sent.iter().map(|sent| sent.message.kind).collect::<Vec<_>>(), [MessageKind::Notice]);
    store.erase_patient(&patient, &by()).await.unwrap();
    assert!(store.emergencies_at(owner).await.unwrap().is_empty() && store.messages(10).await.unwrap().is_empty());
}

/// A person who is told.
fn officer() -> PersonId {
    PersonId::from_bytes([7; 16])
}

/// Whom the notices of an emergency are for, in their order.
fn told() -> [Option<MessageTold>; 4] {
    let to = |whom, person| Some(MessageTold { whom, person, emergency: None });
    [
        to(Addressee::Patient, None),
        to(Addressee::PrivacyOfficer, Some(officer())),
        to(Addressee::Administrator, Some(officer())),
        // As a version before has left it.
        None,
    ]
}

/// An emergency of a patient, of which all of them are to be told.
pub(super) async fn emergency_of(store: &Store, patient: &str) {
    let (owner, role) = (OrganisationId::from_bytes([9; 16]), RoleId::from_bytes([2; 16]));
    let (opened_at, ends_at) = (UnixMillis(1_000), UnixMillis(5_000));
    let new = StoredEmergency { id: String::new(), patient: patient.to_owned(), owner, role, opened_at, ends_at, about: about() };
    let notice = |told| Outgoing {
        kind: MessageKind::Notice,
        told,
        phone: Some("+85291234567".into()),
        mail: None,
        subject: String::new(),
        text: "Clinic A".into(),
        until: UnixMillis(u64::MAX >> 1),
    };
    let event = by().did_for(Action::BreakGlass { reason: EmergencyReason::LifeInDanger }, store.pseudonym(patient).unwrap());
    store.open_emergency(new, vec![event], told().map(notice).to_vec(), &by()).await.unwrap();
}

/// The log says of each once that it was not told, and of nothing that was said.
fn nobody_was_told(told: &[Event], patient: Pseudonym) {
    let tell = |whom| Action::BreakGlassTell { whom };
    let record = Some(RecordId::from_bytes(*officer().bytes()));
    let expected = [
        (tell(Addressee::Patient), None),
        (tell(Addressee::PrivacyOfficer), record),
        (tell(Addressee::Administrator), record),
        (Action::BreakGlassAnnounce, None),
    ];
    assert_eq!(told.iter().map(|event| (event.action, event.record)).collect::<Vec<_>>(), expected, "each once");
    for event in told {
        assert_eq!((event.actor, event.outcome, event.patient), (Actor::System, Outcome::Failed, Some(patient)));
        assert!(!String::from_utf8_lossy(&event.encode().unwrap()).contains("91234567"));
    }
}

async fn a_notice_that_no_gateway_takes_says_in_the_log_whom_it_was_for(site: Site) {
    let store = site.open().await;
    let patient = patient(&store).await;
    emergency_of(&store, &patient).await;
    store.clone().close().await;
    drop(store);
    let store = site.open().await;
    let due = store.messages_due(by().at, 10).await.unwrap();
    let kept = due.iter().map(|message| message.message.told.clone().map(|told| MessageTold { emergency: None, ..told }));
    assert_eq!(kept.collect::<Vec<_>>(), told(), "kept with the message");
    let before = events(&store).await.len();
    for message in &due {
        store.message_not_taken(message, NotTaken { next: Some(by().at), wrong: None }, by().at).await.unwrap();
    }
    assert_eq!(events(&store).await.len(), before, "it is tried again");
    for message in &due {
        store.message_not_taken(message, NotTaken::default(), by().at).await.unwrap();
        store.message_not_taken(message, NotTaken::default(), by().at).await.unwrap();
    }
    nobody_was_told(&events(&store).await.split_off(before), store.pseudonym(&patient).unwrap());
}

async fn who_was_told_is_kept_with_its_event_once_the_message_was_handed_over(site: Site) {
    let store = site.open().await;
    let patient = patient(&store).await;
    emergency_of(&store, &patient).await;
    let (whose, before) = (Some(store.pseudonym(&patient).unwrap()), events(&store).await.len());
    let reached = async || {
        let found = store.emergencies_at(OrganisationId::from_bytes([9; 16])).await.unwrap();
        found[0].0.about.reached().unwrap()
    };
    let due = store.messages_due(by().at, 10).await.unwrap();
    assert_eq!(reached().await.0, EmergencyTold::default(), "who waits is told of nothing");
    for message in &due {
        let fails = message.message.told.as_ref().is_some_and(|told| told.whom == Addressee::Administrator);
        for first in [true, false] {
            if fails {
                store.message_not_taken(message, NotTaken::default(), by().at).await.unwrap();
            } else {
                assert_eq!(store.message_handed_over(message, false, by().at).await.unwrap(), first);
            }
        }
    }
    let record = Some(RecordId::from_bytes(*officer().bytes()));
    let tell = |whom| Action::BreakGlassTell { whom };
    let expected = [
        (tell(Addressee::Patient), None, Outcome::Done),
        (tell(Addressee::PrivacyOfficer), record, Outcome::Done),
        (tell(Addressee::Administrator), record, Outcome::Failed),
    ];
    let said = events(&store).await.split_off(before);
    let found: Vec<_> = said.iter().map(|event| (event.action, event.record, event.outcome)).collect();
    assert_eq!(found, expected, "each once, and of what a version before had told nothing more");
    assert!(
        said.iter().all(|event| (event.actor, event.patient, event.purpose) == (Actor::System, whose, Some(Purpose::Emergency)))
    );
    assert_eq!(reached().await, (EmergencyTold { patient: true, officers: 1, administrators: 0 }, EmergencyTold::default()));
    assert!(store.messages(10).await.unwrap().iter().all(|message| message.state != OutboxState::Waiting));
}

async fn erasing_a_patient_says_in_the_log_who_was_not_told_yet(site: Site) {
    let store = site.open().await;
    let patient = patient(&store).await;
    emergency_of(&store, &patient).await;
    let (before, whose) = (events(&store).await.len(), store.pseudonym(&patient).unwrap());
    store.erase_patient(&patient, &by()).await.unwrap();
    let mut after = events(&store).await.split_off(before);
    let erased = after.split_off(4);
    nobody_was_told(&after, whose);
    assert_eq!(erased.iter().map(|event| event.action).collect::<Vec<_>>(), [Action::KeyDestroy, Action::Erase]);
}

async fn a_message_that_cannot_be_read_is_put_off(site: Site) {
    let store = site.open().await;
    emergency_of(&store, &patient(&store).await).await;
    let now = by().at;
    let damage = "UPDATE outbox SET document = $1 WHERE number = 1";
    sqlx::query(damage).bind(vec![1_u8; 40]).execute(store.database().pool()).await.unwrap();
    assert_eq!(store.messages_due(now, 1).await.unwrap(), []);
    assert_eq!(store.messages_due(now, 1).await.unwrap().len(), 1, "the next has its turn");
    assert_eq!(store.messages_due(now.after(2 * 3_600_000), 10).await.unwrap().len(), 3, "and it is looked at again");
    assert!(store.next_message().await.unwrap().unwrap() <= now);
}

on_both! {
    erasing_a_patient_says_in_the_log_who_was_not_told_yet,
    a_message_that_cannot_be_read_is_put_off,
    a_notice_that_no_gateway_takes_says_in_the_log_whom_it_was_for,
    who_was_told_is_kept_with_its_event_once_the_message_was_handed_over,
    an_emergency_is_kept_with_its_events_and_message_and_goes_with_the_patient,
}
