//! How often something may be tried: codes a phone, pages an address.

use std::collections::BTreeMap;

use crate::audit::{Refusal, UnixMillis};

/// Tries are counted for so many keys at once. Beyond, a new key is refused until an old one has rested.
const MOST_KEYS: usize = 100_000;

/// At most so many tries of one key in any stretch of time. A key is a keyed hash of a phone number or an address.
#[derive(Debug, Clone)]
pub struct RateLimit {
    most: usize,
    /// In milliseconds.
    stretch: u64,
    tries: BTreeMap<[u8; 32], Vec<UnixMillis>>,
}

impl RateLimit {
    /// At most `most` tries in `stretch` milliseconds.
    #[must_use]
    pub fn new(most: usize, stretch: u64) -> Self {
        Self { most, stretch, tries: BTreeMap::new() }
    }

    /// Counts a try, if it is allowed. A try that is not allowed does not prolong the wait.
    ///
    /// # Errors
    /// [`Refusal::TooManyTries`].
    pub fn allow(&mut self, key: [u8; 32], at: UnixMillis) -> Result<(), Refusal> {
        let stretch = self.stretch;
        // What lies in the future was counted before the clock went back: it counts until its time has passed.
        let recent = |tried: &UnixMillis| tried.after(stretch) > at;
        if self.tries.len() >= MOST_KEYS && !self.tries.contains_key(&key) {
            self.tries.retain(|_, tries| tries.iter().any(recent));
            if self.tries.len() >= MOST_KEYS {
                return Err(Refusal::TooManyTries);
            }
        }
        let tries = self.tries.entry(key).or_default();
        tries.retain(recent);
        if tries.len() >= self.most {
            return Err(Refusal::TooManyTries);
        }
        tries.push(at);
        Ok(())
    }
}
