use super::*;
use crate::audit::{RecordId, Refusal, RoleId, UnixMillis};
use crate::consent::{Domain, Permit, test_permit};
use crate::note::compose::{Language, sections};
use crate::note::edit::{NoteEdit, apply};
use crate::note::extract::extract;
use crate::note::{Note, SectionCode};
use crate::record::{Record, Signature, Signed};
use crate::speech::transcript;
use crate::terminology::Lexicon;
use crate::text::PatientText;

/// When the permits of the tests are given (an hour after the consents' start), and their length.
const GIVEN: UnixMillis = UnixMillis(1_771_000_000_000 + 3_600_000);
const HOUR: u64 = 3_600_000;

fn record() -> RecordId {
    RecordId::from_bytes([5; 16])
}

fn viewer() -> RoleId {
    RoleId::from_bytes([1; 16])
}

fn mark() -> Watermark {
    Watermark::new("Dr B", "Clinic B", GIVEN, 41).unwrap()
}

fn note() -> Note {
    let lexicon = Lexicon::builtin().unwrap();
    let said = "patient: 我有糖尿病,食緊metformin 500mg一日兩次。\npatient: 我對penicillin敏感。\ndoctor: 血壓145/90,HbA1c 7.8。\npatient: 我間中飲少少酒。\ndoctor: 轉介你去眼科,四個星期後覆診,照下心電圖。\n";
    let mut note = extract(&transcript::read(said.as_bytes()).unwrap(), &lexicon);
    note.sections = sections(&note, Language::English);
    let typed = NoteEdit::Add { section: SectionCode::O, text: PatientText::from("Looks well, sentinel-line") };
    apply(&note, typed, "Dr A", "2026-11-26T10:00:00Z", &lexicon).unwrap()
}

fn signed(note: Note) -> Signed {
    let signature = || Some(Signature::new("Dr A", "2026-11-26T10:05:00Z").unwrap());
    Record::restored(2, note, signature(), signature()).unwrap().signed().unwrap()
}

fn seen(permits: &[Permit], at: UnixMillis) -> Result<View, SharingError> {
    View::of(&signed(note()), record(), viewer(), permits, mark(), Language::English, at)
}

fn text(view: &View) -> String {
    view.parts().iter().flat_map(|part| &part.lines).map(|(_, line)| format!("{}\n", line.reveal())).collect()
}

fn permits(domains: &[Domain]) -> Vec<Permit> {
    domains.iter().map(|domain| test_permit(viewer(), record(), *domain)).collect()
}

#[test]
fn a_view_has_the_consented_domains_and_nothing_else() {
    let words = [
        (Domain::Allergies, "penicillin"),
        (Domain::DiagnosesAndMedication, "metformin"),
        (Domain::LaboratoryAndRadiology, "7.8"),
        (Domain::OtherInvestigations, "145/90"),
        (Domain::Referrals, "Refer: eye"),
        (Domain::Encounters, "FU"),
    ];
    let whole = text(&seen(&permits(&[Domain::Notes]), GIVEN).unwrap());
    for (_, word) in words {
        assert!(whole.contains(word), "{word} in {whole}");
    }
    for (domain, word) in words {
        let view = seen(&permits(&[domain]), GIVEN).unwrap();
        assert_eq!(view.parts().iter().map(|part| part.domain).collect::<Vec<_>>(), [domain]);
        let shown = text(&view);
        assert!(shown.contains(word), "{domain:?}: {shown}");
        for (other, word) in words.iter().filter(|(other, _)| *other != domain) {
            assert!(!shown.contains(word), "{other:?} within {domain:?}: {shown}");
        }
        assert!(!shown.contains("酒") && !shown.contains("sentinel-line"), "{domain:?}: {shown}");
    }
    let two = seen(&permits(&[Domain::Referrals, Domain::Allergies, Domain::Allergies]), GIVEN).unwrap();
    assert_eq!(two.parts().iter().map(|part| part.domain).collect::<Vec<_>>(), [Domain::Allergies, Domain::Referrals]);
}

#[test]
fn every_finding_is_of_one_domain_beside_the_note() {
    const ALL: [Domain; 8] = [
        Domain::Demographics,
        Domain::Allergies,
        Domain::DiagnosesAndMedication,
        Domain::Encounters,
        Domain::BirthAndImmunisation,
        Domain::LaboratoryAndRadiology,
        Domain::OtherInvestigations,
        Domain::Referrals,
    ];
    let note = note();
    let count = |note: &Note| {
        let Note { conditions, medications, allergies, observations, plan, .. } = note;
        [conditions.len(), medications.len(), allergies.len(), observations.len(), plan.len()]
    };
    let parts = ALL.map(|domain| only(&note, domain));
    let sums = parts.iter().map(count).fold([0; 5], |sum, part| std::array::from_fn(|at| sum[at] + part[at]));
    assert_eq!(sums, count(&note), "{note:?}");
    assert!(parts.iter().all(|part| part.sections.is_empty() && part.social.is_empty() && part.uncovered.is_empty()));
}

#[test]
fn a_permit_for_something_else_shows_nothing_at_all() {
    let good = || test_permit(viewer(), record(), Domain::Notes);
    let of_another = || test_permit(RoleId::from_bytes([2; 16]), record(), Domain::Allergies);
    let of_another_record = || test_permit(viewer(), RecordId::from_bytes([6; 16]), Domain::Allergies);
    assert_eq!(seen(&[], GIVEN).unwrap_err(), SharingError::NoPermit);
    assert_eq!(seen(&[good(), of_another()], GIVEN).unwrap_err(), SharingError::OtherPermit);
    assert_eq!(seen(&[of_another_record(), good()], GIVEN).unwrap_err(), SharingError::OtherPermit);
    assert!(seen(&[good()], GIVEN.after(HOUR - 1)).is_ok());
    let over = seen(&[good()], GIVEN.after(HOUR)).unwrap_err();
    assert_eq!((over, over.refusal()), (SharingError::Over, Refusal::Expired));
}

#[test]
fn a_view_says_for_whom_it_is() {
    let view = seen(&permits(&[Domain::Allergies]), GIVEN).unwrap();
    assert_eq!((view.watermark().viewer(), view.watermark().organisation(), view.watermark().entry()), ("Dr B", "Clinic B", 41));
    assert_eq!(view.signature(), ("Dr A", "2026-11-26T10:05:00Z"));
    assert_eq!(Watermark::new(" \n", "Clinic B", GIVEN, 1), Err(SharingError::NoName));
    assert_eq!(Watermark::new("Dr B\nClinic A", "B", GIVEN, 1).unwrap().viewer(), "Dr B Clinic A");
    assert!(!format!("{view:?}").contains("penicillin"));
}

#[test]
fn an_empty_domain_is_shown_empty() {
    let view = seen(&permits(&[Domain::BirthAndImmunisation]), GIVEN).unwrap();
    assert_eq!(view.parts().len(), 1);
    assert!(view.parts()[0].lines.is_empty());
}
