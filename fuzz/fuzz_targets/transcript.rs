//! Any bytes as a transcript: an error or a transcript, and from that every document that is made of one, never a panic.
#![no_main]

use cantoscribe::interop::fhir::{Instant, Options, document};
use cantoscribe::note::compose::{Language, sections, to_text};
use cantoscribe::note::{
    Assertion, Code, Condition, Display, Evidence, MadeBy, Medication, MedicationStatus, Note, Observation, PlanItem, PlanKind,
    Quantity, Span,
};
use cantoscribe::speech::transcript::{read, to_json, to_srt, to_text as said, to_vtt};
use cantoscribe::speech::{Segment, Transcript};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(transcript) = read(bytes) else { return };
    let json = to_json(&transcript).expect("a transcript is JSON");
    assert!(read(json.as_bytes()).is_ok_and(|again| again == transcript), "written and read again, it is the same");
    let _ = (said(&transcript), to_srt(&transcript), to_vtt(&transcript));
    let note = note(&transcript);
    for language in [Language::English, Language::TraditionalChinese] {
        let _ = (sections(&note, language), to_text(&note, &transcript, language));
        let options = Options { patient: None, author: None, at: Instant::from_unix_seconds(0), language };
        document(&note, Some(&transcript), &options).expect("a note is a document");
    }
});

/// A note of the transcript's own words, its numbers the fuzzer's too.
fn note(transcript: &Transcript) -> Note {
    let made_by = MadeBy { version: transcript.language.clone(), model: None, precision: None, wording: None, lexicon: String::new() };
    let mut note = Note::empty(made_by);
    for segment in &transcript.segments {
        let Ok(span) = Span::new(segment.id, 0, segment.text.chars().max(1)) else { continue };
        add_findings(&mut note, segment, span);
    }
    note
}

fn add_findings(note: &mut Note, segment: &Segment, span: Span) {
    let text = &segment.text;
    let word = text.reveal().to_owned();
    let number = segment.start_ms.map_or(f64::NAN, |ms| f64::from_bits(ms.rotate_right(12)));
    let assertions = [Assertion::Present, Assertion::Possible, Assertion::Absent, Assertion::Historical, Assertion::Family];
    let statuses = [MedicationStatus::Active, MedicationStatus::Planned, MedicationStatus::Stopped];
    let kinds = [PlanKind::Prescription, PlanKind::FollowUp, PlanKind::SickLeave, PlanKind::Investigation];
    let choice = segment.id as usize;
    note.conditions.push(Condition {
        text: text.clone(),
        display: Display { en: word.clone(), zh: word.clone() },
        codes: vec![Code { system: "http://hl7.org/fhir/sid/icd-10".into(), code: word.clone() }],
        assertion: assertions[choice % assertions.len()],
        duration_days: Some(number),
        laterality: None,
        confidence: 1.0,
        provenance: Evidence::from(span).into(),
    });
    note.medications.push(Medication {
        text: text.clone(),
        name: word.clone(),
        atc: Some(word.clone()),
        dose: Some(Quantity { value: number, unit: word.clone() }),
        times_per_day: Some(number),
        prn: choice % 2 == 0,
        duration_days: Some(number),
        status: statuses[choice % statuses.len()],
        confidence: 1.0,
        provenance: Evidence::from(span).into(),
    });
    note.observations.push(Observation {
        loinc: if choice % 2 == 0 { "8480-6" } else { "8462-4" }.into(),
        display: word.clone(),
        value: number,
        unit: if choice % 3 == 0 { word } else { "mm[Hg]".into() },
        provenance: Evidence::from(span).into(),
    });
    note.plan.push(PlanItem {
        kind: kinds[choice % kinds.len()],
        text: text.clone(),
        days: Some(number),
        provenance: Evidence::from(span).into(),
    });
}
