//! The files of a log in a folder.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::LedgerError;
use crate::audit::{AuditError, LogFiles, TilePath, WIDTH};

/// What a file is called until it is whole.
const UNFINISHED: &str = ".new";

/// The folder of a log, to read: `checkpoint`, and everything below `tile/`.
#[derive(Debug, Clone)]
pub struct LogFolder {
    path: PathBuf,
}

impl LogFolder {
    /// The log in this folder, whether there is one or not.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A tile or a bundle.
    pub(super) fn tile(&self, path: TilePath) -> Result<Vec<u8>, AuditError> {
        let path = path.to_string();
        self.read(&path)?.ok_or(AuditError::Malformed { path })
    }

    /// Writes a file under its name once it is whole and on the disk. The name itself is safe after [`Self::sync`].
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        let (path, unfinished) = (self.path.join(name), self.path.join(UNFINISHED));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(LedgerError::io("create", folder))?;
        }
        let write = || -> io::Result<()> {
            let mut file = File::create(&unfinished)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        if let Err(error) = write() {
            // What is left of it would only take room on a disk that may be full.
            let _ = fs::remove_file(&unfinished);
            return Err(LedgerError::io("write", &path)(error));
        }
        fs::rename(&unfinished, &path).map_err(LedgerError::io("write", &path))
    }

    /// Waits until the names of these files are on the disk.
    pub(super) fn sync<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<(), LedgerError> {
        let mut folders = BTreeSet::from([self.path.as_path()]);
        let paths: Vec<PathBuf> = names.into_iter().map(|name| self.path.join(name)).collect();
        for path in &paths {
            folders.extend(path.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.path)));
        }
        // The deepest first: a folder's name is safe before anybody is told of what is in it.
        folders.iter().rev().try_for_each(|folder| sync(folder))
    }

    /// Removes the narrower files of a tile that is full now. They may stay: that they are gone saves room and nothing else.
    pub(super) fn prune(&self, full: TilePath) {
        let _ = fs::remove_dir_all(self.path.join(format!("{full}.p")));
    }

    /// Removes what an append left behind that was cut short: files of entries that no head was signed for.
    pub(super) fn sweep(&self, size: u64) -> Result<(), LedgerError> {
        for name in self.paths()? {
            if TilePath::parse(&name).is_some_and(|path| !path.is_within(size)) {
                let path = self.path.join(name);
                fs::remove_file(&path).map_err(LedgerError::io("remove", &path))?;
            }
        }
        Ok(())
    }

    fn read_file(&self, path: &str) -> Result<Option<Vec<u8>>, AuditError> {
        match fs::read(self.path.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(reason) => Err(AuditError::Unreadable { path: path.to_owned(), reason }),
        }
    }

    fn collect(&self, folder: &Path, names: &mut Vec<String>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                match self.collect(&path, names) {
                    // The narrower files of a tile that became full a moment ago.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    other => other?,
                }
            } else if let Ok(name) = path.strip_prefix(&self.path) {
                let parts: Vec<_> = name.components().map(|part| part.as_os_str().to_string_lossy()).collect();
                names.push(parts.join("/"));
            }
        }
        Ok(())
    }
}

impl LogFiles for LogFolder {
    fn paths(&self) -> Result<Vec<String>, AuditError> {
        let mut names = Vec::new();
        match self.collect(&self.path.join("tile"), &mut names) {
            Err(reason) if reason.kind() != io::ErrorKind::NotFound => {
                Err(AuditError::Unreadable { path: "tile".to_owned(), reason })
            }
            _ => {
                names.sort_unstable();
                Ok(names)
            }
        }
    }

    /// While a log that grows is read, a tile may become full and its narrower files go: then they are the beginning of that one, as
    /// the specification has it.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, AuditError> {
        let found = self.read_file(path)?;
        let narrow = if found.is_none() { TilePath::parse(path).filter(|path| !path.is_full()) } else { None };
        let Some(narrow) = narrow else { return Ok(found) };
        let full = self.read_file(&TilePath { width: WIDTH, ..narrow }.to_string())?;
        Ok(full.and_then(|full| narrow.of_full(&full).map(<[u8]>::to_vec)))
    }
}

pub(super) fn sync(folder: &Path) -> Result<(), LedgerError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(LedgerError::io("sync", folder))
}
