//! Concepts by what a person types: Chinese, English, a code, or Jyutping with or without tones.
//!
//! All names are looked through; there are some ten thousand, which takes less time than a key stroke. So nothing has to be typed
//! exactly: every word of a query need only begin a word of the name, and syllables need only be next to each other.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::concept::{ConditionConcept, Drug};
use super::lexicon::{Lexicon, Meaning};
use super::sound::{Readings, merged};

/// The longest query in characters; what is longer finds nothing.
pub const LONGEST_QUERY: usize = 100;

/// A concept as a page names it to the server: by what stays the same when the tables grow.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Concept {
    /// A disease, symptom or sign.
    Condition {
        /// Its ICD-10 code.
        icd10: String,
        /// Its English name, for a code may stand for several.
        en: String,
    },
    /// A drug, class of drugs or vaccine.
    Drug {
        /// Its British generic name.
        name: String,
    },
}

/// A concept that a query found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// What was found.
    pub concept: Concept,
    /// Its English name.
    pub en: String,
    /// Its Chinese name; a drug's first Chinese form, or nothing.
    pub zh: Option<String>,
    /// Its codes: the system's URI and the code.
    pub codes: Vec<(String, String)>,
}

/// One name of a concept.
#[derive(Debug)]
struct Name {
    meaning: Meaning,
    folded: String,
    /// Its syllables with their tones, where every character has a reading.
    syllables: Vec<String>,
}

/// All names of conditions and drugs.
#[derive(Debug, Default)]
pub(super) struct SearchIndex {
    names: Vec<Name>,
    chinese: HashMap<Meaning, String>,
}

/// A query in the forms that it is compared in.
struct Query {
    folded: String,
    words: Vec<String>,
    /// The letters alone, with the tones where it has any, when it can be Jyutping.
    sound: Option<Sound>,
}

struct Sound {
    joined: String,
    toned: bool,
    /// With what is confused brought together, where the syllables are told apart.
    merged: Option<Vec<String>>,
}

impl SearchIndex {
    /// The forms that mean a condition or a drug, and the names that the concepts have in a note.
    pub(super) fn new<'a>(
        forms: impl Iterator<Item = (&'a str, &'a [Meaning])>,
        names: impl Iterator<Item = (Meaning, String)>,
        readings: &Readings,
    ) -> Self {
        let sought = |meaning: &&Meaning| matches!(meaning, Meaning::Condition(_) | Meaning::Drug(_));
        let forms = forms.flat_map(|(form, meanings)| meanings.iter().filter(sought).map(move |of| (*of, form.to_owned())));
        let mut index = Self::default();
        for (meaning, folded) in names.chain(forms) {
            let chinese = folded.chars().all(|c| c >= '\u{3400}');
            let syllables = if chinese { readings.syllables(&folded) } else { Vec::new() };
            index.names.push(Name { meaning, folded, syllables });
        }
        index
    }

    /// The Chinese name that a drug is shown with: the first form in the tables, as it is written there.
    pub(super) fn name_in_chinese(&mut self, meaning: Meaning, name: &str) {
        self.chinese.entry(meaning).or_insert_with(|| name.to_owned());
    }

    /// The forms of a concept, folded.
    pub(super) fn forms(&self, meaning: Meaning) -> impl Iterator<Item = &str> {
        self.names.iter().filter(move |name| name.meaning == meaning).map(|name| name.folded.as_str())
    }

    /// The Chinese name that a drug is shown with.
    pub(super) fn chinese(&self, meaning: Meaning) -> Option<&str> {
        self.chinese.get(&meaning).map(String::as_str)
    }

    /// Meanings by how well their best name fits, a shorter name before a longer one.
    fn find(&self, query: &Query) -> Vec<(u32, usize, Meaning)> {
        let mut best: HashMap<Meaning, (u32, usize)> = HashMap::new();
        for name in &self.names {
            let Some(rank) = name.rank(query) else { continue };
            let place = (rank, name.folded.chars().count());
            best.entry(name.meaning).and_modify(|known| *known = place.min(*known)).or_insert(place);
        }
        best.into_iter().map(|(meaning, (rank, length))| (rank, length, meaning)).collect()
    }
}

impl Name {
    /// How well it fits, 0 the best; nothing where it does not.
    fn rank(&self, query: &Query) -> Option<u32> {
        let Query { folded, words, sound } = query;
        if self.folded == *folded {
            return Some(0);
        }
        let spelt = if self.folded.starts_with(folded.as_str()) {
            Some(1)
        } else if words.iter().all(|word| begins_a_word(&self.folded, word)) {
            Some(2)
        } else {
            let enough = folded.chars().count() >= 3 || !folded.is_ascii();
            (enough && self.folded.contains(folded.as_str())).then_some(4)
        };
        spelt.or_else(|| sound.as_ref().and_then(|sound| self.rank_by_sound(sound)))
    }

    fn rank_by_sound(&self, sound: &Sound) -> Option<u32> {
        if self.syllables.is_empty() {
            return None;
        }
        let said: Vec<&str> = self.syllables.iter().map(|one| if sound.toned { one.as_str() } else { toneless(one) }).collect();
        for from in 0..said.len() {
            let rest = said.get(from..).unwrap_or_default().concat();
            let rank = match (rest == sound.joined, rest.starts_with(&sound.joined)) {
                (true, _) => 1,
                (false, true) => 2,
                _ => continue,
            };
            return Some(if from == 0 { rank } else { 3 });
        }
        let asked = sound.merged.as_ref()?;
        let own: Vec<String> = self.syllables.iter().map(|one| merged(toneless(one))).collect();
        own.windows(asked.len()).any(|part| part == asked.as_slice()).then_some(5)
    }
}

impl Query {
    fn new(folded: String) -> Self {
        let words = folded.split([' ', '-', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let sound = Sound::new(&folded);
        Self { folded, words, sound }
    }
}

impl Sound {
    /// Letters with tones from 1 to 6 behind them; at least two letters.
    fn new(query: &str) -> Option<Self> {
        let right = query.chars().all(|c| c.is_ascii_lowercase() || ('1'..='6').contains(&c) || c == ' ');
        let letters = query.chars().filter(char::is_ascii_lowercase).count();
        if !right || letters < 2 {
            return None;
        }
        let toned = query.chars().any(|c| c.is_ascii_digit());
        let told_apart: Vec<&str> = query.split(|c: char| c == ' ' || c.is_ascii_digit()).filter(|one| !one.is_empty()).collect();
        let merged = (told_apart.len() > 1).then(|| told_apart.iter().map(|one| merged(one)).collect());
        Some(Self { joined: query.chars().filter(|c| *c != ' ').collect(), toned, merged })
    }
}

fn toneless(syllable: &str) -> &str {
    syllable.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// Chinese has no words to begin: anywhere will do there.
fn begins_a_word(name: &str, word: &str) -> bool {
    name.match_indices(word).any(|(at, _)| {
        let before = name.get(..at).and_then(|before| before.chars().next_back());
        !word.starts_with(|c: char| c.is_ascii_alphanumeric()) || before.is_none_or(|c| !c.is_ascii_alphanumeric())
    })
}

impl Lexicon {
    /// The concepts that a query names, the best first, at most `most`.
    #[must_use]
    pub fn search(&self, query: &str, most: usize) -> Vec<Hit> {
        let query = query.trim();
        if query.is_empty() || query.chars().count() > LONGEST_QUERY {
            return Vec::new();
        }
        let query = Query::new(self.fold().text(query));
        let mut found = self.names().find(&query);
        found.extend(self.by_code(&query.folded));
        // Of a meaning found twice the better place counts.
        found.sort_unstable_by_key(|(rank, length, meaning)| (*meaning, *rank, *length));
        found.dedup_by_key(|(_, _, meaning)| *meaning);
        found.sort_unstable();
        found.iter().filter_map(|(_, _, meaning)| self.hit(*meaning)).take(most).collect()
    }

    fn by_code<'a>(&'a self, query: &'a str) -> impl Iterator<Item = (u32, usize, Meaning)> + 'a {
        let ranked = move |code: &str| {
            let code = code.to_lowercase();
            code.starts_with(query).then(|| (u32::from(code.len() > query.len()), code.len()))
        };
        let conditions = self.conditions.iter().enumerate().filter_map(move |(index, condition)| {
            let best = condition.codes().into_iter().filter_map(|(_, code)| ranked(&code)).min();
            best.map(|(rank, length)| (rank, length, Meaning::Condition(index)))
        });
        let drugs = self.drugs.iter().enumerate().filter_map(move |(index, drug)| {
            drug.atc.as_deref().and_then(ranked).map(|(rank, length)| (rank, length, Meaning::Drug(index)))
        });
        conditions.chain(drugs).filter(|_| query.chars().any(|c| c.is_ascii_digit()))
    }

    fn hit(&self, meaning: Meaning) -> Option<Hit> {
        match meaning {
            Meaning::Condition(index) => self.conditions.get(index).map(|found| Hit {
                concept: Concept::Condition { icd10: found.icd10.clone(), en: found.en.clone() },
                en: found.en.clone(),
                zh: Some(found.zh.clone()),
                codes: found.codes(),
            }),
            Meaning::Drug(index) => self.drugs.get(index).map(|found| Hit {
                concept: Concept::Drug { name: found.name.clone() },
                en: found.name.clone(),
                zh: self.names().chinese.get(&meaning).cloned(),
                codes: found.atc.iter().map(|code| (super::system::ATC.to_owned(), code.clone())).collect(),
            }),
            _ => None,
        }
    }

    /// The condition that is meant, if there is one.
    #[must_use]
    pub fn condition(&self, concept: &Concept) -> Option<&ConditionConcept> {
        let Concept::Condition { icd10, en } = concept else { return None };
        self.conditions.iter().find(|condition| condition.icd10 == *icd10 && condition.en == *en)
    }

    /// The drug that is meant, if there is one.
    #[must_use]
    pub fn drug(&self, concept: &Concept) -> Option<&Drug> {
        let Concept::Drug { name } = concept else { return None };
        self.drugs.iter().find(|drug| drug.name == *name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn names(lexicon: &Lexicon, query: &str) -> Vec<String> {
        lexicon.search(query, 8).into_iter().map(|hit| hit.en).collect()
    }

    #[test]
    fn a_concept_is_found_by_each_of_its_names() {
        let lexicon = Lexicon::builtin().unwrap();
        for query in
            ["高血壓", "高血压", "血壓高", "hypertension", "HT", "Hypert", "I10", "k86", "gou hyut", "gouhyutaat", "gou1 hyut3"]
        {
            let found = names(&lexicon, query);
            assert!(found.iter().any(|name| name == "Hypertension"), "{query}: {found:?}");
        }
        for (query, name) in [
            ("糖尿", "Diabetes mellitus"),
            ("I10", "Hypertension"),
            ("發燒", "Fever"),
            ("faat3 siu1", "Fever"),
            ("panadol", "paracetamol"),
        ] {
            assert_eq!(names(&lexicon, query).first().map(String::as_str), Some(name), "{query}");
        }
        let knee = names(&lexicon, "knee osteo");
        assert!(knee.iter().any(|name| name == "Knee osteoarthritis"), "{knee:?}");
        let drug = lexicon.search("A10BA02", 3);
        assert_eq!((drug[0].en.as_str(), &drug[0].concept), ("metformin", &Concept::Drug { name: "metformin".into() }));
        assert_eq!(drug[0].zh.as_deref(), Some("二甲雙胍"));
    }

    #[test]
    fn what_is_confused_in_jyutping_is_found_behind_what_is_not() {
        let lexicon = Lexicon::builtin().unwrap();
        for query in ["tong liu", "tong4 liu6", "hong niu"] {
            let found = names(&lexicon, query);
            let there = found.iter().any(|name| name.contains("iabetes"));
            assert_eq!(there, query != "hong niu", "{query}: {found:?}");
        }
    }

    #[test]
    fn no_query_is_too_odd() {
        let lexicon = Lexicon::builtin().unwrap();
        for query in ["", "  ", "zzzzqq", "%", "𨂾", "1", "\u{202e}", &"痛".repeat(LONGEST_QUERY + 1)] {
            assert!(lexicon.search(query, 20).len() <= 20);
        }
        assert!(lexicon.search("", 20).is_empty() && lexicon.search("zzzzqq", 20).is_empty());
        let all = lexicon.search("痛", 20);
        assert_eq!(all.len(), 20);
        let concepts: HashSet<&Concept> = all.iter().map(|hit| &hit.concept).collect();
        assert_eq!(concepts.len(), 20, "each once");
    }

    #[test]
    fn a_found_concept_is_found_again_by_its_name() {
        let lexicon = Lexicon::builtin().unwrap();
        let all = lexicon.search("a", 10_000).into_iter().chain(lexicon.search("痛", 10_000));
        for hit in all {
            assert!(lexicon.condition(&hit.concept).is_some() || lexicon.drug(&hit.concept).is_some(), "{hit:?}");
        }
    }
}
