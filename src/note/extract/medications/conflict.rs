//! What is planned against an allergy that was told.

use crate::note::{Allergy, AllergyStatus};
use crate::terminology::{Drug, DrugKind, Lexicon};

/// Confidence of a drug planned for who said that he is allergic to its class: so low that who signs is asked
/// ([`LOW_CONFIDENCE`](crate::record::LOW_CONFIDENCE)).
pub(super) const CONFIDENCE: f64 = 0.4;
/// The shortest ATC code of a class whose drugs are alike for who is allergic to one: J01C, and not J01 of all antibiotics.
const CLASS: usize = 4;

/// Whether a drug is what one is allergic to, of its class, or of one class with it: Augmentin for who is allergic to penicillin,
/// or to amoxicillin.
pub(super) fn between(allergy: &Allergy, drug: &Drug, lexicon: &Lexicon) -> bool {
    if allergy.status != AllergyStatus::Present {
        return false;
    }
    if allergy.substance == drug.name {
        return true;
    }
    let Some(atc) = drug.atc.as_deref() else { return false };
    let named = lexicon.drugs.iter().filter(|other| other.name == allergy.substance);
    named.filter_map(|other| other.atc.as_deref()).any(|other| {
        let classes = lexicon.drugs.iter().filter(|class| class.kind == DrugKind::Class).filter_map(|class| class.atc.as_deref());
        let mut shared = classes.filter(|class| class.len() >= CLASS);
        atc.starts_with(other) || shared.any(|class| atc.starts_with(class) && other.starts_with(class))
    })
}
