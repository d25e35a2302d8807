//! Patients, their visits, whose a recording is, and what is left to do today.

mod agreement;
mod banner;
mod encounters;
mod merges;
mod moves;
mod patients;
mod treating;
mod worklist;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

pub(super) use banner::{Banner, Faces};
pub(super) use moves::{Moved, Settled, moved, moved_meanwhile};
pub(super) use patients::{erase_all_of, is_one};

/// What is answered about patients and visits.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(patients::list, patients::create))
        .routes(routes!(patients::search))
        .routes(routes!(patients::show, patients::change, patients::erase))
        .routes(routes!(treating::hand_over))
        .routes(routes!(merges::list, merges::merge))
        .routes(routes!(merges::unmerge))
        .routes(routes!(encounters::list, encounters::create))
        .routes(routes!(encounters::show, encounters::erase))
        .routes(routes!(encounters::refuse))
        .routes(routes!(agreement::agree))
        .routes(routes!(encounters::begin_typed))
        .routes(routes!(worklist::show))
        .routes(routes!(moves::move_recording))
}
