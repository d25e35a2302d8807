//! A: what the patient has, and what may be.

use super::sentence::{Line, Phrase, list};
use super::{Language, condition_section, names};
use crate::note::{Assertion, Note, SectionCode};

pub(super) fn lines(note: &Note, language: Language) -> Vec<Line<'_>> {
    let diagnoses =
        |assertion| note.conditions.iter().filter(move |c| c.assertion == assertion && condition_section(c) == SectionCode::A);
    let certain = diagnoses(Assertion::Present).map(|c| names::with_duration(c, language));
    let possible = diagnoses(Assertion::Possible).map(|c| names::after(language.pick("?", "懷疑"), c, language));
    let phrases: Vec<Phrase<'_>> = certain.chain(possible).collect();
    list(language.pick("Imp: ", "診斷："), phrases, language).into_iter().collect()
}
