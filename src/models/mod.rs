//! The registry of models, and how they come to this machine.

use std::path::PathBuf;

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
