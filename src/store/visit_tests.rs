//! Patients, visits and what belongs to them, on real folders and both databases.

use std::fs;
use std::path::Path;

use super::keys::Whose;
use super::tests::{Site, by, on_both, tamper};
use super::*;
use crate::audio::{StreamEncoding, StreamFormat};
use crate::identity::Date;
use crate::note::{MadeBy, Note};
use crate::record::{Draft, Reviewed, Signature, Stage};
use crate::speech::transcript::{TRANSCRIPT_SCHEMA, Transcript};
use crate::visit::{Encounter, Given, GivenNumber, Patient};

fn patient(name: &str, hkid: &str) -> Patient {
    let allergies = ["penicillin".to_owned()];
    let numbers = [GivenNumber::own("hkid", hkid)];
    let identifiers = if hkid.is_empty() { &[][..] } else { &numbers };
    let given = Given { name, identifiers, born: Some("1961-03-02"), allergies: Some(&allergies), ..Given::default() };
    Patient::new(&given, Date::parse("2026-11-26").unwrap()).unwrap()
}

async fn recording(store: &Store, id: &str) -> String {
    let new = NewRecording {
        id: id.into(),
        created_at: "2026-11-26T09:00:00+08:00".into(),
        format: StreamFormat::new(StreamEncoding::PcmS16le, 16_000, 1).unwrap(),
        language: "yue".into(),
        speakers: Vec::new(),
        token_hash: [3; 32],
    };
    store.create(new, &by()).await.unwrap().id
}

async fn visit(store: &Store, name: &str, at: i64) -> StoredEncounter {
    let patient = store.create_patient(&patient(name, ""), at, &by()).await.unwrap();
    store.create_encounter(&patient.id, at, &Encounter::new("Dr Lee").unwrap(), &by()).await.unwrap()
}

fn signature() -> Signature {
    Signature::new("Dr Lee", "2026-11-26T10:00:00Z").unwrap()
}

/// Gives a recording an empty note that was read through.
async fn finish_and_review(store: &Store, id: &str) -> Reviewed {
    let note = Note::empty(MadeBy { version: "1".into(), model: None, precision: None, wording: None, lexicon: String::new() });
    let (schema, language) = (TRANSCRIPT_SCHEMA.to_owned(), "yue".to_owned());
    let transcript = Transcript { schema, language, model: None, audio: None, segments: Vec::new() };
    store.finish(id, &transcript, &note).await.unwrap();
    let reviewed = Draft::new(1, note).review(signature()).unwrap();
    store.save_review(id, &reviewed, &SeenVisit::Unsaid, &by()).await.unwrap();
    reviewed
}

/// Whether a byte string is anywhere in the files of a folder.
fn holds(folder: &Path, needle: &[u8]) -> bool {
    let mut found = false;
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        found |= if path.is_dir() {
            holds(&path, needle)
        } else {
            // SQLite takes its journal away a moment after it was closed.
            let content = fs::read(&path).or_else(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Ok(Vec::new()),
                _ => Err(error),
            });
            content.unwrap().windows(needle.len()).any(|part| part == needle)
        };
    }
    found
}

fn is_unknown<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Unknown { .. })), "{result:?}");
}

async fn patients_and_visits_are_there_after_opening_again_and_nothing_of_them_is_in_the_clear(site: Site) {
    let store = site.open().await;
    let known = store.create_patient(&patient("CHAN Tai Man", "A123456(3)"), 1_000, &by()).await.unwrap();
    let first = store.create_encounter(&known.id, 2_000, &Encounter::new("Dr Lee Siu Ming").unwrap(), &by()).await.unwrap();
    let second = store.create_encounter(&known.id, 3_000, &Encounter::new("Dr Ho").unwrap(), &by()).await.unwrap();
    let third = store.create_encounter(&known.id, 3_000, &Encounter::new("Dr Ho").unwrap(), &by()).await.unwrap();
    store.close().await;
    for clear in [&b"CHAN"[..], b"A123456", b"1961-03-02", b"penicillin", b"Siu Ming"] {
        assert!(!holds(site.path(), clear));
    }
    let store = site.open().await;
    assert_eq!(store.patient(&known.id).await.unwrap().as_ref(), Some(&known));
    assert_eq!(store.patients(Reach::TRIAL, 10).await.unwrap(), std::slice::from_ref(&known));
    assert_eq!(store.encounter(&first.id).await.unwrap().as_ref(), Some(&first));
    assert_eq!(store.encounters_of(&known.id).await.unwrap(), [third.clone(), second, first.clone()]);
    assert_eq!(store.encounters_between(Reach::TRIAL, (2_000, 3_000), 10).await.unwrap(), [first]);
    assert_eq!(store.encounters_between(Reach::TRIAL, (i64::MIN, i64::MAX), 1).await.unwrap(), [third]);
    assert!(!format!("{known:?}").contains("CHAN"));
}

async fn a_number_is_one_patients_alone(site: Site) {
    let store = site.open().await;
    let chan = store.create_patient(&patient("CHAN", "A123456(3)"), 1, &by()).await.unwrap();
    let taken = store.create_patient(&patient("WONG", "a1234563"), 2, &by()).await.unwrap_err();
    assert!(matches!(&taken, DeskError::Taken { patient } if *patient == chan.id), "{taken}");
    assert_eq!(store.patients(Reach::TRIAL, 10).await.unwrap().len(), 1, "the one refused was taken in all the same");
    let wong = store.create_patient(&patient("WONG", "E364912(5)"), 2, &by()).await.unwrap();
    let taken = store.change_patient(&wong.id, 1, &patient("WONG", "A123456(3)"), &by()).await.unwrap_err();
    assert!(matches!(taken, DeskError::Taken { .. }));
    assert_eq!(store.change_patient(&wong.id, 1, &patient("WONG Siu", "E364912(5)"), &by()).await.unwrap(), 2);
    let late = store.change_patient(&wong.id, 1, &patient("HO", ""), &by()).await.unwrap_err();
    assert!(matches!(late, DeskError::Conflict));
    assert_eq!(store.patient(&wong.id).await.unwrap().unwrap().patient.name.reveal(), "WONG Siu");
    // A number that was given up is free.
    store.change_patient(&wong.id, 2, &patient("WONG Siu", ""), &by()).await.unwrap();
    store.create_patient(&patient("HO", "E364912(5)"), 3, &by()).await.unwrap();
}

async fn a_recording_is_moved_and_its_history_says_so(site: Site) {
    let store = site.open().await;
    let (wrong, right) = (visit(&store, "CHAN", 10).await, visit(&store, "WONG", 20).await);
    let id = recording(&store, "one").await;
    store.assign(&id, &wrong.id, false, &by()).await.unwrap();
    assert_eq!(store.assigned(&id).await.unwrap(), Some((wrong.id.clone(), false)));
    let conflict = store.move_recording(&id, None, &right.id, ("Dr Lee", "2026-11-26T10:00:00Z"), &by()).await.unwrap_err();
    assert!(matches!(conflict, DeskError::Conflict));
    let moved = store.move_recording(&id, Some(&wrong.id), &right.id, ("Dr Lee", "2026-11-26T10:00:00Z"), &by()).await.unwrap();
    assert_eq!((moved.from_patient.as_ref(), &moved.to_patient), (Some(&wrong.patient), &right.patient));
    store.move_recording(&id, Some(&right.id), &wrong.id, ("Dr Ho", "2026-11-26T11:00:00Z"), &by()).await.unwrap();
    let moves = store.moves(&id).await.unwrap();
    assert_eq!(moves.iter().map(|entry| entry.by.reveal()).collect::<Vec<_>>(), ["Dr Lee", "Dr Ho"]);
    assert_eq!(moves[0], moved);
    assert_eq!(store.recordings_of(&wrong.id).await.unwrap(), std::slice::from_ref(&id));
    assert!(store.recordings_of(&right.id).await.unwrap().is_empty());
    // One that was made for nobody is given to somebody.
    let other = recording(&store, "two").await;
    store.move_recording(&other, None, &right.id, ("Dr Lee", "2026-11-26T12:00:00Z"), &by()).await.unwrap();
    assert_eq!(store.assignments().await.unwrap().len(), 2);
    assert!(!holds(site.path(), b"Dr Ho"));
}

async fn a_signed_note_stays_where_it_is(site: Site) {
    let store = site.open().await;
    let (one, other) = (visit(&store, "CHAN", 10).await, visit(&store, "WONG", 20).await);
    let id = recording(&store, "one").await;
    store.assign(&id, &one.id, false, &by()).await.unwrap();
    let reviewed = finish_and_review(&store, &id).await;
    store.move_recording(&id, Some(&one.id), &other.id, ("Dr Lee", "2026-11-26T10:01:00Z"), &by()).await.unwrap();
    let signed = reviewed.clone().sign(signature());
    for stale in [Some(one.id.clone()), None] {
        let stale = SeenVisit::Said(stale);
        let refused =
            [store.save_review(&id, &reviewed, &stale, &by()).await, store.save_signature(&id, &signed, &stale, &by()).await];
        assert!(refused.iter().all(|refused| matches!(refused, Err(SaveError::Moved))), "{refused:?}");
    }
    assert_eq!(store.stage(&id).await.unwrap(), Some(Stage::Reviewed));
    store.save_signature(&id, &signed, &SeenVisit::Said(Some(other.id.clone())), &by()).await.unwrap();
    let late = store.move_recording(&id, Some(&other.id), &one.id, ("Dr Lee", "2026-11-26T10:02:00Z"), &by()).await;
    assert!(matches!(late, Err(DeskError::Signed)), "{late:?}");
    assert_eq!(store.assigned(&id).await.unwrap(), Some((other.id, false)));
    assert_eq!(store.moves(&id).await.unwrap().len(), 1);
}

async fn a_patient_who_does_not_want_to_be_recorded_is_not(site: Site) {
    let store = site.open().await;
    let (refusing, other) = (visit(&store, "CHAN", 10).await, visit(&store, "WONG", 20).await);
    assert!(store.set_refused(&refusing.id, true, &by()).await.unwrap().encounter.refused);
    let (heard, typed) = (recording(&store, "heard").await, recording(&store, "typed").await);
    assert!(matches!(store.assign(&heard, &refusing.id, false, &by()).await, Err(DeskError::Refused)));
    store.assign(&typed, &refusing.id, true, &by()).await.unwrap();
    store.assign(&heard, &other.id, false, &by()).await.unwrap();
    let moved = store.move_recording(&heard, Some(&other.id), &refusing.id, ("Dr Lee", "2026-11-26T10:00:00Z"), &by()).await;
    assert!(matches!(moved, Err(DeskError::Refused)));
    store.move_recording(&typed, Some(&refusing.id), &other.id, ("Dr Lee", "2026-11-26T10:00:00Z"), &by()).await.unwrap();
    assert_eq!(store.assigned(&typed).await.unwrap(), Some((other.id, true)), "it is typed still");
    store.set_refused(&refusing.id, false, &by()).await.unwrap();
    let later = recording(&store, "later").await;
    store.assign(&later, &refusing.id, false, &by()).await.unwrap();
}

#[tokio::test]
async fn nothing_of_an_erased_patient_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    let (gone, kept) = (visit(&store, "CHAN", 10).await, visit(&store, "WONG", 20).await);
    let id = recording(&store, "one").await;
    store.assign(&id, &gone.id, false, &by()).await.unwrap();
    assert!(matches!(store.erase_patient(&gone.patient, &by()).await, Err(DeskError::InUse)));
    assert!(matches!(store.erase_encounter(&gone.id, &by()).await, Err(DeskError::InUse)));
    let values = "SELECT document FROM patients WHERE id = $1 UNION ALL SELECT document FROM encounters WHERE patient = $1";
    let mut sealed =
        sqlx::query_scalar::<_, Vec<u8>>(values).bind(&gone.patient).fetch_all(store.database().pool()).await.unwrap();
    sealed.extend(store.shared.keys.wrapped(Whose::Patient, &gone.patient));
    assert!(sealed.len() == 3 && sealed.iter().all(|value| holds(folder.path(), &value[..16])));
    store.erase(&id, Erasable::Signed, &by()).await.unwrap();
    store.erase_patient(&gone.patient, &by()).await.unwrap();
    assert!(sealed.iter().all(|value| !holds(folder.path(), &value[..16])));
    assert!(!holds(folder.path(), gone.patient.as_bytes()) && !holds(folder.path(), gone.id.as_bytes()));
    assert!(store.encounter(&gone.id).await.unwrap().is_none() && store.patient(&gone.patient).await.unwrap().is_none());
    store.erase_encounter(&kept.id, &by()).await.unwrap();
    assert!(store.patient(&kept.patient).await.unwrap().is_some());
}

async fn what_is_not_there_is_told_as_such_and_what_was_changed_is_damaged(site: Site) {
    let store = site.open().await;
    let encounter = Encounter::new("Dr Lee").unwrap();
    is_unknown(store.create_encounter("no", 1, &encounter, &by()).await);
    is_unknown(store.set_refused("no", true, &by()).await);
    for result in [
        store.change_patient("no", 1, &patient("CHAN", ""), &by()).await.map(drop),
        store.erase_patient("no", &by()).await.map(drop),
        store.erase_encounter("no", &by()).await,
        store.assign("no", "no", false, &by()).await,
    ] {
        assert!(matches!(result, Err(DeskError::Store(StoreError::Unknown { .. }))), "{result:?}");
    }
    assert!(store.patient("no").await.unwrap().is_none() && store.assigned("no").await.unwrap().is_none());
    assert!(matches!(store.moves("no").await, Err(StoreError::Missing { .. })));
    let (one, other) = (visit(&store, "CHAN", 10).await, visit(&store, "WONG", 20).await);
    // The document of another patient, with its key.
    let swap = "UPDATE patients SET document = (SELECT document FROM patients WHERE id = $1) WHERE id = $2";
    sqlx::query(swap).bind(&other.patient).bind(&one.patient).execute(store.database().pool()).await.unwrap();
    let error = store.patient(&one.patient).await.unwrap_err().to_string();
    assert!(error.contains(&format!("patients.document of patient {}", one.patient)), "{error}");
    let theirs = store.shared.keys.wrapped(Whose::Patient, &other.patient).unwrap();
    store.shared.keys.tamper(Whose::Patient, &one.patient, theirs);
    let error = store.patient(&one.patient).await.unwrap_err().to_string();
    assert!(error.contains(&format!("patients.data_key of patient {}", one.patient)), "{error}");
    assert_eq!(store.patients(Reach::TRIAL, 10).await.unwrap().len(), 1, "the list is shown without it");
    tamper(&store, &format!("UPDATE encounters SET document = x'00' WHERE id = '{}'", other.id)).await;
    assert!(matches!(store.encounter(&other.id).await, Err(StoreError::Damaged { .. })));
}

async fn what_is_damaged_is_counted_and_erased_like_the_rest(site: Site) {
    let store = site.open().await;
    let theirs = visit(&store, "CHAN", 10).await;
    let other = visit(&store, "WONG", 20).await;
    for (id, of) in [("good", &theirs.id), ("bad", &theirs.id), ("others", &other.id)] {
        recording(&store, id).await;
        store.assign(id, of, false, &by()).await.unwrap();
    }
    store
        .save_signature("good", &finish_and_review(&store, "good").await.sign(signature()), &SeenVisit::Unsaid, &by())
        .await
        .unwrap();
    tamper(&store, &format!("UPDATE encounters SET document = x'00' WHERE id = '{}'", theirs.id)).await;
    for statement in ["UPDATE recordings SET speakers = x'00' WHERE id = 'bad'", "UPDATE note_signatures SET document = x'00'"] {
        tamper(&store, statement).await;
    }
    assert!(store.encounters_of(&theirs.patient).await.unwrap().is_empty(), "it can be read");
    let found = store.inventory(&theirs.patient).await.unwrap();
    assert_eq!(found.visits, [10]);
    let shown: Vec<_> = found.recordings.iter().map(|one| (one.id.as_str(), one.signatures, one.signed_at)).collect();
    assert_eq!(shown, [("bad", 0, None), ("good", 1, None)]);
    let (of, pseudonym) = (Reach::TRIAL.organisation, store.pseudonym(&theirs.patient).unwrap());
    assert_eq!(store.patient_by_pseudonym(of, pseudonym).await.unwrap().as_ref(), Some(&theirs.patient));
    let elsewhere = crate::audit::OrganisationId::from_bytes([9; 16]);
    assert_eq!(store.patient_by_pseudonym(elsewhere, pseudonym).await.unwrap(), None);
    for one in &found.recordings {
        store.erase(&one.id, Erasable::Signed, &by()).await.unwrap();
    }
    store.erase_patient(&theirs.patient, &by()).await.unwrap();
    assert_eq!(store.patient_by_pseudonym(of, pseudonym).await.unwrap(), None);
    assert_eq!(store.inventory(&other.patient).await.unwrap().recordings.len(), 1);
}

async fn of_moves_and_a_signature_at_once_one_move_is_made_or_none_after_the_signature(site: Site) {
    let store = site.open().await;
    let (from, one, other) = (visit(&store, "CHAN", 10).await, visit(&store, "WONG", 20).await, visit(&store, "HO", 30).await);
    for round in 0..8 {
        let says = round % 2 == 0;
        let id = recording(&store, &format!("R{round}")).await;
        store.assign(&id, &from.id, false, &by()).await.unwrap();
        let reviewed = finish_and_review(&store, &id).await;
        let signing = {
            let (store, id) = (store.clone(), id.clone());
            let seen = if says { SeenVisit::Said(Some(from.id.clone())) } else { SeenVisit::Unsaid };
            tokio::spawn(async move { store.save_signature(&id, &reviewed.sign(signature()), &seen, &by()).await })
        };
        let moves: Vec<_> = [&one.id, &other.id, &one.id, &other.id]
            .map(|to| {
                let (store, id, from, to) = (store.clone(), id.clone(), from.id.clone(), to.clone());
                tokio::spawn(async move {
                    store.move_recording(&id, Some(&from), &to, ("Dr Lee", "2026-11-26T10:01:00Z"), &by()).await
                })
            })
            .into();
        let signed = match signing.await.unwrap() {
            Ok(()) => true,
            Err(SaveError::Moved) if says => false,
            Err(error) => panic!("{error}"),
        };
        let mut made = 0;
        for moving in moves {
            match moving.await.unwrap() {
                Ok(_) => made += 1,
                Err(DeskError::Conflict | DeskError::Signed) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!((store.moves(&id).await.unwrap().len(), made < 2), (made, true));
        // Whoever said whose they saw it signed signed it there.
        assert!(!says || signed != (made == 1), "signed {signed}, moved {made} times");
    }
}

async fn of_a_refusal_and_recordings_at_once_none_begins_after_the_refusal(site: Site) {
    let store = site.open().await;
    for round in 0..8 {
        let encounter = visit(&store, "CHAN", round).await;
        let mut begun = Vec::new();
        for number in 0..6 {
            let id = recording(&store, &format!("R{round}-{number}")).await;
            let (store, encounter) = (store.clone(), encounter.id.clone());
            begun.push(tokio::spawn(async move { store.assign(&id, &encounter, false, &by()).await }));
        }
        store.set_refused(&encounter.id, true, &by()).await.unwrap();
        let known = store.recordings_of(&encounter.id).await.unwrap().len();
        let mut entered = 0;
        for begun in begun {
            match begun.await.unwrap() {
                Ok(()) => entered += 1,
                Err(DeskError::Refused) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(entered, known, "of round {round}");
    }
}

on_both! {
    patients_and_visits_are_there_after_opening_again_and_nothing_of_them_is_in_the_clear,
    a_number_is_one_patients_alone,
    a_recording_is_moved_and_its_history_says_so,
    a_signed_note_stays_where_it_is,
    a_patient_who_does_not_want_to_be_recorded_is_not,
    what_is_not_there_is_told_as_such_and_what_was_changed_is_damaged,
    what_is_damaged_is_counted_and_erased_like_the_rest,
    of_moves_and_a_signature_at_once_one_move_is_made_or_none_after_the_signature,
    of_a_refusal_and_recordings_at_once_none_begins_after_the_refusal,
}
