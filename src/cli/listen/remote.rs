//! A room of a server: sound to the outbox, and from there to the server.

use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;

use super::room::{Room, Told};
use super::screen::{Screen, clock};
use super::source::Source;
use super::stop::Stop;
use super::{ListenArguments, now};
use crate::cli::output::explain;
use crate::client::{Address, ClientError, Delivery, Event, Kept, Outbox, Pending, Terms, deliver};

/// Between two looks at what is left.
const TICK: Duration = Duration::from_millis(100);

/// The outbox, its server, and what earlier runs left, which is being sent.
pub struct Post {
    outbox: Outbox,
    server: Address,
    left: Vec<Leftover>,
}

struct Leftover {
    name: String,
    told: Receiver<Told>,
}

impl Post {
    /// Opens the outbox, and begins to send what earlier runs left in it, or deletes that.
    pub fn open(data: &Path, server: Address, discard: bool, screen: &Screen) -> anyhow::Result<Self> {
        let outbox = Outbox::open(data)?;
        if !server.is_local() {
            screen
                .notice(&format!("the sound goes to {} without encryption: use this only on a network you trust", server.text()));
        }
        let found = outbox.left(&server)?;
        if found.elsewhere > 0 {
            screen.notice(&format!("{} recordings wait for other servers", found.elsewhere));
        }
        for error in found.damaged {
            screen.notice(&explain(&error.into()));
        }
        let mut left = Vec::new();
        for pending in found.pending {
            let length = clock(pending.samples() * 1000 / u64::from(pending.terms().rate.max(1)));
            let name = format!("{length} of sound from an earlier run");
            if discard {
                pending.erase()?;
                screen.notice(&format!("{name} is deleted"));
                continue;
            }
            screen.notice(&format!("sending {name}"));
            left.push(Leftover { name, told: send(&server, pending)?.0 });
        }
        Ok(Self { outbox, server, left })
    }

    /// Begins a recording of this source.
    pub fn begin(&mut self, source: &Source, arguments: &ListenArguments) -> anyhow::Result<RemoteRoom> {
        let terms = Terms {
            rate: source.rate(),
            channels: source.channels(),
            language: arguments.hear.language_code().to_owned(),
            speakers: arguments.speakers.clone(),
        };
        let (kept, pending) = self.outbox.begin(&self.server, terms, now()?)?;
        let (told, _) = send(&self.server, pending)?;
        Ok(RemoteRoom { kept, told })
    }

    /// Waits until what earlier runs left is sent; Ctrl-C leaves it for the next run.
    pub fn wait(&mut self, stop: &Stop, screen: &mut Screen) -> bool {
        let asked_before = stop.asked();
        let mut all = true;
        for leftover in self.left.drain(..) {
            loop {
                match leftover.told.recv_timeout(TICK) {
                    Ok(Told::Over(Ok(()))) => {
                        screen.notice(&format!("{} is delivered and finished", leftover.name));
                        break;
                    }
                    Ok(Told::Over(Err(error))) => {
                        screen.notice(&format!("{} could not be delivered: {}", leftover.name, explain(&error)));
                        all = false;
                        break;
                    }
                    Ok(Told::Event(Event::Broken { reason, .. })) => screen.notice(&format!("no connection: {reason}")),
                    Err(RecvTimeoutError::Timeout) if !stop.asked() || asked_before => {}
                    Err(_) => {
                        all = false;
                        break;
                    }
                    Ok(Told::Event(_)) => {}
                }
            }
        }
        all
    }

    /// Only sends what earlier runs left.
    pub fn send_only(&mut self, stop: &Stop, screen: &mut Screen) -> anyhow::Result<ExitCode> {
        if self.left.is_empty() {
            screen.notice("nothing is left to be sent");
        }
        Ok(if self.wait(stop, screen) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Delivers on a thread of its own, until it is over.
fn send(server: &Address, pending: Pending) -> anyhow::Result<(Receiver<Told>, JoinHandle<()>)> {
    let (sender, receiver) = channel();
    let delivery = Delivery { address: server.clone(), pending };
    let thread = std::thread::Builder::new().name("deliver".to_owned()).spawn(move || {
        let over = run(delivery, &sender);
        let _ = sender.send(Told::Over(over));
    });
    Ok((receiver, thread.context("cannot start a thread")?))
}

fn run(delivery: Delivery, sender: &Sender<Told>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the network")?;
    let told = sender.clone();
    let tell = move |event| {
        // Nobody listens any more when the program ends.
        let _ = told.send(Told::Event(event));
    };
    runtime.block_on(deliver(delivery, tell)).map_err(|error: ClientError| error.into())
}

/// A recording that a server hears.
pub struct RemoteRoom {
    kept: Kept,
    told: Receiver<Told>,
}

impl Room for RemoteRoom {
    fn push(&mut self, samples: &[i16]) -> anyhow::Result<()> {
        Ok(self.kept.push(samples)?)
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        Ok(self.kept.finish()?)
    }

    fn told(&mut self, patience: Duration) -> Option<Told> {
        self.told.recv_timeout(patience).ok()
    }

    fn trouble(&self) -> Option<String> {
        self.kept.troubled().then(|| "the disk takes nothing: what is said waits in memory".to_owned())
    }

    fn kept_in(&self) -> Option<String> {
        let path = self.kept.path();
        path.exists().then(|| format!("`{}`: with --send-only it is tried again, with --discard deleted", path.display()))
    }
}
