//! What a session was told of how to hear, in the words of today's interface and of the one before it.

use serde_json::{Map, Value, json};

use super::super::error::OpenAiError;
use super::super::request::{Loaded, is_loaded, language, words};
use super::super::turns::ServerVad;
use crate::speech::AgreementSettings;
use crate::speech::bias::WordList;
use crate::speech::endpoint::EndpointSettings;
use crate::speech::model::{DecodeOptions, Language};
use crate::text::PatientText;

/// Samples a second of what is sent.
pub(super) const RATE: u32 = 24_000;
/// Bytes of the longest prompt.
const LONGEST_PROMPT: usize = 16 << 10;

/// In which words a client speaks, and is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `session.update`
    Current,
    /// `transcription_session.update`
    Beta,
}

impl Dialect {
    /// What it calls the settings of transcription.
    pub const fn transcription(self) -> &'static str {
        match self {
            Self::Current => "session.audio.input.transcription",
            Self::Beta => "session.input_audio_transcription",
        }
    }
}

/// How long words wait before they are told, in OpenAI's names: later ones are changed less often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Delay {
    Minimal,
    Low,
    /// As long as the page's stable words.
    #[default]
    Medium,
    High,
    /// Until the utterance has ended: the deltas are then surely its text.
    XHigh,
}

impl Delay {
    const ALL: [Self; 5] = [Self::Minimal, Self::Low, Self::Medium, Self::High, Self::XHigh];

    const fn name(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
        }
    }

    /// Whether anything is told before an utterance has ended.
    pub fn is_before_the_end(self) -> bool {
        self != Self::XHigh
    }

    /// When words are told.
    pub fn agreement(self) -> AgreementSettings {
        let medium = AgreementSettings::default();
        let agreed_for = match self {
            Self::Minimal => medium.agreed_for / 2,
            Self::Low => medium.agreed_for / 4 * 3,
            Self::Medium => medium.agreed_for,
            Self::High | Self::XHigh => medium.agreed_for * 2,
        };
        AgreementSettings { agreed_for, ..medium }
    }
}

/// How a session hears.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// How utterances are decoded.
    pub options: DecodeOptions,
    /// Where they begin and end.
    pub endpoint: EndpointSettings,
    /// Nothing is committed unless the client says so.
    pub manual: bool,
    /// When words are told.
    pub delay: Delay,
    /// Words that the client expects.
    pub words: Option<WordList>,
}

impl Settings {
    /// As the server was started.
    pub fn new(loaded: Loaded<'_>) -> Self {
        // Nobody is told the words' times here.
        let options = DecodeOptions { word_times: false, ..loaded.options.clone() };
        Self { options, endpoint: loaded.endpoint.clone(), manual: false, delay: Delay::default(), words: None }
    }

    /// These settings with what a client's update says in their places. Null turns off what can be turned off.
    ///
    /// # Errors
    /// The first member that cannot be honoured.
    pub fn updated(&self, session: &Map<String, Value>, dialect: Dialect, loaded: Loaded<'_>) -> Result<Self, OpenAiError> {
        let mut settings = self.clone();
        match dialect {
            Dialect::Current => settings.update(session, loaded)?,
            Dialect::Beta => settings.update_beta(session, loaded)?,
        }
        Ok(settings)
    }

    fn update(&mut self, session: &Map<String, Value>, loaded: Loaded<'_>) -> Result<(), OpenAiError> {
        match session.get("type").and_then(Value::as_str) {
            Some("transcription") => {}
            Some(_) => return Err(unsupported("session.type", "there are `transcription` sessions only")),
            None => return Err(OpenAiError::Missing { param: "session.type" }),
        }
        for (name, value) in session {
            match name.as_str() {
                "type" => {}
                "include" => no_include(value, "session.include")?,
                "audio" => {
                    for (name, value) in object(value, "session.audio")? {
                        match name.as_str() {
                            "input" => self.update_input(object(value, "session.audio.input")?, loaded)?,
                            _ => return Err(unknown("session.audio", "`input`")),
                        }
                    }
                }
                _ => return Err(unknown("session", "`type`, `audio`, `include`")),
            }
        }
        Ok(())
    }

    fn update_input(&mut self, input: &Map<String, Value>, loaded: Loaded<'_>) -> Result<(), OpenAiError> {
        for (name, value) in input {
            match name.as_str() {
                "format" => format(value)?,
                "noise_reduction" => off(value, "session.audio.input.noise_reduction", "the audio is heard as it comes")?,
                "transcription" => self.transcription(value, Dialect::Current.transcription(), loaded)?,
                "turn_detection" => self.turn_detection(value, "session.audio.input.turn_detection", loaded)?,
                _ => {
                    return Err(unknown("session.audio.input", "`format`, `transcription`, `turn_detection`, `noise_reduction`"));
                }
            }
        }
        Ok(())
    }

    fn update_beta(&mut self, session: &Map<String, Value>, loaded: Loaded<'_>) -> Result<(), OpenAiError> {
        for (name, value) in session {
            match name.as_str() {
                "input_audio_format" if value == "pcm16" => {}
                "input_audio_format" => return Err(unsupported("session.input_audio_format", "send `pcm16` at 24000 Hz")),
                "input_audio_noise_reduction" => {
                    off(value, "session.input_audio_noise_reduction", "the audio is heard as it comes")?;
                }
                "input_audio_transcription" => self.transcription(value, Dialect::Beta.transcription(), loaded)?,
                "turn_detection" => self.turn_detection(value, "session.turn_detection", loaded)?,
                "include" => no_include(value, "session.include")?,
                _ => {
                    let known = "`input_audio_format`, `input_audio_transcription`, `turn_detection`, \
                                 `input_audio_noise_reduction`, `include`";
                    return Err(unknown("session", known));
                }
            }
        }
        Ok(())
    }

    fn transcription(&mut self, value: &Value, param: &'static str, loaded: Loaded<'_>) -> Result<(), OpenAiError> {
        if value.is_null() {
            return Err(unsupported(param, "a transcription session transcribes"));
        }
        for (name, value) in object(value, param)? {
            match (name.as_str(), value) {
                ("model", Value::String(model)) if is_loaded(model, loaded.name) => {}
                ("model", Value::String(_)) => return Err(OpenAiError::NoSuchModel { loaded: loaded.name.to_owned() }),
                ("language", Value::String(code)) => self.options.language = language(code, loaded.capabilities)?,
                ("language", Value::Null) => self.options.language = loaded.options.language,
                ("prompt", Value::String(prompt)) if prompt.len() > LONGEST_PROMPT => {
                    return Err(OpenAiError::invalid(param, "has a prompt longer than 16 KiB"));
                }
                ("prompt", Value::String(_)) if !loaded.capabilities.prompt => {
                    return Err(unsupported(param, "the loaded model takes no prompt"));
                }
                ("prompt", Value::String(prompt)) => self.options.prompt = Some(PatientText::from(prompt.as_str())),
                ("prompt", Value::Null) => self.options.prompt = None,
                ("keywords", Value::Null) => self.words = None,
                ("keywords", Value::Array(named)) => {
                    let named = named.iter().map(Value::as_str).collect::<Option<Vec<_>>>();
                    let named = named.ok_or_else(|| OpenAiError::invalid(param, "has `keywords` that are no strings"))?;
                    self.words = words(param, &named, loaded)?;
                }
                ("delay", Value::Null) => self.delay = Delay::default(),
                ("delay", Value::String(name)) => {
                    let delay = Delay::ALL.into_iter().find(|delay| delay.name() == name);
                    let names = "has a `delay` that is none of `minimal`, `low`, `medium`, `high`, `xhigh`";
                    self.delay = delay.ok_or_else(|| OpenAiError::invalid(param, names))?;
                }
                ("languages", Value::Null) => {}
                ("languages", _) => return Err(unsupported(param, "name one `language`, or `auto`, and no `languages`")),
                ("model" | "language" | "prompt" | "delay", _) => {
                    return Err(OpenAiError::invalid(param, "has a member that is no string"));
                }
                ("keywords", _) => return Err(OpenAiError::invalid(param, "has `keywords` that are no list")),
                _ => return Err(unknown(param, "`model`, `language`, `prompt`, `keywords`, `delay`")),
            }
        }
        Ok(())
    }

    fn turn_detection(&mut self, value: &Value, param: &'static str, loaded: Loaded<'_>) -> Result<(), OpenAiError> {
        if value.is_null() {
            self.manual = true;
            return Ok(());
        }
        let mut members = object(value, param)?.clone();
        match members.remove("type").as_ref().and_then(Value::as_str) {
            Some("server_vad") => {}
            Some(_) => return Err(unsupported(param, "only `server_vad` and null are")),
            None => return Err(OpenAiError::invalid(param, "lacks its `type`")),
        }
        for name in ["create_response", "interrupt_response"] {
            match members.remove(name) {
                None | Some(Value::Null | Value::Bool(false)) => {}
                Some(_) => return Err(unsupported(param, "a transcription session makes no responses")),
            }
        }
        match members.remove("idle_timeout_ms") {
            None | Some(Value::Null) => {}
            Some(_) => return Err(unsupported(param, "there is no `idle_timeout_ms`")),
        }
        let wrong =
            "has a member that is none of `threshold`, `prefix_padding_ms`, `silence_duration_ms`, or no number of its kind";
        let vad: ServerVad = serde_json::from_value(Value::Object(members)).map_err(|_| OpenAiError::invalid(param, wrong))?;
        let applied = vad.apply(loaded.endpoint);
        self.endpoint =
            applied.map_err(|wrong| OpenAiError::invalid(param, format!("has a `{}` that {}", wrong.name, wrong.expected)))?;
        self.manual = false;
        Ok(())
    }

    /// The session, as its client is told.
    pub fn document(&self, id: &str, model: &str, dialect: Dialect) -> Value {
        let transcription = json!({
            "model": model,
            "language": self.options.language.map_or("auto", Language::code),
            "prompt": self.options.prompt.as_ref().map_or("", PatientText::reveal),
            "keywords": self.words.iter().flat_map(WordList::words).map(|word| word.written.reveal()).collect::<Vec<_>>(),
            "delay": self.delay.name(),
        });
        // As few digits as were given.
        let threshold = (f64::from(self.endpoint.speech_probability) * 1e4).round() / 1e4;
        let turns = if self.manual {
            Value::Null
        } else {
            json!({
                "type": "server_vad",
                "threshold": threshold,
                "prefix_padding_ms": self.endpoint.padding_before_ms,
                "silence_duration_ms": self.endpoint.pause_ms,
            })
        };
        match dialect {
            Dialect::Current => json!({
                "id": id,
                "object": "realtime.transcription_session",
                "type": "transcription",
                "audio": { "input": {
                    "format": { "type": "audio/pcm", "rate": RATE },
                    "transcription": transcription,
                    "noise_reduction": null,
                    "turn_detection": turns,
                } },
                "include": null,
            }),
            Dialect::Beta => json!({
                "id": id,
                "object": "realtime.transcription_session",
                "input_audio_format": "pcm16",
                "input_audio_transcription": transcription,
                "input_audio_noise_reduction": null,
                "turn_detection": turns,
                "include": null,
            }),
        }
    }
}

fn format(value: &Value) -> Result<(), OpenAiError> {
    const PARAM: &str = "session.audio.input.format";
    let format = object(value, PARAM)?;
    let fits = format.iter().all(|(name, value)| match name.as_str() {
        "type" => value == "audio/pcm",
        "rate" => value == RATE,
        _ => false,
    });
    if fits { Ok(()) } else { Err(unsupported(PARAM, "send `audio/pcm` at 24000 Hz: 16-bit little-endian, one channel")) }
}

fn no_include(value: &Value, param: &'static str) -> Result<(), OpenAiError> {
    if value.as_array().is_some_and(Vec::is_empty) {
        return Ok(());
    }
    off(value, param, "the model's token probabilities are not given out")
}

fn off(value: &Value, param: &'static str, why: &'static str) -> Result<(), OpenAiError> {
    if value.is_null() { Ok(()) } else { Err(unsupported(param, why)) }
}

fn object<'a>(value: &'a Value, param: &'static str) -> Result<&'a Map<String, Value>, OpenAiError> {
    value.as_object().ok_or_else(|| OpenAiError::invalid(param, "is no object"))
}

fn unsupported(param: &'static str, why: &'static str) -> OpenAiError {
    OpenAiError::Unsupported { param, why: why.into() }
}

fn unknown(param: &'static str, known: &str) -> OpenAiError {
    OpenAiError::invalid(param, format!("has a member that is none of {known}"))
}

#[cfg(test)]
mod tests;
