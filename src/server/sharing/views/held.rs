//! What one open view rests on, and whether its permits hold.

use std::time::Duration;

use tokio::sync::broadcast;

use crate::audit::{ConsentId, Event, Purpose, RecordId, Refusal, RoleId, UnixMillis};
use crate::consent::{Ask, Consent, Permit, Use, Uses, decide};
use crate::letter::Picture;
use crate::note::compose::Language;
use crate::sharing::View;
use crate::store::{By, Store};

/// How long a look at the time of a permit may be late. What ends one is told at once.
const BEAT: Duration = Duration::from_millis(500);

/// What a view rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server::sharing) enum Source {
    /// A consent in force.
    Consent(ConsentId),
    /// An emergency about this patient, until its end.
    Emergency { patient: String, ends: UnixMillis },
}

/// One open view.
pub(super) struct Held {
    pub(super) role: RoleId,
    pub(super) source: Source,
    /// The recording whose note it is.
    pub(super) note: String,
    pub(super) record: RecordId,
    pub(super) purpose: Purpose,
    pub(super) permits: Vec<Permit>,
    pub(super) view: View,
    pub(super) language: Language,
    pub(super) uses: Uses,
    /// Its pages.
    pub(super) pictures: Vec<Picture>,
}

impl Held {
    /// The consent that it rests on.
    pub(super) fn consent(&self) -> Option<ConsentId> {
        match &self.source {
            Source::Consent(id) => Some(*id),
            Source::Emergency { .. } => None,
        }
    }

    /// Whether all its permits hold, by the consent and the note's mark as they are in the database now.
    ///
    /// # Errors
    /// Why not; [`Refusal::Error`] where that could not be found out.
    pub(super) async fn still(&self, store: &Store, at: UnixMillis) -> Result<(), Refusal> {
        let restricted = store.is_restricted(&self.note).await.map_err(|_| Refusal::Error)?;
        let theirs = match &self.source {
            Source::Consent(id) => {
                let stored = store.consent(*id).await.map_err(|_| Refusal::Error)?;
                let consent = stored.as_ref().map(|stored| &stored.consent);
                self.permits.iter().try_for_each(|permit| permit.still_holds(consent, restricted, at))?;
                let Some(stored) = stored else { return Err(Refusal::NoConsent) };
                super::is_theirs(store, &stored, &self.note).await
            }
            Source::Emergency { ends, .. } if at >= *ends => return Err(Refusal::Expired),
            Source::Emergency { patient, .. } => {
                self.permits.iter().try_for_each(|permit| permit.still_holds(None, restricted, at))?;
                store.stands_with(&self.note, patient).await
            }
        };
        if !theirs.map_err(|_| Refusal::Error)? {
            return Err(Refusal::OtherPatient);
        }
        // A note that was erased since is seen no more.
        let kept = store.recording(&self.note).await.map_err(|_| Refusal::Error)?;
        kept.map(drop).ok_or(Refusal::OtherRecord)
    }

    /// Completes when its permits hold no more. `changes` has to have been listening since before they were looked at last.
    pub(super) async fn ended(&self, store: &Store, mut changes: broadcast::Receiver<ConsentId>) -> Refusal {
        let until = self.permits.iter().map(Permit::until).min().unwrap_or(UnixMillis(0));
        let until = match &self.source {
            Source::Consent(_) => until,
            Source::Emergency { ends, .. } => until.min(*ends),
        };
        loop {
            tokio::select! {
                change = changes.recv() => match change {
                    Ok(id) if Some(id) != self.consent() => continue,
                    // Changes that were missed may have been of this one.
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return Refusal::Error,
                },
                // Nobody tells an emergency that its note was erased or a merge taken back: it looks itself.
                () = tokio::time::sleep(BEAT) => {
                    if self.consent().is_some() && super::super::courier::now() < until {
                        continue;
                    }
                }
            }
            if let Err(refusal) = self.still(store, super::super::courier::now()).await {
                return refusal;
            }
        }
    }
}

/// Asks a consent for each of its domains of a record, which is marked as `restricted` or not: the permits if all are allowed, and what has to be written before anything is shown.
pub(super) fn decided(
    consent: &Consent,
    by: &By,
    (record, restricted, purpose): (RecordId, bool, Purpose),
    to: Use,
) -> (Result<Vec<Permit>, Refusal>, Vec<Event>) {
    let scope = consent.scope();
    let (mut permits, mut events) = (Ok(Vec::new()), Vec::new());
    for domain in &scope.domains {
        let (who, patient, purpose) = (by.actor, scope.patient, Some(purpose));
        let ask = Ask { who, patient, purpose, record, domain: *domain, restricted, to };
        let (decision, event) = decide(Ok::<_, ()>(std::slice::from_ref(consent)), &ask, by.at);
        events.push(event.from(by.address, by.device));
        match (decision, &mut permits) {
            (Ok(permit), Ok(permits)) => permits.push(permit),
            (Err(refusal), Ok(_)) => permits = Err(refusal),
            (_, Err(_)) => {}
        }
    }
    (permits, events)
}
