//! What an answer says: `language Cantonese<asr_text>` and then the words, or the words alone where the language was given.

use super::vocabulary::{HEADER, NOTHING, Vocabulary, name};
use crate::speech::model::Language;

/// An answer, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<'a> {
    /// As the model calls it; nothing where it said none, or that nothing was said.
    pub language: Option<String>,
    /// The tokens of the words, never those of the header.
    pub text: &'a [u32],
}

impl<'a> Answer<'a> {
    /// Takes apart the tokens of an answer, which has a header unless its language was `given`. One that comes all the same is no text.
    #[must_use]
    pub fn read(tokens: &'a [u32], given: bool, vocabulary: &Vocabulary) -> Self {
        let place = tokens.iter().position(|token| *token == vocabulary.text);
        let (header, text) = match place.and_then(|place| tokens.split_at_checked(place)) {
            Some((header, rest)) => (header, rest.get(1..).unwrap_or_default()),
            // Cut off before the words began.
            None if !given && vocabulary.decode(tokens).reveal().trim_start().starts_with(HEADER) => (tokens, &[][..]),
            None => (&[][..], tokens),
        };
        let header = vocabulary.decode(header);
        let named = header.reveal().lines().find_map(|line| line.trim().strip_prefix(HEADER)).map(str::trim);
        let language = named.filter(|named| !named.is_empty() && !named.eq_ignore_ascii_case(NOTHING)).map(str::to_owned);
        Self { language, text }
    }

    /// The language, where it is one of those that this program knows.
    #[must_use]
    pub fn known_language(&self) -> Option<Language> {
        let named = self.language.as_deref()?;
        Language::ALL.into_iter().find(|language| name(*language).eq_ignore_ascii_case(named))
    }
}

/// Characters, or stretches of up to [`LONGEST_STRETCH`] of them, that stand more often than this in a row are written once.
const REPEATS: usize = 20;
/// See [`REPEATS`].
const LONGEST_STRETCH: usize = 20;

/// A text without its loops, as the reference mends it (`qwen_asr/inference/utils.py`, `detect_and_fix_repetitions`).
#[must_use]
pub fn without_loops(text: &str) -> String {
    let mut characters: Vec<char> = Vec::new();
    let mut rest: &[char] = &text.chars().collect::<Vec<_>>();
    while let Some(first) = rest.first() {
        let count = rest.iter().take_while(|character| *character == first).count();
        let kept = if count > REPEATS { 1 } else { count };
        characters.extend(std::iter::repeat_n(first, kept));
        rest = rest.get(count..).unwrap_or_default();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = characters.as_slice();
    while rest.len() >= 2 * REPEATS {
        let looped = (1..=LONGEST_STRETCH).find_map(|length| {
            let stretch = rest.get(..length)?;
            let times = rest.chunks_exact(length).take_while(|next| *next == stretch).count();
            (times >= REPEATS).then_some((stretch, times * length))
        });
        let (kept, taken) = looped.unwrap_or((rest.get(..1).unwrap_or_default(), 1));
        out.extend(kept);
        rest = rest.get(taken..).unwrap_or_default();
    }
    out.extend(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_are_written_once() {
        for (text, expected) in [
            (format!("好{}呀", "呵".repeat(21)), "好呵呀".to_owned()),
            ("呵".repeat(20), "呵".repeat(20)),
            (format!("a{}z", "一二三".repeat(20)), "a一二三z".to_owned()),
            (format!("a{}一二z", "一二三".repeat(19)), format!("a{}一二z", "一二三".repeat(19))),
            (format!("{}x{}", "ab".repeat(25), "cd".repeat(25)), "abxcd".to_owned()),
            (String::new(), String::new()),
        ] {
            assert_eq!(without_loops(&text), expected, "{text}");
        }
    }
}
