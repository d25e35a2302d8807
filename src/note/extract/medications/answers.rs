//! Turns that name no drug and speak of the one named before: 有冇食 X? 冇。 X 點食? 一日兩次。 今晚起改四 mg。

use std::ops::Range;

use super::super::evidence_of;
use super::super::regimen::{Regimen, end_with_corrections, regimen};
use super::super::utterance::{Speaker, Utterance};
use super::aside::about_taking;
use super::done::conditional;
use super::named_before::CHANGE_REACH;
use super::{Course, Said, Told, take};
use crate::note::{Evidence, MedicationStatus};
use crate::terminology::{Found, Lexicon, Meaning, TermKind, UnitKind};

/// How many turns back the drug may have been named.
const ANSWER_REACH: usize = 6;
/// Where in its clause a word that answers stands at the latest: 哦,有.
const FIRST_WORDS: usize = 3;

/// When a drug is left out that is taken (folded).
const NOW_AND_THEN: [&str; 6] = ["间中", "有时", "偶然", "偶尔", "唔记得", "忘记"];

/// The drugs that a turn speaks of without naming them, and the turn that named them.
struct Topic<'a> {
    utterance: &'a Utterance,
    drugs: Vec<Found>,
    /// How many turns back it was named.
    back: usize,
    /// Whether that turn ends with it, so that what it asks it asks of the drug.
    asked_of: bool,
}

/// Takes what the last of these turns says of the drug named before it, up to the next drug it names. Whether anything was taken.
pub(super) fn answered(told: &[Utterance], lexicon: &Lexicon, courses: &mut Vec<(usize, Course)>) -> bool {
    let Some((utterance, earlier)) = told.split_last() else { return false };
    let Some(asked) = earlier.last() else { return false };
    let Some(topic) = topic(earlier, lexicon) else { return false };
    let opening = opening(utterance, lexicon);
    if opening.is_empty() || utterance.has(lexicon, opening.clone(), &[TermKind::Allergy, TermKind::Reaction]) {
        return false;
    }
    let Some(last) = topic.drugs.last() else { return false };
    let question = asked.speaker != utterance.speaker || asked.speaker == Speaker::Unknown;
    let question = question && asks(asked, lexicon);
    let about = question && topic.asked_of && about_taking(topic.utterance, lexicon, last) && !asks_what_comes(asked);
    let answer = answer(utterance, lexicon, &opening);
    if about && matches!(answer, Answer::No) {
        topic.drugs.iter().for_each(|drug| tell(&topic, drug, utterance, lexicon, None, Regimen::default(), true, courses));
        return true;
    }
    if about && matches!(answer, Answer::Stopped) {
        tell(&topic, last, utterance, lexicon, Some(MedicationStatus::Stopped), Regimen::default(), false, courses);
        return true;
    }
    let known = match last.meaning {
        Meaning::Drug(drug) => lexicon.drugs.get(drug),
        _ => None,
    };
    // 啊係,寫漏咗。咁今次再減,五 mg 一日一次: the change is told where it is.
    let first = if again(utterance, &opening) { opening.end } else { utterance.sentence(opening.start).end.min(opening.end) };
    let until = end_with_corrections(utterance, lexicon, first).min(opening.end);
    let mut how = regimen(utterance, lexicon, opening.start..until, known);
    if question && how.times_per_day.is_none() {
        how.times_per_day = counted_times(utterance, asked, opening.clone(), &mut how.spans);
    }
    let often = how.times_per_day.is_some() || how.prn;
    let told = how.dose.is_some() || question && often && (topic.asked_of || asks_how(asked));
    let doctor = utterance.speaker == Speaker::Doctor;
    let status = match (&answer, doctor) {
        (Answer::Yes, false) if about => Some(MedicationStatus::Active),
        (_, true) if told && !question => Some(MedicationStatus::Planned),
        _ if told => taken_by(&topic, last, lexicon, doctor, courses),
        _ => None,
    };
    // 有,不過嗰隻唔係糖尿藥咩? The question is of something else.
    let own = utterance.clause(opening.start);
    let asks_back = own.asked && utterance.sentence(opening.start).end <= own.range.end;
    if asks_back && told && topic.known(last, courses) {
        // 一粒二點五 mg? 一百六十 mg 嗰隻? of what was just told.
        tell(&topic, last, utterance, lexicon, None, how, false, courses);
        return true;
    }
    // 口爛間中一兩粒: so many of something else.
    let counted = how.amounts.counted().then(|| how.spans.first().map(|span| span.start)).flatten();
    let of_else = counted.is_some_and(|dose| {
        let complaint = |hit: &Found| matches!(hit.meaning, Meaning::Condition(_));
        utterance.within(opening.start..dose).iter().any(complaint)
    });
    if of_else || asks_back || !(told || status.is_some()) || !question && !changes(utterance, lexicon, &opening, &topic, &how) {
        return false;
    }
    tell(&topic, last, utterance, lexicon, status, how, false, courses);
    true
}

impl Topic<'_> {
    fn known(&self, drug: &Found, courses: &[(usize, Course)]) -> bool {
        courses.iter().any(|(known, _)| drug.meaning == Meaning::Drug(*known))
    }
}

/// 會唔會上癮? asks what comes of it, and the answer is of that.
fn asks_what_comes(asked: &Utterance) -> bool {
    let words: String = asked.folded(0..asked.chars.len()).iter().collect();
    ["会唔会", "系咪会", "会否"].iter().any(|will| words.contains(will))
}

/// 點食? 每次幾多? 幾多次?
fn asks_how(asked: &Utterance) -> bool {
    let words: String = asked.chars.iter().collect();
    ["食", "打", "搽", "滴", "喷", "用", "次", "几多粒", "几粒", "几多mg", "几多 mg"].iter().any(|word| words.contains(word))
}

/// The drug named last, in the nearest turn that names one and speaks of the patient.
fn topic<'a>(earlier: &'a [Utterance], lexicon: &Lexicon) -> Option<Topic<'a>> {
    let is_drug = |hit: &&Found| matches!(hit.meaning, Meaning::Drug(_));
    let (back, utterance) =
        earlier.iter().rev().take(ANSWER_REACH).enumerate().find(|(_, before)| before.found.iter().any(|hit| is_drug(&hit)))?;
    let last = utterance.found.iter().rev().find(is_drug)?;
    let sentence = utterance.sentence(last.start);
    let aside = [TermKind::Allergy, TermKind::Reaction, TermKind::Family, TermKind::Other, TermKind::SideEffect];
    if utterance.has(lexicon, sentence.clone(), &aside) {
        return None;
    }
    let drugs = utterance.within(sentence).iter().filter(is_drug).copied().collect();
    let last_clause = utterance.clauses().iter().rev().find(|clause| !clause.range.is_empty()).map(|clause| clause.range.clone());
    let asked_of = last_clause.is_some_and(|clause| {
        let takes = utterance.folded(clause.clone()).iter().any(|c| matches!(c, '食' | '打' | '用' | '搽' | '喷' | '滴' | '停'));
        // 仲係一日一次?
        let words: String = utterance.folded(clause.clone()).iter().collect();
        let takes = takes || words.starts_with("仲系") && !utterance.quantities_in(clause.clone()).is_empty();
        clause.start <= last.start || takes && utterance.sentence(last.start).end >= clause.start
    });
    Some(Topic { utterance, drugs, back, asked_of: back == 0 && asked_of })
}

/// The clauses before the first that names a drug; a result told first (INR 得一點六,今晚起改四 mg) is no answer.
fn opening(utterance: &Utterance, lexicon: &Lexicon) -> Range<usize> {
    let measures = |hit: &Found| matches!(hit.meaning, Meaning::Observation(_));
    let names = |hit: &Found| match hit.meaning {
        Meaning::Drug(_) | Meaning::Observation(_) => true,
        Meaning::Term(term) => lexicon.term_kind(term) == Some(TermKind::Remedy),
        _ => false,
    };
    let clauses = || utterance.clauses().iter().map(|clause| clause.range.clone());
    let result = |clause: &Range<usize>| clause.is_empty() || utterance.within(clause.clone()).iter().any(measures);
    let Some(start) = clauses().find(|clause| !result(clause)).map(|clause| clause.start) else { return 0..0 };
    let from = utterance.found.partition_point(|hit| hit.start < start);
    let first = utterance.found.iter().skip(from).find(|hit| names(hit));
    start..first.map_or(utterance.chars.len(), |hit| utterance.clause(hit.start).range.start).max(start)
}

fn asks(utterance: &Utterance, lexicon: &Lexicon) -> bool {
    let kinds = [TermKind::Question, TermKind::QuestionEnd, TermKind::OpenQuestion];
    let last = utterance.clauses().iter().rev().find(|clause| !clause.range.is_empty());
    last.is_some_and(|clause| clause.asked || utterance.has(lexicon, clause.range.clone(), &kinds))
}

enum Answer {
    Yes,
    No,
    Stopped,
    Other,
}

/// What the first words answer: 冇, 停咗, 有, 係.
fn answer(utterance: &Utterance, lexicon: &Lexicon, opening: &Range<usize>) -> Answer {
    let first = opening.start..utterance.sentence(opening.start).end.min(opening.end);
    let kind = |hit: &Found| match hit.meaning {
        Meaning::Term(term) => lexicon.term_kind(term),
        _ => None,
    };
    let hits = || utterance.within(first.clone()).iter();
    let told = utterance.quantities_in(first.clone()).iter().any(|quantity| quantity.kind == UnitKind::Dose);
    let said: String = utterance.folded(first.clone()).iter().collect();
    let stop = hits().find(|hit| kind(hit) == Some(TermKind::DrugStopped));
    if let Some(stop) = stop.filter(|_| !hits().any(|hit| kind(hit) == Some(TermKind::Hypothetical))) {
        // 要唔要停? 唔使停, 停藥會反彈: it goes on.
        return if conditional(utterance, stop) { Answer::Yes } else { Answer::Stopped };
    }
    // 你有冠心病,不食得: what one has is no answer.
    let names = |hit: &Found| {
        let next = utterance.within(hit.end..hit.end + 1);
        next.iter().any(|next| next.start == hit.end && matches!(next.meaning, Meaning::Condition(_)))
    };
    let leading = hits().take_while(|hit| hit.start <= opening.start + FIRST_WORDS).filter(|hit| !names(hit)).find_map(|hit| {
        match kind(hit)? {
            // 不用改, 唔使停: it goes on.
            TermKind::NoNeed if matches!(utterance.folded(hit.end..hit.end + 1), ['改' | '停' | '加' | '减' | '转' | '换']) => {
                Some(Answer::Yes)
            }
            TermKind::Negation | TermKind::NoNeed | TermKind::DrugWithheld | TermKind::NotSo => Some(Answer::No),
            TermKind::Affirmation | TermKind::DrugActive | TermKind::Frequency | TermKind::Unchanged => Some(Answer::Yes),
            _ => None,
        }
    });
    let often = hits().any(|hit| kind(hit) == Some(TermKind::Frequency)) || told;
    match leading {
        Some(Answer::No) if often => Answer::Yes,
        Some(answer) => answer,
        // 四十 mg 朝早一粒,間中出街怕急就冇食: now and then.
        None if said.contains("有食") && !said.contains("冇食") => Answer::Yes,
        None if told && !said.contains("好耐") && NOW_AND_THEN.iter().any(|when| said.contains(when)) => Answer::Yes,
        None if hits().any(|hit| kind(hit) == Some(TermKind::DrugWithheld) && hit.end + 2 >= first.end) => Answer::No,
        None if told => Answer::Yes,
        None => Answer::Other,
    }
}

/// 一日食幾多次? 三次.
fn counted_times(utterance: &Utterance, asked: &Utterance, opening: Range<usize>, spans: &mut Vec<Range<usize>>) -> Option<f64> {
    let words: String = asked.chars.iter().collect();
    let daily = ["几多次", "几次"].iter().any(|much| words.contains(much)) && (words.contains('日') || words.contains('天'));
    let times = utterance.quantities_in(opening).iter().find(|quantity| quantity.kind == UnitKind::Times).filter(|_| daily)?;
    spans.push(times.start..times.end);
    Some(times.value)
}

/// What a dose told in answer says of a drug: who is asked what is taken takes it; the doctor's word leaves it as it is.
fn taken_by(
    topic: &Topic<'_>,
    drug: &Found,
    lexicon: &Lexicon,
    doctor: bool,
    courses: &[(usize, Course)],
) -> Option<MedicationStatus> {
    let known = courses.iter().find(|(known, _)| drug.meaning == Meaning::Drug(*known)).map(|(_, course)| course);
    match known {
        Some(course) if course.medication.status == MedicationStatus::Stopped || course.decided && !course.assumed => None,
        _ if !doctor => Some(MedicationStatus::Active),
        _ => {
            let clause = topic.utterance.clause(drug.start).range;
            topic.utterance.has(lexicon, clause, &[TermKind::DrugActive]).then_some(MedicationStatus::Active)
        }
    }
}

/// 今晚起改四 mg, 減做半粒, 四百太多,二百 mg 一日一次夠喇: nobody asked, and the doctor says how it is taken from now on.
fn changes(utterance: &Utterance, lexicon: &Lexicon, opening: &Range<usize>, topic: &Topic<'_>, how: &Regimen) -> bool {
    let depends = [TermKind::Hypothetical, TermKind::Deferred, TermKind::After, TermKind::DrugWithheld, TermKind::Lifestyle];
    let whole = again(utterance, opening);
    let end = if whole { opening.end } else { utterance.sentence(opening.start).end.min(opening.end) };
    let sentence = opening.start..end;
    let turns = utterance.has(lexicon, sentence.clone(), &[TermKind::ChangedTo, TermKind::Frequency])
        || utterance.folded(sentence.clone()).windows(2).any(|pair| matches!(pair, ['减', '半'] | ['减', '做'] | ['减', '到']));
    let measured =
        how.dose.as_ref().is_some_and(|dose| matches!(dose.unit.as_str(), "mg" | "ug" | "mL" | "[IU]" | "{tbl}" | "{puff}"));
    let patient = topic.utterance.speaker != Speaker::Doctor;
    // 飲水減到一千 mL.
    let of_water = utterance.folded(sentence.clone()).windows(2).any(|pair| matches!(pair, ['饮', '水'] | ['水', '分']));
    // 咁今次再減,五 mg 一日一次: of the one drug that the last turns were about.
    let spoken_of = patient && topic.back == 0 || whole && topic.back <= CHANGE_REACH && topic.drugs.len() == 1;
    utterance.speaker == Speaker::Doctor
        && spoken_of
        && measured
        && !of_water
        && (turns || !how.amounts.counted())
        && !utterance.has(lexicon, sentence, &depends)
}

/// 再減, 加多: a change on top of one.
fn again(utterance: &Utterance, opening: &Range<usize>) -> bool {
    let words: String = utterance.folded(opening.clone()).iter().collect();
    ["再减", "再加", "再调", "减多", "加多", "改做", "改成", "改为"].iter().any(|verb| words.contains(verb))
}

#[expect(clippy::too_many_arguments, reason = "one place for all that a turn without a name says")]
fn tell(
    topic: &Topic<'_>,
    drug: &Found,
    utterance: &Utterance,
    lexicon: &Lexicon,
    status: Option<MedicationStatus>,
    regimen: Regimen,
    withheld: bool,
    courses: &mut Vec<(usize, Course)>,
) {
    let Meaning::Drug(index) = drug.meaning else { return };
    let Some(mut evidence) = evidence_of(topic.utterance, drug.start..drug.end) else { return };
    for more in regimen.spans.iter().filter_map(|span| evidence_of(utterance, span.clone())) {
        Evidence::merge(&mut evidence, &more);
    }
    let said = Said {
        told: Told::of(&regimen, utterance),
        drug: index,
        status,
        weak: false,
        withheld,
        late: false,
        regimen,
        doctor: utterance.speaker == Speaker::Doctor,
        asked: false,
        misspelt: topic.utterance.is_misspelt(drug.start..drug.end),
        evidence,
        name: drug.start..drug.end,
        text: topic.utterance.said(drug.start..drug.end),
    };
    take(said, lexicon, courses);
}
