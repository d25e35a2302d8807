//! One recording being heard: it reads the spool, finds utterances, and tells what was heard.
//!
//! Invariant: a room hears only what its spool holds, so a replay gives the same finals as the live talk.

mod channel;
mod listener;
mod live;
mod mailbox;
mod recorder;
mod rooms;
mod token;
mod typed;
mod view;
mod words;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::runtime::Handle;
use tokio::sync::watch;

pub use live::{Hold, Live, Stopped};
pub use recorder::Fault;
pub use rooms::{Asking, Beginning, Rooms};
pub use token::Token;
pub use view::{End, Failure, Partial, View};

use self::listener::{Ended, Listener};
use self::mailbox::Mailbox;
use crate::audio::AudioError;
use crate::engine::{Engine, EngineError};
use crate::speech::SpeechError;
use crate::spool::{SpoolError, SpoolReader};
use crate::store::{DeskError, Recording, Store, StoreError};
use crate::terminology::Lexicon;
use crate::text::PatientText;

/// Why a room could not go on. What its spool holds is safe all the same.
#[derive(Debug, thiserror::Error)]
pub enum RoomError {
    /// The spool cannot be read.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// What was heard cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The model failed.
    #[error(transparent)]
    Speech(#[from] SpeechError),
    /// The audio in the spool cannot be decoded.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The thread could not be made.
    #[error("cannot start a room: {0}")]
    Thread(std::io::Error),
    /// There is too little space for a new recording; those that run go on.
    #[error("too little disk space is left for a new recording")]
    DiskLow,
    /// Nothing more can be recorded; what was acknowledged is safe.
    #[error("the recording cannot be written on: {}", match .0 { Fault::DiskFull => "the disk is full", Fault::Unwritable => "its file cannot be written" })]
    Fault(Fault),
    /// There is no such recording, or the token is not its own.
    #[error("no such recording, or not its token")]
    Unknown,
    /// The recording is finished: nothing can be added.
    #[error("the recording is finished")]
    Finished,
    /// There is no such visit to record.
    #[error("there is no such visit")]
    NoVisit,
    /// The patient does not want to be recorded at this visit, or was not asked.
    #[error("the patient of this visit has not agreed to be recorded")]
    Refused,
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
    /// A defect; its place is on standard error.
    #[error("the room ended by an internal error")]
    Panicked,
}

impl From<DeskError> for RoomError {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Refused => Self::Refused,
            DeskError::Store(StoreError::Unknown { .. }) => Self::NoVisit,
            DeskError::Store(error) => Self::Store(error),
            // Nothing of these can come of giving a new recording to a visit.
            DeskError::Conflict | DeskError::Taken { .. } | DeskError::InUse | DeskError::Merged | DeskError::Signed => {
                Self::NoVisit
            }
        }
    }
}

/// How much of a recording survives a kill.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Safe {
    /// Samples a channel at the recording's own rate.
    pub samples: u64,
    /// Bytes of the spool.
    pub bytes: u64,
}

/// What a room is made of.
pub struct Setup {
    /// The models.
    pub engine: Arc<Engine>,
    /// Where finals go.
    pub store: Store,
    /// Runs the store's queries.
    pub runtime: Handle,
    /// The terms of the note.
    pub lexicon: Arc<Lexicon>,
    /// Which recording.
    pub recording: Recording,
    /// Words that are expected in it, beside those that are expected in all.
    pub words: Vec<PatientText>,
}

/// A recording that is being heard.
pub struct Room {
    mailbox: Arc<Mailbox>,
    view: watch::Receiver<View>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Room {
    /// Begins to hear a recording from the start of its spool. `safe` says how much of it may be heard, and grows.
    ///
    /// # Errors
    /// When the spool or the store cannot be read, or no thread can be made.
    pub async fn start(setup: Setup, safe: watch::Receiver<Safe>) -> Result<Self, RoomError> {
        let mailbox = Arc::new(Mailbox::default());
        let (sender, view) = watch::channel(View::default());
        let known = setup.store.finals(&setup.recording.id).await?;
        let Recording { id, key, .. } = &setup.recording;
        let spool = SpoolReader::open(&setup.store.spool_path(id), key, id)?;
        let runtime = setup.runtime.clone();
        let mut listener = Listener::new(setup, Arc::clone(&mailbox), known, sender.clone())?;
        wake_when_it_grows(&runtime, safe.clone(), Arc::clone(&mailbox), sender.clone());
        let run = move || {
            let ended = catch_unwind(AssertUnwindSafe(|| listener.expect().and_then(|()| listener.run(spool, &safe))))
                .unwrap_or(Err(RoomError::Panicked));
            match ended {
                Ok(Ended::Finished | Ended::Stopped) => {}
                Err(error) => {
                    tracing::error!(%error, "a room ended by an error");
                    let full = matches!(&error, RoomError::Store(error) if error.is_disk_full());
                    let failure = if full { Failure::DiskFull } else { Failure::Other };
                    sender.send_modify(|view| view.failed = Some(failure));
                }
            }
        };
        let thread = thread::Builder::new().name("room".to_owned()).spawn(run).map_err(RoomError::Thread)?;
        Ok(Self { mailbox, view, thread: Mutex::new(Some(thread)) })
    }

    /// What was heard so far, and a way to wait for more.
    #[must_use]
    pub fn view(&self) -> watch::Receiver<View> {
        self.view.clone()
    }

    /// Ends the thread, and returns when it has ended. Blocks for as long as the utterance takes that is being heard.
    pub fn stop(&self) {
        self.mailbox.stop();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // Its panics are caught and told within.
            let _ = thread.join();
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.mailbox.stop();
    }
}

/// Wakes the room's thread whenever more of its spool is safe, until one of both is gone.
fn wake_when_it_grows(runtime: &Handle, mut safe: watch::Receiver<Safe>, mailbox: Arc<Mailbox>, view: watch::Sender<View>) {
    runtime.spawn(async move {
        loop {
            tokio::select! {
                changed = safe.changed() => match changed {
                    Ok(()) => mailbox.grown(),
                    Err(_) => return,
                },
                () = view.closed() => return,
            }
        }
    });
}
