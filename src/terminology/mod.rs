//! Clinical concepts, their codes and the forms people say.
//!
//! The knowledge is in `tables/`: one concept a line, forms between `|`. A form is a literal, or a pattern of literals and
//! `{classes}` with `…` for a few words between them (`{foot}…{swollen}`), so that a complaint is found however it is put.
//! [`Lexicon::builtin`] reads the tables and builds one automaton over all forms; [`Lexicon::with`] reads a hospital's own after
//! them, which win. Imports no stage. Pure: no clock, no I/O.

mod check;
mod concept;
mod doses;
mod expected;
mod fold;
mod latin;
mod lexicon;
mod own;
mod pattern;
mod search;
mod sound;
mod table;
mod tables;
#[cfg(test)]
mod tests;

pub use check::{atc_group, atc_shape, icd9cm_shape, icd10_shape, icpc2_shape, loinc_check_digit};
pub use concept::{ConditionConcept, Drug, DrugKind, Entry, LocalCode, ObservationKind, Term, TermKind, Unit, UnitKind};
pub use doses::{DoseRange, Doses};
pub use fold::Fold;
pub use lexicon::{Found, Lexicon, Meaning, Spread};
pub use own::{OwnTable, doubtful_codes};
pub use pattern::{ClassId, Pattern};
pub use search::{Concept, Hit, LONGEST_QUERY};

/// The code systems' URIs, as FHIR names them.
pub mod system {
    /// WHO ICD-10.
    pub const ICD10: &str = "http://hl7.org/fhir/sid/icd-10";
    /// ICPC-2.
    pub const ICPC2: &str = "http://hl7.org/fhir/sid/icpc-2";
    /// ICD-9-CM, which Hong Kong's hospitals file by; codes of it come only from a hospital's own map.
    pub const ICD9CM: &str = "http://hl7.org/fhir/sid/icd-9-cm";
    /// WHO ATC.
    pub const ATC: &str = "http://www.whocc.no/atc";
    /// LOINC.
    pub const LOINC: &str = "http://loinc.org";
}

/// What can be wrong with the tables.
#[derive(Debug, thiserror::Error)]
pub enum TerminologyError {
    /// A row does not read.
    #[error("{file} line {line}: {what}")]
    Row {
        /// The table.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// The script conversion has no dictionary.
    #[error("the script conversion's dictionary does not load")]
    Script,
    /// The automaton over the forms could not be built.
    #[error("the automaton over {forms} forms could not be built")]
    Automaton {
        /// How many forms there are.
        forms: usize,
    },
}
