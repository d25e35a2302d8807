//! All resources of a document, in one Bundle.

use serde_json::{Value, json};

use super::identity::Seed;
use super::tidy::tidy;
use super::{Options, actor, allergy, care_plan, composition, condition, evidence, family, medication, observation};
use crate::interop::InteropError;
use crate::note::compose::{Language, condition_section, medication_section, readings, sections};
use crate::note::{Note, Provenance, Quotes, Section, SectionCode};
use crate::speech::Transcript;

/// A note as a Bundle of type `document`, the Composition first.
///
/// The same note, transcript and options give the same document. With the transcript each span carries its words and times. The
/// sections are rendered anew from the findings, in the language of the options, save for the lines that people wrote.
///
/// # Errors
/// [`InteropError::NotJson`], which a note that this crate made never gives.
pub fn document(note: &Note, transcript: Option<&Transcript>, options: &Options) -> Result<Value, InteropError> {
    let seed = Seed::new(note, options)?;
    let quotes = transcript.map(Quotes::new);
    let patient = options.patient.as_ref().map(|party| Entry::new(&seed, None, 0, actor::patient(party)));
    let context = Context { options, quotes, patient: patient.as_ref().map(Entry::reference), written: &note.sections };

    let findings = findings(note, &seed, &context);
    let practitioner = options.author.as_ref().map(|party| Entry::new(&seed, None, 0, actor::practitioner(party)));
    let device = Entry::new(&seed, None, 0, actor::device(&note.made_by));
    let authors: Vec<Value> = practitioner.iter().chain([&device]).map(Entry::reference).collect();
    let sections = sections(note, options.language);
    let composition = Entry::new(&seed, None, 0, composition::resource(&sections, &findings, &authors, &context));

    let entries = [Some(composition), patient, practitioner, Some(device)].into_iter().flatten().chain(findings);
    let entries: Vec<Value> = entries.map(Entry::into_value).collect();
    let id = seed.uuid("Bundle", 0);
    let bundle = json!({
        "resourceType": "Bundle",
        "id": id,
        "language": options.language.tag(),
        "identifier": {"system": "urn:ietf:rfc:3986", "value": format!("urn:uuid:{id}")},
        "type": "document",
        "timestamp": options.at.as_str(),
        "entry": entries,
    });
    tidy(bundle).ok_or(InteropError::NotJson)
}

/// A resource for each finding, and the section it is said in.
fn findings(note: &Note, seed: &Seed, context: &Context<'_>) -> Vec<Entry> {
    let mut found: Vec<(SectionCode, Value)> = Vec::new();
    for one in &note.conditions {
        let resource = condition::resource(one, context).or_else(|| family::resource(one, context));
        found.extend(resource.map(|resource| (condition_section(one), resource)));
    }
    found.extend(note.medications.iter().map(|one| (medication_section(one), medication::resource(one, context))));
    found.extend(note.allergies.iter().map(|one| (SectionCode::S, allergy::resource(one, context))));
    found.extend(readings(&note.observations).iter().map(|one| (SectionCode::O, observation::resource(one, context))));
    found.extend(note.social.iter().map(|one| (SectionCode::S, observation::social(one, context))));
    found.extend(care_plan::resource(&note.plan, context).map(|plan| (SectionCode::P, plan)));
    let entries = found.into_iter().enumerate();
    entries.map(|(index, (section, resource))| Entry::new(seed, Some(section), index, resource)).collect()
}

/// What every resource of one document shares.
pub(super) struct Context<'a> {
    options: &'a Options,
    quotes: Option<Quotes<'a>>,
    patient: Option<Value>,
    /// The note's own sections, with the lines of people.
    pub(super) written: &'a [Section],
}

impl Context<'_> {
    pub(super) fn language(&self) -> Language {
        self.options.language
    }

    pub(super) fn at(&self) -> &str {
        self.options.at.as_str()
    }

    /// A Reference to the patient.
    pub(super) fn subject(&self) -> Value {
        self.patient.clone().unwrap_or_else(|| json!({"reference": "#patient"}))
    }

    /// The nameless patient where there is no other.
    pub(super) fn contained(&self) -> Value {
        if self.patient.is_some() { Value::Null } else { json!([actor::nameless_patient()]) }
    }

    /// The extensions that say where an entry came from.
    pub(super) fn evidence(&self, provenance: &Provenance) -> Vec<Value> {
        evidence::extensions(provenance, self.quotes.as_ref())
    }
}

/// A resource with its identity and the section that refers to it.
pub(super) struct Entry {
    id: String,
    resource: Value,
    /// The section that it belongs to.
    pub(super) section: Option<SectionCode>,
}

impl Entry {
    fn new(seed: &Seed, section: Option<SectionCode>, index: usize, mut resource: Value) -> Self {
        let kind = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default();
        let id = seed.uuid(kind, index);
        if let Some(fields) = resource.as_object_mut() {
            fields.insert("id".to_owned(), json!(id));
        }
        Self { id, resource, section }
    }

    fn url(&self) -> String {
        format!("urn:uuid:{}", self.id)
    }

    /// A Reference to it.
    pub(super) fn reference(&self) -> Value {
        json!({"reference": self.url()})
    }

    fn into_value(self) -> Value {
        json!({"fullUrl": self.url(), "resource": self.resource})
    }
}
