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
use super::{Store, StoreError};
use crate::audit::{Action, Actor, Addressee, ConsentId, Event, Outcome, PersonId, Purpose, UnixMillis};
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
    pub(super) fn of(name: &str) -> Self {
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
pub(super) struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) told: Option<Told>,
    pub(super) phone: Option<PatientText>,
    pub(super) mail: Option<PatientText>,
    pub(super) subject: String,
    pub(super) text: PatientText,
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

/// A message that cannot be read is looked at again after so long.
const UNREAD: u64 = 3_600_000;

pub(super) fn place(id: &str) -> Place<'_> {
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
