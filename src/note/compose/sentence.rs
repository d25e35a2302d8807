//! Phrases and the lines made of them, each with the findings it says.

use super::Language;
use crate::note::{Evidence, Provenance, Sentence, Span};
use crate::text::PatientText;

/// One sentence, and the findings of the note that it says, each by where it came from.
pub(in crate::note) struct Line<'a> {
    pub(in crate::note) text: PatientText,
    pub(in crate::note) says: Vec<&'a Provenance>,
}

impl Line<'_> {
    /// With where its findings came from. Nothing for a line that says nothing.
    pub(in crate::note) fn sentence(&self) -> Option<Sentence> {
        Some(Sentence { text: self.text.clone(), reworded_from: None, provenance: of_all(&self.says)? })
    }
}

/// Heard where a span of any finding is known, or else typed as the first of them was. Nothing for none.
fn of_all(says: &[&Provenance]) -> Option<Provenance> {
    let spans = says.iter().flat_map(|provenance| provenance.spans().iter().copied()).collect();
    let heard = Evidence::new(spans).map(Provenance::from).ok();
    heard.or_else(|| says.first().map(|typed| (*typed).clone()))
}

/// Words for one finding and where it came from.
#[derive(Clone)]
pub(in crate::note) struct Phrase<'a> {
    pub(super) words: String,
    says: Vec<&'a Provenance>,
}

impl<'a> Phrase<'a> {
    pub(super) fn new(words: impl Into<String>, provenance: &'a Provenance) -> Self {
        Self { words: words.into(), says: vec![provenance] }
    }

    /// A line each.
    pub(in crate::note) fn lines(phrases: Vec<Self>, language: Language) -> Vec<Line<'a>> {
        each("", phrases, language)
    }

    /// The words of all with what they say, those of the same words once.
    pub(in crate::note) fn joined(phrases: Vec<Self>, language: Language) -> (String, Vec<&'a Provenance>) {
        let phrases = said_once(phrases);
        let words: Vec<&str> = phrases.iter().map(|phrase| phrase.words.as_str()).collect();
        let words = words.join(language.pick(", ", "、"));
        (words, phrases.into_iter().flat_map(|phrase| phrase.says).collect())
    }

    /// Says another finding too.
    pub(super) fn rest_also_on(&mut self, provenance: &'a Provenance) {
        self.says.push(provenance);
    }

    /// The words as they are, with where they came from.
    pub(super) fn sentence(&self) -> Option<Sentence> {
        Some(Sentence { text: PatientText::from(self.words.as_str()), reworded_from: None, provenance: of_all(&self.says)? })
    }

    pub(super) fn spans(&self) -> impl Iterator<Item = &'a Span> {
        self.says.iter().flat_map(|provenance| provenance.spans())
    }
}

/// One line of a list of phrases, or none where there is no phrase. Phrases of the same words are said once.
///
/// English reads `lead + phrases by comma + full stop`, Chinese the same with its own marks.
pub(super) fn list<'a>(lead: &str, phrases: Vec<Phrase<'a>>, language: Language) -> Option<Line<'a>> {
    let (words, says) = Phrase::joined(phrases, language);
    let text = format!("{lead}{words}{}", language.pick(".", "。"));
    (!says.is_empty()).then(|| line(&text, says))
}

/// A line each, starting with a capital letter.
pub(super) fn each<'a>(lead: &str, phrases: Vec<Phrase<'a>>, language: Language) -> Vec<Line<'a>> {
    let stop = language.pick(".", "。");
    let text = |phrase: &Phrase<'_>| format!("{lead}{}{stop}", phrase.words);
    said_once(phrases).into_iter().map(|phrase| line(&text(&phrase), phrase.says)).collect()
}

fn line<'a>(text: &str, says: Vec<&'a Provenance>) -> Line<'a> {
    Line { text: PatientText::from(capitalised(text)), says }
}

/// Phrases of the same words as one.
pub(super) fn said_once(phrases: Vec<Phrase<'_>>) -> Vec<Phrase<'_>> {
    let mut kept: Vec<Phrase<'_>> = Vec::with_capacity(phrases.len());
    for phrase in phrases {
        match kept.iter_mut().find(|earlier| earlier.words == phrase.words) {
            Some(earlier) => earlier.says.extend(phrase.says),
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
