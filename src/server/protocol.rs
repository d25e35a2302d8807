//! The messages of `WS /v1/listen` and what a client may ask for in its address. No socket here: the fuzzer has all of it.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::audio::StreamFormat;
use crate::note::Note;
use crate::room::{Partial, Token};
use crate::speech::model::Language;
use crate::speech::{Segment, Transcript};

/// The longest frame, in bytes.
pub const LONGEST_FRAME: usize = 1 << 20;
/// The longest name of a speaker, in characters.
const LONGEST_SPEAKER: usize = 32;

/// What a client says in a text frame.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ClientMessage {
    /// Comes back to a recording; the first frame then.
    Resume {
        /// From `ready`.
        token: SecretText,
    },
    /// Nothing is to be recorded until `unpause`.
    Pause,
    /// Recording goes on.
    Unpause,
    /// Everything was said.
    Finish,
    /// Everything is to be erased.
    Cancel,
}

/// A text that `Debug` does not show.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// The token that a client sent.
    #[must_use]
    pub fn into_token(self) -> Token {
        Token::from_client(self.0)
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretText(..)")
    }
}

/// What the server says. Borrowed where it is large, so that nothing is copied for each client.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ServerMessage<'a> {
    /// The first message: where to send from.
    Ready {
        /// Its id.
        recording: &'a str,
        /// What brings a client back to it.
        token: &'a str,
        /// Samples a channel that are already safe.
        samples: u64,
    },
    /// So many samples a channel are safe.
    Ack {
        /// Samples a channel from the recording's start.
        samples: u64,
    },
    /// The utterance that is being spoken.
    Partial {
        /// Where it began.
        start_ms: u64,
        /// Grows by appending only.
        stable: &'a str,
        /// May change.
        tentative: &'a str,
        /// Whose channel, where channels are named.
        #[serde(skip_serializing_if = "Option::is_none")]
        speaker: Option<&'a str>,
    },
    /// An utterance that has ended.
    Final {
        /// As in the transcript document.
        segment: &'a Segment,
    },
    /// The note so far.
    Note {
        /// As in the note document.
        note: &'a Note,
    },
    /// Everything is done.
    End {
        /// All that was said.
        transcript: &'a Transcript,
        /// What came of it.
        note: &'a Note,
    },
    /// Nothing of the recording is left.
    Erased,
    /// Something is wrong.
    Error {
        /// Stable, for programs.
        code: &'a str,
        /// For people, in English.
        message: &'a str,
        /// Whether the socket is closed next.
        fatal: bool,
    },
}

impl<'a> From<&'a Partial> for ServerMessage<'a> {
    fn from(partial: &'a Partial) -> Self {
        Self::Partial {
            start_ms: partial.start_ms,
            stable: partial.stable.reveal(),
            tentative: partial.tentative.reveal(),
            speaker: partial.speaker.as_deref(),
        }
    }
}

/// What a client reads: the same messages, owned. Fields that a newer server adds are ignored.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ReceivedMessage {
    /// See [`ServerMessage::Ready`].
    Ready {
        /// Its id.
        recording: String,
        /// What brings a client back to it.
        token: SecretText,
        /// Samples a channel that are already safe.
        samples: u64,
    },
    /// See [`ServerMessage::Ack`].
    Ack {
        /// Samples a channel from the recording's start.
        samples: u64,
    },
    /// See [`ServerMessage::Partial`].
    Partial {
        /// Where it began.
        start_ms: u64,
        /// Grows by appending only.
        stable: crate::text::PatientText,
        /// May change.
        tentative: crate::text::PatientText,
    },
    /// See [`ServerMessage::Final`].
    Final {
        /// As in the transcript document.
        segment: Arc<Segment>,
    },
    /// See [`ServerMessage::Note`].
    Note {
        /// As in the note document.
        note: Arc<Note>,
    },
    /// See [`ServerMessage::End`].
    End {
        /// All that was said.
        transcript: Box<Transcript>,
        /// What came of it.
        note: Box<Note>,
    },
    /// See [`ServerMessage::Erased`].
    Erased,
    /// See [`ServerMessage::Error`].
    Error {
        /// Stable, for programs.
        code: String,
        /// For people, in English.
        message: String,
        /// Whether the socket is closed next.
        fatal: bool,
    },
}

/// Why a client is refused or told off: the code and words of an `error` message, and the close that follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The close code.
    pub close: u16,
    /// Stable, for programs.
    pub code: &'static str,
    /// For people; holds nothing that the client sent but numbers and names of options.
    pub message: Cow<'static, str>,
}

impl Refusal {
    /// A refusal with this close code.
    #[must_use]
    pub fn new(close: u16, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { close, code, message: message.into() }
    }
}

/// 1003: the frame is not audio of the stated format, or no message.
pub const NOT_AUDIO: u16 = 1003;
/// 1008: refused.
pub const REFUSED: u16 = 1008;
/// 1009: too large.
pub const TOO_LARGE: u16 = 1009;
/// 1011: our fault.
pub const INTERNAL: u16 = 1011;
/// 1013: no room free now.
pub const TRY_LATER: u16 = 1013;

/// Reads a text frame.
///
/// # Errors
/// What is no message is refused, without quoting it.
pub fn parse(text: &str) -> Result<ClientMessage, Refusal> {
    fits(text.as_bytes())?;
    serde_json::from_str(text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Refusal::new(NOT_AUDIO, "bad_message", format!("a text frame is no message of this socket ({place})"))
    })
}

/// Counts the samples a channel of a binary frame.
///
/// # Errors
/// Frames that are too long, or not audio of this format.
pub fn count(frame: &[u8], format: &StreamFormat) -> Result<u64, Refusal> {
    fits(frame)?;
    format.samples(frame).map_err(|error| Refusal::new(NOT_AUDIO, "not_audio", error.to_string()))
}

fn fits(frame: &[u8]) -> Result<(), Refusal> {
    if frame.len() <= LONGEST_FRAME {
        return Ok(());
    }
    Err(Refusal::new(TOO_LARGE, "too_large", format!("a frame has {} bytes, more than 1 MiB", frame.len())))
}

/// What a client wants, as its address says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// To begin a recording.
    Begin {
        /// What its frames hold.
        format: StreamFormat,
        /// `yue`, `zh`, `en` or `auto`.
        language: String,
        /// Who speaks on each channel; empty where nobody says.
        speakers: Vec<String>,
        /// The visit that it belongs to.
        encounter: Option<String>,
    },
    /// To come back to one.
    Resume {
        /// Its id.
        recording: String,
    },
}

impl Opening {
    /// Reads the pairs of the address's query.
    ///
    /// # Errors
    /// A parameter that is missing, twice there or not what it can be.
    pub fn parse(query: &[(String, String)]) -> Result<Self, Refusal> {
        if let Some(recording) = parameter(query, "recording")? {
            return Ok(Self::Resume { recording: recording.to_owned() });
        }
        let missing = |name| Refusal::new(REFUSED, "refused", format!("the address lacks `{name}`"));
        let wrong = |name, expected| Refusal::new(REFUSED, "refused", format!("`{name}` in the address is not {expected}"));
        let rate = parameter(query, "rate")?.ok_or_else(|| missing("rate"))?;
        let rate: u32 = rate.parse().map_err(|_| wrong("rate", "a number of Hz"))?;
        let channels = parameter(query, "channels")?.unwrap_or("1");
        let channels: u16 = channels.parse().map_err(|_| wrong("channels", "a number from 1 to 8"))?;
        let encoding = parameter(query, "format")?.ok_or_else(|| missing("format"))?;
        let encoding = encoding.parse().map_err(|_| wrong("format", "`pcm_s16le`, `pcm_f32le` or `opus`"))?;
        let format = StreamFormat::new(encoding, rate, channels)
            .map_err(|error| Refusal::new(REFUSED, "refused", format!("the address asks for what cannot be heard: {error}")))?;
        let language = parameter(query, "language")?.unwrap_or("yue");
        if language != "auto" && language.parse::<Language>().is_err() {
            return Err(wrong("language", "`yue`, `zh`, `en` or `auto`"));
        }
        let speakers: Vec<String> =
            parameter(query, "speakers")?.map(|names| names.split(',').map(str::to_owned).collect()).unwrap_or_default();
        if !speakers.is_empty() && (speakers.len() != usize::from(channels) || !speakers.iter().all(|name| is_speaker(name))) {
            return Err(wrong("speakers", "one name a channel, of letters, digits, `_` and `-`, with commas between"));
        }
        let encounter = parameter(query, "encounter")?;
        if encounter.is_some_and(|id| {
            id.is_empty() || id.len() > 64 || !id.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        }) {
            return Err(wrong("encounter", "the id of a visit"));
        }
        Ok(Self::Begin { format, language: language.to_owned(), speakers, encounter: encounter.map(str::to_owned) })
    }
}

fn is_speaker(name: &str) -> bool {
    let characters = name.chars().count();
    (1..=LONGEST_SPEAKER).contains(&characters) && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

fn parameter<'a>(query: &'a [(String, String)], name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(Refusal::new(REFUSED, "refused", format!("`{name}` stands more than once in the address"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Vec<(String, String)> {
        text.split('&').filter_map(|pair| pair.split_once('=')).map(|(key, value)| (key.into(), value.into())).collect()
    }

    #[test]
    fn an_address_says_what_is_sent() {
        let opening = Opening::parse(&query("rate=48000&channels=2&format=pcm_s16le&language=auto&speakers=doctor,patient"));
        let Ok(Opening::Begin { format, language, speakers, encounter: None }) = opening else { panic!("{opening:?}") };
        assert_eq!((format.rate(), format.channels(), language.as_str()), (48_000, 2, "auto"));
        assert_eq!(speakers, ["doctor", "patient"]);
        let opening = Opening::parse(&query("rate=48000&format=pcm_s16le&encounter=a-Z_9"));
        assert!(matches!(opening, Ok(Opening::Begin { encounter: Some(id), .. }) if id == "a-Z_9"));
        let resumed = Opening::parse(&query("recording=abc")).unwrap();
        assert_eq!(resumed, Opening::Resume { recording: "abc".into() });
    }

    #[test]
    fn what_an_address_gets_wrong_is_named() {
        for (address, named) in [
            ("channels=1&format=pcm_s16le", "rate"),
            ("rate=fast&format=pcm_s16le", "rate"),
            ("rate=4000&format=pcm_s16le", "4000"),
            ("rate=48000&channels=9&format=pcm_s16le", "channels"),
            ("rate=48000&format=mp3", "format"),
            ("rate=44100&format=opus", "44100"),
            ("rate=48000&format=pcm_s16le&language=fr", "language"),
            ("rate=48000&rate=16000&format=pcm_s16le", "rate"),
            ("rate=48000&channels=2&format=pcm_s16le&speakers=doctor", "speakers"),
            ("rate=48000&channels=2&format=pcm_s16le&speakers=a,<b>", "speakers"),
            ("rate=48000&format=pcm_s16le&encounter=", "encounter"),
            ("rate=48000&format=pcm_s16le&encounter=a/b", "encounter"),
            ("rate=48000&format=pcm_s16le&encounter=a&encounter=b", "encounter"),
        ] {
            let refusal = Opening::parse(&query(address)).unwrap_err();
            assert!(refusal.message.contains(named), "{address}: {}", refusal.message);
            assert_eq!(refusal.close, REFUSED, "{address}");
        }
    }

    #[test]
    fn a_text_frame_is_one_of_five_messages() {
        assert!(matches!(parse(r#"{"type":"finish"}"#), Ok(ClientMessage::Finish)));
        assert!(matches!(parse(r#" {"type":"pause","why":"x"} "#), Ok(ClientMessage::Pause)));
        let Ok(ClientMessage::Resume { token }) = parse(r#"{"type":"resume","token":"secret"}"#) else { panic!("no resume") };
        assert_eq!(format!("{token:?}"), "SecretText(..)");
        for text in ["", "{", "[]", "{\"type\":\"stop\"}", "{\"type\":\"resume\"}", "\u{0}", "{\"type\":\"finish\"}{}"] {
            assert_eq!(parse(text).unwrap_err().code, "bad_message", "{text}");
        }
        assert_eq!(parse(&" ".repeat(LONGEST_FRAME + 1)).unwrap_err().code, "too_large");
        assert_eq!(parse(&"[".repeat(LONGEST_FRAME)).unwrap_err().code, "bad_message");
    }
}
