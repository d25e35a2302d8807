//! The patient's way back to their own page: a link in one message, a code in another, as for a request, and then the page.
//!
//! Nothing is agreed to by it. Who comes in sees what they share, who has seen it, and takes it back.

use serde::{Deserialize, Serialize};

use super::code::{Binding, Code, CodeKey, Codes};
use super::link::{Link, Secret};
use super::{Decider, Standing};
use crate::audit::{Action, Actor, ConsentId, Event, Outcome, Pseudonym, Refusal, UnixMillis};

/// How long the page is open, in milliseconds: a telephone may be somebody else's an hour later.
pub const PAGE_LIFE: u64 = 30 * 60 * 1000;

/// A way back that was asked for. Serialised it is what a store keeps, sealed: no secret can be read from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WayBack {
    /// Random; what its codes are bound to, in the place of a consent's id.
    id: ConsentId,
    patient: Pseudonym,
    standing: Standing,
    link: Link,
    codes: Codes,
}

/// What a step gave, and the event that has to be kept with the way as it is now.
pub type WayStep<T> = (Result<T, Refusal>, Event);

impl WayBack {
    /// Whoever asked said a number that this patient is reached by.
    #[must_use]
    pub fn ask(id: ConsentId, patient: Pseudonym, standing: Standing, link: &Secret, at: UnixMillis) -> (Self, Event) {
        let way = Self { id, patient, standing, link: Link::new(link, at), codes: Codes::default() };
        let event = way.event(Actor::Unknown, Action::PageAsk, &Ok(()), at);
        (way, event)
    }

    /// When it runs out.
    #[must_use]
    pub fn runs_out(&self) -> UnixMillis {
        self.link.expires()
    }

    /// Who may come in.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether this is the page that the link opened.
    #[must_use]
    pub fn is_page(&self, page: &Secret, at: UnixMillis) -> bool {
        self.link.is_page(page, at).is_ok()
    }

    /// Opens the link, once.
    pub fn open(&mut self, link: &Secret, page: &Secret, at: UnixMillis) -> WayStep<()> {
        let opened = self.link.open(link, page, at);
        let event = self.event(Actor::Unknown, Action::SignIn, &opened, at);
        (opened, event)
    }

    /// Makes a code for the page that was opened.
    pub fn issue_code(&mut self, key: &CodeKey, page: &Secret, random: [u8; 16], at: UnixMillis) -> WayStep<Code> {
        let binding = Binding::of_page(key, self.id, self.patient);
        let issued = self.link.is_page(page, at).and_then(|()| self.codes.issue(&binding, random));
        let event = self.event(Actor::Unknown, Action::ConsentCode, &issued, at);
        (issued, event)
    }

    /// The gateway took the code: its time begins.
    pub fn code_handed_over(&mut self, at: UnixMillis) -> Event {
        let handed = self.codes.hand_over(at);
        self.event(Actor::System, Action::ConsentCode, &handed, at)
    }

    /// Comes in with the code.
    pub fn enter(&mut self, key: &CodeKey, page: &Secret, typed: &str, by: Decider, at: UnixMillis) -> WayStep<()> {
        let entered = self.link.is_page(page, at).and_then(|()| {
            if !by.may_decide(self.standing, at) {
                return Err(Refusal::NotEntitled);
            }
            self.codes.redeem(&Binding::of_page(key, self.id, self.patient), typed, at)
        });
        let actor = if entered.is_ok() { by.actor() } else { Actor::Unknown };
        let event = self.event(actor, Action::SignIn, &entered, at);
        (entered, event)
    }

    fn event<T>(&self, actor: Actor, action: Action, result: &Result<T, Refusal>, at: UnixMillis) -> Event {
        let outcome = result.as_ref().map_or_else(|reason| Outcome::Refused { reason: *reason }, |_| Outcome::Done);
        Event { patient: Some(self.patient), ..Event::new(at, actor, action, outcome) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CODE_LIFE, LINK_LIFE, MOST_TRIES};
    use super::*;

    const AT: UnixMillis = UnixMillis(1_000);

    fn secret(byte: u8) -> Secret {
        Secret::of_random([byte; 32])
    }

    fn key() -> CodeKey {
        CodeKey::from_bytes([9; 32])
    }

    fn way(id: u8, patient: u8) -> WayBack {
        let patient = Pseudonym::from_bytes([patient; 32]);
        WayBack::ask(ConsentId::from_bytes([id; 16]), patient, Standing::Decides, &secret(1), AT).0
    }

    fn opened(id: u8, patient: u8) -> (WayBack, String) {
        let mut way = way(id, patient);
        way.open(&secret(1), &secret(2), AT).0.unwrap();
        let code = way.issue_code(&key(), &secret(2), [7; 16], AT).0.unwrap();
        way.code_handed_over(AT);
        (way, code.reveal().to_owned())
    }

    fn enter(way: &mut WayBack, code: &str, at: UnixMillis) -> Result<(), Refusal> {
        way.enter(&key(), &secret(2), code, Decider::Patient, at).0
    }

    #[test]
    fn link_and_code_lead_in_once() {
        let (mut way, code) = opened(1, 1);
        let (entered, event) = way.enter(&key(), &secret(2), &code, Decider::Patient, AT);
        assert_eq!((entered, event.action, event.actor, event.outcome), (Ok(()), Action::SignIn, Actor::Patient, Outcome::Done));
        assert_eq!(enter(&mut way, &code, AT), Err(Refusal::AlreadyUsed));
        assert_eq!(way.open(&secret(1), &secret(3), AT).0, Err(Refusal::AlreadyUsed));
    }

    #[test]
    fn nothing_else_leads_in() {
        let (whole, code) = opened(1, 1);
        let tried = |page: u8, typed: &str, by, at| whole.clone().enter(&key(), &secret(page), typed, by, at).0;
        assert_eq!(tried(3, &code, Decider::Patient, AT), Err(Refusal::NotSignedIn), "another browser");
        assert_eq!(tried(2, "00000000", Decider::Patient, AT), Err(Refusal::WrongCode));
        assert_eq!(tried(2, &code, Decider::Parent, AT), Err(Refusal::NotEntitled));
        assert_eq!(tried(2, &code, Decider::Patient, AT.after(CODE_LIFE)), Err(Refusal::Expired));
        assert_eq!(way(1, 1).open(&secret(4), &secret(2), AT).0, Err(Refusal::NotSignedIn));
        assert_eq!(way(1, 1).open(&secret(1), &secret(2), AT.after(LINK_LIFE)).0, Err(Refusal::Expired));
        // A code of another way, or of another patient, is another code.
        for (id, patient) in [(2, 1), (1, 2)] {
            let (mut other, _) = opened(id, patient);
            assert_eq!(enter(&mut other, &code, AT).is_ok(), opened(id, patient).1 == code);
            let kept = serde_json::to_value(&other).unwrap();
            assert_ne!(kept["codes"], serde_json::to_value(&whole).unwrap()["codes"], "the same code is kept in another form");
        }
        let (mut guessed, code) = opened(1, 1);
        for _ in 0..MOST_TRIES {
            assert_eq!(enter(&mut guessed, "12345678", AT), Err(Refusal::WrongCode));
        }
        assert_eq!(enter(&mut guessed, &code, AT), Err(Refusal::TooManyTries));
    }
}
