//! What was misread in three more sets of consultations, and what stands beside it and must not change.

use cantoscribe::note::extract::extract;

use super::{LEXICON, allergies, exchanges, scopes};

#[test]
fn what_a_word_denies_and_what_it_does_not() {
    scopes::check(&[
        ("p:我成日無端端心跳得好快。", &["R00.2 present"]),
        ("-:有没有发烧流鼻水|-:有流鼻水没有发烧", &["J34.8 present", "R50.9 absent"]),
        ("d:有冇血?嘔唔嘔?|p:冇血。嘔咗三次。", &["R11 present"]),
        ("d:有冇咳血?|p:冇血。", &["R04.2 absent"]),
        ("-:没有发烧多数是坐骨神经痛", &["R50.9 absent", "M54.3 possible"]),
        ("d:甲流同新冠都係陰性。", &["J11.1 absent", "U07.1 absent"]),
        ("d:甲型流感陽性,新冠陰性。", &["J10.1 present", "U07.1 absent"]),
        ("d:腦癇上次之後有冇再發?|p:冇。", &["G40.9 present"]),
        ("-:手震有没有好一点|-:手震好了一些 右手还有一点", &["R25.1 present"]),
        ("d:有冇發燒?|p:今朝三十七度九…唔係,頭先再探,發燒三十八度一。", &["R50.9 present"]),
        ("p:右邊面骨好脹。", &[]),
        ("d:你有糖尿同乙肝,HIV 陰性。", &["E14.9 present", "B18.1 present", "B24 absent"]),
        ("p:發燒同咳嗽,COVID negative。", &["R50.9 present", "R05 present", "U07.1 absent"]),
        ("d:有冇流鼻水?|p:以前有流鼻水冇喇而家。", &["J34.8 absent"]),
        ("d:冇證據話你可能係癌症。", &["C80.9 absent"]),
        ("p:食完飯好脹。", &["R14 present"]),
    ]);
}

#[test]
fn of_whom_a_name_is_told() {
    scopes::check(&[
        ("-:会不会是乳癌我阿姨有乳癌", &["C50.9 family"]),
        ("-:病历写我有糖尿 那是我太太的 写错了", &["E14.9 family"]),
        ("-:堂尿我没有 那个是我先生的", &["E14.9 absent"]),
        ("d:有哮喘嘅人先要小心。", &[]),
        ("p:我係有哮喘嘅人。", &["J45.9 present"]),
        ("d:會傳染,不過同哮喘冇關。", &[]),
        ("p:我老婆大緊肚六個月。", &[]),
        ("p:我有糖尿,其實係我媽媽嘅遺傳。", &["E14.9 present"]),
        ("p:哮喘嘅人好辛苦㗎,我就係。", &["J45.9 present"]),
    ]);
}

#[test]
fn what_was_or_may_come() {
    scopes::check(&[
        ("d:你有冇胃潰瘍?|p:有呀,十年前穿過窿,開過刀。", &["K25.9 historical"]),
        ("d:你有冇哮喘?|p:有呀,十年前發過一次大嘅。", &["J45.9 present"]),
        ("p:以前收工飲三四罐啤酒,酗酒咁滯,戒咗四個月。", &["F10.2 historical"]),
        ("d:再唔得先諗生物製劑,到時要排除肺癆同乙肝。", &[]),
        ("d:排黃熱、甲肝、傷寒,下星期二嚟打。", &[]),
        ("d:未使換骹住。", &[]),
        ("p:我食煙,一日一包,戒咗酒兩年。", &["F17.2 present"]),
        ("d:有冇腎石?|p:有呀,五年前打過石,而家仲有一粒。", &["N20.0 present"]),
        ("d:你有梅毒,一個禮拜嚟打一支盤尼西林。", &["A53.9 present"]),
        ("d:你喉嚨痛就 amoxicillin 五百毫克一日三次。", &["R07.0 present"]),
        ("d:即係 tamsulosin 搞到姿勢性低血壓。停咗佢。", &["I95.1 present"]),
    ]);
}

#[test]
fn what_is_said_in_general_and_what_a_record_says() {
    scopes::check(&[
        ("d:糖尿病人通常會多尿、眼矇,你呢啲一樣都冇。", &[]),
        ("d:貧血嘅人面青青、行兩步就喘,你面色紅潤過我。", &[]),
        ("d:呢隻濕疹通常會痕。", &["L30.9 present"]),
        ("r:一般夜晚咳得犀利啲。", &["R05 present"]),
        ("-:一般早上头痛比较厉害", &["R51 present"]),
        ("d:睇個樣係痛風發作。", &["M10.9 present"]),
        ("d:哮喘通常會夜晚差啲,你噴藥有冇用?", &["J45.9 present"]),
        ("d:開刀前要簽紙,風險包括傷口發炎、肺栓塞。", &[]),
        ("p:買緊份危疾保險,包癌症、中風、心臟病。", &[]),
        ("p:我驚保險唔包,我有心臟病。", &["I51.9 present"]),
        ("d:電腦寫住你有心房顫動。|p:冇呀,嗰份係第二個陳生嘅。", &["I48.9 absent"]),
        ("d:電腦寫住你有哮喘。|p:係呀,細個到而家。", &["J45.9 present"]),
        ("d:封信話你血壓高。今日一六零、一百。", &["I10 present"]),
        ("d:電腦彈咗 COPD 出嚟,係 input 錯。", &["J44.9 absent"]),
        ("d:你有 asthma……sorry,睇錯牌板,你係 hypertension。", &["J45.9 absent", "I10 present"]),
        ("d:咁即係過敏性結膜炎。今日眼壓右眼廿二,左眼十八…對唔住,睇錯行。", &["H10.1 present"]),
        ("d:懷疑心肌梗塞,troponin 兩次都正常,已經排除咗。", &["I21.9 absent"]),
        ("d:有冇心臟病發過?|p:有。|d:你自己?|p:唔係,我大佬。", &["I21.9 absent"]),
        ("d:有冇頭暈?|p:你話天旋地轉嗰隻?|d:係呀。|p:冇呀。", &["R42 absent"]),
        ("d:有冇頭暈?|p:你話天旋地轉嗰隻?|d:係呀。|p:有呀,成日。", &["R42 present"]),
        ("d:腰痛就照舊食藥,但係如果大小便失禁就即刻去急症。", &["M54.5 present"]),
        ("p:我煙戒咗又食返,一日十支。", &["F17.2 present"]),
        ("p:上個月開始背痛,而家仲痛。", &["M54.9 present"]),
    ]);
}

#[test]
fn what_is_stopped_left_and_given() {
    exchanges::check(&[
        (
            "d:sertraline 加到一百 mg,朝早一次。|p:我老公嗰啲 zopiclone 我食過一粒。|d:嗰啲係佢嘅,唔好再食。",
            &["sertraline 100 mg x1"],
        ),
        ("d:開 trazodone 五十 mg 臨瞓一次。|p:trazodone 會唔會上癮㗎?|d:唔會。", &["trazodone 50 mg x1"]),
        ("-:在吃 simvastatin 二十毫克每晚一次 要停吗|-:不用停 照吃", &["simvastatin 20 mg x1"]),
        ("-:上次急诊叫我停了剩下 linagliptin 五毫克一天一粒", &["linagliptin 5 mg x1"]),
        ("-:今日停 pyrazinamide 同 ethambutol 只食两种", &["-pyrazinamide", "-ethambutol"]),
        ("p:食緊 Plaquenil 二百 mg 日日一次。|d:有冇口爛?|p:口爛間中一兩粒囉。", &["hydroxychloroquine 200 mg x1"]),
        ("p:隊友話搽嗰隻 Voltaren 好勁喎。", &[]),
        ("d:entecavir 零點五 mg,仲係一日一次?|p:係,日日食。", &["entecavir 0.5 mg x1"]),
        ("-:开 klarifromycin 五百毫克一天两次", &["clarithromycin 500 mg x2"]),
        ("d:你食緊 warfarin,最近仲有冇流血?|p:冇呀。", &["warfarin"]),
        ("p:我用 fitness tracker 計步數。", &[]),
        ("p:呢排做 marathon training,每日食 protein。", &[]),
        ("-:转 tramador 五十毫克 一日三次", &["tramadol 50 mg x3"]),
    ]);
}

#[test]
fn to_what_and_to_what_not() {
    allergies::check(&[
        ("-:有没有药物敏感|-:显影剂打完出成身疹海鲜就没有敏感", &["!contrast medium", "0seafood"]),
        ("d:你有冇 sulfa 敏感?|p:有喎,以前食 sulfa,出咗好大片疹。", &["!sulfonamide"]),
        ("d:藥物敏感有冇變?|p:冇變,都係盤尼西林。", &["!penicillin"]),
        ("d:蟹敏感冇得走,唔好掂。", &["!crab"]),
        ("-:抗生素开 cloxacillin 五百毫克|-:我对盘尼西林敏感的病历没有写吗", &["!penicillin"]),
        ("d:藥物敏感呢?|p:我自己就冇。", &["0drug"]),
        ("d:你對 sulfa 敏唔敏感?|p:敏感喎!", &["!sulfonamide"]),
        ("p:phenytoin 食到牙肉腫。", &[]),
        ("d:藥敏?|p:我對塵蟎敏感,藥就未試過有敏感。", &["!dust mite", "0drug"]),
        ("d:有冇盤尼西林敏感?|p:盤尼西林敏感真係冇。", &["0penicillin"]),
        ("d:你對海鮮敏唔敏感?|p:敏感嘅。唔係我,係我老公。", &[]),
        ("d:有冇藥物敏感?|p:冇變過,一直都冇。", &["0drug"]),
        ("p:食咗 penicillin 個面同腳腫晒。", &["!penicillin"]),
        ("d:食藥有冇敏感?|p:佢冇喎。我自己就食 Augmentin 塊面腫晒。", &["0drug"]),
    ]);
}

#[test]
fn numbers_by_what_shows_them() {
    for (talk, wanted) in [
        ("d:今日護士度到一四二、八十四。", &[("8480-6", 142.0), ("8462-4", 84.0)][..]),
        ("d:血压一百三十八上压八十六下压", &[("8480-6", 138.0), ("8462-4", 86.0)]),
        ("d:有冇發燒?|p:尋晚有。|d:而家探下……三十七點四。", &[("8310-5", 37.4)]),
        ("d:磅到六十八公斤,高一百五十二 cm。", &[("29463-7", 68.0), ("8302-2", 152.0)]),
        ("d:頭先磅五十五點三公斤之前得五十二。", &[("29463-7", 55.3)]),
        ("d:抬高三十 cm。", &[]),
        ("r:佢由張床,高六十 cm 跌落嚟。", &[]),
        ("d:度到一百七十、六十五,你要減磅。", &[]),
        ("d:如果度到一六零、一百就返嚟。", &[]),
        ("d:探到三十八點五以上就返嚟。", &[]),
        ("r:佢細佬發燒,我探到三十八點五。", &[]),
        ("p:屋企探三十八點二。", &[]),
    ] {
        let note = extract(&scopes::transcript(talk), &LEXICON);
        let read: Vec<(&str, f64)> = note.observations.iter().map(|one| (one.loinc.as_str(), one.value)).collect();
        assert_eq!(read, wanted, "{talk}");
    }
}
