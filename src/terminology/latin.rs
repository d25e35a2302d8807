//! English forms found by edit distance and by sound: "tammy flu" is Tamiflu, "metformine" is metformin.
//!
//! A recogniser that does not know a drug's name writes words that sound like it, cut anywhere. Runs of up to four words are
//! joined and looked up by their consonants as heard; the candidates that share them must also be close letter by letter.

use std::collections::HashMap;
use std::ops::Range;

use super::lexicon::{Found, Meaning};

/// The shortest form looked for: shorter ones are too like other words.
const SHORTEST: usize = 6;
/// Fewer consonants would be shared with too many words.
const FEWEST_CONSONANTS: usize = 3;
/// The most words that one name is cut into.
const MOST_WORDS: usize = 6;
/// The longest joined run that is looked up.
const LONGEST: usize = 28;

/// A name as it is heard.
#[derive(Debug)]
struct Form {
    said: String,
    meanings: Vec<Meaning>,
    /// Whether its r and l are one: in the names of drugs, as they are spelt.
    liquid: bool,
}

/// The English names that can be found though misspelt.
#[derive(Debug, Default)]
pub struct LatinIndex {
    forms: Vec<Form>,
    by_sound: HashMap<String, Vec<usize>>,
    /// By their consonants less any one of them.
    by_less: HashMap<String, Vec<usize>>,
}

impl LatinIndex {
    /// An index of the folded names of drugs and conditions among these forms that are one word.
    #[must_use]
    pub fn new<'a>(forms: impl Iterator<Item = (&'a str, &'a [Meaning])>) -> Self {
        let mut index = Self::default();
        for (form, meanings) in forms {
            let named = |meaning: &&Meaning| matches!(meaning, Meaning::Drug(_) | Meaning::Condition(_));
            let meanings: Vec<Meaning> = meanings.iter().filter(named).copied().collect();
            // Folic acid is looked for as one word: fo lick a sid.
            let drug = meanings.iter().all(|meaning| matches!(meaning, Meaning::Drug(_)));
            let joined: String = form.chars().filter(|c| *c != ' ' || !drug).collect();
            let form = joined.as_str();
            let word = form.len() >= SHORTEST && form.bytes().all(|byte| byte.is_ascii_lowercase());
            let word = word && consonants(form).len() >= FEWEST_CONSONANTS;
            if !word || meanings.is_empty() {
                continue;
            }
            // Clarithromycin is said with an f: cla ri fro my sin.
            for said in std::iter::once(form.to_owned()).chain(form.contains("th").then(|| form.replace("th", "f"))) {
                let heard = consonants(&said);
                for less in without_one(&heard) {
                    index.by_less.entry(less).or_default().push(index.forms.len());
                }
                index.by_sound.entry(heard).or_default().push(index.forms.len());
                let liquid = drug && said == form;
                index.forms.push(Form { said, meanings: meanings.clone(), liquid });
            }
        }
        index
    }

    /// Names that a folded text nearly spells and no form covers, in time linear in the text.
    #[must_use]
    pub fn find(&self, folded: &[char], known: &[Found]) -> Vec<Found> {
        let words = words(folded);
        let mut heard = Vec::new();
        let mut next = 0;
        while next < words.len() {
            let found = (1..=MOST_WORDS.min(words.len() - next)).rev().find_map(|count| {
                let run = words.get(next..next + count)?;
                self.name(folded, run, known).map(|found| (count, found))
            });
            let Some((count, (range, form))) = found else {
                next += 1;
                continue;
            };
            let meanings = self.forms.get(form).map(|form| form.meanings.as_slice()).unwrap_or_default();
            heard.extend(meanings.iter().map(|meaning| Found { start: range.start, end: range.end, meaning: *meaning }));
            next += count;
        }
        heard
    }

    fn name(&self, folded: &[char], run: &[Range<usize>], known: &[Found]) -> Option<(Range<usize>, usize)> {
        let (first, last) = (run.first()?, run.last()?);
        let range = first.start..last.end;
        // Only spaces and hyphens may stand between.
        let joins = |at: usize| folded.get(at).is_some_and(|c| matches!(c, ' ' | '-' | '\''));
        let adjacent = run.iter().zip(run.iter().skip(1)).all(|(one, other)| other.start - one.end == 1 && joins(one.end));
        let joined: String = folded.get(range.clone())?.iter().filter(|c| c.is_ascii_lowercase()).collect();
        if !adjacent || joined.len() < SHORTEST || joined.len() > LONGEST || covers(known, &range, joined.len()) {
            return None;
        }
        let heard = consonants(&joined);
        let same = self.by_sound.get(&heard).into_iter().flatten().filter_map(|form| {
            let Form { said: name, meanings, liquid } = self.forms.get(*form)?;
            let drug = meanings.iter().all(|meaning| matches!(meaning, Meaning::Drug(_)));
            // Cancel is not cancer.
            if !liquid && liquids(&joined) != liquids(name) {
                return None;
            }
            // pen nee sea lin: cut in pieces, its vowels are whatever was heard, where they stand as the name's do.
            let shaped = || drug && heard.len() >= SHAPED && shape(&joined) == shape(name);
            // Tramador is tramadol; marathon is no malathion.
            let mixed = liquids(&joined) != liquids(name);
            let close = || distance(&spelt(&joined), &spelt(name)) <= 2;
            let shaped = shaped();
            let allowed = match run.len() {
                1 if mixed && less_liquid(&joined, name) => name.len() / 5,
                1 if mixed => usize::from(name.len() >= LONG),
                _ if mixed && close() => name.len(),
                _ if mixed => name.len() / 4,
                // Sefuroksim: spelt as it is heard.
                1 if shaped && distance(&spelt(&joined), &spelt(name)) <= name.len() / 5 => name.len() / 2,
                1 => (name.len() / 4).max(1),
                _ if shaped => name.len(),
                // call se: no callus; so lone: no saline.
                _ if heard.len() <= FEWEST_CONSONANTS => name.len() / 6,
                _ => name.len() / 3,
            };
            let apart = distance(&joined, name);
            let whole = run.len() == 1 || joined.len() + 1 + usize::from(shaped) >= name.len();
            (apart <= allowed && whole).then_some((apart, *form))
        });
        // met fo min, tra ma dou: one consonant was not heard, and everything else is closer.
        let one_less = self.by_less.get(&heard).into_iter().flatten().filter_map(|form| {
            let Form { said: name, liquid, .. } = self.forms.get(*form)?;
            if !less_liquid(&joined, name) && (!liquid || run.len() == 1) {
                return None;
            }
            let apart = distance(&joined, name);
            let begins = joined.bytes().next() == name.bytes().next();
            // Of one word: burning is not burping.
            let long = run.len() > 1 || name.len() > SHORTEST + 1;
            (begins && long && apart <= (name.len() / 5).max(1) && joined.len() + 2 >= name.len()).then_some((apart, *form))
        });
        same.chain(one_less).min().map(|(_, form)| (range, form))
    }
}

/// Whether a known form lies on a range of so many letters: those words are what they are. A form within it that is at most half of
/// them may be a piece of the longer name: "flu" in "tammy flu".
fn covers(known: &[Found], range: &Range<usize>, letters: usize) -> bool {
    let piece = |hit: &Found| hit.start >= range.start && hit.end <= range.end && (hit.end - hit.start) * 2 <= letters + 1;
    let from = known.partition_point(|hit| hit.end <= range.start);
    known
        .iter()
        .skip(from)
        .take_while(|hit| hit.start < range.end)
        .filter(|hit| {
            matches!(hit.meaning, Meaning::Drug(_) | Meaning::Condition(_) | Meaning::Observation(_) | Meaning::Class(_))
        })
        .any(|hit| !piece(hit))
}

fn words(folded: &[char]) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in folded.iter().chain(std::iter::once(&' ')).enumerate() {
        match (start, c.is_ascii_lowercase()) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words
}

/// From so many consonants on, their order and the vowels between them are a name's alone.
const SHAPED: usize = 5;

/// Where vowels stand in a word, doubled letters and runs of vowels being one; an e at the end is not heard.
fn shape(word: &str) -> Vec<bool> {
    let word = word.strip_suffix('e').unwrap_or(word);
    let mut shape: Vec<bool> = word.bytes().map(|byte| matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')).collect();
    shape.dedup();
    shape
}

/// From so many letters on a name is known with another r or l.
const LONG: usize = 8;

/// A word with one letter for each sound that several spell.
fn spelt(word: &str) -> String {
    let word = word.replace("ph", "f").replace("th", "t").replace("ck", "k").replace("qu", "k").replace('x', "ks");
    let letters: Vec<char> = word.chars().collect();
    let mut spelt: Vec<char> = Vec::new();
    for (at, letter) in letters.iter().enumerate() {
        let soft = letters.get(at + 1).is_some_and(|next| matches!(next, 'e' | 'i' | 'y'));
        let sound = match letter {
            'c' if soft => 's',
            'c' | 'q' => 'k',
            'z' => 's',
            'y' => 'i',
            other => *other,
        };
        if spelt.last() != Some(&sound) {
            spelt.push(sound);
        }
    }
    spelt.iter().collect::<String>().trim_end_matches('e').to_owned()
}

/// The r and l of a word, which are one for names of drugs alone.
fn liquids(word: &str) -> Vec<u8> {
    let mut letters: Vec<u8> = word.bytes().collect();
    letters.dedup();
    letters.retain(|byte| matches!(byte, b'r' | b'l'));
    letters
}

/// Whether a word has the r and l of a name, or of the name less one of its consonants.
fn less_liquid(word: &str, name: &str) -> bool {
    let (word, name) = (liquids(word), liquids(name));
    let without = |at: usize| name.iter().take(at).chain(name.iter().skip(at + 1)).eq(&word);
    word == name || (0..name.len()).any(without)
}

/// The consonants as heard: vowels, h, w and y go, doubles become one, and letters that sound alike, or are said
/// alike in Hong Kong (r and l), become one.
fn consonants(word: &str) -> String {
    let word = word
        .replace("gh", "")
        .replace("ph", "f")
        .replace("ck", "k")
        .replace("qu", "k")
        .replace("x", "ks")
        .replace("pn", "n")
        .replace("kn", "n");
    let mut heard = String::new();
    let bytes = word.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let soft = bytes.get(at + 1).is_some_and(|next| matches!(next, b'e' | b'i' | b'y'));
        let sound = match byte {
            b'a' | b'e' | b'i' | b'o' | b'u' | b'h' | b'w' | b'y' => continue,
            b'c' if soft => 's',
            b'c' | b'k' | b'q' => 'k',
            b'z' => 's',
            b'v' => 'f',
            b'b' => 'p',
            b'd' => 't',
            b'j' => 'g',
            b'r' => 'l',
            other => char::from(*other),
        };
        if !heard.ends_with(sound) {
            heard.push(sound);
        }
    }
    // dipping, dipine: a final g behind n is not heard.
    heard.strip_suffix("ng").map(|stem| format!("{stem}n")).unwrap_or(heard)
}

/// The consonants of a drug's or condition's name less any one but the first; fewer than would be looked up are left out.
fn without_one(heard: &str) -> impl Iterator<Item = String> + '_ {
    let fewer = heard.len() > FEWEST_CONSONANTS;
    (1..heard.len()).filter(move |_| fewer).filter_map(|at| Some(format!("{}{}", heard.get(..at)?, heard.get(at + 1..)?)))
}

/// Letters that are one sound: s and z, i and y, c and k.
const fn alike(letter: u8) -> u8 {
    match letter {
        b'z' => b's',
        b'y' => b'i',
        b'c' => b'k',
        other => other,
    }
}

/// Levenshtein's distance of two short words of ASCII letters.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, a) in one.bytes().enumerate() {
        let mut before = at;
        let mut left = at + 1;
        let mut next = vec![left];
        for (b, above) in other.bytes().zip(row.iter().skip(1)) {
            let best = (before + usize::from(alike(a) != alike(b))).min(above + 1).min(left + 1);
            before = *above;
            left = best;
            next.push(best);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cut_and_misspelt() {
        let names = [
            "penicillin",
            "tamiflu",
            "metformin",
            "amlodipine",
            "panadol",
            "augmentin",
            "simvastatin",
            "diabetes",
            "clarithromycin",
            "cefuroxime",
            "tramadol",
            "thyroxine",
        ];
        let meanings: Vec<[Meaning; 1]> = (0..names.len()).map(|drug| [Meaning::Drug(drug)]).collect();
        let index = LatinIndex::new(names.iter().zip(&meanings).map(|(name, meanings)| (*name, &meanings[..])));
        let found = |said: &str| {
            let folded: Vec<char> = said.chars().collect();
            let drug = |found: Found| match found.meaning {
                Meaning::Drug(drug) => names[drug],
                _ => "",
            };
            index.find(&folded, &[]).into_iter().map(drug).collect::<Vec<_>>()
        };
        for (said, name) in [
            ("開 tammy flu 俾你", "tamiflu"),
            ("met for min", "metformin"),
            ("pen nee sea lin", "penicillin"),
            ("am lo dip in", "amlodipine"),
            ("amlo dipping", "amlodipine"),
            ("pan a doll", "panadol"),
            ("metformine", "metformin"),
            ("augmenting", "augmentin"),
            ("simvastatine", "simvastatin"),
            ("diabetis", "diabetes"),
            ("cla ri fro my sin", "clarithromycin"),
            ("klarifromycin", "clarithromycin"),
            ("sefuroksim", "cefuroxime"),
            ("tramador", "tramadol"),
            ("ti rox in", "thyroxine"),
        ] {
            assert_eq!(found(said), vec![name], "{said}");
        }
        // A known form that is a piece of the name does not hide it; one that is most of it does.
        let (folded, flu) = ("tammy flu".chars().collect::<Vec<_>>(), Meaning::Condition(0));
        let known = |start| [Found { start, end: 9, meaning: flu }];
        assert_eq!(index.find(&folded, &known(6)).len(), 1);
        assert!(index.find(&folded, &known(0)).is_empty());
        for said in ["am,lodipine", "payment", "time for money", "he is at home now", "panda", "doctor"] {
            assert!(found(said).is_empty(), "{said}: {:?}", found(said));
        }
    }

    #[test]
    fn edit_distance() {
        for (one, other, apart) in [("kitten", "sitting", 3), ("", "abc", 3), ("same", "same", 0)] {
            assert_eq!(distance(one, other), apart);
        }
    }
}
