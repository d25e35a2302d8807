//! Who asks, and from where: what the audit log says of every request.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;

use super::App;
use crate::audit::{Action, Actor};
use crate::store::{By, Reach, StoreError};

/// Whoever made this request.
#[derive(Clone, Copy)]
pub(super) struct Caller(pub By);

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        Ok(Self(By { address, ..By::now(app.actor) }))
    }
}

impl Caller {
    /// What lists show to whoever asks: whom this role treats, and what it began.
    pub(super) fn reach(&self) -> Reach {
        match self.0.actor {
            Actor::Staff { role, organisation, .. } => Reach { organisation, role: Some(role) },
            _ => Reach::TRIAL,
        }
    }

    /// Keeps the event of a search. What was found may be told only after this.
    ///
    /// # Errors
    /// When the event cannot be written.
    pub(super) async fn searched(&self, app: &App, found: usize) -> Result<(), StoreError> {
        let count = u32::try_from(found).unwrap_or(u32::MAX);
        app.rooms.store().keep_event(&self.0.did_in_general(Action::Search { count })).await.map(drop)
    }

    /// Keeps the event of looking at one patient's particulars.
    ///
    /// # Errors
    /// When the event cannot be written.
    pub(super) async fn looked_at(&self, app: &App, patient: &str) -> Result<(), StoreError> {
        let store = app.rooms.store();
        store.keep_event(&self.0.did_for(Action::View { count: 1 }, store.pseudonym(patient)?)).await.map(drop)
    }

    /// Keeps the event of a reading. What is read may be told only after this.
    ///
    /// # Errors
    /// When the event cannot be written.
    pub(super) async fn reads(&self, app: &App, action: Action, recording: &str) -> Result<(), StoreError> {
        app.rooms.store().keep_event(&self.0.did(action, recording)).await.map(drop)
    }
}
