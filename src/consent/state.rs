//! The states of a consent, one type each: those before it is in force in `asking.rs`, that in which it is in `active.rs`. A
//! transition consumes the state before and gives the one after, with the event that has to be written in the same transaction.
//!
//! ```text
//! Requested --attest--> Attested --confirm--> Active --withdraw, expire--> Ended
//!     |                                         ^
//!     +-----confirm-------> Answered --attest---+
//!
//! Requested, Attested, Answered --refuse, expire--> Ended
//! Requested, Attested --decline, void--> Ended
//! Answered --withdraw--> Ended
//! ```
//!
//! A try that fails gives the state back, with the event that says so: it too is written, for it may have cost a try. What takes
//! something away (refusing, withdrawing, running out) cannot fail.

use serde::{Deserialize, Serialize};

use super::Scope;
use super::code::{Binding, CodeKey, CodeStep};
use crate::audit::{Action, Actor, ConsentId, Event, Outcome, Refusal, UnixMillis};

/// A transition: the next state and its event, or the state as it was and why.
pub type Step<Next, Same> = Result<(Next, Event), Box<Declined<Same>>>;

/// A transition that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declined<S> {
    /// The state as it is now: a try may have been counted. It has to be stored.
    pub state: S,
    /// Why.
    pub refusal: Refusal,
    /// What has to be written with the state.
    pub event: Event,
}

/// Why and how a consent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The patient, who speaks for them, or the one who asked, said no.
    Refused,
    /// The patient took it back; or it is void, since nobody knows what the patient said last.
    Withdrawn,
    /// Its time, or the request's, is over.
    Expired,
}

/// What a consent has from its request to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Core {
    pub(super) id: ConsentId,
    pub(super) scope: Scope,
    pub(super) requester: Actor,
    /// When it last changed: nothing happens to it before.
    pub(super) changed: UnixMillis,
    /// Counts its changes, so that of two changes of one state only one is stored.
    pub(super) version: u64,
}

impl Core {
    pub(super) fn event(&self, at: UnixMillis, actor: Actor, action: Action, outcome: Outcome) -> Event {
        Event {
            patient: Some(self.scope.patient),
            purpose: Some(self.scope.purpose),
            consent: Some(self.id),
            ..Event::new(at, actor, action, outcome)
        }
    }

    /// Counts a change, at this time or, where the clock went back, at the last one.
    pub(super) fn touch(&mut self, at: UnixMillis) {
        self.changed = self.changed.max(at);
        self.version += 1;
    }

    pub(super) fn not_before(&self, at: UnixMillis) -> Result<(), Refusal> {
        if at < self.changed { Err(Refusal::ClockBackwards) } else { Ok(()) }
    }

    pub(super) fn binding<'a>(&'a self, key: &'a CodeKey, step: CodeStep) -> Binding<'a> {
        Binding::of_scope(key, self.id, step, &self.scope)
    }

    pub(super) fn end(mut self, end: End, actor: Actor, action: Action, at: UnixMillis) -> (Ended, Event) {
        self.touch(at);
        let event = self.event(at, actor, action, Outcome::Done);
        (Ended { core: self, end }, event)
    }
}

/// Gives the state after, or the state as it is with why not; either way with the event.
pub(super) fn step<Same, Next>(
    mut state: Same,
    core: impl Fn(&mut Same) -> &mut Core,
    (actor, action, at): (Actor, Action, UnixMillis),
    tried: impl FnOnce(&mut Same) -> Result<(), Refusal>,
    next: impl FnOnce(Same) -> Next,
) -> Step<Next, Same> {
    let outcome = core(&mut state).not_before(at).and_then(|()| tried(&mut state));
    let core = core(&mut state);
    core.touch(at);
    match outcome {
        Ok(()) => {
            let event = core.event(at, actor, action, Outcome::Done);
            Ok((next(state), event))
        }
        Err(refusal) => {
            let event = core.event(at, actor, action, Outcome::Refused { reason: refusal });
            Err(Box::new(Declined { state, refusal, event }))
        }
    }
}

/// Refused, withdrawn or run out. It stays so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    core: Core,
    end: End,
}

impl Ended {
    /// How it ended.
    #[must_use]
    pub fn how(&self) -> End {
        self.end
    }

    pub(super) fn core(&self) -> &Core {
        &self.core
    }

    pub(super) fn core_mut(&mut self) -> &mut Core {
        &mut self.core
    }
}
