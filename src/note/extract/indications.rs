//! A drug of a group taken for a topic means the condition: 血壓 with amlodipine is hypertension.

use std::collections::BTreeSet;

use super::assertion::{Claim, Reading};
use super::dialogue::Event;
use super::mention::Mention;
use super::utterance::{Speaker, Utterance};
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
        events.extend(asked_by_their_drugs(index, utterance, codes.get(index + 1), lexicon));
        if here.is_empty() && telling.is_empty() || utterance.has(lexicon, 0..utterance.chars.len(), &[TermKind::Family]) {
            continue;
        }
        for hit in &utterance.found {
            let Meaning::Class(class) = hit.meaning else { continue };
            // 血壓一一六/七十 is a reading, not a reason.
            if !utterance.numbers_in(hit.end..hit.end + 4).is_empty() {
                continue;
            }
            // 前列腺冇事.
            let behind: String = utterance.folded(hit.end..utterance.chars.len().min(hit.end + 4)).iter().collect();
            if ["冇事", "正常", "冇问题", "都冇"].iter().any(|well| behind.starts_with(well)) {
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

/// What a patient says of the drugs of a condition, taken to have them: 血壓藥呢? 膽固醇丸仲食唔食?
const OF_ONES_OWN: [&str; 9] = ["呢", "照食", "仲食", "继续食", "停唔停", "可唔可以停", "使唔使停", "要唔要停", "要不要停"];

/// 你血壓藥係咩? amlodipine: whoever answers with such a drug has the condition, and so has a patient who asks about the own ones.
fn asked_by_their_drugs(index: usize, utterance: &Utterance, answer: Option<&BTreeSet<&str>>, lexicon: &Lexicon) -> Vec<Event> {
    let mut events = Vec::new();
    for hit in &utterance.found {
        let Meaning::Condition(condition) = hit.meaning else { continue };
        let name = utterance.folded(hit.start..hit.end);
        let drugs = name.ends_with(&['药']) || name.ends_with(&['丸']) || matches!(name, [.., '嗰', '粒' | '只']);
        let clause = utterance.clause(hit.start).range;
        let aside = [TermKind::Family, TermKind::Other, TermKind::Hypothetical, TermKind::Negation];
        if !drugs || utterance.has(lexicon, clause.clone(), &aside) {
            continue;
        }
        let of_condition =
            |atc: &str| lexicon.indications.iter().any(|one| one.condition == condition && atc.starts_with(&one.atc));
        let behind: String = utterance.folded(hit.end..clause.end).iter().collect();
        let own = utterance.speaker == Speaker::Patient && OF_ONES_OWN.iter().any(|words| behind.starts_with(words));
        let named = answer.is_some_and(|codes| codes.iter().any(|atc| of_condition(atc)));
        if own && lexicon.indications.iter().any(|one| one.condition == condition) || named {
            let mention = Mention { start: hit.start, end: hit.end, head: hit.start, condition };
            let reading = Reading { claim: Claim::Present { explicit: false }, reason: "a drug taken for it" };
            events.push(Event::named(index, mention, reading));
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
