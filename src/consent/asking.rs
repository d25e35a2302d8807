//! A consent before it is in force: asked for, attested, answered. `state.rs` has the picture of all states.

use serde::{Deserialize, Serialize};

use super::active::Active;
use super::code::{Code, CodeKey, CodeStep, Codes};
use super::link::{Link, Secret};
use super::state::{Core, Declined, End, Ended, Step, step};
use super::{ConsentError, Decider, Scope};
use crate::audit::{Action, Actor, ConsentId, Event, Outcome, Purpose, Refusal, UnixMillis};

/// What the patient needs to answer: the link, the page that it opened, and the codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asking {
    core: Core,
    link: Link,
    codes: Codes,
}

impl Asking {
    fn try_code(&mut self, key: &CodeKey, page: &Secret, code: &str, by: Decider, at: UnixMillis) -> Result<(), Refusal> {
        self.link.is_page(page, at)?;
        if !by.may_decide(self.core.scope.standing, at) {
            return Err(Refusal::NotEntitled);
        }
        let core = &self.core;
        self.codes.redeem(&core.binding(key, CodeStep::Answer), code, at)
    }

    fn try_attest(&self, by: Actor, purpose: Purpose, at: UnixMillis) -> Result<(), Refusal> {
        if by != self.core.requester {
            Err(Refusal::NotAllowed)
        } else if purpose != self.core.scope.purpose {
            Err(Refusal::OtherPurpose)
        } else if at >= self.link.expires() {
            Err(Refusal::Expired)
        } else {
            Ok(())
        }
    }

    fn may_refuse(&self, by: Actor, page: Option<&Secret>, at: UnixMillis) -> Result<(), Refusal> {
        match page {
            Some(page) => self.link.is_page(page, at),
            None if by == self.core.requester => Ok(()),
            None => Err(Refusal::NotAllowed),
        }
    }

    fn is_over(&self, at: UnixMillis) -> Result<(), Refusal> {
        if at >= self.link.expires() || at >= self.core.scope.end() { Ok(()) } else { Err(Refusal::NotYet) }
    }
}

/// Asked for; nobody has said yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Requested(Asking);

/// The doctor has stated the purpose; the patient has not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attested(Asking);

/// The patient has said yes; the doctor has not stated the purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    asking: Asking,
    by: Decider,
}

/// A request for a consent.
#[derive(Debug)]
pub struct Request<'a> {
    /// Its id, random.
    pub id: ConsentId,
    /// What is asked for.
    pub scope: Scope,
    /// Who asks: a person in a role.
    pub requester: Actor,
    /// The secret of the link in the patient's message.
    pub link: &'a Secret,
}

impl Request<'_> {
    /// Makes the request. Where it is none, the event says that it was refused; the error says why, for whoever asked.
    ///
    /// # Errors
    /// [`ConsentError`] when the scope cannot be consented to or who asks is no person in a role.
    pub fn make(self, at: UnixMillis) -> Result<(Requested, Event), (ConsentError, Box<Event>)> {
        let Self { id, scope, requester, link } = self;
        let core = Core { id, scope, requester, changed: at, version: 0 };
        let event = |outcome| core.event(at, requester, Action::ConsentRequest, outcome);
        let refused = match core.scope.clone().checked() {
            Err(error) => Some(error),
            Ok(_) if !matches!(requester, Actor::Staff { .. }) => Some(ConsentError::NotStaff),
            Ok(_) => None,
        };
        match refused {
            Some(error) => {
                let reason = match error {
                    ConsentError::Purpose => Refusal::PurposeNotCovered,
                    ConsentError::NotStaff => Refusal::NotAllowed,
                    _ => Refusal::Error,
                };
                Err((error, Box::new(event(Outcome::Refused { reason }))))
            }
            None => {
                let event = event(Outcome::Done);
                Ok((Requested(Asking { core, link: Link::new(link, at), codes: Codes::default() }), event))
            }
        }
    }
}

/// What [`Requested`] and [`Attested`] have in common: the patient has not answered.
macro_rules! unanswered {
    ($state:ident) => {
        impl $state {
            /// Opens the page of the link, once: `page` is the page's own secret from now on.
            ///
            /// # Errors
            /// When the link is another's, was opened before or has run out.
            pub fn open(self, link: &Secret, page: &Secret, at: UnixMillis) -> Step<Self, Self> {
                let act = (Actor::Unknown, Action::SignIn, at);
                step(self, |state| &mut state.0.core, act, |state| state.0.link.open(link, page, at), |state| state)
            }

            /// Makes a code of these random bytes, for the opened page. It has to be sent to the patient's phone and to nobody else.
            ///
            /// # Errors
            /// When this is not the page, or all codes of the request were made.
            pub fn issue_code(self, key: &CodeKey, page: &Secret, random: [u8; 16], at: UnixMillis) -> Step<(Self, Code), Self> {
                let mut issued = None;
                let act = (Actor::Unknown, Action::ConsentCode, at);
                let tried = |state: &mut Self| {
                    let Asking { core, link, codes } = &mut state.0;
                    link.is_page(page, at)?;
                    issued = Some(codes.issue(&core.binding(key, CodeStep::Answer), random)?);
                    Ok(())
                };
                let (state, event) = step(self, |state| &mut state.0.core, act, tried, |state| state)?;
                match issued {
                    Some(code) => Ok(((state, code), event)),
                    None => Err(Box::new(Declined { state, refusal: Refusal::Error, event })),
                }
            }

            /// The gateway took the code: its five minutes begin.
            ///
            /// # Errors
            /// When there is no code.
            pub fn code_handed_over(self, at: UnixMillis) -> Step<Self, Self> {
                let act = (Actor::System, Action::ConsentCode, at);
                step(self, |state| &mut state.0.core, act, |state| state.0.codes.hand_over(at), |state| state)
            }

            /// Ends the request: `page` is where a patient says no; without it, who asked takes it back.
            ///
            /// # Errors
            /// When it is neither.
            pub fn refuse(self, by: Actor, page: Option<&Secret>, at: UnixMillis) -> Step<Ended, Self> {
                refuse(self, by, page, at, |state| &mut state.0)
            }

            /// Ends the request when its time is over.
            ///
            /// # Errors
            /// When it is not.
            pub fn expire(self, at: UnixMillis) -> Step<Ended, Self> {
                expire(self, at, |state| &mut state.0)
            }

            /// Somebody says no for whom no page of the request has to vouch: the patient on their own page, or the clinic that treats them.
            /// This cannot fail, whatever the clock says; who may call it, the caller decides.
            #[must_use]
            pub fn decline(self, by: Actor, at: UnixMillis) -> (Ended, Event) {
                said_no(self.0.core, by, at)
            }

            /// Nobody knows any more what the patient said to it: it ends, and its link with it.
            #[must_use]
            pub fn void(self, at: UnixMillis) -> (Ended, Event) {
                self.0.core.end(End::Withdrawn, Actor::System, Action::ConsentWithdraw, at)
            }

            /// When its link runs out.
            pub(super) fn link_expires(&self) -> UnixMillis {
                self.0.link.expires()
            }

            /// Whether this is the page that the link opened.
            pub(super) fn is_page(&self, page: &Secret, at: UnixMillis) -> bool {
                self.0.link.is_page(page, at).is_ok()
            }

            pub(super) fn core(&self) -> &Core {
                &self.0.core
            }

            pub(super) fn core_mut(&mut self) -> &mut Core {
                &mut self.0.core
            }
        }
    };
}

unanswered!(Requested);
unanswered!(Attested);

impl Requested {
    /// The patient says yes, with the code.
    ///
    /// # Errors
    /// When page, code or decider are not the right ones: the try is counted.
    pub fn confirm(self, key: &CodeKey, page: &Secret, code: &str, by: Decider, at: UnixMillis) -> Step<Answered, Self> {
        let tried = |state: &mut Self| state.0.try_code(key, page, code, by, at);
        step(
            self,
            |state| &mut state.0.core,
            (by.actor(), Action::ConsentAnswer, at),
            tried,
            |state| Answered { asking: state.0, by },
        )
    }

    /// The doctor who asked states the purpose.
    ///
    /// # Errors
    /// When it is another doctor or another purpose, or the request has run out.
    pub fn attest(self, by: Actor, purpose: Purpose, at: UnixMillis) -> Step<Attested, Self> {
        let tried = |state: &mut Self| state.0.try_attest(by, purpose, at);
        step(self, |state| &mut state.0.core, (by, Action::ConsentAttest, at), tried, |state| Attested(state.0))
    }
}

impl Attested {
    /// The patient says yes, with the code: the consent is in force. The event is the answer; [`Active::activation`] gives the other.
    ///
    /// # Errors
    /// When page, code or decider are not the right ones: the try is counted.
    pub fn confirm(self, key: &CodeKey, page: &Secret, code: &str, by: Decider, at: UnixMillis) -> Step<Active, Self> {
        let tried = |state: &mut Self| state.0.try_code(key, page, code, by, at);
        step(
            self,
            |state| &mut state.0.core,
            (by.actor(), Action::ConsentAnswer, at),
            tried,
            |state| Active::new(state.0.core, by),
        )
    }
}

impl Answered {
    /// The doctor who asked states the purpose: the consent is in force. The event is the attestation; [`Active::activation`] gives
    /// the other.
    ///
    /// # Errors
    /// When it is another doctor or another purpose, or the request has run out.
    pub fn attest(self, by: Actor, purpose: Purpose, at: UnixMillis) -> Step<Active, Self> {
        let tried = |state: &mut Self| state.asking.try_attest(by, purpose, at);
        step(
            self,
            |state| &mut state.asking.core,
            (by, Action::ConsentAttest, at),
            tried,
            |state| Active::new(state.asking.core, state.by),
        )
    }

    /// The patient takes the yes back before it is in force. This cannot fail, whatever the clock says; who may call it, the caller decides.
    #[must_use]
    pub fn withdraw(self, by: Actor, at: UnixMillis) -> (Ended, Event) {
        self.asking.core.end(End::Withdrawn, by, Action::ConsentWithdraw, at)
    }

    /// The patient takes the yes back on the page of the request before it is in force, or the doctor the request.
    ///
    /// # Errors
    /// When it is neither: `page` is the patient's.
    pub fn refuse(self, by: Actor, page: Option<&Secret>, at: UnixMillis) -> Step<Ended, Self> {
        refuse(self, by, page, at, |state| &mut state.asking)
    }

    /// Ends the request when its time is over.
    ///
    /// # Errors
    /// When it is not.
    pub fn expire(self, at: UnixMillis) -> Step<Ended, Self> {
        expire(self, at, |state| &mut state.asking)
    }

    /// When its link runs out.
    pub(super) fn link_expires(&self) -> UnixMillis {
        self.asking.link.expires()
    }

    /// Whether this is the page that the link opened.
    pub(super) fn is_page(&self, page: &Secret, at: UnixMillis) -> bool {
        self.asking.link.is_page(page, at).is_ok()
    }

    pub(super) fn core(&self) -> &Core {
        &self.asking.core
    }

    pub(super) fn core_mut(&mut self) -> &mut Core {
        &mut self.asking.core
    }
}

/// The end of a request that somebody said no to.
fn said_no(core: Core, by: Actor, at: UnixMillis) -> (Ended, Event) {
    let (ended, event) = core.end(End::Refused, by, Action::ConsentAnswer, at);
    (ended, Event { outcome: Outcome::Refused { reason: Refusal::SaidNo }, ..event })
}

/// Saying no works whatever the clock says.
fn refuse<S>(
    mut state: S,
    by: Actor,
    page: Option<&Secret>,
    at: UnixMillis,
    asking: impl Fn(&mut S) -> &mut Asking,
) -> Step<Ended, S> {
    let may = asking(&mut state).may_refuse(by, page, at);
    end_if(state, may, (by, Action::ConsentAnswer), at, (asking, said_no))
}

fn expire<S>(mut state: S, at: UnixMillis, asking: impl Fn(&mut S) -> &mut Asking) -> Step<Ended, S> {
    let over = asking(&mut state).is_over(at);
    let expired = |core: Core, by, at| core.end(End::Expired, by, Action::ConsentExpire, at);
    end_if(state, over, (Actor::System, Action::ConsentExpire), at, (asking, expired))
}

fn end_if<S>(
    mut state: S,
    may: Result<(), Refusal>,
    (by, action): (Actor, Action),
    at: UnixMillis,
    (asking, end): (impl Fn(&mut S) -> &mut Asking, impl FnOnce(Core, Actor, UnixMillis) -> (Ended, Event)),
) -> Step<Ended, S> {
    let core = &mut asking(&mut state).core;
    match may {
        Ok(()) => Ok(end(core.clone(), by, at)),
        Err(refusal) => {
            core.touch(at);
            let event = core.event(at, by, action, Outcome::Refused { reason: refusal });
            Err(Box::new(Declined { state, refusal, event }))
        }
    }
}
