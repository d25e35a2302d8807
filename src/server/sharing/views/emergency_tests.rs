//! An emergency is announced, in the log before anything is shown, over within the hour, and nobody else's.

use std::collections::BTreeMap;

use super::super::emergencies::{Wanted, begin, look};
use super::super::tests::{HKID, SENTINEL, Stage, merged_with, stage};
use super::super::{Names, Sharing, requests};
use super::copies::copy;
use super::{holding, markup};
use crate::audit::{Action, Actor, Addressee, EmergencyReason, Event, OrganisationId, Outcome, RecordId, Refusal};
use crate::consent::{EMERGENCY_LIFE, Use};
use crate::gateway::{Gateways, Settings, SmsSettings};
use crate::identity::{Date, RoleKind};
use crate::note::compose::Language;
use crate::server::caller::Pass;
use crate::server::error::ApiError;
use crate::store::{By, Card, EmergencyTold, MessageKind, MessageTold, NewRole, Owner, Side, StoredEmergency, record_id};
use crate::visit::{Given, GivenNumber, Patient, VisitError};

fn wanted(number: &str, words: &str, owner: OrganisationId) -> Wanted {
    wanted_of(&serde_json::json!({ "kind": "hkid", "value": number }), words, owner)
}

fn wanted_of(number: &serde_json::Value, words: &str, owner: OrganisationId) -> Wanted {
    let json = serde_json::json!({
        "organisation": owner.to_string(), "patient": number,
        "reason": "cannot_be_asked", "words": words,
    });
    serde_json::from_value(json).unwrap()
}

async fn owner(stage: &Stage) -> OrganisationId {
    stage.store().organisations().await.unwrap()[0].id
}

async fn opened(stage: &Stage, by: &By) -> StoredEmergency {
    let owner = owner(stage).await;
    begin(&stage.sharing, by, owner, wanted(HKID, "unconscious after a fall", owner), |_| Ok(()))
        .await
        .unwrap_or_else(|_| panic!())
}

async fn events(stage: &Stage) -> Vec<Event> {
    stage.store().events(0, 10_000).await.unwrap().iter().map(|bytes| Event::decode(bytes).unwrap()).collect()
}

#[tokio::test]
async fn an_emergency_is_announced_and_logged_and_its_notes_are_read_and_not_taken() {
    let stage = stage(1).await;
    let store = stage.store();
    let clinic = owner(&stage).await;
    let card = Card { name: "Ms Fung".into(), phone: Some("+85298765432".into()), email: None };
    let officer = store.create_person(&card, &By::now(Actor::System)).await.unwrap().id;
    let new = NewRole {
        person: officer,
        organisation: clinic,
        kind: RoleKind::PrivacyOfficer,
        starts_at: 0,
        ends_at: None,
        department: None,
    };
    store.give_role(&new, &By::now(Actor::System)).await.unwrap();
    let by = stage.by(stage.b);
    let emergency = opened(&stage, &by).await;
    assert_eq!(emergency.ends_at, by.at.after(EMERGENCY_LIFE));
    let sent = store.messages_due(by.at.after(1), 10).await.unwrap();
    let to: Vec<_> = sent.iter().map(|message| message.message.phone.as_ref().unwrap().reveal()).collect();
    assert_eq!(to, ["+85291234567", "+85298765432"], "the patient and the privacy officer are told");
    let told = [(Addressee::Patient, None), (Addressee::PrivacyOfficer, Some(officer))];
    let emergency_id = Some(emergency.id.clone());
    let told = told.map(|(whom, person)| Some(MessageTold { whom, person, emergency: emergency_id.clone() }));
    assert_eq!(sent.iter().map(|message| message.message.told.clone()).collect::<Vec<_>>(), told, "for whom, and of what");
    for message in &sent {
        assert_eq!(message.message.kind, MessageKind::Notice);
        let text = message.message.text.reveal();
        assert!(
            text.contains("Clinic A") && !text.contains("CHAN") && !text.contains("fall") && !text.contains("Dr Bo"),
            "{text}"
        );
    }
    let all = events(&stage).await;
    let patient = Some(store.pseudonym(&stage.patient).unwrap());
    let reason = EmergencyReason::CannotBeAsked;
    let last = all.last().unwrap();
    assert_eq!((last.actor, last.patient, last.action), (stage.b, patient, Action::BreakGlass { reason }), "nobody is told yet");
    let both = EmergencyTold { patient: true, officers: 1, administrators: 0 };
    assert_eq!(emergency.about.reached(), Some((EmergencyTold::default(), both)));
    for message in &sent {
        assert!(store.message_handed_over(message, false, by.at).await.unwrap());
    }
    let all = events(&stage).await;
    let last = &all[all.len() - 2..];
    assert!(last.iter().all(|event| (event.actor, event.patient, event.outcome) == (Actor::System, patient, Outcome::Done)));
    let tell = |whom| Action::BreakGlassTell { whom };
    let actions = [tell(Addressee::Patient), tell(Addressee::PrivacyOfficer)];
    assert_eq!(last.iter().map(|event| event.action).collect::<Vec<_>>(), actions, "an event for each who is told");
    assert_eq!(last[1].record, Some(RecordId::from_bytes(*officer.bytes())));
    let announced = store.emergencies_at(clinic).await.unwrap();
    assert_eq!(announced[0].0.about.reached(), Some((both, EmergencyTold::default())));

    let record = record_id(&emergency.about.notes[0]);
    let view =
        look(&stage.sharing, (&by, &Pass::Trial), (&emergency.id, record), Language::English).await.unwrap_or_else(|_| panic!());
    let all = events(&stage).await;
    let last: Vec<_> = all[all.len() - 2..].iter().map(|event| (event.action, event.record)).collect();
    let named = Some(record);
    let acts = [Action::BreakGlass { reason }, Action::View { count: 1 }];
    assert_eq!(last, acts.map(|action| (action, named)));
    assert_eq!(all.len() as u64, view.entry + 1);
    let held = holding(&stage.sharing, (&by, &Pass::Trial), &view.view).await.unwrap_or_else(|_| panic!("it holds"));
    let page = markup::page(&held, &view.view);
    assert!(page.contains(SENTINEL) && page.contains("Dr Bo · Clinic B") && page.contains("unprintable"));
    let taken = copy(&stage.sharing, &by, &held, (Use::Print, Action::Print), |_, _, _| Ok(())).await;
    assert!(matches!(taken, Err(ApiError::Denied(Refusal::UseNotGranted))));

    // An hour later it is over, without anybody's doing.
    let later = By { at: emergency.ends_at, ..by };
    let over = holding(&stage.sharing, (&later, &Pass::Trial), &view.view).await;
    assert!(matches!(over, Err(ApiError::Denied(Refusal::Expired))));
    let again = look(&stage.sharing, (&later, &Pass::Trial), (&emergency.id, record), Language::English).await;
    assert!(matches!(again, Err(ApiError::NoConsent)));
    let announced = store.emergencies_at(clinic).await.unwrap();
    assert_eq!((announced.len(), announced[0].0.about.words.reveal()), (1, "unconscious after a fall"));
    assert!(store.consents(Side::Patient(&stage.patient)).await.unwrap().is_empty(), "it made a consent");
}

#[tokio::test]
async fn an_emergency_needs_a_reason_a_patient_and_the_role_and_is_nobody_elses() {
    let stage = stage(1).await;
    let (owner, by) = (owner(&stage).await, stage.by(stage.b));
    let refused = |all: &[Event]| all.iter().filter(|event| matches!(event.outcome, Outcome::Refused { .. })).count();
    let before = refused(&events(&stage).await);
    let blank = begin(&stage.sharing, &by, owner, wanted(HKID, "  ", owner), |_| Ok(())).await;
    assert!(matches!(blank, Err(ApiError::Declined(_))));
    let nobody = begin(&stage.sharing, &by, owner, wanted("B123456(6)", "a fall", owner), |_| Ok(())).await;
    assert!(matches!(nobody, Err(ApiError::NoPatient)));
    let role = begin(&stage.sharing, &by, owner, wanted(HKID, "a fall", owner), |_| Err(Vec::new())).await;
    assert!(matches!(role, Err(ApiError::NotAllowed)));
    let treats = begin(&stage.sharing, &by, owner, wanted(HKID, "a fall", owner), |found: Option<&Owner>| {
        found.map_or(Ok(()), |_| Err(Vec::new()))
    })
    .await;
    assert!(matches!(treats, Err(ApiError::NotAllowed)));
    assert_eq!(refused(&events(&stage).await), before + 4, "a try that is not in the log");
    assert!(stage.store().emergencies_at(owner).await.unwrap().is_empty());

    let emergency = opened(&stage, &by).await;
    let record = record_id(&emergency.about.notes[0]);
    let colleague = look(&stage.sharing, (&stage.by(stage.a), &Pass::Trial), (&emergency.id, record), Language::English).await;
    assert!(matches!(colleague, Err(ApiError::NoConsent)));
    let other = look(&stage.sharing, (&by, &Pass::Trial), (&emergency.id, record_id("another")), Language::English).await;
    assert!(matches!(other, Err(ApiError::NoConsent)));
    assert_eq!(refused(&events(&stage).await), before + 6);
}

#[tokio::test]
async fn an_emergency_is_about_who_has_the_number_of_the_institution_that_is_named() {
    let stage = stage(1).await;
    let (store, clinic, by) = (stage.store(), owner(&stage).await, stage.by(stage.b));
    let today = Date::parse("2026-11-26").unwrap();
    let own = GivenNumber::own("hospital", "HN-77");
    let known = |name, numbers| Patient::new(&Given { name, identifiers: numbers, ..Given::default() }, today).unwrap();
    let queens = [GivenNumber::own("hkid", HKID), GivenNumber { issuer: Some("Queen Mary"), ..own }];
    store.change_patient(&stage.patient, 1, &known("CHAN Tai Man", &queens), &stage.by(stage.a)).await.unwrap();
    let other = store.create_patient(&known("WONG", &[own]), 1, &stage.by(stage.a)).await.unwrap().id;
    let begun = async |number: serde_json::Value| {
        begin(&stage.sharing, &by, clinic, wanted_of(&number, "unconscious", clinic), |_| Ok(())).await
    };
    let found = begun(serde_json::json!({ "kind": "hospital", "value": "hn77", "issuer": " QUEEN  mary" })).await;
    assert_eq!(found.unwrap_or_else(|_| panic!()).patient, stage.patient);
    // Without an issuer it is the clinic's own number: somebody else's, of whom there is no note. Of another issuer it is nobody's.
    let own = serde_json::json!({ "kind": "hospital", "value": "HN-77" });
    assert!(matches!(begun(own.clone()).await, Err(ApiError::NoPatient)));
    let refused = events(&stage).await.pop().unwrap();
    assert_eq!(refused.outcome, Outcome::Refused { reason: Refusal::OtherRecord }, "the clinic knows {other} by it");
    assert!(matches!(
        begun(serde_json::json!({ "kind": "hospital", "value": "HN-77", "issuer": "Castle Peak" })).await,
        Err(ApiError::NoPatient)
    ));
    assert_eq!(events(&stage).await.pop().unwrap().outcome, Outcome::Refused { reason: Refusal::OtherPatient });
    let error = begun(serde_json::json!({ "kind": "hkid", "value": HKID, "issuer": "Secretive" })).await.err().unwrap();
    assert!(matches!(error, ApiError::Field(VisitError::NotIssued { .. })));
    assert!(!error.to_string().contains("Secretive") && !error.to_string().contains("A123456"));

    // A request names the patient the same way, and shows to who asks what they typed.
    let names = async || Names::of(store, stage.b).await.unwrap();
    let asked = |number: serde_json::Value| {
        let json = serde_json::json!({ "organisation": clinic.to_string(), "patient": number, "purpose": "referral", "domains": ["notes"] });
        serde_json::from_value(json).unwrap()
    };
    let queens = serde_json::json!({ "kind": "hospital", "value": "HN-77", "issuer": "Queen Mary" });
    for (number, patient, shown) in [(queens, Some(&stage.patient), "HN-77 (Queen Mary)"), (own, None, "HN-77")] {
        let (id, _) = requests::begin(&stage.sharing, &by, names().await, asked(number)).await.unwrap_or_else(|_| panic!());
        let stored = store.consent(id).await.unwrap().unwrap();
        assert_eq!((stored.patient.as_ref(), stored.about.named.reveal()), (patient, shown));
    }
}

#[tokio::test]
async fn an_emergency_about_somebody_else_since_a_merge_was_taken_back_ends() {
    let stage = stage(1).await;
    let (store, by, clinic) = (stage.store().clone(), stage.by(stage.b), owner(&stage).await);
    let (other, merge) = merged_with(&stage, ("B123456(6)", "1961-03-02")).await;
    let asked = wanted("B123456(6)", "unconscious after a fall", clinic);
    let emergency = begin(&stage.sharing, &by, clinic, asked, |_| Ok(())).await.unwrap_or_else(|_| panic!());
    assert_eq!(emergency.patient, other);
    let record = record_id(&emergency.about.notes[0]);
    let view =
        look(&stage.sharing, (&by, &Pass::Trial), (&emergency.id, record), Language::English).await.unwrap_or_else(|_| panic!());
    let seen = events(&stage).await.pop().unwrap();
    let whose = Some(store.pseudonym(&stage.patient).unwrap());
    assert_eq!((seen.action, seen.patient), (Action::View { count: 1 }, whose), "the log says whose note was seen");
    let held = holding(&stage.sharing, (&by, &Pass::Trial), &view.view).await.unwrap_or_else(|_| panic!("it holds"));
    let changes = store.consent_changes();
    let watched = store.clone();
    let watching = tokio::spawn(async move { held.ended(&watched, changes).await });
    let begun = std::time::Instant::now();
    assert!(store.unmerge(&merge, &stage.by(stage.a)).await.unwrap());
    assert_eq!(watching.await.unwrap(), Refusal::OtherPatient);
    assert!(begun.elapsed() < std::time::Duration::from_secs(1), "{:?}", begun.elapsed());
    let again = look(&stage.sharing, (&by, &Pass::Trial), (&emergency.id, record), Language::English).await;
    assert!(matches!(again, Err(ApiError::NoConsent)));
}

#[tokio::test]
async fn without_an_officer_who_can_be_told_administrators_are_and_that_nobody_was_is_said() {
    let stage = stage(1).await;
    let (store, by) = (stage.store(), stage.by(stage.b));
    let told = async || opened(&stage, &by).await.about.queued.unwrap();
    let failed = async || {
        let all = events(&stage).await.into_iter().filter(|event| event.outcome == Outcome::Failed);
        all.map(|event| event.action).collect::<Vec<_>>()
    };
    let tell = |whom| Action::BreakGlassTell { whom };
    assert_eq!(told().await, EmergencyTold { patient: true, officers: 0, administrators: 0 });
    assert_eq!(failed().await, [tell(Addressee::PrivacyOfficer)], "that there is no officer is no success");
    let clinic = owner(&stage).await;
    for (name, kind, phone) in [
        ("Ms Fung", RoleKind::PrivacyOfficer, None),
        ("Mr Ho", RoleKind::Administrator, Some("+85298765432")),
        ("Mr Lo", RoleKind::Administrator, None),
    ] {
        let card = Card { name: name.into(), phone: phone.map(str::to_owned), email: None };
        let person = store.create_person(&card, &by).await.unwrap().id;
        let new = NewRole { person, organisation: clinic, kind, starts_at: 0, ends_at: None, department: None };
        store.give_role(&new, &by).await.unwrap();
    }
    assert_eq!(told().await, EmergencyTold { patient: true, officers: 0, administrators: 1 });
    assert_eq!(failed().await[1..], [tell(Addressee::PrivacyOfficer), tell(Addressee::Administrator)], "who cannot be reached");
    let sent = store.messages(1).await.unwrap().remove(0).message;
    assert_eq!(sent.phone.unwrap().reveal(), "+85298765432");
    assert!(sent.text.reveal().contains("privacy officers could be told") && !sent.text.reveal().contains("Dr Bo"));
}

#[tokio::test]
async fn whom_no_gateway_reaches_is_not_told_and_that_is_said_when_it_is_opened() {
    let stage = stage(1).await;
    let (store, by, clinic) = (stage.store(), stage.by(stage.b), owner(&stage).await);
    let card = Card { name: "Ms Fung".into(), phone: None, email: Some("fung@clinic.example".into()) };
    let officer = store.create_person(&card, &by).await.unwrap().id;
    let kind = RoleKind::PrivacyOfficer;
    let new = NewRole { person: officer, organisation: clinic, kind, starts_at: 0, ends_at: None, department: None };
    store.give_role(&new, &by).await.unwrap();
    let sms = || SmsSettings {
        url: "http://127.0.0.1:9/".into(),
        headers: BTreeMap::new(),
        body: "to={{to}}&text={{text}}".into(),
        kind: serde_json::from_str("\"form\"").unwrap(),
    };
    let named = Some(RecordId::from_bytes(*officer.bytes()));
    let patient = EmergencyTold { patient: true, ..EmergencyTold::default() };
    let officers = [(Addressee::PrivacyOfficer, named), (Addressee::PrivacyOfficer, None)];
    let everybody: Vec<_> = [(Addressee::Patient, None)].into_iter().chain(officers).collect();
    for (settings, queued, untold) in [
        (Settings::default(), EmergencyTold::default(), everybody),
        (Settings { sms: Some(sms()), ..Settings::default() }, patient, officers.to_vec()),
    ] {
        let gateways = Gateways::new(settings).unwrap();
        let sharing = Sharing::new(store.clone(), Some(gateways), "http://127.0.0.1:1".into()).unwrap();
        let (before, waited) = (events(&stage).await.len(), store.messages(100).await.unwrap().len());
        let opened = begin(&sharing, &by, clinic, wanted(HKID, "a fall", clinic), |_| Ok(())).await.unwrap_or_else(|_| panic!());
        assert_eq!(opened.about.reached(), Some((EmergencyTold::default(), queued)));
        assert_eq!(
            store.messages(100).await.unwrap().len() - waited,
            usize::from(queued.patient),
            "what goes nowhere waits for nothing"
        );
        let said: Vec<_> = events(&stage)
            .await
            .split_off(before + 1)
            .into_iter()
            .map(|event| (event.action, event.record, event.outcome))
            .collect();
        let untold: Vec<_> =
            untold.into_iter().map(|(whom, record)| (Action::BreakGlassTell { whom }, record, Outcome::Failed)).collect();
        assert_eq!(said, untold);
    }
}
