//! What becomes of the words of a finding when the lexicon does not know it: each is left out in turn.

use super::figures::Share;
use super::matching::{self, plain};
use super::set::{GoldCondition, Item};
use crate::note::extract::extract;
use crate::note::{AllergyStatus, Note, Span};
use crate::terminology::{Entry, Lexicon, TerminologyError};

/// How often the words of what the lexicon does not know are listed as having led to nothing, by what they name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listed {
    /// Conditions, by the words that the gold names.
    pub conditions: Share,
    /// Drugs, by the words that the note had them from.
    pub medications: Share,
    /// What one is allergic to, likewise.
    pub allergies: Share,
    /// Measurements, by their name or value.
    pub observations: Share,
}

impl Listed {
    /// The shares with what they are of.
    #[must_use]
    pub fn parts(&self) -> [(&'static str, Share); 4] {
        [
            ("conditions", self.conditions),
            ("medications", self.medications),
            ("allergies", self.allergies),
            ("observations", self.observations),
        ]
    }

    /// Adds another item's.
    pub fn add(&mut self, other: &Self) {
        self.conditions.join(other.conditions);
        self.medications.join(other.medications);
        self.allergies.join(other.allergies);
        self.observations.join(other.observations);
    }
}

/// How often the words of an item's findings are listed as leading to nothing when the lexicon knows no form of them: each is left out
/// in turn, a condition with the categories accepted for it. Of drugs, allergens and measurements, whose words the gold does not give,
/// those that the whole lexicon finds, and that are not found all the same.
///
/// # Errors
/// [`TerminologyError`] where a built-in table does not read.
pub fn listed_when_unknown(item: &Item) -> Result<Listed, TerminologyError> {
    let mut listed = Listed::default();
    let transcript = item.transcript();
    let without = |left_out: &dyn Fn(Entry<'_>) -> bool| Ok(extract(&transcript, &Lexicon::builtin_without(left_out)?));
    for condition in item.gold.conditions.iter().filter(|condition| !condition.mention.is_empty()) {
        let note = without(&|entry| matches!(entry, Entry::Condition(code) if accepted(condition, code)))?;
        listed.conditions.add(matching::places(item, &condition.mention).into_iter().any(|place| is_listed(&note, place)));
    }
    let known = extract(&transcript, &Lexicon::builtin()?);
    let substance =
        |name: &str, entry: Entry<'_>| matches!(entry, Entry::Drug(other) | Entry::Allergen(other) if plain(other) == name);
    for gold in &item.gold.medications {
        let name = plain(&gold.name);
        let Some(found) = known.medications.iter().find(|found| plain(&found.name) == name) else { continue };
        let note = without(&|entry| substance(&name, entry))?;
        listed.medications.add(found.provenance.spans().first().is_some_and(|span| is_listed(&note, place(span))));
    }
    for gold in item.gold.allergies.iter().filter(|gold| gold.status == AllergyStatus::Present) {
        let name = plain(&gold.substance);
        let Some(found) = known.allergies.iter().find(|found| plain(&found.substance) == name) else { continue };
        let note = without(&|entry| substance(&name, entry))?;
        listed.allergies.add(found.provenance.spans().iter().any(|span| is_listed(&note, place(span))));
    }
    for gold in item.gold.vitals.iter().chain(&item.gold.labs) {
        let Some(found) = known.observations.iter().find(|found| found.loinc == gold.loinc) else { continue };
        let note = without(&|entry| entry == Entry::Observation(&gold.loinc))?;
        // 八十二公斤 is a weight and 128/74 a pressure without a name.
        if note.observations.iter().any(|found| found.loinc == gold.loinc) {
            continue;
        }
        listed.observations.add(found.provenance.spans().iter().any(|span| is_listed(&note, place(span))));
    }
    Ok(listed)
}

/// Whether a code is of the category of the gold's or of one accepted beside it.
fn accepted(condition: &GoldCondition, code: &str) -> bool {
    let category = |code: &str| code.get(..3).unwrap_or_default().to_owned();
    std::iter::once(&condition.icd10).chain(&condition.alt).any(|wanted| category(wanted) == category(code))
}

fn place(span: &Span) -> (u64, usize, usize) {
    (span.segment(), span.start(), span.end())
}

/// Whether a place in the talk is among those listed as leading to nothing.
fn is_listed(note: &Note, (segment, start, end): (u64, usize, usize)) -> bool {
    note.uncovered.iter().any(|entry| entry.span.segment() == segment && entry.span.start() < end && entry.span.end() > start)
}
