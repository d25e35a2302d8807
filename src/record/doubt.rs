//! What a clinician should look at: what is in doubt, and what is easily misheard.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;

use crate::note::compose::misheard;
use crate::note::edit;
use crate::note::extract::MISSPELT_CONFIDENCE;
use crate::note::{AllergyStatus, Assertion, FindingKind, FindingRef, Note, SectionCode, Span};
use crate::speech::{Segment, Transcript};
use crate::terminology::Lexicon;
use crate::text::PatientText;

/// A finding below this confidence is only a suggestion. What merely sounds like a term has 0.6, what was spelt has 0.8 and more.
pub const LOW_CONFIDENCE: f64 = 0.7;

/// A word that the recogniser was less sure of than this marks the line that rests on it.
pub const UNSURE_WORD: f64 = 0.5;

/// Why a finding is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// Its words are not spelt as the term and only sound so.
    Sound,
    /// Its confidence is below [`LOW_CONFIDENCE`].
    Confidence,
}

/// A finding that has to be accepted, dropped or coded anew before the note can be signed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Doubt {
    /// Which.
    pub finding: FindingRef,
    /// Why.
    pub why: Why,
    /// What it would be, in English.
    pub en: String,
    /// What it would be, in Chinese where it has a Chinese name.
    pub zh: Option<String>,
    /// What was heard.
    pub heard: PatientText,
    /// Where.
    pub evidence: Vec<Span>,
    /// 0 to 1.
    pub confidence: f64,
}

/// What in a line is easily misheard and does harm then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// A finding that is in doubt.
    Doubt,
    /// Words that the recogniser was unsure of.
    Unsure,
    /// Something is denied.
    Negation,
    /// A dose.
    Dose,
    /// A side of the body.
    Side,
}

/// A line with its findings and its marks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MarkedLine {
    /// The line's section.
    pub section: SectionCode,
    /// Its place there, from 0.
    pub index: usize,
    /// What it says.
    pub findings: Vec<FindingRef>,
    /// In a fixed order, each once.
    pub marks: Vec<Mark>,
    /// The first words of a person's line that are unknown: what a code would be given to.
    pub term: Option<PatientText>,
}

/// What is open, in the order of the note.
#[must_use]
pub fn open_doubts(note: &Note) -> Vec<Doubt> {
    note.findings().into_iter().filter_map(|finding| doubt(note, finding)).collect()
}

/// Every line of the note, with the marks of its findings and of the words that it rests on.
#[must_use]
pub fn marked_lines(note: &Note, transcript: &Transcript, lexicon: &Lexicon) -> Vec<MarkedLine> {
    let unsure: BTreeMap<u64, Vec<Range<usize>>> =
        transcript.segments.iter().map(|segment| (segment.id, unsure_places(segment))).collect();
    let is_unsure = |span: &Span| {
        let mut places = unsure.get(&span.segment()).into_iter().flatten();
        places.any(|place| place.start < span.end() && span.start() < place.end)
    };
    let lines = note.lines_with_findings().into_iter().map(|line| {
        let mut marks: Vec<Mark> = line.findings.iter().flat_map(|finding| marks(note, *finding)).collect();
        // What a person wrote or changed does not rest on how sure the recogniser was.
        let sentence = note.sections.iter().find(|section| section.code == line.section);
        let sentence = sentence.and_then(|section| section.sentences.get(line.index));
        let heard = sentence.filter(|sentence| !sentence.provenance.is_by_a_person());
        if heard.is_some_and(|heard| heard.provenance.spans().iter().any(is_unsure)) {
            marks.push(Mark::Unsure);
        }
        marks.sort_unstable();
        marks.dedup();
        let term = sentence.and_then(|sentence| edit::term(note, line.section, sentence, lexicon));
        MarkedLine { section: line.section, index: line.index, findings: line.findings, marks, term }
    });
    lines.collect()
}

fn doubt(note: &Note, finding: FindingRef) -> Option<Doubt> {
    let evidence = note.provenance(finding)?.spans().to_vec();
    let (en, zh, heard, by_sound, confidence) = match finding.kind {
        FindingKind::Condition => {
            let found = note.conditions.get(finding.index)?;
            (
                found.display.en.clone(),
                Some(found.display.zh.clone()),
                found.text.clone(),
                found.sounds_like.is_some(),
                found.confidence,
            )
        }
        FindingKind::Medication => {
            let found = note.medications.get(finding.index)?;
            (found.name.clone(), None, misheard(found).into(), found.sounds_like.is_some(), found.confidence)
        }
        FindingKind::Allergy => {
            let found = note.allergies.get(finding.index)?;
            let zh = Some(format!("對 {} 過敏", found.substance));
            (format!("allergy to {}", found.substance), zh, found.heard_as.clone()?, true, MISSPELT_CONFIDENCE)
        }
        _ => return None,
    };
    let why = match by_sound {
        true => Why::Sound,
        false if confidence < LOW_CONFIDENCE => Why::Confidence,
        false => return None,
    };
    Some(Doubt { finding, why, en, zh, heard, evidence, confidence })
}

fn marks(note: &Note, finding: FindingRef) -> Vec<Mark> {
    let mut marks: Vec<Mark> = doubt(note, finding).map(|_| Mark::Doubt).into_iter().collect();
    let FindingRef { kind, index } = finding;
    match kind {
        FindingKind::Condition => {
            let found = note.conditions.get(index);
            marks.extend(found.filter(|found| found.assertion == Assertion::Absent).map(|_| Mark::Negation));
            marks.extend(found.and_then(|found| found.laterality).map(|_| Mark::Side));
        }
        // 朝早十六度夜晚八度 is a dose too, told in words alone.
        FindingKind::Medication => {
            let dosed = note.medications.get(index).filter(|drug| drug.dose.is_some() || drug.instruction.is_some());
            marks.extend(dosed.map(|_| Mark::Dose));
        }
        FindingKind::Allergy => {
            let none = note.allergies.get(index).filter(|allergy| allergy.status == AllergyStatus::None);
            marks.extend(none.map(|_| Mark::Negation));
        }
        // 右膝照 X 光, 轉介左眼白內障手術.
        FindingKind::Plan => {
            let sided = note.plan.get(index).filter(|item| says_a_side(item.text.reveal()));
            marks.extend(sided.map(|_| Mark::Side));
        }
        FindingKind::Observation | FindingKind::Social => {}
    }
    marks
}

fn says_a_side(words: &str) -> bool {
    let english = |word: &str| ["left", "right"].iter().any(|side| word.eq_ignore_ascii_case(side));
    words.contains(['左', '右']) || words.split(|c: char| !c.is_ascii_alphabetic()).any(english)
}

/// How many characters behind the last word that was found the next one is looked for: spaces, marks, and a number written shorter or
/// longer than it was said.
const NEAR: usize = 12;

/// Where the words stand that the recogniser was unsure of, in characters.
///
/// Numbers may be written otherwise than they were said. Such a word is not found, and stands between those that are.
fn unsure_places(segment: &Segment) -> Vec<Range<usize>> {
    let text: Vec<char> = segment.text.reveal().chars().collect();
    let mut places = Vec::new();
    // Where the last word that was found ends, how much was said since, and whether any of it is in doubt.
    let (mut from, mut passed, mut waiting) = (0, 0, false);
    for word in segment.words.iter().flatten() {
        let said: Vec<char> = word.text.reveal().trim().chars().collect();
        let unsure = word.confidence.is_some_and(|confidence| confidence < UNSURE_WORD);
        let until = text.len().min(from + passed + NEAR + said.len());
        let ahead = text.get(from..until).unwrap_or_default();
        let found = ahead.windows(said.len().max(1)).position(|here| here == said.as_slice()).map(|skipped| from + skipped);
        let Some(start) = found else {
            passed += said.len();
            waiting |= unsure;
            continue;
        };
        let end = start + said.len();
        places.extend((waiting && from < start).then_some(from..start));
        places.extend(unsure.then_some(start..end));
        (from, passed, waiting) = (end, 0, false);
    }
    places.extend((waiting && from < text.len()).then_some(from..text.len()));
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::Word;

    fn places(text: &str, words: &[(&str, f64)]) -> Vec<String> {
        let word = |(text, confidence): &(&str, f64)| Word {
            text: (*text).into(),
            start_ms: 0,
            end_ms: 1,
            confidence: Some(*confidence),
        };
        let segment = Segment {
            id: 0,
            start_ms: None,
            end_ms: None,
            speaker: None,
            text: text.into(),
            confidence: None,
            words: Some(words.iter().map(word).collect()),
            tokens: None,
        };
        let text: Vec<char> = text.chars().collect();
        unsure_places(&segment).into_iter().map(|place| text[place].iter().collect()).collect()
    }

    #[test]
    fn a_word_that_stands_far_ahead_too_is_not_taken_for_that() {
        // 二 was written 2, and stands again as a word of its own at the end.
        let text = "每日2次，頭痛同埋有啲作嘔同埋頭暈，要再覆診，星期二";
        let words =
            [("每日", 0.9), ("二", 0.9), ("次", 0.9), ("頭痛", 0.3), ("作嘔", 0.9), ("頭暈", 0.2), ("星期", 0.9), ("二", 0.1)];
        assert_eq!(places(text, &words), ["頭痛", "頭暈", "二"]);
    }

    #[test]
    fn a_number_that_is_written_otherwise_stands_between_its_neighbours() {
        let said =
            [("pressure", 0.9), ("one", 0.2), ("forty", 0.9), ("five", 0.9), ("over", 0.9), ("ninety", 0.9), ("today", 0.4)];
        assert_eq!(places("pressure 145/90 today", &said), [" 145/90 ", "today"]);
        assert_eq!(places("pressure 145/90", &said[..6]), [" 145/90"]);
        assert_eq!(places("pressure", &[("pressure", 0.9)]), [""; 0]);
    }
}
