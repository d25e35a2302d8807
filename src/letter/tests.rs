#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::note::edit::{NoteEdit, apply};
use crate::note::extract::extract;
use crate::note::{MadeBy, SectionCode, compose};
use crate::speech::transcript;
use crate::terminology::Lexicon;

fn note(said: &str) -> Note {
    let mut note = extract(&transcript::read(said.as_bytes()).unwrap(), &Lexicon::builtin().unwrap());
    note.sections = compose::sections(&note, Language::English);
    note
}

fn silent() -> Note {
    Note::empty(MadeBy { version: String::new(), model: None, precision: None, wording: None, lexicon: String::new() })
}

fn visit() -> Note {
    note(
        "patient: 我頭暈咗三日,冇心口痛。\ndoctor: 有冇藥物敏感?\npatient: 盤尼西林敏感。\ndoctor: 血壓一四五九十,你有高血壓。\n\
         doctor: 開 amlodipine 5mg 一日一次,轉介你去睇心臟科。\ndoctor: 寫兩日病假俾你,四個星期後覆診。",
    )
}

fn patient() -> Patient {
    Patient {
        name: Some("CHAN Siu Ming 陳小明".into()),
        identifiers: vec![("HN".to_owned(), "00000001".into())],
        sex: Some(Sex::Male),
        born: Some(Date::parse("1961-02-03").unwrap()),
        age: Some(65),
        allergies: None,
    }
}

fn written(kind: LetterKind, note: &Note, language: Language, leave_from: Option<&str>) -> Result<Vec<Letter>, LetterError> {
    let request = Request {
        note,
        patient: &patient(),
        clinician: "Dr WONG",
        signed_at: Some("2026-11-26 18:30"),
        institution: &["Test Clinic".to_owned()],
        seen: Date::parse("2026-11-26").unwrap(),
        leave_from: leave_from.map(|day| Date::parse(day).unwrap()),
        language,
    };
    letters(kind, &request)
}

fn page(kind: LetterKind, note: &Note, language: Language, leave_from: Option<&str>) -> String {
    to_html(&written(kind, note, language, leave_from).unwrap())
}

#[test]
fn a_referral_says_each_thing_once() {
    let page = page(LetterKind::Referral, &visit(), Language::English, None);
    for words in [
        "cardiology",
        "<dd>HT</dd>",
        "penicillin",
        "Dizziness x 3/7",
        "no CP",
        "BP 145/90",
        "amlodipine 5 mg daily",
        "陳小明",
        "00000001",
    ] {
        assert_eq!(page.to_lowercase().matches(&words.to_lowercase()).count(), 1, "{words} in {page}");
    }
    assert!(!page.contains("SL 2/7"), "{page}");
}

#[test]
fn a_certificate_has_the_days_that_the_clinician_and_the_note_say() {
    let certificate = page(LetterKind::SickLeave, &visit(), Language::English, Some("2026-12-31"));
    for words in ["2 days", "2026-12-31", "2027-01-01", "Hypertension"] {
        assert!(certificate.contains(words), "{words} in {certificate}");
    }
    assert!(
        !certificate.contains("penicillin") && !certificate.contains("izziness"),
        "an employer reads what is needed: {certificate}"
    );
    let open = page(LetterKind::SickLeave, &visit(), Language::TraditionalChinese, None);
    assert!(open.contains("2 天") && open.contains("首尾兩天計算在內"), "{open}");
}

#[test]
fn what_is_missing_is_blank_and_said() {
    let only_leave = note("doctor: 寫兩日病假俾你。");
    let certificate = page(LetterKind::SickLeave, &only_leave, Language::English, None);
    assert!(certificate.contains("<dt>Diagnosis</dt><dd><span class=\"blank\"></span> <small>(not stated in the note)</small>"));
    for (kind, what) in [(LetterKind::SickLeave, "sick leave"), (LetterKind::Referral, "referral")] {
        let error = written(kind, &silent(), Language::English, None).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
    let summary = page(LetterKind::Summary, &silent(), Language::TraditionalChinese, None);
    assert!(summary.contains("病歷沒有記載") && !summary.contains("<li>"), "{summary}");
    let two = note("doctor: 寫兩日病假俾你。\ndoctor: 寫三日病假。");
    assert_eq!(two.plan.iter().map(|item| item.days).collect::<Vec<_>>(), [Some(2.0), Some(3.0)]);
    let certificate = page(LetterKind::SickLeave, &two, Language::English, Some("2026-11-26"));
    assert!(certificate.contains("Length</dt><dd><span class=\"blank\">"), "{certificate}");
}

#[test]
fn a_possible_diagnosis_is_in_no_certificate() {
    let note = note("doctor: 你可能有肺炎。寫兩日病假俾你。");
    assert!(!page(LetterKind::SickLeave, &note, Language::English, None).to_lowercase().contains("pneumonia"));
}

#[test]
fn the_summary_is_in_chinese_and_in_full_words() {
    let summary = page(LetterKind::Summary, &visit(), Language::TraditionalChinese, None);
    for words in ["高血壓", "頭暈", "血壓 145/90", "amlodipine 5 mg 每日一次", "penicillin", "4 星期後", "2 日", "心臟科"]
    {
        assert!(summary.contains(words), "{words} in {summary}");
    }
}

#[test]
fn several_referrals_are_several_letters() {
    let note = note("doctor: 轉介你去骨科。\ndoctor: 仲要轉介你去睇眼科。");
    assert_eq!(written(LetterKind::Referral, &note, Language::English, None).unwrap().len(), 2);
}

#[test]
fn what_a_person_typed_is_in_a_referral_and_told_of_elsewhere() {
    let text = PatientText::from("Abdomen soft <b>& non-tender</b>.");
    let edit = NoteEdit::Add { section: SectionCode::O, text };
    let edited = apply(&visit(), edit, "Dr WONG", "2026-11-26T10:00:00Z", &Lexicon::builtin().unwrap()).unwrap();
    let referral = page(LetterKind::Referral, &edited, Language::English, None);
    assert!(referral.contains("Abdomen soft &lt;b&gt;&amp; non-tender&lt;/b&gt;."), "{referral}");
    let summary = written(LetterKind::Summary, &edited, Language::TraditionalChinese, None).unwrap();
    assert_eq!(summary[0].left_out.len(), 1);
    assert!(to_html(&summary).contains("<aside>"));
}

#[test]
fn lines_typed_in_one_second_are_all_in_a_referral() {
    let lexicon = Lexicon::builtin().unwrap();
    let add = |note: Note, section, text: &str| {
        apply(&note, NoteEdit::Add { section, text: text.into() }, "Dr WONG", "2026-11-26T10:00:00Z", &lexicon).unwrap()
    };
    let note = add(silent(), SectionCode::S, "C/O cough x 3/7");
    let note = add(add(note, SectionCode::P, "Refer ENT"), SectionCode::P, "FU 1/52");
    let referral = page(LetterKind::Referral, &note, Language::English, None);
    for words in ["「ENT」", "C/O cough x 3/7", "FU 1/52"] {
        assert!(referral.contains(words), "{words} in {referral}");
    }
    assert!(!referral.contains("Refer ENT"), "it is said at the top: {referral}");
}

#[test]
fn a_line_that_says_more_than_a_referral_is_in_its_letter() {
    let add = |note: &Note, text: &str, at: &str| {
        let edit = NoteEdit::Add { section: SectionCode::P, text: text.into() };
        apply(note, edit, "Dr WONG", at, &Lexicon::builtin().unwrap()).unwrap()
    };
    let typed = add(&silent(), "Start amlodipine 5 mg daily; refer to cardiology.", "2026-11-26T10:00:00Z");
    assert_eq!(typed.medications.iter().map(|drug| drug.name.as_str()).collect::<Vec<_>>(), ["amlodipine"]);
    let referral = page(LetterKind::Referral, &typed, Language::English, None);
    assert!(referral.contains("Start amlodipine 5 mg daily"), "{referral}");
    for (line, words) in [("Refer: 「ENT」.", "ENT"), ("refer to cardiology.", "cardiology"), ("轉介：眼科。", "眼科")]
    {
        let typed = add(&silent(), line, "2026-11-26T10:00:00Z");
        let referral = page(LetterKind::Referral, &typed, Language::English, None);
        assert_eq!(referral.matches(words).count(), 1, "{line}: {referral}");
    }
}

#[test]
fn the_summary_does_not_say_to_stop_and_to_keep_one_drug() {
    let heard = note("patient: 我食緊 aspirin。\npatient: 我食緊 metformin。");
    assert_eq!(heard.medications.len(), 2);
    let edit = NoteEdit::Add { section: SectionCode::P, text: "Stop aspirin.".into() };
    let edited = apply(&heard, edit, "Dr WONG", "2026-11-26T10:00:00Z", &Lexicon::builtin().unwrap()).unwrap();
    let summary = written(LetterKind::Summary, &edited, Language::English, None).unwrap();
    let lists: Vec<(&str, Vec<&str>)> = summary[0]
        .body
        .iter()
        .filter_map(|block| match block {
            Block::List { heading, items } => Some((*heading, items.iter().map(PatientText::reveal).collect())),
            _ => None,
        })
        .collect();
    assert_eq!(lists, [("Stop taking", vec!["aspirin"]), ("Keep taking", vec!["metformin"])]);
}

#[test]
fn no_letter_says_penicillin_and_no_drug_allergy() {
    let heard = note("patient: 冇藥物敏感。\ndoctor: 轉介你去眼科。");
    assert!(heard.allergies[0].is_no_drug_allergy());
    let edit = NoteEdit::Add { section: SectionCode::S, text: "Allergy: penicillin.".into() };
    let edited = apply(&heard, edit, "Dr WONG", "2026-11-26T10:00:00Z", &Lexicon::builtin().unwrap()).unwrap();
    for kind in [LetterKind::Referral, LetterKind::Summary] {
        assert!(page(kind, &heard, Language::English, None).contains("<dd>NKDA</dd>"));
        let page = page(kind, &edited, Language::English, None);
        assert!(page.contains("<dt>Allergies</dt><dd>penicillin</dd>"), "{page}");
    }
    let food = page(LetterKind::Summary, &note("patient: 我對蝦敏感,冇藥物敏感。"), Language::English, None);
    assert!(food.contains("NKDA</dd>"), "{food}");
}

#[test]
fn a_drug_that_only_sounds_like_one_is_marked_in_a_summary() {
    let drafted = note("doctor: 開 tammy flu 七十五 mg 一日兩次。");
    let summary = page(LetterKind::Summary, &drafted, Language::TraditionalChinese, None);
    assert!(summary.contains("oseltamivir（？聽到「tammy flu"), "{summary}");
}

#[test]
fn no_font_and_a_missing_character_are_told() {
    let letters = written(LetterKind::Summary, &silent(), Language::English, None).unwrap();
    let error = to_pdf(&letters, &Typefaces::default()).unwrap_err();
    assert!(error.to_string().contains("fonts-noto-cjk"), "{error}");
    assert!(Typeface::new(b"no font".to_vec(), 0).is_err());
}

#[test]
fn nothing_of_a_letter_shows_in_a_debug_print() {
    let letters = written(LetterKind::Referral, &visit(), Language::English, None).unwrap();
    let shown = format!("{letters:?} {:?}", patient());
    assert!(
        !shown.contains("陳") && !shown.contains("00000001") && !shown.contains("心臟科") && !shown.contains("1961"),
        "{shown}"
    );
}
