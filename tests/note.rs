//! Small consultations written for these tests, in other words than any shared set.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

#[path = "note/allergies.rs"]
mod allergies;
#[path = "note/corpus.rs"]
mod corpus;
#[path = "note/exchanges.rs"]
mod exchanges;
#[path = "note/gaps.rs"]
mod gaps;
#[path = "note/hostile.rs"]
mod hostile;
#[path = "note/lists.rs"]
mod lists;
#[path = "note/losses.rs"]
mod losses;
#[path = "note/misheard.rs"]
mod misheard;
#[path = "note/retold.rs"]
mod retold;
#[path = "note/reworded.rs"]
mod reworded;
#[path = "note/scopes.rs"]
mod scopes;
#[path = "note/sides.rs"]
mod sides;
#[path = "note/stances.rs"]
mod stances;
#[path = "note/values.rs"]
mod values;

use std::sync::LazyLock;

use cantoscribe::interop::fhir::{Instant, Options, document};
use cantoscribe::note::compose::{Language, sections};
use cantoscribe::note::extract::extract;
use cantoscribe::note::{AllergyStatus, Assertion, MedicationStatus, Note, PlanKind, Uncovered};
use cantoscribe::speech::Transcript;
use cantoscribe::speech::normalise::write_numbers;
use cantoscribe::terminology::Lexicon;

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::builtin().unwrap());

fn transcript(turns: &[(&str, &str)]) -> Transcript {
    let segments: Vec<_> = turns
        .iter()
        .enumerate()
        .map(|(id, (speaker, text))| {
            let speaker = if speaker.is_empty() { serde_json::Value::Null } else { (*speaker).into() };
            serde_json::json!({"id": id, "speaker": speaker, "text": text})
        })
        .collect();
    let document = serde_json::json!({"schema": "cantoscribe/transcript/1", "language": "yue", "segments": segments});
    serde_json::from_value(document).unwrap()
}

fn note(turns: &[(&str, &str)]) -> Note {
    extract(&transcript(turns), &LEXICON)
}

/// One doctor's or patient's sentence and what it claims: `code assertion`, comma-separated; `absent` may be left out of the list.
fn claims(note: &Note) -> Vec<String> {
    let mut all: Vec<String> = note
        .conditions
        .iter()
        .map(|condition| format!("{} {:?}", condition.codes[0].code, condition.assertion).to_lowercase())
        .collect();
    all.sort();
    all
}

fn assert_claims(turns: &[(&str, &str)], wanted: &[&str]) {
    let got = claims(&note(turns));
    let mut wanted: Vec<String> = wanted.iter().map(|claim| claim.to_lowercase()).collect();
    wanted.sort();
    assert_eq!(got, wanted, "{turns:?}");
}

#[test]
fn a_cue_of_an_answer_may_reach_into_a_name() {
    let said = [("doctor", "探過冇硬塊,係前烈線肥大"), ("patient", "即係唔係前烈線癌,我亞爸就係前烈線癌走嘅")];
    assert!(!note(&said).conditions.is_empty());
    let run_on = [("doctor", "係前烈線肥大正常"), ("patient", "即係唔係前烈線癌我亞爸就係前烈線癌走嘅")];
    assert!(!note(&run_on).conditions.is_empty());
}

#[test]
fn a_dose_is_changed_without_the_drugs_name() {
    let told = note(&[("patient", "我食緊 amlodipine 五 mg 一日一次"), ("doctor", "加到十。")]);
    let doses: Vec<_> = told.medications.iter().filter_map(|one| one.dose.as_ref().map(|dose| dose.value)).collect();
    assert_eq!(doses, [10.0]);
}

#[test]
fn assertion_by_scope() {
    for (speaker, said, wanted) in [
        ("patient", "我頭痛咗兩日", &["R51 present"][..]),
        ("patient", "冇咳、冇痰、冇發燒", &["R05 absent", "R50.9 absent"]),
        ("patient", "我否認有胸痛", &["R07.4 absent"]),
        ("patient", "暈就冇,不過作嘔", &["R42 absent", "R11 present"]),
        ("doctor", "聽落似肺炎", &["J18.9 possible"]),
        ("doctor", "要排除肺栓塞", &["I26.9 possible"]),
        ("doctor", "唔係盲腸炎,係腸胃炎", &["K35.8 absent", "A09.9 present"]),
        ("patient", "我阿媽有乳癌", &["C50.9 family"]),
        ("patient", "老公有糖尿,我自己就有血壓高", &["E14.9 family", "I10 present"]),
        ("patient", "我同事中咗流感", &[]),
        ("patient", "細個有哮喘,之後冇再發作", &["J45.9 historical"]),
        ("patient", "十年前中過風", &["I64 historical"]),
        ("patient", "我有甲亢三年,一直食藥", &["E05.9 present"]),
        ("doctor", "如果發燒或者氣促就即刻去急症", &[]),
        ("doctor", "傷口流膿或者發燒就要返嚟", &[]),
        ("doctor", "有冇頭暈、心口痛?", &[]),
        ("patient", "我好驚係鼻咽癌", &[]),
        ("doctor", "你个孩子没有发烧,没有咳嗽", &["R50.9 absent", "R05 absent"]),
        ("doctor", "no fever, no chest pain, c/o headache", &["R50.9 absent", "R07.4 absent", "R51 present"]),
    ] {
        assert_claims(&[(speaker, said)], wanted);
    }
}

#[test]
fn questions_and_answers() {
    assert_claims(&[("doctor", "有冇發燒?"), ("patient", "冇呀。")], &["R50.9 absent"]);
    assert_claims(&[("doctor", "有冇氣喘?"), ("patient", "有呀,行兩步都喘。")], &["R06.0 present"]);
    assert_claims(&[("doctor", "痛唔痛?"), ("patient", "唔痛。")], &[]);
    assert_claims(&[("patient", "係咪肺癌呀?"), ("doctor", "唔係,放心。")], &["C34.9 absent"]);
    assert_claims(&[("patient", "會唔會係類風濕?"), ("doctor", "都有可能,要驗血。")], &["M06.9 possible"]);
    assert_claims(&[("doctor", "屋企人有冇大腸癌?"), ("patient", "冇,我爸爸有肝癌。")], &["C22.0 family"]);
    assert_claims(&[("", "有没有咳嗽"), ("", "没有")], &["R05 absent"]);
    assert_claims(&[("doctor", "有冇糖尿血壓高?"), ("patient", "冇糖尿,有血壓高。")], &["E14.9 absent", "I10 present"]);
}

#[test]
fn complaints_in_pieces() {
    for (said, code) in [
        ("左邊膝頭行樓梯嗰陣好痛", "M25.5"),
        ("對腳夜晚腫到著唔到鞋", "R60.0"),
        ("右眼睇嘢好朦", "H53.8"),
        ("小便嗰陣好赤", "R30.0"),
        ("手指尾麻麻哋", "R20.2"),
        ("屙咗五六次水", "K52.9"),
        ("心口好似有嘢壓住", "R07.4"),
        ("大便有啲血絲", "K92.2"),
        ("頸後面好痛", "M54.2"),
    ] {
        let found = note(&[("patient", said)]);
        assert!(
            found.conditions.iter().any(|condition| condition.codes[0].code == code && condition.assertion == Assertion::Present),
            "{said}: {:?}",
            claims(&found)
        );
    }
}

fn observed(said: &str) -> Vec<(String, f64, String)> {
    let mut all: Vec<_> = note(&[("doctor", said)])
        .observations
        .into_iter()
        .map(|observation| (observation.loinc, observation.value, observation.unit))
        .collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

#[test]
fn values_of_this_visit() {
    let bp = |high: f64, low: f64| vec![("8462-4".into(), low, "mm[Hg]".into()), ("8480-6".into(), high, "mm[Hg]".into())];
    assert_eq!(observed("血壓一五二/九十四"), bp(152.0, 94.0));
    assert_eq!(observed("BP 146 over 92"), bp(146.0, 92.0));
    assert_eq!(observed("上壓一百三十六,下壓八十八"), bp(136.0, 88.0));
    assert_eq!(observed("血压一百四十二比八十六"), bp(142.0, 86.0));
    assert_eq!(observed("血壓1450/90"), vec![]);
    assert_eq!(observed("你屋企量血壓一五零/九十"), vec![]);
    assert_eq!(observed("上次血壓一七零/一百"), vec![]);
    assert_eq!(observed("體溫三十八度三"), vec![("8310-5".into(), 38.3, "Cel".into())]);
    assert_eq!(observed("SpO2 97%"), vec![("59408-5".into(), 97.0, "%".into())]);
    assert_eq!(observed("HbA1c 七點二"), vec![("4548-4".into(), 7.2, "%".into())]);
    assert_eq!(observed("LDL 由四點一降到二點六"), vec![("22748-8".into(), 2.6, "mmol/L".into())]);
    assert_eq!(observed("重一百五十磅"), vec![("29463-7".into(), 68.039, "kg".into())]);
    assert_eq!(observed("床單用六十度水洗"), vec![]);
    assert_eq!(observed("脈搏每分鐘八十八"), vec![("8867-4".into(), 88.0, "/min".into())]);
}

#[test]
fn what_cannot_be_true_is_flagged() {
    for said in ["血壓一四五零/九十", "體溫三百七十度", "血氧一百九十"] {
        let read = note(&[("doctor", said)]);
        assert!(read.observations.is_empty(), "{said}");
        assert!(read.uncovered.iter().any(|entry| entry.reason.starts_with("implausible")), "{said}: {:?}", read.uncovered);
    }
}

#[test]
fn a_repeated_reading_replaces_the_first() {
    let read = note(&[("doctor", "血壓一七零/一百,坐多陣再度過,血壓一四八/九十")]).observations;
    assert_eq!(read.iter().map(|observation| observation.value).collect::<Vec<_>>(), vec![148.0, 90.0]);
}

type Taken = (String, Option<f64>, Option<f64>, bool, MedicationStatus);

fn taken(turns: &[(&str, &str)]) -> Vec<Taken> {
    note(turns)
        .medications
        .into_iter()
        .map(|entry| (entry.name, entry.dose.map(|dose| dose.value), entry.times_per_day, entry.prn, entry.status))
        .collect()
}

#[test]
fn drugs_and_how_they_are_taken() {
    use MedicationStatus::{Active, Planned, Stopped};
    for (speaker, said, wanted) in [
        ("doctor", "開 Tamiflu 七十五 mg 一日兩次食五日", ("oseltamivir", Some(75.0), Some(2.0), false, Planned)),
        ("doctor", "paracetamol 500 mg 兩粒 QID PRN", ("paracetamol", Some(1000.0), Some(4.0), true, Planned)),
        ("patient", "我食緊兩粒 Panadol", ("paracetamol", Some(2.0), None, false, Active)),
        ("doctor", "加 prednisolone 三十 mg 每朝一次", ("prednisolone", Some(30.0), Some(1.0), false, Planned)),
        ("doctor", "Ventolin 兩噴有需要先用", ("salbutamol", Some(2.0), None, true, Planned)),
        ("doctor", "methotrexate 十 mg 一個禮拜一次", ("methotrexate", Some(10.0), Some(0.14), false, Planned)),
        ("doctor", "amlodipine 由五 mg 加到十 mg 一日一次", ("amlodipine", Some(10.0), Some(1.0), false, Planned)),
        ("doctor", "amoxicillin 二百五十 mg 八個鐘一次", ("amoxicillin", Some(250.0), Some(3.0), false, Planned)),
        ("doctor", "metformin 500 mg BD -> 1 g BD", ("metformin", Some(1.0), Some(2.0), false, Planned)),
        ("doctor", "sertraline 由五十加到一百 mg 一日一次", ("sertraline", Some(100.0), Some(1.0), false, Planned)),
        ("patient", "我停咗 warfarin 喇", ("warfarin", None, None, false, Stopped)),
    ] {
        let got = taken(&[(speaker, said)]);
        let (name, dose, times, prn, status) = wanted;
        assert_eq!(got, vec![(name.to_owned(), dose, times, prn, status)], "{said}");
    }
}

#[test]
fn a_drug_withdrawn_is_not_in_the_note() {
    let got = taken(&[
        ("doctor", "開 ibuprofen 四百 mg 一日三次"),
        ("patient", "我以前食完胃出血"),
        ("doctor", "咁唔用 ibuprofen,改用 tramadol 五十 mg 一日三次"),
    ]);
    assert_eq!(got.iter().map(|entry| entry.0.as_str()).collect::<Vec<_>>(), vec!["tramadol"]);
    assert!(taken(&[("patient", "我媽媽食緊 metformin 五百 mg")]).is_empty());
}

fn allergies(turns: &[(&str, &str)]) -> Vec<(String, AllergyStatus)> {
    note(turns).allergies.into_iter().map(|allergy| (allergy.substance, allergy.status)).collect()
}

#[test]
fn allergies_and_none() {
    use AllergyStatus::{None, Present};
    let one = |name: &str, status| vec![(name.to_owned(), status)];
    assert_eq!(allergies(&[("doctor", "有冇藥物敏感?"), ("patient", "冇。")]), one("drug", None));
    assert_eq!(allergies(&[("patient", "我對盤尼西林敏感")]), one("penicillin", Present));
    assert_eq!(allergies(&[("patient", "食 ibuprofen 會面腫")]), one("ibuprofen", Present));
    assert_eq!(allergies(&[("patient", "我個妹對海鮮敏感")]), vec![]);
    assert_eq!(allergies(&[("doctor", "NKDA")]), one("drug", None));
    assert_eq!(allergies(&[("patient", "冇藥敏")]), one("drug", None));
    assert_eq!(allergies(&[("patient", "食 codeine 會便秘")]), vec![]);
    assert_eq!(allergies(&[("doctor", "你對咩敏感?"), ("patient", "阿士匹靈。")]), one("aspirin", Present));
    assert_eq!(allergies(&[("doctor", "有冇藥物敏感?"), ("patient", "我食緊 warfarin。")]), vec![]);
    assert_eq!(allergies(&[("patient", "我老婆對盤尼西林敏感,我冇")]), one("penicillin", None));
    assert_eq!(allergies(&[("doctor", "佢會唔會對奶敏感?"), ("doctor", "睇落唔似奶敏感")]), vec![]);
}

/// A denial of what only sounds like a drug is shown as not understood: who reads that there is none does not look again.
#[test]
fn an_allergy_to_what_only_sounds_like_a_name_is_in_doubt_and_a_denial_of_it_none() {
    for turns in [
        &[("patient", "我對 penicilin 敏感")][..],
        &[("patient", "I am allergic to penicilin")],
        &[("patient", "食 penicilin 會面腫")],
        &[("doctor", "有冇藥物敏感?"), ("patient", "我食 penicilin 會敏感。")],
    ] {
        let found = note(turns);
        let [allergy] = found.allergies.as_slice() else { panic!("{turns:?}: {:?}", found.allergies) };
        assert_eq!((allergy.substance.as_str(), allergy.status), ("penicillin", AllergyStatus::Present), "{turns:?}");
        assert_eq!(allergy.heard_as.as_ref().map(|heard| heard.reveal()), Some("penicilin"), "{turns:?}");
        assert!(found.medications.is_empty(), "{turns:?}: {:?}", found.medications);
        let lines = sections(&found, Language::English);
        assert_eq!(lines[0].sentences[0].text.reveal(), "Allergy: penicillin (?heard 「penicilin」).", "{turns:?}");
    }
    // A denial of one that was not understood is no denial of all.
    for turns in [&[("patient", "我冇 penicilin 敏感")][..], &[("doctor", "有冇 penicilin 敏感?"), ("patient", "冇。")]]
    {
        let found = note(turns);
        assert_eq!(found.allergies, [], "{turns:?}");
        assert!(found.medications.is_empty(), "{turns:?}: {:?}", found.medications);
        let at = |uncovered: &Uncovered| {
            let said: Vec<char> = turns[usize::try_from(uncovered.span.segment()).unwrap()].1.chars().collect();
            said[uncovered.span.start()..uncovered.span.end()].iter().collect::<String>()
        };
        assert!(found.uncovered.iter().any(|uncovered| at(uncovered).contains("penicilin")), "{turns:?}: {:?}", found.uncovered);
    }
    // What was said by its name too is claimed for that, whatever was heard besides.
    for second in ["我對 penicilin 敏感", "我對 penicilin 冇敏感"] {
        let both = [("patient", "我對 penicillin 敏感"), ("patient", second)];
        assert_eq!(allergies(&both), [("penicillin".to_owned(), AllergyStatus::Present)]);
    }
}

#[test]
fn who_is_allergic_to_a_drug_has_some_drug_allergy() {
    use AllergyStatus::{None, Present};
    let penicillin = vec![("penicillin".to_owned(), Present)];
    for turns in [
        &[("patient", "冇藥物敏感。"), ("patient", "哦,我對盤尼西林敏感。")][..],
        &[("patient", "我對盤尼西林敏感。"), ("doctor", "有冇其他藥物敏感?"), ("patient", "冇。")],
    ] {
        assert_eq!(allergies(turns), penicillin, "{turns:?}");
    }
    let food = allergies(&[("patient", "我對蝦敏感,冇藥物敏感。")]);
    assert!(food.contains(&("drug".to_owned(), None)) && food.len() == 2, "{food:?}");
    assert_eq!(allergies(&[("patient", "冇藥物敏感。"), ("patient", "我對 penicilin 敏感。")]), penicillin);
}

#[test]
fn plan_items() {
    let plan = note(&[("doctor", "轉介皮膚科。照張肺片。病假三日。多飲水多休息。六個星期後覆診。如果氣促就即刻去急症。")]).plan;
    let got: Vec<(PlanKind, Option<f64>)> = plan.iter().map(|item| (item.kind, item.days)).collect();
    for wanted in [
        (PlanKind::Referral, None),
        (PlanKind::Investigation, None),
        (PlanKind::SickLeave, Some(3.0)),
        (PlanKind::Lifestyle, None),
        (PlanKind::FollowUp, Some(42.0)),
    ] {
        assert!(got.contains(&wanted), "{wanted:?} in {got:?}");
    }
    assert!(note(&[("doctor", "唔使照 X 光,唔使病假。")]).plan.is_empty());
    let written = note(&[("doctor", "FU 3/12, SL 2/7.")]).plan;
    assert_eq!(written.iter().map(|item| item.days).collect::<Vec<_>>(), vec![Some(90.0), Some(2.0)]);
}

#[test]
fn silence_gives_nothing_and_the_unknown_is_shown() {
    let empty = note(&[]);
    assert!(empty.conditions.is_empty() && empty.uncovered.is_empty() && empty.plan.is_empty());
    let odd = note(&[("patient", "我隻腳趾罅生咗啲怪嘢好辛苦")]);
    assert!(!odd.uncovered.is_empty());
}

#[test]
fn the_note_grows_with_the_talk() {
    let turns = [
        ("doctor", "有冇發燒、咳?"),
        ("patient", "冇燒,有咳,三日。我對阿士匹靈敏感。"),
        ("doctor", "血壓一二八/七十,多數係支氣管炎,開 amoxicillin 五百 mg 一日三次。"),
        ("patient", "好。"),
    ];
    for length in 0..=turns.len() {
        let part = note(&turns[..length]);
        assert_eq!(part, note(&turns[..length]));
        let texts: Vec<usize> = turns.iter().map(|(_, text)| text.chars().count()).collect();
        let spans = part.conditions.iter().flat_map(|entry| entry.provenance.spans().to_vec());
        for span in spans.chain(part.medications.iter().flat_map(|entry| entry.provenance.spans().to_vec())) {
            let segment = usize::try_from(span.segment()).unwrap();
            assert!(segment < length && span.end() <= texts[segment] && span.end() - span.start() <= 40);
        }
    }
}

/// What is not spelt so is a finding that says what was heard, wherever it is shown.
#[test]
fn what_only_sounds_like_a_term_says_so() {
    let note = note(&[("patient", "我有高血鴨三年"), ("doctor", "開 tammy flu 七十五 mg 一日兩次")]);
    assert_eq!(claims(&note), ["i10 present"], "the flu of tammy flu is no influenza");
    let (condition, drug) = (&note.conditions[0], &note.medications[0]);
    assert_eq!((condition.sounds_like.as_deref(), condition.confidence), (Some("高血壓"), 0.6));
    assert_eq!(
        (drug.name.as_str(), drug.sounds_like.as_deref(), drug.times_per_day),
        ("oseltamivir", Some("oseltamivir"), Some(2.0))
    );
    for (language, wanted) in [
        (Language::English, ["HT (?heard 「高血鴨」)", "(?heard 「"]),
        (Language::TraditionalChinese, ["（？聽到「高血鴨」）", "（？聽到「"]),
    ] {
        let sections = sections(&note, language);
        let lines: Vec<&str> = sections.iter().flat_map(|section| &section.sentences).map(|line| line.text.reveal()).collect();
        assert!(wanted.iter().all(|words| lines.iter().any(|line| line.contains(words))), "{lines:?}");
        assert!(lines.iter().any(|line| line.contains("tammy flu") && line.to_lowercase().contains("oseltamivir")), "{lines:?}");
    }
    let at = Instant::parse("2026-11-26T09:00:00+08:00").unwrap();
    let options = Options { patient: None, author: None, at, language: Language::English };
    let bundle = document(&note, None, &options).unwrap();
    let resource = |kind: &str| {
        let mut all = bundle["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]);
        all.find(|resource| resource["resourceType"] == kind).unwrap()
    };
    let condition = resource("Condition");
    assert_eq!(condition["verificationStatus"]["coding"][0]["code"], "unconfirmed");
    assert!(condition["note"][0]["text"].as_str().unwrap().contains("高血鴨"));
    assert!(resource("MedicationStatement")["note"][0]["text"].as_str().unwrap().contains("tammy flu"));
}

/// What a talk's numbers are written with must not change what is taken from them.
#[test]
fn a_note_is_the_same_of_numbers_said_and_written() {
    for said in [
        "今日血壓一百四十五 over 九十二，心跳七十二",
        "血壓一三六比八十八，體溫三十八度五",
        "HbA1c 七點二，LDL 三點八，creatinine 一百二十",
        "開 metformin 五百毫克一日兩次，食十四日",
        "amlodipine 五毫克一日一次，四個禮拜後覆診",
        "panadol 五百 mg 兩粒，一日四次，痛先食",
        "體重八十二公斤，高一百七十公分",
        "insulin 十二 units 夜晚打",
        "血糖百二，血壓145/90",
        "BP one hundred and forty five over ninety two",
    ] {
        let written = write_numbers(said);
        assert_ne!(written, said);
        let (before, after) = (note(&[("doctor", said)]), note(&[("doctor", &written)]));
        let taken = |note: &Note| {
            let observations: Vec<_> =
                note.observations.iter().map(|one| (one.loinc.clone(), one.value, one.unit.clone())).collect();
            let medications: Vec<_> = note
                .medications
                .iter()
                .map(|one| (one.name.clone(), one.dose.clone(), one.times_per_day, one.duration_days, one.status))
                .collect();
            let plan: Vec<_> = note.plan.iter().map(|one| (one.kind, one.days)).collect();
            (observations, medications, plan)
        };
        assert_eq!(taken(&before), taken(&after), "{said} / {written}");
        assert!(!before.observations.is_empty() || !before.medications.is_empty(), "{said}");
    }
}
