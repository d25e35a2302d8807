//! The layout of the file.
//!
//! ```text
//! preamble   "CSSPOOL1", nonce 24, tag 16
//! record     "CSR1", kind 1, sequence 8, start 8, samples 8, safe 8, length 4, nonce 24, ciphertext and tag (length bytes)
//! data       frames, each: length 4, bytes
//! ```
//!
//! Numbers are little-endian. A record's nonce is random, so that a record written in the place of a torn one never repeats it.
//! The recording's id and the whole header are bound to the ciphertext.

use super::SpoolError;
use super::key::{self, Key, NONCE, TAG};

/// The most bytes that the data of one record may have.
pub const MOST_BYTES: usize = 16 << 20;

/// What each record begins with, so that the next one is found after a damaged one.
pub(super) const MARK: &[u8; 4] = b"CSR1";
/// Bytes before the first record.
pub(super) const PREAMBLE: usize = MAGIC.len() + NONCE + TAG;
/// Bytes of a record before its ciphertext.
pub(super) const HEADER: usize = BOUND + NONCE;

const MAGIC: &[u8; 8] = b"CSSPOOL1";
/// Bytes of a header that are bound to the data; its nonce follows.
const BOUND: usize = 41;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// Sound.
    Audio,
    /// The room was paused: a take ends here.
    Break,
    /// The recording is over.
    Finish,
}

impl RecordKind {
    fn byte(self) -> u8 {
        match self {
            Self::Audio => 1,
            Self::Break => 2,
            Self::Finish => 3,
        }
    }

    fn of_byte(byte: u8) -> Option<Self> {
        [Self::Audio, Self::Break, Self::Finish].into_iter().find(|kind| kind.byte() == byte)
    }
}

/// One record, as it was appended.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// What it is.
    pub kind: RecordKind,
    /// Its number, counted from 0.
    pub sequence: u64,
    /// Samples a channel before it, at the stream's own rate.
    pub start: u64,
    /// Samples a channel in it.
    pub samples: u64,
    /// Its frames, each after its length.
    pub(super) data: Vec<u8>,
}

impl Record {
    /// The frames as they were appended.
    #[must_use]
    pub fn frames(&self) -> Frames<'_> {
        Frames(&self.data)
    }
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, sequence, start, samples, data } = self;
        write!(f, "Record({kind:?} {sequence}, {samples} samples from {start}, {} bytes)", data.len())
    }
}

/// The frames of a record, in order.
#[derive(Clone)]
pub struct Frames<'a>(&'a [u8]);

impl<'a> Iterator for Frames<'a> {
    type Item = &'a [u8];
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let (frame, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        self.0 = rest;
        Some(frame)
    }
}

/// The frames as a record holds them.
pub(super) fn joined(frames: &[&[u8]]) -> Result<Vec<u8>, SpoolError> {
    let bytes = frames.iter().map(|frame| frame.len() + 4).sum();
    if bytes > MOST_BYTES {
        return Err(SpoolError::TooLarge { bytes });
    }
    let mut data = Vec::with_capacity(bytes);
    for frame in frames {
        let length = u32::try_from(frame.len()).map_err(|_| SpoolError::TooLarge { bytes })?;
        data.extend_from_slice(&length.to_le_bytes());
        data.extend_from_slice(frame);
    }
    Ok(data)
}

/// A record's header without its nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: RecordKind,
    pub(super) sequence: u64,
    pub(super) start: u64,
    pub(super) samples: u64,
    /// Bytes of the file that were synced when this was written.
    pub(super) safe: u64,
    /// Bytes of the ciphertext and its tag.
    pub(super) length: u32,
}

impl Header {
    /// Bytes of the whole record.
    pub(super) fn record_bytes(&self) -> u64 {
        HEADER as u64 + u64::from(self.length)
    }

    /// A header, if these bytes can be one.
    pub(super) fn parse(bytes: &[u8; HEADER]) -> Option<Self> {
        let mut fields = Fields(bytes);
        if fields.take::<4>()? != MARK {
            return None;
        }
        let header = Self {
            kind: RecordKind::of_byte(u8::from_le_bytes(*fields.take()?))?,
            sequence: u64::from_le_bytes(*fields.take()?),
            start: u64::from_le_bytes(*fields.take()?),
            samples: u64::from_le_bytes(*fields.take()?),
            safe: u64::from_le_bytes(*fields.take()?),
            length: u32::from_le_bytes(*fields.take()?),
        };
        let length = usize::try_from(header.length).ok()?;
        (TAG..=MOST_BYTES + TAG).contains(&length).then_some(header)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend_from_slice(MARK);
        bytes.push(self.kind.byte());
        for number in [self.sequence, self.start, self.samples, self.safe] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.length.to_le_bytes());
        bytes
    }
}

struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(field)
    }
}

/// Seals and unseals the parts of one recording's file.
pub(super) struct Sealer {
    key: Key,
    id: String,
}

impl Sealer {
    pub(super) fn new(key: &Key, id: &str) -> Self {
        Self { key: key.clone(), id: id.to_owned() }
    }

    /// What a file of this recording begins with.
    pub(super) fn preamble(&self) -> Result<Vec<u8>, SpoolError> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.key.seal(&self.context(MAGIC), &[])?);
        Ok(bytes)
    }

    /// Whether these first bytes are those of a file of this recording.
    pub(super) fn is_preamble(&self, bytes: &[u8; PREAMBLE]) -> bool {
        let sealed = bytes.strip_prefix(MAGIC);
        sealed.is_some_and(|sealed| self.key.unseal(&self.context(MAGIC), sealed).is_some())
    }

    /// The bytes of a whole record; `length` of the header is set here.
    pub(super) fn record(&self, header: Header, data: &[u8]) -> Result<Vec<u8>, SpoolError> {
        let bytes = data.len();
        let length = u32::try_from(bytes + TAG).map_err(|_| SpoolError::TooLarge { bytes })?;
        let mut record = Header { length, ..header }.bytes();
        let nonce = key::nonce()?;
        let sealed = self.key.seal_with(&nonce, &self.context(&record), data)?;
        record.extend_from_slice(&nonce);
        record.extend(sealed);
        Ok(record)
    }

    /// The data of a record. Nothing when a bit of it, or of its header, is not as it was written.
    pub(super) fn data(&self, header: &[u8; HEADER], sealed: &[u8]) -> Option<Vec<u8>> {
        let (bound, nonce) = header.split_first_chunk::<BOUND>()?;
        self.key.unseal_with(nonce.first_chunk()?, &self.context(bound), sealed)
    }

    /// What a part is bound to. Neither of the two kinds of part can be taken for the other: their first bytes differ.
    fn context(&self, bound: &[u8]) -> Vec<u8> {
        let mut context = bound.to_vec();
        context.extend_from_slice(self.id.as_bytes());
        context
    }
}
