//! The yes to being recorded, kept with its visit, and the beginning of a recording that rests on it.

use super::act::Act;
use super::place::Place;
use super::recordings::{NewRecording, Recording};
use super::{By, DeskError, Store, StoreError, StoredEncounter};
use crate::audit::{Action, Event, HowSaid, Refusal};
use crate::consent::{Decider, MayRecord, RecordingAnswer, RecordingGrounds, Standing, note_answer};
use crate::spool::Key;

/// On what a recording of a visit is begun.
#[derive(Debug)]
pub enum Leave {
    /// The patient's yes, which is looked at once more as the recording begins.
    Patient(MayRecord),
    /// A trial: nobody has to be asked, and a no counts all the same.
    Trial,
}

impl Act {
    async fn keep_visit(&mut self, visit: &StoredEncounter, key: &Key) -> Result<(), StoreError> {
        let sealed = Place::new("encounters.document", &visit.id).seal_json(key, &visit.encounter)?;
        let update = sqlx::query("UPDATE encounters SET document = $1 WHERE id = $2").bind(sealed).bind(&visit.id);
        self.execute(update).await.map(drop)
    }
}

impl Store {
    /// Notes that somebody said yes to the recording of a visit; a refusal that was noted before is taken back by it. Who may not decide
    /// for the patient is refused, which is kept in the log.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], and when it cannot be written.
    pub async fn note_recording_yes(
        &self,
        visit: &str,
        (standing, decider, how): (Standing, Decider, HowSaid),
        by: &By,
    ) -> Result<Result<StoredEncounter, Refusal>, StoreError> {
        let unknown = || StoreError::Unknown { what: "visit", id: visit.to_owned() };
        let mut act = self.begin("note a consent").await?;
        let (mut found, key) = act.held_encounter(&self.shared.keys, visit).await?.ok_or_else(unknown)?;
        let answer = RecordingAnswer { patient: self.pseudonym(&found.patient)?, standing, by: decider, how, yes: true };
        let (noted, event) = note_answer(&answer, by.actor, by.at);
        if let Ok(yes) = noted {
            found.encounter.refused = false;
            found.encounter.recorded_on = Some(RecordingGrounds::Said(yes));
            act.keep_visit(&found, &key).await?;
        }
        act.commit(&event.from(by.address, by.device)).await?;
        Ok(noted.map(|_| found))
    }

    /// The patient's yes to the recording of this visit, if it counts now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn may_record(&self, visit: &str, by: &By) -> Result<Option<MayRecord>, StoreError> {
        let Some(found) = self.encounter(visit).await? else { return Ok(None) };
        self.counts(&found, by)
    }

    fn counts(&self, visit: &StoredEncounter, by: &By) -> Result<Option<MayRecord>, StoreError> {
        let patient = self.pseudonym(&visit.patient)?;
        let yes = visit.encounter.recorded_on.and_then(RecordingGrounds::yes).filter(|_| !visit.encounter.refused);
        Ok(yes.and_then(|yes| yes.may_record(patient, by.at).ok()))
    }

    /// Begins a recording of a visit: its rows and its events together, and none of them where the patient's yes does not count any more.
    ///
    /// # Errors
    /// [`DeskError::Refused`]; [`StoreError::Unknown`] when there is no such visit, and when it cannot be written.
    pub async fn begin_recording(
        &self,
        new: NewRecording,
        (visit, leave): (&str, Leave),
        by: &By,
    ) -> Result<Recording, DeskError> {
        let unknown = || StoreError::Unknown { what: "visit", id: visit.to_owned() };
        let mut act = self.begin("begin a recording").await?;
        let (mut found, key) = act.held_encounter(&self.shared.keys, visit).await?.ok_or_else(unknown)?;
        let allowed = match leave {
            Leave::Patient(shown) => self.counts(&found, by)?.is_some_and(|now| now == shown),
            Leave::Trial => !found.encounter.refused,
        };
        if !allowed {
            act.abandon().await?;
            return Err(DeskError::Refused);
        }
        if found.encounter.recorded_on.is_none() {
            found.encounter.recorded_on = Some(RecordingGrounds::Trial);
            act.keep_visit(&found, &key).await?;
        }
        let recording = self.take_in(&mut act, new, by).await?;
        let insert = "INSERT INTO encounter_recordings (recording, encounter, typed, moves) VALUES ($1, $2, 0, 0)";
        act.execute(sqlx::query(insert).bind(&recording.id).bind(visit)).await?;
        let patient = Some(self.pseudonym(&found.patient)?);
        act.enter(&Event { patient, ..by.did(Action::Record, &recording.id) }).await?;
        act.commit(&Event { patient, ..by.did(Action::Register, &recording.id) }).await?;
        Ok(recording)
    }

    /// Takes back the yes to the recording of a visit, where one was said: whoever is recorded again is asked again.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub async fn take_back_yes(&self, visit: &str, by: &By) -> Result<(), StoreError> {
        let mut act = self.begin("take a consent back").await?;
        let found = act.held_encounter(&self.shared.keys, visit).await?;
        let noted = found
            .and_then(|(visit, key)| visit.encounter.recorded_on.and_then(RecordingGrounds::yes).map(|yes| (visit, key, yes)));
        let Some((mut visit, key, yes)) = noted else { return act.abandon().await };
        visit.encounter.recorded_on = None;
        act.keep_visit(&visit, &key).await?;
        act.commit(&yes.take_back(by.actor, by.at).from(by.address, by.device)).await.map(drop)
    }
}
