//! Reports of the audit log for whoever has to answer for an organisation, and patients' requests for what is kept of them.
//!
//! Invariant: each line cites its entries, and the report carries the signed head of the log that it was made from.

mod access;
mod organisation;
mod paper;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// What is answered about reports.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(organisation::show)).routes(routes!(access::ask)).routes(routes!(access::answer))
}
