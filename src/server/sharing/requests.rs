//! A doctor asks for what another organisation has of a patient, states the purpose, or takes the request back.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::courier::now;
use super::patient::link_to;
use super::words::minute;
use super::{Names, Sharing, evenly, organisation_name, random};
use crate::audit::{Action, Actor, ConsentId, Event, OrganisationId, Outcome, Purpose, RecordId, Refusal, UnixMillis};
use crate::consent::{Consent, Domain, End, Recipient, Request, Scope, Secret, Standing, Uses};
use crate::identity::{Right, Thing};
use crate::interop::fhir::Instant;
use crate::record::Stage;
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::Caller;
use crate::server::error::{ApiError, ErrorDocument};
use crate::server::number::PatientNumber;
use crate::store::{About, By, Contact, NewConsent, Side, Store, StoreError, StoredConsent, record_id};

/// The age from which patients decide for themselves.
const OF_AGE: u16 = 16;
/// How long a consent lasts where nobody says: thirty days.
const USUAL: u64 = 30 * 24 * 3_600_000;
/// For so long who set how a patient is reached cannot ask them for consent: thirty days.
const CONTACT_IS_NEW: u64 = 30 * 24 * 3_600_000;
/// How far ahead a consent may begin, in milliseconds.
const LATEST: u64 = 7 * 24 * 3_600_000;

#[derive(Serialize, ToSchema)]
pub(super) struct Organisations {
    organisations: Vec<Organisation>,
}

#[derive(Serialize, ToSchema)]
struct Organisation {
    id: String,
    name: String,
    chinese_name: Option<String>,
}

/// The organisations that can be asked.
#[utoipa::path(get, path = "/v1/organisations", responses((status = 200, description = "All of them, by name", body = Organisations), (status = "default", description = "Why not", body = ErrorDocument)))]
pub(super) async fn organisations(State(sharing): State<Sharing>, _: Caller) -> Result<Json<Organisations>, ApiError> {
    let known = sharing.store().organisations().await?.into_iter();
    let named = known.map(|one| Organisation { id: one.id.to_string(), name: one.name, chinese_name: one.chinese_name });
    Ok(Json(Organisations { organisations: named.collect() }))
}

/// What is asked for.
#[derive(Deserialize, ToSchema)]
#[schema(as = WantedConsent)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The organisation that has the notes.
    organisation: String,
    /// A number that it knows the patient by, as the patient says it: its own, or one that it noted of the institution that is named.
    patient: PatientNumber,
    /// `treatment`, `second_opinion` or `referral`.
    #[schema(value_type = String)]
    purpose: Purpose,
    /// Domains of the electronic health record: `notes`, `allergies`, `diagnoses_and_medication`, `referrals` and so on.
    #[schema(value_type = Vec<String>)]
    domains: BTreeSet<Domain>,
    /// RFC 3339 time from which it is shared; from now on when not said.
    #[serde(default)]
    from: Option<String>,
    /// RFC 3339 time until which it is; thirty days when not said.
    #[serde(default)]
    to: Option<String>,
    /// RFC 3339 time: notes of visits before it are not asked for.
    #[serde(default)]
    visits_since: Option<String>,
    /// Everybody at the organisation of who asks, not only who asks.
    #[serde(default)]
    whole_organisation: bool,
    /// What else than reading is asked for: `print`, `forward`, `download`.
    #[serde(default)]
    #[schema(value_type = Object)]
    uses: Uses,
}

#[derive(Serialize, ToSchema)]
#[schema(as = BegunRequest)]
pub(super) struct Begun {
    /// The request's id: the consent's from now on.
    id: String,
    /// The entry of the audit log.
    entry: u64,
}

/// Asks the patient for what another organisation has. Whether it knows the patient is not told: the request waits either way.
#[utoipa::path(
    post,
    path = "/v1/requests",
    request_body = Wanted,
    responses((status = 201, description = "The request, which the patient answers", body = Begun), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn ask(
    State(app): State<App>,
    State(sharing): State<Sharing>,
    Caller { by, session, .. }: Caller,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<Begun>), ApiError> {
    let owner = OrganisationId::try_from(wanted.organisation.clone()).map_err(|_| ApiError::NoOrganisation)?;
    let thing = Thing { id: record_id(""), organisation: owner, treating: Vec::new() };
    let ruled = app.gate.rights.rule(&session, Right::RequestConsent, &thing, None).checked();
    if owner != session.organisation
        && let Err(policies) = ruled
    {
        let (outcome, policies) = (Outcome::Refused { reason: Refusal::NotAllowed }, Some(policies));
        sharing.store().keep_event(&Event { outcome, policies, ..by.did_in_general(Action::ConsentRequest) }).await?;
        return Err(ApiError::NotAllowed);
    }
    let names = Names::of(sharing.store(), by.actor).await?;
    let (id, entry) = evenly(begin(&sharing, &by, names, wanted)).await?;
    Ok((StatusCode::CREATED, Json(Begun { id: id.to_string(), entry })))
}

/// A time, in milliseconds since 1970.
fn time(field: &str, given: Option<&str>) -> Result<Option<UnixMillis>, ApiError> {
    let parse = |given: &str| {
        let at = Instant::parse(given).map_err(|_| ApiError::Invalid(format!("`{field}` is no RFC 3339 time")))?;
        Ok(UnixMillis(u64::try_from(at.unix_seconds()).unwrap_or(0).saturating_mul(1_000)))
    };
    given.map(parse).transpose()
}

pub(super) async fn begin(sharing: &Sharing, by: &By, names: Names, wanted: Wanted) -> Result<(ConsentId, u64), ApiError> {
    let store = sharing.store();
    let Actor::Staff { role, organisation: own, .. } = by.actor else {
        return Err(ApiError::Denied(Refusal::NotAllowed));
    };
    let owner = OrganisationId::try_from(wanted.organisation.clone()).map_err(|_| ApiError::NoOrganisation)?;
    if let Err(refusal) = sharing.allow_request(role, by.at) {
        let outcome = Outcome::Refused { reason: refusal };
        store.keep_event(&Event { outcome, ..by.did_in_general(Action::ConsentRequest) }).await?;
        return Err(ApiError::Denied(refusal));
    }
    let owner_name = organisation_name(store, owner).await?;
    if owner == own {
        return Err(ApiError::Invalid("`organisation` is your own: what it has needs no consent".to_owned()));
    }
    let number = wanted.patient.identifier()?;
    let from = time("from", wanted.from.as_deref())?.unwrap_or(by.at).max(by.at);
    if from > by.at.after(LATEST) {
        return Err(ApiError::Invalid("`from` is more than a week ahead".to_owned()));
    }
    let to = time("to", wanted.to.as_deref())?.unwrap_or(from.after(USUAL));
    let since = time("visits_since", wanted.visits_since.as_deref())?;
    // Who was named, also where they stand under another: what is asked for stays theirs when a merge is taken back.
    let patient = store.patient_by_number(owner, &number).await?;
    let notes = match &patient {
        Some(patient) => signed_notes(store, patient, since).await?,
        None => Vec::new(),
    };
    let patient = patient.filter(|_| !notes.is_empty());
    if let Some(patient) = &patient
        && has_set_contact(store, by.actor, patient, by.at).await?
    {
        // They know the patient: it was them who entered this.
        let event = by.did_for(Action::ConsentRequest, store.pseudonym(patient)?);
        store.keep_event(&Event { outcome: Outcome::Refused { reason: Refusal::OwnContact }, ..event }).await?;
        return Err(ApiError::Denied(Refusal::OwnContact));
    }
    let id = ConsentId::from_bytes(random()?);
    let link = Secret::of_random(random()?);
    let nobody = id.to_string();
    let records = match &patient {
        Some(_) => notes.iter().map(|note| record_id(note)).collect(),
        None => BTreeSet::from([RecordId::from_bytes(random()?)]),
    };
    let scope = Scope {
        patient: store.pseudonym(patient.as_deref().unwrap_or(&nobody))?,
        standing: standing(store, patient.as_deref()).await?,
        recipient: if wanted.whole_organisation { Recipient::Organisation(own) } else { Recipient::Role(role) },
        purpose: wanted.purpose,
        records,
        domains: wanted.domains,
        from,
        to,
        uses: wanted.uses,
    };
    let made = match (Request { id, scope, requester: by.actor, link: &link }).make(by.at) {
        Ok((requested, event)) => (Consent::from(requested), event),
        Err((error, event)) => {
            store.keep_event(&event.from(by.address, by.device)).await?;
            return Err(ApiError::Declined(error.to_string()));
        }
    };
    let contact = match &patient {
        Some(patient) => reached(store, patient).await?,
        None => None,
    };
    let address = format!("{}/d/{id}/{}", sharing.0.public, link.reveal());
    let message = contact.map(|contact| link_to(contact, &owner_name, &address, by.at));
    let Names { person: doctor, organisation } = names;
    let named = number.written();
    let about = About { owner, owner_name, doctor, organisation, named, notes, asked_at: by.at };
    let entry = store.request_consent(NewConsent { made, patient, about, message }, by).await?;
    Ok((id, entry))
}

/// Whether who asks has set, in any of their roles and lately, how the patient is reached: the answer could come from themselves.
pub(super) async fn has_set_contact(store: &Store, who: Actor, patient: &str, at: UnixMillis) -> Result<bool, StoreError> {
    let Actor::Staff { person, .. } = who else { return Ok(true) };
    store.has_set_contact(person, patient, UnixMillis(at.0.saturating_sub(CONTACT_IS_NEW))).await
}

/// The recordings of a patient whose notes are signed.
pub(super) async fn signed_notes(store: &Store, patient: &str, since: Option<UnixMillis>) -> Result<Vec<String>, StoreError> {
    let mut notes = Vec::new();
    for visit in store.encounters_of(patient).await? {
        if since.is_some_and(|since| visit.at < i64::try_from(since.0 / 1_000).unwrap_or(i64::MAX)) {
            continue;
        }
        for recording in store.recordings_of(&visit.id).await? {
            if store.stage(&recording).await? == Some(Stage::Signed) {
                notes.push(recording);
            }
        }
    }
    Ok(notes)
}

/// How a patient is reached: as is known of them, or else of one who is the same person.
pub(super) async fn reached(store: &Store, patient: &str) -> Result<Option<Contact>, StoreError> {
    for id in std::iter::once(patient.to_owned()).chain(store.same_person(patient).await?) {
        if let Some(contact) = store.contact(&id).await? {
            return Ok(Some(contact));
        }
    }
    Ok(None)
}

/// Who decides for a patient: parents until the sixteenth birthday, somebody else for who cannot. Of records that are one person each
/// counts, the most careful first.
pub(in crate::server) async fn standing(store: &Store, patient: Option<&str>) -> Result<Standing, ApiError> {
    let Some(patient) = patient else { return Ok(Standing::Decides) };
    let mut of_age = None;
    for id in std::iter::once(patient.to_owned()).chain(store.same_person(patient).await?) {
        if store.contact(&id).await?.is_some_and(|contact| contact.incapable) {
            return Ok(Standing::Incapable);
        }
        let born = store.patient(&id).await?.and_then(|stored| stored.patient.born);
        let Some((year, month, day)) = born.map(|born| born.parts()) else { continue };
        let birthday = format!("{:04}-{month:02}-{day:02}T00:00:00+08:00", year.saturating_add(OF_AGE));
        of_age = of_age.max(Some(Instant::parse(&birthday)?.unix_seconds()));
    }
    let until = UnixMillis(of_age.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0).saturating_mul(1_000));
    Ok(if super::courier::now() < until { Standing::Minor { until } } else { Standing::Decides })
}

/// A request, or the consent that it became, as who asked sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct Face {
    id: String,
    /// `requested`, `attested`, `answered`, `active`, `refused`, `withdrawn` or `expired`.
    state: &'static str,
    /// The clinic that has the notes.
    owner: String,
    /// Who asked, and where from.
    doctor: String,
    organisation: String,
    /// For everybody who treats patients there: all its doctors and nurses, not only who asked.
    whole_organisation: bool,
    /// The number that the patient was named by.
    named: String,
    #[schema(value_type = String)]
    purpose: Purpose,
    #[schema(value_type = Vec<String>)]
    domains: BTreeSet<Domain>,
    #[schema(value_type = Object)]
    uses: Uses,
    /// Day and minute in Hong Kong.
    asked_at: String,
    from: String,
    until: String,
    /// Restricted data: `asked` while the patient has not answered whether they are shared too, `included` where they said yes; null else.
    restricted: Option<&'static str>,
}

impl Face {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn of(stored: &StoredConsent) -> Self {
        let (scope, about) = (stored.consent.scope(), &stored.about);
        Self {
            id: stored.consent.id().to_string(),
            state: state(&stored.consent),
            owner: about.owner_name.clone(),
            doctor: about.doctor.clone(),
            organisation: about.organisation.clone(),
            whole_organisation: matches!(scope.recipient, Recipient::Organisation(_)),
            named: about.named.reveal().to_owned(),
            purpose: scope.purpose,
            domains: scope.domains.clone(),
            uses: scope.uses,
            asked_at: minute(about.asked_at),
            from: minute(scope.from),
            // Until the patient agreed it is as was asked for: where a minor comes of age is told by nobody else.
            until: minute(if matches!(stored.consent, Consent::Active(_)) { scope.end() } else { scope.to }),
            restricted: match &stored.consent {
                Consent::Active(active) if active.includes_restricted() => Some("included"),
                Consent::Active(active) => active.asks_restricted(now()).map(|_| "asked"),
                _ => None,
            },
        }
    }
}

/// What a state is called.
pub(super) fn state(consent: &Consent) -> &'static str {
    match consent {
        Consent::Requested(_) => "requested",
        Consent::Attested(_) => "attested",
        Consent::Answered(_) => "answered",
        Consent::Active(_) => "active",
        Consent::Ended(ended) => match ended.how() {
            End::Refused => "refused",
            End::Withdrawn => "withdrawn",
            End::Expired => "expired",
        },
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Requests {
    requests: Vec<Face>,
}

/// What the caller's role has asked for.
#[utoipa::path(get, path = "/v1/requests", responses((status = 200, description = "The newest first", body = Requests), (status = "default", description = "Why not", body = ErrorDocument)))]
pub(super) async fn list(
    State(app): State<App>,
    State(sharing): State<Sharing>,
    caller: Caller,
) -> Result<Json<Requests>, ApiError> {
    let Actor::Staff { role, .. } = caller.by.actor else { return Ok(Json(Requests { requests: Vec::new() })) };
    let found = sharing.store().consents(Side::Requester(role)).await?;
    let ids: Vec<String> = found.iter().map(|stored| format!("{} {}", stored.consent.id(), state(&stored.consent))).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    // It says of nobody more than the caller did, and names no patient to the log, so that how far that grows does not tell the caller whom a
    // clinic knows.
    caller.looked_over(&app, ("requests", &ids), ids.len(), Vec::new()).await?;
    Ok(Json(Requests { requests: found.iter().map(Face::of).collect() }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Attestation {
    /// What it is for, once more: it has to be what was asked for.
    #[schema(value_type = String)]
    purpose: Purpose,
}

/// What a step came to.
#[derive(Serialize, ToSchema)]
pub(super) struct Done {
    state: &'static str,
    /// The entry of the audit log.
    entry: u64,
}

/// A consent's id as an address has it; what is none is no consent.
pub(super) fn id(text: String) -> Result<ConsentId, ApiError> {
    ConsentId::try_from(text).map_err(|_| ApiError::NoSuchConsent)
}

/// The doctor who asked states the purpose: the second of the two yeses.
#[utoipa::path(
    post,
    path = "/v1/requests/{id}/attest",
    params(("id" = String, Path, description = "The request's id")),
    request_body = Attestation,
    responses((status = 200, description = "The state after", body = Done), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn attest(
    State(sharing): State<Sharing>,
    Caller { by, .. }: Caller,
    Path(request): Path<String>,
    Body(Attestation { purpose }): Body<Attestation>,
) -> Result<Json<Done>, ApiError> {
    let changed = sharing.store().change_consent(id(request)?, &by, |consent, _| consent.attest(by.actor, purpose, by.at).into());
    done(changed.await?, &by)
}

/// Who asked takes the request back.
#[utoipa::path(
    post,
    path = "/v1/requests/{id}/cancel",
    params(("id" = String, Path, description = "The request's id")),
    responses((status = 200, description = "The state after", body = Done), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn cancel(
    State(sharing): State<Sharing>,
    Caller { by, .. }: Caller,
    Path(request): Path<String>,
) -> Result<Json<Done>, ApiError> {
    let changed =
        sharing.store().change_consent(id(request)?, &by, |consent, _| consent.refuse(by.actor, None, by.at).into()).await?;
    done(changed, &by)
}

/// The answer. To somebody else than who asked a request is not there at all; that they tried is in the log.
pub(super) fn done(changed: Option<crate::store::Changed<()>>, by: &By) -> Result<Json<Done>, ApiError> {
    let changed = changed.ok_or(ApiError::NoSuchConsent)?;
    match changed.outcome {
        Ok(()) => Ok(Json(Done { state: state(&changed.stored.consent), entry: changed.entry })),
        Err(_) if *changed.stored.consent.requester() != by.actor => Err(ApiError::NoConsent),
        Err(refusal) => Err(ApiError::Denied(refusal)),
    }
}
