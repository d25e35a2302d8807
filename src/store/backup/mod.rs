//! Backups: the records in one part, the keys in another, so that what is destroyed stays destroyed whatever is restored.
//!
//! A backup is made beside a running server. What is copied first is known by what is copied later: the audit log, then the rows in one
//! transaction, then the sound of the recordings among them, then the keys. So rows are at most more than the log, which a start adds,
//! and the keys know of every row; what was erased meanwhile has no key any more, and is erased again when it is restored.
//!
//! The records' part is a folder of its own each time. The keys' part overwrites the one before: a backup of the records, however old, can
//! be read with the newest keys alone, and those of what was destroyed are not among them. The master key is in neither.

mod files;
mod restoring;
mod rows;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use sqlx::{AnyConnection, Connection as _};

use super::act::enter;
use super::database::{Kind, form, newest_form};
use super::folder::Folder;
use super::keys;
use super::{By, Opening, StoreError, folder, recordings};
use crate::audit::{Action, Actor, CHECKPOINT, Checkpoint, NoteVerifier, verify};
use crate::ledger::LogFolder;
use crate::spool::Key;
use files::{Bytes, Hashing, Keys, List, ROWS, Sum};
pub use restoring::{Restored, Restoring, restore};
#[cfg(test)]
pub(super) use rows::{read as read_rows, write as write_rows};

/// How often the log is copied anew where it changed under the copying.
const TRIES: u32 = 5;

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackedUp {
    /// How many recordings.
    pub recordings: usize,
    /// How many files.
    pub files: usize,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many keys of recordings and patients.
    pub keys: usize,
    /// How many entries of the audit log.
    pub entries: u64,
}

/// Copies the records of a data folder to a new folder and the keys to another, in the place of those that it has.
///
/// # Errors
/// When there is no data folder of this version's form, the records' folder is not empty, the keys' one has those of another data folder,
/// or something cannot be read or written. What was written then has no list, and is not restored.
pub async fn back_up(opening: &Opening, records: &Path, keys_to: &Path) -> Result<BackedUp, StoreError> {
    apart(records, keys_to, &opening.data)?;
    let place = Folder::beside(&opening.data);
    if !place.key_store().exists() {
        return Err(StoreError::NothingToSave { folder: opening.data.clone() });
    }
    let (root, master) = keys::unlock(&place, &opening.master).await?;
    empty(records)?;
    let (mut connection, kind, name) = opening.connect().await?;
    let known = newest_form();
    match form(&mut connection, kind).await? {
        Some(found) if found == known => {}
        Some(found) if found > known => return Err(StoreError::NewerForm { what: name, found, known }),
        _ => return Err(StoreError::OlderForm { database: name, known }),
    }
    let made_at = By::now(Actor::System);
    keep_event(&mut connection, &root, &made_at).await?;

    let mut sums = BTreeMap::new();
    let (head, origin) = copy_log(&opening.data, records, &mut sums)?;
    let ids = copy_rows(&mut connection, kind, records, &mut sums).await?;
    let mut recordings = 0;
    for id in &ids {
        let name = format!("audio/{id}");
        if !id.chars().all(recordings::is_of_id) {
            continue;
        }
        // A typed note has no sound.
        if let Some(sum) = files::copy_file(&place.audio().join(id), &records.join(&name))? {
            sums.insert(name, sum);
        }
        recordings += 1;
    }
    let kept = copy_keys(&place, made_at.at.0, keys_to, &origin, &master).await?;
    let (files, bytes) = (sums.len(), sums.values().map(Sum::size).sum());
    List::new(made_at.at.0, known, origin, sums).write(records, &root)?;
    connection.close().await.map_err(StoreError::database("be closed"))?;
    Ok(BackedUp { recordings, files, bytes, keys: kept, entries: head.size })
}

/// The parts lie neither in each other nor in the data folder.
fn apart(records: &Path, keys: &Path, data: &Path) -> Result<(), StoreError> {
    let whole = |path: &Path| std::path::absolute(path).map_err(StoreError::io("find", path));
    let (records, keys, data) = (whole(records)?, whole(keys)?, whole(data)?);
    for (one, other) in
        [(&records, &keys), (&keys, &records), (&records, &data), (&keys, &data), (&data, &records), (&data, &keys)]
    {
        if one.starts_with(other) {
            return Err(StoreError::NotApart { one: one.clone(), other: other.clone() });
        }
    }
    Ok(())
}

/// A folder of this path that has nothing in it.
fn empty(path: &Path) -> Result<(), StoreError> {
    folder::make(path)?;
    let mut entries = fs::read_dir(path).map_err(StoreError::io("read", path))?;
    if entries.next().is_some() { Err(StoreError::NotEmpty { folder: path.to_owned() }) } else { Ok(()) }
}

/// That the keys were unlocked for it is kept too. Both are in the rows that are copied, and the server's log has them with its next event.
async fn keep_event(connection: &mut AnyConnection, root: &Key, by: &By) -> Result<(), StoreError> {
    let failed = || StoreError::database("keep an event");
    let mut act = connection.begin().await.map_err(failed())?;
    for action in [Action::KeyUse, Action::Backup] {
        enter(&mut act, root, &by.did_in_general(action), "keep an event").await?;
    }
    act.commit().await.map_err(failed())
}

/// Copies the audit log, and holds the copy against its head: a tile that another one replaced meanwhile is copied anew.
fn copy_log(data: &Path, to: &Path, sums: &mut BTreeMap<String, Sum>) -> Result<(Checkpoint, String), StoreError> {
    let (log, copy) = (data.join("audit"), to.join("audit"));
    let public = data.join("audit.pub");
    let text = fs::read_to_string(&public).map_err(StoreError::io("read", &public))?;
    let verifier = NoteVerifier::parse(&text)?;
    for attempt in 1.. {
        // The head first: all that it names was there before it.
        let note = fs::read(log.join(CHECKPOINT)).map_err(StoreError::io("read", &log.join(CHECKPOINT)))?;
        let mut copied = BTreeMap::new();
        for (name, path) in files::below(&log.join("tile"))? {
            let name = format!("audit/tile/{name}");
            if let Some(sum) = files::copy_file(&path, &to.join(&name))? {
                copied.insert(name, sum);
            }
        }
        files::write(&copy.join(CHECKPOINT), &note)?;
        let report = verify(&LogFolder::new(&copy), &verifier, None)?;
        if report.faults.is_empty() {
            copied.insert(format!("audit/{CHECKPOINT}"), Sum::of(&note));
            files::write(&to.join("audit.pub"), text.as_bytes())?;
            copied.insert("audit.pub".to_owned(), Sum::of(text.as_bytes()));
            sums.append(&mut copied);
            return Ok((report.checkpoint, verifier.name().to_owned()));
        }
        fs::remove_dir_all(&copy).map_err(StoreError::io("remove", &copy))?;
        if attempt == TRIES {
            break;
        }
    }
    Err(StoreError::BadBackup { what: format!("the audit log in `{}` is not as it was signed", log.display()) })
}

/// Copies the rows as they are at one moment; says which recordings are among them.
async fn copy_rows(
    connection: &mut AnyConnection,
    kind: Kind,
    to: &Path,
    sums: &mut BTreeMap<String, Sum>,
) -> Result<Vec<String>, StoreError> {
    let failed = || StoreError::database("be read at one moment");
    let begin = match kind {
        Kind::Sqlite => "BEGIN",
        Kind::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    };
    sqlx::raw_sql(begin).execute(&mut *connection).await.map_err(failed())?;
    let ids = sqlx::query_scalar::<_, String>("SELECT id FROM recordings WHERE state <> 'erasing' ORDER BY id");
    let ids = ids.fetch_all(&mut *connection).await.map_err(failed())?;
    let path = to.join(ROWS);
    let mut file = Hashing::new(BufWriter::new(files::create(&path)?));
    rows::write(connection, kind, &mut file).await?;
    sqlx::raw_sql("ROLLBACK").execute(connection).await.map_err(failed())?;
    let (file, sum) = file.finish();
    let written = file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|mut file| {
        file.flush()?;
        file.sync_all()
    });
    written.map_err(StoreError::io("write", &path))?;
    sums.insert(ROWS.to_owned(), sum);
    Ok(ids)
}

/// Copies the keys, and what else is secret; says how many keys.
async fn copy_keys(place: &Folder, made_at: u64, to: &Path, origin: &str, master: &Key) -> Result<usize, StoreError> {
    let keys::Contents { root, keys, destroyed, ended } = keys::contents(place).await?;
    let mut secrets = BTreeMap::new();
    let mut found = vec![("audit.key".to_owned(), place.path().join("audit.key"))];
    found.extend(files::below(&place.path().join("tls"))?.into_iter().map(|(name, path)| (format!("tls/{name}"), path)));
    for (name, path) in found {
        secrets.insert(name, Bytes(fs::read(&path).map_err(StoreError::io("read", &path))?));
    }
    let checkpoint = place.path().join("audit").join(CHECKPOINT);
    let head = fs::read_to_string(&checkpoint).map_err(StoreError::io("read", &checkpoint))?;
    let keys: Vec<_> = keys.into_iter().map(|(whose, id, key)| (whose, id, Bytes(key))).collect();
    let destroyed = destroyed.into_iter().map(|(hash, at)| (Bytes(hash), at)).collect();
    let stopped = ended.stopped.into_iter().map(|(subject, organisation)| (Bytes(subject), organisation)).collect();
    let (count, ended) = (keys.len(), ended.ids.into_iter().collect());
    Keys { made_at, root: Bytes(root), keys, destroyed, stopped, ended, secrets, head }.write(to, origin, master)?;
    Ok(count)
}

impl Opening {
    /// A connection beside the process that has the database, the kind of database, and its name.
    pub(super) async fn connect(&self) -> Result<(AnyConnection, Kind, String), StoreError> {
        match &self.database {
            Some(url) => Ok((url.connect_beside().await?, Kind::Postgres, url.to_string())),
            None => {
                let file: PathBuf = self.data.join("cantoscribe.db");
                Ok((super::database::connect_beside(&file).await?, Kind::Sqlite, file.display().to_string()))
            }
        }
    }
}
