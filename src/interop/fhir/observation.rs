//! What was measured, and how the patient lives.

use serde_json::{Value, json};

use super::bundle::Context;
use super::element::{LOINC, coding, concept, hl7, named_coding, quantity};
use crate::note::compose::Reading;
use crate::note::{Observation, SocialItem};

const SYSTOLIC: &str = "8480-6";
const DIASTOLIC: &str = "8462-4";
const OXYGEN_BY_PULSE_OXIMETRY: &str = "59408-5";

/// Kinds of social item and their LOINC codes.
const SOCIAL: [(&str, &str, &str); 6] = [
    ("smoking", "11367-0", "History of Tobacco use"),
    ("alcohol", "11331-6", "History of Alcohol use"),
    ("occupation", "11341-5", "History of Occupation"),
    ("living", "63503-7", "Living arrangement"),
    ("exercise", "73985-4", "Exercise activity"),
    ("drug_use", "11343-1", "History of Other nonmedical drug use"),
];

/// An Observation. Two blood pressures are one panel (85354-9) of two components; a pressure said alone is that panel too, as FHIR's
/// profile wants, its other component absent.
pub(super) fn resource(reading: &Reading<'_>, context: &Context<'_>) -> Value {
    match reading {
        Reading::BloodPressure { systolic, diastolic } => pressure(Some(systolic), Some(diastolic), context),
        Reading::Single(one) if one.loinc == SYSTOLIC => pressure(Some(one), None, context),
        Reading::Single(one) if one.loinc == DIASTOLIC => pressure(None, Some(one), context),
        Reading::Single(one) => single(one, context),
    }
}

fn single(observation: &Observation, context: &Context<'_>) -> Value {
    let mut codings = vec![coding(LOINC, &observation.loinc)];
    if observation.loinc == OXYGEN_BY_PULSE_OXIMETRY {
        // FHIR's profile of oxygen saturation asks for the general code beside the one by pulse oximetry.
        codings.insert(0, coding(LOINC, "2708-6"));
    }
    let category = if observation.is_vital_sign() { "vital-signs" } else { "laboratory" };
    let mut resource = frame(category, concept(codings, &observation.display), context);
    add(&mut resource, "extension", json!(context.evidence(&observation.provenance)));
    add_value(&mut resource, observation);
    resource
}

fn pressure(systolic: Option<&Observation>, diastolic: Option<&Observation>, context: &Context<'_>) -> Value {
    let panel = named_coding(LOINC, "85354-9", "Blood pressure panel with all children optional");
    let mut resource = frame("vital-signs", concept(vec![panel], context.language().pick("Blood pressure", "血壓")), context);
    let component = |loinc: &str, observation: Option<&Observation>| {
        let text = observation.map_or("", |observation| observation.display.as_str());
        let mut component = json!({"code": concept(vec![coding(LOINC, loinc)], text)});
        match observation {
            Some(observation) => {
                add(&mut component, "extension", json!(context.evidence(&observation.provenance)));
                add_value(&mut component, observation);
            }
            None => add(&mut component, "dataAbsentReason", hl7("data-absent-reason", "unknown")),
        }
        component
    };
    add(&mut resource, "component", json!([component(SYSTOLIC, systolic), component(DIASTOLIC, diastolic)]));
    resource
}

/// The words said about smoking, drinking, work and the like.
pub(super) fn social(item: &SocialItem, context: &Context<'_>) -> Value {
    let known = SOCIAL.iter().find(|(kind, ..)| *kind == item.kind);
    let codings = known.map(|(_, loinc, display)| named_coding(LOINC, loinc, display)).into_iter().collect();
    let mut resource = frame("social-history", concept(codings, &item.kind.replace('_', " ")), context);
    add(&mut resource, "extension", json!(context.evidence(&item.provenance)));
    if super::tidy::is_blank(item.text.reveal()) {
        add(&mut resource, "dataAbsentReason", hl7("data-absent-reason", "unknown"));
    } else {
        add(&mut resource, "valueString", json!(item.text.reveal()));
    }
    resource
}

/// What every Observation has. Preliminary: no clinician has looked at it.
fn frame(category: &str, code: Value, context: &Context<'_>) -> Value {
    json!({
        "resourceType": "Observation",
        "language": context.language().tag(),
        "contained": context.contained(),
        "status": "preliminary",
        "category": [hl7("observation-category", category)],
        "code": code,
        "subject": context.subject(),
        "effectiveDateTime": context.at(),
    })
}

fn add_value(to: &mut Value, observation: &Observation) {
    match quantity(observation.value, &observation.unit) {
        Value::Null => add(to, "dataAbsentReason", hl7("data-absent-reason", "not-a-number")),
        quantity => add(to, "valueQuantity", quantity),
    }
}

fn add(to: &mut Value, key: &str, value: Value) {
    if let Some(fields) = to.as_object_mut() {
        fields.insert(key.to_owned(), value);
    }
}
