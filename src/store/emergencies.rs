//! Records that were opened without consent in an emergency: what was said of why, and the messages that tell of it, committed with the
//! events before anything is shown. Who was told is kept, with its event, once a message was handed over.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::act::Act;
use super::outbox::Told;
use super::patients::new_id;
use super::place::Place;
use super::{By, Outgoing, Store, StoreError};
use crate::audit::{Addressee, EmergencyReason, Event, OrganisationId, Outcome, Pseudonym, RoleId, UnixMillis};
use crate::spool::Key;
use crate::text::PatientText;

/// Emergencies in a list.
const LISTED: u32 = 200;

/// What is known of an emergency beside whose and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmergencyAbout {
    /// The name of the doctor.
    pub doctor: String,
    /// Where they work.
    pub organisation: String,
    /// Why, as one of a few.
    pub reason: EmergencyReason,
    /// Why, in the doctor's words.
    pub words: PatientText,
    /// The recordings whose notes it is about.
    pub notes: Vec<String>,
    /// Who was told: whose message was handed over. Versions before kept here whom they meant to tell, or nothing.
    #[serde(default)]
    pub told: Option<EmergencyTold>,
    /// Whose message waits still; nothing for those of versions before.
    #[serde(default)]
    pub queued: Option<EmergencyTold>,
}

impl EmergencyAbout {
    /// Who was told, and who is about to be, where it is known.
    #[must_use]
    pub fn reached(&self) -> Option<(EmergencyTold, EmergencyTold)> {
        self.told.zip(self.queued)
    }
}

/// Who was told of an emergency, or is about to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmergencyTold {
    /// The patient.
    pub patient: bool,
    /// How many privacy officers.
    pub officers: u32,
    /// How many administrators, where no privacy officer could be told.
    pub administrators: u32,
}

impl EmergencyTold {
    /// One more.
    pub fn add(&mut self, whom: Addressee) {
        match whom {
            Addressee::Patient => self.patient = true,
            Addressee::PrivacyOfficer => self.officers = self.officers.saturating_add(1),
            Addressee::Administrator => self.administrators = self.administrators.saturating_add(1),
        }
    }

    /// One less.
    fn remove(&mut self, whom: Addressee) {
        match whom {
            Addressee::Patient => self.patient = false,
            Addressee::PrivacyOfficer => self.officers = self.officers.saturating_sub(1),
            Addressee::Administrator => self.administrators = self.administrators.saturating_sub(1),
        }
    }
}

/// An emergency as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEmergency {
    /// Random.
    pub id: String,
    /// Whose record.
    pub patient: String,
    /// The organisation that has it.
    pub owner: OrganisationId,
    /// The role that opened it.
    pub role: RoleId,
    /// When.
    pub opened_at: UnixMillis,
    /// Until when: not at this time any more.
    pub ends_at: UnixMillis,
    /// What else is known.
    pub about: EmergencyAbout,
}

#[derive(FromRow)]
struct Row {
    id: String,
    patient: String,
    owner: String,
    role: String,
    opened_at: i64,
    ends_at: i64,
    document: Vec<u8>,
}

const SELECT: &str = "SELECT id, patient, owner, role, opened_at, ends_at, document FROM emergencies";

fn place(id: &str) -> Place<'_> {
    Place::new("emergencies.document", id)
}

impl Store {
    /// Keeps an emergency with its events and messages; its id and the number of its last event. `new` has no id yet.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such patient, [`StoreError::NoEvent`], and when it cannot be written: then nothing may be
    /// shown.
    pub async fn open_emergency(
        &self,
        new: StoredEmergency,
        events: Vec<Event>,
        messages: Vec<Outgoing>,
        by: &By,
    ) -> Result<(String, u64), StoreError> {
        let key = self.patient_key(&new.patient).await?;
        let id = new_id()?;
        let sealed = place(&id).seal_json(&key, &new.about)?;
        let mut act = self.begin("open a record in an emergency").await?;
        // Whoever erases the patient waits, or has done so.
        act.hold_patient(&new.patient).await?;
        let insert = "INSERT INTO emergencies (id, patient, owner, role, opened_at, ends_at, document) \
            SELECT $1, id, $2, $3, $4, $5, $6 FROM patients WHERE id = $7";
        let insert = sqlx::query(insert).bind(&id).bind(new.owner.to_string()).bind(new.role.to_string());
        let insert = insert.bind(new.opened_at.0.cast_signed()).bind(new.ends_at.0.cast_signed());
        if act.execute(insert.bind(sealed).bind(&new.patient)).await? == 0 {
            act.abandon().await?;
            return Err(StoreError::Unknown { what: "patient", id: new.patient });
        }
        for mut message in messages {
            if let Some(told) = &mut message.told {
                told.emergency = Some(id.clone());
            }
            act.post(&key, &new.patient, None, message, by.at).await?;
        }
        let entry = act.commit_all(events, by).await?;
        self.messages_wait();
        Ok((id, entry))
    }

    /// The emergency of this id that this role opened and that is not over, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] and when it cannot be read.
    pub async fn emergency(&self, id: &str, role: RoleId, at: UnixMillis) -> Result<Option<StoredEmergency>, StoreError> {
        let query = format!("{SELECT} WHERE id = $1 AND role = $2 AND ends_at > $3");
        let query = sqlx::query_as(&query).bind(id).bind(role.to_string()).bind(at.0.cast_signed());
        match self.reader().one::<Row>(query).await.map_err(StoreError::database("read an emergency"))? {
            Some(row) => self.open_emergency_row(row).await.map(Some),
            None => Ok(None),
        }
    }

    /// The emergencies of a role that are not over, the newest first. One that is damaged is left out and named in the log.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn emergencies_of(&self, role: RoleId, at: UnixMillis) -> Result<Vec<StoredEmergency>, StoreError> {
        let query = format!("{SELECT} WHERE role = $1 AND ends_at > $2 ORDER BY opened_at DESC, id");
        let query = sqlx::query_as(&query).bind(role.to_string()).bind(at.0.cast_signed());
        let rows = self.reader().all::<Row>(query).await;
        self.readable_emergencies(rows.map_err(StoreError::database("list emergencies"))?).await
    }

    /// The newest emergencies about patients of an organisation, each with what the log calls the patient.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn emergencies_at(&self, owner: OrganisationId) -> Result<Vec<(StoredEmergency, Pseudonym)>, StoreError> {
        let query = format!("{SELECT} WHERE owner = $1 ORDER BY opened_at DESC, id LIMIT $2");
        let query = sqlx::query_as(&query).bind(owner.to_string()).bind(i64::from(LISTED));
        let rows = self.reader().all::<Row>(query).await.map_err(StoreError::database("list emergencies"))?;
        let found = self.readable_emergencies(rows).await?;
        found.into_iter().map(|found| self.pseudonym(&found.patient).map(|patient| (found, patient))).collect()
    }

    async fn readable_emergencies(&self, rows: Vec<Row>) -> Result<Vec<StoredEmergency>, StoreError> {
        let mut found = Vec::new();
        for row in rows {
            match self.open_emergency_row(row).await {
                Ok(emergency) => found.push(emergency),
                Err(error) => tracing::error!(%error, "a list leaves an emergency out"),
            }
        }
        Ok(found)
    }

    async fn open_emergency_row(&self, row: Row) -> Result<StoredEmergency, StoreError> {
        let key = self.patient_key(&row.patient).await?;
        let place = place(&row.id);
        let about = place.unseal_json(&key, &row.document)?;
        let owner = OrganisationId::try_from(row.owner).map_err(|_| place.damaged())?;
        let role = RoleId::try_from(row.role).map_err(|_| place.damaged())?;
        let time = |time: i64| UnixMillis(time.unsigned_abs());
        let (opened_at, ends_at) = (time(row.opened_at), time(row.ends_at));
        Ok(StoredEmergency { patient: row.patient, owner, role, opened_at, ends_at, about, id: row.id.clone() })
    }
}

impl Act {
    /// Keeps in an emergency that somebody was told of it, or is not any more. It holds the patient.
    pub(super) async fn settle_notice(&mut self, key: &Key, told: &Told, outcome: Outcome) -> Result<(), StoreError> {
        let Some(id) = &told.emergency else { return Ok(()) };
        let query = sqlx::query_as("SELECT document FROM emergencies WHERE id = $1").bind(id);
        let Some((sealed,)) = self.one::<(Vec<u8>,)>(query).await? else { return Ok(()) };
        let place = place(id);
        let mut about: EmergencyAbout = match place.unseal_json(key, &sealed) {
            Ok(about) => about,
            // The event is kept all the same.
            Err(error) => {
                tracing::error!(%error, "who was told of an emergency is in the log alone");
                return Ok(());
            }
        };
        if let Some(queued) = &mut about.queued {
            queued.remove(told.whom);
        }
        if outcome == Outcome::Done {
            about.told.get_or_insert_default().add(told.whom);
        }
        let sealed = place.seal_json(key, &about)?;
        let update = sqlx::query("UPDATE emergencies SET document = $1 WHERE id = $2").bind(sealed).bind(id);
        self.execute(update).await.map(drop)
    }
}
