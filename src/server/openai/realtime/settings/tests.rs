use super::*;
use crate::server::openai::request::tests::capabilities;
use crate::speech::script::HongKongScript;

fn updated(session: &Value, dialect: Dialect) -> Result<Settings, OpenAiError> {
    let (capabilities, options, endpoint) = (capabilities(), DecodeOptions::default(), EndpointSettings::default());
    let script = HongKongScript::load().unwrap();
    let loaded =
        Loaded { name: "whisper-base", capabilities: &capabilities, options: &options, endpoint: &endpoint, script: &script };
    Settings::new(loaded).updated(session.as_object().unwrap(), dialect, loaded)
}

fn input(input: Value) -> Value {
    json!({ "type": "transcription", "audio": { "input": input } })
}

#[test]
fn what_an_update_says_is_honoured_and_told() {
    let session = input(json!({
        "format": { "type": "audio/pcm", "rate": 24_000 },
        "noise_reduction": null,
        "transcription": { "model": "whisper-1", "language": "en", "prompt": "metformin", "keywords": ["陳大文"], "delay": "low" },
        "turn_detection": { "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500 },
    }));
    let settings = updated(&session, Dialect::Current).unwrap();
    assert_eq!((settings.options.language, settings.manual), (Some(Language::English), false));
    let document = settings.document("sess_1", "whisper-base", Dialect::Current);
    let told = &document["audio"]["input"];
    let transcription = session["audio"]["input"]["transcription"].clone();
    assert_eq!(told["transcription"]["model"], "whisper-base");
    for name in ["language", "prompt", "keywords", "delay"] {
        assert_eq!(told["transcription"][name], transcription[name], "{name}");
    }
    let plain = updated(&input(json!({ "transcription": { "keywords": [], "delay": null } })), Dialect::Current).unwrap();
    assert_eq!((plain.words, plain.delay), (None, Delay::Medium));
    assert_eq!(told["turn_detection"], session["audio"]["input"]["turn_detection"]);
    assert_eq!((&document["type"], &document["id"]), (&json!("transcription"), &json!("sess_1")));
    let manual = updated(&input(json!({ "turn_detection": null })), Dialect::Current).unwrap();
    assert!(manual.manual && manual.document("", "", Dialect::Current)["audio"]["input"]["turn_detection"].is_null());
}

#[test]
fn the_older_words_are_understood() {
    let session = json!({
        "input_audio_format": "pcm16",
        "input_audio_transcription": { "model": "whisper-base", "language": "auto" },
        "turn_detection": { "type": "server_vad", "silence_duration_ms": 900 },
        "input_audio_noise_reduction": null,
        "include": [],
    });
    let settings = updated(&session, Dialect::Beta).unwrap();
    assert_eq!((settings.options.language, settings.endpoint.pause_ms), (None, 900));
    let document = settings.document("s", "m", Dialect::Beta);
    assert_eq!(document["turn_detection"]["silence_duration_ms"], 900);
    assert_eq!(document["input_audio_format"], "pcm16");
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    let path = "session.audio.input";
    for (session, param) in [
        (json!({}), "session.type"),
        (json!({ "type": "realtime" }), "session.type"),
        (json!({ "type": "transcription", "voice": "alloy" }), "session"),
        (json!({ "type": "transcription", "audio": [] }), "session.audio"),
        (json!({ "type": "transcription", "audio": { "output": {} } }), "session.audio"),
        (json!({ "type": "transcription", "include": ["item.input_audio_transcription.logprobs"] }), "session.include"),
        (input(json!({ "format": { "type": "audio/pcmu" } })), &format!("{path}.format")),
        (input(json!({ "format": { "type": "audio/pcm", "rate": 16_000 } })), &format!("{path}.format")),
        (input(json!({ "noise_reduction": { "type": "near_field" } })), &format!("{path}.noise_reduction")),
        (input(json!({ "transcription": null })), &format!("{path}.transcription")),
        (input(json!({ "transcription": { "model": "gpt-4o-transcribe" } })), "model"),
        (input(json!({ "transcription": { "language": "fr" } })), "language"),
        (input(json!({ "transcription": { "language": 7 } })), &format!("{path}.transcription")),
        (input(json!({ "transcription": { "keywords": ["x"] } })), &format!("{path}.transcription")),
        (input(json!({ "transcription": { "keywords": "metformin" } })), &format!("{path}.transcription")),
        (input(json!({ "transcription": { "keywords": [7] } })), &format!("{path}.transcription")),
        (input(json!({ "transcription": { "keywords": vec!["metformin"; 100_000] } })), &format!("{path}.transcription")),
        (input(json!({ "transcription": { "languages": ["en"] } })), &format!("{path}.transcription")),
        (input(json!({ "transcription": { "delay": "none" } })), &format!("{path}.transcription")),
        (input(json!({ "transcription": { "delay": 1 } })), &format!("{path}.transcription")),
        (input(json!({ "transcription": { "prompt": "x".repeat(20_000) } })), &format!("{path}.transcription")),
        (input(json!({ "transcription": { "loud": true } })), &format!("{path}.transcription")),
        (input(json!({ "turn_detection": {} })), &format!("{path}.turn_detection")),
        (input(json!({ "turn_detection": { "type": "semantic_vad" } })), &format!("{path}.turn_detection")),
        (input(json!({ "turn_detection": { "type": "server_vad", "threshold": 2 } })), &format!("{path}.turn_detection")),
        (input(json!({ "turn_detection": { "type": "server_vad", "eagerness": "low" } })), &format!("{path}.turn_detection")),
        (
            input(json!({ "turn_detection": { "type": "server_vad", "create_response": true } })),
            &format!("{path}.turn_detection"),
        ),
        (
            input(json!({ "turn_detection": { "type": "server_vad", "idle_timeout_ms": 5000 } })),
            &format!("{path}.turn_detection"),
        ),
        (input(json!({ "gain": 2 })), path),
    ] {
        let document = json!(updated(&session, Dialect::Current).unwrap_err().document());
        assert_eq!(document["error"]["param"], *param, "{session}: {document}");
    }
    for (session, param) in [
        (json!({ "input_audio_format": "g711_ulaw" }), "session.input_audio_format"),
        (json!({ "modalities": ["text"] }), "session"),
        (json!({ "input_audio_noise_reduction": { "type": "far_field" } }), "session.input_audio_noise_reduction"),
    ] {
        assert_eq!(json!(updated(&session, Dialect::Beta).unwrap_err().document())["error"]["param"], *param, "{session}");
    }
}

#[test]
fn a_longer_delay_asks_for_longer_agreement() {
    let agreed = Delay::ALL.map(|delay| delay.agreement().agreed_for);
    assert!(agreed.is_sorted() && agreed[2] == AgreementSettings::default().agreed_for, "{agreed:?}");
    assert_eq!(Delay::ALL.map(Delay::is_before_the_end), [true, true, true, true, false]);
}
