//! Messages to patients, kept until a gateway has taken them.
//!
//! A message is made in the transaction of what it tells of, under an id that stays the same at each try. What it says is sealed with the
//! patient's key and wiped when it was handed over: it may hold a code.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::act::Act;
use super::database::Upkeep;
use super::keys::Whose;
use super::patients::new_id;
use super::place::Place;
use super::{By, Store, StoreError};
use crate::audit::{
    Action, Actor, Addressee, ConsentId, Event, OrganisationId, Outcome, PersonId, Purpose, RecordId, UnixMillis,
};
use crate::gateway::MessageId;
use crate::spool::Key;
use crate::text::PatientText;

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The link to a request.
    Link,
    /// The code of an opened page.
    Code,
    /// That a record was opened in an emergency.
    Notice,
    /// That the patient is reached otherwise from now on, to where they were reached before.
    Contact,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Code => "code",
            Self::Notice => "notice",
            Self::Contact => "contact",
        }
    }
}

/// How far a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// It is tried until its time is over.
    Waiting,
    /// A gateway has taken it, or the outbox page shows it.
    HandedOver,
    /// No gateway took it in its time, or one said that it never will.
    Failed,
}

impl OutboxState {
    fn of(name: &str) -> Self {
        match name {
            "waiting" => Self::Waiting,
            "handed_over" => Self::HandedOver,
            _ => Self::Failed,
        }
    }
}

/// Who is told that a record was opened in an emergency: what the log says of it once they are, or cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// As what.
    pub whom: Addressee,
    /// Which person, of those who work there.
    pub person: Option<PersonId>,
    /// The emergency, which says who was told; its id, once it has one. Nothing for notices of versions before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<String>,
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// What for.
    pub kind: Kind,
    /// To whom, where it is not to the patient about a consent or a contact; nothing for notices of versions before.
    pub told: Option<Told>,
    /// A telephone number.
    pub phone: Option<PatientText>,
    /// A mailbox, where there is no number.
    pub mail: Option<PatientText>,
    /// The subject of a mail.
    pub subject: String,
    /// What it says.
    pub text: PatientText,
    /// When it makes no sense any more.
    pub until: UnixMillis,
}

/// A message as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// The same at each try.
    pub id: MessageId,
    /// Whom it goes to.
    pub patient: String,
    /// The consent that it is about.
    pub consent: Option<ConsentId>,
    /// How far it is.
    pub state: OutboxState,
    /// How often it was tried.
    pub tries: u32,
    /// Since when its gateway has called it wrong, where it does.
    pub refused_at: Option<UnixMillis>,
    /// What it is: its text is empty once a gateway has it.
    pub message: Outgoing,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<Told>,
    phone: Option<PatientText>,
    mail: Option<PatientText>,
    subject: String,
    text: PatientText,
}

#[derive(FromRow)]
struct Row {
    id: String,
    patient: String,
    consent: String,
    kind: String,
    state: String,
    tries: i64,
    until_at: i64,
    refused_at: Option<i64>,
    document: Vec<u8>,
}

const SELECT: &str =
    "SELECT id, patient, coalesce(consent, '') AS consent, kind, state, tries, until_at, refused_at, document FROM outbox";

/// For so long what failed is told.
pub(super) const WEEK: u64 = 7 * 24 * 3_600_000;

/// A message that cannot be read is looked at again after so long.
const UNREAD: u64 = 3_600_000;

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

fn place(id: &str) -> Place<'_> {
    Place::new("outbox.document", id)
}

fn message_id(text: &str) -> Option<MessageId> {
    Some(MessageId::from_bytes(URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?))
}

impl Row {
    fn open(self, key: &Key) -> Result<OutboxMessage, StoreError> {
        let place = place(&self.id);
        let Kept { told, phone, mail, subject, text } = place.unseal_json(key, &self.document)?;
        let known = [Kind::Link, Kind::Code, Kind::Notice, Kind::Contact].into_iter().find(|kind| kind.name() == self.kind);
        let kind = known.ok_or_else(|| place.damaged())?;
        let until = UnixMillis(self.until_at.unsigned_abs());
        Ok(OutboxMessage {
            id: message_id(&self.id).ok_or_else(|| place.damaged())?,
            patient: self.patient,
            consent: ConsentId::try_from(self.consent).ok(),
            state: OutboxState::of(&self.state),
            tries: u32::try_from(self.tries).unwrap_or(u32::MAX),
            refused_at: self.refused_at.map(|at| UnixMillis(at.unsigned_abs())),
            message: Outgoing { kind, told, phone, mail, subject, text, until },
        })
    }
}

impl Store {
    /// At most so many messages whose time for a try has come, the oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn messages_due(&self, at: UnixMillis, most: u32) -> Result<Vec<OutboxMessage>, StoreError> {
        let query = format!("{SELECT} WHERE state = 'waiting' AND next_at <= $1 ORDER BY number LIMIT $2");
        let query = sqlx::query_as(&query).bind(at.0.cast_signed()).bind(i64::from(most));
        let rows = self.reader().all::<Row>(query).await.map_err(StoreError::database("read messages"))?;
        let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        let found = self.open_messages(Ok(rows)).await?;
        // One that cannot be read waits, so that those behind it have their turn.
        let unread = ids.iter().filter(|id| found.iter().all(|message| message.id.to_string() != **id));
        for id in unread {
            let wait = sqlx::query("UPDATE outbox SET next_at = $1 WHERE id = $2 AND state = 'waiting'");
            let wait = wait.bind(at.after(UNREAD).0.cast_signed()).bind(id);
            self.database().keep_up(Upkeep::Delivery, wait).await.map_err(StoreError::database("put a message off"))?;
        }
        Ok(found)
    }

    /// When the next message is due, if any waits.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn next_message(&self) -> Result<Option<UnixMillis>, StoreError> {
        let query = sqlx::query_as("SELECT next_at FROM outbox WHERE state = 'waiting' ORDER BY next_at LIMIT 1");
        let row = self.reader().one::<(i64,)>(query).await.map_err(StoreError::database("look for messages"))?;
        Ok(row.map(|(at,)| UnixMillis(at.unsigned_abs())))
    }

    /// The newest messages, for the outbox page.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn messages(&self, most: u32) -> Result<Vec<OutboxMessage>, StoreError> {
        let query = format!("{SELECT} ORDER BY number DESC LIMIT $1");
        let query = sqlx::query_as(&query).bind(i64::from(most));
        self.open_messages(self.reader().all::<Row>(query).await).await
    }

    /// One that is damaged is left out and named in the log.
    async fn open_messages(&self, rows: Result<Vec<Row>, sqlx::Error>) -> Result<Vec<OutboxMessage>, StoreError> {
        let mut found = Vec::new();
        for row in rows.map_err(StoreError::database("read messages"))? {
            let opened = match self.patient_key(&row.patient).await {
                Ok(key) => row.open(&key),
                Err(error) => Err(error),
            };
            match opened {
                Ok(message) => found.push(message),
                // Not that it cannot be read: nothing can.
                Err(error @ StoreError::Database { .. }) => return Err(error),
                Err(error) => tracing::error!(%error, "the outbox leaves a message out"),
            }
        }
        Ok(found)
    }

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
    fn event_of(&self, message: &OutboxMessage, at: UnixMillis, outcome: Outcome) -> Result<Event, StoreError> {
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

    /// Waits until there may be a message to deliver.
    pub async fn more_messages(&self) {
        self.shared.more_messages.notified().await;
    }

    pub(super) fn messages_wait(&self) {
        self.shared.more_messages.notify_one();
    }
}

impl Act {
    /// Gives up what people were to be told of emergencies of a patient who is being erased: that they are not told is an event each.
    pub(super) async fn give_up_notices(&mut self, store: &Store, patient: &str, at: UnixMillis) -> Result<(), StoreError> {
        // No message that waits is due at this time, which tells these from what failed before.
        let give_up =
            "UPDATE outbox SET state = 'failed', next_at = -1 WHERE patient = $1 AND state = 'waiting' AND kind = 'notice'";
        if self.execute(sqlx::query(give_up).bind(patient)).await? == 0 {
            return Ok(());
        }
        let given_up = format!("{SELECT} WHERE patient = $1 AND next_at = -1 ORDER BY number");
        let given_up = self.all::<Row>(sqlx::query_as(&given_up).bind(patient)).await?;
        for row in given_up {
            match store.shared.keys.key(Whose::Patient, patient).and_then(|key| row.open(&key)) {
                Ok(message) => drop(self.enter(&store.event_of(&message, at, Outcome::Failed)?).await?),
                Err(error) => {
                    tracing::error!(%error, "a notice that cannot be read is given up");
                    let (patient, purpose) = (Some(store.pseudonym(patient)?), Some(Purpose::Emergency));
                    let event = Event::new(at, Actor::System, Action::BreakGlassAnnounce, Outcome::Failed);
                    self.enter(&Event { patient, purpose, ..event }).await?;
                }
            }
        }
        Ok(())
    }

    /// Puts a message into the outbox, about a consent or about none; its id. A code takes the place of those of the same consent that still
    /// wait.
    pub(super) async fn post(
        &mut self,
        key: &Key,
        patient: &str,
        consent: Option<ConsentId>,
        message: Outgoing,
        at: UnixMillis,
    ) -> Result<String, StoreError> {
        let id = new_id()?;
        let Outgoing { kind, told, phone, mail, subject, text, until } = message;
        let sealed = place(&id).seal_json(key, &Kept { told, phone, mail, subject, text })?;
        let columns = "INSERT INTO outbox (id, number, patient, consent, kind, state, tries, next_at, until_at, document)";
        let numbered = "(SELECT coalesce(max(number), 0) + 1 FROM outbox)";
        let Some(consent) = consent.map(|consent| consent.to_string()) else {
            let insert = format!("{columns} VALUES ($1, {numbered}, $2, NULL, $3, 'waiting', 0, $4, $5, $6)");
            let insert = sqlx::query(&insert).bind(&id).bind(patient).bind(kind.name()).bind(at.0.cast_signed());
            self.execute(insert.bind(until.0.cast_signed()).bind(sealed)).await?;
            return Ok(id);
        };
        if kind == Kind::Code {
            let void = "DELETE FROM outbox WHERE consent = $1 AND kind = 'code' AND state = 'waiting'";
            self.execute(sqlx::query(void).bind(&consent)).await?;
        }
        let insert = format!("{columns} SELECT $1, {numbered}, $2, id, $3, 'waiting', 0, $4, $5, $6 FROM consents WHERE id = $7");
        let insert = sqlx::query(&insert).bind(&id).bind(patient).bind(kind.name()).bind(at.0.cast_signed());
        let insert = insert.bind(until.0.cast_signed()).bind(sealed).bind(consent);
        if self.execute(insert).await? == 0 {
            return Err(StoreError::Unknown { what: "consent", id });
        }
        Ok(id)
    }
}
