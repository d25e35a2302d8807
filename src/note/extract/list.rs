//! Lists: A 同 B, A、B 同埋 C, `A, B and C`. What is said of one is said of all.

use std::ops::Range;

use super::utterance::Utterance;
use crate::terminology::Found;

/// Words that join the items of a list (folded), with spaces between.
const JOINTS: &str =
    "同 同埋 埋 和 及 以及 与 跟 或 或者 仲有 还有 另外 还有就系 仲有就系 and or plus also as well nor a an the my";
/// Marks between the items, and what may stand beside a joint without a meaning of its own.
const MARKS: &str = " 、,,;/+&()()-–呀啊嘅啰啦喇都";
/// Characters that by themselves say nothing in an answer (folded).
const EMPTY: &str = "呀啊哦噢嗯唉咦呢喎嘅㗎啩啰啦喇嘞咯吧都亦就又真系我你佢先医生好咁噉嗱有冇过到咗咩咩嘢话过食用对试以前";
/// What is taken without a name of its own: 血壓藥, 薄血丸.
const NAMELESS: [char; 5] = ['药', '丸', '水', '膏', '针'];

/// Whether nothing but joints stands in a range, besides what `told` covers and what ends as a remedy does.
#[must_use]
pub fn joins(utterance: &Utterance, range: Range<usize>, told: &[Range<usize>]) -> bool {
    let covered = |at: usize| told.iter().any(|span| span.contains(&at));
    rest(utterance, range, covered).iter().all(|word| is_joint(word) || word.ends_with(NAMELESS))
}

/// Whether a range begins with a joint: 仲有磺胺類.
#[must_use]
pub fn opens_with_joint(utterance: &Utterance, range: Range<usize>) -> bool {
    let words: String = utterance.folded(range).iter().collect();
    JOINTS.split(' ').filter(|joint| joint.len() > 1).any(|joint| words.trim_start().starts_with(joint))
}

/// Whether a range is made of forms of these meanings, numbers, and what joins them; at least one form.
#[must_use]
pub fn only_names(utterance: &Utterance, range: Range<usize>, named: impl Fn(&Found) -> bool) -> bool {
    let hits: Vec<&Found> = utterance.within(range.clone()).iter().filter(|hit| named(hit)).collect();
    let numbers = utterance.numbers_in(range.clone());
    let quantities = utterance.quantities_in(range.clone());
    let covered = |at: usize| {
        hits.iter().any(|hit| (hit.start..hit.end).contains(&at))
            || numbers.iter().any(|number| (number.start..number.end).contains(&at))
            || quantities.iter().any(|quantity| (quantity.start..quantity.end).contains(&at))
    };
    !hits.is_empty() && rest(utterance, range, covered).iter().all(|word| is_joint(word) || word.ends_with(NAMELESS))
}

/// The runs of a range that no form covers but what `known` leaves out, and that are neither joints nor particles.
#[must_use]
pub fn unknown(utterance: &Utterance, range: Range<usize>, known: impl Fn(&Found) -> bool) -> Vec<Range<usize>> {
    let mut free: Vec<bool> =
        utterance.folded(range.clone()).iter().map(|c| c.is_alphanumeric() && !EMPTY.contains(*c)).collect();
    let hits = utterance.within(range.clone()).iter().filter(|hit| known(hit)).map(|hit| hit.start..hit.end);
    let numbers = utterance.numbers_in(range.clone()).iter().map(|number| number.start..number.end);
    for covered in hits.chain(numbers) {
        let from = covered.start.saturating_sub(range.start);
        free.iter_mut().skip(from).take(covered.len()).for_each(|free| *free = false);
    }
    let mut runs: Vec<Range<usize>> = Vec::new();
    for at in free.iter().enumerate().filter(|(_, free)| **free).map(|(at, _)| at + range.start) {
        match runs.last_mut().filter(|run| run.end == at) {
            Some(run) => run.end = at + 1,
            None => runs.push(at..at + 1),
        }
    }
    runs.retain(|run| !is_joint(&utterance.folded(run.clone()).iter().collect::<String>()));
    runs
}

/// What a range says besides what is covered: runs without a mark, a space or something covered between.
fn rest(utterance: &Utterance, range: Range<usize>, covered: impl Fn(usize) -> bool) -> Vec<String> {
    let chars = utterance.folded(range.clone()).iter();
    let left: String = chars.zip(range).map(|(c, at)| if covered(at) || MARKS.contains(*c) { ' ' } else { *c }).collect();
    left.split_whitespace().map(str::to_owned).collect()
}

fn is_joint(word: &str) -> bool {
    JOINTS.split(' ').any(|joint| joint == word)
}
