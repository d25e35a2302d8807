//! The note document, `cantoscribe/note/1`.

use serde::{Deserialize, Serialize};

use super::evidence::{Provenance, Span};
use super::speakers::SpeakerGuess;
use crate::text::PatientText;

/// The `schema` of the only note version there is.
pub const NOTE_SCHEMA: &str = "cantoscribe/note/1";

/// What a careful doctor would have written, each line with the words it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Always [`NOTE_SCHEMA`].
    pub schema: String,
    /// What made it.
    pub made_by: MadeBy,
    /// Diseases, symptoms and signs.
    pub conditions: Vec<Condition>,
    /// Drugs taken, started and stopped.
    pub medications: Vec<Medication>,
    /// Allergies, and that there are none.
    pub allergies: Vec<Allergy>,
    /// Vital signs and laboratory values of this visit.
    pub observations: Vec<Observation>,
    /// What will be done.
    pub plan: Vec<PlanItem>,
    /// Smoking, drinking, work.
    pub social: Vec<SocialItem>,
    /// S, O, A, P, in that order, rendered from the findings.
    pub sections: Vec<Section>,
    /// Clinically salient speech that led to nothing.
    pub uncovered: Vec<Uncovered>,
    /// Who most likely says the segments of which nobody knows it; no finding rests on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub speaker_guesses: Vec<SpeakerGuess>,
}

/// Version and inputs of the program that made a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeBy {
    /// Version of cantoscribe.
    pub version: String,
    /// Speech model, absent for typed text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// `exact`, `balanced` or `fast`, absent for typed text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
    /// Language model that reworded sentences, absent where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wording: Option<String>,
    /// SHA-256 of the lexicon tables.
    pub lexicon: String,
}

/// A code of a named system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// System's URI.
    pub system: String,
    /// The code.
    pub code: String,
}

/// A name in both languages of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Display {
    /// English.
    pub en: String,
    /// Traditional Chinese.
    pub zh: String,
}

/// What is claimed of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Assertion {
    /// The patient has it now.
    Present,
    /// Suspected, likely, or to be ruled out.
    Possible,
    /// Denied, or considered and excluded.
    Absent,
    /// Had it once.
    Historical,
    /// A relative has or had it.
    Family,
}

/// Side of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Laterality {
    /// Left.
    Left,
    /// Right.
    Right,
    /// Both sides.
    Bilateral,
}

/// A disease, symptom or sign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The words said.
    pub text: PatientText,
    /// Its name.
    pub display: Display,
    /// ICD-10 and ICPC-2 codes.
    pub codes: Vec<Code>,
    /// What is claimed of it.
    pub assertion: Assertion,
    /// For how long.
    pub duration_days: Option<f64>,
    /// Whether that was said roughly: 兩三日, 三個幾禮拜.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub duration_about: bool,
    /// On which side.
    pub laterality: Option<Laterality>,
    /// 0 to 1.
    pub confidence: f64,
    /// Its usual name, when the words said are not spelt so and only sound so: for the clinician to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sounds_like: Option<String>,
    /// Where it came from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

impl Condition {
    /// The words said, where they only sound like its name.
    #[must_use]
    pub fn heard_as(&self) -> Option<&str> {
        self.sounds_like.as_ref().map(|_| self.text.reveal())
    }
}

/// An amount with its UCUM unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    /// How much.
    pub value: f64,
    /// `mg`, `g`, `ug`, `mL`, `[IU]`, `%`, `{puff}`, `[drp]`, `{tbl}`.
    pub unit: String,
}

/// What is done with a drug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MedicationStatus {
    /// Taken now.
    Active,
    /// Started or changed today.
    Planned,
    /// Stopped.
    Stopped,
}

/// How a drug was taken before a change; its words are among the drug's evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FormerRegimen {
    /// What was taken at one time.
    pub dose: Option<Quantity>,
    /// Weekly is 0.14.
    pub times_per_day: Option<f64>,
}

/// A drug and how it is taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Medication {
    /// The words said.
    pub text: PatientText,
    /// British generic name in lower case, or the class said.
    pub name: String,
    /// ATC code where the name has one.
    pub atc: Option<String>,
    /// What is taken at one time.
    pub dose: Option<Quantity>,
    /// Weekly is 0.14.
    pub times_per_day: Option<f64>,
    /// Taken when needed.
    pub prn: bool,
    /// For how long.
    pub duration_days: Option<f64>,
    /// Whether the dose's unit was not said and is the drug's usual one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unit_implied: bool,
    /// How it was taken until now, where that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_from: Option<FormerRegimen>,
    /// The words that say how it is taken, where one dose and one frequency do not: 朝早十六度夜晚八度.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<PatientText>,
    /// What is done with it.
    pub status: MedicationStatus,
    /// 0 to 1: low also where it is planned for somebody who told of an allergy to its class.
    pub confidence: f64,
    /// Its usual name, when the words said are not spelt so and only sound so: for the clinician to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sounds_like: Option<String>,
    /// Where it came from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// Whether there is an allergy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AllergyStatus {
    /// There is.
    Present,
    /// The speaker said there is none.
    None,
}

/// An allergy of the patient, or that there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Allergy {
    /// [`Self::ANY_DRUG`] where no substance was named.
    pub substance: String,
    /// Whether there is one.
    pub status: AllergyStatus,
    /// The words said, when they are not spelt as the substance and only sound so: for the clinician to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_as: Option<PatientText>,
    /// Where it came from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

impl Allergy {
    /// The substance that stands for every drug.
    pub const ANY_DRUG: &str = "drug";

    /// Whether it says that there is no drug allergy at all.
    #[must_use]
    pub fn is_no_drug_allergy(&self) -> bool {
        self.status == AllergyStatus::None && self.substance == Self::ANY_DRUG
    }
}

/// A measured value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// LOINC code.
    pub loinc: String,
    /// Name of the measurement.
    pub display: String,
    /// The value.
    pub value: f64,
    /// UCUM unit.
    pub unit: String,
    /// Where it came from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// LOINC codes of FHIR's vital signs profiles (https://hl7.org/fhir/R4/observation-vitalsigns.html).
const VITAL_SIGNS: [&str; 9] = ["8480-6", "8462-4", "59408-5", "8867-4", "8310-5", "29463-7", "8302-2", "9279-1", "39156-5"];

impl Observation {
    /// Whether FHIR counts it among the vital signs.
    #[must_use]
    pub fn is_vital_sign(&self) -> bool {
        VITAL_SIGNS.contains(&self.loinc.as_str())
    }
}

/// What sort of thing will be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanKind {
    /// A test.
    Investigation,
    /// To another service.
    Referral,
    /// Come back.
    FollowUp,
    /// Off work.
    SickLeave,
    /// Advice on living.
    Lifestyle,
    /// A drug started, changed or stopped.
    Prescription,
    /// Something done to the patient.
    Procedure,
}

/// One thing that will be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanItem {
    /// What sort.
    pub kind: PlanKind,
    /// The words said.
    pub text: PatientText,
    /// When, or for how long.
    pub days: Option<f64>,
    /// Where it came from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// How the patient lives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SocialItem {
    /// `smoking`, `alcohol`, `occupation`, `living`, `exercise`, `drug_use`.
    pub kind: String,
    /// The words said.
    pub text: PatientText,
    /// Where it came from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// Which part of the note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SectionCode {
    /// Subjective.
    S,
    /// Objective.
    O,
    /// Assessment.
    A,
    /// Plan.
    P,
}

/// One part of the note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// Which part.
    pub code: SectionCode,
    /// Its sentences.
    pub sentences: Vec<Sentence>,
}

/// One sentence: rendered from findings, or written by a person, who is named then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sentence {
    /// In the section's language.
    pub text: PatientText,
    /// What was rendered from the findings, where a language model has put it in other words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reworded_from: Option<PatientText>,
    /// Where its findings came from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// Speech that looks clinical and led to nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Uncovered {
    /// Where.
    #[serde(flatten)]
    pub span: Span,
    /// Why it is listed.
    pub reason: String,
}

impl Sentence {
    /// As it was before a language model reworded it.
    pub(super) fn as_rendered(&self) -> Self {
        let text = self.reworded_from.as_ref().unwrap_or(&self.text).clone();
        Self { text, reworded_from: None, provenance: self.provenance.clone() }
    }
}

impl Note {
    /// A note with nothing in it, which is what silence gives.
    #[must_use]
    pub fn empty(made_by: MadeBy) -> Self {
        Self {
            schema: NOTE_SCHEMA.into(),
            made_by,
            conditions: Vec::new(),
            medications: Vec::new(),
            allergies: Vec::new(),
            observations: Vec::new(),
            plan: Vec::new(),
            social: Vec::new(),
            sections: Vec::new(),
            uncovered: Vec::new(),
            speaker_guesses: Vec::new(),
        }
    }

    /// Where each finding came from, in a fixed order.
    pub(super) fn provenances(&self) -> impl Iterator<Item = &Provenance> {
        let findings = self.conditions.iter().map(|finding| &finding.provenance);
        let findings = findings.chain(self.medications.iter().map(|finding| &finding.provenance));
        let findings = findings.chain(self.allergies.iter().map(|finding| &finding.provenance));
        let findings = findings.chain(self.observations.iter().map(|finding| &finding.provenance));
        let findings = findings.chain(self.plan.iter().map(|finding| &finding.provenance));
        findings.chain(self.social.iter().map(|finding| &finding.provenance))
    }

    /// Keeps the findings that are told to be kept, asked in the order of [`Self::provenances`].
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Provenance) -> bool) {
        self.conditions.retain(|finding| keep(&finding.provenance));
        self.medications.retain(|finding| keep(&finding.provenance));
        self.allergies.retain(|finding| keep(&finding.provenance));
        self.observations.retain(|finding| keep(&finding.provenance));
        self.plan.retain(|finding| keep(&finding.provenance));
        self.social.retain(|finding| keep(&finding.provenance));
    }

    /// The note less the findings that a line of a person says: they have that line's provenance.
    pub(crate) fn without_what_people_say(&self) -> Self {
        let lines = self.sections.iter().flat_map(|section| &section.sentences).map(|sentence| &sentence.provenance);
        let people: Vec<&Provenance> = lines.filter(|provenance| provenance.is_by_a_person()).collect();
        let mut rest = self.clone();
        rest.retain(|provenance| !people.contains(&provenance));
        rest
    }
}
