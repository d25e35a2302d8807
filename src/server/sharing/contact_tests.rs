//! Who sets how a patient is reached does not answer for them.

use super::decision::tests::Phone;
use super::patient::contact_changed;
use super::tests::{HKID, Stage, ask, delivered, stage};
use super::*;
use crate::audit::{Action, Event, Outcome};
use crate::identity::RoleKind;
use crate::store::{By, Card, Contact, MessageKind, NewRole};

/// The doctor who asks, in a role at the clinic that has the notes.
async fn part_time(stage: &Stage) -> Actor {
    let Actor::Staff { person, .. } = stage.b else { unreachable!() };
    let organisation = stage.store().organisations().await.unwrap()[0].id;
    let new = NewRole { person, organisation, kind: RoleKind::Doctor, starts_at: 0, ends_at: None, department: None };
    let role = stage.store().give_role(&new, &stage.by(stage.a)).await.unwrap();
    Actor::Staff { person, role, organisation }
}

/// Has the patient reached at another number from now on.
async fn change(stage: &Stage, who: Actor, phone: &str) {
    let by = stage.by(who);
    let contact = Contact { phone: Some(phone.into()), mail: None, incapable: false };
    let told = |known: &Contact| contact_changed(known, "Clinic A", by.at);
    stage.store().set_contact(&stage.patient, &contact, told, &by).await.unwrap();
}

async fn last(stage: &Stage) -> Event {
    let events = stage.store().events(0, 10_000).await.unwrap();
    Event::decode(events.last().unwrap()).unwrap()
}

#[tokio::test]
async fn who_set_the_number_cannot_ask_and_the_old_number_is_told() {
    let stage = stage(1).await;
    let patient = Some(stage.store().pseudonym(&stage.patient).unwrap());
    let both = part_time(&stage).await;
    change(&stage, both, "+85261112222").await;
    let changed = last(&stage).await;
    assert_eq!((changed.action, changed.actor, changed.patient), (Action::ContactChange, both, patient));
    let sent = stage.store().messages_due(courier::now(), 10).await.unwrap();
    let [message] = sent.as_slice() else { panic!("{} messages", sent.len()) };
    let text = message.message.text.reveal();
    assert_eq!(message.message.kind, MessageKind::Contact);
    assert_eq!(message.message.phone.as_ref().unwrap().reveal(), "+85291234567", "the old one");
    assert!(text.contains("Clinic A") && text.contains("已更改") && text.contains("was changed"), "{text}");
    for word in ["61112222", "CHAN", "Dr", "patient", "病", "診"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
    let refused = ask(&stage.sharing, stage.b, HKID).await;
    assert!(matches!(refused, Err(ApiError::Denied(Refusal::OwnContact))));
    let event = last(&stage).await;
    assert_eq!((event.action, event.patient), (Action::ConsentRequest, patient));
    assert_eq!(event.outcome, Outcome::Refused { reason: Refusal::OwnContact });
    // Nobody else is kept from asking, and the same contact entered again is no change.
    let card = Card { name: "Dr Cheng".into(), phone: None, email: None };
    let Actor::Staff { organisation, .. } = stage.b else { unreachable!() };
    let person = stage.store().create_person(&card, &stage.by(stage.a)).await.unwrap().id;
    let new = NewRole { person, organisation, kind: RoleKind::Doctor, starts_at: 0, ends_at: None, department: None };
    let role = stage.store().give_role(&new, &stage.by(stage.a)).await.unwrap();
    change(&stage, Actor::Staff { person, role, organisation }, "+85261112222").await;
    ask(&stage.sharing, Actor::Staff { person, role, organisation }, HKID).await.unwrap();
    // After its time it is the patient's number like any other.
    let Actor::Staff { person, .. } = both else { unreachable!() };
    let store = stage.store();
    assert!(store.has_set_contact(person, &stage.patient, changed.at).await.unwrap());
    assert!(!store.has_set_contact(person, &stage.patient, changed.at.after(1)).await.unwrap());
}

#[tokio::test]
async fn a_number_that_the_asker_changes_after_asking_gets_no_code() {
    let stage = stage(1).await;
    ask(&stage.sharing, stage.b, HKID).await.unwrap();
    let link = delivered(&stage.sharing).await.split_once('\n').unwrap().1.to_owned();
    let both = part_time(&stage).await;
    change(&stage, both, "+85261112222").await;
    let mut phone = Phone::new(&stage.sharing).await;
    assert_eq!(phone.open(&link).await.0, 303, "the link is the patient's");
    let sent = stage.store().messages(10).await.unwrap();
    assert!(sent.iter().all(|message| message.message.kind != MessageKind::Code), "a code went to the asker's number");
    let all = stage.store().events(0, 10_000).await.unwrap();
    let all: Vec<_> = all.iter().map(|bytes| Event::decode(bytes).unwrap()).collect();
    let outcome = Outcome::Refused { reason: Refusal::OwnContact };
    assert!(all.iter().any(|event| event.action == Action::ConsentCode && event.outcome == outcome));
    let by = By { at: courier::now().after(31 * 24 * 3_600_000), ..stage.by(stage.b) };
    assert!(!requests::has_set_contact(stage.store(), by.actor, &stage.patient, by.at).await.unwrap(), "31 days later");
}
