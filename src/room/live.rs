//! A recording that is open in this process: its intake, its room, and who holds it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::recorder::{Fault, HolderNumber, Recorder};
use super::{Room, RoomError, Safe, Setup, View};
use crate::audio::StreamFormat;
use crate::engine::Seat;
use crate::spool::{RecordKind, SpoolWriter};
use crate::store::{Recording, State, Store};

/// Why a recording takes nothing more, whoever holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It is no more.
    Erased,
    /// The patient does not want to be recorded any more; what was accepted is kept.
    Refused,
}

/// An open recording.
pub struct Live {
    recording: Recording,
    store: Store,
    recorder: Recorder,
    room: Room,
    /// The number of the connection that holds it; 0 before the first.
    holder: watch::Sender<HolderNumber>,
    /// Connections that have not gone yet, the replaced ones too.
    connections: AtomicUsize,
    last_left: Mutex<Instant>,
    stopped: watch::Sender<Option<Stopped>>,
    /// No more audio comes.
    finishing: AtomicBool,
}

impl Live {
    /// Opens a recording: its spool is written on, and heard from the start.
    ///
    /// # Errors
    /// When its spool or its rows cannot be read.
    pub(super) async fn open(setup: Setup, writer: SpoolWriter) -> Result<Self, RoomError> {
        let (recording, store) = (setup.recording.clone(), setup.store.clone());
        let marked = writer.finished();
        let recorder = Recorder::start(writer);
        let room = Room::start(setup, recorder.safe()).await?;
        let live = Self {
            recording,
            store,
            recorder,
            room,
            holder: watch::channel(0).0,
            connections: AtomicUsize::new(0),
            last_left: Mutex::new(Instant::now()),
            stopped: watch::channel(None).0,
            finishing: AtomicBool::new(false),
        };
        live.finishing.store(marked || live.recording.state == State::Finishing, Ordering::SeqCst);
        if live.is_finishing() && !marked {
            live.recorder.mark(RecordKind::Finish).await;
        }
        Ok(live)
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.recording.id
    }

    /// What its frames hold.
    #[must_use]
    pub fn format(&self) -> StreamFormat {
        self.recording.format
    }

    /// What was heard so far.
    #[must_use]
    pub fn view(&self) -> watch::Receiver<View> {
        self.room.view()
    }

    /// How much is safe.
    #[must_use]
    pub fn safe(&self) -> watch::Receiver<Safe> {
        self.recorder.safe()
    }

    /// Why nothing more is recorded, once that is so.
    #[must_use]
    pub fn fault(&self) -> watch::Receiver<Option<Fault>> {
        self.recorder.fault()
    }

    /// Says so when the recording is erased or its patient refuses it.
    #[must_use]
    pub fn stopped(&self) -> watch::Receiver<Option<Stopped>> {
        self.stopped.subscribe()
    }

    /// Whether no more audio is taken, since everything was said.
    #[must_use]
    pub fn is_finishing(&self) -> bool {
        self.finishing.load(Ordering::SeqCst)
    }

    /// Whether a connection holds it.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connections.load(Ordering::SeqCst) > 0
    }

    /// For how long nobody has held it.
    #[must_use]
    pub fn alone_for(&self) -> Option<Duration> {
        let last_left = *self.last_left.lock().unwrap_or_else(PoisonError::into_inner);
        (!self.is_connected()).then(|| last_left.elapsed())
    }

    /// Takes hold of it: whoever held it before is told, and its audio not taken any more.
    ///
    /// Returns what is safe once everything taken before is. A recording that nobody holds keeps no seat from others.
    ///
    /// # Errors
    /// [`RoomError::Fault`] when nothing can be recorded any more.
    pub async fn hold(self: &Arc<Self>, seat: Seat) -> Result<(Hold, Safe), RoomError> {
        self.connections.fetch_add(1, Ordering::SeqCst);
        let mut number = 0;
        self.holder.send_modify(|holder| {
            *holder += 1;
            number = *holder;
            self.recorder.hold(number);
        });
        let mut current = self.holder.subscribe();
        current.mark_unchanged();
        let hold = Hold { live: Arc::clone(self), number, current, _seat: seat };
        let safe = self.recorder.flush().await.ok_or_else(|| self.fault_error())?;
        Ok((hold, safe))
    }

    /// No more audio comes: everything taken is made safe, and the recording is finished as soon as it is heard.
    ///
    /// # Errors
    /// [`RoomError::Fault`], or a failing store.
    pub async fn finish(&self) -> Result<(), RoomError> {
        if self.finishing.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        self.recorder.flush().await.ok_or_else(|| self.fault_error())?;
        // The state first: after a kill between both, whoever opens the recording sets the mark again.
        self.store.set_state(&self.recording.id, State::Finishing).await?;
        self.recorder.mark(RecordKind::Finish).await;
        self.recorder.flush().await.ok_or_else(|| self.fault_error())?;
        Ok(())
    }

    /// Takes nothing more, makes safe what was taken, lets go of the file and ends the room's thread.
    pub(super) async fn close(self: &Arc<Self>) {
        self.recorder.hold(HolderNumber::MAX);
        self.recorder.close().await;
        let live = Arc::clone(self);
        // Only a panic of the closure could fail it, and there is none.
        let _ = tokio::task::spawn_blocking(move || live.room.stop()).await;
    }

    /// Tells all connections that nothing more is taken.
    pub(super) fn tell(&self, stopped: Stopped) {
        self.stopped.send_replace(Some(stopped));
    }

    fn fault_error(&self) -> RoomError {
        RoomError::Fault(self.recorder.fault().borrow().unwrap_or(Fault::Unwritable))
    }
}

/// One connection's hold of a recording.
pub struct Hold {
    live: Arc<Live>,
    number: HolderNumber,
    current: watch::Receiver<HolderNumber>,
    /// Held until this is dropped.
    _seat: Seat,
}

impl Hold {
    /// The recording.
    #[must_use]
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// Takes a frame of so many samples a channel. False when nothing is recorded any more.
    pub async fn audio(&self, samples: u64, frame: Vec<u8>) -> bool {
        self.live.recorder.audio(self.number, samples, frame).await
    }

    /// The speakers pause: what is said after it is another utterance. False when nothing is recorded any more.
    pub async fn pause(&self) -> bool {
        self.live.recorder.mark(RecordKind::Break).await
    }

    /// Waits until another connection has taken hold of the recording.
    pub async fn replaced(&mut self) {
        let number = self.number;
        if self.current.wait_for(|current| *current > number).await.is_err() {
            // The sender lives as long as `live`, which this holds.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        *self.live.last_left.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.live.connections.fetch_sub(1, Ordering::SeqCst);
    }
}
