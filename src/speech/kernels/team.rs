//! Threads that wait for the next operator without sleeping: an utterance is thousands of products of a few microseconds each, less
//! than it takes to wake a thread.
#![allow(unsafe_code, reason = "lends a closure of the caller's stack, and disjoint parts of its slice, to other threads")]

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, Thread};

/// Turns that a helper waits awake for more work: about 0.2 ms, longer than what lies between two operators.
const TURNS_AWAKE: u32 = 8_000;
/// Turns that the caller waits awake for a helper's last task before it gives its processor away.
const TURNS_BEFORE_YIELD: u32 = 2_000;

/// Tasks a thread, so that one that is held up leaves work to the others.
const TASKS_PER_THREAD: usize = 4;

/// A borrowed closure: where it lies, and how to call it with the number of a task.
#[derive(Clone, Copy)]
struct Lent {
    closure: *const (),
    call: unsafe fn(*const (), usize),
}

struct Shared {
    /// What to do. Written only by the caller of [`Team::run`], and only while no task is claimed or to be had.
    job: UnsafeCell<Option<Lent>>,
    /// Tasks that nobody has claimed. Its store publishes `job`.
    unclaimed: AtomicUsize,
    /// Tasks that are done.
    done: AtomicUsize,
    /// Helpers that sleep, or are about to.
    asleep: AtomicUsize,
    /// Whether a task panicked.
    panicked: AtomicBool,
    /// Whether the helpers shall end.
    ended: AtomicBool,
}

// SAFETY: `job` alone is not `Sync`. It is written in `Team::run` before `unclaimed` is stored with release, and read in `work` after a
// task was claimed with acquire. A claimed task is not done until it was run, and `run` neither returns nor writes `job` again before
// all claimed tasks are done, so no read meets a write. What it points to is `Sync` by the bound on `run`, and outlives `run`.
unsafe impl Sync for Shared {}
// SAFETY: as for `Sync`; nothing in it belongs to a thread.
unsafe impl Send for Shared {}

impl Shared {
    /// Claims a task and runs it; tells whether there was one.
    fn work(&self) -> bool {
        let left = self.unclaimed.load(Ordering::Acquire);
        let Some(task) = left.checked_sub(1) else { return false };
        if self.unclaimed.compare_exchange(left, task, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return true;
        }
        // SAFETY: this thread has claimed a task that is not done, so `job` is not written meanwhile.
        let job = unsafe { *self.job.get() };
        if let Some(job) = job {
            // SAFETY: `call` was made for the type of `closure`, which lives until `run` returns, and that waits for this task.
            let outcome = catch_unwind(AssertUnwindSafe(|| unsafe { (job.call)(job.closure, task) }));
            if outcome.is_err() {
                self.panicked.store(true, Ordering::Relaxed);
            }
        }
        self.done.fetch_add(1, Ordering::Release);
        true
    }

    /// A helper's life.
    fn help(&self) {
        let mut turns = 0;
        while !self.ended.load(Ordering::Acquire) {
            if self.work() {
                turns = 0;
                continue;
            }
            turns += 1;
            if turns < TURNS_AWAKE {
                std::hint::spin_loop();
                continue;
            }
            turns = 0;
            // Said first, looked again, then slept: a caller who came between sees it and wakes this thread.
            self.asleep.fetch_add(1, Ordering::SeqCst);
            if self.unclaimed.load(Ordering::SeqCst) == 0 && !self.ended.load(Ordering::SeqCst) {
                thread::park();
            }
            self.asleep.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// A fixed number of threads, of which the caller's is one.
pub struct Team {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
    threads: Vec<Thread>,
    /// One caller at a time; another one works alone meanwhile.
    caller: Mutex<()>,
}

impl Team {
    /// So many threads in all; the caller's own is always one of them.
    ///
    /// # Errors
    /// When a thread cannot be made.
    pub fn new(threads: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            job: UnsafeCell::new(None),
            unclaimed: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            asleep: AtomicUsize::new(0),
            panicked: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        });
        let mut team = Self { shared, helpers: Vec::new(), threads: Vec::new(), caller: Mutex::new(()) };
        for _ in 1..threads.max(1) {
            let shared = Arc::clone(&team.shared);
            let helper = thread::Builder::new().name("kernels".to_owned()).spawn(move || shared.help())?;
            team.threads.push(helper.thread().clone());
            team.helpers.push(helper);
        }
        Ok(team)
    }

    /// Threads in all.
    #[must_use]
    pub fn size(&self) -> usize {
        self.helpers.len() + 1
    }

    /// How many of `all` things one task takes. It decides who computes what, never a result.
    #[must_use]
    pub fn share_of(&self, all: usize) -> usize {
        all.div_ceil(self.size() * TASKS_PER_THREAD)
    }

    /// Runs `task` once for each number below `tasks`, in any order, on any of the threads, and waits for all of them.
    ///
    /// # Panics
    /// When a task does.
    pub fn run<F: Fn(usize) + Sync>(&self, tasks: usize, task: F) {
        let guard = if tasks > 1 && !self.helpers.is_empty() { self.caller.try_lock().ok() } else { None };
        if guard.is_none() {
            (0..tasks).for_each(task);
            return;
        }
        let shared = &self.shared;
        let lent = Lent { closure: (&raw const task).cast(), call: call::<F> };
        shared.done.store(0, Ordering::Relaxed);
        // SAFETY: the lock makes this the only caller, and the last one waited until all claimed tasks were done: nobody reads.
        unsafe { *shared.job.get() = Some(lent) };
        shared.unclaimed.store(tasks, Ordering::SeqCst);
        if shared.asleep.load(Ordering::SeqCst) > 0 {
            self.threads.iter().for_each(Thread::unpark);
        }
        while shared.work() {}
        let mut turns = 0;
        while shared.done.load(Ordering::Acquire) < tasks {
            turns += 1;
            if turns < TURNS_BEFORE_YIELD { std::hint::spin_loop() } else { thread::yield_now() }
        }
        if shared.panicked.swap(false, Ordering::Relaxed) {
            drop(guard);
            resume_unwind(Box::new("a task of an operator panicked"));
        }
    }

    /// Runs `task` on each stretch of `size` values (the last may be shorter), with its number.
    pub fn for_chunks<T: Send>(&self, values: &mut [T], size: usize, task: impl Fn(usize, &mut [T]) + Sync) {
        let (size, length) = (size.max(1), values.len());
        let rectangle = Rectangle::new(values, length);
        self.run(length.div_ceil(size), |number| {
            let begin = number * size;
            // SAFETY: each task has a number of its own, and so a stretch that no other task's overlaps.
            let part = unsafe { rectangle.row_part(0, begin..(begin + size).min(length)) };
            task(number, part);
        });
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.threads.iter().for_each(Thread::unpark);
        for helper in self.helpers.drain(..) {
            // It catches the panics of its tasks.
            let _ = helper.join();
        }
    }
}

/// Calls the closure that was lent.
///
/// # Safety
/// `closure` points to a live `F`.
unsafe fn call<F: Fn(usize) + Sync>(closure: *const (), task: usize) {
    // SAFETY: the caller's promise.
    unsafe { (*closure.cast::<F>())(task) }
}

/// A matrix whose tasks each write a part of some rows.
pub(super) struct Rectangle<'a, T> {
    start: *mut T,
    width: usize,
    length: usize,
    values: std::marker::PhantomData<&'a mut [T]>,
}

// SAFETY: it is a `&mut [T]` whose parts are handed out under the promise of `row_part`.
unsafe impl<T: Send> Sync for Rectangle<'_, T> {}

impl<'a, T> Rectangle<'a, T> {
    /// Values as rows of `width`.
    pub fn new(values: &'a mut [T], width: usize) -> Self {
        Self { start: values.as_mut_ptr(), width, length: values.len(), values: std::marker::PhantomData }
    }

    /// Columns `part` of a row.
    ///
    /// # Safety
    /// No two parts that live at the same time overlap.
    ///
    /// # Panics
    /// When the part lies beyond the row or the matrix.
    #[allow(clippy::mut_from_ref, reason = "what makes it sound is the promise above")]
    pub unsafe fn row_part(&self, row: usize, part: std::ops::Range<usize>) -> &mut [T] {
        let begin = row * self.width + part.start;
        assert!(
            part.start <= part.end && part.end <= self.width && begin + part.len() <= self.length,
            "a part beyond its matrix"
        );
        // SAFETY: inside the slice that `new` borrowed for 'a, by the line above; not shared, by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(begin), part.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once_whatever_the_threads() {
        for threads in [1, 2, 5] {
            let team = Team::new(threads).unwrap();
            assert_eq!(team.size(), threads);
            for tasks in [0, 1, 2, 7, 100] {
                let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                team.run(tasks, |task| {
                    counts[task].fetch_add(1, Ordering::Relaxed);
                });
                assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1), "{tasks} tasks on {threads} threads");
            }
        }
    }

    #[test]
    fn helpers_that_sleep_are_woken() {
        let team = Team::new(3).unwrap();
        for _ in 0..3 {
            thread::sleep(std::time::Duration::from_millis(20));
            let mut values = vec![0_u32; 1000];
            team.for_chunks(&mut values, 7, |number, part| part.fill(u32::try_from(number).unwrap()));
            assert!(values.iter().enumerate().all(|(place, value)| *value as usize == place / 7));
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_team_goes_on() {
        let team = Team::new(2).unwrap();
        let caught = catch_unwind(AssertUnwindSafe(|| team.run(10, |task| assert!(task != 4))));
        assert!(caught.is_err());
        let sum = AtomicUsize::new(0);
        team.run(10, |task| {
            sum.fetch_add(task, Ordering::Relaxed);
        });
        assert_eq!(sum.into_inner(), 45);
    }

    #[test]
    fn two_callers_at_once_both_get_their_work_done() {
        let team = Team::new(2).unwrap();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let sum = AtomicUsize::new(0);
                        team.run(9, |task| {
                            sum.fetch_add(task, Ordering::Relaxed);
                        });
                        assert_eq!(sum.into_inner(), 36);
                    }
                });
            }
        });
    }
}
