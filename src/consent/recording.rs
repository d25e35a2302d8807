//! The patient's yes to being recorded, which the microphone waits for.

use super::{Decider, Standing};
use crate::audit::{Action, Actor, Event, HowSaid, Outcome, Pseudonym, Refusal, UnixMillis};

/// What was answered to the question whether the visit may be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordingAnswer {
    /// Whose visit.
    pub patient: Pseudonym,
    /// Who may decide for the patient.
    pub standing: Standing,
    /// Who answered.
    pub by: Decider,
    /// How.
    pub how: HowSaid,
    /// The answer.
    pub yes: bool,
}

/// That the patient has said yes: whoever opens a microphone asks for one. There is no other way to make it than [`may_record`].
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct MayRecord {
    patient: Pseudonym,
}

/// Notes the answer. `noted_by` is the doctor or nurse who heard it.
///
/// The event has to be written before the microphone opens.
///
/// # Errors
/// Why not: then there is a typed note and no sound.
pub fn may_record(answer: &RecordingAnswer, noted_by: Actor, at: UnixMillis) -> (Result<MayRecord, Refusal>, Event) {
    let result = if !answer.yes {
        Err(Refusal::SaidNo)
    } else if !answer.by.may_decide(answer.standing, at) {
        Err(Refusal::NotEntitled)
    } else if !matches!(noted_by, Actor::Staff { .. }) {
        Err(Refusal::NotAllowed)
    } else {
        Ok(MayRecord { patient: answer.patient })
    };
    let outcome = result.as_ref().map_or_else(|reason| Outcome::Refused { reason: *reason }, |_| Outcome::Done);
    let event = Event::new(at, noted_by, Action::RecordingConsent { how: answer.how }, outcome);
    (result, Event { patient: Some(answer.patient), ..event })
}

impl MayRecord {
    /// The patient's mind changed: sound, words and draft are erased, and this says that it was done. The yes is gone with it.
    #[must_use]
    pub fn stop_and_erase(self, by: Actor, at: UnixMillis) -> Event {
        Event { patient: Some(self.patient), ..Event::new(at, by, Action::Erase, Outcome::Done) }
    }
}
