//! What must not be lost silently: the second and third drug of a list, a drug without a dose, an answer that is misspelt, a denial
//! that is part of a word. Each row one talk and all that its note says of drugs, allergies and tobacco, or lists as not understood.

use cantoscribe::note::extract::extract;
use cantoscribe::note::{Allergy, AllergyStatus, MedicationStatus};

use super::LEXICON;
use super::scopes::transcript;

/// Drugs by status (`+` taken or started, `-` stopped), allergies (`!`, with what was heard where it only sounds so; none `0`), tobacco with its claim, `?` and words listed.
fn said_of(talk: &str) -> Vec<String> {
    let note = extract(&transcript(talk), &LEXICON);
    let drugs = note.medications.iter().map(|drug| match drug.status {
        MedicationStatus::Stopped => format!("-{}", drug.name),
        MedicationStatus::Active | MedicationStatus::Planned => format!("+{}", drug.name),
    });
    let allergies = note.allergies.iter().map(|Allergy { substance, status, heard_as, .. }| match (status, heard_as) {
        (AllergyStatus::Present, None) => format!("!{substance}"),
        (AllergyStatus::Present, Some(heard)) => format!("!{substance}, heard as {}", heard.reveal()),
        (AllergyStatus::None, _) => format!("0{substance}"),
    });
    let smoking = note.conditions.iter().filter(|condition| condition.codes[0].code.starts_with("F17"));
    let smoking = smoking.map(|condition| format!("tobacco {:?}", condition.assertion).to_lowercase());
    let turns: Vec<&str> = talk.split('|').map(|turn| &turn[2..]).collect();
    let listed = note.uncovered.iter().map(|entry| {
        let words = turns[usize::try_from(entry.span.segment()).unwrap()].chars();
        let words: String = words.skip(entry.span.start()).take(entry.span.end() - entry.span.start()).collect();
        format!("?{words}")
    });
    let mut all: Vec<String> = drugs.chain(allergies).chain(smoking).chain(listed).collect();
    all.sort();
    all
}

/// A row names findings; one with `?` must be in what is listed, and nothing else may be found but what is listed besides.
fn check(rows: &[(&str, &[&str])]) {
    let mut wrong = Vec::new();
    for (talk, wanted) in rows {
        let got = said_of(talk);
        let has = |wanted: &&&str| match wanted.strip_prefix('?') {
            Some(words) => got.iter().any(|one| one.starts_with('?') && one.contains(words)),
            None => got.iter().any(|one| one == *wanted),
        };
        let extra: Vec<&String> = got.iter().filter(|one| !one.starts_with('?') && !wanted.contains(&one.as_str())).collect();
        if !wanted.iter().all(|wanted| has(&wanted)) || !extra.is_empty() {
            wrong.push(format!("{talk}\n    wanted {wanted:?}\n    got    {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn all_drugs_of_a_list_are_found() {
    check(&[
        ("p:我食緊 aspirin 同 metformin", &["+aspirin", "+metformin"]),
        ("p:我食開 aspirin、metformin 同埋 amlodipine", &["+aspirin", "+metformin", "+amlodipine"]),
        ("-:on aspirin, metformin and atorvastatin.", &["+aspirin", "+metformin", "+atorvastatin"]),
        ("p:I'm on lisinopril, metoprolol, and a statin", &["+lisinopril", "+metoprolol", "+statin"]),
        ("-:食緊亞士匹靈同埋metformin仲有血壓藥", &["+aspirin", "+metformin"]),
        ("-:我吃着阿司匹林和二甲双胍", &["+aspirin", "+metformin"]),
        ("p:我自己有食緊降血壓嘅 losartan、降膽固醇嘅 rosuvastatin", &["+losartan", "+rosuvastatin"]),
        ("r:佢食緊 donepezil 同 memantine，仲有 quetiapine", &["+donepezil", "+memantine", "+quetiapine"]),
        ("d:加 furosemide 同 spironolactone", &["+furosemide", "+spironolactone"]),
        ("-:s/p PCI on aspirin, ticagrelor and bisoprolol", &["+aspirin", "+ticagrelor", "+bisoprolol"]),
        ("-:Current meds: aspirin, metformin, simvastatin", &["+aspirin", "+metformin", "+simvastatin"]),
        ("d:aspirin 同 clopidogrel 都停咗先", &["-aspirin", "-clopidogrel"]),
        ("p:我停咗 aspirin 同埋 warfarin", &["-aspirin", "-warfarin"]),
        ("d:停 metformin、gliclazide，轉打 insulin", &["-metformin", "-gliclazide", "+insulin"]),
        ("p:我以前食過 prednisolone 同 azathioprine，而家冇食", &["-prednisolone", "-azathioprine"]),
        ("p:我冇食 aspirin，食緊 warfarin 同埋 digoxin", &["+warfarin", "+digoxin"]),
        ("-:On lisinopril 10mg, stopped metoprolol", &["+lisinopril", "-metoprolol"]),
        ("p:阿爸食緊 warfarin 同 digoxin，我就冇食藥", &[]),
    ]);
}

#[test]
fn a_drug_without_a_dose_is_taken_or_stopped_as_it_is_said() {
    check(&[
        ("-:Off aspirin.", &["-aspirin"]),
        ("-:Stopped aspirin", &["-aspirin"]),
        ("-:On aspirin", &["+aspirin"]),
        ("-:Warfarin discontinued", &["-warfarin"]),
        ("-:Takes atenolol; no longer on simvastatin", &["+atenolol", "-simvastatin"]),
        ("-:Not taking aspirin", &[]),
        ("p:食緊薄血丸", &["+anticoagulant"]),
        ("p:我食緊血壓藥同埋薄血丸", &["+anticoagulant"]),
        ("p:食緊薄血藥 warfarin", &["+warfarin"]),
        ("d:aspirin 唔好同 ibuprofen 一齊食", &["?aspirin", "?ibuprofen"]),
        ("d:你而家食咩藥?|p:amlodipine、losartan。", &["+amlodipine", "+losartan"]),
        ("d:有冇食薄血藥?|p:有，warfarin。", &["+warfarin"]),
        ("d:What medications are you on?|p:Aspirin, metformin and something for my cholesterol.", &["+aspirin", "+metformin"]),
        ("d:食緊邊啲藥？|p:血壓藥 amlodipine，糖尿藥 metformin", &["+amlodipine", "+metformin"]),
        ("d:我哋傾下 warfarin", &["?warfarin"]),
        ("d:losartan 同 HCTZ 照舊。", &["+losartan", "+hydrochlorothiazide"]),
        ("d:warfarin 同 aspirin 一齊食會容易流血", &["?warfarin", "?aspirin"]),
        ("p:I take a sprint and metformin.", &["+metformin", "?sprint"]),
        ("p:我食緊 Xyzalon 同埋 Panadol", &["+paracetamol", "?Xyzalon"]),
        ("d:Parasetamol 500 mg four times a day.", &["+paracetamol"]),
        ("d:開 paracetmol 五百 mg 一日四次", &["+paracetamol"]),
    ]);
    let frequency = |talk: &str| extract(&transcript(talk), &LEXICON).medications[0].times_per_day;
    assert_eq!((frequency("-:on aspirin"), frequency("-:on aspirin 80 mg ON")), (None, Some(1.0)));
}

#[test]
fn all_substances_of_an_allergy_are_found_and_what_is_misspelt_is_listed() {
    check(&[
        ("d:有冇藥物敏感?|p:penicilin。", &["?penicilin"]),
        ("d:有冇藥物敏感?|p:有，penicilin。", &["?penicilin"]),
        ("d:有冇藥物敏感?|p:有。|d:咩藥呀?|p:盤尼西林。", &["!penicillin"]),
        ("d:冇盤尼西林敏感嘛？|p:有㗎，細個食過出疹。", &["!penicillin"]),
        ("-:你对什么药过敏|-:盘尼西林和阿司匹林", &["!penicillin", "!aspirin"]),
        ("d:有冇藥物敏感?|p:有。|d:咩藥呀?|p:盤尼西淋。", &["!penicillin, heard as 盤尼西淋"]),
        ("d:Any drug allergies?|p:Yes, pencilin.", &["?pencilin"]),
        ("d:對乜嘢藥敏感?|p:阿摩仙，同埋撲熱息痛。", &["!paracetamol", "?阿摩仙"]),
        ("d:有冇藥物敏感?|p:有，盤尼西林、sulfa 同埋海鮮。", &["!penicillin", "!sulfonamide", "!seafood"]),
        ("p:I'm allergic to penicillin, sulfa and shellfish.", &["!penicillin", "!sulfonamide", "!shellfish"]),
        ("-:Allergies: penicillin, NSAIDs", &["!penicillin", "!nsaid"]),
        ("-:Allergic to Augmentin (rash), NSAID (rash)", &["!amoxicillin/clavulanate", "!nsaid"]),
        ("p:我對頭孢，磺胺，同埋阿士匹靈敏感", &["!cephalosporin", "!sulfonamide", "!aspirin"]),
        ("p:我對盤尼西林敏感，仲有磺胺類", &["!penicillin", "!sulfonamide"]),
        ("p:我對盤尼西林敏感，aspirin 就食緊", &["!penicillin", "+aspirin"]),
        ("p:食 ibuprofen 同 naproxen 會眼腫", &["!ibuprofen", "!naproxen"]),
        ("-:我食盤尼西林會出疹食阿士匹靈會面腫", &["!penicillin", "!aspirin"]),
        ("-:No allergies to penicillin, aspirin or sulfa", &["0penicillin", "0aspirin", "0sulfonamide"]),
        ("-:No known drug allergy.", &["0drug"]),
        ("-:Allergy: nil", &["0drug"]),
        ("-:有没有药物过敏|-:没有", &["0drug"]),
    ]);
}

#[test]
fn who_does_not_smoke_has_no_tobacco_dependence() {
    check(&[
        ("-:Non-smoker, non-drinker.", &["tobacco absent"]),
        ("-:Nonsmoker", &["tobacco absent"]),
        ("-:He doesn't smoke or drink", &["tobacco absent"]),
        ("-:Never smoked", &["tobacco absent"]),
        ("p:唔食煙", &["tobacco absent"]),
        ("p:我從來冇食過煙", &["tobacco absent"]),
        ("p:我唔煙唔酒", &["tobacco absent"]),
        ("d:你食唔食煙?|p:都唔食。", &["tobacco absent"]),
        ("p:戒咗煙十年", &["tobacco historical"]),
        ("-:以前抽烟现在戒了", &["tobacco historical"]),
        ("-:Ex-smoker, quit 10 years ago", &["tobacco historical"]),
        ("p:我唔食煙，但老公食煙", &["tobacco absent", "tobacco family"]),
        ("-:Current smoker 1 pack/day", &["tobacco present"]),
    ]);
}

#[test]
fn a_denial_reaches_all_of_its_list() {
    let claims = |talk: &str| {
        let note = extract(&transcript(talk), &LEXICON);
        let mut all: Vec<String> =
            note.conditions.iter().map(|one| format!("{} {:?}", one.codes[0].code, one.assertion).to_lowercase()).collect();
        all.sort();
        all.dedup();
        all
    };
    for (talk, wanted) in [
        ("-:no DM, HT or asthma", &["e14.9 absent", "i10 absent", "j45.9 absent"][..]),
        ("-:Denies chest pain, SOB or palpitations", &["r00.2 absent", "r06.0 absent", "r07.4 absent"]),
        ("p:冇發燒、咳嗽或者氣促", &["r05 absent", "r06.0 absent", "r50.9 absent"]),
        ("-:No fever, no cough, but has sore throat", &["r05 absent", "r07.0 present", "r50.9 absent"]),
        ("d:排除咗肺炎同肺癆", &["a16.9 absent", "j18.9 absent"]),
        ("-:non-alcoholic fatty liver", &["k76.0 present"]),
    ] {
        assert_eq!(claims(talk), wanted, "{talk}");
    }
}
