//! Patients: to enter, find, change and erase them.

use std::collections::{HashMap, HashSet};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::banner::PatientFace;
use super::merges::{Possible, TOLD, possible};
use crate::audit::{Action, Event, Outcome, Refusal};
use crate::identity::Right;
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::{Caller, What};
use crate::server::clock::{now, today};
use crate::server::error::{ApiError, ErrorDocument};
use crate::server::holds::{erasing_refused, may_be_erased};
use crate::server::number::PatientNumber;
use crate::store::{By, DeskError, Erasable, StoredPatient};
use crate::visit::{Given, Patient, Sought};

/// Patients in a list.
const LISTED: usize = 50;
/// Patients that are looked through for a name: all of a trial. Each is unsealed, which takes some microseconds.
const LOOKED_THROUGH: u32 = 20_000;
/// The longest text to look for.
const LONGEST_SEARCH: usize = 100;
/// How often an erasing begins anew because a recording was begun meanwhile.
const TRIES: usize = 5;

/// A patient's particulars.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Particulars {
    /// A name in Latin letters, or what the patient goes by; up to 100 characters.
    name: String,
    #[serde(default)]
    chinese_name: Option<String>,
    /// At most 8.
    #[serde(default)]
    identifiers: Vec<PatientNumber>,
    /// `female`, `male`, or null where it is not known.
    #[serde(default)]
    sex: Option<String>,
    /// `1961-03-02`
    #[serde(default)]
    born: Option<String>,
    /// Null: nobody asked. Empty: none is known. At most 30.
    #[serde(default)]
    allergies: Option<Vec<String>>,
}

impl Particulars {
    fn patient(&self) -> Result<Patient, ApiError> {
        let today = today().map_err(|error| ApiError::internal(&error))?;
        let numbers: Vec<_> = self.identifiers.iter().map(PatientNumber::given).collect();
        let given = Given {
            name: &self.name,
            chinese_name: self.chinese_name.as_deref(),
            identifiers: &numbers,
            sex: self.sex.as_deref(),
            born: self.born.as_deref(),
            allergies: self.allergies.as_deref(),
        };
        Ok(Patient::new(&given, today)?)
    }

    /// The patient as changed from what is kept: whoever says nothing of who issued a number leaves that as it is.
    fn changed(&self, kept: &Patient) -> Result<Patient, ApiError> {
        let mut patient = self.patient()?;
        let unsaid = self.identifiers.iter().map(PatientNumber::leaves_issuer_out);
        for (number, _) in patient.identifiers.iter_mut().zip(unsaid).filter(|(_, unsaid)| *unsaid) {
            let mut same = kept.identifiers.iter().filter(|kept| kept.kind == number.kind && kept.value == number.value);
            if let (Some(only), None) = (same.next(), same.next()) {
                number.issuer.clone_from(&only.issuer);
            }
        }
        Ok(patient)
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Patients {
    patients: Vec<PatientFace>,
    /// Whether there are more.
    more: bool,
}

/// The first of these, each with those of `merged` who are the same person, as much as the caller may be told. The events are in the log.
async fn told(
    app: &App,
    caller: &Caller,
    found: impl Iterator<Item = StoredPatient>,
    merged: impl Iterator<Item = StoredPatient>,
) -> Result<Json<Patients>, ApiError> {
    let today = today().map_err(|error| ApiError::internal(&error))?;
    let mut under: HashMap<String, Vec<_>> = HashMap::new();
    for stored in merged {
        under.entry(stored.leading().to_owned()).or_default().push(PatientFace::of(stored, today).into());
    }
    let mut patients: Vec<PatientFace> = found.take(LISTED + 1).map(|stored| PatientFace::of(stored, today)).collect();
    let more = patients.len() > LISTED;
    patients.truncate(LISTED);
    for face in &mut patients {
        face.merged = under.remove(&face.id).unwrap_or_default();
    }
    let listed = app.rooms.store().pseudonyms(patients.iter().flat_map(PatientFace::ids))?;
    caller.searched(app, patients.len(), listed).await?;
    if !caller.views(app) {
        patients = patients.into_iter().map(PatientFace::masked).collect();
    }
    Ok(Json(Patients { patients, more }))
}

/// The patients that were entered last.
#[utoipa::path(
    get,
    path = "/v1/patients",
    responses((status = 200, description = "At most 50, the newest first", body = Patients), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Patients>, ApiError> {
    let most = u32::try_from(LISTED).unwrap_or(u32::MAX).saturating_add(1);
    let (store, reach) = (app.rooms.store(), caller.reach(&app).await?);
    let merged = store.merged_patients(reach).await?;
    told(&app, &caller, store.leading_patients(reach, most).await?.into_iter(), merged.into_iter()).await
}

/// A patient who was entered.
#[derive(Serialize, ToSchema)]
pub(super) struct EnteredPatient {
    #[serde(flatten)]
    patient: PatientFace,
    /// Patients whom the caller may find and who may be the same person, the likeliest first, at most 5. The registry merges.
    possible: Vec<Possible>,
}

/// Enters a patient.
#[utoipa::path(
    post,
    path = "/v1/patients",
    request_body = Particulars,
    responses((status = 201, description = "The patient, and whom they may be", body = EnteredPatient), (status = "default", description = "Why not. `param` names the field that is wrong. `number_taken` comes with the `patient` whose number it is, where the caller may find them", body = ErrorDocument))
)]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(given): Body<Particulars>,
) -> Result<(StatusCode, Json<EnteredPatient>), ApiError> {
    caller.may(&app, Right::Edit, What::Own).await?;
    let patient = given.patient()?;
    let stored = match app.rooms.store().create_patient(&patient, now().unix_seconds(), &caller.by).await {
        Ok(stored) => stored,
        Err(error) => return Err(not_entered(&app, &caller, error).await),
    };
    let today = today().map_err(|error| ApiError::internal(&error))?;
    // The patient is entered: what goes wrong from here on must not look as if they were not.
    let looked = async {
        let possible = possible(&app, &caller, caller.reach(&app).await?, Some(&stored.id), TOLD).await?;
        if !possible.is_empty() {
            let listed = app.rooms.store().pseudonyms(possible.iter().flat_map(Possible::ids))?;
            caller.searched(&app, possible.len(), listed).await?;
        }
        Ok::<_, ApiError>(possible)
    };
    let possible = looked.await.unwrap_or_else(|error| {
        tracing::error!(%error, "who may be the same patient was not looked up");
        Vec::new()
    });
    Ok((StatusCode::CREATED, Json(EnteredPatient { patient: PatientFace::of(stored, today), possible })))
}

/// Why a patient is not kept. That a number is another patient's is told, and so it is an event; whose, only to who may find that one.
async fn not_entered(app: &App, caller: &Caller, error: DeskError) -> ApiError {
    if let DeskError::Taken { patient } = &error {
        let store = app.rooms.store();
        let kept = async {
            let event = caller.by.did_for(Action::Register, store.pseudonym(patient)?);
            store.keep_event(&Event { outcome: Outcome::Refused { reason: Refusal::AlreadyUsed }, ..event }).await
        };
        if let Err(error) = kept.await {
            return error.into();
        }
        return match caller.may_find(app, patient).await {
            Ok(finds) => ApiError::NumberTaken { patient: finds.then(|| patient.clone()) },
            Err(error) => error.into(),
        };
    }
    error.into()
}

/// What is looked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    /// A part of a name, a number, or four characters of one; up to 100 characters. Who is told numbers masked finds by whole ones alone. It
    /// stands in no address, for those are kept in logs and histories.
    text: String,
}

/// Finds patients by a name or number.
#[utoipa::path(
    post,
    path = "/v1/patients/search",
    request_body = Search,
    responses((status = 200, description = "At most 50, the newest first", body = Patients), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn search(
    State(app): State<App>,
    caller: Caller,
    Body(Search { text }): Body<Search>,
) -> Result<Json<Patients>, ApiError> {
    if text.chars().count() > LONGEST_SEARCH {
        return Err(ApiError::Invalid(format!("`text` has more than {LONGEST_SEARCH} characters")));
    }
    let all = app.rooms.store().patients(caller.reach(&app).await?, LOOKED_THROUGH).await?;
    let sought = if caller.views(&app) { Sought::Part } else { Sought::Whole };
    // Who answers is shown as the one under whom they stand.
    let found: HashSet<String> =
        all.iter().filter(|stored| stored.patient.answers_to(&text, sought)).map(|stored| stored.leading().to_owned()).collect();
    let (leading, merged): (Vec<_>, Vec<_>) = all.into_iter().partition(|stored| stored.under.is_none());
    told(&app, &caller, leading.into_iter().filter(|stored| found.contains(&stored.id)), merged.into_iter()).await
}

/// One patient.
#[utoipa::path(
    get,
    path = "/v1/patients/{id}",
    params(("id" = String, Path, description = "The patient's id")),
    responses((status = 200, description = "The patient", body = PatientFace), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn show(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Json<PatientFace>, ApiError> {
    caller.may(&app, Right::View, What::Patient(&id)).await?;
    let stored = app.rooms.store().patient(&id).await?.ok_or(ApiError::NoPatient)?;
    caller.looked_at(&app, &id).await?;
    let today = today().map_err(|error| ApiError::internal(&error))?;
    Ok(Json(PatientFace::of(stored, today).whole(app.rooms.store(), today).await?))
}

/// A patient's particulars as they are now.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewParticulars {
    /// The version that was seen.
    version: u64,
    patient: Particulars,
}

/// Changes a patient's particulars.
#[utoipa::path(
    put,
    path = "/v1/patients/{id}",
    params(("id" = String, Path, description = "The patient's id")),
    request_body = NewParticulars,
    responses((status = 200, description = "The patient as kept now", body = PatientFace), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(change): Body<NewParticulars>,
) -> Result<Json<PatientFace>, ApiError> {
    caller.may(&app, Right::Edit, What::Patient(&id)).await?;
    let kept = app.rooms.store().patient(&id).await?.ok_or(ApiError::NoPatient)?;
    let patient = change.patient.changed(&kept.patient)?;
    let version = match app.rooms.store().change_patient(&id, change.version, &patient, &caller.by).await {
        Ok(version) => version,
        Err(error) => return Err(not_entered(&app, &caller, error).await),
    };
    let today = today().map_err(|error| ApiError::internal(&error))?;
    let stored = StoredPatient { id, version, patient, under: None };
    Ok(Json(PatientFace::of(stored, today).whole(app.rooms.store(), today).await?))
}

/// Erases a patient: particulars, visits, recordings and notes. Nothing of them is left. A doctor who treats them may; a privacy officer says why
/// at `/v1/erasures`. One who is merged is erased after that was taken back, and the other apart.
#[utoipa::path(
    delete,
    path = "/v1/patients/{id}",
    params(("id" = String, Path, description = "The patient's id")),
    responses((status = 204, description = "Erased"), (status = "default", description = "Why not; `partly_erased` where something came in between", body = ErrorDocument))
)]
pub(super) async fn erase(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    caller.may(&app, Right::Erase, What::Patient(&id)).await?;
    may_be_erased(&app, &caller, &id).await?;
    is_one(&app, &caller, &id).await?;
    // It goes on when the page that asked for it is closed.
    let erased = tokio::spawn(async move { erase_all_of(&app, &id, &caller.by).await });
    erased.await.map_err(|error| ApiError::internal(&error))?.map(|_| StatusCode::NO_CONTENT)
}

/// That a patient is merged with nobody. A no is kept in the audit log.
///
/// # Errors
/// [`ApiError::Merged`].
pub(in crate::server) async fn is_one(app: &App, caller: &Caller, id: &str) -> Result<(), ApiError> {
    if app.rooms.store().same_person(id).await?.len() <= 1 {
        return Ok(());
    }
    erasing_refused(app, caller, id, Refusal::Merged).await?;
    Err(ApiError::Merged)
}

/// Erases a patient with everything of theirs; says the number of the last event in the log.
///
/// # Errors
/// [`ApiError::Merged`], [`ApiError::OnHold`], [`ApiError::InUse`] where recordings are begun all the while, and when it cannot be done;
/// [`ApiError::PartlyErased`] with any of these where recordings were erased before it.
pub(in crate::server) async fn erase_all_of(app: &App, id: &str, by: &By) -> Result<u64, ApiError> {
    let mut recordings = 0;
    let erased = erase_each_of(app, id, by, &mut recordings).await;
    erased.map_err(|why| match why {
        // Somebody else ended it: nothing is left.
        ApiError::NoPatient => ApiError::NoPatient,
        why if recordings == 0 => why,
        why => ApiError::PartlyErased { recordings, why: Box::new(why) },
    })
}

/// The same; counts the recordings that are erased.
async fn erase_each_of(app: &App, id: &str, by: &By, erased: &mut usize) -> Result<u64, ApiError> {
    let store = app.rooms.store();
    for _ in 0..TRIES {
        for recording in store.inventory(id).await?.recordings {
            match app.rooms.erase(&recording.id, Erasable::Signed, by).await {
                Ok(_) => *erased += 1,
                // Somebody else erased it meanwhile.
                Err(crate::room::RoomError::Unknown) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match store.erase_patient(id, by).await {
            Ok(entry) => return Ok(entry),
            Err(DeskError::InUse) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::InUse)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_that_says_nothing_of_an_issuer_keeps_it() {
        let particulars = |identifiers| -> Particulars {
            serde_json::from_value(json!({ "name": "CHAN Tai Man", "identifiers": identifiers })).unwrap()
        };
        let issued = json!([{ "kind": "hospital", "value": "K17", "issuer": "QMH" }, { "kind": "hospital", "value": "K18", "issuer": "QMH" }]);
        let kept = particulars(issued).patient().unwrap();
        let now = |identifiers| {
            let changed = particulars(identifiers).changed(&kept).unwrap();
            changed.identifiers.iter().map(|number| number.issuer.is_some()).collect::<Vec<_>>()
        };
        assert_eq!(now(json!([{ "kind": "hospital", "value": "K17" }])), [true]);
        assert_eq!(now(json!([{ "kind": "hospital", "value": "K17", "issuer": null }])), [false], "it was taken away");
        assert_eq!(now(json!([{ "kind": "hospital", "value": "K19" }, { "kind": "clinic", "value": "K17" }])), [false, false]);
    }
}
