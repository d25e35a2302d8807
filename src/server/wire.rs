//! A WebSocket with its time-outs: what both sockets of this server need.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite;

use super::protocol::{NOT_AUDIO, Refusal, TOO_LARGE};

/// How often the client is asked whether it is still there.
const PING: Duration = Duration::from_secs(20);
/// After so long without an answer the connection is dropped.
const SILENCE: Duration = Duration::from_secs(60);
/// A client that takes nothing for so long is gone.
const SEND: Duration = Duration::from_secs(30);
/// How long a closed socket is kept, so that the client reads why before the connection breaks.
const LINGER: Duration = Duration::from_secs(2);
/// The normal close.
pub(super) const DONE: u16 = 1000;
/// The close of a server that goes down, as for an upgrade: its clients come back.
pub(super) const RESTART: u16 = 1012;

/// Why a connection ends.
pub(super) enum Stop {
    /// Nobody is there any more.
    Gone,
    /// Everything was said.
    Close(u16),
    /// The client is told what is wrong first.
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// When to call [`Wire::ping`].
pub(super) fn pings() -> Interval {
    let mut pings = interval(PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings
}

/// The socket, with its time-outs.
pub(super) struct Wire {
    socket: WebSocket,
    /// When the client last showed that it is there.
    answered: Instant,
}

impl Wire {
    /// A client that has just come.
    pub fn new(socket: WebSocket) -> Self {
        Self { socket, answered: Instant::now() }
    }

    /// Sends a text frame.
    pub async fn put_text(&mut self, text: String) -> Result<(), Stop> {
        self.put(Message::Text(text.into())).await
    }

    /// Asks whether the client is still there; it is gone when it has long not answered.
    pub async fn ping(&mut self) -> Result<(), Stop> {
        if self.answered.elapsed() >= SILENCE {
            return Err(Stop::Gone);
        }
        self.put(Message::Ping(Vec::new().into())).await
    }

    /// The client could not answer, for nothing of it was read.
    pub fn excuse(&mut self) {
        self.answered = Instant::now();
    }

    async fn put(&mut self, message: Message) -> Result<(), Stop> {
        match timeout(SEND, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Stop::Gone),
        }
    }

    /// The next text or binary frame.
    pub async fn next(&mut self) -> Result<Message, Stop> {
        loop {
            let message = match self.socket.recv().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Err(unreadable(error)),
                None => return Err(Stop::Gone),
            };
            self.answered = Instant::now();
            match message {
                Message::Text(_) | Message::Binary(_) => return Ok(message),
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Close(_) => return Err(Stop::Gone),
            }
        }
    }

    /// Closes, and waits a little for the client to have read it.
    pub async fn close(mut self, code: u16) {
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static("") };
        if self.put(Message::Close(Some(frame))).await.is_err() {
            return;
        }
        let until = Instant::now() + LINGER;
        let drained = tokio::time::timeout_at(until, async { while let Some(Ok(_)) = self.socket.recv().await {} }).await;
        if drained.is_ok() && code != DONE {
            // The stream cannot be read on (a frame too large to be taken in, say), yet the client may still be writing it: a
            // connection that is dropped now would be reset before the client has read why.
            sleep(LINGER / 2).await;
        }
    }
}

/// What a frame that could not be read comes to.
fn unreadable(error: axum::Error) -> Stop {
    let error = error.into_inner();
    match error.downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => {
            Refusal::new(TOO_LARGE, "too_large", "a frame is larger than this socket takes").into()
        }
        Some(tungstenite::Error::Utf8(_)) => Refusal::new(NOT_AUDIO, "bad_message", "a text frame is not UTF-8").into(),
        _ => Stop::Gone,
    }
}
