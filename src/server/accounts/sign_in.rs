//! Signing in with a passkey, and, also from an issuer of OpenID Connect, in one of several roles, and out again.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::faces::{Asked, RoleFace, time};
use super::{Identity, Threshold, refused, sign_in};
use crate::audit::{PersonId, Refusal, RoleId};
use crate::identity::{Right, Session};
use crate::room::Token;
use crate::server::App;
use crate::server::access::{IDLE, LONGEST};
use crate::server::asked::Body;
use crate::server::caller::{Caller, Pass, may_to_own};
use crate::server::clock::now;
use crate::server::error::{ApiError, ErrorDocument};
use crate::server::sharing::organisation_name;
use crate::store::{By, NewSession, Shown, StoredRecovery, StoredRole};

/// Seconds for which a person is told that they were let in again: nobody can take the word back.
const TOLD: i64 = 30 * 86_400;

/// Asks for a passkey of whoever is there. No name is asked for, so that none can be guessed.
#[utoipa::path(
    post,
    path = "/v1/sign-in/begin",
    responses((status = 200, description = "What the browser is to ask for", body = Asked), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn begin(State(app): State<App>, Threshold(_): Threshold) -> Result<Json<Asked>, ApiError> {
    let sign_in = sign_in(&app)?;
    let (options, state) = sign_in.ceremonies.sign_in()?;
    Ok(Json(Asked::new(&sign_in.carried.give(&state)?, options)))
}

/// A browser's answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// From the first step.
    ceremony: String,
    /// What `navigator.credentials` gave, as JSON.
    #[schema(value_type = Object)]
    answer: Value,
}

/// Who somebody is, and the roles in which they can come in.
#[derive(Serialize, ToSchema)]
pub(super) struct Who {
    /// What the choice is sent back with.
    ticket: String,
    name: String,
    /// Those that are held now; at least one.
    roles: Vec<RoleFace>,
}

/// Checks a passkey, and says in which roles its owner can come in.
#[utoipa::path(
    post,
    path = "/v1/sign-in/finish",
    request_body = Answer,
    responses((status = 200, description = "Who it is", body = Who), (status = "default", description = "Why not: `passkey_refused` for every reason", body = ErrorDocument))
)]
pub(super) async fn finish(
    State(app): State<App>,
    Threshold(by): Threshold,
    Body(Answer { ceremony, answer }): Body<Answer>,
) -> Result<Json<Who>, ApiError> {
    match identified(&app, ceremony, &answer).await {
        Ok(identity) => who(&app, identity, &by, ApiError::PasskeyRefused).await,
        Err(ApiError::PasskeyRefused) => Err(refused(&app, &by, Refusal::NotSignedIn, ApiError::PasskeyRefused).await),
        Err(error) => Err(error),
    }
}

async fn identified(app: &App, ceremony: String, answer: &Value) -> Result<Identity, ApiError> {
    let sign_in = sign_in(app)?;
    let ceremony = Token::from_client(ceremony);
    let state = sign_in.carried.look(&ceremony).ok_or(ApiError::PasskeyRefused)?;
    let (answer, claimed) = sign_in.ceremonies.identify(answer)?;
    let store = app.rooms.store();
    let passkey = store.passkey_with(&claimed.credential).await?.filter(|passkey| passkey.person == claimed.person);
    let passkey = passkey.ok_or(ApiError::PasskeyRefused)?;
    let counted = sign_in.ceremonies.signed_in(&answer, state, &passkey)?;
    if !sign_in.carried.use_up(&ceremony) {
        return Err(ApiError::PasskeyRefused);
    }
    if let Some(key) = counted {
        store.count_passkey(&passkey, &key).await?;
    }
    Ok(Identity { person: passkey.person, credential: passkey.id })
}

/// The roles that somebody may come in with, those that are over or have not begun too.
async fn opened(app: &App, Identity { person, credential }: &Identity) -> Result<Vec<StoredRole>, ApiError> {
    Ok(app.rooms.store().roles_opened_by(credential, *person).await?)
}

/// Those of them that are held now.
async fn held(app: &App, identity: &Identity, at: i64) -> Result<Vec<StoredRole>, ApiError> {
    let mut roles = opened(app, identity).await?;
    roles.retain(|role| role.is_held(at));
    Ok(roles)
}

/// Answers with the roles of somebody whose passkey, or sign-in at an issuer, was right; `none` where they have none now.
pub(super) async fn who(app: &App, identity: Identity, by: &By, none: ApiError) -> Result<Json<Who>, ApiError> {
    let roles = held(app, &identity, by.seconds()).await?;
    let Some(name) = roles.first().map(|role| role.person.card.name.clone()) else {
        if opened(app, &identity).await?.iter().any(|role| role.is_held(role.starts_at.max(by.seconds()))) {
            return Err(refused(app, by, Refusal::NotYet, ApiError::RoleNotBegun).await);
        }
        return Err(refused(app, by, Refusal::Expired, none).await);
    };
    let mut faces = Vec::new();
    for role in &roles {
        faces.push(RoleFace::of(app, role).await?);
    }
    let ticket = sign_in(app)?.identified.put(identity)?.reveal().to_owned();
    Ok(Json(Who { ticket, name, roles: faces }))
}

/// In which role somebody comes in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    ticket: String,
    /// The role's id.
    role: String,
}

/// The session that somebody has.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionFace {
    /// Whether this is a trial, which has no sign-in.
    trial: bool,
    name: String,
    person: String,
    role: RoleFace,
    /// Whether the role erases patients whom it treats, and what is signed of them.
    erases: bool,
    /// How many passkeys the person has that are good here. Two are asked for: one may be lost.
    passkeys: usize,
    /// How many sign-ins at issuers of OpenID Connect the person has that are good here.
    bindings: usize,
    /// Who let somebody in again as this person within the last 30 days, whom the person is to ask if it was not them; the newest first.
    recoveries: Vec<RecoveryFace>,
    /// Seconds without a request after which the session ends.
    idle_s: i64,
    /// RFC 3339 time at which it ends, used or not; null in a trial.
    ends_at: Option<String>,
}

/// That somebody was let in again.
#[derive(Serialize, ToSchema)]
pub(super) struct RecoveryFace {
    /// RFC 3339 time at which the new passkey was registered.
    at: String,
    /// The administrator who gave the link; null where it was made at the machine's console.
    by: Option<String>,
    /// The administrator's organisation.
    organisation: Option<String>,
}

impl RecoveryFace {
    async fn of(app: &App, recovery: StoredRecovery) -> Result<Self, ApiError> {
        let store = app.rooms.store();
        let by = match recovery.offered_by {
            Some(person) => store.roles_of(person).await?.pop().map(|role| role.person.card.name),
            None => None,
        };
        let organisation = match recovery.organisation {
            Some(organisation) => Some(organisation_name(store, organisation).await?),
            None => None,
        };
        Ok(Self { at: time(recovery.used_at), by, organisation })
    }
}

/// Begins a session in one role. Its cookie takes the place of the one that there was, whose session ends.
#[utoipa::path(
    post,
    path = "/v1/sign-in/role",
    request_body = Choice,
    responses((status = 200, description = "The session. Its token is in a cookie that no script reads", body = SessionFace), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn choose(
    State(app): State<App>,
    Threshold(by): Threshold,
    headers: axum::http::HeaderMap,
    Body(Choice { ticket, role }): Body<Choice>,
) -> Result<Response, ApiError> {
    let (sign_in, store) = (sign_in(&app)?, app.rooms.store());
    let at = by.seconds();
    let role = RoleId::try_from(role).ok();
    let identity = sign_in.identified.take(&Token::from_client(ticket));
    let chosen = match &identity {
        Some(identity) => held(&app, identity, at).await?.into_iter().find(|held| Some(held.id) == role),
        None => None,
    };
    let (Some(chosen), Some(identity)) = (chosen, identity) else {
        return Err(refused(&app, &by, Refusal::NotSignedIn, ApiError::PasskeyRefused).await);
    };
    let by = By { actor: chosen.actor(), ..by };
    if let Some(former) = sign_in.cookie.read(&headers) {
        // A token that came back ends its session here as anywhere else.
        match store.show_token(&former.hash(), &by).await? {
            Shown::Good { session, .. } => drop(store.end_session(&session.id, &By { actor: session.role.actor(), ..by }).await?),
            Shown::Nobodys | Shown::RanOut | Shown::CameBack => {}
        }
        app.gate.changed();
    }
    store.forget_sessions(at, at - IDLE).await?;
    let (token, ends_at) = (Token::generate()?, at + LONGEST);
    let Identity { person, credential } = identity;
    let new = NewSession { token_hash: token.hash(), role: chosen.id, credential, ends_at };
    if store.begin_session(&new, at, &by).await?.is_none() {
        return Err(refused(&app, &by, Refusal::NotSignedIn, ApiError::PasskeyRefused).await);
    }
    let face = face(&app, &chosen, Some(ends_at), person).await?;
    let cookie = sign_in.cookie.give(&token).ok_or(ApiError::Internal)?;
    Ok(([(header::SET_COOKIE, cookie)], Json(face)).into_response())
}

async fn face(app: &App, role: &StoredRole, ends_at: Option<i64>, person: PersonId) -> Result<SessionFace, ApiError> {
    let mut recoveries = Vec::new();
    for recovery in app.rooms.store().recoveries_of(person, now().unix_seconds() - TOLD).await? {
        recoveries.push(RecoveryFace::of(app, recovery).await?);
    }
    let (passkeys, bindings) = (app.rooms.store().passkeys_of(person).await?, app.rooms.store().bindings_of(person).await?);
    let acting = Session { role: role.id, kind: role.kind, organisation: role.organisation, ended: false };
    Ok(SessionFace {
        trial: app.gate.sign_in.is_none(),
        name: role.person.card.name.clone(),
        person: person.to_string(),
        role: RoleFace::of(app, role).await?,
        erases: may_to_own(app, &acting, Right::Erase),
        passkeys: passkeys.iter().filter(|passkey| passkey.is_good_for(role.organisation)).count(),
        bindings: bindings.iter().filter(|binding| binding.is_good_for(role.organisation)).count(),
        recoveries,
        idle_s: IDLE,
        ends_at: ends_at.map(time),
    })
}

/// Who is signed in.
#[utoipa::path(
    get,
    path = "/v1/session",
    responses((status = 200, description = "The session", body = SessionFace), (status = "default", description = "Why not: `not_signed_in`", body = ErrorDocument))
)]
pub(super) async fn show(State(app): State<App>, caller: Caller) -> Result<Json<SessionFace>, ApiError> {
    let store = app.rooms.store();
    let role = store.role(caller.session.role).await?.ok_or(ApiError::NotSignedIn)?;
    let ends_at = match &caller.pass {
        Pass::Session(id) => store.session(id).await?.map(|session| session.ends_at),
        _ => None,
    };
    Ok(Json(face(&app, &role, ends_at, role.person.id).await?))
}

/// Ends the session, and what is open of it.
#[utoipa::path(
    post,
    path = "/v1/sign-out",
    responses((status = 204, description = "It is ended"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn out(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let sign_in = sign_in(&app)?;
    if let Pass::Session(id) = &caller.pass {
        app.rooms.store().end_session(id, &caller.by).await?;
        app.gate.changed();
    }
    let cookie = sign_in.cookie.take_away().ok_or(ApiError::Internal)?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}
