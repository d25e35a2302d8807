//! Lists of substances: those a sign of allergy governs beside its own clause, and answers that only name them.

use std::ops::Range;

use super::super::clauses::Clause;
use super::super::list;
use super::super::utterance::{Speaker, Utterance};
use super::reaction::{reacts, shows};
use super::whose::left_to_a_relative;
use super::{NEAR, Told, evidence_of, put, substance, substance_named};
use crate::note::AllergyStatus;
use crate::terminology::{Found, Lexicon, Meaning, TermKind};

/// The most clauses that 全部都敏感 speaks of.
const MOST_LISTED: usize = 12;

/// The longest answer that names substances and says no more of them, as [`Utterance::between`] measures.
pub(super) const BARE_ANSWER: usize = 12;

/// 對咩敏感? 磺胺類同海鮮: substances alone, or with what they do.
pub(super) fn named(utterance: &Utterance, lexicon: &Lexicon, all: &mut Vec<Told>) {
    let aside = [
        TermKind::Negation,
        TermKind::NegationNear,
        TermKind::NotSo,
        TermKind::Question,
        TermKind::Family,
        TermKind::Other,
        TermKind::Tolerated,
        TermKind::Allergy,
    ];
    let taken = [TermKind::DrugActive, TermKind::DrugPlanned, TermKind::DrugStopped, TermKind::Frequency];
    // The sentence in which the clause before was left to a relative.
    let mut theirs: Option<usize> = None;
    for Clause { range: clause, sentence, .. } in utterance.clauses().iter().cloned() {
        let own = utterance.has(lexicon, clause.clone(), &[TermKind::Oneself]);
        let relatives = utterance.has(lexicon, clause.clone(), &[TermKind::Family, TermKind::Other]);
        let left = theirs == Some(sentence) && !own;
        theirs = (left || relatives && left_to_a_relative(utterance, lexicon, &clause)).then_some(sentence);
        if left {
            continue;
        }
        let reacts = utterance.has(lexicon, clause.clone(), &[TermKind::Reaction])
            || shows(utterance, lexicon, &clause).is_some()
            || faints_or_chokes(utterance, lexicon, &clause);
        let short = utterance.between(clause.start, clause.end) <= BARE_ANSWER && !utterance.has(lexicon, clause.clone(), &taken);
        let bare = short || substances_alone(utterance, lexicon, clause.clone());
        if utterance.speaker == Speaker::Doctor || utterance.has(lexicon, clause.clone(), &aside) || !(bare || reacts) {
            continue;
        }
        for hit in utterance.within(clause.clone()) {
            if let Some(name) = substance(utterance, hit, lexicon).filter(|name| !name.is_general())
                && let Some(evidence) = evidence_of(utterance, hit.start..hit.end)
            {
                put(all, name, AllergyStatus::Present, evidence);
            }
        }
    }
}

/// 打盤尼西林唞唔到氣: what an allergy does besides, in the answer to a question about allergies.
fn faints_or_chokes(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> bool {
    let chokes = |hit: &&Found| match hit.meaning {
        Meaning::Condition(condition) => {
            let concept = lexicon.conditions.get(condition);
            concept.is_some_and(|concept| ["R06.0", "R55", "R57", "T78"].iter().any(|code| concept.icd10.starts_with(code)))
        }
        _ => false,
    };
    let Some(symptom) = utterance.within(clause.clone()).iter().find(chokes) else { return false };
    // Salbutamol 因為氣促: what it is taken for.
    let given = utterance.within(clause.start..symptom.start).iter().rev().find(|hit| match hit.meaning {
        Meaning::Drug(drug) => {
            lexicon.drugs.get(drug).and_then(|drug| drug.atc.as_deref()).is_none_or(|atc| !atc.starts_with("R03"))
        }
        _ => false,
    });
    let lead = given
        .and_then(|hit| hit.start.checked_sub(1))
        .and_then(|at| utterance.folded(clause.start..at + 1).iter().rev().find(|c| **c != ' '));
    given.is_some_and(|hit| !utterance.folded(hit.end..symptom.start).contains(&'因'))
        && lead.is_none_or(|c| matches!(c, '食' | '打' | '吊' | '过' | '完'))
}

/// Whether a stretch holds names of substances, what they do and what joins them, and says no more.
pub(super) fn substances_alone(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>) -> bool {
    utterance.within(range.clone()).iter().any(|hit| substance_named(utterance, lexicon, hit))
        && list::only_names(utterance, range, |hit| substance_named(utterance, lexicon, hit) || reacts(hit, lexicon))
}

/// The clauses of one sentence that go on with the list of substances that a sign of allergy governs: those behind
/// `allergic to A, B and C` and `Allergies: A, B`, and those before 對 A, B, C 都敏感.
pub(super) fn listed(utterance: &Utterance, lexicon: &Lexicon, sign: &Found) -> Vec<Range<usize>> {
    let index = utterance.clause_index(sign.start);
    let clauses = utterance.clauses();
    let Some(own) = clauses.get(index) else { return Vec::new() };
    let same = |clause: &&Clause| clause.sentence == own.sentence;
    let names = |range: &Range<usize>| substances_alone(utterance, lexicon, without_echo(utterance, range));
    if of_all(utterance, own.range.start..sign.start) {
        let named = |range: &Range<usize>| {
            let aside = [TermKind::Negation, TermKind::NotSo, TermKind::Tolerated, TermKind::Family, TermKind::Other];
            !utterance.has(lexicon, range.clone(), &aside)
        };
        let before = clauses.get(..index).unwrap_or_default().iter().filter(same).map(|clause| clause.range.clone());
        return before.rev().take(MOST_LISTED).filter(named).collect();
    }
    let last = utterance.within(own.range.clone()).iter().rfind(|hit| substance_named(utterance, lexicon, hit));
    // What the sign says of it stands behind the sign, or in the clauses after it.
    let counted = announces(utterance, lexicon, sign.end..own.range.end);
    let forward = match last {
        _ if counted => true,
        Some(last) => {
            let rest = last.end..own.range.end;
            let told = utterance.within(rest.clone()).iter().filter(|hit| reacts(hit, lexicon)).map(|hit| hit.start..hit.end);
            last.start >= sign.end && list::joins(utterance, rest, &told.collect::<Vec<_>>())
        }
        None => own.range.end.saturating_sub(sign.end) <= 2,
    };
    let after = clauses.iter().skip(index + 1).take_while(same).map(|clause| clause.range.clone());
    let mut all: Vec<Range<usize>> =
        after.take_while(|range| (forward || list::opens_with_joint(utterance, range.clone())) && names(range)).collect();
    for clause in clauses.get(..index).unwrap_or_default().iter().rev().take_while(same) {
        let range = clause.range.clone();
        let opens = utterance
            .within(range.clone())
            .iter()
            .rfind(|hit| substance_named(utterance, lexicon, hit))
            .is_some_and(|hit| utterance.folded(range.start..hit.start).contains(&'对') && hit.end == range.end);
        if !forward && (names(&range) || opens) {
            all.push(range);
        }
        if forward || opens || !names(&clause.range) {
            break;
        }
    }
    all
}

/// 另外 latex 都係: the clause without what says that it is so of this one too, and without 一隻, which counts it.
fn without_echo(utterance: &Utterance, range: &Range<usize>) -> Range<usize> {
    let words = utterance.folded(range.clone());
    let echo = ["都系", "都系呀", "亦系", "又系", "都有"].iter().map(|echo| echo.chars().collect::<Vec<_>>());
    let behind = echo.filter(|echo| words.ends_with(echo)).map(|echo| echo.len()).max().unwrap_or_default();
    let counted = words.iter().take_while(|c| matches!(c, '一' | '有' | '只' | '样' | '种' | '个' | '叫' | ' ')).count();
    let start = (range.start + counted).min(range.end);
    start..range.end.saturating_sub(behind).max(start)
}

/// 我敏感嘅藥有兩隻: how many they are, and their names follow.
fn announces(utterance: &Utterance, lexicon: &Lexicon, rest: Range<usize>) -> bool {
    let words = utterance.folded(rest.clone());
    let counts = utterance.numbers_in(rest.clone()).len() == 1 && words.iter().any(|c| matches!(c, '只' | '样' | '种'));
    counts && !utterance.within(rest.clone()).iter().any(|hit| substance_named(utterance, lexicon, hit)) && rest.len() <= NEAR
}

/// 食嘅就蟹,貼嘅就膠布,全部都敏感: the word is of all that the sentence named.
fn of_all(utterance: &Utterance, lead: Range<usize>) -> bool {
    let words: String = utterance.folded(lead).iter().filter(|c| !c.is_whitespace()).collect();
    ["全部都", "全部", "两样都", "三样都", "样样都", "通通都", "两只都", "三只都", "几样都"].contains(&words.as_str())
}
