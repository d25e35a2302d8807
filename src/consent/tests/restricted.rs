//! The extra step that restricted data need.

use super::*;

/// Restricted data asked for, the page of that link opened and a code handed over.
pub(super) fn asked_restricted(active: Active, reason: RestrictedReason, random: [u8; 16]) -> (Active, String) {
    let (active, event) = active.ask_restricted(doctor(1), reason, Some(&secret(3)), at(HOUR)).unwrap();
    assert_eq!((event.action, event.outcome), (Action::RestrictedAsk { reason }, Outcome::Done));
    let (active, _) = active.open(&secret(3), &secret(4), at(HOUR)).unwrap();
    let ((active, code), _) = active.issue_code(&key(), &secret(4), random, at(HOUR)).unwrap();
    let (active, _) = active.code_handed_over(at(HOUR)).unwrap();
    (active, code.reveal().to_owned())
}

#[test]
fn restricted_data_need_a_second_code_and_the_same_doctor() {
    let reason = RestrictedReason::Complaint;
    let asked = |by, time| active().ask_restricted(by, reason, Some(&secret(3)), time);
    assert_eq!(refused(asked(doctor(2), at(HOUR))).1, Refusal::NotAllowed);
    assert_eq!(refused(asked(doctor(1), scope().to)).1, Refusal::Expired);
    let unreached = active().ask_restricted(doctor(1), reason, None, at(HOUR));
    assert_eq!(refused(unreached).1, Refusal::NotEntitled, "nobody would be told");
    assert_eq!(refused(active().open(&link(), &page(), at(HOUR))).1, Refusal::AlreadyUsed, "nothing is asked");
    let (waiting, code) = asked_restricted(active(), reason, [3; 16]);
    assert_eq!((waiting.includes_restricted(), waiting.asks_restricted(at(2 * HOUR))), (false, Some(reason)));
    assert_eq!(waiting.asks_restricted(at(HOUR + LINK_LIFE)), None, "the link ran out");
    let confirm =
        |active: &Active, page: &Secret, code: &str, by, time| active.clone().confirm_restricted(&key(), page, code, by, time);
    let wrong = |page: Secret, code: &str, by, time| refused(confirm(&waiting, &page, code, by, time)).1;
    assert_eq!(wrong(secret(4), "1", Decider::Patient, at(HOUR)), Refusal::WrongCode);
    assert_eq!(wrong(secret(4), &code, Decider::Parent, at(HOUR)), Refusal::NotEntitled);
    assert_eq!(wrong(page(), &code, Decider::Patient, at(HOUR)), Refusal::NotSignedIn, "the page of the first yes");
    assert_eq!(wrong(secret(4), &code, Decider::Patient, at(HOUR + CODE_LIFE)), Refusal::Expired);
    let (included, event) = confirm(&waiting, &secret(4), &code, Decider::Patient, at(HOUR)).unwrap();
    assert_eq!((event.action, event.actor), (Action::RestrictedAnswer, Actor::Patient));
    assert!(decided(&[Consent::Active(included.clone())], &Ask { restricted: true, ..ask() }, at(HOUR)).is_ok());
    let again = included.clone().ask_restricted(doctor(1), reason, Some(&secret(5)), at(2 * HOUR));
    assert_eq!(refused(again).1, Refusal::AlreadyUsed);
    let ended = Consent::Ended(included.withdraw(Actor::Patient, at(HOUR)).0);
    assert_eq!(decided(&[ended], &Ask { restricted: true, ..ask() }, at(2 * HOUR)), Err(Refusal::Withdrawn));

    // The code of the answer is none for this step, though its digits be the same.
    let (waiting, same) = asked_restricted(active(), RestrictedReason::Safety, [7; 16]);
    let (requested, answer) = crate::consent::tests::asked(scope());
    assert_eq!(same, answer);
    let json = serde_json::to_string(&waiting).unwrap();
    let mac = |text: &str| text.split("\"mac\":[").nth(1).unwrap().split(']').next().unwrap().to_owned();
    let swapped = json.replace(&mac(&json), &mac(&serde_json::to_string(&requested).unwrap()));
    let swapped: Active = serde_json::from_str(&swapped).unwrap();
    assert_eq!(refused(confirm(&swapped, &secret(4), &answer, Decider::Patient, at(HOUR))).1, Refusal::WrongCode);
}

#[test]
fn asking_for_restricted_data_again_voids_what_was_asked_and_its_codes_count() {
    let (mut waiting, code) = asked_restricted(active(), RestrictedReason::Safety, [3; 16]);
    (waiting, _) = waiting.ask_restricted(doctor(1), RestrictedReason::Complaint, Some(&secret(5)), at(2 * HOUR)).unwrap();
    let old = waiting.clone().confirm_restricted(&key(), &secret(4), &code, Decider::Patient, at(2 * HOUR));
    assert_eq!(refused(old).1, Refusal::NotSignedIn);
    (waiting, _) = waiting.open(&secret(5), &secret(6), at(2 * HOUR)).unwrap();
    let old = waiting.clone().confirm_restricted(&key(), &secret(6), &code, Decider::Patient, at(2 * HOUR));
    assert_eq!(refused(old).1, Refusal::AlreadyUsed, "the code was for another reason");
    for random in 1..MOST_CODES {
        ((waiting, _), _) = waiting.issue_code(&key(), &secret(6), [random; 16], at(2 * HOUR)).unwrap();
    }
    assert_eq!(refused(waiting.clone().issue_code(&key(), &secret(6), [9; 16], at(2 * HOUR))).1, Refusal::TooManyTries);

    // No leaves the consent as it was, and takes no code; without the page it is nobody's to say.
    assert_eq!(refused(waiting.clone().refuse_restricted(Actor::Patient, &secret(4), at(2 * HOUR))).1, Refusal::NotSignedIn);
    let (left_out, event) = waiting.refuse_restricted(Actor::Patient, &secret(6), at(0)).unwrap();
    assert_eq!(event.outcome, Outcome::Refused { reason: Refusal::SaidNo });
    assert_eq!((left_out.includes_restricted(), left_out.asks_restricted(at(2 * HOUR))), (false, None));
    assert!(decided(&[Consent::Active(left_out)], &ask(), at(3 * HOUR)).is_ok());
}

#[test]
fn a_record_that_is_marked_later_ends_its_permits_until_restricted_data_are_included() {
    let now = Consent::Active(active());
    let permit = decided(std::slice::from_ref(&now), &ask(), at(HOUR)).unwrap();
    assert_eq!(permit.still_holds(Some(&now), true, at(HOUR)), Err(Refusal::Restricted));
    assert_eq!(permit.still_holds(Some(&now), false, at(HOUR)), Ok(()), "the mark was taken away");
    let (waiting, code) = asked_restricted(active(), RestrictedReason::PatientAsked, [3; 16]);
    let included = waiting.confirm_restricted(&key(), &secret(4), &code, Decider::Patient, at(HOUR)).unwrap().0;
    assert_eq!(permit.still_holds(Some(&Consent::Active(included)), true, at(HOUR)), Ok(()));
}
