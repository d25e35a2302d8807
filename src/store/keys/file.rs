//! The file of the key store.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use super::super::StoreError;
use super::super::folder::Folder;
use super::ended::{self, Ended};

/// The form of the file, which newer programs may change.
const FORM: i64 = 1;

const TABLES: &str = "BEGIN; \
    CREATE TABLE IF NOT EXISTS root (id INTEGER PRIMARY KEY CHECK (id = 1), wrapped BLOB NOT NULL); \
    CREATE TABLE IF NOT EXISTS keys (whose TEXT NOT NULL, id TEXT NOT NULL, wrapped BLOB NOT NULL, PRIMARY KEY (whose, id)); \
    CREATE TABLE IF NOT EXISTS destroyed (hash BLOB PRIMARY KEY, at INTEGER NOT NULL); \
    CREATE TABLE IF NOT EXISTS owed (action TEXT PRIMARY KEY); \
    PRAGMA user_version = 1; COMMIT";

/// Whose a key is, the id, and the key as it is wrapped.
type Wrapped = (String, String, Vec<u8>);
/// The hash of whose a destroyed key was, and when it was destroyed, in seconds since 1970.
type Destroyed = (Vec<u8>, i64);
/// All that the file holds but for what is owed.
pub(in crate::store) struct Contents {
    /// The wrapped root key.
    pub(in crate::store) root: Vec<u8>,
    pub(in crate::store) keys: Vec<Wrapped>,
    /// What is left of keys that were destroyed.
    pub(in crate::store) destroyed: Vec<Destroyed>,
    pub(in crate::store) ended: Ended,
}

/// Opens the file, which is there, and makes its tables where it has none.
pub(super) async fn connect(folder: &Folder) -> Result<SqliteConnection, StoreError> {
    let path = folder.key_store();
    let options = SqliteConnectOptions::new().filename(&path).journal_mode(SqliteJournalMode::Wal);
    let options = options.synchronous(SqliteSynchronous::Full).pragma("secure_delete", "ON").disable_statement_logging();
    let mut file = options.connect().await.map_err(failed("be opened"))?;
    let form = sqlx::query_scalar::<_, i64>("PRAGMA user_version").fetch_one(&mut file).await.map_err(failed("be opened"))?;
    if form > FORM {
        return Err(StoreError::NewerForm { what: path.display().to_string(), found: form, known: FORM });
    }
    if form < FORM {
        file.execute(TABLES).await.map_err(failed("be made"))?;
    }
    file.execute(ended::TABLES).await.map_err(failed("be made"))?;
    Ok(file)
}

/// The wrapped root key, where there is one.
pub(super) async fn root(file: &mut SqliteConnection) -> Result<Option<Vec<u8>>, StoreError> {
    sqlx::query_scalar("SELECT wrapped FROM root").fetch_optional(file).await.map_err(failed("be read"))
}

/// Keys, and what is left of those that were destroyed.
pub(super) async fn read(file: &mut SqliteConnection) -> Result<(Vec<Wrapped>, Vec<Destroyed>), StoreError> {
    let keys = sqlx::query_as("SELECT whose, id, wrapped FROM keys ORDER BY whose, id").fetch_all(&mut *file).await;
    let destroyed = sqlx::query_as("SELECT hash, at FROM destroyed ORDER BY hash").fetch_all(file).await;
    Ok((keys.map_err(failed("be read"))?, destroyed.map_err(failed("be read"))?))
}

/// All that the file of a data folder holds at one moment, beside the process that uses it.
pub(in crate::store) async fn contents(folder: &Folder) -> Result<Contents, StoreError> {
    let mut file = connect(folder).await?;
    let mut moment = file.begin().await.map_err(failed("be read"))?;
    let root = root(&mut moment).await?.ok_or_else(|| StoreError::LostKeyStore { path: folder.key_store() })?;
    let (keys, destroyed) = read(&mut moment).await?;
    let ended = ended::read(&mut moment).await?;
    moment.rollback().await.map_err(failed("be read"))?;
    file.close().await.map_err(failed("be closed"))?;
    Ok(Contents { root, keys, destroyed, ended })
}

/// Makes the file of a data folder with these contents, and with something that has no event yet.
pub(in crate::store) async fn fill(folder: &Folder, contents: Contents, owed: &str) -> Result<(), StoreError> {
    let Contents { root, keys, destroyed, ended } = contents;
    folder.make_key_store()?;
    let mut file = connect(folder).await?;
    let mut all = file.begin().await.map_err(failed("be filled"))?;
    let insert = sqlx::query("INSERT INTO root (id, wrapped) VALUES (1, $1)").bind(root);
    insert.execute(&mut *all).await.map_err(failed("be filled"))?;
    for (whose, id, wrapped) in keys {
        let insert = sqlx::query("INSERT INTO keys (whose, id, wrapped) VALUES ($1, $2, $3)").bind(whose).bind(id).bind(wrapped);
        insert.execute(&mut *all).await.map_err(failed("be filled"))?;
    }
    for (hash, at) in destroyed {
        let insert = sqlx::query("INSERT INTO destroyed (hash, at) VALUES ($1, $2)").bind(hash).bind(at);
        insert.execute(&mut *all).await.map_err(failed("be filled"))?;
    }
    ended::write(&mut all, &ended.changes()).await?;
    owe(&mut all, owed).await?;
    all.commit().await.map_err(failed("be filled"))?;
    file.close().await.map_err(failed("be closed"))
}

/// Notes, in the transaction of something, that it has no event yet.
pub(super) async fn owe(file: &mut SqliteConnection, action: &str) -> Result<(), StoreError> {
    let insert = sqlx::query("INSERT INTO owed (action) VALUES ($1) ON CONFLICT (action) DO NOTHING").bind(action);
    insert.execute(file).await.map(drop).map_err(failed("note what is to be told"))
}

/// Writes the file anew and empties its log.
pub(super) async fn wipe(file: &mut SqliteConnection) -> Result<(), StoreError> {
    file.execute("VACUUM").await.map_err(failed("wipe what was destroyed"))?;
    empty_log(file).await
}

pub(super) async fn empty_log(file: &mut SqliteConnection) -> Result<(), StoreError> {
    let emptied = sqlx::query_as::<_, (i64, i64, i64)>("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(file).await;
    let (busy, ..) = emptied.map_err(failed("empty its log"))?;
    if busy == 0 { Ok(()) } else { Err(StoreError::Interrupted) }
}

pub(super) fn failed(action: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |reason| match StoreError::database(action)(reason) {
        StoreError::Database { action, reason } => StoreError::KeyStore { action, reason },
        full => full,
    }
}
