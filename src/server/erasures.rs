//! Erasing by the privacy officer, who answers for the law that asks for it and reads no record: what there is of a patient, what forbids that
//! it is erased, and the decision with its reason.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::asked::Body;
use super::caller::{Caller, What};
use super::error::{ApiError, ErrorDocument};
use super::holds::{HoldFace, erasing_refused, may_be_erased};
use super::number::PatientNumber;
use super::reports::each_event;
use super::visits::{erase_all_of, is_one};
use crate::audit::report::Requests;
use crate::audit::{Action, ErasureReason, Pseudonym, Refusal, UnixMillis};
use crate::identity::Right;
use crate::interop::fhir::Instant;
use crate::store::{Erasable, Held, Inventoried, Inventory, Store};

/// Whom an officer means, who finds nobody by a name. It stands in no address, for those are kept in logs and histories.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum KnownBy {
    /// A number that the organisation knows the patient by.
    Number(PatientNumber),
    /// What the log and its reports call the patient: the way to one without a number.
    Pseudonym(String),
}

impl KnownBy {
    /// The organisation's patient, if there is one.
    async fn patient(&self, app: &App, caller: &Caller) -> Result<Option<String>, ApiError> {
        let (store, of) = (app.rooms.store(), caller.session.organisation);
        Ok(match self {
            Self::Number(number) => store.patient_by_number(of, &number.identifier()?).await?,
            Self::Pseudonym(text) => {
                let pseudonym = Pseudonym::try_from(text.trim().to_owned());
                let pseudonym = pseudonym.map_err(|_| ApiError::Invalid("`pseudonym` is none".to_owned()))?;
                store.patient_by_pseudonym(of, pseudonym).await?
            }
        })
    }
}

/// How much there is of a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Amount {
    visits: usize,
    /// With or without sound, typed notes among them.
    recordings: usize,
    /// Those whose note is signed: clinical records.
    signed: usize,
    /// How often a note of theirs was signed, addenda counted.
    signatures: usize,
    /// Whether the patient waits for what they asked for of what is kept.
    asked: bool,
}

/// What there is of a patient, without a word of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Sight {
    /// The patient's id.
    patient: String,
    /// What the log calls the patient.
    pseudonym: String,
    seen: Amount,
    /// RFC 3339 times of the first and the last visit; null where there is none.
    first_visit: Option<String>,
    last_visit: Option<String>,
    /// By visit, the latest first.
    recordings: Vec<RecordingSight>,
    /// A legal hold on the patient, or on anything of theirs, forbids it.
    on_hold: bool,
    /// Those that stand.
    holds: Vec<HoldFace>,
    /// The patient is merged with another: each is erased apart once the registry has taken that back.
    merged: bool,
    /// What the patient asked for of what is kept and was not handed over yet: erased, it cannot be any more.
    access_request: Option<OpenRequest>,
}

/// A data access request without an answer.
#[derive(Serialize, ToSchema)]
struct OpenRequest {
    /// RFC 3339 times: when it was entered, and the end of the 40 days.
    received: String,
    due: String,
}

/// A recording, without a word of it.
#[derive(Serialize, ToSchema)]
struct RecordingSight {
    id: String,
    /// RFC 3339 time.
    created_at: String,
    /// Whether its note was signed: a clinical record.
    signed: bool,
    /// RFC 3339 time of the newest signature; null while the note is a draft, and where it cannot be read.
    signed_at: Option<String>,
    /// Whether its sound is there still.
    sound: bool,
    /// It, or its patient, is on legal hold.
    on_hold: bool,
}

impl From<Inventoried> for RecordingSight {
    fn from(found: Inventoried) -> Self {
        let Inventoried { id, created_at, signatures, signed_at, sound, on_hold } = found;
        Self { id, created_at, signed: signatures > 0, signed_at: signed_at.map(time), sound, on_hold }
    }
}

fn time(seconds: i64) -> String {
    Instant::from_unix_seconds(seconds).as_str().to_owned()
}

/// What there is of a patient, and what forbids that it is erased. No clock erases what is signed: a clinical record is kept for as long as the
/// law wants it, and who decides to erase it says why that is over.
#[utoipa::path(
    post,
    path = "/v1/erasures/look",
    request_body = KnownBy,
    responses((status = 200, description = "What would be erased", body = Sight), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn look(State(app): State<App>, caller: Caller, Body(sought): Body<KnownBy>) -> Result<Json<Sight>, ApiError> {
    let tried = (Right::DecideErasure, Action::Search { count: 0 });
    caller.may_do(&app, tried, What::Organisation).await?;
    let store = app.rooms.store();
    let Some(patient) = sought.patient(&app, &caller).await? else {
        caller.searched(&app, 0, Vec::new()).await?;
        return Err(ApiError::NoPatient);
    };
    caller.may_do(&app, tried, What::Patient(&patient)).await?;
    let pseudonym = store.pseudonym(&patient)?;
    // Holds and requests are told of everybody who is the same person.
    let same = store.same_person(&patient).await?;
    caller.searched(&app, 1, store.pseudonyms(same.iter().map(String::as_str))?).await?;
    caller.looked_at(&app, &patient).await?;
    let found = store.inventory(&patient).await?;
    let access_request = open_request(store, &same).await?;
    let seen = amount(&found, access_request.is_some());
    let mut holds = store.holds(caller.session.organisation).await?;
    let mut theirs = Vec::new();
    for one in &same {
        theirs.extend(store.inventory(one).await?.recordings.into_iter().map(|recording| recording.id));
    }
    holds.retain(|hold| {
        let is_theirs = match &hold.held {
            Held::Patient(id) => same.contains(id),
            Held::Recording(id) => theirs.contains(id),
        };
        is_theirs && hold.lifted_at.is_none()
    });
    Ok(Json(Sight {
        pseudonym: pseudonym.to_string(),
        seen,
        first_visit: found.visits.last().copied().map(time),
        last_visit: found.visits.first().copied().map(time),
        recordings: found.recordings.into_iter().map(RecordingSight::from).collect(),
        on_hold: store.is_patient_held(&patient).await?,
        holds: holds.into_iter().map(HoldFace::from).collect(),
        merged: same.len() > 1,
        access_request,
        patient,
    }))
}

/// The oldest request for what is kept of a person that is not answered.
async fn open_request(store: &Store, same: &[String]) -> Result<Option<OpenRequest>, ApiError> {
    let theirs = store.pseudonyms(same.iter().map(String::as_str))?;
    let mut requests = Requests::default();
    each_event(store, u64::MAX, |entry, event| {
        if event.patient.is_some_and(|patient| theirs.contains(&patient)) {
            requests.take(entry, &event);
        }
    })
    .await?;
    let told = |at: UnixMillis| time(i64::try_from(at.0 / 1000).unwrap_or(i64::MAX));
    Ok(requests.first_open().map(|open| OpenRequest { received: told(open.received), due: told(open.due) }))
}

fn amount(found: &Inventory, asked: bool) -> Amount {
    let signed = found.recordings.iter().filter(|recording| recording.signatures > 0).count();
    let signatures = found.recordings.iter().map(|recording| recording.signatures).sum();
    Amount { visits: found.visits.len(), recordings: found.recordings.len(), signed, signatures, asked }
}

/// What is to be erased, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    /// The patient who was shown, by id.
    patient: String,
    /// What they were found by, or another number of theirs, given once more: what is erased by mistake does not come back.
    known_by: KnownBy,
    /// One recording with a signed note; null where it is everything of the patient.
    #[serde(default)]
    recording: Option<String>,
    /// `term_over`: needed no longer, and kept for as long as the law wants. `patient_asked`: so the patient wants it, and no law wants it kept.
    /// `mistake`: it is nobody's record. `ordered`: by a court or the Privacy Commissioner. No words, for those would outlast the patient's.
    #[schema(value_type = String)]
    reason: ErasureReason,
    /// As it was shown.
    seen: Amount,
}

/// Where the log has it.
#[derive(Serialize, ToSchema)]
pub(super) struct Erased {
    /// What the log calls the patient.
    pseudonym: String,
    /// The entry of the decision and its reason.
    decided: u64,
    /// The entry of the erasing itself; of everything of a patient the last one.
    erased: u64,
}

/// Erases everything of a patient, or one recording with a signed note, for a reason that the audit log keeps.
#[utoipa::path(
    post,
    path = "/v1/erasures",
    request_body = Decision,
    responses((status = 200, description = "It is erased, and where the log says so", body = Erased), (status = "default", description = "Why not: `on_hold` where a legal hold forbids it; `partly_erased` where something came in between: what is left is looked up again", body = ErrorDocument))
)]
pub(super) async fn erase(
    State(app): State<App>,
    caller: Caller,
    Body(decision): Body<Decision>,
) -> Result<Json<Erased>, ApiError> {
    caller.may(&app, Right::DecideErasure, What::Organisation).await?;
    let Decision { patient, known_by, recording, reason, seen } = decision;
    caller.may(&app, Right::DecideErasure, What::Patient(&patient)).await?;
    let store = app.rooms.store();
    if known_by.patient(&app, &caller).await?.as_ref() != Some(&patient) {
        // A colleague erased them a moment before.
        if store.same_person(&patient).await?.is_empty() {
            return Err(ApiError::NoPatient);
        }
        erasing_refused(&app, &caller, &patient, Refusal::NotAllowed).await?;
        return Err(ApiError::Declined("`known_by` is none of this patient's".to_owned()));
    }
    let found = store.inventory(&patient).await?;
    let asked = open_request(store, &store.same_person(&patient).await?).await?.is_some();
    if amount(&found, asked) != seen {
        erasing_refused(&app, &caller, &patient, Refusal::Changed).await?;
        return Err(ApiError::ErasureChanged);
    }
    is_one(&app, &caller, &patient).await?;
    let (pseudonym, action) = (store.pseudonym(&patient)?, Action::ErasureDecide { reason });
    let event = match &recording {
        None => {
            may_be_erased(&app, &caller, &patient).await?;
            caller.by.did_for(action, pseudonym)
        }
        Some(id) => {
            if !found.recordings.iter().any(|recording| recording.id == *id) {
                erasing_refused(&app, &caller, &patient, Refusal::NotAllowed).await?;
                return Err(ApiError::NotFound);
            }
            // A draft is erased by who may edit it, and so by no privacy officer alone.
            let right = if store.erasable(id).await? == Erasable::Signed { Right::DecideErasure } else { Right::Edit };
            caller.may_do(&app, (right, Action::Erase), What::Recording(id)).await?;
            store.may_be_erased(id, false, &caller.by).await?;
            store.event_about(&caller.by, action, id).await?
        }
    };
    // The decision first: it stands also where a hold that is placed meanwhile forbids the rest, which is an event of its own.
    let decided = store.keep_event(&event).await?;
    // It goes on when the page that asked for it is closed.
    let erasing = tokio::spawn(async move {
        let by = caller.by.later();
        match recording {
            None => erase_all_of(&app, &patient, &by).await,
            Some(id) => app.rooms.erase(&id, Erasable::Signed, &by).await.map_err(ApiError::from),
        }
    });
    let erased = erasing.await.map_err(|error| ApiError::internal(&error))??;
    Ok(Json(Erased { pseudonym: pseudonym.to_string(), decided, erased }))
}
