//! Scoring notes against what a careful coder would have written: the figures of the shared set's scorer, and what was missed.
//!
//! Pure: the caller reads the set and runs the extraction. A figure counts true and false findings over all items; a miss names
//! its item, so that two runs can be compared line by line.

mod figures;
mod matching;
mod set;
mod unknown;

use std::collections::HashMap;

pub use figures::{Figures, Miss, Share, Tally};
pub use set::{GoldCondition, Item};
pub use unknown::{Listed, listed_when_unknown};

use super::speakers::guess;
use super::{Note, Provenance, Side};
use matching::Judge;
use set::Turn;

/// The parts of a note that get a figure, in the order printed.
pub const PARTS: [&str; 7] = ["conditions", "codes", "icpc2", "medications", "allergies", "observations", "plan"];

/// Adds what a note got right and wrong of an item.
pub fn score(item: &Item, note: &Note, figures: &mut Figures) {
    figures.items += 1;
    let judge = Judge::new(item, note);
    for (part, outcome) in PARTS.iter().zip(judge.parts()) {
        figures.add(&item.id, part, outcome);
    }
    judge.classes(figures);
    judge.must_not_code(figures);
    judge.grounded(figures);
    let texts: Vec<usize> = item.turns.iter().map(|turn| turn.text.reveal().chars().count()).collect();
    for provenance in note.provenances() {
        figures.evidence.add(well_founded(provenance, &texts));
    }
}

/// How many guesses of who speaks are right, of those that are made where an item's speakers are hidden; and of how many turns.
#[must_use]
pub fn speakers(item: &Item) -> (Share, usize) {
    let mut hidden = item.transcript();
    hidden.segments.iter_mut().for_each(|segment| segment.speaker = None);
    let side = |turn: &Turn| turn.speaker.as_deref().and_then(Side::of);
    let sides: HashMap<u64, Side> = (0..).zip(&item.turns).filter_map(|(id, turn)| Some((id, side(turn)?))).collect();
    let mut right = Share::default();
    for guess in hidden.segments.iter().filter_map(guess) {
        if let Some(side) = sides.get(&guess.segment) {
            right.add(*side == guess.side);
        }
    }
    (right, sides.len())
}

/// Whether every span of a finding lies inside its segment.
fn well_founded(provenance: &Provenance, texts: &[usize]) -> bool {
    let inside = |segment: u64, end: usize| {
        usize::try_from(segment).ok().and_then(|segment| texts.get(segment)).is_some_and(|length| end <= *length)
    };
    let spans = provenance.spans();
    !spans.is_empty() && spans.iter().all(|span| inside(span.segment(), span.end()))
}
