//! What the page asks of a note: to change a line of it, and to take it away.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::caller::Caller;
use super::clock::now;
use super::error::{ApiError, ErrorDocument};
use crate::audit::Action;
use crate::interop::fhir::{self, Instant};
use crate::note::compose::{self, sections, to_text};
use crate::note::edit::{NoteEdit, apply, is_edited};
use crate::note::{Note, SectionCode};
use crate::speech::transcript;
use crate::store::{Document, SaveError};
use crate::text::PatientText;

/// A change that a person makes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// The version that the person saw.
    version: u64,
    edit: Edit,
}

#[derive(Deserialize, ToSchema)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
enum Edit {
    Replace {
        #[schema(value_type = String)]
        section: SectionCode,
        index: usize,
        #[schema(value_type = String)]
        text: PatientText,
    },
    Remove {
        #[schema(value_type = String)]
        section: SectionCode,
        index: usize,
    },
    Add {
        #[schema(value_type = String)]
        section: SectionCode,
        #[schema(value_type = String)]
        text: PatientText,
    },
}

impl From<Edit> for NoteEdit {
    fn from(edit: Edit) -> Self {
        match edit {
            Edit::Replace { section, index, text } => Self::Replace { section, index, text },
            Edit::Remove { section, index } => Self::Remove { section, index },
            Edit::Add { section, text } => Self::Add { section, text },
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Changed {
    version: u64,
    /// `cantoscribe/note/1`
    #[schema(value_type = Object)]
    note: Note,
}

/// Changes a line of a note, adds one or takes one away.
#[utoipa::path(
    post,
    path = "/v1/recordings/{id}/note/edits",
    params(("id" = String, Path, description = "The recording's id")),
    request_body = Change,
    responses((status = 200, description = "The note as it is now", body = Changed), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn edit(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(change): Json<Change>,
) -> Result<Json<Changed>, ApiError> {
    let Document { note, version, .. } = document(&app, &id).await?;
    if version != change.version {
        return Err(ApiError::Conflict { version, note: Box::new(note) });
    }
    let note = apply(&note, change.edit.into(), &app.clinician, now().as_str(), app.rooms.lexicon())?;
    match app.rooms.store().save_note(&id, version, &note, &caller.0).await {
        Ok(version) => Ok(Json(Changed { version, note })),
        Err(SaveError::Conflict) => {
            let Document { note, version, .. } = document(&app, &id).await?;
            Err(ApiError::Conflict { version, note: Box::new(note) })
        }
        Err(SaveError::Store(error)) => Err(error.into()),
    }
}

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
}

/// The note of a finished recording.
#[utoipa::path(
    get,
    path = "/v1/recordings/{id}/note",
    params(("id" = String, Path, description = "The recording's id"),
        ("format" = String, Query, description = "`json`, `fhir` or `text`"),
        ("lang" = Option<String>, Query, description = "`en` or `zh-Hant`; `en` when not said")),
    responses((status = 200, description = "The note", content((Object = "application/json"), (Object = "application/fhir+json"), (String = "text/plain"))), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn download(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Query(form): Query<Form>,
) -> Result<Response, ApiError> {
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
    match form.format {
        Format::Json => Ok(file("note.json", "application/json", serde_json::to_string_pretty(&note)?)),
        Format::Text => Ok(file("note.txt", "text/plain; charset=utf-8", to_text(&note, &transcript, language))),
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
    Query(form): Query<Form>,
) -> Result<Response, ApiError> {
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
