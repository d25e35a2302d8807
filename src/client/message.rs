//! The messages of the socket.

use serde::Deserialize;

use crate::note::Note;
use crate::speech::{Segment, Transcript};
use crate::text::PatientText;

/// What a server says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum ServerMessage {
    Ready {
        recording: String,
        token: String,
        samples: u64,
    },
    Ack {
        samples: u64,
    },
    Partial {
        start_ms: u64,
        stable: PatientText,
        tentative: PatientText,
    },
    Final {
        segment: Segment,
    },
    Note {
        note: Box<Note>,
    },
    End {
        transcript: Box<Transcript>,
        note: Box<Note>,
    },
    Erased,
    Error {
        code: ErrorCode,
        message: String,
        #[serde(default)]
        fatal: bool,
    },
    /// A message of a later server, which a client of today need not understand.
    #[serde(other)]
    Unknown,
}

/// A server's error code: a number that the socket then closes with, or a name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum ErrorCode {
    Number(u16),
    Name(String),
}

/// Reads a message. What is none gives nothing: serde's own errors quote what they choke on, which may be what a patient said.
pub(super) fn read(text: &str) -> Option<ServerMessage> {
    serde_json::from_str(text).ok()
}

/// Everything was sent.
pub(super) const FINISH: &str = r#"{"type":"finish"}"#;

/// The first message on a resumed socket.
pub(super) fn resume(token: &str) -> String {
    serde_json::json!({"type": "resume", "token": token}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_of_the_contract_is_read() {
        assert!(matches!(
            read(r#"{"type":"ready","recording":"r","token":"t","samples":7}"#),
            Some(ServerMessage::Ready { samples: 7, .. })
        ));
        assert!(matches!(read(r#"{"type":"ack","samples":9}"#), Some(ServerMessage::Ack { samples: 9 })));
        let partial = r#"{"type":"partial","start_ms":20,"stable":"今日","tentative":"血壓"}"#;
        let Some(ServerMessage::Partial { start_ms: 20, stable, tentative }) = read(partial) else { panic!("no partial") };
        assert_eq!((stable.reveal(), tentative.reveal()), ("今日", "血壓"));
        let segment =
            r#"{"type":"final","segment":{"id":3,"start_ms":420,"end_ms":3180,"speaker":null,"text":"今日血壓145/90。"}}"#;
        let Some(ServerMessage::Final { segment }) = read(segment) else { panic!("no final") };
        assert_eq!((segment.id, segment.text.chars()), (3, 11));
        assert!(matches!(read(r#"{"type":"erased"}"#), Some(ServerMessage::Erased)));
        assert!(matches!(
            read(r#"{"type":"error","code":"no_room","message":"m","fatal":true}"#),
            Some(ServerMessage::Error { code: ErrorCode::Name(_), fatal: true, .. })
        ));
        assert!(matches!(
            read(r#"{"type":"error","code":1013,"message":"m"}"#),
            Some(ServerMessage::Error { code: ErrorCode::Number(1013), fatal: false, .. })
        ));
        assert!(matches!(read(r#"{"type":"weather","sun":true}"#), Some(ServerMessage::Unknown)));
    }

    #[test]
    fn the_documents_come_whole() {
        let transcript = r#"{"schema":"cantoscribe/transcript/1","language":"yue","segments":[{"id":0,"text":"血壓高"}]}"#;
        let note = crate::note::extract::extract(
            &crate::speech::transcript::read_document(transcript.as_bytes()).unwrap(),
            &crate::terminology::Lexicon::builtin().unwrap(),
        );
        let note = serde_json::to_string(&note).unwrap();
        let Some(ServerMessage::End { note: read_note, .. }) =
            read(&format!(r#"{{"type":"end","transcript":{transcript},"note":{note}}}"#))
        else {
            panic!("no end")
        };
        assert_eq!(serde_json::to_string(&read_note).unwrap(), note);
        assert!(matches!(read(&format!(r#"{{"type":"note","note":{note}}}"#)), Some(ServerMessage::Note { .. })));
    }

    #[test]
    fn what_is_no_message_is_nothing() {
        for text in
            ["", "[]", "{}", r#"{"type":"ack"}"#, r#"{"type":"ack","samples":-1}"#, r#"{"type":"partial","stable":7}"#, "\u{1}"]
        {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
