//! Consent: a record is seen by others only when the patient and the doctor who asks have both said yes.
//!
//! Invariant: there is no permit but from a passed check; no change of a consent without the event that describes it.
//!
//! Each state is a type of its own (`state.rs` has the picture), a transition consumes one and gives the next with its event. Time and
//! random bytes are arguments; nothing here waits, stores or sends. [`Consent`] is what a store keeps, one row each, sealed: reading one
//! back from anything but such a row would make a consent that nobody gave.
//!
//! Two answers at once: whoever stores a transition writes the new state only where [`Consent::version`] is still the one that was read,
//! in one transaction with the event. The loser reads again, and finds the code used.

mod active;
mod asking;
mod code;
mod emergency;
mod error;
mod limit;
mod link;
mod permit;
mod recording;
mod scope;
mod state;
mod taken;
mod way_back;

use serde::{Deserialize, Serialize};

use crate::audit::{Actor, ConsentId, UnixMillis};
use state::Core;

pub use active::Active;
pub use asking::{Answered, Attested, Request, Requested};
pub use code::{CODE_LIFE, Code, CodeKey, CodeStep, DIGITS, MOST_CODES, MOST_TRIES};
pub use emergency::{Announcement, EMERGENCY_LIFE, Emergency, Told, break_glass};
pub use error::ConsentError;
pub use limit::RateLimit;
pub use link::{LINK_LIFE, Secret};
pub use permit::{Ask, Grounds, Permit, Use, decide};
pub use recording::{MayRecord, RecordingAnswer, RecordingGrounds, RecordingYes, note_answer};
pub use scope::{Decider, Domain, LONGEST, Recipient, Scope, Standing, Uses, can_be_consented_to};
pub use state::{Declined, End, Ended, Step};
pub use taken::Taken;
pub use way_back::{PAGE_LIFE, WayBack, WayStep};

/// A consent in whatever state it is, as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "consent", rename_all = "snake_case")]
pub enum Consent {
    /// Asked for.
    Requested(Requested),
    /// The doctor has stated the purpose.
    Attested(Attested),
    /// The patient has said yes.
    Answered(Answered),
    /// In force.
    Active(Active),
    /// Over.
    Ended(Ended),
}

impl Consent {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> ConsentId {
        self.core().id
    }

    /// What it is about.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.core().scope
    }

    /// Who asked for it.
    #[must_use]
    pub fn requester(&self) -> &Actor {
        &self.core().requester
    }

    /// When it last changed.
    #[must_use]
    pub fn changed(&self) -> UnixMillis {
        self.core().changed
    }

    /// Counts its changes: a change is stored only where this is still what was read.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.core().version
    }

    fn core(&self) -> &Core {
        match self {
            Self::Requested(state) => state.core(),
            Self::Attested(state) => state.core(),
            Self::Answered(state) => state.core(),
            Self::Active(state) => state.core(),
            Self::Ended(state) => state.core(),
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub use tests::test_permit;
