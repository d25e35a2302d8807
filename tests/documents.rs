//! The two documents: transcripts read and written, notes rendered to sections and text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod samples;

use cantoscribe::note::compose::{Language, Reading, readings, sections, to_text};
use cantoscribe::note::{Note, SectionCode};
use cantoscribe::speech::transcript::{self, MAX_DOCUMENT_BYTES, TranscriptError, read, read_document};
use proptest::prelude::*;
use samples::segment;

const GOOD: &str = r#"{"schema":"cantoscribe/transcript/1","language":"yue","new":{"a":[1]},
"model":{"name":"whisper-base","sha256":"ab","x":1},"audio":{"duration_ms":7255,"sha256":"cd"},
"segments":[{"id":0,"start_ms":420,"end_ms":3180,"speaker":"doctor","text":"今日血壓145/90。","confidence":0.91,
"words":[{"text":"血壓","start_ms":900,"end_ms":1320,"confidence":0.95}]},{"id":7,"speaker":null,"text":"好"}]}"#;

#[test]
fn a_document_is_read_and_unknown_fields_are_ignored() {
    let transcript = read(GOOD.as_bytes()).unwrap();
    assert_eq!(transcript.segments.len(), 2);
    assert_eq!(transcript.segments[0].words.as_ref().unwrap()[0].text.reveal(), "血壓");
    assert_eq!((transcript.segments[1].id, transcript.segments[1].start_ms), (7, None));
    let with_mark = format!("\u{FEFF}{GOOD}");
    assert_eq!(read_document(with_mark.as_bytes()).unwrap(), transcript);
    let again = transcript::to_json(&transcript).unwrap();
    assert!(!again.contains('\n'));
    assert_eq!(read(again.as_bytes()).unwrap(), transcript);
}

/// The document with one part of it changed, the error that gives, and that nothing said is quoted.
fn error(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    let message = read(GOOD.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
    assert!(!message.contains("血壓") && !message.contains("祕密"), "quotes: {message}");
    message
}

#[test]
fn a_missing_field_is_named_by_its_path() {
    assert_eq!(error(r#""schema":"cantoscribe/transcript/1","#, ""), format!("`schema` is missing ({})", end()));
    for (from, path) in [
        (r#""language":"yue","#, "`language` is missing"),
        (r#","text":"好""#, "`segments[1].text` is missing"),
        (r#""id":7,"#, "`segments[1].id` is missing"),
        (r#""name":"whisper-base","#, "`model.name` is missing"),
        (r#""duration_ms":7255,"#, "`audio.duration_ms` is missing"),
        (r#","end_ms":1320"#, "`segments[0].words[0].end_ms` is missing"),
    ] {
        let message = error(from, "");
        assert!(message.starts_with(path), "{message}");
    }
}

fn end() -> String {
    format!("line {} column {}", GOOD.lines().count(), GOOD.lines().last().unwrap().len())
}

#[test]
fn a_wrong_type_is_named_without_its_value() {
    for (from, to, said) in [
        (r#""id":0"#, r#""id":"祕密, expected u64""#, "`segments[0].id` is a string, expected a whole number from 0"),
        (r#""id":0"#, r#""id":-1"#, "`segments[0].id` is out of range, expected a whole number from 0"),
        (r#""id":0"#, r#""id":1.5"#, "`segments[0].id` is a decimal number, expected a whole number from 0"),
        (r#""text":"好""#, r#""text":["祕密"]"#, "`segments[1].text` is an array, expected a string"),
        (r#""text":"好""#, r#""text":null"#, "`segments[1].text` is null, expected a string"),
        (r#""confidence":0.91"#, r#""confidence":"祕密""#, "`segments[0].confidence` is a string, expected a number"),
        (r#"{"id":7,"speaker":null,"text":"好"}"#, r#""祕密""#, "`segments[1]` is a string, expected an object"),
        (
            r#""start_ms":900"#,
            r#""start_ms":true"#,
            "`segments[0].words[0].start_ms` is a boolean, expected a whole number from 0",
        ),
    ] {
        let message = error(from, to);
        assert!(message.starts_with(said), "{message}");
    }
}

#[test]
fn what_the_types_cannot_hold_is_checked() {
    assert_eq!(error(r#""id":7"#, r#""id":0"#), "`segments[1].id` is 0, which `segments[0].id` already is");
    assert_eq!(error(r#""end_ms":3180"#, r#""end_ms":419"#), "`segments[0].end_ms` is 419, before `start_ms`, which is 420");
    assert_eq!(error(r#""end_ms":1320"#, r#""end_ms":1"#), "`segments[0].words[0].end_ms` is 1, before `start_ms`, which is 900");
    assert_eq!(error("0.91", "1.5"), "`segments[0].confidence` is 1.5, expected a number from 0 to 1");
    assert_eq!(
        error("cantoscribe/transcript/1", "cantoscribe/note/1"),
        "`schema` is `cantoscribe/note/1`, expected `cantoscribe/transcript/1`"
    );
    assert_eq!(error("cantoscribe/transcript/1", "祕密"), "`schema` is something else, expected `cantoscribe/transcript/1`");
    assert!(error(r#""id":7"#, r#""id":7,"id":8"#).starts_with("`segments[1].id` is there twice"));
}

#[test]
fn broken_json_says_where_and_never_what() {
    for cut in (1..GOOD.len()).filter(|at| GOOD.is_char_boundary(*at)) {
        let error = read(&GOOD.as_bytes()[..cut]).unwrap_err();
        // A number cut after its point is wrong before it is short.
        assert!(
            matches!(error, TranscriptError::Truncated { .. }) || error.to_string().contains("invalid number"),
            "cut at {cut}: {error}"
        );
    }
    let misspelt = error(r#""speaker":null"#, r#""speaker":nul"#);
    assert!(misspelt.starts_with("it is not JSON: expected ident at line 4") && misspelt.contains("`segments[1]"), "{misspelt}");
    let within_unknown = error(r#""new":{"a":[1]}"#, r#""祕密":{"祕密":[1,}}"#);
    assert!(within_unknown.starts_with("it is not JSON"), "{within_unknown}");
    assert!(matches!(read(format!("{GOOD} 血壓").as_bytes()), Err(TranscriptError::Syntax { .. })));
    let deep = format!(r#"{{"schema":{}"#, "[".repeat(1_000_000));
    assert!(matches!(read(deep.as_bytes()), Err(TranscriptError::Syntax { .. } | TranscriptError::WrongType { .. })));
    let deep = format!(r#"{{"schema":"cantoscribe/transcript/1","x":{}"#, "[".repeat(1_000_000));
    // What is ignored is skipped without recursion, so its depth is no matter; that it breaks off is.
    assert!(matches!(read(deep.as_bytes()), Err(TranscriptError::Truncated { .. })));
}

#[test]
fn what_is_no_text_is_refused() {
    assert_eq!(read(b""), Err(TranscriptError::Empty));
    assert_eq!(read(" \u{3000}\n".as_bytes()), Err(TranscriptError::Empty));
    assert!(matches!(read(b"abc\xA6\xE5"), Err(TranscriptError::NotUtf8 { at: 3, hint: "" })));
    assert!(read(b"\xFF\xFEa\0").unwrap_err().to_string().contains("UTF-16"));
    assert!(matches!(read(b"a\nb\0c"), Err(TranscriptError::NotText { line: 2 })));
    assert!(matches!(read(&vec![b' '; MAX_DOCUMENT_BYTES + 1]), Err(TranscriptError::TooLarge { .. })));
    assert!(matches!(
        read(br#"["cantoscribe/transcript/1"]"#),
        Err(TranscriptError::WrongType { .. } | TranscriptError::Missing { .. } | TranscriptError::Schema { .. })
    ));
}

#[test]
fn plain_text_is_a_turn_a_line_with_its_speaker() {
    let text = "doctor: 邊度唔舒服？\r\n\nPatient : BP: 140/90\n病人：頭暈\n醫生:\n幾耐？\n[0:42] 三日\nrelative:佢成日咳\n";
    let transcript = read(text.as_bytes()).unwrap();
    let turns: Vec<(u64, Option<&str>, &str)> =
        transcript.segments.iter().map(|s| (s.id, s.speaker.as_deref(), s.text.reveal())).collect();
    let expected = [
        (0, Some("doctor"), "邊度唔舒服？"),
        (1, Some("patient"), "BP: 140/90"),
        (2, Some("patient"), "頭暈"),
        (3, Some("doctor"), "幾耐？"),
        (4, None, "[0:42] 三日"),
        (5, Some("relative"), "佢成日咳"),
    ];
    assert_eq!(turns, expected);
    assert_eq!((transcript.language.as_str(), &transcript.audio, &transcript.model), ("yue", &None, &None));
    let english = read(b"BP: 140/90\rDr: ok").unwrap();
    assert_eq!((english.language.as_str(), english.segments[0].speaker.as_deref()), ("en", None));
    assert_eq!(english.segments[1].speaker.as_deref(), Some("doctor"));
    assert_eq!(read("doctor:\n".as_bytes()), Err(TranscriptError::Empty));
}

#[test]
fn subtitles_are_valid_whatever_was_said() {
    let spoken = samples::transcript(vec![
        segment(1, Some((3_661_001, 3_661_001)), Some("a<b>\n"), "一\n\n二 --> <i>&"),
        segment(0, Some((420, 3180)), Some("doctor"), "今日"),
        segment(2, None, None, " \n"),
    ]);
    let srt = "1\n00:00:00,420 --> 00:00:03,180\ndoctor: 今日\n\n2\n01:01:01,001 --> 01:01:01,002\na<b>: 一 二 -- > <i>&\n\n";
    assert_eq!(transcript::to_srt(&spoken).unwrap(), srt);
    let vtt = "WEBVTT\n\n00:00:00.420 --> 00:00:03.180\n<v doctor>今日\n\n\
               01:01:01.001 --> 01:01:01.002\n<v a&lt;b&gt;>一 二 --&gt; &lt;i&gt;&amp;\n\n";
    assert_eq!(transcript::to_vtt(&spoken).unwrap(), vtt);
    assert_eq!(transcript::to_text(&spoken), "一 二 --> <i>& 今日");
    let timeless = samples::transcript(vec![segment(5, Some((1, 2)), None, "a"), segment(9, None, None, "b")]);
    assert_eq!(transcript::to_srt(&timeless), Err(TranscriptError::NoTimes { id: 9 }));
    assert_eq!(transcript::to_vtt(&timeless), Err(TranscriptError::NoTimes { id: 9 }));
    assert_eq!(transcript::to_vtt(&samples::transcript(Vec::new())).unwrap(), "WEBVTT\n\n");
}

fn lines(note: &Note, language: Language) -> Vec<(SectionCode, Vec<String>)> {
    let said = |section: &cantoscribe::note::Section| section.sentences.iter().map(|s| s.text.reveal().to_owned()).collect();
    sections(note, language).iter().map(|section| (section.code, said(section))).collect()
}

fn section(code: SectionCode, sentences: &[&str]) -> (SectionCode, Vec<String>) {
    (code, sentences.iter().map(|s| (*s).to_owned()).collect())
}

#[test]
fn english_sections_are_terse() {
    let expected = [
        section(
            SectionCode::S,
            &[
                "C/O dizziness x 3/7, left knee pain x 2/12.",
                "No CP, no SOB.",
                "PMH: stroke.",
                "On methotrexate 7.5 mg weekly, hypnotic, salbutamol 2 puffs 2.5 times a day PRN.",
                "Allergy: pollen.",
                "NKDA.",
                "No allergy to penicillin.",
                "FHx: heart failure.",
                "Smoking: 「一日一包煙」.",
                "Pets: 「養貓」.",
            ],
        ),
        section(
            SectionCode::O,
            &[
                "BP 145/90.",
                "SpO2 98%.",
                "T 37.8 °C.",
                "Fasting glucose 7.8 mmol/L.",
                "eGFR 55 mL/min/1.73m2.",
                "SBP 150 mmHg.",
                "Cardiac murmur, no proteinuria.",
            ],
        ),
        section(SectionCode::A, &["Imp: HT, T2DM, ?pneumonia, ?Parkinson disease."]),
        section(
            SectionCode::P,
            &[
                "Metformin 500 mg BD -> 1000 mg BD x 3/12.",
                "Off amlodipine 10 mg daily.",
                "Ix: blood test.",
                "Ix in 2/52: CXR.",
                "Procedure: dressing.",
                "Refer: eye.",
                "Advice: 「少食鹹嘢」.",
                "SL 3/7.",
                "FU 3/12.",
            ],
        ),
    ];
    assert_eq!(lines(&samples::everything(), Language::English), expected);
}

#[test]
fn chinese_sections_say_the_same() {
    let all = lines(&samples::everything(), Language::TraditionalChinese);
    assert_eq!(
        all.iter().map(|(code, _)| *code).collect::<Vec<_>>(),
        [SectionCode::S, SectionCode::O, SectionCode::A, SectionCode::P]
    );
    let said: Vec<&str> = all.iter().flat_map(|(_, sentences)| sentences.iter().map(String::as_str)).collect();
    for line in [
        "主訴：頭暈（3 日）、左側膝痛（2 個月）。",
        "無心口痛、無氣促。",
        "既往病史：中風。",
        "無藥物過敏。",
        "家族史：心臟衰竭。",
        "吸煙：「一日一包煙」。",
        "血壓 145/90。",
        "診斷：原發性高血壓、二型糖尿病、懷疑肺炎、懷疑柏金遜症。",
        "處方：metformin 500 mg 每日兩次 -> 1000 mg 每日兩次 3 個月。",
        "停用：amlodipine 10 mg 每日一次。",
        "病假：3 日。",
        "覆診：3 個月。",
    ] {
        assert!(said.contains(&line), "{line} is not in {said:#?}");
    }
}

#[test]
fn sections_without_findings_are_left_out() {
    assert!(sections(&samples::empty(), Language::English).is_empty());
    let expected =
        [section(SectionCode::S, &["No fever, no cough, no DM.", "NKDA."]), section(SectionCode::A, &["Imp: ?dengue fever."])];
    assert_eq!(lines(&samples::negations(), Language::English), expected);
    let expected = [section(SectionCode::S, &["FHx: DM, malignant neoplasm of breast."])];
    assert_eq!(lines(&samples::family(), Language::English), expected);
}

/// Every span of every finding is in the sections, and no sentence of heard findings is without one.
#[test]
fn every_finding_is_said_with_its_evidence() {
    let note = samples::everything();
    for language in [Language::English, Language::TraditionalChinese] {
        let said: Vec<_> = sections(&note, language).into_iter().flat_map(|s| s.sentences).collect();
        let spans: Vec<_> = said.iter().flat_map(|s| s.provenance.spans().iter().copied()).collect();
        let of = |p: &cantoscribe::note::Provenance| p.spans().to_vec();
        let findings = note.conditions.iter().map(|x| of(&x.provenance));
        let findings = findings.chain(note.medications.iter().map(|x| of(&x.provenance)));
        let findings = findings.chain(note.allergies.iter().map(|x| of(&x.provenance)));
        let findings = findings.chain(note.observations.iter().map(|x| of(&x.provenance)));
        let findings = findings.chain(note.plan.iter().map(|x| of(&x.provenance)));
        let findings = findings.chain(note.social.iter().map(|x| of(&x.provenance)));
        assert!(findings.flatten().all(|span| spans.contains(&span)));
        let without = said.iter().filter(|s| s.provenance.spans().is_empty()).map(|s| s.text.reveal()).collect::<Vec<_>>();
        assert_eq!(without.len(), 1, "the typed pressure alone: {without:?}");
    }
}

#[test]
fn pressures_are_read_with_their_own_partner() {
    use samples::{heard, observation, typed};
    let systolic = |value, at| observation("8480-6", "", value, "mm[Hg]", at);
    let diastolic = |value, at| observation("8462-4", "", value, "mm[Hg]", at);
    let all = [
        systolic(150.0, heard(0, 0, 3)),
        systolic(130.0, heard(0, 20, 23)),
        diastolic(80.0, heard(0, 24, 26)),
        diastolic(90.0, heard(0, 4, 6)),
        systolic(120.0, typed()),
        diastolic(70.0, heard(5, 0, 1)),
        diastolic(60.0, typed()),
    ];
    let values: Vec<(f64, Option<f64>)> = readings(&all)
        .into_iter()
        .map(|reading| match reading {
            Reading::BloodPressure { systolic, diastolic } => (systolic.value, Some(diastolic.value)),
            Reading::Single(one) => (one.value, None),
        })
        .collect();
    assert_eq!(values, [(150.0, Some(90.0)), (130.0, Some(80.0)), (120.0, Some(60.0)), (70.0, None)]);
}

#[test]
fn a_note_as_text_quotes_its_evidence_with_the_time() {
    let text = to_text(&samples::everything(), &samples::consultation(), Language::English);
    assert!(
        text.contains("S (subjective)\n  C/O dizziness x 3/7, left knee pain x 2/12.\n      [0:42] patient 「頭暈」\n"),
        "{text}"
    );
    assert!(text.contains("[0:43] patient 「血壓高」"), "{text}");
    assert!(text.contains("  FU 3/12.\n      [1:01:01] 「三個月後覆診」\n") || text.contains("[1:01:01] 「"), "{text}");
    assert!(text.contains("Not covered, please look\n"), "{text}");
    let other = to_text(&samples::everything(), &samples::transcript(Vec::new()), Language::English);
    assert!(other.contains("(not in this transcript: segment 0, 4..7)"), "{other}");
    assert_eq!(to_text(&samples::empty(), &samples::consultation(), Language::English), "No findings.\n");
    assert_eq!("zh-Hant".parse::<Language>().unwrap(), Language::TraditionalChinese);
    assert!("zh".parse::<Language>().unwrap_err().to_string().contains("`zh`"));
}

proptest! {
    /// Whatever is said: written and read again it is the same, and no subtitle has a blank line or an arrow of its own in a cue.
    #[test]
    fn any_text_survives(texts in proptest::collection::vec("\\PC*|[\\s<>&\\-]*", 0..6)) {
        let segments = texts.iter().enumerate().map(|(i, text)| segment(i as u64, Some((i as u64, i as u64)), None, text)).collect();
        let spoken = samples::transcript(segments);
        let json = transcript::to_json(&spoken).unwrap();
        prop_assert_eq!(read_document(json.as_bytes()).unwrap(), spoken.clone());
        for subtitles in [transcript::to_srt(&spoken).unwrap(), transcript::to_vtt(&spoken).unwrap()] {
            let arrows = subtitles.matches("-->").count();
            let cues = texts.iter().filter(|text| text.chars().any(|c| !c.is_whitespace() && !c.is_control())).count();
            prop_assert_eq!(arrows, cues);
        }
    }
}
