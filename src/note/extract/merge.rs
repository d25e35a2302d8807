//! One entry for each condition and claim over the whole talk: later corrects earlier.

mod duration;
mod sides;

use std::collections::BTreeMap;
use std::ops::Range;

use super::assertion::{Claim, OVER};
use super::dialogue::Event;
use super::fever::MEASURED;
use super::mention::Mention;
use super::utterance::{Speaker, Utterance};
use super::{MISSPELT_CONFIDENCE, evidence_of};
use crate::note::{Assertion, Code, Condition, Display, Evidence};
use crate::terminology::Lexicon;
use crate::text::PatientText;

/// A broader code gives way to a narrower one of the same talk: unspecified diabetes to type 2, a symptom to nothing.
const NARROWER: &[(&str, &[&str])] = &[
    ("E14.9", &["E11", "E10", "O24"]),
    ("I64", &["I63", "I61", "I60", "I69"]),
    ("J06.9", &["J00", "J02", "J03", "J04", "J05"]),
    ("N39.0", &["N10", "N30"]),
    ("L30.9", &["L20", "L21", "L23", "L25"]),
    ("I51.9", &["I20", "I21", "I25", "I48", "I50"]),
    ("M54.5", &["M51", "N23"]),
    ("M51.2", &["M50"]),
    ("R21", &["L", "B0", "B8"]),
    ("R03.0", &["I10"]),
    ("R73.9", &["E11", "E14"]),
    ("J18.9", &["J15", "J12"]),
    ("M13.9", &["M05", "M06", "M10", "M17", "M15"]),
    ("C80", &["C"]),
    ("E79.0", &["M10"]),
    ("M19.9", &["M15", "M16", "M17", "M18"]),
    ("I49.9", &["I48", "I47", "I44", "I45"]),
    ("R60.0", &["L03", "A46"]),
    ("E07.9", &["E04", "E05", "E03", "C73"]),
    ("T14.3", &["S03.0", "S13", "S33", "S43", "S53", "S63", "S73", "S83", "S93", "M24.4"]),
    ("T14.2", &["S02", "S12", "S22", "S32", "S42", "S52", "S62", "S72", "S82", "S92"]),
    ("I25.9", &["I21", "I22"]),
    ("Z33", &["O"]),
    ("R56.8", &["R56.0", "G40"]),
    // What belongs to a disease is not coded beside it (ICD-10, volume 2, chapter XVIII).
    ("R06.7", &["J30", "J00", "J06"]),
    ("J34.8", &["J30", "J00", "J06"]),
    ("R25.1", &["E16"]),
    ("R61.9", &["E16", "N95.1"]),
    ("N91.2", &["N95"]),
    ("R68.8", &["R50", "L03", "J18", "A41"]),
    ("R20.8", &["B02"]),
    ("M79.2", &["B02"]),
    ("H73.0", &["H66"]),
];

/// Diabetes, of every type.
const DIABETES: [&str; 5] = ["E10", "E11", "E13", "E14", "O24"];
/// Words of sugar, and of what lowers it (folded).
const SUGAR: [&str; 7] = ["糖", "汽水", "hypo", "insulin", "胰岛素", "glicla", "glipi"];
/// A fall, and how more than one of them is told.
const FALL: &str = "R29.6";
const FALLS: [&str; 10] = ["成日", "次", "falls", "recurrent", "經常", "经常", "時時", "时时", "周時", "周时"];
/// Injuries: a single fall is how they came about.
const INJURIES: [&str; 3] = ["S", "T0", "T1"];

/// What was in an organ is no more there once the organ was taken out: a word of the removal as it is told, and the codes.
const TAKEN_OUT: &[(&str, &[&str])] =
    &[("膽", &["K80", "K81"]), ("胆", &["K80", "K81"]), ("盲腸", &["K35", "K37"]), ("子宮", &["D25", "N80.0"])];

/// Why an episode was one of its own, before what is there now.
const AGAIN: [&str; 3] = ["once", "had it (過)", "a while ago"];

/// ICD-10, ICPC-2 and, where the sides differ, the side.
type Key<'a> = (&'a str, Option<&'a str>, Option<sides::Key>);

/// What is known of one condition of the patient.
#[derive(Debug, Default)]
struct Known {
    /// Present, possible or absent, and the events it rests on.
    now: Option<(Claim, Vec<usize>)>,
    historical: Vec<usize>,
    family: Vec<usize>,
    order: usize,
}

/// The conditions of the note, in the order first named.
#[must_use]
pub fn conditions(events: &[Event], utterances: &[Utterance], lexicon: &Lexicon) -> Vec<Condition> {
    // Both codes are the key: knee and shoulder pain share ICD-10's joint pain and differ in ICPC-2. So is the side, where one
    // side has what the other has not.
    let sides = sides::of_events(events, utterances, lexicon);
    let mut by_code: BTreeMap<Key<'_>, Known> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        let Some(concept) = lexicon.conditions.get(event.mention.condition).filter(|_| event.claim != Claim::Asked) else {
            continue;
        };
        let key = (concept.icd10.as_str(), concept.icpc2.as_deref(), sides.get(index).copied().flatten());
        let fresh = !by_code.contains_key(&key);
        let known = by_code.entry(key).or_default();
        if fresh {
            known.order = index;
        }
        // 冇成串咳: the doctor's word on how a complaint is not does not unsay what the patient complains of.
        let complained = concept.symptom && matches!(known.now, Some((Claim::Present { explicit: true }, _)));
        let doctor = utterances.get(event.utterance).is_some_and(|utterance| utterance.speaker == Speaker::Doctor);
        // 有哮喘, and 唔係哮喘發作: an attack of it is denied.
        let attack = event.claim == Claim::Absent
            && matches!(known.now, Some((Claim::Present { .. }, _)))
            && utterances.get(event.utterance).is_some_and(|utterance| is_attack(utterance, &event.mention));
        if !(attack || event.claim == Claim::Absent && event.answer.is_none() && complained && doctor) {
            // 有白內障,白內障做咗手術: what is over is there no more.
            let over = event.claim == Claim::Historical && event.reason == OVER && !concept.symptom;
            if over && matches!(known.now, Some((Claim::Present { .. }, _))) {
                known.now = None;
            }
            add(known, event.claim, index);
        }
    }
    let mut entries: Vec<(usize, Condition)> = Vec::new();
    for known in by_code.values() {
        let mut push = |assertion, list: &[usize]| {
            entries.extend(entry(assertion, list, events, utterances, lexicon).map(|condition| (known.order, condition)));
        };
        if let Some((claim, list)) = &known.now {
            push(assertion_of(*claim), list);
        }
        let there = matches!(known.now, Some((Claim::Present { .. }, _)));
        // 係中耳炎 and 上年試過兩次: it is there, and was before.
        let again = |index: &&usize| events.get(**index).is_some_and(|event| AGAIN.contains(&event.reason));
        let earlier: Vec<usize> = known.historical.iter().filter(|index| !there || again(index)).copied().collect();
        push(Assertion::Historical, &earlier);
        push(Assertion::Family, &known.family);
    }
    entries.sort_by_key(|(order, condition)| (*order, condition.assertion));
    let mut all: Vec<Condition> = entries.into_iter().map(|(_, condition)| condition).collect();
    taken_out(&mut all);
    if !of_sugar(&all, utterances) {
        shaking(&mut all, lexicon);
    }
    without_broader(without_their_fall(all))
}

/// Whether a talk is of sugar: who has diabetes, or speaks of sugar, a sweet drink or what lowers it.
fn of_sugar(conditions: &[Condition], utterances: &[Utterance]) -> bool {
    let diabetes = |one: &Condition| DIABETES.iter().any(|code| icd10(one).starts_with(code));
    let spoken_of = |utterance: &Utterance| {
        let said: String = utterance.folded(0..utterance.chars.len()).iter().collect();
        SUGAR.iter().any(|word| said.contains(word))
    };
    conditions.iter().any(|one| diabetes(one) && one.assertion == Assertion::Present) || utterances.iter().any(spoken_of)
}

/// 手震標汗 is low sugar where sugar is spoken of, and elsewhere the tremor alone.
fn shaking(conditions: &mut [Condition], lexicon: &Lexicon) {
    let told = |one: &&mut Condition| icd10(one).starts_with("E16") && one.text.reveal().starts_with("手震");
    let Some(tremor) = lexicon.conditions.iter().find(|concept| concept.icd10 == "R25.1") else { return };
    for one in conditions.iter_mut().filter(told) {
        one.display = Display { en: tremor.en.clone(), zh: tremor.zh.clone() };
        one.codes = tremor.codes().into_iter().map(|(system, code)| Code { system, code }).collect();
    }
}

/// 跌親,手腕骨折: the fall is the cause of the injury, and no finding of its own. Falls are one.
fn without_their_fall(mut conditions: Vec<Condition>) -> Vec<Condition> {
    let injured = conditions.iter().any(|one| {
        matches!(one.assertion, Assertion::Present | Assertion::Possible)
            && INJURIES.iter().any(|prefix| icd10(one).starts_with(prefix))
    });
    let falls = |one: &Condition| FALLS.iter().any(|words| one.text.reveal().contains(words));
    let told = |one: &Condition| icd10(one) == FALL && one.assertion == Assertion::Present && !falls(one);
    conditions.retain(|one| !injured || !told(one));
    conditions
}

/// Whether a name is that of an attack, or what stands behind it makes it one.
fn is_attack(utterance: &Utterance, mention: &Mention) -> bool {
    let said = |range: Range<usize>| utterance.folded(range).iter().collect::<String>();
    let (name, behind) = (said(mention.start..mention.end), said(mention.end..utterance.chars.len().min(mention.end + 7)));
    ["发作", "attack"].iter().any(|word| name.ends_with(word) || behind.trim_start().starts_with(word))
}

/// 切咗膽,病理報告係膽石: the stones went with it.
fn taken_out(conditions: &mut [Condition]) {
    let removed = |condition: &Condition| icd10(condition).starts_with("Z90") && condition.assertion != Assertion::Absent;
    let organs: Vec<String> = conditions.iter().filter(|one| removed(one)).map(|one| one.text.reveal().to_owned()).collect();
    let gone = |code: &str| {
        TAKEN_OUT.iter().any(|(organ, codes)| {
            codes.iter().any(|prefix| code.starts_with(prefix)) && organs.iter().any(|words| words.contains(organ))
        })
    };
    for condition in conditions.iter_mut().filter(|one| one.assertion == Assertion::Present) {
        if gone(icd10(condition)) {
            condition.assertion = Assertion::Historical;
        }
    }
}

fn add(known: &mut Known, claim: Claim, index: usize) {
    match claim {
        Claim::Family => known.family.push(index),
        Claim::Historical => known.historical.push(index),
        Claim::Asked | Claim::AskedOfFamily | Claim::Nothing => {}
        Claim::Present { .. } | Claim::Possible | Claim::Absent => {
            let same = |one: Claim, other: Claim| std::mem::discriminant(&one) == std::mem::discriminant(&other);
            match known.now.as_mut() {
                Some((now, list)) if same(*now, claim) => list.push(index),
                // Only to name it again does not unsay a denial or a suspicion; a suspicion does not weaken what is known.
                Some((Claim::Absent | Claim::Possible, _)) if claim == (Claim::Present { explicit: false }) => {}
                Some((Claim::Present { explicit: true }, _)) if claim == Claim::Possible => {}
                _ => known.now = Some((claim, vec![index])),
            }
        }
    }
}

fn assertion_of(claim: Claim) -> Assertion {
    match claim {
        Claim::Possible => Assertion::Possible,
        Claim::Absent => Assertion::Absent,
        Claim::Historical => Assertion::Historical,
        Claim::Family => Assertion::Family,
        _ => Assertion::Present,
    }
}

fn entry(
    assertion: Assertion,
    list: &[usize],
    events: &[Event],
    utterances: &[Utterance],
    lexicon: &Lexicon,
) -> Option<Condition> {
    let first = events.get(*list.first()?)?;
    let concept = lexicon.conditions.get(first.mention.condition)?;
    let mut evidence: Option<Evidence> = None;
    let mut merge = |more: Option<Evidence>| match (evidence.as_mut(), more) {
        (Some(all), Some(more)) => all.merge(&more),
        (None, more) => evidence = more,
        _ => {}
    };
    for event in list.iter().filter_map(|index| events.get(*index)) {
        merge(evidence_of(utterances.get(event.utterance)?, event.mention.start..event.mention.end));
        if let Some((utterance, start, end)) = event.answer {
            merge(utterances.get(utterance).and_then(|utterance| evidence_of(utterance, start..end)));
        }
    }
    let utterance = utterances.get(first.utterance)?;
    let spans = list.iter().filter_map(|index| events.get(*index));
    // Named once as it is spelt, it is beyond doubt.
    let misspelt = spans.clone().all(|event| {
        utterances.get(event.utterance).is_some_and(|place| place.is_misspelt(event.mention.start..event.mention.end))
    });
    let named_only = spans.clone().any(|event| event.claim == Claim::Present { explicit: false });
    let codes = concept.codes().into_iter().map(|(system, code)| Code { system, code }).collect();
    // How long a reading has lasted is not told beside it.
    let told = spans.clone().filter(|event| event.reason != MEASURED);
    let lasting = duration::of(told, utterances, lexicon);
    Some(Condition {
        text: PatientText::from(utterance.said(first.mention.start..first.mention.end)),
        display: Display { en: concept.en.clone(), zh: concept.zh.clone() },
        codes,
        assertion,
        duration_days: lasting.map(|time| time.value),
        duration_about: lasting.is_some_and(|time| time.vague),
        laterality: sides::side(spans.clone(), utterances, lexicon),
        confidence: match (misspelt, named_only) {
            (true, _) => MISSPELT_CONFIDENCE,
            (false, true) => 0.8,
            (false, false) => 0.9,
        },
        sounds_like: misspelt.then(|| concept.zh.clone()),
        provenance: evidence?.into(),
    })
}

fn icd10(condition: &Condition) -> &str {
    condition.codes.first().map(|code| code.code.as_str()).unwrap_or_default()
}

/// Leaves out an unspecified code where a closer one of the same kind of claim was made.
fn without_broader(conditions: Vec<Condition>) -> Vec<Condition> {
    let claimed = |assertion: Assertion| matches!(assertion, Assertion::Present | Assertion::Possible);
    let keep: Vec<bool> = conditions
        .iter()
        .map(|condition| {
            let code = icd10(condition);
            let listed = NARROWER.iter().find(|(broad, _)| *broad == code).map(|(_, narrow)| *narrow).unwrap_or_default();
            !conditions.iter().any(|other| {
                let nearer = icd10(other);
                let comparable =
                    other.assertion == condition.assertion || claimed(other.assertion) && claimed(condition.assertion);
                let sibling = code.len() == 5 && code.ends_with('9') && nearer.len() == 5 && nearer.get(..3) == code.get(..3);
                nearer != code
                    && comparable
                    && (listed.iter().any(|prefix| nearer.starts_with(prefix)) || sibling && !nearer.ends_with('9'))
            })
        })
        .collect();
    conditions.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(condition, _)| condition).collect()
}
