//! Accounts: signing in and out, passkeys, sign-ins at issuers of OpenID Connect, invitations and recoveries, people and their roles, sessions, devices.

mod bindings;
mod devices;
mod enrolments;
mod faces;
mod letterhead;
mod lost;
mod openid;
mod passkeys;
mod people;
mod sessions;
mod sign_in;
mod staff;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use webauthn_rs::prelude::PasskeyRegistration;

use self::sign_in::Who;
use super::App;
use super::access::SignIn;
use super::caller::address;
use super::error::ApiError;
use crate::audit::{Action, Actor, Event, Outcome, PersonId, Refusal};
use crate::openid::Step;
use crate::room::Token;
use crate::store::{By, Entrant, StoredEnrolment};

/// Characters of the longest name, label or telephone number.
const LONGEST_TEXT: usize = 100;

/// What a browser was asked for: a passkey, or to sign in at an issuer.
pub(super) enum Begun {
    /// A passkey of somebody who comes with a token.
    Enrolment(Box<Entering>),
    /// Another passkey of somebody who is signed in.
    Another { state: PasskeyRegistration, person: PersonId },
    /// A sign-in at an issuer of somebody who comes with a token.
    EnrolmentAt(Box<EnteringAt>),
    /// A sign-in at an issuer of somebody who is signed in.
    AnotherAt { step: Step, person: PersonId },
}

/// Somebody who comes with a token.
pub(super) struct Entering {
    state: PasskeyRegistration,
    enrolment: StoredEnrolment,
    entrant: Entrant,
}

/// The same, sent to an issuer.
pub(super) struct EnteringAt {
    step: Step,
    enrolment: StoredEnrolment,
    entrant: Entrant,
}

/// Somebody whose passkey, or sign-in at an issuer, was right, and who has yet to say in which role they come.
pub(super) struct Identity {
    person: PersonId,
    /// With what they came in, by its id: it says in which organisations.
    credential: String,
}

/// What is answered about accounts.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sign_in::begin))
        .routes(routes!(sign_in::finish))
        .routes(routes!(sign_in::choose))
        .routes(routes!(sign_in::out))
        .routes(routes!(sign_in::show))
        .routes(routes!(enrolments::look))
        .routes(routes!(enrolments::begin))
        .routes(routes!(enrolments::finish))
        .routes(routes!(enrolments::accept))
        .routes(routes!(passkeys::list))
        .routes(routes!(passkeys::begin))
        .routes(routes!(passkeys::finish))
        .routes(routes!(passkeys::remove))
        .routes(routes!(openid::issuers))
        .routes(routes!(openid::begin))
        .routes(routes!(openid::finish))
        .routes(routes!(openid::begin_enrolment))
        .routes(routes!(openid::finish_enrolment))
        .routes(routes!(bindings::list))
        .routes(routes!(bindings::begin))
        .routes(routes!(bindings::finish))
        .routes(routes!(bindings::remove))
        .routes(routes!(people::list))
        .routes(routes!(people::colleagues))
        .routes(routes!(people::invite))
        .routes(routes!(people::uninvite))
        .routes(routes!(people::recover))
        .routes(routes!(lost::list))
        .routes(routes!(lost::stop))
        .routes(routes!(people::end_role, staff::change_role))
        .routes(routes!(staff::change_card))
        .routes(routes!(letterhead::show, letterhead::change))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::end))
        .routes(routes!(devices::list, devices::enrol))
        .routes(routes!(devices::revoke))
}

/// Somebody who is not signed in and comes with a passkey or with a link's token, which cannot be guessed. Who has the right one always comes in,
/// whatever others at the same address try: only what fails is counted.
pub(super) struct Threshold(By);

impl FromRequestParts<App> for Threshold {
    type Rejection = ApiError;

    /// # Errors
    /// [`ApiError::IsTrial`].
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        sign_in(app)?;
        Ok(Self(By { address: address(parts), ..By::now(Actor::Unknown) }))
    }
}

/// What sign-in needs.
fn sign_in(app: &App) -> Result<&SignIn, ApiError> {
    app.gate.sign_in.as_ref().ok_or(ApiError::IsTrial)
}

/// What somebody is told whose token is none: that, or to wait, where their address has failed too often.
async fn missed(app: &App, by: &By, error: ApiError) -> ApiError {
    match counted(app, by).await {
        Ok(()) => refused(app, by, Refusal::NotSignedIn, error).await,
        Err(waits) => waits,
    }
}

/// Counts a failure of an address, which waits where it has failed too often.
async fn counted(app: &App, by: &By) -> Result<(), ApiError> {
    if app.gate.throttle.may_fail(by.address) {
        return Ok(());
    }
    Err(refused(app, by, Refusal::TooManyTries, ApiError::TooManyTries).await)
}

/// Takes the count back of a try that an issuer was asked about and that did not fail.
fn came_in(app: &App, by: &By, answer: Result<Json<Who>, ApiError>) -> Result<Json<Who>, ApiError> {
    if matches!(answer, Ok(_) | Err(ApiError::RoleNotBegun)) {
        app.gate.throttle.give_back(by.address);
    }
    answer
}

/// Tells the audit log of a try that failed, unless there was a flood of them by nobody who is known; gives the error back.
async fn refused(app: &App, by: &By, reason: Refusal, error: ApiError) -> ApiError {
    if by.actor == Actor::Unknown && !app.strangers.may_keep(by.address) {
        return error;
    }
    let event = Event { outcome: Outcome::Refused { reason }, ..by.did_in_general(Action::SignIn) };
    match app.rooms.store().keep_event(&event).await {
        Ok(_) => error,
        Err(failed) => failed.into(),
    }
}

/// A text that a person typed, without spaces around it.
fn text(what: &str, given: &str) -> Result<String, ApiError> {
    let given = given.trim();
    if given.is_empty() || given.chars().count() > LONGEST_TEXT || given.chars().any(char::is_control) {
        return Err(ApiError::Invalid(format!("`{what}` has 1 to {LONGEST_TEXT} characters, none of them a control character")));
    }
    Ok(given.to_owned())
}

/// The same for one that may be left out.
fn optional(what: &str, given: Option<&str>) -> Result<Option<String>, ApiError> {
    given.filter(|given| !given.trim().is_empty()).map(|given| text(what, given)).transpose()
}

/// A link that brings a token to the page. The token stands behind `#`, which no browser sends anywhere.
fn link(app: &App, token: &Token) -> Result<String, ApiError> {
    Ok(format!("{}/accounts#{}", sign_in(app)?.origin, token.reveal()))
}
