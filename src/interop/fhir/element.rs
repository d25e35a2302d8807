//! The FHIR data types that several resources use. `null` stands for what is not there; `tidy` takes it out.

use serde_json::{Value, json};

use crate::note::Code;

/// UCUM's system.
pub(super) const UCUM: &str = "http://unitsofmeasure.org";
/// LOINC's system.
pub(super) const LOINC: &str = "http://loinc.org";
/// ATC's system (https://terminology.hl7.org/CodeSystem-v3-WC.html).
pub(super) const ATC: &str = "http://www.whocc.no/atc";

/// Why a value is not there (https://hl7.org/fhir/R4/extension-data-absent-reason.html).
const DATA_ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// A Coding, or null where the code is no FHIR `code` or the system no `uri`.
pub(super) fn coding(system: &str, code: &str) -> Value {
    let token = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    if token(system) && token(code) { json!({"system": system, "code": code}) } else { Value::Null }
}

/// A Coding with the name that its system gives the code.
pub(super) fn named_coding(system: &str, code: &str, display: &str) -> Value {
    json!({"system": system, "code": code, "display": display})
}

/// A CodeableConcept; data-absent-reason where it would be empty.
///
/// Names of the lexicon are its `text`, never a coding's `display`, which belongs to the code system.
pub(super) fn concept(codings: Vec<Value>, text: &str) -> Value {
    let codings: Vec<Value> = codings.into_iter().filter(|coding| !coding.is_null()).collect();
    if codings.is_empty() && super::tidy::is_blank(text) {
        json!({"extension": [absent("unknown")]})
    } else {
        json!({"coding": codings, "text": text})
    }
}

/// The note's codes as Codings.
pub(super) fn codings(codes: &[Code]) -> Vec<Value> {
    codes.iter().map(|code| coding(&code.system, &code.code)).collect()
}

/// A CodeableConcept of one of HL7's own code systems.
pub(super) fn hl7(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": format!("http://terminology.hl7.org/CodeSystem/{system}"), "code": code}]})
}

/// The extension that says why a value is not there.
pub(super) fn absent(reason: &str) -> Value {
    json!({"url": DATA_ABSENT, "valueCode": reason})
}

/// A number; a whole one without a fraction, null where it is none.
pub(super) fn decimal(value: f64) -> Value {
    // 2^53: below it every whole f64 is exact.
    if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 { json!(value as i64) } else { json!(value) }
}

/// FHIR's `unsignedInt`, 31 bits; null where it does not fit.
pub(super) fn unsigned(value: u64) -> Value {
    i32::try_from(value).map_or(Value::Null, |value| json!(value))
}

/// A Quantity with its UCUM code; null where the value is no number.
pub(super) fn quantity(value: f64, unit: &str) -> Value {
    if !value.is_finite() {
        return Value::Null;
    }
    let is_code = !unit.is_empty() && unit.chars().all(|c| c.is_ascii_graphic());
    let (system, code) = if is_code { (json!(UCUM), json!(unit)) } else { (Value::Null, Value::Null) };
    json!({"value": decimal(value), "unit": unit, "system": system, "code": code})
}
