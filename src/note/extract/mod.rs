//! From a transcript to findings.
//!
//! ```text
//! segment -> Utterance (folded characters, forms, numbers, clauses)
//!         -> mentions  -> readings (scope rules) -> events (questions and answers) -> conditions (merged)
//!         -> observations, medications, allergies, plan, social
//!         -> uncovered: what looked clinical and led to nothing
//! ```
//!
//! Each step is a pure function. The note of the first n segments is the note after n segments, because nothing looks at a clock
//! and the whole is computed from the segments given. Everything is linear: one automaton, windows of bounded size.

mod allergies;
mod assertion;
mod clauses;
mod dialogue;
mod indications;
mod medications;
mod mention;
mod merge;
mod observations;
mod plan;
mod quantity;
mod regimen;
mod social;
mod uncovered;
mod utterance;

use std::ops::Range;

use super::{Evidence, MadeBy, Note, Span, speakers};
use crate::speech::Transcript;
use crate::terminology::Lexicon;

pub use assertion::{Claim, Reading};
pub use dialogue::Event;
pub use mention::Mention;
pub use utterance::{Speaker, Utterance};

/// The longest span of evidence, in characters: what a reader takes in at a glance.
const LONGEST_SPAN: usize = 40;

/// Confidence of what is not spelt as it should be and only sounds so.
const MISSPELT_CONFIDENCE: f64 = 0.6;

/// Everything the transcript says that the lexicon knows; `sections` stays empty for the composer.
#[must_use]
pub fn extract(transcript: &Transcript, lexicon: &Lexicon) -> Note {
    let utterances: Vec<Utterance> = transcript.segments.iter().map(|segment| Utterance::new(segment, lexicon)).collect();
    let events = events(&utterances, lexicon);
    let allergies = allergies::allergies(&utterances, lexicon);
    let medications = medications::medications(&utterances, lexicon, &allergies);
    let made_by = MadeBy {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        model: transcript.model.as_ref().map(|model| model.name.clone()),
        precision: None,
        lexicon: lexicon.digest().to_owned(),
    };
    let mut note = Note::empty(made_by);
    note.conditions = merge::conditions(&events, &utterances, lexicon);
    let (observations, implausible) = observations::observations(&utterances, lexicon);
    note.observations = observations;
    note.plan = plan::plan(&utterances, lexicon, &medications);
    note.social = social::social(&utterances, lexicon);
    note.allergies = allergies;
    note.medications = medications.into_iter().map(|course| course.medication).collect();
    note.uncovered = uncovered::uncovered(&utterances, &note, &events, lexicon);
    note.uncovered.extend(implausible);
    note.speaker_guesses = speakers::guesses(transcript);
    note
}

/// Every claim about a condition with the rule that made it, in order: what `--explain` prints.
#[must_use]
pub fn events(utterances: &[Utterance], lexicon: &Lexicon) -> Vec<Event> {
    let mentions: Vec<Vec<Mention>> = utterances.iter().map(|utterance| mention::mentions(utterance, lexicon)).collect();
    let mut events = dialogue::events(utterances, &mentions, lexicon);
    events.extend(indications::events(utterances, lexicon));
    events
}

/// Evidence for a range of an utterance, cut to the longest span; nothing for an empty one.
fn evidence_of(utterance: &Utterance, range: Range<usize>) -> Option<Evidence> {
    let end = range.end.min(range.start + LONGEST_SPAN).min(utterance.chars.len());
    Span::new(utterance.id, range.start, end).ok().map(Evidence::from)
}
