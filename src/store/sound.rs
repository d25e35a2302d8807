//! How long sound is kept: until the note is signed and some days more, so that errors can be checked. Words, note and evidence stay.
//!
//! When sound goes is computed from the times that are kept, so that it goes in its time also after the program stood still.

use super::database::Upkeep;
use super::holds::Heeded;
use super::record::signature_place;
use super::{By, Store, StoreError};
use crate::audit::Action;
use crate::interop::fhir::Instant;
use crate::record::{Signature, Stage};

/// What is known of the sound of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoundState {
    /// When the newest version of its note was signed, in seconds since 1970; nothing while it is a draft.
    pub signed_at: Option<i64>,
    /// When it was erased by the rule, if it was.
    pub erased_at: Option<i64>,
    /// It, or its patient, is on hold.
    pub on_hold: bool,
}

/// Signed recordings with sound that is there still: the newest signature of each.
const SIGNED: &str = "SELECT recording, version, document FROM note_signatures WHERE stage = 'signed' AND version = \
    (SELECT max(version) FROM note_signatures AS newer WHERE newer.recording = note_signatures.recording AND newer.stage = 'signed') \
    AND NOT EXISTS (SELECT 1 FROM sound_erasures WHERE sound_erasures.recording = note_signatures.recording) \
    AND NOT EXISTS (SELECT 1 FROM encounter_recordings WHERE encounter_recordings.recording = note_signatures.recording AND typed = 1)";

impl Store {
    /// Erases all sound whose time is over at `by`'s time: `keep` seconds after its note was signed, but for what is on hold. Says of how
    /// many recordings.
    ///
    /// # Errors
    /// When they cannot be listed; one that cannot be erased is named in the log, and tried again.
    pub async fn erase_due_sound(&self, keep: i64, by: &By) -> Result<usize, StoreError> {
        let rows = self.reader().all::<(String, i64, Vec<u8>)>(sqlx::query_as(SIGNED)).await;
        let mut erased = 0;
        for (recording, version, sealed) in rows.map_err(StoreError::database("list the signed recordings"))? {
            let done = match self.signed_at(&recording, version, &sealed).await {
                Ok(signed_at) if signed_at.saturating_add(keep) > by.seconds() => Ok(false),
                Ok(_) => self.erase_sound(&recording, by).await,
                Err(error) => Err(error),
            };
            match done {
                Ok(done) => erased += usize::from(done),
                Err(error) => tracing::error!(%error, "sound whose time is over is there still"),
            }
        }
        self.end_sound_erasures().await?;
        Ok(erased)
    }

    async fn signed_at(&self, recording: &str, version: i64, sealed: &[u8]) -> Result<i64, StoreError> {
        let place = signature_place(recording, version, Stage::Signed.name());
        let signature: Signature = place.unseal_json(&self.data_key(recording).await?, sealed)?;
        Ok(Instant::parse(&signature.at).map_err(|_| place.damaged())?.unix_seconds())
    }

    /// Erases the sound of a finished recording, with its event; false where it is on hold or was erased before.
    async fn erase_sound(&self, recording: &str, by: &By) -> Result<bool, StoreError> {
        let mut act = self.hold_recording(recording, "erase sound").await?;
        if act.recording_on_hold(recording, Heeded::All).await? {
            return act.abandon().await.map(|()| false);
        }
        let insert = "INSERT INTO sound_erasures (recording, erased_at, done) SELECT id, $1, 0 FROM recordings \
            WHERE id = $2 AND state = 'finished' ON CONFLICT DO NOTHING";
        if act.execute(sqlx::query(insert).bind(by.seconds()).bind(recording)).await? == 0 {
            return act.abandon().await.map(|()| false);
        }
        let event = act.event_about(by, Action::EraseSound, recording).await?;
        act.commit(&event).await.map(|_| true)
    }

    /// Removes the files of what was erased: also what a machine that stopped has left.
    async fn end_sound_erasures(&self) -> Result<(), StoreError> {
        let _alone = self.shared.erasing.lock().await;
        let query = sqlx::query_as("SELECT recording FROM sound_erasures WHERE done = 0");
        let rows = self.reader().all::<(String,)>(query).await.map_err(StoreError::database("erase sound"))?;
        for (recording,) in rows {
            self.remove_sound(&recording)?;
            let done = sqlx::query("UPDATE sound_erasures SET done = 1 WHERE recording = $1").bind(recording);
            self.database().keep_up(Upkeep::Wipe, done).await.map_err(StoreError::database("erase sound"))?;
        }
        Ok(())
    }

    /// What is known of the sound of a recording.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Damaged`], and when it cannot be read.
    pub async fn sound(&self, recording: &str) -> Result<SoundState, StoreError> {
        let failed = || StoreError::database("read how long sound is kept");
        let query = "SELECT version, document FROM note_signatures WHERE recording = $1 AND stage = 'signed' ORDER BY version DESC LIMIT 1";
        let signed = self.reader().one::<(i64, Vec<u8>)>(sqlx::query_as(query).bind(recording)).await.map_err(failed())?;
        let signed_at = match signed {
            Some((version, sealed)) => Some(self.signed_at(recording, version, &sealed).await?),
            None => None,
        };
        let query = sqlx::query_as("SELECT erased_at FROM sound_erasures WHERE recording = $1").bind(recording);
        let erased = self.reader().one::<(i64,)>(query).await.map_err(failed())?;
        let on_hold = self.is_recording_held(recording, Heeded::All).await?;
        Ok(SoundState { signed_at, erased_at: erased.map(|(at,)| at), on_hold })
    }
}
