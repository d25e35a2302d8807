//! How often an address may fail before it is told to wait.
//!
//! Failures count by address and never by account, and only those with links that are used once and from issuers. Neither a passkey nor a link
//! can be guessed, so the right one waits for nobody, also where a whole clinic has one address. What an issuer has to be asked about counts
//! as failed until it is known not to be: so a flood does not reach the issuer. A network of IPv6 counts as one address, for one machine has
//! many.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Failures that an address has at once, and seconds until it has one more.
const TRIES: (f64, f64) = (20.0, 3.0);
/// Addresses that are remembered. Beyond it those are forgotten that have all their tries, and else the one that has rested longest.
const REMEMBERED: usize = 10_000;

/// What is left of a number that fills up with time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    pub(super) fn full((most, _): (f64, f64), now: Instant) -> Self {
        Self { left: most, at: now }
    }

    fn now(self, (most, each): (f64, f64), now: Instant) -> f64 {
        (self.left + now.saturating_duration_since(self.at).as_secs_f64() / each).min(most)
    }

    /// Whether nothing is missing.
    pub(super) fn is_full(self, limits: (f64, f64), now: Instant) -> bool {
        self.now(limits, now) >= limits.0
    }

    /// Takes one, if there is one.
    pub(super) fn take(&mut self, limits: (f64, f64), now: Instant) -> bool {
        let left = self.now(limits, now);
        let taken = left >= 1.0;
        *self = Self { left: if taken { left - 1.0 } else { left }, at: now };
        taken
    }
}

/// The counts of all addresses.
#[derive(Debug)]
pub(in crate::server) struct Throttle {
    tries: Mutex<HashMap<IpAddr, Bucket>>,
}

impl Throttle {
    /// Nobody has tried anything yet.
    pub fn new() -> Self {
        Self { tries: Mutex::default() }
    }

    /// Counts a failure of this address; whether it had one left. Requests without an address, which only tests make, count as one.
    pub fn may_fail(&self, address: Option<IpAddr>) -> bool {
        self.may_fail_at(address, Instant::now())
    }

    fn may_fail_at(&self, address: Option<IpAddr>, now: Instant) -> bool {
        let key = network(address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)));
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= REMEMBERED && !tries.contains_key(&key) {
            tries.retain(|_, bucket| !bucket.is_full(TRIES, now));
            if tries.len() >= REMEMBERED
                && let Some(oldest) = tries.iter().min_by_key(|(_, bucket)| bucket.at).map(|(key, _)| *key)
            {
                tries.remove(&oldest);
            }
        }
        tries.entry(key).or_insert_with(|| Bucket::full(TRIES, now)).take(TRIES, now)
    }

    /// Gives a try back to an address.
    pub fn give_back(&self, address: Option<IpAddr>) {
        let key = network(address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)));
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = tries.get_mut(&key) {
            bucket.left = (bucket.left + 1.0).min(TRIES.0);
        }
    }
}

/// The address, or the network of 64 bits that it is in.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_address_has_so_many_tries_and_takes_none_from_another() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        let address = |text: &str| Some(text.parse().unwrap());
        for _ in 0..20 {
            assert!(throttle.may_fail_at(address("2001:db8::1"), now));
        }
        assert!(!throttle.may_fail_at(address("2001:db8::2"), now), "the same network");
        assert!(throttle.may_fail_at(address("2001:db8:0:1::1"), now) && throttle.may_fail_at(address("10.0.0.1"), now));
        assert!(throttle.may_fail_at(address("2001:db8::1"), now + Duration::from_secs(4)));
        assert!(!throttle.may_fail_at(address("2001:db8::1"), now + Duration::from_secs(4)));
        throttle.give_back(address("2001:db8::3"));
        assert!(throttle.may_fail_at(address("2001:db8::1"), now + Duration::from_secs(4)));
        assert!(!throttle.may_fail_at(address("2001:db8::1"), now + Duration::from_secs(4)));
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        let address = |number: u32| Some(IpAddr::V4(number.into()));
        let last = u32::try_from(REMEMBERED).unwrap() - 1;
        for number in 0..=last {
            assert!(throttle.may_fail_at(address(number), now + Duration::from_millis(u64::from(number) / 10)));
        }
        for _ in 1..20 {
            assert!(throttle.may_fail_at(address(last), now + Duration::from_secs(1)));
        }
        let other = Some("10.0.0.1".parse().unwrap());
        assert!(throttle.may_fail_at(other, now + Duration::from_secs(1)), "one more finds a place");
        assert!(
            !throttle.may_fail_at(address(last), now + Duration::from_secs(1)),
            "and takes it from the one that rested longest"
        );
        assert_eq!(throttle.tries.lock().unwrap().len(), REMEMBERED);
        assert!(throttle.may_fail_at(other, now + Duration::from_secs(20)));
        assert!(throttle.tries.lock().unwrap().len() <= REMEMBERED);
    }
}
