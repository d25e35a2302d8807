//! `POST /v1/audio/transcriptions`: a recording comes, is heard between what the live rooms ask for, and its text goes.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderValue, header};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinHandle;

use super::answer::{Answer, Event as Told, delta, done, plain, verbose};
use super::error::OpenAiError;
use super::form::{self, FILE};
use super::request::{self, Loaded, Parameter, ResponseFormat, Transcription, TranscriptionForm};
use crate::audio::{AudioFile, SAMPLE_RATE, SampleIndex};
use crate::audit::{Action, Event, Outcome};
use crate::engine::{Abandon, EngineError, Manner, Models};
use crate::server::App;
use crate::server::caller::Pass;
use crate::server::error::{ApiError, ErrorDocument};
use crate::server::sender::Sender;
use crate::speech::bias::WordList;
use crate::speech::transcript::{to_srt, to_text, to_vtt};
use crate::speech::{HeardSegment, Transcript};
use crate::spool::Scratch;
use crate::store::{By, DeviceScope, Store};

/// The longest recording: a file of a few MiB may hold years of silence.
const LONGEST: SampleIndex = SampleIndex(12 * 3600 * SAMPLE_RATE as u64);
/// How often a stream that has nothing to tell says so.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The visit whose sound it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfVisit {
    encounter: Option<String>,
}

/// The text of a recording.
///
/// Each parameter is honoured or refused by name. Live rooms are heard first.
#[utoipa::path(
    post,
    path = "/v1/audio/transcriptions",
    params(("encounter" = Option<String>, Query, description = "The visit that it belongs to, whose patient agreed to be recorded; in a trial nobody's when not said")),
    request_body(content = TranscriptionForm, content_type = "multipart/form-data"),
    responses(
        (
            status = 200,
            description = "The text, as `response_format` and `stream` ask for it",
            content(
                (Answer = "application/json"),
                (String = "text/plain"),
                (String = "application/x-subrip"),
                (String = "text/vtt"),
                (Told = "text/event-stream"),
            )
        ),
        (status = "default", description = "Why not", body = ErrorDocument)
    )
)]
pub(super) async fn create(State(app): State<App>, sender: Sender, request: Request) -> Result<Response, OpenAiError> {
    // In the address, where any client of this interface can put it, and where it is read before the sound.
    let visit = Query::<OfVisit>::try_from_uri(request.uri()).map(|Query(OfVisit { encounter })| encounter);
    let Ok(visit) = visit else {
        return Err(form::refuse(request, OpenAiError::Unknown { known: "encounter".to_owned() }).await);
    };
    if let Err(error) = sender.may_hear(&app, DeviceScope::Transcribe, visit.as_deref()).await {
        return Err(form::refuse(request, error.into()).await);
    }
    let Ok(place) = app.allowance.places.clone().try_acquire_owned() else {
        return Err(form::refuse(request, OpenAiError::Busy).await);
    };
    let disk = || if app.rooms.disk_low()? { Err(OpenAiError::DiskFull) } else { Ok(()) };
    let scratch = app.rooms.store().scratch()?;
    let mut closing = app.closing.subscribe();
    let mut over = Over::of(&app, sender.pass());
    let form = tokio::select! {
        form = form::read(request, scratch, app.allowance.longest_file, disk) => form?,
        _ = closing.wait_for(|closing| *closing) => return Err(OpenAiError::Closing),
        _ = &mut over.0 => return Err(ApiError::NotSignedIn.into()),
    };
    let asked = request::parse(&form.fields, Loaded::of(app.rooms.engine().models()))?;
    let file = form.file.ok_or(OpenAiError::Missing { param: FILE })?;
    let language = asked.options.language;
    let format = asked.format;
    let by = sender.by();
    // Nothing is heard of which the log does not know for whom.
    let store = app.rooms.store();
    let event = match &visit {
        Some(id) => store.event_about_visit(&by, Action::Record, id).await?,
        None => by.did_in_general(Action::Record),
    };
    store.keep_event(&event).await?;
    let hearing = Hearing::begin(&app, place, file, asked, (by, over));
    if format == ResponseFormat::Stream {
        return streamed(hearing).await;
    }
    let (transcript, heard) = hearing.into_transcript().await?;
    Ok(match format {
        ResponseFormat::Json | ResponseFormat::Stream => Json(Answer::Plain(plain(&transcript))).into_response(),
        ResponseFormat::Text => text("text/plain", to_text(&transcript) + "\n"),
        ResponseFormat::Srt => text("application/x-subrip", to_srt(&transcript)?),
        ResponseFormat::Vtt => text("text/vtt", to_vtt(&transcript)?),
        ResponseFormat::VerboseJson { words, segments } => {
            Json(Answer::Verbose(verbose(&transcript, heard, language, (words, segments)))).into_response()
        }
    })
}

fn text(kind: &str, content: String) -> Response {
    ([(header::CONTENT_TYPE, format!("{kind}; charset=utf-8"))], content).into_response()
}

/// Completes when who sent the recording may not have its text any more. A task of its own: it asks the database, and must never rest
/// with a connection in hand while the request waits for one.
struct Over(JoinHandle<()>);

impl Over {
    fn of(app: &App, pass: &Pass) -> Self {
        let (gate, store, pass) = (Arc::clone(&app.gate), app.rooms.store().clone(), pass.clone());
        Self(tokio::spawn(async move { gate.over(&store, &pass).await }))
    }
}

impl Drop for Over {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the thread that hears has to tell.
enum News {
    Segment(HeardSegment),
    Done(Box<Transcript>),
    Failed(OpenAiError),
}

/// A recording that is being heard. When it is dropped, as it is when its client goes away, the hearing ends.
struct Hearing {
    news: UnboundedReceiver<News>,
    closing: watch::Receiver<bool>,
    over: Over,
    /// Where it is kept how it ended, and for whom.
    store: Store,
    by: By,
    _abandon: Abandon,
}

impl Hearing {
    /// Hears it on a thread of its own, which holds the place until it has ended.
    fn begin(app: &App, place: OwnedSemaphorePermit, file: Scratch, asked: Transcription, (by, over): (By, Over)) -> Self {
        let engine = Arc::clone(app.rooms.engine());
        let (task, abandon) = engine.recording();
        // No more than the text of one recording ever waits in it.
        let (sender, news) = mpsc::unbounded_channel();
        tokio::task::spawn_blocking(move || {
            let Transcription { options, endpoint, words, .. } = asked;
            let told = |heard| {
                // Where nobody listens the task is abandoned too.
                let _ = sender.send(News::Segment(heard));
            };
            let manner = Manner { options, writing: Arc::clone(&engine.models().writing), endpoint };
            let transcript = expecting(engine.models(), words, manner).and_then(|manner| {
                let file = AudioFile::from_reader(Path::new(FILE), Box::new(file)).map_err(EngineError::from);
                Ok(file.and_then(|file| task.hear(file, LONGEST, manner, told))?)
            });
            let _ = sender.send(match transcript {
                Ok(transcript) => News::Done(Box::new(transcript)),
                Err(error) => News::Failed(error),
            });
            drop(place);
        });
        let (closing, store) = (app.closing.subscribe(), app.rooms.store().clone());
        Self { news, closing, over, store, by, _abandon: abandon }
    }

    async fn next(&mut self) -> News {
        let news = tokio::select! {
            news = self.news.recv() => news.unwrap_or(News::Failed(OpenAiError::Internal)),
            _ = self.closing.wait_for(|closing| *closing) => News::Failed(OpenAiError::Closing),
            _ = &mut self.over.0 => News::Failed(ApiError::NotSignedIn.into()),
        };
        let outcome = match news {
            News::Segment(_) => return news,
            News::Done(_) => Outcome::Done,
            News::Failed(_) => Outcome::Failed,
        };
        // How it ended is in the log before it is told.
        let ended = Event { outcome, ..self.by.later().did_in_general(Action::Finish) };
        match self.store.keep_event(&ended).await {
            Ok(_) => news,
            Err(error) => News::Failed(error.into()),
        }
    }

    async fn into_transcript(mut self) -> Result<(Transcript, Vec<HeardSegment>), OpenAiError> {
        let mut segments = Vec::new();
        loop {
            match self.next().await {
                News::Segment(heard) => segments.push(heard),
                News::Done(transcript) => return Ok((*transcript, segments)),
                News::Failed(error) => return Err(error),
            }
        }
    }
}

/// The manner that also expects the words that a request names.
fn expecting(models: &Models, words: Option<WordList>, manner: Manner) -> Result<Manner, OpenAiError> {
    match words {
        Some(words) => {
            models.expecting(&words, manner).map_err(|error| request::word_refused(Parameter::Keywords.name(), &error))
        }
        None => Ok(manner),
    }
}

/// A stream of events.
struct Telling {
    hearing: Hearing,
    /// What was heard before the stream began.
    first: Option<News>,
    has_text: bool,
    over: bool,
}

impl Telling {
    async fn next(&mut self) -> Option<sse::Event> {
        while !self.over {
            let news = match self.first.take() {
                Some(news) => news,
                None => self.hearing.next().await,
            };
            self.over = !matches!(news, News::Segment(_));
            let event = match news {
                News::Segment(heard) => delta(&heard.segment, !self.has_text),
                News::Done(transcript) => Some(done(&transcript)),
                News::Failed(error) => return Some(failed(&error)),
            };
            self.has_text |= event.is_some();
            if let Some(event) = event {
                let written = sse::Event::default().json_data(event);
                return Some(written.unwrap_or_else(|_| failed(&OpenAiError::Internal)));
            }
        }
        None
    }
}

fn failed(error: &OpenAiError) -> sse::Event {
    // A document that cannot be written, which none is, is an event without data.
    sse::Event::default().json_data(error.document()).unwrap_or_default()
}

/// Server-sent events. What goes wrong before the first of them is an answer of its own.
async fn streamed(mut hearing: Hearing) -> Result<Response, OpenAiError> {
    let first = match hearing.next().await {
        News::Failed(error) => return Err(error),
        news => Some(news),
    };
    let telling = Telling { hearing, first, has_text: false, over: false };
    let events = stream::unfold(telling, |mut telling| async move {
        let event = telling.next().await?;
        Some((Ok::<_, Infallible>(event), telling))
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
