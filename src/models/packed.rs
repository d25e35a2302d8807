//! Packed weights of installed models: made when a model is installed, used when it is loaded, made anew when they are stale.
//!
//! `NAME/packed-PRECISION.safetensors` is tied to the weights by their hash, which stands in it, and its own hash stands in the
//! manifest. A file that is not what was written is refused like any other damaged file of the model.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::digest::Digest;
use super::error::ModelError;
use super::installed::{Installed, find_installed};
use super::manifest::{InstalledFile, Manifest};
use super::registry::Family;
use super::report::{Report, Silent};
use super::store::Locked;
use crate::speech::SpeechError;
use crate::speech::model::{self, AlignerFiles, LoadOptions, PackedWeights, Precision, Recognizer};

/// What a model is packed for when it is installed.
const AT_INSTALLATION: Precision = Precision::Balanced;

/// Loads a speech model, with what gives its words their times, if there is ([`super::aligner_for`]). An installed one's weights are
/// packed first, unless they are, where the options use packed weights; the results are the same where that is not possible, and
/// loading is slower.
///
/// # Errors
/// A damaged or unsupported file of the models.
pub fn load(
    installed: &Installed,
    aligner: Option<&Installed>,
    options: &LoadOptions,
) -> Result<Box<dyn Recognizer>, ModelError> {
    let packed = |installed: &Installed| match &installed.models {
        Some(models) if options.is_fused() => packed_weights(installed, models, options.precision),
        _ => Ok(None),
    };
    let files =
        |aligner: &Installed| Ok::<_, ModelError>(AlignerFiles { folder: aligner.folder.clone(), packed: packed(aligner)? });
    let (aligner, packed) = (aligner.map(files).transpose()?, packed(installed)?);
    let decoder = installed.decoder.clone();
    Ok(model::load(&installed.folder, &LoadOptions { packed, aligner, decoder, ..options.clone() })?)
}

fn packed_weights(installed: &Installed, models: &Path, precision: Precision) -> Result<Option<PackedWeights>, ModelError> {
    if let Some(path) = fresh(installed, precision) {
        return Ok(Some(path));
    }
    let made = Locked::acquire(models, &installed.name, &Silent).and_then(|locked| pack(&locked, precision));
    match made {
        Ok(packed) => Ok(packed),
        // A folder that cannot be written to, or a full disk, must not keep a model from being used.
        Err(error) if error.is_local() => {
            tracing::warn!(%error, "weights were not packed: loading takes longer");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Packs a model that was just installed, or found so, for the precision that is used by default. A model that cannot be packed is
/// reported: loading it will say why.
pub(super) fn pack_installed(locked: &Locked, report: &dyn Report) -> Result<(), ModelError> {
    match pack(locked, AT_INSTALLATION) {
        Ok(_) => Ok(()),
        Err(error @ ModelError::Speech(_)) => {
            report.line(&format!("its weights were not packed: {error}"));
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Takes the packed file `name` out of the manifest, so that it is made anew.
pub(super) fn discard(locked: &Locked, name: &str) -> Result<(), ModelError> {
    let mut manifest = manifest(locked)?;
    manifest.packed.retain(|file| file.name != name);
    locked.replace_manifest(&manifest)
}

fn fresh(installed: &Installed, precision: Precision) -> Option<PackedWeights> {
    let path = installed.packed.iter().find(|path| path.file_name().is_some_and(|name| name == file_name(precision).as_str()))?;
    let source = installed.weights_sha256.as_str().to_owned();
    model::is_packed(path, precision, &source).then(|| PackedWeights { path: path.clone(), source })
}

fn file_name(precision: Precision) -> String {
    format!("packed-{}.safetensors", precision.name())
}

/// Makes the packed file of a model, unless it is there; nothing for a family that has none.
fn pack(locked: &Locked, precision: Precision) -> Result<Option<PackedWeights>, ModelError> {
    // Looked up again: another process may have packed them while the lock was waited for.
    let installed = find_installed(locked.folder(), locked.name())?;
    if installed.family == Family::SileroVad {
        return Ok(None);
    }
    if let Some(packed) = fresh(&installed, precision) {
        return Ok(Some(packed));
    }
    let (building, path) = (locked.hidden("packing"), installed.folder.join(file_name(precision)));
    let built = build(&installed, precision, &building);
    if built.is_err()
        && let Err(error) = super::store::remove(&building)
    {
        tracing::warn!(%error, "unfinished packed weights not removed");
    }
    let (size, sha256) = built?;
    let mut manifest = manifest(locked)?;
    // Out of the manifest before it is replaced: a kill in between leaves a file that nothing speaks of.
    let kept = manifest.packed.len();
    manifest.packed.retain(|file| file.name != file_name(precision));
    if manifest.packed.len() != kept {
        locked.replace_manifest(&manifest)?;
    }
    fs::rename(&building, &path).map_err(ModelError::io("install", &path))?;
    manifest.packed.push(InstalledFile { name: file_name(precision), size, sha256, pinned: false });
    locked.replace_manifest(&manifest)?;
    let source = installed.weights_sha256.as_str().to_owned();
    Ok(Some(PackedWeights { path, source }))
}

/// Writes the file, read-only and on disk; gives its size and hash.
fn build(installed: &Installed, precision: Precision, building: &PathBuf) -> Result<(u64, Digest), ModelError> {
    super::store::remove(building).map_err(ModelError::io("remove", building))?;
    let file = File::create_new(building).map_err(ModelError::io("create", building))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let packed = model::pack(&installed.folder, precision, installed.weights_sha256.as_str(), (&mut out, building));
    packed.map_err(|error| match error {
        SpeechError::Write { path, source } => ModelError::io("write", path)(source),
        error => error.into(),
    })?;
    out.flush().map_err(ModelError::io("write", building))?;
    let file = out.into_inner().map_err(|error| ModelError::io("write", building)(error.into_error()))?;
    let mut permissions = file.metadata().map_err(ModelError::io("read", building))?.permissions();
    permissions.set_readonly(true);
    file.set_permissions(permissions).and_then(|()| file.sync_all()).map_err(ModelError::io("sync", building))?;
    let size = file.metadata().map_err(ModelError::io("read", building))?.len();
    Ok((size, Digest::of_file(building)?))
}

fn manifest(locked: &Locked) -> Result<Manifest, ModelError> {
    Manifest::read(&locked.target()).map_err(|fault| ModelError::Damaged { name: locked.name().to_owned(), fault })
}
