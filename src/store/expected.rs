//! Words that an open recording is heard with: kept while it may be heard again, and gone when it is finished or moved.

use super::act::Act;
use super::database::Upkeep;
use super::place::Place;
use super::{Store, StoreError};
use crate::text::PatientText;

fn place(id: &str) -> Place<'_> {
    Place::new("expected_words.document", id)
}

impl Act {
    /// Nothing is heard with them any more.
    pub(super) async fn forget_expected(&mut self, recording: &str) -> Result<(), StoreError> {
        self.execute(sqlx::query("DELETE FROM expected_words WHERE recording = $1").bind(recording)).await.map(drop)
    }
}

impl Store {
    /// Keeps the words that a recording is heard with.
    ///
    /// # Errors
    /// [`StoreError::Missing`] and when they cannot be written.
    pub async fn keep_expected(&self, id: &str, words: &[PatientText]) -> Result<(), StoreError> {
        let sealed = place(id).seal_json(&self.data_key(id).await?, &words)?;
        let insert = "INSERT INTO expected_words (recording, document) SELECT id, $1 FROM recordings WHERE id = $2 \
            AND state = 'open' ON CONFLICT DO NOTHING";
        let done = self.database().keep_up(Upkeep::Expected, sqlx::query(insert).bind(sealed).bind(id)).await;
        done.map(drop).map_err(StoreError::database("keep words to expect"))
    }

    /// The words that a recording is heard with; none where none were kept.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Damaged`], and when they cannot be read.
    pub async fn expected(&self, id: &str) -> Result<Vec<PatientText>, StoreError> {
        let query = sqlx::query_as("SELECT document FROM expected_words WHERE recording = $1").bind(id);
        let row = self.reader().one::<(Vec<u8>,)>(query).await.map_err(StoreError::database("read words to expect"))?;
        let Some((sealed,)) = row else { return Ok(Vec::new()) };
        place(id).unseal_json(&self.data_key(id).await?, &sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Erasable;
    use super::super::tests::{Site, by, new_recording, note, on_both, transcript};
    use super::*;

    async fn words_are_kept_until_their_recording_is_finished_or_erased(site: Site) {
        let store = site.open().await;
        let (one, other) = (new_recording(), new_recording());
        let (one, other) = (store.create(one, &by()).await.unwrap().id, store.create(other, &by()).await.unwrap().id);
        let words = [PatientText::from("metformin")];
        store.keep_expected(&one, &words).await.unwrap();
        store.keep_expected(&other, &words).await.unwrap();
        store.close().await;
        let store = site.open().await;
        assert_eq!(store.expected(&one).await.unwrap(), words);
        store.finish(&one, &transcript("a"), &note("1")).await.unwrap();
        store.keep_expected(&one, &words).await.unwrap();
        assert_eq!(store.expected(&one).await.unwrap(), [], "it is finished");
        store.erase(&other, Erasable::Signed, &by()).await.unwrap();
        assert!(matches!(store.keep_expected(&other, &words).await, Err(StoreError::Missing { .. })));
        let left = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM expected_words");
        assert_eq!(left.fetch_one(store.database().pool()).await.unwrap(), 0);
    }

    on_both! {
        words_are_kept_until_their_recording_is_finished_or_erased,
    }
}
