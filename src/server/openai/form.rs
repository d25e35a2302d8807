//! A multipart form: its text fields in memory, its file on the disk, enciphered and without a name.
//!
//! Everything is bounded before it is taken in: how many parts, how long their heads and texts, how large the file, how long the
//! client may be silent and how long it may take.

use std::io::{self, Write as _};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use futures_util::{Stream, StreamExt as _};
use multer::{Field, Multipart};
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::error::OpenAiError;
use super::request::{MOST_WORDS, Parameter, too_many_words};
use crate::server::drain::drain;
use crate::spool::Scratch;
use crate::text::PatientText;

/// The name of the part that holds the recording.
pub(super) const FILE: &str = "file";
/// The most parts of a form, words to expect aside.
const MOST_PARTS: usize = 64;
/// Bytes of the longest text field.
const LONGEST_TEXT: usize = 16 << 10;
/// Bytes that a form may have beside its file.
const OVERHEAD: u64 = 2 << 20;
/// Bytes before the first part, and of each part's head.
const LONGEST_HEAD: usize = 64 << 10;
/// Bytes that are gathered before they are written.
const BLOCK: usize = 1 << 20;
/// A client that sends nothing for so long has stalled.
const SILENCE: Duration = Duration::from_secs(30);
/// Bytes a second below which a client is too slow, however regularly it sends: so nobody keeps a place with a byte now and then.
const SLOWEST: u64 = 1 << 10;
/// A form that has not come whole after so long has stalled.
const LONGEST_WAIT: Duration = Duration::from_secs(20 * 60);

/// What came.
pub(super) struct Form {
    /// The text fields, in the order sent.
    pub fields: Vec<(Parameter, PatientText)>,
    /// The recording, if one was sent.
    pub file: Option<Scratch>,
}

/// Reads the whole of a form. The file goes into `scratch`; before each MiB of it `disk` may refuse it.
pub(super) async fn read(
    request: Request,
    scratch: Scratch,
    longest_file: u64,
    disk: impl Fn() -> Result<(), OpenAiError>,
) -> Result<Form, OpenAiError> {
    let (head, body) = request.into_parts();
    let mut body = Metered::new(body, longest_file, SILENCE);
    let taking = take(&head.headers, &mut body, scratch, longest_file, disk);
    let taken = timeout(LONGEST_WAIT, taking).await.unwrap_or(Err(OpenAiError::Stalled));
    if taken.is_err() {
        drain(&mut body.body, &head.headers).await;
    }
    taken
}

/// Reads the rest of a request that is refused unseen.
pub(super) async fn refuse(request: Request, error: OpenAiError) -> OpenAiError {
    let (head, body) = request.into_parts();
    drain(&mut body.into_data_stream(), &head.headers).await;
    error
}

async fn take(
    headers: &HeaderMap,
    body: &mut Metered,
    scratch: Scratch,
    longest_file: u64,
    disk: impl Fn() -> Result<(), OpenAiError>,
) -> Result<Form, OpenAiError> {
    if stated_length(headers).is_some_and(|length| length > longest_file.saturating_add(OVERHEAD)) {
        return Err(too_large(longest_file));
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).ok_or(OpenAiError::NotAForm)?;
    let boundary = multer::parse_boundary(kind).map_err(|_| OpenAiError::NotAForm)?;
    if boundary.is_empty() {
        return Err(OpenAiError::NotAForm);
    }
    let held = Arc::clone(&body.held);
    let delimiter = boundary.len() + "\r\n--\r\n\r\n".len();
    let mut parts = Multipart::new(body, boundary);
    let mut form = Form { fields: Vec::new(), file: None };
    let (mut scratch, mut count, mut words) = (Some(scratch), 0, 0);
    loop {
        held.made_progress();
        let Some(part) = parts.next_field().await.map_err(broken)? else { return Ok(form) };
        let heads = part.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
        held.taken(delimiter + heads.sum::<usize>());
        let name = part.name().ok_or(OpenAiError::Form("a part has no name"))?;
        if name == Parameter::Keywords.name() {
            words += 1;
            if words > MOST_WORDS {
                return Err(too_many_words(Parameter::Keywords.name()));
            }
        } else {
            count += 1;
            if count > MOST_PARTS {
                return Err(OpenAiError::Form("it has more than 64 parts"));
            }
        }
        if name == FILE {
            let scratch = scratch.take().ok_or(OpenAiError::Repeated { param: FILE })?;
            form.file = Some(keep(part, &held, scratch, longest_file, &disk).await?);
        } else {
            let parameter = Parameter::named(name)?;
            form.fields.push((parameter, text(part, &held, parameter).await?));
        }
    }
}

fn stated_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(longest_file: u64) -> OpenAiError {
    OpenAiError::TooLarge { mib: longest_file >> 20 }
}

/// A text field.
async fn text(mut part: Field<'_>, held: &Held, parameter: Parameter) -> Result<PatientText, OpenAiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(broken)? {
        held.taken(chunk.len());
        if bytes.len() + chunk.len() > LONGEST_TEXT {
            return Err(OpenAiError::invalid(parameter.name(), "is longer than 16 KiB"));
        }
        bytes.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(bytes).map_err(|_| OpenAiError::invalid(parameter.name(), "is not UTF-8"))?;
    Ok(PatientText::from(text))
}

/// The file. The name that it has with the client is never looked at.
async fn keep(
    mut part: Field<'_>,
    held: &Held,
    mut scratch: Scratch,
    longest: u64,
    disk: &impl Fn() -> Result<(), OpenAiError>,
) -> Result<Scratch, OpenAiError> {
    let (mut length, mut block) = (0_u64, Vec::new());
    while let Some(chunk) = part.chunk().await.map_err(broken)? {
        held.taken(chunk.len());
        length += chunk.len() as u64;
        if length > longest {
            return Err(too_large(longest));
        }
        block.extend_from_slice(&chunk);
        if block.len() >= BLOCK {
            disk()?;
            (scratch, block) = write(scratch, block).await?;
        }
    }
    disk()?;
    write(scratch, block).await.map(|(scratch, _)| scratch)
}

/// Writes a block on a thread that may wait for the disk, and gives it back empty.
async fn write(mut scratch: Scratch, mut block: Vec<u8>) -> Result<(Scratch, Vec<u8>), OpenAiError> {
    let writing = tokio::task::spawn_blocking(move || {
        scratch.write_all(&block)?;
        block.clear();
        Ok::<_, io::Error>((scratch, block))
    });
    match writing.await {
        Ok(Ok(written)) => Ok(written),
        Ok(Err(error)) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            Err(OpenAiError::DiskFull)
        }
        Ok(Err(error)) => Err(OpenAiError::internal(&error)),
        Err(error) => Err(OpenAiError::internal(&error)),
    }
}

/// What is wrong with a form, without what it holds: the parser's own words quote it.
fn broken(error: multer::Error) -> OpenAiError {
    match error {
        multer::Error::StreamReadFailed(cause) => match cause.downcast::<OpenAiError>() {
            Ok(error) => *error,
            Err(_) => OpenAiError::Form("it breaks off"),
        },
        multer::Error::IncompleteFieldData { .. } | multer::Error::IncompleteHeaders | multer::Error::IncompleteStream => {
            OpenAiError::Form("it is cut off, or not divided by its boundary")
        }
        _ => OpenAiError::Form("the head of a part is not well formed"),
    }
}

/// What the parser holds: it takes in all that is there before it looks at any of it.
#[derive(Default)]
struct Held {
    /// Bytes that came and that it has not given out.
    bytes: AtomicUsize,
    /// It was given time to look at them.
    held_back: AtomicBool,
}

impl Held {
    /// It has looked at what it holds.
    fn made_progress(&self) {
        self.held_back.store(false, Ordering::Relaxed);
    }

    /// It has given out so many bytes.
    fn taken(&self, bytes: usize) {
        let left = self.bytes.load(Ordering::Relaxed).saturating_sub(bytes);
        self.bytes.store(left, Ordering::Relaxed);
        self.made_progress();
    }
}

/// A request's body that ends with an error when it is too long, or too slow in coming.
struct Metered {
    body: BodyDataStream,
    /// Bytes that may still come, and that came.
    left: u64,
    came: u64,
    longest_file: u64,
    held: Arc<Held>,
    /// How long the client may be silent, and what is left of that.
    patience: Duration,
    silence: Pin<Box<Sleep>>,
    begun: Instant,
}

impl Metered {
    fn new(body: Body, longest_file: u64, patience: Duration) -> Self {
        Self {
            body: body.into_data_stream(),
            left: longest_file.saturating_add(OVERHEAD),
            came: 0,
            longest_file,
            held: Arc::default(),
            patience,
            silence: Box::pin(sleep(patience)),
            begun: Instant::now(),
        }
    }
}

impl Stream for Metered {
    type Item = Result<Bytes, OpenAiError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.held.bytes.load(Ordering::Relaxed) > LONGEST_HEAD {
            if this.held.held_back.swap(true, Ordering::Relaxed) {
                return Poll::Ready(Some(Err(OpenAiError::Form("the head of a part is longer than 64 KiB"))));
            }
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        match this.body.poll_next_unpin(context) {
            Poll::Ready(Some(Ok(chunk))) => {
                this.came += chunk.len() as u64;
                let slowest = this.begun + Duration::from_secs(this.came / SLOWEST);
                this.silence.as_mut().reset(Instant::now().min(slowest) + this.patience);
                this.held.bytes.fetch_add(chunk.len(), Ordering::Relaxed);
                Poll::Ready(Some(match this.left.checked_sub(chunk.len() as u64) {
                    Some(left) => {
                        this.left = left;
                        Ok(chunk)
                    }
                    None => Err(too_large(this.longest_file)),
                }))
            }
            Poll::Ready(Some(Err(_))) => Poll::Ready(Some(Err(OpenAiError::Form("it breaks off")))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => match this.silence.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Some(Err(OpenAiError::Stalled))),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

#[cfg(test)]
mod tests;
