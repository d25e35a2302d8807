//! What is shared with somebody now: which notes by which consent, and that something is left out.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::Sharing;
use super::super::requests::Face;
use super::held::decided;
use super::is_theirs;
use crate::audit::{Actor, Pseudonym};
use crate::consent::{Consent, Use};
use crate::identity::RoleKind;
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::{ApiError, ErrorDocument};
use crate::store::{By, Side, record_id};

/// Something that is shared with the caller.
#[derive(Serialize, ToSchema)]
pub(in crate::server::sharing) struct Share {
    #[serde(flatten)]
    consent: Face,
    notes: Vec<SharedNote>,
    /// Restricted data were left out. Of which visits, and how many, is not told.
    left_out: bool,
    /// Whether the caller may ask the patient for them: who asked for the consent may.
    may_ask: bool,
}

#[derive(Serialize, ToSchema)]
struct SharedNote {
    /// The note's id for a view.
    record: String,
    /// RFC 3339 time.
    signed_at: String,
    signed_by: String,
}

#[derive(Serialize, ToSchema)]
pub(in crate::server::sharing) struct Shares {
    shares: Vec<Share>,
}

/// What is shared with the caller now.
#[utoipa::path(get, path = "/v1/shares", responses((status = 200, description = "The newest first", body = Shares), (status = "default", description = "Why not", body = ErrorDocument)))]
pub(in crate::server::sharing) async fn shared(
    State(app): State<App>,
    State(sharing): State<Sharing>,
    caller: Caller,
) -> Result<Json<Shares>, ApiError> {
    let (shares, patients) = found(&sharing, &caller.by, caller.session.kind).await?;
    let notes = |share: &Share| share.notes.iter().map(|note| note.record.clone()).collect::<Vec<_>>();
    let ids: Vec<String> =
        shares.iter().flat_map(|share| std::iter::once(share.consent.id().to_owned()).chain(notes(share))).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    caller.looked_over(&app, ("shares", &ids), shares.len(), patients).await?;
    Ok(Json(Shares { shares }))
}

/// What is shared with somebody in this role, and of whom. What is left out of it is in the log.
pub(super) async fn found(sharing: &Sharing, by: &By, kind: RoleKind) -> Result<(Vec<Share>, Vec<Pseudonym>), ApiError> {
    // What is shared with a whole house is for those of it who treat.
    let (Actor::Staff { role, organisation, .. }, RoleKind::Doctor | RoleKind::Nurse) = (by.actor, kind) else {
        return Ok((Vec::new(), Vec::new()));
    };
    let (mut shares, mut refusals, mut patients) = (Vec::new(), Vec::new(), Vec::new());
    for stored in sharing.store().consents(Side::Recipient(organisation)).await? {
        let scope = stored.consent.scope();
        let in_time = scope.from <= by.at && by.at < scope.end();
        if !matches!(stored.consent, Consent::Active(_)) || !scope.recipient.is(&by.actor) || !in_time {
            continue;
        }
        let (mut notes, mut left_out) = (Vec::new(), false);
        for note in &stored.about.notes {
            // One that was erased since is shared no more, nor one of somebody who was merged by mistake.
            let Ok(Some(kept)) = sharing.store().record(note).await else { continue };
            if !is_theirs(sharing.store(), &stored, note).await? {
                continue;
            }
            let record = record_id(note);
            if sharing.store().is_restricted(note).await? {
                let (permits, events) = decided(&stored.consent, by, (record, true, scope.purpose), Use::View);
                if permits.is_err() {
                    let is_kept = !left_out && sharing.keeps_left_out(role, stored.consent.id(), by.at);
                    refusals.extend(events.into_iter().last().filter(|_| is_kept));
                    left_out = true;
                    continue;
                }
            }
            if let Some((_, signature)) = kept.signed.last() {
                let (signed_at, signed_by) = (signature.at.clone(), signature.by.clone());
                notes.push(SharedNote { record: record.to_string(), signed_at, signed_by });
            }
        }
        patients.push(scope.patient);
        let may_ask = left_out && *stored.consent.requester() == by.actor;
        shares.push(Share { consent: Face::of(&stored), notes, left_out, may_ask });
    }
    if let Some((last, before)) = refusals.split_last() {
        sharing.store().keep_events(before, last).await?;
    }
    Ok((shares, patients))
}
