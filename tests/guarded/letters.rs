//! Letters as PDF: with a font of this machine, read back by poppler's `pdftotext`.

use std::process::Command;

use cantoscribe::fonts::{for_characters, for_letters};
use cantoscribe::identity::Date;
use cantoscribe::letter::{Block, Letter, LetterKind, Patient, Piece, Request, letters, to_pdf, to_pictures};
use cantoscribe::note::compose::{Language, sections};
use cantoscribe::note::extract::extract;
use cantoscribe::note::{Note, Provenance, SectionCode, Sentence};
use cantoscribe::speech::transcript::read;
use cantoscribe::terminology::Lexicon;
use libtest_mimic::Trial;

use super::{Need, guarded};

pub fn tests() -> Vec<Trial> {
    let needs = [Need::ChineseFont, Need::Program("pdftotext")];
    let reader = [Need::ChineseFont, Need::Program("pdfinfo")];
    vec![
        guarded("letters::the_text_of_a_pdf_is_the_letter_s", &needs, the_text_of_a_pdf_is_the_letter_s),
        guarded("letters::a_long_letter_has_its_patient_on_every_page", &needs, a_long_letter_has_its_patient_on_every_page),
        guarded("letters::a_screen_reader_is_told_what_is_what", &reader, a_screen_reader_is_told_what_is_what),
        guarded("letters::a_picture_has_its_mark_over_all_of_it", &[Need::ChineseFont], a_picture_has_its_mark_over_all_of_it),
        guarded("letters::rare_characters_are_found_or_named", &needs, rare_characters_are_found_or_named),
    ]
}

fn a_picture_has_its_mark_over_all_of_it() {
    let mark = "Dr Bo · 海港醫院 · #41";
    let long = vec!["血壓 145/90，"; 400].concat();
    let pieces = [Piece::Heading("整份診症記錄".into()), Piece::Text(long.into()), Piece::Note("Dr Au".into())];
    let typefaces = for_characters(mark.chars().chain("血壓整份診症記錄，".chars())).unwrap();
    let plain = to_pictures(&pieces, " ", &typefaces).unwrap();
    let marked = to_pictures(&pieces, mark, &typefaces).unwrap();
    assert!(plain.len() > 1 && plain.len() == marked.len());
    for (plain, marked) in plain.iter().zip(&marked) {
        assert!(marked.png.starts_with(b"\x89PNG\r\n\x1a\n") && marked.png != plain.png);
        assert_eq!(marked.lines.iter().filter(|line| line.text.reveal() == mark).count(), 2, "at the top and the foot");
    }
    let text: String = marked.iter().flat_map(|page| &page.lines).map(|line| line.text.reveal()).collect();
    assert_eq!(text.matches("145/90").count(), 400);
}

fn note() -> Note {
    let said = "patient: 我頭痛三日,冇心口痛。\npatient: 我對盤尼西林敏感。\ndoctor: 血壓一四五九十,你有高血壓。\n\
                doctor: 開 amlodipine 5mg 一日一次。轉介你去睇心臟科。寫兩日病假俾你,四個星期後覆診。";
    let mut note = extract(&read(said.as_bytes()).unwrap(), &Lexicon::builtin().unwrap());
    note.sections = sections(&note, Language::English);
    note
}

fn written(kind: LetterKind, note: &Note, name: &str) -> Vec<Letter> {
    let patient = Patient { name: Some(name.into()), identifiers: vec![("HN".into(), "H0001".into())], ..Patient::default() };
    let request = Request {
        note,
        patient: &patient,
        clinician: "Dr Chan 陳醫生",
        signed_at: Some("2026-11-26 18:30"),
        institution: &["測試診所 Test Clinic".to_owned()],
        seen: Date::parse("2026-11-26").unwrap(),
        leave_from: Some(Date::parse("2026-11-26").unwrap()),
        language: kind.usual_language(),
    };
    letters(kind, &request).unwrap()
}

/// What `pdftotext` reads, without spaces; page by page.
fn pages(pdf: &[u8]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.pdf");
    std::fs::write(&path, pdf).unwrap();
    let output = Command::new("pdftotext").arg(&path).arg("-").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // What is wrong with the document's own entries, pdfinfo tells on standard error.
    let entries = Command::new("pdfinfo").arg(&path).output().unwrap();
    let (told, wrong) = (String::from_utf8_lossy(&entries.stdout), String::from_utf8_lossy(&entries.stderr));
    assert!(wrong.is_empty(), "{wrong}");
    assert!(told.lines().any(|line| line.starts_with("Tagged:") && line.ends_with("yes")), "{told}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim_end_matches('\u{c}').split('\u{c}').map(|page| page.split_whitespace().collect()).collect()
}

fn the_text_of_a_pdf_is_the_letter_s() {
    for (kind, wanted) in [
        (LetterKind::Summary, vec!["診症摘要", "高血壓", "頭痛", "145/90", "amlodipine5mg每日一次", "penicillin", "4星期後"]),
        (LetterKind::Referral, vec!["Referralletter", "心臟科", "HT", "penicillin", "headachex3/7", "NoCP"]),
        (LetterKind::SickLeave, vec!["Sickleavecertificate", "Hypertension", "2days", "2026-11-27"]),
    ] {
        let letters = written(kind, &note(), "陳大文 CHAN Tai Man");
        let pdf = to_pdf(&letters, &for_letters(&letters).unwrap()).unwrap();
        assert!(pdf.len() < 200_000, "{} bytes: fonts are cut to what is used", pdf.len());
        assert_eq!(pdf, to_pdf(&letters, &for_letters(&letters).unwrap()).unwrap(), "the same letter gives the same bytes");
        let text = pages(&pdf).concat();
        for word in wanted.iter().chain(&["陳大文CHANTaiMan", "H0001", "測試診所", "DrChan陳醫生", "1/1"]) {
            assert!(text.contains(word), "{kind:?} lacks {word}: {text}");
        }
    }
}

fn a_long_letter_has_its_patient_on_every_page() {
    let mut note = note();
    let line = |number: usize| {
        Sentence {
        text: format!("第 {number} 行：腹部柔軟，沒有壓痛，沒有反跳痛，腸鳴音正常；abdomen soft and not tender, bowel sounds normal, no mass.").into(),
        reworded_from: None,
        provenance: Provenance::Typed { by: "Dr Chan".into(), at: "2026-11-26T10:00:00Z".into(), evidence: Vec::new() },
    }
    };
    let section = note.sections.iter_mut().find(|section| section.code == SectionCode::O).unwrap();
    section.sentences.extend((0..60).map(line));
    let letters = written(LetterKind::Referral, &note, "陳大文 CHAN Tai Man");
    let pages = pages(&to_pdf(&letters, &for_letters(&letters).unwrap()).unwrap());
    assert!(pages.len() >= 3, "{} pages", pages.len());
    for (index, page) in pages.iter().enumerate() {
        assert!(page.contains("陳大文") && page.contains("H0001"), "page {index}: {page}");
        assert!(page.contains(&format!("{}/{}", index + 1, pages.len())), "page {index}: {page}");
    }
    let all = pages.concat();
    assert!((0..60).all(|number| all.contains(&format!("第{number}行"))), "no line is lost");
}

/// The tags of a PDF as poppler reads them, each with the text under it, without spaces: `H1 (block) "Referralletter"`.
fn tags(pdf: &[u8]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.pdf");
    std::fs::write(&path, pdf).unwrap();
    let output = Command::new("pdfinfo").arg("-struct-text").arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut all: Vec<String> = Vec::new();
    for line in String::from_utf8(output.stdout).unwrap().lines().map(str::trim) {
        match (line.strip_prefix('"'), all.last_mut()) {
            (Some(words), Some(tag)) => *tag += &format!(" \"{}", words.split_whitespace().collect::<String>()),
            _ => all.push(line.to_owned()),
        }
    }
    all
}

fn a_screen_reader_is_told_what_is_what() {
    for kind in [LetterKind::Summary, LetterKind::Referral, LetterKind::SickLeave] {
        let letters = written(kind, &note(), "陳大文 CHAN Tai Man");
        let tags = tags(&to_pdf(&letters, &for_letters(&letters).unwrap()).unwrap());
        let starting = |word: &str| tags.iter().filter(|tag| tag.starts_with(word)).count();
        assert_eq!((tags[0].as_str(), starting("H1"), starting("Document")), ("Document", letters.len(), 1), "{tags:#?}");
        let has = |tag: &str, words: &str| tags.iter().any(|line| line.starts_with(tag) && line.contains(words));
        let title: String = letters[0].title.split_whitespace().collect();
        assert!(has("H1", &title) && has("P", "陳大文CHANTaiMan") && has("P", "測試診所"), "{tags:#?}");
        let lists = letters.iter().flat_map(|letter| &letter.body).filter(|block| matches!(block, Block::List { .. })).count();
        assert_eq!((starting("H2"), starting("L (block)")), (lists, lists), "{tags:#?}");
        // What is on paper only is not read out, and all that is read stands under a tag.
        assert!(!tags.concat().contains("1/1"), "{tags:#?}");
    }
    let letters = written(LetterKind::Referral, &note(), "陳大文 CHAN Tai Man");
    let pdf = to_pdf(&letters, &for_letters(&letters).unwrap()).unwrap();
    let read = tags(&pdf).concat();
    for word in ["headachex3/7", "penicillin", "心臟科", "DrChan陳醫生"] {
        assert!(read.contains(word), "{word}: {read}");
    }
}

fn rare_characters_are_found_or_named() {
    let letters = written(LetterKind::Summary, &note(), "陳𠝹 \u{10FFFD}");
    let error = to_pdf(&letters, &for_letters(&letters).unwrap()).unwrap_err().to_string();
    assert!(error.contains("U+10FFFD"), "{error}");
}
