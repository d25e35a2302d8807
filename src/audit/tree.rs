//! Proofs of RFC 6962, sections 2.1.1 and 2.1.2: that an entry is in a log, and that a log only grew.
//!
//! They are made from tiles here, and checked without any by [`verify_inclusion`] and [`verify_consistency`], which follow
//! RFC 9162, sections 2.1.3.2 and 2.1.4.2, and share nothing with the making.

use super::AuditError;
use super::hash::{self, Hash};
use super::tile::{Layer, TilePath, WIDTH};

/// A log of so many entries, seen through its tiles.
pub struct Tree<R> {
    size: u64,
    read: R,
}

impl<E, R> Tree<R>
where
    E: From<AuditError>,
    R: Fn(TilePath) -> Result<Vec<u8>, E>,
{
    /// A log of so many entries; `read` gives its files.
    pub fn new(size: u64, read: R) -> Self {
        Self { size, read }
    }

    /// The root over the first so many entries.
    ///
    /// # Errors
    /// When there are not so many; when a tile is missing or has not the size its path says.
    pub fn root_of_first(&self, size: u64) -> Result<Hash, E> {
        self.must_have(size)?;
        if size == 0 { Ok(Hash::empty()) } else { self.range(0, size) }
    }

    /// The hashes that lead from entry `index` (counted from 0) to the root.
    ///
    /// # Errors
    /// As [`Self::root_of_first`].
    pub fn inclusion(&self, index: u64) -> Result<Vec<Hash>, E> {
        self.must_have(index.saturating_add(1))?;
        let (mut from, mut to, mut proof) = (0, self.size, Vec::new());
        while to - from > 1 {
            let middle = from + split(to - from);
            if index < middle {
                proof.push(self.range(middle, to)?);
                to = middle;
            } else {
                proof.push(self.range(from, middle)?);
                from = middle;
            }
        }
        proof.reverse();
        Ok(proof)
    }

    /// The hashes that show the log of the first `old` entries to be the beginning of this one.
    ///
    /// # Errors
    /// As [`Self::root_of_first`].
    pub fn consistency(&self, old: u64) -> Result<Vec<Hash>, E> {
        self.must_have(old)?;
        let (mut from, mut to, mut proof) = (0, self.size, Vec::new());
        if old == 0 || old == self.size {
            return Ok(proof);
        }
        while to != old {
            let middle = from + split(to - from);
            if old <= middle {
                proof.push(self.range(middle, to)?);
                to = middle;
            } else {
                proof.push(self.range(from, middle)?);
                from = middle;
            }
        }
        // Where the old log is a perfect tree, whoever checks has its root already.
        if from > 0 {
            proof.push(self.range(from, to)?);
        }
        proof.reverse();
        Ok(proof)
    }

    fn must_have(&self, wanted: u64) -> Result<(), E> {
        if wanted <= self.size { Ok(()) } else { Err(AuditError::Beyond { size: self.size, wanted }.into()) }
    }

    /// The root over entries `from..to`, which are a tree's left or right part: `from` is a multiple of the largest power of
    /// two below their number.
    fn range(&self, from: u64, to: u64) -> Result<Hash, E> {
        let length = to - from;
        if length.is_power_of_two() {
            return self.perfect(length.trailing_zeros(), from >> length.trailing_zeros());
        }
        let middle = from + split(length);
        Ok(Hash::node(self.range(from, middle)?, self.range(middle, to)?))
    }

    /// The root over the `index`th 2^`height` entries.
    fn perfect(&self, height: u32, index: u64) -> Result<Hash, E> {
        let (level, within) = (u8::try_from(height / 8).unwrap_or(u8::MAX), height % 8);
        let first = index << within;
        let path = TilePath::widest(Layer::Level(level), first / WIDTH as u64, self.size);
        let path = path.ok_or(AuditError::Beyond { size: self.size, wanted: first })?;
        let hashes = path.hashes(&(self.read)(path)?)?;
        let from = (first % WIDTH as u64) as usize;
        let hashes = hashes.get(from..from + (1 << within)).ok_or(AuditError::Beyond { size: self.size, wanted: first })?;
        Ok(hash::perfect(hashes))
    }
}

/// The largest power of two below `length`, which is at least 2.
fn split(length: u64) -> u64 {
    1 << (63 - (length - 1).leading_zeros())
}

/// Whether this proof leads from an entry's hash to the root of a log of `size` entries (RFC 9162, section 2.1.3.2).
///
/// # Errors
/// [`AuditError::NotProven`] where it does not.
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: Hash) -> Result<(), AuditError> {
    if index >= size {
        return Err(AuditError::NotProven);
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return Err(AuditError::NotProven);
        }
        if node & 1 == 1 || node == last {
            hash = Hash::node(*sibling, hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = Hash::node(hash, *sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last == 0 && hash == root { Ok(()) } else { Err(AuditError::NotProven) }
}

/// Whether this proof shows a log of `old_size` entries to be the beginning of one of `size` (RFC 9162, section 2.1.4.2).
///
/// # Errors
/// [`AuditError::NotProven`] where it does not.
pub fn verify_consistency(old_size: u64, old_root: Hash, size: u64, root: Hash, proof: &[Hash]) -> Result<(), AuditError> {
    let proven = match old_size {
        0 => proof.is_empty() && old_root == Hash::empty() && (size > 0 || root == Hash::empty()),
        _ if old_size > size => false,
        _ if old_size == size => proof.is_empty() && old_root == root,
        _ => grew(old_size, old_root, size, root, proof),
    };
    if proven { Ok(()) } else { Err(AuditError::NotProven) }
}

fn grew(old_size: u64, old_root: Hash, size: u64, root: Hash, proof: &[Hash]) -> bool {
    let own = [old_root];
    let mut hashes = own.iter().filter(|_| old_size.is_power_of_two()).chain(proof);
    let Some(first) = hashes.next() else { return false };
    let trailing = (old_size - 1).trailing_ones();
    let (mut node, mut last) = ((old_size - 1) >> trailing, (size - 1) >> trailing);
    let (mut old, mut new) = (*first, *first);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            (old, new) = (Hash::node(*hash, old), Hash::node(*hash, new));
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            new = Hash::node(new, *hash);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && old == old_root && new == root
}
