//! Whatever state a consent is in, it can be ended: by who speaks for the patient, and by nobody's word where it is not known any more.

use super::*;

/// A consent in each state in which it is not over, and whether the patient has said yes.
fn live() -> [(Consent, bool); 4] {
    let (requested, code) = asked(scope());
    let (attested, _) = requested.clone().attest(doctor(1), Purpose::Referral, at(2 * MINUTE)).unwrap();
    let (answered, _) = requested.clone().confirm(&key(), &page(), &code, Decider::Patient, at(2 * MINUTE)).unwrap();
    [(requested.into(), false), (attested.into(), false), (answered.into(), true), (active().into(), true)]
}

/// It ended with this one event, and is good for nothing any more.
fn over(taken: Taken<()>) -> (End, Event) {
    let Taken { consent, mut events, outcome } = taken;
    assert_eq!((outcome, events.len()), (Ok(()), 1));
    let Consent::Ended(ended) = &consent else { panic!("it goes on") };
    let how = ended.how();
    assert!(!consent.is_page(&page(), at(HOUR)));
    let again = |taken: Taken<()>| assert_eq!(taken.outcome, Err(Refusal::AlreadyUsed));
    again(consent.clone().open(&link(), &secret(3), at(HOUR)));
    again(consent.clone().attest(doctor(1), Purpose::Referral, at(HOUR)));
    again(consent.clone().withdraw(Actor::Patient, at(HOUR)));
    again(consent.clone().void(at(HOUR)));
    assert!(decided(&[consent], &ask(), at(HOUR)).is_err());
    (how, events.remove(0))
}

#[test]
fn every_live_state_is_taken_back_or_refused() {
    for (consent, said_yes) in live() {
        // With a clock that went back too.
        for time in [at(HOUR), START] {
            for by in [Actor::Patient, doctor(2)] {
                let (how, event) = over(consent.clone().withdraw(by, time));
                assert_eq!((event.actor, event.consent), (by, Some(consent.id())));
                let told = (how, event.action, event.outcome);
                if said_yes {
                    assert_eq!(told, (End::Withdrawn, Action::ConsentWithdraw, Outcome::Done));
                } else {
                    let said_no = Outcome::Refused { reason: Refusal::SaidNo };
                    assert_eq!(told, (End::Refused, Action::ConsentAnswer, said_no));
                }
            }
        }
    }
}

#[test]
fn every_live_state_can_be_void() {
    for (consent, _) in live() {
        let (how, event) = over(consent.void(at(HOUR)));
        assert_eq!((how, event.action), (End::Withdrawn, Action::ConsentWithdraw));
        assert_eq!((event.actor, event.outcome), (Actor::System, Outcome::Done));
    }
    let reason = RestrictedReason::Safety;
    let (asking, _) = active().ask_restricted(doctor(1), reason, Some(&secret(4)), at(HOUR)).unwrap();
    let Consent::Ended(_) = Consent::Active(asking).void(at(HOUR)).consent else { panic!("it waits for the second step") };
}
