//! How a room is woken: its spool has grown, a hypothesis has come, or it shall stop.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::engine::Outcome;

/// An answer to one request; `ticket` tells which.
pub(super) struct Letter {
    pub ticket: u64,
    pub outcome: Outcome,
}

#[derive(Default)]
struct State {
    grown: bool,
    stop: bool,
    letter: Option<Letter>,
}

/// What wakes a room. Holds at most one answer, for a room has at most one request out.
#[derive(Default)]
pub(super) struct Mailbox {
    state: Mutex<State>,
    changed: Condvar,
}

/// What a room was woken for.
pub(super) enum Mail {
    /// There may be more in the spool.
    Grown,
    /// An answer.
    Letter(Letter),
    /// The room shall end now.
    Stop,
}

impl Mailbox {
    /// The spool has grown.
    pub fn grown(&self) {
        self.change(|state| state.grown = true);
    }

    /// The room shall end.
    pub fn stop(&self) {
        self.change(|state| state.stop = true);
    }

    /// Whether the room shall end.
    pub fn stopped(&self) -> bool {
        self.lock().stop
    }

    /// Waits for the next thing to do.
    pub fn wait(&self) -> Mail {
        let mut state = self.lock();
        loop {
            if state.stop {
                return Mail::Stop;
            }
            if let Some(letter) = state.letter.take() {
                return Mail::Letter(letter);
            }
            if std::mem::take(&mut state.grown) {
                return Mail::Grown;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// An answer that has come, without waiting for one.
    pub fn letter(&self) -> Option<Letter> {
        self.lock().letter.take()
    }

    /// Waits for the answer of this ticket and drops others; nothing when the room shall end.
    pub fn wait_for(&self, ticket: u64) -> Option<Outcome> {
        let mut state = self.lock();
        loop {
            if state.stop {
                return None;
            }
            if let Some(letter) = state.letter.take().filter(|letter| letter.ticket == ticket) {
                return Some(letter.outcome);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Changed by single moves: whole even after a panic elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}

/// Delivers one answer, or "nothing" when it is dropped unused: a request that was forgotten is answered all the same.
pub(super) struct Envelope {
    mailbox: Arc<Mailbox>,
    ticket: u64,
    sent: bool,
}

impl Envelope {
    pub fn new(mailbox: Arc<Mailbox>, ticket: u64) -> Self {
        Self { mailbox, ticket, sent: false }
    }

    pub fn send(mut self, outcome: Outcome) {
        self.deliver(outcome);
    }

    fn deliver(&mut self, outcome: Outcome) {
        self.sent = true;
        let ticket = self.ticket;
        self.mailbox.change(|state| {
            // The answer to a request that was replaced must not displace that of its successor.
            if state.letter.as_ref().is_none_or(|letter| letter.ticket < ticket) {
                state.letter = Some(Letter { ticket, outcome });
            }
        });
    }
}

impl Drop for Envelope {
    fn drop(&mut self) {
        if !self.sent {
            self.deliver(Outcome::Nothing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_dropped_still_answers_and_an_old_one_displaces_no_newer() {
        let mailbox = Arc::new(Mailbox::default());
        let (old, new) = (Envelope::new(Arc::clone(&mailbox), 1), Envelope::new(Arc::clone(&mailbox), 2));
        new.send(Outcome::Heard(crate::speech::model::Hypothesis::default()));
        drop(old);
        assert!(matches!(mailbox.wait(), Mail::Letter(Letter { ticket: 2, outcome: Outcome::Heard(_) })));
        drop(Envelope::new(Arc::clone(&mailbox), 3));
        assert!(matches!(mailbox.wait_for(3), Some(Outcome::Nothing)));
    }

    #[test]
    fn stopping_comes_before_everything() {
        let mailbox = Arc::new(Mailbox::default());
        mailbox.grown();
        drop(Envelope::new(Arc::clone(&mailbox), 1));
        assert!(matches!(mailbox.wait(), Mail::Letter(_)));
        assert!(matches!(mailbox.wait(), Mail::Grown));
        mailbox.grown();
        mailbox.stop();
        assert!(matches!(mailbox.wait(), Mail::Stop));
        assert!(mailbox.wait_for(1).is_none());
        assert!(mailbox.stopped());
    }
}
