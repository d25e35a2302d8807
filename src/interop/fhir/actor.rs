//! Whom a document is about and who made it.

use std::fmt;

use serde_json::{Value, json};

use super::element::absent;
use crate::interop::InteropError;
use crate::note::MadeBy;

/// A patient or an author: a number in a system, a number alone, or a name.
#[derive(Clone, PartialEq, Eq)]
pub struct Party {
    system: Option<String>,
    value: String,
}

impl Party {
    /// Reads `SYSTEM|NUMBER` or a number or name alone.
    ///
    /// # Errors
    /// [`InteropError::Blank`], naming the role, where nothing is said or a system that is no URI.
    pub fn parse(given: &str, role: &'static str) -> Result<Self, InteropError> {
        let (system, value) = given.split_once('|').map_or((None, given), |(system, value)| (Some(system.trim()), value));
        let system = system.filter(|system| !system.is_empty());
        let blank = super::tidy::is_blank(value) || system.is_some_and(|system| system.contains(char::is_whitespace));
        if blank {
            return Err(InteropError::Blank { role });
        }
        Ok(Self { system: system.map(str::to_owned), value: value.trim().to_owned() })
    }
}

/// Who it is stays hidden.
impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Party({} chars)", self.value.chars().count())
    }
}

impl Party {
    /// `SYSTEM|VALUE`, as FHIR writes it in searches.
    pub(super) fn token(&self) -> String {
        format!("{}|{}", self.system.as_deref().unwrap_or_default(), self.value)
    }

    fn identifier(&self) -> Value {
        json!({"system": self.system, "value": self.value})
    }
}

/// The patient with a number.
pub(super) fn patient(party: &Party) -> Value {
    json!({"resourceType": "Patient", "identifier": [party.identifier()]})
}

/// The patient of whom nothing is known, held inside the resource that speaks of them.
pub(super) fn nameless_patient() -> Value {
    json!({"resourceType": "Patient", "id": "patient", "name": [{"extension": [absent("unknown")]}]})
}

/// The author, by number where a system was named, or else by name.
pub(super) fn practitioner(party: &Party) -> Value {
    match party.system {
        Some(_) => json!({"resourceType": "Practitioner", "identifier": [party.identifier()]}),
        None => json!({"resourceType": "Practitioner", "name": [{"text": party.value}]}),
    }
}

/// The program, and the model and lexicon that it heard and read with.
pub(super) fn device(made_by: &MadeBy) -> Value {
    let version = |kind: &str, value: &str| json!({"type": {"text": kind}, "value": value});
    let optional = |kind: &str, value: &Option<String>| value.as_ref().map_or(Value::Null, |value| version(kind, value));
    json!({
        "resourceType": "Device",
        "deviceName": [{"name": "cantoscribe", "type": "other"}],
        "version": [
            version("software", &made_by.version),
            optional("speech model", &made_by.model),
            optional("precision", &made_by.precision),
            optional("language model that reworded sentences", &made_by.wording),
            version("lexicon", &made_by.lexicon),
        ],
    })
}
