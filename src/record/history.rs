//! What was changed: who, when, from what to what; and what undoing leads back to.

use serde::{Deserialize, Serialize};

use super::RecordError;
use crate::note::{FindingKind, FindingRef, Note, SectionCode, Span};
use crate::text::PatientText;

/// What sort of change made a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// A line was replaced.
    Replace,
    /// A line was removed.
    Remove,
    /// A line was typed.
    Add,
    /// Words of the transcript were made a line.
    Phrase,
    /// A suggestion was accepted.
    Accept,
    /// A finding was dropped.
    Drop,
    /// A finding was given another code.
    Recode,
    /// Words of a person's line were given a code.
    Code,
    /// Words that led to nothing were dismissed.
    Dismiss,
    /// The last change was taken back.
    Undo,
    /// What was taken back was done again.
    Redo,
    /// Something was added to a signed note.
    Addendum,
}

/// What a client calls one change, so that the same sent again, after an answer that was lost, is made once: 16 to 64 letters, digits,
/// `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EditId(String);

impl TryFrom<String> for EditId {
    type Error = RecordError;

    fn try_from(id: String) -> Result<Self, RecordError> {
        let known = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if known && (16..=64).contains(&id.len()) { Ok(Self(id)) } else { Err(RecordError::NoEditId) }
    }
}

impl From<EditId> for String {
    fn from(id: EditId) -> Self {
        id.0
    }
}

/// What made a version of a note: the first is the machine's and has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The version that it made.
    pub version: u64,
    /// What was done.
    pub act: Act,
    /// The person.
    pub by: String,
    /// RFC 3339 time.
    pub at: String,
    /// What the client that made it calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<EditId>,
}

/// The version that the change of this id made since version `seen`, if it was made.
#[must_use]
pub fn made_before(changes: &[Change], seen: u64, id: &EditId) -> Option<u64> {
    let same = |change: &&Change| change.version > seen && change.id.as_ref() == Some(id);
    changes.iter().find(same).map(|change| change.version)
}

/// Which versions the next undo and the next redo bring back, where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Steps {
    /// The version before the last change that is not taken back.
    pub undo: Option<u64>,
    /// The version before the last undo, unless something else was done since.
    pub redo: Option<u64>,
}

/// Where an undo and a redo lead, from all changes in their order. An addendum cannot be undone, nor what came before it.
#[must_use]
pub fn steps(changes: &[Change]) -> Steps {
    let (mut undo, mut redo) = (Vec::new(), Vec::new());
    for change in changes {
        let before = change.version.saturating_sub(1);
        match change.act {
            Act::Undo => {
                undo.pop();
                redo.push(before);
            }
            Act::Redo => {
                redo.pop();
                undo.push(before);
            }
            Act::Addendum => {
                undo.clear();
                redo.clear();
            }
            _ => {
                undo.push(before);
                redo.clear();
            }
        }
    }
    Steps { undo: undo.pop(), redo: redo.pop() }
}

/// Where two versions differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In a line of a section.
    Line(SectionCode),
    /// In what a finding claims.
    Finding(FindingKind),
}

/// One difference between two versions: something that was, something that is, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where.
    pub place: Place,
    /// Nothing where it came new.
    pub was: Option<PatientText>,
    /// Nothing where it went.
    pub now: Option<PatientText>,
}

/// What differs, the lines first and then what the findings claim. No differences: the versions say the same.
#[must_use]
pub fn differences(was: &Note, now: &Note) -> Vec<Difference> {
    let mut found = Vec::new();
    for code in [SectionCode::S, SectionCode::O, SectionCode::A, SectionCode::P] {
        let pairs = paired(&lines(was, code), &lines(now, code));
        found.extend(pairs.into_iter().map(|(was, now)| Difference { place: Place::Line(code), was, now }));
    }
    for kind in [FindingKind::Condition, FindingKind::Medication, FindingKind::Allergy, FindingKind::Observation] {
        let pairs = paired(&claims(was, kind), &claims(now, kind));
        found.extend(pairs.into_iter().map(|(was, now)| Difference { place: Place::Finding(kind), was, now }));
    }
    found
}

/// Words and what they rest on.
type Said<'a> = (PatientText, &'a [Span]);

fn lines(note: &Note, code: SectionCode) -> Vec<Said<'_>> {
    let lines = note.sections.iter().filter(|section| section.code == code).flat_map(|section| &section.sentences);
    lines.map(|line| (line.text.clone(), line.provenance.spans())).collect()
}

/// What the findings of a kind claim, in words.
fn claims(note: &Note, kind: FindingKind) -> Vec<Said<'_>> {
    let of_kind = note.findings().into_iter().filter(|finding| finding.kind == kind);
    of_kind.filter_map(|finding| Some((claim(note, finding)?, note.provenance(finding)?.spans()))).collect()
}

fn claim(note: &Note, FindingRef { kind, index }: FindingRef) -> Option<PatientText> {
    let words = match kind {
        FindingKind::Condition => {
            let found = note.conditions.get(index)?;
            let codes: Vec<&str> = found.codes.iter().map(|code| code.code.as_str()).collect();
            let side = found.laterality.map(|side| format!(", {side:?}").to_lowercase()).unwrap_or_default();
            let assertion = format!("{:?}", found.assertion).to_lowercase();
            let doubt = if found.sounds_like.is_some() { "?" } else { "" };
            format!("{doubt}{} ({}): {assertion}{side}", found.display.en, codes.join(", "))
        }
        FindingKind::Medication => {
            let found = note.medications.get(index)?;
            let dose = found.dose.as_ref().map(|dose| format!(" {} {}", dose.value, dose.unit)).unwrap_or_default();
            let doubt = if found.sounds_like.is_some() { "?" } else { "" };
            format!("{doubt}{}{dose}: {}", found.name, format!("{:?}", found.status).to_lowercase())
        }
        FindingKind::Allergy => {
            let found = note.allergies.get(index)?;
            let doubt = if found.heard_as.is_some() { "?" } else { "" };
            format!("{doubt}{}: {}", found.substance, format!("{:?}", found.status).to_lowercase())
        }
        FindingKind::Observation => {
            let found = note.observations.get(index)?;
            format!("{} {} {}", found.display, found.value, found.unit)
        }
        FindingKind::Plan | FindingKind::Social => return None,
    };
    Some(words.into())
}

/// What is only on one side, what rests on the same words as one pair. Repeats count.
fn paired(was: &[Said<'_>], now: &[Said<'_>]) -> Vec<(Option<PatientText>, Option<PatientText>)> {
    let mut new: Vec<Option<&Said<'_>>> = now.iter().map(Some).collect();
    let mut gone: Vec<&Said<'_>> = Vec::new();
    for before in was {
        match new.iter_mut().find(|after| after.is_some_and(|after| after.0 == before.0)) {
            Some(same) => *same = None,
            None => gone.push(before),
        }
    }
    let mut pairs = Vec::new();
    for before in gone {
        let same_words = |after: &Said<'_>| !before.1.is_empty() && after.1.iter().any(|span| before.1.contains(span));
        let after = new.iter_mut().find(|after| after.is_some_and(same_words)).and_then(Option::take);
        pairs.push((Some(before.0.clone()), after.map(|after| after.0.clone())));
    }
    pairs.extend(new.into_iter().flatten().map(|after| (None, Some(after.0.clone()))));
    pairs
}
