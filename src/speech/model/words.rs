//! Tokens to words: a token is neither a character nor a word.

use std::ops::Range;

use super::HeardWord;
use crate::text::PatientText;

/// A word and the tokens it came from.
#[derive(Debug, PartialEq, Eq)]
pub struct WordTokens {
    /// White space in front included.
    pub text: String,
    /// Their places among the pieces.
    pub tokens: Range<usize>,
}

/// Groups the pieces of a text, the bytes of a token each, into words: a space begins one, Chinese needs none, punctuation ends the
/// word before it.
pub fn words<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<WordTokens> {
    join(whole_characters(pieces))
}

/// Words with what `samples` says of their tokens' places, and the mean of their tokens' probabilities; white space alone is no word.
pub fn heard(words: Vec<WordTokens>, probabilities: &[f32], samples: impl Fn(&Range<usize>) -> Range<usize>) -> Vec<HeardWord> {
    let heard = words.into_iter().map(|word| HeardWord {
        text: PatientText::from(word.text.trim()),
        samples: samples(&word.tokens),
        probability: mean(probabilities.get(word.tokens).unwrap_or_default()),
    });
    heard.filter(|word| !word.text.is_blank()).collect()
}

/// Of no values it is 0.
#[must_use]
pub fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

/// Joins pieces until their bytes are whole characters; the texts of all make up the whole text.
pub fn whole_characters<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<WordTokens> {
    let mut whole = Vec::new();
    let (mut bytes, mut begin, mut end) = (Vec::new(), 0, 0);
    for (place, piece) in pieces.enumerate() {
        bytes.extend_from_slice(piece);
        end = place + 1;
        if let Ok(text) = std::str::from_utf8(&bytes) {
            whole.push(WordTokens { text: text.to_owned(), tokens: begin..end });
            bytes.clear();
            begin = end;
        }
    }
    if !bytes.is_empty() {
        whole.push(WordTokens { text: String::from_utf8_lossy(&bytes).into_owned(), tokens: begin..end });
    }
    whole
}

fn join(pieces: Vec<WordTokens>) -> Vec<WordTokens> {
    let mut words: Vec<WordTokens> = Vec::new();
    for piece in pieces {
        match words.last_mut() {
            Some(word) if continues(&word.text, &piece.text) => {
                word.text.push_str(&piece.text);
                word.tokens.end = piece.tokens.end;
            }
            _ => words.push(piece),
        }
    }
    words
}

/// Whether a piece belongs to the word before it.
fn continues(word: &str, piece: &str) -> bool {
    let Some(first) = piece.chars().next() else { return true };
    // What is only white space so far is the beginning of what follows.
    let Some(last) = word.trim().chars().last() else { return true };
    if first.is_whitespace() {
        return false;
    }
    if piece.chars().all(|character| !character.is_alphanumeric()) {
        return true;
    }
    !is_ideographic(first) && !is_ideographic(last) && (last.is_alphanumeric() || matches!(last, '\'' | '’' | '-' | '.' | '/'))
}

/// Chinese characters, kana and hangul: scripts that put no space between words.
fn is_ideographic(character: char) -> bool {
    matches!(character, '\u{2e80}'..='\u{2fff}' | '\u{3005}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouped(pieces: &[&[u8]]) -> Vec<(String, Range<usize>)> {
        words(pieces.iter().copied()).into_iter().map(|word| (word.text, word.tokens)).collect()
    }

    #[test]
    fn a_character_of_several_tokens_is_one_word() {
        let pieces: [&[u8]; 4] = [b"\xe8\xa1", b"\x80", "壓".as_bytes(), "，".as_bytes()];
        assert_eq!(grouped(&pieces), [("血".to_owned(), 0..2), ("壓，".to_owned(), 2..4)]);
    }

    #[test]
    fn english_between_chinese_keeps_together() {
        let pieces: [&[u8]; 7] = ["食".as_bytes(), b"pan", b"adol", "一".as_bytes(), b" 2", b".5", b" mg"];
        let words: Vec<String> = grouped(&pieces).into_iter().map(|word| word.0).collect();
        assert_eq!(words, ["食", "panadol", "一", " 2.5", " mg"]);
    }

    #[test]
    fn what_breaks_off_stays_with_the_word_before_it() {
        let pieces: [&[u8]; 2] = ["痛".as_bytes(), b"\xe8\xa1"];
        assert_eq!(grouped(&pieces), [("痛\u{fffd}".to_owned(), 0..2)]);
    }
}
