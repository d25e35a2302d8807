//! Spoken numbers to values: 一百三十六, 一三六, 百三, 廿五, 十六點八, 個半, 十幾, `one forty six`.
//!
//! One reader for all stages, of either script and either case: what writes numbers in digits and what takes a note from them
//! cannot read them differently.

mod english;
mod say;

pub use say::{in_cantonese, in_english, is_said_in_cantonese};

/// A number said, in characters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    /// First character.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// Its value; of 兩三 the mean.
    pub value: f64,
    /// Read digit by digit, where that differs: 七八 is 78 in a blood pressure and 7 to 8 before 日.
    pub digits: Option<f64>,
    /// How many digits were said after the point.
    pub places: usize,
    /// Said roughly (十幾, 兩三).
    pub vague: bool,
    /// Said as a place in a row (第三).
    pub ordinal: bool,
}

impl Number {
    /// The value where an exact reading is meant; nothing when only a rough one was said.
    #[must_use]
    pub fn exact(&self) -> Option<f64> {
        self.digits.or((!self.vague).then_some(self.value))
    }
}

/// The most digits after a point: with them, eight digits before it are still exact.
const MOST_PLACES: usize = 6;

/// All numbers of a text, in order, not overlapping.
#[must_use]
pub fn numbers(chars: &[char]) -> Vec<Number> {
    let chars: Vec<char> = chars.iter().copied().map(plain).collect();
    let chars = chars.as_slice();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        match number_at(chars, at) {
            Some(number) => {
                at = number.end;
                found.push(number);
            }
            // A word that starts like a number word but is none is passed over whole.
            None => at += latin_run(chars, at).max(1),
        }
    }
    found
}

/// The one form under which a character of numbers is read.
fn plain(c: char) -> char {
    match c {
        '兩' => '两',
        '萬' => '万',
        '億' => '亿',
        '點' => '点',
        '個' => '个',
        '幾' => '几',
        '時' => '时',
        '貳' => '贰',
        '後' => '后',
        '〇' => '零',
        _ => c.to_ascii_lowercase(),
    }
}

fn char_at(chars: &[char], at: usize) -> char {
    chars.get(at).copied().unwrap_or(' ')
}

fn latin_run(chars: &[char], at: usize) -> usize {
    chars.iter().skip(at).take_while(|c| c.is_ascii_alphabetic()).count()
}

fn number_at(chars: &[char], at: usize) -> Option<Number> {
    let ordinal = at.checked_sub(1).is_some_and(|before| char_at(chars, before) == '第');
    let plain = ascii(chars, at)
        .or_else(|| chinese(chars, at))
        .or_else(|| colloquial(chars, at))
        .or_else(|| english::number(chars, at))?;
    Some(Number { ordinal, ..tail(chars, plain) })
}

fn exact(start: usize, end: usize, value: f64) -> Number {
    Number { start, end, value, digits: None, places: 0, vague: false, ordinal: false }
}

/// `136`, `11.9`, `1,200`.
fn ascii(chars: &[char], at: usize) -> Option<Number> {
    // A digit inside a name (HbA1c, B12, FEV1) is no number.
    if at.checked_sub(1).is_some_and(|before| char_at(chars, before).is_ascii_alphabetic()) {
        return None;
    }
    let below = at.checked_sub(1).is_some_and(|before| char_at(chars, before) == '/');
    let mut text = String::new();
    let mut end = at;
    loop {
        let c = char_at(chars, end);
        let digit_follows = char_at(chars, end + 1).is_ascii_digit();
        match c {
            '0'..='9' => text.push(c),
            '.' if digit_follows && !text.is_empty() && !text.contains('.') => text.push(c),
            // 135/85,120/75 are two pressures.
            ',' if !text.is_empty() && !below && thousands(chars, end + 1) => {}
            _ => break,
        }
        end += 1;
    }
    let places = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    text.parse().ok().map(|value| Number { places, ..exact(at, end, value) })
}

fn thousands(chars: &[char], at: usize) -> bool {
    (at..at + 3).all(|digit| char_at(chars, digit).is_ascii_digit()) && !char_at(chars, at + 3).is_ascii_digit()
}

fn digit(c: char) -> Option<u32> {
    Some(match c {
        '零' => 0,
        '一' | '壹' => 1,
        '二' | '两' | '贰' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

fn power(c: char) -> Option<f64> {
    Some(match c {
        '十' => 10.0,
        '百' => 100.0,
        '千' => 1000.0,
        '万' => 1e4,
        '亿' => 1e8,
        _ => return None,
    })
}

fn tens(c: char) -> Option<f64> {
    match c {
        '廿' => Some(20.0),
        '卅' => Some(30.0),
        _ => None,
    }
}

/// The longest run of numerals that is read; nobody says a longer number.
const LONGEST_RUN: usize = 24;

/// A run of Chinese numerals, read by place or digit by digit; of several numbers in a row the first.
fn chinese(chars: &[char], at: usize) -> Option<Number> {
    let numeral = |c: &char| digit(*c).is_some() || power(*c).is_some() || tens(*c).is_some();
    let mut run: Vec<char> = chars.iter().skip(at).copied().take(LONGEST_RUN).take_while(numeral).collect();
    run.truncate(first_number(&run));
    let end = at + run.len();
    if run.is_empty() {
        return None;
    }
    let digits: Option<Vec<u32>> = run.iter().map(|c| digit(*c)).collect();
    match digits {
        Some(digits) => Some(digit_string(at, end, &digits)),
        None => Some(by_place(at, end, &run)),
    }
}

/// How many numerals of a run the first number has: 一百二十八七十六 is 128, then 76; 一三八七十八 is 138, then 78.
fn first_number(run: &[char]) -> usize {
    let place = |c: char| power(c).or_else(|| tens(c).map(|_| 10.0));
    let Some(first) = run.iter().position(|c| place(*c).is_some()) else { return run.len() };
    let led = |count: usize| run.get(..count).map(|digits| digits.iter().filter_map(|c| digit(*c)).collect::<Vec<u32>>());
    match led(first).as_deref() {
        Some([]) | Some([_]) | None => {}
        // 六七十 and 三五十 are rough; 七六十 is 7, then 60.
        Some([one, two]) if rising(*one, *two) || (*one, *two) == (3, 5) => {}
        Some(digits) => return if run.get(first).is_some_and(|c| tens(*c).is_some()) { first } else { digits.len() - 1 },
    }
    let (mut at, mut last, mut large) = (first, f64::INFINITY, f64::INFINITY);
    while let Some(value) = run.get(at).copied().and_then(place) {
        // 萬 gathers what stands before it; any other place must be lower than the one before.
        if value >= last && value < 10_000.0 {
            return at;
        }
        let bare_tens = run.get(at).is_some_and(|c| tens(*c).is_some());
        last = value;
        if value >= 1e4 {
            large = value;
        }
        at += 1;
        let zero = run.get(at).is_some_and(|c| digit(*c) == Some(0));
        let from = at + usize::from(zero);
        let digits: Vec<u32> = run.iter().skip(from).map_while(|c| digit(*c)).collect();
        let after = from + digits.len();
        match (digits.as_slice(), run.get(after).copied().and_then(place)) {
            ([], None) => return from,
            ([], Some(_)) => at = from,
            // The digit before a lower place belongs to it, and so it does before 萬 unless there was one; before another place it
            // belongs to the next number.
            ([_], Some(next)) if next < last && !bare_tens || (1e4..large).contains(&next) => at = after,
            ([_], Some(_)) => return if zero { from + 1 } else { at },
            ([one, two], Some(next)) if rising(*one, *two) && (next < last || (1e4..large).contains(&next)) => at = after,
            (more, Some(_)) => return from + more.len() - 1,
            ([one, two], None) if last >= 100.0 || rising(*one, *two) => return after,
            (_, None) if last >= 100.0 && !zero => return after,
            (_, None) => return from + 1,
        }
    }
    at
}

fn rising(first: u32, second: u32) -> bool {
    first > 0 && second == first + 1
}

fn digit_string(start: usize, end: usize, digits: &[u32]) -> Number {
    let value = digits.iter().fold(0.0, |sum, digit| sum * 10.0 + f64::from(*digit));
    match digits {
        [first, second] if rising(*first, *second) => {
            Number { value: f64::from(*first) + 0.5, digits: Some(value), vague: true, ..exact(start, end, 0.0) }
        }
        _ => exact(start, end, value),
    }
}

fn by_place(start: usize, end: usize, run: &[char]) -> Number {
    // 一億二千萬零五: what is below the next 萬 or 億 is a section of its own.
    let (mut total, mut section, mut pending, mut last): (f64, f64, Vec<u32>, f64) = (0.0, 0.0, Vec::new(), 1.0);
    let (mut vague, mut zero, mut ambiguous_tail) = (false, false, None);
    for c in run {
        if let Some(value) = digit(*c) {
            zero |= value == 0;
            if value > 0 || !zero || last < 10.0 {
                pending.push(value);
            }
        } else if let Some(value) = tens(*c) {
            section += value;
            last = 10.0;
        } else if let Some(value) = power(*c) {
            vague |= pending.len() > 1;
            let large = value >= 1e4;
            let factor = mean(&pending).unwrap_or(if large { 0.0 } else { 1.0 });
            if large {
                // 一億萬 is not said, but 萬億 is; 萬 alone is one of it.
                let carried = if value > last && last >= 1e4 { std::mem::take(&mut total) } else { 0.0 };
                total += (carried + section + factor).max(1.0) * value;
                section = 0.0;
            } else {
                section += factor * value;
            }
            pending.clear();
            (last, zero) = (value, false);
        }
    }
    match pending.as_slice() {
        [] => {}
        // 百三 is 130, 一百零三 is 103.
        [only] if last >= 100.0 && !zero => section += f64::from(*only) * last / 10.0,
        [only] => section += f64::from(*only),
        // 一百三四 is between 130 and 140, 百二八 is 128.
        [first, second] if rising(*first, *second) => {
            let step = if last >= 100.0 && !zero { last / 10.0 } else { 1.0 };
            ambiguous_tail = (last >= 100.0).then(|| total + section + f64::from(first * 10 + second));
            section += (f64::from(*first) + 0.5) * step;
            vague = true;
        }
        more => section += more.iter().fold(0.0, |sum, digit| sum * 10.0 + f64::from(*digit)),
    }
    Number { vague, digits: ambiguous_tail, ..exact(start, end, total + section) }
}

fn mean(digits: &[u32]) -> Option<f64> {
    let count = u32::try_from(digits.len()).ok().filter(|count| *count > 0)?;
    Some(digits.iter().map(|digit| f64::from(*digit)).sum::<f64>() / f64::from(count))
}

/// 個半, 個幾, 半, 幾, and 成 before a unit (成個月).
fn colloquial(chars: &[char], at: usize) -> Option<Number> {
    let next = char_at(chars, at + 1);
    let vague = |end, value| Some(Number { vague: true, ..exact(at, end, value) });
    match char_at(chars, at) {
        '个' if next == '半' => Some(exact(at, at + 2, 1.5)),
        '个' if next == '几' => vague(at + 2, 1.5),
        '半' => Some(exact(at, at + 1, 0.5)),
        '几' if next == '十' => vague(at + 2, 50.0),
        '几' if !matches!(next, '多' | '耐' | '时' | '好' | '点') => vague(at + 1, 3.0),
        '成' if matches!(next, '年' | '月' | '日' | '个') => vague(at + 1, 1.0),
        _ => None,
    }
}

/// What may follow: 點八, 度一, 幾, 個半.
fn tail(chars: &[char], number: Number) -> Number {
    let next = char_at(chars, number.end);
    let after = char_at(chars, number.end + 1);
    let english = english::point(chars, number.end);
    let point = if matches!(next, '点' | '.') { Some(number.end + 1) } else { english };
    if let Some((value, places, end)) = point.and_then(|from| decimals(chars, from)) {
        let value = number.digits.unwrap_or(number.value) + value;
        return Number { end, value, places, digits: None, vague: false, ..number };
    }
    // 三十九度一, 三十七度半; 三十九度兩日 and 39度2日 tell the temperature, then for how long.
    if next == '度' && (30.0..46.0).contains(&number.value) {
        if after == '半' && !counts(chars, number.end + 2) {
            return Number { end: number.end + 2, value: number.value + 0.5, places: 1, ..number };
        }
        let tenth = digit(after).or_else(|| after.to_digit(10)).filter(|_| after != '两' && !counts(chars, number.end + 2));
        if let Some(tenth) = tenth {
            return Number { end: number.end + 2, value: number.value + f64::from(tenth) / 10.0, places: 1, ..number };
        }
    }
    match next {
        '几' if !matches!(after, '多' | '耐') => {
            Number { end: number.end + 1, vague: true, value: number.value * 1.15, ..number }
        }
        // 三個幾禮拜.
        '个' if after == '几' && !matches!(char_at(chars, number.end + 2), '多' | '耐') => {
            Number { end: number.end + 2, vague: true, ..number }
        }
        '个' if after == '半' => Number { end: number.end + 2, value: number.value + 0.5, ..number },
        _ => number,
    }
}

/// What may be counted behind a digit, and what it then is not (周身, 晚上, 日頭, 年紀, 月經, 天氣).
const COUNTED: [(char, &str); 18] = [
    ('日', "头頭间間"),
    ('天', "气氣"),
    ('晚', "上黑间間"),
    ('夜', "晚"),
    ('个', ""),
    ('星', ""),
    ('礼', "貌"),
    ('禮', "貌"),
    ('周', "身围圍"),
    ('週', "身"),
    ('年', "纪紀"),
    ('月', "经經"),
    ('次', "要"),
    ('分', ""),
    ('小', "便朋"),
    ('钟', ""),
    ('鐘', ""),
    ('粒', ""),
];

/// Whether a unit of time, 次 or a longer number stands here, so that the digit before is no decimal.
fn counts(chars: &[char], at: usize) -> bool {
    let (c, after) = (char_at(chars, at), char_at(chars, at + 1));
    power(c).is_some() || COUNTED.iter().any(|(unit, not)| *unit == c && !not.contains(after))
}

/// The digits after the point, as a fraction, how many, and where they end.
fn decimals(chars: &[char], from: usize) -> Option<(f64, usize, usize)> {
    let mut run: Vec<u32> = chars.iter().skip(from).map_while(|c| digit(*c).or_else(|| c.to_digit(10))).collect();
    // 三十八點五兩日: of several digits the last is counted by the unit behind it.
    if run.len() > 1 && counts(chars, from + run.len()) {
        run.pop();
    }
    let (run, end) = if run.is_empty() { english::digits(chars, from) } else { (run.clone(), from + run.len()) };
    // 十點三十分 and 十點三個字 are times.
    let clock = power(char_at(chars, end)).is_some() || (char_at(chars, end), char_at(chars, end + 1)) == ('个', '字');
    let mut place = 1.0;
    let value = run.iter().fold(0.0, |sum, digit| {
        place *= 10.0;
        sum + f64::from(*digit) / place
    });
    // Tenths do not add up exactly in binary: bring the value to the digits said.
    let value = (value * place).round() / place;
    (!clock && (1..=MOST_PLACES).contains(&run.len())).then_some((value, run.len(), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Number> {
        numbers(&text.chars().collect::<Vec<_>>())
    }

    #[test]
    fn values() {
        for (said, value) in [
            ("一百三十六", 136.0),
            ("一三六", 136.0),
            ("百三", 130.0),
            ("一百零三", 103.0),
            ("一百二十八", 128.0),
            ("百二八", 128.0),
            ("廿五", 25.0),
            ("卅", 30.0),
            ("兩", 2.0),
            ("半", 0.5),
            ("個半", 1.5),
            ("三個半", 3.5),
            ("十六點八", 16.8),
            ("十一點零", 11.0),
            ("零點七六", 0.76),
            ("三十九度一", 39.1),
            ("三十七度半", 37.5),
            ("38度2", 38.2),
            ("八五零", 850.0),
            ("一千二百", 1200.0),
            ("千二", 1200.0),
            ("146", 146.0),
            ("11.9", 11.9),
            ("1,200", 1200.0),
            ("二百五十", 250.0),
            ("一百八十", 180.0),
            ("一四零", 140.0),
            ("one hundred and forty six", 146.0),
            ("one forty six", 146.0),
            ("ninety-two", 92.0),
            ("thirty seven point five", 37.5),
            ("一萬二千", 12000.0),
            ("萬二", 12000.0),
            ("十萬零三百", 100_300.0),
            ("一億二千萬零五", 120_000_005.0),
            ("兩千三百四十五萬六千七百八十九", 23_456_789.0),
            ("三點二五一六", 3.2516),
            ("One Hundred and twenty three thousand four hundred", 123_400.0),
            ("a hundred", 100.0),
            ("two million and five", 2_000_005.0),
            ("nine one two three", 9123.0),
            ("seven point two five", 7.25),
        ] {
            let found = read(said);
            assert_eq!(found.len(), 1, "{said}: {found:?}");
            assert!((found[0].value - value).abs() < 1e-9, "{said}: {found:?}");
            assert!(!found[0].vague, "{said}");
            assert_eq!((found[0].start, found[0].end), (0, said.chars().count()), "{said}");
        }
    }

    #[test]
    fn numbers_without_a_pause_come_apart() {
        for (said, values) in [
            ("一百二十八七十六", &[128.0, 76.0][..]),
            ("一三八七十八", &[138.0, 78.0]),
            ("一百二十七十六", &[120.0, 76.0]),
            ("一百三八十", &[130.0, 80.0]),
            ("一百零八七十", &[108.0, 70.0]),
            ("九十八五十六", &[98.0, 56.0]),
            ("一三零七十四", &[130.0, 74.0]),
            ("五萬三萬", &[50_000.0, 30_000.0]),
            ("二十三萬四千五", &[234_500.0]),
        ] {
            let found = read(said);
            assert_eq!(found.iter().map(|number| number.value).collect::<Vec<_>>(), values, "{said}");
        }
    }

    #[test]
    fn a_digit_with_a_unit_of_its_own_is_no_decimal() {
        for (said, values) in [
            ("三十九度兩日", &[39.0, 2.0][..]),
            ("三十八度三日", &[38.0, 3.0]),
            ("39度2日", &[39.0, 2.0]),
            ("三十九度兩個鐘前", &[39.0, 2.0]),
            ("三十九度一個禮拜", &[39.0, 1.0]),
            ("三十八度二十分鐘", &[38.0, 20.0]),
            ("三十九度三次", &[39.0, 3.0]),
            ("三十八度五三日", &[38.5, 3.0]),
            ("三十八點五兩日", &[38.5, 2.0]),
            ("三十八點五日", &[38.5]),
            ("三十九度二今日", &[39.2]),
            ("三十七度八周身骨痛", &[37.8]),
            ("三十八度二晚上", &[38.2]),
            ("三十九度兩", &[39.0, 2.0]),
        ] {
            assert_eq!(read(said).iter().map(|number| number.value).collect::<Vec<_>>(), values, "{said}");
        }
    }

    #[test]
    fn rough_ones_say_so() {
        for (said, value) in
            [("兩三", 2.5), ("十幾", 11.5), ("個幾", 1.5), ("一百三十幾", 149.5), ("六七十", 65.0), ("幾", 3.0), ("三個幾", 3.0)]
        {
            let found = read(said);
            assert_eq!(found.len(), 1, "{said}: {found:?}");
            assert!(found[0].vague && (found[0].value - value).abs() < 1e-9, "{said}: {found:?}");
        }
        assert_eq!(read("七八")[0].exact(), Some(78.0));
        assert_eq!(read("十幾")[0].exact(), None);
    }

    #[test]
    fn numbers_beside_each_other_are_not_added_up() {
        let values = |said: &str| read(said).iter().map(|number| number.value).collect::<Vec<_>>();
        assert_eq!(values("take two one day"), [2.0, 1.0]);
        assert_eq!(values("twenty four seven"), [24.0, 7.0]);
        assert_eq!(values("十點三十分"), [10.0, 30.0]);
        assert_eq!(values("seven point two, five"), [7.2, 5.0]);
    }

    #[test]
    fn names_and_questions_hold_no_numbers() {
        for said in ["HbA1c", "幾多", "幾耐", "FEV1", "someone", "oh", "a hundredfold", "and", "point"] {
            assert!(read(said).is_empty(), "{said}: {:?}", read(said));
        }
    }
}
