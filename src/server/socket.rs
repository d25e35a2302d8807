//! One connection to `WS /v1/listen`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::clock::now;
use super::protocol::{ClientMessage, INTERNAL, NOT_AUDIO, Opening, REFUSED, Refusal, ServerMessage, TRY_LATER, count, parse};
use super::wire::{DONE, RESTART, Stop, Wire, pings};
use crate::engine::EngineError;
use crate::note::Note;
use crate::room::{Beginning, Failure, Fault, Hold, Partial, RoomError, Rooms, Safe, Stopped, Token, View};
use crate::store::{By, Erasable, StoreError};

/// How long a client that comes back has to show its token.
const TOKEN: Duration = Duration::from_secs(20);
/// Least time between two notes.
const NOTES: Duration = Duration::from_secs(1);

/// Serves one client until it or the recording is done. `closing` turns true when the server shuts down, `over` completes when the
/// client may not stay.
pub(super) async fn serve(
    socket: WebSocket,
    rooms: Arc<Rooms>,
    opening: Result<Opening, Refusal>,
    by: By,
    (mut closing, over): (watch::Receiver<bool>, impl Future<Output = ()>),
) {
    let mut wire = Wire::new(socket);
    let stop = tokio::select! {
        stop = converse(&mut wire, &rooms, opening, by) => stop,
        _ = closing.wait_for(|closing| *closing) => Stop::Close(RESTART),
        () = over => Refusal::new(REFUSED, "not_signed_in", "the session or the token has ended").into(),
    };
    let code = match stop {
        Stop::Gone => return,
        Stop::Close(code) => code,
        Stop::Refused(Refusal { close, code, message }) => {
            if wire.send(&ServerMessage::Error { code, message: &message, fatal: true }).await.is_err() {
                return;
            }
            close
        }
    };
    wire.close(code).await;
}

async fn converse(wire: &mut Wire, rooms: &Rooms, opening: Result<Opening, Refusal>, by: By) -> Stop {
    let opened = match opening {
        Ok(opening) => open(wire, rooms, opening, by).await,
        Err(refusal) => Err(refusal.into()),
    };
    match opened {
        Ok((hold, safe)) => match Conversation::new(wire, rooms, hold, safe, by).run().await {
            Ok(never) => match never {},
            Err(stop) => stop,
        },
        Err(stop) => stop,
    }
}

/// Begins a recording or comes back to one, and says `ready`.
async fn open(wire: &mut Wire, rooms: &Rooms, opening: Opening, by: By) -> Result<(Hold, Safe), Stop> {
    let (hold, safe, token) = match opening {
        Opening::Begin { format, language, speakers, encounter } => {
            let beginning = Beginning { format, language, speakers, encounter, at: now() };
            rooms.begin(beginning, &by).await.map_err(|error| refusal(&error))?
        }
        Opening::Resume { recording } => {
            let token = wire.token().await?;
            let (hold, safe) = rooms.resume(&recording, &token, &by).await.map_err(|error| refusal(&error))?;
            (hold, safe, token)
        }
    };
    let recording = hold.live().id();
    wire.send(&ServerMessage::Ready { recording, token: token.reveal(), samples: safe.samples }).await?;
    Ok((hold, safe))
}

/// What a client is told of an error, without any of its details.
fn refusal(error: &RoomError) -> Refusal {
    match error {
        RoomError::Engine(EngineError::NoRoom { .. }) => Refusal::new(TRY_LATER, "no_room", error.to_string()),
        RoomError::DiskLow => Refusal::new(TRY_LATER, "disk_low", error.to_string()),
        RoomError::NoVisit => Refusal::new(REFUSED, "no_visit", error.to_string()),
        RoomError::Refused => Refusal::new(REFUSED, "recording_refused", error.to_string()),
        RoomError::Unknown => Refusal::new(REFUSED, "bad_token", error.to_string()),
        RoomError::Finished | RoomError::Store(StoreError::Signed) => Refusal::new(REFUSED, "finished", error.to_string()),
        RoomError::Store(StoreError::OnHold) => Refusal::new(REFUSED, "on_hold", error.to_string()),
        RoomError::Fault(Fault::DiskFull) => Refusal::new(INTERNAL, "disk_full", error.to_string()),
        _ => {
            tracing::error!(%error, "a socket was refused");
            internal()
        }
    }
}

fn internal() -> Refusal {
    Refusal::new(INTERNAL, "internal", "something went wrong here; what was acknowledged is safe")
}

impl Wire {
    async fn send(&mut self, message: &ServerMessage<'_>) -> Result<(), Stop> {
        let text = serde_json::to_string(message).map_err(|_| Stop::Refused(internal()))?;
        self.put_text(text).await
    }

    /// The token of a client that comes back: the first text frame, nothing before it.
    async fn token(&mut self) -> Result<Token, Stop> {
        let expected = || Refusal::new(REFUSED, "bad_token", "the first frame of a resumed recording holds its token");
        match timeout(TOKEN, self.next()).await {
            Ok(message) => match message? {
                Message::Text(text) => match parse(&text)? {
                    ClientMessage::Resume { token } => Ok(token.into_token()),
                    _ => Err(expected().into()),
                },
                _ => Err(expected().into()),
            },
            Err(_) => Err(expected().into()),
        }
    }
}

/// No conversation ends but by a [`Stop`].
enum Never {}

/// A client and the recording that it holds.
struct Conversation<'a> {
    wire: &'a mut Wire,
    rooms: &'a Rooms,
    hold: Hold,
    by: By,
    view: watch::Receiver<View>,
    safe: watch::Receiver<Safe>,
    /// Samples that the client was told are safe.
    acknowledged: u64,
    finals_sent: usize,
    partials_sent: Vec<Option<Partial>>,
    note_sent: Option<Arc<Note>>,
    /// When the next note may be sent.
    note_due: Instant,
    paused: bool,
    /// The client was told that what it sends while paused is not kept.
    told_paused: bool,
}

/// What happened next.
enum Event {
    Frame(Result<Message, Stop>),
    News,
    Replaced,
    Stopped(Stopped),
    Fault(Fault),
    Ping,
}

impl<'a> Conversation<'a> {
    fn new(wire: &'a mut Wire, rooms: &'a Rooms, hold: Hold, ready: Safe, by: By) -> Self {
        let (view, safe) = (hold.live().view(), hold.live().safe());
        Self {
            wire,
            rooms,
            hold,
            by,
            view,
            safe,
            acknowledged: ready.samples,
            finals_sent: 0,
            partials_sent: Vec::new(),
            note_sent: None,
            note_due: Instant::now(),
            paused: false,
            told_paused: false,
        }
    }

    async fn run(mut self) -> Result<Never, Stop> {
        let mut pings = pings();
        let (mut stopped, mut fault) = (self.hold.live().stopped(), self.hold.live().fault());
        loop {
            self.tell().await?;
            let event = {
                let note_waits = self.note_waits();
                tokio::select! {
                    frame = self.wire.next() => Event::Frame(frame),
                    () = changed(&mut self.view) => Event::News,
                    () = changed(&mut self.safe) => Event::News,
                    () = sleep_until(self.note_due), if note_waits => Event::News,
                    () = self.hold.replaced() => Event::Replaced,
                    stopped = known(&mut stopped) => Event::Stopped(stopped),
                    fault = known(&mut fault) => Event::Fault(fault),
                    _ = pings.tick() => Event::Ping,
                }
            };
            match event {
                Event::Frame(frame) => self.take(frame?).await?,
                Event::News => {}
                Event::Replaced => {
                    return Err(Refusal::new(REFUSED, "replaced", "another connection has taken this recording over").into());
                }
                Event::Stopped(Stopped::Erased) => return Err(self.say_erased().await),
                Event::Stopped(Stopped::Refused) => return Err(refusal(&RoomError::Refused).into()),
                Event::Fault(fault) => return Err(refusal(&RoomError::Fault(fault)).into()),
                Event::Ping => self.wire.ping().await?,
            }
        }
    }

    async fn take(&mut self, message: Message) -> Result<(), Stop> {
        match message {
            Message::Binary(frame) => self.take_audio(frame.into()).await,
            Message::Text(text) => match parse(&text)? {
                ClientMessage::Pause => {
                    if !std::mem::replace(&mut self.paused, true) {
                        self.told_paused = false;
                        let taken = self.hold.pause().await;
                        self.taken(taken)?;
                    }
                    Ok(())
                }
                ClientMessage::Unpause => {
                    self.paused = false;
                    Ok(())
                }
                ClientMessage::Finish => self.finish().await,
                ClientMessage::Cancel => {
                    let id = self.hold.live().id().to_owned();
                    self.rooms
                        .stop_and_erase(&id, Erasable::Unsigned, &self.by.later())
                        .await
                        .map_err(|error| refusal(&error))?;
                    Err(self.say_erased().await)
                }
                ClientMessage::Resume { .. } => {
                    Err(Refusal::new(NOT_AUDIO, "bad_message", "this connection holds its recording already").into())
                }
            },
            _ => Ok(()),
        }
    }

    async fn take_audio(&mut self, frame: Vec<u8>) -> Result<(), Stop> {
        let samples = count(&frame, &self.hold.live().format())?;
        if self.hold.live().is_finishing() {
            return Err(Refusal::new(REFUSED, "finished", "audio came after `finish`").into());
        }
        if self.paused {
            if !std::mem::replace(&mut self.told_paused, true) {
                let message = "the recording is paused: this audio is not kept and not counted";
                self.wire.send(&ServerMessage::Error { code: "paused", message, fatal: false }).await?;
            }
            return Ok(());
        }
        if samples == 0 {
            return Ok(());
        }
        let taken = self.hold.audio(samples, frame).await;
        self.taken(taken)
    }

    /// What the recorder's answer means.
    fn taken(&self, taken: bool) -> Result<(), Stop> {
        if taken {
            return Ok(());
        }
        let fault = *self.hold.live().fault().borrow();
        Err(refusal(&RoomError::Fault(fault.unwrap_or(Fault::Unwritable))).into())
    }

    async fn finish(&mut self) -> Result<(), Stop> {
        self.hold.live().finish().await.map_err(|error| refusal(&error))?;
        // Said even where nothing is new: the client learns that everything it sent is safe.
        self.acknowledged = self.safe.borrow_and_update().samples;
        self.wire.send(&ServerMessage::Ack { samples: self.acknowledged }).await
    }

    async fn say_erased(&mut self) -> Stop {
        match self.wire.send(&ServerMessage::Erased).await {
            Ok(()) => Stop::Close(DONE),
            Err(stop) => stop,
        }
    }

    fn note_waits(&self) -> bool {
        self.is_news(self.view.borrow().note.as_ref())
    }

    /// A note that does not know the last final yet is about to be followed by one that does.
    fn is_news(&self, note: Option<&(usize, Arc<Note>)>) -> bool {
        let Some((_, note)) = note.filter(|(finals, _)| *finals == self.finals_sent) else { return false };
        self.note_sent.as_ref().is_none_or(|sent| !Arc::ptr_eq(note, sent))
    }

    /// Tells everything that the client does not know yet, in the order that the contract asks for.
    async fn tell(&mut self) -> Result<(), Stop> {
        let safe = self.safe.borrow_and_update().samples;
        if safe > self.acknowledged {
            self.acknowledged = safe;
            self.wire.send(&ServerMessage::Ack { samples: safe }).await?;
        }
        let (finals, partials, note, end, failed) = {
            let view = self.view.borrow_and_update();
            let finals = view.finals.get(self.finals_sent..).unwrap_or_default().to_vec();
            (finals, view.partials.clone(), view.note.clone(), view.end.clone(), view.failed)
        };
        self.finals_sent += finals.len();
        for segment in &finals {
            self.wire.send(&ServerMessage::Final { segment }).await?;
        }
        for (index, partial) in partials.iter().enumerate() {
            if let Some(partial) = partial
                && self.partials_sent.get(index) != Some(&Some(partial.clone()))
            {
                self.wire.send(&ServerMessage::from(partial)).await?;
            }
        }
        self.partials_sent = partials;
        if let Some(end) = end {
            self.wire.send(&ServerMessage::End { transcript: &end.transcript, note: &end.note }).await?;
            return Err(Stop::Close(DONE));
        }
        match failed {
            Some(Failure::DiskFull) => return Err(refusal(&RoomError::Fault(Fault::DiskFull)).into()),
            Some(Failure::Other) => return Err(internal().into()),
            None => {}
        }
        // The note that was looked at above: a newer one may have come while the finals were sent.
        if Instant::now() >= self.note_due
            && self.is_news(note.as_ref())
            && let Some((_, note)) = note
        {
            self.wire.send(&ServerMessage::Note { note: &note }).await?;
            self.note_due = Instant::now() + NOTES;
            self.note_sent = Some(note);
        }
        Ok(())
    }
}

/// Waits for a change; for ever where none can come.
async fn changed<T>(watched: &mut watch::Receiver<T>) {
    if watched.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits for something that is said once; for ever where it never is.
async fn known<T: Copy>(watched: &mut watch::Receiver<Option<T>>) -> T {
    let found = watched.wait_for(Option::is_some).await.ok().and_then(|found| *found);
    match found {
        Some(found) => found,
        None => std::future::pending().await,
    }
}
