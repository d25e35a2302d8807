//! Rule 4: what is denied before, in and behind a name.

use std::ops::Range;

use super::subject::Subject;
use super::{Context, Mention};
use crate::note::extract::dialogue::takes_back;
use crate::terminology::{Found, Meaning, TermKind};

/// What a sentence ends with and means nothing here (folded).
const PARTICLES: &str = " 呀啊啦喇㗎嘅喎啰咯嘞吖呢";
/// Names of what somebody does not do (folded).
const DENYING_WORDS: [&str; 10] =
    ["nonsmoker", "唔烟唔酒", "烟酒唔沾", "烟唔食", "烟就唔食", "烟都唔食", "烟我唔食", "烟我就唔食", "烟冇食", "烟就冇食"];
/// What leads to what was looked for and is not there (folded): 聽唔到喘鳴.
pub(super) const NOT_FOUND: [&str; 8] = ["听唔到", "见唔到", "摸唔到", "睇唔到", "影唔到", "照唔到", "搵唔到", "查唔到"];
/// What denies a name as all that its clause says behind it (folded).
const NOT_FELT: [&str; 8] = ["唔觉", "就唔觉", "都唔觉", "就唔觉有", "就唔", "就唔会", "未试过", "就未试过"];

/// What denies something of what is named before it (folded), and how much is said with it.
const AS_FOR: [&str; 3] = ["就冇", "就无", "就没有"];
const DENIED_OF: usize = 6;
/// What swabs and blood are tested for (ICD-10).
const TESTED: [&str; 6] = ["A", "B", "J09", "J10", "J11", "U07"];
/// How far behind a name it is told that it was measured, and that it is ruled out.
const MEASURED: usize = 12;
const RULED_OUT: usize = 36;
/// The most names that one result is of.
const LISTED: usize = 6;
/// How far behind a name its result may stand: 乙肝 HBsAg neg.
const RESULT: usize = 11;

impl Context<'_> {
    /// The rule that denies a mention.
    pub(super) fn denied(&self, mention: &Mention) -> Option<&'static str> {
        let (before, clause) = (self.before(mention), self.clause(mention));
        if let Some(cue) = self.scope(&before, mention, &[TermKind::Negation, TermKind::NotSo]) {
            // 冇食藥 denies the taking; 冇停過 likewise: a drug word between takes the denial.
            let taken = self.has(cue.end..mention.start.max(cue.end), &[TermKind::DrugActive, TermKind::Resolved]);
            // 唔係,左膝痛: what was said before is taken back, not what comes. 唔係扁桃腺炎,普通傷風: what it is instead.
            let clause_of = |at: usize| self.utterance.clause_index(at);
            let apart = clause_of(cue.start) != clause_of(mention.start);
            let not_so = matches!(cue.meaning, Meaning::Term(term) if self.lexicon.term_kind(term) == Some(TermKind::NotSo));
            let instead = not_so && self.utterance.folded(cue.start..cue.end).ends_with(&['系']);
            // 冇停過,痕到…: what is denied there is something else.
            let elsewhere = apart && !self.lists_under(&cue);
            let corrects = elsewhere || apart && (instead || takes_back(self.utterance, clause_of(cue.start)));
            if !(corrects || not_so && self.between_sides(&cue)) {
                return (!taken).then_some("denied before it");
            }
        }
        let negation =
            |hit: &&Found| matches!(hit.meaning, Meaning::Term(term) if self.lexicon.term_kind(term) == Some(TermKind::Negation));
        if self.utterance.within(mention.end..mention.end + 1).iter().any(|hit| negation(&hit))
            && self.asked_before.contains(&mention.condition)
            && !self.said_to_be_there(mention)
        {
            return Some("asked for and denied behind its name");
        }
        // 瘦…冇喎: who hesitates goes on.
        if self.utterance.chars.get(clause.end) == Some(&'…') && mention.end + 1 >= clause.end {
            let next = self.utterance.clause(clause.end + 1).range;
            let said: String = self.utterance.folded(next).iter().filter(|c| !PARTICLES.contains(**c)).collect();
            if ["冇", "冇有", "又冇", "都冇", "就冇", "唔系"].contains(&said.as_str()) {
                return Some("denied behind it");
            }
        }
        if self.adjoins_denial(mention) {
            return Some("denied at its first word");
        }
        let sought: String = self.utterance.folded(mention.start.saturating_sub(3)..mention.start).iter().collect();
        if NOT_FOUND.contains(&sought.as_str()) {
            return Some("looked for and not found");
        }
        let near = mention.head.saturating_sub(4).max(clause.start)..mention.head;
        // 而家冇燒: the word for what is over ends in the denial.
        let mut over = self.utterance.terms(self.lexicon, near.clone(), TermKind::Resolved);
        let touches = |end: usize| self.utterance.folded(end..mention.head).iter().all(|c| *c == ' ');
        if over.any(|cue| touches(cue.end) && self.utterance.folded(cue.start..cue.end).ends_with(&['冇'])) {
            return Some("denied next to it");
        }
        if self.utterance.terms(self.lexicon, near, TermKind::NegationNear).any(|cue| mention.head - cue.end <= 1) {
            return Some("denied next to it");
        }
        self.denied_after(mention, &clause)
    }

    /// 右邊不是左邊大髀痛: of the side, and not of what hurts there.
    fn between_sides(&self, cue: &Found) -> bool {
        let side = |range: Range<usize>| self.has(range, &[TermKind::Left, TermKind::Right]);
        side(cue.start.saturating_sub(2)..cue.start) && side(cue.end..cue.end + 2)
    }

    /// 有流鼻水冇發燒: the 有 before a name says that it is there, and what stands behind it denies the next.
    pub(super) fn said_to_be_there(&self, mention: &Mention) -> bool {
        let lead = self.utterance.folded(mention.start.saturating_sub(2)..mention.start);
        // 以前有流鼻水冇喇而家.
        let over = matches!(self.utterance.folded(mention.end..mention.end + 2), ['冇', '喇' | '啦' | '咗' | '嘞' | '晒' | '返']);
        !over && matches!(lead, [.., '有']) && !matches!(lead, ['冇' | '没' | '唔' | '未', '有'])
    }

    /// 懷疑心肌梗塞,troponin 正常,已經排除咗; 肺癆可以剔走: of the one disease that the sentence names.
    fn ruled_out_behind(&self, mention: &Mention) -> bool {
        let sentence = self.utterance.sentence(mention.head);
        let until = self.next_after(mention).map_or(sentence.end, |next| next.start).min(sentence.end);
        let behind: String = self
            .utterance
            .folded(mention.end..until.min(self.utterance.ahead(mention.end, RULED_OUT)).max(mention.end))
            .iter()
            .collect();
        let disease = self.concept(mention).is_some_and(|concept| !concept.symptom);
        disease
            && ["排除咗", "已经排除", "可以撇除", "撇除咗", "可以剔走", "剔走得", "可以排除"]
                .iter()
                .any(|word| behind.contains(word))
            && !["未排除", "排除咗先"].iter().any(|not| behind.contains(not))
    }

    /// 甲流、乙流同新冠都係陰性: names joined, and behind the last the result of all.
    fn listed_as_negative(&self, mention: &Mention) -> bool {
        // 你有糖尿同乙肝,HIV 陰性: of what one is tested for, and no comma between.
        let tested = self.concept(mention).is_some_and(|concept| TESTED.iter().any(|code| concept.icd10.starts_with(code)));
        if !tested {
            return false;
        }
        let from = self.mentions.partition_point(|other| other.start < mention.end);
        let mut end = mention.end;
        for next in self.mentions.get(from..).unwrap_or_default().iter().take(LISTED) {
            // 甲流陽性,新冠陰性: each has its own.
            if self.utterance.folded(mention.start..end).ends_with(&['阳', '性']) {
                break;
            }
            let joins = self.utterance.folded(end..next.start.max(end)).iter().all(|c| "、同埋和及 或".contains(*c));
            if next.start < end || next.start - end > 3 || !joins || next.start == end {
                break;
            }
            end = next.end;
            let behind = end..self.utterance.chars.len().min(end + RESULT);
            let result = self.utterance.terms(self.lexicon, behind, TermKind::NegativeResult).next();
            if result.is_some_and(|hit| self.utterance.folded(end..hit.start).iter().all(|c| "都系全部两三样亦嘅 ".contains(*c)))
            {
                return true;
            }
        }
        false
    }

    /// Whether the clause of a denial goes on with a name, or with nothing: 冇咳,發燒.
    fn lists_under(&self, cue: &Found) -> bool {
        let rest = cue.end..self.utterance.clause(cue.start).range.end.max(cue.end);
        let named = self.utterance.within(rest.start.saturating_sub(2)..rest.end).iter().any(|hit| match hit.meaning {
            Meaning::Class(class) => self.lexicon.is_site(class) && hit.end > cue.end,
            Meaning::Condition(_) | Meaning::Allergen(_) | Meaning::Drug(_) => hit.end > cue.end,
            _ => false,
        });
        named
            || self
                .utterance
                .folded(rest)
                .iter()
                .all(|c| PARTICLES.contains(*c) || c.is_ascii() || "晒有试过任何乜咩嘢".contains(*c))
    }

    /// 唔食煙, 冇發作: the denial is part of a longer form (唔食) that reaches into the mention. Non-smoker, 唔煙唔酒: it is
    /// part of the word.
    fn adjoins_denial(&self, mention: &Mention) -> bool {
        let said = |range: Range<usize>| self.utterance.folded(range).iter().collect::<String>();
        let lead = said(mention.start.saturating_sub(5)..mention.start);
        let not = lead.strip_suffix(['-', ' ']).and_then(|lead| lead.strip_suffix("non"));
        let within = said(mention.start..mention.end);
        if not.is_some_and(|before| !before.ends_with(|c: char| c.is_ascii_alphabetic()))
            || (DENYING_WORDS.iter().any(|word| within == *word) || ["从嚟唔", "从嚟冇", "唔掂", "从未"].iter().any(|never| within.contains(never)))
                // 煙唔食得太多.
                && !matches!(self.utterance.chars.get(mention.end), Some('得' | '太' | '多' | '咁'))
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
        if self.has(own.start..own.end.min(own.start + RESULT), &[TermKind::NegativeResult]) {
            return Some("a negative result");
        }
        if self.listed_as_negative(mention) {
            return Some("a negative result of the list");
        }
        if self.written_by_mistake(mention, &self.utterance.sentence(mention.head)) {
            return Some("written by mistake");
        }
        // 邊有癲癇呢回事.
        let lead = self.utterance.folded(mention.start.saturating_sub(2)..mention.start);
        let so = self.utterance.folded(mention.end..mention.end + 3);
        if lead == ['边', '有'] && matches!(so, ['呢', '回', '事'] | ['咁', '嘅', '事']) {
            return Some("denied around it");
        }
        if self.ruled_out_behind(mention) {
            return Some("ruled out behind it");
        }
        // 發燒我量過幾次都冇.
        let own_words: String = self.utterance.folded(after.start..after.end.min(after.start + MEASURED)).iter().collect();
        let measured = ["我量过", "我探过", "量过", "探过"].iter().any(|verb| own_words.starts_with(verb));
        if measured && own_words.contains("都冇") {
            return Some("measured and not there");
        }
        // 冇發燒氣促就有: the next is set against what was denied.
        if self.utterance.folded(mention.end..mention.end + 2) == ['就', '有'] {
            return None;
        }
        // 暈就唔覺, 扭親就冇.
        let behind: String = self.utterance.folded(own.clone()).iter().filter(|c| !PARTICLES.contains(**c)).collect();
        if next_name >= clause.end && NOT_FELT.contains(&behind.as_str()) {
            return Some("denied behind it");
        }
        // Lymph node 就冇大到.
        if next_name >= clause.end && behind.chars().count() <= DENIED_OF && AS_FOR.iter().any(|word| behind.starts_with(word)) {
            return Some("denied behind it");
        }
        let ends = [TermKind::Negation, TermKind::NotSo];
        let last = ends
            .iter()
            .filter_map(|kind| self.utterance.terms(self.lexicon, after.clone(), *kind).last())
            .max_by_key(|cue| cue.end)?;
        // 頭暈冇嘔 denies what comes behind it.
        // 糖尿冇 HIV 驗咗陰性: it belongs to what it touches.
        let rest = self.utterance.folded(last.end..(last.end + 2).min(clause.end));
        let own_word = last.start == mention.end && matches!(rest, [' ', next] if next.is_ascii_alphabetic());
        let at_end =
            own_word || self.utterance.folded(last.end.min(clause.end)..clause.end).iter().all(|c| PARTICLES.contains(*c));
        // 爸爸有糖尿我沒有: somebody else has it not.
        // 左邊有瘜肉,右邊冇.
        let side = [TermKind::Left, TermKind::Right].iter().any(|kind| {
            self.utterance.terms(self.lexicon, mention.end..last.start, *kind).last().is_some_and(|hit| hit.end == last.start)
        });
        if side && !self.asked_before.contains(&mention.condition) {
            return None;
        }
        let other = self.subject(mention) == Subject::Family
            && matches!(self.utterance.folded(last.start.saturating_sub(1)..last.start), ['我' | '己']);
        (at_end && !other && self.utterance.between(mention.end, last.start) <= 6).then_some("denied behind it")
    }
}
