//! O: what was measured and found.

use super::measured::{Reading, fever_of, readings};
use super::sentence::{Line, Phrase, each, list};
use super::{Language, Part, condition_section, names, wording};
use crate::note::{Assertion, Note, Observation, SectionCode};

/// LOINC codes and what a record calls them; the others go by their own names.
pub(in crate::note) const SHORT: [(&str, &str, &str); 13] = [
    ("8480-6", "SBP", "收縮壓"),
    ("8462-4", "DBP", "舒張壓"),
    ("8867-4", "P", "脈搏"),
    ("8310-5", "T", "體溫"),
    ("59408-5", "SpO2", "血氧"),
    ("29463-7", "BW", "體重"),
    ("8302-2", "BH", "身高"),
    ("9279-1", "RR", "呼吸"),
    ("4548-4", "HbA1c", "糖化血紅素"),
    ("22748-8", "LDL", "低密度膽固醇"),
    ("14682-9", "Cr", "肌酸酐"),
    ("33914-3", "eGFR", "腎小球濾過率"),
    ("718-7", "Hb", "血紅素"),
];

/// A line a reading, and one of all signs.
pub(super) fn lines(part: Part, note: &Note, language: Language) -> Vec<Line<'_>> {
    let phrases = phrases(part, note, language);
    match part {
        Part::Measurements => each("", phrases, language),
        _ => list("", phrases, language).into_iter().collect(),
    }
}

/// The words of a part of O; nothing for a part of another section.
pub(super) fn phrases(part: Part, note: &Note, language: Language) -> Vec<Phrase<'_>> {
    match part {
        Part::Measurements => {
            readings(&note.observations).into_iter().map(|reading| reading_phrase(note, reading, language)).collect()
        }
        Part::Signs => signs(note, language),
        _ => Vec::new(),
    }
}

/// Signs that are there, may be there and are not there.
fn signs(note: &Note, language: Language) -> Vec<Phrase<'_>> {
    let sign = |assertion, before: &'static str| {
        let signs = note.conditions.iter().filter(move |c| c.assertion == assertion && condition_section(c) == SectionCode::O);
        signs.map(move |sign| match assertion {
            Assertion::Present => names::with_duration(sign, language),
            _ => names::after(before, sign, language),
        })
    };
    sign(Assertion::Present, "")
        .chain(sign(Assertion::Possible, language.pick("?", "懷疑")))
        .chain(sign(Assertion::Absent, language.pick("no ", "無")))
        .collect()
}

fn reading_phrase<'a>(note: &'a Note, reading: Reading<'a>, language: Language) -> Phrase<'a> {
    match reading {
        Reading::BloodPressure { systolic, diastolic } => {
            let name = language.pick("BP", "血壓");
            let mut phrase = Phrase::new(format!("{name} {}/{}", systolic.value, diastolic.value), &systolic.provenance);
            phrase.rest_also_on(&diastolic.provenance);
            phrase
        }
        Reading::Single(observation) => {
            let mut phrase = single(observation, language);
            // T 38.5 says that there is a fever.
            if let Some(fever) = fever_of(note, observation) {
                phrase.rest_also_on(&fever.provenance);
            }
            phrase
        }
    }
}

fn single(observation: &Observation, language: Language) -> Phrase<'_> {
    let short = SHORT.iter().find(|(loinc, ..)| *loinc == observation.loinc);
    let name = short.map_or(observation.display.as_str(), |(_, english, chinese)| language.pick(english, chinese));
    let unit = wording::unit(&observation.unit);
    let space = if unit.is_empty() || unit == "%" || unit.starts_with('/') { "" } else { " " };
    Phrase::new(format!("{name} {}{space}{unit}", observation.value), &observation.provenance)
}
