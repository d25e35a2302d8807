//! What the log says of an organisation in a period: for its privacy officer, and for an auditor from outside.
//!
//! Each line cites its entries; the report stands under the signed head of the log that it was made from. It names patients by their
//! pseudonyms alone.

mod access;
mod entries;
mod principles;
#[cfg(test)]
mod tests;
mod unusual;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

pub use access::{AccessRequest, Requests};
pub use entries::Entries;
pub use principles::Principle;
pub use unusual::{Finding, Rule};

use super::{Action, Actor, ErasureReason, Event, OrganisationId, Outcome, PersonId, Pseudonym, Purpose, UnixMillis};
use unusual::Watch;

/// What was done, how often, and where the log says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The principle that it is evidence for.
    pub principle: Principle,
    /// What, by the log's own name of it.
    pub action: String,
    /// Why, where it is a decision that something is erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<ErasureReason>,
    /// `done`, `refused` or `failed`.
    pub outcome: &'static str,
    /// How many entries.
    pub count: u64,
    /// Of how many patients, as far as the entries name one.
    pub patients: usize,
    /// Its entries of the log.
    pub entries: Entries,
}

/// Who got at what is the organisation's, and what for (GDPR Articles 15(1)(c) and 30(1)(d)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recipient {
    /// Whose staff.
    pub organisation: OrganisationId,
    /// What for, where the entries say it.
    pub purpose: Option<Purpose>,
    /// Of how many patients.
    pub patients: usize,
    /// Its entries of the log.
    pub entries: Entries,
}

/// What the log says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The first moment of the period.
    pub from: UnixMillis,
    /// The first moment after it.
    pub to: UnixMillis,
    /// By principle, action and outcome.
    pub lines: Vec<Line>,
    /// Data access requests that were open or answered in the period.
    pub access_requests: Vec<AccessRequest>,
    /// Other organisations that saw something.
    pub recipients: Vec<Recipient>,
    /// What somebody should look at.
    pub unusual: Vec<Finding>,
}

/// Whose log it is.
pub struct Scope<'a> {
    /// The organisation.
    pub organisation: OrganisationId,
    /// Its patients.
    pub patients: &'a HashSet<Pseudonym>,
    /// Those of them who work there.
    pub staff: &'a HashMap<Pseudonym, PersonId>,
}

/// What a line is of: principle, action, the reason where it has one, and outcome.
type Kind = (Principle, String, Option<ErasureReason>, &'static str);
type Counted = (Entries, HashSet<Pseudonym>);

/// Makes a report of a log that goes by.
pub struct Reporter<'a> {
    scope: Scope<'a>,
    from: UnixMillis,
    to: UnixMillis,
    lines: BTreeMap<Kind, Counted>,
    recipients: BTreeMap<(OrganisationId, Option<Purpose>), Counted>,
    requests: Requests,
    watch: Watch<'a>,
    /// Patients whom the organisation entered, those that were erased since too.
    entered: HashSet<Pseudonym>,
}

impl<'a> Reporter<'a> {
    /// Of this organisation, over this period; `to` is not within it.
    #[must_use]
    pub fn new(scope: Scope<'a>, from: UnixMillis, to: UnixMillis) -> Self {
        let watch = Watch::new(scope.staff);
        Self {
            scope,
            from,
            to,
            lines: BTreeMap::new(),
            recipients: BTreeMap::new(),
            requests: Requests::default(),
            watch,
            entered: HashSet::new(),
        }
    }

    /// Takes the next entry of the log.
    pub fn take(&mut self, entry: u64, event: &Event) {
        let whose = match event.actor {
            Actor::Staff { organisation, .. } | Actor::Device { organisation, .. } => Some(organisation),
            _ => None,
        };
        let own = whose == Some(self.scope.organisation);
        if own && event.action == Action::Register && event.outcome == Outcome::Done {
            self.entered.extend(event.patient);
        }
        let is_theirs = |patient| self.scope.patients.contains(&patient) || self.entered.contains(&patient);
        let theirs = event.patient.is_some_and(is_theirs);
        if event.at >= self.to || !(own || theirs) {
            return;
        }
        if theirs {
            self.requests.take(entry, event);
        }
        if event.at < self.from {
            return;
        }
        let outcome = match event.outcome {
            Outcome::Done => "done",
            Outcome::Refused { .. } => "refused",
            Outcome::Failed => "failed",
        };
        let kind = (Principle::of(event), name(event.action), reason(event.action), outcome);
        let (entries, patients) = self.lines.entry(kind).or_default();
        entries.add(entry);
        patients.extend(event.patient);
        if own {
            self.watch.take(entry, event);
            return;
        }
        self.watch.take_outsider(entry, event);
        if let Some(other) = whose
            && event.outcome == Outcome::Done
            && matches!(
                event.action,
                Action::View { .. } | Action::Share | Action::Print | Action::Forward | Action::Export { .. }
            )
        {
            let (entries, patients) = self.recipients.entry((other, event.purpose)).or_default();
            entries.add(entry);
            patients.extend(event.patient);
        }
    }

    /// The report.
    #[must_use]
    pub fn finish(self) -> Report {
        let line = |((principle, action, reason, outcome), (entries, patients)): (Kind, Counted)| Line {
            principle,
            action,
            reason,
            outcome,
            count: entries.count(),
            patients: patients.len(),
            entries,
        };
        let recipient = |((organisation, purpose), (entries, patients)): ((_, _), Counted)| Recipient {
            organisation,
            purpose,
            patients: patients.len(),
            entries,
        };
        Report {
            from: self.from,
            to: self.to,
            lines: self.lines.into_iter().map(line).collect(),
            access_requests: self.requests.finish(self.from, self.to),
            recipients: self.recipients.into_iter().map(recipient).collect(),
            unusual: self.watch.finish(),
        }
    }
}

const fn reason(action: Action) -> Option<ErasureReason> {
    if let Action::ErasureDecide { reason } = action { Some(reason) } else { None }
}

/// An action by the name that the log has for it.
fn name(action: Action) -> String {
    match serde_json::to_value(action) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(serde_json::Value::Object(fields)) => fields.into_iter().next().map_or_else(String::new, |(name, _)| name),
        // No action is written otherwise.
        _ => String::new(),
    }
}
