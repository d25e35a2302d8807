//! Rule 4: what is denied before, in and behind a name.

use std::ops::Range;

use super::subject::Subject;
use super::{Context, Mention};
use crate::terminology::TermKind;

/// Names of what somebody does not do (folded).
const DENYING_WORDS: [&str; 4] = ["nonsmoker", "唔烟唔酒", "不烟不酒", "烟酒不沾"];
/// What denies a name as all that its clause says behind it (folded).
const NOT_FELT: [&str; 8] = ["唔觉", "就唔觉", "都唔觉", "就唔觉有", "就唔", "就唔会", "未试过", "就未试过"];

impl Context<'_> {
    /// The rule that denies a mention.
    pub(super) fn denied(&self, mention: &Mention) -> Option<&'static str> {
        let (before, clause) = (self.before(mention), self.clause(mention));
        if let Some(cue) = self.scope(&before, mention, &[TermKind::Negation, TermKind::NotSo]) {
            // 冇食藥 denies the taking; 冇停過 likewise: a drug word between takes the denial.
            let taken = self.has(cue.end..mention.start.max(cue.end), &[TermKind::DrugActive, TermKind::Resolved]);
            return (!taken).then_some("denied before it");
        }
        if self.adjoins_denial(mention) {
            return Some("denied at its first word");
        }
        let near = mention.head.saturating_sub(4).max(clause.start)..mention.head;
        // 而家冇燒: the word for what is over ends in the denial.
        let mut over = self.utterance.terms(self.lexicon, near.clone(), TermKind::Resolved);
        if over.any(|cue| cue.end == mention.head && self.utterance.folded(cue.start..cue.end).ends_with(&['冇'])) {
            return Some("denied next to it");
        }
        if self.utterance.terms(self.lexicon, near, TermKind::NegationNear).any(|cue| mention.head - cue.end <= 1) {
            return Some("denied next to it");
        }
        self.denied_after(mention, &clause)
    }

    /// 唔食煙, 冇發作: the denial is part of a longer form (唔食) that reaches into the mention. Non-smoker, 唔煙唔酒: it is
    /// part of the word.
    fn adjoins_denial(&self, mention: &Mention) -> bool {
        let said = |range: Range<usize>| self.utterance.folded(range).iter().collect::<String>();
        let lead = said(mention.start.saturating_sub(5)..mention.start);
        let not = lead.strip_suffix(['-', ' ']).and_then(|lead| lead.strip_suffix("non"));
        let within = said(mention.start..mention.end);
        if not.is_some_and(|before| !before.ends_with(|c: char| c.is_ascii_alphabetic()))
            || DENYING_WORDS.iter().any(|word| within == *word)
        {
            return true;
        }
        let Some(before) = mention.start.checked_sub(1) else { return false };
        matches!(self.utterance.chars.get(before), Some('唔' | '冇'))
            && self.utterance.within(before..before + 1).iter().any(|hit| hit.end > mention.start && hit.start == before)
    }

    fn denied_after(&self, mention: &Mention, clause: &Range<usize>) -> Option<&'static str> {
        let after = mention.end..clause.end;
        let next_name = self.next_after(mention).map_or(clause.end, |other| other.start);
        let own = mention.end..next_name.min(clause.end);
        if self.has(own.start..own.end.min(own.start + 8), &[TermKind::NegativeResult]) {
            return Some("a negative result");
        }
        // 暈就唔覺, 扭親就冇.
        let behind: String = self.utterance.folded(own.clone()).iter().filter(|c| !" 呀啦喇㗎嘅".contains(**c)).collect();
        if next_name >= clause.end && NOT_FELT.contains(&behind.as_str()) {
            return Some("denied behind it");
        }
        let ends = [TermKind::Negation, TermKind::NotSo];
        let last = ends
            .iter()
            .filter_map(|kind| self.utterance.terms(self.lexicon, after.clone(), *kind).last())
            .max_by_key(|cue| cue.end)?;
        let at_end = clause.end.saturating_sub(last.end) <= 1;
        // 爸爸有糖尿我沒有: somebody else has it not.
        let other = self.subject(mention) == Subject::Family
            && matches!(self.utterance.folded(last.start.saturating_sub(1)..last.start), ['我' | '己']);
        (at_end && !other && self.utterance.between(mention.end, last.start) <= 6).then_some("denied behind it")
    }
}
