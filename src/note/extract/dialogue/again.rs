//! A question that is asked again of the patient: 你太太有冇糖尿? 冇. 咁你呢?

use super::super::assertion::Context;
use super::super::utterance::Speaker;
use super::answers::words;
use super::{Pending, Talk};

/// What asks it (folded).
const AND_YOU: [&str; 10] =
    ["咁你", "你", "你自己", "咁你自己", "你自己有冇", "你有冇", "咁你有冇", "咁你自己有冇", "and you", "what about you"];
/// How many turns back the question may be.
const TURNS: usize = 3;

impl Talk<'_> {
    /// Asks the patient what a relative was asked for last.
    pub(super) fn asked_again(&mut self, index: usize, number: usize, context: &Context<'_>) -> bool {
        let Some(clause) = context.utterance.clauses().get(number) else { return false };
        let asks = clause.asked || context.utterance.folded(clause.range.clone()).ends_with(&['呢']);
        let said = words(context.utterance, &clause.range);
        if !asks || context.utterance.speaker == Speaker::Patient || !AND_YOU.contains(&said.as_str()) {
            return false;
        }
        let Some(last) = self.of_relative.filter(|last| last.asked + TURNS >= index) else { return false };
        self.pending.clear();
        self.ask(Pending { asked: index, clause: number, family: false, ..last });
        true
    }
}
