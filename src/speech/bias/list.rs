//! A list of words as a person writes it, checked.

use std::collections::HashSet;
use std::fmt;

use crate::speech::SpeechError;
use crate::speech::script::HongKongScript;
use crate::text::PatientText;

/// Words in one list: all names of a large clinic's drugs, diseases, doctors and streets are fewer.
pub const LONGEST_LIST: usize = 10_000;
/// Characters in one word or phrase.
pub const LONGEST_WORD: usize = 64;

/// Words and phrases to expect. They may be a patient's: none is shown in a debug print or an error.
#[derive(Clone, PartialEq, Eq)]
pub struct WordList {
    words: Vec<Listed>,
}

/// A word of a list.
#[derive(Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its line in the list, from 1.
    pub line: usize,
    /// As it stands there.
    pub written: PatientText,
    /// As a model may write it: so, in Hong Kong's characters, and in Simplified ones.
    pub forms: Vec<PatientText>,
}

impl WordList {
    /// Reads UTF-8, a word or phrase a line. Empty lines and those that begin with `#` are passed over, as is a word that was there
    /// before.
    ///
    /// # Errors
    /// [`SpeechError::WordList`] names the line and what is wrong with it, and quotes nothing of it.
    pub fn parse(bytes: &[u8], script: &HongKongScript) -> Result<Self, SpeechError> {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let (mut gathered, mut lines) = (Gathered::new(script), 0);
        for (line, bytes) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            lines = line;
            let text = std::str::from_utf8(bytes).map_err(|_| wrong(line, "is not UTF-8"))?.trim();
            if !text.is_empty() && !text.starts_with('#') {
                gathered.add(line, text)?;
            }
        }
        gathered.list().ok_or_else(|| wrong(lines, "is the last, and no line has a word"))
    }

    /// Of words that came one by one, which count as lines.
    ///
    /// # Errors
    /// As [`WordList::parse`]. No words at all are none to expect.
    pub fn of<'a>(words: impl IntoIterator<Item = &'a str>, script: &HongKongScript) -> Result<Option<Self>, SpeechError> {
        let mut gathered = Gathered::new(script);
        for (line, word) in (1..).zip(words) {
            gathered.add(line, word.trim())?;
        }
        Ok(gathered.list())
    }

    /// Of names that were entered for other ends: those that cannot be listed are left out. At most so many.
    #[must_use]
    pub fn of_names<'a>(names: impl IntoIterator<Item = &'a str>, most: usize, script: &HongKongScript) -> Option<Self> {
        let mut gathered = Gathered::new(script);
        for (line, name) in (1..).zip(names) {
            if gathered.words.len() < most.min(LONGEST_LIST) && problem(name.trim()).is_none() {
                // Nothing is wrong with it, and there is room.
                let _ = gathered.add(line, name.trim());
            }
        }
        gathered.list()
    }

    /// This list and then the words of another that it has not; their lines stay those of their own lists.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let mut words = self.words.clone();
        let own: HashSet<&str> = self.words.iter().map(|word| word.written.reveal()).collect();
        words.extend(other.words.iter().filter(|word| !own.contains(word.written.reveal())).cloned());
        Self { words }
    }

    /// In the list's order.
    #[must_use]
    pub fn words(&self) -> &[Listed] {
        &self.words
    }
}

/// The words of a list that was read so far.
struct Gathered<'a> {
    script: &'a HongKongScript,
    words: Vec<Listed>,
    seen: HashSet<String>,
}

impl<'a> Gathered<'a> {
    fn new(script: &'a HongKongScript) -> Self {
        Self { script, words: Vec::new(), seen: HashSet::new() }
    }

    fn add(&mut self, line: usize, text: &str) -> Result<(), SpeechError> {
        if let Some(problem) = problem(text) {
            return Err(wrong(line, problem));
        }
        if !self.seen.insert(text.to_owned()) {
            return Ok(());
        }
        if self.words.len() == LONGEST_LIST {
            return Err(wrong(line, format!("is one more than the {LONGEST_LIST} words that a list may have")));
        }
        let mut forms = vec![text.to_owned()];
        for form in [self.script.convert(text), self.script.simplified(text)] {
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        let forms = forms.into_iter().map(PatientText::from).collect();
        self.words.push(Listed { line, written: PatientText::from(text), forms });
        Ok(())
    }

    /// Nothing where no word came.
    fn list(self) -> Option<WordList> {
        (!self.words.is_empty()).then_some(WordList { words: self.words })
    }
}

fn wrong(line: usize, problem: impl Into<String>) -> SpeechError {
    SpeechError::WordList { line, problem: problem.into() }
}

/// What is wrong with a word, if anything.
fn problem(word: &str) -> Option<String> {
    let characters = word.chars().count();
    if characters > LONGEST_WORD {
        return Some(format!("has {characters} characters, and a word or phrase has at most {LONGEST_WORD}"));
    }
    if word.chars().any(char::is_control) {
        return Some("has a control character: a list has one word or phrase a line".to_owned());
    }
    // One sound alone is heard everywhere.
    let spoken = word.chars().filter(|character| character.is_alphanumeric()).count();
    (spoken < 2).then(|| "has fewer than two letters or characters".to_owned())
}

impl fmt::Debug for WordList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WordList({} words)", self.words.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<WordList, SpeechError> {
        WordList::parse(bytes, &HongKongScript::load().unwrap())
    }

    fn refused(bytes: &[u8]) -> String {
        parse(bytes).unwrap_err().to_string()
    }

    #[test]
    fn a_word_has_the_forms_that_a_model_may_write() {
        let list = parse("\u{feff}# our clinic\r\n\r\n  羅便臣道 \r\nMetformin\n羅便臣道\n阿司匹林".as_bytes()).unwrap();
        let forms: Vec<(usize, Vec<&str>)> =
            list.words().iter().map(|word| (word.line, word.forms.iter().map(PatientText::reveal).collect())).collect();
        assert_eq!(forms, [(3, vec!["羅便臣道", "罗便臣道"]), (4, vec!["Metformin"]), (6, vec!["阿司匹林"])]);
        assert_eq!(format!("{list:?}"), "WordList(3 words)");
    }

    #[test]
    fn what_is_no_list_is_refused_with_its_line_and_without_its_words() {
        for (bytes, line, told) in [
            (&b"aspirin\n\xff\xfe\n"[..], 2, "UTF-8"),
            (b"", 1, "no line has a word"),
            (b"# nothing\n\n", 3, "no line has a word"),
            (b"aspirin\nmet\tformin\n", 2, "control character"),
            (b"aspirin\n-\n", 2, "fewer than two"),
            ("aspirin\n痛\n".as_bytes(), 2, "fewer than two"),
            (&[b'a'; 65], 1, "at most 64"),
        ] {
            let message = refused(bytes);
            assert!(message.contains(&format!("line {line} ")) && message.contains(told), "{message}");
            assert!(!message.contains("met") && !message.contains('痛'), "{message}");
        }
    }

    #[test]
    fn lists_are_joined_and_words_may_come_one_by_one() {
        let script = HongKongScript::load().unwrap();
        let own = parse("阿司匹林\nmetformin".as_bytes()).unwrap();
        let sent = WordList::of(["陳大文", " metformin ", "#99"], &script).unwrap().unwrap();
        let both = own.with(&sent);
        let written: Vec<&str> = both.words.iter().map(|word| word.written.reveal()).collect();
        assert_eq!(written, ["阿司匹林", "metformin", "陳大文", "#99"]);
        assert_eq!(WordList::of([], &script).unwrap(), None);
        for bad in ["", "  ", "x", "a\nb", &"x".repeat(65)] {
            let message = WordList::of(["metformin", bad], &script).unwrap_err().to_string();
            assert!(message.contains("line 2 ") && !message.contains('b'), "{message}");
        }
    }

    #[test]
    fn of_names_what_is_no_word_is_left_out() {
        let script = HongKongScript::load().unwrap();
        let list = WordList::of_names(["x", "", "metformin", "蝦", "a\nb", " metformin", "陳大文", "abc"], 2, &script).unwrap();
        let written: Vec<&str> = list.words.iter().map(|word| word.written.reveal()).collect();
        assert_eq!(written, ["metformin", "陳大文"]);
        assert_eq!(WordList::of_names(["蝦"], 2, &script), None);
    }

    #[test]
    fn a_list_has_an_end() {
        let list: String = (0..100_000).map(|number| format!("word {number}\n")).collect();
        let message = refused(list.as_bytes());
        assert!(message.contains("line 10001 ") && message.contains("10000 words"), "{message}");
        let list: String = list.lines().take(LONGEST_LIST).map(|line| format!("{line}\n")).collect();
        assert_eq!(parse(list.as_bytes()).unwrap().words().len(), LONGEST_LIST);
    }
}
