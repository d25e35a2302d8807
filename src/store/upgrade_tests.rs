//! Folders and databases of the version before there was a key store, of each form since, and of a version that is not there yet.

use std::collections::BTreeMap;
use std::fs;

use sqlx::Connection as _;

use super::database::{Kind, migrate, newest_form};
use super::keys::Whose;
use super::tests::*;
use super::*;
use crate::identity::Date;
use crate::spool::SpoolReader;
use crate::visit::{Given, GivenNumber, Identifier, Patient};

/// The last form whose rows hold their keys.
const FORM: i64 = 30;

/// A master key.
const MASTER: [u8; 32] = [9; 32];

/// A number as all were before they named who issued them.
const NUMBER: GivenNumber<'_> = GivenNumber::own("hospital", "HN 12345-6");

fn patient() -> Patient {
    let given = Given { name: "CHAN", born: Some("1960-02-29"), identifiers: &[NUMBER], ..Given::default() };
    Patient::new(&given, Date::parse("2026-11-26").unwrap()).unwrap()
}

fn write_key(site: &Site, bytes: &[u8]) {
    fs::create_dir_all(site.path()).unwrap();
    fs::write(site.path().join("master.key"), bytes).unwrap();
    fs::set_permissions(site.path().join("master.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

/// The site's database, which nobody has open.
async fn connect(site: &Site) -> (sqlx::AnyConnection, Kind) {
    let file = site.path().join("cantoscribe.db");
    let (url, kind) = match &site.url {
        Some(url) => (url.clone(), Kind::Postgres),
        None => (format!("sqlite:{}", file.display()), Kind::Sqlite),
    };
    if kind == Kind::Sqlite && !file.exists() {
        fs::write(&file, []).unwrap();
    }
    sqlx::any::install_default_drivers();
    (sqlx::AnyConnection::connect(&url).await.unwrap(), kind)
}

/// An empty database of this form, whose probe this master key sealed.
async fn empty(site: &Site, form: i64) -> (sqlx::AnyConnection, Kind) {
    write_key(site, &MASTER);
    let (mut connection, kind) = connect(site).await;
    migrate(&mut connection, kind, "", form).await.unwrap();
    let probe = Place::new("upkeep.probe", "").seal(&Key::from_bytes(MASTER), PROBE).unwrap();
    let insert = sqlx::query("INSERT INTO upkeep (id, probe, wipe) VALUES (1, $1, 0)").bind(probe);
    insert.execute(&mut connection).await.unwrap();
    (connection, kind)
}

/// The columns that a table has in a database.
async fn columns(connection: &mut sqlx::AnyConnection, kind: Kind, table: &str) -> Vec<String> {
    let query = match kind {
        Kind::Sqlite => "SELECT name FROM pragma_table_info($1)",
        Kind::Postgres => "SELECT column_name::text FROM information_schema.columns WHERE table_name = $1",
    };
    sqlx::query_scalar(query).bind(table).fetch_all(connection).await.unwrap()
}

/// Makes what the version of this form would have: a recording and a patient, of [`FORM`] with their keys in their rows. Gives their ids and
/// the pseudonym.
async fn old(site: &Site, form: i64) -> (Recording, String, crate::audit::Pseudonym) {
    // Filled by this version, after an upgrade of nothing: so the root key is the master key, as it was.
    let filled_site = Site::sqlite();
    empty(&filled_site, FORM).await.0.close().await.unwrap();
    let store = filled_site.open().await;
    let recording = filled(&store, "kept").await;
    let patient = store.create_patient(&patient(), 7, &by()).await.unwrap().id;
    let pseudonym = store.pseudonym(&patient).unwrap();
    let keys = [(Whose::Recording, "recordings", &recording.id), (Whose::Patient, "patients", &patient)]
        .map(|(whose, table, id)| (table, id.clone(), store.shared.keys.wrapped(whose, id).unwrap()));
    store.close().await;
    // All rows that the old form has a place for, and the keys in theirs.
    let mut newer =
        sqlx::AnyConnection::connect(&format!("sqlite:{}", filled_site.path().join("cantoscribe.db").display())).await.unwrap();
    let (mut older, kind) = empty(site, form).await;
    let mut lines = Vec::new();
    backup::write_rows(&mut newer, Kind::Sqlite, &mut lines).await.unwrap();
    let (mut rows, mut kept) = (Vec::new(), Vec::new());
    for line in std::str::from_utf8(&lines).unwrap().lines() {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(table) = line["table"].as_str() {
            let known = columns(&mut older, kind, table).await;
            kept = line["columns"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| known.iter().any(|known| known == name.as_str().unwrap()))
                .collect();
            let mut kept = kept.iter();
            line["columns"].as_array_mut().unwrap().retain(|_| *kept.next().unwrap());
        } else {
            let mut kept = kept.iter();
            line.as_array_mut().unwrap().retain(|_| *kept.next().unwrap());
        }
        if kept.contains(&true) {
            rows.extend(format!("{line}\n").into_bytes());
        }
    }
    backup::read_rows(&mut older, kind, rows.as_slice()).await.unwrap();
    for (table, id, wrapped) in keys.into_iter().filter(|_| form == FORM) {
        let back = format!("UPDATE {table} SET data_key = $1 WHERE id = $2");
        let back = sqlx::query(&back).bind(wrapped).bind(id);
        assert_eq!(back.execute(&mut older).await.unwrap().rows_affected(), 1);
    }
    older.close().await.unwrap();
    newer.close().await.unwrap();
    for name in ["audio", "audit", "audit.key", "audit.pub", "keys"].into_iter().filter(|name| *name != "keys" || form != FORM) {
        fs::rename(filled_site.path().join(name), site.path().join(name)).unwrap();
    }
    (recording, patient, pseudonym)
}

async fn keys_in_rows_are_moved_to_the_key_store_and_all_is_read_as_before(site: Site) {
    let (recording, id, pseudonym) = old(&site, FORM).await;
    if site.url.is_some() {
        let error = site.try_open().await.unwrap_err();
        assert!(matches!(error, StoreError::NotSaved { found: FORM, .. }), "{error}");
        assert!(!site.path().join("keys").exists());
    }
    let store = site.saved().await.unwrap();
    assert_eq!(store.recording(&recording.id).await.unwrap().unwrap().key.reveal(), recording.key.reveal());
    assert_eq!(store.document(&recording.id).await.unwrap().unwrap().version, 2);
    assert_eq!((store.patient(&id).await.unwrap().unwrap().patient, store.pseudonym(&id).unwrap()), (patient(), pseudonym));
    SpoolReader::open(&store.spool_path(&recording.id), &recording.key, &recording.id).unwrap();
    for query in ["SELECT data_key FROM recordings", "SELECT data_key FROM patients"] {
        let keys = sqlx::query_scalar::<_, Vec<u8>>(query).fetch_all(store.database().pool()).await.unwrap();
        assert_eq!(keys, [Vec::<u8>::new()]);
    }
    // The copy from before has them still, and goes with the first thing that is erased.
    let wrapped = store.shared.keys.wrapped(Whose::Recording, &recording.id).unwrap();
    let copies = site.path().join("before-upgrade");
    assert_eq!(copies.join("cantoscribe-30.db").exists(), site.url.is_none());
    assert!(site.url.is_some() || holds(&copies, &wrapped));
    store.erase(&recording.id, Erasable::Signed, &by()).await.unwrap();
    assert!(!holds(site.path(), &wrapped[..16]));
    // Its number is found and taken as before, and is another where somebody else issued it.
    let with = |number| {
        Patient::new(&Given { name: "WONG", identifiers: &[number], ..Given::default() }, Date::parse("2026-11-26").unwrap())
    };
    let taken = store.create_patient(&with(GivenNumber { value: "hn123456", ..NUMBER }).unwrap(), 8, &by()).await.unwrap_err();
    assert!(matches!(&taken, DeskError::Taken { patient } if *patient == id), "{taken}");
    let other = GivenNumber { issuer: Some("QMH"), ..NUMBER };
    let other = store.create_patient(&with(other).unwrap(), 8, &by()).await.unwrap().id;
    store.erase_patient(&other, &by()).await.unwrap();
    store.close().await;
    assert_eq!(site.open().await.patients(Reach::TRIAL, 9).await.unwrap().len(), 1);
}

/// Changed by every start.
const MOVING: [&str; 3] = ["upkeep", "events", "event_count"];

/// Rows by table, each value by its column.
type Rows = BTreeMap<String, Vec<BTreeMap<String, serde_json::Value>>>;

/// All rows of a database.
async fn rows(site: &Site) -> Rows {
    let ((mut connection, kind), mut lines) = (connect(site).await, Vec::new());
    backup::write_rows(&mut connection, kind, &mut lines).await.unwrap();
    connection.close().await.unwrap();
    let (mut found, mut table, mut columns) = (Rows::new(), String::new(), Vec::<String>::new());
    for line in std::str::from_utf8(&lines).unwrap().lines() {
        match serde_json::from_str(line).unwrap() {
            serde_json::Value::Array(row) => {
                let row = columns.iter().cloned().zip(row).collect();
                found.entry(table.clone()).or_default().push(row);
            }
            head => {
                table = head["table"].as_str().unwrap().to_owned();
                columns = serde_json::from_value(head["columns"].clone()).unwrap();
            }
        }
    }
    found.into_iter().filter(|(table, _)| !MOVING.contains(&table.as_str())).collect()
}

async fn every_form_since_then_is_upgraded_and_every_row_is_as_it_was(site: Site) {
    let forms: Vec<i64> = sqlx::migrate!().iter().map(|migration| migration.version).collect();
    let forms = forms.into_iter().filter(|form| (FORM + 1..newest_form()).contains(form));
    for form in forms {
        let site = if site.url.is_some() { Site::postgres() } else { Site::sqlite() };
        let (recording, id, pseudonym) = old(&site, form).await;
        let before = rows(&site).await;
        assert!(["recordings", "notes", "patients"].iter().all(|table| before.contains_key(*table)), "{:?}", before.keys());
        if site.url.is_some() {
            let error = site.try_open().await.unwrap_err();
            assert!(matches!(error, StoreError::NotSaved { found, .. } if found == form), "{error}");
        }
        let store = site.saved().await.unwrap();
        assert_eq!(store.recording(&recording.id).await.unwrap().unwrap().key.reveal(), recording.key.reveal(), "form {form}");
        assert_eq!(store.document(&recording.id).await.unwrap().unwrap().version, 2, "form {form}");
        assert_eq!((store.patient(&id).await.unwrap().unwrap().patient, store.pseudonym(&id).unwrap()), (patient(), pseudonym));
        let known = store.patient_by_number(TRIAL_ORGANISATION, &Identifier::new(&NUMBER).unwrap()).await.unwrap();
        assert_eq!(known, Some(id), "form {form}");
        store.close().await;
        let copy = site.path().join("before-upgrade").join(format!("cantoscribe-{form}.db"));
        assert_eq!(copy.exists(), site.url.is_none(), "form {form}");
        let mut after = rows(&site).await;
        for (table, rows) in before {
            let mut now = after.remove(&table).unwrap_or_default();
            let known = rows.first().cloned().unwrap_or_default();
            now.iter_mut().for_each(|row| row.retain(|column, _| known.contains_key(column)));
            assert_eq!(now, rows, "form {form}, table {table}");
        }
    }
}

async fn an_upgrade_that_was_interrupted_goes_on(site: Site) {
    let (recording, id, _) = old(&site, FORM).await;
    let rows = "SELECT data_key FROM recordings WHERE id = $1";
    let read = |store: Store| async move {
        let query = sqlx::query_scalar::<_, Vec<u8>>(rows).bind(&recording.id);
        let left = query.fetch_one(store.database().pool()).await.unwrap();
        assert!(left.is_empty() && store.recording(&recording.id).await.unwrap().is_some());
        assert!(store.patient(&id).await.unwrap().is_some());
        store.close().await;
    };
    // The keys are in both: as a kill leaves it between the two steps.
    let store = site.saved().await.unwrap();
    for (table, whose) in [("recordings", Whose::Recording), ("patients", Whose::Patient)] {
        let ids = format!("SELECT id FROM {table}");
        for id in sqlx::query_scalar::<_, String>(&ids).fetch_all(store.database().pool()).await.unwrap() {
            let back = format!("UPDATE {table} SET data_key = $1 WHERE id = $2");
            let back = sqlx::query(&back).bind(store.shared.keys.wrapped(whose, &id).unwrap()).bind(&id);
            back.execute(store.database().pool()).await.unwrap();
        }
    }
    tamper(&store, "UPDATE upkeep SET keys_apart = 0").await;
    store.close().await;
    read(site.open().await).await;
}

async fn the_key_store_belongs_to_its_database_and_is_not_made_anew(site: Site) {
    let store = site.open().await;
    let recording = filled(&store, "kept").await;
    store.close().await;
    let (keys, aside) = (site.path().join("keys"), site.path().join("aside"));
    fs::rename(&keys, &aside).unwrap();
    let error = site.try_open().await.unwrap_err();
    assert!(matches!(error, StoreError::LostKeyStore { .. }), "{error}");
    assert!(!keys.join("keys.db").exists());
    // Of another folder.
    let other = Site::sqlite();
    filled(&other.open().await, "other").await;
    fs::rename(other.path().join("keys"), &keys).unwrap();
    assert!(matches!(site.try_open().await, Err(StoreError::WrongKey { .. })));
    // Of the same master key, for another database.
    let third = Site::sqlite();
    write_key(&third, &fs::read(site.path().join("master.key")).unwrap());
    filled(&third.open().await, "third").await;
    fs::remove_dir_all(&keys).unwrap();
    fs::rename(third.path().join("keys"), &keys).unwrap();
    assert!(matches!(site.try_open().await, Err(StoreError::OtherDatabase { .. })));
    // Its own again; and its own with an empty database.
    fs::remove_dir_all(&keys).unwrap();
    fs::rename(&aside, &keys).unwrap();
    let store = site.open().await;
    assert!(store.recording(&recording.id).await.unwrap().is_some());
    store.close().await;
    let empty = Site::sqlite();
    fs::rename(site.path(), empty.path()).unwrap();
    let _ = fs::remove_file(empty.path().join("cantoscribe.db"));
    let error = empty.try_open().await.unwrap_err();
    assert!(matches!(error, StoreError::OtherDatabase { .. }), "{error}");
}

async fn a_key_that_is_missing_and_was_not_destroyed_is_named(site: Site) {
    let store = site.open().await;
    filled(&store, "kept").await;
    store.close().await;
    let aside = site.path().join("aside");
    fs::create_dir(&aside).unwrap();
    fs::copy(site.path().join("keys/keys.db"), aside.join("keys.db")).unwrap();
    let store = site.open().await;
    let later = filled(&store, "later").await;
    store.close().await;
    fs::rename(aside.join("keys.db"), site.path().join("keys/keys.db")).unwrap();
    let error = site.try_open().await.unwrap_err();
    assert!(error.to_string().contains(&format!("the key of recording `{}` is not in the key store", later.id)), "{error}");
    assert!(error.to_string().contains("older than the records"));
}

async fn a_newer_form_is_refused_and_both_are_named(site: Site) {
    let store = site.open().await;
    let insert = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
        SELECT 9999, description, success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1";
    tamper(&store, insert).await;
    store.close().await;
    let error = site.try_open().await.unwrap_err();
    let known = newest_form();
    assert!(matches!(error, StoreError::NewerForm { found: 9999, .. }), "{error}");
    assert!(error.to_string().contains("form 9999") && error.to_string().contains(&format!("after {known}")), "{error}");
}

on_both! {
    keys_in_rows_are_moved_to_the_key_store_and_all_is_read_as_before,
    every_form_since_then_is_upgraded_and_every_row_is_as_it_was,
    an_upgrade_that_was_interrupted_goes_on,
    the_key_store_belongs_to_its_database_and_is_not_made_anew,
    a_key_that_is_missing_and_was_not_destroyed_is_named,
    a_newer_form_is_refused_and_both_are_named,
}

#[tokio::test]
async fn a_key_store_of_a_newer_form_is_refused() {
    let site = Site::sqlite();
    site.open().await.close().await;
    let path = site.path().join("keys/keys.db");
    let mut file = sqlx::SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    sqlx::query("PRAGMA user_version = 7").execute(&mut file).await.unwrap();
    file.close().await.unwrap();
    assert!(matches!(site.try_open().await, Err(StoreError::NewerForm { found: 7, known: 1, .. })));
}
