//! What a viewer fetches of a view while it is open: its page, its pictures, and the socket that says when it is over.

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

use super::super::Sharing;
use super::super::words::reason;
use super::held::Held;
use super::open::Part;
use super::{POLICY, holding, markup};
use crate::audit::{Action, Event, Outcome, Refusal};
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::{ApiError, ErrorDocument};
use crate::store::{By, StoreError};

/// Keeps the event of what is fetched again of a view. The event of its opening tells of its page, and of each picture, once.
pub(super) async fn fetched(sharing: &Sharing, by: &By, (view, held): (&str, &Held), part: Part) -> Result<(), StoreError> {
    if sharing.0.views.is_first(view, part) {
        return Ok(());
    }
    let event = sharing.store().event_about(by, Action::View { count: 1 }, &held.note).await?;
    let event = Event { purpose: Some(held.purpose), consent: held.consent(), ..event };
    sharing.store().keep_event(&event).await.map(drop)
}

/// A view is shown within our page, which holds its socket and hears of a try to print it: not in a window of its own.
pub(super) async fn within_our_page(sharing: &Sharing, by: &By, held: &Held, headers: &HeaderMap) -> Result<(), ApiError> {
    if headers.get("sec-fetch-dest").is_none_or(|dest| dest != "document") {
        return Ok(());
    }
    let event = sharing.store().event_about(by, Action::View { count: 0 }, &held.note).await?;
    let event = Event { purpose: Some(held.purpose), consent: held.consent(), ..event };
    let outcome = Outcome::Refused { reason: Refusal::NotAllowed };
    sharing.store().keep_event(&Event { outcome, ..event }).await?;
    Err(ApiError::NotAllowed)
}

/// The page of a view, with its watermark.
#[utoipa::path(
    get,
    path = "/v1/views/{view}/page",
    params(("view" = String, Path, description = "The view's id")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(in crate::server::sharing) async fn page(
    State(sharing): State<Sharing>,
    Caller { by, pass, .. }: Caller,
    Path(view): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let held = holding(&sharing, (&by, &pass), &view).await?;
    within_our_page(&sharing, &by, &held, &headers).await?;
    fetched(&sharing, &by, (&view, &held), Part::Page).await?;
    Ok(html(markup::page(&held, &view)))
}

/// A page of a view as a picture, with its watermark.
#[utoipa::path(
    get,
    path = "/v1/views/{view}/pictures/{number}",
    params(("view" = String, Path, description = "The view's id"), ("number" = usize, Path, description = "From 0")),
    responses((status = 200, description = "The picture", body = Vec<u8>, content_type = "image/png"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(in crate::server::sharing) async fn picture(
    State(sharing): State<Sharing>,
    Caller { by, pass, .. }: Caller,
    Path((view, number)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let held = holding(&sharing, (&by, &pass), &view).await?;
    within_our_page(&sharing, &by, &held, &headers).await?;
    let number = number.parse::<usize>().map_err(|_| ApiError::NoSuchConsent)?;
    let picture = held.pictures.get(number).ok_or(ApiError::NoSuchConsent)?;
    fetched(&sharing, &by, (&view, &held), Part::Picture(number)).await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("image/png"))], picture.png.clone()).into_response())
}

fn html(page: String) -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    let policy = HeaderValue::from_static(POLICY);
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, policy)], page).into_response()
}

/// Tells whoever shows a view when it is over: `{"type":"ended","reason":...}`, and closes.
#[utoipa::path(
    get,
    path = "/v1/views/{view}/watch",
    params(("view" = String, Path, description = "The view's id")),
    responses((status = 101, description = "A WebSocket"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(in crate::server::sharing) async fn watch(
    State(app): State<App>,
    State(sharing): State<Sharing>,
    Caller { by, pass, .. }: Caller,
    Path(view): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    // From here on no change is missed.
    let changes = sharing.store().consent_changes();
    let held = holding(&sharing, (&by, &pass), &view).await?;
    let closing = app.closing.subscribe();
    Ok(upgrade.on_upgrade(move |socket| async move {
        let left = sharing.0.views.watch(&view);
        let ended = async {
            tokio::select! {
                () = tokio::time::sleep(left) => Refusal::Expired,
                refusal = held.ended(sharing.store(), changes) => refusal,
                // The session ended, or the role.
                () = app.gate.over(sharing.store(), &pass) => Refusal::NotSignedIn,
            }
        };
        stand_by(socket, ended, closing).await;
        sharing.0.views.end(&view);
    }))
}

/// Holds the socket until the view is over, its viewer is gone, or the server closes.
async fn stand_by(mut socket: WebSocket, ended: impl Future<Output = Refusal>, mut closing: watch::Receiver<bool>) {
    tokio::pin!(ended);
    let frame = loop {
        tokio::select! {
            refusal = &mut ended => {
                let told = serde_json::json!({ "type": "ended", "reason": refusal, "words": reason(refusal) });
                // Who does not read it is closed all the same.
                let _ = socket.send(Message::Text(told.to_string().into())).await;
                break CloseFrame { code: close_code::POLICY, reason: "the consent is over".into() };
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            () = closed(&mut closing) => break CloseFrame { code: close_code::RESTART, reason: "".into() },
        }
    };
    let _ = socket.send(Message::Close(Some(frame))).await;
}

/// Completes when the server closes.
async fn closed(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}
