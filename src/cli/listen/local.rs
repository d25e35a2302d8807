//! A room of this machine.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;

use super::ListenArguments;
use super::room::{Room, Told};
use super::source::Source;

/// The models, loaded before the microphone is opened.
pub struct Prepared {}

impl Prepared {
    /// Loads the models and opens the store.
    pub fn open(_arguments: &ListenArguments, _models_folder: &Path, _data: &Path) -> anyhow::Result<Self> {
        bail!("listening without --server is not wired to the room yet")
    }

    /// Begins a recording of this source.
    pub fn begin(&self, _source: &Source, _arguments: &ListenArguments) -> anyhow::Result<LocalRoom> {
        Ok(LocalRoom {})
    }
}

/// A recording that this machine hears.
pub struct LocalRoom {}

impl Room for LocalRoom {
    fn push(&mut self, _samples: &[i16]) -> anyhow::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        Ok(())
    }

    fn told(&mut self, _patience: Duration) -> Option<Told> {
        None
    }

    fn trouble(&self) -> Option<String> {
        None
    }

    fn kept_in(&self) -> String {
        String::new()
    }
}
