//! The store on real folders and both databases: what it keeps, what it refuses, and that nothing is left of what was erased.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use super::database::Kind;
use super::keys::Whose;
use super::*;
use crate::audio::{StreamEncoding, StreamFormat};
use crate::audit::{Actor, Event};
use crate::note::{MadeBy, Note};
use crate::record::{Act, Change};
use crate::speech::transcript::{AudioIdentity, Segment, TRANSCRIPT_SCHEMA, Transcript};
use crate::spool::{RecordKind, SpoolReader, SpoolWriter};
use crate::text::PatientText;

#[path = "../../tests/support/postgres.rs"]
#[cfg(postgres)]
pub(super) mod postgres;

/// A data folder and a database for it.
pub(super) struct Site {
    _folder: tempfile::TempDir,
    data: PathBuf,
    pub(super) url: Option<String>,
}

impl Site {
    pub(super) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { data: folder.path().join("data"), _folder: folder, url: None }
    }

    #[cfg(postgres)]
    pub(super) fn postgres() -> Self {
        Self { url: Some(postgres::server().new_database()), ..Self::sqlite() }
    }

    #[cfg(not(postgres))]
    pub(super) fn postgres() -> Self {
        panic!("needs Debian's package `postgresql`")
    }

    pub(super) fn path(&self) -> &Path {
        &self.data
    }

    /// The URL as a child process is given it.
    pub(super) fn address(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Where its database is read from beside it.
    pub(super) fn database_url(&self) -> DatabaseUrl {
        let file = || format!("sqlite:{}", self.path().join("cantoscribe.db").display());
        self.url.clone().unwrap_or_else(file).into()
    }

    pub(super) fn opening(&self) -> Opening {
        Opening { data: self.data.clone(), database: self.url.clone().map(DatabaseUrl::from), ..Opening::default() }
    }

    pub(super) async fn try_open(&self) -> Result<Store, StoreError> {
        Store::open_with(&self.opening()).await
    }

    /// Opens it as who has saved the database before.
    pub(super) async fn saved(&self) -> Result<Store, StoreError> {
        Store::open_with(&Opening { saved: true, ..self.opening() }).await
    }

    pub(super) async fn open(&self) -> Store {
        self.try_open().await.unwrap()
    }
}

/// Each of these as a test on SQLite and as one on PostgreSQL, which is shown as ignored where there is none.
macro_rules! on_both {
    ($($test:ident,)*) => {$(
        mod $test {
            use crate::store::tests::Site;

            #[tokio::test]
            async fn sqlite() {
                super::$test(Site::sqlite()).await;
            }

            #[tokio::test]
            #[cfg_attr(not(postgres), ignore = "needs Debian's package `postgresql`")]
            async fn postgres() {
                super::$test(Site::postgres()).await;
            }
        }
    )*};
}
pub(super) use on_both;

/// A recording whose id no other process gives.
pub(super) fn unique_recording() -> NewRecording {
    let new = new_recording();
    NewRecording { id: format!("{}-{}", std::process::id(), new.id), ..new }
}

/// All events, as they were committed.
pub(super) async fn events(store: &Store) -> Vec<Event> {
    store.events(0, 1_000).await.unwrap().iter().map(|bytes| Event::decode(bytes).unwrap()).collect()
}

pub(super) fn by() -> By {
    By::now(Actor::System)
}

pub(super) fn new_recording() -> NewRecording {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    NewRecording {
        id: format!("R{:0>15}", NUMBER.fetch_add(1, Ordering::Relaxed)),
        created_at: "2026-11-25T09:00:00+08:00".into(),
        format: StreamFormat::new(StreamEncoding::PcmS16le, 48_000, 2).unwrap(),
        language: "yue".into(),
        speakers: vec!["doctor".into(), "Mrs Wong".into()],
        token_hash: [3; 32],
    }
}

pub(super) fn segment(id: u64, text: &str) -> Segment {
    Segment {
        id,
        start_ms: Some(10),
        end_ms: Some(1_000),
        speaker: Some("doctor".into()),
        text: text.into(),
        confidence: Some(0.1 + 0.2 + 1e-16 * id as f64),
        words: None,
        tokens: None,
    }
}

pub(super) fn transcript(text: &str) -> Transcript {
    Transcript {
        schema: TRANSCRIPT_SCHEMA.into(),
        language: "yue".into(),
        model: None,
        audio: Some(AudioIdentity { duration_ms: 7_255, sha256: String::new() }),
        segments: vec![segment(0, text)],
    }
}

pub(super) fn note(version: &str) -> Note {
    Note::empty(MadeBy { version: version.into(), model: None, precision: None, wording: None, lexicon: String::new() })
}

/// Saves a note as a change of the version before.
pub(super) async fn save(store: &Store, id: &str, before: u64, note: &Note) -> Result<u64, SaveError> {
    let change =
        Change { version: before + 1, act: Act::Replace, by: "Dr Chan".into(), at: "2026-11-25T09:10:00+08:00".into(), id: None };
    store.save_note(id, note, &change, &by()).await
}

/// A finished recording with a spool, finals, and a note of two versions.
pub(super) async fn filled(store: &Store, text: &str) -> Recording {
    let recording = store.create(new_recording(), &by()).await.unwrap();
    let mut spool = SpoolWriter::create(&store.spool_path(&recording.id), &recording.key, &recording.id).unwrap();
    spool.append(RecordKind::Audio, 100, &[&[7; 400]]).unwrap();
    spool.sync().unwrap();
    for number in 0..20 {
        let heard = segment(number, &text.repeat(1 + number as usize * 7));
        store.add_final(&recording.id, 0, number * 10, number * 10 + 5, Some(&heard)).await.unwrap();
    }
    store.finish(&recording.id, &transcript(&text.repeat(900)), &note("1")).await.unwrap();
    save(store, &recording.id, 1, &note(&"2".repeat(5_000))).await.unwrap();
    store.recording(&recording.id).await.unwrap().unwrap()
}

/// All files of a folder.
pub(super) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            match fs::read(entry.path()) {
                Ok(bytes) => found.push((entry.path().display().to_string(), bytes)),
                // The log's writer put it in its place meanwhile: all is read again.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return files(folder),
                Err(error) => panic!("{error}"),
            }
        }
    }
    found
}

pub(super) fn holds(folder: &Path, needle: &[u8]) -> bool {
    files(folder).iter().any(|(name, bytes)| {
        name.as_bytes().windows(needle.len()).any(|part| part == needle) || bytes.windows(needle.len()).any(|part| part == needle)
    })
}

/// Every sealed value of a recording, as the database has it.
pub(super) async fn sealed_values(store: &Store, id: &str) -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = store.shared.keys.wrapped(Whose::Recording, id).into_iter().collect();
    for (column, table, key) in [
        ("speakers", "recordings", "id"),
        ("segment", "finals", "recording"),
        ("document", "transcripts", "recording"),
        ("document", "notes", "recording"),
    ] {
        let query = format!("SELECT {column} FROM {table} WHERE {key} = $1");
        values.extend(sqlx::query_scalar::<_, Vec<u8>>(&query).bind(id).fetch_all(store.database().pool()).await.unwrap());
    }
    values
}

/// Runs a change of the database that only somebody else would make.
pub(super) async fn tamper(store: &Store, statement: &str) {
    let postgres = store.database().kind == Kind::Postgres;
    let statement = &if postgres { statement.replace("x'", r"'\x").replace("BLOB", "BYTEA") } else { statement.to_owned() };
    assert!(sqlx::query(statement).execute(store.database().pool()).await.unwrap().rows_affected() > 0, "{statement}");
}

async fn what_was_kept_is_there_after_opening_again(site: Site) {
    let store = site.open().await;
    let open = store.create(new_recording(), &by()).await.unwrap();
    assert_eq!((open.state, open.version, open.edited()), (State::Open, 0, false));
    assert!(store.add_final(&open.id, 1, 5, 9, Some(&segment(4, "血壓高"))).await.unwrap());
    assert!(store.add_final(&open.id, 0, 5, 9, None).await.unwrap());
    assert!(!store.add_final(&open.id, 1, 5, 9, Some(&segment(4, "another"))).await.unwrap(), "the first one stands");
    store.set_state(&open.id, State::Finishing).await.unwrap();
    store.set_token_hash(&open.id, [9; 32], &by()).await.unwrap();
    let finished = filled(&store, "頭暈").await;
    drop(store);

    let store = site.open().await;
    let listed = store.recordings().await.unwrap();
    assert_eq!(listed.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), [&finished.id, &open.id]);
    let again = store.recording(&open.id).await.unwrap().unwrap();
    assert_eq!((again.state, again.token_hash), (State::Finishing, [9; 32]));
    assert_eq!((again.speakers, again.format, again.language), (open.speakers.clone(), open.format, open.language.clone()));
    assert_eq!(again.key.reveal(), open.key.reveal());
    assert_ne!(finished.key.reveal(), open.key.reveal());
    let finals = store.finals(&open.id).await.unwrap();
    let expected = [(1, Some(segment(4, "血壓高"))), (0, None)];
    let expected = expected.map(|(channel, segment)| StoredFinal { channel, start: 5, end: 9, segment });
    assert_eq!(finals, expected, "to the last bit of every number");
    assert!(store.document(&open.id).await.unwrap().is_none());
    let document = store.document(&finished.id).await.unwrap().unwrap();
    assert_eq!(document.transcript, transcript(&"頭暈".repeat(900)));
    assert_eq!((document.version, document.note.made_by.version.len()), (2, 5_000));
    assert_eq!((finished.duration_ms, finished.edited(), finished.state), (Some(7_255), true, State::Finished));
    let mut spool = SpoolReader::open(&store.spool_path(&finished.id), &finished.key, &finished.id).unwrap();
    assert_eq!(spool.next().unwrap().unwrap().samples, 100);
    assert!(store.free_space().unwrap() > 0);
}

async fn every_version_of_a_note_is_kept_and_an_old_one_is_not_overwritten(site: Site) {
    let store = site.open().await;
    let id = store.create(new_recording(), &by()).await.unwrap().id;
    assert!(matches!(save(&store, &id, 0, &note("x")).await, Err(SaveError::Store(StoreError::State { state: "open", .. }))));
    store.finish(&id, &transcript("a"), &note("1")).await.unwrap();
    assert_eq!(save(&store, &id, 1, &note("2")).await.unwrap(), 2);
    assert!(matches!(save(&store, &id, 1, &note("late")).await, Err(SaveError::Conflict)));
    assert!(matches!(save(&store, &id, 7, &note("early")).await, Err(SaveError::Conflict)));
    let mut saved = Vec::new();
    for _ in 0..8 {
        let (store, id) = (store.clone(), id.clone());
        saved.push(tokio::spawn(async move { save(&store, &id, 2, &note("3")).await.is_ok() }));
    }
    let mut won = 0;
    for saving in saved {
        won += usize::from(saving.await.unwrap());
    }
    assert_eq!(won, 1, "of eight at once");
    for (version, made_by) in [(1, "1"), (2, "2"), (3, "3")] {
        assert_eq!(store.note_version(&id, version).await.unwrap().unwrap(), note(made_by));
    }
    assert!(store.note_version(&id, 4).await.unwrap().is_none());
}

async fn a_finished_recording_stays_as_it_is(site: Site) {
    let store = site.open().await;
    let id = store.create(new_recording(), &by()).await.unwrap().id;
    assert!(matches!(store.set_state(&id, State::Finished).await, Err(StoreError::State { .. })), "it has no documents");
    store.finish(&id, &transcript("a"), &note("1")).await.unwrap();
    assert!(matches!(store.finish(&id, &transcript("b"), &note("2")).await, Err(StoreError::State { .. })));
    assert!(matches!(store.set_state(&id, State::Open).await, Err(StoreError::State { state: "finished", .. })));
    assert_eq!(store.document(&id).await.unwrap().unwrap().transcript, transcript("a"));
    let missing = |error| assert!(matches!(error, StoreError::Missing { .. }), "{error}");
    assert!(store.recording("no").await.unwrap().is_none());
    missing(store.finish("no", &transcript("b"), &note("2")).await.unwrap_err());
    missing(store.set_state("no", State::Open).await.unwrap_err());
    missing(store.set_token_hash("no", [0; 32], &by()).await.unwrap_err());
    missing(store.add_final("no", 0, 0, 1, None).await.unwrap_err());
    missing(store.finals("no").await.unwrap_err());
    missing(store.document("no").await.unwrap_err());
    let Err(SaveError::Store(error)) = save(&store, "no", 1, &note("2")).await else { panic!() };
    missing(error);
    missing(store.erase("no", Erasable::Signed, &by()).await.unwrap_err());
    for id in ["", "../up", "a\nb", "一", &"x".repeat(65)] {
        let new = NewRecording { id: id.into(), ..new_recording() };
        assert!(matches!(store.create(new, &by()).await, Err(StoreError::BadId)), "{id}");
    }
    assert!(store.create(NewRecording { id, ..new_recording() }, &by()).await.is_err(), "it is taken");
    assert!(store.spool_path("../../etc/passwd").starts_with(site.path().join("audio")));
}

/// Set for the child process that tries to open the folder it names.
const CHILD_FOLDER: &str = "CANTOSCRIBE_TEST_FOLDER";

async fn a_second_process_and_a_second_handle_are_refused_by_name(site: Site) {
    if let Some(folder) = std::env::var_os(CHILD_FOLDER) {
        let error = Store::open(Path::new(&folder)).await.unwrap_err();
        assert!(matches!(error, StoreError::InUse { .. }), "{error}");
        return;
    }
    let store = site.open().await;
    let error = site.try_open().await.unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }) && error.to_string().contains(&site.path().display().to_string()));
    let mut child = Command::new(std::env::current_exe().unwrap());
    let name = if site.url.is_some() { "postgres" } else { "sqlite" };
    let name = format!("store::tests::a_second_process_and_a_second_handle_are_refused_by_name::{name}");
    let output = child.args(["--exact", &name]).env(CHILD_FOLDER, site.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    let clone = store.clone();
    drop(store);
    assert!(matches!(site.try_open().await, Err(StoreError::InUse { .. })), "a clone still has it");
    clone.close().await;
    site.open().await;
}

async fn what_is_sealed_is_nowhere_in_the_clear(site: Site) {
    let store = site.open().await;
    let recording = filled(&store, "the patient said that it hurts").await;
    for clear in [&b"that it hurts"[..], b"Mrs Wong", recording.key.reveal(), "cantoscribe/note".as_bytes()] {
        assert!(!holds(site.path(), clear));
    }
    let shown = format!("{recording:?} {:?} {store:?}", new_recording());
    assert!(!shown.contains("Wong") && !shown.contains("3, 3"), "{shown}");
    #[cfg(unix)]
    for (name, _) in files(site.path()) {
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&name).unwrap().permissions());
        let open = name.contains("/audit/") || name.ends_with("/audit.pub");
        assert!(open || mode & 0o777 == 0o600, "{name}");
    }
}

/// Whoever copies the folder of a program that has ended finds nothing that is about to vanish.
async fn a_closed_store_has_let_go_of_its_files(site: Site) {
    for _ in 0..20 {
        let store = site.open().await;
        filled(&store, "頭暈").await;
        store.close().await;
        let beside =
            files(site.path()).into_iter().map(|(name, _)| name).filter(|name| name.ends_with("-wal") || name.ends_with("-shm"));
        assert_eq!(beside.collect::<Vec<_>>(), [""; 0]);
    }
}

on_both! {
    a_closed_store_has_let_go_of_its_files,
    what_was_kept_is_there_after_opening_again,
    every_version_of_a_note_is_kept_and_an_old_one_is_not_overwritten,
    a_finished_recording_stays_as_it_is,
    a_second_process_and_a_second_handle_are_refused_by_name,
    what_is_sealed_is_nowhere_in_the_clear,
}

#[tokio::test]
async fn a_folder_of_any_name_has_its_database_in_it() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a b", "50%", "%41", "x?mode=memory", "#1", "病歷", "..x", "a/../b"] {
        let data = folder.path().join(name);
        let store = Store::open(&data).await.unwrap();
        let id = store.create(new_recording(), &by()).await.unwrap().id;
        store.close().await;
        assert!(data.join("cantoscribe.db").metadata().unwrap().len() > 0, "{name}");
        assert_eq!(Store::open(&data).await.unwrap().recordings().await.unwrap()[0].id, id);
    }
}

#[tokio::test]
async fn what_is_no_url_of_a_postgresql_database_is_refused_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    for url in ["", "no", "sqlite:///tmp/file", "mysql://u:secret@h/n", "postgres://u:secret@h", "postgres://u:secret@h:x/n"] {
        let url = DatabaseUrl::from(url.to_owned());
        let error = Store::open_at(folder.path(), &url).await.unwrap_err();
        assert!(matches!(error, StoreError::BadUrl), "{error}");
        assert!(!format!("{url} {url:?} {error} {error:?}").contains("secret"));
    }
    // Nobody listens there.
    let url = DatabaseUrl::from("postgres://u:secret@127.0.0.1:1/name?password=secret".to_owned());
    let error = Store::open_at(folder.path(), &url).await.unwrap_err();
    assert!(matches!(error, StoreError::Connect { .. }), "{error}");
    assert!(error.to_string().contains("postgres://127.0.0.1:1/name"), "{error}");
    assert!(!format!("{url} {url:?} {error} {error:?}").contains("secret"));
}

/// What only PostgreSQL has.
#[cfg(postgres)]
mod on_postgres {
    use super::*;

    #[tokio::test]
    async fn a_wrong_password_is_told_and_not_shown() {
        let url = postgres::server().new_database();
        let wrong: DatabaseUrl = url.replace(postgres::PASSWORD, "wrong-and-not-shown").into();
        let folder = tempfile::tempdir().unwrap();
        let error = Store::open_at(folder.path(), &wrong).await.unwrap_err();
        assert!(matches!(error, StoreError::Connect { .. }), "{error}");
        let shown = format!("{wrong} {wrong:?} {error} {error:?}");
        assert!(!shown.contains("not-shown") && !folder.path().join("master.key").exists(), "{shown}");
        let nameless = format!("{url}_not_there").into();
        let error = Store::open_at(folder.path(), &nameless).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains(postgres::PASSWORD) && error.to_string().contains("not_there"), "{error}");
    }

    #[tokio::test]
    async fn a_database_is_one_processes_alone_and_whoever_lost_it_writes_no_more() {
        let (site, other) = (Site::postgres(), tempfile::tempdir().unwrap());
        let address = site.url.clone().unwrap();
        let url = DatabaseUrl::from(address.clone());
        let store = site.open().await;
        let id = store.create(new_recording(), &by()).await.unwrap().id;
        // Another folder, with a copy of the key, as a second machine may have it.
        fs::copy(site.path().join("master.key"), other.path().join("master.key")).unwrap();
        fs::create_dir(other.path().join("keys")).unwrap();
        for file in fs::read_dir(site.path().join("keys")).unwrap().map(Result::unwrap) {
            fs::copy(file.path(), other.path().join("keys").join(file.file_name())).unwrap();
        }
        let error = Store::open_at(other.path(), &url).await.unwrap_err();
        assert!(matches!(error, StoreError::DatabaseInUse { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains(postgres::PASSWORD));
        // The server drops all connections: then the same process has it again.
        postgres::cut(&address).await;
        while store.set_token_hash(&id, [1; 32], &by()).await.is_err() {}
        // Unless another came first: the task that writes the log may be quicker, then it is cut off again.
        let second = loop {
            postgres::cut(&address).await;
            match Store::open_at(other.path(), &url).await {
                Ok(second) => break second,
                Err(error) => assert!(matches!(error, StoreError::DatabaseInUse { .. }), "{error}"),
            }
        };
        let error = store.set_token_hash(&id, [2; 32], &by()).await.unwrap_err();
        assert!(matches!(error, StoreError::Database { .. }), "{error}");
        assert_eq!(second.recording(&id).await.unwrap().unwrap().token_hash, [1; 32]);
    }
}

#[test]
fn content_that_is_no_document_is_not_quoted() {
    let key = Key::from_bytes([1; 32]);
    let place = Place::new("notes.document", "id");
    let sealed = place.seal(&key, br#"{"schema":"what the patient said"}"#).unwrap();
    let error = place.unseal_json::<Note>(&key, &sealed).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("patient said"));
    let sealed = place.seal_json(&key, &PatientText::from("said")).unwrap();
    assert_eq!(place.unseal_json::<PatientText>(&key, &sealed).unwrap().reveal(), "said");
}
