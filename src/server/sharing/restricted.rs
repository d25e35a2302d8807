//! Restricted data of a share: the doctor who asked for the consent gives a reason, and the patient is asked once more.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::patient::link_to;
use super::requests::{Done, done, has_set_contact, id, reached};
use super::views::is_theirs;
use super::{Sharing, random};
use crate::audit::{Action, Actor, Event, Outcome, Refusal, RestrictedReason};
use crate::consent::{Consent, Secret};
use crate::server::asked::Body;
use crate::server::caller::Caller;
use crate::server::error::{ApiError, ErrorDocument};
use crate::store::{By, Changed, ConsentStep, Contact, Store, StoreError, StoredConsent};

/// Why restricted data are needed.
#[derive(Deserialize, ToSchema)]
#[schema(as = WantedRestricted)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// `safety`, `complaint` or `patient_asked`: the patient reads it.
    #[schema(value_type = String)]
    reason: RestrictedReason,
}

/// Asks the patient, under a consent in force, whether restricted data are shared too. Asking again takes the place of what was not answered.
#[utoipa::path(
    post,
    path = "/v1/requests/{id}/restricted",
    params(("id" = String, Path, description = "The request's id")),
    request_body = Wanted,
    responses((status = 200, description = "The state after", body = Done), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn ask(
    State(sharing): State<Sharing>,
    Caller { by, .. }: Caller,
    Path(request): Path<String>,
    Body(Wanted { reason }): Body<Wanted>,
) -> Result<Json<Done>, ApiError> {
    let stored = sharing.store().consent(id(request)?).await?.ok_or(ApiError::NoSuchConsent)?;
    done(begin(&sharing, &by, &stored, reason).await?, &by)
}

/// Keeps that it was asked, with the patient's message.
pub(super) async fn begin(
    sharing: &Sharing,
    by: &By,
    stored: &StoredConsent,
    reason: RestrictedReason,
) -> Result<Option<Changed<()>>, ApiError> {
    let id = stored.consent.id();
    // To anybody else, and under a consent that is not in force, the consent itself says no.
    let asks = *stored.consent.requester() == by.actor && matches!(stored.consent, Consent::Active(_));
    let contact = if asks { Some(may_ask(sharing, by, stored, reason).await?) } else { None };
    let secret = Secret::of_random(random()?);
    let changed = sharing.store().change_consent(id, by, |consent, about| {
        // It may have come into force since it was read: without a message to somebody nothing is asked.
        let link = contact.as_ref().map(|_| &secret);
        let taken = consent.ask_restricted(by.actor, reason, link, by.at);
        let address = format!("{}/d/{id}/{}", sharing.0.public, secret.reveal());
        let message = contact.filter(|_| taken.outcome.is_ok());
        let message = message.map(|contact| link_to(contact, &about.owner_name, &address, by.at));
        ConsentStep { message, ..taken.into() }
    });
    Ok(changed.await?)
}

/// How the patient is reached, where there is something to ask for and the doctor may ask once more.
async fn may_ask(sharing: &Sharing, by: &By, stored: &StoredConsent, reason: RestrictedReason) -> Result<Contact, ApiError> {
    let store = sharing.store();
    let Actor::Staff { role, .. } = by.actor else { return Err(ApiError::NoConsent) };
    let contact = match &stored.patient {
        Some(patient) => reached(store, patient).await?,
        None => None,
    };
    let left_out = !restricted_notes(store, stored).await?.is_empty();
    let own = match &stored.patient {
        Some(patient) => has_set_contact(store, by.actor, patient, by.at).await?,
        None => false,
    };
    let (refusal, error) = match (sharing.allow_request(role, by.at), left_out, contact) {
        (Ok(()), ..) if own => (Refusal::OwnContact, ApiError::Denied(Refusal::OwnContact)),
        (Ok(()), true, Some(contact)) => return Ok(contact),
        (Err(refusal), ..) => (refusal, ApiError::Denied(refusal)),
        (Ok(()), false, _) => (Refusal::OtherRecord, ApiError::Declined("no restricted data are left out".to_owned())),
        (Ok(()), true, None) => (Refusal::NotEntitled, ApiError::Declined("the clinic cannot reach the patient".to_owned())),
    };
    let event = by.did_for(Action::RestrictedAsk { reason }, stored.consent.scope().patient);
    let outcome = Outcome::Refused { reason: refusal };
    store.keep_event(&Event { consent: Some(stored.consent.id()), outcome, ..event }).await?;
    Err(error)
}

/// The notes of a consent that are marked as restricted now.
pub(super) async fn restricted_notes(store: &Store, stored: &StoredConsent) -> Result<Vec<String>, StoreError> {
    let mut notes = Vec::new();
    for note in &stored.about.notes {
        if store.is_restricted(note).await? && is_theirs(store, stored, note).await? {
            notes.push(note.clone());
        }
    }
    Ok(notes)
}
