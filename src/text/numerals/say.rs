//! Values to spoken numbers: what [`numbers`](super::numbers) reads, said again.

use super::{digit, plain};

const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
const POWERS: [(u64, &str); 4] = [(1000, "千"), (100, "百"), (10, "十"), (1, "")];
const SECTIONS: [(u64, &str); 3] = [(100_000_000, "億"), (10_000, "萬"), (1, "")];

fn digit_of(value: u64) -> char {
    usize::try_from(value).ok().and_then(|index| DIGITS.get(index)).copied().unwrap_or('零')
}

/// As it is said in full: 一百零五, 十二, 一萬二千. Below a billion of 億.
#[must_use]
pub fn in_cantonese(value: u64) -> String {
    if value == 0 {
        return "零".to_owned();
    }
    let (mut said, mut rest, mut gap) = (String::new(), value, false);
    for (unit, name) in SECTIONS {
        let section = rest / unit;
        rest %= unit;
        // 一萬零五百, 一億零五: nothing is said for the places between, but that there are such.
        gap |= !said.is_empty() && section < 1000;
        if section > 0 {
            if gap {
                said.push('零');
            }
            said += &section_in_cantonese(section, said.is_empty());
            said += name;
            gap = false;
        }
    }
    said
}

fn section_in_cantonese(section: u64, first: bool) -> String {
    let (mut said, mut rest, mut gap) = (String::new(), section, false);
    for (unit, name) in POWERS {
        let digit = rest / unit;
        rest %= unit;
        if digit == 0 {
            gap = !said.is_empty();
            continue;
        }
        if gap {
            said.push('零');
            gap = false;
        }
        // 十二, but 一百一十二.
        if !(first && said.is_empty() && unit == 10 && digit == 1) {
            said.push(digit_of(digit));
        }
        said += name;
    }
    said
}

/// Whether these characters are a way to say this value, and no other: 一百二十, 百二, 百二十 and 一百廿 of 120.
#[must_use]
pub fn is_said_in_cantonese(said: &[char], value: u64) -> bool {
    let said = spelling(said.iter().copied());
    let full = spelling(in_cantonese(value).chars());
    let elided: String = without_tens(&full);
    let ways = [Some(full.clone()), clipped(&full), (elided != full).then_some(elided)];
    // The 一 is left out of 百二, but a power by itself is no number: 百合, 千祈, 千萬.
    let counted = said.chars().any(|c| digit(c).is_some());
    ways.into_iter().flatten().any(|way| said == way || counted && way.strip_prefix('一') == Some(&said))
}

/// One spelling of what sounds the same: 二 for 兩, 二十 for 廿, 十 for 一十.
fn spelling(said: impl Iterator<Item = char>) -> String {
    let mut out = String::new();
    for c in said.map(plain) {
        match c {
            '廿' => out.push_str("二十"),
            '卅' => out.push_str("三十"),
            '十' if out.ends_with('一') => {
                out.pop();
                out.push(c);
            }
            _ => out.push(digit(c).map_or(c, |digit| digit_of(u64::from(digit)))),
        }
    }
    out
}

/// 一百二 of 一百二十: the last power is left out where the one above it was said.
fn clipped(full: &str) -> Option<String> {
    const STEPS: [&str; 3] = ["百十", "千百", "万千"];
    let chars: Vec<char> = full.chars().collect();
    let [head @ .., above, only, power] = chars.as_slice() else {
        return None;
    };
    let step: String = [*above, *power].iter().collect();
    let fits = STEPS.contains(&step.as_str()) && digit(*only).is_some_and(|digit| digit > 0);
    fits.then(|| head.iter().chain([above, only]).collect())
}

/// 百二八 of 百二十八.
fn without_tens(full: &str) -> String {
    let chars: Vec<char> = full.chars().collect();
    match chars.as_slice() {
        [head @ .., '百', tens, '十', unit] if digit(*tens).is_some() && digit(*unit).is_some() => {
            head.iter().chain(['百', *tens, *unit].iter()).collect()
        }
        _ => full.to_owned(),
    }
}

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// As it is said in full: `one hundred and five`. Below a thousand million.
#[must_use]
pub fn in_english(value: u64) -> String {
    if value == 0 {
        return "zero".to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    for (unit, name) in [(1_000_000, " million"), (1000, " thousand"), (1, "")] {
        let section = value / unit % 1000;
        if section > 0 {
            let and = unit == 1 && section < 100 && !words.is_empty();
            words.push(format!("{}{}{name}", if and { "and " } else { "" }, below_thousand(section)));
        }
    }
    words.join(" ")
}

fn below_thousand(value: u64) -> String {
    let (hundreds, rest) = (value / 100, value % 100);
    match (hundreds, rest) {
        (0, _) => below_hundred(rest),
        (_, 0) => format!("{} hundred", below_hundred(hundreds)),
        _ => format!("{} hundred and {}", below_hundred(hundreds), below_hundred(rest)),
    }
}

fn below_hundred(value: u64) -> String {
    let word = |words: &[&'static str], value: u64| {
        usize::try_from(value).ok().and_then(|index| words.get(index)).copied().unwrap_or_default()
    };
    match (value / 10, value % 10) {
        (0 | 1, _) => word(&ONES, value).to_owned(),
        (tens, 0) => word(&TENS, tens).to_owned(),
        (tens, ones) => format!("{} {}", word(&TENS, tens), word(&ONES, ones)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_people_say_them() {
        for (value, cantonese, english) in [
            (0, "零", "zero"),
            (12, "十二", "twelve"),
            (105, "一百零五", "one hundred and five"),
            (112, "一百一十二", "one hundred and twelve"),
            (2040, "二千零四十", "two thousand and forty"),
            (10_500, "一萬零五百", "ten thousand five hundred"),
            (120_000, "十二萬", "one hundred and twenty thousand"),
            (100_000_005, "一億零五", "one hundred million and five"),
            (
                99_999_999,
                "九千九百九十九萬九千九百九十九",
                "ninety nine million nine hundred and ninety nine thousand nine hundred and ninety nine",
            ),
        ] {
            assert_eq!(in_cantonese(value), cantonese);
            assert_eq!(in_english(value), english);
        }
    }

    #[test]
    fn a_value_has_several_ways_and_an_idiom_is_none() {
        let is = |said: &str, value| is_said_in_cantonese(&said.chars().collect::<Vec<_>>(), value);
        for (said, value) in
            [("百二", 120), ("一百二", 120), ("一百廿", 120), ("兩千五", 2500), ("卅五", 35), ("百二八", 128), ("一百十二", 112)]
        {
            assert!(is(said, value), "{said}");
        }
        for (said, value) in
            [("千萬", 10_000_000), ("百", 100), ("萬", 10_000), ("百萬", 1_000_000), ("十五十六", 36), ("一百二", 102)]
        {
            assert!(!is(said, value), "{said}");
        }
    }
}
