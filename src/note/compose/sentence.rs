//! Phrases and the lines made of them, each with the findings it says.

use super::Language;
use crate::note::{Evidence, Provenance, Sentence, Span};
use crate::text::PatientText;

/// A finding that a line says, by where it came from.
#[derive(Clone, Copy)]
pub(in crate::note) struct Said<'a> {
    pub(in crate::note) finding: &'a Provenance,
    /// Whether the line stands on all its words. That something is prescribed is said by the line of each drug, which stands on its own.
    cited: bool,
}

/// One sentence, and the findings of the note that it says.
pub(in crate::note) struct Line<'a> {
    pub(in crate::note) text: PatientText,
    pub(in crate::note) says: Vec<Said<'a>>,
}

impl Line<'_> {
    /// With where its findings came from. Nothing for a line that says nothing.
    pub(in crate::note) fn sentence(&self) -> Option<Sentence> {
        Some(Sentence { text: self.text.clone(), reworded_from: None, provenance: of_all(&self.says)? })
    }
}

/// Heard where a span of any finding is known, or else typed as the first of them was. Nothing for none.
fn of_all(says: &[Said<'_>]) -> Option<Provenance> {
    let spans = says.iter().filter(|said| said.cited).flat_map(|said| said.finding.spans().iter().copied()).collect();
    let heard = Evidence::new(spans).map(Provenance::from).ok();
    heard.or_else(|| says.first().map(|typed| typed.finding.clone()))
}

/// Words for one finding and where it came from.
#[derive(Clone)]
pub(in crate::note) struct Phrase<'a> {
    pub(super) words: String,
    says: Vec<Said<'a>>,
}

impl<'a> Phrase<'a> {
    pub(super) fn new(words: impl Into<String>, provenance: &'a Provenance) -> Self {
        Self { words: words.into(), says: vec![Said { finding: provenance, cited: true }] }
    }

    /// A line each.
    pub(in crate::note) fn lines(phrases: Vec<Self>, language: Language) -> Vec<Line<'a>> {
        each("", phrases, language)
    }

    /// The words of all with what they say, those of the same words once.
    pub(in crate::note) fn joined(phrases: Vec<Self>, language: Language) -> (String, Vec<Said<'a>>) {
        let phrases = said_once(phrases);
        let words: Vec<&str> = phrases.iter().map(|phrase| phrase.words.as_str()).collect();
        let words = words.join(language.pick(", ", "、"));
        (words, phrases.into_iter().flat_map(|phrase| phrase.says).collect())
    }

    /// Says another finding too.
    pub(super) fn rest_also_on(&mut self, provenance: &'a Provenance) {
        self.says.push(Said { finding: provenance, cited: true });
    }

    /// Says another finding too, of which the words stand in several lines.
    pub(super) fn also_says(&mut self, provenance: &'a Provenance) {
        self.says.push(Said { finding: provenance, cited: false });
    }

    /// The words as they are, with where they came from.
    pub(super) fn sentence(&self) -> Option<Sentence> {
        Some(Sentence { text: PatientText::from(self.words.as_str()), reworded_from: None, provenance: of_all(&self.says)? })
    }

    pub(super) fn spans(&self) -> impl Iterator<Item = &'a Span> {
        self.says.iter().filter(|said| said.cited).flat_map(|said| said.finding.spans())
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

fn line<'a>(text: &str, says: Vec<Said<'a>>) -> Line<'a> {
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
