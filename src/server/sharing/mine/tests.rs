//! The way back over HTTP, as a telephone goes it.

use std::time::Duration;

use super::super::decision::tests::Phone;
use super::super::tests::{HKID, Stage, answered, ask_for, delivered, in_force, stage};
use super::*;
use crate::store::Contact;

const NUMBER: &str = "number=9123%204567";

/// Waits until so many messages were made in all.
async fn messages(stage: &Stage, wanted: usize) {
    for _ in 0..200 {
        if stage.store().messages(100).await.unwrap().len() >= wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no message was made");
}

/// Asks for a link and opens it: the address of the page.
async fn come_back(stage: &Stage, phone: &mut Phone) -> String {
    let before = stage.store().messages(100).await.unwrap().len();
    assert_eq!(phone.send("POST", "/mine", NUMBER).await.status, 200);
    messages(stage, before + 1).await;
    let text = delivered(&stage.sharing).await;
    let (clinic, link) = text.split_once('\n').unwrap();
    assert_eq!(clinic, "Clinic A", "the message has the clinic's name and a link alone");
    let path = link.split_once("/m/").map(|(_, path)| format!("/m/{path}")).unwrap();
    let landing = phone.send("GET", &path, "").await;
    assert!(landing.status == 200 && landing.page.contains("Clinic A") && !landing.page.contains("Dr Bo"));
    let opened = phone.send("POST", &path, "").await;
    assert_eq!(phone.other().send("POST", &path, "").await.status, 403, "the link opened twice");
    opened.to.unwrap()
}

async fn code(stage: &Stage) -> String {
    let text = delivered(&stage.sharing).await;
    text.split("Code: ").nth(1).unwrap().chars().take(8).collect()
}

#[tokio::test]
async fn link_and_code_lead_to_all_shares_the_report_and_taking_back() {
    let stage = stage(1).await;
    let consent = in_force(&stage).await;
    ask_for(&stage.sharing, stage.b, HKID, serde_json::json!({ "whole_organisation": true })).await.unwrap();
    let mut phone = Phone::new(&stage.sharing).await;
    assert!(phone.send("GET", "/mine", "").await.page.contains("action=\"/mine\""));
    let path = come_back(&stage, &mut phone).await;
    let asked = phone.send("GET", &path, "").await.page;
    assert!(asked.contains("8 位數字") && !asked.contains("Dr Bo"), "before the code nothing is told");
    for address in [format!("{path}/report"), format!("{path}/consents/{consent}")] {
        assert_eq!(phone.send("GET", &address, "").await.status, 403, "{address} without the code");
    }
    let code = code(&stage).await;
    let wrong = format!("code={:08}&decider=patient", (code.parse::<u32>().unwrap() + 1) % 100_000_000);
    assert_eq!(phone.send("POST", &format!("{path}/enter"), &wrong).await.to.unwrap(), format!("{path}?wrong"));
    let right = format!("code={code}&decider=patient");
    assert_eq!(phone.other().send("POST", &format!("{path}/enter"), &right).await.status, 403, "the code without the link");
    let outside = phone.cookie().unwrap();
    assert_eq!(phone.send("POST", &format!("{path}/enter"), &right).await.to.unwrap(), path);
    assert_ne!(phone.cookie().unwrap(), outside, "who had the page before the code has it after");
    let own = phone.send("GET", &path, "").await.page;
    for word in ["Dr Bo", "Clinic B", "分享中", "收回同意", "誰看過", "Clinic B：所有診治病人的人員"] {
        assert!(own.contains(word), "{word} in {own}");
    }
    let document = phone.send("GET", &format!("{path}/consents/{consent}"), "").await.page;
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!((&document["resourceType"], &document["status"]), (&"Consent".into(), &"active".into()));
    assert!(phone.send("GET", &format!("{path}/report"), "").await.page.contains("分享生效"));
    let other = ConsentId::from_bytes([1; 16]);
    assert_eq!(phone.send("POST", &format!("{path}/withdraw/{other}"), "").await.status, 403);
    assert_eq!(phone.other().send("POST", &format!("{path}/withdraw/{consent}"), "").await.status, 403);
    assert!(!stage.store().consent(consent).await.unwrap().unwrap().consent.is_over());
    phone.send("POST", &format!("{path}/withdraw/{consent}"), "").await;
    assert!(stage.store().consent(consent).await.unwrap().unwrap().consent.is_over());
    assert!(phone.send("GET", &path, "").await.page.contains("已收回"));
}

#[tokio::test]
async fn what_is_not_in_force_yet_is_ended_there_too() {
    let stage = stage(1).await;
    let by = stage.by(stage.b);
    let attest = async |id| {
        let purpose = crate::audit::Purpose::Referral;
        let attested = stage.store().change_consent(id, &by, |consent, _| consent.attest(stage.b, purpose, now()).into());
        attested.await.unwrap().unwrap().outcome
    };
    let asked = ask_for(&stage.sharing, stage.b, HKID, serde_json::json!({})).await.unwrap();
    let attested = ask_for(&stage.sharing, stage.b, HKID, serde_json::json!({})).await.unwrap();
    assert_eq!(attest(attested).await, Ok(()));
    let said_yes = answered(&stage, HKID, 7).await;
    // On another telephone than the one that said yes.
    let mut phone = Phone::new(&stage.sharing).await;
    let path = come_back(&stage, &mut phone).await;
    let entered = format!("code={}&decider=patient", code(&stage).await);
    assert_eq!(phone.send("POST", &format!("{path}/enter"), &entered).await.to.unwrap(), path);
    let own = phone.send("GET", &path, "").await.page;
    assert_eq!((own.matches("立即拒絕要求").count(), own.matches("立即收回同意").count()), (2, 1), "{own}");
    let refused = (Action::ConsentAnswer, Outcome::Refused { reason: Refusal::SaidNo });
    for (id, ends, told) in [
        (asked, "refused", refused),
        (attested, "refused", refused),
        (said_yes, "withdrawn", (Action::ConsentWithdraw, Outcome::Done)),
    ] {
        assert_eq!(phone.other().send("POST", &format!("{path}/withdraw/{id}"), "").await.status, 403);
        assert_eq!(phone.send("POST", &format!("{path}/withdraw/{id}"), "").await.to.unwrap(), path);
        assert_eq!(requests::state(&stage.store().consent(id).await.unwrap().unwrap().consent), ends);
        let event = stage.store().events(0, 1_000).await.unwrap().pop().unwrap();
        let event = Event::decode(&event).unwrap();
        assert_eq!((event.action, event.outcome), told);
        assert_eq!((event.actor, event.consent), (crate::audit::Actor::Patient, Some(id)));
        assert_eq!(attest(id).await, Err(Refusal::AlreadyUsed), "the doctor's word brings it into force");
        assert_eq!(phone.send("POST", &format!("{path}/withdraw/{id}"), "").await.to.unwrap(), format!("{path}?used"));
    }
    let own = phone.send("GET", &path, "").await.page;
    assert!(!own.contains("立即") && own.contains("已拒絕") && own.contains("已收回"), "{own}");
}

#[tokio::test]
async fn whether_a_number_is_known_is_not_told_and_one_number_is_not_flooded() {
    let stage = stage(1).await;
    let mut phone = Phone::new(&stage.sharing).await;
    let known = phone.send("POST", "/mine", NUMBER).await;
    messages(&stage, 1).await;
    for number in ["number=62345678", "number=nobody%40example.org", "number=x", "nothing=1", ""] {
        let unknown = phone.send("POST", "/mine", number).await;
        assert_eq!((unknown.status, &unknown.page), (known.status, &known.page), "{number}");
    }
    for _ in 0..10 {
        assert_eq!(phone.send("POST", "/mine", NUMBER).await.page, known.page);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(stage.store().messages(100).await.unwrap().len(), super::super::WAYS_BACK.0);
    let mut last = 0;
    for _ in 0..super::super::ANSWERS.0 {
        last = phone.send("POST", "/mine", "number=62345678").await.status;
    }
    assert_eq!(last, 429, "an address that asks too often");
}

#[tokio::test]
async fn a_number_that_was_changed_leads_nowhere_and_old_folders_are_indexed() {
    let stage = stage(1).await;
    let (store, reached) = (stage.store(), "+85291234567");
    assert_eq!(store.patients_reached_by(reached).await.unwrap(), std::slice::from_ref(&stage.patient));
    let contact = Contact { phone: Some("+85261234567".into()), mail: None, incapable: false };
    store.set_contact(&stage.patient, &contact, |_| Vec::new(), &stage.by(stage.a)).await.unwrap();
    assert!(store.patients_reached_by(reached).await.unwrap().is_empty());
    assert_eq!(store.patients_reached_by("+85261234567").await.unwrap().len(), 1);
    store.index_contacts().await.unwrap();
    assert_eq!(store.patients_reached_by("+85261234567").await.unwrap().len(), 1);
}
