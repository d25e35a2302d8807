//! The data folder: who may use it, and its master key.
//!
//! ```text
//! lock          held by the one process that uses the folder
//! master.key    32 random bytes; readable by the owner only
//! cantoscribe.db (and -wal, -shm beside it), unless the database is a PostgreSQL
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

/// A data folder that this process alone uses.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Dropping it releases the lock.
    _lock: File,
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
        let folder = Self { path: path.to_owned(), _lock: file };
        make(&folder.audio())?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn audio(&self) -> PathBuf {
        self.path.join("audio")
    }

    pub(super) fn key_path(&self) -> PathBuf {
        self.path.join("master.key")
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
        return Err(StoreError::WrongKey { path: path.to_owned() });
    }
    file.read_exact(&mut *bytes).map_err(StoreError::io("read", path))?;
    Ok(Key::from_bytes(*bytes))
}

/// A folder for its owner only. One that is there keeps its permissions.
fn make(path: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(StoreError::io("create", path))
}

/// Opens a file that, if it is made here, only its owner can read.
fn private(options: &mut fs::OpenOptions, path: &Path) -> Result<File, StoreError> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path).map_err(StoreError::io("open", path))
}

pub(super) fn sync(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(StoreError::io("sync", folder))
}
