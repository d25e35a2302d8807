use super::*;
use crate::audit::{EmergencyReason, Refusal, RoleId};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// Noon in Hong Kong of some day.
const NOON: u64 = 20_000 * DAY + 4 * HOUR;

const OURS: OrganisationId = OrganisationId::from_bytes([1; 16]);
const THEIRS: OrganisationId = OrganisationId::from_bytes([2; 16]);

fn patient(number: u8) -> Pseudonym {
    Pseudonym::from_bytes([number; 32])
}

fn staff(number: u8, organisation: OrganisationId) -> Actor {
    Actor::Staff { person: PersonId::from_bytes([number; 16]), role: RoleId::from_bytes([number; 16]), organisation }
}

fn event(at: u64, actor: Actor, action: Action, whom: Option<u8>) -> Event {
    Event { patient: whom.map(patient), ..Event::new(UnixMillis(at), actor, action, Outcome::Done) }
}

#[test]
fn a_rule_is_stated_alike_in_both_languages() {
    let digits =
        |text: &str| text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    for rule in Rule::ALL {
        let [english, chinese] = rule.stated();
        assert!(english.is_ascii() && !chinese.is_ascii(), "{rule:?}");
        let [said, told]: [Vec<String>; 2] = [digits(english), digits(chinese)];
        assert_eq!(said, told, "{rule:?}");
    }
}

const VIEW: Action = Action::View { count: 1 };

/// The report of these events over ten days, the log's entries from 0. Patients 1 to 99 are ours, and 7 works here.
fn report(events: &[Event]) -> Report {
    let patients = (1..100).map(patient).collect();
    let staff = HashMap::from([(patient(7), PersonId::from_bytes([70; 16]))]);
    let mut reporter = Reporter::new(
        Scope { organisation: OURS, patients: &patients, staff: &staff },
        UnixMillis(NOON),
        UnixMillis(NOON + 10 * DAY),
    );
    for (entry, event) in (0..).zip(events) {
        reporter.take(entry, event);
    }
    reporter.finish()
}

fn found(report: &Report, rule: Rule) -> Vec<(u64, String)> {
    report.unusual.iter().filter(|found| found.rule == rule).map(|found| (found.count, found.entries.to_string())).collect()
}

#[test]
fn lines_say_what_was_done_under_which_principle() {
    let refused =
        Event { outcome: Outcome::Refused { reason: Refusal::NotAllowed }, ..event(NOON + 3, staff(1, OURS), VIEW, Some(2)) };
    let report = report(&[
        event(NOON - 1, staff(1, OURS), VIEW, Some(1)),
        event(NOON, staff(1, OURS), VIEW, Some(1)),
        event(NOON + 1, staff(1, OURS), VIEW, Some(2)),
        event(NOON + 2, staff(2, THEIRS), VIEW, Some(200)),
        refused,
        event(NOON + 4, staff(2, OURS), Action::Sign, Some(1)),
        event(NOON + 5, Actor::Patient, Action::ConsentWithdraw, Some(1)),
        event(NOON + 10 * DAY, staff(1, OURS), VIEW, Some(1)),
    ]);
    let lines: Vec<_> =
        report.lines.iter().map(|line| (line.principle, line.action.as_str(), line.outcome, line.patients)).collect();
    assert_eq!(
        lines,
        [
            (Principle::Dpp2, "sign", "done", 1),
            (Principle::Dpp3, "consent_withdraw", "done", 1),
            (Principle::Dpp3, "view", "done", 2),
            (Principle::Dpp4, "view", "refused", 1),
        ]
    );
    assert_eq!(report.lines[2].entries.to_string(), "1-2", "before and after the period, and of others, is not ours to tell");
}

#[test]
fn recipients_are_others_who_saw_something() {
    let looked = |at, purpose| Event { purpose: Some(purpose), ..event(at, staff(9, THEIRS), VIEW, Some(1)) };
    let tried =
        Event { outcome: Outcome::Refused { reason: Refusal::NoConsent }, ..event(NOON + 3, staff(9, THEIRS), VIEW, Some(2)) };
    let report = report(&[
        looked(NOON, Purpose::Referral),
        looked(NOON + 1, Purpose::Referral),
        looked(NOON + 2, Purpose::Treatment),
        tried,
    ]);
    let recipients: Vec<_> =
        report.recipients.iter().map(|one| (one.organisation, one.purpose, one.entries.to_string())).collect();
    assert_eq!(
        recipients,
        [(THEIRS, Some(Purpose::Treatment), "2".to_owned()), (THEIRS, Some(Purpose::Referral), "0-1".to_owned())]
    );
}

#[test]
fn an_access_request_has_forty_days() {
    let asked = |at, whom| event(at, staff(1, OURS), Action::AccessRequest, Some(whom));
    let answered = |at, whom| event(at, staff(1, OURS), Action::AccessAnswer, Some(whom));
    let report = report(&[
        asked(NOON - 60 * DAY, 3),
        answered(NOON - 50 * DAY, 3),
        asked(NOON - 39 * DAY, 1),
        asked(NOON - 31 * DAY, 2),
        asked(NOON - 30 * DAY, 4),
        answered(NOON, 1),
        asked(NOON + 1, 5),
        asked(NOON + 2, 5),
        answered(NOON + 9 * DAY + 2, 2),
    ]);
    let requests: Vec<_> = report
        .access_requests
        .iter()
        .map(|one| (one.patient, one.answered.is_some(), one.late, one.entries.to_string()))
        .collect();
    assert_eq!(
        requests,
        [
            (patient(1), true, false, "2, 5".to_owned()),
            (patient(2), true, true, "3, 8".to_owned()),
            (patient(4), false, false, "4".to_owned()),
            (patient(5), false, false, "6-7".to_owned()),
        ],
        "the third was answered before the period; 30 days and ten are not yet 40 days and a moment"
    );
    assert_eq!(report.access_requests[0].due, UnixMillis(NOON + DAY));
}

#[test]
fn many_patients_within_an_hour() {
    let reads = |count: u8, step: u64| -> Vec<Event> {
        (0..count).map(|number| event(NOON + u64::from(number) * step, staff(1, OURS), VIEW, Some(number + 10))).collect()
    };
    assert_eq!(found(&report(&reads(30, 1000)), Rule::BulkRead), []);
    assert_eq!(found(&report(&reads(31, 1000)), Rule::BulkRead), [(31, "0-30".to_owned())]);
    assert_eq!(found(&report(&reads(31, HOUR / 30)), Rule::BulkRead), [], "they are spread over more than an hour");
    // The same patient again and again is one patient.
    let same: Vec<_> = (0..100).map(|at| event(NOON + at, staff(1, OURS), VIEW, Some(1))).collect();
    assert_eq!(found(&report(&same), Rule::BulkRead), []);
    // What goes on is one finding, and after an hour's pause it is another.
    let mut long = reads(40, 1000);
    long.extend(reads(35, 1000).into_iter().map(|read| Event { at: read.at.after(3 * HOUR), ..read }));
    assert_eq!(found(&report(&long), Rule::BulkRead), [(40, "0-39".to_owned()), (35, "40-74".to_owned())]);
}

#[test]
fn lists_and_searches_count_as_reading_many() {
    let search = |at, count| event(NOON + at, staff(1, OURS), Action::Search { count }, None);
    let listed = |at, whom| event(NOON + at, staff(1, OURS), Action::Listed, Some(whom));
    assert_eq!(found(&report(&[search(0, 30)]), Rule::BulkRead), []);
    assert_eq!(found(&report(&[search(0, 31)]), Rule::BulkRead), [(31, "0".to_owned())]);
    assert_eq!(found(&report(&[search(0, 20), search(1, 20)]), Rule::BulkRead), [], "it may be the same list twice");
    // A list of twenty, another of twenty: forty patients, each named by an entry.
    let mut lists: Vec<_> = (0..20).map(|number| listed(1, number + 10)).collect();
    lists.push(search(1, 20));
    assert_eq!(found(&report(&lists), Rule::BulkRead), []);
    lists.extend((0..20).map(|number| listed(2, number + 30)));
    assert_eq!(found(&report(&lists), Rule::BulkRead), [(40, "0-40".to_owned())]);
    let mut few = vec![listed(0, 7)];
    for night in 0..3 {
        let at = 13 * HOUR + night * DAY;
        few.extend([search(at, 5), event(NOON + at, staff(1, OURS), Action::View { count: 40 }, None)]);
    }
    assert_eq!(report(&few).unusual, [], "a list is no look at a colleague's chart, and no night of reading");
}

#[test]
fn three_nights_in_a_row() {
    // One in the morning in Hong Kong.
    let night = |day: u64| event(NOON + day * DAY + 13 * HOUR, staff(1, OURS), VIEW, Some(1));
    assert_eq!(found(&report(&[night(0), night(1), night(3), night(4)]), Rule::NightsInARow), []);
    assert_eq!(found(&report(&[night(0), night(1), night(2)]), Rule::NightsInARow), [(3, "0-2".to_owned())]);
    let days: Vec<_> = (0..5).map(|day| event(NOON + day * DAY, staff(1, OURS), VIEW, Some(1))).collect();
    assert_eq!(found(&report(&days), Rule::NightsInARow), []);
    let six = |day: u64| event(NOON + day * DAY + 18 * HOUR, staff(1, OURS), VIEW, Some(1));
    assert_eq!(found(&report(&[six(0), six(1), six(2)]), Rule::NightsInARow), [], "at six it is day");
}

#[test]
fn a_recovery_is_listed_with_who_offered_it_and_what_came_after() {
    let Actor::Staff { person, .. } = staff(2, OURS) else { unreachable!() };
    let Actor::Staff { person: administrator, .. } = staff(1, OURS) else { unreachable!() };
    let token = Some(crate::audit::RecordId::from_bytes([9; 16]));
    let offer = Event { record: token, ..event(NOON, staff(1, OURS), Action::RecoveryOffer { person }, None) };
    let used = Action::RecoveryUse { person, offered_by: Some(administrator) };
    let used = Event { record: token, ..event(NOON + 5, staff(2, OURS), used, None) };
    let after = event(NOON + 9, staff(2, OURS), VIEW, Some(1));
    let other = event(NOON + 9, staff(3, OURS), VIEW, Some(1));
    let late = event(NOON + 5 + DAY, staff(2, OURS), VIEW, Some(1));
    let whole = report(&[offer.clone(), used, other, after, late]);
    assert_eq!(found(&whole, Rule::Recovery), [(1, "0-1, 3".to_owned())]);
    let finding = whole.unusual.iter().find(|finding| finding.rule == Rule::Recovery).unwrap();
    assert_eq!((finding.person, finding.offered_by), (person, Some(administrator)));
    assert!(whole.lines.iter().any(|line| line.action == "recovery_offer" && line.principle == Principle::Dpp4));
    assert_eq!(found(&report(&[offer]), Rule::Recovery), [], "one that is not used");
}

#[test]
fn colleagues_refusals_copies_and_emergencies() {
    let mut events = vec![event(NOON, staff(1, OURS), VIEW, Some(7)), event(NOON + 1, staff(1, OURS), VIEW, Some(7))];
    for step in 0..10 {
        let outcome = Outcome::Refused { reason: Refusal::NotAllowed };
        events.push(Event { outcome, ..event(NOON + 2 + step, staff(2, OURS), VIEW, Some(1)) });
    }
    for step in 0..11 {
        events.push(event(NOON + 20 + step, staff(3, OURS), Action::Export { count: 1 }, Some(1)));
    }
    let reason = EmergencyReason::CannotBeAsked;
    events.push(event(NOON + 40, staff(4, OURS), Action::BreakGlass { reason }, Some(2)));
    let whole = report(&events);
    let rules: Vec<_> =
        whole.unusual.iter().map(|found| (found.rule, found.patient, found.count, found.entries.to_string())).collect();
    assert_eq!(
        rules,
        [
            (Rule::ColleaguesChart, Some(patient(7)), 2, "0-1".to_owned()),
            (Rule::ManyRefusals, None, 10, "2-11".to_owned()),
            (Rule::ManyCopies, None, 11, "12-22".to_owned()),
            (Rule::Emergency, Some(patient(2)), 1, "23".to_owned()),
        ]
    );
    // One less of each is nothing.
    let less: Vec<_> =
        events.iter().enumerate().filter(|(at, _)| ![2, 12, 23].contains(at)).map(|(_, event)| event.clone()).collect();
    assert_eq!(report(&less).unusual.len(), 1);
}

#[test]
fn many_erasures() {
    let erased = |at, number| event(NOON + at, staff(1, OURS), Action::Erase, Some(number));
    let mut events: Vec<_> = (0..5).map(|number| erased(u64::from(number), number + 10)).collect();
    let refused = Event { outcome: Outcome::Refused { reason: Refusal::NotAllowed }, ..erased(6, 20) };
    events.extend([refused, event(NOON + 7, staff(1, OURS), Action::KeyDestroy, Some(10)), erased(HOUR, 21)]);
    assert_eq!(found(&report(&events), Rule::ManyErasures), [], "five within an hour, and one after it");
    events.insert(5, erased(5, 15));
    assert_eq!(found(&report(&events), Rule::ManyErasures), [(6, "0-5, 8".to_owned())]);
}

#[test]
fn what_others_did_about_own_patients_is_found_with_where_they_work() {
    let outside = staff(1, THEIRS);
    let reason = EmergencyReason::CannotBeAsked;
    let mut events = vec![event(NOON, outside, Action::BreakGlass { reason }, Some(2))];
    // A colleague's chart is theirs to look at, and here no colleague's.
    events.push(event(NOON + 1, outside, VIEW, Some(7)));
    for night in 0..3 {
        events.push(event(NOON + 13 * HOUR + night * DAY, outside, VIEW, Some(1)));
    }
    for step in 0..11 {
        events.push(event(NOON + 8 * DAY + step, outside, Action::Print, Some(1)));
    }
    let whole = report(&events);
    let rules: Vec<_> =
        whole.unusual.iter().map(|found| (found.rule, found.organisation, found.patient, found.entries.to_string())).collect();
    assert_eq!(
        rules,
        [
            (Rule::NightsInARow, THEIRS, None, "2-4".to_owned()),
            (Rule::ManyCopies, THEIRS, None, "5-15".to_owned()),
            (Rule::Emergency, THEIRS, Some(patient(2)), "0".to_owned()),
        ]
    );
    let own = report(&[event(NOON, staff(4, OURS), Action::BreakGlass { reason }, Some(200))]);
    assert_eq!(own.unusual[0].organisation, OURS, "who acts is told of it too, of whosever patient");
}

#[test]
fn of_others_only_what_names_own_patients_counts() {
    let outside = staff(1, THEIRS);
    let reads = |from: u8, count: u8| {
        (from..from + count).map(move |number| event(NOON + u64::from(number), outside, VIEW, Some(number)))
    };
    // 30 of ours between 100 of theirs, a search that found many, and nights with theirs.
    let mut events: Vec<_> = reads(10, 30).chain(reads(110, 100)).collect();
    events.push(event(NOON + 300, outside, Action::Search { count: 500 }, Some(12)));
    events.extend((0..3).map(|night| event(NOON + 13 * HOUR + night * DAY, outside, VIEW, Some(200))));
    assert_eq!(report(&events).unusual, []);
    events.insert(30, event(NOON + 40, outside, VIEW, Some(40)));
    let whole = report(&events);
    assert_eq!(found(&whole, Rule::BulkRead), [(31, "0-30, 131".to_owned())]);
    assert_eq!(whole.unusual.len(), 1);
    // Erasing, and letting an account in again, is a house's own affair.
    let Actor::Staff { person, .. } = outside else { unreachable!() };
    let used = Action::RecoveryUse { person, offered_by: None };
    let affairs: Vec<_> = (0..9)
        .map(|step| event(NOON + step, outside, Action::Erase, Some(1)))
        .chain([event(NOON, outside, used, Some(1))])
        .collect();
    assert_eq!(report(&affairs).unusual, []);
}
