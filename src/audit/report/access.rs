//! Data access requests: section 19 of the Personal Data (Privacy) Ordinance gives 40 days for an answer.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Entries;
use crate::audit::{Action, Event, Outcome, Pseudonym, UnixMillis};

/// Milliseconds from a request to the end of the time for its answer.
const TIME: u64 = 40 * 24 * 3_600_000;

/// A patient's request for what is kept of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessRequest {
    /// Who asked.
    pub patient: Pseudonym,
    /// When it was entered.
    pub received: UnixMillis,
    /// The end of the 40 days.
    pub due: UnixMillis,
    /// When it was answered.
    pub answered: Option<UnixMillis>,
    /// Whether the answer came after the 40 days, or they are over without one.
    pub late: bool,
    /// Its entries of the log.
    pub entries: Entries,
}

/// Requests as the log tells of them, whole, also of before a report's period.
#[derive(Default)]
pub struct Requests {
    open: BTreeMap<Pseudonym, AccessRequest>,
    answered: Vec<AccessRequest>,
}

impl Requests {
    /// Takes the next entry of the log.
    pub fn take(&mut self, entry: u64, event: &Event) {
        let Some(patient) = event.patient.filter(|_| event.outcome == Outcome::Done) else { return };
        match event.action {
            Action::AccessRequest => {
                let (received, due) = (event.at, event.at.after(TIME));
                let new = AccessRequest { patient, received, due, answered: None, late: false, entries: Entries::default() };
                // Asked again before the answer: the first one's time runs.
                self.open.entry(patient).or_insert(new).entries.add(entry);
            }
            Action::AccessAnswer => {
                if let Some(mut request) = self.open.remove(&patient) {
                    request.entries.add(entry);
                    request.answered = Some(event.at);
                    self.answered.push(request);
                }
            }
            _ => {}
        }
    }

    /// The oldest one without an answer.
    #[must_use]
    pub fn first_open(&self) -> Option<&AccessRequest> {
        self.open.values().min_by_key(|request| request.received)
    }

    /// What was open or answered in a period, as it stands at its end; the oldest first.
    pub(super) fn finish(self, from: UnixMillis, to: UnixMillis) -> Vec<AccessRequest> {
        let answered = self.answered.into_iter().filter(|request| request.answered.is_some_and(|at| at >= from));
        let mut all: Vec<_> = answered.chain(self.open.into_values()).collect();
        for request in &mut all {
            request.late = request.answered.unwrap_or(to) > request.due;
        }
        all.sort_by_key(|request| request.received);
        all
    }
}
