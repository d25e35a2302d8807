//! The folder of models: one folder a model, replaced whole or not at all.
//!
//! Beside `NAME/` there may be, all hidden: `.NAME.lock` (held while the model is being written), `.NAME.staging` (what is being
//! built; never used, removed by the next writer), `.NAME.download` (finished and verified parts of a pull that did not end well),
//! `.NAME.old` (the former model, for the moment of the exchange), `.NAME.packing` and `.NAME.manifest` (what will take the place of
//! packed weights and of the manifest), and `.NAME.checked` (see [`super::installed`]).

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::error::ModelError;
use super::manifest::{self, Manifest};
use super::report::Report;

/// The right to write one model, held by one process at a time.
#[derive(Debug)]
pub(crate) struct Locked {
    folder: PathBuf,
    name: String,
    /// Dropping it releases the lock.
    _file: File,
}

impl Locked {
    /// Waits for the lock, saying so if another process has it.
    pub(crate) fn acquire(folder: &Path, name: &str, report: &dyn Report) -> Result<Self, ModelError> {
        fs::create_dir_all(folder).map_err(ModelError::io("create", folder))?;
        let path = folder.join(format!(".{name}.lock"));
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(ModelError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                report.line(&format!("another process is writing `{name}`; waiting for it"));
                file.lock().map_err(ModelError::io("lock", &path))?;
            }
            Err(TryLockError::Error(error)) => return Err(ModelError::io("lock", &path)(error)),
        }
        Ok(Self { folder: folder.to_owned(), name: name.to_owned(), _file: file })
    }

    /// Where the model is, or will be.
    pub(crate) fn target(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// The folder of models.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The model's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Exchanges the manifest of the installed model, and puts that and the model's folder on disk.
    pub(crate) fn replace_manifest(&self, manifest: &Manifest) -> Result<(), ModelError> {
        let (target, new) = (self.target(), self.hidden("manifest"));
        fs::write(&new, manifest.to_json()?).map_err(ModelError::io("write", &new))?;
        sync(&new)?;
        fs::rename(&new, target.join(manifest::FILE_NAME)).map_err(ModelError::io("install", &new))?;
        sync(&target)
    }

    /// Where verified parts wait for the rest.
    pub(crate) fn download(&self) -> Result<PathBuf, ModelError> {
        let path = self.hidden("download");
        fs::create_dir_all(&path).map_err(ModelError::io("create", &path))?;
        Ok(path)
    }

    /// Removes what was kept for a next try.
    pub(crate) fn clear_download(&self) {
        if let Err(error) = remove(&self.hidden("download")) {
            tracing::warn!(%error, "left-over download not removed");
        }
    }

    /// An empty folder to build the model in.
    pub(crate) fn staging(&self) -> Result<Staging<'_>, ModelError> {
        let path = self.hidden("staging");
        remove(&path).map_err(ModelError::io("remove", &path))?;
        fs::create_dir(&path).map_err(ModelError::io("create", &path))?;
        Ok(Staging { locked: self, path })
    }

    pub(crate) fn hidden(&self, what: &str) -> PathBuf {
        self.folder.join(format!(".{}.{what}", self.name))
    }
}

/// A model being built. Dropped before [`Staging::install`], it is removed.
#[derive(Debug)]
pub(crate) struct Staging<'a> {
    locked: &'a Locked,
    path: PathBuf,
}

impl Staging<'_> {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the manifest, puts everything on disk and exchanges the folder for the former one, if any.
    pub(crate) fn install(self, manifest: &Manifest) -> Result<(), ModelError> {
        let path = self.path.join(manifest::FILE_NAME);
        fs::write(&path, manifest.to_json()?).map_err(ModelError::io("write", &path))?;
        let names = manifest.files.iter().map(|file| file.name.as_str()).chain([manifest::FILE_NAME]);
        for name in names {
            sync(&self.path.join(name))?;
        }
        sync(&self.path)?;
        let (target, old) = (self.locked.target(), self.locked.hidden("old"));
        remove(&old).map_err(ModelError::io("remove", &old))?;
        match fs::rename(&target, &old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(ModelError::io("replace", &target)(error)),
            _ => {}
        }
        fs::rename(&self.path, &target).map_err(ModelError::io("install", &target))?;
        sync(&self.locked.folder)?;
        remove(&old).map_err(ModelError::io("remove", &old))
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.path) {
            tracing::warn!(%error, "unfinished model not removed");
        }
    }
}

fn sync(path: &Path) -> Result<(), ModelError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(ModelError::io("sync", path))
}

/// Removes a file or folder; one that is not there is fine.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
