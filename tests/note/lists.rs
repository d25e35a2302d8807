//! Drugs in lists, answers that name an allergy, and numbers in digits.

use cantoscribe::note::extract::extract;
use cantoscribe::note::{AllergyStatus, MedicationStatus, Note, PlanKind};
use cantoscribe::speech::transcript::read;

use super::LEXICON;

fn note(said: &str) -> Note {
    extract(&read(said.as_bytes()).unwrap(), &LEXICON)
}

fn taken(note: &Note) -> Vec<(&str, Option<f64>)> {
    note.medications.iter().map(|drug| (drug.name.as_str(), drug.times_per_day)).collect()
}

#[test]
fn what_stands_behind_a_comma_is_said_of_both_drugs() {
    let both = note("doctor: 開 amlodipine 同 simvastatin,每晚一粒。");
    assert_eq!(taken(&both), [("amlodipine", Some(1.0)), ("simvastatin", Some(1.0))]);
    assert!(both.medications.iter().all(|drug| drug.status == MedicationStatus::Planned));
    let own = note("doctor: 開 amlodipine 同 simvastatin 二十 mg 每晚一次。");
    assert_eq!(own.medications.iter().find(|drug| drug.name == "amlodipine").and_then(|drug| drug.times_per_day), None);
    let first = note("doctor: 開 amlodipine 五 mg 一日兩次同 simvastatin,每晚一粒。");
    assert_eq!(taken(&first), [("amlodipine", Some(2.0)), ("simvastatin", Some(1.0))]);
}

#[test]
fn an_answer_to_a_question_in_english_names_the_allergy() {
    for said in [
        "doctor: Any drug allergy?\npatient: Yes, aspirin.",
        "Any drug allergy?\nYes, aspirin.",
        "doctor: drug allergy?\npatient: Aspirin.",
    ] {
        let note = note(said);
        let found: Vec<_> = note.allergies.iter().map(|allergy| (allergy.substance.as_str(), allergy.status)).collect();
        assert_eq!(found, [("aspirin", AllergyStatus::Present)], "{said}");
        assert!(note.medications.is_empty(), "{said}");
    }
}

#[test]
fn a_form_with_a_number_is_found_in_digits_too() {
    for said in ["doctor: 打完針坐十五分鐘先走。", "doctor: 打完針坐15分鐘先走。"] {
        assert!(note(said).plan.iter().any(|item| item.kind == PlanKind::Lifestyle), "{said}");
    }
}

#[test]
fn dizziness_is_no_syncope() {
    let note = note("patient: 我頭暈咗三日。");
    assert_eq!(note.conditions.iter().map(|found| found.display.en.as_str()).collect::<Vec<_>>(), ["Dizziness"]);
}
