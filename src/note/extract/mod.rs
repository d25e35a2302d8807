//! From a transcript to findings.
//!
//! ```text
//! segment -> Utterance (folded characters, forms, numbers, clauses)
//!         -> mentions  -> readings (scope rules) -> events (questions and answers) -> conditions (merged)
//!         -> observations, medications, allergies, plan, social
//!         -> uncovered: what looked clinical and led to nothing
//! ```
//!
//! Each step is a pure function. The note of the first n segments is the note after n segments: the costly part, reading a segment,
//! looks at nothing but that segment and is done once ([`Talk`]); what looks across segments is computed from all of them each time.
//! Everything is linear: one automaton, windows of bounded size.

mod allergies;
mod assertion;
mod clauses;
mod dialogue;
mod fever;
mod indications;
mod list;
mod medications;
mod mention;
mod merge;
mod observations;
mod plan;
mod quantity;
mod reactions;
mod regimen;
mod side;
mod social;
mod uncovered;
mod utterance;
mod well;

use std::collections::HashSet;
use std::ops::Range;

use super::{Evidence, MadeBy, Note, Span, SpeakerGuess, speakers};
use crate::speech::{Segment, Transcript};
use crate::terminology::Lexicon;

pub use assertion::{Claim, Reading};
pub use dialogue::Event;
pub use mention::Mention;
pub use utterance::{Speaker, Utterance};

/// The longest span of evidence, in characters: what a reader takes in at a glance.
const LONGEST_SPAN: usize = 40;

/// Confidence of what is not spelt as it should be and only sounds so.
pub(crate) const MISSPELT_CONFIDENCE: f64 = 0.6;

/// Why a value that was said is not written.
const IMPLAUSIBLE: &str = "implausible value, not written";

/// Everything the transcript says that the lexicon knows; `sections` stays empty for the composer.
#[must_use]
pub fn extract(transcript: &Transcript, lexicon: &Lexicon) -> Note {
    let mut talk = Talk::default();
    transcript.segments.iter().for_each(|segment| talk.push(segment, lexicon));
    talk.note(transcript.model.as_ref().map(|model| model.name.clone()), lexicon)
}

/// The segments of a talk that were read so far. Each is read once, however often the note is made.
#[derive(Default)]
pub struct Talk {
    utterances: Vec<Utterance>,
    mentions: Vec<Vec<Mention>>,
    speaker_guesses: Vec<SpeakerGuess>,
}

impl Talk {
    /// Reads the next segment.
    pub fn push(&mut self, segment: &Segment, lexicon: &Lexicon) {
        let utterance = Utterance::new(segment, lexicon);
        self.mentions.push(mention::mentions(&utterance, lexicon));
        self.utterances.push(utterance);
        self.speaker_guesses.extend(speakers::guess(segment));
    }

    /// The note of all that was read, which is [`extract`]'s of the same segments. `model` is the speech model's name.
    #[must_use]
    pub fn note(&self, model: Option<String>, lexicon: &Lexicon) -> Note {
        let utterances = &self.utterances;
        let events = self.events(lexicon);
        let allergies = allergies::allergies(utterances, lexicon);
        let medications = medications::medications(utterances, lexicon, &allergies);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let mut note =
            Note::empty(MadeBy { version, model, precision: None, wording: None, lexicon: lexicon.digest().to_owned() });
        let conditions = merge::conditions(&events, utterances, lexicon);
        note.conditions = reactions::without_old_reactions(conditions, &allergies.found, utterances, lexicon);
        let (observations, mut not_written) = observations::observations(utterances, lexicon);
        note.observations = observations;
        note.plan = plan::plan(utterances, lexicon, &medications);
        note.social = social::social(utterances, lexicon);
        note.allergies = allergies.found;
        let mut flagged = Vec::new();
        note.medications = medications
            .into_iter()
            .map(|course| {
                flagged.extend(course.flagged);
                course.medication
            })
            .collect();
        reactions::under_treatment(&mut note.conditions, &note.medications);
        not_written.extend(flagged);
        note.uncovered = uncovered::uncovered(utterances, &note, &events, not_written, lexicon);
        uncovered::add(&mut note.uncovered, allergies.not_understood.iter().flat_map(Evidence::spans));
        note.speaker_guesses.clone_from(&self.speaker_guesses);
        note
    }

    /// Every claim about a condition with the rule that made it, in order.
    #[must_use]
    pub fn events(&self, lexicon: &Lexicon) -> Vec<Event> {
        let events = dialogue::events(&self.utterances, &self.mentions, lexicon);
        let told = |event: &Event| event.answer.map_or(event.utterance, |(turn, ..)| turn);
        let mut more = indications::events(&self.utterances, lexicon);
        more.extend(fever::events(&self.utterances, lexicon));
        // A complaint of the same talk is not unsaid by how it was before, or by an examination.
        let there = |one: &&Event| matches!(one.claim, Claim::Present { .. } | Claim::Possible);
        let complained: HashSet<usize> = events.iter().filter(there).map(|one| one.mention.condition).collect();
        let well = well::events(&self.utterances, lexicon).into_iter();
        more.extend(well.filter(|event| !complained.contains(&event.mention.condition)));
        more.sort_by_key(told);
        // Each behind what was told up to its turn: what is said later has the last word.
        let mut all = Vec::with_capacity(events.len() + more.len());
        let mut later = more.into_iter().peekable();
        let mut reached = 0;
        for event in events {
            reached = reached.max(told(&event));
            while let Some(before) = later.next_if(|next| told(next) < reached) {
                all.push(before);
            }
            all.push(event);
        }
        all.extend(later);
        all
    }
}

/// Evidence for a range of an utterance, cut to the longest span; nothing for an empty one.
fn evidence_of(utterance: &Utterance, range: Range<usize>) -> Option<Evidence> {
    let end = range.end.min(range.start + LONGEST_SPAN).min(utterance.chars.len());
    Span::new(utterance.id, range.start, end).ok().map(Evidence::from)
}
