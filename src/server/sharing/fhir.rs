//! A consent as a FHIR R4 Consent, for who may see it: the clinic whose patient it is, who it is shared with, and the patient.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Sharing;
use super::requests::id;
use super::restricted::restricted_notes;
use crate::audit::{Action, Event};
use crate::consent::Consent;
use crate::identity::Right;
use crate::interop::fhir::consent as resource;
use crate::server::App;
use crate::server::caller::{Caller, What};
use crate::server::error::{ApiError, ErrorDocument};
use crate::store::{By, StoredConsent, record_id};

/// A consent as a FHIR R4 Consent. Who asked gets it while it is in force: before, it would tell whether the clinic knows the patient.
#[utoipa::path(
    get,
    path = "/v1/consents/{id}/fhir",
    params(("id" = String, Path, description = "The consent's id")),
    responses((status = 200, description = "FHIR R4 Consent", body = Object, content_type = "application/fhir+json"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn show(
    State(app): State<App>,
    State(sharing): State<Sharing>,
    caller: Caller,
    Path(consent): Path<String>,
) -> Result<Response, ApiError> {
    let stored = sharing.store().consent(id(consent)?).await?.ok_or(ApiError::NoSuchConsent)?;
    let shared_with = *stored.consent.requester() == caller.by.actor && matches!(stored.consent, Consent::Active(_));
    if !shared_with {
        // About nobody, it is told like one of another's patient.
        let patient = stored.patient.as_deref().unwrap_or_default();
        caller.may(&app, Right::View, What::Patient(patient)).await.map_err(|error| match error {
            ApiError::NoPatient => ApiError::NoConsent,
            other => other,
        })?;
    }
    answer(&sharing, &stored, &caller.by).await
}

/// The document, after its event is kept. Who asked learns of no note that is left out for them.
pub(super) async fn answer(sharing: &Sharing, stored: &StoredConsent, by: &By) -> Result<Response, ApiError> {
    let included = matches!(&stored.consent, Consent::Active(active) if active.includes_restricted());
    let left_out = match by.actor {
        actor if actor == *stored.consent.requester() && !included => restricted_notes(sharing.store(), stored).await?,
        _ => Vec::new(),
    };
    let left_out = left_out.iter().map(|note| record_id(note)).collect();
    let document = serde_json::to_vec(&resource(&stored.consent, &left_out)?)?;
    let (patient, consent) = (Some(stored.consent.scope().patient), Some(stored.consent.id()));
    let event = by.did_in_general(Action::Export { count: 1 });
    sharing.store().keep_event(&Event { patient, consent, purpose: by.purpose, ..event }).await?;
    Ok(([(header::CONTENT_TYPE, "application/fhir+json")], document).into_response())
}
