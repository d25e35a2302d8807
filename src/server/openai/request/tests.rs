use super::*;
use crate::speech::model::{Context, Search};

/// A Whisper's.
pub(in crate::server::openai) fn capabilities() -> Capabilities {
    Capabilities {
        family: "whisper",
        languages: Language::ALL.to_vec(),
        longest: 480_000,
        prompt: true,
        word_list: true,
        word_times: true,
        short_context: true,
        sampling: true,
    }
}

fn asked_of(capabilities: &Capabilities, pairs: &[(&str, &str)]) -> Result<Transcription, OpenAiError> {
    let mut fields = Vec::new();
    for (name, value) in pairs {
        fields.push((Parameter::named(name)?, PatientText::from(*value)));
    }
    let (options, endpoint) = (DecodeOptions::default(), EndpointSettings::default());
    let script = HongKongScript::load().unwrap();
    parse(&fields, Loaded { name: "whisper-base", capabilities, options: &options, endpoint: &endpoint, script: &script })
}

fn asked(pairs: &[(&str, &str)]) -> Result<Transcription, OpenAiError> {
    let with_model: Vec<_> = [("model", "whisper-base")].iter().chain(pairs).copied().collect();
    asked_of(&capabilities(), &with_model)
}

/// The status, the code and the parameter of a refusal, and its words.
fn refused(pairs: &[(&str, &str)]) -> (u16, String, String) {
    let error = asked(pairs).unwrap_err();
    let document = serde_json::json!(error.document());
    let text = |key: &str| document["error"][key].as_str().unwrap_or_default().to_owned();
    assert!(text("message").len() > 10 && !text("type").is_empty(), "{document}");
    let status = axum::response::IntoResponse::into_response(error).status();
    (status.as_u16(), text("code"), text("param"))
}

#[test]
fn what_is_not_said_is_as_the_server_hears() {
    let Transcription { options, endpoint, words, format } = asked(&[]).unwrap();
    assert_eq!(words, None);
    let own = DecodeOptions::default();
    assert_eq!((options.language, options.temperatures, options.context), (own.language, own.temperatures, Context::Speech));
    assert_eq!((options.search, options.prompt, options.word_times), (Search::Greedy, None, false));
    assert_eq!((endpoint, format), (EndpointSettings::default(), ResponseFormat::Json));
}

#[test]
fn what_is_said_is_honoured() {
    let heard = asked(&[
        ("language", "en"),
        ("prompt", "metformin"),
        ("keywords[]", "陳大文醫生"),
        ("keywords[]", " Tamiflu "),
        ("temperature", "0.5"),
        ("response_format", "verbose_json"),
        ("timestamp_granularities[]", "word"),
        ("chunking_strategy[type]", "server_vad"),
        ("chunking_strategy[silence_duration_ms]", "200"),
        ("chunking_strategy[prefix_padding_ms]", "100"),
        ("chunking_strategy[threshold]", "0.1"),
    ])
    .unwrap();
    assert_eq!(heard.options.language, Some(Language::English));
    assert_eq!(heard.options.prompt.unwrap().reveal(), "metformin");
    let words: Vec<String> = heard.words.unwrap().words().iter().map(|word| word.written.reveal().to_owned()).collect();
    assert_eq!(words, ["陳大文醫生", "Tamiflu"]);
    assert_eq!(heard.options.temperatures, [0.5, 0.7, 0.9]);
    assert!(heard.options.word_times);
    assert_eq!(heard.format, ResponseFormat::VerboseJson { words: true, segments: false });
    let EndpointSettings { pause_ms, padding_before_ms, padding_after_ms, .. } = heard.endpoint;
    assert_eq!((pause_ms, padding_before_ms, padding_after_ms), (200, 100, 200));
    assert!((heard.endpoint.speech_probability, heard.endpoint.silence_probability) == (0.1, 0.1));
    crate::speech::endpoint::Endpointer::new(heard.endpoint).map(drop).unwrap();
    assert_eq!(asked(&[("language", "auto")]).unwrap().options.language, None);
    assert_eq!(asked(&[("temperature", "0")]).unwrap().options.temperatures, DecodeOptions::default().temperatures);
    assert_eq!(asked(&[("temperature", "1")]).unwrap().options.temperatures, [1.0]);
    let verbose = asked(&[("response_format", "verbose_json")]).unwrap();
    assert_eq!(verbose.format, ResponseFormat::VerboseJson { words: false, segments: true });
    assert!(!verbose.options.word_times);
    assert_eq!(asked(&[("stream", "true")]).unwrap().format, ResponseFormat::Stream);
    assert_eq!(asked(&[("chunking_strategy", "auto")]).unwrap().endpoint, EndpointSettings::default());
    let object = asked(&[("chunking_strategy", r#"{"type":"server_vad","silence_duration_ms":900}"#)]).unwrap();
    assert_eq!(object.endpoint.pause_ms, 900);
    assert!(asked_of(&capabilities(), &[("model", ALIAS)]).is_ok());
}

#[test]
fn each_range_that_is_allowed_makes_settings_that_hold() {
    for silence in [100, 320, 5000] {
        for padding in [0, 1000] {
            for threshold in [0.05, 0.15, 0.95] {
                let vad = ServerVad {
                    threshold: Some(threshold),
                    prefix_padding_ms: Some(padding),
                    silence_duration_ms: Some(silence),
                };
                let settings = vad.apply(&EndpointSettings::default()).unwrap();
                assert!(crate::speech::endpoint::Endpointer::new(settings).is_ok(), "{vad:?}");
            }
        }
    }
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    let verbose = ("response_format", "verbose_json");
    for (pairs, code, param) in [
        (&[("language", "fr")][..], "invalid_value", "language"),
        (&[("language", "")], "invalid_value", "language"),
        (&[("language", "zh-HK")], "invalid_value", "language"),
        (&[("language", "en"), ("language", "en")], "invalid_value", "language"),
        (&[("temperature", "1.5")], "invalid_value", "temperature"),
        (&[("temperature", "-0.1")], "invalid_value", "temperature"),
        (&[("temperature", "NaN")], "invalid_value", "temperature"),
        (&[("temperature", "warm")], "invalid_value", "temperature"),
        (&[("response_format", "pdf")], "invalid_value", "response_format"),
        (&[("response_format", "diarized_json")], "unsupported_parameter", "response_format"),
        (&[("timestamp_granularities[]", "word")], "invalid_value", "timestamp_granularities[]"),
        (&[verbose, ("timestamp_granularities[]", "char")], "invalid_value", "timestamp_granularities[]"),
        (&[("stream", "yes")], "invalid_value", "stream"),
        (&[("stream", "true"), ("response_format", "srt")], "invalid_value", "stream"),
        (&[("stream", "true"), verbose], "invalid_value", "stream"),
        (&[("include[]", "logprobs")], "unsupported_parameter", "include[]"),
        (&[("keywords[]", "")], "invalid_value", "keywords[]"),
        (&[("keywords[]", "metformin"), ("keywords[]", "痛")], "invalid_value", "keywords[]"),
        (&[("keywords[]", "metformin\namlodipine")], "invalid_value", "keywords[]"),
        (&[("keywords[]", "metformin"); MOST_WORDS + 1], "invalid_value", "keywords[]"),
        (&[("keywords", "metformin")], "unknown_parameter", ""),
        (&[("languages[]", "en")], "unsupported_parameter", "languages[]"),
        (&[("known_speaker_names[]", "a")], "unsupported_parameter", "known_speaker_names[]"),
        (&[("known_speaker_references[]", "a")], "unsupported_parameter", "known_speaker_references[]"),
        (&[("best_of", "3")], "unknown_parameter", ""),
        (&[("timestamp_granularities", "word")], "unknown_parameter", ""),
        (&[("chunking_strategy", "manual")], "invalid_value", "chunking_strategy"),
        (&[("chunking_strategy", "{}")], "invalid_value", "chunking_strategy"),
        (&[("chunking_strategy", r#"{"type":"server_vad","speed":1}"#)], "invalid_value", "chunking_strategy"),
        (&[("chunking_strategy", r#"{"type":"server_vad","threshold":"x"}"#)], "invalid_value", "chunking_strategy"),
        (&[("chunking_strategy", "auto"), ("chunking_strategy[type]", "server_vad")], "invalid_value", "chunking_strategy"),
        (&[("chunking_strategy[threshold]", "0.5")], "invalid_value", "chunking_strategy"),
        (
            &[("chunking_strategy[type]", "server_vad"), ("chunking_strategy[threshold]", "2")],
            "invalid_value",
            "chunking_strategy[threshold]",
        ),
        (
            &[("chunking_strategy[type]", "server_vad"), ("chunking_strategy[silence_duration_ms]", "99")],
            "invalid_value",
            "chunking_strategy[silence_duration_ms]",
        ),
        (
            &[("chunking_strategy[type]", "server_vad"), ("chunking_strategy[prefix_padding_ms]", "-1")],
            "invalid_value",
            "chunking_strategy[prefix_padding_ms]",
        ),
    ] {
        assert_eq!(refused(pairs), (400, code.to_owned(), param.to_owned()), "{pairs:?}");
    }
}

#[test]
fn another_model_is_not_found_and_none_is_missing() {
    let wrong = asked_of(&capabilities(), &[("model", "gpt-4o-transcribe")]).unwrap_err();
    assert_eq!(serde_json::json!(wrong.document())["error"]["code"], "model_not_found");
    assert_eq!(serde_json::json!(wrong.document())["error"]["param"], "model");
    assert!(wrong.to_string().contains("whisper-base") && !wrong.to_string().contains("gpt"), "{wrong}");
    let missing = asked_of(&capabilities(), &[]).unwrap_err();
    assert_eq!(serde_json::json!(missing.document())["error"]["code"], "missing_required_parameter");
}

#[test]
fn what_the_model_cannot_do_is_refused() {
    let plain = Capabilities {
        prompt: false,
        word_list: false,
        word_times: false,
        languages: vec![Language::Cantonese],
        ..capabilities()
    };
    for pairs in [
        &[("model", "whisper-base"), ("prompt", "x")][..],
        &[("model", "whisper-base"), ("keywords[]", "metformin")],
        &[("model", "whisper-base"), ("response_format", "verbose_json"), ("timestamp_granularities[]", "word")],
    ] {
        assert_eq!(
            serde_json::json!(asked_of(&plain, pairs).unwrap_err().document())["error"]["code"],
            "unsupported_parameter",
            "{pairs:?}"
        );
    }
    assert!(asked_of(&plain, &[("model", "whisper-base"), ("language", "en")]).is_err());
    assert!(asked_of(&plain, &[("model", "whisper-base"), ("language", "yue")]).is_ok());
}

#[test]
fn no_refusal_quotes_what_was_sent() {
    let said = "朱古力西多士";
    for name in Parameter::ALL.map(Parameter::name).into_iter().chain([said]) {
        // These say anything.
        if matches!(name, "prompt" | "keywords[]") {
            continue;
        }
        let pairs: Vec<(&str, &str)> = if name == "model" { vec![] } else { vec![("model", "whisper-base")] };
        let pairs: Vec<(&str, &str)> = pairs.into_iter().chain([(name, said)]).collect();
        let error = asked_of(&capabilities(), &pairs).unwrap_err();
        assert!(!format!("{error} {error:?} {}", serde_json::json!(error.document())).contains("朱古力"), "{name}");
    }
    let error = asked(&[("keywords[]", "metformin"), ("keywords[]", "朱古力\n西多士")]).unwrap_err();
    let told = format!("{error} {error:?} {}", serde_json::json!(error.document()));
    assert!(told.contains("number 2") && !told.contains("朱古力"), "{told}");
}
