//! Byte-level pieces of a vocabulary, which GPT-2 began: every byte has a character that can be seen.

use std::collections::HashMap;

/// The byte that each character of a byte-level piece stands for: printable Latin-1 is itself, the other bytes follow from U+0100
/// on (GPT-2's `bytes_to_unicode`).
#[must_use]
pub fn byte_of_character() -> HashMap<char, u8> {
    let printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let shown = (0..=u8::MAX).filter(printable).map(|byte| (char::from(byte), byte));
    let hidden = (0..=u8::MAX).filter(|byte| !printable(byte));
    shown.chain(('\u{100}'..).zip(hidden)).collect()
}

/// How a text may stand in another: a word of letters with a space in front and without, as text in the middle and at the beginning has
/// it, and with its first letter in both cases.
#[must_use]
pub fn spellings(written: &str) -> Vec<String> {
    let mut ways = vec![written.to_owned()];
    let mut rest = written.chars();
    if let Some(first) = rest.next().filter(char::is_ascii_alphanumeric) {
        for first in [first.to_ascii_lowercase(), first.to_ascii_uppercase()] {
            let way = format!("{first}{}", rest.as_str());
            ways.extend([format!(" {way}"), way]);
        }
        ways.push(format!(" {written}"));
    }
    ways.sort_unstable();
    ways.dedup();
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_character() {
        let map = byte_of_character();
        assert_eq!(map.len(), 256);
        assert_eq!(map.get(&'Ġ'), Some(&b' '));
        assert_eq!(map.get(&'Ċ'), Some(&b'\n'));
        assert_eq!(map.get(&'a'), Some(&b'a'));
    }

    #[test]
    fn letters_stand_with_a_space_and_in_both_cases() {
        assert_eq!(spellings("hbA1c"), [" HbA1c", " hbA1c", "HbA1c", "hbA1c"]);
        assert_eq!(spellings("羅便臣道"), ["羅便臣道"]);
    }
}
