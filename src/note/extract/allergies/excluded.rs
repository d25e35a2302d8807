//! Allergies that a test found or excluded.

use std::ops::Range;

use super::super::utterance::{Speaker, Utterance};
use super::whose::relatives;
use super::{NEAR, Told, evidence_of, put, substance};
use crate::note::AllergyStatus;
use crate::terminology::{Lexicon, Meaning, TermKind};

/// Words that take an allergy off the record (folded).
const EXCLUDED: [&str; 17] = [
    "排除咗",
    "排除咗",
    "已排除",
    "已经排除",
    "取消",
    "删除",
    "剔走",
    "剔除",
    "除名",
    "话唔系",
    "证实唔系",
    "推翻",
    "食得返",
    "食返得",
    "食返都冇事",
    "de-label",
    "delabel",
];

/// Words for a test of allergies (folded).
const TESTS: [&str; 13] =
    ["验返", "测试", "挑战", "点刺", "验敏感", "验过敏", "敏感原", "过敏原", "致敏原", "challenge", "skin test", "prick", "ige"];

/// How a test comes out that finds none (folded).
const PASSED: [&str; 7] = ["阴性", "冇事", "negative", "唔系", "冇反应", "正常", "冇敏感"];

/// 以前話我對 X 敏感,做咗測試,話唔係: what is told of a substance, and behind it that it is no allergy.
pub(super) fn excluded(utterance: &Utterance, lexicon: &Lexicon, all: &mut Vec<Told>) {
    let mut off = Vec::new();
    for told in all.iter().filter(|told| told.status == AllergyStatus::Present) {
        let spans = told.evidence.spans().iter().filter(|span| span.segment() == utterance.id);
        let Some(at) = spans.map(|span| span.end()).max() else { continue };
        let others = utterance.within(at..utterance.chars.len()).iter();
        let until = others
            .filter(|hit| {
                substance(utterance, hit, lexicon).is_some_and(|name| !name.is_general() && name.name != told.substance.name)
            })
            .map(|hit| hit.start)
            .next();
        off.extend(
            taken_off(utterance, lexicon, at..until.unwrap_or(utterance.chars.len()))
                .map(|range| (told.substance.clone(), range)),
        );
    }
    for (name, range) in off {
        if let Some(evidence) = evidence_of(utterance, range) {
            let mut whole = all
                .iter()
                .find(|told| told.substance.name == name.name)
                .map_or_else(|| evidence.clone(), |told| told.evidence.clone());
            whole.merge(&evidence);
            put(all, name, AllergyStatus::None, whole);
        }
    }
}

/// The clause that takes it off: by its own words, or by how a test came out.
fn taken_off(utterance: &Utterance, lexicon: &Lexicon, rest: Range<usize>) -> Option<Range<usize>> {
    let words = |range: &Range<usize>| utterance.folded(range.clone()).iter().collect::<String>();
    let mut tested = false;
    let first = utterance.clause_index(rest.start);
    let own = utterance.clauses().iter().skip(first).take_while(|clause| clause.range.start < rest.end);
    let clauses = own.map(|clause| clause.range.start.max(rest.start)..clause.range.end.min(rest.end));
    for clause in clauses.filter(|clause| !clause.is_empty()) {
        let said = words(&clause);
        let asks = utterance.has(lexicon, clause.clone(), &[TermKind::Question, TermKind::QuestionEnd, TermKind::RuleOut]);
        tested |= TESTS.iter().any(|word| said.contains(word));
        let passed = tested && PASSED.iter().any(|word| said.contains(word)) && !said.contains("其佢");
        let off = EXCLUDED.iter().any(|word| {
            said.contains(word) && said.split(word).next().is_some_and(|before| !before.ends_with(['唔', '未', '冇']))
        });
        if !asks && (off || passed) {
            return Some(clause);
        }
    }
    None
}

/// 驗敏感,花生陰性,塵蟎就陽性: what a test of allergies says of each that it names.
pub(super) fn tested(utterance: &Utterance, lexicon: &Lexicon, all: &mut Vec<Told>) {
    let whole: String = utterance.chars.iter().collect();
    if !TESTS.iter().any(|word| whole.contains(word)) {
        return;
    }
    for clause in utterance.clauses().iter().filter(|clause| !clause.asked).map(|clause| clause.range.clone()) {
        let said: String = utterance.folded(clause.clone()).iter().collect();
        let status =
            match (said.contains("阳性") || said.contains("positive"), said.contains("阴性") || said.contains("negative")) {
                (true, false) => AllergyStatus::Present,
                (false, true) => AllergyStatus::None,
                _ => continue,
            };
        let whose = utterance.speaker != Speaker::Doctor
            && relatives(
                utterance,
                lexicon,
                utterance.sentence(clause.start).start.max(utterance.back(clause.start, 3 * NEAR)),
                clause.end,
            );
        let named =
            utterance.within(clause.clone()).iter().filter(|hit| matches!(hit.meaning, Meaning::Allergen(_) | Meaning::Drug(_)));
        for hit in named.filter(|_| !whose) {
            if let Some(name) = substance(utterance, hit, lexicon).filter(|name| !name.is_general())
                && let Some(evidence) = evidence_of(utterance, hit.start..clause.end)
            {
                put(all, name, status, evidence);
            }
        }
    }
}
