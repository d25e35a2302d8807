//! A room of this machine: the same spool, store, engine and rooms as a server's, without a socket between.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::room::{Room, Told};
use super::source::Source;
use super::{ListenArguments, now};
use crate::audio::{StreamEncoding, StreamFormat};
use crate::audit::Actor;
use crate::cli::serve::open_engine;
use crate::cli::terminology::lexicon;
use crate::client::Event;
use crate::interop::fhir::Instant;
use crate::room::{Asking, Beginning, Hold, Partial, RoomError, Rooms, Safe, View};
use crate::store::{By, Store};

/// Below so many bytes of free disk no recording is begun: an hour of any microphone, and its words.
const KEEP_FREE: u64 = 512 << 20;

/// The models and the store, open before the microphone is.
pub struct Prepared {
    rooms: Arc<Rooms>,
    data: PathBuf,
    // Last, so that what runs on it goes first.
    runtime: Runtime,
}

impl Prepared {
    /// Loads the models and opens the store.
    pub fn open(arguments: &ListenArguments, models_folder: &Path, data: &Path) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start a run-time")?;
        let rooms = runtime.block_on(async {
            let store = Store::open(data).await?;
            store.tell_unlocked().await?;
            let engine = open_engine(&arguments.hear, models_folder)?;
            anyhow::Ok(Rooms::new(engine, store, Arc::new(lexicon()?), KEEP_FREE, Asking::Nobody).await?)
        })?;
        Ok(Self { rooms, data: data.to_owned(), runtime })
    }

    /// Begins a recording of this source.
    pub fn begin(&self, source: &Source, arguments: &ListenArguments) -> anyhow::Result<LocalRoom<'_>> {
        let beginning = Beginning {
            format: StreamFormat::new(StreamEncoding::PcmS16le, source.rate(), source.channels())?,
            language: arguments.hear.language_code().to_owned(),
            speakers: arguments.speakers.clone(),
            encounter: None,
            at: Instant::from_unix_seconds(i64::try_from(now()?)?),
        };
        let (hold, view, safe) = self.runtime.block_on(async {
            // Its token brings back a client that was cut off; nothing can cut this one off.
            let (hold, _, _) = self.rooms.begin(beginning, &By::now(Actor::Unknown)).await?;
            let (view, safe) = (hold.live().view(), hold.live().safe());
            Ok::<_, RoomError>((hold, view, safe))
        })?;
        let channels = usize::from(source.channels().max(1));
        let seen = Seen { finals: 0, partials: Vec::new(), safe: 0, over: false };
        Ok(LocalRoom { prepared: self, hold, view, safe, channels, seen, queue: VecDeque::new() })
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        self.runtime.block_on(self.rooms.close());
    }
}

/// A recording that this machine hears.
pub struct LocalRoom<'a> {
    prepared: &'a Prepared,
    hold: Hold,
    view: watch::Receiver<View>,
    safe: watch::Receiver<Safe>,
    channels: usize,
    seen: Seen,
    queue: VecDeque<Told>,
}

/// How much of the view was told.
struct Seen {
    finals: usize,
    partials: Vec<Option<Partial>>,
    safe: u64,
    over: bool,
}

impl LocalRoom<'_> {
    /// Queues what is new.
    fn look(&mut self) {
        let Self { view, safe, seen, queue, .. } = self;
        let samples = safe.borrow_and_update().samples;
        if samples > seen.safe {
            seen.safe = samples;
            queue.push_back(Told::Event(Event::Safe { samples }));
        }
        let view = view.borrow_and_update();
        let finals = view.finals.get(seen.finals..).unwrap_or_default();
        queue.extend(finals.iter().map(|segment| Told::Event(Event::Final(segment.as_ref().clone()))));
        seen.finals += finals.len();
        for (channel, partial) in view.partials.iter().enumerate() {
            if let Some(partial) = partial
                && seen.partials.get(channel) != Some(&Some(partial.clone()))
            {
                let Partial { start_ms, stable, tentative, .. } = partial.clone();
                queue.push_back(Told::Event(Event::Partial { start_ms, stable, tentative }));
            }
        }
        seen.partials.clone_from(&view.partials);
        if seen.over {
            return;
        }
        if let Some(end) = &view.end {
            let (transcript, note) = (Box::new(end.transcript.clone()), Box::new(end.note.clone()));
            queue.extend([Told::Event(Event::End { transcript, note }), Told::Over(Ok(()))]);
            seen.over = true;
        } else if view.failed.is_some() {
            queue.push_back(Told::Over(Err(anyhow::anyhow!("the room ended by an error"))));
            seen.over = true;
        }
    }
}

impl Room for LocalRoom<'_> {
    fn push(&mut self, samples: &[i16]) -> anyhow::Result<()> {
        if samples.is_empty() {
            return Ok(());
        }
        let frame = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let taken = self.hold.audio((samples.len() / self.channels) as u64, frame);
        if self.prepared.runtime.block_on(taken) {
            return Ok(());
        }
        match *self.hold.live().fault().borrow() {
            Some(fault) => Err(RoomError::Fault(fault).into()),
            None => bail!("nothing more is recorded"),
        }
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        Ok(self.prepared.runtime.block_on(self.hold.live().finish())?)
    }

    fn told(&mut self, patience: Duration) -> Option<Told> {
        self.look();
        if self.queue.is_empty() && !patience.is_zero() {
            let Self { prepared, view, safe, .. } = self;
            prepared.runtime.block_on(async {
                tokio::select! {
                    _ = view.changed() => {}
                    _ = safe.changed() => {}
                    () = tokio::time::sleep(patience) => {}
                }
            });
            self.look();
        }
        self.queue.pop_front()
    }

    fn trouble(&self) -> Option<String> {
        None
    }

    fn kept_in(&self) -> Option<String> {
        let data = self.prepared.data.display();
        Some(format!("`{data}`, unfinished: `cantoscribe serve --trial --data {data}` lists and finishes it"))
    }
}
