//! A person's own passkeys. Two are asked for: one may be lost.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::enrolments::Registered;
use super::faces::{Asked, time};
use super::{Begun, refused, sign_in, text};
use crate::audit::{PersonId, Refusal};
use crate::room::Token;
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::Caller;
use crate::server::error::{ApiError, ErrorDocument};
use crate::store::Remover;

#[derive(Serialize, ToSchema)]
pub(super) struct Passkeys {
    /// The oldest first.
    passkeys: Vec<PasskeyFace>,
}

/// A passkey.
#[derive(Serialize, ToSchema)]
struct PasskeyFace {
    id: String,
    label: String,
    created_at: String,
    /// Whether it is good for one organisation alone: an administrator gave the token that it was registered with.
    limited: bool,
    /// Whether it opens nothing in the organisation of this session any more.
    stopped: bool,
}

/// Whose account it is.
pub(super) fn person(caller: &Caller) -> Result<PersonId, ApiError> {
    caller.person().ok_or(ApiError::NotAllowed)
}

/// Who asks, as somebody who removes what lets them in.
pub(super) fn remover(caller: &Caller) -> Result<Remover<'_>, ApiError> {
    let (organisation, reach, session) = (caller.session.organisation, caller.reach, caller.pass.session());
    Ok(Remover { person: person(caller)?, organisation, reach, session })
}

/// The passkeys of who asks.
#[utoipa::path(
    get,
    path = "/v1/passkeys",
    responses((status = 200, description = "The passkeys", body = Passkeys), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Passkeys>, ApiError> {
    let found = app.rooms.store().passkeys_of(person(&caller)?).await?;
    let passkeys = found.into_iter().map(|passkey| PasskeyFace {
        stopped: !passkey.is_good_for(caller.session.organisation),
        limited: passkey.reach.is_some(),
        created_at: time(passkey.created_at),
        label: passkey.label,
        id: passkey.id,
    });
    Ok(Json(Passkeys { passkeys: passkeys.collect() }))
}

/// Asks for another passkey.
#[utoipa::path(
    post,
    path = "/v1/passkeys/begin",
    responses((status = 200, description = "What the browser is to ask for", body = Asked), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn begin(State(app): State<App>, caller: Caller) -> Result<Json<Asked>, ApiError> {
    let (sign_in, person) = (sign_in(&app)?, person(&caller)?);
    let known = app.rooms.store().passkeys_of(person).await?;
    let (options, state) = sign_in.ceremonies.register(person, &caller.name, &known)?;
    Ok(Json(Asked::new(&sign_in.begun.put(Begun::Another { state, person })?, options)))
}

/// Registers another passkey. It is good for what the one is good for that was signed in with.
#[utoipa::path(
    post,
    path = "/v1/passkeys/finish",
    request_body = Registered,
    responses((status = 204, description = "It is registered"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn finish(
    State(app): State<App>,
    caller: Caller,
    Body(Registered { ceremony, answer, label }): Body<Registered>,
) -> Result<StatusCode, ApiError> {
    let (sign_in, who) = (sign_in(&app)?, person(&caller)?);
    let label = text("label", &label)?;
    let passkey = match sign_in.begun.take(&Token::from_client(ceremony)) {
        Some(Begun::Another { state, person }) if person == who => sign_in.ceremonies.registered(answer, &state, &label),
        _ => Err(ApiError::PasskeyRefused),
    };
    let as_of = (caller.reach, caller.pass.session());
    let added = match passkey {
        Ok(passkey) => app.rooms.store().add_passkey(who, as_of, &passkey, &caller.by).await?,
        Err(ApiError::PasskeyRefused) => false,
        Err(error) => return Err(error),
    };
    if added {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(refused(&app, &caller.by, Refusal::NotAllowed, ApiError::PasskeyRefused).await)
}

/// Removes a passkey, unless nothing else is left that is good here. Sessions that it opened end, but for this one.
#[utoipa::path(
    delete,
    path = "/v1/passkeys/{id}",
    params(("id" = String, Path, description = "The passkey's id")),
    responses((status = 204, description = "It is removed"), (status = "default", description = "Why not: `not_there` for one that is not there, is somebody else's, or the last way in", body = ErrorDocument))
)]
pub(super) async fn remove(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    if !app.rooms.store().remove_passkey(&id, remover(&caller)?, &caller.by).await? {
        return Err(ApiError::NotThere);
    }
    app.gate.changed();
    Ok(StatusCode::NO_CONTENT)
}
