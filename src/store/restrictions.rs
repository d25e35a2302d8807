//! Notes that are marked as restricted: what another organisation sees of one takes the patient's second yes.

use super::place::Place;
use super::{By, Store, StoreError};
use crate::audit::{Action, ConsentId};
use crate::record::Signature;

/// That a note was marked, or the mark taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restriction {
    /// Whether it is restricted since.
    pub restricted: bool,
    /// Who did it, and when.
    pub signature: Signature,
}

/// The consents in force of whoever is the patient of a recording ($1).
const CONSENTS: &str = "SELECT consents.id FROM encounter_recordings JOIN encounters ON encounters.id = encounter_recordings.encounter \
    JOIN patients ON patients.id = encounters.patient JOIN patients AS same \
    ON coalesce(same.stands_under, same.id) = coalesce(patients.stands_under, patients.id) \
    JOIN consents ON consents.patient = same.id WHERE encounter_recordings.recording = $1 AND consents.live = 1";

const LAST: &str = "SELECT number, restricted FROM note_restrictions WHERE recording = $1 ORDER BY number DESC LIMIT 1";

fn place(recording: &str, number: i64, restricted: bool) -> Place<'_> {
    let what = if restricted { "mark" } else { "no mark" };
    Place::row("note_restrictions.document", recording, format!("{what} {number}"))
}

impl Store {
    /// Marks the note of a recording as restricted, or takes the mark away; false where it is so already, which is no act. Views that are
    /// open of what the patient shares are told.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::State`] before there is a note, and when it cannot be written.
    pub async fn restrict(&self, id: &str, new: &Restriction, by: &By) -> Result<bool, StoreError> {
        let key = self.data_key(id).await?;
        // Of two at once the second sees what the first did.
        let mut act = self.hold_recording(id, "mark a note").await?;
        let (number, now) = act.one::<(i64, i64)>(sqlx::query_as(LAST).bind(id)).await?.unwrap_or((0, 0));
        if (now == 1) == new.restricted {
            return act.abandon().await.map(|()| false);
        }
        let number = number + 1;
        let sealed = place(id, number, new.restricted).seal_json(&key, &new.signature)?;
        let insert = "INSERT INTO note_restrictions (recording, number, restricted, document) \
            SELECT id, $1, $2, $3 FROM recordings WHERE id = $4 AND state = 'finished'";
        let insert = sqlx::query(insert).bind(number).bind(i64::from(new.restricted)).bind(sealed).bind(id);
        if act.execute(insert).await? == 0 {
            act.abandon().await?;
            return Err(self.refusal(id, "have its note marked").await?);
        }
        let action = if new.restricted { Action::Restrict } else { Action::Unrestrict };
        let event = act.event_about(by, action, id).await?;
        // Where it cannot be told whose open views it ends, nothing is marked.
        let shared = act.all::<(String,)>(sqlx::query_as(CONSENTS).bind(id)).await?;
        act.commit(&event).await?;
        shared.into_iter().filter_map(|(id,)| ConsentId::try_from(id).ok()).for_each(|id| self.consent_changed(id));
        Ok(true)
    }

    /// Whether the note of a recording is restricted.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn is_restricted(&self, id: &str) -> Result<bool, StoreError> {
        let row = self.reader().one::<(i64, i64)>(sqlx::query_as(LAST).bind(id)).await;
        Ok(row.map_err(StoreError::database("read whether a note is restricted"))?.is_some_and(|(_, restricted)| restricted == 1))
    }

    /// Every mark of a note, and every one that was taken away, in order.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Damaged`], and when they cannot be read.
    pub async fn restrictions(&self, id: &str) -> Result<Vec<Restriction>, StoreError> {
        let key = self.data_key(id).await?;
        let query = "SELECT number, restricted, document FROM note_restrictions WHERE recording = $1 ORDER BY number";
        let rows = self.reader().all::<(i64, i64, Vec<u8>)>(sqlx::query_as(query).bind(id)).await;
        let rows = rows.map_err(StoreError::database("read how a note was marked"))?;
        let open = |(number, restricted, sealed): (i64, i64, Vec<u8>)| {
            let restricted = restricted == 1;
            Ok(Restriction { restricted, signature: place(id, number, restricted).unseal_json(&key, &sealed)? })
        };
        rows.into_iter().map(open).collect()
    }
}
