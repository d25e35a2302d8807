//! Allergies, and that there are none.

use serde_json::{Value, json};

use super::bundle::Context;
use super::condition::heard;
use super::element::{concept, hl7, named_coding};
use crate::note::{Allergy, AllergyStatus};
use crate::text::PatientText;

/// HL7's own codes for that nothing is known to be there (International Patient Summary).
const ABSENT_OR_UNKNOWN: &str = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips";

/// An AllergyIntolerance.
///
/// One that the patient tells of is unconfirmed. That there is no drug allergy at all is a statement of its own; that there is none to
/// a named substance refutes it. All have a clinical status, as R4 wants of all but errors (constraint ait-1).
pub(super) fn resource(allergy: &Allergy, context: &Context<'_>) -> Value {
    let none = allergy.status == AllergyStatus::None;
    let no_drug = allergy.is_no_drug_allergy();
    let (clinical, verification) = match (none, no_drug) {
        (_, true) | (false, _) => ("active", "unconfirmed"),
        (true, false) => ("inactive", "refuted"),
    };
    let code = if no_drug {
        let coding = named_coding(ABSENT_OR_UNKNOWN, "no-known-medication-allergies", "No known medication allergies");
        concept(vec![coding], context.language().pick("No known drug allergy", "無已知藥物過敏"))
    } else {
        concept(Vec::new(), &allergy.substance)
    };
    json!({
        "resourceType": "AllergyIntolerance",
        "language": context.language().tag(),
        "contained": context.contained(),
        "extension": context.evidence(&allergy.provenance),
        "clinicalStatus": hl7("allergyintolerance-clinical", clinical),
        "verificationStatus": hl7("allergyintolerance-verification", verification),
        "category": if no_drug { json!(["medication"]) } else { Value::Null },
        "code": code,
        "patient": context.subject(),
        "recordedDate": context.at(),
        "note": heard(allergy.heard_as.as_ref().map(PatientText::reveal), context),
    })
}
