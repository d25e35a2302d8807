//! Lines of a width: between words of Latin letters, and between Chinese characters except where a mark would begin or end a line.

use super::LetterError;

/// Marks that begin no line.
const CLOSING: &str = "、。，．：；！？）」』】》〉”’…)]},.:;!?%";
/// Marks that end no line.
const OPENING: &str = "（「『【《〈“‘([{";

/// The lines of a text. A word that is wider than a line is cut. `width` measures in points; what cannot be seen counts as a space.
pub(super) fn lines(text: &str, most: f32, width: &dyn Fn(&str) -> Result<f32, LetterError>) -> Result<Vec<String>, LetterError> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(text) {
        let joined = format!("{line}{piece}");
        if width(joined.trim_end())? <= most {
            line = joined;
            continue;
        }
        push(&mut lines, &mut line);
        if width(piece.trim_end())? <= most {
            line = piece.trim_start().to_owned();
            continue;
        }
        for character in piece.chars() {
            let mut longer = line.clone();
            longer.push(character);
            if width(&longer)? > most {
                push(&mut lines, &mut line);
            }
            line.push(character);
        }
    }
    push(&mut lines, &mut line);
    Ok(lines)
}

fn push(lines: &mut Vec<String>, line: &mut String) {
    let done = std::mem::take(line);
    if !done.trim().is_empty() {
        lines.push(done.trim_end().to_owned());
    }
}

/// What may stand on a line of its own, with the spaces behind it.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut before = ' ';
    for character in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        let cut = !character.is_whitespace()
            && !CLOSING.contains(character)
            && !OPENING.contains(before)
            && (before.is_whitespace() || is_han(before) || is_han(character) || CLOSING.contains(before) && is_wide(before));
        match pieces.last_mut().filter(|_| !cut) {
            Some(piece) => piece.push(character),
            None => pieces.push(character.to_string()),
        }
        before = character;
    }
    pieces
}

/// A character that lines may be cut beside: Chinese ones, and the marks that go with them.
fn is_han(character: char) -> bool {
    matches!(u32::from(character), 0x2E80..=0x2FFF | 0x3005..=0x3007 | 0x3021..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
        || OPENING.contains(character) && is_wide(character)
}

fn is_wide(character: char) -> bool {
    matches!(u32::from(character), 0x3000..=0x303F | 0xFF00..=0xFFEF)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Latin letters half as wide as the rest.
    fn wrapped(text: &str, most: f32) -> Vec<String> {
        let width = |text: &str| Ok(text.chars().map(|c| if c.is_ascii() { 0.5 } else { 1.0 }).sum());
        lines(text, most, &width).unwrap()
    }

    #[test]
    fn words_are_whole_and_marks_stay_with_what_they_belong_to() {
        assert_eq!(wrapped("amlodipine 5 mg daily", 6.0), ["amlodipine 5", "mg daily"]);
        assert_eq!(wrapped("血壓高，食藥", 3.0), ["血壓", "高，食", "藥"]);
        assert_eq!(wrapped("佢話「唔痛」啦", 3.0), ["佢話", "「唔", "痛」啦"]);
        assert_eq!(wrapped("abcdefgh", 2.0), ["abcd", "efgh"]);
        assert_eq!(wrapped("食 Panadol 啦", 5.0), ["食 Panadol", "啦"]);
        assert_eq!(wrapped(" \n ", 4.0), [""; 0]);
    }

    #[test]
    fn nothing_is_lost() {
        let text = "上述病人於 2026-11-26 應診,BP 145/90(右手),建議休病假。";
        for most in 2..40 {
            let kept: String = wrapped(text, most as f32).concat().split_whitespace().collect();
            assert_eq!(kept, text.split_whitespace().collect::<String>(), "{most}");
        }
    }
}
