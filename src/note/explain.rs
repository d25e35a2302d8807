//! Why the note claims what it claims of a condition: the rules that read its mentions so.

use super::extract::{Claim, Event, Talk};
use super::{Assertion, Condition, Note, Span};
use crate::speech::Transcript;
use crate::terminology::Lexicon;

/// A rule that made a claim of a condition, and the words that it read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Why {
    /// The rule, in a few words.
    pub rule: &'static str,
    /// The condition's words, or those that were asked about.
    pub words: Span,
}

/// For each condition of a transcript's own note, in its order, what made its assertion.
#[must_use]
pub fn explain(note: &Note, transcript: &Transcript, lexicon: &Lexicon) -> Vec<Vec<Why>> {
    let mut talk = Talk::default();
    transcript.segments.iter().for_each(|segment| talk.push(segment, lexicon));
    let events = talk.events(lexicon);
    let why = |condition: &Condition| -> Vec<Why> {
        let own = events.iter().filter(|event| {
            let concept = lexicon.conditions.get(event.mention.condition);
            concept.is_some_and(|concept| concept.en == condition.display.en) && claims(event.claim, condition.assertion)
        });
        own.filter_map(|event| Some(Why { rule: event.reason, words: words(event, transcript)? })).collect()
    };
    note.conditions.iter().map(why).collect()
}

fn words(event: &Event, transcript: &Transcript) -> Option<Span> {
    let segment = transcript.segments.get(event.utterance)?;
    Span::new(segment.id, event.mention.start, event.mention.end).ok()
}

fn claims(claim: Claim, assertion: Assertion) -> bool {
    match claim {
        Claim::Present { .. } => assertion == Assertion::Present,
        Claim::Possible => assertion == Assertion::Possible,
        Claim::Absent => assertion == Assertion::Absent,
        Claim::Historical => assertion == Assertion::Historical,
        Claim::Family => assertion == Assertion::Family,
        Claim::Asked | Claim::AskedOfFamily | Claim::Nothing => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::extract::extract;
    use crate::speech::transcript::read;

    #[test]
    fn every_condition_has_a_rule_and_the_words_that_it_read() {
        let said = "doctor: 有冇發燒？\npatient: 冇。我頭痛咗三日，冇嘔，我阿媽有糖尿病，細個嗰陣有哮喘。\ndoctor: 可能係肺炎。";
        let (lexicon, transcript) = (Lexicon::builtin().unwrap(), read(said.as_bytes()).unwrap());
        let note = extract(&transcript, &lexicon);
        let why = explain(&note, &transcript, &lexicon);
        assert!(note.conditions.len() >= 5);
        assert_eq!(why.len(), note.conditions.len());
        for (condition, why) in note.conditions.iter().zip(&why) {
            assert!(!why.is_empty() && why.iter().all(|why| !why.rule.is_empty()), "{}", condition.display.en);
        }
    }
}
