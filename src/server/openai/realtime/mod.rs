//! `WS /v1/realtime`: OpenAI's Realtime transcription sessions.
//!
//! Audio comes as base64 in JSON and is held in memory only: what was not heard when the connection breaks is gone, as with OpenAI.
//! `WS /v1/listen` is the socket that loses nothing.

mod buffer;
mod deltas;
mod hearing;
mod protocol;
mod settings;
mod socket;

use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Query, State};
use axum::response::Response;

use super::error::OpenAiError;
use super::request::{Loaded, is_loaded};
use crate::audit::Action;
use crate::engine::EngineError;
use crate::server::App;
use crate::server::error::ErrorDocument;
use crate::server::sender::Sender;
use crate::store::DeviceScope;

/// Bytes of the longest message: OpenAI takes 15 MiB of audio in one, which base64 makes longer by a third.
const LONGEST_MESSAGE: usize = 20 << 20;
/// What JavaScript clients offer to speak, and want to be told.
const SUBPROTOCOL: &str = "realtime";

/// OpenAI's Realtime transcription sessions.
#[utoipa::path(
    get,
    path = "/v1/realtime",
    params(
        ("intent" = String, Query, description = "`transcription`"),
        ("model" = Option<String>, Query, description = "The loaded model, or `whisper-1`"),
        ("encounter" = Option<String>, Query, description = "The visit that it belongs to, whose patient agreed to be recorded; in a trial nobody's when not said"),
    ),
    responses((status = 101, description = "A WebSocket"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn connect(
    State(app): State<App>,
    sender: Sender,
    Query(query): Query<Vec<(String, String)>>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, OpenAiError> {
    let visit = query.iter().find(|(name, _)| name == "encounter").map(|(_, id)| id.as_str());
    sender.may_hear(&app, DeviceScope::Transcribe, visit).await?;
    let engine = app.rooms.engine().clone();
    let loaded = Loaded::of(engine.models());
    check(&query, loaded.name)?;
    let seat = engine.admit().map_err(|error| match error {
        EngineError::NoRoom { .. } => OpenAiError::Busy,
        error => error.into(),
    })?;
    let closing = app.closing.subscribe();
    let upgrade = upgrade.protocols([SUBPROTOCOL]).max_message_size(LONGEST_MESSAGE).max_frame_size(LONGEST_MESSAGE);
    let (gate, store, pass, by) = (Arc::clone(&app.gate), app.rooms.store().clone(), sender.pass().clone(), sender.by());
    // Nothing is heard of which the log does not know for whom.
    let event = match visit {
        Some(id) => store.event_about_visit(&by, Action::Record, id).await?,
        None => by.did_in_general(Action::Record),
    };
    store.keep_event(&event).await?;
    Ok(upgrade.on_upgrade(move |socket| async move {
        socket::serve(socket, engine, seat, (closing, gate.over(&store, &pass))).await;
        if let Err(error) = store.keep_event(&by.later().did_in_general(Action::Finish)).await {
            tracing::error!(%error, "the end of a session cannot be kept");
        }
    }))
}

/// Whether the address asks for what there is.
fn check(query: &[(String, String)], loaded: &str) -> Result<(), OpenAiError> {
    let mut intent = None;
    for (name, value) in query {
        match name.as_str() {
            "intent" if intent.is_none() => intent = Some(value.as_str()),
            "intent" => return Err(OpenAiError::Repeated { param: "intent" }),
            "model" if is_loaded(value, loaded) => {}
            // Looked at before.
            "encounter" => {}
            "model" => return Err(OpenAiError::NoSuchModel { loaded: loaded.to_owned() }),
            _ => return Err(OpenAiError::Unknown { known: "intent, model, encounter".to_owned() }),
        }
    }
    match intent {
        Some("transcription") => Ok(()),
        Some(_) => Err(OpenAiError::Unsupported { param: "intent", why: "there are transcription sessions only".into() }),
        None => Err(OpenAiError::Missing { param: "intent" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(pairs: &[(&str, &str)]) -> Option<String> {
        let query: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let error = check(&query, "whisper-base").err()?;
        serde_json::json!(error.document())["error"]["code"].as_str().map(str::to_owned)
    }

    #[test]
    fn an_address_asks_for_a_transcription_session() {
        let wanted = ("intent", "transcription");
        assert_eq!(code(&[wanted]), None);
        assert_eq!(code(&[wanted, ("model", "whisper-1")]), None);
        assert_eq!(code(&[]).as_deref(), Some("missing_required_parameter"));
        assert_eq!(code(&[wanted, wanted]).as_deref(), Some("invalid_value"));
        assert_eq!(code(&[("intent", "conversation")]).as_deref(), Some("unsupported_parameter"));
        assert_eq!(code(&[wanted, ("model", "gpt-realtime")]).as_deref(), Some("model_not_found"));
        assert_eq!(code(&[wanted, ("call_id", "x")]).as_deref(), Some("unknown_parameter"));
    }
}
