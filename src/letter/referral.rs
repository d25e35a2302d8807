//! The referral letter: to whom, what for, and what the note says, each thing once.

use super::document::{Letter, allergies, lines_of_people, texts, words};
use super::{LetterError, Request};
use crate::note::compose::{self, Part, section_without};
use crate::note::{SectionCode, Sentence};

/// One for each referral of the note.
pub(super) fn letters(request: &Request<'_>) -> Result<Vec<Letter>, LetterError> {
    let referrals = words(request, Part::Referrals);
    if referrals.is_empty() {
        return Err(LetterError::NotInNote { what: "referral" });
    }
    Ok(referrals.iter().map(|referral| letter(request, referral, &referrals)).collect())
}

fn letter(request: &Request<'_>, referral: &Sentence, all: &[Sentence]) -> Letter {
    let mut letter = Letter::new(request, ("Referral letter", "轉介信"));
    letter.field(("Referral", "轉介"), std::slice::from_ref(referral));
    // What a person wrote of the assessment stands as written; what the machine found is named without it.
    let machine = request.note.without_what_people_say();
    let mut diagnoses = compose::words(&machine, Part::Diagnoses, request.language);
    let assessment = request.note.sections.iter().filter(|section| section.code == SectionCode::A).cloned();
    diagnoses.extend(lines_of_people(&assessment.collect::<Vec<_>>()).cloned());
    letter.field(("Diagnosis", "診斷"), &diagnoses);
    letter.field(("Allergies", "過敏"), &allergies(request));
    letter.known_allergies(request);
    let section = |code, left_out: &[Part]| {
        let lines = section_without(request.note, code, left_out, request.language);
        // A person's line that says a referral and nothing else is named at the top, or in the letter that is its own. Lines of one
        // second have the same provenance: the words tell them apart.
        let says = |line: &Sentence, referral: &Sentence| {
            let words = referral.text.reveal().trim_matches(['「', '」']);
            referral.provenance == line.provenance
                && [line.text.reveal(), without_lead(line.text.reveal())].map(bare).contains(&words)
        };
        let said = |line: &Sentence| line.provenance.is_by_a_person() && all.iter().any(|referral| says(line, referral));
        texts(lines.into_iter().filter(|line| !said(line)))
    };
    letter.list(("History", "病史"), section(SectionCode::S, &[Part::Allergies]));
    letter.list(("Findings", "檢查所見"), section(SectionCode::O, &[]));
    letter.list(("Treatment and plan", "治療及計劃"), section(SectionCode::P, &[Part::Referrals, Part::SickLeave]));
    letter
}

/// A line less what it begins with where it is a referral: `Refer: `.
fn without_lead(line: &str) -> &str {
    let line = line.trim_start();
    let rest = ["Refer", "refer", "REFER", "轉介"].into_iter().find_map(|lead| line.strip_prefix(lead));
    rest.map_or(line, |rest| rest.trim_start_matches([':', '：']))
}

/// A line less its full stop and quotation marks.
fn bare(line: &str) -> &str {
    line.trim().trim_end_matches(['.', '。']).trim_end().trim_matches(['「', '」'])
}
