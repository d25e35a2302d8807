//! Chinese forms found by how they sound: 高血鴨 is 高血壓, written by a recogniser that heard well and spelt badly.
//!
//! Each character has a Jyutping reading (`tables/readings.tsv`). Readings that speakers and recognisers confuse fall together:
//! n and l, ng and none, gw and g, the final stops, final n and ng, and all tones. One automaton over these keys finds the
//! candidates, in time linear in the text; how far a candidate's readings lie from the form's decides whether there is doubt.

mod near;

use std::collections::HashMap;

use aho_corasick::AhoCorasick;

use near::NearIndex;

use super::TerminologyError;
use super::fold::Fold;
use super::lexicon::{Found, Meaning};
use super::table::rows;

/// Keys stand as characters of the private use area, so that text without a reading stays itself.
const FIRST_KEY: u32 = 0xE000;
/// Characters of so many words that in a short name they are what they are (folded).
const COMMON: &str = "一个上下不中为之也了事二于些人今他以们会你使来佢倒出分到前动十受只可同后咁咗咩哋哩啲嘅喺嚟在地多大好如学家对小少就屋年度得心想我所打时是是有本样次正没点然现生用的知社种系经而能自行要见说起走道都还那里过这边部里间面                      高乜冇嗰唔俾先全再其但你做当入成日月三四五六七八九两几点样市视相真代望套纸戏计将宠留药第写口停";
/// Characters of illnesses that are seldom said of anything else (folded).
const OF_ILLNESS: &str = "喘炎癌瘤疹癣痔敏症痘";
/// 驗 sounds like 炎, and what stands before it was tested.
const TESTS: char = '验';
/// The shortest form found by sound.
const SHORTEST: usize = 2;

/// How one character is read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reading {
    /// The syllable after what is confused fell together.
    key: char,
    /// The syllable as it is, by number.
    syllable: usize,
    /// The same for all syllables that most speakers say alike.
    spoken: usize,
    /// Its usual tone, and the others of the same syllable.
    tones: Vec<char>,
}

/// The readings of the characters (folded).
#[derive(Debug)]
pub struct Readings {
    of: HashMap<char, Reading>,
    /// The syllables by number.
    syllables: Vec<String>,
}

impl Readings {
    /// Reads a table: a Jyutping syllable with its tone, tab, the characters read so. A character's first reading counts, and of the
    /// later ones those that differ from it by the tone alone.
    ///
    /// # Errors
    /// [`TerminologyError`] when a row has no tone or no character.
    pub fn new(file: &'static str, table: &str, fold: &Fold) -> Result<Self, TerminologyError> {
        let (mut of, mut keys, mut syllables) = (HashMap::<char, Reading>::new(), HashMap::new(), HashMap::new());
        let mut spoken = HashMap::new();
        for row in rows(file, table, 2)? {
            let (syllable, tone) = match row.cell(0).char_indices().next_back() {
                Some((at, tone @ '1'..='6')) => (row.cell(0).get(..at).unwrap_or_default(), tone),
                _ => return Err(row.error("no tone from 1 to 6 behind the syllable")),
            };
            let next = keys.len();
            let key = *keys.entry(merged(syllable)).or_insert(next);
            let next = syllables.len();
            let number: usize = *syllables.entry(syllable.to_owned()).or_insert(next);
            let next = spoken.len();
            let spoken: usize = *spoken.entry(as_spoken(syllable)).or_insert(next);
            let key = u32::try_from(key).ok().and_then(|key| char::from_u32(FIRST_KEY + key));
            let key = key.ok_or_else(|| row.error("too many syllables"))?;
            for c in row.cell(1).chars() {
                let reading = of.entry(fold.char(c)).or_insert(Reading { key, syllable: number, spoken, tones: Vec::new() });
                if reading.syllable == number && !reading.tones.contains(&tone) {
                    reading.tones.push(tone);
                }
            }
        }
        let mut numbered: Vec<(usize, String)> = syllables.into_iter().map(|(syllable, number)| (number, syllable)).collect();
        numbered.sort_unstable();
        Ok(Self { of, syllables: numbered.into_iter().map(|(_, syllable)| syllable).collect() })
    }

    /// The syllables of a folded text with their tones (`hyut3`); none where a character has no reading.
    #[must_use]
    pub fn syllables(&self, folded: &str) -> Vec<String> {
        let read = |c: char| {
            let reading = self.of.get(&c)?;
            let (syllable, tone) = (self.syllables.get(reading.syllable)?, reading.tones.first()?);
            Some(format!("{syllable}{tone}"))
        };
        folded.chars().map(read).collect::<Option<Vec<String>>>().unwrap_or_default()
    }

    fn key(&self, c: char) -> char {
        self.of.get(&c).map_or(c, |reading| reading.key)
    }

    /// How far two characters sound apart: 0 the same reading, or n for l and none for ng, 1 another tone, 2 another confusion, 3 both;
    /// nothing when they are not read alike at all.
    fn distance(&self, one: char, other: char) -> Option<usize> {
        if one == other {
            return Some(0);
        }
        let (one, other) = (self.of.get(&one)?, self.of.get(&other)?);
        let confused = if one.spoken == other.spoken { 0 } else { 2 };
        let same_tone = one.tones.iter().any(|tone| other.tones.contains(tone));
        (one.key == other.key).then_some(confused + usize::from(!same_tone))
    }
}

/// A syllable's initial and the rest of it; m and ng alone have none.
fn split(syllable: &str) -> (&str, &str) {
    syllable.find(|c: char| "aeiouy".contains(c)).map_or(("", syllable), |at| syllable.split_at(at))
}

/// A syllable as most in Hong Kong say it: n as l, ng as nothing.
fn as_spoken(syllable: &str) -> String {
    let (initial, rest) = split(syllable);
    let initial = match initial {
        "n" => "l",
        "ng" => "",
        same => same,
    };
    format!("{initial}{rest}")
}

/// A syllable with what is confused brought together.
pub(super) fn merged(syllable: &str) -> String {
    let spoken = as_spoken(syllable);
    let (initial, rest) = split(&spoken);
    let initial = match initial {
        "gw" => "g",
        "kw" => "k",
        same => same,
    };
    let stem = rest.trim_end_matches(['p', 't', 'k']);
    if stem.len() < rest.len() {
        return format!("{initial}{stem}q");
    }
    let stem = rest.strip_suffix("ng").or_else(|| rest.strip_suffix('n'));
    stem.map_or_else(|| format!("{initial}{rest}"), |stem| format!("{initial}{stem}n"))
}

/// The forms that can be found by sound.
#[derive(Debug)]
pub struct SoundIndex {
    readings: Readings,
    automaton: AhoCorasick,
    forms: Vec<(Vec<char>, Vec<Meaning>)>,
    near: NearIndex,
}

impl SoundIndex {
    /// An index of the folded Chinese forms among these, as far as they mean what is `sought`.
    ///
    /// # Errors
    /// [`TerminologyError::Automaton`] when there are too many.
    pub fn new<'a>(
        readings: Readings,
        forms: impl Iterator<Item = (&'a str, &'a [Meaning])>,
        sought: impl Fn(Meaning) -> bool,
    ) -> Result<Self, TerminologyError> {
        let forms: Vec<(Vec<char>, Vec<Meaning>)> = forms
            .map(|(form, meanings)| {
                let meant = meanings.iter().copied().filter(|meaning| sought(*meaning));
                (form.chars().collect::<Vec<char>>(), meant.collect::<Vec<Meaning>>())
            })
            .filter(|(form, meanings)| form.len() >= SHORTEST && !meanings.is_empty() && form.iter().all(|c| *c >= '\u{3400}'))
            .collect();
        let keyed = forms.iter().map(|(form, _)| form.iter().map(|c| readings.key(*c)).collect::<String>());
        let automaton = AhoCorasick::new(keyed).map_err(|_| TerminologyError::Automaton { forms: forms.len() })?;
        let near = NearIndex::new(&readings, &forms)?;
        Ok(Self { readings, automaton, forms, near })
    }

    /// Forms that a folded text sounds like and does not spell, where the readings leave no doubt, and the long names of drugs of which one
    /// character is another. Linear in the text.
    #[must_use]
    pub fn find(&self, folded: &[char]) -> (Vec<Found>, Vec<Found>) {
        let keyed: Vec<char> = folded.iter().map(|c| self.readings.key(*c)).collect();
        let text: String = keyed.iter().collect();
        let mut place = vec![0; text.len() + 1];
        for (index, (byte, _)) in text.char_indices().enumerate() {
            if let Some(slot) = place.get_mut(byte) {
                *slot = index;
            }
        }
        let mut heard = Vec::new();
        for hit in self.automaton.find_overlapping_iter(&text) {
            let Some((form, meanings)) = self.forms.get(hit.pattern().as_usize()) else { continue };
            let start = place.get(hit.start()).copied().unwrap_or_default();
            let end = start + form.len();
            let said = folded.get(start..end).unwrap_or_default();
            let drug = meanings.iter().all(|meaning| matches!(meaning, Meaning::Drug(_)));
            if self.beyond_doubt(said, form) || drug && self.a_drugs_name(said, form) {
                // A piece of a complaint as short as this is any word, unless half of it is spelt.
                let whole = form.len() > 2 || said.iter().zip(form).any(|(one, other)| one == other);
                let meant = meanings.iter().filter(|meaning| whole || !matches!(meaning, Meaning::Class(_)));
                heard.extend(meant.map(|meaning| Found { start, end, meaning: *meaning }));
            }
        }
        let near = self.near.find(&self.readings, &self.forms, (&text, &place), folded);
        let overlaps = |one: &Found| heard.iter().any(|other: &Found| one.start < other.end && other.start < one.end);
        let near = near.into_iter().filter(|one| !overlaps(one)).collect();
        (heard, near)
    }

    /// 布洛分: of three characters that name a drug two are spelt, and the third is read the same, however common it is.
    fn a_drugs_name(&self, said: &[char], form: &[char]) -> bool {
        let spelt = said.iter().zip(form).filter(|(one, other)| one == other).count();
        let same = |(one, other): (&char, &char)| self.readings.distance(*one, *other) == Some(0);
        form.len() == 3 && spelt == 2 && said.iter().zip(form).all(same)
    }

    /// At least half of the characters are the form's own, and the longer the form the more the rest may differ.
    fn beyond_doubt(&self, said: &[char], form: &[char]) -> bool {
        let mut differing = 0;
        let mut apart = 0;
        for (one, other) in said.iter().zip(form) {
            let Some(distance) = self.readings.distance(*one, *other) else { return false };
            if one != other && (form.len() <= 3 && COMMON.contains(*one) || TESTS == *one) {
                return false;
            }
            differing += usize::from(one != other);
            apart += distance;
        }
        match (form.len(), differing) {
            (_, 0) => false,
            // 孝喘: what is left of a name as short as this must be a word of illness, for another tone to be overheard.
            (2, 1) => {
                apart == 0 || apart == 1 && said.iter().zip(form).any(|(one, other)| one == other && OF_ILLNESS.contains(*one))
            }
            (2, _) => apart == 0,
            (3, 1) => apart <= 2,
            (3, 2) => apart == 0,
            (length, count) if length >= 4 && count * 2 <= length => apart <= count + 1,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables;
    use super::*;

    #[test]
    fn what_is_confused_falls_together() {
        for (one, other) in
            [("niu", "liu"), ("ngaan", "aan"), ("aap", "aat"), ("gwong", "gong"), ("san", "sang"), ("hyut", "hyuk")]
        {
            assert_eq!(merged(one), merged(other), "{one} {other}");
        }
        for (one, other) in [("zung", "cung"), ("sam", "san"), ("tau", "tou"), ("cim", "zim")] {
            assert_ne!(merged(one), merged(other), "{one} {other}");
        }
    }

    #[test]
    fn misspelt_terms_are_found_and_words_of_their_own_are_not() {
        let fold = Fold::new(tables::FOLD.0, tables::FOLD.1).unwrap();
        let readings = Readings::new(tables::READINGS.0, tables::READINGS.1, &fold).unwrap();
        let forms: Vec<String> =
            ["高血壓", "糖尿病", "心口痛", "中風", "頭暈", "櫃員"].iter().map(|form| fold.text(form)).collect();
        let meaning = [Meaning::Condition(0)];
        let index = SoundIndex::new(readings, forms.iter().map(|form| (form.as_str(), &meaning[..])), |_| true).unwrap();
        let found = |said: &str| {
            let folded: Vec<char> = fold.text(said).chars().collect();
            index.find(&folded).0.into_iter().map(|found| (found.start, found.end)).collect::<Vec<_>>()
        };
        for (said, span) in
            [("我有高血鴨", (2, 5)), ("糖料病", (0, 3)), ("深口痛", (0, 3)), ("頭雲", (0, 2)), ("忠風", (0, 2)), ("跪完", (0, 2))]
        {
            assert_eq!(found(said), vec![span], "{said}");
        }
        for said in ["高血壓", "櫃員", "糖水", "中間", "深水埗", "口痛"] {
            assert_eq!(found(said), vec![], "{said}");
        }
    }

    #[test]
    fn of_a_long_name_of_a_drug_one_character_may_be_another() {
        let fold = Fold::new(tables::FOLD.0, tables::FOLD.1).unwrap();
        let readings = Readings::new(tables::READINGS.0, tables::READINGS.1, &fold).unwrap();
        let names = ["氨氯地平", "非洛地平", "卡馬西平", "阿莫西林", "辛伐他汀", "普伐他汀"];
        let forms: Vec<String> = names.iter().map(|form| fold.text(form)).collect();
        let meanings: Vec<[Meaning; 1]> = (0..names.len()).map(|drug| [Meaning::Drug(drug)]).collect();
        let named = forms.iter().zip(&meanings).map(|(form, meaning)| (form.as_str(), &meaning[..]));
        let index = SoundIndex::new(readings, named, |_| true).unwrap();
        let found = |said: &str| {
            let folded: Vec<char> = fold.text(said).chars().collect();
            let drug = |found: Found| match found.meaning {
                Meaning::Drug(drug) => (names[drug], found.start, found.end),
                _ => ("", 0, 0),
            };
            let (heard, near) = index.find(&folded);
            heard.into_iter().chain(near).map(drug).collect::<Vec<_>>()
        };
        for (said, wanted) in [
            ("食安羅地平", ("氨氯地平", 1, 5)),
            ("卡馬西頻", ("卡馬西平", 0, 4)),
            ("阿摩西林", ("阿莫西林", 0, 4)),
            ("新伐他丁", ("辛伐他汀", 0, 4)),
        ] {
            assert_eq!(found(said), vec![wanted], "{said}");
        }
        // Equally near two, or two characters away, or spelt.
        for said in ["信伐他汀", "地平線", "安羅天平", "氨氯地平", "甲伐他汀"] {
            assert_eq!(found(said), vec![], "{said}");
        }
    }
}
