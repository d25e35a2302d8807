//! The shorthand of a record: what a line begins with, lengths of time, abbreviations. It is what the composer writes, read back.

use crate::note::compose::{ABBREVIATIONS, AND_MORE, KINDS, SOCIAL};
use crate::note::{PlanKind, SectionCode};

/// How the rest of a line is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    Complaint,
    History,
    Family,
    Taken,
    Allergy,
    NoAllergy,
    NoDrugAllergy,
    Impression,
    Differential,
    Stopped,
    Prescribed,
    Social(&'static str),
    Plan(PlanKind),
    /// Nothing says how: it is prose.
    Prose,
}

const ON: &str = "on";

/// First words of a line, in lower case. They mean the same wherever they stand: what is in the family is not assessed.
const LEADS: [(&str, Lead); 29] = [
    ("c/o", Lead::Complaint),
    ("主訴", Lead::Complaint),
    ("pmhx", Lead::History),
    ("pmh", Lead::History),
    ("past medical history", Lead::History),
    ("既往病史", Lead::History),
    ("病史", Lead::History),
    ("fhx", Lead::Family),
    ("family history", Lead::Family),
    ("家族史", Lead::Family),
    (ON, Lead::Taken),
    ("現用藥物", Lead::Taken),
    ("no allergy to", Lead::NoAllergy),
    ("否認過敏", Lead::NoAllergy),
    ("nkda", Lead::NoDrugAllergy),
    ("無藥物過敏", Lead::NoDrugAllergy),
    ("allergies", Lead::Allergy),
    ("allergy", Lead::Allergy),
    ("過敏", Lead::Allergy),
    ("impression", Lead::Impression),
    ("imp", Lead::Impression),
    ("dx", Lead::Impression),
    ("診斷", Lead::Impression),
    ("ddx", Lead::Differential),
    ("鑑別診斷", Lead::Differential),
    ("off", Lead::Stopped),
    ("停用", Lead::Stopped),
    ("rx", Lead::Prescribed),
    ("處方", Lead::Prescribed),
];

/// How a line of this section is meant, and what comes after the words that say so.
pub(super) fn lead(section: SectionCode, line: &str) -> (Lead, &str) {
    let line = line.trim();
    // `On examination` is no drug.
    let drugs = matches!(section, SectionCode::S | SectionCode::P);
    let own = LEADS.into_iter().filter(|(word, _)| *word != ON || drugs);
    let kinds = KINDS
        .iter()
        .filter(|_| section == SectionCode::P)
        .flat_map(|(kind, english, chinese)| [(*english, Lead::Plan(*kind)), (*chinese, Lead::Plan(*kind))]);
    let social = SOCIAL
        .iter()
        .filter(|_| section == SectionCode::S)
        .flat_map(|(kind, english, chinese)| [(*english, Lead::Social(kind)), (*chinese, Lead::Social(kind))]);
    // Of a quoted prescription the words are the plan's; of another the drug is.
    let (quoted, all) = (line.contains('「'), own.chain(kinds).chain(social));
    let mut found = all
        .filter(|(_, lead)| !(quoted && *lead == Lead::Prescribed))
        .filter_map(|(word, lead)| Some((lead, after(line, word, lead)?)));
    found.next().unwrap_or((Lead::Prose, line))
}

/// What follows a first word, if the line begins with it.
fn after<'a>(line: &'a str, word: &str, lead: Lead) -> Option<&'a str> {
    let (first, rest) = line.split_at_checked(word.len())?;
    let named = rest.starts_with([':', '：']);
    // `Living alone` is prose, `Living: alone` is not; Chinese has no space to tell a word's end by.
    let bounded = match lead {
        Lead::Social(_) => named,
        Lead::NoDrugAllergy => !rest.starts_with(char::is_alphanumeric),
        _ => named || (word.is_ascii() && rest.starts_with(char::is_whitespace)) || rest.starts_with('（'),
    };
    (first.to_lowercase() == word.to_lowercase() && bounded).then(|| rest.trim_start_matches([':', '：']).trim_start())
}

/// Headings that only say which section it is.
const HEADINGS: [(SectionCode, &str); 3] = [(SectionCode::P, "plan"), (SectionCode::P, "p"), (SectionCode::O, "o/e")];

/// What a record calls a measurement, and the word for it that the lexicon knows.
const READINGS: [(&str, &str); 15] = [
    ("bp", "BP"),
    ("p", "pulse"),
    ("pr", "pulse"),
    ("hr", "pulse"),
    ("t", "temperature"),
    ("temp", "temperature"),
    ("rr", "RR"),
    ("spo2", "SpO2"),
    ("sao2", "SpO2"),
    ("sbp", "systolic BP"),
    ("dbp", "diastolic BP"),
    ("bw", "body weight"),
    ("wt", "body weight"),
    ("bh", "height"),
    ("ht", "height"),
];

/// The findings that stand in one line, each with its own first word, and where each begins: `metformin 500 mg BD -> 1 g BD; FU 3/12.`,
/// `BP 146/88. P 72.` A mark parts them only before a known first word, and none within a quotation.
pub(super) fn parts(section: SectionCode, line: &str) -> Vec<(usize, &str)> {
    let start = HEADINGS.iter().filter(|(of, _)| *of == section).find_map(|(_, heading)| {
        let (first, rest) = line.trim_start().split_at_checked(heading.len())?;
        let named = first.eq_ignore_ascii_case(heading) && rest.starts_with([':', '：']);
        named.then(|| line.len() - rest.trim_start_matches([':', '：']).len())
    });
    let mut parts = Vec::new();
    let (mut from, mut quoted) = (start.unwrap_or(0), false);
    for (at, mark) in line.char_indices() {
        quoted = (quoted || mark == '「') && mark != '」';
        let next = at + mark.len_utf8();
        let rest = line.get(next..).unwrap_or_default();
        let spaced = rest.starts_with(' ') || !mark.is_ascii();
        if at >= from && !quoted && spaced && matches!(mark, ';' | '.' | ',' | '；' | '。' | '，') && begins(section, mark, rest)
        {
            parts.extend(line.get(from..at).map(|part| (from, part)));
            from = next;
        }
    }
    parts.extend(line.get(from..).map(|part| (from, part)));
    parts
}

/// Whether words begin a finding of their own. Behind a comma only what is planned or measured does: `SOB, on exertion`.
fn begins(section: SectionCode, mark: char, words: &str) -> bool {
    let (lead, _) = lead(section, words);
    match lead {
        Lead::Prose => section == SectionCode::O && reading(words).is_some(),
        Lead::Plan(_) | Lead::Prescribed | Lead::Stopped if section == SectionCode::P => true,
        _ => !matches!(mark, ',' | '，'),
    }
}

/// The words of a measurement in full, if a record's name of one stands before a number: `P 72`.
pub(super) fn reading(words: &str) -> Option<String> {
    let words = words.trim();
    let end = words.find([' ', ':', '：'])?;
    let (name, value) = words.split_at_checked(end)?;
    let value = value.trim_start_matches([' ', ':', '：']);
    let (_, full) = READINGS.iter().find(|(short, _)| name.eq_ignore_ascii_case(short))?;
    value.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("{full} {value}"))
}

/// The parts of a list. A comma inside a number parts nothing, nor does one inside a quotation.
pub(super) fn items(list: &str) -> impl Iterator<Item = &str> {
    let list = list.trim().trim_end_matches(['.', '。']);
    let (mut quoted, mut comma) = (false, false);
    let parts = list.split(move |c: char| {
        quoted = (quoted || c == '「') && c != '」';
        let spaced = std::mem::replace(&mut comma, c == ',') && c == ' ';
        !quoted && (spaced || matches!(c, '、' | '，' | '；' | ';'))
    });
    // What a comma and a space part keeps its comma.
    parts.map(|item| item.trim().trim_end_matches(',').trim_end()).filter(|item| !item.is_empty())
}

/// An item without its question mark, and whether it had one.
pub(super) fn doubt(item: &str) -> (&str, bool) {
    let without = item.trim_start_matches(['?', '？']);
    let without = without.strip_prefix("懷疑").unwrap_or(without);
    (without.trim_start(), without.len() < item.len())
}

/// `headache x 3/7`, `cough x 2-3/7`: the part before the length of time, the days, and whether they are meant roughly.
pub(super) fn lasting(item: &str) -> (&str, Option<(f64, bool)>) {
    match item.rsplit_once(" x ").map(|(name, time)| (name, about(time).map(|days| (days, true)), days(time))) {
        Some((name, roughly @ Some(_), _)) => (name, roughly),
        Some((name, None, Some(days))) => (name, Some((days, false))),
        _ => (item, None),
    }
}

/// `~3/52`, `2-3/7`, `10+/7`: the days that such words are written for.
fn about(time: &str) -> Option<f64> {
    let time = time.trim();
    if let Some(time) = time.strip_prefix('~') {
        return days(time);
    }
    if let Some((least, rest)) = time.split_once('-') {
        let most = days(rest)?;
        let number = rest.find(|c: char| !c.is_ascii_digit()).and_then(|end| rest.get(..end))?;
        let (least, number) = (least.parse::<f64>().ok()?, number.parse::<f64>().ok()?);
        return (number > 0.0 && least < number).then(|| (most + most / number * least) / 2.0);
    }
    time.split_once('+').and_then(|(least, unit)| days(&format!("{least}{unit}"))).map(|days| days * AND_MORE)
}

/// `3/7`, `2/52`, `3 months`, `2 星期` in days.
pub(super) fn days(time: &str) -> Option<f64> {
    let time = time.trim();
    let end = time.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(time.len());
    let (number, unit) = time.split_at_checked(end)?;
    let days = match unit.trim().to_lowercase().as_str() {
        "/24" | "hour" | "hours" | "小時" => 1.0 / 24.0,
        "/7" | "day" | "days" | "日" | "天" => 1.0,
        "/52" | "week" | "weeks" | "wk" | "星期" | "個星期" | "週" => 7.0,
        "/12" | "month" | "months" | "個月" => 30.0,
        "year" | "years" | "yr" | "年" => 365.0,
        _ => return None,
    };
    number.parse::<f64>().ok().filter(|number| *number > 0.0).map(|number| number * days)
}

/// With the names that abbreviations stand for, or nothing where there is no abbreviation.
pub(super) fn expanded(item: &str) -> Option<String> {
    let full = |word: &str| ABBREVIATIONS.iter().find(|(_, short)| *short == word).map(|(name, _)| *name);
    let words: Vec<&str> = item.split(' ').collect();
    words
        .iter()
        .any(|word| full(word).is_some())
        .then(|| words.iter().map(|word| full(word).unwrap_or(word)).collect::<Vec<_>>().join(" "))
}

/// What is planned, without the time before it and the quotation marks, and the days.
pub(super) fn planned(rest: &str) -> (&str, Option<f64>) {
    let rest = rest.trim().trim_end_matches(['.', '。']).trim_end();
    let timed = rest.strip_prefix("in ").and_then(|rest| rest.split_once(':'));
    let timed = timed.or_else(|| rest.strip_prefix('（').and_then(|rest| rest.split_once("）：")));
    if let Some((time, what)) = timed
        && let Some(days) = days(time)
    {
        return (unquoted(what), Some(days));
    }
    (unquoted(rest), days(rest).or_else(|| leading_days(rest)))
}

/// `in 3/12`, `3/12 with CBC`, `2 weeks later`: the time that the words begin with.
fn leading_days(words: &str) -> Option<f64> {
    let words = words.strip_prefix("in ").unwrap_or(words);
    let ends = words.match_indices([' ', ',', ':', '：', '，']).map(|(at, _)| at).take(2).chain([words.len()]);
    ends.filter_map(|end| words.get(..end)).find_map(days)
}

/// Words without the marks of a quotation around them.
pub(super) fn unquoted(words: &str) -> &str {
    let words = words.trim().trim_end_matches(['.', '。']).trim_end();
    words.strip_prefix('「').and_then(|words| words.strip_suffix('」')).unwrap_or(words)
}
