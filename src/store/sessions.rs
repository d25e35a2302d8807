//! Open sessions: each of one role, found by the hash of its token. What ended has no row; the audit log tells of it.

use std::net::IpAddr;

use sqlx::FromRow;

use super::act::Act;
use super::database::Upkeep;
use super::people::random;
use super::{By, Place, Store, StoreError, StoredRole};
use crate::audit::{Action, OrganisationId, PersonId, RecordId, RoleId};

/// An open session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSession {
    /// Random; it opens nothing.
    pub id: String,
    /// Whose it is.
    pub role: StoredRole,
    /// The one organisation that it was begun for; nothing where it was for all of the person's.
    pub reach: Option<OrganisationId>,
    /// Where it was begun from.
    pub address: Option<String>,
    /// When, in seconds since 1970.
    pub started_at: i64,
    /// When it was last used, to the minute.
    pub seen_at: i64,
    /// When it ends, used or not.
    pub ends_at: i64,
}

/// A session to begin.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// Whose it will be.
    pub role: RoleId,
    /// The passkey or binding that it begins with, by its id, which says how far it reaches.
    pub credential: String,
    /// When it ends, used or not, in seconds since 1970.
    pub ends_at: i64,
}

/// A session's row.
#[derive(FromRow)]
pub(super) struct Row {
    pub(super) id: String,
    role: String,
    reach: Option<String>,
    address: Option<String>,
    started_at: i64,
    seen_at: i64,
    ends_at: i64,
}

/// What is read of it.
pub(super) const COLUMNS: &str =
    "sessions.id, sessions.role, sessions.reach, sessions.address, sessions.started_at, sessions.seen_at, sessions.ends_at";
const FROM: &str = "FROM sessions JOIN roles ON roles.id = sessions.role";

impl Act {
    /// Ends all sessions of a role.
    pub(super) async fn end_sessions_of(&mut self, role: RoleId) -> Result<(), StoreError> {
        self.execute(sqlx::query("DELETE FROM sessions WHERE role = $1").bind(role.to_string())).await.map(drop)
    }
}

/// What the audit log calls a session.
pub(super) fn record(id: &str) -> Option<RecordId> {
    RecordId::try_from(id.to_owned()).ok()
}

impl Store {
    /// Begins a session; says its id, or nothing where the credential is good for this role no more.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn begin_session(&self, new: &NewSession, at: i64, by: &By) -> Result<Option<String>, StoreError> {
        let id = RecordId::from_bytes(random()?).to_string();
        let mut act = self.begin("begin a session").await?;
        let Some(reach) = act.opens(&new.credential, new.role).await? else { return act.abandon().await.map(|()| None) };
        let insert = "INSERT INTO sessions (id, token_hash, role, reach, credential, address, started_at, seen_at, token_since, ends_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $7, $8)";
        let insert = sqlx::query(insert).bind(&id).bind(new.token_hash.as_slice()).bind(new.role.to_string());
        let insert = insert.bind(reach).bind(&new.credential).bind(by.address.map(|address: IpAddr| address.to_string()));
        act.execute(insert.bind(at).bind(new.ends_at)).await?;
        let insert = "INSERT INTO session_tokens (token_hash, session, generation, taken_at) VALUES ($1, $2, 0, $3)";
        act.execute(sqlx::query(insert).bind(new.token_hash.as_slice()).bind(&id).bind(at)).await?;
        let event = by.did_in_general(Action::SignIn);
        act.commit(&crate::audit::Event { record: record(&id), ..event }).await?;
        Ok(Some(id))
    }

    /// The session that this token is or was of, if it is open. Whether the token is good is for [`Self::show_token`] to say.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], and when it cannot be read.
    pub async fn session_with(&self, token_hash: &[u8; 32]) -> Result<Option<StoredSession>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS} {FROM} JOIN session_tokens ON session_tokens.session = sessions.id WHERE session_tokens.token_hash = $1"
        );
        let row = self.reader().one::<Row>(sqlx::query_as(&query).bind(token_hash.as_slice())).await;
        self.session_of(row.map_err(StoreError::database("read a session"))?).await
    }

    /// The session of this id, if it is open.
    ///
    /// # Errors
    /// As [`Self::session_with`].
    pub async fn session(&self, id: &str) -> Result<Option<StoredSession>, StoreError> {
        let query = format!("SELECT {COLUMNS} {FROM} WHERE sessions.id = $1");
        let row = self.reader().one::<Row>(sqlx::query_as(&query).bind(id)).await;
        self.session_of(row.map_err(StoreError::database("read a session"))?).await
    }

    /// The open sessions of a person's roles in an organisation, or of all its roles, the newest first.
    ///
    /// # Errors
    /// As [`Self::session_with`].
    pub async fn sessions_in(
        &self,
        organisation: OrganisationId,
        of: Option<PersonId>,
    ) -> Result<Vec<StoredSession>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS} {FROM} WHERE roles.organisation = $1 AND ($2 = '' OR roles.person = $2) ORDER BY sessions.started_at DESC"
        );
        let person = of.map(|person| person.to_string()).unwrap_or_default();
        let rows = self.reader().all::<Row>(sqlx::query_as(&query).bind(organisation.to_string()).bind(person)).await;
        let mut sessions = Vec::new();
        for row in rows.map_err(StoreError::database("list the sessions"))? {
            sessions.extend(self.session_of(Some(row)).await?);
        }
        Ok(sessions)
    }

    pub(super) async fn session_of(&self, row: Option<Row>) -> Result<Option<StoredSession>, StoreError> {
        let Some(Row { id, role, reach, address, started_at, seen_at, ends_at }) = row else { return Ok(None) };
        let damaged = |_| Place::row("sessions", "", id.clone()).damaged();
        let role = RoleId::try_from(role).map_err(damaged)?;
        let reach = reach.map(OrganisationId::try_from).transpose().map_err(damaged)?;
        let role = self.role(role).await?;
        Ok(role.map(|role| StoredSession { id, role, reach, address, started_at, seen_at, ends_at }))
    }

    /// Notes that a session is used.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn saw_session(&self, id: &str, at: i64) -> Result<(), StoreError> {
        let update = sqlx::query("UPDATE sessions SET seen_at = $1 WHERE id = $2").bind(at).bind(id);
        let done = self.database().keep_up(Upkeep::Seen, update).await;
        done.map(drop).map_err(StoreError::database("note that a session is used"))
    }

    /// Ends a session; false where there is none.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn end_session(&self, id: &str, by: &By) -> Result<bool, StoreError> {
        let mut act = self.begin("end a session").await?;
        if act.execute(sqlx::query("DELETE FROM sessions WHERE id = $1").bind(id)).await? == 0 {
            return act.abandon().await.map(|()| false);
        }
        let event = by.did_in_general(Action::SignOut);
        act.commit(&crate::audit::Event { record: record(id), ..event }).await.map(|_| true)
    }

    /// Forgets sessions that ended by themselves, or were not used since a time.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn forget_sessions(&self, at: i64, unused_since: i64) -> Result<(), StoreError> {
        let delete = sqlx::query("DELETE FROM sessions WHERE ends_at <= $1 OR seen_at < $2").bind(at).bind(unused_since);
        let done = self.database().keep_up(Upkeep::Seen, delete).await;
        done.map(drop).map_err(StoreError::database("forget sessions that ended"))
    }
}
