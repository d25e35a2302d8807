//! The thread that runs the model.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::admission::Admission;
use super::queue::{Glimpse, Job, Outcome, Purpose, Queue};
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
    /// Whether it is a final: then nobody can call it off.
    is_final: bool,
    /// Nobody waits for it any more.
    forgotten: bool,
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
    /// Asks the running job to end.
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
                let gave_way = do_job(recognizer.as_ref(), &guard, &admission, &seen.cancel, job);
                end(&seen, gave_way);
            }
        };
        let thread = thread::Builder::new().name("engine".to_owned()).spawn(run).map_err(EngineError::Thread)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub fn promote(&self, room: RoomNumber) {
        let mut state = self.shared.lock();
        state.queue.promote(room);
        if let Some(running) = state.running.as_mut().filter(|running| running.room == room) {
            (running.yields, running.is_final) = (false, true);
        }
        self.give_way(&state);
    }

    pub fn forget(&self, room: RoomNumber) {
        let mut state = self.shared.lock();
        state.queue.forget(room);
        if let Some(running) = state.running.as_mut().filter(|running| running.room == room && !running.is_final) {
            running.forgotten = true;
            self.shared.cancel.store(true, Ordering::Relaxed);
        }
    }

    /// What runs is asked to give way, where it does and this is a final.
    pub fn submit(&self, job: Job) -> Result<(), EngineError> {
        let mut state = self.shared.lock();
        if state.stopped {
            return Err(EngineError::Stopped);
        }
        state.queue.push(job);
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
            let yields = !matches!(job.purpose, Purpose::Final | Purpose::Recording { gives_way: 0 });
            let is_final = job.purpose == Purpose::Final;
            state.running = Some(Running { room: job.room, yields, is_final, forgotten: false });
            shared.cancel.store(false, Ordering::Relaxed);
            return Some(job);
        }
        state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

/// A job has ended. One that gave way waits again, unless it is no longer wanted.
fn end(shared: &Shared, gave_way: Option<Job>) {
    let mut state = shared.lock();
    let forgotten = state.running.take().is_some_and(|running| running.forgotten);
    let Some(job) = gave_way else { return };
    if forgotten || state.stopped {
        drop(state);
        (job.reply)(Outcome::Nothing);
    } else {
        state.queue.push_again(job);
    }
}

/// Runs a job and replies, or gives it back to be run again. A panic of the model takes down this job, not the other rooms.
fn do_job(recognizer: &dyn Recognizer, guard: &Guard, admission: &Admission, cancel: &AtomicBool, job: Job) -> Option<Job> {
    let Job { samples, options, purpose, .. } = &job;
    let begin = Instant::now();
    let cancelled = || cancel.load(Ordering::Relaxed);
    let heard = catch_unwind(AssertUnwindSafe(|| match purpose {
        Purpose::Final => recognise(recognizer, samples, options, guard).map(Some),
        Purpose::Look(Glimpse::Growing) => glimpse(recognizer, samples, options, guard, &cancelled),
        Purpose::Look(Glimpse::Complete) | Purpose::Recording { .. } => {
            recognise_unless(recognizer, samples, options, guard, &cancelled)
        }
    }));
    // After a panic the reply is dropped, which tells whoever waits.
    let heard = heard.ok()?;
    if *purpose != Purpose::Look(Glimpse::Growing) && matches!(heard, Ok(Some(_))) {
        admission.record(samples.len() as f64 / f64::from(SAMPLE_RATE), begin.elapsed().as_secs_f64());
    }
    let outcome = match (heard, *purpose) {
        (Ok(Some(heard)), _) => Outcome::Heard(heard),
        (Ok(None), Purpose::Recording { gives_way }) => {
            let purpose = Purpose::Recording { gives_way: gives_way.saturating_sub(1) };
            return Some(Job { purpose, ..job });
        }
        (Ok(None), _) => Outcome::Nothing,
        (Err(error), _) => Outcome::Failed(error),
    };
    (job.reply)(outcome);
    None
}

#[cfg(test)]
mod tests;
