//! What was misread in consultations of writers who had never seen the program, and what stands beside it and must not change.

use super::{allergies, exchanges, scopes};

#[test]
fn what_is_treated_or_asked_after_is_there() {
    scopes::check(&[
        ("d:心房顫動食緊藥,有冇流鼻血?|p:冇。", &["I48.9 present", "R04.0 absent"]),
        ("d:高血壓、糖尿,有冇?|p:冇。", &["I10 absent", "E14.9 absent"]),
        ("d:COPD 最近有冇入過院?", &["J44.9 present"]),
        ("d:最近有冇哮喘?|p:冇。", &["J45.9 absent"]),
        ("-:骨质梳松的药还在吃吗", &["M81.9 present"]),
        ("d:有冇心衰竭嗰隻病?|p:冇。", &["I50.9 absent"]),
    ]);
}

#[test]
fn of_whom_somebody_who_came_along_tells() {
    scopes::check(&[
        ("r:warfarin 係爸爸食㗎,佢心房顫動。媽有糖尿。", &["I48.9 family", "E14.9 present"]),
        ("p:眼乾,我老公話眼凸咗少少。", &["H04.1 present", "H05.2 present"]),
        ("p:屋企姐姐手腕痛,佢抱 BB 多。", &["M25.5 present"]),
        ("p:我家姐手腕痛。", &[]),
        ("-:会不会是卵巢瘤我妈妈有过卵巢瘤", &["D27 family"]),
        ("-:这个不像中风我怀疑是偏头痛", &["I64 absent", "G43.9 possible"]),
    ]);
    allergies::check(&[
        ("p:個仔上個禮拜甲流。佢對 ibuprofen 敏感,成塊面腫晒。", &[]),
        ("p:個仔對牛奶敏感。我對 aspirin 敏感。", &["!aspirin"]),
        ("-:有没有弱物敏感|-:阿士匹灵吃了眼皮会种 其他没有", &["!aspirin"]),
        ("-:小时候吃阿莫西林全身起红诊", &["!amoxicillin"]),
    ]);
}

#[test]
fn questions_that_a_recogniser_parts() {
    scopes::check(&[
        ("-:有没有 想过 伤害自己", &[]),
        ("-:有没有 发烧|-:没有", &["R50.9 absent"]),
        ("-:发烧 有没有|-:有", &["R50.9 present"]),
        ("-:类风湿关节炎 有没有 口干", &["M06.9 present"]),
        ("d:懷疑係肺炎。|p:有喎。", &["J18.9 possible"]),
        ("d:乙肝嗰邊呢,entecavir 有冇漏?|p:冇。", &["B18.1 present"]),
        ("r:佢爸爸有哮喘。家姐淨係鼻敏感。", &["J45.9 family", "J30.4 family"]),
        ("r:佢阿爸有糖尿。阿媽成日頭暈。", &["E14.9 family", "R42 present"]),
        ("p:Tramadol 我食過,成個人天旋地轉,唔好畀我呀。", &["R42 historical"]),
        ("p:氣促過以前。", &["R06.0 present"]),
        ("d:真係關節炎嘅話,要食藥。", &[]),
        ("d:發燒先唔打得。", &[]),
        ("d:上次打完 COVID 針有冇事?", &[]),
    ]);
}

/// What an adversary found that such rules could take too far.
#[test]
fn what_stays_as_it_is_told() {
    scopes::check(&[
        ("d:有冇自殺念頭?|p:而家冇,琴晚有。", &["R45.8 present"]),
        ("p:我煮飯鎅過手,縫咗兩針。", &[]),
        ("p:食緊 warfarin 屙黑屎,唔敢再食。", &["K92.1 present"]),
        ("r:佢尋日暈低,即刻送急症。", &["R55 present"]),
        ("p:心口痛嘅話,行樓梯就痛。", &["R07.4 present"]),
        ("d:食唔食煙?|p:煙我唔掂。", &["F17.2 absent"]),
        ("p:我肺癌2024年驗到,食緊標靶藥。", &["C34.9 present"]),
        ("p:腎石2026年照到,約咗下個月碎石。", &["N20.0 present"]),
        ("d:你呢次係肺炎,CRP 2000。", &["J18.9 present"]),
        ("p:乳癌做完兩次化療,仲有四次。", &["C50.9 present"]),
        ("r:呢袋藥係婆婆食嘅,佢心臟衰竭。", &["I50.9 present"]),
        ("r:佢老公走咗三年。媽媽就成日話心口痛。", &["R07.4 present"]),
        ("r:佢個仔喺英國。媽媽有糖尿,食緊藥。", &["E14.9 present"]),
        ("p:我有心絞痛。而家冇絞痛。", &["I20.9 present"]),
        ("p:我個仔話成日想死,我好驚。", &[]),
        ("-:有沒有 不舒服 我 心口痛 三天了", &["R07.4 present"]),
        ("d:心臟病嗰邊有冇?|p:冇。", &["I51.9 absent"]),
        ("d:有冇食高血壓嘅藥?|p:冇。", &["I10 absent"]),
        ("d:哮喘最近有冇?|p:冇。", &["J45.9 absent"]),
        ("r:唔好話氣喘,行都行唔到。", &["R06.0 present", "R26.2 present"]),
        ("d:你而家氣喘就可能有心衰竭。", &["R06.0 present", "I50.9 possible"]),
        ("p:aspirin 上個月停咗,話我胃潰瘍,而家仲痛。", &["K25.9 present"]),
        ("p:爸爸肺癌走咗。|d:你個乳房嗰粒嘢懷疑係癌症。", &["C34.9 family", "N63 present", "C80.9 possible"]),
    ]);
    allergies::check(&[("p:我朋友係護士。佢有話我對盤尼西林敏感㗎。", &["!penicillin"])]);
}

#[test]
fn answers_that_are_none_and_answers_in_other_words() {
    scopes::check(&[
        ("d:有冇胸痛?|p:行樓梯先有。", &["R07.4 present"]),
        ("d:有冇胸痛?|p:我老公先有。", &["R07.4 family"]),
        ("d:有冇小便痛?|p:而家冇。", &["R30.0 absent"]),
        ("d:有冇尿好混濁?|r:尿清㗎。我真係驚。", &[]),
        ("d:你有哮喘?上次冇人問?|p:冇問喎,細細個就有。", &["J45.9 historical"]),
        ("p:煙我從來唔食。", &["F17.2 absent"]),
    ]);
}

#[test]
fn what_is_over_and_what_only_may_come() {
    scopes::check(&[
        ("-:二零一八年中风 现在手脚没事", &["I64 historical"]),
        ("p:2019 年開始有糖尿。", &["E14.9 present"]),
        ("p:GP 話胃酸倒流。而家冇倒流好耐喇。", &["K21.9 historical"]),
        ("-:之前那胎小产 我好怕再来", &["O03.9 historical"]),
        ("-:前年做白内障 眼科问我有没有青光眼 我没有", &["H26.9 historical", "H40.9 absent"]),
        ("p:乳癌做完,前年食夠藥停咗。|d:乳癌係邊邊?|p:左邊。", &["C50.9 historical"]),
        ("d:呢隻唔會咁,口乾就有機會。", &[]),
        ("d:咳唔算敏感。", &[]),
        ("d:咳唔算敏感,不過你而家仲咳。", &["R05 present"]),
        ("p:唔好話我血壓又低喎,我連頭暈都有。", &["R42 present"]),
        ("d:最緊要係個膀胱,要照膀胱鏡排除膀胱癌。", &["C67.9 possible"]),
        ("d:發燒、唔醒就送急症。", &[]),
        ("d:唔好掂大肚婆同BB。", &[]),
        ("p:我係大肚婆。", &["Z33 present"]),
    ]);
}

#[test]
fn drugs_that_end_or_are_anothers() {
    exchanges::check(&[
        ("p:食咗五年 tamoxifen,舊年食夠停咗。", &["-tamoxifen"]),
        ("p:打完抗生素好返。", &[]),
        ("-:我妹妹是抑郁症 吃 prozac 二十毫克", &[]),
        ("-:我抑郁症 吃 prozac 二十毫克", &["fluoxetine 20 mg"]),
        ("r:warfarin 係爸爸食㗎,佢心房顫動。媽幾年前中風,食緊 aspirin。", &["aspirin"]),
        ("r:aspirin 係爺爺食嘅,嫲嫲日日提佢。", &["aspirin x1"]),
        ("p:anastrozole 仲差一年食夠。", &["anastrozole"]),
        ("-:有細菌感染 食 amoxicillin 五百毫克 一日三次", &["amoxicillin 500 mg x3"]),
        ("-:有高血压 吃 amlodipine 五毫克一天一次", &["amlodipine 5 mg x1"]),
        ("r:佢啲藥我影咗相:高血壓食 amlodipine 五 mg 朝早一粒。", &["amlodipine 5 mg x1"]),
        ("r:我自己食緊 amlodipine 五 mg。", &[]),
    ]);
}
