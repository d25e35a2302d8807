//! Clinically salient speech that led to nothing, found by cues and not by the lexicon of findings.

use std::collections::BTreeSet;

use super::dialogue::Event;
use super::list;
use super::utterance::Utterance;
use crate::note::{Note, Provenance, Span, Uncovered};
use crate::terminology::{Drug, DrugKind, Lexicon, Meaning, TermKind, UnitKind};

/// Characters shown around a cue.
const AROUND: usize = 20;
const REASON: &str = "clinical words, no finding";

/// One entry a clause that holds cues outside all evidence.
///
/// `listed`: what is listed for a reason of its own.
#[must_use]
pub fn uncovered(
    utterances: &[Utterance],
    note: &Note,
    events: &[Event],
    listed: Vec<Uncovered>,
    lexicon: &Lexicon,
) -> Vec<Uncovered> {
    let findings = note
        .conditions
        .iter()
        .map(|entry| &entry.provenance)
        .chain(note.medications.iter().map(|entry| &entry.provenance))
        .chain(note.allergies.iter().map(|entry| &entry.provenance))
        .chain(note.observations.iter().map(|entry| &entry.provenance))
        .chain(note.plan.iter().map(|entry| &entry.provenance))
        .chain(note.social.iter().map(|entry| &entry.provenance));
    let mut covered: BTreeSet<(u64, usize)> = findings
        .flat_map(Provenance::spans)
        .chain(listed.iter().map(|entry| &entry.span))
        .flat_map(|span| (span.start()..span.end()).map(move |at| (span.segment(), at)))
        .collect();
    for event in events {
        if let Some(utterance) = utterances.get(event.utterance) {
            covered.extend((event.mention.start..event.mention.end).map(|at| (utterance.id, at)));
        }
    }
    let medications = note.medications.iter().map(|entry| entry.name.as_str());
    let drugs: BTreeSet<&str> = medications.chain(note.allergies.iter().map(|entry| entry.substance.as_str())).collect();
    let more = utterances.iter().flat_map(|utterance| in_utterance(utterance, &covered, &drugs, lexicon));
    more.chain(listed).collect()
}

/// Adds what was said of allergies and not understood. Where a part of the words is listed already, all of them are.
pub fn add<'a>(listed: &mut Vec<Uncovered>, spans: impl Iterator<Item = &'a Span>) {
    for span in spans {
        let overlaps =
            |other: &Span| other.segment() == span.segment() && other.start() < span.end() && span.start() < other.end();
        match listed.iter_mut().find(|uncovered| overlaps(&uncovered.span)) {
            Some(uncovered) => {
                let own = uncovered.span;
                uncovered.span =
                    Span::new(own.segment(), own.start().min(span.start()), own.end().max(span.end())).unwrap_or(own);
            }
            None => listed.push(Uncovered { span: *span, reason: REASON.to_owned() }),
        }
    }
}

/// Endings of the names of diseases, operations and drugs.
const ENDINGS: [&str; 24] = [
    "itis", "osis", "emia", "oma", "pathy", "algia", "ectomy", "plegia", "uria", "pnoea", "rrhoea", "rrhea", "mycin", "cillin",
    "pril", "sartan", "statin", "olol", "azole", "dipine", "gliptin", "flozin", "tidine", "mab",
];
/// How far behind a verb its drug is looked for.
const BEHIND: usize = 6;
/// The shortest English word that could be a drug's name.
const SHORTEST_NAME: usize = 5;
/// Verbs of taking that have many other uses.
const NO_TAKING: [&str; 4] = ["on", "is on", "am on", "continue"];
/// The shortest word that an ending says something of.
const SHORTEST_WORD: usize = 6;

/// English words whose ending says that they name a disease or a drug.
fn by_ending(chars: &[char]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < chars.len() {
            let length = chars.iter().skip(at).take_while(|c| c.is_ascii_lowercase()).count();
            let (start, end) = (at, at + length);
            at = end + 1;
            let word: String = chars.get(start..end).unwrap_or_default().iter().collect();
            if length >= SHORTEST_WORD && ENDINGS.iter().any(|ending| word.ends_with(ending)) {
                return Some((start, end));
            }
        }
        None
    })
}

/// Drugs that were named and of which the note says nothing: a relative's, and what is not to be taken, left out.
fn lost_drugs<'a>(
    utterance: &'a Utterance,
    said: &'a BTreeSet<&str>,
    lexicon: &'a Lexicon,
) -> impl Iterator<Item = (usize, usize)> + 'a {
    let aside = [TermKind::Family, TermKind::Other, TermKind::DrugWithheld];
    utterance.found.iter().filter_map(move |hit| {
        let Meaning::Drug(drug) = hit.meaning else { return None };
        // A class is no more than a word on drugs, save where an allergy is told or it is taken.
        let told = || {
            utterance.has(lexicon, utterance.sentence(hit.start), &[TermKind::Allergy])
                || utterance.has(lexicon, utterance.clause(hit.start).range, &[TermKind::DrugActive, TermKind::DrugStopped])
        };
        let named = |drug: &&Drug| drug.kind == DrugKind::Drug || drug.kind == DrugKind::Class && told();
        let drug = lexicon.drugs.get(drug).filter(named).filter(|drug| !said.contains(drug.name.as_str()));
        let clause = utterance.clause(hit.start).range;
        (drug.is_some() && !utterance.has(lexicon, clause, &aside)).then_some((hit.start, hit.end))
    })
}

/// 食緊 Xyzal, `I take a sprint`: English words that no table knows, right behind what says that a drug is taken.
fn taken_unknown<'a>(utterance: &'a Utterance, lexicon: &'a Lexicon) -> impl Iterator<Item = (usize, usize)> + 'a {
    utterance.terms(lexicon, 0..utterance.chars.len(), TermKind::DrugActive).filter_map(move |verb| {
        let words: String = utterance.folded(verb.start..verb.end).iter().collect();
        let clause = utterance.clause(verb.start).range;
        let behind = verb.end..clause.end.min(utterance.ahead(verb.end, BEHIND));
        let unknown = list::unknown(utterance, behind, |_| true).into_iter().find(|run| run.len() >= SHORTEST_NAME)?;
        let latin = utterance.folded(unknown.clone()).iter().all(char::is_ascii_lowercase);
        let led = list::joins(utterance, verb.end..unknown.start, &[]);
        (latin && led && !NO_TAKING.contains(&words.as_str())).then_some((unknown.start, unknown.end))
    })
}

fn in_utterance(
    utterance: &Utterance,
    covered: &BTreeSet<(u64, usize)>,
    drugs: &BTreeSet<&str>,
    lexicon: &Lexicon,
) -> Vec<Uncovered> {
    let words = utterance.terms(lexicon, 0..utterance.chars.len(), TermKind::Salient).map(|hit| (hit.start, hit.end));
    let amounts = utterance
        .quantities
        .iter()
        .filter(|quantity| matches!(quantity.kind, UnitKind::Dose | UnitKind::Measure))
        .map(|quantity| (quantity.start, quantity.end));
    let drugs = lost_drugs(utterance, drugs, lexicon).chain(taken_unknown(utterance, lexicon));
    let mut cues: Vec<(usize, usize)> = words.chain(amounts).chain(by_ending(&utterance.chars)).chain(drugs).collect();
    cues.sort_unstable();
    let mut all: Vec<Uncovered> = Vec::new();
    let mut last = None;
    for (start, end) in cues {
        let clause = utterance.clause(start).range;
        if (start..end).any(|at| covered.contains(&(utterance.id, at))) {
            continue;
        }
        let until = clause.end.min(start + AROUND).max(end);
        // One entry a clause, from its first cue to its last.
        let entry = all.last_mut().filter(|_| last == Some(clause.start));
        let from = entry.as_ref().map_or(clause.start.max(start.saturating_sub(AROUND)), |entry| entry.span.start());
        let until = entry.as_ref().map_or(until, |entry| until.max(entry.span.end()));
        let Ok(span) = Span::new(utterance.id, from, until) else { continue };
        last = Some(clause.start);
        match entry {
            Some(entry) => entry.span = span,
            None => all.push(Uncovered { span, reason: REASON.to_owned() }),
        }
    }
    all
}
