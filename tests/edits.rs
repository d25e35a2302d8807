//! Edits of a note that was heard: the findings follow the lines.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

use cantoscribe::interop::fhir;
use cantoscribe::note::compose::{Language, sections, to_text};
use cantoscribe::note::edit::{LONGEST_LINE, NoteEdit, apply, is_edited};
use cantoscribe::note::extract::extract;
use cantoscribe::note::{
    AllergyStatus, Assertion, Evidence, MedicationStatus, Note, NoteError, PlanKind, Provenance, SectionCode, Span,
};
use cantoscribe::speech::Transcript;
use cantoscribe::speech::transcript::read;
use cantoscribe::terminology::{Concept, Lexicon};
use cantoscribe::text::PatientText;
use proptest::prelude::*;

const TALK: &str = "doctor: 今日有咩唔舒服？
patient: 頭暈咗三日，冇心口痛，冇氣促，有少少咳。
patient: 我有血壓高同糖尿病，食緊 metformin 500 mg 一日兩次，又食緊 amlodipine 5 mg。
patient: 我對盤尼西林敏感。
patient: 我爸爸有中風。
patient: 我食煙，一日一包。
doctor: 今日血壓145/90，心跳72，體溫37.8度。
doctor: 可能係肺炎。
doctor: metformin 加到 1000 mg 一日兩次，停咗 amlodipine 佢。
doctor: 抽血，照肺，轉介眼科，病假三日，四個星期後覆診。";

const BY: &str = "Dr Chan";
const AT: &str = "2026-11-25T09:41:00+08:00";

struct Heard {
    lexicon: Lexicon,
    transcript: Transcript,
    note: Note,
}

fn heard(language: Language) -> Heard {
    let (lexicon, transcript) = (Lexicon::builtin().unwrap(), read(TALK.as_bytes()).unwrap());
    let mut note = extract(&transcript, &lexicon);
    note.sections = sections(&note, language);
    Heard { lexicon, transcript, note }
}

fn edited(note: &Note, edit: NoteEdit, lexicon: &Lexicon) -> Note {
    apply(note, edit, BY, AT, lexicon).unwrap()
}

fn replaced(note: &Note, section: SectionCode, index: usize, text: &str, lexicon: &Lexicon) -> Note {
    edited(note, NoteEdit::Replace { section, index, text: text.into() }, lexicon)
}

fn added(note: &Note, section: SectionCode, text: &str, lexicon: &Lexicon) -> Note {
    edited(note, NoteEdit::Add { section, text: text.into() }, lexicon)
}

fn text_of(note: &Note, code: SectionCode) -> Vec<&str> {
    let lines = note.sections.iter().filter(|section| section.code == code).flat_map(|section| &section.sentences);
    lines.map(|line| line.text.reveal()).collect()
}

/// Where a line with these words is.
fn find(note: &Note, words: &str) -> (SectionCode, usize) {
    let mut all = note.sections.iter().flat_map(|s| s.sentences.iter().enumerate().map(|(index, line)| (s.code, index, line)));
    let found = all.find(|(.., line)| line.text.reveal().contains(words));
    found.map(|(code, index, _)| (code, index)).unwrap_or_else(|| panic!("no line has {words}: {:?}", all_lines(note)))
}

fn all_lines(note: &Note) -> Vec<String> {
    note.sections.iter().flat_map(|s| &s.sentences).map(|line| line.text.reveal().to_owned()).collect()
}

/// What each finding claims, without its words and where they came from.
fn claims(note: &Note) -> Vec<String> {
    let conditions = note.conditions.iter().map(|c| format!("{} {:?} {:?}", c.codes[0].code, c.assertion, c.laterality));
    let drugs = note.medications.iter().map(|m| {
        format!(
            "{} {:?} {:?} {:?}",
            m.name,
            m.status,
            m.dose.as_ref().map(|dose| (dose.value, dose.unit.clone())),
            m.times_per_day
        )
    });
    let allergies = note.allergies.iter().map(|a| format!("{} {:?}", a.substance, a.status));
    let observations = note.observations.iter().map(|o| format!("{} {} {}", o.loinc, o.value, o.unit));
    let plan = note.plan.iter().map(|p| format!("{:?} {:?}", p.kind, p.days));
    let social = note.social.iter().map(|s| s.kind.clone());
    conditions.chain(drugs).chain(allergies).chain(observations).chain(plan).chain(social).collect()
}

fn provenances(note: &Note) -> Vec<&Provenance> {
    let findings = note.conditions.iter().map(|x| &x.provenance).chain(note.medications.iter().map(|x| &x.provenance));
    let findings = findings.chain(note.allergies.iter().map(|x| &x.provenance));
    let findings = findings.chain(note.observations.iter().map(|x| &x.provenance));
    findings.chain(note.plan.iter().map(|x| &x.provenance)).chain(note.social.iter().map(|x| &x.provenance)).collect()
}

/// Every finding is said by a line that is there: by a person's, or by one of the machine's with all its spans.
fn check_that_findings_follow(note: &Note) {
    let lines: Vec<&Provenance> = note.sections.iter().flat_map(|s| &s.sentences).map(|line| &line.provenance).collect();
    for finding in provenances(note) {
        let said = lines.iter().any(|line| {
            *line == finding
                || !line.is_by_a_person()
                    && !finding.is_by_a_person()
                    && finding.spans().iter().all(|span| line.spans().contains(span))
        });
        assert!(said, "{finding:?} is said by none of {:?}", all_lines(note));
    }
}

#[test]
fn the_talk_gives_a_note_with_something_of_everything() {
    let Heard { note, .. } = heard(Language::English);
    let lines = all_lines(&note);
    for section in [SectionCode::S, SectionCode::O, SectionCode::A, SectionCode::P] {
        assert!(!text_of(&note, section).is_empty(), "{lines:#?}");
    }
    assert!(lines.len() > 12 && !is_edited(&note), "{lines:#?}");
    check_that_findings_follow(&note);
}

#[test]
fn a_removed_line_takes_its_findings_with_it_and_nothing_else() {
    for language in [Language::English, Language::TraditionalChinese] {
        let Heard { lexicon, note, transcript } = heard(language);
        for section in &note.sections {
            for (index, line) in section.sentences.iter().enumerate() {
                let without = edited(&note, NoteEdit::Remove { section: section.code, index }, &lexicon);
                assert!(claims(&without).len() < claims(&note).len(), "{}", line.text.reveal());
                assert!(claims(&without).iter().all(|claim| claims(&note).contains(claim)));
                // The other lines stand as they were, and are what the findings that are left give.
                let others: Vec<String> = all_lines(&note).into_iter().filter(|other| other != line.text.reveal()).collect();
                assert_eq!(all_lines(&without), others);
                assert_eq!(sections(&without, language), without.sections);
                let text = to_text(&without, &transcript, language);
                assert!(!text.contains(line.text.reveal()), "{text}");
                check_that_findings_follow(&without);
            }
        }
    }
}

#[test]
fn a_changed_drug_goes_with_what_was_taken_before() {
    let Heard { lexicon, mut note, .. } = heard(Language::English);
    let mut taken = note.medications.iter().find(|drug| drug.name == "metformin").unwrap().clone();
    (taken.status, taken.times_per_day) = (MedicationStatus::Active, Some(1.0));
    taken.provenance = Evidence::from(Span::new(2, 11, 30).unwrap()).into();
    note.medications.push(taken);
    note.sections = sections(&note, Language::English);
    let (section, index) = find(&note, "->");
    let note = edited(&note, NoteEdit::Remove { section, index }, &lexicon);
    assert!(!claims(&note).iter().any(|claim| claim.contains("metformin")));
}

#[test]
fn an_edited_line_keeps_its_evidence_and_says_who_and_what_it_was() {
    let Heard { lexicon, note, transcript } = heard(Language::English);
    let (section, index) = find(&note, "C/O");
    let before = note.sections[0].sentences[index].clone();
    let changed = replaced(&note, section, index, " C/O headache x 2/7. ", &lexicon);
    let line = &changed.sections[0].sentences[index];
    assert_eq!((line.text.reveal(), line.provenance.spans()), ("C/O headache x 2/7.", before.provenance.spans()));
    let json = serde_json::to_value(line).unwrap();
    assert_eq!((&json["origin"], &json["edited"]["by"], &json["edited"]["at"]), (&"heard".into(), &BY.into(), &AT.into()));
    assert_eq!(json["edited"]["was"], before.text.reveal());
    assert!(is_edited(&changed));
    let headache = changed.conditions.iter().find(|condition| condition.display.en == "Headache").unwrap();
    assert_eq!((&headache.provenance, headache.duration_days), (&line.provenance, Some(2.0)));
    assert!(!changed.conditions.iter().any(|condition| condition.display.en == "Dizziness"));
    // Edited again it still says what the machine wrote.
    let again =
        apply(&changed, NoteEdit::Replace { section, index, text: "C/O nausea.".into() }, "Dr Lee", AT, &lexicon).unwrap();
    let json = serde_json::to_value(&again.sections[0].sentences[index]).unwrap();
    assert_eq!((&json["edited"]["by"], json["edited"]["was"].as_str()), (&"Dr Lee".into(), Some(before.text.reveal())));
    assert!(!again.conditions.iter().any(|condition| condition.display.en == "Headache"));
    // Removed, nothing of it is left.
    let removed = edited(&again, NoteEdit::Remove { section, index }, &lexicon);
    assert!(!claims(&removed).iter().any(|claim| claim.starts_with("R11")) && !is_edited(&removed));
    let text = to_text(&changed, &transcript, Language::English);
    assert!(text.contains(&format!("(edited by Dr Chan, {AT}; was: {})", before.text.reveal())), "{text}");
    // The same words are no edit.
    assert_eq!(replaced(&note, section, index, before.text.reveal(), &lexicon), note);
}

#[test]
fn an_added_line_is_typed_and_stands_in_its_place() {
    let Heard { lexicon, transcript, .. } = heard(Language::English);
    let mut note = Note::empty(heard(Language::English).note.made_by);
    note = added(&note, SectionCode::P, "FU 3/12.", &lexicon);
    note = added(&note, SectionCode::S, "C/O chest pain.", &lexicon);
    note = added(&note, SectionCode::S, "Likes opera.", &lexicon);
    note = added(&note, SectionCode::A, "Imp: ?pneumonia, HT.", &lexicon);
    let codes: Vec<SectionCode> = note.sections.iter().map(|section| section.code).collect();
    assert_eq!(codes, [SectionCode::S, SectionCode::A, SectionCode::P]);
    assert_eq!(text_of(&note, SectionCode::S), ["C/O chest pain.", "Likes opera."]);
    let json = serde_json::to_value(&note.sections[0].sentences[1]).unwrap();
    let expected = serde_json::json!({"text": "Likes opera.", "origin": "typed", "by": BY, "at": AT, "evidence": []});
    assert_eq!(json, expected);
    let claimed = |name: &str| note.conditions.iter().find(|c| c.display.en == name).map(|c| c.assertion);
    assert_eq!(claimed("Chest pain"), Some(Assertion::Present));
    assert_eq!(claimed("Pneumonia"), Some(Assertion::Possible));
    assert_eq!((note.plan[0].kind, note.plan[0].days), (PlanKind::FollowUp, Some(90.0)));
    assert!(provenances(&note).iter().all(|provenance| matches!(provenance, Provenance::Typed { .. })));
    for language in [Language::English, Language::TraditionalChinese] {
        assert_eq!(sections(&note, language), note.sections, "a person's words stay as they are");
        assert!(to_text(&note, &transcript, language).contains("Likes opera."));
    }
    assert_eq!(serde_json::from_value::<Note>(serde_json::to_value(&note).unwrap()).unwrap(), note);
}

#[test]
fn lines_keep_their_order_also_in_the_other_language() {
    let Heard { lexicon, note, .. } = heard(Language::English);
    let (section, index) = find(&note, "No ");
    let note = replaced(&note, section, index, "No chest pain at all.", &lexicon);
    let note = added(&note, SectionCode::S, "Wears glasses.", &lexicon);
    let chinese = Note { sections: sections(&note, Language::TraditionalChinese), ..note.clone() };
    let lines = text_of(&chinese, SectionCode::S);
    assert_eq!((lines[index], lines.last()), ("No chest pain at all.", Some(&"Wears glasses.")));
    assert!(lines[0].starts_with("主訴："), "{lines:?}");
    assert_eq!(sections(&chinese, Language::English), note.sections);
}

/// Every line replaced by its own words, and by those of the other language: the findings may be fewer, never others.
#[test]
fn the_composers_own_words_are_read_as_they_were_meant() {
    let Heard { lexicon, note, .. } = heard(Language::English);
    let mut lost = Vec::new();
    for language in [Language::English, Language::TraditionalChinese] {
        let note = Note { sections: sections(&note, language), ..note.clone() };
        for section in &note.sections {
            for (index, line) in section.sentences.iter().enumerate() {
                let words = line.text.reveal().trim_end_matches(['.', '。']);
                let same = replaced(&note, section.code, index, words, &lexicon);
                let (before, after) = (claims(&note), claims(&same));
                let new: Vec<&String> = after.iter().filter(|claim| !before.contains(claim)).collect();
                assert!(new.is_empty(), "{words}: {new:?} is not of {before:?}");
                lost.extend(before.iter().filter(|claim| !after.contains(claim)).map(|claim| format!("{words}: {claim}")));
                assert_eq!(sections(&same, language), same.sections);
                check_that_findings_follow(&same);
            }
        }
    }
    let all = claims(&note).len() * 2;
    assert!(lost.len() * 5 < all, "{} of {all} findings are not found again: {lost:#?}", lost.len());
}

/// What a line of a doctor means, and above all what it does not.
#[test]
fn shorthand_is_not_mistaken() {
    let lexicon = Lexicon::builtin().unwrap();
    let blank = Note::empty(heard(Language::English).note.made_by);
    let said = |section, line: &str| claims(&added(&blank, section, line, &lexicon)).join("; ");
    let s = |line: &str| said(SectionCode::S, line);
    for (line, claims) in [
        ("FHx: stroke, headache.", "I64 Family None; R51 Family None"),
        ("FHx: no stroke.", ""),
        ("PMH: stroke.", "I64 Historical None"),
        ("Allergy: penicillin, shellfish.", "penicillin Present; shellfish Present"),
        ("Allergy: nil.", ""),
        ("NKDA.", "drug None"),
        ("No allergy to penicillin.", "penicillin None"),
        ("On metformin 500 mg BD.", "metformin Active Some((500.0, \"mg\")) Some(2.0)"),
        ("On aspirin.", "aspirin Active None None"),
        ("On aspirin, metformin.", "aspirin Active None None; metformin Active None None"),
        ("Off aspirin.", "aspirin Stopped None None"),
        ("Stopped aspirin and warfarin.", "aspirin Stopped None None; warfarin Stopped None None"),
        ("Smoking: non-smoker.", "smoking"),
        ("Non-smoker.", "smoking"),
        ("No CP, no SOB.", "R07.4 Absent None; R06.0 Absent None"),
        ("C/O left knee pain x 2/12.", "M25.5 Present Some(Left)"),
        ("Stroke.", ""),
        ("BP 145/90.", ""),
        ("FU 3/12.", ""),
    ] {
        assert_eq!(s(line), claims, "{line}");
    }
    for (line, claims) in [
        ("Imp: ?pneumonia.", "J18.9 Possible None"),
        ("? pneumonia", "J18.9 Possible None"),
        ("DDx: pneumonia.", "J18.9 Possible None"),
        ("Pneumonia.", "J18.9 Present None"),
        ("Headache.", ""),
        ("FHx: stroke.", ""),
    ] {
        assert_eq!(said(SectionCode::A, line), claims, "{line}");
    }
    for (line, claims) in [
        ("Metformin 500 mg BD -> 1000 mg BD.", "metformin Planned Some((1000.0, \"mg\")) Some(2.0)"),
        ("Off amlodipine 5 mg daily.", "amlodipine Stopped Some((5.0, \"mg\")) Some(1.0)"),
        ("Off amlodipine.", "amlodipine Stopped None None"),
        ("SL 3/7.", "SickLeave Some(3.0)"),
        ("FU in 2/52: 「照肺」.", "FollowUp Some(14.0)"),
        ("Refer: 「轉介眼科」.", "Referral None"),
        ("Ix: CXR, CBC.", "Investigation None"),
        ("覆診：3 個月。", "FollowUp Some(90.0)"),
        ("BP 145/90.", ""),
        ("On warfarin.", ""),
        ("Allergy: aspirin.", ""),
    ] {
        assert_eq!(said(SectionCode::P, line), claims, "{line}");
    }
    assert_eq!(said(SectionCode::O, "BP 130/80 mmHg, P 72."), "8480-6 130 mm[Hg]; 8462-4 80 mm[Hg]; 8867-4 72 /min");
    assert_eq!(AllergyStatus::None, added(&blank, SectionCode::S, "NKDA", &lexicon).allergies[0].status);
    let drug = added(&blank, SectionCode::P, "Start amlodipine 5 mg daily.", &lexicon).medications[0].clone();
    assert_eq!((drug.name.as_str(), drug.status), ("amlodipine", MedicationStatus::Planned));
}

#[test]
fn what_is_no_line_is_refused() {
    let Heard { lexicon, note, .. } = heard(Language::English);
    let long = "x".repeat(LONGEST_LINE + 1);
    for text in ["", " \u{3000} ", "a\nb", "a\u{0}b", "a\u{1b}[2Jb", "a\u{85}b", &long] {
        for edit in [
            NoteEdit::Add { section: SectionCode::S, text: text.into() },
            NoteEdit::Replace { section: SectionCode::S, index: 0, text: text.into() },
        ] {
            let error = apply(&note, edit, BY, AT, &lexicon).unwrap_err();
            assert!(matches!(error, NoteError::BadLine { .. }), "{error}");
            assert!(!error.to_string().contains('\u{1b}'));
        }
    }
    apply(&note, NoteEdit::Add { section: SectionCode::S, text: long[1..].into() }, BY, AT, &lexicon).unwrap();
    for index in [99, usize::MAX] {
        let edit = NoteEdit::Remove { section: SectionCode::S, index };
        assert!(matches!(apply(&note, edit, BY, AT, &lexicon), Err(NoteError::NoLine { .. })));
    }
    let blank = Note::empty(note.made_by.clone());
    let edit = NoteEdit::Replace { section: SectionCode::A, index: 0, text: "a".into() };
    assert!(matches!(apply(&blank, edit, BY, AT, &lexicon), Err(NoteError::NoLine { section: SectionCode::A, index: 0 })));
    for (by, at) in [("", AT), (" ", AT), (BY, "")] {
        let edit = NoteEdit::Remove { section: SectionCode::S, index: 0 };
        assert!(matches!(apply(&note, edit, by, at, &lexicon), Err(NoteError::NoAuthor)));
    }
}

/// A line that this version's composer would not write: what rests on its spans alone goes with it.
#[test]
fn a_line_of_another_version_takes_what_rests_on_its_spans() {
    let Heard { lexicon, mut note, .. } = heard(Language::English);
    let (section, index) = find(&note, "Imp:");
    let at = note.sections.iter().position(|s| s.code == section).unwrap();
    note.sections[at].sentences[index].text = "Impression - as another version put it".into();
    let without = edited(&note, NoteEdit::Remove { section, index }, &lexicon);
    assert!(!claims(&without).iter().any(|claim| claim.starts_with("J18.9")), "{:?}", claims(&without));
    check_that_findings_follow(&without);
}

#[test]
fn fhir_says_what_the_lines_say() {
    let Heard { lexicon, note, transcript } = heard(Language::English);
    let (section, index) = find(&note, "Imp:");
    let note = replaced(&note, section, index, "Imp: migraine & co.", &lexicon);
    let note = added(&note, SectionCode::P, "Ring the ward.", &lexicon);
    let (section, index) = find(&note, "Allergy:");
    let note = edited(&note, NoteEdit::Remove { section, index }, &lexicon);
    let at = fhir::Instant::parse(AT).unwrap();
    let options = fhir::Options { patient: None, author: None, at, language: Language::English };
    let bundle = fhir::document(&note, Some(&transcript), &options).unwrap();
    let text = serde_json::to_string(&bundle).unwrap();
    assert!(text.contains("Imp: migraine &amp; co.") && text.contains("Ring the ward."), "{text}");
    assert!(!text.contains("AllergyIntolerance") && !text.contains("J18.9"), "{text}");
    assert!(text.contains("G43.9"), "{text}");
    let composition = &bundle["entry"][0]["resource"];
    let part = |title: &str| composition["section"].as_array().unwrap().iter().find(|s| s["title"] == title).unwrap();
    assert_eq!(
        (&part("Assessment")["text"]["status"], &part("Objective")["text"]["status"]),
        (&"additional".into(), &"generated".into())
    );
    let typed = &part("Plan")["extension"][0];
    assert_eq!((&typed["url"], &typed["extension"][0]["valueString"]), (&fhir::TYPED.into(), &BY.into()));
    assert!(typed.to_string().contains("Ring the ward."));
    assert!(part("Assessment")["extension"][0].to_string().contains(fhir::EDITED));
}

fn any_edit() -> impl Strategy<Value = (u8, usize, usize, usize)> {
    (0_u8..3, 0_usize..4, 0_usize..12, 0_usize..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// After any edits each finding is said by a line that is there, and the exports' lines are the note's own.
    #[test]
    fn findings_follow_the_lines_through_any_edits(edits in prop::collection::vec(any_edit(), 1..12), chinese in any::<bool>()) {
        const WORDS: [&str; 12] = [
            "C/O headache x 3/7.", "No CP, no SOB.", "PMH: DM, HT.", "On metformin 500 mg BD.", "Allergy: penicillin.", "FHx: stroke.",
            "BP 130/80.", "Imp: ?pneumonia, migraine.", "Metformin 500 mg BD -> 1 g BD.", "Off amlodipine.", "FU 4/52.", "Likes opera.",
        ];
        let language = if chinese { Language::TraditionalChinese } else { Language::English };
        let Heard { lexicon, mut note, transcript } = heard(language);
        for (number, (what, section, index, words)) in edits.into_iter().enumerate() {
            let section = [SectionCode::S, SectionCode::O, SectionCode::A, SectionCode::P][section];
            let text = || PatientText::from(WORDS[words]);
            let edit = match what {
                0 => NoteEdit::Remove { section, index },
                1 => NoteEdit::Replace { section, index, text: text() },
                _ => NoteEdit::Add { section, text: text() },
            };
            // Some at the same second, some not.
            let at = format!("2026-11-25T09:4{}:00+08:00", number / 2);
            let former = note.clone();
            match apply(&note, edit.clone(), BY, &at, &lexicon) {
                Ok(changed) => note = changed,
                Err(NoteError::NoLine { .. }) => continue,
                Err(error) => panic!("{error}"),
            }
            check_that_findings_follow(&note);
            prop_assert_eq!(&sections(&note, language), &note.sections);
            prop_assert_eq!(&serde_json::from_value::<Note>(serde_json::to_value(&note).unwrap()).unwrap(), &note);
            if let NoteEdit::Remove { section, index } = edit {
                let gone = former.sections.iter().find(|s| s.code == section).unwrap().sentences[index].text.reveal().to_owned();
                let (before, after) = (all_lines(&former), all_lines(&note));
                let count = |lines: &[String]| lines.iter().filter(|line| **line == gone).count();
                prop_assert_eq!(count(&before), count(&after) + 1);
                prop_assert!(claims(&note).iter().all(|claim| claims(&former).contains(claim)));
                let text = to_text(&note, &transcript, language);
                prop_assert_eq!(text.contains(&format!("  {gone}\n")), count(&after) > 0);
            }
        }
    }
}

fn coded(note: &Note, section: SectionCode, index: usize, concept: Concept, lexicon: &Lexicon) -> Result<Note, NoteError> {
    apply(note, NoteEdit::Code { section, index, concept }, BY, AT, lexicon)
}

fn migraine() -> Concept {
    Concept::Condition { icd10: "G43.9".into(), en: "Migraine".into() }
}

#[test]
fn unknown_words_of_a_typed_line_are_given_a_concept_as_the_line_means_it() {
    let Heard { lexicon, note, .. } = heard(Language::English);
    for (section, line, term, assertion) in [
        (SectionCode::A, "Imp: zorbital frimm.", "zorbital frimm", Assertion::Present),
        (SectionCode::A, "?zorbital frimm", "zorbital frimm", Assertion::Possible),
        (SectionCode::S, "No zorbital frimm", "zorbital frimm", Assertion::Absent),
        (SectionCode::S, "PMH zorbital frimm", "zorbital frimm", Assertion::Historical),
        (SectionCode::S, "FHx: zorbital frimm", "zorbital frimm", Assertion::Family),
        (SectionCode::A, "Imp: HT, zorbital frimm", "zorbital frimm", Assertion::Present),
        (SectionCode::A, "左佐比弗林", "左佐比弗林", Assertion::Present),
    ] {
        let typed = added(&note, section, line, &lexicon);
        let index = text_of(&typed, section).len() - 1;
        let before = typed.conditions.len();
        let changed = coded(&typed, section, index, migraine(), &lexicon).unwrap_or_else(|error| panic!("{line}: {error}"));
        let found = changed.conditions.last().unwrap();
        assert_eq!((changed.conditions.len(), found.text.reveal(), found.assertion), (before + 1, term, assertion), "{line}");
        assert_eq!((found.display.en.as_str(), found.confidence), ("Migraine", 1.0));
        assert_eq!(text_of(&changed, section), text_of(&typed, section), "the line keeps its words");
        assert!(matches!(&found.provenance, Provenance::Typed { by, .. } if by == BY));
        // Everything is coded now.
        assert!(matches!(coded(&changed, section, index, migraine(), &lexicon), Err(NoteError::NoTerm { .. })), "{line}");
        // The finding goes with its line.
        let removed = edited(&changed, NoteEdit::Remove { section, index }, &lexicon);
        assert!(!removed.conditions.iter().any(|one| one.text.reveal() == term), "{line}");
    }
}

#[test]
fn an_unknown_drug_keeps_how_it_is_taken() {
    let Heard { lexicon, note, .. } = heard(Language::English);
    let concept = Concept::Drug { name: "paracetamol".into() };
    for (section, line, status) in [
        (SectionCode::P, "Zyloflux 5 mg BD", MedicationStatus::Planned),
        (SectionCode::S, "On Zyloflux 5 mg BD", MedicationStatus::Active),
    ] {
        let typed = added(&note, section, line, &lexicon);
        let index = text_of(&typed, section).len() - 1;
        let changed = coded(&typed, section, index, concept.clone(), &lexicon).unwrap();
        let found = changed.medications.last().unwrap();
        assert_eq!((found.text.reveal(), found.name.as_str(), found.status), ("Zyloflux", "paracetamol", status), "{line}");
        assert_eq!(found.dose.as_ref().map(|dose| (dose.value, dose.unit.as_str())), Some((5.0, "mg")), "{line}");
        assert_eq!(found.times_per_day, Some(2.0), "{line}");
    }
}

#[test]
fn what_is_known_or_a_machine_s_or_no_term_is_given_no_code() {
    let Heard { lexicon, note, .. } = heard(Language::English);
    let refused = |note: &Note, section, index| {
        let error = coded(note, section, index, migraine(), &lexicon).unwrap_err();
        assert!(matches!(error, NoteError::NoTerm { .. }), "{error}");
    };
    refused(&note, SectionCode::S, 0);
    for (section, line) in [
        (SectionCode::P, "FU 3/12."),
        (SectionCode::S, "Allergy: zorbital"),
        (SectionCode::A, "Imp: HT"),
        (SectionCode::O, "145/90"),
    ] {
        let typed = added(&note, section, line, &lexicon);
        let index = text_of(&typed, section).len() - 1;
        refused(&typed, section, index);
    }
    let none = coded(&note, SectionCode::A, 99, migraine(), &lexicon).unwrap_err();
    assert!(matches!(none, NoteError::NoLine { .. }));
    let typed = added(&note, SectionCode::A, "zorbital", &lexicon);
    let index = text_of(&typed, SectionCode::A).len() - 1;
    let unknown = Concept::Condition { icd10: "X99".into(), en: "Nonsense".into() };
    assert!(matches!(coded(&typed, SectionCode::A, index, unknown, &lexicon), Err(NoteError::NoConcept)));
}

#[test]
fn words_of_the_transcript_and_their_concept_are_one_change() {
    let Heard { lexicon, note, transcript } = heard(Language::English);
    // 今日有咩唔舒服 is no term: any words may be one to a clinician.
    let segment = &transcript.segments[0];
    let text: String = segment.text.reveal().chars().take(4).collect();
    let span = Span::new(segment.id, 0, 4).unwrap();
    let edit = NoteEdit::Phrase { section: SectionCode::S, span, text: text.as_str().into(), concept: Some(migraine()) };
    let changed = edited(&note, edit, &lexicon);
    let found = changed.conditions.last().unwrap();
    assert_eq!((found.display.en.as_str(), found.provenance.spans()), ("Migraine", &[span][..]));
    assert_eq!(text_of(&changed, SectionCode::S).last(), Some(&text.as_str()));
}
