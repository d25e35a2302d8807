//! How long things are kept: sound until its note is signed and some days more, what an ended share kept of its own for its cooling-off.
//!
//! The record itself is never erased by a clock. What is due is computed from the times that are kept, at the start and then again and
//! again, so that nothing depends on how long the program has run.

use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use super::App;
use super::clock::local;
use crate::audit::Actor;
use crate::interop::fhir::Instant;
use crate::store::{By, EndedShares, SoundState, Store, StoreError};

const HOUR: i64 = 3600;
/// Between two looks at what is due. Who keeps nothing is looked at more often.
const ROUND: Duration = Duration::from_secs(60);
const SHORT_ROUND: Duration = Duration::from_secs(1);

/// How long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Hours for which sound is kept after its note was signed.
    pub sound_hours: u32,
    /// Hours for which a share that ended stays as it was.
    pub share_hours: u32,
    /// What becomes then of what it kept of its own.
    pub ended_shares: EndedShares,
}

/// How long the sound of a recording is kept.
#[derive(Serialize, ToSchema)]
pub(super) struct SoundFace {
    /// RFC 3339 time at which it is erased; null while the note is not signed, and while it is on hold.
    kept_until: Option<String>,
    /// RFC 3339 time at which it was erased.
    erased_at: Option<String>,
    /// It is on legal hold.
    on_hold: bool,
}

/// What is told of the sound of a recording.
pub(super) fn face(app: &App, state: SoundState) -> SoundFace {
    let SoundState { signed_at, erased_at, on_hold } = state;
    let time = |seconds| Instant::from_unix_seconds(seconds).as_str().to_owned();
    let due = signed_at.map(|at| at.saturating_add(i64::from(app.retention.sound_hours) * HOUR));
    let kept_until = due.filter(|_| erased_at.is_none() && !on_hold).map(time);
    SoundFace { kept_until, erased_at: erased_at.map(time), on_hold }
}

/// The day in Hong Kong of a time in seconds since 1970.
pub(super) fn day(seconds: i64) -> String {
    local(&Instant::from_unix_seconds(seconds)).as_str().chars().take(10).collect()
}

/// Erases and closes what is due until the server closes.
pub(super) async fn run(store: Store, retention: Retention, mut closing: watch::Receiver<bool>) {
    let round = if retention.sound_hours.min(retention.share_hours) == 0 { SHORT_ROUND } else { ROUND };
    loop {
        if let Err(error) = work(&store, retention, &By::now(Actor::System)).await {
            tracing::error!(%error, "what is due is kept still");
        }
        tokio::select! {
            () = tokio::time::sleep(round) => {}
            () = async { let _ = closing.wait_for(|closing| *closing).await; } => return,
        }
    }
}

/// Does what is due at `by`'s time.
async fn work(store: &Store, retention: Retention, by: &By) -> Result<(), StoreError> {
    store.erase_due_sound(i64::from(retention.sound_hours) * HOUR, by).await?;
    let cooling = u64::from(retention.share_hours).saturating_mul(HOUR.unsigned_abs() * 1_000);
    store.close_ended_shares(cooling, retention.ended_shares, by).await.map(drop)
}
