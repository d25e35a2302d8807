//! Emergencies on both databases: all or nothing, sealed, over in time, and gone with the patient.

use super::consent_tests::patient;
use super::tests::{Site, by, events, on_both};
use super::*;
use crate::audit::{Action, EmergencyReason, OrganisationId, RoleId, UnixMillis};

async fn an_emergency_is_kept_with_its_events_and_message_and_goes_with_the_patient(site: Site) {
    let store = site.open().await;
    let (patient, owner, role) = (patient(&store).await, OrganisationId::from_bytes([9; 16]), RoleId::from_bytes([2; 16]));
    let (opened_at, ends_at) = (UnixMillis(1_000), UnixMillis(5_000));
    let about = EmergencyAbout {
        doctor: "Dr Bo".into(),
        organisation: "Clinic B".into(),
        reason: EmergencyReason::LifeInDanger,
        words: "after a fall".into(),
        notes: vec!["R1".into()],
        told: None,
    };
    let new = StoredEmergency { id: String::new(), patient: patient.clone(), owner, role, opened_at, ends_at, about };
    let event = by().did_for(Action::BreakGlassAnnounce, store.pseudonym(&patient).unwrap());
    let message = Outgoing {
        kind: MessageKind::Notice,
        phone: Some("+85291234567".into()),
        mail: None,
        subject: String::new(),
        text: "Clinic A".into(),
        until: UnixMillis(u64::MAX >> 1),
    };
    let before = events(&store).await.len();
    assert!(store.open_emergency(new.clone(), Vec::new(), vec![message.clone()], &by()).await.is_err(), "without an event");
    let nobody = StoredEmergency { patient: "nobody".into(), ..new.clone() };
    assert!(store.open_emergency(nobody, vec![event.clone()], Vec::new(), &by()).await.is_err());
    assert!(store.emergencies_at(owner).await.unwrap().is_empty() && store.messages(10).await.unwrap().is_empty());
    assert_eq!(events(&store).await.len(), before);

    let (id, entry) = store.open_emergency(new.clone(), vec![event], vec![message], &by()).await.unwrap();
    assert_eq!(entry as usize, before);
    let kept = StoredEmergency { id: id.clone(), ..new };
    assert_eq!(store.emergency(&id, role, UnixMillis(4_999)).await.unwrap().as_ref(), Some(&kept));
    assert_eq!(store.emergency(&id, role, ends_at).await.unwrap(), None, "it is over");
    assert_eq!(store.emergency(&id, RoleId::from_bytes([3; 16]), opened_at).await.unwrap(), None, "another role");
    assert_eq!(store.emergencies_of(role, opened_at).await.unwrap(), std::slice::from_ref(&kept));
    assert_eq!(store.emergencies_at(owner).await.unwrap(), [(kept, store.pseudonym(&patient).unwrap())]);
    let sent = store.messages(10).await.unwrap();
    assert_eq!(sent.iter().map(|sent| sent.message.kind).collect::<Vec<_>>(), [MessageKind::Notice]);
    store.erase_patient(&patient, &by()).await.unwrap();
    assert!(store.emergencies_at(owner).await.unwrap().is_empty() && store.messages(10).await.unwrap().is_empty());
}

on_both! {
    an_emergency_is_kept_with_its_events_and_message_and_goes_with_the_patient,
}
