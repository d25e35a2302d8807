//! Which finding belongs to which domain of sharable data.
//!
//! The domains are those of Hong Kong's electronic health record. Each finding belongs to one of them; `Notes` is the note itself,
//! every line of it, and so has all that was written. A patient who leaves it out shares findings without the prose around them.

use crate::consent::Domain;
use crate::note::{Medication, Note, Observation, PlanItem, PlanKind};

/// What ATC calls vaccines.
const VACCINES: &str = "J07";

/// The note with nothing but what belongs to this domain, its lines left out: they are rendered from what is left. `Notes` has the
/// lines and all findings; what led to nothing is never in it, and where a finding was heard neither.
#[must_use]
pub fn only(note: &Note, domain: Domain) -> Note {
    let mut part = note.clone();
    part.uncovered.clear();
    if domain == Domain::Notes {
        return part;
    }
    part.sections.clear();
    part.social.clear();
    part.allergies.retain(|_| domain == Domain::Allergies);
    part.conditions.retain(|_| domain == Domain::DiagnosesAndMedication);
    part.medications.retain(|medication| of_medication(medication) == domain);
    part.observations.retain(|observation| of_observation(observation) == domain);
    part.plan.retain(|item| of_plan(item) == Some(domain));
    part
}

fn of_medication(medication: &Medication) -> Domain {
    let vaccine = medication.atc.as_deref().is_some_and(|code| code.starts_with(VACCINES));
    if vaccine { Domain::BirthAndImmunisation } else { Domain::DiagnosesAndMedication }
}

fn of_observation(observation: &Observation) -> Domain {
    if observation.is_vital_sign() { Domain::OtherInvestigations } else { Domain::LaboratoryAndRadiology }
}

/// Advice on living belongs to the note alone.
fn of_plan(item: &PlanItem) -> Option<Domain> {
    match item.kind {
        PlanKind::Referral => Some(Domain::Referrals),
        PlanKind::FollowUp | PlanKind::SickLeave => Some(Domain::Encounters),
        PlanKind::Prescription | PlanKind::Procedure => Some(Domain::DiagnosesAndMedication),
        PlanKind::Investigation => Some(Domain::OtherInvestigations),
        PlanKind::Lifestyle => None,
    }
}
