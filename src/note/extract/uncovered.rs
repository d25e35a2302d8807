//! Clinically salient speech that led to nothing, found by cues and not by the lexicon of findings.

use std::collections::BTreeSet;

use super::dialogue::Event;
use super::utterance::Utterance;
use crate::note::{Note, Provenance, Span, Uncovered};
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

fn in_utterance(utterance: &Utterance, covered: &BTreeSet<(u64, usize)>, lexicon: &Lexicon) -> Vec<Uncovered> {
    let words = utterance.terms(lexicon, 0..utterance.chars.len(), TermKind::Salient).map(|hit| (hit.start, hit.end));
    let amounts = utterance
        .quantities
        .iter()
        .filter(|quantity| matches!(quantity.kind, UnitKind::Dose | UnitKind::Measure))
        .map(|quantity| (quantity.start, quantity.end));
    let mut cues: Vec<(usize, usize)> = words.chain(amounts).collect();
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
