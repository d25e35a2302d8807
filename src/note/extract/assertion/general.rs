//! Rule 1: what is said of a disease in general, or of the many who have it, and what was written down by mistake.

use std::ops::Range;

use super::{Context, Mention, Speaker};
use crate::terminology::TermKind;

/// How far before a name it is told of whom, and how far behind it.
const REACH: usize = 24;
/// What shows that a clinician explains a disease (folded): between the sentence's start and a little behind the name.
const EXPLAINS: [&str; 11] =
    ["一般", "通常会", "通常系", "通常冇", "通常有", "好多时会", "好多时冇", "好多时夜晚", "嘅人", "病人通常", "同伤风唔同"];
/// The same right behind the name alone (folded).
const LOOKS: [&str; 2] = ["个样系", "啲疹系"];
/// What sets the patient against it, behind the name (folded).
const SET_AGAINST: [&str; 9] =
    ["你呢啲", "你呢块", "你呢个唔", "你面色", "讲你知", "同你唔同", "通街都系", "你一样都冇", "你冇呢"];
/// What may befall somebody (folded), before the name.
const MAY: [&str; 10] =
    ["风险包括", "并发症包括", "副作用包括", "风险有", "并发症有", "副作用有", "第日", "分分钟", "迟早会", "嘅话,系有机会"];
/// What a policy or a service is named by (folded), before the name.
const POLICIES: [&str; 4] = ["保险", "保单", "危疾", "医保"];
/// How a slip in a record is told of (folded), behind the name.
const MISTAKES: [&str; 11] =
    ["系写错", "系错", "系入错", "input错", "第二个同名", "其实系第二个", "其实系隔", "我删返", "捞乱咗", "捞错咗", "重抽正常"];

impl Context<'_> {
    /// 糖尿病人通常會多尿,你呢啲一樣都冇; 風險包括肺栓塞; 買份保險包癌症.
    pub(super) fn in_general(&self, mention: &Mention, sentence: &Range<usize>) -> Option<&'static str> {
        let said = |range: Range<usize>| -> String {
            self.utterance.folded(range.start..range.end.max(range.start)).iter().filter(|c| **c != ' ').collect()
        };
        let lead = said(sentence.start.max(self.utterance.back(mention.start, REACH))..mention.start);
        let behind = said(mention.end..sentence.end.min(self.utterance.ahead(mention.end, REACH)));
        if MAY.iter().any(|may| lead.contains(may)) && self.utterance.speaker != Speaker::Patient {
            return Some("what may befall");
        }
        let covered = POLICIES
            .iter()
            .any(|policy| lead.split_once(policy).is_some_and(|(_, rest)| rest.contains('包') && !rest.contains('我')));
        if covered && self.utterance.speaker != Speaker::Doctor {
            return Some("what a policy covers");
        }
        // 呢隻濕疹通常會痕: of the one that is there.
        let of_somebody = lead.contains(['你', '我', '佢', '呢', '今']);
        // 一般夜晚咳, says somebody of themselves; 一般幾時痛? asks.
        let own = self.clause(mention);
        let asks = self.utterance.clauses().get(self.utterance.clause_index(mention.head)).is_some_and(|clause| clause.asked)
            || self.has(own, &[TermKind::Question, TermKind::QuestionEnd, TermKind::OpenQuestion]);
        if self.utterance.speaker != Speaker::Doctor || of_somebody || asks {
            return None;
        }
        let near: String = behind.chars().take(6).collect();
        let explains = EXPLAINS.iter().any(|word| lead.contains(word) || near.contains(word));
        let explains = explains || LOOKS.iter().any(|word| near.starts_with(word));
        let set_against = SET_AGAINST.iter().any(|word| behind.contains(word));
        // 糖尿通常三個月覆診: of somebody who has it, unless the sentence goes on of the disease.
        (set_against || explains && !behind.contains(['你', '我'])).then_some("said of a disease in general")
    }

    /// 電腦彈咗 COPD 出嚟,係 input 錯: what stood in a record and is not so.
    pub(super) fn written_by_mistake(&self, mention: &Mention, sentence: &Range<usize>) -> bool {
        let behind: String = self
            .utterance
            .folded(mention.end..sentence.end.min(self.utterance.ahead(mention.end, REACH)).max(mention.end))
            .iter()
            .filter(|c| **c != ' ')
            .collect();
        MISTAKES.iter().any(|mistake| behind.contains(mistake))
    }
}
