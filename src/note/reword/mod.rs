//! Other words for the same findings, by a language model. Optional, and off unless somebody switches it on.
//!
//! ```text
//! line + its findings -> is it all controlled terms, and can it be checked?  -> no: it stays
//!                     -> the model writes                                    -> nothing, or no end: it stays
//!                     -> the same claims, by our own reading (reading)
//!                        and no word beside them (marks)?                    -> no: it stays
//!                     -> the model's words, with the line's own evidence; our own words are kept beside them
//! ```
//!
//! Invariant: what the model is shown is the composer's own words of controlled terms, numbers and units. No word that was said reaches
//! it: a line that quotes one is not asked about. What it writes is judged by rules that know nothing of it.

mod check;
mod marks;
mod prompt;
mod terms;
mod words;

pub use prompt::{LONGEST_ANSWER, system};

use self::check::Line;
use super::compose::Language;
use super::{FindingRef, Note, Sentence};
use crate::terminology::Lexicon;
use crate::text::PatientText;

/// What came of the lines of a note.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Have the model's words.
    pub reworded: usize,
    /// Were written anew and stay as they were: something was added, lost or changed.
    pub dropped: usize,
    /// Were given back as they were.
    pub unchanged: usize,
    /// Got no answer, or none that came to an end in time.
    pub unanswered: usize,
    /// Were not asked about: they quote what was said, a person wrote them, or they cannot be read back for sure.
    pub not_asked: usize,
}

impl Outcome {
    /// All lines.
    #[must_use]
    pub fn lines(self) -> usize {
        self.reworded + self.dropped + self.unchanged + self.unanswered + self.not_asked
    }
}

/// Has the lines of a composed note reworded by `write`, which gives what `model` makes of a line's own words, or nothing.
///
/// # Errors
/// What `write` fails with; the note is unchanged then.
pub fn reword<E>(
    note: &mut Note,
    (language, lexicon): (Language, &Lexicon),
    model: &str,
    mut write: impl FnMut(&str) -> Result<Option<PatientText>, E>,
) -> Result<Outcome, E> {
    let mut outcome = Outcome::default();
    let mut sections = note.sections.clone();
    let findings = note.lines_with_findings();
    let lines = sections.iter_mut().flat_map(|section| section.sentences.iter_mut().map(|line| (section.code, line)));
    for ((section, sentence), said) in lines.zip(findings) {
        let own = (!sentence.provenance.is_by_a_person()).then(|| note.of_findings(&said.findings));
        let Some(line) = own.and_then(|own| Line::new(section, sentence.text.reveal(), own, (language, lexicon))) else {
            outcome.not_asked += 1;
            continue;
        };
        match write(sentence.text.reveal())? {
            None => outcome.unanswered += 1,
            Some(written) if written.reveal().trim() == sentence.text.reveal() => outcome.unchanged += 1,
            Some(written) if line.is_said_by(written.reveal().trim()) => {
                *sentence = reworded(sentence, written.reveal().trim());
                outcome.reworded += 1;
            }
            Some(_) => outcome.dropped += 1,
        }
    }
    note.sections = sections;
    if outcome.reworded > 0 {
        note.made_by.wording = Some(model.to_owned());
    }
    Ok(outcome)
}

fn reworded(own: &Sentence, words: &str) -> Sentence {
    Sentence { text: words.into(), reworded_from: Some(own.text.clone()), provenance: own.provenance.clone() }
}

impl Note {
    /// The note with these findings alone.
    fn of_findings(&self, findings: &[FindingRef]) -> Self {
        let (mut part, mut all) = (self.clone(), self.findings().into_iter());
        part.retain(|_| all.next().is_some_and(|finding| findings.contains(&finding)));
        part
    }
}

#[cfg(test)]
mod tests;
