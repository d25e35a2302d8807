//! The events of the program itself: that it started and stopped, and that it unlocked the key store.

use super::{By, Store, StoreError};
use crate::audit::{Action, Actor, Event, Outcome};

impl Store {
    /// Keeps that a server started, and has unlocked the keys with which it goes on.
    ///
    /// # Errors
    /// When the events cannot be written; then it must not start.
    pub async fn tell_start(&self) -> Result<(), StoreError> {
        let by = By::now(Actor::System);
        self.keep_events(&[by.did_in_general(Action::KeyUse)], &by.did_in_general(Action::Start)).await.map(drop)
    }

    /// Keeps that a server stops, or could not go on. One that was killed keeps nothing: its next start stands without a stop before it.
    ///
    /// # Errors
    /// When the event cannot be written.
    pub async fn tell_stop(&self, failed: bool) -> Result<(), StoreError> {
        let outcome = if failed { Outcome::Failed } else { Outcome::Done };
        let event = By::now(Actor::System).did_in_general(Action::Stop);
        self.keep_event(&Event { outcome, ..event }).await.map(drop)
    }

    /// Keeps that a command has unlocked the keys.
    ///
    /// # Errors
    /// When the event cannot be written; then it must not go on.
    pub async fn tell_unlocked(&self) -> Result<(), StoreError> {
        self.keep_event(&By::now(Actor::System).did_in_general(Action::KeyUse)).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::*;
    use super::*;

    async fn starts_stops_and_unlocked_keys_are_events(site: Site) {
        let store = site.open().await;
        let before = store.events(0, usize::MAX).await.unwrap().len() as u64;
        store.tell_start().await.unwrap();
        store.tell_stop(false).await.unwrap();
        store.tell_stop(true).await.unwrap();
        store.tell_unlocked().await.unwrap();
        let kept = store.events(before, usize::MAX).await.unwrap();
        let kept: Vec<_> = kept.iter().map(|row| Event::decode(row).unwrap()).collect();
        assert!(kept.iter().all(|event| event.actor == Actor::System));
        let (done, failed) = (Outcome::Done, Outcome::Failed);
        assert_eq!(
            kept.iter().map(|event| (event.action, event.outcome)).collect::<Vec<_>>(),
            [(Action::KeyUse, done), (Action::Start, done), (Action::Stop, done), (Action::Stop, failed), (Action::KeyUse, done)]
        );
    }

    on_both! {
        starts_stops_and_unlocked_keys_are_events,
    }
}
