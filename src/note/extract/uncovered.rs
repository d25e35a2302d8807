//! Clinically salient speech that led to nothing, found by cues and not by the lexicon of findings.

use std::collections::BTreeSet;

use super::dialogue::Event;
use super::utterance::Utterance;
use crate::note::{Allergy, Note, Provenance, Span, Uncovered};
use crate::terminology::{Lexicon, TermKind, UnitKind};

/// Characters shown around a cue.
const AROUND: usize = 20;
const REASON: &str = "clinical words, no finding";

/// One entry a clause that holds a cue outside all evidence.
#[must_use]
pub fn uncovered(utterances: &[Utterance], note: &Note, events: &[Event], lexicon: &Lexicon) -> Vec<Uncovered> {
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
        .flat_map(|span| (span.start()..span.end()).map(move |at| (span.segment(), at)))
        .collect();
    for event in events {
        if let Some(utterance) = utterances.get(event.utterance) {
            covered.extend((event.mention.start..event.mention.end).map(|at| (utterance.id, at)));
        }
    }
    utterances.iter().flat_map(|utterance| in_utterance(utterance, &covered, lexicon)).collect()
}

/// Adds the allergies to what only sounds like a name. Where a part of the words is listed already, all of them are.
pub fn add_by_sound(listed: &mut Vec<Uncovered>, by_sound: &[Allergy]) {
    for span in by_sound.iter().flat_map(|allergy| allergy.provenance.spans()) {
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

fn in_utterance(utterance: &Utterance, covered: &BTreeSet<(u64, usize)>, lexicon: &Lexicon) -> Vec<Uncovered> {
    let words = utterance.terms(lexicon, 0..utterance.chars.len(), TermKind::Salient).map(|hit| (hit.start, hit.end));
    let amounts = utterance
        .quantities
        .iter()
        .filter(|quantity| matches!(quantity.kind, UnitKind::Dose | UnitKind::Measure))
        .map(|quantity| (quantity.start, quantity.end));
    let mut cues: Vec<(usize, usize)> = words.chain(amounts).chain(by_ending(&utterance.chars)).collect();
    cues.sort_unstable();
    let mut listed = BTreeSet::new();
    let mut all = Vec::new();
    for (start, end) in cues {
        let clause = utterance.clause(start).range;
        if (start..end).any(|at| covered.contains(&(utterance.id, at))) || !listed.insert(clause.start) {
            continue;
        }
        let from = clause.start.max(start.saturating_sub(AROUND));
        let until = clause.end.min(start + AROUND).max(end);
        if let Ok(span) = Span::new(utterance.id, from, until) {
            all.push(Uncovered { span, reason: REASON.to_owned() });
        }
    }
    all
}
