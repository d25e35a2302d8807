//! Phrases and the sentences made of them, each with the spans it rests on.

use super::Language;
use crate::note::{Provenance, Sentence, Span};
use crate::text::PatientText;

/// Words for one finding and where they came from.
#[derive(Clone)]
pub(super) struct Phrase {
    pub(super) words: String,
    pub(super) spans: Vec<Span>,
}

impl Phrase {
    pub(super) fn new(words: impl Into<String>, provenance: &Provenance) -> Self {
        Self { words: words.into(), spans: provenance.spans().to_vec() }
    }

    /// Adds what another rests on.
    pub(super) fn rest_also_on(&mut self, spans: &[Span]) {
        self.spans.extend_from_slice(spans);
    }
}

/// One sentence of a list of phrases, or none where there is no phrase. Phrases of the same words are said once.
///
/// English reads `lead + phrases by comma + full stop`, Chinese the same with its own marks.
pub(super) fn list(lead: &str, phrases: Vec<Phrase>, language: Language) -> Option<Sentence> {
    let phrases = said_once(phrases);
    let (comma, stop) = language.pick((", ", "."), ("、", "。"));
    let words: Vec<&str> = phrases.iter().map(|phrase| phrase.words.as_str()).collect();
    let text = format!("{lead}{}{stop}", words.join(comma));
    let evidence = phrases.iter().flat_map(|phrase| phrase.spans.iter().copied()).collect();
    (!phrases.is_empty()).then(|| sentence(&text, evidence))
}

/// A sentence each, starting with a capital letter.
pub(super) fn each(lead: &str, phrases: Vec<Phrase>, language: Language) -> Vec<Sentence> {
    let stop = language.pick(".", "。");
    let text = |phrase: &Phrase| format!("{lead}{}{stop}", phrase.words);
    said_once(phrases).into_iter().map(|phrase| sentence(&text(&phrase), phrase.spans)).collect()
}

fn sentence(text: &str, mut evidence: Vec<Span>) -> Sentence {
    evidence.sort_unstable();
    evidence.dedup();
    Sentence { text: PatientText::from(capitalised(text)), evidence }
}

fn said_once(phrases: Vec<Phrase>) -> Vec<Phrase> {
    let mut kept: Vec<Phrase> = Vec::with_capacity(phrases.len());
    for phrase in phrases {
        match kept.iter_mut().find(|earlier| earlier.words == phrase.words) {
            Some(earlier) => earlier.rest_also_on(&phrase.spans),
            None => kept.push(phrase),
        }
    }
    kept
}

/// With a capital letter, save for a word that has its own: `eGFR`.
fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    if text.chars().nth(1).is_some_and(char::is_uppercase) {
        return text.to_owned();
    }
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
