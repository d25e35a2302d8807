//! The side of the clinic that has the notes: how its patients are reached, what they share, and taking it back for them.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::patient::contact_changed;
use super::requests::{Done, Face, done, id};
use super::{Sharing, organisation_name};
use crate::audit::{ConsentId, Refusal};
use crate::gateway::Address;
use crate::identity::{Right, RoleKind};
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::{Caller, What};
use crate::server::error::{ApiError, ErrorDocument};
use crate::store::{Contact, Delivered, MessageKind, OutboxState, Side};
use crate::text::PatientText;

/// Messages on the outbox page.
const SHOWN: u32 = 50;

/// How a patient is reached.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reached {
    /// A telephone number; eight digits are one in Hong Kong.
    #[serde(default)]
    phone: Option<String>,
    /// A mailbox, for a patient without a telephone.
    #[serde(default)]
    mail: Option<String>,
    /// The patient cannot decide: a guardian or relative does.
    #[serde(default)]
    incapable: bool,
}

/// How a patient is reached.
#[utoipa::path(
    get,
    path = "/v1/patients/{id}/contact",
    params(("id" = String, Path, description = "The patient's id")),
    responses((status = 200, description = "Nothing where nobody entered it", body = Reached), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn contact(
    State(app): State<App>,
    State(sharing): State<Sharing>,
    caller: Caller,
    Path(patient): Path<String>,
) -> Result<Json<Reached>, ApiError> {
    caller.may(&app, Right::View, What::Patient(&patient)).await?;
    let found = sharing.store().contact(&patient).await?;
    caller.looked_at(&app, &patient).await?;
    let text = |text: Option<PatientText>| text.map(|text| text.reveal().to_owned());
    Ok(Json(match found {
        Some(Contact { phone, mail, incapable }) => Reached { phone: text(phone), mail: text(mail), incapable },
        None => Reached { phone: None, mail: None, incapable: false },
    }))
}

/// Keeps how a patient is reached. What was known before is told that it changed, and who changed it cannot ask the patient for consent for 30
/// days.
#[utoipa::path(
    put,
    path = "/v1/patients/{id}/contact",
    params(("id" = String, Path, description = "The patient's id")),
    request_body = Reached,
    responses((status = 200, description = "As it is kept", body = Reached), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn set_contact(
    State(app): State<App>,
    State(sharing): State<Sharing>,
    caller: Caller,
    Path(patient): Path<String>,
    Body(given): Body<Reached>,
) -> Result<Json<Reached>, ApiError> {
    caller.may(&app, Right::Edit, What::Patient(&patient)).await?;
    let by = caller.by;
    let wrong = |field: &str| ApiError::Invalid(format!("`{field}` is not one"));
    let filled = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let phone = match filled(given.phone) {
        Some(text) => match Address::phone(&text).map_err(|_| wrong("phone"))? {
            Address::Phone(number) => Some(number),
            Address::Mail(_) => return Err(wrong("phone")),
        },
        None => None,
    };
    let mail = filled(given.mail);
    if let Some(mail) = &mail {
        Address::mail(mail).map_err(|_| wrong("mail"))?;
    }
    if phone.is_none() && mail.is_none() {
        return Err(ApiError::Invalid("a patient is reached by `phone` or `mail`".to_owned()));
    }
    let text = |text: &Option<String>| text.as_deref().map(PatientText::from);
    let contact = Contact { phone: text(&phone), mail: text(&mail), incapable: given.incapable };
    let clinic = organisation_name(sharing.store(), caller.session.organisation).await?;
    let told = |known: &Contact| contact_changed(known, &clinic, by.at);
    sharing.store().set_contact(&patient, &contact, told, &by).await?;
    Ok(Json(Reached { phone, mail, incapable: given.incapable }))
}

#[derive(Serialize, ToSchema)]
pub(super) struct Consents {
    consents: Vec<Face>,
}

/// What a patient shares, and who has asked.
#[utoipa::path(
    get,
    path = "/v1/patients/{id}/consents",
    params(("id" = String, Path, description = "The patient's id")),
    responses((status = 200, description = "The newest first", body = Consents), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn consents(
    State(app): State<App>,
    State(sharing): State<Sharing>,
    caller: Caller,
    Path(patient): Path<String>,
) -> Result<Json<Consents>, ApiError> {
    caller.may(&app, Right::View, What::Patient(&patient)).await?;
    let found = sharing.store().consents(Side::Patient(&patient)).await?;
    caller.looked_at(&app, &patient).await?;
    Ok(Json(Consents { consents: found.iter().map(Face::of).collect() }))
}

/// The treating clinic takes a consent back for the patient, in force or not; what the patient has not answered is refused.
#[utoipa::path(
    post,
    path = "/v1/consents/{id}/withdraw",
    params(("id" = String, Path, description = "The consent's id")),
    responses((status = 200, description = "The state after", body = Done), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn withdraw(
    State(app): State<App>,
    State(sharing): State<Sharing>,
    caller: Caller,
    Path(consent): Path<String>,
) -> Result<Json<Done>, ApiError> {
    let consent: ConsentId = id(consent)?;
    let stored = sharing.store().consent(consent).await?.ok_or(ApiError::NoSuchConsent)?;
    // About nobody, it is told like one of another's patient.
    let patient = stored.patient.unwrap_or_default();
    caller.may(&app, Right::Edit, What::Patient(&patient)).await.map_err(|error| match error {
        ApiError::NoPatient => ApiError::NoConsent,
        other => other,
    })?;
    let by = caller.by;
    let changed = sharing.store().change_consent(consent, &by, |consent, _| consent.withdraw(by.actor, by.at).into()).await?;
    match changed {
        Some(changed) if changed.outcome.is_err() => Err(ApiError::Denied(Refusal::AlreadyUsed)),
        changed => done(changed, &by),
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Outbox {
    /// Whether messages are shown here because there is no gateway.
    shown: bool,
    messages: Vec<Posted>,
    /// How messages about patients of the organisation stand, for its administrators; null for others, and where they are shown.
    delivery: Option<Delivery>,
}

/// How messages stand.
#[derive(Serialize, ToSchema)]
struct Delivery {
    /// Those that no gateway has taken and that are tried still.
    waiting: u64,
    /// Of these those that the gateway called wrong at the last try. Where these are all, its settings may be.
    refused: u64,
    /// Those of the last week that no gateway took in their time, or that it called wrong again and again while it took others.
    failed: u64,
}

#[derive(Serialize, ToSchema)]
struct Posted {
    id: String,
    #[schema(value_type = String)]
    kind: MessageKind,
    #[schema(value_type = String)]
    state: OutboxState,
    tries: u32,
    /// Where it goes, where messages are shown.
    to: Option<String>,
    /// What it says, where messages are shown.
    text: Option<String>,
}

/// The messages to patients. In a trial without a gateway they are shown here; elsewhere only how far they are.
#[utoipa::path(get, path = "/v1/outbox", responses((status = 200, description = "The newest 50", body = Outbox), (status = "default", description = "Why not", body = ErrorDocument)))]
pub(super) async fn outbox(
    State(app): State<App>,
    State(sharing): State<Sharing>,
    caller: Caller,
) -> Result<Json<Outbox>, ApiError> {
    let (shown, messages) = (sharing.0.way.is_page(), Vec::new());
    if !shown {
        // Messages of all organisations are in one outbox: an administrator is told how many there are of theirs, and nobody more.
        if caller.session.kind != RoleKind::Administrator {
            return Ok(Json(Outbox { shown, messages, delivery: None }));
        }
        let Delivered { waiting, refused, failed } =
            sharing.store().delivered(Some(caller.session.organisation), caller.by.at).await?;
        return Ok(Json(Outbox { shown, messages, delivery: Some(Delivery { waiting, refused, failed }) }));
    }
    let kept = sharing.store().messages(SHOWN).await?;
    caller.read_of(&app, kept.len()).await?;
    let posted = kept.into_iter().map(|kept| {
        let to = kept.message.phone.as_ref().or(kept.message.mail.as_ref()).map(|to| to.reveal().to_owned());
        let text = Some(kept.message.text.reveal().to_owned());
        Posted { id: kept.id.to_string(), kind: kept.message.kind, state: kept.state, tries: kept.tries, to, text }
    });
    Ok(Json(Outbox { shown, messages: posted.collect(), delivery: None }))
}
