//! What will be done: appointments, referrals, tests, leave, advice, procedures, prescriptions.

mod agreed;

use std::ops::Range;

use super::clauses::Clause;
use super::evidence_of;
use super::medications::Course;
use super::quantity::Quantity;
use super::utterance::{Speaker, Utterance};
use crate::note::{Evidence, PlanItem, PlanKind, Provenance};
use crate::terminology::{DrugKind, Found, Lexicon, Meaning, TermKind, UnitKind};
use crate::text::PatientText;

/// All plan items in the order said; advice and prescriptions are one item each.
#[must_use]
pub fn plan(utterances: &[Utterance], lexicon: &Lexicon, courses: &[Course]) -> Vec<PlanItem> {
    let mut items: Vec<PlanItem> = Vec::new();
    let mut advice: Option<PlanItem> = None;
    let mut remedy: Option<PlanItem> = None;
    let doctors = |(_, utterance): &(usize, &Utterance)| matches!(utterance.speaker, Speaker::Doctor | Speaker::Unknown);
    for (index, utterance) in utterances.iter().enumerate().filter(doctors) {
        let mut tests: Option<PlanItem> = None;
        let mut procedures: Option<PlanItem> = None;
        for clause in utterance.clauses().iter().filter(|clause| !question(utterance, lexicon, clause)) {
            // 中風半年後覆診, before anything else was said, is why one came.
            let names = |hit: &Found| matches!(hit.meaning, Meaning::Condition(_)) && hit.start < clause.range.start + 4;
            let sentence = utterance.sentence(clause.range.start);
            let before = sentence.start.max(utterance.back(clause.range.start, 8))..clause.range.end;
            let opening = index == 0 && utterance.within(before).iter().any(names);
            items.extend(follow_up(utterance, lexicon, &clause.range).filter(|_| !opening));
            items.extend(sick_leave(utterance, lexicon, &clause.range));
            items.extend(referral(utterance, lexicon, &clause.range));
            if !hangs(utterance, lexicon, &clause.range) {
                join(&mut tests, investigation(utterance, lexicon, &clause.range));
                join(&mut procedures, procedure(utterance, lexicon, &clause.range));
            }
            join(&mut advice, lifestyle(utterance, lexicon, &clause.range));
            join(&mut remedy, unnamed_remedy(utterance, lexicon, &clause.range));
        }
        items.extend(tests);
        items.extend(procedures);
        if let Some(previous) = index.checked_sub(1).and_then(|before| utterances.get(before)) {
            items.extend(agreed::agreed(previous, utterance, lexicon));
        }
    }
    items.extend(advice);
    items.extend(prescription(courses).or(remedy));
    without_repeats(items)
}

/// Conditions that are none (folded): 如果你得閒就去驗血.
const COURTESY: [&str; 8] = ["唔想", "得闲", "冇问题", "冇敏感", "啱啱", "方便", "你想", "愿意"];

/// 如果喉嚨痛就停藥即刻驗血, 到時仲唔得先講打針: what is done only if something comes.
fn hangs(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> bool {
    let words: String = utterance.folded(clause.clone()).iter().collect();
    let supposed = utterance.has(lexicon, clause.clone(), &[TermKind::Hypothetical]);
    supposed && words.contains('就') && !COURTESY.iter().any(|word| words.contains(word))
        || words.contains("到时") && ["先讲", "先倾", "先谂", "再讲", "再倾"].iter().any(|later| words.contains(later))
}

fn question(utterance: &Utterance, lexicon: &Lexicon, clause: &Clause) -> bool {
    clause.asked || utterance.has(lexicon, clause.range.clone(), &[TermKind::Question, TermKind::QuestionEnd])
}

fn item(utterance: &Utterance, kind: PlanKind, range: Range<usize>, days: Option<f64>) -> Option<PlanItem> {
    let provenance = evidence_of(utterance, range.clone())?.into();
    Some(PlanItem { kind, text: PatientText::from(utterance.said(range)), days, provenance })
}

/// The length in bytes from which an item's text grows no more.
const LONGEST_TEXT: usize = 2000;

fn join(all: &mut Option<PlanItem>, more: Option<PlanItem>) {
    match (all.as_mut(), more) {
        (Some(all), Some(more)) if all.text.reveal().len() < LONGEST_TEXT => {
            all.text = PatientText::from(format!("{};{}", all.text.reveal(), more.text.reveal()));
            if let (Provenance::Heard { evidence, .. }, Provenance::Heard { evidence: added, .. }) =
                (&mut all.provenance, &more.provenance)
            {
                evidence.merge(added);
            }
        }
        (None, more) => *all = more,
        _ => {}
    }
}

/// The same appointment said twice is one.
fn without_repeats(items: Vec<PlanItem>) -> Vec<PlanItem> {
    let mut kept: Vec<PlanItem> = Vec::new();
    for item in items {
        let timed = matches!(item.kind, PlanKind::FollowUp | PlanKind::SickLeave);
        if !(timed && kept.iter().any(|other| other.kind == item.kind && other.days == item.days)) {
            kept.push(item);
        }
    }
    kept
}

/// Days of the time said in a range: 四個禮拜, 下個月.
fn days(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>) -> Option<(f64, Range<usize>)> {
    let quantity = utterance
        .quantities_in(range.clone())
        .iter()
        .filter(|quantity| {
            quantity.kind == UnitKind::Time && quantity.value >= 1.0 && utterance.chars.get(quantity.end) != Some(&'前')
        })
        .rfind(|quantity| utterance.chars.get(quantity.start) != Some(&'每'))
        .map(|quantity| (quantity.value, quantity.start..quantity.end));
    quantity.or_else(|| {
        utterance.terms(lexicon, range, TermKind::After).find_map(|hit| match hit.meaning {
            Meaning::Term(term) => {
                let days = lexicon.terms.get(term).and_then(|term| term.value.parse().ok())?;
                Some((days, hit.start..hit.end))
            }
            _ => None,
        })
    })
}

/// 四個禮拜後覆診: only with a time, else it is advice or talk of this visit.
fn follow_up(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<PlanItem> {
    let back = utterance.terms(lexicon, clause.clone(), TermKind::FollowUp).next()?;
    if utterance.has(lexicon, clause.start..back.start, &[TermKind::Negation, TermKind::NoNeed]) {
        return None;
    }
    // 返嚟再食七日: of a drug for a journey.
    let verb: String = utterance.folded(back.start..clause.end.min(back.end + 2)).iter().collect();
    if verb.starts_with("返嚟再食") {
        return None;
    }
    // Come back in a week if it is no better: no appointment.
    if utterance.has(lexicon, clause.clone(), &[TermKind::Hypothetical]) {
        return None;
    }
    let earlier = clause.start..back.start;
    let later = back.end..clause.end.min(back.end + 10);
    let index = utterance.clause_index(back.start);
    let previous = index.checked_sub(1).and_then(|index| utterance.clauses().get(index)).map(|clause| clause.range.clone());
    let (days, when) = days(utterance, lexicon, earlier).or_else(|| days(utterance, lexicon, later)).or_else(|| {
        // 兩個禮拜後,返嚟睇報告; 三個月後抽血,覆診.
        let previous = previous.filter(|range| range.end + 1 >= clause.start)?;
        days(utterance, lexicon, previous).filter(|(_, when)| matches!(utterance.chars.get(when.end), Some('后')))
    })?;
    // 中風三個月後覆診 names this visit: what follows 覆診 in its sentence is what is asked today.
    item(utterance, PlanKind::FollowUp, when.start.min(back.start)..back.end.max(when.end), Some(days))
}

fn sick_leave(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<PlanItem> {
    let not = |until: usize| utterance.has(lexicon, clause.start..until, &[TermKind::NoNeed, TermKind::Negation, TermKind::Past]);
    // 俾兩日假, 放你一日假.
    let off = |quantity: &&Quantity| quantity.kind == UnitKind::Time && utterance.chars.get(quantity.end) == Some(&'假');
    if let Some(off) = utterance.quantities_in(clause.clone()).iter().find(off) {
        let given = utterance.folded(clause.start..off.start).iter().any(|c| matches!(c, '俾' | '放' | '写' | '开' | '有'));
        let leave = (given && !not(off.start)).then_some(off)?;
        return item(utterance, PlanKind::SickLeave, leave.start..leave.end + 1, Some(leave.value));
    }
    let leave = utterance.terms(lexicon, clause.clone(), TermKind::SickLeave).next()?;
    if utterance.has(lexicon, clause.start..leave.start, &[TermKind::NoNeed, TermKind::Negation]) {
        return None;
    }
    let near = leave.start.saturating_sub(8).max(clause.start)..clause.end.min(leave.end + 8);
    // 病假七天三天后覆诊: the time right behind it is its own.
    let own = utterance.quantities_in(leave.end..near.end).iter().find(|quantity| quantity.kind == UnitKind::Time);
    let own = own.filter(|own| own.start <= leave.end + 2).map(|own| leave.end..own.end);
    let (days, when) =
        own.and_then(|own| days(utterance, lexicon, own)).or_else(|| days(utterance, lexicon, near)).or_else(|| {
            // 休息一個禮拜,我寫病假紙.
            let index = utterance.clause_index(leave.start).checked_sub(1)?;
            let rest = utterance.clauses().get(index).filter(|before| before.range.end + 1 >= clause.start)?.range.clone();
            utterance.folded(rest.clone()).windows(2).any(|pair| pair == ['休', '息']).then(|| days(utterance, lexicon, rest))?
        })?;
    item(utterance, PlanKind::SickLeave, leave.start.min(when.start)..leave.end.max(when.end), Some(days))
}

fn referral(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Vec<PlanItem> {
    let Some(verb) = utterance.terms(lexicon, clause.clone(), TermKind::Refer).next() else {
        return sent(utterance, lexicon, clause).into_iter().collect();
    };
    if utterance.has(lexicon, clause.start..verb.start, &[TermKind::NoNeed, TermKind::Negation]) {
        return Vec::new();
    }
    let services: Vec<&Found> = utterance.terms(lexicon, verb.end..clause.end, TermKind::Service).collect();
    // 轉去 and 約你見 turn to anything; 轉介 only to a service.
    let plain = utterance.folded(verb.start..verb.end);
    let refers =
        plain.windows(2).any(|pair| matches!(pair, ['转', '介' | '诊'])) || plain.contains(&'信') || plain.contains(&'r');
    if services.is_empty() && !refers {
        return Vec::new();
    }
    if services.len() < 2 {
        return item(utterance, PlanKind::Referral, verb.start..clause.end, None).into_iter().collect();
    }
    services.iter().filter_map(|service| item(utterance, PlanKind::Referral, service.start..service.end, None)).collect()
}

/// 做物理治療, 請精神科會診, 社康護士上門跟進: a service that is to see the patient, without the word.
fn sent(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<PlanItem> {
    let aside =
        [TermKind::Negation, TermKind::NegationNear, TermKind::NoNeed, TermKind::Past, TermKind::History, TermKind::Before];
    if utterance.has(lexicon, clause.clone(), &aside) {
        return None;
    }
    utterance.terms(lexicon, clause.clone(), TermKind::Service).find_map(|service| {
        let before = service.start.checked_sub(1).and_then(|at| utterance.chars.get(at));
        let behind: String = utterance.folded(service.end..clause.end.min(service.end + 6)).iter().collect();
        let said: String = utterance.folded(clause.clone()).iter().collect();
        let queued = ["排紧", "要等", "等咗", "出面", "唔使"].iter().any(|word| said.contains(word));
        let asked = matches!(before, Some('做' | '请' | '约' | '搵' | '见')) || before == Some(&'排') && !queued;
        let sees = ["跟", "上门", "会诊", "家访", "睇"].iter().any(|word| behind.contains(word));
        (asked || sees).then(|| item(utterance, PlanKind::Referral, service.start..clause.end, None)).flatten()
    })
}

const DONE: [TermKind; 4] = [TermKind::Past, TermKind::NegativeResult, TermKind::NoNeed, TermKind::Before];

fn investigation(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<PlanItem> {
    let aside = DONE.iter().chain(&[TermKind::Negation, TermKind::FollowUp, TermKind::HistoryAfter]);
    // 療程完咗四個禮拜後驗: what is over by then says nothing of the test.
    let mut times = utterance.quantities_in(clause.clone()).iter().filter(|quantity| quantity.kind == UnitKind::Time);
    let later_on = times.rfind(|quantity| utterance.chars.get(quantity.end) == Some(&'后'));
    let told = later_on.map_or(clause.start, |quantity| quantity.end)..clause.end;
    let reported =
        aside.clone().filter(|kind| **kind != TermKind::FollowUp).any(|kind| utterance.has(lexicon, told.clone(), &[*kind]));
    let test = utterance.terms(lexicon, clause.clone(), TermKind::Test).next();
    let verb = utterance.terms(lexicon, clause.clone(), TermKind::TestVerb).next();
    let future = utterance.has(lexicon, clause.clone(), &[TermKind::Future, TermKind::RuleOut, TermKind::Refer]);
    let later = days(utterance, lexicon, clause.clone()).is_some();
    let observed = utterance.within(clause.clone()).iter().any(|hit| matches!(hit.meaning, Meaning::Observation(_)))
        && !utterance.numbers_in(clause.clone()).is_empty()
        && verb.is_none_or(|verb| test.is_none() && utterance.folded(verb.start..verb.end) == ['做']);
    let start = verb.or(test)?.start;
    // X 照一日三次: as before.
    let often =
        utterance.quantities_in(start + 1..start + 2).iter().any(|one| one.kind == UnitKind::Time || one.kind == UnitKind::Dose);
    if utterance.folded(start..start + 1) == ['照'] && often {
        return None;
    }
    let operated = surgery(utterance, clause).is_some();
    let treats = test.is_none() && (operated || utterance.has(lexicon, clause.clone(), &[TermKind::Procedure]));
    // 抽煙, 抽筋, 抽住咁痛: drawn for a test is what a test is of.
    let drawn = verb.is_some_and(|verb| utterance.folded(verb.start..verb.end) == ['抽']);
    let object = test.is_some()
        || utterance.within(clause.clone()).iter().any(|hit| match hit.meaning {
            Meaning::Observation(_) => true,
            Meaning::Condition(_) | Meaning::Class(_) => !drawn,
            _ => false,
        });
    // 轉介 … 評估 is the other service's test, and so is 轉介眼科檢查眼底.
    let looked = utterance.folded(start..start + 2) == ['检', '查'];
    let sent = utterance.terms(lexicon, clause.clone(), TermKind::Refer).next().filter(|_| looked).is_some_and(|refer| {
        utterance.terms(lexicon, refer.end..clause.end, TermKind::Service).any(|service| service.start < start)
    });
    let referred = sent || test.is_none() && utterance.has(lexicon, clause.clone(), &[TermKind::Refer]);
    // 驗血, 抽血, 照肺: the verb is in the word.
    let told = test.is_some_and(|hit| matches!(utterance.folded(hit.start..hit.start + 1), ['抽' | '验' | '照' | '种' | '查']));
    if reported || observed || treats || referred || !object || (verb.is_none() && !future && !later && !told) {
        return None;
    }
    item(utterance, PlanKind::Investigation, start..clause.end, None)
}

fn procedure(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<PlanItem> {
    let done = [
        TermKind::NoNeed,
        TermKind::Negation,
        TermKind::Before,
        TermKind::History,
        TermKind::HistoryAfter,
        TermKind::Refer,
        TermKind::FollowUp,
    ];
    if utterance.has(lexicon, clause.clone(), &done) {
        return None;
    }
    let vaccine = utterance.within(clause.clone()).iter().find(|hit| match hit.meaning {
        Meaning::Drug(drug) => {
            lexicon.drugs.get(drug).is_some_and(|drug| drug.kind == DrugKind::Vaccine)
                && utterance.has(lexicon, hit.start.saturating_sub(2)..hit.end + 2, &[TermKind::DrugPlanned])
        }
        _ => false,
    });
    // 打流感針 is named as what it is given against.
    let against = utterance.within(clause.clone()).iter().find(|hit| match hit.meaning {
        Meaning::Condition(condition) => {
            let code = lexicon.conditions.get(condition).map(|concept| concept.icd10.as_str()).unwrap_or_default();
            ["Z23", "Z24", "Z25"].iter().any(|category| code.starts_with(category))
                && (utterance.has(lexicon, hit.start.saturating_sub(2)..hit.start, &[TermKind::DrugPlanned])
                    || utterance.folded(hit.start..hit.start + 1) == ['打'])
        }
        _ => false,
    });
    let named = utterance.terms(lexicon, clause.clone(), TermKind::Procedure).next().or(vaccine).or(against);
    let Some(hit) = named else {
        return item(utterance, PlanKind::Procedure, surgery(utterance, clause)?, None);
    };
    let near = utterance.has(lexicon, hit.start.saturating_sub(3)..hit.start, &[TermKind::NegationNear]);
    let past = utterance.has(lexicon, hit.end..hit.end + 2, &[TermKind::Past]);
    if near || past {
        return None;
    }
    item(utterance, PlanKind::Procedure, hit.start..clause.end.max(hit.end), None)
}

/// 安排你做白內障手術: an operation by the name of what is operated on.
fn surgery(utterance: &Utterance, clause: &Range<usize>) -> Option<Range<usize>> {
    let words = utterance.folded(clause.clone());
    let at = words.windows(2).position(|pair| pair == ['手', '术'])?;
    let lead: String = words.get(..at)?.iter().collect();
    let arranged = ["安排", "排期", "约你"].iter().any(|verb| lead.contains(verb)) && !lead.contains('咗');
    arranged.then_some(clause.start..clause.start + at + 2)
}

/// Advice by its own words (戒口), or by what to do or leave: 唔好 … 搬, 多啲 … 行.
fn lifestyle(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<PlanItem> {
    let drug = |range: Range<usize>| {
        utterance.within(range.clone()).iter().any(|hit| match hit.meaning {
            Meaning::Drug(_) => true,
            Meaning::Term(term) => lexicon.term_kind(term) == Some(TermKind::Remedy),
            _ => false,
        }) || utterance.folded(range).contains(&'药')
    };
    let plain = utterance.terms(lexicon, clause.clone(), TermKind::Lifestyle).next().filter(|hit| {
        // 想戒煙 is the patient's wish told again.
        let wish = hit.start.checked_sub(1).and_then(|at| utterance.chars.get(at)).is_some_and(|c| *c == '想');
        !drug(hit.end..clause.end) && !wish
    });
    let framed = || {
        let leads = [TermKind::Advise, TermKind::DrugWithheld];
        // 唔食 tells what somebody does, 唔好食 what to do.
        let tells = |hit: &&Found| {
            let words = utterance.folded(hit.start..hit.end);
            let bids = words.iter().any(|c| matches!(c, '好' | '要' | '避' | '忌' | '可')) || words.iter().all(char::is_ascii);
            bids || utterance.terms(lexicon, hit.start..hit.start + 1, TermKind::Advise).next().is_some()
        };
        let first = |kind: &TermKind| utterance.terms(lexicon, clause.clone(), *kind).find(tells);
        let lead = leads.iter().filter_map(first).min_by_key(|hit| hit.start)?;
        let near = lead.start..clause.end.min(utterance.ahead(lead.end, 8));
        let acts = [TermKind::Activity, TermKind::Alcohol, TermKind::Smoking, TermKind::Lifestyle];
        // 以後唔好再食蝦, 戒啤酒: what is forbidden without naming a drug is food or a habit.
        let words = utterance.folded(lead.start..lead.end);
        let habit =
            words.iter().any(|c| matches!(c, '食' | '饮')) || words.first() == Some(&'戒') && lead.start <= clause.start + 1;
        let told = [TermKind::Oneself, TermKind::Past, TermKind::HistoryAfter, TermKind::FollowUp, TermKind::Question];
        let aside = utterance.has(lexicon, clause.clone(), &told) || drug(clause.clone());
        let acts = utterance.has(lexicon, near, &acts) || habit;
        (utterance.speaker != Speaker::Patient && !aside && acts).then_some(lead)
    };
    let hit = plain.or_else(framed)?;
    item(utterance, PlanKind::Lifestyle, hit.start..clause.end.max(hit.end), None)
}

/// 開支藥膏: something is prescribed that has no name here.
fn unnamed_remedy(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<PlanItem> {
    let gives = utterance.terms(lexicon, clause.clone(), TermKind::DrugPlanned).next()?;
    let remedy = utterance.terms(lexicon, gives.end..clause.end, TermKind::Remedy).next().map(|hit| (hit.start, hit.end));
    // 開 thiamine 一百 mg: a name that no table knows, with its dose.
    let dosed = || {
        let dose = utterance.quantities_in(gives.end..clause.end).iter().find(|quantity| quantity.kind == UnitKind::Dose)?;
        let name = utterance.folded(gives.end..dose.start);
        let known = utterance.within(gives.end..dose.start).iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)));
        (!known && name.iter().any(char::is_ascii_alphabetic)).then_some((gives.end, dose.end))
    };
    let (start, end) = remedy.or_else(dosed)?;
    let denied = [TermKind::Negation, TermKind::NegationNear, TermKind::NoNeed, TermKind::DrugWithheld, TermKind::Advise];
    let aside = utterance.has(lexicon, clause.start..gives.start, &denied) || utterance.speaker == Speaker::Patient;
    if aside || utterance.between(gives.end, start) > 6 {
        return None;
    }
    item(utterance, PlanKind::Prescription, gives.start..end, None)
}

/// One item for all that was prescribed, changed or stopped.
fn prescription(courses: &[Course]) -> Option<PlanItem> {
    let mut decided = courses.iter().filter(|course| course.decided).map(|course| &course.medication);
    let first = decided.next()?;
    let mut names = vec![first.name.as_str()];
    let mut evidence = Evidence::new(first.provenance.spans().to_vec()).ok()?;
    for medication in decided {
        names.push(&medication.name);
        if let Ok(more) = Evidence::new(medication.provenance.spans().to_vec()) {
            evidence.merge(&more);
        }
    }
    let text = PatientText::from(names.join(", "));
    Some(PlanItem { kind: PlanKind::Prescription, text, days: None, provenance: evidence.into() })
}
