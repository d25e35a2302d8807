//! From a name in the registry to an installed model.

use std::fs;
use std::path::Path;

use super::digest::Digest;
use super::error::{Failure, ModelError};
use super::installed::{Installed, find_installed, verify};
use super::manifest::{InstalledFile, Manifest};
use super::packed::{discard, pack_installed};
use super::registry::{Entry, SourceSpec};
use super::report::Report;
use super::source::{Job, PullOptions, source};
use super::store::{Locked, Staging};

/// What a pull found or did.
#[derive(Debug)]
pub enum Pulled {
    /// It was installed and intact.
    AlreadyThere(Installed),
    /// It was fetched.
    Fetched(Installed),
}

/// Installs a model from the first of its sources that answers, unless it is installed and intact.
///
/// A model that is being pulled by another process is waited for. Until everything is verified, nothing of it is visible.
///
/// # Errors
/// [`ModelError::AllFailed`] with what each source said; [`ModelError::Io`] or [`ModelError::DiskFull`] at once, since no other source would
/// fare better.
pub fn pull(folder: &Path, entry: &Entry, options: &PullOptions, report: &dyn Report) -> Result<Pulled, ModelError> {
    let locked = Locked::acquire(folder, &entry.name, report)?;
    if locked.target().is_dir() {
        let faults = verify(folder, &entry.name)?;
        let packed = packed_files(&locked.target());
        let (of_packed, of_fetched): (Vec<_>, Vec<_>) =
            faults.iter().partition(|fault| packed.iter().any(|name| name == fault.file()));
        match of_fetched.first() {
            None => {
                for fault in of_packed {
                    report.line(&format!("packed weights of `{}` are damaged ({fault}); packing them again", entry.name));
                    discard(&locked, fault.file())?;
                }
                pack_installed(&locked, report)?;
                return find_installed(folder, &entry.name).map(Pulled::AlreadyThere);
            }
            Some(fault) => report.line(&format!("`{}` is damaged ({fault}); fetching it again", entry.name)),
        }
    }
    let mut failures = Vec::new();
    for spec in &entry.source {
        let label = source(spec).label();
        match from_source(&locked, entry, spec, options, report) {
            Ok(()) => {
                locked.clear_download();
                pack_installed(&locked, report)?;
                return find_installed(folder, &entry.name).map(Pulled::Fetched);
            }
            Err(error) if error.is_local() => return Err(error),
            Err(error) => {
                report.line(&format!("{label} is passed over: {error}"));
                failures.push(Failure { source: label, error });
            }
        }
    }
    Err(ModelError::AllFailed { name: entry.name.clone(), failures })
}

fn from_source(
    locked: &Locked,
    entry: &Entry,
    spec: &SourceSpec,
    options: &PullOptions,
    report: &dyn Report,
) -> Result<(), ModelError> {
    let download = locked.download()?;
    let staging = locked.staging()?;
    let origin = source(spec).fetch(&Job { download: &download, staging: staging.path(), options, report })?;
    let files = record(&staging, spec, report)?;
    staging.install(&Manifest::new(entry, origin, files))
}

/// Names of the files of the installed model that were made here.
fn packed_files(target: &Path) -> Vec<String> {
    let manifest = Manifest::read(target);
    manifest.map(|manifest| manifest.packed.into_iter().map(|file| file.name).collect()).unwrap_or_default()
}

/// Hashes what a source brought, whatever that source checked itself: only this decides what is installed.
fn record(staging: &Staging<'_>, spec: &SourceSpec, report: &dyn Report) -> Result<Vec<InstalledFile>, ModelError> {
    let mut files = Vec::new();
    for spec in spec.files() {
        let path = staging.path().join(&spec.name);
        let size = fs::metadata(&path).map_err(ModelError::io("read", &path))?.len();
        let sha256 = Digest::of_file(&path)?;
        match &spec.sha256 {
            Some(expected) if *expected != sha256 => {
                let (file, expected, found) = (spec.name.clone(), expected.to_string(), sha256.to_string());
                return Err(ModelError::Altered { file, expected, found });
            }
            Some(_) => {}
            None => report.line(&format!("`{}` was taken on trust; its sha256 is {sha256}", spec.name)),
        }
        files.push(InstalledFile { name: spec.name.clone(), size, sha256, pinned: spec.sha256.is_some() });
    }
    Ok(files)
}
