//! The code that the patient gets in a second message and types into the page.
//!
//! Eight digits from random bytes. It is kept as an HMAC under a key of the server, over the code, its number, the step and the whole
//! scope, so that it is good for exactly what the page shows and for nothing else. It is good for five minutes from the moment that the
//! gateway took it, for one use and five tries, and can be asked for three times more.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{ConsentError, Scope};
use crate::audit::{ConsentId, Pseudonym, Refusal, UnixMillis};

/// How long a code is good, in milliseconds from its hand-over to the gateway.
pub const CODE_LIFE: u64 = 5 * 60 * 1000;
/// Codes of one step: the first, and three that were asked for again.
pub const MOST_CODES: u8 = 4;
/// Tries of one code.
pub const MOST_TRIES: u8 = 5;
/// Digits of a code.
pub const DIGITS: usize = 8;

/// The server's key for codes. It is wiped when dropped, and its `Debug` shows nothing.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct CodeKey([u8; 32]);

impl CodeKey {
    /// The key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for CodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeKey(..)")
    }
}

/// A code, on its way to the patient. It is wiped when dropped, and its `Debug` shows nothing.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Code(String);

impl Code {
    /// The digits. Call this only to put them into the message.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Every code is as likely as another, to one part in 10^30.
    fn of_random(random: [u8; 16]) -> Self {
        Self(format!("{:08}", u128::from_le_bytes(random) % 100_000_000))
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

/// What a code confirms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeStep {
    /// The patient's yes to the request.
    Answer,
    /// The extra yes to restricted data.
    Restricted,
}

/// What a code is good for: one step of one request, word for word, or one way to a patient's page.
pub(super) struct Binding<'a> {
    key: &'a CodeKey,
    id: ConsentId,
    step: u8,
    about: About<'a>,
}

/// What the page shows that the code is typed into.
enum About<'a> {
    Scope(&'a Scope),
    Patient(Pseudonym),
}

impl<'a> Binding<'a> {
    /// A code for a step of a request.
    pub(super) fn of_scope(key: &'a CodeKey, consent: ConsentId, step: CodeStep, scope: &'a Scope) -> Self {
        let step = match step {
            CodeStep::Answer => 1,
            CodeStep::Restricted => 2,
        };
        Self { key, id: consent, step, about: About::Scope(scope) }
    }

    /// A code for the way of this id to a patient's page.
    pub(super) fn of_page(key: &'a CodeKey, way: ConsentId, patient: Pseudonym) -> Self {
        Self { key, id: way, step: 3, about: About::Patient(patient) }
    }

    fn mac(&self, number: u8, code: &str) -> Result<Hmac<Sha256>, ConsentError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key.0).map_err(|_| ConsentError::NoCode)?;
        mac.update(b"cantoscribe code 1\n");
        mac.update(self.id.bytes());
        match self.about {
            About::Scope(scope) => mac.update(&scope.digest()?),
            About::Patient(patient) => mac.update(patient.bytes()),
        }
        mac.update(&[self.step, number]);
        mac.update(code.as_bytes());
        Ok(mac)
    }
}

/// The codes of one step, as they are kept: none can be read from it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Codes {
    /// How many were made.
    made: u8,
    current: Option<Current>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Current {
    mac: [u8; 32],
    /// When the gateway took it; nothing until then.
    handed_over: Option<UnixMillis>,
    tries: u8,
}

impl Codes {
    /// Makes the next code of these random bytes. The one before it is good no more.
    pub(super) fn issue(&mut self, binding: &Binding<'_>, random: [u8; 16]) -> Result<Code, Refusal> {
        if self.made >= MOST_CODES {
            return Err(Refusal::TooManyTries);
        }
        let (number, code) = (self.made + 1, Code::of_random(random));
        let mac = binding.mac(number, code.reveal()).map_err(|_| Refusal::Error)?.finalize().into_bytes().into();
        (self.made, self.current) = (number, Some(Current { mac, handed_over: None, tries: 0 }));
        Ok(code)
    }

    /// Without the code that was made last: what was made counts on.
    pub(super) fn voided(&self) -> Self {
        Self { made: self.made, current: None }
    }

    /// The gateway took the code: its time begins. A second hand-over of the same code does not prolong it.
    pub(super) fn hand_over(&mut self, at: UnixMillis) -> Result<(), Refusal> {
        let current = self.current.as_mut().ok_or(Refusal::AlreadyUsed)?;
        current.handed_over.get_or_insert(at);
        Ok(())
    }

    /// Tries a code. If it is right it is used up; a wrong one costs a try, whatever was typed.
    pub(super) fn redeem(&mut self, binding: &Binding<'_>, typed: &str, at: UnixMillis) -> Result<(), Refusal> {
        let number = self.made;
        let current = self.current.as_mut().ok_or(Refusal::AlreadyUsed)?;
        if current.tries >= MOST_TRIES {
            return Err(Refusal::TooManyTries);
        }
        current.tries += 1;
        let handed_over = current.handed_over.ok_or(Refusal::NotYet)?;
        if at < handed_over {
            return Err(Refusal::ClockBackwards);
        }
        if at >= handed_over.after(CODE_LIFE) {
            return Err(Refusal::Expired);
        }
        let mac = binding.mac(number, &digits(typed)).map_err(|_| Refusal::Error)?;
        // In time that tells nothing.
        if mac.verify_slice(&current.mac).is_err() {
            return Err(Refusal::WrongCode);
        }
        self.current = None;
        Ok(())
    }
}

/// What was typed, as digits of ASCII: Chinese keyboards give full-width ones, and people write groups.
fn digits(typed: &str) -> String {
    let plain = |c: char| match c {
        '\u{FF10}'..='\u{FF19}' => u32::from(c).checked_sub(0xFF10).and_then(|digit| char::from_digit(digit, 10)).unwrap_or(c),
        other => other,
    };
    // Nothing longer can be right.
    typed.chars().filter(|c| !c.is_whitespace() && *c != '-').take(DIGITS + 1).map(plain).collect()
}
