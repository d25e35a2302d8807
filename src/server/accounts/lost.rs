//! What lets a colleague in, for an administrator who is told that one of it is lost.

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
pub(super) struct CredentialsOf {
    /// The oldest first.
    passkeys: Vec<PasskeyOf>,
    /// Sign-ins at issuers of OpenID Connect, the oldest first.
    bindings: Vec<BindingOf>,
}

/// A colleague's passkey.
#[derive(Serialize, ToSchema)]
struct PasskeyOf {
    id: String,
    /// What its owner calls it.
    label: String,
    created_at: String,
}

/// A colleague's sign-in at an issuer.
#[derive(Serialize, ToSchema)]
struct BindingOf {
    id: String,
    /// The issuer's address.
    issuer: String,
    created_at: String,
}

/// The passkeys of a colleague, and their sign-ins at issuers, that are good in this organisation.
#[utoipa::path(
    get,
    path = "/v1/people/{id}/credentials",
    params(("id" = String, Path, description = "The person's id")),
    responses((status = 200, description = "What lets them in here", body = CredentialsOf), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<CredentialsOf>, ApiError> {
    caller.may(&app, Right::ManageAccounts, What::Organisation).await?;
    let (person, here) = (colleague(&app, &caller, id).await?, caller.session.organisation);
    let passkeys = app.rooms.store().passkeys_of(person).await?.into_iter().filter(|one| one.is_good_for(here));
    let passkeys = passkeys.map(|one| PasskeyOf { id: one.id, label: one.label, created_at: time(one.created_at) });
    let bindings = app.rooms.store().bindings_of(person).await?.into_iter().filter(|one| one.is_good_for(here));
    let bindings = bindings.map(|one| BindingOf { id: one.id, issuer: one.issuer, created_at: time(one.created_at) });
    let found = CredentialsOf { passkeys: passkeys.collect(), bindings: bindings.collect() };
    caller.read_of(&app, found.passkeys.len() + found.bindings.len()).await?;
    Ok(Json(found))
}

/// Stops a lost passkey of a colleague, or a sign-in at an issuer, in this organisation, the last one too, and ends what it opened here. Where
/// they work in another organisation it goes on there.
#[utoipa::path(
    delete,
    path = "/v1/people/{id}/credentials/{credential}",
    params(("id" = String, Path, description = "The person's id"), ("credential" = String, Path, description = "The passkey's or the sign-in's id")),
    responses((status = 204, description = "It opens nothing here any more"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn stop(
    State(app): State<App>,
    caller: Caller,
    Path((id, credential)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    caller.may(&app, Right::ManageAccounts, What::Organisation).await?;
    let person = colleague(&app, &caller, id).await?;
    if !app.rooms.store().stop_credential(&credential, person, caller.session.organisation, &caller.by).await? {
        return Err(ApiError::NotThere);
    }
    app.gate.changed();
    Ok(StatusCode::NO_CONTENT)
}
