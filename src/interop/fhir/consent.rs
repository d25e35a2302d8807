//! A consent as a FHIR R4 Consent, after IHE's Privacy Consent on FHIR (<https://profiles.ihe.net/ITI/PCF/>), save that there is no signed
//! paper for its `source`.
//!
//! The policy is that nothing is allowed but what a provision permits; a consent that is not in force has the same provision and another
//! status. Second opinions and referrals have our own codes, for HL7's would allow any treatment.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Instant;
use super::audit_event::{identified, identifier, purpose_coding};
use super::element::{LOINC, hl7, named_coding};
use super::identity::Seed;
use super::tidy::tidy;
use crate::audit::{Actor, RecordId};
use crate::consent::{Consent, Decider, End, Recipient, Scope};
use crate::interop::InteropError;

/// The policy that a consent stands under: both say yes, and what is not permitted is denied.
pub const POLICY: &str = "urn:cantoscribe:policy:both-say-yes:1";
/// System of the domains of sharable data.
pub const DOMAIN: &str = "urn:cantoscribe:domain";
/// System of what may be done with a share beside reading it.
pub const USE: &str = "urn:cantoscribe:use";

/// The consent in its present state, with all its records but those that are left out for who reads it.
///
/// # Errors
/// [`InteropError::NotJson`], which no consent gives.
pub fn consent(consent: &Consent, left_out: &BTreeSet<RecordId>) -> Result<Value, InteropError> {
    let (scope, id) = (consent.scope(), consent.id());
    let status = match consent {
        Consent::Requested(_) | Consent::Attested(_) | Consent::Answered(_) => "proposed",
        Consent::Active(_) => "active",
        Consent::Ended(ended) if ended.how() == End::Refused => "rejected",
        Consent::Ended(_) => "inactive",
    };
    let patient = identified("Patient", "pseudonym", &scope.patient);
    let performer = match consent {
        Consent::Active(active) if active.decided_by() == Decider::Patient => patient.clone(),
        Consent::Active(active) => json!({"type": "RelatedPerson", "display": related(active.decided_by())}),
        _ => Value::Null,
    };
    let organisation = match consent.requester() {
        Actor::Staff { organisation, .. } => identified("Organization", "organisation", organisation),
        _ => Value::Null,
    };
    let restricted = matches!(consent, Consent::Active(active) if active.includes_restricted());
    let resource = json!({
        "resourceType": "Consent",
        "id": Seed::of(&[&id.to_string()]).uuid("Consent", 0),
        "identifier": [identifier("consent", &id)],
        "status": status,
        "scope": hl7("consentscope", "patient-privacy"),
        "category": [{"coding": [named_coding(LOINC, "59284-0", "Consent Document")]}],
        "patient": patient,
        "dateTime": Instant::from_unix_millis(consent.changed().0).as_str(),
        "performer": [performer],
        "organization": [organisation],
        "policy": [{"uri": POLICY}],
        "provision": provision(scope, left_out, restricted)?,
    });
    tidy(resource).ok_or(InteropError::NotJson)
}

fn provision(scope: &Scope, left_out: &BTreeSet<RecordId>, restricted: bool) -> Result<Value, InteropError> {
    let recipient = match scope.recipient {
        Recipient::Role(id) => identified("PractitionerRole", "role", &id),
        // In words, as the patient read it.
        Recipient::Organisation(id) => json!({
            "type": "Organization",
            "identifier": identifier("organisation", &id),
            "display": "Everybody who treats patients there: all its doctors and nurses",
        }),
    };
    let confidentiality = |code, display| named_coding("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", code, display);
    let labels = [Some(confidentiality("N", "normal")), restricted.then(|| confidentiality("R", "restricted"))];
    let uses = [(scope.uses.print, "print"), (scope.uses.forward, "forward"), (scope.uses.download, "download")];
    let uses =
        uses.into_iter().filter(|(granted, _)| *granted).map(|(_, code)| json!({"coding": [{"system": USE, "code": code}]}));
    let actions: Vec<Value> = [hl7("consentaction", "access")].into_iter().chain(uses).collect();
    let data = |id| json!({"meaning": "instance", "reference": {"identifier": identifier("record", id)}});
    let domains: Result<Vec<Value>, _> = scope.domains.iter().map(serde_json::to_value).collect();
    let domains = domains.map_err(|_| InteropError::NotJson)?;
    Ok(json!({
        "type": "permit",
        "period": {
            "start": Instant::from_unix_millis(scope.from.0).as_str(),
            "end": Instant::from_unix_millis(scope.end().0).as_str(),
        },
        "actor": [{"role": hl7("v3-ParticipationType", "IRCP"), "reference": recipient}],
        "action": actions,
        "securityLabel": labels,
        "purpose": [purpose_coding(scope.purpose)],
        "class": domains.into_iter().map(|code| json!({"system": DOMAIN, "code": code})).collect::<Vec<_>>(),
        "data": scope.records.difference(left_out).map(data).collect::<Vec<_>>(),
    }))
}

fn related(decider: Decider) -> &'static str {
    match decider {
        Decider::Patient => "the patient",
        Decider::Parent => "a parent",
        Decider::Guardian => "a guardian",
        Decider::Relative => "a relative",
    }
}
