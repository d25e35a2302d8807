//! Short exchanges about drugs: what is asked and answered, taken back, changed, said of several at once, and another person's.

use cantoscribe::note::extract::extract;
use cantoscribe::note::{Assertion, MedicationStatus};

use super::LEXICON;
use super::scopes::transcript;

/// Each drug as `name dose unit xTimes`, with `-` before it where it was stopped.
fn drugs(talk: &str) -> Vec<String> {
    let told = |drug: cantoscribe::note::Medication| {
        let stopped = if drug.status == MedicationStatus::Stopped { "-" } else { "" };
        let dose = drug.dose.map(|dose| format!(" {} {}", dose.value, dose.unit)).unwrap_or_default();
        let times = drug.times_per_day.map(|times| format!(" x{times}")).unwrap_or_default();
        format!("{stopped}{}{dose}{times}", drug.name)
    };
    extract(&transcript(talk), &LEXICON).medications.into_iter().map(told).collect()
}

pub(super) fn check(rows: &[(&str, &[&str])]) {
    let mut wrong = Vec::new();
    for (talk, wanted) in rows {
        let got = drugs(talk);
        if got != *wanted {
            wrong.push(format!("{talk}\n    wanted {wanted:?}\n    got    {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn an_answer_is_said_of_the_drug_that_was_asked_about() {
    check(&[
        ("d:有冇食 warfarin?|p:冇。", &[]),
        ("d:有冇食 warfarin?|p:有,三 mg,每晚一次。", &["warfarin 3 mg x1"]),
        ("d:losartan 日日食?|p:唔係,隔日食,五十 mg。", &["losartan 50 mg x0.5"]),
        ("d:bisoprolol 仲有冇食?|p:停咗喇。", &["-bisoprolol"]),
        ("d:蘭巴多唑點食?|p:朝早一粒。", &[]),
        ("d:Betaloc 一日食幾多次?|p:兩次。|d:每次呢?|p:半粒,五十 mg 嗰隻。", &["metoprolol 25 mg x2"]),
        // The question is another.
        ("d:開 naproxen 二百五十 mg 一日兩次。胃有冇事?|p:冇。", &["naproxen 250 mg x2"]),
        ("r:使唔使食 Tamiflu?|d:病咗五日,冇用喇。", &[]),
    ]);
}

#[test]
fn a_stop_is_said_of_its_own_drug_and_a_strength_counts_beside_tablets() {
    check(&[
        ("d:apixaban 五 mg BD,warfarin 停。", &["apixaban 5 mg x2", "-warfarin"]),
        ("d:amlodipine 五 mg 一日一次,losartan 都停咗佢。", &["-amlodipine 5 mg x1", "-losartan"]),
        ("p:entecavir 零點五 mg 一日一次。可唔可以停咗 entecavir 呀?|d:唔可以,停藥會反彈。", &["entecavir 0.5 mg x1"]),
        ("p:losartan 五十,一日一粒。", &["losartan 50 mg x1"]),
        ("p:simvastatin 二十瞓前一粒。", &["simvastatin 20 mg x1"]),
        ("p:atenolol 五十,一日兩次,每次半粒。", &["atenolol 25 mg x2"]),
    ]);
}

#[test]
fn what_is_taken_back_or_changed_gives_way_to_what_is_said_last() {
    check(&[
        ("d:開 metformin 五百 mg,一日兩次,唔係,講錯咗,係一日三次。", &["metformin 500 mg x3"]),
        ("d:開 sertraline 二十五 mg……sorry,五十 mg,朝早一次。", &["sertraline 50 mg x1"]),
        ("d:methotrexate 十五 mg 一個禮拜一次,唔係日日。", &["methotrexate 15 mg x0.14"]),
        ("d:Lasix 四十 mg bd 改做四十 mg 朝早一次。", &["furosemide 40 mg x1"]),
        ("d:gliclazide 八十 mg 由兩粒減到一粒,一日兩次。", &["gliclazide 80 mg x2"]),
        ("p:warfarin 食緊三 mg 每晚。|d:INR 得一點六,今晚起改四 mg。", &["warfarin 4 mg x1"]),
        ("p:每晚食一粒 Imovane,七點五 mg。|d:減做半粒,照舊瞓前。", &["zopiclone 3.75 mg x1"]),
        ("d:bisoprolol 五 mg 嗰隻,之前食半粒,今日起食一粒,朝早食。", &["bisoprolol 5 mg x1"]),
        // What one meant to give, and did not.
        ("d:本來諗住俾 Arcoxia 你,都係算數。開 colchicine 零點五 mg,一日兩次。", &["colchicine 0.5 mg x2"]),
        ("d:本來諗住加支 codeine,不過你咳得少,唔使喇。", &[]),
        // Another's drug is refused, and not the one that was given.
        ("d:開 propranolol 二十 mg 一日兩次。|p:我妹食 topiramate 食到手痺,我唔要嗰隻。|d:嗰隻唔用。", &["propranolol 20 mg x2"]),
        // A dose goes to the drug of its unit.
        (
            "p:食緊 thyroxine 五十 mcg 一日一次。|d:鈣片要隔開食。加到七十五 microgram,每朝一次。",
            &["levothyroxine 75 ug x1", "calcium"],
        ),
        ("p:私家開咗 pregabalin,食到頭暈,我自己停咗。", &["-pregabalin"]),
        ("d:tamoxifen 上年食完已經停咗,係咪?", &["-tamoxifen"]),
        ("p:以前食 aspirin,轉薄血丸嗰陣停咗。", &["-aspirin"]),
        ("p:上次打 tramadol 我嘔到黃膽水都出埋。", &[]),
        ("d:開返 naproxen,唔係,係 ibuprofen 四百 mg tds。", &["ibuprofen 400 mg x3"]),
    ]);
}

#[test]
fn a_count_is_of_its_strength() {
    check(&[
        ("p:華法林我食粒半,每粒兩 mg,夜晚食。", &["warfarin 3 mg x1"]),
        ("p:methotrexate 逢星期五食四粒,一粒二點五 mg。", &["methotrexate 10 mg x0.14"]),
        ("r:佢 Keppra 五百 mg 嗰隻,日食兩次,每次兩粒。", &["levetiracetam 1000 mg x2"]),
        ("d:amlodipine 五 mg 一日一次,開三十粒。", &["amlodipine 5 mg x1"]),
        ("p:瞓前打十六度 Lantus。", &["insulin glargine 16 [IU] x1"]),
    ]);
}

#[test]
fn how_often_is_said_once_of_all_of_a_list() {
    check(&[
        ("p:我食 Norvasc 五 mg、Cozaar 五十 mg,全部都係一日一次。", &["amlodipine 5 mg x1", "losartan 50 mg x1"]),
        ("p:隔日食嗰兩隻係 furosemide 四十 mg 同 digoxin 零點二五 mg。", &["furosemide 40 mg x0.5", "digoxin 0.25 mg x0.5"]),
        (
            "p:每晚食 simvastatin 二十 mg 同 finasteride 五 mg,朝早就食 amlodipine 五 mg。",
            &["simvastatin 20 mg x1", "finasteride 5 mg x1", "amlodipine 5 mg x1"],
        ),
    ]);
}

#[test]
fn english_names_cut_into_syllables() {
    check(&[
        ("-:开 pana dou 五百毫克两粒一天三次", &["paracetamol 1000 mg x3"]),
        ("-:加 tra ma dou 五十毫克一天三次吃七天", &["tramadol 50 mg x3"]),
        ("-:还有 met fo min 五百毫克一天两次", &["metformin 500 mg x2"]),
        ("-:a mi trip ti lin 十毫克每晚一次", &["amitriptyline 10 mg x1"]),
        ("-:be clo me ta song 喷两下一天两次", &["beclometasone 2 {puff} x2"]),
        ("-:吃 pre ni so long 四十毫克一天一次", &["prednisolone 40 mg x1"]),
        ("-:吃 low sartan 五十 mg 一日一次", &["losartan 50 mg x1"]),
    ]);
}

#[test]
fn another_persons_drug_and_one_never_taken_are_no_treatment() {
    check(&[
        ("p:爸爸心臟病,aspirin 同 Plavix 都食緊。", &[]),
        ("p:室友肺癆,食緊 rifampicin。", &[]),
        ("p:屋企隻狗食緊 prednisolone 五 mg 一日一次。", &[]),
        ("r:我自己食緊 cloxacillin 五百 mg 一日四次。", &[]),
        ("r:佢阿爸食 allopurinol,佢自己食緊 febuxostat 四十 mg 一日一次。", &["febuxostat 40 mg x1"]),
        ("p:我攞咗老公啲 Imovane 嚟食,一晚一粒,七點五 mg。", &["zopiclone 7.5 mg x1"]),
        ("p:同事塞咗粒 Xanax 俾我,我冇食。", &[]),
        ("d:本來想開 aspirin,不過你胃出血過,唔開喇。", &[]),
        ("p:Klacid 食咗兩日,之後就冇食喇。", &["-clarithromycin"]),
    ]);
}

#[test]
fn what_was_about_to_be_given_goes_once_something_speaks_against_it() {
    check(&[
        (
            "d:開 augmentin 一克一日兩次。|p:我對盤尼西林敏感。|d:咁唔得,用 clarithromycin 五百 mg 一日兩次。",
            &["clarithromycin 500 mg x2"],
        ),
        ("d:開 amoxicillin 五百 mg 一日三次。|p:我對盤尼西林敏感喎。|d:係喎,多謝提我。", &[]),
        ("d:開 septrin 兩粒 BD。|p:我對磺胺敏感㗎。|d:sorry,睇漏咗,開 ciprofloxacin 500 mg BD。", &["ciprofloxacin 500 mg x2"]),
        ("d:開 ibuprofen 四百 mg 一日三次。|p:我有胃潰瘍喎。|d:咁 ibuprofen 取消。", &[]),
        ("d:開 ibuprofen 四百 mg 一日三次。|p:我有胃潰瘍喎。|d:咁就唔得。", &[]),
        ("d:開 ibuprofen 四百 mg 一日三次。|p:我有胃潰瘍喎。|d:咁唔好喇,轉 panadol 一粒一日四次。", &["paracetamol 1 {tbl} x4"]),
        ("d:開 ibuprofen 四百 mg 一日三次。|p:我有胃潰瘍喎。|d:咁用 panadol 代替。", &["paracetamol"]),
        ("d:加 amlodipine 五 mg 一日一次。|p:我唔想加住藥。|d:好,咁先唔加。", &[]),
        (
            "d:開 augmentin 一克一日兩次。|p:我對盤尼西林敏感。|d:有咩反應?|p:出疹囉。|d:咁轉 azithromycin 五百 mg 一日一次。",
            &["azithromycin 500 mg x1"],
        ),
        (
            "-:開 augmentin 一克一日兩次|-:我對盤尼西林敏感|-:係喎 咁轉做 azithromycin 五百 mg 一日一次",
            &["azithromycin 500 mg x1"],
        ),
        (
            "d:開 augmentin 一克一日兩次。|p:我對盤尼西林敏感喎。|d:係喎,咁要用第二隻,azithromycin 五百 mg 一日一次。",
            &["azithromycin 500 mg x1"],
        ),
        // What was only changed goes on as it was.
        ("p:食緊 metformin 五百 mg 一日兩次。|d:加到一克一日兩次。|p:我上次加咗好屙喎。|d:咁唔加住。", &["metformin 500 mg x2"]),
        // Another matter: drink, an allergy to something else, a second drug, a drug that no table knows.
        ("d:開 panadol 一粒一日四次。|p:可唔可以飲酒?|d:咁唔好。", &["paracetamol 1 {tbl} x4"]),
        (
            "d:開 augmentin 一克一日兩次。|p:我對海鮮敏感。|d:好,咁加多隻 panadol。",
            &["amoxicillin/clavulanate 1 g x2", "paracetamol"],
        ),
        (
            "d:開 metformin 五百 mg BD。|p:我胃唔好。|d:咁食飯時食,加 pantoprazole 40 mg daily。",
            &["metformin 500 mg x2", "pantoprazole 40 mg x1"],
        ),
        (
            "d:Panadol 一克 QID。加 abcflex 先。|p:我有青光眼。|d:咁唔用 abcflex,改 tizanidine 兩 mg TDS。",
            &["paracetamol 1 g x4", "tizanidine 2 mg x3"],
        ),
        (
            "p:terazosin 五 mg 每晚一次,成日頭暈。|d:停咗佢,轉 tamsulosin 零點四 mg 每晚一次。",
            &["-terazosin 5 mg x1", "tamsulosin 0.4 mg x1"],
        ),
    ]);
}

#[test]
fn what_is_planned_against_an_allergy_is_in_doubt() {
    let doubted = |talk: &str| {
        let drugs = extract(&transcript(talk), &LEXICON).medications;
        drugs.iter().map(|drug| (drug.name.clone(), drug.confidence < 0.7)).collect::<Vec<_>>()
    };
    for (talk, drug, doubt) in [
        ("d:開 augmentin 一克一日兩次。|p:我對盤尼西林敏感。", "amoxicillin/clavulanate", true),
        ("p:我對 amoxicillin 敏感。|d:開 augmentin 一克一日兩次。", "amoxicillin/clavulanate", true),
        ("p:我對磺胺類敏感。|d:開 septrin 兩粒 BD。", "co-trimoxazole", true),
        ("p:我對消炎止痛藥敏感。|d:開 naproxen 二百五十 mg BD。", "naproxen", true),
        ("p:我對盤尼西林敏感。|d:開 clarithromycin 五百 mg BD。", "clarithromycin", false),
        ("p:我對盤尼西林冇敏感。|d:開 augmentin 一克一日兩次。", "amoxicillin/clavulanate", false),
        ("p:我對海鮮敏感。|d:開 augmentin 一克一日兩次。", "amoxicillin/clavulanate", false),
    ] {
        assert_eq!(doubted(talk), [(drug.to_owned(), doubt)], "{talk}");
    }
}

#[test]
fn what_was_stopped_is_taken_again_by_the_doctors_word() {
    check(&[
        ("p:我自己停咗 amlodipine 兩個月。|d:咁要食返,amlodipine 5 mg 一日一次。", &["amlodipine 5 mg x1"]),
        ("p:我停咗 amlodipine。|d:咁重新開始 amlodipine 五 mg 一日一次。", &["amlodipine 5 mg x1"]),
        ("p:我停咗 amlodipine。|d:resume amlodipine 5 mg daily。", &["amlodipine 5 mg x1"]),
        ("p:我停咗 amlodipine。|d:要食返隻藥。", &["amlodipine"]),
        // Not yet, not asked, not told by the doctor.
        ("p:我停咗 warfarin。|d:唔好食返 warfarin 住。", &["-warfarin"]),
        ("p:我停咗 amlodipine。|d:你想唔想食返?", &["-amlodipine"]),
    ]);
}

#[test]
fn a_stop_at_the_end_of_a_course_stops_nothing_today() {
    let course = "prednisolone 30 mg";
    check(&[
        ("d:prednisolone 30mg 三日,之後20mg 三日,10mg 三日停。", &[course]),
        ("d:prednisolone 三十 mg 三日,二十 mg 三日,十 mg 三日,跟住停。", &[course]),
        ("d:augmentin 1 g BD 七日停。", &["amoxicillin/clavulanate 1 g x2"]),
        ("d:aspirin 80 mg daily,今日停。", &["-aspirin 80 mg x1"]),
        ("p:我食緊 aspirin 80 mg 一日一粒,停咗五日。", &["-aspirin 80 mg x1"]),
        ("p:prednisolone 食咗三日停咗。", &["-prednisolone"]),
    ]);
}

#[test]
fn when_needed_and_how_long_are_said_of_their_own_drug() {
    let told = |talk: &str| {
        let drugs = extract(&transcript(talk), &LEXICON).medications;
        drugs.iter().map(|drug| (drug.name.clone(), drug.prn, drug.duration_days)).collect::<Vec<_>>()
    };
    type Taken = (&'static str, bool, Option<f64>);
    let rows: &[(&str, &[Taken])] = &[
        ("d:panadol 1g QID PRN,augmentin 1g BD。", &[("paracetamol", true, None), ("amoxicillin/clavulanate", false, None)]),
        ("d:ventolin 兩下 PRN,seretide 兩下 BD。", &[("salbutamol", true, None), ("fluticasone/salmeterol", false, None)]),
        ("d:panadol 兩粒痛先食,ibuprofen 四百 mg TDS。", &[("paracetamol", true, None), ("ibuprofen", false, None)]),
        ("d:panadol prn augmentin 1 g BD", &[("paracetamol", true, None), ("amoxicillin/clavulanate", false, None)]),
        ("d:panadol 兩粒一日四次,痛就食 ibuprofen 四百 mg。", &[("paracetamol", false, None), ("ibuprofen", true, None)]),
        (
            "d:開 colchicine 零點五 mg 一日兩次食五日,痛先食 panadol 兩粒。",
            &[("colchicine", false, Some(5.0)), ("paracetamol", true, None)],
        ),
        ("d:metformin 由五百mg一日兩次加到一克一日兩次。", &[("metformin", false, None)]),
        ("d:augmentin 一克一日兩次七日。", &[("amoxicillin/clavulanate", false, Some(7.0))]),
    ];
    for (talk, wanted) in rows {
        let wanted: Vec<_> = wanted.iter().map(|(name, prn, days)| ((*name).to_owned(), *prn, *days)).collect();
        assert_eq!(told(talk), wanted, "{talk}");
    }
}

#[test]
fn what_is_refused_by_name_or_was_only_asked_for_takes_no_other_drug_away() {
    check(&[
        // Asked for and not given: what was planned before stays.
        ("d:Lyrica 七十五 mg 每晚一次。|p:Tramadol 呢?|d:唔開就係。", &["pregabalin 75 mg x1"]),
        ("d:開撲熱息痛一千毫克一日四次。|p:使唔使食 arcoxia?|d:你有冠心病,唔食得。", &["paracetamol 1000 mg x4"]),
        // Refused by its name, before it and behind it.
        (
            "d:加 Zyrtec 十 mg 一日一次。|p:食完好眼瞓。|d:咁唔好 Zyrtec,轉 Telfast 一百八十 mg 一日一次。",
            &["fexofenadine 180 mg x1"],
        ),
        ("d:Voltaren 本來想開,都係唔好喇。", &[]),
        ("d:Celebrex 都唔好喇,panadol 一克 QID。", &["paracetamol 1 g x4"]),
        ("d:唔好停 aspirin 八十 mg 一日一次。", &["aspirin 80 mg x1"]),
        // What came of it once is no course, and the dose that the doctor tells is given.
        ("p:阿士匹靈食過胃痛咋,唔係敏感。|d:咁得。阿士匹靈三百 mg 食一次。", &["aspirin 300 mg"]),
        ("p:我食緊 aspirin 八十 mg,食完胃痛。", &["aspirin 80 mg"]),
        ("p:我停咗 amlodipine。|d:五 mg 嗰隻 amlodipine 五 mg?", &["-amlodipine 5 mg"]),
        // Changed for another, named in the next clause.
        (
            "p:Zocor 十 mg 每晚一粒。|d:Zocor 都換,轉 Lipitor 二十 mg 每晚一次。",
            &["-simvastatin 10 mg x1", "atorvastatin 20 mg x1"],
        ),
        ("-:降膽固醇藥食緊什麼", &[]),
    ]);
}

#[test]
fn who_came_along_tells_of_their_own_drugs_too() {
    check(&[
        ("r:我係佢老公,我係乙肝帶菌者,一直食 Baraclude,會唔會影響到佢?", &[]),
        ("r:醫生,我做仔嘅,我痛風食緊 allopurinol。", &[]),
        ("r:我就試過小中風,而家食 Plavix。", &[]),
        ("r:我做阿媽嘅就相反,甲狀腺低,食 Eltroxin。", &[]),
        ("r:我餵佢食 Norvasc 五 mg,朝早一粒。", &["amlodipine 5 mg x1"]),
        ("r:我見佢食緊 Norvasc 五 mg 朝早一粒。", &["amlodipine 5 mg x1"]),
        ("r:我阿媽食緊 aspirin 八十 mg 一日一粒。", &["aspirin 80 mg x1"]),
    ]);
}

#[test]
fn what_was_given_before_is_taken_until_it_is_stopped() {
    check(&[
        ("d:之前開 propranolol 四十 mg 一日兩次,有用冇?|p:食完扯哮,我有哮喘嘛,停咗。", &["-propranolol 40 mg x2"]),
        ("d:街症醫生咪開過 norethisterone 五 mg 一日三次?|p:食咗兩日頭痛到爆,自己停咗喇。", &["-norethisterone 5 mg x3"]),
        ("d:街外開嗰隻 famotidine 二十 mg 一日兩次都唔使食喇。", &["-famotidine 20 mg x2"]),
        ("d:digoxin 上年停咗,唔使再食。", &["-digoxin"]),
        ("p:夜晚打 Lantus。|d:Lantus 照十四個 unit 每晚一次。", &["insulin glargine 14 [IU] x1"]),
        ("d:開 propranolol 四十 mg 一日兩次,得唔得?", &["propranolol 40 mg x2"]),
        // What came of it once.
        ("p:Flagyl 食過一次嘔到死,不過醫生話係副作用。", &[]),
        ("p:我淨係食過 Voltaren 個胃頂住。", &[]),
        // A dose before a name that no table knows is of that one.
        ("-:lay six 今天加到八十毫克早上一次 carvedilol 照吃", &["carvedilol"]),
        ("p:食緊薄血藥 apixaban 五 mg 一日兩次。|d:薄血藥由今晚起停,收上病房。", &["-apixaban 5 mg x2"]),
        ("p:薄血藥囉,warfarin 三 mg 一晚一次。以前食 aspirin,轉薄血丸嗰陣停咗。", &["warfarin 3 mg x1", "-aspirin"]),
        // What is withheld is the one before the verb; a strength before the name is no count behind it.
        ("-:那消炎止痛藥不開撲熱息痛五百毫克兩粒一日四次痛才食", &["paracetamol 1000 mg x4"]),
        ("d:頂唔順先含一粒零點五毫克勞拉西泮,得十粒咋。", &["lorazepam 0.5 mg"]),
        // A question about a jab takes no drug away.
        ("d:prednisolone 三十 mg 每朝一次。|p:肺炎針好唔好打埋?|d:今日唔打。", &["prednisolone 30 mg x1"]),
    ]);
}

#[test]
fn how_often_is_told_in_the_word_and_the_count() {
    check(&[
        ("d:開 paracetamol 500 mg 每日四次。", &["paracetamol 500 mg x4"]),
        ("d:metformin 五百 mg 每日三次。", &["metformin 500 mg x3"]),
        ("d:warfarin 三 mg 每晚一次。", &["warfarin 3 mg x1"]),
        ("d:Trelegy,每朝一吸。", &["fluticasone/umeclidinium/vilanterol 1 {puff} x1"]),
    ]);
}

/// The conditions that are there or were, by their ICD-10 codes: `?` where one is no more.
fn conditions(talk: &str) -> Vec<String> {
    let told = |condition: &cantoscribe::note::Condition| match condition.assertion {
        Assertion::Present => Some(condition.codes[0].code.clone()),
        Assertion::Historical => Some(format!("?{}", condition.codes[0].code)),
        _ => None,
    };
    extract(&transcript(talk), &LEXICON).conditions.iter().filter_map(told).collect()
}

#[test]
fn the_drugs_of_a_condition_and_how_much_is_smoked_answer_for_it() {
    for (talk, wanted) in [
        ("d:你血壓藥叫咩名?|p:losartan 五十 mg 一日一粒。", &["I10"][..]),
        ("d:膽固醇藥呢?|p:rosuvastatin 十 mg,晚晚食。", &["E78.5"]),
        ("p:咁降壓藥照食?|d:照食。", &["I10"]),
        ("p:膽固醇藥要唔要停?|d:唔好停。", &["E78.5"]),
        ("d:血壓藥呢?|p:冇食。", &[]),
        ("d:你血壓藥叫咩名?|p:Panadol 咋。", &[]),
        ("p:血壓藥使唔使食?|d:唔使。", &[]),
        ("p:我老公血壓藥照食?", &[]),
        ("r:我血壓藥呢?", &[]),
        ("d:煙呢?|p:半包度,三十年囉。", &["F17.2"]),
        ("d:食唔食煙?|p:戒了八年。", &["?F17.2"]),
        ("d:煙仲有冇食?|p:一日十支。", &["F17.2"]),
        ("d:煙呢?|p:冇。", &[]),
    ] {
        assert_eq!(conditions(talk), wanted, "{talk}");
    }
}

#[test]
fn words_of_two_clauses_are_no_misspelt_name() {
    assert_eq!(conditions("p:No fever,weight 仲重咗。"), ["R63.5"]);
}
