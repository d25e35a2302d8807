//! How long a condition has lasted: a stretch of time beside it, no measure of how often.

use super::super::assertion::Claim;
use super::super::dialogue::Event;
use super::super::quantity::Quantity;
use super::super::utterance::Utterance;
use crate::terminology::{Lexicon, TermKind, UnitKind};

/// The least time that lasts, in days: about an hour.
const LEAST: f64 = 0.04;
/// How far before a name its time may begin.
const BEFORE: usize = 12;
/// How far behind a name its time may begin, and how far into the next clause.
const BEHIND: usize = 16;
const NEXT_CLAUSE: usize = 8;
/// How far behind a time its count may stand: 一日屙五次, 一年覆診一次.
const COUNTED: usize = 6;
/// What is counted (folded).
const COUNTS: &str = "次包支粒杯樽罐枝餐回趟";
/// What somebody does for a time before it comes (folded): 坐一個鐘就痛.
const DOES: &str = "坐行企瞓训跑跳睇揸食做讲踎跪游";
/// How far behind a time the 就 stands.
const THEN: usize = 2;

/// What was answered or put right last, or the first time that is told beside the condition.
pub fn of<'a>(
    events: impl DoubleEndedIterator<Item = &'a Event> + Clone,
    utterances: &[Utterance],
    lexicon: &Lexicon,
) -> Option<Quantity> {
    let answered = events.clone().rev().find_map(|event| event.time);
    answered.or_else(|| events.into_iter().find_map(|event| duration(event, utterances, lexicon)))
}

/// The nearest stretch of time in the mention's clause or the next, which is not a time in the future.
fn duration(event: &Event, utterances: &[Utterance], lexicon: &Lexicon) -> Option<Quantity> {
    if !matches!(event.claim, Claim::Present { .. } | Claim::Possible) {
        return None;
    }
    let utterance = utterances.get(event.utterance)?;
    let clause = utterance.clause(event.mention.head).range;
    let sentence = utterance.sentence(event.mention.head);
    let near = clause.start.max(event.mention.start.saturating_sub(BEFORE));
    // 食煙,一日一包,食咗三十年: a clause that tells how often is passed over.
    let next = utterance.clauses().get(utterance.clause_index(event.mention.head) + 1);
    let counting = next.filter(|next| {
        utterance.quantities_in(next.range.clone()).iter().any(|time| time.kind == UnitKind::Time && counted(utterance, time))
    });
    let passed = counting.map_or(0, |next| next.range.len() + 1);
    let until = sentence.end.min(clause.end + NEXT_CLAUSE + passed).min(event.mention.end + BEHIND + passed);
    utterance
        .quantities_in(near..until)
        .iter()
        .filter(|time| time.kind == UnitKind::Time && time.value >= LEAST && lasts(utterance, time, lexicon))
        .min_by_key(|time| time.start.abs_diff(event.mention.end))
        .copied()
}

/// Whether a time may be how long something has lasted.
pub fn lasts(utterance: &Utterance, time: &Quantity, lexicon: &Lexicon) -> bool {
    let later = matches!(utterance.chars.get(time.end), Some('后' | '内'));
    let each = utterance.chars.get(time.start) == Some(&'每');
    let does = time.start.checked_sub(1).and_then(|at| utterance.chars.get(at)).is_some_and(|c| DOES.contains(*c));
    let then = utterance.chars.iter().skip(time.end).take(THEN).any(|c| *c == '就');
    // 一年覆診一次 and 三個月後覆診 are no time of it.
    let visit = utterance.has(lexicon, time.end..time.end + 1, &[TermKind::FollowUp]);
    !(later || each || visit || does && then || counted(utterance, time))
}

/// Whether a count follows a time within its clause: 一日屙五次, 一日一包, 一日痛幾次.
fn counted(utterance: &Utterance, time: &Quantity) -> bool {
    let clause = utterance.clause(time.start).range;
    let behind = time.end..clause.end.min(time.end + COUNTED).max(time.end);
    let number = |at: usize| {
        // The half of 一日半包 was read with the day.
        let some = matches!(utterance.chars.get(at), Some('几' | '多' | '半'));
        some || utterance.numbers_in(behind.clone()).iter().any(|number| number.start <= at && at < number.end)
    };
    // 三日食咗兩粒 tells what was done in that time.
    let done = |at: usize| utterance.folded(time.end..at).iter().any(|c| matches!(c, '咗' | '过' | '左'));
    let times = utterance.quantities_in(behind.clone()).iter().find(|other| other.kind == UnitKind::Times);
    let count = behind
        .clone()
        .find(|at| utterance.chars.get(*at).is_some_and(|c| COUNTS.contains(*c)) && at.checked_sub(1).is_some_and(number));
    times.map(|times| times.start).or(count).is_some_and(|at| !done(at))
}
