//! Where a course ends, where a drug is taken again, and where one is not given or gives way to another.

use std::ops::Range;

use super::super::utterance::{Speaker, Utterance};
use super::done::{FORBIDDEN, INTENDED, PARTICLES};
use crate::terminology::{Found, Lexicon, Meaning, TermKind, UnitKind};

/// How far before a stop the course may begin that it ends.
const COURSE: usize = 40;
/// What may stand between the last step of a course and its end (folded).
const THEN: [&str; 6] = ["跟住", "跟住就", "之后", "然后", "之后就", "then"];
/// That what was stopped is taken again (folded, without spaces).
pub(super) const AGAIN: [&str; 14] = [
    "食返",
    "食番",
    "用返",
    "打返",
    "搽返",
    "滴返",
    "喷返",
    "开返",
    "重新",
    "恢复",
    "resume",
    "restart",
    "startagain",
    "start返",
];
/// How much may stand before a drug with 唔好: 咁都係唔好 X.
const NO_MORE: usize = 6;
/// That a drug is not given (folded).
const NOT_GIVEN: [&str; 5] = ["唔好", "唔得", "食唔得", "唔食得", "用唔得"];

/// 10 mg 三日停, 食七日,跟住停: behind how long it is taken, the stop is the end of its course and no stop of today.
pub(super) fn ends_its_course(utterance: &Utterance, stop: &Found) -> bool {
    let words = utterance.folded(stop.start..utterance.chars.len().min(stop.end + 1));
    let sentence = utterance.sentence(stop.start).start.max(utterance.back(stop.start, COURSE));
    let told = sentence..stop.start;
    if !matches!(words.first(), Some('停' | 's'))
        || words.iter().any(|c| matches!(c, '咗' | '了'))
        || utterance.folded(told.clone()).contains(&'咗')
    {
        return false;
    }
    let clause = utterance.clause(stop.start).range.start;
    let lead: String = utterance.folded(clause.max(sentence)..stop.start).iter().filter(|c| **c != ' ').collect();
    let follows = THEN.iter().any(|then| lead.ends_with(then));
    let mut lasting = utterance.quantities_in(told.clone()).iter().filter(|one| one.kind == UnitKind::Time && one.value >= 1.0);
    let dosed = utterance.quantities_in(told).iter().any(|one| one.kind == UnitKind::Dose);
    let last = lasting.next_back().filter(|time| !matches!(utterance.chars.get(time.end), Some('前' | '后')));
    last.is_some_and(|time| dosed && (time.end + 1 >= stop.start || follows))
}

/// 要食返 X, 重新開始 X, resume X: taken again from now on, by the doctor's word.
pub(super) fn resumed(utterance: &Utterance, lexicon: &Lexicon, drug: usize) -> bool {
    let from = utterance.sentence(drug).start.max(utterance.back(drug, INTENDED));
    let words: String = utterance.folded(from..drug).iter().filter(|c| **c != ' ').collect();
    let no = [TermKind::Negation, TermKind::NegationNear, TermKind::NoNeed, TermKind::DrugWithheld, TermKind::Hypothetical];
    utterance.speaker != Speaker::Patient
        && AGAIN.iter().any(|again| words.contains(again))
        && !words.contains("唔好")
        && !utterance.clause(drug).asked
        && !utterance.has(lexicon, from..drug, &no)
        && !utterance.within(from..drug).iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)))
}

/// 唔好 X, X 唔好, X 都係唔好喇: the clause says no more of it.
pub(super) fn not_given(utterance: &Utterance, ahead: Range<usize>, behind: Range<usize>) -> bool {
    let words = |range: Range<usize>| utterance.folded(range).iter().filter(|c| **c != ' ').collect::<String>();
    let (before, rest) = (words(ahead), words(behind));
    let rest = rest.trim_end_matches(|c| PARTICLES.contains(c)).trim_start_matches(['都', '系', '就']);
    let told = utterance.speaker != Speaker::Patient;
    NOT_GIVEN.contains(&rest) || told && rest.is_empty() && before.ends_with("唔好") && before.chars().count() <= NO_MORE
}

/// X 都換,轉 Y: the clause ends with the change, and the next one begins with what takes its place.
pub(super) fn changed_for(utterance: &Utterance, clause: Range<usize>, behind: usize) -> bool {
    let words: String = utterance.folded(behind..clause.end.max(behind)).iter().filter(|c| **c != ' ').collect();
    let words = words.trim_end_matches(['咗', '佢', '走', '埋', '啦', '喇']);
    let changed = words.strip_suffix(['换', '转']).is_some_and(|lead| matches!(lead, "都" | "要" | "就" | "都要"));
    let next = utterance.folded(clause.end + 1..clause.end + 2);
    let begins = matches!(next, ['转' | '换' | '改' | '用']);
    let given = utterance.within(clause.end + 1..clause.end + 6).iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)));
    changed && begins && given && utterance.speaker != Speaker::Patient
}

/// Whether a word stands right behind the name of a drug.
pub(super) fn right_behind_a_drug(utterance: &Utterance, word: &Found) -> bool {
    let before = utterance.within(word.start.saturating_sub(FORBIDDEN)..word.start);
    before.iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)) && hit.end == word.start)
}
