//! What is claimed of a condition where it is named: scope rules for Cantonese, within one utterance.
//!
//! The rules, first that fits wins:
//!
//! 1. Not the patient's and not the family's (朋友, 同事), a mere condition of advice (發燒就返嚟), a drug's effect that was
//!    named as such, what an allergy looks like, or a test's name: nothing is claimed.
//! 2. A question asks: 有冇, 係咪, 痛唔痛, a question mark without 幾多 or 點. The next turn may answer.
//! 3. Fear (驚係) is a question nobody asked.
//! 4. Where a negator meets a verb of opinion, certainty or exclusion, or another negator, both say it together (`polarity`).
//!    A denial reaches forward to the end of its clause, over 、 and bare lists, until 有, 係 or 但係; 唔 only to the next word;
//!    冇 after the name denies it at the end of the clause; 陰性 excludes what it follows.
//! 5. A relative named before (not reset by 我) makes it family history.
//! 6. 懷疑, 可能, 似 make it possible.
//! 7. 以前, 細個, 三年前, 過 or 好返 make it history, unless it still goes on or stays for life.
//! 8. Otherwise it is there.

mod aside;
mod asked;
mod clinician;
mod denied;
mod general;
mod once;
mod polarity;
mod subject;
mod time;
mod to_come;
mod topic;

use std::ops::Range;

use super::list;
use super::mention::Mention;
use super::utterance::{Speaker, Utterance};
use crate::terminology::{ConditionConcept, Found, Lexicon, Meaning, TermKind, UnitKind};
use subject::Subject;

pub use polarity::doubts;
pub use subject::introduces;
pub use time::OVER;

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
/// How far before 有過 who had it is named.
const OWNER: usize = 3;
/// How far behind 好似 what something is like may begin.
const SIMILE: usize = 5;
/// Letters that mean a condition where a clinician denies, suspects or times it, and else may mean anything (folded).
const ABBREVIATIONS: [&str; 3] = ["cp", "pe", "loc"];
/// A bare list item goes with the clause before it when no more than this is left over besides the names.
const BARE: usize = 2;

/// One mention with what stands around it.
pub struct Context<'a> {
    /// Where it was said.
    pub utterance: &'a Utterance,
    /// All mentions of the utterance, in order.
    pub mentions: &'a [Mention],
    /// The lexicon.
    pub lexicon: &'a Lexicon,
    /// Whether the talk is about the speaker's child, as its first words say (我個女燒咗三日).
    pub child: bool,
    /// Whether the turn before spoke of an allergy.
    pub of_allergy: bool,
    /// Whether the turn before spoke of a drug.
    pub of_drug: bool,
    /// Whether the turn before spoke of a relative.
    pub of_family: bool,
    /// Whether nobody who came along has spoken before.
    pub opening: bool,
    /// Whether the next turn opens by denying all that this one lists.
    pub all_denied: bool,
    /// The conditions that the turn before asked for.
    pub asked_before: &'a [usize],
}

impl Context<'_> {
    /// What is claimed of a mention.
    #[must_use]
    pub fn read(&self, mention: &Mention) -> Reading {
        self.beside_the_point(mention)
            .or_else(|| self.asked(mention).map(|reading| self.of_whom(mention, reading)))
            .or_else(|| self.composed(mention))
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

    /// Whether a clause holds nothing but names of conditions and what joins them.
    fn bare(&self, clause: &Range<usize>) -> bool {
        let from = self.mentions.partition_point(|mention| mention.start < clause.start);
        let names: Vec<Range<usize>> = self
            .mentions
            .iter()
            .skip(from)
            .take_while(|mention| mention.end <= clause.end)
            .map(|mention| mention.start..mention.end)
            .collect();
        let covered: usize = names.iter().map(Range::len).sum();
        covered > 0
            && (covered + BARE >= clause.len() || list::joins(self.utterance, clause.clone(), &names))
            && self.utterance.numbers_in(clause.clone()).is_empty()
            && !self.has(
                clause.clone(),
                &[TermKind::Negation, TermKind::Affirmation, TermKind::Uncertain, TermKind::RuleOut, TermKind::Contrast],
            )
            // 冇咳,有膿痰: the 有 may be in the name.
            && self.utterance.folded(clause.start..clause.start + 1) != ['有']
            // 冇整親,香港腳嚟嘅: what it is.
            && !matches!(self.utterance.folded(clause.end.saturating_sub(2)..clause.end), ['嚟' | '来', '嘅' | '㗎' | '的'])
            // 冇骨折,扭親啫: what it is instead.
            && !matches!(self.utterance.folded(clause.end.saturating_sub(1)..clause.end), ['啫' | '咋'])
    }

    fn of_whom(&self, mention: &Mention, reading: Reading) -> Reading {
        if self.subject(mention) == Subject::Family { Reading { claim: Claim::AskedOfFamily, ..reading } } else { reading }
    }

    /// The last cue of these kinds before the mention that nothing has ended since; within reach of it or of a list it heads.
    fn scope(&self, before: &Range<usize>, mention: &Mention, kinds: &[TermKind]) -> Option<Found> {
        let mut cue: Option<(Found, usize)> = None;
        // Where the cue itself ends: what touches a name of its list does not touch it.
        let mut own_end = usize::MAX;
        let mut denied_until: Option<usize> = None;
        for hit in self.utterance.within(before.clone()) {
            match hit.meaning {
                Meaning::Term(term) => {
                    let Some(kind) = self.lexicon.term_kind(term) else { continue };
                    // 耳鳴冇流鼻血… to a question for both: the denial is of what stands before it.
                    if kind == TermKind::Negation && self.answers_behind(hit.start) {
                        continue;
                    }
                    // 有冇見到閃光: the question.
                    let within_question = kind == TermKind::Negation
                        && self.utterance.folded(hit.start.saturating_sub(1)..hit.start + 1) == ['有', '冇']
                        && self.utterance.within(hit.start.saturating_sub(1)..hit.start).iter().any(|whole| {
                            whole.end == hit.start + 1 && matches!(whole.meaning, Meaning::Term(term) if self.lexicon.term_kind(term) == Some(TermKind::Question))
                        });
                    if within_question {
                        continue;
                    }
                    // 驚到成晚瞓唔着: so much that.
                    let so_much =
                        self.utterance.chars.get(hit.end) == Some(&'到') && self.utterance.chars.get(hit.end + 1) != Some(&'系');
                    if kind == TermKind::Worry && so_much {
                        continue;
                    }
                    // I don't have any pain: no question.
                    let english = self.utterance.chars.get(hit.start).is_some_and(char::is_ascii);
                    if kind == TermKind::Question && english && denied_until.is_some_and(|end| hit.start <= end + 1) {
                        continue;
                    }
                    if kind == TermKind::Negation {
                        denied_until = Some(hit.end);
                    }
                    // 懷疑係, 驚係, 懷疑你有: the 係 belongs to the cue.
                    let touches = own_end == hit.start
                        || own_end.saturating_add(1) == hit.start
                            && matches!(self.utterance.chars.get(own_end), Some('你' | '佢'))
                        || kinds.contains(&TermKind::Worry) && own_end < hit.start && self.of_oneself(own_end..hit.start);
                    if kind == TermKind::Affirmation && cue.is_some() && touches {
                        cue = cue.map(|(found, _)| (found, hit.end));
                        own_end = hit.end;
                    } else if kinds.contains(&kind) {
                        cue = Some((*hit, hit.end));
                        own_end = hit.end;
                    } else if kind == TermKind::Affirmation
                        && kinds.contains(&TermKind::Question)
                        && (hit.start <= own_end.saturating_add(2) || self.utterance.folded(hit.start..hit.end) == ['即', '系'])
                    {
                        // 係咪又係: still the question. 有冇手震,即係低血糖嗰啲: so is what explains it.
                    } else if matches!(kind, TermKind::Family | TermKind::Oneself)
                        && kinds.contains(&TermKind::Negation)
                        && (hit.start > own_end.saturating_add(1) || self.utterance.folded(hit.end..hit.end + 2) == ['怀', '疑'])
                    {
                        // 呢個唔似我懷疑係…: what is thought of begins.
                        // 冇做過,我叔叔…: another subject begins.
                        cue = None;
                    } else if kind == TermKind::Family
                        && kinds.contains(&TermKind::Question)
                        && self.begins_of_a_relative(hit, own_end)
                    {
                        // 會唔會係乳癌我阿姨四十歲就乳癌: hers is told.
                        cue = None;
                    } else if kind == TermKind::Uncertain
                        && kinds.contains(&TermKind::Negation)
                        && hit.start > own_end.saturating_add(1)
                        && self.turns_to_what_is_thought(hit)
                    {
                        // 冇發燒多數係坐骨神經痛: what is thought of begins.
                        cue = None;
                    } else if kind == TermKind::History
                        && self.utterance.folded(hit.start..hit.end) == ['有', '过']
                        && self.has(hit.start.saturating_sub(OWNER)..hit.start, &[TermKind::Family])
                    {
                        // 會唔會係卵巢瘤我媽媽有過卵巢瘤: hers is told.
                        cue = None;
                    } else if kind == TermKind::DrugPlanned && cue.is_some() && hit.start <= own_end.saturating_add(1) {
                        // 唔打算打: the verb is what is denied.
                    } else if kind == TermKind::DrugPlanned && kinds.contains(&TermKind::Worry) {
                        // 網上話呢隻藥食得多會骨質疏鬆: still the fear.
                    } else if matches!(kind, TermKind::Affirmation | TermKind::Contrast | TermKind::DrugPlanned)
                        || ends_scope(kind, kinds)
                    {
                        cue = None;
                    }
                }
                _ => {
                    // A name under the cue carries it on to the next name of the list.
                    if let Some((_, reached)) = cue.as_mut()
                        && self.utterance.between(*reached, hit.start) <= REACH
                        && self.names(hit)
                    {
                        *reached = hit.end;
                    }
                }
            }
        }
        cue.filter(|(_, reached)| self.utterance.between(*reached, mention.head) <= REACH).map(|(hit, _)| hit)
    }

    /// Whether a denial stands right behind the name of what the turn before asked for: 胸口痛冇, and then the next of the list.
    fn answers_behind(&self, denial: usize) -> bool {
        let from = self.mentions.partition_point(|other| other.start + 2 * REACH < denial);
        let asked = |other: &&Mention| {
            other.end == denial && self.asked_before.contains(&other.condition) && !self.said_to_be_there(other)
        };
        self.mentions.get(from..).unwrap_or_default().iter().take_while(|other| other.start < denial).any(|other| asked(&other))
    }

    /// 冇發燒多數係…, 唔似…可能係…; not 冇證據話你可能係….
    fn turns_to_what_is_thought(&self, hit: &Found) -> bool {
        let before = self.utterance.folded(hit.start.saturating_sub(1)..hit.start);
        match self.utterance.folded(hit.start..hit.end) {
            ['多', '数', '系'] | ['大', '机', '会', '系'] | ['八', '成', '系'] => true,
            ['可', '能', '系'] => !matches!(before, ['你' | '话' | '佢' | '者' | '冇' | '唔']),
            _ => false,
        }
    }

    /// 我阿姨 behind a question of something else: what is told of her begins. 似我阿媽咁 compares.
    fn begins_of_a_relative(&self, hit: &Found, cue_end: usize) -> bool {
        let lead = self.utterance.folded(hit.start.saturating_sub(2)..hit.start);
        let mine = matches!(lead, [.., '我']) || self.utterance.folded(hit.start..hit.start + 1) == ['我'];
        let compared = lead.iter().any(|c| matches!(c, '似' | '同' | '像' | '学' | '跟' | '传'));
        let from = self.mentions.partition_point(|other| other.start < cue_end);
        let named = self.mentions.get(from..).unwrap_or_default().iter().take_while(|other| other.end <= hit.start).count();
        mine && !compared && named > 0
    }

    /// 驚我都有, worried that I have: of whom is feared.
    fn of_oneself(&self, range: Range<usize>) -> bool {
        let said: String = self.utterance.folded(range).iter().collect();
        let said = said.trim();
        matches!(said, "" | "that" | "i" | "that i") || said.chars().all(|c| "你佢我自己都会又真日".contains(c))
    }

    fn names(&self, hit: &Found) -> bool {
        matches!(hit.meaning, Meaning::Condition(_) | Meaning::Class(_) | Meaning::Allergen(_))
    }

    /// Rules 4 and 5.
    fn denied_or_family(&self, mention: &Mention) -> Option<Reading> {
        // 冇血壓高,血壓高係我爸爸.
        if self.said_to_be_a_relatives(mention) {
            return self.relatives(mention, "a relative named behind it");
        }
        let denied = self.denied(mention);
        match (self.subject(mention), denied) {
            (Subject::Family, None) => self.relatives(mention, "a relative's"),
            (Subject::Family, Some(_)) => reading(Claim::Nothing, "a relative has it not"),
            (_, Some(reason)) => reading(Claim::Absent, reason),
            _ if self.topic_of_relative(mention) => self.relatives(mention, "a relative named behind it"),
            _ => None,
        }
    }

    /// What a relative has: a disease. That their womb was taken out or that they coughed is none of the family; a fit in fever is.
    fn relatives(&self, mention: &Mention, reason: &'static str) -> Option<Reading> {
        let told = self.concept(mention).is_none_or(|concept| {
            !["Z9", "Z3"].iter().any(|code| concept.icd10.starts_with(code))
                && (!concept.symptom || concept.icd10.starts_with("R56"))
        });
        if told { reading(Claim::Family, reason) } else { reading(Claim::Nothing, "a relative's complaint or operation") }
    }

    /// 好似 or 似 right before a mention, and 咁 or 一樣 in it or right behind.
    fn is_simile(&self, cue: &Found, mention: &Mention) -> bool {
        let like = matches!(self.utterance.folded(cue.start..cue.end), ['好', '似'] | ['似'] | ['好', '像'] | ['好', '似', '系']);
        let name = self.utterance.folded(mention.start..mention.end);
        let behind = self.utterance.folded(mention.end..mention.end + 2);
        let so = name.contains(&'咁') || matches!(behind, ['咁', ..] | ['一', '样']) || behind.first() == Some(&'咁');
        self.utterance.speaker != Speaker::Doctor && like && so && self.utterance.between(cue.end, mention.start) <= SIMILE
    }

    /// The first mention that starts behind this one's end.
    fn next_after(&self, mention: &Mention) -> Option<&Mention> {
        self.mentions.get(self.mentions.partition_point(|other| other.start < mention.end))
    }

    /// Rule 6.
    fn uncertain(&self, mention: &Mention) -> Option<Reading> {
        let (before, clause) = (self.before(mention), self.clause(mention));
        // 好似 inside a mention (胸口好似大石壓住) is a simile.
        let cue = self.scope(&before, mention, &[TermKind::Uncertain, TermKind::RuleOut]);
        let cue = cue.or_else(|| self.scope(&before, mention, &[TermKind::Worry]).filter(|cue| self.clinician_fears(cue)));
        let cue = cue
            .or_else(|| self.scope(&before, mention, &[TermKind::Question]).filter(|cue| self.clinician_wonders(cue, mention)));
        let cue = cue.filter(|cue| cue.start < mention.start);
        // 好似魚鱗咁, 好似俾人揸住個心口咁痛: what it is like.
        if let Some(found) = cue
            && self.is_simile(&found, mention)
        {
            let felt = self.concept(mention).is_some_and(|concept| concept.icd10.starts_with('R'));
            return if felt { None } else { reading(Claim::Nothing, "what something is like") };
        }
        // 好似踩住棉花,痺痺哋: a complaint in the next clause is felt and not suspected.
        let symptom = self.concept(mention).is_some_and(|concept| concept.symptom);
        let cue =
            cue.filter(|cue| !symptom || self.utterance.clause_index(cue.start) == self.utterance.clause_index(mention.head));
        if let Some(cue) = cue {
            if self.guessed_by_another(&before, &cue) {
                return reading(Claim::Nothing, "somebody's guess");
            }
            let done = self.has(cue.end..cue.end + 2, &[TermKind::Past]);
            return if done { reading(Claim::Absent, "ruled out") } else { reading(Claim::Possible, "suspected") };
        }
        // 當你不穩定心絞痛先: treated as if it were.
        let lead = self.utterance.folded(mention.start.saturating_sub(3)..mention.start);
        let first = self.utterance.chars.iter().skip(mention.end).take(3).any(|c| *c == '先');
        if first && matches!(lead, [.., '当', '你' | '佢'] | [.., '当', '你' | '佢', '系']) {
            return reading(Claim::Possible, "taken to be");
        }
        let after = mention.end..clause.end.min(self.utterance.ahead(mention.end, 9));
        // 地中海貧血就要排除.
        let excluded = self.utterance.terms(self.lexicon, after.clone(), TermKind::RuleOut).next();
        if excluded
            .is_some_and(|cue| self.next_after(mention).is_none_or(|next| next.start >= clause.end || next.end <= cue.start))
        {
            return reading(Claim::Possible, "to be ruled out");
        }
        self.has(after, &[TermKind::UncertainAfter]).then_some(Reading { claim: Claim::Possible, reason: "suspected behind it" })
    }

    /// 我家姐話我似子宮內膜異位: no clinician's suspicion.
    fn guessed_by_another(&self, before: &Range<usize>, cue: &Found) -> bool {
        let says = |hit: &Found| self.utterance.folded(hit.end..hit.end + 1) == ['话'];
        let who = [TermKind::Family, TermKind::Other];
        self.utterance.speaker != Speaker::Doctor
            && who.iter().any(|kind| self.utterance.terms(self.lexicon, before.start..cue.start, *kind).any(says))
    }

    /// Rule 8.
    fn there(&self, mention: &Mention) -> Reading {
        let clause = self.clause(mention);
        let near = clause.start.max(self.utterance.back(mention.head, REACH))..mention.end;
        let lasting = self
            .utterance
            .quantities_in(mention.end..clause.end.min(self.utterance.ahead(mention.end, REACH)))
            .iter()
            .any(|quantity| quantity.kind == UnitKind::Time);
        // A vaccine that is given is there, whatever was said of it before.
        let given = self.concept(mention).is_some_and(|concept| concept.icd10.starts_with("Z2"))
            && self.has(clause.clone(), &[TermKind::DrugPlanned]);
        let explicit = lasting || given || self.has(near, &[TermKind::Affirmation, TermKind::Ongoing]);
        let name: String = self.utterance.folded(mention.start..mention.end).iter().collect();
        if !lasting && ABBREVIATIONS.contains(&name.as_str()) {
            return Reading { claim: Claim::Nothing, reason: "letters that mean other things too" };
        }
        Reading { claim: Claim::Present { explicit }, reason: if explicit { "said to be there" } else { "named" } }
    }
}

/// Cues of one kind end the reach of another: 有冇 ends a denial, a denial ends a question.
fn ends_scope(kind: TermKind, kinds: &[TermKind]) -> bool {
    let cue = matches!(kind, TermKind::Question | TermKind::Negation | TermKind::NotSo);
    cue && !kinds.contains(&kind)
}
