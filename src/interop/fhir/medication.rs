//! Drugs taken, started and stopped.

use serde_json::{Value, json};

use super::bundle::Context;
use super::condition::heard;
use super::element::{ATC, UCUM, coding, concept, decimal, quantity};
use crate::note::compose::misheard;
use crate::note::compose::{days_between, regimen};
use crate::note::{Medication, MedicationStatus};

/// A MedicationStatement: what is said of a drug. It orders nothing; a prescription is the clinician's own act.
pub(super) fn resource(drug: &Medication, context: &Context<'_>) -> Value {
    let status = match drug.status {
        MedicationStatus::Active => "active",
        MedicationStatus::Planned => "intended",
        MedicationStatus::Stopped => "stopped",
    };
    let code = drug.atc.as_deref().map_or(Value::Null, |atc| coding(ATC, atc));
    let name = if super::tidy::is_blank(&drug.name) { drug.text.reveal() } else { &drug.name };
    json!({
        "resourceType": "MedicationStatement",
        "language": context.language().tag(),
        "contained": context.contained(),
        "extension": context.evidence(&drug.provenance),
        "status": status,
        "medicationCodeableConcept": concept(vec![code], name),
        "subject": context.subject(),
        "dateAsserted": context.at(),
        "note": heard(drug.sounds_like.as_ref().map(|_| misheard(drug)), context),
        "dosage": [dosage(drug, context)],
    })
}

fn dosage(drug: &Medication, context: &Context<'_>) -> Value {
    let dose = drug.dose.as_ref().map_or(Value::Null, |dose| quantity(dose.value, &dose.unit));
    json!({
        "text": regimen(drug, context.language()),
        "timing": {"repeat": repeat(drug)},
        "asNeededBoolean": if drug.prn { json!(true) } else { Value::Null },
        "doseAndRate": if dose.is_null() { Value::Null } else { json!([{"doseQuantity": dose}]) },
    })
}

/// So many times a day, or once in so many days; `2.5` is two to three times.
fn repeat(drug: &Medication) -> Value {
    // No drug is taken more often than each minute.
    let times = drug.times_per_day.filter(|times| *times > 0.0 && *times <= 1440.0);
    let (frequency, most, period) = match times {
        None => (Value::Null, Value::Null, Value::Null),
        Some(times) if times < 1.0 => (json!(1), Value::Null, json!(days_between(times))),
        Some(times) => {
            let most = if times.fract() == 0.0 { Value::Null } else { decimal(times.ceil()) };
            (decimal(times.floor()), most, json!(1))
        }
    };
    let days = drug.duration_days.filter(|days| days.is_finite() && *days > 0.0);
    json!({
        "boundsDuration": days.map_or(Value::Null, |days| json!({"value": decimal(days), "unit": "d", "system": UCUM, "code": "d"})),
        "frequency": frequency,
        "frequencyMax": most,
        "period": period,
        "periodUnit": times.map(|_| "d"),
    })
}
