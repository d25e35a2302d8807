//! Numbers with their units: 五百mg, 三個禮拜, 兩次, 八十二公斤.

use crate::terminology::{Found, Lexicon, Meaning, UnitKind};
use crate::text::numerals::Number;

/// What is counted one by one.
const COUNTED: [&str; 3] = ["{tbl}", "{puff}", "[drp]"];

/// A number and the unit said with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// First character.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// In the unit's own measure (for time: days).
    pub value: f64,
    /// The unit's number in the lexicon.
    pub unit: usize,
    /// What the unit measures.
    pub kind: UnitKind,
    /// Said roughly.
    pub vague: bool,
}

/// All quantities of a text, in order.
#[must_use]
pub fn quantities(chars: &[char], numbers: &[Number], found: &[Found], lexicon: &Lexicon) -> Vec<Quantity> {
    let mut all: Vec<Quantity> = numbers.iter().filter_map(|number| after_number(chars, number, found, lexicon)).collect();
    all.extend(every(chars, found, lexicon));
    all.extend(one_and_a_half(chars, numbers, found, lexicon));
    all.extend(percent(chars, numbers, lexicon));
    all.extend(fractions(chars, numbers, lexicon));
    all.sort_by_key(|quantity| (quantity.start, quantity.end));
    all
}

fn unit_at(at: usize, found: &[Found], lexicon: &Lexicon) -> Option<(usize, usize)> {
    let from = found.partition_point(|hit| hit.start < at);
    found.iter().skip(from).take_while(|hit| hit.start == at).find_map(|hit| match hit.meaning {
        Meaning::Unit(unit) if lexicon.units.get(unit).is_some() => Some((unit, hit.end)),
        _ => None,
    })
}

/// 十幾日, whose 幾日 would by itself be a question.
fn some_days(chars: &[char], number: &Number, lexicon: &Lexicon) -> Option<(usize, usize)> {
    let last = number.end.checked_sub(1).filter(|last| *last > number.start)?;
    let days = chars.get(last) == Some(&'几') && matches!(chars.get(number.end), Some('日' | '天'));
    let unit = lexicon.units.iter().position(|unit| unit.kind == UnitKind::Time && (unit.factor - 1.0).abs() < 1e-9)?;
    days.then_some((unit, number.end + 1))
}

fn after_number(chars: &[char], number: &Number, found: &[Found], lexicon: &Lexicon) -> Option<Quantity> {
    let space = usize::from(chars.get(number.end) == Some(&' '));
    // 十四個 unit.
    let counter = usize::from(chars.get(number.end) == Some(&'个'));
    let behind = number.end + counter + usize::from(chars.get(number.end + counter) == Some(&' '));
    let counted =
        || unit_at(behind, found, lexicon).filter(|_| counter > 0 && chars.get(behind).is_some_and(char::is_ascii_alphabetic));
    let (index, end) =
        unit_at(number.end + space, found, lexicon).or_else(counted).or_else(|| some_days(chars, number, lexicon))?;
    let unit = lexicon.units.get(index)?;
    // 一兩粒 is one or two, and no dozen: the greater.
    let rough = (number.vague && COUNTED.contains(&unit.ucum.as_str())).then(|| number.exact()).flatten();
    let rough = rough.map(|_| number.value.ceil());
    // Exact readings count where an amount is meant; 七八日 is rough.
    let counted = unit.kind == UnitKind::Time || unit.kind == UnitKind::Times;
    let value = if counted { number.value } else { rough.or(number.exact())? };
    // 兩年半, 一粒半.
    let half = chars.get(end) == Some(&'半') && matches!(unit.kind, UnitKind::Time | UnitKind::Dose);
    let value = if half { value + 0.5 } else { value };
    let end = end + usize::from(half);
    // 一年幾; 三日幾多次 asks.
    let more =
        unit.kind == UnitKind::Time && chars.get(end) == Some(&'几') && !matches!(chars.get(end + 1), Some('多' | '耐' | '时'));
    Some(Quantity {
        start: number.start,
        end: end + usize::from(more),
        value: value * unit.factor,
        unit: index,
        kind: unit.kind,
        vague: number.vague || more,
    })
}

/// 每日, 每個禮拜, 每八個鐘 (whose number is found already): one of the unit.
fn every<'a>(chars: &'a [char], found: &'a [Found], lexicon: &'a Lexicon) -> impl Iterator<Item = Quantity> + 'a {
    found.iter().filter_map(move |hit| {
        let Meaning::Unit(index) = hit.meaning else { return None };
        let unit = lexicon.units.get(index).filter(|unit| unit.kind == UnitKind::Time)?;
        let before = hit.start.checked_sub(1)?;
        let each = chars.get(before) == Some(&'每');
        // 五百 mg 日兩次, 隻藥,日食三次: a day that nothing counts, and then how often.
        let verb = usize::from(chars.get(hit.end).is_some_and(|c| "食搽打滴喷用服".contains(*c)));
        let bare = unit.factor == 1.0
            && chars.get(before).is_some_and(|c| " ,,、:只只佢我克升粒丸片".contains(*c) || c.is_ascii_alphabetic())
            && chars.get(hit.end + verb).is_some_and(|c| "一二三四两2346".contains(*c))
            && matches!(chars.get(hit.end + verb + 1), Some('次' | '粒'));
        (each || bare).then_some(Quantity {
            start: if each { before } else { hit.start },
            end: hit.end,
            value: unit.factor,
            unit: index,
            kind: unit.kind,
            vague: false,
        })
    })
}

/// 食粒半: one and a half, of which the one is not said.
fn one_and_a_half<'a>(
    chars: &'a [char],
    numbers: &'a [Number],
    found: &'a [Found],
    lexicon: &'a Lexicon,
) -> impl Iterator<Item = Quantity> + 'a {
    found.iter().filter_map(move |hit| {
        let Meaning::Unit(unit) = hit.meaning else { return None };
        let tablet = lexicon.units.get(unit).is_some_and(|unit| unit.ucum == "{tbl}");
        let from = numbers.partition_point(|number| number.end < hit.start);
        let counted = numbers.get(from).is_some_and(|number| number.end == hit.start);
        let half = tablet && !counted && chars.get(hit.end) == Some(&'半') && chars.get(hit.end + 1) != Some(&'粒');
        half.then_some(Quantity { start: hit.start, end: hit.end + 1, value: 1.5, unit, kind: UnitKind::Dose, vague: false })
    })
}

/// 百分之五: 百 is read as a hundred, 五 as the number of it.
fn percent<'a>(chars: &'a [char], numbers: &'a [Number], lexicon: &'a Lexicon) -> impl Iterator<Item = Quantity> + 'a {
    let unit = lexicon.units.iter().position(|unit| unit.ucum == "%");
    numbers.iter().filter_map(move |number| {
        let start = number.start.checked_sub(3)?;
        let lead = chars.get(start..number.start)?;
        let unit = unit.filter(|_| matches!(lead, ['百', '分', '之']))?;
        Some(Quantity { start, end: number.end, value: number.exact()?, unit, kind: UnitKind::Dose, vague: false })
    })
}

/// 3/7, 2/52, 6/12, as clinicians write days, weeks and months.
fn fractions<'a>(chars: &'a [char], numbers: &'a [Number], lexicon: &'a Lexicon) -> impl Iterator<Item = Quantity> + 'a {
    numbers.iter().zip(numbers.iter().skip(1)).filter_map(move |(count, of)| {
        let slash = of.start == count.end + 1 && chars.get(count.end) == Some(&'/');
        let written = chars.get(count.start).is_some_and(char::is_ascii_digit);
        let days = match chars.get(of.start..of.end)? {
            ['7'] => 1.0,
            ['5', '2'] => 7.0,
            ['1', '2'] => 30.0,
            _ => return None,
        };
        let unit = lexicon.units.iter().position(|unit| unit.kind == UnitKind::Time && (unit.factor - days).abs() < 1e-9)?;
        let time =
            Quantity { start: count.start, end: of.end, value: count.value * days, unit, kind: UnitKind::Time, vague: false };
        // 130/12 is no time.
        (slash && written && count.value <= 30.0).then_some(time)
    })
}
