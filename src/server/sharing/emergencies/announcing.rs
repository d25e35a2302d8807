//! Who is told of an emergency, and what the log says of each.

use super::super::requests::reached;
use super::super::words::{administrator_message, emergency_message, officer_message};
use super::super::{Sharing, organisation_name};
use crate::audit::{Addressee, Event, OrganisationId, Outcome, RecordId};
use crate::consent::{Announcement, LINK_LIFE, Told};
use crate::identity::RoleKind;
use crate::server::error::ApiError;
use crate::store::{Card, EmergencyTold, MessageKind, MessageTold, Outgoing};
use crate::text::PatientText;

/// What is sent, and what the log and the page say of it.
#[derive(Default)]
pub(super) struct Announced {
    pub messages: Vec<Outgoing>,
    pub events: Vec<Event>,
    pub told: EmergencyTold,
}

/// What is to be told to the patient, and to each privacy officer, or each administrator where no officer can be told. No message says whose
/// record it was or why. Each has an event, and who cannot be told has one that says so.
pub(super) async fn announce(
    sharing: &Sharing,
    announcements: [Announcement; 2],
    (owner, patient): (OrganisationId, &str),
) -> Result<Announced, ApiError> {
    let store = sharing.store();
    let clinic = organisation_name(store, owner).await?;
    let message = |told, phone: Option<PatientText>, mail: Option<PatientText>, text: String, until| Outgoing {
        kind: MessageKind::Notice,
        told: Some(told),
        phone,
        mail,
        subject: clinic.clone(),
        text: PatientText::from(text),
        until,
    };
    let mut all = Announced::default();
    for announcement in announcements {
        let until = announcement.at.after(LINK_LIFE);
        match announcement.to {
            Told::Patient => {
                let text = emergency_message(&clinic, &format!("{}/mine", sharing.0.public));
                let contact = reached(store, patient).await?;
                all.told.patient = contact.is_some();
                all.events.push(announcement.event(Addressee::Patient, told(contact.is_some())));
                let told = MessageTold { whom: Addressee::Patient, person: None };
                all.messages.extend(contact.map(|contact| message(told, contact.phone, contact.mail, text, until)));
            }
            Told::PrivacyOfficer => {
                let at = i64::try_from(announcement.at.0 / 1_000).unwrap_or(i64::MAX);
                let roles = store.roles_in(owner).await?;
                let link = format!("{}/accounts", sharing.0.public);
                let tell = |all: &mut Announced, (kind, whom): (RoleKind, Addressee), text: &str| {
                    let mut reached = 0_u32;
                    for role in roles.iter().filter(|role| role.kind == kind && role.is_held(at)) {
                        let Card { phone, email, .. } = role.person.card.clone();
                        let is_reached = phone.is_some() || email.is_some();
                        let event = announcement.event(whom, told(is_reached));
                        all.events.push(Event { record: Some(RecordId::from_bytes(*role.person.id.bytes())), ..event });
                        if is_reached {
                            reached = reached.saturating_add(1);
                            let (phone, email) = (phone.map(PatientText::from), email.map(PatientText::from));
                            let told = MessageTold { whom, person: Some(role.person.id) };
                            all.messages.push(message(told, phone, email, text.to_owned(), until));
                        }
                    }
                    reached
                };
                let officers = (RoleKind::PrivacyOfficer, Addressee::PrivacyOfficer);
                all.told.officers = tell(&mut all, officers, &officer_message(&clinic, &link));
                if all.told.officers == 0 {
                    let administrators = (RoleKind::Administrator, Addressee::Administrator);
                    all.told.administrators = tell(&mut all, administrators, &administrator_message(&clinic, &link));
                }
                if all.told.officers == 0 && all.told.administrators == 0 {
                    all.events.push(announcement.event(Addressee::PrivacyOfficer, Outcome::Failed));
                }
            }
        }
    }
    Ok(all)
}

fn told(is_told: bool) -> Outcome {
    if is_told { Outcome::Done } else { Outcome::Failed }
}
