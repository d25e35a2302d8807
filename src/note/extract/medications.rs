//! Drugs taken, started and stopped.

mod done;
mod named_before;

use std::collections::BTreeSet;
use std::ops::Range;

use self::done::{Done, done};
use self::named_before::{CHANGE_REACH, all_unchanged, change_named_before, stop_named_before};
use super::allergies::Allergies;
use super::list;
use super::regimen::{Regimen, leads_to_a_drug, regimen};
use super::utterance::{Speaker, Utterance};
use super::{MISSPELT_CONFIDENCE, evidence_of};
use crate::note::{Allergy, AllergyStatus, Evidence, Medication, MedicationStatus};
use crate::terminology::{Drug, DrugKind, Found, Lexicon, Meaning, TermKind};
use crate::text::PatientText;

/// How far before a drug a word tells what is done with it.
const BEFORE: usize = 10;
/// How far before a verb it is forbidden: 唔好同 ibuprofen 一齊食.
const FORBIDDEN: usize = 8;
/// Words by which a verb says that two drugs meet (folded).
const TOGETHER: [&str; 7] = ["一齐", "一起", "夹住", "夹埋", "夹杂", "同时", "一并"];
/// How much may be said of a drug's purpose within a list.
const DESCRIBED: usize = 12;

/// A medication and what the plan needs to know of it.
#[derive(Debug, Clone)]
pub struct Course {
    /// The note's entry.
    pub medication: Medication,
    /// Whether the doctor started, changed or stopped it in this talk.
    pub decided: bool,
    /// Whether what is done with it was only assumed of the doctor's naming it.
    assumed: bool,
}

impl Course {
    /// A drug that was only named while all goes on as it was.
    fn unchanged(mut self) -> Self {
        self.medication.status = MedicationStatus::Active;
        self.decided = false;
        self
    }
}

/// What one mention of a drug says.
struct Said {
    drug: usize,
    status: Option<MedicationStatus>,
    /// The status rests on a verb that only tells how it is taken (食, 搽).
    weak: bool,
    withheld: bool,
    /// The status was said in a later clause.
    late: bool,
    regimen: Regimen,
    doctor: bool,
    /// The name is not spelt so.
    misspelt: bool,
    evidence: Evidence,
    text: String,
}

impl Said {
    /// Whether its clause names drugs and how they are taken, and says no more.
    fn named_alone(&self, utterance: &Utterance, lexicon: &Lexicon) -> bool {
        let Some(start) = self.evidence.spans().first().map(|span| span.start()) else { return false };
        let clause = utterance.clause(start).range;
        list::only_names(utterance, clause, |hit| match hit.meaning {
            Meaning::Term(term) => {
                let kinds = [TermKind::Affirmation, TermKind::Frequency, TermKind::DrugActive, TermKind::Remedy];
                lexicon.term_kind(term).is_some_and(|kind| kinds.contains(&kind))
            }
            // 血壓藥 amlodipine says what for.
            Meaning::Drug(_) | Meaning::Unit(_) | Meaning::Condition(_) | Meaning::Class(_) => true,
            _ => false,
        })
    }

    /// Takes over how the next drug is taken, if nothing was said of this one.
    fn share(&mut self, next: &Self, utterance: &Utterance) {
        if self.regimen != Regimen::default() || self.withheld {
            return;
        }
        self.regimen = next.regimen.clone();
        self.status = self.status.or(next.status);
        for more in next.regimen.spans.iter().filter_map(|span| evidence_of(utterance, span.clone())) {
            self.evidence.merge(&more);
        }
    }
}

/// A 同 B,每晚一粒: how often, and how many, stands behind a mark and is said of both. A strength is the last one's.
fn of_both(utterance: &Utterance, first: &Found, second: &Found, how: &Regimen) -> bool {
    let Some(start) = how.spans.iter().map(|span| span.start).min().filter(|start| *start >= second.end) else { return false };
    let parted = utterance.folded(second.end..start).iter().any(|c| matches!(c, ',' | '，' | ':' | '：' | '都' | '各'));
    let counted = how.dose.as_ref().is_none_or(|dose| dose.unit.starts_with('{'));
    list::joins(utterance, first.end..second.start, &[]) && parted && counted
}

/// All drugs of the talk, each once: a later dose replaces an earlier one, a drug withheld goes.
#[must_use]
pub fn medications(utterances: &[Utterance], lexicon: &Lexicon, allergies: &Allergies) -> Vec<Course> {
    let mut courses: Vec<(usize, Course)> = Vec::new();
    let all_as_before = utterances.iter().any(|utterance| all_unchanged(utterance, lexicon));
    for (index, utterance) in utterances.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|before| utterances.get(before));
        // X 你仲有冇食? 間中食粒。 停咗佢: the answer between names no drug.
        let earlier = index.checked_sub(2).and_then(|before| utterances.get(before));
        let earlier = earlier.filter(|before| {
            let names = |hit: &Found| matches!(hit.meaning, Meaning::Drug(_));
            let silent = |between: &Utterance| !between.found.iter().any(names) && !between.chars.contains(&'药');
            before.speaker == utterance.speaker && previous.is_some_and(silent)
        });
        stop_named_before(utterance, earlier.or(previous), lexicon, &mut courses);
        let asked = previous.is_some_and(|before| asks_for_drugs(before, lexicon));
        for said in mentions(utterance, lexicon, asked) {
            take(said, lexicon, &mut courses);
        }
        let said_before = utterances.get(index.saturating_sub(CHANGE_REACH)..=index).unwrap_or_default();
        change_named_before(said_before, lexicon, &mut courses);
    }
    let allergic = |course: &Course| {
        let to = |allergy: &Allergy| allergy.status == AllergyStatus::Present && allergy.substance == course.medication.name;
        // An allergy that was heard by sound alone takes away only what was heard so too.
        allergies.named.iter().any(to) || course.medication.sounds_like.is_some() && allergies.by_sound.iter().any(to)
    };
    let narrower = named_by_name(&courses);
    courses
        .into_iter()
        .map(|(_, course)| course)
        .filter(|course| !narrower.contains(&course.medication.name))
        .map(|course| if all_as_before && course.assumed { course.unchanged() } else { course })
        .filter(|course| course.medication.status == MedicationStatus::Stopped || !allergic(course))
        .collect()
}

/// The classes of which a drug was named too: 薄血藥 warfarin is one drug.
fn named_by_name(courses: &[(usize, Course)]) -> BTreeSet<String> {
    let codes = || courses.iter().filter_map(|(_, course)| course.medication.atc.as_deref().map(|atc| (atc, course)));
    let holds = |class: &str| codes().any(|(atc, _)| atc.len() > class.len() && atc.starts_with(class));
    codes().filter(|(class, _)| holds(class)).map(|(_, course)| course.medication.name.clone()).collect()
}

fn take(said: Said, lexicon: &Lexicon, courses: &mut Vec<(usize, Course)>) {
    let Some(drug) = lexicon.drugs.get(said.drug) else { return };
    let place = courses.iter().position(|(_, course)| course.medication.name == drug.name);
    if said.withheld {
        if let Some(place) = place
            && courses.get(place).is_some_and(|(_, course)| course.medication.status != MedicationStatus::Stopped)
        {
            courses.remove(place);
        }
        return;
    }
    match place.and_then(|place| courses.get_mut(place)) {
        Some((_, course)) => update(course, said),
        None => courses.extend(start(said, drug)),
    }
}

/// A new entry, if more was said than the drug's name.
fn start(said: Said, drug: &Drug) -> Option<(usize, Course)> {
    let told = said.regimen.dose.is_some() || said.regimen.times_per_day.is_some() || said.regimen.prn;
    let class_alone = drug.kind == DrugKind::Class && said.status.is_none();
    if !(told || said.status.is_some()) || class_alone {
        return None;
    }
    let assumed = if said.doctor { MedicationStatus::Planned } else { MedicationStatus::Active };
    let status = said.status.unwrap_or(assumed);
    let course = Course {
        decided: said.doctor && status != MedicationStatus::Active,
        assumed: said.doctor && (said.status.is_none() || said.weak),
        medication: Medication {
            text: PatientText::from(said.text),
            name: drug.name.clone(),
            atc: drug.atc.clone(),
            dose: said.regimen.dose,
            times_per_day: said.regimen.times_per_day,
            prn: said.regimen.prn,
            duration_days: said.regimen.duration_days,
            status,
            confidence: match (said.misspelt, said.status) {
                (true, _) => MISSPELT_CONFIDENCE,
                (false, Some(_)) => 0.9,
                (false, None) => 0.8,
            },
            sounds_like: said.misspelt.then(|| drug.name.clone()),
            provenance: said.evidence.into(),
        },
    };
    Some((said.drug, course))
}

fn update(course: &mut Course, said: Said) {
    let entry = &mut course.medication;
    let news = said.regimen.dose.is_some() || said.regimen.times_per_day.is_some() || said.status.is_some();
    if !news {
        return;
    }
    // A course told in the past does not undo what was decided now.
    let undone = said.status == Some(MedicationStatus::Stopped) && entry.status == MedicationStatus::Planned && !said.doctor;
    if let Some(status) = said.status.filter(|_| !undone) {
        entry.status = status;
        course.assumed = false;
        course.decided |= said.doctor && status != MedicationStatus::Active;
    }
    entry.dose = said.regimen.dose.or_else(|| entry.dose.take());
    entry.times_per_day = said.regimen.times_per_day.or(entry.times_per_day);
    entry.duration_days = said.regimen.duration_days.or(entry.duration_days);
    entry.prn |= said.regimen.prn;
    if !said.misspelt && entry.sounds_like.take().is_some() {
        entry.confidence = 0.9;
    }
    if let crate::note::Provenance::Heard { evidence, .. } = &mut entry.provenance {
        evidence.merge(&said.evidence);
    }
}

/// What each mention of a drug in an utterance says. `asked`: the turn before asked which drugs are taken.
fn mentions(utterance: &Utterance, lexicon: &Lexicon, asked: bool) -> Vec<Said> {
    let drugs: Vec<Found> = utterance.found.iter().filter(|hit| matches!(hit.meaning, Meaning::Drug(_))).copied().collect();
    let mut said: Vec<Said> = Vec::new();
    // For each of `said`, whether it goes on with the list of the one before it.
    let mut joined: Vec<bool> = Vec::new();
    let mut carried: Option<(usize, MedicationStatus)> = None;
    let mut last: Option<Found> = None;
    for (index, hit) in drugs.iter().enumerate() {
        let Meaning::Drug(drug) = hit.meaning else { continue };
        let Some(known) = lexicon.drugs.get(drug) else { continue };
        let before = index.checked_sub(1).and_then(|previous| drugs.get(previous)).map_or(0, |previous| previous.end);
        let after = drugs.get(index + 1).map_or(utterance.chars.len(), |next| next.start);
        if beside_the_point(utterance, lexicon, hit) {
            continue;
        }
        let Some(mut one) = read(utterance, lexicon, hit, drug, known, before.min(hit.start)..after.max(hit.end)) else {
            last = None;
            continue;
        };
        // 繼續 A, B 同 C: the word before the first holds for the list, until another is said.
        let sentence = utterance.sentence(hit.start).start;
        let listed = last.zip(said.last()).filter(|(last, before)| {
            let between = last.end..hit.start;
            let described = before.status == Some(MedicationStatus::Active) && !before.weak;
            last.end <= hit.start
                && (list::joins(utterance, between.clone(), &before.regimen.spans)
                    || described && goes_on(utterance, lexicon, between))
        });
        let own = (one.status.is_some() || one.withheld) && (!one.late || one.status == Some(MedicationStatus::Stopped));
        if let Some((_, before)) = listed.filter(|(_, before)| !own && (before.status.is_some() || before.withheld)) {
            (one.status, one.weak, one.withheld) = (before.status, before.weak, before.withheld);
        }
        let told = one.regimen.dose.is_some() || one.regimen.times_per_day.is_some();
        let carried_here = carried.filter(|(place, _)| *place == sentence && told).map(|(_, status)| status);
        one.status = one.status.or(carried_here);
        if !one.withheld {
            carried = one.status.filter(|status| *status != MedicationStatus::Stopped).map(|status| (sentence, status));
        }
        joined.push(listed.is_some());
        if let Some(other) = said.last_mut().filter(|_| last.is_some_and(|last| of_both(utterance, &last, hit, &one.regimen))) {
            other.share(&one, utterance);
        }
        last = Some(*hit);
        said.push(one);
    }
    share_back(&mut said, &joined);
    if asked {
        let told = |one: &&mut Said| !one.withheld && utterance.speaker != Speaker::Doctor && one.named_alone(utterance, lexicon);
        said.iter_mut().filter(told).for_each(|one| one.status = one.status.or(Some(MedicationStatus::Active)));
        for index in (1..said.len()).filter(|index| joined.get(*index) == Some(&true)) {
            let before = said.get(index - 1).map(|before| (before.status, before.withheld));
            if let (Some((status, false)), Some(one)) = (before, said.get_mut(index).filter(|one| !one.withheld)) {
                one.status = one.status.or(status);
            }
        }
    }
    said
}

/// 食緊降血壓嘅 A、降膽固醇嘅 B: the list goes on with what the next one is for.
fn goes_on(utterance: &Utterance, lexicon: &Lexicon, between: Range<usize>) -> bool {
    use TermKind::{Advise, Allergy, Contrast, DrugActive, DrugPlanned, DrugStopped, DrugWithheld, Family, Hypothetical};
    use TermKind::{Negation, NegationNear, NoNeed, NotSo, Oneself, Other, Question, Tolerated};
    let action = [Advise, Allergy, Contrast, DrugActive, DrugPlanned, DrugStopped, DrugWithheld, Family, Hypothetical];
    let denial = [Negation, NegationNear, NoNeed, NotSo, Oneself, Other, Question, Tolerated];
    let joint = utterance.folded(between.clone()).iter().any(|c| matches!(c, '、' | ',' | '同' | '和' | '及' | '仲' | '还'));
    joint
        && utterance.between(between.start, between.end) <= DESCRIBED
        && utterance.sentence(between.start) == utterance.sentence(between.end)
        && !utterance.has(lexicon, between.clone(), &action)
        && !utterance.has(lexicon, between, &denial)
}

/// A 同 B 都停咗: what is said behind the last of a list is said of all.
fn share_back(said: &mut [Said], joined: &[bool]) {
    for index in (1..said.len()).rev().filter(|index| joined.get(*index) == Some(&true)) {
        let Some((before, [next, ..])) = said.split_at_mut_checked(index) else { continue };
        let told = !next.weak || !next.doctor;
        if let Some(one) = before.last_mut().filter(|one| told && one.status.is_none() && !one.withheld) {
            (one.status, one.weak, one.withheld) = (next.status, next.weak, next.withheld);
        }
    }
}

/// 食開咩藥? What is named in answer is taken.
fn asks_for_drugs(utterance: &Utterance, lexicon: &Lexicon) -> bool {
    utterance.clauses().iter().any(|clause| {
        let has = |kinds: &[TermKind]| utterance.has(lexicon, clause.range.clone(), kinds);
        let words = utterance.folded(clause.range.clone());
        let which = words.iter().any(|c| matches!(c, '咩' | '乜' | '什' | '边')) || has(&[TermKind::OpenQuestion]);
        let asks = clause.asked || which || has(&[TermKind::Question, TermKind::QuestionEnd]);
        let drugs = (words.contains(&'药') || has(&[TermKind::AnyDrug, TermKind::Remedy])) && !has(&[TermKind::Allergy]);
        let takes = has(&[TermKind::DrugActive, TermKind::DrugPlanned]) || words.iter().any(|c| matches!(c, '食' | '吃' | '用'));
        utterance.speaker != Speaker::Patient && asks && drugs && takes
    })
}

/// A drug that the patient asks about and says no dose of.
fn asked_about(utterance: &Utterance, hit: &Found) -> bool {
    let clause = utterance.clause(hit.start);
    clause.asked && utterance.speaker == Speaker::Patient && utterance.quantities_in(clause.range).is_empty()
}

/// A relative's drug, an allergy, or a drug asked about.
fn beside_the_point(utterance: &Utterance, lexicon: &Lexicon, hit: &Found) -> bool {
    let clause = utterance.clause(hit.start);
    let range = clause.range.clone();
    let kinds = [TermKind::Allergy, TermKind::Reaction, TermKind::Other, TermKind::Hypothetical, TermKind::Deferred];
    // Augmentin 都食過,冇事: told of what is tolerated, also right behind the comma.
    let taken = utterance.has(lexicon, range.clone(), &[TermKind::DrugStopped]);
    let until = if taken { range.end + 3 } else { range.end };
    // 食到唔痛 is how long, 冇事 and "no problem" are how it went.
    let tolerated = utterance.terms(lexicon, range.start..until, TermKind::Tolerated).any(|sign| {
        let words = utterance.folded(sign.start..sign.end);
        words.contains(&'事') || words.iter().all(char::is_ascii)
    });
    let relative = utterance.terms(lexicon, range.start..hit.start, TermKind::Family).next().is_some()
        && utterance.speaker != Speaker::Relative;
    let asked = asked_about(utterance, hit);
    // 抽 X 濃度 is a test; 吞咗四十粒 X is no treatment; 食 X 會胃痛 is what it does to somebody.
    let behind: String = utterance.folded(hit.end..hit.end + 6).iter().filter(|c| **c != ' ').collect();
    // The fold reads 濃 as 膿.
    let measured = ["脓度", "水平", "level"].iter().any(|word| behind.starts_with(word));
    let swallowed = utterance.folded(utterance.back(hit.start, BEFORE)..hit.start).contains(&'吞');
    let does = does_something(utterance, lexicon, hit, &range);
    relative || asked || measured || swallowed || does || tolerated || utterance.has(lexicon, range, &kinds)
}

/// 我食 X 會胃痛: the effect right behind the name, told by whom it befell.
fn does_something(utterance: &Utterance, lexicon: &Lexicon, hit: &Found, clause: &Range<usize>) -> bool {
    let felt = |next: &&Found| match next.meaning {
        Meaning::Condition(condition) => lexicon.conditions.get(condition).is_some_and(|concept| concept.symptom),
        Meaning::Class(_) => true,
        _ => false,
    };
    let Some(next) = utterance.within(hit.end..clause.end).iter().find(felt) else { return false };
    let between = utterance.folded(hit.end..next.start);
    utterance.speaker != Speaker::Doctor && between.len() <= 3 && between.contains(&'会')
}

fn read(utterance: &Utterance, lexicon: &Lexicon, hit: &Found, drug: usize, known: &Drug, around: Range<usize>) -> Option<Said> {
    let sentence = utterance.sentence(hit.start);
    let clause = utterance.clause(hit.start).range;
    let behind = hit.end..around.end.min(sentence.end.max(hit.end));
    // A dose may stand before the drug: 兩粒 Panadol. `Current meds: A` says before its colon how A is meant.
    let headed = clause.start.checked_sub(1).filter(|colon| utterance.chars.get(*colon) == Some(&':'));
    let lead = headed.map_or(clause.start, |colon| utterance.clause(colon).range.start);
    let ahead = lead.max(around.start).max(utterance.back(hit.start, BEFORE))..hit.start;
    let mut how = regimen(utterance, lexicon, behind.clone());
    if how.dose.is_none() && how.times_per_day.is_none() {
        let other = regimen(utterance, lexicon, ahead.clone());
        if other.dose.is_some() || other.times_per_day.is_some() {
            how = other;
        }
    }
    // 痛就食 X: whatever else is said of how.
    how.prn |= utterance.terms(lexicon, ahead.clone(), TermKind::Prn).any(|hit| leads_to_a_drug(utterance, hit));
    // Without speakers, 有高血壓食 X is told by who has it, and 俾你食 X by who gives it.
    let own = utterance.speaker == Speaker::Unknown
        && utterance.has(lexicon, clause.start..hit.start, &[TermKind::Affirmation, TermKind::Oneself, TermKind::DrugActive])
        && !utterance.has(lexicon, clause.clone(), &[TermKind::After]);
    let doctor = utterance.speaker != Speaker::Patient && !own;
    let clause_start = clause.start;
    let Done { status, withheld, weak, late } = done(utterance, lexicon, ahead, behind, clause);
    // 我食 X: who takes it, takes it now.
    let status = if weak && !doctor { Some(MedicationStatus::Active) } else { status };
    let given = utterance.has(lexicon, hit.start.saturating_sub(4).max(clause_start)..hit.start, &[TermKind::DrugPlanned]);
    if known.kind == DrugKind::Vaccine && !given {
        return None;
    }
    let mut evidence = evidence_of(utterance, hit.start..hit.end)?;
    let mut end = hit.end;
    for span in &how.spans {
        if let Some(more) = evidence_of(utterance, span.clone()) {
            evidence.merge(&more);
        }
        end = end.max(span.end);
    }
    let text = utterance.said(hit.start..end.min(hit.start + 40));
    let misspelt = utterance.is_misspelt(hit.start..hit.end);
    Some(Said { drug, status, weak, withheld, late, regimen: how, doctor, misspelt, evidence, text })
}

/// 食止痛藥: the verb has an object of its own; 唔可以夾住食: what is forbidden is not prescribed.
/// 食緊血壓藥同埋 X: both.
fn takes_another(utterance: &Utterance, lexicon: &Lexicon, verb: &Found, drug: usize) -> bool {
    let listed = |object: &Found| object.end < drug && list::joins(utterance, object.end..drug, &[]);
    let object = utterance.within(verb.end..verb.end + 2).iter().any(|hit| match hit.meaning {
        Meaning::Term(term) => hit.start <= verb.end + 1 && lexicon.term_kind(term) == Some(TermKind::Remedy) && !listed(hit),
        _ => false,
    });
    let planned = matches!(verb.meaning, Meaning::Term(term) if lexicon.term_kind(term) == Some(TermKind::DrugPlanned));
    let forbids = [TermKind::Negation, TermKind::NegationNear, TermKind::NoNeed, TermKind::Advise];
    let lead = utterance.clause(verb.start).range.start.max(utterance.back(verb.start, FORBIDDEN))..verb.start;
    // 一齊食會流血 tells what two drugs do to each other.
    let before: String = utterance.folded(verb.start.saturating_sub(2)..verb.start).iter().collect();
    if TOGETHER.contains(&before.as_str()) {
        return true;
    }
    let forbidden = planned && utterance.has(lexicon, lead, &forbids) && verb.end - verb.start == 1;
    object || forbidden
}
