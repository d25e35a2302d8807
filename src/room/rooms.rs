//! All recordings that are open in this process.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Mutex;

use super::live::{Hold, Live, Stopped};
use super::token::{Token, recording_id};
use super::{RoomError, Safe, Setup};
use crate::audio::StreamFormat;
use crate::engine::Engine;
use crate::interop::fhir::Instant;
use crate::spool::SpoolWriter;
use crate::store::{By, Erasable, Leave, NewRecording, Recording, State, Store, StoreError};
use crate::terminology::Lexicon;

/// How long a recording that nobody holds stays ready in memory. After that it must be heard again when its client comes back.
const LINGER: Duration = Duration::from_secs(600);
/// How often rooms that nobody needs are looked for.
const ROUND: Duration = Duration::from_secs(2);

/// What a client says of a recording it begins.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// What its frames hold.
    pub format: StreamFormat,
    /// `yue`, `zh`, `en` or `auto`.
    pub language: String,
    /// Who speaks on each channel; empty where nobody says.
    pub speakers: Vec<String>,
    /// The visit that it belongs to; nobody's in a trial where none is said.
    pub encounter: Option<String>,
    /// When it begins.
    pub at: Instant,
}

/// Whether somebody has to have said yes before a microphone is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// Every recording is of a visit, and its patient's yes is noted.
    Patients,
    /// A trial, or a microphone of who has this machine before them: what patients say is not asked for, and a no counts.
    Nobody,
}

/// The open recordings, and what new ones are made of.
pub struct Rooms {
    engine: Arc<Engine>,
    store: Store,
    lexicon: Arc<Lexicon>,
    /// Bytes of disk that accepted audio may still need: no new room below.
    keep_free: u64,
    asking: Asking,
    open: Mutex<HashMap<String, Arc<Live>>>,
}

impl Rooms {
    /// Nothing is open yet, but what was being finished when the program ended is finished now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn new(
        engine: Arc<Engine>,
        store: Store,
        lexicon: Arc<Lexicon>,
        keep_free: u64,
        asking: Asking,
    ) -> Result<Arc<Self>, RoomError> {
        let rooms = Arc::new(Self { engine, store, lexicon, keep_free, asking, open: Mutex::default() });
        for recording in rooms.store.recordings().await? {
            if recording.state == State::Finishing
                && let Err(error) = rooms.reopen(&recording.id).await
            {
                tracing::error!(%error, "a recording that was being finished cannot be opened");
            }
        }
        tokio::spawn(tidy(Arc::downgrade(&rooms)));
        Ok(rooms)
    }

    /// The models.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The data folder.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The terms of the notes.
    #[must_use]
    pub fn lexicon(&self) -> &Lexicon {
        &self.lexicon
    }

    /// Whether there is too little space for a new recording.
    ///
    /// # Errors
    /// When the file system cannot be asked.
    pub fn disk_low(&self) -> Result<bool, RoomError> {
        Ok(self.store.free_space()? < self.keep_free)
    }

    /// Begins a recording and takes hold of it.
    ///
    /// # Errors
    /// [`RoomError::DiskLow`], or [`crate::engine::EngineError::NoRoom`]; [`RoomError::NoVisit`], [`RoomError::Refused`]; a failing store.
    pub async fn begin(&self, beginning: Beginning, by: &By) -> Result<(Hold, Safe, Token), RoomError> {
        if self.disk_low()? {
            return Err(RoomError::DiskLow);
        }
        let seat = self.engine.admit()?;
        let token = Token::generate()?;
        let Beginning { format, language, speakers, encounter, at } = beginning;
        let new = NewRecording {
            id: recording_id()?,
            created_at: at.as_str().to_owned(),
            format,
            language,
            speakers,
            token_hash: token.hash(),
        };
        let recording = match &encounter {
            Some(visit) => {
                let leave = self.leave(visit, by).await?;
                let recording = self.store.begin_recording(new, (visit.as_str(), leave), by).await?;
                self.expect(&recording.id, visit, by.seconds()).await;
                recording
            }
            None if self.asking == Asking::Patients => return Err(RoomError::Refused),
            None => self.store.create(new, by).await?,
        };
        let path = self.store.spool_path(&recording.id);
        let writer = SpoolWriter::create(&path, &recording.key, &recording.id)?;
        let mut open = self.open.lock().await;
        let id = recording.id.clone();
        let live = Arc::new(Live::open(self.setup(recording).await?, writer).await?);
        open.insert(id.clone(), Arc::clone(&live));
        let (hold, safe) = live.hold(seat).await?;
        drop(open);
        // A refusal that came meanwhile may not have found it open.
        if let Err(refused) = self.may_record(&id, by).await {
            self.stop_and_erase(&id, Erasable::Unsigned, by).await?;
            return Err(refused);
        }
        Ok((hold, safe, token))
    }

    /// Comes back to a recording and takes hold of it.
    ///
    /// # Errors
    /// [`RoomError::Unknown`] when there is none, or the token is not its own: which of both is not told. [`RoomError::Finished`];
    /// [`RoomError::Refused`] where sound could still come and the patient does not want to be recorded.
    pub async fn resume(&self, id: &str, token: &Token, by: &By) -> Result<(Hold, Safe), RoomError> {
        let recording = self.store.recording(id).await?.ok_or(RoomError::Unknown)?;
        if !token.matches(&recording.token_hash) {
            return Err(RoomError::Unknown);
        }
        if recording.state != State::Open {
            return self.reopen(id).await?.hold(self.engine.readmit()).await;
        }
        self.may_record(id, by).await?;
        let held = self.reopen(id).await?.hold(self.engine.readmit()).await?;
        // A refusal that came meanwhile may not have found it open.
        self.may_record(id, by).await?;
        Ok(held)
    }

    /// Stops the recordings of a visit whose patient does not want to be recorded any more. What was accepted is kept, and can be
    /// finished, until somebody erases it.
    ///
    /// # Errors
    /// A failing store.
    pub async fn stop_recordings_of(&self, encounter: &str) -> Result<(), RoomError> {
        let mut open = self.open.lock().await;
        for id in self.store.recordings_of(encounter).await? {
            if open.get(&id).is_some_and(|live| !live.is_finishing())
                && let Some(live) = open.remove(&id)
            {
                live.close().await;
                live.tell(Stopped::Refused);
            }
        }
        Ok(())
    }

    /// On what a visit may be recorded.
    ///
    /// # Errors
    /// [`RoomError::Refused`], also where there is no such visit; a failing store.
    pub async fn leave(&self, visit: &str, by: &By) -> Result<Leave, RoomError> {
        let leave = match self.asking {
            Asking::Patients => self.store.may_record(visit, by).await?.map(Leave::Patient),
            Asking::Nobody => self.store.encounter(visit).await?.filter(|visit| !visit.encounter.refused).map(|_| Leave::Trial),
        };
        leave.ok_or(RoomError::Refused)
    }

    /// Whether sound may be added to a recording: not to a typed note, and not without leave.
    async fn may_record(&self, id: &str, by: &By) -> Result<(), RoomError> {
        match self.store.assigned(id).await? {
            Some((_, true)) => Err(RoomError::Refused),
            Some((visit, false)) => self.leave(&visit, by).await.map(drop),
            None if self.asking == Asking::Patients => Err(RoomError::Refused),
            None => Ok(()),
        }
    }

    /// A new token for a recording; the old one is worth nothing any more.
    ///
    /// # Errors
    /// [`RoomError::Unknown`], [`RoomError::Finished`]; [`RoomError::Refused`] as [`Self::resume`].
    pub async fn new_token(&self, id: &str, by: &By) -> Result<Token, RoomError> {
        let recording = self.store.recording(id).await?.ok_or(RoomError::Unknown)?;
        if recording.state == State::Finished {
            return Err(RoomError::Finished);
        }
        if recording.state == State::Open {
            self.may_record(id, by).await?;
        }
        let token = Token::generate()?;
        self.store.set_token_hash(id, token.hash(), by).await?;
        Ok(token)
    }

    /// The recording as it is open here, if it is.
    pub async fn find(&self, id: &str) -> Option<Arc<Live>> {
        self.open.lock().await.get(id).cloned()
    }

    /// Opens a recording that is not finished, or finds it open.
    ///
    /// # Errors
    /// [`RoomError::Unknown`], [`RoomError::Finished`]; a spool or store that cannot be read.
    pub async fn reopen(&self, id: &str) -> Result<Arc<Live>, RoomError> {
        let mut open = self.open.lock().await;
        if let Some(live) = open.get(id).cloned() {
            let (finished, failed) = {
                let view = live.view();
                let view = view.borrow();
                (view.end.is_some(), view.failed.is_some())
            };
            if finished {
                return Err(RoomError::Finished);
            }
            if !failed && live.fault().borrow().is_none() {
                return Ok(live);
            }
            open.remove(id);
            live.close().await;
        }
        let recording = self.store.recording(id).await?.ok_or(RoomError::Unknown)?;
        if recording.state == State::Finished {
            return Err(RoomError::Finished);
        }
        let writer = self.writer(&recording)?;
        let live = Arc::new(Live::open(self.setup(recording).await?, writer).await?);
        open.insert(id.to_owned(), Arc::clone(&live));
        Ok(live)
    }

    /// Erases a recording, whatever its state: nothing of it is left in the data folder, unless its note is signed and that may not go. With one that sound could still be added to goes
    /// the yes that it rested on: whoever records the visit again asks again. Says the number of its event in the log.
    ///
    /// # Errors
    /// [`RoomError::Unknown`]; [`crate::store::StoreError::OnHold`], with its event, and then it goes on as it was;
    /// [`crate::store::StoreError::Signed`]; a store that cannot do it.
    pub async fn erase(&self, id: &str, what: Erasable, by: &By) -> Result<u64, RoomError> {
        self.end(id, what, false, by).await
    }

    /// The same where a patient may have it stopped in the middle of a visit: while somebody records it, no legal hold on the patient keeps it.
    ///
    /// # Errors
    /// As [`Self::erase`].
    pub async fn stop_and_erase(&self, id: &str, what: Erasable, by: &By) -> Result<u64, RoomError> {
        self.end(id, what, true, by).await
    }

    async fn end(&self, id: &str, what: Erasable, may_stop: bool, by: &By) -> Result<u64, RoomError> {
        let mut open = self.open.lock().await;
        let is_open = match self.store.recording(id).await {
            Ok(recording) => recording.ok_or(RoomError::Unknown)?.state == State::Open,
            // What nobody can read any more can be erased all the same.
            Err(StoreError::Damaged { .. }) => false,
            Err(error) => return Err(error.into()),
        };
        let is_recorded = open.get(id).is_some_and(|live| live.is_connected() && !live.is_finishing());
        let stopped = may_stop && is_recorded;
        self.store.may_be_erased(id, stopped, by).await?;
        let visit = if is_open { self.store.assigned(id).await? } else { None };
        let live = open.remove(id);
        if let Some(live) = &live {
            live.close().await;
        }
        if let Some((visit, false)) = visit {
            match self.store.take_back_yes(&visit, by).await {
                // A visit that nobody can read any more has no yes to take back.
                Ok(()) | Err(StoreError::Damaged { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let entry = if stopped { self.store.stop_and_erase(id, what, by).await? } else { self.store.erase(id, what, by).await? };
        if let Some(live) = live {
            live.tell(Stopped::Erased);
        }
        Ok(entry)
    }

    /// Closes all of them: what was taken is made safe, and they can be opened again.
    pub async fn close(&self) {
        for (_, live) in self.open.lock().await.drain() {
            live.close().await;
        }
    }

    /// The spool to write on. A kill between the row and the file leaves a recording without one: nothing of it was accepted.
    fn writer(&self, recording: &Recording) -> Result<SpoolWriter, RoomError> {
        let path = self.store.spool_path(&recording.id);
        if path.exists() {
            Ok(SpoolWriter::open(&path, &recording.key, &recording.id)?)
        } else {
            Ok(SpoolWriter::create(&path, &recording.key, &recording.id)?)
        }
    }

    async fn setup(&self, recording: Recording) -> Result<Setup, RoomError> {
        let words = self.store.expected(&recording.id).await?;
        Ok(Setup {
            engine: Arc::clone(&self.engine),
            store: self.store.clone(),
            runtime: Handle::current(),
            lexicon: Arc::clone(&self.lexicon),
            recording,
            words,
        })
    }
}

/// Closes rooms that are finished, broken or long alone, while `rooms` is there.
async fn tidy(rooms: Weak<Rooms>) {
    let mut round = tokio::time::interval(ROUND);
    loop {
        round.tick().await;
        let Some(rooms) = rooms.upgrade() else { return };
        let mut open = rooms.open.lock().await;
        let needless: Vec<String> = open
            .iter()
            .filter(|(_, live)| {
                let over = live.view().borrow().end.is_some() || live.fault().borrow().is_some();
                live.alone_for().is_some_and(|alone| over || alone >= LINGER)
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in needless {
            if let Some(live) = open.remove(&id) {
                live.close().await;
            }
        }
    }
}
