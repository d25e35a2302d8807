//! The two threads of a session: one finds what is said in the audio and has it looked at while it grows, one has it heard.
//!
//! What lies between them is bounded, so a client that sends faster than the machine hears is not read on.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::super::error::OpenAiError;
use super::super::request::{Loaded, word_refused};
use super::buffer::{Buffer, Full, Turn};
use super::deltas::Deltas;
use super::protocol::{ClientEvent, Refused, ServerEvent};
use super::settings::{Dialect, Settings};
use crate::audio::SAMPLE_RATE;
use crate::engine::{Engine, EngineError, Manner, RoomNumber, Seat};
use crate::speech::model::DecodeOptions;
use crate::speech::transcript::line;
use crate::speech::{HeardUtterance, SpeechError, Writing, segment};

/// Messages that may wait for the first thread.
const MESSAGES: usize = 2;
/// Items that may wait for the second.
const ITEMS: usize = 2;

/// An event of the client, and the id that it gave it.
pub(super) type Said = (Option<String>, ClientEvent);

/// An item to be heard.
struct Item {
    id: String,
    utterances: Vec<HeardUtterance>,
    options: DecodeOptions,
    writing: Arc<Writing>,
    deltas: Arc<Deltas>,
}

/// Begins a session with this id: where to say what the client says, and what comes of it. It ends when either is dropped.
///
/// # Errors
/// When the threads cannot be made.
pub(super) fn begin(
    engine: Arc<Engine>,
    seat: Seat,
    id: String,
) -> Result<(mpsc::Sender<Said>, UnboundedReceiver<ServerEvent>), EngineError> {
    let (said, hears) = mpsc::channel(MESSAGES);
    // What a client is told is short, and it is not read on while it does not read.
    let (tells, told) = mpsc::unbounded_channel();
    let (items, waiting) = sync_channel(ITEMS);
    let settings = Settings::new(Loaded::of(engine.models()));
    let buffer = Buffer::new(Box::new(engine.detector()), settings.endpoint.clone(), settings.manual)?;
    let mut session = Session {
        writing: Arc::clone(&engine.models().writing),
        engine: Arc::clone(&engine),
        id,
        settings,
        buffer,
        tells: tells.clone(),
        items,
        previous: None,
        looks: RoomNumber::next(),
        growing: None,
    };
    let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
        thread::Builder::new().name(name.to_owned()).spawn(run).map(drop).map_err(EngineError::Thread)
    };
    spawn("realtime", Box::new(move || session.run(hears)))?;
    spawn("realtime items", Box::new(move || hear_items(&engine, &waiting, &tells, seat)))?;
    Ok((said, told))
}

/// What the first thread knows.
struct Session {
    engine: Arc<Engine>,
    id: String,
    settings: Settings,
    buffer: Buffer,
    tells: UnboundedSender<ServerEvent>,
    items: SyncSender<Item>,
    /// The item before the next one.
    previous: Option<String>,
    /// How it is written down, the words that the client expects included.
    writing: Arc<Writing>,
    /// Whom the engine takes the looks at growing items for.
    looks: RoomNumber,
    /// The item that is being said.
    growing: Option<Arc<Deltas>>,
}

impl Session {
    fn run(&mut self, mut hears: mpsc::Receiver<Said>) {
        self.tell(ServerEvent::Created(self.document(Dialect::Current)));
        while let Some((event, said)) = hears.blocking_recv() {
            match self.take(said) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => self.tell(ServerEvent::Error(Refused { error, event })),
                Err(error) => {
                    self.tell(ServerEvent::Error(Refused { error: error.into(), event }));
                    break;
                }
            }
        }
        self.engine.forget(self.looks);
    }

    /// Does what the client says, or tells why not. What ends the session is the error.
    fn take(&mut self, said: ClientEvent) -> Result<Result<(), OpenAiError>, EngineError> {
        let turns = match said {
            ClientEvent::Append(pcm) => self.buffer.append(&pcm)?,
            ClientEvent::Commit => self.buffer.commit()?,
            ClientEvent::Clear => {
                self.buffer.clear()?;
                if let Some(deltas) = self.no_longer_growing() {
                    deltas.end();
                }
                self.tell(ServerEvent::Cleared);
                return Ok(Ok(()));
            }
            ClientEvent::Update(dialect, session) => {
                let updated = self.settings.updated(&session, dialect, Loaded::of(self.engine.models()));
                return match updated {
                    Ok(settings) => self.settle(settings, dialect),
                    Err(error) => Ok(Err(error)),
                };
            }
        };
        match turns {
            Ok(turns) => {
                turns.into_iter().for_each(|turn| self.turn(turn));
                self.look()?;
                Ok(Ok(()))
            }
            Err(Full::Empty) => Ok(Err(OpenAiError::BufferEmpty)),
            Err(Full::TooLong) => Ok(Err(OpenAiError::BufferFull)),
        }
    }

    fn settle(&mut self, mut settings: Settings, dialect: Dialect) -> Result<Result<(), OpenAiError>, EngineError> {
        let divided = (&settings.endpoint, settings.manual) != (&self.settings.endpoint, self.settings.manual);
        if divided && self.buffer.holds_speech() {
            return Ok(Err(OpenAiError::invalid("session", "changes its turn detection amid speech: commit or clear it first")));
        }
        if settings.words != self.settings.words
            && let Err(error) = self.expect(&mut settings)
        {
            return Ok(Err(word_refused(dialect.transcription(), &error)));
        }
        if divided {
            self.buffer.divide(Box::new(self.engine.detector()), settings.endpoint.clone(), settings.manual)?;
        }
        self.settings = settings;
        self.tell(ServerEvent::Updated(dialect, self.document(dialect)));
        Ok(Ok(()))
    }

    /// Takes the words that the client expects into the settings, and no others than the server's where there are none.
    fn expect(&mut self, settings: &mut Settings) -> Result<(), SpeechError> {
        let models = self.engine.models();
        let manner = Manner {
            options: DecodeOptions { bias: models.options.bias.clone(), ..settings.options.clone() },
            writing: Arc::clone(&models.writing),
            endpoint: settings.endpoint.clone(),
        };
        let manner = match &settings.words {
            Some(words) => models.expecting(words, manner)?,
            None => manner,
        };
        (settings.options, self.writing) = (manner.options, manner.writing);
        Ok(())
    }

    /// Has the item that is being said looked at, where that would tell something new.
    fn look(&self) -> Result<(), EngineError> {
        match (&self.growing, self.buffer.growing()) {
            (Some(deltas), Some((growing, position))) if self.settings.delay.is_before_the_end() => {
                deltas.look(&self.engine, self.looks, (&growing, position), &self.settings.options)
            }
            _ => Ok(()),
        }
    }

    fn no_longer_growing(&mut self) -> Option<Arc<Deltas>> {
        self.engine.forget(self.looks);
        self.growing.take()
    }

    fn deltas(&self, item: u64) -> Arc<Deltas> {
        let settings = self.settings.delay.agreement();
        Arc::new(Deltas::new(self.item_id(item), settings, Arc::clone(&self.writing), self.tells.clone()))
    }

    fn turn(&mut self, turn: Turn) {
        match turn {
            Turn::Started { item, at } => {
                self.growing = Some(self.deltas(item));
                self.tell(ServerEvent::SpeechStarted { item: self.item_id(item), at_ms: at.milliseconds() });
            }
            Turn::Stopped { item, at } => {
                self.tell(ServerEvent::SpeechStopped { item: self.item_id(item), at_ms: at.milliseconds() });
            }
            Turn::Committed { item, utterances } => {
                let id = self.item_id(item);
                let previous = self.previous.replace(id.clone());
                self.tell(ServerEvent::Committed { item: id.clone(), previous });
                let deltas = self.no_longer_growing().unwrap_or_else(|| self.deltas(item));
                let (options, writing) = (self.settings.options.clone(), Arc::clone(&self.writing));
                // Where the other thread has ended, this one is about to.
                let _ = self.items.send(Item { id, utterances, options, writing, deltas });
            }
        }
    }

    fn item_id(&self, item: u64) -> String {
        format!("item_{}_{item}", self.id)
    }

    fn document(&self, dialect: Dialect) -> serde_json::Value {
        self.settings.document(&format!("sess_{}", self.id), &self.engine.models().identity.name, dialect)
    }

    fn tell(&self, event: ServerEvent) {
        // Where nobody listens the session is over.
        let _ = self.tells.send(event);
    }
}

/// The second thread: hears one item after another. It has the room's seat until it has ended.
fn hear_items(engine: &Engine, items: &Receiver<Item>, tells: &UnboundedSender<ServerEvent>, _seat: Seat) {
    let room = RoomNumber::next();
    while let Ok(Item { id, utterances, options, writing, deltas }) = items.recv() {
        let samples: usize = utterances.iter().map(|heard| heard.samples.len()).sum();
        let mut lines = Vec::new();
        let mut failed = None;
        for heard in utterances {
            if tells.is_closed() {
                return;
            }
            match hear_one(engine, room, heard, &writing, options.clone()) {
                Ok(line) => lines.extend(line),
                Err(error) => failed = Some(error),
            }
        }
        let told = match failed {
            Some(error) => {
                deltas.end();
                tells.send(ServerEvent::Failed { item: id, error: error.into() })
            }
            None => {
                let text = lines.join(" ");
                deltas.complete(&text);
                let seconds = samples as f64 / f64::from(SAMPLE_RATE);
                tells.send(ServerEvent::Completed { item: id, text: text.into(), seconds })
            }
        };
        if told.is_err() {
            return;
        }
    }
}

/// What is said in an utterance, in Hong Kong's characters; nothing where nothing was.
fn hear_one(
    engine: &Engine,
    room: RoomNumber,
    heard: HeardUtterance,
    writing: &Writing,
    options: DecodeOptions,
) -> Result<Option<String>, EngineError> {
    let hypothesis = engine.hear(room, heard.samples, options)?;
    let line = line(&segment(0, None, heard.utterance, writing.finished(hypothesis)));
    Ok((!line.is_empty()).then_some(line))
}
