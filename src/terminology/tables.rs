//! The tables that come with the program.

/// Conditions: icd10, icpc2, flags (`s` symptom, `c` chronic), English, Chinese, forms.
pub const CONDITIONS: &[(&str, &str)] = &[
    ("symptoms.tsv", include_str!("tables/symptoms.tsv")),
    ("conditions-internal.tsv", include_str!("tables/conditions-internal.tsv")),
    ("conditions-chest-gut.tsv", include_str!("tables/conditions-chest-gut.tsv")),
    ("conditions-infection-skin.tsv", include_str!("tables/conditions-infection-skin.tsv")),
    ("conditions-bone-injury.tsv", include_str!("tables/conditions-bone-injury.tsv")),
    ("conditions-mind-nerve-senses.tsv", include_str!("tables/conditions-mind-nerve-senses.tsv")),
    ("conditions-women-urology-growths.tsv", include_str!("tables/conditions-women-urology-growths.tsv")),
    ("conditions-heart-endocrine.tsv", include_str!("tables/conditions-heart-endocrine.tsv")),
    ("conditions-lungs-nose.tsv", include_str!("tables/conditions-lungs-nose.tsv")),
    ("conditions-gut-mouth.tsv", include_str!("tables/conditions-gut-mouth.tsv")),
    ("conditions-kidney-women.tsv", include_str!("tables/conditions-kidney-women.tsv")),
    ("conditions-pregnancy-birth.tsv", include_str!("tables/conditions-pregnancy-birth.tsv")),
    ("conditions-skin.tsv", include_str!("tables/conditions-skin.tsv")),
    ("conditions-eye-ear.tsv", include_str!("tables/conditions-eye-ear.tsv")),
    ("conditions-mind.tsv", include_str!("tables/conditions-mind.tsv")),
    ("conditions-joint-bone.tsv", include_str!("tables/conditions-joint-bone.tsv")),
    ("conditions-injury-sites.tsv", include_str!("tables/conditions-injury-sites.tsv")),
    ("conditions-infection-harm.tsv", include_str!("tables/conditions-infection-harm.tsv")),
    ("conditions-growths-blood.tsv", include_str!("tables/conditions-growths-blood.tsv")),
    ("conditions-contact.tsv", include_str!("tables/conditions-contact.tsv")),
];
/// Classes of interchangeable words: name, words.
pub const CLASSES: (&str, &str) = ("classes.tsv", include_str!("tables/classes.tsv"));
/// Drugs: name, atc, kind, forms.
pub const DRUGS: &[(&str, &str)] = &[
    ("drugs-gut-diabetes.tsv", include_str!("tables/drugs-gut-diabetes.tsv")),
    ("drugs-heart-blood.tsv", include_str!("tables/drugs-heart-blood.tsv")),
    ("drugs-infection.tsv", include_str!("tables/drugs-infection.tsv")),
    ("drugs-lungs-allergy.tsv", include_str!("tables/drugs-lungs-allergy.tsv")),
    ("drugs-pain-nerve-mind.tsv", include_str!("tables/drugs-pain-nerve-mind.tsv")),
    ("drugs-hormones-urology.tsv", include_str!("tables/drugs-hormones-urology.tsv")),
    ("drugs-skin-eye.tsv", include_str!("tables/drugs-skin-eye.tsv")),
    ("drugs-cancer-immune.tsv", include_str!("tables/drugs-cancer-immune.tsv")),
    ("drugs-classes-vaccines.tsv", include_str!("tables/drugs-classes-vaccines.tsv")),
];
/// Allergens that are no drugs: name, forms.
pub const ALLERGENS: (&str, &str) = ("allergens.tsv", include_str!("tables/allergens.tsv"));
/// Measurements: loinc, English, Chinese, unit, low, high, forms.
pub const OBSERVATIONS: (&str, &str) = ("observations.tsv", include_str!("tables/observations.tsv"));
/// Units: kind, ucum, factor, forms.
pub const UNITS: (&str, &str) = ("units.tsv", include_str!("tables/units.tsv"));
/// Small words: kind, value, forms.
pub const TERMS: &[(&str, &str)] = &[
    ("phrases.tsv", include_str!("tables/phrases.tsv")),
    ("cues.tsv", include_str!("tables/cues.tsv")),
    ("actions.tsv", include_str!("tables/actions.tsv")),
    ("salient.tsv", include_str!("tables/salient.tsv")),
];
/// Which doses can be: drug, usual unit, least and most at one time, most times a day.
pub const DOSES: (&str, &str) = ("doses.tsv", include_str!("tables/doses.tsv"));
/// The character fold: from, to.
pub const FOLD: (&str, &str) = ("fold.tsv", include_str!("tables/fold.tsv"));
/// How characters sound: Jyutping with its tone, characters.
pub const READINGS: (&str, &str) = ("readings.tsv", include_str!("tables/readings.tsv"));
/// A drug group and a topic that together mean a condition: atc prefix, topic words, icd10.
pub const INDICATIONS: (&str, &str) = ("indications.tsv", include_str!("tables/indications.tsv"));
