//! The one decision whether somebody may see something, and what proves that it was yes.
//!
//! The answer is no unless one consent in force says yes to all of it: an error, an unknown purpose, a clock that went back and the
//! want of any consent are all no. Either way there is an event, which has to be written before anything is shown.

use core::ops::ControlFlow;

use super::scope::can_be_consented_to;
use super::{Active, Consent, Domain, End};
use crate::audit::{Action, Actor, ConsentId, Event, Outcome, Pseudonym, Purpose, RecordId, Refusal, RoleId, UnixMillis};

/// What is to be done with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Use {
    /// Read it.
    View,
    /// Print it.
    Print,
    /// Pass it on.
    Forward,
    /// Take a copy out.
    Download,
}

/// What somebody wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// Who.
    pub who: Actor,
    /// Whose data.
    pub patient: Pseudonym,
    /// What for; nothing where it was not said, or in words that no purpose has.
    pub purpose: Option<Purpose>,
    /// Which record.
    pub record: RecordId,
    /// What of it.
    pub domain: Domain,
    /// Whether it is marked as restricted.
    pub restricted: bool,
    /// What is to be done with it.
    pub to: Use,
}

impl Ask {
    pub(super) fn event(&self, at: UnixMillis, action: Action, consent: Option<ConsentId>, outcome: Outcome) -> Event {
        let (patient, record) = (Some(self.patient), Some(self.record));
        Event { patient, record, purpose: self.purpose, consent, ..Event::new(at, self.who, action, outcome) }
    }
}

/// What a permit rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grounds {
    /// A consent in force.
    Consent(ConsentId),
    /// An emergency, announced to patient and privacy officer.
    Emergency,
}

/// That the check was passed: whoever shows a record asks for one. There is no other way to make it than [`decide`] and
/// [`super::break_glass`].
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Permit {
    ask: Ask,
    grounds: Grounds,
    until: UnixMillis,
}

impl Permit {
    pub(super) fn new(ask: Ask, grounds: Grounds, until: UnixMillis) -> Self {
        Self { ask, grounds, until }
    }

    /// What was asked and is allowed.
    #[must_use]
    pub fn ask(&self) -> &Ask {
        &self.ask
    }

    /// What it rests on.
    #[must_use]
    pub fn grounds(&self) -> Grounds {
        self.grounds
    }

    /// Until when: not at this time any more.
    #[must_use]
    pub fn until(&self) -> UnixMillis {
        self.until
    }

    /// Whether it was given to this role for this record.
    #[must_use]
    pub fn is_for(&self, role: RoleId, record: RecordId) -> bool {
        self.ask.record == record && matches!(self.ask.who, Actor::Staff { role: who, .. } if who == role)
    }

    /// Whether it still holds, given the consent that it rests on as it is now (nothing where there is none, or an emergency) and whether
    /// the record is marked as restricted now. A viewer that is open asks this whenever that consent or the mark changed, and with each
    /// piece that it is about to send.
    ///
    /// # Errors
    /// Why it holds no more.
    pub fn still_holds(&self, consent: Option<&Consent>, restricted: bool, at: UnixMillis) -> Result<(), Refusal> {
        if at >= self.until {
            return Err(Refusal::Expired);
        }
        match (self.grounds, consent) {
            (Grounds::Emergency, _) => Ok(()),
            (Grounds::Consent(id), Some(consent)) if consent.id() == id => {
                check(consent, &Ask { restricted, ..self.ask }, at).map(drop)
            }
            (Grounds::Consent(_), _) => Err(Refusal::NoConsent),
        }
    }
}

/// Decides. `consents` are those of the patient, or the failure to find them.
///
/// The event says what was decided; nothing may be shown before it is written.
///
/// # Errors
/// Why not. Of several consents, the reason of the one that came closest.
pub fn decide<E>(consents: Result<&[Consent], E>, ask: &Ask, at: UnixMillis) -> (Result<Permit, Refusal>, Event) {
    let answer = match consents {
        Err(_) => Err((Refusal::Error, None)),
        Ok(_) if !ask.purpose.is_some_and(can_be_consented_to) => Err((Refusal::PurposeNotCovered, None)),
        Ok(consents) => {
            let closest = (Refusal::NoConsent, None);
            let found = consents.iter().try_fold(closest, |closest, consent| match check(consent, ask, at) {
                Ok(active) => ControlFlow::Break(active),
                Err(refusal) if distance(refusal) < distance(closest.0) => ControlFlow::Continue((refusal, Some(consent.id()))),
                Err(_) => ControlFlow::Continue(closest),
            });
            match found {
                ControlFlow::Break(active) => Ok(active),
                ControlFlow::Continue(closest) => Err(closest),
            }
        }
    };
    match answer {
        Ok(active) => {
            let event = ask.event(at, Action::Permit, Some(active.id()), Outcome::Done);
            (Ok(Permit::new(*ask, Grounds::Consent(active.id()), active.scope().end())), event)
        }
        Err((reason, consent)) => (Err(reason), ask.event(at, Action::Permit, consent, Outcome::Refused { reason })),
    }
}

/// Whether one consent allows all of it.
fn check<'a>(consent: &'a Consent, ask: &Ask, at: UnixMillis) -> Result<&'a Active, Refusal> {
    let scope = &consent.core().scope;
    let must = |holds: bool, refusal| if holds { Ok(()) } else { Err(refusal) };
    must(scope.patient == ask.patient, Refusal::OtherPatient)?;
    must(scope.recipient.is(&ask.who), Refusal::OtherRecipient)?;
    let active = match consent {
        Consent::Active(active) => active,
        Consent::Ended(ended) => {
            return Err(match ended.how() {
                End::Refused => Refusal::SaidNo,
                End::Withdrawn => Refusal::Withdrawn,
                End::Expired => Refusal::Expired,
            });
        }
        Consent::Requested(_) | Consent::Attested(_) | Consent::Answered(_) => return Err(Refusal::NoConsent),
    };
    must(at >= active.core().changed, Refusal::ClockBackwards)?;
    scope.check_time(at)?;
    must(ask.purpose == Some(scope.purpose), Refusal::OtherPurpose)?;
    must(scope.records.contains(&ask.record), Refusal::OtherRecord)?;
    must(scope.domains.contains(&ask.domain), Refusal::OtherDomain)?;
    must(!ask.restricted || active.includes_restricted(), Refusal::Restricted)?;
    let granted = match ask.to {
        Use::View => true,
        Use::Print => scope.uses.print,
        Use::Forward => scope.uses.forward,
        Use::Download => scope.uses.download,
    };
    must(granted, Refusal::UseNotGranted)?;
    Ok(active)
}

/// How far a check was from yes.
fn distance(refusal: Refusal) -> u8 {
    match refusal {
        Refusal::UseNotGranted => 0,
        Refusal::Restricted => 1,
        Refusal::OtherDomain => 2,
        Refusal::OtherRecord => 3,
        Refusal::OtherPurpose => 4,
        Refusal::NotYet | Refusal::Expired | Refusal::ClockBackwards => 5,
        Refusal::Withdrawn | Refusal::SaidNo => 6,
        Refusal::NoConsent => 7,
        _ => 8,
    }
}
