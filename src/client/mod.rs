//! A client of `WS /v1/listen`: a microphone here, the words and the note from a server.
//!
//! Invariant: what was said is in the outbox, sealed, before it is sent, and stays there until the server has finished the recording.
//! So a broken network, a server that dies and a client that dies lose nothing.

mod address;
mod connection;
mod delivery;
mod error;
mod event;
mod kept;
mod message;
mod outbox;

pub use address::Address;
pub use delivery::{Delivery, deliver};
pub use error::ClientError;
pub use event::Event;
pub use kept::Kept;
pub use outbox::{Left, Outbox, Pending, Terms};
