//! Times, amounts and units the way each language writes them.

use super::Language;
use crate::note::{Medication, Quantity};

/// What follows the name of a finding whose words only sound like it: what was heard, for the clinician to look at; else nothing.
pub(crate) fn doubt(heard: Option<&str>, language: Language) -> String {
    let heard = heard.map(str::trim);
    heard.map_or_else(String::new, |heard| language.pick(format!(" (?heard 「{heard}」)"), format!("（？聽到「{heard}」）")))
}

/// Days of a year, a month and a week, as the note counts them, with how each is written in English and Chinese.
const LENGTHS: [(f64, &str, &str); 4] =
    [(365.0, " yr", " 年"), (30.0, "/12", " 個月"), (7.0, "/52", " 星期"), (1.0, "/7", " 日")];
/// By how much more than said 十幾 is taken for.
pub(in crate::note) const AND_MORE: f64 = 1.15;

/// What follows a number where a drug is taken, in lower case.
const COUNTED: [&str; 26] = [
    "mg", "mcg", "ug", "g", "ml", "iu", "units", "unit", "tab", "puff", "drop", "毫克", "微克", "毫升", "克", "單位", "粒", "片",
    "次", "日", "下", "滴", "包", "支", "個", "號",
];
/// Words that a regimen begins with, in lower case.
const TAKEN: [&str; 24] = [
    "once",
    "twice",
    "three times",
    "daily",
    "every",
    "each",
    "bd",
    "tds",
    "qid",
    "od",
    "prn",
    "nocte",
    "mane",
    "when needed",
    "per day",
    "at night",
    "每",
    "隔日",
    "隔晚",
    "早晚",
    "朝早",
    "夜晚",
    "睡前",
    "有需要",
];

/// Of the words in which a drug and how it is taken were heard, the name alone.
///
/// The words begin with the name. An amount is a number with what is counted; a numeral that counts nothing may be of the name.
pub(crate) fn misheard(drug: &Medication) -> &str {
    let heard = drug.text.reveal().trim();
    let lower = heard.to_ascii_lowercase();
    let mut before = ' ';
    for (at, here) in lower.char_indices() {
        let rest = lower.get(at..).unwrap_or_default();
        let begins = !(before.is_ascii_alphabetic() && here.is_ascii_alphabetic());
        let name = heard.get(..at).map(str::trim_end).unwrap_or_default();
        if begins && name.chars().any(char::is_alphabetic) && (begins_with(rest, &TAKEN) || is_amount(rest)) {
            return name.trim_end_matches([',', '，', '、']);
        }
        before = here;
    }
    heard
}

/// `七十五 mg`, `500mg`, `兩粒`.
fn is_amount(words: &str) -> bool {
    let number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '/') || "零一二兩两三四五六七八九十百千半點".contains(c);
    let rest = words.trim_start_matches(number);
    rest.len() < words.len() && begins_with(rest.trim_start(), &COUNTED)
}

/// Whether words begin with one of these, which is no beginning of a longer Latin word.
fn begins_with(words: &str, these: &[&str]) -> bool {
    let whole =
        |rest: &str, word: &str| !word.is_ascii() || !rest.trim_start_matches('s').starts_with(|c: char| c.is_ascii_alphabetic());
    these.iter().any(|word| words.strip_prefix(word).is_some_and(|rest| whole(rest, word)))
}

/// `3/7`, `2/52`, `3/12`, `1 yr`: days, weeks and months as fractions, the shorthand of British and Hong Kong records.
///
/// Half a year is `6/12`, a month and a half `1.5/12`, two days and a half `2-3/7`. Nothing for what is no length of time.
pub(crate) fn duration(days: f64, language: Language) -> Option<String> {
    if !days.is_finite() || days <= 0.0 {
        return None;
    }
    if days < 1.0 {
        let hours = rounded(days * 24.0);
        return Some(language.pick(format!("{hours}/24"), format!("{hours} 小時")));
    }
    let [years, months, weeks, day] = LENGTHS;
    let whole = |length: f64| near(days / length, (days / length).round());
    let calendar_months = days / years.0 * 12.0;
    Some(if whole(years.0) {
        counted(days / years.0, years, language)
    } else if near(calendar_months, calendar_months.round()) {
        counted(calendar_months, months, language)
    } else if whole(months.0) || days > months.0 && whole(months.0 / 2.0) {
        counted(days / months.0, months, language)
    } else if whole(weeks.0) || days > weeks.0 && days.fract() > 0.0 && whole(weeks.0 / 2.0) {
        counted(days / weeks.0, weeks, language)
    } else if near(days.fract(), 0.5) {
        between(days, day, language)
    } else {
        counted(days.round(), day, language)
    })
}

/// The same of a time that was said roughly: `~3/52`, `2-3/7`, `10+/7`.
pub(crate) fn about(days: f64, language: Language) -> Option<String> {
    let exactly = duration(days, language)?;
    let approximately = || language.pick(format!("~{exactly}"), format!("約 {exactly}"));
    let half_year = near(days, 365.0 / 2.0);
    let lengths = LENGTHS.into_iter().filter(|(length, ..)| days >= *length && !half_year);
    let mut worded = lengths.filter_map(|length| {
        let (count, english, chinese) = (days / length.0, length.1, length.2.trim_start());
        let tens = count / AND_MORE / 10.0;
        if near(tens, tens.round()) {
            // 十幾: ten and some more.
            let least = (tens * 10.0).round();
            return Some(language.pick(format!("{least}+{english}"), format!("{least} 多{chinese}")));
        }
        if near(count, count.round()) {
            return Some(approximately());
        }
        near(count.fract(), 0.5).then(|| between(count, length, language))
    });
    Some(worded.next().unwrap_or_else(approximately))
}

fn counted(count: f64, (_, english, chinese): (f64, &str, &str), language: Language) -> String {
    let count = rounded(count);
    language.pick(format!("{count}{english}"), format!("{count}{chinese}"))
}

/// A half lies between two whole numbers.
fn between(count: f64, (_, english, chinese): (f64, &str, &str), language: Language) -> String {
    let (least, most) = (count.floor(), count.ceil());
    language.pick(format!("{least}-{most}{english}"), format!("{least}-{most}{chinese}"))
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-6
}

/// `BD`, `TDS`, `alternate days`. Nothing for what is no frequency.
pub(crate) fn frequency(times_per_day: f64, language: Language) -> Option<String> {
    if !times_per_day.is_finite() || times_per_day <= 0.0 {
        return None;
    }
    let named = [(1.0, "daily", "每日一次"), (2.0, "BD", "每日兩次"), (3.0, "TDS", "每日三次"), (4.0, "QID", "每日四次")];
    if let Some((_, english, chinese)) = named.iter().find(|(times, ..)| *times == times_per_day) {
        return Some(language.pick(*english, *chinese).to_owned());
    }
    if times_per_day > 1.0 {
        let times = rounded(times_per_day);
        return Some(language.pick(format!("{times} times a day"), format!("每日 {times} 次")));
    }
    let days = days_between(times_per_day);
    Some(match days {
        2 => language.pick("alternate days", "隔日一次").to_owned(),
        7 => language.pick("weekly", "每星期一次").to_owned(),
        _ => language.pick(format!("every {days} days"), format!("每 {days} 日一次")),
    })
}

/// Whole days from one dose to the next: 7 for 0.14, at least 1.
pub(crate) fn days_between(times_per_day: f64) -> u32 {
    // The bounds make the conversion exact.
    (1.0 / times_per_day).round().clamp(1.0, 3650.0) as u32
}

/// `500 mg`, `2 puffs`, `4 units`.
pub(crate) fn quantity(quantity: &Quantity, language: Language) -> String {
    let value = quantity.value;
    let plural = if value == 1.0 { "" } else { "s" };
    match quantity.unit.as_str() {
        "%" => format!("{value}%"),
        "{puff}" => language.pick(format!("{value} puff{plural}"), format!("{value} 下")),
        "[drp]" => language.pick(format!("{value} drop{plural}"), format!("{value} 滴")),
        "{tbl}" => language.pick(format!("{value} tab{plural}"), format!("{value} 粒")),
        "[IU]" => language.pick(format!("{value} unit{plural}"), format!("{value} 單位")),
        "ug" => format!("{value} mcg"),
        other => format!("{value} {}", unit(other)),
    }
}

/// A UCUM unit as people write it.
pub(crate) fn unit(ucum: &str) -> String {
    match ucum {
        "mm[Hg]" => "mmHg".to_owned(),
        "Cel" => "°C".to_owned(),
        // The name says it.
        "{INR}" => String::new(),
        _ => ucum.chars().filter(|c| !matches!(c, '[' | ']' | '{' | '}' | '_')).collect(),
    }
}

fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::{Evidence, MedicationStatus, Span};

    #[test]
    fn lengths_of_time() {
        for (days, english, roughly) in [
            (1.0, "1/7", "~1/7"),
            (3.0, "3/7", "~3/7"),
            (2.5, "2-3/7", "2-3/7"),
            (7.5, "7-8/7", "7-8/7"),
            (11.5, "11-12/7", "10+/7"),
            (14.0, "2/52", "~2/52"),
            (10.5, "1.5/52", "1-2/52"),
            (21.0, "3/52", "~3/52"),
            (80.5, "11.5/52", "10+/52"),
            (15.0, "15/7", "~15/7"),
            (30.0, "1/12", "~1/12"),
            (45.0, "1.5/12", "1-2/12"),
            (75.0, "2.5/12", "2-3/12"),
            (105.0, "3.5/12", "3-4/12"),
            (182.5, "6/12", "~6/12"),
            (547.5, "18/12", "1-2 yr"),
            (912.5, "30/12", "2-3 yr"),
            (365.0, "1 yr", "~1 yr"),
            (730.0, "2 yr", "~2 yr"),
            (0.5, "12/24", "~12/24"),
            (0.0625, "1.5/24", "~1.5/24"),
            (23.0, "23/7", "20+/7"),
        ] {
            assert_eq!(duration(days, Language::English).as_deref(), Some(english), "{days}");
            assert_eq!(about(days, Language::English).as_deref(), Some(roughly), "about {days}");
        }
        assert_eq!(duration(182.5, Language::TraditionalChinese).as_deref(), Some("6 個月"));
        assert_eq!(about(21.0, Language::TraditionalChinese).as_deref(), Some("約 3 星期"));
        assert_eq!(duration(f64::NAN, Language::English), None);
    }

    #[test]
    fn of_a_misheard_drug_the_name_alone_is_quoted() {
        let cases = [
            ("tammy flu 七十五 mg 一日兩次", "tammy flu"),
            ("met forming 500mg twice a day", "met forming"),
            ("阿莫思林，每日三次", "阿莫思林"),
            ("撲熱色痛兩粒", "撲熱色痛"),
            ("war fairing every day", "war fairing"),
            ("every gold 5 mg", "every gold"),
            ("七葉蓮 三片", "七葉蓮"),
            ("三七粉一包", "三七粉"),
            ("mg", "mg"),
            ("odd drine BD", "odd drine"),
            ("", ""),
        ];
        for (heard, name) in cases {
            let evidence = Evidence::from(Span::new(0, 0, 1).unwrap());
            let drug = Medication {
                text: heard.into(),
                name: "x".into(),
                atc: None,
                dose: None,
                times_per_day: None,
                prn: false,
                duration_days: None,
                unit_implied: false,
                changed_from: None,
                instruction: None,
                status: MedicationStatus::Active,
                confidence: 0.6,
                sounds_like: Some("x".into()),
                provenance: evidence.into(),
            };
            assert_eq!(misheard(&drug), name);
        }
    }
}
