//! A: what the patient has, and what may be.

use super::sentence::{Line, Phrase, list};
use super::{Language, condition_section, names};
use crate::note::{Assertion, Note, SectionCode};

pub(super) fn lines(note: &Note, language: Language) -> Vec<Line<'_>> {
    list(language.pick("Imp: ", "診斷："), phrases(note, language), language).into_iter().collect()
}

/// The diagnoses, certain ones first.
pub(super) fn phrases(note: &Note, language: Language) -> Vec<Phrase<'_>> {
    let diagnoses =
        |assertion| note.conditions.iter().filter(move |c| c.assertion == assertion && condition_section(c) == SectionCode::A);
    let certain = diagnoses(Assertion::Present).map(|c| names::with_duration(c, language));
    let possible = diagnoses(Assertion::Possible).map(|c| names::after(language.pick("?", "懷疑"), c, language));
    certain.chain(possible).collect()
}
