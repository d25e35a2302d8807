//! Across clauses and turns: the answer to what was asked, and relatives named without repeating the disease.

mod again;
mod answers;
mod lasting;
mod reply;
mod sides;

use std::collections::BTreeSet;
use std::ops::Range;

use super::assertion::{Claim, Context, Reading};
use super::mention::Mention;
use super::quantity::Quantity;
use super::side::said_with;
use super::utterance::{Speaker, Utterance};
use crate::note::Laterality;
use crate::terminology::{Found, Lexicon, Meaning, TermKind};

pub use sides::takes_back;

/// A claim about a condition with the words it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// The utterance's place in the talk.
    pub utterance: usize,
    /// The mention; for an answer, the words asked about.
    pub mention: Mention,
    /// What is claimed.
    pub claim: Claim,
    /// The rule.
    pub reason: &'static str,
    /// The answer's words, when the claim is an answer: utterance, start, end.
    pub answer: Option<(usize, usize, usize)>,
    /// The side that takes the place of one said before.
    pub side: Option<Laterality>,
    /// How long it has lasted, where that was answered or put right.
    pub time: Option<Quantity>,
    /// Whether it was told of a time, or of a drug that was stopped, and may be what the drug did.
    of_drug: bool,
    /// Whether a side was said with it.
    sided: bool,
}

impl Event {
    /// A claim that a condition's own words make.
    #[must_use]
    pub fn named(utterance: usize, mention: Mention, reading: Reading) -> Self {
        let Reading { claim, reason } = reading;
        Self { utterance, mention, claim, reason, answer: None, side: None, time: None, of_drug: false, sided: false }
    }
}

/// The conditions claimed in a talk, in order.
#[must_use]
pub fn events(utterances: &[Utterance], mentions: &[Vec<Mention>], lexicon: &Lexicon) -> Vec<Event> {
    let mut talk = Talk {
        lexicon,
        utterances,
        pending: Vec::new(),
        unanswered: Vec::new(),
        cancer: None,
        of_relative: None,
        last: None,
        named_in_turn: false,
        events: Vec::new(),
    };
    let child = about_a_child(utterances, lexicon);
    let mut came_along = false;
    for (index, (utterance, mentions)) in utterances.iter().zip(mentions).enumerate() {
        let previous = index.checked_sub(1).and_then(|before| utterances.get(before));
        let said = |kind| previous.is_some_and(|before| before.has(lexicon, 0..before.chars.len(), &[kind]));
        let (of_allergy, of_family) = (said(TermKind::Allergy), said(TermKind::Family));
        let of_drug = previous.is_some_and(|before| before.found.iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_))));
        let opening = !came_along;
        came_along |= utterance.speaker == Speaker::Relative;
        let all_denied = utterance.speaker != Speaker::Patient && utterances.get(index + 1).is_some_and(denies_all);
        let asked: Vec<usize> =
            talk.pending.iter().filter(|pending| pending.asked + 1 == index).map(|pending| pending.mention.condition).collect();
        let asked_before = asked.as_slice();
        talk.turn(
            index,
            &Context { utterance, mentions, lexicon, child, of_allergy, of_drug, of_family, opening, all_denied, asked_before },
        );
    }
    talk.all()
}

/// How an answer opens that denies all that was asked (folded).
const ALL_DENIED: [&str; 5] = ["都冇", "都无", "都没有", "全部冇", "样样冇"];
/// How far around a name it is told when it was and what came of it.
const AROUND: usize = 30;
/// How many turns back the cancer may be that is denied without its site.
const CANCER: usize = 6;
/// How much may lead to a name that sums up what was asked, and follow it.
const LED: usize = 4;
/// The longest turn that says no more than yes.
const WORDS: usize = 6;
/// How many segments in a parent says whom the visit is for.
const OPENING: usize = 3;

/// Whether somebody unnamed opens the talk with a child of theirs, before saying anything of themselves.
fn about_a_child(utterances: &[Utterance], lexicon: &Lexicon) -> bool {
    let opening = utterances.iter().take(OPENING).filter(|utterance| utterance.speaker == Speaker::Unknown);
    opening
        .flat_map(|utterance| &utterance.found)
        .filter_map(|hit| match hit.meaning {
            Meaning::Term(term) => lexicon.terms.get(term),
            _ => None,
        })
        .find(|term| term.kind == TermKind::Family)
        .is_some_and(|term| term.value == "child")
}

/// The most questions that wait for an answer at once.
const MOST_PENDING: usize = 24;

#[derive(Debug, Clone, Copy)]
struct Pending {
    /// Where it is named.
    utterance: usize,
    /// The turn that asks for it, and the clause there.
    asked: usize,
    clause: usize,
    mention: Mention,
    /// Asked of a relative, not of the patient.
    family: bool,
    /// What an answer may repeat: its first character, and the last that is no particle.
    words: [char; 2],
    /// Whether a side was said with it.
    sided: bool,
    /// Asked of what was: 細個有冇哮喘?
    once: bool,
    /// Asked for, and not only suspected.
    open: bool,
}

impl Pending {
    fn new(utterance: usize, clause: usize, mention: &Mention, family: bool, context: &Context<'_>) -> Self {
        let at = |place: usize| context.utterance.chars.get(place).copied().unwrap_or(' ');
        let said = (mention.start..mention.end).rev().find(|place| !matches!(at(*place), '咗' | '到' | '住' | '晒' | '过'));
        let words = [at(mention.start), at(said.unwrap_or(mention.start))];
        let asked = context.utterance.clause(mention.head).range;
        let lead = asked.start.max(context.utterance.back(mention.start, AROUND))..mention.start;
        let childhood = |hit: &Found| match hit.meaning {
            Meaning::Term(term) => context.lexicon.terms.get(term).is_some_and(|term| term.value == "childhood"),
            _ => false,
        };
        // 後生係咪有過肺癆? A disease that stays is asked for though it was asked so.
        let stays = context.lexicon.conditions.get(mention.condition).is_none_or(|concept| concept.chronic || concept.symptom);
        let ever = !stays && context.utterance.folded(mention.start.saturating_sub(1)..mention.start) == ['过'];
        let once =
            ever || context.utterance.terms(context.lexicon, lead, TermKind::History).any(childhood) || context.treated(mention);
        Self {
            utterance,
            asked: utterance,
            clause,
            mention: *mention,
            family,
            words,
            sided: sided(context, mention),
            once,
            open: true,
        }
    }
}

struct Talk<'a> {
    lexicon: &'a Lexicon,
    utterances: &'a [Utterance],
    pending: Vec<Pending>,
    /// What was asked and nobody answered in words that are understood.
    unanswered: Vec<Pending>,
    /// The cancer with a site that was named last, and the turn.
    cancer: Option<(usize, usize)>,
    /// What was asked of a relative last.
    of_relative: Option<Pending>,
    last: Option<(usize, Mention)>,
    /// Whether the turn has already claimed something by its name.
    named_in_turn: bool,
    events: Vec<Event>,
}

/// What a clause without a condition's name answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    Maybe,
    Family,
    /// Had it once (出過).
    Once,
}

impl Talk<'_> {
    /// All events, and last what was asked and is told of nowhere in the talk.
    fn all(mut self) -> Vec<Event> {
        let told: BTreeSet<usize> = self.events.iter().map(|event| event.mention.condition).collect();
        let asked = Reading { claim: Claim::Asked, reason: "asked, and no answer understood" };
        let lost = self.unanswered.iter().filter(|pending| !told.contains(&pending.mention.condition));
        self.events.extend(lost.map(|pending| Event::named(pending.utterance, pending.mention, asked)));
        self.events
    }

    fn turn(&mut self, index: usize, context: &Context<'_>) {
        // A question waits for one turn.
        self.unanswered.extend(self.pending.extract_if(.., |pending| pending.asked + 1 < index).filter(|pending| pending.open));
        self.named_in_turn = false;
        if self.says_that_it_was_asked(index, context) {
            return;
        }
        self.side_effects(index, context);
        let mut rest = context.mentions;
        for (number, clause) in context.utterance.clauses().iter().enumerate() {
            let inside = rest.iter().take_while(|mention| mention.head < clause.range.end.max(clause.range.start + 1)).count();
            let (here, later) = rest.split_at_checked(inside).unwrap_or((rest, &[]));
            rest = later;
            self.leading_answer(index, number, context, here.first());
            for mention in here {
                let reading = context.read(mention);
                self.named_in_turn |= matches!(reading.claim, Claim::Present { .. } | Claim::Absent | Claim::Possible);
                self.claim(index, number, mention, reading, context);
            }
        }
    }

    /// 有冇心悸? 你話心跳得好快嗰隻? 係呀: who asked says what was meant, and the answer is still to come.
    fn says_that_it_was_asked(&mut self, index: usize, context: &Context<'_>) -> bool {
        let words: String = context.utterance.folded(0..context.utterance.chars.len().min(WORDS)).iter().collect();
        let yes = ["系呀", "系啊", "系", "是啊", "对啊", "对", "系喇"].contains(&words.trim_end_matches(['。', ' ']));
        let meant = index.checked_sub(1).and_then(|before| self.utterances.get(before)).is_some_and(|before| {
            let said: String = before.folded(0..before.chars.len()).iter().collect();
            before.speaker != Speaker::Doctor && ["你话", "你讲", "你指", "即系话"].iter().any(|meant| said.contains(meant))
        });
        let clarifies = yes && meant && context.utterance.speaker != Speaker::Patient && !self.pending.is_empty();
        if clarifies {
            self.pending.iter_mut().for_each(|pending| pending.asked = index);
        }
        clarifies
    }

    /// 食完便秘,停咗。 嗰個係副作用: what a drug did that is taken no more was, and is not.
    fn side_effects(&mut self, index: usize, context: &Context<'_>) {
        let all = 0..context.utterance.chars.len();
        if context.utterance.speaker == Speaker::Patient || !context.utterance.has(self.lexicon, all, &[TermKind::SideEffect]) {
            return;
        }
        for event in self.events.iter_mut().rev().take_while(|event| event.utterance + 1 >= index) {
            let symptom = self.lexicon.conditions.get(event.mention.condition).is_some_and(|concept| concept.symptom);
            if event.of_drug && symptom && matches!(event.claim, Claim::Present { .. }) {
                (event.claim, event.reason) = (Claim::Historical, "what a drug did once");
            }
        }
    }

    /// 我細佬係肺癌走嘅. 我睇唔係癌: a cancer denied without its site is the one that was spoken of.
    fn of_which_cancer(&mut self, index: usize, mention: &Mention, claim: Claim) -> Mention {
        let code = self.lexicon.conditions.get(mention.condition).map(|concept| concept.icd10.as_str()).unwrap_or_default();
        let unspecific = ["C80", "C79", "C78"].iter().any(|prefix| code.starts_with(prefix));
        if code.starts_with('C') && !unspecific {
            self.cancer = Some((index, mention.condition));
        }
        let recent = self.cancer.filter(|(said, _)| said + CANCER >= index && code.starts_with("C80") && claim == Claim::Absent);
        recent.map_or(*mention, |(_, condition)| Mention { condition, ..*mention })
    }

    /// What two things share a name for: 抽筋 is a fit of who is feverish, unconscious or small, and a cramp of others; 黐脷根 is a tongue that
    /// does not obey, and in a baby a short frenulum.
    fn by_its_context(&self, index: usize, mention: &Mention, claim: Claim, context: &Context<'_>) -> Mention {
        let utterance = context.utterance;
        let name: String = utterance.folded(mention.start..mention.end).iter().collect();
        let code = self.lexicon.conditions.get(mention.condition).map(|concept| concept.icd10.as_str());
        let said: String = utterance.folded(told_around(context, mention)).iter().collect();
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let meant = match code {
            Some("R56.8") if name.contains("抽筋") => {
                let limb = has(&["腿", "脚", "髀", "手指", "只手", "手抽", "腰", "颈", "肚", "趾"]);
                let fit = has(&["成身", "全身", "四肢", "手脚", "反白", "反晒", "烧", "唔醒", "羊", "震"]);
                let feverish = utterance.speaker != Speaker::Patient || self.feverish(index);
                let asked = matches!(claim, Claim::Asked | Claim::AskedOfFamily | Claim::Absent | Claim::Family);
                (!fit && (limb || !asked && !feverish)).then_some("R25.2")
            }
            Some("R47.1") if name.contains("黐脷") => has(&["奶", "剪", "bb", "吸"]).then_some("Q38.1"),
            _ => None,
        };
        let condition = meant.and_then(|meant| self.lexicon.conditions.iter().position(|concept| concept.icd10 == meant));
        condition.map_or(*mention, |condition| Mention { condition, ..*mention })
    }

    /// Whether this turn or the one before tells of a fever.
    fn feverish(&self, index: usize) -> bool {
        let near = self.utterances.get(index.saturating_sub(1)..=index).unwrap_or_default();
        near.iter().any(|utterance| utterance.chars.contains(&'烧'))
    }

    fn claim(&mut self, index: usize, clause: usize, mention: &Mention, reading: Reading, context: &Context<'_>) {
        let mention = self.of_which_cancer(index, mention, reading.claim);
        let mention = &self.by_its_context(index, &mention, reading.claim, context);
        let reading = match reading.claim {
            Claim::Present { .. } if self.says_what_was_asked(index, clause, mention, context) => return,
            Claim::Present { explicit: false } if self.asks_after_what_was(mention, context) => {
                self.last = Some((index, *mention));
                return;
            }
            Claim::Present { .. } if self.sums_up_what_was_asked(index, mention, context) => {
                Reading { claim: Claim::Asked, reason: "what was asked, by its name" }
            }
            // 發羊吊嗰啲, by who asked; 鼻子出血, behind 什么?
            Claim::Present { explicit: false } if self.asked_in_other_words(index, mention, context) => {
                Reading { claim: Claim::Asked, reason: "what was asked, in other words" }
            }
            Claim::Present { explicit: false } if context.all_denied && alone(context, mention) => {
                Reading { claim: Claim::Asked, reason: "listed, and the answer is that there is none of it" }
            }
            _ => reading,
        };
        let code = |condition: usize| self.lexicon.conditions.get(condition).and_then(|concept| concept.icd10.get(..3));
        match reading.claim {
            Claim::Asked | Claim::AskedOfFamily => {
                let family = reading.claim == Claim::AskedOfFamily;
                self.ask(Pending::new(index, clause, mention, family, context));
            }
            Claim::Nothing => return,
            claim => {
                // 啊唔係,左邊膊頭痛: of what was named with another side.
                let before = clause.checked_sub(1).and_then(|before| sides::corrected(context, before));
                let side = before.map(|(side, _)| side);
                let named = code(mention.condition);
                if matches!(claim, Claim::Present { .. }) && of_a_record(context, mention) {
                    // 電腦寫住你有心房顫動: the answer says whether it is so.
                    self.ask(Pending::new(index, clause, mention, false, context));
                } else if claim == Claim::Possible {
                    // What is suspected may be excluded in the next breath: 都睇埋, 唔似.
                    self.ask(Pending { open: false, ..Pending::new(index, clause, mention, false, context) });
                } else if claim != Claim::Family {
                    self.pending.retain(|pending| code(pending.mention.condition) != named);
                }
                let once = [TermKind::DrugStopped, TermKind::History, TermKind::Before];
                let of_drug = context.utterance.has(self.lexicon, told_around(context, mention), &once);
                let sided = sided(context, mention);
                self.events.push(Event { side, of_drug, sided, ..Event::named(index, *mention, reading) });
            }
        }
        self.last = Some((index, *mention));
    }

    /// 乳癌係邊邊?, of one that was told as over.
    fn asks_after_what_was(&self, mention: &Mention, context: &Context<'_>) -> bool {
        let clause = context.utterance.clause(mention.head).range;
        let open = context.utterance.has(self.lexicon, mention.end..clause.end, &[TermKind::OpenQuestion]);
        let told = self.events.iter().rev().find(|event| event.mention.condition == mention.condition);
        open && asks(context.utterance) && told.is_some_and(|event| event.claim == Claim::Historical)
    }

    /// Haematuria 有冇?血尿呀。 有冇 PMB?收咗經再流血嗰啲: who asks says in other words what was asked.
    fn says_what_was_asked(&self, index: usize, clause: usize, mention: &Mention, context: &Context<'_>) -> bool {
        let same = |pending: &Pending| {
            pending.asked == index && pending.clause < clause && pending.mention.condition == mention.condition
        };
        asks(context.utterance) && self.pending.iter().any(same) && alone(context, mention)
    }

    /// 有冇手震、出冷汗,即係低血糖嗰啲: the name of what was asked.
    fn sums_up_what_was_asked(&self, index: usize, mention: &Mention, context: &Context<'_>) -> bool {
        let clause = context.utterance.clause(mention.head).range;
        let around = |range: Range<usize>| context.utterance.folded(range).iter().filter(|c| **c != ' ').collect::<String>();
        let short = mention.start.saturating_sub(clause.start) <= LED && clause.end.saturating_sub(mention.end) <= LED;
        let named = short && around(clause.start..mention.start) == "即系" && around(mention.end..clause.end).ends_with('啲');
        named && asks(context.utterance) && self.pending.iter().any(|pending| pending.asked == index)
    }

    /// What who asks names again where it was not understood: 發羊吊嗰啲, 鼻子出血 behind 什么?
    fn asked_in_other_words(&self, index: usize, mention: &Mention, context: &Context<'_>) -> bool {
        let utterance = context.utterance;
        let clause = utterance.clause(mention.head).range;
        let whole = clause.start == 0 && clause.end + 1 >= utterance.chars.len() && mention.start == 0;
        let behind: String = utterance.folded(mention.end..clause.end).iter().collect();
        // Only what is short asks what was meant.
        let short = |before: &&Utterance| before.chars.len() <= 2 * WORDS;
        let previous = index.checked_sub(1).and_then(|before| self.utterances.get(before)).filter(short);
        let said: String = previous.map(|before| before.folded(0..before.chars.len()).iter().collect()).unwrap_or_default();
        let puzzled =
            ["咩", "咩话", "什么", "吓", "乜话", "乜嘢", "嗯…等我谂下"].contains(&said.trim_end_matches(['?', '。', '呀', ' ']));
        whole && asks(utterance) && puzzled && ["", "嗰啲", "呢啲", "嗰样", "嗰只"].contains(&behind.as_str())
    }

    fn ask(&mut self, question: Pending) {
        if question.family {
            self.of_relative = Some(question);
        }
        if self.pending.len() == MOST_PENDING {
            self.pending.remove(0);
        }
        self.pending.push(question);
    }
}

/// How a clinician reads out what a record says (folded).
const RECORDS: [&str; 12] =
    ["表格写", "记录话", "纪录话", "电脑写", "病历写", "病历话", "纪录写", "封信写", "封信话", "介信写", "介信话", "系统写"];

/// Whether a condition is read out from a record, before it.
fn of_a_record(context: &Context<'_>, mention: &Mention) -> bool {
    let from = context.utterance.clause(mention.head).range.start.max(context.utterance.back(mention.start, AROUND));
    let lead: String = context.utterance.folded(from..mention.start).iter().collect();
    context.utterance.speaker != Speaker::Patient && RECORDS.iter().any(|record| lead.contains(record))
}

/// Whether this may be who asks.
fn asks(utterance: &Utterance) -> bool {
    matches!(utterance.speaker, Speaker::Doctor | Speaker::Unknown)
}

/// Whether a clause says a condition's name and no more than a particle or 嗰啲 behind it.
fn alone(context: &Context<'_>, mention: &Mention) -> bool {
    let clause = context.utterance.clause(mention.head).range;
    mention.start.saturating_sub(clause.start) == 0 && clause.end.saturating_sub(mention.end) <= 2
}

/// Whether the answer to a turn opens with 都冇: there is nothing of what it lists.
fn denies_all(utterance: &Utterance) -> bool {
    let opening: String = utterance.folded(0..utterance.chars.len().min(4)).iter().collect();
    ALL_DENIED.iter().any(|word| opening.starts_with(word))
}

/// The part of a mention's sentence that is near it.
fn told_around(context: &Context<'_>, mention: &Mention) -> Range<usize> {
    let sentence = context.utterance.sentence(mention.head);
    let start = sentence.start.max(context.utterance.back(mention.start, AROUND));
    start..sentence.end.min(context.utterance.ahead(mention.end, AROUND))
}

/// Whether a side is said with a mention.
fn sided(context: &Context<'_>, mention: &Mention) -> bool {
    said_with(context.utterance, mention, context.lexicon).is_some()
}
