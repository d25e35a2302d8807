//! The patient's yes to being recorded, noted before the microphone opens.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::banner::EncounterFace;
use crate::audit::{HowSaid, UnixMillis};
use crate::consent::{Decider, RecordingGrounds, Standing};
use crate::identity::Right;
use crate::interop::fhir::Instant;
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::{Caller, What};
use crate::server::error::{ApiError, ErrorDocument};
use crate::server::sharing::standing;

/// For how long a parent is believed to decide where nobody knows how old the patient is: the visit is over by then.
const A_DAY: u64 = 24 * 3_600_000;

/// Who said yes, and how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Yes {
    /// `patient`, `parent`, `guardian` or `relative`: the last two for who cannot decide, or for a minor's guardian.
    #[schema(value_type = String)]
    by: Decider,
    /// `spoken`, `on_paper` or `on_screen`.
    #[schema(value_type = String)]
    how: HowSaid,
}

/// On what the recording of a visit rests.
#[derive(Clone, Serialize, ToSchema)]
pub(in crate::server) struct AgreementFace {
    /// `patient`, `parent`, `guardian` or `relative`; null in a trial where nobody was asked.
    #[schema(value_type = Option<String>)]
    by: Option<Decider>,
    /// `spoken`, `on_paper`, `on_screen`, or `trial`.
    how: &'static str,
    /// RFC 3339 time, in UTC; null where nobody was asked.
    at: Option<String>,
}

impl From<RecordingGrounds> for AgreementFace {
    fn from(grounds: RecordingGrounds) -> Self {
        let Some(yes) = grounds.yes() else { return Self { by: None, how: "trial", at: None } };
        let how = match yes.how() {
            HowSaid::Spoken => "spoken",
            HowSaid::OnScreen => "on_screen",
            HowSaid::OnPaper => "on_paper",
        };
        let seconds = i64::try_from(yes.at().0 / 1_000).unwrap_or(i64::MAX);
        Self { by: Some(yes.by()), how, at: Some(Instant::from_unix_seconds(seconds).as_str().to_owned()) }
    }
}

/// Notes that somebody said yes to the recording of this visit. Without it no microphone is opened, but in a trial.
#[utoipa::path(
    post,
    path = "/v1/encounters/{id}/recording-consent",
    params(("id" = String, Path, description = "The visit's id")),
    request_body = Yes,
    responses((status = 200, description = "The visit", body = EncounterFace), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn agree(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(Yes { by, how }): Body<Yes>,
) -> Result<Json<EncounterFace>, ApiError> {
    caller.may(&app, Right::Edit, What::Visit(&id)).await?;
    let store = app.rooms.store();
    let visit = store.encounter(&id).await?.ok_or(ApiError::NoVisit)?;
    let patient = store.patient(&visit.patient).await?.ok_or(ApiError::NoPatient)?;
    let known = standing(store, Some(&visit.patient)).await?;
    let standing = standing_of_answer(known, by, patient.patient.born.is_some(), caller.by.at);
    let noted = store.note_recording_yes(&id, (standing, by, how), &caller.by).await?;
    noted.map(|visit| Json(visit.into())).map_err(ApiError::Denied)
}

/// Who may decide, as far as it is known, and else as who notes the answer says by it: a guardian's or a relative's yes says that the
/// patient cannot decide, a parent's that a patient of unknown age is a child.
fn standing_of_answer(known: Standing, by: Decider, age_known: bool, at: UnixMillis) -> Standing {
    match (known, by) {
        (Standing::Decides, Decider::Guardian | Decider::Relative) => Standing::Incapable,
        (Standing::Decides, Decider::Parent) if !age_known => Standing::Minor { until: at.after(A_DAY) },
        (known, _) => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_is_taken_from_who_may_give_it() {
        let at = UnixMillis(1_000);
        let taken = |known, by: Decider, age_known| by.may_decide(standing_of_answer(known, by, age_known, at), at);
        let minor = Standing::Minor { until: UnixMillis(2_000) };
        for (known, by, age_known, expected) in [
            (Standing::Decides, Decider::Patient, true, true),
            (Standing::Decides, Decider::Parent, true, false),
            (Standing::Decides, Decider::Parent, false, true),
            (Standing::Decides, Decider::Relative, true, true),
            (minor, Decider::Patient, true, false),
            (minor, Decider::Parent, true, true),
            (minor, Decider::Relative, true, false),
            (Standing::Incapable, Decider::Patient, true, false),
            (Standing::Incapable, Decider::Guardian, false, true),
        ] {
            assert_eq!(taken(known, by, age_known), expected, "{known:?} {by:?} {age_known}");
        }
    }
}
