//! An event of the audit log as a FHIR R4 AuditEvent, after IHE's Basic Audit Log Patterns (<https://profiles.ihe.net/ITI/BALP/>).
//!
//! Reads, searches, changes and erasures are `rest` events with client, server and user; a decision about a consent is a security alert of
//! the subtype `AuthZ-Consent`; what was refused is told as what was done is, with another outcome. All persons, patients and records are
//! named by the log's ids alone. Every event also has its own action's name as a subtype.

use serde_json::{Value, json};

use super::Instant;
use super::element::{hl7, named_coding};
use super::identity::Seed;
use super::tidy::tidy;
use crate::audit::{Action, Actor, Event, Outcome, Purpose};
use crate::interop::InteropError;

/// System of our own names of actions.
pub const AUDIT_ACTION: &str = "urn:cantoscribe:audit-action";
/// System of purposes that HL7 has no code for.
pub const PURPOSE: &str = "urn:cantoscribe:purpose";

const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const AUTHZ: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType";
const REST: &str = "http://hl7.org/fhir/restful-interaction";
const EVENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// Entry number `entry` of the log of this origin.
///
/// # Errors
/// [`InteropError::NotJson`], which no event gives.
pub fn audit_event(event: &Event, entry: u64, origin: &str) -> Result<Value, InteropError> {
    let (kind, subtype, action) = classed(event.action);
    let (name, mut details) = named(&event.action)?;
    details.extend(policies(event));
    let (outcome, refused) = match event.outcome {
        Outcome::Done => ("0", Value::Null),
        Outcome::Refused { reason } => ("4", serde_json::to_value(reason).map_err(|_| InteropError::NotJson)?),
        Outcome::Failed => ("8", Value::Null),
    };
    let own = json!({"system": AUDIT_ACTION, "code": name});
    let written = String::from_utf8(event.encode().map_err(|_| InteropError::NotJson)?).map_err(|_| InteropError::NotJson)?;
    let resource = json!({
        "resourceType": "AuditEvent",
        // Of the entry itself too: after a restore its number may be another one's.
        "id": Seed::of(&[origin, &written]).uuid("AuditEvent", usize::try_from(entry).map_err(|_| InteropError::NotJson)?),
        "type": kind,
        "subtype": [subtype, own],
        "action": action,
        "recorded": Instant::from_unix_millis(event.at.0).as_str(),
        "outcome": outcome,
        "outcomeDesc": refused,
        "agent": agents(event),
        "source": {
            "site": origin,
            "observer": {"identifier": {"system": "urn:cantoscribe:audit-log", "value": format!("{origin}#{entry}")}, "display": "cantoscribe"},
            "type": [named_coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server")],
        },
        "entity": entities(event, &details),
    });
    tidy(resource).ok_or(InteropError::NotJson)
}

/// Type, subtype and the letter of the action.
fn classed(action: Action) -> (Value, Value, &'static str) {
    let dcm = |code, display| named_coding(DCM, code, display);
    let rest = |interaction, letter| {
        (named_coding(EVENT_TYPE, "rest", "RESTful Operation"), named_coding(REST, interaction, interaction), letter)
    };
    let alert = dcm("110113", "Security Alert");
    let export = dcm("110106", "Export");
    let security_attributes = dcm("110137", "User Security Attributes Changed");
    match action {
        Action::SignIn => (dcm("110114", "User Authentication"), dcm("110122", "Login"), "E"),
        Action::SignOut => (dcm("110114", "User Authentication"), dcm("110123", "Logout"), "E"),
        Action::Start => (dcm("110100", "Application Activity"), dcm("110120", "Application Start"), "E"),
        Action::Stop => (dcm("110100", "Application Activity"), dcm("110121", "Application Stop"), "E"),
        Action::View { .. } => rest("read", "R"),
        Action::Search { .. } | Action::Listed => rest("search-type", "E"),
        Action::Record
        | Action::Finish
        | Action::RecordingConsent { .. }
        | Action::ConsentRequest
        | Action::RestrictedAsk { .. }
        | Action::AccessRequest
        | Action::PageAsk => rest("create", "C"),
        Action::Edit
        | Action::Review
        | Action::Sign
        | Action::Restrict
        | Action::Unrestrict
        | Action::ConsentCode
        | Action::ConsentAnswer
        | Action::RestrictedAnswer
        | Action::ConsentAttest
        | Action::ConsentActivate
        | Action::ConsentWithdraw
        | Action::ConsentExpire
        | Action::AccessAnswer
        | Action::HoldPlace
        | Action::ErasureDecide { .. }
        | Action::HoldLift
        | Action::ShareArchive => rest("update", "U"),
        Action::Erase | Action::EraseSound | Action::ShareDestroy => rest("delete", "D"),
        Action::Permit => (alert, named_coding(AUTHZ, "AuthZ-Consent", "Authorization Decision using Roles and Consent"), "E"),
        Action::BreakGlass { .. } => (alert, dcm("110127", "Emergency Override Started"), "E"),
        Action::BreakGlassTell { .. }
        | Action::BreakGlassAnnounce
        | Action::Request { .. }
        | Action::KeyUse
        | Action::KeyRotate
        | Action::Administer => (alert, Value::Null, "E"),
        Action::Invite | Action::RecoveryOffer { .. } => (alert, security_attributes, "C"),
        Action::RoleGive { .. } | Action::RoleChange { .. } => (alert, dcm("110136", "Security Roles Changed"), "U"),
        Action::RecoveryUse { .. } | Action::CredentialAdd { .. } => (alert, security_attributes, "U"),
        Action::CredentialRemove { .. } => (alert, security_attributes, "D"),
        Action::Restore => (alert, Value::Null, "U"),
        Action::KeyDestroy => (alert, Value::Null, "D"),
        Action::Share | Action::Print | Action::Forward | Action::Export { .. } | Action::Backup => (export, Value::Null, "R"),
        Action::Register | Action::ContactChange | Action::PatientMerge | Action::PatientUnmerge => {
            (dcm("110110", "Patient Record"), Value::Null, "U")
        }
        Action::Report => (dcm("110101", "Audit Log Used"), Value::Null, "R"),
    }
}

/// The action's own name, and what it says beside it.
fn named(action: &Action) -> Result<(String, Vec<Value>), InteropError> {
    match serde_json::to_value(action).map_err(|_| InteropError::NotJson)? {
        Value::Object(fields) => {
            let (name, details) = fields.into_iter().next().ok_or(InteropError::NotJson)?;
            let details = details.as_object().into_iter().flatten();
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Ok((name, details.map(|(kind, value)| json!({"type": kind, "valueString": text(value)})).collect()))
        }
        name => Ok((name.as_str().ok_or(InteropError::NotJson)?.to_owned(), Vec::new())),
    }
}

/// The policies that decided, where they did.
fn policies(event: &Event) -> Vec<Value> {
    let detail = |said: &str| json!({"type": "policy", "valueString": said});
    match event.policies.as_deref() {
        None => Vec::new(),
        Some([]) => vec![detail("none permits it")],
        Some(ids) => ids.iter().map(|id| detail(&id.to_string())).collect(),
    }
}

/// Client, server and who asked.
fn agents(event: &Event) -> Vec<Value> {
    let address = event.address.map_or(Value::Null, |address| json!({"address": address.to_string(), "type": "2"}));
    let device =
        event.device.map_or_else(|| json!({"display": "not enrolled"}), |device| identified("Device", "device", &device));
    let dcm = |code, display| json!({"coding": [named_coding(DCM, code, display)]});
    let client = json!({"type": dcm("110153", "Source Role ID"), "who": device, "requestor": false, "network": address});
    let server = json!({"type": dcm("110152", "Destination Role ID"), "who": {"display": "cantoscribe"}, "requestor": false});
    let user = |who: Value, role: Value| {
        json!({
            "type": hl7("v3-ParticipationType", "IRCP"),
            "who": who,
            "role": role,
            "requestor": true,
            "purposeOfUse": event.purpose.map(|purpose| json!({"coding": [purpose_coding(purpose)]})).into_iter().collect::<Vec<_>>(),
        })
    };
    let organisation = |id| json!({"type": hl7("v3-RoleClass", "PROV"), "who": identified("Organization", "organisation", id), "requestor": false});
    let (asking, whose) = match &event.actor {
        Actor::Staff { person, role, organisation: whose } => {
            let role = json!([{"coding": [{"system": "urn:cantoscribe:id:role", "code": role.to_string()}]}]);
            (user(identified("Practitioner", "person", person), role), Some(organisation(whose)))
        }
        Actor::Device { device, organisation: whose } => {
            (user(identified("Device", "device", device), Value::Null), Some(organisation(whose)))
        }
        Actor::Patient => {
            let who =
                event.patient.map_or_else(|| json!({"display": "the patient"}), |id| identified("Patient", "pseudonym", &id));
            (user(who, Value::Null), None)
        }
        Actor::SubstituteDecisionMaker => (user(json!({"display": "a substitute decision maker"}), Value::Null), None),
        Actor::System => (user(json!({"display": "cantoscribe"}), Value::Null), None),
        Actor::Unknown => (user(json!({"display": "unknown"}), Value::Null), None),
    };
    [Some(client), Some(server), Some(asking), whose].into_iter().flatten().collect()
}

/// What it was done to: the patient, the record, the consent.
fn entities(event: &Event, details: &[Value]) -> Vec<Value> {
    let entity = |what: Value, kind: (&str, &str), role: (&str, &str)| {
        json!({
            "what": what,
            "type": named_coding("http://terminology.hl7.org/CodeSystem/audit-entity-type", kind.0, kind.1),
            "role": named_coding("http://terminology.hl7.org/CodeSystem/object-role", role.0, role.1),
        })
    };
    let (object, domain) = (("2", "System Object"), ("4", "Domain Resource"));
    let patient = event.patient.map(|id| entity(identified("Patient", "pseudonym", &id), ("1", "Person"), ("1", "Patient")));
    let record = event.record.map(|id| entity(json!({"identifier": identifier("record", &id)}), object, domain));
    let consent = event.consent.map(|id| entity(identified("Consent", "consent", &id), object, domain));
    let details = (!details.is_empty()).then(|| {
        json!({"type": named_coding("http://terminology.hl7.org/CodeSystem/audit-entity-type", "4", "Other"), "detail": details})
    });
    [patient, record, consent, details].into_iter().flatten().collect()
}

/// A Reference to what has this id of ours.
pub(super) fn identified(kind: &str, system: &str, id: &impl ToString) -> Value {
    json!({"type": kind, "identifier": identifier(system, id)})
}

pub(super) fn identifier(system: &str, id: &impl ToString) -> Value {
    json!({"system": format!("urn:cantoscribe:id:{system}"), "value": id.to_string()})
}

/// HL7's code where it has one that is not wider; else our own, which others do not know and therefore do not allow.
pub(super) fn purpose_coding(purpose: Purpose) -> Value {
    let hl7 = |code, display| named_coding(ACT_REASON, code, display);
    match purpose {
        Purpose::Treatment => hl7("TREAT", "treatment"),
        Purpose::Emergency => hl7("ETREAT", "Emergency Treatment"),
        Purpose::Research => hl7("HRESCH", "healthcare research"),
        Purpose::Payment => hl7("HPAYMT", "healthcare payment"),
        Purpose::Operations => hl7("HOPERAT", "healthcare operations"),
        Purpose::Marketing => hl7("HMARKT", "healthcare marketing"),
        Purpose::SecondOpinion => json!({"system": PURPOSE, "code": "second_opinion"}),
        Purpose::Referral => json!({"system": PURPOSE, "code": "referral"}),
        Purpose::Education => json!({"system": PURPOSE, "code": "education"}),
    }
}
