//! Across clauses and turns: the answer to what was asked, and relatives named without repeating the disease.

mod again;
mod answers;
mod lasting;
mod sides;

use std::collections::BTreeSet;
use std::ops::Range;

use super::assertion::{Claim, Context, OVER, Reading};
use super::mention::Mention;
use super::quantity::Quantity;
use super::side::said_with;
use super::utterance::{Speaker, Utterance};
use crate::note::Laterality;
use crate::terminology::{Found, Lexicon, Meaning, TermKind};
use answers::{not_me, not_you, replaced, smoking, well, whole};

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
/// What excludes a suspicion as an answer (folded).
const EXCLUDES: [&str; 6] = ["唔系", "唔似", "唔像", "唔会", "not", "不"];
/// How much may lead to a name that sums up what was asked, and follow it.
const LED: usize = 4;
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

/// The longest clause that can be a bare answer.
const ANSWER: usize = 12;

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

    fn claim(&mut self, index: usize, clause: usize, mention: &Mention, reading: Reading, context: &Context<'_>) {
        let mention = &self.of_which_cancer(index, mention, reading.claim);
        let reading = match reading.claim {
            Claim::Present { .. } if self.says_what_was_asked(index, clause, mention, context) => return,
            Claim::Present { .. } if self.sums_up_what_was_asked(index, mention, context) => {
                Reading { claim: Claim::Asked, reason: "what was asked, by its name" }
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
                if claim == Claim::Possible {
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

    /// 食煙? 唔食: the verb or quality asked for, denied or repeated. Gives the character too: of what has it not, nothing is said.
    fn echo(&self, index: usize, context: &Context<'_>, clause: &Range<usize>) -> Option<(Answer, usize, usize, char)> {
        // 都唔食, 我唔食: what opens an answer is not it.
        let lead = context.utterance.folded(clause.clone()).iter().take_while(|c| matches!(c, '我' | '都' | '佢' | ' ')).count();
        let clause = clause.start + lead..clause.end;
        let chars = context.utterance.folded(clause.clone());
        let denied = matches!(chars.first(), Some('唔' | '冇' | '未'));
        let word = chars.get(usize::from(denied))?;
        let short = chars.len() <= 4 + usize::from(denied);
        let here = |pending: &&Pending| pending.asked + 1 == index;
        // 食煙? 食呀, 流鼻水? 流到停唔到: what one does may be repeated alone.
        let goes_on = matches!(chars.get(1), Some('呀' | '紧' | '开' | '㗎' | '啰' | '到' | '啲' | '咗'));
        let does = goes_on
            && self.pending.iter().filter(here).any(|pending| {
                let habit = self.lexicon.conditions.get(pending.mention.condition);
                let habit = habit.is_some_and(|concept| ["F1", "Z72"].iter().any(|code| concept.icd10.starts_with(code)));
                pending.words.first() == Some(word) && (if habit { "食饮抽" } else { "流屙呕咳发" }).contains(*word)
            });
        // A part of the body may open any answer: only what is felt of it, its last character, affirms.
        let repeats = |words: &[char; 2]| words.last() == Some(word) || (denied || does) && words.first() == Some(word);
        let asked = self.pending.iter().filter(here).any(|pending| repeats(&pending.words));
        // 轉就冇: named again, and denied behind it.
        let behind = chars.iter().skip(1).any(|c| matches!(c, '冇' | '唔' | '未'));
        let answer = if denied || behind && !does { Answer::No } else { Answer::Yes };
        (asked && (short || does)).then_some((answer, clause.start, clause.start + 1 + usize::from(denied), *word))
    }

    /// 有冇燒? 探到三十九度四: a reading answers.
    fn measured(&self, index: usize, context: &Context<'_>, clause: &Range<usize>) -> Option<(Answer, usize, usize)> {
        let [only] = self.pending.as_slice() else { return None };
        let concept = self.lexicon.conditions.get(only.mention.condition)?;
        let asked = only.asked + 1 == index && concept.icd10.starts_with("R50");
        let words: String = context.utterance.folded(clause.clone()).iter().collect();
        let number = context.utterance.numbers_in(clause.clone()).iter().find(|number| (38.0..43.0).contains(&number.value))?;
        // 前日燒到三十八度九,今日退咗.
        let over =
            context.utterance.has(self.lexicon, clause.end..context.utterance.ahead(clause.end, AROUND), &[TermKind::Resolved]);
        (asked && !over && words.contains('度')).then_some((Answer::Yes, number.start, number.end))
    }

    /// 一日一包,四年前戒咗: what was answered in the same turn is over.
    fn gave_up(&mut self, index: usize, clause: &Range<usize>) -> bool {
        let told = |event: &&Event| {
            let concept = self.lexicon.conditions.get(event.mention.condition);
            let here = event.answer.is_some_and(|(turn, ..)| turn == index);
            here && concept.is_some_and(|concept| concept.icd10.starts_with("F17"))
        };
        let Some(event) = self.events.last().filter(told).copied() else { return false };
        let answer = Some((index, clause.start, clause.end));
        self.events.push(Event { claim: Claim::Historical, reason: OVER, answer, ..event });
        true
    }

    /// 煙呢? 戒咗五年喇. 食煙嗎? 一日一包.
    fn smokes(&mut self, index: usize, context: &Context<'_>, clause: &Range<usize>) -> bool {
        let of_tobacco = |pending: &Pending| {
            let concept = self.lexicon.conditions.get(pending.mention.condition);
            pending.asked + 1 == index && concept.is_some_and(|concept| concept.icd10.starts_with("F17"))
        };
        let Some(answer) = smoking(context.utterance, clause) else { return false };
        if !self.pending.iter().any(of_tobacco) {
            return answer == Answer::Once && self.gave_up(index, clause);
        }
        // 我冇,我老公一日一包: somebody else's, told just before.
        let aside = [TermKind::Family, TermKind::Other, TermKind::Negation];
        let near = context.utterance.back(clause.start, AROUND)..clause.end;
        if context.utterance.has(self.lexicon, near, &aside) {
            return false;
        }
        let (claim, reason) = match answer {
            Answer::Once => (Claim::Historical, "answered: given up"),
            _ => (Claim::Present { explicit: true }, "answered: so much"),
        };
        let Some(pending) = self.pending.extract_if(.., |pending| of_tobacco(pending)).next() else { return false };
        let said = Some((index, clause.start, clause.end));
        let event = Event::named(pending.utterance, pending.mention, Reading { claim, reason });
        self.events.push(Event { answer: said, ..event });
        true
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

    /// 有冇失眠? 瞓得好好.
    fn slept_well(&self, index: usize, context: &Context<'_>, clause: &Range<usize>) -> Option<(Answer, usize, usize)> {
        let [only] = self.pending.as_slice() else { return None };
        let concept = self.lexicon.conditions.get(only.mention.condition)?;
        (only.asked + 1 == index && well(context.utterance, clause, &concept.icd10)).then_some((
            Answer::No,
            clause.start,
            clause.end,
        ))
    }

    /// What a clause without a name says of the condition that was named last: 家姐有甲亢,我驗過冇 and 我有哮喘,唔係,係鼻敏感.
    fn of_what_was_named(&mut self, index: usize, number: usize, context: &Context<'_>) -> bool {
        let Some(last) = self.events.last().copied().filter(|event| self.pending.is_empty() && event.utterance + 1 >= index)
        else {
            return false;
        };
        let clauses = context.utterance.clauses();
        let Some(clause) = clauses.get(number) else { return false };
        let reason = match last.claim {
            Claim::Family if last.utterance == index && not_me(context.utterance, &clause.range) => "the patient has it not",
            Claim::Present { .. } if last.utterance == index && not_you(context.utterance, &clause.range) => "not the patient's",
            Claim::Present { .. } if replaced(context.utterance, clauses.get(number..).unwrap_or_default()) => "taken back",
            _ => return false,
        };
        let answer = Some((index, clause.range.start, clause.range.end));
        let denied = Reading { claim: Claim::Absent, reason };
        self.events.push(Event { answer, ..Event::named(last.utterance, last.mention, denied) });
        true
    }

    /// A clause that begins with 冇, 唔係, 有 or 都可能 and then names nothing answers what is open.
    fn leading_answer(&mut self, index: usize, number: usize, context: &Context<'_>, named: Option<&Mention>) {
        let Some(clause) = context.utterance.clauses().get(number).cloned() else { return };
        let until = named.map_or(clause.range.end, |mention| mention.start);
        if self.other_side(index, number, context)
            || self.asked_again(index, number, context)
            || named.is_none() && (self.which_side(index, number, context) || self.how_long(index, number, context))
            || named.is_none() && (self.smokes(index, context, &clause.range) || self.of_what_was_named(index, number, context))
        {
            return;
        }
        let answered = whole(context.utterance, &clause.range).or_else(|| self.slept_well(index, context, &clause.range));
        let answered =
            answered.filter(|_| named.is_none()).or_else(|| answer_in(context, clause.range.start..until, named.is_some()));
        let answered = answered.or_else(|| self.measured(index, context, &clause.range));
        let echoed = || self.echo(index, context, &clause.range).filter(|_| named.is_none());
        let answered = answered.map(|(answer, start, end)| (answer, start, end, None));
        let Some((answer, start, end, repeated)) =
            answered.or_else(|| echoed().map(|(answer, start, end, word)| (answer, start, end, Some(word))))
        else {
            return;
        };
        // 嗯 in the middle of a turn is a hesitation.
        if number > 0 && context.utterance.folded(start..end) == ['嗯'] {
            return;
        }
        let clauses = context.utterance.clauses();
        let last_of_question = clause.asked && clauses.get(number + 1).is_none_or(|next| next.sentence != clause.sentence);
        if last_of_question && answer != Answer::Family {
            return;
        }
        if answer == Answer::Family {
            if named.is_none()
                && let Some((utterance, mention)) = self.last.filter(|(utterance, mention)| {
                    utterance + 2 >= index
                        && self.lexicon.conditions.get(mention.condition).is_some_and(|last| !last.icd10.starts_with('Z'))
                })
            {
                let answer = Some((index, start, end));
                self.pending.retain(|pending| pending.mention != mention);
                let theirs = Reading { claim: Claim::Family, reason: "a relative has it" };
                self.events.push(Event { answer, ..Event::named(utterance, mention, theirs) });
            }
            return;
        }
        let open: Vec<Pending> = std::mem::take(&mut self.pending);
        // What is only suspected is excluded by 唔似 or 唔係 alone, and at once; 正常 and 冇 are of something else.
        let said: String = context.utterance.folded(start..end).iter().collect();
        let excludes = EXCLUDES.iter().any(|word| said.contains(word));
        let meant = |pending: &Pending| {
            let here = pending.asked == index && (number == pending.clause + 1 || excludes);
            let next = pending.asked < index && number == 0 && excludes;
            let excluded = pending.open || answer != Answer::No || here || next;
            excluded && repeated.is_none_or(|word| pending.words.contains(&word))
        };
        let (asked, waiting): (Vec<Pending>, Vec<Pending>) =
            open.into_iter().partition(|pending| (pending.asked < index || pending.clause < number) && meant(pending));
        self.pending = waiting;
        // 有少少咳,成個月都有: what was just named goes on, the rest of the list is not affirmed by it.
        if answer == Answer::Yes && self.named_in_turn {
            self.pending.extend(asked);
            return;
        }
        // 有 to a list of three says only that there is something.
        if answer == Answer::Yes && asked.len() > 2 {
            self.unanswered.extend(asked);
            return;
        }
        let (claim, reason) = match answer {
            Answer::Yes => (Claim::Present { explicit: true }, "answered: yes"),
            Answer::Maybe => (Claim::Possible, "answered: maybe"),
            Answer::Once => (Claim::Historical, "answered: had it once"),
            _ => (Claim::Absent, "answered: no"),
        };
        for pending in asked {
            let answer = Some((index, start, end));
            let (claim, reason) = match (pending.family, claim) {
                (true, Claim::Present { .. }) => (Claim::Family, "answered: a relative has it"),
                (true, _) => continue,
                (false, Claim::Present { .. }) if pending.once => (Claim::Historical, "answered: it was once"),
                (false, claim) => (claim, reason),
            };
            self.events.push(Event { answer, ..Event::named(pending.utterance, pending.mention, Reading { claim, reason }) });
        }
    }
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

/// Whether words that no table knows follow an answer.
fn names_something(context: &Context<'_>, rest: Range<usize>) -> bool {
    let unknown = context.utterance.within(rest.clone()).is_empty() && context.utterance.quantities_in(rest.clone()).is_empty();
    unknown
        && context
            .utterance
            .folded(rest)
            .iter()
            .filter(|c| !is_particle(**c) && !matches!(c, '喎' | '㗎' | '啦' | '喇' | '少'))
            .count()
            >= 2
}

/// What may stand before an answer without being one (folded).
fn is_particle(c: char) -> bool {
    " 呀啊哦噢嗯唉咦其实呢呢都亦就又真先医生好哈咁噉嗱睇ok,全部两样三一次通咩嘢".contains(c)
}

/// The answer that a clause gives, and its words.
fn answer_in(context: &Context<'_>, range: Range<usize>, names_follow: bool) -> Option<(Answer, usize, usize)> {
    let mut family = false;
    let mut cursor = range.start;
    for hit in context.utterance.within(range.clone()) {
        let Meaning::Term(term) = hit.meaning else { continue };
        let kind = context.lexicon.term_kind(term)?;
        // Only particles may stand before the answer.
        let between = context.utterance.folded(cursor..hit.start);
        if between.len() > 4 || between.iter().any(|c| !is_particle(*c)) {
            return None;
        }
        cursor = hit.end;
        let answer = match kind {
            TermKind::Family if context.is_family(hit) => {
                family = true;
                continue;
            }
            TermKind::Oneself | TermKind::Third | TermKind::Ongoing | TermKind::Contrast | TermKind::Nothing | TermKind::Now => {
                continue;
            }
            // 細個有, 以前試過: it was.
            TermKind::History
                if context
                    .utterance
                    .folded(hit.end..range.end)
                    .iter()
                    .all(|c| is_particle(*c) || "有试过都成日㗎嘅喇".contains(*c))
                    && context.utterance.folded(hit.end..range.end).iter().any(|c| matches!(c, '有' | '试')) =>
            {
                Answer::Once
            }
            // 之前冇㗎, 體檢正常.
            TermKind::Before | TermKind::History if context.utterance.folded(hit.end..hit.end + 1) == ['冇'] => continue,
            TermKind::Activity | TermKind::Advise | TermKind::Remedy | TermKind::Both => continue,
            // 我老公先有: it is he who has it.
            TermKind::Future if family && context.utterance.folded(hit.start..hit.end) == ['先'] => continue,
            TermKind::HadOnce => Answer::Once,
            TermKind::NoNeed => Answer::No,
            // 係我先生有.
            TermKind::Affirmation
                if context.utterance.folded(hit.start..hit.end) == ['系']
                    && context.utterance.has(context.lexicon, hit.end..hit.end + 2, &[TermKind::Family]) =>
            {
                continue;
            }
            TermKind::Affirmation if family && range.end.saturating_sub(hit.end) <= 1 => Answer::Family,
            _ if family => return None,
            // 有少少自卑 names something else.
            TermKind::Affirmation if names_something(context, hit.end..range.end) => return None,
            // 有就停: if it comes.
            TermKind::Affirmation if context.utterance.folded(hit.end..hit.end + 1) == ['就'] => return None,
            TermKind::Affirmation => Answer::Yes,
            // 唔係佢: of whom, and not what.
            TermKind::NotSo
                if matches!(context.utterance.folded(hit.end..hit.end + 1), ['佢' | '你' | '我'])
                    && range.end.saturating_sub(hit.end) <= 2 =>
            {
                return None;
            }
            // 冇探, 冇度: it was not measured.
            TermKind::Negation
                if matches!(context.utterance.folded(hit.end..hit.end + 1), ['探' | '量' | '度' | '睇' | '验' | '计' | '数'])
                    && range.end.saturating_sub(hit.end) <= 3 =>
            {
                return None;
            }
            // 有時未行到就出咗嚟 tells how it is.
            TermKind::Negation
                if context.utterance.folded(hit.start..hit.end) == ['未']
                    && context
                        .utterance
                        .folded(hit.end..range.end)
                        .iter()
                        .any(|c| !is_particle(*c) && !"有试过试㗎".contains(*c)) =>
            {
                return None;
            }
            TermKind::Negation | TermKind::NotSo => Answer::No,
            TermKind::UncertainAfter => Answer::Maybe,
            TermKind::Uncertain if range.end.saturating_sub(hit.end) <= 1 => Answer::Maybe,
            _ => return None,
        };
        // "冇咳": the denial is the name's, no answer to the rest. A form may reach into the name.
        if names_follow || range.end.saturating_sub(hit.end) > ANSWER {
            return None;
        }
        return Some((answer, hit.start, hit.end));
    }
    None
}
