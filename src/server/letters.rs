//! Letters of a signed note.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::App;
use super::error::{ApiError, ErrorDocument};
use crate::fonts;
use crate::identity::Date;
use crate::interop::fhir::Instant;
use crate::letter::{self, Letter, LetterError, LetterKind, Patient, Request};
use crate::note::compose::Language;
use crate::record::Record;
use crate::store::KeptRecord;

/// A page of letters runs no script and loads nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Html,
    Pdf,
}

/// In which form a letter is taken, and what the clinician says that the note does not.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    #[serde(default)]
    format: Format,
    lang: Option<String>,
    /// The first day of sick leave.
    from: Option<String>,
}

/// A letter of a signed note.
#[utoipa::path(
    get,
    path = "/v1/recordings/{id}/letters/{kind}",
    params(("id" = String, Path, description = "The recording's id"),
        ("kind" = String, Path, description = "`referral`, `sick-leave` or `summary`"),
        ("format" = Option<String>, Query, description = "`html` or `pdf`; `html` when not said"),
        ("lang" = Option<String>, Query, description = "`en` or `zh-Hant`; when not said `zh-Hant` for a summary and `en` for the others"),
        ("from" = Option<String>, Query, description = "The first day of sick leave, `YYYY-MM-DD`; left blank when not said")),
    responses((status = 200, description = "The letter", content((String = "text/html"), (Vec<u8> = "application/pdf"))), (status = "default", description = "Why not: `not_signed` while nobody has signed the note, `not_in_note` where it has no referral or no sick leave", body = ErrorDocument))
)]
pub(super) async fn show(
    State(app): State<App>,
    Path((id, kind)): Path<(String, String)>,
    Query(form): Query<Form>,
) -> Result<Response, ApiError> {
    let store = app.rooms.store();
    let recording = store.recording(&id).await?.ok_or(ApiError::NotFound)?;
    let KeptRecord { record, .. } = store.record(&id).await?.ok_or(ApiError::NotFinished)?;
    let Record::Signed(signed) = &record else { return Err(ApiError::Unsigned) };
    let kind: LetterKind = kind.parse().map_err(|_| ApiError::NoSuchAddress)?;
    let language = form.lang.as_deref().map(str::parse::<Language>).transpose()?.unwrap_or(kind.usual_language());
    let day = |given: &str| Date::parse(given).map_err(|error| ApiError::Invalid(format!("`from`: {error}")));
    let (seen, signed_at) = (local(&recording.created_at)?, local(&signed.signature().at)?);
    let request = Request {
        note: signed.note(),
        patient: &Patient::default(),
        clinician: &signed.signature().by,
        signed_at: Some(&signed_at),
        institution: &[],
        seen: Date::parse(seen.get(..10).unwrap_or_default()).map_err(|error| ApiError::internal(&error))?,
        leave_from: form.from.as_deref().map(day).transpose()?,
        language,
    };
    let letters = letter::letters(kind, &request)?;
    match form.format {
        Format::Html => Ok(html(letter::to_html(&letters))),
        Format::Pdf => pdf(kind, letters).await,
    }
}

/// Hong Kong is eight hours ahead of UTC all year round.
const HONG_KONG: i64 = 8 * 3600;

/// Day and minute in Hong Kong: `2026-11-26 18:30`.
fn local(at: &str) -> Result<String, ApiError> {
    let local = Instant::from_unix_seconds(Instant::parse(at)?.unix_seconds() + HONG_KONG);
    Ok(local.as_str().chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect())
}

fn html(page: String) -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    let policy = HeaderValue::from_static(POLICY);
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, policy)], page).into_response()
}

/// Fonts are large: they are read and cut on a thread where that stops nobody.
async fn pdf(kind: LetterKind, letters: Vec<Letter>) -> Result<Response, ApiError> {
    let written = tokio::task::spawn_blocking(move || letter::to_pdf(&letters, &fonts::for_letters(&letters)?)).await;
    let written = written.map_err(|error| ApiError::internal(&error))??;
    let disposition = format!("inline; filename=\"{}.pdf\"", kind.name());
    Ok(([(header::CONTENT_TYPE, "application/pdf".to_owned()), (header::CONTENT_DISPOSITION, disposition)], written)
        .into_response())
}

impl From<LetterError> for ApiError {
    fn from(error: LetterError) -> Self {
        match error {
            LetterError::NotInNote { .. } => Self::NotInNote(error.to_string()),
            LetterError::NoFont | LetterError::NoGlyph { .. } => Self::NoFont(error.to_string()),
            error => Self::internal(&error),
        }
    }
}
