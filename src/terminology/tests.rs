//! The tables hold what they promise: shapes, check digits, one code for one concept, no form twice in a table.

use std::collections::{HashMap, HashSet};

use super::table::rows;
use super::*;

fn forms(tables: &[(&'static str, &str)], key: usize, column: usize) -> Vec<(String, String)> {
    let fold = Fold::new(super::tables::FOLD.0, super::tables::FOLD.1).unwrap();
    let mut all = Vec::new();
    for (file, text) in tables {
        for row in rows(file, text, column + 1).unwrap() {
            all.extend(row.list(column).map(|form| (fold.text(form), row.cell(key).to_owned())));
        }
    }
    all
}

fn repeated(forms: Vec<(String, String)>) -> Vec<String> {
    let mut owner: HashMap<String, String> = HashMap::new();
    forms
        .into_iter()
        .filter_map(|(form, key)| match owner.get(&form) {
            Some(other) if *other != key => Some(format!("`{form}` is of `{other}` and `{key}`")),
            _ => {
                owner.insert(form, key);
                None
            }
        })
        .collect()
}

#[test]
fn every_code_has_its_shape_and_one_concept() {
    let lexicon = Lexicon::builtin().unwrap();
    let mut icd = HashSet::new();
    for concept in &lexicon.conditions {
        assert!(icd10_shape(&concept.icd10), "{}", concept.icd10);
        assert!(concept.icpc2.as_deref().is_none_or(icpc2_shape), "{:?}", concept.icpc2);
        assert!(icd.insert((&concept.icd10, &concept.icpc2)), "{} has two rows", concept.icd10);
        assert!(!concept.en.is_empty() && !concept.zh.is_empty(), "{}", concept.icd10);
    }
    let mut names = HashSet::new();
    for drug in &lexicon.drugs {
        assert!(drug.atc.as_deref().is_none_or(atc_shape), "{}", drug.name);
        assert!(names.insert((&drug.name, &drug.atc)), "{} has two rows", drug.name);
        assert_eq!(drug.name, drug.name.to_lowercase());
    }
    let mut loinc = HashSet::new();
    for kind in &lexicon.observations {
        assert!(loinc_check_digit(&kind.loinc), "{}", kind.loinc);
        assert!(loinc.insert(&kind.loinc) && kind.low < kind.high, "{}", kind.loinc);
    }
}

#[test]
fn no_form_stands_for_two_concepts() {
    use super::tables::{ALLERGENS, CONDITIONS, DRUGS, OBSERVATIONS, UNITS};
    for said in [
        forms(CONDITIONS, 3, 5),
        forms(DRUGS, 0, 3),
        forms(&[ALLERGENS], 0, 1),
        forms(&[OBSERVATIONS], 0, 6),
        forms(&[UNITS], 2, 3),
    ] {
        let again = repeated(said);
        assert!(again.is_empty(), "{again:#?}");
    }
}

#[test]
fn the_breadth_promised() {
    let lexicon = Lexicon::builtin().unwrap();
    assert!(lexicon.conditions.len() >= 1990, "{}", lexicon.conditions.len());
    assert!(lexicon.drugs.len() >= 930, "{}", lexicon.drugs.len());
    assert!(lexicon.observations.len() >= 160, "{}", lexicon.observations.len());
    assert!(lexicon.allergens.len() >= 70, "{}", lexicon.allergens.len());
    assert!(lexicon.forms() >= 15_000, "{}", lexicon.forms());

    let chinese = |form: &str| form.chars().any(|c| ('\u{3400}'..='\u{9fff}').contains(&c));
    let conditions = forms(super::tables::CONDITIONS, 3, 5);
    let spoken: HashSet<&str> = conditions.iter().map(|(form, _)| form.as_str()).filter(|form| chinese(form)).collect();
    assert!(spoken.len() >= 7_300, "{}", spoken.len());
    let names = |of: fn(bool) -> bool| -> HashSet<&str> {
        conditions.iter().filter(|(form, _)| !form.contains('{') && of(chinese(form))).map(|(_, name)| name.as_str()).collect()
    };
    let both = names(|chinese| chinese).intersection(&names(|chinese| !chinese)).count();
    assert!(both >= 1_990, "{both}");
}

#[test]
fn a_bad_table_names_its_line() {
    let error = rows("x.tsv", "# head\nI10\n", 2).unwrap_err();
    assert_eq!(error.to_string(), "x.tsv line 2: too few columns");
}

#[test]
fn a_question_is_not_cut_into_a_denial() {
    let lexicon = Lexicon::builtin().unwrap();
    let conditions = |said: &str| {
        let found = lexicon.find(&lexicon.fold().text(said));
        found.iter().filter(|hit| matches!(hit.meaning, Meaning::Condition(_))).count()
    };
    assert_eq!(conditions("冇胃口"), 1);
    assert_eq!(conditions("有冇胃口?有沒有胎動?"), 0);
}
