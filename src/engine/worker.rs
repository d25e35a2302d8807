//! The thread that runs the model.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::admission::Admission;
use super::queue::{Glimpse, Job, Outcome, Queue};
use super::{EngineError, RoomNumber};
use crate::audio::SAMPLE_RATE;
use crate::speech::guard::{Guard, glimpse, recognise, recognise_unless};
use crate::speech::model::Recognizer;

/// What the worker is at.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Running {
    room: RoomNumber,
    /// Whether it gives way to a final.
    yields: bool,
}

#[derive(Default)]
struct State {
    queue: Queue,
    running: Option<Running>,
    /// No further job is taken.
    stopped: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Asks the running partial to end.
    cancel: AtomicBool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is changed by moves alone: it is whole even after a panic elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread and its queue. Dropping it lets the running job end and drops those that wait.
pub(super) struct Worker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub fn start(recognizer: Arc<dyn Recognizer>, guard: Guard, admission: Admission) -> Result<Self, EngineError> {
        let shared = Arc::new(Shared::default());
        let seen = Arc::clone(&shared);
        let run = move || {
            while let Some(job) = next(&seen) {
                do_job(recognizer.as_ref(), &guard, &admission, &seen.cancel, job);
                seen.lock().running = None;
            }
        };
        let thread = thread::Builder::new().name("engine".to_owned()).spawn(run).map_err(EngineError::Thread)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// A partial that runs is asked to give way.
    pub fn submit_final(&self, job: Job) -> Result<(), EngineError> {
        self.submit(|state| state.queue.push_final(job))
    }

    pub fn submit_partial(&self, job: Job) -> Result<(), EngineError> {
        self.submit(|state| state.queue.push_partial(job))
    }

    pub fn promote(&self, room: RoomNumber) {
        let mut state = self.shared.lock();
        state.queue.promote(room);
        if let Some(running) = state.running.as_mut().filter(|running| running.room == room) {
            running.yields = false;
        }
        self.give_way(&state);
    }

    pub fn forget(&self, room: RoomNumber) {
        let mut state = self.shared.lock();
        state.queue.forget(room);
        if state.running == Some(Running { room, yields: true }) {
            self.shared.cancel.store(true, Ordering::Relaxed);
        }
    }

    fn submit(&self, push: impl FnOnce(&mut State)) -> Result<(), EngineError> {
        let mut state = self.shared.lock();
        if state.stopped {
            return Err(EngineError::Stopped);
        }
        push(&mut state);
        self.give_way(&state);
        self.shared.changed.notify_one();
        Ok(())
    }

    fn give_way(&self, state: &State) {
        if state.queue.has_final() && state.running.is_some_and(|running| running.yields) {
            self.shared.cancel.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.cancel.store(true, Ordering::Relaxed);
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // It catches the panics of its jobs, and an error here could only be theirs.
            let _ = thread.join();
        }
    }
}

/// Waits for the next job; nothing once the worker shall end.
fn next(shared: &Shared) -> Option<Job> {
    let mut state = shared.lock();
    loop {
        if state.stopped {
            return None;
        }
        if let Some(job) = state.queue.pop() {
            state.running = Some(Running { room: job.room, yields: job.glimpse.is_some() });
            shared.cancel.store(false, Ordering::Relaxed);
            return Some(job);
        }
        state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Runs a job and replies. A panic of the model takes down this job, not the other rooms.
fn do_job(recognizer: &dyn Recognizer, guard: &Guard, admission: &Admission, cancel: &AtomicBool, job: Job) {
    let Job { samples, options, glimpse: wanted, reply, .. } = job;
    let begin = Instant::now();
    let cancelled = || cancel.load(Ordering::Relaxed);
    let heard = catch_unwind(AssertUnwindSafe(|| match wanted {
        None => recognise(recognizer, &samples, &options, guard).map(Some),
        Some(Glimpse::Complete) => recognise_unless(recognizer, &samples, &options, guard, &cancelled),
        Some(Glimpse::Growing) => glimpse(recognizer, &samples, &options, guard, &cancelled),
    }));
    let Ok(heard) = heard else {
        // The reply is dropped, which tells whoever waits.
        return;
    };
    if wanted != Some(Glimpse::Growing) && matches!(heard, Ok(Some(_))) {
        admission.record(samples.len() as f64 / f64::from(SAMPLE_RATE), begin.elapsed().as_secs_f64());
    }
    reply(match heard {
        Ok(Some(heard)) => Outcome::Heard(heard),
        Ok(None) => Outcome::Nothing,
        Err(error) => Outcome::Failed(error),
    });
}

#[cfg(test)]
mod tests;
