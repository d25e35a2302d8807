//! Who is next: finals in order of arrival, then partials, at most one waiting a room.

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
    /// Nothing for a final.
    pub glimpse: Option<Glimpse>,
    pub reply: Reply,
}

/// What waits.
#[derive(Default)]
pub(super) struct Queue {
    finals: VecDeque<Job>,
    partials: VecDeque<Job>,
}

impl Queue {
    pub fn push_final(&mut self, job: Job) {
        self.finals.push_back(job);
    }

    /// A newer partial takes the place of the one that waits, so that a room that asks often does not fall back.
    pub fn push_partial(&mut self, job: Job) {
        match self.partials.iter_mut().find(|waiting| waiting.room == job.room) {
            Some(waiting) => *waiting = job,
            None => self.partials.push_back(job),
        }
    }

    /// Moves the room's waiting partial among the finals.
    pub fn promote(&mut self, room: RoomNumber) {
        if let Some(place) = self.partials.iter().position(|waiting| waiting.room == room)
            && let Some(job) = self.partials.remove(place)
        {
            self.finals.push_back(job);
        }
    }

    pub fn forget(&mut self, room: RoomNumber) {
        self.partials.retain(|waiting| waiting.room != room);
    }

    pub fn has_final(&self) -> bool {
        !self.finals.is_empty()
    }

    pub fn pop(&mut self) -> Option<Job> {
        self.finals.pop_front().or_else(|| self.partials.pop_front())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(room: RoomNumber, length: usize) -> Job {
        let reply = Box::new(|_| {});
        Job { room, samples: vec![0.0; length], options: DecodeOptions::default(), glimpse: Some(Glimpse::Growing), reply }
    }

    fn order(queue: &mut Queue) -> Vec<(RoomNumber, usize)> {
        std::iter::from_fn(|| queue.pop()).map(|job| (job.room, job.samples.len())).collect()
    }

    #[test]
    fn finals_come_first_and_a_newer_partial_keeps_the_place_of_the_older() {
        let (a, b) = (RoomNumber::next(), RoomNumber::next());
        let mut queue = Queue::default();
        queue.push_partial(job(a, 1));
        queue.push_partial(job(b, 2));
        queue.push_partial(job(a, 3));
        queue.push_final(job(b, 4));
        queue.push_final(job(a, 5));
        assert!(queue.has_final());
        assert_eq!(order(&mut queue), [(b, 4), (a, 5), (a, 3), (b, 2)]);
    }

    #[test]
    fn a_promoted_partial_waits_among_the_finals_and_a_forgotten_one_not_at_all() {
        let (a, b, c) = (RoomNumber::next(), RoomNumber::next(), RoomNumber::next());
        let mut queue = Queue::default();
        queue.push_partial(job(a, 1));
        queue.push_partial(job(b, 2));
        queue.push_partial(job(c, 3));
        queue.push_final(job(c, 4));
        queue.promote(b);
        queue.promote(b);
        queue.forget(c);
        assert_eq!(order(&mut queue), [(c, 4), (b, 2), (a, 1)]);
    }
}
