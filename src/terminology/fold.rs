//! One spelling for what sounds or means the same: the character fold under which forms and speech are compared.
//!
//! The fold maps one character to one character, so that an offset in folded text is the same offset in the text as spoken and no
//! map back is needed. It goes to simplified characters, because that direction loses variants instead of guessing them, then
//! brings written Mandarin's function words and common misspellings to the Cantonese ones (`tables/fold.tsv`).

use std::collections::HashMap;

use ferrous_opencc::{OpenCC, config::BuiltinConfig};

use super::TerminologyError;
use super::table::rows;

/// CJK Unified Ideographs and Extension A, where Hong Kong's characters live.
const IDEOGRAPHS: [std::ops::RangeInclusive<char>; 2] = ['\u{3400}'..='\u{4DBF}', '\u{4E00}'..='\u{9FFF}'];

/// Characters of spoken Cantonese that OpenCC has simplified forms for which nobody writes: they stand for themselves.
const SPOKEN: &str = "嗰喎搵癐";

/// The character fold.
#[derive(Debug)]
pub struct Fold {
    map: HashMap<char, char>,
}

impl Fold {
    /// Builds the fold from OpenCC's characters and the table's own equivalences (`from characters`, tab, `to`).
    ///
    /// # Errors
    /// [`TerminologyError`] when OpenCC's dictionary does not load or a row has no single target character.
    pub fn new(file: &'static str, table: &str) -> Result<Self, TerminologyError> {
        let converter = OpenCC::from_config(BuiltinConfig::T2s).map_err(|_| TerminologyError::Script)?;
        let every: String = IDEOGRAPHS.into_iter().flatten().flat_map(|c| [c, '\n']).collect();
        let converted = converter.convert(&every);
        let mut map: HashMap<char, char> = every
            .lines()
            .zip(converted.lines())
            .filter_map(|(from, to)| Some((single(from)?, single(to)?)))
            .filter(|(from, to)| from != to && !SPOKEN.contains(*from))
            .collect();
        map.extend(
            SPOKEN.chars().zip(converter.convert(SPOKEN).chars()).filter(|(to, from)| to != from).map(|(to, from)| (from, to)),
        );
        let mut own = Vec::new();
        for row in rows(file, table, 2)? {
            let to = row.cell(1).chars().next().ok_or_else(|| row.error("no target character"))?;
            let to = map.get(&to).copied().unwrap_or(to);
            own.extend(row.cell(0).chars().map(|c| (c, map.get(&c).copied().unwrap_or(c), to)));
        }
        for (from, simplified, to) in own {
            map.insert(from, to);
            map.insert(simplified, to);
        }
        // A variant whose simplified form has an equivalence of its own follows it.
        let second: Vec<(char, char)> =
            map.iter().filter_map(|(from, to)| map.get(to).filter(|next| *next != to).map(|next| (*from, *next))).collect();
        map.extend(second);
        Ok(Self { map })
    }

    /// The character that stands for this one.
    #[must_use]
    pub fn char(&self, c: char) -> char {
        match c {
            'A'..='Z' => c.to_ascii_lowercase(),
            '\u{3000}' | '\t' | '\n' | '\r' => ' ',
            '\u{2018}' | '\u{2019}' => '\'',
            '\u{2010}'..='\u{2014}' => '-',
            // Full-width ASCII lies at a fixed distance from ASCII.
            '\u{FF01}'..='\u{FF5E}' => {
                u32::from(c).checked_sub(0xFEE0).and_then(char::from_u32).map_or(c, |ascii| ascii.to_ascii_lowercase())
            }
            _ => self.map.get(&c).copied().unwrap_or(c),
        }
    }

    /// The folded text, as many characters as before.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        text.chars().map(|c| self.char(c)).collect()
    }
}

fn single(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_registers_meet() {
        let fold = Fold::new("fold.tsv", include_str!("tables/fold.tsv")).unwrap();
        for (one, other) in
            [("沒有發燒", "冇有发烧"), ("不是", "唔係"), ("吃藥", "食药"), ("ＢＰ", "bp"), ("頭疼", "头痛"), ("無", "冇")]
        {
            assert_eq!(fold.text(one), fold.text(other), "{one}");
        }
        let said = "血壓Ｘ一三六𠮶";
        assert_eq!(fold.text(said).chars().count(), said.chars().count());
    }
}
