//! Which model, when nobody named one.

use std::path::Path;

use super::error::ModelError;
use super::installed::{Installed, find_installed, installed_manifests};
use super::pull::{Pulled, pull};
use super::registry::{Entry, Registry};
use super::report::Report;
use super::source::PullOptions;
use crate::speech::model::Language;

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
