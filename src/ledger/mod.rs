//! The audit log on the disk.
//!
//! Invariant: a signed head names only files that are on the disk, and no two heads of one size are signed for different entries.
//!
//! An append writes, in this order, each step on the disk before the next:
//!
//! 1. the tiles and bundles that the new entries fill or lengthen, under names that no signed head has yet;
//! 2. the checkpoint, renamed into its place whole.
//!
//! So a kill at any moment leaves the log as it was or as it should be, and perhaps files beyond its head, which the next start
//! removes. No file is ever written in place, and no tail can be torn.

mod error;
mod folder;
mod key;

use std::fs::{self, File, TryLockError};
use std::path::Path;

use crate::audit::{
    self, CHECKPOINT, Checkpoint, Cosigned, Cosigner, Edge, Hash, Layer, LogFiles as _, NoteSigner, Sheet, Submission, TilePath,
    Tree, UnixMillis, WIDTH,
};

pub use error::LedgerError;
pub use folder::LogFolder;
pub use key::signer;

/// A log that this process alone writes.
#[derive(Debug)]
pub struct Ledger {
    folder: LogFolder,
    signer: NoteSigner,
    edge: Edge,
    head: Checkpoint,
    /// Writing the newest head failed half-way, so that it may be on the disk or not.
    uncertain: bool,
    /// Dropping it releases the lock.
    _lock: File,
}

impl Ledger {
    /// Opens the log in a folder, or begins one. What an append left behind that was cut short is removed.
    ///
    /// # Errors
    /// When another process writes it; when its head is missing, not signed by this signer, or not where its last tiles lead.
    /// What lies deeper is not looked at: [`crate::audit::verify()`] does that.
    pub fn open(path: &Path, signer: NoteSigner) -> Result<Self, LedgerError> {
        fs::create_dir_all(path).map_err(LedgerError::io("create", path))?;
        let lock = lock(path)?;
        let folder = LogFolder::new(path);
        let Some(note) = folder.read(CHECKPOINT)? else {
            if !folder.paths()?.is_empty() {
                return Err(LedgerError::NoHead { folder: path.to_owned() });
            }
            let edge = Edge::default();
            let (head, note) = Checkpoint::sign(&edge, &signer);
            folder.put(CHECKPOINT, note.as_bytes())?;
            folder.sync([])?;
            return Ok(Self { folder, signer, edge, head, uncertain: false, _lock: lock });
        };
        let damaged = || LedgerError::Damaged { folder: path.to_owned() };
        let note = String::from_utf8(note).map_err(|_| damaged())?;
        let head = Checkpoint::open(&note, &signer.verifier())?;
        let edge = Edge::restore(head.size, |path| folder.tile(path).map_err(LedgerError::from))?;
        if edge.root() != head.root {
            return Err(damaged());
        }
        folder.sweep(head.size)?;
        Ok(Self { folder, signer, edge, head, uncertain: false, _lock: lock })
    }

    /// How many entries it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.head.size
    }

    /// Its head. Keep it elsewhere too: a log that was rolled back is known by it.
    #[must_use]
    pub fn head(&self) -> &Checkpoint {
        &self.head
    }

    /// Appends entries and signs the new head. When this returns, both are on the disk.
    ///
    /// # Errors
    /// When an entry is too large or something cannot be written. Then the log is as it was, save after
    /// [`LedgerError::Uncertain`], when opening it again tells.
    pub fn append<T: AsRef<[u8]>>(&mut self, entries: impl IntoIterator<Item = T>) -> Result<&Checkpoint, LedgerError> {
        if self.uncertain {
            return Err(LedgerError::Uncertain { folder: self.folder.path().to_owned() });
        }
        let (mut edge, mut sheets) = (self.edge.clone(), Vec::new());
        for entry in entries {
            edge.push(entry.as_ref(), &mut sheets)?;
        }
        if edge.size() == self.edge.size() {
            return Ok(&self.head);
        }
        let full: Vec<TilePath> = sheets.iter().map(|sheet| sheet.path).collect();
        sheets.extend(edge.partial(self.edge.size()));
        self.write(&sheets)?;
        let (head, note) = Checkpoint::sign(&edge, &self.signer);
        if self.folder.put(CHECKPOINT, note.as_bytes()).and_then(|()| self.folder.sync([])).is_err() {
            self.uncertain = true;
            return Err(LedgerError::Uncertain { folder: self.folder.path().to_owned() });
        }
        (self.edge, self.head) = (edge, head);
        full.into_iter().for_each(|path| self.folder.prune(path));
        Ok(&self.head)
    }

    /// Brings the log to what a database has: `entries` are its rows from number `first` on. Rows that the log has already are
    /// compared with it, the others appended.
    ///
    /// # Errors
    /// [`LedgerError::Gap`] when rows are missing between the log's end and `first`; [`LedgerError::Differs`] when a row is not what
    /// the log has; and those of [`Self::append`].
    pub fn catch_up<T: AsRef<[u8]>>(
        &mut self,
        first: u64,
        entries: impl IntoIterator<Item = T>,
    ) -> Result<&Checkpoint, LedgerError> {
        let size = self.size();
        if first > size {
            return Err(LedgerError::Gap { size, first });
        }
        let mut rows = (first..).zip(entries).peekable();
        let mut known: Option<(u64, Vec<Hash>)> = None;
        while let Some((entry, row)) = rows.next_if(|(entry, _)| *entry < size) {
            let tile = entry / WIDTH as u64;
            let leaves = match known.take() {
                Some((number, leaves)) if number == tile => leaves,
                _ => self.leaves(tile)?,
            };
            if leaves.get((entry % WIDTH as u64) as usize) != Some(&Hash::leaf(row.as_ref())) {
                return Err(LedgerError::Differs { entry });
            }
            known = Some((tile, leaves));
        }
        self.append(rows.map(|(_, row)| row))
    }

    /// The hashes that lead from an entry to the root of the head; [`audit::verify_inclusion`] checks them.
    ///
    /// # Errors
    /// When there is no such entry, or a tile is missing or damaged.
    pub fn inclusion(&self, entry: u64) -> Result<Vec<Hash>, LedgerError> {
        self.tree().inclusion(entry)
    }

    /// The hashes that show an older head to be of the same log; [`audit::verify_consistency`] checks them.
    ///
    /// # Errors
    /// When the log never was as long, or a tile is missing or damaged.
    pub fn consistency(&self, old_size: u64) -> Result<Vec<Hash>, LedgerError> {
        self.tree().consistency(old_size)
    }

    /// Whether this is a head that the log once had.
    ///
    /// # Errors
    /// When a tile is missing or damaged.
    pub fn had(&self, head: &Checkpoint) -> Result<bool, LedgerError> {
        Ok(head.size <= self.size() && self.tree().root_of_first(head.size)? == head.root)
    }

    /// What a witness is asked with that saw the log when it had `old` entries.
    ///
    /// # Errors
    /// As [`Self::consistency`]; when the head's file cannot be read.
    pub fn submission(&self, old: u64) -> Result<Submission, LedgerError> {
        let (log, head, proof) = (self.signer.verifier(), self.head.clone(), self.consistency(old)?);
        let note = self.note(CHECKPOINT)?.ok_or_else(|| LedgerError::NoHead { folder: self.folder.path().to_owned() })?;
        Ok(Submission { log, head, note, old, proof })
    }

    /// The newest checkpoint that this witness cosigned, as it was kept; nothing where there is none.
    ///
    /// # Errors
    /// When its file cannot be read, or is not what it should be.
    pub fn cosigned(&self, witness: &Cosigner, now: UnixMillis) -> Result<Option<Cosigned>, LedgerError> {
        match self.note(&witness.path())? {
            Some(note) => Ok(witness.open(&note, &self.signer.verifier(), now)?),
            None => Ok(None),
        }
    }

    /// Keeps it, in the place of an older one. It has a file of its own: the head's is replaced before a witness can answer.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_cosigned(&self, witness: &Cosigner, cosigned: &Cosigned) -> Result<(), LedgerError> {
        let name = witness.path();
        self.folder.put(&name, cosigned.note.as_bytes())?;
        self.folder.sync([name.as_str()])
    }

    /// A signed note in the log's folder.
    fn note(&self, name: &str) -> Result<Option<String>, LedgerError> {
        let bytes = self.folder.read(name)?;
        let note = bytes.map(String::from_utf8).transpose();
        note.map_err(|_| LedgerError::from(audit::AuditError::BadNote))
    }

    fn tree(&self) -> Tree<impl Fn(TilePath) -> Result<Vec<u8>, LedgerError>> {
        Tree::new(self.size(), |path| Ok(self.folder.tile(path)?))
    }

    /// The hashes of the entries of one leaves' tile.
    fn leaves(&self, index: u64) -> Result<Vec<Hash>, LedgerError> {
        let path = TilePath::widest(Layer::Level(0), index, self.size());
        let path = path.ok_or(audit::AuditError::Beyond { size: self.size(), wanted: index * WIDTH as u64 })?;
        Ok(path.hashes(&self.folder.tile(path)?)?)
    }

    fn write(&self, sheets: &[Sheet]) -> Result<(), LedgerError> {
        let names: Vec<String> = sheets.iter().map(|sheet| sheet.path.to_string()).collect();
        for (name, sheet) in names.iter().zip(sheets) {
            self.folder.put(name, &sheet.bytes)?;
        }
        self.folder.sync(names.iter().map(String::as_str))
    }
}

fn lock(path: &Path) -> Result<File, LedgerError> {
    let name = path.join(".lock");
    let file = File::options().create(true).truncate(false).write(true).open(&name).map_err(LedgerError::io("create", &name))?;
    match crate::spool::lock(&file) {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LedgerError::InUse { folder: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(LedgerError::io("lock", &name)(error)),
    }
}

#[cfg(test)]
mod tests;
