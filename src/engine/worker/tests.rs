use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use super::*;
use crate::speech::SpeechError;
use crate::speech::model::{Capabilities, Context, DecodeOptions, Hypothesis, Language, RawHypothesis, Utterance};
use crate::text::PatientText;

/// Tells which utterance it was given, by its length; one of length 1 takes until it is cancelled, one of 2 panics.
struct Slow {
    capabilities: Capabilities,
    begun: Sender<usize>,
}

struct Reading(usize);

impl Recognizer for Slow {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }
    fn spell(&self, _: &PatientText) -> Result<Vec<Vec<u32>>, SpeechError> {
        unreachable!()
    }
    fn raw(&self, _: &[f32], _: Option<Language>) -> Result<RawHypothesis, SpeechError> {
        unreachable!()
    }
    fn open<'a>(&'a self, samples: &'a [f32], _: Context) -> Result<Box<dyn Utterance + 'a>, SpeechError> {
        self.begun.send(samples.len()).unwrap();
        Ok(Box::new(Reading(samples.len())))
    }
}

impl Utterance for Reading {
    fn attempt(
        &mut self,
        _: &DecodeOptions,
        _: f32,
        give_up: &(dyn Fn(&[u32]) -> bool + Sync),
    ) -> Result<Hypothesis, SpeechError> {
        assert_ne!(self.0, 2, "a model that panics");
        while self.0 == 1 && !give_up(&[]) {
            thread::sleep(Duration::from_millis(1));
        }
        Ok(Hypothesis { text: self.0.to_string().into(), ..Hypothesis::default() })
    }
    fn align(&mut self, _: &mut Hypothesis) -> Result<(), SpeechError> {
        Ok(())
    }
}

fn worker() -> (Worker, Receiver<usize>) {
    let (begun, begins) = mpsc::channel();
    let capabilities = Capabilities {
        family: "slow",
        languages: vec![Language::Cantonese],
        longest: 480_000,
        prompt: false,
        word_list: false,
        word_times: false,
        aligner: false,
        short_context: true,
        sampling: true,
    };
    let recognizer = Arc::new(Slow { capabilities, begun });
    (Worker::start(recognizer, Guard::default(), Admission::default()).unwrap(), begins)
}

/// A job, and what it was answered; a reply that is dropped gives an error.
fn job(room: RoomNumber, length: usize, purpose: Purpose) -> (Job, Receiver<Outcome>) {
    let (sender, receiver) = mpsc::channel();
    let reply = Box::new(move |outcome| sender.send(outcome).unwrap());
    (Job { room, samples: vec![0.0; length], options: DecodeOptions::default(), purpose, reply }, receiver)
}

fn text(answer: &Receiver<Outcome>) -> String {
    match answer.recv().unwrap() {
        Outcome::Heard(heard) => heard.text.reveal().to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_partial_that_runs_gives_way_to_a_final_of_another_room() {
    let (worker, begins) = worker();
    let (partial, seen) = job(RoomNumber::next(), 1, Purpose::Look(Glimpse::Growing));
    worker.submit(partial).unwrap();
    assert_eq!(begins.recv().unwrap(), 1);
    let (last, heard) = job(RoomNumber::next(), 3, Purpose::Final);
    worker.submit(last).unwrap();
    assert_eq!(text(&heard), "3");
    assert_eq!(text(&seen), "Nothing");
}

#[test]
fn a_partial_that_became_a_final_is_not_disturbed_and_a_forgotten_one_ends() {
    let (worker, begins) = worker();
    let room = RoomNumber::next();
    let (partial, seen) = job(room, 1, Purpose::Look(Glimpse::Complete));
    worker.submit(partial).unwrap();
    begins.recv().unwrap();
    worker.promote(room);
    let (last, heard) = job(RoomNumber::next(), 4, Purpose::Final);
    worker.submit(last).unwrap();
    assert!(heard.recv_timeout(Duration::from_millis(50)).is_err(), "the promoted one was cut short");
    worker.forget(room);
    assert!(heard.recv_timeout(Duration::from_millis(50)).is_err(), "a final can be forgotten");
    drop(worker);
    assert_eq!(text(&seen), "Nothing");
}

#[test]
fn a_panic_of_the_model_ends_its_job_alone() {
    let (worker, _begins) = worker();
    let (broken, answer) = job(RoomNumber::next(), 2, Purpose::Final);
    worker.submit(broken).unwrap();
    assert!(answer.recv().is_err());
    let (next, heard) = job(RoomNumber::next(), 5, Purpose::Final);
    worker.submit(next).unwrap();
    assert_eq!(text(&heard), "5");
}

#[test]
fn what_waits_when_the_worker_ends_is_dropped_and_answered_so() {
    let (worker, begins) = worker();
    let (running, first) = job(RoomNumber::next(), 1, Purpose::Look(Glimpse::Growing));
    worker.submit(running).unwrap();
    begins.recv().unwrap();
    let (waiting, second) = job(RoomNumber::next(), 6, Purpose::Look(Glimpse::Growing));
    worker.submit(waiting).unwrap();
    drop(worker);
    assert_eq!(text(&first), "Nothing");
    assert!(second.recv().is_err());
}

#[test]
fn a_recording_gives_way_to_a_final_and_is_heard_again_but_not_for_ever() {
    let (worker, begins) = worker();
    let room = RoomNumber::next();
    let (recording, answer) = job(room, 1, Purpose::Recording { gives_way: 1 });
    worker.submit(recording).unwrap();
    assert_eq!(begins.recv().unwrap(), 1);
    let (first, heard) = job(RoomNumber::next(), 3, Purpose::Final);
    worker.submit(first).unwrap();
    assert_eq!(text(&heard), "3");
    assert_eq!((begins.recv().unwrap(), begins.recv().unwrap()), (3, 1));
    let (second, heard) = job(RoomNumber::next(), 4, Purpose::Final);
    worker.submit(second).unwrap();
    assert!(heard.recv_timeout(Duration::from_millis(50)).is_err(), "it gave way more often than it should");
    assert!(answer.try_recv().is_err(), "it was answered before it was heard");
    worker.forget(room);
    assert_eq!(text(&heard), "4");
    assert_eq!(text(&answer), "Nothing");
}

#[test]
fn a_recording_that_nobody_wants_is_not_heard_again() {
    let (worker, begins) = worker();
    let room = RoomNumber::next();
    let (recording, answer) = job(room, 1, Purpose::Recording { gives_way: 9 });
    worker.submit(recording).unwrap();
    begins.recv().unwrap();
    worker.forget(room);
    assert_eq!(text(&answer), "Nothing");
    let (next, heard) = job(RoomNumber::next(), 5, Purpose::Final);
    worker.submit(next).unwrap();
    assert_eq!(text(&heard), "5");
    assert_eq!(begins.recv().unwrap(), 5);
}
