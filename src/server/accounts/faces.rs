//! What accounts look like in answers.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::interop::fhir::Instant;
use crate::room::Token;
use crate::server::App;
use crate::server::error::ApiError;
use crate::store::{StoredRole, StoredSession};

/// An RFC 3339 time of seconds since 1970.
pub(super) fn time(at: i64) -> String {
    Instant::from_unix_seconds(at).as_str().to_owned()
}

/// A ceremony with a passkey, for the browser.
#[derive(Serialize, ToSchema)]
pub(super) struct Asked {
    /// What the answer is sent back with.
    pub ceremony: String,
    /// What `navigator.credentials` is asked for, as JSON.
    #[schema(value_type = Object)]
    pub options: Value,
}

impl Asked {
    pub(super) fn new(ceremony: &Token, options: Value) -> Self {
        Self { ceremony: ceremony.reveal().to_owned(), options }
    }
}

/// An organisation.
#[derive(Serialize, ToSchema)]
pub(super) struct OrganisationFace {
    id: String,
    name: String,
    chinese_name: Option<String>,
}

/// What somebody is in an organisation.
#[derive(Serialize, ToSchema)]
pub(super) struct RoleFace {
    id: String,
    /// `doctor`, `nurse`, `registrar`, `administrator`, `privacy_officer` or `auditor`.
    kind: &'static str,
    organisation: OrganisationFace,
    /// RFC 3339 time; null where no end is known.
    ends_at: Option<String>,
}

impl RoleFace {
    pub(super) async fn of(app: &App, role: &StoredRole) -> Result<Self, ApiError> {
        let found = app.rooms.store().organisation(role.organisation).await?.ok_or(ApiError::Internal)?;
        let organisation = OrganisationFace { id: found.id.to_string(), name: found.name, chinese_name: found.chinese_name };
        let (id, kind, ends_at) = (role.id.to_string(), role.kind.as_str(), role.ends_at.map(time));
        Ok(Self { id, kind, organisation, ends_at })
    }
}

/// An open session.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionRow {
    id: String,
    name: String,
    kind: &'static str,
    /// Where it was begun from.
    address: Option<String>,
    started_at: String,
    seen_at: String,
    ends_at: String,
    /// Whether it is the one that asks.
    this: bool,
}

impl SessionRow {
    pub(super) fn of(session: StoredSession, this: bool) -> Self {
        let StoredSession { id, role, address, started_at, seen_at, ends_at, .. } = session;
        Self {
            id,
            name: role.person.card.name,
            kind: role.kind.as_str(),
            address,
            started_at: time(started_at),
            seen_at: time(seen_at),
            ends_at: time(ends_at),
            this,
        }
    }
}
