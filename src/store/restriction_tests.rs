//! Marks of restricted notes on both databases: each with its event or not at all, told to who looks, and gone with the recording.

use super::consent_tests::{patient, request};
use super::tests::{Site, by, events, new_recording, note, on_both, transcript};
use super::*;
use crate::audit::Action;
use crate::record::Signature;
use crate::visit::Encounter;

fn mark(restricted: bool) -> Restriction {
    Restriction { restricted, signature: Signature::new("Dr Chan", "2026-11-26T09:00:00Z").unwrap() }
}

async fn finished(store: &Store) -> String {
    let id = store.create(new_recording(), &by()).await.unwrap().id;
    store.finish(&id, &transcript("a"), &note("1")).await.unwrap();
    id
}

async fn a_note_is_marked_and_the_mark_taken_away_each_with_its_event(site: Site) {
    let store = site.open().await;
    let open = store.create(new_recording(), &by()).await.unwrap().id;
    assert!(matches!(store.restrict(&open, &mark(true), &by()).await, Err(StoreError::State { .. })), "there is no note yet");
    assert!(matches!(store.restrict("no", &mark(true), &by()).await, Err(StoreError::Missing { .. })));
    let id = finished(&store).await;
    let before = events(&store).await.len();
    assert!(!store.restrict(&id, &mark(false), &by()).await.unwrap(), "nothing to take away is no act");
    assert_eq!((events(&store).await.len(), store.is_restricted(&id).await.unwrap()), (before, false));
    for restricted in [true, false, true] {
        assert!(store.restrict(&id, &mark(restricted), &by()).await.unwrap());
        assert!(!store.restrict(&id, &mark(restricted), &by()).await.unwrap());
        assert_eq!(store.is_restricted(&id).await.unwrap(), restricted);
    }
    let told: Vec<_> = events(&store).await.split_off(before).into_iter().map(|event| (event.action, event.record)).collect();
    let about = Some(record_id(&id));
    assert_eq!(told, [Action::Restrict, Action::Unrestrict, Action::Restrict].map(|action| (action, about)));
    assert!(!store.is_restricted(&finished(&store).await).await.unwrap(), "another note");
    drop(store);
    let store = site.open().await;
    assert!(store.is_restricted(&id).await.unwrap());
    assert_eq!(store.restrictions(&id).await.unwrap(), [mark(true), mark(false), mark(true)]);

    let turned = "UPDATE note_restrictions SET restricted = 0 WHERE number = 3";
    sqlx::query(turned).execute(store.database().pool()).await.unwrap();
    let error = store.restrictions(&id).await.unwrap_err().to_string();
    assert!(error.contains(&format!("note_restrictions.document of recording {id}")), "{error}");
    store.erase(&id, Erasable::Signed, &by()).await.unwrap();
    let query = sqlx::query_as("SELECT count(*) FROM note_restrictions");
    assert_eq!(store.reader().one::<(i64,)>(query).await.unwrap(), Some((0,)), "a mark outlived its note");
}

async fn of_marks_at_once_one_is_made(site: Site) {
    let store = site.open().await;
    let id = finished(&store).await;
    let marking = (0..8).map(|_| {
        let (store, id) = (store.clone(), id.clone());
        tokio::spawn(async move { store.restrict(&id, &mark(true), &by()).await.unwrap() })
    });
    let mut made = 0;
    for marked in marking.collect::<Vec<_>>() {
        made += usize::from(marked.await.unwrap());
    }
    let told = events(&store).await.iter().filter(|event| event.action == Action::Restrict).count();
    assert_eq!((made, told, store.restrictions(&id).await.unwrap().len()), (1, 1, 1));
}

async fn who_looks_at_what_the_patient_shares_is_told_of_a_mark(site: Site) {
    let store = site.open().await;
    let (patient, other) = (patient(&store).await, patient(&store).await);
    let visit = store.create_encounter(&patient, 10, &Encounter::new("Dr Chan").unwrap(), &by()).await.unwrap();
    let id = finished(&store).await;
    store.assign(&id, &visit.id, false, &by()).await.unwrap();
    let consent = request(&store, Some(&patient), by().at).await;
    let elses = request(&store, Some(&other), by().at).await;
    let mut told = store.consent_changes();
    store.restrict(&id, &mark(true), &by()).await.unwrap();
    assert_eq!(told.try_recv().unwrap(), consent);
    assert!(told.try_recv().is_err(), "{elses:?} is of another patient");
    let marked = events(&store).await.into_iter().find(|event| event.action == Action::Restrict).unwrap();
    assert_eq!(marked.patient, Some(store.pseudonym(&patient).unwrap()));
}

on_both! {
    a_note_is_marked_and_the_mark_taken_away_each_with_its_event,
    of_marks_at_once_one_is_made,
    who_looks_at_what_the_patient_shares_is_told_of_a_mark,
}
