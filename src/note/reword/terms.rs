//! The names that a line's findings may be called by.

use crate::note::Note;
use crate::note::compose::{ABBREVIATIONS, Language, SHORT, condition_name, unit};

/// What a finding is called, its usual name first. All of them mean the same.
pub(super) type Forms = Vec<String>;

/// The names of every finding of a line.
pub(super) fn forms(findings: &Note, language: Language) -> Vec<Forms> {
    let mut all: Vec<Forms> = Vec::new();
    all.extend(findings.conditions.iter().map(|condition| match language {
        Language::English => english(&condition.display.en),
        Language::TraditionalChinese => vec![condition.display.zh.trim().to_owned()],
    }));
    all.extend(findings.medications.iter().map(|drug| vec![drug.name.trim().to_owned()]));
    all.extend(findings.allergies.iter().map(|allergy| vec![allergy.substance.trim().to_owned()]));
    for observation in &findings.observations {
        let short = SHORT.iter().find(|(loinc, ..)| *loinc == observation.loinc);
        let short = short.map(|(_, english, chinese)| language.pick(*english, *chinese).to_owned());
        all.push(match language {
            Language::English => short.into_iter().chain([observation.display.trim().to_owned()]).collect(),
            Language::TraditionalChinese => vec![short.unwrap_or_else(|| observation.display.trim().to_owned())],
        });
    }
    if !findings.observations.is_empty() {
        all.push(language.pick(&["BP", "blood pressure"][..], &["血壓"][..]).iter().map(|&form| form.to_owned()).collect());
    }
    all.iter_mut().for_each(|forms| forms.retain(|form| !form.is_empty()));
    all.retain(|forms| !forms.is_empty());
    all
}

/// The units that a line's readings are written in.
pub(super) fn units(findings: &Note) -> Vec<String> {
    findings.observations.iter().map(|observation| unit(&observation.unit)).filter(|unit| !unit.is_empty()).collect()
}

/// As the composer calls a condition, its full name, and the other names that are abbreviated like it.
fn english(display: &str) -> Forms {
    let usual = condition_name(display);
    let same = ABBREVIATIONS.iter().filter(|(_, short)| *short == usual).map(|(name, _)| (*name).to_owned());
    [usual.clone(), display.trim().to_owned()].into_iter().chain(same).collect()
}
