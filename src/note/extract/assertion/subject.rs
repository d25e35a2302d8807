//! Rule 5: of whom a clause speaks.

use super::{Context, Mention, SUBJECT_REACH, Speaker};
use crate::terminology::{Found, Meaning, TermKind};

/// Of whom something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Of the patient.
    Patient,
    /// Of a relative.
    Family,
    /// Of neither.
    Other,
}

/// What may stand between a name and the 係 that says whose it is (folded).
const LEADS: [&str; 8] = ["", "嗰个", "个个", "就", "先", "嗰位", "嗰个就", "嗰个先"];
/// How far behind a name that 係 is looked for.
const LED_BY: usize = 6;

/// How far behind a name it is taken back and given to a relative.
const NOT_ME: usize = 14;

/// What others see and tell of the patient (folded).
const SEEN: [&str; 6] = ["话眼凸", "话面青", "话面黄", "话眼黄", "话瘦咗", "话扯鼻"];
/// How far before a word for a relative its introduction begins.
const INTRODUCTION: usize = 5;
/// How far behind 我 it is told what of the speaker.
const OF_ONESELF: usize = 14;
/// What somebody who comes along does about the patient (folded).
const NOTICES: [&str; 44] = [
    "觉", "见", "谂", "估", "睇", "听", "闻", "摸", "探", "量", "度", "带", "餵", "喂", "俾", "畀", "比", "怕", "惊", "担", "知",
    "以为", "发现", "话", "问", "想", "叫", "搵", "抱", "帮", "要", "怀疑", "佢", "他", "她", "们", "记", "照顾", "陪", "看",
    "影", "抄", "写", "执",
];

/// Whether these words end with 我做, 我係佢 or the like: what follows is who speaks.
pub fn introduces(lead: &[char]) -> bool {
    let lead: String = lead.iter().filter(|c| **c != ' ').collect();
    ["我做", "我系佢", "我是佢", "我是他", "我是她", "我系他", "我系她", "我系佢嘅", "我是他的", "我是她的", "我系病人", "我作为"]
        .iter()
        .any(|words| lead.ends_with(words))
}

impl Context<'_> {
    /// 糖尿我阿媽有: the relative comes after the topic.
    pub(super) fn topic_of_relative(&self, mention: &Mention) -> bool {
        let clause = self.clause(mention);
        let after = mention.end..clause.end;
        let Some(relative) = self.utterance.terms(self.lexicon, after.clone(), TermKind::Family).next() else { return false };
        let from = self.mentions.partition_point(|other| other.start < relative.end);
        self.is_family(relative)
            && self.has(relative.end..clause.end, &[TermKind::Affirmation])
            && !self
                .mentions
                .get(from..)
                .unwrap_or_default()
                .iter()
                .take_while(|other| other.start < clause.end)
                .any(|other| other.end <= clause.end)
    }

    /// Who stands right behind a name and 係: whose it is. 中風嗰個係佢老公; 高血壓就係我爸爸.
    fn whose(&self, mention: &Mention, kind: TermKind) -> Option<Found> {
        let clause = self.clause(mention).end;
        let behind = self.utterance.folded(mention.end..clause.min(mention.end + LED_BY));
        let is = mention.end + behind.iter().position(|c| *c == '系')?;
        let lead: String = self.utterance.folded(mention.end..is).iter().filter(|c| **c != ' ').collect();
        let near = is..clause.min(is + 4);
        let who = self.utterance.terms(self.lexicon, near, kind).next().copied();
        who.filter(|who| {
            LEADS.contains(&lead.as_str()) && self.utterance.folded(is + 1..who.start).iter().all(|c| "我你佢".contains(*c))
        })
    }

    /// Whether a relative is named behind it as who has it.
    pub(super) fn said_to_be_a_relatives(&self, mention: &Mention) -> bool {
        // 乙肝带菌,不是我,是我先生.
        let until = self.utterance.sentence(mention.head).end.min(self.utterance.ahead(mention.end, NOT_ME));
        let said: String = self.utterance.folded(mention.end..until.max(mention.end)).iter().collect();
        let not_me = said.split_once("唔系我").map(|(lead, rest)| (lead.chars().count(), rest.trim_start_matches([',', ' '])));
        if not_me.is_some_and(|(lead, rest)| lead <= 3 && rest.starts_with("系我"))
            && self.has(mention.end..until.max(mention.end), &[TermKind::Family])
        {
            return true;
        }
        // 病歷寫我有糖尿,嗰係我太太嘅,寫錯咗.
        if self.given_to_a_relative(mention) {
            return true;
        }
        // 有糖尿嗰個係我, says a relative.
        self.whose(mention, TermKind::Family).is_some_and(|hit| self.is_family(&hit))
            || self.whose(mention, TermKind::Oneself).is_some()
                && (self.utterance.speaker == Speaker::Relative
                    || self.utterance.speaker == Speaker::Unknown
                        && self.has(
                            self.utterance.sentence(mention.head).start.max(self.utterance.back(mention.start, SUBJECT_REACH))
                                ..mention.start,
                            &[TermKind::Third],
                        ))
    }

    /// 嗰個係我太太嘅, as the clause behind that of the name.
    fn given_to_a_relative(&self, mention: &Mention) -> bool {
        let next = self.utterance.clause((self.clause(mention).end + 1).min(self.utterance.chars.len())).range;
        let own: String = self.utterance.folded(mention.end..self.clause(mention).end).iter().collect();
        if next.start <= mention.end || own.contains('冇') {
            return false;
        }
        let words: String = self.utterance.folded(next.clone()).iter().collect();
        let points = ["嗰系我", "嗰个系我", "个个系我", "嗰啲系我"].iter().any(|lead| words.starts_with(lead));
        let who = self.utterance.terms(self.lexicon, next.start..next.end.min(next.start + NOT_ME), TermKind::Family).next();
        // 係我媽媽嘅遺傳 goes on.
        let theirs = |who: &Found| {
            let rest: String = self.utterance.folded(who.end..next.end).iter().collect();
            rest.trim_end_matches(|c| "喎㗎呀啊啦喇 ".contains(c)) == "嘅"
        };
        points && who.is_some_and(theirs)
    }

    pub(super) fn subject(&self, mention: &Mention) -> Subject {
        if self.whose(mention, TermKind::Other).is_some() {
            return Subject::Other;
        }
        let sentence = self.utterance.sentence(mention.head);
        let range = sentence.start.max(self.utterance.back(mention.head, SUBJECT_REACH))..mention.head;
        let (mut subject, mut other, mut relative) = (Subject::Patient, 0, None);
        for hit in self.utterance.within(range) {
            let Meaning::Term(term) = hit.meaning else { continue };
            match self.lexicon.term_kind(term) {
                // 隔籬屋個小朋友: the neighbour's, unless it is somebody's own.
                Some(TermKind::Family)
                    if subject == Subject::Other
                        && hit.start <= other + 3
                        && self.utterance.clause_index(hit.start) == self.utterance.clause_index(other)
                        && !self.utterance.owned(hit.start) => {}
                Some(TermKind::Family) if self.called(hit) || self.guesses(hit) => {}
                // 糖尿没有我太太才有,血压高…: what was left to her ends there.
                Some(TermKind::Family) if self.left_to(hit, mention) => subject = Subject::Patient,
                // 我做阿媽嘅, 我係佢太太: who speaks says who they are, and goes on of themselves.
                Some(TermKind::Family) if self.introduces(hit) => {
                    subject = Subject::Family;
                    relative = Some(hit.end);
                }
                // 我同二哥都係多囊腎, says a sister.
                Some(TermKind::Family) if subject == Subject::Family && self.joined_to_oneself(hit) => {}
                // 生細女嗰陣: of who gave birth.
                Some(TermKind::Family) if self.utterance.folded(hit.start.saturating_sub(1)..hit.start) == ['生'] => {}
                // 唔關 BB 事.
                Some(TermKind::Family) if self.utterance.folded(hit.start.saturating_sub(2)..hit.start).contains(&'关') => {}
                // 佢爸爸、叔叔: of a list of relatives the first says whose they are.
                Some(TermKind::Family) => {
                    let listed = relative.is_some_and(|end| {
                        subject == Subject::Family
                            && self.utterance.folded(end..hit.start).iter().all(|c| "、同埋和及,".contains(*c))
                    });
                    subject = if listed || self.is_family(hit) { Subject::Family } else { Subject::Patient };
                    relative = Some(hit.end);
                }
                Some(TermKind::Other) => (subject, other) = (Subject::Other, hit.end),
                // 佢話佢有: of whom the patient speaks so is neither the patient nor, unless one was named, family.
                Some(TermKind::Third)
                    if self.utterance.speaker == Speaker::Patient && (self.acts(hit) || hit.end == mention.start) =>
                {
                    let named = subject != Subject::Patient || self.of_family || self.told_of_a_relative(hit.start);
                    subject = match subject {
                        Subject::Patient if self.told_of_a_relative(hit.start) => Subject::Family,
                        _ if named => subject,
                        _ => Subject::Other,
                    };
                }
                // 妹妹也是肾病对吗? 她是红斑狼疮那种: of whom the turn before asked.
                Some(TermKind::Third)
                    if self.utterance.speaker == Speaker::Unknown
                        && self.of_family
                        && hit.start <= 1
                        && self.acts(hit)
                        && self.set_against_oneself(hit.end) =>
                {
                    subject = Subject::Family;
                }
                // 妈妈传给我的 她后来肝癌死的: no patient died of it.
                Some(TermKind::Third) if self.died_of_it(mention) => {
                    let before = self.utterance.back(hit.start, SUBJECT_REACH)..hit.start;
                    let relative = self.of_family || self.has(before, &[TermKind::Family]);
                    subject = if relative { Subject::Family } else { Subject::Other };
                }
                // warfarin 係爸爸食㗎,佢心房顫動: of whose drug it is.
                Some(TermKind::Third) if self.utterance.speaker == Speaker::Relative && self.follows_an_owner(hit.start) => {
                    subject = Subject::Family;
                }
                Some(TermKind::Third) if self.utterance.speaker == Speaker::Relative => subject = Subject::Patient,
                // 我有鼻敏感, says the mother: hers.
                Some(TermKind::Oneself)
                    if self.utterance.speaker == Speaker::Relative && (self.acts(hit) || self.tells_of_oneself(hit, mention)) =>
                {
                    subject = Subject::Family;
                }
                // 個女執藥。佢自己都有糖尿: she of whom the patient spoke.
                Some(TermKind::Oneself)
                    if matches!(self.utterance.speaker, Speaker::Patient | Speaker::Unknown)
                        && self.utterance.chars.get(hit.start) == Some(&'佢')
                        && (self.of_family && self.utterance.speaker == Speaker::Patient
                            || self.told_of_a_relative(hit.start)) =>
                {
                    subject = Subject::Family;
                }
                // 我 alone brings the patient back; in 我阿爸 the relative follows and wins.
                Some(TermKind::Oneself) => subject = Subject::Patient,
                _ => {}
            }
        }
        subject
    }

    /// 肝癌死嘅, 心臟病走咗: behind a name.
    fn died_of_it(&self, mention: &Mention) -> bool {
        let behind: String = self.utterance.folded(mention.end..mention.end + 4).iter().collect();
        ["死", "走咗", "走嘅", "过身", "过咗身", "去世"].iter().any(|died| behind.starts_with(died))
            && !behind.starts_with("走咗去")
    }

    /// 係爸爸食㗎, right before a place: what is told of is a relative's, says who came along.
    fn follows_an_owner(&self, place: usize) -> bool {
        let before = place.saturating_sub(1)..place;
        let clause = before.start.checked_sub(1).map(|end| self.utterance.clause(end).range);
        clause.filter(|_| self.utterance.folded(before) == [',']).is_some_and(|clause| {
            self.utterance.terms(self.lexicon, clause.clone(), TermKind::Family).any(|hit| {
                let is = self.utterance.folded(hit.start.saturating_sub(1)..hit.start) == ['系'];
                is && matches!(self.utterance.folded(hit.end..hit.end + 1), ['食' | '用' | '打' | '嘅' | '搽'])
                    && self.utterance.another_is_ill(self.lexicon, hit)
            })
        })
    }

    /// 她是红斑狼疮 我不是.
    fn set_against_oneself(&self, from: usize) -> bool {
        let rest: String = self.utterance.folded(from..self.utterance.chars.len().min(from + SUBJECT_REACH)).iter().collect();
        ["我唔系", "我冇", "我就冇"].iter().any(|not| rest.contains(not))
    }

    /// 我太太才有: a clause of its own, before that of the mention, that leaves what was denied to a relative.
    fn left_to(&self, hit: &Found, mention: &Mention) -> bool {
        let clause = self.utterance.clause(hit.start).range;
        clause.end <= mention.start
            && matches!(self.utterance.folded(clause.end.saturating_sub(2)..clause.end), ['才' | '先' | '就', '有'])
    }

    /// Whether the turn has spoken of a relative just before a place.
    fn told_of_a_relative(&self, place: usize) -> bool {
        self.utterance
            .terms(self.lexicon, self.utterance.back(place, SUBJECT_REACH)..place, TermKind::Family)
            .any(|hit| self.is_family(hit))
    }

    /// 我做阿媽嘅, 我係佢老婆: of the speaker, who is a relative.
    fn introduces(&self, hit: &Found) -> bool {
        self.utterance.speaker == Speaker::Relative
            && introduces(self.utterance.folded(hit.start.saturating_sub(INTRODUCTION)..hit.start))
    }

    /// 我同二哥: a relative of who speaks, joined to them.
    fn joined_to_oneself(&self, hit: &Found) -> bool {
        let lead: String = self.utterance.folded(hit.start.saturating_sub(4)..hit.start).iter().collect();
        self.utterance.speaker == Speaker::Relative && ["我同", "我同埋", "我和", "我跟"].iter().any(|with| lead.ends_with(with))
    }

    /// 我就深近視, 我自己都哮喘, 我胃酸倒流食 Nexium, says a relative: of a disease of theirs. 我見佢, 我驚係 tell of the patient.
    fn tells_of_oneself(&self, hit: &Found, mention: &Mention) -> bool {
        let behind: String = self.utterance.folded(hit.end..mention.start.min(hit.end + OF_ONESELF)).iter().collect();
        let said = behind.trim_start_matches(|c| "自己就都亦也仲还先本身一向而家咪又 ,".contains(c));
        // 我自己都便秘㗎.
        if said.is_empty() && behind.starts_with("自己都") {
            return true;
        }
        let disease = self.concept(mention).is_some_and(|concept| !concept.symptom);
        disease && !said.starts_with('哋') && !NOTICES.iter().any(|verb| said.contains(verb))
    }

    /// 婆婆, 你...: a clinician calls the patient, or who comes along, by such a word.
    fn called(&self, hit: &Found) -> bool {
        // 張先生, with a surname.
        let title = matches!(self.utterance.folded(hit.start..hit.end), ['先', '生'] | ['太', '太']);
        let surname = hit.start.checked_sub(1).and_then(|at| self.utterance.chars.get(at)).filter(|_| hit.start == 1);
        if title && surname.is_some_and(|c| *c >= '\u{3400}' && !"我你佢他她个嘅的阿位".contains(*c)) {
            return true;
        }
        let clinician = matches!(self.utterance.speaker, Speaker::Doctor | Speaker::Unknown);
        // 張大個口俾叔叔睇睇: who examines a child.
        let lead = self.utterance.folded(hit.start.saturating_sub(1)..hit.start);
        let examines = matches!(self.utterance.folded(hit.end..hit.end + 1), ['睇' | '听' | '摸' | '检' | '看']);
        if clinician && examines && matches!(lead, ['俾' | '畀' | '比' | '给' | '等']) {
            return true;
        }
        // 先生哪只脚扭亲: a title with a question.
        let asked =
            title && hit.start == 0 && matches!(self.utterance.chars.get(hit.end), Some('哪' | '边' | '几' | '点' | '怎'));
        if clinician && asked {
            return true;
        }
        let alone = self.utterance.clause(hit.start).range == (hit.start..hit.end);
        let next = self.utterance.chars.get(hit.end);
        clinician && hit.start == 0 && (alone && next == Some(&',') || next == Some(&'你'))
    }

    /// 老婆話係生蛇: a relative says what it is, and is not who has it.
    fn guesses(&self, hit: &Found) -> bool {
        matches!(
            self.utterance.folded(hit.end..hit.end + 2),
            ['话' | '讲', '系' | '可' | '应' | '似' | '我' | '你' | '呢' | '食' | '会' | '打']
        ) || SEEN.iter().any(|sign| self.utterance.folded(hit.end..hit.end + 3).iter().copied().eq(sign.chars()))
    }

    /// Whether the turn has told of 佢爸爸 or the like just before.
    fn among_relatives(&self, hit: &Found) -> bool {
        let before = self.utterance.back(hit.start, SUBJECT_REACH)..hit.start;
        let next = self.utterance.folded(hit.end..hit.end + 2);
        let set_beside = matches!(next, ['净' | '就' | '仲' | '先', _] | ['都', '系' | '有'] | ['有' | '冇', _]);
        set_beside
            && self.utterance.terms(self.lexicon, before, TermKind::Family).any(|other| {
                let ill = |told: &Found| matches!(told.meaning, Meaning::Condition(_));
                self.utterance.folded(other.start.saturating_sub(1)..other.start) == ['佢']
                    && self.utterance.within(other.end..hit.start).iter().any(ill)
                    && self.utterance.folded(other.start..other.end) != self.utterance.folded(hit.start..hit.end)
            })
    }

    /// 我媽咪跌親: with these words somebody who comes along says whom they bring.
    fn brings(&self, hit: &Found) -> bool {
        self.opening && hit.start == 1 && self.utterance.chars.first() == Some(&'我')
    }

    /// 佢有, 佢話, 我細個: a person of whom something is told.
    pub(super) fn acts(&self, person: &Found) -> bool {
        let next = self.utterance.folded(person.end..person.end + 2);
        matches!(next, ['有' | '话' | '系', _])
            || matches!(
                next,
                ['自', '己']
                    | ['本', '身']
                    | ['细', '个']
                    | ['都', '有' | '话' | '系']
                    | ['以', '前']
                    | ['做', '女' | '仔' | '老' | '新']
            )
    }

    /// Whether a word for a relative means a relative of the patient: who comes along speaks of the patient by such words too.
    pub fn is_family(&self, hit: &Found) -> bool {
        let Meaning::Term(term) = hit.meaning else { return false };
        let child = self.lexicon.terms.get(term).is_some_and(|term| term.value == "child");
        let owned = self.utterance.owned(hit.start);
        match self.utterance.speaker {
            _ if child && self.child => false,
            // 佢爸爸有哮喘。家姐淨係鼻敏感: after one of the patient's relatives another is no patient.
            Speaker::Relative => !child && (owned || self.among_relatives(hit)) && !self.brings(hit),
            // 婆婆跌咗三次, says a nurse of the patient.
            Speaker::Doctor if self.lexicon.terms.get(term).is_some_and(|term| term.value == "elder") => owned,
            // 婆婆今日來看青光眼: who is spoken to.
            Speaker::Unknown if hit.start == 0 && self.lexicon.terms.get(term).is_some_and(|term| term.value == "elder") => false,
            Speaker::Doctor | Speaker::Unknown => !child || owned,
            Speaker::Patient => true,
        }
    }
}
