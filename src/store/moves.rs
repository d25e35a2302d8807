//! Recordings that were moved from one visit to another, and the record of it.

use super::holds::Heeded;
use super::place::Place;
use super::{By, DeskError, Store, StoreError};
use crate::audit::{Action, Event};
use crate::text::PatientText;
use crate::visit::Move;

fn place(recording: &str, number: i64) -> Place<'_> {
    Place::row("recording_moves.document", recording, format!("move {number}"))
}

impl Store {
    /// Moves a recording to a visit, if it still belongs to the one that was seen, and keeps who did it when.
    ///
    /// # Errors
    /// [`DeskError::Conflict`] when it was moved meanwhile; [`DeskError::Signed`]; [`DeskError::Refused`] when it has sound and the other patient does not want
    /// to be recorded; [`StoreError::Missing`] and [`StoreError::Unknown`] when there is no such
    /// recording or visit; and when it cannot be written.
    pub async fn move_recording(
        &self,
        recording: &str,
        from: Option<&str>,
        to: &str,
        (name, at): (&str, &str),
        by: &By,
    ) -> Result<Move, DeskError> {
        let key = self.data_key(recording).await?;
        let unknown = || StoreError::Unknown { what: "visit", id: to.to_owned() };
        let from_patient = match from {
            Some(from) => self.encounter(from).await?.map(|encounter| encounter.patient),
            None => None,
        };
        let former = from_patient.as_deref().map(|patient| self.pseudonym(patient)).transpose()?;
        // Whoever signs or moves it too, or notes a refusal of the visit, waits.
        let mut act = self.hold_recording(recording, "move a recording").await?;
        // What is on hold stays where it is: elsewhere nobody would find that it is.
        if act.recording_on_hold(recording, Heeded::All).await? {
            return Err(StoreError::OnHold.into());
        }
        let (target, _) = act.held_encounter(&self.shared.keys, to).await?.ok_or_else(unknown)?;
        let patient = Some(self.pseudonym(&target.patient)?);
        let query = "SELECT encounter, typed, moves FROM encounter_recordings WHERE recording = $1";
        let now = act.one::<(String, i64, i64)>(sqlx::query_as(query).bind(recording)).await?;
        if now.as_ref().map(|(encounter, ..)| encounter.as_str()) != from {
            return Err(DeskError::Conflict);
        }
        let (typed, number) = now.map_or((false, 1), |(_, typed, moves)| (typed == 1, moves + 1));
        if target.encounter.refused && !typed {
            return Err(DeskError::Refused);
        }
        let entry = Move {
            by: PatientText::from(name),
            at: at.to_owned(),
            from: from.map(str::to_owned),
            from_patient,
            to: to.to_owned(),
            to_patient: target.patient,
        };
        let signed = sqlx::query_as("SELECT version FROM note_signatures WHERE recording = $1 AND stage = 'signed' LIMIT 1");
        if act.one::<(i64,)>(signed.bind(recording)).await?.is_some() {
            return Err(DeskError::Signed);
        }
        let sealed = place(recording, number).seal_json(&key, &entry)?;
        let put = "INSERT INTO encounter_recordings (recording, encounter, typed, moves) VALUES ($1, $2, 0, $3) \
            ON CONFLICT (recording) DO UPDATE SET encounter = excluded.encounter, moves = excluded.moves";
        let put = sqlx::query(put).bind(recording).bind(to).bind(number);
        act.execute(put).await?;
        act.forget_expected(recording).await?;
        let insert = sqlx::query("INSERT INTO recording_moves (recording, number, document) VALUES ($1, $2, $3)");
        let insert = insert.bind(recording).bind(number).bind(sealed);
        act.execute(insert).await?;
        let event = by.did(Action::Register, recording);
        if let Some(former) = former.filter(|former| Some(*former) != patient) {
            act.enter(&Event { patient: Some(former), ..event.clone() }).await?;
        }
        act.commit(&Event { patient, ..event }).await?;
        Ok(entry)
    }

    /// How a recording was moved, in order.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Damaged`], and when it cannot be read.
    pub async fn moves(&self, recording: &str) -> Result<Vec<Move>, StoreError> {
        let key = self.data_key(recording).await?;
        let query = "SELECT number, document FROM recording_moves WHERE recording = $1 ORDER BY number";
        let rows = self.reader().all::<(i64, Vec<u8>)>(sqlx::query_as(query).bind(recording)).await;
        let rows = rows.map_err(StoreError::database("read how a recording was moved"))?;
        rows.into_iter().map(|(number, sealed)| place(recording, number).unseal_json(&key, &sealed)).collect()
    }
}
