//! Where conditions are named: outright, or in pieces with a few words between them.

use super::utterance::Utterance;
use crate::terminology::{ClassId, Found, Lexicon, Meaning, Pattern};

/// The most characters between two pieces of one complaint.
const GAP: usize = 8;
/// How far back the pieces of a complaint are looked for, in forms found; keeps the search linear on hostile text.
const LOOK_BACK: usize = 24;

/// A condition named in an utterance, offsets in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mention {
    /// First character.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// Where its last piece starts: what is denied is denied before this.
    pub head: usize,
    /// The condition's number in the lexicon.
    pub condition: usize,
}

/// All conditions named, in order; a mention inside a longer one of the same words is left out.
#[must_use]
pub fn mentions(utterance: &Utterance, lexicon: &Lexicon) -> Vec<Mention> {
    let mut all = Vec::new();
    for (index, hit) in utterance.found.iter().enumerate() {
        match hit.meaning {
            Meaning::Condition(condition) => {
                all.push(Mention { start: hit.start, end: hit.end, head: hit.start, condition });
            }
            Meaning::Class(class) => {
                let before = utterance.found.get(index.saturating_sub(LOOK_BACK)..index).unwrap_or_default();
                for pattern in lexicon.patterns_ending(class) {
                    all.extend(complete(pattern, hit, before, utterance, lexicon));
                }
            }
            _ => {}
        }
    }
    all.extend(spread(utterance, lexicon));
    all.sort_by_key(|mention| (mention.start, std::cmp::Reverse(mention.end), mention.condition));
    without_contained(all)
}

/// 血壓冇高: the pieces of a form with degree or denial between them, within one clause.
fn spread<'a>(utterance: &'a Utterance, lexicon: &'a Lexicon) -> impl Iterator<Item = Mention> + 'a {
    lexicon
        .find_spread(&utterance.chars)
        .into_iter()
        .filter(|spread| utterance.clause_index(spread.start) == utterance.clause_index(spread.head))
        .filter(|spread| !cut(utterance, spread.start, spread.head, spread.end))
        .map(|spread| Mention { start: spread.start, end: spread.end, head: spread.head, condition: spread.condition })
}

/// Whether a piece is cut out of a longer form: 尿 of 糖尿 and 血 of 血壓高.
fn cut(utterance: &Utterance, start: usize, head: usize, end: usize) -> bool {
    let whole = |hit: &Found| matches!(hit.meaning, Meaning::Condition(_) | Meaning::Observation(_) | Meaning::Drug(_));
    let first = |hit: &Found| hit.start < start && hit.end > start;
    let last = |hit: &Found| hit.start >= head && hit.start < end && hit.end > end;
    utterance.within(start..end).iter().filter(|hit| whole(hit)).any(|hit| first(hit) || last(hit))
}

/// The mention of a pattern whose last piece is `last`, if its other pieces precede it closely.
fn complete(pattern: &Pattern, last: &Found, before: &[Found], utterance: &Utterance, lexicon: &Lexicon) -> Option<Mention> {
    let clause = utterance.clause_index(last.start);
    let (mut start, mut candidates) = (last.start, before);
    for wanted in pattern.elements.iter().rev().skip(1) {
        let (place, piece) = candidates
            .iter()
            .enumerate()
            .rev()
            .take_while(|(_, hit)| utterance.between(hit.start, start) <= GAP + 8)
            .find(|(_, hit)| hit.end <= start && hit.meaning == Meaning::Class(*wanted))?;
        let near = utterance.between(piece.end, start) <= GAP && utterance.clause_index(piece.start) == clause;
        if !near || another_site(candidates.get(place + 1..).unwrap_or_default(), piece, start, *wanted, lexicon) {
            return None;
        }
        start = piece.start;
        candidates = candidates.get(..place).unwrap_or_default();
    }
    Some(Mention { start, end: last.end, head: last.start, condition: pattern.condition })
}

/// Whether another part of the body stands between: in 頭痛腳腫 the head is not swollen.
fn another_site(between: &[Found], piece: &Found, until: usize, wanted: ClassId, lexicon: &Lexicon) -> bool {
    lexicon.is_site(wanted)
        && between.iter().any(|hit| match hit.meaning {
            Meaning::Class(class) => lexicon.is_site(class) && class != wanted && hit.start >= piece.end && hit.end <= until,
            _ => false,
        })
}

fn without_contained(sorted: Vec<Mention>) -> Vec<Mention> {
    let mut kept: Vec<Mention> = Vec::new();
    for mention in sorted {
        let same = |other: &&Mention| other.condition == mention.condition;
        // 腳腫到痕: the swelling ends before the itch begins, so both were said, though one encloses the other.
        let both = |other: &&Mention| other.head > other.start && mention.end <= other.head;
        let inside = |other: &&Mention| {
            let longer = other.start < mention.start || other.end > mention.end;
            other.end >= mention.end && (same(other) || longer && !both(other))
        };
        // Mentions are short, so only the last few can contain this one.
        if !kept.iter().rev().take(LOOK_BACK).any(|other| inside(&other)) {
            kept.push(mention);
        }
    }
    kept
}
