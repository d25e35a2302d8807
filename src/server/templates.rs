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
use crate::note::compose::Language;
use crate::note::{Note, Section, Template};
use crate::store::{StoredTemplate, TemplateChoice};

/// The longest name of a template, and of a specialty, in characters.
const LONGEST_NAME: usize = 60;

#[derive(Serialize, ToSchema)]
pub(super) struct Templates {
    /// `name`, `specialty` and `text`, by name.
    #[schema(value_type = Vec<Object>)]
    templates: Vec<StoredTemplate>,
    /// The specialty that the clinician works in now; may be empty.
    specialty: String,
    /// The name of the template that is chosen for it.
    chosen: Option<String>,
}

/// The clinician's templates.
#[utoipa::path(
    get,
    path = "/v1/templates",
    responses((status = 200, description = "The templates", body = Templates), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Templates>, ApiError> {
    caller.may(&app, Right::View, What::Own).await?;
    Ok(Json(listed(&app, &caller).await?))
}

async fn listed(app: &App, caller: &Caller) -> Result<Templates, ApiError> {
    let templates = app.rooms.store().templates(&caller.shelf()).await?;
    let TemplateChoice { specialty, mut chosen } = app.rooms.store().template_choice(&caller.shelf()).await?;
    // One that was removed or is for another specialty now is chosen no more.
    let there = |name: &String| templates.iter().any(|one| one.name == *name && one.specialty == specialty);
    let chosen = chosen.remove(&specialty).filter(there);
    Ok(Templates { templates, specialty, chosen })
}

/// What gives the note its form from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedForm {
    /// The specialty that the clinician works in.
    specialty: String,
    /// The template for it; null for none. Left out, the one that was chosen for it before.
    #[serde(default, deserialize_with = "given")]
    name: Option<Option<String>>,
}

/// Tells null from what is left out.
fn given<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// Chooses the template that gives notes their form, for a specialty, and goes to that specialty.
#[utoipa::path(
    put,
    path = "/v1/template-choice",
    request_body = WantedForm,
    responses((status = 200, description = "The templates and what is chosen", body = Templates), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn choose_template(
    State(app): State<App>,
    caller: Caller,
    Body(WantedForm { specialty, name }): Body<WantedForm>,
) -> Result<Json<Templates>, ApiError> {
    caller.may(&app, Right::Edit, What::Own).await?;
    let store = app.rooms.store();
    let templates = store.templates(&caller.shelf()).await?;
    let mut choice = store.template_choice(&caller.shelf()).await?;
    match name {
        None => {}
        Some(None) => drop(choice.chosen.remove(&specialty)),
        Some(Some(name)) => {
            if !templates.iter().any(|one| one.name == name && one.specialty == specialty) {
                return Err(ApiError::NoTemplate);
            }
            choice.chosen.insert(specialty.clone(), name);
        }
    }
    // Specialties are those of the clinician's templates: nothing else is kept.
    choice.chosen.retain(|specialty, name| templates.iter().any(|one| one.name == *name && one.specialty == *specialty));
    choice.specialty = if templates.iter().any(|one| one.specialty == specialty) { specialty } else { String::new() };
    store.keep_template_choice(&caller.shelf(), &choice, &caller.by).await?;
    Ok(Json(listed(&app, &caller).await?))
}

/// A note in the clinician's chosen form.
#[derive(Serialize, ToSchema)]
pub(super) struct Formed {
    /// The template's name.
    name: String,
    /// `code` and `sentences`, as a note has them.
    #[schema(value_type = Vec<Object>)]
    sections: Vec<Section>,
}

/// The note in the form that its reader has chosen, if any.
pub(super) async fn formed(app: &App, caller: &Caller, note: &Note) -> Result<Option<Formed>, ApiError> {
    let Templates { templates, chosen, .. } = listed(app, caller).await?;
    let Some(stored) = templates.into_iter().find(|template| Some(&template.name) == chosen.as_ref()) else { return Ok(None) };
    let template: Template = stored.text.parse()?;
    Ok(Some(Formed { name: stored.name, sections: template.sections(note, Language::English) }))
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
