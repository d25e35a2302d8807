//! What signed notes teach and tell: the terms that a clinician maps, and the clinic's figures. Nothing of it leaves the machine.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::asked::Body;
use super::caller::{Caller, What};
use super::error::{ApiError, ErrorDocument};
use super::signing::kept;
use crate::audit::Action;
use crate::identity::Right;
use crate::interop::fhir::Instant;
use crate::record::{Correction, Figures, Learned, Offer, Outcome, Signature, figures, learned};
use crate::store::{Recording, SignedNote, StoreError, whole};
use crate::terminology::Concept;
use crate::text::PatientText;

/// What became of the draft of every signed note that the caller may see, each computed once.
async fn outcomes(app: &App, caller: &Caller) -> Result<Vec<(String, Outcome)>, ApiError> {
    let store = app.rooms.store();
    let mut all = Vec::new();
    for SignedNote { id, version, outcome } in store.signed_notes(caller.reach_of_records(app).await?).await? {
        let outcome = match outcome {
            Some(outcome) => outcome,
            None => {
                let Some(outcome) = whole(computed(app, &id, version).await)?.flatten() else { continue };
                whole(store.keep_outcome(&id, &outcome).await)?;
                outcome
            }
        };
        all.push((id, outcome));
    }
    Ok(all)
}

/// Nothing for a recording that is being erased.
async fn computed(app: &App, id: &str, version: u64) -> Result<Option<Outcome>, StoreError> {
    let store = app.rooms.store();
    let (Some(recording), Some(kept)) = (store.recording(id).await?, store.record(id).await?) else { return Ok(None) };
    let (draft, signed) = (store.note_version(id, 1).await?, store.note_version(id, version).await?);
    let signature = kept.signed.iter().find(|(of, _)| *of == version).map(|(_, signature)| signature);
    let (Some(draft), Some(signed), Some(signature)) = (draft, signed, signature) else { return Ok(None) };
    Ok(Some(Outcome::new(&draft, &signed, signature, seconds(&recording, signature), app.rooms.lexicon())))
}

/// From the end of the talk, which is its start and its length, to the signature; nothing where nobody talked or a clock was set back.
fn seconds(recording: &Recording, signature: &Signature) -> Option<u64> {
    let at = |text: &str| Instant::parse(text).ok().map(|instant| instant.unix_seconds());
    let talk = recording.duration_ms.filter(|length| *length > 0)?;
    let talk = i64::try_from(talk.div_ceil(1000)).ok()?;
    u64::try_from(at(&signature.at)? - at(&recording.created_at)? - talk).ok()
}

/// The clinician's figures: of all signed notes of the patients whom this clinician treats.
#[utoipa::path(
    get,
    path = "/v1/figures",
    responses((status = 200, description = "`notes`, `median_seconds` from the end of the talk to the signature and how many notes are `timed`, the share of draft lines `kept` word for word, characters `changed` for each of the draft, the terms most often `corrected`", body = Object), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn show_figures(State(app): State<App>, caller: Caller) -> Result<Json<Figures>, ApiError> {
    let outcomes: Vec<Outcome> = outcomes(&app, &caller).await?.into_iter().map(|(_, outcome)| outcome).collect();
    caller.read_of(&app, outcomes.len()).await?;
    Ok(Json(figures(&outcomes)))
}

#[derive(Serialize, ToSchema)]
pub(super) struct Terms {
    /// `words`, the `concept` that they were mapped to and how many `times`.
    #[schema(value_type = Vec<Object>)]
    terms: Vec<Learned>,
}

async fn known(app: &App, caller: &Caller) -> Result<Vec<Learned>, ApiError> {
    let outcomes: Vec<Outcome> = outcomes(app, caller).await?.into_iter().map(|(_, outcome)| outcome).collect();
    Ok(learned(&outcomes, &caller.name))
}

/// What this clinician's corrections have taught: words mapped to another concept twice or more, in notes that were signed.
#[utoipa::path(
    get,
    path = "/v1/learned",
    responses((status = 200, description = "The terms", body = Terms), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Terms>, ApiError> {
    let terms = known(&app, &caller).await?;
    caller.read_of(&app, terms.len()).await?;
    Ok(Json(Terms { terms }))
}

/// A term that is not to be suggested any more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Unwanted {
    #[schema(value_type = String)]
    words: PatientText,
    #[schema(value_type = Object)]
    concept: Concept,
}

/// Forgets what these words were mapped to; two new corrections teach it again.
#[utoipa::path(
    post,
    path = "/v1/learned/forget",
    request_body = Unwanted,
    responses((status = 204, description = "It is suggested no more"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn forget(
    State(app): State<App>,
    caller: Caller,
    Body(unwanted): Body<Unwanted>,
) -> Result<StatusCode, ApiError> {
    let mut found = false;
    let unwanted = Learned { words: unwanted.words, concept: unwanted.concept, times: 0 };
    for (id, mut outcome) in outcomes(&app, &caller).await? {
        if outcome.by != *caller.name {
            continue;
        }
        let taught = |correction: &&mut Correction| unwanted.is_taught_by(correction) && !correction.forgotten;
        let mine = outcome.corrections.iter_mut().filter(taught);
        let count = mine.map(|correction| correction.forgotten = true).count();
        if count > 0 {
            found = true;
            whole(app.rooms.store().change_outcome(&id, &outcome).await)?;
        }
    }
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NotLearned) }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Suggestions {
    /// The version of the note that they are for: what an edit that takes one names.
    version: u64,
    suggestions: Vec<Suggestion>,
}

#[derive(Serialize, ToSchema)]
struct Suggestion {
    #[schema(value_type = Object)]
    #[serde(flatten)]
    term: Learned,
    /// The edit that takes it: `recode` of a finding, `code` of a line, `phrase` of words that led to nothing.
    #[schema(value_type = Object)]
    edit: Offer,
}

/// Terms that this clinician has mapped before, where the note makes something else of them or nothing.
#[utoipa::path(
    get,
    path = "/v1/recordings/{id}/learned",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 200, description = "The suggestions", body = Suggestions), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn suggest(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Suggestions>, ApiError> {
    caller.may(&app, Right::View, What::Recording(&id)).await?;
    let record = kept(&app, &id).await?;
    caller.reads(&app, Action::View { count: 1 }, &id).await?;
    let mut suggestions = Vec::new();
    for term in known(&app, &caller).await? {
        let offers = term.offers(&record.transcript, record.record.note(), app.rooms.lexicon());
        suggestions.extend(offers.into_iter().map(|edit| Suggestion { term: term.clone(), edit }));
    }
    Ok(Json(Suggestions { version: record.record.version(), suggestions }))
}
