//! How many characters are wrong, counted as `scripts/cer` counts them.

use ferrous_opencc::OpenCC;
use ferrous_opencc::config::BuiltinConfig;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};

use super::BenchError;
use crate::text::PatientText;

/// Wrong characters of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Score {
    /// Characters that must be put in, taken out or changed.
    pub wrong: usize,
    /// Characters of the reference.
    pub characters: usize,
}

impl Score {
    /// Of all of them together; nothing when the references have no character.
    #[must_use]
    pub fn error_rate_percent(scores: &[Self]) -> Option<f64> {
        let (wrong, characters) = scores.iter().fold((0, 0), |(w, c), score| (w + score.wrong, c + score.characters));
        (characters > 0).then(|| 100.0 * wrong as f64 / characters as f64)
    }
}

/// Compares what was heard with what was said.
pub struct Scorer {
    to_simplified: OpenCC,
}

impl Scorer {
    /// Reads the tables that are built into the program.
    ///
    /// # Errors
    /// [`BenchError::Script`] when they are broken.
    pub fn load() -> Result<Self, BenchError> {
        let to_simplified = OpenCC::from_config(BuiltinConfig::T2s).map_err(|error| BenchError::Script(error.to_string()))?;
        Ok(Self { to_simplified })
    }

    /// The edit distance of both texts, normalised: Simplified, lower case, without punctuation, spaces, symbols and controls.
    #[must_use]
    pub fn score(&self, reference: &PatientText, heard: &PatientText) -> Score {
        let (reference, heard) = (self.normalise(reference.reveal()), self.normalise(heard.reveal()));
        Score { wrong: distance(&reference, &heard), characters: reference.len() }
    }

    fn normalise(&self, text: &str) -> Vec<char> {
        let left_out = |c: &char| {
            use GeneralCategoryGroup::{Other, Punctuation, Separator, Symbol};
            matches!(c.general_category_group(), Other | Punctuation | Separator | Symbol)
        };
        self.to_simplified.convert(text).to_lowercase().chars().filter(|c| !left_out(c)).collect()
    }
}

/// Levenshtein's, in characters.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, a) in from.iter().enumerate() {
        // `diagonal` is the value above and to the left of `cell`; `left` the one to its left.
        let (mut diagonal, mut left) = (index, index + 1);
        let mut cells = row.iter_mut();
        if let Some(first) = cells.next() {
            *first = left;
        }
        for (cell, b) in cells.zip(to) {
            let changed = diagonal + usize::from(a != b);
            diagonal = *cell;
            left = changed.min(*cell + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each as `normalise` and `distance` of `scripts/cer` give it: reference, heard, wrong, characters.
    const AS_THE_SCRIPT: [(&str, &str, usize, usize); 11] = [
        ("聽朝早餐想食乜", "听朝早餐想吃什么", 3, 7),
        ("羅便臣道", "羅便臣道。", 0, 4),
        ("", "多咗", 2, 0),
        ("一二三", "", 3, 3),
        ("Blood pressure 145/90!", "blood pressure: 145 / 90", 0, 18),
        ("唔係幾鍾意食麵", "唔系几钟意食面", 0, 7),
        ("＋①㎎ ½", "+1mg½", 3, 2),
        ("İstanbul ΑΣ", "i\u{307}stanbul ας", 0, 11),
        ("kitten", "sitting", 3, 6),
        ("乾咳 着涼 瞭解 麪包 覆診", "干咳 着凉 了解 面包 复诊", 1, 10),
        ("臺灣裏面啲嘢", "台湾里面啲嘢", 0, 6),
    ];

    #[test]
    fn scores_are_those_of_the_script() {
        let scorer = Scorer::load().unwrap();
        for (reference, heard, wrong, characters) in AS_THE_SCRIPT {
            let score = scorer.score(&reference.into(), &heard.into());
            assert_eq!(score, Score { wrong, characters }, "{reference} / {heard}");
        }
    }

    #[test]
    fn rates_are_summed_before_they_are_divided() {
        let scores = [Score { wrong: 1, characters: 1 }, Score { wrong: 0, characters: 9 }];
        assert_eq!(Score::error_rate_percent(&scores), Some(10.0));
        assert_eq!(Score::error_rate_percent(&[]), None);
        assert_eq!(Score::error_rate_percent(&[Score { wrong: 3, characters: 0 }]), None);
    }
}
