//! What a start does with rows and keys that do not fit each other: keys that rows still hold are moved to the key store, and rows whose
//! key was destroyed, which came back from an older backup, are erased again.

use std::sync::atomic::Ordering;

use super::keys::{self, Whose};
use super::{By, Erasable, Store, StoreError};
use crate::audit::{Action, Actor, ConsentId, Event};

impl Store {
    /// How many recordings and patients were erased again when this was opened: they had come back from an older backup.
    #[must_use]
    pub fn erased_again(&self) -> usize {
        self.shared.erased_again.load(Ordering::Relaxed)
    }

    /// Keeps the events of what was done while no event could be kept. After a restore nobody is signed in, and no link that was used
    /// since the backup is good again. Says what was told.
    pub(super) async fn tell_owed(&self) -> Result<Vec<String>, StoreError> {
        let owed = self.shared.keys.owed().await?;
        for owed in &owed {
            let mut act = self.begin("keep an event").await?;
            let action = if owed == keys::RESTORED { Action::Restore } else { Action::KeyRotate };
            if action == Action::Restore {
                for delete in [
                    "DELETE FROM sessions",
                    "DELETE FROM enrolments",
                    "DELETE FROM patient_pages",
                    "DELETE FROM ways_back",
                    // Their links and codes are void too. What people are to be told they are told, some of it once more.
                    "DELETE FROM outbox WHERE state = 'waiting' AND kind IN ('link', 'code')",
                ] {
                    act.execute(sqlx::query(delete)).await?;
                }
            }
            act.commit(&By::now(Actor::System).did_in_general(action)).await?;
        }
        Ok(owed)
    }

    /// Ends what a start has told of. What patients said since a backup is not known: so after a restore no consent is in force, none that was
    /// answered waits for its doctor, and no link of a request opens.
    pub(super) async fn settle_owed(&self, owed: Vec<String>) -> Result<(), StoreError> {
        for owed in owed {
            if owed == keys::RESTORED {
                self.void_all().await?;
                self.take_back_every_yes().await?;
            }
            self.shared.keys.told(&owed).await?;
        }
        Ok(())
    }

    async fn void_all(&self) -> Result<(), StoreError> {
        let query = sqlx::query_as("SELECT id FROM consents WHERE live = 1 ORDER BY number");
        let live = self.reader().all::<(String,)>(query).await.map_err(StoreError::database("list the consents"))?;
        for id in live.into_iter().filter_map(|(id,)| ConsentId::try_from(id).ok()) {
            let by = By::now(Actor::System);
            self.change_consent(id, &by, |consent, _| consent.void(by.at).into()).await?;
        }
        Ok(())
    }

    /// Whether somebody said no to being recorded since a backup is not known either: who is recorded after a restore is asked again.
    async fn take_back_every_yes(&self) -> Result<(), StoreError> {
        let query = sqlx::query_as("SELECT id FROM encounters ORDER BY number");
        let visits = self.reader().all::<(String,)>(query).await.map_err(StoreError::database("list the visits"))?;
        for (visit,) in visits {
            self.take_back_yes(&visit, &By::now(Actor::System)).await?;
        }
        Ok(())
    }

    /// Moves the keys of a database from before there was a key store. They are on the disk there before the rows lose them.
    pub(super) async fn part_keys(&self) -> Result<(), StoreError> {
        let failed = || StoreError::database("move its keys");
        let mut keys = Vec::new();
        for (whose, query) in [
            (Whose::Recording, "SELECT id, data_key FROM recordings WHERE state <> 'erasing'"),
            (Whose::Patient, "SELECT id, data_key FROM patients"),
        ] {
            let rows = self.reader().all::<(String, Vec<u8>)>(sqlx::query_as(query)).await.map_err(failed())?;
            keys.extend(rows.into_iter().filter(|(_, key)| !key.is_empty()).map(|(id, key)| (whose, id, key)));
        }
        self.shared.keys.take_over(keys).await?;
        let mut act = self.begin("move its keys").await?;
        for update in ["UPDATE recordings SET data_key = $1", "UPDATE patients SET data_key = $1"] {
            act.execute(sqlx::query(update).bind(Vec::<u8>::new())).await?;
        }
        act.execute(sqlx::query("UPDATE upkeep SET keys_apart = 1, wipe = 1")).await?;
        act.commit(&By::now(Actor::System).did_in_general(Action::Administer)).await?;
        self.wipe().await
    }

    /// Erases again what was erased, and is here again. Says how much that was.
    ///
    /// # Errors
    /// [`StoreError::LostDataKey`] where a key is missing that was not destroyed: then nothing is erased.
    pub(super) async fn erase_again(&self) -> Result<usize, StoreError> {
        let recordings = self.without_key(Whose::Recording, "SELECT id FROM recordings WHERE state <> 'erasing'").await?;
        let patients = self.without_key(Whose::Patient, "SELECT id FROM patients").await?;
        let count = recordings.len() + patients.len();
        if count == 0 {
            return Ok(0);
        }
        for id in recordings {
            self.mark(&id, Erasable::Signed, &By::now(Actor::System), None).await?;
        }
        self.end_erasures().await?;
        for id in patients {
            self.erase_patient_again(&id).await?;
        }
        self.end_erasures().await?;
        tracing::warn!(count, "what was erased was here again, as in an older backup; it was erased again");
        Ok(count)
    }

    /// The rows of this query that have no key, all of which was destroyed.
    async fn without_key(&self, whose: Whose, query: &'static str) -> Result<Vec<String>, StoreError> {
        let rows = self.reader().all::<(String,)>(sqlx::query_as(query)).await;
        let ids = rows.map_err(StoreError::database("look for keys"))?.into_iter().map(|(id,)| id);
        let keys = &self.shared.keys;
        let missing: Vec<String> = ids.filter(|id| !keys.has(whose, id)).collect();
        match missing.iter().find(|id| !keys.was_destroyed(whose, id)) {
            Some(id) => Err(keys.missing(whose, id)),
            None => Ok(missing),
        }
    }

    /// What its visits still have was given to another patient before this one was erased, or its key would have been destroyed too. To
    /// whom is not known here any more: it belongs to nobody.
    async fn erase_patient_again(&self, id: &str) -> Result<(), StoreError> {
        let event = By::now(Actor::System).did_for(Action::Erase, self.pseudonym(id)?);
        // Those with whom they were one person when the backup was made: who is left of them stands anew.
        let left: Vec<String> = self.same_person(id).await?.into_iter().filter(|other| other != id).collect();
        let owner = self.owner_of_patient(id).await?;
        let mut act = self.begin("erase a patient again").await?;
        let detach = "DELETE FROM encounter_recordings WHERE encounter IN (SELECT id FROM encounters WHERE patient = $1)";
        let detached = act.execute(sqlx::query(detach).bind(id)).await?;
        act.give_up_notices(self, id, event.at).await?;
        act.execute(sqlx::query("DELETE FROM patients WHERE id = $1").bind(id)).await?;
        if let Some(owner) = owner {
            act.settle(owner.organisation, left.iter().map(String::as_str)).await?;
        }
        act.execute(sqlx::query("INSERT INTO erased_patients (id) VALUES ($1)").bind(id)).await?;
        act.execute(sqlx::query("UPDATE upkeep SET wipe = 1")).await?;
        act.enter(&Event { action: Action::KeyDestroy, ..event.clone() }).await?;
        act.commit(&event).await?;
        if detached > 0 {
            tracing::warn!(detached, "recordings that were moved to another patient since the backup belong to nobody now");
        }
        Ok(())
    }
}
