//! What became of the drafts of signed notes: computed once, kept with the recording, and gone with it.

use super::database::Upkeep;
use super::owners::{RECORDINGS_IN_REACH, Reach};
use super::place::Place;
use super::{Store, StoreError};
use crate::record::Outcome;

/// A recording whose note is signed.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedNote {
    /// The recording.
    pub id: String,
    /// The first version that was signed.
    pub version: u64,
    /// What became of the draft, where that was computed before.
    pub outcome: Option<Outcome>,
}

fn place(id: &str) -> Place<'_> {
    Place::new("note_outcomes.document", id)
}

impl Store {
    /// Every signed note within a reach, in the order in which their recordings began. What cannot be read is left out and said in the log, so
    /// that one damaged row hides no other.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn signed_notes(&self, reach: Reach) -> Result<Vec<SignedNote>, StoreError> {
        let query = format!(
            "SELECT note_signatures.recording, MIN(note_signatures.version) AS version FROM note_signatures \
            JOIN recordings ON recordings.id = note_signatures.recording \
            WHERE note_signatures.stage = 'signed' AND recordings.state = 'finished' AND {RECORDINGS_IN_REACH} \
            GROUP BY note_signatures.recording, recordings.created_at ORDER BY recordings.created_at, note_signatures.recording"
        );
        let (organisation, role) = reach.values();
        let rows = self.reader().all::<(String, i64)>(sqlx::query_as(&query).bind(organisation).bind(role)).await;
        let mut notes = Vec::new();
        for (id, version) in rows.map_err(StoreError::database("list signed notes"))? {
            match self.outcome(&id).await {
                Ok(outcome) => notes.push(SignedNote { id, version: version.unsigned_abs(), outcome }),
                Err(error) => tracing::warn!(%error, "figures leave a note out"),
            }
        }
        Ok(notes)
    }

    async fn outcome(&self, id: &str) -> Result<Option<Outcome>, StoreError> {
        let query = sqlx::query_as("SELECT document FROM note_outcomes WHERE recording = $1").bind(id);
        let row = self.reader().one::<(Vec<u8>,)>(query).await.map_err(StoreError::database("read an outcome"))?;
        let Some((sealed,)) = row else { return Ok(None) };
        place(id).unseal_json(&self.data_key(id).await?, &sealed).map(Some)
    }

    /// Keeps what became of a draft. What was kept before stays: somebody may have changed it meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Missing`], and when it cannot be written.
    pub async fn keep_outcome(&self, id: &str, outcome: &Outcome) -> Result<(), StoreError> {
        let sealed = place(id).seal_json(&self.data_key(id).await?, outcome)?;
        let insert = "INSERT INTO note_outcomes (recording, document) SELECT id, $1 FROM recordings WHERE id = $2 \
            AND state = 'finished' ON CONFLICT DO NOTHING";
        let done = self.database().keep_up(Upkeep::Figures, sqlx::query(insert).bind(sealed).bind(id)).await;
        done.map(drop).map_err(StoreError::database("keep an outcome"))
    }

    /// Keeps this in the place of what was kept before.
    ///
    /// # Errors
    /// [`StoreError::Missing`], and when it cannot be written.
    pub async fn change_outcome(&self, id: &str, outcome: &Outcome) -> Result<(), StoreError> {
        let sealed = place(id).seal_json(&self.data_key(id).await?, outcome)?;
        let update = sqlx::query("UPDATE note_outcomes SET document = $1 WHERE recording = $2").bind(sealed).bind(id);
        let changed =
            self.database().keep_up(Upkeep::Figures, update).await.map_err(StoreError::database("change an outcome"))?;
        if changed == 0 { Err(StoreError::missing(id)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Site, by, new_recording, note, on_both, transcript};
    use super::*;
    use crate::record::{Draft, Signature};
    use crate::store::SeenVisit;
    use crate::store::{Erasable, NewRecording};
    use crate::terminology::Lexicon;

    async fn an_outcome_is_of_a_signed_note_and_goes_with_its_recording(site: Site) {
        let store = site.open().await;
        let id = store.create(new_recording(), &by()).await.unwrap().id;
        store.finish(&id, &transcript("said"), &note("1")).await.unwrap();
        assert!(store.signed_notes(Reach::TRIAL).await.unwrap().is_empty(), "nobody has signed it");
        let signature = Signature::new("Dr Chan", "2026-11-26T09:00:00Z").unwrap();
        let reviewed = Draft::new(1, note("1")).review(signature.clone()).unwrap();
        store.save_review(&id, &reviewed, &SeenVisit::Unsaid, &by()).await.unwrap();
        store.save_signature(&id, &reviewed.sign(signature.clone()), &SeenVisit::Unsaid, &by()).await.unwrap();
        let signed = store.signed_notes(Reach::TRIAL).await.unwrap();
        assert_eq!(signed, [SignedNote { id: id.clone(), version: 1, outcome: None }]);
        let outcome = Outcome::new(&note("1"), &note("1"), &signature, Some(30), &Lexicon::builtin().unwrap());
        store.keep_outcome(&id, &outcome).await.unwrap();
        store.change_outcome(&id, &Outcome { kept: 7, ..outcome.clone() }).await.unwrap();
        store.keep_outcome(&id, &outcome).await.unwrap();
        let kept = store.signed_notes(Reach::TRIAL).await.unwrap().remove(0).outcome;
        assert_eq!(kept, Some(Outcome { kept: 7, ..outcome.clone() }));
        store.erase(&id, Erasable::Signed, &by()).await.unwrap();
        assert!(store.signed_notes(Reach::TRIAL).await.unwrap().is_empty());
        assert!(matches!(store.change_outcome(&id, &outcome).await, Err(StoreError::Missing { .. })));
        let left =
            sqlx::query_scalar::<_, i64>("SELECT count(*) FROM note_outcomes").fetch_one(store.database().pool()).await.unwrap();
        assert_eq!(left, 0);
    }

    async fn signed_notes_come_in_the_order_of_their_recordings(site: Site) {
        let store = site.open().await;
        let mut ids = Vec::new();
        for hour in [11, 9, 12, 10, 8] {
            let new = NewRecording { created_at: format!("2026-11-26T{hour:02}:00:00Z"), ..new_recording() };
            let id = store.create(new, &by()).await.unwrap().id;
            store.finish(&id, &transcript("said"), &note("1")).await.unwrap();
            let signature = Signature::new("Dr Chan", "2026-11-26T13:00:00Z").unwrap();
            let reviewed = Draft::new(1, note("1")).review(signature.clone()).unwrap();
            store.save_review(&id, &reviewed, &SeenVisit::Unsaid, &by()).await.unwrap();
            store.save_signature(&id, &reviewed.sign(signature), &SeenVisit::Unsaid, &by()).await.unwrap();
            ids.push((hour, id));
        }
        ids.sort();
        let signed = store.signed_notes(Reach::TRIAL).await.unwrap();
        assert!(signed.iter().map(|note| &note.id).eq(ids.iter().map(|(_, id)| id)));
    }

    on_both! {
        an_outcome_is_of_a_signed_note_and_goes_with_its_recording,
        signed_notes_come_in_the_order_of_their_recordings,
    }
}
