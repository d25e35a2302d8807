//! Rule 1: what may come, is prevented, vaccinated against or advised against, and when something is taken: none of it is there.

use std::ops::Range;

use super::{Context, Mention, Speaker};
use crate::terminology::{Found, Meaning, TermKind};

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
/// What is done only when something is felt (folded), and how far behind it.
const ONLY_THEN: [&str; 6] = ["先食", "先至食", "才食", "才吃", "先好食", "先用"];
/// The same right behind what is felt: 喘先吸.
const AT_NEED: [&str; 10] = ["先吸", "才吸", "先喷", "才喷", "先搽", "才搽", "先滴", "先至吸", "先唔打", "先至唔"];
/// What vaccines are given against, by its ICD-10 code.
const VACCINATED: [&str; 18] = [
    "A01", "A33", "A35", "A36", "A37", "A39", "A80", "A82", "A83", "A95", "B01", "B05", "B06", "B15", "B16", "B26", "J10", "J11",
];
/// How far before a name 到時 stands, and how far around one its sentence tells of shots.
const THEN: usize = 8;
const ROW: usize = 24;
/// How much may stand between 會 and what will come, besides names.
const WILL: usize = 3;
const WHEN_NEEDED: usize = 8;

impl Context<'_> {
    /// 中風風險會高, 防瘧疾, 傷寒未打過, and a clinician's 大便會黑: what may come, what is kept off and what is vaccinated against.
    pub(super) fn not_yet(&self, mention: &Mention, clause: &Range<usize>) -> Option<&'static str> {
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
        let catching = ["A", "B", "J10", "J11"].iter().any(|code| concept.icd10.starts_with(code));
        let (near, given) = (after.chars().take(5).collect::<String>(), |words: &[&str], text: &str| {
            words.iter().any(|word| text.contains(word))
        });
        // 打第三針新冠嗰晚.
        let shot = before.ends_with('针') && before.contains('打');
        if (catching || concept.icd10.starts_with("U07")) && shot {
            return Some("a vaccine");
        }
        // 排走甲狀腺問題先; 諗緊有咗點算.
        if before.ends_with("排走")
            || concept.icd10.starts_with("Z33") && ["点算", "点办"].iter().any(|worry| after.starts_with(worry))
        {
            return Some("what is looked for or feared");
        }
        if catching && (given(&GIVEN, &near) || GIVES.iter().any(|word| before.ends_with(word))) {
            return Some("a vaccine");
        }
        // 唔好話我血壓又低喎.
        if self.utterance.speaker != Speaker::Doctor
            && before.contains("唔好话我")
            && said(mention.start..mention.end).contains('又')
        {
            return Some("what shall not be said of them");
        }
        // 呢隻唔會手震,口乾就有機會.
        let told_of = self.utterance.speaker == Speaker::Doctor && concept.symptom;
        if told_of && ["就有机会", "会有机会"].iter().any(|may| after.starts_with(may)) {
            return Some("what a drug may do");
        }
        // 打完 COVID 針.
        if concept.icd10.starts_with("U07") && ["针", " 针"].iter().any(|shot| after.starts_with(shot)) {
            return Some("a vaccine");
        }
        // 咁排黃熱、甲肝、傷寒,下星期二嚟打; 打得,左手流感,右手肺炎球菌.
        let preventable = VACCINATED.iter().any(|code| concept.icd10.starts_with(code));
        if preventable && self.utterance.speaker != Speaker::Patient && self.in_a_row_of_vaccines(mention) {
            return Some("a vaccine");
        }
        // 再唔得,到時要排除肺癆: when that time comes.
        let then = said(self.utterance.back(mention.start, THEN).max(clause.start)..mention.start);
        if self.utterance.speaker != Speaker::Patient
            && ["到时要排除", "到时排除", "到时要验", "到时要查", "到时验"].iter().any(|word| then.contains(word))
        {
            return Some("what will be looked for then");
        }
        // 未使換骹住.
        let needless = ["未使", "唔使", "未需要", "唔需要", "使唔使", "要唔要", "等紧", "排紧", "排期"];
        if concept.icd10.starts_with("Z9") && needless.iter().any(|word| before.ends_with(word)) {
            return Some("an operation that is not done");
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

    /// Whether a sentence tells of shots: its names are those of what they are against.
    fn in_a_row_of_vaccines(&self, mention: &Mention) -> bool {
        let sentence = self.utterance.sentence(mention.head);
        let near =
            sentence.start.max(self.utterance.back(mention.start, ROW))..sentence.end.min(self.utterance.ahead(mention.end, ROW));
        let words: String = self.utterance.folded(near).iter().collect();
        let sides = words.contains("左手") && words.contains("右手");
        let shots = ["嚟打", "去打", "打齐", "打晒", "补打"].iter().any(|shot| words.contains(shot));
        shots || sides && words.contains("打得")
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

    /// 食 NSAID 會胃痛: the name, 會, and what it does.
    pub(super) fn does(&self, mention: &Mention, clause: &Range<usize>) -> bool {
        let mut drugs = self.utterance.within(clause.start..mention.start).iter().rev();
        let Some(drug) = drugs.find(|hit| matches!(hit.meaning, Meaning::Drug(_))) else { return false };
        let between = self.utterance.folded(drug.end..mention.start);
        between.len() <= 3 && between.contains(&'会')
    }

    /// 發燒或者痛先食: when it is to be taken.
    pub(super) fn when_needed(&self, mention: &Mention, clause: &Range<usize>) -> bool {
        let end = clause.end.min(mention.end + WHEN_NEEDED);
        let behind: String = self.utterance.folded(mention.end..end.max(mention.end)).iter().filter(|c| **c != ' ').collect();
        behind.starts_with('或') && ONLY_THEN.iter().any(|only| behind.contains(only))
            || AT_NEED.iter().any(|only| behind.starts_with(only))
            // 肚屙就帶 X, 有事先食.
            || behind.starts_with("就带") && self.utterance.speaker != Speaker::Patient && {
                let next = mention.end..clause.end.min(mention.end + 4);
                self.utterance.within(next).iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)))
            }
    }
}
