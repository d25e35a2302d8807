//! Lists that are told: an event each, and one for every patient in it, of whom a role is told at most once an hour. A page that asks again
//! and again for the same list writes one event, not thousands.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex as Turn;

use super::act::mac_of;
use super::{By, Store, StoreError};
use crate::audit::{Action, Actor, Event, Outcome, Pseudonym, RoleId, UnixMillis};

/// After so many milliseconds the same list, or patient, is an event again.
const OLD: u64 = 3600 * 1000;
/// Patients that are remembered. Beyond it all are forgotten, which gives more events and none less.
const REMEMBERED: usize = 200_000;
/// Rows that are read at once.
const BATCH: i64 = 4096;

/// A list that is about to be told to somebody.
#[derive(Debug)]
pub struct List {
    /// Which kind, and a hash of what is in it, where a page asks for it again every few seconds: the same one is one event an hour.
    polled: Option<(&'static str, [u8; 32])>,
    /// How much was found.
    count: u32,
    /// Of whom it tells, each once.
    patients: Vec<Pseudonym>,
}

impl List {
    /// With so much in it, that tells of these patients.
    #[must_use]
    pub fn new(found: usize, mut patients: Vec<Pseudonym>) -> Self {
        patients.sort_unstable();
        patients.dedup();
        Self { polled: None, count: u32::try_from(found).unwrap_or(u32::MAX), patients }
    }

    /// The same where a page asks for this kind of list again and again. What is in it has these ids.
    #[must_use]
    pub fn polled(self, kind: &'static str, ids: &[&str]) -> Self {
        let hash = ids.iter().fold(Sha256::new(), |hash, id| hash.chain_update(id).chain_update([0])).finalize().into();
        Self { polled: Some((kind, hash)), ..self }
    }
}

/// What was told, as far as the log has it.
#[derive(Debug, Default)]
pub(super) struct Told {
    known: Mutex<Known>,
    /// Of one role one list at a time is told that may be news: of two at once the second finds the first one's events.
    turns: Mutex<HashMap<RoleId, Arc<Turn<()>>>>,
}

#[derive(Debug, Default)]
struct Known {
    /// The last list of each kind.
    lists: HashMap<(RoleId, &'static str), ([u8; 32], UnixMillis)>,
    patients: HashMap<(RoleId, Pseudonym), UnixMillis>,
}

const fn is_old(at: UnixMillis, now: UnixMillis) -> bool {
    // A clock that was put back makes nothing young for longer than it was.
    now.0.abs_diff(at.0) >= OLD
}

impl Told {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, role: RoleId) -> Arc<Turn<()>> {
        Arc::clone(self.turns.lock().unwrap_or_else(PoisonError::into_inner).entry(role).or_default())
    }

    /// Whether this role was told another list of this kind last, or this one long ago. One that nobody asks for again is always news.
    fn is_news(&self, role: RoleId, list: &List, now: UnixMillis) -> bool {
        let Some((kind, hash)) = list.polled else { return true };
        let last = self.known().lists.get(&(role, kind)).copied();
        last.is_none_or(|(known, at)| known != hash || is_old(at, now))
    }

    /// Those of these patients whom this role was not told within the hour.
    fn unlisted(&self, role: RoleId, patients: &[Pseudonym], now: UnixMillis) -> Vec<Pseudonym> {
        let known = self.known();
        let is_news = |patient: &Pseudonym| known.patients.get(&(role, *patient)).is_none_or(|at| is_old(*at, now));
        patients.iter().copied().filter(is_news).collect()
    }

    /// Remembers what the log has now.
    fn remember(&self, role: RoleId, list: &List, patients: &[Pseudonym], now: UnixMillis) {
        let mut known = self.known();
        if let Some((kind, hash)) = list.polled {
            known.lists.insert((role, kind), (hash, now));
        }
        if known.patients.len() + patients.len() > REMEMBERED {
            known.patients.retain(|_, at| !is_old(*at, now));
            if known.patients.len() + patients.len() > REMEMBERED {
                known.patients.clear();
            }
        }
        known.patients.extend(patients.iter().map(|patient| ((role, *patient), now)));
    }
}

impl Store {
    /// Keeps the event of a list or a search that is told to a role, and one for each patient in it whom this role was not told within the
    /// hour. What was found may be told only after this.
    ///
    /// # Errors
    /// When the events cannot be written.
    pub async fn keep_list(&self, role: RoleId, list: List, by: &By) -> Result<(), StoreError> {
        let told = &self.shared.told;
        let is_known = told.unlisted(role, &list.patients, by.at).is_empty();
        if is_known && !told.is_news(role, &list, by.at) {
            return Ok(());
        }
        if is_known && list.polled.is_none() {
            return self.keep_event(&list.event(by)).await.map(drop);
        }
        // A task of its own: whoever asked may go away between the events and that they are remembered.
        let (store, by) = (self.clone(), *by);
        let kept = tokio::spawn(async move {
            let turn = store.shared.told.turn(role);
            let _turn = turn.lock().await;
            store.keep_news(role, &list, &by).await
        });
        kept.await.unwrap_or(Err(StoreError::EventDropped))
    }

    async fn keep_news(&self, role: RoleId, list: &List, by: &By) -> Result<(), StoreError> {
        let told = &self.shared.told;
        let patients = told.unlisted(role, &list.patients, by.at);
        if patients.is_empty() && !told.is_news(role, list, by.at) {
            return Ok(());
        }
        if patients.is_empty() {
            self.keep_event(&list.event(by)).await?;
        } else {
            let listed: Vec<_> = patients.iter().map(|patient| by.did_for(Action::Listed, *patient)).collect();
            self.keep_events(&listed, &list.event(by)).await?;
        }
        told.remember(role, list, &patients, by.at);
        Ok(())
    }

    /// Remembers whom the events of the last hour say that roles were told, so that a start lists nobody again. Rows that this program did
    /// not write are passed over.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) async fn remember_lists(&self, now: UnixMillis) -> Result<(), StoreError> {
        let mut before = i64::MAX;
        loop {
            let query =
                "SELECT number, entry, mac FROM events WHERE number < $1 AND mac IS NOT NULL ORDER BY number DESC LIMIT $2";
            let query = sqlx::query_as::<_, (i64, Vec<u8>, Vec<u8>)>(query).bind(before).bind(BATCH);
            let rows = self.reader().all(query).await.map_err(StoreError::database("read the events"))?;
            let Some((oldest, ..)) = rows.last() else { return Ok(()) };
            before = *oldest;
            let mut has_young = false;
            for (number, entry, mac) in rows {
                let Ok(event) = Event::decode(&entry) else { continue };
                if is_old(event.at, now) || mac != mac_of(self.root(), number.cast_unsigned(), &entry)? {
                    continue;
                }
                has_young = true;
                let (Actor::Staff { role, .. }, Action::Listed, Outcome::Done) = (event.actor, event.action, event.outcome)
                else {
                    continue;
                };
                let mut known = self.shared.told.known();
                if let Some(patient) = event.patient.filter(|_| known.patients.len() < REMEMBERED) {
                    // The newest is read first.
                    known.patients.entry((role, patient)).or_insert(event.at);
                }
            }
            if !has_young {
                return Ok(());
            }
        }
    }
}

impl List {
    fn event(&self, by: &By) -> Event {
        Event { purpose: by.purpose, ..by.did_in_general(Action::Search { count: self.count }) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::*;
    use super::*;
    use crate::audit::{OrganisationId, PersonId};

    const ONE: RoleId = RoleId::from_bytes([1; 16]);
    const OTHER: RoleId = RoleId::from_bytes([2; 16]);
    const NOW: UnixMillis = UnixMillis(1_000_000_000);

    fn patient(number: usize) -> Pseudonym {
        let bytes = number.to_be_bytes();
        Pseudonym::from_bytes(std::array::from_fn(|at| bytes.get(at).copied().unwrap_or_default()))
    }

    #[test]
    fn the_same_list_of_one_role_is_told_once_an_hour() {
        let told = Told::default();
        let list = |kind, ids: &[&str]| List::new(ids.len(), Vec::new()).polled(kind, ids);
        let visits = || list("visits", &["a", "b"]);
        assert!(told.is_news(ONE, &visits(), NOW));
        told.remember(ONE, &visits(), &[], NOW);
        assert!(!told.is_news(ONE, &visits(), NOW));
        assert!(told.is_news(OTHER, &visits(), NOW), "another role");
        assert!(told.is_news(ONE, &list("requests", &["a", "b"]), NOW), "another kind");
        assert!(told.is_news(ONE, &list("visits", &["ab"]), NOW), "another list");
        assert!(told.is_news(ONE, &visits(), NOW.after(OLD)), "later");
        assert!(told.is_news(ONE, &List::new(2, Vec::new()), NOW), "what nobody asks for again");
    }

    #[test]
    fn a_patient_is_listed_to_a_role_once_an_hour() {
        let told = Told::default();
        let list = List::new(2, vec![patient(2), patient(1), patient(2)]);
        assert_eq!(told.unlisted(ONE, &list.patients, NOW), [patient(1), patient(2)]);
        told.remember(ONE, &list, &[patient(1)], NOW);
        assert_eq!(told.unlisted(ONE, &list.patients, NOW), [patient(2)]);
        assert_eq!(told.unlisted(ONE, &list.patients, UnixMillis(NOW.0 - 1)), [patient(2)], "asked for before, told after");
        assert_eq!(told.unlisted(OTHER, &list.patients, NOW), [patient(1), patient(2)], "another role");
        assert_eq!(told.unlisted(ONE, &list.patients, NOW.after(OLD)), [patient(1), patient(2)], "later");
        assert_eq!(told.unlisted(ONE, &list.patients, UnixMillis(NOW.0 - OLD)), [patient(1), patient(2)], "a clock put back");
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let told = Told::default();
        let many: Vec<_> = (0..REMEMBERED).map(patient).collect();
        let list = List::new(0, Vec::new());
        told.remember(ONE, &list, &many, NOW);
        assert_eq!(told.unlisted(ONE, &many, NOW), []);
        told.remember(ONE, &list, &[patient(REMEMBERED)], NOW);
        assert_eq!(told.unlisted(ONE, &[patient(0), patient(REMEMBERED)], NOW), [patient(0)]);
    }

    fn who(role: RoleId) -> By {
        let (person, organisation) = (PersonId::from_bytes([3; 16]), OrganisationId::from_bytes([9; 16]));
        By::now(Actor::Staff { person, role, organisation })
    }

    /// How often each patient was listed to each role, and how many lists were told.
    async fn counted(store: &Store) -> (HashMap<(RoleId, Pseudonym), usize>, usize) {
        let (mut listed, mut lists) = (HashMap::new(), 0);
        for event in events(store).await {
            match (event.action, event.actor, event.patient) {
                (Action::Listed, Actor::Staff { role, .. }, Some(patient)) => *listed.entry((role, patient)).or_default() += 1,
                (Action::Search { .. }, ..) => lists += 1,
                _ => {}
            }
        }
        (listed, lists)
    }

    async fn of_lists_at_once_each_patient_is_one_event_for_each_role_and_no_start_makes_another(site: Site) {
        let store = site.open().await;
        let told = (0..60_usize).map(|number| {
            let (store, role) = (store.clone(), if number % 3 == 0 { OTHER } else { ONE });
            let by = who(role);
            async move {
                let patients = (number / 6..number / 6 + 5).map(patient).collect();
                let list = List::new(5, patients);
                let list = if number % 2 == 0 { list } else { list.polled("visits", &["a"]) };
                let asked = store.keep_list(role, list, &by);
                // Some go away before they are answered.
                if number % 5 == 0 {
                    let _ = tokio::time::timeout(std::time::Duration::from_micros(300), asked).await;
                } else {
                    asked.await.unwrap();
                }
            }
        });
        futures_util::future::join_all(told).await;
        // Whoever went away has left a task behind, which another list of the role waits for.
        for role in [ONE, OTHER] {
            store.keep_list(role, List::new(1, vec![patient(usize::MAX)]), &who(role)).await.unwrap();
        }
        let (listed, lists) = counted(&store).await;
        assert_eq!(listed.values().copied().max(), Some(1), "{listed:?}");
        assert_eq!(listed.len(), 2 * 15);
        assert!(lists > 2 && lists <= 62, "{lists}");

        store.close().await;
        let store = site.open().await;
        let again: Vec<_> = (0..14).map(patient).collect();
        store.keep_list(ONE, List::new(14, again.clone()), &who(ONE)).await.unwrap();
        assert_eq!(counted(&store).await, (listed.clone(), lists + 1), "a start remembers");
        let later = By { at: who(ONE).at.after(OLD), ..who(ONE) };
        store.keep_list(ONE, List::new(14, again), &later).await.unwrap();
        assert_eq!(counted(&store).await.0.get(&(ONE, patient(0))), Some(&2), "an hour later");
    }

    async fn what_another_hand_put_among_the_events_hides_no_list(site: Site) {
        let store = site.open().await;
        store.keep_list(ONE, List::new(1, vec![patient(1)]), &who(ONE)).await.unwrap();
        sqlx::query("UPDATE events SET mac = $1").bind(vec![0_u8; 32]).execute(store.database().pool()).await.unwrap();
        store.shared.told.known().patients.clear();
        store.remember_lists(who(ONE).at).await.unwrap();
        store.keep_list(ONE, List::new(1, vec![patient(1)]), &who(ONE)).await.unwrap();
        assert_eq!(counted(&store).await.0.get(&(ONE, patient(1))), Some(&2));
    }

    on_both! {
        of_lists_at_once_each_patient_is_one_event_for_each_role_and_no_start_makes_another,
        what_another_hand_put_among_the_events_hides_no_list,
    }
}
