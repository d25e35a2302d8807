//! OpenAI's interface for transcription, for programs that already speak it: `POST /v1/audio/transcriptions`,
//! `WS /v1/realtime` and `GET /v1/models`.
//!
//! Invariant: a parameter is honoured or refused by name, never ignored; nothing that was sent is left on the disk.

mod answer;
mod error;
mod form;
mod models;
mod realtime;
mod request;
mod transcriptions;
mod turns;

use std::sync::Arc;

use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// Recordings that are uploaded or heard at once: live rooms come first, and more would only wait for each other.
const MOST_RECORDINGS: usize = 4;

/// What the interface may use of the machine.
#[derive(Clone)]
pub(super) struct Allowance {
    /// Places for recordings.
    places: Arc<Semaphore>,
    /// Bytes of the longest file.
    longest_file: u64,
    /// When the server was started, in seconds since 1970.
    started: u64,
}

impl Allowance {
    /// With files of so many bytes at most.
    pub fn new(longest_file: u64, started: u64) -> Self {
        Self { places: Arc::new(Semaphore::new(MOST_RECORDINGS)), longest_file, started }
    }
}

/// The addresses of this interface.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(transcriptions::create))
        .routes(routes!(realtime::connect))
        .routes(routes!(models::list))
        .routes(routes!(models::show))
}
