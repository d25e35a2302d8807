//! What is done to a consent that a store has, in whatever state it is.
//!
//! The states have their own methods, which cannot be called in another state. Whoever has a row does not know its state before it is
//! read: what makes no sense in it is refused here, with an event like any other.

use super::code::{Code, CodeKey};
use super::link::Secret;
use super::state::{Core, Step};
use super::{Active, Answered, Attested, Consent, Decider, Ended, Requested};
use crate::audit::{Action, Actor, Event, Outcome, Purpose, Refusal, RestrictedReason, UnixMillis};

/// What became of a consent, to be written in one transaction: the state with all events.
#[derive(Debug)]
#[must_use]
pub struct Taken<T> {
    /// The state as it is now, also after a refusal: it may have cost a try.
    pub consent: Consent,
    /// What has to be written with it: one event, and a second one where the consent came into force.
    pub events: Vec<Event>,
    /// What was done gives, or why it was not done.
    pub outcome: Result<T, Refusal>,
}

macro_rules! states {
    ($($state:ident),*) => {$(
        impl From<$state> for Consent {
            fn from(state: $state) -> Self {
                Self::$state(state)
            }
        }
    )*};
}

states!(Requested, Attested, Answered, Active, Ended);

fn taken<Next: Into<Consent>, Same: Into<Consent>>(step: Step<Next, Same>) -> Taken<()> {
    match step {
        Ok((next, event)) => Taken { consent: next.into(), events: vec![event], outcome: Ok(()) },
        Err(declined) => Taken { consent: declined.state.into(), events: vec![declined.event], outcome: Err(declined.refusal) },
    }
}

/// What cannot fail.
fn ended((ended, event): (Ended, Event)) -> Taken<()> {
    Taken { consent: ended.into(), events: vec![event], outcome: Ok(()) }
}

/// The last yes brings the consent into force, which is an event of its own.
fn in_force<Same: Into<Consent>>(step: Step<Active, Same>) -> Taken<()> {
    let activation = step.as_ref().ok().map(|(active, _)| active.activation());
    let mut taken = taken(step);
    taken.events.extend(activation);
    taken
}

fn coded<Same: Into<Consent>>(step: Step<(Same, Code), Same>) -> Taken<Code> {
    match step {
        Ok(((state, code), event)) => Taken { consent: state.into(), events: vec![event], outcome: Ok(code) },
        Err(declined) => Taken { consent: declined.state.into(), events: vec![declined.event], outcome: Err(declined.refusal) },
    }
}

impl Consent {
    /// Opens the page of the link, once: `page` is the page's own secret from now on.
    pub fn open(self, link: &Secret, page: &Secret, at: UnixMillis) -> Taken<()> {
        match self {
            Self::Requested(state) => taken(state.open(link, page, at)),
            Self::Attested(state) => taken(state.open(link, page, at)),
            Self::Active(state) => taken(state.open(link, page, at)),
            other => other.declined((Actor::Unknown, Action::SignIn), at),
        }
    }

    /// Makes a code for the opened page.
    pub fn issue_code(self, key: &CodeKey, page: &Secret, random: [u8; 16], at: UnixMillis) -> Taken<Code> {
        match self {
            Self::Requested(state) => coded(state.issue_code(key, page, random, at)),
            Self::Attested(state) => coded(state.issue_code(key, page, random, at)),
            Self::Active(state) => coded(state.issue_code(key, page, random, at)),
            other => other.declined((Actor::Unknown, Action::ConsentCode), at),
        }
    }

    /// The gateway took the code: its five minutes begin.
    pub fn code_handed_over(self, at: UnixMillis) -> Taken<()> {
        match self {
            Self::Requested(state) => taken(state.code_handed_over(at)),
            Self::Attested(state) => taken(state.code_handed_over(at)),
            Self::Active(state) => taken(state.code_handed_over(at)),
            other => other.declined((Actor::System, Action::ConsentCode), at),
        }
    }

    /// The patient says yes, with the code: to the request, or under a consent in force to restricted data.
    pub fn confirm(self, key: &CodeKey, page: &Secret, code: &str, by: Decider, at: UnixMillis) -> Taken<()> {
        match self {
            Self::Requested(state) => taken(state.confirm(key, page, code, by, at)),
            Self::Attested(state) => in_force(state.confirm(key, page, code, by, at)),
            Self::Active(state) if state.asked_restricted() => taken(state.confirm_restricted(key, page, code, by, at)),
            other => other.declined((by.actor(), Action::ConsentAnswer), at),
        }
    }

    /// The doctor who asked states the purpose.
    pub fn attest(self, by: Actor, purpose: Purpose, at: UnixMillis) -> Taken<()> {
        match self {
            Self::Requested(state) => taken(state.attest(by, purpose, at)),
            Self::Answered(state) => in_force(state.attest(by, purpose, at)),
            other => other.declined((by, Action::ConsentAttest), at),
        }
    }

    /// The doctor who asked for a consent in force asks for restricted data too: `link` is for the patient, if one can be reached.
    pub fn ask_restricted(self, by: Actor, reason: RestrictedReason, link: Option<&Secret>, at: UnixMillis) -> Taken<()> {
        match self {
            Self::Active(state) => taken(state.ask_restricted(by, reason, link, at)),
            other => other.declined((by, Action::RestrictedAsk { reason }), at),
        }
    }

    /// Ends the request: `page` is where a patient says no; without it, who asked takes it back. Under a consent in force the patient says
    /// no to restricted data.
    pub fn refuse(self, by: Actor, page: Option<&Secret>, at: UnixMillis) -> Taken<()> {
        match (self, page) {
            (Self::Requested(state), _) => taken(state.refuse(by, page, at)),
            (Self::Attested(state), _) => taken(state.refuse(by, page, at)),
            (Self::Answered(state), _) => taken(state.refuse(by, page, at)),
            (Self::Active(state), Some(page)) if state.asked_restricted() => taken(state.refuse_restricted(by, page, at)),
            (other, _) => other.declined((by, Action::ConsentAnswer), at),
        }
    }

    /// Takes a yes back, whether it is in force yet or not; what nobody has answered is refused. Who may, the caller decides.
    pub fn withdraw(self, by: Actor, at: UnixMillis) -> Taken<()> {
        match self {
            Self::Requested(state) => ended(state.decline(by, at)),
            Self::Attested(state) => ended(state.decline(by, at)),
            Self::Answered(state) => ended(state.withdraw(by, at)),
            Self::Active(state) => ended(state.withdraw(by, at)),
            over @ Self::Ended(_) => over.declined((by, Action::ConsentWithdraw), at),
        }
    }

    /// Ends it, whatever state it is in: what the patient said to it last is not known any more. Its links are good no more then.
    pub fn void(self, at: UnixMillis) -> Taken<()> {
        match self {
            Self::Requested(state) => ended(state.void(at)),
            Self::Attested(state) => ended(state.void(at)),
            Self::Answered(state) => ended(state.withdraw(Actor::System, at)),
            Self::Active(state) => ended(state.withdraw(Actor::System, at)),
            over @ Self::Ended(_) => over.declined((Actor::System, Action::ConsentWithdraw), at),
        }
    }

    /// Ends what has run out.
    pub fn expire(self, at: UnixMillis) -> Taken<()> {
        match self {
            Self::Requested(state) => taken(state.expire(at)),
            Self::Attested(state) => taken(state.expire(at)),
            Self::Answered(state) => taken(state.expire(at)),
            Self::Active(state) => taken(state.expire(at)),
            ended @ Self::Ended(_) => ended.declined((Actor::System, Action::ConsentExpire), at),
        }
    }

    /// Whether this is the page that the link opened, of a request that is not over.
    #[must_use]
    pub fn is_page(&self, page: &Secret, at: UnixMillis) -> bool {
        match self {
            Self::Requested(state) => state.is_page(page, at),
            Self::Attested(state) => state.is_page(page, at),
            Self::Answered(state) => state.is_page(page, at),
            Self::Active(state) => state.is_page(page, at),
            Self::Ended(_) => false,
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// When it runs out by itself, as far as is known: a request with its link at the latest.
    #[must_use]
    pub fn runs_out(&self) -> UnixMillis {
        let asked = |link_expires: UnixMillis| link_expires.min(self.scope().end());
        match self {
            Self::Requested(state) => asked(state.link_expires()),
            Self::Attested(state) => asked(state.link_expires()),
            Self::Answered(state) => asked(state.link_expires()),
            Self::Active(_) | Self::Ended(_) => self.scope().end(),
        }
    }

    /// When it is of no use any more to the patient who is asked something: the link runs out, or all of it does.
    #[must_use]
    pub fn answered_until(&self) -> UnixMillis {
        match self {
            Self::Active(state) => state.link_expires().unwrap_or_else(|| self.runs_out()).min(self.runs_out()),
            _ => self.runs_out(),
        }
    }

    /// Nothing was done: the state is another one than it needs.
    fn declined<T>(mut self, (actor, action): (Actor, Action), at: UnixMillis) -> Taken<T> {
        let core = self.core_mut();
        core.touch(at);
        let refusal = Refusal::AlreadyUsed;
        let event = core.event(at, actor, action, Outcome::Refused { reason: refusal });
        Taken { consent: self, events: vec![event], outcome: Err(refusal) }
    }

    fn core_mut(&mut self) -> &mut Core {
        match self {
            Self::Requested(state) => state.core_mut(),
            Self::Attested(state) => state.core_mut(),
            Self::Answered(state) => state.core_mut(),
            Self::Active(state) => state.core_mut(),
            Self::Ended(state) => state.core_mut(),
        }
    }
}
