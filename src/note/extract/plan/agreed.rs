//! What somebody asked for and the clinician agreed to, and when: 使唔使照 MRI? 要。 幾時再返嚟? 十日後啦。

use std::ops::Range;

use super::{days, item};
use crate::note::extract::utterance::{Speaker, Utterance};
use crate::note::{PlanItem, PlanKind};
use crate::terminology::{DrugKind, Lexicon, Meaning, TermKind};

/// How a clinician agrees, as the first words of a turn (folded).
const YES: [&str; 12] = ["要", "好", "得", "可以", "系", "梗系", "当然", "冇问题", "ok", "yes", "sure", "都好"];
/// What makes it no agreement (folded).
const NOT: [&str; 6] = ["好似", "好多", "好少", "得闲", "系咪", "要睇"];
/// What the words of a time alone may have around them (folded).
const PARTICLES: &str = " 咁就即系呀啊喇啦啰啰喎嘅㗎吖大约差唔多,.。";

/// What the turn before asked for, where this turn of the clinician's says yes to it or says when.
pub(super) fn agreed(previous: &Utterance, utterance: &Utterance, lexicon: &Lexicon) -> Vec<PlanItem> {
    if utterance.speaker != Speaker::Doctor {
        return Vec::new();
    }
    let all = 0..previous.chars.len();
    let asks = [TermKind::Question, TermKind::QuestionEnd, TermKind::OpenQuestion];
    let asked = previous.clauses().iter().any(|clause| clause.asked) || previous.has(lexicon, all.clone(), &asks);
    if !asked {
        return Vec::new();
    }
    let timed = |kind: TermKind, plan: PlanKind| {
        let about = previous.has(lexicon, all.clone(), &[kind]);
        let said = utterance.has(lexicon, 0..utterance.chars.len(), &[kind]);
        let when = (about && !said).then(|| time_alone(utterance, lexicon, plan)).flatten()?;
        item(utterance, plan, when.1, Some(when.0))
    };
    let appointment = timed(TermKind::FollowUp, PlanKind::FollowUp).or_else(|| timed(TermKind::SickLeave, PlanKind::SickLeave));
    let others = previous.speaker != Speaker::Doctor && says_yes(utterance);
    let wanted = others.then(|| wanted(previous, lexicon)).flatten();
    let wanted = wanted.and_then(|(plan, range)| item(previous, plan, range, None));
    appointment.into_iter().chain(wanted).collect()
}

/// The words of the first clause open with a yes.
fn says_yes(utterance: &Utterance) -> bool {
    let first = utterance.clauses().iter().find(|clause| !clause.range.is_empty()).map(|clause| clause.range.clone());
    let words: String = utterance.folded(first.unwrap_or_default()).iter().collect();
    YES.iter().any(|yes| words.starts_with(yes)) && !NOT.iter().any(|not| words.starts_with(not)) && !words.contains(['唔', '冇'])
}

/// A test, a stay, an operation or a vaccine that a question names with its verb.
fn wanted(previous: &Utterance, lexicon: &Lexicon) -> Option<(PlanKind, Range<usize>)> {
    let clause = previous.clauses().iter().rfind(|clause| clause.asked).or(previous.clauses().last())?.range.clone();
    let aside = [TermKind::Before, TermKind::History, TermKind::HistoryAfter, TermKind::Past, TermKind::Family];
    if previous.has(lexicon, clause.clone(), &aside) {
        return None;
    }
    let first = |kind: TermKind| previous.terms(lexicon, clause.clone(), kind).next().map(|hit| hit.start..clause.end);
    let vaccine = previous.within(clause.clone()).iter().find(|hit| match hit.meaning {
        Meaning::Drug(drug) => lexicon.drugs.get(drug).is_some_and(|drug| drug.kind == DrugKind::Vaccine),
        _ => false,
    });
    first(TermKind::Test)
        .map(|range| (PlanKind::Investigation, range))
        .or_else(|| first(TermKind::Procedure).map(|range| (PlanKind::Procedure, range)))
        .or_else(|| vaccine.map(|hit| (PlanKind::Procedure, hit.start..hit.end)))
}

/// 十日後啦, 兩日夠喇: a clause that tells a time and no more; an appointment's is told as later.
fn time_alone(utterance: &Utterance, lexicon: &Lexicon, plan: PlanKind) -> Option<(f64, Range<usize>)> {
    utterance.clauses().iter().find_map(|clause| {
        let (value, when) = days(utterance, lexicon, clause.range.clone())?;
        let lead: String = utterance.folded(clause.range.start..when.start).iter().filter(|c| !PARTICLES.contains(**c)).collect();
        let behind: String = utterance.folded(when.end..clause.range.end).iter().filter(|c| !PARTICLES.contains(**c)).collect();
        let later = matches!(behind.as_str(), "后" | "之后" | "后得" | "后返嚟");
        let leave = plan == PlanKind::SickLeave && matches!(behind.as_str(), "" | "够" | "得" | "假");
        (matches!(lead.as_str(), "" | "好" | "要" | "俾你" | "你") && (later && plan == PlanKind::FollowUp || leave))
            .then_some((value, when))
    })
}
