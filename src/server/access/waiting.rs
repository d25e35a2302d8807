//! What waits in memory for its second step: registrations of passkeys and of sign-ins at issuers, and people who have yet to say in which role they come. Only who
//! has a token, a session or the right passkey can put something in.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::room::{RoomError, Token};

/// How long a first step is good for.
const PATIENCE: Duration = Duration::from_secs(300);
/// First steps that are remembered at once. Beyond it the oldest goes.
const MOST: usize = 2_000;

/// First steps, each under a token that is used once.
pub(in crate::server) struct Waiting<T> {
    steps: Mutex<HashMap<[u8; 32], (Instant, T)>>,
}

impl<T> Waiting<T> {
    /// Nothing waits.
    pub fn new() -> Self {
        Self { steps: Mutex::default() }
    }

    /// Keeps a first step; the token brings it back.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn put(&self, step: T) -> Result<Token, RoomError> {
        let (token, now) = (Token::generate()?, Instant::now());
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.retain(|_, (until, _)| *until > now);
        if steps.len() >= MOST
            && let Some(oldest) = steps.iter().min_by_key(|(_, (until, _))| *until).map(|(hash, _)| *hash)
        {
            steps.remove(&oldest);
        }
        steps.insert(token.hash(), (now + PATIENCE, step));
        Ok(token)
    }

    /// The first step of this token, once.
    pub fn take(&self, token: &Token) -> Option<T> {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.remove(&token.hash()).filter(|(until, _)| *until > Instant::now()).map(|(_, step)| step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_brings_its_step_back_once() {
        let waiting = Waiting::new();
        let (one, other) = (waiting.put(1).unwrap(), waiting.put(2).unwrap());
        assert_eq!((waiting.take(&one), waiting.take(&one), waiting.take(&other)), (Some(1), None, Some(2)));
        let first = waiting.put(0).unwrap();
        let tokens: Vec<_> = (1..=MOST).map(|number| waiting.put(number).unwrap()).collect();
        assert_eq!((waiting.take(&first), waiting.take(&tokens[0])), (None, Some(1)));
    }
}
