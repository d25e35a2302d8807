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
}
