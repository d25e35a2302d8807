//! What a condition is called in a record: the usual abbreviation, the side, for how long.

use super::wording::{about, doubt, duration};
use super::{Language, sentence::Phrase};
use crate::note::{Condition, Laterality};

/// English names, in lower case, and what every Hong Kong record writes for them.
pub(in crate::note) const ABBREVIATIONS: [(&str, &str); 44] = [
    ("essential hypertension", "HT"),
    ("hypertension", "HT"),
    ("diabetes mellitus", "DM"),
    ("type 1 diabetes mellitus", "T1DM"),
    ("type 2 diabetes mellitus", "T2DM"),
    ("type 1 diabetes", "T1DM"),
    ("type 2 diabetes", "T2DM"),
    ("diabetes", "DM"),
    ("chest pain", "CP"),
    ("shortness of breath", "SOB"),
    ("dyspnoea", "SOB"),
    ("low back pain", "LBP"),
    ("upper respiratory tract infection", "URTI"),
    ("upper respiratory infection", "URTI"),
    ("acute upper respiratory infection", "URTI"),
    ("acute upper respiratory tract infection", "URTI"),
    ("urinary tract infection", "UTI"),
    ("ischaemic heart disease", "IHD"),
    ("coronary artery disease", "CAD"),
    ("chronic obstructive pulmonary disease", "COPD"),
    ("chronic kidney disease", "CKD"),
    ("atrial fibrillation", "AF"),
    ("congestive heart failure", "CHF"),
    ("myocardial infarction", "MI"),
    ("acute myocardial infarction", "AMI"),
    ("transient ischaemic attack", "TIA"),
    ("cerebrovascular accident", "CVA"),
    ("gastro-oesophageal reflux disease", "GERD"),
    ("peptic ulcer disease", "PUD"),
    ("irritable bowel syndrome", "IBS"),
    ("inflammatory bowel disease", "IBD"),
    ("benign prostatic hyperplasia", "BPH"),
    ("osteoarthritis", "OA"),
    ("rheumatoid arthritis", "RA"),
    ("systemic lupus erythematosus", "SLE"),
    ("deep vein thrombosis", "DVT"),
    ("pulmonary embolism", "PE"),
    ("tuberculosis", "TB"),
    ("pulmonary tuberculosis", "pulmonary TB"),
    ("hepatocellular carcinoma", "HCC"),
    ("nasopharyngeal carcinoma", "NPC"),
    ("obstructive sleep apnoea", "OSA"),
    ("benign paroxysmal positional vertigo", "BPPV"),
    ("loss of consciousness", "LOC"),
];

/// First words that keep their capital letter inside a sentence.
const PROPER: [&str; 30] = [
    "Achilles",
    "Addison",
    "Alzheimer",
    "Baker",
    "Barrett",
    "Behçet",
    "Bell",
    "Colles",
    "Crohn",
    "Cushing",
    "Down",
    "Dupuytren",
    "Gilbert",
    "Graves",
    "Guillain",
    "Hashimoto",
    "Helicobacter",
    "Hodgkin",
    "Huntington",
    "Kawasaki",
    "Legionnaires",
    "Mallory",
    "Marfan",
    "Ménière",
    "Osgood",
    "Paget",
    "Parkinson",
    "Raynaud",
    "Sjögren",
    "Tourette",
];

/// `left knee pain x 2/12`; with a question mark where it is only possible.
pub(super) fn with_duration(condition: &Condition, language: Language) -> Phrase<'_> {
    let name = name(condition, language);
    let worded = if condition.duration_about { about } else { duration };
    let lasting = condition.duration_days.and_then(|days| worded(days, language));
    let words = match lasting {
        Some(lasting) => language.pick(format!("{name} x {lasting}"), format!("{name}（{lasting}）")),
        None => name,
    };
    Phrase::new(words, &condition.provenance)
}

/// The condition's name and side, with a word before it.
pub(super) fn after<'a>(before: &str, condition: &'a Condition, language: Language) -> Phrase<'a> {
    Phrase::new(format!("{before}{}", name(condition, language)), &condition.provenance)
}

fn name(condition: &Condition, language: Language) -> String {
    let side = match condition.laterality {
        Some(Laterality::Left) => language.pick("left ", "左側"),
        Some(Laterality::Right) => language.pick("right ", "右側"),
        Some(Laterality::Bilateral) => language.pick("bilateral ", "雙側"),
        None => "",
    };
    let name = language.pick(english(&condition.display.en), condition.display.zh.trim().to_owned());
    let doubt = doubt(condition.heard_as(), language);
    if name.is_empty() { format!("{side}「{}」", condition.text.reveal().trim()) } else { format!("{side}{name}{doubt}") }
}

/// What a record calls a condition of this English name inside a sentence.
pub(in crate::note) fn english(display: &str) -> String {
    let display = display.trim();
    let lower = display.to_lowercase();
    if let Some((_, abbreviation)) = ABBREVIATIONS.iter().find(|(name, _)| *name == lower) {
        return (*abbreviation).to_owned();
    }
    let acronym =
        display.split([' ', '-']).next().is_some_and(|word| word.chars().skip(1).any(|c| c.is_uppercase() || c.is_numeric()));
    if acronym || PROPER.iter().any(|name| display.starts_with(name)) {
        return display.to_owned();
    }
    let mut chars = display.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
