//! The views that are open, each for the one session that opened it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::random;
use super::held::Held;
use crate::audit::{RecordId, Refusal, RoleId};
use crate::server::caller::Pass;
use crate::server::error::ApiError;

/// Views that are kept at once.
pub(super) const MOST: usize = 2_000;
/// Of one role; the oldest goes before another is opened.
const OF_ROLE: usize = 20;
/// How long a view is shown. Then it is opened anew, with an entry and a time of its own in the watermark.
pub(super) const LONGEST: Duration = Duration::from_secs(3600);
/// How long a view waits for the socket of whoever shows it.
pub(super) const UNWATCHED: Duration = Duration::from_secs(120);

/// What is fetched of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    /// Its page.
    Page,
    /// The picture of this number.
    Picture(usize),
}

struct Open {
    held: Arc<Held>,
    pass: Pass,
    since: Instant,
    /// Whether somebody holds a socket; when that closes the view is gone.
    watched: bool,
    /// What the event of its opening tells of.
    fetched: HashSet<Part>,
}

impl Open {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= if self.watched { LONGEST } else { UNWATCHED }
    }
}

/// The open views.
#[derive(Default)]
pub(in crate::server::sharing) struct Views(Mutex<HashMap<String, Open>>);

impl Views {
    /// Whether another view of this role can be kept now.
    pub(super) fn has_room(&self, role: RoleId) -> bool {
        let (now, mut views) = (Instant::now(), self.lock());
        views.retain(|_, open| !open.is_over(now));
        let own = views.values().filter(|open| open.held.role == role).count();
        views.len() < MOST || own >= OF_ROLE
    }

    /// Keeps a view for the session that opened it; its id, which nobody can guess.
    pub(super) fn keep(&self, held: Held, pass: &Pass) -> Result<String, ApiError> {
        let bytes: [u8; 16] = random()?;
        let (id, now) = (RecordId::from_bytes(bytes).to_string(), Instant::now());
        let mut views = self.lock();
        views.retain(|_, open| !open.is_over(now));
        let own = views.iter().filter(|(_, open)| open.held.role == held.role);
        if own.clone().count() >= OF_ROLE {
            let oldest = own.min_by_key(|(_, open)| open.since).map(|(id, _)| id.clone());
            views.remove(&oldest.unwrap_or_default());
        }
        if views.len() >= MOST {
            return Err(ApiError::Denied(Refusal::TooManyTries));
        }
        let (held, pass) = (Arc::new(held), pass.clone());
        views.insert(id.clone(), Open { held, pass, since: now, watched: false, fetched: HashSet::new() });
        Ok(id)
    }

    /// The view of this id, if this session opened it in this role and it is not over.
    pub(super) fn find(&self, id: &str, role: RoleId, pass: &Pass) -> Option<Arc<Held>> {
        self.find_at(id, role, pass, Instant::now())
    }

    pub(super) fn find_at(&self, id: &str, role: RoleId, pass: &Pass, now: Instant) -> Option<Arc<Held>> {
        let mut views = self.lock();
        if views.get(id)?.is_over(now) {
            views.remove(id);
            return None;
        }
        let open = views.get(id).filter(|open| open.held.role == role && open.pass == *pass);
        open.map(|open| Arc::clone(&open.held))
    }

    /// Somebody holds a socket now; how long the view is shown still.
    pub(super) fn watch(&self, id: &str) -> Duration {
        let mut views = self.lock();
        let Some(open) = views.get_mut(id) else { return Duration::ZERO };
        open.watched = true;
        LONGEST.saturating_sub(open.since.elapsed())
    }

    /// Whether this part is fetched for the first time.
    pub(super) fn is_first(&self, id: &str, part: Part) -> bool {
        self.lock().get_mut(id).is_some_and(|open| open.fetched.insert(part))
    }

    /// Ends a view that nobody watches.
    pub(super) fn end_unwatched(&self, id: &str) {
        let mut views = self.lock();
        if views.get(id).is_some_and(|open| !open.watched) {
            views.remove(id);
        }
    }

    pub(super) fn end(&self, id: &str) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
