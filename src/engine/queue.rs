//! Who is next: finals in order of arrival, then all others by how long they have waited, at most one partial a room.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::speech::SpeechError;
use crate::speech::model::{DecodeOptions, Hypothesis};

/// Tells rooms apart in the queue; never that of another room while the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RoomNumber(u64);

impl RoomNumber {
    /// A number that no room had before.
    #[must_use]
    pub fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What a partial is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glimpse {
    /// One quick look at an utterance that grows.
    Growing,
    /// The audio is what the final will be made of, should nobody speak on: decoded just as the final would be.
    Complete,
}

/// Why an utterance is heard, which decides who waits for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The final of a live room: before all others, and never cut short.
    Final,
    /// A live room's look at an utterance: cut short for a final, and then worth nothing any more.
    Look(Glimpse),
    /// An utterance of a recording that came whole: cut short for a final so many times more, and each time heard anew.
    Recording {
        /// At 0 it is heard to its end, so that finals that never cease do not keep it waiting for ever.
        gives_way: u8,
    },
}

/// What came of a request.
#[derive(Debug)]
pub enum Outcome {
    /// A hypothesis; its text is empty when nothing was said or the guards trust nothing.
    Heard(Hypothesis),
    /// The request was cancelled for something more urgent, or a quick look gave nothing to trust.
    Nothing,
    /// The model failed.
    Failed(SpeechError),
}

/// Called once, on the worker's thread.
pub(super) type Reply = Box<dyn FnOnce(Outcome) + Send>;

/// An utterance to hear.
pub(super) struct Job {
    pub room: RoomNumber,
    /// 16 kHz.
    pub samples: Vec<f32>,
    pub options: DecodeOptions,
    pub purpose: Purpose,
    pub reply: Reply,
}

/// What waits.
#[derive(Default)]
pub(super) struct Queue {
    finals: VecDeque<Job>,
    others: VecDeque<Job>,
}

impl Queue {
    /// A newer look takes the place of the room's that waits, so that a room that asks often does not fall back.
    pub fn push(&mut self, job: Job) {
        match job.purpose {
            Purpose::Final => self.finals.push_back(job),
            Purpose::Recording { .. } => self.others.push_back(job),
            Purpose::Look(_) => match self.others.iter_mut().find(|waiting| waiting.room == job.room) {
                Some(waiting) => *waiting = job,
                None => self.others.push_back(job),
            },
        }
    }

    /// A job that gave way is the next one after the finals.
    pub fn push_again(&mut self, job: Job) {
        self.others.push_front(job);
    }

    /// Moves the room's waiting partial among the finals.
    pub fn promote(&mut self, room: RoomNumber) {
        if let Some(place) = self.others.iter().position(|waiting| waiting.room == room)
            && let Some(job) = self.others.remove(place)
        {
            self.finals.push_back(job);
        }
    }

    pub fn forget(&mut self, room: RoomNumber) {
        self.others.retain(|waiting| waiting.room != room);
    }

    pub fn has_final(&self) -> bool {
        !self.finals.is_empty()
    }

    pub fn pop(&mut self) -> Option<Job> {
        self.finals.pop_front().or_else(|| self.others.pop_front())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Purpose = Purpose::Look(Glimpse::Growing);
    const RECORDING: Purpose = Purpose::Recording { gives_way: 1 };

    fn job(room: RoomNumber, length: usize, purpose: Purpose) -> Job {
        Job { room, samples: vec![0.0; length], options: DecodeOptions::default(), purpose, reply: Box::new(|_| {}) }
    }

    fn order(queue: &mut Queue) -> Vec<(RoomNumber, usize)> {
        std::iter::from_fn(|| queue.pop()).map(|job| (job.room, job.samples.len())).collect()
    }

    #[test]
    fn finals_come_first_and_a_newer_partial_keeps_the_place_of_the_older() {
        let (a, b) = (RoomNumber::next(), RoomNumber::next());
        let mut queue = Queue::default();
        queue.push(job(a, 1, LOOK));
        queue.push(job(b, 2, LOOK));
        queue.push(job(a, 3, LOOK));
        queue.push(job(b, 4, Purpose::Final));
        queue.push(job(a, 5, Purpose::Final));
        assert!(queue.has_final());
        assert_eq!(order(&mut queue), [(b, 4), (a, 5), (a, 3), (b, 2)]);
    }

    #[test]
    fn a_promoted_partial_waits_among_the_finals_and_a_forgotten_one_not_at_all() {
        let (a, b, c) = (RoomNumber::next(), RoomNumber::next(), RoomNumber::next());
        let mut queue = Queue::default();
        queue.push(job(a, 1, LOOK));
        queue.push(job(b, 2, LOOK));
        queue.push(job(c, 3, LOOK));
        queue.push(job(c, 4, Purpose::Final));
        queue.promote(b);
        queue.promote(b);
        queue.forget(c);
        assert_eq!(order(&mut queue), [(c, 4), (b, 2), (a, 1)]);
    }

    #[test]
    fn a_recording_waits_its_turn_among_the_partials_and_behind_finals() {
        let (a, b, file) = (RoomNumber::next(), RoomNumber::next(), RoomNumber::next());
        let mut queue = Queue::default();
        queue.push(job(a, 1, LOOK));
        queue.push(job(file, 2, RECORDING));
        queue.push(job(b, 3, LOOK));
        queue.push(job(b, 4, Purpose::Final));
        queue.push_again(job(file, 5, RECORDING));
        assert_eq!(order(&mut queue), [(b, 4), (file, 5), (a, 1), (file, 2), (b, 3)]);
        queue.push(job(file, 2, RECORDING));
        queue.forget(file);
        assert!(queue.pop().is_none());
    }
}
