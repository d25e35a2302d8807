//! Visits: to enter and show them, and those of a patient who does not want to be recorded.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::banner::{Banner, EncounterFace, Faces};
use super::worklist::{Work, work_of};
use crate::identity::Right;
use crate::interop::fhir::Instant;
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::{Caller, What};
use crate::server::clock::now;
use crate::server::error::{ApiError, ErrorDocument};
use crate::server::holds::may_be_erased;
use crate::visit::Encounter;

/// A visit to enter.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEncounter {
    /// RFC 3339 time; now when not said.
    #[serde(default)]
    at: Option<String>,
    /// Whom the patient sees; who is signed in when not said.
    #[serde(default)]
    clinician: Option<String>,
    /// The room that it is in. A microphone that was enrolled for another one cannot record it; any of the organisation can where none is
    /// named.
    #[serde(default)]
    room: Option<String>,
}

/// Enters a visit of a patient.
#[utoipa::path(
    post,
    path = "/v1/patients/{id}/encounters",
    params(("id" = String, Path, description = "The patient's id")),
    request_body = NewEncounter,
    responses((status = 201, description = "The visit", body = EncounterFace), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(NewEncounter { at, clinician, room }): Body<NewEncounter>,
) -> Result<(StatusCode, Json<EncounterFace>), ApiError> {
    caller.may(&app, Right::Edit, What::Patient(&id)).await?;
    let at = match at {
        Some(at) => Instant::parse(&at).map_err(|_| ApiError::Invalid("`at` is no RFC 3339 time".to_owned()))?,
        None => now(),
    };
    let encounter = Encounter::new(clinician.as_deref().unwrap_or(&caller.name))?;
    let encounter = match room {
        Some(room) => encounter.in_room(&room)?,
        None => encounter,
    };
    let stored = app.rooms.store().create_encounter(&id, at.unix_seconds(), &encounter, &caller.by).await?;
    Ok((StatusCode::CREATED, Json(stored.into())))
}

#[derive(Serialize, ToSchema)]
pub(super) struct Encounters {
    encounters: Vec<EncounterFace>,
}

/// The visits of a patient.
#[utoipa::path(
    get,
    path = "/v1/patients/{id}/encounters",
    params(("id" = String, Path, description = "The patient's id")),
    responses((status = 200, description = "The newest first", body = Encounters), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Json<Encounters>, ApiError> {
    caller.may(&app, Right::View, What::Patient(&id)).await?;
    let store = app.rooms.store();
    store.patient(&id).await?.ok_or(ApiError::NoPatient)?;
    let encounters = store.encounters_of(&id).await?.into_iter().map(EncounterFace::from).collect();
    caller.looked_at(&app, &id).await?;
    Ok(Json(Encounters { encounters }))
}

/// A visit with its patient and its recordings.
#[derive(Serialize, ToSchema)]
pub(super) struct Visit {
    #[serde(flatten)]
    banner: Banner,
    recordings: Vec<Work>,
}

/// One visit, its patient, and what was recorded or typed.
#[utoipa::path(
    get,
    path = "/v1/encounters/{id}",
    params(("id" = String, Path, description = "The visit's id")),
    responses((status = 200, description = "The visit", body = Visit), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn show(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Json<Visit>, ApiError> {
    caller.may(&app, Right::View, What::Visit(&id)).await?;
    let store = app.rooms.store();
    let banner = Faces::new()?.of_encounter(store, &id).await?.ok_or(ApiError::NoVisit)?;
    caller.looked_at(&app, &banner.patient.id).await?;
    let mut recordings = Vec::new();
    for recording in store.recordings_of(&id).await? {
        recordings.extend(work_of(&app, &recording).await?);
    }
    recordings.sort_by(|one, other| one.created_at.cmp(&other.created_at));
    Ok(Json(Visit { banner, recordings }))
}

/// Takes away a visit without recordings.
#[utoipa::path(
    delete,
    path = "/v1/encounters/{id}",
    params(("id" = String, Path, description = "The visit's id")),
    responses((status = 204, description = "It is gone"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn erase(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    caller.may(&app, Right::Edit, What::Visit(&id)).await?;
    let visit = app.rooms.store().encounter(&id).await?.ok_or(ApiError::NoVisit)?;
    may_be_erased(&app, &caller, &visit.patient).await?;
    app.rooms.store().erase_encounter(&id, &caller.by).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Refusal {
    /// True: no recording can be begun for this visit or gone on with; what was recorded before is kept until it is erased. False: the
    /// patient does not refuse any more, and is asked before the microphone opens.
    refused: bool,
}

/// Notes whether the patient wants to be recorded at this visit.
#[utoipa::path(
    post,
    path = "/v1/encounters/{id}/refusal",
    params(("id" = String, Path, description = "The visit's id")),
    request_body = Refusal,
    responses((status = 200, description = "The visit", body = EncounterFace), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn refuse(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(Refusal { refused }): Body<Refusal>,
) -> Result<Json<EncounterFace>, ApiError> {
    caller.may(&app, Right::Edit, What::Visit(&id)).await?;
    // It goes on when the page that asked for it is closed.
    let noted = tokio::spawn(async move {
        let visit = app.rooms.store().set_refused(&id, refused, &caller.by).await?;
        if refused {
            app.rooms.stop_recordings_of(&id).await?;
        }
        Ok::<_, ApiError>(Json(visit.into()))
    });
    noted.await.map_err(|error| ApiError::internal(&error))?
}

#[derive(Serialize, ToSchema)]
#[schema(as = TypedNote)]
pub(super) struct Begun {
    /// The id of the recording without sound whose note it is.
    recording: String,
}

/// Begins a note that is typed: there is no recording.
#[utoipa::path(
    post,
    path = "/v1/encounters/{id}/typed-note",
    params(("id" = String, Path, description = "The visit's id")),
    responses((status = 201, description = "An empty note", body = Begun), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn begin_typed(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Begun>), ApiError> {
    caller.may(&app, Right::Edit, What::Visit(&id)).await?;
    app.rooms.store().encounter(&id).await?.ok_or(ApiError::NoVisit)?;
    let recording = app.rooms.begin_typed(&id, now(), &caller.by).await?;
    Ok((StatusCode::CREATED, Json(Begun { recording })))
}
