//! Rules 2 and 3: what is asked or feared, and what is told before a question about something else.

use super::{Claim, Context, Mention, REACH, Reading, SUBJECT_REACH, reading};
use crate::note::extract::clauses::Clause;
use crate::note::extract::utterance::Speaker;
use crate::terminology::{Found, Meaning, TermKind};
use std::ops::Range;

/// What asks for advice and not for a disease (folded).
const NEEDS: [&str; 17] = [
    "使唔使",
    "需唔需要",
    "要唔要",
    "可唔可以",
    "得唔得",
    "点算",
    "点办",
    "点搞",
    "有冇关",
    "有冇影响",
    "有冇有影响",
    "影唔影响",
    "关唔关",
    "有冇事",
    "有冇问题",
    "有关系",
    "有影响",
];
/// What asks whether something is needed (folded).
const NEEDED: [[char; 3]; 5] =
    [['使', '唔', '使'], ['驶', '唔', '驶'], ['洗', '唔', '洗'], ['要', '唔', '要'], ['需', '唔', '需']];

/// Whose a disease is, right before its name (folded).
const OWN: [&str; 6] = ["你个", "你嘅", "你啲", "你的", "佢个", "佢啲"];
/// How one asks after a disease that is there (folded), and how far behind its name.
const PROGRESS: [&str; 12] =
    ["有冇好啲", "有冇好", "好啲未", "好返未", "有冇再", "有冇有再", "控制成", "控制得", "啲药", "嗰只药", "药水", "药够"];
/// Its drug (folded), and how one asks how it has been of late.
const ITS_DRUG: [&str; 3] = ["只药", "的药", "嘅药"];
const OF_LATE: [&str; 5] = ["最近有冇", "近排有冇", "呢排有冇", "近来有冇", "有冇入过"];
const PROGRESS_REACH: usize = 10;
/// How far behind a disease the drug is named that is taken for it.
const NAMED_FOR: usize = 6;
/// How many pauses back a question word stands by itself.
const PAUSES: usize = 2;

impl Context<'_> {
    /// Rules 2 and 3.
    pub(super) fn asked(&self, mention: &Mention) -> Option<Reading> {
        let (clause, before) = (self.utterance.clause(mention.head), self.before(mention));
        let range = clause.range.clone();
        if self.known_to_be_there(mention) {
            return None;
        }
        let question = self.scope(&before, mention, &[TermKind::Question]);
        let fear = || self.scope(&before, mention, &[TermKind::Worry]);
        if question.is_some_and(|cue| self.clinician_wonders(&cue, mention))
            || question.is_none() && fear().is_some_and(|cue| self.clinician_fears(&cue))
        {
            return None;
        }
        if question.is_none() && self.asked_before_a_pause(mention) {
            return reading(Claim::Asked, "asked, the question word by itself before it");
        }
        // 使唔使洗腎? Whether it is needed says nothing of what is there.
        let vaccine = self.concept(mention).is_some_and(|concept| concept.icd10.starts_with("Z2"));
        let needed = |cue: &Found| NEEDED.iter().any(|need| self.utterance.folded(cue.start..cue.end).iter().eq(need));
        if !vaccine && question.as_ref().is_some_and(needed) {
            return reading(Claim::Nothing, "asked whether it is needed");
        }
        // 會唔會便秘?, behind a drug that was just given, asks of what may come.
        let may = question.as_ref().is_some_and(|cue| self.utterance.folded(cue.start..cue.end) == ['会', '唔', '会']);
        let symptom = self.concept(mention).is_some_and(|concept| concept.symptom);
        if may && symptom && self.of_drug && self.utterance.speaker != Speaker::Doctor {
            return reading(Claim::Nothing, "asked of what a drug may do");
        }
        // 煙仲有冇食: the question is within the name.
        let within = self.utterance.folded(mention.start..mention.end).windows(2).any(|pair| pair == ['有', '冇']);
        if question.is_some() || within || self.a_not_a(mention) {
            return reading(Claim::Asked, "asked");
        }
        // 發燒發冷呢: names and no more, asked for by who does not suffer from them.
        let name = self.utterance.folded(mention.start..mention.end);
        let whole = name.ends_with(&['呢']) && mention.start == range.start && mention.end == range.end;
        let topics = whole
            || range.end > range.start
                && self.utterance.folded(range.end - 1..range.end) == ['呢']
                && self.utterance.speaker != Speaker::Patient
                && self.bare(&(range.start..range.end - 1));
        if topics || self.listed_and_asked(mention) {
            return reading(Claim::Asked, "named and asked for");
        }
        let after = mention.end..range.end;
        let ends = [TermKind::Question, TermKind::QuestionEnd];
        let close = after.start..after.end.min(self.utterance.ahead(after.start, REACH));
        let resumed = self.has(close.clone(), &[TermKind::Affirmation]) && !clause.asked;
        // 甲亢覆診瘦返定未: why one came, and then the question.
        let visit = self.has(mention.end..mention.end + 2, &[TermKind::FollowUp]);
        // 薄血藥囉,心房顫動呀嘛: the patient explains.
        let explains =
            self.utterance.speaker != Speaker::Doctor && self.utterance.folded(mention.end..mention.end + 2) == ['呀', '嘛'];
        // 以前盲腸炎開過刀有冇影響: what it does and not whether it was.
        let words: String = self.utterance.folded(close.clone()).iter().collect();
        let effect = self.utterance.speaker != Speaker::Doctor && NEEDS.iter().any(|need| words.contains(need));
        if self.has(close, &ends) && !effect && !resumed && !visit && !explains {
            return reading(Claim::Asked, "asked, the question word behind it");
        }
        // 甲狀腺結節覆診, 點呀? names why one came.
        // 前列腺肥大嗰邊,小便點? names of what is asked.
        let topic = self.concept(mention).is_some_and(|concept| concept.chronic)
            && self.has(
                range.end..self.utterance.sentence(mention.head).end.min(self.utterance.ahead(range.end, REACH)),
                &[TermKind::OpenQuestion],
            );
        let as_for = self.concept(mention).is_some_and(|concept| concept.chronic)
            && matches!(self.utterance.folded(mention.end..mention.end + 2), ['嗰', '边' | '头'] | ['方', '面']);
        // 嘔啲咩出嚟? asks what, and not whether.
        let what = self.utterance.folded(after.start..after.end.min(after.start + 2)).iter().any(|c| matches!(c, '咩' | '乜'))
            && self.concept(mention).is_some_and(|concept| concept.symptom)
            && !self.utterance.folded(range.clone()).contains(&'冇');
        let open = what || topic || as_for || self.has(range.clone(), &[TermKind::OpenQuestion, TermKind::FollowUp]);
        if clause.asked
            && self.last_asked(mention)
            && !open
            && !self.told_before_a_question(mention)
            && !self.has(before.clone(), &[TermKind::Ongoing])
        {
            let drug = self.utterance.within(range.clone()).iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)));
            // 血壓藥 X 呢? What is asked is how it is taken.
            let taken = drug && self.utterance.chars.get(mention.end.saturating_sub(1)) == Some(&'药');
            if !taken && (!drug || self.utterance.speaker == Speaker::Doctor) {
                return reading(Claim::Asked, "asked by its tone");
            }
        }
        // 怕光,會嘔: fear goes no further than its clause.
        let own = range.start.max(before.start)..before.end;
        if self.scope(&own, mention, &[TermKind::Worry]).is_some_and(|cue| !self.clinician_fears(&cue)) {
            // 驚自己會中風: one day.
            if self.utterance.folded(mention.start.saturating_sub(1)..mention.start) == ['会'] {
                return reading(Claim::Nothing, "feared to come");
            }
            return reading(Claim::Asked, "feared");
        }
        None
    }

    /// 你個柏金遜邊隻手先震? 牛皮癬有冇好啲? 腦退化啲藥呢?: a disease that a clinician asks of as one that the patient has.
    fn known_to_be_there(&self, mention: &Mention) -> bool {
        if self.utterance.speaker == Speaker::Patient || self.concept(mention).is_none_or(|concept| concept.symptom) {
            return false;
        }
        let clause = self.clause(mention);
        // 之前小中風嗰隻 clopidogrel 有冇食? Asked is the drug that is taken for it.
        let one = self.utterance.folded(mention.end..mention.end + 2);
        let of_drug = |hit: &Found| matches!(hit.meaning, Meaning::Drug(_));
        let taken_for_it = matches!(one, ['嗰' | '那' | '个', '只' | '支' | '樽' | '种'])
            && self.utterance.within(mention.end..clause.end.min(mention.end + NAMED_FOR)).iter().any(of_drug);
        if taken_for_it {
            return true;
        }
        let lead: String =
            self.utterance.folded(mention.start.saturating_sub(3).max(clause.start)..mention.start).iter().collect();
        let behind: String = self.utterance.folded(mention.end..clause.end.min(mention.end + PROGRESS_REACH)).iter().collect();
        let own = OWN.iter().any(|own| lead.ends_with(own));
        let chronic = self.concept(mention).is_some_and(|concept| concept.chronic);
        let again = ["有冇再发", "有冇有再发", "有冇再", "有冇有再"].iter().any(|again| behind.contains(again));
        let gout = self.concept(mention).is_some_and(|concept| concept.icd10.starts_with("M10"));
        // 乙肝嗰邊呢,entecavir 有冇漏?
        let sentence = self.utterance.sentence(mention.head).end.min(self.utterance.ahead(mention.end, SUBJECT_REACH));
        let handled = |hit: &Found| matches!(hit.meaning, Meaning::Drug(_) | Meaning::Observation(_));
        let as_for = ["嗰边", "那边", "嗰头"].iter().any(|side| behind.starts_with(side))
            && self.utterance.within(mention.end..sentence).iter().any(handled);
        chronic && as_for
            || again && (chronic || gout)
            || chronic && (own && !behind.starts_with(['有', '系']) || PROGRESS.iter().any(|how| behind.contains(how)))
            || chronic && self.handled(mention, &clause, &behind)
    }

    /// 有沒有 想過 傷害自己, where a recogniser puts spaces between words.
    fn asked_before_a_pause(&self, mention: &Mention) -> bool {
        let index = self.utterance.clause_index(mention.head);
        let sentence = self.utterance.clauses().get(index).map(|clause| clause.sentence);
        let before = self.utterance.clauses().get(index.saturating_sub(PAUSES)..index).unwrap_or_default();
        // 有沒有 不舒服 我 心口痛: what is told of oneself is no more of the question.
        let told = |from: usize| {
            let upto = self.utterance.clause(mention.head).range.end;
            self.utterance.folded(from..upto).iter().any(|c| matches!(c, '我' | '有' | '冇'))
        };
        self.utterance.speaker == Speaker::Unknown
            && before.iter().any(|clause| {
                let words: String = self.utterance.folded(clause.range.clone()).iter().filter(|c| **c != ' ').collect();
                let parted = self.utterance.folded(clause.range.end..clause.range.end + 1) != [','];
                Some(clause.sentence) == sentence
                    && parted
                    && !told(clause.range.end)
                    && ["有冇", "有冇有", "会唔会", "系唔系", "系咪"].contains(&words.as_str())
            })
    }

    /// 骨質疏鬆嘅藥仲食唔食? COPD 最近有冇入過院? Not 有冇食高血壓嘅藥, nor 哮喘最近有冇.
    fn handled(&self, mention: &Mention, clause: &Range<usize>, behind: &str) -> bool {
        let lead: String = self.utterance.folded(clause.start..mention.start).iter().collect();
        let rest = |how: &str| {
            let (_, rest) = behind.split_once(how)?;
            Some(rest.chars().filter(|c| !"呀啊呢㗎 ".contains(*c)).count())
        };
        ITS_DRUG.iter().any(|drug| behind.starts_with(drug)) && !lead.contains("有冇")
            || OF_LATE.iter().filter_map(|how| rest(how)).any(|left| left >= 1)
    }

    /// 發燒 體重輕咗 有冇: the question word behind all that it asks for.
    fn listed_and_asked(&self, mention: &Mention) -> bool {
        let sentence = self.utterance.sentence(mention.head);
        let last = self.utterance.clause(sentence.end.saturating_sub(1)).range;
        let words: String = self.utterance.folded(last.clone()).iter().filter(|c| **c != ' ').collect();
        self.utterance.speaker != Speaker::Patient
            && matches!(words.as_str(), "有冇" | "有冇有" | "有冇呀" | "有冇呢")
            && mention.head < last.start
            && self.utterance.between(mention.end, last.start) <= SUBJECT_REACH
    }

    /// 隻腳抽筋,使唔使食鈣? What the patient asks is what to do about it.
    fn told_before_a_question(&self, mention: &Mention) -> bool {
        let sentence = self.utterance.sentence(mention.head);
        let from = self.clause(mention).end;
        let behind = from..sentence.end.min(self.utterance.ahead(from, SUBJECT_REACH));
        let words: String = self.utterance.folded(behind.clone()).iter().collect();
        let needs = NEEDS.iter().any(|need| words.contains(need));
        self.utterance.speaker != Speaker::Doctor
            && needs
            && !self.has(self.clause(mention), &[TermKind::Question, TermKind::QuestionEnd, TermKind::Worry])
    }

    /// The question mark belongs to the last clause of its sentence and to the bare list before it.
    fn last_asked(&self, mention: &Mention) -> bool {
        let index = self.utterance.clause_index(mention.head);
        let clauses = self.utterance.clauses();
        let sentence = clauses.get(index).map(|clause| clause.sentence);
        let same = |clause: Option<&Clause>| clause.map(|clause| clause.sentence) == sentence;
        // 我甲亢,食緊藥,有冇關係? tells of oneself and asks of something else.
        let tells = |range: &Range<usize>| {
            self.utterance.speaker != Speaker::Doctor && self.utterance.chars.get(range.start) == Some(&'我')
        };
        // 甲減,thyroxine 而家食七十五係咪? What is asked is of the drug.
        let end = self.utterance.clause(mention.head).range.end;
        let until = self.utterance.sentence(mention.head).end.min(self.utterance.ahead(end, SUBJECT_REACH));
        let drug = self.utterance.within(end..until).iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)));
        // 你高血壓食緊藥,有冇頭暈? What is treated is there.
        let said: String = self.utterance.folded(self.utterance.clause(mention.head).range).iter().collect();
        let treated = ["食紧", "用紧", "打紧", "食开"].iter().any(|taking| said.contains(taking));
        !same(clauses.get(index + 1))
            || !drug
                && !treated
                && !self.asks_of_another(index)
                && clauses.get(index).is_some_and(|clause| self.bare(&clause.range) && !tells(&clause.range))
    }

    /// 類風濕關節炎 有沒有 口乾: behind the pause the question has its own object.
    fn asks_of_another(&self, index: usize) -> bool {
        let next = self.utterance.clauses().get(index + 1).map(|clause| clause.range.clone());
        self.utterance.speaker == Speaker::Unknown
            && next.is_some_and(|next| {
                let words: String = self.utterance.folded(next.clone()).iter().collect();
                let parted = self.utterance.folded(next.start.saturating_sub(1)..next.start) == [' '];
                parted
                    && words.trim() == "有冇"
                    && self.utterance.clauses().get(index + 2).is_some_and(|more| !more.range.is_empty())
                    || parted && words.starts_with("有冇") && words.chars().count() > 3
            })
    }

    /// 痛唔痛, 發唔發燒: the same character on both sides of 唔, touching the mention.
    fn a_not_a(&self, mention: &Mention) -> bool {
        let chars = &self.utterance.chars;
        let from = mention.head.saturating_sub(2);
        (from..mention.end + 2).any(|at| {
            chars.get(at) == Some(&'唔')
                && at.checked_sub(1).and_then(|before| chars.get(before)).is_some_and(|c| chars.get(at + 1) == Some(c))
        })
    }
}
