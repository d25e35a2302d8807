//! No event, no act: kills, failures, and rows that another hand changed.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use sqlx::Connection as _;

use super::act::mac_of;
use super::tests::*;
use super::*;
use crate::audit::{Action, Event, Fault, NoteVerifier, RowCheck, WIDTH, verify};
use crate::ledger::{LedgerError, LogFolder};

/// Set for the child that acts until it is killed: its folder, and where it has one, its database.
const ACT_IN: &str = "CANTOSCRIBE_TEST_ACT_IN";
const ACT_AT: &str = "CANTOSCRIBE_TEST_ACT_AT";

fn event_of(bytes: &[u8]) -> (Action, Option<crate::audit::RecordId>) {
    let event = Event::decode(bytes).unwrap();
    (event.action, event.record)
}

/// Checks the log's files with nothing but them and the public key, and the rows against them; says how many entries there are.
async fn intact(site: &Site, store: &Store) -> u64 {
    let log = LogFolder::new(&site.path().join("audit"));
    let verifier = NoteVerifier::parse(&fs::read_to_string(site.path().join("audit.pub")).unwrap()).unwrap();
    let report = verify(&log, &verifier, None).unwrap();
    assert_eq!(report.faults, []);
    assert_eq!(rows_against_log(&log, report.checkpoint.size, store).await, []);
    report.checkpoint.size
}

async fn rows_against_log(log: &LogFolder, size: u64, store: &Store) -> Vec<Fault> {
    let mut check = RowCheck::new(log, size);
    let rows = "SELECT number, entry FROM events ORDER BY number";
    for (number, row) in sqlx::query_as::<_, (i64, Vec<u8>)>(rows).fetch_all(store.database().pool()).await.unwrap() {
        check.take(number.cast_unsigned(), &row).unwrap();
    }
    check.finish(false)
}

/// In one write, so that a kill leaves no half of a line.
fn say(what: &str, id: &str) {
    std::io::stderr().write_all(format!("{what} {id}\n").as_bytes()).unwrap();
}

/// The child: says each act once it was acknowledged.
#[tokio::test]
#[ignore = "run by the test that kills it"]
async fn act_for_ever() {
    let data = PathBuf::from(std::env::var_os(ACT_IN).unwrap());
    let store = match std::env::var(ACT_AT) {
        Ok(url) => Store::open_at(&data, &DatabaseUrl::from(url)).await.unwrap(),
        Err(_) => Store::open(&data).await.unwrap(),
    };
    loop {
        let id = store.create(unique_recording(), &by()).await.unwrap().id;
        say("record", &id);
        store.finish(&id, &transcript("a"), &note("1")).await.unwrap();
        say("finish", &id);
        save(&store, &id, 1, &note("2")).await.unwrap();
        say("edit", &id);
    }
}

async fn a_kill_loses_no_act_and_leaves_none_without_its_event(site: Site) {
    site.open().await.close().await;
    let (mut acts, mut acknowledged) = (0, Vec::new());
    for pause in [20, 90, 300] {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "--ignored", "--nocapture", "store::event_tests::act_for_ever"]).env(ACT_IN, site.path());
        if let Some(url) = site.address() {
            child.env(ACT_AT, url);
        }
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        acknowledged.push(lines.next().unwrap().unwrap());
        std::thread::sleep(Duration::from_millis(pause));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(lines.map(Result::unwrap));

        let store = site.open().await;
        let entries = store.events(0, usize::MAX).await.unwrap();
        let (size, before) = (entries.len(), acts);
        acts = size;
        assert!(size > before);
        let events: HashSet<_> = entries.iter().map(|entry| event_of(entry)).collect();
        assert_eq!(events.len(), size, "each act once");
        let did = |action, id: &str| events.contains(&(action, Some(record_id(id))));
        for line in &acknowledged {
            let (what, id) = line.split_once(' ').unwrap();
            let action = [("record", Action::Record), ("finish", Action::Finish), ("edit", Action::Edit)];
            let (_, action) = *action.iter().find(|(name, _)| *name == what).unwrap();
            assert!(did(action, id), "{line} was acknowledged and has no event");
            let version = store.recording(id).await.unwrap().unwrap().version;
            assert!(version >= u64::from(action != Action::Record) + u64::from(action == Action::Edit), "{line} is lost");
        }
        // What was done has its event, and what has an event was done.
        let recordings = store.recordings().await.unwrap();
        for recording in &recordings {
            let id = recording.id.as_str();
            assert!(did(Action::Record, id));
            assert_eq!(did(Action::Finish, id), recording.version >= 1, "{recording:?}");
            assert_eq!(did(Action::Edit, id), recording.version >= 2, "{recording:?}");
        }
        assert_eq!(events.iter().filter(|(action, _)| *action == Action::Record).count(), recordings.len());
        assert_eq!(intact(&site, &store).await, size as u64, "the log has caught up at the start");
        store.close().await;
    }
}

async fn what_was_committed_and_not_yet_in_the_files_is_there_at_the_next_start(site: Site) {
    let store = site.open().await;
    filled(&store, "a").await;
    store.write_log().await.unwrap();
    let (log, kept) = (site.path().join("audit"), site.path().join("kept"));
    copy(&log, &kept);
    filled(&store, "b").await;
    store.write_log().await.unwrap();
    let head = store.log_head();
    store.close().await;
    // As a kill leaves it that comes between the commits and the files.
    fs::remove_dir_all(&log).unwrap();
    fs::rename(&kept, &log).unwrap();
    let store = site.open().await;
    assert_eq!(store.log_head(), head);
    assert_eq!(intact(&site, &store).await, head.size);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() { copy(&entry.path(), &to) } else { fs::copy(entry.path(), to).map(drop).unwrap() }
    }
}

async fn without_its_event_nothing_is_done(site: Site) {
    let store = site.open().await;
    let recording = filled(&store, "stays").await;
    let open = store.create(new_recording(), &by()).await.unwrap().id;
    let before = store.events(0, usize::MAX).await.unwrap().len();
    // The next number is taken, so that no event can be written.
    tamper(&store, &format!("INSERT INTO events (number, entry) VALUES ({before}, x'00')")).await;
    let id = recording.id.as_str();
    store.create(new_recording(), &by()).await.unwrap_err();
    save(&store, id, 2, &note("3")).await.unwrap_err();
    store.set_token_hash(id, [9; 32], &by()).await.unwrap_err();
    store.finish(&open, &transcript("a"), &note("1")).await.unwrap_err();
    store.erase(id, Erasable::Signed, &by()).await.unwrap_err();
    store.keep_event(&by().did(Action::View { count: 1 }, id)).await.unwrap_err();
    assert_eq!(store.recordings().await.unwrap().len(), 2);
    let now = store.recording(id).await.unwrap().unwrap();
    assert_eq!((now.version, now.token_hash), (2, recording.token_hash));
    assert!(store.document(&open).await.unwrap().is_none() && store.spool_path(id).exists());
    tamper(&store, &format!("DELETE FROM events WHERE number = {before}")).await;
    store.erase(id, Erasable::Signed, &by()).await.unwrap();
    let entries = store.events(0, usize::MAX).await.unwrap();
    assert_eq!(entries.len(), before + 2);
    assert_eq!(event_of(&entries[before]), (Action::KeyDestroy, Some(record_id(id))));
    assert_eq!(event_of(&entries[before + 1]), (Action::Erase, Some(record_id(id))));
}

async fn rows_that_were_changed_or_dropped_are_named(site: Site) {
    let store = site.open().await;
    for _ in 0..WIDTH + 44 {
        store.keep_event(&by().did_in_general(Action::Search { count: 1 })).await.unwrap();
    }
    store.write_log().await.unwrap();
    let log = LogFolder::new(&site.path().join("audit"));
    assert_eq!(intact(&site, &store).await, 300);
    let other = by().did_in_general(Action::SignIn).encode().unwrap();
    let update = "UPDATE events SET entry = $1 WHERE number IN (3, 290)";
    sqlx::query(update).bind(other).execute(store.database().pool()).await.unwrap();
    tamper(&store, "DELETE FROM events WHERE number IN (7, 100, 101, 299)").await;
    let found = rows_against_log(&log, 300, &store).await;
    let expected = [
        Fault::Row { entry: 3 },
        Fault::MissingRows { first: 7, last: 7 },
        Fault::MissingRows { first: 100, last: 101 },
        Fault::Row { entry: 290 },
        Fault::MissingRows { first: 299, last: 299 },
    ];
    assert_eq!(found, expected);
    // The same from outside, and while the store is open.
    let mut rows = EventRows::open(&site.database_url()).await.unwrap();
    let mut check = RowCheck::new(&log, 300);
    loop {
        let batch = rows.next_batch().await.unwrap();
        if batch.is_empty() {
            break;
        }
        batch.iter().for_each(|(number, row)| check.take(*number, row).unwrap());
    }
    assert_eq!(check.finish(false), expected);
    store.close().await;
    // A start looks at the last tile only, and fails.
    let error = site.try_open().await.unwrap_err();
    assert!(
        matches!(error, StoreError::Ledger(LedgerError::Differs { entry: 290 }) | StoreError::EventsLost { entry: 299 }),
        "{error}"
    );
}

async fn a_row_that_was_put_behind_the_head_is_found_by_verifying_and_by_the_next_start(site: Site) {
    let store = site.open().await;
    filled(&store, "a").await;
    store.write_log().await.unwrap();
    let size = store.log_head().size;
    let ours = store.events(0, usize::MAX).await.unwrap();
    let event = by().did_in_general(Action::View { count: 1 }).encode().unwrap();
    // Another's, without and with a keyed hash; one of ours again, at another number and with its own hash.
    let hash = mac_of(&Key::from_bytes([7; 32]), size, &event).unwrap().to_vec();
    let own = mac_of(store.root(), size - 1, &ours[ours.len() - 1]).unwrap().to_vec();
    store.close().await;
    for (entry, mac) in [(event.clone(), None), (event, Some(hash)), (ours[ours.len() - 1].clone(), Some(own))] {
        let mut outside = outside(&site).await;
        let insert = sqlx::query("INSERT INTO events (number, entry, mac) VALUES ($1, $2, $3)");
        insert.bind(size.cast_signed()).bind(entry).bind(mac).execute(&mut outside).await.unwrap();
        sqlx::query("UPDATE event_count SET size = size + 1").execute(&mut outside).await.unwrap();
        let log = LogFolder::new(&site.path().join("audit"));
        let check = async |runs| {
            let mut rows = EventRows::open(&site.database_url()).await.unwrap();
            let mut check = RowCheck::new(&log, size);
            for (number, row) in rows.next_batch().await.unwrap() {
                check.take(number, &row).unwrap();
            }
            (check.beyond(), check.finish(runs))
        };
        assert_eq!(check(false).await, (1, vec![Fault::RowsBeyond { first: size, count: 1 }]));
        assert_eq!(check(true).await, (1, vec![]));
        let refused = opened_when_free(&site).await.unwrap_err();
        assert!(matches!(refused, StoreError::ForeignEvent { entry } if entry == size), "{refused}");
        sqlx::query("DELETE FROM events WHERE number = $1").bind(size.cast_signed()).execute(&mut outside).await.unwrap();
        sqlx::query("UPDATE event_count SET size = size - 1").execute(&mut outside).await.unwrap();
        outside.close().await.unwrap();
    }
    let store = opened_when_free(&site).await.unwrap();
    assert_eq!(store.log_head().size, size);
    assert_eq!(intact(&site, &store).await, size);
}

/// A start that failed lets go of a database a moment later.
async fn opened_when_free(site: &Site) -> Result<Store, StoreError> {
    loop {
        match site.try_open().await {
            Err(StoreError::DatabaseInUse { .. }) => tokio::time::sleep(Duration::from_millis(50)).await,
            other => return other,
        }
    }
}

/// A connection of somebody who has the database and no key.
async fn outside(site: &Site) -> sqlx::AnyConnection {
    let url = match &site.url {
        Some(url) => url.clone(),
        None => format!("sqlite:{}", site.path().join("cantoscribe.db").display()),
    };
    sqlx::AnyConnection::connect(&url).await.unwrap()
}

on_both! {
    a_row_that_was_put_behind_the_head_is_found_by_verifying_and_by_the_next_start,
    a_kill_loses_no_act_and_leaves_none_without_its_event,
    what_was_committed_and_not_yet_in_the_files_is_there_at_the_next_start,
    without_its_event_nothing_is_done,
    rows_that_were_changed_or_dropped_are_named,
}
