//! What can go wrong with the data folder. No message holds content.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::audit::AuditError;
use crate::ledger::LedgerError;
use crate::spool::SpoolError;

/// Why the data folder could not be used, or something could not be kept in it or had from it.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A legal hold is on it.
    #[error("it is on legal hold")]
    OnHold,
    /// Its note is signed.
    #[error("its note is signed")]
    Signed,
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
    /// There is no room left.
    #[error("the disk is full: could not {action}")]
    DiskFull {
        /// What was being done.
        action: String,
    },
    /// Another process has the folder.
    #[error("the data folder `{folder}` is in use by another cantoscribe")]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The master key is not its owner's alone.
    #[error("others than its owner can read or write `{path}`: `chmod 600` it, and think of what it guards as seen")]
    Exposed {
        /// The key's file.
        path: PathBuf,
    },
    /// There is a database and no key for it.
    #[error("`{path}` is not there: nothing in this data folder can be read without it; put it back from where it was saved")]
    LostKey {
        /// The key's file.
        path: PathBuf,
    },
    /// The key is not the one that the database was sealed with.
    #[error("{key} is not the master key of this data folder or backup")]
    WrongKey {
        /// Where it is from.
        key: String,
    },
    /// Nobody said where the master key is.
    #[error("say where the master key is: --master-key FILE, or --master-key-command")]
    NoMasterKey,
    /// The new master key is the old one.
    #[error("the new master key is the present one")]
    SameKey,
    /// A folder that a restore did not finish.
    #[error("restoring a backup into `{folder}` was cut short: remove the folder and restore again, into an empty database")]
    HalfRestored {
        /// The folder.
        folder: PathBuf,
    },
    /// There is nothing that could be saved.
    #[error("there is no key store in `{folder}`: is it a data folder, and did this version open it before?")]
    NothingToSave {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder or database that has something in it already.
    #[error("`{folder}` is not empty")]
    NotEmpty {
        /// The folder, or the database's name.
        folder: PathBuf,
    },
    /// The parts of a backup and the data folder must not lie in each other.
    #[error("`{}` lies in `{}`: records, keys and data folder must lie apart", .one.display(), .other.display())]
    NotApart {
        /// What lies in the other.
        one: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// The keys' part that would be overwritten is of another data folder.
    #[error("`{path}` has the keys of another data folder, and is not overwritten")]
    OthersKeys {
        /// The file.
        path: PathBuf,
    },
    /// A part of a backup is not what it was.
    #[error("the backup cannot be used: {what}")]
    BadBackup {
        /// What is wrong, and where.
        what: String,
    },
    /// A database that this version has not opened yet.
    #[error("the database `{database}` is older than form {known}: start this version once, which brings it there")]
    OlderForm {
        /// The file, or host and name.
        database: String,
        /// The form of this version.
        known: i64,
    },
    /// What was to be a key is none.
    #[error("{from} is no key: it must be 32 bytes, or their hexadecimal digits or base64")]
    NoKey {
        /// Where it is from.
        from: String,
    },
    /// The command that fetches the master key failed. What it said is not quoted.
    #[error("the command for the master key, `{command}`, {how}")]
    KeyCommand {
        /// As it was given.
        command: String,
        /// How it ended.
        how: String,
    },
    /// There is a database and no key store for it.
    #[error("the key store `{path}` is not there: without it nothing can be read; restore its newest copy")]
    LostKeyStore {
        /// Where it should be.
        path: PathBuf,
    },
    /// There are keys, and the database was sealed with others or has nothing yet.
    #[error("the key store `{path}` is not of this database")]
    OtherDatabase {
        /// The key store.
        path: PathBuf,
    },
    /// The patient is merged with another: what is signed of either is erased once that was taken back.
    #[error("the patient is merged with another, and nothing that is signed of either is erased")]
    Merged,
    /// There is a row and no key for it, and none that was destroyed.
    #[error(
        "the key of {whose} `{id}` is not in the key store and was not destroyed there: the key store is older than the records, or \
        another's; restore the newest one"
    )]
    LostDataKey {
        /// `recording` or `patient`.
        whose: &'static str,
        /// Which.
        id: String,
    },
    /// The key store refused or failed.
    #[error("the key store could not {action}: {reason}")]
    KeyStore {
        /// A verb in its plain form.
        action: &'static str,
        /// What sqlx says of it. Values are bound, so it holds none.
        reason: sqlx::Error,
    },
    /// A PostgreSQL is of an older form, and nobody said that it was saved.
    #[error(
        "the database `{database}` is of form {found}, and this cantoscribe would bring it to form {known}: save it first (with `pg_dump`), \
        then start with --saved"
    )]
    NotSaved {
        /// Its host and name.
        database: String,
        /// Its form.
        found: i64,
        /// The form that it would get.
        known: i64,
    },
    /// A file or a database of a newer program.
    #[error(
        "`{what}` is of form {found}, and this cantoscribe knows none after {known}: it was written by a newer one; use that"
    )]
    NewerForm {
        /// The file, or the database's host and name.
        what: String,
        /// Its form.
        found: i64,
        /// The newest form that is known.
        known: i64,
    },
    /// What was given is no URL of a PostgreSQL database. It is not quoted: it may hold a password.
    #[error("the database's URL is not of the form postgres://USER@HOST/NAME")]
    BadUrl,
    /// The database cannot be reached.
    #[error("cannot open the database `{database}`: {reason}")]
    Connect {
        /// The file, or host and name.
        database: String,
        /// What sqlx says of it. It may name the user; it never holds the password.
        reason: sqlx::Error,
    },
    /// Another process has the database.
    #[error("the database `{database}` is in use by another cantoscribe")]
    DatabaseInUse {
        /// Its host and name.
        database: String,
    },
    /// The database could not be brought to this version's form.
    #[error("the database `{database}` does not fit this version: {reason}")]
    Migration {
        /// The file, or host and name.
        database: String,
        /// What sqlx says of it.
        reason: sqlx::migrate::MigrateError,
    },
    /// The database refused or failed.
    #[error("the database could not {action}: {reason}")]
    Database {
        /// A verb in its plain form.
        action: &'static str,
        /// What sqlx says of it. Values are bound, so it holds none.
        reason: sqlx::Error,
    },
    /// Something sealed is not what was sealed in this place.
    #[error("the stored {place} is damaged or was moved there")]
    Damaged {
        /// Column and row.
        place: String,
    },
    /// There is no such recording, or not any more.
    #[error("there is no recording `{id}`")]
    Missing {
        /// What was asked for.
        id: String,
    },
    /// There is no such patient, visit or consent, or not any more.
    #[error("there is no {what} `{id}`")]
    Unknown {
        /// `patient`, `visit` or `consent`.
        what: &'static str,
        /// What was asked for.
        id: String,
    },
    /// The recording has its documents, so that nothing can be added to it; or it has none yet, so that there is no note to save.
    #[error("recording `{id}` is {state}: it cannot {action}")]
    State {
        /// The recording.
        id: String,
        /// Its state.
        state: &'static str,
        /// A verb in its plain form.
        action: &'static str,
    },
    /// An id that a recording cannot have.
    #[error("an id has 1 to 64 letters, digits, `-` and `_`")]
    BadId,
    /// Sealing failed.
    #[error(transparent)]
    Seal(#[from] SpoolError),
    /// Events that happened are not in the database any more.
    #[error(
        "entry {entry} of the audit log is not in the database: rows were taken out, or an older copy was put back; compare them \
        with `cantoscribe audit verify`"
    )]
    EventsLost {
        /// Its number, counted from 0.
        entry: u64,
    },
    /// A row of the events was not written by this program.
    #[error(
        "row {entry} of the events was not written by this program, so the audit log does not take it in: somebody else put it into the \
        database, or changed it before it was in the log"
    )]
    ForeignEvent {
        /// Its number, counted from 0.
        entry: u64,
    },
    /// Whoever was writing an event ended before it was written.
    #[error("an event was not written: the program is ending")]
    EventDropped,
    /// The audit log's files.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An event could not be written in its form.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A change without an event is none.
    #[error("a change came without its event")]
    NoEvent,
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
    /// A document could not be written as JSON.
    #[error("a document could not be written as JSON")]
    Json,
    /// What was begun was stopped half-way; opening the folder again ends it.
    #[error("the erasing was interrupted; it goes on at the next start")]
    Interrupted,
}

/// Why a note was not saved.
#[derive(Debug, Error)]
pub enum SaveError {
    /// Somebody saved another version meanwhile.
    #[error("the note was changed meanwhile")]
    Conflict,
    /// The version before is signed: only an addendum follows it.
    #[error("the note is signed")]
    Signed,
    /// It is another visit's than whoever vouches for it saw.
    #[error("the recording was moved to another visit meanwhile")]
    Moved,
    /// The version before is not signed: an addendum has nothing to be added to.
    #[error("the note is not signed")]
    Unsigned,
    /// It could not be saved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why nothing was changed of a patient, a visit, or what belongs to it.
#[derive(Debug, Error)]
pub enum DeskError {
    /// Somebody changed it meanwhile.
    #[error("it was changed meanwhile")]
    Conflict,
    /// A number of the patient is another patient's.
    #[error("a number of the patient is another patient's")]
    Taken {
        /// Whose it is.
        patient: String,
    },
    /// Recordings belong to it.
    #[error("there are recordings of it")]
    InUse,
    /// The patient is merged with another.
    #[error("the patient is merged with another")]
    Merged,
    /// The note is signed: it stays where it is.
    #[error("the note is signed")]
    Signed,
    /// The patient does not want to be recorded at this visit.
    #[error("the patient does not want to be recorded")]
    Refused,
    /// It could not be done.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StoreError {
    /// Whether it failed for want of room on the disk.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        matches!(
            self,
            Self::DiskFull { .. } | Self::Seal(SpoolError::DiskFull { .. }) | Self::Ledger(LedgerError::DiskFull { .. })
        )
    }

    /// Turns a failed file operation into an error that names it; a full disk is told apart.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |reason| match reason.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { action: format!("{action} `{}`", path.display()) }
            }
            _ => Self::Io { action, path, reason },
        }
    }

    /// Turns a failed query into an error that says what it was for; a full disk is told apart.
    pub(super) fn database(action: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |reason| match &reason {
            // SQLITE_FULL, and PostgreSQL's disk_full.
            sqlx::Error::Database(error) if matches!(error.code().as_deref(), Some("13" | "53100")) => {
                Self::DiskFull { action: action.into() }
            }
            _ => Self::Database { action, reason },
        }
    }

    pub(super) fn missing(id: &str) -> Self {
        Self::Missing { id: id.to_owned() }
    }
}

/// What there is: nothing where it was erased since it was looked up.
pub(super) fn there<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Err(StoreError::Missing { .. } | StoreError::Unknown { .. }) => Ok(None),
        other => other.map(Some),
    }
}

/// What a list shows of this: nothing where it was erased meanwhile, and nothing where it is damaged, which the log then says. So one
/// row hides no other.
///
/// # Errors
/// Everything else.
pub fn whole<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::Missing { .. }) => Ok(None),
        Err(error @ StoreError::Damaged { .. }) => {
            tracing::error!(%error, "a list leaves something out");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
