//! Where the parts of a log lie: <https://c2sp.org/tlog-tiles>.
//!
//! ```text
//! checkpoint                 the signed head
//! tile/L/N[.p/W]             level L, tile N: up to 256 hashes, each of 256^L entries; W of them while it is not full
//! tile/entries/N[.p/W]       the entries themselves, 256 a file, each after its length (2 bytes, big-endian)
//! ```

use std::fmt;

use super::AuditError;
use super::hash::{HASH_BYTES, Hash};

/// Hashes in a full tile, and entries in a full bundle.
pub const WIDTH: usize = 256;
/// The most bytes that an entry may have.
pub const MOST_ENTRY_BYTES: usize = u16::MAX as usize;
/// The name of the signed head in a log's folder.
pub const CHECKPOINT: &str = "checkpoint";

/// Levels of tiles that 64 bits of entries can have.
const LEVELS: u8 = 8;

/// What a file of a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// Entries.
    Entries,
    /// Hashes, each of 256 to the power of this level entries.
    Level(u8),
}

impl Layer {
    /// How many entries or hashes this layer has in a tree of so many entries.
    #[must_use]
    pub fn length(self, size: u64) -> u64 {
        match self {
            Self::Entries => size,
            Self::Level(level) => size.checked_shr(u32::from(level) * 8).unwrap_or(0),
        }
    }
}

/// The levels that a tree of so many entries has, from the leaves up.
pub(super) fn levels(size: u64) -> impl DoubleEndedIterator<Item = u8> {
    let count = (0..LEVELS).take_while(|level| Layer::Level(*level).length(size) > 0).count();
    0..u8::try_from(count).unwrap_or(LEVELS)
}

/// One file of a log other than its checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TilePath {
    /// What it holds.
    pub layer: Layer,
    /// Its number in the layer, counted from 0.
    pub index: u64,
    /// How many entries or hashes it holds: 1 to 256.
    pub width: usize,
}

impl TilePath {
    /// The widest file of this number that a tree of so many entries has.
    #[must_use]
    pub fn widest(layer: Layer, index: u64, size: u64) -> Option<Self> {
        let left = layer.length(size).checked_sub(index.checked_mul(WIDTH as u64)?)?;
        let width = usize::try_from(left.min(WIDTH as u64)).ok()?;
        (width > 0).then_some(Self { layer, index, width })
    }

    /// Whether it will never be written anew.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.width == WIDTH
    }

    /// Whether a tree of so many entries has it.
    #[must_use]
    pub fn is_within(&self, size: u64) -> bool {
        Self::widest(self.layer, self.index, size).is_some_and(|widest| self.width <= widest.width)
    }

    /// The number of its first entry or hash.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.index.saturating_mul(WIDTH as u64)
    }

    /// The hashes that a file of this path stands for: of its entries, or those that it holds.
    ///
    /// # Errors
    /// [`AuditError::Malformed`] where they are not as many as there must be.
    pub fn hashes(&self, bytes: &[u8]) -> Result<Vec<Hash>, AuditError> {
        hashes_of(*self, bytes).ok_or_else(|| AuditError::Malformed { path: self.to_string() })
    }

    /// What a file of this path holds, from the full one of its number; nothing where that is none.
    #[must_use]
    pub fn of_full<'a>(&self, full: &'a [u8]) -> Option<&'a [u8]> {
        let length = match self.layer {
            Layer::Entries => entries_of(full)?.get(..self.width)?.iter().map(|entry| 2 + entry.len()).sum(),
            Layer::Level(_) => self.width * HASH_BYTES,
        };
        full.get(..length)
    }

    /// Reads a path below the log's folder, with `/` between its parts. Nothing where it is no file of a log.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (layer, number) = path.strip_prefix("tile/")?.split_once('/')?;
        let layer = match layer {
            "entries" => Layer::Entries,
            level => Layer::Level((0..LEVELS).find(|known| known.to_string() == level)?),
        };
        let (number, width) = match number.split_once(".p/") {
            Some((number, width)) => (number, (1..WIDTH).find(|known| known.to_string() == width)?),
            None => (number, WIDTH),
        };
        let digits: String = number.split('/').map(|part| part.strip_prefix('x').unwrap_or(part)).collect();
        let parsed = Self { layer, index: digits.parse().ok()?, width };
        // There is one way to write a path.
        (parsed.to_string() == path).then_some(parsed)
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layer {
            Layer::Entries => f.write_str("tile/entries/")?,
            Layer::Level(level) => write!(f, "tile/{level}/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups.iter().skip(1).rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups.first().unwrap_or(&0))?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// Writes an entry behind others of its bundle.
pub(super) fn put_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), AuditError> {
    let length = u16::try_from(entry.len()).map_err(|_| AuditError::EntryTooLarge { bytes: entry.len() })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle; nothing where its lengths do not fill it exactly.
pub(super) fn entries_of(mut bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk()?;
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        bundle = rest;
    }
    Some(entries)
}

/// The hashes that a file stands for: of its entries, or those that it holds. Nothing where they are not as many as it must have.
pub(super) fn hashes_of(path: TilePath, bytes: &[u8]) -> Option<Vec<Hash>> {
    let hashes = match path.layer {
        Layer::Entries => entries_of(bytes)?.into_iter().map(Hash::leaf).collect(),
        Layer::Level(_) => Hash::all_of(bytes)?,
    };
    (hashes.len() == path.width).then_some(hashes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let path = |layer, index, width| TilePath { layer, index, width }.to_string();
        assert_eq!(path(Layer::Level(0), 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(path(Layer::Entries, 0, 3), "tile/entries/000.p/3");
        assert_eq!(path(Layer::Level(1), 1000, 255), "tile/1/x001/000.p/255");
        for wrong in [
            "checkpoint",
            "tile/0/1",
            "tile/8/001",
            "tile/00/001",
            "tile/0/x000/001",
            "tile/0/001.p/256",
            "tile/0/001.p/0",
            "tile/0/001.p/01",
            "tile/0/+01",
            "tile/0/999999999999999999999999",
            "tile/0/x001/x002",
            "tile/0/../001",
        ] {
            assert_eq!(TilePath::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_bundle_with_a_wrong_length_has_no_entries() {
        let mut bundle = Vec::new();
        put_entry(&mut bundle, b"one").unwrap();
        put_entry(&mut bundle, b"").unwrap();
        assert_eq!(entries_of(&bundle).unwrap(), [&b"one"[..], b""]);
        bundle.push(0);
        assert!(entries_of(&bundle).is_none());
        assert!(put_entry(&mut bundle, &vec![0; MOST_ENTRY_BYTES + 1]).is_err());
    }

    proptest! {
        #[test]
        fn a_path_is_read_as_it_was_written(level in 0..LEVELS, entries: bool, index: u64, width in 1..=WIDTH) {
            let path = TilePath { layer: if entries { Layer::Entries } else { Layer::Level(level) }, index, width };
            prop_assert_eq!(TilePath::parse(&path.to_string()), Some(path));
        }
    }
}
