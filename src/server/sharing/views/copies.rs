//! What is taken out of a view: printed, copied, passed on. Each has an event of its own, and is the pages of the view drawn anew under a watermark
//! that names it.

use std::sync::Arc;

use axum::body::Body as HttpBody;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::super::Sharing;
use super::super::courier::now;
use super::super::words::reason;
use super::held::{Held, Source, decided};
use super::{drawable, holding, markup, named, or_said, permitted, pictures};
use crate::audit::{Action, Event, OrganisationId, Outcome, PolicyId, Refusal};
use crate::consent::{Permit, Use};
use crate::fonts;
use crate::identity::{Right, Thing};
use crate::server::App;
use crate::server::access::still_good;
use crate::server::caller::{Caller, Pass};
use crate::server::error::{ApiError, ErrorDocument};
use crate::store::By;

/// Bytes of a copy that are sent between two looks at the permits and the session.
const PIECE: usize = 64 << 10;

/// Prints a view, takes a copy out or passes it on: each only where the consent says so and the caller is a doctor, and in the log
/// either way.
#[utoipa::path(
    post,
    path = "/v1/views/{view}/{use}",
    params(("view" = String, Path, description = "The view's id"), ("use" = String, Path, description = "`print`, `download` or `forward`")),
    responses((status = 200, description = "The page to print, or the copy", body = String, content_type = "text/html"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(in crate::server::sharing) async fn take(
    State(app): State<App>,
    State(sharing): State<Sharing>,
    Caller { by, session, pass, .. }: Caller,
    Path((view, to)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let (to, action) = match to.as_str() {
        "print" => (Use::Print, Action::Print),
        "download" => (Use::Download, Action::Export { count: 1 }),
        "forward" => (Use::Forward, Action::Forward),
        _ => return Err(ApiError::NoSuchAddress),
    };
    let held = holding(&sharing, (&by, &pass), &view).await?;
    let may = |right: Right, permit: &Permit, organisation| {
        let thing = Thing { id: held.record, organisation, treating: Vec::new() };
        app.gate.rights.rule(&session, right, &thing, Some(permit)).checked()
    };
    let page = copy(&sharing, &by, &held, (to, action), may).await?;
    let name = if to == Use::Print { "inline" } else { "attachment; filename=\"note.html\"" };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, markup::COPY_POLICY.clone()),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static(name)),
    ];
    Ok((headers, pieces(sharing, (held, pass), page)).into_response())
}

/// The page of a copy, whose watermark names the entry of the copy.
/// It is made where the consent allows it, and what the role is `may` do it.
pub(super) async fn copy(
    sharing: &Sharing,
    by: &By,
    held: &Held,
    (to, action): (Use, Action),
    may: impl Fn(Right, &Permit, OrganisationId) -> Result<(), Vec<PolicyId>>,
) -> Result<String, ApiError> {
    let Source::Consent(consent) = held.source else {
        // What is seen in an emergency is read and nothing else.
        let patient = held.permits.first().map(|permit| permit.ask().patient);
        let event = Event { patient, record: Some(held.record), purpose: Some(held.purpose), ..by.did_in_general(action) };
        sharing.store().keep_event(&Event { outcome: Outcome::Refused { reason: Refusal::UseNotGranted }, ..event }).await?;
        return Err(ApiError::Denied(Refusal::UseNotGranted));
    };
    let stored = named(sharing, by, consent).await?;
    let restricted = sharing.store().is_restricted(&held.note).await?;
    let (permits, events) = decided(&stored.consent, by, (held.record, restricted, held.purpose), to);
    let event = sharing.store().event_about(by, action, &held.note).await?;
    let event = Event { purpose: Some(held.purpose), consent: Some(consent), ..event };
    let permits = match permitted(sharing, permits, events.clone()).await {
        // What was tried is an event too: the check does not say which use it was.
        Err(ApiError::Denied(reason)) => {
            sharing.store().keep_event(&Event { outcome: Outcome::Refused { reason }, ..event }).await?;
            return Err(ApiError::Denied(reason));
        }
        permits => permits?,
    };
    let ruled: Result<(), _> = permits.iter().try_for_each(|permit| may(Right::Export, permit, stored.about.owner));
    if let Err(policies) = ruled {
        let (outcome, policies) = (Outcome::Refused { reason: Refusal::NotAllowed }, Some(policies));
        sharing.store().keep_event(&Event { outcome, policies, ..event }).await?;
        return Err(ApiError::NotAllowed);
    }
    drawable(sharing.store(), &event, fonts::look).await?;
    let entry = sharing.store().keep_events(&events, &event).await?;
    let mark = markup::words_of_copy(&held.view.watermark().again(by.at, entry), to, held.language);
    let drawn = pictures(&held.view, mark.clone(), held.language).await;
    Ok(markup::copy(&or_said(sharing.store(), &[event], drawn).await?, &mark, held.language))
}

/// A copy, piece by piece: each asks whether the session is open and the permits hold, and the copy breaks off where not.
pub(super) fn pieces(sharing: Sharing, (held, pass): (Arc<Held>, Pass), page: String) -> HttpBody {
    let left = axum::body::Bytes::from(page);
    let stream = futures_util::stream::unfold(Some((sharing, held, pass, left)), |state| async move {
        let (sharing, held, pass, mut left) = state?;
        if left.is_empty() {
            return None;
        }
        match still(&sharing, &held, &pass).await {
            Ok(()) => {
                let piece = left.split_to(left.len().min(PIECE));
                Some((Ok(piece), Some((sharing, held, pass, left))))
            }
            Err(refusal) => Some((Err(std::io::Error::other(reason(refusal))), None)),
        }
    });
    HttpBody::from_stream(stream)
}

/// Whether who takes a copy is signed in still, in a role that is held, and the permits hold.
async fn still(sharing: &Sharing, held: &Held, pass: &Pass) -> Result<(), Refusal> {
    match still_good(sharing.store(), pass).await {
        Ok(Some(_)) => held.still(sharing.store(), now()).await,
        Ok(None) => Err(Refusal::NotSignedIn),
        Err(_) => Err(Refusal::Error),
    }
}
