//! Which models there are: the one that is loaded.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::OpenAiError;
use super::request::is_loaded;
use crate::server::App;
use crate::server::error::ErrorDocument;
use crate::server::sender::Sender;

/// A model.
#[derive(Serialize, ToSchema)]
pub(super) struct Model {
    /// What requests call it.
    id: String,
    object: &'static str,
    /// When this server loaded it, in seconds since 1970: the checkpoint does not say when it was made.
    created: u64,
    owned_by: &'static str,
}

/// All models.
#[derive(Serialize, ToSchema)]
pub(super) struct Models {
    object: &'static str,
    data: [Model; 1],
}

fn loaded(app: &App) -> Model {
    let id = app.rooms.engine().models().identity.name.clone();
    Model { id, object: "model", created: app.allowance.started, owned_by: "cantoscribe" }
}

/// Which models there are: the one that is loaded.
#[utoipa::path(
    get,
    path = "/v1/models",
    responses((status = 200, description = "All models", body = Models), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(State(app): State<App>, _: Sender) -> Json<Models> {
    Json(Models { object: "list", data: [loaded(&app)] })
}

/// A model: the one that is loaded, or `whisper-1`, which stands for it.
#[utoipa::path(
    get,
    path = "/v1/models/{id}",
    params(("id" = String, Path, description = "Its name")),
    responses((status = 200, description = "The model", body = Model), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn show(State(app): State<App>, _: Sender, Path(id): Path<String>) -> Result<Json<Model>, OpenAiError> {
    let model = loaded(&app);
    if is_loaded(&id, &model.id) { Ok(Json(model)) } else { Err(OpenAiError::NoSuchModel { loaded: model.id }) }
}
