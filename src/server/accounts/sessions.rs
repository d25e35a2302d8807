//! Open sessions: one's own, and for administrators those of their organisation.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::faces::SessionRow;
use crate::identity::{Right, RoleKind};
use crate::server::App;
use crate::server::caller::{Caller, Pass, What};
use crate::server::error::{ApiError, ErrorDocument};

#[derive(Serialize, ToSchema)]
pub(super) struct Sessions {
    /// The newest first.
    sessions: Vec<SessionRow>,
}

/// Whose sessions somebody sees: all of the organisation, or their own in it.
fn of(caller: &Caller) -> Option<crate::audit::PersonId> {
    if caller.session.kind == RoleKind::Administrator { None } else { caller.person() }
}

/// The open sessions.
#[utoipa::path(
    get,
    path = "/v1/sessions",
    responses((status = 200, description = "One's own in this organisation; for an administrator all of it", body = Sessions), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Sessions>, ApiError> {
    if of(&caller).is_none() {
        caller.may(&app, Right::ManageAccounts, What::Organisation).await?;
    }
    let found = app.rooms.store().sessions_in(caller.session.organisation, of(&caller)).await?;
    if of(&caller).is_none() {
        caller.read_of(&app, found.len()).await?;
    }
    let this = |id: &str| matches!(&caller.pass, Pass::Session(own) if own == id);
    let sessions = found.into_iter().map(|session| {
        let this = this(&session.id);
        SessionRow::of(session, this)
    });
    Ok(Json(Sessions { sessions: sessions.collect() }))
}

/// Ends a session, and what is open of it.
#[utoipa::path(
    delete,
    path = "/v1/sessions/{id}",
    params(("id" = String, Path, description = "The session's id")),
    responses((status = 204, description = "It is ended"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn end(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    let store = app.rooms.store();
    let seen = store.sessions_in(caller.session.organisation, of(&caller)).await?;
    if !seen.iter().any(|session| session.id == id) {
        return Err(ApiError::NotThere);
    }
    let is_own = seen.iter().any(|session| session.id == id && Some(session.role.person.id) == caller.person());
    if !is_own {
        caller.may(&app, Right::ManageAccounts, What::Organisation).await?;
    }
    store.end_session(&id, &caller.by).await?;
    app.gate.changed();
    Ok(StatusCode::NO_CONTENT)
}
