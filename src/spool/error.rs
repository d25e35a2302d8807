//! What can go wrong with a spool.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why audio could not be written to its file or read back.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// Reading or writing the file failed.
    #[error("could not {action} `{path}`: {reason}")]
    Io {
        /// A verb in its plain form.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
    /// There is no room left. What was safe before still is, and a later append may work.
    #[error("the disk is full: could not {action} `{path}`")]
    DiskFull {
        /// A verb in its plain form.
        action: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Another writer has the file.
    #[error("`{path}` is being written by another")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file does not begin as a spool sealed with this key for this recording does.
    #[error("`{path}` is not a spool of this recording and key, or its first bytes are damaged")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A record that was once safe cannot be read any more, or is not where it was written.
    #[error("record {sequence} of `{path}` is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Its number, counted from 0.
        sequence: u64,
    },
    /// The audio is closed: nothing comes after its finish.
    #[error("`{path}` is finished: nothing can be added")]
    Finished {
        /// The file.
        path: PathBuf,
    },
    /// One record would be larger than a reader is ready to take.
    #[error("{bytes} bytes are too many for one record of a spool")]
    TooLarge {
        /// How many were given.
        bytes: usize,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
    /// The cipher did not take the data, which only its length can cause.
    #[error("the data could not be sealed")]
    Seal,
}

impl SpoolError {
    /// Turns a failed file operation into an error that names it; a full disk is told apart.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |reason| match reason.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { action, path },
            _ => Self::Io { action, path, reason },
        }
    }
}
