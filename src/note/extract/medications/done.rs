//! What the words around a drug do with it.

use std::ops::Range;

use super::super::list;
use super::super::utterance::{Speaker, Utterance};
use super::ends::{changed_for, ends_its_course, not_given, resumed, right_behind_a_drug};
use super::named_before::SINCE;
use super::once::{asks_or_tells_how, finished, never, not_taken, once_intended, taken_once, to_finish, tried_once};
use crate::note::MedicationStatus;
use crate::terminology::{Found, Lexicon, Meaning, TermKind, UnitKind};

/// How far before a verb it is forbidden: 唔好同 ibuprofen 一齊食.
pub(super) const FORBIDDEN: usize = 8;
/// Words by which a verb says that two drugs meet (folded).
const TOGETHER: [&str; 7] = ["一齐", "一起", "夹住", "夹埋", "夹杂", "同时", "一并"];

/// How far before a drug it is told that one meant to give it.
pub(super) const INTENDED: usize = 14;
/// What asks whether to stop, or forbids it (folded).
const ASKED: [&str; 20] = [
    "可不可以",
    "可以唔可以",
    "应唔应该",
    "要唔要",
    "使唔使",
    "驶唔驶",
    "洗唔洗",
    "系咪要",
    "系唔系要",
    "可唔可以",
    "需唔需要",
    "系咪",
    "唔使",
    "唔驶",
    "唔洗",
    "唔用",
    "唔需要",
    "唔好",
    "唔可以",
    "唔好自己",
];

/// What may stand behind 冇食 at the end of its clause (folded).
pub(super) const PARTICLES: &str = " 喇啦呀喎过嘅㗎到返住咗咗嘅嘞啰佢呢就 先";

/// How far behind 之前食半粒 what is taken now may stand.
const CHANGE_REACH: usize = 16;

/// How far before a stop something else may be named that it is of.
const LAST_NAMED: usize = 8;
/// That a drug is no good idea (folded).
const RISKY: [&str; 6] = ["要小心", "要好小心", "唔安全", "有风险", "唔理想", "唔系咁好"];
/// That it need not be taken any more (folded), at the end of its clause.
const NO_MORE_OF_IT: [&str; 9] = ["唔使食", "唔驶食", "唔洗食", "唔使再食", "唔使用", "唔使打", "唔使搽", "唔使滴", "不用吃"];
/// What stands behind 照 where a drug goes on as before (folded): 照十四度, 照一日三次, 照每晚一次.
const AS_BEFORE: [char; 24] = [
    '一', '二', '三', '四', '五', '六', '七', '八', '九', '十', '两', '半', '每', '食', '用', '打', '搽', '滴', '喷', '服', '旧',
    '朝', '晚', '早',
];
/// What tells that a drug was given before this visit (folded).
const GIVEN_BEFORE: [&str; 16] = [
    "门诊", "诊所", "嗰阵", "嗰时", "之前", "上次", "旧年", "以前", "街症", "街外", "私家", "出面", "嗰只", "嗰支", "嗰粒",
    "而家",
];

/// What is said of those that are taken on when others were stopped (folded).
const LEFT: [&str; 5] = ["剩下", "剩返", "净返", "净系食", "就剩"];

/// What is done with a drug.
#[derive(Clone, Copy, Default)]
pub(super) struct Done {
    pub status: Option<MedicationStatus>,
    pub withheld: bool,
    /// Told by a verb that only says how it is taken.
    pub weak: bool,
    /// Told in a later clause.
    pub late: bool,
}

/// What is done with the drug: the nearest word before it, else the first behind it; a stop behind it is the last word.
pub(super) fn done(
    utterance: &Utterance,
    lexicon: &Lexicon,
    ahead: Range<usize>,
    behind: Range<usize>,
    clause: Range<usize>,
) -> Done {
    let drug = ahead.end;
    let of = |status| Done { status: Some(status), ..Done::default() };
    let read = |hit: &Found| {
        // 食緊血壓藥, a form of the condition, holds the verb.
        if matches!(hit.meaning, Meaning::Condition(_))
            && matches!(utterance.folded(hit.start..hit.start + 2), ['食', '紧' | '开'])
        {
            return Some(of(MedicationStatus::Active));
        }
        let Meaning::Term(term) = hit.meaning else { return None };
        let done = match lexicon.term_kind(term)? {
            TermKind::DrugActive | TermKind::DrugPlanned if needless(utterance, lexicon, hit) => {
                Done { withheld: true, ..Done::default() }
            }
            TermKind::DrugActive | TermKind::Unchanged => of(MedicationStatus::Active),
            TermKind::DrugPlanned => Done { weak: weak(utterance, hit), ..of(MedicationStatus::Planned) },
            TermKind::DrugStopped if conditional(utterance, hit) || to_finish(utterance, hit) => return None,
            TermKind::DrugStopped if never(utterance, hit) => Done { withheld: true, ..Done::default() },
            TermKind::DrugStopped => of(MedicationStatus::Stopped),
            TermKind::DrugWithheld if asks_or_tells_how(utterance, hit) => return None,
            TermKind::DrugWithheld => Done { withheld: true, ..Done::default() },
            _ => return None,
        };
        // X 停咗佢,痛先食 Y: of the one before.
        if hit.end <= drug && stopped_so(utterance, hit, done.status) {
            return None;
        }
        // 叫我停咗,剩下 Y: what is left is taken.
        if hit.end <= drug && done.status == Some(MedicationStatus::Stopped) {
            let between: String = utterance.folded(hit.end..drug).iter().collect();
            if LEFT.iter().any(|left| between.contains(left)) {
                return Some(of(MedicationStatus::Active));
            }
        }
        // 消炎止痛藥不開 Y 五百毫克: said of the drug right before it.
        let of_another = done.withheld && hit.end <= drug && right_behind_a_drug(utterance, hit);
        (!of_another && !takes_another(utterance, lexicon, hit, drug)).then_some(done)
    };
    let stopped = |done: &Done| done.status == Some(MedicationStatus::Stopped);
    // 原本想俾 X,但佢食 Y,唔得: Y is what speaks against X.
    let lead: String = utterance.folded(clause.start..drug).iter().filter(|c| **c != ' ').collect();
    let speaks_against = ["但", "不过", "因为"].iter().any(|but| lead.starts_with(but));
    if speaks_against && ["佢食", "你食", "佢食紧", "你食紧", "佢食开", "你食开"].iter().any(|takes| lead.ends_with(takes))
    {
        return of(MedicationStatus::Active);
    }
    if once_intended(utterance, drug, behind.start) {
        return Done { withheld: true, ..Done::default() };
    }
    if let Some(ended) = not_taken(utterance, lexicon, clause.start..drug, behind.clone()) {
        return ended;
    }
    if tried_once(utterance, lexicon, clause.start..drug) {
        return Done { withheld: true, ..Done::default() };
    }
    // 要食返,X 五 mg: what was stopped is taken again.
    let again = resumed(utterance, lexicon, drug);
    if again && !utterance.terms(lexicon, behind.clone(), TermKind::DrugStopped).any(|stop| !conditional(utterance, stop)) {
        return of(MedicationStatus::Planned);
    }
    if finished(utterance, lexicon, drug) {
        return Done { withheld: true, ..Done::default() };
    }
    if taken_once(utterance, lexicon, clause.start..drug, &behind) {
        return of(MedicationStatus::Stopped);
    }
    // X, 轉打 Y; on X, stopped Y: in a later clause the word right before the next drug is said of that one.
    let others = |hit: &Found| {
        let next = utterance.within(behind.end..behind.end + 1).iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)));
        next && hit.start > clause.end && utterance.between(hit.end, behind.end) <= 1
    };
    let first = utterance.within(ahead).iter().rev().find_map(read);
    let own = behind.start..behind.end.min(clause.end);
    let second = utterance.within(own.clone()).iter().find_map(read);
    // X 轉咗 Y: X is given no more. X 唔好, 轉 Y: it was only thought of.
    if replaced(utterance, lexicon, own.clone()) || changed_for(utterance, clause.clone(), own.start) {
        // X 不开了改用 Y: it was only thought of.
        return second.filter(|done| done.withheld).unwrap_or_else(|| of(MedicationStatus::Stopped));
    }
    // 咁用 X 要小心,改 Y.
    let said: String = utterance.folded(own.clone()).iter().collect();
    let next = utterance.folded(clause.end + 1..clause.end + 2);
    let instead = matches!(next, ['改' | '转' | '换'])
        && utterance.within(clause.end + 1..clause.end + 6).iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)));
    let given: String = utterance.folded(clause.start..drug).iter().filter(|c| **c != ' ').collect();
    let given = ["用", "开", "俾", "给", "加"].iter().any(|verb| given.ends_with(verb));
    if instead && given && utterance.speaker != Speaker::Patient && RISKY.iter().any(|risky| said.contains(risky)) {
        return Done { withheld: true, ..Done::default() };
    }
    if not_given(utterance, clause.start..drug, own.start..clause.end.max(own.start)) {
        return Done { withheld: true, ..Done::default() };
    }
    // 以前食 Y,轉 X 嗰陣停咗: X is what took its place.
    let turned = utterance.folded(clause.start..drug).iter().rev().find(|c| !matches!(c, ' ' | '咗' | '食' | '打' | '做'));
    let meanwhile: String = utterance.folded(own.start..clause.end.max(own.start)).iter().take(FORBIDDEN).collect();
    if matches!(turned, Some('转' | '换')) && ["嗰阵", "嗰时", "时候"].iter().any(|when| meanwhile.contains(when)) {
        return Done::default();
    }
    // 之前嗰隻 X 唔好再食; X 唔好再食,停咗佢: it was taken until now.
    let no_more = second.is_some_and(|done| done.withheld);
    let again = utterance.folded(own.clone()).contains(&'再');
    let ahead_said: String = utterance.folded(clause.start..drug).iter().collect();
    let before_now = GIVEN_BEFORE.iter().any(|before| ahead_said.contains(before));
    let stops = utterance.terms(lexicon, own.clone(), TermKind::DrugStopped).any(|stop| !conditional(utterance, stop));
    if no_more && again && (before_now || stops) {
        return of(MedicationStatus::Stopped);
    }
    // 街外開嗰隻 X 一日兩次都唔使食喇: what is taken is stopped.
    let words: String = utterance.folded(own.start..clause.end.max(own.start)).iter().filter(|c| **c != ' ').collect();
    let lead: String = utterance.folded(clause.start..drug).iter().collect();
    let was_given = GIVEN_BEFORE.iter().any(|before| lead.contains(before));
    if NO_MORE_OF_IT.iter().any(|no| words.trim_end_matches(|c| PARTICLES.contains(c)).ends_with(no)) {
        let was_given = was_given || second.is_some_and(|done| stopped(&done));
        return if was_given { of(MedicationStatus::Stopped) } else { Done { withheld: true, ..Done::default() } };
    }
    // X 照十四度每晚一次.
    let as_before = words.strip_prefix('照').is_some_and(|rest| rest.starts_with(AS_BEFORE));
    if as_before && first.is_none() {
        return of(MedicationStatus::Active);
    }
    // 之前開 X 一日兩次,有用冇?: what was given before is taken, as far as the doctor who asks knows.
    let planned_before = first.is_some_and(|done| done.status == Some(MedicationStatus::Planned) && !done.weak);
    let now = utterance.has(lexicon, clause.start..drug, &[TermKind::Now]) || lead.contains("今");
    let asks = utterance.clauses().get(utterance.clause_index(drug)).is_some_and(|clause| clause.asked);
    let doctor = !matches!(utterance.speaker, Speaker::Patient | Speaker::Relative);
    // 嗰陣開咗 X.
    let then = ["嗰阵", "嗰时", "之前", "上次", "旧年", "以前"].iter().any(|then| lead.contains(then));
    let then = then && lead.contains('咗') && !lead.contains("转咗") && !lead.contains("换咗") && !lead.contains("改咗");
    if doctor && planned_before && (asks || then) && was_given && !now {
        return of(MedicationStatus::Active);
    }
    // 醫生叫我停 X, 但我仲食緊: what one does is the last word, not what one was told.
    let stays = || {
        let stopped = first.or(second).is_some_and(|done| done.status == Some(MedicationStatus::Stopped));
        let still = utterance.terms(lexicon, own.end..behind.end, TermKind::DrugActive).find(|hit| !others(hit));
        let contrast = |hit: &Found| {
            let clause = utterance.clause(hit.start).range;
            utterance.has(lexicon, clause.start..hit.start, &[TermKind::Contrast])
                && !utterance.has(lexicon, clause.start..hit.start, &[TermKind::Negation, TermKind::NegationNear])
        };
        // X 停三日,跟住照食.
        let pauses = utterance.terms(lexicon, own.clone(), TermKind::DrugStopped).any(|stop| {
            let times = utterance.quantities_in(stop.end..stop.end + 2);
            times.iter().any(|quantity| quantity.kind == UnitKind::Time && quantity.value < 30.0)
        });
        let told = utterance.speaker != Speaker::Doctor && still.is_some_and(contrast);
        stopped && (told || pauses && still.is_some())
    };
    if stays() {
        return of(MedicationStatus::Active);
    }
    // 我食 X 之前肝酵素高,停咗: a stop that leads a later clause of the sentence.
    let later_stop = utterance
        .terms(lexicon, behind.clone(), TermKind::DrugStopped)
        .find(|stop| {
            let own = leads_its_clause(utterance, stop) && !of_something_else(utterance, behind.start, stop);
            own && !others(stop) && !conditional(utterance, stop)
        })
        .map(|_| of(MedicationStatus::Stopped));
    // 私家開咗 X … 我自己停咗: of who takes it, the last word is what they did.
    let decides = utterance.speaker != Speaker::Patient;
    let planned = decides && first.is_some_and(|done| done.status == Some(MedicationStatus::Planned) && !done.weak);
    let later = || {
        let stop = utterance
            .terms(lexicon, behind.clone(), TermKind::DrugStopped)
            .find(|stop| !others(stop) && !conditional(utterance, stop) && !of_something_else(utterance, behind.start, stop));
        let stop = stop.map(|_| of(MedicationStatus::Stopped));
        stop.or_else(|| utterance.within(behind.clone()).iter().filter(|hit| !others(hit)).find_map(read))
    };
    match (first, second) {
        // 用過 X ... 停咗; 我食 gabapentin 上次頭暈停咗: a stop behind it in the clause is the last word.
        (_, Some(second)) if stopped(&second) || second.withheld => second,
        (Some(first), _) => later_stop.filter(|_| !planned && !first.withheld).unwrap_or(first),
        // 食咗成個月, 停咗五日: told as a course that ended.
        (None, Some(second)) if second.status == Some(MedicationStatus::Active) => later().filter(stopped).unwrap_or(second),
        (None, Some(second)) => {
            // X 上年食完已經停咗.
            let own_stop = utterance.terms(lexicon, own, TermKind::DrugStopped);
            let mut own_stop = own_stop.filter(|stop| !conditional(utterance, stop) && !to_finish(utterance, stop));
            let stop = later_stop.or_else(|| own_stop.next().map(|_| of(MedicationStatus::Stopped)));
            stop.filter(|_| second.weak).unwrap_or(second)
        }
        (None, None) => later().map(|done| Done { late: true, ..done }).unwrap_or_default(),
    }
}

/// X 三 mg,骨質疏鬆打針,前年停咗; 不能喝酒,停两天: another treatment or a habit was named between.
pub(super) fn of_something_else(utterance: &Utterance, drug: usize, stop: &Found) -> bool {
    let clause = utterance.clause(stop.start).range.start.max(drug);
    let before: String = utterance.folded(utterance.back(clause, LAST_NAMED).max(drug)..clause).iter().collect();
    let before = before.trim_end_matches([',', ' ', '。', '、']);
    ["打针", "针", "酒", "烟", "咖啡"].iter().any(|other| before.ends_with(other))
}

/// 停咗, 我自己停咗, 上個禮拜已經停咗: before a stop its clause says no more than who and when.
fn leads_its_clause(utterance: &Utterance, stop: &Found) -> bool {
    let start = utterance.clause(stop.start).range.start;
    stop.start <= start + 2 || utterance.folded(start..stop.start).iter().all(|c| SINCE.contains(*c))
}

/// 停咗佢: of what was named before.
fn stopped_so(utterance: &Utterance, hit: &Found, status: Option<MedicationStatus>) -> bool {
    let words = utterance.folded(hit.start..hit.end + 1);
    status == Some(MedicationStatus::Stopped) && words.contains(&'佢')
}

/// 不用開 X, 唔使食: the need is denied right before the verb.
fn needless(utterance: &Utterance, lexicon: &Lexicon, verb: &Found) -> bool {
    let from = verb.start.saturating_sub(4);
    utterance.terms(lexicon, from..verb.start, TermKind::NoNeed).any(|no| no.end >= verb.start && no.end < verb.end)
}

/// 屙肚就停, 停藥會反彈: when to stop, not that one stopped, which 就停咗 tells; 之前食半粒,今日起食一粒 tells what changed.
pub(super) fn conditional(utterance: &Utterance, stop: &Found) -> bool {
    let before = stop.start.checked_sub(1).and_then(|at| utterance.chars.get(at));
    if refuses(utterance, stop) {
        return true;
    }
    let words = utterance.folded(stop.start..utterance.chars.len().min(stop.end + 1));
    if ends_its_course(utterance, stop) {
        return true;
    }
    // 要停嗎?
    let clauses = utterance.clauses();
    let own = clauses.get(utterance.clause_index(stop.start));
    let last = own.is_some_and(|clause| clause.asked && utterance.sentence(stop.start).end <= clause.range.end);
    let asked = last && !words.iter().any(|c| matches!(c, '咗' | '了')) && matches!(before, Some('要' | '使' | '以' | '该'));
    if asked {
        return true;
    }
    // 要停吗, without a mark.
    if matches!(utterance.chars.get(stop.end), Some('吗' | '嘛')) && matches!(before, Some('要' | '使' | '以' | '该')) {
        return true;
    }
    // 屙先停: when it comes to that.
    let felt = matches!(
        utterance.folded(stop.start.saturating_sub(2)..stop.start),
        ['屙' | '呕' | '痛' | '晕' | '疹' | '肿' | '震', '先']
    );
    let when = (before == Some(&'就') || felt) && words.iter().all(|c| *c != '咗') && !words.starts_with(&['冇']);
    let until = utterance.chars.len().min(stop.end + CHANGE_REACH);
    let behind: String = utterance.folded(stop.end..until).iter().collect();
    // 停藥會反彈: what comes of it. 停咗就算數: as far as one is concerned.
    let comes_of_it = ["会", "药会", "咗会", "就算", "咗就算"].iter().any(|word| behind.trim_start().starts_with(word));
    let changed = words.contains(&'前') && ["日起", "晚起", "家起", "朝起", "改"].iter().any(|from| behind.contains(from));
    when || changed || comes_of_it
}

/// 要唔要停? asks, 唔使停 says that it goes on.
fn refuses(utterance: &Utterance, stop: &Found) -> bool {
    let lead: String = utterance.folded(stop.start.saturating_sub(4)..stop.start).iter().collect();
    ASKED.iter().any(|asked| lead.ends_with(asked))
}

/// Whether a range ends with 轉, 換 or 改 right before the next drug, and nothing says that it comes only later.
fn replaced(utterance: &Utterance, lexicon: &Lexicon, behind: Range<usize>) -> bool {
    let next = utterance.within(behind.end..behind.end + 1).iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)));
    let Some(verb) = utterance.terms(lexicon, behind.clone(), TermKind::DrugPlanned).last().filter(|_| next) else {
        return false;
    };
    let words = utterance.folded(verb.start..behind.end);
    let turns = matches!(words.first(), Some('转' | '换' | '改')) && utterance.between(verb.end, behind.end) <= 2;
    let later = utterance.folded(behind.start..verb.start).iter().any(|c| matches!(c, '后' | '再' | '加' | ',' | '，'));
    turns && !later && !utterance.has(lexicon, behind.start..verb.start, &[TermKind::Negation, TermKind::NegationNear])
}

/// 食, 搽, 滴: how it is taken, by which nothing is started.
fn weak(utterance: &Utterance, verb: &Found) -> bool {
    matches!(utterance.folded(verb.start..verb.end), ['食' | '搽' | '滴' | '打' | '喷' | '用' | '饮'])
}

/// 食止痛藥: the verb has an object of its own; 唔可以夾住食: what is forbidden is not prescribed.
/// 食緊血壓藥同埋 X: both.
fn takes_another(utterance: &Utterance, lexicon: &Lexicon, verb: &Found, drug: usize) -> bool {
    let listed = |object: &Found| object.end < drug && list::joins(utterance, object.end..drug, &[]);
    let object = utterance.within(verb.end..verb.end + 2).iter().any(|hit| match hit.meaning {
        Meaning::Term(term) => {
            hit.start != drug && hit.start <= verb.end + 1 && lexicon.term_kind(term) == Some(TermKind::Remedy) && !listed(hit)
        }
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
