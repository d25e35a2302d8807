//! Counts and the figures made of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What was found, found wrongly and missed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Right.
    pub right: usize,
    /// Found and wrong.
    pub wrong: usize,
    /// Not found.
    pub missed: usize,
}

impl Tally {
    /// Of what was found, the share that is right; 0 when nothing was found.
    #[must_use]
    pub fn precision(&self) -> f64 {
        share(self.right, self.right + self.wrong)
    }

    /// Of what was to be found, the share that was.
    #[must_use]
    pub fn recall(&self) -> f64 {
        share(self.right, self.right + self.missed)
    }

    /// Harmonic mean of the two.
    #[must_use]
    pub fn f1(&self) -> f64 {
        share(2 * self.right, 2 * self.right + self.wrong + self.missed)
    }
}

/// How many of how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// How many.
    pub count: usize,
    /// Of how many.
    pub of: usize,
}

impl Share {
    /// Counts one.
    pub fn add(&mut self, holds: bool) {
        self.count += usize::from(holds);
        self.of += 1;
    }

    /// Counts what another counted.
    pub fn join(&mut self, other: Self) {
        self.count += other.count;
        self.of += other.of;
    }

    /// Between 0 and 1; 0 of nothing.
    #[must_use]
    pub fn value(&self) -> f64 {
        share(self.count, self.of)
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of findings are far below 2^52")]
fn share(count: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { count as f64 / of as f64 }
}

/// One thing that was not found, or was found and is wrong. Holds codes and names, no words of a patient.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Miss {
    /// The item.
    pub item: String,
    /// The part of the note.
    pub part: String,
    /// `missed` or `wrong`, and what.
    pub what: String,
}

/// What one part of an item came to.
pub struct Outcome {
    /// The counts.
    pub tally: Tally,
    /// What was missed or wrong.
    pub misses: Vec<String>,
}

/// The figures of a set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Consultations.
    pub items: usize,
    /// By part of the note.
    pub parts: BTreeMap<String, Tally>,
    /// Conditions by what is claimed of them.
    pub classes: BTreeMap<String, Tally>,
    /// Categories that were asserted and must not be, of all named.
    pub must_not_code: Share,
    /// Findings whose every span lies inside its segment.
    pub evidence: Share,
    /// Conditions right in code and claim that rest on the words that the gold names.
    pub grounded: Share,
    /// All that was missed or wrong.
    pub misses: BTreeSet<Miss>,
}

impl Figures {
    /// Adds what a part of an item came to.
    pub fn add(&mut self, item: &str, part: &str, outcome: Outcome) {
        let tally = self.parts.entry(part.to_owned()).or_default();
        tally.right += outcome.tally.right;
        tally.wrong += outcome.tally.wrong;
        tally.missed += outcome.tally.missed;
        let miss = |what| Miss { item: item.to_owned(), part: part.to_owned(), what };
        self.misses.extend(outcome.misses.into_iter().map(miss));
    }

    /// What this run misses or gets wrong that the other did not, in the items that both have.
    #[must_use]
    pub fn regressions<'a>(&'a self, before: &Self) -> Vec<&'a Miss> {
        self.misses.iter().filter(|miss| !before.misses.contains(miss)).collect()
    }
}
