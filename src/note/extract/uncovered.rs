//! Clinically salient speech that led to nothing, found by cues and not by the lexicon of findings.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::assertion::Claim;
use super::dialogue::Event;
use super::list;
use super::utterance::Utterance;
use crate::note::{Note, Provenance, Span, Uncovered};
use crate::terminology::{Drug, DrugKind, Lexicon, Meaning, TermKind, UnitKind};

/// Characters shown around a cue.
const AROUND: usize = 20;
const REASON: &str = "clinical words, no finding";

/// One entry a clause that holds cues outside all evidence.
///
/// `listed`: what is listed for a reason of its own.
#[must_use]
pub fn uncovered(
    utterances: &[Utterance],
    note: &Note,
    events: &[Event],
    listed: Vec<Uncovered>,
    lexicon: &Lexicon,
) -> Vec<Uncovered> {
    let findings = note
        .conditions
        .iter()
        .map(|entry| &entry.provenance)
        .chain(note.medications.iter().map(|entry| &entry.provenance))
        .chain(note.allergies.iter().map(|entry| &entry.provenance))
        .chain(note.observations.iter().map(|entry| &entry.provenance))
        .chain(note.plan.iter().map(|entry| &entry.provenance))
        .chain(note.social.iter().map(|entry| &entry.provenance));
    let mut covered: BTreeSet<(u64, usize)> = findings
        .flat_map(Provenance::spans)
        .chain(listed.iter().map(|entry| &entry.span))
        .flat_map(|span| (span.start()..span.end()).map(move |at| (span.segment(), at)))
        .collect();
    // What was asked and not answered covers nothing: it is listed.
    let mut asked: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for event in events {
        if event.claim == Claim::Asked {
            asked.entry(event.utterance).or_default().push((event.mention.start, event.mention.end));
        } else if let Some(utterance) = utterances.get(event.utterance) {
            covered.extend((event.mention.start..event.mention.end).map(|at| (utterance.id, at)));
        }
    }
    let medications = note.medications.iter().map(|entry| entry.name.as_str());
    let drugs: BTreeSet<&str> = medications.chain(note.allergies.iter().map(|entry| entry.substance.as_str())).collect();
    let asked = |index: usize| asked.get(&index).map(Vec::as_slice).unwrap_or_default();
    let more = utterances
        .iter()
        .enumerate()
        .flat_map(|(index, utterance)| in_utterance(utterance, asked(index), &covered, &drugs, lexicon));
    more.chain(listed).collect()
}

/// Adds what was said of allergies and not understood. Where a part of the words is listed already, all of them are.
pub fn add<'a>(listed: &mut Vec<Uncovered>, spans: impl Iterator<Item = &'a Span>) {
    for span in spans {
        let overlaps =
            |other: &Span| other.segment() == span.segment() && other.start() < span.end() && span.start() < other.end();
        match listed.iter_mut().find(|uncovered| overlaps(&uncovered.span)) {
            Some(uncovered) => {
                let own = uncovered.span;
                uncovered.span =
                    Span::new(own.segment(), own.start().min(span.start()), own.end().max(span.end())).unwrap_or(own);
            }
            None => listed.push(Uncovered { span: *span, reason: REASON.to_owned() }),
        }
    }
}

/// Endings of the names of diseases, operations and drugs.
const ENDINGS: [&str; 24] = [
    "itis", "osis", "emia", "oma", "pathy", "algia", "ectomy", "plegia", "uria", "pnoea", "rrhoea", "rrhea", "mycin", "cillin",
    "pril", "sartan", "statin", "olol", "azole", "dipine", "gliptin", "flozin", "tidine", "mab",
];
/// How far behind a verb its drug is looked for.
const BEHIND: usize = 6;
/// The shortest English word that could be a drug's name.
const SHORTEST_NAME: usize = 5;
/// Characters of a Chinese name of a drug: a sound each.
const SHORTEST_CHINESE: usize = 3;
/// How many characters of an unknown name are listed.
const LONGEST_NAME: usize = 10;
/// Verbs behind which nothing but what is taken is named (folded).
const TAKING: [&str; 10] = ["食紧", "打紧", "食着", "现喺食", "喺食", "长期食", "一直食", "食开", "定期食", "喷紧"];
/// What begins no name (folded): how often, how long, which.
const NO_NAME: &str = "一二两三四五六七八九十半几每日晚朝点咩咩边呢嗰啲好就先住紧得落完都唔冇有再";
/// What is eaten and no drug (folded).
const FOOD: &str = "饭餐嘢粥面菜肉鱼果包茶奶蛋糖水烟素斋辣甜咸药丸";
/// Verbs of taking that have many other uses.
const NO_TAKING: [&str; 4] = ["on", "is on", "am on", "continue"];
/// The shortest word that an ending says something of.
const SHORTEST_WORD: usize = 6;

/// English words whose ending says that they name a disease or a drug.
fn by_ending(chars: &[char]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < chars.len() {
            let length = chars.iter().skip(at).take_while(|c| c.is_ascii_lowercase()).count();
            let (start, end) = (at, at + length);
            at = end + 1;
            let word: String = chars.get(start..end).unwrap_or_default().iter().collect();
            if length >= SHORTEST_WORD && ENDINGS.iter().any(|ending| word.ends_with(ending)) {
                return Some((start, end));
            }
        }
        None
    })
}

/// Drugs that were named and of which the note says nothing: a relative's, and what is not to be taken, left out.
fn lost_drugs<'a>(
    utterance: &'a Utterance,
    said: &'a BTreeSet<&str>,
    lexicon: &'a Lexicon,
) -> impl Iterator<Item = (usize, usize)> + 'a {
    let aside = [TermKind::Family, TermKind::Other, TermKind::DrugWithheld];
    utterance.found.iter().filter_map(move |hit| {
        let Meaning::Drug(drug) = hit.meaning else { return None };
        // A class is no more than a word on drugs, save where an allergy is told or it is taken.
        let told = || {
            utterance.has(lexicon, utterance.sentence(hit.start), &[TermKind::Allergy])
                || utterance.has(lexicon, utterance.clause(hit.start).range, &[TermKind::DrugActive, TermKind::DrugStopped])
        };
        let named = |drug: &&Drug| drug.kind == DrugKind::Drug || drug.kind == DrugKind::Class && told();
        let drug = lexicon.drugs.get(drug).filter(named).filter(|drug| !said.contains(drug.name.as_str()));
        let clause = utterance.clause(hit.start).range;
        (drug.is_some() && !utterance.has(lexicon, clause, &aside)).then_some((hit.start, hit.end))
    })
}

/// 食緊 Xyzal, 食緊 ass print, 食緊阿摸羅地平: words that no table knows, right behind what says that a drug is taken.
fn taken_unknown<'a>(utterance: &'a Utterance, lexicon: &'a Lexicon) -> impl Iterator<Item = (usize, usize)> + 'a {
    utterance.terms(lexicon, 0..utterance.chars.len(), TermKind::DrugActive).filter_map(move |verb| {
        let words: String = utterance.folded(verb.start..verb.end).iter().collect();
        let clause = utterance.clause(verb.start).range;
        let behind = verb.end..clause.end.min(utterance.ahead(verb.end, BEHIND));
        let runs = list::unknown(utterance, behind, |_| true);
        latin_name(utterance, verb.end, &runs)
            .filter(|_| !NO_TAKING.contains(&words.as_str()))
            .or_else(|| chinese_name(utterance, verb.end, &runs).filter(|_| TAKING.contains(&words.as_str())))
    })
}

/// One English word that is long enough, or several of which the first may be short.
fn latin_name(utterance: &Utterance, verb: usize, runs: &[Range<usize>]) -> Option<(usize, usize)> {
    let latin = |run: &Range<usize>| utterance.folded(run.clone()).iter().take_while(|c| c.is_ascii_lowercase()).count();
    let words: Vec<Range<usize>> = runs.iter().map(|run| run.start..run.start + latin(run)).collect();
    // A short word may be one of the sentence: the first long one stands for itself.
    let long = words.iter().find(|word| word.len() >= SHORTEST_NAME);
    let (first, rest) = words.split_first().filter(|(first, _)| !first.is_empty())?;
    let together = rest.iter().fold(first.clone(), |name, word| {
        let beside = utterance.folded(name.end..word.start) == [' '];
        if beside && !word.is_empty() { name.start..word.end } else { name }
    });
    let name = if together.len() > SHORTEST_NAME { &together } else { long? };
    list::joins(utterance, verb..name.start, &[]).then_some((name.start, name.end))
}

/// What may stand between the name of a measurement and its value (folded).
const IS: &str = " 系系得有返:=,";
/// The longest name of a measurement or drug before its number, in characters.
const LONGEST_MEASURE: usize = 40;
/// How many of it.
const IS_LONGEST: usize = 3;
/// What tells that a number before it is the time of day or a count (folded).
const NO_VALUE: &str = "分钟点半号月年岁日晚次粒个";
/// What tells that a number behind it is the time of day (folded).
const HOUR: &str = "朝早昼晚晏夜晨";

/// Numbers that look measured: creatinine 七十, LDL 三點八, 空腹糖五點二.
fn values<'a>(utterance: &'a Utterance) -> impl Iterator<Item = (usize, usize)> + 'a {
    utterance.numbers.iter().filter_map(|number| {
        let lead = utterance.folded(utterance.back(number.start, IS_LONGEST)..number.start);
        let between = lead.iter().rev().take_while(|c| IS.contains(**c)).count();
        let name_ends = number.start - between;
        let before = name_ends.saturating_sub(LONGEST_MEASURE);
        let letters = utterance.folded(before..name_ends);
        let name = letters.iter().rev().take_while(|c| c.is_ascii_alphanumeric()).count();
        let named = name >= 2 && utterance.folded(name_ends - name..name_ends).iter().any(char::is_ascii_lowercase);
        // A drug with a number and no unit is listed as such.
        let named = named
            && !utterance
                .within(before..name_ends)
                .iter()
                .any(|hit| matches!(hit.meaning, Meaning::Drug(_)) && hit.end == name_ends);
        // BP 一樣, 兩歲半.
        let long = number.end > number.start + 1 || number.end == utterance.clause(number.start).range.end;
        let decimal = number.exact().is_some_and(|value| value.fract() != 0.0);
        let decimal = decimal && !utterance.folded(number.start..number.end).contains(&'半');
        let next = utterance.chars.get(number.end);
        let no_value = next.is_some_and(|c| NO_VALUE.contains(*c)) || lead.last().is_some_and(|c| HOUR.contains(*c));
        (number.exact().is_some() && (decimal || named && long) && !no_value).then_some((number.start, number.end))
    })
}

/// 割過腎, 個肺切咗一半: something was taken out.
fn taken_out(utterance: &Utterance) -> impl Iterator<Item = (usize, usize)> + '_ {
    utterance.chars.windows(2).enumerate().filter_map(|(at, pair)| {
        let done = matches!(pair, ['割' | '切' | '摘', '过' | '咗' | '除' | '走']) || matches!(pair, ['开', '过']);
        let opened = pair.first() != Some(&'开') || utterance.chars.get(at + 2) == Some(&'刀');
        (done && opened).then_some((at, at + 2))
    })
}

/// A run of characters as long as a drug's name, unless it begins as what else is eaten or used does.
fn chinese_name(utterance: &Utterance, verb: usize, runs: &[Range<usize>]) -> Option<(usize, usize)> {
    let first = runs.first()?;
    let clause = utterance.clause(verb).range;
    let words = utterance.folded(first.start..clause.end.min(first.start + LONGEST_NAME));
    let name = words.iter().take_while(|c| **c >= '\u{3400}').count();
    let eaten = words.first().is_some_and(|c| NO_NAME.contains(*c)) || words.iter().take(name).any(|c| FOOD.contains(*c));
    let led = list::joins(utterance, verb..first.start, &[]);
    (led && !eaten && first.len() >= SHORTEST_CHINESE && name >= SHORTEST_CHINESE).then_some((first.start, first.start + name))
}

fn in_utterance(
    utterance: &Utterance,
    asked: &[(usize, usize)],
    covered: &BTreeSet<(u64, usize)>,
    drugs: &BTreeSet<&str>,
    lexicon: &Lexicon,
) -> Vec<Uncovered> {
    let words = utterance.terms(lexicon, 0..utterance.chars.len(), TermKind::Salient).map(|hit| (hit.start, hit.end));
    let amounts = utterance
        .quantities
        .iter()
        .filter(|quantity| matches!(quantity.kind, UnitKind::Dose | UnitKind::Measure))
        .map(|quantity| (quantity.start, quantity.end));
    let drugs = lost_drugs(utterance, drugs, lexicon).chain(taken_unknown(utterance, lexicon));
    let mut cues: Vec<(usize, usize)> = words
        .chain(amounts)
        .chain(asked.iter().copied())
        .chain(by_ending(&utterance.chars))
        .chain(drugs)
        .chain(taken_out(utterance))
        .chain(values(utterance))
        .collect();
    cues.sort_unstable();
    let mut all: Vec<Uncovered> = Vec::new();
    let mut last = None;
    for (start, end) in cues {
        let clause = utterance.clause(start).range;
        if (start..end).any(|at| covered.contains(&(utterance.id, at))) {
            continue;
        }
        let until = clause.end.min(start + AROUND).max(end);
        // One entry a clause, from its first cue to its last.
        let entry = all.last_mut().filter(|_| last == Some(clause.start));
        let from = entry.as_ref().map_or(clause.start.max(start.saturating_sub(AROUND)), |entry| entry.span.start());
        let until = entry.as_ref().map_or(until, |entry| until.max(entry.span.end()));
        let Ok(span) = Span::new(utterance.id, from, until) else { continue };
        last = Some(clause.start);
        match entry {
            Some(entry) => entry.span = span,
            None => all.push(Uncovered { span, reason: REASON.to_owned() }),
        }
    }
    all
}
