//! Words that a room expects to hear beside the server's: what its patient is known to take and not to tolerate, and the clinic's people.
//!
//! Invariant: nothing but the visit's own patient, and the organisation that the patient is of, is read for them.

use std::collections::HashSet;

use super::Rooms;
use crate::audit::OrganisationId;
use crate::identity::RoleKind;
use crate::note::{Allergy, AllergyStatus, Note};
use crate::record::Stage;
use crate::store::{Store, StoreError};
use crate::terminology::{Lexicon, Meaning};
use crate::text::PatientText;

/// Words of one room at most.
pub(super) const MOST_WORDS: usize = 1_000;
/// Signed notes that are looked at for drugs, the newest ones.
const MOST_NOTES: usize = 20;
/// What stands before a name and after it, and is not part of it.
const TITLES: [&str; 8] = ["dr.", "dr", "prof.", "prof", "mr.", "mr", "ms.", "ms"];
const TITLES_BEHIND: [&str; 4] = ["醫生", "教授", "姑娘", "護士"];

impl Rooms {
    /// Finds the words that a recording of this visit is heard with, and keeps them with it. They are a help: what cannot be read of them
    /// or kept is said in the log, and the recording begins without.
    pub(super) async fn expect(&self, recording: &str, encounter: &str, at: i64) {
        if !self.engine().models().recognizer.capabilities().word_list {
            return;
        }
        let kept = match of_visit(self.store(), self.lexicon(), encounter, at).await {
            Ok(words) if words.is_empty() => Ok(()),
            Ok(words) => self.store().keep_expected(recording, &words).await,
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            tracing::warn!(%error, "a recording is heard without the words of its visit");
        }
    }
}

/// The words of a visit, what is known of the patient first.
async fn of_visit(store: &Store, lexicon: &Lexicon, encounter: &str, at: i64) -> Result<Vec<PatientText>, StoreError> {
    let Some(visit) = store.encounter(encounter).await? else { return Ok(Vec::new()) };
    let mut words = Words { lexicon, found: Vec::new(), seen: HashSet::new() };
    for record in store.same_person(&visit.patient).await? {
        let patient = store.patient(&record).await?;
        let allergies = patient.and_then(|stored| stored.patient.allergies).unwrap_or_default();
        allergies.iter().for_each(|entered| words.add_entered(entered.reveal()));
    }
    for note in signed_notes(store, &visit.patient).await? {
        words.add_note(&note);
    }
    if let Some(owner) = store.owner_of_encounter(encounter).await? {
        add_clinic(&mut words, store, owner.organisation, at).await?;
    }
    Ok(words.found)
}

/// The signed notes of a patient, those of the latest visits first.
async fn signed_notes(store: &Store, patient: &str) -> Result<Vec<Note>, StoreError> {
    let mut notes = Vec::new();
    for visit in store.encounters_of(patient).await? {
        for recording in store.recordings_of(&visit.id).await? {
            if notes.len() == MOST_NOTES {
                return Ok(notes);
            }
            if store.stage(&recording).await? == Some(Stage::Signed)
                && let Some(document) = store.document(&recording).await?
            {
                notes.push(document.note);
            }
        }
    }
    Ok(notes)
}

/// What an organisation is called, and who sees patients there at this time.
async fn add_clinic(words: &mut Words<'_>, store: &Store, organisation: OrganisationId, at: i64) -> Result<(), StoreError> {
    let Some(clinic) = store.organisation(organisation).await? else { return Ok(()) };
    words.add(&clinic.name);
    clinic.chinese_name.iter().for_each(|name| words.add(name));
    let roles = store.roles_in(organisation).await?;
    for role in roles.iter().filter(|role| role.is_held(at) && matches!(role.kind, RoleKind::Doctor | RoleKind::Nurse)) {
        words.add_person(&role.person.card.name);
    }
    Ok(())
}

/// Words in the order in which they were found, each once.
struct Words<'a> {
    lexicon: &'a Lexicon,
    found: Vec<PatientText>,
    seen: HashSet<String>,
}

impl Words<'_> {
    fn add(&mut self, word: &str) {
        let word = word.trim();
        if self.found.len() < MOST_WORDS && !word.is_empty() && self.seen.insert(word.to_owned()) {
            self.found.push(PatientText::from(word));
        }
    }

    /// A drug by its generic name, with what else it is called; another substance as it is.
    fn add_substance(&mut self, name: &str) {
        match self.lexicon.drug_named(name) {
            Some(drug) => self.add_drug(drug),
            None => self.add(name),
        }
    }

    fn add_drug(&mut self, drug: usize) {
        self.lexicon.names_of_drug(drug).iter().for_each(|name| self.add(name));
    }

    /// What somebody typed: its parts but for what stands in brackets, and the drugs that are named in it.
    fn add_entered(&mut self, entered: &str) {
        let mut outside = String::new();
        let mut depth = 0_usize;
        for c in entered.chars() {
            match c {
                '(' | '（' | '[' => depth += 1,
                ')' | '）' | ']' => depth = depth.saturating_sub(1),
                _ if depth == 0 => outside.push(c),
                _ => {}
            }
        }
        outside.split([',', '，', '、', ';', '；', '/', '／', '+', ':', '：']).for_each(|part| self.add(part));
        for found in self.lexicon.find(&self.lexicon.fold().text(&outside)) {
            if let Meaning::Drug(drug) = found.meaning {
                self.add_drug(drug);
            }
        }
    }

    fn add_note(&mut self, note: &Note) {
        note.medications.iter().for_each(|medication| self.add_substance(&medication.name));
        let named = note.allergies.iter().filter(|allergy| allergy.status == AllergyStatus::Present);
        named.filter(|allergy| allergy.substance != Allergy::ANY_DRUG).for_each(|allergy| self.add_substance(&allergy.substance));
    }

    /// A name as it is signed with, and without its title where what is left is more than one name.
    fn add_person(&mut self, name: &str) {
        self.add(name);
        let first = name.split_whitespace().next().unwrap_or_default();
        let bare =
            if TITLES.contains(&first.to_lowercase().as_str()) { name.get(first.len()..).unwrap_or_default() } else { name };
        let bare = TITLES_BEHIND.iter().find_map(|title| bare.strip_suffix(title)).unwrap_or(bare).trim();
        let several = if bare.is_ascii() { bare.split_whitespace().count() } else { bare.chars().count() };
        if several > 1 {
            self.add(bare);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(of: impl Fn(&mut Words<'_>)) -> Vec<String> {
        let lexicon = Lexicon::builtin().unwrap();
        let mut words = Words { lexicon: &lexicon, found: Vec::new(), seen: HashSet::new() };
        of(&mut words);
        words.found.iter().map(|word| word.reveal().to_owned()).collect()
    }

    #[test]
    fn what_was_typed_gives_its_parts_and_the_drugs_in_it() {
        let found = words(|words| words.add_entered("Augmentin (rash 2019), 貓毛／metformin 嘔"));
        assert_eq!(found.first().unwrap(), "Augmentin");
        assert!(["amoxicillin", "安滅菌", "metformin"].iter().all(|name| found.contains(&(*name).into())), "{found:?}");
        assert!(!found.iter().any(|word| word.contains("rash")), "{found:?}");
    }

    #[test]
    fn a_person_is_called_with_a_title_and_without() {
        assert_eq!(words(|words| words.add_person("Dr. Chan Tai Man")), ["Dr. Chan Tai Man", "Chan Tai Man"]);
        assert_eq!(words(|words| words.add_person("陳大文醫生")), ["陳大文醫生", "陳大文"]);
        assert_eq!(words(|words| words.add_person("Dr Chan")), ["Dr Chan"]);
        assert_eq!(words(|words| words.add_person("陳醫生")), ["陳醫生"]);
    }

    #[test]
    fn words_are_so_many_and_each_once() {
        let found = words(|words| (0..2 * MOST_WORDS).for_each(|number| words.add(&format!(" word {} ", number / 2))));
        assert_eq!(found.len(), MOST_WORDS);
        assert_eq!(found.last().unwrap(), "word 999");
    }
}
