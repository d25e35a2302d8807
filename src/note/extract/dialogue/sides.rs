//! A side said wrong and put right: 右膝頭痛,唔係,係左邊; and a side as an answer: 邊隻? 左隻.

use std::ops::Range;

use super::super::assertion::{Claim, Context, Reading};
use super::super::side::{SIDES, begins};
use super::super::utterance::{Speaker, Utterance};
use super::answers::words;
use super::{Event, Talk};
use crate::note::Laterality;

/// What takes back what was just said (folded).
const WRONG: [&str; 12] =
    ["唔系", "唔系唔系", "讲错", "讲错咗", "错咗", "唔啱", "等阵", "等等", "sorry", "no", "no sorry", "sorry no"];
/// The longest of these clauses, and how far into the next one its side may stand.
const LONGEST: usize = 12;
/// What may lead from there to the side (folded).
const IS: [&str; 8] = ["应该系", "其实系", "即系", "系", "i mean", "it's", "its", "the"];

/// What hesitates before that (folded).
const HESITATION: [&str; 7] = ["er", "uh", "um", "eh", "oh", "ah", "呃"];
/// What stands beside a side that is a whole answer, without a meaning of its own (folded).
const BESIDE: &str = "只手边脚嗰呢个面度系喺就都多啲先啱痛得侧";
/// The longest such answer, in characters, and the longest question that asks for it alone.
const ANSWER: usize = 8;
const QUESTION: usize = 10;
/// What asks which side (folded).
const WHICH: [&str; 9] = ["边只", "边边", "边一边", "边面", "边侧", "左定右", "左边定右边", "which side", "which one"];

/// Whether a clause does nothing but take back what was said before it.
pub fn takes_back(utterance: &Utterance, number: usize) -> bool {
    let short = utterance.clauses().get(number).filter(|clause| clause.range.len() <= LONGEST);
    short.is_some_and(|clause| {
        let words = words(utterance, &clause.range);
        let said = HESITATION.iter().find_map(|sound| words.strip_prefix(sound)).unwrap_or(&words);
        WRONG.contains(&said)
    })
}

/// The side that a clause, or the one behind it, puts in the place of one said before, and its words.
pub(super) fn corrected(context: &Context<'_>, number: usize) -> Option<(Laterality, Range<usize>)> {
    let clauses = context.utterance.clauses();
    let this = clauses.get(number)?.range.clone();
    if takes_back(context.utterance, number) {
        return side(context, clauses.get(number + 1)?.range.clone());
    }
    // 唔係右邊,左邊先啱: one side denied, and the other said.
    let denied = words(context.utterance, &this);
    let denied = denied.strip_prefix("唔系").or_else(|| denied.strip_prefix("不是")).is_some_and(|rest| !rest.is_empty());
    if denied && this.len() <= LONGEST && side(context, this.start + 2..this.end).is_some() {
        let said = clauses.get(number + 1).and_then(|next| side(context, next.range.clone()));
        if said.is_some() {
            return said;
        }
    }
    // 唔係係左邊: without a pause.
    let lead: String = context.utterance.folded(this.start..this.start + 3).iter().collect();
    if lead == "唔系系" { side(context, this.start + 2..this.end) } else { None }
}

/// The side that these words begin with.
fn side(context: &Context<'_>, range: Range<usize>) -> Option<(Laterality, Range<usize>)> {
    let range = range.start..range.end.min(range.start + LONGEST);
    let first = SIDES
        .into_iter()
        .filter_map(|(kind, side)| {
            context.utterance.terms(context.lexicon, range.clone(), kind).next().map(|hit| (hit.start, hit.end, side))
        })
        .min_by_key(|(start, ..)| *start);
    let (start, end, side) = first?;
    let lead = words(context.utterance, &(range.start..start));
    (lead.is_empty() || IS.contains(&lead.as_str())).then_some((side, start..end))
}

/// A clause that says a side and no more, and the side's words.
fn alone(context: &Context<'_>, number: usize) -> Option<(Laterality, Range<usize>)> {
    let clause = context.utterance.clauses().get(number).filter(|clause| clause.range.len() <= ANSWER && !clause.asked)?;
    let hits = SIDES.into_iter().filter_map(|(kind, side)| {
        let hit = context.utterance.terms(context.lexicon, clause.range.clone(), kind).next()?;
        Some((side, hit.start..hit.end))
    });
    // 右眼 is a name of its own in the tables.
    let within = context.utterance.within(clause.range.clone()).iter();
    let named = within.filter_map(|hit| Some((begins(context.utterance, hit)?, hit.start..hit.end)));
    let (side, said) = hits.chain(named).min_by_key(|(_, said)| said.start)?;
    let rest =
        words(context.utterance, &(clause.range.start..said.start)) + &words(context.utterance, &(said.end..clause.range.end));
    rest.chars().all(|c| BESIDE.contains(c)).then_some((side, said))
}

impl Talk<'_> {
    /// 右膝頭痛. 唔係,係左邊: the complaint stays and its side is another. Nothing is denied.
    pub(super) fn other_side(&mut self, index: usize, number: usize, context: &Context<'_>) -> bool {
        let Some((side, said)) = corrected(context, number) else { return false };
        let end = context.utterance.clause(said.start).range.end;
        // 唔係,左膝痛 names it again.
        if context.mentions.iter().any(|mention| (said.start..end).contains(&mention.head)) {
            self.pending.retain(|pending| pending.asked + 1 != index);
            return true;
        }
        let recent = |event: &&Event| {
            event.sided && event.utterance + 2 >= index && matches!(event.claim, Claim::Present { .. } | Claim::Possible)
        };
        let last = self.events.iter().rev().find(recent).copied();
        let there = Reading { claim: Claim::Present { explicit: true }, reason: "answered: on the other side" };
        let asked = self
            .pending
            .pop_if(|pending| pending.sided && number == 0)
            .map(|pending| Event::named(pending.utterance, pending.mention, there));
        let Some(event) = asked.or(last) else { return false };
        self.events.push(Event { answer: Some((index, said.start, said.end)), side: Some(side), ..event });
        true
    }

    /// 膝頭痛? 邊隻? 左隻: a side by itself answers what is open, or what was just told without one.
    pub(super) fn which_side(&mut self, index: usize, number: usize, context: &Context<'_>) -> bool {
        let Some((side, said)) = alone(context, number) else { return false };
        let there = Reading { claim: Claim::Present { explicit: true }, reason: "answered: on that side" };
        let open = self.pending.pop_if(|pending| !pending.family && number == 0 && pending.asked < index);
        let asked = open.map(|pending| Event::named(pending.utterance, pending.mention, there));
        let which = index.checked_sub(1).and_then(|before| self.utterances.get(before)).is_some_and(asks_which);
        let here = |event: &Event| event.utterance == index && !event.sided && event.side.is_none();
        let told = |event: &&Event| {
            let near =
                number == 0 && which && event.utterance + 2 >= index && event.utterance < index || number > 0 && here(event);
            near && matches!(event.claim, Claim::Present { .. } | Claim::Possible)
        };
        let Some(event) = asked.or_else(|| self.events.last().filter(told).copied()) else { return false };
        self.events.push(Event { answer: Some((index, said.start, said.end)), side: Some(side), ..event });
        true
    }
}

/// Whether a turn asks on which side it is, and not of something else: 邊隻手打針?
fn asks_which(utterance: &Utterance) -> bool {
    let said: String = utterance.folded(0..utterance.chars.len().min(2 * QUESTION)).iter().collect();
    let short = said.chars().filter(|c| c.is_alphanumeric()).count() <= QUESTION;
    let done = said.contains(['打', '抽', '照', '针', '验', '量', '度']);
    short && !done && utterance.speaker != Speaker::Patient && WHICH.iter().any(|which| said.contains(which))
}
