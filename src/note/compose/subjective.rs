//! S: what was told. Complaints, what is denied, the history, drugs, allergies, family, way of life.

use super::sentence::{Line, Phrase, each, list};
use super::{Language, condition_section, names, plan};
use crate::note::{Allergy, AllergyStatus, Assertion, Condition, MedicationStatus, Note, SectionCode, SocialItem};

/// The substance where the speaker said that there is no drug allergy at all.
const ANY_DRUG: &str = "drug";

/// Kinds of social item and what a record calls them; another kind goes by its own name.
pub(in crate::note) const SOCIAL: [(&str, &str, &str); 6] = [
    ("smoking", "Smoking", "吸煙"),
    ("alcohol", "Alcohol", "飲酒"),
    ("occupation", "Occupation", "職業"),
    ("living", "Living", "居住"),
    ("exercise", "Exercise", "運動"),
    ("drug_use", "Drug use", "濫藥"),
];

pub(super) fn lines(note: &Note, language: Language) -> Vec<Line<'_>> {
    let told =
        |assertion| note.conditions.iter().filter(move |c| c.assertion == assertion && condition_section(c) == SectionCode::S);
    let complaints = told(Assertion::Present)
        .map(|c| names::with_duration(c, language))
        .chain(told(Assertion::Possible).map(|c| names::after(language.pick("?", "懷疑"), c, language)));
    let mut lines = Vec::new();
    lines.extend(list(language.pick("C/O ", "主訴："), complaints.collect(), language));
    lines.extend(list("", named(told(Assertion::Absent), language.pick("no ", "無"), language), language));
    lines.extend(list(language.pick("PMH: ", "既往病史："), named(told(Assertion::Historical), "", language), language));
    lines.extend(list(language.pick("On ", "現用藥物："), taken(note, language), language));
    lines.extend(allergies(&note.allergies, language));
    lines.extend(list(language.pick("FHx: ", "家族史："), named(told(Assertion::Family), "", language), language));
    lines.extend(social(note, language));
    lines
}

fn named<'a>(conditions: impl Iterator<Item = &'a Condition>, before: &str, language: Language) -> Vec<Phrase<'a>> {
    conditions.map(|condition| names::after(before, condition, language)).collect()
}

/// Drugs taken now, less those whose change the plan names.
fn taken(note: &Note, language: Language) -> Vec<Phrase<'_>> {
    let active = note.medications.iter().filter(|drug| drug.status == MedicationStatus::Active && !plan::is_changed(note, drug));
    active.map(|drug| Phrase::new(plan::drug(drug, language), &drug.provenance)).collect()
}

fn allergies(allergies: &[Allergy], language: Language) -> Vec<Line<'_>> {
    let phrases = |keep: &dyn Fn(&&Allergy) -> bool, before: &str| {
        allergies
            .iter()
            .filter(keep)
            .map(|a| Phrase::new(format!("{before}{}", a.substance.trim()), &a.provenance))
            .collect::<Vec<_>>()
    };
    let none = |allergy: &&Allergy| allergy.status == AllergyStatus::None;
    let any_drug = |allergy: &Allergy| allergy.substance == ANY_DRUG;
    let no_drug_allergy = allergies.iter().filter(|a| none(a) && any_drug(a));
    let no_drug_allergy = no_drug_allergy.map(|a| Phrase::new(language.pick("NKDA", "無藥物過敏"), &a.provenance)).collect();
    let mut lines = Vec::new();
    lines.extend(list(language.pick("Allergy: ", "過敏："), phrases(&|a| !none(a), ""), language));
    lines.extend(list("", no_drug_allergy, language));
    let lead = language.pick("No allergy to ", "否認過敏：");
    lines.extend(list(lead, phrases(&|a| none(a) && !any_drug(a), ""), language));
    lines
}

/// A sentence a kind, the words quoted.
fn social<'a>(note: &'a Note, language: Language) -> Vec<Line<'a>> {
    let phrase = |item: &'a SocialItem| {
        let known = SOCIAL.iter().find(|(kind, ..)| *kind == item.kind);
        let name = known.map_or(item.kind.as_str(), |(_, english, chinese)| language.pick(english, chinese));
        Phrase::new(format!("{name}{}「{}」", language.pick(": ", "："), item.text.reveal().trim()), &item.provenance)
    };
    each("", note.social.iter().map(phrase).collect(), language)
}
