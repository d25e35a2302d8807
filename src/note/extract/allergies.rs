//! Allergies of the patient, and that there are none.

mod answer;
mod reaction;

use std::ops::Range;

use answer::{answer, answered_at_once};
use reaction::{caused, felt, once_taken, reacts, shows, taken_before};

pub use reaction::comes_with;

use super::utterance::{Speaker, Utterance};
use super::{evidence_of, list};
use crate::note::{Allergy, AllergyStatus, Evidence};
use crate::terminology::{Found, Lexicon, Meaning, TermKind};

/// How far a substance stands from the word for allergy.
const NEAR: usize = 14;

/// The allergen's name in the tables that stands for every food.
const ANY_FOOD: &str = "food";

/// What a form names.
#[derive(Debug, Clone)]
struct Substance {
    name: String,
    /// A drug of the table, not a food and not [`Allergy::ANY_DRUG`].
    drug: bool,
    /// It is not spelt so and only sounds so.
    by_sound: bool,
}

impl Substance {
    fn any_drug() -> Self {
        Self { name: Allergy::ANY_DRUG.to_owned(), drug: false, by_sound: false }
    }

    fn is_any_drug(&self) -> bool {
        self.name == Allergy::ANY_DRUG
    }

    /// Drugs, or food, and none of them by its name: of these only is said that there is no allergy.
    fn is_general(&self) -> bool {
        self.is_any_drug() || self.is_food()
    }

    fn is_food(&self) -> bool {
        self.name == ANY_FOOD
    }
}

/// What was said of a substance.
#[derive(Debug)]
struct Told {
    substance: Substance,
    status: AllergyStatus,
    evidence: Evidence,
}

/// The allergies of a talk.
#[derive(Debug)]
pub struct Allergies {
    /// Those of substances that were named, one for each.
    pub named: Vec<Allergy>,
    /// Those of what only sounds like a name. An allergy has no way to say that it is in doubt, so these are none.
    pub by_sound: Vec<Allergy>,
    /// Answers to a question about allergies of which nothing was understood.
    pub not_understood: Vec<Evidence>,
}

/// A question about allergies that waits for its answer.
struct Asked {
    /// The utterance before the answer.
    index: usize,
    /// What was asked about; nothing where the answer was 有 and its substance is still to come.
    substances: Vec<(Substance, Evidence)>,
}

/// The allergies, one for each substance: later corrects earlier.
#[must_use]
pub fn allergies(utterances: &[Utterance], lexicon: &Lexicon) -> Allergies {
    let mut all: Vec<Told> = Vec::new();
    let mut not_understood = Vec::new();
    let mut asked: Option<Asked> = None;
    for (index, utterance) in utterances.iter().enumerate() {
        let waiting = asked.take().filter(|asked| asked.index + 1 == index);
        let answered = waiting.is_some();
        if let Some(asked) = waiting {
            answer(utterance, lexicon, asked.substances, &mut all);
        }
        let open = statements(utterance, lexicon, &mut all);
        if !open.is_empty() {
            asked = Some(Asked { index, substances: open });
        } else if answered && goes_on(utterance, lexicon) {
            asked = Some(Asked { index, substances: Vec::new() });
        } else if answered && utterance.speaker != Speaker::Doctor {
            not_understood.extend(unread_before(utterance, lexicon, first_told(utterance, &all)));
        }
    }
    let mut found = Allergies { named: Vec::new(), by_sound: Vec::new(), not_understood };
    for Told { substance, status, evidence } in all {
        let list = if substance.by_sound { &mut found.by_sound } else { &mut found.named };
        list.push(Allergy { substance: substance.name, status, provenance: evidence.into() });
    }
    found
}

/// 有。咩藥呀? Neither says what of, so the substance is still to come.
fn goes_on(utterance: &Utterance, lexicon: &Lexicon) -> bool {
    let all = 0..utterance.chars.len();
    let short = utterance.between(all.start, all.end) <= BARE_ANSWER;
    let named = utterance.within(all.clone()).iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_) | Meaning::Allergen(_)));
    let which = utterance.folded(all.clone()).iter().any(|c| matches!(c, '咩' | '乜' | '什' | '边'));
    let which = which || utterance.has(lexicon, all.clone(), &[TermKind::OpenQuestion]);
    let yes = utterance.has(lexicon, all.clone(), &[TermKind::Affirmation]) && unread(utterance, lexicon).is_none();
    let no = utterance.has(lexicon, all, &[TermKind::Negation, TermKind::NotSo]);
    short && !named && !no && (yes || which)
}

/// Where an utterance first tells of an allergy.
fn first_told(utterance: &Utterance, all: &[Told]) -> usize {
    let spans = all.iter().flat_map(|told| told.evidence.spans()).filter(|span| span.segment() == utterance.id);
    spans.map(|span| span.start()).min().unwrap_or(utterance.chars.len())
}

/// The shortest words that could name something, in characters: Chinese and Latin.
const NAME: (usize, usize) = (2, 5);

/// The words of an answer that no table knows.
fn unread(utterance: &Utterance, lexicon: &Lexicon) -> Option<Evidence> {
    unread_before(utterance, lexicon, utterance.chars.len())
}

/// The words of an answer that no table knows, from the first to the last before a place.
fn unread_before(utterance: &Utterance, lexicon: &Lexicon, end: usize) -> Option<Evidence> {
    let known = |hit: &Found| !matches!(hit.meaning, Meaning::Term(term) if lexicon.term_kind(term) == Some(TermKind::Salient));
    let mut names = list::unknown(utterance, 0..end, known);
    names.retain(|run| {
        let latin = utterance.folded(run.clone()).iter().all(char::is_ascii);
        run.len() >= if latin { NAME.1 } else { NAME.0 }
    });
    evidence_of(utterance, names.first()?.start..names.last()?.end)
}

fn put(all: &mut Vec<Told>, substance: Substance, status: AllergyStatus, evidence: Evidence) {
    // What only sounds like a name says nothing new of it, and corrects nothing that was said by the name.
    let same = |told: &Told| told.substance.name == substance.name;
    if substance.by_sound && all.iter().any(|told| same(told) && !told.substance.by_sound && told.status == status) {
        return;
    }
    all.retain(|told| !same(told) || substance.by_sound && !told.substance.by_sound);
    // Somebody allergic to a drug does not have no drug allergy, whichever was said first.
    let to_a_drug = |substance: &Substance, status| substance.drug && status == AllergyStatus::Present;
    if to_a_drug(&substance, status) {
        all.retain(|told| !told.substance.is_any_drug());
    } else if substance.is_any_drug() && all.iter().any(|told| to_a_drug(&told.substance, told.status)) {
        return;
    }
    all.push(Told { substance, status, evidence });
}

/// The longest answer that names substances and says no more of them, as [`Utterance::between`] measures.
const BARE_ANSWER: usize = 12;

/// 對咩敏感? 磺胺類同海鮮: substances alone, or with what they do.
fn named(utterance: &Utterance, lexicon: &Lexicon, all: &mut Vec<Told>) {
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
    for clause in utterance.clauses().iter().map(|clause| clause.range.clone()) {
        let reacts =
            utterance.has(lexicon, clause.clone(), &[TermKind::Reaction]) || shows(utterance, lexicon, &clause).is_some();
        let short = utterance.between(clause.start, clause.end) <= BARE_ANSWER && !utterance.has(lexicon, clause.clone(), &taken);
        let bare = short || substances_alone(utterance, lexicon, clause.clone());
        if utterance.speaker == Speaker::Doctor || utterance.has(lexicon, clause.clone(), &aside) || !(bare || reacts) {
            continue;
        }
        for hit in utterance.within(clause.clone()) {
            if let Some(name) = substance(utterance, hit, lexicon).filter(|name| !name.is_any_drug())
                && let Some(evidence) = evidence_of(utterance, hit.start..hit.end)
            {
                put(all, name, AllergyStatus::Present, evidence);
            }
        }
    }
}

/// Whether a stretch holds names of substances, what they do and what joins them, and says no more.
fn substances_alone(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>) -> bool {
    utterance.within(range.clone()).iter().any(|hit| substance_named(utterance, lexicon, hit))
        && list::only_names(utterance, range, |hit| substance_named(utterance, lexicon, hit) || reacts(hit, lexicon))
}

/// The clauses of one sentence that go on with the list of substances that a sign of allergy governs: those behind
/// `allergic to A, B and C` and `Allergies: A, B`, and those before 對 A, B, C 都敏感.
fn listed(utterance: &Utterance, lexicon: &Lexicon, sign: &Found) -> Vec<Range<usize>> {
    let index = utterance.clause_index(sign.start);
    let clauses = utterance.clauses();
    let Some(own) = clauses.get(index) else { return Vec::new() };
    let same = |clause: &&super::clauses::Clause| clause.sentence == own.sentence;
    let names = |range: &Range<usize>| substances_alone(utterance, lexicon, range.clone());
    let last = utterance.within(own.range.clone()).iter().rfind(|hit| substance_named(utterance, lexicon, hit));
    // What the sign says of it stands behind the sign, or in the clauses after it.
    let forward = match last {
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

fn substance_named(utterance: &Utterance, lexicon: &Lexicon, hit: &Found) -> bool {
    substance(utterance, hit, lexicon).is_some_and(|substance| !substance.is_any_drug())
}

/// The substance that a form names.
fn substance(utterance: &Utterance, hit: &Found, lexicon: &Lexicon) -> Option<Substance> {
    let (name, drug) = match hit.meaning {
        Meaning::Drug(drug) => (lexicon.drugs.get(drug)?.name.clone(), true),
        Meaning::Allergen(allergen) => (lexicon.allergens.get(allergen)?.clone(), false),
        Meaning::Term(term) if lexicon.term_kind(term) == Some(TermKind::AnyDrug) => return Some(Substance::any_drug()),
        _ => return None,
    };
    Some(Substance { name, drug, by_sound: utterance.is_misspelt(hit.start..hit.end) })
}

/// The question mark asks the last clause of its sentence: in 我對蝦敏感,打得唔打得? the allergy is told.
fn last_clause(utterance: &Utterance, clause: &Range<usize>) -> bool {
    utterance.sentence(clause.start).end <= clause.end
}

/// What an utterance says of allergies; gives back what it asks.
fn statements(utterance: &Utterance, lexicon: &Lexicon, all: &mut Vec<Told>) -> Vec<(Substance, Evidence)> {
    let mut asked = Vec::new();
    let mut relative: Option<Range<usize>> = None;
    for clause in utterance.clauses() {
        let range = patients_own(utterance, lexicon, clause.range.clone());
        let range = told_from(utterance, lexicon, &range)..range.end;
        if relatives(utterance, lexicon, range.start, range.end) {
            relative = utterance.has(lexicon, range.clone(), &[TermKind::Allergy]).then(|| range.clone()).or(relative);
            continue;
        }
        if let Some(told) = relative.take() {
            but_not_me(utterance, lexicon, told, &range, all);
        }
        let hits = utterance.within(range.clone()).iter();
        let mut named: Vec<(Substance, &Found)> =
            hits.filter_map(|hit| substance(utterance, hit, lexicon).map(|name| (name, hit))).collect();
        let sign = utterance.terms(lexicon, range.clone(), TermKind::Allergy).next();
        let list = sign.map(|sign| listed(utterance, lexicon, sign)).unwrap_or_default();
        // 我食過 X,塊面腫晒,話係敏感: of what was taken.
        if let Some(sign) = sign
            && named.is_empty()
            && !clause.asked
            && utterance.speaker != Speaker::Doctor
            && !utterance.has(
                lexicon,
                range.clone(),
                &[TermKind::Negation, TermKind::NotSo, TermKind::NegationNear, TermKind::Question],
            )
            && let Some((name, hit)) = once_taken(utterance, lexicon, range.start)
            && let Some(evidence) = evidence_of(utterance, hit.start..hit.end).zip(evidence_of(utterance, sign.start..sign.end))
        {
            let (mut evidence, more) = evidence;
            evidence.merge(&more);
            put(all, name, AllergyStatus::Present, evidence);
            continue;
        }
        let mut reactions: Vec<Found> = utterance.terms(lexicon, range.clone(), TermKind::Reaction).copied().collect();
        if reactions.is_empty() {
            reactions.extend(felt(utterance, lexicon, &range));
        }
        if !reactions.is_empty() && named.is_empty() && utterance.speaker != Speaker::Doctor {
            named.extend(taken_before(utterance, lexicon, range.start));
        }
        // Augmentin 都食過,冇事: the sign may stand right behind the comma.
        let taken = utterance.has(lexicon, range.clone(), &[TermKind::DrugStopped]);
        let until = if taken { range.end + 3 } else { range.end };
        // 食到腳筋痛: what it did is no sign that it is borne.
        let borne = |hit: &&Found| !utterance.folded(hit.start..hit.end).ends_with(&['到']) || range.end <= hit.end + 2;
        let tolerated = utterance.terms(lexicon, range.start..until, TermKind::Tolerated).find(borne);
        let question = clause.asked && last_clause(utterance, &range)
            || utterance.has(lexicon, range.clone(), &[TermKind::Question, TermKind::QuestionEnd])
            || asks_which(utterance, lexicon, &range);
        let signs = utterance.terms(lexicon, range.clone(), TermKind::Allergy).count();
        if signs > 1 && utterance.has(lexicon, range.clone(), &[TermKind::NotSo]) {
            // 海鮮敏感唔係顯影劑敏感 compares two allergies and claims neither.
            continue;
        }
        match (sign, reactions.last(), tolerated) {
            (None, None, None) if !question && utterance.has(lexicon, range.clone(), &[TermKind::Negation]) => {
                // 對鰻魚敏感,藥物冇.
                let sentence = utterance.sentence(range.start);
                let recent = sentence.start.max(utterance.back(range.start, 3 * NEAR))..range.start;
                let spoken_of = utterance.has(lexicon, recent, &[TermKind::Allergy]);
                for (name, hit) in named.iter().filter(|_| spoken_of) {
                    if let Some(evidence) = evidence_of(utterance, hit.start..range.end) {
                        put(all, name.clone(), AllergyStatus::None, evidence);
                    }
                }
            }
            (Some(sign), _, _) => {
                let near: Vec<(Substance, usize, usize)> = named
                    .iter()
                    .filter(|(_, hit)| {
                        let (before, after) = (utterance.between(hit.end, sign.start), utterance.between(sign.end, hit.start));
                        hit.start < sign.end && before <= NEAR + 8 || hit.start >= sign.end && after <= NEAR
                    })
                    .map(|(name, hit)| (name.clone(), hit.start.min(sign.start), hit.end.max(sign.end)))
                    .collect();
                // In another clause the words between are not of it.
                let own = |start: usize, end: usize| {
                    let mut evidence = evidence_of(utterance, start..end)?;
                    if start >= range.end || end <= range.start {
                        evidence.merge(&evidence_of(utterance, sign.start..sign.end)?);
                    }
                    Some(evidence)
                };
                let listed = list.iter().flat_map(|range| utterance.within(range.clone())).filter_map(|hit| {
                    let name = substance(utterance, hit, lexicon).filter(|name| !name.is_any_drug())?;
                    Some((name, hit.start, hit.end))
                });
                let listed: Vec<(Substance, usize, usize)> = listed.collect();
                // Drug allergy: A, B. The drug of the heading is not the one.
                let mut near = near;
                near.retain(|(name, ..)| listed.is_empty() || !name.is_any_drug());
                near.extend(listed);
                let denied = denied(utterance, lexicon, sign, &range) || none_headed(utterance, lexicon, sign, &range);
                let near = if near.is_empty() { implied(utterance, lexicon, sign, all, question) } else { near };
                for (name, start, end) in near {
                    let Some(evidence) = own(start, end) else { continue };
                    match (question, denied) {
                        (true, _) => asked.push((name, evidence)),
                        // 唔係食物敏感 says what the rash is not.
                        (false, true)
                            if name.is_food() && utterance.has(lexicon, range.start..sign.start, &[TermKind::NotSo]) => {}
                        (false, true) => put(all, name, AllergyStatus::None, evidence),
                        (false, false) if !name.is_general() => put(all, name, AllergyStatus::Present, evidence),
                        (false, false) => {}
                    }
                }
            }
            (None, Some(_), _) if !question => {
                for reaction in reactions.iter().filter(|reaction| !denied_near(utterance, lexicon, reaction)) {
                    caused(utterance, reaction, &named, all);
                }
            }
            (None, None, Some(sign)) if !question => {
                for (name, hit) in
                    named.iter().filter(|(_, hit)| hit.end <= sign.start || utterance.between(sign.end, hit.start) < NEAR)
                {
                    // 頭孢冇事 speaks of an allergy only where one was feared; for food it always does.
                    if let Some(evidence) = evidence_of(utterance, hit.start.min(sign.start)..hit.end.max(sign.end)) {
                        put(all, name.clone(), AllergyStatus::None, evidence);
                    }
                }
            }
            _ => {}
        }
    }
    if asked.is_empty() { asked_plainly(utterance, lexicon) } else { answered_at_once(utterance, asked, all) }
}

/// 使唔使食抗生素我對盤尼西林敏感: where, behind a question of something else, the patient goes on to tell of themselves.
fn told_from(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> usize {
    let question = utterance.terms(lexicon, clause.clone(), TermKind::Question).last();
    let myself = |hit: &&Found| {
        let next = utterance.chars.get(hit.end);
        matches!(next, Some('对' | '细' | '小' | '以' | '食' | '打' | '试')) && utterance.folded(hit.start..hit.end) == ['我']
    };
    let after = |question: &Found| utterance.terms(lexicon, question.end + 2..clause.end, TermKind::Oneself).find(myself);
    let told = question.and_then(after).map_or(clause.start, |hit| hit.start);
    if utterance.has(lexicon, clause.start..told, &[TermKind::Allergy]) { clause.start } else { told }
}

/// 佢食盤尼西林面腫佢個女就對海鮮敏感: without a mark between, what stands before the relative is the patient's.
fn patients_own(utterance: &Utterance, lexicon: &Lexicon, clause: Range<usize>) -> Range<usize> {
    let relative = [TermKind::Family, TermKind::Other]
        .iter()
        .filter_map(|kind| utterance.terms(lexicon, clause.clone(), *kind).next())
        .min_by_key(|hit| hit.start);
    let Some(relative) = relative else { return clause };
    let own = clause.start..relative.start;
    let told = utterance.has(lexicon, own.clone(), &[TermKind::Allergy, TermKind::Reaction])
        || shows(utterance, lexicon, &own).is_some();
    let named = utterance.within(own.clone()).iter().any(|hit| substance_named(utterance, lexicon, hit));
    if told && named { own } else { clause }
}

/// 對咩藥敏感: a question without its mark.
fn asks_which(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> bool {
    let Some(sign) = utterance.terms(lexicon, clause.clone(), TermKind::Allergy).next() else { return false };
    let before = clause.start..sign.start;
    let which = utterance.folded(before.clone()).iter().any(|c| matches!(c, '咩' | '乜' | '什' | '边'));
    let denied = [TermKind::Negation, TermKind::NegationNear, TermKind::NotSo];
    which && utterance.speaker != Speaker::Patient && !utterance.has(lexicon, before, &denied)
}

/// 我老婆對盤尼西林敏感,我冇: the relative's substance, and that the patient has no such allergy.
fn but_not_me(utterance: &Utterance, lexicon: &Lexicon, told: Range<usize>, clause: &Range<usize>, all: &mut Vec<Told>) {
    let me = utterance.terms(lexicon, clause.clone(), TermKind::Oneself).next();
    let denial = utterance.terms(lexicon, clause.clone(), TermKind::Negation).next();
    let (Some(me), Some(denial)) = (me, denial) else { return };
    if me.start > denial.start || clause.end.saturating_sub(denial.end) > 3 {
        return;
    }
    let hits = utterance.within(told).iter();
    for (name, hit) in hits.filter_map(|hit| substance(utterance, hit, lexicon).map(|name| (name, hit))) {
        if !name.is_any_drug()
            && let Some(mut evidence) = evidence_of(utterance, hit.start..hit.end)
        {
            if let Some(more) = evidence_of(utterance, denial.start..denial.end) {
                evidence.merge(&more);
            }
            put(all, name, AllergyStatus::None, evidence);
        }
    }
}

/// 藥敏? 對盤尼西林點?: a substance and a question without more.
fn asked_plainly(utterance: &Utterance, lexicon: &Lexicon) -> Vec<(Substance, Evidence)> {
    let to = |hit: &Found| hit.start.checked_sub(1).and_then(|at| utterance.chars.get(at)) == Some(&'对');
    utterance
        .found
        .iter()
        .filter(|hit| utterance.clause(hit.start).asked && to(hit))
        .filter_map(|hit| Some((substance(utterance, hit, lexicon)?, evidence_of(utterance, hit.start..hit.end)?)))
        .collect()
}

/// 敏感 with no substance: that of 冇敏感 is any drug, of 後來話冇敏感 the one spoken of.
fn implied(
    utterance: &Utterance,
    lexicon: &Lexicon,
    sign: &Found,
    all: &[Told],
    question: bool,
) -> Vec<(Substance, usize, usize)> {
    let clause = utterance.clause(sign.start).range;
    // 唔算敏感, 唔係敏感 speaks of what was just told, and says nothing of drugs at large.
    if !question && utterance.has(lexicon, clause.start..sign.start, &[TermKind::NotSo]) {
        return Vec::new();
    }
    // A doctor who repeats 冇敏感 repeats what was answered a moment ago.
    let reach = if utterance.speaker == Speaker::Doctor { 1 } else { 0 };
    let chosen = all.last().filter(|_| !question).and_then(|told| {
        let near = |segment: u64| segment <= utterance.id && utterance.id - segment <= reach;
        told.evidence.spans().iter().any(|span| near(span.segment())).then(|| told.substance.clone())
    });
    // 對奶敏感 names something we do not know: it is no word on drugs.
    let lead = utterance.folded(utterance.clause(sign.start).range.start.max(sign.start.saturating_sub(8))..sign.start);
    let open = lead.iter().any(|c| matches!(c, '咩' | '乜' | '什' | '边' | '药'));
    let something_else = !open && lead.iter().position(|c| *c == '对').is_some_and(|at| lead.len() - at > 1);
    let full = sign.end - sign.start >= 2 && !something_else;
    chosen.or_else(|| full.then(Substance::any_drug)).map(|name| (name, sign.start, sign.end)).into_iter().collect()
}

fn denied(utterance: &Utterance, lexicon: &Lexicon, sign: &Found, clause: &Range<usize>) -> bool {
    let kinds = [TermKind::Negation, TermKind::NotSo];
    let before = clause.start.max(utterance.back(sign.start, NEAR))..sign.start;
    let positive = utterance.terms(lexicon, before.clone(), TermKind::Affirmation).last().map_or(0, |hit| hit.end);
    let negative =
        kinds.iter().filter_map(|kind| utterance.terms(lexicon, before.clone(), *kind).last()).map(|hit| hit.end).max();
    let behind = utterance.has(lexicon, sign.end..clause.end.min(sign.end + 5), &kinds);
    negative.is_some_and(|negative| negative > positive) || behind
}

/// NKDA; Allergies: nil.
fn none_headed(utterance: &Utterance, lexicon: &Lexicon, sign: &Found, clause: &Range<usize>) -> bool {
    let said: String = utterance.folded(sign.start..sign.end).iter().collect();
    let heads = utterance.chars.get(clause.end) == Some(&':') && clause.end.saturating_sub(sign.end) <= 2;
    let behind = utterance.clause(clause.end + 1).range;
    let nil = utterance.terms(lexicon, behind.clone(), TermKind::Negation).next();
    said == "nkda" || heads && nil.is_some_and(|nil| nil.start <= behind.start + 1 && behind.end.saturating_sub(nil.end) <= 2)
}

fn denied_near(utterance: &Utterance, lexicon: &Lexicon, hit: &Found) -> bool {
    utterance.has(lexicon, hit.start.saturating_sub(3)..hit.start, &[TermKind::Negation, TermKind::NegationNear])
}

/// Whether a relative or another is the subject of a clause.
fn relatives(utterance: &Utterance, lexicon: &Lexicon, start: usize, end: usize) -> bool {
    let family = utterance
        .terms(lexicon, start..end, TermKind::Family)
        .next()
        .is_some_and(|hit| utterance.owned(hit.start) || utterance.speaker != Speaker::Relative);
    // 我就對 aspirin 敏感, says the mother: hers.
    let hers = utterance.speaker == Speaker::Relative
        && utterance.terms(lexicon, start..end, TermKind::Oneself).any(|hit| {
            let next = utterance.chars.get(hit.end);
            matches!(next, Some('对' | '就' | '食' | '都' | '有')) && utterance.folded(hit.start..hit.end).starts_with(&['我'])
        });
    family || hers || utterance.has(lexicon, start..end, &[TermKind::Other])
}
