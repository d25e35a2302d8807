//! Legal holds: what an administrator or the privacy officer forbids to erase.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::asked::Body;
use super::caller::{Caller, What};
use super::error::{ApiError, ErrorDocument};
use super::number::PatientNumber;
use crate::audit::{Action, Event, Outcome, Refusal};
use crate::identity::Right;
use crate::interop::fhir::Instant;
use crate::store::{Held, LegalHold};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

#[derive(Serialize, ToSchema)]
pub(super) struct Holds {
    holds: Vec<HoldFace>,
}

/// A legal hold.
#[derive(Serialize, ToSchema)]
pub(super) struct HoldFace {
    id: String,
    /// The patient whose everything is held; null where it is one recording.
    patient: Option<String>,
    /// The recording that is held; null where it is a patient.
    recording: Option<String>,
    reason: String,
    placed_by: String,
    /// RFC 3339 times.
    placed_at: String,
    lifted_at: Option<String>,
}

impl From<LegalHold> for HoldFace {
    fn from(hold: LegalHold) -> Self {
        let time = |seconds| Instant::from_unix_seconds(seconds).as_str().to_owned();
        let (patient, recording) = match hold.held {
            Held::Patient(id) => (Some(id), None),
            Held::Recording(id) => (None, Some(id)),
        };
        Self {
            id: hold.id,
            patient,
            recording,
            reason: hold.reason.reveal().to_owned(),
            placed_by: hold.placed_by.reveal().to_owned(),
            placed_at: time(hold.placed_at),
            lifted_at: hold.lifted_at.map(time),
        }
    }
}

/// The legal holds of the organisation, lifted ones too.
#[utoipa::path(
    get,
    path = "/v1/holds",
    responses((status = 200, description = "The newest first", body = Holds), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Holds>, ApiError> {
    caller.may(&app, Right::Hold, What::Organisation).await?;
    let store = app.rooms.store();
    let found = store.holds(caller.session.organisation).await?;
    let mut patients = Vec::new();
    for hold in &found {
        patients.extend(match &hold.held {
            Held::Patient(id) => Some(store.pseudonym(id)?),
            Held::Recording(id) => store.event_about(&caller.by, Action::Listed, id).await?.patient,
        });
    }
    caller.searched(&app, found.len(), patients).await?;
    Ok(Json(Holds { holds: found.into_iter().map(HoldFace::from).collect() }))
}

/// What is to be held: exactly one of the first three.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewHold {
    /// A patient, by id.
    #[serde(default)]
    patient: Option<String>,
    /// A recording, by id.
    #[serde(default)]
    recording: Option<String>,
    /// A patient, by a number that the organisation knows: `{"kind": "hkid", "value": "A123456(3)"}`.
    #[serde(default)]
    number: Option<PatientNumber>,
    /// Why.
    reason: String,
}

/// Places a legal hold: what it is on is erased neither by hand nor by a rule until it is lifted.
#[utoipa::path(
    post,
    path = "/v1/holds",
    request_body = NewHold,
    responses((status = 201, description = "The hold", body = HoldFace), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn place(
    State(app): State<App>,
    caller: Caller,
    Body(NewHold { patient, recording, number, reason }): Body<NewHold>,
) -> Result<(StatusCode, Json<HoldFace>), ApiError> {
    caller.may(&app, Right::Hold, What::Organisation).await?;
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON || reason.chars().any(char::is_control) {
        return Err(ApiError::Invalid(format!(
            "`reason` has 1 to {LONGEST_REASON} characters, none of them a control character"
        )));
    }
    let held = match (patient, recording, number) {
        (Some(patient), None, None) => Held::Patient(patient),
        (None, Some(recording), None) => Held::Recording(recording),
        (None, None, Some(number)) => {
            let found = app.rooms.store().patient_by_number(caller.session.organisation, &number.identifier()?).await?;
            Held::Patient(found.ok_or(ApiError::NoPatient)?)
        }
        _ => return Err(ApiError::Invalid("one of `patient`, `recording` and `number` says what is held".to_owned())),
    };
    let what = match &held {
        Held::Patient(id) => What::Patient(id),
        Held::Recording(id) => What::Recording(id),
    };
    caller.may(&app, Right::Hold, what).await?;
    let hold = app.rooms.store().place_hold(held, reason, &caller.name, &caller.by).await?;
    Ok((StatusCode::CREATED, Json(hold.into())))
}

/// Lifts a legal hold.
#[utoipa::path(
    delete,
    path = "/v1/holds/{id}",
    params(("id" = String, Path, description = "The hold's id")),
    responses((status = 204, description = "It is lifted"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn lift(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    caller.may(&app, Right::Hold, What::Organisation).await?;
    if app.rooms.store().lift_hold(&id, caller.session.organisation, &caller.by).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotThere)
    }
}

/// Whether a patient, or what is theirs, may be erased by hand. A no is kept in the audit log.
///
/// # Errors
/// [`ApiError::OnHold`].
pub(super) async fn may_be_erased(app: &App, caller: &Caller, patient: &str) -> Result<(), ApiError> {
    if !app.rooms.store().is_patient_held(patient).await? {
        return Ok(());
    }
    erasing_refused(app, caller, patient, Refusal::OnHold).await?;
    Err(ApiError::OnHold)
}

/// Keeps the event of an erasing that is refused.
///
/// # Errors
/// When it cannot be written.
pub(super) async fn erasing_refused(app: &App, caller: &Caller, patient: &str, reason: Refusal) -> Result<(), ApiError> {
    let store = app.rooms.store();
    let event = caller.by.did_for(Action::Erase, store.pseudonym(patient)?);
    store.keep_event(&Event { outcome: Outcome::Refused { reason }, ..event }).await?;
    Ok(())
}
