//! Why a recording is not delivered.

use std::io;
use std::path::PathBuf;

use crate::spool::SpoolError;

/// What ends a delivery. A broken connection does not: it is made again.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Not the address of a server.
    #[error("`{given}` is not a server's address: {reason}")]
    Address {
        /// As the user wrote it.
        given: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The server does not take the recording, and will not if asked again.
    #[error("the server refused the recording: {reason}")]
    Refused {
        /// What the server says.
        reason: String,
    },
    /// Somebody else goes on with the recording.
    #[error("another client has taken over the recording")]
    Replaced,
    /// Somebody finished the recording before all of it was sent.
    #[error("the recording was finished on the server before all of it was sent")]
    FinishedElsewhere,
    /// Somebody erased the recording on the server.
    #[error("the recording was erased on the server, and is erased here too")]
    Erased,
    /// A file or folder of the outbox cannot be used.
    #[error("cannot use `{}`", path.display())]
    Outbox {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The outbox's key is readable to others, or no key.
    #[error("the key `{}` {reason}", path.display())]
    Key {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What the outbox says about a recording cannot be read.
    #[error("`{}` is damaged, or sealed with another key", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// The sound of the outbox cannot be written or read.
    #[error("the sound kept for the server cannot be used")]
    Spool(#[from] SpoolError),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
}
