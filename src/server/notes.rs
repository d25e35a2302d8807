//! The documents of a finished recording, to take away.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::asked::Asked;
use super::caller::{Caller, What};
use super::error::{ApiError, ErrorDocument};
use super::{App, templates};
use crate::audit::Action;
use crate::identity::Right;
use crate::interop::fhir::{self, Instant};
use crate::note::compose::{self, sections, text_of};
use crate::note::edit::is_edited;
use crate::speech::transcript;
use crate::store::Document;

/// The documents of a recording that is finished.
async fn document(app: &App, id: &str) -> Result<Document, ApiError> {
    let store = app.rooms.store();
    store.recording(id).await?.ok_or(ApiError::NotFound)?;
    store.document(id).await?.ok_or(ApiError::NotFinished)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Json,
    Fhir,
    Text,
    Srt,
    Vtt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
enum Tongue {
    #[default]
    #[serde(rename = "en")]
    English,
    #[serde(rename = "zh-Hant")]
    TraditionalChinese,
}

/// In which form a document is taken away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    format: Format,
    #[serde(default)]
    lang: Option<Tongue>,
    /// The clinician's template of this name gives the sections their form.
    template: Option<String>,
}

/// The note of a finished recording.
#[utoipa::path(
    get,
    path = "/v1/recordings/{id}/note",
    params(("id" = String, Path, description = "The recording's id"),
        ("format" = String, Query, description = "`json`, `fhir` or `text`"),
        ("lang" = Option<String>, Query, description = "`en` or `zh-Hant`; `en` when not said"),
        ("template" = Option<String>, Query, description = "The name of one of the clinician's templates")),
    responses((status = 200, description = "The note", content((Object = "application/json"), (Object = "application/fhir+json"), (String = "text/plain"))), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn download(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(form): Asked<Form>,
) -> Result<Response, ApiError> {
    caller.may(&app, Right::Export, What::Recording(&id)).await?;
    let recording = app.rooms.store().recording(&id).await?.ok_or(ApiError::NotFound)?;
    let Document { transcript, mut note, .. } = document(&app, &id).await?;
    caller.reads(&app, Action::Export { count: 1 }, &id).await?;
    let language = match form.lang.unwrap_or_default() {
        Tongue::English => compose::Language::English,
        Tongue::TraditionalChinese => compose::Language::TraditionalChinese,
    };
    if language != compose::Language::English {
        // Sections are English in the store. Lines that a person wrote cannot be rendered again.
        if is_edited(&note) {
            return Err(ApiError::Edited);
        }
        note.sections = sections(&note, language);
    }
    if let Some(name) = &form.template {
        note.sections = templates::named(&app, &caller, name).await?.sections(&note, language);
    }
    match form.format {
        Format::Json => Ok(file("note.json", "application/json", serde_json::to_string_pretty(&note)?)),
        Format::Text => Ok(file("note.txt", "text/plain; charset=utf-8", text_of(&note, &note.sections, &transcript, language))),
        Format::Fhir => {
            let at = Instant::parse(&recording.created_at)?;
            let options = fhir::Options { patient: None, author: None, at, language };
            let bundle = fhir::document(&note, Some(&transcript), &options)?;
            Ok(file("note.fhir.json", "application/fhir+json", serde_json::to_string_pretty(&bundle)?))
        }
        Format::Srt | Format::Vtt => Err(ApiError::Invalid("a note has no subtitles".to_owned())),
    }
}

/// The transcript of a finished recording.
#[utoipa::path(
    get,
    path = "/v1/recordings/{id}/transcript",
    params(("id" = String, Path, description = "The recording's id"),
        ("format" = String, Query, description = "`json`, `text`, `srt` or `vtt`")),
    responses((status = 200, description = "The transcript", content((Object = "application/json"), (String = "text/plain"), (String = "application/x-subrip"), (String = "text/vtt"))), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn download_transcript(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(form): Asked<Form>,
) -> Result<Response, ApiError> {
    caller.may(&app, Right::Export, What::Recording(&id)).await?;
    let Document { transcript, .. } = document(&app, &id).await?;
    caller.reads(&app, Action::Export { count: 1 }, &id).await?;
    Ok(match form.format {
        Format::Json => file("transcript.json", "application/json", transcript::to_json(&transcript)?),
        Format::Text => file("transcript.txt", "text/plain; charset=utf-8", transcript::to_text(&transcript)),
        Format::Srt => file("transcript.srt", "application/x-subrip", transcript::to_srt(&transcript)?),
        Format::Vtt => file("transcript.vtt", "text/vtt; charset=utf-8", transcript::to_vtt(&transcript)?),
        Format::Fhir => return Err(ApiError::Invalid("a transcript has no FHIR form: take the note".to_owned())),
    })
}

fn file(name: &str, kind: &'static str, content: String) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, content).into_response()
}
