//! Recordings of a visit, and the note of one without sound: a patient who does not want to be recorded has a note all the same.
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
    /// Makes an empty note for a visit, to be typed; says its id.
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
        let recording = self.store().create(new, by).await?;
        self.enter(&recording.id, encounter, true, by).await?;
        self.store().finish(&recording.id, &transcript, &note).await?;
        Ok(recording.id)
    }

    /// Gives a new recording to a visit, or erases it where that cannot be.
    pub(super) async fn enter(&self, recording: &str, encounter: &str, typed: bool, by: &By) -> Result<(), RoomError> {
        if let Err(error) = self.store().assign(recording, encounter, typed, by).await {
            self.store().erase(recording, by).await?;
            return Err(error.into());
        }
        Ok(())
    }
}
