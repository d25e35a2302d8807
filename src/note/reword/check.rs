//! Whether other words say what a line says, and nothing else.

use super::marks::{Mark, Reader, claim_the_same};
use super::terms;
use crate::note::compose::Language;
use crate::note::edit::claimed;
use crate::note::{MedicationStatus, Note, SectionCode};
use crate::terminology::Lexicon;

/// A line of ours that can be checked against.
pub(super) struct Line<'a> {
    section: SectionCode,
    lexicon: &'a Lexicon,
    reader: Reader,
    marks: Vec<Mark>,
    facts: Vec<String>,
    /// Characters of the longest that may be written for it.
    longest: usize,
}

impl<'a> Line<'a> {
    /// The line that says these findings. Nothing where a word of it is neither theirs nor one that is known (as where it quotes what was
    /// said), or where reading it gives anything but them: what cannot be checked is not reworded.
    pub(super) fn new(
        section: SectionCode,
        line: &str,
        findings: Note,
        (language, lexicon): (Language, &'a Lexicon),
    ) -> Option<Self> {
        let reader = Reader::new(language, &terms::forms(&findings, language), &terms::units(&findings));
        let (marks, facts) = (reader.read(line)?, facts(&findings));
        let readable = !facts.is_empty() && facts == self::facts(&claimed(section, line, lexicon));
        let longest = 4 * line.chars().count() + 80;
        readable.then_some(Self { section, lexicon, reader, marks, facts, longest })
    }

    /// Whether these words say the same.
    pub(super) fn is_said_by(&self, words: &str) -> bool {
        let fits = words.chars().count() <= self.longest && !words.chars().any(char::is_control);
        fits && self.reader.read(words).is_some_and(|marks| claim_the_same(&self.marks, &marks))
            && facts(&claimed(self.section, words, self.lexicon)) == self.facts
    }
}

/// What findings claim, without the words that they were heard in and where, in a fixed order. A drug that is changed is the changed
/// one: how it was taken before is said behind it, and read by its marks.
fn facts(findings: &Note) -> Vec<String> {
    let mut facts = Vec::new();
    for one in &findings.conditions {
        let codes: Vec<&str> = one.codes.iter().map(|code| code.code.as_str()).collect();
        facts.push(format!("{:?} {codes:?} {:?} {:?} {:?}", one.display, one.assertion, one.laterality, one.duration_days));
    }
    let changed = |name: &str| findings.medications.iter().any(|d| d.status == MedicationStatus::Planned && d.name == name);
    for one in &findings.medications {
        if one.status != MedicationStatus::Active || !changed(&one.name) {
            let how = (&one.dose, one.times_per_day, one.prn, one.duration_days, one.status);
            facts.push(format!("{} {:?} {how:?}", one.name, one.atc));
        }
    }
    facts.extend(findings.allergies.iter().map(|one| format!("{} {:?}", one.substance, one.status)));
    facts.extend(findings.observations.iter().map(|one| format!("{} {} {}", one.loinc, one.value, one.unit)));
    facts.extend(findings.plan.iter().map(|one| format!("{:?} {:?}", one.kind, one.days)));
    facts.extend(findings.social.iter().map(|one| format!("{} {}", one.kind, one.text.reveal())));
    facts.sort_unstable();
    facts
}
