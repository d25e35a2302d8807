//! The right edge of a log: all that is needed to append to it.

use super::AuditError;
use super::hash::{self, Hash};
use super::tile::{self, Layer, TilePath, WIDTH};

/// A file to be written, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Where.
    pub path: TilePath,
    /// What.
    pub bytes: Vec<u8>,
}

/// The tiles and the bundle of a log that are not full yet. It grows by [`Edge::push`] and knows the root at any time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edge {
    size: u64,
    /// For each level, from the leaves up, the hashes of the tile that is not full: 0 to 255.
    levels: Vec<Vec<Hash>>,
    /// The bundle that is not full, as its file holds it.
    bundle: Vec<u8>,
}

impl Edge {
    /// The edge of a log of so many entries; `read` gives its files.
    ///
    /// # Errors
    /// When a file is not there or does not hold what its path says, and those of `read`.
    pub fn restore<E: From<AuditError>>(size: u64, mut read: impl FnMut(TilePath) -> Result<Vec<u8>, E>) -> Result<Self, E> {
        let mut edge = Self { size, ..Self::default() };
        for level in tile::levels(size) {
            let hashes = match last(Layer::Level(level), size) {
                Some(path) => path.hashes(&read(path)?)?,
                None => Vec::new(),
            };
            edge.levels.push(hashes);
        }
        if let Some(path) = last(Layer::Entries, size) {
            edge.bundle = read(path)?;
            let leaves = tile::hashes_of(path, &edge.bundle);
            if leaves.is_none() || leaves.as_ref() != edge.levels.first() {
                return Err(AuditError::Malformed { path: path.to_string() }.into());
            }
        }
        Ok(edge)
    }

    /// How many entries the log has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        hash::root(&self.levels)
    }

    /// Appends an entry; the files that it filled go to `full`.
    ///
    /// # Errors
    /// When the entry has more than 65535 bytes. Then nothing was appended.
    pub fn push(&mut self, entry: &[u8], full: &mut Vec<Sheet>) -> Result<(), AuditError> {
        tile::put_entry(&mut self.bundle, entry)?;
        let index = self.size / WIDTH as u64;
        self.size += 1;
        if self.size.is_multiple_of(WIDTH as u64) {
            let bytes = std::mem::take(&mut self.bundle);
            full.push(Sheet { path: TilePath { layer: Layer::Entries, index, width: WIDTH }, bytes });
        }
        let (mut carried, mut level) = (Some(Hash::leaf(entry)), 0_u8);
        while let Some(hash) = carried.take() {
            if self.levels.len() <= usize::from(level) {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(usize::from(level)) else { break };
            hashes.push(hash);
            if hashes.len() == WIDTH {
                let layer = Layer::Level(level);
                let path = TilePath { layer, index: layer.length(self.size) / WIDTH as u64 - 1, width: WIDTH };
                full.push(Sheet { path, bytes: bytes_of(hashes) });
                carried = Some(hash::perfect(hashes));
                hashes.clear();
                level += 1;
            }
        }
        Ok(())
    }

    /// The files that are not full, save those that a log of `written` entries had already.
    #[must_use]
    pub fn partial(&self, written: u64) -> Vec<Sheet> {
        let fresh = |layer: Layer| last(layer, self.size).filter(|path| last(layer, written).as_ref() != Some(path));
        let bundle = fresh(Layer::Entries).map(|path| Sheet { path, bytes: self.bundle.clone() });
        let tiles = tile::levels(self.size).zip(&self.levels).filter_map(|(level, hashes)| {
            let path = fresh(Layer::Level(level))?;
            Some(Sheet { path, bytes: bytes_of(hashes) })
        });
        bundle.into_iter().chain(tiles).collect()
    }
}

/// The last file of a layer, where that is not full.
fn last(layer: Layer, size: u64) -> Option<TilePath> {
    TilePath::widest(layer, layer.length(size) / WIDTH as u64, size)
}

fn bytes_of(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.bytes()).copied().collect()
}
