//! Break-glass: a doctor opens a patient's notes without consent in an emergency, for an hour. It and the messages that tell the patient and the
//! privacy officers, or else the administrators, are kept before anything is shown, and that each was told once a gateway took theirs.

mod announcing;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::announcing::{Announced, announce};
use super::requests::signed_notes;
use super::views::{Opened, Source, see_in_emergency};
use super::words::minute;
use super::{Names, Sharing, organisation_name};
use crate::audit::{Action, Actor, EmergencyReason, Event, OrganisationId, Outcome, PolicyId, Purpose, RecordId, Refusal};
use crate::consent::{Ask, ConsentError, Domain, EMERGENCY_LIFE, Use, break_glass};
use crate::identity::{Right, RoleKind, Thing};
use crate::note::compose::Language;
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::{Caller, Pass, What};
use crate::server::error::{ApiError, ErrorDocument};
use crate::server::number::PatientNumber;
use crate::store::{By, EmergencyAbout, EmergencyTold, Owner, Store, StoreError, StoredEmergency, record_id};
use crate::text::PatientText;

/// The longest reason in a doctor's words, in characters.
const LONGEST_REASON: usize = 500;

/// What is opened, and why.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewEmergency)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The organisation that has the notes; one's own for a colleague's patient.
    organisation: String,
    /// A number that it knows the patient by: its own, or one that it noted of the institution that is named.
    patient: PatientNumber,
    /// `life_in_danger`, `cannot_be_asked` or `others_in_danger`.
    #[schema(value_type = String)]
    reason: EmergencyReason,
    /// Why, in words, up to 500 characters: for the record and the privacy officer.
    words: String,
}

/// An emergency that is not over, as who opened it sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct EmergencyFace {
    id: String,
    /// The organisation that has the notes.
    owner: String,
    #[schema(value_type = String)]
    reason: EmergencyReason,
    /// Day and minute in Hong Kong.
    until: String,
    notes: Vec<EmergencyNote>,
    /// Who was told: a gateway took their message. Null where it is not known.
    told: Option<ToldFace>,
    /// Whose message waits for a gateway. Who is in neither could not be told.
    queued: Option<ToldFace>,
}

#[derive(Serialize, ToSchema)]
struct EmergencyNote {
    /// The note's id for a view.
    record: String,
    /// RFC 3339 time.
    signed_at: String,
    signed_by: String,
}

impl EmergencyFace {
    async fn of(store: &Store, stored: &StoredEmergency) -> Result<Self, ApiError> {
        let mut notes = Vec::new();
        for note in &stored.about.notes {
            // One that was erased since is seen no more, nor one of somebody else's since a merge was taken back.
            let Ok(Some(kept)) = store.record(note).await else { continue };
            if !store.stands_with(note, &stored.patient).await? {
                continue;
            }
            if let Some((_, signature)) = kept.signed.last() {
                let (signed_at, signed_by) = (signature.at.clone(), signature.by.clone());
                notes.push(EmergencyNote { record: record_id(note).to_string(), signed_at, signed_by });
            }
        }
        let owner = organisation_name(store, stored.owner).await?;
        let until = minute(stored.ends_at);
        let (told, queued) = reached_faces(&stored.about);
        Ok(Self { id: stored.id.clone(), owner, reason: stored.about.reason, until, notes, told, queued })
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Emergencies {
    emergencies: Vec<EmergencyFace>,
}

/// Opens a patient's signed notes without consent, for an hour. The patient and the privacy officers of the organisation are told.
#[utoipa::path(
    post,
    path = "/v1/emergencies",
    request_body = Wanted,
    responses((status = 201, description = "The emergency", body = EmergencyFace), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn open(
    State(app): State<App>,
    State(sharing): State<Sharing>,
    Caller { by, session, .. }: Caller,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<EmergencyFace>), ApiError> {
    let owner = OrganisationId::try_from(wanted.organisation.clone()).map_err(|_| ApiError::NoOrganisation)?;
    let may = |found: Option<&Owner>| {
        let treating = found.map(|found| found.treating.clone()).unwrap_or_default();
        let thing = Thing { id: record_id(""), organisation: owner, treating };
        app.gate.rights.rule(&session, Right::BreakGlass, &thing, None).checked()
    };
    let stored = begin(&sharing, &by, owner, wanted, may).await?;
    Ok((StatusCode::CREATED, Json(EmergencyFace::of(sharing.store(), &stored).await?)))
}

/// Keeps the emergency, if what the role is `may` open one about this patient.
pub(super) async fn begin(
    sharing: &Sharing,
    by: &By,
    owner: OrganisationId,
    wanted: Wanted,
    may: impl Fn(Option<&Owner>) -> Result<(), Vec<PolicyId>>,
) -> Result<StoredEmergency, ApiError> {
    let store = sharing.store();
    let reason = wanted.reason;
    let refuse = async |refusal: Refusal, error: ApiError| -> Result<StoredEmergency, ApiError> {
        let outcome = Outcome::Refused { reason: refusal };
        store.keep_event(&Event { outcome, ..by.did_in_general(Action::BreakGlass { reason }) }).await?;
        Err(error)
    };
    let forbid = async |policies: Vec<PolicyId>| -> Result<StoredEmergency, ApiError> {
        let (outcome, policies) = (Outcome::Refused { reason: Refusal::NotAllowed }, Some(policies));
        store.keep_event(&Event { outcome, policies, ..by.did_in_general(Action::BreakGlass { reason }) }).await?;
        Err(ApiError::NotAllowed)
    };
    let Actor::Staff { role, .. } = by.actor else { return refuse(Refusal::NotAllowed, ApiError::NotAllowed).await };
    if let Err(policies) = may(None) {
        return forbid(policies).await;
    }
    if let Err(refusal) = sharing.allow_request(role, by.at) {
        return refuse(refusal, ApiError::Denied(refusal)).await;
    }
    let words = wanted.words.trim();
    if words.is_empty() {
        // Before anything is looked up: who gives no reason learns nothing of who is known here.
        return refuse(Refusal::NotAllowed, ApiError::Declined(ConsentError::NoReason.to_string())).await;
    }
    if words.chars().count() > LONGEST_REASON || words.chars().any(char::is_control) {
        return Err(ApiError::Invalid(format!("`words` has 1 to {LONGEST_REASON} characters, none of them a control character")));
    }
    let number = wanted.patient.identifier()?;
    let Some(patient) = store.patient_by_number(owner, &number).await? else {
        return refuse(Refusal::OtherPatient, ApiError::NoPatient).await;
    };
    if let Err(policies) = may(store.owner_of_patient(&patient).await?.as_ref()) {
        return forbid(policies).await;
    }
    let notes = signed_notes(store, &patient, None).await?;
    let Some(newest) = notes.first() else { return refuse(Refusal::OtherRecord, ApiError::NoPatient).await };
    let ask = ask(store, by, &patient, record_id(newest))?;
    let opened = match break_glass(&ask, reason, PatientText::from(words), by.at) {
        Ok(opened) => opened,
        Err((error, event)) => {
            store.keep_event(&event.from(by.address, by.device)).await?;
            return Err(ApiError::Declined(error.to_string()));
        }
    };
    let names = Names::of(store, by.actor).await?;
    let Announced { messages, mut events, queued } = announce(sharing, opened.announcements, (owner, &patient)).await?;
    // It is about all of the patient's notes; each that is looked at has events of its own.
    events.insert(0, Event { record: None, ..opened.event });
    let (doctor, organisation, words) = (names.person, names.organisation, opened.words);
    let (told, queued) = (Some(EmergencyTold::default()), Some(queued));
    let about = EmergencyAbout { doctor, organisation, reason, words, notes, told, queued };
    let (opened_at, ends_at) = (by.at, by.at.after(EMERGENCY_LIFE));
    let new = StoredEmergency { id: String::new(), patient, owner, role, opened_at, ends_at, about };
    let (id, _) = store.open_emergency(new.clone(), events, messages, by).await?;
    Ok(StoredEmergency { id, ..new })
}

/// What a doctor asks for who looks at a note in an emergency: the whole of it, to read.
fn ask(store: &Store, by: &By, patient: &str, record: RecordId) -> Result<Ask, StoreError> {
    let (patient, purpose) = (store.pseudonym(patient)?, Some(Purpose::Emergency));
    Ok(Ask { who: by.actor, patient, purpose, record, domain: Domain::Notes, restricted: true, to: Use::View })
}

/// Who was told of an emergency, or is about to be, for its page.
#[derive(Serialize, ToSchema)]
struct ToldFace {
    /// Whether the patient is one of them.
    patient: bool,
    /// How many privacy officers of the organisation are.
    officers: u32,
    /// How many of its administrators are, where no privacy officer could be reached.
    administrators: u32,
}

/// Who was told, and whose message waits, where it is known.
fn reached_faces(about: &EmergencyAbout) -> (Option<ToldFace>, Option<ToldFace>) {
    about.reached().map(|(told, queued)| (told.into(), queued.into())).unzip()
}

impl From<EmergencyTold> for ToldFace {
    fn from(EmergencyTold { patient, officers, administrators }: EmergencyTold) -> Self {
        Self { patient, officers, administrators }
    }
}

/// The emergencies that the caller opened and that are not over.
#[utoipa::path(
    get,
    path = "/v1/emergencies",
    responses((status = 200, description = "The newest first", body = Emergencies), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(
    State(app): State<App>,
    State(sharing): State<Sharing>,
    caller: Caller,
) -> Result<Json<Emergencies>, ApiError> {
    let store = sharing.store();
    let Actor::Staff { role, .. } = caller.by.actor else { return Ok(Json(Emergencies { emergencies: Vec::new() })) };
    let found = store.emergencies_of(role, caller.by.at).await?;
    let patients = store.pseudonyms(found.iter().map(|stored| stored.patient.as_str()))?;
    let ids: Vec<&str> = found.iter().map(|stored| stored.id.as_str()).collect();
    caller.looked_over(&app, ("emergencies", &ids), ids.len(), patients).await?;
    let mut emergencies = Vec::new();
    for stored in found {
        emergencies.push(EmergencyFace::of(store, &stored).await?);
    }
    Ok(Json(Emergencies { emergencies }))
}

/// Which note is looked at.
#[derive(Deserialize, ToSchema)]
#[schema(as = WantedEmergencyView)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedView {
    record: String,
    /// `en` or `zh-Hant`; `en` when not said.
    #[serde(default)]
    lang: Option<String>,
}

/// Opens a view of a note in an emergency that is not over. It can be read and nothing else.
#[utoipa::path(
    post,
    path = "/v1/emergencies/{id}/views",
    params(("id" = String, Path, description = "The emergency's id")),
    request_body = WantedView,
    responses((status = 201, description = "The view", body = Opened), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn view(
    State(sharing): State<Sharing>,
    Caller { by, pass, .. }: Caller,
    Path(id): Path<String>,
    Body(wanted): Body<WantedView>,
) -> Result<(StatusCode, Json<Opened>), ApiError> {
    let record = RecordId::try_from(wanted.record).map_err(|_| ApiError::NoSuchConsent)?;
    let language = wanted.lang.as_deref().map(str::parse::<Language>).transpose()?.unwrap_or(Language::English);
    let opened = look(&sharing, (&by, &pass), (&id, record), language).await?;
    Ok((StatusCode::CREATED, Json(opened)))
}

/// Makes the view of a note, with events of its own before it is shown.
pub(super) async fn look(
    sharing: &Sharing,
    (by, pass): (&By, &Pass),
    (id, record): (&str, RecordId),
    language: Language,
) -> Result<Opened, ApiError> {
    let store = sharing.store();
    let Actor::Staff { role, .. } = by.actor else { return Err(ApiError::NoConsent) };
    let stored = store.emergency(id, role, by.at).await?;
    let found = stored.and_then(|stored| {
        let note = stored.about.notes.iter().find(|note| record_id(note) == record).cloned();
        note.map(|note| (stored, note))
    });
    let theirs = match &found {
        Some((stored, note)) => store.stands_with(note, &stored.patient).await?,
        None => false,
    };
    let Some((stored, note)) = found.filter(|_| theirs) else {
        let outcome = Outcome::Refused { reason: Refusal::NoConsent };
        let event =
            Event { record: Some(record), purpose: Some(Purpose::Emergency), ..by.did_in_general(Action::View { count: 0 }) };
        store.keep_event(&Event { outcome, ..event }).await?;
        return Err(ApiError::NoConsent);
    };
    let ask = ask(store, by, &stored.patient, record)?;
    match break_glass(&ask, stored.about.reason, stored.about.words.clone(), by.at) {
        Ok(opened) => {
            let source = Source::Emergency { patient: stored.patient, ends: stored.ends_at };
            see_in_emergency(sharing, (by, pass), opened, (&note, source), language).await
        }
        Err((_, event)) => {
            store.keep_event(&event.from(by.address, by.device)).await?;
            Err(ApiError::NotAllowed)
        }
    }
}

/// An emergency as the privacy officer sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Announced)]
pub(super) struct AnnouncedFace {
    id: String,
    /// Who opened it, and where they work.
    doctor: String,
    organisation: String,
    #[schema(value_type = String)]
    reason: EmergencyReason,
    /// In the doctor's words, which are clinical: for the privacy officer alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<String>,
    /// What the log calls the patient.
    patient: String,
    /// Days and minutes in Hong Kong.
    at: String,
    until: String,
    /// Who was told: a gateway took their message. Null where it is not known.
    told: Option<ToldFace>,
    /// Whose message waits for a gateway. Who is in neither could not be told.
    queued: Option<ToldFace>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct AnnouncedEmergencies {
    emergencies: Vec<AnnouncedFace>,
}

/// The emergencies about the organisation's patients, for its privacy officer.
#[utoipa::path(
    get,
    path = "/v1/emergencies/announced",
    responses((status = 200, description = "The newest 200", body = AnnouncedEmergencies), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn announced(
    State(app): State<App>,
    State(sharing): State<Sharing>,
    caller: Caller,
) -> Result<Json<AnnouncedEmergencies>, ApiError> {
    caller.may(&app, Right::Report, What::Organisation).await?;
    let found = sharing.store().emergencies_at(caller.session.organisation).await?;
    let event = Event { purpose: Some(Purpose::Operations), ..caller.by.did_in_general(Action::Report) };
    sharing.store().keep_event(&event).await?;
    let reads = caller.session.kind == RoleKind::PrivacyOfficer;
    let face = |(stored, patient): (StoredEmergency, crate::audit::Pseudonym)| {
        let (told, queued) = reached_faces(&stored.about);
        AnnouncedFace {
            at: minute(stored.opened_at),
            until: minute(stored.ends_at),
            id: stored.id,
            doctor: stored.about.doctor,
            organisation: stored.about.organisation,
            reason: stored.about.reason,
            words: reads.then(|| stored.about.words.reveal().to_owned()),
            patient: patient.to_string(),
            told,
            queued,
        }
    };
    Ok(Json(AnnouncedEmergencies { emergencies: found.into_iter().map(face).collect() }))
}
