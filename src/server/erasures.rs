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
use super::holds::{HoldFace, may_be_erased};
use super::number::PatientNumber;
use super::visits::erase_all_of;
use crate::audit::{Action, ErasureReason, Event, Outcome, Refusal};
use crate::identity::Right;
use crate::interop::fhir::Instant;
use crate::store::{Erasable, Held, Store, StoreError};

/// Whom to look for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SoughtToErase {
    /// A number that the organisation knows the patient by. It stands in no address, for those are kept in logs and histories.
    number: PatientNumber,
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
}

/// A recording, without a word of it.
#[derive(Serialize, ToSchema)]
struct RecordingSight {
    id: String,
    /// RFC 3339 time.
    created_at: String,
    /// RFC 3339 time of the newest signature; null while the note is a draft.
    signed_at: Option<String>,
    /// Whether its sound is there still.
    sound: bool,
    /// It, or its patient, is on legal hold.
    on_hold: bool,
}

fn time(seconds: i64) -> String {
    Instant::from_unix_seconds(seconds).as_str().to_owned()
}

/// What there is of a patient, and what forbids that it is erased. No clock erases what is signed: a clinical record is kept for as long as the
/// law wants it, and who decides to erase it says why that is over.
#[utoipa::path(
    post,
    path = "/v1/erasures/look",
    request_body = SoughtToErase,
    responses((status = 200, description = "What would be erased", body = Sight), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn look(
    State(app): State<App>,
    caller: Caller,
    Body(SoughtToErase { number }): Body<SoughtToErase>,
) -> Result<Json<Sight>, ApiError> {
    caller.may(&app, Right::Erase, What::Organisation).await?;
    let store = app.rooms.store();
    let Some(patient) = store.patient_by_number(caller.session.organisation, &number.identifier()?).await? else {
        caller.searched(&app, 0, Vec::new()).await?;
        return Err(ApiError::NoPatient);
    };
    caller.may(&app, Right::Erase, What::Patient(&patient)).await?;
    let pseudonym = store.pseudonym(&patient)?;
    caller.searched(&app, 1, vec![pseudonym]).await?;
    let (visits, recordings) = there_is(store, &patient).await?;
    let seen = amount(&visits, &recordings);
    let same = store.same_person(&patient).await?;
    let mut holds = store.holds(caller.session.organisation).await?;
    let mut theirs = Vec::new();
    for visit in store.encounters_of(&patient).await? {
        theirs.extend(store.recordings_of(&visit.id).await?);
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
        first_visit: visits.iter().min().copied().map(time),
        last_visit: visits.iter().max().copied().map(time),
        recordings,
        on_hold: store.is_patient_held(&patient).await?,
        holds: holds.into_iter().map(HoldFace::from).collect(),
        merged: same.len() > 1,
        patient,
    }))
}

/// The times of a patient's own visits, and their recordings.
async fn there_is(store: &Store, patient: &str) -> Result<(Vec<i64>, Vec<RecordingSight>), StoreError> {
    let (mut visits, mut recordings) = (Vec::new(), Vec::new());
    for visit in store.encounters_of(patient).await?.into_iter().filter(|visit| visit.patient == patient) {
        visits.push(visit.at);
        for id in store.recordings_of(&visit.id).await? {
            // Erased meanwhile, where it is not there.
            let Some(recording) = store.recording(&id).await? else { continue };
            let state = store.sound(&id).await?;
            recordings.push(RecordingSight {
                created_at: recording.created_at,
                signed_at: state.signed_at.map(time),
                sound: store.spool_path(&id).exists(),
                on_hold: state.on_hold,
                id,
            });
        }
    }
    Ok((visits, recordings))
}

fn amount(visits: &[i64], recordings: &[RecordingSight]) -> Amount {
    let signed = recordings.iter().filter(|recording| recording.signed_at.is_some()).count();
    Amount { visits: visits.len(), recordings: recordings.len(), signed }
}

/// What is to be erased, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    /// The patient who was shown, by id.
    patient: String,
    /// A number of theirs, given once more: what is erased by mistake does not come back.
    number: PatientNumber,
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
    responses((status = 200, description = "It is erased, and where the log says so", body = Erased), (status = "default", description = "Why not: `on_hold` where a legal hold forbids it", body = ErrorDocument))
)]
pub(super) async fn erase(
    State(app): State<App>,
    caller: Caller,
    Body(decision): Body<Decision>,
) -> Result<Json<Erased>, ApiError> {
    caller.may(&app, Right::Erase, What::Organisation).await?;
    let Decision { patient, number, recording, reason, seen } = decision;
    caller.may(&app, Right::Erase, What::Patient(&patient)).await?;
    let store = app.rooms.store();
    if store.patient_by_number(caller.session.organisation, &number.identifier()?).await?.as_ref() != Some(&patient) {
        return Err(ApiError::Invalid("`number` is none of this patient's".to_owned()));
    }
    let (visits, recordings) = there_is(store, &patient).await?;
    if amount(&visits, &recordings) != seen {
        return Err(ApiError::ErasureChanged);
    }
    let (pseudonym, action) = (store.pseudonym(&patient)?, Action::ErasureDecide { reason });
    let event = match &recording {
        None => {
            may_be_erased(&app, &caller, &patient).await?;
            if store.same_person(&patient).await?.len() > 1 {
                return Err(ApiError::Merged);
            }
            caller.by.did_for(action, pseudonym)
        }
        Some(id) => {
            if !recordings.iter().any(|recording| recording.id == *id) {
                let outcome = Outcome::Refused { reason: Refusal::NotAllowed };
                store.keep_event(&Event { outcome, ..caller.by.did_for(Action::Erase, pseudonym) }).await?;
                return Err(ApiError::NotFound);
            }
            // A draft is erased by who may edit it, and so by no privacy officer alone.
            let right = if store.erasable(id).await? == Erasable::Signed { Right::Erase } else { Right::Edit };
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
