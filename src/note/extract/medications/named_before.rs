//! What is done with drugs that were named before: 停咗佢, 加到十, 全部照舊.

use std::ops::Range;

use super::super::evidence_of;
use super::super::regimen::{Amounts, Regimen, regimen};
use super::super::utterance::{Speaker, Utterance};
use super::aside::{asked_about, beside_the_point};
use super::done::{conditional, of_something_else};
use super::ends::AGAIN;
use super::{Course, Said, Told, by_use, meant, take};
use crate::note::{MedicationStatus, Quantity as Dose};
use crate::terminology::{DrugKind, Found, Lexicon, Meaning, TermKind};

/// What may stand before a bare 要停 (folded).
const FILLERS: &str = "今次日听听晚朝真系系都一定即刻而家先就要佢必须呢只药嗰嗰支枝只粒";
/// What may stand before it where it is told since when (folded): 上個禮拜已經停咗.
pub(super) const SINCE: &str = "系时候上个礼拜星期前日月年已经自己早就我都琴后嚟之尾咁所以先至一二三四五六七八九十两几";
/// How far back a drug is looked for that 停咗佢 speaks of, twice this.
pub(super) const SUBJECT_REACH: usize = 30;
/// How many turns back a drug is looked for that 加到十 speaks of.
pub(super) const CHANGE_REACH: usize = 3;
/// How much may stand before a new dose.
const CHANGE_WORDS: usize = 12;
/// What is drunk, smoked, eaten or worked, and no drug (folded).
const HABITS: &str = "酒烟茶啡奶肉鱼糖油盐工学车";
/// What is counted and no drug (folded).
const OF_ELSE: &str = "杯支包碗樽罐磅公斤餐份碟";
/// Words that lead to a new dose (folded).
const CHANGES: [&str; 26] = [
    "加到",
    "减到",
    "加至",
    "减至",
    "加返到",
    "减返到",
    "加返做",
    "减返做",
    "加做",
    "减做",
    "调到",
    "调高到",
    "调低到",
    "增加到",
    "减少到",
    "increase to",
    "reduce to",
    "up to",
    "up 佢去",
    "加佢去",
    "减佢去",
    "加去",
    "减去",
    "up 去",
    "调去",
    "step up 去",
];

/// 全部照舊 with no drug beside it: what was named and not changed goes on.
pub(super) fn all_unchanged(utterance: &Utterance, lexicon: &Lexicon) -> bool {
    let all = 0..utterance.chars.len();
    utterance.speaker != Speaker::Patient
        && utterance.terms(lexicon, all, TermKind::Unchanged).any(|hit| {
            let clause = utterance.clause(hit.start).range;
            !utterance.within(clause).iter().any(|other| matches!(other.meaning, Meaning::Drug(_)))
        })
}

/// 停咗佢: the drug named last, in this utterance or the one before.
pub(super) fn stop_named_before(
    utterance: &Utterance,
    previous: Option<&Utterance>,
    lexicon: &Lexicon,
    courses: &mut Vec<(usize, Course)>,
) {
    let is_drug = |hit: &&Found| matches!(hit.meaning, Meaning::Drug(_));
    // 冇盤尼西林敏感嘛? 細個食過: of an allergy no course is told.
    // 使唔使停? is asked of a drug that is taken.
    let taken =
        |before: &Utterance, hit: &Found| is_drug(&hit) && (asked_about(before, hit) || !beside_the_point(before, lexicon, hit));
    for stop in utterance.terms(lexicon, 0..utterance.chars.len(), TermKind::DrugStopped) {
        let clause = utterance.clause(stop.start).range;
        // 宵夜戒咗佢: a habit, named right before it.
        if utterance.folded(stop.start..stop.end).first() == Some(&'戒') {
            continue;
        }
        // 酒停住先.
        let of = clause.start..stop.start;
        if utterance.folded(of).iter().rev().find(|c| **c != ' ').is_some_and(|c| HABITS.contains(*c)) {
            continue;
        }
        if of_something_else(utterance, 0, stop) {
            continue;
        }
        // 停咗兩個月喇.
        let rest = utterance.folded(stop.end..clause.end.max(stop.end));
        let ends = rest.len() <= 3 || rest.len() <= 8 && rest.iter().all(|c| SINCE.contains(*c) || "喇啦咗个".contains(*c));
        let when = clause.start..stop.start;
        let since = utterance.speaker != Speaker::Doctor && utterance.folded(when.clone()).iter().all(|c| SINCE.contains(*c));
        // 呢隻都停, 嗰隻上次已經停咗.
        let pointed = utterance.folded(when.clone());
        let pointed = pointed.first().is_some_and(|c| matches!(c, '呢' | '嗰'))
            && pointed.iter().skip(1).all(|c| SINCE.contains(*c) || "只支粒款隻都就要先佢系".contains(*c));
        let leads = stop.start <= clause.start + 2 || since || pointed || bids(utterance, lexicon, when);
        if !(leads && ends) || conditional(utterance, stop) || utterance.within(clause.clone()).iter().any(|hit| is_drug(&hit)) {
            continue;
        }
        let before = utterance.back(clause.start, 2 * SUBJECT_REACH)..clause.start;
        // 轉 X 洗頭水。光療完咗,可以停: what this turn starts is not what it stops.
        let started = |hit: &Found| {
            let lead = utterance.folded(hit.start.saturating_sub(3)..hit.start);
            lead.iter().any(|c| matches!(c, '转' | '换' | '改'))
        };
        let mut told = utterance.within(before).iter().rev().filter(|hit| taken(utterance, hit));
        let here = told.find(|hit| !started(hit)).map(|hit| (utterance, hit));
        let target = here.or_else(|| {
            previous.and_then(|before| before.found.iter().rev().find(|hit| taken(before, hit)).map(|hit| (before, hit)))
        });
        let Some((place, hit)) = target else { continue };
        let Meaning::Drug(drug) = hit.meaning else { continue };
        let Some(evidence) = evidence_of(place, hit.start..hit.end) else { continue };
        let mut said = Said {
            drug,
            status: Some(MedicationStatus::Stopped),
            weak: false,
            withheld: false,
            late: false,
            regimen: Regimen::default(),
            told: Told::default(),
            doctor: utterance.speaker != Speaker::Patient,
            asked: false,
            misspelt: place.is_misspelt(hit.start..hit.end),
            evidence,
            name: hit.start..hit.end,
            text: place.said(hit.start..hit.end),
        };
        said.drug = meant(&said, lexicon, courses);
        take(said, lexicon, courses);
    }
}

/// 朝早嗰粒去水丸呢,我自己停咗。 即係 indapamide: the name of what was told by its use or its class. Gives the drug.
pub(super) fn identify(
    utterance: &Utterance,
    previous: Option<&Utterance>,
    lexicon: &Lexicon,
    courses: &mut [(usize, Course)],
) -> Option<usize> {
    let is_drug = |hit: &&Found| matches!(hit.meaning, Meaning::Drug(_));
    let hit = utterance.found.iter().find(is_drug)?;
    let lead: String =
        utterance.folded(utterance.clause(hit.start).range.start..hit.start).iter().filter(|c| **c != ' ').collect();
    let before = previous?.found.iter().rev().find(is_drug)?;
    let (Meaning::Drug(drug), Meaning::Drug(told)) = (hit.meaning, before.meaning) else { return None };
    let (known, said) = (lexicon.drugs.get(drug)?, lexicon.drugs.get(told)?);
    let name: String = previous?.folded(before.start..before.end).iter().collect();
    let class = by_use(&name).or(said.atc.as_deref().filter(|_| said.kind == DrugKind::Class))?;
    let of_class = known.atc.as_deref().is_some_and(|atc| atc.starts_with(class));
    let asked = utterance.clauses().get(utterance.clause_index(hit.start)).is_some_and(|clause| clause.asked);
    if asked || lead != "即系" || drug == told || !of_class || courses.iter().any(|(other, _)| *other == drug) {
        return None;
    }
    let (place, course) = courses.iter_mut().find(|(other, _)| *other == told)?;
    *place = drug;
    (course.medication.name, course.medication.atc) = (known.name.clone(), known.atc.clone());
    Some(drug)
}

/// 要食返佢: the drug named last, that the patient stopped, is taken again.
pub(super) fn resume_named_before(utterances: &[Utterance], lexicon: &Lexicon, courses: &mut [(usize, Course)]) {
    let Some((utterance, earlier)) = utterances.split_last() else { return };
    let is_drug = |hit: &&Found| matches!(hit.meaning, Meaning::Drug(_));
    if utterance.speaker == Speaker::Patient || utterance.found.iter().any(|hit| is_drug(&hit)) {
        return;
    }
    let no = [TermKind::Negation, TermKind::NegationNear, TermKind::NoNeed, TermKind::DrugWithheld, TermKind::Hypothetical];
    let again = utterance.clauses().iter().filter(|clause| !clause.asked).find_map(|clause| {
        let words: String = utterance.folded(clause.range.clone()).iter().filter(|c| **c != ' ').collect();
        let told = AGAIN.iter().any(|again| words.contains(again)) && words.chars().count() <= CHANGE_WORDS;
        (told && !words.contains("唔好") && !utterance.has(lexicon, clause.range.clone(), &no)).then(|| clause.range.clone())
    });
    let named = earlier.iter().rev().take(2).find_map(|before| before.found.iter().rev().find(is_drug));
    let (Some(words), Some(Meaning::Drug(drug))) = (again, named.map(|hit| hit.meaning)) else { return };
    let course = courses.iter_mut().find(|(other, _)| *other == drug).map(|(_, course)| course);
    let stopped = |course: &&mut Course| course.medication.status == MedicationStatus::Stopped && !course.decided;
    let Some(course) = course.filter(stopped) else { return };
    (course.medication.status, course.decided) = (MedicationStatus::Planned, true);
    if let (crate::note::Provenance::Heard { evidence, .. }, Some(more)) =
        (&mut course.medication.provenance, evidence_of(utterance, words))
    {
        evidence.merge(&more);
    }
}

/// 加到十, 減返做二十: a new dose of the drug named last, here or a few turns before. A unit left out is that of its dose so far.
pub(super) fn change_named_before(utterances: &[Utterance], lexicon: &Lexicon, courses: &mut Vec<(usize, Course)>) {
    let Some((utterance, earlier)) = utterances.split_last() else { return };
    if utterance.speaker == Speaker::Patient {
        return;
    }
    for clause in utterance.clauses().iter().map(|clause| clause.range.clone()) {
        let Some(number) = utterance.numbers_in(clause.clone()).iter().find(|number| changed_to(utterance, number.start)) else {
            continue;
        };
        let names = |hit: &Found| matches!(hit.meaning, Meaning::Drug(_) | Meaning::Observation(_));
        // 凍啡減到一杯, 由九十磅減到八十磅.
        let of_else = utterance.chars.get(number.end).is_some_and(|c| OF_ELSE.contains(*c));
        if of_else || utterance.within(clause.start..number.start).iter().any(names) {
            continue;
        }
        let here = utterance.within(0..clause.start).iter().rev().map(|hit| (utterance, hit));
        let before = earlier.iter().rev().flat_map(|before| before.found.iter().rev().map(move |hit| (before, hit)));
        let named: Vec<(&Utterance, &Found)> =
            here.chain(before).filter(|(_, hit)| matches!(hit.meaning, Meaning::Drug(_))).take(SUBJECT_REACH).collect();
        let course_of = |hit: &Found| {
            courses.iter().find(|(drug, _)| hit.meaning == Meaning::Drug(*drug)).map(|(_, course)| &course.medication)
        };
        // 鈣片要隔開食。 加到七十五 microgram: that of which a dose in this unit was told.
        let unit = utterance.quantities_in(number.start..number.end + 1).first();
        let unit = unit.and_then(|quantity| lexicon.units.get(quantity.unit)).map(|unit| unit.ucum.as_str());
        let same_unit = |(_, hit): &&(&Utterance, &Found)| {
            let dose = course_of(hit).and_then(|course| course.dose.as_ref());
            unit.is_some() && dose.is_some_and(|dose| Some(dose.unit.as_str()) == unit)
        };
        let Some((place, hit)) = named.iter().find(same_unit).or(named.first()).copied() else { continue };
        let Some(course) = course_of(hit) else { continue };
        // 開五 mg,兩個禮拜後加到十: what starts now is the first dose.
        let later = utterance.has(lexicon, utterance.sentence(number.start).start..number.start, &[TermKind::After]);
        if course.status == MedicationStatus::Stopped || later && course.status == MedicationStatus::Planned {
            continue;
        }
        let Meaning::Drug(drug) = hit.meaning else { continue };
        // 加到四十 mg,每晚一次: up to the next drug of the sentence.
        let sentence = utterance.sentence(number.start).end;
        let next = utterance.within(number.start..sentence).iter().find(|hit| matches!(hit.meaning, Meaning::Drug(_)));
        let until = next.map_or(sentence, |next| utterance.clause(next.start).range.start.max(clause.end).min(next.start));
        let mut how = regimen(utterance, lexicon, number.start..until, lexicon.drugs.get(drug));
        let counted = utterance.quantities_in(number.start..number.end).first();
        if how.dose.is_none() && counted.is_none() {
            let unit = course.dose.as_ref().map(|dose| dose.unit.clone());
            how.dose = number.exact().zip(unit).map(|(value, unit)| Dose { value, unit });
            how.amounts = how.dose.as_ref().map(|dose| Amounts::of(dose, number.start..number.end)).unwrap_or_default();
            how.spans.push(number.start..number.end);
        }
        let (Some(_), Some(mut evidence)) = (&how.dose, evidence_of(place, hit.start..hit.end)) else { continue };
        for more in how.spans.iter().filter_map(|span| evidence_of(utterance, span.clone())) {
            evidence.merge(&more);
        }
        let told = Told::of(&how, utterance);
        let said = Said {
            told,
            drug,
            status: Some(MedicationStatus::Planned),
            weak: false,
            withheld: false,
            late: false,
            regimen: how,
            doctor: true,
            asked: false,
            misspelt: false,
            evidence,
            name: hit.start..hit.end,
            text: place.said(hit.start..hit.end),
        };
        take(said, lexicon, courses);
    }
}

/// Whether a dose is told that something is raised or lowered to: 加到, 減返做, 調到, increase to.
fn changed_to(utterance: &Utterance, at: usize) -> bool {
    let words: String = utterance.folded(at.saturating_sub(CHANGE_WORDS)..at).iter().collect();
    let words = words.trim_end();
    CHANGES.iter().any(|verb| words.ends_with(verb))
}

/// 今次真係要停: nothing but that it must be.
fn bids(utterance: &Utterance, lexicon: &Lexicon, lead: Range<usize>) -> bool {
    let denials = [TermKind::Negation, TermKind::NegationNear, TermKind::NoNeed, TermKind::Hypothetical, TermKind::Question];
    utterance.speaker != Speaker::Patient
        && utterance.folded(lead.clone()).iter().any(|c| matches!(c, '要' | '即'))
        && utterance.folded(lead.clone()).iter().all(|c| FILLERS.contains(*c))
        && !utterance.has(lexicon, lead, &denials)
}
