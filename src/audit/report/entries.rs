//! Which entries of the log a line of a report rests on.

use std::fmt;

use serde::{Serialize, Serializer};

/// Numbers of entries, those in a row together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries(Vec<(u64, u64)>);

impl Entries {
    /// Adds an entry, which is not before those that are there.
    pub(super) fn add(&mut self, entry: u64) {
        match self.0.last_mut() {
            Some((_, last)) if entry <= last.saturating_add(1) => *last = entry.max(*last),
            _ => self.0.push((entry, entry)),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// Those of both.
    pub(super) fn merge(&mut self, other: &Self) {
        let mut all: Vec<u64> = [&self.0, &other.0].into_iter().flatten().flat_map(|&(first, last)| first..=last).collect();
        all.sort_unstable();
        self.0.clear();
        for entry in all {
            self.add(entry);
        }
    }
}

impl fmt::Display for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            if first == last {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

impl Serialize for Entries {
    /// Pairs of the first and the last of each row.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_as_such() {
        let mut entries = Entries::default();
        for entry in [3, 5, 6, 6, 7, 10] {
            entries.add(entry);
        }
        assert_eq!((entries.to_string().as_str(), entries.count()), ("3, 5-7, 10", 5));
        let mut other = Entries::default();
        for entry in [4, 9, 20] {
            other.add(entry);
        }
        entries.merge(&other);
        assert_eq!(entries.to_string(), "3-7, 9-10, 20");
    }
}
