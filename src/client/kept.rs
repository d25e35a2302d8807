//! The side of the outbox that keeps what is said.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::ClientError;
use crate::spool::{RecordKind, SpoolWriter};

/// How long sound may wait in memory for the disk.
const BETWEEN_SYNCS: Duration = Duration::from_millis(200);

/// The most bytes of one frame of the socket; more waits for the next.
const FRAME: usize = 256 << 10;

/// The most bytes that wait in memory when the disk takes none: minutes of any microphone.
const MOST_WAITING: usize = 64 << 20;

/// How far the sound on the disk goes, for the side that delivers it.
#[derive(Default)]
pub(super) struct Safe {
    bytes: AtomicU64,
    samples: AtomicU64,
    finished: AtomicBool,
    grown: Notify,
}

impl Safe {
    pub(super) fn tell(&self, writer: &SpoolWriter) {
        self.samples.store(writer.safe_samples(), Ordering::Release);
        self.bytes.store(writer.safe_bytes(), Ordering::Release);
        self.finished.store(writer.finished(), Ordering::Release);
        self.grown.notify_one();
    }

    /// Bytes of the file that may be read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }

    /// Samples a channel in them.
    pub(super) fn samples(&self) -> u64 {
        self.samples.load(Ordering::Acquire)
    }

    /// Whether nothing will be added.
    pub(super) fn finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    /// Waits for more.
    pub(super) async fn grown(&self) {
        self.grown.notified().await;
    }
}

/// Keeps what is said. Dropped without [`Kept::finish`], the recording stays unfinished, and the next run takes it up.
pub struct Kept {
    writer: SpoolWriter,
    safe: Arc<Safe>,
    frame_bytes: usize,
    path: PathBuf,
    /// Little-endian samples that are not safe yet.
    waiting: Vec<u8>,
    last_sync: Instant,
    troubled: bool,
}

impl Kept {
    pub(super) fn new(writer: SpoolWriter, safe: Arc<Safe>, channels: u16, path: PathBuf) -> Self {
        safe.tell(&writer);
        let frame_bytes = usize::from(channels.max(1)) * 2;
        Self { writer, safe, frame_bytes, path, waiting: Vec::new(), last_sync: Instant::now(), troubled: false }
    }

    /// Takes interleaved samples. They are on the disk a fifth of a second later; when the disk takes none, they wait in memory.
    ///
    /// # Errors
    /// A disk that has taken nothing for so long that memory must not take more. What was given is still there.
    pub fn push(&mut self, samples: &[i16]) -> Result<(), ClientError> {
        self.waiting.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        if self.last_sync.elapsed() < BETWEEN_SYNCS {
            return Ok(());
        }
        match self.store() {
            Err(error) if self.waiting.len() > MOST_WAITING => Err(error),
            stored => {
                self.troubled = stored.is_err();
                Ok(())
            }
        }
    }

    /// Whether the disk took nothing when it was last asked. What is said waits in memory then.
    #[must_use]
    pub fn troubled(&self) -> bool {
        self.troubled
    }

    /// Where the sound is kept.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the recording: all of it is on the disk, and nothing comes after it.
    ///
    /// # Errors
    /// A disk that takes nothing. It can be tried again.
    pub fn finish(&mut self) -> Result<(), ClientError> {
        self.store()?;
        if !self.writer.finished() {
            self.writer.append(RecordKind::Finish, 0, &[])?;
            self.writer.sync()?;
        }
        self.safe.tell(&self.writer);
        Ok(())
    }

    /// Puts on the disk what waits, whole frames of it. A failed write or sync takes its part back, and it waits on.
    fn store(&mut self) -> Result<(), ClientError> {
        self.last_sync = Instant::now();
        let most = (FRAME / self.frame_bytes).max(1) * self.frame_bytes;
        loop {
            let whole = self.waiting.len().min(most) / self.frame_bytes * self.frame_bytes;
            let Some(frame) = self.waiting.get(..whole).filter(|frame| !frame.is_empty()) else { return Ok(()) };
            let samples = (whole / self.frame_bytes) as u64;
            self.writer.append(RecordKind::Audio, samples, &[frame])?;
            self.writer.sync()?;
            self.waiting.drain(..whole);
            self.safe.tell(&self.writer);
        }
    }
}
