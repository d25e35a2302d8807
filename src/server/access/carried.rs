//! First steps of sign-ins, which whoever asked carries to the second step, sealed: so a flood of them takes no memory here, and pushes
//! nobody else's out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::room::Token;
use crate::server::error::{ApiError, ServerError};
use crate::spool::Key;

/// How long a first step is good for.
const PATIENCE: Duration = Duration::from_secs(300);
/// What the seal is bound to.
const CONTEXT: &[u8] = b"cantoscribe first step of a sign-in 1";

/// What seals first steps until this process ends, and which of them somebody came in with.
pub(in crate::server) struct Carried {
    key: Key,
    /// Ages are counted from here: no clock of the machine can turn them back.
    begin: Instant,
    used: Mutex<HashMap<[u8; 32], Instant>>,
}

impl Carried {
    /// With a key of its own.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new() -> Result<Self, ServerError> {
        let key = Key::generate().map_err(crate::store::StoreError::from)?;
        Ok(Self { key, begin: Instant::now(), used: Mutex::default() })
    }

    /// Seals a first step.
    ///
    /// # Errors
    /// When it cannot be written or sealed.
    pub fn give(&self, step: &impl Serialize) -> Result<Token, ApiError> {
        self.give_at(step, self.begin.elapsed())
    }

    fn give_at(&self, step: &impl Serialize, age: Duration) -> Result<Token, ApiError> {
        let written = serde_json::to_vec(&(age.as_millis(), step))?;
        let sealed = self.key.seal(CONTEXT, &written).map_err(|error| ApiError::internal(&error))?;
        Ok(Token::from_client(URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// The first step of this token, while it is good and nobody came in with it.
    pub fn look<T: DeserializeOwned>(&self, token: &Token) -> Option<T> {
        let sealed = URL_SAFE_NO_PAD.decode(token.reveal()).ok()?;
        let (age, step): (u128, T) = serde_json::from_slice(&self.key.unseal(CONTEXT, &sealed)?).ok()?;
        let fresh = self.begin.elapsed().as_millis().saturating_sub(age) < PATIENCE.as_millis();
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        (fresh && !used.contains_key(&hash(&sealed))).then_some(step)
    }

    /// Uses a token up; false where somebody did so before. Only who had the right passkey gets here, or whose tries are counted, so they
    /// are few.
    pub fn use_up(&self, token: &Token) -> bool {
        let Ok(sealed) = URL_SAFE_NO_PAD.decode(token.reveal()) else { return false };
        let now = Instant::now();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, until| *until > now);
        used.insert(hash(&sealed), now + PATIENCE).is_none()
    }
}

/// Of the bytes, not of the text: one token can be written in no two ways.
fn hash(sealed: &[u8]) -> [u8; 32] {
    Sha256::digest(sealed).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_comes_back_until_somebody_came_in_with_it() {
        let carried = Carried::new().unwrap();
        let (one, other) = (carried.give(&"one").unwrap(), carried.give(&"other").unwrap());
        assert_eq!(carried.look::<String>(&one).unwrap(), "one");
        assert!(carried.use_up(&one) && !carried.use_up(&one));
        assert_eq!((carried.look::<String>(&one), carried.look::<String>(&other)), (None, Some("other".to_owned())));
    }

    #[test]
    fn what_is_old_forged_or_anothers_is_nothing() {
        let mut carried = Carried::new().unwrap();
        let token = carried.give(&7).unwrap();
        let mut changed = token.reveal().to_owned();
        changed.replace_range(40..41, if &changed[40..41] == "A" { "B" } else { "A" });
        for wrong in [changed, String::new(), "x".to_owned(), "A".repeat(200)] {
            assert_eq!(carried.look::<u8>(&Token::from_client(wrong)), None);
        }
        assert_eq!(Carried::new().unwrap().look::<u8>(&token), None, "another process's");
        carried.begin = carried.begin.checked_sub(PATIENCE).unwrap();
        assert_eq!(carried.look::<u8>(&token), None, "five minutes old");
    }
}
