//! Which model, when nobody named one.

use std::path::Path;

use super::error::ModelError;
use super::installed::{Installed, find_installed, installed_manifests};
use super::manifest::Manifest;
use super::pull::{Pulled, pull};
use super::registry::{Entry, Family, Registry};
use super::report::Report;
use super::source::PullOptions;
use crate::speech::model::{Language, SpeechFamily};

/// Stands for the best model wherever a model is named.
pub const AUTO: &str = "auto";

/// The best of the installed models for a language, as the registry orders them; nothing said, for Cantonese.
///
/// # Errors
/// [`ModelError::NoneInstalled`]; as [`find_installed`] when the best is damaged, for a worse one in its place would go unnoticed.
pub fn best_installed(
    folder: &Path,
    registry: &Registry,
    language: Option<Language>,
    gpu: bool,
) -> Result<Installed, ModelError> {
    let installed = installed_manifests(folder)?;
    let there = |entry: &&Entry| installed.iter().any(|(name, _)| *name == entry.name);
    match registry.best(language, gpu)?.into_iter().find(there) {
        Some(entry) => find_installed(folder, &entry.name),
        None => Err(ModelError::NoneInstalled { language: language.unwrap_or_default().code() }),
    }
}

/// Stands for no aligner wherever one is named.
pub const NO_ALIGNER: &str = "none";

/// The forced aligner that gives a model's words their times: the one that was asked for, or an installed one where nothing was said.
/// Nothing where there is none, where [`NO_ALIGNER`] was asked for, or for a model that needs none.
///
/// # Errors
/// [`ModelError::TakesNoAligner`] for one that was asked for and has no use; as [`find_installed`].
pub fn aligner_for(folder: &Path, model: &Installed, asked: Option<&str>) -> Result<Option<Installed>, ModelError> {
    let takes = model.family.speech().is_some_and(SpeechFamily::takes_aligner);
    match asked {
        Some(NO_ALIGNER) => Ok(None),
        Some(asked) if takes => find_installed(folder, asked).map(Some),
        Some(_) => Err(ModelError::TakesNoAligner { name: model.name.clone() }),
        None if takes => {
            let is_one = |manifest: &Manifest| manifest.family == Family::Qwen3Aligner;
            let installed = installed_manifests(folder)?;
            let found = installed.iter().find(|(_, manifest)| manifest.as_ref().is_ok_and(is_one));
            found.map(|(name, _)| find_installed(folder, name)).transpose()
        }
        None => Ok(None),
    }
}

/// Installs what a first start needs: the first of the registry's list that can be had. One that stands in for a better one is
/// told with what to expect of it, and how to have the better one.
///
/// # Errors
/// As [`pull`]; what the last of the list said when none can be had.
pub fn pull_first(folder: &Path, registry: &Registry, options: &PullOptions, report: &dyn Report) -> Result<Pulled, ModelError> {
    let first = registry.first()?;
    let mut failed = ModelError::Registry { why: "it lists no model for a first start".to_owned() };
    for entry in &first {
        match pull(folder, entry, options, report) {
            Ok(pulled) => {
                if let Some(wanted) = first.first().filter(|wanted| wanted.name != entry.name) {
                    report.line(&instead(entry, wanted));
                }
                return Ok(pulled);
            }
            Err(error) if error.is_local() => return Err(error),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn instead(entry: &Entry, wanted: &Entry) -> String {
    let expected = |entry: &Entry| match entry.accuracy.first() {
        Some(accuracy) => format!("{}% of characters wrong ({})", accuracy.percent, accuracy.set),
        None => "an unknown part of the characters wrong".to_owned(),
    };
    let (name, better) = (&entry.name, &wanted.name);
    format!(
        "`{better}` cannot be had from here now, so `{name}` hears: expect {}, instead of {}; where the hub can be reached, \
         `cantoscribe models pull {better} --trust-first-download` installs the better one",
        expected(entry),
        expected(wanted)
    )
}
