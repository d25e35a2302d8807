//! S: what was told. Complaints, what is denied, the history, drugs, allergies, family, way of life.

use super::measured::is_measured;
use super::place::ICD10;
use super::sentence::{Line, Phrase, each, list};
use super::wording::doubt;
use super::{Language, Part, condition_section, names, plan};
use crate::note::{Allergy, AllergyStatus, Assertion, Condition, MedicationStatus, Note, SectionCode, SocialItem, Span};
use crate::text::PatientText;

/// Kinds of social item and what a record calls them; another kind goes by its own name.
pub(in crate::note) const SOCIAL: [(&str, &str, &str); 6] = [
    ("smoking", "Smoking", "吸煙"),
    ("alcohol", "Alcohol", "飲酒"),
    ("occupation", "Occupation", "職業"),
    ("living", "Living", "居住"),
    ("exercise", "Exercise", "運動"),
    ("drug_use", "Drug use", "濫藥"),
];

/// A line a part, each with its usual beginning; allergies and the way of life have more.
pub(super) fn lines(part: Part, note: &Note, language: Language) -> Vec<Line<'_>> {
    let lead = match part {
        Part::Allergies => return allergy_lines(&note.allergies, language),
        Part::Social => return each("", phrases(part, note, language), language),
        Part::Complaints => language.pick("C/O ", "主訴："),
        Part::History => language.pick("PMH: ", "既往病史："),
        Part::Medications => language.pick("On ", "現用藥物："),
        Part::Family => language.pick("FHx: ", "家族史："),
        _ => "",
    };
    list(lead, phrases(part, note, language), language).into_iter().collect()
}

/// The words of a part of S without their beginning; nothing for a part of another section.
pub(super) fn phrases(part: Part, note: &Note, language: Language) -> Vec<Phrase<'_>> {
    let way_of_life = |condition: &Condition| note.social.iter().any(|item| told_by(item, condition));
    let told = |assertion| {
        let here = move |c: &&Condition| c.assertion == assertion && condition_section(c) == SectionCode::S;
        note.conditions.iter().filter(here).filter(move |c| !way_of_life(c) && !is_measured(note, c))
    };
    match part {
        Part::Complaints => {
            let certain = told(Assertion::Present).map(|c| names::with_duration(c, language));
            let possible = told(Assertion::Possible).map(|c| names::after(language.pick("?", "懷疑"), c, language));
            certain.chain(possible).collect()
        }
        Part::Denied => named(told(Assertion::Absent), language.pick("no ", "無"), language),
        Part::History => named(told(Assertion::Historical), "", language),
        Part::Medications => taken(note, language),
        Part::Allergies => allergies(&note.allergies, language),
        Part::Family => named(told(Assertion::Family), "", language),
        Part::Social => social(note, language),
        _ => Vec::new(),
    }
}

fn named<'a>(conditions: impl Iterator<Item = &'a Condition>, before: &str, language: Language) -> Vec<Phrase<'a>> {
    conditions.map(|condition| names::after(before, condition, language)).collect()
}

/// Drugs taken now, less those whose change the plan names.
fn taken(note: &Note, language: Language) -> Vec<Phrase<'_>> {
    let active = note.medications.iter().filter(|drug| drug.status == MedicationStatus::Active && !plan::is_changed(note, drug));
    active.map(|drug| Phrase::new(plan::drug(drug, language), &drug.provenance)).collect()
}

/// What there is, that there is no drug allergy, and what else there is not: a line each.
fn allergy_lines(allergies: &[Allergy], language: Language) -> Vec<Line<'_>> {
    let phrases = |keep: &dyn Fn(&Allergy) -> bool| {
        let kept = allergies.iter().filter(|allergy| keep(allergy));
        kept.map(|allergy| Phrase::new(substance(allergy, language), &allergy.provenance)).collect::<Vec<_>>()
    };
    let mut lines = Vec::new();
    lines.extend(list(language.pick("Allergy: ", "過敏："), phrases(&|a| !is_none(a)), language));
    let no_drug_allergy = allergies.iter().filter(|a| a.is_no_drug_allergy());
    let no_drug_allergy = no_drug_allergy.map(|a| Phrase::new(language.pick("NKDA", "無藥物過敏"), &a.provenance)).collect();
    lines.extend(list("", no_drug_allergy, language));
    lines.extend(list(
        language.pick("No allergy to ", "否認過敏："),
        phrases(&|a| is_none(a) && !a.is_no_drug_allergy()),
        language,
    ));
    lines
}

/// The substances, those that there is no allergy to with that before them.
fn allergies(allergies: &[Allergy], language: Language) -> Vec<Phrase<'_>> {
    let phrase = |allergy: &Allergy| match (is_none(allergy), allergy.is_no_drug_allergy()) {
        (false, _) => substance(allergy, language),
        (true, true) => language.pick("NKDA", "無藥物過敏").to_owned(),
        (true, false) => format!("{}{}", language.pick("no allergy to ", "無過敏："), substance(allergy, language)),
    };
    let (none, there): (Vec<&Allergy>, Vec<&Allergy>) = allergies.iter().partition(|allergy| is_none(allergy));
    there.into_iter().chain(none).map(|allergy| Phrase::new(phrase(allergy), &allergy.provenance)).collect()
}

fn substance(allergy: &Allergy, language: Language) -> String {
    format!("{}{}", allergy.substance.trim(), doubt(allergy.heard_as.as_ref().map(PatientText::reveal), language))
}

fn is_none(allergy: &Allergy) -> bool {
    allergy.status == AllergyStatus::None
}

/// The way of life that a condition is, as the beginnings of its codes tell.
const WAYS: [(&str, &str); 2] = [("F17", "smoking"), ("F10", "alcohol")];

/// Whether the way of life tells of a condition in the same words, so that it is said there alone.
fn told_by(item: &SocialItem, condition: &Condition) -> bool {
    let way = WAYS.iter().any(|(code, kind)| {
        item.kind == *kind && condition.codes.iter().any(|one| one.system == ICD10 && one.code.starts_with(code))
    });
    let within = |span: &Span| {
        let overlaps =
            |other: &Span| other.segment() == span.segment() && other.start() < span.end() && span.start() < other.end();
        item.provenance.spans().iter().any(overlaps)
    };
    way && condition.assertion != Assertion::Family && condition.provenance.spans().iter().any(within)
}

/// A sentence for what was said, the words quoted, with the kinds that they tell of.
fn social<'a>(note: &'a Note, language: Language) -> Vec<Phrase<'a>> {
    let name = |item: &'a SocialItem| {
        let known = SOCIAL.iter().find(|(kind, ..)| *kind == item.kind);
        known.map_or(item.kind.as_str(), |(_, english, chinese)| language.pick(english, chinese))
    };
    let mut said: Vec<(String, &'a SocialItem, Vec<&'a SocialItem>)> = Vec::new();
    for item in &note.social {
        // 唔煙唔酒 tells of both at once.
        match said.iter_mut().find(|(_, first, _)| first.text == item.text && first.provenance == item.provenance) {
            Some((names, _, more)) => {
                names.push_str(language.pick(", ", "、"));
                names.push_str(&name(item).to_lowercase());
                more.push(item);
            }
            None => said.push((name(item).to_owned(), item, Vec::new())),
        }
    }
    let phrase = |(names, item, more): (String, &'a SocialItem, Vec<&'a SocialItem>)| {
        let words = format!("{names}{}「{}」", language.pick(": ", "："), item.text.reveal().trim());
        let mut phrase = Phrase::new(words, &item.provenance);
        more.iter().for_each(|other| phrase.rest_also_on(&other.provenance));
        let told =
            note.conditions.iter().filter(|condition| std::iter::once(&item).chain(&more).any(|one| told_by(one, condition)));
        told.for_each(|condition| phrase.rest_also_on(&condition.provenance));
        phrase
    };
    said.into_iter().map(phrase).collect()
}
