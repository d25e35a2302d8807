//! Devices and programs of an organisation: microphones of rooms, and what sends sound to be written down.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::faces::time;
use super::{sign_in, text};
use crate::audit::DeviceId;
use crate::identity::Right;
use crate::room::Token;
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::{Caller, What};
use crate::server::error::{ApiError, ErrorDocument};
use crate::store::{DeviceScope, StoredDevice};

/// Days that a token may be good for.
const MOST_DAYS: u16 = 366;

#[derive(Serialize, ToSchema)]
pub(super) struct Devices {
    devices: Vec<DeviceFace>,
}

/// An enrolled device or program.
#[derive(Serialize, ToSchema)]
struct DeviceFace {
    id: String,
    name: String,
    /// Where it stands; empty for a program.
    room: String,
    /// `record` or `transcribe`.
    scope: &'static str,
    created_at: String,
    ends_at: String,
    /// Whether its token is good.
    good: bool,
}

impl DeviceFace {
    fn of(device: StoredDevice, at: i64) -> Self {
        Self {
            id: device.id.to_string(),
            name: device.name,
            room: device.room,
            scope: device.scope.name(),
            created_at: time(device.created_at),
            ends_at: time(device.ends_at),
            good: at < device.ends_at,
        }
    }
}

/// The devices and programs of the organisation.
#[utoipa::path(
    get,
    path = "/v1/devices",
    responses((status = 200, description = "By name", body = Devices), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Devices>, ApiError> {
    caller.may(&app, Right::ManageDevices, What::Organisation).await?;
    let at = caller.by.seconds();
    let found = app.rooms.store().devices_of(caller.session.organisation).await?;
    caller.read_of(&app, found.len()).await?;
    Ok(Json(Devices { devices: found.into_iter().map(|device| DeviceFace::of(device, at)).collect() }))
}

/// A device or program to enrol.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDevice {
    name: String,
    /// The room that it stands in; needed for one that records.
    #[serde(default)]
    room: String,
    /// `record`: the visits of this organisation. `transcribe`: sound that is sent to `/v1/audio/*` and not kept.
    scope: String,
    /// Days until its token ends, 1 to 366.
    days: u16,
}

/// An enrolled device with its token, which is told once.
#[derive(Serialize, ToSchema)]
pub(super) struct Enrolled {
    #[serde(flatten)]
    device: DeviceFace,
    /// Sent as `Authorization: Bearer`.
    token: String,
}

/// Enrols a device or program.
#[utoipa::path(
    post,
    path = "/v1/devices",
    request_body = NewDevice,
    responses((status = 201, description = "The device with its token, which is told once", body = Enrolled), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn enrol(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<NewDevice>,
) -> Result<(StatusCode, Json<Enrolled>), ApiError> {
    sign_in(&app)?;
    caller.may(&app, Right::ManageDevices, What::Organisation).await?;
    let invalid = |why: &str| ApiError::Invalid(why.to_owned());
    let scope = DeviceScope::of_name(&new.scope).ok_or_else(|| invalid("`scope` is `record` or `transcribe`"))?;
    let name = text("name", &new.name)?;
    let room = if scope == DeviceScope::Record { text("room", &new.room)? } else { String::new() };
    if !(1..=MOST_DAYS).contains(&new.days) {
        return Err(invalid("`days` is 1 to 366"));
    }
    let (token, at) = (Token::generate()?, caller.by.seconds());
    let ends_at = at + i64::from(new.days) * 86_400;
    let device = app.rooms.store().enrol_device(token.hash(), (scope, &name, &room), ends_at, &caller.by).await?;
    let token = token.reveal().to_owned();
    Ok((StatusCode::CREATED, Json(Enrolled { device: DeviceFace::of(device, at), token })))
}

/// Revokes a device, and what is open of it.
#[utoipa::path(
    delete,
    path = "/v1/devices/{id}",
    params(("id" = String, Path, description = "The device's id")),
    responses((status = 204, description = "It is revoked"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn revoke(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    caller.may(&app, Right::ManageDevices, What::Organisation).await?;
    let id = DeviceId::try_from(id).map_err(|_| ApiError::NotThere)?;
    if !app.rooms.store().revoke_device(id, caller.session.organisation, &caller.by).await? {
        return Err(ApiError::NotThere);
    }
    app.gate.changed();
    Ok(StatusCode::NO_CONTENT)
}
