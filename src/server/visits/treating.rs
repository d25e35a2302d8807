//! Handing a patient to a colleague, who treats them from then on too.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::audit::RoleId;
use crate::identity::{Right, RoleKind};
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::{Caller, What};
use crate::server::error::{ApiError, ErrorDocument};

/// Who is to treat a patient.
#[derive(Deserialize, ToSchema)]
#[schema(as = TreatingColleague)]
#[serde(deny_unknown_fields)]
pub(super) struct Colleague {
    /// The role's id, from `/v1/colleagues`.
    role: String,
}

/// Lets a doctor or nurse of the same organisation treat a patient too. Who treats the patient does it, or the registry.
#[utoipa::path(
    post,
    path = "/v1/patients/{id}/treating",
    params(("id" = String, Path, description = "The patient's id")),
    request_body = Colleague,
    responses((status = 204, description = "The colleague treats the patient"), (status = "default", description = "Why not: `not_there` for a role that is not there, treats nobody, or treats the patient already", body = ErrorDocument))
)]
pub(super) async fn hand_over(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(Colleague { role }): Body<Colleague>,
) -> Result<StatusCode, ApiError> {
    let right = if caller.session.kind == RoleKind::Registrar { Right::Merge } else { Right::Edit };
    caller.may(&app, right, What::Patient(&id)).await?;
    let role = RoleId::try_from(role).map_err(|_| ApiError::NotThere)?;
    let done = app.rooms.store().let_treat(&id, role, &caller.by).await?;
    if done { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NotThere) }
}
