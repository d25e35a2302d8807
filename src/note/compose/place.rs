//! In which section a finding is said.

use super::super::{Assertion, Code, Condition, Medication, MedicationStatus, SectionCode};
use crate::terminology::{Concept, Lexicon};

pub(super) const ICD10: &str = "http://hl7.org/fhir/sid/icd-10";
const ICPC2: &str = "http://hl7.org/fhir/sid/icpc-2";

/// Categories of ICD-10 chapter R that are found by looking, not told: murmurs, blood pressure reading, enlarged organs and nodes,
/// ascites, abnormal reflex, and findings in blood, urine, other fluids and imaging.
const SIGNS: [&str; 9] = ["R01", "R03", "R16", "R18", "R29.2", "R59", "R7", "R8", "R9"];

/// S for symptoms, for what is denied and for the history; O for signs; A for what the patient has or may have.
///
/// A symptom is a condition of ICD-10 chapter R, or one whose ICPC-2 code is of component 1 (numbers 01 to 29, symptoms and
/// complaints): low back pain is M54.5 in ICD-10, L03 in ICPC-2.
#[must_use]
pub fn condition_section(condition: &Condition) -> SectionCode {
    section_by(&condition.codes, condition.assertion)
}

fn section_by(codes: &[Code], assertion: Assertion) -> SectionCode {
    let of = |system: &str| codes.iter().find(|code| code.system == system).map(|code| code.code.as_str());
    let (icd10, icpc2) = (of(ICD10).unwrap_or_default(), of(ICPC2).unwrap_or_default());
    let sign = SIGNS.iter().any(|sign| icd10.starts_with(sign));
    let symptom = icd10.starts_with('R') || is_complaint(icpc2);
    match assertion {
        Assertion::Historical | Assertion::Family => SectionCode::S,
        _ if sign => SectionCode::O,
        Assertion::Absent => SectionCode::S,
        Assertion::Present | Assertion::Possible if symptom => SectionCode::S,
        Assertion::Present | Assertion::Possible => SectionCode::A,
    }
}

/// Where a concept stands that somebody has or takes; nothing for what the lexicon does not have.
#[must_use]
pub fn section_of(concept: &Concept, lexicon: &Lexicon) -> Option<SectionCode> {
    if lexicon.drug(concept).is_some() {
        return Some(SectionCode::S);
    }
    let codes = lexicon.condition(concept)?.codes();
    let codes: Vec<Code> = codes.into_iter().map(|(system, code)| Code { system, code }).collect();
    Some(section_by(&codes, Assertion::Present))
}

/// ICPC-2: a chapter letter and two digits; 01 to 29 are symptoms and complaints.
fn is_complaint(icpc2: &str) -> bool {
    icpc2.get(1..3).and_then(|digits| digits.parse::<u8>().ok()).is_some_and(|number| (1..=29).contains(&number))
}

/// S for what is taken, P for what is started or stopped.
#[must_use]
pub fn medication_section(medication: &Medication) -> SectionCode {
    match medication.status {
        MedicationStatus::Active => SectionCode::S,
        MedicationStatus::Planned | MedicationStatus::Stopped => SectionCode::P,
    }
}
