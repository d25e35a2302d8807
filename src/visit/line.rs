//! One line of text that a person typed.

use super::VisitError;
use crate::text::PatientText;

/// The text without spaces around it. Refused are an empty one, one that is too long, and characters that cannot be seen.
pub(super) fn line(field: &'static str, given: &str, most: usize) -> Result<PatientText, VisitError> {
    let given = given.trim();
    if given.is_empty() {
        return Err(VisitError::Blank { field });
    }
    let characters = given.chars().count();
    if characters > most {
        return Err(VisitError::TooLong { field, characters, most });
    }
    match given.chars().position(is_unseen) {
        Some(before) => Err(VisitError::Unseen { field, at: before + 1 }),
        None => Ok(PatientText::from(given)),
    }
}

/// An empty field of a form is one that was left out.
pub(super) fn present(given: Option<&str>) -> Option<&str> {
    given.filter(|given| !given.trim().is_empty())
}

/// Control characters, line and paragraph separators, marks of width nought, those that turn the direction of writing, tags, and what fills a
/// place with nothing.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_seen_whole_or_refused_without_being_quoted() {
        assert_eq!(line("name", "  陳大文 CHAN Tai Man ", 20).unwrap().reveal(), "陳大文 CHAN Tai Man");
        assert_eq!(line("name", " \u{3000}\t ", 20), Err(VisitError::Blank { field: "name" }));
        assert_eq!(line("name", &"陳".repeat(21), 20), Err(VisitError::TooLong { field: "name", characters: 21, most: 20 }));
        for unseen in
            ['\0', '\u{7}', '\n', '\u{85}', '\u{200f}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{3164}', '\u{2800}', '\u{e0041}']
        {
            let error = line("name", &format!("Wong{unseen}x"), 20).unwrap_err();
            assert_eq!(error, VisitError::Unseen { field: "name", at: 5 });
            assert!(!error.to_string().contains("Wong"));
        }
        // Beyond the 16 bits of a JavaScript unit, and with a combining mark.
        assert!(line("name", "𨋢 e", 3).is_ok() && line("name", "𨋢 e\u{301}", 3).is_err());
    }
}
