//! Both must say yes, to that purpose, for that part, for that time; and everything else is no.

mod ended;
mod restricted;

use std::collections::BTreeSet;
use std::sync::Mutex;

use proptest::prelude::*;

use super::*;
use crate::audit::{
    Action, Actor, Addressee, EmergencyReason, Event, HowSaid, OrganisationId, Outcome, PersonId, Pseudonym, Purpose, RecordId,
    Refusal, RestrictedReason, RoleId, UnixMillis,
};
use crate::text::PatientText;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
/// When the request is made, in all tests.
const START: UnixMillis = UnixMillis(1_771_000_000_000);

fn at(milliseconds: u64) -> UnixMillis {
    START.after(milliseconds)
}

fn key() -> CodeKey {
    CodeKey::from_bytes([9; 32])
}

fn secret(byte: u8) -> Secret {
    Secret::of_random([byte; 32])
}

fn link() -> Secret {
    secret(1)
}

fn page() -> Secret {
    secret(2)
}

fn doctor(role: u8) -> Actor {
    Actor::Staff {
        person: PersonId::from_bytes([1; 16]),
        role: RoleId::from_bytes([role; 16]),
        organisation: OrganisationId::from_bytes([3; 16]),
    }
}

fn record(byte: u8) -> RecordId {
    RecordId::from_bytes([byte; 16])
}

fn scope() -> Scope {
    Scope {
        patient: Pseudonym::from_bytes([4; 32]),
        standing: Standing::Decides,
        recipient: Recipient::Role(RoleId::from_bytes([1; 16])),
        purpose: Purpose::Referral,
        records: BTreeSet::from([record(5), record(6)]),
        domains: BTreeSet::from([Domain::Notes, Domain::Allergies]),
        from: START,
        to: at(30 * 24 * HOUR),
        uses: Uses::default(),
    }
}

fn request(scope: Scope) -> Requested {
    let made = Request { id: ConsentId::from_bytes([8; 16]), scope, requester: doctor(1), link: &link() }.make(START);
    let (requested, event) = made.unwrap();
    assert_eq!((event.action, event.outcome), (Action::ConsentRequest, Outcome::Done));
    requested
}

/// The request, its page opened and a code handed over after a minute.
fn asked(scope: Scope) -> (Requested, String) {
    let (requested, _) = request(scope).open(&link(), &page(), at(1)).unwrap();
    let ((requested, code), event) = requested.issue_code(&key(), &page(), [7; 16], at(2)).unwrap();
    assert_eq!((event.action, event.outcome), (Action::ConsentCode, Outcome::Done));
    let (requested, _) = requested.code_handed_over(at(MINUTE)).unwrap();
    (requested, code.reveal().to_owned())
}

fn active_of(scope: Scope, by: Decider) -> Active {
    let (requested, code) = asked(scope);
    let (attested, _) = requested.attest(doctor(1), Purpose::Referral, at(2 * MINUTE)).unwrap();
    attested.confirm(&key(), &page(), &code, by, at(3 * MINUTE)).unwrap().0
}

fn active() -> Active {
    active_of(scope(), Decider::Patient)
}

fn ask() -> Ask {
    Ask {
        who: doctor(1),
        patient: scope().patient,
        purpose: Some(Purpose::Referral),
        record: record(5),
        domain: Domain::Notes,
        restricted: false,
        to: Use::View,
    }
}

/// What was decided, having held the event against it.
fn decided(consents: &[Consent], ask: &Ask, at: UnixMillis) -> Result<Permit, Refusal> {
    let (answer, event) = decide(Ok::<_, ()>(consents), ask, at);
    let outcome = answer.as_ref().map_or_else(|reason| Outcome::Refused { reason: *reason }, |_| Outcome::Done);
    assert_eq!((event.action, event.outcome, event.patient), (Action::Permit, outcome, Some(ask.patient)));
    assert_eq!(Event::decode(&event.encode().unwrap()).unwrap(), event);
    answer
}

fn refused<T: std::fmt::Debug, S: std::fmt::Debug>(step: Step<T, S>) -> (S, Refusal) {
    let declined = *step.unwrap_err();
    assert_eq!(declined.event.outcome, Outcome::Refused { reason: declined.refusal });
    assert_eq!((declined.event.patient, declined.event.consent), (Some(scope().patient), Some(ConsentId::from_bytes([8; 16]))));
    (declined.state, declined.refusal)
}

/// A permit for another folder's tests, from an emergency.
pub fn test_permit(role: RoleId, record: RecordId, domain: Domain) -> Permit {
    let Actor::Staff { person, organisation, .. } = doctor(1) else { panic!("a doctor is staff") };
    let who = Actor::Staff { person, role, organisation };
    let ask = Ask { who, record, domain, purpose: Some(Purpose::Emergency), ..ask() };
    break_glass(&ask, EmergencyReason::LifeInDanger, PatientText::from("x"), at(HOUR)).unwrap().permit
}

#[test]
fn both_yeses_in_either_order_bring_it_into_force() {
    let (requested, code) = asked(scope());
    let (attested, event) = requested.clone().attest(doctor(1), Purpose::Referral, at(2 * MINUTE)).unwrap();
    assert_eq!((event.action, event.actor), (Action::ConsentAttest, doctor(1)));
    assert_eq!(decided(&[Consent::Attested(attested.clone())], &ask(), at(HOUR)), Err(Refusal::NoConsent));
    let (first, event) = attested.confirm(&key(), &page(), &code, Decider::Patient, at(3 * MINUTE)).unwrap();
    assert_eq!((event.action, event.actor, event.purpose), (Action::ConsentAnswer, Actor::Patient, Some(Purpose::Referral)));
    assert_eq!((first.activation().action, first.activation().at), (Action::ConsentActivate, at(3 * MINUTE)));

    let (answered, _) = requested.confirm(&key(), &page(), &code, Decider::Patient, at(2 * MINUTE)).unwrap();
    assert_eq!(decided(&[Consent::Answered(answered.clone())], &ask(), at(HOUR)), Err(Refusal::NoConsent));
    let (second, _) = answered.attest(doctor(1), Purpose::Referral, at(3 * MINUTE)).unwrap();
    assert_eq!(first, second);
    let permit = decided(&[Consent::Active(first)], &ask(), at(HOUR)).unwrap();
    assert_eq!((permit.ask(), permit.until()), (&ask(), scope().to));
}

#[test]
fn what_cannot_be_consented_to_is_no_request() {
    let make = |scope: Scope, requester| {
        let (error, event) =
            Request { id: ConsentId::from_bytes([8; 16]), scope, requester, link: &link() }.make(START).unwrap_err();
        assert!(matches!(event.outcome, Outcome::Refused { .. }));
        error
    };
    for purpose in
        [Purpose::Research, Purpose::Education, Purpose::Payment, Purpose::Operations, Purpose::Marketing, Purpose::Emergency]
    {
        assert_eq!(make(Scope { purpose, ..scope() }, doctor(1)), ConsentError::Purpose);
    }
    assert_eq!(make(Scope { records: BTreeSet::new(), ..scope() }, doctor(1)), ConsentError::Nothing);
    assert_eq!(make(Scope { domains: BTreeSet::new(), ..scope() }, doctor(1)), ConsentError::Nothing);
    assert_eq!(make(Scope { to: START, ..scope() }, doctor(1)), ConsentError::NoTime);
    assert_eq!(make(Scope { to: at(LONGEST + 1), ..scope() }, doctor(1)), ConsentError::TooLong);
    assert_eq!(make(scope(), Actor::Unknown), ConsentError::NotStaff);
}

#[test]
fn a_code_is_good_once_for_five_minutes_from_its_hand_over() {
    let (requested, code) = asked(scope());
    let confirm = |requested: Requested, code: &str, time| requested.confirm(&key(), &page(), code, Decider::Patient, time);
    assert!(confirm(requested.clone(), &code, at(MINUTE + CODE_LIFE - 1)).is_ok());
    assert_eq!(refused(confirm(requested.clone(), &code, at(MINUTE + CODE_LIFE))).1, Refusal::Expired);
    // The clock goes back to before the hand-over.
    assert_eq!(refused(confirm(requested.clone(), &code, at(MINUTE - 1))).1, Refusal::ClockBackwards);
    // A second hand-over prolongs nothing.
    let (again, _) = requested.code_handed_over(at(4 * MINUTE)).unwrap();
    assert_eq!(refused(confirm(again, &code, at(MINUTE + CODE_LIFE))).1, Refusal::Expired);

    let (requested, _) = request(scope()).open(&link(), &page(), at(1)).unwrap();
    let ((requested, code), _) = requested.issue_code(&key(), &page(), [7; 16], at(2)).unwrap();
    assert_eq!(refused(confirm(requested, code.reveal(), at(3))).1, Refusal::NotYet, "before the gateway took it");
}

#[test]
fn a_code_can_be_typed_as_people_type() {
    let (requested, code) = asked(scope());
    let wide: String = code.chars().map(|c| char::from_u32(u32::from(c) - 0x30 + 0xFF10).unwrap()).collect();
    for typed in [format!(" {} {} ", &code[..4], &code[4..]), format!("{}-{}", &code[..4], &code[4..]), wide] {
        assert!(requested.clone().confirm(&key(), &page(), &typed, Decider::Patient, at(2 * MINUTE)).is_ok(), "{typed}");
    }
    for typed in [String::new(), format!("{code}0"), code[..7].to_owned(), "🙂".repeat(100_000)] {
        assert!(requested.clone().confirm(&key(), &page(), &typed, Decider::Patient, at(2 * MINUTE)).is_err());
    }
}

#[test]
fn guessing_ends_after_five_tries_and_four_codes() {
    let (mut requested, code) = asked(scope());
    let wrong = format!("{:08}", (code.parse::<u32>().unwrap() + 1) % 100_000_000);
    for _ in 0..MOST_TRIES {
        let (state, refusal) = refused(requested.confirm(&key(), &page(), &wrong, Decider::Patient, at(2 * MINUTE)));
        assert_eq!(refusal, Refusal::WrongCode);
        requested = state;
    }
    let (mut requested, refusal) = refused(requested.confirm(&key(), &page(), &code, Decider::Patient, at(2 * MINUTE)));
    assert_eq!(refusal, Refusal::TooManyTries, "the right one comes too late");
    for number in 1..MOST_CODES {
        let ((state, next), _) = requested.issue_code(&key(), &page(), [number; 16], at(3 * MINUTE)).unwrap();
        let (state, _) = state.code_handed_over(at(3 * MINUTE)).unwrap();
        let (state, refusal) = refused(state.confirm(&key(), &page(), &code, Decider::Patient, at(3 * MINUTE)));
        assert_eq!(refusal, Refusal::WrongCode, "the code before it is good no more");
        assert!(state.clone().confirm(&key(), &page(), next.reveal(), Decider::Patient, at(3 * MINUTE)).is_ok());
        requested = state;
    }
    assert_eq!(refused(requested.issue_code(&key(), &page(), [9; 16], at(4 * MINUTE))).1, Refusal::TooManyTries);
}

#[test]
fn a_code_is_bound_to_exactly_its_request() {
    let (requested, code) = asked(scope());
    let others = [
        Scope { purpose: Purpose::Treatment, ..scope() },
        Scope { records: BTreeSet::from([record(5), record(7)]), ..scope() },
        Scope { domains: BTreeSet::from([Domain::Notes, Domain::Allergies, Domain::Encounters]), ..scope() },
        Scope { to: at(30 * 24 * HOUR + 1), ..scope() },
        Scope { recipient: Recipient::Organisation(OrganisationId::from_bytes([1; 16])), ..scope() },
        Scope { uses: Uses { print: true, ..Uses::default() }, ..scope() },
    ];
    for other in others {
        // The same id, codes and all: only what is asked for was changed under the patient's hands.
        let json = serde_json::to_string(&requested).unwrap();
        let (before, after) = (serde_json::to_string(&scope()).unwrap(), serde_json::to_string(&other).unwrap());
        assert!(json.contains(&before));
        let changed: Requested = serde_json::from_str(&json.replace(&before, &after)).unwrap();
        assert_eq!(refused(changed.confirm(&key(), &page(), &code, Decider::Patient, at(2 * MINUTE))).1, Refusal::WrongCode);
    }
    let elsewhere = CodeKey::from_bytes([10; 32]);
    assert_eq!(
        refused(requested.clone().confirm(&elsewhere, &page(), &code, Decider::Patient, at(2 * MINUTE))).1,
        Refusal::WrongCode
    );
    let stored = serde_json::to_string(&requested).unwrap();
    assert!(!stored.contains(&code) && !stored.contains(link().reveal()) && !stored.contains(page().reveal()));
    assert_eq!(format!("{:?} {:?}", key(), link()), "CodeKey(..) Secret(..)");
}

#[test]
fn a_link_opens_one_page_once_for_three_days_and_is_not_enough() {
    let open = |link: &Secret, time| request(scope()).open(link, &page(), time);
    assert!(open(&link(), at(LINK_LIFE - 1)).is_ok());
    assert_eq!(refused(open(&link(), at(LINK_LIFE))).1, Refusal::Expired);
    assert_eq!(refused(open(&secret(3), at(1))).1, Refusal::NotSignedIn);
    let (opened, _) = open(&link(), at(1)).unwrap();
    // Forwarded: the second to open it gets nothing, nor does the page that nobody opened.
    let (opened, refusal) = refused(opened.open(&link(), &secret(3), at(2)));
    assert_eq!(refusal, Refusal::AlreadyUsed);
    assert_eq!(refused(opened.clone().issue_code(&key(), &secret(3), [7; 16], at(2))).1, Refusal::NotSignedIn);
    let ((opened, code), _) = opened.issue_code(&key(), &page(), [7; 16], at(2)).unwrap();
    let (opened, _) = opened.code_handed_over(at(3)).unwrap();
    for other in [link(), secret(3)] {
        let tried = opened.clone().confirm(&key(), &other, code.reveal(), Decider::Patient, at(4));
        assert_eq!(refused(tried).1, Refusal::NotSignedIn);
    }
    assert!(opened.clone().expire(at(LINK_LIFE - 1)).is_err());
    let (ended, event) = opened.expire(at(LINK_LIFE)).unwrap();
    assert_eq!((ended.how(), event.action, event.actor), (End::Expired, Action::ConsentExpire, Actor::System));
}

#[test]
fn only_the_doctor_who_asked_attests_and_only_that_purpose() {
    let (requested, _) = asked(scope());
    let attest = |by, purpose, time| requested.clone().attest(by, purpose, time);
    assert_eq!(refused(attest(doctor(2), Purpose::Referral, at(HOUR))).1, Refusal::NotAllowed);
    assert_eq!(refused(attest(Actor::Patient, Purpose::Referral, at(HOUR))).1, Refusal::NotAllowed);
    for purpose in [Purpose::Treatment, Purpose::Research] {
        assert_eq!(refused(attest(doctor(1), purpose, at(HOUR))).1, Refusal::OtherPurpose);
    }
    assert_eq!(refused(attest(doctor(1), Purpose::Referral, at(LINK_LIFE))).1, Refusal::Expired);
    assert_eq!(refused(attest(doctor(1), Purpose::Referral, START)).1, Refusal::ClockBackwards);
}

#[test]
fn a_no_ends_it_and_needs_no_clock() {
    let (requested, code) = asked(scope());
    let (ended, event) = requested.clone().refuse(Actor::Patient, Some(&page()), START).unwrap();
    assert_eq!((ended.how(), event.outcome), (End::Refused, Outcome::Refused { reason: Refusal::SaidNo }));
    assert_eq!(decided(&[Consent::Ended(ended)], &ask(), at(HOUR)), Err(Refusal::SaidNo));
    assert!(requested.clone().refuse(doctor(1), None, at(HOUR)).is_ok(), "the doctor takes the request back");
    assert_eq!(refused(requested.clone().refuse(doctor(2), None, at(HOUR))).1, Refusal::NotAllowed);
    assert_eq!(refused(requested.clone().refuse(Actor::Patient, Some(&secret(3)), at(HOUR))).1, Refusal::NotSignedIn);
    let (answered, _) = requested.confirm(&key(), &page(), &code, Decider::Patient, at(2 * MINUTE)).unwrap();
    assert_eq!(answered.refuse(Actor::Patient, Some(&page()), at(HOUR)).unwrap().0.how(), End::Refused);
}

/// A row in a store, where a new state is written only over the version that was read.
struct Row(Mutex<Consent>);

impl Row {
    fn swap(&self, version: u64, next: Consent) -> bool {
        let mut row = self.0.lock().unwrap();
        let current = row.version() == version;
        if current {
            *row = next;
        }
        current
    }
}

#[test]
fn of_two_confirmations_at_once_one_is_stored_and_a_replay_finds_the_code_used() {
    let (requested, code) = asked(scope());
    let row = Row(Mutex::new(Consent::Requested(requested)));
    let stored: usize = std::thread::scope(|threads| {
        let confirm = || {
            let read = row.0.lock().unwrap().clone();
            let version = read.version();
            let Consent::Requested(requested) = read else { return 0 };
            let (answered, _) = requested.confirm(&key(), &page(), &code, Decider::Patient, at(2 * MINUTE)).unwrap();
            std::thread::yield_now();
            usize::from(row.swap(version, Consent::Answered(answered)))
        };
        let racing: Vec<_> = (0..8).map(|_| threads.spawn(confirm)).collect();
        racing.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(stored, 1);

    // Wrong guesses race too: no try is lost, for each is a change of its own.
    let (requested, _) = asked(scope());
    let row = Row(Mutex::new(Consent::Requested(requested)));
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                loop {
                    let read = row.0.lock().unwrap().clone();
                    let version = read.version();
                    let Consent::Requested(requested) = read else { return };
                    let declined = requested.confirm(&key(), &page(), "00000000", Decider::Patient, at(2 * MINUTE)).unwrap_err();
                    if declined.refusal == Refusal::TooManyTries || row.swap(version, Consent::Requested(declined.state)) {
                        return;
                    }
                }
            });
        }
    });
    let Consent::Requested(requested) = row.0.into_inner().unwrap() else { panic!("no state but this") };
    let tried = requested.confirm(&key(), &page(), "00000000", Decider::Patient, at(2 * MINUTE));
    assert_eq!(refused(tried).1, Refusal::TooManyTries);

    // A code that was redeemed for the restricted step is good for no second one.
    let (active, code) = restricted::asked_restricted(active(), RestrictedReason::Safety, [3; 16]);
    let confirm = |active: Active| active.confirm_restricted(&key(), &secret(4), &code, Decider::Patient, at(HOUR));
    let (active, _) = confirm(active).unwrap();
    assert_eq!(refused(confirm(active)).1, Refusal::AlreadyUsed);
}

#[test]
fn everything_but_what_was_consented_to_is_refused() {
    let consents = [Consent::Active(active())];
    assert!(decided(&consents, &ask(), at(HOUR)).is_ok());
    let refusals = [
        (Ask { who: doctor(2), ..ask() }, Refusal::NoConsent),
        (Ask { who: Actor::Unknown, ..ask() }, Refusal::NoConsent),
        (Ask { who: Actor::System, ..ask() }, Refusal::NoConsent),
        (Ask { patient: Pseudonym::from_bytes([5; 32]), ..ask() }, Refusal::NoConsent),
        (Ask { purpose: Some(Purpose::Treatment), ..ask() }, Refusal::OtherPurpose),
        (Ask { purpose: Some(Purpose::Research), ..ask() }, Refusal::PurposeNotCovered),
        (Ask { purpose: Some(Purpose::Emergency), ..ask() }, Refusal::PurposeNotCovered),
        (Ask { purpose: None, ..ask() }, Refusal::PurposeNotCovered),
        (Ask { record: record(7), ..ask() }, Refusal::OtherRecord),
        (Ask { domain: Domain::Encounters, ..ask() }, Refusal::OtherDomain),
        (Ask { restricted: true, ..ask() }, Refusal::Restricted),
        (Ask { to: Use::Print, ..ask() }, Refusal::UseNotGranted),
        (Ask { to: Use::Forward, ..ask() }, Refusal::UseNotGranted),
        (Ask { to: Use::Download, ..ask() }, Refusal::UseNotGranted),
    ];
    for (ask, refusal) in refusals {
        assert_eq!(decided(&consents, &ask, at(HOUR)), Err(refusal), "{ask:?}");
    }
    assert_eq!(decided(&[], &ask(), at(HOUR)), Err(Refusal::NoConsent));
    assert_eq!(decided(&consents, &ask(), scope().to), Err(Refusal::Expired));
    assert_eq!(decided(&consents, &ask(), at(MINUTE)), Err(Refusal::ClockBackwards));
    let (failed, event) = decide(Err("the database is away"), &ask(), at(HOUR));
    assert_eq!((failed, event.outcome), (Err(Refusal::Error), Outcome::Refused { reason: Refusal::Error }));
    let later = active_of(Scope { from: at(2 * HOUR), ..scope() }, Decider::Patient);
    assert_eq!(decided(&[Consent::Active(later)], &ask(), at(HOUR)), Err(Refusal::NotYet));
    // One consent that covers it is enough, wherever it stands.
    let other = active_of(Scope { records: BTreeSet::from([record(7)]), ..scope() }, Decider::Patient);
    assert!(decided(&[Consent::Active(other.clone()), Consent::Active(active())], &ask(), at(HOUR)).is_ok());
    assert!(decided(&[Consent::Active(active()), Consent::Active(other)], &ask(), at(HOUR)).is_ok());
}

#[test]
fn uses_and_organisations_are_allowed_where_the_consent_says_so() {
    let organisation = Recipient::Organisation(OrganisationId::from_bytes([3; 16]));
    let uses = Uses { print: true, forward: false, download: true };
    let consents = [Consent::Active(active_of(Scope { recipient: organisation, uses, ..scope() }, Decider::Patient))];
    assert!(decided(&consents, &Ask { who: doctor(2), to: Use::Print, ..ask() }, at(HOUR)).is_ok());
    assert!(decided(&consents, &Ask { to: Use::Download, ..ask() }, at(HOUR)).is_ok());
    assert_eq!(decided(&consents, &Ask { to: Use::Forward, ..ask() }, at(HOUR)), Err(Refusal::UseNotGranted));
}

#[test]
fn a_permit_that_is_held_ends_with_its_consent() {
    let active = active();
    let now = Consent::Active(active.clone());
    let permit = decided(std::slice::from_ref(&now), &ask(), at(HOUR)).unwrap();
    assert_eq!(permit.still_holds(Some(&now), false, at(HOUR)), Ok(()));
    assert_eq!(permit.still_holds(None, false, at(HOUR)), Err(Refusal::NoConsent));
    assert_eq!(permit.still_holds(Some(&now), false, scope().to), Err(Refusal::Expired));
    // Withdrawing works with a clock that went back, and counts from the last change on.
    let (ended, event) = active.clone().withdraw(Actor::Patient, START);
    assert_eq!((ended.how(), event.action, event.consent), (End::Withdrawn, Action::ConsentWithdraw, Some(active.id())));
    let ended = Consent::Ended(ended);
    assert_eq!(permit.still_holds(Some(&ended), false, at(HOUR)), Err(Refusal::Withdrawn));
    assert_eq!(decided(&[ended], &ask(), at(HOUR)), Err(Refusal::Withdrawn));
    assert_eq!(refused(active.clone().expire(scope().to.min(at(HOUR)))).1, Refusal::NotYet);
    assert_eq!(active.expire(scope().to).unwrap().0.how(), End::Expired);
}

#[test]
fn minors_and_those_who_cannot_decide_have_somebody_who_does() {
    let birthday = at(10 * 24 * HOUR);
    let minor = Scope { standing: Standing::Minor { until: birthday }, ..scope() };
    let (requested, code) = asked(minor.clone());
    for by in [Decider::Patient, Decider::Relative] {
        let tried = requested.clone().confirm(&key(), &page(), &code, by, at(2 * MINUTE));
        assert_eq!(refused(tried).1, Refusal::NotEntitled);
    }
    let active = active_of(minor, Decider::Parent);
    assert_eq!(active.decided_by(), Decider::Parent);
    let consents = [Consent::Active(active)];
    assert_eq!(decided(&consents, &ask(), at(HOUR)).unwrap().until(), birthday);
    assert_eq!(decided(&consents, &ask(), birthday), Err(Refusal::Expired), "from sixteen on the patient decides");

    let incapable = Scope { standing: Standing::Incapable, ..scope() };
    let (requested, code) = asked(incapable.clone());
    assert_eq!(refused(requested.confirm(&key(), &page(), &code, Decider::Patient, at(2 * MINUTE))).1, Refusal::NotEntitled);
    assert_eq!(active_of(incapable, Decider::Relative).decided_by(), Decider::Relative);
    let (requested, code) = asked(scope());
    assert_eq!(refused(requested.confirm(&key(), &page(), &code, Decider::Parent, at(2 * MINUTE))).1, Refusal::NotEntitled);
}

#[test]
fn glass_is_broken_with_a_reason_for_an_hour_and_told() {
    let ask = Ask { purpose: Some(Purpose::Emergency), ..ask() };
    let reason = EmergencyReason::CannotBeAsked;
    let breaking = |ask: &Ask, words: &str| break_glass(ask, reason, PatientText::from(words), at(HOUR));
    let Emergency { permit, announcements, event, words } = breaking(&ask, "found unconscious").unwrap();
    assert_eq!((permit.until(), permit.grounds()), (at(HOUR + EMERGENCY_LIFE), Grounds::Emergency));
    assert_eq!(permit.still_holds(None, false, at(HOUR + EMERGENCY_LIFE - 1)), Ok(()));
    assert_eq!(permit.still_holds(None, false, at(HOUR + EMERGENCY_LIFE)), Err(Refusal::Expired));
    let told = announcements[0].not_told(Addressee::Patient);
    assert_eq!((told.patient, told.outcome), (event.patient, Outcome::Failed));
    assert_eq!(announcements.map(|announcement| announcement.to), [Told::Patient, Told::PrivacyOfficer]);
    assert_eq!(event.action, Action::BreakGlass { reason });
    assert_eq!(words.reveal(), "found unconscious");
    for event in [&event, &told] {
        assert!(!String::from_utf8(event.encode().unwrap()).unwrap().contains("unconscious"));
    }
    for (wrong, words, error) in [
        (ask, " ", ConsentError::NoReason),
        (Ask { who: Actor::Unknown, ..ask }, "x", ConsentError::NotStaff),
        (Ask { purpose: Some(Purpose::Treatment), ..ask }, "x", ConsentError::Purpose),
        (Ask { to: Use::Download, ..ask }, "x", ConsentError::Purpose),
    ] {
        let (found, event) = breaking(&wrong, words).unwrap_err();
        assert_eq!(found, error);
        assert!(matches!(event.outcome, Outcome::Refused { .. }));
    }
}

#[test]
fn the_microphone_waits_for_a_yes_of_who_may_give_it() {
    let yes = RecordingAnswer {
        patient: scope().patient,
        standing: Standing::Decides,
        by: Decider::Patient,
        how: HowSaid::Spoken,
        yes: true,
    };
    let asked = |answer: RecordingAnswer, noted_by| {
        let (result, event) = note_answer(&answer, noted_by, at(HOUR));
        assert_eq!((event.action, event.patient), (Action::RecordingConsent { how: HowSaid::Spoken }, Some(scope().patient)));
        assert_eq!(event.outcome == Outcome::Done, result.is_ok());
        result
    };
    assert_eq!(asked(RecordingAnswer { yes: false, ..yes }, doctor(1)), Err(Refusal::SaidNo));
    assert_eq!(asked(RecordingAnswer { by: Decider::Relative, ..yes }, doctor(1)), Err(Refusal::NotEntitled));
    assert_eq!(asked(RecordingAnswer { standing: Standing::Incapable, ..yes }, doctor(1)), Err(Refusal::NotEntitled));
    assert_eq!(asked(yes, Actor::Unknown), Err(Refusal::NotAllowed));
    let noted = asked(yes, doctor(1)).unwrap();
    assert_eq!(noted.may_record(scope().patient, at(2 * HOUR)).unwrap().yes(), noted);
    assert_eq!(noted.may_record(Pseudonym::from_bytes([9; 32]), at(HOUR)), Err(Refusal::OtherPatient));
    let minor = RecordingAnswer { standing: Standing::Minor { until: at(3 * HOUR) }, by: Decider::Parent, ..yes };
    let by_parent = asked(minor, doctor(1)).unwrap();
    assert!(by_parent.may_record(scope().patient, at(2 * HOUR)).is_ok());
    assert_eq!(by_parent.may_record(scope().patient, at(3 * HOUR)), Err(Refusal::NotEntitled));
    let kept = serde_json::to_string(&RecordingGrounds::Said(noted)).unwrap();
    assert_eq!(serde_json::from_str::<RecordingGrounds>(&kept).unwrap().yes(), Some(noted));
    assert_eq!(RecordingGrounds::Trial.yes(), None);
    let event = noted.take_back(Actor::Patient, at(HOUR));
    assert_eq!((event.outcome, event.patient), (Outcome::Refused { reason: Refusal::Withdrawn }, Some(scope().patient)));
}

#[test]
fn tries_are_limited_whatever_the_clock_does() {
    let mut limit = RateLimit::new(3, HOUR);
    for time in [at(0), at(1), at(2)] {
        limit.allow([1; 32], time).unwrap();
    }
    assert_eq!(limit.allow([1; 32], at(3)), Err(Refusal::TooManyTries));
    assert_eq!(limit.allow([1; 32], UnixMillis(0)), Err(Refusal::TooManyTries));
    limit.allow([2; 32], at(3)).unwrap();
    limit.allow([1; 32], at(HOUR)).unwrap();
    assert_eq!(limit.allow([1; 32], at(HOUR)), Err(Refusal::TooManyTries));
    // A flood of keys keeps no new one out, and does not free the one that tried last.
    let mut limit = RateLimit::new(1, HOUR);
    let key = |number: u32| std::array::from_fn(|index| number.to_be_bytes().get(index).copied().unwrap_or_default());
    for number in 0..100_000 {
        limit.allow(key(number), at(u64::from(number) / 1_000)).unwrap();
    }
    limit.allow(key(200_000), at(100)).unwrap();
    assert_eq!(limit.allow(key(99_999), at(100)), Err(Refusal::TooManyTries));
    assert_eq!(limit.allow(key(200_000), at(100)), Err(Refusal::TooManyTries));
    limit.allow(key(0), at(100)).unwrap();
}

#[test]
fn a_consent_comes_back_from_its_row() {
    let (requested, _) = asked(scope());
    let (attested, _) = requested.clone().attest(doctor(1), Purpose::Referral, at(HOUR)).unwrap();
    let (ended, _) = active().withdraw(Actor::Patient, at(HOUR));
    let all = [Consent::Requested(requested), Consent::Attested(attested), Consent::Active(active()), Consent::Ended(ended)];
    for consent in all {
        let json = serde_json::to_string(&consent).unwrap();
        assert_eq!(serde_json::from_str::<Consent>(&json).unwrap(), consent);
        let other = json.replacen("\"state\":\"", "\"state\":\"x", 1);
        assert!(serde_json::from_str::<Consent>(&other).is_err());
    }
}

proptest! {
    /// Whatever is typed, nothing but the code is taken for it.
    #[test]
    fn no_other_text_is_the_code(typed in "\\PC{0,12}", random: [u8; 16]) {
        let (requested, _) = request(scope()).open(&link(), &page(), at(1)).unwrap();
        let ((requested, code), _) = requested.issue_code(&key(), &page(), random, at(2)).unwrap();
        prop_assert!(code.reveal().len() == DIGITS && code.reveal().bytes().all(|byte| byte.is_ascii_digit()));
        let (requested, _) = requested.code_handed_over(at(3)).unwrap();
        let taken = requested.confirm(&key(), &page(), &typed, Decider::Patient, at(4)).is_ok();
        prop_assert_eq!(taken, typed.chars().filter(|c| !c.is_whitespace() && *c != '-').eq(code.reveal().chars()));
    }

    /// Any sequence of acts at any times: a permit comes only of a consent that is in force.
    #[test]
    fn no_sequence_of_acts_gives_a_permit_without_both_yeses(acts in prop::collection::vec((0_u8..8, 0_u64..100 * HOUR), 0..12)) {
        let (requested, code) = asked(scope());
        let (mut consent, mut yes, mut attested, mut over) = (Consent::Requested(requested), false, false, false);
        for (act, time) in acts {
            let time = at(time);
            let by = if act % 2 == 0 { doctor(1) } else { doctor(2) };
            let typed = if act < 4 { code.as_str() } else { "12345678" };
            consent = match (act, consent) {
                (0 | 4, Consent::Requested(state)) => match state.confirm(&key(), &page(), typed, Decider::Patient, time) {
                    Ok((state, _)) => { yes = true; Consent::Answered(state) }
                    Err(declined) => Consent::Requested(declined.state),
                },
                (0 | 4, Consent::Attested(state)) => match state.confirm(&key(), &page(), typed, Decider::Patient, time) {
                    Ok((state, _)) => { yes = true; Consent::Active(state) }
                    Err(declined) => Consent::Attested(declined.state),
                },
                (1 | 2, Consent::Requested(state)) => match state.attest(by, Purpose::Referral, time) {
                    Ok((state, _)) => { attested = true; Consent::Attested(state) }
                    Err(declined) => Consent::Requested(declined.state),
                },
                (1 | 2, Consent::Answered(state)) => match state.attest(by, Purpose::Referral, time) {
                    Ok((state, _)) => { attested = true; Consent::Active(state) }
                    Err(declined) => Consent::Answered(declined.state),
                },
                (3, Consent::Active(state)) => { over = true; Consent::Ended(state.withdraw(Actor::Patient, time).0) }
                (7, consent) if !consent.is_over() => { over = true; consent.withdraw(Actor::Patient, time).consent }
                (5, Consent::Active(state)) => match state.expire(time) {
                    Ok((state, _)) => { over = true; Consent::Ended(state) }
                    Err(declined) => Consent::Active(declined.state),
                },
                (6, Consent::Attested(state)) => match state.refuse(Actor::Patient, Some(&page()), time) {
                    Ok((state, _)) => { over = true; Consent::Ended(state) }
                    Err(declined) => Consent::Attested(declined.state),
                },
                (_, consent) => consent,
            };
            let permitted = decide(Ok::<_, ()>(std::slice::from_ref(&consent)), &ask(), at(200 * HOUR)).0.is_ok();
            prop_assert_eq!(permitted, yes && attested && !over);
        }
    }
}
