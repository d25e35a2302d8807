//! One segment made ready: folded characters, the forms found in them, numbers with units, and where clauses and sentences end.
//!
//! All offsets count Unicode scalar values of the segment's original text: the fold keeps their number.

use std::ops::Range;

use super::assertion::introduces;
use super::clauses::{Clause, said_before, soft_cuts, split};
use super::quantity::{Quantity, quantities};
use crate::speech::Segment;
use crate::terminology::{Found, Lexicon, Meaning, TermKind, UnitKind};
use crate::text::numerals::{Number, numbers};

/// How far behind whose a drug is another of the family is named, and how far behind that one what they have.
const ANOTHER: usize = 40;
const ILL: usize = 10;

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
    /// Those of the forms that are not spelt so, only sound so or nearly are, in order.
    misspelt: Vec<Found>,
    /// Numbers in order.
    pub numbers: Vec<Number>,
    /// Numbers with a unit, in order.
    pub quantities: Vec<Quantity>,
    clause_of: Vec<usize>,
    clauses: Vec<Clause>,
    /// For each sentence, its characters from the first clause to the last.
    sentences: Vec<Range<usize>>,
    /// For each place, how much was said before it: see [`Self::back`].
    said_before: Vec<usize>,
}

impl Utterance {
    /// Reads a segment.
    #[must_use]
    pub fn new(segment: &Segment, lexicon: &Lexicon) -> Self {
        let original: Vec<char> = segment.text.reveal().chars().collect();
        let folded: String = lexicon.fold().text(segment.text.reveal());
        let chars: Vec<char> = folded.chars().collect();
        let mut found = lexicon.find(&folded);
        let misspelt = misspelt(&chars, &found, lexicon);
        if !misspelt.is_empty() {
            // The flu of "tammy flu" is a piece of the drug's name.
            found.retain(|hit| {
                let around = misspelt.get(misspelt.partition_point(|whole| whole.end <= hit.start));
                !around.is_some_and(|whole| {
                    chars.get(whole.start).is_some_and(char::is_ascii) && whole.start <= hit.start && hit.end <= whole.end
                })
            });
            found.extend(&misspelt);
            found.sort_unstable_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end), hit.meaning));
        }
        let numbers = numbers(&chars);
        let quantities = quantities(&chars, &numbers, &found, lexicon);
        let (clause_of, clauses) = split(&chars, &soft_cuts(&chars, &found, &quantities, lexicon));
        let mut sentences: Vec<Range<usize>> = Vec::new();
        for clause in &clauses {
            match sentences.get_mut(clause.sentence) {
                Some(sentence) => sentence.end = clause.range.end,
                None => sentences.push(clause.range.clone()),
            }
        }
        let speaker = match segment.speaker.as_deref() {
            Some("doctor" | "nurse") => Speaker::Doctor,
            Some("patient") => Speaker::Patient,
            Some("relative" | "companion" | "carer" | "caregiver" | "parent" | "mother" | "father" | "spouse" | "helper") => {
                Speaker::Relative
            }
            // 我是他太太: who is not labelled says who they are.
            _ if presents_oneself(&chars, &found, lexicon) => Speaker::Relative,
            _ => Speaker::Unknown,
        };
        Self {
            id: segment.id,
            speaker,
            original,
            found,
            misspelt,
            numbers,
            quantities,
            clause_of,
            clauses,
            sentences,
            said_before: said_before(&chars),
            chars,
        }
    }

    /// The place this far back, a word of Latin letters counting as two characters: scope is measured in what was said.
    #[must_use]
    pub fn back(&self, from: usize, reach: usize) -> usize {
        let least = self.said_before.get(from).copied().unwrap_or_default().saturating_sub(reach);
        self.said_before.partition_point(|said| *said < least).min(from)
    }

    /// The place this far ahead, measured as [`Self::back`] measures.
    #[must_use]
    pub fn ahead(&self, from: usize, reach: usize) -> usize {
        let most = self.said_before.get(from).copied().unwrap_or_default() + reach;
        self.said_before.partition_point(|said| *said <= most).saturating_sub(1).clamp(from, self.chars.len().max(from))
    }

    /// How much was said between two places, measured as [`Self::back`] measures.
    #[must_use]
    pub fn between(&self, from: usize, to: usize) -> usize {
        let at = |place: usize| self.said_before.get(place).or(self.said_before.last()).copied().unwrap_or_default();
        at(to).saturating_sub(at(from))
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

    /// Whether a form in a range is not spelt so and was found by its sound or a few letters off.
    #[must_use]
    pub fn is_misspelt(&self, range: Range<usize>) -> bool {
        let from = self.misspelt.partition_point(|hit| hit.end <= range.start);
        self.misspelt.get(from).is_some_and(|hit| hit.start < range.end)
    }

    /// The characters of the sentence that holds a character.
    #[must_use]
    pub fn sentence(&self, at: usize) -> Range<usize> {
        let sentence = self.clauses.get(self.clause_index(at)).map(|clause| clause.sentence).unwrap_or_default();
        self.sentences.get(sentence).cloned().unwrap_or(0..self.chars.len())
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

    /// Whether 我, 佢, 你, `my` or `her` stands right before a place.
    #[must_use]
    pub fn owned(&self, at: usize) -> bool {
        let before = self.folded(at.saturating_sub(5)..at);
        let mut word: Vec<char> =
            before.iter().rev().skip_while(|c| **c == ' ').copied().take_while(char::is_ascii_alphabetic).collect();
        word.reverse();
        let word: String = word.into_iter().collect();
        matches!(before.last(), Some('我' | '佢' | '你')) || matches!(word.as_str(), "my" | "his" | "her" | "your" | "our")
    }

    /// 藥係爸爸食㗎。媽有糖尿: whether somebody who came along names another of the family than this one, and what that one has.
    #[must_use]
    pub fn another_is_ill(&self, lexicon: &Lexicon, owner: &Found) -> bool {
        self.terms(lexicon, owner.end..self.ahead(owner.end, ANOTHER), TermKind::Family).any(|other| {
            let ill = |told: &Found| matches!(told.meaning, Meaning::Condition(_));
            self.folded(other.start..other.end) != self.folded(owner.start..owner.end)
                && self.within(other.end..self.ahead(other.end, ILL)).iter().any(ill)
        })
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

/// Whether the words of a segment say of their speaker that they are a relative of the patient.
fn presents_oneself(chars: &[char], found: &[Found], lexicon: &Lexicon) -> bool {
    let relative = |hit: &&Found| match hit.meaning {
        Meaning::Term(term) => lexicon.term_kind(term) == Some(TermKind::Family),
        _ => false,
    };
    found.iter().filter(relative).any(|hit| introduces(chars.get(hit.start.saturating_sub(5)..hit.start).unwrap_or_default()))
}

/// What sounds like a form, where something clinical beside it says what the talk is about.
fn misspelt(chars: &[char], found: &[Found], lexicon: &Lexicon) -> Vec<Found> {
    let clinical = |hit: &Found| match hit.meaning {
        Meaning::Term(term) => matches!(
            lexicon.term_kind(term),
            Some(
                TermKind::Negation
                    | TermKind::Question
                    | TermKind::DrugActive
                    | TermKind::DrugPlanned
                    | TermKind::DrugStopped
                    | TermKind::Frequency
                    | TermKind::Allergy
                    | TermKind::AnyDrug
                    | TermKind::Family
                    | TermKind::Oneself
                    | TermKind::Uncertain
                    | TermKind::OpenQuestion
            )
        ),
        Meaning::Unit(_) => false,
        _ => true,
    };
    let mut beside: Vec<usize> = found.iter().filter(|hit| clinical(hit)).map(|hit| hit.start).collect();
    beside.sort_unstable();
    let near = |hit: &Found| {
        let from = beside.partition_point(|start| start + CONTEXT < hit.start);
        beside
            .get(from..)
            .unwrap_or_default()
            .iter()
            .take_while(|start| **start <= hit.end + CONTEXT)
            .any(|start| !(hit.start..hit.end).contains(start))
    };
    // Of a word of two characters nearly any could be meant: it must touch a number, a denial or a question.
    let touches = |hit: &Found| {
        let cue = |other: &Found| other.end == hit.start || other.end + 1 == hit.start || other.start == hit.end;
        let number = chars
            .get(hit.end)
            .into_iter()
            .chain(chars.get(hit.end + 1))
            .any(|c| "0123456789一二三四五六七八九十两几".contains(*c));
        let chinese = chars.get(hit.start).is_some_and(|c| !c.is_ascii());
        let from = found.partition_point(|other| other.start + CONTEXT < hit.start);
        let mut around = found.get(from..).unwrap_or_default().iter().take_while(|other| other.start <= hit.end);
        !chinese
            || hit.end - hit.start > 2
            || number
            || around.any(|other| matches!(other.meaning, Meaning::Term(_)) && cue(other))
    };
    // Parasetamol 500 mg: what has a dose behind it is a drug.
    let dosed = |hit: &Found| {
        let from = found.partition_point(|other| other.start <= hit.end);
        let digits = chars.get(hit.end..).unwrap_or_default().iter().take(DOSE);
        digits.clone().any(|c| c.is_ascii_digit() || "一二三四五六七八九十百千半两".contains(*c))
            && found.get(from..).unwrap_or_default().iter().take_while(|other| other.start <= hit.end + DOSE).any(|other| {
                matches!(other.meaning, Meaning::Unit(unit) if lexicon.units.get(unit).is_some_and(|unit| unit.kind == UnitKind::Dose))
            })
    };
    let heard = lexicon.find_misspelt(chars, found).into_iter();
    // Three characters and more that sound like a name need nothing beside them.
    let long = |hit: &Found| hit.end - hit.start > 2 && chars.get(hit.start).is_some_and(|c| !c.is_ascii());
    heard.filter(|hit| long(hit) || near(hit) || dosed(hit)).filter(touches).collect()
}

/// How far behind a drug's name a dose's unit may begin.
const DOSE: usize = 8;
/// How many characters away something clinical may stand from a form that is not spelt right.
const CONTEXT: usize = 24;
