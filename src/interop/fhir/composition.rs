//! The document's first resource: its sections in words, and what each rests on.

use serde_json::{Value, json};

use super::bundle::{Context, Entry};
use super::element::{LOINC, named_coding};
use super::evidence;
use super::tidy::escaped;
use crate::note::{Section, SectionCode};

/// A Composition of the type 34109-9, any clinical note: the program does not know in what setting it listened.
///
/// `entries` are the resources of the document; each section refers to its own.
pub(super) fn resource(sections: &[Section], entries: &[Entry], authors: &[Value], context: &Context<'_>) -> Value {
    let title = context.language().pick("Consultation note (draft)", "診症記錄（草稿）");
    let codes = [SectionCode::S, SectionCode::O, SectionCode::A, SectionCode::P];
    let sections: Vec<Value> = codes
        .iter()
        .filter_map(|code| {
            let words = sections.iter().find(|section| section.code == *code);
            let entries: Vec<Value> = entries.iter().filter(|entry| entry.section == Some(*code)).map(Entry::reference).collect();
            (words.is_some() || !entries.is_empty()).then(|| section(*code, words, &entries, context))
        })
        .collect();
    json!({
        "resourceType": "Composition",
        "language": context.language().tag(),
        "text": narrative("generated", &[title.to_owned()], context),
        "contained": context.contained(),
        "status": "preliminary",
        "type": {"coding": [named_coding(LOINC, "34109-9", "Note")]},
        "subject": context.subject(),
        "date": context.at(),
        "author": authors,
        "title": title,
        "section": sections,
    })
}

fn section(code: SectionCode, words: Option<&Section>, entries: &[Value], context: &Context<'_>) -> Value {
    let (loinc, display, english, chinese) = match code {
        SectionCode::S => ("61150-9", "Subjective Narrative", "Subjective", "主觀"),
        SectionCode::O => ("61149-1", "Objective Narrative", "Objective", "客觀"),
        SectionCode::A => ("51848-0", "Evaluation note", "Assessment", "評估"),
        SectionCode::P => ("18776-5", "Plan of care note", "Plan", "計劃"),
    };
    let lines: Vec<String> =
        words.map(|section| section.sentences.iter().map(|s| s.text.reveal().to_owned()).collect()).unwrap_or_default();
    let written = context.written.iter().filter(|section| section.code == code);
    let people: Vec<Value> = written.flat_map(evidence::people).collect();
    let status = if people.is_empty() { "generated" } else { "additional" };
    json!({
        "extension": people,
        "title": context.language().pick(english, chinese),
        "code": {"coding": [named_coding(LOINC, loinc, display)]},
        "text": if lines.is_empty() { Value::Null } else { narrative(status, &lines, context) },
        "entry": entries,
    })
}

/// XHTML, a paragraph a line: `generated` from the structured data alone, or `additional` where a person wrote a line.
fn narrative(status: &str, lines: &[String], context: &Context<'_>) -> Value {
    let tag = context.language().tag();
    let paragraphs: String = lines.iter().map(|line| format!("<p>{}</p>", escaped(line))).collect();
    let div = format!(r#"<div xmlns="http://www.w3.org/1999/xhtml" lang="{tag}" xml:lang="{tag}">{paragraphs}</div>"#);
    json!({"status": status, "div": div})
}
