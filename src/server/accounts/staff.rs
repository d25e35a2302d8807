//! Changes of who works where.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::people::term;
use super::{optional, text};
use crate::audit::{PersonId, RoleId};
use crate::identity::Right;
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::{Caller, What};
use crate::server::error::{ApiError, ErrorDocument};
use crate::store::{Card, RoleEnd};

/// What of a role can be changed, whole.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleTerms {
    /// Where in the organisation, in its own words; null for nowhere in particular.
    department: Option<String>,
    /// RFC 3339 time at which the role begins; null or not said: as it is. Until then it opens no session.
    #[serde(default)]
    starts_at: Option<String>,
    /// RFC 3339 time at which the role ends; null where no end is known.
    ends_at: Option<String>,
}

/// Changes a role's department, start and end. An end that is over ends it now, a start that is over begins it now.
#[utoipa::path(
    put,
    path = "/v1/roles/{id}",
    params(("id" = String, Path, description = "The role's id")),
    request_body = RoleTerms,
    responses((status = 204, description = "It is changed"), (status = "default", description = "Why not: `last_administrator` where nobody would be left to administer", body = ErrorDocument))
)]
pub(super) async fn change_role(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(terms): Body<RoleTerms>,
) -> Result<StatusCode, ApiError> {
    caller.may(&app, Right::ManageAccounts, What::Organisation).await?;
    let id = RoleId::try_from(id).map_err(|_| ApiError::NotThere)?;
    let department = optional("department", terms.department.as_deref())?;
    let (starts_at, ends_at) = term(terms.starts_at.as_deref(), terms.ends_at.as_deref())?;
    let (store, organisation) = (app.rooms.store(), caller.session.organisation);
    match store.change_role(id, organisation, (department.as_deref(), starts_at, ends_at), &caller.by).await? {
        RoleEnd::LastAdministrator => Err(ApiError::LastAdministrator),
        RoleEnd::NotHeld => Err(ApiError::NotThere),
        RoleEnd::Ended => {
            // Open sessions and sockets look again at when they end.
            app.gate.changed();
            Ok(StatusCode::NO_CONTENT)
        }
    }
}

/// What is known of a person, whole.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CardTerms {
    /// The name that notes are signed with from now on; those that are signed keep theirs.
    name: String,
    phone: Option<String>,
    email: Option<String>,
}

/// Changes what is known of a person who works in this organisation alone.
#[utoipa::path(
    put,
    path = "/v1/people/{id}",
    params(("id" = String, Path, description = "The person's id")),
    request_body = CardTerms,
    responses((status = 204, description = "It is changed"), (status = "default", description = "Why not: `not_there` also for who works elsewhere too", body = ErrorDocument))
)]
pub(super) async fn change_card(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(terms): Body<CardTerms>,
) -> Result<StatusCode, ApiError> {
    caller.may(&app, Right::ManageAccounts, What::Organisation).await?;
    let id = PersonId::try_from(id).map_err(|_| ApiError::NotThere)?;
    let card = Card {
        name: text("name", &terms.name)?,
        phone: optional("phone", terms.phone.as_deref())?,
        email: optional("email", terms.email.as_deref())?,
    };
    let changed = app.rooms.store().change_card(id, caller.session.organisation, &card, &caller.by).await?;
    if changed { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NotThere) }
}
