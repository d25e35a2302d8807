//! P: drugs started, changed and stopped, and what else will be done.

use super::plan_names;
use super::sentence::{Line, Phrase, each};
use super::wording::{doubt, duration, frequency, misheard, quantity};
use super::{Language, Part};
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

/// A line a drug or item, with the record's name of its kind.
pub(super) fn lines(part: Part, note: &Note, language: Language) -> Vec<Line<'_>> {
    each("", phrases(part, note, language, true), language)
}

/// The words of a part of P, with the record's name of their kind before them where they are `named`; nothing for a part of another
/// section.
pub(super) fn phrases(part: Part, note: &Note, language: Language, named: bool) -> Vec<Phrase<'_>> {
    let Some((kind, english, chinese)) = KINDS.into_iter().find(|(kind, ..)| Part::of_plan(*kind) == part) else {
        return Vec::new();
    };
    let name = named.then(|| language.pick(english, chinese));
    let mut drugs = if kind == PlanKind::Prescription { prescribed(note, language, named) } else { Vec::new() };
    let mut items = Vec::new();
    for item in note.plan.iter().filter(|item| item.kind == kind) {
        match drugs.iter_mut().find(|drug| share_segment(drug, item)) {
            Some(drug) => drug.rest_also_on(&item.provenance),
            None => items.push(planned(item, name, language)),
        }
    }
    drugs.extend(items);
    drugs
}

/// Whether the plan changes how this drug is taken, so that it is said there.
pub(super) fn is_changed(note: &Note, taken: &Medication) -> bool {
    note.medications.iter().any(|drug| drug.status == MedicationStatus::Planned && same(drug, taken))
}

/// A drug and how it is taken, with what was heard where it only sounds like the drug.
pub(crate) fn drug(drug: &Medication, language: Language) -> String {
    let (name, regimen) = (name(drug, language), regimen(drug, language));
    if regimen.is_empty() { name } else { format!("{name} {regimen}") }
}

/// One drug in one form: eye drops are no tablets.
fn same(one: &Medication, other: &Medication) -> bool {
    one.name == other.name && one.atc == other.atc
}

fn name(drug: &Medication, language: Language) -> String {
    let form = form(drug).map(|(english, chinese)| language.pick(format!(" {english}"), chinese.to_owned())).unwrap_or_default();
    format!("{}{form}{}", drug.name.trim(), doubt(drug.sounds_like.as_ref().map(|_| misheard(drug)), language))
}

/// The form that the ATC code tells and the name does not: how the codes begin, in English and Chinese.
const FORMS: [(&[&str], &str, &str); 4] = [
    (&["S01"], "eye drops", "眼藥水"),
    (&["S02"], "ear drops", "滴耳液"),
    (&["R01AC", "R01AD"], "nasal spray", "噴鼻劑"),
    (&["M02A", "D10AF", "D06BX", "D06BB", "D07AB09"], "(topical)", "（外用）"),
];

fn form(drug: &Medication) -> Option<(&'static str, &'static str)> {
    let atc = drug.atc.as_deref()?;
    let said = ["drops", "cream", "spray", "tears"].iter().any(|word| drug.name.ends_with(word));
    let of = FORMS.iter().find(|(codes, ..)| codes.iter().any(|code| atc.starts_with(code)))?;
    (!said).then_some((of.1, of.2))
}

/// How it was taken before the change that the entry itself tells of.
fn former(drug: &Medication, language: Language) -> Option<String> {
    let before = drug.changed_from.as_ref()?;
    let dose = before.dose.as_ref().map(|dose| quantity(dose, language));
    let often = before.times_per_day.and_then(|times| frequency(times, language));
    let words = dose.into_iter().chain(often).collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then_some(words)
}

/// How a drug is taken: dose, frequency, when needed, for how long.
pub(crate) fn regimen(drug: &Medication, language: Language) -> String {
    let told = drug.instruction.as_ref().map(|words| format!("「{}」", words.reveal().trim()));
    if let Some(told) = told.as_ref().filter(|_| drug.dose.is_some()) {
        // The dose is one of those that the words tell: beside them it would read as all.
        return told.clone();
    }
    let parts = [
        told,
        drug.dose.as_ref().map(|dose| quantity(dose, language)),
        drug.times_per_day.and_then(|times| frequency(times, language)),
        drug.prn.then(|| language.pick("PRN", "需要時").to_owned()),
        drug.duration_days.and_then(|days| duration(days, language)).map(|time| language.pick(format!("x {time}"), time)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Started drugs, with what was taken before an arrow, then stopped ones.
fn prescribed(note: &Note, language: Language, named: bool) -> Vec<Phrase<'_>> {
    let with = |status| note.medications.iter().filter(move |drug| drug.status == status);
    let started = with(MedicationStatus::Planned).map(|new| {
        let before: Vec<&Medication> = with(MedicationStatus::Active).filter(|old| same(old, new)).collect();
        let changed = || former(new, language).map(|was| format!("{} {was}", name(new, language)));
        let (was, is) = (before.first().map(|old| drug(old, language)).or_else(changed), regimen(new, language));
        let words = match was {
            Some(was) if !is.is_empty() => format!("{was} -> {is}"),
            _ => drug(new, language),
        };
        let mut phrase = Phrase::new(format!("{}{words}", if named { language.pick("", "處方：") } else { "" }), &new.provenance);
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

/// The length of sick leave and the time to a follow-up say it all; what has a name in English has that in an English note; anything
/// else is quoted.
fn planned<'a>(item: &'a PlanItem, name: Option<&str>, language: Language) -> Phrase<'a> {
    let time = item.days.and_then(|days| duration(days, language));
    // A person's words stay as they were written.
    let heard = !item.provenance.is_by_a_person();
    let named = language.pick(heard.then(|| plan_names::english(item.kind, item.text.reveal())).flatten(), None);
    let quoted = named.unwrap_or_else(|| format!("「{}」", item.text.reveal().trim()));
    let colon = language.pick(": ", "：");
    let words = match (item.kind, time, name) {
        (PlanKind::SickLeave | PlanKind::FollowUp, Some(time), Some(name)) => {
            format!("{name}{}{time}", language.pick(" ", "："))
        }
        (PlanKind::SickLeave | PlanKind::FollowUp, Some(time), None) => time,
        (_, Some(time), name) => {
            let time = language.pick(format!(" in {time}"), format!("（{time}）"));
            name.map_or_else(|| format!("{quoted}{time}"), |name| format!("{name}{time}{colon}{quoted}"))
        }
        (_, None, name) => name.map_or_else(|| quoted.clone(), |name| format!("{name}{colon}{quoted}")),
    };
    Phrase::new(words, &item.provenance)
}
