//! Patients' requests for what is kept of them: section 19 of Cap. 486 gives 40 days, which the organisation's report counts.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::App;
use super::super::caller::{Caller, What};
use super::super::error::{ApiError, ErrorDocument};
use crate::audit::{Action, Event, Purpose};
use crate::identity::{Right, RoleKind};

/// Where the log has it.
#[derive(Serialize, ToSchema)]
pub(in crate::server) struct Entered {
    /// The entry's number.
    entry: u64,
}

/// Enters that a patient asks for what is kept of them.
#[utoipa::path(
    post,
    path = "/v1/patients/{id}/access-requests",
    params(("id" = String, Path, description = "The patient's id")),
    responses((status = 200, description = "Where the log has it", body = Entered), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(in crate::server) async fn ask(
    State(app): State<App>,
    caller: Caller,
    Path(patient): Path<String>,
) -> Result<Json<Entered>, ApiError> {
    enter(&app, &caller, &patient, Action::AccessRequest).await
}

/// Enters that the patient's request was answered: the report, and a copy of what is kept, were handed over.
#[utoipa::path(
    post,
    path = "/v1/patients/{id}/access-requests/answer",
    params(("id" = String, Path, description = "The patient's id")),
    responses((status = 200, description = "Where the log has it", body = Entered), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(in crate::server) async fn answer(
    State(app): State<App>,
    caller: Caller,
    Path(patient): Path<String>,
) -> Result<Json<Entered>, ApiError> {
    enter(&app, &caller, &patient, Action::AccessAnswer).await
}

async fn enter(app: &App, caller: &Caller, patient: &str, action: Action) -> Result<Json<Entered>, ApiError> {
    // An auditor reads, and says nothing.
    let watches = caller.session.kind == RoleKind::PrivacyOfficer;
    caller.may(app, if watches { Right::Report } else { Right::View }, What::Patient(patient)).await?;
    let store = app.rooms.store();
    let event = Event { purpose: Some(Purpose::Operations), ..caller.by.did_for(action, store.pseudonym(patient)?) };
    let entry = store.keep_event(&event).await?;
    Ok(Json(Entered { entry }))
}
