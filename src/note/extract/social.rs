//! Smoking and drinking, as said.

use super::evidence_of;
use super::utterance::Utterance;
use crate::note::SocialItem;
use crate::terminology::{Lexicon, TermKind};
use crate::text::PatientText;

/// The clauses that tell of smoking or drinking, questions and relatives left out.
#[must_use]
pub fn social(utterances: &[Utterance], lexicon: &Lexicon) -> Vec<SocialItem> {
    let mut items = Vec::new();
    for utterance in utterances {
        for (kind, name) in [(TermKind::Smoking, "smoking"), (TermKind::Alcohol, "alcohol")] {
            for hit in utterance.terms(lexicon, 0..utterance.chars.len(), kind) {
                let clause = utterance.clause(hit.start);
                let aside = [TermKind::Question, TermKind::Family, TermKind::Other];
                if clause.asked || utterance.has(lexicon, clause.range.clone(), &aside) {
                    continue;
                }
                if let Some(evidence) = evidence_of(utterance, clause.range.clone()) {
                    let text = PatientText::from(utterance.said(clause.range));
                    items.push(SocialItem { kind: name.to_owned(), text, provenance: evidence.into() });
                }
            }
        }
    }
    items
}
