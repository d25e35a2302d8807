//! Allergies told in short exchanges: each row one talk and all that its note says of them, `!` for an allergy and `0` for none.

use cantoscribe::note::AllergyStatus;
use cantoscribe::note::extract::extract;

use super::LEXICON;
use super::scopes::transcript;

pub(super) fn check(rows: &[(&str, &[&str])]) {
    let mut wrong = Vec::new();
    for (talk, wanted) in rows {
        let note = extract(&transcript(talk), &LEXICON);
        let told = note.allergies.iter().map(|allergy| match allergy.status {
            AllergyStatus::Present => format!("!{}", allergy.substance),
            AllergyStatus::None => format!("0{}", allergy.substance),
        });
        let mut told: Vec<String> = told.collect();
        let mut wanted: Vec<String> = wanted.iter().map(|&word| word.to_owned()).collect();
        told.sort();
        wanted.sort();
        if told != wanted {
            wrong.push(format!("{talk}\n    wanted {wanted:?}, got {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn what_a_turn_tells_of_the_substance_that_the_turn_before_asked_about() {
    check(&[
        ("d:打過 ceftriaxone 有冇事?|p:有,打完即刻喉嚨緊、出風癩。", &["!ceftriaxone"]),
        ("d:食 ibuprofen 有冇事?|p:有,出疹。", &["!ibuprofen"]),
        ("d:食 ibuprofen 有冇事?|p:有少少胃痛。", &[]),
        ("d:上次開 cefuroxime 俾你,食成點?|p:食完好返好多。", &[]),
        ("d:食咗 Panadol 未?|p:食咗,不過仲係出疹。", &[]),
        ("d:係咪 aspirin?|p:係呀,就係嗰隻,食完眼腫。", &["!aspirin"]),
        ("d:對盤尼西林有冇敏感?|p:冇。|d:頭孢呢?|p:嗰隻就有,出過疹。", &["0penicillin", "!cephalosporin"]),
        ("d:你食緊 aspirin,係咪?|p:係呀。", &[]),
        ("p:我唔食得 Ponstan,食完眼皮腫到擘唔開。", &["!mefenamic acid"]),
        ("p:我唔食得 aspirin,有胃潰瘍。", &[]),
        ("p:我食緊 metformin,食完飯成身痕。", &[]),
        ("p:人哋話食 allopurinol 會成身甩皮,我唔敢。", &[]),
    ]);
}

#[test]
fn what_is_taken_back_or_excluded_is_no_allergy() {
    check(&[
        ("p:我對 cefalexin 唔敏感。", &["0cefalexin"]),
        ("r:佢對牛奶唔會敏感。", &["0milk"]),
        ("-:对海鲜不敏感", &["0seafood"]),
        ("d:有冇藥物敏感?|p:我唔敏感㗎。", &["0drug"]),
        ("p:我對蜜糖敏感,對花粉唔敏感。", &["!honey", "0pollen"]),
        ("p:我唔知係咪對 ibuprofen 敏感。", &[]),
        ("d:病歷寫 aspirin 敏感。|p:寫錯咗喇,係 ibuprofen 先啱。", &["!ibuprofen"]),
        ("r:佢對頭孢敏感。|p:唔係頭孢呀,係紅黴素。", &["!erythromycin"]),
        ("p:我對蝦敏感……唔係,講錯咗,係蟹,蝦食得㗎。", &["!crab", "0shrimp"]),
        ("-:我不是對青霉素過敏是對磺胺過敏", &["!sulfonamide"]),
        ("d:allergic to aspirin?|p:No, it's ibuprofen.", &["!ibuprofen"]),
        ("d:唔係 metformin 呀,係 gliclazide 加一粒。", &[]),
        ("d:病歷話你對盤尼西林敏感。|p:冇呀,搞錯咗,係我阿哥。", &["0penicillin"]),
        ("d:你冇藥敏?|p:冇……呀等等,有,盤尼西林。", &["!penicillin"]),
        ("p:以前話我對盤尼西林敏感,舊年去專科做咗測試,話唔係。", &["0penicillin"]),
        ("r:細個話佢雞蛋敏感,而家大個食得返,驗都冇事。", &["0egg"]),
        ("d:上次懷疑 amoxicillin 敏感,做完挑戰測試排除咗。", &["0amoxicillin"]),
        ("p:以前話我對花生敏感,但挑戰測試未做。", &["!peanut"]),
        ("p:我對蝦敏感,上次驗血冇事。", &["!shrimp"]),
        ("p:驗敏感,花生陰性,塵蟎就陽性。", &["0peanut", "!dust mite"]),
    ]);
}

#[test]
fn germs_are_not_allergic_and_relatives_are_not_the_patient() {
    check(&[
        ("d:尿種報告,啲大腸桿菌對 ciprofloxacin 敏感,對 ampicillin 有抗藥性。", &[]),
        ("d:MRSA 對 vancomycin 敏感,cloxacillin 抗藥。", &[]),
        ("d:啲菌對 amoxicillin 敏感,你自己有冇盤尼西林敏感?|p:冇。", &["0penicillin"]),
        ("p:我對霉菌敏感。", &["!mould"]),
        ("p:我個仔對花生敏感,所以屋企冇花生。", &[]),
        ("p:我老公對 Augmentin 敏感,我食過冇事。", &["0amoxicillin/clavulanate"]),
        ("p:我阿媽對盤尼西林敏感,我食過頭孢冇事。", &["0cephalosporin"]),
        ("-:他媽媽對盤尼西林敏感他自己沒有", &["0penicillin"]),
    ]);
}

#[test]
fn lists_and_kinds_that_are_denied_each_by_itself() {
    check(&[
        ("p:食嘅就蟹,搽嘅就碘酒,貼嘅就膠布,全部都敏感。", &["!crab", "!iodine", "!adhesive tape"]),
        ("p:我敏感嘅藥有兩隻,一隻 Septrin,一隻 Klacid。", &["!co-trimoxazole", "!clarithromycin"]),
        ("d:敏感有啲咩?|p:藥就 Ponstan,食物就蝦同芒果。", &["!mefenamic acid", "!shrimp", "!mango"]),
        ("p:我對頭孢類抗生素敏感,全身痕。", &["!cephalosporin"]),
        ("d:有冇嘢敏感?藥呀、食物呀?|p:藥就冇,食物都唔覺。", &["0drug", "0food"]),
        ("d:有冇敏感?|p:藥冇,食物就芒果囉,食完個嘴腫。", &["0drug", "!mango"]),
        ("d:有冇發燒、雞蛋敏感?|p:冇燒。打完手腫過,敏感就冇。", &["0egg"]),
    ]);
}

#[test]
fn who_tells_of_whom_and_what_else_there_is_none_of() {
    check(&[
        ("r:磺胺敏感嗰個係我,佢冇。", &["0sulfonamide"]),
        ("r:對磺胺敏感嗰個係我。", &[]),
        ("d:食藥有冇敏感過?|p:佢冇喎。我自己就食磺胺塊面腫晒。", &["0drug"]),
        ("p:我對花生敏感係咪要寫低?藥就冇。", &["!peanut", "0drug"]),
        ("p:唔好搽碘酒呀,我敏感,會起水泡。", &["!iodine"]),
        ("p:照 MRI 打顯影劑,試過成身紅疹。", &["!contrast medium"]),
        ("p:開刀嗰陣貼膠布,起晒水泡。", &["!adhesive tape"]),
        ("d:有冇藥物敏感?|p:食 lisinopril 會咳,其他就冇。", &["0drug"]),
        ("d:咁當佢對牛奶敏感住。藥物呢?|r:藥就未試過有事。", &["!milk", "0drug"]),
        ("d:食緊咩?|p:冇。|d:藥物呢?|p:冇。", &[]),
        ("d:對 metronidazole 係咪有敏感?|p:係,食第三日成身風疹。碘酒搽過冇事。", &["!metronidazole", "0iodine"]),
        ("d:真係 allergic 嘅有冇?|p:Latex。Drugs 就冇。", &["!latex", "0drug"]),
        ("-:她吃海鲜会出风癞 药就没有敏感", &["!seafood", "0drug"]),
        ("p:而家唔好食住,我唔舒服。食咗 Panadol,試過退燒。", &[]),
    ]);
}
