//! Conditions that the patient has, may have, had or has not.

use serde_json::{Value, json};

use super::bundle::Context;
use super::element::{codings, concept, hl7};
use crate::note::compose::doubt;
use crate::note::{Assertion, Condition, Laterality};

/// A Condition; `None` for the family's, which are a FamilyMemberHistory.
///
/// A refuted one has no clinical status (https://hl7.org/fhir/R4/condition.html#9.2.3.1).
pub(super) fn resource(condition: &Condition, context: &Context<'_>) -> Option<Value> {
    let (clinical, verification) = match condition.assertion {
        Assertion::Present => (Some("active"), "confirmed"),
        Assertion::Possible => (Some("active"), "provisional"),
        Assertion::Absent => (None, "refuted"),
        Assertion::Historical => (Some("resolved"), "confirmed"),
        Assertion::Family => return None,
    };
    // Words that only sound like it are for the clinician to confirm.
    let verification = if condition.sounds_like.is_some() && verification == "confirmed" { "unconfirmed" } else { verification };
    let site = condition.laterality.map_or(Value::Null, |side| json!([{"text": side_name(side, context)}]));
    Some(json!({
        "resourceType": "Condition",
        "language": context.language().tag(),
        "contained": context.contained(),
        "extension": context.evidence(&condition.provenance),
        "clinicalStatus": clinical.map_or(Value::Null, |status| hl7("condition-clinical", status)),
        "verificationStatus": hl7("condition-ver-status", verification),
        "category": [hl7("condition-category", "encounter-diagnosis")],
        "code": concept(codings(&condition.codes), name(condition, context)),
        "bodySite": site,
        "subject": context.subject(),
        "onsetString": onset(condition, context),
        "recordedDate": context.at(),
        "note": heard(condition.heard_as(), context),
    }))
}

/// An Annotation with the words that were heard, where they only sound like what stands here; else nothing.
pub(super) fn heard(words: Option<&str>, context: &Context<'_>) -> Value {
    let words = doubt(words, context.language());
    if words.is_empty() { Value::Null } else { json!([{"text": words.trim()}]) }
}

/// The condition's name in the document's language, or else the words said.
pub(super) fn name<'a>(condition: &'a Condition, context: &Context<'_>) -> &'a str {
    let name = context.language().pick(condition.display.en.as_str(), condition.display.zh.as_str());
    if super::tidy::is_blank(name) { condition.text.reveal() } else { name }
}

fn side_name(side: Laterality, context: &Context<'_>) -> &'static str {
    match side {
        Laterality::Left => context.language().pick("left", "左"),
        Laterality::Right => context.language().pick("right", "右"),
        Laterality::Bilateral => context.language().pick("bilateral", "雙側"),
    }
}

/// As it was said: a length of time, not a date that nobody named.
fn onset(condition: &Condition, context: &Context<'_>) -> Option<String> {
    let days = condition.duration_days.filter(|days| days.is_finite() && *days > 0.0)?;
    Some(context.language().pick(format!("{days} days before"), format!("{days} 日前")))
}
