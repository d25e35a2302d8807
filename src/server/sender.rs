//! Who sends sound: a person, or a device or program that is enrolled for it, and what they may record.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::App;
use super::caller::{Caller, Pass, What, address, bearer, stranger};
use super::error::ApiError;
use crate::audit::{Action, Actor, Event, OrganisationId, Outcome, Purpose, Refusal};
use crate::identity::Right;
use crate::room::{RoomError, Token};
use crate::store::{By, DeviceScope, Store, StoreError};

/// Who sends sound: a person, or a device or program that is enrolled for it.
pub(super) enum Sender {
    /// A person.
    Person(Box<Caller>),
    /// A device or program.
    Device {
        /// Which, when and from where.
        by: By,
        /// What it is called.
        name: String,
        /// Whose.
        organisation: OrganisationId,
        /// What it may do.
        scope: DeviceScope,
        /// Where it stands; empty for a program.
        room: String,
        /// For sockets.
        pass: Pass,
    },
}

impl FromRequestParts<App> for Sender {
    type Rejection = ApiError;

    /// # Errors
    /// [`ApiError::NotSignedIn`], which the audit log is told of.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let by = By { address: address(parts), ..By::now(Actor::Unknown) };
        let token = bearer(&parts.headers).filter(|_| app.gate.sign_in.is_some());
        let Some(token) = token else {
            return Caller::from_request_parts(parts, app).await.map(|caller| Self::Person(Box::new(caller)));
        };
        match Self::device(&token, app, by).await? {
            Some(device) => Ok(device),
            None => Err(stranger(app, by).await),
        }
    }
}

impl Sender {
    /// The device or program whose token this is.
    pub(super) async fn device(token: &Token, app: &App, by: By) -> Result<Option<Self>, StoreError> {
        let device = app.rooms.store().device_with(&token.hash(), by.seconds()).await?;
        Ok(device.map(|device| {
            let purpose = (device.scope == DeviceScope::Record).then_some(Purpose::Treatment);
            let actor = Actor::Device { device: device.id, organisation: device.organisation };
            Self::Device {
                by: By { actor, device: Some(device.id), purpose, ..by },
                name: device.name,
                organisation: device.organisation,
                scope: device.scope,
                room: device.room,
                pass: Pass::Device(device.id),
            }
        }))
    }

    /// Who, when and from where.
    pub fn by(&self) -> By {
        match self {
            Self::Person(caller) => caller.by,
            Self::Device { by, .. } => *by,
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Self::Person(caller) => &caller.name,
            Self::Device { name, .. } => name,
        }
    }

    /// What lets it in.
    pub fn pass(&self) -> &Pass {
        match self {
            Self::Person(caller) => &caller.pass,
            Self::Device { pass, .. } => pass,
        }
    }

    /// Whether it may record this. A no is kept in the audit log.
    ///
    /// # Errors
    /// As [`Caller::may`].
    pub async fn may_record(&self, app: &App, what: What<'_>) -> Result<(), ApiError> {
        self.may_send(app, DeviceScope::Record, what).await
    }

    async fn may_send(&self, app: &App, needed: DeviceScope, what: What<'_>) -> Result<(), ApiError> {
        let store = app.rooms.store();
        let (by, own, missing) = match self {
            Self::Person(caller) => return caller.may(app, Right::Record, what).await,
            Self::Device { by, organisation, scope, room, .. } if *scope == needed => match what {
                What::Visit(id) => {
                    let owner = store.owner_of_encounter(id).await?;
                    let here = hears(store, (*scope, room), Some(id)).await?;
                    (by, owner.map(|owner| here && owner.organisation == *organisation), ApiError::NoVisit)
                }
                What::Recording(id) => {
                    let owner = store.owner_of_recording(id).await?;
                    let visit = store.assigned(id).await?.map(|(visit, _)| visit);
                    let here = hears(store, (*scope, room), visit.as_deref()).await?;
                    (by, owner.map(|owner| here && owner.organisation == *organisation), ApiError::NotFound)
                }
                // A room's microphone records visits alone.
                _ => (by, None, ApiError::NotAllowed),
            },
            Self::Device { by, .. } => (by, None, ApiError::NotAllowed),
        };
        if own == Some(true) { Ok(()) } else { Err(refused(app, by, Action::Record, missing).await) }
    }

    /// Whether the sound of a visit may be heard now: it is theirs, and its patient agreed to be recorded. Outside a trial no sound is
    /// of no visit. A no is kept in the audit log.
    ///
    /// # Errors
    /// [`ApiError::MayNotRecord`], told alike for what is not there, is another's, and whose patient did not agree.
    pub async fn may_hear(&self, app: &App, scope: DeviceScope, visit: Option<&str>) -> Result<(), ApiError> {
        let Some(id) = visit else {
            if app.gate.sign_in.is_none() {
                return self.may_send(app, scope, What::Own).await;
            }
            return Err(refused(app, &self.by(), Action::Record, ApiError::MayNotRecord).await);
        };
        match self.may_send(app, scope, What::Visit(id)).await {
            Err(ApiError::NoVisit) => return Err(ApiError::MayNotRecord),
            other => other?,
        }
        let (store, by) = (app.rooms.store(), self.by());
        match app.rooms.leave(id, &by).await {
            Ok(_) => Ok(()),
            Err(RoomError::Refused) => {
                // Nobody said no where nobody was asked.
                let said_no = store.encounter(id).await?.is_some_and(|visit| visit.encounter.refused);
                let reason = if said_no { Refusal::SaidNo } else { Refusal::NoConsent };
                let outcome = Outcome::Refused { reason };
                let event = store.event_about_visit(&by, Action::Record, id).await?;
                store.keep_event(&Event { outcome, ..event }).await?;
                Err(ApiError::MayNotRecord)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a device may hear a visit where it stands. A program stands nowhere, and nothing of what it sends is kept.
async fn hears(store: &Store, (scope, room): (DeviceScope, &str), visit: Option<&str>) -> Result<bool, StoreError> {
    if scope == DeviceScope::Transcribe {
        return Ok(true);
    }
    let Some(visit) = visit else { return Ok(false) };
    Ok(store.encounter(visit).await?.is_some_and(|found| found.encounter.is_heard_in(room)))
}

async fn refused(app: &App, by: &By, action: Action, error: ApiError) -> ApiError {
    let outcome = Outcome::Refused { reason: Refusal::NotAllowed };
    match app.rooms.store().keep_event(&Event { outcome, ..by.did_in_general(action) }).await {
        Ok(_) => error,
        Err(error) => error.into(),
    }
}
