//! What works as it should, told by its name: 聽嘢正常, 講嘢都清. What would be wrong with it is denied so.

use std::ops::Range;

use super::assertion::{Claim, Reading};
use super::dialogue::Event;
use super::mention::Mention;
use super::utterance::Utterance;
use crate::terminology::{Lexicon, TermKind};

/// What would be wrong (ICD-10), what is told of (folded), and how one says of it, besides [`WELL`], that it is well (folded).
const TOLD_OF: [(&str, &[&str], &[&str]); 11] = [
    ("H91.9", &["听嘢", "听力", "听觉", "听东西"], &["清楚", "清", "冇差"]),
    ("R47.1", &["讲嘢", "讲说话", "说话", "讲话", "口齿"], &["清楚", "清", "流利"]),
    ("R13", &["吞嘢", "吞东西", "吞食物", "吞口水"], &["顺"]),
    ("R06.0", &["呼吸", "唞气", "抖气", "气"], &["顺", "畅顺", "够"]),
    ("R63.4", &["体重", "磅数"], &["冇变", "冇轻", "冇跌", "冇减", "冇乜变", "稳定", "差唔多", "冇乜点变"]),
    ("H53.8", &["睇嘢", "视力", "看东西"], &["清楚", "清"]),
    ("R07.0", &["喉咙"], &[]),
    ("M54.2", &["条颈", "个颈"], &[]),
    ("R63.0", &["胃口", "食欲"], &["好", "唔错", "几好", "好好"]),
    ("R26.2", &["行路", "走路"], &["自如"]),
    ("E07.9", &["甲状腺"], &[]),
];
/// The first characters of what is told of (folded).
const FIRST: &str = "听讲说口吞呼唞抖个气体磅睇视看喉条胃食行走甲";
/// How one says that anything is well (folded).
const WELL: [&str; 6] = ["正常", "冇事", "冇问题", "ok", "冇异常", "冇影响"];
/// What may stand between the two (folded).
const BETWEEN: &str = " 都就亦又仲还一向而家今日全部好几样抽血验检查功能听落咗过两边";
/// How much may.
const GAP: usize = 6;
/// What is not said behind a word that says that something is well (folded): 正常咗.
const GOES_ON: &str = "唔咗啲吗未";
/// What a word of one character ends its clause with: 胃口好, and not 胃口好差.
const ENDS: &str = " 呀啊啦喇㗎嘅喎啰嘛";

/// The denials that such words are.
#[must_use]
pub fn events(utterances: &[Utterance], lexicon: &Lexicon) -> Vec<Event> {
    let mut events = Vec::new();
    for (index, utterance) in utterances.iter().enumerate() {
        for clause in utterance.clauses().iter().filter(|clause| !clause.asked && !clause.range.is_empty()) {
            let aside = [
                TermKind::Question,
                TermKind::Family,
                TermKind::Other,
                TermKind::Hypothetical,
                TermKind::Before,
                TermKind::History,
            ];
            // Most clauses name nothing of these.
            let named = utterance.folded(clause.range.clone()).iter().any(|c| FIRST.contains(*c));
            if !named || utterance.has(lexicon, clause.range.clone(), &aside) {
                continue;
            }
            let said: Vec<char> = utterance.folded(clause.range.clone()).to_vec();
            for (code, of, well) in TOLD_OF {
                let Some(told) = of.iter().find_map(|name| told_well(&said, name, well)) else { continue };
                let Some(condition) = lexicon.conditions.iter().position(|concept| concept.icd10 == code) else { continue };
                let (start, end) = (clause.range.start + told.start, clause.range.start + told.end);
                let mention = Mention { start, end, head: start, condition };
                let reading = Reading { claim: Claim::Absent, reason: "told to be well" };
                events.push(Event::named(index, mention, reading));
            }
        }
    }
    events
}

/// Where a clause names something and says behind it that it is well.
fn told_well(said: &[char], name: &str, well: &[&str]) -> Option<Range<usize>> {
    let name: Vec<char> = name.chars().collect();
    let start = said.windows(name.len()).position(|run| run == name)?;
    // 冷氣, 脾氣, 天氣: the breath alone opens its clause.
    if name.len() == 1 && start > 0 {
        return None;
    }
    let behind = start + name.len();
    let between = said.iter().skip(behind).take(GAP).take_while(|c| BETWEEN.contains(**c)).count();
    (behind..=behind + between).rev().find_map(|at| {
        let rest: String = said.iter().skip(at).collect();
        let word = WELL.iter().chain(well).filter(|word| rest.starts_with(**word)).max_by_key(|word| word.len())?;
        let end = at + word.chars().count();
        let next = said.get(end);
        let short = word.chars().count() == 1 || *word == "差唔多";
        let whole = next.is_none_or(|next| if short { ENDS.contains(*next) } else { !GOES_ON.contains(*next) });
        whole.then_some(start..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_begins_as_it_is_looked_for() {
        let names = TOLD_OF.iter().flat_map(|(_, names, _)| names.iter());
        assert!(names.into_iter().all(|name| FIRST.contains(name.chars().next().unwrap())));
    }

    #[test]
    fn what_is_well_and_what_is_not() {
        let told = |said: &str, name: &str, well: &[&str]| told_well(&said.chars().collect::<Vec<_>>(), name, well);
        assert_eq!(told("听嘢都正常", "听嘢", &[]), Some(0..5));
        assert_eq!(told("讲嘢都清", "讲嘢", &["清"]), Some(0..4));
        assert_eq!(told("体重冇变", "体重", &["冇变"]), Some(0..4));
        assert_eq!(told("讲嘢唔清楚", "讲嘢", &["清楚", "清"]), None);
        assert_eq!(told("胃口好差", "胃口", &["好"]), None);
        assert_eq!(told("胃口好呀", "胃口", &["好"]), Some(0..3));
        assert_eq!(told("体重正常咗", "体重", &[]), None);
    }
}
