//! The registry of models, and how they come to this machine.
//!
//! [`Registry`] says what there is; [`pull`] fetches it from the first source that answers, [`import`] from a file; [`find_installed`]
//! gives what can be loaded, and [`load`] loads it. A model is a folder below one folder of models, with a manifest that holds the hash of every file. It
//! appears whole or not at all.

mod archive;
mod choose;
mod convert;
mod convert_config;
mod ct2;
mod digest;
mod error;
mod hub;
mod installed;
mod manifest;
mod packed;
mod pull;
mod registry;
mod report;
mod source;
mod store;
mod wheels;

use std::path::PathBuf;

pub use archive::{export, import};
pub use choose::{AUTO, NO_ALIGNER, aligner_for, best_installed, pull_first};
pub use convert::ctranslate2_whisper;
pub use digest::Digest;
pub use error::{Failure, Fault, ModelError};
pub use installed::{Installed, NamedManifest, find_installed, installed_manifests, verify};
pub use manifest::{InstalledFile, Manifest};
pub use packed::load;
pub use pull::{Pulled, pull};
pub use registry::{
    Accuracy, Conversion, DeviceNeeded, Entry, Family, FileSpec, HubSpec, Registry, SourceSpec, TakeSpec, WheelSpec, WheelsSpec,
};
pub use report::{Report, Silent};
pub use source::PullOptions;

/// The folder that holds a folder a model: `CANTOSCRIBE_MODELS`, or else `cantoscribe/models` in the XDG data directory.
///
/// Nothing when neither can be told (no home directory).
#[must_use]
pub fn default_folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("CANTOSCRIBE_MODELS").filter(|folder| !folder.is_empty()) {
        return Some(PathBuf::from(folder));
    }
    directories::ProjectDirs::from("", "", "cantoscribe").map(|dirs| dirs.data_dir().join("models"))
}
