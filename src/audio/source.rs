//! The bytes of a recording: read at a place, hashed, and shown to the demuxer.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use symphonia::core::io::MediaSource;

use super::AudioError;

/// Anything that can be read and sought like a file.
pub trait ReadSeek: Read + Seek + Send + Sync {}
impl<T: Read + Seek + Send + Sync> ReadSeek for T {}

/// The bytes of one recording, with the name that errors give them.
pub(super) struct Source {
    pub(super) path: PathBuf,
    reader: Box<dyn ReadSeek>,
    /// Length in bytes.
    pub(super) length: u64,
}

impl Source {
    /// Takes a reader, however far it has been read.
    pub(super) fn new(path: &Path, mut reader: Box<dyn ReadSeek>) -> Result<Self, AudioError> {
        let length = reader.seek(SeekFrom::End(0)).map_err(|source| AudioError::Open { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), reader, length })
    }

    /// Fills `buffer` with what is at `offset`; returns how many bytes there were, fewer only at the end of the file.
    pub(super) fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, AudioError> {
        let path = &self.path;
        let failed = |source| AudioError::Read { path: path.clone(), byte: offset, source };
        self.reader.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.reader.read(rest) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(filled)
    }

    /// The `N` bytes at `offset`, or nothing where the file has fewer.
    pub(super) fn bytes_at<const N: usize>(&mut self, offset: u64) -> Result<Option<[u8; N]>, AudioError> {
        let mut bytes = [0; N];
        Ok((self.read_at(offset, &mut bytes)? == N).then_some(bytes))
    }

    /// Lower-case hexadecimal SHA-256 of all bytes.
    pub(super) fn sha256(&mut self) -> Result<String, AudioError> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        let mut offset = 0;
        loop {
            let read = self.read_at(offset, &mut buffer)?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            hasher.update(bytes);
            offset += read as u64;
        }
        Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The bytes as a demuxer shall see them.
    pub(super) fn into_view(mut self, view: View) -> Result<SourceView, AudioError> {
        let View { head, start, end } = view;
        let failed = |source| AudioError::Read { path: self.path, byte: start, source };
        self.reader.seek(SeekFrom::Start(start)).map_err(failed)?;
        Ok(SourceView { reader: self.reader, head, start, end: end.unwrap_or(self.length), position: 0 })
    }
}

/// What a demuxer shall see of a file: a head of our own, then a part of the file.
#[derive(Debug, Default)]
pub(super) struct View {
    /// Bytes that come before the part.
    pub(super) head: Vec<u8>,
    /// Where in the file the part begins.
    pub(super) start: u64,
    /// Where in the file it ends, when not with the file; past the file's end it is zeros.
    pub(super) end: Option<u64>,
}

/// A file seen through a [`View`].
pub(super) struct SourceView {
    reader: Box<dyn ReadSeek>,
    head: Vec<u8>,
    start: u64,
    end: u64,
    /// In the view.
    position: u64,
}

impl SourceView {
    fn length(&self) -> u64 {
        (self.head.len() as u64).saturating_add(self.end.saturating_sub(self.start))
    }
}

impl Read for SourceView {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let in_head = usize::try_from(self.position).ok().and_then(|position| self.head.get(position..));
        let read = match in_head.filter(|head| !head.is_empty()) {
            Some(mut head) => head.read(buffer)?,
            None => {
                let left = usize::try_from(self.length().saturating_sub(self.position)).unwrap_or(usize::MAX);
                let wanted = buffer.len().min(left);
                match buffer.get_mut(..wanted).filter(|buffer| !buffer.is_empty()) {
                    None => 0,
                    Some(buffer) => match self.reader.read(buffer)? {
                        0 => {
                            buffer.fill(0);
                            wanted
                        }
                        read => read,
                    },
                }
            }
        };
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for SourceView {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(delta) => self.position.checked_add_signed(delta),
            SeekFrom::End(delta) => self.length().checked_add_signed(delta),
        };
        let target = target.ok_or(io::ErrorKind::InvalidInput)?;
        let in_file = self.start.saturating_add(target.saturating_sub(self.head.len() as u64));
        self.reader.seek(SeekFrom::Start(in_file))?;
        self.position = target;
        Ok(target)
    }
}

impl MediaSource for SourceView {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn view_has_a_head_cuts_and_pads() {
        let bytes: Vec<u8> = (0..20).collect();
        let source = Source::new(Path::new("x"), Box::new(io::Cursor::new(bytes))).unwrap();
        let mut view = source.into_view(View { head: vec![90, 91, 92], start: 15, end: Some(24) }).unwrap();
        assert_eq!(view.byte_len(), Some(12));
        let mut seen = Vec::new();
        view.read_to_end(&mut seen).unwrap();
        assert_eq!(seen, [90, 91, 92, 15, 16, 17, 18, 19, 0, 0, 0, 0]);
        for start in 0..12 {
            let mut rest = Vec::new();
            assert_eq!(view.seek(SeekFrom::Start(start)).unwrap(), start);
            view.read_to_end(&mut rest).unwrap();
            assert_eq!(rest, seen[start as usize..]);
        }
        assert_eq!(view.seek(SeekFrom::End(-11)).unwrap(), 1);
        assert!(view.seek(SeekFrom::Current(-2)).is_err());
    }

    #[test]
    fn hash_is_sha256_of_the_bytes() {
        let mut source = Source::new(Path::new("x"), Box::new(io::Cursor::new(b"abc".to_vec()))).unwrap();
        assert_eq!(source.sha256().unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
