//! Consents on both databases: no change without its events, one winner of a race, and nothing to read in the rows.

use std::collections::BTreeSet;

use super::tests::{by, on_both};
use super::*;
use crate::audit::{Action, Actor, Event, OrganisationId, Outcome, PersonId, Purpose, Refusal, RoleId, UnixMillis};
use crate::consent::{Consent, Decider, Domain, LINK_LIFE, Recipient, Request, Scope, Secret, Standing, Uses};
use crate::text::PatientText;
use crate::visit::{Given, Patient};

pub(super) const MINUTE: u64 = 60_000;

/// The program itself, at no time in particular.
const SYSTEM: By = By { actor: Actor::System, at: UnixMillis(0), address: None, device: None, purpose: None };

fn secret(byte: u8) -> Secret {
    Secret::of_random([byte; 32])
}

fn doctor() -> Actor {
    Actor::Staff {
        person: PersonId::from_bytes([1; 16]),
        role: RoleId::from_bytes([2; 16]),
        organisation: OrganisationId::from_bytes([3; 16]),
    }
}

fn clinic() -> OrganisationId {
    OrganisationId::from_bytes([9; 16])
}

fn now() -> UnixMillis {
    By::now(Actor::System).at
}

pub(super) async fn patient(store: &Store) -> String {
    let given = Given { name: "CHAN Tai Man", ..Given::default() };
    let patient = Patient::new(&given, crate::identity::Date::parse("2026-11-26").unwrap()).unwrap();
    store.create_patient(&patient, 0, &by()).await.unwrap().id
}

fn message(kind: MessageKind, text: &str, until: UnixMillis) -> Outgoing {
    let phone = Some(PatientText::from("+85291234567"));
    Outgoing { kind, told: None, phone, mail: None, subject: String::new(), text: text.into(), until }
}

/// Keeps a request about this patient, or about nobody; its id.
pub(super) async fn request(store: &Store, patient: Option<&str>, at: UnixMillis) -> ConsentId {
    static NUMBER: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(1);
    let id = ConsentId::from_bytes([NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed); 16]);
    let scope = Scope {
        patient: store.pseudonym(patient.unwrap_or("nobody")).unwrap(),
        standing: Standing::Decides,
        recipient: Recipient::Role(RoleId::from_bytes([2; 16])),
        purpose: Purpose::Referral,
        records: BTreeSet::from([record_id("R1")]),
        domains: BTreeSet::from([Domain::Notes]),
        from: at,
        to: at.after(100 * 24 * 60 * MINUTE),
        uses: Uses::default(),
    };
    let (requested, event) = Request { id, scope, requester: doctor(), link: &secret(1) }.make(at).unwrap();
    let about = About {
        owner: clinic(),
        owner_name: "Clinic A".into(),
        doctor: "Dr B".into(),
        organisation: "Clinic B".into(),
        named: "A123456(3)".into(),
        notes: vec!["R1".into()],
        asked_at: at,
    };
    let message = patient.map(|_| message(MessageKind::Link, "Clinic A: https://example.org/d/x", at.after(LINK_LIFE)));
    let new = NewConsent { made: (requested.into(), event), patient: patient.map(str::to_owned), about, message };
    store.request_consent(new, &By { actor: doctor(), ..by() }).await.unwrap();
    id
}

/// Opens the page of the link.
pub(super) async fn open(store: &Store, id: ConsentId) -> Result<(), Refusal> {
    let opened = store.change_consent(id, &SYSTEM, |consent, _| consent.open(&secret(1), &secret(2), now()).into());
    opened.await.unwrap().unwrap().outcome
}

/// Opens the page and has a code sent; the code.
pub(super) async fn code(store: &Store, id: ConsentId) -> String {
    let key = store.code_key().unwrap();
    open(store, id).await.unwrap();
    let issued = store.change_consent(id, &SYSTEM, |consent, _| {
        let taken = consent.issue_code(&key, &secret(2), [7; 16], now());
        let text = taken.outcome.as_ref().map(|code| format!("code {}", code.reveal())).unwrap();
        ConsentStep { message: Some(message(MessageKind::Code, &text, now().after(LINK_LIFE))), ..taken.into() }
    });
    let code = issued.await.unwrap().unwrap().outcome.unwrap();
    code.reveal().to_owned()
}

pub(super) async fn confirm(store: &Store, id: ConsentId, code: &str) -> Result<(), Refusal> {
    let key = store.code_key().unwrap();
    let changed = store.change_consent(id, &SYSTEM, |consent, _| {
        let taken = consent.confirm(&key, &secret(2), code, Decider::Patient, now());
        let page = taken.outcome.is_ok().then(|| (secret(2), Decider::Patient, now().after(LINK_LIFE)));
        ConsentStep { page, ..taken.into() }
    });
    changed.await.unwrap().unwrap().outcome
}

pub(super) async fn attest(store: &Store, id: ConsentId) -> Changed<()> {
    let changed = store.change_consent(id, &SYSTEM, |consent, _| consent.attest(doctor(), Purpose::Referral, now()).into());
    changed.await.unwrap().unwrap()
}

pub(super) async fn deliver(store: &Store) -> usize {
    let due = store.messages_due(now(), 100).await.unwrap();
    for message in &due {
        assert!(store.message_handed_over(message, false, now()).await.unwrap());
    }
    due.len()
}

async fn events(store: &Store) -> Vec<Event> {
    store.events(0, 1_000).await.unwrap().iter().map(|bytes| Event::decode(bytes).unwrap()).collect()
}

async fn every_step_has_its_event_in_order(site: super::tests::Site) {
    let store = site.open().await;
    let patient = patient(&store).await;
    let before = events(&store).await.len();
    let id = request(&store, Some(&patient), now()).await;
    assert_eq!(deliver(&store).await, 1);
    let code = code(&store, id).await;
    assert_eq!(confirm(&store, id, &code).await, Err(Refusal::NotYet), "before the gateway has it");
    assert_eq!(deliver(&store).await, 1);
    assert_eq!(confirm(&store, id, "00000000").await, Err(Refusal::WrongCode));
    assert_eq!(confirm(&store, id, &code).await, Ok(()));
    let page = store.patient_page(&secret(2), now()).await.unwrap().unwrap();
    assert_eq!((page.patient, page.decider), (patient.clone(), Decider::Patient));
    assert!(store.patient_page(&secret(2), now().after(2 * LINK_LIFE)).await.unwrap().is_none());
    assert!(store.patient_page(&secret(3), now()).await.unwrap().is_none());
    let active = attest(&store, id).await;
    assert!(matches!(active.stored.consent, Consent::Active(_)) && active.outcome.is_ok());
    let mut changes = store.consent_changes();
    let withdrawn = store.change_consent(id, &SYSTEM, |consent, _| consent.withdraw(Actor::Patient, now()).into());
    let withdrawn = withdrawn.await.unwrap().unwrap();
    assert_eq!(changes.recv().await.unwrap(), id);
    let events = events(&store).await;
    let told: Vec<_> = events[before..].iter().map(|event| (event.action, event.outcome)).collect();
    let refused = |reason| Outcome::Refused { reason };
    assert_eq!(
        told,
        [
            (Action::ConsentRequest, Outcome::Done),
            (Action::SignIn, Outcome::Done),
            (Action::ConsentCode, Outcome::Done),
            (Action::ConsentAnswer, refused(Refusal::NotYet)),
            (Action::ConsentCode, Outcome::Done),
            (Action::ConsentAnswer, refused(Refusal::WrongCode)),
            (Action::ConsentAnswer, Outcome::Done),
            (Action::ConsentAttest, Outcome::Done),
            (Action::ConsentActivate, Outcome::Done),
            (Action::ConsentWithdraw, Outcome::Done),
        ]
    );
    assert_eq!(withdrawn.entry, events.len() as u64 - 1);
    assert_eq!(active.entry, withdrawn.entry - 1);
    drop(store);
    let store = site.open().await;
    let kept = store.consent(id).await.unwrap().unwrap();
    assert_eq!(kept, withdrawn.stored);
    for side in [Side::Patient(&patient), Side::Requester(RoleId::from_bytes([2; 16])), Side::Owner(clinic())] {
        assert_eq!(store.consents(side).await.unwrap(), std::slice::from_ref(&kept), "{side:?}");
    }
    assert!(store.consents(Side::Owner(OrganisationId::from_bytes([3; 16]))).await.unwrap().is_empty());
}

async fn of_many_confirmations_at_once_one_wins(site: super::tests::Site) {
    let store = site.open().await;
    let patient = patient(&store).await;
    let id = request(&store, Some(&patient), now()).await;
    let code = code(&store, id).await;
    deliver(&store).await;
    let attempts: Vec<_> = (0..12)
        .map(|_| {
            let (store, code) = (store.clone(), code.clone());
            tokio::spawn(async move { confirm(&store, id, &code).await })
        })
        .collect();
    let mut won = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            Ok(()) => won += 1,
            Err(refusal) => assert_eq!(refusal, Refusal::AlreadyUsed),
        }
    }
    assert_eq!(won, 1);
    let done = |event: &&Event| event.action == Action::ConsentAnswer && event.outcome == Outcome::Done;
    assert_eq!(events(&store).await.iter().filter(done).count(), 1);
}

async fn tries_are_counted_though_they_come_at_once(site: super::tests::Site) {
    let store = site.open().await;
    let patient = patient(&store).await;
    let id = request(&store, Some(&patient), now()).await;
    let code = code(&store, id).await;
    deliver(&store).await;
    let attempts: Vec<_> = (0..9)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { confirm(&store, id, "00000001").await })
        })
        .collect();
    let mut wrong = 0;
    for attempt in attempts {
        wrong += usize::from(attempt.await.unwrap() == Err(Refusal::WrongCode));
    }
    assert_eq!(wrong, 5);
    assert_eq!(confirm(&store, id, &code).await, Err(Refusal::TooManyTries), "the right one comes too late");
}

async fn what_is_kept_is_sealed_and_goes_with_the_patient(site: super::tests::Site) {
    let store = site.open().await;
    let patient = patient(&store).await;
    let contact = Contact { phone: Some("91234567".into()), mail: None, incapable: false };
    store.set_contact(&patient, &contact, |_| Vec::new(), &by()).await.unwrap();
    assert_eq!(store.contact(&patient).await.unwrap(), Some(contact));
    assert!(matches!(store.contact("nobody").await, Err(StoreError::Unknown { what: "patient", .. })));
    let id = request(&store, Some(&patient), now()).await;
    let code = code(&store, id).await;
    let pool = store.database().pool();
    let rows =
        "SELECT document FROM consents UNION ALL SELECT document FROM outbox UNION ALL SELECT document FROM patient_contacts";
    let rows = sqlx::query_scalar::<_, Vec<u8>>(rows).fetch_all(pool).await.unwrap();
    assert_eq!(rows.len(), 4);
    for word in ["Dr B", "Clinic", "1234567", code.as_str(), "requested"] {
        assert!(!rows.iter().any(|row| row.windows(word.len()).any(|part| part == word.as_bytes())), "{word}");
    }
    deliver(&store).await;
    let wiped = store.messages(10).await.unwrap();
    assert!(wiped.iter().all(|message| message.message.text.is_blank() && message.state == OutboxState::HandedOver));
    // One row cannot stand in for another.
    let other = request(&store, Some(&patient), now()).await;
    let swap = "UPDATE consents SET document = (SELECT document FROM consents WHERE id = $1) WHERE id = $2";
    sqlx::query(swap).bind(id.to_string()).bind(other.to_string()).execute(pool).await.unwrap();
    let error = store.consent(other).await.unwrap_err().to_string();
    assert!(error.contains(&format!("consents.document of consent {other}")), "{error}");
    store.erase_patient(&patient, &by()).await.unwrap();
    assert!(store.consent(id).await.unwrap().is_none() && store.messages(10).await.unwrap().is_empty());
    assert!(store.change_consent(id, &SYSTEM, |consent, _| consent.expire(now()).into()).await.unwrap().is_none());
}

async fn a_request_about_nobody_is_like_any_other_until_it_runs_out(site: super::tests::Site) {
    let store = site.open().await;
    let id = request(&store, None, now()).await;
    assert!(attest(&store, id).await.outcome.is_ok());
    assert!(store.messages(10).await.unwrap().is_empty());
    assert_eq!(store.consents(Side::Requester(RoleId::from_bytes([2; 16]))).await.unwrap().len(), 1);
    assert!(store.consents_run_out(now(), 10).await.unwrap().is_empty());
    let late = now().after(LINK_LIFE + MINUTE);
    assert_eq!(store.consents_run_out(late, 10).await.unwrap(), [id]);
    let over = store.change_consent(id, &SYSTEM, |consent, _| consent.expire(late).into()).await.unwrap().unwrap();
    assert!(over.outcome.is_ok() && over.stored.consent.is_over());
    assert!(store.consents_run_out(late, 10).await.unwrap().is_empty());
}

async fn a_code_takes_the_place_of_one_that_still_waits(site: super::tests::Site) {
    let store = site.open().await;
    let patient = patient(&store).await;
    let id = request(&store, Some(&patient), now()).await;
    deliver(&store).await;
    code(&store, id).await;
    let old = store.messages_due(now(), 10).await.unwrap().remove(0);
    let key = store.code_key().unwrap();
    let again = store.change_consent(id, &SYSTEM, |consent, _| {
        let taken = consent.issue_code(&key, &secret(2), [8; 16], now());
        ConsentStep { message: Some(message(MessageKind::Code, "another", now().after(LINK_LIFE))), ..taken.into() }
    });
    let again = again.await.unwrap().unwrap().outcome.unwrap();
    assert!(!store.message_handed_over(&old, false, now()).await.unwrap(), "its gateway was slow");
    assert_eq!(confirm(&store, id, again.reveal()).await, Err(Refusal::NotYet), "the old one did not start its time");
    assert_eq!(deliver(&store).await, 1);
    assert_eq!(confirm(&store, id, again.reveal()).await, Ok(()));
}

async fn a_message_that_nobody_takes_is_tried_until_its_end(site: super::tests::Site) {
    let store = site.open().await;
    let patient = patient(&store).await;
    request(&store, Some(&patient), now()).await;
    let due = store.messages_due(now(), 10).await.unwrap().remove(0);
    let later = now().after(MINUTE);
    store.message_not_taken(&due, NotTaken { next: Some(later), wrong: None }, now()).await.unwrap();
    assert!(store.messages_due(now(), 10).await.unwrap().is_empty());
    assert_eq!(store.next_message().await.unwrap(), Some(later));
    let again = store.messages_due(later, 10).await.unwrap().remove(0);
    assert_eq!((again.id, again.tries), (due.id, 1), "the same id at each try");
    store.message_not_taken(&again, NotTaken::default(), later).await.unwrap();
    assert_eq!(store.messages(10).await.unwrap()[0].state, OutboxState::Failed);
    let last = events(&store).await.pop().unwrap();
    assert_eq!((last.action, last.outcome), (Action::ConsentRequest, Outcome::Failed));
    assert_eq!(store.next_message().await.unwrap(), None);
}

on_both! {
    every_step_has_its_event_in_order,
    of_many_confirmations_at_once_one_wins,
    tries_are_counted_though_they_come_at_once,
    what_is_kept_is_sealed_and_goes_with_the_patient,
    a_request_about_nobody_is_like_any_other_until_it_runs_out,
    a_code_takes_the_place_of_one_that_still_waits,
    a_message_that_nobody_takes_is_tried_until_its_end,
}
