//! The parts that sections are made of: what a template and a letter name.

use super::sentence::{Line, Phrase};
use super::{Language, assessment, objective, plan, subjective};
use crate::note::{Note, PlanKind, SectionCode};

/// A part of a section, in the order in which a note says them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Symptoms that the patient has or may have.
    Complaints,
    /// What is denied.
    Denied,
    /// Past conditions.
    History,
    /// Drugs taken, less those whose change the plan names.
    Medications,
    /// Allergies, and that there are none.
    Allergies,
    /// What relatives have.
    Family,
    /// How the patient lives.
    Social,
    /// Vital signs and laboratory values.
    Measurements,
    /// Signs that are there, may be, and are not there.
    Signs,
    /// What the patient has and may have.
    Diagnoses,
    /// Drugs started, changed and stopped.
    Prescriptions,
    /// Tests.
    Investigations,
    /// What is done to the patient.
    Procedures,
    /// To other services.
    Referrals,
    /// Advice on living.
    Advice,
    /// Time off work.
    SickLeave,
    /// When to come back.
    FollowUp,
}

/// Every part with its section and its name in a template.
const PARTS: [(Part, SectionCode, &str); 17] = [
    (Part::Complaints, SectionCode::S, "complaints"),
    (Part::Denied, SectionCode::S, "denied"),
    (Part::History, SectionCode::S, "history"),
    (Part::Medications, SectionCode::S, "medications"),
    (Part::Allergies, SectionCode::S, "allergies"),
    (Part::Family, SectionCode::S, "family"),
    (Part::Social, SectionCode::S, "social"),
    (Part::Measurements, SectionCode::O, "measurements"),
    (Part::Signs, SectionCode::O, "signs"),
    (Part::Diagnoses, SectionCode::A, "diagnoses"),
    (Part::Prescriptions, SectionCode::P, "prescriptions"),
    (Part::Investigations, SectionCode::P, "investigations"),
    (Part::Procedures, SectionCode::P, "procedures"),
    (Part::Referrals, SectionCode::P, "referrals"),
    (Part::Advice, SectionCode::P, "advice"),
    (Part::SickLeave, SectionCode::P, "sick_leave"),
    (Part::FollowUp, SectionCode::P, "follow_up"),
];

impl Part {
    /// The parts of a section, in order.
    pub fn of(section: SectionCode) -> impl Iterator<Item = Self> {
        PARTS.into_iter().filter(move |(_, of, _)| *of == section).map(|(part, ..)| part)
    }

    /// The part with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        PARTS.into_iter().find(|(.., own)| *own == name).map(|(part, ..)| part)
    }

    /// Its name in a template.
    #[must_use]
    pub fn name(self) -> &'static str {
        PARTS.into_iter().find(|(part, ..)| *part == self).map_or("", |(.., name)| name)
    }

    /// The part of the plan that items of this kind are in.
    #[must_use]
    pub fn of_plan(kind: PlanKind) -> Self {
        match kind {
            PlanKind::Investigation => Self::Investigations,
            PlanKind::Referral => Self::Referrals,
            PlanKind::FollowUp => Self::FollowUp,
            PlanKind::SickLeave => Self::SickLeave,
            PlanKind::Lifestyle => Self::Advice,
            PlanKind::Prescription => Self::Prescriptions,
            PlanKind::Procedure => Self::Procedures,
        }
    }

    /// Its lines as a note says them.
    pub(super) fn lines(self, note: &Note, language: Language) -> Vec<Line<'_>> {
        match self.section() {
            SectionCode::S => subjective::lines(self, note, language),
            SectionCode::O => objective::lines(self, note, language),
            SectionCode::A => assessment::lines(note, language),
            SectionCode::P => plan::lines(self, note, language),
        }
    }

    /// Its words alone, one for each finding, without what a note puts before them.
    pub(in crate::note) fn phrases(self, note: &Note, language: Language) -> Vec<Phrase<'_>> {
        match self.section() {
            SectionCode::S => subjective::phrases(self, note, language),
            SectionCode::O => objective::phrases(self, note, language),
            SectionCode::A => assessment::phrases(note, language),
            SectionCode::P => plan::phrases(self, note, language, false),
        }
    }

    /// The section that it is in.
    #[must_use]
    pub fn section(self) -> SectionCode {
        PARTS.into_iter().find(|(part, ..)| *part == self).map_or(SectionCode::S, |(_, section, _)| section)
    }
}
