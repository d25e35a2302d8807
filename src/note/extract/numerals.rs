//! Spoken numbers to values: 一百三十六, 一三六, 百三, 廿五, 十六點八, 個半, 十幾, `one forty six`.
//!
//! Works on folded characters, where 兩 is 两, 點 is 点 and 個 is 个.

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

/// All numbers of a text, in order, not overlapping.
#[must_use]
pub fn numbers(chars: &[char]) -> Vec<Number> {
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

fn char_at(chars: &[char], at: usize) -> char {
    chars.get(at).copied().unwrap_or(' ')
}

fn latin_run(chars: &[char], at: usize) -> usize {
    chars.iter().skip(at).take_while(|c| c.is_ascii_alphabetic()).count()
}

fn number_at(chars: &[char], at: usize) -> Option<Number> {
    let ordinal = at.checked_sub(1).is_some_and(|before| char_at(chars, before) == '第');
    let plain =
        ascii(chars, at).or_else(|| chinese(chars, at)).or_else(|| colloquial(chars, at)).or_else(|| english(chars, at))?;
    Some(Number { ordinal, ..tail(chars, plain) })
}

fn exact(start: usize, end: usize, value: f64) -> Number {
    Number { start, end, value, digits: None, vague: false, ordinal: false }
}

/// `136`, `11.9`, `1,200`.
fn ascii(chars: &[char], at: usize) -> Option<Number> {
    // A digit inside a name (HbA1c, B12, FEV1) is no number.
    if at.checked_sub(1).is_some_and(|before| char_at(chars, before).is_ascii_alphabetic()) {
        return None;
    }
    let mut text = String::new();
    let mut end = at;
    loop {
        let c = char_at(chars, end);
        let digit_follows = char_at(chars, end + 1).is_ascii_digit();
        match c {
            '0'..='9' => text.push(c),
            '.' if digit_follows && !text.is_empty() && !text.contains('.') => text.push(c),
            ',' if !text.is_empty() && thousands(chars, end + 1) => {}
            _ => break,
        }
        end += 1;
    }
    text.parse().ok().map(|value| exact(at, end, value))
}

fn thousands(chars: &[char], at: usize) -> bool {
    (at..at + 3).all(|digit| char_at(chars, digit).is_ascii_digit()) && !char_at(chars, at + 3).is_ascii_digit()
}

fn digit(c: char) -> Option<u32> {
    Some(match c {
        '零' | '〇' => 0,
        '一' | '壹' => 1,
        '二' | '两' | '貳' => 2,
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
        '万' => 10000.0,
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
    let (mut at, mut last) = (first, f64::INFINITY);
    while let Some(value) = run.get(at).copied().and_then(place) {
        // 萬 gathers what stands before it; any other place must be lower than the one before.
        if value >= last && value < 10_000.0 {
            return at;
        }
        let bare_tens = run.get(at).is_some_and(|c| tens(*c).is_some());
        last = value;
        at += 1;
        let zero = run.get(at).is_some_and(|c| digit(*c) == Some(0));
        let from = at + usize::from(zero);
        let digits: Vec<u32> = run.iter().skip(from).map_while(|c| digit(*c)).collect();
        let after = from + digits.len();
        match (digits.as_slice(), run.get(after).copied().and_then(place)) {
            ([], None) => return from,
            ([], Some(_)) => at = from,
            // The digit before a lower place belongs to it, before another place to the next number.
            ([_], Some(next)) if next < last && !bare_tens => at = after,
            ([_], Some(_)) => return if zero { from + 1 } else { at },
            ([one, two], Some(next)) if rising(*one, *two) && next < last => at = after,
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
    let (mut total, mut pending, mut last, mut vague, mut zero): (f64, Vec<u32>, f64, bool, bool) =
        (0.0, Vec::new(), 1.0, false, false);
    let mut ambiguous_tail = None;
    for c in run {
        if let Some(value) = digit(*c) {
            zero |= value == 0;
            if value > 0 || !zero || last < 10.0 {
                pending.push(value);
            }
        } else if let Some(value) = tens(*c) {
            total += value;
            last = 10.0;
        } else if let Some(value) = power(*c) {
            vague |= pending.len() > 1;
            let factor = mean(&pending).unwrap_or(if value >= 10000.0 { 0.0 } else { 1.0 });
            total = if value >= 10000.0 { (total + factor).max(1.0) * value } else { total + factor * value };
            pending.clear();
            (last, zero) = (value, false);
        }
    }
    match pending.as_slice() {
        [] => {}
        // 百三 is 130, 一百零三 is 103.
        [only] if last >= 100.0 && !zero => total += f64::from(*only) * last / 10.0,
        [only] => total += f64::from(*only),
        // 一百三四 is between 130 and 140, 百二八 is 128.
        [first, second] if rising(*first, *second) => {
            let step = if last >= 100.0 && !zero { last / 10.0 } else { 1.0 };
            ambiguous_tail = (last >= 100.0).then(|| total + f64::from(first * 10 + second));
            total += (f64::from(*first) + 0.5) * step;
            vague = true;
        }
        more => total += more.iter().fold(0.0, |sum, digit| sum * 10.0 + f64::from(*digit)),
    }
    Number { vague, digits: ambiguous_tail, ..exact(start, end, total) }
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
    if matches!(next, '点' | '.') || (next == ' ' && english_point(chars, number.end + 1)) {
        let from = if next == ' ' { number.end + " point ".len() } else { number.end + 1 };
        if let Some((value, end)) = decimals(chars, from) {
            return Number { end, value: number.digits.unwrap_or(number.value) + value, digits: None, vague: false, ..number };
        }
    }
    // 三十九度一, 三十七度半.
    if next == '度' && (30.0..46.0).contains(&number.value) {
        if after == '半' {
            return Number { end: number.end + 2, value: number.value + 0.5, ..number };
        }
        if let Some(tenth) = digit(after).or_else(|| after.to_digit(10)) {
            return Number { end: number.end + 2, value: number.value + f64::from(tenth) / 10.0, ..number };
        }
    }
    match next {
        '几' if !matches!(after, '多' | '耐') => {
            Number { end: number.end + 1, vague: true, value: number.value * 1.15, ..number }
        }
        '个' if after == '半' => Number { end: number.end + 2, value: number.value + 0.5, ..number },
        _ => number,
    }
}

fn english_point(chars: &[char], at: usize) -> bool {
    "point ".chars().enumerate().all(|(offset, c)| char_at(chars, at + offset) == c)
}

/// The digits after the point, as a fraction, and where they end.
fn decimals(chars: &[char], from: usize) -> Option<(f64, usize)> {
    let run: Vec<u32> = chars.iter().skip(from).map_while(|c| digit(*c).or_else(|| c.to_digit(10))).collect();
    if run.is_empty() {
        let word: String = chars.iter().skip(from).take_while(|c| c.is_ascii_alphabetic()).collect();
        let value = english_word(&word).filter(|value| *value < 10.0)?;
        return Some((value / 10.0, from + word.len()));
    }
    let mut place = 1.0;
    let value = run.iter().fold(0.0, |sum, digit| {
        place *= 10.0;
        sum + f64::from(*digit) / place
    });
    // Tenths do not add up exactly in binary: bring the value to the digits said.
    let value = (value * place).round() / place;
    // 三點半 is a time; a decimal never has more than three digits when spoken.
    (run.len() <= 3).then_some((value, from + run.len()))
}

fn english_word(word: &str) -> Option<f64> {
    Some(match word {
        "zero" | "oh" => 0.0,
        "one" => 1.0,
        "two" => 2.0,
        "three" => 3.0,
        "four" => 4.0,
        "five" => 5.0,
        "six" => 6.0,
        "seven" => 7.0,
        "eight" => 8.0,
        "nine" => 9.0,
        "ten" => 10.0,
        "eleven" => 11.0,
        "twelve" => 12.0,
        "thirteen" => 13.0,
        "fourteen" => 14.0,
        "fifteen" => 15.0,
        "sixteen" => 16.0,
        "seventeen" => 17.0,
        "eighteen" => 18.0,
        "nineteen" => 19.0,
        "twenty" => 20.0,
        "thirty" => 30.0,
        "forty" => 40.0,
        "fifty" => 50.0,
        "sixty" => 60.0,
        "seventy" => 70.0,
        "eighty" => 80.0,
        "ninety" => 90.0,
        "hundred" => 100.0,
        "thousand" => 1000.0,
        _ => return None,
    })
}

/// `one hundred and forty six`, `one forty six`, `ninety two`.
fn english(chars: &[char], at: usize) -> Option<Number> {
    if at.checked_sub(1).is_some_and(|before| char_at(chars, before).is_ascii_alphanumeric()) {
        return None;
    }
    let (mut end, mut cursor, mut total, mut last): (usize, usize, f64, f64) = (at, at, 0.0, f64::INFINITY);
    loop {
        let word: String = chars.iter().skip(cursor).take_while(|c| c.is_ascii_alphabetic()).collect();
        let after = cursor + word.len();
        if word == "and" && end > at {
            cursor = after + 1;
            continue;
        }
        let Some(value) = english_word(&word) else { break };
        if value >= 100.0 {
            total = total.max(1.0) * value;
        } else if end > at && last < 10.0 && value >= 10.0 {
            // "one forty": the one stands for a hundred.
            total = total * 100.0 + value;
        } else if end == at || value < last {
            total += value;
        } else {
            break;
        }
        last = if value >= 100.0 { f64::INFINITY } else { value };
        end = after;
        if !matches!(char_at(chars, after), ' ' | '-') {
            break;
        }
        cursor = after + 1;
    }
    (end > at).then(|| exact(at, end, total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminology::Lexicon;

    fn read(text: &str) -> Vec<Number> {
        let lexicon = Lexicon::builtin().unwrap();
        let folded: Vec<char> = lexicon.fold().text(text).chars().collect();
        numbers(&folded)
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
        ] {
            let found = read(said);
            assert_eq!(found.iter().map(|number| number.value).collect::<Vec<_>>(), values, "{said}");
        }
    }

    #[test]
    fn rough_ones_say_so() {
        for (said, value) in [("兩三", 2.5), ("十幾", 11.5), ("個幾", 1.5), ("一百三十幾", 149.5), ("六七十", 65.0), ("幾", 3.0)]
        {
            let found = read(said);
            assert_eq!(found.len(), 1, "{said}: {found:?}");
            assert!(found[0].vague && (found[0].value - value).abs() < 1e-9, "{said}: {found:?}");
        }
        assert_eq!(read("七八")[0].exact(), Some(78.0));
        assert_eq!(read("十幾")[0].exact(), None);
    }

    #[test]
    fn names_and_questions_hold_no_numbers() {
        for said in ["HbA1c", "幾多", "幾耐", "FEV1", "someone"] {
            assert!(read(said).is_empty(), "{said}: {:?}", read(said));
        }
    }
}
