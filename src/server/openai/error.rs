//! What a program is told when its request cannot be done, in the form that OpenAI's clients read.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::audio::AudioError;
use crate::audit::Refusal;
use crate::engine::EngineError;
use crate::room::RoomError;
use crate::server::error::{ApiError, ErrorDocument};
use crate::server::refused::Unheard;
use crate::speech::TranscriptError;
use crate::store::StoreError;

/// When to come back if all places are taken, in seconds: about what a minute's recording takes.
const COME_BACK: &str = "5";

/// An answer that is not the one asked for. The words quote nothing of a request: what a program sends is patient data.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenAiError {
    #[error("the request is no form: send `multipart/form-data` with a boundary")]
    NotAForm,
    #[error("the form cannot be read: {0}")]
    Form(&'static str),
    #[error("the message cannot be read: {0}")]
    Message(&'static str),
    #[error("a parameter is none of those that there are: {known}")]
    Unknown { known: String },
    #[error("`{param}` is missing")]
    Missing { param: &'static str },
    #[error("`{param}` is there more than once")]
    Repeated { param: &'static str },
    #[error("`{param}` {problem}")]
    Invalid { param: &'static str, problem: Cow<'static, str> },
    #[error("`{param}` is not supported here: {why}")]
    Unsupported { param: &'static str, why: Cow<'static, str> },
    #[error("there is no such model here: the one that is loaded is `{loaded}`")]
    NoSuchModel { loaded: String },
    #[error("`file` cannot be heard: {0}")]
    File(AudioError),
    #[error("`file` is longer than {hours} hours")]
    TooLong { hours: u64 },
    #[error("`file` is larger than {mib} MiB")]
    TooLarge { mib: u64 },
    #[error("there is nothing in the input audio buffer")]
    BufferEmpty,
    #[error("the input audio buffer holds more than 5 minutes of speech: commit or clear it")]
    BufferFull,
    #[error("the request did not come to its end in time")]
    Stalled,
    #[error("too many recordings are being heard: try again later")]
    Busy,
    #[error("too little disk space is left")]
    DiskFull,
    #[error("the server is being shut down")]
    Closing,
    #[error(transparent)]
    Access(ApiError),
    #[error("something went wrong here")]
    Internal,
}

impl OpenAiError {
    /// A value that the parameter cannot have; `problem` goes on after its name.
    pub fn invalid(param: &'static str, problem: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid { param, problem: problem.into() }
    }

    /// For failures of our own: the details go to the log, which holds no patient's words, and not to the program.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a transcription could not be done");
        Self::Internal
    }

    /// The status, and the code that programs look at.
    fn parts(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotAForm | Self::Form(_) => (StatusCode::BAD_REQUEST, "invalid_form"),
            Self::Message(_) => (StatusCode::BAD_REQUEST, "invalid_message"),
            Self::Unknown { .. } => (StatusCode::BAD_REQUEST, "unknown_parameter"),
            Self::Missing { .. } => (StatusCode::BAD_REQUEST, "missing_required_parameter"),
            Self::Repeated { .. } | Self::Invalid { .. } => (StatusCode::BAD_REQUEST, "invalid_value"),
            Self::Unsupported { .. } => (StatusCode::BAD_REQUEST, "unsupported_parameter"),
            Self::NoSuchModel { .. } => (StatusCode::NOT_FOUND, "model_not_found"),
            Self::File(_) => (StatusCode::BAD_REQUEST, "invalid_file"),
            Self::TooLong { .. } => (StatusCode::BAD_REQUEST, "audio_too_long"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "file_too_large"),
            Self::BufferEmpty => (StatusCode::BAD_REQUEST, "input_audio_buffer_commit_empty"),
            Self::BufferFull => (StatusCode::BAD_REQUEST, "input_audio_buffer_full"),
            Self::Stalled => (StatusCode::REQUEST_TIMEOUT, "timeout"),
            Self::Busy => (StatusCode::TOO_MANY_REQUESTS, "too_many_recordings"),
            Self::DiskFull => (StatusCode::INSUFFICIENT_STORAGE, "disk_full"),
            Self::Closing => (StatusCode::SERVICE_UNAVAILABLE, "closing"),
            Self::Access(error) => error.parts(),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    /// As [`ApiError::unheard`]. What was heard and is no sound has events of its own.
    fn unheard(&self) -> Option<Refusal> {
        match self {
            Self::TooLarge { .. } => Some(Refusal::TooLarge),
            Self::Access(error) => error.unheard(),
            Self::NotAForm
            | Self::Form(_)
            | Self::Unknown { .. }
            | Self::Missing { .. }
            | Self::Repeated { .. }
            | Self::Invalid { .. }
            | Self::Unsupported { .. }
            | Self::NoSuchModel { .. }
            | Self::Stalled => Some(Refusal::Malformed),
            _ => None,
        }
    }

    fn param(&self) -> Option<&'static str> {
        match self {
            Self::Missing { param }
            | Self::Repeated { param }
            | Self::Invalid { param, .. }
            | Self::Unsupported { param, .. } => Some(param),
            Self::NoSuchModel { .. } => Some("model"),
            Self::File(_) | Self::TooLong { .. } | Self::TooLarge { .. } => Some("file"),
            _ => None,
        }
    }

    /// The document, for an answer or an event of a stream.
    pub fn document(&self) -> ErrorDocument {
        let (status, code) = self.parts();
        ErrorDocument::new(status, code, self.to_string(), self.param())
    }
}

impl IntoResponse for OpenAiError {
    fn into_response(self) -> Response {
        let (status, _) = self.parts();
        let mut response = (status, Json(self.document())).into_response();
        if matches!(self, Self::Busy) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(COME_BACK));
        }
        Unheard::mark(self.unheard(), response)
    }
}

impl From<ApiError> for OpenAiError {
    fn from(error: ApiError) -> Self {
        Self::Access(error)
    }
}

impl From<EngineError> for OpenAiError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Audio(error @ (AudioError::Open { .. } | AudioError::Read { .. } | AudioError::Resampler { .. })) => {
                Self::internal(&error)
            }
            EngineError::Audio(error) => Self::File(error),
            EngineError::TooLong { seconds } => Self::TooLong { hours: seconds / 3600 },
            error => Self::internal(&error),
        }
    }
}

impl From<StoreError> for OpenAiError {
    fn from(error: StoreError) -> Self {
        if error.is_disk_full() { Self::DiskFull } else { Self::internal(&error) }
    }
}

impl From<RoomError> for OpenAiError {
    fn from(error: RoomError) -> Self {
        Self::internal(&error)
    }
}

impl From<TranscriptError> for OpenAiError {
    fn from(error: TranscriptError) -> Self {
        Self::internal(&error)
    }
}
