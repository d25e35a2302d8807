//! What a room tells while it listens.

use std::time::Duration;

use crate::note::Note;
use crate::speech::{Segment, Transcript};
use crate::text::PatientText;

/// One thing that happened. A room of this machine and a room of a server tell the same.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The room is open; so many samples a channel are safe in it.
    Ready {
        /// Its name there.
        recording: String,
        /// Samples a channel.
        samples: u64,
    },
    /// So many samples a channel are safe in the room.
    Safe {
        /// Samples a channel.
        samples: u64,
    },
    /// The utterance being spoken.
    Partial {
        /// Its start in milliseconds.
        start_ms: u64,
        /// Only grows, until the final replaces it.
        stable: PatientText,
        /// May change.
        tentative: PatientText,
    },
    /// An utterance; after a break it may come again, with the same id and text.
    Final(Segment),
    /// The note so far.
    Note(Box<Note>),
    /// Everything is done.
    End {
        /// What was said.
        transcript: Box<Transcript>,
        /// What it comes to.
        note: Box<Note>,
    },
    /// The recording is finished on the server, which has its transcript and note; this client was not there to get them.
    EndUnseen,
    /// The connection broke, or could not be made; it is tried again.
    Broken {
        /// In a few words.
        reason: String,
        /// After so long.
        again_in: Duration,
    },
    /// Something to show that changes nothing.
    Notice(String),
}
