//! Signing in at an issuer of OpenID Connect: the issuers, the sign-in, and coming in with a token there.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::enrolments::{Entry, come_in, entrant_of, found};
use super::sign_in::{Who, who};
use super::{Begun, EnteringAt, Identity, Threshold, came_in, counted, refused, sign_in};
use crate::audit::Refusal;
use crate::openid::{Answer, Step};
use crate::room::Token;
use crate::server::App;
use crate::server::asked::Body;
use crate::server::error::{ApiError, ErrorDocument};
use crate::store::{Enrolment, NewCredential};

#[derive(Serialize, ToSchema)]
pub(super) struct Issuers {
    /// In the order of their buttons.
    issuers: Vec<IssuerFace>,
}

/// An issuer at which people can sign in.
#[derive(Serialize, ToSchema)]
struct IssuerFace {
    /// Its address, by which it is named here.
    issuer: String,
    /// What its button says.
    name: String,
    chinese_name: Option<String>,
}

/// The issuers at which people can sign in, beside passkeys.
#[utoipa::path(
    get,
    path = "/v1/openid/issuers",
    responses((status = 200, description = "The issuers; often none", body = Issuers), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn issuers(State(app): State<App>, Threshold(_): Threshold) -> Result<Json<Issuers>, ApiError> {
    let face = |provider: &crate::openid::Provider| {
        let (name, chinese_name) = provider.names();
        let issuer = provider.issuer().to_owned();
        IssuerFace { issuer, name: name.to_owned(), chinese_name: chinese_name.map(str::to_owned) }
    };
    Ok(Json(Issuers { issuers: sign_in(&app)?.providers.all().map(face).collect() }))
}

/// At which issuer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AtIssuer {
    pub(super) issuer: String,
}

/// Where a browser is to go.
#[derive(Serialize, ToSchema)]
pub(super) struct SentToIssuer {
    /// What the answer is sent back with: the browser keeps it meanwhile.
    pub(super) ceremony: String,
    /// The issuer's page.
    pub(super) url: String,
}

/// What the issuer sent a browser back with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SentBack {
    /// From the first step.
    ceremony: String,
    /// From the address, as are the others.
    code: String,
    state: String,
    /// The issuer, where it says so (RFC 9207).
    #[serde(default)]
    iss: Option<String>,
}

impl SentBack {
    pub(super) fn split(self) -> (Token, Answer) {
        let Self { ceremony, code, state, iss } = self;
        (Token::from_client(ceremony), Answer { code, state, issuer: iss })
    }
}

/// Begins a sign-in at an issuer.
#[utoipa::path(
    post,
    path = "/v1/sign-in/openid/begin",
    request_body = AtIssuer,
    responses((status = 200, description = "Where the browser is to go", body = SentToIssuer), (status = "default", description = "Why not: `openid_down` while the issuer cannot be reached", body = ErrorDocument))
)]
pub(super) async fn begin(
    State(app): State<App>,
    Threshold(_): Threshold,
    Body(AtIssuer { issuer }): Body<AtIssuer>,
) -> Result<Json<SentToIssuer>, ApiError> {
    let sign_in = sign_in(&app)?;
    let (url, step) = sign_in.providers.begin(&issuer)?;
    Ok(Json(SentToIssuer { ceremony: sign_in.carried.give(&step)?.reveal().to_owned(), url }))
}

/// Ends a sign-in at an issuer, and says in which roles its owner can come in.
#[utoipa::path(
    post,
    path = "/v1/sign-in/openid/finish",
    request_body = SentBack,
    responses((status = 200, description = "Who it is", body = Who), (status = "default", description = "Why not: `openid_refused` for every reason of the answer's, also where nobody here is bound to it", body = ErrorDocument))
)]
pub(super) async fn finish(
    State(app): State<App>,
    Threshold(by): Threshold,
    Body(back): Body<SentBack>,
) -> Result<Json<Who>, ApiError> {
    counted(&app, &by).await?;
    match identified(&app, back).await {
        Ok(identity) => came_in(&app, &by, who(&app, identity, &by, ApiError::OpenIdRefused).await),
        Err(ApiError::OpenIdRefused) => Err(refused(&app, &by, Refusal::NotSignedIn, ApiError::OpenIdRefused).await),
        Err(error) => Err(error),
    }
}

async fn identified(app: &App, back: SentBack) -> Result<Identity, ApiError> {
    let (sign_in, (ceremony, answer)) = (sign_in(app)?, back.split());
    let step: Step = sign_in.carried.look(&ceremony).ok_or(ApiError::OpenIdRefused)?;
    // Before anybody is asked: no code is brought twice.
    if !sign_in.carried.use_up(&ceremony) {
        return Err(ApiError::OpenIdRefused);
    }
    let subject = sign_in.providers.finish(step, answer).await?;
    let binding = app.rooms.store().binding_with(&subject).await?.ok_or(ApiError::OpenIdRefused)?;
    Ok(Identity { person: binding.person, credential: binding.id })
}

/// Who comes in with a token, at an issuer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryAt {
    issuer: String,
    entry: Entry,
}

/// Sends who comes with an invitation or a recovery to an issuer, to sign in there from now on.
#[utoipa::path(
    post,
    path = "/v1/enrolments/openid/begin",
    request_body = EntryAt,
    responses((status = 200, description = "Where the browser is to go", body = SentToIssuer), (status = "default", description = "Why not; `not_allowed` for a set-up, which a passkey is for", body = ErrorDocument))
)]
pub(super) async fn begin_enrolment(
    State(app): State<App>,
    Threshold(by): Threshold,
    Body(EntryAt { issuer, entry }): Body<EntryAt>,
) -> Result<Json<SentToIssuer>, ApiError> {
    let sign_in = sign_in(&app)?;
    let enrolment = found(&app, entry.token.clone(), &by).await?;
    // Somebody has to come in while the issuer is down.
    if enrolment.enrolment == Enrolment::SetUp {
        return Err(ApiError::NotAllowed);
    }
    let (entrant, _) = entrant_of(&app, &enrolment, &entry).await?;
    let (url, step) = sign_in.providers.begin(&issuer)?;
    let ceremony = sign_in.begun.put(Begun::EnrolmentAt(Box::new(EnteringAt { step, enrolment, entrant })))?;
    Ok(Json(SentToIssuer { ceremony: ceremony.reveal().to_owned(), url }))
}

/// Takes somebody in: person, role and what they are at the issuer. The token is used up.
#[utoipa::path(
    post,
    path = "/v1/enrolments/openid/finish",
    request_body = SentBack,
    responses((status = 200, description = "Who it is, and the roles to come in with", body = Who), (status = "default", description = "Why not: `openid_refused` for every reason of the answer's, also where somebody is bound to it", body = ErrorDocument))
)]
pub(super) async fn finish_enrolment(
    State(app): State<App>,
    Threshold(by): Threshold,
    Body(back): Body<SentBack>,
) -> Result<Json<Who>, ApiError> {
    counted(&app, &by).await?;
    let (sign_in, (ceremony, answer)) = (sign_in(&app)?, back.split());
    let Some(Begun::EnrolmentAt(entering)) = sign_in.begun.take(&ceremony) else {
        return Err(refused(&app, &by, Refusal::NotSignedIn, ApiError::OpenIdRefused).await);
    };
    let EnteringAt { step, enrolment, entrant } = *entering;
    let subject = match sign_in.providers.finish(step, answer).await {
        Ok(subject) => subject,
        Err(ApiError::OpenIdRefused) => {
            return Err(refused(&app, &by, Refusal::NotSignedIn, ApiError::OpenIdRefused).await);
        }
        Err(error) => return Err(error),
    };
    let credential = NewCredential::Subject(subject);
    came_in(&app, &by, come_in(&app, (&enrolment, &entrant), &credential, &by, ApiError::OpenIdRefused).await)
}
