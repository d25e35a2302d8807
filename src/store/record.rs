//! The record of a note: each version with what made it, and who vouched for which.
//!
//! Invariant: no version but an addendum follows a signed one.

use serde::{Deserialize, Deserializer};

use super::notes::note_place;
use super::place::Place;
use super::{By, SaveError, Store, StoreError};
use crate::audit::Action;
use crate::note::Note;
use crate::record::{Change, Record, Reviewed, Signature, Signed, Stage};
use crate::speech::transcript::Transcript;

/// Whose a person saw that a note is who vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SeenVisit {
    /// The client says nothing of it.
    #[default]
    Unsaid,
    /// This visit's; nothing where the recording belonged to none.
    Said(Option<String>),
}

impl<'de> Deserialize<'de> for SeenVisit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::Said)
    }
}

/// A note's current version, and how it came there.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptRecord {
    /// What was said.
    pub transcript: Transcript,
    /// The note as it is now.
    pub record: Record,
    /// What made each version from the second on, in order.
    pub changes: Vec<Change>,
    /// Each signed version with its signature, in order.
    pub signed: Vec<(u64, Signature)>,
}

fn change_place(id: &str, version: i64) -> Place<'_> {
    Place::row("note_changes.document", id, format!("version {version}"))
}

pub(super) fn signature_place<'a>(id: &'a str, version: i64, stage: &str) -> Place<'a> {
    Place::row("note_signatures.document", id, format!("{stage} version {version}"))
}

impl Store {
    /// Makes this the version of the note that its change names, if the one before it is the current one and not signed; says its
    /// number. The former versions are kept.
    ///
    /// # Errors
    /// [`SaveError::Conflict`] when another version is current; [`SaveError::Signed`] when the one before is signed;
    /// [`StoreError::State`] before the recording is finished; [`StoreError::Missing`], and when it cannot be written.
    pub async fn save_note(&self, id: &str, note: &Note, change: &Change, by: &By) -> Result<u64, SaveError> {
        self.save_version(id, (note, change), None, by).await
    }

    /// Keeps an addendum as the version after the signed one.
    ///
    /// # Errors
    /// As [`Self::save_note`]; [`SaveError::Unsigned`] when the version before is not signed.
    pub async fn save_addendum(&self, id: &str, addendum: &Signed, change: &Change, by: &By) -> Result<u64, SaveError> {
        self.save_version(id, (addendum.note(), change), Some(addendum.signature()), by).await
    }

    async fn save_version(
        &self,
        id: &str,
        (note, change): (&Note, &Change),
        signed: Option<&Signature>,
        by: &By,
    ) -> Result<u64, SaveError> {
        let key = self.data_key(id).await?;
        let version = change.version.cast_signed();
        let former = version.saturating_sub(1);
        let document = note_place(id, version).seal_json(&key, note)?;
        let sealed_change = change_place(id, version).seal_json(&key, change)?;
        // Whoever signs or saves too waits: else a version could follow one that is being signed.
        let mut act = self.hold_recording(id, "save a note").await?;
        let insert = "INSERT INTO notes (recording, version, document) SELECT id, $1, $2 FROM recordings WHERE id = $3 \
            AND state = 'finished' AND $4 = (SELECT max(version) FROM notes WHERE recording = recordings.id) \
            AND $5 = (SELECT count(*) FROM note_signatures WHERE recording = recordings.id AND version = $6 AND stage = 'signed') \
            ON CONFLICT DO NOTHING";
        let signatures = i64::from(signed.is_some());
        let insert = sqlx::query(insert).bind(version).bind(document).bind(id).bind(former).bind(signatures).bind(former);
        if act.execute(insert).await? == 0 {
            act.abandon().await?;
            return Err(self.why_not_saved(id, former, signed.is_some()).await?);
        }
        let insert = "INSERT INTO note_changes (recording, version, document) VALUES ($1, $2, $3)";
        act.execute(sqlx::query(insert).bind(id).bind(version).bind(sealed_change)).await?;
        if let Some(signature) = signed {
            // Who adds has read what is there: an addendum is reviewed and signed at once.
            for stage in [Stage::Reviewed.name(), Stage::Signed.name()] {
                let sealed = signature_place(id, version, stage).seal_json(&key, signature)?;
                let insert = "INSERT INTO note_signatures (recording, version, stage, document) VALUES ($1, $2, $3, $4)";
                act.execute(sqlx::query(insert).bind(id).bind(version).bind(stage).bind(sealed)).await?;
            }
        }
        let action = if signed.is_some() { Action::Sign } else { Action::Edit };
        let event = act.event_about(by, action, id).await?;
        act.commit(&event).await?;
        Ok(version.unsigned_abs())
    }

    async fn why_not_saved(&self, id: &str, former: i64, addendum: bool) -> Result<SaveError, StoreError> {
        let Some(found) = self.recording(id).await?.filter(|found| found.version > 0) else {
            return Ok(self.refusal(id, "have its note saved").await?.into());
        };
        let current = found.version == former.unsigned_abs();
        Ok(match (current, addendum) {
            (false, _) => SaveError::Conflict,
            (true, false) => SaveError::Signed,
            (true, true) => SaveError::Unsigned,
        })
    }

    /// Keeps that the current version was read through.
    ///
    /// # Errors
    /// [`SaveError::Conflict`] when another version is current; [`SaveError::Moved`] when it is another visit's than was seen; and
    /// when it cannot be written.
    pub async fn save_review(&self, id: &str, reviewed: &Reviewed, seen: &SeenVisit, by: &By) -> Result<(), SaveError> {
        self.vouch(id, (reviewed.version(), Stage::Reviewed, seen), reviewed.review(), by).await
    }

    /// Keeps that the current version is signed: from now on it is frozen.
    ///
    /// # Errors
    /// [`SaveError::Conflict`] when another version is current; [`SaveError::Signed`] when it is signed already;
    /// [`SaveError::Moved`] when it is another visit's than was seen; and when it cannot be written.
    pub async fn save_signature(&self, id: &str, signed: &Signed, seen: &SeenVisit, by: &By) -> Result<(), SaveError> {
        self.vouch(id, (signed.version(), Stage::Signed, seen), signed.signature(), by).await
    }

    async fn vouch(
        &self,
        id: &str,
        (version, stage, seen): (u64, Stage, &SeenVisit),
        signature: &Signature,
        by: &By,
    ) -> Result<(), SaveError> {
        let key = self.data_key(id).await?;
        let version = version.cast_signed();
        let sealed = signature_place(id, version, stage.name()).seal_json(&key, signature)?;
        let insert = "INSERT INTO note_signatures (recording, version, stage, document) SELECT id, $1, $2, $3 FROM recordings \
            WHERE id = $4 AND state = 'finished' AND $5 = (SELECT max(version) FROM notes WHERE recording = recordings.id) \
            ON CONFLICT DO NOTHING";
        let insert = sqlx::query(insert).bind(version).bind(stage.name()).bind(sealed).bind(id).bind(version);
        // Whoever moves it waits.
        let mut act = self.hold_recording(id, "keep a signature").await?;
        if let SeenVisit::Said(seen) = seen {
            let query = sqlx::query_as("SELECT encounter FROM encounter_recordings WHERE recording = $1").bind(id);
            let now = act.one::<(String,)>(query).await?.map(|(encounter,)| encounter);
            if now != *seen {
                act.abandon().await?;
                return Err(SaveError::Moved);
            }
        }
        if act.execute(insert).await? > 0 {
            let action = if stage == Stage::Signed { Action::Sign } else { Action::Review };
            let event = act.event_about(by, action, id).await?;
            act.commit(&event).await?;
            return Ok(());
        }
        act.abandon().await?;
        match self.recording(id).await? {
            Some(found) if found.version != version.unsigned_abs() => Err(SaveError::Conflict),
            // It was read through before, and whoever did so first stays named.
            Some(_) if stage == Stage::Reviewed => Ok(()),
            Some(_) => Err(SaveError::Signed),
            None => Err(StoreError::missing(id).into()),
        }
    }

    /// The record of a recording's note, or nothing before it is finished.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Damaged`], and when it cannot be read.
    pub async fn record(&self, id: &str) -> Result<Option<KeptRecord>, StoreError> {
        let failed = || StoreError::database("read a record");
        let Some(document) = self.document(id).await? else { return Ok(None) };
        let key = self.data_key(id).await?;
        let query = "SELECT version, document FROM note_changes WHERE recording = $1 AND version <= $2 ORDER BY version";
        let current = document.version.cast_signed();
        let rows = self.reader().all::<(i64, Vec<u8>)>(sqlx::query_as(query).bind(id).bind(current)).await;
        let mut changes = Vec::new();
        for (version, sealed) in rows.map_err(failed())? {
            changes.push(change_place(id, version).unseal_json(&key, &sealed)?);
        }
        let query =
            "SELECT version, stage, document FROM note_signatures WHERE recording = $1 AND version <= $2 ORDER BY version";
        let rows = self.reader().all::<(i64, String, Vec<u8>)>(sqlx::query_as(query).bind(id).bind(current)).await;
        let (mut review, mut signed) = (None, Vec::new());
        for (version, stage, sealed) in rows.map_err(failed())? {
            let signature: Signature = signature_place(id, version, &stage).unseal_json(&key, &sealed)?;
            if stage == Stage::Signed.name() {
                signed.push((version.unsigned_abs(), signature));
            } else if version == current {
                review = Some(signature);
            }
        }
        let signature = signed.last().filter(|(version, _)| *version == document.version).map(|(_, signature)| signature.clone());
        let record = Record::restored(document.version, document.note, review, signature);
        let record = record.map_err(|_| signature_place(id, current, Stage::Reviewed.name()).damaged())?;
        Ok(Some(KeptRecord { transcript: document.transcript, record, changes, signed }))
    }

    /// How far a recording's note is, or nothing before it is finished: without opening the note.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn stage(&self, id: &str) -> Result<Option<Stage>, StoreError> {
        let query = "SELECT coalesce((SELECT max(stage) FROM note_signatures WHERE note_signatures.recording = notes.recording \
            AND note_signatures.version = notes.version), '') FROM notes WHERE recording = $1 ORDER BY version DESC LIMIT 1";
        let row = self.reader().one::<(String,)>(sqlx::query_as(query).bind(id)).await;
        let row = row.map_err(StoreError::database("read how far a note is"))?;
        // Of the two stages `signed` is the greater word too.
        let known = [Stage::Signed, Stage::Reviewed];
        Ok(row.map(|(name,)| known.into_iter().find(|stage| stage.name() == name).unwrap_or(Stage::Draft)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Site, by, new_recording, note, on_both, save, sealed_values, transcript};
    use super::*;
    use crate::note::SectionCode;
    use crate::record::{Act, Draft, EditId, Stage, made_before};
    use crate::terminology::Lexicon;

    fn signature(by: &str) -> Signature {
        Signature::new(by, "2026-11-26T09:00:00Z").unwrap()
    }

    async fn finished(store: &Store) -> String {
        let id = store.create(new_recording(), &by()).await.unwrap().id;
        assert_eq!(store.stage(&id).await.unwrap(), None);
        assert!(store.record(&id).await.unwrap().is_none());
        store.finish(&id, &transcript("a"), &note("1")).await.unwrap();
        id
    }

    async fn a_note_goes_from_draft_to_signed_and_only_an_addendum_follows(site: Site) {
        let store = site.open().await;
        let id = finished(&store).await;
        save(&store, &id, 1, &note("2")).await.unwrap();
        let kept = store.record(&id).await.unwrap().unwrap();
        assert_eq!((kept.record.stage(), kept.record.version(), kept.signed), (Stage::Draft, 2, vec![]));
        assert_eq!(kept.changes.iter().map(|change| (change.version, change.act)).collect::<Vec<_>>(), [(2, Act::Replace)]);

        let reviewed = Draft::new(2, note("2")).review(signature("Dr Chan")).unwrap();
        let stale = Draft::new(1, note("1")).review(signature("Dr Chan")).unwrap();
        assert!(matches!(store.save_review(&id, &stale, &SeenVisit::Unsaid, &by()).await, Err(SaveError::Conflict)));
        assert!(matches!(
            store.save_signature(&id, &stale.sign(signature("Dr Chan")), &SeenVisit::Unsaid, &by()).await,
            Err(SaveError::Conflict)
        ));
        store.save_review(&id, &reviewed, &SeenVisit::Unsaid, &by()).await.unwrap();
        store.save_review(&id, &reviewed, &SeenVisit::Unsaid, &by()).await.unwrap();
        assert_eq!(store.stage(&id).await.unwrap(), Some(Stage::Reviewed));

        // An edit makes it a draft again.
        save(&store, &id, 2, &note("3")).await.unwrap();
        assert_eq!(store.stage(&id).await.unwrap(), Some(Stage::Draft));
        let signed = Draft::new(3, note("3")).review(signature("Dr Chan")).unwrap();
        store.save_review(&id, &signed, &SeenVisit::Unsaid, &by()).await.unwrap();
        let signed = signed.sign(signature("Dr Chan"));
        store.save_signature(&id, &signed, &SeenVisit::Unsaid, &by()).await.unwrap();
        assert!(matches!(store.save_signature(&id, &signed, &SeenVisit::Unsaid, &by()).await, Err(SaveError::Signed)));
        assert!(matches!(save(&store, &id, 3, &note("4")).await, Err(SaveError::Signed)));
        assert_eq!(store.stage(&id).await.unwrap(), Some(Stage::Signed));
        assert_eq!(store.record(&id).await.unwrap().unwrap().record, Record::Signed(signed.clone()));

        let lexicon = Lexicon::builtin().unwrap();
        let lines = [(SectionCode::P, "FU 1/52.".into())];
        let added = signed.addendum(&lines, signature("Dr Lee"), &lexicon).unwrap();
        let change = Change { version: 4, act: Act::Addendum, by: "Dr Lee".into(), at: "2026-11-26T09:00:00Z".into(), id: None };
        assert_eq!(store.save_addendum(&id, &added, &change, &by()).await.unwrap(), 4);
        assert!(matches!(store.save_addendum(&id, &added, &change, &by()).await, Err(SaveError::Conflict)));
        let kept = store.record(&id).await.unwrap().unwrap();
        assert_eq!(kept.record.signed().unwrap(), added);
        assert_eq!(
            kept.signed.iter().map(|(version, by)| (*version, by.by.as_str())).collect::<Vec<_>>(),
            [(3, "Dr Chan"), (4, "Dr Lee")]
        );
        assert_eq!(store.note_version(&id, 3).await.unwrap().unwrap(), note("3"), "the signed one is kept");
        assert!(matches!(save(&store, &id, 4, &note("5")).await, Err(SaveError::Signed)));
    }

    async fn an_addendum_needs_a_signed_note(site: Site) {
        let store = site.open().await;
        let id = finished(&store).await;
        let signed = Draft::new(1, note("1")).review(signature("Dr Chan")).unwrap().sign(signature("Dr Chan"));
        let lexicon = Lexicon::builtin().unwrap();
        let added = signed.addendum(&[(SectionCode::P, "FU 1/52.".into())], signature("Dr Lee"), &lexicon).unwrap();
        let change = Change { version: 2, act: Act::Addendum, by: "Dr Lee".into(), at: "2026-11-26T09:00:00Z".into(), id: None };
        assert!(matches!(store.save_addendum(&id, &added, &change, &by()).await, Err(SaveError::Unsigned)));
        assert_eq!(store.recording(&id).await.unwrap().unwrap().version, 1);
        assert!(matches!(
            store.save_signature("no", &signed, &SeenVisit::Unsaid, &by()).await,
            Err(SaveError::Store(StoreError::Missing { .. }))
        ));
    }

    async fn what_is_kept_of_a_change_is_sealed_and_in_its_place(site: Site) {
        let store = site.open().await;
        let id = finished(&store).await;
        save(&store, &id, 1, &note("2")).await.unwrap();
        save(&store, &id, 2, &note("3")).await.unwrap();
        let called = EditId::try_from("an-edit-of-a-client".to_owned()).unwrap();
        let (by_name, at) = ("Dr Chan".to_owned(), "2026-11-26T09:00:00Z".to_owned());
        let change = Change { version: 4, act: Act::Add, by: by_name, at, id: Some(called.clone()) };
        store.save_note(&id, &note("4"), &change, &by()).await.unwrap();
        let again = Change { version: 4, ..change.clone() };
        assert!(
            matches!(store.save_note(&id, &note("5"), &again, &by()).await, Err(SaveError::Conflict)),
            "the same sent at once"
        );
        let kept = store.record(&id).await.unwrap().unwrap().changes;
        assert_eq!((kept.last(), made_before(&kept, 1, &called), kept.len()), (Some(&change), Some(4), 3));
        assert!(
            !sealed_values(&store, &id).await.iter().any(|value| value.windows(19).any(|part| part == b"an-edit-of-a-client"))
        );
        let swap = "UPDATE note_changes SET document = (SELECT document FROM note_changes WHERE version = 2) WHERE version = 3";
        sqlx::query(swap).execute(store.database().pool()).await.unwrap();
        let error = store.record(&id).await.unwrap_err().to_string();
        assert!(error.contains(&format!("note_changes.document of recording {id}, version 3")), "{error}");
    }

    async fn of_edits_and_a_signature_at_once_no_edit_follows_the_signed_version(site: Site) {
        let store = site.open().await;
        for _ in 0..12 {
            let id = finished(&store).await;
            let reviewed = Draft::new(1, note("1")).review(signature("Dr Chan")).unwrap();
            store.save_review(&id, &reviewed, &SeenVisit::Unsaid, &by()).await.unwrap();
            let signing = {
                let (store, id) = (store.clone(), id.clone());
                tokio::spawn(async move {
                    store.save_signature(&id, &reviewed.sign(signature("Dr Chan")), &SeenVisit::Unsaid, &by()).await
                })
            };
            let edits: Vec<_> = (0..6)
                .map(|_| {
                    let (store, id) = (store.clone(), id.clone());
                    tokio::spawn(async move { save(&store, &id, 1, &note("2")).await })
                })
                .collect();
            let mut won = usize::from(match signing.await.unwrap() {
                Ok(()) => true,
                Err(SaveError::Conflict) => false,
                Err(error) => panic!("{error}"),
            });
            for edit in edits {
                won += usize::from(match edit.await.unwrap() {
                    Ok(_) => true,
                    Err(SaveError::Conflict | SaveError::Signed) => false,
                    Err(error) => panic!("{error}"),
                });
            }
            assert_eq!(won, 1, "either the signature or one edit");
            let kept = store.record(&id).await.unwrap().unwrap();
            assert!(kept.signed.is_empty() == (kept.record.version() == 2), "{:?}", kept.record.stage());
        }
    }

    on_both! {
        a_note_goes_from_draft_to_signed_and_only_an_addendum_follows,
        an_addendum_needs_a_signed_note,
        what_is_kept_of_a_change_is_sealed_and_in_its_place,
        of_edits_and_a_signature_at_once_no_edit_follows_the_signed_version,
    }
}
