//! Moving a recording, its transcript and its note to the visit that it belongs to.

use std::fmt;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::banner::{Banner, Faces};
use crate::audit::Action;
use crate::identity::Right;
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::{Caller, What};
use crate::server::clock::now;
use crate::server::error::{ApiError, ErrorDocument};
use crate::store::{DeskError, whole};
use crate::visit::Move;

/// Where to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Destination {
    /// The visit that it was seen to belong to; null where it belonged to none.
    from: Option<String>,
    /// The visit that it belongs to.
    to: String,
}

/// One moving, with the names that the patients have now.
#[derive(Serialize, ToSchema)]
pub(in crate::server) struct Moved {
    pub(in crate::server) by: String,
    /// RFC 3339 time.
    pub(in crate::server) at: String,
    /// Null where the recording belonged to nobody.
    from: Option<Whose>,
    to: Whose,
}

/// A patient of then.
#[derive(Serialize, ToSchema)]
struct Whose {
    patient: String,
    /// Null where the patient was erased since.
    name: Option<String>,
    encounter: String,
}

/// Whose a recording is, and how it was moved.
#[derive(Serialize, ToSchema)]
pub(in crate::server) struct Settled {
    banner: Option<Banner>,
    moves: Vec<Moved>,
}

impl fmt::Debug for Settled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Settled").finish_non_exhaustive()
    }
}

impl Settled {
    async fn of(app: &App, id: &str) -> Result<Self, ApiError> {
        Ok(Self { banner: Banner::of_recording(app, id).await?, moves: moved(app, id).await? })
    }
}

/// What stands in the way of whoever saw the recording under another visit, with whose it is now: that is a reading of it, which whoever does
/// not treat that patient may not do.
pub(in crate::server) async fn moved_meanwhile(app: &App, caller: &Caller, id: &str) -> ApiError {
    if let Err(error) = caller.may(app, Right::View, What::Recording(id)).await {
        return error;
    }
    let settled = match caller.reads(app, Action::View { count: 1 }, id).await {
        Ok(()) => Settled::of(app, id).await,
        Err(error) => Err(error.into()),
    };
    settled.map_or_else(|error| error, |settled| ApiError::Moved(Box::new(settled)))
}

/// Moves a recording to another visit, before its note is signed. Who did it when is kept with it.
#[utoipa::path(
    post,
    path = "/v1/recordings/{id}/move",
    params(("id" = String, Path, description = "The recording's id")),
    request_body = Destination,
    responses((status = 200, description = "Whose it is now, and how it was moved", body = Settled), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn move_recording(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(Destination { from, to }): Body<Destination>,
) -> Result<Json<Settled>, ApiError> {
    caller.may(&app, Right::Edit, What::Recording(&id)).await?;
    caller.may(&app, Right::Edit, What::Visit(&to)).await?;
    let store = app.rooms.store();
    store.recording(&id).await?.ok_or(ApiError::NotFound)?;
    if from.as_deref() != Some(to.as_str()) {
        match store.move_recording(&id, from.as_deref(), &to, (&caller.name, now().as_str()), &caller.by).await {
            Ok(_) => {}
            Err(DeskError::Conflict) => return Err(moved_meanwhile(&app, &caller, &id).await),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Json(Settled::of(&app, &id).await?))
}

/// How a recording was moved.
pub(in crate::server) async fn moved(app: &App, id: &str) -> Result<Vec<Moved>, ApiError> {
    let store = app.rooms.store();
    let mut faces = Faces::new()?;
    let mut told = Vec::new();
    for Move { by, at, from, from_patient, to, to_patient } in store.moves(id).await? {
        let mut names = Vec::new();
        for patient in [from_patient.as_deref(), Some(&to_patient)] {
            let face = match patient {
                Some(patient) => whole(faces.patient(store, patient).await)?.flatten(),
                None => None,
            };
            names.push(face.map(|face| face.name));
        }
        let to_name = names.pop().flatten();
        let from_name = names.pop().flatten();
        let from = from.map(|encounter| Whose { patient: from_patient.unwrap_or_default(), name: from_name, encounter });
        let to = Whose { patient: to_patient, name: to_name, encounter: to };
        told.push(Moved { by: by.reveal().to_owned(), at, from, to });
    }
    Ok(told)
}
