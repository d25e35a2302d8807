//! How many refusals of strangers the audit log takes: so many of each address, so that a flood from one hides nothing that another does,
//! and one event that says how many were left out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::throttle::{Bucket, network};
use crate::audit::{Action, Actor, Event, Outcome, Refusal};
use crate::store::{By, Store};

/// Refusals that are kept at once of one address, and seconds until one more is.
const KEPT: (f64, f64) = (30.0, 60.0);
/// Addresses that are told apart. Who comes beyond them is left out until one of them has been quiet.
const REMEMBERED: usize = 1_000;
/// How often it is told how many were left out.
const ROUND: Duration = Duration::from_secs(60);

/// What is kept of whom nobody knows.
#[derive(Debug, Default)]
pub(in crate::server) struct Strangers(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    by_address: HashMap<IpAddr, Bucket>,
    left_out: u32,
}

impl Strangers {
    /// Whether the log takes one more refusal of this address. One that it does not is counted. Requests without an address, which only
    /// tests make, count as one.
    pub fn may_keep(&self, address: Option<IpAddr>) -> bool {
        self.may_keep_at(address, Instant::now())
    }

    fn may_keep_at(&self, address: Option<IpAddr>, now: Instant) -> bool {
        let key = network(address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)));
        let mut counts = self.counts();
        if counts.by_address.len() >= REMEMBERED && !counts.by_address.contains_key(&key) {
            counts.by_address.retain(|_, bucket| !bucket.is_full(KEPT, now));
        }
        let there_is_room = counts.by_address.len() < REMEMBERED || counts.by_address.contains_key(&key);
        let kept = there_is_room && counts.by_address.entry(key).or_insert_with(|| Bucket::full(KEPT, now)).take(KEPT, now);
        if !kept {
            counts.left_out = counts.left_out.saturating_add(1);
        }
        kept
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the log how many were left out since it was told last, if any were. What cannot be written is told with the next.
    pub async fn tell(&self, store: &Store) {
        let count = std::mem::take(&mut self.counts().left_out);
        if count == 0 {
            return;
        }
        let outcome = Outcome::Refused { reason: Refusal::TooManyTries };
        let event = Event { outcome, ..By::now(Actor::Unknown).did_in_general(Action::Request { count }) };
        if let Err(error) = store.keep_event(&event).await {
            tracing::error!(%error, "that refusals of strangers were left out could not be written");
            let mut counts = self.counts();
            counts.left_out = counts.left_out.saturating_add(count);
        }
    }

    /// Tells it again and again, until the server closes, and then once more.
    pub async fn run(&self, store: &Store, mut closing: watch::Receiver<bool>) {
        loop {
            let closes = tokio::select! {
                () = tokio::time::sleep(ROUND) => false,
                _ = closing.wait_for(|closing| *closing) => true,
            };
            self.tell(store).await;
            if closes {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_flood_from_one_address_hides_nothing_of_another() {
        let (strangers, now) = (Strangers::default(), Instant::now());
        let kept = |from: &str, tries| (0..tries).filter(|_| strangers.may_keep_at(address(from), now)).count();
        assert_eq!(kept("192.0.2.1", 100), 30);
        assert_eq!((kept("192.0.2.2", 5), strangers.counts().left_out), (5, 70));
        assert_eq!((kept("2001:db8::1", 20), kept("2001:db8::2", 20)), (20, 10), "one network");
        assert!(strangers.may_keep_at(address("192.0.2.1"), now + Duration::from_secs(61)));
        assert!(!strangers.may_keep_at(address("192.0.2.1"), now + Duration::from_secs(61)));
    }

    #[test]
    fn the_table_has_an_end_and_who_is_quiet_makes_room() {
        let (strangers, now) = (Strangers::default(), Instant::now());
        for number in 0..u32::try_from(REMEMBERED).unwrap() {
            assert!(strangers.may_keep_at(Some(IpAddr::V4(number.into())), now));
        }
        assert!(!strangers.may_keep_at(address("203.0.113.1"), now));
        assert_eq!(strangers.counts().by_address.len(), REMEMBERED);
        assert_eq!(strangers.counts().left_out, 1);
        assert!(strangers.may_keep_at(address("203.0.113.1"), now + Duration::from_secs(61)));
        assert_eq!(strangers.counts().by_address.len(), 1);
    }
}
