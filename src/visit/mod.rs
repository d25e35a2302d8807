//! Whose consultation it is: the patient as the desk knows them, the visit, what stands in the banner, and how far a visit's note is.
//!
//! Invariant: nothing here is a patient's without having been looked at for its length, its characters and, for an identity card's number, its
//! check digit. Pure: today's date and every time are arguments.

mod age;
mod encounter;
mod error;
mod identifier;
mod issuer;
mod line;
mod patient;
mod progress;

pub use age::Age;
pub use encounter::{Encounter, Move};
pub use error::VisitError;
pub use identifier::{GivenNumber, Identifier, IdentifierKind, Sought};
pub use issuer::Issuer;
pub use patient::{Given, Patient};
pub use progress::{Progress, doubts};
