//! Reading a spool, also while it is being written.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::frame::{HEADER, Header, MARK, PREAMBLE, Record, Sealer};
use super::{Key, SpoolError};

/// Bytes looked through at a time for the next record.
const WINDOW: usize = 64 << 10;

/// Reads the records of a spool in order.
pub struct SpoolReader {
    file: File,
    path: PathBuf,
    sealer: Sealer,
    /// The first bytes of the file were found to be this recording's.
    known: bool,
    /// Where the next record begins.
    pub(super) offset: u64,
    pub(super) sequence: u64,
    pub(super) samples: u64,
}

/// What stands where a record should begin.
enum Found {
    Record(Header, Vec<u8>),
    /// Not a whole, intact record.
    Nothing,
}

impl SpoolReader {
    /// Opens the file of this recording.
    ///
    /// # Errors
    /// When there is no such file, or it is not this recording's or not sealed with this key.
    pub fn open(path: &Path, key: &Key, id: &str) -> Result<Self, SpoolError> {
        let file = File::open(path).map_err(SpoolError::io("open", path))?;
        let mut reader = Self::over(file, path, key, id);
        reader.know()?;
        Ok(reader)
    }

    pub(super) fn over(file: File, path: &Path, key: &Key, id: &str) -> Self {
        let (path, sealer) = (path.to_owned(), Sealer::new(key, id));
        Self { file, path, sealer, known: false, offset: PREAMBLE as u64, sequence: 0, samples: 0 }
    }

    /// Samples a channel before the next record.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.samples
    }

    /// The next record. Nothing at the end of what is whole; a later call sees what was written meanwhile.
    ///
    /// It also returns what was appended and not yet synced. Follow a live writer with [`Self::next_before`].
    ///
    /// # Errors
    /// [`SpoolError::Damaged`] where a record was safe once and is not any more, and when the file cannot be read.
    #[allow(clippy::should_implement_trait, reason = "an iterator that ended must not go on; this does")]
    pub fn next(&mut self) -> Result<Option<Record>, SpoolError> {
        self.next_before(u64::MAX)
    }

    /// The next record if it ends within the first `bytes` of the file: [`super::SpoolWriter::safe_bytes`].
    ///
    /// What is not safe yet may still be taken back by a write that fails.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn next_before(&mut self, bytes: u64) -> Result<Option<Record>, SpoolError> {
        if self.offset >= bytes || !self.know()? {
            return Ok(None);
        }
        let Found::Record(header, data) = self.record_at(self.offset)? else { return self.end() };
        if self.offset + header.record_bytes() > bytes {
            return Ok(None);
        }
        let Header { kind, sequence, start, samples, .. } = header;
        let Some(after) = start.checked_add(samples).filter(|_| sequence == self.sequence && start == self.samples) else {
            return Err(self.damaged());
        };
        self.offset += header.record_bytes();
        (self.sequence, self.samples) = (sequence + 1, after);
        Ok(Some(Record { kind, sequence, start, samples, data }))
    }

    /// Goes to the record that holds this sample, without reading what is before it; the next record is that one. Where
    /// the file has no such record, the next is what will be written behind its end.
    ///
    /// # Errors
    /// [`SpoolError::Damaged`] and when the file cannot be read. A forged header is only found when its record is read.
    pub fn seek_to_sample(&mut self, sample: u64) -> Result<(), SpoolError> {
        (self.offset, self.sequence, self.samples) = (PREAMBLE as u64, 0, 0);
        if !self.know()? {
            return Ok(());
        }
        let length = self.length()?;
        while let Some((header, _)) = self.header_at(self.offset)? {
            let end = self.offset + header.record_bytes();
            let after = header.start.checked_add(header.samples).ok_or_else(|| self.damaged())?;
            if end > length || after > sample {
                return Ok(());
            }
            if header.sequence != self.sequence || header.start != self.samples {
                return Err(self.damaged());
            }
            (self.offset, self.sequence, self.samples) = (end, self.sequence + 1, after);
        }
        self.end().map(|_| ())
    }

    /// Whether the file begins as it must. A file too short for that was left by a machine that stopped while creating it.
    pub(super) fn know(&mut self) -> Result<bool, SpoolError> {
        let mut bytes = [0; PREAMBLE];
        if !self.known && self.read_at(0, &mut bytes)? {
            if !self.sealer.is_preamble(&bytes) {
                return Err(SpoolError::Foreign { path: self.path.clone() });
            }
            self.known = true;
        }
        Ok(self.known)
    }

    /// No record begins here. That is the end, unless a later record knows that there was one.
    fn end(&mut self) -> Result<Option<Record>, SpoolError> {
        if self.was_safe(self.offset)? { Err(self.damaged()) } else { Ok(None) }
    }

    /// Whether an intact record says that the byte at `offset` was safe before it was written.
    fn was_safe(&mut self, offset: u64) -> Result<bool, SpoolError> {
        let (mut from, mut window) = (offset + 1, vec![0; WINDOW]);
        loop {
            let read = self.read_some(from, &mut window)?;
            let bytes = window.get(..read).unwrap_or_default();
            let marks = bytes.windows(MARK.len()).enumerate().filter(|(_, mark)| mark == MARK);
            for at in marks.map(|(index, _)| from + index as u64).collect::<Vec<_>>() {
                if let Found::Record(header, _) = self.record_at(at)?
                    && header.safe > offset
                {
                    return Ok(true);
                }
            }
            if read < WINDOW {
                return Ok(false);
            }
            // A mark may lie across two windows.
            from += (WINDOW - (MARK.len() - 1)) as u64;
        }
    }

    fn record_at(&mut self, offset: u64) -> Result<Found, SpoolError> {
        let Some((header, bytes)) = self.header_at(offset)? else { return Ok(Found::Nothing) };
        // Looked at first, so that a damaged length reserves no memory.
        if offset.saturating_add(header.record_bytes()) > self.length()? {
            return Ok(Found::Nothing);
        }
        let mut sealed = vec![0; header.length as usize];
        if !self.read_at(offset + HEADER as u64, &mut sealed)? {
            return Ok(Found::Nothing);
        }
        let data = self.sealer.data(&bytes, &sealed);
        Ok(data.map_or(Found::Nothing, |data| Found::Record(header, data)))
    }

    fn header_at(&mut self, offset: u64) -> Result<Option<(Header, [u8; HEADER])>, SpoolError> {
        let mut bytes = [0; HEADER];
        let whole = self.read_at(offset, &mut bytes)?;
        Ok(Header::parse(&bytes).filter(|_| whole).map(|header| (header, bytes)))
    }

    fn length(&self) -> Result<u64, SpoolError> {
        self.file.metadata().map(|metadata| metadata.len()).map_err(SpoolError::io("read", &self.path))
    }

    /// Fills `bytes` from this offset; false where the file is too short for it.
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> Result<bool, SpoolError> {
        Ok(self.read_some(offset, bytes)? == bytes.len())
    }

    /// Fills as much of `bytes` as the file has from this offset.
    fn read_some(&mut self, offset: u64, bytes: &mut [u8]) -> Result<usize, SpoolError> {
        let mut read = || -> io::Result<usize> {
            self.file.seek(SeekFrom::Start(offset))?;
            let mut filled = 0;
            while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                match self.file.read(rest) {
                    Ok(0) => break,
                    Ok(more) => filled += more,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(filled)
        };
        read().map_err(SpoolError::io("read", &self.path))
    }

    fn damaged(&self) -> SpoolError {
        SpoolError::Damaged { path: self.path.clone(), sequence: self.sequence }
    }
}
