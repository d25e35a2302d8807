//! The rows of a database against the log that was made of them.

use super::fault::{Fault, LogFiles};
use super::hash::Hash;
use super::tile::{Layer, TilePath, WIDTH};
use super::{AuditError, Event};

/// Holds a database's rows, given in order, against a log's leaves. What it says is worth what the log is: check that first.
pub struct RowCheck<'a, F> {
    files: &'a F,
    /// Entries of the log; rows beyond are not in it yet.
    size: u64,
    /// The number of the next row.
    next: u64,
    /// The leaves' tile that was read last, and its number.
    leaves: Option<(u64, Vec<Hash>)>,
    faults: Vec<Fault>,
}

impl<'a, F: LogFiles> RowCheck<'a, F> {
    /// A check against the first `size` entries of a log.
    pub fn new(files: &'a F, size: u64) -> Self {
        Self { files, size, next: 0, leaves: None, faults: Vec::new() }
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// When the log's tile cannot be read.
    pub fn take(&mut self, number: u64, row: &[u8]) -> Result<(), AuditError> {
        self.missing_before(number);
        self.next = number.saturating_add(1);
        let expected = if number < self.size { self.leaf(number)? } else { None };
        let wrong = match expected {
            Some(leaf) => leaf != Hash::leaf(row),
            None => Event::decode(row).is_err(),
        };
        if wrong {
            self.faults.push(Fault::Row { entry: number });
        }
        Ok(())
    }

    /// All that is wrong, once the last row was taken.
    #[must_use]
    pub fn finish(mut self) -> Vec<Fault> {
        self.missing_before(self.size);
        self.faults
    }

    fn missing_before(&mut self, number: u64) {
        if number > self.next {
            self.faults.push(Fault::MissingRows { first: self.next, last: number - 1 });
        }
    }

    fn leaf(&mut self, number: u64) -> Result<Option<Hash>, AuditError> {
        let tile = number / WIDTH as u64;
        let leaves = match self.leaves.take() {
            Some((known, leaves)) if known == tile => leaves,
            _ => {
                let path = TilePath::widest(Layer::Level(0), tile, self.size);
                let path = path.ok_or(AuditError::Beyond { size: self.size, wanted: number })?;
                let name = path.to_string();
                path.hashes(&self.files.read(&name)?.ok_or(AuditError::Malformed { path: name })?)?
            }
        };
        let leaf = leaves.get((number % WIDTH as u64) as usize).copied();
        self.leaves = Some((tile, leaves));
        Ok(leaf)
    }
}
