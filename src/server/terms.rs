//! The terminology, looked up by whoever changes a code.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::asked::Body;
use super::caller::Caller;
use super::error::{ApiError, ErrorDocument};
use crate::note::Code;
use crate::terminology::{Concept, LONGEST_QUERY};

/// How many concepts are listed.
const MOST: usize = 20;

/// What is looked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sought {
    /// At most 100 characters. It stands in no address, for those are kept in logs and histories.
    text: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Concepts {
    /// The best first, at most 20.
    concepts: Vec<Found>,
}

#[derive(Serialize, ToSchema)]
struct Found {
    /// What an edit names: `kind`, and `icd10` and `en` of a condition or `name` of a drug.
    #[schema(value_type = Object)]
    concept: Concept,
    en: String,
    zh: Option<String>,
    /// `system` and `code`, the hospital's own behind ours.
    #[schema(value_type = Vec<Object>)]
    codes: Vec<Code>,
}

/// Conditions and drugs by Chinese, English, a code or Jyutping, the hospital's own tables among them.
#[utoipa::path(
    post,
    path = "/v1/terminology/search",
    request_body = Sought,
    responses((status = 200, description = "What fits, the best first", body = Concepts), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn search(
    State(app): State<App>,
    _: Caller,
    Body(Sought { text }): Body<Sought>,
) -> Result<Json<Concepts>, ApiError> {
    if text.chars().count() > LONGEST_QUERY {
        return Err(ApiError::Invalid(format!("`text` has more than {LONGEST_QUERY} characters")));
    }
    let hits = app.rooms.lexicon().search(&text, MOST).into_iter().map(|hit| Found {
        concept: hit.concept,
        en: hit.en,
        zh: hit.zh,
        codes: hit.codes.into_iter().map(|(system, code)| Code { system, code }).collect(),
    });
    Ok(Json(Concepts { concepts: hits.collect() }))
}
