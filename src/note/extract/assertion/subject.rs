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
        self.whose(mention, TermKind::Family).is_some_and(|hit| self.is_family(&hit))
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
                    let named = subject != Subject::Patient || self.of_family;
                    subject = if named { subject } else { Subject::Other };
                }
                Some(TermKind::Third) if self.utterance.speaker == Speaker::Relative => subject = Subject::Patient,
                // 我有鼻敏感, says the mother: hers.
                Some(TermKind::Oneself) if self.utterance.speaker == Speaker::Relative && self.acts(hit) => {
                    subject = Subject::Family;
                }
                // 我 alone brings the patient back; in 我阿爸 the relative follows and wins.
                Some(TermKind::Oneself) => subject = Subject::Patient,
                _ => {}
            }
        }
        subject
    }

    /// 婆婆, 你...: a clinician calls the patient, or who comes along, by such a word.
    fn called(&self, hit: &Found) -> bool {
        let clinician = matches!(self.utterance.speaker, Speaker::Doctor | Speaker::Unknown);
        let alone = self.utterance.clause(hit.start).range == (hit.start..hit.end);
        let next = self.utterance.chars.get(hit.end);
        clinician && hit.start == 0 && (alone && next == Some(&',') || next == Some(&'你'))
    }

    /// 老婆話係生蛇: a relative says what it is, and is not who has it.
    fn guesses(&self, hit: &Found) -> bool {
        matches!(self.utterance.folded(hit.end..hit.end + 2), ['话' | '讲', '系' | '可' | '应' | '似' | '我' | '你' | '呢'])
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
                ['自', '己'] | ['本', '身'] | ['细', '个'] | ['都', '有'] | ['以', '前'] | ['做', '女' | '仔' | '老' | '新']
            )
    }

    /// Whether a word for a relative means a relative of the patient: who comes along speaks of the patient by such words too.
    pub fn is_family(&self, hit: &Found) -> bool {
        let Meaning::Term(term) = hit.meaning else { return false };
        let child = self.lexicon.terms.get(term).is_some_and(|term| term.value == "child");
        let owned = self.utterance.owned(hit.start);
        match self.utterance.speaker {
            _ if child && self.child => false,
            Speaker::Relative => !child && owned && !self.brings(hit),
            // 婆婆跌咗三次, says a nurse of the patient.
            Speaker::Doctor if self.lexicon.terms.get(term).is_some_and(|term| term.value == "elder") => owned,
            // 婆婆今日來看青光眼: who is spoken to.
            Speaker::Unknown if hit.start == 0 && self.lexicon.terms.get(term).is_some_and(|term| term.value == "elder") => false,
            Speaker::Doctor | Speaker::Unknown => !child || owned,
            Speaker::Patient => true,
        }
    }
}
