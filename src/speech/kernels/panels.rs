//! Where packed weights lie: in memory of their own, or in a file that is mapped.
#![allow(unsafe_code, reason = "maps a file")]

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytemuck::Pod;
use memmap2::Mmap;

use super::block::{Block, LINE};

/// A file's bytes, read as they are used and shared by every process that maps it.
#[derive(Clone)]
pub struct Mapping(Arc<Mmap>);

impl Mapping {
    /// Maps a file as it is. It must only ever be replaced by another one of its name, never be written to.
    ///
    /// # Errors
    /// When it cannot be opened or mapped.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        // SAFETY: the bytes must not change while they are borrowed. Files that are mapped here are written once, under another name,
        // made read-only and then renamed; a new one takes the name and leaves the old one's bytes alone. Someone who overwrites one
        // in place against its permissions gets wrong numbers or a signal; the bytes are only ever read as plain numbers, of which
        // every pattern is valid.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Self(Arc::new(map)))
    }

    /// All of them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Weights in `range`; nothing when that lies beyond the end, or not on a cache line.
    #[must_use]
    pub fn panels(&self, range: Range<usize>) -> Option<Panels> {
        let part = self.0.get(range.clone())?;
        let whole = part.as_ptr().addr().is_multiple_of(LINE) && part.len().is_multiple_of(LINE);
        whole.then(|| Panels(Place::Mapped(self.clone(), range)))
    }
}

/// Packed weights, whole cache lines.
pub struct Panels(Place);

enum Place {
    Owned(Block),
    Mapped(Mapping, Range<usize>),
}

impl Panels {
    /// As values of `T`, as many as fit.
    pub(super) fn values<T: Pod>(&self) -> &[T] {
        match &self.0 {
            Place::Owned(block) => block.values(),
            // It begins on a cache line and is whole ones, so it is aligned for every number.
            Place::Mapped(mapping, range) => mapping.0.get(range.clone()).map(bytemuck::cast_slice).unwrap_or_default(),
        }
    }

    /// Their bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.values()
    }
}

impl From<Block> for Panels {
    fn from(block: Block) -> Self {
        Self(Place::Owned(block))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_file_gives_whole_lines_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers");
        let numbers: Vec<u8> = (0..=255).collect();
        std::fs::write(&path, &numbers).unwrap();
        let mapping = Mapping::open(&path).unwrap();
        assert_eq!(mapping.bytes(), numbers);
        assert_eq!(mapping.panels(64..192).unwrap().bytes(), &numbers[64..192]);
        for range in [1..65, 0..63, 192..320, 256..320] {
            assert!(mapping.panels(range).is_none());
        }
        assert!(Mapping::open(folder.path()).is_err());
    }
}
