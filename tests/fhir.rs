//! A note as a FHIR R4 document. `scripts/check-fhir` gives the same fixtures to two independent validators.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod samples;

use std::collections::HashSet;
use std::path::PathBuf;

use cantoscribe::interop::InteropError;
use cantoscribe::interop::fhir::{EVIDENCE, Instant, Options, Party, document};
use cantoscribe::note::compose::Language;
use cantoscribe::note::extract::extract;
use cantoscribe::note::{Assertion, Note};
use cantoscribe::speech::transcript;
use cantoscribe::terminology::Lexicon;
use serde_json::{Value, json};

fn options(language: Language) -> Options {
    Options { patient: None, author: None, at: Instant::parse("2026-03-01T09:30:00+08:00").unwrap(), language }
}

fn named() -> Options {
    let patient = Some(Party::parse("urn:example:hospital|HN0001", "patient").unwrap());
    Options { patient, author: Some(Party::parse("Dr Chan", "author").unwrap()), ..options(Language::TraditionalChinese) }
}

fn bundle(note: &Note) -> Value {
    document(note, Some(&samples::consultation()), &options(Language::English)).unwrap()
}

fn resources<'a>(bundle: &'a Value, kind: &str) -> Vec<&'a Value> {
    let entries = bundle["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]);
    entries.filter(|resource| resource["resourceType"] == kind).collect()
}

/// The fixtures, each with the note and options that it is made from.
fn fixtures() -> Vec<(&'static str, Value)> {
    let spoken = samples::consultation();
    let typed = |note: &Note| document(note, None, &options(Language::English)).unwrap();
    vec![
        ("empty", typed(&samples::empty())),
        ("everything", bundle(&samples::everything())),
        ("everything-named-zh", document(&samples::everything(), Some(&spoken), &named()).unwrap()),
        ("negations", bundle(&samples::negations())),
        ("family", bundle(&samples::family())),
        ("hostile", bundle(&samples::hostile())),
        ("misspelt", misspelt()),
    ]
}

/// What only sounds like a term: a condition and a drug that are unconfirmed.
fn misspelt() -> Value {
    let said = transcript::read("patient: 我有高血鴨。\npatient: 我食緊 met formin 五百 mg 一日兩次。".as_bytes()).unwrap();
    let mut note = extract(&said, &Lexicon::builtin().unwrap());
    note.made_by = samples::made_by();
    document(&note, Some(&said), &options(Language::English)).unwrap()
}

#[test]
fn what_only_sounds_like_a_term_is_unconfirmed() {
    let bundle = misspelt();
    let conditions = resources(&bundle, "Condition");
    assert_eq!(conditions.len(), 1);
    assert_eq!(conditions[0]["verificationStatus"]["coding"][0]["code"], "unconfirmed");
}

/// Written with `CANTOSCRIBE_WRITE_FIXTURES=1`; what is committed has passed both validators.
#[test]
fn documents_are_those_that_were_validated() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fhir");
    for (name, bundle) in fixtures() {
        let path = folder.join(format!("{name}.json"));
        let written = serde_json::to_string_pretty(&bundle).unwrap() + "\n";
        if std::env::var_os("CANTOSCRIBE_WRITE_FIXTURES").is_some() {
            std::fs::write(&path, &written).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        assert!(committed == written, "{name}: differs; write it anew and run scripts/check-fhir");
    }
}

#[test]
fn an_empty_note_is_a_document_without_sections() {
    let bundle = document(&samples::empty(), None, &options(Language::English)).unwrap();
    assert_eq!(bundle["type"], "document");
    assert_eq!(bundle["timestamp"], "2026-03-01T09:30:00+08:00");
    let entries = bundle["entry"].as_array().unwrap();
    let kinds: Vec<&Value> = entries.iter().map(|entry| &entry["resource"]["resourceType"]).collect();
    assert_eq!(kinds, ["Composition", "Device"]);
    assert_eq!(entries[0]["resource"]["section"], Value::Null);
    assert_eq!(entries[0]["resource"]["author"][0]["reference"], entries[1]["fullUrl"]);
}

#[test]
fn assertions_become_statuses() {
    let bundle = bundle(&samples::everything());
    let statuses = |icd10: &str| {
        let all = resources(&bundle, "Condition");
        let one = all.iter().find(|c| c["code"]["coding"][0]["code"] == icd10).unwrap();
        let code = |status: &Value| status["coding"][0]["code"].as_str().map(str::to_owned);
        (code(&one["clinicalStatus"]), code(&one["verificationStatus"]))
    };
    let both = |clinical: &str, verification: &str| (Some(clinical.to_owned()), Some(verification.to_owned()));
    assert_eq!(statuses("I10"), both("active", "confirmed"));
    assert_eq!(statuses("J18.9"), both("active", "provisional"));
    assert_eq!(statuses("I64"), both("resolved", "confirmed"));
    assert_eq!(statuses("R07.4"), (None, Some("refuted".to_owned())));
    let family = resources(&bundle, "FamilyMemberHistory");
    assert_eq!(family.len(), 1);
    assert_eq!(family[0]["condition"][0]["code"]["coding"][0], json!({"system": samples::ICD10, "code": "I50.9"}));
    let of_family = samples::everything().conditions.iter().filter(|c| c.assertion == Assertion::Family).count();
    assert_eq!(resources(&bundle, "Condition").len(), samples::everything().conditions.len() - of_family);
}

#[test]
fn medications_keep_status_dose_and_timing() {
    let bundle = bundle(&samples::everything());
    let all = resources(&bundle, "MedicationStatement");
    let drug = |name: &str, status: &str| {
        *all.iter().find(|m| m["medicationCodeableConcept"]["text"] == name && m["status"] == status).unwrap()
    };
    let metformin = drug("metformin", "intended");
    assert_eq!(
        metformin["medicationCodeableConcept"]["coding"][0],
        json!({"system": "http://www.whocc.no/atc", "code": "A10BA02"})
    );
    let dosage = &metformin["dosage"][0];
    assert_eq!(dosage["text"], "1000 mg BD x 3/12");
    let dose = json!({"value": 1000, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"});
    assert_eq!(dosage["doseAndRate"][0]["doseQuantity"], dose);
    assert_eq!(dosage["timing"]["repeat"]["frequency"], 2);
    assert_eq!(dosage["timing"]["repeat"]["boundsDuration"]["value"], 90);
    assert_eq!(drug("amlodipine", "stopped")["dosage"][0]["text"], "10 mg daily");
    assert_eq!(
        drug("methotrexate", "active")["dosage"][0]["timing"]["repeat"],
        json!({"frequency": 1, "period": 7, "periodUnit": "d"})
    );
    let salbutamol = &drug("salbutamol", "active")["dosage"][0];
    assert_eq!(salbutamol["asNeededBoolean"], true);
    assert_eq!(salbutamol["timing"]["repeat"], json!({"frequency": 2, "frequencyMax": 3, "period": 1, "periodUnit": "d"}));
    assert_eq!(drug("hypnotic", "active")["dosage"], Value::Null);
}

#[test]
fn two_pressures_are_one_panel_and_one_alone_says_what_is_missing() {
    let bundle = bundle(&samples::everything());
    let all = resources(&bundle, "Observation");
    let panels: Vec<_> = all.iter().filter(|o| o["code"]["coding"][0]["code"] == "85354-9").collect();
    assert_eq!(panels.len(), 2);
    assert_eq!(panels[0]["component"][0]["valueQuantity"]["value"], 145);
    assert_eq!(panels[0]["component"][1]["valueQuantity"]["value"], 90);
    assert_eq!(panels[0]["component"][1]["valueQuantity"]["code"], "mm[Hg]");
    assert_eq!(panels[1]["component"][0]["valueQuantity"]["value"], 150);
    assert_eq!(panels[1]["component"][1]["dataAbsentReason"]["coding"][0]["code"], "unknown");
    let temperature = all.iter().find(|o| o["code"]["coding"][0]["code"] == "8310-5").unwrap();
    assert_eq!(temperature["valueQuantity"]["value"], 37.8);
    assert_eq!(temperature["category"][0]["coding"][0]["code"], "vital-signs");
}

#[test]
fn allergies_are_present_refuted_or_none_at_all() {
    let bundle = bundle(&samples::everything());
    let all = resources(&bundle, "AllergyIntolerance");
    let status = |index: usize| all[index]["verificationStatus"]["coding"][0]["code"].as_str().unwrap();
    assert_eq!((all[0]["code"]["text"].as_str(), status(0)), (Some("pollen"), "unconfirmed"));
    assert_eq!(all[1]["code"]["coding"][0]["code"], "no-known-medication-allergies");
    assert_eq!((all[2]["code"]["text"].as_str(), status(2)), (Some("penicillin"), "refuted"));
}

#[test]
fn evidence_carries_span_words_and_time() {
    let bundle = bundle(&samples::everything());
    let hypertension = *resources(&bundle, "Condition").iter().find(|c| c["code"]["coding"][0]["code"] == "I10").unwrap();
    let expected = json!([{"url": EVIDENCE, "extension": [
        {"url": "segment", "valueString": "1"},
        {"url": "start", "valueUnsignedInt": 7},
        {"url": "end", "valueUnsignedInt": 10},
        {"url": "quote", "valueString": "血壓高"},
        {"url": "start-ms", "valueUnsignedInt": 43_500},
        {"url": "end-ms", "valueUnsignedInt": 44_200},
    ]}]);
    assert_eq!(hypertension["extension"], expected);
    let without = document(&samples::everything(), None, &options(Language::English)).unwrap();
    assert!(!without.to_string().contains("start-ms"));
}

#[test]
fn the_nameless_patient_is_contained_and_a_named_one_is_an_entry() {
    let nameless = bundle(&samples::everything());
    assert!(resources(&nameless, "Patient").is_empty());
    let condition = resources(&nameless, "Condition")[0];
    assert_eq!(condition["subject"]["reference"], "#patient");
    assert_eq!(condition["contained"][0]["name"][0]["extension"][0]["valueCode"], "unknown");

    let named = document(&samples::everything(), None, &named()).unwrap();
    let patient = resources(&named, "Patient");
    assert_eq!(patient[0]["identifier"][0], json!({"system": "urn:example:hospital", "value": "HN0001"}));
    let condition = resources(&named, "Condition")[0];
    assert_eq!(condition["contained"], Value::Null);
    assert_eq!(condition["subject"]["reference"], json!(format!("urn:uuid:{}", patient[0]["id"].as_str().unwrap())));
    let composition = resources(&named, "Composition")[0];
    assert_eq!(composition["author"].as_array().unwrap().len(), 2);
    assert_eq!(resources(&named, "Practitioner")[0]["name"][0]["text"], "Dr Chan");
    assert_eq!(composition["language"], "zh-Hant");
}

#[test]
fn sections_have_narrative_and_every_finding_is_in_one() {
    let bundle = bundle(&samples::everything());
    let composition = resources(&bundle, "Composition")[0];
    let sections = composition["section"].as_array().unwrap();
    let codes: Vec<&Value> = sections.iter().map(|s| &s["code"]["coding"][0]["code"]).collect();
    assert_eq!(codes, ["61150-9", "61149-1", "51848-0", "18776-5"]);
    assert!(sections[1]["text"]["div"].as_str().unwrap().contains("<p>BP 145/90.</p>"));
    let referred: Vec<&Value> = sections.iter().flat_map(|s| s["entry"].as_array().unwrap()).map(|r| &r["reference"]).collect();
    let apart = ["Composition", "Device"];
    let findings: Vec<&Value> = bundle["entry"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| !apart.contains(&entry["resource"]["resourceType"].as_str().unwrap()))
        .map(|entry| &entry["fullUrl"])
        .collect();
    assert_eq!(referred.len(), findings.len());
    assert!(findings.iter().all(|url| referred.contains(url)));
}

#[test]
fn markup_and_control_characters_are_escaped() {
    let text = document(&samples::hostile(), None, &options(Language::English)).unwrap();
    let composition = resources(&text, "Composition")[0].to_string();
    assert!(
        composition.contains("&lt;b&gt;a &amp; &quot;b&quot;&lt;/b&gt;")
            || composition.contains("&lt;b&gt;A &amp; &quot;B&quot;&lt;/b&gt;")
    );
    assert!(!composition.contains("<b>") && !composition.contains("\\u0007"));
}

/// Nothing empty anywhere, ids unique, every reference to something that is there.
#[test]
fn documents_are_whole() {
    for (name, bundle) in fixtures() {
        no_empties(&bundle, name);
        let entries = bundle["entry"].as_array().unwrap();
        assert_eq!(entries[0]["resource"]["resourceType"], "Composition", "{name}");
        let urls: HashSet<&str> = entries.iter().map(|entry| entry["fullUrl"].as_str().unwrap()).collect();
        assert_eq!(urls.len(), entries.len(), "{name}: two resources with one id");
        for entry in entries {
            let id = entry["resource"]["id"].as_str().unwrap();
            assert_eq!(entry["fullUrl"], format!("urn:uuid:{id}"), "{name}");
            assert_eq!((&id[14..15], "89ab".contains(&id[19..20])), ("8", true), "{name}: {id} is no UUID of version 8");
            for reference in references(&entry["resource"]) {
                let contained = reference == "#patient" && entry["resource"]["contained"][0]["id"] == "patient";
                assert!(contained || urls.contains(reference.as_str()), "{name}: {reference} leads nowhere");
            }
        }
    }
}

fn no_empties(value: &Value, name: &str) {
    match value {
        Value::Null => panic!("{name}: null"),
        Value::String(text) => assert!(!text.trim().is_empty(), "{name}: blank string"),
        Value::Array(items) => {
            assert!(!items.is_empty(), "{name}: empty array");
            items.iter().for_each(|item| no_empties(item, name));
        }
        Value::Object(fields) => {
            assert!(!fields.is_empty(), "{name}: empty object");
            fields.values().for_each(|field| no_empties(field, name));
        }
        Value::Bool(_) | Value::Number(_) => {}
    }
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("reference").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_same_input_gives_the_same_document_and_another_other_ids() {
    let one = bundle(&samples::everything());
    assert_eq!(one, bundle(&samples::everything()));
    let mut later = options(Language::English);
    later.at = Instant::parse("2026-03-01T09:30:01+08:00").unwrap();
    let other = document(&samples::everything(), Some(&samples::consultation()), &later).unwrap();
    assert_ne!(one["id"], other["id"]);
    assert_ne!(one["entry"][0]["fullUrl"], other["entry"][0]["fullUrl"]);
}

#[test]
fn times_are_checked_and_made() {
    for good in ["2026-03-01T09:30:00+08:00", "2024-02-29T23:59:59Z", "2000-02-29T00:00:00.125-14:00"] {
        assert_eq!(Instant::parse(good).unwrap().as_str(), good);
    }
    let bad = ["", "2026-03-01", "2026-03-01T09:30:00", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-13-01T00:00:00Z"];
    let odd = [
        "2026-03-01T24:00:00Z",
        "2026-03-01T09:30:00+15:00",
        "2026-03-01T09:30:00.Z",
        "2026-3-1T09:30:00Z",
        "0000-01-01T00:00:00Z",
    ];
    for bad in bad.iter().chain(&odd) {
        assert!(matches!(Instant::parse(bad), Err(InteropError::BadTime { .. })), "{bad}");
    }
    let made = |seconds| Instant::from_unix_seconds(seconds).as_str().to_owned();
    assert_eq!(made(0), "1970-01-01T00:00:00Z");
    assert_eq!(made(951_782_400), "2000-02-29T00:00:00Z");
    assert_eq!(made(-1), "1969-12-31T23:59:59Z");
    assert_eq!(made(1_772_328_600), "2026-03-01T01:30:00Z");
    assert_eq!(made(i64::MIN), "0001-01-01T00:00:00Z");
    assert_eq!(made(i64::MAX), "9999-12-31T23:59:59Z");
}

#[test]
fn a_blank_party_is_refused_and_never_printed() {
    for blank in ["", "  ", "urn:x|", "a b|1"] {
        assert!(matches!(Party::parse(blank, "patient"), Err(InteropError::Blank { role: "patient" })), "`{blank}`");
    }
    let party = Party::parse("urn:x|A123456", "patient").unwrap();
    assert_eq!(format!("{party:?}"), "Party(7 chars)");
}
