//! Restricted data: left out and told in general, asked for with a reason, agreed to with a link and a code of their own, and cut at once
//! where a note is marked while it is seen.

use std::time::{Duration, Instant};

use super::super::courier::now;
use super::super::decision::tests::{Answer, Phone, code};
use super::super::restricted::begin;
use super::super::tests::{HKID, ask, delivered, in_force, stage};
use super::super::{fhir, report};
use super::tests::{last_events, record, seen};
use super::*;
use crate::audit::{ConsentId, OrganisationId, RestrictedReason, RoleId};
use crate::consent::{CODE_LIFE, Decider, Secret};
use crate::identity::RoleKind;
use crate::record::Signature;
use crate::server::sharing::requests::done;
use crate::server::sharing::tests::Stage;
use crate::store::{MessageKind, Restriction};

/// The recording whose note the stage has.
const NOTE: &str = "NOTE0000000000001";
/// The day and the signer of it, by which the patient knows it.
const VISIT: &str = "2026-11-26 Dr Au";

async fn mark(stage: &Stage, restricted: bool) {
    let signature = Signature::new("Dr Au", "2026-11-26T11:00:00Z").unwrap();
    assert!(stage.store().restrict(NOTE, &Restriction { restricted, signature }, &stage.by(stage.a)).await.unwrap());
}

async fn asked_by(stage: &Stage, id: ConsentId, who: Actor) -> Result<(), ApiError> {
    let (stored, by) = (stage.store().consent(id).await.unwrap().unwrap(), stage.by(who));
    done(begin(&stage.sharing, &by, &stored, RestrictedReason::Safety).await?, &by).map(drop)
}

/// What is shared with the doctor who asks, as the page gets it.
async fn shares(stage: &Stage) -> serde_json::Value {
    let (shares, patients) = list::found(&stage.sharing, &stage.by(stage.b), RoleKind::Doctor).await.unwrap();
    assert_eq!(shares.len(), patients.len());
    serde_json::to_value(shares).unwrap()
}

/// Opens the newest link; the page's address and what it shows.
async fn opened(stage: &Stage, phone: &mut Phone) -> (String, String) {
    let text = delivered(&stage.sharing).await;
    let (clinic, link) = text.split_once('\n').unwrap();
    assert_eq!(clinic, "Clinic A", "the message has the clinic's name and a link alone");
    let (status, path, page) = phone.open(link).await;
    assert_eq!(status, 303);
    (path, page)
}

async fn say(phone: &mut Phone, path: &str, code: &str) -> Answer {
    phone.send("POST", &format!("{path}/yes"), &format!("code={code}&decider=patient")).await
}

fn refused(event: &Event) -> Option<Refusal> {
    match event.outcome {
        Outcome::Refused { reason } => Some(reason),
        Outcome::Done | Outcome::Failed => None,
    }
}

#[tokio::test]
async fn what_is_restricted_is_left_out_and_only_that_there_is_something_is_told() {
    let stage = stage(1).await;
    let id = in_force(&stage).await;
    let before = shares(&stage).await;
    assert_eq!((&before[0]["left_out"], &before[0]["may_ask"]), (&false.into(), &false.into()));
    assert_eq!(before[0]["notes"].as_array().unwrap().len(), 1);
    mark(&stage, true).await;
    let after = shares(&stage).await;
    assert_eq!((&after[0]["left_out"], &after[0]["may_ask"]), (&true.into(), &true.into()));
    assert_eq!((&after[0]["notes"], &after[0]["restricted"]), (&serde_json::json!([]), &serde_json::Value::Null));
    for told in ["2026-11-26", "Dr Au", &record(&stage, id).await.to_string()] {
        assert!(!after.to_string().contains(told), "{told} tells which it is: {after}");
    }
    let last = last_events(&stage, 1).await;
    assert_eq!((last[0].action, refused(&last[0]), last[0].consent), (Action::Permit, Some(Refusal::Restricted), Some(id)));
    let before_again = stage.store().events(0, 10_000).await.unwrap().len();
    shares(&stage).await;
    let after_again = stage.store().events(0, 10_000).await.unwrap().len();
    assert_eq!(before_again, after_again, "a page that looks every few seconds: once an hour");

    assert!(matches!(seen(&stage, id, Purpose::Referral).await, Err(ApiError::Denied(Refusal::Restricted))));
    let last = last_events(&stage, 2).await;
    assert!(last.iter().all(|event| (event.action, refused(event)) == (Action::Permit, Some(Refusal::Restricted))));
    // The document of the consent names for the doctor no note that is left out, and for the patient each.
    let stored = stage.store().consent(id).await.unwrap().unwrap();
    for (actor, notes) in [(stage.b, 0), (Actor::Patient, 1)] {
        let answer = fhir::answer(&stage.sharing, &stored, &stage.by(actor)).await.unwrap();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(document["provision"]["data"].as_array().map_or(0, Vec::len), notes, "{document}");
    }
    mark(&stage, false).await;
    assert_eq!(shares(&stage).await, before);
    assert!(seen(&stage, id, Purpose::Referral).await.is_ok());
}

#[tokio::test]
async fn a_mark_ends_an_open_view_within_a_second_but_where_restricted_data_are_included() {
    let stage = stage(1).await;
    let id = in_force(&stage).await;
    let (held, _) = seen(&stage, id, Purpose::Referral).await.unwrap();
    let (changes, store) = (stage.store().consent_changes(), stage.store().clone());
    let watching = tokio::spawn(async move { (held.ended(&store, changes).await, Instant::now()) });
    let (kept, _) = seen(&stage, id, Purpose::Referral).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!watching.is_finished());
    let begun = Instant::now();
    mark(&stage, true).await;
    let (refusal, at) = watching.await.unwrap();
    assert_eq!(refusal, Refusal::Restricted);
    assert!(at - begun < Duration::from_secs(1), "{:?}", at - begun);
    assert_eq!(kept.still(stage.store(), now()).await, Err(Refusal::Restricted), "nor its next page");

    asked_by(&stage, id, stage.b).await.unwrap();
    let mut phone = Phone::new(&stage.sharing).await;
    let (path, _) = opened(&stage, &mut phone).await;
    let code = code(&stage).await;
    assert_eq!(say(&mut phone, &path, &code).await.to, Some(path));
    mark(&stage, false).await;
    let (held, _) = seen(&stage, id, Purpose::Referral).await.unwrap();
    mark(&stage, true).await;
    assert_eq!(held.still(stage.store(), now()).await, Ok(()));
    assert!(seen(&stage, id, Purpose::Referral).await.is_ok());
    let by = stage.by(Actor::Patient);
    let withdrawn = stage.store().change_consent(id, &by, |consent, _| consent.withdraw(Actor::Patient, by.at).into());
    withdrawn.await.unwrap().unwrap().outcome.unwrap();
    assert_eq!(held.still(stage.store(), now()).await, Err(Refusal::Withdrawn), "taking it back ends both");
}

#[tokio::test]
async fn the_second_yes_takes_a_reason_a_link_and_a_code_of_its_own() {
    let stage = stage(1).await;
    mark(&stage, true).await;
    let mut phone = Phone::new(&stage.sharing).await;
    ask(&stage.sharing, stage.b, HKID).await.unwrap();
    let (path, page) = opened(&stage, &mut phone).await;
    assert!(page.contains("不包括，除非再徵得您同意"), "the first question says that they are left out");
    let first = code(&stage).await;
    assert_eq!(say(&mut phone, &path, &first).await.to.unwrap(), path);
    let id = ConsentId::try_from(path.trim_start_matches("/d/").to_owned()).unwrap();
    let by = stage.by(stage.b);
    let attested = stage.store().change_consent(id, &by, |consent, _| consent.attest(stage.b, Purpose::Referral, now()).into());
    attested.await.unwrap().unwrap().outcome.unwrap();

    asked_by(&stage, id, stage.b).await.unwrap();
    let asked = last_events(&stage, 1).await.remove(0);
    assert_eq!((asked.action, asked.actor), (Action::RestrictedAsk { reason: RestrictedReason::Safety }, stage.b));
    assert_eq!((asked.consent, asked.patient), (Some(id), Some(stage.store().pseudonym(&stage.patient).unwrap())));
    assert_eq!(shares(&stage).await[0]["restricted"], "asked");
    // On the telephone that gave the first code it says where to answer; the page of the link has the question.
    assert!(phone.send("GET", &path, "").await.page.contains("最新短訊"));
    let early = say(&mut phone, &path, &first).await;
    assert_eq!(early.status, 403, "the first page and its code answer no second question");
    let mut second = phone.other();
    let (again, page) = opened(&stage, &mut second).await;
    assert_eq!(again, path);
    for word in ["Dr Bo", "Clinic B", "治療可能對您有害", VISIT, "是否同意一併分享受限制資料", "其餘資料照舊分享"]
    {
        assert!(page.contains(word), "{word} in {page}");
    }
    let code = code(&stage).await;
    assert_ne!(code, first);
    assert_eq!(say(&mut second, &path, &first).await.to.unwrap(), format!("{path}?wrong"), "the code of the first step");
    assert_eq!(say(&mut second.other(), &path, &code).await.status, 403, "the code without the page");
    assert!(matches!(seen(&stage, id, Purpose::Referral).await, Err(ApiError::Denied(Refusal::Restricted))));
    assert_eq!(say(&mut second, &path, &code).await.to.unwrap(), path);
    let answered = last_events(&stage, 1).await.remove(0);
    assert_eq!((answered.action, answered.actor, answered.outcome), (Action::RestrictedAnswer, Actor::Patient, Outcome::Done));
    assert_eq!(say(&mut second, &path, &code).await.to.unwrap(), format!("{path}?used"), "a replay");

    assert!(seen(&stage, id, Purpose::Referral).await.is_ok());
    let now_shared = shares(&stage).await;
    assert_eq!((&now_shared[0]["restricted"], &now_shared[0]["left_out"]), (&"included".into(), &false.into()));
    assert_eq!(now_shared[0]["notes"].as_array().unwrap().len(), 1);
    assert!(second.send("GET", &path, "").await.page.contains("您已另行同意"));
    let document = second.send("GET", &format!("{path}/fhir"), "").await.page;
    assert!(document.contains(r#""code":"R""#), "{document}");
    let told = report::of_patient(&stage.sharing, &stage.patient, &stage.by(Actor::Patient)).await.unwrap().html();
    for line in ["標示為受限制資料", "要求受限制資料（用藥或治療安全）", "病人回覆受限制資料的要求", "拒絕：受限制資料"]
    {
        assert!(told.contains(line), "{line} in {told}");
    }
    let once = asked_by(&stage, id, stage.b).await;
    assert!(matches!(once, Err(ApiError::Denied(Refusal::AlreadyUsed))), "nothing is left out any more");
}

#[tokio::test]
async fn nobody_else_asks_and_only_where_something_is_left_out_of_a_consent_in_force() {
    let stage = stage(1).await;
    let id = in_force(&stage).await;
    assert!(matches!(asked_by(&stage, id, stage.b).await, Err(ApiError::Declined(_))), "nothing is restricted");
    assert_eq!(refused(&last_events(&stage, 1).await[0]), Some(Refusal::OtherRecord));
    mark(&stage, true).await;
    let Actor::Staff { person, organisation, role } = stage.b else { unreachable!() };
    let colleague = Actor::Staff { person, organisation, role: RoleId::from_bytes([7; 16]) };
    let elsewhere = Actor::Staff { person, organisation: OrganisationId::from_bytes([7; 16]), role };
    for who in [stage.a, colleague, elsewhere, Actor::System, Actor::Unknown] {
        assert!(matches!(asked_by(&stage, id, who).await, Err(ApiError::NoConsent)), "{who:?}");
        let last = last_events(&stage, 1).await.remove(0);
        assert_eq!((refused(&last), last.actor), (Some(Refusal::NotAllowed), who));
    }
    let before = stage.store().messages(100).await.unwrap().len();
    let waiting = ask(&stage.sharing, stage.b, HKID).await.unwrap();
    assert!(matches!(asked_by(&stage, waiting, stage.b).await, Err(ApiError::Denied(Refusal::AlreadyUsed))));
    let sent = stage.store().messages(100).await.unwrap();
    assert_eq!((sent.len(), sent[0].message.kind), (before + 1, MessageKind::Link), "the first question alone");
    let by = stage.by(Actor::Patient);
    let withdrawn = stage.store().change_consent(id, &by, |consent, _| consent.withdraw(Actor::Patient, by.at).into());
    withdrawn.await.unwrap().unwrap().outcome.unwrap();
    assert!(matches!(asked_by(&stage, id, stage.b).await, Err(ApiError::Denied(Refusal::AlreadyUsed))));
}

#[tokio::test]
async fn a_no_leaves_the_rest_shared_and_wrong_late_and_further_codes_are_as_in_the_first_step() {
    let stage = stage(1).await;
    let id = in_force(&stage).await;
    mark(&stage, true).await;
    asked_by(&stage, id, stage.b).await.unwrap();
    let mut phone = Phone::new(&stage.sharing).await;
    let (path, _) = opened(&stage, &mut phone).await;
    let right = code(&stage).await;
    let key = stage.store().code_key().unwrap();
    let secret = Secret::from_client(phone.cookie().unwrap().trim_start_matches("page=").to_owned());
    let stored = stage.store().consent(id).await.unwrap().unwrap();
    let late = stored.consent.confirm(&key, &secret, &right, Decider::Patient, now().after(CODE_LIFE));
    assert_eq!(late.outcome, Err(Refusal::Expired));
    for guess in ["00000000", "11111111", "22222222", "33333333", "44444444"] {
        assert_eq!(say(&mut phone, &path, guess).await.to.unwrap(), format!("{path}?wrong"));
    }
    assert_eq!(say(&mut phone, &path, &right).await.to.unwrap(), format!("{path}?many"));
    for _ in 0..3 {
        assert_eq!(phone.send("POST", &format!("{path}/code"), "").await.to.unwrap(), path);
    }
    assert_eq!(phone.send("POST", &format!("{path}/code"), "").await.to.unwrap(), format!("{path}?many"));
    let said = phone.send("POST", &format!("{path}/no"), "").await;
    assert!(said.status == 200 && said.page.contains("受限制資料不會分享，其餘照舊"));
    assert_eq!(refused(&last_events(&stage, 1).await[0]), Some(Refusal::SaidNo));
    assert_eq!(phone.send("GET", &path, "").await.status, 403);
    assert!(matches!(seen(&stage, id, Purpose::Referral).await, Err(ApiError::Denied(Refusal::Restricted))));
    let now_shared = shares(&stage).await;
    assert_eq!((&now_shared[0]["state"], &now_shared[0]["restricted"]), (&"active".into(), &serde_json::Value::Null));
}
