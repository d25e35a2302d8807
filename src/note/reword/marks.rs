//! A line as the row of what it claims, with no word left over.

use super::words::{BEFORE_TIME, CHINESE, DENIAL, ENGLISH, NOTHING, OR, PUNCTUATION, TIMES, Words};
use crate::note::compose::Language;

/// One thing that a line claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// A finding, by its usual name.
    Name(String),
    /// A number, in digits as written.
    Number(String),
    /// A unit of a reading.
    Unit(String),
    /// A length of time: how many of which.
    Time(String, &'static str),
    /// What words of [`super::words`] claim.
    Word(&'static str),
}

/// Reads lines of one language that are about the same findings.
pub(super) struct Reader {
    /// Words in lower case with what they claim.
    phrases: Vec<(Vec<char>, Option<Mark>)>,
    /// Whether `120/52` is a reading, and no length of time.
    readings: bool,
}

impl Reader {
    /// Of findings that go by these names, of readings in these units; in a reading a slash makes no length of time.
    pub(super) fn new(language: Language, names: &[Vec<String>], units: &[String]) -> Self {
        let mut phrases: Vec<(Vec<char>, Option<Mark>)> = Vec::new();
        for forms in names {
            let usual = forms.first().map(|usual| lower(usual).into_iter().collect::<String>()).unwrap_or_default();
            phrases.extend(forms.iter().map(|form| (lower(form), Some(Mark::Name(usual.clone())))));
        }
        phrases.extend(units.iter().map(|unit| (lower(unit), Some(Mark::Unit(unit.clone())))));
        let words: &[Words] = language.pick(ENGLISH, CHINESE);
        for (claim, words) in words {
            let mark = (*claim != NOTHING).then_some(Mark::Word(claim));
            phrases.extend(words.iter().map(|word| (lower(word), mark.clone())));
        }
        // The longest is tried first, of equals the name of a finding.
        phrases.sort_by_key(|(phrase, _)| std::cmp::Reverse(phrase.len()));
        Self { phrases, readings: !units.is_empty() }
    }

    /// What a line claims, in order; nothing where there is anything in it that is not understood.
    pub(super) fn read(&self, line: &str) -> Option<Vec<Mark>> {
        let line = lower(line);
        let (mut rest, mut marks) = (line.as_slice(), Vec::new());
        while let Some(first) = rest.first() {
            let taken = if *first == ' ' || PUNCTUATION.contains(first) {
                1
            } else if let Some((length, mark)) = self.time(rest) {
                marks.push(mark);
                length
            } else if let Some((phrase, mark)) = self.phrases.iter().find(|(phrase, _)| starts_with(rest, phrase)) {
                marks.extend(mark.clone());
                phrase.len()
            } else {
                let length = number(rest);
                marks.push(Mark::Number(rest.get(..length)?.iter().collect()));
                length
            };
            // Nothing is understood where nothing was taken.
            rest = rest.get(taken..).filter(|_| taken > 0)?;
        }
        Some(marks)
    }

    /// A length of time, with what stands before it: how many characters, and what it claims.
    fn time(&self, rest: &[char]) -> Option<(usize, Mark)> {
        let before = BEFORE_TIME.iter().map(|word| lower(word)).find(|word| starts_with(rest, word));
        let mut at = before.as_ref().map_or(0, Vec::len);
        at += spaces(rest.get(at..)?);
        let digits = number(rest.get(at..)?);
        let count: String = rest.get(at..at + digits)?.iter().collect();
        at += digits;
        let close = rest.get(at..)?;
        let apart = close.get(spaces(close)..)?;
        let (unit, word, gap) =
            TIMES.iter().flat_map(|(unit, ways)| ways.iter().map(move |way| (*unit, lower(way)))).find_map(|(unit, way)| {
                let shorthand = way.first() == Some(&'/');
                let (rest, gap) = if shorthand { (close, 0) } else { (apart, spaces(close)) };
                (starts_with(rest, &way) && !(shorthand && self.readings)).then_some((unit, way.len(), gap))
            })?;
        (digits > 0).then(|| (at + gap + word, Mark::Time(count, unit)))
    }
}

/// Whether two lines claim the same: in the same order, but for how often it is said that all of them is denied.
pub(super) fn claim_the_same(ours: &[Mark], written: &[Mark]) -> bool {
    if !denies_all(ours) {
        return ours == written;
    }
    let small = |mark: &&Mark| !matches!(mark, Mark::Word(DENIAL | OR));
    let denials = |marks: &[Mark]| marks.iter().filter(|mark| **mark == Mark::Word(DENIAL)).count();
    let twice = written.windows(2).any(|pair| pair.iter().all(|mark| *mark == Mark::Word(DENIAL)));
    ours.iter().filter(small).eq(written.iter().filter(small))
        && written.first() == Some(&Mark::Word(DENIAL))
        && denials(written) <= denials(ours)
        && !twice
}

/// Whether there is a denial before each name, and before nothing else.
fn denies_all(marks: &[Mark]) -> bool {
    let is_denial = |mark: &Mark| *mark == Mark::Word(DENIAL);
    let names = marks.iter().filter(|mark| matches!(mark, Mark::Name(_))).count();
    let denied = marks.windows(2).filter(|pair| matches!(pair, [denial, Mark::Name(_)] if is_denial(denial))).count();
    // A side may stand between.
    let sided = marks.windows(3).filter(
        |three| matches!(three, [denial, Mark::Word("left" | "right" | "bilateral"), Mark::Name(_)] if is_denial(denial)),
    );
    names > 0 && denied + sided.count() == names && marks.iter().filter(|mark| is_denial(mark)).count() == names
}

/// In lower case, character by character; white space is a space.
fn lower(text: &str) -> Vec<char> {
    let one = |c: char| if c == '\u{3000}' { ' ' } else { c.to_lowercase().next().unwrap_or(c) };
    text.trim().chars().map(one).collect()
}

/// Whether a text begins with a phrase, and no word of Latin letters goes on behind it.
fn starts_with(rest: &[char], phrase: &[char]) -> bool {
    let inside = |c: &char| c.is_alphanumeric() && !is_chinese(*c);
    let goes_on = phrase.last().is_some_and(inside) && rest.get(phrase.len()).is_some_and(inside);
    !phrase.is_empty() && rest.starts_with(phrase) && !goes_on
}

/// Characters of a number at the beginning: digits, and a part behind a point.
fn number(rest: &[char]) -> usize {
    let digits = |from: usize| rest.iter().skip(from).take_while(|c| c.is_ascii_digit()).count();
    let whole = digits(0);
    match rest.get(whole) {
        Some('.') if whole > 0 && digits(whole + 1) > 0 => whole + 1 + digits(whole + 1),
        _ => whole,
    }
}

fn spaces(rest: &[char]) -> usize {
    rest.iter().take_while(|c| **c == ' ').count()
}

fn is_chinese(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}
