//! What is taken at one time: a strength, a count, or so many of a strength.

use std::ops::Range;

use super::super::quantity::Quantity;
use super::super::utterance::Utterance;
use crate::note::Quantity as Dose;
use crate::terminology::{Lexicon, TermKind, UnitKind};

/// Units that count things rather than measure a substance.
const COUNTS: [&str; 3] = ["{tbl}", "{puff}", "[drp]"];
/// How far a count may stand from its strength without a word that joins them.
const BESIDE: usize = 8;
/// The most that is taken at one time: 開三十粒 is what was handed out.
const MOST_AT_ONCE: f64 = 8.0;

/// One number with a dose's unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Amount {
    pub value: f64,
    pub unit: String,
    pub span: Range<usize>,
}

/// A strength and a count, as far as they were said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Amounts {
    strength: Option<Amount>,
    count: Option<Amount>,
}

impl Amounts {
    /// A dose whose unit was not said.
    #[must_use]
    pub fn of(dose: &Dose, span: Range<usize>) -> Self {
        let amount = Some(Amount { value: dose.value, unit: dose.unit.clone(), span });
        if COUNTS.contains(&dose.unit.as_str()) {
            Self { strength: None, count: amount }
        } else {
            Self { strength: amount, count: None }
        }
    }

    /// What was said later in place of what was said first: a new strength leaves the old count behind, a new count is of the
    /// strength so far (兩粒減到一粒).
    #[must_use]
    pub fn followed_by(self, later: Self) -> Self {
        match (later.strength, later.count) {
            (None, None) => self,
            (Some(strength), count) => Self { strength: Some(strength), count },
            (None, Some(count)) => {
                let strength = self.strength.filter(|strength| count.unit == "{tbl}" && strength.unit != "%");
                Self { strength, count: Some(count) }
            }
        }
    }

    /// So many tablets, and of no strength.
    #[must_use]
    pub fn tablets_alone(&self) -> bool {
        self.strength.is_none() && self.count.as_ref().is_some_and(|count| count.unit == "{tbl}")
    }

    /// A strength, and not of how many.
    #[must_use]
    pub const fn strength_alone(&self) -> bool {
        self.strength.is_some() && self.count.is_none()
    }

    /// The strength told after the count: 六粒, and then 一粒二點五 mg.
    #[must_use]
    pub fn completed_by(self, later: Self) -> Self {
        let alone = self.strength.is_none() && later.strength.is_some();
        let tablets = self.count.clone().filter(|count| alone && count.unit == "{tbl}");
        match tablets {
            Some(count) => Self { strength: later.strength, count: Some(count) },
            None => self.followed_by(later),
        }
    }

    /// 五百 mg 兩粒 is a gram; two puffs of a strength stay what the label says.
    #[must_use]
    pub fn dose(&self) -> Option<Dose> {
        let value = |value: f64| (value * 10_000.0).round() / 10_000.0;
        match (&self.strength, &self.count) {
            (Some(strength), count) => {
                let times = count.as_ref().map_or(1.0, |count| count.value);
                Some(Dose { value: value(strength.value * times), unit: strength.unit.clone() })
            }
            (None, Some(count)) => Some(Dose { value: value(count.value), unit: count.unit.clone() }),
            (None, None) => None,
        }
    }

    /// Whether nothing but a count was said.
    #[must_use]
    pub const fn counted(&self) -> bool {
        self.strength.is_none() && self.count.is_some()
    }

    /// The words it rests on.
    pub fn spans(&self) -> impl Iterator<Item = Range<usize>> {
        [&self.strength, &self.count].into_iter().flatten().map(|amount| amount.span.clone())
    }
}

/// Where in a range a dose begins that the one before it is raised or lowered to: 由五 mg 加到十 mg, 500 mg -> 1 g.
pub(super) fn raised_at(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>, degrees: bool) -> Option<usize> {
    let all: Vec<Amount> =
        utterance.quantities_in(range).iter().filter_map(|quantity| amount(quantity, lexicon, degrees)).collect();
    let first = all.iter().find(|amount| !COUNTS.contains(&amount.unit.as_str()))?;
    raised_to(utterance, first, &all).map(|amount| amount.span.start)
}

/// Every dose of a range.
pub(super) fn doses(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>, degrees: bool) -> Vec<Dose> {
    let amounts = utterance.quantities_in(range).iter().filter_map(|quantity| amount(quantity, lexicon, degrees));
    amounts.map(|amount| Dose { value: amount.value, unit: amount.unit }).collect()
}

/// The first strength of a range and the count that goes with it.
pub(super) fn amounts(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>, degrees: bool) -> Amounts {
    let all: Vec<Amount> = utterance
        .quantities_in(range)
        .iter()
        .filter(|quantity| !utterance.has(lexicon, quantity.end..quantity.end + 3, &[TermKind::PerWeight]))
        .filter_map(|quantity| amount(quantity, lexicon, degrees))
        .collect();
    let counts = |amount: &&Amount| COUNTS.contains(&amount.unit.as_str());
    let strength = all.iter().find(|amount| !counts(amount)).cloned();
    let mut count = all
        .iter()
        .filter(counts)
        .filter(|amount| !daily_count(utterance, amount))
        .filter(|amount| amount.value <= MOST_AT_ONCE || !handed_out(utterance, amount));
    let Some(strength) = strength else { return Amounts { strength: None, count: count.next().cloned() } };
    let count = count
        .filter(|count| count.unit == "{tbl}" && strength.unit != "%" && !names_strength(count, &strength))
        .find(|count| goes_with(utterance, count, &strength, &all));
    Amounts { count: count.cloned(), strength: Some(strength) }
}

pub(super) fn amount(quantity: &Quantity, lexicon: &Lexicon, degrees: bool) -> Option<Amount> {
    let ucum = lexicon.units.get(quantity.unit).map(|unit| unit.ucum.as_str())?;
    let unit = match quantity.kind {
        UnitKind::Dose => ucum,
        UnitKind::Measure if degrees && ucum == "Cel" => "[IU]",
        _ => return None,
    };
    Some(Amount { value: quantity.value, unit: unit.to_owned(), span: quantity.start..quantity.end })
}

/// 一粒二點五 mg, 每粒兩 mg: the tablet that a strength is of.
fn names_strength(count: &Amount, strength: &Amount) -> bool {
    (count.value - 1.0).abs() < 1e-9 && strength.span.start.checked_sub(count.span.end).is_some_and(|gap| gap <= 1)
}

/// 五百 mg 兩粒, 食四粒,一粒二點五 mg, 二十五 mg 嗰隻,夜晚食粒半: beside the strength, or told of the tablet it names.
fn goes_with(utterance: &Utterance, count: &Amount, strength: &Amount, all: &[Amount]) -> bool {
    let behind = utterance.folded(strength.span.end..utterance.chars.len().min(strength.span.end + 4));
    let before = utterance.folded(strength.span.start.saturating_sub(2)..strength.span.start);
    let labelled = behind.contains(&'嗰')
        || behind.contains(&'只')
        || behind.contains(&'装')
        || before.starts_with(&['每', '粒'])
        || all.iter().any(|one| one.unit == "{tbl}" && names_strength(one, strength));
    let before_count = utterance.folded(count.span.start.saturating_sub(2)..count.span.start);
    let at_once = before_count.iter().any(|c| matches!(c, '食' | '次' | '服' | '前' | '晚' | '早'));
    let beside = count.span.start.abs_diff(strength.span.end) <= BESIDE;
    count.value <= MOST_AT_ONCE && !handed_out(utterance, count) && (beside || labelled || at_once)
}

/// 開十四粒, 俾你三十粒: what is handed out, and not taken at one time.
fn handed_out(utterance: &Utterance, count: &Amount) -> bool {
    let before = utterance.folded(count.span.start.saturating_sub(2)..count.span.start);
    // 俾咗我兩粒 X.
    let to_me = matches!(
        utterance.folded(count.span.start.saturating_sub(3)..count.span.start),
        ['俾' | '畀' | '比' | '给' | '送', '咗' | '了' | '过', '我']
    );
    to_me || before.iter().any(|c| matches!(c, '开' | '俾' | '你' | '配' | '攞'))
}

/// 一日三粒 counts tablets a day, not at one time.
fn daily_count(utterance: &Utterance, count: &Amount) -> bool {
    let from = count.span.start;
    count.value > 1.0
        && utterance
            .quantities_in(from.saturating_sub(4)..from)
            .iter()
            .any(|quantity| quantity.kind == UnitKind::Time && quantity.end + 1 >= from && quantity.value <= 1.0)
}

/// 由五 mg 加到十 mg: the dose from now on.
fn raised_to<'a>(utterance: &Utterance, first: &Amount, amounts: &'a [Amount]) -> Option<&'a Amount> {
    amounts
        .iter()
        .find(|amount| amount.span.start > first.span.end && !COUNTS.contains(&amount.unit.as_str()))
        .filter(|amount| utterance.between(first.span.end, amount.span.start) <= 10)
        .filter(|amount| {
            let between = utterance.folded(first.span.end..amount.span.start);
            let words: String = between.iter().filter(|c| **c != ' ').collect();
            ["到", "做", "至", "去", "to", "->", "→", "=>"].iter().any(|sign| words.ends_with(sign))
        })
}
