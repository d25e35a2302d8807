//! Patients who may be one person: proposed with why, merged by the registry, and taken apart again.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::banner::PatientFace;
use crate::audit::{Action, Event, Outcome, Refusal};
use crate::identity::{Agreement, Certainty, Field, Right};
use crate::interop::fhir::Instant;
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::{Caller, What};
use crate::server::clock::today;
use crate::server::error::{ApiError, ErrorDocument};
use crate::store::{Likeness, Reach, StoreError, StoredMerge, StoredPatient};

/// Pairs in the list.
const LISTED: usize = 50;
/// Pairs that are told to who enters a patient.
pub(super) const TOLD: usize = 5;

/// Two patients who may be one person.
#[derive(Serialize, ToSchema)]
pub(in crate::server) struct Possible {
    one: PatientFace,
    other: PatientFace,
    /// `likely` or `possible`.
    certainty: &'static str,
    /// What both know, and how it compares.
    reasons: Vec<Reason>,
}

/// One thing that was compared.
#[derive(Serialize, ToSchema)]
struct Reason {
    /// `name`, `born`, `sex`, `phone` or `hkid`.
    field: &'static str,
    /// `same`, `near`, `alike` or `other`.
    agreement: &'static str,
}

impl Possible {
    fn of(Likeness { one, other, proposal }: Likeness, face: impl Fn(StoredPatient) -> PatientFace) -> Self {
        let reason = |(field, agreement, _)| Reason {
            field: match field {
                Field::Name => "name",
                Field::Born => "born",
                Field::Sex => "sex",
                Field::Phone => "phone",
                Field::Hkid => "hkid",
            },
            agreement: match agreement {
                Agreement::Same => "same",
                Agreement::Near => "near",
                Agreement::Alike => "alike",
                Agreement::Other => "other",
            },
        };
        Self {
            one: face(one),
            other: face(other),
            certainty: if proposal.certainty == Certainty::Likely { "likely" } else { "possible" },
            reasons: proposal.reasons.into_iter().map(reason).collect(),
        }
    }

    /// The ids of both.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.one.ids().chain(self.other.ids())
    }
}

/// What was said of two patients.
#[derive(Serialize, ToSchema)]
pub(super) struct MergeFace {
    id: String,
    one: PatientFace,
    other: PatientFace,
    /// Whether they are one person; else they are two who look alike.
    same: bool,
    /// RFC 3339 time.
    at: String,
}

impl MergeFace {
    fn of(merge: StoredMerge, (one, other): (StoredPatient, StoredPatient), face: impl Fn(StoredPatient) -> PatientFace) -> Self {
        Self {
            id: merge.id,
            one: face(one),
            other: face(other),
            same: merge.same,
            at: Instant::from_unix_seconds(merge.made_at).as_str().to_owned(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct MergeList {
    /// The likeliest first, at most 50.
    possible: Vec<Possible>,
    /// The newest first.
    said: Vec<MergeFace>,
}

/// What the caller is told of a patient who is found.
fn face_for(app: &App, caller: &Caller) -> Result<impl Fn(StoredPatient) -> PatientFace + Copy, ApiError> {
    let (today, views) = (today().map_err(|error| ApiError::internal(&error))?, caller.views(app));
    Ok(move |stored| {
        let face = PatientFace::of(stored, today);
        if views { face } else { face.masked() }
    })
}

/// At most so many pairs within a reach who may be one person, or whom of it `patient` may be.
pub(super) async fn possible(
    app: &App,
    caller: &Caller,
    reach: Reach,
    patient: Option<&str>,
    most: usize,
) -> Result<Vec<Possible>, ApiError> {
    let (found, face) = (app.rooms.store().likenesses(reach, patient, most).await?, face_for(app, caller)?);
    Ok(found.into_iter().map(|likeness| Possible::of(likeness, face)).collect())
}

/// Patients of the organisation who may be one person, and what its registry said of such pairs.
#[utoipa::path(
    get,
    path = "/v1/merges",
    responses((status = 200, description = "Both lists", body = MergeList), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<MergeList>, ApiError> {
    caller.may(&app, Right::Merge, What::Organisation).await?;
    let (store, organisation) = (app.rooms.store(), caller.session.organisation);
    let face = face_for(&app, &caller)?;
    let possible = possible(&app, &caller, Reach { organisation, role: None }, None, LISTED).await?;
    let mut said = Vec::new();
    let mut known: HashMap<String, Option<StoredPatient>> = HashMap::new();
    for merge in store.merges(organisation).await? {
        for id in [&merge.one, &merge.other] {
            if !known.contains_key(id) {
                // One that is damaged keeps nobody from the rest.
                let found = store.patient(id).await.inspect_err(|error| tracing::error!(%error)).ok().flatten();
                known.insert(id.clone(), found);
            }
        }
        let find = |id: &str| known.get(id).cloned().flatten();
        let (Some(one), Some(other)) = (find(&merge.one), find(&merge.other)) else { continue };
        said.push(MergeFace::of(merge, (one, other), face));
    }
    let of_said = said.iter().flat_map(|merge| [merge.one.id.as_str(), merge.other.id.as_str()]);
    let listed = store.pseudonyms(possible.iter().flat_map(Possible::ids).chain(of_said))?;
    caller.searched(&app, possible.len() + said.len(), listed).await?;
    Ok(Json(MergeList { possible, said }))
}

/// What is said of two patients.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewMerge)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    /// One patient's id.
    one: String,
    /// The other's.
    other: String,
    /// Whether they are one person; else they are two who look alike, and are not proposed again.
    same: bool,
}

/// Says that two patients of the organisation are one person, or that they are two. Nothing of either is changed: while they are merged,
/// who treats one treats both, and visits, notes, consents and holds of both stand under either.
#[utoipa::path(
    post,
    path = "/v1/merges",
    request_body = Said,
    responses((status = 201, description = "What was said", body = MergeFace), (status = "default", description = "Why not: `already_merged` where they are one person already", body = ErrorDocument))
)]
pub(super) async fn merge(
    State(app): State<App>,
    caller: Caller,
    Body(Said { one, other, same }): Body<Said>,
) -> Result<(StatusCode, Json<MergeFace>), ApiError> {
    for id in [&one, &other] {
        caller.may(&app, Right::Merge, What::Patient(id)).await?;
    }
    let store = app.rooms.store();
    let merge = store.merge((&one, &other), same, &caller.by).await.map_err(|error| match error {
        crate::store::DeskError::Conflict => ApiError::AlreadyMerged,
        error => error.into(),
    })?;
    let face = face_for(&app, &caller)?;
    let find = async |id: &str| store.patient(id).await?.ok_or(ApiError::NoPatient);
    let pair = (find(&merge.one).await?, find(&merge.other).await?);
    Ok((StatusCode::CREATED, Json(MergeFace::of(merge, pair, face))))
}

/// Takes back what was said of two patients. Both are again as they were, with what came to each meanwhile.
#[utoipa::path(
    delete,
    path = "/v1/merges/{id}",
    params(("id" = String, Path, description = "The id of what was said")),
    responses((status = 204, description = "It is taken back"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn unmerge(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    caller.may(&app, Right::Merge, What::Organisation).await?;
    let store = app.rooms.store();
    match store.unmerge(&id, &caller.by).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(ApiError::NotThere),
        Err(StoreError::OnHold) => {
            let outcome = Outcome::Refused { reason: Refusal::OnHold };
            store.keep_event(&Event { outcome, ..caller.by.did_in_general(Action::PatientUnmerge) }).await?;
            Err(StoreError::OnHold.into())
        }
        Err(error) => Err(error.into()),
    }
}
