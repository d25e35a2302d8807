//! One connection to `WS /v1/realtime`.

use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::sync::watch;

use super::super::error::OpenAiError;
use super::hearing::{Said, begin};
use super::protocol::{Refused, ServerEvent, parse};
use crate::engine::{Engine, Seat};
use crate::server::error::ApiError;
use crate::server::protocol::{INTERNAL, REFUSED, Refusal, TOO_LARGE};
use crate::server::wire::{RESTART, Stop, Wire, pings};

/// A client that is told off so often does not understand us.
const MOST_ERRORS: usize = 100;

/// Serves one client until it goes. `closing` turns true when the server shuts down; `over` completes when the client may stay no longer.
pub(super) async fn serve(
    socket: WebSocket,
    engine: Arc<Engine>,
    seat: Seat,
    (mut closing, over): (watch::Receiver<bool>, impl Future<Output = ()>),
) {
    let mut wire = Wire::new(socket);
    let mut teller = Teller { told: 0 };
    let stop = tokio::select! {
        stop = converse(&mut wire, &mut teller, engine, seat) => stop,
        _ = closing.wait_for(|closing| *closing) => Stop::Close(RESTART),
        () = over => Refusal::new(REFUSED, "not_signed_in", "the session or the token has ended").into(),
    };
    let code = match stop {
        Stop::Gone => return,
        Stop::Close(code) => code,
        Stop::Refused(Refusal { close, .. }) => {
            let error = match close {
                TOO_LARGE => OpenAiError::Message("a frame is longer than 20 MiB"),
                REFUSED => ApiError::NotSignedIn.into(),
                _ => OpenAiError::Message("a text frame is not UTF-8"),
            };
            let event = ServerEvent::Error(Refused { error, event: None });
            if teller.tell(&mut wire, &event).await.is_err() {
                return;
            }
            close
        }
    };
    wire.close(code).await;
}

async fn converse(wire: &mut Wire, teller: &mut Teller, engine: Arc<Engine>, seat: Seat) -> Stop {
    let session = session_id().and_then(|id| Ok(begin(engine, seat, id)?));
    let (says, mut told) = match session {
        Ok(session) => session,
        Err(error) => {
            let event = ServerEvent::Error(Refused { error, event: None });
            return teller.tell(wire, &event).await.err().unwrap_or(Stop::Close(INTERNAL));
        }
    };
    let mut pings = pings();
    let mut errors = 0;
    let mut waiting: Option<Said> = None;
    loop {
        let step = tokio::select! {
            event = told.recv() => match event {
                Some(event) => {
                    errors += usize::from(matches!(event, ServerEvent::Error(_)));
                    teller.tell(wire, &event).await
                }
                None => Err(Stop::Close(INTERNAL)),
            },
            place = says.reserve(), if waiting.is_some() => {
                if let (Ok(place), Some(said)) = (place, waiting.take()) {
                    place.send(said);
                }
                Ok(())
            }
            frame = wire.next(), if waiting.is_none() => match frame {
                Ok(frame) => match read(&frame) {
                    Ok(said) => {
                        waiting = Some(said);
                        Ok(())
                    }
                    Err(refused) => {
                        errors += 1;
                        teller.tell(wire, &ServerEvent::Error(refused)).await
                    }
                },
                Err(stop) => Err(stop),
            },
            _ = pings.tick() => {
                if waiting.is_some() {
                    wire.excuse();
                }
                wire.ping().await
            }
        };
        if let Err(stop) = step {
            return stop;
        }
        if errors > MOST_ERRORS {
            return Stop::Close(REFUSED);
        }
    }
}

fn read(frame: &Message) -> Result<Said, Refused> {
    match frame {
        Message::Text(text) => parse(text),
        _ => Err(Refused { error: OpenAiError::Message("send audio as base64 in `input_audio_buffer.append`"), event: None }),
    }
}

/// Names events and items so that no two sessions share one.
fn session_id() -> Result<String, OpenAiError> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(|error| OpenAiError::internal(&error))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Numbers what the client is told.
struct Teller {
    told: u64,
}

impl Teller {
    async fn tell(&mut self, wire: &mut Wire, event: &ServerEvent) -> Result<(), Stop> {
        let messages = event.messages(|| {
            self.told += 1;
            format!("event_{}", self.told)
        });
        for message in messages {
            wire.put_text(message.to_string()).await?;
        }
        Ok(())
    }
}
