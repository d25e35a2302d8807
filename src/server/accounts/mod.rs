//! Accounts: signing in and out, passkeys, invitations and recoveries, people and their roles, sessions, devices.

mod devices;
mod enrolments;
mod faces;
mod letterhead;
mod lost;
mod passkeys;
mod people;
mod sessions;
mod sign_in;
mod staff;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use webauthn_rs::prelude::PasskeyRegistration;

use super::App;
use super::access::SignIn;
use super::caller::address;
use super::error::ApiError;
use crate::audit::{Action, Actor, Event, OrganisationId, Outcome, PersonId, Refusal};
use crate::room::Token;
use crate::store::{By, Entrant, StoredEnrolment};

/// Characters of the longest name, label or telephone number.
const LONGEST_TEXT: usize = 100;

/// A ceremony that a browser was asked for.
pub(super) enum Begun {
    /// A passkey of somebody who comes with a token.
    Enrolment(Box<Entering>),
    /// Another passkey of somebody who is signed in.
    Another { state: PasskeyRegistration, person: PersonId },
}

/// Somebody who comes with a token.
pub(super) struct Entering {
    state: PasskeyRegistration,
    enrolment: StoredEnrolment,
    entrant: Entrant,
}

/// Somebody whose passkey was right, and who has yet to say in which role they come.
pub(super) struct Identity {
    person: PersonId,
    /// The passkey, by its id; nothing where they came in otherwise.
    passkey: Option<String>,
    /// The one organisation that they come in for, where it is not all of theirs.
    reach: Option<OrganisationId>,
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
    if app.gate.throttle.may_fail(by.address) {
        refused(app, by, Refusal::NotSignedIn, error).await
    } else {
        refused(app, by, Refusal::TooManyTries, ApiError::TooManyTries).await
    }
}

/// Tells the audit log of a try that failed, unless there was a flood of them; gives the error back.
async fn refused(app: &App, by: &By, reason: Refusal, error: ApiError) -> ApiError {
    if !app.gate.throttle.may_keep() {
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
