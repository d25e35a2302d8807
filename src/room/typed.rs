//! The note of a visit without sound: a patient who does not want to be recorded has a note all the same.
//!
//! A note that is typed from its first line is the note of a recording without sound, finished as it begins: so it is changed, kept in
//! versions, signed and sent as every other.

use super::token::{Token, recording_id};
use super::{RoomError, Rooms};
use crate::audio::{StreamEncoding, StreamFormat};
use crate::interop::fhir::Instant;
use crate::note::compose::{Language, sections};
use crate::note::extract::extract;
use crate::speech::transcript::{AudioIdentity, TRANSCRIPT_SCHEMA, Transcript};
use crate::store::{By, NewRecording};

/// SHA-256 of nothing.
const NO_SOUND: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// What a recording without sound says of itself.
const RATE: u32 = 16_000;

impl Rooms {
    /// Makes an empty note for a visit, to be typed; says its id. It goes on when whoever asked does not wait.
    ///
    /// # Errors
    /// [`RoomError::NoVisit`]; a failing store.
    pub async fn begin_typed(&self, encounter: &str, at: Instant, by: &By) -> Result<String, RoomError> {
        let new = NewRecording {
            id: recording_id()?,
            created_at: at.as_str().to_owned(),
            format: StreamFormat::new(StreamEncoding::PcmS16le, RATE, 1)?,
            language: "yue".to_owned(),
            speakers: Vec::new(),
            token_hash: Token::generate()?.hash(),
        };
        let transcript = Transcript {
            schema: TRANSCRIPT_SCHEMA.to_owned(),
            language: new.language.clone(),
            model: None,
            audio: Some(AudioIdentity { duration_ms: 0, sha256: NO_SOUND.to_owned() }),
            segments: Vec::new(),
        };
        let mut note = extract(&transcript, self.lexicon());
        note.sections = sections(&note, Language::English);
        let (store, encounter, by) = (self.store().clone(), encounter.to_owned(), *by);
        let kept = tokio::spawn(async move { store.create_typed(new, &encounter, (&transcript, &note), &by).await });
        Ok(kept.await.map_err(|_| RoomError::Panicked)??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Actor;
    use crate::note::{MadeBy, Note};
    use crate::store::{DeskError, Leave, State, Store};
    use crate::visit::{Encounter, Given, Patient};

    fn new() -> NewRecording {
        NewRecording {
            id: recording_id().unwrap(),
            created_at: "2026-11-26T09:00:00+08:00".to_owned(),
            format: StreamFormat::new(StreamEncoding::PcmS16le, RATE, 1).unwrap(),
            language: "yue".to_owned(),
            speakers: Vec::new(),
            token_hash: Token::generate().unwrap().hash(),
        }
    }

    #[tokio::test]
    async fn a_typed_note_is_whole_or_not_there() {
        let by = By::now(Actor::System);
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let schema = TRANSCRIPT_SCHEMA.to_owned();
        let transcript = Transcript { schema, language: "yue".to_owned(), model: None, audio: None, segments: Vec::new() };
        let note =
            Note::empty(MadeBy { version: "1".into(), model: None, precision: None, wording: None, lexicon: String::new() });
        let events = store.events(0, 100).await.unwrap().len();
        let lost = store.create_typed(new(), "none", (&transcript, &note), &by).await.map_err(RoomError::from);
        assert!(matches!(lost, Err(RoomError::NoVisit)), "{lost:?}");
        assert!(store.recordings().await.unwrap().is_empty(), "a recording of no visit is left");
        assert_eq!(store.events(0, 100).await.unwrap().len(), events, "an event of what was not done");
        let today = crate::identity::Date::parse("2026-11-26").unwrap();
        let patient = Patient::new(&Given { name: "CHAN", ..Given::default() }, today).unwrap();
        let patient = store.create_patient(&patient, 1, &by).await.unwrap();
        let visit = store.create_encounter(&patient.id, 1, &Encounter::new("Dr Lee").unwrap(), &by).await.unwrap();
        store.set_refused(&visit.id, true, &by).await.unwrap();
        let lost = store.begin_recording(new(), (&visit.id, Leave::Trial), &by).await;
        assert!(matches!(lost, Err(DeskError::Refused)), "a recording of who does not want it");
        assert!(store.recordings().await.unwrap().is_empty(), "a recording of who does not want it is left");
        let id = store.create_typed(new(), &visit.id, (&transcript, &note), &by).await.unwrap();
        assert_eq!(store.recording(&id).await.unwrap().unwrap().state, State::Finished);
        assert_eq!(store.assigned(&id).await.unwrap(), Some((visit.id, true)));
    }
}
