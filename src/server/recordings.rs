//! What the page asks of recordings: which there are, one of them, its sound, and its end.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::asked::Asked;
use super::caller::{Caller, What};
use super::error::{ApiError, ErrorDocument};
use super::retention::{self, SoundFace};
use super::visits::{Banner, Faces, Moved, moved};
use crate::audio::{Playback, to_wav};
use crate::audit::Action;
use crate::identity::Right;
use crate::note::Note;
use crate::room::{Live, RoomError};
use crate::speech::Transcript;
use crate::speech::transcript::TRANSCRIPT_SCHEMA;
use crate::spool::{RecordKind, SpoolError, SpoolReader};
use crate::store::{Erasable, Recording, State as RecordingState, StoreError, whole};

/// The longest stretch of sound that is answered at once.
const LONGEST_STRETCH_MS: u64 = 10 * 60 * 1000;

/// Sound before a stretch that is decoded and dropped: what Opus needs to find its feet.
const RUN_UP_MS: u64 = 500;

/// What a list tells of a recording: whose it is, nothing that was said.
#[derive(Serialize, ToSchema)]
pub(super) struct Summary {
    id: String,
    state: &'static str,
    connected: bool,
    created_at: String,
    duration_ms: u64,
    language: String,
    edited: bool,
    /// It is a note that was typed, without sound.
    typed: bool,
    /// Whose it is; null where it was made in a trial for nobody.
    banner: Option<Banner>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Summaries {
    recordings: Vec<Summary>,
}

/// Which recordings there are, and whose.
#[utoipa::path(
    get,
    path = "/v1/recordings",
    responses((status = 200, description = "All recordings and whose they are, nothing of what was said", body = Summaries), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Summaries>, ApiError> {
    let mut recordings = Vec::new();
    let store = app.rooms.store();
    let (assignments, mut faces) = (store.assignments().await?, Faces::new()?);
    for recording in store.recordings_within(caller.reach_of_records(&app).await?).await? {
        let live = app.rooms.find(&recording.id).await;
        let mut summary = summary(&app, recording, live.as_deref());
        if let Some((encounter, typed)) = assignments.get(&summary.id) {
            summary.banner = whole(faces.of_encounter(store, encounter).await)?.flatten();
            summary.typed = *typed;
        }
        recordings.push(summary);
    }
    let patients = recordings.iter().filter_map(|summary| summary.banner.as_ref()).flat_map(|banner| banner.patient.ids());
    let ids: Vec<&str> = recordings.iter().map(|summary| summary.id.as_str()).collect();
    caller.looked_over(&app, ("recordings", &ids), ids.len(), store.pseudonyms(patients)?).await?;
    Ok(Json(Summaries { recordings }))
}

/// One whose sound cannot be read is told without its length.
fn summary(app: &App, recording: Recording, live: Option<&Live>) -> Summary {
    let unread = |error: SpoolError| tracing::error!(%error, id = recording.id, "a recording's length cannot be read");
    let samples = match live {
        Some(live) => live.safe().borrow().samples,
        None => stored_samples(app, &recording).map_err(unread).unwrap_or_default(),
    };
    Summary {
        state: state_name(recording.state),
        connected: live.is_some_and(Live::is_connected),
        duration_ms: milliseconds(samples, recording.format.rate()),
        edited: recording.version > 1,
        id: recording.id,
        created_at: recording.created_at,
        language: recording.language,
        typed: false,
        banner: None,
    }
}

fn state_name(state: RecordingState) -> &'static str {
    match state {
        RecordingState::Open => "open",
        RecordingState::Finishing => "finishing",
        RecordingState::Finished => "finished",
    }
}

fn milliseconds(samples: u64, rate: u32) -> u64 {
    samples.saturating_mul(1000) / u64::from(rate.max(1))
}

/// Samples a channel that the spool holds; none where a kill came before the file.
fn stored_samples(app: &App, recording: &Recording) -> Result<u64, SpoolError> {
    let path = app.rooms.store().spool_path(&recording.id);
    if !path.exists() {
        return Ok(0);
    }
    let mut spool = SpoolReader::open(&path, &recording.key, &recording.id)?;
    spool.seek_to_sample(u64::MAX)?;
    Ok(spool.position())
}

#[derive(Serialize, ToSchema)]
pub(super) struct Detail {
    #[serde(flatten)]
    summary: Summary,
    /// What a microphone has to give that goes on with it.
    format: Format,
    version: u64,
    /// `cantoscribe/transcript/1`
    #[schema(value_type = Object)]
    transcript: Transcript,
    /// `cantoscribe/note/1`
    #[schema(value_type = Option<Object>)]
    note: Option<Note>,
    /// From which visit to which it was moved.
    moves: Vec<Moved>,
    /// How long its sound is kept.
    sound: SoundFace,
}

/// What the recording's socket takes.
#[derive(Serialize, ToSchema)]
#[schema(as = StreamFormat)]
struct Format {
    encoding: String,
    rate: u32,
    channels: u16,
}

/// One recording, and what was heard of it.
#[utoipa::path(
    get,
    path = "/v1/recordings/{id}",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 200, description = "The recording", body = Detail), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn show(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Json<Detail>, ApiError> {
    caller.may(&app, Right::View, What::Recording(&id)).await?;
    let store = app.rooms.store();
    let recording = store.recording(&id).await?.ok_or(ApiError::NotFound)?;
    caller.reads(&app, Action::View { count: 1 }, &id).await?;
    let live = app.rooms.find(&id).await;
    let (transcript, note, version) = match store.document(&id).await? {
        Some(document) => (document.transcript, Some(document.note), document.version),
        None => {
            let (transcript, note) = so_far(&app, &recording, live.as_deref()).await?;
            (transcript, note, 0)
        }
    };
    let stream = recording.format;
    let format = Format { encoding: stream.encoding().to_string(), rate: stream.rate(), channels: stream.channels() };
    let mut summary = summary(&app, recording, live.as_deref());
    summary.banner = Banner::of_recording(&app, &id).await?;
    summary.typed = store.assigned(&id).await?.is_some_and(|(_, typed)| typed);
    let sound = retention::face(&app, store.sound(&id).await?);
    Ok(Json(Detail { summary, format, version, transcript, note, moves: moved(&app, &id).await?, sound }))
}

/// What is known of a recording that is not finished.
async fn so_far(app: &App, recording: &Recording, live: Option<&Live>) -> Result<(Transcript, Option<Note>), ApiError> {
    let mut segments = Vec::new();
    for stored in app.rooms.store().finals(&recording.id).await? {
        segments.extend(stored.segment);
    }
    segments.sort_by_key(|segment| segment.id);
    let transcript = Transcript {
        schema: TRANSCRIPT_SCHEMA.to_owned(),
        language: recording.language.clone(),
        model: Some(app.rooms.engine().models().identity.clone()),
        audio: None,
        segments,
    };
    let note = live.and_then(|live| live.view().borrow().note.as_ref().map(|(_, note)| note.as_ref().clone()));
    Ok((transcript, note))
}

#[derive(Serialize, ToSchema)]
pub(super) struct NewToken {
    token: String,
}

/// A new token to come back with; the old one is worth nothing any more.
#[utoipa::path(
    post,
    path = "/v1/recordings/{id}/token",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 200, description = "The token", body = NewToken), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn token(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Json<NewToken>, ApiError> {
    caller.may(&app, Right::Record, What::Recording(&id)).await?;
    let token = app.rooms.new_token(&id, &caller.by).await?;
    Ok(Json(NewToken { token: token.reveal().to_owned() }))
}

#[derive(Serialize, ToSchema)]
pub(super) struct Finishing {
    state: &'static str,
}

/// Finishes a recording whose client is gone.
#[utoipa::path(
    post,
    path = "/v1/recordings/{id}/finish",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 202, description = "It is being finished", body = Finishing), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn finish(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Finishing>), ApiError> {
    caller.may(&app, Right::Record, What::Recording(&id)).await?;
    app.rooms.reopen(&id).await?.finish().await?;
    Ok((StatusCode::ACCEPTED, Json(Finishing { state: state_name(RecordingState::Finishing) })))
}

/// Erases a recording: nothing of it is left. One whose note was never signed by whoever may edit it; a signed one by a doctor who treats the
/// patient; a privacy officer says why at `/v1/erasures`. A legal hold on it keeps it, and one on its patient, unless it is being recorded now.
#[utoipa::path(
    delete,
    path = "/v1/recordings/{id}",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 204, description = "It is erased"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn erase(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    let mut what = app.rooms.store().erasable(&id).await?;
    loop {
        let right = if what == Erasable::Signed { Right::Erase } else { Right::Edit };
        caller.may_do(&app, (right, Action::Erase), What::Recording(&id)).await?;
        match app.rooms.stop_and_erase(&id, what, &caller.by).await {
            Ok(_) => return Ok(StatusCode::NO_CONTENT),
            // Somebody signed it meanwhile.
            Err(RoomError::Store(StoreError::Signed)) if what == Erasable::Unsigned => what = Erasable::Signed,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Which stretch of a recording.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stretch {
    #[serde(default)]
    start_ms: u64,
    end_ms: Option<u64>,
}

/// The sound of a stretch of a recording.
#[utoipa::path(
    get,
    path = "/v1/recordings/{id}/audio",
    params(("id" = String, Path, description = "The recording's id"),
        ("start_ms" = Option<u64>, Query, description = "Milliseconds since its start; 0 when not said"),
        ("end_ms" = Option<u64>, Query, description = "At most ten minutes later")),
    responses((status = 200, description = "WAV", body = Vec<u8>, content_type = "audio/wav"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn audio(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(stretch): Asked<Stretch>,
) -> Result<Response, ApiError> {
    caller.may(&app, Right::View, What::Recording(&id)).await?;
    let recording = app.rooms.store().recording(&id).await?.ok_or(ApiError::NotFound)?;
    let rate = u64::from(recording.format.rate());
    let longest = stretch.start_ms.saturating_add(LONGEST_STRETCH_MS);
    let end_ms = stretch.end_ms.unwrap_or(longest).min(longest);
    if end_ms <= stretch.start_ms {
        return Err(ApiError::Invalid("`end_ms` is not after `start_ms`".to_owned()));
    }
    caller.reads(&app, Action::View { count: 1 }, &id).await?;
    let place = |ms: u64| ms.saturating_mul(rate) / 1000;
    let (start, end) = (place(stretch.start_ms), place(end_ms));
    let path = app.rooms.store().spool_path(&id);
    if !path.exists() {
        let erased_at = app.rooms.store().sound(&id).await?.erased_at;
        return Err(erased_at.map_or(ApiError::NoSound, |at| ApiError::SoundErased { at: retention::day(at) }));
    }
    let cut = tokio::task::spawn_blocking(move || cut(&path, &recording, start, end)).await;
    let wav = cut.map_err(|error| ApiError::internal(&error))??;
    Ok(([(header::CONTENT_TYPE, "audio/wav"), (header::CACHE_CONTROL, "no-store")], wav).into_response())
}

/// The samples `start..end` of a spool as WAV.
fn cut(path: &std::path::Path, recording: &Recording, start: u64, end: u64) -> Result<Vec<u8>, ApiError> {
    let rate = recording.format.rate();
    let mut spool = SpoolReader::open(path, &recording.key, &recording.id)?;
    spool.seek_to_sample(start.saturating_sub(u64::from(rate) * RUN_UP_MS / 1000))?;
    let begin = spool.position();
    let mut playback = Playback::new(recording.format)?;
    let mut samples = Vec::new();
    while let Some(record) = spool.next()? {
        if record.kind == RecordKind::Audio {
            if record.start >= end {
                break;
            }
            for frame in record.frames() {
                playback.push(frame, &mut samples)?;
            }
        }
    }
    let place = |at: u64| usize::try_from(at.saturating_sub(begin)).unwrap_or(usize::MAX).min(samples.len());
    Ok(to_wav(rate, samples.get(place(start)..place(end)).unwrap_or_default()))
}
