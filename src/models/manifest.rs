//! `manifest.json`: what was installed, so that it can be checked ever after.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::error::{Fault, ModelError};
use super::registry::{Entry, Family, is_plain_name};

/// The manifest's name in a model's folder.
pub(crate) const FILE_NAME: &str = "manifest.json";
/// The name of the weights in a folder that Hugging Face laid out.
pub(crate) const WEIGHTS: &str = "model.safetensors";
/// Whether a file holds some of the weights of a model whose weights are in several.
pub(crate) fn is_shard(name: &str) -> bool {
    name.starts_with("model-") && name.ends_with(".safetensors")
}

const SCHEMA: &str = "cantoscribe/model/1";
/// No manifest of ours comes near this; a longer one is not read.
const MAX_BYTES: u64 = 1 << 20;

/// What is in a model's folder and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    schema: String,
    /// The model's name, which is its folder's.
    pub name: String,
    /// Which code loads it.
    pub family: Family,
    /// The source it was had from, in words.
    pub source: String,
    /// Every file but this one, and but those of `packed`.
    pub files: Vec<InstalledFile>,
    /// Files that were made here of the weights: see [`super::load`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packed: Vec<InstalledFile>,
}

/// One installed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstalledFile {
    /// Its name in the folder.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Of its content.
    pub sha256: Digest,
    /// Whether the registry stated that hash; if not, it was recorded when the file was first fetched.
    pub pinned: bool,
}

impl Manifest {
    pub(crate) fn new(entry: &Entry, source: String, mut files: Vec<InstalledFile>) -> Self {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Self { schema: SCHEMA.to_owned(), name: entry.name.clone(), family: entry.family, source, files, packed: Vec::new() }
    }

    /// Reads the manifest of a model's folder.
    ///
    /// # Errors
    /// [`Fault::Missing`] or [`Fault::Manifest`].
    pub(crate) fn read(folder: &Path) -> Result<Self, Fault> {
        let path = folder.join(FILE_NAME);
        let length = fs::metadata(&path).map_err(|_| Fault::Missing { file: FILE_NAME.to_owned() })?.len();
        if length > MAX_BYTES {
            return Err(Fault::Manifest { why: format!("it has {length} bytes") });
        }
        let bytes = fs::read(&path).map_err(|error| Fault::Manifest { why: error.to_string() })?;
        Self::parse(&bytes).map_err(|why| Fault::Manifest { why })
    }

    /// Reads a manifest and checks that every name in it is safe to join to a folder.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| format!("line {}: not a manifest", error.line()))?;
        if manifest.schema != SCHEMA {
            return Err(format!("its schema is not `{SCHEMA}`"));
        }
        let names: Vec<&str> = manifest.all_files().map(|file| file.name.as_str()).collect();
        if !is_plain_name(&manifest.name) || names.iter().any(|name| !is_plain_name(name) || *name == FILE_NAME) {
            return Err("a name in it is not allowed".to_owned());
        }
        let doubled = names.iter().enumerate().any(|(i, name)| names.iter().take(i).any(|other| other == name));
        if doubled || manifest.weights().is_none() {
            return Err(format!("it lists a file twice, or no `{}`", manifest.family.weights()));
        }
        Ok(manifest)
    }

    pub(crate) fn to_json(&self) -> Result<Vec<u8>, ModelError> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| ModelError::Io {
            action: "write",
            path: FILE_NAME.into(),
            reason: error.into(),
        })?;
        text.push(b'\n');
        Ok(text)
    }

    /// Those that were installed, and those that were made of them.
    pub(crate) fn all_files(&self) -> impl Iterator<Item = &InstalledFile> {
        self.files.iter().chain(&self.packed)
    }

    /// The hash of the weights: of the file that they are in, or of their shards as one. Nothing where there are none.
    #[must_use]
    pub fn weights(&self) -> Option<Digest> {
        let of = |is_one: &dyn Fn(&str) -> bool| {
            self.files.iter().filter(|file| is_one(&file.name)).map(|file| file.sha256.clone()).collect::<Vec<_>>()
        };
        let single = of(&|name| name == self.family.weights());
        Digest::of_all(&if single.is_empty() { of(&is_shard) } else { single })
    }

    /// The first file whose length differs, which costs nothing to find.
    pub(crate) fn check_sizes(&self, folder: &Path) -> Result<(), Fault> {
        self.all_files().try_for_each(|file| {
            let found = match fs::symlink_metadata(folder.join(&file.name)) {
                Ok(metadata) if metadata.is_file() => metadata.len(),
                _ => return Err(Fault::Missing { file: file.name.clone() }),
            };
            let fault = Fault::Size { file: file.name.clone(), expected: file.size, found };
            if found == file.size { Ok(()) } else { Err(fault) }
        })
    }

    /// Every file that is not what was installed, by reading all of them.
    ///
    /// # Errors
    /// When a file exists and cannot be read.
    pub(crate) fn faults(&self, folder: &Path) -> Result<Vec<Fault>, ModelError> {
        let mut faults = Vec::new();
        for file in self.all_files() {
            let single = Self { files: vec![file.clone()], packed: Vec::new(), ..self.clone() };
            if let Err(fault) = single.check_sizes(folder) {
                faults.push(fault);
                continue;
            }
            let found = Digest::of_file(&folder.join(&file.name))?;
            if found != file.sha256 {
                let (expected, found) = (file.sha256.to_string(), found.to_string());
                faults.push(Fault::Content { file: file.name.clone(), expected, found });
            }
        }
        Ok(faults)
    }

    /// Whether this is what one of the registry's sources of that model gives.
    pub(crate) fn agrees_with(&self, entry: &Entry) -> bool {
        self.family == entry.family
            && entry.source.iter().any(|source| {
                source.files().len() == self.files.len()
                    && source.files().iter().all(|spec| {
                        self.files
                            .iter()
                            .any(|file| file.name == spec.name && spec.sha256.as_ref().is_none_or(|pin| *pin == file.sha256))
                    })
            })
    }
}
