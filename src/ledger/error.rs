//! What can go wrong with a log's folder. No message holds what an entry says.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::audit::AuditError;

/// Why a log could not be opened, appended to or read.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// Reading or writing a file failed.
    #[error("could not {action} `{path}`: {reason}")]
    Io {
        /// A verb in its plain form.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
    /// There is no room left. The log is as it was, and a later append may work.
    #[error("the disk is full: could not {action} `{path}`")]
    DiskFull {
        /// A verb in its plain form.
        action: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Another process writes this log.
    #[error("the log in `{folder}` is being written by another")]
    InUse {
        /// The log's folder.
        folder: PathBuf,
    },
    /// There are entries and no signed head.
    #[error("`{folder}` has entries and no checkpoint: put it back from where it was saved")]
    NoHead {
        /// The log's folder.
        folder: PathBuf,
    },
    /// The last tiles do not lead to the signed root.
    #[error("the log in `{folder}` is damaged: run `cantoscribe audit verify` on it")]
    Damaged {
        /// The log's folder.
        folder: PathBuf,
    },
    /// The database begins behind the log's end.
    #[error("the log has {size} entries: what was given begins with entry {first}")]
    Gap {
        /// How many entries the log has.
        size: u64,
        /// The number of the first that was given.
        first: u64,
    },
    /// The database says something else than the log.
    #[error("entry {entry} of the log is not what the database has")]
    Differs {
        /// Its number, counted from 0.
        entry: u64,
    },
    /// A head was signed of which it is not known whether it is on the disk.
    #[error("writing the checkpoint in `{folder}` failed: the log must be opened again before anything is appended")]
    Uncertain {
        /// The log's folder.
        folder: PathBuf,
    },
    /// A file is not its owner's alone.
    #[error("others than its owner can read or write `{path}`: `chmod 600` it, and think of the key as known")]
    Exposed {
        /// The key's file.
        path: PathBuf,
    },
    /// The program ended, or broke down, before it was done.
    #[error("the log's files were not read or written to the end")]
    Interrupted,
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
    /// Something of the log itself is wrong.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl LedgerError {
    /// Turns a failed file operation into an error that names it; a full disk is told apart.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |reason| match reason.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { action, path },
            _ => Self::Io { action, path, reason },
        }
    }
}
