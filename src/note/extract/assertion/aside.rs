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
/// How what may be, and is not, or is looked for in everybody, is told: behind its name (folded).
const RISK: [&str; 12] =
    ["筛查", "筛检", "普查", " screening", "疫苗", "风险", "嘅风险", "危险性", " risk", "机会细", "机会低", "机会微"];
/// What is prevented: right before its name (folded).
const PREVENTED: [&str; 4] = ["预防", "防", "避免", "prevent "];
/// A vaccine given or due, told by the name of what it is against: behind it and before it (folded).
const GIVEN: [&str; 9] = ["打过", "打齐", "打埋", "未打", "冇打", "加强", "针", "打未", "会打"];
const GIVES: [&str; 9] = ["打", "打咗", "打过", "打埋", "补打", "打返", "一针", "返针", "支针"];
/// When a drug that is begun does what it does not do later (folded).
const AT_FIRST: [&str; 9] = ["头几日", "头嗰排", "头一两", "头几个", "头一个", "头两个", "初初", "开头", "刚开始"];
/// What advises against something, right before its name (folded).
const ADVISED: [&str; 6] = ["唔好", "唔好再", "唔好成日", "千祈唔好", "咪再", "唔好太"];
/// What says of a vaccine that its time comes later (folded).
const NOT_GIVEN: [&str; 7] = ["先打", "先至打", "迟啲打", "迟啲先", "下次打", "今日唔打", "先再打"];
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
/// What is done only when something is felt (folded), and how far behind it.
const ONLY_THEN: [&str; 6] = ["先食", "先至食", "才食", "才吃", "先好食", "先用"];
const WHEN_NEEDED: usize = 8;
/// The same right behind what is felt: 喘先吸.
const AT_NEED: [&str; 10] = ["先吸", "才吸", "先喷", "才喷", "先搽", "才搽", "先滴", "先至吸", "先唔打", "先至唔"];
/// How far before flashes it is told that they come before the pain.
const AURA: usize = 8;
/// How much may stand between 會 and what will come, besides names.
const WILL: usize = 3;
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
        // 兩隻藥都唔關 G6PD 事: what it has nothing to do with.
        let lead: String =
            self.utterance.folded(clause.start.max(mention.start.saturating_sub(8))..mention.start).iter().collect();
        if lead.contains("唔关")
            && self.utterance.folded(mention.end..clause.end.min(mention.end + WHEN_NEEDED).max(mention.end)).contains(&'事')
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
        if matches!(self.utterance.folded(mention.end..mention.end + 2), ['嘅' | '的', '话']) {
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

    /// 發燒或者痛先食: when it is to be taken.
    fn when_needed(&self, mention: &Mention, clause: &Range<usize>) -> bool {
        let end = clause.end.min(mention.end + WHEN_NEEDED);
        let behind: String = self.utterance.folded(mention.end..end.max(mention.end)).iter().filter(|c| **c != ' ').collect();
        behind.starts_with('或') && ONLY_THEN.iter().any(|only| behind.contains(only))
            || AT_NEED.iter().any(|only| behind.starts_with(only))
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

    /// 中風風險會高, 防瘧疾, 傷寒未打過, and a clinician's 大便會黑: what may come, what is kept off and what is vaccinated against.
    fn not_yet(&self, mention: &Mention, clause: &Range<usize>) -> Option<&'static str> {
        let said = |range: Range<usize>| self.utterance.folded(range).iter().collect::<String>();
        let before = said(clause.start.max(mention.start.saturating_sub(8))..mention.start);
        let after = said(mention.end..clause.end.min(mention.end + 8));
        if RISK.iter().any(|word| after.starts_with(word)) {
            return Some("a risk");
        }
        let concept = self.concept(mention)?;
        let kept_off = !concept.chronic && said(mention.end..clause.end).contains("预防");
        if PREVENTED.iter().any(|word| before.ends_with(word)) || kept_off {
            return Some("what is prevented");
        }
        let catching = ["A", "B", "J10", "J11", "U07"].iter().any(|code| concept.icd10.starts_with(code));
        let (near, given) = (after.chars().take(5).collect::<String>(), |words: &[&str], text: &str| {
            words.iter().any(|word| text.contains(word))
        });
        if catching && (given(&GIVEN, &near) || GIVES.iter().any(|word| before.ends_with(word))) {
            return Some("a vaccine");
        }
        // 唔好話我血壓又低喎.
        if self.utterance.speaker != Speaker::Doctor && before.contains("唔好话") {
            return Some("what shall not be said of them");
        }
        // 呢隻唔會手震,口乾就有機會.
        let told_of = self.utterance.speaker == Speaker::Doctor && concept.symptom;
        if told_of && ["就有机会", "就可能有", "会有机会"].iter().any(|may| after.starts_with(may)) {
            return Some("what a drug may do");
        }
        let later = concept.icd10.starts_with("Z2") && NOT_GIVEN.iter().any(|word| said(mention.end..clause.end).contains(word));
        if later {
            return Some("a vaccine that is not given yet");
        }
        if concept.icd10.starts_with("Z2") && before.ends_with("打完") {
            return Some("a vaccine of before");
        }
        // 唔好成日捽眼. Who is told not to smoke or drink does.
        let advised = ADVISED.iter().any(|word| before.ends_with(word)) && !concept.icd10.starts_with('F');
        if self.utterance.speaker != Speaker::Patient && advised {
            return Some("advice against it");
        }
        // 之後有咗糖尿: no pregnancy.
        let next = self.next_after(mention).is_some_and(|next| next.start == mention.end);
        if next && concept.icd10.starts_with("Z33") && matches!(self.utterance.folded(mention.start..mention.end), ['有', '咗'])
        {
            return Some("the verb of what is named behind it");
        }
        if let Some(reason) = self.topic(mention, clause, &before, &after) {
            return Some(reason);
        }
        let within = said(mention.start..mention.end);
        if within.starts_with("低血压") && before.ends_with(['坐', '瞓', '训', '躺', '企', '蹲', '放']) {
            return Some("how the pressure was taken");
        }
        // 個女話食得多會癡呆.
        let lead = clause.start..mention.start;
        let who = [TermKind::Family, TermKind::Other];
        let said_so = |hit: &Found| matches!(self.utterance.folded(hit.end..hit.end + 1), ['话' | '讲']);
        let hearsay = who.iter().any(|kind| self.utterance.terms(self.lexicon, lead.clone(), *kind).any(said_so));
        ((self.utterance.speaker == Speaker::Doctor || hearsay) && self.comes(mention, clause)).then_some("what will come")
    }

    /// 大便會黑; 食咗會眼瞓頭暈; 血壓高唔控制好,會中風、腎衰竭: what a clinician says will come.
    fn comes(&self, mention: &Mention, clause: &Range<usize>) -> bool {
        let said = |range: Range<usize>| self.utterance.folded(range).iter().collect::<String>();
        let symptom = self.concept(mention).is_some_and(|concept| concept.symptom);
        if said(clause.clone()).contains("因为") {
            return false;
        }
        // Stilnox 會上癮.
        let may = symptom || self.concept(mention).is_some_and(|concept| concept.icd10.starts_with("F1"));
        if may && said(mention.start..mention.end).contains('会') {
            return true;
        }
        let lead = self.before(mention).start..mention.start;
        // 頭幾日可能肚瀉, says who begins a drug.
        let at_first = said(clause.start..mention.start);
        if symptom && self.has(lead.clone(), &[TermKind::Uncertain]) && AT_FIRST.iter().any(|first| at_first.contains(first)) {
            return true;
        }
        let Some(will) = self.utterance.folded(lead.clone()).iter().rposition(|c| *c == '会').map(|at| lead.start + at) else {
            return false;
        };
        let before = said(will.saturating_sub(2).max(lead.start)..will);
        // 會唔會 asks, 唔會 denies, 機會 supposes; 你會頭暈 takes it up.
        if before.ends_with(['唔', '机']) || symptom && before.ends_with('你') {
            return false;
        }
        let named =
            self.utterance.within(will + 1..mention.start).iter().filter(|hit| matches!(hit.meaning, Meaning::Condition(_)));
        let covered: usize = named.map(|hit| hit.end.min(mention.start) - hit.start).sum();
        let left = said(will + 1..mention.start).chars().filter(|c| !" ,、同埋和或者".contains(*c)).count();
        left.saturating_sub(covered) <= WILL
    }

    /// I get hives with X.
    fn comes_with_a_drug(&self, mention: &Mention, clause: &Range<usize>) -> bool {
        let drugs = self.utterance.within(mention.end..clause.end).iter().find(|hit| matches!(hit.meaning, Meaning::Drug(_)));
        let told = Found { start: mention.start, end: mention.end, meaning: Meaning::Condition(mention.condition) };
        drugs.is_some_and(|drug| comes_with(self.utterance, &told, drug))
    }

    /// 食 NSAID 會胃痛: the name, 會, and what it does.
    fn does(&self, mention: &Mention, clause: &Range<usize>) -> bool {
        let mut drugs = self.utterance.within(clause.start..mention.start).iter().rev();
        let Some(drug) = drugs.find(|hit| matches!(hit.meaning, Meaning::Drug(_))) else { return false };
        let between = self.utterance.folded(drug.end..mention.start);
        between.len() <= 3 && between.contains(&'会')
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
        match (net, back) {
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
