//! A consent in force.

use serde::{Deserialize, Serialize};

use super::code::{Code, CodeKey, CodeStep, Codes};
use super::state::{Core, Declined, End, Ended, Step, step};
use super::{Decider, Scope};
use crate::audit::{Action, Actor, ConsentId, Event, Outcome, Refusal, UnixMillis};

/// Both have said yes. It allows what its scope says, in its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Active {
    core: Core,
    /// Who said yes for the patient.
    by: Decider,
    /// Since when.
    since: UnixMillis,
    restricted: Restricted,
}

/// The extra step that restricted data need: a reason of the doctor's, and a second code of the patient's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Restricted {
    /// Restricted data are left out.
    #[default]
    LeftOut,
    /// Asked for, with a reason that the record keeps.
    Asked { reason: RestrictedReason, codes: Codes },
    /// Included.
    Included { reason: RestrictedReason },
}

/// Why a doctor needs restricted data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestrictedReason {
    /// A treatment may harm without them.
    Safety,
    /// The complaint concerns them.
    Complaint,
    /// The patient asked for it.
    PatientAsked,
}

impl Active {
    pub(super) fn new(core: Core, by: Decider) -> Self {
        Self { since: core.changed, core, by, restricted: Restricted::LeftOut }
    }

    /// The event that says that the consent came into force. It has to be written in the transaction of the last yes.
    #[must_use]
    pub fn activation(&self) -> Event {
        self.core.event(self.since, Actor::System, Action::ConsentActivate, Outcome::Done)
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> ConsentId {
        self.core.id
    }

    /// What it is about.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.core.scope
    }

    /// Who said yes for the patient.
    #[must_use]
    pub fn decided_by(&self) -> Decider {
        self.by
    }

    /// Whether it covers restricted data.
    #[must_use]
    pub fn includes_restricted(&self) -> bool {
        matches!(self.restricted, Restricted::Included { .. })
    }

    /// The doctor who asked for the consent asks for restricted data too: makes a code of these random bytes, for the patient.
    ///
    /// # Errors
    /// When another asks, the consent is over, or all codes of this step were made.
    pub fn ask_restricted(
        self,
        by: Actor,
        reason: RestrictedReason,
        key: &CodeKey,
        random: [u8; 16],
        at: UnixMillis,
    ) -> Step<(Self, Code), Self> {
        let mut issued = None;
        let tried = |state: &mut Self| {
            if by != state.core.requester {
                return Err(Refusal::NotAllowed);
            }
            state.core.scope.check_time(at)?;
            let mut codes = match &state.restricted {
                Restricted::LeftOut => Codes::default(),
                Restricted::Asked { codes, .. } => codes.clone(),
                Restricted::Included { .. } => return Err(Refusal::AlreadyUsed),
            };
            issued = Some(codes.issue(&state.core.binding(key, CodeStep::Restricted), random)?);
            state.restricted = Restricted::Asked { reason, codes };
            Ok(())
        };
        let (state, event) = step(self, |state| &mut state.core, (by, Action::ConsentCode, at), tried, |state| state)?;
        match issued {
            Some(code) => Ok(((state, code), event)),
            None => Err(Box::new(Declined { state, refusal: Refusal::Error, event })),
        }
    }

    /// The gateway took the code for restricted data: its five minutes begin.
    ///
    /// # Errors
    /// When there is none.
    pub fn code_handed_over(self, at: UnixMillis) -> Step<Self, Self> {
        let tried = |state: &mut Self| match &mut state.restricted {
            Restricted::Asked { codes, .. } => codes.hand_over(at),
            Restricted::LeftOut | Restricted::Included { .. } => Err(Refusal::AlreadyUsed),
        };
        step(self, |state| &mut state.core, (Actor::System, Action::ConsentCode, at), tried, |state| state)
    }

    /// The patient says yes to restricted data too, with the code.
    ///
    /// # Errors
    /// When code or decider are not the right ones: the try is counted.
    pub fn confirm_restricted(self, key: &CodeKey, code: &str, by: Decider, at: UnixMillis) -> Step<Self, Self> {
        let tried = |state: &mut Self| {
            if !by.may_decide(state.core.scope.standing, at) {
                return Err(Refusal::NotEntitled);
            }
            state.core.scope.check_time(at)?;
            let binding = state.core.binding(key, CodeStep::Restricted);
            let Restricted::Asked { reason, codes } = &mut state.restricted else { return Err(Refusal::AlreadyUsed) };
            codes.redeem(&binding, code, at)?;
            state.restricted = Restricted::Included { reason: *reason };
            Ok(())
        };
        step(self, |state| &mut state.core, (by.actor(), Action::ConsentAnswer, at), tried, |state| state)
    }

    /// The patient takes the consent back. This cannot fail, whatever the clock says; who may call it, the page's sign-in decides.
    #[must_use]
    pub fn withdraw(self, by: Actor, at: UnixMillis) -> (Ended, Event) {
        self.core.end(End::Withdrawn, by, Action::ConsentWithdraw, at)
    }

    /// Ends the consent when its time is over.
    ///
    /// # Errors
    /// When it is not.
    pub fn expire(mut self, at: UnixMillis) -> Step<Ended, Self> {
        if at >= self.core.scope.end() {
            return Ok(self.core.end(End::Expired, Actor::System, Action::ConsentExpire, at));
        }
        self.core.touch(at);
        let refusal = Refusal::NotYet;
        let event = self.core.event(at, Actor::System, Action::ConsentExpire, Outcome::Refused { reason: refusal });
        Err(Box::new(Declined { state: self, refusal, event }))
    }

    pub(super) fn core(&self) -> &Core {
        &self.core
    }

    pub(super) fn core_mut(&mut self) -> &mut Core {
        &mut self.core
    }
}
