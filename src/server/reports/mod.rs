//! Reports of the audit log for whoever has to answer for an organisation, and patients' requests for what is kept of them.
//!
//! Invariant: each line cites its entries, and the report carries the signed head of the log that it was made from.

mod access;
mod organisation;
mod paper;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::error::ApiError;
use crate::audit::Event;
use crate::store::Store;

/// Events that are read at once.
const BATCH: usize = 4_096;

/// What is answered about reports.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(organisation::show)).routes(routes!(access::ask)).routes(routes!(access::answer))
}

/// Takes each event of the log before this entry, in their order.
///
/// # Errors
/// When they cannot be read.
pub(super) async fn each_event(store: &Store, until: u64, mut take: impl FnMut(u64, Event)) -> Result<(), ApiError> {
    let mut next = 0_u64;
    while next < until {
        let rows = store.events(next, BATCH).await?;
        if rows.is_empty() {
            break;
        }
        for (entry, bytes) in (next..until).zip(&rows) {
            take(entry, Event::decode(bytes).map_err(|error| ApiError::internal(&error))?);
        }
        next += rows.len() as u64;
    }
    Ok(())
}
