//! Allergies of the patient, and that there are none.

mod answer;
mod corrected;
mod excluded;
mod lists;
mod reaction;
mod signed;
mod statements;
mod topic;
mod whose;

use std::ops::Range;

use answer::answer;
use corrected::corrected;
use excluded::{excluded, tested};
use lists::BARE_ANSWER;
use statements::statements;
use topic::Topic;

pub use reaction::comes_with;

use super::utterance::{Speaker, Utterance};
use super::{evidence_of, list};
use crate::note::{Allergy, AllergyStatus, Evidence};
use crate::terminology::{Found, Lexicon, Meaning, TermKind};
use crate::text::PatientText;

/// How far a substance stands from the word for allergy.
const NEAR: usize = 14;

/// The allergen's name in the tables that stands for every food.
const ANY_FOOD: &str = "food";

/// What a form names.
#[derive(Debug, Clone)]
struct Substance {
    name: String,
    /// A drug of the table, not a food and not [`Allergy::ANY_DRUG`].
    drug: bool,
    /// The words said, where they are not spelt so and only sound so.
    heard_as: Option<PatientText>,
}

impl Substance {
    fn any_drug() -> Self {
        Self { name: Allergy::ANY_DRUG.to_owned(), drug: false, heard_as: None }
    }

    fn is_any_drug(&self) -> bool {
        self.name == Allergy::ANY_DRUG
    }

    /// Drugs, or food, and none of them by its name: of these only is said that there is no allergy.
    fn is_general(&self) -> bool {
        self.is_any_drug() || self.is_food()
    }

    fn is_food(&self) -> bool {
        self.name == ANY_FOOD
    }
}

/// What was said of a substance.
#[derive(Debug)]
struct Told {
    substance: Substance,
    status: AllergyStatus,
    evidence: Evidence,
}

impl Told {
    fn by_sound(&self) -> bool {
        self.substance.heard_as.is_some()
    }
}

/// The allergies of a talk.
#[derive(Debug)]
pub struct Allergies {
    /// One for each substance. What only sounds like a name says what was heard.
    pub found: Vec<Allergy>,
    /// What allergies were told of that no table knows, answers to a question about allergies of which nothing was understood, and denials of what only sounds like a name: who reads
    /// that there is none has no reason to look again.
    pub not_understood: Vec<Evidence>,
}

/// A question about allergies that waits for its answer.
struct Asked {
    /// The utterance before the answer.
    index: usize,
    /// What was asked about; nothing where the answer was 有 and its substance is still to come.
    substances: Vec<(Substance, Evidence)>,
}

/// The allergies, one for each substance: later corrects earlier.
#[must_use]
pub fn allergies(utterances: &[Utterance], lexicon: &Lexicon) -> Allergies {
    let mut all: Vec<Told> = Vec::new();
    let mut not_understood = Vec::new();
    let mut asked: Option<Asked> = None;
    let mut topic = Topic::default();
    for (index, utterance) in utterances.iter().enumerate() {
        let waiting = asked.take().filter(|asked| asked.index + 1 == index);
        let answered = waiting.is_some();
        let questioned: Vec<String> =
            waiting.iter().flat_map(|asked| &asked.substances).map(|(name, _)| name.name.clone()).collect();
        if let Some(asked) = waiting {
            answer(utterance, lexicon, asked.substances, &mut all);
        }
        let mut open = statements(utterance, lexicon, &mut all, &mut not_understood);
        tested(utterance, lexicon, &mut all);
        topic.told(index, utterance, lexicon, &mut all);
        corrected(utterance, lexicon, &questioned, &mut all);
        excluded(utterance, lexicon, &mut all);
        if open.is_empty() {
            open = topic.asks(index, utterance, lexicon);
        }
        topic.turn(index, utterance, lexicon);
        if !open.is_empty() {
            asked = Some(Asked { index, substances: open });
        } else if topic.asks_which(utterance, lexicon) || answered && goes_on(utterance, lexicon) {
            asked = Some(Asked { index, substances: Vec::new() });
        } else if answered && utterance.speaker != Speaker::Doctor {
            not_understood.extend(unread_within(utterance, lexicon, 0..first_told(utterance, &all)));
        }
    }
    let by_name: Vec<String> = all.iter().filter(|told| !told.by_sound()).map(|told| told.substance.name.clone()).collect();
    let mut found = Vec::new();
    for told in all {
        let by_sound = told.by_sound();
        let Told { substance: Substance { name, heard_as, .. }, status, evidence } = told;
        // What was said by its name is claimed for that, whatever was heard besides.
        if by_sound && (status == AllergyStatus::None || by_name.contains(&name)) {
            not_understood.push(evidence);
        } else {
            found.push(Allergy { substance: name, status, heard_as, provenance: evidence.into() });
        }
    }
    Allergies { found, not_understood }
}

/// 有。咩藥呀? Neither says what of, so the substance is still to come.
fn goes_on(utterance: &Utterance, lexicon: &Lexicon) -> bool {
    let all = 0..utterance.chars.len();
    let short = utterance.between(all.start, all.end) <= BARE_ANSWER;
    let named = utterance.within(all.clone()).iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_) | Meaning::Allergen(_)));
    let which = utterance.folded(all.clone()).iter().any(|c| matches!(c, '咩' | '什' | '边'));
    let which = which || utterance.has(lexicon, all.clone(), &[TermKind::OpenQuestion]);
    let yes = utterance.has(lexicon, all.clone(), &[TermKind::Affirmation]) && unread(utterance, lexicon).is_none();
    let no = utterance.has(lexicon, all, &[TermKind::Negation, TermKind::NotSo]);
    short && !named && !no && (yes || which)
}

/// Where an utterance first tells of an allergy.
fn first_told(utterance: &Utterance, all: &[Told]) -> usize {
    let spans = all.iter().flat_map(|told| told.evidence.spans()).filter(|span| span.segment() == utterance.id);
    spans.map(|span| span.start()).min().unwrap_or(utterance.chars.len())
}

/// The shortest words that could name something, in characters: Chinese and Latin.
const NAME: (usize, usize) = (2, 5);

/// The words of an answer that no table knows.
fn unread(utterance: &Utterance, lexicon: &Lexicon) -> Option<Evidence> {
    unread_within(utterance, lexicon, 0..utterance.chars.len())
}

/// The words of a range that no table knows, from the first to the last.
fn unread_within(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>) -> Option<Evidence> {
    let known = |hit: &Found| !matches!(hit.meaning, Meaning::Term(term) if lexicon.term_kind(term) == Some(TermKind::Salient));
    let mut names = list::unknown(utterance, range, known);
    names.retain(|run| {
        let latin = utterance.folded(run.clone()).iter().all(char::is_ascii);
        run.len() >= if latin { NAME.1 } else { NAME.0 }
    });
    evidence_of(utterance, names.first()?.start..names.last()?.end)
}

fn put(all: &mut Vec<Told>, substance: Substance, status: AllergyStatus, evidence: Evidence) {
    // What only sounds like a name says nothing new of it, and corrects nothing that was said by the name.
    let same = |told: &Told| told.substance.name == substance.name;
    let by_sound = substance.heard_as.is_some();
    if by_sound && all.iter().any(|told| same(told) && !told.by_sound() && told.status == status) {
        return;
    }
    all.retain(|told| !same(told) || by_sound && !told.by_sound());
    // Somebody allergic to a drug does not have no drug allergy, whichever was said first.
    let to_a_drug = |substance: &Substance, status| substance.drug && status == AllergyStatus::Present;
    if to_a_drug(&substance, status) {
        all.retain(|told| !told.substance.is_any_drug());
    } else if substance.is_any_drug() && all.iter().any(|told| to_a_drug(&told.substance, told.status)) {
        return;
    }
    all.push(Told { substance, status, evidence });
}

fn substance_named(utterance: &Utterance, lexicon: &Lexicon, hit: &Found) -> bool {
    substance(utterance, hit, lexicon).is_some_and(|substance| !substance.is_any_drug())
}

/// The substance that a form names.
fn substance(utterance: &Utterance, hit: &Found, lexicon: &Lexicon) -> Option<Substance> {
    let (name, drug) = match hit.meaning {
        Meaning::Drug(drug) => (lexicon.drugs.get(drug)?.name.clone(), true),
        Meaning::Allergen(allergen) => (lexicon.allergens.get(allergen)?.clone(), false),
        Meaning::Term(term) if lexicon.term_kind(term) == Some(TermKind::AnyDrug) => return Some(Substance::any_drug()),
        _ => return None,
    };
    let place = hit.start..hit.end;
    let heard_as = utterance.is_misspelt(place.clone()).then(|| utterance.said(place).into());
    Some(Substance { name, drug, heard_as })
}
