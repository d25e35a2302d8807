//! How what was heard is written down.

use super::SpeechError;
use super::bias::WordList;
use super::model::Hypothesis;
use super::normalise::{Numbers, write_numbers};
use super::script::HongKongScript;
use crate::text::PatientText;
use crate::text::numerals::numbers;

/// Hong Kong's characters, and numbers as one was told to write them.
pub struct Writing {
    script: HongKongScript,
    numbers: Numbers,
}

impl Writing {
    /// In these characters, and numbers like this.
    #[must_use]
    pub const fn new(script: HongKongScript, numbers: Numbers) -> Self {
        Self { script, numbers }
    }

    /// The characters.
    #[must_use]
    pub const fn script(&self) -> &HongKongScript {
        &self.script
    }

    /// The same, with the words of a list written as they are there, and those of no other list.
    ///
    /// # Errors
    /// As [`HongKongScript::spelling`].
    pub fn spelling(&self, list: &WordList) -> Result<Self, SpeechError> {
        Ok(Self { script: self.script.spelling(list)?, numbers: self.numbers })
    }

    /// What is shown of an utterance that grows: its numbers are left as they are said, for 一百 may become 一百四十五, and what was
    /// shown stays.
    #[must_use]
    pub fn growing(&self, heard: Hypothesis) -> Hypothesis {
        self.script.convert_hypothesis(heard)
    }

    /// Whether what was shown of an utterance that grows stays in words: it has no number that would be digits, had the utterance ended
    /// there, nor ends in one, for 五 may become 五百毫克.
    #[must_use]
    pub fn keeps(&self, shown: &PatientText) -> bool {
        match self.numbers {
            Numbers::Said => true,
            Numbers::Written => {
                let chars: Vec<char> = shown.reveal().trim_end().chars().collect();
                let open = numbers(&chars).last().is_some_and(|number| number.end == chars.len());
                !open && write_numbers(shown.reveal()) == shown.reveal()
            }
        }
    }

    /// What is kept of an utterance that has ended. Only its text has numbers in digits: its words, with their times, stay as they
    /// were said.
    #[must_use]
    pub fn finished(&self, heard: Hypothesis) -> Hypothesis {
        let heard = self.script.convert_hypothesis(heard);
        match self.numbers {
            Numbers::Said => heard,
            Numbers::Written => Hypothesis { text: PatientText::from(write_numbers(heard.text.reveal())), ..heard },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::model::HeardWord;

    #[test]
    fn digits_are_in_the_text_of_what_has_ended_and_the_words_stay_as_said() {
        let said = ["食", "五百", "毫克"];
        let words = said.iter().map(|word| HeardWord { text: (*word).into(), samples: 0..10, probability: 0.5 }).collect();
        let heard = Hypothesis { text: said.concat().into(), words, ..Hypothesis::default() };
        let writing = |numbers| Writing::new(HongKongScript::load().unwrap(), numbers);
        let written = writing(Numbers::Written);
        let finished = written.finished(heard.clone());
        assert_eq!(finished.text.reveal(), "食500 mg");
        assert_eq!(finished.words, heard.words);
        assert_eq!(written.growing(heard.clone()), heard);
        assert_eq!(writing(Numbers::Said).finished(heard.clone()), heard);
    }
}
