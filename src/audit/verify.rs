//! Checking a whole log: nothing but its files and the public key is needed.
//!
//! 1. The hashes of all tiles are computed anew from the entries.
//! 2. From the signed root downwards it is decided, for each tile, which hashes are the signed ones: those of its file, or those
//!    computed from below. A tile is believed when its root is what the tile above has in its place; the tiles at the right edge,
//!    which have no tile above them, when they lead to the signed root together.
//! 3. Every file is held against them: each hash, each entry, and the narrower files that a growing log leaves behind.
//!
//! So one changed file is named, whatever it is. Memory holds the hashes above the leaves' tiles.

use std::collections::BTreeMap;

use super::fault::{Fault, LogFiles, Report};
use super::hash::{self, Hash};
use super::note::NoteVerifier;
use super::tile::{self, CHECKPOINT, Layer, TilePath, WIDTH};
use super::tree::Tree;
use super::{AuditError, Checkpoint, Event};

/// Checks every file of a log against its checkpoint, and that against those `seen` elsewhere.
///
/// # Errors
/// When the log has no checkpoint, it is not signed by this key, or a file cannot be read. All else is in the report.
pub fn verify<'a>(
    files: &impl LogFiles,
    verifier: &NoteVerifier,
    seen: impl IntoIterator<Item = &'a Checkpoint>,
) -> Result<Report, AuditError> {
    let note = files.read(CHECKPOINT)?.ok_or(AuditError::BadNote)?;
    let note = String::from_utf8(note).map_err(|_| AuditError::BadNote)?;
    let checkpoint = Checkpoint::open(&note, verifier)?;
    let mut examination = Examination::new(files, &checkpoint)?;
    examination.run()?;
    let Examination { mut faults, beyond, .. } = examination;
    let whole = faults.is_empty();
    for seen in seen {
        if seen.size > checkpoint.size {
            faults.push(Fault::RolledBack { size: checkpoint.size, seen: seen.size });
        } else if whole {
            // All tiles are as they were signed, so they can be asked.
            let read = |path: TilePath| files.read(&path.to_string())?.ok_or(AuditError::Malformed { path: path.to_string() });
            if Tree::new(checkpoint.size, read).root_of_first(seen.size)? != seen.root {
                faults.push(Fault::Rewritten { seen: seen.size });
            }
        }
    }
    Ok(Report { checkpoint, faults, beyond })
}

/// Hashes of a layer that are known, and those that are not.
type Hashes = Vec<Option<Hash>>;

struct Examination<'a, F> {
    files: &'a F,
    size: u64,
    root: Hash,
    /// The narrower files of a tile or bundle, beside the widest.
    narrower: BTreeMap<(Layer, u64), Vec<TilePath>>,
    /// For each level, from the leaves' tiles up, its hashes as they follow from the entries; of the leaves only those at the edge.
    computed: Vec<Hashes>,
    faults: Vec<Fault>,
    beyond: u64,
}

impl<'a, F: LogFiles> Examination<'a, F> {
    fn new(files: &'a F, checkpoint: &Checkpoint) -> Result<Self, AuditError> {
        let (size, root) = (checkpoint.size, checkpoint.root);
        let mut examination =
            Self { files, size, root, narrower: BTreeMap::new(), computed: Vec::new(), faults: Vec::new(), beyond: 0 };
        for path in files.paths()? {
            match TilePath::parse(&path) {
                Some(tile) if !tile.is_within(size) => examination.beyond += 1,
                Some(tile) if Some(tile) == TilePath::widest(tile.layer, tile.index, size) => {}
                Some(tile) => examination.narrower.entry((tile.layer, tile.index)).or_default().push(tile),
                None => examination.faults.push(Fault::Stray { path }),
            }
        }
        Ok(examination)
    }

    fn run(&mut self) -> Result<(), AuditError> {
        self.compute()?;
        let edges = self.edges()?;
        // The signed hashes of the level above the one that is looked at.
        let mut above: Hashes = Vec::new();
        for level in tile::levels(self.size).rev() {
            let layer = Layer::Level(level);
            let mut signed = Vec::new();
            for path in self.tiles(layer) {
                let expected = above.get(path.index as usize).copied().flatten();
                let believed = if path.is_full() {
                    self.believed(path, expected)?
                } else {
                    edges.get(usize::from(level)).cloned().flatten()
                };
                self.compare(path, believed.as_deref(), expected)?;
                if level > 0 {
                    signed.extend(spread(believed, path.width));
                }
            }
            above = signed;
        }
        Ok(())
    }

    /// The widest files of a layer, in order.
    fn tiles(&self, layer: Layer) -> impl Iterator<Item = TilePath> + use<F> {
        let size = self.size;
        (0..).map_while(move |index| TilePath::widest(layer, index, size))
    }

    /// Fills `computed` from the entries.
    fn compute(&mut self) -> Result<(), AuditError> {
        let (mut leaves, mut roots) = (Vec::new(), Vec::new());
        for path in self.tiles(Layer::Entries) {
            let hashes = self.hashes_in_file(path)?;
            if path.is_full() {
                roots.push(hashes.as_deref().map(hash::perfect));
            } else {
                leaves = spread(hashes, path.width);
            }
        }
        self.computed = vec![leaves];
        while !roots.is_empty() {
            let (tiles, _) = roots.as_chunks::<WIDTH>();
            let next = tiles.iter().map(|tile| whole(tile).as_deref().map(hash::perfect)).collect();
            self.computed.push(std::mem::replace(&mut roots, next));
        }
        Ok(())
    }

    /// The hashes of a tile as they follow from the entries below it.
    fn computed_of(&self, path: TilePath) -> Result<Option<Vec<Hash>>, AuditError> {
        match path.layer {
            Layer::Level(0) => self.hashes_in_file(TilePath { layer: Layer::Entries, ..path }),
            Layer::Level(level) => {
                let hashes = self.computed.get(usize::from(level)).and_then(|level| level.get(path.first() as usize..));
                Ok(hashes.and_then(|hashes| hashes.get(..path.width)).and_then(whole))
            }
            Layer::Entries => Ok(None),
        }
    }

    /// The hashes that a file holds or stands for; nothing where it is missing or malformed.
    fn hashes_in_file(&self, path: TilePath) -> Result<Option<Vec<Hash>>, AuditError> {
        Ok(self.files.read(&path.to_string())?.and_then(|bytes| tile::hashes_of(path, &bytes)))
    }

    /// For each level the signed hashes of its last tile where that is not full: of the tiles' hashes and the computed ones those
    /// that lead to the signed root.
    fn edges(&mut self) -> Result<Vec<Option<Vec<Hash>>>, AuditError> {
        let mut choices = Vec::new();
        for level in tile::levels(self.size) {
            let layer = Layer::Level(level);
            let path = TilePath::widest(layer, layer.length(self.size) / WIDTH as u64, self.size);
            choices.push(match path {
                Some(path) => {
                    let found = [self.hashes_in_file(path)?, self.computed_of(path)?];
                    found.into_iter().flatten().collect()
                }
                None => vec![Vec::new()],
            });
        }
        // At most eight levels with two choices each.
        let ways: usize = choices.iter().map(Vec::len).product();
        for way in 0..ways {
            let mut rest = way;
            let chosen = choices.iter().map(|choices| {
                let choice = choices.get(rest % choices.len().max(1));
                rest /= choices.len().max(1);
                choice.map_or(&[][..], Vec::as_slice)
            });
            let chosen: Vec<&[Hash]> = chosen.collect();
            if hash::root(&chosen) == self.root {
                return Ok(chosen.into_iter().map(|hashes| Some(hashes.to_vec())).collect());
            }
        }
        self.faults.push(Fault::Root);
        Ok(vec![None; choices.len()])
    }

    /// The signed hashes of a full tile whose root must be `expected`: its file's, or the computed ones.
    fn believed(&self, path: TilePath, expected: Option<Hash>) -> Result<Option<Vec<Hash>>, AuditError> {
        let fits = |hashes: &Vec<Hash>| Some(hash::perfect(hashes)) == expected;
        match self.hashes_in_file(path)?.filter(fits) {
            Some(hashes) => Ok(Some(hashes)),
            None => Ok(self.computed_of(path)?.filter(fits)),
        }
    }

    /// Holds the files of a tile, and of the bundle below a leaves' tile, against the signed hashes.
    fn compare(&mut self, path: TilePath, signed: Option<&[Hash]>, expected: Option<Hash>) -> Result<(), AuditError> {
        let bundle = (path.layer == Layer::Level(0)).then_some(TilePath { layer: Layer::Entries, ..path });
        let Some(signed) = signed else { return self.disagreement(path, bundle, expected) };
        for path in [Some(path), bundle].into_iter().flatten() {
            let narrower = self.narrower.remove(&(path.layer, path.index)).unwrap_or_default();
            for path in narrower.into_iter().chain([path]) {
                self.compare_file(path, signed.get(..path.width).unwrap_or(signed))?;
            }
        }
        Ok(())
    }

    fn compare_file(&mut self, path: TilePath, signed: &[Hash]) -> Result<(), AuditError> {
        let name = path.to_string();
        let Some(bytes) = self.files.read(&name)? else {
            self.faults.push(Fault::Missing { path: name });
            return Ok(());
        };
        if let Layer::Entries = path.layer
            && let Some(entries) = tile::entries_of(&bytes)
        {
            self.compare_entries(path, &entries, signed);
            return Ok(());
        }
        match tile::hashes_of(path, &bytes) {
            None => self.faults.push(Fault::Malformed { path: name }),
            Some(found) => {
                let wrong = found.iter().zip(signed).position(|(found, signed)| found != signed);
                self.faults.extend(wrong.map(|hash| Fault::Tile { path: name, hash }));
            }
        }
        Ok(())
    }

    fn compare_entries(&mut self, path: TilePath, entries: &[&[u8]], signed: &[Hash]) {
        let name = path.to_string();
        if entries.len() != signed.len() {
            self.faults.push(Fault::Malformed { path: name.clone() });
        }
        for ((number, entry), expected) in (path.first()..).zip(entries).zip(signed) {
            let found = Hash::leaf(entry);
            if found != *expected {
                let instead = signed.iter().position(|other| *other == found).map(|at| path.first() + at as u64);
                self.faults.push(Fault::Entry { entry: number, path: name.clone(), instead });
                if entries.len() != signed.len() {
                    // All behind a dropped or added entry stand in another's place.
                    return;
                }
            } else if Event::decode(entry).is_err() {
                self.faults.push(Fault::NotAnEvent { entry: number });
            }
        }
    }

    /// Neither a tile's file nor what follows from below it is what was signed: says how far it reaches.
    fn disagreement(&mut self, path: TilePath, bundle: Option<TilePath>, expected: Option<Hash>) -> Result<(), AuditError> {
        let found = self.hashes_in_file(path)?;
        let name = path.to_string();
        match (&found, self.files.read(&name)?) {
            (None, None) => self.faults.push(Fault::Missing { path: name.clone() }),
            (None, Some(_)) => self.faults.push(Fault::Malformed { path: name.clone() }),
            (Some(_), _) => {}
        }
        // Said once, of the highest tile: what is below it cannot be believed either.
        if let (Layer::Level(level), Some(_)) = (path.layer, expected) {
            let first = path.first() << (u32::from(level) * 8);
            let last = first + ((path.width as u64) << (u32::from(level) * 8)) - 1;
            self.faults.push(Fault::Range { path: name, first, last });
        }
        if let (Some(bundle), Some(found)) = (bundle, found) {
            self.compare_file(bundle, &found)?;
        }
        Ok(())
    }
}

/// All hashes, where each is known.
fn whole(hashes: &[Option<Hash>]) -> Option<Vec<Hash>> {
    hashes.iter().copied().collect()
}

/// So many hashes, each known or none.
fn spread(hashes: Option<Vec<Hash>>, width: usize) -> Hashes {
    hashes.map_or_else(|| vec![None; width], |hashes| hashes.into_iter().map(Some).collect())
}
