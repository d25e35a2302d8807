//! Requests that are refused before anything is done: malformed, too large, from a foreign page. Of who is signed in each is an event; of
//! strangers so many of each address are.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::App;
use super::caller::{Found, credentials, known, peer};
use crate::audit::{Action, Actor, Event, Outcome, Refusal};
use crate::store::{By, StoreError};

/// Marks an answer of which no event was written where it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unheard(pub Refusal);

impl Unheard {
    /// The answer, marked where there is a reason to.
    pub fn mark(reason: Option<Refusal>, mut response: Response) -> Response {
        if let Some(reason) = reason {
            response.extensions_mut().insert(Self(reason));
        }
        response
    }
}

/// Writes the event of an answer that is marked, before it is sent.
pub(super) async fn keep(State(app): State<App>, request: Request, next: Next) -> Response {
    let by = By { address: peer(request.extensions()), ..By::now(Actor::Unknown) };
    let headers = credentials(request.headers());
    let response = next.run(request).await;
    let Some(Unheard(reason)) = response.extensions().get().copied() else { return response };
    let who = known(&headers, &app, by).await;
    match tell(&app, who, by, reason).await {
        Ok(()) => response,
        Err(error) => super::error::ApiError::from(error).into_response(),
    }
}

async fn tell(app: &App, who: Result<Found<By>, StoreError>, by: By, reason: Refusal) -> Result<(), StoreError> {
    let by = match who? {
        Found::Known(known) => known,
        Found::Nobody if app.strangers.may_keep(by.address) => by,
        Found::Nobody | Found::Told => return Ok(()),
    };
    let event = by.did_in_general(Action::Request { count: 1 });
    app.rooms.store().keep_event(&Event { outcome: Outcome::Refused { reason }, ..event }).await.map(drop)
}
