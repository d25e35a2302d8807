//! The summary for the patient: what was found, what to take, what comes next.
//!
//! It is made of findings, the ones that were read from typed lines too. What a colleague would be told and the patient need not read
//! (what was denied, relatives, lines in a record's shorthand) is not in it.

use super::Request;
use super::document::{Letter, allergies, lines_of_people, texts, words};
use crate::note::compose::{self, Language, Part, duration};
use crate::note::{MedicationStatus, Note, PlanKind};
use crate::text::PatientText;

pub(super) fn letter(request: &Request<'_>) -> Letter {
    let mut letter = Letter::new(request, ("Summary of your visit", "診症摘要"));
    let part = |part| texts(words(request, part));
    letter.field(("Diagnosis", "診斷"), &words(request, Part::Diagnoses));
    letter.field(("Allergies", "過敏"), &allergies(request));
    letter.known_allergies(request);
    letter.list(("Symptoms", "症狀"), part(Part::Complaints));
    letter.list(("Measured", "量度結果"), part(Part::Measurements));
    letter.list(("Examination", "檢查所見"), part(Part::Signs));
    letter.list(("New or changed medicine", "新開或更改的藥物"), drugs(request, MedicationStatus::Planned));
    letter.list(("Stop taking", "停用的藥物"), drugs(request, MedicationStatus::Stopped));
    let kept = compose::words(&without_what_is_stopped(request.note), Part::Medications, request.language);
    letter.list(("Keep taking", "繼續服用的藥物"), texts(kept));
    letter.list(("Tests", "化驗及檢查"), planned(request, PlanKind::Investigation));
    letter.list(("Treatment", "治療"), planned(request, PlanKind::Procedure));
    letter.list(("Referral", "轉介"), planned(request, PlanKind::Referral));
    letter.list(("Advice", "生活建議"), planned(request, PlanKind::Lifestyle));
    letter.list(("Sick leave", "病假"), planned(request, PlanKind::SickLeave));
    letter.list(("Come back", "覆診"), planned(request, PlanKind::FollowUp));
    letter.left_out = texts(lines_of_people(&request.note.sections).cloned());
    letter
}

fn drugs(request: &Request<'_>, status: MedicationStatus) -> Vec<PatientText> {
    let drugs = request.note.medications.iter().filter(|drug| drug.status == status);
    drugs.map(|drug| PatientText::from(compose::drug(drug, request.language))).collect()
}

/// A note may say of one drug that it is taken and that it is stopped. Who reads a summary would do one or the other.
fn without_what_is_stopped(note: &Note) -> Note {
    let with = |status| note.medications.iter().filter(move |drug| drug.status == status);
    let stopped: Vec<&str> = with(MedicationStatus::Stopped).map(|drug| drug.name.as_str()).collect();
    let mut rest = note.clone();
    rest.medications.retain(|drug| drug.status != MedicationStatus::Active || !stopped.contains(&drug.name.as_str()));
    rest
}

/// The time in words, or what was said.
fn planned(request: &Request<'_>, kind: PlanKind) -> Vec<PatientText> {
    let language = request.language;
    let items = request.note.plan.iter().filter(|item| item.kind == kind);
    let words = items.map(|item| {
        let quoted = format!("「{}」", item.text.reveal().trim());
        let time = item.days.and_then(|days| time(days, language));
        match (kind, time) {
            (PlanKind::SickLeave, Some(time)) => time,
            (PlanKind::FollowUp, Some(time)) => language.pick(format!("in {time}"), format!("{time}後")),
            (_, Some(time)) => language.pick(format!("{quoted}, in {time}"), format!("{quoted}，{time}後")),
            (_, None) => quoted,
        }
    });
    let mut once: Vec<PatientText> = Vec::new();
    words.map(PatientText::from).for_each(|words| {
        if !once.contains(&words) {
            once.push(words);
        }
    });
    once
}

/// A patient does not read `3/7`.
fn time(days: f64, language: Language) -> Option<String> {
    match language {
        Language::TraditionalChinese => duration(days, language),
        Language::English => (days.is_finite() && days > 0.0).then(|| format!("{days} day{}", if days > 1.0 { "s" } else { "" })),
    }
}
