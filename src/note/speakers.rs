//! Who speaks, from the words alone, where nothing else says it: who asks, examines and advises, and who complains and answers.
//!
//! A guess, with a confidence, and never more: no rule of the extraction reads it, and a transcript's `speaker` stays unknown. Each segment
//! is judged by itself, for a pause does not always change the speaker. What is not nearly sure is left out, which is most of it.
//!
//! The weights are chosen by hand on the consultations of `tests/consultations` and of the shared set, which are written and not recorded:
//! what guesses are worth on a recogniser's words is not measured.

use serde::{Deserialize, Serialize};

use crate::speech::Segment;

/// A side of the talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The doctor.
    Doctor,
    /// The patient, or who came along.
    PatientSide,
}

impl Side {
    /// Of a speaker's label; nothing for other labels than those of a consultation.
    #[must_use]
    pub fn of(speaker: &str) -> Option<Self> {
        match speaker {
            "doctor" => Some(Self::Doctor),
            "patient" | "relative" | "companion" | "carer" | "caregiver" | "parent" | "mother" | "father" | "spouse"
            | "helper" => Some(Self::PatientSide),
            _ => None,
        }
    }
}

/// Who most likely says a segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpeakerGuess {
    /// The segment's id.
    pub segment: u64,
    /// Who.
    pub side: Side,
    /// How likely that is, 0 to 1.
    pub confidence: f64,
}

/// A guess that is less likely is not made.
const LEAST_CONFIDENCE: f64 = 0.9;
/// Words alone never say more.
const MOST_CONFIDENCE: f64 = 0.99;
/// Cues do not come independently of each other: what they say together counts less than their sum.
const SCALE: f64 = 0.75;

/// Where a cue stands in a segment.
#[derive(Clone, Copy)]
enum Place {
    Anywhere,
    First,
    Last,
}

use Place::{Anywhere, First, Last};

/// Words that one side says more than the other: how much more, as a logarithm, above 0 for the doctor. Of the words of one cue one is
/// enough.
type Cue = (f64, Place, &'static [&'static str]);

const CUES: [Cue; 25] = [
    // What will be done.
    (3.0, Anywhere, &["覆診", "返嚟", "轉介", "病假", "入院", "排期"]),
    (1.5, Anywhere, &["一日一次", "一日兩次", "一日三次", "一日四次", "每晚", "有需要先", "飯後", "飯前", "餐前", "照食"]),
    (0.8, Anywhere, &["mg", "mcg", "毫克", "微克"]),
    (1.5, Anywhere, &["加埋", "停咗佢", "轉用", "換隻", "試下", "處方", "我開"]),
    (1.5, First, &["開", "加", "轉", "食", "搽", "打"]),
    (1.4, Anywhere, &["唔好", "記得", "即刻", "戒", "飲多", "少食", "注意", "留意", "休息"]),
    // The patient repeats what will be done.
    (-4.0, Anywhere, &["轉介我", "算唔算敏感", "係咪咁", "覆診係咪", "返嚟囉", "燒咗四日", "燒咗三日"]),
    // What was found, and what it is.
    (1.2, Anywhere, FOUND),
    (0.9, Anywhere, &["多數係", "睇嚟", "應該係", "唔似", "即係", "呢啲係", "要排除", "確診", "係急性", "唔係"]),
    // Questions to the patient.
    (1.2, Anywhere, WHETHER),
    (1.5, Anywhere, &["幾耐", "幾時", "幾多", "幾密", "幾大", "幾度", "邊度", "點樣", "咩事", "做緊乜", "多久"]),
    (0.5, Last, &["?", "？"]),
    (1.6, Anywhere, &["你", "記低", "寫低"]),
    // Questions to the doctor, and what other doctors said.
    (-5.0, First, &["醫生", "唔該醫生", "唔該,醫生", "唔該，醫生"]),
    (-5.0, Anywhere, &["醫生我", "醫生,我", "醫生，我"]),
    (-3.0, Anywhere, &["醫生話", "醫生叫", "醫生懷疑", "上網", "網上", "朋友"]),
    (-3.0, Anywhere, &["要唔要", "使唔使", "食唔食得", "可唔可以", "點解", "點醫", "係咩嚟"]),
    (-1.6, Anywhere, &["好驚", "驚係", "點算", "得唔得", "係唔係好", "會唔會"]),
    // What is felt, since when, and what is taken.
    (-1.2, Anywhere, FELT),
    (-1.5, Anywhere, &["食緊"]),
    (
        -2.0,
        Anywhere,
        &["我阿", "我老", "我媽", "我爸", "我家", "我細", "我大", "我婆", "我外", "我妹", "我姐", "我哥", "我弟", "我舅"],
    ),
    (-1.0, Anywhere, &["佢冇", "佢有", "佢食", "佢話"]),
    (-1.0, First, &["佢"]),
    (-2.0, First, &["冇"]),
    (
        -0.9,
        Last,
        &["㗎", "喎", "呀", "喇", "㗎?", "喎?", "呀?", "喇?", "㗎？", "喎？", "呀？", "喇？", "㗎。", "喎。", "呀。", "喇。"],
    ),
];

const FOUND: &[&str] = &["陰性", "陽性", "正常", "血氧", "體溫", "打落", "撳落", "見到", "聽落", "檢查"];
const WHETHER: &[&str] = &["有冇", "有沒有", "係咪", "是不是"];
const FELT: &[&str] =
    &["痛到", "痛咗", "好痛", "唔舒服", "琴晚", "尋日", "琴日", "今朝", "上個月", "呢三日", "舊年", "瞓唔到", "嘔過", "嗰陣"];
/// A segment that begins so and then pauses answers.
const ANSWERS: [&str; 5] = ["有", "係", "唔係", "都冇", "未"];
/// What a doctor does, after 我.
const DOCTOR_DOES: [&str; 10] = ["轉介", "開", "停咗佢", "哋", "建議", "同你", "而家", "睇", "幫", "俾"];

/// Who most likely says a segment of which nobody knows it.
#[must_use]
pub fn guess(segment: &Segment) -> Option<SpeakerGuess> {
    if segment.speaker.is_some() {
        return None;
    }
    let doctor = 1.0 / (1.0 + (-SCALE * leaning(segment.text.reveal().trim())).exp());
    let (side, confidence) = if doctor >= 0.5 { (Side::Doctor, doctor) } else { (Side::PatientSide, 1.0 - doctor) };
    // Three digits say as much as there is to say.
    let confidence = (confidence.min(MOST_CONFIDENCE) * 1e3).round() / 1e3;
    (confidence >= LEAST_CONFIDENCE).then_some(SpeakerGuess { segment: segment.id, side, confidence })
}

/// Above 0 for the doctor.
fn leaning(text: &str) -> f64 {
    let has = |(_, place, words): &&Cue| match place {
        Anywhere => words.iter().any(|word| text.contains(word)),
        First => words.iter().any(|word| text.starts_with(word)),
        Last => words.iter().any(|word| text.ends_with(word)),
    };
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let mut leaning: f64 = CUES.iter().filter(has).map(|(weight, _, _)| weight).sum();
    if !says(WHETHER) && asks_whether(text) {
        leaning += 1.2;
    }
    if !says(FOUND) && measures(text) {
        leaning += 1.2;
    }
    if speaks_of_oneself(text) {
        leaning -= 2.2;
    }
    if answers(text) {
        leaning -= 2.0;
    }
    leaning
}

/// 痛唔痛, 是不是: a word, its denial, and the word again.
fn asks_whether(text: &str) -> bool {
    let denied = |between: char| matches!(between, '唔' | '不');
    let (second, third) = (text.chars().skip(1), text.chars().skip(2));
    text.chars().zip(second).zip(third).any(|((first, between), last)| denied(between) && first == last)
}

/// HbA1c 七點二, MMSE 18, 血壓一三二: a name in capitals, or of a vital sign, and its number.
fn measures(text: &str) -> bool {
    let number = |c: char| c.is_ascii_digit() || "零一二三四五六七八九十百兩半".contains(c);
    let vital = ["血壓", "心跳"]
        .iter()
        .flat_map(|name| text.match_indices(name).map(|(place, found)| place + found.len()))
        .any(|end| text.get(end..).is_some_and(|rest| rest.starts_with(number)));
    let (mut capitals, mut spaced) = (0, false);
    vital
        || text.chars().any(|c| {
            let measured = capitals >= 2 && number(c) && (spaced || !c.is_ascii_digit());
            match c {
                'A'..='Z' if !spaced => capitals += 1,
                'A'..='Z' => (capitals, spaced) = (1, false),
                '0'..='9' if capitals >= 2 => {}
                ' ' if capitals >= 2 && !spaced => spaced = true,
                _ => (capitals, spaced) = (0, false),
            }
            measured
        })
}

/// 我, unless a doctor's doing follows.
fn speaks_of_oneself(text: &str) -> bool {
    text.match_indices('我').any(|(place, found)| {
        let rest = text.get(place + found.len()..).unwrap_or_default();
        !DOCTOR_DOES.iter().any(|does| rest.starts_with(does))
    })
}

/// A bare answer, or one before a pause.
fn answers(text: &str) -> bool {
    ANSWERS
        .iter()
        .filter_map(|answer| text.strip_prefix(answer))
        .any(|rest| rest.chars().next().is_none_or(|next| matches!(next, ',' | '，' | '。' | '呀' | '啊' | '喎' | ' ')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guesses(turns: &[(Option<&str>, &str)]) -> Vec<SpeakerGuess> {
        let segment = |(id, (speaker, text)): (u64, &(Option<&str>, &str))| Segment {
            id,
            start_ms: None,
            end_ms: None,
            speaker: speaker.map(str::to_owned),
            text: (*text).into(),
            confidence: None,
            words: None,
            tokens: None,
        };
        (0..).zip(turns).map(segment).filter_map(|segment| guess(&segment)).collect()
    }

    #[test]
    fn who_asks_and_advises_is_told_from_who_complains() {
        let heard = guesses(&[
            (None, "醫生,我頭痛咗三日"),
            (None, "幾時開始?有冇嘔?"),
            (None, "嗯"),
            (None, "開 paracetamol 500 mg 一日四次,三日後覆診"),
            (Some("doctor"), "有冇敏感?你食開咩藥?"),
            (None, ""),
        ]);
        let guessed: Vec<(u64, Side)> = heard.iter().map(|guess| (guess.segment, guess.side)).collect();
        assert_eq!(guessed, [(0, Side::PatientSide), (1, Side::Doctor), (3, Side::Doctor)]);
        assert!(heard.iter().all(|guess| (LEAST_CONFIDENCE..1.0).contains(&guess.confidence)));
        let json = serde_json::to_string(&heard[0]).unwrap();
        assert!(json.starts_with(r#"{"segment":0,"side":"patient_side","confidence":0."#), "{json}");
    }

    #[test]
    fn cues_are_found_where_they_are() {
        assert!(asks_whether("咳唔咳") && asks_whether("是不是") && !asks_whether("唔咳") && !asks_whether("我唔係"));
        for measured in ["TSH 六點二", "MMSE十八分", "B12 正常,LDL 3.8", "血壓一三二/七八", "CRP 二"] {
            assert!(measures(measured), "{measured}");
        }
        for not in ["MRI", "B12 正常", "血壓高", "COPD,三年", "T3"] {
            assert!(!measures(not), "{not}");
        }
        assert!(answers("有") && answers("係,三日") && !answers("有咳"));
        assert!(speaks_of_oneself("我食咗") && !speaks_of_oneself("我開藥俾你"));
        for strange in ["", "我", "唔", "AA", "血壓", "?", "\u{200b}"] {
            guesses(&[(None, strange)]);
        }
    }
}
