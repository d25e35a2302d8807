//! What runs in the family.

use serde_json::{Value, json};

use super::bundle::Context;
use super::condition;
use super::element::{codings, concept};
use crate::note::{Assertion, Condition};

/// A FamilyMemberHistory of a relative who is not named: the note does not say which one; its quotes do.
pub(super) fn resource(condition: &Condition, context: &Context<'_>) -> Option<Value> {
    (condition.assertion == Assertion::Family).then(|| {
        json!({
            "resourceType": "FamilyMemberHistory",
            "language": context.language().tag(),
            "contained": context.contained(),
            "extension": context.evidence(&condition.provenance),
            "status": "partial",
            "patient": context.subject(),
            "date": context.at(),
            "relationship": {"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "FAMMEMB", "display": "family member",
            }]},
            "condition": [{
                "code": concept(codings(&condition.codes), condition::name(condition, context)),
                "note": condition::heard(condition.heard_as(), context),
            }],
        })
    })
}
