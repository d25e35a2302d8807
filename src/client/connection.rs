//! One connection to the server, from its opening to its end.

use std::cell::Cell;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::http::{Response, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::message::{self, ErrorCode, ServerMessage};
use super::{Address, ClientError, Event, Pending};
use crate::spool::RecordKind;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// To open a connection, and to hear `ready` on it.
const OPENING: Duration = Duration::from_secs(15);

/// With sound on the way: an answer comes within half a second.
const ANSWER: Duration = Duration::from_secs(15);

/// With nothing on the way: the server pings every 20 s.
const QUIET: Duration = Duration::from_secs(60);

/// To close a connection after the last message.
const CLOSING: Duration = Duration::from_secs(2);

/// The documents of a day's recording are large.
const LARGEST_MESSAGE: usize = 256 << 20;

/// How a connection ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The server has finished the recording and told everything.
    Finished,
    /// The server finished the recording while we were away, after all of it was sent.
    FinishedUnseen,
    /// To be tried again.
    Broken(String),
    /// To be tried again, not at once: the server said no for now.
    Busy(String),
    /// Not to be tried again.
    Stopped(ClientError),
}

impl From<ClientError> for Ended {
    fn from(error: ClientError) -> Self {
        Self::Stopped(error)
    }
}

/// What lasts over all connections of a delivery.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// Samples a channel of the whole recording, once the server was told that everything was sent.
    finished_at: Cell<Option<u64>>,
    /// Samples a channel sent and acknowledged.
    sent: Cell<u64>,
    acknowledged: Cell<u64>,
    /// This connection got as far as `ready`.
    pub(super) was_ready: Cell<bool>,
}

impl Course {
    /// Whether the server has all of it and knows that it was all.
    fn is_whole_there(&self) -> bool {
        self.finished_at.get().is_some_and(|samples| self.acknowledged.get() >= samples)
    }
}

/// Connects, sends what the server does not have, and hears what it says until one of them ends it.
pub(super) async fn run(address: &Address, pending: &mut Pending, course: &Course, tell: &(dyn Fn(Event) + Sync)) -> Ended {
    course.was_ready.set(false);
    let attempt = async {
        let mut socket = open(address, pending).await?;
        let samples = begin(&mut socket, pending, course, tell).await?;
        let (sink, stream) = socket.split();
        // Both go on until one ends. Neither is ever dropped in the middle of a message that the other still needs.
        let (sending, hearing) = (send(sink, pending, samples, course), hear(stream, course, tell));
        tokio::select! {
            ended = sending => ended,
            ended = hearing => ended,
        }
    };
    let Err(ended) = attempt.await;
    ended
}

/// Never a value: a connection only ends.
type Never = std::convert::Infallible;

async fn open(address: &Address, pending: &Pending) -> Result<Socket, Ended> {
    let url = match pending.there() {
        Some(there) => address.resume(&there.recording),
        None => address.listen(pending.terms()),
    };
    let config = WebSocketConfig::default().max_message_size(Some(LARGEST_MESSAGE)).max_frame_size(Some(LARGEST_MESSAGE));
    match timeout(OPENING, connect_async_with_config(url, Some(config), true)).await {
        Err(_) => Err(Ended::Broken("it does not answer".to_owned())),
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(Error::Http(response))) => Err(refused(&response)),
        Ok(Err(error)) => Err(Ended::Broken(in_short(&error))),
    }
}

/// An answer that is no socket.
fn refused(response: &Response<Option<Vec<u8>>>) -> Ended {
    #[derive(serde::Deserialize)]
    struct Body {
        error: Inner,
    }
    #[derive(serde::Deserialize)]
    struct Inner {
        message: String,
    }
    let status = response.status();
    let said = response.body().as_ref().and_then(|body| serde_json::from_slice::<Body>(body).ok());
    let reason = said.map_or_else(|| format!("it answers {status}"), |body| one_line(&body.error.message));
    let for_now = [StatusCode::REQUEST_TIMEOUT, StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    if for_now || !status.is_client_error() { Ended::Busy(reason) } else { Ended::Stopped(ClientError::Refused { reason }) }
}

/// Opens the recording on the socket; returns how many samples a channel the server has.
async fn begin(socket: &mut Socket, pending: &mut Pending, course: &Course, tell: &(dyn Fn(Event) + Sync)) -> Result<u64, Ended> {
    if let Some(there) = pending.there() {
        let resume = message::resume(&there.token);
        socket.send(Message::text(resume)).await.map_err(|error| Ended::Broken(in_short(&error)))?;
    }
    let mut said = Said::default();
    loop {
        let next = timeout(OPENING, socket.next()).await.map_err(|_| Ended::Broken("it does not answer".to_owned()))?;
        if let Some(ServerMessage::Ready { recording, token, samples }) = said.take(next, course)? {
            if !recording.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
                return Err(Ended::Stopped(ClientError::Refused {
                    reason: "it gave the recording a name that is none".to_owned(),
                }));
            }
            pending.begun(recording.clone(), token)?;
            course.was_ready.set(true);
            course.sent.set(samples);
            course.acknowledged.set(samples);
            tell(Event::Ready { recording, samples });
            return Ok(samples);
        }
    }
}

/// Sends what is kept from that sample on, as it comes, and that it is finished.
async fn send(mut sink: SplitSink<Socket, Message>, pending: &Pending, from: u64, course: &Course) -> Result<Never, Ended> {
    let mut reader = pending.reader(from)?;
    let frame_bytes = u64::from(pending.terms().channels) * 2;
    loop {
        let finished = pending.safe.finished();
        match reader.next_before(pending.safe.bytes()).map_err(ClientError::from)? {
            Some(record) if record.kind == RecordKind::Audio => {
                let sound: Vec<u8> = record.frames().flatten().copied().collect();
                // The first record may begin before the sample that the server waits for.
                let known = from.saturating_sub(record.start).min(record.samples).saturating_mul(frame_bytes);
                let unsent = usize::try_from(known).ok().and_then(|known| sound.get(known..)).unwrap_or_default();
                if !unsent.is_empty() {
                    course.sent.set(record.start + record.samples);
                    sink.send(Message::binary(unsent.to_vec())).await.map_err(|error| Ended::Broken(in_short(&error)))?;
                }
            }
            Some(_) => {}
            None if finished => break,
            None => pending.safe.grown().await,
        }
    }
    sink.send(Message::text(message::FINISH)).await.map_err(|error| Ended::Broken(in_short(&error)))?;
    course.finished_at.set(Some(pending.samples()));
    std::future::pending().await
}

/// Tells what the server says.
async fn hear(mut stream: SplitStream<Socket>, course: &Course, tell: &(dyn Fn(Event) + Sync)) -> Result<Never, Ended> {
    let mut said = Said::default();
    loop {
        let patience = if course.sent.get() > course.acknowledged.get() { ANSWER } else { QUIET };
        let next = timeout(patience, stream.next()).await;
        let next = next.map_err(|_| Ended::Broken(format!("no answer for {} s", patience.as_secs())))?;
        match said.take(next, course)? {
            Some(ServerMessage::Ack { samples }) => {
                course.acknowledged.set(samples.max(course.acknowledged.get()));
                tell(Event::Safe { samples });
            }
            Some(ServerMessage::Partial { start_ms, stable, tentative }) => tell(Event::Partial { start_ms, stable, tentative }),
            Some(ServerMessage::Final { segment }) => tell(Event::Final(segment)),
            Some(ServerMessage::Note { note }) => tell(Event::Note(note)),
            Some(ServerMessage::End { transcript, note }) => {
                tell(Event::End { transcript, note });
                // The server closes. To go first would break its last write.
                let closing = async { while let Some(Ok(_)) = stream.next().await {} };
                let _ = timeout(CLOSING, closing).await;
                return Err(Ended::Finished);
            }
            Some(ServerMessage::Erased) => return Err(Ended::Stopped(ClientError::Erased)),
            Some(ServerMessage::Error { message, .. }) => tell(Event::Notice(format!("the server says: {}", one_line(&message)))),
            Some(ServerMessage::Ready { .. } | ServerMessage::Unknown) | None => {}
        }
    }
}

/// What the server said last about why it will close.
#[derive(Default)]
struct Said(Option<(ErrorCode, String)>);

impl Said {
    /// A message of the socket, if it is one that means something; how the connection ended, if it is its last.
    fn take(&mut self, next: Option<Result<Message, Error>>, course: &Course) -> Result<Option<ServerMessage>, Ended> {
        match next {
            None => Err(Ended::Broken("the connection was closed".to_owned())),
            Some(Err(error)) => Err(match self.0.take() {
                Some((code, message)) => closed(&code, message, course),
                None => Ended::Broken(in_short(&error)),
            }),
            Some(Ok(Message::Text(text))) => match message::read(&text) {
                Some(ServerMessage::Error { code, message, fatal: true }) => {
                    self.0 = Some((code, one_line(&message)));
                    Ok(None)
                }
                Some(message) => Ok(Some(message)),
                None => Err(Ended::Broken("it sent what is no message of ours".to_owned())),
            },
            Some(Ok(Message::Close(frame))) => {
                let (number, reason) = frame.map_or((1005, String::new()), |frame| (frame.code.into(), one_line(&frame.reason)));
                let (code, message) = self.0.take().unwrap_or((ErrorCode::Number(number), reason));
                Err(closed(&code, message, course))
            }
            Some(Ok(_)) => Ok(None),
        }
    }
}

/// What a close means for us. Names say more than numbers, and come first.
fn closed(code: &ErrorCode, message: String, course: &Course) -> Ended {
    let or = |otherwise: &str| if message.is_empty() { otherwise.to_owned() } else { message.clone() };
    let refused = |otherwise| Ended::Stopped(ClientError::Refused { reason: or(otherwise) });
    match code {
        ErrorCode::Name(name) => match name.as_str() {
            "finished" if course.is_whole_there() => Ended::FinishedUnseen,
            "finished" => Ended::Stopped(ClientError::FinishedElsewhere),
            "replaced" => Ended::Stopped(ClientError::Replaced),
            "no_room" => Ended::Busy(or("it has no room free now")),
            "disk_full" => Ended::Busy(or("its disk is full")),
            "internal" => Ended::Busy(or("it failed")),
            "not_audio" | "bad_message" | "too_large" | "refused" | "bad_token" => refused("it gave no reason"),
            _ => Ended::Busy(or("it gave no reason")),
        },
        ErrorCode::Number(1003 | 1008 | 1009) => refused("it gave no reason"),
        ErrorCode::Number(1011) => Ended::Busy(or("it failed")),
        ErrorCode::Number(1013) => Ended::Busy(or("it has no room free now")),
        ErrorCode::Number(_) => Ended::Broken(or("the connection was closed")),
    }
}

/// A server's text is shown on a terminal: no control character of it gets there.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

fn in_short(error: &Error) -> String {
    match error {
        Error::Io(error) => error.to_string(),
        Error::ConnectionClosed | Error::AlreadyClosed => "the connection was closed".to_owned(),
        Error::Capacity(_) => "it sent a message that is too large".to_owned(),
        Error::Url(_) => "its address cannot be used".to_owned(),
        _ => "it does not speak as it must".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(code: ErrorCode, acknowledged: u64) -> String {
        let course = Course::default();
        course.finished_at.set(Some(9));
        course.acknowledged.set(acknowledged);
        match closed(&code, "m".to_owned(), &course) {
            Ended::Finished | Ended::FinishedUnseen => "finished".into(),
            Ended::Broken(_) => "broken".into(),
            Ended::Busy(_) => "busy".into(),
            Ended::Stopped(error) => error.to_string(),
        }
    }

    #[test]
    fn every_close_code_has_its_meaning() {
        for (number, meaning) in [
            (1000, "broken"),
            (1001, "broken"),
            (1006, "broken"),
            (1012, "broken"),
            (1003, "the server refused the recording: m"),
            (1008, "the server refused the recording: m"),
            (1009, "the server refused the recording: m"),
            (1011, "busy"),
            (1013, "busy"),
        ] {
            assert_eq!(end(ErrorCode::Number(number), 8), meaning, "{number}");
        }
    }

    #[test]
    fn every_name_of_an_error_has_its_meaning() {
        for (name, meaning) in [
            ("no_room", "busy"),
            ("disk_full", "busy"),
            ("internal", "busy"),
            ("bad_token", "the server refused the recording: m"),
            ("not_audio", "the server refused the recording: m"),
            ("replaced", "another client has taken over the recording"),
            ("finished", "the recording was finished on the server before all of it was sent"),
            ("of a later server", "busy"),
        ] {
            assert_eq!(end(ErrorCode::Name(name.to_owned()), 8), meaning, "{name}");
        }
        assert_eq!(end(ErrorCode::Name("finished".to_owned()), 9), "finished");
    }

    #[test]
    fn answers_that_are_no_socket_say_what_the_server_says() {
        let answer =
            |status: u16, body: &str| refused(&Response::builder().status(status).body(Some(body.as_bytes().to_vec())).unwrap());
        let body = r#"{"error":{"code":"bad_request","message":"rate 7 is\u001b[31m too low"}}"#;
        let Ended::Stopped(error) = answer(400, body) else { panic!("not stopped") };
        assert_eq!(error.to_string(), "the server refused the recording: rate 7 is [31m too low");
        assert!(matches!(answer(403, "<html>"), Ended::Stopped(_)));
        assert!(matches!(answer(404, ""), Ended::Stopped(_)));
        for status in [408, 409, 429, 500, 502, 503] {
            assert!(matches!(answer(status, ""), Ended::Busy(_)), "{status}");
        }
    }
}
