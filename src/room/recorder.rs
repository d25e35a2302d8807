//! The intake of a recording: what comes is appended, synced, and only then called safe.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};

use super::{RoomError, Safe};
use crate::spool::{RecordKind, SpoolError, SpoolWriter};

/// Entries that may wait: what comes faster than the disk is held back at its source.
const QUEUE: usize = 32;
/// What comes within this time is synced together. A third of what the contract allows an acknowledgement to lag.
const GROUP: Duration = Duration::from_millis(150);
/// Bytes that are synced together at most.
const GROUP_BYTES: usize = 1 << 20;

/// Which connection holds a recording: a newer number, and the older one's audio is not taken any more.
pub type HolderNumber = u64;

/// Why nothing more is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// There is no space left.
    DiskFull,
    /// The file cannot be written, for another reason.
    Unwritable,
}

enum Entry {
    Audio {
        holder: HolderNumber,
        samples: u64,
        frame: Vec<u8>,
    },
    Mark {
        kind: RecordKind,
    },
    /// Answered once everything before it is safe, or nothing can be made safe any more.
    Flush(oneshot::Sender<Safe>),
    /// As `Flush`, and then the file is let go.
    Close(oneshot::Sender<Safe>),
}

/// Takes audio for one spool.
pub struct Recorder {
    entries: mpsc::Sender<Entry>,
    safe: watch::Receiver<Safe>,
    fault: watch::Receiver<Option<Fault>>,
    holder: Arc<AtomicU64>,
}

impl Recorder {
    /// Starts a task that appends to `writer` until all handles are gone or it fails.
    #[must_use]
    pub fn start(writer: SpoolWriter) -> Self {
        let (entries, queue) = mpsc::channel(QUEUE);
        let (safe_sender, safe) = watch::channel(safe_of(&writer));
        let (fault_sender, fault) = watch::channel(None);
        let holder = Arc::new(AtomicU64::new(0));
        let intake = Intake { queue, safe: safe_sender, holder: Arc::clone(&holder) };
        tokio::spawn(async move {
            if let Err(error) = intake.run(writer).await {
                tracing::error!(%error, "a recording cannot be written on");
                let full = matches!(error, RoomError::Spool(SpoolError::DiskFull { .. }));
                fault_sender.send_replace(Some(if full { Fault::DiskFull } else { Fault::Unwritable }));
            }
        });
        Self { entries, safe, fault, holder }
    }

    /// How much is safe, and a way to wait for more.
    #[must_use]
    pub fn safe(&self) -> watch::Receiver<Safe> {
        self.safe.clone()
    }

    /// Why it stopped, if it did.
    #[must_use]
    pub fn fault(&self) -> watch::Receiver<Option<Fault>> {
        self.fault.clone()
    }

    /// From now on only this holder's audio is taken.
    pub fn hold(&self, holder: HolderNumber) {
        self.holder.store(holder, Ordering::SeqCst);
    }

    /// Takes a frame; waits while too much is waiting. False when nothing is recorded any more.
    pub async fn audio(&self, holder: HolderNumber, samples: u64, frame: Vec<u8>) -> bool {
        self.entries.send(Entry::Audio { holder, samples, frame }).await.is_ok()
    }

    /// Sets a mark after everything taken so far. False when nothing is recorded any more.
    pub async fn mark(&self, kind: RecordKind) -> bool {
        self.entries.send(Entry::Mark { kind }).await.is_ok()
    }

    /// Waits until everything taken so far is safe; nothing when it cannot be.
    pub async fn flush(&self) -> Option<Safe> {
        let (sender, receiver) = oneshot::channel();
        self.entries.send(Entry::Flush(sender)).await.ok()?;
        receiver.await.ok()
    }

    /// Makes everything taken so far safe and lets go of the file: nothing is taken after it.
    pub async fn close(&self) {
        let (sender, receiver) = oneshot::channel();
        if self.entries.send(Entry::Close(sender)).await.is_ok() {
            // An error means that it had ended before, which is as good.
            let _ = receiver.await;
        }
    }
}

struct Intake {
    queue: mpsc::Receiver<Entry>,
    safe: watch::Sender<Safe>,
    holder: Arc<AtomicU64>,
}

impl Intake {
    async fn run(mut self, mut writer: SpoolWriter) -> Result<(), RoomError> {
        while let Some(first) = self.queue.recv().await {
            let until = Instant::now() + GROUP;
            let mut group = Group::default();
            group.add(first, self.holder.load(Ordering::SeqCst));
            while group.bytes < GROUP_BYTES && group.waiting.is_empty() {
                let Ok(Some(entry)) = timeout_at(until, self.queue.recv()).await else { break };
                group.add(entry, self.holder.load(Ordering::SeqCst));
            }
            let Group { appends, waiting, last, .. } = group;
            let written = tokio::task::spawn_blocking(move || {
                for append in &appends {
                    let frames: Vec<&[u8]> = append.frames.iter().map(Vec::as_slice).collect();
                    writer.append(append.kind, append.samples, &frames)?;
                }
                writer.sync()?;
                Ok::<_, SpoolError>(writer)
            });
            writer = match written.await {
                Ok(written) => written.map_err(RoomError::Spool)?,
                // The blocking task panicked: what it had was not called safe.
                Err(_) => return Err(RoomError::Panicked),
            };
            let safe = safe_of(&writer);
            self.safe.send_replace(safe);
            if last {
                drop(writer);
                answer(waiting, safe);
                return Ok(());
            }
            answer(waiting, safe);
        }
        Ok(())
    }
}

fn safe_of(writer: &SpoolWriter) -> Safe {
    Safe { samples: writer.safe_samples(), bytes: writer.safe_bytes() }
}

fn answer(waiting: Vec<oneshot::Sender<Safe>>, safe: Safe) {
    for sender in waiting {
        // Who asked may have gone.
        let _ = sender.send(safe);
    }
}

/// One record to be.
struct Append {
    kind: RecordKind,
    samples: u64,
    frames: Vec<Vec<u8>>,
}

/// What is synced together.
#[derive(Default)]
struct Group {
    appends: Vec<Append>,
    waiting: Vec<oneshot::Sender<Safe>>,
    bytes: usize,
    /// Nothing comes after it.
    last: bool,
}

impl Group {
    fn add(&mut self, entry: Entry, current: HolderNumber) {
        match entry {
            Entry::Audio { holder, .. } if holder != current => {}
            Entry::Audio { samples, frame, .. } => {
                self.bytes += frame.len();
                match self.appends.last_mut().filter(|last| last.kind == RecordKind::Audio) {
                    Some(last) => {
                        last.samples += samples;
                        last.frames.push(frame);
                    }
                    None => self.appends.push(Append { kind: RecordKind::Audio, samples, frames: vec![frame] }),
                }
            }
            Entry::Mark { kind } => self.appends.push(Append { kind, samples: 0, frames: Vec::new() }),
            Entry::Flush(sender) => self.waiting.push(sender),
            Entry::Close(sender) => {
                self.waiting.push(sender);
                self.last = true;
            }
        }
    }
}
