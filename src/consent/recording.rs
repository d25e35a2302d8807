//! The patient's yes to being recorded, which the microphone waits for.

use serde::{Deserialize, Serialize};

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

/// A yes as it is kept with the visit. But for reading back what was kept, there is no other way to make one than [`note_answer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordingYes {
    patient: Pseudonym,
    standing: Standing,
    by: Decider,
    how: HowSaid,
    noted_by: Actor,
    at: UnixMillis,
}

/// On what the recording of a visit rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingGrounds {
    /// Somebody who may said yes.
    Said(RecordingYes),
    /// A trial, in which nobody was asked. Outside one it is worth nothing.
    Trial,
}

/// That the patient has said yes: whoever opens a microphone asks for one. There is no other way to make it than [`RecordingYes::may_record`].
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct MayRecord {
    yes: RecordingYes,
}

/// Notes the answer. `noted_by` is the doctor or nurse who heard it.
///
/// The event has to be written before the microphone opens.
///
/// # Errors
/// Why not: then there is a typed note and no sound.
pub fn note_answer(answer: &RecordingAnswer, noted_by: Actor, at: UnixMillis) -> (Result<RecordingYes, Refusal>, Event) {
    let RecordingAnswer { patient, standing, by, how, yes } = *answer;
    let result = if !yes {
        Err(Refusal::SaidNo)
    } else if !by.may_decide(standing, at) {
        Err(Refusal::NotEntitled)
    } else if !matches!(noted_by, Actor::Staff { .. }) {
        Err(Refusal::NotAllowed)
    } else {
        Ok(RecordingYes { patient, standing, by, how, noted_by, at })
    };
    let outcome = result.as_ref().map_or_else(|reason| Outcome::Refused { reason: *reason }, |_| Outcome::Done);
    let event = Event::new(at, noted_by, Action::RecordingConsent { how }, outcome);
    (result, Event { patient: Some(patient), ..event })
}

impl RecordingYes {
    /// Who said it.
    #[must_use]
    pub fn by(&self) -> Decider {
        self.by
    }

    /// How.
    #[must_use]
    pub fn how(&self) -> HowSaid {
        self.how
    }

    /// When it was noted.
    #[must_use]
    pub fn at(&self) -> UnixMillis {
        self.at
    }

    /// Whether this patient may be recorded at this time.
    ///
    /// # Errors
    /// [`Refusal::OtherPatient`]; [`Refusal::NotEntitled`] where who said yes may not decide any more: a minor has come of age.
    pub fn may_record(self, patient: Pseudonym, at: UnixMillis) -> Result<MayRecord, Refusal> {
        if self.patient != patient {
            Err(Refusal::OtherPatient)
        } else if !self.by.may_decide(self.standing, at) {
            Err(Refusal::NotEntitled)
        } else {
            Ok(MayRecord { yes: self })
        }
    }

    /// The event of a yes that is worth nothing any more: the patient's mind changed. The yes is gone with it.
    #[must_use]
    pub fn take_back(self, by: Actor, at: UnixMillis) -> Event {
        let outcome = Outcome::Refused { reason: Refusal::Withdrawn };
        Event { patient: Some(self.patient), ..Event::new(at, by, Action::RecordingConsent { how: self.how }, outcome) }
    }
}

impl RecordingGrounds {
    /// The yes, where one was said.
    #[must_use]
    pub fn yes(self) -> Option<RecordingYes> {
        match self {
            Self::Said(yes) => Some(yes),
            Self::Trial => None,
        }
    }
}

impl MayRecord {
    /// The yes that it rests on.
    #[must_use]
    pub fn yes(&self) -> RecordingYes {
        self.yes
    }
}
