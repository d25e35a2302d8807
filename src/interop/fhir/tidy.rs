//! What FHIR's JSON and XHTML do not allow, taken out in one place.

use std::collections::BTreeMap;

use serde_json::Value;

/// Removes null, empty objects, empty arrays and blank strings, and characters that FHIR strings may not have.
///
/// FHIR: "Properties can never be empty", and strings hold no control characters but tab, line feed and carriage return
/// (https://hl7.org/fhir/R4/json.html, https://hl7.org/fhir/R4/datatypes.html#string). Returns nothing where nothing is left.
pub(super) fn tidy(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(clean(&text)).filter(|text| !text.is_empty()).map(Value::String),
        Value::Array(items) => {
            let items: Vec<Value> = items.into_iter().filter_map(tidy).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(fields) => {
            // By name: serde_json keeps them so, or as they came, by a feature that any crate of the build can switch on.
            let fields: BTreeMap<_, _> = fields.into_iter().filter_map(|(key, value)| Some((key, tidy(value)?))).collect();
            (!fields.is_empty()).then(|| fields.into_iter().collect())
        }
        Value::Bool(_) | Value::Number(_) => Some(value),
    }
}

/// Whether nothing of it would be left.
pub(super) fn is_blank(text: &str) -> bool {
    clean(text).is_empty()
}

/// Control characters and the two that XML forbids become spaces; the ends are trimmed.
fn clean(text: &str) -> String {
    let spaced: String =
        text.chars().map(|c| if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') { ' ' } else { c }).collect();
    spaced.trim().to_owned()
}

/// Text inside XHTML.
pub(super) fn escaped(text: &str) -> String {
    clean(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
