//! Where a finding came from, as extensions of the element that says it.

use serde_json::{Value, json};

use super::instant::Instant;
use crate::note::{Edit, Provenance, Quotes, Section, Span};

/// Extension: one span of the transcript. Its parts are `segment` (string), `start` and `end` (Unicode scalar values in the segment's
/// text, end exclusive), and where the transcript was at hand `quote`, `start-ms` and `end-ms` (from the start of the recording).
pub const EVIDENCE: &str = "urn:cantoscribe:fhir:evidence";
/// Extension: a person typed this; parts `by` and `at`, and in a section `line`.
pub const TYPED: &str = "urn:cantoscribe:fhir:typed";
/// Extension: a person changed this; parts `by`, `at` and `was`, and in a section `line`.
pub const EDITED: &str = "urn:cantoscribe:fhir:edited";

/// All extensions of an entry.
pub(super) fn extensions(provenance: &Provenance, quotes: Option<&Quotes<'_>>) -> Vec<Value> {
    let spans = provenance.spans().iter().map(|span| evidence(*span, quotes));
    spans.chain(person(provenance, Value::Null)).collect()
}

/// For each line of a section that a person wrote or changed, who did; its further part `line` has the words.
pub(super) fn people(section: &Section) -> Vec<Value> {
    let lines = section.sentences.iter();
    lines.filter_map(|line| person(&line.provenance, text("line", line.text.reveal()))).collect()
}

fn person(provenance: &Provenance, line: Value) -> Option<Value> {
    match provenance {
        Provenance::Heard { edited: None, .. } => None,
        Provenance::Heard { edited: Some(Edit { by, at, was }), .. } => {
            Some(json!({"url": EDITED, "extension": [text("by", by), time("at", at), text("was", was.reveal()), line]}))
        }
        Provenance::Typed { by, at, .. } => Some(json!({"url": TYPED, "extension": [text("by", by), time("at", at), line]})),
    }
}

fn evidence(span: Span, quotes: Option<&Quotes<'_>>) -> Value {
    let quote = quotes.and_then(|quotes| quotes.get(span));
    let said = quote.as_ref().map_or(Value::Null, |quote| text("quote", quote.text.reveal()));
    let times = quote.as_ref().map(|quote| (quote.start_ms, quote.end_ms)).unwrap_or_default();
    json!({"url": EVIDENCE, "extension": [
        text("segment", &span.segment().to_string()),
        count("start", Some(span.start() as u64)),
        count("end", Some(span.end() as u64)),
        said,
        count("start-ms", times.0),
        count("end-ms", times.1),
    ]})
}

/// An extension has a value or is not there.
fn text(part: &str, value: &str) -> Value {
    if super::tidy::is_blank(value) { Value::Null } else { json!({"url": part, "valueString": value}) }
}

fn count(part: &str, value: Option<u64>) -> Value {
    match value.map_or(Value::Null, super::element::unsigned) {
        Value::Null => Value::Null,
        value => json!({"url": part, "valueUnsignedInt": value}),
    }
}

fn time(part: &str, value: &str) -> Value {
    if Instant::parse(value).is_ok() { json!({"url": part, "valueDateTime": value}) } else { text(part, value) }
}
