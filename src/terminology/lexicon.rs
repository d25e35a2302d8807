//! The lexicon: every table read, every form in one automaton.

mod build;
mod spread;

use aho_corasick::AhoCorasick;

use super::concept::{ConditionConcept, Drug, Entry, ObservationKind, Term, TermKind, Unit};
use super::doses::Doses;
use super::fold::Fold;
use super::latin::LatinIndex;
use super::own::{self, OwnTable};
use super::pattern::{ClassId, Pattern};
use super::search::SearchIndex;
use super::sound::SoundIndex;
use super::{TerminologyError, tables};
pub(super) use build::{Builder, condition_of, drug_of};

pub use spread::Spread;

/// What a form means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Meaning {
    /// A condition said outright.
    Condition(usize),
    /// An element of conditions' patterns.
    Class(ClassId),
    /// A drug.
    Drug(usize),
    /// An allergen that is no drug.
    Allergen(usize),
    /// A measurement's name.
    Observation(usize),
    /// A unit.
    Unit(usize),
    /// A small word.
    Term(usize),
}

/// A form found in a text; offsets in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// First character.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// What it means.
    pub meaning: Meaning,
}

/// A drug group taken for a topic: amlodipine and 血壓 mean hypertension.
#[derive(Debug, Clone)]
pub struct Indication {
    /// Start of the drugs' ATC codes.
    pub atc: String,
    /// The class that holds the topic's words.
    pub topic: ClassId,
    /// The condition.
    pub condition: usize,
}

/// All tables, and the automaton over their forms.
#[derive(Debug)]
pub struct Lexicon {
    /// Diseases, symptoms and signs.
    pub conditions: Vec<ConditionConcept>,
    /// Drugs, drug classes, vaccines.
    pub drugs: Vec<Drug>,
    /// Names of allergens that are no drugs.
    pub allergens: Vec<String>,
    /// Measurements.
    pub observations: Vec<ObservationKind>,
    /// Units.
    pub units: Vec<Unit>,
    /// Small words.
    pub terms: Vec<Term>,
    /// Which drug for which topic means which condition.
    pub indications: Vec<Indication>,
    /// Which doses can be.
    pub doses: Doses,
    fold: Fold,
    /// For each class, the patterns that end with it.
    patterns_by_last: Vec<Vec<Pattern>>,
    /// For each class, whether it names a part of the body.
    sites: Vec<bool>,
    meanings: Vec<Vec<Meaning>>,
    automaton: AhoCorasick,
    by_sound: Option<SoundIndex>,
    by_letters: LatinIndex,
    names: SearchIndex,
    digest: String,
}

impl Lexicon {
    /// The tables that come with the program.
    ///
    /// # Errors
    /// [`TerminologyError`] names the table and line that does not read.
    pub fn builtin() -> Result<Self, TerminologyError> {
        Self::with(&[])
    }

    /// The tables that come with the program and a hospital's own, which win where both speak of a form or a concept.
    ///
    /// # Errors
    /// [`TerminologyError`] names the table, the line and the column that does not read.
    pub fn with(tables: &[OwnTable]) -> Result<Self, TerminologyError> {
        let mut builder = Self::read_builtin(|_| false)?;
        own::apply(&mut builder, tables)?;
        builder.finish()
    }

    /// The tables that come with the program, where what is left out has no form: what would be missed without it.
    ///
    /// # Errors
    /// [`TerminologyError`] names the table and line that does not read.
    pub fn builtin_without(left_out: impl Fn(Entry<'_>) -> bool) -> Result<Self, TerminologyError> {
        Self::read_builtin(left_out)?.finish()
    }

    fn read_builtin(left_out: impl Fn(Entry<'_>) -> bool) -> Result<Builder, TerminologyError> {
        let mut builder = Builder::new(Fold::new(tables::FOLD.0, tables::FOLD.1)?);
        builder.classes(tables::CLASSES)?;
        for table in tables::CONDITIONS {
            builder.conditions(*table, &left_out)?;
        }
        for table in tables::DRUGS {
            builder.drugs(*table, &left_out)?;
        }
        builder.allergens(tables::ALLERGENS, &left_out)?;
        builder.observations(tables::OBSERVATIONS, &left_out)?;
        builder.units(tables::UNITS)?;
        for table in tables::TERMS {
            builder.terms(*table)?;
        }
        builder.indications(tables::INDICATIONS)?;
        builder.doses(tables::DOSES)?;
        Ok(builder)
    }

    /// The fold under which forms and speech are compared.
    #[must_use]
    pub fn fold(&self) -> &Fold {
        &self.fold
    }

    /// Lower-case hexadecimal SHA-256 of all tables, for the note's `made_by`.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub(super) fn names(&self) -> &SearchIndex {
        &self.names
    }

    /// How many different surface forms the automaton knows.
    #[must_use]
    pub fn forms(&self) -> usize {
        self.meanings.len()
    }

    /// The patterns whose last element is this class.
    #[must_use]
    pub fn patterns_ending(&self, class: ClassId) -> &[Pattern] {
        self.patterns_by_last.get(class).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a class names a part of the body.
    #[must_use]
    pub fn is_site(&self, class: ClassId) -> bool {
        self.sites.get(class).copied().unwrap_or(false)
    }

    /// The kind of a small word.
    #[must_use]
    pub fn term_kind(&self, term: usize) -> Option<TermKind> {
        self.terms.get(term).map(|term| term.kind)
    }

    /// All forms in a folded text, by start, then longest first; a form inside a longer one is left out. Linear in the text.
    #[must_use]
    pub fn find(&self, folded: &str) -> Vec<Found> {
        let bytes = folded.as_bytes();
        let places = places(folded);
        let at = |byte: usize| places.get(byte).copied().unwrap_or_default();
        let mut found: Vec<Found> = self
            .automaton
            .find_overlapping_iter(folded)
            .filter(|hit| whole_word(bytes, hit.start(), hit.end()))
            .flat_map(|hit| {
                let meanings = self.meanings.get(hit.pattern().as_usize()).map(Vec::as_slice).unwrap_or_default();
                let cut = cut_from_question(bytes, hit.start());
                let meant = meanings.iter().filter(move |meaning| !(cut && matches!(meaning, Meaning::Condition(_))));
                meant.map(move |meaning| Found { start: at(hit.start()), end: at(hit.end()), meaning: *meaning })
            })
            .collect();
        found.sort_unstable_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end), hit.meaning));
        // 痛 of 右上腹…痛 is also there in 絞住痛: a word of what is felt does not hide the pieces in it.
        let felt = |hit: &Found| matches!(hit.meaning, Meaning::Class(class) if !self.is_site(class));
        let (mut reach, mut reach_start, mut reach_felt) = (0, 0, false);
        found.retain(|hit| {
            let inside = hit.end < reach || (hit.end == reach && hit.start > reach_start);
            // 出風疹 is what an allergy looks like, and 風疹 in it a finding: the first does not hide the second.
            let hides = !matches!(hit.meaning, Meaning::Term(term) if self.term_kind(term) == Some(TermKind::Reaction));
            if hit.end > reach && hides {
                (reach, reach_start, reach_felt) = (hit.end, hit.start, felt(hit));
            }
            !inside || reach_felt && felt(hit)
        });
        without_bridges(found)
    }

    /// Names that a folded text does not spell but nearly: Chinese by its sound, English by its letters. Only what lies on no form
    /// of `found` counts, and what is written like it has no doubt left: the readings, or most of the letters, are the same.
    #[must_use]
    pub fn find_misspelt(&self, folded: &[char], found: &[Found]) -> Vec<Found> {
        let (alike, near) = self.by_sound.as_ref().map(|index| index.find(folded)).unwrap_or_default();
        let alike = alike.into_iter().filter(|hit| !self.spelt(found, hit));
        let near = near.into_iter().filter(|hit| !holds_a_word(found, hit));
        let mut heard: Vec<Found> = alike.chain(near).chain(self.by_letters.find(folded, found)).collect();
        heard.sort_unstable_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end), hit.meaning));
        let mut reach = 0;
        heard.retain(|hit| {
            let inside = hit.end < reach;
            reach = reach.max(hit.end);
            !inside
        });
        heard
    }

    /// Whether what a match by sound lies on is spelt as something else: a word of two characters, or of one that carries meaning.
    fn spelt(&self, found: &[Found], hit: &Found) -> bool {
        let from = found.partition_point(|other| other.start + LONGEST_FORM < hit.start);
        found.iter().skip(from).take_while(|other| other.start < hit.end).filter(|other| other.end > hit.start).any(|other| {
            let word = other.end - other.start >= 2;
            let crosses = other.start < hit.start || other.end > hit.end;
            let same = other.start == hit.start && other.end == hit.end;
            match other.meaning {
                Meaning::Class(_) => word && crosses,
                _ if same => true,
                // 喘 alone is a complaint, and in 孝喘 a piece of the name that was heard; so is 發炎 in 膀光發炎.
                _ => crosses || word && hit.end - hit.start <= 2,
            }
        })
    }
}

/// Whether a known form of two characters or more stands in a match: 甲狀腺都 is no 甲狀腺素.
fn holds_a_word(found: &[Found], hit: &Found) -> bool {
    let from = found.partition_point(|other| other.start + LONGEST_FORM < hit.start);
    let near = found.iter().skip(from).take_while(|other| other.start < hit.end);
    near.into_iter().any(|other| other.end > hit.start && other.end - other.start >= 2)
}

/// The longest form in characters, to look back no further.
const LONGEST_FORM: usize = 40;

/// For each byte that starts a character, the character's number; at the end, how many there are.
fn places(text: &str) -> Vec<usize> {
    let mut places = vec![0; text.len() + 1];
    let mut count = 0;
    for (byte, _) in text.char_indices() {
        if let Some(slot) = places.get_mut(byte) {
            *slot = count;
        }
        count += 1;
    }
    if let Some(last) = places.last_mut() {
        *last = count;
    }
    places
}

/// 有冇胃口 asks; 冇胃口, which a condition's form may be, is not said in it.
fn cut_from_question(text: &[u8], start: usize) -> bool {
    let split = text.split_at_checked(start);
    split.is_some_and(|(before, after)| after.starts_with("冇".as_bytes()) && before.ends_with("有".as_bytes()))
}

/// A Latin form must not be cut out of a longer word; a plural's `s` may follow it.
fn whole_word(text: &[u8], start: usize, end: usize) -> bool {
    let letter = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphabetic);
    let alphanumeric = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    let free_before = !(letter(Some(start)) && letter(start.checked_sub(1)));
    let plural = text.get(end) == Some(&b's') && !alphanumeric(Some(end + 1)) && end - start > 2;
    let free_after = !(alphanumeric(end.checked_sub(1)) && letter(Some(end))) || plural;
    free_before && free_after
}

/// Leaves out what lies across two forms that abut: 尿血 in 糖尿血壓.
fn without_bridges(found: Vec<Found>) -> Vec<Found> {
    let keep: Vec<bool> = found
        .iter()
        .enumerate()
        .map(|(index, hit)| {
            let before = found.get(index.saturating_sub(4)..index).unwrap_or_default();
            let after = found.get(index + 1..(index + 5).min(found.len())).unwrap_or_default();
            let matters = |other: &&Found| matches!(other.meaning, Meaning::Condition(_) | Meaning::Class(_) | Meaning::Drug(_));
            !before.iter().filter(matters).any(|first| {
                first.start < hit.start
                    && first.end > hit.start
                    && first.end < hit.end
                    && after.iter().filter(matters).any(|second| second.start == first.end && second.end > hit.end)
            })
        })
        .collect();
    found.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(hit, _)| hit).collect()
}
