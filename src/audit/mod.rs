//! The audit log: who did what to whose records, in a form that shows afterwards whether any of it was changed.
//!
//! Invariant: an event has no room for clinical content; a log only grows, and whoever has the public key can check it all.
//!
//! An [`Event`] in its one form in bytes is an entry. Entries are the leaves of a Merkle tree (RFC 6962) that is kept in tiles
//! (<https://c2sp.org/tlog-tiles>); its head is a [`Checkpoint`], signed in the form of <https://c2sp.org/signed-note>, and by a
//! witness, a [`Cosigner`], where there is one. [`Edge`]
//! appends, [`Tree`] makes proofs, [`verify()`] checks a whole log. All of it is pure: files are `crate::ledger`'s, and the time, the
//! secret key and the database are arguments. [`report`] says what a log means to who has to answer for it.
//!
//! # An event in the transaction of what it records
//!
//! The database is the first to have an event: in the transaction that does something, the store encodes the event and inserts it
//! under the next number. What is committed is what happened. Tiles follow from it: after the commit, and after each start,
//! `ledger::Ledger::catch_up` is given the rows from the log's size on, writes their tiles and signs a new head. A kill between the
//! two loses nothing, because the rows are still there; and rows that the log has already are compared, so that a changed or
//! rolled-back database is found.

mod action;
mod checkpoint;
mod cosignature;
mod edge;
mod error;
mod event;
mod fault;
mod hash;
mod id;
mod note;
pub mod report;
mod rows;
mod tile;
mod tree;
mod verify;

pub use action::{Action, Addressee, EmergencyReason, ErasureReason, HowSaid, RestrictedReason};
pub use checkpoint::Checkpoint;
pub(crate) use cosignature::read_size;
#[cfg(test)]
pub(crate) use cosignature::tests as cosignature_tests;
pub use cosignature::{Cosigned, Cosigner, Submission, WITNESSED};
pub use edge::{Edge, Sheet};
pub use error::AuditError;
pub use event::{Actor, Event, Outcome, Purpose, Refusal, UnixMillis};
pub use fault::{Fault, LogFiles, Report};
pub use hash::{HASH_BYTES, Hash};
pub use id::{ConsentId, DeviceId, OrganisationId, PersonId, PolicyId, Pseudonym, RecordId, RoleId};
pub use note::{NoteSigner, NoteVerifier};
pub use rows::RowCheck;
pub use tile::{CHECKPOINT, Layer, MOST_ENTRY_BYTES, TilePath, WIDTH};
pub use tree::{Tree, verify_consistency, verify_inclusion};
pub use verify::verify;

#[cfg(test)]
mod tests;
