//! What is left to do: the visits of a day, and what earlier ones left undone.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::banner::{Banner, Faces};
use crate::interop::fhir::Instant;
use crate::record::Stage;
use crate::server::App;
use crate::server::asked::Asked;
use crate::server::caller::Caller;
use crate::server::error::{ApiError, ErrorDocument};
use crate::store::{State as RecordingState, whole};
use crate::visit::{Progress, doubts};

/// Visits of a day in one answer.
const MOST: u32 = 300;
/// Earlier visits that are looked at for what they left undone, and how many of those are told.
const EARLIER: u32 = 200;
const EARLIER_TOLD: usize = 50;

/// A recording, or a typed note, of a visit.
#[derive(Serialize, ToSchema)]
pub(super) struct Work {
    pub recording: String,
    pub created_at: String,
    /// `unfinished`, `writing`, `draft`, `reviewed` or `signed`.
    #[schema(value_type = String)]
    progress: Progress,
    /// Things of the note that want a look.
    doubtful: usize,
    /// It is a note that was typed, without sound.
    typed: bool,
}

/// How far a recording is; none where it is gone or damaged.
pub(super) async fn work_of(app: &App, id: &str) -> Result<Option<Work>, ApiError> {
    let store = app.rooms.store();
    let Some(recording) = whole(store.recording(id).await)?.flatten() else { return Ok(None) };
    let typed = store.assigned(id).await?.is_some_and(|(_, typed)| typed);
    let (progress, doubtful) = match recording.state {
        RecordingState::Open => (Progress::Unfinished, 0),
        RecordingState::Finishing => (Progress::Writing, 0),
        RecordingState::Finished => match store.stage(id).await? {
            Some(Stage::Signed) => (Progress::Signed, 0),
            Some(stage) => match whole(store.document(id).await)?.flatten() {
                Some(document) => (stage.into(), doubts(&document.note)),
                None => return Ok(None),
            },
            // It was erased since the look above.
            None => return Ok(None),
        },
    };
    Ok(Some(Work { progress, doubtful, typed, recording: recording.id, created_at: recording.created_at }))
}

/// A visit and how far it is.
#[derive(Serialize, ToSchema)]
#[schema(as = WorklistEntry)]
struct Entry {
    #[serde(flatten)]
    banner: Banner,
    /// `waiting`, or that of the recording with which most is left to do.
    #[schema(value_type = String)]
    progress: Progress,
    doubtful: usize,
    recordings: Vec<Work>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Worklist {
    /// The visits of the time asked for, the earliest first.
    visits: Vec<Entry>,
    /// Earlier ones whose notes nobody has signed, the latest first, at most 50.
    earlier: Vec<Entry>,
    /// Whether there are more than these.
    more: bool,
}

/// A day where the clinic is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Day {
    from: String,
    until: String,
}

/// The visits of a day and how far they are; what earlier ones left undone.
#[utoipa::path(
    get,
    path = "/v1/worklist",
    params(("from" = String, Query, description = "RFC 3339 time at which the day begins"),
        ("until" = String, Query, description = "RFC 3339 time at which it ends")),
    responses((status = 200, description = "Visits with their patients", body = Worklist), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn show(State(app): State<App>, caller: Caller, Asked(day): Asked<Day>) -> Result<Json<Worklist>, ApiError> {
    let time = |name, given: &str| {
        Instant::parse(given).map(|at| at.unix_seconds()).map_err(|_| ApiError::Invalid(format!("`{name}` is no RFC 3339 time")))
    };
    let (from, until) = (time("from", &day.from)?, time("until", &day.until)?);
    if until <= from {
        return Err(ApiError::Invalid("`until` is not after `from`".to_owned()));
    }
    let store = app.rooms.store();
    let reach = caller.reach_of_records(&app).await?;
    let mut faces = Faces::new()?;
    let mut visits = Vec::new();
    let found = store.encounters_between(reach, (from, until), MOST).await?;
    let mut more = found.len() >= MOST as usize;
    for encounter in found.iter().rev() {
        visits.extend(entry(&app, &mut faces, &encounter.id).await?);
    }
    let mut earlier = Vec::new();
    let found = store.encounters_between(reach, (i64::MIN, from), EARLIER).await?;
    more |= found.len() >= EARLIER as usize;
    for encounter in found {
        if earlier.len() == EARLIER_TOLD {
            more = true;
            break;
        }
        let entry = entry(&app, &mut faces, &encounter.id).await?;
        earlier.extend(entry.filter(|entry| !entry.recordings.is_empty() && !entry.progress.is_done()));
    }
    let told: Vec<&str> = visits.iter().chain(&earlier).map(|entry| entry.banner.encounter.id.as_str()).collect();
    let patients = store.pseudonyms(visits.iter().chain(&earlier).flat_map(|entry| entry.banner.patient.ids()))?;
    caller.looked_over(&app, ("visits", &told), told.len(), patients).await?;
    Ok(Json(Worklist { visits, earlier, more }))
}

async fn entry(app: &App, faces: &mut Faces, encounter: &str) -> Result<Option<Entry>, ApiError> {
    let store = app.rooms.store();
    let Some(banner) = whole(faces.of_encounter(store, encounter).await)?.flatten() else { return Ok(None) };
    let mut recordings = Vec::new();
    for recording in store.recordings_of(encounter).await? {
        recordings.extend(work_of(app, &recording).await?);
    }
    recordings.sort_by(|one, other| one.created_at.cmp(&other.created_at));
    let progress = Progress::of_visit(recordings.iter().map(|work| work.progress));
    let doubtful = recordings.iter().map(|work| work.doubtful).sum();
    Ok(Some(Entry { banner, progress, doubtful, recordings }))
}
