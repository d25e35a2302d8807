//! Rule 1: conditions that are named and not claimed of anybody who matters here.

use std::ops::Range;

use super::denied::NOT_FOUND;
use super::subject::Subject;
use super::{ABBREVIATIONS, Claim, Context, Mention, Reading, SUBJECT_REACH, Speaker, reading};
use crate::note::extract::allergies::comes_with;
use crate::note::extract::utterance::Utterance;
use crate::terminology::{DrugKind, Found, Meaning, TermKind, UnitKind};

/// A runny nose or an itchy eye is there though an allergy to dust is named beside it; a rash told so is what the allergy does.
const AIRWAY: [&str; 6] = ["J3", "R05", "R06.7", "H1", "H04", "R06.2"];
/// What an allergy does: skin, eyes, swelling and breath.
const SHOWN: [&str; 12] = ["L50", "L51", "L27", "L29", "R21", "R22", "R23", "R06.0", "H57", "H02", "T78", "K13"];
/// Words of having taken something (folded).
const TAKEN_ONCE: [&str; 18] = [
    "吃完",
    "吃了",
    "吃到",
    "吃过",
    "唔食得",
    "食唔得",
    "食完",
    "食到",
    "食过",
    "食亲",
    "食咗",
    "打完",
    "打过",
    "搽完",
    "搽到",
    "一食",
    "出过",
    "食咗就",
];
/// What says that a complaint is no allergy (folded).
const NO_ALLERGY: [&str; 5] = ["唔算敏感", "唔算系敏感", "唔系敏感", "唔算过敏", "唔系过敏"];
/// How far behind a name it is told that it has nothing to do with it.
const NOTHING_TO_DO: usize = 8;
/// How far behind a name it is told that those who have it are meant, or that it is unrelated.
const PEOPLE: usize = 6;
/// How far before a name it is told that many people have it.
const MANY: usize = 12;
/// How far before flashes it is told that they come before the pain.
const AURA: usize = 8;
/// How far from one opinion the other is told.
const OPINIONS: usize = 60;
/// The longest quotation, in characters.
const LONGEST_QUOTE: usize = 40;

/// Whether a character stands before a mention in its clause.
fn lead_has(utterance: &Utterance, clause: &Range<usize>, mention: &Mention, wanted: char) -> bool {
    utterance.folded(clause.start..mention.end).contains(&wanted)
}

impl Context<'_> {
    /// Rule 1.
    pub(super) fn beside_the_point(&self, mention: &Mention) -> Option<Reading> {
        use TermKind::{Allergy, DrugStopped, Hypothetical, Other, SideEffect, TestVerb};
        let (clause, sentence) = (self.clause(mention), self.utterance.sentence(mention.head));
        let near_sentence = sentence.start.max(self.utterance.back(mention.head, SUBJECT_REACH))..mention.head;
        if self.subject(mention) == Subject::Other || self.has(mention.start..mention.end, &[Other]) {
            return reading(Claim::Nothing, "somebody else's");
        }
        let name: String = self.utterance.folded(mention.start..mention.end).iter().collect();
        if self.utterance.speaker != Speaker::Doctor && ABBREVIATIONS.contains(&name.as_str()) {
            return reading(Claim::Nothing, "letters that mean other things too");
        }
        if self.has(near_sentence.clone(), &[Hypothetical]) {
            return reading(Claim::Nothing, "hypothetical");
        }
        if self.utterance.speaker != Speaker::Patient && self.safety_net(mention, &sentence) && !self.suspected(mention) {
            return reading(Claim::Nothing, "advice: come back if");
        }
        if let Some(reason) = self.not_yet(mention, &clause) {
            return reading(Claim::Nothing, reason);
        }
        if self.has(clause.clone(), &[SideEffect]) {
            return reading(Claim::Nothing, "a drug's side effect");
        }
        let symptom = self.concept(mention).is_some_and(|concept| concept.symptom || concept.icd10.starts_with('L'));
        let reacts = self.concept(mention).is_some_and(|concept| !AIRWAY.iter().any(|code| concept.icd10.starts_with(code)));
        if symptom && reacts && self.has(near_sentence.start..clause.end, &[Allergy]) && !self.recent(clause.clone()) {
            return reading(Claim::Nothing, "what an allergy looks like");
        }
        // 咳唔算敏感: what is said to be none.
        let behind: String = self.utterance.folded(mention.end..clause.end).iter().collect();
        if symptom && NO_ALLERGY.iter().any(|none| behind.trim_start_matches(['就', '都', '呢']).starts_with(none)) {
            return reading(Claim::Nothing, "said to be no allergy");
        }
        let taken = self.utterance.folded(clause.clone()).iter().any(|c| matches!(c, '食' | '搽'));
        if symptom && reacts && self.of_allergy && taken && !self.recent(clause.clone()) {
            return reading(Claim::Nothing, "what a drug asked about did");
        }
        // 聽唔到喘鳴: what is not heard is named behind it.
        let said: String = self.utterance.folded(mention.start..mention.end).iter().collect();
        let named_next = self.next_after(mention).is_some_and(|next| next.start <= mention.end + 1);
        if named_next && NOT_FOUND.contains(&said.as_str()) {
            return reading(Claim::Nothing, "looked for, and named behind it");
        }
        if let Some(reason) = self.in_general(mention, &sentence) {
            return reading(Claim::Nothing, reason);
        }
        // 面骨好脹, 對腳好脹: no belly.
        if self.swells_elsewhere(mention, &clause) {
            return reading(Claim::Nothing, "another part that swells");
        }
        // 有哮喘嘅人要小心: people who have it, and no word of this one.
        let rest: String = self.utterance.folded(mention.end..clause.end).iter().take(PEOPLE).collect();
        let lead: String =
            self.utterance.folded(clause.start.max(mention.start.saturating_sub(PEOPLE))..mention.start).iter().collect();
        if ["嘅人", "嘅病人", "病人就", "病人先", "人士"].iter().any(|who| rest.starts_with(who))
            && !self.says_of_whom(near_sentence.start..sentence.end.min(self.utterance.ahead(mention.end, SUBJECT_REACH)))
        {
            return reading(Claim::Nothing, "people who have it");
        }
        // 香港人好多都有脂肪肝; 痔瘡好普遍.
        let common = ["好普遍", "很普遍"].iter().any(|word| rest.starts_with(word));
        let all: String =
            self.utterance.folded(clause.start.max(mention.start.saturating_sub(MANY))..mention.start).iter().collect();
        let many = ["香港人好多", "好多香港人", "好多人都有", "好多人有", "十个人有", "人人都有", "个个都有"]
            .iter()
            .any(|who| all.contains(who));
        if (common || many) && !all.contains(['我', '你', '佢']) {
            return reading(Claim::Nothing, "what many people have");
        }
        // 同哮喘冇關.
        let unrelated = ["冇关", "无关", "冇关系", "无关系", "唔关事", "冇乜关系"].iter().any(|word| rest.starts_with(word));
        if unrelated && lead.ends_with(['同', '和', '跟', '与']) && !lead.contains('你') {
            return reading(Claim::Nothing, "what has nothing to do with it");
        }
        // 兩隻藥都唔關 G6PD 事: what it has nothing to do with.
        let lead: String =
            self.utterance.folded(clause.start.max(mention.start.saturating_sub(8))..mention.start).iter().collect();
        if lead.contains("唔关")
            && self.utterance.folded(mention.end..clause.end.min(mention.end + NOTHING_TO_DO).max(mention.end)).contains(&'事')
        {
            return reading(Claim::Nothing, "what has nothing to do with it");
        }
        if self.quoted(mention) {
            return reading(Claim::Nothing, "quoted");
        }
        if self.one_of_several_opinions(mention, &clause) {
            return reading(Claim::Nothing, "what one of several said it was");
        }
        // 痛之前見到閃光: what an attack begins with.
        let flashes = self.concept(mention).is_some_and(|concept| concept.icd10.starts_with("H53.1"));
        let lead = self.utterance.folded(mention.start.saturating_sub(AURA).max(clause.start)..mention.start);
        if flashes && lead.windows(3).any(|run| matches!(run, ['痛' | '发', '之', '前'])) {
            return reading(Claim::Nothing, "what an attack begins with");
        }
        // 抬腿四十五度就痛: a sign that was looked for.
        let name = self.utterance.folded(mention.start..mention.end);
        if self.utterance.speaker != Speaker::Patient
            && name.ends_with(&['痛'])
            && lead_has(self.utterance, &clause, mention, '抬')
            && lead_has(self.utterance, &clause, mention, '度')
        {
            return reading(Claim::Nothing, "a sign of an examination");
        }
        if self.forgotten_drug(mention, &clause) {
            return reading(Claim::Nothing, "a drug that is forgotten");
        }
        let drug_before = self.utterance.within(clause.start..mention.start).iter().any(|hit| match hit.meaning {
            Meaning::Drug(drug) => self.lexicon.drugs.get(drug).is_some_and(|drug| drug.kind != DrugKind::Vaccine),
            Meaning::Allergen(_) => true,
            Meaning::Term(term) => self.lexicon.term_kind(term) == Some(TermKind::AnyDrug),
            _ => false,
        });
        // 一個鐘前食完就腫: what is going on now is the reason for the visit, not an old allergy.
        let now = self.recent(near_sentence.start..clause.end);
        let effect = [TermKind::Uncertain, TermKind::UncertainAfter, DrugStopped, TermKind::History, TermKind::HistoryAfter];
        if symptom
            && drug_before
            && !now
            && (self.of_allergy && reacts
                || self.has(clause.clone(), &effect)
                || self.has(clause.start..mention.end + 1, &[TermKind::Reaction]))
        {
            return reading(Claim::Nothing, "a drug's effect, past or feared");
        }
        if !self.recent(clause.clone()) && self.reaction_told(mention, &sentence) {
            return reading(Claim::Nothing, "what came of a drug once");
        }
        if symptom && reacts && self.comes_with_a_drug(mention, &clause) {
            return reading(Claim::Nothing, "what an allergy looks like");
        }
        // 真係關節炎嘅話.
        let supposed: String = self.utterance.folded(clause.start..mention.start).iter().collect();
        let supposed = ["真系", "如果", "若", "万一"].iter().any(|word| supposed.contains(word));
        if supposed && matches!(self.utterance.folded(mention.end..mention.end + 2), ['嘅' | '的', '话']) {
            return reading(Claim::Nothing, "if it is");
        }
        if symptom && self.when_needed(mention, &clause) {
            return reading(Claim::Nothing, "when to take something");
        }
        if symptom && self.does(mention, &clause) {
            return reading(Claim::Nothing, "what a drug does");
        }
        let just_before = mention.start.saturating_sub(3)..mention.start;
        let tested = self.utterance.terms(self.lexicon, just_before, TestVerb).any(|verb| verb.end == mention.start);
        if (tested && !self.operated(mention) || self.in_test_list(mention, &clause))
            && !self.has(mention.end..clause.end, &[TermKind::NegativeResult])
        {
            return reading(Claim::Nothing, "a test's name");
        }
        None
    }

    /// Whether a range speaks of somebody who is there: 我就係.
    fn says_of_whom(&self, range: Range<usize>) -> bool {
        self.utterance.folded(range).iter().any(|c| matches!(c, '我' | '你' | '佢'))
    }

    /// 好脹 by itself is of the belly, unless another part of the body stands before it.
    fn swells_elsewhere(&self, mention: &Mention, clause: &Range<usize>) -> bool {
        let name: String = self.utterance.folded(mention.start..mention.end).iter().collect();
        if !["好胀", "谷住谷住"].contains(&name.as_str()) {
            return false;
        }
        let near = clause.start.max(mention.start.saturating_sub(PEOPLE))..mention.start;
        let words = self.utterance.folded(near.clone());
        let site = self.utterance.within(near).iter().any(|hit| {
            hit.end + 1 >= mention.start && matches!(hit.meaning, Meaning::Class(class) if self.lexicon.is_site(class))
        });
        let bone = words.ends_with(&['骨']);
        (site || bone) && !words.iter().any(|c| matches!(c, '肚' | '胃' | '腹' | '肠'))
    }

    /// 第一個話係喉嚨發炎,第二個話係玫瑰疹: neither is claimed of the patient.
    fn one_of_several_opinions(&self, mention: &Mention, clause: &Range<usize>) -> bool {
        let lead: String = self.utterance.folded(clause.start..mention.start).iter().filter(|c| **c != ' ').collect();
        let said = ["话系", "话", "讲系", "说是", "说"].iter().any(|said| lead.ends_with(said));
        self.utterance.speaker != Speaker::Doctor
            && said
            && ["第一个", "第二个", "第三个", "前一个", "后一个"].iter().any(|one| lead.starts_with(one))
            && {
                let near = self.utterance.back(clause.start, OPINIONS)..self.utterance.ahead(mention.end, OPINIONS);
                let near: String = self.utterance.folded(near).iter().collect();
                near.contains("第一个") && near.contains("第二个") || near.contains("前一个") && near.contains("后一个")
            }
    }

    /// Simvastatin 成日唔記得, 成日唔記得食晏晝嗰粒: a drug was named before, or the taking stands behind.
    fn forgotten_drug(&self, mention: &Mention, clause: &Range<usize>) -> bool {
        if self.concept(mention).is_none_or(|concept| !concept.icd10.starts_with("R41.3")) {
            return false;
        }
        // 成日唔記得嘢, 記性差 are complaints whatever is taken.
        let name: String = self.utterance.folded(mention.start..mention.end).iter().collect();
        if !["成日唔记得", "成日忘记"].contains(&name.as_str()) {
            return false;
        }
        let behind = self.utterance.folded(mention.end..mention.end + 1);
        let takes = matches!(behind, ['食' | '打' | '搽' | '滴' | '带' | '攞' | '覆']);
        // 晏晝嗰次成日唔記得, of a drug that the turn before named.
        let lead: String = self.utterance.folded(self.utterance.back(mention.start, 6)..mention.start).iter().collect();
        let takes = takes || self.of_drug && ["嗰次", "嗰粒", "嗰餐", "嗰份"].iter().any(|counted| lead.ends_with(counted));
        let from = self.utterance.back(clause.start, SUBJECT_REACH);
        takes || self.utterance.within(from..mention.start).iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)))
    }

    /// 我怕你係盲腸炎,要入急症: what a clinician suspects is no mere condition of advice.
    fn suspected(&self, mention: &Mention) -> bool {
        let before = self.before(mention);
        let disease = self.concept(mention).is_some_and(|concept| !concept.symptom);
        let feared = || self.scope(&before, mention, &[TermKind::Worry]).is_some_and(|cue| self.clinician_fears(&cue));
        disease && (feared() || self.scope(&before, mention, &[TermKind::Uncertain]).is_some())
    }

    /// 食 Brufen 成塊面腫晒,眼都擘唔開; 磺胺藥唔食得,嘴會腫: skin, eyes or breath behind what was taken and a word of the taking.
    fn reaction_told(&self, mention: &Mention, sentence: &Range<usize>) -> bool {
        if self.utterance.speaker == Speaker::Doctor {
            return false;
        }
        let code = self.concept(mention).map(|concept| concept.icd10.as_str()).unwrap_or_default();
        let from = sentence.start.max(self.utterance.back(mention.start, SUBJECT_REACH));
        let named = self.utterance.within(from..mention.start).iter().rev().find(|hit| match hit.meaning {
            Meaning::Drug(drug) => self.lexicon.drugs.get(drug).is_some_and(|drug| drug.kind != DrugKind::Vaccine),
            Meaning::Allergen(_) => true,
            _ => false,
        });
        let Some(named) = named else { return false };
        let told: String =
            self.utterance.folded(named.start.saturating_sub(2).max(from)..mention.end).iter().filter(|c| **c != ' ').collect();
        let taken = TAKEN_ONCE.iter().any(|word| told.contains(word)) || told.starts_with(['食', '吃', '打', '搽']);
        let goes_on =
            self.has(named.end..sentence.end.min(self.utterance.ahead(mention.end, SUBJECT_REACH)), &[TermKind::Ongoing]);
        // 食親就嘔: each time.
        let each_time = ["食亲", "打亲", "饮亲"].iter().any(|word| told.contains(word));
        !goes_on && (each_time || taken && SHOWN.iter().any(|shown| code.starts_with(shown)))
    }

    /// I get hives with X.
    fn comes_with_a_drug(&self, mention: &Mention, clause: &Range<usize>) -> bool {
        let drugs = self.utterance.within(mention.end..clause.end).iter().find(|hit| matches!(hit.meaning, Meaning::Drug(_)));
        let told = Found { start: mention.start, end: mention.end, meaning: Meaning::Condition(mention.condition) };
        drugs.is_some_and(|drug| comes_with(self.utterance, &told, drug))
    }

    /// 驗 HIV 同梅毒: behind a test's verb stand only names and what joins them.
    pub(super) fn in_test_list(&self, mention: &Mention, clause: &Range<usize>) -> bool {
        let from = clause.start.max(self.utterance.back(mention.start, SUBJECT_REACH));
        let tests = [TermKind::TestVerb, TermKind::Test];
        let cue = tests
            .iter()
            .filter_map(|kind| self.utterance.terms(self.lexicon, from..mention.start, *kind).last())
            .max_by_key(|hit| hit.end);
        let Some(cue) =
            cue.filter(|cue| self.utterance.folded(cue.start..cue.end).iter().any(|c| matches!(c, '验' | '筛' | '抽')))
        else {
            return false;
        };
        let mut reached = cue.end;
        for hit in self.utterance.within(cue.end..mention.start + 1) {
            let joins = self.utterance.folded(reached..hit.start).iter().all(|c| " 、,,同埋和及返下吓埋and".contains(*c));
            if hit.start >= reached && joins && !matches!(hit.meaning, Meaning::Term(_)) {
                reached = hit.end;
            }
        }
        reached >= mention.end || reached == mention.start
    }

    /// Between 「 and 」: words of somebody, told as words.
    pub(super) fn quoted(&self, mention: &Mention) -> bool {
        let from = mention.start.saturating_sub(LONGEST_QUOTE);
        let opened = self.utterance.folded(from..mention.start).iter().rev().find(|c| matches!(c, '「' | '」' | '『' | '』'));
        matches!(opened, Some('「' | '『'))
    }

    /// Whether what follows in the sentence makes the mention a reason to come back.
    pub(super) fn safety_net(&self, mention: &Mention, sentence: &Range<usize>) -> bool {
        let after = mention.end..sentence.end.min(self.utterance.ahead(mention.end, SUBJECT_REACH));
        // 傷風嚟嘅,發燒過三日就要再睇: what it is was said before.
        if self.utterance.folded(mention.end..self.clause(mention).end).ends_with(&['嚟', '嘅']) {
            return false;
        }
        let net = self.utterance.terms(self.lexicon, after.clone(), TermKind::SafetyNet).next();
        // 之前小產,我好怕再嚟: what is feared is no appointment.
        let feared = |hit: &&Found| self.has(hit.start.saturating_sub(3)..hit.start, &[TermKind::Worry]);
        let back = self.utterance.terms(self.lexicon, after, TermKind::FollowUp).find(|hit| !feared(hit));
        // 佢暈低,即刻送急症, says who came along: what was done.
        // 所以馬上來急診 tells what one did.
        let done = |net: &Found| {
            let so = self.utterance.folded(net.start.saturating_sub(3)..net.start).windows(2).any(|pair| pair == ['所', '以']);
            self.utterance.speaker != Speaker::Doctor && (so || self.utterance.folded(net.start..net.end).contains(&'送'))
        };
        // 腰痛照舊開藥,但若果失禁,即刻去急症: of something else.
        let of_else = |net: &Found| {
            let between = mention.end..net.start;
            self.has(between.clone(), &[TermKind::Contrast]) && self.has(between, &[TermKind::Hypothetical])
        };
        match (net.filter(|net| !done(net) && !of_else(net)), back) {
            (Some(net), _) => !self.timed(mention.end..net.start),
            // 返嚟 without a time is no appointment.
            (None, Some(back)) => {
                let lasting = self.concept(mention).is_some_and(|concept| concept.chronic);
                !lasting
                    && back.start - mention.end <= 6
                    && !self.timed(mention.end..back.start)
                    && self.utterance.said(back.start..back.end) != "覆診"
            }
            _ => false,
        }
    }

    /// A time is said, but not one that is too long: 發燒過三日就要再睇.
    pub(super) fn timed(&self, range: Range<usize>) -> bool {
        let over = |start: usize| start.checked_sub(1).and_then(|at| self.utterance.chars.get(at)) == Some(&'过');
        let times = self.utterance.quantities_in(range.clone()).iter().filter(|quantity| quantity.kind == UnitKind::Time);
        times.into_iter().any(|quantity| !over(quantity.start)) || self.has(range, &[TermKind::After])
    }
}
