//! Where a sealed value belongs. A value is bound to its place, so that none can stand in for another.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::StoreError;
use crate::spool::Key;

/// A column and a row of the database.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    column: &'static str,
    recording: &'a str,
    row: String,
}

impl<'a> Place<'a> {
    /// A column of which a recording has one value.
    pub(super) fn new(column: &'static str, recording: &'a str) -> Self {
        Self::row(column, recording, String::new())
    }

    /// A column of which a recording has a value a row.
    pub(super) fn row(column: &'static str, recording: &'a str, row: String) -> Self {
        Self { column, recording, row }
    }

    pub(super) fn seal(&self, key: &Key, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
        Ok(key.seal(&self.context(), bytes)?)
    }

    pub(super) fn unseal(&self, key: &Key, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        key.unseal(&self.context(), sealed).ok_or_else(|| self.damaged())
    }

    pub(super) fn seal_json(&self, key: &Key, value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
        let json = Zeroizing::new(serde_json::to_vec(value).map_err(|_| StoreError::Json)?);
        self.seal(key, &json)
    }

    /// serde_json's own message is left out: it quotes what it read.
    pub(super) fn unseal_json<T: DeserializeOwned>(&self, key: &Key, sealed: &[u8]) -> Result<T, StoreError> {
        serde_json::from_slice(&self.unseal(key, sealed)?).map_err(|_| self.damaged())
    }

    pub(super) fn damaged(&self) -> StoreError {
        StoreError::Damaged { place: self.to_string() }
    }

    /// No part holds a line break, so that no two places have the same.
    fn context(&self) -> Vec<u8> {
        format!("cantoscribe store 1\n{}\n{}\n{}", self.column, self.recording, self.row).into_bytes()
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, recording, row } = self;
        let whose = match column.split_once('.') {
            Some(("patients", _)) => "patient",
            Some(("patient_contacts", _)) => "patient",
            Some(("encounters", _)) => "visit",
            Some(("consents" | "ended_shares", _)) => "consent",
            Some(("ways_back", _)) => "way back",
            Some(("legal_holds", _)) => "hold",
            Some(("outbox", _)) => "message",
            _ => "recording",
        };
        match (recording.is_empty(), row.is_empty()) {
            (true, _) => f.write_str(column),
            (false, true) => write!(f, "{column} of {whose} {recording}"),
            (false, false) => write!(f, "{column} of {whose} {recording}, {row}"),
        }
    }
}
