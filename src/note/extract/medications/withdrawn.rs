//! A drug that the doctor was about to start and does not give: refused without its name, replaced once the patient told what
//! speaks against it.

use super::super::allergies::Allergies;
use super::super::utterance::{Speaker, Utterance};
use super::Course;
use super::aside::{asked_about, beside_the_point, only_thought_of};
use super::conflict;
use super::named_before::{CHANGE_REACH, SUBJECT_REACH};
use crate::note::MedicationStatus;
use crate::terminology::{Found, Lexicon, Meaning, TermKind};

/// What may stand before a refusal (folded).
const LEADS: &str = "口服药咁噉系喎哦噢喔好呀嘅啊就都嗱唉哎呢嗰只支 ";
/// What may stand behind it (folded).
const ENDS: &str = "喇啦呀住先嘞啰佢㗎嘅喎吧 ";
/// That it is not given (folded, without leads and ends).
const REFUSALS: [&str; 20] = [
    "唔开",
    "唔加",
    "先唔加",
    "先唔开",
    "唔俾",
    "唔畀",
    "唔食",
    "唔用",
    "唔打",
    "唔要",
    "取消",
    "取消佢",
    "唔开呢只",
    "唔加呢只",
    "算数",
    "cancel",
    "cancel佢",
    "唔开住",
    "唔加住",
    "skip",
];
/// The same where the turn before spoke against it; by themselves these answer anything (folded).
const WEAK_REFUSALS: [&str; 16] = [
    "唔得",
    "唔好",
    "用唔得",
    "食唔得",
    "开唔得",
    "唔用得",
    "唔食得",
    "唔开得",
    "唔可以",
    "唔可以食",
    "唔可以用",
    "唔可以开",
    "唔啱",
    "唔适合",
    "唔行",
    "唔work",
];
/// Words by which one drug takes the place of another (folded).
const INSTEAD: [&str; 12] =
    ["转", "换", "改", "代替", "顶替", "取代", "第二只", "另一只", "另外一只", "instead", "switch", "change"];
/// Verbs that give the other drug where the first is of what the patient is allergic to (folded).
const GIVES: [&str; 6] = ["用", "开", "俾", "食", "give", "use"];
/// How two drugs are said not to go together (folded).
const CLASHES: [&str; 7] = ["撞", "相冲", "冲突", "夹唔埋", "相克", "interact", "clash"];
/// How one is thanked for what one overlooked (folded).
const THANKS: [&str; 12] = [
    "多谢提",
    "多谢你提",
    "唔该提",
    "唔该你提",
    "好彩你",
    "好在你",
    "差啲唔记得",
    "差啲忘记",
    "唔记得咗",
    "睇漏",
    "thanks for remind",
    "thank you for remind",
];
/// What one does not want (folded).
const UNWANTED: [&str; 8] = ["唔想", "唔要", "唔敢", "唔食得", "食唔得", "唔啱", "好惊", "有咗"];
/// How many turns back something spoke against the drug: 我對盤尼西林敏感。 有咩反應? 出疹。 咁唔得。
const AGAINST_REACH: usize = 4;

/// 咁唔得, 取消, 係喎,多謝提我, 咁轉 Y: the drug planned last is not given.
pub(super) fn withdraw_planned(told: &[Utterance], lexicon: &Lexicon, allergies: &Allergies, courses: &mut Vec<(usize, Course)>) {
    let Some((utterance, earlier)) = told.split_last() else { return };
    if utterance.speaker == Speaker::Patient || utterance.speaker == Speaker::Relative {
        return;
    }
    // 停咗佢,轉 Y stops what is taken.
    if utterance.has(lexicon, 0..utterance.chars.len(), &[TermKind::DrugStopped])
        || asks_for_another(utterance, earlier, lexicon, courses)
    {
        return;
    }
    let Some(target) = planned_last(earlier, lexicon, courses) else { return };
    let recent = earlier.get(earlier.len().saturating_sub(AGAINST_REACH)..).unwrap_or_default();
    let against = recent.iter().any(|turn| turn.speaker != Speaker::Doctor && speaks_against(turn, lexicon));
    let allergic = lexicon.drugs.get(target).is_some_and(|drug| {
        let told_now = |span: &crate::note::Span| recent.iter().any(|turn| turn.id == span.segment());
        allergies
            .found
            .iter()
            .any(|allergy| allergy.provenance.spans().iter().any(told_now) && conflict::between(allergy, drug, lexicon))
    });
    // 嗰隻唔用: the one named last, and if that is another's, none.
    let last = earlier
        .iter()
        .rev()
        .take(AGAINST_REACH + 1)
        .find_map(|turn| turn.found.iter().rev().find(|hit| matches!(hit.meaning, Meaning::Drug(_))).map(|hit| hit.meaning));
    let points = utterance.chars.iter().take(SUBJECT_REACH).any(|c| *c == '嗰') && last != Some(Meaning::Drug(target));
    let unwanted = recent.last().is_some_and(|turn| {
        let words: String = turn.chars.iter().collect();
        turn.speaker != Speaker::Doctor && ["唔要", "唔食得", "食唔得"].iter().any(|no| words.contains(no))
    });
    let taken = |drug: usize| {
        let course = courses.iter().find(|(other, _)| *other == drug).map(|(_, course)| course);
        course.is_some_and(|course| course.medication.status == MedicationStatus::Active)
    };
    let withdrawn = clashes(utterance, target, taken)
        || unwanted && gives_another(utterance, target)
        || !points && refused(utterance, against || allergic)
        || (against || allergic) && replaced(utterance, lexicon, target, allergic)
        || allergic && thanks(utterance);
    if withdrawn {
        take_back(target, courses);
    }
}

/// The drug that the doctor named last, a few turns before, where it is planned; what the patient takes anyway is passed over.
fn planned_last(earlier: &[Utterance], lexicon: &Lexicon, courses: &[(usize, Course)]) -> Option<usize> {
    let turns = earlier.iter().rev().take(AGAINST_REACH + 1);
    let hits = turns.flat_map(|turn| turn.found.iter().rev().map(move |hit| (turn, hit)));
    let drugs = hits.filter(|(_, hit)| matches!(hit.meaning, Meaning::Drug(_))).take(SUBJECT_REACH);
    for (turn, hit) in drugs {
        let Meaning::Drug(drug) = hit.meaning else { continue };
        let course = courses.iter().find(|(other, _)| *other == drug).map(|(_, course)| course);
        let status = course.map(|course| course.medication.status);
        if status == Some(MedicationStatus::Active) || beside_the_point(turn, lexicon, hit) {
            continue;
        }
        let planned = status == Some(MedicationStatus::Planned) && course.is_some_and(|course| course.decided);
        // Who speaks is not known: a drug with a dose may be what is taken.
        let assumed = turn.speaker == Speaker::Unknown && course.is_some_and(|course| course.assumed);
        if planned && !assumed {
            return Some(drug);
        }
        // What the doctor named since is what is spoken of.
        if turn.speaker == Speaker::Doctor || turn.speaker == Speaker::Unknown {
            return None;
        }
    }
    None
}

/// What speaks against a drug: an allergy, a complaint, another drug, that it is not wanted. A question does not, unless of these.
fn speaks_against(turn: &Utterance, lexicon: &Lexicon) -> bool {
    let all = 0..turn.chars.len();
    let words: String = turn.chars.iter().collect();
    let named = turn.found.iter().any(|hit| matches!(hit.meaning, Meaning::Condition(_) | Meaning::Drug(_) | Meaning::Class(_)));
    let told = turn.has(lexicon, all.clone(), &[TermKind::Allergy, TermKind::Reaction, TermKind::SideEffect]);
    let asks = turn.chars.last() == Some(&'?') || turn.has(lexicon, all, &[TermKind::Question, TermKind::QuestionEnd]);
    told || UNWANTED.iter().any(|no| words.contains(no)) || named && !asks
}

/// Whether a clause before the first drug says no more than that it is not given.
fn refused(utterance: &Utterance, against: bool) -> bool {
    let first = utterance.found.iter().find(|hit| matches!(hit.meaning, Meaning::Drug(_)));
    let until = first.map_or(utterance.chars.len(), |hit| hit.start);
    let clauses = utterance.clauses().iter().map(|clause| clause.range.clone()).filter(|range| !range.is_empty());
    // 那就唔開改 Y: without a mark before the verb that gives the other.
    let lead = first.map(|hit| utterance.clause(hit.start).range.start..hit.start).and_then(|lead| {
        let verb = utterance.folded(lead.clone()).iter().rposition(|c| matches!(c, '改' | '转' | '换'))?;
        Some(lead.start..lead.start + verb)
    });
    let mut before = clauses.take_while(|range| range.end <= until).chain(lead);
    before.any(|range| {
        let words: String = utterance.folded(range).iter().filter(|c| **c != ' ').collect();
        let rest = words.trim_start_matches(|c| LEADS.contains(c));
        let rest = rest.trim_end_matches(|c| ENDS.contains(c));
        let led = rest.len() < words.trim_end_matches(|c| ENDS.contains(c)).len();
        REFUSALS.contains(&rest) && (led || against) || led && against && WEAK_REFUSALS.contains(&rest)
    })
}

/// Whether another drug is given instead.
fn replaced(utterance: &Utterance, lexicon: &Lexicon, target: usize, allergic: bool) -> bool {
    let mut drugs = utterance.found.iter().filter(|hit| matches!(hit.meaning, Meaning::Drug(_)));
    let Some(other) = drugs.next() else { return false };
    // 咁唔用 X,改 Y: X is what is not given.
    let refuses = utterance.has(lexicon, 0..other.start, &[TermKind::DrugWithheld]);
    if refuses || utterance.found.iter().any(|hit| hit.meaning == Meaning::Drug(target)) {
        return false;
    }
    let clause = utterance.clause(other.start).range;
    let from = utterance.sentence(other.start).start.max(utterance.back(other.start, SUBJECT_REACH));
    let before: String = utterance.folded(from..other.start).iter().collect();
    let whole: String = utterance.folded(clause).iter().collect();
    let opening = utterance.chars.first().is_some_and(|c| LEADS.contains(*c));
    INSTEAD.iter().any(|verb| before.contains(verb))
        || ["代替", "顶替", "取代", "instead"].iter().any(|verb| whole.contains(verb))
        || allergic && opening && GIVES.iter().any(|verb| before.contains(verb))
}

/// 咁用 Y: what is given to who did not want the first.
fn gives_another(utterance: &Utterance, target: usize) -> bool {
    let named = utterance.found.iter().any(|hit| hit.meaning == Meaning::Drug(target));
    let mut drugs = utterance.found.iter().filter(|hit| matches!(hit.meaning, Meaning::Drug(_)));
    let Some(other) = drugs.next() else { return false };
    let lead: String =
        utterance.folded(utterance.clause(other.start).range.start..other.start).iter().filter(|c| **c != ' ').collect();
    !named && lead.starts_with(['咁', '噉', '那']) && GIVES.iter().chain(&INSTEAD).any(|verb| lead.ends_with(verb))
}

/// X 同 Y 撞。改 Z: the one that was about to be given does not go with what is taken, and another is given.
fn clashes(utterance: &Utterance, target: usize, taken: impl Fn(usize) -> bool) -> bool {
    let drug = |hit: &&Found| matches!(hit.meaning, Meaning::Drug(_));
    utterance.clauses().iter().map(|clause| clause.range.clone()).any(|range| {
        let words: String = utterance.folded(range.clone()).iter().collect();
        let here: Vec<&Found> = utterance.within(range.clone()).iter().filter(drug).collect();
        let others = utterance.within(range.end..utterance.chars.len()).iter().filter(drug);
        CLASHES.iter().any(|word| words.contains(word))
            && here.len() >= 2
            && here.iter().any(|hit| hit.meaning == Meaning::Drug(target))
            && here.iter().any(|hit| matches!(hit.meaning, Meaning::Drug(drug) if drug != target && taken(drug)))
            && others.into_iter().any(|hit| !here.iter().any(|one| one.meaning == hit.meaning))
    })
}

fn thanks(utterance: &Utterance) -> bool {
    let words: String = utterance.chars.iter().collect();
    THANKS.iter().any(|thanks| words.contains(thanks))
}

/// What was started goes; what was only changed goes on as it was.
fn take_back(drug: usize, courses: &mut Vec<(usize, Course)>) {
    let changed = courses.iter_mut().find(|(other, _)| *other == drug);
    match changed.and_then(|(_, course)| course.medication.changed_from.take().map(|former| (course, former))) {
        Some((course, former)) => {
            (course.medication.dose, course.medication.times_per_day) = (former.dose, former.times_per_day);
            (course.medication.status, course.decided) = (MedicationStatus::Active, false);
        }
        None => courses.retain(|(other, _)| *other != drug),
    }
}

/// Whether the turn before asks for a drug that is not given: Tramadol 呢? 唔開就係 takes back nothing.
fn asks_for_another(utterance: &Utterance, earlier: &[Utterance], lexicon: &Lexicon, courses: &[(usize, Course)]) -> bool {
    let Some(asked) = earlier.last().filter(|turn| turn.speaker != Speaker::Doctor) else { return false };
    // 肺炎針好唔好打埋? 今日唔打.
    let shot = asked.chars.contains(&'针') && utterance.chars.contains(&'打');
    let last = asked.found.iter().rev().find(|hit| matches!(hit.meaning, Meaning::Drug(_)));
    shot || last.is_some_and(|hit| {
        let told = asked.has(lexicon, asked.clause(hit.start).range, &[TermKind::Allergy, TermKind::Reaction]);
        let planned = courses.iter().any(|(drug, course)| hit.meaning == Meaning::Drug(*drug) && course.decided);
        !told && !planned && (asked_about(asked, hit) || only_thought_of(asked, lexicon, hit))
    })
}

/// 咁會撞,唔開喇,改 Y: the drug that the doctor was about to start is not given.
pub(super) fn withdraw_named_before(told: &[Utterance], lexicon: &Lexicon, courses: &mut Vec<(usize, Course)>) {
    let Some((utterance, earlier)) = told.split_last() else { return };
    if utterance.speaker == Speaker::Patient || utterance.speaker == Speaker::Relative {
        return;
    }
    if asks_for_another(utterance, earlier, lexicon, courses) {
        return;
    }
    let is_drug = |hit: &&Found| matches!(hit.meaning, Meaning::Drug(_));
    for no in utterance.terms(lexicon, 0..utterance.chars.len(), TermKind::DrugWithheld) {
        let clause = utterance.clause(no.start).range;
        // 照食唔用停: it goes on.
        let goes_on = matches!(utterance.folded(no.end..no.end + 1), ['停' | '改' | '减' | '戒']);
        // 唔好食咁鹹: of something else.
        let rest =
            utterance.folded(no.end..clause.end.max(no.end)).iter().all(|c| ENDS.contains(*c) || "嗰只支种啲呢我你".contains(*c));
        let alone = no.start <= clause.start + 2 && clause.end <= no.end + 2 && rest && !goes_on;
        if !alone || utterance.within(0..clause.end).iter().any(|hit| is_drug(&hit)) {
            continue;
        }
        // 我冇食, 他的不要吃: told by who takes it, or of another's.
        let lead = utterance.folded(clause.start..no.start);
        if lead.iter().any(|c| matches!(c, '我' | '佢')) {
            continue;
        }
        let told =
            || earlier.iter().rev().take(CHANGE_REACH).flat_map(|before| before.found.iter().rev().map(move |hit| (before, hit)));
        let mut all = told().filter(|(_, hit)| is_drug(hit));
        // 嗰隻唔用: the one named last, and if that is not the patient's, none.
        // 嗰啲係佢嘅,唔好再食.
        let sentence = utterance.sentence(no.start).start.max(utterance.back(no.start, SUBJECT_REACH));
        let points = utterance.folded(clause.start..no.end).iter().any(|c| matches!(c, '嗰' | '呢' | '只' | '支'))
            || matches!(utterance.folded(sentence..sentence + 2), ['嗰' | '呢', '啲' | '只' | '支' | '个' | '种']);
        let last = all.next();
        let elses = |(before, hit): (&Utterance, &Found)| {
            let taken = |(drug, course): &(usize, Course)| {
                hit.meaning == Meaning::Drug(*drug) && course.medication.status == MedicationStatus::Active
            };
            beside_the_point(before, lexicon, hit) || asked_about(before, hit) || courses.iter().any(taken)
        };
        if points && last.is_some_and(elses) {
            continue;
        }
        let recent = told().filter(|(before, hit)| is_drug(hit) && !beside_the_point(before, lexicon, hit)).map(|(_, hit)| hit);
        // 諗住加 X。 好,唔開: X was no more than thought of. What the patient takes anyway is not meant.
        let course = |drug: usize| courses.iter().find(|(other, _)| *other == drug).map(|(_, course)| course);
        let named = recent.take(SUBJECT_REACH).filter_map(|hit| match hit.meaning {
            Meaning::Drug(drug) => Some(drug),
            _ => None,
        });
        let taken = |drug: &usize| course(*drug).is_some_and(|course| course.medication.status == MedicationStatus::Active);
        let target = named.filter(|drug| !taken(drug)).take(1).next();
        let planned = |drug: &usize| {
            course(*drug).is_some_and(|course| course.decided && course.medication.status == MedicationStatus::Planned)
        };
        if let Some(drug) = target.filter(planned) {
            courses.retain(|(other, _)| *other != drug);
        }
    }
}
