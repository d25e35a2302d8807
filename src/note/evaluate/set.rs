//! One consultation of a set, as `shared/eval/README.md` describes it.

use serde::Deserialize;

use crate::note::{AllergyStatus, Assertion, MedicationStatus, PlanKind, Quantity};
use crate::speech::{Segment, TRANSCRIPT_SCHEMA, Transcript};
use crate::text::PatientText;

/// A consultation and what a careful coder would write down.
#[derive(Debug, Deserialize)]
pub struct Item {
    /// Its name in the set.
    pub id: String,
    /// What was said.
    pub turns: Vec<Turn>,
    /// What should be found.
    pub gold: Gold,
}

/// One turn.
#[derive(Debug, Deserialize)]
pub struct Turn {
    /// `doctor`, `patient`, `relative`, or unknown.
    #[serde(default)]
    pub speaker: Option<String>,
    /// The words.
    pub text: PatientText,
}

/// What should be found.
#[derive(Debug, Deserialize)]
#[serde(default)]
#[derive(Default)]
pub struct Gold {
    /// Diseases, symptoms and signs.
    pub conditions: Vec<GoldCondition>,
    /// ICPC-2 of those present or possible.
    pub icpc2: Vec<GoldCode>,
    /// Drugs.
    pub medications: Vec<GoldMedication>,
    /// Allergies, and that there are none.
    pub allergies: Vec<GoldAllergy>,
    /// Vital signs.
    pub vitals: Vec<GoldObservation>,
    /// Laboratory values.
    pub labs: Vec<GoldObservation>,
    /// The plan.
    pub plan: Vec<GoldPlan>,
    /// Categories that must not come out as there.
    pub must_not_code: Vec<String>,
}

/// A condition: its code, what else is accepted, and the words.
#[derive(Debug, Deserialize)]
pub struct GoldCondition {
    /// WHO ICD-10.
    pub icd10: String,
    /// Codes accepted as well.
    #[serde(default)]
    pub alt: Vec<String>,
    /// What is claimed.
    pub assertion: Assertion,
    /// The words that name it.
    #[serde(default)]
    pub mention: String,
}

/// A code.
#[derive(Debug, Deserialize)]
pub struct GoldCode {
    /// The code.
    pub code: String,
}

/// A drug.
#[derive(Debug, Deserialize)]
pub struct GoldMedication {
    /// British generic name.
    pub name: String,
    /// What is taken at one time; nothing: not judged.
    pub dose: Option<Quantity>,
    /// Times a day; nothing: not judged.
    pub times_per_day: Option<f64>,
    /// What is done with it.
    pub status: MedicationStatus,
}

/// An allergy.
#[derive(Debug, Deserialize)]
pub struct GoldAllergy {
    /// The substance.
    pub substance: String,
    /// Whether there is one.
    pub status: AllergyStatus,
}

/// A measured value.
#[derive(Debug, Deserialize)]
pub struct GoldObservation {
    /// LOINC.
    pub loinc: String,
    /// The value.
    pub value: f64,
    /// UCUM.
    pub unit: String,
}

/// A plan item.
#[derive(Debug, Deserialize)]
pub struct GoldPlan {
    /// What sort.
    pub kind: PlanKind,
    /// When or for how long; nothing: not judged.
    pub days: Option<f64>,
}

impl Item {
    /// The turns as a transcript, each its own segment.
    #[must_use]
    pub fn transcript(&self) -> Transcript {
        let segment = |(id, turn): (u64, &Turn)| Segment {
            id,
            start_ms: None,
            end_ms: None,
            speaker: turn.speaker.clone(),
            text: turn.text.clone(),
            confidence: None,
            words: None,
            tokens: None,
        };
        Transcript {
            schema: TRANSCRIPT_SCHEMA.to_owned(),
            language: "yue".to_owned(),
            model: None,
            audio: None,
            segments: (0..).zip(&self.turns).map(segment).collect(),
        }
    }
}
