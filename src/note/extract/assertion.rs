//! What is claimed of a condition where it is named: scope rules for Cantonese, within one utterance.
//!
//! The rules, first that fits wins:
//!
//! 1. Not the patient's and not the family's (朋友, 同事), a mere condition of advice (發燒就返嚟), a drug's effect that was
//!    named as such, what an allergy looks like, or a test's name: nothing is claimed.
//! 2. A question asks: 有冇, 係咪, 痛唔痛, a question mark without 幾多 or 點. The next turn may answer.
//! 3. Fear (驚係) is a question nobody asked.
//! 4. A denial reaches forward to the end of its clause, over 、 and bare lists, until 有, 係 or 但係; 唔 only to the next word;
//!    冇 after the name denies it at the end of the clause; 陰性 excludes what it follows.
//! 5. A relative named before (not reset by 我) makes it family history.
//! 6. 懷疑, 可能, 似 make it possible.
//! 7. 以前, 細個, 三年前, 過 or 好返 make it history, unless it still goes on or stays for life.
//! 8. Otherwise it is there.

use std::ops::Range;

use super::mention::Mention;
use super::utterance::{Speaker, Utterance};
use crate::terminology::{ConditionConcept, DrugKind, Found, Lexicon, Meaning, TermKind, UnitKind};

/// What is claimed where a condition is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// There; `explicit` when said so in words (有, 係, how long), not only named.
    Present {
        /// Said so in words.
        explicit: bool,
    },
    /// Suspected.
    Possible,
    /// Denied or excluded.
    Absent,
    /// Once.
    Historical,
    /// A relative's.
    Family,
    /// Asked or feared: open until answered.
    Asked,
    /// Asked of a relative.
    AskedOfFamily,
    /// Nothing.
    Nothing,
}

/// A claim and the rule that made it, for `--explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// What is claimed.
    pub claim: Claim,
    /// The rule.
    pub reason: &'static str,
}

const fn reading(claim: Claim, reason: &'static str) -> Option<Reading> {
    Some(Reading { claim, reason })
}

/// How far a denial, a suspicion or a question reaches without punctuation.
const REACH: usize = 14;
/// How far back a relative is the subject.
const SUBJECT_REACH: usize = 30;
/// A bare list item goes with the clause before it when no more than this is left over besides the names.
const BARE: usize = 2;
/// A stretch of time this long ago is history, in days.
const LONG_AGO: f64 = 60.0;

/// One mention with what stands around it.
pub struct Context<'a> {
    /// Where it was said.
    pub utterance: &'a Utterance,
    /// All mentions of the utterance, in order.
    pub mentions: &'a [Mention],
    /// The lexicon.
    pub lexicon: &'a Lexicon,
}

impl Context<'_> {
    /// What is claimed of a mention.
    #[must_use]
    pub fn read(&self, mention: &Mention) -> Reading {
        self.beside_the_point(mention)
            .or_else(|| self.asked(mention).map(|reading| self.of_whom(mention, reading)))
            .or_else(|| self.denied_or_family(mention))
            .or_else(|| self.uncertain(mention))
            .or_else(|| self.past(mention))
            .unwrap_or_else(|| self.there(mention))
    }

    fn concept(&self, mention: &Mention) -> Option<&ConditionConcept> {
        self.lexicon.conditions.get(mention.condition)
    }

    fn has(&self, range: Range<usize>, kinds: &[TermKind]) -> bool {
        self.utterance.has(self.lexicon, range, kinds)
    }

    fn clause(&self, mention: &Mention) -> Range<usize> {
        self.utterance.clause(mention.head).range
    }

    /// From the clause's start, or from that of the clause it continues as a bare list, to the mention's head.
    fn before(&self, mention: &Mention) -> Range<usize> {
        let mut index = self.utterance.clause_index(mention.head);
        let clauses = self.utterance.clauses();
        let sentence = clauses.get(index).map(|clause| clause.sentence);
        while let Some(clause) = clauses.get(index).filter(|clause| self.bare(&clause.range)) {
            match index.checked_sub(1).and_then(|previous| clauses.get(previous)) {
                Some(previous)
                    if Some(previous.sentence) == sentence && mention.head - previous.range.start < 2 * SUBJECT_REACH =>
                {
                    index -= 1;
                }
                _ => return clause.range.start..mention.head,
            }
        }
        clauses.get(index).map_or(0, |clause| clause.range.start)..mention.head
    }

    /// Whether a clause holds nothing but names of conditions.
    fn bare(&self, clause: &Range<usize>) -> bool {
        let from = self.mentions.partition_point(|mention| mention.start < clause.start);
        let covered: usize = self
            .mentions
            .iter()
            .skip(from)
            .take_while(|mention| mention.end <= clause.end)
            .map(|mention| mention.end - mention.start)
            .sum();
        covered > 0
            && covered + BARE >= clause.len()
            && self.utterance.numbers_in(clause.clone()).is_empty()
            && !self.has(clause.clone(), &[TermKind::Negation, TermKind::Affirmation])
    }

    /// Rule 1.
    fn beside_the_point(&self, mention: &Mention) -> Option<Reading> {
        use TermKind::{Allergy, DrugStopped, Hypothetical, Other, SideEffect, TestVerb};
        let (clause, sentence) = (self.clause(mention), self.utterance.sentence(mention.head));
        let near_sentence = sentence.start.max(mention.head.saturating_sub(SUBJECT_REACH))..mention.head;
        if self.subject(mention) == Subject::Other || self.has(mention.start..mention.end, &[Other]) {
            return reading(Claim::Nothing, "somebody else's");
        }
        if self.has(near_sentence.clone(), &[Hypothetical]) {
            return reading(Claim::Nothing, "hypothetical");
        }
        if self.utterance.speaker != Speaker::Patient && self.safety_net(mention, &sentence) {
            return reading(Claim::Nothing, "advice: come back if");
        }
        if self.has(clause.clone(), &[SideEffect]) {
            return reading(Claim::Nothing, "a drug's side effect");
        }
        let symptom = self.concept(mention).is_some_and(|concept| concept.symptom || concept.icd10.starts_with('L'));
        if symptom && self.has(sentence.start.max(mention.head.saturating_sub(SUBJECT_REACH))..clause.end, &[Allergy]) {
            return reading(Claim::Nothing, "what an allergy looks like");
        }
        let drug_before = self.utterance.within(clause.start..mention.start).iter().any(|hit| match hit.meaning {
            Meaning::Drug(drug) => self.lexicon.drugs.get(drug).is_some_and(|drug| drug.kind != DrugKind::Vaccine),
            Meaning::Allergen(_) => true,
            _ => false,
        });
        let effect = [TermKind::Uncertain, TermKind::UncertainAfter, DrugStopped, TermKind::History, TermKind::HistoryAfter];
        if symptom
            && drug_before
            && (self.has(clause.clone(), &effect) || self.has(clause.start..mention.end + 1, &[TermKind::Reaction]))
        {
            return reading(Claim::Nothing, "a drug's effect, past or feared");
        }
        let just_before = mention.start.saturating_sub(3)..mention.start;
        if self.utterance.terms(self.lexicon, just_before, TestVerb).any(|verb| verb.end == mention.start)
            && !self.has(mention.end..clause.end, &[TermKind::NegativeResult])
        {
            return reading(Claim::Nothing, "a test's name");
        }
        None
    }

    /// Whether what follows in the sentence makes the mention a reason to come back.
    fn safety_net(&self, mention: &Mention, sentence: &Range<usize>) -> bool {
        let after = mention.end..sentence.end.min(mention.end + SUBJECT_REACH);
        let net = self.utterance.terms(self.lexicon, after.clone(), TermKind::SafetyNet).next();
        let back = self.utterance.terms(self.lexicon, after, TermKind::FollowUp).next();
        match (net, back) {
            (Some(net), _) => !self.timed(mention.end..net.start),
            // 返嚟 without a time is no appointment.
            (None, Some(back)) => {
                back.start - mention.end <= 6
                    && !self.timed(mention.end..back.start)
                    && self.utterance.said(back.start..back.end) != "覆診"
            }
            _ => false,
        }
    }

    fn timed(&self, range: Range<usize>) -> bool {
        self.utterance.quantities_in(range.clone()).iter().any(|quantity| quantity.kind == UnitKind::Time)
            || self.has(range, &[TermKind::After])
    }

    /// Rules 2 and 3.
    fn asked(&self, mention: &Mention) -> Option<Reading> {
        let (clause, before) = (self.utterance.clause(mention.head), self.before(mention));
        let range = clause.range.clone();
        if self.scope(&before, mention, &[TermKind::Question]).is_some() || self.a_not_a(mention) {
            return reading(Claim::Asked, "asked");
        }
        let after = mention.end..range.end;
        let ends = [TermKind::Question, TermKind::QuestionEnd];
        let close = after.start..after.end.min(after.start + REACH);
        let resumed = self.has(close.clone(), &[TermKind::Affirmation]) && !clause.asked;
        if self.has(close, &ends) && !resumed {
            return reading(Claim::Asked, "asked, the question word behind it");
        }
        let open = self.has(range.clone(), &[TermKind::OpenQuestion]);
        if clause.asked && self.last_asked(mention) && !open && !self.has(before.clone(), &[TermKind::Ongoing]) {
            let drug = self.utterance.within(range.clone()).iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_)));
            if !drug || self.utterance.speaker == Speaker::Doctor {
                return reading(Claim::Asked, "asked by its tone");
            }
        }
        if self.scope(&before, mention, &[TermKind::Worry]).is_some() {
            return reading(Claim::Asked, "feared");
        }
        None
    }

    fn of_whom(&self, mention: &Mention, reading: Reading) -> Reading {
        if self.subject(mention) == Subject::Family { Reading { claim: Claim::AskedOfFamily, ..reading } } else { reading }
    }

    /// The question mark belongs to the last clause of its sentence and to the bare list before it.
    fn last_asked(&self, mention: &Mention) -> bool {
        let index = self.utterance.clause_index(mention.head);
        let clauses = self.utterance.clauses();
        let sentence = clauses.get(index).map(|clause| clause.sentence);
        let same = |clause: Option<&super::utterance::Clause>| clause.map(|clause| clause.sentence) == sentence;
        !same(clauses.get(index + 1)) || clauses.get(index).is_some_and(|clause| self.bare(&clause.range))
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

    /// The last cue of these kinds before the mention that nothing has ended since; within reach of it or of a list it heads.
    fn scope(&self, before: &Range<usize>, mention: &Mention, kinds: &[TermKind]) -> Option<Found> {
        let mut cue: Option<(Found, usize)> = None;
        for hit in self.utterance.within(before.clone()) {
            match hit.meaning {
                Meaning::Term(term) => {
                    let Some(kind) = self.lexicon.term_kind(term) else { continue };
                    // 懷疑係, 驚係: the 係 belongs to the cue.
                    if kind == TermKind::Affirmation && cue.is_some_and(|(_, reached)| reached == hit.start) {
                        cue = cue.map(|(found, _)| (found, hit.end));
                    } else if kinds.contains(&kind) {
                        cue = Some((*hit, hit.end));
                    } else if matches!(kind, TermKind::Affirmation | TermKind::Contrast | TermKind::DrugPlanned)
                        || ends_scope(kind, kinds)
                    {
                        cue = None;
                    }
                }
                _ => {
                    // A name under the cue carries it on to the next name of the list.
                    if let Some((_, reached)) = cue.as_mut()
                        && hit.start.saturating_sub(*reached) <= REACH
                        && self.names(hit)
                    {
                        *reached = hit.end;
                    }
                }
            }
        }
        cue.filter(|(_, reached)| mention.head.saturating_sub(*reached) <= REACH).map(|(hit, _)| hit)
    }

    fn names(&self, hit: &Found) -> bool {
        matches!(hit.meaning, Meaning::Condition(_) | Meaning::Class(_) | Meaning::Allergen(_))
    }

    /// Rules 4 and 5.
    fn denied_or_family(&self, mention: &Mention) -> Option<Reading> {
        let denied = self.denied(mention);
        match (self.subject(mention), denied) {
            (Subject::Family, None) => reading(Claim::Family, "a relative's"),
            (Subject::Family, Some(_)) => reading(Claim::Nothing, "a relative has it not"),
            (_, Some(reason)) => reading(Claim::Absent, reason),
            _ if self.topic_of_relative(mention) => reading(Claim::Family, "a relative named behind it"),
            _ => None,
        }
    }

    fn denied(&self, mention: &Mention) -> Option<&'static str> {
        let (before, clause) = (self.before(mention), self.clause(mention));
        if let Some(cue) = self.scope(&before, mention, &[TermKind::Negation, TermKind::NotSo]) {
            // 冇食藥 denies the taking; 冇停過 likewise: a drug word between takes the denial.
            let taken = self.has(cue.end..mention.start.max(cue.end), &[TermKind::DrugActive, TermKind::Resolved]);
            return (!taken).then_some("denied before it");
        }
        if self.adjoins_denial(mention) {
            return Some("denied at its first word");
        }
        let near = mention.head.saturating_sub(4).max(clause.start)..mention.head;
        if self.utterance.terms(self.lexicon, near, TermKind::NegationNear).any(|cue| mention.head - cue.end <= 1) {
            return Some("denied next to it");
        }
        self.denied_after(mention, &clause)
    }

    /// 唔食煙, 冇發作: the denial is part of a longer form (唔食) that reaches into the mention.
    fn adjoins_denial(&self, mention: &Mention) -> bool {
        let Some(before) = mention.start.checked_sub(1) else { return false };
        matches!(self.utterance.chars.get(before), Some('唔' | '冇'))
            && self.utterance.within(before..before + 1).iter().any(|hit| hit.end > mention.start && hit.start == before)
    }

    fn denied_after(&self, mention: &Mention, clause: &Range<usize>) -> Option<&'static str> {
        let after = mention.end..clause.end;
        let next_name = self.mentions.iter().find(|other| other.start >= mention.end).map_or(clause.end, |other| other.start);
        let own = mention.end..next_name.min(clause.end);
        if self.has(own.start..own.end.min(own.start + 8), &[TermKind::NegativeResult]) {
            return Some("a negative result");
        }
        let ends = [TermKind::Negation, TermKind::NotSo];
        let last = ends
            .iter()
            .filter_map(|kind| self.utterance.terms(self.lexicon, after.clone(), *kind).last())
            .max_by_key(|cue| cue.end)?;
        let at_end = clause.end - last.end <= 1;
        (at_end && last.start - mention.end <= 5).then_some("denied behind it")
    }

    /// 糖尿我阿媽有: the relative comes after the topic.
    fn topic_of_relative(&self, mention: &Mention) -> bool {
        let clause = self.clause(mention);
        let after = mention.end..clause.end;
        let Some(relative) = self.utterance.terms(self.lexicon, after.clone(), TermKind::Family).next() else { return false };
        self.is_family(relative)
            && self.has(relative.end..clause.end, &[TermKind::Affirmation])
            && !self.mentions.iter().any(|other| other.start >= relative.end && other.end <= clause.end)
    }

    fn subject(&self, mention: &Mention) -> Subject {
        let sentence = self.utterance.sentence(mention.head);
        let range = sentence.start.max(mention.head.saturating_sub(SUBJECT_REACH))..mention.head;
        let mut subject = Subject::Patient;
        for hit in self.utterance.within(range) {
            let Meaning::Term(term) = hit.meaning else { continue };
            match self.lexicon.term_kind(term) {
                Some(TermKind::Family) => subject = if self.is_family(hit) { Subject::Family } else { Subject::Patient },
                Some(TermKind::Other) => subject = Subject::Other,
                // 我 alone brings the patient back; in 我阿爸 the relative follows and wins.
                Some(TermKind::Oneself) => subject = Subject::Patient,
                _ => {}
            }
        }
        subject
    }

    /// Whether a word for a relative means a relative of the patient: who comes along speaks of the patient by such words too.
    pub fn is_family(&self, hit: &Found) -> bool {
        let Meaning::Term(term) = hit.meaning else { return false };
        let child = self.lexicon.terms.get(term).is_some_and(|term| term.value == "child");
        let owned =
            hit.start.checked_sub(1).and_then(|at| self.utterance.chars.get(at)).is_some_and(|c| matches!(c, '我' | '佢' | '你'));
        match self.utterance.speaker {
            Speaker::Relative => !child && owned,
            Speaker::Doctor | Speaker::Unknown => !child || owned,
            Speaker::Patient => true,
        }
    }

    /// Rule 6.
    fn uncertain(&self, mention: &Mention) -> Option<Reading> {
        let (before, clause) = (self.before(mention), self.clause(mention));
        // 好似 inside a mention (胸口好似大石壓住) is a simile.
        let cue = self.scope(&before, mention, &[TermKind::Uncertain, TermKind::RuleOut]).filter(|cue| cue.start < mention.start);
        if let Some(cue) = cue {
            let done = self.has(cue.end..cue.end + 2, &[TermKind::Past]);
            return if done { reading(Claim::Absent, "ruled out") } else { reading(Claim::Possible, "suspected") };
        }
        let after = mention.end..clause.end.min(mention.end + 5);
        self.has(after, &[TermKind::UncertainAfter]).then_some(Reading { claim: Claim::Possible, reason: "suspected behind it" })
    }

    /// Rule 7.
    fn past(&self, mention: &Mention) -> Option<Reading> {
        let concept = self.concept(mention)?;
        let clause = self.clause(mention);
        let sentence = self.utterance.sentence(mention.head);
        let next = self.mentions.iter().find(|other| other.start >= mention.end).map_or(sentence.end, |other| other.start);
        let behind = mention.end..sentence.end.min(next).min(mention.end + SUBJECT_REACH);
        if self.has(behind.clone(), &[TermKind::Resolved]) {
            return reading(Claim::Historical, "over");
        }
        if self.lasting(clause.clone()) || concept.chronic && !self.has(clause.clone(), &[TermKind::Resolved]) {
            return None;
        }
        let span = clause.start.max(mention.start.saturating_sub(SUBJECT_REACH))..clause.end.min(mention.end + REACH);
        if self.has(span.clone(), &[TermKind::History]) {
            return reading(Claim::Historical, "once");
        }
        if !concept.symptom {
            let just_after = mention.head..(mention.end + 1).min(clause.end);
            if self.has(just_after, &[TermKind::HistoryAfter]) {
                return reading(Claim::Historical, "had it (過)");
            }
            if self.has(span.clone(), &[TermKind::Before]) {
                return reading(Claim::Historical, "a while ago");
            }
        }
        self.long_ago(span.start..clause.end.max(behind.end.min(clause.end + 8)))
            .then_some(Reading { claim: Claim::Historical, reason: "long ago" })
    }

    /// 到而家, 一直, 仲有: what began long ago goes on.
    fn lasting(&self, range: Range<usize>) -> bool {
        self.utterance.terms(self.lexicon, range, TermKind::Ongoing).any(|hit| match hit.meaning {
            Meaning::Term(term) => self.lexicon.terms.get(term).is_some_and(|term| term.value == "lasting"),
            _ => false,
        })
    }

    /// 三年前, 十年前喇.
    fn long_ago(&self, range: Range<usize>) -> bool {
        self.utterance.quantities_in(range).iter().any(|quantity| {
            quantity.kind == UnitKind::Time && quantity.value >= LONG_AGO && self.utterance.chars.get(quantity.end) == Some(&'前')
        })
    }

    /// Rule 8.
    fn there(&self, mention: &Mention) -> Reading {
        let clause = self.clause(mention);
        let near = clause.start.max(mention.head.saturating_sub(REACH))..mention.end;
        let lasting = self
            .utterance
            .quantities_in(mention.end..clause.end.min(mention.end + REACH))
            .iter()
            .any(|quantity| quantity.kind == UnitKind::Time);
        // A vaccine that is given is there, whatever was said of it before.
        let given = self.concept(mention).is_some_and(|concept| concept.icd10.starts_with("Z2"))
            && self.has(clause.clone(), &[TermKind::DrugPlanned]);
        let explicit = lasting || given || self.has(near, &[TermKind::Affirmation, TermKind::Ongoing]);
        Reading { claim: Claim::Present { explicit }, reason: if explicit { "said to be there" } else { "named" } }
    }
}

/// Cues of one kind end the reach of another: 有冇 ends a denial, a denial ends a question.
fn ends_scope(kind: TermKind, kinds: &[TermKind]) -> bool {
    let cue = matches!(kind, TermKind::Question | TermKind::Negation | TermKind::NotSo);
    cue && !kinds.contains(&kind)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Patient,
    Family,
    Other,
}
