//! The utterances that were decoded, so that a replay decodes none of them again.

use super::database::Upkeep;
use super::place::Place;
use super::{Store, StoreError};
use crate::speech::transcript::Segment;

/// An utterance that was decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFinal {
    /// Its channel, counted from 0.
    pub channel: u16,
    /// Its first sample.
    pub start: u64,
    /// One past its last sample.
    pub end: u64,
    /// What was heard in it, or nothing.
    pub segment: Option<Segment>,
}

fn place(id: &str, channel: i64, start: i64, end: i64) -> Place<'_> {
    Place::row("finals.segment", id, format!("channel {channel}, samples {start} to {end}"))
}

impl Store {
    /// Keeps what was heard in an utterance, or that nothing was. The first one kept stands: false says that there was one.
    ///
    /// # Errors
    /// [`StoreError::Missing`] and when it cannot be written.
    pub async fn add_final(
        &self,
        id: &str,
        channel: u16,
        start: u64,
        end: u64,
        heard: Option<&Segment>,
    ) -> Result<bool, StoreError> {
        let key = self.data_key(id).await?;
        let (channel, start, end) = (i64::from(channel), start.cast_signed(), end.cast_signed());
        let sealed = place(id, channel, start, end).seal_json(&key, &heard)?;
        // Not for a recording whose erasing began since its key was read.
        let insert = "INSERT INTO finals (recording, channel, starts, ends, segment) \
            SELECT id, $1, $2, $3, $4 FROM recordings WHERE id = $5 AND state <> 'erasing' ON CONFLICT DO NOTHING";
        let insert = sqlx::query(insert).bind(channel).bind(start).bind(end).bind(sealed).bind(id);
        let done = self.database().keep_up(Upkeep::Heard, insert).await;
        Ok(done.map_err(StoreError::database("keep what was heard"))? > 0)
    }

    /// The utterances of a recording that were decoded, in the order kept.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Damaged`], and when they cannot be read.
    pub async fn finals(&self, id: &str) -> Result<Vec<StoredFinal>, StoreError> {
        let key = self.data_key(id).await?;
        let query = "SELECT channel, starts, ends, segment FROM finals WHERE recording = $1 ORDER BY number";
        let rows = self.reader().all::<(i64, i64, i64, Vec<u8>)>(sqlx::query_as(query).bind(id)).await;
        let rows = rows.map_err(StoreError::database("read what was heard"))?;
        let read = |(channel, start, end, sealed): (i64, i64, i64, Vec<u8>)| {
            let place = place(id, channel, start, end);
            let segment = place.unseal_json(&key, &sealed)?;
            let channel = channel.try_into().map_err(|_| place.damaged())?;
            Ok(StoredFinal { channel, start: start.cast_unsigned(), end: end.cast_unsigned(), segment })
        };
        rows.into_iter().map(read).collect()
    }
}
