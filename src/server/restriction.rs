//! Marks a note as restricted, before or after it is signed, and takes the mark away.
//!
//! A mark only narrows what others see, so whoever works on the note may set it. Taking it away opens the note to whom it is shared with,
//! which is for who may sign it.

use axum::Json;
use axum::extract::{Path, State};

use super::App;
use super::caller::{Caller, What};
use super::error::{ApiError, ErrorDocument};
use super::signing::{Desk, desk, kept, signature};
use crate::audit::Action;
use crate::identity::Right;
use crate::store::Restriction;

/// Marks the note as restricted: who it is shared with sees nothing of it from now on, unless the patient has said yes to restricted data.
#[utoipa::path(
    put,
    path = "/v1/recordings/{id}/note/restriction",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 200, description = "The note's desk", body = Desk), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn mark(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Json<Desk>, ApiError> {
    caller.may_do(&app, (Right::Edit, Action::Restrict), What::Recording(&id)).await?;
    set(&app, &caller, &id, true).await
}

/// Takes the mark of a restricted note away.
#[utoipa::path(
    delete,
    path = "/v1/recordings/{id}/note/restriction",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 200, description = "The note's desk", body = Desk), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn unmark(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Json<Desk>, ApiError> {
    caller.may_do(&app, (Right::Sign, Action::Unrestrict), What::Recording(&id)).await?;
    set(&app, &caller, &id, false).await
}

async fn set(app: &App, caller: &Caller, id: &str, restricted: bool) -> Result<Json<Desk>, ApiError> {
    let new = Restriction { restricted, signature: signature(caller)? };
    if !app.rooms.store().restrict(id, &new, &caller.by).await? {
        // It was so already: what is told of the note was read all the same.
        caller.reads(app, Action::View { count: 1 }, id).await?;
    }
    Ok(Json(desk(app, caller, id, &kept(app, id).await?).await?))
}
