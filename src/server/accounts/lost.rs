//! A colleague's passkeys, for an administrator who is told that one is lost.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::faces::time;
use super::people::colleague;
use crate::identity::Right;
use crate::server::App;
use crate::server::caller::{Caller, What};
use crate::server::error::{ApiError, ErrorDocument};

#[derive(Serialize, ToSchema)]
pub(super) struct PasskeysOf {
    /// The oldest first.
    passkeys: Vec<PasskeyOf>,
}

/// A colleague's passkey.
#[derive(Serialize, ToSchema)]
struct PasskeyOf {
    id: String,
    /// What its owner calls it.
    label: String,
    created_at: String,
}

/// The passkeys of a colleague that are good in this organisation.
#[utoipa::path(
    get,
    path = "/v1/people/{id}/passkeys",
    params(("id" = String, Path, description = "The person's id")),
    responses((status = 200, description = "The passkeys", body = PasskeysOf), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Json<PasskeysOf>, ApiError> {
    caller.may(&app, Right::ManageAccounts, What::Organisation).await?;
    let person = colleague(&app, &caller, id).await?;
    let mut found = app.rooms.store().passkeys_of(person).await?;
    found.retain(|passkey| passkey.is_good_for(caller.session.organisation));
    let face = found.into_iter().map(|one| PasskeyOf { id: one.id, label: one.label, created_at: time(one.created_at) });
    Ok(Json(PasskeysOf { passkeys: face.collect() }))
}

/// Stops a lost passkey of a colleague in this organisation, the last one too, and ends what it opened here. Where they work in another
/// organisation it goes on there.
#[utoipa::path(
    delete,
    path = "/v1/people/{id}/passkeys/{passkey}",
    params(("id" = String, Path, description = "The person's id"), ("passkey" = String, Path, description = "The passkey's id")),
    responses((status = 204, description = "It opens nothing here any more"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn stop(
    State(app): State<App>,
    caller: Caller,
    Path((id, passkey)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    caller.may(&app, Right::ManageAccounts, What::Organisation).await?;
    let person = colleague(&app, &caller, id).await?;
    if !app.rooms.store().stop_passkey(&passkey, person, caller.session.organisation, &caller.by).await? {
        return Err(ApiError::NotThere);
    }
    app.gate.changed();
    Ok(StatusCode::NO_CONTENT)
}
