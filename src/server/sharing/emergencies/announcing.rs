//! Who is told of an emergency, and what the log says of each.

use super::super::requests::reached;
use super::super::words::{administrator_message, emergency_message, officer_message};
use super::super::{Sharing, organisation_name};
use crate::audit::{Addressee, Event, OrganisationId, RecordId};
use crate::consent::{Announcement, LINK_LIFE, Told};
use crate::identity::RoleKind;
use crate::server::error::ApiError;
use crate::store::{Card, EmergencyTold, MessageKind, MessageTold, Outgoing};
use crate::text::PatientText;

/// What is sent, and what the log and the page say of it.
#[derive(Default)]
pub(super) struct Announced {
    pub messages: Vec<Outgoing>,
    /// That somebody cannot be told.
    pub events: Vec<Event>,
    /// Whom the messages are for.
    pub queued: EmergencyTold,
}

impl Announced {
    fn send(&mut self, message: Outgoing) {
        if let Some(told) = &message.told {
            self.queued.add(told.whom);
        }
        self.messages.push(message);
    }
}

/// What is to be told to the patient, and to each privacy officer, or each administrator where no officer can be told. No message says whose
/// record it was or why. Who cannot be told, for they have no number or mailbox or no gateway goes there, has an event that says so.
pub(super) async fn announce(
    sharing: &Sharing,
    announcements: [Announcement; 2],
    (owner, patient): (OrganisationId, &str),
) -> Result<Announced, ApiError> {
    let store = sharing.store();
    let clinic = organisation_name(store, owner).await?;
    let message = |told, (phone, mail): (Option<PatientText>, Option<PatientText>), text: &str, until| Outgoing {
        kind: MessageKind::Notice,
        told: Some(told),
        phone,
        mail,
        subject: clinic.clone(),
        text: PatientText::from(text),
        until,
    };
    let way = &sharing.0.way;
    let mut all = Announced::default();
    for announcement in announcements {
        let until = announcement.at.after(LINK_LIFE);
        match announcement.to {
            Told::Patient => {
                let text = emergency_message(&clinic, &format!("{}/mine", sharing.0.public));
                let contact = reached(store, patient).await?;
                match contact.and_then(|contact| way.to(contact.phone, contact.mail)) {
                    Some(to) => {
                        let told = MessageTold { whom: Addressee::Patient, person: None, emergency: None };
                        all.send(message(told, to, &text, until));
                    }
                    None => all.events.push(announcement.not_told(Addressee::Patient)),
                }
            }
            Told::PrivacyOfficer => {
                let at = i64::try_from(announcement.at.0 / 1_000).unwrap_or(i64::MAX);
                let roles = store.roles_in(owner).await?;
                let link = format!("{}/accounts", sharing.0.public);
                let tell = |all: &mut Announced, (kind, whom): (RoleKind, Addressee), text: &str| {
                    for role in roles.iter().filter(|role| role.kind == kind && role.is_held(at)) {
                        let Card { phone, email, .. } = role.person.card.clone();
                        match way.to(phone.map(PatientText::from), email.map(PatientText::from)) {
                            Some(to) => {
                                let told = MessageTold { whom, person: Some(role.person.id), emergency: None };
                                all.send(message(told, to, text, until));
                            }
                            None => {
                                let record = Some(RecordId::from_bytes(*role.person.id.bytes()));
                                all.events.push(Event { record, ..announcement.not_told(whom) });
                            }
                        }
                    }
                };
                tell(&mut all, (RoleKind::PrivacyOfficer, Addressee::PrivacyOfficer), &officer_message(&clinic, &link));
                if all.queued.officers == 0 {
                    let administrators = (RoleKind::Administrator, Addressee::Administrator);
                    tell(&mut all, administrators, &administrator_message(&clinic, &link));
                }
                if all.queued.officers == 0 && all.queued.administrators == 0 {
                    all.events.push(announcement.not_told(Addressee::PrivacyOfficer));
                }
            }
        }
    }
    Ok(all)
}
