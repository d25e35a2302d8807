//! A text as a forced aligner takes it: characters of Chinese, and words of other scripts without their marks
//! (`qwen_asr/inference/qwen3_forced_aligner.py`, `tokenize_space_lang`).

use std::ops::Range;

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};

use crate::text::PatientText;

/// One character or word that gets a time.
pub struct Unit {
    /// As the aligner is given it.
    pub spoken: PatientText,
    /// Where in the text it stands, the marks with it that belong to it: the units of a text tile it.
    pub bytes: Range<usize>,
}

/// The units of a text, in their order; none where nothing in it is spoken.
#[must_use]
pub fn units(text: &str) -> Vec<Unit> {
    let mut found: Vec<(String, Range<usize>)> = Vec::new();
    // Whether the last one may go on.
    let mut open = false;
    for (begin, character) in text.char_indices() {
        let end = begin + character.len_utf8();
        if is_space(character) {
            open = false;
        } else if is_spoken(character) {
            let alone = is_chinese(character);
            match found.last_mut().filter(|_| open && !alone) {
                Some((spoken, bytes)) => {
                    spoken.push(character);
                    bytes.end = end;
                }
                None => found.push((character.to_string(), begin..end)),
            }
            open = !alone;
        }
    }
    tile(text, found)
}

/// What stands between two units goes with the first of them, up to white space or something that opens.
fn tile(text: &str, found: Vec<(String, Range<usize>)>) -> Vec<Unit> {
    let starts = found.iter().skip(1).map(|(_, bytes)| Some(bytes.start)).chain([None]);
    let ends: Vec<usize> = found
        .iter()
        .zip(starts)
        .map(|((_, bytes), next)| {
            let Some(next) = next else { return text.len() };
            let between = text.get(bytes.end..next).unwrap_or_default();
            between.find(|character| is_space(character) || opens(character)).map_or(next, |place| bytes.end + place)
        })
        .collect();
    let mut begin = 0;
    let tiled = found.into_iter().zip(ends).map(|((spoken, _), end)| {
        let bytes = begin..end;
        begin = end;
        Unit { spoken: PatientText::from(spoken), bytes }
    });
    tiled.collect()
}

/// As Python's `str.split` has it, which takes four separators of ASCII for white space.
fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

fn is_spoken(character: char) -> bool {
    let group = character.general_category_group();
    character == '\'' || matches!(group, GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number)
}

fn opens(character: char) -> bool {
    matches!(character.general_category(), GeneralCategory::OpenPunctuation | GeneralCategory::InitialPunctuation)
}

fn is_chinese(character: char) -> bool {
    matches!(character, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{20000}'..='\u{2a6df}' | '\u{2a700}'..='\u{2b73f}'
        | '\u{2b740}'..='\u{2b81f}' | '\u{2b820}'..='\u{2ceaf}' | '\u{f900}'..='\u{faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stay_with_their_word() {
        let text = "「Dr. Lee」話 well-known 2.5 mg，OK ?";
        let units = units(text);
        let spoken: Vec<&str> = units.iter().map(|unit| unit.spoken.reveal()).collect();
        assert_eq!(spoken, ["Dr", "Lee", "話", "wellknown", "25", "mgOK"]);
        let written: Vec<&str> = units.iter().map(|unit| text[unit.bytes.clone()].trim()).collect();
        assert_eq!(written, ["「Dr.", "Lee」", "話", "well-known", "2.5", "mg，OK ?"]);
        assert!(super::units("，。 ?").is_empty());
    }
}
