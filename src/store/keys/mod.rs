//! The key store: the wrapped keys of recordings and patients, apart from what they seal, what is left of those that were destroyed, and
//! what else is good no more.
//!
//! It is a SQLite file of its own, `keys/keys.db` in the data folder, wherever the rows are: so no log and no backup of the rows, and no
//! write-ahead log of a PostgreSQL, ever has a key. A backup of it overwrites its predecessor, so that what was destroyed here is destroyed.
//!
//! A key is on the disk before the row that needs it is committed. When it is destroyed, a hash of whose it was stays with the time:
//! a row that comes back from an older backup is known by it, and erased again. A row whose key is not here and was not destroyed here
//! means that this is not the key store of these rows, or an older one.
//!
//! The master key wraps what is here. The root key is here too: it seals what is nobody's in particular, and hashes. It outlasts the
//! master key, so that what the audit log calls a patient stays the same.

mod ended;
mod file;
mod master;

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use sha2::{Digest as _, Sha256};
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

use super::folder::Folder;
use super::place::Place;
use super::{By, StoreError};
use crate::audit::Actor;
use crate::spool::Key;
pub(super) use ended::{Change, Ended};
pub(super) use file::{Contents, contents, fill};
use file::{failed, wipe};
pub use master::MasterSource;

/// What [`KeyStore::owed`] calls a rotation of the master key and a restored backup.
pub(super) const ROTATED: &str = "rotate";
pub(super) const RESTORED: &str = "restore";

/// Whose a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    Recording,
    Patient,
}

impl Whose {
    pub(super) const ALL: [Self; 2] = [Self::Recording, Self::Patient];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Recording => "recording",
            Self::Patient => "patient",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|whose| whose.name() == name)
    }

    /// Where the wrapped key belongs: the column that had it before there was a key store.
    pub(super) fn place(self, id: &str) -> Place<'_> {
        match self {
            Self::Recording => Place::new("recordings.data_key", id),
            Self::Patient => Place::new("patients.data_key", id),
        }
    }

    /// What is known of a destroyed key: an id is random, so only who has it can tell.
    fn hash(self, id: &str) -> Vec<u8> {
        let hash = Sha256::new_with_prefix("cantoscribe destroyed key 1\n").chain_update(self.name()).chain_update("\n");
        hash.chain_update(id).finalize().to_vec()
    }
}

/// What the rows say of their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// There are none yet.
    New,
    /// They hold their keys, as they did before there was a key store.
    WithKeys,
    /// Their keys are in the key store.
    Apart,
}

/// An open key store.
pub(super) struct KeyStore {
    /// None once it is closed.
    file: Mutex<Option<SqliteConnection>>,
    master: Key,
    root: Key,
    kept: RwLock<HashMap<(Whose, String), Vec<u8>>>,
    destroyed: RwLock<HashMap<Vec<u8>, i64>>,
}

fn root_place() -> Place<'static> {
    Place::new("keys.root", "")
}

fn unwrap(place: &Place<'_>, master: &Key, wrapped: &[u8]) -> Result<Key, StoreError> {
    let bytes = place.unseal(master, wrapped)?;
    Ok(Key::from_bytes(bytes.as_slice().try_into().map_err(|_| place.damaged())?))
}

/// The root key, of this wrapping.
pub(super) fn unwrap_root(master: &Key, wrapped: &[u8]) -> Result<Key, StoreError> {
    unwrap(&root_place(), master, wrapped)
}

/// The root key and the master key of a data folder, beside the process that uses it.
pub(super) async fn unlock(folder: &Folder, source: &MasterSource) -> Result<(Key, Key), StoreError> {
    let root = contents(folder).await?.root;
    let (master, root) = open_root(folder, source, &root).await?;
    Ok((root, master))
}

/// The master key that opens a root key, and the root key. A rotation that was cut short may have left two in the folder.
async fn open_root(folder: &Folder, source: &MasterSource, wrapped: &[u8]) -> Result<(Key, Key), StoreError> {
    if *source == MasterSource::Folder
        && let Some(next) = folder.next_master_key()?
        && let Ok(root) = unwrap_root(&next, wrapped)
    {
        return Ok((next, root));
    }
    let master = source.fetch(folder, false).await?;
    let root = unwrap_root(&master, wrapped).map_err(|_| source.wrong(&folder.key_path()))?;
    Ok((master, root))
}

impl KeyStore {
    /// Opens the key store of a data folder; makes one for rows that have none yet. `is_root` says whether a key is what the rows were
    /// sealed with.
    ///
    /// # Errors
    /// When the master key is lost, exposed or another one, when there should be a key store and is none, and when it holds keys and the
    /// database is new.
    pub(super) async fn open(
        folder: &Folder,
        source: &MasterSource,
        rows: Rows,
        is_root: impl Fn(&Key) -> bool,
    ) -> Result<Self, StoreError> {
        let path = folder.key_store();
        if rows == Rows::Apart && !path.exists() {
            return Err(StoreError::LostKeyStore { path });
        }
        folder.make_key_store()?;
        let mut file = file::connect(folder).await?;
        let stored = file::root(&mut file).await?;
        let (master, root) = match &stored {
            Some(wrapped) => open_root(folder, source, wrapped).await?,
            None if rows == Rows::Apart => return Err(StoreError::LostKeyStore { path }),
            None => {
                let master = source.fetch(folder, rows == Rows::New).await?;
                if rows == Rows::WithKeys && !is_root(&master) {
                    return Err(source.wrong(&folder.key_path()));
                }
                // What was sealed before with the master key must be read with the root key.
                let root = if rows == Rows::WithKeys { master.clone() } else { Key::generate()? };
                let insert = sqlx::query("INSERT INTO root (id, wrapped) VALUES (1, $1)");
                let insert = insert.bind(root_place().seal(&master, root.reveal())?);
                insert.execute(&mut file).await.map_err(failed("be made"))?;
                (master, root)
            }
        };
        if *source == MasterSource::Folder {
            folder.settle_master_key(&master)?;
        }
        if rows != Rows::New && !is_root(&root) {
            return Err(StoreError::OtherDatabase { path });
        }
        let (kept, destroyed) = file::read(&mut file).await?;
        if rows == Rows::New && !kept.is_empty() {
            return Err(StoreError::OtherDatabase { path });
        }
        let kept = kept.into_iter().filter_map(|(whose, id, key)| Some(((Whose::of_name(&whose)?, id), key))).collect();
        let destroyed = destroyed.into_iter().collect();
        Ok(Self { file: Mutex::new(Some(file)), master, root, kept: RwLock::new(kept), destroyed: RwLock::new(destroyed) })
    }

    /// Seals what is nobody's in particular, and hashes.
    pub(super) fn root(&self) -> &Key {
        &self.root
    }

    /// The key of a recording or patient.
    ///
    /// # Errors
    /// Where there is none, and where it is damaged or another's.
    pub(super) fn key(&self, whose: Whose, id: &str) -> Result<Key, StoreError> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        match kept.get(&(whose, id.to_owned())) {
            Some(wrapped) => unwrap(&whose.place(id), &self.master, wrapped),
            None => Err(self.missing(whose, id)),
        }
    }

    pub(super) fn has(&self, whose: Whose, id: &str) -> bool {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).contains_key(&(whose, id.to_owned()))
    }

    pub(super) fn was_destroyed(&self, whose: Whose, id: &str) -> bool {
        self.destroyed.read().unwrap_or_else(PoisonError::into_inner).contains_key(&whose.hash(id))
    }

    /// What is to be said of a key that is not here.
    pub(super) fn missing(&self, whose: Whose, id: &str) -> StoreError {
        match whose {
            _ if !self.was_destroyed(whose, id) => StoreError::LostDataKey { whose: whose.name(), id: id.to_owned() },
            Whose::Recording => StoreError::missing(id),
            Whose::Patient => StoreError::Unknown { what: "patient", id: id.to_owned() },
        }
    }

    /// Keeps a new key. It is on the disk when this returns; only then may the row that needs it be committed.
    ///
    /// # Errors
    /// When there is one for this already, and when it cannot be written.
    pub(super) async fn add(&self, whose: Whose, id: &str, key: &Key) -> Result<(), StoreError> {
        let wrapped = whose.place(id).seal(&self.master, key.reveal())?;
        let insert = sqlx::query("INSERT INTO keys (whose, id, wrapped) VALUES ($1, $2, $3)");
        let insert = insert.bind(whose.name()).bind(id).bind(wrapped.clone());
        insert.execute(&mut *self.file().await?).await.map_err(failed("keep a key"))?;
        self.kept.write().unwrap_or_else(PoisonError::into_inner).insert((whose, id.to_owned()), wrapped);
        Ok(())
    }

    /// Keeps keys that rows had, as they were wrapped there. Those that are here already stay.
    pub(super) async fn take_over(&self, keys: Vec<(Whose, String, Vec<u8>)>) -> Result<(), StoreError> {
        let mut file = self.file().await?;
        let mut all = file.begin().await.map_err(failed("take over keys"))?;
        for (whose, id, wrapped) in &keys {
            // A key of another wrapping would be lost for good once the row's is gone.
            unwrap(&whose.place(id), &self.master, wrapped)?;
            let insert = "INSERT INTO keys (whose, id, wrapped) VALUES ($1, $2, $3) ON CONFLICT (whose, id) DO NOTHING";
            let insert = sqlx::query(insert).bind(whose.name()).bind(id).bind(wrapped);
            insert.execute(&mut *all).await.map_err(failed("take over keys"))?;
        }
        all.commit().await.map_err(failed("take over keys"))?;
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        for (whose, id, wrapped) in keys {
            kept.entry((whose, id)).or_insert(wrapped);
        }
        Ok(())
    }

    /// Destroys a key, whether it is here or not, for good: what is left says that it was, and when. [`Self::wipe`] must follow.
    ///
    /// # Errors
    /// When it cannot be written; then it is as before.
    pub(super) async fn destroy(&self, whose: Whose, id: &str) -> Result<(), StoreError> {
        let at = By::now(Actor::System).seconds();
        let mut file = self.file().await?;
        let mut both = file.begin().await.map_err(failed("destroy a key"))?;
        let delete = sqlx::query("DELETE FROM keys WHERE whose = $1 AND id = $2").bind(whose.name()).bind(id);
        delete.execute(&mut *both).await.map_err(failed("destroy a key"))?;
        let insert = sqlx::query("INSERT INTO destroyed (hash, at) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING");
        insert.bind(whose.hash(id)).bind(at).execute(&mut *both).await.map_err(failed("destroy a key"))?;
        both.commit().await.map_err(failed("destroy a key"))?;
        self.kept.write().unwrap_or_else(PoisonError::into_inner).remove(&(whose, id.to_owned()));
        self.destroyed.write().unwrap_or_else(PoisonError::into_inner).entry(whose.hash(id)).or_insert(at);
        Ok(())
    }

    /// Wraps everything anew with another master key, all or nothing, and notes that it has to be told. What is open here is of no use then.
    /// Says how many keys that were.
    ///
    /// # Errors
    /// When a key is damaged, and when it cannot be written; then all is as before.
    pub(super) async fn rotate(&self, new: &Key) -> Result<usize, StoreError> {
        let mut file = self.file().await?;
        let mut all = file.begin().await.map_err(failed("wrap its keys anew"))?;
        let root = sqlx::query("UPDATE root SET wrapped = $1").bind(root_place().seal(new, self.root.reveal())?);
        root.execute(&mut *all).await.map_err(failed("wrap its keys anew"))?;
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner).clone();
        for ((whose, id), wrapped) in &kept {
            let place = whose.place(id);
            let wrapped = place.seal(new, unwrap(&place, &self.master, wrapped)?.reveal())?;
            let update = sqlx::query("UPDATE keys SET wrapped = $1 WHERE whose = $2 AND id = $3");
            let update = update.bind(wrapped).bind(whose.name()).bind(id);
            update.execute(&mut *all).await.map_err(failed("wrap its keys anew"))?;
        }
        file::owe(&mut all, ROTATED).await?;
        all.commit().await.map_err(failed("wrap its keys anew"))?;
        wipe(&mut file).await?;
        Ok(kept.len())
    }

    /// What was done to the key store and has no event yet.
    pub(super) async fn owed(&self) -> Result<Vec<String>, StoreError> {
        let owed = sqlx::query_scalar::<_, String>("SELECT action FROM owed").fetch_all(&mut *self.file().await?).await;
        owed.map_err(failed("be read"))
    }

    /// That something has its event now.
    pub(super) async fn told(&self, action: &str) -> Result<(), StoreError> {
        let delete = sqlx::query("DELETE FROM owed WHERE action = $1").bind(action);
        delete.execute(&mut *self.file().await?).await.map(drop).map_err(failed("note what was told"))
    }

    /// Whether this is its master key.
    pub(super) fn is_master(&self, key: &Key) -> bool {
        self.master.reveal() == key.reveal()
    }

    /// Writes the file anew and empties its log, so that no byte of a destroyed key is left in either.
    pub(super) async fn wipe(&self) -> Result<(), StoreError> {
        wipe(&mut *self.file().await?).await
    }

    /// Closes its file, and waits until that is done: then its write-ahead log is gone from the folder. All that needs the file fails
    /// from now on.
    pub(super) async fn close(&self) {
        if let Some(mut file) = self.file.lock().await.take() {
            // What was committed is on the disk; this only tidies up.
            let _ = file::empty_log(&mut file).await;
            let _ = file.close().await;
        }
    }

    async fn file(&self) -> Result<MappedMutexGuard<'_, SqliteConnection>, StoreError> {
        MutexGuard::try_map(self.file.lock().await, Option::as_mut).map_err(|_| failed("be used")(sqlx::Error::PoolClosed))
    }

    /// A key as it is wrapped.
    #[cfg(test)]
    pub(super) fn wrapped(&self, whose: Whose, id: &str) -> Option<Vec<u8>> {
        self.kept.read().unwrap().get(&(whose, id.to_owned())).cloned()
    }

    /// Puts another wrapped key in the place of one, as only somebody else would.
    #[cfg(test)]
    pub(super) fn tamper(&self, whose: Whose, id: &str, wrapped: Vec<u8>) {
        self.kept.write().unwrap().insert((whose, id.to_owned()), wrapped).unwrap();
    }

    /// The master key, for tests that stand for somebody who has it.
    #[cfg(test)]
    pub(super) fn master(&self) -> &Key {
        &self.master
    }
}
