//! A line as the row of what it claims, with no word left over.

use super::words::{
    AND, BEFORE_TIME, CHINESE, DENIAL, ENDS, ENGLISH, EQUALS, FOLLOW_UP, NOTHING, OR, SEPARATORS, STARTS, TIMES, Words,
};
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
    /// A length of time: how many of which, and whether it lies ahead.
    Time(String, &'static str, bool),
    /// What words of [`super::words`] claim.
    Word(&'static str),
    /// Something else follows.
    Separator,
    /// What was said before governs nothing that follows.
    End,
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
            let mark = match *claim {
                NOTHING => None,
                AND => Some(Mark::Separator),
                claim => Some(Mark::Word(claim)),
            };
            phrases.extend(words.iter().map(|word| (lower(word), mark.clone())));
        }
        // The longest is tried first, of equals the name of a finding.
        phrases.sort_by_key(|(phrase, _)| std::cmp::Reverse(phrase.len()));
        Self { phrases, readings: !units.is_empty() }
    }

    /// What a line claims, in order; nothing where there is anything in it that is not understood.
    pub(super) fn read(&self, line: &str) -> Option<Vec<Mark>> {
        let line = lower(line);
        let start =
            STARTS.iter().map(|start| lower(start)).find(|start| starts_with(&line, start)).map_or(0, |start| start.len());
        let (mut rest, mut marks) = (line.get(start..)?, Vec::new());
        while !rest.is_empty() {
            let (taken, mark) = self.next(rest, &marks)?;
            marks.extend(mark);
            rest = rest.get(taken..)?;
        }
        Some(joined(marks))
    }

    /// How many characters come next, and what they claim.
    fn next(&self, rest: &[char], before: &[Mark]) -> Option<(usize, Option<Mark>)> {
        let first = rest.first()?;
        let digit_at = |at: usize| rest.get(at).is_some_and(char::is_ascii_digit);
        if matches!(first, ' ' | ':' | '：') {
            return Some((1, None));
        }
        let ahead = before.contains(&Mark::Word(FOLLOW_UP));
        if let Some((length, mark)) = self.time_in_brackets(rest, ahead).or_else(|| self.time(rest, ahead)) {
            return Some((length, Some(mark)));
        }
        if let Some((phrase, mark)) = self.phrases.iter().find(|(phrase, _)| starts_with(rest, phrase)) {
            return Some((phrase.len(), mark.clone()));
        }
        if SEPARATORS.contains(first) || ENDS.contains(first) {
            return Some((1, Some(if ENDS.contains(first) { Mark::End } else { Mark::Separator })));
        }
        // A verb between a name and its reading, and the stroke within one.
        if let Some(verb) = EQUALS.iter().map(|verb| lower(verb)).find(|verb| starts_with(rest, verb)) {
            let number = verb.len() + spaces(rest.get(verb.len()..)?);
            return (self.readings && digit_at(number)).then_some((verb.len(), None));
        }
        if *first == '/' {
            let reading = self.readings && digit_at(1) && matches!(before.last(), Some(Mark::Number(_)));
            return reading.then_some((1, Some(Mark::Word("/"))));
        }
        let length = number(rest);
        (length > 0).then(|| (length, Some(Mark::Number(rest.iter().take(length).collect()))))
    }

    /// A length of time in brackets of its own.
    fn time_in_brackets(&self, rest: &[char], ahead: bool) -> Option<(usize, Mark)> {
        if !matches!(rest.first()?, '(' | '（') {
            return None;
        }
        let (length, mark) = self.time(rest.get(1..)?, ahead)?;
        matches!(rest.get(length + 1)?, ')' | '）').then_some((length + 2, mark))
    }

    /// A length of time, with what stands before it: how many characters, and what it claims. Where nothing stands there, it lies ahead if
    /// `ahead` says so.
    fn time(&self, rest: &[char], ahead: bool) -> Option<(usize, Mark)> {
        let before = BEFORE_TIME.iter().map(|(word, ahead)| (lower(word), *ahead)).find(|(word, _)| starts_with(rest, word));
        let (mut at, ahead) = before.map_or((0, ahead), |(word, ahead)| (word.len(), ahead));
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
        (digits > 0).then(|| (at + gap + word, Mark::Time(count, unit, ahead)))
    }
}

/// Separators side by side are one, and none stands at an end.
fn joined(marks: Vec<Mark>) -> Vec<Mark> {
    let mut joined: Vec<Mark> = Vec::with_capacity(marks.len());
    for mark in marks {
        match (joined.last(), &mark) {
            (None | Some(Mark::Separator | Mark::End), Mark::Separator) | (None | Some(Mark::End), Mark::End) => {}
            (Some(Mark::Separator), Mark::End | Mark::Word(OR)) => {
                joined.pop();
                joined.push(mark);
            }
            _ => joined.push(mark),
        }
    }
    while matches!(joined.last(), Some(Mark::Separator | Mark::End)) {
        joined.pop();
    }
    joined
}

/// Whether two lines claim the same: in the same order, in the same groups, but for how often it is said that all of them is denied.
pub(super) fn claim_the_same(ours: &[Mark], written: &[Mark]) -> bool {
    if !denies_all(ours) {
        return ours == written;
    }
    let what = |marks: &[Mark]| -> Vec<Mark> {
        let plain = |mark: &Mark| if *mark == Mark::Word(OR) { Mark::Separator } else { mark.clone() };
        marks.iter().filter(|mark| **mark != Mark::Word(DENIAL)).map(plain).collect()
    };
    // A denial stands before all of it, and else only where something begins.
    let placed = written.windows(2).all(|pair| match pair {
        [before, Mark::Word(DENIAL)] => matches!(before, Mark::Separator | Mark::Word(OR)),
        _ => true,
    });
    placed && what(ours) == what(written) && written.first() == Some(&Mark::Word(DENIAL))
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
