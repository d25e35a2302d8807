//! What can go wrong with a log. No message holds what an entry says.

use std::io;

use thiserror::Error;

/// Why something of a log could not be read, made or proven.
#[derive(Debug, Error)]
pub enum AuditError {
    /// A name of a key that the format does not allow.
    #[error("the name of a key has at least one character, and no space, control character or plus")]
    BadKeyName,
    /// Something that is no key.
    #[error("this is no Ed25519 key in the form NAME+HASH+BASE64")]
    BadKey,
    /// Something that is no signed note.
    #[error("this is no signed note, or it is damaged")]
    BadNote,
    /// A note without a valid signature of the key.
    #[error("this is not signed by {by}")]
    NotSigned {
        /// The public key.
        by: String,
    },
    /// Something that is no key of a witness.
    #[error("this is no witness's Ed25519 key in the form NAME+HASH+BASE64 (signature type 4, `cosignature/v1`)")]
    BadCosigner,
    /// A note with a cosignature that is not what it says it is.
    #[error("what claims to be the cosignature of {by} is none: {what}")]
    NotCosigned {
        /// The witness's name.
        by: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A signed note that is no checkpoint of the log.
    #[error("what is signed is no checkpoint of this log")]
    BadCheckpoint,
    /// An entry that the format cannot hold.
    #[error("an entry has at most 65535 bytes, this one {bytes}")]
    EntryTooLarge {
        /// How many it has.
        bytes: usize,
    },
    /// Bytes that are no event in its one form.
    #[error("these bytes are no event in its canonical form")]
    BadEvent,
    /// What should be the id of a policy is none.
    #[error("the id of a policy has 1 to 48 small letters, digits and hyphens")]
    BadPolicy,
    /// Something that is no id.
    #[error("an id is {bytes} bytes in unpadded base64url")]
    BadId {
        /// How many bytes.
        bytes: usize,
    },
    /// A file of a log that does not hold what its path says.
    #[error("`{path}` does not hold what its name says")]
    Malformed {
        /// Below the log's folder.
        path: String,
    },
    /// A file of a log that could not be read.
    #[error("could not read `{path}`: {reason}")]
    Unreadable {
        /// Below the log's folder.
        path: String,
        /// The system's reason.
        reason: io::Error,
    },
    /// Entries that a log does not have.
    #[error("the log has {size} entries: there is no {wanted}")]
    Beyond {
        /// How many it has.
        size: u64,
        /// What was asked for.
        wanted: u64,
    },
    /// A proof that does not lead to the root.
    #[error("the proof does not lead to the root")]
    NotProven,
}
