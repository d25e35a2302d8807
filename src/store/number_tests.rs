//! Numbers of several institutions on both databases: the same number of two is two numbers, and no sign that two patients are one.

use super::tests::{Site, by, holds, on_both};
use super::*;
use crate::audit::OrganisationId;
use crate::identity::{Agreement, Date, Field, RoleKind};
use crate::visit::{Given, GivenNumber, Identifier, Patient};

/// The number that all of them have.
const NUMBER: &str = "HN 7654321";

fn hospital(issuer: Option<&str>) -> GivenNumber<'_> {
    GivenNumber { kind: "hospital", value: NUMBER, issuer }
}

fn patient(given: &Given<'_>) -> Patient {
    Patient::new(given, Date::parse("2026-11-26").unwrap()).unwrap()
}

fn with(name: &str, numbers: &[GivenNumber<'_>]) -> Patient {
    patient(&Given { name, identifiers: numbers, ..Given::default() })
}

/// Somebody of a common name, day of birth and sex.
fn alike_with(numbers: &[GivenNumber<'_>]) -> Patient {
    let (born, sex) = (Some("1961-03-02"), Some("female"));
    patient(&Given { name: "HO Siu Ming", born, sex, identifiers: numbers, ..Given::default() })
}

async fn found(store: &Store, of: OrganisationId, number: GivenNumber<'_>) -> Option<String> {
    store.patient_by_number(of, &Identifier::new(&number).unwrap()).await.unwrap()
}

async fn doctor(store: &Store, clinic: &str) -> StoredRole {
    let organisation = store.create_organisation(clinic, None, &by()).await.unwrap().id;
    let person = store.create_person(&Card { name: "Dr Chan".into(), phone: None, email: None }, &by()).await.unwrap().id;
    let new = NewRole { person, organisation, kind: RoleKind::Doctor, starts_at: 0, ends_at: None, department: None };
    let id = store.give_role(&new, &by()).await.unwrap();
    store.role(id).await.unwrap().unwrap()
}

async fn one_number_of_several_institutions_is_several_patients(site: Site) {
    let store = site.open().await;
    let of = TRIAL_ORGANISATION;
    let queen = store.create_patient(&with("CHAN", &[hospital(Some("Queen Mary"))]), 1, &by()).await.unwrap();
    let castle = store.create_patient(&with("WONG", &[hospital(Some("Castle Peak"))]), 2, &by()).await.unwrap();
    let own = store.create_patient(&with("HO", &[hospital(None)]), 3, &by()).await.unwrap();
    for (number, patient) in [
        (hospital(Some("Queen Mary")), Some(&queen.id)),
        (hospital(Some(" ＱＵＥＥＮ  mary ")), Some(&queen.id)),
        (hospital(Some("castle peak")), Some(&castle.id)),
        (hospital(None), Some(&own.id)),
        (hospital(Some("Prince of Wales")), None),
        (GivenNumber { kind: "clinic", ..hospital(Some("Queen Mary")) }, None),
    ] {
        assert_eq!(found(&store, of, number).await.as_ref(), patient);
    }
    // Only the same number of the same institution is taken, however both are written.
    for (number, other) in [(hospital(Some("queen  ｍａｒｙ")), &queen), (hospital(None), &own)] {
        let number = GivenNumber { value: "hn7654321", ..number };
        let taken = store.create_patient(&with("LEE", &[number]), 4, &by()).await.unwrap_err();
        assert!(matches!(&taken, DeskError::Taken { patient } if *patient == other.id), "{taken}");
        let said = taken.to_string();
        assert!(!said.to_lowercase().contains("queen") && !said.contains("7654321"), "{said}");
    }
    // A slip in the issuer is put right; what was given up is free, and what was taken is not.
    let right = with("WONG", &[hospital(Some("Prince of Wales")), GivenNumber::own("hkid", "A123456(3)")]);
    assert_eq!(store.change_patient(&castle.id, 1, &right, &by()).await.unwrap(), 2);
    assert_eq!(found(&store, of, hospital(Some("Castle Peak"))).await, None);
    assert_eq!(found(&store, of, hospital(Some("prince of wales"))).await.as_ref(), Some(&castle.id));
    let taken = store.change_patient(&own.id, 1, &with("HO", &[hospital(Some("QUEEN MARY"))]), &by()).await.unwrap_err();
    assert!(matches!(taken, DeskError::Taken { .. }));
    assert_eq!(found(&store, of, hospital(None)).await.as_ref(), Some(&own.id), "a change that was refused changed something");
    store.close().await;
    for clear in [&b"Queen Mary"[..], b"queen mary", b"Prince", b"7654321"] {
        assert!(!holds(site.path(), clear));
    }
    let store = site.open().await;
    assert_eq!(store.patient(&castle.id).await.unwrap().unwrap().patient, right);
    store.erase_patient(&queen.id, &by()).await.unwrap();
    assert_eq!(found(&store, of, hospital(Some("Queen Mary"))).await, None);
}

async fn another_organisation_is_found_by_its_own_numbers_and_by_those_it_noted(site: Site) {
    let store = site.open().await;
    let (clinic, queen) = (doctor(&store, "Clinic").await, doctor(&store, "Queen Mary").await);
    let as_role = |role: &StoredRole| By { actor: role.actor(), ..by() };
    let theirs = with("CHAN", &[hospital(None), GivenNumber { issuer: Some("Clinic"), ..GivenNumber::own("clinic", "77") }]);
    let theirs = store.create_patient(&theirs, 1, &as_role(&queen)).await.unwrap().id;
    let noted = with("CHAN", &[GivenNumber::own("clinic", "77"), hospital(Some("Queen Mary"))]);
    let noted = store.create_patient(&noted, 2, &as_role(&clinic)).await.unwrap().id;
    let somebody = store.create_patient(&with("HO", &[hospital(None)]), 3, &as_role(&clinic)).await.unwrap().id;
    let (at_clinic, at_queen) = (clinic.organisation, queen.organisation);
    assert_eq!(found(&store, at_queen, hospital(None)).await, Some(theirs.clone()));
    assert_eq!(found(&store, at_queen, hospital(Some("Queen Mary"))).await, None, "nobody noted it as another's there");
    let of_clinic = |issuer| GivenNumber { issuer, ..GivenNumber::own("clinic", "77") };
    assert_eq!(found(&store, at_queen, of_clinic(Some("CLINIC"))).await, Some(theirs));
    assert_eq!(found(&store, at_queen, of_clinic(None)).await, None);
    assert_eq!(found(&store, at_clinic, of_clinic(None)).await, Some(noted.clone()));
    assert_eq!(found(&store, at_clinic, hospital(Some("Queen Mary"))).await, Some(noted));
    assert_eq!(found(&store, at_clinic, hospital(None)).await, Some(somebody), "the clinic's own number of that kind");
}

async fn one_number_of_two_institutions_is_no_sign_of_one_person(site: Site) {
    let store = site.open().await;
    let named = |name, chinese_name, numbers| {
        patient(&Given { name, chinese_name: Some(chinese_name), identifiers: numbers, ..Given::default() })
    };
    let numbers = ["Queen Mary", "Castle Peak"].map(|issuer| [hospital(Some(issuer))]);
    store.create_patient(&named("CHAN Tai Man", "陳大文", &numbers[0]), 1, &by()).await.unwrap();
    store.create_patient(&named("LEUNG Mei Ling", "梁美玲", &numbers[1]), 2, &by()).await.unwrap();
    assert!(store.likenesses(Reach::TRIAL, None, 9).await.unwrap().is_empty());
    // Who is alike all the same is so by what else is known, and weighs what they weigh without a number.
    for issuer in ["Queen Mary", "Castle Peak"] {
        let number = GivenNumber { value: "9", ..hospital(Some(issuer)) };
        store.create_patient(&alike_with(&[number]), 3, &by()).await.unwrap();
    }
    let alike = store.likenesses(Reach::TRIAL, None, 9).await.unwrap();
    let reasons: Vec<_> = alike.iter().flat_map(|one| &one.proposal.reasons).map(|(field, same, _)| (*field, *same)).collect();
    assert_eq!(reasons, [Field::Name, Field::Born, Field::Sex].map(|field| (field, Agreement::Same)));
    let plain = alike_with(&[]).person();
    let weight = crate::identity::propose(&plain, &plain).unwrap().weight;
    assert!((alike[0].proposal.weight - weight).abs() < 1e-9);
}

on_both! {
    one_number_of_several_institutions_is_several_patients,
    another_organisation_is_found_by_its_own_numbers_and_by_those_it_noted,
    one_number_of_two_institutions_is_no_sign_of_one_person,
}
