//! Who looks, from where, when, and the entry of the log that says so: on every page that is shown.
//!
//! It says whom a picture of a screen came from. It cannot keep anybody from taking that picture, from copying what they read by hand or
//! from cutting the mark out.

use super::SharingError;
use crate::audit::UnixMillis;

/// The mark of one view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermark {
    viewer: String,
    organisation: String,
    at: UnixMillis,
    entry: u64,
}

impl Watermark {
    /// The mark of a view whose event is entry `entry` of the log, from 0: it was written before anything is shown.
    ///
    /// # Errors
    /// [`SharingError::NoName`] where a name is blank.
    pub fn new(viewer: &str, organisation: &str, at: UnixMillis, entry: u64) -> Result<Self, SharingError> {
        let name = |text: &str| {
            let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let trimmed = one_line.trim();
            if trimmed.is_empty() { Err(SharingError::NoName) } else { Ok(trimmed.to_owned()) }
        };
        Ok(Self { viewer: name(viewer)?, organisation: name(organisation)?, at, entry })
    }

    /// The same person's for another entry, written at this time.
    #[must_use]
    pub fn again(&self, at: UnixMillis, entry: u64) -> Self {
        Self { at, entry, ..self.clone() }
    }

    /// Who looks.
    #[must_use]
    pub fn viewer(&self) -> &str {
        &self.viewer
    }

    /// Where they work.
    #[must_use]
    pub fn organisation(&self) -> &str {
        &self.organisation
    }

    /// When.
    #[must_use]
    pub fn at(&self) -> UnixMillis {
        self.at
    }

    /// The entry of the log.
    #[must_use]
    pub fn entry(&self) -> u64 {
        self.entry
    }
}
