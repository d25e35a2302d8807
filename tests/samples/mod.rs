//! Notes and a transcript built by hand, for every branch of what is made from a note.
#![allow(dead_code, reason = "each test target uses its own part")]

use cantoscribe::note::{
    Allergy, AllergyStatus, Assertion, Code, Condition, Display, Edit, Evidence, Laterality, MadeBy, Medication,
    MedicationStatus, Note, Observation, PlanItem, PlanKind, Provenance, Quantity, SocialItem, Span, Uncovered,
};
use cantoscribe::speech::{AudioIdentity, ModelIdentity, Segment, TRANSCRIPT_SCHEMA, Transcript, Word};

pub const ICD10: &str = "http://hl7.org/fhir/sid/icd-10";
pub const ICPC2: &str = "http://hl7.org/fhir/sid/icpc-2";

pub fn made_by() -> MadeBy {
    MadeBy {
        version: "0.1.0".into(),
        model: Some("whisper-base".into()),
        precision: Some("balanced".into()),
        wording: None,
        lexicon: "0".repeat(64),
    }
}

pub fn empty() -> Note {
    Note::empty(MadeBy { model: None, precision: None, ..made_by() })
}

pub fn heard(segment: u64, start: usize, end: usize) -> Provenance {
    Evidence::from(Span::new(segment, start, end).unwrap()).into()
}

pub fn typed() -> Provenance {
    Provenance::Typed { by: "Dr Chan".into(), at: "2026-03-01T09:40:00+08:00".into(), evidence: Vec::new() }
}

/// A condition named in English and Chinese, with an ICD-10 and an ICPC-2 code where they are not empty.
pub fn condition(names: (&str, &str), codes: (&str, &str), assertion: Assertion, provenance: Provenance) -> Condition {
    let code = |system: &str, code: &str| (!code.is_empty()).then(|| Code { system: system.into(), code: code.into() });
    Condition {
        text: names.1.into(),
        display: Display { en: names.0.into(), zh: names.1.into() },
        codes: [code(ICD10, codes.0), code(ICPC2, codes.1)].into_iter().flatten().collect(),
        assertion,
        duration_days: None,
        duration_about: false,
        laterality: None,
        confidence: 0.9,
        sounds_like: None,
        provenance,
    }
}

pub fn drug(
    name: &str,
    dose: Option<(f64, &str)>,
    times: Option<f64>,
    status: MedicationStatus,
    provenance: Provenance,
) -> Medication {
    Medication {
        text: name.into(),
        name: name.into(),
        atc: (name == "metformin").then(|| "A10BA02".into()),
        dose: dose.map(|(value, unit)| Quantity { value, unit: unit.into() }),
        times_per_day: times,
        prn: false,
        duration_days: None,
        unit_implied: false,
        changed_from: None,
        instruction: None,
        status,
        confidence: 0.9,
        sounds_like: None,
        provenance,
    }
}

pub fn allergy(substance: &str, status: AllergyStatus, provenance: Provenance) -> Allergy {
    Allergy { substance: substance.into(), status, heard_as: None, provenance }
}

pub fn observation(loinc: &str, display: &str, value: f64, unit: &str, provenance: Provenance) -> Observation {
    Observation { loinc: loinc.into(), display: display.into(), value, unit: unit.into(), provenance }
}

pub fn plan(kind: PlanKind, text: &str, days: Option<f64>, provenance: Provenance) -> PlanItem {
    PlanItem { kind, text: text.into(), days, provenance }
}

pub fn social(kind: &str, text: &str, provenance: Provenance) -> SocialItem {
    SocialItem { kind: kind.into(), text: text.into(), provenance }
}

pub fn segment(id: u64, times: Option<(u64, u64)>, speaker: Option<&str>, text: &str) -> Segment {
    Segment {
        id,
        start_ms: times.map(|(start, _)| start),
        end_ms: times.map(|(_, end)| end),
        speaker: speaker.map(str::to_owned),
        text: text.into(),
        confidence: None,
        words: None,
        tokens: None,
    }
}

pub fn transcript(segments: Vec<Segment>) -> Transcript {
    Transcript { schema: TRANSCRIPT_SCHEMA.into(), language: "yue".into(), model: None, audio: None, segments }
}

/// Three turns, the second with the times of its words.
pub fn consultation() -> Transcript {
    let mut second = segment(1, Some((42_000, 45_500)), Some("patient"), "頭暈咗三日，有血壓高，冇心口痛。");
    let word = |text: &str, start_ms, end_ms| Word { text: text.into(), start_ms, end_ms, confidence: Some(0.9) };
    second.words = Some(vec![
        word("頭暈", 42_000, 42_600),
        word("咗三日", 42_600, 43_000),
        word("血壓高", 43_500, 44_200),
        word("心口痛", 44_500, 45_400),
    ]);
    let mut transcript = transcript(vec![
        segment(0, Some((420, 3180)), Some("doctor"), "今日血壓145/90。"),
        second,
        segment(2, Some((3_661_000, 3_665_000)), None, "metformin 加到 1000 mg 一日兩次，三個月後覆診。"),
    ]);
    transcript.model = Some(ModelIdentity { name: "whisper-base".into(), sha256: "a".repeat(64), device: None });
    transcript.audio = Some(AudioIdentity { duration_ms: 3_670_000, sha256: "b".repeat(64) });
    transcript
}

/// A finding of every kind, every assertion, every status, heard, typed and edited.
pub fn everything() -> Note {
    let dizziness = Condition {
        duration_days: Some(3.0),
        ..condition(("Dizziness", "頭暈"), ("R42", "N17"), Assertion::Present, heard(1, 0, 5))
    };
    let knee = Condition {
        laterality: Some(Laterality::Left),
        duration_days: Some(60.0),
        ..condition(("Knee pain", "膝痛"), ("M25.5", "L15"), Assertion::Present, heard(1, 0, 2))
    };
    let edit = Edit { by: "Dr Chan".into(), at: "2026-03-01T09:41:00+08:00".into(), was: "糖尿".into() };
    let Provenance::Heard { evidence, .. } = heard(1, 7, 10) else { unreachable!() };
    let edited = Provenance::Heard { evidence, edited: Some(edit) };
    let mut metformin = drug("metformin", Some((1000.0, "mg")), Some(2.0), MedicationStatus::Planned, heard(2, 0, 27));
    metformin.duration_days = Some(90.0);
    let mut salbutamol = drug("salbutamol", Some((2.0, "{puff}")), Some(2.5), MedicationStatus::Active, heard(2, 0, 9));
    salbutamol.prn = true;
    Note {
        conditions: vec![
            dizziness,
            knee,
            condition(("Chest pain", "心口痛"), ("R07.4", "A11"), Assertion::Absent, heard(1, 11, 15)),
            condition(("Shortness of breath", "氣促"), ("R06.0", "R02"), Assertion::Absent, heard(1, 11, 12)),
            condition(("Essential hypertension", "原發性高血壓"), ("I10", "K86"), Assertion::Present, heard(1, 7, 10)),
            condition(("Type 2 diabetes mellitus", "二型糖尿病"), ("E11.9", "T90"), Assertion::Present, edited),
            condition(("Pneumonia", "肺炎"), ("J18.9", "R81"), Assertion::Possible, heard(1, 0, 1)),
            condition(("Stroke", "中風"), ("I64", "K90"), Assertion::Historical, heard(1, 0, 1)),
            condition(("Heart failure", "心臟衰竭"), ("I50.9", "K77"), Assertion::Family, heard(1, 0, 1)),
            condition(("Cardiac murmur", "心雜音"), ("R01.1", "K81"), Assertion::Present, heard(1, 0, 1)),
            condition(("Proteinuria", "蛋白尿"), ("R80", "U90"), Assertion::Absent, heard(1, 0, 1)),
            condition(("Parkinson disease", "柏金遜症"), ("G20", "N87"), Assertion::Possible, typed()),
        ],
        medications: vec![
            drug("metformin", Some((500.0, "mg")), Some(2.0), MedicationStatus::Active, heard(2, 0, 9)),
            drug("amlodipine", Some((10.0, "mg")), Some(1.0), MedicationStatus::Stopped, heard(1, 0, 2)),
            drug("methotrexate", Some((7.5, "mg")), Some(0.14), MedicationStatus::Active, heard(1, 0, 3)),
            drug("hypnotic", None, None, MedicationStatus::Active, typed()),
            salbutamol,
            metformin,
        ],
        allergies: vec![
            allergy("pollen", AllergyStatus::Present, heard(1, 0, 1)),
            allergy("drug", AllergyStatus::None, heard(1, 1, 2)),
            allergy("penicillin", AllergyStatus::None, heard(1, 2, 3)),
        ],
        observations: vec![
            observation("8480-6", "Systolic BP", 145.0, "mm[Hg]", heard(0, 4, 7)),
            observation("8462-4", "Diastolic BP", 90.0, "mm[Hg]", heard(0, 8, 10)),
            observation("59408-5", "SpO2", 98.0, "%", heard(0, 0, 2)),
            observation("8310-5", "Body temperature", 37.8, "Cel", heard(0, 0, 2)),
            observation("14771-0", "Fasting glucose", 7.8, "mmol/L", heard(0, 0, 2)),
            observation("33914-3", "eGFR", 55.0, "mL/min/{1.73_m2}", heard(0, 0, 2)),
            observation("8480-6", "Systolic BP", 150.0, "mm[Hg]", typed()),
        ],
        plan: vec![
            plan(PlanKind::FollowUp, "三個月後覆診", Some(90.0), heard(2, 28, 34)),
            plan(PlanKind::Prescription, "metformin 加到 1000 mg", None, heard(2, 0, 20)),
            plan(PlanKind::Prescription, "俾啲藥你", None, heard(1, 0, 2)),
            plan(PlanKind::Investigation, "抽血", None, heard(1, 0, 2)),
            plan(PlanKind::Investigation, "照肺", Some(14.0), heard(1, 0, 2)),
            plan(PlanKind::Referral, "轉介眼科", None, heard(1, 0, 2)),
            plan(PlanKind::SickLeave, "病假三日", Some(3.0), heard(1, 0, 2)),
            plan(PlanKind::Lifestyle, "少食鹹嘢", None, heard(1, 0, 2)),
            plan(PlanKind::Procedure, "洗傷口", None, heard(1, 0, 2)),
        ],
        social: vec![social("smoking", "一日一包煙", heard(1, 0, 2)), social("pets", "養貓", heard(1, 0, 2))],
        uncovered: vec![Uncovered { span: Span::new(1, 2, 5).unwrap(), reason: "clinical words, no finding".into() }],
        speaker_guesses: Vec::new(),
        ..Note::empty(made_by())
    }
}

/// Denials and uncertainty alone.
pub fn negations() -> Note {
    Note {
        conditions: vec![
            condition(("Fever", "發燒"), ("R50.9", "A03"), Assertion::Absent, heard(1, 0, 2)),
            condition(("Cough", "咳嗽"), ("R05", "R05"), Assertion::Absent, heard(1, 2, 4)),
            condition(("Diabetes mellitus", "糖尿病"), ("E14.9", "T90"), Assertion::Absent, heard(1, 4, 6)),
            condition(("Dengue fever", "登革熱"), ("A90", "A77"), Assertion::Possible, heard(1, 6, 8)),
        ],
        allergies: vec![allergy("drug", AllergyStatus::None, heard(1, 1, 2))],
        ..empty()
    }
}

/// What runs in the family, nothing of the patient's own.
pub fn family() -> Note {
    Note {
        conditions: vec![
            condition(("Diabetes mellitus", "糖尿病"), ("E14.9", "T90"), Assertion::Family, heard(1, 4, 6)),
            condition(("Malignant neoplasm of breast", "乳癌"), ("C50.9", "X76"), Assertion::Family, heard(1, 6, 8)),
        ],
        ..empty()
    }
}

/// What no careful program would write and a reader must still survive: markup, control characters, blanks, numbers that are none.
pub fn hostile() -> Note {
    let mut blank = condition(("", ""), ("", ""), Assertion::Present, heard(u64::MAX, 0, usize::MAX));
    blank.text = " \u{0}".into();
    let mut bad_code = condition(("<b>A & \"B\"</b>\u{7}", "]]>甲"), ("I 10", ""), Assertion::Present, heard(1, 0, 2));
    bad_code.duration_days = Some(f64::NAN);
    Note {
        conditions: vec![blank, bad_code],
        medications: vec![
            drug("", Some((f64::INFINITY, "mg")), Some(f64::NAN), MedicationStatus::Active, heard(1, 0, 2)),
            drug("x", Some((1.0, "two spoons")), Some(1e300), MedicationStatus::Planned, heard(1, 0, 2)),
            drug("y", Some((0.5, "")), Some(-1.0), MedicationStatus::Stopped, heard(1, 0, 2)),
        ],
        allergies: vec![allergy(" ", AllergyStatus::Present, heard(1, 0, 2))],
        observations: vec![
            observation("", "", f64::NAN, "", heard(1, 0, 2)),
            observation("8480-6", "Systolic BP", 150.0, "mm[Hg]", heard(1, 0, 2)),
            observation("8462-4", "Diastolic BP", 1e300, "kPa", heard(1, 0, 2)),
        ],
        plan: vec![plan(PlanKind::FollowUp, "", Some(f64::INFINITY), heard(1, 0, 2))],
        social: vec![social("", "\n", heard(1, 0, 2))],
        ..empty()
    }
}
