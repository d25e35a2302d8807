//! A drug of a group taken for a topic means the condition: 血壓 with amlodipine is hypertension.

use std::collections::BTreeSet;

use super::assertion::{Claim, Reading};
use super::dialogue::Event;
use super::mention::Mention;
use super::utterance::Utterance;
use crate::terminology::{Lexicon, Meaning, TermKind};

/// Groups that are taken for little else than the topic: they count wherever in the talk the topic is spoken of.
const TALK_WIDE: [&str; 7] = ["C02", "C03A", "C08CA", "C09", "C10", "A10", "H03"];

/// The conditions meant by a drug and its topic within one utterance, or by a telling drug within the talk.
#[must_use]
pub fn events(utterances: &[Utterance], lexicon: &Lexicon) -> Vec<Event> {
    let codes: Vec<BTreeSet<&str>> = utterances.iter().map(|utterance| drugs(utterance, lexicon)).collect();
    let telling: BTreeSet<&str> =
        codes.iter().flatten().copied().filter(|atc| TALK_WIDE.iter().any(|group| atc.starts_with(group))).collect();
    let mut events = Vec::new();
    for (index, (utterance, here)) in utterances.iter().zip(&codes).enumerate() {
        if here.is_empty() && telling.is_empty() || utterance.has(lexicon, 0..utterance.chars.len(), &[TermKind::Family]) {
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
                .find(|indication| indication.topic == class && here.union(&telling).any(|atc| atc.starts_with(&indication.atc)));
            if let Some(indication) = meant {
                let mention = Mention { start: hit.start, end: hit.end, head: hit.start, condition: indication.condition };
                let reading = Reading { claim: Claim::Present { explicit: false }, reason: "a drug taken for it" };
                events.push(Event::named(index, mention, reading));
            }
        }
    }
    events
}

/// The ATC codes of the drugs of an utterance that are the patient's.
fn drugs<'a>(utterance: &Utterance, lexicon: &'a Lexicon) -> BTreeSet<&'a str> {
    let aside = [TermKind::Family, TermKind::Other, TermKind::Allergy];
    let all = utterance.found.iter().filter_map(|hit| match hit.meaning {
        Meaning::Drug(drug) => lexicon.drugs.get(drug).and_then(|drug| drug.atc.as_deref()),
        _ => None,
    });
    if utterance.has(lexicon, 0..utterance.chars.len(), &aside) { BTreeSet::new() } else { all.collect() }
}
