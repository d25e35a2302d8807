//! A person's own sign-ins at issuers of OpenID Connect, beside their passkeys.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::faces::time;
use super::openid::{AtIssuer, SentBack, SentToIssuer};
use super::passkeys::{person, remover};
use super::{Begun, refused, sign_in};
use crate::audit::Refusal;
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::Caller;
use crate::server::error::{ApiError, ErrorDocument};

#[derive(Serialize, ToSchema)]
pub(super) struct Bindings {
    /// The oldest first.
    bindings: Vec<BindingFace>,
}

/// A sign-in at an issuer.
#[derive(Serialize, ToSchema)]
struct BindingFace {
    id: String,
    /// The issuer's address; it may be one at which nobody can sign in any more.
    issuer: String,
    created_at: String,
    /// Whether it is good for one organisation alone: an administrator gave the token that it was made with.
    limited: bool,
    /// Whether it opens nothing in the organisation of this session any more.
    stopped: bool,
}

/// The sign-ins at issuers of who asks.
#[utoipa::path(
    get,
    path = "/v1/openid/bindings",
    responses((status = 200, description = "The sign-ins", body = Bindings), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Bindings>, ApiError> {
    let found = app.rooms.store().bindings_of(person(&caller)?).await?;
    let bindings = found.into_iter().map(|binding| BindingFace {
        stopped: !binding.is_good_for(caller.session.organisation),
        id: binding.id,
        issuer: binding.issuer,
        created_at: time(binding.created_at),
        limited: binding.reach.is_some(),
    });
    Ok(Json(Bindings { bindings: bindings.collect() }))
}

/// Sends who asks to an issuer, to sign in there from now on.
#[utoipa::path(
    post,
    path = "/v1/openid/bindings/begin",
    request_body = AtIssuer,
    responses((status = 200, description = "Where the browser is to go", body = SentToIssuer), (status = "default", description = "Why not: `openid_down` while the issuer cannot be reached", body = ErrorDocument))
)]
pub(super) async fn begin(
    State(app): State<App>,
    caller: Caller,
    Body(AtIssuer { issuer }): Body<AtIssuer>,
) -> Result<Json<SentToIssuer>, ApiError> {
    let (sign_in, person) = (sign_in(&app)?, person(&caller)?);
    let (url, step) = sign_in.providers.begin(&issuer)?;
    let ceremony = sign_in.begun.put(Begun::AnotherAt { step, person })?;
    Ok(Json(SentToIssuer { ceremony: ceremony.reveal().to_owned(), url }))
}

/// Binds what somebody is at the issuer to who asks. It is good for what that is good for which was signed in with.
#[utoipa::path(
    post,
    path = "/v1/openid/bindings/finish",
    request_body = SentBack,
    responses((status = 204, description = "It is bound"), (status = "default", description = "Why not: `openid_refused` for every reason of the answer's, also where somebody is bound to it", body = ErrorDocument))
)]
pub(super) async fn finish(State(app): State<App>, caller: Caller, Body(back): Body<SentBack>) -> Result<StatusCode, ApiError> {
    let (sign_in, who, (ceremony, answer)) = (sign_in(&app)?, person(&caller)?, back.split());
    let subject = match sign_in.begun.take(&ceremony) {
        Some(Begun::AnotherAt { step, person }) if person == who => sign_in.providers.finish(step, answer).await,
        _ => Err(ApiError::OpenIdRefused),
    };
    let bound = match subject {
        Ok(subject) => app.rooms.store().add_binding(who, (caller.reach, caller.pass.session()), &subject, &caller.by).await?,
        Err(ApiError::OpenIdRefused) => false,
        Err(error) => return Err(error),
    };
    if bound {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(refused(&app, &caller.by, Refusal::NotAllowed, ApiError::OpenIdRefused).await)
}

/// Removes a sign-in at an issuer, unless nothing else is left that is good here. Sessions that it opened end, but for this one.
#[utoipa::path(
    delete,
    path = "/v1/openid/bindings/{id}",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 204, description = "It is removed"), (status = "default", description = "Why not: `not_there` for one that is not there, is somebody else's, or the last way in", body = ErrorDocument))
)]
pub(super) async fn remove(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    if !app.rooms.store().remove_binding(&id, remover(&caller)?, &caller.by).await? {
        return Err(ApiError::NotThere);
    }
    app.gate.changed();
    Ok(StatusCode::NO_CONTENT)
}
