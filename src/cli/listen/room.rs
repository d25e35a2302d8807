//! What hears: a room on this machine, or one of a server.

use std::time::Duration;

use crate::client::Event;

/// Something that a room tells.
pub enum Told {
    /// What happened in it.
    Event(Event),
    /// It is over; nothing comes after this.
    Over(anyhow::Result<()>),
}

/// A room that is listened in.
pub trait Room {
    /// Keeps interleaved samples, and hears them when it can.
    ///
    /// # Errors
    /// What was said cannot be kept any more.
    fn push(&mut self, samples: &[i16]) -> anyhow::Result<()>;

    /// Nothing more will be said. It may be asked again after an error.
    ///
    /// # Errors
    /// What was said last cannot be kept now.
    fn finish(&mut self) -> anyhow::Result<()>;

    /// The next thing told, waited for no longer than that.
    fn told(&mut self, patience: Duration) -> Option<Told>;

    /// A few words for the status line: what is not as it should be.
    fn trouble(&self) -> Option<String>;

    /// Where the recording is when the room did not come to its end; nowhere when it was erased.
    fn kept_in(&self) -> Option<String>;
}
