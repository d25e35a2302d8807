//! Events of the audit log and consents as FHIR R4 resources. `scripts/check-fhir` gives the same fixtures to two independent validators.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use cantoscribe::audit::{
    Action, Actor, Addressee, ConsentId, DeviceId, EmergencyReason, ErasureReason, Event, HowSaid, OrganisationId, Outcome,
    PersonId, Pseudonym, Purpose, RecordId, Refusal, RestrictedReason, RoleId, UnixMillis,
};
use cantoscribe::consent::{CodeKey, Consent, Decider, Domain, Recipient, Request, Scope, Secret, Standing, Uses};
use cantoscribe::interop::fhir::{Instant, audit_event, consent};
use serde_json::{Value, json};

const START: UnixMillis = UnixMillis(1_771_000_000_123);

fn doctor() -> Actor {
    Actor::Staff {
        person: PersonId::from_bytes([1; 16]),
        role: RoleId::from_bytes([2; 16]),
        organisation: OrganisationId::from_bytes([3; 16]),
    }
}

fn actors() -> [Actor; 6] {
    let device = Actor::Device { device: DeviceId::from_bytes([5; 16]), organisation: OrganisationId::from_bytes([3; 16]) };
    [doctor(), Actor::Patient, Actor::SubstituteDecisionMaker, device, Actor::System, Actor::Unknown]
}

const ACTIONS: [Action; 60] = [
    Action::SignIn,
    Action::SignOut,
    Action::View { count: 3 },
    Action::Search { count: 0 },
    Action::Listed,
    Action::Record,
    Action::Erase,
    Action::EraseSound,
    Action::HoldPlace,
    Action::HoldLift,
    Action::ShareArchive,
    Action::ShareDestroy,
    Action::Edit,
    Action::Sign,
    Action::Restrict,
    Action::Unrestrict,
    Action::RecordingConsent { how: HowSaid::Spoken },
    Action::ConsentRequest,
    Action::ConsentCode,
    Action::ConsentAnswer,
    Action::ConsentAttest,
    Action::ConsentActivate,
    Action::ConsentWithdraw,
    Action::ConsentExpire,
    Action::RestrictedAsk { reason: RestrictedReason::Safety },
    Action::RestrictedAnswer,
    Action::PageAsk,
    Action::Permit,
    Action::BreakGlass { reason: EmergencyReason::LifeInDanger },
    Action::BreakGlassTell { whom: Addressee::Administrator },
    Action::BreakGlassAnnounce,
    Action::Share,
    Action::Print,
    Action::Forward,
    Action::Export { count: 1 },
    Action::KeyUse,
    Action::KeyDestroy,
    Action::KeyRotate,
    Action::Backup,
    Action::Restore,
    Action::ContactChange,
    Action::PatientMerge,
    Action::PatientUnmerge,
    Action::Invite,
    Action::RoleGive { person: PersonId::from_bytes([7; 16]) },
    Action::RoleChange { person: PersonId::from_bytes([7; 16]) },
    Action::RecoveryOffer { person: PersonId::from_bytes([7; 16]) },
    Action::RecoveryUse { person: PersonId::from_bytes([7; 16]), offered_by: Some(PersonId::from_bytes([1; 16])) },
    Action::CredentialAdd { person: PersonId::from_bytes([7; 16]) },
    Action::CredentialRemove { person: PersonId::from_bytes([7; 16]) },
    Action::Administer,
    Action::Report,
    Action::AccessRequest,
    Action::AccessAnswer,
    Action::Start,
    Action::Stop,
    Action::Request { count: 2 },
    Action::ErasureDecide { reason: ErasureReason::PatientAsked },
    // Refused and failed ones too: see `events`.
    Action::Permit,
    Action::View { count: 1 },
];

const PURPOSES: [Purpose; 9] = [
    Purpose::Treatment,
    Purpose::SecondOpinion,
    Purpose::Referral,
    Purpose::Emergency,
    Purpose::Research,
    Purpose::Education,
    Purpose::Payment,
    Purpose::Operations,
    Purpose::Marketing,
];

/// An event of every action, actor, purpose and outcome, with and without what may be left out.
fn events() -> Vec<Event> {
    let full = |(number, action): (usize, Action)| {
        let outcome = match ACTIONS.len() - number {
            2 => Outcome::Refused { reason: Refusal::OtherPurpose },
            1 => Outcome::Failed,
            _ => Outcome::Done,
        };
        let event = Event::new(START.after(number as u64), actors()[number % 6], action, outcome);
        if number % 4 == 3 {
            return event;
        }
        let policies = match number % 3 {
            0 => None,
            1 => Some(Vec::new()),
            _ => Some(vec!["role-ended".to_owned().try_into().unwrap()]),
        };
        Event {
            patient: Some(Pseudonym::from_bytes([4; 32])),
            record: Some(RecordId::from_bytes([6; 16])),
            purpose: Some(PURPOSES[number % 9]),
            consent: Some(ConsentId::from_bytes([8; 16])),
            policies,
            ..event
        }
        .from(Some("192.0.2.7".parse().unwrap()), Some(DeviceId::from_bytes([5; 16])))
    };
    ACTIONS.into_iter().enumerate().map(full).collect()
}

fn scope() -> Scope {
    Scope {
        patient: Pseudonym::from_bytes([4; 32]),
        standing: Standing::Decides,
        recipient: Recipient::Role(RoleId::from_bytes([2; 16])),
        purpose: Purpose::Referral,
        records: BTreeSet::from([RecordId::from_bytes([6; 16])]),
        domains: BTreeSet::from([Domain::Notes, Domain::Allergies]),
        from: START,
        to: START.after(30 * 24 * 3600 * 1000),
        uses: Uses { print: true, ..Uses::default() },
    }
}

/// A consent in every state.
fn consents() -> Vec<Consent> {
    let (key, link, page) = (CodeKey::from_bytes([9; 32]), Secret::of_random([1; 32]), Secret::of_random([2; 32]));
    let active = |scope: Scope, by| {
        let purpose = scope.purpose;
        let request = Request { id: ConsentId::from_bytes([8; 16]), scope, requester: doctor(), link: &link };
        let requested = request.make(START).unwrap().0;
        let opened = requested.clone().open(&link, &page, START.after(1)).unwrap().0;
        let ((asked, code), _) = opened.issue_code(&key, &page, [7; 16], START.after(2)).unwrap();
        let asked = asked.code_handed_over(START.after(3)).unwrap().0;
        let attested = asked.attest(doctor(), purpose, START.after(4)).unwrap().0;
        let active = attested.clone().confirm(&key, &page, code.reveal(), by, START.after(5)).unwrap().0;
        (requested, attested, active)
    };
    let (requested, attested, first) = active(scope(), Decider::Patient);
    let minor = Scope {
        standing: Standing::Minor { until: START.after(1000) },
        recipient: Recipient::Organisation(OrganisationId::from_bytes([9; 16])),
        purpose: Purpose::Treatment,
        ..scope()
    };
    let (_, _, second) = active(minor, Decider::Parent);
    let refused = requested.clone().refuse(doctor(), None, START.after(9)).unwrap().0;
    let withdrawn = first.clone().withdraw(Actor::Patient, START.after(9)).0;
    let (link, page) = (Secret::of_random([3; 32]), Secret::of_random([4; 32]));
    let asked = first.clone().ask_restricted(doctor(), RestrictedReason::Complaint, Some(&link), START.after(9)).unwrap().0;
    let opened = asked.open(&link, &page, START.after(9)).unwrap().0;
    let ((opened, code), _) = opened.issue_code(&key, &page, [7; 16], START.after(9)).unwrap();
    let handed = opened.code_handed_over(START.after(9)).unwrap().0;
    let included = handed.confirm_restricted(&key, &page, code.reveal(), Decider::Patient, START.after(9)).unwrap().0;
    vec![
        Consent::Active(first),
        Consent::Active(second),
        Consent::Requested(requested),
        Consent::Attested(attested),
        Consent::Ended(refused),
        Consent::Ended(withdrawn),
        Consent::Active(included),
    ]
}

/// The resources in a Bundle, as the validators take them.
fn collection(resources: Vec<Value>) -> Value {
    let entries: Vec<Value> = resources.into_iter().map(|resource| json!({"resource": resource})).collect();
    json!({"entry": entries, "resourceType": "Bundle", "timestamp": "2026-03-01T09:30:00+08:00", "type": "collection"})
}

fn audit_events() -> Vec<Value> {
    events().iter().zip(0..).map(|(event, entry)| audit_event(event, entry, "log.example/audit").unwrap()).collect()
}

/// Written with `CANTOSCRIBE_WRITE_FIXTURES=1`; what is committed has passed both validators.
#[test]
fn resources_are_those_that_were_validated() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fhir");
    let consents = consents().iter().map(|one| consent(one, &BTreeSet::new()).unwrap()).collect();
    for (name, resources) in [("audit-events", audit_events()), ("consents", consents)] {
        let path = folder.join(format!("{name}.json"));
        let written = serde_json::to_string_pretty(&collection(resources)).unwrap() + "\n";
        if std::env::var_os("CANTOSCRIBE_WRITE_FIXTURES").is_some() {
            std::fs::write(&path, &written).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        assert!(committed == written, "{name}: differs; write it anew and run scripts/check-fhir");
    }
}

#[test]
fn who_what_when_and_how_it_ended_are_told() {
    let events = audit_events();
    let view = &events[2];
    assert_eq!((&view["type"]["code"], &view["subtype"][0]["code"]), (&json!("rest"), &json!("read")));
    assert_eq!((&view["subtype"][1]["code"], &view["action"]), (&json!("view"), &json!("R")));
    assert_eq!((&view["recorded"], &view["outcome"]), (&json!("2026-02-13T16:26:40.125Z"), &json!("0")));
    assert_eq!(view["agent"][2]["who"]["display"], "a substitute decision maker");
    assert_eq!(view["entity"][3]["detail"][0], json!({"type": "count", "valueString": "3"}));
    let refused = events.iter().find(|event| event["outcomeDesc"] == "other_purpose").unwrap();
    assert_eq!((&refused["type"]["code"], &refused["subtype"][0]["code"]), (&json!("110113"), &json!("AuthZ-Consent")));
    assert_eq!((&refused["outcome"], &refused["outcomeDesc"]), (&json!("4"), &json!("other_purpose")));
    let asked: Vec<usize> = events
        .iter()
        .map(|event| event["agent"].as_array().unwrap().iter().filter(|agent| agent["requestor"] == true).count())
        .collect();
    assert!(asked.iter().all(|count| *count == 1), "one asks, always");
    let ids: BTreeSet<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), events.len());
}

/// What a reader who has the document alone makes of it.
fn read_back(resource: &Value) -> (String, Scope) {
    let id = |value: &Value| value["identifier"]["value"].as_str().unwrap().to_owned();
    let provision = &resource["provision"];
    let code = |value: &Value| value["code"].as_str().unwrap().to_owned();
    let time = |value: &Value| {
        let text = value.as_str().unwrap();
        let milliseconds: u64 = text.split_once('.').map_or(0, |(_, rest)| rest.trim_end_matches('Z').parse().unwrap());
        UnixMillis(u64::try_from(Instant::parse(text).unwrap().unix_seconds()).unwrap() * 1_000 + milliseconds)
    };
    let recipient = &provision["actor"][0]["reference"];
    let recipient = match recipient["type"].as_str().unwrap() {
        "PractitionerRole" => Recipient::Role(id(recipient).try_into().unwrap()),
        "Organization" => Recipient::Organisation(id(recipient).try_into().unwrap()),
        other => panic!("{other}"),
    };
    let purpose = match code(&provision["purpose"][0]).as_str() {
        "referral" => Purpose::Referral,
        "second_opinion" => Purpose::SecondOpinion,
        "TREAT" => Purpose::Treatment,
        other => panic!("{other}"),
    };
    let list = |field: &str| provision[field].as_array().unwrap().clone();
    let domain = |one: &Value| serde_json::from_value(one["code"].clone()).unwrap();
    let uses: Vec<String> = list("action").iter().map(|action| code(&action["coding"][0])).collect();
    let may = |what: &str| uses.iter().any(|one| one == what);
    let scope = Scope {
        patient: id(&resource["patient"]).try_into().unwrap(),
        standing: Standing::Decides,
        recipient,
        purpose,
        records: list("data").iter().map(|one| id(&one["reference"]).try_into().unwrap()).collect(),
        domains: list("class").iter().map(domain).collect(),
        from: time(&provision["period"]["start"]),
        to: time(&provision["period"]["end"]),
        uses: Uses { print: may("print"), forward: may("forward"), download: may("download") },
    };
    assert_eq!((&resource["scope"]["coding"][0]["code"], &provision["type"]), (&json!("patient-privacy"), &json!("permit")));
    (resource["status"].as_str().unwrap().to_owned(), scope)
}

#[test]
fn a_consent_is_read_back_as_it_was_given() {
    for one in consents() {
        let (status, read) = read_back(&serde_json::from_str(&consent(&one, &BTreeSet::new()).unwrap().to_string()).unwrap());
        // Who may decide is the clinic's to know: what a reader sees of it is when it ends.
        let given = Scope { standing: Standing::Decides, to: one.scope().end(), ..one.scope().clone() };
        assert_eq!(read, given);
        assert_eq!(status == "active", matches!(one, Consent::Active(_)), "only one that is in force reads so");
    }
}

#[test]
fn a_consent_permits_what_it_says_and_no_more() {
    let all: Vec<Value> = consents().iter().map(|one| consent(one, &BTreeSet::new()).unwrap()).collect();
    let statuses: Vec<&str> = all.iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["active", "active", "proposed", "proposed", "rejected", "inactive", "active"]);
    let provision = &all[0]["provision"];
    assert_eq!(provision["type"], "permit");
    assert_eq!(provision["purpose"], json!([{"system": "urn:cantoscribe:purpose", "code": "referral"}]));
    let actions: Vec<&Value> = provision["action"].as_array().unwrap().iter().map(|one| &one["coding"][0]["code"]).collect();
    assert_eq!(actions, ["access", "print"]);
    assert_eq!(provision["securityLabel"].as_array().unwrap().len(), 1, "nothing restricted");
    let labels = all[6]["provision"]["securityLabel"].as_array().unwrap();
    assert_eq!(labels.iter().map(|label| &label["code"]).collect::<Vec<_>>(), ["N", "R"]);
    let left_out = consent(&consents()[0], &scope().records).unwrap();
    assert_eq!(left_out["provision"].get("data"), None, "what is left out is not named");
    assert_eq!(all[1]["provision"]["period"]["end"], "2026-02-13T16:26:41.123Z", "until the patient is sixteen");
    assert_eq!(all[1]["performer"][0]["display"], "a parent");
}
