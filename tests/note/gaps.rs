//! What was once missed: drugs told against advice, replaced or only thought of; what a drug does; who is spoken of; what will be done.

use cantoscribe::note::extract::extract;
use cantoscribe::note::{AllergyStatus, MedicationStatus, Note, PlanKind};

use super::LEXICON;
use super::scopes::transcript;

fn note(talk: &str) -> Note {
    extract(&transcript(talk), &LEXICON)
}

/// Names and statuses, in the order told.
fn drugs(talk: &str) -> Vec<(String, MedicationStatus)> {
    note(talk).medications.into_iter().map(|drug| (drug.name, drug.status)).collect()
}

fn check_drugs(rows: &[(&str, &[(&str, MedicationStatus)])]) {
    for (talk, wanted) in rows {
        let wanted: Vec<(String, MedicationStatus)> = wanted.iter().map(|(name, status)| ((*name).to_owned(), *status)).collect();
        assert_eq!(drugs(talk), wanted, "{talk}");
    }
}

#[test]
fn what_one_does_is_the_last_word_and_not_what_one_was_told() {
    use MedicationStatus::{Active, Stopped};
    check_drugs(&[
        ("p:醫生叫我停 aspirin,但我仲食緊。", &[("aspirin", Active)]),
        ("p:骨科話要停 naproxen,不過我繼續食。", &[("naproxen", Active)]),
        ("p:護士叫我停咗 metformin 先,但係我照食。", &[("metformin", Active)]),
        ("p:醫生叫我停 aspirin,我停咗喇。", &[("aspirin", Stopped)]),
        ("p:醫生叫我停 aspirin,但係之後冇再食過。", &[("aspirin", Stopped)]),
        ("d:aspirin 停三日,跟住照食。", &[("aspirin", Active)]),
        // Whoever says last that it must be stopped.
        ("p:醫生叫我停 aspirin,但我仲食緊。|d:唔得,今次真係要停。", &[("aspirin", Stopped)]),
        ("d:止痛藥 naproxen 你仲有冇食?|p:膝頭痛嗰陣間中食粒。|d:停咗佢。", &[("naproxen", Stopped)]),
    ]);
}

#[test]
fn of_two_drugs_one_takes_the_place_of_the_other() {
    use MedicationStatus::{Planned, Stopped};
    check_drugs(&[
        ("d:warfarin 轉咗 rivaroxaban 二十 mg 一日一次。", &[("warfarin", Stopped), ("rivaroxaban", Planned)]),
        ("d:enalapril 換咗 losartan 五十 mg 一日一次。", &[("enalapril", Stopped), ("losartan", Planned)]),
        // First the one and then the other.
        ("d:打 enoxaparin 六十毫克一日兩次,之後轉 apixaban 十毫克一日兩次。", &[("enoxaparin", Planned), ("apixaban", Planned)]),
        (
            "d:labetalol 一百毫克一日三次。|p:我有哮喘喎。|d:咁 labetalol 唔好,轉 nifedipine 三十毫克一日一次。",
            &[("nifedipine", Planned)],
        ),
    ]);
}

#[test]
fn a_drug_that_was_measured_swallowed_or_blamed_is_no_treatment() {
    for talk in ["n:兩個鐘前吞咗四十粒必理痛。", "d:四個鐘後抽 paracetamol 濃度。", "p:我食 NSAID 會胃痛。"]
    {
        assert_eq!(drugs(talk), [], "{talk}");
    }
    assert!(note("p:我食 NSAID 會胃痛。").conditions.is_empty(), "what a drug does is no complaint");
    let how_often = |talk: &str| note(talk).medications.first().and_then(|drug| drug.times_per_day);
    assert_eq!(how_often("d:開 cetirizine 一日一粒。"), Some(1.0));
    assert_eq!(how_often("d:prazosin 一毫克日兩次。"), Some(2.0));
    assert_eq!(how_often("d:prazosin 一毫克一日兩次。"), Some(2.0));
    assert_eq!(how_often("d:risperidone 兩毫克一晚一次。"), Some(1.0));
}

#[test]
fn what_is_counted_a_minute_may_be_said_in_times() {
    let read = |talk: &str| note(talk).observations.iter().map(|one| (one.loinc.clone(), one.value)).collect::<Vec<_>>();
    let both = [("9279-1".to_owned(), 52.0), ("8867-4".to_owned(), 150.0)];
    assert_eq!(read("d:呼吸五十二次,心跳一百五十次。"), both);
    assert_eq!(read("d:呼吸每分鐘五十二次心跳一百五十"), both);
    assert_eq!(read("p:心跳停過兩次。"), []);
}

#[test]
fn when_needed_is_said_of_the_drug_behind_it() {
    let talk = "d:Cloxacillin 五百毫克一日四次食十日,痛就食必理痛一克,六個鐘一次。";
    let prn: Vec<bool> = note(talk).medications.iter().map(|drug| drug.prn).collect();
    assert_eq!(prn, [false, true]);
    assert_eq!(note("p:我食緊 losartan 五十一日一次。").medications[0].times_per_day, Some(1.0));
}

fn allergies(talk: &str) -> Vec<(String, AllergyStatus)> {
    note(talk).allergies.into_iter().map(|allergy| (allergy.substance, allergy.status)).collect()
}

#[test]
fn allergies_by_what_they_do_and_by_both_their_names() {
    use AllergyStatus::{None, Present};
    for (talk, wanted) in [
        ("p:食 aspirin 會哮喘發作。", &[("aspirin", Present)][..]),
        ("p:我食 ibuprofen 就唞唔到氣。", &[("ibuprofen", Present)]),
        ("p:whenever I take aspirin it gives me asthma.", &[("aspirin", Present)]),
        ("p:I get hives with Augmentin.", &[("amoxicillin/clavulanate", Present)]),
        // A warning, a side effect, and an illness of its own.
        ("d:有哮喘嘅人食 aspirin 會哮喘發作。", &[]),
        ("p:食 aspirin 會胃痛。", &[]),
        ("p:我有哮喘,食緊 aspirin。", &[]),
        ("p:冇藥物敏感同食物敏感。", &[("drug", None), ("food", None)]),
        ("d:有冇食物敏感?|p:冇。", &[("food", None)]),
        ("d:呢個唔係食物敏感。", &[]),
        ("p:penicillin 同 amoxicillin 都敏感。", &[("penicillin", Present), ("amoxicillin", Present)]),
        ("p:我對 amoxicillin 同盤尼西林敏感。", &[("amoxicillin", Present), ("penicillin", Present)]),
        ("p:I'm allergic to penicillin and amoxicillin.", &[("penicillin", Present), ("amoxicillin", Present)]),
    ] {
        let wanted: Vec<(String, AllergyStatus)> = wanted.iter().map(|(name, status)| ((*name).to_owned(), *status)).collect();
        assert_eq!(allergies(talk), wanted, "{talk}");
    }
}

fn planned(talk: &str) -> Vec<PlanKind> {
    note(talk).plan.into_iter().map(|item| item.kind).collect()
}

#[test]
fn what_will_be_done_without_the_usual_verb() {
    for (talk, kind) in [
        ("d:跟住做物理治療。", PlanKind::Referral),
        ("d:請精神科會診。", PlanKind::Referral),
        ("d:社康護士上門跟進。", PlanKind::Referral),
        ("d:一個星期後返骨科門診。", PlanKind::FollowUp),
        ("d:六個禮拜後覆珍。", PlanKind::FollowUp),
        ("d:今日收入內科病房。", PlanKind::Procedure),
        ("d:療程完咗四個禮拜後做吹氣測試。", PlanKind::Investigation),
    ] {
        assert!(planned(talk).contains(&kind), "{talk}: {:?}", planned(talk));
    }
    for talk in ["d:你之前做物理治療有冇用?", "d:吹氣測試做咗,係陰性。", "d:坐低十五分鐘再量一五二/一百。", "-:少食多餐,抽鼻水"]
    {
        let kinds = planned(talk);
        assert!(!kinds.contains(&PlanKind::Referral) && !kinds.contains(&PlanKind::Investigation), "{talk}: {kinds:?}");
    }
}

#[test]
fn what_was_asked_for_and_agreed_to() {
    let timed = |talk: &str| note(talk).plan.into_iter().map(|item| (item.kind, item.days)).collect::<Vec<_>>();
    for (talk, kind, days) in [
        ("p:使唔使覆診呀醫生?|d:要,兩個月後。", PlanKind::FollowUp, Some(60.0)),
        ("p:我下個月去旅行,可唔可以遲啲覆診?|d:咁六個禮拜後啦。", PlanKind::FollowUp, Some(42.0)),
        ("p:要唔要照 MRI?|d:要,我幫你排期。", PlanKind::Investigation, None),
        ("r:佢使唔使住院?|d:要呀,即刻入。", PlanKind::Procedure, None),
        ("p:我要張假紙,可唔可以放三日?|d:好,三日。", PlanKind::SickLeave, Some(3.0)),
        ("d:放你一日假,聽日返工。", PlanKind::SickLeave, Some(1.0)),
        ("d:安排你做白內障手術。", PlanKind::Procedure, None),
    ] {
        assert!(timed(talk).contains(&(kind, days)), "{talk}: {:?}", timed(talk));
    }
    for talk in ["p:使唔使照 MRI?|d:唔使,好似冇乜事。", "p:我上次照 MRI 係咪正常?|d:係,正常。", "p:要唔要住院?|d:暫時唔使住。"]
    {
        assert_eq!(timed(talk), [], "{talk}");
    }
}

#[test]
fn of_an_old_value_and_a_new_one_the_new_one_is_todays() {
    let values = note("d:上次糖化血紅素八點一,今次七點二。").observations;
    assert_eq!(values.iter().map(|one| (one.loinc.as_str(), one.value)).collect::<Vec<_>>(), [("4548-4", 7.2)]);
    assert!(note("d:減磅呀,減五公斤就好好多。").observations.is_empty());
}
