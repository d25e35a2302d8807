//! What every source of models has in common.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::digest::Digest;
use super::error::ModelError;
use super::hub::Hub;
use super::registry::SourceSpec;
use super::report::Report;
use super::wheels::Wheels;

/// How to pull.
#[derive(Debug, Clone)]
pub struct PullOptions {
    /// Use only what is on this machine.
    pub offline: bool,
    /// Take files that the registry has no hash for, and record theirs.
    pub trust_first_download: bool,
    /// A source that has not answered by then is passed over.
    pub answer_within: Duration,
    /// A transfer that brings nothing for so long is given up.
    pub stall_after: Duration,
    /// The hub's address; nothing: `HF_ENDPOINT`, or else the public one.
    pub hub_endpoint: Option<String>,
}

impl Default for PullOptions {
    fn default() -> Self {
        Self {
            offline: false,
            trust_first_download: false,
            answer_within: Duration::from_secs(5),
            stall_after: Duration::from_secs(30),
            hub_endpoint: None,
        }
    }
}

/// One pull, as a source sees it.
pub(crate) struct Job<'a> {
    /// Keeps verified parts between tries.
    pub(crate) download: &'a Path,
    /// Where the files of the model go.
    pub(crate) staging: &'a Path,
    pub(crate) options: &'a PullOptions,
    pub(crate) report: &'a dyn Report,
}

/// Somewhere a model can come from.
pub(crate) trait Source {
    /// How messages call it.
    fn label(&self) -> String;

    /// Brings all files into the job's staging folder; every hash the registry states has been checked then.
    /// Gives the words for the manifest that say where they came from.
    fn fetch(&self, job: &Job<'_>) -> Result<String, ModelError>;
}

pub(crate) fn source(spec: &SourceSpec) -> Box<dyn Source + '_> {
    match spec {
        SourceSpec::Hub(spec) => Box::new(Hub(spec)),
        SourceSpec::Wheels(spec) => Box::new(Wheels(spec)),
    }
}

/// The path of a part that an earlier try left, if its content is what is wanted; one that is not is removed.
pub(crate) fn kept(path: PathBuf, expected: &Digest) -> Result<Option<PathBuf>, ModelError> {
    if !path.is_file() {
        return Ok(None);
    }
    if Digest::of_file(&path)? == *expected {
        return Ok(Some(path));
    }
    std::fs::remove_file(&path).map_err(ModelError::io("remove", &path))?;
    Ok(None)
}
