//! Which models there are: the one that is loaded.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;

use super::error::OpenAiError;
use super::request::is_loaded;
use crate::server::App;

/// A model.
#[derive(Serialize)]
pub(super) struct Model {
    /// What requests call it.
    id: String,
    object: &'static str,
    /// When this server loaded it, in seconds since 1970: the checkpoint does not say when it was made.
    created: u64,
    owned_by: &'static str,
}

/// All models.
#[derive(Serialize)]
pub(super) struct Models {
    object: &'static str,
    data: [Model; 1],
}

fn loaded(app: &App) -> Model {
    let id = app.rooms.engine().models().identity.name.clone();
    Model { id, object: "model", created: app.allowance.started, owned_by: "cantoscribe" }
}

/// `GET /v1/models`
pub(super) async fn list(State(app): State<App>) -> Json<Models> {
    Json(Models { object: "list", data: [loaded(&app)] })
}

/// `GET /v1/models/ID`
pub(super) async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Model>, OpenAiError> {
    let model = loaded(&app);
    if is_loaded(&id, &model.id) { Ok(Json(model)) } else { Err(OpenAiError::NoSuchModel { loaded: model.id }) }
}
