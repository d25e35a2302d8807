//! What somebody else sees of a signed note.
//!
//! Invariant: a [`View`] is made of a signed note and permits, and holds nothing of a domain without one. Pure: the time and the
//! number of the audit entry are arguments.
//!
//! The note is frozen and stays where it is; a view is rendered from it each time, for one person, and says for whom.

mod domain;
mod error;
mod view;
mod watermark;

pub use domain::only;
pub use error::SharingError;
pub use view::{Part, View};
pub use watermark::Watermark;

#[cfg(test)]
mod tests;
