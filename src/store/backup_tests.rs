//! Backups: restored into an empty folder they are what was saved, and what was destroyed since stays destroyed.

use std::fs;

use super::keys::Whose;
use super::tests::*;
use super::*;
use crate::audit::{Action, Actor, Event, Fault, NoteVerifier, Outcome, verify};
use crate::consent::Consent;
use crate::identity::Date;
use crate::ledger::LogFolder;
use crate::visit::{Encounter, Given, Patient};

const SENTINEL: &str = "the sentinel 那句話 that nobody else says";

/// Where a site's parts go, and its master key.
pub(super) struct Parts {
    folder: tempfile::TempDir,
}

impl Parts {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) async fn save(&self, site: &Site, records: &str) -> BackedUp {
        back_up(&site.opening(), &self.at(records), &self.at("keys")).await.unwrap()
    }

    /// Restores into an empty site of the same kind.
    pub(super) async fn restore(&self, from: &Site, records: &str) -> (Result<Restored, StoreError>, Site) {
        let site = if from.url.is_some() { Site::postgres() } else { Site::sqlite() };
        (restore(&self.restoring(from, records, &site)).await, site)
    }

    fn restoring(&self, from: &Site, records: &str, to: &Site) -> Restoring {
        let master = MasterSource::File(from.path().join("master.key"));
        Restoring { records: self.at(records), keys: self.at("keys"), to: Opening { master, ..to.opening() }, own: true }
    }
}

async fn visit(store: &Store, name: &str) -> StoredEncounter {
    let given = Given { name, born: Some("1961-03-02"), ..Given::default() };
    let patient = Patient::new(&given, Date::parse("2026-11-26").unwrap()).unwrap();
    let patient = store.create_patient(&patient, 7, &by()).await.unwrap();
    store.create_encounter(&patient.id, 7, &Encounter::new("Dr Lee").unwrap(), &by()).await.unwrap()
}

async fn events(store: &Store) -> Vec<Event> {
    store.events(0, usize::MAX).await.unwrap().iter().map(|entry| Event::decode(entry).unwrap()).collect()
}

fn did(events: &[Event], action: Action) -> usize {
    events.iter().filter(|event| event.action == action && event.actor == Actor::System).count()
}

/// The faults of a site's log, read with nothing but it and its public key.
fn faults(site: &Site, seen: Option<&Path>) -> Vec<Fault> {
    let verifier = NoteVerifier::parse(&fs::read_to_string(site.path().join("audit.pub")).unwrap()).unwrap();
    let seen = seen.map(|path| crate::audit::Checkpoint::open(&fs::read_to_string(path).unwrap(), &verifier).unwrap());
    verify(&LogFolder::new(&site.path().join("audit")), &verifier, seen.as_ref()).unwrap().faults
}

async fn a_backup_restored_into_an_empty_folder_is_what_was_saved(site: Site) {
    let parts = Parts::new();
    let store = site.open().await;
    let finished = filled(&store, SENTINEL).await;
    let open = store.create(new_recording(), &by()).await.unwrap();
    store.add_final(&open.id, 1, 5, 9, Some(&segment(4, SENTINEL))).await.unwrap();
    let encounter = visit(&store, "CHAN").await;
    store.assign(&finished.id, &encounter.id, false, &by()).await.unwrap();
    // Beside a store that is in use, as it is beside a server.
    let saved = parts.save(&site, "records").await;
    assert_eq!((saved.recordings, saved.keys), (2, 3));
    let before = events(&store).await;
    assert_eq!(did(&before, Action::Backup), 1);
    for clear in [SENTINEL.as_bytes(), b"CHAN", b"Mrs Wong", finished.key.reveal()] {
        assert!(!holds(parts.folder.path(), clear));
    }
    for (name, _) in files(parts.folder.path()) {
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&name).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let records = files(&parts.at("records"));
    let wrapped = store.shared.keys.wrapped(Whose::Recording, &finished.id).unwrap();
    assert!(records.iter().all(|(_, bytes)| !bytes.windows(16).any(|part| part == &wrapped[..16])), "no key beside the records");

    let (restored, other) = parts.restore(&site, "records").await;
    let restored = restored.unwrap();
    assert_eq!((restored.recordings, restored.erased_again, restored.seen), (2, 0, None));
    let again = other.open().await;
    for id in [&finished.id, &open.id] {
        let (one, two) = (store.recording(id).await.unwrap().unwrap(), again.recording(id).await.unwrap().unwrap());
        assert_eq!(
            (one.state, one.created_at, one.speakers, one.token_hash),
            (two.state, two.created_at, two.speakers, two.token_hash)
        );
        assert_eq!((one.key.reveal(), one.version, one.duration_ms), (two.key.reveal(), two.version, two.duration_ms));
        assert_eq!(store.finals(id).await.unwrap(), again.finals(id).await.unwrap());
    }
    for version in [1, 2] {
        let read = async |store: &Store| store.note_version(&finished.id, version).await.unwrap().unwrap();
        assert_eq!(read(&store).await, read(&again).await);
    }
    let (one, two) = (store.document(&finished.id).await.unwrap().unwrap(), again.document(&finished.id).await.unwrap().unwrap());
    assert_eq!(one.transcript, two.transcript);
    let sound = |store: &Store| fs::read(store.spool_path(&finished.id)).unwrap();
    assert_eq!(sound(&store), sound(&again));
    let patient = &encounter.patient;
    assert_eq!(store.patient(patient).await.unwrap(), again.patient(patient).await.unwrap());
    assert_eq!(store.encounters_of(patient).await.unwrap(), again.encounters_of(patient).await.unwrap());
    assert_eq!(again.assigned(&finished.id).await.unwrap(), Some((encounter.id.clone(), false)));
    assert_eq!(store.pseudonym(patient).unwrap(), again.pseudonym(patient).unwrap());
    // The log goes on from where it was, and says that it was restored.
    let after = events(&again).await;
    assert_eq!(after[..before.len()], before);
    assert_eq!(did(&after, Action::Restore), 1);
    again.write_log().await.unwrap();
    assert_eq!(faults(&other, None), []);
    // Numbers go on too.
    filled(&again, "later").await;
}

async fn what_was_erased_since_an_old_backup_stays_erased(site: Site) {
    let parts = Parts::new();
    let store = site.open().await;
    let (gone, kept, moved) = (filled(&store, "gone").await, filled(&store, "kept").await, filled(&store, "moved").await);
    let (patient, other) = (visit(&store, "CHAN").await, visit(&store, "WONG").await);
    store.assign(&gone.id, &patient.id, false, &by()).await.unwrap();
    store.assign(&moved.id, &patient.id, false, &by()).await.unwrap();
    for person in [&patient.patient, &other.patient] {
        emergency_tests::emergency_of(&store, person).await;
    }
    parts.save(&site, "old").await;
    let sealed = sealed_values(&store, &gone.id).await;
    store.move_recording(&moved.id, Some(&patient.id), &other.id, ("Dr Lee", "2026-11-26T10:00:00Z"), &by()).await.unwrap();
    store.erase(&gone.id, Erasable::Signed, &by()).await.unwrap();
    store.erase_patient(&patient.patient, &by()).await.unwrap();
    store.write_log().await.unwrap();
    let newest = parts.save(&site, "new").await;
    assert_eq!(newest.keys, 3);
    // The old records hold what was erased, and no key that there is opens it.
    let id = gone.id.as_bytes();
    assert!(holds(&parts.at("old"), id) && holds(&parts.at("old/audio"), id));
    assert_eq!(files(&parts.at("keys")).len(), 1, "only the newest keys");

    let (restored, there) = parts.restore(&site, "old").await;
    let restored = restored.unwrap();
    assert_eq!((restored.recordings, restored.erased_again), (2, 2));
    let again = there.open().await;
    assert!(again.recording(&gone.id).await.unwrap().is_none() && !again.spool_path(&gone.id).exists());
    assert!(again.patient(&patient.patient).await.unwrap().is_none() && again.encounter(&patient.id).await.unwrap().is_none());
    assert!(matches!(again.finals(&gone.id).await, Err(StoreError::Missing { .. })));
    assert!(sealed.iter().all(|value| !holds(there.path(), &value[..16])));
    assert!(again.recording(&kept.id).await.unwrap().is_some());
    assert_eq!(again.assigned(&moved.id).await.unwrap(), None, "whose it became is not known here");
    assert!(again.document(&moved.id).await.unwrap().is_some());
    let events = events(&again).await;
    let erased = |action| events.iter().filter(|event| event.action == action).count();
    assert_eq!((erased(Action::Erase), erased(Action::KeyDestroy)), (2, 2), "each with its event");
    // Who was to be told of an emergency is told still; of whom is gone, that nobody was told is an event each.
    let due = again.messages_due(by().at, 100).await.unwrap();
    assert!(due.len() == 4 && due.iter().all(|message| message.patient == other.patient));
    let untold = |event: &&Event| event.action == Action::BreakGlassAnnounce && event.outcome == Outcome::Failed;
    assert_eq!(events.iter().filter(untold).count(), 4);
    assert!(events.iter().any(|event| event.action == Action::Erase && event.record == Some(record_id(&gone.id))));
    again.write_log().await.unwrap();
    again.close().await;
    // The log is whole, and shorter than it was once.
    assert_eq!(faults(&there, None), []);
    assert!(restored.known > restored.entries);
    let found = faults(&there, restored.seen.as_deref());
    assert!(!found.is_empty(), "the roll-back shows against the head that was kept");
}

async fn every_consent_and_link_is_void_after_a_restore_and_nobody_is_signed_in(site: Site) {
    let parts = Parts::new();
    let store = site.open().await;
    let patient = consent_tests::patient(&store).await;
    let at = By::now(Actor::System).at;
    let mut consents = Vec::new();
    for _ in 0..4 {
        consents.push(consent_tests::request(&store, Some(&patient), at).await);
    }
    let (asked, attested, answered, active) = (consents[0], consents[1], consents[2], consents[3]);
    assert!(consent_tests::attest(&store, attested).await.outcome.is_ok());
    for id in [answered, active] {
        let code = consent_tests::code(&store, id).await;
        consent_tests::deliver(&store).await;
        consent_tests::confirm(&store, id, &code).await.unwrap();
    }
    consent_tests::attest(&store, active).await;
    assert!(matches!(store.consent(active).await.unwrap().unwrap().consent, Consent::Active(_)));
    assert!(matches!(store.consent(answered).await.unwrap().unwrap().consent, Consent::Answered(_)));
    parts.save(&site, "old").await;
    // What the records do not know: the patient says no to each, and a link is used.
    assert!(consent_tests::open(&store, asked).await.is_ok());
    for id in [attested, answered, active] {
        let by = by();
        let said_no = store.change_consent(id, &by, |consent, _| consent.withdraw(Actor::Patient, by.at).into());
        said_no.await.unwrap().unwrap().outcome.unwrap();
    }
    parts.save(&site, "new").await;
    let (restored, there) = parts.restore(&site, "old").await;
    restored.unwrap();
    let again = there.open().await;
    let void = Err(crate::audit::Refusal::AlreadyUsed);
    for id in &consents {
        assert!(again.consent(*id).await.unwrap().unwrap().consent.is_over());
        assert_eq!(consent_tests::attest(&again, *id).await.outcome, void, "the doctor's word alone");
        assert_eq!(consent_tests::open(&again, *id).await, void, "a link that was used or thrown away");
    }
    assert!(again.messages_due(by().at, 100).await.unwrap().is_empty(), "no link is sent that opens nothing");
    let events = events(&again).await;
    for id in &consents {
        let ended =
            |event: &&Event| (event.action, event.actor, event.consent) == (Action::ConsentWithdraw, Actor::System, Some(*id));
        assert_eq!(events.iter().filter(ended).count(), 1, "each with its event");
    }
    for table in ["sessions", "session_tokens", "enrolments", "patient_pages", "ways_back"] {
        let count = format!("SELECT count(*) FROM {table}");
        assert_eq!(sqlx::query_scalar::<_, i64>(&count).fetch_one(again.database().pool()).await.unwrap(), 0, "{table}");
    }
}

async fn a_backup_that_is_not_whole_or_not_this_ones_is_refused_and_nothing_is_written(site: Site) {
    let parts = Parts::new();
    let store = site.open().await;
    let recording = filled(&store, "kept").await;
    let early = Parts::new();
    early.save(&site, "records").await;
    parts.save(&site, "records").await;
    store.close().await;
    let refused = async |parts: &Parts, what: &str| {
        let (result, there) = parts.restore(&site, "records").await;
        let error = result.unwrap_err();
        assert!(error.to_string().contains(what), "{error} instead of {what}");
        assert!(!there.path().exists(), "{what}");
    };
    // Each file of the records' part: shorter, changed, missing.
    for (name, bytes) in files(&parts.at("records")) {
        let short = &bytes[..bytes.len().saturating_sub(1)];
        let mut changed = bytes.clone();
        changed[bytes.len() / 2] ^= 1;
        for wrong in [short, &changed] {
            fs::write(&name, wrong).unwrap();
            let (result, there) = parts.restore(&site, "records").await;
            assert!(matches!(result, Err(StoreError::BadBackup { .. })), "{name}: {result:?}");
            assert!(!there.path().exists());
        }
        fs::remove_file(&name).unwrap();
        assert!(parts.restore(&site, "records").await.0.is_err(), "{name}");
        fs::write(&name, &bytes).unwrap();
    }
    // The keys' part.
    let keys = parts.at("keys/cantoscribe.keys");
    let bytes = fs::read(&keys).unwrap();
    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    for wrong in [&bytes[..bytes.len() - 1], &changed, &bytes[..10], b""] {
        fs::write(&keys, wrong).unwrap();
        refused(&parts, "keys").await;
    }
    // One that is older than the records, though whole.
    fs::copy(early.at("keys/cantoscribe.keys"), &keys).unwrap();
    refused(&parts, "older than the records").await;
    // One of another folder with the same master key.
    let other = Site::sqlite();
    fs::create_dir_all(other.path()).unwrap();
    fs::copy(site.path().join("master.key"), other.path().join("master.key")).unwrap();
    other.open().await.close().await;
    let theirs = Parts::new();
    theirs.save(&other, "records").await;
    fs::copy(theirs.at("keys/cantoscribe.keys"), &keys).unwrap();
    refused(&parts, "of another data folder").await;
    // It is not overwritten by mistake, either.
    let error = back_up(&site.opening(), &parts.at("more"), &parts.at("keys")).await.unwrap_err();
    assert!(matches!(error, StoreError::OthersKeys { .. }), "{error}");
    fs::write(&keys, &bytes).unwrap();
    // Another master key.
    let wrong = parts.at("wrong");
    fs::write(&wrong, [5; 32]).unwrap();
    let there = Site::sqlite();
    let mut restoring = parts.restoring(&site, "records", &there);
    restoring.to.master = MasterSource::File(wrong);
    assert!(matches!(restore(&restoring).await, Err(StoreError::WrongKey { .. })));
    // A target that is not empty.
    fs::create_dir_all(there.path()).unwrap();
    fs::write(there.path().join("file"), b"").unwrap();
    let error = restore(&parts.restoring(&site, "records", &there)).await.unwrap_err();
    assert!(matches!(error, StoreError::NotEmpty { .. }), "{error}");
    assert!(matches!(back_up(&site.opening(), &parts.at("records"), &parts.at("keys")).await, Err(StoreError::NotEmpty { .. })));
    let inside = site.path().join("backup");
    assert!(matches!(back_up(&site.opening(), &inside, &parts.at("keys")).await, Err(StoreError::NotApart { .. })));
    // All of that changed nothing.
    let (restored, there) = parts.restore(&site, "records").await;
    restored.unwrap();
    assert!(there.open().await.recording(&recording.id).await.unwrap().is_some());
}

async fn a_restore_that_was_cut_short_is_not_opened(site: Site) {
    site.open().await.close().await;
    if site.url.is_some() {
        // A database that has something in it is refused before the folder is made.
        let (parts, there) = (Parts::new(), Site::sqlite());
        parts.save(&site, "records").await;
        let mut restoring = parts.restoring(&site, "records", &there);
        restoring.to.database = site.url.clone().map(DatabaseUrl::from);
        assert!(matches!(restore(&restoring).await, Err(StoreError::NotEmpty { .. })));
        assert!(!there.path().exists());
    }
    fs::write(site.path().join("restoring"), b"").unwrap();
    assert!(matches!(site.try_open().await, Err(StoreError::HalfRestored { .. })));
}

async fn a_new_master_key_opens_all_and_the_former_one_nothing(site: Site) {
    let parts = Parts::new();
    let store = site.open().await;
    let recording = filled(&store, "kept").await;
    let encounter = visit(&store, "CHAN").await;
    let pseudonym = store.pseudonym(&encounter.patient).unwrap();
    let wrapped = store.shared.keys.wrapped(Whose::Recording, &recording.id).unwrap();
    store.close().await;
    parts.save(&site, "before").await;
    let former = fs::read(site.path().join("master.key")).unwrap();
    assert_eq!(rotate_keys(&site.opening(), &MasterSource::Folder).await.unwrap(), 2);
    let own = fs::read(site.path().join("master.key")).unwrap();
    assert!(own != former && !site.path().join("master.key.next").exists());
    assert!(!holds(site.path(), &wrapped[..16]) && !holds(site.path(), &former));
    let read = async |opening: Opening| {
        let store = Store::open_with(&opening).await.unwrap();
        assert_eq!(store.recording(&recording.id).await.unwrap().unwrap().key.reveal(), recording.key.reveal());
        assert!(store.patient(&encounter.patient).await.unwrap().is_some());
        assert_eq!(store.pseudonym(&encounter.patient).unwrap(), pseudonym, "the log calls the patient the same");
        let rotations = did(&events(&store).await, Action::KeyRotate);
        store.close().await;
        rotations
    };
    assert_eq!(read(site.opening()).await, 1);
    // To one that a command fetches, and back to one of the folder's own.
    let command = MasterSource::Command("printf '%064d' 7".to_owned());
    rotate_keys(&site.opening(), &command).await.unwrap();
    assert!(!site.path().join("master.key").exists());
    assert!(matches!(site.try_open().await, Err(StoreError::LostKey { .. })));
    let fetched = Opening { master: command.clone(), ..site.opening() };
    assert_eq!(read(fetched.clone()).await, 2);
    assert!(matches!(rotate_keys(&fetched, &command).await, Err(StoreError::SameKey)));
    rotate_keys(&fetched, &MasterSource::Folder).await.unwrap();
    assert_eq!(read(site.opening()).await, 3);
    // Backups from before are opened by the newest keys' part, whose key is the new one.
    parts.save(&site, "after").await;
    let (restored, there) = parts.restore(&site, "before").await;
    restored.unwrap();
    assert!(there.open().await.recording(&recording.id).await.unwrap().is_some());
}

async fn a_rotation_that_was_cut_short_is_ended_or_undone(site: Site) {
    let store = site.open().await;
    let recording = filled(&store, "kept").await;
    // The new key is there, and the key store has not changed.
    let next = store.shared.folder.make_next_master_key().unwrap();
    store.close().await;
    let store = site.open().await;
    assert!(!site.path().join("master.key.next").exists());
    assert!(!store.shared.keys.is_master(&next));
    assert_eq!(did(&events(&store).await, Action::KeyRotate), 0);
    // The key store has changed, and the key has not its name yet.
    let next = store.shared.folder.make_next_master_key().unwrap();
    store.shared.keys.rotate(&next).await.unwrap();
    store.close().await;
    let (parts, saved) = (Parts::new(), fs::read(site.path().join("master.key")).unwrap());
    parts.save(&site, "between").await;
    assert_eq!(fs::read(site.path().join("master.key")).unwrap(), saved, "a backup changes nothing");
    let store = site.open().await;
    assert!(store.shared.keys.is_master(&next) && !site.path().join("master.key.next").exists());
    assert_eq!(fs::read(site.path().join("master.key")).unwrap(), next.reveal());
    assert!(store.recording(&recording.id).await.unwrap().is_some());
    assert_eq!(did(&events(&store).await, Action::KeyRotate), 1, "its event is kept now");
    store.close().await;
    assert_eq!(did(&events(&site.open().await).await, Action::KeyRotate), 1, "once");
}

async fn a_patient_whose_key_was_still_to_be_destroyed_is_forgotten_at_the_next_start(site: Site) {
    let store = site.open().await;
    let gone = visit(&store, "CHAN").await;
    let wrapped = store.shared.keys.wrapped(Whose::Patient, &gone.patient).unwrap();
    // As far as a process comes that is killed after the rows were deleted.
    let erase = format!("INSERT INTO erased_patients (id) VALUES ('{}')", gone.patient);
    tamper(&store, &erase).await;
    tamper(&store, &format!("DELETE FROM patients WHERE id = '{}'", gone.patient)).await;
    tamper(&store, "UPDATE upkeep SET wipe = 1").await;
    store.close().await;
    assert!(holds(site.path(), &wrapped[..16]));
    let store = site.open().await;
    assert!(store.shared.keys.was_destroyed(Whose::Patient, &gone.patient) && !holds(site.path(), &wrapped[..16]));
    assert!(!holds(site.path(), gone.patient.as_bytes()));
}

on_both! {
    a_backup_restored_into_an_empty_folder_is_what_was_saved,
    what_was_erased_since_an_old_backup_stays_erased,
    a_backup_that_is_not_whole_or_not_this_ones_is_refused_and_nothing_is_written,
    every_consent_and_link_is_void_after_a_restore_and_nobody_is_signed_in,
    a_restore_that_was_cut_short_is_not_opened,
    a_new_master_key_opens_all_and_the_former_one_nothing,
    a_rotation_that_was_cut_short_is_ended_or_undone,
    a_patient_whose_key_was_still_to_be_destroyed_is_forgotten_at_the_next_start,
}

#[tokio::test]
#[cfg(postgres)]
async fn a_backup_of_either_database_goes_into_the_other() {
    for (from, to) in [(Site::sqlite(), Site::postgres()), (Site::postgres(), Site::sqlite())] {
        let parts = Parts::new();
        let store = from.open().await;
        let recording = filled(&store, "kept").await;
        parts.save(&from, "records").await;
        restore(&parts.restoring(&from, "records", &to)).await.unwrap();
        let again = to.open().await;
        let read = async |store: &Store| store.document(&recording.id).await.unwrap().unwrap();
        assert_eq!(read(&store).await.transcript, read(&again).await.transcript);
        assert_eq!(store.finals(&recording.id).await.unwrap(), again.finals(&recording.id).await.unwrap());
        filled(&again, "later").await;
    }
}
