//! What concepts are called by those who speak of them: names that a speech model may be told to expect.

use super::concept::DrugKind;
use super::lexicon::{Lexicon, Meaning};

/// Letters of the shortest name in Latin letters: shorter ones are abbreviations, and near to much else that is said.
const SHORTEST: usize = 4;

impl Lexicon {
    /// What a drug is called: its generic name, each part of a combination by itself, its Chinese name and its brands in Latin letters.
    #[must_use]
    pub fn names_of_drug(&self, drug: usize) -> Vec<String> {
        let meaning = Meaning::Drug(drug);
        let parts = self.drugs.get(drug).into_iter().flat_map(|drug| drug.name.split('/')).map(str::to_owned);
        let brands = self.names().forms(meaning).filter(|form| is_word(form)).map(str::to_owned);
        let mut names: Vec<String> = Vec::new();
        for name in parts.chain(self.names().chinese(meaning).map(str::to_owned)).chain(brands) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The drug of this generic name, if there is one.
    #[must_use]
    pub fn drug_named(&self, name: &str) -> Option<usize> {
        self.drugs.iter().position(|drug| drug.name == name)
    }

    /// The English and Chinese names of all conditions, and what all drugs are called, in the tables' order.
    pub fn names_to_expect(&self) -> impl Iterator<Item = String> {
        let conditions = self.conditions.iter().flat_map(|condition| [condition.en.clone(), condition.zh.clone()]);
        let named = self.drugs.iter().enumerate().filter(|(_, drug)| drug.kind != DrugKind::Class);
        let drugs = named.flat_map(|(drug, _)| self.names_of_drug(drug).into_iter().take(NAMES_OF_EACH));
        conditions.chain(drugs)
    }
}

/// Names of each drug where all drugs are named: the generic name, the Chinese one and a brand.
const NAMES_OF_EACH: usize = 3;

/// Whether a form is one word in Latin letters, and no abbreviation.
fn is_word(form: &str) -> bool {
    form.len() >= SHORTEST && form.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drug_is_called_by_its_parts_its_chinese_name_and_its_brands() {
        let lexicon = Lexicon::builtin().unwrap();
        let names = |name: &str| lexicon.names_of_drug(lexicon.drug_named(name).unwrap());
        let augmentin = names("amoxicillin/clavulanate");
        assert!(["amoxicillin", "clavulanate", "安滅菌", "augmentin"].iter().all(|name| augmentin.contains(&(*name).into())));
        assert!(!names("methotrexate").contains(&"mtx".to_owned()), "an abbreviation");
        assert_eq!(lexicon.drug_named("no such drug"), None);
        assert!(lexicon.names_of_drug(usize::MAX).is_empty());
        let all: Vec<String> = lexicon.names_to_expect().collect();
        assert!(all.contains(&"高血壓".to_owned()) && all.contains(&"metformin".to_owned()), "{}", all.len());
    }
}
