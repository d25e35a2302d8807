//! What is wrong with a log, named as narrowly as its hashes allow.

use std::fmt;

use super::{AuditError, Checkpoint};

/// Something that is not as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A file is not there.
    Missing {
        /// Below the log's folder.
        path: String,
    },
    /// A file does not hold as many hashes or entries as its name says.
    Malformed {
        /// Below the log's folder.
        path: String,
    },
    /// A tile has another hash in this place.
    Tile {
        /// Below the log's folder.
        path: String,
        /// Its first wrong hash, counted from 0.
        hash: usize,
    },
    /// An entry is not the one that was signed.
    Entry {
        /// Its number in the log, counted from 0.
        entry: u64,
        /// The file that holds it.
        path: String,
        /// Which entry stands in its place, where it is one of the same bundle.
        instead: Option<u64>,
    },
    /// Tiles or entries were changed and the files below made to fit, so that no single one can be named.
    Range {
        /// The highest file that does not belong.
        path: String,
        /// The first of the entries below it.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// Neither the tiles nor the entries lead to the root that was signed, down to the last of them.
    Root,
    /// An entry is as it was signed and is no event.
    NotAnEvent {
        /// Its number in the log, counted from 0.
        entry: u64,
    },
    /// The database has rows that the log does not have.
    RowsBeyond {
        /// The number of the first, counted from 0.
        first: u64,
        /// How many there are.
        count: u64,
    },
    /// The database has something else in a row than the log.
    Row {
        /// Its number in the log, counted from 0.
        entry: u64,
    },
    /// Rows are not in the database any more.
    MissingRows {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// A file that no log has.
    Stray {
        /// Below the log's folder.
        path: String,
    },
    /// The log is shorter than it was.
    RolledBack {
        /// How many entries it has.
        size: u64,
        /// How many it had when the other checkpoint was signed.
        seen: u64,
    },
    /// The log does not begin with what it was when the other checkpoint was signed.
    Rewritten {
        /// How many entries it had.
        seen: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(f, "`{path}` is missing"),
            Self::Malformed { path } => write!(f, "`{path}` was changed: it does not hold what its name says"),
            Self::Tile { path, hash } => write!(f, "`{path}` was changed: hash {hash} is not the one that was signed"),
            Self::Entry { entry, path, instead: None } => {
                write!(f, "entry {entry} in `{path}` was changed: it is not the one that was signed")
            }
            Self::Entry { entry, path, instead: Some(instead) } => {
                write!(f, "entry {entry} in `{path}` is not the one that was signed: entry {instead} stands in its place")
            }
            Self::Range { path, first, last } => {
                write!(f, "entries {first} to {last} are not all as they were signed: `{path}` was changed, and what is below it")
            }
            Self::Root => f.write_str("neither the tiles nor the entries lead to the root that was signed"),
            Self::NotAnEvent { entry } => write!(f, "entry {entry} is as it was signed, and is no event"),
            Self::Row { entry } => write!(f, "the database's row of entry {entry} was changed: it is not what the log has"),
            Self::RowsBeyond { first, count } => write!(
                f,
                "the database has {count} rows from {first} on that the log does not have: of a server that runs (--running), of one that was \
                killed or a backup made since (the next start writes them to the log), or somebody else's (the next start refuses them)"
            ),
            Self::MissingRows { first, last } if first == last => write!(f, "the database's row of entry {first} is missing"),
            Self::MissingRows { first, last } => write!(f, "the database's rows of entries {first} to {last} are missing"),
            Self::Stray { path } => write!(f, "`{path}` is no file of a log"),
            Self::RolledBack { size, seen } => write!(f, "the log was rolled back: it has {size} entries, and had {seen}"),
            Self::Rewritten { seen } => {
                write!(
                    f,
                    "the log was rewritten: its first {seen} entries are not those that the other checkpoint was signed for"
                )
            }
        }
    }
}

/// What was found of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its signed head.
    pub checkpoint: Checkpoint,
    /// All that is wrong with it, in the order in which it was found; empty where nothing is.
    pub faults: Vec<Fault>,
    /// Files of entries that no head was signed for: what an append left behind that was cut short. They are not part of the log.
    pub beyond: u64,
}

/// Where the files of a log come from.
pub trait LogFiles {
    /// The paths of all files in `tile/`, with `/` between their parts.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn paths(&self) -> Result<Vec<String>, AuditError>;

    /// A file's content, by its path below the log's folder; nothing where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, AuditError>;
}
