//! What is claimed of a condition, class by class: each row one talk of one to three turns, in Cantonese, written Chinese or English.
//!
//! A row names the codes and claims that must come out; of claims not named, only an absence may come as well.

use cantoscribe::note::Assertion;
use cantoscribe::note::extract::extract;
use cantoscribe::speech::Transcript;

use super::LEXICON;

/// Turns as `d:`, `p:`, `r:` or `-:` (unknown) and words, between `|`.
pub(super) fn transcript(talk: &str) -> Transcript {
    let segments: Vec<_> = talk
        .split('|')
        .enumerate()
        .map(|(id, turn)| {
            let (who, text) = turn.split_once(':').unwrap();
            let speaker = match who {
                "d" => Some("doctor"),
                "p" => Some("patient"),
                "r" => Some("relative"),
                "n" => Some("nurse"),
                _ => None,
            };
            serde_json::json!({"id": id, "speaker": speaker, "text": text})
        })
        .collect();
    let document = serde_json::json!({"schema": "cantoscribe/transcript/1", "language": "yue", "segments": segments});
    serde_json::from_value(document).unwrap()
}

pub(super) fn check(rows: &[(&str, &[&str])]) {
    let mut wrong = Vec::new();
    for (talk, wanted) in rows {
        let note = extract(&transcript(talk), &LEXICON);
        let claims: Vec<(String, Assertion)> = note
            .conditions
            .iter()
            .map(|condition| {
                (format!("{} {:?}", condition.codes[0].code, condition.assertion).to_lowercase(), condition.assertion)
            })
            .collect();
        let wanted: Vec<String> = wanted.iter().map(|claim| claim.to_lowercase()).collect();
        let missing: Vec<&String> = wanted.iter().filter(|claim| !claims.iter().any(|(got, _)| got == *claim)).collect();
        let extra: Vec<&String> = claims
            .iter()
            .filter(|(got, assertion)| *assertion != Assertion::Absent && !wanted.contains(got))
            .map(|(got, _)| got)
            .collect();
        if !missing.is_empty() || !extra.is_empty() {
            wrong.push(format!("{talk}\n    missing {missing:?}, extra {extra:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn negation() {
    check(&[
        ("p:我冇頭痛,都冇作嘔", &["R51 absent", "R11 absent"]),
        ("p:條頸唔痛", &["M54.2 absent"]),
        ("p:冇糖尿,有血壓高。", &["E14.9 absent", "I10 present"]),
        ("p:冇咳,有膿痰。", &["R05 absent", "R09.3 present"]),
        ("p:血壓冇高", &["I10 absent"]),
        ("p:咳就冇,淨係喉嚨好痛", &["R05 absent", "R07.0 present"]),
        ("d:病人否認胸痛、氣促", &["R07.4 absent", "R06.0 absent"]),
        ("p:未試過暈低", &["R55 absent"]),
        ("p:没有发烧也没有咳嗽", &["R50.9 absent", "R05 absent"]),
        ("d:照片見唔到肺炎", &["J18.9 absent"]),
        // What stands behind a name belongs to the next one.
        ("p:頭暈冇嘔", &["R42 present", "R11 absent"]),
        ("p:咳三日冇痰", &["R05 present"]),
        ("p:膝頭痛冇腫", &["M25.5 present"]),
        ("p:心口痛冇氣促冇出汗", &["R07.4 present", "R06.0 absent", "R61.9 absent"]),
        ("p:燒咗三日冇出疹", &["R50.9 present", "R21 absent"]),
        ("p:暈就冇嘅", &["R42 absent"]),
        ("p:我有糖尿冇血壓高", &["E14.9 present", "I10 absent"]),
        ("d:今次唔係扁桃腺發炎,普通感冒", &["J03.9 absent", "J00 present"]),
        ("d:而家聽唔到喘鳴", &["R06.2 absent"]),
        ("d:唔好當胃潰瘍醫", &["K25.9 absent"]),
        ("d:EBV 又 negative,鼻咽癌 exclude 咗", &["C11.9 absent"]),
        ("p:i don't have any chest pain or fever", &["R07.4 absent", "R50.9 absent"]),
        ("d:no headache, no vomiting", &["R51 absent", "R11 absent"]),
        ("d:there is no evidence of pneumonia", &["J18.9 absent"]),
        ("d:COVID 快測陰性", &["U07.1 absent"]),
    ]);
}

#[test]
fn uncertainty() {
    check(&[
        ("d:懷疑係膽石", &["K80.2 possible"]),
        ("d:應該係腸胃炎", &["A09.9 possible"]),
        ("d:多數係痛風", &["M10.9 possible"]),
        ("d:要排除心肌梗塞", &["I21.9 possible"]),
        ("d:唔排除有甲亢", &["E05.9 possible"]),
        ("d:可能是胃潰瘍", &["K25.9 possible"]),
        ("d:probable pneumonia, will get an x-ray", &["J18.9 possible"]),
        ("d:this looks like gout", &["M10.9 possible"]),
        ("d:地中海貧血就要排除", &["D56.9 possible"]),
        ("p:係咪骨質疏鬆呀?|d:有可能,要照過先知。", &["M81.9 possible"]),
        ("d:imp: fever ?pneumonia", &["R50.9 present", "J18.9 possible"]),
    ]);
}

#[test]
fn history() {
    check(&[
        ("p:細個有哮喘,大咗冇再發", &["J45.9 historical"]),
        ("p:五年前生過腎石", &["N20.0 historical"]),
        ("p:我以前有胃潰瘍,醫好咗", &["K25.9 historical"]),
        ("p:舊年中過肺炎", &["J18.9 historical"]),
        ("p:上個月感冒完之後先開始咳", &["J00 historical", "R05 present"]),
        ("p:白內障做咗手術", &["H26.9 historical"]),
        ("p:細個嗰陣有過哮喘", &["J45.9 historical"]),
        ("p:細個嗰陣有哮喘,大個就冇", &["J45.9 historical"]),
        ("p:細個嗰陣有癲癇", &["G40.9 historical"]),
        ("p:had asthma as a child", &["J45.9 historical"]),
        ("p:煙戒咗五年", &["F17.2 historical"]),
        ("p:嗰隻 lisinopril 咳到反轉,舊年停咗", &["R05 historical"]),
        ("p:小时候得过肺炎", &["J18.9 historical"]),
        ("p:i had pneumonia when i was a child", &["J18.9 historical"]),
        ("d:你細個出過水痘未?|p:出過。", &["B01.9 historical"]),
    ]);
}

#[test]
fn what_goes_on_is_present() {
    check(&[
        ("p:我有糖尿十年喇", &["E14.9 present"]),
        ("p:細個到而家都有濕疹", &["L30.9 present"]),
        ("p:咳咗三個禮拜", &["R05 present"]),
        ("p:甲亢一直食緊藥", &["E05.9 present"]),
        ("p:頭痛痛足兩日", &["R51 present"]),
        ("p:i have had a headache for two days", &["R51 present"]),
        ("p:我发烧三天了", &["R50.9 present"]),
        ("p:高血壓食咗廿年藥", &["I10 present"]),
    ]);
}

#[test]
fn family() {
    check(&[
        ("p:我阿媽有乳癌", &["C50.9 family"]),
        ("p:爸爸同大伯都有高血壓", &["I10 family"]),
        ("p:哮喘係我細佬,唔係我", &["J45.9 family"]),
        ("p:家姐有甲亢,我自己冇", &["E05.9 family"]),
        ("p:糖尿我阿爸有", &["E14.9 family"]),
        ("d:屋企人有冇哮喘?|p:細佬有。", &["J45.9 family"]),
        ("p:我叔叔得过胃癌", &["C16.9 family"]),
        ("p:my father has diabetes", &["E14.9 family"]),
        ("p:my mum had breast cancer", &["C50.9 family"]),
        ("r:佢哥哥有濕疹,佢自己發燒", &["L30.9 family", "R50.9 present"]),
        ("r:我有鼻敏感,佢就咳", &["J30.4 family", "R05 present"]),
    ]);
}

#[test]
fn fears() {
    check(&[
        ("p:我驚我有癌症", &[]),
        ("p:我驚我係抑鬱", &[]),
        ("p:我阿媽有糖尿,我驚我都有糖尿", &["E14.9 family"]),
        ("p:I'm worried I have cancer", &[]),
        ("p:i'm afraid that i have pneumonia", &[]),
    ]);
}

/// The side of the first condition of a talk.
fn side(talk: &str) -> String {
    let note = extract(&transcript(talk), &LEXICON);
    let first = note.conditions.first().filter(|condition| condition.assertion == Assertion::Present);
    format!("{:?}", first.and_then(|condition| condition.laterality)).to_lowercase()
}

#[test]
fn a_side_put_right() {
    for (talk, wanted) in [
        ("p:右膝頭痛。|p:唔係,係左邊。", "some(left)"),
        ("p:右邊膊頭痛,啊唔係,左邊膊頭痛", "some(left)"),
        ("d:右膝痛呀?|p:唔係,左膝痛。", "some(left)"),
        ("p:右腳腫|d:右腳?|p:唔係,係左腳", "some(left)"),
        ("p:I have right knee pain, sorry, left knee", "some(left)"),
        ("p:右膝痛,唔係,係左膝痛", "some(left)"),
        ("p:左膝頭痛。|d:左邊?|p:係呀。", "some(left)"),
    ] {
        assert_eq!(side(talk), wanted, "{talk}");
    }
}

#[test]
fn names_that_only_sound_so() {
    check(&[
        ("-:是膀光发炎", &["N30.9 present"]),
        ("-:他有鼻敏敢", &["J30.4 present"]),
        ("-:位痛多久了", &["R10.1 present"]),
        ("-:孝喘急性发作", &["J46 present"]),
        ("-:照了肺没有费炎", &["J18.9 absent"]),
        // Words of their own.
        ("-:呢度有個藥袋", &[]),
        ("-:血壓第一次一百二", &[]),
        ("-:佢寫唔到字", &[]),
        ("-:留小便種菌", &[]),
        ("-:十蚊紙,點知佢唔要", &[]),
    ]);
}

#[test]
fn asked_in_other_words_denied_at_once_and_once_before() {
    check(&[
        // Who asks says what is meant.
        ("d:有冇 PMB?收咗經再流血嗰啲。|p:冇出過血。", &["N95.0 absent"]),
        ("-:有没有撞到头 系晕左先跌定点|-:唔系", &["R55 absent"]),
        // A list without a verb, and an answer that denies all of it.
        ("-:心口痛 心跳亂|-:都無啊", &["R07.4 absent", "R00.8 absent"]),
        ("p:心口痛,心跳亂。|p:都無食藥。", &["R07.4 present", "R00.8 present"]),
        ("d:乙肝 HBsAg neg。", &["B18.1 absent"]),
        // Not an attack, but the disease is there.
        ("p:我有哮喘㗎。|d:今次唔係哮喘發作。", &["J45.9 present"]),
        // What a drug does each time it is taken.
        ("p:盤尼西林就唔食得,出疹。", &[]),
        ("p:erythromycin 我食親就嘔。", &[]),
        ("d:係中耳炎。|p:上年冬天試過兩次中耳炎。", &["H66.9 present", "H66.9 historical"]),
        // n is l to most who speak.
        ("-:我有糖料㗎", &["E14.9 present"]),
        ("d:Axillary lymph node 就冇大到。", &["R59.0 absent"]),
        ("p:上上個月屙過一日黑屎,之後就正常返。", &["K92.1 historical"]),
        ("-:有没有手震出冷汗 即系低血糖果啲|-:冇", &["E16.2 absent"]),
        ("d:乳癌手術做咗六年。", &["C50.9 historical"]),
        ("d:糖漿五毫升,發燒或者痛先食。", &[]),
        ("d:甲狀腺抽血都正常,唔關甲亢甲減事。", &[]),
        ("p:我有 G6PD 㗎。|d:兩隻藥都唔關 G6PD 事。", &["D55.0 present"]),
        // Words of their own.
        ("-:耳鳴有左耳嗚嗚聲", &["H93.1 present"]),
        ("d:Reflexes symmetrical。", &[]),
        ("p:隻腳咬到密密麻麻。", &[]),
    ]);
}

#[test]
fn others() {
    check(&[
        ("p:我同事中咗流感", &[]),
        ("p:隔籬屋個小朋友有水痘", &[]),
        ("p:工人姐姐有肺癆", &[]),
        ("p:女朋友話佢有淋病", &[]),
        ("p:我老闆成日頭痛", &[]),
        ("p:my colleague has the flu", &[]),
        ("p:朋友食完都話頭暈", &[]),
        ("d:另外有個病人中風", &[]),
    ]);
}

#[test]
fn hypothetical() {
    check(&[
        ("d:如果發燒就返嚟", &[]),
        ("d:萬一屙血或者嘔血,即刻去急症", &[]),
        ("d:打完針可能會發燒、疲倦", &[]),
        ("d:若果氣促就叫白車", &[]),
        ("d:呢隻藥有機會令你頭暈,係副作用", &[]),
        ("d:如果头痛很厉害就马上去急症", &[]),
        ("d:come back if you have chest pain", &[]),
        ("d:in case of fever take panadol", &[]),
        ("p:我好驚係肺癌", &[]),
    ]);
}

#[test]
fn questions_and_answers() {
    check(&[
        ("d:有冇發燒?|p:冇。", &["R50.9 absent"]),
        ("d:有冇頭暈、氣促?|p:兩樣都冇。", &["R42 absent", "R06.0 absent"]),
        ("d:咳唔咳?|p:咳呀。", &["R05 present"]),
        ("d:食唔食煙?|p:唔食。", &["F17.2 absent"]),
        ("p:係咪肺炎呀?|d:唔係。", &["J18.9 absent"]),
        ("p:會唔會係痛風?|d:都有可能。", &["M10.9 possible"]),
        ("-:有没有咳嗽|-:没有", &["R05 absent"]),
        ("d:any chest pain?|p:no.", &["R07.4 absent"]),
        ("d:do you get headaches?|p:yes.", &["R51 present"]),
        ("d:體重有冇輕咗、夜晚有冇出汗、咳唔咳?|p:咳有少少,成個月都有啲。", &["R05 present"]),
    ]);
}

#[test]
fn correction() {
    check(&[
        ("d:唔係肺炎,係支氣管炎", &["J18.9 absent", "J20.9 present"]),
        ("d:唔似痛風,係蜂窩組織炎", &["M10.9 absent", "L03.9 present"]),
        ("p:我有糖尿。|d:你冇糖尿,只係邊緣。", &["E14.9 absent"]),
        ("p:護士話係濕疹。|d:唔係濕疹,係牛皮癬。", &["L30.9 absent", "L40.9 present"]),
        ("p:係咪盲腸炎?|d:唔係盲腸炎,係腸胃炎。", &["K35.8 absent", "A09.9 present"]),
        ("d:不是肺炎,是支氣管炎", &["J18.9 absent", "J20.9 present"]),
        ("d:it is not pneumonia, it is bronchitis", &["J18.9 absent", "J20.9 present"]),
        ("d:癌症機會好低,係痔瘡", &["c80.9 absent", "K64.9 present"]),
    ]);
}

#[test]
fn who_is_spoken_of_and_what_is_only_asked() {
    check(&[
        ("d:婆婆,跌之前有冇暈低?|p:冇呀。", &["R55 absent"]),
        ("n:婆婆今個月跌咗三次。", &["R29.6 present"]),
        ("r:我媽咪頭先跌親,手腕好痛。", &["R29.6 present", "M25.5 present"]),
        ("r:我有鼻敏感,佢就咳。", &["J30.4 family", "R05 present"]),
        ("p:我阿媽切咗子宮。", &[]),
        ("p:我條腳抽筋,使唔使食鈣?|d:唔使。", &["R25.2 present"]),
        ("d:有冇燒?|r:尋晚探到三十九度四。", &["R50.9 present"]),
        ("d:有冇燒?|r:三十七度二。", &[]),
        ("d:有冇瀨尿?|p:四五次囉,有時未行到就出咗嚟。", &[]),
        ("d:之前冇血壓高㗎可?|p:之前冇㗎。", &["I10 absent"]),
        ("d:鼻咽癌睇唔到。", &["C11.9 absent"]),
        ("d:有冇天旋地轉?|p:轉就冇。", &["R42 absent"]),
        ("-:唔係麻疹 似係玫瑰疹", &["B05.9 absent", "B08.2 possible"]),
        ("p:右眼突然好矇。", &["H53.8 present"]),
        ("-:甲狀腺亢進覆診瘦返定未", &["E05.9 present"]),
        ("p:I had childhood asthma.", &["J45.9 historical"]),
    ]);
}

#[test]
fn tests_named_are_no_findings() {
    check(&[
        ("d:抽血驗梅毒同愛滋", &[]),
        ("d:驗糖尿同膽固醇", &[]),
        ("d:照腸鏡睇清楚", &[]),
        ("d:篩查乙肝", &[]),
        ("d:TB 驗咗陰性", &["A16.9 absent"]),
        ("d:驗下有冇貧血", &[]),
    ]);
}

#[test]
fn answers_in_other_words() {
    check(&[
        ("d:有冇作嘔?|p:唔覺。", &["R11 absent"]),
        ("d:有冇頭暈?|p:間中囉。", &["R42 present"]),
        ("d:有冇胃口差咗?|p:差咗好多。", &["R63.0 present"]),
        ("d:瞓得好唔好,有冇失眠?|p:瞓得好好。", &["G47.0 absent"]),
        ("d:個鼻有冇流鼻水?|p:流到停唔到。", &["J34.8 present"]),
        ("d:有冇肚痛同肚脹?|p:脹囉,唔痛嘅。", &["R14 present", "R10.4 absent"]),
        ("d:有冇尿頻、尿痛?|p:頻就頻,痛就唔痛。", &["R35 present", "R30.0 absent"]),
        ("d:有冇發燒咳?|p:發燒冇,咳就有。", &["R50.9 absent", "R05 present"]),
        ("d:頭痛頭暈?|p:頭痛就有,暈就唔覺。", &["R51 present", "R42 absent"]),
    ]);
}

#[test]
fn taken_back_or_said_of_oneself() {
    check(&[
        ("p:我有哮喘……唔係,係鼻敏感,講錯咗。", &["J45.9 absent", "J30.4 present"]),
        ("p:家姐有甲亢,我驗過冇。", &["E05.9 family", "E05.9 absent"]),
        ("r:佢爸爸、叔叔都中過風,佢自己未試過。", &["I64 family", "I64 absent"]),
        ("-:我爸爸有糖尿我沒有", &["E14.9 family"]),
        ("p:個仔班上有人出水痘,佢就冇事。", &[]),
        ("d:我上個病人都係痛風。", &[]),
        ("p:細路嗰陣出過水痘。", &["B01.9 historical"]),
        ("p:嗰年新冠中過兩次。", &["U07.1 historical"]),
    ]);
}

#[test]
fn what_a_clinician_supposes_and_foretells() {
    check(&[
        ("d:或者係流感,或者係傷風,做個快測先。", &["J11.1 possible", "J00 possible"]),
        ("d:鑑別診斷有哮喘同 COPD,吹肺功能就知。", &["J45.9 possible", "J44.9 possible"]),
        ("d:我懷疑你有甲亢,抽個血睇下。", &["E05.9 possible"]),
        ("d:怕係肺炎,今日要照片。", &["J18.9 possible"]),
        ("p:我怕係肺炎。", &[]),
        ("d:血壓高唔控制好,會中風、腎衰竭。", &["I10 present"]),
        ("d:呢隻藥食咗會眼瞓頭暈,唔好揸車。", &[]),
        ("d:好大機會係腕管綜合症。", &["G56.0 possible"]),
        ("d:大腸癌篩查計劃你夠五十歲可以參加。", &[]),
        ("d:傷風嚟嘅,發燒過三日或者氣促就要再睇。", &["J00 present"]),
        ("d:照過冇骨折,扭親腳眼啫。", &["T14.2 absent", "S93.4 present"]),
    ]);
}
