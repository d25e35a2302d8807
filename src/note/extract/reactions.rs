//! Findings that the drugs of the talk put in another light: what an allergy did once is no complaint, and a cancer under treatment
//! is there.

use super::utterance::{Speaker, Utterance};
use crate::note::{Allergy, AllergyStatus, Assertion, Condition, Medication, MedicationStatus, Span};
use crate::terminology::{Lexicon, TermKind};

/// What an allergy shows on skin, lips and eyes (ICD-10).
const SHOWN: [&str; 11] = ["L50", "L51", "L27", "L29", "R21", "R22", "R23", "H02.8", "K13.0", "K14.0", "L53"];
/// Drugs against cancer: cytostatics, hormones and their antagonists (ATC).
const AGAINST_CANCER: [&str; 2] = ["L01", "L02"];

/// Leaves out what stands in the words of an allergy to a drug, where it is not told of now.
pub(super) fn without_old_reactions(
    conditions: Vec<Condition>,
    allergies: &[Allergy],
    utterances: &[Utterance],
    lexicon: &Lexicon,
) -> Vec<Condition> {
    let to_drugs = allergies.iter().filter(|one| {
        let drug = lexicon.drugs.iter().any(|drug| drug.name == one.substance);
        one.status == AllergyStatus::Present && drug
    });
    let told: Vec<Span> = to_drugs.flat_map(|one| one.provenance.spans().iter().copied()).collect();
    let of_it = |span: &Span| {
        let utterance = utterances.iter().find(|utterance| utterance.id == span.segment());
        let clause = |at: usize| utterance.map(|utterance| utterance.clause_index(at));
        let near = told.iter().any(|other| {
            let overlaps = span.start() < other.end() && other.start() < span.end();
            other.segment() == span.segment() && (overlaps || clause(other.end().saturating_sub(1)) == clause(span.start()))
        });
        // 呢個係慢性蕁麻疹, says the doctor.
        let now = utterance.is_none_or(|utterance| {
            utterance.speaker == Speaker::Doctor
                || utterance.has(lexicon, utterance.clause(span.start()).range, &[TermKind::Now, TermKind::Ongoing])
        });
        near && !now
    };
    let kept = |condition: &Condition| {
        let shown = SHOWN.iter().any(|code| condition.codes.iter().any(|one| one.code.starts_with(code)));
        let spans = condition.provenance.spans();
        let told_so = matches!(condition.assertion, Assertion::Present | Assertion::Historical);
        !(shown && told_so && !spans.is_empty() && spans.iter().all(of_it))
    };
    conditions.into_iter().filter(kept).collect()
}

/// 乳癌做完手術,tamoxifen 仲食緊: a cancer that is still treated is there.
pub(super) fn under_treatment(conditions: &mut [Condition], medications: &[Medication]) {
    let treats = |drug: &Medication| {
        let atc = drug.atc.as_deref().unwrap_or_default();
        drug.status == MedicationStatus::Active && AGAINST_CANCER.iter().any(|group| atc.starts_with(group))
    };
    if !medications.iter().any(treats) {
        return;
    }
    let is_cancer = |condition: &Condition| condition.codes.iter().any(|one| one.code.starts_with('C') && one.code.len() > 2);
    if conditions.iter().any(|one| one.assertion == Assertion::Present && is_cancer(one)) {
        return;
    }
    let cancer = |condition: &&mut Condition| is_cancer(condition);
    let mut past: Vec<&mut Condition> =
        conditions.iter_mut().filter(|one| one.assertion == Assertion::Historical).filter(cancer).collect();
    // Of two cancers it is not told which one the drug is for.
    if let [only] = past.as_mut_slice() {
        only.assertion = Assertion::Present;
    }
}
