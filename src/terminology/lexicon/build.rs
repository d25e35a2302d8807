//! The tables read into a [`Lexicon`].

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, MatchKind};
use sha2::{Digest, Sha256};

use super::{Indication, Lexicon, Meaning};
use crate::terminology::concept::{ConditionConcept, Drug, DrugKind, Entry, ObservationKind, Term, TermKind, Unit, UnitKind};
use crate::terminology::doses::Doses;
use crate::terminology::fold::Fold;
use crate::terminology::latin::LatinIndex;
use crate::terminology::pattern::{ClassId, Element, Pattern, elements};
use crate::terminology::search::SearchIndex;
use crate::terminology::sound::{Readings, SoundIndex};
use crate::terminology::table::{Row, rows};
use crate::terminology::{TerminologyError, tables};
use crate::text::numerals::numbers;

/// A lexicon while its tables are read.
pub(in crate::terminology) struct Builder {
    pub(in crate::terminology) lexicon: Lexicon,
    index: HashMap<String, usize>,
    forms: Vec<String>,
    class_names: HashMap<String, ClassId>,
    /// Chinese forms of drugs as they are written in the tables.
    chinese: Vec<(Meaning, String)>,
    hasher: Sha256,
}

impl Builder {
    pub(in crate::terminology) fn new(fold: Fold) -> Self {
        let empty: [&str; 0] = [];
        let lexicon = Lexicon {
            conditions: Vec::new(),
            drugs: Vec::new(),
            allergens: Vec::new(),
            observations: Vec::new(),
            units: Vec::new(),
            terms: Vec::new(),
            indications: Vec::new(),
            doses: Doses::default(),
            fold,
            patterns_by_last: Vec::new(),
            sites: Vec::new(),
            meanings: Vec::new(),
            automaton: AhoCorasick::new(empty).unwrap_or_else(|_| unreachable!("an automaton of nothing")),
            by_sound: None,
            by_letters: LatinIndex::default(),
            names: SearchIndex::default(),
            digest: String::new(),
        };
        Self {
            lexicon,
            index: HashMap::new(),
            forms: Vec::new(),
            class_names: HashMap::new(),
            chinese: Vec::new(),
            hasher: Sha256::new(),
        }
    }

    pub(in crate::terminology) fn read<'a>(
        &mut self,
        (file, text): (&'a str, &'a str),
        columns: usize,
    ) -> Result<Vec<Row<'a>>, TerminologyError> {
        self.hasher.update(file.as_bytes());
        self.hasher.update(text.as_bytes());
        rows(file, text, columns)
    }

    /// A form as the table has it, and with its numbers in digits: what is written down may have either.
    fn form(&mut self, form: &str, meaning: Meaning) {
        self.spelling(form, meaning);
        if let Some(written) = in_digits(form) {
            self.spelling(&written, meaning);
        }
    }

    fn spelling(&mut self, form: &str, meaning: Meaning) {
        let folded = self.lexicon.fold.text(form);
        if matches!(meaning, Meaning::Drug(_)) && form.chars().all(|c| c >= '\u{3400}') {
            self.chinese.push((meaning, form.to_owned()));
        }
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

    /// From now on this form means no other condition and no other drug.
    pub(in crate::terminology) fn overrule(&mut self, form: &str, meaning: Meaning) {
        self.form(form, meaning);
        let slot = self.index.get(&self.lexicon.fold.text(form)).and_then(|slot| self.lexicon.meanings.get_mut(*slot));
        if let Some(meanings) = slot {
            meanings.retain(|other| *other == meaning || !matches!(other, Meaning::Condition(_) | Meaning::Drug(_)));
        }
    }

    /// Whether findings are denied, asked about, doubted or told of somebody else by this word: 冇, 有冇, 可能, 阿媽.
    pub(in crate::terminology) fn is_cue(&self, form: &str) -> bool {
        use TermKind::{
            Affirmation, Contrast, Family, Hypothetical, Negation, NegationNear, NotSo, Oneself, Other, Question, QuestionEnd,
            Third, Uncertain, Worry,
        };
        let cues = [
            Affirmation,
            Contrast,
            Family,
            Hypothetical,
            Negation,
            NegationNear,
            NotSo,
            Oneself,
            Other,
            Question,
            QuestionEnd,
            Third,
            Uncertain,
            Worry,
        ];
        let slot = self.index.get(&self.lexicon.fold.text(form)).and_then(|slot| self.lexicon.meanings.get(*slot));
        let kind = |meaning: &Meaning| if let Meaning::Term(term) = meaning { self.lexicon.term_kind(*term) } else { None };
        slot.is_some_and(|meanings| meanings.iter().filter_map(kind).any(|kind| cues.contains(&kind)))
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

    pub(in crate::terminology) fn classes(&mut self, table: (&'static str, &str)) -> Result<(), TerminologyError> {
        for row in self.read(table, 3)? {
            let class = self.class(row.cell(0), row.cell(1) == "site");
            for word in row.list(2) {
                self.form(word, Meaning::Class(class));
            }
        }
        Ok(())
    }

    pub(in crate::terminology) fn conditions(
        &mut self,
        table: (&'static str, &str),
        left_out: &impl Fn(Entry<'_>) -> bool,
    ) -> Result<(), TerminologyError> {
        for row in self.read(table, 6)? {
            let condition = self.lexicon.conditions.len();
            for form in row.list(5).filter(|_| !left_out(Entry::Condition(row.cell(0)))) {
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
    pub(in crate::terminology) fn pattern(&mut self, parts: &[Element<'_>], condition: usize) -> bool {
        let ids: Option<Vec<ClassId>> = parts.iter().map(|part| self.element(*part)).collect();
        let Some(elements) = ids.filter(|ids| ids.len() > 1) else { return false };
        if let Some(patterns) = elements.last().and_then(|last| self.lexicon.patterns_by_last.get_mut(*last)) {
            patterns.push(Pattern { condition, elements });
        }
        true
    }

    pub(in crate::terminology) fn drugs(
        &mut self,
        table: (&'static str, &str),
        left_out: &impl Fn(Entry<'_>) -> bool,
    ) -> Result<(), TerminologyError> {
        for row in self.read(table, 4)? {
            let meaning = Meaning::Drug(self.lexicon.drugs.len());
            let drug = drug_of(&row)?;
            for form in std::iter::once(row.cell(0)).chain(row.list(3)).filter(|_| !left_out(Entry::Drug(row.cell(0)))) {
                self.form(form, meaning);
            }
            self.lexicon.drugs.push(drug);
        }
        Ok(())
    }

    pub(in crate::terminology) fn allergens(
        &mut self,
        table: (&'static str, &str),
        left_out: &impl Fn(Entry<'_>) -> bool,
    ) -> Result<(), TerminologyError> {
        for row in self.read(table, 2)? {
            let meaning = Meaning::Allergen(self.lexicon.allergens.len());
            for form in row.list(1).filter(|_| !left_out(Entry::Allergen(row.cell(0)))) {
                self.form(form, meaning);
            }
            self.lexicon.allergens.push(row.cell(0).to_owned());
        }
        Ok(())
    }

    pub(in crate::terminology) fn observations(
        &mut self,
        table: (&'static str, &str),
        left_out: &impl Fn(Entry<'_>) -> bool,
    ) -> Result<(), TerminologyError> {
        for row in self.read(table, 7)? {
            let meaning = Meaning::Observation(self.lexicon.observations.len());
            for form in row.list(6).filter(|_| !left_out(Entry::Observation(row.cell(0)))) {
                self.form(form, meaning);
                // P S A: letters that a recogniser wrote apart.
                if LETTERS.contains(&form.len()) && form.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                    let apart: Vec<String> = form.chars().map(String::from).collect();
                    self.form(&apart.join(" "), meaning);
                }
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

    pub(in crate::terminology) fn units(&mut self, table: (&'static str, &str)) -> Result<(), TerminologyError> {
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

    pub(in crate::terminology) fn terms(&mut self, table: (&'static str, &str)) -> Result<(), TerminologyError> {
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

    pub(in crate::terminology) fn indications(&mut self, table: (&'static str, &str)) -> Result<(), TerminologyError> {
        for row in self.read(table, 3)? {
            let topic = self.class_names.get(row.cell(1)).copied().ok_or_else(|| row.error("unknown topic class"))?;
            let condition = self.lexicon.conditions.iter().position(|concept| concept.icd10 == row.cell(2));
            let condition = condition.ok_or_else(|| row.error("no condition has this code"))?;
            self.lexicon.indications.extend(row.list(0).map(|atc| Indication { atc: atc.to_owned(), topic, condition }));
        }
        Ok(())
    }

    pub(in crate::terminology) fn doses(&mut self, (file, text): (&'static str, &str)) -> Result<(), TerminologyError> {
        self.hasher.update(file.as_bytes());
        self.hasher.update(text.as_bytes());
        self.lexicon.doses = Doses::read((file, text))?;
        Ok(())
    }

    /// What the concepts are called in a note, folded.
    fn names(&self) -> impl Iterator<Item = (Meaning, String)> + '_ {
        let conditions = self.lexicon.conditions.iter().enumerate();
        let conditions =
            conditions.flat_map(|(index, concept)| [&concept.en, &concept.zh].map(|name| (Meaning::Condition(index), name)));
        let drugs = self.lexicon.drugs.iter().enumerate().map(|(index, drug)| (Meaning::Drug(index), &drug.name));
        conditions.chain(drugs).map(|(meaning, name)| (meaning, self.lexicon.fold.text(name)))
    }

    /// Names are found by their sound, and of the small words those that a note hangs on: 豪克 for 毫克, 敏敢 for 敏感.
    fn found_by_sound(&self, meaning: Meaning) -> bool {
        match meaning {
            Meaning::Unit(unit) => {
                self.lexicon.units.get(unit).is_some_and(|unit| matches!(unit.kind, UnitKind::Dose | UnitKind::Measure))
            }
            Meaning::Term(term) => matches!(
                self.lexicon.term_kind(term),
                Some(TermKind::Allergy | TermKind::FollowUp | TermKind::SickLeave | TermKind::Refer)
            ),
            _ => true,
        }
    }

    pub(in crate::terminology) fn finish(mut self) -> Result<Lexicon, TerminologyError> {
        self.lexicon.automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&self.forms)
            .map_err(|_| TerminologyError::Automaton { forms: self.forms.len() })?;
        let forms = || self.forms.iter().map(String::as_str).zip(self.lexicon.meanings.iter().map(Vec::as_slice));
        let (file, text) = tables::READINGS;
        self.hasher.update(file.as_bytes());
        self.hasher.update(text.as_bytes());
        let readings = Readings::new(file, text, &self.lexicon.fold)?;
        let mut names = SearchIndex::new(forms(), self.names(), &readings);
        self.chinese.drain(..).for_each(|(meaning, name)| names.name_in_chinese(meaning, &name));
        let by_sound = SoundIndex::new(readings, forms(), |meaning| self.found_by_sound(meaning))?;
        let by_letters = LatinIndex::new(forms());
        self.lexicon.by_sound = Some(by_sound);
        self.lexicon.by_letters = by_letters;
        self.lexicon.names = names;
        self.lexicon.digest = self.hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(self.lexicon)
    }
}

/// 坐十五分鐘 as 坐15分鐘; nothing for a form without such a number. Below ten a numeral is often part of a word (三餐, 一次過).
fn in_digits(form: &str) -> Option<String> {
    let chars: Vec<char> = form.chars().collect();
    let mut written = String::new();
    let mut at = 0;
    for number in numbers(&chars) {
        let Some(value) = number.exact().filter(|value| *value >= 10.0) else { continue };
        let said = chars.get(number.start..number.end).unwrap_or_default();
        if said.iter().all(char::is_ascii_digit) {
            continue;
        }
        written.extend(chars.get(at..number.start).unwrap_or_default());
        written.push_str(&value.to_string());
        at = number.end;
    }
    (at > 0).then(|| written + &chars.iter().skip(at).collect::<String>())
}

fn optional(cell: &str) -> Option<String> {
    Some(cell).filter(|cell| !cell.is_empty()).map(str::to_owned)
}

/// The concept of a row of conditions, without its forms.
pub(in crate::terminology) fn condition_of(row: &Row<'_>) -> ConditionConcept {
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
pub(in crate::terminology) fn drug_of(row: &Row<'_>) -> Result<Drug, TerminologyError> {
    let kind = match row.cell(2) {
        "" | "drug" => DrugKind::Drug,
        "class" => DrugKind::Class,
        "vaccine" => DrugKind::Vaccine,
        _ => return Err(row.error("kind: none of drug, class, vaccine")),
    };
    let name = if kind == DrugKind::Drug { generic(row.cell(0)) } else { row.cell(0) };
    Ok(Drug { name: name.to_owned(), atc: optional(row.cell(1)), kind })
}

/// What a row's name ends with to say in what form the drug comes; the note has the generic name, and the ATC code tells them apart.
/// How long a name of letters is that a recogniser may write apart.
const LETTERS: std::ops::RangeInclusive<usize> = 3..=5;
const PREPARATIONS: [&str; 11] = [
    " oral",
    " injection",
    " suppository",
    " mouthwash",
    " nasal spray",
    " gel",
    " patch",
    " cream",
    " solution",
    " eye drops",
    " ear drops",
];
/// Preparations whose name says nothing without its form.
const PREPARED: [&str; 3] = ["aqueous cream", "olive oil ear drops", "timolol combination eye drops"];

/// The generic name of a drug whose row names its form too.
fn generic(name: &str) -> &str {
    let stem = PREPARATIONS.iter().find_map(|form| name.strip_suffix(form));
    stem.filter(|_| !PREPARED.contains(&name)).unwrap_or(name)
}
