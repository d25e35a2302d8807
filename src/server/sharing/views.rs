//! What others share with the caller: a view of a note, open as long as a permit holds.
//!
//! A view is kept in memory for the one session that opened it. Whoever shows it holds a socket, which says at once when it is over; without
//! one it ends within minutes. Each piece that is sent asks the permits again. Nothing decided is kept anywhere else.

pub(super) mod copies;
mod held;
pub(super) mod list;
mod markup;
mod open;
pub(super) mod shown;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(in crate::server::sharing) use self::held::Source;
use self::held::{Held, decided};
use self::open::UNWATCHED;
pub(super) use self::open::Views;
use super::requests::id;
use super::{Names, Sharing};
use crate::audit::{Action, Actor, ConsentId, Event, OrganisationId, Outcome, PolicyId, Purpose, RecordId, Refusal, RoleId};
use crate::consent::{Emergency, Permit, Use, Uses};
use crate::fonts;
use crate::identity::{Right, Thing};
use crate::letter::{LetterError, Picture, Piece, to_pictures};
use crate::note::compose::Language;
use crate::record::Record;
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::{Caller, Pass};
use crate::server::error::{ApiError, ErrorDocument};
use crate::sharing::{SharingError, View, Watermark};
use crate::store::{By, Store, StoreError, StoredConsent, record_id};

/// A page of a view runs no script and loads our style sheet and its own pictures; those of a print that the consent allows are put into it.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";
/// What is to be seen.
#[derive(Deserialize, ToSchema)]
#[schema(as = WantedView)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    record: String,
    /// What for: it has to be the consent's purpose.
    #[schema(value_type = String)]
    purpose: Purpose,
    /// `en` or `zh-Hant`; `en` when not said. What people wrote stays as it is.
    #[serde(default)]
    lang: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Opened {
    /// The view's id: its page and its socket have it in their addresses.
    pub(super) view: String,
    /// The entry of the audit log that the watermark names.
    pub(super) entry: u64,
}

/// Opens a view of a shared note. Its permits and that it is seen are in the log before anything is shown.
#[utoipa::path(
    post,
    path = "/v1/shares/{id}/views",
    params(("id" = String, Path, description = "The consent's id")),
    request_body = Wanted,
    responses((status = 201, description = "The view", body = Opened), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn open(
    State(app): State<App>,
    State(sharing): State<Sharing>,
    Caller { by, session, pass, .. }: Caller,
    Path(consent): Path<String>,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<Opened>), ApiError> {
    let names = Names::of(sharing.store(), by.actor).await?;
    let record = RecordId::try_from(wanted.record).map_err(|_| ApiError::NoSuchConsent)?;
    let language = wanted.lang.as_deref().map(str::parse::<Language>).transpose()?.unwrap_or(Language::English);
    let may = |right: Right, permit: &Permit, organisation| {
        let thing = Thing { id: record, organisation, treating: Vec::new() };
        app.gate.rights.rule(&session, right, &thing, Some(permit)).checked()
    };
    let seen = see(&sharing, &by, (&names, may), (id(consent)?, record, wanted.purpose), language).await?;
    Ok((StatusCode::CREATED, Json(hold_open(&sharing, seen, &pass).await?)))
}

/// What is drawn and, by the log, seen, before anybody can fetch it.
struct Seen {
    held: Held,
    /// The entry that the mark names.
    entry: u64,
    /// What the log says of it.
    told: [Event; 2],
}

/// Keeps a view for this session. It does not stay in memory where nobody comes to watch it.
async fn hold_open(sharing: &Sharing, Seen { held, entry, told }: Seen, pass: &Pass) -> Result<Opened, ApiError> {
    let view = or_said(sharing.store(), &told, sharing.0.views.keep(held, pass)).await?;
    let (sharing, id) = (sharing.clone(), view.clone());
    tokio::spawn(async move {
        tokio::time::sleep(UNWATCHED).await;
        sharing.0.views.end_unwatched(&id);
    });
    Ok(Opened { view, entry })
}

/// Where what the log says was done fails after all, the log says that too.
async fn or_said<T>(store: &Store, told: &[Event], made: Result<T, ApiError>) -> Result<T, ApiError> {
    if let (Err(_), Some((last, before))) = (&made, told.split_last()) {
        let failed = |event: &Event| Event { outcome: Outcome::Failed, ..event.clone() };
        store.keep_events(&before.iter().map(failed).collect::<Vec<_>>(), &failed(last)).await?;
    }
    made
}

/// Whether a note of a consent is still its patient's, or one's who is the same person: a merge may have been taken back.
pub(super) async fn is_theirs(store: &Store, stored: &StoredConsent, note: &str) -> Result<bool, StoreError> {
    match &stored.patient {
        Some(patient) => store.stands_with(note, patient).await,
        None => Ok(false),
    }
}

/// Makes the view, if every domain of the consent is permitted, and what the role is `may` see it.
async fn see(
    sharing: &Sharing,
    by: &By,
    (names, may): (&Names, impl Fn(Right, &Permit, OrganisationId) -> Result<(), Vec<PolicyId>>),
    (consent, record, purpose): (ConsentId, RecordId, Purpose),
    language: Language,
) -> Result<Seen, ApiError> {
    let store = sharing.store();
    let Actor::Staff { role, .. } = by.actor else { return Err(ApiError::Denied(Refusal::NotAllowed)) };
    let stored = named(sharing, by, consent).await?;
    let note = stored.about.notes.iter().find(|note| record_id(note) == record);
    let restricted = match note {
        Some(note) => store.is_restricted(note).await?,
        None => false,
    };
    let (permits, events) = decided(&stored.consent, by, (record, restricted, purpose), Use::View);
    let permits = permitted(sharing, permits, events.clone()).await?;
    let ruled: Result<(), _> = permits.iter().try_for_each(|permit| may(Right::View, permit, stored.about.owner));
    if let Err(policies) = ruled {
        let event = Event { consent: Some(consent), record: Some(record), ..by.did_in_general(Action::View { count: 0 }) };
        let (outcome, policies) = (Outcome::Refused { reason: Refusal::NotAllowed }, Some(policies));
        store.keep_event(&Event { outcome, policies, ..event }).await?;
        return Err(ApiError::NotAllowed);
    }
    let note = note.ok_or(ApiError::NoConsent)?;
    if !is_theirs(store, &stored, note).await? {
        let event = Event { consent: Some(consent), record: Some(record), ..by.did_in_general(Action::View { count: 0 }) };
        store.keep_event(&Event { outcome: Outcome::Refused { reason: Refusal::OtherPatient }, ..event }).await?;
        return Err(ApiError::NoConsent);
    }
    let kept = store.record(note).await?.ok_or(ApiError::NoConsent)?;
    let Record::Signed(signed) = &kept.record else { return Err(ApiError::Unsigned) };
    // Whose note it is: of two who were thought one person it may be the other's.
    let seen = store.event_about(by, Action::View { count: 1 }, note).await?;
    let seen = Event { purpose: Some(purpose), consent: Some(consent), ..seen };
    let made = |mark| View::of(signed, record, role, &permits, mark, language, by.at);
    let view = ready(sharing, (by, role), names, &seen, made).await?;
    // Making the view is what hands the note over; looking at it is what the watermark names.
    let told = [Event { action: Action::Share, ..seen.clone() }, seen];
    let (view, pictures, entry) = drawn(store, events, &told, view, language).await?;
    let takes = permits.iter().all(|permit| may(Right::Export, permit, stored.about.owner).is_ok());
    let uses = if takes { stored.consent.scope().uses } else { Uses::default() };
    let (source, note) = (Source::Consent(consent), note.clone());
    let held = Held { role, source, note, record, purpose, permits, view, language, uses, pictures };
    Ok(Seen { held, entry, told })
}

/// The view that is about to be in the log as `seen`. All that can fail by what is asked for, or as things stand here, does so before it is; its
/// mark has no entry yet.
async fn ready(
    sharing: &Sharing,
    (by, role): (&By, RoleId),
    names: &Names,
    seen: &Event,
    made: impl FnOnce(Watermark) -> Result<View, SharingError>,
) -> Result<View, ApiError> {
    drawable(sharing.store(), seen, fonts::look).await?;
    let view = if sharing.0.views.has_room(role) {
        let mark = Watermark::new(&names.person, &names.organisation, by.at, 0);
        mark.and_then(made).map_err(SharingError::refusal)
    } else {
        Err(Refusal::TooManyTries)
    };
    match view {
        Ok(view) => Ok(view),
        Err(reason) => {
            let (action, outcome) = (Action::View { count: 0 }, Outcome::Refused { reason });
            sharing.store().keep_event(&Event { action, outcome, ..seen.clone() }).await?;
            Err(ApiError::Denied(reason))
        }
    }
}

/// Keeps what is told of a view, and draws it under the entry of the last of it.
async fn drawn(
    store: &Store,
    permitted: Vec<Event>,
    told: &[Event; 2],
    view: View,
    language: Language,
) -> Result<(View, Vec<Picture>, u64), ApiError> {
    let [first, last] = told;
    let before: Vec<Event> = permitted.into_iter().chain([first.clone()]).collect();
    let entry = store.keep_events(&before, last).await?;
    let view = view.entered(entry);
    let made = pictures(&view, markup::words(view.watermark()), language).await;
    Ok((view, or_said(store, told, made).await?, entry))
}

/// Makes and keeps the view of a note that is looked at in an emergency, until the emergency's end. Its events are in the log before.
pub(super) async fn see_in_emergency(
    sharing: &Sharing,
    (by, pass): (&By, &Pass),
    opened: Emergency,
    (note, source): (&str, Source),
    language: Language,
) -> Result<Opened, ApiError> {
    let store = sharing.store();
    let Actor::Staff { role, .. } = by.actor else { return Err(ApiError::NotAllowed) };
    let Emergency { permit, event: broken, .. } = opened;
    let (record, purpose) = (permit.ask().record, Purpose::Emergency);
    let names = Names::of(store, by.actor).await?;
    let kept = store.record(note).await?.ok_or(ApiError::NoConsent)?;
    let Record::Signed(signed) = &kept.record else { return Err(ApiError::Unsigned) };
    let seen = Event { purpose: Some(purpose), ..store.event_about(by, Action::View { count: 1 }, note).await? };
    let permits = vec![permit];
    let made = |mark| View::of(signed, record, role, &permits, mark, language, by.at);
    let view = ready(sharing, (by, role), &names, &seen, made).await?;
    // It was announced when it was opened.
    let told = [broken.from(by.address, by.device), seen];
    let (view, pictures, entry) = drawn(store, Vec::new(), &told, view, language).await?;
    let (note, uses) = (note.to_owned(), Uses::default());
    let held = Held { role, source, note, record, purpose, permits, view, language, uses, pictures };
    hold_open(sharing, Seen { held, entry, told }, pass).await
}

/// Whether there is a font to draw a view with: without its picture it would have no mark that cannot be cut out, and is not shown.
/// That it was not is kept.
async fn drawable(
    store: &Store,
    seen: &Event,
    look: impl FnOnce() -> Result<(), LetterError> + Send + 'static,
) -> Result<(), ApiError> {
    // Fonts are read the first time.
    let found = tokio::task::spawn_blocking(look).await.map_err(|error| ApiError::internal(&error))?;
    let Err(error) = found else { return Ok(()) };
    store.keep_event(&Event { outcome: Outcome::Failed, ..seen.clone() }).await?;
    tracing::error!(%error, "a shared note cannot be shown");
    Err(error.into())
}

/// The pages of a view as pictures under a mark, made on a thread where that stops nobody.
async fn pictures(view: &View, mark: String, language: Language) -> Result<Vec<Picture>, ApiError> {
    let pieces = markup::pieces(view, language);
    let made = tokio::task::spawn_blocking(move || {
        let said = pieces.iter().map(|piece| match piece {
            Piece::Heading(text) | Piece::Text(text) | Piece::Note(text) => text.reveal(),
        });
        let characters = said.chain([mark.as_str()]).flat_map(str::chars).filter(|c| !c.is_control());
        let typefaces = fonts::for_characters(characters)?;
        let (pieces, mark) = markup::in_characters(pieces, &mark, language, |c| typefaces.have(c));
        to_pictures(&pieces, &mark, &typefaces)
    });
    Ok(made.await.map_err(|error| ApiError::internal(&error))??)
}

/// The consent of this id, if it is one by which the caller sees something. That somebody tried is kept.
async fn named(sharing: &Sharing, by: &By, id: ConsentId) -> Result<StoredConsent, ApiError> {
    let found = sharing.store().consent(id).await?;
    let theirs = found.filter(|stored| stored.consent.scope().recipient.is(&by.actor));
    match theirs {
        Some(stored) => Ok(stored),
        None => {
            let event = Event { consent: Some(id), ..by.did_in_general(Action::Permit) };
            let outcome = Outcome::Refused { reason: Refusal::OtherRecipient };
            sharing.store().keep_event(&Event { outcome, ..event }).await?;
            Err(ApiError::NoConsent)
        }
    }
}

/// The permits; where there are none, the refusals are kept before it is said.
async fn permitted<T>(sharing: &Sharing, decided: Result<T, Refusal>, mut events: Vec<Event>) -> Result<T, ApiError> {
    match decided {
        Ok(permits) => Ok(permits),
        Err(refusal) => {
            if let Some(last) = events.pop() {
                sharing.store().keep_events(&events, &last).await?;
            }
            Err(ApiError::Denied(refusal))
        }
    }
}

/// The caller's view of this id, if its permits hold still.
async fn holding(sharing: &Sharing, (by, pass): (&By, &Pass), view: &str) -> Result<std::sync::Arc<Held>, ApiError> {
    let Actor::Staff { role, .. } = by.actor else { return Err(ApiError::NoConsent) };
    let Some(held) = sharing.0.views.find(view, role, pass) else {
        let outcome = Outcome::Refused { reason: Refusal::OtherRecipient };
        sharing.store().keep_event(&Event { outcome, ..by.did_in_general(Action::View { count: 0 }) }).await?;
        return Err(ApiError::NoConsent);
    };
    match held.still(sharing.store(), by.at).await {
        Ok(()) => Ok(held),
        Err(refusal) => {
            sharing.0.views.end(view);
            let patient = held.permits.first().map(|permit| permit.ask().patient);
            let event = Event { patient, ..by.did_in_general(Action::View { count: 0 }) };
            let event = Event { consent: held.consent(), record: Some(held.record), purpose: Some(held.purpose), ..event };
            sharing.store().keep_event(&Event { outcome: Outcome::Refused { reason: refusal }, ..event }).await?;
            Err(ApiError::Denied(refusal))
        }
    }
}

#[cfg(test)]
mod emergency_tests;
#[cfg(test)]
mod restricted_tests;
#[cfg(test)]
mod tests;
