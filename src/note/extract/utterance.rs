//! One segment made ready: folded characters, the forms found in them, numbers with units, and where clauses and sentences end.
//!
//! All offsets count Unicode scalar values of the segment's original text: the fold keeps their number.

use std::ops::Range;

use super::quantity::{Quantity, quantities};
use crate::speech::Segment;
use crate::terminology::{Found, Lexicon, Meaning, TermKind};
use crate::text::numerals::{Number, numbers};

/// A stretch without punctuation longer than this is cut, so that no scope runs through a whole unpunctuated talk.
const LONGEST_CLAUSE: usize = 60;

/// Who speaks, as far as rules ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The clinician.
    Doctor,
    /// The patient.
    Patient,
    /// Somebody who came along.
    Relative,
    /// Not known.
    Unknown,
}

/// A segment ready for the rules.
#[derive(Debug)]
pub struct Utterance {
    /// The segment's id, for evidence.
    pub id: u64,
    /// Who speaks.
    pub speaker: Speaker,
    /// The text as it stands.
    pub original: Vec<char>,
    /// Folded characters, as many as the original's.
    pub chars: Vec<char>,
    /// Forms in order.
    pub found: Vec<Found>,
    /// Numbers in order.
    pub numbers: Vec<Number>,
    /// Numbers with a unit, in order.
    pub quantities: Vec<Quantity>,
    clause_of: Vec<usize>,
    clauses: Vec<Clause>,
}

/// A clause: what stands between commas; the sentence it is in.
#[derive(Debug, Clone)]
pub struct Clause {
    /// Its characters without the punctuation.
    pub range: Range<usize>,
    /// Number of its sentence in the segment.
    pub sentence: usize,
    /// Whether its sentence ends with a question mark.
    pub asked: bool,
}

impl Utterance {
    /// Reads a segment.
    #[must_use]
    pub fn new(segment: &Segment, lexicon: &Lexicon) -> Self {
        let original: Vec<char> = segment.text.reveal().chars().collect();
        let folded: String = lexicon.fold().text(segment.text.reveal());
        let chars: Vec<char> = folded.chars().collect();
        let found = lexicon.find(&folded);
        let numbers = numbers(&chars);
        let quantities = quantities(&chars, &numbers, &found, lexicon);
        let (clause_of, clauses) = split(&chars);
        let speaker = match segment.speaker.as_deref() {
            Some("doctor") => Speaker::Doctor,
            Some("patient") => Speaker::Patient,
            Some("relative") => Speaker::Relative,
            _ => Speaker::Unknown,
        };
        Self { id: segment.id, speaker, original, chars, found, numbers, quantities, clause_of, clauses }
    }

    /// All clauses in order.
    #[must_use]
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// Number of the clause that holds a character.
    #[must_use]
    pub fn clause_index(&self, at: usize) -> usize {
        self.clause_of.get(at).copied().unwrap_or_else(|| self.clauses.len().saturating_sub(1))
    }

    /// The clause that holds a character.
    #[must_use]
    pub fn clause(&self, at: usize) -> Clause {
        self.clauses.get(self.clause_index(at)).cloned().unwrap_or(Clause {
            range: 0..self.chars.len(),
            sentence: 0,
            asked: false,
        })
    }

    /// The characters of the sentence that holds a character.
    #[must_use]
    pub fn sentence(&self, at: usize) -> Range<usize> {
        let index = self.clause_index(at);
        let sentence = self.clauses.get(index).map(|clause| clause.sentence);
        let before = self.clauses.iter().take(index).rev().take_while(|clause| Some(clause.sentence) == sentence).last();
        let after = self.clauses.iter().skip(index).take_while(|clause| Some(clause.sentence) == sentence).last();
        let here = self.clause(at).range;
        before.map_or(here.start, |clause| clause.range.start)..after.map_or(here.end, |clause| clause.range.end)
    }

    /// The forms that start in a range.
    #[must_use]
    pub fn within(&self, range: Range<usize>) -> &[Found] {
        let from = self.found.partition_point(|hit| hit.start < range.start);
        let to = self.found.partition_point(|hit| hit.start < range.end);
        self.found.get(from..to).unwrap_or_default()
    }

    /// The small words of a kind that start in a range.
    pub fn terms<'a>(&'a self, lexicon: &'a Lexicon, range: Range<usize>, kind: TermKind) -> impl Iterator<Item = &'a Found> {
        self.within(range).iter().filter(move |hit| match hit.meaning {
            Meaning::Term(term) => lexicon.term_kind(term) == Some(kind),
            _ => false,
        })
    }

    /// Whether a small word of any of these kinds starts in a range.
    #[must_use]
    pub fn has(&self, lexicon: &Lexicon, range: Range<usize>, kinds: &[TermKind]) -> bool {
        kinds.iter().any(|kind| self.terms(lexicon, range.clone(), *kind).next().is_some())
    }

    /// The quantities that start in a range.
    #[must_use]
    pub fn quantities_in(&self, range: Range<usize>) -> &[Quantity] {
        let from = self.quantities.partition_point(|quantity| quantity.start < range.start);
        let to = self.quantities.partition_point(|quantity| quantity.start < range.end);
        self.quantities.get(from..to).unwrap_or_default()
    }

    /// The numbers that start in a range.
    #[must_use]
    pub fn numbers_in(&self, range: Range<usize>) -> &[Number] {
        let from = self.numbers.partition_point(|number| number.start < range.start);
        let to = self.numbers.partition_point(|number| number.start < range.end);
        self.numbers.get(from..to).unwrap_or_default()
    }

    /// The folded characters of a range.
    #[must_use]
    pub fn folded(&self, range: Range<usize>) -> &[char] {
        self.chars.get(range).unwrap_or_default()
    }

    /// The words of a range as spoken.
    #[must_use]
    pub fn said(&self, range: Range<usize>) -> String {
        self.original.get(range).unwrap_or_default().iter().collect()
    }
}

/// What a character does to the text around it.
fn boundary(chars: &[char], at: usize) -> Option<bool> {
    let ideograph = |c: Option<&char>| c.is_some_and(|c| *c >= '\u{3400}');
    match chars.get(at)? {
        '。' | '?' | '!' | '…' => Some(true),
        // A point ends a sentence unless it stands in a number or a name.
        '.' if !chars.get(at + 1).is_some_and(|c| c.is_ascii_alphanumeric()) => Some(true),
        ',' | ';' | ':' => Some(false),
        // Recognisers put spaces where they heard a pause.
        ' ' if ideograph(at.checked_sub(1).and_then(|before| chars.get(before))) && ideograph(chars.get(at + 1)) => Some(false),
        _ => None,
    }
}

fn split(chars: &[char]) -> (Vec<usize>, Vec<Clause>) {
    let mut clause_of = Vec::with_capacity(chars.len());
    let mut clauses: Vec<Clause> = Vec::new();
    let (mut start, mut sentence, mut first_of_sentence) = (0, 0, 0);
    for at in 0..chars.len() {
        clause_of.push(clauses.len());
        let cut = boundary(chars, at);
        if cut.is_none() && at - start < LONGEST_CLAUSE {
            continue;
        }
        let end = if cut.is_some() { at } else { at + 1 };
        clauses.push(Clause { range: start..end, sentence, asked: false });
        start = at + 1;
        if cut == Some(true) {
            let asked = chars.get(at) == Some(&'?');
            clauses.iter_mut().skip(first_of_sentence).for_each(|clause| clause.asked = asked);
            first_of_sentence = clauses.len();
            sentence += 1;
        }
    }
    clauses.push(Clause { range: start..chars.len(), sentence, asked: false });
    (clause_of, clauses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_and_sentences() {
        let chars: Vec<char> = "冇發燒,咳?血壓128.5 mg".chars().collect();
        let (of, clauses) = split(&chars);
        let ranges: Vec<_> = clauses.iter().map(|clause| clause.range.clone()).collect();
        assert_eq!(ranges, vec![0..3, 4..5, 6..16]);
        assert!(clauses[0].asked && clauses[1].asked && !clauses[2].asked);
        assert_eq!(of.len(), chars.len());
    }

    #[test]
    fn a_talk_without_punctuation_is_cut() {
        let chars = vec!['痛'; 200];
        assert!(split(&chars).1.iter().all(|clause| clause.range.len() <= LONGEST_CLAUSE + 1));
    }
}
