//! Letters of a signed note.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::App;
use super::asked::Asked;
use super::caller::{Caller, What};
use super::clock::local;
use super::error::{ApiError, ErrorDocument};
use crate::audit::{Action, OrganisationId};
use crate::fonts;
use crate::identity::{Date, Right};
use crate::interop::fhir::Instant;
use crate::letter::{self, Letter, LetterError, LetterKind, Patient, Request};
use crate::note::compose::Language;
use crate::record::Record;
use crate::store::{KeptRecord, Letterhead, Recording};
use crate::text::PatientText;
use crate::visit::{Age, Identifier, IdentifierKind};

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
    caller: Caller,
    Path((id, kind)): Path<(String, String)>,
    Asked(form): Asked<Form>,
) -> Result<Response, ApiError> {
    caller.may(&app, Right::Export, What::Recording(&id)).await?;
    let store = app.rooms.store();
    let recording = store.recording(&id).await?.ok_or(ApiError::NotFound)?;
    let KeptRecord { record, .. } = store.record(&id).await?.ok_or(ApiError::NotFinished)?;
    let Record::Signed(signed) = &record else { return Err(ApiError::Unsigned) };
    let kind: LetterKind = kind.parse().map_err(|_| ApiError::NoSuchAddress)?;
    let language = form.lang.as_deref().map(str::parse::<Language>).transpose()?.unwrap_or(kind.usual_language());
    let first = |given: &str| Date::parse(given).map_err(|error| ApiError::Invalid(format!("`from`: {error}")));
    let (patient, visited) = subject(&app, &recording, kind).await?;
    let institution = institution(&app, caller.session.organisation, language).await?;
    let signed_at = minute(&signed.signature().at)?;
    let request = Request {
        note: signed.note(),
        patient: &patient,
        clinician: &signed.signature().by,
        signed_at: Some(&signed_at),
        institution: &institution,
        seen: day(&visited)?,
        leave_from: form.from.as_deref().map(first).transpose()?,
        language,
    };
    let letters = letter::letters(kind, &request)?;
    caller.reads(&app, Action::Export { count: 1 }, &id).await?;
    match form.format {
        Format::Html => Ok(html(letter::to_html(&letters))),
        Format::Pdf => pdf(kind, letters).await,
    }
}

/// The lines that head a letter of an organisation: its name, where it is and how it is reached.
async fn institution(app: &App, of: OrganisationId, language: Language) -> Result<Vec<String>, ApiError> {
    let store = app.rooms.store();
    let Some(found) = store.organisation(of).await? else { return Ok(Vec::new()) };
    let name = match (language, found.chinese_name) {
        (Language::TraditionalChinese, Some(chinese)) => chinese,
        _ => found.name,
    };
    let Letterhead { address, phone } = store.letterhead(of).await?;
    let phone = phone.map(|number| match language {
        Language::English => format!("Tel. {number}"),
        Language::TraditionalChinese => format!("電話：{number}"),
    });
    Ok([Some(name), address, phone].into_iter().flatten().collect())
}

/// Who a recording is about, and when the visit was; in a trial nobody, and when the recording began.
async fn subject(app: &App, recording: &Recording, kind: LetterKind) -> Result<(Patient, Instant), ApiError> {
    let store = app.rooms.store();
    let began = Instant::parse(&recording.created_at)?;
    let Some((encounter, _)) = store.assigned(&recording.id).await? else { return Ok((Patient::default(), began)) };
    let Some(visit) = store.encounter(&encounter).await? else { return Ok((Patient::default(), began)) };
    let at = Instant::from_unix_seconds(visit.at);
    let Some(stored) = store.patient(&visit.patient).await? else { return Ok((Patient::default(), at)) };
    let known = stored.patient;
    let names: Vec<&str> =
        [Some(&known.name), known.chinese_name.as_ref()].into_iter().flatten().map(PatientText::reveal).collect();
    let identifiers = numbers(&known.identifiers, kind);
    let age = known.born.and_then(|born| Age::on(born, day(&at).ok()?)).map(|age| age.years);
    let (sex, born, allergies) = (known.sex, known.born, known.allergies);
    Ok((Patient { name: Some(PatientText::from(names.join(" "))), identifiers, sex, born, age, allergies }, at))
}

/// The numbers that a letter has. An employer learns nothing of where else somebody is a patient.
fn numbers(known: &[Identifier], kind: LetterKind) -> Vec<(String, PatientText)> {
    let told = known.iter().filter(|number| kind != LetterKind::SickLeave || number.issuer.is_none());
    told.map(|number| (label(number.kind).to_owned(), number.written())).collect()
}

/// What stands before a number: the usual abbreviation, in either language.
fn label(kind: IdentifierKind) -> &'static str {
    match kind {
        IdentifierKind::Hkid => "HKID",
        IdentifierKind::Passport => "Passport",
        IdentifierKind::Hospital => "HN",
        IdentifierKind::Clinic => "No.",
        IdentifierKind::Other => "ID",
    }
}

/// The day in Hong Kong.
fn day(at: &Instant) -> Result<Date, ApiError> {
    Date::parse(local(at).as_str().get(..10).unwrap_or_default()).map_err(|error| ApiError::internal(&error))
}

/// Day and minute in Hong Kong: `2026-11-26 18:30`.
fn minute(at: &str) -> Result<String, ApiError> {
    Ok(local(&Instant::parse(at)?).as_str().chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visit::GivenNumber;

    #[test]
    fn an_employer_is_not_told_of_which_other_institution_somebody_is_a_patient() {
        let issued = GivenNumber { issuer: Some("Castle Peak Hospital"), ..GivenNumber::own("hospital", "77") };
        let known = [GivenNumber::own("hospital", "12"), issued].map(|number| Identifier::new(&number).unwrap());
        let told = |kind| numbers(&known, kind).into_iter().map(|(label, number)| format!("{label} {}", number.reveal()));
        assert_eq!(told(LetterKind::SickLeave).collect::<Vec<_>>(), ["HN 12"]);
        for kind in [LetterKind::Referral, LetterKind::Summary] {
            assert_eq!(told(kind).collect::<Vec<_>>(), ["HN 12", "HN 77 (Castle Peak Hospital)"]);
        }
    }
}
