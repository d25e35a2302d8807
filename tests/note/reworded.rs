//! The same told in other words: whose a disease is, what is well, what is known to be there, drugs that end or go on, allergies beside
//! a relative's, values under names that only sound so.

use cantoscribe::note::extract::extract;

use super::scopes::transcript;
use super::{LEXICON, allergies, exchanges, scopes};

/// Each reading as `loinc value unit`.
fn readings(talk: &str) -> Vec<String> {
    let told = |one: cantoscribe::note::Observation| format!("{} {} {}", one.loinc, one.value, one.unit);
    extract(&transcript(talk), &LEXICON).observations.into_iter().map(told).collect()
}

#[test]
fn a_relative_has_what_the_patient_has_not() {
    scopes::check(&[
        ("d:有冇膽石?|p:我冇,我細妹就有。", &["K80.2 absent", "K80.2 family"]),
        ("d:有冇青光眼?|p:我就冇,我大佬患過。", &["H40.9 absent", "H40.9 family"]),
        ("-:有甲亢吗|-:没有我姐姐才有", &["E05.9 absent", "E05.9 family"]),
        ("-:哮喘没有我丈夫才有血压高吃 amlodipine 五毫克", &["J45.9 absent", "J45.9 family", "I10 present"]),
        ("d:屋企人有冇中風?|p:我爸爸有,我就冇。", &["I64 family", "I64 absent"]),
        ("d:有冇糖尿?|r:嫲嫲冇,爺爺先有。", &["E14.9 absent", "E14.9 family"]),
        ("d:食唔食煙?|p:我唔食,老婆食。", &["F17.2 absent", "F17.2 family"]),
        ("d:屋企有人吸煙嗎?|p:我先生囉,一日半包。", &["F17.2 family"]),
        ("d:煙有冇食?|p:煙我就唔食,酒飲啲。", &["F17.2 absent"]),
        ("-:妹妹也是肾病吗|-:她是红斑狼疮 我不是", &["M32.9 family"]),
        ("-:糖尿病,不是我,是我妈妈有", &["E14.9 family"]),
        ("d:張大個口俾叔叔睇睇,喉嚨紅。|r:佢發燒兩日。", &["J02.9 present", "R50.9 present"]),
    ]);
}

#[test]
fn what_works_as_it_should_is_denied_by_its_name() {
    scopes::check(&[
        ("p:聽嘢正常,講嘢都清楚。", &["H91.9 absent", "R47.1 absent"]),
        ("p:吞嘢冇問題,體重冇變。", &["R13 absent", "R63.4 absent"]),
        ("p:氣都順。", &["R06.0 absent"]),
        ("p:氣就唔促。", &["R06.0 absent"]),
        // It is asked, or it is not well.
        ("d:聽嘢正常嗎?", &[]),
        ("p:講嘢唔清楚。", &["R47.8 present"]),
    ]);
}

#[test]
fn what_is_known_to_be_there_is_not_asked_for() {
    scopes::check(&[
        ("d:你個柏金遜係邊隻手先震?|p:右手。", &["G20 present", "R25.1 present"]),
        ("d:啲牛皮癬有冇好啲?|p:差唔多。", &["L40.9 present"]),
        ("d:青光眼有冇再發?|p:冇。", &["H40.9 present"]),
        ("d:有冇糖尿?|p:冇。", &["E14.9 absent"]),
        ("p:上個月照腸鏡切咗粒瘜肉。", &["K63.5 historical"]),
        ("r:第一個話係咽喉炎,第二個話係水痘。", &[]),
        ("p:啲皮好似魚鱗咁甩落嚟。", &[]),
        ("p:心口好似俾嘢壓住咁痛。", &["R07.4 present"]),
        ("p:瘦…冇喎。", &["R63.4 absent"]),
        ("d:抬腿三十度就痛。", &[]),
        ("p:simvastatin 成日唔記得食。", &[]),
        ("p:我呢排驚到成晚瞓唔着。", &["G47.0 present"]),
        ("d:開 amlodipine 五 mg。|p:會唔會腳腫㗎?|d:有機會。", &[]),
        ("p:抽筋,夜晚小腿嗰度。", &["R25.2 present"]),
        ("r:今朝抽筋,成身震,反白眼。", &["R56.8 present", "R25.1 present"]),
        ("p:偏頭痛就有,痛之前見到閃光。", &["G43.9 present"]),
        ("p:間中手震標冷汗,飲啖汽水就好。", &["E16.2 present"]),
        ("p:一上台就手震標冷汗。", &["R25.1 present"]),
        ("p:舊年跌親,手腕骨折。", &["R29.6 historical", "S52.5 historical"]),
        ("p:琴日跌親,膊頭脫臼。", &["S43.0 present"]),
        ("p:成日跌親,琴日撞損咗手肘。", &["R29.6 present", "T14.0 present"]),
    ]);
}

#[test]
fn a_course_goes_on_ends_or_is_not_begun() {
    exchanges::check(&[
        (
            "d:clarithromycin 五百 mg 一日兩次。|p:我食緊 simvastatin 二十 mg 一日一次。|d:clarithromycin 同 simvastatin 撞,改 doxycycline 一百 mg 一日兩次。",
            &["simvastatin 20 mg x1", "doxycycline 100 mg x2"],
        ),
        ("d:嗰陣開咗 diclofenac。|p:食到個胃痛,我自己停咗。", &["-diclofenac"]),
        ("d:nitrofurantoin 避得就避,改 cefalexin 五百 mg 一日兩次。", &["cefalexin 500 mg x2"]),
        ("d:ondansetron 兩 mg……睇返,十六公斤,四 mg。", &["ondansetron 4 mg"]),
        ("p:薄血丸係我太太食。", &[]),
        ("-:那不用布洛芬必理痛五百毫克两粒一天四次", &["paracetamol 1000 mg x4"]),
        ("d:本身想開 domperidone 止嘔,都係算喇。", &[]),
        ("p:食去水丸 furosemide 四十 mg 一日一次。|d:去水丸停咗佢。", &["-furosemide 40 mg x1"]),
        ("p:去水丸我自己停咗。|d:即係 indapamide,一點五 mg 嗰隻。", &["-indapamide 1.5 mg"]),
        ("d:carbimazole 十五 mg 一日一次係咪?|p:係。|d:今次再減,十 mg 一日一次。", &["carbimazole 10 mg x1"]),
        (
            "p:metformin 五百 mg 一日兩次。|d:metformin 加到一千 mg,一日兩次。|d:即係 metformin 早晚各兩粒。",
            &["metformin 1000 mg x2"],
        ),
        ("p:藥房買咗 naproxen,食咗兩日個胃頂住,冇再食。", &["-naproxen"]),
        ("d:Lorazepam 一 mg 每晚一粒呢?|p:仲食。|d:呢隻都停。", &["-lorazepam 1 mg x1"]),
        ("d:dapagliflozin 十 mg 一日一次有冇食?|p:有,不過嗰隻唔係糖尿藥咩?", &["dapagliflozin"]),
        ("p:amlodipine 五 mg 一日一次,要停嗎?|d:不用停,照食。", &["amlodipine 5 mg x1"]),
        ("p:gliclazide 早就冇食。", &["-gliclazide"]),
        ("p:網上話要食 methotrexate。", &[]),
        ("d:Losartan 由五十 mg 加去一百 mg 一日一次。", &["losartan 100 mg x1"]),
        ("d:vitamin D 一千度,一日一次。", &["colecalciferol 1000 [IU] x1"]),
        ("-:换 dock see sigh clean 一百毫克 一日两次", &["doxycycline 100 mg x2"]),
        ("-:加 fo lick a sid 五毫克 一日一次", &["folic acid 5 mg x1"]),
    ]);
}

#[test]
fn an_allergy_beside_a_relatives_or_a_question() {
    allergies::check(&[
        ("-:药物有没有敏感|-:药没有敏感我妈对阿士匹灵敏感", &["0drug"]),
        ("d:有冇藥物敏感?|p:藥就冇敏感,我老公先有,食親磺胺藥就出疹。", &["0drug"]),
        ("d:食藥有冇敏感?|p:Penicillin 冇。", &["0penicillin"]),
        ("d:有冇食藥食到出疹?|p:咁又冇。", &["0drug"]),
        ("-:开 pantoprazole 四十毫克一天一次早餐前吃四个星期药物敏感呢|-:没有", &["0drug"]),
        ("p:diamox 我對 sulfa 過敏㗎。", &["!sulfonamide"]),
        ("d:想加 dorzolamide,有冇磺胺敏感?|p:有,細個食完成身水泡。", &["!sulfonamide"]),
        ("p:細個打過盤尼西林,成身出晒風癩。", &["!penicillin"]),
        ("d:藥物敏感呢?|p:打 penicillin 唞唔到氣。", &["!penicillin"]),
        ("-:我对什么药都不过敏的", &["0drug"]),
    ]);
}

#[test]
fn values_under_other_names() {
    let rows: [(&str, &[&str]); 13] = [
        ("p:體重輕咗十磅。", &[]),
        ("p:體重穩定咗之後又輕返十磅。", &[]),
        ("p:又重返兩公斤,今日磅係六十二公斤。", &["29463-7 62 kg"]),
        ("d:含氧九十三。", &["59408-5 93 %"]),
        ("-:血鸭一百二十六 七十四", &["8480-6 126 mm[Hg]", "8462-4 74 mm[Hg]"]),
        ("d:血壓一百四十一,下壓七十八。", &["8480-6 141 mm[Hg]", "8462-4 78 mm[Hg]"]),
        ("p:血壓姑娘度咗,係一百零八、六十六。", &["8480-6 108 mm[Hg]", "8462-4 66 mm[Hg]"]),
        ("d:眼壓右邊二十二,左邊十八。", &["79892-6 22 mm[Hg]", "79893-4 18 mm[Hg]"]),
        ("p:HCT 二十五 mg 一日一粒。", &[]),
        ("p:琴晚三十九度二。", &[]),
        ("-:P S A 二点一 正常", &["2857-1 2.1 ng/mL"]),
        ("d:INR 二點四。", &["6301-6 2.4 {INR}"]),
        ("r:十九公斤…唔係,頭先磅係二十點五。", &["29463-7 20.5 kg"]),
    ];
    let wrong: Vec<String> = rows
        .iter()
        .filter(|(talk, wanted)| readings(talk) != *wanted)
        .map(|(talk, wanted)| format!("{talk}\n    wanted {wanted:?}\n    got    {:?}", readings(talk)))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn a_cancer_that_is_treated_is_there_and_an_old_reaction_is_no_complaint() {
    scopes::check(&[
        ("p:乳癌做完手術五年,tamoxifen 二十 mg 一日一次仲食緊。", &["C50.9 present"]),
        ("p:乳癌做完手術五年。", &["C50.9 historical"]),
        ("d:藥敏係咪 Rocephin?|p:係,嗰次打完成身出疹。", &[]),
        ("d:體溫三十八度五。", &["R50.9 present"]),
    ]);
}
