//! Events of what changes nothing: readings, refusals. Those that come while others are written are written together, for each
//! transaction waits for the disk, and there are many more readings than changes.

use std::mem::take;
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use super::{Store, StoreError};
use crate::audit::Event;

/// Events that one transaction writes at most.
const MOST: usize = 256;

/// An event, and who waits for its number.
type Waiting = (Event, oneshot::Sender<Result<u64, StoreError>>);

/// What waits to be written.
#[derive(Default)]
pub(super) struct EventQueue {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    /// Whether a task writes them.
    writing: bool,
}

impl EventQueue {
    /// Lets an event wait. Says whether somebody has to begin to write.
    fn put(&self, waiting: Waiting) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.push(waiting);
        !std::mem::replace(&mut state.writing, true)
    }

    /// What waits now, the oldest first; nothing, and nobody writes any more, where none does.
    fn next(&self) -> Vec<Waiting> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let left = if state.waiting.len() > MOST { state.waiting.split_off(MOST) } else { Vec::new() };
        let batch = std::mem::replace(&mut state.waiting, left);
        state.writing = !batch.is_empty();
        batch
    }
}

impl Store {
    /// Keeps an event of something that changes nothing: a reading, a refusal. Its number in the log.
    ///
    /// # Errors
    /// When it cannot be written; then what it tells of must not be done.
    pub async fn keep_event(&self, event: &Event) -> Result<u64, StoreError> {
        let (tells, told) = oneshot::channel();
        if self.shared.event_queue.put((event.clone(), tells)) {
            // A task of its own: whoever asked first may go away while others wait.
            let store = self.clone();
            tokio::spawn(async move {
                loop {
                    let batch = store.shared.event_queue.next();
                    if batch.is_empty() {
                        return;
                    }
                    store.write(batch).await;
                }
            });
        }
        told.await.unwrap_or(Err(StoreError::EventDropped))
    }

    /// Writes all of them in one transaction; where that fails each in its own, so that each is told its own error.
    async fn write(&self, mut batch: Vec<Waiting>) {
        if let [_, _, ..] = batch.as_slice()
            && let Ok(first) = self.keep_all(&batch).await
        {
            for (number, (_, tells)) in (first..).zip(take(&mut batch)) {
                // Who does not wait any more has left a reading that nobody saw.
                let _ = tells.send(Ok(number));
            }
        }
        for (event, tells) in batch {
            let _ = tells.send(self.keep_events(&[], &event).await);
        }
    }

    /// The number of the first.
    async fn keep_all(&self, batch: &[Waiting]) -> Result<u64, StoreError> {
        let events: Vec<Event> = batch.iter().map(|(event, _)| event.clone()).collect();
        let Some((last, before)) = events.split_last() else { return Err(StoreError::EventDropped) };
        let number = self.keep_events(before, last).await?;
        Ok(number.saturating_sub(before.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::*;
    use super::*;
    use crate::audit::Action;

    async fn readings_at_once_are_written_together_and_each_has_its_own_number(site: Site) {
        let store = site.open().await;
        let before = store.events(0, usize::MAX).await.unwrap().len() as u64;
        let event = |count| by().did_in_general(Action::Search { count });
        let count = 600_u32;
        let readings = (0..count).map(|number| {
            let (store, event) = (store.clone(), event(number));
            async move { (store.keep_event(&event).await.unwrap(), event) }
        });
        let mut kept = futures_util::future::join_all(readings).await;
        kept.sort_by_key(|(number, _)| *number);
        assert_eq!(
            kept.iter().map(|(number, _)| *number).collect::<Vec<_>>(),
            (before..before + u64::from(count)).collect::<Vec<_>>()
        );
        let rows = store.events(before, usize::MAX).await.unwrap();
        let written: Vec<Event> = rows.iter().map(|row| Event::decode(row).unwrap()).collect();
        assert_eq!(written, kept.into_iter().map(|(_, event)| event).collect::<Vec<_>>());
        // One that comes alone, after all that, is written too.
        assert_eq!(store.keep_event(&event(0)).await.unwrap(), before + u64::from(count));
    }

    on_both! {
        readings_at_once_are_written_together_and_each_has_its_own_number,
    }

    #[tokio::test]
    async fn who_goes_away_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let event = by().did_in_general(Action::Search { count: 1 });
        let gone = tokio::time::timeout(std::time::Duration::ZERO, store.keep_event(&event)).await;
        drop(gone);
        for _ in 0..3 {
            tokio::time::timeout(std::time::Duration::from_secs(10), store.keep_event(&event)).await.unwrap().unwrap();
        }
    }
}
