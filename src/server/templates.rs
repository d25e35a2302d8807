//! The clinician's own forms of the note.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::asked::Body;
use super::caller::{Caller, What};
use super::error::{ApiError, ErrorDocument};
use crate::identity::Right;
use crate::note::Template;
use crate::store::StoredTemplate;

/// The longest name of a template, and of a specialty, in characters.
const LONGEST_NAME: usize = 60;

#[derive(Serialize, ToSchema)]
pub(super) struct Templates {
    /// `name`, `specialty` and `text`, by name.
    #[schema(value_type = Vec<Object>)]
    templates: Vec<StoredTemplate>,
}

/// The clinician's templates.
#[utoipa::path(
    get,
    path = "/v1/templates",
    responses((status = 200, description = "The templates", body = Templates), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Templates>, ApiError> {
    caller.may(&app, Right::View, What::Own).await?;
    Ok(Json(Templates { templates: app.rooms.store().templates(&caller.shelf()).await? }))
}

/// A template to keep.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    #[serde(default)]
    specialty: String,
    text: String,
}

/// Keeps a template under a name, in the place of the one that had it.
#[utoipa::path(
    put,
    path = "/v1/templates/{name}",
    params(("name" = String, Path, description = "What it is called, at most 60 characters")),
    request_body = Form,
    responses((status = 204, description = "It is kept"), (status = "default", description = "Why not: a template that cannot be read is told with line and field", body = ErrorDocument))
)]
pub(super) async fn keep(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(Form { specialty, text }): Body<Form>,
) -> Result<StatusCode, ApiError> {
    caller.may(&app, Right::Edit, What::Own).await?;
    let fits = |word: &str| word.chars().count() <= LONGEST_NAME && !word.chars().any(char::is_control);
    if name.trim().is_empty() || !fits(&name) || !fits(&specialty) {
        return Err(ApiError::Invalid(
            "a name has 1 to 60 characters, a specialty up to 60, none of them a control character".to_owned(),
        ));
    }
    text.parse::<Template>()?;
    let template = StoredTemplate { name, specialty, text };
    app.rooms.store().keep_template(&caller.shelf(), &template, &caller.by).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets a template.
#[utoipa::path(
    delete,
    path = "/v1/templates/{name}",
    params(("name" = String, Path, description = "What it is called")),
    responses((status = 204, description = "It is forgotten"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn remove(State(app): State<App>, caller: Caller, Path(name): Path<String>) -> Result<StatusCode, ApiError> {
    caller.may(&app, Right::Edit, What::Own).await?;
    if app.rooms.store().remove_template(&caller.shelf(), &name, &caller.by).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NoTemplate)
    }
}

/// The clinician's template of this name.
pub(super) async fn named(app: &App, caller: &Caller, name: &str) -> Result<Template, ApiError> {
    let templates = app.rooms.store().templates(&caller.shelf()).await?;
    let found = templates.into_iter().find(|template| template.name == name).ok_or(ApiError::NoTemplate)?;
    Ok(found.text.parse()?)
}
