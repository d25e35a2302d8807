//! Who a patient is, across institutions: card numbers, keyed hashes, and matching that proposes and never merges by itself. And what a
//! person in a role may do.
//!
//! Invariant: what is known of a patient shows in no debug print, error or index; a match is a proposal with its reasons; what no policy
//! permits is denied, and all is denied where one fails.

mod calendar;
mod error;
mod hkid;
mod index;
mod matching;
mod merge;
mod name;
mod person;
mod rights;

pub use error::IdentityError;
pub use hkid::Hkid;
pub use index::{IndexKey, KeyedHash};
pub use matching::{Agreement, Certainty, Field, LIKELY, POSSIBLE, Proposal, propose};
pub use merge::{Merge, Merges};
pub use person::{Date, Person, Sex};
pub use rights::{Right, Rights, RoleKind, Ruling, Session, Thing};

#[cfg(test)]
mod tests;
