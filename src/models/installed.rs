//! Finding a model that is on disk, and making sure that it is what was installed.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::error::{Fault, ModelError};
use super::manifest::{self, Manifest, WEIGHTS};
use super::registry::{Family, Registry, is_plain_name};
use crate::speech::model::{INDEX, SpeechFamily, decoder_file, family_of, weight_files};

/// A model that can be loaded: its files are there and are what was installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Name in the registry, or the folder's name.
    pub name: String,
    /// Which code loads it.
    pub family: Family,
    /// The folder with the weights, their configuration and so on.
    pub folder: PathBuf,
    /// Of the weights: of the file that they are in, or of their shards as one.
    pub weights_sha256: Digest,
    /// The folder of models that it was installed in; nothing for a checkpoint of the user's own.
    pub models: Option<PathBuf>,
    /// Packed weights that are there and intact, of whatever precision.
    pub packed: Vec<PathBuf>,
    /// A GGUF file with the decoder, beside the rest of a checkpoint of the user's own.
    pub decoder: Option<PathBuf>,
}

/// Finds a model by its name below `folder`, or by the path of a folder that holds a checkpoint.
///
/// An installed model's files are compared with its manifest: hashed the first time, and again whenever a file's size, time of
/// change or inode differs from then. A folder of the user's own has no manifest; its family is read from its configuration and its
/// weights are hashed.
///
/// # Errors
/// [`ModelError::NotInstalled`], [`ModelError::Damaged`], [`ModelError::NotACheckpoint`] or [`ModelError::Unknown`]; each says what
/// to do or what was found.
pub fn find_installed(folder: &Path, name_or_path: &str) -> Result<Installed, ModelError> {
    let target = folder.join(name_or_path);
    if is_plain_name(name_or_path) && target.join(manifest::FILE_NAME).is_file() {
        return intact(folder, name_or_path);
    }
    let path = Path::new(name_or_path);
    match Registry::embedded()?.get(name_or_path) {
        Ok(entry) => Err(ModelError::NotInstalled { name: entry.name.clone() }),
        Err(_) if path.is_dir() => checkpoint(path),
        Err(unknown) => Err(unknown),
    }
}

/// The name of a model's folder, and its manifest or why that cannot be used.
pub type NamedManifest = (String, Result<Manifest, Fault>);

/// The manifests of all models below `folder`, in order of name; a folder that does not exist has none.
///
/// # Errors
/// When the folder cannot be read.
pub fn installed_manifests(folder: &Path) -> Result<Vec<NamedManifest>, ModelError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(ModelError::io("read", folder))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(ModelError::io("read", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_plain_name(&name) && entry.path().join(manifest::FILE_NAME).exists() {
            found.push((name, Manifest::read(&entry.path())));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// Reads every byte of an installed model and gives all that differs; nothing differs in an intact one.
///
/// # Errors
/// [`ModelError::NotInstalled`], or when a file cannot be read.
pub fn verify(folder: &Path, name: &str) -> Result<Vec<Fault>, ModelError> {
    let target = folder.join(name);
    if !is_plain_name(name) || !target.is_dir() {
        Registry::embedded()?.get(name)?;
        return Err(ModelError::NotInstalled { name: name.to_owned() });
    }
    match manifest_of(&target, name) {
        Ok(manifest) => manifest.faults(&target),
        Err(fault) => Ok(vec![fault]),
    }
}

fn manifest_of(target: &Path, name: &str) -> Result<Manifest, Fault> {
    let manifest = Manifest::read(target)?;
    let why = || format!("it describes `{}`", manifest.name);
    if manifest.name == name { Ok(manifest) } else { Err(Fault::Manifest { why: why() }) }
}

fn intact(folder: &Path, name: &str) -> Result<Installed, ModelError> {
    let target = folder.join(name);
    let damaged = |fault| ModelError::Damaged { name: name.to_owned(), fault };
    let manifest = manifest_of(&target, name).map_err(damaged)?;
    manifest.check_sizes(&target).map_err(damaged)?;
    let seen = Checked::now(&manifest, &target)?;
    let record = folder.join(format!(".{name}.checked"));
    if Checked::read(&record).as_ref() != Some(&seen) {
        if let Some(fault) = manifest.faults(&target)?.into_iter().next() {
            return Err(damaged(fault));
        }
        seen.write(&record);
    }
    let weights = manifest.weights().ok_or_else(|| damaged(Fault::Missing { file: manifest.family.weights().to_owned() }))?;
    Ok(Installed {
        name: name.to_owned(),
        family: manifest.family,
        weights_sha256: weights,
        models: Some(folder.to_owned()),
        packed: manifest.packed.iter().map(|file| target.join(&file.name)).collect(),
        folder: target,
        decoder: None,
    })
}

/// What the files of a model looked like when they were last hashed and found right.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Checked {
    files: Vec<(Digest, u64, u64, i64, i64, i64, i64)>,
}

impl Checked {
    /// Expected hash, size, inode, modification and change times of each file. The change time cannot be set back by hand.
    fn now(manifest: &Manifest, target: &Path) -> Result<Self, ModelError> {
        let mut files = Vec::new();
        for file in manifest.all_files() {
            let path = target.join(&file.name);
            let m = fs::metadata(&path).map_err(ModelError::io("read", &path))?;
            files.push((file.sha256.clone(), m.size(), m.ino(), m.mtime(), m.mtime_nsec(), m.ctime(), m.ctime_nsec()));
        }
        Ok(Self { files })
    }

    fn read(record: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(record).ok()?).ok()
    }

    /// A record that cannot be written only costs hashing again next time.
    fn write(&self, record: &Path) {
        let written = serde_json::to_vec(self).map_err(std::io::Error::from).and_then(|text| fs::write(record, text));
        if let Err(error) = written {
            tracing::debug!(%error, "the check of a model was not recorded");
        }
    }
}

fn checkpoint(path: &Path) -> Result<Installed, ModelError> {
    let refuse = |why: String| ModelError::NotACheckpoint { path: path.to_owned(), why };
    let family = Family::from(family_of(path).map_err(|error| refuse(error.to_string()))?);
    if ![WEIGHTS, INDEX, family.weights()].iter().any(|name| path.join(name).is_file()) {
        return Err(refuse(format!("it has no `{}`", family.weights())));
    }
    let folder = path.canonicalize().map_err(ModelError::io("open", path))?;
    let gguf = family.speech().is_some_and(SpeechFamily::reads_gguf);
    let decoder = if gguf { decoder_file(&folder).map_err(|error| refuse(error.to_string()))? } else { None };
    let weights = weight_files(path).map_err(|error| refuse(error.to_string()))?;
    let digests = weights.iter().chain(&decoder).map(|weights| Digest::of_file(weights)).collect::<Result<Vec<_>, _>>()?;
    let weights_sha256 = Digest::of_all(&digests).ok_or_else(|| refuse(format!("its `{INDEX}` names no file")))?;
    let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
    Ok(Installed { name, family, weights_sha256, folder, models: None, packed: Vec::new(), decoder })
}
