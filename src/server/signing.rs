//! The desk: what of a note is marked, open and changed, its history, and the way to a signature.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::asked::Body;
use super::caller::{Caller, What};
use super::clock::now;
use super::edits::conflict;
use super::error::{ApiError, ErrorDocument};
use super::templates::{Formed, formed};
use super::visits::{Moved, moved, moved_meanwhile};
use crate::audit::Action;
use crate::identity::Right;
use crate::interop::fhir::Instant;
use crate::note::SectionCode;
use crate::record::{
    Act, Change, Difference, Doubt, Draft, MarkedLine, Record, Signature, differences, marked_lines, open_doubts, steps,
};
use crate::store::{KeptRecord, Restriction, SaveError, SeenVisit};
use crate::text::PatientText;

/// A note as a clinician works on it.
#[derive(Serialize, ToSchema)]
pub(super) struct Desk {
    version: u64,
    /// `draft`, `reviewed` or `signed`
    stage: &'static str,
    /// Whether it is marked as restricted: others see it only after the patient's second yes.
    restricted: bool,
    /// The signed versions, each with who signed it and when; those behind the first are addenda.
    signed: Vec<SignedVersion>,
    /// Whether there is a change to take back.
    undo: bool,
    /// Whether there is one to do again.
    redo: bool,
    /// Each line: `section`, `index`, its `findings` (`kind`, `index`) and its `marks` (`doubt`, `unsure`, `negation`, `dose`, `side`);
    /// `term`: the words of a person's line that nothing is known of.
    #[schema(value_type = Vec<Object>)]
    lines: Vec<MarkedLine>,
    /// What has to be decided before the note can be signed.
    #[schema(value_type = Vec<Object>)]
    open: Vec<Doubt>,
    /// What differs from the machine's draft: `place`, `was`, `now`.
    #[schema(value_type = Vec<Object>)]
    changed: Vec<Difference>,
    /// The note in the form that the reader has chosen; null where none is.
    form: Option<Formed>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct SignedVersion {
    version: u64,
    by: String,
    at: String,
}

/// The record of a recording that is finished.
pub(super) async fn kept(app: &App, id: &str) -> Result<KeptRecord, ApiError> {
    let store = app.rooms.store();
    store.recording(id).await?.ok_or(ApiError::NotFound)?;
    store.record(id).await?.ok_or(ApiError::NotFinished)
}

pub(super) async fn desk(app: &App, caller: &Caller, id: &str, kept: &KeptRecord) -> Result<Desk, ApiError> {
    let note = kept.record.note();
    let first = app.rooms.store().note_version(id, 1).await?.ok_or(ApiError::NotFinished)?;
    let frozen = matches!(kept.record, Record::Signed(_));
    let steps = steps(&kept.changes);
    let signed =
        kept.signed.iter().map(|(version, by)| SignedVersion { version: *version, by: by.by.clone(), at: by.at.clone() });
    Ok(Desk {
        version: kept.record.version(),
        stage: kept.record.stage().name(),
        restricted: app.rooms.store().is_restricted(id).await?,
        signed: signed.collect(),
        undo: !frozen && steps.undo.is_some(),
        redo: !frozen && steps.redo.is_some(),
        lines: marked_lines(note, &kept.transcript, app.rooms.lexicon()),
        open: open_doubts(note),
        changed: differences(&first, note),
        form: formed(app, caller, note).await?,
    })
}

/// What of a note is marked, open and changed, and how far it is.
#[utoipa::path(
    get,
    path = "/v1/recordings/{id}/record",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 200, description = "The note's desk", body = Desk), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn show(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Json<Desk>, ApiError> {
    caller.may(&app, Right::View, What::Recording(&id)).await?;
    let kept = kept(&app, &id).await?;
    caller.reads(&app, Action::View { count: 1 }, &id).await?;
    Ok(Json(desk(&app, &caller, &id, &kept).await?))
}

#[derive(Serialize, ToSchema)]
pub(super) struct History {
    /// The newest first.
    entries: Vec<Entry>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HistoryEntry)]
struct Entry {
    version: u64,
    /// What was done: an edit's `op`, `undo`, `redo`, `addendum`, `sign`, `restrict`, `unrestrict` or `move`.
    #[schema(value_type = String)]
    act: HistoryAct,
    by: String,
    at: String,
    /// `place`, `was`, `now`.
    #[schema(value_type = Vec<Object>)]
    differences: Vec<Difference>,
    /// Of a `move`: `from` and `to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<Moved>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum HistoryAct {
    Changed(Act),
    Beside(&'static str),
}

/// Every change of a note: who, when, from what to what.
#[utoipa::path(
    get,
    path = "/v1/recordings/{id}/history",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 200, description = "All changes", body = History), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn history(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Json<History>, ApiError> {
    caller.may(&app, Right::View, What::Recording(&id)).await?;
    let kept = kept(&app, &id).await?;
    caller.reads(&app, Action::View { count: 1 }, &id).await?;
    let store = app.rooms.store();
    let mut before = store.note_version(&id, 1).await?.ok_or(ApiError::NotFinished)?;
    let mut entries = Vec::new();
    let signed =
        |version: u64| kept.signed.iter().filter(move |(of, _)| *of == version).map(|(version, by)| sign_entry(*version, by));
    entries.extend(signed(1));
    for Change { version, act, by, at, .. } in &kept.changes {
        let note = store.note_version(&id, *version).await?.ok_or(ApiError::NotFinished)?;
        let (act, by, at) = (HistoryAct::Changed(*act), by.clone(), at.clone());
        entries.push(Entry { version: *version, act, by, at, differences: differences(&before, &note), moved: None });
        entries.extend(signed(*version));
        before = note;
    }
    for Restriction { restricted, signature } in store.restrictions(&id).await? {
        let act = if restricted { "restrict" } else { "unrestrict" };
        put_in_its_place(&mut entries, beside(1, act, &signature))?;
    }
    for moved in moved(&app, &id).await? {
        let (act, by, at) = (HistoryAct::Beside("move"), moved.by.clone(), moved.at.clone());
        put_in_its_place(&mut entries, Entry { version: 1, act, by, at, differences: Vec::new(), moved: Some(moved) })?;
    }
    entries.reverse();
    Ok(Json(History { entries }))
}

fn sign_entry(version: u64, by: &Signature) -> Entry {
    beside(version, "sign", by)
}

/// What was done to a version that changed none of its words.
fn beside(version: u64, act: &'static str, by: &Signature) -> Entry {
    let (act, by, at) = (HistoryAct::Beside(act), by.by.clone(), by.at.clone());
    Entry { version, act, by, at, differences: Vec::new(), moved: None }
}

/// Puts something that changed no words behind what was done before it, to the version that was the current one then.
fn put_in_its_place(entries: &mut Vec<Entry>, entry: Entry) -> Result<(), ApiError> {
    let at = Instant::parse(&entry.at)?.unix_seconds();
    let mut place = 0;
    for (number, other) in entries.iter().enumerate() {
        if Instant::parse(&other.at)?.unix_seconds() <= at {
            place = number + 1;
        }
    }
    let version = entries.iter().take(place).map(|entry| entry.version).max().unwrap_or(1);
    entries.insert(place, Entry { version, ..entry });
    Ok(())
}

/// What a person saw who vouches for a note.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Vouched {
    version: u64,
    /// The visit that the note was seen under, null where it belonged to none: refused where it is another's now, with whose. Where
    /// it is left out, nobody looks.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    encounter: SeenVisit,
}

/// Says that the note was read through. Refused while something doubtful is open.
#[utoipa::path(
    post,
    path = "/v1/recordings/{id}/note/review",
    params(("id" = String, Path, description = "The recording's id")),
    request_body = Vouched,
    responses((status = 200, description = "The note's desk", body = Desk), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn review(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(seen): Body<Vouched>,
) -> Result<Json<Desk>, ApiError> {
    caller.may(&app, Right::Edit, What::Recording(&id)).await?;
    let kept = seen_last(&app, &caller, &id, seen.version).await?;
    let note = kept.record.note().clone();
    kept.record.editable()?;
    let reviewed = Draft::new(seen.version, note).review(signature(&caller)?).map_err(|not_yet| ApiError::Open(not_yet.open))?;
    vouched(&app, &caller, &id, app.rooms.store().save_review(&id, &reviewed, &seen.encounter, &caller.by).await).await
}

/// Signs the note that was read through: from now on it is frozen.
#[utoipa::path(
    post,
    path = "/v1/recordings/{id}/note/sign",
    params(("id" = String, Path, description = "The recording's id")),
    request_body = Vouched,
    responses((status = 200, description = "The note's desk", body = Desk), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn sign(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(seen): Body<Vouched>,
) -> Result<Json<Desk>, ApiError> {
    caller.may(&app, Right::Sign, What::Recording(&id)).await?;
    let kept = seen_last(&app, &caller, &id, seen.version).await?;
    let signed = match kept.record {
        Record::Reviewed(reviewed) => reviewed.sign(signature(&caller)?),
        Record::Draft(_) => return Err(ApiError::NotReviewed),
        Record::Signed(_) => return Err(ApiError::Signed),
    };
    vouched(&app, &caller, &id, app.rooms.store().save_signature(&id, &signed, &seen.encounter, &caller.by).await).await
}

/// Lines for a signed note.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Addendum {
    /// The signed version that the person saw.
    version: u64,
    lines: Vec<AddedLine>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddedLine {
    #[schema(value_type = String)]
    section: SectionCode,
    #[schema(value_type = String)]
    text: PatientText,
}

/// Adds lines to a signed note and signs them: a new version, the signed one is kept.
#[utoipa::path(
    post,
    path = "/v1/recordings/{id}/note/addenda",
    params(("id" = String, Path, description = "The recording's id")),
    request_body = Addendum,
    responses((status = 200, description = "The note's desk", body = Desk), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn addendum(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(addendum): Body<Addendum>,
) -> Result<Json<Desk>, ApiError> {
    caller.may(&app, Right::Sign, What::Recording(&id)).await?;
    let signed = seen_last(&app, &caller, &id, addendum.version).await?.record.signed()?;
    let lines: Vec<(SectionCode, PatientText)> = addendum.lines.into_iter().map(|line| (line.section, line.text)).collect();
    let signature = signature(&caller)?;
    let added = signed.addendum(&lines, signature.clone(), app.rooms.lexicon())?;
    let change = Change { version: added.version(), act: Act::Addendum, by: signature.by, at: signature.at, id: None };
    let saved = app.rooms.store().save_addendum(&id, &added, &change, &caller.by).await.map(|_| ());
    vouched(&app, &caller, &id, saved).await
}

/// The record, if its current version is the one that the person saw.
async fn seen_last(app: &App, caller: &Caller, id: &str, version: u64) -> Result<KeptRecord, ApiError> {
    let kept = kept(app, id).await?;
    if kept.record.version() == version { Ok(kept) } else { Err(conflict(app, caller, id, &kept).await) }
}

pub(super) fn signature(caller: &Caller) -> Result<Signature, ApiError> {
    Ok(Signature::new(&caller.name, now().as_str())?)
}

async fn vouched(app: &App, caller: &Caller, id: &str, saved: Result<(), SaveError>) -> Result<Json<Desk>, ApiError> {
    let kept = kept(app, id).await?;
    match saved {
        Ok(()) => Ok(Json(desk(app, caller, id, &kept).await?)),
        Err(SaveError::Conflict) => Err(conflict(app, caller, id, &kept).await),
        Err(SaveError::Moved) => Err(moved_meanwhile(app, caller, id).await),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stands_in_the_history_where_it_was_made() {
        let by = |at: &str| Signature::new("Dr Chan", at).unwrap();
        let mut entries = vec![sign_entry(2, &by("2026-11-26T10:00:00+08:00")), sign_entry(3, &by("2026-11-26T11:00:00+08:00"))];
        // Another offset is the same time.
        for (restricted, at) in
            [(true, "2026-11-26T01:00:00Z"), (false, "2026-11-26T10:00:00+08:00"), (true, "2026-11-26T12:00:00+08:00")]
        {
            let act = if restricted { "restrict" } else { "unrestrict" };
            put_in_its_place(&mut entries, beside(1, act, &by(at))).unwrap();
        }
        let found: Vec<_> = entries.iter().map(|entry| (serde_json::to_value(&entry.act).unwrap(), entry.version)).collect();
        let expected = [("restrict", 1), ("sign", 2), ("unrestrict", 2), ("sign", 3), ("restrict", 3)];
        assert_eq!(found, expected.map(|(act, version)| (act.into(), version)));
    }
}
