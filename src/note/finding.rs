//! Findings by their place, whatever kind they are of.

use serde::{Deserialize, Serialize};

use super::compose::{self, Language, Line};
use super::{Note, Provenance, SectionCode, Sentence};

/// Which list of a note a finding is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingKind {
    /// `conditions`.
    Condition,
    /// `medications`.
    Medication,
    /// `allergies`.
    Allergy,
    /// `observations`.
    Observation,
    /// `plan`.
    Plan,
    /// `social`.
    Social,
}

/// One finding of one version of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FindingRef {
    /// Its list.
    pub kind: FindingKind,
    /// Its place there, from 0.
    pub index: usize,
}

/// A line of a note, and the findings that it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidBy {
    /// The line's section.
    pub section: SectionCode,
    /// Its place there, from 0.
    pub index: usize,
    /// The findings, in the note's order.
    pub findings: Vec<FindingRef>,
}

impl Note {
    /// Every finding, list after list in the order of the document.
    #[must_use]
    pub fn findings(&self) -> Vec<FindingRef> {
        let lists = [
            (FindingKind::Condition, self.conditions.len()),
            (FindingKind::Medication, self.medications.len()),
            (FindingKind::Allergy, self.allergies.len()),
            (FindingKind::Observation, self.observations.len()),
            (FindingKind::Plan, self.plan.len()),
            (FindingKind::Social, self.social.len()),
        ];
        lists.into_iter().flat_map(|(kind, length)| (0..length).map(move |index| FindingRef { kind, index })).collect()
    }

    /// Where a finding came from; nothing where there is no such finding.
    #[must_use]
    pub fn provenance(&self, finding: FindingRef) -> Option<&Provenance> {
        let FindingRef { kind, index } = finding;
        match kind {
            FindingKind::Condition => self.conditions.get(index).map(|found| &found.provenance),
            FindingKind::Medication => self.medications.get(index).map(|found| &found.provenance),
            FindingKind::Allergy => self.allergies.get(index).map(|found| &found.provenance),
            FindingKind::Observation => self.observations.get(index).map(|found| &found.provenance),
            FindingKind::Plan => self.plan.get(index).map(|found| &found.provenance),
            FindingKind::Social => self.social.get(index).map(|found| &found.provenance),
        }
    }

    /// Whether a line that a person wrote says this finding.
    #[must_use]
    pub fn is_said_by_a_person(&self, finding: FindingRef) -> bool {
        let lines = self.sections.iter().flat_map(|section| &section.sentences);
        self.provenance(finding).is_some_and(|own| {
            lines.map(|line| &line.provenance).any(|provenance| provenance.is_by_a_person() && provenance == own)
        })
    }

    /// Every line with the findings that it says. A line of the machine is looked up among those that the findings give, in the
    /// language that it is written in; a person's says what has its provenance.
    #[must_use]
    pub fn lines_with_findings(&self) -> Vec<SaidBy> {
        let machine = self.without_what_people_say();
        let composed = [Language::English, Language::TraditionalChinese].map(|language| compose::lines(&machine, language));
        // The machine's findings keep their order among all: by counting them the lists are one again.
        let own: Vec<FindingRef> = self.findings().into_iter().filter(|finding| !self.is_said_by_a_person(*finding)).collect();
        let of_machine = |line: &Line<'_>| -> Vec<FindingRef> {
            let says = |provenance: &Provenance| line.says.iter().any(|said| std::ptr::eq(*said, provenance));
            own.iter().zip(machine.provenances()).filter(|(_, provenance)| says(provenance)).map(|(own, _)| *own).collect()
        };
        let of_person = |line: &Sentence| -> Vec<FindingRef> {
            self.findings().into_iter().filter(|finding| self.provenance(*finding) == Some(&line.provenance)).collect()
        };
        let mut all = Vec::new();
        for section in &self.sections {
            let mut rank = 0;
            for (index, line) in section.sentences.iter().enumerate() {
                let findings = if line.provenance.is_by_a_person() {
                    of_person(line)
                } else {
                    let same = composed.iter().find_map(|sections| nearest(sections, section.code, line, rank));
                    rank += 1;
                    same.map(of_machine).unwrap_or_default()
                };
                all.push(SaidBy { section: section.code, index, findings });
            }
        }
        all
    }
}

/// The composed line that reads like this one, the nearest where several do.
fn nearest<'a, 'b>(
    sections: &'b [(SectionCode, Vec<Line<'a>>); 4],
    code: SectionCode,
    line: &Sentence,
    rank: usize,
) -> Option<&'b Line<'a>> {
    let lines = sections.iter().filter(|(of, _)| *of == code).flat_map(|(_, lines)| lines.iter().enumerate());
    let rendered = line.as_rendered();
    let same = lines.filter(|(_, one)| one.sentence().as_ref() == Some(&rendered));
    same.min_by_key(|(own, _)| own.abs_diff(rank)).map(|(_, line)| line)
}
