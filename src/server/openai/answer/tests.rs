use serde_json::json;

use super::*;
use crate::audio::{FileIdentity, SampleIndex};
use crate::speech::{ModelIdentity, Reading};

fn heard(id: u64, (start_ms, end_ms): (u64, u64), text: &str, language: Language) -> HeardSegment {
    let word = Word { text: text.into(), start_ms, end_ms, confidence: Some(0.5) };
    let segment = Segment {
        id,
        start_ms: Some(start_ms),
        end_ms: Some(end_ms),
        speaker: None,
        text: text.into(),
        confidence: Some(0.5),
        words: Some(vec![word]),
        tokens: None,
    };
    let reading =
        Reading { tokens: vec![7, 8], average_log_probability: -0.5, no_speech_probability: 0.25, temperature: 0.0, language };
    HeardSegment { segment, reading }
}

fn transcript(heard: &[HeardSegment]) -> Transcript {
    let recording = FileIdentity { length: SampleIndex(16_000 * 5 / 2), sha256: "00".into() };
    let model = ModelIdentity { name: "whisper-base".into(), sha256: "11".into(), device: None };
    Transcript::of_recording(recording, model, None, heard.iter().map(|heard| heard.segment.clone()).collect())
}

#[test]
fn the_documents_are_those_of_openai() {
    let all = vec![heard(0, (420, 1180), "頭痛", Language::Cantonese), heard(1, (1200, 2400), "OK", Language::English)];
    let transcript = transcript(&all);
    let plain = serde_json::to_value(plain(&transcript)).unwrap();
    assert_eq!(plain, json!({ "text": "頭痛 OK", "usage": { "type": "duration", "seconds": 3 } }));
    let both = serde_json::to_value(verbose(&transcript, all.clone(), None, (true, true))).unwrap();
    assert_eq!(
        both,
        json!({
            "task": "transcribe",
            "language": "english",
            "duration": 2.5,
            "text": "頭痛 OK",
            "segments": [
                {
                    "id": 0, "seek": 42, "start": 0.42, "end": 1.18, "text": "頭痛", "tokens": [7, 8], "temperature": 0.0,
                    "avg_logprob": -0.5, "compression_ratio": both["segments"][0]["compression_ratio"], "no_speech_prob": 0.25,
                },
                {
                    "id": 1, "seek": 120, "start": 1.2, "end": 2.4, "text": "OK", "tokens": [7, 8], "temperature": 0.0,
                    "avg_logprob": -0.5, "compression_ratio": both["segments"][1]["compression_ratio"], "no_speech_prob": 0.25,
                },
            ],
            "words": [{ "word": "頭痛", "start": 0.42, "end": 1.18 }, { "word": "OK", "start": 1.2, "end": 2.4 }],
            "usage": { "type": "duration", "seconds": 3 },
        })
    );
    let words = serde_json::to_value(verbose(&transcript, all, Some(Language::Cantonese), (true, false))).unwrap();
    assert!(words.get("segments").is_none() && words["language"] == "cantonese");
}

#[test]
fn nothing_said_is_an_empty_text() {
    let transcript = transcript(&[]);
    assert_eq!(serde_json::to_value(plain(&transcript)).unwrap()["text"], "");
    let verbose = serde_json::to_value(verbose(&transcript, Vec::new(), None, (true, true))).unwrap();
    assert_eq!((verbose["segments"].clone(), verbose["words"].clone()), (json!([]), json!([])));
}

#[test]
fn the_deltas_one_after_another_are_the_text() {
    let all: Vec<_> = ["頭痛\n", " ", "three days", "<b>"]
        .into_iter()
        .zip(0..)
        .map(|(text, id)| heard(id, (id * 100, id * 100 + 50), text, Language::Cantonese))
        .collect();
    let mut said = String::new();
    for heard in &all {
        if let Some(event) = delta(&heard.segment, said.is_empty()) {
            let event = serde_json::to_value(event).unwrap();
            assert_eq!(event["type"], "transcript.text.delta");
            said.push_str(event["delta"].as_str().unwrap());
        }
    }
    let done = serde_json::to_value(done(&transcript(&all))).unwrap();
    assert_eq!(done, json!({ "type": "transcript.text.done", "text": said }));
    assert_eq!(said, "頭痛 three days <b>");
}
