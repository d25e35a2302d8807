//! The events of a session. No socket here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::error::OpenAiError;
use super::settings::Dialect;
use crate::text::PatientText;

/// Characters of the longest id that a client gives its event.
const LONGEST_ID: usize = 128;

/// What a client says.
#[derive(Debug, PartialEq)]
pub(super) enum ClientEvent {
    /// Samples: 16-bit little-endian, one channel.
    Append(Vec<u8>),
    Commit,
    Clear,
    Update(Dialect, Map<String, Value>),
}

/// An event that cannot be done, and the id that its client gave it.
#[derive(Debug)]
pub(super) struct Refused {
    pub error: OpenAiError,
    pub event: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    event_id: Option<String>,
    audio: Option<String>,
    session: Option<Map<String, Value>>,
}

/// Reads a text frame: the id that its client gave it, and what it says.
///
/// # Errors
/// What is no event of a transcription session, without quoting it.
pub(super) fn parse(text: &str) -> Result<(Option<String>, ClientEvent), Refused> {
    let message: Message = serde_json::from_str(text).map_err(|_| Refused {
        error: OpenAiError::Message("it is no event, or has members that are none of `type`, `event_id`, `audio`, `session`"),
        event: None,
    })?;
    let event = message.event_id.filter(|id| id.len() <= LONGEST_ID);
    match client_event(&message.kind, message.audio, message.session) {
        Ok(said) => Ok((event, said)),
        Err(error) => Err(Refused { error, event }),
    }
}

fn client_event(kind: &str, audio: Option<String>, session: Option<Map<String, Value>>) -> Result<ClientEvent, OpenAiError> {
    let needed = || session.clone().ok_or(OpenAiError::Missing { param: "session" });
    match kind {
        "input_audio_buffer.append" => {
            let audio = audio.ok_or(OpenAiError::Missing { param: "audio" })?;
            let bytes = STANDARD.decode(audio).map_err(|_| OpenAiError::invalid("audio", "is not base64"))?;
            if bytes.len().is_multiple_of(2) {
                Ok(ClientEvent::Append(bytes))
            } else {
                Err(OpenAiError::invalid("audio", "does not hold whole 16-bit samples"))
            }
        }
        "input_audio_buffer.commit" => Ok(ClientEvent::Commit),
        "input_audio_buffer.clear" => Ok(ClientEvent::Clear),
        "session.update" => Ok(ClientEvent::Update(Dialect::Current, needed()?)),
        "transcription_session.update" => Ok(ClientEvent::Update(Dialect::Beta, needed()?)),
        _ => Err(OpenAiError::Unsupported { param: "type", why: "it is no event of a transcription session".into() }),
    }
}

/// What a session says, but for the id of the event.
#[derive(Debug)]
pub(super) enum ServerEvent {
    /// The first: how it hears.
    Created(Value),
    /// How it hears now.
    Updated(Dialect, Value),
    SpeechStarted {
        item: String,
        at_ms: u64,
    },
    SpeechStopped {
        item: String,
        at_ms: u64,
    },
    Committed {
        item: String,
        previous: Option<String>,
    },
    Cleared,
    /// What an item's text goes on with, after what was told of it before.
    Delta {
        item: String,
        text: PatientText,
    },
    /// The text of an item, whatever its deltas said.
    Completed {
        item: String,
        text: PatientText,
        seconds: f64,
    },
    Failed {
        item: String,
        error: OpenAiError,
    },
    Error(Refused),
}

impl ServerEvent {
    /// The messages that tell it, `id` giving each its own.
    pub fn messages(&self, mut id: impl FnMut() -> String) -> Vec<Value> {
        let mut message = |kind: &str, members: Value| {
            let mut message = json!({ "type": kind, "event_id": id() });
            if let (Some(message), Value::Object(members)) = (message.as_object_mut(), members) {
                message.extend(members);
            }
            message
        };
        match self {
            Self::Created(session) => vec![message("session.created", json!({ "session": session }))],
            Self::Updated(Dialect::Current, session) => vec![message("session.updated", json!({ "session": session }))],
            Self::Updated(Dialect::Beta, session) => {
                vec![message("transcription_session.updated", json!({ "session": session }))]
            }
            Self::SpeechStarted { item, at_ms } => {
                vec![message("input_audio_buffer.speech_started", json!({ "item_id": item, "audio_start_ms": at_ms }))]
            }
            Self::SpeechStopped { item, at_ms } => {
                vec![message("input_audio_buffer.speech_stopped", json!({ "item_id": item, "audio_end_ms": at_ms }))]
            }
            Self::Committed { item, previous } => {
                let content = json!([{ "type": "input_audio", "transcript": null }]);
                let whole = json!({
                    "id": item, "object": "realtime.item", "type": "message", "status": "completed", "role": "user",
                    "content": content,
                });
                let added = json!({ "previous_item_id": previous, "item": whole });
                vec![
                    message("input_audio_buffer.committed", json!({ "item_id": item, "previous_item_id": previous })),
                    message("conversation.item.added", added.clone()),
                    message("conversation.item.done", added),
                ]
            }
            Self::Cleared => vec![message("input_audio_buffer.cleared", json!({}))],
            Self::Delta { item, text } => {
                let members = json!({ "item_id": item, "content_index": 0, "delta": text });
                vec![message("conversation.item.input_audio_transcription.delta", members)]
            }
            Self::Completed { item, text, seconds } => {
                let usage = json!({ "type": "duration", "seconds": seconds });
                let members = json!({ "item_id": item, "content_index": 0, "transcript": text, "usage": usage });
                vec![message("conversation.item.input_audio_transcription.completed", members)]
            }
            Self::Failed { item, error } => {
                let mut members = json!({ "item_id": item, "content_index": 0 });
                if let (Some(members), Value::Object(error)) = (members.as_object_mut(), json!(error.document())) {
                    members.extend(error);
                }
                vec![message("conversation.item.input_audio_transcription.failed", members)]
            }
            Self::Error(Refused { error, event }) => {
                let mut document = json!(error.document());
                if let Some(error) = document.get_mut("error").and_then(Value::as_object_mut) {
                    error.insert("event_id".to_owned(), json!(event));
                }
                vec![message("error", document)]
            }
        }
    }
}

#[cfg(test)]
mod tests;
