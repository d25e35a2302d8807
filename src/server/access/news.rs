//! Which list a role was told last: a page that asks again and again for the same writes one event, not thousands.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::audit::RoleId;

/// After so long the same list is an event again.
const OLD: Duration = Duration::from_secs(3600);

/// The last list of each role, as its hash.
#[derive(Debug, Default)]
pub(in crate::server) struct News(Mutex<HashMap<RoleId, ([u8; 32], Instant)>>);

impl News {
    /// Whether this role was told something else last, or this long ago.
    pub fn is_news(&self, role: RoleId, ids: &[&str]) -> bool {
        self.is_news_at(role, ids, Instant::now())
    }

    fn is_news_at(&self, role: RoleId, ids: &[&str], now: Instant) -> bool {
        let hash = ids.iter().fold(Sha256::new(), |hash, id| hash.chain_update(id).chain_update([0])).finalize().into();
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.get(&role).is_some_and(|(known, at)| *known == hash && now.saturating_duration_since(*at) < OLD) {
            return false;
        }
        told.insert(role, (hash, now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_list_of_one_role_is_told_once_an_hour() {
        let (news, now) = (News::default(), Instant::now());
        let (one, other) = (RoleId::from_bytes([1; 16]), RoleId::from_bytes([2; 16]));
        assert!(news.is_news_at(one, &["a", "b"], now) && !news.is_news_at(one, &["a", "b"], now));
        assert!(news.is_news_at(other, &["a", "b"], now), "another role");
        assert!(news.is_news_at(one, &["ab"], now), "another list");
        assert!(news.is_news_at(one, &["ab"], now + OLD), "later");
    }
}
