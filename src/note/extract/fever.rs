//! A temperature of 38 °C and more is a fever, whether anybody calls it so.

use super::assertion::{Claim, Reading};
use super::dialogue::Event;
use super::mention::Mention;
use super::observations::observations;
use super::utterance::Utterance;
use crate::terminology::Lexicon;

/// The rule, as `--explain` names it.
pub(super) const MEASURED: &str = "a temperature of 38 degrees or more";

const FEVER: &str = "R50.9";
const TEMPERATURE: &str = "8310-5";
/// From here on a temperature is a fever, in degrees Celsius (NICE guideline NG143, 1.1: 38 °C or above).
const FROM: f64 = 38.0;
/// Up to here one looks for it.
const UNTIL: f64 = 43.0;

/// The fevers that were measured at this visit. A denial of fever said in words stays the last word on it.
#[must_use]
pub fn events(utterances: &[Utterance], lexicon: &Lexicon) -> Vec<Event> {
    let concept = lexicon.conditions.iter().position(|concept| concept.icd10 == FEVER);
    let Some(condition) = concept else { return Vec::new() };
    let high = |utterance: &Utterance| {
        utterance.numbers.iter().any(|number| number.exact().is_some_and(|value| (FROM..=UNTIL).contains(&value.floor())))
    };
    let mut events = Vec::new();
    for (index, utterance) in utterances.iter().enumerate().filter(|(_, utterance)| high(utterance)) {
        let near = utterances.get(index.saturating_sub(1)..=index).unwrap_or_default();
        let (read, _) = observations(near, lexicon);
        let fevers = read.iter().filter(|one| one.loinc == TEMPERATURE && one.value >= FROM);
        let spans = fevers.flat_map(|one| one.provenance.spans()).filter(|span| span.segment() == utterance.id);
        events.extend(spans.map(|span| {
            let mention = Mention { start: span.start(), end: span.end(), head: span.start(), condition };
            let reading = Reading { claim: Claim::Present { explicit: false }, reason: MEASURED };
            Event::named(index, mention, reading)
        }));
    }
    events
}
