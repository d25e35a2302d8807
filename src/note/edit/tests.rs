//! Lines as they are typed, and the composer's own lines read back.

use std::sync::LazyLock;

use super::claimed;
use crate::note::compose::{Language, sections};
use crate::note::{
    MadeBy, Medication, MedicationStatus, Note, Observation, PlanItem, PlanKind, Provenance, Quantity, SectionCode, Span,
};
use crate::terminology::Lexicon;

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::builtin().unwrap());

/// What a line claims, each finding in short.
fn said(section: SectionCode, line: &str) -> Vec<String> {
    told(&claimed(section, line, &LEXICON))
}

fn told(note: &Note) -> Vec<String> {
    let conditions = note.conditions.iter().map(|c| format!("{} {:?}", c.codes[0].code, c.assertion));
    let drugs = note.medications.iter().map(|drug| {
        let dose = drug.dose.as_ref().map(|dose| format!(" {} {}", dose.value, dose.unit)).unwrap_or_default();
        let often = drug.times_per_day.map(|times| format!(" x{times}")).unwrap_or_default();
        let days = drug.duration_days.map(|days| format!(" for {days}")).unwrap_or_default();
        format!("{} {:?}{dose}{often}{}{days}", drug.name, drug.status, if drug.prn { " PRN" } else { "" })
    });
    let allergies = note.allergies.iter().map(|allergy| format!("{} {:?}", allergy.substance, allergy.status));
    let values = note.observations.iter().map(|o| format!("{} {} {}", o.loinc, o.value, o.unit));
    // That something is prescribed is told by the drugs.
    let plan = note.plan.iter().filter(|item| item.kind != PlanKind::Prescription);
    let plan = plan.map(|item| format!("{:?}{}", item.kind, item.days.map(|days| format!(" {days}")).unwrap_or_default()));
    conditions.chain(drugs).chain(allergies).chain(values).chain(plan).collect()
}

fn heard() -> Provenance {
    Provenance::from(crate::note::Evidence::from(Span::new(0, 0, 1).unwrap()))
}

fn blank() -> Note {
    Note::empty(MadeBy { version: String::new(), model: None, precision: None, wording: None, lexicon: String::new() })
}

#[test]
fn several_findings_in_a_typed_line() {
    use SectionCode::{A, O, P, S};
    let rows: &[(SectionCode, &str, &[&str])] = &[
        (P, "Plan: metformin 500 mg BD -> 1 g BD; FU 3/12.", &["metformin Planned 1 g x2", "FollowUp 90"]),
        (P, "Refer ortho; SL 2/7", &["Referral", "SickLeave 2"]),
        (P, "SL 2/7, FU 1/52", &["SickLeave 2", "FollowUp 7"]),
        (P, "Ix CBC, RFT; FU in 3/12 with results", &["Investigation", "FollowUp 90"]),
        (P, "Start amlodipine 5 mg daily, FU 1/12.", &["amlodipine Planned 5 mg x1", "FollowUp 30"]),
        (
            P,
            "Off aspirin. Rx: clopidogrel 75 mg daily. FU 2/52",
            &["aspirin Stopped", "clopidogrel Planned 75 mg x1", "FollowUp 14"],
        ),
        (
            P,
            "metformin 500 mg BD -> 1 g BD; amlodipine 5 mg daily -> 10 mg daily",
            &["metformin Planned 1 g x2", "amlodipine Planned 10 mg x1"],
        ),
        (
            P,
            "處方：paracetamol 1 g QID；覆診：3 個月；病假：2 日。",
            &["paracetamol Planned 1 g x4", "FollowUp 90", "SickLeave 2"],
        ),
        (P, "Advice: less salt, exercise. FU 6/12", &["Lifestyle", "FollowUp 180"]),
        (O, "BP 146/88. P 72. T 37.2.", &["8480-6 146 mm[Hg]", "8462-4 88 mm[Hg]", "8867-4 72 /min", "8310-5 37.2 Cel"]),
        (O, "BP 1450/90. P 72.", &["8867-4 72 /min"]),
        (O, "P 72, RR 18, SpO2 98% RA, T 37.2 °C", &["8867-4 72 /min", "9279-1 18 /min", "59408-5 98 %", "8310-5 37.2 Cel"]),
        (O, "血壓 130/80。脈搏 72。", &["8480-6 130 mm[Hg]", "8462-4 80 mm[Hg]", "8867-4 72 /min"]),
        (S, "PMH: DM. On metformin 500 mg BD. NKDA.", &["E14.9 Historical", "metformin Active 500 mg x2", "drug None"]),
        (A, "Imp: URTI; DDx: pneumonia.", &["J06.9 Present", "J18.9 Possible"]),
        // A comma before a word that begins a line elsewhere, a quotation, a point in a number.
        (S, "C/O SOB, on exertion.", &["R06.0 Present"]),
        (P, "Ix: 「CXR. FU 3/12」", &["Investigation"]),
        (O, "T 37.2", &["8310-5 37.2 Cel"]),
    ];
    for (section, line, wanted) in rows {
        assert_eq!(said(*section, line), *wanted, "{line}");
    }
}

#[test]
fn each_measurement_reads_back_as_it_was_written() {
    let mut lost = Vec::new();
    for language in [Language::English, Language::TraditionalChinese] {
        for kind in &LEXICON.observations {
            let value = ((kind.low + kind.high) / 2.0).min(180.0).max(kind.low).round().max(kind.low);
            let observation = Observation {
                loinc: kind.loinc.clone(),
                display: kind.en.clone(),
                value,
                unit: kind.unit.clone(),
                provenance: heard(),
            };
            let note = Note { observations: vec![observation], ..blank() };
            for line in sections(&note, language).iter().flat_map(|section| &section.sentences) {
                let back = said(SectionCode::O, line.text.reveal());
                if back != told(&note) {
                    lost.push(format!("{}: {back:?} of {:?}", line.text.reveal(), told(&note)));
                }
            }
        }
    }
    assert!(lost.is_empty(), "{} are lost:\n{}", lost.len(), lost.join("\n"));
}

#[test]
fn each_plan_reads_back_as_it_was_written() {
    let drug = |status, prn, days| Medication {
        text: "".into(),
        name: "paracetamol".to_owned(),
        atc: Some("N02BE01".to_owned()),
        dose: Some(Quantity { value: 500.0, unit: "mg".to_owned() }),
        times_per_day: Some(4.0),
        prn,
        duration_days: days,
        unit_implied: false,
        changed_from: None,
        instruction: None,
        status,
        confidence: 0.9,
        sounds_like: None,
        provenance: heard(),
    };
    let item = |kind, days| PlanItem { kind, text: "照肺".into(), days, provenance: heard() };
    let mut notes: Vec<Note> = [
        (PlanKind::Investigation, None),
        (PlanKind::Investigation, Some(14.0)),
        (PlanKind::Referral, None),
        (PlanKind::Lifestyle, None),
        (PlanKind::Procedure, None),
        (PlanKind::SickLeave, Some(2.0)),
        (PlanKind::FollowUp, Some(7.0)),
        (PlanKind::FollowUp, Some(84.0)),
        (PlanKind::FollowUp, Some(90.0)),
    ]
    .into_iter()
    .map(|(kind, days)| Note { plan: vec![item(kind, days)], ..blank() })
    .collect();
    notes.extend(
        [
            (MedicationStatus::Planned, true, Some(5.0)),
            (MedicationStatus::Planned, false, None),
            (MedicationStatus::Stopped, false, None),
        ]
        .into_iter()
        .map(|(status, prn, days)| Note { medications: vec![drug(status, prn, days)], ..blank() }),
    );
    let mut lost = Vec::new();
    for language in [Language::English, Language::TraditionalChinese] {
        for note in &notes {
            let section = sections(note, language).into_iter().find(|section| section.code == SectionCode::P).unwrap();
            let words: Vec<String> = section.sentences.iter().map(|line| line.text.reveal().to_owned()).collect();
            let back = said(SectionCode::P, &words.join(" "));
            if back != told(note) {
                lost.push(format!("{}: {back:?} of {:?}", words.join(" "), told(note)));
            }
        }
    }
    assert!(lost.is_empty(), "{} are lost:\n{}", lost.len(), lost.join("\n"));
}
