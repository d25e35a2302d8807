//! Rule 7, by words that are not those of time: what was cut out, what broke once, why something was taken that is taken no more.

use super::{Context, Mention, REACH, SUBJECT_REACH};
use crate::terminology::TermKind;

/// Verbs of cutting out, right before what was cut (folded).
const CUT: [&str; 7] = ["切咗", "割咗", "切了", "割了", "切左", "割左", "摘咗"];
/// What happened once to a bone or a joint, before its name (folded).
const HURT: [&str; 8] = ["断过", "扭过", "伤过", "撞过", "跌过", "裂过", "烧过", "咬过"];
/// When, as a clause of its own ends (folded), and what such a clause tells of: births, schooldays, a stay in hospital.
const THEN: [&str; 4] = ["嗰阵", "嗰时", "嗰次", "嗰年"];
const OF_LIFE: &str = "生孕肚读细婚住";
/// The pregnancy before this one, or a year that is over (folded).
const PREGNANCY_BEFORE: [&str; 10] =
    ["生大女嗰阵", "生大仔嗰阵", "前一胎", "嗰一胎", "第一胎", "上一胎", "上胎", "头胎", "前年", "旧年"];

impl Context<'_> {
    /// 切咗粒瘜肉.
    pub(super) fn cut_out(&self, mention: &Mention) -> bool {
        let lead: String = self.utterance.folded(mention.start.saturating_sub(5)..mention.start).iter().collect();
        let verb = lead.trim_end_matches(['粒', '个', '条', '啲', '嗰', '一', '块']);
        let growth = self.concept(mention).is_some_and(|concept| concept.icd10.starts_with(['C', 'D', 'K', 'N', 'L', 'J']));
        growth && CUT.iter().any(|cut| verb.ends_with(cut))
    }

    /// 斷過右膝十字韌帶.
    pub(super) fn hurt_once(&self, mention: &Mention) -> bool {
        let lead: String = self.utterance.folded(mention.start.saturating_sub(4)..mention.start).iter().collect();
        let injury = self.concept(mention).is_some_and(|concept| concept.icd10.starts_with(['S', 'T']));
        injury && HURT.iter().any(|verb| lead.contains(verb)) && !self.goes_on_now(mention)
    }

    /// A disease that is told as over by what is said of it.
    pub(super) fn told_as_once(&self, mention: &Mention) -> bool {
        let Some(concept) = self.concept(mention).filter(|concept| !concept.symptom) else { return false };
        self.reason_of_what_ended(mention)
            || !concept.chronic && self.in_its_time(mention)
            || concept.icd10.starts_with('O') && self.of_a_pregnancy_before(mention)
    }

    /// Warfarin 食過半年,因為 DVT,前年停咗: the reason of what is taken no more.
    fn reason_of_what_ended(&self, mention: &Mention) -> bool {
        let lead: String = self.utterance.folded(mention.start.saturating_sub(4)..mention.start).iter().collect();
        let sentence = self.utterance.sentence(mention.head);
        let near = sentence.start.max(self.utterance.back(mention.start, SUBJECT_REACH))
            ..sentence.end.min(self.utterance.ahead(mention.end, REACH));
        lead.trim_end().ends_with("因为")
            && self.has(near.clone(), &[TermKind::DrugStopped])
            && (self.has(near.clone(), &[TermKind::Before, TermKind::History])
                || self.utterance.folded(near).windows(2).any(|pair| matches!(pair, ['食' | '打', '过'])))
    }

    /// 生細女嗰陣,右腳靜脈栓塞: when, in a clause of its own.
    fn in_its_time(&self, mention: &Mention) -> bool {
        let (clause, from) = (self.clause(mention), self.told_from(mention));
        let before: String = self.utterance.folded(from..clause.start.max(from)).iter().collect();
        let before = before.trim_end_matches([',', ' ']);
        THEN.iter().any(|when| before.ends_with(when)) && before.contains(|c| OF_LIFE.contains(c)) && !self.goes_on_now(mention)
    }

    /// 今朝, 而家, 仲, 到而家: in its sentence.
    fn goes_on_now(&self, mention: &Mention) -> bool {
        let sentence = self.utterance.sentence(mention.head);
        let near = self.told_from(mention)..sentence.end.min(self.utterance.ahead(mention.end, SUBJECT_REACH));
        self.has(near.clone(), &[TermKind::Now, TermKind::Ongoing]) || self.utterance.folded(near).contains(&'仲')
    }

    /// 第一胎小产了.
    fn of_a_pregnancy_before(&self, mention: &Mention) -> bool {
        let told: String = self.utterance.folded(self.told_from(mention)..mention.start).iter().collect();
        PREGNANCY_BEFORE.iter().any(|when| told.contains(when))
    }

    /// Where what is told of a mention before it begins.
    fn told_from(&self, mention: &Mention) -> usize {
        self.utterance.sentence(mention.head).start.max(self.utterance.back(mention.start, SUBJECT_REACH))
    }
}
