//! Has the heads of the audit log cosigned by witnesses while it grows.
//!
//! A witness holds nothing up: a head is signed and acts are done whether it answers or not. What it alone can say, that the log is not
//! the one that it saw, is said in the journal, in the figures and in the report of the log.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;

use super::{ServerError, feeds};
use crate::audit::{Actor, Cosigned, UnixMillis};
use crate::gateway::{Answer, GatewayError, Witness};
use crate::store::{By, Store};

/// How often in a row a witness may say that it saw another size than the one before.
const MOST_ANSWERS: usize = 3;

/// The witnesses of this installation.
#[derive(Clone, Default)]
pub(super) struct Witnesses(Arc<[Watched]>);

#[derive(Clone)]
struct Watched {
    witness: Arc<Witness>,
    state: Arc<Mutex<State>>,
}

/// What is known of a witness.
#[derive(Default)]
struct State {
    /// The newest head that it cosigned, over restarts.
    cosigned: Option<Cosigned>,
    /// How many entries the log had when it saw it last, as far as is known.
    saw: u64,
    /// The size of the head that it cosigned since the start: it is asked at each start, for what was kept here may have been rolled
    /// back with the log.
    asked: Option<u64>,
    /// Stays until the next start, whatever the witness says later.
    alarm: Option<Alarm>,
}

/// What a witness saw is not in the log any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alarm {
    /// The log is shorter than it was.
    RolledBack { size: u64, saw: u64 },
    /// Its beginning is another one.
    Rewritten { saw: u64 },
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RolledBack { size, saw } => {
                write!(f, "the audit log was rolled back: it has {size} entries, and the witness saw {saw}")
            }
            Self::Rewritten { saw } => {
                write!(f, "the audit log was rewritten: its first {saw} entries are not those that the witness saw")
            }
        }
    }
}

/// What a witness said last, for whoever looks at the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Said {
    /// The witness's name.
    pub witness: String,
    /// Entries of the newest head that it cosigned; 0 where there is none.
    pub entries: u64,
    /// When it did.
    pub at: Option<UnixMillis>,
    /// That the log is not the one that it saw.
    pub alarm: Option<String>,
}

impl Witnesses {
    /// The witnesses, each with what was kept of it.
    pub(super) async fn begin(store: &Store, witnesses: Vec<Witness>) -> Self {
        let mut watched = Vec::new();
        for witness in witnesses {
            let kept = store.cosigned(witness.key(), By::now(Actor::System).at).await.unwrap_or_else(|error| {
                tracing::error!(witness = witness.key().name(), %error, "what was kept of a witness cannot be used; it is asked anew");
                None
            });
            let one = Watched { witness: Arc::new(witness), state: Arc::default() };
            let size = store.log_head().size;
            let saw = kept.as_ref().map_or(0, |kept| kept.checkpoint.size);
            if saw > size {
                one.sound(Alarm::RolledBack { size, saw });
            } else if let Some(kept) = &kept {
                match store.had(&kept.checkpoint).await {
                    Ok(true) => {}
                    Ok(false) => drop(one.sound(Alarm::Rewritten { saw })),
                    Err(error) => {
                        let witness = one.witness.key().name();
                        tracing::error!(witness, %error, "whether the log is the one that a witness saw cannot be told here");
                    }
                }
            }
            one.change(|state| (state.cosigned, state.saw) = (kept, saw));
            watched.push(one);
        }
        Self(watched.into())
    }

    /// Asks until the server closes, each at its own pace.
    pub(super) fn run(&self, store: &Store, closing: &watch::Sender<bool>) {
        for watched in self.0.iter().cloned() {
            tokio::spawn(run(store.clone(), watched, closing.subscribe()));
        }
    }

    /// What each said last.
    pub(super) fn said(&self) -> Vec<Said> {
        let said = |watched: &Watched| {
            let witness = watched.witness.key().name().to_owned();
            watched.change(|State { cosigned, alarm, .. }| Said {
                witness,
                entries: cosigned.as_ref().map_or(0, |cosigned| cosigned.checkpoint.size),
                at: cosigned.as_ref().map(|cosigned| cosigned.at),
                alarm: alarm.map(|alarm| alarm.to_string()),
            })
        };
        self.0.iter().map(said).collect()
    }
}

async fn run(store: Store, watched: Watched, mut closing: watch::Receiver<bool>) {
    let mut tries = 0;
    loop {
        let pause = match watched.work(&store).await {
            Ok(Spoken::Cosigned) => {
                tries = 0;
                watched.witness.pace()
            }
            // Said already, and it may be mended on the other side.
            Ok(Spoken::Alarm) => feeds::pause(u32::MAX),
            Err(error) => {
                tries += 1;
                let pause = feeds::pause(tries);
                let witness = watched.witness.key().name();
                tracing::warn!(witness, %error, ?pause, "a witness did not cosign the audit log's head");
                pause
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause.max(Duration::from_secs(1))) => {}
            () = async { let _ = closing.wait_for(|closing| *closing).await; } => return,
        }
    }
}

/// How asking ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spoken {
    Cosigned,
    Alarm,
}

impl Watched {
    /// Has the newest head cosigned, where it is not.
    async fn work(&self, store: &Store) -> Result<Spoken, ServerError> {
        let head = store.log_head();
        if self.change(|state| state.asked) == Some(head.size) {
            return Ok(Spoken::Cosigned);
        }
        for _ in 0..MOST_ANSWERS {
            let submission = store.submission(self.change(|state| state.saw)).await?;
            let (witness, old) = (Arc::clone(&self.witness), submission.old);
            let answer = tokio::task::spawn_blocking(move || witness.submit(&submission, || By::now(Actor::System).at));
            let broken = |_| GatewayError::Unreachable { kind: "witness", what: "it broke down" };
            match answer.await.map_err(broken)?? {
                Answer::Cosigned(cosigned) => return self.keep(store, *cosigned).await.map(|()| Spoken::Cosigned),
                Answer::Inconsistent => return Ok(self.sound(Alarm::Rewritten { saw: old })),
                Answer::Saw(saw) => {
                    let size = store.log_head().size;
                    if saw > size {
                        return Ok(self.sound(Alarm::RolledBack { size, saw }));
                    }
                    if saw < old {
                        let witness = self.witness.key().name();
                        tracing::error!(
                            witness,
                            saw,
                            old,
                            "a witness has forgotten what it cosigned: it vouches for less than before"
                        );
                    }
                    self.change(|state| state.saw = saw);
                }
            }
        }
        Err(GatewayError::Answer { what: "it says each time that it saw something else" }.into())
    }

    async fn keep(&self, store: &Store, cosigned: Cosigned) -> Result<(), ServerError> {
        let size = cosigned.checkpoint.size;
        self.change(|state| state.saw = size);
        // A longer one that was cosigned once tells of a roll-back, and stays.
        if self.change(|state| state.cosigned.as_ref().is_none_or(|kept| kept.checkpoint.size <= size)) {
            store.keep_cosigned(self.witness.key(), &cosigned).await?;
            self.change(|state| state.cosigned = Some(cosigned));
        }
        self.change(|state| state.asked = Some(size));
        Ok(())
    }

    fn sound(&self, alarm: Alarm) -> Spoken {
        tracing::error!(witness = self.witness.key().name(), %alarm, "A WITNESS DOES NOT KNOW THIS LOG AGAIN");
        self.change(|state| state.alarm = Some(alarm));
        Spoken::Alarm
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests;
