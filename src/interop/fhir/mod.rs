//! A note as a FHIR R4 document (<https://hl7.org/fhir/R4/documents.html>); events of the audit log and consents as resources by themselves.
//!
//! | note | resource |
//! |---|---|
//! | condition: present, possible, absent, historical | Condition: confirmed, provisional, refuted, resolved |
//! | condition: family | FamilyMemberHistory, the relative unnamed |
//! | medication: active, planned, stopped | MedicationStatement: active, intended, stopped |
//! | allergy, and that there is none | AllergyIntolerance |
//! | observation | Observation; two blood pressures are one panel |
//! | social item | Observation of the social history, its value the words said |
//! | plan | one CarePlan in draft: what was said, no order that nobody placed |
//! | sections | sections of the Composition, which is preliminary: nobody has signed |
//!
//! Each carries its spans in the extension [`EVIDENCE`]. `uncovered` stays behind: it asks the clinician, and tells no other system
//! anything. Without a patient each resource holds its own nameless one, so that no reader makes a person of it.

mod actor;
mod allergy;
mod audit_event;
mod bundle;
mod care_plan;
mod composition;
mod condition;
mod consent;
mod element;
mod evidence;
mod family;
mod identity;
mod instant;
mod medication;
mod observation;
mod tidy;

pub use actor::Party;
pub use audit_event::{AUDIT_ACTION, PURPOSE, audit_event};
pub use bundle::document;
pub use consent::{DOMAIN, POLICY, USE, consent};
pub use evidence::{EDITED, EVIDENCE, TYPED};
pub use instant::Instant;

use crate::note::compose::Language;

/// What a document says beside the note.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whom it is about; nobody named where absent.
    pub patient: Option<Party>,
    /// Who answers for it; the program alone where absent.
    pub author: Option<Party>,
    /// When the consultation was.
    pub at: Instant,
    /// Language of the sections and of the names.
    pub language: Language,
}
