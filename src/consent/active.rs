//! A consent in force.

use serde::{Deserialize, Serialize};

use super::code::{Code, CodeKey, CodeStep, Codes};
use super::link::{Link, Secret};
use super::state::{Core, Declined, End, Ended, Step, step};
use super::{Decider, Scope};
use crate::audit::{Action, Actor, ConsentId, Event, Outcome, Refusal, RestrictedReason, UnixMillis};

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

/// The extra step that restricted data need: a reason of the doctor's, and a link and a code of their own for the patient.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Restricted {
    /// Restricted data are left out.
    #[default]
    LeftOut,
    /// Asked for, with a reason that the patient reads and the record keeps.
    Asked { reason: RestrictedReason, link: Link, codes: Codes },
    /// Included.
    Included { reason: RestrictedReason },
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

    /// Why restricted data are asked for, where the patient has not answered yet and still can.
    #[must_use]
    pub fn asks_restricted(&self, at: UnixMillis) -> Option<RestrictedReason> {
        match &self.restricted {
            Restricted::Asked { reason, link, .. } if at < link.expires() => Some(*reason),
            Restricted::Asked { .. } | Restricted::LeftOut | Restricted::Included { .. } => None,
        }
    }

    /// Whether restricted data were asked for and the patient has not answered, in time or not.
    pub(super) fn asked_restricted(&self) -> bool {
        matches!(self.restricted, Restricted::Asked { .. })
    }

    /// The doctor who asked for the consent asks for restricted data too: `link` is for the patient, and nothing where nobody can be
    /// reached. Asking again takes the place of what was not answered: its link, page and code are good no more, and its codes count.
    ///
    /// # Errors
    /// When another asks, nobody can be reached, the consent is over, or they are included.
    pub fn ask_restricted(self, by: Actor, reason: RestrictedReason, link: Option<&Secret>, at: UnixMillis) -> Step<Self, Self> {
        let tried = |state: &mut Self| {
            if by != state.core.requester {
                return Err(Refusal::NotAllowed);
            }
            let link = link.ok_or(Refusal::NotEntitled)?;
            state.core.scope.check_time(at)?;
            let codes = match &state.restricted {
                Restricted::LeftOut => Codes::default(),
                Restricted::Asked { codes, .. } => codes.voided(),
                Restricted::Included { .. } => return Err(Refusal::AlreadyUsed),
            };
            state.restricted = Restricted::Asked { reason, link: Link::new(link, at), codes };
            Ok(())
        };
        step(self, |state| &mut state.core, (by, Action::RestrictedAsk { reason }, at), tried, |state| state)
    }

    /// Opens the page of that link, once: `page` is the page's own secret from now on.
    ///
    /// # Errors
    /// When the link is another's, was opened before or has run out, or nothing is asked.
    pub fn open(self, link: &Secret, page: &Secret, at: UnixMillis) -> Step<Self, Self> {
        let tried = |state: &mut Self| state.asked()?.1.open(link, page, at);
        step(self, |state| &mut state.core, (Actor::Unknown, Action::SignIn, at), tried, |state| state)
    }

    /// Makes a code of these random bytes, for the opened page. It has to be sent to the patient's phone and to nobody else.
    ///
    /// # Errors
    /// When this is not the page, or all codes of this step were made.
    pub fn issue_code(self, key: &CodeKey, page: &Secret, random: [u8; 16], at: UnixMillis) -> Step<(Self, Code), Self> {
        let mut issued = None;
        let tried = |state: &mut Self| {
            let (core, link, codes) = state.asked()?;
            link.is_page(page, at)?;
            issued = Some(codes.issue(&core.binding(key, CodeStep::Restricted), random)?);
            Ok(())
        };
        let (state, event) =
            step(self, |state| &mut state.core, (Actor::Unknown, Action::ConsentCode, at), tried, |state| state)?;
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
        let tried = |state: &mut Self| state.asked()?.2.hand_over(at);
        step(self, |state| &mut state.core, (Actor::System, Action::ConsentCode, at), tried, |state| state)
    }

    /// The patient says yes to restricted data too, with the code.
    ///
    /// # Errors
    /// When page, code or decider are not the right ones: the try is counted.
    pub fn confirm_restricted(self, key: &CodeKey, page: &Secret, code: &str, by: Decider, at: UnixMillis) -> Step<Self, Self> {
        let tried = |state: &mut Self| {
            let standing = state.core.scope.standing;
            let (core, link, codes) = state.asked()?;
            link.is_page(page, at)?;
            if !by.may_decide(standing, at) {
                return Err(Refusal::NotEntitled);
            }
            core.scope.check_time(at)?;
            codes.redeem(&core.binding(key, CodeStep::Restricted), code, at)?;
            if let Restricted::Asked { reason, .. } = state.restricted {
                state.restricted = Restricted::Included { reason };
            }
            Ok(())
        };
        step(self, |state| &mut state.core, (by.actor(), Action::RestrictedAnswer, at), tried, |state| state)
    }

    /// The patient says no to restricted data, whatever the clock says; the consent stays as it was.
    ///
    /// # Errors
    /// When this is not the page, or nothing is asked.
    pub fn refuse_restricted(mut self, by: Actor, page: &Secret, at: UnixMillis) -> Step<Self, Self> {
        let may = self.asked().and_then(|(_, link, _)| link.is_page(page, at));
        self.core.touch(at);
        let reason = may.err().unwrap_or(Refusal::SaidNo);
        let event = self.core.event(at, by, Action::RestrictedAnswer, Outcome::Refused { reason });
        match may {
            Ok(()) => Ok((Self { restricted: Restricted::LeftOut, ..self }, event)),
            Err(refusal) => Err(Box::new(Declined { state: self, refusal, event })),
        }
    }

    /// What the patient needs to answer whether restricted data are included, where that is asked.
    fn asked(&mut self) -> Result<(&Core, &mut Link, &mut Codes), Refusal> {
        match &mut self.restricted {
            Restricted::Asked { link, codes, .. } => Ok((&self.core, link, codes)),
            Restricted::LeftOut | Restricted::Included { .. } => Err(Refusal::AlreadyUsed),
        }
    }

    /// Whether this is the page of the link about restricted data.
    pub(super) fn is_page(&self, page: &Secret, at: UnixMillis) -> bool {
        matches!(&self.restricted, Restricted::Asked { link, .. } if link.is_page(page, at).is_ok())
    }

    /// When that link runs out, where there is one.
    pub(super) fn link_expires(&self) -> Option<UnixMillis> {
        match &self.restricted {
            Restricted::Asked { link, .. } => Some(link.expires()),
            Restricted::LeftOut | Restricted::Included { .. } => None,
        }
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
