//! What counts as the same finding: the rules of the shared scorer.

use std::collections::BTreeSet;

use super::figures::{Figures, Outcome, Tally};
use super::set::{GoldCondition, GoldMedication, Item};
use crate::note::{AllergyStatus, Assertion, Condition, Medication, MedicationStatus, Note, PlanKind};
use crate::terminology::system;

/// Values are compared to a thousandth.
const SAME_VALUE: f64 = 0.0006;
/// Times a day are compared to this.
const SAME_FREQUENCY: f64 = 0.02;
/// The longest span that grounds a condition, in characters.
const LONGEST_SPAN: usize = 40;

/// An item and a note of it.
pub struct Judge<'a> {
    item: &'a Item,
    note: &'a Note,
    /// One condition for each code and claim.
    found: Vec<&'a Condition>,
}

fn code<'a>(condition: &'a Condition, of: &str) -> &'a str {
    condition.codes.iter().find(|code| code.system == of).map(|code| code.code.as_str()).unwrap_or_default()
}

fn icd(condition: &Condition) -> &str {
    code(condition, system::ICD10)
}

/// The gold's code, one accepted beside it, or a subdivision of a category among them.
fn same_code(gold: &GoldCondition, found: &str) -> bool {
    std::iter::once(&gold.icd10)
        .chain(&gold.alt)
        .any(|wanted| found == wanted || !wanted.contains('.') && found.starts_with(wanted.as_str()))
}

fn same_claim(gold: &GoldCondition, found: &Condition) -> bool {
    same_code(gold, icd(found)) && gold.assertion == found.assertion
}

fn claimed(condition: &Condition) -> bool {
    matches!(condition.assertion, Assertion::Present | Assertion::Possible)
}

fn word(assertion: Assertion) -> &'static str {
    match assertion {
        Assertion::Present => "present",
        Assertion::Possible => "possible",
        Assertion::Absent => "absent",
        Assertion::Historical => "historical",
        Assertion::Family => "family",
    }
}

/// A name as names are compared.
pub fn plain(name: &str) -> String {
    name.to_lowercase().replace('_', " ").trim().to_owned()
}

fn unit(unit: &str) -> String {
    let bare: String = unit.to_lowercase().chars().filter(|c| !matches!(c, '[' | ']' | '{' | '}')).collect();
    match bare.as_str() {
        "mcg" => "ug".to_owned(),
        "drop" | "drops" => "drp".to_owned(),
        "tab" | "tablet" => "tbl".to_owned(),
        _ => bare,
    }
}

/// Days agree within a quarter: 兩三個禮拜 has no exact value.
fn near(gold: Option<f64>, found: Option<f64>) -> bool {
    gold.is_none_or(|gold| found.is_some_and(|found| (found - gold).abs() <= 0.25 * gold))
}

fn same_medication(gold: &GoldMedication, found: &Medication) -> bool {
    use MedicationStatus::{Active, Planned};
    let dose = gold.dose.as_ref().is_none_or(|gold| {
        found
            .dose
            .as_ref()
            .is_some_and(|found| (gold.value - found.value).abs() < SAME_VALUE && unit(&gold.unit) == unit(&found.unit))
    });
    let often =
        gold.times_per_day.is_none_or(|gold| found.times_per_day.is_some_and(|found| (gold - found).abs() < SAME_FREQUENCY));
    let status = gold.status == found.status || matches!((gold.status, found.status), (Active, Planned) | (Planned, Active));
    plain(&gold.name) == plain(&found.name) && dose && often && status
}

/// Greedy one-to-one matching in order.
fn pair<G, P>(
    gold: &[G],
    found: Vec<P>,
    same: impl Fn(&G, &P) -> bool,
    names: (impl Fn(&G) -> String, impl Fn(&P) -> String),
) -> Outcome {
    let mut left = found;
    let mut tally = Tally::default();
    let mut misses = Vec::new();
    for wanted in gold {
        if let Some(place) = left.iter().position(|found| same(wanted, found)) {
            left.remove(place);
            tally.right += 1;
        } else {
            tally.missed += 1;
            misses.push(format!("missed {}", names.0(wanted)));
        }
    }
    tally.wrong = left.len();
    misses.extend(left.iter().map(|found| format!("wrong {}", names.1(found))));
    Outcome { tally, misses }
}

/// Where words stand in an item: segment, first character, one past the last.
pub fn places(item: &Item, words: &str) -> Vec<(u64, usize, usize)> {
    let length = words.chars().count();
    let in_turn = |(segment, text): (u64, &str)| -> Vec<(u64, usize, usize)> {
        let starts = text.match_indices(words).map(|(byte, _)| text.get(..byte).map_or(0, |before| before.chars().count()));
        starts.map(|start| (segment, start, start + length)).collect()
    };
    if length == 0 {
        return Vec::new();
    }
    (0..).zip(item.turns.iter().map(|turn| turn.text.reveal())).flat_map(in_turn).collect()
}

/// For each key the last condition, at the place of the first.
fn last_of_each<'a, K: Eq>(all: impl Iterator<Item = &'a Condition>, key: impl Fn(&'a Condition) -> K) -> Vec<&'a Condition> {
    let mut kept: Vec<&Condition> = Vec::new();
    for condition in all {
        match kept.iter_mut().find(|other| key(other) == key(condition)) {
            Some(place) => *place = condition,
            None => kept.push(condition),
        }
    }
    kept
}

impl<'a> Judge<'a> {
    /// Judges a note of an item.
    pub fn new(item: &'a Item, note: &'a Note) -> Self {
        let coded = note.conditions.iter().filter(|condition| !icd(condition).is_empty());
        let found = last_of_each(coded, |condition| (icd(condition), word(condition.assertion)));
        Self { item, note, found }
    }

    /// The outcomes of [`super::PARTS`], in that order.
    pub fn parts(&self) -> [Outcome; 7] {
        let gold = &self.item.gold;
        let named = |wanted: &GoldCondition| format!("{} {}", wanted.icd10, word(wanted.assertion));
        let shown = |found: &&Condition| format!("{} {}", icd(found), word(found.assertion));
        let absent = |found: &Condition| found.assertion == Assertion::Absent;
        // Symptoms denied in passing are not all labelled: an extra absence is no error.
        let mut conditions = pair(&gold.conditions, self.found.clone(), |gold, found| same_claim(gold, found), (named, shown));
        let stray: Vec<&Condition> = self
            .found
            .iter()
            .copied()
            .filter(|found| !absent(found) && !gold.conditions.iter().any(|gold| same_claim(gold, found)))
            .collect();
        conditions.tally.wrong = stray.len();
        conditions.misses.retain(|miss| miss.starts_with("missed"));
        conditions.misses.extend(stray.iter().map(|found| format!("wrong {}", shown(found))));

        let by_code = last_of_each(self.found.iter().copied(), icd);
        let stray = by_code
            .iter()
            .filter(|found| !absent(found) && !gold.conditions.iter().any(|gold| same_code(gold, icd(found))))
            .count();
        let mut codes = pair(
            &gold.conditions,
            by_code,
            |gold, found| same_code(gold, icd(found)),
            (|gold| gold.icd10.clone(), |found| icd(found).to_owned()),
        );
        codes.tally.wrong = stray;
        codes.misses.retain(|miss| miss.starts_with("missed"));

        let wanted: Vec<String> =
            gold.icpc2.iter().map(|entry| entry.code.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        let icpc: BTreeSet<&str> = self
            .note
            .conditions
            .iter()
            .filter(|condition| claimed(condition))
            .map(|condition| code(condition, system::ICPC2))
            .filter(|code| !code.is_empty())
            .collect();
        let icpc = pair(
            &wanted,
            icpc.into_iter().collect(),
            |gold, found| gold == found,
            (String::clone, |found: &&str| (*found).to_owned()),
        );
        let medications = pair(
            &gold.medications,
            self.note.medications.iter().collect(),
            |gold, found| same_medication(gold, found),
            (|gold| gold.name.clone(), |found: &&Medication| found.name.clone()),
        );
        let allergies = pair(
            &gold.allergies,
            self.note.allergies.iter().collect(),
            |gold, found| {
                gold.status == found.status
                    && (gold.status == AllergyStatus::None || plain(&gold.substance) == plain(&found.substance))
            },
            (|gold| gold.substance.clone(), |found| found.substance.clone()),
        );
        let values: Vec<_> = gold.vitals.iter().chain(&gold.labs).collect();
        let observations = pair(
            &values,
            self.note.observations.iter().collect(),
            |gold, found| {
                gold.loinc == found.loinc
                    && (gold.value - found.value).abs() < SAME_VALUE
                    && unit(&gold.unit) == unit(&found.unit)
            },
            (|gold| gold.loinc.clone(), |found| found.loinc.clone()),
        );
        let plan = pair(
            &gold.plan,
            self.note.plan.iter().collect(),
            |gold, found| gold.kind == found.kind && near(gold.days, found.days),
            (|gold| kind(gold.kind).to_owned(), |found| kind(found.kind).to_owned()),
        );
        [conditions, codes, icpc, medications, allergies, observations, plan]
    }

    /// Adds right, wrong and missed conditions by what is claimed.
    pub fn classes(&self, figures: &mut Figures) {
        for gold in &self.item.gold.conditions {
            let tally = figures.classes.entry(word(gold.assertion).to_owned()).or_default();
            if self.found.iter().any(|found| same_claim(gold, found)) { tally.right += 1 } else { tally.missed += 1 }
        }
        for found in &self.found {
            if found.assertion != Assertion::Absent && !self.item.gold.conditions.iter().any(|gold| same_claim(gold, found)) {
                figures.classes.entry(word(found.assertion).to_owned()).or_default().wrong += 1;
            }
        }
    }

    /// Counts the codes that a careless extractor would assert, and this one did.
    pub fn must_not_code(&self, figures: &mut Figures) {
        let gold = &self.item.gold;
        let wanted = |found: &str| {
            let claims = |gold: &&GoldCondition| matches!(gold.assertion, Assertion::Present | Assertion::Possible);
            gold.conditions.iter().filter(claims).any(|gold| same_code(gold, found))
        };
        let forbidden = |found: &str| gold.must_not_code.iter().any(|category| found.starts_with(category.as_str()));
        let bad: BTreeSet<&str> = self
            .found
            .iter()
            .filter(|found| claimed(found))
            .map(|found| icd(found))
            .filter(|found| !wanted(found) && forbidden(found))
            .collect();
        figures.must_not_code.count += bad.len();
        figures.must_not_code.of += gold.must_not_code.len();
        let tally = Tally::default();
        let misses = bad.into_iter().map(|code| format!("asserted {code}")).collect();
        figures.add(&self.item.id, "must_not_code", Outcome { tally, misses });
    }

    /// Counts the conditions right in code and claim that rest on the words that the gold names.
    pub fn grounded(&self, figures: &mut Figures) {
        for gold in self.item.gold.conditions.iter().filter(|gold| !gold.mention.is_empty()) {
            let Some(found) = self.found.iter().find(|found| same_claim(gold, found)) else { continue };
            let places = places(self.item, &gold.mention);
            figures.grounded.add(found.provenance.spans().iter().any(|span| {
                span.end() - span.start() <= LONGEST_SPAN
                    && places
                        .iter()
                        .any(|(segment, start, end)| span.segment() == *segment && span.start() < *end && span.end() > *start)
            }));
        }
    }
}

fn kind(kind: PlanKind) -> &'static str {
    match kind {
        PlanKind::Investigation => "investigation",
        PlanKind::Referral => "referral",
        PlanKind::FollowUp => "follow_up",
        PlanKind::SickLeave => "sick_leave",
        PlanKind::Lifestyle => "lifestyle",
        PlanKind::Prescription => "prescription",
        PlanKind::Procedure => "procedure",
    }
}
