//! Across clauses and turns: the answer to what was asked, and relatives named without repeating the disease.

use super::assertion::{Claim, Context, Reading};
use super::mention::Mention;
use super::utterance::Utterance;
use crate::terminology::{Lexicon, Meaning, TermKind};

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
}

/// The conditions claimed in a talk, in order.
#[must_use]
pub fn events(utterances: &[Utterance], mentions: &[Vec<Mention>], lexicon: &Lexicon) -> Vec<Event> {
    let mut talk = Talk { lexicon, pending: Vec::new(), last: None, events: Vec::new() };
    for (index, (utterance, mentions)) in utterances.iter().zip(mentions).enumerate() {
        talk.turn(index, &Context { utterance, mentions, lexicon });
    }
    talk.events
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    utterance: usize,
    clause: usize,
    mention: Mention,
    /// Asked of a relative, not of the patient.
    family: bool,
}

struct Talk<'a> {
    lexicon: &'a Lexicon,
    pending: Vec<Pending>,
    last: Option<(usize, Mention)>,
    events: Vec<Event>,
}

/// What a clause without a condition's name answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    Maybe,
    Family,
}

/// The longest clause that can be a bare answer.
const ANSWER: usize = 12;

impl Talk<'_> {
    fn turn(&mut self, index: usize, context: &Context<'_>) {
        // A question waits for one turn.
        self.pending.retain(|pending| pending.utterance + 1 >= index);
        let mut rest = context.mentions;
        for (number, clause) in context.utterance.clauses().iter().enumerate() {
            let inside = rest.iter().take_while(|mention| mention.head < clause.range.end.max(clause.range.start + 1)).count();
            let (here, later) = rest.split_at_checked(inside).unwrap_or((rest, &[]));
            rest = later;
            self.leading_answer(index, number, context, here.first());
            for mention in here {
                let reading = context.read(mention);
                self.claim(index, number, mention, reading);
            }
        }
    }

    fn claim(&mut self, index: usize, clause: usize, mention: &Mention, reading: Reading) {
        let code = |condition: usize| self.lexicon.conditions.get(condition).and_then(|concept| concept.icd10.get(..3));
        match reading.claim {
            Claim::Asked | Claim::AskedOfFamily => {
                let family = reading.claim == Claim::AskedOfFamily;
                self.pending.push(Pending { utterance: index, clause, mention: *mention, family });
            }
            Claim::Nothing => return,
            claim => {
                let named = code(mention.condition);
                if claim == Claim::Possible {
                    // What is suspected may be excluded in the next breath: 都睇埋, 唔似.
                    self.pending.push(Pending { utterance: index, clause, mention: *mention, family: false });
                } else if claim != Claim::Family {
                    self.pending.retain(|pending| code(pending.mention.condition) != named);
                }
                self.events.push(Event { utterance: index, mention: *mention, claim, reason: reading.reason, answer: None });
            }
        }
        self.last = Some((index, *mention));
    }

    /// A clause that begins with 冇, 唔係, 有 or 都可能 and then names nothing answers what is open.
    fn leading_answer(&mut self, index: usize, number: usize, context: &Context<'_>, named: Option<&Mention>) {
        let Some(clause) = context.utterance.clauses().get(number).cloned() else { return };
        let until = named.map_or(clause.range.end, |mention| mention.start);
        let Some((answer, start, end)) = answer_in(context, clause.range.start..until, named.is_some()) else { return };
        let clauses = context.utterance.clauses();
        let last_of_question = clause.asked && clauses.get(number + 1).is_none_or(|next| next.sentence != clause.sentence);
        if last_of_question && answer != Answer::Family {
            return;
        }
        if answer == Answer::Family {
            if named.is_none()
                && let Some((utterance, mention)) = self.last
            {
                let answer = Some((index, start, end));
                self.pending.retain(|pending| pending.mention != mention);
                self.events.push(Event { utterance, mention, claim: Claim::Family, reason: "a relative has it", answer });
            }
            return;
        }
        let open: Vec<Pending> = std::mem::take(&mut self.pending);
        let (asked, waiting): (Vec<Pending>, Vec<Pending>) =
            open.into_iter().partition(|pending| pending.utterance < index || pending.clause < number);
        self.pending = waiting;
        // 有 to a list of three says only that there is something.
        if answer == Answer::Yes && asked.len() > 2 {
            return;
        }
        let (claim, reason) = match answer {
            Answer::Yes => (Claim::Present { explicit: true }, "answered: yes"),
            Answer::Maybe => (Claim::Possible, "answered: maybe"),
            _ => (Claim::Absent, "answered: no"),
        };
        for pending in asked {
            let answer = Some((index, start, end));
            let (claim, reason) = match (pending.family, claim) {
                (true, Claim::Present { .. }) => (Claim::Family, "answered: a relative has it"),
                (true, _) => continue,
                (false, claim) => (claim, reason),
            };
            self.events.push(Event { utterance: pending.utterance, mention: pending.mention, claim, reason, answer });
        }
    }
}

/// The answer that a clause gives, and its words.
fn answer_in(context: &Context<'_>, range: std::ops::Range<usize>, names_follow: bool) -> Option<(Answer, usize, usize)> {
    let mut family = false;
    let mut cursor = range.start;
    for hit in context.utterance.within(range.clone()) {
        let Meaning::Term(term) = hit.meaning else { continue };
        let kind = context.lexicon.term_kind(term)?;
        // Only particles may stand before the answer.
        if hit.start.saturating_sub(cursor) > 3 {
            return None;
        }
        cursor = hit.end;
        let answer = match kind {
            TermKind::Family if context.is_family(hit) => {
                family = true;
                continue;
            }
            TermKind::Oneself | TermKind::Third | TermKind::Ongoing | TermKind::Contrast | TermKind::Nothing => continue,
            TermKind::Affirmation if family && range.end - hit.end <= 1 => Answer::Family,
            _ if family => return None,
            TermKind::Affirmation => Answer::Yes,
            TermKind::Negation | TermKind::NotSo => Answer::No,
            TermKind::UncertainAfter => Answer::Maybe,
            _ => return None,
        };
        // "冇咳": the denial is the name's, no answer to the rest.
        if names_follow || range.end - hit.end > ANSWER {
            return None;
        }
        return Some((answer, hit.start, hit.end));
    }
    None
}
