//! What is kept how long, with the clock in the test's hand, on both databases.

use super::consent_tests::{code, patient, request};
use super::tests::{Site, by, events, filled, holds, new_recording, on_both};
use super::*;
use crate::audit::{Action, Actor, Outcome, UnixMillis};
use crate::interop::fhir::Instant;
use crate::record::{Draft, Signature};
use crate::visit::Encounter;

const HOUR: i64 = 3600;
const KEEP: i64 = 72 * HOUR;

fn at(seconds: i64) -> By {
    By { actor: Actor::System, at: UnixMillis(seconds.unsigned_abs() * 1_000), address: None, device: None, purpose: None }
}

/// Signs the current version of a recording's note at this time.
async fn sign(store: &Store, id: &str, seconds: i64) {
    let signature = Signature::new("Dr Lee", Instant::from_unix_seconds(seconds).as_str()).unwrap();
    let document = store.document(id).await.unwrap().unwrap();
    let reviewed = Draft::new(document.version, document.note).review(signature.clone()).unwrap();
    store.save_review(id, &reviewed, &SeenVisit::Unsaid, &by()).await.unwrap();
    store.save_signature(id, &reviewed.sign(signature), &SeenVisit::Unsaid, &by()).await.unwrap();
}

async fn last(store: &Store) -> (Action, Outcome) {
    let event = events(store).await.pop().unwrap();
    (event.action, event.outcome)
}

async fn sound_goes_in_its_time_and_the_record_stays(site: Site) {
    let store = site.open().await;
    let (signed, draft) = (filled(&store, "signed").await, filled(&store, "draft").await);
    let signed_at = 1_790_000_000;
    sign(&store, &signed.id, signed_at).await;
    let there = |id: &str| store.spool_path(id).exists();
    assert_eq!(store.erase_due_sound(KEEP, &at(signed_at + KEEP - 1)).await.unwrap(), 0);
    assert!(there(&signed.id) && there(&draft.id), "sound went before its time");
    assert_eq!(
        store.sound(&signed.id).await.unwrap(),
        SoundState { signed_at: Some(signed_at), erased_at: None, on_hold: false }
    );
    store.close().await;

    // The program stood still for a year: its memory has nothing, and what is due goes all the same, once.
    let store = site.open().await;
    let late = signed_at + 365 * 24 * HOUR;
    assert_eq!(store.erase_due_sound(KEEP, &at(late)).await.unwrap(), 1);
    assert_eq!(last(&store).await, (Action::EraseSound, Outcome::Done));
    assert_eq!(store.erase_due_sound(KEEP, &at(late + HOUR)).await.unwrap(), 0);
    assert_eq!(events(&store).await.iter().filter(|event| event.action == Action::EraseSound).count(), 1);
    assert!(!store.spool_path(&signed.id).exists() && store.spool_path(&draft.id).exists(), "a draft's sound is kept");
    assert_eq!(store.sound(&signed.id).await.unwrap().erased_at, Some(late));
    let kept = store.record(&signed.id).await.unwrap().unwrap();
    assert!(kept.record.signed().is_ok() && !kept.transcript.segments.is_empty(), "the record is gone");
    store.erase(&signed.id, Erasable::Signed, &by()).await.unwrap();
    assert!(store.recording(&signed.id).await.unwrap().is_none());
}

async fn what_a_kill_left_half_done_is_ended(site: Site) {
    let store = site.open().await;
    let recording = filled(&store, "signed").await;
    sign(&store, &recording.id, 1_790_000_000).await;
    let bytes = std::fs::read(store.spool_path(&recording.id)).unwrap();
    assert_eq!(store.erase_due_sound(KEEP, &at(1_790_000_000 + KEEP)).await.unwrap(), 1);
    // As if the machine had stopped between the event and the file.
    std::fs::write(store.spool_path(&recording.id), bytes).unwrap();
    let undone = sqlx::query("UPDATE sound_erasures SET done = 0");
    undone.execute(store.database().pool()).await.unwrap();
    store.close().await;
    let store = site.open().await;
    assert_eq!(store.erase_due_sound(KEEP, &at(1_790_000_000 + KEEP + 60)).await.unwrap(), 0);
    assert!(!store.spool_path(&recording.id).exists());
}

async fn a_legal_hold_wins_until_it_is_lifted(site: Site) {
    let store = site.open().await;
    let (patient, due) = (patient(&store).await, at(1_790_000_000 + KEEP));
    let visit = store.create_encounter(&patient, 1, &Encounter::new("Dr Lee").unwrap(), &by()).await.unwrap();
    let (theirs, other) = (filled(&store, "theirs").await, filled(&store, "other").await);
    store.assign(&theirs.id, &visit.id, false, &by()).await.unwrap();
    for id in [&theirs.id, &other.id] {
        sign(&store, id, 1_790_000_000).await;
    }
    let on_patient = store.place_hold(Held::Patient(patient.clone()), "a claim of 2026", "Ms Ho", &by()).await.unwrap();
    assert_eq!(last(&store).await, (Action::HoldPlace, Outcome::Done));
    let on_recording = store.place_hold(Held::Recording(other.id.clone()), "another claim", "Ms Ho", &by()).await.unwrap();
    assert_eq!(store.erase_due_sound(KEEP, &due).await.unwrap(), 0);
    assert!(store.sound(&theirs.id).await.unwrap().on_hold && store.is_patient_held(&patient).await.unwrap());
    let listed = store.holds(TRIAL_ORGANISATION).await.unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().any(|hold| hold.reason.reveal() == "a claim of 2026" && hold.held == Held::Patient(patient.clone())));
    let elsewhere = crate::audit::OrganisationId::from_bytes([7; 16]);
    assert!(!store.lift_hold(&on_patient.id, elsewhere, &by()).await.unwrap(), "another organisation lifts it");
    assert!(store.lift_hold(&on_patient.id, TRIAL_ORGANISATION, &by()).await.unwrap());
    assert!(!store.lift_hold(&on_patient.id, TRIAL_ORGANISATION, &by()).await.unwrap());
    assert_eq!(last(&store).await, (Action::HoldLift, Outcome::Done));
    assert_eq!(store.erase_due_sound(KEEP, &due).await.unwrap(), 1);
    assert!(!store.spool_path(&theirs.id).exists() && store.spool_path(&other.id).exists());
    assert!(store.lift_hold(&on_recording.id, TRIAL_ORGANISATION, &by()).await.unwrap());
    assert!(store.place_hold(Held::Patient("none".into()), "x", "x", &by()).await.is_err());
}

async fn a_hold_on_a_recording_holds_it_while_it_is_made_and_one_on_its_patient_but_for_the_patients_stop(site: Site) {
    let store = site.open().await;
    let patient = patient(&store).await;
    let visit = store.create_encounter(&patient, 1, &Encounter::new("Dr Lee").unwrap(), &by()).await.unwrap();
    let mut made = Vec::new();
    for _ in 0..3 {
        let open = store.create(new_recording(), &by()).await.unwrap();
        store.assign(&open.id, &visit.id, false, &by()).await.unwrap();
        made.push(open.id);
    }
    let refused = (Action::Erase, Outcome::Refused { reason: crate::audit::Refusal::OnHold });
    let held = async |done: Result<(), StoreError>, id: &str, why: &str| {
        assert!(matches!(done, Err(StoreError::OnHold)), "{why}: {done:?}");
        let event = events(&store).await.pop().unwrap();
        assert_eq!((event.action, event.outcome), refused, "{why}");
        assert_eq!((event.record, event.patient), (Some(record_id(id)), Some(store.pseudonym(&patient).unwrap())));
        assert!(store.recording(id).await.unwrap().is_some(), "{why}");
    };
    let on_itself = store.place_hold(Held::Recording(made[0].clone()), "a claim", "Ms Ho", &by()).await.unwrap();
    held(
        store.stop_and_erase(&made[0], Erasable::Signed, &by()).await.map(drop),
        &made[0],
        "a patient's stop of what is held itself",
    )
    .await;
    held(store.may_be_erased(&made[0], true, &by()).await, &made[0], "the same, asked before").await;
    held(store.erase(&made[0], Erasable::Signed, &by()).await.map(drop), &made[0], "an open recording that is held itself").await;
    store.lift_hold(&on_itself.id, TRIAL_ORGANISATION, &by()).await.unwrap();
    store.place_hold(Held::Patient(patient.clone()), "a claim", "Ms Ho", &by()).await.unwrap();
    held(store.erase(&made[0], Erasable::Signed, &by()).await.map(drop), &made[0], "an open recording that nobody makes").await;
    held(store.may_be_erased(&made[0], false, &by()).await, &made[0], "the same, asked before").await;
    store.may_be_erased(&made[0], true, &by()).await.unwrap();
    store.stop_and_erase(&made[0], Erasable::Signed, &by()).await.unwrap();
    assert!(store.recording(&made[0]).await.unwrap().is_none());
    // A hold that is placed at the same time comes before the erasing or finds nothing.
    for id in &made[1..] {
        let by = by();
        let place = store.place_hold(Held::Recording(id.clone()), "a claim", "Ms Ho", &by);
        let (placed, erased) = tokio::join!(place, store.stop_and_erase(id, Erasable::Signed, &by));
        assert_ne!(placed.is_ok(), erased.is_ok(), "both, or neither");
        assert_eq!(store.recording(id).await.unwrap().is_some(), placed.is_ok());
    }
}

/// A request that the patient opened, and refused an hour later: when that was.
async fn ended(store: &Store, patient: &str) -> (crate::audit::ConsentId, UnixMillis) {
    let opened = By::now(Actor::System).at;
    let id = request(store, Some(patient), opened).await;
    code(store, id).await;
    let refused = By::now(Actor::System).at.after(3_600_000);
    let by = By { at: refused, ..by() };
    let cancel = store.change_consent(id, &by, |consent, _| {
        let requester = *consent.requester();
        consent.refuse(requester, None, refused).into()
    });
    cancel.await.unwrap().unwrap().outcome.unwrap();
    (id, refused)
}

async fn count(store: &Store, table: &str) -> i64 {
    let query = format!("SELECT count(*) FROM {table}");
    sqlx::query_scalar::<_, i64>(&query).fetch_one(store.database().pool()).await.unwrap()
}

async fn an_ended_share_is_closed_after_its_cooling_off(site: Site) {
    let cooling = 72 * 3_600_000;
    for (policy, action) in [(EndedShares::Archive, Action::ShareArchive), (EndedShares::Destroy, Action::ShareDestroy)] {
        let store = site.open().await;
        let patient = patient(&store).await;
        let before = count(&store, "ended_shares").await;
        let (id, ended) = ended(&store, &patient).await;
        let running = request(&store, Some(&patient), By::now(Actor::System).at).await;
        let early = By { at: UnixMillis(ended.0 + cooling - 1), ..by() };
        assert_eq!(store.close_ended_shares(cooling, policy, &early).await.unwrap(), 0);
        let hold = store.place_hold(Held::Patient(patient.clone()), "a claim", "Ms Ho", &by()).await.unwrap();
        let due = By { at: UnixMillis(ended.0 + cooling), ..by() };
        assert_eq!(store.close_ended_shares(cooling, policy, &due).await.unwrap(), 0, "a hold wins");
        store.lift_hold(&hold.id, TRIAL_ORGANISATION, &by()).await.unwrap();
        store.close().await;

        let store = site.open().await;
        assert_eq!(store.close_ended_shares(cooling, policy, &due).await.unwrap(), 1);
        let event = events(&store).await.pop().unwrap();
        assert_eq!((event.action, event.consent), (action, Some(id)));
        assert_eq!(store.close_ended_shares(cooling, policy, &due).await.unwrap(), 0);
        let kept = store.consent(id).await.unwrap().unwrap();
        assert!(kept.consent.is_over() && kept.about.named.reveal().is_empty(), "the consent itself is kept, without the number");
        let messages = store.messages(100).await.unwrap();
        assert!(messages.iter().all(|message| message.consent != Some(id)), "its messages are there still");
        assert!(messages.iter().any(|message| message.consent == Some(running)), "a running one's messages are gone");
        assert_eq!(count(&store, "ended_shares").await, before + 1);
        store.close().await;
    }
    let store = site.open().await;
    let sizes = "SELECT CAST(length(document) AS BIGINT) FROM ended_shares ORDER BY length(document)";
    let sizes = sqlx::query_scalar::<_, i64>(sizes).fetch_all(store.database().pool()).await.unwrap();
    assert!(sizes[0] == 0 && sizes[1] > 100, "{sizes:?}");
}

#[tokio::test]
async fn nothing_of_a_destroyed_share_is_left_in_the_files() {
    let site = Site::sqlite();
    let store = site.open().await;
    let patient = patient(&store).await;
    let (_, ended) = ended(&store, &patient).await;
    let query = "SELECT document FROM outbox";
    let sealed = sqlx::query_scalar::<_, Vec<u8>>(query).fetch_all(store.database().pool()).await.unwrap();
    assert!(!sealed.is_empty());
    let due = By { at: ended.after(72 * 3_600_000), ..by() };
    assert_eq!(store.close_ended_shares(72 * 3_600_000, EndedShares::Destroy, &due).await.unwrap(), 1);
    assert!(sealed.iter().all(|value| !holds(site.path(), &value[..16])), "a message is in a file still");
}

on_both! {
    sound_goes_in_its_time_and_the_record_stays,
    what_a_kill_left_half_done_is_ended,
    a_legal_hold_wins_until_it_is_lifted,
    a_hold_on_a_recording_holds_it_while_it_is_made_and_one_on_its_patient_but_for_the_patients_stop,
    an_ended_share_is_closed_after_its_cooling_off,
}
