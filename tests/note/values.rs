//! Values: what belongs to a temperature and what to a time, doses that cannot be, units left out, a dose until now and from now on,
//! doses that differ through the day, readings at home, lengths of time in the sections, names that no table knows.

use cantoscribe::note::Note;
use cantoscribe::note::compose::{Language, sections};
use cantoscribe::note::extract::extract;

use super::LEXICON;
use super::scopes::transcript;

fn note(talk: &str) -> Note {
    extract(&transcript(talk), &LEXICON)
}

/// The lines of the note, each with its section's letter, and after `?` each stretch of words that is listed with its reason.
fn lines(talk: &str) -> Vec<String> {
    let note = note(talk);
    let written = sections(&note, Language::English).into_iter();
    let written = written.flat_map(|section| {
        let line = move |line: cantoscribe::note::Sentence| format!("{:?} {}", section.code, line.text.reveal());
        section.sentences.into_iter().map(line).collect::<Vec<_>>()
    });
    let turns: Vec<&str> = talk.split('|').map(|turn| &turn[2..]).collect();
    let listed = note.uncovered.iter().map(|entry| {
        let words = turns[usize::try_from(entry.span.segment()).unwrap()].chars();
        let words: String = words.skip(entry.span.start()).take(entry.span.end() - entry.span.start()).collect();
        format!("? {words}: {}", entry.reason)
    });
    written.chain(listed).collect()
}

fn check(rows: &[(&str, &[&str])]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter(|(talk, wanted)| lines(talk) != *wanted)
        .map(|(talk, wanted)| format!("{talk}\n    wanted {wanted:?}\n    got    {:?}", lines(talk)))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

const IMPLAUSIBLE: &str = "implausible value, not written";
const UNKNOWN: &str = "clinical words, no finding";

#[test]
fn a_temperature_ends_where_a_time_begins() {
    check(&[
        ("d:發高燒三十九度兩日。", &["S C/O fever x 2/7.", "O T 39 °C."]),
        ("p:發燒三十八度三日。", &["S C/O fever x 3/7.", "O T 38 °C."]),
        ("p:體溫三十九度兩個鐘前食咗退燒藥。", &["O T 39 °C."]),
        ("p:發燒39度2日。", &["S C/O fever x 2/7.", "O T 39 °C."]),
        ("-:fever 38 degrees 3 days", &["S C/O fever x 3/7.", "O T 38 °C."]),
        ("p:發燒三十八度五三日。", &["S C/O fever x 3/7.", "O T 38.5 °C."]),
        ("d:體溫三十九度二。", &["O T 39.2 °C."]),
    ]);
}

#[test]
fn a_dose_that_cannot_be_is_listed_and_the_drug_stays() {
    let listed = |words: &str| format!("? {words}: {IMPLAUSIBLE}");
    for (talk, drug, words) in [
        ("d:開 metformin 500 g BD。", "P Metformin BD.", "500 g"),
        ("d:paracetamol 5000 mg QID。", "P Paracetamol QID.", "5000 mg"),
        ("d:warfarin 300 mg daily。", "P Warfarin daily.", "300 mg"),
        ("d:levothyroxine 100 mg daily。", "P Levothyroxine daily.", "100 mg"),
        ("d:paracetamol 100 tabs QID。", "P Paracetamol QID.", "100 tabs"),
        ("d:amoxicillin 500 mg 50 times a day。", "P Amoxicillin 500 mg.", "50 times a day"),
        ("d:amoxicillin 五百 mg 一日五十次。", "P Amoxicillin 500 mg.", "一日五十次"),
        ("d:insulin 朝早一千六百度夜晚八度。", "P Insulin BD.", "朝早一千六百度夜晚八度"),
        // The dose so far is not the one that was meant.
        ("p:我食緊 metformin 五百 mg 一日兩次。|d:metformin 加到 500 g 一日兩次。", "P Metformin BD.", "500 g"),
    ] {
        assert_eq!(lines(talk), [drug.to_owned(), listed(words)], "{talk}");
    }
    check(&[
        ("d:levothyroxine 100 mcg daily。", &["P Levothyroxine 100 mcg daily."]),
        ("d:metformin 1 g BD。", &["P Metformin 1 g BD."]),
        ("d:amoxicillin 500 mg 4 times a day。", &["P Amoxicillin 500 mg QID."]),
        (
            "d:開 metformin 500 g,唔係,500 mg BD。",
            &["P Metformin 500 mg BD.", "? 開 metformin 500 g: clinical words, no finding"],
        ),
        ("d:ofloxacin eye drops 一滴一日十次。", &["P Ofloxacin eye drops 1 drop 10 times a day."]),
    ]);
}

#[test]
fn a_unit_left_out_is_the_drugs_own_or_is_asked_for() {
    check(&[
        ("d:amoxicillin 500 TDS x 1/52。", &["P Amoxicillin 500 mg TDS x 1/52."]),
        ("d:metformin 五百 BD 同 amlodipine 五 daily。", &["P Metformin 500 mg BD.", "P Amlodipine 5 mg daily."]),
        ("p:食緊metformin五百一日兩次", &["S On metformin 500 mg BD."]),
        ("p:食緊 levothyroxine 一百 daily。", &["S On levothyroxine 100 mcg daily."]),
        ("d:amlodipine 五百 daily。", &["P Amlodipine daily.", "? 五百: a number without its unit, not written as a dose"]),
        ("p:食緊 aspirin 80 同 metformin 500。", &["S On aspirin 80 mg, metformin 500 mg."]),
        // One milligram or one tablet.
        ("d:lorazepam 一 nocte。", &["P Lorazepam daily.", "? 一: a number without its unit, not written as a dose"]),
    ]);
    let told = |talk: &str| note(talk).medications.iter().map(|drug| (drug.unit_implied, drug.confidence)).collect::<Vec<_>>();
    assert_eq!(told("d:amoxicillin 500 TDS。"), [(true, 0.7)]);
    assert!(told("d:amoxicillin 500 mg TDS。").iter().all(|(implied, confidence)| !implied && *confidence > 0.7));
}

#[test]
fn what_was_taken_until_now_stands_before_the_arrow() {
    check(&[
        ("d:Plan: metformin 500 mg BD -> 1 g BD", &["P Metformin 500 mg BD -> 1 g BD."]),
        ("d:metformin 500 mg BD -> 1 g daily", &["P Metformin 500 mg BD -> 1 g daily."]),
        ("p:食緊 metformin 五百 mg 一日兩次。|d:metformin 加到一克一日兩次。", &["P Metformin 500 mg BD -> 1 g BD."]),
        ("p:食緊 metformin 五百 mg 一日兩次。|d:加到一千,一日兩次。", &["P Metformin 500 mg BD -> 1000 mg BD."]),
        ("d:gliclazide 八十 BD 加到一百六 BD。", &["P Gliclazide 80 mg BD -> 160 mg BD."]),
        ("d:amlodipine 五 mg 加到十。", &["P Amlodipine 5 mg -> 10 mg."]),
        ("d:amlodipine 5 -> 10 daily", &["P Amlodipine 5 mg -> 10 mg daily."]),
        ("d:amlodipine 由五 mg 加到十 mg 一日一次。", &["P Amlodipine 5 mg -> 10 mg daily."]),
        // A slip of the tongue was never taken, and what goes on unchanged has no arrow.
        (
            "d:開 metformin 五百 mg,唔係,一克一日兩次。",
            &["P Metformin 1 g BD.", "? 開 metformin 五百 mg: clinical words, no finding"],
        ),
        ("p:食緊 metformin 五百 mg 一日兩次。|d:metformin 五百 mg 一日兩次照食。", &["S On metformin 500 mg BD."]),
    ]);
    let changed = note("d:Plan: metformin 500 mg BD -> 1 g BD");
    let [drug] = changed.medications.as_slice() else { panic!("{:?}", changed.medications) };
    assert_eq!(drug.dose.as_ref().map(|dose| (dose.value, dose.unit.as_str())), Some((1.0, "g")));
    let said: Vec<char> = "Plan: metformin 500 mg BD -> 1 g BD".chars().collect();
    let words = drug.provenance.spans().iter().map(|span| said[span.start()..span.end()].iter().collect::<String>());
    assert!(words.collect::<Vec<_>>().contains(&"500 mg".to_owned()), "the old dose is among the evidence");
}

#[test]
fn doses_that_differ_are_told_in_the_words_that_were_said() {
    check(&[
        ("p:我打 insulin 朝早十六度夜晚八度。", &["S On insulin 「朝早十六度夜晚八度」 BD."]),
        (
            "d:insulin 16 units in the morning and 8 units at night",
            &["P Insulin 「16 units in the morning and 8 units at night」 BD."],
        ),
        ("d:insulin glargine 朝早十六度夜晚十六度。", &["P Insulin glargine 16 units BD."]),
        ("d:warfarin 三 mg 同四 mg 隔日食。", &["P Warfarin 「三 mg 同四 mg 隔日」."]),
        ("d:warfarin 3 mg 星期一三五,4 mg 其他日子。", &["P Warfarin 「3 mg 星期一三五,4 mg 其他日」."]),
        ("d:warfarin alternate 3 mg and 4 mg", &["P Warfarin 「alternate 3 mg and 4 mg」."]),
        ("d:panadol 朝早食兩粒,夜晚食一粒。", &["P Paracetamol 「朝早食兩粒,夜晚食一粒」 BD."]),
        ("p:我打 insulin 朝早二十度,夜晚十二度,臨瞓前十度。", &["S On insulin 「朝早二十度,夜晚十二度,臨瞓前十度」 TDS."]),
        ("p:打 insulin 朝早十六夜晚八。", &["S On insulin 「朝早十六夜晚八」 BD."]),
        ("d:prednisolone 三十 mg 三日,二十 mg 三日,十 mg 三日。", &["P Prednisolone 「三十 mg 三日,二十 mg 三日,十 mg 三日」."]),
        ("d:augmentin 一克 BD 七日。", &["P Amoxicillin/clavulanate 1 g BD x 1/52."]),
        ("d:augmentin 1 g BD for 7 days", &["P Amoxicillin/clavulanate 1 g BD x 1/52."]),
        ("d:metformin 500 mg BD 兩個禮拜覆診。", &["P Metformin 500 mg BD.", "P FU 2/52."]),
    ]);
    let split = note("p:我打 insulin 朝早十六度夜晚八度。");
    assert!(split.medications.iter().all(|drug| drug.dose.is_none()));
}

#[test]
fn a_reading_at_home_is_listed_beside_that_of_the_visit() {
    let home = |words: &str| format!("? {words}: home reading, not written beside this visit's");
    for (talk, written, words) in [
        ("p:屋企量血壓一五零九十,今日一三零八十。", Some("O BP 130/80."), "一五零九十"),
        ("p:屋企量血壓一百五十九十五,今日一百三十八十。", Some("O BP 130/80."), "一百五十九十五"),
        ("-:屋企血壓一五零九零,今次一三六八八", Some("O BP 136/88."), "一五零九零"),
        ("d:今日血壓一三零八十,屋企一五零九十。", Some("O BP 130/80."), "一五零九十"),
        ("p:屋企篤手指七點二,今日八點一。", Some("O Capillary glucose 8.1 mmol/L."), "篤手指七點二"),
        ("p:屋企量血壓150/90。", None, "150/90"),
        ("p:屋企量過血壓一五零九十。", None, "一五零九十"),
        ("p:我屋企量一五零九十。", None, "一五零九十"),
        ("p:喺屋企探熱三十八度五。", None, "探熱三十八度五"),
    ] {
        let wanted: Vec<String> = written.map(str::to_owned).into_iter().chain([home(words)]).collect();
        assert_eq!(lines(talk), wanted, "{talk}");
    }
    check(&[
        ("d:上次血壓一五零九十,今日一三零八十。", &["O BP 130/80."]),
        ("d:血壓1450/90。", &[&format!("? 1450/90: {IMPLAUSIBLE}")]),
    ]);
    // Asked for in one turn and told in the next.
    check(&[
        ("d:屋企量血壓點?|p:一百五十九十。", &[&home("一百五十九十")]),
        ("d:屋企量血壓點呀?|p:一五零九十。|d:今日一三零八十。", &[&home("一五零九十")]),
        ("d:屋企血糖幾多?|p:空腹七點二。", &["? 屋企血糖幾多: clinical words, no finding", &home("空腹七點二")]),
        ("d:屋企探熱幾多度?|p:三十八度五。", &[&home("三十八度五")]),
        ("d:有冇喺屋企量血壓?|p:有呀。|d:幾多?|p:上壓一百五,下壓九十。", &[&home("上壓一百五"), &home("下壓九十")]),
        ("p:屋企量,上壓一百五,下壓九十。", &[&home("上壓一百五"), &home("下壓九十")]),
        ("d:屋企血壓幾多呀?|p:大概一三五八十五。", &[&home("一三五八十五")]),
        ("p:屋企量到 135/85,120/75 嗰啲。|d:呢度量 150/95。", &["O BP 150/95.", &home("135/85"), &home("120/75")]),
        // Asked of something else, or measured here.
        ("d:屋企有冇人煮飯?|p:有。|d:血壓 142/88,心跳七十二。", &["O BP 142/88.", "O P 72/min."]),
    ]);
}

#[test]
fn what_a_value_should_be_is_listed_and_todays_is_written() {
    let target = |words: &str| format!("? {words}: a target or a bound, not written as measured");
    for (talk, written, words) in [
        ("d:血壓目標係一三零八十以下。今日一四二八八。", Some("O BP 142/88."), "一三零八十"),
        ("d:LDL 要低過 1.8。今次 2.6。", Some("O LDL 2.6 mmol/L."), "LDL 要低過 1.8"),
        ("d:HbA1c 目標七度以下,今次八點一。", Some("O HbA1c 8.1%."), "HbA1c 目標七"),
        ("d:目標 HbA1c 係七,你而家七點八。", Some("O HbA1c 7.8%."), "HbA1c 係七"),
        ("d:target BP <130/80, today 142/90。", Some("O BP 142/90."), "130/80"),
        ("d:正常血糖係四至六,你今次七點六。", Some("O Capillary glucose 7.6 mmol/L."), "血糖係四"),
        ("d:希望血壓落到 130/80。", None, "130/80"),
        ("d:想血壓 control 到 130/80。", None, "130/80"),
        ("d:血壓應該係一百三十八十以下。", None, "一百三十八十"),
        ("d:aim for BP 130/80。", None, "130/80"),
        ("d:LDL target below 1.8。", None, "LDL target below 1.8"),
    ] {
        let wanted: Vec<String> = written.map(str::to_owned).into_iter().chain([target(words)]).collect();
        assert_eq!(lines(talk), wanted, "{talk}");
    }
    check(&[
        ("d:血壓 130/80,正常。", &["O BP 130/80."]),
        ("d:血壓正常,130/80。", &["O BP 130/80."]),
        ("d:血壓 130/80 達標。", &["O BP 130/80."]),
        ("d:心跳正常七十二。", &["O P 72/min."]),
        ("d:HbA1c 七點八,目標係七。", &["O HbA1c 7.8%."]),
        ("d:LDL 由三點一降到二點六。", &["O LDL 2.6 mmol/L."]),
        ("d:上次 LDL 3.1。今次 2.6。", &["O LDL 2.6 mmol/L."]),
        // Rough, or two numbers that are no pressure.
        ("d:血糖七點幾。", &["? 血糖七點幾: clinical words, no finding"]),
    ]);
}

#[test]
fn a_number_beside_the_pressure_is_read_or_listed() {
    let unread = |words: &str| format!("? {words}: not understood as a blood pressure, not written");
    check(&[
        ("d:血壓 90/146。", &[&unread("90/146")]),
        ("d:血壓 80/120。", &[&unread("80/120")]),
        ("d:血壓一百四十二。", &[&unread("一百四十二")]),
        ("d:血壓一百六十上一百。", &["O BP 160/100."]),
        ("d:量到一百五十上九十。", &["O BP 150/90."]),
        ("d:上次血壓一五零九十,今日一三零八十。", &["O BP 130/80."]),
        ("d:血壓兩次都正常。", &[]),
        ("d:體溫 37 度 2。", &["O T 37.2 °C."]),
        ("d:探熱 38度 5。", &["O T 38.5 °C."]),
        ("d:三十八 度 五。", &["O T 38.5 °C."]),
        ("d:體溫 38 度 2 日。", &["O T 38 °C."]),
    ]);
}

#[test]
fn lengths_of_time_are_whole_and_rough_ones_say_so() {
    check(&[
        ("p:我頭痛半年。", &["S C/O headache x 6/12."]),
        ("p:頭痛一年半。", &["S C/O headache x 18/12."]),
        ("p:頭痛三個幾禮拜。", &["S C/O headache x ~3/52."]),
        ("p:咳咗兩三日。", &["S C/O cough x 2-3/7."]),
        ("p:咳咗十幾日。", &["S C/O cough x 10+/7."]),
        ("p:咳咗個半月。", &["S C/O cough x 1.5/12."]),
        ("p:咳咗個幾月。", &["S C/O cough x 1-2/12."]),
        ("p:腰痛一年幾。", &["S C/O LBP x ~1 yr."]),
        ("p:膝頭痛三個月。", &["S C/O knee pain x 3/12."]),
        ("d:半年後覆診。", &["P FU 6/12."]),
    ]);
}

#[test]
fn a_name_that_no_table_knows_is_listed_behind_what_says_that_it_is_taken() {
    let listed = |words: &str| format!("? {words}: {UNKNOWN}");
    for (talk, written, words) in [
        ("p:我食緊阿摸羅地平", None, "我食緊阿摸羅地平"),
        ("p:我食緊 ass print", None, "我食緊 ass print"),
        ("-:食緊ass print同metformin", Some("S On metformin."), "食緊ass print同metformin"),
        ("p:I am taking a sprint daily", None, "I am taking a sprint daily"),
        ("p:割過腎", None, "割過腎"),
    ] {
        let wanted: Vec<String> = written.map(str::to_owned).into_iter().chain([listed(words)]).collect();
        assert_eq!(lines(talk), wanted, "{talk}");
    }
    for talk in ["p:我食緊飯", "p:我食緊嘢", "p:食緊早餐嗰陣", "p:食緊晚飯嗰陣"] {
        assert_eq!(lines(talk), Vec::<String>::new(), "{talk}");
    }
    for talk in ["p:割過盲腸", "p:盲腸割咗", "p:以前切過膽", "p:我開過刀"] {
        assert_eq!(lines(talk), [listed(&talk[2..])], "{talk}");
    }
}

#[test]
fn a_value_may_stand_behind_how_it_is() {
    check(&[
        ("d:LDL 高咗,三點八,creatinine 一百。", &["O LDL 3.8 mmol/L.", "O Cr 100 umol/L.", "A Imp: high cholesterol."]),
        ("d:糖化血紅素升咗,八點二。", &["O HbA1c 8.2%."]),
        ("d:體溫正常,三十六點八。", &["O T 36.8 °C."]),
        ("d:血壓高咗,一五八九十二。", &["O BP 158/92.", "A Imp: HT."]),
        ("d:血壓高,七十八歲。", &["A Imp: HT."]),
        ("d:deadlift 拉到一百二 kg。", &["? deadlift 拉到一百二 kg: clinical words, no finding"]),
        ("d:BMI 28 kg/m2。", &["O Body mass index 28 kg/m2."]),
        ("d:出世體重 3.2 公斤,而家 8.5 公斤。", &["O Birth weight 3.2 kg.", "O BW 8.5 kg."]),
    ]);
}
