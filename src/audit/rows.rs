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
    /// How many rows those are.
    beyond: u64,
    /// The number of the next row.
    next: u64,
    /// The leaves' tile that was read last, and its number.
    leaves: Option<(u64, Vec<Hash>)>,
    faults: Vec<Fault>,
}

impl<'a, F: LogFiles> RowCheck<'a, F> {
    /// A check against the first `size` entries of a log.
    pub fn new(files: &'a F, size: u64) -> Self {
        Self { files, size, beyond: 0, next: 0, leaves: None, faults: Vec::new() }
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// When the log's tile cannot be read.
    pub fn take(&mut self, number: u64, row: &[u8]) -> Result<(), AuditError> {
        self.missing_before(number);
        self.next = number.saturating_add(1);
        self.beyond += u64::from(number >= self.size);
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

    /// How many rows the log does not have. A server that runs writes them to it within a second; while none does there are none, but after
    /// a kill.
    #[must_use]
    pub fn beyond(&self) -> u64 {
        self.beyond
    }

    /// All that is wrong, once the last row was taken. Rows beyond the log are, unless a server `runs`.
    #[must_use]
    pub fn finish(mut self, runs: bool) -> Vec<Fault> {
        self.missing_before(self.size);
        if self.beyond > 0 && !runs {
            self.faults.push(Fault::RowsBeyond { first: self.size, count: self.beyond });
        }
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
