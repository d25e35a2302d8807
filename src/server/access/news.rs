//! Which lists and which patients a role was told last: a page that asks again and again for the same writes one event, not thousands.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::audit::{Pseudonym, RoleId};

/// After so long the same list, or patient, is an event again.
const OLD: Duration = Duration::from_secs(3600);
/// Patients that are remembered. Beyond it all are forgotten, which gives more events and none less.
const REMEMBERED: usize = 200_000;

/// A list's hash.
type Hash = [u8; 32];

/// What was told. It is remembered after its events are in the log, so that two who ask at once write two.
#[derive(Debug, Default)]
pub(in crate::server) struct News(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    /// The last list of each kind.
    lists: HashMap<(RoleId, &'static str), (Hash, Instant)>,
    patients: HashMap<(RoleId, Pseudonym), Instant>,
}

/// A list as it is told to a role.
pub(in crate::server) struct List {
    role: RoleId,
    kind: &'static str,
    hash: Hash,
}

impl List {
    /// Of this kind, of what has these ids.
    pub fn new(role: RoleId, kind: &'static str, ids: &[&str]) -> Self {
        let hash = ids.iter().fold(Sha256::new(), |hash, id| hash.chain_update(id).chain_update([0])).finalize().into();
        Self { role, kind, hash }
    }
}

impl News {
    /// Whether this role was told another list of this kind last, or this one long ago.
    pub fn is_news(&self, list: &List) -> bool {
        self.is_news_at(list, Instant::now())
    }

    fn is_news_at(&self, list: &List, now: Instant) -> bool {
        let last = self.lock().lists.get(&(list.role, list.kind)).copied();
        last.is_none_or(|(known, at)| known != list.hash || now.saturating_duration_since(at) >= OLD)
    }

    /// Those of these patients whom this role was not told within the hour, each once.
    pub fn unlisted(&self, role: RoleId, patients: Vec<Pseudonym>) -> Vec<Pseudonym> {
        self.unlisted_at(role, patients, Instant::now())
    }

    fn unlisted_at(&self, role: RoleId, mut patients: Vec<Pseudonym>, now: Instant) -> Vec<Pseudonym> {
        patients.sort_unstable();
        patients.dedup();
        let told = self.lock();
        let is_news =
            |patient: &Pseudonym| told.patients.get(&(role, *patient)).is_none_or(|at| now.saturating_duration_since(*at) >= OLD);
        patients.retain(is_news);
        patients
    }

    /// Remembers what the log has now.
    pub fn told(&self, list: Option<&List>, role: RoleId, patients: &[Pseudonym]) {
        self.told_at(list, role, patients, Instant::now());
    }

    fn told_at(&self, list: Option<&List>, role: RoleId, patients: &[Pseudonym], now: Instant) {
        let mut told = self.lock();
        if let Some(list) = list {
            told.lists.insert((list.role, list.kind), (list.hash, now));
        }
        if told.patients.len() + patients.len() > REMEMBERED {
            told.patients.retain(|_, at| now.saturating_duration_since(*at) < OLD);
            if told.patients.len() + patients.len() > REMEMBERED {
                told.patients.clear();
            }
        }
        told.patients.extend(patients.iter().map(|patient| ((role, *patient), now)));
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: RoleId = RoleId::from_bytes([1; 16]);
    const OTHER: RoleId = RoleId::from_bytes([2; 16]);

    #[test]
    fn the_same_list_of_one_role_is_told_once_an_hour() {
        let (news, now) = (News::default(), Instant::now());
        let list = |role, kind, ids: &[&str]| List::new(role, kind, ids);
        assert!(news.is_news_at(&list(ONE, "visits", &["a", "b"]), now));
        assert!(news.is_news_at(&list(ONE, "visits", &["a", "b"]), now), "no event was kept yet");
        news.told_at(Some(&list(ONE, "visits", &["a", "b"])), ONE, &[], now);
        assert!(!news.is_news_at(&list(ONE, "visits", &["a", "b"]), now));
        assert!(news.is_news_at(&list(OTHER, "visits", &["a", "b"]), now), "another role");
        assert!(news.is_news_at(&list(ONE, "requests", &["a", "b"]), now), "another kind");
        assert!(news.is_news_at(&list(ONE, "visits", &["ab"]), now), "another list");
        assert!(news.is_news_at(&list(ONE, "visits", &["a", "b"]), now + OLD), "later");
    }

    #[test]
    fn a_patient_is_listed_to_a_role_once_an_hour() {
        let (news, now) = (News::default(), Instant::now());
        let patient = |number: u8| Pseudonym::from_bytes([number; 32]);
        let all = || vec![patient(2), patient(1), patient(2)];
        assert_eq!(news.unlisted_at(ONE, all(), now), [patient(1), patient(2)]);
        assert_eq!(news.unlisted_at(ONE, all(), now), [patient(1), patient(2)], "no event was kept yet");
        news.told_at(None, ONE, &[patient(1)], now);
        assert_eq!(news.unlisted_at(ONE, all(), now), [patient(2)]);
        assert_eq!(news.unlisted_at(OTHER, all(), now), [patient(1), patient(2)], "another role");
        assert_eq!(news.unlisted_at(ONE, all(), now + OLD), [patient(1), patient(2)], "later");
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let (news, now) = (News::default(), Instant::now());
        let patient = |number: usize| {
            let bytes = number.to_be_bytes();
            Pseudonym::from_bytes(std::array::from_fn(|at| bytes.get(at).copied().unwrap_or_default()))
        };
        let many: Vec<_> = (0..REMEMBERED).map(patient).collect();
        news.told_at(None, ONE, &many, now);
        assert_eq!(news.unlisted_at(ONE, many, now), []);
        news.told_at(None, ONE, &[patient(REMEMBERED)], now);
        assert_eq!(news.unlisted_at(ONE, vec![patient(0), patient(REMEMBERED)], now), [patient(0)]);
    }
}
