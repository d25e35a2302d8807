//! Where what was said of a dose is taken back or changed in the same breath: 一日兩次,唔係,講錯咗,係一日三次.

use std::ops::Range;

use super::super::utterance::Utterance;
use crate::terminology::{Found, Lexicon, TermKind};

/// How much of a range is read before and behind its marks; more marks than this are no dose.
const MOST_PARTS: usize = 6;

/// A piece of a range between its marks.
pub(super) struct Part {
    /// Its characters.
    pub range: Range<usize>,
    /// Whether a change leads to it: what was said before was so until now, and is not taken back.
    pub changed: bool,
}

/// A range cut at its corrections and changes, in order: what stands in a later part replaces what stands in an earlier one.
pub(super) fn parts(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>) -> Vec<Part> {
    let marks = utterance.within(range.clone()).iter().filter(|hit| {
        (is(hit, lexicon, TermKind::Corrected) && opens_clause(utterance, hit) && !looks_at_something(utterance, hit))
            || is(hit, lexicon, TermKind::ChangedTo) && from_now(utterance, lexicon, range.start, hit)
    });
    let mut parts = Vec::new();
    let mut start = range.start;
    let mut changed = false;
    for mark in marks.take(MOST_PARTS) {
        parts.push(Part { range: start..mark.start.max(start), changed });
        changed = is(mark, lexicon, TermKind::ChangedTo);
        start = if denies(utterance, mark) { utterance.clause(mark.start).range.end } else { mark.end }.max(start);
    }
    parts.push(Part { range: start..range.end.max(start), changed });
    parts
}

fn is(hit: &Found, lexicon: &Lexicon, kind: TermKind) -> bool {
    matches!(hit.meaning, crate::terminology::Meaning::Term(term) if lexicon.term_kind(term) == Some(kind))
}

/// 一個禮拜一次,唔係日日: what stands behind it in its clause is what it is not. 唔係,係一日三次 says so in the next.
fn denies(utterance: &Utterance, mark: &Found) -> bool {
    let clause = utterance.clause(mark.start).range;
    let rest = utterance.folded(mark.end..clause.end.max(mark.end));
    utterance.folded(mark.start..mark.end).starts_with(&['唔'])
        && !rest.iter().all(|c| matches!(c, ' ' | '呀' | '喎' | '啊' | '嘞' | '唔' | '系'))
}

/// 睇返腎功能: what is looked at, and no second thought of the dose, which 睇返 alone is.
fn looks_at_something(utterance: &Utterance, hit: &Found) -> bool {
    let looks = matches!(utterance.folded(hit.start..hit.end), ['睇' | '计', '返', ..]);
    looks && utterance.clause(hit.start).range.end > hit.end + 1
}

/// 唔係 is a correction where a clause begins with it, not within 如果唔係痛.
pub(super) fn opens_clause(utterance: &Utterance, hit: &Found) -> bool {
    let clause = utterance.clause(hit.start).range;
    // 四 mg 唔係 講錯: a pause before it opens one too.
    let pause = hit.start.checked_sub(1).and_then(|at| utterance.chars.get(at)) == Some(&' ')
        && hit.start.checked_sub(2).and_then(|at| utterance.chars.get(at)).is_some_and(char::is_ascii_alphanumeric);
    pause || utterance.folded(clause.start..hit.start).iter().all(|c| matches!(c, ' ' | '呀' | '啊' | '哎' | '咦'))
}

/// 開五 mg,兩個禮拜後加到十: what starts now is the first dose; so it is where the change hangs on something.
fn from_now(utterance: &Utterance, lexicon: &Lexicon, start: usize, hit: &Found) -> bool {
    let clause = utterance.clause(hit.start).range.start.max(start);
    let before = utterance.sentence(hit.start).start.max(start)..hit.start;
    let later = utterance.folded(clause..hit.start).iter().any(|c| matches!(c, '后' | '再'));
    !later && !utterance.has(lexicon, before, &[TermKind::Hypothetical, TermKind::Deferred, TermKind::After])
}

/// The end of what is said of a drug: a sentence that begins with a correction goes on with the one before it.
pub fn end_with_corrections(utterance: &Utterance, lexicon: &Lexicon, end: usize) -> usize {
    let (start, mut end) = (end, end);
    for clause in utterance
        .clauses()
        .iter()
        .skip(utterance.clause_index(end))
        .filter(|clause| clause.range.start > start)
        .take(2 * MOST_PARTS)
    {
        let first = utterance.terms(lexicon, clause.range.clone(), TermKind::Corrected).next();
        if utterance.sentence(clause.range.start).start == clause.range.start {
            let silent = clause.range.is_empty();
            if !silent && !first.is_some_and(|hit| opens_clause(utterance, hit)) {
                break;
            }
            if !silent {
                end = utterance.sentence(clause.range.start).end;
            }
        }
    }
    end
}
