//! How long something has lasted, told by itself: 咳咗幾耐? 兩個禮拜; 發燒三日,唔係,兩日咋.

use std::ops::Range;

use super::super::assertion::{Claim, Context, Reading};
use super::super::quantity::Quantity;
use super::super::utterance::{Speaker, Utterance};
use super::answers::words;
use super::sides::takes_back;
use super::{Event, Talk};
use crate::terminology::{Meaning, UnitKind};

/// What may stand beside a time that is a whole answer (folded); a verb of the complaint may as well.
const BESIDE: &str = "有成都大约概差唔多左右度到咁耐前先咋啫添上下已经经得嚟嗰系就应该零几第痛咳烧屙呕晕肿痕咗搞";
/// Such words in English.
const ENGLISH: [&str; 8] = ["about", "for", "around", "roughly", "orso", "now", "already", "ago"];
/// The longest such clause, in characters.
const LONGEST: usize = 18;
/// What asks how long (folded).
const HOW_LONG: [&str; 11] =
    ["几耐", "几多日", "几日", "几时开始", "几多个", "几时起", "多久", "几多年", "how long", "几天", "多少天"];
/// What asks it of something else than a complaint (folded).
const OF_ELSE: [&str; 14] = ["食", "停", "戒", "覆诊", "返嚟", "瞓", "训", "结婚", "做咗", "住", "开刀", "手术", "打", "用"];
/// The longest question that asks it without a name, in characters.
const QUESTION: usize = 12;

impl Talk<'_> {
    /// A clause that is a time and no more, where one was asked for or is put right.
    pub(super) fn how_long(&mut self, index: usize, number: usize, context: &Context<'_>) -> bool {
        let Some((time, said)) = alone(context, number) else { return false };
        let corrects = number.checked_sub(1).is_some_and(|before| takes_back(context.utterance, before));
        let asked = index.checked_sub(1).and_then(|before| self.utterances.get(before)).filter(|_| number <= 1 && !corrects);
        let asked = asked.filter(|question| asks(question) && question.speaker != Speaker::Patient);
        let event = match asked {
            Some(question) => self.asked_how_long(index, question),
            None if corrects => self.told(index).filter(|event| event.utterance + 1 >= index),
            None => None,
        };
        let Some(event) = event else { return false };
        self.events.push(Event { answer: Some((index, said.start, said.end)), time: Some(time), ..event });
        true
    }

    /// What is there by the last word on it, of this turn or the two before.
    fn told(&self, index: usize) -> Option<Event> {
        let last = self.events.last().copied()?;
        let there = matches!(last.claim, Claim::Present { .. } | Claim::Possible);
        (there && (last.utterance + 2 >= index || last.answer.is_some_and(|(place, ..)| place + 2 >= index))).then_some(last)
    }

    /// What a turn asks the length of: what it names, or what was told just before.
    fn asked_how_long(&mut self, index: usize, question: &Utterance) -> Option<Event> {
        let there = Reading { claim: Claim::Present { explicit: true }, reason: "answered: so long" };
        // 有冇頭痛?痛咗幾耐? and not 痛咗幾耐?有冇跌親?
        let said: String = question.folded(0..question.chars.len()).iter().collect();
        let last = HOW_LONG.iter().filter_map(|words| said.rfind(words)).max().unwrap_or_default();
        let place = said.get(..last).map_or(0, |before| before.chars().count());
        let open =
            self.pending.pop_if(|pending| !pending.family && pending.utterance + 1 == index && pending.mention.start < place);
        if let Some(pending) = open {
            return Some(Event::named(pending.utterance, pending.mention, there));
        }
        let said: String = question.folded(0..question.chars.len()).iter().filter(|c| c.is_alphanumeric()).collect();
        let drug = question.found.iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)));
        let bare = said.chars().count() <= QUESTION && !drug && !OF_ELSE.iter().any(|verb| said.contains(verb));
        let last = self.told(index)?;
        let named = last.utterance + 1 == index;
        (named && !drug || bare).then_some(last)
    }
}

/// The words of a clause that tells a time and no more.
fn alone(context: &Context<'_>, number: usize) -> Option<(Quantity, Range<usize>)> {
    let utterance = context.utterance;
    let clause = utterance.clauses().get(number).filter(|clause| clause.range.len() <= LONGEST && !clause.asked)?;
    let [time] = utterance.quantities_in(clause.range.clone()) else { return None };
    let rest = words(utterance, &(clause.range.start..time.start)) + " " + &words(utterance, &(time.end..clause.range.end));
    let beside = |word: &str| ENGLISH.contains(&word) || word.chars().all(|c| BESIDE.contains(c));
    let light = rest.split_whitespace().all(beside);
    (time.kind == UnitKind::Time && light).then_some((*time, time.start..time.end))
}

/// Whether a turn asks how long.
fn asks(question: &Utterance) -> bool {
    let from = question.chars.len().saturating_sub(2 * LONGEST);
    let said: String = question.folded(from..question.chars.len()).iter().collect();
    HOW_LONG.iter().any(|how_long| said.contains(how_long))
}
