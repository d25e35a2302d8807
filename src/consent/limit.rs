//! How often something may be tried: codes a phone, pages an address.

use std::collections::BTreeMap;

use crate::audit::{Refusal, UnixMillis};

/// Tries are counted for so many keys at once. Beyond, those that have rested are forgotten, and else some that have rested longest: a flood
/// of keys keeps no new one out.
const MOST_KEYS: usize = 100_000;
/// How many are forgotten at once, so that not every key of a flood looks through all.
const FORGOTTEN: usize = MOST_KEYS / 100;

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
                self.forget_oldest();
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

    /// Forgets those whose last try is longest ago.
    fn forget_oldest(&mut self) {
        let mut by_age: Vec<_> = self.tries.iter().map(|(key, tries)| (tries.iter().max().copied(), *key)).collect();
        by_age.sort_unstable();
        for (_, key) in by_age.into_iter().take(FORGOTTEN) {
            self.tries.remove(&key);
        }
    }
}
