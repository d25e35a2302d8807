//! What an utterance says of each drug it names, and what is said of several at once.

use std::ops::Range;

use super::super::evidence_of;
use super::super::list;
use super::super::regimen::{Regimen, end_with_corrections, leads_to_a_drug, regimen, regimen_behind};
use super::super::utterance::{Speaker, Utterance};
use super::aside::beside_the_point;
use super::done::{Done, done};
use super::{BEFORE, Said, Told, by_use};
use crate::note::MedicationStatus;
use crate::terminology::{Drug, DrugKind, Found, Lexicon, Meaning, TermKind, UnitKind};

/// How much may be said of a drug's purpose within a list.
const DESCRIBED: usize = 12;
/// How far behind the last of a list it is told that all are meant.
const ALL_OF_THEM: usize = 6;
/// The shortest English word that may be an unknown drug's name.
const UNKNOWN: usize = 3;
/// Words by which one regimen is said of all that were listed (folded).
const OF_ALL: [char; 8] = [',', ':', '，', '都', '各', '全', '律', '样'];

/// What each mention of a drug in an utterance says. `asked`: the turn before asked which drugs are taken.
pub(super) fn mentions(utterance: &Utterance, lexicon: &Lexicon, asked: bool) -> Vec<Said> {
    let drugs: Vec<Found> = utterance.found.iter().filter(|hit| matches!(hit.meaning, Meaning::Drug(_))).copied().collect();
    let mut said: Vec<Said> = Vec::new();
    // For each of `said`, whether it goes on with the list of the one before it.
    let mut joined: Vec<bool> = Vec::new();
    let mut carried: Option<(usize, MedicationStatus)> = None;
    let mut last: Option<Found> = None;
    for (index, hit) in drugs.iter().enumerate() {
        let Meaning::Drug(drug) = hit.meaning else { continue };
        let Some(known) = lexicon.drugs.get(drug) else { continue };
        let previous = index.checked_sub(1).and_then(|previous| drugs.get(previous));
        let before = previous.map_or(0, |previous| previous.end);
        let after = drugs.get(index + 1).map_or(utterance.chars.len(), |next| leads(utterance, lexicon, hit, next));
        if beside_the_point(utterance, lexicon, hit)
            || drugs.get(index + 1).is_some_and(|next| names_its_use(utterance, lexicon, hit, next))
        {
            continue;
        }
        if taken_back(utterance, lexicon, hit.end..drugs.get(index + 1).map_or(hit.end, |next| next.start)) {
            last = None;
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
            // 不用布洛分必理痛五百毫克: two names without a joint, and the second is told how to take.
            let instead = before.withheld && one.told_how() && last.end == hit.start;
            let described = before.status == Some(MedicationStatus::Active) && !before.weak;
            last.end <= hit.start
                && !instead
                && (list::joins(utterance, behind_form(utterance, between.clone()), &before.regimen.spans)
                    || described && goes_on(utterance, lexicon, between))
        });
        // 停 A 同 B,食返兩隻: how others are taken is not said of the second.
        let stops = listed.is_some_and(|(_, before)| before.status == Some(MedicationStatus::Stopped) && !before.late);
        let own = (one.status.is_some() && !(stops && one.weak) || one.withheld)
            && (!one.late || one.status == Some(MedicationStatus::Stopped));
        if let Some((_, before)) = listed.filter(|(_, before)| !own && (before.status.is_some() || before.withheld)) {
            (one.status, one.weak, one.withheld) = (before.status, before.weak, before.withheld);
        }
        let told = one.told_how();
        let carried_here = carried.filter(|(place, _)| *place == sentence && told).map(|(_, status)| status);
        one.status = one.status.or(carried_here);
        if !one.withheld {
            carried = one.status.filter(|status| *status != MedicationStatus::Stopped).map(|status| (sentence, status));
        }
        joined.push(listed.is_some());
        last = Some(*hit);
        said.push(one);
    }
    share_regimen(utterance, lexicon, &mut said, &joined);
    share_back(utterance, &mut said, &joined);
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

/// 去水丸 hydrochlorothiazide: what it is called by its use, and right behind that its name.
fn names_its_use(utterance: &Utterance, lexicon: &Lexicon, hit: &Found, next: &Found) -> bool {
    let name: String = utterance.folded(hit.start..hit.end).iter().collect();
    let (Some(class), Meaning::Drug(drug)) = (by_use(&name), next.meaning) else { return false };
    let atc = lexicon.drugs.get(drug).and_then(|drug| drug.atc.as_deref()).unwrap_or_default();
    next.start >= hit.end && next.start <= hit.end + 1 && atc.starts_with(class)
}

/// Where the words begin that belong to the next drug: in `X 五 mg,朝早就食 Y` behind the comma, in `tds 嘅有 X,bd 嘅係 Y` too.
fn leads(utterance: &Utterance, lexicon: &Lexicon, drug: &Found, next: &Found) -> usize {
    let clause = utterance.clause(next.start).range;
    let from = clause.start;
    if from <= drug.end {
        return next.start;
    }
    let spans = regimen(utterance, lexicon, from..next.start, None).spans;
    let Some(told) = spans.iter().map(|span| span.end).max().filter(|_| !spans.is_empty()) else { return next.start };
    let words = utterance.folded(told..next.start);
    let verb = words.iter().any(|c| matches!(c, '食' | '打' | '搽' | '用' | '系' | '嘅' | '只' | '滴' | '喷' | '含' | '开'));
    let joint = list::opens_with_joint(utterance, told..next.start);
    if verb && !joint { from } else { next.start }
}

/// A 同 B,每晚一粒; 一日兩次嘅有 A 同 B: how often, and how many, is said once of all of a list. A strength is the last one's, and
/// so is what stands right behind it: A 同 B 二十 mg 每晚一次.
fn share_regimen(utterance: &Utterance, lexicon: &Lexicon, said: &mut [Said], joined: &[bool]) {
    let mut first = 0;
    for end in 1..=said.len() {
        if joined.get(end) == Some(&true) {
            continue;
        }
        if end - first >= 2 {
            let floor = first.checked_sub(1).and_then(|before| said.get(before)).map_or(0, Said::end);
            if let Some(list) = said.get_mut(first..end) {
                share_in(utterance, lexicon, list, floor);
            }
        }
        first = end;
    }
}

fn share_in(utterance: &Utterance, lexicon: &Lexicon, list: &mut [Said], floor: usize) {
    let Some((last, rest)) = list.split_last_mut() else { return };
    let untold = |one: &Said| one.regimen.times_per_day.is_none() && !one.withheld;
    let shared = last.regimen.clone();
    if rest.iter().all(untold) && said_of_all(utterance, last.name.end, &shared) {
        rest.iter_mut().for_each(|one| one.share(&shared, utterance));
        return;
    }
    let Some((one, others)) = list.split_first() else { return };
    // 每晚食 A 同 B,朝早就食 C: up to the first that is taken in its own way.
    let shared = others.iter().take_while(|one| untold(one)).count();
    if shared == 0 {
        return;
    }
    // 每晚食 A 同 B, 隔日食嗰兩隻係 A 同 B: told before the first.
    let start = one.name.start;
    let header = utterance.sentence(start).start.max(floor)..start;
    let ahead = regimen(utterance, lexicon, header, None);
    let own = one.regimen.times_per_day.is_none_or(|times| Some(times) == ahead.times_per_day);
    if own && ahead.times_per_day.is_some() && ahead.dose.as_ref().is_none_or(|dose| dose.unit.starts_with('{')) {
        let often = Regimen { dose: None, ..ahead };
        list.iter_mut().take(shared + 1).for_each(|one| one.share(&often, utterance));
    }
}

/// Whether a mark, 都 or 各 stands between the last drug of a list and how all are taken.
fn said_of_all(utterance: &Utterance, drug: usize, how: &Regimen) -> bool {
    let told = how.times_per_day.is_some() || how.amounts.counted();
    let strengths = how.amounts.spans().next().map_or(drug, |span| span.end).max(drug);
    let from = if how.amounts.counted() { drug } else { strengths };
    let until = how.spans.iter().map(|span| span.start).filter(|start| *start >= from).max();
    told && until.is_some_and(|until| {
        let first = how.spans.iter().map(|span| span.start).filter(|start| *start >= from).min().unwrap_or(until);
        utterance.folded(from..first).iter().any(|c| OF_ALL.contains(c))
    })
}

/// 開返 X,唔係,係 Y: a slip of the tongue between two names.
fn taken_back(utterance: &Utterance, lexicon: &Lexicon, between: Range<usize>) -> bool {
    let slip = utterance.terms(lexicon, between.clone(), TermKind::Corrected).last();
    slip.is_some_and(|slip| {
        let words = utterance.folded(slip.end..between.end);
        let before = utterance.folded(between.start..slip.start);
        let alone = |c: &char| {
            matches!(c, ' ' | ',' | '，' | '。' | '…' | '呀' | '系' | '应' | '该' | '开' | '食' | '讲' | '错' | '咗' | '唔')
        };
        words.len() <= 8
            && words.iter().all(alone)
            && words.iter().any(|c| matches!(c, ',' | '，' | '。' | '…' | '系'))
            && before.iter().all(alone)
            && before.iter().any(|c| matches!(c, ',' | '，' | '。' | '…'))
    })
}

/// X 膏同 Y 膏: the form belongs to the name.
fn behind_form(utterance: &Utterance, between: Range<usize>) -> Range<usize> {
    let form =
        utterance.folded(between.clone()).iter().take_while(|c| matches!(c, ' ' | '药' | '膏' | '水' | '丸' | '片')).count();
    between.start + form..between.end
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

/// A 同 B 都停咗: what is said behind the last of a list is said of all. A 五 mg BD,B 停: not of what is told how to take, unless it is 都.
fn share_back(utterance: &Utterance, said: &mut [Said], joined: &[bool]) {
    for index in (1..said.len()).rev().filter(|index| joined.get(*index) == Some(&true)) {
        let Some((before, [next, ..])) = said.split_at_mut_checked(index) else { continue };
        let alone = next.status == Some(MedicationStatus::Stopped) && !next.told_how() && !said_of_all_of_them(utterance, next);
        let apart = alone && before.last().is_some_and(Said::told_how);
        let told = !(apart || next.weak && next.doctor);
        if let Some(one) = before.last_mut().filter(|one| told && one.status.is_none() && !one.withheld) {
            (one.status, one.weak, one.withheld) = (next.status, next.weak, next.withheld);
        }
    }
}

/// B 都停, B 一齊停.
fn said_of_all_of_them(utterance: &Utterance, last: &Said) -> bool {
    let behind: String = utterance.folded(last.name.end..utterance.chars.len().min(last.name.end + ALL_OF_THEM)).iter().collect();
    ["都", "一齐", "全部"].iter().any(|word| behind.contains(word))
}

/// Verbs that tell of a time that is over (folded).
const TRIED: [&str; 14] =
    ["俾过", "给过", "开过", "食过", "食完", "打过", "打完", "用过", "搽过", "搽完", "吃过", "吃了", "吃完", "打了"];

/// How one was after it, in words that are no complaint's name (folded).
const UNWELL: [&str; 7] = ["扭晒", "呆", "唔舒服", "辛苦", "顶唔顺", "郁唔到", "冇晒力"];

/// X 食過胃痛, 上次嗰隻 X 食完手震: what came of it once, told by who took it, and no course.
fn tried(utterance: &Utterance, lexicon: &Lexicon, ahead: Range<usize>, behind: Range<usize>) -> bool {
    let words: String = utterance.folded(behind.clone()).iter().filter(|c| **c != ' ').collect();
    let words = words.trim_start_matches(['我', '佢', '都', '就']);
    let lead: String = utterance.folded(ahead.clone()).iter().filter(|c| **c != ' ').collect();
    let taken = TRIED.iter().any(|verb| words.starts_with(verb)) || TRIED.iter().any(|verb| lead.ends_with(verb));
    let felt = utterance.within(behind.clone()).iter().any(|hit| match hit.meaning {
        Meaning::Condition(condition) => lexicon.conditions.get(condition).is_some_and(|concept| concept.symptom),
        Meaning::Class(_) => true,
        Meaning::Term(term) => lexicon.term_kind(term) == Some(TermKind::Reaction),
        _ => false,
    });
    // 打完抗生素好返.
    let felt = felt || utterance.has(lexicon, behind.clone(), &[TermKind::Resolved]);
    let felt = felt || UNWELL.iter().any(|how| words.contains(how));
    // 食緊 X,食完胃痛 is taken.
    let goes_on = [TermKind::DrugActive, TermKind::Ongoing, TermKind::Now];
    let whole = ahead.start..behind.end;
    let stops = utterance.folded(behind.clone()).contains(&'停');
    let counted = utterance.quantities_in(behind).iter().any(|one| matches!(one.kind, UnitKind::Dose | UnitKind::Time));
    utterance.speaker != Speaker::Doctor && taken && felt && !stops && !counted && !utterance.has(lexicon, whole, &goes_on)
}

/// Where it is told who takes it: in the clause, or, of a bare verb, in the one before (有高血壓 食 X), unless that speaks to somebody.
fn who_takes(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> usize {
    let bare = matches!(utterance.chars.get(clause.start), Some('食' | '吃'));
    let before = clause.start.checked_sub(1).filter(|_| bare).map(|at| utterance.clause(at).range);
    // 有細菌感染 食 X: a disease of today, and who speaks gives it.
    let lasting = |before: &Range<usize>| {
        utterance.within(before.clone()).iter().any(|hit| match hit.meaning {
            Meaning::Condition(condition) => lexicon.conditions.get(condition).is_some_and(|concept| concept.chronic),
            _ => false,
        })
    };
    let given = utterance.folded(clause.clone()).contains(&'先');
    let told = before.filter(|before| !given && !utterance.folded(before.clone()).contains(&'你') && lasting(before));
    told.map_or(clause.start, |before| before.start)
}

fn read(utterance: &Utterance, lexicon: &Lexicon, hit: &Found, drug: usize, known: &Drug, around: Range<usize>) -> Option<Said> {
    let sentence = utterance.sentence(hit.start);
    let clause = utterance.clause(hit.start).range;
    let until = end_with_corrections(utterance, lexicon, sentence.end.max(hit.end));
    // X 每次一千,一日兩次;血壓藥加到二十 mg: another drug's, told by what it is for.
    let item = utterance.folded(hit.end..around.end.min(until).max(hit.end)).iter().position(|c| *c == ';');
    let others = |at: &usize| {
        let next = hit.end + at + 1..hit.end + at + 5;
        let named = |hit: &Found| matches!(hit.meaning, Meaning::Condition(_) | Meaning::Class(_));
        utterance.within(next.clone()).iter().any(named) && utterance.folded(next).contains(&'药')
    };
    let until = item.filter(others).map_or(until, |at| hit.end + at);
    let behind = hit.end..around.end.min(until).max(hit.end);
    // A 同 B,前者五百 mg,後者二十五 mg: which dose is whose is not read.
    let told_apart = utterance.folded(behind.clone()).windows(2).position(|pair| matches!(pair, ['前' | '后', '者']));
    let behind = behind.start..told_apart.map_or(behind.end, |at| behind.start + at);
    // A dose may stand before the drug: 兩粒 Panadol. `Current meds: A` says before its colon how A is meant.
    let headed = clause.start.checked_sub(1).filter(|colon| utterance.chars.get(*colon) == Some(&':'));
    let lead = headed.map_or(clause.start, |colon| utterance.clause(colon).range.start);
    let ahead = lead.max(around.start).max(utterance.back(hit.start, BEFORE))..hit.start;
    if tried(utterance, lexicon, clause.start..hit.start, hit.end..clause.end.max(hit.end)) {
        return None;
    }
    let mut how = regimen_behind(utterance, lexicon, behind.clone(), known);
    // lay six 加到八十毫克,X 照食: a dose that a name stands before, which no table knows, is of that one.
    let named = list::unknown(utterance, clause.start.max(around.start)..hit.start, |_| true);
    let named =
        named.iter().any(|run| run.len() >= UNKNOWN && utterance.folded(run.clone()).iter().all(char::is_ascii_alphabetic));
    // A 八十 mg 早晚一次 B 半年前停咗: what stands right behind the drug before is that one's.
    let told = utterance.quantities_in(ahead.clone()).first().map(|one| one.start);
    let of_the_other = around.start > clause.start
        && ahead.start == around.start
        && told.is_some_and(|told| told <= around.start + 1)
        && regimen(utterance, lexicon, ahead.clone(), None).times_per_day.is_some()
        && !utterance.folded(ahead.clone()).iter().any(|c| matches!(c, ',' | '、' | '同' | '和' | '及'));
    let named = named || of_the_other;
    let other = if named { Regimen::default() } else { regimen(utterance, lexicon, ahead.clone(), Some(known)) };
    // 含一粒零點五毫克 X,得十粒咋: the strength right before the name, and not what is handed out.
    // 百分之一嘅 hydrocortisone.
    let led = other.spans.iter().any(|span| {
        let of_it = utterance.folded(span.end.min(hit.start)..hit.start).iter().all(|c| matches!(c, ' ' | '嘅' | '的'));
        span.end <= hit.start && (hit.start <= span.end + 1 || of_it && hit.start <= span.end + 2)
    });
    let strength = other.dose.is_some() && !other.amounts.counted() && led;
    if how.dose.is_none() && how.times_per_day.is_none() || strength && how.amounts.counted() && how.times_per_day.is_none() {
        if other.dose.is_some() || other.times_per_day.is_some() {
            how = other;
        }
    } else if how.times_per_day.is_none() && !utterance.has(lexicon, ahead.clone(), &[TermKind::DrugStopped]) {
        // 每晚食 X 二十 mg.
        how.times_per_day = other.times_per_day;
        how.spans.extend(other.spans.into_iter().filter(|_| other.times_per_day.is_some() && other.dose.is_none()));
    }
    // 痛就食 X: whatever else is said of how.
    how.prn |= utterance.terms(lexicon, ahead.clone(), TermKind::Prn).any(|hit| leads_to_a_drug(utterance, hit));
    // Without speakers, 有高血壓食 X is told by who has it, and 俾你食 X by who gives it.
    let own = utterance.speaker == Speaker::Unknown
        && utterance.has(
            lexicon,
            who_takes(utterance, lexicon, &clause)..hit.start,
            &[TermKind::Affirmation, TermKind::Oneself, TermKind::DrugActive],
        )
        && !utterance.has(lexicon, clause.clone(), &[TermKind::After]);
    let doctor = utterance.speaker != Speaker::Patient && !own;
    let clause_start = clause.start;
    let asked = utterance.clause(hit.start).asked || utterance.folded(clause.clone()).contains(&'嗰');
    let Done { status, withheld, weak, late } = done(utterance, lexicon, ahead, behind, clause);
    // 我食 X: who takes it, takes it now.
    let tells = !doctor || utterance.speaker == Speaker::Relative;
    let status = if weak && tells { Some(MedicationStatus::Active) } else { status };
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
    let told = Told::of(&how, utterance);
    let name = hit.start..hit.end;
    Some(Said { drug, status, weak, withheld, late, regimen: how, doctor, asked, misspelt, evidence, name, text, told })
}
