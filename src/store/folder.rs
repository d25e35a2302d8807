//! The data folder: who may use it, and its master key.
//!
//! ```text
//! lock          held by the one process that uses the folder
//! master.key    32 random bytes; readable by the owner only; not where the key comes from elsewhere
//! keys/         the key store: wrapped keys, to be backed up apart (`keys`)
//! cantoscribe.db (and -wal, -shm beside it), unless the database is a PostgreSQL
//! before-upgrade/  a copy of the database from before the last upgrade
//! audio/ID      the spool of a recording
//! audit/        the files of the audit log: `checkpoint`, `tile/`
//! audit.key     what signs its heads; audit.pub is the public one, to verify it with
//! ```

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::StoreError;
use crate::ledger::{Ledger, signer};
use crate::spool::Key;

/// The form of a database from which on its rows hold no keys.
pub(super) const KEYS_APART: i64 = 40;

/// A data folder that this process alone uses.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Dropping it releases the lock. None where the folder is looked at beside the process that uses it.
    _lock: Option<File>,
}

impl Folder {
    /// Makes the folder where there is none, and takes its lock.
    pub(super) fn acquire(path: &Path) -> Result<Self, StoreError> {
        make(path)?;
        let lock = path.join("lock");
        let file = private(File::options().create(true).truncate(false).write(true), &lock)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { folder: path.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", &lock)(error)),
        }
        let folder = Self { path: path.to_owned(), _lock: Some(file) };
        make(&folder.audio())?;
        Ok(folder)
    }

    /// The folder, to look at beside the process that uses it.
    pub(super) fn beside(path: &Path) -> Self {
        Self { path: path.to_owned(), _lock: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Is there while a backup is being restored into the folder.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.path.join("restoring")
    }

    pub(super) fn audio(&self) -> PathBuf {
        self.path.join("audio")
    }

    pub(super) fn key_path(&self) -> PathBuf {
        self.path.join("master.key")
    }

    /// Copies of the database from before it was brought to another form.
    pub(super) fn copies(&self) -> PathBuf {
        self.path.join("before-upgrade")
    }

    /// Removes copies of a form whose rows hold their keys: what is erased must not be read in them.
    pub(super) fn forget_copies_with_keys(&self) -> Result<(), StoreError> {
        let folder = self.copies();
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(StoreError::io("read", &folder))?,
        };
        for entry in entries {
            let path = entry.map_err(StoreError::io("read", &folder))?.path();
            let form = path.file_stem().and_then(|stem| stem.to_str()?.rsplit('-').next()?.parse::<i64>().ok());
            if form.is_none_or(|form| form < KEYS_APART) {
                fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
            }
        }
        sync(&folder)
    }

    pub(super) fn key_store(&self) -> PathBuf {
        self.path.join("keys").join("keys.db")
    }

    /// The key store's file, made as the database's is.
    pub(super) fn make_key_store(&self) -> Result<PathBuf, StoreError> {
        make(&self.path.join("keys"))?;
        let path = self.key_store();
        private(File::options().create(true).truncate(false).write(true), &path)?;
        Ok(path)
    }

    /// The database's file, made so that SQLite does not make it readable for others. Its log takes over the permissions.
    pub(super) fn database(&self) -> Result<PathBuf, StoreError> {
        let path = self.path.join("cantoscribe.db");
        private(File::options().create(true).truncate(false).write(true), &path)?;
        Ok(path)
    }

    /// The master key; made where there is none, if the database is a new one.
    pub(super) fn master_key(&self, new: bool) -> Result<Key, StoreError> {
        let path = self.key_path();
        match File::open(&path) {
            Ok(file) => read_key(file, &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if new {
                    self.make_key(&path)
                } else {
                    Err(StoreError::LostKey { path })
                }
            }
            Err(error) => Err(StoreError::io("open", &path)(error)),
        }
    }

    /// The audit log. A new one has a name and a signing key of its own.
    pub(super) fn ledger(&self) -> Result<Ledger, StoreError> {
        let mut name = [0; 8];
        getrandom::fill(&mut name).map_err(|_| StoreError::Random)?;
        let origin = format!("cantoscribe/{:016x}", u64::from_be_bytes(name));
        let signer = signer(&self.path, &origin)?;
        let log = self.path.join("audit");
        make(&log)?;
        Ok(Ledger::open(&log, signer)?)
    }

    /// The key that a rotation puts in the place of `master.key`, while it has not.
    pub(super) fn next_master_key(&self) -> Result<Option<Key>, StoreError> {
        let path = self.next_key_path();
        match File::open(&path) {
            Ok(file) => read_key(file, &path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("open", &path)(error)),
        }
    }

    /// Makes it.
    pub(super) fn make_next_master_key(&self) -> Result<Key, StoreError> {
        self.make_key(&self.next_key_path())
    }

    /// Ends a rotation: the key that is in use becomes `master.key`, and another one that was to be goes.
    pub(super) fn settle_master_key(&self, used: &Key) -> Result<(), StoreError> {
        let Some(next) = self.next_master_key()? else { return Ok(()) };
        let path = self.next_key_path();
        if next.reveal() == used.reveal() {
            fs::rename(&path, self.key_path()).map_err(StoreError::io("rename", &path))?;
        } else {
            fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
        }
        sync(&self.path)
    }

    /// Removes the folder's own master key, when another one is in use.
    pub(super) fn remove_master_key(&self) -> Result<(), StoreError> {
        let path = self.key_path();
        fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
        sync(&self.path)
    }

    fn next_key_path(&self) -> PathBuf {
        self.path.join("master.key.next")
    }

    /// The key has its name only once it is whole and on the disk.
    fn make_key(&self, path: &Path) -> Result<Key, StoreError> {
        let key = Key::generate()?;
        let unfinished = self.path.join(".master.key.new");
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StoreError::io("remove", &unfinished)(error)),
            _ => {}
        }
        let mut file = private(File::options().create_new(true).write(true), &unfinished)?;
        let written = file.write_all(key.reveal()).and_then(|()| file.sync_all());
        written.map_err(StoreError::io("write", &unfinished))?;
        fs::rename(&unfinished, path).map_err(StoreError::io("create", path))?;
        sync(&self.path)?;
        Ok(key)
    }
}

fn read_key(mut file: File, path: &Path) -> Result<Key, StoreError> {
    let metadata = file.metadata().map_err(StoreError::io("read", path))?;
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0 {
        return Err(StoreError::Exposed { path: path.to_owned() });
    }
    let mut bytes = Zeroizing::new([0; 32]);
    if metadata.len() != bytes.len() as u64 {
        return Err(StoreError::WrongKey { key: format!("`{}`", path.display()) });
    }
    file.read_exact(&mut *bytes).map_err(StoreError::io("read", path))?;
    Ok(Key::from_bytes(*bytes))
}

/// A folder for its owner only. One that is there keeps its permissions.
pub(super) fn make(path: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(StoreError::io("create", path))
}

/// Opens a file that, if it is made here, only its owner can read.
pub(super) fn private(options: &mut fs::OpenOptions, path: &Path) -> Result<File, StoreError> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path).map_err(StoreError::io("open", path))
}

pub(super) fn sync(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(StoreError::io("sync", folder))
}
