//! What stands on an organisation's letters: its name, and where it is.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::optional;
use crate::identity::Right;
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::{Caller, What};
use crate::server::error::{ApiError, ErrorDocument};
use crate::store::Letterhead;

/// An organisation as its letters name it.
#[derive(Serialize, ToSchema)]
pub(super) struct LetterheadFace {
    name: String,
    chinese_name: Option<String>,
    address: Option<String>,
    phone: Option<String>,
}

/// What stands below the name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LetterheadGiven {
    #[serde(default)]
    address: Option<String>,
    #[serde(default)]
    phone: Option<String>,
}

/// What stands on the organisation's letters, for its administrators.
#[utoipa::path(
    get,
    path = "/v1/letterhead",
    responses((status = 200, description = "Name, address and telephone number", body = LetterheadFace), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn show(State(app): State<App>, caller: Caller) -> Result<Json<LetterheadFace>, ApiError> {
    caller.may(&app, Right::ManageAccounts, What::Organisation).await?;
    face(&app, &caller).await
}

/// Changes what stands below the organisation's name on its letters.
#[utoipa::path(
    put,
    path = "/v1/letterhead",
    request_body = LetterheadGiven,
    responses((status = 200, description = "As it is now", body = LetterheadFace), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Body(given): Body<LetterheadGiven>,
) -> Result<Json<LetterheadFace>, ApiError> {
    caller.may(&app, Right::ManageAccounts, What::Organisation).await?;
    let to =
        Letterhead { address: optional("address", given.address.as_deref())?, phone: optional("phone", given.phone.as_deref())? };
    app.rooms.store().set_letterhead(caller.session.organisation, &to, &caller.by).await?;
    face(&app, &caller).await
}

async fn face(app: &App, caller: &Caller) -> Result<Json<LetterheadFace>, ApiError> {
    let (store, of) = (app.rooms.store(), caller.session.organisation);
    let found = store.organisation(of).await?.ok_or(ApiError::NotThere)?;
    let Letterhead { address, phone } = store.letterhead(of).await?;
    Ok(Json(LetterheadFace { name: found.name, chinese_name: found.chinese_name, address, phone }))
}
