//! Which side an entry is of, and where two sides of one condition are two entries: 左腳腫,右腳冇腫.

use std::collections::BTreeMap;

use super::super::assertion::Claim;
use super::super::dialogue::Event;
use super::super::side::said_with;
use super::super::utterance::Utterance;
use crate::note::Laterality;
use crate::terminology::Lexicon;

/// A side as part of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Left.
    Left,
    /// Right.
    Right,
}

/// The side put right last, or the one said first; both where each is said to have it.
pub fn side<'a>(
    events: impl Iterator<Item = &'a Event> + Clone,
    utterances: &[Utterance],
    lexicon: &Lexicon,
) -> Option<Laterality> {
    let corrected = events.clone().filter_map(|event| event.side).last();
    corrected.or_else(|| {
        let mut said = events.filter_map(|event| Some((event, laterality(event, utterances, lexicon)?)));
        let (first, side) = said.next()?;
        // 左膝痛,右膝都痛, in one breath.
        let other = said.any(|(event, another)| {
            event.utterance == first.utterance && apart(side, another) && event.answer.is_none() && first.answer.is_none()
        });
        Some(if other { Laterality::Bilateral } else { side })
    })
}

/// An event and the side said with it.
type Said = (usize, Option<Laterality>);

/// The side said with an event's condition.
fn laterality(event: &Event, utterances: &[Utterance], lexicon: &Lexicon) -> Option<Laterality> {
    said_with(utterances.get(event.utterance)?, &event.mention, lexicon)
}

/// Whether these are left and right.
fn apart(one: Laterality, other: Laterality) -> bool {
    one != other && one != Laterality::Bilateral && other != Laterality::Bilateral
}

/// For each event the side that keeps it apart from others of its condition: none unless one side is denied what another has.
/// What is said of the condition without a side goes with the side that has it.
pub fn of_events(events: &[Event], utterances: &[Utterance], lexicon: &Lexicon) -> Vec<Option<Key>> {
    let mut groups: BTreeMap<(&str, Option<&str>), Vec<Said>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        if let Some(concept) = lexicon.conditions.get(event.mention.condition) {
            let side = event.side.or_else(|| laterality(event, utterances, lexicon));
            groups.entry((&concept.icd10, concept.icpc2.as_deref())).or_default().push((index, side));
        }
    }
    let mut keys = vec![None; events.len()];
    for group in groups.values() {
        let corrected = group.iter().any(|(index, _)| events.get(*index).is_some_and(|event| event.side.is_some()));
        let of = |denied: bool| {
            group.iter().filter_map(move |(index, side)| {
                let claim = events.get(*index)?.claim;
                let fits = match claim {
                    Claim::Absent => denied,
                    Claim::Present { .. } | Claim::Possible | Claim::Historical => !denied,
                    _ => false,
                };
                side.filter(|side| fits && *side != Laterality::Bilateral)
            })
        };
        let Some(has) = of(false).next().filter(|has| !corrected && of(true).any(|without| apart(*has, without))) else {
            continue;
        };
        for (index, side) in group {
            if let Some(key) = keys.get_mut(*index) {
                let side = side.filter(|side| *side != Laterality::Bilateral).unwrap_or(has);
                *key = Some(if side == Laterality::Left { Key::Left } else { Key::Right });
            }
        }
    }
    keys
}
