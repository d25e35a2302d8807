//! What became of messages to patients: handed over to a gateway, not taken, given up, and how they stand.

use super::database::Upkeep;
use super::outbox::{Kept, Kind, OutboxMessage, OutboxState, Told, place};
use super::{By, Store, StoreError};
use crate::audit::{Action, Actor, Event, OrganisationId, Outcome, Purpose, RecordId, UnixMillis};
use crate::text::PatientText;

/// For so long what failed is told.
pub(super) const WEEK: u64 = 7 * 24 * 3_600_000;

/// How messages stand, for whoever runs the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Those that are tried still.
    pub waiting: u64,
    /// Of these those that a gateway called wrong at the last try: its settings may be.
    pub refused: u64,
    /// Those that no gateway took, of the last week.
    pub failed: u64,
}

/// No try was made, or one that did not succeed.
#[derive(Debug, Clone, Copy, Default)]
pub struct NotTaken {
    /// When it is tried again; never where there is no such time.
    pub next: Option<UnixMillis>,
    /// The status with which the gateway called it wrong, where it did.
    pub wrong: Option<u16>,
}

impl Store {
    /// A gateway took a message. A code's five minutes begin, and that somebody was told of an emergency is in the log, in the same
    /// transaction. `shown` keeps the words, for a page that shows
    /// them; else they are wiped. False where the message was not waiting any more.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn message_handed_over(&self, message: &OutboxMessage, shown: bool, at: UnixMillis) -> Result<bool, StoreError> {
        let key = match self.patient_key(&message.patient).await {
            // Erased while it was under way.
            Err(StoreError::Unknown { .. }) => return Ok(false),
            key => key?,
        };
        let (id, words) = (message.id.to_string(), &message.message);
        let text = if shown { words.text.clone() } else { PatientText::from("") };
        let (told, phone, mail) = (words.told.clone(), words.phone.clone(), words.mail.clone());
        let kept = Kept { told, phone, mail, subject: words.subject.clone(), text };
        let sealed = place(&id).seal_json(&key, &kept)?;
        let update =
            "UPDATE outbox SET state = 'handed_over', tries = tries + 1, document = $1 WHERE id = $2 AND state = 'waiting'";
        let update = sqlx::query(update).bind(sealed).bind(&id);
        let (Kind::Code, Some(consent)) = (words.kind, message.consent) else {
            if words.kind == Kind::Code {
                return self.page_code_handed_over((&id, &key), update, at).await;
            }
            if let Some(told) = &words.told {
                let event = self.event_of(message, at, Outcome::Done)?;
                let mut act = self.begin("keep that somebody was told of an emergency").await?;
                act.hold_patient(&message.patient).await?;
                if act.execute(update).await? == 0 {
                    return act.abandon().await.map(|()| false);
                }
                act.settle_notice(&key, told, Outcome::Done).await?;
                return act.commit(&event).await.map(|_| true);
            }
            let done = self.database().keep_up(Upkeep::Delivery, update).await;
            return Ok(done.map_err(StoreError::database("keep that a message was sent"))? > 0);
        };
        let mut act = self.begin("keep that a code was sent").await?;
        // The consent first, as whoever makes another code does.
        let Some((state, about)) = act.hold_consent(consent, &key).await? else { return act.abandon().await.map(|()| false) };
        if act.execute(update).await? == 0 {
            return act.abandon().await.map(|()| false);
        }
        let taken = state.code_handed_over(at);
        act.keep_consent(&key, &taken.consent, &about).await?;
        let by = By { actor: Actor::System, at, address: None, device: None, purpose: None };
        act.commit_all(taken.events, &by).await?;
        self.consent_changed(consent);
        Ok(true)
    }

    /// How the messages about an organisation's patients stand at a time; of all without one.
    ///
    /// # Errors
    /// When they cannot be counted.
    pub async fn delivered(&self, of: Option<OrganisationId>, at: UnixMillis) -> Result<Delivered, StoreError> {
        let query = "SELECT outbox.state, count(*), count(outbox.refused) FROM outbox JOIN patients ON patients.id = outbox.patient \
            WHERE (outbox.state = 'waiting' OR outbox.state = 'failed' AND outbox.until_at > $2) \
            AND ($1 = '' OR patients.organisation = $1) GROUP BY outbox.state";
        let query = sqlx::query_as(query).bind(of.map(|of| of.to_string()).unwrap_or_default());
        let query = query.bind(at.0.saturating_sub(WEEK).cast_signed());
        let rows = self.reader().all::<(String, i64, i64)>(query).await;
        let mut all = Delivered::default();
        for (state, count, refused) in rows.map_err(StoreError::database("count messages"))? {
            match OutboxState::of(&state) {
                OutboxState::Waiting => (all.waiting, all.refused) = (count.unsigned_abs(), refused.unsigned_abs()),
                OutboxState::Failed => all.failed = count.unsigned_abs(),
                OutboxState::HandedOver => {}
            }
        }
        Ok(all)
    }

    /// No gateway took a message. That it is tried no more is an event.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn message_not_taken(
        &self,
        message: &OutboxMessage,
        NotTaken { next, wrong }: NotTaken,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        let id = message.id.to_string();
        if let Some(next) = next {
            let update = "UPDATE outbox SET tries = tries + 1, next_at = $1, refused = $2, \
                refused_at = CASE WHEN $2 IS NULL THEN NULL ELSE coalesce(refused_at, $3) END WHERE id = $4 AND state = 'waiting'";
            let update = sqlx::query(update).bind(next.0.cast_signed()).bind(wrong.map(i64::from));
            let done = self.database().keep_up(Upkeep::Delivery, update.bind(at.0.cast_signed()).bind(&id)).await;
            return done.map(drop).map_err(StoreError::database("keep that a message was not sent"));
        }
        let event = self.event_of(message, at, Outcome::Failed)?;
        let told = match &message.message.told {
            Some(told) => match self.patient_key(&message.patient).await {
                // Erased, and what waited given up.
                Err(StoreError::Unknown { .. }) => return Ok(()),
                key => Some((told, key?)),
            },
            None => None,
        };
        let mut act = self.begin("keep that a message cannot be sent").await?;
        if told.is_some() {
            act.hold_patient(&message.patient).await?;
        }
        let update = "UPDATE outbox SET tries = tries + 1, state = 'failed' WHERE id = $1 AND state = 'waiting'";
        if act.execute(sqlx::query(update).bind(&id)).await? == 0 {
            return act.abandon().await;
        }
        if let Some((told, key)) = told {
            act.settle_notice(&key, told, Outcome::Failed).await?;
        }
        act.commit(&event).await.map(drop)
    }

    /// The event of a message that was handed over, or is tried no more.
    pub(super) fn event_of(&self, message: &OutboxMessage, at: UnixMillis, outcome: Outcome) -> Result<Event, StoreError> {
        let told = message.message.told.as_ref();
        let action = match (message.message.kind, told) {
            (Kind::Code, _) => Action::ConsentCode,
            (Kind::Link, _) => Action::ConsentRequest,
            (Kind::Notice, Some(Told { whom, .. })) => Action::BreakGlassTell { whom: *whom },
            (Kind::Notice, None) => Action::BreakGlassAnnounce,
            (Kind::Contact, _) => Action::ContactChange,
        };
        let (patient, consent) = (Some(self.pseudonym(&message.patient)?), message.consent);
        let record = told.and_then(|told| told.person).map(|person| RecordId::from_bytes(*person.bytes()));
        let purpose = (message.message.kind == Kind::Notice).then_some(Purpose::Emergency);
        Ok(Event { patient, consent, record, purpose, ..Event::new(at, Actor::System, action, outcome) })
    }
}
