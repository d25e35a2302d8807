//! P: drugs started, changed and stopped, and what else will be done.

use super::Language;
use super::sentence::{Line, Phrase, each};
use super::wording::{doubt, duration, frequency, quantity};
use crate::note::{Medication, MedicationStatus, Note, PlanItem, PlanKind};

/// Order of the plan, with what a record calls each kind.
pub(in crate::note) const KINDS: [(PlanKind, &str, &str); 7] = [
    (PlanKind::Prescription, "Rx", "處方"),
    (PlanKind::Investigation, "Ix", "檢查"),
    (PlanKind::Procedure, "Procedure", "治療"),
    (PlanKind::Referral, "Refer", "轉介"),
    (PlanKind::Lifestyle, "Advice", "生活建議"),
    (PlanKind::SickLeave, "SL", "病假"),
    (PlanKind::FollowUp, "FU", "覆診"),
];

pub(super) fn lines(note: &Note, language: Language) -> Vec<Line<'_>> {
    let mut drugs = prescribed(note, language);
    let mut items = Vec::new();
    for (kind, english, chinese) in KINDS {
        for item in note.plan.iter().filter(|item| item.kind == kind) {
            let same =
                (kind == PlanKind::Prescription).then(|| drugs.iter_mut().find(|drug| share_segment(drug, item))).flatten();
            match same {
                Some(drug) => drug.rest_also_on(&item.provenance),
                None => items.push(planned(item, language.pick(english, chinese), language)),
            }
        }
    }
    drugs.extend(items);
    each("", drugs, language)
}

/// Whether the plan changes how this drug is taken, so that it is said there.
pub(super) fn is_changed(note: &Note, taken: &Medication) -> bool {
    note.medications.iter().any(|drug| drug.status == MedicationStatus::Planned && drug.name == taken.name)
}

/// A drug and how it is taken.
pub(super) fn drug(drug: &Medication, language: Language) -> String {
    let regimen = regimen(drug, language);
    let name = format!("{}{}", drug.name.trim(), doubt(&drug.text, drug.sounds_like.as_deref(), language));
    if regimen.is_empty() { name } else { format!("{name} {regimen}") }
}

/// How a drug is taken: dose, frequency, when needed, for how long.
pub(crate) fn regimen(drug: &Medication, language: Language) -> String {
    let parts = [
        drug.dose.as_ref().map(|dose| quantity(dose, language)),
        drug.times_per_day.and_then(|times| frequency(times, language)),
        drug.prn.then(|| language.pick("PRN", "需要時").to_owned()),
        drug.duration_days.and_then(|days| duration(days, language)).map(|time| language.pick(format!("x {time}"), time)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Started drugs, with what was taken before an arrow, then stopped ones.
fn prescribed(note: &Note, language: Language) -> Vec<Phrase<'_>> {
    let with = |status| note.medications.iter().filter(move |drug| drug.status == status);
    let started = with(MedicationStatus::Planned).map(|new| {
        let before: Vec<&Medication> = with(MedicationStatus::Active).filter(|old| old.name == new.name).collect();
        let (was, is) = (before.first().map(|old| drug(old, language)), regimen(new, language));
        let words = match was {
            Some(was) if !is.is_empty() => format!("{was} -> {is}"),
            _ => drug(new, language),
        };
        let mut phrase = Phrase::new(format!("{}{words}", language.pick("", "處方：")), &new.provenance);
        before.iter().for_each(|old| phrase.rest_also_on(&old.provenance));
        phrase
    });
    let stopped = with(MedicationStatus::Stopped)
        .map(|old| Phrase::new(format!("{}{}", language.pick("off ", "停用："), drug(old, language)), &old.provenance));
    started.chain(stopped).collect()
}

fn share_segment(drug: &Phrase<'_>, item: &PlanItem) -> bool {
    let segments = |segment| drug.spans().any(|span| span.segment() == segment);
    item.provenance.spans().iter().any(|span| segments(span.segment()))
}

/// The length of sick leave and the time to a follow-up say it all; anything else is quoted.
fn planned<'a>(item: &'a PlanItem, name: &str, language: Language) -> Phrase<'a> {
    let time = item.days.and_then(|days| duration(days, language));
    let colon = language.pick(": ", "：");
    let quoted = item.text.reveal().trim();
    let words = match (item.kind, time) {
        (PlanKind::SickLeave | PlanKind::FollowUp, Some(time)) => format!("{name}{}{time}", language.pick(" ", "：")),
        (_, Some(time)) => {
            let time = language.pick(format!(" in {time}"), format!("（{time}）"));
            format!("{name}{time}{colon}「{quoted}」")
        }
        (_, None) => format!("{name}{colon}「{quoted}」"),
    };
    Phrase::new(words, &item.provenance)
}
