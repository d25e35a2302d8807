//! A drug of a group taken for a topic means the condition: 血壓 with amlodipine is hypertension.

use super::assertion::Claim;
use super::dialogue::Event;
use super::mention::Mention;
use super::utterance::Utterance;
use crate::terminology::{Lexicon, Meaning, TermKind};

/// The conditions meant by a drug and its topic within one utterance.
#[must_use]
pub fn events(utterances: &[Utterance], lexicon: &Lexicon) -> Vec<Event> {
    let mut events = Vec::new();
    for (index, utterance) in utterances.iter().enumerate() {
        let drugs: Vec<&str> = utterance
            .found
            .iter()
            .filter_map(|hit| match hit.meaning {
                Meaning::Drug(drug) => lexicon.drugs.get(drug).and_then(|drug| drug.atc.as_deref()),
                _ => None,
            })
            .collect();
        if drugs.is_empty() || utterance.has(lexicon, 0..utterance.chars.len(), &[TermKind::Family]) {
            continue;
        }
        for hit in &utterance.found {
            let Meaning::Class(class) = hit.meaning else { continue };
            // 血壓一一六/七十 is a reading, not a reason.
            if !utterance.numbers_in(hit.end..hit.end + 4).is_empty() {
                continue;
            }
            let meant = lexicon
                .indications
                .iter()
                .find(|indication| indication.topic == class && drugs.iter().any(|atc| atc.starts_with(&indication.atc)));
            if let Some(indication) = meant {
                let mention = Mention { start: hit.start, end: hit.end, head: hit.start, condition: indication.condition };
                let claim = Claim::Present { explicit: false };
                events.push(Event { utterance: index, mention, claim, reason: "a drug taken for it", answer: None });
            }
        }
    }
    events
}
