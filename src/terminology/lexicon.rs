//! The lexicon: every table read, every form in one automaton.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, MatchKind};
use sha2::{Digest, Sha256};

use super::concept::{ConditionConcept, Drug, DrugKind, ObservationKind, Term, TermKind, Unit, UnitKind};
use super::fold::Fold;
use super::own::{self, OwnTable};
use super::pattern::{ClassId, Element, Pattern, elements};
use super::table::{Row, rows};
use super::{TerminologyError, tables};

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
    fold: Fold,
    /// For each class, the patterns that end with it.
    patterns_by_last: Vec<Vec<Pattern>>,
    /// For each class, whether it names a part of the body.
    sites: Vec<bool>,
    meanings: Vec<Vec<Meaning>>,
    automaton: AhoCorasick,
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
        let mut builder = Self::read_builtin()?;
        own::apply(&mut builder, tables)?;
        builder.finish()
    }

    fn read_builtin() -> Result<Builder, TerminologyError> {
        let mut builder = Builder::new(Fold::new(tables::FOLD.0, tables::FOLD.1)?);
        builder.classes(tables::CLASSES)?;
        for table in tables::CONDITIONS {
            builder.conditions(*table)?;
        }
        for table in tables::DRUGS {
            builder.drugs(*table)?;
        }
        builder.allergens(tables::ALLERGENS)?;
        builder.observations(tables::OBSERVATIONS)?;
        builder.units(tables::UNITS)?;
        for table in tables::TERMS {
            builder.terms(*table)?;
        }
        builder.indications(tables::INDICATIONS)?;
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
        let mut char_at = vec![0usize; bytes.len() + 1];
        for (index, (byte, _)) in folded.char_indices().enumerate() {
            if let Some(slot) = char_at.get_mut(byte) {
                *slot = index;
            }
        }
        if let Some(last) = char_at.last_mut() {
            *last = folded.chars().count();
        }
        let at = |byte: usize| char_at.get(byte).copied().unwrap_or_default();
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
        let (mut reach, mut reach_start) = (0, 0);
        found.retain(|hit| {
            let inside = hit.end < reach || (hit.end == reach && hit.start > reach_start);
            if hit.end > reach {
                (reach, reach_start) = (hit.end, hit.start);
            }
            !inside
        });
        found
    }
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

/// A lexicon while its tables are read.
pub(super) struct Builder {
    pub(super) lexicon: Lexicon,
    index: HashMap<String, usize>,
    forms: Vec<String>,
    class_names: HashMap<String, ClassId>,
    hasher: Sha256,
}

impl Builder {
    fn new(fold: Fold) -> Self {
        let empty: [&str; 0] = [];
        let lexicon = Lexicon {
            conditions: Vec::new(),
            drugs: Vec::new(),
            allergens: Vec::new(),
            observations: Vec::new(),
            units: Vec::new(),
            terms: Vec::new(),
            indications: Vec::new(),
            fold,
            patterns_by_last: Vec::new(),
            sites: Vec::new(),
            meanings: Vec::new(),
            automaton: AhoCorasick::new(empty).unwrap_or_else(|_| unreachable!("an automaton of nothing")),
            digest: String::new(),
        };
        Self { lexicon, index: HashMap::new(), forms: Vec::new(), class_names: HashMap::new(), hasher: Sha256::new() }
    }

    pub(super) fn read<'a>(
        &mut self,
        (file, text): (&'a str, &'a str),
        columns: usize,
    ) -> Result<Vec<Row<'a>>, TerminologyError> {
        self.hasher.update(file.as_bytes());
        self.hasher.update(text.as_bytes());
        rows(file, text, columns)
    }

    fn form(&mut self, form: &str, meaning: Meaning) {
        let folded = self.lexicon.fold.text(form);
        let slot = *self.index.entry(folded.clone()).or_insert_with(|| {
            self.forms.push(folded);
            self.lexicon.meanings.push(Vec::new());
            self.forms.len() - 1
        });
        if let Some(meanings) = self.lexicon.meanings.get_mut(slot)
            && !meanings.contains(&meaning)
        {
            meanings.push(meaning);
        }
    }

    /// From now on this form of a condition or a drug means nothing else of its kind.
    pub(super) fn overrule(&mut self, form: &str, meaning: Meaning) {
        self.form(form, meaning);
        let slot = self.index.get(&self.lexicon.fold.text(form)).and_then(|slot| self.lexicon.meanings.get_mut(*slot));
        if let Some(meanings) = slot {
            let kind = std::mem::discriminant(&meaning);
            meanings.retain(|other| *other == meaning || std::mem::discriminant(other) != kind);
        }
    }

    fn class(&mut self, name: &str, site: bool) -> ClassId {
        if let Some(class) = self.class_names.get(name) {
            return *class;
        }
        let class = self.lexicon.sites.len();
        self.class_names.insert(name.to_owned(), class);
        self.lexicon.sites.push(site);
        self.lexicon.patterns_by_last.push(Vec::new());
        class
    }

    /// A literal inside a pattern is a class of one.
    fn element(&mut self, element: Element<'_>) -> Option<ClassId> {
        match element {
            Element::Class(name) => self.class_names.get(name).copied(),
            Element::Literal(words) => {
                let class = self.class(&format!("={words}"), false);
                self.form(words, Meaning::Class(class));
                Some(class)
            }
        }
    }

    fn classes(&mut self, table: (&'static str, &str)) -> Result<(), TerminologyError> {
        for row in self.read(table, 3)? {
            let class = self.class(row.cell(0), row.cell(1) == "site");
            for word in row.list(2) {
                self.form(word, Meaning::Class(class));
            }
        }
        Ok(())
    }

    fn conditions(&mut self, table: (&'static str, &str)) -> Result<(), TerminologyError> {
        for row in self.read(table, 6)? {
            let condition = self.lexicon.conditions.len();
            for form in row.list(5) {
                let parts = elements(form);
                if let [Element::Literal(words)] = parts.as_slice() {
                    self.form(words, Meaning::Condition(condition));
                } else if !self.pattern(&parts, condition) {
                    return Err(row.error(&format!("`{form}` names no class")));
                }
            }
            self.lexicon.conditions.push(condition_of(&row));
        }
        Ok(())
    }

    /// Takes a form of several elements; false when it names a class that there is not.
    pub(super) fn pattern(&mut self, parts: &[Element<'_>], condition: usize) -> bool {
        let ids: Option<Vec<ClassId>> = parts.iter().map(|part| self.element(*part)).collect();
        let Some(elements) = ids.filter(|ids| ids.len() > 1) else { return false };
        if let Some(patterns) = elements.last().and_then(|last| self.lexicon.patterns_by_last.get_mut(*last)) {
            patterns.push(Pattern { condition, elements });
        }
        true
    }

    fn drugs(&mut self, table: (&'static str, &str)) -> Result<(), TerminologyError> {
        for row in self.read(table, 4)? {
            let meaning = Meaning::Drug(self.lexicon.drugs.len());
            let drug = drug_of(&row)?;
            self.form(row.cell(0), meaning);
            for form in row.list(3) {
                self.form(form, meaning);
            }
            self.lexicon.drugs.push(drug);
        }
        Ok(())
    }

    fn allergens(&mut self, table: (&'static str, &str)) -> Result<(), TerminologyError> {
        for row in self.read(table, 2)? {
            let meaning = Meaning::Allergen(self.lexicon.allergens.len());
            for form in row.list(1) {
                self.form(form, meaning);
            }
            self.lexicon.allergens.push(row.cell(0).to_owned());
        }
        Ok(())
    }

    fn observations(&mut self, table: (&'static str, &str)) -> Result<(), TerminologyError> {
        for row in self.read(table, 7)? {
            let meaning = Meaning::Observation(self.lexicon.observations.len());
            for form in row.list(6) {
                self.form(form, meaning);
            }
            self.lexicon.observations.push(ObservationKind {
                loinc: row.cell(0).to_owned(),
                en: row.cell(1).to_owned(),
                zh: row.cell(2).to_owned(),
                unit: row.cell(3).to_owned(),
                low: row.number(4)?,
                high: row.number(5)?,
            });
        }
        Ok(())
    }

    fn units(&mut self, table: (&'static str, &str)) -> Result<(), TerminologyError> {
        for row in self.read(table, 4)? {
            let meaning = Meaning::Unit(self.lexicon.units.len());
            let kind = match row.cell(0) {
                "dose" => UnitKind::Dose,
                "time" => UnitKind::Time,
                "times" => UnitKind::Times,
                "measure" => UnitKind::Measure,
                _ => return Err(row.error("kind is none of dose, time, times, measure")),
            };
            for form in row.list(3) {
                self.form(form, meaning);
            }
            self.lexicon.units.push(Unit { kind, ucum: row.cell(1).to_owned(), factor: row.number(2)? });
        }
        Ok(())
    }

    fn terms(&mut self, table: (&'static str, &str)) -> Result<(), TerminologyError> {
        for row in self.read(table, 3)? {
            let kind = TermKind::parse(row.cell(0)).ok_or_else(|| row.error(&format!("unknown kind `{}`", row.cell(0))))?;
            let meaning = Meaning::Term(self.lexicon.terms.len());
            for form in row.list(2) {
                self.form(form, meaning);
            }
            self.lexicon.terms.push(Term { kind, value: row.cell(1).to_owned() });
        }
        Ok(())
    }

    fn indications(&mut self, table: (&'static str, &str)) -> Result<(), TerminologyError> {
        for row in self.read(table, 3)? {
            let topic = self.class_names.get(row.cell(1)).copied().ok_or_else(|| row.error("unknown topic class"))?;
            let condition = self.lexicon.conditions.iter().position(|concept| concept.icd10 == row.cell(2));
            let condition = condition.ok_or_else(|| row.error("no condition has this code"))?;
            self.lexicon.indications.extend(row.list(0).map(|atc| Indication { atc: atc.to_owned(), topic, condition }));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Lexicon, TerminologyError> {
        self.lexicon.automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&self.forms)
            .map_err(|_| TerminologyError::Automaton { forms: self.forms.len() })?;
        self.lexicon.digest = self.hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(self.lexicon)
    }
}

fn optional(cell: &str) -> Option<String> {
    Some(cell).filter(|cell| !cell.is_empty()).map(str::to_owned)
}

/// The concept of a row of conditions, without its forms.
pub(super) fn condition_of(row: &Row<'_>) -> ConditionConcept {
    ConditionConcept {
        icd10: row.cell(0).to_owned(),
        icpc2: optional(row.cell(1)),
        symptom: row.cell(2).contains('s'),
        chronic: row.cell(2).contains('c'),
        en: row.cell(3).to_owned(),
        zh: row.cell(4).to_owned(),
        local: Vec::new(),
    }
}

/// The drug of a row, without its forms.
pub(super) fn drug_of(row: &Row<'_>) -> Result<Drug, TerminologyError> {
    let kind = match row.cell(2) {
        "" | "drug" => DrugKind::Drug,
        "class" => DrugKind::Class,
        "vaccine" => DrugKind::Vaccine,
        _ => return Err(row.error("kind: none of drug, class, vaccine")),
    };
    Ok(Drug { name: row.cell(0).to_owned(), atc: optional(row.cell(1)), kind })
}
