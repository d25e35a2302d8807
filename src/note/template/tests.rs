#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::note::compose::{Language, sections};
use crate::note::edit::{NoteEdit, apply};
use crate::note::extract::extract;
use crate::note::{Medication, MedicationStatus, Note, Quantity, Section};
use crate::speech::transcript;
use crate::terminology::Lexicon;

fn note() -> Note {
    let said = "patient: 我頭暈咗三日,冇心口痛。我食開 metformin 五百 mg 一日兩次。\ndoctor: 血壓一四五九十,你有高血壓。\n\
                doctor: 開 amlodipine 5mg 一日一次,四個星期後覆診。";
    let mut note = extract(&transcript::read(said.as_bytes()).unwrap(), &Lexicon::builtin().unwrap());
    note.sections = sections(&note, Language::English);
    note
}

fn lines(sections: &[Section]) -> Vec<String> {
    let lines = sections.iter().flat_map(|section| section.sentences.iter().map(move |line| (section.code, line)));
    lines.map(|(code, line)| format!("{code:?} {}", line.text.reveal())).collect()
}

fn written(template: &str, note: &Note) -> Vec<String> {
    lines(&template.parse::<Template>().unwrap().sections(note, Language::English))
}

#[test]
fn fields_stand_where_the_template_has_them_and_the_rest_follows() {
    let template = "# ours\nleave out: social\n[S]\nSymptoms: {{complaints}} ({{denied}})\nTaking {{medications}}\n[O]\n{{O}}\n[A]\nDx {{Imp}}!\n[P]\n{{prescriptions}}\n";
    assert_eq!(
        written(template, &note()),
        [
            "S Symptoms: dizziness x 3/7 (no CP)",
            "S Taking metformin 500 mg BD",
            "O BP 145/90.",
            "A Dx HT!",
            "P Amlodipine 5 mg daily.",
            "P FU 4/52.",
        ]
    );
}

#[test]
fn sections_as_they_are_are_the_note_as_it_is() {
    let note = note();
    assert_eq!(
        "[S]\n{{S}}\n[O]\n{{O}}\n[A]\n{{A}}\n[P]\n{{Plan}}".parse::<Template>().unwrap().sections(&note, Language::English),
        note.sections
    );
    assert_eq!(
        written("[P]\n{{referrals}} {{procedures}}", &note),
        lines(&note.sections),
        "a line that says nothing is not there"
    );
}

#[test]
fn each_finding_is_said_once_or_left_out_by_name() {
    let note = note();
    let said = |sections: &[Section]| {
        let mut spans: Vec<_> = sections.iter().flat_map(|s| &s.sentences).flat_map(|l| l.provenance.spans().to_vec()).collect();
        spans.sort_unstable();
        spans
    };
    let all = said(&note.sections);
    for template in ["[S]\n{{denied}}\n{{S}}", "[O]\nx {{measurements}} {{signs}}", "[P]\n{{follow_up}}\n{{P}}"] {
        assert_eq!(said(&template.parse::<Template>().unwrap().sections(&note, Language::English)), all, "{template}");
    }
    let without = "leave out: S, O, P\n[A]\n{{Imp}}".parse::<Template>().unwrap().sections(&note, Language::English);
    assert_eq!(lines(&without), ["A HT."]);
    assert!(without.iter().flat_map(|s| &s.sentences).all(|line| !line.provenance.spans().is_empty()));
}

#[test]
fn a_drug_whose_change_is_left_out_is_still_taken() {
    let note = {
        let said =
            "patient: 我食開 metformin 五百 mg 一日兩次。\ndoctor: metformin 加到 1 g 一日兩次,開 amlodipine 5mg 一日一次。";
        let mut note = extract(&transcript::read(said.as_bytes()).unwrap(), &Lexicon::builtin().unwrap());
        let taken = Medication {
            status: MedicationStatus::Active,
            dose: Some(Quantity { value: 500.0, unit: "mg".into() }),
            ..note.medications.iter().find(|drug| drug.name == "metformin").unwrap().clone()
        };
        note.medications.insert(0, taken);
        note.sections = sections(&note, Language::English);
        note
    };
    assert_eq!(written("[S]\n{{S}}", &note), ["P Metformin 500 mg BD -> 1 g BD.", "P Amlodipine 5 mg daily."]);
    for template in ["leave out: prescriptions\n[S]\n{{S}}", "leave out: P\n[S]\nOn {{medications}}."] {
        assert_eq!(written(template, &note), ["S On metformin 500 mg BD."], "{template}");
    }
}

#[test]
fn what_a_person_wrote_stays_whatever_the_template_leaves_out() {
    let edit = NoteEdit::Add { section: SectionCode::S, text: "Lives alone on 3/F.".into() };
    let edited = apply(&note(), edit, "Dr WONG", "2026-11-26T10:00:00Z", &Lexicon::builtin().unwrap()).unwrap();
    assert!(written("leave out: S, O, P\n[A]\n{{Imp}}", &edited).contains(&"S Lives alone on 3/F.".to_owned()));
}

#[test]
fn chinese_is_joined_by_its_own_marks() {
    let template: Template = "[S]\n病徵:{{complaints}};{{denied}}".parse().unwrap();
    assert_eq!(lines(&template.sections(&note(), Language::TraditionalChinese))[0], "S 病徵:頭暈（3 日）;無胸痛");
}

#[test]
fn mistakes_are_told_with_line_and_field() {
    for (template, wanted) in [
        ("", "line 1 of the template: the template has no line"),
        ("# only a remark", "line 1 of the template: the template has no line"),
        ("C/O {{complaints}}", "line 1 of the template: it stands before the first section"),
        ("[S]\n\nC/O {{complaint}}", "line 3 of the template, field `complaint`: there is no such field"),
        ("[S]\nC/O {{complaints}}\nand {{complaints}}", "line 3 of the template, field `complaints`: it is named twice"),
        ("[S]\nC/O {{complaints", "line 2 of the template: a `{{` has no `}}`"),
        ("[S]\nC/O complaints}} {{S}}", "line 2 of the template: a `}}` has no `{{`"),
        ("[S]\nNo fever.", "line 2 of the template: a line without a field would stand in every note"),
        ("[X]", "line 1 of the template: there is no such section"),
        ("[P]\n{{P}}\n[S]", "line 3 of the template: the sections come once each"),
        ("leave out: social\n[S]\n{{social}}", "line 3 of the template, field `social`: it is left out and named"),
        ("[S]\n{{social}}\nleave out: S", "line 3 of the template, field `social`: it is left out and named"),
        ("leave out: everything", "line 1 of the template, field `everything`: there is no such field"),
    ] {
        let error = template.parse::<Template>().unwrap_err().to_string();
        assert!(error.starts_with(wanted), "{error}");
    }
    let long = "x".repeat(LONGEST_TEMPLATE + 1);
    assert!(long.parse::<Template>().unwrap_err().to_string().contains("16,384"));
}
