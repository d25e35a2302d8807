use super::*;

fn code(text: &str) -> (String, Option<String>) {
    let Refused { error, event } = parse(text).unwrap_err();
    (json!(error.document())["error"]["code"].as_str().unwrap().to_owned(), event)
}

#[test]
fn events_are_read() {
    let append = parse(r#"{"type":"input_audio_buffer.append","event_id":"a","audio":"AAEC/w=="}"#).unwrap();
    assert_eq!(append, (Some("a".to_owned()), ClientEvent::Append(vec![0, 1, 2, 255])));
    assert_eq!(parse(r#"{"type":"input_audio_buffer.commit"}"#).unwrap(), (None, ClientEvent::Commit));
    assert_eq!(parse(r#"{"type":"input_audio_buffer.clear"}"#).unwrap().1, ClientEvent::Clear);
    assert_eq!(parse(r#"{"type":"session.update","session":{}}"#).unwrap().1, ClientEvent::Update(Dialect::Current, Map::new()));
    let beta = parse(r#"{"type":"transcription_session.update","session":{}}"#).unwrap().1;
    assert_eq!(beta, ClientEvent::Update(Dialect::Beta, Map::new()));
}

#[test]
fn what_is_no_event_is_refused_with_the_id_that_it_had() {
    for (text, expected) in [
        ("", "invalid_message"),
        ("[]", "invalid_message"),
        (r#"{"type":7}"#, "invalid_message"),
        (r#"{"event_id":"e"}"#, "invalid_message"),
        (r#"{"type":"input_audio_buffer.commit","loud":true}"#, "invalid_message"),
        (r#"{"type":"response.create"}"#, "unsupported_parameter"),
        (r#"{"type":"input_audio_buffer.append"}"#, "missing_required_parameter"),
        (r#"{"type":"input_audio_buffer.append","audio":"AA"}"#, "invalid_value"),
        (r#"{"type":"input_audio_buffer.append","audio":"!!!!"}"#, "invalid_value"),
        (r#"{"type":"input_audio_buffer.append","audio":"AA=="}"#, "invalid_value"),
        (r#"{"type":"session.update"}"#, "missing_required_parameter"),
        (r#"{"type":"session.update","session":[]}"#, "invalid_message"),
    ] {
        assert_eq!(code(text).0, expected, "{text}");
    }
    assert_eq!(code(r#"{"type":"dance","event_id":"mine"}"#).1.as_deref(), Some("mine"));
    let long = format!(r#"{{"type":"dance","event_id":"{}"}}"#, "x".repeat(1000));
    assert_eq!(code(&long).1, None);
    let quoted = format!("{:?}", parse(r#"{"type":"朱古力","event_id":"e"}"#).unwrap_err());
    assert!(!quoted.contains("朱古力"), "{quoted}");
}

#[test]
fn each_message_has_its_type_and_an_id_of_its_own() {
    let mut told = 0;
    let mut id = || {
        told += 1;
        format!("event_{told}")
    };
    let item = || "item_1".to_owned();
    let committed = ServerEvent::Committed { item: item(), previous: None }.messages(&mut id);
    let kinds: Vec<_> = committed.iter().map(|message| message["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]);
    assert_eq!(committed[1]["item"]["content"], json!([{ "type": "input_audio", "transcript": null }]));
    assert_eq!((&committed[0]["event_id"], &committed[2]["event_id"]), (&json!("event_1"), &json!("event_3")));
    let completed = ServerEvent::Completed { item: item(), text: "頭痛".into(), seconds: 1.5 }.messages(&mut id);
    let members = json!({
        "type": "conversation.item.input_audio_transcription.completed", "event_id": "event_4", "item_id": "item_1",
        "content_index": 0, "transcript": "頭痛", "usage": { "type": "duration", "seconds": 1.5 },
    });
    assert_eq!(completed, [members]);
    let refused = Refused { error: OpenAiError::BufferEmpty, event: Some("mine".to_owned()) };
    let error = ServerEvent::Error(refused).messages(&mut id);
    assert_eq!((&error[0]["type"], &error[0]["error"]["event_id"]), (&json!("error"), &json!("mine")));
    assert_eq!(error[0]["error"]["code"], "input_audio_buffer_commit_empty");
    let failed = ServerEvent::Failed { item: item(), error: OpenAiError::Internal }.messages(&mut id);
    assert_eq!((&failed[0]["item_id"], &failed[0]["error"]["type"]), (&json!("item_1"), &json!("server_error")));
    let shown = format!("{:?}", ServerEvent::Delta { item: item(), text: "朱古力".into() });
    assert!(!shown.contains("朱古力"), "{shown}");
}
