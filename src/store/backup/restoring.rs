//! Putting a backup into an empty folder, and an empty database.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::PathBuf;

use sqlx::{AnyConnection, Connection as _};

use super::super::database::{Kind, migrate, newest_form};
use super::super::folder::Folder;
use super::super::keys;
use super::super::{MasterSource, Opening, Store, StoreError, folder};
use super::empty;
use super::files::{self, Bytes, Keys, List, ROWS};
use crate::audit::{Checkpoint, NoteVerifier};

/// The head that the audit log had when the keys were saved, where the restored log ends before it.
const SEEN: &str = "audit.seen";

/// What to restore, and to where.
#[derive(Debug, Clone)]
pub struct Restoring {
    /// The part with the records.
    pub records: PathBuf,
    /// The part with the keys.
    pub keys: PathBuf,
    /// Where to, and where the master key comes from. One from a file becomes the data folder's own where `own` is true.
    pub to: Opening,
    /// Whether the data folder keeps the master key itself.
    pub own: bool,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// How many recordings there are.
    pub recordings: usize,
    /// How many recordings and patients were erased since the backup, and were erased again.
    pub erased_again: usize,
    /// How many passkeys, sign-ins at issuers, devices and roles were stopped, removed, revoked or ended since the backup, and were again.
    pub ended_again: usize,
    /// Events that the backup of the records has: so long is the audit log.
    pub entries: u64,
    /// Entries that there were when the keys were saved: those in between are lost.
    pub known: u64,
    /// A head of the log that tells of the lost entries, where there are any.
    pub seen: Option<PathBuf>,
}

/// Restores a backup.
///
/// # Errors
/// When the target is not empty; when a part is missing, not whole, changed, or not of the same data folder; when the keys are older than
/// the records; when the master key is another one. Nothing is written before both parts were checked.
pub async fn restore(restoring: &Restoring) -> Result<Restored, StoreError> {
    let Restoring { records, keys, to, own } = restoring;
    let master = to.master.fetch_elsewhere().await?;
    let (part, origin) = Keys::read(keys, &master, &to.master)?;
    let root = keys::unwrap_root(&master, &part.root.0)?;
    let list = List::read(records, &root)?;
    if list.origin != origin {
        return Err(StoreError::BadBackup { what: "the two parts are of different data folders".to_owned() });
    }
    if part.made_at < list.made_at {
        return Err(StoreError::BadBackup {
            what: "the keys' part is older than the records' part; restore the newest".to_owned(),
        });
    }
    if list.form > newest_form() {
        let what = records.display().to_string();
        return Err(StoreError::NewerForm { what, found: list.form, known: newest_form() });
    }
    list.check(records)?;

    let (mut connection, kind, name, place) = open_empty(to).await?;
    // Until it is gone, nobody opens the folder.
    files::write(&place.unfinished(), b"")?;
    if *own {
        files::write(&place.key_path(), master.reveal())?;
    }
    for (name, Bytes(secret)) in &part.secrets {
        files::write(&place.path().join(name), secret)?;
    }
    for name in list.files.keys().filter(|name| *name != ROWS) {
        files::copy_file(&records.join(name), &place.path().join(name))?;
    }
    let kept = part.keys.into_iter().map(|(whose, id, Bytes(key))| (whose, id, key)).collect();
    let destroyed = part.destroyed.into_iter().map(|(Bytes(hash), at)| (hash, at)).collect();
    let stopped = part.stopped.into_iter().map(|(Bytes(subject), organisation)| (subject, organisation)).collect();
    let ended = keys::Ended { stopped, ids: part.ended.into_iter().collect() };
    let contents = keys::Contents { root: part.root.0, keys: kept, destroyed, ended };
    keys::fill(&place, contents, keys::RESTORED).await?;
    migrate(&mut connection, kind, &name, list.form).await?;
    let path = records.join(ROWS);
    let rows = File::open(&path).map_err(StoreError::io("open", &path))?;
    super::rows::read(&mut connection, kind, BufReader::new(rows)).await?;
    // The rows were copied after the log, and may have more.
    let entries = sqlx::query_scalar::<_, i64>("SELECT size FROM event_count").fetch_one(&mut connection).await;
    let entries = entries.map_err(StoreError::database("count its events"))?.unsigned_abs();
    connection.close().await.map_err(StoreError::database("be closed"))?;
    let (known, seen) = lost(&place, &part.head, entries)?;
    folder::sync(place.path())?;
    fs::remove_file(place.unfinished()).map_err(StoreError::io("remove", &place.unfinished()))?;
    folder::sync(place.path())?;
    drop(place);

    let master = if *own { MasterSource::Folder } else { to.master.clone() };
    let store = Store::open_with(&Opening { saved: true, master, ..to.clone() }).await?;
    let recordings = store.recordings().await?.len();
    let (erased_again, ended_again) = (store.erased_again(), store.ended_again());
    store.close().await;
    Ok(Restored { recordings, erased_again, ended_again, entries, known, seen })
}

/// The folder and a database, neither of which has anything in it. A PostgreSQL is looked at before the folder is made.
async fn open_empty(to: &Opening) -> Result<(AnyConnection, Kind, String, Folder), StoreError> {
    let postgres = if to.database.is_some() { Some(to.connect().await?) } else { None };
    if let Some((mut connection, kind, name)) = postgres {
        if super::rows::count(&mut connection, kind).await? > 0 {
            return Err(StoreError::NotEmpty { folder: PathBuf::from(name) });
        }
        empty(&to.data)?;
        return Ok((connection, kind, name, Folder::acquire(&to.data)?));
    }
    empty(&to.data)?;
    let place = Folder::acquire(&to.data)?;
    place.database()?;
    let (connection, kind, name) = to.connect().await?;
    Ok((connection, kind, name, place))
}

/// How far the log had grown when the keys were saved, and where the head is kept that says so, where it is beyond the restored rows.
fn lost(place: &Folder, newest: &str, entries: u64) -> Result<(u64, Option<PathBuf>), StoreError> {
    let public = place.path().join("audit.pub");
    let text = fs::read_to_string(&public).map_err(StoreError::io("read", &public))?;
    let known = Checkpoint::open(newest, &NoteVerifier::parse(&text)?)?.size;
    if known <= entries {
        return Ok((known, None));
    }
    let seen = place.path().join(SEEN);
    files::write(&seen, newest.as_bytes())?;
    Ok((known, Some(seen)))
}
