//! Seeing a record without consent, in an emergency: with a reason, for an hour, and told to the patient and the privacy officer.

use super::ConsentError;
use super::permit::{Ask, Grounds, Permit, Use};
use crate::audit::{Action, Actor, Addressee, EmergencyReason, Event, Outcome, Pseudonym, Purpose, Refusal, UnixMillis};
use crate::text::PatientText;

/// How long an emergency lasts, in milliseconds. Whoever needs more gives a reason again.
pub const EMERGENCY_LIFE: u64 = 3600 * 1000;

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Told {
    /// The patient.
    Patient,
    /// The privacy officer of the organisation that has the record.
    PrivacyOfficer,
}

/// A message that has to go out because somebody saw a record without consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// To whom.
    pub to: Told,
    /// Whose record it was.
    pub patient: Pseudonym,
    /// Who saw it.
    pub who: Actor,
    /// Why, as one of a few.
    pub reason: EmergencyReason,
    /// When.
    pub at: UnixMillis,
}

impl Announcement {
    /// That somebody cannot be told. Who was told is an event when their message was handed over.
    #[must_use]
    pub fn not_told(&self, whom: Addressee) -> Event {
        let event = Event::new(self.at, self.who, Action::BreakGlassTell { whom }, Outcome::Failed);
        Event { patient: Some(self.patient), purpose: Some(Purpose::Emergency), ..event }
    }
}

/// What an emergency gives, to be written in one transaction: the events and the messages; then the permit may be used.
#[derive(Debug)]
#[must_use]
pub struct Emergency {
    /// To see the record, for an hour.
    pub permit: Permit,
    /// For the outbox: the patient's and the privacy officer's.
    pub announcements: [Announcement; 2],
    /// That it was done. Of each who cannot be told there is one more ([`Announcement::not_told`]).
    pub event: Event,
    /// Why, in the doctor's words: for the record, sealed, and never for the log.
    pub words: PatientText,
}

/// Allows a person in a role to read one record of a patient in an emergency, restricted data too. Printing, passing on and copies it
/// never allows, nor any but the emergency's purpose.
///
/// # Errors
/// Why not, with the event of the refusal: [`ConsentError::NotStaff`], [`ConsentError::NoReason`], and [`ConsentError::Purpose`] where it is
/// another purpose or another use.
pub fn break_glass(
    ask: &Ask,
    reason: EmergencyReason,
    words: PatientText,
    at: UnixMillis,
) -> Result<Emergency, (ConsentError, Box<Event>)> {
    let action = Action::BreakGlass { reason };
    let refused = if !matches!(ask.who, Actor::Staff { .. }) {
        Some((ConsentError::NotStaff, Refusal::NotAllowed))
    } else if words.is_blank() {
        Some((ConsentError::NoReason, Refusal::NotAllowed))
    } else if ask.purpose != Some(Purpose::Emergency) || ask.to != Use::View {
        Some((ConsentError::Purpose, Refusal::OtherPurpose))
    } else {
        None
    };
    if let Some((error, reason)) = refused {
        return Err((error, Box::new(ask.event(at, action, None, Outcome::Refused { reason }))));
    }
    let announcement = |to| Announcement { to, patient: ask.patient, who: ask.who, reason, at };
    Ok(Emergency {
        permit: Permit::new(*ask, Grounds::Emergency, at.after(EMERGENCY_LIFE)),
        announcements: [announcement(Told::Patient), announcement(Told::PrivacyOfficer)],
        event: ask.event(at, action, None, Outcome::Done),
        words,
    })
}
