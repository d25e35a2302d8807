//! The yes to being recorded, on both databases.

use super::tests::{Site, events, new_recording, on_both};
use super::*;
use crate::audit::{Action, HowSaid, Outcome, Refusal};
use crate::consent::{Decider, Standing};
use crate::identity::Date;
use crate::visit::{Encounter, Given, Patient};

const SAID: (Standing, Decider, HowSaid) = (Standing::Decides, Decider::Patient, HowSaid::Spoken);

fn doctor() -> By {
    By::now(TRIAL)
}

async fn visit(store: &Store) -> StoredEncounter {
    let given = Given { name: "CHAN Tai Man", ..Given::default() };
    let patient = Patient::new(&given, Date::parse("2026-11-26").unwrap()).unwrap();
    let patient = store.create_patient(&patient, 1, &doctor()).await.unwrap();
    store.create_encounter(&patient.id, 1, &Encounter::new("Dr Lee").unwrap(), &doctor()).await.unwrap()
}

async fn leave(store: &Store, visit: &str) -> Option<Leave> {
    store.may_record(visit, &doctor()).await.unwrap().map(Leave::Patient)
}

async fn nothing_is_recorded_without_a_yes_that_counts(site: Site) {
    let store = site.open().await;
    let (asked, other) = (visit(&store).await, visit(&store).await);
    assert!(leave(&store, &asked.id).await.is_none() && leave(&store, "none").await.is_none());
    // In a trial nobody has to be asked; outside, that is worth nothing.
    store.begin_recording(new_recording(), (&asked.id, Leave::Trial), &doctor()).await.unwrap();
    assert!(leave(&store, &asked.id).await.is_none());
    let relative = (Standing::Decides, Decider::Relative, HowSaid::Spoken);
    assert_eq!(store.note_recording_yes(&asked.id, relative, &doctor()).await.unwrap(), Err(Refusal::NotEntitled));
    assert!(leave(&store, &asked.id).await.is_none());
    store.note_recording_yes(&asked.id, SAID, &doctor()).await.unwrap().unwrap();
    store.note_recording_yes(&other.id, SAID, &doctor()).await.unwrap().unwrap();
    let before = store.recordings().await.unwrap().len();
    let others = leave(&store, &other.id).await.unwrap();
    let swapped = store.begin_recording(new_recording(), (&asked.id, others), &doctor()).await;
    assert!(matches!(swapped, Err(DeskError::Refused)), "another patient's yes");
    let taken_back = leave(&store, &asked.id).await.unwrap();
    store.set_refused(&asked.id, true, &doctor()).await.unwrap();
    let late = store.begin_recording(new_recording(), (&asked.id, taken_back), &doctor()).await;
    assert!(matches!(late, Err(DeskError::Refused)), "a yes that was taken back meanwhile");
    assert!(matches!(
        store.begin_recording(new_recording(), (&asked.id, Leave::Trial), &doctor()).await,
        Err(DeskError::Refused)
    ));
    assert_eq!(store.recordings().await.unwrap().len(), before, "a recording was begun all the same");
    store.set_refused(&asked.id, false, &doctor()).await.unwrap();
    assert!(leave(&store, &asked.id).await.is_none(), "who refuses no more has not agreed yet");
}

async fn a_recording_and_its_events_begin_together(site: Site) {
    let store = site.open().await;
    let visit = visit(&store).await;
    store.note_recording_yes(&visit.id, SAID, &doctor()).await.unwrap().unwrap();
    let may = leave(&store, &visit.id).await.unwrap();
    let recording = store.begin_recording(new_recording(), (&visit.id, may), &doctor()).await.unwrap();
    assert_eq!(store.assigned(&recording.id).await.unwrap(), Some((visit.id.clone(), false)));
    store.take_back_yes(&visit.id, &doctor()).await.unwrap();
    store.take_back_yes(&visit.id, &doctor()).await.unwrap();
    assert!(leave(&store, &visit.id).await.is_none());
    let said: Vec<_> = events(&store).await.into_iter().map(|event| (event.action, event.outcome)).collect();
    let consent = Action::RecordingConsent { how: HowSaid::Spoken };
    let expected = [
        (consent, Outcome::Done),
        (Action::Record, Outcome::Done),
        (Action::Register, Outcome::Done),
        (consent, Outcome::Refused { reason: Refusal::Withdrawn }),
    ];
    assert!(said.ends_with(&expected), "{said:?}");
}

on_both! {
    nothing_is_recorded_without_a_yes_that_counts,
    a_recording_and_its_events_begin_together,
}
