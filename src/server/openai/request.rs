//! What a program asks for, from the fields of its form: each is honoured or refused.

use std::str::FromStr;

use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::error::OpenAiError;
use super::form::FILE;
use super::turns::{OutOfRange, ServerVad};
use crate::engine::Models;
use crate::speech::SpeechError;
use crate::speech::bias::WordList;
use crate::speech::endpoint::EndpointSettings;
use crate::speech::model::{Capabilities, DecodeOptions, Language};
use crate::speech::script::HongKongScript;
use crate::text::PatientText;

/// The name that stands for whatever model is loaded: many programs have no other, or cannot be told one.
pub(super) const ALIAS: &str = "whisper-1";
/// Words that one request or session may name: a clinic's list may be longer, and is the server's.
pub(super) const MOST_WORDS: usize = 1_000;
/// Temperatures above 0 rise by so much until the guards accept a reading, as OpenAI's Whisper does.
const STEP: f32 = 0.2;

/// The text fields that are honoured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    Model,
    Language,
    Prompt,
    Keywords,
    ResponseFormat,
    Temperature,
    Granularities,
    Stream,
    Chunking,
    ChunkingType,
    ChunkingPadding,
    ChunkingSilence,
    ChunkingThreshold,
}

impl Parameter {
    const ALL: [Self; 13] = [
        Self::Model,
        Self::Language,
        Self::Prompt,
        Self::Keywords,
        Self::ResponseFormat,
        Self::Temperature,
        Self::Granularities,
        Self::Stream,
        Self::Chunking,
        Self::ChunkingType,
        Self::ChunkingPadding,
        Self::ChunkingSilence,
        Self::ChunkingThreshold,
    ];

    /// As the form has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Language => "language",
            Self::Prompt => "prompt",
            Self::Keywords => "keywords[]",
            Self::ResponseFormat => "response_format",
            Self::Temperature => "temperature",
            Self::Granularities => "timestamp_granularities[]",
            Self::Stream => "stream",
            Self::Chunking => "chunking_strategy",
            Self::ChunkingType => "chunking_strategy[type]",
            Self::ChunkingPadding => "chunking_strategy[prefix_padding_ms]",
            Self::ChunkingSilence => "chunking_strategy[silence_duration_ms]",
            Self::ChunkingThreshold => "chunking_strategy[threshold]",
        }
    }

    /// What it is, for the description of this interface.
    const fn meaning(self) -> &'static str {
        match self {
            Self::Model => "The loaded model's name (`GET /v1/models`), or `whisper-1`, which stands for it",
            Self::Language => {
                "`yue`, `zh`, `en`, or `auto` to find it for each utterance; as the server was started when not said"
            }
            Self::Prompt => {
                "What was said before, or words to expect: at most 16 KiB, of which a model may use the end only. The model reads it as \
                 text and may write some of it out again; `keywords[]` are only written where they are heard"
            }
            Self::Keywords => {
                "Words to expect, such as names of drugs and people: a field each, at most 1000 of at most 64 characters. One is written \
                 where it is about as likely as what would have been written without it, beside those the server itself expects"
            }
            Self::ResponseFormat => "`json` (when not said), `text`, `srt`, `verbose_json` or `vtt`",
            Self::Temperature => "From 0 to 1: where sampling begins; it rises by 0.2 until the text can be trusted",
            Self::Granularities => "`word`, `segment` or both, with `verbose_json` only; `segment` when not said",
            Self::Stream => "`true` for server-sent events, with `json` only",
            Self::Chunking => "`auto`, or `server_vad` as a JSON object or as fields of its own; `auto` when not said",
            Self::ChunkingType => "`server_vad`",
            Self::ChunkingPadding => "Milliseconds kept before speech, 0 to 1000",
            Self::ChunkingSilence => "Milliseconds of silence that end an utterance, 100 to 5000",
            Self::ChunkingThreshold => "Probability from which sound is speech, 0.05 to 0.95",
        }
    }

    /// The parameter of this name.
    ///
    /// # Errors
    /// A name that is none, or that of a parameter which OpenAI has and this server does not honour.
    pub fn named(name: &str) -> Result<Self, OpenAiError> {
        if let Some(known) = Self::ALL.into_iter().find(|known| known.name() == name) {
            return Ok(known);
        }
        let unsupported = |param, why: &'static str| Err(OpenAiError::Unsupported { param, why: why.into() });
        match name {
            "include[]" => unsupported("include[]", "the model's token probabilities are not given out"),
            "languages[]" => unsupported("languages[]", "name one in `language`, or `auto`"),
            "known_speaker_names[]" => unsupported("known_speaker_names[]", "speakers are not told apart"),
            "known_speaker_references[]" => unsupported("known_speaker_references[]", "speakers are not told apart"),
            _ => {
                let known: Vec<&str> = [FILE].into_iter().chain(Self::ALL.iter().map(|known| known.name())).collect();
                Err(OpenAiError::Unknown { known: known.join(", ") })
            }
        }
    }
}

/// The form as its description has it: one property a parameter.
pub(super) struct TranscriptionForm;

impl PartialSchema for TranscriptionForm {
    fn schema() -> RefOr<Schema> {
        let file = ObjectBuilder::new().schema_type(Type::String).content_media_type("application/octet-stream");
        let file = file.description(Some("WAV, FLAC, MP3, AAC, M4A, Ogg, Opus, WebM, AIFF or CAF, told by content"));
        let mut form = ObjectBuilder::new().property(FILE, file).required(FILE).required(Parameter::Model.name());
        for parameter in Parameter::ALL {
            let text = ObjectBuilder::new().schema_type(Type::String);
            form = match parameter {
                Parameter::Granularities | Parameter::Keywords => {
                    form.property(parameter.name(), ArrayBuilder::new().items(text).description(Some(parameter.meaning())))
                }
                _ => form.property(parameter.name(), text.description(Some(parameter.meaning()))),
            };
        }
        form.into()
    }
}

impl ToSchema for TranscriptionForm {}

/// The form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResponseFormat {
    Json,
    Text,
    Srt,
    Vtt,
    /// With the times of what is asked for.
    VerboseJson {
        words: bool,
        segments: bool,
    },
    /// Server-sent events.
    Stream,
}

/// A request that can be done.
#[derive(Debug, Clone)]
pub(super) struct Transcription {
    /// How utterances are decoded.
    pub options: DecodeOptions,
    /// Where they begin and end.
    pub endpoint: EndpointSettings,
    /// Words to expect beside those of the server.
    pub words: Option<WordList>,
    /// How they are told.
    pub format: ResponseFormat,
}

/// What the server has to do it with.
#[derive(Clone, Copy)]
pub(super) struct Loaded<'a> {
    /// The model's name.
    pub name: &'a str,
    /// What it can do.
    pub capabilities: &'a Capabilities,
    /// How it is asked where the request does not say.
    pub options: &'a DecodeOptions,
    /// Where utterances begin and end where the request does not say.
    pub endpoint: &'a EndpointSettings,
    /// The characters that are written.
    pub script: &'a HongKongScript,
}

impl<'a> Loaded<'a> {
    /// What an engine has.
    pub fn of(models: &'a Models) -> Self {
        Self {
            name: &models.identity.name,
            capabilities: models.recognizer.capabilities(),
            options: &models.options,
            endpoint: &models.endpoint,
            script: models.writing.script(),
        }
    }
}

/// Whether a request may call the loaded model so.
pub(super) fn is_loaded(name: &str, loaded: &str) -> bool {
    name == loaded || name == ALIAS
}

/// Reads the fields.
///
/// # Errors
/// The first of them that cannot be honoured.
pub(super) fn parse(fields: &[(Parameter, PatientText)], loaded: Loaded<'_>) -> Result<Transcription, OpenAiError> {
    let fields = Fields(fields);
    let model = fields.one(Parameter::Model)?.ok_or(OpenAiError::Missing { param: Parameter::Model.name() })?;
    if !is_loaded(model, loaded.name) {
        return Err(OpenAiError::NoSuchModel { loaded: loaded.name.to_owned() });
    }
    let mut options = loaded.options.clone();
    if let Some(code) = fields.one(Parameter::Language)? {
        options.language = language(code, loaded.capabilities)?;
    }
    if let Some(prompt) = fields.one(Parameter::Prompt)? {
        if !loaded.capabilities.prompt {
            return Err(unsupported(Parameter::Prompt, loaded.name));
        }
        options.prompt = Some(PatientText::from(prompt));
    }
    let words = words(Parameter::Keywords.name(), &fields.all(Parameter::Keywords).collect::<Vec<_>>(), loaded)?;
    if let Some(temperature) = fields.one(Parameter::Temperature)? {
        temperatures(temperature, &mut options)?;
    }
    let format = format(&fields)?;
    options.word_times = matches!(format, ResponseFormat::VerboseJson { words: true, .. });
    if options.word_times && !loaded.capabilities.word_times {
        return Err(unsupported(Parameter::Granularities, loaded.name));
    }
    let endpoint = chunking(&fields)?.apply(loaded.endpoint).map_err(|OutOfRange { name, expected }| {
        let param = Parameter::ALL.into_iter().map(Parameter::name).find(|param| param.ends_with(&format!("[{name}]")));
        OpenAiError::invalid(param.unwrap_or(Parameter::Chunking.name()), expected)
    })?;
    Ok(Transcription { options, endpoint, words, format })
}

fn unsupported(parameter: Parameter, model: &str) -> OpenAiError {
    OpenAiError::Unsupported { param: parameter.name(), why: format!("the model `{model}` does not take it").into() }
}

/// Words to expect, where any are named.
pub(super) fn words(param: &'static str, words: &[&str], loaded: Loaded<'_>) -> Result<Option<WordList>, OpenAiError> {
    if words.len() > MOST_WORDS {
        return Err(too_many_words(param));
    }
    if !words.is_empty() && !loaded.capabilities.word_list {
        let why = format!("the model `{}` takes no list of words", loaded.name).into();
        return Err(OpenAiError::Unsupported { param, why });
    }
    WordList::of(words.iter().copied(), loaded.script).map_err(|error| word_refused(param, &error))
}

/// More than [`MOST_WORDS`].
pub(super) fn too_many_words(param: &'static str) -> OpenAiError {
    OpenAiError::invalid(param, format!("has more than {MOST_WORDS} words"))
}

/// Why a word cannot be expected, by its number and not by what it is.
pub(super) fn word_refused(param: &'static str, error: &SpeechError) -> OpenAiError {
    match error {
        SpeechError::WordList { line, problem } => {
            OpenAiError::invalid(param, format!("has a word, number {line}, that {problem}"))
        }
        error => OpenAiError::internal(error),
    }
}

/// Nothing for `auto`.
pub(super) fn language(code: &str, capabilities: &Capabilities) -> Result<Option<Language>, OpenAiError> {
    if code == "auto" {
        return Ok(None);
    }
    let known = capabilities.languages.iter().find(|language| language.code() == code);
    let codes = || capabilities.languages.iter().map(|language| language.code()).collect::<Vec<_>>().join("`, `");
    match known {
        Some(language) => Ok(Some(*language)),
        None => Err(OpenAiError::invalid(Parameter::Language.name(), format!("is none of `{}`, `auto`", codes()))),
    }
}

fn temperatures(value: &str, options: &mut DecodeOptions) -> Result<(), OpenAiError> {
    let lowest: f32 = number(Parameter::Temperature, value)?;
    if !(0.0..=1.0).contains(&lowest) {
        return Err(OpenAiError::invalid(Parameter::Temperature.name(), "is not from 0 to 1"));
    }
    // 0 is how the server hears anyway.
    if lowest > 0.0 {
        let rising = (0_u8..).map(|step| lowest + STEP * f32::from(step));
        options.temperatures = rising.take_while(|temperature| *temperature <= 1.0 + f32::EPSILON).collect();
    }
    Ok(())
}

fn number<T: FromStr>(parameter: Parameter, value: &str) -> Result<T, OpenAiError> {
    value.trim().parse().map_err(|_| OpenAiError::invalid(parameter.name(), "is no number of its kind"))
}

fn format(fields: &Fields<'_>) -> Result<ResponseFormat, OpenAiError> {
    let (mut words, mut segments) = (false, false);
    for granularity in fields.all(Parameter::Granularities) {
        match granularity {
            "word" => words = true,
            "segment" => segments = true,
            _ => return Err(OpenAiError::invalid(Parameter::Granularities.name(), "is neither `word` nor `segment`")),
        }
    }
    let timed = words || segments;
    let name = fields.one(Parameter::ResponseFormat)?.unwrap_or("json");
    let format = match name {
        "json" => ResponseFormat::Json,
        "text" => ResponseFormat::Text,
        "srt" => ResponseFormat::Srt,
        "vtt" => ResponseFormat::Vtt,
        "verbose_json" => ResponseFormat::VerboseJson { words, segments: segments || !timed },
        "diarized_json" => {
            let (param, why) = (Parameter::ResponseFormat.name(), "speakers are not told apart".into());
            return Err(OpenAiError::Unsupported { param, why });
        }
        _ => {
            let problem = "is none of `json`, `text`, `srt`, `verbose_json`, `vtt`";
            return Err(OpenAiError::invalid(Parameter::ResponseFormat.name(), problem));
        }
    };
    if timed && !matches!(format, ResponseFormat::VerboseJson { .. }) {
        return Err(OpenAiError::invalid(Parameter::Granularities.name(), "needs `response_format` to be `verbose_json`"));
    }
    let stream = match fields.one(Parameter::Stream)?.unwrap_or("false") {
        "true" => true,
        "false" => false,
        _ => return Err(OpenAiError::invalid(Parameter::Stream.name(), "is neither `true` nor `false`")),
    };
    match (stream, format) {
        (false, format) => Ok(format),
        (true, ResponseFormat::Json) => Ok(ResponseFormat::Stream),
        (true, _) => Err(OpenAiError::invalid(Parameter::Stream.name(), "needs `response_format` to be `json`")),
    }
}

/// `auto`, a JSON object, or one field for each of its members, as clients write objects into forms.
fn chunking(fields: &Fields<'_>) -> Result<ServerVad, OpenAiError> {
    let mut members = Map::new();
    let whole = fields.one(Parameter::Chunking)?;
    if let Some(kind) = fields.one(Parameter::ChunkingType)? {
        members.insert("type".to_owned(), Value::from(kind));
    }
    for (parameter, name) in
        [(Parameter::ChunkingPadding, "prefix_padding_ms"), (Parameter::ChunkingSilence, "silence_duration_ms")]
    {
        if let Some(value) = fields.one(parameter)? {
            members.insert(name.to_owned(), Value::from(number::<u32>(parameter, value)?));
        }
    }
    if let Some(value) = fields.one(Parameter::ChunkingThreshold)? {
        members.insert("threshold".to_owned(), Value::from(number::<f32>(Parameter::ChunkingThreshold, value)?));
    }
    let wrong = || OpenAiError::invalid(Parameter::Chunking.name(), "is neither `auto` nor a `server_vad` object of numbers");
    let mut members = match (whole, members.is_empty()) {
        (None, true) | (Some("auto"), true) => return Ok(ServerVad::default()),
        (None, false) => members,
        (Some(json), true) => serde_json::from_str::<Map<String, Value>>(json).map_err(|_| wrong())?,
        (Some(_), false) => return Err(OpenAiError::Repeated { param: Parameter::Chunking.name() }),
    };
    if members.remove("type") != Some(Value::from("server_vad")) {
        return Err(wrong());
    }
    serde_json::from_value(Value::Object(members)).map_err(|_| wrong())
}

struct Fields<'a>(&'a [(Parameter, PatientText)]);

impl<'a> Fields<'a> {
    fn all(&self, parameter: Parameter) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(name, _)| *name == parameter).map(|(_, value)| value.reveal())
    }

    fn one(&self, parameter: Parameter) -> Result<Option<&'a str>, OpenAiError> {
        let mut values = self.all(parameter);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(OpenAiError::Repeated { param: parameter.name() }),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
