//! A socket as `listen.md` fixes it, with a bad temper: it drops connections at random moments, and with them all that it has not
//! acknowledged. It hears sound and understands nothing.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};

/// How it behaves.
#[derive(Clone)]
pub struct Temper {
    pub seed: u64,
    /// So many connections are dropped.
    pub breaks: u32,
    /// It answers nobody at first.
    pub deaf_for: Duration,
    /// What it closes with instead of listening to the end: an error's code (or none), and the number.
    pub refuses: Option<(&'static str, u16)>,
    /// It erases the recording when it hears sound.
    pub erases: bool,
}

impl Temper {
    pub fn steady() -> Self {
        Self { seed: 0, breaks: 0, deaf_for: Duration::ZERO, refuses: None, erases: false }
    }
}

#[derive(Default)]
struct State {
    /// Acknowledged bytes.
    safe: Vec<u8>,
    recordings: u32,
    connections: u32,
    url: String,
    random: u64,
}

impl State {
    fn random(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }
}

/// The running server; it ends with its runtime.
pub struct Breaking {
    port: u16,
    state: Arc<Mutex<State>>,
    _runtime: tokio::runtime::Runtime,
}

impl Breaking {
    pub fn start(temper: Temper) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { random: temper.seed, ..State::default() }));
        let shared = Arc::clone(&state);
        let opens = Instant::now() + temper.deaf_for;
        runtime.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                if Instant::now() >= opens {
                    // One at a time: a client has one connection.
                    serve(stream, &temper, &shared).await;
                }
            }
        });
        Self { port, state, _runtime: runtime }
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn heard(&self) -> Vec<u8> {
        self.state.lock().unwrap().safe.clone()
    }

    pub fn connections(&self) -> u32 {
        self.state.lock().unwrap().connections
    }

    pub fn recordings(&self) -> u32 {
        self.state.lock().unwrap().recordings
    }

    /// The first connection's.
    pub fn url(&self) -> String {
        self.state.lock().unwrap().url.clone()
    }
}

const FRAME_BYTES: usize = 4;

fn message(value: serde_json::Value) -> Message {
    Message::text(value.to_string())
}

async fn serve(stream: TcpStream, temper: &Temper, shared: &Mutex<State>) {
    let mut url = String::new();
    #[allow(clippy::result_large_err, reason = "the trait's")]
    let header = |request: &Request, response: Response| {
        url = request.uri().to_string();
        Ok(response)
    };
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, header).await else { return };
    let (number, mut patience) = {
        let mut state = shared.lock().unwrap();
        state.connections += 1;
        if state.connections == 1 {
            state.url = url.clone();
        }
        (state.connections, state.random(40))
    };
    let breaks = number <= temper.breaks;
    let token = if url.contains("recording=r1") {
        let Some(Ok(Message::Text(text))) = socket.next().await else { return };
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&value["type"], &value["token"]), (&"resume".into(), &"token of r1".into()), "{text}");
        "token of r1"
    } else {
        shared.lock().unwrap().recordings += 1;
        "token of r1"
    };
    let mut heard = shared.lock().unwrap().safe.clone();
    let samples = heard.len() / FRAME_BYTES;
    let ready = serde_json::json!({"type": "ready", "recording": "r1", "token": token, "samples": samples});
    if socket.send(message(ready)).await.is_err() {
        return;
    }
    let segment = serde_json::json!({"id": 0, "start_ms": 0, "end_ms": 900, "speaker": null, "text": "血壓高"});
    if samples > 0 {
        let _ = socket.send(message(serde_json::json!({"type": "final", "segment": segment}))).await;
    }
    while let Some(Ok(received)) = socket.next().await {
        if breaks && patience == 0 {
            // Gone without a word, and what was not acknowledged with it.
            return;
        }
        patience = patience.saturating_sub(1);
        match received {
            Message::Binary(sound) => {
                assert_eq!(sound.len() % FRAME_BYTES, 0, "a frame of {} bytes", sound.len());
                heard.extend_from_slice(&sound);
                if let Some((code, close)) = temper.refuses {
                    if !code.is_empty() {
                        let error = serde_json::json!({"type": "error", "code": code, "message": "said so", "fatal": true});
                        let _ = socket.send(message(error)).await;
                    }
                    let frame = CloseFrame { code: CloseCode::from(close), reason: "said so".into() };
                    let _ = socket.close(Some(frame)).await;
                    break;
                }
                if temper.erases {
                    let _ = socket.send(message(serde_json::json!({"type": "erased"}))).await;
                    let _ = socket.close(None).await;
                    break;
                }
                let acknowledges = {
                    let mut state = shared.lock().unwrap();
                    state.random(3) > 0
                };
                if acknowledges {
                    shared.lock().unwrap().safe = heard.clone();
                    let ack = serde_json::json!({"type": "ack", "samples": heard.len() / FRAME_BYTES});
                    if socket.send(message(ack)).await.is_err() {
                        return;
                    }
                }
            }
            Message::Text(text) => {
                let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                assert_eq!(value["type"], "finish", "{text}");
                if breaks {
                    return;
                }
                shared.lock().unwrap().safe = heard.clone();
                let transcript =
                    serde_json::json!({"schema": "cantoscribe/transcript/1", "language": "yue", "segments": [segment]});
                let read = cantoscribe::speech::transcript::read_document(transcript.to_string().as_bytes()).unwrap();
                let note = cantoscribe::note::extract::extract(&read, &cantoscribe::terminology::Lexicon::builtin().unwrap());
                for last in [
                    serde_json::json!({"type": "ack", "samples": heard.len() / FRAME_BYTES}),
                    serde_json::json!({"type": "final", "segment": segment}),
                    serde_json::json!({"type": "note", "note": note}),
                    serde_json::json!({"type": "end", "transcript": transcript, "note": note}),
                ] {
                    let _ = socket.send(message(last)).await;
                }
                let _ = socket.close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() })).await;
                break;
            }
            _ => {}
        }
    }
    // The client's answer to a close.
    while let Some(Ok(_)) = socket.next().await {}
}
