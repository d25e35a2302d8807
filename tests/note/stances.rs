//! What negators, opinions, certainty and exclusion say together; what a clinician fears or wonders; who speaks of themselves; what is
//! only a topic. Rows as in `scopes`: other wording than any shared set, with what must not change.

use super::scopes::check;

#[test]
fn an_opinion_that_is_denied_denies() {
    check(&[
        ("d:我唔覺得你有甲狀腺問題,亦唔覺得係貧血", &["D64.9 absent"]),
        ("d:我唔太認為呢個係中風", &["I64 absent"]),
        ("d:唔見得係痛風喎", &["M10.9 absent"]),
        ("d:唔應該係痛風", &["M10.9 absent"]),
        ("d:I doubt it's gout", &["M10.9 absent"]),
        ("d:我唔諗係膽石", &["K80.2 absent"]),
        ("d:I don't think this is appendicitis", &["K35.8 absent"]),
        ("d:I do not believe she has asthma", &["J45.9 absent"]),
        ("p:我唔覺得頭暈", &["R42 absent"]),
        // What is thought, and what is asked.
        ("d:我覺得係痛風", &["M10.9 present"]),
        ("d:你覺唔覺得頭暈?|p:唔覺", &["R42 absent"]),
        ("d:你覺唔覺得頭暈?|p:有啲", &["R42 present"]),
        ("p:我阿媽唔覺得有糖尿", &["E14.9 family"]),
    ]);
}

#[test]
fn what_is_not_certain_and_not_excluded_is_possible() {
    check(&[
        ("d:呢個未必係哮喘", &["J45.9 possible"]),
        ("d:唔一定係膽石痛", &["K80.2 possible"]),
        ("d:唔肯定係骨折", &["T14.2 possible"]),
        ("d:甲亢都未定", &["E05.9 possible"]),
        ("d:貧血仲未確定", &["D64.9 possible"]),
        ("d:唔敢講冇中風", &["I64 possible"]),
        ("d:唔可以話冇骨折", &["T14.2 possible"]),
        ("d:唔保證冇肺炎", &["J18.9 possible"]),
        ("d:未能完全排除中風", &["I64 possible"]),
        ("d:未排除膽石", &["K80.2 possible"]),
        ("d:排除唔到盲腸炎", &["K35.8 possible"]),
        ("d:肺炎排除唔晒", &["J18.9 possible"]),
        ("d:not necessarily gout", &["M10.9 possible"]),
        ("d:we cannot exclude a fracture", &["T14.2 possible"]),
        ("d:can't rule out PE", &["I26.9 possible"]),
        ("d:appendicitis has not been ruled out", &["K35.8 possible"]),
        ("d:asthma not excluded", &["J45.9 possible"]),
        ("d:係咪痛風?|d:未必", &["M10.9 possible"]),
        // Excluded, and certainly not.
        ("d:骨折已經排除咗", &["T14.2 absent"]),
        ("d:pneumonia excluded", &["J18.9 absent"]),
        ("d:一定唔係中風", &["I64 absent"]),
        ("d:gout is unlikely", &["M10.9 absent"]),
        ("d:應該唔係肺炎", &["J18.9 absent"]),
    ]);
}

#[test]
fn a_denial_over_a_denial_denies_nothing() {
    check(&[
        ("p:我唔係冇頭暈,係少咗", &["R42 present"]),
        ("p:唔係話冇咳,不過少", &["R05 present"]),
        ("p:唔係成日頭暈,間中啫", &["R42 present"]),
        ("p:唔會時時肚痛", &["R10.4 present"]),
        ("p:I don't always have headaches", &["R51 present"]),
        ("p:not without headaches", &["R51 present"]),
        ("p:我唔係頭暈,係頭痛", &["R42 absent", "R51 present"]),
        ("p:冇頭暈,冇咳", &["R42 absent", "R05 absent"]),
        // What is denied is something else.
        ("p:成個月冇停過,痕到瞓唔到", &["L29.9 present"]),
    ]);
}

#[test]
fn what_a_clinician_fears_or_wonders_is_suspected() {
    check(&[
        ("d:唔知係咪甲亢", &["E05.9 possible"]),
        ("d:仲未知係咪膽石", &["K80.2 possible"]),
        ("d:會唔會係膽石?", &["K80.2 possible"]),
        ("d:我怕你係宮外孕,要入急症", &["O00.9 possible"]),
        ("d:我擔心佢係腦膜炎", &["G03.9 possible"]),
        ("d:係咪心肌梗塞,要再抽血先知", &["I21.9 possible"]),
        ("d:當你痛風先", &["M10.9 possible"]),
        ("d:會唔會頭痛?|p:唔會", &["R51 absent"]),
        ("p:我驚係癌症", &[]),
        ("p:唔知係咪甲亢呢", &[]),
        ("d:有發燒就即刻去急症", &[]),
    ]);
}

#[test]
fn how_often_affirms_and_a_question_may_be_asked_again() {
    check(&[
        ("d:有冇頭暈?|p:間中有少少", &["R42 present"]),
        ("d:有冇頭暈?|p:久唔久都有", &["R42 present"]),
        ("d:有冇頭暈?|p:有時會囉", &["R42 present"]),
        ("d:你先生有冇血壓高?|p:冇|d:咁你呢?|p:有,三年喇", &["I10 present"]),
        ("d:你太太有冇哮喘?|p:有|d:你自己呢?|p:冇", &["J45.9 family", "J45.9 absent"]),
        ("d:後生係咪有過肺癆?|p:有", &["A16.9 historical"]),
        ("d:有冇哮喘?|p:細個有", &["J45.9 historical"]),
        ("p:我冇糖尿,我老公先有", &["E14.9 absent", "E14.9 family"]),
        ("p:痛風我就冇,係我大佬有", &["M10.9 absent", "M10.9 family"]),
        ("d:使唔使洗腎?|p:唔使", &[]),
        ("d:有冇頭痛流鼻血|-:頭痛冇流鼻血有一啲", &["R51 absent", "R04.0 present"]),
    ]);
}

#[test]
fn who_comes_along_speaks_of_themselves_too() {
    check(&[
        ("r:我就糖尿,佢冇", &["E14.9 family"]),
        ("r:我做家姐嘅都有哮喘,佢就咳", &["J45.9 family", "R05 present"]),
        ("r:我自己都甲亢㗎", &["E05.9 family"]),
        ("r:我同大佬都係痛風", &["M10.9 family"]),
        ("-:我係佢太太,我自己血壓高", &["I10 family"]),
        ("r:我見佢發燒,佢有哮喘", &["R50.9 present", "J45.9 present"]),
        ("r:我個女發燒兩日", &["R50.9 present"]),
        ("r:我覺得佢有濕疹", &["L30.9 present"]),
        ("d:張先生,你係痛風", &["M10.9 present"]),
        ("p:我先生有痛風", &["M10.9 family"]),
    ]);
}

#[test]
fn a_topic_claims_nothing() {
    check(&[
        ("d:張單張講糖尿嘅,你攞返去睇", &[]),
        ("p:今日係世界哮喘日", &[]),
        ("p:我買咗本關於抑鬱症嘅書", &[]),
        ("p:電視節目介紹過痛風", &[]),
        ("p:新聞話好多人中風", &[]),
        ("p:我報咗個糖尿講座", &[]),
        ("d:糖尿飲食你要跟", &[]),
        ("d:唔好成日捽眼", &[]),
        ("p:我媽咪之後有咗糖尿", &["E14.9 family"]),
        ("p:條錶帶鬆咗", &[]),
        ("p:脫臼", &["T14.3 present"]),
        ("p:膊頭脫臼", &["S43.0 present"]),
        ("p:我有糖尿,日日要打針", &["E14.9 present"]),
        ("d:X光片話有骨折", &["T14.2 present"]),
        ("p:醫生講過有痛風", &["M10.9 present"]),
        ("d:no CP, no N/V, nil LOC", &["R07.4 absent", "R11 absent", "R55 absent"]),
        ("p:喺 CP 做嘢", &[]),
    ]);
}

#[test]
fn a_suspicion_is_not_denied_by_what_is_said_of_something_else() {
    check(&[
        ("d:可能係痛風。TSH 一點九,正常。", &["M10.9 possible"]),
        ("d:懷疑係肺炎|p:隔離床嗰個先有,唔係佢", &["J18.9 possible"]),
        ("d:主動脈撕裂都諗過,兩手血壓一樣,唔似", &["I71.0 absent"]),
        ("d:可能係痛風|d:唔似", &["M10.9 absent"]),
        ("p:我細佬係肺癌走嘅|d:我睇唔係癌", &["C34.9 family", "C34.9 absent"]),
        ("d:有冇發燒?|p:冇探", &[]),
    ]);
}

#[test]
fn what_was_and_what_goes_on() {
    check(&[
        ("d:食煙?|p:以前一日一包,四年前戒咗", &["F17.2 historical"]),
        ("d:食煙?|p:一日一包", &["F17.2 present"]),
        ("p:早排腰痛,而家冇事", &["M54.5 historical"]),
        ("p:上年企起身暈低", &["R55 historical"]),
        ("p:有羊癇症,食緊 Epilim,三年冇發作", &["G40.9 present"]),
        ("p:濕疹好咗啲", &["L30.9 present"]),
        ("p:濕疹好返晒", &["L30.9 historical"]),
        ("d:等貧血好返先做", &["D64.9 present"]),
        ("p:右眼兩年前做咗白內障", &["H26.9 historical"]),
        ("d:tramadol 食成點?|p:食完頭暈,自己停咗", &["R42 historical"]),
        ("p:細個跌斷過右手前臂,有冇關?|d:冇關", &["S52.9 historical"]),
    ]);
}

#[test]
fn of_whom_a_turn_goes_on_to_speak() {
    check(&[
        ("p:太太都嚟咗。佢自己都有糖尿", &["E14.9 family"]),
        ("r:佢冇痛風,有痛風嗰個係我", &["M10.9 absent", "M10.9 family"]),
        ("p:個女話食得多會癡呆", &[]),
        ("p:我驚自己會中風", &[]),
        ("d:陳太太,你有貧血", &["D64.9 present"]),
        ("-:鼻敏感有現在都有哮喘就沒有我媽媽先有", &["J30.4 present", "J45.9 absent", "J45.9 family"]),
    ]);
}
