//! Rooms that hear a talk at the speed it is spoken, and what came of it.

mod judge;
mod room;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

pub(super) use self::judge::LATEST_FINAL;
use self::judge::{Observed, judge};
use self::room::{Ended, Stops, play};
use super::talk::{Part, Talk};
use super::{BenchError, Spread, Stop, Watch};
use crate::audit::Actor;
use crate::engine::Engine;
use crate::interop::fhir;
use crate::room::{Asking, Beginning, Rooms};
use crate::store::{By, Erasable, Store};
use crate::terminology::Lexicon;

/// Until the rooms begin, so that all of them are open then.
const HEAD_START: Duration = Duration::from_millis(100);

/// Which promise a trial broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Of a hundred finals, more than five came later than 1.5 s after the endpoint.
    FinalsLate,
    /// Finals came ever later.
    BacklogGrows,
    /// Of a hundred utterances, more than five had a stretch of over 2 s of speech without a look at it.
    PartialsRare,
    /// Not all was heard in the end.
    NotFinished,
}

impl Limit {
    /// For a reader.
    #[must_use]
    pub fn explain(self) -> &'static str {
        match self {
            Self::FinalsLate => "finals late",
            Self::BacklogGrows => "backlog grows",
            Self::PartialsRare => "partials rare",
            Self::NotFinished => "could not keep up",
        }
    }
}

/// A trial of so many rooms at once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// How many rooms there were.
    pub rooms: usize,
    /// How long each was spoken in, in seconds.
    pub seconds: f64,
    /// Share of the time in which somebody spoke, 0 to 1.
    pub speech_share: f64,
    /// Whether all promises were kept.
    pub real_time: bool,
    /// Those that were not.
    pub broken: Vec<Limit>,
    /// Utterances that ended, in all rooms.
    pub utterances: usize,
    /// Of these, those that led to no text: nothing could be trusted.
    pub without_text: usize,
    /// From the last sound of an utterance to its final text, the pause that ends it included.
    pub speech_end_to_final: Option<Spread>,
    /// From the moment at which the room has the sound that tells that the utterance is over, to its final text.
    pub endpoint_to_final: Option<Spread>,
    /// From the first sound of an utterance to the first words shown of it.
    pub speech_start_to_partial: Option<Spread>,
    /// The longest stretch of speech in an utterance without a look at it, whether or not that changed the words shown.
    pub without_look: Option<Spread>,
    /// How much later finals came in the last third than in the first, in milliseconds.
    pub growth_ms: f64,
    /// From the last sound to the end of the last room, in milliseconds.
    pub drain_ms: f64,
}

/// Where rooms are opened: a data folder of their own.
pub(super) struct Stage {
    runtime: Runtime,
    store: Store,
    lexicon: Arc<Lexicon>,
}

impl Stage {
    /// Makes the data folder.
    ///
    /// # Errors
    /// A folder that cannot be used.
    pub fn open(folder: &Path) -> Result<Self, BenchError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(BenchError::io("start threads for", folder))?;
        let store = runtime.block_on(Store::open(folder))?;
        Ok(Self { runtime, store, lexicon: Arc::new(Lexicon::builtin()?) })
    }

    /// Lets so many rooms hear the talk for so long, and erases what they kept. Nothing when it was asked to stop.
    ///
    /// # Errors
    /// A failing room or engine.
    pub fn trial(
        &self,
        engine: &Arc<Engine>,
        talk: &mut Talk,
        count: usize,
        length: Duration,
        stop: &Stop,
        watch: &dyn Watch,
    ) -> Result<Option<Step>, BenchError> {
        let parts = (0..count).map(|room| talk.part(room, length)).collect::<Result<Vec<_>, _>>()?;
        watch.stage(&format!("{count} live {}", if count == 1 { "room" } else { "rooms" }), length.as_secs());
        let observed = self.runtime.block_on(self.play(engine, &parts, stop, watch))?;
        if stop.asked() {
            return Ok(None);
        }
        let share = parts.iter().map(Part::speech_share).sum::<f64>() / count.max(1) as f64;
        Ok(Some(judge(&observed, length, share)))
    }

    async fn play(
        &self,
        engine: &Arc<Engine>,
        parts: &[Part],
        stop: &Stop,
        watch: &dyn Watch,
    ) -> Result<Vec<Observed>, BenchError> {
        engine.fix_rooms(parts.len());
        let rooms = Rooms::new(Arc::clone(engine), self.store.clone(), Arc::clone(&self.lexicon), 0, Asking::Nobody).await?;
        let mut holds = Vec::new();
        for _ in parts {
            let language = engine.models().options.language.map_or("auto", crate::speech::model::Language::code);
            let beginning = Beginning {
                format: super::talk::format()?,
                language: language.to_owned(),
                speakers: Vec::new(),
                encounter: None,
                at: fhir::Instant::from_unix_seconds(0),
            };
            holds.push(rooms.begin(beginning, &By::now(Actor::System)).await?.0);
        }
        let ids: Vec<String> = holds.iter().map(|hold| hold.live().id().to_owned()).collect();
        let start = Instant::now() + HEAD_START;
        let stops = Stops { user: stop.clone(), hopeless: Stop::default() };
        let mut playing = JoinSet::new();
        for (hold, part) in holds.into_iter().zip(parts) {
            playing.spawn(play(hold, part.clone(), start, stops.clone()));
        }
        let mut observed = Vec::new();
        let mut failed = false;
        let mut second = tokio::time::interval(Duration::from_secs(1));
        while !playing.is_empty() {
            tokio::select! {
                Some(ended) = playing.join_next() => match ended {
                    Ok(Ended::Heard(room)) => observed.push(room),
                    Ok(Ended::Failed) | Err(_) => {
                        failed = true;
                        stops.hopeless.ask();
                    }
                },
                _ = second.tick() => watch.at(start.elapsed().as_secs()),
            }
        }
        for id in ids {
            rooms.erase(&id, Erasable::Unsigned, &By::now(Actor::System)).await?;
        }
        if failed { Err(BenchError::RoomEnded) } else { Ok(observed) }
    }
}
