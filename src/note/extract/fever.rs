//! A temperature of 38 °C and more is a fever, whether anybody calls it so.

use super::assertion::{Claim, Reading};
use super::dialogue::Event;
use super::mention::Mention;
use super::observations::observations;
use super::utterance::{Speaker, Utterance};
use crate::terminology::{Lexicon, TermKind};

/// The rule, as `--explain` names it.
pub(super) const MEASURED: &str = "a temperature of 38 degrees or more";

const FEVER: &str = "R50.9";
const TEMPERATURE: &str = "8310-5";
/// From here on a temperature is a fever, in degrees Celsius (NICE guideline NG143, 1.1: 38 °C or above).
const FROM: f64 = 38.0;
/// How far before it a reading may be told to be of then.
const AROUND: usize = 16;
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
        let spans = spans.filter(|span| is_theirs_now(utterance, span.start(), lexicon));
        events.extend(spans.map(|span| {
            let mention = Mention { start: span.start(), end: span.end(), head: span.start(), condition };
            let reading = Reading { claim: Claim::Present { explicit: false }, reason: MEASURED };
            Event::named(index, mention, reading)
        }));
    }
    events
}

/// Whether a temperature is told as one of today and of the patient: not when to come back, not a relative's, not of then.
fn is_theirs_now(utterance: &Utterance, at: usize, lexicon: &Lexicon) -> bool {
    let clause = utterance.clause(at).range;
    let aside =
        [TermKind::Family, TermKind::Other, TermKind::Hypothetical, TermKind::Before, TermKind::History, TermKind::SafetyNet];
    let said: String = utterance.folded(clause.clone()).iter().collect();
    let sentence: String =
        utterance.folded(utterance.sentence(at).start.max(utterance.back(at, AROUND))..clause.start).iter().collect();
    let own = utterance.speaker != Speaker::Relative || !said.contains("我自己");
    own && !utterance.has(lexicon, clause, &aside)
        && !["过", "以上", "先食", "就", "水温", "嗰", "入院"].iter().any(|word| said.contains(word))
        && !["嗰次", "嗰阵", "嗰晚", "入院", "上个月"].iter().any(|word| sentence.contains(word))
}
