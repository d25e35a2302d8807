//! Writing a spool.

use std::fs::{File, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::frame::{Header, PREAMBLE, RecordKind, Sealer, joined};
use super::{Key, SpoolError, SpoolReader};

/// How far a file goes.
#[derive(Debug, Clone, Copy)]
struct Extent {
    bytes: u64,
    sequence: u64,
    samples: u64,
    finished: bool,
}

const EMPTY: Extent = Extent { bytes: PREAMBLE as u64, sequence: 0, samples: 0, finished: false };

/// Appends records. Nothing is safe before [`SpoolWriter::sync`] said so.
pub struct SpoolWriter {
    file: File,
    path: PathBuf,
    sealer: Sealer,
    written: Extent,
    safe: Extent,
    /// Something that failed may have left bytes behind `written`.
    torn: bool,
}

impl SpoolWriter {
    /// Makes the file of a new recording, readable by its owner only.
    ///
    /// # Errors
    /// When there is such a file, or it cannot be made or synced.
    pub fn create(path: &Path, key: &Key, id: &str) -> Result<Self, SpoolError> {
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(SpoolError::io("create", path))?;
        let mut writer = Self::locked(file, path, key, id)?;
        writer.begin()?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(SpoolError::io("sync", folder))?;
        Ok(writer)
    }

    /// Opens the file of a recording to go on with it. Every record is read; a torn tail is cut; the rest is safe.
    ///
    /// # Errors
    /// [`SpoolError::Damaged`] where a record was safe once and is not any more: such a file is left as it is, and
    /// [`SpoolReader`] reads what is before it. Also when it is not this recording's or cannot be read or synced.
    pub fn open(path: &Path, key: &Key, id: &str) -> Result<Self, SpoolError> {
        let file = File::options().read(true).write(true).open(path).map_err(SpoolError::io("open", path))?;
        let mut writer = Self::locked(file, path, key, id)?;
        let file = File::open(path).map_err(SpoolError::io("open", path))?;
        let mut reader = SpoolReader::over(file, path, key, id);
        if !reader.know()? {
            writer.begin()?;
            return Ok(writer);
        }
        while let Some(record) = reader.next()? {
            writer.written.finished |= record.kind == RecordKind::Finish;
        }
        let (bytes, sequence, samples) = (reader.offset, reader.sequence, reader.samples);
        writer.written = Extent { bytes, sequence, samples, ..writer.written };
        writer.torn = true;
        writer.cut()?;
        writer.file.sync_all().map_err(SpoolError::io("sync", path))?;
        writer.safe = writer.written;
        Ok(writer)
    }

    /// Samples a channel, at the stream's own rate, in all that was appended.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.written.samples
    }

    /// Samples a channel that survive a crash: what may be acknowledged.
    #[must_use]
    pub fn safe_samples(&self) -> u64 {
        self.safe.samples
    }

    /// Bytes of the file that survive a crash, for [`SpoolReader::next_before`].
    #[must_use]
    pub fn safe_bytes(&self) -> u64 {
        self.safe.bytes
    }

    /// Whether the last record is a [`RecordKind::Finish`].
    #[must_use]
    pub fn finished(&self) -> bool {
        self.written.finished
    }

    /// Appends one record of these frames, which hold so many samples a channel. It is not safe yet.
    ///
    /// # Errors
    /// When it cannot be written. Then the file is as it was before, and a later append may work.
    pub fn append(&mut self, kind: RecordKind, samples: u64, frames: &[&[u8]]) -> Result<(), SpoolError> {
        if self.written.finished {
            return Err(SpoolError::Finished { path: self.path.clone() });
        }
        let Extent { bytes, sequence, samples: start, .. } = self.written;
        let after = start.checked_add(samples).ok_or(SpoolError::Seal)?;
        let header = Header { kind, sequence, start, samples, safe: self.safe.bytes, length: 0 };
        let record = self.sealer.record(header, &joined(frames)?)?;
        self.cut()?;
        if let Err(error) = self.file.seek(SeekFrom::Start(bytes)).and_then(|_| self.file.write_all(&record)) {
            self.torn = true;
            // If this fails too, the next append tries it again.
            let _ = self.cut();
            return Err(SpoolError::io("write", &self.path)(error));
        }
        let bytes = bytes + record.len() as u64;
        self.written = Extent { bytes, sequence: sequence + 1, samples: after, finished: kind == RecordKind::Finish };
        Ok(())
    }

    /// Waits until all that was appended is on the disk, and says how many samples a channel are safe.
    ///
    /// # Errors
    /// When it fails. Then everything since the last sync is taken back, for a system that failed to write a page may not
    /// try it again: [`Self::samples`] says where to go on.
    pub fn sync(&mut self) -> Result<u64, SpoolError> {
        if let Err(error) = self.cut().and_then(|()| self.file.sync_data().map_err(SpoolError::io("sync", &self.path))) {
            self.written = self.safe;
            self.torn = true;
            let _ = self.cut();
            return Err(error);
        }
        self.safe = self.written;
        Ok(self.safe.samples)
    }

    fn locked(file: File, path: &Path, key: &Key, id: &str) -> Result<Self, SpoolError> {
        match super::lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SpoolError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(SpoolError::io("lock", path)(error)),
        }
        let (path, sealer) = (path.to_owned(), Sealer::new(key, id));
        Ok(Self { file, path, sealer, written: EMPTY, safe: EMPTY, torn: false })
    }

    /// Writes the preamble of a file that has no records yet.
    fn begin(&mut self) -> Result<(), SpoolError> {
        let preamble = self.sealer.preamble()?;
        let written: io::Result<()> = (|| {
            self.file.set_len(0)?;
            self.file.seek(SeekFrom::Start(0))?;
            self.file.write_all(&preamble)?;
            self.file.sync_all()
        })();
        written.map_err(SpoolError::io("write", &self.path))
    }

    /// Cuts what a failure left behind the last whole record.
    fn cut(&mut self) -> Result<(), SpoolError> {
        if self.torn {
            self.file.set_len(self.written.bytes).map_err(SpoolError::io("cut", &self.path))?;
            self.torn = false;
        }
        Ok(())
    }
}
