//! Sides and lengths of time: each side an entry of its own where they differ, a side or a time by itself as an answer, put right, and
//! times that only say how often. Each row one talk and what its conditions are: code, side, claim, days.

use cantoscribe::note::extract::extract;

use super::LEXICON;
use super::scopes::transcript;

/// `code side claim days`, sorted, with what is not said left out.
fn told(talk: &str) -> Vec<String> {
    let note = extract(&transcript(talk), &LEXICON);
    let mut all: Vec<String> = note
        .conditions
        .iter()
        .map(|condition| {
            let side = condition.laterality.map(|side| format!(" {side:?}")).unwrap_or_default();
            let days = condition.duration_days.map(|days| format!(" {days}")).unwrap_or_default();
            format!("{}{side} {:?}{days}", condition.codes[0].code, condition.assertion).to_lowercase()
        })
        .collect();
    all.sort();
    all
}

fn check(rows: &[(&str, &[&str])]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter(|(talk, wanted)| told(talk) != *wanted)
        .map(|(talk, wanted)| format!("{talk}\n    wanted {wanted:?}\n    got    {:?}", told(talk)))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn what_one_side_has_not_the_other_may_have() {
    check(&[
        ("p:右腳腫,左腳冇腫", &["r60.0 left absent", "r60.0 right present"]),
        ("p:右膝痛,左膝唔痛", &["m25.5 left absent", "m25.5 right present"]),
        ("d:左肺有肺炎,右肺冇肺炎", &["j18.9 left present", "j18.9 right absent"]),
        ("p:右膝痛,左膝都痛", &["m25.5 bilateral present"]),
        ("p:兩邊膝頭痛", &["m25.5 bilateral present"]),
        ("p:兩隻腳都腫,右腳腫啲", &["r60.0 bilateral present"]),
        ("p:右膝痛,唔係,左膝痛", &["m25.5 left present"]),
        ("p:右膝痛,er 唔係,左膝痛", &["m25.5 left present"]),
        ("d:左邊鼻有瘜肉右邊冇", &["j33.9 left present"]),
    ]);
}

#[test]
fn a_side_stands_in_a_name_in_letters_and_behind() {
    check(&[
        ("d:右眼白內障,左眼青光眼", &["h26.9 right present", "h40.9 left present"]),
        ("p:左眼紅", &["h57.8 left present"]),
        ("d:L knee OA", &["m17.9 left present"]),
        ("d:OA L knee", &["m17.9 left present"]),
        ("d:Rt ankle sprain", &["s93.4 right present"]),
        ("d:cataract of the left eye", &["h26.9 left present"]),
        // Letters and characters that are no side.
        ("p:腳痛左兩日", &["m79.6 present 2"]),
        ("d:L4 fracture", &["t14.2 present"]),
    ]);
}

#[test]
fn a_side_by_itself_answers() {
    check(&[
        ("d:你左膝痛?|p:唔係左邊,右邊先啱", &["m25.5 right present"]),
        ("d:左邊定右邊膝痛?|p:左邊", &["m25.5 left present"]),
        ("p:膝頭痛|d:邊隻?|p:右隻", &["m25.5 right present"]),
        ("p:膝頭痛|d:邊邊呀?|p:右邊囉", &["m25.5 right present"]),
        ("d:膝頭痛?邊隻?|p:右隻", &["m25.5 right present"]),
        ("p:隻眼好痕|d:邊隻眼?|p:左眼", &["h57.8 left present"]),
        ("p:頭痛|d:打邊隻手?|p:左手", &["r51 present"]),
        ("p:膝頭痛|d:今日打針|p:左手", &["m25.5 present"]),
    ]);
}

#[test]
fn how_often_is_not_how_long() {
    check(&[
        ("p:肚屙,一日屙四次,屙咗兩日", &["k52.9 present 2"]),
        ("p:我頭痛,一日痛幾次", &["r51 present"]),
        ("p:我食煙,一日半包,食咗廿年", &["f17.2 present 7300"]),
        ("p:我有糖尿,一日食三次藥", &["e14.9 present"]),
        ("p:甲亢,半年覆診一次", &["e05.9 present"]),
        ("p:腰痛,企半個鐘就痛", &["m54.5 present"]),
        ("p:咳咗兩個禮拜,一日咳好多次", &["r05 present 14"]),
        ("p:頭痛三日食咗兩粒藥", &["r51 present 3"]),
        ("p:腳腫三日", &["r60.0 present 3"]),
    ]);
}

#[test]
fn a_time_by_itself_answers() {
    check(&[
        ("d:咳咗幾耐?|p:三個禮拜", &["r05 present 21"]),
        ("p:發燒|d:幾多日?|p:兩日囉", &["r50.9 present 2"]),
        ("p:肚痛|d:痛咗幾耐呀?|p:大約五日", &["r10.4 present 5"]),
        ("p:發燒四日,唔係,三日咋", &["r50.9 present 3"]),
        ("p:咳|d:啲藥食咗幾耐?|p:兩個禮拜", &["r05 present"]),
        ("d:頭痛幾耐?有冇作嘔?|p:兩日", &["r51 present 2"]),
        ("p:頭痛|d:有冇暈?|p:兩日", &["r51 present"]),
    ]);
}
